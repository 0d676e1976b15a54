//! A live object that is none of Flux's, read once: what it holds, and how it stands by its own words.
//!
//! How it stands follows kstatus kind by kind (flux-reference B.3), and is not all of the truth: of a Deployment whose
//! pods crash only its own conditions are known, not the pods.

use std::sync::Arc;

use serde_json::Value;

use crate::ObjectId;
use crate::json::{at, flag, integer, list, path, shared, text};
use crate::object::owner;
use crate::status::{Condition, Truth};

/// A live object, without what others manage for their own books: `metadata.managedFields` and `status`.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    /// Its identity, as it was asked for.
    pub id: ObjectId,
    /// Its `apiVersion`: `apps/v1`.
    pub api_version: Arc<str>,
    /// The Flux object that applied it, by its labels.
    pub owner: Option<ObjectId>,
    /// How it stands.
    pub health: Health,
    /// What it holds.
    pub json: Value,
}

/// How an object stands by its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// In a word.
    pub how: How,
    /// What of it is done, for what comes in numbers.
    pub count: Option<Count>,
    /// `status.phase`, or what stands for it.
    pub phase: Option<Arc<str>>,
    /// The condition that says why.
    pub says: Option<Says>,
}

/// How an object stands, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It has no state of its own: it is there.
    Exists,
    /// As it should be.
    Well,
    /// Not yet, or not any more.
    Coming,
    /// It says itself that it failed.
    Failed,
    /// Being deleted.
    Deleting,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// How many are.
    pub done: i64,
    /// How many there should be.
    pub wanted: i64,
    /// What they are.
    pub what: Counted,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Pods of the newest template.
    Updated,
    /// Pods that are ready.
    Ready,
    /// Pods that are ready for as long as was asked for.
    Available,
    /// Pods that have done their work.
    Done,
}

/// A condition that says why something is not well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Says {
    /// A CamelCase word; may be empty.
    pub reason: Arc<str>,
    /// A text of whoever wrote the condition; may be empty.
    pub message: Arc<str>,
}

impl Live {
    /// Reads an object that a cluster answered with. What is missing in it or of a wrong type counts as absent.
    pub fn read(id: ObjectId, mut value: Value) -> Live {
        let health = Health::read(&id, &value);
        let owner = owner(path(&value, &["metadata", "labels"]));
        let api_version = shared(&value, "apiVersion").unwrap_or_else(|| Arc::from(""));
        if let Some(object) = value.as_object_mut() {
            object.remove("status");
        }
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        Live { id, api_version, owner, health, json: value }
    }

    /// Whether an annotation or a label has this value, in whatever case (flux-reference E.6).
    pub fn says(&self, key: &str, value: &str) -> bool {
        ["annotations", "labels"].iter().any(|it| {
            text(path(&self.json, &["metadata", it]), key)
                .is_some_and(|told| told.eq_ignore_ascii_case(value))
        })
    }
}

impl Health {
    fn of(how: How) -> Health {
        Health { how, count: None, phase: None, says: None }
    }

    /// Whether there is nothing to say against it.
    pub fn is_well(&self) -> bool {
        matches!(self.how, How::Exists | How::Well)
    }

    fn read(id: &ObjectId, value: &Value) -> Health {
        let status = at(value, "status");
        let conditions = list(status, "conditions").iter().filter_map(Condition::read).collect();
        let of = Subject { spec: at(value, "spec"), status, conditions };
        let metadata = at(value, "metadata");
        if text(metadata, "deletionTimestamp").is_some() {
            return Health::of(How::Deleting);
        }
        let health = match (&*id.group, &*id.kind) {
            ("apps", "Deployment") => of.deployment(),
            ("apps", "StatefulSet") => of.stateful_set(),
            ("apps", "DaemonSet") => of.daemon_set(),
            ("apps", "ReplicaSet") | ("", "ReplicationController") => of.replica_set(),
            ("batch", "Job") => of.job(),
            ("", "Pod") => of.pod(),
            ("", "PersistentVolumeClaim") => of.phase("Bound", Some("Lost")),
            ("", "Namespace") => of.phase("Active", None),
            ("", "Service") => of.service(),
            ("apiextensions.k8s.io", "CustomResourceDefinition") => of.definition(),
            _ => of.anything(),
        };
        // What the status says is said of an older spec.
        let is_behind = integer(status, "observedGeneration")
            .zip(integer(metadata, "generation"))
            .is_some_and(|(observed, generation)| observed < generation);
        if is_behind && health.is_well() { Health::of(How::Coming) } else { health }
    }
}

/// The parts that tell how an object stands.
struct Subject<'v> {
    spec: &'v Value,
    status: &'v Value,
    conditions: Vec<Condition>,
}

impl Subject<'_> {
    fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|it| &*it.kind == kind)
    }

    /// What a condition says, if it is so.
    fn says(&self, kind: &str, so: Truth) -> Option<Says> {
        let found = self.condition(kind).filter(|it| it.status == so)?;
        Some(Says { reason: Arc::clone(&found.reason), message: Arc::clone(&found.message) })
    }

    fn number(&self, key: &str) -> i64 {
        integer(self.status, key).unwrap_or_default()
    }

    /// Well once each of these is as many as wanted; until then the first that is not is told.
    fn counted(&self, wanted: i64, counts: &[(Counted, i64)]) -> Health {
        let short = counts.iter().find(|(_, done)| *done < wanted);
        let (what, done) = short.copied().unwrap_or((Counted::Ready, wanted));
        let how = if short.is_some() { How::Coming } else { How::Well };
        Health { count: Some(Count { done, wanted, what }), ..Health::of(how) }
    }

    fn replicas(&self) -> i64 {
        integer(self.spec, "replicas").unwrap_or(1)
    }

    fn deployment(&self) -> Health {
        let wanted = self.replicas();
        let mut health = self.counted(
            wanted,
            &[
                (Counted::Updated, self.number("updatedReplicas")),
                (Counted::Ready, self.number("readyReplicas")),
                (Counted::Available, self.number("availableReplicas")),
            ],
        );
        if health.how == How::Well && self.number("replicas") > wanted {
            // Old pods are still there.
            health.how = How::Coming;
        }
        if let Some(says) =
            self.says("Progressing", Truth::False).filter(|it| &*it.reason == "ProgressDeadlineExceeded")
        {
            return Health { how: How::Failed, says: Some(says), ..health };
        }
        if health.how == How::Coming {
            // Pods that cannot even be made: a quota, an admission rule.
            health.says = self.says("ReplicaFailure", Truth::True);
        }
        health
    }

    fn stateful_set(&self) -> Health {
        let wanted = self.replicas();
        let ready = (Counted::Ready, self.number("readyReplicas"));
        if text(at(self.spec, "updateStrategy"), "type") == Some("OnDelete") {
            return self.counted(wanted, &[ready]);
        }
        let partition = path(self.spec, &["updateStrategy", "rollingUpdate", "partition"]).as_i64();
        let is_new = match partition.filter(|it| *it > 0) {
            Some(partition) => self.number("updatedReplicas") >= wanted - partition,
            None => text(self.status, "currentRevision") == text(self.status, "updateRevision"),
        };
        if is_new {
            return self.counted(wanted, &[ready]);
        }
        let updated = self.number("updatedReplicas").min(wanted);
        let count = Count { done: updated, wanted, what: Counted::Updated };
        Health { count: Some(count), ..Health::of(How::Coming) }
    }

    fn daemon_set(&self) -> Health {
        let wanted = self.number("desiredNumberScheduled");
        if integer(self.status, "observedGeneration").is_none() {
            return Health::of(How::Coming);
        }
        self.counted(
            wanted,
            &[
                (Counted::Updated, self.number("updatedNumberScheduled")),
                (Counted::Ready, self.number("numberReady")),
                (Counted::Available, self.number("numberAvailable")),
            ],
        )
    }

    fn replica_set(&self) -> Health {
        let mut health = self.counted(self.replicas(), &[(Counted::Ready, self.number("readyReplicas"))]);
        if health.how == How::Coming {
            health.says = self.says("ReplicaFailure", Truth::True);
        }
        health
    }

    fn job(&self) -> Health {
        let wanted = integer(self.spec, "completions").unwrap_or(1);
        let count = Some(Count { done: self.number("succeeded"), wanted, what: Counted::Done });
        if let Some(says) = self.says("Failed", Truth::True) {
            return Health { count, says: Some(says), ..Health::of(How::Failed) };
        }
        if self.says("Complete", Truth::True).is_some() {
            return Health { count, ..Health::of(How::Well) };
        }
        if flag(self.spec, "suspend") {
            // As Flux takes it: who suspends a Job waits for nothing.
            return Health { phase: Some("suspended".into()), ..Health::of(How::Well) };
        }
        Health { count, ..Health::of(How::Coming) }
    }

    fn pod(&self) -> Health {
        let phase = shared(self.status, "phase");
        let with = |how: How, says: Option<Says>| Health { phase: phase.clone(), says, ..Health::of(how) };
        let own = || {
            let says = Says {
                reason: shared(self.status, "reason").unwrap_or_else(|| Arc::from("")),
                message: shared(self.status, "message").unwrap_or_else(|| Arc::from("")),
            };
            (!says.reason.is_empty() || !says.message.is_empty()).then_some(says)
        };
        match phase.as_deref() {
            Some("Succeeded") => with(How::Well, None),
            Some("Failed") => with(How::Failed, own()),
            Some("Running") if self.says("Ready", Truth::True).is_some() => with(How::Well, None),
            _ => {
                let containers = ["initContainerStatuses", "containerStatuses"];
                let waits = containers.iter().flat_map(|it| list(self.status, it)).find_map(|it| {
                    let waiting = path(it, &["state", "waiting"]);
                    let reason = shared(waiting, "reason")?;
                    let starts = matches!(&*reason, "ContainerCreating" | "PodInitializing");
                    let message = shared(waiting, "message").unwrap_or_else(|| Arc::from(""));
                    (!starts).then_some(Says { reason, message })
                });
                let crashes = waits.as_ref().is_some_and(|it| &*it.reason == "CrashLoopBackOff");
                let how = if crashes { How::Failed } else { How::Coming };
                with(how, waits.or_else(|| self.says("PodScheduled", Truth::False)))
            }
        }
    }

    /// Well in one phase, lost in another.
    fn phase(&self, well: &str, lost: Option<&str>) -> Health {
        let phase = shared(self.status, "phase");
        let how = match phase.as_deref() {
            Some(it) if it == well => How::Well,
            Some(it) if Some(it) == lost => How::Failed,
            _ => How::Coming,
        };
        Health { phase, ..Health::of(how) }
    }

    /// A Service waits for nothing, unless somebody outside has to give it an address.
    fn service(&self) -> Health {
        let asks = text(self.spec, "type") == Some("LoadBalancer");
        if !asks {
            return Health::of(How::Exists);
        }
        let has = !list(at(self.status, "loadBalancer"), "ingress").is_empty();
        let (how, phase) = if has { (How::Well, "has an address") } else { (How::Coming, "no address yet") };
        Health { phase: Some(phase.into()), ..Health::of(how) }
    }

    fn definition(&self) -> Health {
        if let Some(says) = self.says("NamesAccepted", Truth::False) {
            return Health { says: Some(says), ..Health::of(How::Failed) };
        }
        match self.says("Established", Truth::True) {
            Some(_) => Health::of(How::Well),
            None => Health { says: self.says("Established", Truth::False), ..Health::of(How::Coming) },
        }
    }

    /// What most controllers agree on.
    fn anything(&self) -> Health {
        if let Some(says) = self.says("Stalled", Truth::True) {
            return Health { says: Some(says), ..Health::of(How::Failed) };
        }
        if let Some(says) = self.says("Reconciling", Truth::True) {
            return Health { says: Some(says), ..Health::of(How::Coming) };
        }
        let Some(condition) = ["Ready", "Available"].iter().find_map(|it| self.condition(it)) else {
            return Health::of(How::Exists);
        };
        let says = Says { reason: Arc::clone(&condition.reason), message: Arc::clone(&condition.message) };
        match condition.status {
            Truth::True => Health::of(How::Well),
            Truth::False | Truth::Unknown => Health { says: Some(says), ..Health::of(How::Coming) },
        }
    }
}
