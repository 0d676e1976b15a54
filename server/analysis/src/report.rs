//! What analysis answers: plain values with byte ranges in the text they are about.

use flux::{ObjectId, Revision};
use jiff::Timestamp;
use manifests::{RepoPath, TextRange};
use std::collections::BTreeSet;

use crate::inputs::Severity;
use crate::live::Wanted;
use crate::past::Lacks;

/// Everything that is shown in one file.
#[derive(Debug, Clone, Default)]
pub struct FileReport {
    /// Marks, in the order of the text.
    pub findings: Vec<Finding>,
    /// At most one row a document, in the order of the text.
    pub lenses: Vec<LensRow>,
    /// What can be done or looked at, for clients without lenses: those whose range holds the cursor are offered.
    pub actions: Vec<Action>,
    /// What would have made this better.
    pub lacks: Lacks,
    /// Keys of the clusters that the file belongs to, those that apply it first. Empty if nothing tells.
    pub clusters: Vec<String>,
    /// The live objects that this is about: worth reading while the file is open, and again when [`Wanted::ground`] is
    /// another.
    pub live: BTreeSet<Wanted>,
    /// When this changes by the clock alone.
    pub recheck_at: Option<Timestamp>,
    /// What could not be told of this file, in sentences (`check` exits 2 for these).
    pub unknown: Vec<String>,
    /// Nobody waited for more than the marks: the rest is empty, and says nothing ([`crate::analyse_for`]).
    pub marks_only: bool,
}

/// A mark in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where, in bytes of the file.
    pub range: TextRange,
    /// How bad, after all lowering.
    pub severity: Severity,
    /// Flux's reason: `BuildFailed`.
    pub code: String,
    /// The cause in one sentence, with the cluster before it.
    pub message: String,
    /// The Flux object that failed.
    pub object: ObjectId,
    /// Whose inventory holds the object, if anyone's.
    pub applier: Option<ObjectId>,
    /// The clusters with this cause, by name.
    pub clusters: Vec<String>,
    /// Keys of the same clusters, for commands.
    pub keys: Vec<String>,
    /// The revision it belongs to, as the cluster wrote it; shown it is `main@1a2b3c4`.
    pub revision: Option<Revision>,
    /// The word for the state: `failed`, `unhealthy`, `stale`, `waiting`.
    pub verdict: &'static str,
    /// Whether something did not come into a cluster and still would not: the mark may be mild all the same, where the cluster
    /// has to mend it and no text (a quota).
    pub failed: bool,
    /// The object that is the cause, or the Flux object itself.
    pub related: Vec<Related>,
    /// Texts that would mend it in place of the marked one; none unless the message tells them.
    pub fixes: Vec<String>,
}

/// A second place that belongs to a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The file.
    pub path: RepoPath,
    /// Where in it.
    pub range: TextRange,
    /// What is there.
    pub message: String,
}

/// The lenses above one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LensRow {
    /// Where the document's content begins.
    pub range: TextRange,
    /// The state first, then verbs.
    pub items: Vec<LensItem>,
}

/// One lens. Every lens carries a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LensItem {
    /// What it says.
    pub title: String,
    /// What happens when it is pressed.
    pub command: Command,
}

/// What a lens or an action does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // `cluster` is a key, `object` a Flux object there.
pub enum Command {
    /// Shows everything about the document at the row's range; in one cluster if named.
    Details { cluster: Option<String>, object: Option<ObjectId> },
    /// Lists the clusters of a document that is applied by several, to choose one.
    Clusters,
    /// Lists contexts to connect to.
    ChooseCluster,
    /// Asks whether commit statuses may be read from the repository's forge, and reads them.
    CommitStatus,
    /// Runs the login of a cluster.
    SignIn { cluster: String },
    /// Reconciles an object; `with_source` fetches its source first.
    Reconcile { cluster: String, object: ObjectId, with_source: bool },
    /// Resumes a suspended object.
    Resume { cluster: String, object: ObjectId },
    /// Suspends an object.
    Suspend { cluster: String, object: ObjectId },
    /// Goes to what failed first: [`crate::goto_cause`].
    GoToCause { cluster: String, object: ObjectId },
}

/// An entry in the editor's list of actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Where it is offered: the whole document.
    pub range: TextRange,
    /// What it says; with the cluster, because there is no lens beside it.
    pub title: String,
    /// What it does.
    pub command: Command,
}

/// A hover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// What it is about.
    pub range: TextRange,
    /// Markdown; all text from a cluster is escaped in it.
    pub markdown: String,
}

/// Where `Go to cause` leads.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // `cluster` is a key, `object` the Flux object there that failed first.
pub enum Cause {
    /// Into a file of this repository.
    Place { path: RepoPath, range: TextRange, object: ObjectId },
    /// To an object that no file of this repository is known for: its details as Markdown.
    Object { cluster: String, object: ObjectId, markdown: String },
}

/// The counts for a status bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// `staging ✓ 12 · prod ✗ 2`.
    pub text: String,
    /// One sentence a cluster.
    pub tooltip: String,
    /// How the bar is to look.
    pub mood: Mood,
    /// One by one.
    pub clusters: Vec<ClusterSummary>,
    /// Failed objects in all clusters.
    pub failed: usize,
    /// Objects that wait for others.
    pub waiting: usize,
}

/// How a status bar is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mood {
    /// Nothing known.
    None,
    /// Known and well, at this moment.
    Ok,
    /// Doubtful, or waiting.
    Warning,
    /// Something failed.
    Error,
}

/// One cluster in a [`Summary`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSummary {
    /// For commands.
    pub key: String,
    /// For people.
    pub name: String,
    /// The state of the line in one word: `live`, `checking`, `last seen`, `sign in`, `recorded`, …
    pub contact: &'static str,
    /// The sentence.
    pub text: String,
    /// Ready objects.
    pub ready: usize,
    /// Failed or unhealthy ones.
    pub failed: usize,
    /// Those that wait for others.
    pub waiting: usize,
    /// Those under way.
    pub progressing: usize,
    /// Suspended ones.
    pub suspended: usize,
}
