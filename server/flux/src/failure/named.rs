//! Objects as messages name them.

use std::fmt;

use crate::{Kind, ObjectId};

/// An object as far as a message names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Named {
    /// The API group, if it is told; empty is the core group.
    pub group: Option<String>,
    /// The kind.
    pub kind: String,
    /// The namespace. None may be a cluster-scoped object, or one whose namespace is not told.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl Named {
    pub(super) fn new(kind: &str, namespace: Option<&str>, name: &str) -> Named {
        Named {
            group: None,
            kind: kind.to_owned(),
            namespace: namespace.filter(|it| !it.is_empty()).map(str::to_owned),
            name: name.to_owned(),
        }
    }

    pub(super) fn in_group(mut self, group: &str) -> Named {
        self.group = Some(group.to_owned());
        self
    }

    /// Whether an object can be the one that is named: what the message does not tell fits.
    pub fn fits(&self, id: &ObjectId) -> bool {
        *self.kind == *id.kind
            && *self.name == *id.name
            && self.group.as_ref().is_none_or(|it| **it == *id.group)
            && self.namespace.as_ref().is_none_or(|it| **it == *id.namespace)
    }

    /// `Kind/namespace/name` or `Kind/name` at the start of a text, and what follows. RBAC names hold `:`.
    pub(super) fn head(text: &str) -> Option<(Named, &str)> {
        let end = text.find([' ', '\n', '\'', '"', ',', ']', ';']).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end)?;
        let named = Named::parse(word.trim_end_matches([':', '.']))?;
        Some((named, rest))
    }

    /// `Kind/namespace/name` or `Kind/name`, the whole text.
    pub(super) fn parse(word: &str) -> Option<Named> {
        let mut parts = word.split('/');
        let (kind, first, second) = (parts.next()?, parts.next()?, parts.next());
        if parts.next().is_some() || !is_kind(kind) {
            return None;
        }
        let (namespace, name) = match second {
            Some(name) => (Some(first), name),
            None => (None, first),
        };
        let well = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphanumeric())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "-.:_".contains(c))
        };
        (well(name) && namespace.is_none_or(well)).then(|| Named::new(kind, namespace, name))
    }

    /// A kustomize id: `Deployment.v1.apps/web.[noNs]`, `ConfigMap.v1.[noGrp]/a.b.shop`: the namespace follows
    /// the last dot.
    pub(super) fn resource_id(text: &str) -> Option<Named> {
        let (gvk, name) = text.split_once('/')?;
        let (kind, rest) = gvk.split_once('.')?;
        let group = rest.split_once('.').map_or("", |(_, group)| group);
        if !is_kind(kind) {
            return None;
        }
        let group = if group == "[noGrp]" { "" } else { group };
        let (name, namespace) = match name.rsplit_once('.') {
            Some((name, "[noNs]")) => (name, None),
            Some((name, namespace)) => (name, Some(namespace)),
            None => (name, None),
        };
        (!name.is_empty()).then(|| Named::new(kind, namespace, name).in_group(group))
    }

    /// What kustomize-controller calls an object in `post build failed for '…'`: no namespace, so that a
    /// name may hold dots.
    pub(super) fn group_version_kind(text: &str) -> Option<Named> {
        let (gvk, name) = text.split_once('/')?;
        let named = Named::resource_id(&format!("{gvk}/x"))?;
        (!name.is_empty()).then(|| Named { name: name.to_owned(), ..named })
    }

    /// `apps/v1, Kind=Deployment` or `/v1, Kind=Service`, with a name of its own.
    pub(super) fn of_type(api: &str, namespace: &str, name: &str) -> Option<Named> {
        let (version, kind) = api.split_once(", Kind=")?;
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        is_kind(kind).then(|| Named::new(kind, Some(namespace), name).in_group(group))
    }
}

fn is_kind(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}

/// What stands in the way besides the object: where to look next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Other {
    /// An object that is referred to and does not exist.
    Missing(Named),
    /// An object that is referred to and is not ready.
    NotReady(Named),
    /// An object that is there and belongs to somebody else.
    InTheWay(Named),
    /// A kind that the cluster does not know: its CustomResourceDefinition is missing.
    NoKind {
        /// `group/version`, or only the group.
        api_version: String,
        /// The kind.
        kind: String,
    },
}

/// Resources that Kubernetes' messages call by their plurals.
const PLURALS: &[(&str, &str, &str)] = &[
    ("secrets", "Secret", ""),
    ("configmaps", "ConfigMap", ""),
    ("serviceaccounts", "ServiceAccount", ""),
    ("serviceaccount", "ServiceAccount", ""),
    ("namespaces", "Namespace", ""),
    ("services", "Service", ""),
    ("persistentvolumeclaims", "PersistentVolumeClaim", ""),
    ("customresourcedefinitions", "CustomResourceDefinition", "apiextensions.k8s.io"),
    ("priorityclasses", "PriorityClass", "scheduling.k8s.io"),
    ("storageclasses", "StorageClass", "storage.k8s.io"),
    ("ingressclasses", "IngressClass", "networking.k8s.io"),
    ("roles", "Role", "rbac.authorization.k8s.io"),
    ("clusterroles", "ClusterRole", "rbac.authorization.k8s.io"),
];

/// The last part of a text, of at most so many bytes: what keeps a search backwards short.
pub(super) fn tail(text: &str, bytes: usize) -> &str {
    let mut start = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..).unwrap_or_default()
}

/// The object of which a message says `secrets "db" not found`.
pub(super) fn missing(text: &str) -> Option<Other> {
    for (at, _) in text.match_indices("\" not found").take(8) {
        let before = tail(text.get(..at)?, 400);
        let Some((word, name)) = before.rsplit_once(" \"") else { continue };
        let word = word.rsplit([' ', ':', '\n']).next().unwrap_or(word);
        let (plural, group) = word.split_once('.').unwrap_or((word, ""));
        let flux = Kind::from_plural(plural).or_else(|| Kind::from_name(plural));
        let known = PLURALS.iter().find(|(it, _, of)| *it == plural && (group.is_empty() || *of == group));
        let named = match (flux, known) {
            (Some(kind), _) if group == kind.group() => Named::new(kind.as_str(), None, name).in_group(group),
            (_, Some((_, kind, group))) => Named::new(kind, None, name).in_group(group),
            _ => continue,
        };
        return Some(Other::Missing(named));
    }
    None
}
