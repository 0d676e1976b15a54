//! What the caller knows at one moment: the repository, the clusters, the past, the settings, the clock.

use flux::{Facts, Kind};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use manifests::{RepoPath, Tree};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::index::RepoIndex;
use crate::live::LiveObjects;
use crate::memo::Memo;
use crate::past::Past;
use crate::statuses::Reported;

/// Everything an answer is made of. Nothing else is looked at: same inputs, same answer.
pub struct Inputs<'a> {
    /// The repository that the text belongs to.
    pub repo: RepoView<'a>,
    /// The clusters that the user allowed, in the order they are to be named.
    pub clusters: &'a [ClusterView<'a>],
    /// What can be said of clusters that are not connected.
    pub offer: Offer<'a>,
    /// What history has answered so far. What it lacks is listed in [`crate::Lacks`].
    pub past: &'a Past,
    /// What was reported to the repository's forge; none where it is no known one, or nobody may ask.
    pub reported: Option<&'a Reported>,
    /// What users chose.
    pub settings: &'a Settings,
    /// Derived state that is kept from one answer to the next. Keep one for the life of the server; it notices
    /// by itself when facts or the repository have changed.
    pub memo: &'a Memo,
    /// The clock.
    pub now: Timestamp,
    /// Where the user's clock stands: times are shown in it.
    pub zone: &'a TimeZone,
}

/// The repository as it is in front of the user: disk overlaid by unsaved text.
#[derive(Clone, Copy)]
pub struct RepoView<'a> {
    /// The name that people know it by, the folder's most often.
    pub name: &'a str,
    /// Which addresses of Flux sources are this repository.
    pub remotes: &'a dyn Remotes,
    /// The files.
    pub tree: &'a dyn Tree,
    /// The files as they are saved. The same as `tree` where nothing is unsaved: say so with `None`, nothing has to be
    /// compared then.
    pub saved: Option<&'a dyn Tree>,
    /// The Flux objects in the files.
    pub index: &'a RepoIndex,
    /// The references of the clone.
    pub refs: &'a Refs,
}

/// The references of a clone, as of its last fetch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refs {
    /// What is checked out; none without Git, and before the first commit.
    pub head: Option<Head>,
    /// Branches of the remotes: remote → branch without the remote's name → where it stands.
    pub tracked: BTreeMap<String, BTreeMap<String, Tip>>,
    /// Tags → the full hash of the commit.
    pub tags: BTreeMap<String, String>,
    /// When the clone last asked a remote; none if it never did since it was cloned.
    pub fetched: Option<Timestamp>,
}

/// What is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The full hash.
    pub commit: String,
    /// The branch; none when HEAD is detached.
    pub branch: Option<String>,
    /// The remote and its branch that the branch follows.
    pub upstream: Option<(String, String)>,
}

/// Where a branch of a remote stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// The full hash.
    pub commit: String,
    /// When it came to stand there, by a push or a fetch of this clone; none if nobody wrote that down.
    pub moved: Option<Timestamp>,
}

impl Refs {
    /// A branch of the remotes of these names; of several the first that has it.
    pub fn tip<'r>(&'r self, remotes: &[String], branch: &str) -> Option<(&'r str, &'r Tip)> {
        remotes.iter().find_map(|remote| {
            let (name, branches) = self.tracked.get_key_value(remote)?;
            Some((name.as_str(), branches.get(branch)?))
        })
    }
}

/// Knows whether an address is this repository. The caller compares with the remotes of the clone.
pub trait Remotes: Sync {
    /// Whether `url`, as a Flux source or an OCI annotation has it, is this repository.
    fn is_ours(&self, url: &str) -> bool;

    /// The names of the remotes that have this address, those that are likelier to be meant first.
    fn named(&self, url: &str) -> Vec<String>;

    /// The page at the provider of a remote that shows what lies between two commits; none where nobody knows what runs
    /// there.
    fn compare(&self, remote: &str, from: &str, to: &str) -> Option<String>;
}

/// One cluster.
pub struct ClusterView<'a> {
    /// What commands carry: the caller's key, a context's name for instance. Never shown.
    pub key: &'a str,
    /// What people read: the alias, else the context's name.
    pub name: &'a str,
    /// What the cluster said.
    pub facts: &'a Arc<Facts>,
    /// How fresh that is.
    pub contact: Contact,
    /// What the user may do there, as far as it was asked.
    pub rights: &'a Rights,
    /// Objects that are none of Flux's, as far as they were read: [`crate::FileReport::live`].
    pub live: &'a Arc<LiveObjects>,
    /// A protected context: every action asks. Shown, not judged here.
    pub protected: bool,
}

/// How long a sign of life proves that what we know is what is.
pub const FRESH: SignedDuration = SignedDuration::from_secs(60);
/// How long "checking…" is said before "last seen".
pub const CHECKING: SignedDuration = SignedDuration::from_secs(10);

/// The state of the line to a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // The variants say what their one field is.
pub enum Contact {
    /// No answer yet; nothing is known.
    Connecting,
    /// Bytes on a watch or an answered probe at this time. Counts for [`FRESH`], then it is doubted here too.
    Live { at: Timestamp },
    /// Being asked again, since the last sign of life.
    Checking { at: Timestamp },
    /// Silent since.
    LastSeen { at: Timestamp },
    /// Needs the user to sign in; `at` is the last sign of life, if there was one. `why` is for people.
    NeedsSignIn { at: Option<Timestamp>, why: String },
    /// Never reached. The sentence says why and what to do.
    Unreachable { why: String },
    /// Answers, but serves no Flux.
    NoFlux,
    /// A recording, with the newest time inside it.
    Recorded { newest: Option<Timestamp> },
}

/// What contact proves at a moment, after doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // The variants say what their one field is.
pub enum Proof {
    /// What is known is what is: the only ground for ✓.
    Live,
    /// Being asked again.
    Checking { at: Timestamp },
    /// What was, at that time.
    Was { at: Timestamp },
    /// What a recording says.
    Recorded { newest: Option<Timestamp> },
    /// Nothing.
    None,
}

impl Contact {
    /// What this contact proves at `now`. A sign of life older than [`FRESH`], or one from the future (the clock
    /// jumped), proves nothing any more.
    pub fn proof(&self, now: Timestamp) -> Proof {
        match *self {
            Self::Live { at } => {
                let age = now.duration_since(at);
                if age > FRESH + CHECKING {
                    Proof::Was { at }
                } else if age > FRESH || age < SignedDuration::from_secs(-5) {
                    Proof::Checking { at }
                } else {
                    Proof::Live
                }
            }
            Self::Checking { at } => Proof::Checking { at },
            Self::LastSeen { at } | Self::NeedsSignIn { at: Some(at), .. } => Proof::Was { at },
            Self::Recorded { newest } => Proof::Recorded { newest },
            Self::Connecting
            | Self::NeedsSignIn { at: None, .. }
            | Self::Unreachable { .. }
            | Self::NoFlux => Proof::None,
        }
    }

    /// When [`proof`](Self::proof) changes by the clock alone.
    pub fn changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        match *self {
            Self::Live { at } => [at + FRESH, at + FRESH + CHECKING]
                .into_iter()
                .map(|t| t + SignedDuration::from_millis(1))
                .find(|t| *t > now),
            _ => None,
        }
    }
}

/// What the user may do in a cluster, as far as it was asked (SelfSubjectAccessReview).
#[derive(Debug, Clone, Default)]
pub struct Rights(BTreeMap<(Kind, Option<String>), bool>);

/// An answer about one right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Yes.
    Allowed,
    /// No: verb and resource are named in the hover.
    Forbidden,
    /// Not asked yet: nothing is offered, and it is listed in [`crate::Lacks`].
    NotAsked,
}

impl Rights {
    /// Everything is allowed.
    pub fn all() -> Self {
        Self(Kind::ALL.iter().map(|kind| ((*kind, None), true)).collect())
    }

    /// Notes whether `patch` on a kind is allowed; `None` is all namespaces.
    pub fn note(&mut self, kind: Kind, namespace: Option<&str>, allowed: bool) {
        self.0.insert((kind, namespace.map(str::to_owned)), allowed);
    }

    /// Whether the user may patch objects of this kind in this namespace.
    pub fn may_patch(&self, kind: Kind, namespace: &str) -> Right {
        let own = self.0.get(&(kind, Some(namespace.to_owned()))).copied();
        match (own, self.0.get(&(kind, None)).copied()) {
            (Some(true), _) | (_, Some(true)) => Right::Allowed,
            (Some(false), _) => Right::Forbidden,
            // A role in one namespace says nothing in the answer for all: the namespace has to be asked for.
            (None, _) => Right::NotAsked,
        }
    }
}

/// What can be said of clusters that are not connected.
#[derive(Debug, Clone, Copy, Default)]
pub struct Offer<'a> {
    /// Whether `Choose cluster…` leads anywhere: clusters are not switched off, the workspace is trusted and the
    /// user did not say "never here".
    pub choose: bool,
    /// Names of contexts that the user knows and that are not connected, for "(prod not connected)".
    pub not_connected: &'a [String],
}

/// What users chose, as far as it concerns what is shown.
#[derive(Debug, Clone)]
pub struct Settings {
    /// ✓ and ✗ or plain letters.
    pub ascii: bool,
    /// Lenses at all.
    pub lens: bool,
    /// Whether documents that are no Flux objects have lenses too.
    pub lens_on_manifests: bool,
    /// Beyond so many rows in a file only failing or differing ones, and a summary on top.
    pub lens_max: usize,
    /// Verbs after the state: 2 in VS Code, 1 in Neovim.
    pub lens_verbs: usize,
    /// Nothing is marked stronger than this.
    pub max_severity: Severity,
    /// How bad it is when something is Ready and not what is written; `None` for no marks of that.
    pub silent: Option<Severity>,
    /// How bad it is that a live object which was read has another value than the text that was applied; `None` for no marks
    /// of that: hovers say it.
    pub differing: Option<Severity>,
    /// How bad it is that nothing applies a file; `None` for no marks and lenses of that.
    pub not_applied: Option<Severity>,
    /// Whether actions (reconcile, suspend, resume) are offered.
    pub actions: bool,
    /// Path → cluster name or key. A file under a mapped path is only looked for in the clusters mapped to it.
    pub mapping: Vec<Mapping>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ascii: false,
            lens: true,
            lens_on_manifests: true,
            lens_max: 50,
            lens_verbs: 2,
            max_severity: Severity::Error,
            silent: Some(Severity::Warning),
            differing: None,
            not_applied: None,
            actions: true,
            mapping: Vec::new(),
        }
    }
}

/// One line of the `mapping` setting.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// A folder or file of the repository; `clusters/staging/**` is read as the folder.
    pub path: String,
    /// Name or key of a cluster.
    pub cluster: String,
}

/// How bad, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It failed.
    Error,
    /// It will, or it did for another text.
    Warning,
    /// Worth knowing.
    Information,
    /// Barely.
    Hint,
}

impl Severity {
    /// One step weaker.
    #[must_use]
    pub fn down(self) -> Self {
        match self {
            Self::Error => Self::Warning,
            Self::Warning => Self::Information,
            Self::Information | Self::Hint => Self::Hint,
        }
    }

    /// The word that `check` and its JSON use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
            Self::Hint => "hint",
        }
    }
}

impl Settings {
    /// Whether the mapping lets this file be looked for in this cluster: it names the cluster, or says nothing of the
    /// file.
    pub(crate) fn maps(&self, path: &RepoPath, cluster: &ClusterView<'_>) -> bool {
        self.lines_of(path).next().is_none() || self.is_mapped_to(path, cluster)
    }

    /// Whether the mapping names this cluster for this file.
    pub(crate) fn is_mapped_to(&self, path: &RepoPath, cluster: &ClusterView<'_>) -> bool {
        self.lines_of(path).any(|line| line.cluster == cluster.name || line.cluster == cluster.key)
    }

    fn lines_of(&self, path: &RepoPath) -> impl Iterator<Item = &Mapping> {
        let text = path.to_string();
        self.mapping.iter().filter(move |line| {
            let folder = line.path.trim_start_matches("./").trim_end_matches("**").trim_end_matches('/');
            folder.is_empty()
                || text == folder
                || text.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        })
    }
}
