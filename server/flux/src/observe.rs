//! What must be remembered of an object from one state to the next.

use std::sync::Arc;

use jiff::Timestamp;

use crate::message::{between, capture, masked, named_objects, normalise};
use crate::status::{Condition, Truth};
use crate::{Kind, Object, ObjectId, Revision};

/// How an object is in trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It failed. Stalled means that nothing is tried again before something changes.
    Failed {
        /// Whether it gave up.
        stalled: bool,
    },
    /// It was applied, and what was applied did not become healthy.
    Unhealthy,
    /// It waits for another object.
    Waiting {
        /// For which, if the message or the spec tells.
        on: Option<ObjectId>,
    },
}

/// A failure, or a wait, as the controller reported it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How it is in trouble.
    pub trouble: Trouble,
    /// Flux's reason. After a remediated Helm failure that of the failure, not of the remedy.
    pub reason: Arc<str>,
    /// The message, [normalised](crate::message::normalise).
    pub message: Arc<str>,
    /// What Flux did about it ("Helm rollback to previous release … succeeded").
    pub remedy: Option<Arc<str>>,
    /// The artifact's revision that failed, where the object tells it.
    pub revision: Option<Revision>,
    /// The generation of the spec that failed.
    pub generation: Option<i64>,
    /// Since when the same failure stands, through all retries.
    pub since: Option<Timestamp>,
}

/// An object together with what is remembered of its past.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The object as it is now.
    pub object: Arc<Object>,
    /// The last failure. It is kept while an attempt runs, until Ready is True or another failure comes.
    pub failure: Option<Arc<Failure>>,
    /// When Ready was True last, unless a failure came since.
    pub proof: Option<Arc<Proof>>,
    /// Since when the attempt that runs now was seen.
    pub attempt_since: Option<Timestamp>,
    /// Since when the newest spec waits for a controller to take it up.
    pub unanswered_since: Option<Timestamp>,
}

/// What Ready=True said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The generation of the spec that it spoke of; none if nothing tells it.
    pub generation: Option<i64>,
    /// The artifact's revision that was applied.
    pub revision: Option<Revision>,
    /// The condition.
    pub ready: Condition,
}

/// What an object's conditions say now, without its past.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Present {
    Pending,
    InProgress,
    Trouble(Box<Failure>),
    Ready,
}

/// Takes in a new state of an object. `previous` is what was observed of the object of the same name
/// before; an object that replaced another (its uid differs) has no past.
pub fn observe(previous: Option<&Observed>, object: &Arc<Object>, now: Timestamp) -> Observed {
    let previous = previous.filter(|p| {
        p.object.id == object.id && (p.object.meta.uid == object.meta.uid || object.meta.uid.is_none())
    });
    let (failure, proof) = match present(object) {
        // Nothing was reported, or it was wiped: nothing is known any more.
        Present::Pending => (None, None),
        Present::Ready => (None, prove(object).map(Arc::new)),
        Present::Trouble(mut failure) => {
            let same = previous.and_then(|p| p.failure.as_ref()).filter(|old| {
                old.reason == failure.reason && masked(&old.message) == masked(&failure.message)
            });
            if let Some(old) = same {
                failure.since = match (old.since, failure.since) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
            (Some(Arc::from(failure)), None)
        }
        Present::InProgress => previous.map_or((None, None), |p| {
            let over = is_past_waiting(object);
            let failure = p
                .failure
                .clone()
                .filter(|f| !(over && matches!(f.trouble, Trouble::Waiting { .. })))
                .filter(|f| !is_answered_by_apply(object, f));
            (failure, p.proof.clone())
        }),
    };
    let attempt_since = is_attempting(object).then(|| {
        // Our own clock and the cluster's may differ: whichever says that it began earlier.
        let told = attempt_condition(object).and_then(|c| c.since);
        let seen = previous.and_then(|p| p.attempt_since).unwrap_or(now);
        told.map_or(seen, |told| told.min(seen))
    });
    let unanswered = (object.ready().is_none() || object.spec_ahead().is_some())
        && !(attempt_since.is_some() || object.is_static() || object.spec.suspend || object.meta.deleting);
    let unanswered_since = unanswered.then(|| {
        let same_spec = previous.filter(|p| p.object.meta.generation == object.meta.generation);
        let seen = same_spec.and_then(|p| p.unanswered_since).unwrap_or(now);
        // The first generation is as old as the object.
        let created = object.meta.created.filter(|_| object.meta.generation == Some(1));
        created.map_or(seen, |created| created.min(seen))
    });
    Observed { object: object.clone(), failure, proof, attempt_since, unanswered_since }
}

/// Whether the attempt that runs can only have begun after all waiting was over. kustomize-controller
/// flips Ready after it has looked at source and dependencies (KC :325); a Helm action comes after both.
fn is_past_waiting(object: &Object) -> bool {
    let unknown = object.ready().filter(|c| c.status == Truth::Unknown);
    match object.kind {
        Kind::Kustomization => unknown.is_some(),
        Kind::HelmRelease => unknown.is_some_and(|c| c.message.starts_with("Running '")),
        _ => false,
    }
}

/// Whether the attempt that runs now has already applied what the failure kept from being applied: its health checks
/// run. Only bad health of the same revision may come again.
fn is_answered_by_apply(object: &Object, failure: &Failure) -> bool {
    let applied = health_check_runs(object).then(|| progress_revision(object)).flatten();
    applied.is_some_and(|applied| {
        !matches!(failure.trouble, Trouble::Unhealthy) || failure.revision.as_ref() != Some(&applied)
    })
}

fn prove(object: &Object) -> Option<Proof> {
    let ready = object.ready()?.clone();
    let observed = object.ready_generation().or(object.status.observed_generation);
    Some(Proof { generation: observed.or(object.meta.generation), revision: applied(object, None), ready })
}

fn attempt_condition(object: &Object) -> Option<&Condition> {
    let reconciling = object.status.condition("Reconciling").filter(|c| c.status == Truth::True);
    let unknown = object.ready().filter(|c| c.status == Truth::Unknown);
    match (reconciling, unknown) {
        // A retry leaves Reconciling=True with the old time; the flip of Ready is the start then.
        (Some(_), Some(unknown)) => Some(unknown),
        (reconciling, unknown) => reconciling.or(unknown),
    }
}

/// Whether an attempt runs now. Between attempts Reconciling stays True beside Ready=False, with the text
/// of the last step: an attempt runs only if it was written after the failure.
pub(crate) fn is_attempting(object: &Object) -> bool {
    let Some(ready) = object.ready() else { return object.status.is("Reconciling") };
    let reconciling = object.status.condition("Reconciling").filter(|c| c.status == Truth::True);
    match ready.status {
        Truth::Unknown => true,
        Truth::True => reconciling.is_some(),
        Truth::False => {
            reconciling.is_some_and(|c| &*c.reason != "ProgressingWithRetry" && c.since > ready.since)
        }
    }
}

/// A class of what Ready=False means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Waiting,
    Unhealthy,
    InProgress,
}

/// Ready=False that is not a failure of the object itself, by reason and message (`*` is any text). What
/// is not listed is a failure. Source: flux-reference B.2, C.1, C.6, C.7, C.8, H-6.
const CLASSES: &[(&str, &str, Class)] = &[
    ("DependencyNotReady", "*", Class::Waiting),
    ("SourceNotReady", "*", Class::Waiting),
    ("HealthCheckFailed", "*", Class::Unhealthy),
    ("HealthCheckCanceled", "*", Class::InProgress),
    ("Progressing", "*", Class::InProgress),
    ("ArtifactFailed", "*.source.toolkit.fluxcd.io \"*\" not found*", Class::Waiting),
    ("ArtifactFailed", "Source artifact not found*", Class::Waiting),
    ("ArtifactFailed", "Source is not ready, artifact not found*", Class::Waiting),
    ("ArtifactFailed", "Source not ready: artifact not found*", Class::Waiting),
    ("NoSourceArtifact", "*", Class::Waiting),
    ("SourceUnavailable", "*", Class::Waiting),
    ("SourceFetchFailed", "*", Class::Waiting),
    ("NotFound", "could not get resource for include *", Class::Waiting),
    ("NoArtifact", "no artifact available for include *", Class::Waiting),
    ("SourceManagerFailed", "*referenced git repository does not exist*", Class::Waiting),
];

/// Reasons that no revision caused: the attempt ended before it had one.
const WITHOUT_REVISION: &[&str] = &[
    "DependencyNotReady",
    "SourceNotReady",
    "AccessDenied",
    "InvalidCELExpression",
    "FeatureGateDisabled",
    "DirectoryCreationFailed",
];

pub(crate) fn present(object: &Object) -> Present {
    let stalled = object.status.condition("Stalled").filter(|c| c.status == Truth::True);
    let Some(ready) = object.ready() else {
        return match stalled {
            Some(condition) => trouble(object, condition, Trouble::Failed { stalled: true }),
            None => Present::Pending,
        };
    };
    if let Some(stalled) = stalled {
        let told = if ready.status == Truth::False { ready } else { stalled };
        return trouble(object, told, Trouble::Failed { stalled: true });
    }
    match ready.status {
        Truth::Unknown => Present::InProgress,
        Truth::True => Present::Ready,
        Truth::False => {
            let class = CLASSES
                .iter()
                .find(|(reason, pattern, _)| {
                    *reason == &*ready.reason && capture(pattern, &ready.message).is_some()
                })
                .map(|(_, _, class)| *class);
            match class {
                Some(Class::InProgress) => Present::InProgress,
                Some(Class::Unhealthy) => trouble(object, ready, Trouble::Unhealthy),
                Some(Class::Waiting) => {
                    trouble(object, ready, Trouble::Waiting { on: waits_for(object, &ready.message) })
                }
                None => trouble(object, ready, Trouble::Failed { stalled: false }),
            }
        }
    }
}

fn trouble(object: &Object, told: &Condition, trouble: Trouble) -> Present {
    let cause = root_condition(object, told);
    let is_remedy = told.reason.starts_with("Rollback") || told.reason.starts_with("Uninstall");
    let remedy = (cause.kind != told.kind && is_remedy).then(|| told.message.clone());
    let message: Arc<str> = match normalise(&cause.message) {
        std::borrow::Cow::Borrowed(same) if same.len() == cause.message.len() => cause.message.clone(),
        other => other.as_ref().into(),
    };
    Present::Trouble(Box::new(Failure {
        revision: failed_revision(object, &cause.reason, &cause.message, &trouble),
        trouble,
        reason: cause.reason.clone(),
        message,
        remedy,
        generation: told.observed_generation.filter(|g| *g > 0).or(object.meta.generation),
        since: told.since,
    }))
}

/// Where a HelmRelease's failure is told: after a remedy Ready speaks of the remedy, `Released` (or
/// `TestSuccess`) of the failure (flux-reference B.1-7, H29).
fn root_condition<'a>(object: &'a Object, told: &'a Condition) -> &'a Condition {
    const OF_REMEDIES: &[&str] = &[
        "RollbackSucceeded",
        "RollbackFailed",
        "UninstallSucceeded",
        "UninstallFailed",
        "RetriesExceeded",
        "MissingRollbackTarget",
    ];
    // v2beta1 said "install retries exhausted" with the failure's own reason.
    let told_elsewhere = OF_REMEDIES.contains(&&*told.reason) || told.message.ends_with(" retries exhausted");
    if object.kind != Kind::HelmRelease || !told_elsewhere {
        return told;
    }
    let failed = |kind: &str| {
        object.status.condition(kind).filter(|c| c.status == Truth::False && !c.message.is_empty())
    };
    failed("Released").or_else(|| failed("TestSuccess")).unwrap_or(told)
}

/// The revision that failed (design 2.2).
fn failed_revision(object: &Object, reason: &str, message: &str, trouble: &Trouble) -> Option<Revision> {
    if matches!(trouble, Trouble::Waiting { .. }) || WITHOUT_REVISION.contains(&reason) {
        return None;
    }
    match object.kind {
        // lastAttemptedRevision is written only after the artifact was unpacked and its path found.
        Kind::Kustomization if reason == "ArtifactFailed" => progress_revision(object),
        Kind::Kustomization | Kind::FluxInstance | Kind::ResourceSet => {
            object.status.last_attempted_revision.clone()
        }
        Kind::HelmRelease => {
            const OF_RELEASES: &[&str] = &["Install", "Upgrade", "Test", "Rollback", "Uninstall"];
            let of_release = OF_RELEASES.iter().any(|action| reason.starts_with(action));
            object.status.last_attempted_revision.clone().filter(|_| of_release)
        }
        Kind::GitRepository => {
            let commit = between(message, "signature verification of commit '", "'")?;
            Some(Revision::new(&format!("sha1:{commit}")))
        }
        _ => None,
    }
}

/// The revision that the Reconciling condition speaks of: "Building manifests for revision R with a
/// timeout of T", "new upstream revision 'R'".
pub(crate) fn progress_revision(object: &Object) -> Option<Revision> {
    let message = &object.status.condition("Reconciling")?.message;
    match object.kind {
        Kind::Kustomization => {
            Revision::non_empty(message.split_once(" for revision ")?.1.split_whitespace().next()?)
        }
        kind if kind.is_source() => Revision::non_empty(between(message, "revision '", "'")?),
        _ => None,
    }
}

/// Whether a Kustomization waits for the health of a revision that it has applied.
pub(crate) fn health_check_runs(object: &Object) -> bool {
    object.kind == Kind::Kustomization
        && object.ready().is_some_and(|c| c.status == Truth::Unknown)
        && object
            .status
            .condition("Reconciling")
            .is_some_and(|c| c.status == Truth::True && c.message.starts_with("Running health checks"))
}

/// The artifact's revision that is applied (design 2.2). `failure` is what is remembered.
pub(crate) fn applied(object: &Object, failure: Option<&Failure>) -> Option<Revision> {
    let status = &object.status;
    match object.kind {
        Kind::Kustomization => {
            if health_check_runs(object)
                && let Some(revision) = progress_revision(object)
            {
                return Some(revision);
            }
            const APPLIED: &[&str] =
                &["ReconciliationSucceeded", "HealthCheckFailed", "PruneFailed", "HealthCheckCanceled"];
            let newest = status.history.iter().find(|h| APPLIED.contains(&&*h.outcome));
            if let Some(revision) = newest.and_then(|h| h.revision.clone()) {
                return Some(revision);
            }
            // Before Flux 2.7.
            let unhealthy = matches!(present(object), Present::Trouble(f) if f.trouble == Trouble::Unhealthy);
            let remembered = failure.filter(|f| f.trouble == Trouble::Unhealthy);
            let attempted = if unhealthy {
                status.last_attempted_revision.clone()
            } else {
                remembered.and_then(|f| f.revision.clone())
            };
            attempted.or_else(|| status.last_applied_revision.clone())
        }
        Kind::HelmRelease => match status.releases.iter().find(|r| &*r.status == "deployed") {
            Some(release) => release.chart_version.clone(),
            // v2beta1 and v2beta2 had lastAppliedRevision.
            None => status.last_applied_revision.clone().filter(|_| status.releases.is_empty()),
        },
        Kind::FluxInstance | Kind::ResourceSet => status.last_applied_revision.clone(),
        _ => status.artifact.as_ref().map(|a| a.revision.clone()),
    }
}

/// The object that a waiting object's message names, else the one that its spec names for it.
fn waits_for(object: &Object, message: &str) -> Option<ObjectId> {
    let references = object.references();
    if object.kind == Kind::ResourceSet {
        return named_objects(message).into_iter().next();
    }
    let named = |kind: Option<&str>, name: &str| {
        let (namespace, name) = name.split_once('/').unwrap_or((&object.id.namespace, name));
        references
            .iter()
            .map(|r| &r.target)
            .find(|t| *t.name == *name && *t.namespace == *namespace && kind.is_none_or(|k| k == &*t.kind))
            .cloned()
            .or_else(|| Some(ObjectId::flux(Kind::from_name(kind?)?, namespace, name)))
    };
    if let Some(found) =
        capture("dependency '*' *", message).or_else(|| capture("unable to get '*' dependency*", message))
    {
        return named(Some(object.kind.as_str()), found.first()?);
    }
    if let Some(found) = capture("* '*' is not ready: *", message)
        && let [kind, name, _] = found[..]
        && Kind::from_name(kind).is_some()
    {
        return named(Some(kind), name);
    }
    if let Some(found) = capture("no artifact available for * source '*'", message)
        && let [kind, name] = found[..]
    {
        return named(Some(kind), name);
    }
    if let Some(name) = between(message, "include '", "'") {
        return named(Some("GitRepository"), name);
    }
    // `helmcharts.source.toolkit.fluxcd.io "x" not found`, `GitRepository.source.toolkit.fluxcd.io "x" not found`
    if let Some(found) = capture("*.fluxcd.io \"*\" not found*", message)
        && let [head, name, _] = found[..]
    {
        let word = head.rsplit([' ', ':']).next().unwrap_or(head);
        let plural = word.split('.').next().unwrap_or(word);
        let kind = Kind::from_plural(plural).or_else(|| Kind::from_name(plural));
        let wanted = |id: &&ObjectId| *id.name == *name && kind.is_none_or(|k| id.flux_kind() == Some(k));
        if let Some(id) = references.iter().map(|r| &r.target).find(wanted) {
            return Some(id.clone());
        }
    }
    use crate::Role;
    let roles = [Role::Chart, Role::Source, Role::Images, Role::Include];
    roles.iter().find_map(|role| references.iter().find(|r| r.role == *role)).map(|r| r.target.clone())
}
