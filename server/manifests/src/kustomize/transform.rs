//! The transformers of a build, in kustomize's order (flux-reference E.3).

use std::sync::Arc;

use super::object::{Built, How, is_cluster_scoped, set_metadata};
use crate::value::{Data, Text};
use crate::{RepoPath, Value};

/// `namespace`: moves what has a namespace, and renames Namespaces.
pub(super) fn namespace(objects: &mut [Built], namespace: &Arc<Value>, path: &RepoPath) {
    if namespace.as_str().is_none_or(str::is_empty) {
        return;
    }
    for object in objects {
        let Some(id) = object.id() else { continue };
        object.remember();
        if &*id.kind == "Namespace" && id.group.is_empty() {
            set_metadata(object, "name", Arc::clone(namespace));
        } else if is_cluster_scoped(&id.group, &id.kind) {
            subjects(object, namespace);
            continue;
        } else {
            set_metadata(object, "namespace", Arc::clone(namespace));
            subjects(object, namespace);
        }
        object.shaped(namespace.site.as_ref(), path, How::Namespace);
    }
}

/// Role bindings name the service account `default` of the namespace they are moved to.
fn subjects(object: &mut Built, namespace: &Arc<Value>) {
    if !matches!(object.value.text(&["kind"]), Some("RoleBinding" | "ClusterRoleBinding")) {
        return;
    }
    Value::change(&mut object.value, &["subjects"], false, &mut |subjects| {
        let Data::Sequence(items) = &mut Arc::make_mut(subjects).data else { return };
        for item in items.iter_mut().filter(|it| it.text(&["name"]) == Some("default")) {
            Arc::make_mut(item).set("namespace", namespace.site.clone(), Some(Arc::clone(namespace)));
        }
    });
}

/// `namePrefix` and `nameSuffix`.
pub(super) fn rename(objects: &mut [Built], affix: &Arc<Value>, is_prefix: bool, path: &RepoPath) {
    let Some(text) = affix.as_str().filter(|it| !it.is_empty()) else { return };
    for object in objects {
        let Some(id) = object.first_id() else { continue };
        let skipped = matches!(
            (&*id.group, &*id.kind),
            (_, "CustomResourceDefinition" | "Namespace") | ("apiregistration.k8s.io", "APIService")
        );
        let Some(name) = object.id().map(|it| it.name).filter(|_| !skipped) else { continue };
        object.remember();
        let name = if is_prefix { format!("{text}{name}") } else { format!("{name}{text}") };
        let site = object.value.dig(&["metadata", "name"]).and_then(|it| it.site.clone());
        set_metadata(object, "name", Arc::new(Value { data: Data::Scalar(Text::new(name, false)), site }));
        object.shaped(affix.site.as_ref(), path, How::Name);
    }
}

/// `replicas`.
pub(super) fn replicas(objects: &mut [Built], entry: &Value, path: &RepoPath) {
    let (Some(name), Some(count)) = (entry.text(&["name"]), entry.get("count")) else { return };
    for object in objects {
        let Some(id) = object.id() else { continue };
        let scales =
            matches!(&*id.kind, "Deployment" | "ReplicaSet" | "ReplicationController" | "StatefulSet");
        let is_named = *id.name == *name || object.earlier.iter().any(|it| *it.name == *name);
        if scales && is_named {
            Value::change(&mut object.value, &["spec", "replicas"], true, &mut |it| *it = Arc::clone(count));
            object.shaped(entry.site.as_ref(), path, How::Replicas);
        }
    }
}
