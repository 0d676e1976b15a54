//! What a kustomization.yaml mentions: files, folders, and the targets of its patches.

use manifests::{Document, Node, RepoPath, TextRange, TextSize};

use super::mention::{Made, Mention, Named, Pattern, What, whole, words};

/// Lists of paths.
const PATHS: [&str; 5] = ["resources", "bases", "components", "crds", "configurations"];
/// Lists whose items are paths or YAML.
const INLINE_OR_PATH: [&str; 4] = ["patchesStrategicMerge", "generators", "transformers", "validators"];
/// Lists whose items have a path under a key.
const KEYED: [(&str, &str); 5] = [
    ("patches", "path"),
    ("patchesJson6902", "path"),
    ("replacements", "path"),
    ("helmCharts", "valuesFile"),
    ("helmChartInflationGenerator", "values"),
];
/// Generators, and the kind of what they make.
const GENERATORS: [(&str, &str); 2] = [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")];

/// A patch of a build file (or of a Flux Kustomization's spec).
pub(crate) struct Patch<'d> {
    /// The file that it is in.
    pub(crate) file: Option<RepoPath>,
    /// The scalar that it is written in.
    pub(crate) inline: Option<&'d Node>,
    /// What it says it is for, with the place.
    pub(crate) target: Option<(Pattern, TextRange, TextRange)>,
}

pub(crate) fn mentions(dir: &RepoPath, document: &Document, found: &mut Vec<Mention>) {
    let Some(root) = &document.root else { return };
    for list in PATHS {
        for item in items(root, list) {
            path(dir, document, item, false, found);
        }
    }
    for list in INLINE_OR_PATH {
        for item in items(root, list).iter().filter(|it| !is_inline(it)) {
            path(dir, document, item, false, found);
        }
    }
    for (list, key) in KEYED {
        for item in items(root, list) {
            item.get(key).into_iter().for_each(|it| path(dir, document, it, false, found));
            items(item, "additionalValuesFiles").iter().for_each(|it| path(dir, document, it, false, found));
        }
    }
    root.get("openapi")
        .and_then(|it| it.get("path"))
        .into_iter()
        .for_each(|it| path(dir, document, it, false, found));
    for (list, _) in GENERATORS {
        for item in items(root, list) {
            let lists = ["files", "envs"].into_iter().flat_map(|key| items(item, key));
            lists.chain(item.get("env")).for_each(|it| path(dir, document, it, true, found));
        }
    }
}

/// What the replacements of a build file take from and write to.
pub(crate) fn replacements(document: &Document, found: &mut Vec<Mention>) {
    for item in document.root.iter().flat_map(|root| items(root, "replacements")) {
        let targets = items(item, "targets").iter().filter_map(|it| it.get("select"));
        for selector in item.get("source").into_iter().chain(targets) {
            let pattern = Pattern::read(selector);
            if !pattern.is_empty() {
                let at = selector.get("name").or_else(|| selector.get("kind")).map_or(selector.range, words);
                found.push(Mention { span: selector.range, words: at, what: What::Some(pattern) });
            }
        }
    }
}

/// The ConfigMaps and Secrets that generators make. A hash at the end of the name is not part of what others write.
pub(crate) fn makes(document: &Document) -> Vec<Made> {
    let Some(root) = &document.root else { return Vec::new() };
    let text = |node: &Node, key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
    let prefix = text(root, "namePrefix").unwrap_or_default();
    let suffix = text(root, "nameSuffix").unwrap_or_default();
    let mut made = Vec::new();
    for (list, kind) in GENERATORS {
        for item in items(root, list) {
            let Some(name) = item.get("name").filter(|it| it.as_str().is_some()) else { continue };
            let full = format!("{prefix}{}{suffix}", name.as_str().unwrap_or_default());
            let namespace = text(item, "namespace").or_else(|| text(root, "namespace"));
            made.push(Made { object: Named::new(kind, &full, namespace.as_deref()), words: words(name) });
        }
    }
    made
}

/// The patches of a kustomization.yaml.
pub(crate) fn patches<'d>(dir: &RepoPath, document: &'d Document) -> Vec<Patch<'d>> {
    let Some(root) = &document.root else { return Vec::new() };
    let mut found: Vec<Patch<'d>> =
        ["patches", "patchesJson6902"].into_iter().flat_map(|list| listed(dir, root, list)).collect();
    found.extend(items(root, "patchesStrategicMerge").iter().map(|item| match is_inline(item) {
        true => Patch { file: None, inline: Some(item), target: None },
        false => Patch { file: item.as_str().and_then(|it| dir.join(it)), inline: None, target: None },
    }));
    found
}

/// A list of `{path, patch, target}`.
pub(crate) fn listed<'d>(dir: &RepoPath, node: &'d Node, list: &str) -> Vec<Patch<'d>> {
    let patch = |item: &'d Node| {
        let entry = item.entry("target");
        let at = |it: &Node| it.get("name").or_else(|| it.get("kind")).map_or(it.range, words);
        Patch {
            file: item.get("path").and_then(Node::as_str).and_then(|it| dir.join(it)),
            inline: item.get("patch"),
            target: entry.map(|it| (Pattern::read(&it.value), whole(it), at(&it.value))),
        }
    };
    items(node, list).iter().map(patch).collect()
}

/// What a patch that is written in place says it is for.
pub(crate) fn patch_mentions(document: &Document, patch: &Patch<'_>, found: &mut Vec<Mention>) {
    if let Some((pattern, span, words)) = &patch.target
        && !pattern.is_empty()
    {
        found.push(Mention { span: *span, words: *words, what: What::Some(pattern.clone()) });
    }
    for (pattern, span, words) in inline_identities(document, patch) {
        // A target says what the patch is for; the names in the patch are not looked at then.
        let pattern = patch.target.as_ref().map_or(pattern, |(target, ..)| target.clone());
        for span in span {
            found.push(Mention { span, words, what: What::Some(pattern.clone()) });
        }
    }
}

/// The objects that a patch written in place says it is: what it is for, where kind and name are, where the name is.
/// Ranges are bytes of the document that the scalar is in.
pub(crate) fn inline_identities(
    document: &Document,
    patch: &Patch<'_>,
) -> Vec<(Pattern, Vec<TextRange>, TextRange)> {
    let Some((file, map)) = patch.inline.and_then(|it| document.nested(it)) else { return Vec::new() };
    let nested = |placed: &manifests::Placed| {
        let identity = placed.document.identity()?;
        let own = |range: TextRange| map.in_document(placed.in_file(range));
        let name = own(identity.name_range)?;
        let spans = [own(identity.kind_range), Some(name)].into_iter().flatten().collect();
        Some((Pattern::of_patch(identity), spans, name))
    };
    file.documents().iter().filter_map(nested).collect()
}

/// What `metadata.namespace` of everything in the build is set to.
pub(crate) fn namespace(document: &Document) -> Option<&str> {
    document.root.as_ref()?.get("namespace")?.as_str()
}

/// Whether a build file is a component, which works on what the build that includes it has made.
pub(crate) fn is_component(document: &Document) -> bool {
    document.scalar("kind") == Some("Component")
}

pub(crate) fn items<'d>(node: &'d Node, list: &str) -> &'d [Node] {
    node.get(list).and_then(Node::as_sequence).unwrap_or_default()
}

fn is_inline(node: &Node) -> bool {
    node.as_str().is_none_or(|text| text.contains('\n') || text.contains(": "))
}

fn path(dir: &RepoPath, document: &Document, node: &Node, keyed: bool, found: &mut Vec<Mention>) {
    let Some(text) = node.as_str() else { return };
    let mut at = words(node);
    // `key=path`
    let text = match text.split_once('=').filter(|_| keyed) {
        Some((key, path)) => {
            if document.slice(at).starts_with(&format!("{key}=")) {
                at = TextRange::new(at.start() + TextSize::of(key) + TextSize::of('='), at.end());
            }
            path
        }
        None => text,
    };
    if let Some(to) = dir.join(text).filter(|_| !text.contains("://")) {
        found.push(Mention { span: node.range, words: at, what: What::File(to) });
    }
}
