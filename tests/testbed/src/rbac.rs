//! Rights, as Flux 2.9 and a cluster's owner would give them.

use serde_json::{Value, json};

const FLUX_GROUPS: [&str; 6] = [
    "notification.toolkit.fluxcd.io",
    "source.toolkit.fluxcd.io",
    "source.extensions.fluxcd.io",
    "helm.toolkit.fluxcd.io",
    "image.toolkit.fluxcd.io",
    "kustomize.toolkit.fluxcd.io",
];

pub(crate) fn namespace(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } })
}

/// The ClusterRoles that Flux installs (flux2, `manifests/rbac`), and their bindings to the users `viewer` and `editor`.
pub(crate) fn flux() -> Vec<Value> {
    let role = |name: &str, verbs: &[&str], aggregated_to: &[&str]| {
        let labels: serde_json::Map<String, Value> = aggregated_to
            .iter()
            .map(|to| (format!("rbac.authorization.k8s.io/aggregate-to-{to}"), "true".into()))
            .collect();
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": { "name": name, "labels": labels },
            "rules": [{ "apiGroups": FLUX_GROUPS, "resources": ["*"], "verbs": verbs }]
        })
    };
    let binding = |user: &str, role: &str| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": { "name": format!("{user}-{role}") },
            "roleRef": role_ref(role),
            "subjects": [subject(user)]
        })
    };
    vec![
        role("flux-view", &["get", "list", "watch"], &["view", "edit", "admin"]),
        role("flux-edit", &["create", "delete", "deletecollection", "patch", "update"], &["edit", "admin"]),
        binding("viewer", "flux-view"),
        binding("editor", "flux-view"),
        binding("editor", "flux-edit"),
    ]
}

/// A namespace and a user with rights in it.
pub(crate) fn tenant(namespace: &str, user: &str) -> Vec<Value> {
    let mut objects = vec![self::namespace(namespace)];
    for role in ["flux-view", "flux-edit", "view"] {
        objects.push(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": { "name": format!("{user}-{role}"), "namespace": namespace },
            "roleRef": role_ref(role),
            "subjects": [subject(user)]
        }));
    }
    objects
}

fn role_ref(role: &str) -> Value {
    json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role })
}

fn subject(user: &str) -> Value {
    json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user })
}
