//! What a Flux object's status says, in as few bytes as possible.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::id::{ObjectId, split_inventory, unescape_name};
use crate::json::{at, flag, integer, list, path, shared, text, time};
use crate::{Kind, Revision};

/// The three values of a condition's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Truth {
    True,
    False,
    Unknown,
}

/// One of `status.conditions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `Ready`, `Reconciling`, `Stalled`, …
    pub kind: Arc<str>,
    /// Anything that is neither `True` nor `False` counts as unknown.
    pub status: Truth,
    /// A CamelCase word; may be empty.
    pub reason: Arc<str>,
    /// As the controller wrote it, up to 32 KiB; see [`crate::message`].
    pub message: Arc<str>,
    /// The generation that it speaks of. Controllers write 0 or nothing where they do not say.
    pub observed_generation: Option<i64>,
    /// `lastTransitionTime`: when the status changed last (not: when it was last confirmed).
    pub since: Option<Timestamp>,
}

/// `status.artifact` of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The revision that others take.
    pub revision: Revision,
    /// The digest of the tarball (not of what it was made from).
    pub digest: Option<Arc<str>>,
    /// `org.opencontainers.image.source`: the Git repository that an OCI artifact was made from.
    pub origin_source: Option<Arc<str>>,
    /// `org.opencontainers.image.revision`: the Git revision that it was made from.
    pub origin_revision: Option<Revision>,
    /// When it was stored.
    pub updated: Option<Timestamp>,
}

/// An entry of a Kustomization's `status.history` (Flux 2.7 and later).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// The reason that Ready had at its end, such as `ReconciliationSucceeded`.
    pub outcome: Arc<str>,
    /// The source's revision.
    pub revision: Option<Revision>,
    /// The Git revision behind an OCI artifact's.
    pub origin_revision: Option<Revision>,
    /// The first time that this outcome was reached with this content.
    pub first: Option<Timestamp>,
    /// The last time.
    pub last: Option<Timestamp>,
    /// How often.
    pub total: Option<i64>,
    /// Digest of the built YAML.
    pub digest: Option<Arc<str>>,
}

/// An entry of a HelmRelease's `status.history`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// `deployed`, `superseded`, `failed`, `uninstalled`, `pending-…`
    pub status: Arc<str>,
    /// Helm's revision number.
    pub version: Option<i64>,
    /// The chart's name.
    pub chart: Option<Arc<str>>,
    /// The chart's version, with Flux's build metadata.
    pub chart_version: Option<Revision>,
    /// The version of the app inside.
    pub app_version: Option<Arc<str>>,
    /// The release's namespace.
    pub namespace: Option<Arc<str>>,
    /// The release's name.
    pub name: Option<Arc<str>>,
    /// install, upgrade, rollback, … (Flux 2.8 and later).
    pub action: Option<Arc<str>>,
    /// Digest of the OCI artifact that the chart was.
    pub oci_digest: Option<Arc<str>>,
    /// When it was last deployed.
    pub last_deployed: Option<Timestamp>,
}

/// The slim form of `status`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// All conditions that have a type, in the cluster's order; of a type that is there twice, the first.
    pub conditions: Vec<Condition>,
    /// `status.observedGeneration`; starts at -1. Prefer that of the Ready condition: this one lags on
    /// failures and runs ahead on suspended objects (flux-reference B.1).
    pub observed_generation: Option<i64>,
    /// The last `reconcile.fluxcd.io/requestedAt` that was answered.
    pub last_handled_reconcile_at: Option<Arc<str>>,
    /// The last `reconcile.fluxcd.io/forceAt` that was answered.
    pub last_handled_force_at: Option<Arc<str>>,
    /// The last `reconcile.fluxcd.io/resetAt` that was answered.
    pub last_handled_reset_at: Option<Arc<str>>,
    /// `lastAppliedRevision`; for Kustomizations only written after the health checks passed.
    pub last_applied_revision: Option<Revision>,
    /// `lastAttemptedRevision`; of a HelmRelease it is the chart's version.
    pub last_attempted_revision: Option<Revision>,
    /// Digest of the OCI artifact of a HelmRelease's last attempt.
    pub last_attempted_digest: Option<Arc<str>>,
    /// `lastAppliedOriginRevision` (Flux 2.5 and later).
    pub last_applied_origin_revision: Option<Revision>,
    /// What a source offers.
    pub artifact: Option<Artifact>,
    /// What was applied; `Some` and empty is not the same as `None`. The old list stays when an apply
    /// fails, so new objects of a failed apply are missing in it.
    pub inventory: Option<Inventory>,
    /// A Kustomization's (or flux-operator object's) outcomes, newest first.
    pub history: Vec<Reconciliation>,
    /// HelmChart: `observedSourceArtifactRevision`, the revision of its source that was looked at last. Not the one that it was
    /// packaged from: a version that is packaged already is not packaged again (source-controller, `localChartBuilder`).
    pub observed_source: Option<Revision>,
    /// A HelmRelease's releases, newest first.
    pub releases: Vec<Release>,
    /// `status.helmChart` of a HelmRelease.
    pub helm_chart: Option<ObjectId>,
    /// Consecutive failures of a HelmRelease.
    pub failures: i64,
    /// Image kinds: the newest image of a policy (`name:tag`), or the last pushed commit of an automation.
    pub latest: Option<Arc<str>>,
}

impl Status {
    pub(crate) fn read(kind: Kind, id: &ObjectId, value: &Value) -> Status {
        let helm = kind == Kind::HelmRelease;
        let mut conditions: Vec<Condition> = Vec::new();
        for condition in list(value, "conditions") {
            if let Some(condition) = Condition::read(condition)
                && !conditions.iter().any(|c| c.kind == condition.kind)
            {
                conditions.push(condition);
            }
        }
        let mut history: Vec<_> = list(value, "history").iter().filter(|entry| entry.is_object()).collect();
        // Newest first is the documented order; sorting by time keeps that true of odd writers.
        // (Helm revisions say it for releases.)
        if helm {
            history.sort_by_key(|entry| std::cmp::Reverse(integer(entry, "version")));
        } else {
            history.sort_by_key(|entry| std::cmp::Reverse(time(entry, "lastReconciled")));
        }
        Status {
            conditions,
            observed_generation: integer(value, "observedGeneration"),
            last_handled_reconcile_at: shared(value, "lastHandledReconcileAt"),
            last_handled_force_at: shared(value, "lastHandledForceAt"),
            last_handled_reset_at: shared(value, "lastHandledResetAt"),
            last_applied_revision: revision(value, "lastAppliedRevision"),
            last_attempted_revision: revision(value, "lastAttemptedRevision"),
            last_attempted_digest: shared(value, "lastAttemptedRevisionDigest"),
            last_applied_origin_revision: revision(value, "lastAppliedOriginRevision"),
            artifact: Artifact::read(at(value, "artifact")),
            inventory: Inventory::read(kind, at(value, "inventory")),
            observed_source: revision(value, "observedSourceArtifactRevision"),
            history: if helm {
                Vec::new()
            } else {
                history.iter().map(|h| Reconciliation::read(h)).collect()
            },
            releases: if helm { history.iter().map(|h| Release::read(h)).collect() } else { Vec::new() },
            helm_chart: text(value, "helmChart")
                .map(|chart| chart.split_once('/').unwrap_or((&id.namespace, chart)))
                .map(|(namespace, name)| ObjectId::flux(Kind::HelmChart, namespace, name)),
            failures: integer(value, "failures").unwrap_or(0),
            latest: latest(value),
        }
    }

    /// The condition of a type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| &*c.kind == kind)
    }

    /// Whether the condition of a type is True.
    pub fn is(&self, kind: &str) -> bool {
        self.condition(kind).is_some_and(|c| c.status == Truth::True)
    }
}

fn revision(value: &Value, key: &str) -> Option<Revision> {
    text(value, key).and_then(Revision::non_empty)
}

fn latest(value: &Value) -> Option<Arc<str>> {
    let of_policy = at(value, "latestRef");
    if let (Some(name), Some(tag)) = (text(of_policy, "name"), text(of_policy, "tag")) {
        return Some(format!("{name}:{tag}").into());
    }
    shared(value, "latestImage").or_else(|| shared(value, "lastPushCommit"))
}

impl Condition {
    pub(crate) fn read(value: &Value) -> Option<Condition> {
        let empty = || Arc::from("");
        Some(Condition {
            kind: shared(value, "type")?,
            status: match text(value, "status") {
                Some("True") => Truth::True,
                Some("False") => Truth::False,
                _ => Truth::Unknown,
            },
            reason: shared(value, "reason").unwrap_or_else(empty),
            message: shared(value, "message").unwrap_or_else(empty),
            observed_generation: integer(value, "observedGeneration"),
            since: time(value, "lastTransitionTime"),
        })
    }
}

impl Artifact {
    fn read(value: &Value) -> Option<Artifact> {
        let metadata = at(value, "metadata");
        Some(Artifact {
            revision: revision(value, "revision")?,
            // v1beta1 wrote `checksum`.
            digest: shared(value, "digest").or_else(|| shared(value, "checksum")),
            origin_source: shared(metadata, "org.opencontainers.image.source"),
            origin_revision: revision(metadata, "org.opencontainers.image.revision"),
            updated: time(value, "lastUpdateTime"),
        })
    }
}

impl Reconciliation {
    fn read(value: &Value) -> Reconciliation {
        Reconciliation {
            outcome: shared(value, "lastReconciledStatus").unwrap_or_else(|| "".into()),
            revision: text(path(value, &["metadata"]), "revision").and_then(Revision::non_empty),
            origin_revision: text(path(value, &["metadata"]), "originRevision").and_then(Revision::non_empty),
            first: time(value, "firstReconciled"),
            last: time(value, "lastReconciled"),
            total: integer(value, "totalReconciliations"),
            digest: shared(value, "digest"),
        }
    }
}

impl Release {
    fn read(value: &Value) -> Release {
        Release {
            status: shared(value, "status").unwrap_or_else(|| "".into()),
            version: integer(value, "version"),
            chart: shared(value, "chartName"),
            chart_version: revision(value, "chartVersion"),
            app_version: shared(value, "appVersion"),
            namespace: shared(value, "namespace"),
            name: shared(value, "name"),
            action: shared(value, "action"),
            oci_digest: shared(value, "ociDigest"),
            last_deployed: time(value, "lastDeployed"),
        }
    }
}

/// `status.inventory`, packed: what entries have in common is kept once, names stand in one text.
/// 8 bytes and the name's length for an entry, sorted so that [`Inventory::contains`] is a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    groups: Box<[Group]>,
    /// Index of the group, end of the name in `names` (its start is the end of the entry before).
    entries: Box<[(u32, u32)]>,
    names: Box<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    namespace: Box<str>,
    group: Box<str>,
    kind: Box<str>,
    version: Box<str>,
}

/// An entry of an [`Inventory`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InventoryEntry<'a> {
    /// Empty for cluster-scoped objects.
    pub namespace: &'a str,
    /// Empty for the core group.
    pub group: &'a str,
    /// The kind.
    pub kind: &'a str,
    /// The name.
    pub name: &'a str,
    /// The API version, without the group; empty if it was not told.
    pub version: &'a str,
}

impl InventoryEntry<'_> {
    /// The object it names.
    pub fn id(&self) -> ObjectId {
        ObjectId::new(self.group, self.kind, self.namespace, self.name)
    }
}

impl Inventory {
    fn read(kind: Kind, value: &Value) -> Option<Inventory> {
        // An ArtifactGenerator lists the ExternalArtifacts that it made, without ids.
        if kind == Kind::ArtifactGenerator {
            let entries = value.as_array()?.iter().filter_map(|entry| {
                Some(InventoryEntry {
                    namespace: text(entry, "namespace")?,
                    group: Kind::ExternalArtifact.group(),
                    kind: Kind::ExternalArtifact.as_str(),
                    name: text(entry, "name")?,
                    version: "v1",
                })
            });
            return Some(Inventory::new(entries));
        }
        if !value.is_object() {
            return None;
        }
        let split: Vec<_> = list(value, "entries")
            .iter()
            .filter_map(|entry| {
                let (namespace, name, group, kind) = split_inventory(text(entry, "id")?)?;
                let version = text(entry, "v").unwrap_or_default();
                Some((namespace, unescape_name(name, group), group, kind, version))
            })
            .collect();
        Some(Inventory::new(split.iter().map(|(namespace, name, group, kind, version)| InventoryEntry {
            namespace,
            group,
            kind,
            name,
            version,
        })))
    }

    /// Packs entries. Doubles are kept once.
    pub fn new<'a>(entries: impl IntoIterator<Item = InventoryEntry<'a>>) -> Inventory {
        let key = |e: &InventoryEntry<'a>| (e.namespace, e.group, e.kind, e.name);
        let mut sorted: Vec<InventoryEntry<'a>> = entries.into_iter().collect();
        sorted.sort_by_key(key);
        sorted.dedup_by_key(|e| key(e));
        let mut groups: Vec<Group> = Vec::new();
        let mut names = String::with_capacity(sorted.iter().map(|e| e.name.len()).sum());
        let mut packed = Vec::with_capacity(sorted.len());
        for entry in sorted {
            let same = groups.last().is_some_and(|g| {
                (&*g.namespace, &*g.group, &*g.kind, &*g.version)
                    == (entry.namespace, entry.group, entry.kind, entry.version)
            });
            if !same {
                groups.push(Group {
                    namespace: entry.namespace.into(),
                    group: entry.group.into(),
                    kind: entry.kind.into(),
                    version: entry.version.into(),
                });
            }
            names.push_str(entry.name);
            packed.push((groups.len() as u32 - 1, names.len() as u32));
        }
        Inventory { groups: groups.into(), entries: packed.into(), names: names.into() }
    }

    /// How many objects it lists.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it lists nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn entry(&self, index: usize) -> Option<InventoryEntry<'_>> {
        let (group, end) = *self.entries.get(index)?;
        let start = match index.checked_sub(1) {
            Some(before) => self.entries.get(before)?.1,
            None => 0,
        };
        let group = self.groups.get(group as usize)?;
        Some(InventoryEntry {
            namespace: &group.namespace,
            group: &group.group,
            kind: &group.kind,
            name: self.names.get(start as usize..end as usize)?,
            version: &group.version,
        })
    }

    /// All entries, sorted by namespace, group, kind and name.
    pub fn iter(&self) -> impl Iterator<Item = InventoryEntry<'_>> {
        (0..self.entries.len()).filter_map(|index| self.entry(index))
    }

    /// The entries that are Flux objects.
    pub fn flux_objects(&self) -> impl Iterator<Item = ObjectId> {
        self.iter().filter(|e| Kind::from_group_kind(e.group, e.kind).is_some()).map(|e| e.id())
    }

    /// The entry of an object.
    pub fn get(&self, id: &ObjectId) -> Option<InventoryEntry<'_>> {
        let wanted = (&*id.namespace, &*id.group, &*id.kind, &*id.name);
        let (mut low, mut high) = (0, self.entries.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.entry(middle)?;
            match (entry.namespace, entry.group, entry.kind, entry.name).cmp(&wanted) {
                std::cmp::Ordering::Equal => return Some(entry),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Whether it lists an object.
    pub fn contains(&self, id: &ObjectId) -> bool {
        self.get(id).is_some()
    }

    /// The (namespace, group, kind) triples that occur, each once or (with several versions) more often.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.groups.iter().map(|g| (&*g.namespace, &*g.group, &*g.kind))
    }
}

/// Whether the annotation or label value `disabled` is written here.
pub(crate) fn is_disabled(value: Option<&str>) -> bool {
    value.is_some_and(|value| value.eq_ignore_ascii_case("disabled"))
}

pub(crate) fn suspended_in_spec(spec: &Value) -> bool {
    flag(spec, "suspend")
}
