//! Which object a document says it is.

use text_size::TextRange;

use crate::{FieldPath, Node, Segment};

/// What a Kubernetes object is called, and where the document says so.
///
/// Values are as written: a name may hold `${VARIABLES}` ([`Identity::has_variables`]), and a namespace that a
/// parent sets is not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// API group, empty for the core group.
    pub group: String,
    /// API version without the group, `v1`.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// `metadata.namespace`, if written and not empty.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: String,
    /// Where the value of `kind` stands, quotes included.
    pub kind_range: TextRange,
    /// Where the value of `metadata.name` stands, quotes included.
    pub name_range: TextRange,
    /// Where the value of `metadata.namespace` stands; the name's place if it is not written.
    pub namespace_range: TextRange,
    /// Where the value of `apiVersion` stands.
    pub api_version_range: TextRange,
}

/// An object inside a `kind: List` document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListItem {
    /// Where it is in the document, `items[3]`.
    pub path: FieldPath,
    /// What it is.
    pub identity: Identity,
}

impl Identity {
    /// What a mapping says it is: `None` unless `apiVersion`, `kind` and `metadata.name` are non-empty scalars.
    pub(crate) fn of(node: &Node) -> Option<Identity> {
        let api_version = node.get("apiVersion")?;
        let kind = node.get("kind")?;
        let metadata = node.get("metadata")?;
        let name = metadata.get("name")?;
        let namespace = metadata.get("namespace").filter(|it| it.as_str().is_some_and(|it| !it.is_empty()));
        let text = |node: &Node| node.as_str().filter(|it| !it.is_empty()).map(str::to_owned);
        let (group, version) = split_api_version(api_version.as_str()?);
        if version.is_empty() {
            return None;
        }
        Some(Identity {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: text(kind)?,
            namespace: namespace.and_then(text),
            name: text(name)?,
            kind_range: kind.range,
            name_range: name.range,
            namespace_range: namespace.unwrap_or(name).range,
            api_version_range: api_version.range,
        })
    }

    /// `group/version`, or the bare version in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Whether the name or namespace holds a `${VARIABLE}` that Flux replaces after the build.
    pub fn has_variables(&self) -> bool {
        self.name.contains("${") || self.namespace.as_deref().is_some_and(|it| it.contains("${"))
    }

    /// Whether this is kustomize's own `Kustomization` or `Component`, which no cluster ever sees.
    pub fn is_kustomize_file(&self) -> bool {
        is_kustomize_file(&self.group)
    }
}

/// `group/version` in two; the core group is empty.
pub(crate) fn split_api_version(text: &str) -> (&str, &str) {
    text.rsplit_once('/').unwrap_or(("", text))
}

/// kustomize's own build files are in this group; Flux's objects are in `kustomize.toolkit.fluxcd.io`
/// (flux-reference A.1).
pub(crate) fn is_kustomize_file(group: &str) -> bool {
    group == "kustomize.config.k8s.io"
}

/// The objects inside a list: `kind: List` of `v1`, or any `…List` that has `items` and no name of its own.
pub(crate) fn list_items(root: &Node) -> Option<Vec<ListItem>> {
    if !root.get("kind")?.as_str()?.ends_with("List") {
        return None;
    }
    let items = root.get("items")?.as_sequence()?;
    let item = |(index, node): (usize, &Node)| {
        let identity = Identity::of(node)?;
        Some(ListItem {
            path: FieldPath::from([Segment::Key("items".into()), Segment::Index(index)]),
            identity,
        })
    };
    Some(items.iter().enumerate().filter_map(item).collect())
}
