//! From a mention to what it means: documents, files, folders.

use flux::{Kind, ObjectId};
use manifests::{FileKind, Identity, Placed, RepoPath, Role, TextRange, kustomize};
use serde_json::Value;
use std::sync::Arc;

use super::builds::Nearness;
use super::mention::{self, InSource, Mention, Named, Pattern, Wanted, What};
use super::{Navigator, Target, build_file};
use crate::copies::Copies;
use crate::deliveries::From;
use crate::index::{Covered, DocRef, flux_object};
use crate::json::json;
use crate::kept::BuildKey;
use crate::view::Strength;

/// What one pattern may lead to.
const MANY: usize = 200;

/// Where the root of what a source holds is.
#[derive(Debug, Clone)]
pub(crate) enum Root {
    /// It is this repository's root.
    Here,
    /// It is copied together from this repository.
    Copied(Arc<Copies>),
    /// An artifact that somebody pushed from some folder.
    Untold,
    /// Another repository.
    Elsewhere,
}

/// A document that may be meant.
struct Candidate {
    at: DocRef,
    target: Target,
    patch: bool,
    live: bool,
    nearness: Nearness,
    /// How many parts the paths have in common, where nothing better tells.
    in_common: usize,
}

impl Navigator<'_> {
    /// Where a mention leads, best first.
    pub(crate) fn resolve(&self, at: &DocRef, mention: &Mention) -> Vec<Target> {
        match &mention.what {
            What::Object(named) => self.objects(at, named),
            What::Some(pattern) => self.matching(at, pattern),
            What::File(path) => self.file_or_build(path).into_iter().collect(),
            What::InSource(path) => self.in_source(at, path),
        }
    }

    /// The documents that an object's name means when a document says it.
    pub(crate) fn objects(&self, from: &DocRef, named: &Named) -> Vec<Target> {
        if named.name.contains("${") {
            return Vec::new();
        }
        let home = self.document(from).and_then(|it| it.document.identity()?.namespace.clone());
        let home = home.filter(|it| !it.contains("${") && !self.namespace_is_set(&from.path));
        let namespace = named.namespace.as_deref().or(home.as_deref());
        let live = self.live(from, named);
        let mut candidates = Vec::new();
        for at in self.catalog().named(&named.kind, &named.name) {
            let Some(placed) = self.document(at) else { continue };
            for (identity, range) in mention::objects(&placed) {
                let own = identity.namespace.as_deref().filter(|it| !it.contains("${"));
                let own = own.filter(|_| !self.namespace_is_set(&at.path));
                if named.can_be(identity, [namespace, own]) {
                    let target = self.target(at, &placed, range, identity.name_range);
                    candidates.push(self.candidate(from, at, target, self.is_patch(at, &placed), &live));
                }
            }
            for made in mention::makes(&at.path, &placed.document) {
                let own = made.object.namespace.as_deref();
                let same = made.object.kind == named.kind && made.object.name == named.name;
                if same && namespace.zip(own).is_none_or(|(a, b)| a == b) {
                    let target = self.target(at, &placed, made.words, made.words);
                    candidates.push(self.candidate(from, at, target, false, &live));
                }
            }
        }
        best(candidates)
    }

    /// The documents that are the live objects which the live referrer names, in each cluster that has it.
    fn live(&self, from: &DocRef, named: &Named) -> Vec<DocRef> {
        let (Some(kind), Some(placed)) = (Kind::from_name(&named.kind), self.document(from)) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for standing in self.standings(from, &placed) {
            let namespace = named.namespace.as_deref().unwrap_or(&standing.object.namespace);
            let object = ObjectId::flux(kind, namespace, &named.name);
            found.extend(self.view.place_of(standing.cluster, &object, false).map(|(at, _)| at));
        }
        found
    }

    fn standings(&self, at: &DocRef, placed: &Placed) -> Vec<crate::view::Standing> {
        let mut all = self.view.standings(&at.path, &placed.document);
        all.retain(|it| it.strength > Strength::Guess);
        all
    }

    fn candidate(
        &self,
        from: &DocRef,
        at: &DocRef,
        target: Target,
        patch: bool,
        live: &[DocRef],
    ) -> Candidate {
        Candidate {
            at: at.clone(),
            target,
            patch,
            live: live.contains(at),
            nearness: self.nearness(&from.path, &at.path),
            in_common: in_common(&from.path, &at.path),
        }
    }

    /// Whether a document changes an object that another one is.
    pub(crate) fn is_patch(&self, at: &DocRef, placed: &Placed) -> bool {
        placed.document.role() == Role::Patch || self.is_patch_file(&at.path)
    }

    /// Whether build files name a file as a patch, and none as a resource.
    pub(crate) fn is_patch_file(&self, path: &RepoPath) -> bool {
        let includers = self.catalog().naming_path(path);
        let mut patch = false;
        for at in includers {
            let Some(placed) = self.document(at) else { continue };
            let Some(dir) = mention::build_folder(&at.path, &placed.document) else { continue };
            let as_patch =
                build_file::patches(&dir, &placed.document).iter().any(|it| it.file.as_ref() == Some(path));
            if !as_patch {
                return false;
            }
            patch = true;
        }
        patch
    }

    /// Whether build files name a file, and none as a resource: a patch, what a generator reads, a configuration.
    pub(crate) fn is_input(&self, path: &RepoPath) -> bool {
        const RESOURCES: &[&str] = &["resources", "bases", "components", "crds"];
        let mut named = false;
        for at in self.catalog().naming_path(path) {
            let Some(placed) = self.document(at) else { continue };
            let Some(dir) = mention::build_folder(&at.path, &placed.document) else { continue };
            let Some(root) = &placed.document.root else { continue };
            let items = RESOURCES.iter().flat_map(|list| build_file::items(root, list));
            if items.filter_map(|it| dir.join(it.as_str()?)).any(|it| it == *path) {
                return false;
            }
            named = true;
        }
        named
    }

    /// Objects that a pattern takes, in the build that the document belongs to.
    pub(crate) fn matching(&self, from: &DocRef, pattern: &Pattern) -> Vec<Target> {
        let Some(matcher) = pattern.compile() else { return Vec::new() };
        let builds = if pattern.everywhere { Vec::new() } else { self.builds_shaped_by(from) };
        let inside = |path: &RepoPath| pattern.everywhere || builds.iter().any(|it| it.reads(path));
        let all: Vec<&DocRef> = match pattern.literal() {
            Some((kind, name)) => self.catalog().named(kind, &name).collect(),
            None => {
                let of_kind = self.catalog().of_kind(pattern.kind.as_deref());
                of_kind.filter(|(kind, name, _)| matcher.takes_name(kind, name)).map(|it| it.2).collect()
            }
        };
        let mut candidates = Vec::new();
        for at in all.into_iter().filter(|at| inside(&at.path)).take(MANY) {
            let Some(placed) = self.document(at) else { continue };
            if self.is_patch(at, &placed) {
                continue;
            }
            for (identity, range) in mention::objects(&placed).into_iter().filter(|it| matcher.takes(it.0)) {
                let target = self.target(at, &placed, range, identity.name_range);
                candidates.push(self.candidate(from, at, target, false, &[]));
            }
        }
        best(candidates)
    }

    /// The builds that the patches of a document work on.
    pub(crate) fn builds_shaped_by(&self, at: &DocRef) -> Vec<Arc<Covered>> {
        let Some(placed) = self.document(at) else { return Vec::new() };
        let tree = self.view.inputs.repo.tree;
        let of_folder = |dir: RepoPath| self.index().covered(tree, &BuildKey::folder(None, dir));
        if let Some(dir) = mention::build_folder(&at.path, &placed.document) {
            let mut builds = vec![of_folder(dir)];
            // What a component patches is made by the build that includes it.
            if build_file::is_component(&placed.document) {
                builds.extend(self.above(&at.path).builds.iter().filter_map(|it| it.parent()).map(of_folder));
                for applier in &self.above(&at.path).appliers {
                    builds.extend(self.builds_shaped_by(applier));
                }
            }
            return builds;
        }
        let paths =
            mention::mentions(&at.path, &placed.document).into_iter().filter_map(|it| match it.what {
                What::InSource(path) if path.wanted == Wanted::Build => Some(path),
                _ => None,
            });
        let build = |path: InSource| match self.root_of(at, path.source.as_ref()) {
            Root::Here => Some(of_folder(path.path)),
            Root::Untold if !path.path.is_root() => Some(of_folder(path.path)),
            Root::Copied(copies) => {
                let key = BuildKey::folder(Some(copies), path.path);
                Some(self.index().covered(tree, &key))
            }
            Root::Untold | Root::Elsewhere => None,
        };
        paths.filter_map(build).collect()
    }

    /// Where a source that a document names has its root. The live object knows best.
    pub(crate) fn root_of(&self, at: &DocRef, source: Option<&Named>) -> Root {
        if let Some(live) = self.live_root(at) {
            return live;
        }
        let Some(source) = source else { return Root::Here };
        match source.kind.as_str() {
            "GitRepository" => match self.git_repository(source) {
                // A clone whose remotes are none of the sources' (a fork, a copy) says nothing.
                Some(false) if self.some_source_is_ours() => Root::Elsewhere,
                _ => Root::Here,
            },
            "ExternalArtifact" => self.copies_of(at, source).unwrap_or(Root::Untold),
            _ => Root::Untold,
        }
    }

    /// What the build of the live Kustomization begins with.
    fn live_root(&self, at: &DocRef) -> Option<Root> {
        let placed = self.document(at)?;
        let (kind, _) = flux_object(&placed.document)?;
        if kind != Kind::Kustomization {
            return None;
        }
        let mut found = None;
        for standing in self.standings(at, &placed) {
            let deliveries = &self.view.derived[standing.cluster].binding.deliveries;
            let root = match deliveries.of(&standing.object).map(|(_, it)| &it.from) {
                Some(From::Build(key)) => key.copies.clone().map_or(Root::Here, Root::Copied),
                Some(From::Somewhere(_)) => Root::Untold,
                None => continue,
            };
            found = Some(root);
        }
        found
    }

    /// Whether a source is this repository, where its documents tell. What is nearest is not asked here: that is
    /// found by the sources of those that apply it.
    fn git_repository(&self, source: &Named) -> Option<bool> {
        let remotes = self.view.inputs.repo.remotes;
        let urls = self.catalog().named("GitRepository", &source.name).filter_map(|at| {
            let placed = self.document(at)?;
            placed.document.scalar("spec.url").map(|it| remotes.is_ours(it))
        });
        urls.reduce(|a, b| a || b)
    }

    /// What the documents that may be a GitRepository leave out of its artifact, in the order of paths.
    pub(super) fn ignores_of(&self, name: &str) -> Vec<Arc<str>> {
        let mut found: Vec<Arc<str>> = Vec::new();
        for at in self.catalog().named("GitRepository", name) {
            let Some(placed) = self.document(at) else { continue };
            let ignore: Arc<str> = placed.document.scalar("spec.ignore").unwrap_or_default().into();
            if !found.contains(&ignore) {
                found.push(ignore);
            }
        }
        found
    }

    fn some_source_is_ours(&self) -> bool {
        *self.has_own_source.get_or_init(|| {
            self.catalog().of_kind(Some("GitRepository")).any(|(_, _, at)| {
                let url = self.document(at).and_then(|it| it.document.scalar("spec.url").map(str::to_owned));
                url.is_some_and(|it| self.view.inputs.repo.remotes.is_ours(&it))
            })
        })
    }

    /// The rules by which an ArtifactGenerator of this repository copies an artifact together.
    fn copies_of(&self, at: &DocRef, artifact: &Named) -> Option<Root> {
        let is_one = |it: &&DocRef| {
            self.document(it).is_some_and(|it| it.document.scalar("kind") == Some("ArtifactGenerator"))
        };
        let generators = self.catalog().named("ExternalArtifact", &artifact.name).filter(is_one);
        let generator = generators.max_by_key(|it| in_common(&it.path, &at.path))?;
        let placed = self.document(generator)?;
        let value = manifests::value::of_document(&generator.path, generator.index, &placed)?;
        let spec = json(value.get("spec")?, 32);
        let sources = spec.get("sources").and_then(Value::as_array).cloned().unwrap_or_default();
        let ours = |alias: &str| {
            let text = |it: &Value, key: &str| it.get(key).and_then(Value::as_str).map(str::to_owned);
            let source = sources.iter().find(|it| text(it, "alias").as_deref() == Some(alias));
            let (kind, name) = source.and_then(|it| text(it, "kind").zip(text(it, "name")))?;
            let named = Named::new(&kind, &name, None);
            // From generator to generator may be a circle.
            let is_ours = kind == "GitRepository"
                && !(self.git_repository(&named) == Some(false) && self.some_source_is_ours());
            is_ours.then(|| Some(self.ignores_of(&named.name).into_iter().next().unwrap_or_default()))
        };
        Some(
            Copies::read(&spec, &artifact.name, ours)
                .map_or(Root::Elsewhere, |it| Root::Copied(Arc::new(it))),
        )
    }

    /// A path in what a source holds.
    fn in_source(&self, at: &DocRef, path: &InSource) -> Vec<Target> {
        let tree = self.view.inputs.repo.tree;
        match self.root_of(at, path.source.as_ref()) {
            Root::Elsewhere => Vec::new(),
            Root::Untold if path.path.is_root() => Vec::new(),
            Root::Here | Root::Untold => self.folder(&path.path, path.wanted),
            Root::Copied(copies) => {
                let artifact = copies.artifact(tree);
                if let Some(file) = kustomize::build_file(&artifact, &path.path) {
                    return vec![Target::top(manifests::Tree::written_at(&artifact, &file))];
                }
                let key = BuildKey::folder(Some(copies), path.path.clone());
                self.index().covered(tree, &key).holding_in_order().into_iter().map(Target::top).collect()
            }
        }
    }

    /// A folder of this repository, as far as an editor can open it.
    fn folder(&self, path: &RepoPath, wanted: Wanted) -> Vec<Target> {
        match (wanted, self.kind(path)) {
            (Wanted::Anything, Some(FileKind::File)) => vec![Target::top(path.clone())],
            (Wanted::Chart, Some(FileKind::Directory)) => {
                let chart = path.join("Chart.yaml");
                chart
                    .filter(|it| self.kind(it) == Some(FileKind::File))
                    .map(Target::top)
                    .into_iter()
                    .collect()
            }
            (Wanted::Build | Wanted::Anything, Some(FileKind::Directory)) => {
                if let Some(file) = self.build_file_on_disk(path) {
                    return vec![Target::top(file)];
                }
                let key = BuildKey::folder(None, path.clone());
                let covered = self.index().covered(self.view.inputs.repo.tree, &key);
                let all = covered.holding_in_order();
                all.into_iter().filter(|it| it.starts_with(path)).take(MANY).map(Target::top).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A file, or the kustomization.yaml of a folder.
    pub(crate) fn file_or_build(&self, path: &RepoPath) -> Option<Target> {
        match self.kind(path)? {
            FileKind::File => Some(Target::top(path.clone())),
            FileKind::Directory => self.build_file_on_disk(path).map(Target::top),
            FileKind::Symlink | FileKind::Other => None,
        }
    }

    fn build_file_on_disk(&self, folder: &RepoPath) -> Option<RepoPath> {
        let names = kustomize::KUSTOMIZATION_NAMES.into_iter().filter_map(|it| folder.join(it));
        names.into_iter().find(|it| self.kind(it) == Some(FileKind::File))
    }

    pub(crate) fn target(
        &self,
        at: &DocRef,
        placed: &Placed,
        range: TextRange,
        name_range: TextRange,
    ) -> Target {
        let name_range = placed.in_file(name_range);
        Target { path: at.path.clone(), range: placed.in_file(range).cover(name_range), name_range }
    }

    /// The documents that a patch changes, told by its own identity and by what build files say of its file.
    pub(crate) fn patched(&self, at: &DocRef, identity: &Identity) -> Vec<Target> {
        let mut found = Vec::new();
        for build in self.includers(&at.path) {
            let Some(file) = self.file(&build) else { continue };
            for (index, placed) in file.documents().iter().enumerate() {
                let from = DocRef { path: build.clone(), index };
                for patch in mention::patches(&build, &placed.document) {
                    if patch.file.as_ref() != Some(&at.path) {
                        continue;
                    }
                    let pattern = patch.target.map_or_else(|| Pattern::of_patch(identity), |it| it.0);
                    if !pattern.is_empty() {
                        found.extend(self.matching(&from, &pattern));
                    }
                }
            }
        }
        if found.is_empty() {
            // A patch without a build file that says so, of an object found by its name.
            let mut named = Named::new(&identity.kind, &identity.name, identity.namespace.as_deref());
            named.group = Some(identity.group.clone());
            found = self.objects(at, &named);
            found.retain(|it| it.path != at.path);
        }
        found
    }
}

/// The likeliest first; what is known to be in another cluster not at all, where something is in the same.
fn best(mut all: Vec<Candidate>) -> Vec<Target> {
    if all.iter().any(|it| !it.patch) {
        all.retain(|it| !it.patch);
    }
    if all.iter().any(|it| it.live || it.nearness < Nearness::Apart) {
        all.retain(|it| it.live || it.nearness < Nearness::Apart);
    }
    let rank = |it: &Candidate| (!it.live, it.nearness, std::cmp::Reverse(it.in_common));
    all.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.at.cmp(&b.at)));
    let mut targets: Vec<Target> = Vec::new();
    for it in all {
        if !targets.contains(&it.target) {
            targets.push(it.target);
        }
    }
    targets
}

/// How many parts two paths begin with alike.
fn in_common(a: &RepoPath, b: &RepoPath) -> usize {
    a.parts().zip(b.parts()).take_while(|(a, b)| a == b).count()
}
