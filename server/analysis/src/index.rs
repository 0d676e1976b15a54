//! The Flux objects in a repository's files, and which files a folder's build reads.

use flux::Kind;
use imbl::{OrdMap, OrdSet};
use manifests::kustomize::{self, Reach, Use};
use manifests::{Document, FieldPath, Identity, ParsedFile, Placed, RepoPath, Role, Tree};
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::navigation::Catalog;

/// An index of one repository. Cloning is cheap: clone it for a task, go on changing the original.
///
/// The caller tells every YAML file, when it appears, changes and goes ([`RepoIndex::set`]); the index keeps those
/// that hold Flux objects.
#[derive(Clone, Default)]
pub struct RepoIndex {
    files: OrdMap<RepoPath, Option<ParsedFile>>,
    objects: OrdSet<(Kind, Arc<str>, DocRef)>,
    catalog: Catalog,
    /// Replaced with every change: what was derived from another stamp is out of date.
    stamp: Arc<()>,
    /// Replaced with every change that a build could see (a file comes or goes, a build file changes).
    builds: Arc<Builds>,
}

/// A document of the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocRef {
    /// Its file.
    pub path: RepoPath,
    /// Its place among the file's documents.
    pub index: usize,
}

/// What builds were found to read, each looked up once.
#[derive(Default)]
pub(crate) struct Builds(Mutex<HashMap<BuildKey, Arc<Covered>>>);

/// A build: what its root is made of, the folder, and components that a Flux Kustomization adds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct BuildKey {
    pub(crate) copies: Option<Arc<crate::copies::Copies>>,
    pub(crate) dir: RepoPath,
    pub(crate) components: Vec<String>,
}

/// The files that a build reads, under the names they have in this repository.
#[derive(Debug, Default)]
pub(crate) struct Covered {
    files: HashMap<RepoPath, FileUse>,
    /// What the build reads and we cannot, in sentences.
    pub(crate) unknown: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileUse {
    Resource,
    Patch,
    Other,
}

impl Covered {
    pub(crate) fn is_patch(&self, path: &RepoPath) -> bool {
        self.files.get(path) == Some(&FileUse::Patch)
    }

    /// Whether the build reads a file, as whatever.
    pub(crate) fn reads(&self, path: &RepoPath) -> bool {
        self.files.contains_key(path)
    }

    /// [`holding`](Self::holding), in the order of paths.
    pub(crate) fn holding_in_order(&self) -> Vec<RepoPath> {
        let mut files: Vec<RepoPath> = self.holding().cloned().collect();
        files.sort();
        files
    }

    /// Files that become objects or patches of objects.
    pub(crate) fn holding(&self) -> impl Iterator<Item = &RepoPath> {
        self.files
            .iter()
            .filter(|(_, it)| matches!(it, FileUse::Resource | FileUse::Patch))
            .map(|(path, _)| path)
    }
}

impl RepoIndex {
    /// An empty index.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells a YAML file as it is now, or (with `None`) that it is gone.
    pub fn set(&mut self, path: &RepoPath, file: Option<ParsedFile>) {
        let old = self.files.get(path).cloned();
        let builds = match (&old, &file) {
            (None, None) => return,
            (Some(old), Some(_)) => old.is_some() && is_build_file(path),
            _ => true,
        };
        self.catalog.set(path, file.as_ref());
        if let Some(Some(old)) = old {
            for (kind, name, at) in flux_documents(path, &old) {
                self.objects.remove(&(kind, name, at));
            }
        }
        match file {
            Some(file) => {
                for entry in flux_documents(path, &file) {
                    self.objects.insert(entry);
                }
                // A build file is kept only to notice that it changes: what it says is read from the tree.
                let keep = is_build_file(path) || flux_documents(path, &file).next().is_some();
                self.files.insert(path.clone(), keep.then_some(file));
            }
            None => {
                self.files.remove(path);
            }
        }
        self.stamp = Arc::default();
        if builds {
            self.builds = Arc::default();
        }
    }

    /// A file that holds Flux objects (or is a build file), as it was told last.
    pub fn file(&self, path: &RepoPath) -> Option<&ParsedFile> {
        self.files.get(path)?.as_ref()
    }

    /// Whether a file was told.
    pub(crate) fn knows(&self, path: &RepoPath) -> bool {
        self.files.contains_key(path)
    }

    /// Names and mentions of all files.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Files that hold Flux objects, in order.
    pub fn flux_files(&self) -> Vec<RepoPath> {
        let mut files: Vec<RepoPath> = self.objects.iter().map(|(_, _, at)| at.path.clone()).collect();
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

    /// What a build reads; looked up once for each state of the repository's build files.
    pub(crate) fn covered(&self, tree: &dyn Tree, key: &BuildKey) -> Arc<Covered> {
        if let Some(known) = self.builds.0.lock().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Arc::clone(known);
        }
        // Not under the lock: reading a tree may be slow, and two threads finding the same is harmless.
        let covered = Arc::new(build(tree, key));
        let mut known = self.builds.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(key.clone()).or_insert(covered))
    }
}

fn build(tree: &dyn Tree, key: &BuildKey) -> Covered {
    let components: Vec<&str> = key.components.iter().map(String::as_str).collect();
    match &key.copies {
        None => covered(kustomize::reach_with(tree, &key.dir, &components), |path| Some(path.clone())),
        Some(copies) => {
            let artifact = copies.artifact(tree);
            covered(kustomize::reach_with(&artifact, &key.dir, &components), |path| {
                artifact.origin(path).cloned()
            })
        }
    }
}

fn covered(reach: Reach, origin: impl Fn(&RepoPath) -> Option<RepoPath>) -> Covered {
    let mut files = HashMap::new();
    for path in &reach.files {
        let Some(own) = origin(path) else { continue };
        let uses = reach.uses.get(path);
        let is = |what: Use| uses.is_some_and(|uses| uses.contains(&what));
        let kind = if is(Use::Resource) {
            FileUse::Resource
        } else if is(Use::Patch) {
            FileUse::Patch
        } else {
            FileUse::Other
        };
        files.insert(own, kind);
    }
    Covered { files, unknown: reach.unknown.iter().map(|it| it.why.to_string()).collect() }
}

fn is_build_file(path: &RepoPath) -> bool {
    kustomize::is_kustomization_name(path.file_name())
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
