//! The repository as it is in front of the user, on the disk, and at commits: each is a tree of files in which the same is
//! built.

use manifests::{RepoPath, Tree};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use manifests::kustomize::Build;

use crate::kept::BuildKey;
use crate::memo::Memo;
use crate::past::{Answer, CommitFiles};
use crate::view::View;

/// One state of the repository's files.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Version {
    /// In front of the user.
    Buffer,
    /// As saved.
    Saved,
    /// At a commit, by its full hash.
    Commit(Arc<str>),
}

impl Version {
    pub(crate) fn of(commit: &str) -> Version {
        Version::Commit(commit.into())
    }

    pub(crate) fn commit(&self) -> Option<&str> {
        match self {
            Self::Commit(hash) => Some(hash),
            Self::Buffer | Self::Saved => None,
        }
    }
}

impl<'a> View<'a> {
    /// The files of a version; `None` for a commit that is not in this clone, or was not looked up yet.
    pub(crate) fn tree_in(&self, version: &Version) -> Option<&'a dyn Tree> {
        let repo = &self.inputs.repo;
        match version {
            Version::Buffer => Some(repo.tree),
            Version::Saved => Some(repo.saved.unwrap_or(repo.tree)),
            Version::Commit(hash) => {
                let files: &'a dyn Tree = &**self.files_at(hash)?;
                Some(files)
            }
        }
    }

    /// The files of a commit; asks for them if nobody did.
    pub(crate) fn files_at(&self, hash: &str) -> Option<&'a Arc<dyn CommitFiles>> {
        match self.commit(hash) {
            Some(Answer::Known(commit)) => Some(&commit.files),
            Some(Answer::NotInThisClone(_)) | None => None,
        }
    }

    /// Whether a version is not wholly here: a commit that is missing, or that a partial clone has not all files of.
    pub(crate) fn is_incomplete(&self, version: &Version) -> bool {
        version.commit().is_some_and(|it| self.files_at(it).is_none_or(|it| it.is_incomplete()))
    }

    /// Whether two versions are known to hold the same files.
    pub(crate) fn are_one(&self, a: &Version, b: &Version) -> bool {
        match (a, b) {
            (Version::Buffer | Version::Saved, Version::Buffer | Version::Saved) => {
                a == b || self.inputs.repo.saved.is_none()
            }
            (Version::Commit(a), Version::Commit(b)) => {
                a == b
                    || match (self.files_at(a), self.files_at(b)) {
                        (Some(a), Some(b)) => a.id() == b.id(),
                        _ => false,
                    }
            }
            _ => false,
        }
    }
}

/// What was built from commits. Files of commits never change, so this is kept while texts and facts come and go.
#[derive(Default)]
pub(crate) struct PastBuilds(Mutex<HashMap<PastBuild, Arc<Build>>>);

/// The files of a commit, by their id, what is built of them, and where its variables were looked for.
type PastBuild = (Arc<str>, BuildKey, Vec<RepoPath>);

/// How many builds are kept: those of a handful of Kustomizations at a handful of commits.
const KEPT: usize = 64;

impl Memo {
    /// A build of a commit's files. One that lacks what a partial clone left out is not kept: whoever gets it has to see
    /// that it is incomplete, and that is told by the files that were read for it.
    pub(crate) fn past_build(
        &self,
        files: &dyn CommitFiles,
        key: &BuildKey,
        maps: Vec<RepoPath>,
        build: impl FnOnce() -> Build,
    ) -> Arc<Build> {
        let key = (Arc::from(files.id()), key.clone(), maps);
        let known = &self.past_builds.0;
        if let Some(known) = known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(known);
        }
        let build = Arc::new(build());
        if files.is_incomplete() {
            return build;
        }
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(key, Arc::clone(&build));
        build
    }
}
