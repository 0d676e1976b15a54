//! A small repository, and what a cluster says of it.

use serde_json::{Value, json};

/// Two documents of the folder that the cluster's root Kustomization applies.
pub const FILES: &str = "\
//- clusters/staging/apps.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  interval: 10m
  path: ./apps/staging
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
//- clusters/staging/infra.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: infra
  namespace: flux-system
spec:
  interval: 10m
  path: ./infra
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
//- notes.yaml
shopping:
- milk
";

/// The file of `apps`, which fails.
pub const APPS: &str = "clusters/staging/apps.yaml";
/// The file of `infra`, which is ready.
pub const INFRA: &str = "clusters/staging/infra.yaml";
/// A file that is not Kubernetes.
pub const NOTES: &str = "notes.yaml";

const REVISION: &str = "main@sha1:1a2b3c4d5e6f708192a3b4c5d6e7f80911223344";
const TIME: &str = "2026-11-20T14:02:00Z";

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({
        "type": kind, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": TIME, "observedGeneration": 1,
    })
}

fn object(group: &str, kind: &str, name: &str, spec: Value, status: Value) -> Value {
    json!({
        "apiVersion": format!("{group}.toolkit.fluxcd.io/v1"), "kind": kind,
        "metadata": {"name": name, "namespace": "flux-system", "generation": 1, "resourceVersion": "7", "uid": name},
        "spec": spec, "status": status,
    })
}

/// The source of everything.
pub fn source() -> Value {
    object(
        "source",
        "GitRepository",
        "flux-system",
        json!({"interval": "1m", "url": "https://git.example.com/fleet", "ref": {"branch": "main"}}),
        json!({
            "observedGeneration": 1,
            "conditions": [condition("Ready", "True", "Succeeded", "stored artifact for revision")],
            "artifact": {"revision": REVISION, "digest": "sha256:00", "path": "a", "url": "http://a/a.tar.gz", "lastUpdateTime": TIME},
        }),
    )
}

/// A Kustomization that is ready, or has failed with this message.
pub fn kustomization(name: &str, path: &str, inventory: &[&str], failure: Option<&str>) -> Value {
    let entries: Vec<Value> = inventory.iter().map(|id| json!({"id": id, "v": "v1"})).collect();
    let conditions = match failure {
        Some(message) => json!([condition("Ready", "False", "BuildFailed", message)]),
        None => json!([condition(
            "Ready",
            "True",
            "ReconciliationSucceeded",
            &format!("Applied revision: {REVISION}")
        )]),
    };
    let mut status = json!({
        "observedGeneration": 1, "conditions": conditions, "lastAttemptedRevision": REVISION,
        "inventory": {"entries": entries},
    });
    if failure.is_none() {
        status["lastAppliedRevision"] = json!(REVISION);
    }
    object(
        "kustomize",
        "Kustomization",
        name,
        json!({
            "interval": "10m", "path": path, "prune": true,
            "sourceRef": {"kind": "GitRepository", "name": "flux-system"},
        }),
        status,
    )
}

const ROOT: [&str; 2] = [
    "flux-system_apps_kustomize.toolkit.fluxcd.io_Kustomization",
    "flux-system_infra_kustomize.toolkit.fluxcd.io_Kustomization",
];

/// What is in the cluster: `apps` has failed with this message, or is ready.
pub fn objects(failure: Option<&str>) -> Vec<Value> {
    vec![
        source(),
        kustomization("flux-system", "./clusters/staging", &ROOT, None),
        kustomization("apps", "./apps/staging", &[], failure),
        kustomization("infra", "./infra", &[], None),
    ]
}

/// The message of a folder that is not there.
pub const NO_FOLDER: &str =
    "kustomization path not found: stat /tmp/kustomization-123/apps/staging: no such file or directory";

/// The cluster as a recording.
pub fn list(failure: Option<&str>) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": objects(failure)})
}

/// The cluster as a session tells it.
pub fn changes(failure: Option<&str>) -> cluster::What {
    let objects = objects(failure).into_iter().map(|it| flux::Object::from_json(it).unwrap());
    cluster::What::Changes(objects.map(flux::Change::Applied).collect())
}
