//! What history answers, and what is still wanted of it.

use flux::Kind;
use jiff::Timestamp;
use manifests::{ParsedFile, RepoPath, Tree};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// Answers from history, as far as the caller has them. Analysis never asks: what it misses it lists in
/// [`Lacks`], the caller looks it up, notes it here and analyses again.
#[derive(Clone, Default)]
pub struct Past {
    commits: BTreeMap<String, Answer<Commit>>,
    bases: BTreeMap<(String, String), Answer<Option<String>>>,
    between: BTreeMap<Between, Touched>,
    logs: BTreeMap<Log, Logged>,
}

/// What one question to history came to.
#[derive(Debug, Clone)]
pub enum Answer<T> {
    /// The commit is not in this clone (not fetched, shallow, another repository). Says nothing about order. With what
    /// would bring it: a sentence, or nothing if nothing would.
    NotInThisClone(Option<Arc<str>>),
    /// Here it is.
    Known(T),
}

/// A commit: what people recognise it by, and its files.
#[derive(Clone)]
pub struct Commit {
    /// The first line of the message.
    pub subject: String,
    /// Who wrote it.
    pub author: String,
    /// When it was committed.
    pub time: Timestamp,
    /// Its files.
    pub files: Arc<dyn CommitFiles>,
}

/// A commit that is only told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The full hash.
    pub hash: String,
    /// The first line of the message.
    pub subject: String,
    /// Who wrote it.
    pub author: String,
    /// When it was committed.
    pub time: Timestamp,
}

/// The commits between two that touch something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Newest first.
    pub commits: Vec<LogEntry>,
    /// Why it ends where it does.
    pub end: LogEnd,
}

/// Why a list of commits ends where it does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LogEnd {
    /// There are no others.
    #[default]
    Whole,
    /// There are older ones.
    More,
    /// There may be older ones: nobody looked further.
    Unseen,
    /// There may be older ones beyond the end of this clone. With what would bring them, if anything would.
    CutOff(Option<Arc<str>>),
    /// History could not be read.
    Untold,
}

/// The files of a commit. They never change, so that what was made of them is kept by [`CommitFiles::id`].
pub trait CommitFiles: Tree + Send + Sync {
    /// The same for the same files.
    fn id(&self) -> &str;

    /// Whether something could not be read so far that should have been there: a partial clone left it out. Nothing
    /// follows then from what is absent.
    fn is_incomplete(&self) -> bool;
}

/// A question: the commits behind `from`, up to `to`, that touch any of the paths.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Between {
    /// The older commit.
    pub from: String,
    /// The newer commit.
    pub to: String,
    /// Files.
    pub paths: Vec<RepoPath>,
}

/// A question: the commits up to `to`, from the beginning, that touch any of the paths.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Log {
    /// The newest commit that counts.
    pub to: String,
    /// Files and folders.
    pub paths: Vec<RepoPath>,
}

/// What history answers to a [`Log`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Newest first.
    pub commits: Vec<LogEntry>,
    /// Whether these are all: neither too many, nor cut off by a shallow clone.
    pub whole: bool,
}

impl fmt::Debug for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commit").field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl<T> Answer<T> {
    /// The answer, if there is one.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(it) => Some(it),
            Self::NotInThisClone(_) => None,
        }
    }
}

impl Past {
    /// Notes a commit, by its full hash as the revision has it.
    pub fn note_commit(&mut self, hash: impl Into<String>, answer: Answer<Commit>) {
        self.commits.insert(hash.into(), answer);
    }

    /// Notes the newest commit that two commits have in common; `Known(None)` when they have none.
    pub fn note_base(&mut self, of: (String, String), answer: Answer<Option<String>>) {
        self.bases.insert(of, answer);
    }

    /// Notes the commits between two.
    pub fn note_between(&mut self, question: Between, log: Touched) {
        self.between.insert(question, log);
    }

    /// Notes the commits that touch some paths.
    pub fn note_log(&mut self, question: Log, answer: Logged) {
        self.logs.insert(question, answer);
    }

    /// Forgets that commits were missing: after a fetch they may be here.
    pub fn fetched(&mut self) {
        self.commits.retain(|_, answer| answer.known().is_some());
        self.bases.retain(|_, answer| answer.known().is_some());
        self.logs.retain(|_, answer| answer.whole);
        self.between.retain(|_, log| !matches!(log.end, LogEnd::CutOff(_) | LogEnd::Untold));
    }

    /// `None`: not asked yet.
    pub fn commit(&self, hash: &str) -> Option<&Answer<Commit>> {
        self.commits.get(hash)
    }

    /// `None`: not asked yet.
    pub(crate) fn base(&self, of: &(String, String)) -> Option<&Answer<Option<String>>> {
        self.bases.get(of)
    }

    /// `None`: not asked yet.
    pub(crate) fn between(&self, question: &Between) -> Option<&Touched> {
        self.between.get(question)
    }

    /// `None`: not asked yet.
    pub(crate) fn log(&self, question: &Log) -> Option<&Logged> {
        self.logs.get(question)
    }

    /// A file as it was at a commit; `Known(None)` if it was not there. `None`: not asked yet.
    pub(crate) fn file(&self, commit: &str, path: &RepoPath) -> Option<Answer<Option<ParsedFile>>> {
        Some(match self.commits.get(commit)? {
            Answer::NotInThisClone(bring) => Answer::NotInThisClone(bring.clone()),
            Answer::Known(commit) => match commit.files.parsed(path) {
                None if commit.files.is_incomplete() => Answer::NotInThisClone(None),
                file => Answer::Known(file),
            },
        })
    }
}

/// What an answer would have been better with. The caller looks these up and asks again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lacks {
    /// Commits, by hash: [`Past::note_commit`].
    pub commits: BTreeSet<String>,
    /// The newest commits that two have in common: [`Past::note_base`].
    pub bases: BTreeSet<(String, String)>,
    /// The commits between two: [`Past::note_between`].
    pub between: BTreeSet<Between>,
    /// The commits that touch some paths: [`Past::note_log`].
    pub logs: BTreeSet<Log>,
    /// Rights, as (cluster key, kind, namespace): [`crate::Rights::note`].
    pub rights: BTreeSet<(String, Kind, String)>,
}

impl Lacks {
    /// Whether nothing is lacking.
    pub fn is_empty(&self) -> bool {
        self.rights.is_empty() && !self.wants_history()
    }

    /// Whether history has something to answer.
    pub fn wants_history(&self) -> bool {
        !(self.commits.is_empty() && self.bases.is_empty() && self.between.is_empty() && self.logs.is_empty())
    }

    /// Adds what another answer lacks.
    pub fn merge(&mut self, other: Lacks) {
        self.commits.extend(other.commits);
        self.bases.extend(other.bases);
        self.between.extend(other.between);
        self.logs.extend(other.logs);
        self.rights.extend(other.rights);
    }

    /// Takes away what was asked already.
    pub fn subtract(&mut self, asked: &Lacks) {
        self.commits.retain(|it| !asked.commits.contains(it));
        self.bases.retain(|it| !asked.bases.contains(it));
        self.between.retain(|it| !asked.between.contains(it));
        self.logs.retain(|it| !asked.logs.contains(it));
        self.rights.retain(|it| !asked.rights.contains(it));
    }
}
