//! A Flux object as the cluster has it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::json::{at, duration, flag, integer, list, path, shared, text, time};
use crate::kind::Suspension;
use crate::references::{self, Reference};
use crate::status::{Condition, Status, is_disabled, suspended_in_spec};
use crate::{Kind, ObjectId};

/// Why something is not a Flux object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFlux {
    /// Its group and kind are not among [`Kind::ALL`].
    #[error("{api_version} {kind} is not a kind of Flux")]
    OtherKind {
        /// Its `apiVersion`, empty if it has none.
        api_version: String,
        /// Its `kind`.
        kind: String,
    },
    /// It is no Kubernetes object at all.
    #[error("it has no kind")]
    NoKind,
    /// It has no name.
    #[error("a {0} without metadata.name is not a live object")]
    NoName(Kind),
}

/// A Flux object: its identity, the slim forms of spec and status, and the spec as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its identity.
    pub id: ObjectId,
    /// Its kind.
    pub kind: Kind,
    /// The API version it was read in, without the group.
    pub version: Arc<str>,
    /// What is known from `metadata`.
    pub meta: Meta,
    /// What is needed of `spec`.
    pub spec: Spec,
    /// What is needed of `status`.
    pub status: Status,
    /// `spec` as compact JSON. Text takes a tenth of the memory of a parsed value; see [`Object::raw_spec`].
    pub spec_json: Arc<str>,
}

/// What is needed of `metadata`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Counts the versions of the spec.
    pub generation: Option<i64>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// Whether `deletionTimestamp` is set.
    pub deleting: bool,
    /// When the deletion was asked for.
    pub deleting_since: Option<Timestamp>,
    /// `reconcile: disabled` by annotation (flux-operator's kinds, ArtifactGenerator).
    pub disabled: bool,
    /// The Flux object that applied this one, by its labels.
    pub owner: Option<ObjectId>,
    /// `config.kubernetes.io/origin`: the file that it came from, as a small YAML text.
    pub origin: Option<Arc<str>>,
    /// `reconcile.fluxcd.io/requestedAt`.
    pub requested_at: Option<Arc<str>>,
    /// For optimistic concurrency; changes with every write.
    pub resource_version: Option<Arc<str>>,
    /// Differs between an object and one of the same name that replaced it.
    pub uid: Option<Arc<str>>,
    /// The newest time found anywhere in it, never later than it was read.
    pub newest: Option<Timestamp>,
    /// Who suspended it, if the object tells.
    pub suspended_by: Option<Writer>,
}

/// Who wrote a field, as `metadata.managedFields` tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// The field manager: `flux`, `kubectl-patch`, `kustomize-controller` for what stands in Git.
    pub manager: Arc<str>,
    /// When it wrote last: this field then or before.
    pub at: Option<Timestamp>,
}

/// What is needed of `spec`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spec {
    /// `spec.suspend`, or the annotation that means the same.
    pub suspend: bool,
    /// `spec.path` (of a FluxInstance: `spec.sync.path`).
    pub path: Option<Arc<str>>,
    /// `spec.interval`.
    pub interval: Option<Duration>,
    /// `spec.retryInterval`.
    pub retry_interval: Option<Duration>,
    /// `spec.timeout` as written; see [`Object::timeout`].
    pub timeout: Option<Duration>,
    /// Kustomization: `spec.wait`.
    pub wait: bool,
    /// Kustomization: whether `spec.healthChecks` has entries. HelmRelease: whether Helm waits.
    pub health_checks: bool,
    /// Kustomization: `spec.prune`.
    pub prune: bool,
    /// `spec.force`.
    pub force: bool,
    /// Whether `spec.kubeConfig` is set: its objects live on another cluster.
    pub remote: bool,
    /// The Secret or ConfigMap of `spec.kubeConfig`.
    pub kube_config: Option<Arc<str>>,
    /// `spec.targetNamespace`.
    pub target_namespace: Option<Arc<str>>,
    /// HelmRelease: `spec.releaseName`.
    pub release_name: Option<Arc<str>>,
    /// HelmRelease: `spec.storageNamespace`.
    pub storage_namespace: Option<Arc<str>>,
    /// `spec.serviceAccountName`.
    pub service_account: Option<Arc<str>>,
    /// `spec.url` of a source (`spec.endpoint` of a Bucket, `spec.sync.url` of a FluxInstance,
    /// `spec.image` of an ImageRepository).
    pub url: Option<Arc<str>>,
    /// What a source follows.
    pub follows: Follows,
    /// HelmRepository: `spec.type: oci`, a static object without status.
    pub oci: bool,
    /// HelmChart and HelmRelease with a chart template: the chart's name or path, and its version.
    pub chart: Option<Arc<str>>,
    /// The chart's version or range.
    pub chart_version: Option<Arc<str>>,
    /// ArtifactGenerator: the names of the ExternalArtifacts that it makes.
    pub produces: Vec<Arc<str>>,
    /// Every field that names another Flux object.
    pub references: Arc<[Reference]>,
}

/// `spec.ref` of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Follows {
    pub branch: Option<Arc<str>>,
    pub tag: Option<Arc<str>>,
    pub semver: Option<Arc<str>>,
    pub name: Option<Arc<str>>,
    pub commit: Option<Arc<str>>,
    pub digest: Option<Arc<str>>,
}

impl Object {
    /// Reads an object as the API server gives it. Every field but kind and name is optional, and a
    /// value of the wrong type counts as missing.
    pub fn from_json(value: Value) -> Result<Object, NotFlux> {
        Object::read(&value)
    }

    /// Like [`Object::from_json`], of a borrowed value.
    pub fn read(value: &Value) -> Result<Object, NotFlux> {
        let api_version = text(value, "apiVersion").unwrap_or_default();
        let kind_name = text(value, "kind").ok_or(NotFlux::NoKind)?;
        let kind = Kind::from_api_version(api_version, kind_name).ok_or_else(|| NotFlux::OtherKind {
            api_version: api_version.to_owned(),
            kind: kind_name.to_owned(),
        })?;
        let metadata = at(value, "metadata");
        let name = text(metadata, "name").ok_or(NotFlux::NoName(kind))?;
        let namespace = text(metadata, "namespace").unwrap_or_default();
        let id = ObjectId::flux(kind, namespace, name);
        let (spec, status) = (at(value, "spec"), at(value, "status"));
        let mut meta = Meta::read(kind, metadata, newest_time(metadata, status));
        let read = Spec::read(kind, &id, spec, meta.disabled);
        if read.suspend && !meta.disabled {
            meta.suspended_by = writer(metadata, "f:suspend");
        }
        Ok(Object {
            kind,
            version: api_version.rsplit('/').next().unwrap_or_default().into(),
            spec: read,
            status: Status::read(kind, &id, status),
            spec_json: if spec.is_null() { "{}".into() } else { spec.to_string().into() },
            meta,
            id,
        })
    }

    /// All conditions.
    pub fn conditions(&self) -> &[Condition] {
        &self.status.conditions
    }

    /// The Ready condition.
    pub fn ready(&self) -> Option<&Condition> {
        self.status.condition("Ready")
    }

    /// Every field that names another Flux object.
    pub fn references(&self) -> &[Reference] {
        &self.spec.references
    }

    /// The whole spec, parsed anew at each call.
    pub fn raw_spec(&self) -> Value {
        serde_json::from_str(&self.spec_json).unwrap_or_default()
    }

    /// The generation that the Ready condition speaks of, where it says so.
    pub fn ready_generation(&self) -> Option<i64> {
        self.ready().and_then(|c| c.observed_generation).filter(|generation| *generation > 0)
    }

    /// The generation that Ready speaks of and the newest one, if they differ: the controller has not yet
    /// spoken about the newest spec.
    pub fn spec_ahead(&self) -> Option<(i64, i64)> {
        self.ready()?;
        let generation = self.meta.generation?;
        let observed = self.ready_generation().or(self.status.observed_generation)?;
        (observed < generation).then_some((observed, generation))
    }

    /// Whether it has no status at all: Alert, Provider, HelmRepository of type `oci`.
    pub fn is_static(&self) -> bool {
        !self.kind.has_status() || (self.kind == Kind::HelmRepository && self.spec.oci)
    }

    /// Whether a reconciler answers a request on it.
    pub fn can_reconcile(&self) -> bool {
        self.kind.can_reconcile() && !self.is_static()
    }

    /// How long a reconciliation may take: `spec.timeout`, else the interval less 30 s; 30 s at least
    /// for Kustomizations (flux-reference B.3, H-9); 5 minutes for HelmReleases, 1 for sources.
    pub fn timeout(&self) -> Duration {
        let least = Duration::from_secs(30);
        match self.kind {
            Kind::Kustomization => {
                let interval = self.spec.interval.map(|i| i.saturating_sub(least));
                self.spec.timeout.or(interval).unwrap_or(Duration::from_secs(300)).max(least)
            }
            Kind::HelmRelease | Kind::ResourceSet | Kind::FluxInstance => {
                self.spec.timeout.unwrap_or(Duration::from_secs(300))
            }
            _ => self.spec.timeout.unwrap_or(Duration::from_secs(60)),
        }
    }

    /// Whether Flux waits for the health of what it applied.
    pub fn checks_health(&self) -> bool {
        match self.kind {
            Kind::Kustomization => self.spec.wait || self.spec.health_checks,
            Kind::HelmRelease => self.spec.health_checks,
            Kind::ResourceSet | Kind::FluxInstance => self.spec.wait,
            _ => false,
        }
    }

    /// Whether this says the same as `other`, whatever the resource version and the times of
    /// confirmation are.
    pub fn says_the_same(&self, other: &Object) -> bool {
        if self.spec_json != other.spec_json || self.status != other.status || self.version != other.version {
            return false;
        }
        let plain =
            |meta: &Meta| Meta { resource_version: None, newest: None, created: None, ..meta.clone() };
        self.id == other.id && plain(&self.meta) == plain(&other.meta)
    }
}

impl Meta {
    fn read(kind: Kind, metadata: &Value, newest: Option<Timestamp>) -> Meta {
        let annotations = at(metadata, "annotations");
        let labels = at(metadata, "labels");
        let owner = owner(labels);
        Meta {
            generation: integer(metadata, "generation"),
            created: time(metadata, "creationTimestamp"),
            deleting: text(metadata, "deletionTimestamp").is_some(),
            deleting_since: time(metadata, "deletionTimestamp"),
            disabled: match kind.suspension() {
                Suspension::Annotation(key) => is_disabled(text(annotations, key)),
                _ => false,
            },
            owner,
            origin: shared(annotations, "config.kubernetes.io/origin"),
            requested_at: shared(annotations, "reconcile.fluxcd.io/requestedAt"),
            resource_version: shared(metadata, "resourceVersion"),
            uid: shared(metadata, "uid"),
            newest,
            suspended_by: None,
        }
    }
}

/// The last one who wrote a field of the spec.
fn writer(metadata: &Value, field: &str) -> Option<Writer> {
    let owns = |it: &&Value| !path(it, &["fieldsV1", "f:spec", field]).is_null();
    let of = |it: &Value| Some(Writer { manager: shared(it, "manager")?, at: time(it, "time") });
    list(metadata, "managedFields").iter().filter(owns).filter_map(of).max_by_key(|it| it.at)
}

/// The Flux object that applied an object with these labels.
pub(crate) fn owner(labels: &Value) -> Option<ObjectId> {
    OWNERS.iter().find_map(|(owner, prefix)| {
        let name = text(labels, &format!("{prefix}/name"))?;
        let namespace = text(labels, &format!("{prefix}/namespace"))?;
        Some(ObjectId::flux(*owner, namespace, name))
    })
}

/// Who marks what it applies with which labels (flux-reference E.1).
const OWNERS: &[(Kind, &str)] = &[
    (Kind::Kustomization, "kustomize.toolkit.fluxcd.io"),
    (Kind::HelmRelease, "helm.toolkit.fluxcd.io"),
    (Kind::ResourceSet, "resourceset.fluxcd.controlplane.io"),
    (Kind::FluxInstance, "fluxcd.controlplane.io"),
];

impl Spec {
    fn read(kind: Kind, id: &ObjectId, spec: &Value, disabled: bool) -> Spec {
        let instance = kind == Kind::FluxInstance;
        let from = if instance { at(spec, "sync") } else { spec };
        let kube_config = at(spec, "kubeConfig");
        let template = if kind == Kind::HelmRelease { path(spec, &["chart", "spec"]) } else { spec };
        let url = match kind {
            Kind::Bucket => "endpoint",
            Kind::ImageRepository => "image",
            _ => "url",
        };
        let reference = at(spec, "ref");
        let waits = |action: &str| !flag(at(spec, action), "disableWait");
        Spec {
            suspend: disabled || (kind.suspension() == Suspension::Spec && suspended_in_spec(spec)),
            path: shared(from, "path"),
            interval: duration(spec, "interval"),
            retry_interval: duration(spec, "retryInterval"),
            timeout: duration(spec, "timeout"),
            wait: flag(spec, "wait") || (instance && at(spec, "wait").is_null()),
            health_checks: match kind {
                Kind::HelmRelease => waits("install") && waits("upgrade"),
                _ => !list(spec, "healthChecks").is_empty(),
            },
            prune: flag(spec, "prune"),
            force: flag(spec, "force"),
            remote: kube_config.is_object(),
            kube_config: shared(at(kube_config, "secretRef"), "name")
                .or_else(|| shared(at(kube_config, "configMapRef"), "name")),
            target_namespace: shared(spec, "targetNamespace"),
            release_name: shared(spec, "releaseName"),
            storage_namespace: shared(spec, "storageNamespace"),
            service_account: shared(spec, "serviceAccountName"),
            url: shared(from, url),
            follows: Follows {
                branch: shared(reference, "branch"),
                tag: shared(reference, "tag"),
                semver: shared(reference, "semver"),
                name: shared(reference, "name").or_else(|| {
                    // A FluxInstance's `sync.ref` is the reference itself.
                    if instance { shared(from, "ref") } else { None }
                }),
                commit: shared(reference, "commit"),
                digest: shared(reference, "digest"),
            },
            oci: kind == Kind::HelmRepository && text(spec, "type") == Some("oci"),
            chart: shared(template, "chart"),
            chart_version: shared(template, "version"),
            produces: match kind {
                Kind::ArtifactGenerator => {
                    list(spec, "artifacts").iter().filter_map(|a| shared(a, "name")).collect()
                }
                _ => Vec::new(),
            },
            references: references::read(kind, id, spec).into(),
        }
    }
}

/// The newest time that is written in an object, in any field that a controller writes.
fn newest_time(metadata: &Value, status: &Value) -> Option<Timestamp> {
    let mut newest = time(metadata, "creationTimestamp");
    let mut see = |seen: Option<Timestamp>| newest = newest.max(seen);
    for managed in list(metadata, "managedFields") {
        see(time(managed, "time"));
    }
    for condition in list(status, "conditions") {
        see(time(condition, "lastTransitionTime"));
    }
    for entry in list(status, "history") {
        see(time(entry, "lastReconciled"));
        see(time(entry, "lastDeployed"));
    }
    see(time(at(status, "artifact"), "lastUpdateTime"));
    see(time(status, "lastAutomationRunTime"));
    see(time(at(status, "lastScanResult"), "scanTime"));
    newest
}

impl<'de> serde::Deserialize<'de> for Object {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Object, D::Error> {
        Object::read(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
