//! Upwards: which build files and Flux Kustomizations a file ends up in.

use flux::Kind;
use manifests::{Placed, RepoPath, SourceTree, kustomize};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use super::mention::{self, InSource, What};
use super::resolve::Root;
use super::{CopiedBuilds, Navigator, build_file};
use crate::index::{DocRef, flux_object};
use crate::kept::BuildKey;

/// What a file ends up in.
#[derive(Debug, Default)]
pub(crate) struct Above {
    /// Build files that include it, through however many others.
    pub(crate) builds: BTreeSet<RepoPath>,
    /// Flux Kustomizations whose build reads it.
    pub(crate) appliers: BTreeSet<DocRef>,
    /// The same, and what those end up in: who applies the appliers, up to the root of a cluster.
    all: BTreeSet<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Build(RepoPath),
    Applier(DocRef),
}

/// How near two files are, nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Nearness {
    SameFile,
    /// One build reads both.
    SameBuild,
    /// Builds read them that one build leads to.
    SameCluster,
    /// Nothing is known to read both.
    Apart,
}

impl Navigator<'_> {
    /// What a file ends up in; looked up once.
    pub(crate) fn above(&self, file: &RepoPath) -> Rc<Above> {
        if let Some(known) = self.above.borrow().get(file) {
            return Rc::clone(known);
        }
        let mut above = Above::default();
        let mut seen: BTreeSet<(RepoPath, bool)> = BTreeSet::new();
        let whole = file;
        // Files to look at, and whether a Flux Kustomization lies between them and the file.
        let mut open = vec![(file.clone(), false)];
        while let Some((file, crossed)) = open.pop() {
            if !seen.insert((file.clone(), crossed)) {
                continue;
            }
            for build in self.includers(&file) {
                above.all.insert(Place::Build(build.clone()));
                if !crossed {
                    above.builds.insert(build.clone());
                }
                open.push((build, crossed));
            }
            for applier in self.direct_appliers(&file, if crossed { &file } else { whole }) {
                above.all.insert(Place::Applier(applier.clone()));
                if !crossed {
                    above.appliers.insert(applier.clone());
                }
                open.push((applier.path, true));
            }
        }
        let above = Rc::new(above);
        self.above.borrow_mut().insert(file.clone(), Rc::clone(&above));
        above
    }

    /// How near a file is to another one.
    pub(crate) fn nearness(&self, from: &RepoPath, to: &RepoPath) -> Nearness {
        if from == to {
            return Nearness::SameFile;
        }
        let (a, b) = (self.above(from), self.above(to));
        let own = |it: &Above, file: &RepoPath, other: &RepoPath| {
            it.builds.contains(other) || it.appliers.iter().any(|at| at.path == *other) && file != other
        };
        if !a.builds.is_disjoint(&b.builds)
            || !a.appliers.is_disjoint(&b.appliers)
            || own(&a, from, to)
            || own(&b, to, from)
        {
            return Nearness::SameBuild;
        }
        let leads = |it: &Above, other: &RepoPath| {
            it.all.iter().any(|place| match place {
                Place::Build(path) => path == other,
                Place::Applier(at) => at.path == *other,
            })
        };
        if !a.all.is_disjoint(&b.all) || leads(&a, to) || leads(&b, from) {
            return Nearness::SameCluster;
        }
        Nearness::Apart
    }

    /// Build files that name a file, or (for a build file) its folder.
    pub(crate) fn includers(&self, file: &RepoPath) -> Vec<RepoPath> {
        let catalog = self.catalog();
        let folder = if is_build_file(file) { file.parent() } else { None };
        let by_folder = folder.iter().flat_map(|it| catalog.naming_path(it));
        let all = catalog.naming_path(file).chain(by_folder).filter(|at| is_build_file(&at.path));
        let mut found: Vec<RepoPath> =
            all.filter(|at| self.is_build(at)).map(|at| at.path.clone()).filter(|it| it != file).collect();
        found.dedup();
        found
    }

    /// Whether a document is what its file builds (and no Flux object in a file of that name).
    fn is_build(&self, at: &DocRef) -> bool {
        self.document(at).is_some_and(|it| mention::build_folder(&at.path, &it.document).is_some())
    }

    /// Flux Kustomizations whose build begins with this file: its folder's build file, or a file of a folder without.
    /// A source that leaves out the file at which the question began (`of`) does not bring it there.
    fn direct_appliers(&self, file: &RepoPath, of: &RepoPath) -> Vec<DocRef> {
        let mut found = Vec::new();
        let mut folder = file.parent();
        if is_build_file(file) {
            if let Some(own) = &folder {
                found.extend(self.appliers_of(own, &[file, of]));
            }
            folder = folder.and_then(|it| it.parent());
        }
        // A folder without a build file is read with all that is below it.
        while let Some(it) = folder.filter(|it| !self.has_build_file(it)) {
            found.extend(self.appliers_of(&it, &[file, of]));
            folder = it.parent();
        }
        let copied = self.copied();
        found.extend(copied.iter().filter(|(_, covered)| covered.reads(file)).map(|it| it.0.clone()));
        found.extend(self.live_appliers(file));
        found.sort();
        found.dedup();
        found
    }

    /// Documents of Flux Kustomizations (or of what makes one) whose path is this folder of this repository, and whose
    /// source leaves out none of these files.
    fn appliers_of(&self, folder: &RepoPath, files: &[&RepoPath]) -> Vec<DocRef> {
        let is_one = |at: &&DocRef| {
            let Some(placed) = self.document(at) else { return false };
            let is_applier = flux_object(&placed.document)
                .is_some_and(|(kind, _)| matches!(kind, Kind::Kustomization | Kind::FluxInstance));
            is_applier
                && self.builds_of(at, &placed).iter().any(|path| {
                    path.path == *folder && self.is_here(at, path) && !self.leaves_out(path, files)
                })
        };
        self.catalog().naming_path(folder).filter(is_one).cloned().collect()
    }

    /// The folders that a Flux object builds: its path and its components.
    fn builds_of(&self, at: &DocRef, placed: &Placed) -> Vec<InSource> {
        let all = mention::mentions(&at.path, &placed.document).into_iter();
        all.filter_map(|it| match it.what {
            What::InSource(path) if path.wanted == mention::Wanted::Build => Some(path),
            _ => None,
        })
        .collect()
    }

    fn is_here(&self, at: &DocRef, path: &InSource) -> bool {
        match self.root_of(at, path.source.as_ref()) {
            Root::Here => true,
            Root::Untold => !path.path.is_root(),
            Root::Copied(_) | Root::Elsewhere => false,
        }
    }

    /// Whether a source leaves any of these files out of its artifact, whichever of the documents of its name it is.
    fn leaves_out(&self, path: &InSource, files: &[&RepoPath]) -> bool {
        let Some(source) = path.source.as_ref().filter(|it| it.kind == "GitRepository") else { return false };
        let mut ignores = self.ignores_of(&source.name);
        if ignores.is_empty() {
            ignores.push(Arc::default());
        }
        let tree = self.view.inputs.repo.tree;
        ignores.iter().all(|it| {
            let artifact = SourceTree::new(tree, Some(it));
            files.iter().any(|file| artifact.left_out(file).is_some())
        })
    }

    /// Kustomizations whose source an ArtifactGenerator of this repository copies together, with what they read.
    fn copied(&self) -> Rc<CopiedBuilds> {
        if let Some(known) = self.copied.borrow().as_ref() {
            return Rc::clone(known);
        }
        // What is found on the way must not ask for this again.
        *self.copied.borrow_mut() = Some(Rc::default());
        let mut found = Vec::new();
        for at in self.catalog().naming_any("ExternalArtifact") {
            let Some(placed) = self.document(at) else { continue };
            for path in self.builds_of(at, &placed) {
                if let Root::Copied(copies) = self.root_of(at, path.source.as_ref()) {
                    let key = BuildKey::folder(Some(copies), path.path);
                    let covered = self.index().covered(self.view.inputs.repo.tree, &key);
                    found.push((at.clone(), covered));
                }
            }
        }
        let found = Rc::new(found);
        *self.copied.borrow_mut() = Some(Rc::clone(&found));
        found
    }

    /// Documents of live Kustomizations that apply a file.
    fn live_appliers(&self, file: &RepoPath) -> Vec<DocRef> {
        let mut found = Vec::new();
        for (cluster, derived) in self.view.derived.iter().enumerate() {
            for delivery in derived.binding.known_to_read(file) {
                if let Some((at, _)) = self.view.place_of(cluster, &delivery.kustomization.id, false) {
                    found.push(at);
                }
            }
        }
        found
    }

    /// Whether a folder has a kustomization.yaml.
    pub(crate) fn has_build_file(&self, folder: &RepoPath) -> bool {
        self.build_file(folder).is_some()
    }

    /// A folder's kustomization.yaml.
    pub(crate) fn build_file(&self, folder: &RepoPath) -> Option<RepoPath> {
        let named = kustomize::KUSTOMIZATION_NAMES.into_iter().filter_map(|name| folder.join(name));
        named.into_iter().find(|path| self.index().knows(path))
    }

    /// Whether a parent writes namespaces into what is in a file.
    pub(crate) fn namespace_is_set(&self, file: &RepoPath) -> bool {
        if let Some(known) = self.namespaced.borrow().get(file) {
            return *known;
        }
        let above = self.above(file);
        let by_build = |path: &RepoPath| {
            let parsed = self.file(path);
            parsed.is_some_and(|it| {
                it.documents().iter().any(|placed| build_file::namespace(&placed.document).is_some())
            })
        };
        let by_flux = |at: &DocRef| {
            self.document(at).is_some_and(|it| it.document.scalar("spec.targetNamespace").is_some())
        };
        let set = above.builds.iter().any(by_build) || above.appliers.iter().any(by_flux);
        self.namespaced.borrow_mut().insert(file.clone(), set);
        set
    }
}

pub(crate) fn is_build_file(path: &RepoPath) -> bool {
    kustomize::is_kustomization_name(path.file_name())
}

/// What was looked up for files while one question is answered.
pub(crate) type PerFile<T> = std::cell::RefCell<HashMap<RepoPath, T>>;
