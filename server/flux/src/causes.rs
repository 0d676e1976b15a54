//! What failed first.

use jiff::Timestamp;

use crate::{Facts, ObjectId, Verdict};

/// One step from an object to what it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Who waits.
    pub from: ObjectId,
    /// For whom.
    pub to: ObjectId,
    /// The field of `from` that leads there (`spec.dependsOn[0].name`); empty for a health check of what
    /// is in its inventory.
    pub field: String,
}

/// What kind of cause it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CauseKind {
    /// It failed or is unhealthy.
    Failure,
    /// It does not exist.
    Missing,
    /// It may exist, but was not read (no permission, kind not served, namespace not read).
    NotVisible,
    /// It is suspended and not ready.
    Suspended,
    /// It waits and nothing more is told.
    Waiting,
    /// It is still at work.
    InProgress,
    /// It is ready by now: the one that waits has only to try again.
    Resolved,
}

/// A root cause and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// From the object that was asked about to the root; empty if it is the root itself.
    pub chain: Vec<Hop>,
    /// What failed first.
    pub root: ObjectId,
    /// What kind of cause it is.
    pub kind: CauseKind,
    /// How the root stands; none if it was not read.
    pub verdict: Option<Verdict>,
}

/// All root causes of an object's trouble.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Causes {
    /// Failures first. Empty if the object is in no trouble.
    pub roots: Vec<Cause>,
    /// Objects that wait for each other, the first one not repeated.
    pub cycle: Option<Vec<ObjectId>>,
}

/// Why an object is not ready, followed through as many hops as there are.
pub fn causes(_facts: &Facts, _id: &ObjectId, _now: Timestamp) -> Causes {
    Causes::default()
}
