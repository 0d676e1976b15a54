//! The transformers of a build, in kustomize's order (flux-reference E.3).

use std::sync::Arc;

use super::object::{Built, How, is_cluster_scoped, set_metadata};
use crate::value::{Data, Member, Text};
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

/// Labels or annotations, and where else they go.
pub(super) struct Pairs<'a> {
    pub(super) key: &'static str,
    pub(super) pairs: &'a [Member],
    pub(super) selectors: bool,
    pub(super) templates: bool,
}

/// `labels`, `commonLabels`, `commonAnnotations`, and Flux's `commonMetadata`.
pub(super) fn metadata(objects: &mut [Built], pairs: &Pairs<'_>, path: &RepoPath) {
    if pairs.pairs.is_empty() {
        return;
    }
    for object in objects {
        let kind = object.value.text(&["kind"]).unwrap_or_default().to_owned();
        let mut places: Vec<Vec<&str>> = vec![vec!["metadata", pairs.key]];
        let has_template = matches!(
            kind.as_str(),
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" | "ReplicationController"
        );
        if pairs.templates && has_template {
            places.push(vec!["spec", "template", "metadata", pairs.key]);
        }
        if pairs.templates && kind == "CronJob" {
            places.push(vec!["spec", "jobTemplate", "metadata", pairs.key]);
            places.push(vec!["spec", "jobTemplate", "spec", "template", "metadata", pairs.key]);
        }
        if pairs.selectors {
            match kind.as_str() {
                "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => {
                    places.push(vec!["spec", "selector", "matchLabels"]);
                }
                "Service" | "ReplicationController" => places.push(vec!["spec", "selector"]),
                _ => {}
            }
        }
        for place in places {
            // A Service without a selector is one on purpose.
            let create = !(kind == "Service" && place[0] == "spec");
            Value::change(&mut object.value, &place, create, &mut |labels| {
                let labels = Arc::make_mut(labels);
                if !matches!(labels.data, Data::Mapping(_)) {
                    labels.data = Data::Mapping(Vec::new());
                }
                for pair in pairs.pairs {
                    labels.set(&pair.key, pair.site.clone(), Some(Arc::clone(&pair.value)));
                }
            });
        }
        object.shaped(pairs.pairs.first().and_then(|it| it.site.as_ref()), path, How::Metadata);
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

/// `images`: in every list of containers, wherever it is.
pub(super) fn image(objects: &mut [Built], entry: &Value, path: &RepoPath) {
    let Some(name) = entry.text(&["name"]) else { return };
    for object in objects {
        // kustomize leaves these alone.
        if object.value.text(&["kind"]) == Some("CustomResourceDefinition") {
            continue;
        }
        if let Some(value) = images(&object.value, name, entry, 0) {
            object.value = value;
            object.shaped(entry.site.as_ref(), path, How::Image);
        }
    }
}

fn images(value: &Arc<Value>, name: &str, entry: &Value, depth: u32) -> Option<Arc<Value>> {
    const MAX_DEPTH: u32 = 64;
    if depth > MAX_DEPTH {
        return None;
    }
    match &value.data {
        Data::Mapping(members) => {
            let mut changed: Option<Arc<Value>> = None;
            for member in members {
                let new = match &*member.key {
                    "containers" | "initContainers" | "ephemeralContainers" => {
                        containers(&member.value, name, entry)
                    }
                    _ => images(&member.value, name, entry, depth + 1),
                };
                if let Some(new) = new {
                    let into = changed.get_or_insert_with(|| Arc::clone(value));
                    Arc::make_mut(into).set(&member.key, None, Some(new));
                }
            }
            changed
        }
        Data::Sequence(items) => {
            let new: Vec<Option<Arc<Value>>> =
                items.iter().map(|it| images(it, name, entry, depth + 1)).collect();
            new.iter().any(Option::is_some).then(|| {
                let items = items.iter().zip(new).map(|(old, new)| new.unwrap_or_else(|| Arc::clone(old)));
                Arc::new(Value { data: Data::Sequence(items.collect()), site: value.site.clone() })
            })
        }
        Data::Scalar(_) => None,
    }
}

fn containers(list: &Arc<Value>, name: &str, entry: &Value) -> Option<Arc<Value>> {
    let items = list.as_sequence()?;
    let renamed = |item: &Arc<Value>| -> Option<Arc<Value>> {
        let member = item.member("image")?;
        let image = member.value.as_str()?;
        let (own, rest) = split_image(image);
        if own != name {
            return None;
        }
        let text = |key: &str| entry.text(&[key]).filter(|it| !it.is_empty());
        let own = text("newName").unwrap_or(own);
        let new = match (text("newTag"), text("digest")) {
            (_, Some(digest)) => format!("{own}@{digest}"),
            (Some(tag), None) => format!("{own}:{tag}"),
            (None, None) => format!("{own}{rest}"),
        };
        let at = ["digest", "newTag", "newName", "name"]
            .iter()
            .find_map(|it| entry.get(it).filter(|it| !it.is_null()));
        let value =
            Value { data: Data::Scalar(Text::new(new, false)), site: at.and_then(|it| it.site.clone()) };
        let mut item = Arc::clone(item);
        Arc::make_mut(&mut item).set("image", None, Some(Arc::new(value)));
        Some(item)
    };
    let new: Vec<Option<Arc<Value>>> = items.iter().map(renamed).collect();
    new.iter().any(Option::is_some).then(|| {
        let items = items.iter().zip(new).map(|(old, new)| new.unwrap_or_else(|| Arc::clone(old)));
        Arc::new(Value { data: Data::Sequence(items.collect()), site: list.site.clone() })
    })
}

/// The name of an image, and its tag or digest with what separates it.
fn split_image(image: &str) -> (&str, &str) {
    let end = image.find('@').unwrap_or_else(|| {
        let name = image.rfind('/').map_or(0, |it| it + 1);
        image[name..].find(':').map_or(image.len(), |it| it + name)
    });
    let (name, rest) = image.split_at(end);
    // `name:tag@digest`
    let slash = name.rfind('/').map_or(0, |it| it + 1);
    match name[slash..].find(':') {
        Some(at) => (&image[..slash + at], &image[slash + at..]),
        None => (name, rest),
    }
}
