//! What history answers, and what is still wanted of it.

use flux::Kind;
use jiff::Timestamp;
use manifests::{ParsedFile, RepoPath};
use std::collections::{BTreeMap, BTreeSet};

/// Answers from history, as far as the caller has them. Analysis never asks: what it misses it lists in
/// [`Lacks`], the caller looks it up, notes it here and analyses again.
#[derive(Clone, Default)]
pub struct Past {
    commits: BTreeMap<String, Answer<Commit>>,
    files: BTreeMap<(String, RepoPath), Answer<Option<ParsedFile>>>,
}

/// What one question to history came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// The commit is not in this clone (not fetched, shallow, another repository). Says nothing about order.
    NotInThisClone,
    /// Here it is.
    Known(T),
}

/// What people recognise a commit by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The first line of the message.
    pub subject: String,
    /// When it was committed.
    pub time: Timestamp,
}

impl Past {
    /// Notes a commit, by its full hash as the revision has it.
    pub fn note_commit(&mut self, hash: impl Into<String>, answer: Answer<Commit>) {
        self.commits.insert(hash.into(), answer);
    }

    /// Notes a file as it was at a commit; `Known(None)` when it was not there.
    pub fn note_file(
        &mut self,
        commit: impl Into<String>,
        path: RepoPath,
        answer: Answer<Option<ParsedFile>>,
    ) {
        self.files.insert((commit.into(), path), answer);
    }

    /// Forgets that commits were missing: after a fetch they may be here.
    pub fn fetched(&mut self) {
        self.commits.retain(|_, answer| *answer != Answer::NotInThisClone);
        self.files.retain(|_, answer| !matches!(answer, Answer::NotInThisClone));
    }

    /// `None`: not asked yet.
    pub fn commit(&self, hash: &str) -> Option<&Answer<Commit>> {
        self.commits.get(hash)
    }

    /// `None`: not asked yet.
    pub fn file(&self, commit: &str, path: &RepoPath) -> Option<&Answer<Option<ParsedFile>>> {
        self.files.get(&(commit.to_owned(), path.clone()))
    }
}

/// What an answer would have been better with. The caller looks these up and asks again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lacks {
    /// Commits, by hash: [`Past::note_commit`].
    pub commits: BTreeSet<String>,
    /// Files at commits: [`Past::note_file`].
    pub files: BTreeSet<(String, RepoPath)>,
    /// Rights, as (cluster key, kind, namespace): [`crate::Rights::note`].
    pub rights: BTreeSet<(String, Kind, String)>,
}

impl Lacks {
    /// Whether nothing is lacking.
    pub fn is_empty(&self) -> bool {
        self.commits.is_empty() && self.files.is_empty() && self.rights.is_empty()
    }

    /// Adds what another answer lacks.
    pub fn merge(&mut self, other: Lacks) {
        self.commits.extend(other.commits);
        self.files.extend(other.files);
        self.rights.extend(other.rights);
    }
}
