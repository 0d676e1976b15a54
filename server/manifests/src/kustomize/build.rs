//! What a build makes: its objects, each with where it starts from and what shaped it.
//!
//! The order is kustomize's: resources, generators, components, then transformers (flux-reference E.3). Where kustomize
//! would refuse the whole build, this goes on with what it has and says what is wrong ([`Build::unknown`]): a build that
//! is being edited is broken most of the time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use text_size::TextRange;

use super::gather::Objects;
use super::generate;
use super::images;
use super::keys::{self, StrayKey};
use super::labels::{self, Pairs};
use super::lookup::{Files, Found, is_remote};
use super::names::Names;
use super::object::{Built, How, Id, Origin, Selector};
use super::references;
use super::transform;
use super::variables::{self, Variables};
use super::{Unknown, Use, Why};
use crate::value::{Data, Member};
use crate::{FieldPath, FileKind, RepoPath, Site, Soundness, Value, identity};

/// How many builds may include each other in a chain.
const MAX_DEPTH: usize = 64;

/// What a build makes.
#[derive(Debug, Clone, Default)]
pub struct Build {
    /// The objects, in the order of the build.
    pub objects: Vec<Built>,
    /// Every file that the build reads, and as what.
    pub files: BTreeMap<RepoPath, BTreeSet<Use>>,
    /// What is not in the answer, or not right in it, and why.
    pub unknown: Vec<Unknown>,
    /// Keys of the root's own build file that kustomize does not know: Flux drops them before it builds.
    pub stray_keys: Vec<StrayKey>,
    /// The root's own build file, if it has one.
    pub root_file: Option<RepoPath>,
    /// Whether that says by an empty list that it has no resources.
    pub says_empty: bool,
    /// Where which object is; made when somebody asks first.
    pub(super) names: OnceLock<Names>,
}

impl Build {
    /// Why kustomize refuses to build this, if it does: then nothing of it is applied.
    pub fn refused(&self) -> Option<&Unknown> {
        self.unknown.iter().find(|it| it.why.refuses())
    }
}

/// What a Flux Kustomization adds to the build of its path.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    /// Replaces `namespace`.
    pub namespace: Option<Arc<Value>>,
    /// Replaces `namePrefix`.
    pub name_prefix: Option<Arc<Value>>,
    /// Replaces `nameSuffix`.
    pub name_suffix: Option<Arc<Value>>,
    /// Added to `components`.
    pub components: Vec<Arc<Value>>,
    /// Components that do not exist are left out.
    pub ignore_missing_components: bool,
    /// Added to `patches`.
    pub patches: Vec<Arc<Value>>,
    /// Added to `patchesStrategicMerge`: the patches themselves.
    pub patches_strategic_merge: Vec<Arc<Value>>,
    /// Added to `patchesJson6902`: operations and targets.
    pub patches_json: Vec<Arc<Value>>,
    /// Merged with `images`.
    pub images: Vec<Arc<Value>>,
    /// Set on all objects behind the build.
    pub labels: Vec<Member>,
    /// Set on all objects behind the build.
    pub annotations: Vec<Member>,
    /// Replaced behind the build; `None` when there is no substitution at all.
    pub variables: Option<Variables>,
}

/// Builds a directory as Flux does.
///
/// The tree is taken as it is: what a `.sourceignore` leaves out of an artifact [`crate::SourceTree`] leaves out.
pub fn build(files: &Files<'_>, dir: &RepoPath, overlay: &Overlay) -> Build {
    let mut walk = Walk { files, build: Build::default(), open: Vec::new(), full: false };
    walk.root(dir, overlay);
    let mut build = walk.build;
    build.objects.retain(|it| !it.is_local());
    for object in &mut build.objects {
        generate::add_hash(object);
    }
    references::subjects(&mut build.objects, dir);
    for (key, pairs) in [("labels", &overlay.labels), ("annotations", &overlay.annotations)] {
        let pairs = Pairs { key, pairs, selectors: false, templates: false, fields: &[] };
        labels::set(&mut build.objects, &pairs, dir);
    }
    if let Some(variables) = &overlay.variables {
        for object in &mut build.objects {
            variables::substitute(object, variables);
        }
    }
    build
}

/// A build under way.
pub(super) struct Walk<'files, 'tree> {
    pub(super) files: &'files Files<'tree>,
    pub(super) build: Build,
    /// The builds that include each other, from the root to the current one.
    open: Vec<RepoPath>,
    pub(super) full: bool,
}

/// One kustomization.yaml, or the scan of a directory without one.
pub(super) struct Level {
    pub(super) dir: RepoPath,
    /// The build file; the directory for a scan.
    pub(super) path: RepoPath,
    pub(super) file: Option<Arc<Value>>,
}

/// An entry of a build file that names something.
pub(super) struct Entry {
    pub(super) field: FieldPath,
    pub(super) value: Arc<Value>,
}

impl Level {
    pub(super) fn list(&self, key: &str) -> Vec<Entry> {
        let Some(items) = self.file.as_ref().and_then(|it| it.get(key)?.as_sequence()) else {
            return Vec::new();
        };
        let path = FieldPath::root().key(key);
        items
            .iter()
            .enumerate()
            .map(|(at, it)| Entry { field: path.index(at), value: Arc::clone(it) })
            .collect()
    }

    pub(super) fn field(&self, key: &str) -> Option<&Arc<Value>> {
        self.file.as_ref()?.get(key)
    }
}

impl Walk<'_, '_> {
    fn root(&mut self, dir: &RepoPath, overlay: &Overlay) {
        let level = Level { dir: dir.clone(), path: dir.clone(), file: None };
        let why = match self.files.find(dir) {
            Found::Directory => None,
            Found::File => Some(Why::NotABuild(dir.clone())),
            Found::Nothing => Some(Why::Missing(dir.clone())),
            Found::Symlink(link) => Some(Why::Symlink(link)),
        };
        if let Some(why) = why {
            return self.unknown(&level, &FieldPath::root(), None, why);
        }
        let mut objects = Objects::default();
        if self.files.build_files(dir).is_empty() {
            self.open.push(dir.clone());
            self.scan(&level, dir, 0, &mut objects);
            self.transform(&level, Some(overlay), &mut objects);
            self.open.pop();
        } else {
            self.directory(dir, None, Some(overlay), Wanted::Kustomization, &mut objects);
        }
        self.build.objects = objects.into_all();
    }

    /// A directory without build file: every YAML file counts, and every folder with a build file as one.
    fn scan(&mut self, level: &Level, dir: &RepoPath, depth: usize, objects: &mut Objects) {
        if depth > MAX_DEPTH {
            return self.unknown(level, &FieldPath::root(), None, Why::TooMany(dir.clone()));
        }
        for (name, kind) in self.files.list(dir).iter() {
            let Some(path) = dir.join(name) else { continue };
            match kind {
                FileKind::Directory if name == ".git" => {}
                FileKind::Directory if self.files.build_files(&path).is_empty() => {
                    self.scan(level, &path, depth + 1, objects);
                }
                FileKind::Directory => {
                    let mut below = Objects::default();
                    self.directory(&path, None, None, Wanted::Kustomization, &mut below);
                    self.add_all(level, &FieldPath::root(), None, below.into_all(), objects);
                }
                FileKind::File if name.ends_with(".yaml") || name.ends_with(".yml") => {
                    let (found, broken) = self.file(&path);
                    if let Some(why) = broken {
                        self.unknown(level, &FieldPath::root(), None, why);
                    }
                    self.add_all(level, &FieldPath::root(), None, found, objects);
                }
                // A link is not in the artifact: nothing is missing that Flux would see.
                FileKind::File | FileKind::Symlink | FileKind::Other => {}
            }
        }
    }

    /// A directory with a build file. A component works on what is there already.
    pub(super) fn directory(
        &mut self,
        dir: &RepoPath,
        named_by: Option<(&Level, &Entry)>,
        overlay: Option<&Overlay>,
        wanted: Wanted,
        objects: &mut Objects,
    ) {
        let found = self.files.build_files(dir);
        let Some(path) = found.first() else { return };
        let written = self.files.tree().written_at(path);
        let mut level = Level { dir: dir.clone(), path: written, file: None };
        let root = FieldPath::root();
        if self.open.contains(dir) {
            let (at, entry) = named_by.map_or((&level, None), |(at, entry)| (at, Some(entry)));
            let field = entry.map_or(&root, |it| &it.field);
            return self.unknown(
                at,
                field,
                entry.and_then(|it| it.value.site.as_ref()),
                Why::Cycle(dir.clone()),
            );
        }
        if self.open.len() >= MAX_DEPTH || self.full {
            return self.unknown(&level, &root, None, Why::TooMany(dir.clone()));
        }
        if found.len() > 1 {
            self.unknown(&level, &root, None, Why::Ambiguous(dir.clone()));
        }
        self.reads(path, Use::BuildFile);
        let values = self.files.values(path);
        let value = values.iter().flat_map(|it| &it.values).flatten().next();
        let Some(value) = value.filter(|it| it.as_mapping().is_some()) else {
            // An empty build file is one that builds nothing; kustomize refuses it, and so do we.
            return self.unknown(&level, &root, None, Why::Unreadable(path.clone()));
        };
        if values.iter().flat_map(|it| it.file.documents()).any(|it| is_broken(it.document.soundness)) {
            // What is left of it while someone types says more than nothing; kustomize refuses it.
            self.unknown(&level, &root, None, Why::Unreadable(path.clone()));
        }
        let value = &keys::called(value);
        let group = value.text(&["apiVersion"]).map(|it| identity::split_api_version(it).0);
        if group.is_some_and(|it| !identity::is_kustomize_file(it)) {
            return self.unknown(&level, &root, None, Why::Unreadable(path.clone()));
        }
        let is_component = value.text(&["kind"]) == Some("Component");
        if is_component != (wanted == Wanted::Component)
            && let Some((at, entry)) = named_by
        {
            let why = Why::WrongKind(dir.clone());
            self.unknown(at, &entry.field, entry.value.site.as_ref(), why);
        }
        if let Some((why, site)) = keys::wrong_head(value) {
            self.unknown(&level, &root, site.as_ref(), Why::BadBuildFile(why));
        }
        let mut strays = keys::strays(value);
        if overlay.is_some() {
            // Those that begin with `x-` say themselves that they are for nobody.
            strays.retain(|it| !it.key.starts_with("x-"));
            self.build.stray_keys = strays;
            self.build.root_file = Some(level.path.clone());
            let resources = value.get("resources").and_then(|it| it.as_sequence());
            self.build.says_empty = resources.is_some_and(<[_]>::is_empty);
        } else {
            for it in strays {
                let why = Why::BadBuildFile(format!("it knows no `{}` there", it.key));
                self.unknown(&level, &root.key(&*it.key), it.site.as_ref(), why);
            }
        }
        level.file = Some(Arc::clone(value));
        self.open.push(dir.clone());
        self.accumulate(&level, overlay, objects);
        self.open.pop();
    }

    fn accumulate(&mut self, level: &Level, overlay: Option<&Overlay>, objects: &mut Objects) {
        for list in ["resources", "bases"] {
            for entry in level.list(list) {
                self.resource(level, &entry, objects);
            }
        }
        for object in generate::generate(self, level) {
            self.absorb(level, object, objects);
        }
        self.transform(level, overlay, objects);
    }

    /// One entry of `resources`.
    fn resource(&mut self, level: &Level, entry: &Entry, objects: &mut Objects) {
        let Some(text) = entry.value.as_str() else { return };
        let Some(path) = level.dir.join(text) else {
            let why = if is_remote(text) { Why::Remote(text.into()) } else { Why::Outside(text.into()) };
            return self.at(level, entry, why);
        };
        let mut found = match self.files.find(&path) {
            Found::File => {
                let (found, broken) = self.file(&path);
                if let Some(why) = broken {
                    self.at(level, entry, why);
                }
                found
            }
            Found::Directory if self.files.build_files(&path).is_empty() => {
                return self.at(level, entry, Why::NotABuild(path));
            }
            Found::Directory => {
                let mut below = Objects::default();
                self.directory(&path, Some((level, entry)), None, Wanted::Kustomization, &mut below);
                below.into_all()
            }
            Found::Symlink(link) => return self.at(level, entry, Why::Symlink(link)),
            Found::Nothing if is_remote(text) => return self.at(level, entry, Why::Remote(text.into())),
            Found::Nothing => return self.at(level, entry, Why::Missing(path)),
        };
        for object in &mut found {
            object.shaped(entry.value.site.as_ref(), &level.path, How::Included);
        }
        self.add_all(level, &entry.field, entry.value.site.as_ref(), found, objects);
    }

    /// The objects in a file, and what is wrong with it.
    fn file(&mut self, path: &RepoPath) -> (Vec<Built>, Option<Why>) {
        self.reads(path, Use::Resource);
        let Some(file) = self.files.values(path) else { return (Vec::new(), None) };
        let mut found = Vec::new();
        let mut broken = None;
        for (index, value) in file.values.iter().enumerate() {
            let placed = file.file.documents().get(index);
            if placed.is_some_and(|it| is_broken(it.document.soundness)) {
                broken = Some(Why::Unreadable(path.clone()));
            }
            let Some(value) = value.as_ref().filter(|it| !it.is_null()) else { continue };
            let origin = Origin::Document { path: self.files.tree().written_at(path), index };
            if !flatten(value, &origin, 0, &mut found) {
                broken.get_or_insert(Why::NotAnObject(path.clone()));
            }
        }
        (found, broken)
    }

    fn transform(&mut self, level: &Level, overlay: Option<&Overlay>, objects: &mut Objects) {
        self.components(level, overlay, objects);
        let none = Overlay::default();
        let overlay = overlay.unwrap_or(&none);
        for entry in level.list("patchesStrategicMerge") {
            self.old_strategic(level, &entry, objects);
        }
        for value in &overlay.patches_strategic_merge {
            self.patch_untargeted(level, &FieldPath::root(), value, objects);
        }
        let own = level.list("patches");
        let added = overlay.patches.iter().enumerate().map(|(at, it)| {
            let mut value = Arc::clone(it);
            // Flux hands on the patch and its target (`GenerateManifest`).
            for dropped in ["options", "path"] {
                if value.get(dropped).is_some() {
                    Arc::make_mut(&mut value).set(dropped, None, None);
                }
            }
            Entry { field: FieldPath::root().key("spec").key("patches").index(at), value }
        });
        for entry in own.into_iter().chain(added) {
            self.patch(level, &entry, objects);
        }
        if let Some(it) = overlay.namespace.as_ref().or_else(|| level.field("namespace")) {
            transform::namespace(objects, it, &level.path);
            self.ends_as_one(level, "namespace", it.site.as_ref(), objects.iter());
        }
        if let Some(it) = overlay.name_prefix.as_ref().or_else(|| level.field("namePrefix")) {
            transform::rename(objects, it, true, &level.path);
        }
        if let Some(it) = overlay.name_suffix.as_ref().or_else(|| level.field("nameSuffix")) {
            transform::rename(objects, it, false, &level.path);
        }
        self.metadata(level, objects);
        let added =
            overlay.patches_json.iter().map(|it| Entry { field: FieldPath::root(), value: Arc::clone(it) });
        for entry in level.list("patchesJson6902").into_iter().chain(added) {
            self.patch(level, &entry, objects);
        }
        for entry in level.list("replicas") {
            transform::replicas(objects, &entry.value, &level.path);
        }
        let own = level.list("images").into_iter().map(|it| it.value);
        let mut all = images::merged(own, &overlay.images);
        all.extend(images::merged(level.list("imageTags").into_iter().map(|it| it.value), &[]));
        for image in &all {
            images::change(objects, image, &level.path);
        }
        for entry in level.list("replacements") {
            let range = entry.value.site.clone();
            self.named_file(level, &entry, "path", Use::Configuration);
            for object in objects.iter_mut().filter(|it| replaces(&entry.value, it)) {
                object.shaped(range.as_ref(), &level.path, How::Replacement);
            }
        }
        self.configuration(level);
        self.plugins(level, objects);
        if self.open.len() == 1 {
            // What is local is left out before kustomize looks, and what gets a hash differs by that.
            let ends = objects.iter().filter(|it| !it.is_local() && !it.needs_hash);
            self.ends_as_one(level, "resources", None, ends);
        }
    }

    fn components(&mut self, level: &Level, overlay: Option<&Overlay>, objects: &mut Objects) {
        let own = level.list("components").into_iter().map(|it| (it, false));
        let added = overlay.into_iter().flat_map(|overlay| {
            overlay.components.iter().enumerate().map(|(at, it)| {
                let field = FieldPath::root().key("spec").key("components").index(at);
                (Entry { field, value: Arc::clone(it) }, overlay.ignore_missing_components)
            })
        });
        for (entry, may_miss) in own.chain(added) {
            let Some(text) = entry.value.as_str() else { continue };
            let Some(path) = level.dir.join(text) else {
                let why = if is_remote(text) { Why::Remote(text.into()) } else { Why::Outside(text.into()) };
                self.at(level, &entry, why);
                continue;
            };
            match self.files.find(&path) {
                Found::Directory if self.files.build_files(&path).is_empty() => {
                    self.at(level, &entry, Why::NotABuild(path));
                }
                Found::Directory => {
                    self.directory(&path, Some((level, &entry)), None, Wanted::Component, objects);
                }
                Found::File => self.at(level, &entry, Why::NotABuild(path)),
                Found::Symlink(link) => self.at(level, &entry, Why::Symlink(link)),
                Found::Nothing if may_miss => {}
                Found::Nothing if is_remote(text) => self.at(level, &entry, Why::Remote(text.into())),
                Found::Nothing => self.at(level, &entry, Why::Missing(path)),
            }
        }
    }

    fn metadata(&mut self, level: &Level, objects: &mut [Built]) {
        fn pairs(value: Option<&Arc<Value>>) -> &[Member] {
            value.and_then(|it| it.as_mapping()).unwrap_or_default()
        }
        for entry in level.list("labels") {
            let is = |key: &str| entry.value.text(&[key]) == Some("true");
            let selectors = is("includeSelectors");
            let templates = selectors || is("includeTemplates");
            let fields = entry.value.get("fields").and_then(|it| it.as_sequence()).unwrap_or_default();
            let pairs = pairs(entry.value.get("pairs"));
            let pairs = Pairs { key: "labels", pairs, selectors, templates, fields };
            labels::set(objects, &pairs, &level.path);
        }
        for (field, key, selectors) in
            [("commonLabels", "labels", true), ("commonAnnotations", "annotations", false)]
        {
            let pairs =
                Pairs { key, pairs: pairs(level.field(field)), selectors, templates: true, fields: &[] };
            labels::set(objects, &pairs, &level.path);
        }
    }

    pub(super) fn reads(&mut self, path: &RepoPath, as_: Use) {
        let path = self.files.tree().written_at(path);
        self.build.files.entry(path).or_default().insert(as_);
    }

    pub(super) fn at(&mut self, level: &Level, entry: &Entry, why: Why) {
        self.unknown(level, &entry.field, entry.value.site.as_ref(), why);
    }

    pub(super) fn unknown(&mut self, level: &Level, field: &FieldPath, site: Option<&Site>, why: Why) {
        let (at, range) =
            site.and_then(Site::in_file).unwrap_or_else(|| (level.path.clone(), TextRange::default()));
        self.build.unknown.push(Unknown { at, field: field.clone(), range, why });
    }
}

/// What a directory with a build file is named as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Kustomization,
    Component,
}

fn is_broken(soundness: Soundness) -> bool {
    !matches!(soundness, Soundness::Sound | Soundness::Empty)
}

/// Whether a replacement has a target that may be this object.
fn replaces(replacement: &Value, object: &Built) -> bool {
    let Some(targets) = replacement.get("targets").and_then(|it| it.as_sequence()) else {
        // In a file of its own: not read here.
        return true;
    };
    targets.iter().filter_map(|it| it.get("select")).any(|it| Selector::of(it).fits(object))
}

/// The objects of a document: lists are taken apart. `false` if it holds something that is no object.
fn flatten(value: &Arc<Value>, origin: &Origin, depth: u32, found: &mut Vec<Built>) -> bool {
    const MAX_DEPTH: u32 = 4;
    let items = value.get("items").and_then(|it| it.as_sequence());
    let is_list = value.text(&["kind"]).is_some_and(|it| it.ends_with("List"));
    if let Some(items) = items.filter(|_| is_list && depth < MAX_DEPTH) {
        let mut all = true;
        for item in items {
            all &= flatten(item, origin, depth + 1, found);
        }
        return all;
    }
    if matches!(value.data, Data::Mapping(_)) && Id::is_told(value) {
        found.push(Built::new(Arc::clone(value), origin.clone()));
        return true;
    }
    false
}
