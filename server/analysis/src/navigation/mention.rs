//! What a document mentions: files, folders and other objects, with the places where it does.

use flux::Kind;
use manifests::{Document, Entry, Identity, Node, Placed, RepoPath, Role, TextRange, kustomize};

use super::build_file::Patch;
use super::{build_file, fields};
use crate::index::flux_object;

/// A place in a document that leads elsewhere. Ranges are bytes of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    /// A cursor in here means this mention.
    pub(crate) span: TextRange,
    /// The words that lead there: a name, a path without its quotes.
    pub(crate) words: TextRange,
    pub(crate) what: What,
}

/// What is mentioned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// An object by its name.
    Object(Named),
    /// Objects of a build by a pattern: the target of a patch.
    Some(Pattern),
    /// A file or folder of this repository, as a kustomization.yaml names it.
    File(RepoPath),
    /// A file or folder of what the document's source holds.
    InSource(InSource),
}

/// An object as others name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// Its API group, where that is told or known.
    pub(crate) group: Option<String>,
    pub(crate) kind: String,
    pub(crate) name: String,
    /// Its namespace, where the mention itself tells it; the document's own otherwise.
    pub(crate) namespace: Option<String>,
}

/// What a patch says it is for (kustomize's `Selector`; `name` and `namespace` are regular expressions).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) group: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) namespace: Option<String>,
    /// Looked for in the whole repository, not in the build of the document only.
    pub(crate) everywhere: bool,
}

/// A path in what a source holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InSource {
    /// The source; without one the repository that the document is in.
    pub(crate) source: Option<Named>,
    pub(crate) path: RepoPath,
    pub(crate) wanted: Wanted,
}

/// What is at a path in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The root of a build.
    Build,
    /// A chart's folder.
    Chart,
    /// A file, or anything below a folder.
    Anything,
}

/// An object that a document makes under another name than its own: a generator's ConfigMap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) object: Named,
    pub(crate) words: TextRange,
}

/// The names and paths that a document of a file mentions.
pub(crate) fn mentions(path: &RepoPath, document: &Document) -> Vec<Mention> {
    let mut found = Vec::new();
    if let Some(dir) = build_folder(path, document) {
        build_file::mentions(&dir, document, &mut found);
    } else if let Some((kind, identity)) = flux_object(document) {
        fields::mentions(kind, identity, document, &mut found);
    }
    found
}

/// What the patches (and replacements) of a document are for.
pub(crate) fn targets(path: &RepoPath, document: &Document) -> Vec<Mention> {
    let mut found = Vec::new();
    for patch in patches(path, document) {
        build_file::patch_mentions(document, &patch, &mut found);
    }
    if build_folder(path, document).is_some() {
        build_file::replacements(document, &mut found);
    }
    found
}

/// The patches that a document holds or names: those of a kustomization.yaml, or of a Flux Kustomization.
pub(crate) fn patches<'d>(path: &RepoPath, document: &'d Document) -> Vec<Patch<'d>> {
    if let Some(dir) = build_folder(path, document) {
        return build_file::patches(&dir, document);
    }
    match (flux_object(document), document.root.as_ref().and_then(|it| it.get("spec"))) {
        // Flux takes patches written in place only.
        (Some((Kind::Kustomization, _)), Some(spec)) => {
            build_file::listed(&RepoPath::root(), spec, "patches")
        }
        _ => Vec::new(),
    }
}

/// The objects that a document makes besides the one that it is.
pub(crate) fn makes(path: &RepoPath, document: &Document) -> Vec<Made> {
    if build_folder(path, document).is_some() {
        return build_file::makes(document);
    }
    match flux_object(document) {
        Some((kind, identity)) => fields::makes(kind, identity, document),
        None => Vec::new(),
    }
}

/// The objects that a document is, with the range of each: one, or those of a list.
pub(crate) fn objects(placed: &Placed) -> Vec<(&Identity, TextRange)> {
    let document = &placed.document;
    match document.role() {
        Role::List => {
            let whole = |item: &manifests::ListItem| document.get(&item.path).map(|it| it.range);
            document
                .items()
                .iter()
                .map(|it| (&it.identity, whole(it).unwrap_or(it.identity.name_range)))
                .collect()
        }
        Role::Object | Role::Patch => {
            let whole = document.root.as_ref().map(|it| it.range);
            document.identity().map(|it| (it, whole.unwrap_or(it.name_range))).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The folder that a document is the build file of.
pub(crate) fn build_folder(path: &RepoPath, document: &Document) -> Option<RepoPath> {
    let is_one = kustomize::is_kustomization_name(path.file_name())
        && document.root.is_some()
        && document.role_in(path) == Role::KustomizeFile;
    if is_one { path.parent() } else { None }
}

/// Where a scalar's words are: inside its quotes.
pub(crate) fn words(node: &Node) -> TextRange {
    node.as_scalar().map_or(node.range, |it| it.inner)
}

/// An entry from its key to the end of its value.
pub(crate) fn whole(entry: &Entry) -> TextRange {
    entry.key.range.cover(entry.value.range)
}

impl Named {
    pub(crate) fn new(kind: &str, name: &str, namespace: Option<&str>) -> Named {
        let group = match kind {
            "ConfigMap" | "Secret" | "ServiceAccount" => Some(""),
            kind => Kind::from_name(kind).map(Kind::group),
        };
        Named {
            group: group.map(str::to_owned),
            kind: kind.to_owned(),
            name: name.to_owned(),
            namespace: namespace.map(str::to_owned),
        }
    }

    /// A mapping with `name`, perhaps `kind`, `apiVersion` and `namespace`.
    pub(crate) fn read(node: &Node, kind: Option<&str>) -> Option<(Named, TextRange)> {
        let text = |key: &str| node.get(key).and_then(Node::as_str).filter(|it| !it.is_empty());
        let name = node.get("name")?;
        let mut named = Named::new(text("kind").or(kind)?, name.as_str()?, text("namespace"));
        if let Some(version) = text("apiVersion") {
            named.group = Some(version.rsplit_once('/').map_or("", |(group, _)| group).to_owned());
        }
        Some((named, words(name)))
    }

    /// Whether a document can be this object. Namespaces count only where both sides tell them.
    pub(crate) fn can_be(&self, identity: &Identity, namespaces: [Option<&str>; 2]) -> bool {
        let [wanted, own] = namespaces;
        self.name == identity.name
            && self.kind == identity.kind
            && self.group.as_deref().is_none_or(|group| group == identity.group)
            && wanted.zip(own).is_none_or(|(wanted, own)| wanted == own)
    }
}

impl Pattern {
    /// What a `target` or a `select` says.
    pub(crate) fn read(node: &Node) -> Pattern {
        let text =
            |key: &str| node.get(key).and_then(Node::as_str).filter(|it| !it.is_empty()).map(str::to_owned);
        Pattern {
            group: text("group"),
            kind: text("kind"),
            name: text("name"),
            namespace: text("namespace"),
            everywhere: false,
        }
    }

    /// What a strategic-merge patch is for: the object that it says it is.
    pub(crate) fn of_patch(identity: &Identity) -> Pattern {
        Pattern {
            group: Some(identity.group.clone()),
            kind: Some(identity.kind.clone()),
            name: Some(regex::escape(&identity.name)),
            namespace: identity.namespace.as_deref().map(regex::escape),
            everywhere: false,
        }
    }

    /// Whether it says too little to lead anywhere: labels are not looked at.
    pub(crate) fn is_empty(&self) -> bool {
        self.kind.is_none() && self.name.is_none()
    }

    /// The kind and name that it means, if it means one only.
    pub(crate) fn literal(&self) -> Option<(&str, String)> {
        let name = self.name.as_deref()?;
        let plain = name.replace("\\-", "-").replace("\\.", ".");
        let is_plain = plain.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | ':' | '_'))
            || name == regex::escape(&plain);
        Some((self.kind.as_deref()?, plain)).filter(|_| is_plain)
    }

    /// Ready to be compared with many.
    pub(crate) fn compile(&self) -> Option<Matcher<'_>> {
        let anchored = |text: &Option<String>| match text {
            Some(text) => regex::Regex::new(&format!("^(?:{text})$")).ok().map(Some),
            None => Some(None),
        };
        Some(Matcher { pattern: self, name: anchored(&self.name)?, namespace: anchored(&self.namespace)? })
    }
}

/// A [`Pattern`] with its expressions compiled.
pub(crate) struct Matcher<'p> {
    pattern: &'p Pattern,
    name: Option<regex::Regex>,
    namespace: Option<regex::Regex>,
}

impl Matcher<'_> {
    /// Whether an object is meant. A namespace counts only where the document tells its own.
    pub(crate) fn takes(&self, identity: &Identity) -> bool {
        let namespace = identity.namespace.as_deref();
        self.pattern.group.as_deref().is_none_or(|it| it == identity.group)
            && self.pattern.kind.as_deref().is_none_or(|it| it == identity.kind)
            && self.name.as_ref().is_none_or(|it| it.is_match(&identity.name))
            && self.namespace.as_ref().zip(namespace).is_none_or(|(it, own)| it.is_match(own))
    }

    pub(crate) fn takes_name(&self, kind: &str, name: &str) -> bool {
        self.pattern.kind.as_deref().is_none_or(|it| it == kind)
            && self.name.as_ref().is_none_or(|it| it.is_match(name))
    }
}
