//! How an object stands: one total function over what was observed.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::observe::{Observed, Present, Trouble, applied, is_attempting, present, progress_revision};
use crate::status::Truth;
use crate::{Failure, Kind, Object, ObjectId, Revision};

/// How long an attempt may run before a ready object is shown as progressing. Healthy objects are
/// reconciled at every interval, for a moment each time.
pub const DEBOUNCE: Duration = Duration::from_secs(2);

/// How long a spec may go unanswered before [`Overlay::NoAnswer`].
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How an object stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is being deleted.
    Terminating,
    /// It is suspended.
    Suspended {
        /// How it stood when it was.
        last: Box<State>,
    },
    /// It has no status: there is nothing to say.
    Static,
    /// No controller has said anything yet.
    Pending,
    /// It failed.
    Failed {
        /// Whether Flux gave up; else it tries again.
        stalled: bool,
    },
    /// It waits for another object.
    Waiting {
        /// For which, as far as it is told.
        on: Option<ObjectId>,
    },
    /// Applied, and what was applied is not healthy.
    Unhealthy,
    /// An attempt runs.
    Progressing {
        /// Whether the outcome before was a success. If not, nothing is known of it: the outcome is
        /// unknown, never ready.
        was_ready: bool,
    },
    /// Ready.
    Ready,
    /// Ready, but its source (or that one's source) cannot be fetched: what runs may be old.
    ReadySourceStale {
        /// The source that fails.
        source: ObjectId,
    },
    /// Ready, but its source has a newer revision.
    ReadyBehind {
        /// The source's revision, its origin's if there is one.
        source: Revision,
    },
}

impl State {
    /// Whether Ready=True was proved for the newest spec, stale or behind included.
    pub fn is_ready(&self) -> bool {
        matches!(self, State::Ready | State::ReadySourceStale { .. } | State::ReadyBehind { .. })
    }

    /// Whether something failed here (not: somewhere else, for which this one waits).
    pub fn is_failure(&self) -> bool {
        matches!(self, State::Failed { .. } | State::Unhealthy)
    }

    /// The state, seen through a suspension.
    pub fn last(&self) -> &State {
        match self {
            State::Suspended { last } => last.last(),
            other => other,
        }
    }
}

/// Something that holds beside any [`State`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// A HelmRelease's objects differ from what it installed.
    Drifted {
        /// What Flux says of it.
        message: Arc<str>,
    },
    /// The newest spec in the cluster was not acted on yet.
    SpecNotApplied {
        /// The generation that was.
        observed: i64,
        /// The newest generation.
        generation: i64,
    },
    /// The newest spec got no answer for longer than [`PATIENCE`]. A HelmRelease whose chart's source is
    /// in a forbidden namespace, or whose controller does not run, looks like this.
    NoAnswer,
    /// Somebody asked for a reconciliation that was not answered yet.
    Requested,
    /// Its objects live on another cluster (`spec.kubeConfig`).
    Remote,
}

/// The attempt that runs now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What it works on, the origin's revision if known.
    pub revision: Option<Revision>,
    /// What it does, in Flux's words.
    pub step: Arc<str>,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// How an object stands, of which revision, and why.
///
/// Revisions are the origin's (the Git revision that an OCI artifact was made from) where it is known,
/// else the artifact's. The `…_artifact` fields are always the artifact's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The object.
    pub id: ObjectId,
    /// How it stands.
    pub state: State,
    /// What else holds.
    pub overlays: Vec<Overlay>,
    /// What is applied; of a source, what it offers.
    pub applied: Option<Revision>,
    /// The artifact's revision of `applied`.
    pub applied_artifact: Option<Revision>,
    /// What was tried last.
    pub attempted: Option<Revision>,
    /// The revision of the failure. None where no revision caused it.
    pub failed_at: Option<Revision>,
    /// The artifact's revision of `failed_at`.
    pub failed_artifact: Option<Revision>,
    /// The failure's reason if there is one (also while the next attempt runs), else Ready's.
    pub reason: Arc<str>,
    /// The failure's or Ready's message in full, normalised.
    pub message: Arc<str>,
    /// What Flux did about the failure, such as a rollback.
    pub remedy: Option<Arc<str>>,
    /// The failure (or wait) behind the state, also through a suspension.
    pub failure: Option<Arc<Failure>>,
    /// Since when it stands like this.
    pub since: Option<Timestamp>,
    /// The attempt that runs now.
    pub attempt: Option<Attempt>,
    /// Whether Flux waits for the health of what it applied: "ready" says "healthy" only then.
    pub health_checked: bool,
    /// When to ask again although nothing changed.
    pub recheck_at: Option<Timestamp>,
}

impl Verdict {
    /// The message's first sentence in one line, for a diagnostic.
    pub fn sentence(&self) -> String {
        crate::message::first_sentence(&self.message)
    }
}

/// Everything that the rules look at.
struct Reading<'a> {
    object: &'a Object,
    source: Option<&'a Object>,
    present: Present,
    failure: Option<&'a Failure>,
    proved: bool,
    attempting: bool,
    /// The debounce of an attempt has passed, or there was nothing to keep quiet for.
    settled_attempt: bool,
    ahead: bool,
    applied: Option<Revision>,
}

struct Rule {
    when: fn(&Reading<'_>) -> bool,
    then: fn(&Reading<'_>) -> State,
}

/// First match wins (flux-reference B.2). Terminating, suspended and static come before, see [`verdict`].
const RULES: &[Rule] = &[
    // 4: nothing was said.
    Rule { when: |r| r.present == Present::Pending, then: |_| State::Pending },
    // 5-10: trouble, now or before the attempt that runs (1: Ready flips to Unknown at every retry).
    Rule {
        when: |r| r.failure.is_some() && r.present != Present::Ready,
        then: |r| match r.failure.map(|f| &f.trouble) {
            Some(Trouble::Failed { stalled }) => State::Failed { stalled: *stalled },
            Some(Trouble::Unhealthy) => State::Unhealthy,
            Some(Trouble::Waiting { on }) => State::Waiting { on: on.clone() },
            None => State::Pending,
        },
    },
    // 12: Ready speaks of an older spec.
    Rule { when: |r| r.ahead, then: |r| State::Progressing { was_ready: r.proved } },
    // 11: an attempt runs; one that has just begun on the revision that was proved is not worth a word.
    Rule {
        when: |r| r.attempting && (r.settled_attempt || !r.proved),
        then: |r| State::Progressing { was_ready: r.proved },
    },
    // Ready=False that is no failure (HealthCheckCanceled): the next attempt is about to begin.
    Rule {
        when: |r| !r.proved || (r.present == Present::InProgress && !r.attempting),
        then: |r| State::Progressing { was_ready: r.proved },
    },
    // The source itself: it serves an old artifact because it cannot fetch a new one.
    Rule {
        when: |r| r.object.kind.is_source() && r.object.status.is("FetchFailed"),
        then: |r| State::ReadySourceStale { source: r.object.id.clone() },
    },
    // 13
    Rule {
        when: |r| is_behind(r).is_some(),
        then: |r| is_behind(r).map_or(State::Ready, |source| State::ReadyBehind { source }),
    },
    // 14
    Rule {
        when: |r| r.source.is_some_and(fails_to_fetch),
        then: |r| match r.source {
            Some(source) => State::ReadySourceStale { source: source.id.clone() },
            None => State::Ready,
        },
    },
];

/// Whether a source serves an artifact that it cannot renew.
pub(crate) fn fails_to_fetch(source: &Object) -> bool {
    if source.spec.suspend || source.is_static() {
        return false;
    }
    source.status.is("FetchFailed") || matches!(present(source), Present::Trouble(_))
}

/// The source's revision, if it is newer than what the object took.
fn is_behind(r: &Reading<'_>) -> Option<Revision> {
    let source = r.source?;
    let artifact = source.status.artifact.as_ref()?;
    let behind = match r.object.kind {
        Kind::Kustomization => {
            let applied = r.object.status.last_applied_revision.as_ref().or(r.applied.as_ref())?;
            *applied != artifact.revision
        }
        Kind::HelmRelease if source.kind == Kind::HelmChart => {
            *r.object.status.last_attempted_revision.as_ref()? != artifact.revision
        }
        Kind::HelmRelease => {
            let taken = r.object.status.last_attempted_digest.as_deref()?;
            artifact.revision.digest()? != taken
        }
        _ => false,
    };
    behind.then(|| artifact.origin_revision.clone().unwrap_or_else(|| artifact.revision.clone()))
}

/// How an object stands. `source` is what it takes its content from, if it was read. The same arguments
/// give the same verdict; [`Verdict::recheck_at`] tells when a later `now` would give another.
pub fn verdict(observed: &Observed, source: Option<&Object>, now: Timestamp) -> Verdict {
    let object = &*observed.object;
    let failure = observed.failure.as_deref();
    let applied = applied(object, failure);
    let attempting = is_attempting(object);
    let quiet_until = observed.attempt_since.and_then(|since| since.checked_add(DEBOUNCE).ok());
    let progress = progress_revision(object);
    let proof = observed.proof.as_deref();
    let same_revision = progress.is_none() || progress == proof.and_then(|p| p.revision.clone());
    let quiet = attempting && same_revision && quiet_until.is_some_and(|until| now < until);
    // Suspending is a change of the spec that no controller answers to: what was true before still is.
    let suspended = object.spec.suspend;
    let present = present(object);
    let reading = Reading {
        object,
        source,
        proved: (suspended && present == Present::Ready)
            || proof.is_some_and(|proof| match (proof.generation, object.meta.generation) {
                (Some(proved), Some(generation)) => proved >= generation,
                _ => true,
            }),
        present,
        failure,
        attempting,
        settled_attempt: !quiet,
        ahead: object.spec_ahead().is_some() && !suspended,
        applied: applied.clone(),
    };
    let last = if object.is_static() {
        State::Static
    } else {
        RULES.iter().find(|rule| (rule.when)(&reading)).map_or(State::Ready, |rule| (rule.then)(&reading))
    };
    let recheck_at = quiet_until.filter(|until| quiet && last.is_ready() && now < *until);
    let state = if object.meta.deleting {
        State::Terminating
    } else if object.spec.suspend {
        State::Suspended { last: Box::new(last) }
    } else {
        last
    };
    let unanswered = observed.unanswered_since.and_then(|since| since.checked_add(PATIENCE).ok());
    let mut verdict = describe(observed, source, state, applied);
    if let Some(proof) = proof
        && quiet
        && verdict.state.last().is_ready()
    {
        // Nothing of a routine attempt shows, or every text would change twice at each interval.
        verdict.attempt = None;
        verdict.reason = proof.ready.reason.clone();
        verdict.message = proof.ready.message.clone();
        verdict.since = proof.ready.since;
    }
    verdict.recheck_at = recheck_at;
    match unanswered {
        Some(until) if until <= now => verdict.overlays.push(Overlay::NoAnswer),
        Some(until) => verdict.recheck_at = Some(recheck_at.map_or(until, |at| at.min(until))),
        None => {}
    }
    verdict
}

fn describe(
    observed: &Observed,
    source: Option<&Object>,
    state: State,
    applied: Option<Revision>,
) -> Verdict {
    let object = &*observed.object;
    let ready = object.ready();
    let failure = observed.failure.clone();
    let origin = |revision: Option<&Revision>| {
        revision.map(|r| origin_of(object, source, r).unwrap_or_else(|| r.clone()))
    };
    let failed_artifact = failure.as_ref().and_then(|f| f.revision.clone());
    let attempt = is_attempting(object).then(|| {
        let told = object
            .status
            .condition("Reconciling")
            .filter(|c| c.status == Truth::True && !c.message.is_empty())
            .or(ready);
        Attempt {
            revision: origin(progress_revision(object).as_ref()),
            step: told.map_or_else(|| "".into(), |c| c.message.clone()),
            since: observed.attempt_since,
        }
    });
    let attempted = attempt
        .as_ref()
        .and_then(|a| a.revision.clone())
        .or_else(|| origin(object.status.last_attempted_revision.as_ref()));
    let mut overlays = Vec::new();
    if let Some(drifted) = object.status.condition("Drifted").filter(|c| c.status == Truth::True) {
        overlays.push(Overlay::Drifted { message: drifted.message.clone() });
    }
    // Nobody acts on a suspended spec: that is what suspended says.
    if let Some((observed, generation)) = object.spec_ahead().filter(|_| !object.spec.suspend) {
        overlays.push(Overlay::SpecNotApplied { observed, generation });
    }
    if object.meta.requested_at.is_some()
        && object.meta.requested_at != object.status.last_handled_reconcile_at
        && object.can_reconcile()
    {
        overlays.push(Overlay::Requested);
    }
    if object.spec.remote {
        overlays.push(Overlay::Remote);
    }
    let empty = || Arc::from("");
    Verdict {
        id: object.id.clone(),
        state,
        overlays,
        applied: origin(applied.as_ref()),
        applied_artifact: applied,
        attempted,
        failed_at: origin(failed_artifact.as_ref()),
        failed_artifact,
        reason: failure
            .as_ref()
            .map(|f| f.reason.clone())
            .or_else(|| ready.map(|c| c.reason.clone()))
            .unwrap_or_else(empty),
        message: failure
            .as_ref()
            .map(|f| f.message.clone())
            .or_else(|| ready.map(|c| c.message.clone()))
            .unwrap_or_else(empty),
        remedy: failure.as_ref().and_then(|f| f.remedy.clone()),
        since: failure.as_ref().and_then(|f| f.since).or_else(|| ready.and_then(|c| c.since)),
        failure,
        attempt,
        health_checked: object.checks_health(),
        recheck_at: None,
    }
}

/// The Git revision behind an artifact's revision.
fn origin_of(object: &Object, source: Option<&Object>, revision: &Revision) -> Option<Revision> {
    let status = &object.status;
    let own = status.artifact.as_ref().filter(|a| a.revision == *revision);
    let theirs = source.and_then(|s| s.status.artifact.as_ref()).filter(|a| a.revision == *revision);
    let told =
        status.history.iter().find(|h| h.revision.as_ref() == Some(revision) && h.origin_revision.is_some());
    own.and_then(|a| a.origin_revision.clone())
        .or_else(|| told.and_then(|h| h.origin_revision.clone()))
        .or_else(|| {
            let applied = status.last_applied_revision.as_ref() == Some(revision);
            status.last_applied_origin_revision.clone().filter(|_| applied)
        })
        .or_else(|| theirs.and_then(|a| a.origin_revision.clone()))
}
