//! What a document is for.

use crate::{Document, Identity, Node, RepoPath, Soundness, identity, kustomize};

/// What a document is for. Only an [`Role::Object`] can be said to be applied by nothing.
///
/// A document alone tells little: most patches look like objects. What a kustomization.yaml makes of a file is
/// in [`kustomize::Build::files`] and wins over this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// A Kubernetes object, as far as the document tells.
    Object,
    /// A Kubernetes `List` of objects, see [`Document::items`].
    List,
    /// Surely a patch: a list of JSON patch operations, a `$patch` directive, or a Flux object that lacks every
    /// field its kind requires.
    Patch,
    /// kustomize's own `Kustomization` or `Component`: a build file, never an object in a cluster.
    KustomizeFile,
    /// A file that a configMapGenerator or secretGenerator reads.
    GeneratorInput,
    /// Helm values.
    Values,
    /// A Go template that is YAML only after rendering.
    Template,
    /// Anything else: other YAML, an object that has no name yet, nothing.
    Other,
}

/// The role that a document's own content tells.
pub(crate) fn of_content(root: Option<&Node>, identity: Option<&Identity>, soundness: Soundness) -> Role {
    let Some(root) = root else { return Role::Other };
    if soundness == Soundness::Templated {
        return Role::Template;
    }
    if is_json_patch(root) {
        return Role::Patch;
    }
    let group = root.get("apiVersion").and_then(Node::as_str).map(|it| identity::split_api_version(it).0);
    if group.is_some_and(identity::is_kustomize_file) {
        return Role::KustomizeFile;
    }
    if identity::list_items(root).is_some() {
        return Role::List;
    }
    match identity {
        Some(_) if has_patch_directive(root) => Role::Patch,
        Some(identity) if lacks_everything_required(root, identity) => Role::Patch,
        Some(_) => Role::Object,
        None => Role::Other,
    }
}

/// `[{op, path, …}, …]` of RFC 6902.
fn is_json_patch(root: &Node) -> bool {
    root.as_sequence().is_some_and(|items| {
        !items.is_empty() && items.iter().all(|it| it.get("op").is_some() && it.get("path").is_some())
    })
}

fn has_patch_directive(root: &Node) -> bool {
    [Some(root), root.get("metadata"), root.get("spec")]
        .into_iter()
        .flatten()
        .any(|it| it.get("$patch").is_some())
}

/// A Flux object whose `spec` says something, but nothing of what the kind requires, is a patch for one. Other
/// kinds are left alone: what they require is not known here.
fn lacks_everything_required(root: &Node, identity: &Identity) -> bool {
    let required: &[&str] = match (identity.group.as_str(), identity.kind.as_str()) {
        ("kustomize.toolkit.fluxcd.io", "Kustomization") => &["interval", "prune", "sourceRef", "path"],
        ("helm.toolkit.fluxcd.io", "HelmRelease") => &["interval", "chart", "chartRef"],
        ("source.toolkit.fluxcd.io", "GitRepository" | "OCIRepository" | "HelmRepository") => {
            &["interval", "url"]
        }
        _ => return false,
    };
    let Some(spec) = root.get("spec") else { return false };
    spec.as_mapping().is_some_and(|it| !it.is_empty()) && required.iter().all(|key| spec.get(key).is_none())
}

impl Document {
    /// The role that the document has in a file of this name: [`Document::role`], but a kustomization.yaml
    /// without `apiVersion` is kustomize's, files of a Helm chart are told by their folder, and a `values.yaml`
    /// that is no object holds values.
    pub fn role_in(&self, path: &RepoPath) -> Role {
        let role = self.role();
        let name = path.file_name();
        if kustomize::is_kustomization_name(name) && role != Role::Object {
            return Role::KustomizeFile;
        }
        if role == Role::Other && self.root.is_some() && is_values_name(name) {
            return Role::Values;
        }
        role
    }
}

/// `values.yaml`, `values-prod.yaml`, `prod-values.yaml`, `prod.values.yaml` and the like.
fn is_values_name(name: &str) -> bool {
    let Some((stem, "yaml" | "yml")) = name.rsplit_once('.') else { return false };
    stem.split(['.', '-', '_']).any(|part| part == "values" || part == "helmvalues")
}
