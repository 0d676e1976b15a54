//! The Flux objects in a repository's files, and which files a folder's build reads.

use flux::Kind;
use imbl::{OrdMap, OrdSet};
use manifests::kustomize::{self, Build, Files, How, Id, Origin, Use};
use manifests::{Document, FieldPath, Identity, ParsedFile, Placed, RepoPath, Role, SourceTree, Tree, Value};
use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::inventory::{self, Found};
use crate::journey::Made;
use crate::kept::{BuildKey, KeptBuilds, Working};
use crate::navigation::Catalog;
use crate::silent::{self, Quiet};

/// An index of one repository. Cloning is cheap: clone it for a task, go on changing the original.
///
/// The caller tells every YAML file, when it appears, changes and goes ([`RepoIndex::set`]); the index keeps those
/// that hold Flux objects.
#[derive(Clone, Default)]
pub struct RepoIndex {
    files: OrdMap<RepoPath, Told>,
    objects: OrdSet<(Kind, Arc<str>, DocRef)>,
    catalog: Catalog,
    /// Replaced with every change: what was derived from another stamp is out of date.
    stamp: Arc<()>,
    /// Replaced when a file comes or goes. What a build made of its files is out of date when the version of one of
    /// them is another.
    builds: Arc<Builds>,
    /// Replaced when also what is saved of an open file may be another text.
    kept: Arc<KeptBuilds>,
}

/// A file as it was told last.
#[derive(Clone)]
struct Told {
    /// [`ParsedFile::version`].
    version: u64,
    /// Kept for files that hold Flux objects.
    file: Option<ParsedFile>,
}

/// A document of the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocRef {
    /// Its file.
    pub path: RepoPath,
    /// Its place among the file's documents.
    pub index: usize,
}

/// What builds were found to make, each looked up once.
#[derive(Default)]
pub(crate) struct Builds(Mutex<HashMap<BuildKey, Arc<Covered>>>);

/// What a build reads and makes, under the names that files have in this repository. Without the objects' content: a
/// repository has many.
#[derive(Debug, Default)]
pub(crate) struct Covered {
    files: HashMap<RepoPath, BTreeSet<Use>>,
    /// What the build reads and we cannot, in sentences.
    pub(crate) unknown: Vec<String>,
    /// It may make more than is known.
    pub(crate) hides: bool,
    pub(crate) objects: Vec<Outline>,
    /// What no message tells of.
    pub(crate) quiet: Vec<Quiet>,
    /// The root's own build file, and whether it says that it has no resources.
    root_file: Option<RepoPath>,
    pub(crate) says_empty: bool,
    /// File → objects that start in it or are patched or filled by it.
    by_path: HashMap<RepoPath, Vec<usize>>,
    /// The same by document; what a file fills as a whole stands at its first one.
    by_document: HashMap<DocRef, Vec<usize>>,
    /// The files that this was made of, as they were.
    versions: Vec<(RepoPath, u64)>,
}

/// An object of a build, without its content.
#[derive(Debug)]
pub(crate) struct Outline {
    pub(crate) id: Id,
    pub(crate) origin: Origin,
    /// Documents that patch it, and files that fill it.
    pub(crate) shaped_by: Vec<DocRef>,
    /// A Flux object's content, to be compared with the live one.
    pub(crate) flux: Option<Arc<Value>>,
}

impl Outline {
    /// What it is, without what shaped it.
    pub(crate) fn made(&self) -> Made {
        Made { id: self.id.clone(), origin: self.origin.clone() }
    }
}

impl Covered {
    fn new(build: &Build, more: &[RepoPath], index: &RepoIndex) -> Covered {
        let mut covered = Covered {
            files: build.files.iter().map(|(path, uses)| (path.clone(), uses.clone())).collect(),
            unknown: build.unknown.iter().map(|it| it.why.to_string()).collect(),
            hides: build.unknown.iter().any(|it| it.why.hides()),
            ..Covered::default()
        };
        let files = build.files.keys().chain(more);
        covered.versions = files.map(|path| (path.clone(), index.version(path))).collect();
        for object in &build.objects {
            let Some(id) = object.id() else { continue };
            let shapes = |it: &&kustomize::Shaper| matches!(it.how, How::Patch | How::GeneratorInput);
            let at = |it: &kustomize::Shaper| DocRef {
                path: it.path.clone(),
                index: it.site.as_ref().map_or(0, manifests::Site::document_index),
            };
            let mut shaped_by: Vec<DocRef> = object.shaped_by.iter().filter(shapes).map(at).collect();
            shaped_by.sort();
            shaped_by.dedup();
            let at = covered.objects.len();
            let own = match &object.origin {
                Origin::Document { path, index } => Some(DocRef { path: path.clone(), index: *index }),
                Origin::Generated { .. } => None,
            };
            let documents: BTreeSet<&DocRef> = shaped_by.iter().chain(&own).collect();
            for document in documents {
                covered.by_document.entry(document.clone()).or_default().push(at);
            }
            let origin = object.origin.path();
            let paths: BTreeSet<&RepoPath> = shaped_by.iter().map(|it| &it.path).chain([origin]).collect();
            for path in paths {
                covered.by_path.entry(path.clone()).or_default().push(at);
            }
            let flux = Kind::from_group_kind(&id.group, &id.kind).map(|_| Arc::clone(&object.value));
            covered.objects.push(Outline { id, origin: object.origin.clone(), shaped_by, flux });
        }
        covered.quiet = silent::quiet(build);
        covered.root_file.clone_from(&build.root_file);
        covered.says_empty = build.says_empty;
        covered
    }

    pub(crate) fn is(&self, path: &RepoPath, use_: Use) -> bool {
        self.files.get(path).is_some_and(|uses| uses.contains(&use_))
    }

    /// Whether the build reads a file, as whatever.
    pub(crate) fn reads(&self, path: &RepoPath) -> bool {
        self.files.contains_key(path)
    }

    /// All files that the build reads.
    pub(crate) fn files(&self) -> impl Iterator<Item = &RepoPath> {
        self.files.keys()
    }

    /// Files that become objects or patches of objects, in the order of paths.
    pub(crate) fn holding_in_order(&self) -> Vec<RepoPath> {
        let holds = |path: &&RepoPath| self.is(path, Use::Resource) || self.is(path, Use::Patch);
        let mut files: Vec<RepoPath> = self.files().filter(holds).cloned().collect();
        files.sort();
        files
    }

    /// The objects that start in a file, or are patched or filled by it.
    pub(crate) fn objects_of(&self, path: &RepoPath) -> impl Iterator<Item = &Outline> {
        self.by_path.get(path).into_iter().flatten().filter_map(|at| self.objects.get(*at))
    }

    /// The objects that start in a document, or are patched by it.
    pub(crate) fn objects_at(&self, document: &DocRef) -> impl Iterator<Item = &Outline> {
        self.by_document.get(document).into_iter().flatten().filter_map(|at| self.objects.get(*at))
    }

    /// The root's own build file, if it has one.
    pub(crate) fn root_file(&self) -> Option<&RepoPath> {
        self.root_file.as_ref()
    }

    pub(crate) fn is_current(&self, index: &RepoIndex) -> bool {
        self.versions.iter().all(|(path, version)| index.version(path) == *version)
    }
}

impl RepoIndex {
    /// An empty index.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells a YAML file as it is now, or (with `None`) that it is gone.
    pub fn set(&mut self, path: &RepoPath, file: Option<ParsedFile>) {
        let old = self.files.remove(path);
        if old.is_none() && file.is_none() {
            return;
        }
        self.catalog.set(path, file.as_ref());
        let comes_or_goes = old.is_none() || file.is_none();
        if let Some(old) = old {
            for (kind, name, at) in old.file.iter().flat_map(|file| flux_documents(path, file)) {
                self.objects.remove(&(kind, name, at));
            }
        }
        if let Some(file) = file {
            for entry in flux_documents(path, &file) {
                self.objects.insert(entry);
            }
            let keep = flux_documents(path, &file).next().is_some();
            self.files.insert(path.clone(), Told { version: file.version(), file: keep.then_some(file) });
        }
        self.stamp = Arc::default();
        if comes_or_goes {
            self.builds = Arc::default();
            self.kept = Arc::default();
        }
    }

    /// Files went and came back, or may have: what was derived from them meanwhile is out of date, although what is
    /// told of them is the same.
    pub fn touch(&mut self) {
        self.stamp = Arc::default();
        self.builds = Arc::default();
        self.kept = Arc::default();
    }

    /// Something that is open was saved, or its file was changed beside it: what is told stays, how far it has come does not.
    pub fn saved(&mut self) {
        self.stamp = Arc::default();
        self.kept = Arc::default();
    }

    /// A file that holds Flux objects, as it was told last.
    pub fn file(&self, path: &RepoPath) -> Option<&ParsedFile> {
        self.files.get(path)?.file.as_ref()
    }

    /// Another number whenever the file has changed; 0 for one that was not told.
    pub(crate) fn version(&self, path: &RepoPath) -> u64 {
        self.files.get(path).map_or(0, |it| it.version)
    }

    /// Whether a file was told.
    pub(crate) fn knows(&self, path: &RepoPath) -> bool {
        self.files.contains_key(path)
    }

    /// Folders below the top whose path ends in this one, and that hold files that were told.
    pub(crate) fn folders_ending_in(&self, end: &RepoPath) -> Vec<RepoPath> {
        let tail = format!("/{}", end.as_str());
        let mut found: Vec<RepoPath> = Vec::new();
        for path in self.files.keys() {
            let mut at = 0;
            while let Some(next) = path.as_str().get(at..).and_then(|rest| rest.find(&tail)) {
                let stop = at + next + tail.len();
                let is_whole = path.as_str().as_bytes().get(stop) == Some(&b'/');
                if let Some(folder) = path.as_str().get(..stop).filter(|_| is_whole).and_then(RepoPath::new)
                    && !found.contains(&folder)
                {
                    found.push(folder);
                }
                at = stop;
            }
        }
        found
    }

    /// Names and mentions of all files.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// All YAML files that were told, in order.
    pub fn files(&self) -> impl Iterator<Item = &RepoPath> {
        self.files.keys()
    }

    /// Files that hold Flux objects, in order.
    pub fn flux_files(&self) -> Vec<RepoPath> {
        let mut files: Vec<RepoPath> = self.objects.iter().map(|(_, _, at)| at.path.clone()).collect();
        files.sort();
        files.dedup();
        files
    }

    /// Files that tell what is delivered how: those with Flux objects, and with ConfigMaps, which variables come from.
    pub(crate) fn delivery_files(&self) -> Vec<RepoPath> {
        let maps = self.catalog.of_kind(Some("ConfigMap")).map(|(_, _, at)| at.path.clone());
        let mut files: Vec<RepoPath> = self.flux_files().into_iter().chain(maps).collect();
        files.sort();
        files.dedup();
        files
    }

    /// How many documents are Flux objects.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether no document is a Flux object.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Documents that say they are this, in any namespace, in the order of paths.
    pub(crate) fn named(&self, kind: Kind, name: &str) -> impl Iterator<Item = &DocRef> {
        let name: Arc<str> = name.into();
        let first = DocRef { path: RepoPath::root(), index: 0 };
        self.objects
            .range((kind, Arc::clone(&name), first)..)
            .take_while(move |(k, n, _)| *k == kind && **n == *name)
            .map(|(_, _, at)| at)
    }

    pub(crate) fn document(&self, at: &DocRef) -> Option<&Placed> {
        self.file(&at.path)?.documents().get(at.index)
    }

    pub(crate) fn stamp(&self) -> &Arc<()> {
        &self.stamp
    }

    /// Another one whenever a build may read other files than before.
    pub(crate) fn builds(&self) -> &Arc<Builds> {
        &self.builds
    }

    pub(crate) fn kept(&self) -> &KeptBuilds {
        &self.kept
    }

    /// What a build makes; looked up once for each state of the files that it reads.
    pub(crate) fn covered(&self, tree: &dyn Tree, key: &BuildKey) -> Arc<Covered> {
        let known = self.builds.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        if let Some(known) = known.filter(|it| it.is_current(self)) {
            return known;
        }
        // Not under the lock: reading a tree may be slow, and two threads finding the same is harmless.
        let (build, more) = self.build_now(Working::Buffers, tree, key, &key.spec());
        let covered = Arc::new(Covered::new(&build, &more, self));
        let mut known = self.builds.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key.clone(), Arc::clone(&covered));
        covered
    }

    /// The ConfigMap of this name, as a document has it; of several the one nearest to a path ([`inventory::the_one`]).
    pub(crate) fn config_map(&self, files: &Files<'_>, name: &str, near: &[RepoPath]) -> Option<Arc<Value>> {
        inventory::the_one(&self.config_maps(files, name), near).map(|it| Arc::clone(&it.value))
    }

    /// All documents that are a ConfigMap of this name.
    fn config_maps(&self, files: &Files<'_>, name: &str) -> Vec<Found> {
        let says = |it: &Value| {
            it.text(&["kind"]) == Some("ConfigMap") && it.text(&["metadata", "name"]) == Some(name)
        };
        let found = self.catalog.named("ConfigMap", name).filter_map(|at| {
            // The catalog may be older than the tree.
            let value = files.values(&at.path)?.values.get(at.index)?.clone()?;
            says(&value).then(|| Found { at: at.clone(), value })
        });
        found.collect()
    }

    /// The files that may hold the ConfigMaps which a spec has variables from. The names are looked up in the files as they are now,
    /// also for a build of an earlier version: what is not indexed yet is not found there either.
    pub(crate) fn maps_of(&self, spec: &Value) -> Vec<RepoPath> {
        let maps = inventory::substituted_from(spec).filter(|(kind, _)| *kind == "ConfigMap");
        maps.flat_map(|(_, name)| self.catalog.named("ConfigMap", name)).map(|it| it.path.clone()).collect()
    }

    /// Builds with a spec: the live one, or the text of it. Tells the files besides those of the build that shape it.
    pub(crate) fn build(&self, tree: &dyn Tree, key: &BuildKey, spec: &Value) -> (Build, Vec<RepoPath>) {
        let files = Files::new(tree);
        let mut read = Vec::new();
        let mut maps = |name: &str| {
            let found = self.config_maps(&files, name);
            read.extend(found.iter().map(|it| it.at.path.clone()));
            found
        };
        let variables = inventory::variables(spec, &key.near, &mut maps);
        let overlay = inventory::overlay(spec, variables);
        let build = match (&key.copies, &key.ignore) {
            (None, None) => kustomize::build(&files, &key.dir, &overlay),
            (None, Some(ignore)) => {
                let artifact = SourceTree::new(tree, Some(ignore));
                // A `.sourceignore` is no YAML file, and so none that the index would know to have changed.
                kustomize::build(&Files::new(&artifact), &key.dir, &overlay)
            }
            (Some(copies), _) => {
                let artifact = copies.artifact(tree);
                kustomize::build(&Files::new(&artifact), &key.dir, &overlay)
            }
        };
        (build, read)
    }
}

fn flux_documents<'a>(
    path: &'a RepoPath,
    file: &'a ParsedFile,
) -> impl Iterator<Item = (Kind, Arc<str>, DocRef)> + 'a {
    file.documents().iter().enumerate().filter_map(|(index, placed)| {
        let (kind, identity) = flux_object(&placed.document)?;
        Some((kind, identity.name.as_str().into(), DocRef { path: path.clone(), index }))
    })
}

/// The Flux object that a document says it is. Patches say so too: see [`Document::role`].
pub(crate) fn flux_object(document: &Document) -> Option<(Kind, &Identity)> {
    if !matches!(document.role(), Role::Object | Role::Patch) {
        return None;
    }
    let identity = document.identity()?;
    Some((Kind::from_group_kind(&identity.group, &identity.kind)?, identity))
}

/// A field path that this crate or `flux` writes.
pub(crate) fn field(path: &str) -> FieldPath {
    FieldPath::from_str(path).unwrap_or_default()
}
