//! Reading, writing and awaiting objects of a cluster.

use std::time::{Duration, Instant};

use futures::{StreamExt, pin_mut};
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::discovery::{Scope, oneshot};
use kube::runtime::watcher;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::error::{Error, Result, Timeout};

/// Kinds that may be named without their group.
const KINDS: &[(&str, &[&str])] = &[
    (
        "v1",
        &[
            "Namespace",
            "Node",
            "Pod",
            "Secret",
            "ConfigMap",
            "Service",
            "ServiceAccount",
            "Event",
            "PersistentVolumeClaim",
        ],
    ),
    ("apps/v1", &["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"]),
    ("batch/v1", &["Job", "CronJob"]),
    ("networking.k8s.io/v1", &["Ingress", "NetworkPolicy"]),
    ("rbac.authorization.k8s.io/v1", &["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"]),
    ("apiextensions.k8s.io/v1", &["CustomResourceDefinition"]),
    (
        "source.toolkit.fluxcd.io/v1",
        &["GitRepository", "OCIRepository", "HelmRepository", "HelmChart", "Bucket", "ExternalArtifact"],
    ),
    ("source.extensions.fluxcd.io/v1beta1", &["ArtifactGenerator"]),
    ("kustomize.toolkit.fluxcd.io/v1", &["Kustomization"]),
    ("helm.toolkit.fluxcd.io/v2", &["HelmRelease"]),
    ("notification.toolkit.fluxcd.io/v1beta3", &["Alert", "Provider"]),
    ("notification.toolkit.fluxcd.io/v1", &["Receiver"]),
];

/// Name of an object: `Kind/namespace/name`, `Kind/name` (cluster-scoped), or with `group/version/` or `v1/` in front.
#[derive(Clone, Debug)]
struct Reference {
    gvk: GroupVersionKind,
    namespace: Option<String>,
    name: String,
}

impl Reference {
    fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Error::Usage(format!(
                "{text:?} names no object ({why}). Write Kind/namespace/name, Kind/name for a cluster-scoped one, or \
                 group/version/Kind/namespace/name for a kind that the testbed does not know."
            ))
        };
        let parts: Vec<&str> = text.split('/').collect();
        let at = parts
            .iter()
            .position(|part| part.starts_with(|c: char| c.is_ascii_uppercase()))
            .ok_or_else(|| wrong("no kind"))?;
        let gvk = gvk(&parts[..=at].join("/")).ok_or_else(|| wrong("the kind is not known"))?;
        let (namespace, name) = match &parts[at + 1..] {
            [name] => (None, *name),
            [namespace, name] => (Some((*namespace).to_owned()), *name),
            _ => return Err(wrong("after the kind come a namespace and a name")),
        };
        if name.is_empty() {
            return Err(wrong("the name is empty"));
        }
        Ok(Self { gvk, namespace, name: name.to_owned() })
    }
}

/// `Kind`, `v1/Kind` or `group/version/Kind`.
fn gvk(text: &str) -> Option<GroupVersionKind> {
    let (api_version, kind) = match text.rsplit_once('/') {
        Some((api_version, kind)) => (api_version, kind),
        None => (KINDS.iter().find(|(_, kinds)| kinds.contains(&text))?.0, text),
    };
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    Some(GroupVersionKind::gvk(group, version, kind))
}

impl Cluster {
    /// Applies one or more YAML documents as the testbed's field manager (server-side, forced) and answers the objects.
    /// The kinds are looked up in the cluster, so a document may use a CustomResourceDefinition that was applied before.
    pub async fn apply(&self, yaml: &str) -> Result<Vec<Value>> {
        let options = serde_saphyr::Options::default();
        let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(yaml, options)
            .map_err(|error| Error::Usage(format!("not YAML that can be applied: {error}")))?;
        let mut applied = Vec::new();
        for document in documents.into_iter().filter(|d| !d.is_null()) {
            applied.push(self.apply_value(document).await?);
        }
        Ok(applied)
    }

    /// Applies one object, see [`Cluster::apply`].
    pub async fn apply_value(&self, object: Value) -> Result<Value> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let (Some(api_version), Some(kind), Some(name)) =
            (text("/apiVersion"), text("/kind"), text("/metadata/name"))
        else {
            return Err(Error::Usage(format!(
                "an object needs apiVersion, kind and metadata.name: {object}"
            )));
        };
        let gvk = gvk(&format!("{api_version}/{kind}"))
            .ok_or_else(|| Error::Usage(format!("{api_version} {kind} is no kind")))?;
        let what = format!("apply {kind} {name}");
        let api = self.api(&gvk, text("/metadata/namespace")).await?;
        let params = PatchParams::apply("testbed").force();
        let answer = api.patch(name, &params, &Patch::Apply(&object)).await.map_err(Error::api(what))?;
        to_value(answer)
    }

    /// The object, or `None` when there is none (or its kind is not served).
    pub async fn get(&self, object: &str) -> Result<Option<Value>> {
        let reference = Reference::parse(object)?;
        let api = match self.api(&reference.gvk, reference.namespace.as_deref()).await {
            Ok(api) => api,
            Err(error) if error.status_code() == Some(404) => return Ok(None),
            Err(error) => return Err(error),
        };
        api.get_opt(&reference.name)
            .await
            .map_err(Error::api(format!("read {object}")))?
            .map(to_value)
            .transpose()
    }

    /// All objects of a kind (`Kind` or `group/version/Kind`), in one namespace or in all.
    pub async fn list(&self, kind: &str, namespace: Option<&str>) -> Result<Vec<Value>> {
        let gvk =
            gvk(kind).ok_or_else(|| Error::Usage(format!("{kind} is no kind that the testbed knows")))?;
        let api = self.api(&gvk, namespace).await?;
        let list = api.list(&ListParams::default()).await.map_err(Error::api(format!("list {kind}")))?;
        list.items.into_iter().map(to_value).collect()
    }

    /// JSON merge patch.
    pub async fn patch(&self, object: &str, patch: Value) -> Result<Value> {
        let reference = Reference::parse(object)?;
        let api = self.api(&reference.gvk, reference.namespace.as_deref()).await?;
        let answer = api.patch(&reference.name, &PatchParams::default(), &Patch::Merge(&patch)).await;
        to_value(answer.map_err(Error::api(format!("patch {object}")))?)
    }

    /// Merges into the status, as a controller would; for clusters without controllers ([`crate::Flux::CrdsOnly`]).
    pub async fn set_status(&self, object: &str, status: Value) -> Result<Value> {
        let reference = Reference::parse(object)?;
        let api = self.api(&reference.gvk, reference.namespace.as_deref()).await?;
        let patch = Patch::Merge(json!({ "status": status }));
        let answer = api.patch_status(&reference.name, &PatchParams::default(), &patch).await;
        to_value(answer.map_err(Error::api(format!("patch the status of {object}")))?)
    }

    /// Deletes; it is no error when the object is not there. Does not wait for finalizers, see [`Cluster::wait_gone`].
    pub async fn delete(&self, object: &str) -> Result<()> {
        let reference = Reference::parse(object)?;
        let api = self.api(&reference.gvk, reference.namespace.as_deref()).await?;
        match api.delete(&reference.name, &DeleteParams::default()).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(Error::api(format!("delete {object}"))(error)),
        }
    }

    /// Asks for a reconciliation by the annotation `reconcile.fluxcd.io/requestedAt` and answers its value.
    pub async fn reconcile(&self, object: &str) -> Result<String> {
        let token = jiff::Timestamp::now().to_string();
        self.patch(
            object,
            json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": token } } }),
        )
        .await?;
        Ok(token)
    }

    /// Waits until `predicate` holds for the object, following it with a watch, so that short-lived states are seen too.
    ///
    /// # Errors
    /// [`Error::Timeout`] says `what` was waited for, the object's conditions as last seen, and the ends of the controllers' logs.
    pub async fn wait_for(
        &self,
        object: &str,
        what: &str,
        timeout: Duration,
        mut predicate: impl FnMut(&Value) -> bool,
    ) -> Result<Value> {
        let found =
            self.wait_for_option(object, what, timeout, |value| value.is_some_and(&mut predicate)).await?;
        found.ok_or_else(|| Error::Usage(format!("{object} vanished")))
    }

    /// Waits for the condition `Ready` to be `True` for the object's newest generation.
    pub async fn wait_ready(&self, object: &str, timeout: Duration) -> Result<Value> {
        self.wait_for(object, &format!("{object} to be ready"), timeout, is_ready).await
    }

    /// Waits for a condition of this type, status and reason (`None`: any reason), e.g. `("Ready", "False", Some("BuildFailed"))`.
    pub async fn wait_condition(
        &self,
        object: &str,
        (kind, status, reason): (&str, &str, Option<&str>),
        timeout: Duration,
    ) -> Result<Value> {
        let what = format!("{object} to have the condition {kind}={status} {}", reason.unwrap_or(""));
        self.wait_for(object, &what, timeout, |value| {
            condition(value, kind).is_some_and(|c| {
                c["status"] == status && reason.is_none_or(|reason| c["reason"] == reason) && {
                    let observed = c["observedGeneration"].as_i64();
                    observed.is_none() || observed == value["metadata"]["generation"].as_i64()
                }
            })
        })
        .await
    }

    /// Waits until the object is gone.
    pub async fn wait_gone(&self, object: &str, timeout: Duration) -> Result<()> {
        self.wait_for_option(object, &format!("{object} to be gone"), timeout, |value| value.is_none())
            .await
            .map(drop)
    }

    async fn wait_for_option(
        &self,
        object: &str,
        what: &str,
        timeout: Duration,
        mut predicate: impl FnMut(Option<&Value>) -> bool,
    ) -> Result<Option<Value>> {
        let reference = Reference::parse(object)?;
        let started = Instant::now();
        let mut last: Result<Option<Value>, String> = Err("nothing was heard from the API server".to_owned());
        let follow = async {
            // The API server may be away for a while: tests stop and pause it.
            let api = loop {
                match self.api(&reference.gvk, reference.namespace.as_deref()).await {
                    Ok(api) => break api,
                    Err(error) => last = Err(error.to_string()),
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            };
            let stream = watcher::watch_object(api, &reference.name);
            pin_mut!(stream);
            while let Some(event) = stream.next().await {
                match event {
                    Ok(value) => {
                        let value = value.map(to_value).transpose()?;
                        if predicate(value.as_ref()) {
                            return Ok(value);
                        }
                        last = Ok(value);
                    }
                    Err(error) => {
                        if last.is_err() {
                            last = Err(error.to_string());
                        }
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                }
            }
            Err(Error::Usage(format!("the watch of {object} ended")))
        };
        match tokio::time::timeout(timeout, follow).await {
            Ok(result) => result,
            Err(_) => {
                let waited = started.elapsed();
                if last.is_err() {
                    // A short wait on a busy machine: what there is counts more than that it was not heard in time.
                    if let Ok(Ok(value)) =
                        tokio::time::timeout(Duration::from_secs(5), self.get(object)).await
                    {
                        last = Ok(value);
                    }
                }
                let last = match last {
                    Ok(Some(value)) => describe(object, &value),
                    Ok(None) => format!("{object} does not exist"),
                    Err(reason) => reason,
                };
                Err(self.timeout(what, &reference.name, waited, last))
            }
        }
    }

    /// Calls `probe` until it answers `Some`, a few times a second; for what is no object, e.g. a commit status in Gitea.
    /// An error of `probe` is kept as the reason and does not end the wait.
    ///
    /// # Errors
    /// [`Error::Timeout`], with the last error of `probe`.
    pub async fn wait_until<T, F>(
        &self,
        what: &str,
        timeout: Duration,
        mut probe: impl FnMut() -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<Option<T>>>,
    {
        let started = Instant::now();
        let mut last = "it has not come true".to_owned();
        while started.elapsed() < timeout {
            match probe().await {
                Ok(Some(value)) => return Ok(value),
                Ok(None) => {}
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(self.timeout(what, "", started.elapsed(), last))
    }

    fn timeout(&self, what: &str, name: &str, waited: Duration, last: String) -> Error {
        self.note_failure();
        let logs = self.logs_about(name);
        Error::Timeout(Box::new(Timeout {
            what: format!("{what} (cluster {})", self.name()),
            waited,
            last,
            logs,
        }))
    }

    async fn api(&self, gvk: &GroupVersionKind, namespace: Option<&str>) -> Result<Api<DynamicObject>> {
        let client = self.client()?;
        let (resource, scope) = self.resource(&client, gvk).await?;
        Ok(match (scope, namespace) {
            (Scope::Namespaced, Some(namespace)) => Api::namespaced_with(client, namespace, &resource),
            _ => Api::all_with(client, &resource),
        })
    }

    async fn resource(&self, client: &kube::Client, gvk: &GroupVersionKind) -> Result<(ApiResource, Scope)> {
        if let Some((resource, namespaced)) = self.known_kinds().get(gvk) {
            return Ok((resource.clone(), if *namespaced { Scope::Namespaced } else { Scope::Cluster }));
        }
        let what = format!("find the kind {} {}", gvk.api_version(), gvk.kind);
        let (resource, capabilities) = oneshot::pinned_kind(client, gvk).await.map_err(Error::api(what))?;
        let namespaced = capabilities.scope == Scope::Namespaced;
        self.known_kinds().insert(gvk.clone(), (resource.clone(), namespaced));
        Ok((resource, capabilities.scope))
    }
}

fn to_value(object: DynamicObject) -> Result<Value> {
    serde_json::to_value(object).map_err(|error| Error::Usage(format!("an object that is no JSON: {error}")))
}

/// A condition of an object by its type.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object.pointer("/status/conditions")?.as_array()?.iter().find(|c| c["type"] == kind)
}

/// Whether `Ready` is `True` and was said of the newest generation.
pub fn is_ready(object: &Value) -> bool {
    let generation = object["metadata"]["generation"].as_i64();
    let observed = object["status"]["observedGeneration"].as_i64();
    condition(object, "Ready").is_some_and(|c| c["status"] == "True")
        && (observed.is_none() || generation.is_none() || observed == generation)
}

fn describe(object: &str, value: &Value) -> String {
    let mut out = format!(
        "{object} as last seen (generation {}, observed {}):\n",
        value["metadata"]["generation"], value["status"]["observedGeneration"]
    );
    let conditions = value.pointer("/status/conditions").and_then(Value::as_array);
    for c in conditions.into_iter().flatten() {
        let text = |key: &str| c[key].as_str().unwrap_or("").trim_end().to_owned();
        out.push_str(&format!(
            "  {}={} {}: {}\n",
            text("type"),
            text("status"),
            text("reason"),
            text("message")
        ));
    }
    if conditions.is_none_or(Vec::is_empty) {
        out.push_str("  it has no conditions\n");
    }
    out
}
