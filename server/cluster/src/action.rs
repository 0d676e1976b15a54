//! Reconcile, suspend, resume: told to the cluster, and followed until there is an answer.

use std::fmt;
use std::time::Duration;

use flux::{Kind, Object, ObjectId, Role, Suspension};
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use kube::Api;
use kube::api::{Patch, PatchParams, WatchEvent, WatchParams};
use kube::core::ApiResource;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::access::{Access, AccessError, role_resource};
use crate::discovery;
use crate::watch::{Backoff, Watched};

/// The name under which our changes stand in `managedFields`.
///
/// Not one that starts with `kubectl`: kustomize-controller takes fields of such managers over and drops what is
/// not in Git (flux-reference D.2).
pub(crate) const FIELD_MANAGER: &str = "fluxcd-ls";
const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
/// Added to the object's own timeout: for queues, and for the status to be written.
const GRACE: Duration = Duration::from_secs(30);
/// How deep `with source` goes: HelmRelease, chart, repository; or Kustomization, artifact, generator, source.
const DEEPEST: usize = 4;
/// Between looks where watching is not possible.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What to do with a Flux object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ask its controller to look now.
    Reconcile {
        /// Its source first, so that a commit that was just pushed is seen.
        with_source: bool,
    },
    /// Stop its reconciliation.
    Suspend,
    /// Let it go on, and follow the first attempt.
    Resume,
}

/// Something to show while waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The object that is worked on: the one that was asked for, or one of its sources.
    pub object: ObjectId,
    /// What its controller says.
    pub text: String,
}

/// How an action ended. The text is a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The controller answered: ready.
    Applied {
        /// Whose answer.
        object: ObjectId,
        /// The revision that it has now, if its kind has revisions.
        revision: Option<String>,
        /// What it says.
        message: String,
    },
    /// The controller answered: not ready.
    Failed {
        /// Whose answer; with a source, it may be the source.
        object: ObjectId,
        /// Flux's reason.
        reason: String,
        /// Flux's message, in full.
        message: String,
    },
    /// It was suspended, as asked.
    Done {
        /// The object.
        object: ObjectId,
    },
    /// It is suspended, so that nobody would answer. Offer to resume it.
    Suspended {
        /// The object that is suspended; with a source, it may be the source.
        object: ObjectId,
    },
    /// No controller reconciles it: Alert, Provider, HelmRepository of type `oci`.
    Static {
        /// The object.
        object: ObjectId,
    },
    /// Not allowed.
    Forbidden {
        /// `patch`, `get`.
        verb: &'static str,
        /// `kustomizations.kustomize.toolkit.fluxcd.io`.
        resource: String,
        /// Where.
        namespace: String,
    },
    /// It took longer than the object's own timeout and 30 s.
    TimedOut {
        /// The object that gave no answer.
        object: ObjectId,
        /// What it was doing last.
        waiting_for: String,
        /// How long was waited.
        waited: Duration,
    },
    /// It is not in the cluster (any more).
    Gone {
        /// The object.
        object: ObjectId,
    },
    /// The cluster does not know the kind, or it is none of Flux's.
    NotServed {
        /// The kind.
        kind: String,
    },
    /// The user gave up waiting. What was asked for goes on in the cluster.
    Cancelled,
    /// Somebody has to sign in first.
    SignIn,
    /// The cluster gives no answer.
    Unreachable {
        /// Why.
        error: String,
    },
    /// The cluster refused the change, for example a policy did.
    Refused {
        /// The object.
        object: ObjectId,
        /// What it said.
        message: String,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Applied { object, revision: Some(revision), .. } => {
                write!(f, "{object} is ready at {revision}")
            }
            Outcome::Applied { object, message, .. } if message.is_empty() => write!(f, "{object} is ready"),
            Outcome::Applied { object, message, .. } => write!(f, "{object} is ready: {message}"),
            Outcome::Failed { object, reason, message } => write!(f, "{object} failed ({reason}): {message}"),
            Outcome::Done { object } => write!(f, "{object} is suspended"),
            Outcome::Suspended { object } => write!(f, "{object} is suspended: resume it first"),
            Outcome::Static { object } => write!(f, "{object} is not reconciled by any controller"),
            Outcome::Forbidden { verb, resource, namespace } if namespace.is_empty() => {
                write!(f, "no permission to {verb} {resource}")
            }
            Outcome::Forbidden { verb, resource, namespace } => {
                write!(f, "no permission to {verb} {resource} in {namespace}")
            }
            Outcome::TimedOut { object, waiting_for, waited } => {
                write!(f, "{object} gave no answer within {} s; last: {waiting_for}", waited.as_secs())
            }
            Outcome::Gone { object } => write!(f, "{object} is not in the cluster"),
            Outcome::NotServed { kind } => write!(f, "the cluster has no kind {kind}"),
            Outcome::Cancelled => f.write_str("no longer waiting; what was asked for goes on in the cluster"),
            Outcome::SignIn => f.write_str("the cluster does not accept the credentials: sign in"),
            Outcome::Unreachable { error } => write!(f, "the cluster gives no answer: {error}"),
            Outcome::Refused { object, message } => {
                write!(f, "the cluster refused to change {object}: {message}")
            }
        }
    }
}

type Tell<'a> = &'a (dyn Fn(Progress) + Send + Sync);

impl Access {
    /// Does `action` to `object` and follows it until there is an answer, `cancel` is cancelled, or the object's
    /// own timeout and 30 s are over. `progress` is called with what the controllers say meanwhile.
    ///
    /// Whether the user was asked is the caller's matter (design 3.10).
    pub async fn act(
        &self,
        action: Action,
        object: &ObjectId,
        progress: impl Fn(Progress) + Send + Sync,
        cancel: CancellationToken,
    ) -> Outcome {
        let work = async {
            let result = match action {
                Action::Reconcile { with_source } => self.reconcile(object, with_source, 0, &progress).await,
                Action::Suspend => self.suspend(object).await,
                Action::Resume => self.resume(object, &progress).await,
            };
            result.unwrap_or_else(|outcome| outcome)
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Outcome::Cancelled,
            outcome = work => outcome,
        }
    }

    /// `Err` is an outcome, too: one that ends what is under way.
    fn reconcile<'a>(
        &'a self,
        id: &'a ObjectId,
        with_source: bool,
        depth: usize,
        tell: Tell<'a>,
    ) -> BoxFuture<'a, Result<Outcome, Outcome>> {
        async move {
            let (target, object) = self.target(id).await?;
            if object.spec.suspend || object.meta.disabled {
                return Err(Outcome::Suspended { object: id.clone() });
            }
            if with_source && depth < DEEPEST {
                for source in sources(&object) {
                    match self.reconcile(&source, true, depth + 1, tell).await? {
                        // An OCI HelmRepository has nothing to fetch; the chart that uses it has.
                        Outcome::Applied { .. } | Outcome::Static { .. } => {}
                        ended => return Err(ended),
                    }
                }
            }
            if !object.can_reconcile() {
                return Ok(Outcome::Static { object: id.clone() });
            }
            let token = self.token(&object);
            let patch = json!({ "metadata": { "annotations": { REQUESTED_AT: token } } });
            let patched = self.patch(&target, &patch).await?;
            self.follow(&target, patched, &object, &token, tell).await
        }
        .boxed()
    }

    async fn suspend(&self, id: &ObjectId) -> Result<Outcome, Outcome> {
        let (target, _) = self.target(id).await?;
        let patch = match target.kind.suspension() {
            Suspension::Spec => json!({ "spec": { "suspend": true } }),
            Suspension::Annotation(name) => json!({ "metadata": { "annotations": { name: "disabled" } } }),
            Suspension::Never => return Err(Outcome::Static { object: id.clone() }),
        };
        self.patch(&target, &patch).await?;
        Ok(Outcome::Done { object: id.clone() })
    }

    async fn resume(&self, id: &ObjectId, tell: Tell<'_>) -> Result<Outcome, Outcome> {
        let (target, object) = self.target(id).await?;
        let token = self.token(&object);
        // Together with a request, so that there is an attempt to follow even if nothing else changed.
        let patch = match target.kind.suspension() {
            Suspension::Spec => json!({
                "metadata": { "annotations": { REQUESTED_AT: token } },
                // As a typed client writes `false` with omitempty.
                "spec": { "suspend": null },
            }),
            Suspension::Annotation(name) => {
                json!({ "metadata": { "annotations": { REQUESTED_AT: token, name: "enabled" } } })
            }
            Suspension::Never => return Err(Outcome::Static { object: id.clone() }),
        };
        let patched = self.patch(&target, &patch).await?;
        if !object.can_reconcile() {
            return Ok(Outcome::Applied { object: id.clone(), revision: None, message: String::new() });
        }
        self.follow(&target, patched, &object, &token, tell).await
    }

    /// A token that this object has not seen: only a change of the annotation's value asks for anything.
    fn token(&self, object: &Object) -> String {
        let now = self.0.clock.now();
        let seen = [&object.meta.requested_at, &object.status.last_handled_reconcile_at];
        // As RFC 3339 with nanoseconds, like the flux CLI.
        let mut token = format!("{now:.9}");
        let mut next = now;
        while seen.iter().any(|s| s.as_deref() == Some(&*token)) {
            next = next.checked_add(Duration::from_nanos(1)).unwrap_or(jiff::Timestamp::MIN);
            token = format!("{next:.9}");
        }
        token
    }

    async fn target(&self, id: &ObjectId) -> Result<(Target, Object), Outcome> {
        let not_served = || Outcome::NotServed { kind: id.kind.to_string() };
        let kind = id.flux_kind().ok_or_else(not_served)?;
        let resource = self.0.served.resource(kind).ok_or_else(not_served)?;
        let target = Target { id: id.clone(), kind, resource };
        let value = self.get(id).await.map_err(|e| outcome(id, e))?;
        let object = Object::from_json(value)
            .map_err(|e| Outcome::Unreachable { error: format!("it answered something else: {e}") })?;
        Ok((target, object))
    }

    fn api(&self, target: &Target) -> Api<Watched> {
        let client = self.0.client.clone();
        match &*target.id.namespace {
            "" => Api::all_with(client, &target.resource),
            namespace => Api::namespaced_with(client, namespace, &target.resource),
        }
    }

    /// Patching again with the same token changes nothing more, so that it may be tried again.
    async fn patch(&self, target: &Target, patch: &Value) -> Result<Watched, Outcome> {
        let api = self.api(target);
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..Default::default() };
        let mut backoff = Backoff::new();
        for attempt in 0.. {
            let error = match api.patch(&target.id.name, &params, &Patch::Merge(patch)).await {
                Ok(patched) => return Ok(patched),
                Err(error) => error,
            };
            match &error {
                kube::Error::Api(status) if matches!(status.code, 400 | 405 | 413 | 415 | 422) => {
                    let message = crate::watch::brief(&status.message);
                    return Err(Outcome::Refused { object: target.id.clone(), message });
                }
                kube::Error::Api(status) if matches!(status.code, 401 | 403 | 404) => {
                    // A 403 may also come from an admission policy; its message says so.
                    if status.code == 403 && status.message.contains("admission") {
                        let message = crate::watch::brief(&status.message);
                        return Err(Outcome::Refused { object: target.id.clone(), message });
                    }
                    return Err(self.no_answer(target, "patch", &error));
                }
                _ if attempt >= 4 => return Err(self.no_answer(target, "patch", &error)),
                _ => sleep(backoff.next().max(self.0.wire.hold().unwrap_or_default())).await,
            }
        }
        Err(Outcome::Unreachable { error: "it could not be patched".into() })
    }

    fn no_answer(&self, target: &Target, verb: &'static str, error: &kube::Error) -> Outcome {
        let (resource, namespace) = (&target.resource, &target.id.namespace);
        outcome(&target.id, AccessError::of(error, verb, resource, namespace, Some(&target.id)))
    }

    /// Follows an object until its controller has answered `token`.
    async fn follow(
        &self,
        target: &Target,
        patched: Watched,
        before: &Object,
        token: &str,
        tell: Tell<'_>,
    ) -> Result<Outcome, Outcome> {
        let limit = before.timeout() + GRACE;
        let deadline = Instant::now() + limit;
        let mut look = Follow {
            id: &target.id,
            token,
            handled: before.status.last_handled_reconcile_at.as_deref(),
            before: doing(before),
            said: None,
            tell,
        };
        let mut trouble: Option<String> = None;
        let work = async {
            let mut version = patched.version();
            if let Some(outcome) = patched.object().and_then(|o| look.at(&o)) {
                return Ok(outcome);
            }
            let api = self.api(target);
            let mut watchable = true;
            let mut backoff = Backoff::new();
            loop {
                if watchable {
                    let params = WatchParams::default().timeout(50);
                    let params = params.fields(&format!("metadata.name={}", target.id.name));
                    match api.watch(&params, version.as_deref().unwrap_or("0")).await {
                        Ok(stream) => {
                            let mut stream = std::pin::pin!(stream);
                            while let Some(Ok(event)) = stream.next().await {
                                trouble = None;
                                match event {
                                    WatchEvent::Added(seen) | WatchEvent::Modified(seen) => {
                                        version = seen.version();
                                        if let Some(outcome) = seen.object().and_then(|o| look.at(&o)) {
                                            return Ok(outcome);
                                        }
                                    }
                                    WatchEvent::Deleted(_) => {
                                        return Err(Outcome::Gone { object: target.id.clone() });
                                    }
                                    WatchEvent::Bookmark(mark) => {
                                        version = Some(mark.metadata.resource_version);
                                    }
                                    // Mostly 410: start over from what is there now.
                                    WatchEvent::Error(_) => break,
                                }
                            }
                        }
                        Err(kube::Error::Api(status)) if matches!(status.code, 403 | 405) => {
                            watchable = false
                        }
                        Err(kube::Error::Api(status)) if status.code == 401 => return Err(Outcome::SignIn),
                        Err(_) => {}
                    }
                }
                match discovery_get(self, target).await {
                    Ok(value) => {
                        trouble = None;
                        backoff.reset();
                        if let Ok(object) = Object::from_json(value) {
                            version = object.meta.resource_version.as_deref().map(str::to_owned);
                            if let Some(outcome) = look.at(&object) {
                                return Ok(outcome);
                            }
                        }
                        // A watch that ends at once must not make us spin.
                        sleep(if watchable { LOOK_EVERY / 4 } else { LOOK_EVERY }).await;
                    }
                    Err(AccessError::Unreachable(why)) => {
                        trouble = Some(why);
                        sleep(backoff.next().max(self.0.wire.hold().unwrap_or_default())).await;
                    }
                    Err(e) => return Err(outcome(&target.id, e)),
                }
            }
        };
        match timeout_at(deadline, work).await {
            Ok(result) => result,
            Err(_) => Err(match trouble {
                Some(error) => Outcome::Unreachable { error },
                None => Outcome::TimedOut {
                    object: target.id.clone(),
                    waiting_for: look.said.unwrap_or_else(|| {
                        format!("nothing. Is the controller of {} running?", role_resource(&target.resource))
                    }),
                    waited: limit,
                },
            }),
        }
    }
}

async fn discovery_get(access: &Access, target: &Target) -> Result<Value, AccessError> {
    let namespace = Some(&*target.id.namespace).filter(|n| !n.is_empty());
    let path = <Watched as kube::Resource>::url_path(&target.resource, namespace);
    let path = format!("{path}/{}", target.id.name);
    discovery::get(&access.0.client, &path, "application/json")
        .await
        .map_err(|e| AccessError::of(&e, "get", &target.resource, &target.id.namespace, Some(&target.id)))
}

struct Target {
    id: ObjectId,
    kind: Kind,
    resource: ApiResource,
}

fn outcome(id: &ObjectId, error: AccessError) -> Outcome {
    match error {
        AccessError::Forbidden { verb, resource, namespace } => {
            Outcome::Forbidden { verb, resource, namespace }
        }
        AccessError::NotFound(_) => Outcome::Gone { object: id.clone() },
        AccessError::NotServed { kind, .. } => Outcome::NotServed { kind },
        AccessError::SignIn => Outcome::SignIn,
        error @ (AccessError::Secret | AccessError::Unreachable(_)) => {
            Outcome::Unreachable { error: error.to_string() }
        }
    }
}

/// What has to be fetched first, so that `object` sees what is new (flux-reference D.2).
fn sources(object: &Object) -> Vec<ObjectId> {
    let of =
        |role: Role| object.references().iter().filter(move |r| r.role == role).map(|r| r.target.clone());
    let charts: Vec<ObjectId> = of(Role::Chart).collect();
    // A HelmRelease's chart fetches its repository itself: through the chart, not past it.
    let mut all = if object.kind == Kind::HelmRelease && !charts.is_empty() {
        charts
    } else {
        of(Role::Source).chain(of(Role::Producer)).chain(of(Role::Images)).collect()
    };
    all.dedup();
    all.retain(|id| id.flux_kind().is_some() && *id != object.id);
    all
}

/// Looks at one object until it has answered.
struct Follow<'a> {
    id: &'a ObjectId,
    token: &'a str,
    /// The token that was answered before we asked.
    handled: Option<&'a str>,
    /// What it said before we asked: no progress, and nothing that it waits for.
    before: Option<String>,
    said: Option<String>,
    tell: Tell<'a>,
}

impl Follow<'_> {
    fn at(&mut self, object: &Object) -> Option<Outcome> {
        let handled = object.status.last_handled_reconcile_at.as_deref();
        let asked = object.meta.requested_at.as_deref();
        // Somebody who asked after us replaced our token; the answer to theirs is newer than ours would be.
        let replaced = asked != Some(self.token) && handled.is_some() && handled == asked;
        let answered = handled == Some(self.token) || (replaced && handled != self.handled);
        let ready = object.ready();
        let status = ready.map(|c| c.status);
        let settled = matches!(status, Some(flux::Truth::True | flux::Truth::False));
        if object.spec.suspend && !answered {
            return Some(Outcome::Suspended { object: self.id.clone() });
        }
        if answered && settled {
            let ready = ready?;
            let message = ready.message.to_string();
            return Some(if status == Some(flux::Truth::True) {
                Outcome::Applied { object: self.id.clone(), revision: revision(object), message }
            } else {
                Outcome::Failed { object: self.id.clone(), reason: ready.reason.to_string(), message }
            });
        }
        let text = doing(object);
        if text != self.before
            && let Some(text) = text
        {
            self.before = None;
            if self.said.as_ref() != Some(&text) {
                (self.tell)(Progress { object: self.id.clone(), text: text.clone() });
                self.said = Some(text);
            }
        }
        None
    }
}

/// What its controller says that it does, or how it went last.
fn doing(object: &Object) -> Option<String> {
    let reconciling = |c: &&flux::Condition| &*c.kind == "Reconciling" && c.status == flux::Truth::True;
    let said = object.conditions().iter().find(reconciling).or(object.ready());
    said.map(|c| c.message.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The revision that an object has, as people read it.
fn revision(object: &Object) -> Option<String> {
    let status = &object.status;
    if let Some(artifact) = &status.artifact {
        return Some(artifact.revision.to_string());
    }
    let release = || status.releases.first().and_then(|r| Some(r.chart_version.as_ref()?.to_string()));
    let revision = status.last_applied_revision.as_ref().or(status.last_attempted_revision.as_ref());
    match object.kind {
        Kind::HelmRelease => release().or_else(|| revision.map(ToString::to_string)),
        Kind::ImagePolicy | Kind::ImageUpdateAutomation => status.latest.as_deref().map(str::to_owned),
        _ => revision.map(ToString::to_string),
    }
}

#[cfg(test)]
mod tests;
