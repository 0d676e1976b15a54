//! What a forge says of a commit.

use jiff::Timestamp;

/// How what was reported came out. Every forge has words of its own; these are what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// `success`.
    Success,
    /// `failure`, `failed`, `error`.
    Failure,
    /// `pending`, `running` and what comes before them.
    Pending,
    /// Anything else: `skipped`, `canceled`, `warning`, and what is not known yet.
    Other,
}

/// One report about a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitStatus {
    /// Who reports; a commit has one status a context.
    pub context: String,
    /// How it came out.
    pub outcome: Outcome,
    /// A few words, as the reporter wrote them.
    pub description: String,
    /// When it was reported last.
    pub at: Option<Timestamp>,
}

/// What was reported about a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses {
    /// The full hash.
    pub commit: String,
    /// The newest of each context, by context.
    pub statuses: Vec<CommitStatus>,
    /// Whether these are all. There is an end to reading pages.
    pub complete: bool,
    /// When the forge said so.
    pub read_at: Timestamp,
}

impl Statuses {
    /// The newest of each context. Of two with the same time the first wins: all forges answer newest first.
    pub(crate) fn newest_of_each(mut statuses: Vec<CommitStatus>) -> Vec<CommitStatus> {
        statuses.sort_by(|a, b| a.context.cmp(&b.context).then(b.at.cmp(&a.at)));
        statuses.dedup_by(|later, first| later.context == first.context);
        statuses
    }
}
