//! Builds of the files that somebody works on, kept from one keystroke to the next while nothing that they read has changed.

use manifests::kustomize::Build;
use manifests::{RepoPath, Tree, Value};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::index::RepoIndex;
use crate::json;

/// A build: what its root is made of, the folder, and the spec of the Flux Kustomization that builds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct BuildKey {
    pub(crate) copies: Option<Arc<crate::copies::Copies>>,
    /// The `spec.ignore` of the source; nothing for the repository as it is, without even what sources always leave out.
    pub(crate) ignore: Option<Arc<str>>,
    pub(crate) dir: RepoPath,
    /// Folders that the Kustomization itself is applied from, the nearest first: of several ConfigMaps of one name, which
    /// each cluster's folder may have, the one beside it counts.
    pub(crate) near: Arc<[RepoPath]>,
    /// As JSON: most of it shapes what is built.
    pub(crate) spec: Arc<str>,
}

/// How deep a spec is told as JSON.
const SPEC_DEPTH: u32 = 64;

impl BuildKey {
    /// The build of a folder as it is, without a Flux Kustomization.
    pub(crate) fn folder(copies: Option<Arc<crate::copies::Copies>>, dir: RepoPath) -> BuildKey {
        BuildKey { copies, ignore: None, near: [].into(), dir, spec: "{}".into() }
    }

    /// The same build with another spec.
    pub(crate) fn with_spec(&self, spec: &Value) -> BuildKey {
        BuildKey { spec: json::json(spec, SPEC_DEPTH).to_string().into(), ..self.clone() }
    }

    /// The spec, without places.
    pub(crate) fn spec(&self) -> Arc<Value> {
        serde_json::from_str(&self.spec).map_or_else(|_| Value::empty(), |it| json::from_json(&it)).into()
    }
}

/// Which of the files that somebody works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Working {
    /// As they are in front of the user.
    Buffers,
    /// As they are saved.
    Saved,
}

/// The last builds with their content, the newest first.
#[derive(Default)]
pub(crate) struct KeptBuilds(Mutex<VecDeque<Kept>>);

/// A build with its content.
struct Kept {
    of: Working,
    /// Its own spec is `spec`: that has places, where a text holds it.
    key: BuildKey,
    spec: Arc<Value>,
    read: Vec<Read>,
    build: Arc<Build>,
    more: Arc<[RepoPath]>,
}

/// A file that was read for a build, as it was.
struct Read {
    path: RepoPath,
    version: u64,
    /// What was saved of it: versions are of what is in front of the user.
    saved: Option<Arc<str>>,
}

/// How many are kept with content: a keystroke asks for the build that it changes, and for those of the Kustomizations
/// above, in each cluster, as typed and as saved.
const KEPT: usize = 24;

impl RepoIndex {
    /// [`RepoIndex::build`], if it was not made before of the same files.
    pub(crate) fn build_now(
        &self,
        of: Working,
        tree: &dyn Tree,
        key: &BuildKey,
        spec: &Arc<Value>,
    ) -> (Arc<Build>, Arc<[RepoPath]>) {
        let is_asked = |it: &Kept| {
            it.of == of
                && (&it.key.dir, &it.key.ignore, &it.key.copies, &it.key.near)
                    == (&key.dir, &key.ignore, &key.copies, &key.near)
                && (Arc::ptr_eq(&it.spec, spec) || it.spec == *spec)
        };
        let known = {
            let mut kept = self.kept().locked();
            kept.iter().position(is_asked).and_then(|at| kept.remove(at))
        };
        // Not under the lock: reading a tree may be slow, and two threads finding the same is harmless.
        if let Some(known) = known.filter(|it| it.is_current(self, tree)) {
            let answer = (Arc::clone(&known.build), Arc::clone(&known.more));
            self.kept().locked().push_front(known);
            return answer;
        }
        let (build, more) = self.build(tree, key, spec);
        let (build, more): (_, Arc<[RepoPath]>) = (Arc::new(build), more.into());
        let read = build.files.keys().chain(more.iter()).map(|path| Read {
            version: self.version(path),
            saved: (of == Working::Saved).then(|| tree.read(path)).flatten(),
            path: path.clone(),
        });
        let new = Kept {
            of,
            key: key.clone(),
            spec: Arc::clone(spec),
            read: read.collect(),
            build: Arc::clone(&build),
            more: Arc::clone(&more),
        };
        let mut kept = self.kept().locked();
        kept.push_front(new);
        kept.truncate(KEPT);
        (build, more)
    }
}

impl Kept {
    fn is_current(&self, index: &RepoIndex, tree: &dyn Tree) -> bool {
        let is_same = |it: &Read| {
            index.version(&it.path) == it.version
                // What is typed changes the version, and nothing that is saved.
                || (self.of == Working::Saved && it.saved.is_some() && tree.read(&it.path) == it.saved)
        };
        self.read.iter().all(is_same)
    }
}

impl KeptBuilds {
    fn locked(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
