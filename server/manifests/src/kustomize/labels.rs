//! Labels and annotations, and where else they go: kustomize's default field specs (`builtinpluginconsts`) and those of a
//! kustomization.yaml.

use std::sync::Arc;

use super::object::{Built, How};
use crate::value::{Data, Member};
use crate::{RepoPath, Value, identity};

/// Labels or annotations, and where they go beside the object's own metadata.
pub(super) struct Pairs<'a> {
    pub(super) key: &'static str,
    pub(super) pairs: &'a [Member],
    pub(super) selectors: bool,
    pub(super) templates: bool,
    /// `fields` of an entry of `labels`.
    pub(super) fields: &'a [Arc<Value>],
}

/// Which objects have a place.
#[derive(Clone, Copy)]
enum Of {
    /// A kind, of whatever group.
    Kind(&'static str),
    /// A kind of a version, of whatever group.
    Version(&'static str, &'static str),
    /// A kind of a group.
    Group(&'static str, &'static str),
}

impl Of {
    fn fits(self, group: &str, version: &str, kind: &str) -> bool {
        match self {
            Of::Kind(it) => it == kind,
            Of::Version(it, of) => it == version && of == kind,
            Of::Group(it, of) => it == group && of == kind,
        }
    }
}

/// Mappings that hold `labels` and `annotations` of what an object makes. They are created.
const TEMPLATES: &[(&[&str], Of)] = &[
    (&["spec", "template", "metadata"], Of::Version("v1", "ReplicationController")),
    (&["spec", "template", "metadata"], Of::Kind("Deployment")),
    (&["spec", "template", "metadata"], Of::Kind("ReplicaSet")),
    (&["spec", "template", "metadata"], Of::Kind("DaemonSet")),
    (&["spec", "template", "metadata"], Of::Group("apps", "StatefulSet")),
    (&["spec", "template", "metadata"], Of::Group("batch", "Job")),
    (&["spec", "jobTemplate", "metadata"], Of::Group("batch", "CronJob")),
    (&["spec", "jobTemplate", "spec", "template", "metadata"], Of::Group("batch", "CronJob")),
];

/// One that gets no annotations. A list's items are only those that are there.
const CLAIMS: (&[&str], Of) =
    (&["spec", "volumeClaimTemplates[]", "metadata"], Of::Group("apps", "StatefulSet"));

/// Selectors, and whether they are created.
const SELECTORS: &[(&[&str], bool, Of)] = &[
    (&["spec", "selector"], true, Of::Version("v1", "Service")),
    (&["spec", "selector"], true, Of::Version("v1", "ReplicationController")),
    (&["spec", "selector", "matchLabels"], true, Of::Kind("Deployment")),
    (&["spec", "selector", "matchLabels"], true, Of::Kind("ReplicaSet")),
    (&["spec", "selector", "matchLabels"], true, Of::Kind("DaemonSet")),
    (&["spec", "selector", "matchLabels"], true, Of::Group("apps", "StatefulSet")),
    (&["spec", "selector", "matchLabels"], false, Of::Group("batch", "Job")),
    (&["spec", "jobTemplate", "spec", "selector", "matchLabels"], false, Of::Group("batch", "CronJob")),
    (&["spec", "selector", "matchLabels"], false, Of::Group("policy", "PodDisruptionBudget")),
    (&["spec", "podSelector", "matchLabels"], false, NETWORK_POLICY),
    (&["spec", "ingress", "from", "podSelector", "matchLabels"], false, NETWORK_POLICY),
    (&["spec", "egress", "to", "podSelector", "matchLabels"], false, NETWORK_POLICY),
];

const NETWORK_POLICY: Of = Of::Group("networking.k8s.io", "NetworkPolicy");

/// Selectors in the pods of a Deployment and of a StatefulSet, below `spec.template.spec`. They are not created.
const NEIGHBOURS: &[&[&str]] = &[
    &[
        "affinity",
        "podAffinity",
        "preferredDuringSchedulingIgnoredDuringExecution",
        "podAffinityTerm",
        "labelSelector",
        "matchLabels",
    ],
    &[
        "affinity",
        "podAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "labelSelector",
        "matchLabels",
    ],
    &[
        "affinity",
        "podAntiAffinity",
        "preferredDuringSchedulingIgnoredDuringExecution",
        "podAffinityTerm",
        "labelSelector",
        "matchLabels",
    ],
    &[
        "affinity",
        "podAntiAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "labelSelector",
        "matchLabels",
    ],
    &["topologySpreadConstraints", "labelSelector", "matchLabels"],
];

/// `labels`, `commonLabels`, `commonAnnotations`, and Flux's `commonMetadata`.
pub(super) fn set(objects: &mut [Built], pairs: &Pairs<'_>, path: &RepoPath) {
    if pairs.pairs.is_empty() {
        return;
    }
    for object in objects {
        for (place, create) in places(&object.value, pairs) {
            let place: Vec<&str> = place.iter().map(String::as_str).collect();
            put(&mut object.value, &place, create, pairs.pairs);
        }
        object.shaped(pairs.pairs.first().and_then(|it| it.site.as_ref()), path, How::Metadata);
    }
}

/// Where the pairs go in an object, and whether that is created.
fn places(object: &Value, pairs: &Pairs<'_>) -> Vec<(Vec<String>, bool)> {
    let (group, version) = identity::split_api_version(object.text(&["apiVersion"]).unwrap_or_default());
    let kind = object.text(&["kind"]).unwrap_or_default();
    let own = |keys: &[&str]| keys.iter().map(|it| (*it).to_owned()).collect::<Vec<String>>();
    let mut places = Vec::new();
    for field in pairs.fields {
        let is = |key: &str, what: &str| field.text(&[key]).is_none_or(|it| it.is_empty() || it == what);
        if let Some(path) = field.text(&["path"])
            && is("group", group)
            && is("version", version)
            && is("kind", kind)
        {
            places.push((split(path), field.text(&["create"]) == Some("true")));
        }
    }
    places.push((own(&["metadata", pairs.key]), true));
    if pairs.templates {
        let claims = (pairs.key == "labels").then_some(&CLAIMS);
        for (place, of) in TEMPLATES.iter().chain(claims) {
            // Annotations go into a StatefulSet of any group.
            let is_it = of.fits(group, version, kind)
                || (pairs.key == "annotations" && kind == "StatefulSet" && of.fits("apps", version, kind));
            if is_it {
                places.push((own(&[place, &[pairs.key][..]].concat()), true));
            }
        }
    }
    if pairs.selectors {
        let fitting = SELECTORS.iter().filter(|(_, _, of)| of.fits(group, version, kind));
        places.extend(fitting.map(|(place, create, _)| (own(place), *create)));
        if group == "apps" && matches!(kind, "Deployment" | "StatefulSet") {
            places.extend(
                NEIGHBOURS.iter().map(|it| (own(&[&["spec", "template", "spec"], *it].concat()), false)),
            );
        }
    }
    places
}

/// The keys of a path with slashes, of which `\/` is none between keys (`PathSplitter`).
fn split(path: &str) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for part in path.strip_prefix('/').unwrap_or(path).split('/') {
        match keys.last_mut().filter(|it| it.ends_with('\\')) {
            Some(last) => {
                last.pop();
                last.push('/');
                last.push_str(part);
            }
            None => keys.push(part.to_owned()),
        }
    }
    keys
}

/// Sets the pairs at a path, in every item of the lists on the way (`fieldspec.Filter`).
fn put(value: &mut Arc<Value>, keys: &[&str], create: bool, pairs: &[Member]) {
    let Some((key, rest)) = keys.split_first() else {
        let into = Arc::make_mut(value);
        if !matches!(into.data, Data::Mapping(_)) {
            into.data = Data::Mapping(Vec::new());
        }
        for pair in pairs {
            into.set(&pair.key, pair.site.clone(), Some(Arc::clone(&pair.value)));
        }
        return;
    };
    let (key, create_here) = match key.strip_suffix("[]") {
        Some(key) => (key, false),
        None => (*key, create),
    };
    match &value.data {
        Data::Sequence(_) => {
            let Data::Sequence(items) = &mut Arc::make_mut(value).data else { return };
            for item in items {
                put(item, keys, create, pairs);
            }
        }
        Data::Mapping(_) => {
            let found = value.get(key).filter(|it| !it.is_null());
            if found.is_none() && !create_here {
                return;
            }
            let is_missing = found.is_none();
            let into = Arc::make_mut(value);
            if is_missing {
                into.set(key, None, Some(Arc::new(Value::empty())));
            }
            let Data::Mapping(members) = &mut into.data else { return };
            if let Some(it) = members.iter_mut().find(|it| &*it.key == key) {
                put(&mut it.value, rest, create, pairs);
            }
        }
        Data::Scalar(_) => {}
    }
}
