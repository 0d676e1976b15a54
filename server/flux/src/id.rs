//! Names of objects.

use std::fmt;
use std::sync::Arc;

use crate::Kind;

/// A live object by group, kind, namespace and name, without a version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// The API group; empty for the core group.
    pub group: Arc<str>,
    /// The kind.
    pub kind: Arc<str>,
    /// The namespace; empty for a cluster-scoped object.
    pub namespace: Arc<str>,
    /// The name.
    pub name: Arc<str>,
}

const RBAC: &str = "rbac.authorization.k8s.io";

impl ObjectId {
    /// An id of its four parts. `namespace` is empty for cluster-scoped objects.
    pub fn new(group: &str, kind: &str, namespace: &str, name: &str) -> ObjectId {
        match Kind::from_group_kind(group, kind) {
            Some(kind) => ObjectId::flux(kind, namespace, name),
            None => ObjectId {
                group: group.into(),
                kind: kind.into(),
                namespace: namespace.into(),
                name: name.into(),
            },
        }
    }

    /// The id of a Flux object.
    pub fn flux(kind: Kind, namespace: &str, name: &str) -> ObjectId {
        let (group, kind) = kind.shared_names();
        ObjectId { group, kind, namespace: namespace.into(), name: name.into() }
    }

    /// The Flux kind, if it is one.
    pub fn flux_kind(&self) -> Option<Kind> {
        Kind::from_group_kind(&self.group, &self.kind)
    }

    /// Reads an inventory's entry, `<namespace>_<name>_<group>_<kind>`. Names of RBAC objects may hold
    /// `:`, which the inventory writes as `__`. `None` if it is no such entry.
    pub fn from_inventory(id: &str) -> Option<ObjectId> {
        let (namespace, name, group, kind) = split_inventory(id)?;
        Some(ObjectId::new(group, kind, namespace, &unescape_name(name, group)))
    }

    /// Reads what [`Display`](fmt::Display) writes of a Flux object: `Kustomization/flux-system/apps`.
    pub fn parse_flux(text: &str) -> Option<ObjectId> {
        let mut parts = text.split('/');
        let kind = Kind::from_name(parts.next()?)?;
        let (namespace, name) = (parts.next()?, parts.next()?);
        if parts.next().is_some() || name.is_empty() {
            return None;
        }
        Some(ObjectId::flux(kind, namespace, name))
    }
}

/// Namespace, name (still escaped), group and kind of an inventory's entry.
pub(crate) fn split_inventory(id: &str) -> Option<(&str, &str, &str, &str)> {
    let (namespace, rest) = id.split_once('_')?;
    let (rest, kind) = rest.rsplit_once('_')?;
    let (name, group) = rest.rsplit_once('_')?;
    (!name.is_empty() && !kind.is_empty()).then_some((namespace, name, group, kind))
}

pub(crate) fn unescape_name<'a>(name: &'a str, group: &str) -> std::borrow::Cow<'a, str> {
    if group == RBAC && name.contains("__") { name.replace("__", ":").into() } else { name.into() }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{}/{}", self.kind, self.name)
        } else {
            write!(f, "{}/{}/{}", self.kind, self.namespace, self.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(entry: &str, expected: Option<(&str, &str, &str, &str)>) {
        let expected = expected.map(|(g, k, ns, n)| ObjectId::new(g, k, ns, n));
        assert_eq!(ObjectId::from_inventory(entry), expected, "{entry}");
    }

    #[test]
    fn inventory_entries() {
        check("default_web_apps_Deployment", Some(("apps", "Deployment", "default", "web")));
        check("default_web__Service", Some(("", "Service", "default", "web")));
        check(
            "_kube-prom_rbac.authorization.k8s.io_ClusterRole",
            Some((RBAC, "ClusterRole", "", "kube-prom")),
        );
        check(
            "_system__node_rbac.authorization.k8s.io_ClusterRole",
            Some((RBAC, "ClusterRole", "", "system:node")),
        );
        check(
            "_a__b__c_rbac.authorization.k8s.io_ClusterRoleBinding",
            Some((RBAC, "ClusterRoleBinding", "", "a:b:c")),
        );
        check("_cert-manager__Namespace", Some(("", "Namespace", "", "cert-manager")));
        for broken in ["", "_", "___", "a_b", "a_b_c", "no-underscores", "ns__group_Kind_"] {
            assert_eq!(ObjectId::from_inventory(broken), None, "{broken}");
        }
    }

    #[test]
    fn ids_read_back() {
        let id = ObjectId::flux(Kind::Kustomization, "flux-system", "apps");
        assert_eq!(ObjectId::parse_flux(&id.to_string()), Some(id));
        assert_eq!(ObjectId::parse_flux("Deployment/default/web"), None);
        assert_eq!(ObjectId::parse_flux("Kustomization/a/b/c"), None);
    }
}
