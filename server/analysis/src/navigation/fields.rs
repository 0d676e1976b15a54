//! The fields of Flux objects that name objects, files and folders (flux-reference A.2).

use flux::Kind;
use manifests::{Document, Identity, Node, RepoPath, TextRange};

use super::build_file::items;
use super::mention::{InSource, Made, Mention, Named, Pattern, Wanted, What, whole, words};

/// A field with an object's name: under which kinds, where, and what it names when it does not say so itself. `[]`
/// stands for each item of a list.
struct Row(&'static [Kind], &'static str, Option<&'static str>);

const SOURCES: &[Kind] = &[
    Kind::GitRepository,
    Kind::OCIRepository,
    Kind::HelmRepository,
    Kind::Bucket,
    Kind::ImageRepository,
    Kind::Provider,
    Kind::ResourceSetInputProvider,
];
const APPLIERS: &[Kind] = &[Kind::Kustomization, Kind::HelmRelease];

/// Mappings with `name`, and `kind` where it may be of several.
const ROWS: &[Row] = &[
    Row(&[Kind::Kustomization], "spec.sourceRef", None),
    Row(&[Kind::Kustomization], "spec.dependsOn[]", Some("Kustomization")),
    Row(&[Kind::Kustomization], "spec.healthChecks[]", None),
    Row(&[Kind::Kustomization], "spec.postBuild.substituteFrom[]", None),
    Row(&[Kind::Kustomization], "spec.decryption.secretRef", Some("Secret")),
    Row(APPLIERS, "spec.kubeConfig.secretRef", Some("Secret")),
    Row(APPLIERS, "spec.kubeConfig.configMapRef", Some("ConfigMap")),
    Row(&[Kind::HelmRelease], "spec.chart.spec.sourceRef", Some("HelmRepository")),
    Row(&[Kind::HelmRelease], "spec.chart.spec.verify.secretRef", Some("Secret")),
    Row(&[Kind::HelmRelease], "spec.chartRef", None),
    Row(&[Kind::HelmRelease], "spec.dependsOn[]", Some("HelmRelease")),
    Row(&[Kind::HelmRelease], "spec.valuesFrom[]", None),
    Row(SOURCES, "spec.secretRef", Some("Secret")),
    Row(SOURCES, "spec.certSecretRef", Some("Secret")),
    Row(SOURCES, "spec.proxySecretRef", Some("Secret")),
    Row(
        &[Kind::GitRepository, Kind::OCIRepository, Kind::HelmChart],
        "spec.verify.secretRef",
        Some("Secret"),
    ),
    Row(&[Kind::GitRepository], "spec.include[].repository", Some("GitRepository")),
    Row(&[Kind::HelmChart], "spec.sourceRef", Some("HelmRepository")),
    Row(&[Kind::ExternalArtifact], "spec.sourceRef", None),
    Row(&[Kind::ArtifactGenerator], "spec.sources[]", None),
    Row(&[Kind::ImagePolicy], "spec.imageRepositoryRef", Some("ImageRepository")),
    Row(&[Kind::ImageUpdateAutomation], "spec.sourceRef", Some("GitRepository")),
    Row(&[Kind::ImageUpdateAutomation], "spec.git.commit.signingKey.secretRef", Some("Secret")),
    Row(&[Kind::Alert], "spec.providerRef", Some("Provider")),
    Row(&[Kind::Alert], "spec.eventSources[]", None),
    Row(&[Kind::Receiver], "spec.secretRef", Some("Secret")),
    Row(&[Kind::Receiver], "spec.resources[]", None),
    Row(&[Kind::ResourceSet], "spec.inputsFrom[]", Some("ResourceSetInputProvider")),
    Row(&[Kind::ResourceSet], "spec.dependsOn[]", None),
];

/// Scalars that are an object's name.
const NAMES: &[(&[Kind], &str, &str)] = &[
    (
        &[
            Kind::Kustomization,
            Kind::HelmRelease,
            Kind::GitRepository,
            Kind::OCIRepository,
            Kind::Bucket,
            Kind::ImageRepository,
            Kind::Provider,
            Kind::ResourceSet,
            Kind::ResourceSetInputProvider,
        ],
        "spec.serviceAccountName",
        "ServiceAccount",
    ),
    (&[Kind::Kustomization], "spec.decryption.serviceAccountName", "ServiceAccount"),
    (&[Kind::FluxInstance], "spec.sync.pullSecret", "Secret"),
];

pub(crate) fn mentions(kind: Kind, identity: &Identity, document: &Document, found: &mut Vec<Mention>) {
    let Some(root) = &document.root else { return };
    for Row(kinds, path, default) in ROWS {
        if kinds.contains(&kind) {
            each(root, path, &mut |node, span| object(node, span, *default, found));
        }
    }
    for (kinds, path, names) in NAMES {
        if kinds.contains(&kind) {
            each(root, path, &mut |node, span| {
                if let Some(name) = node.as_str() {
                    let what = What::Object(Named::new(names, name, None));
                    found.push(Mention { span, words: words(node), what });
                }
            });
        }
    }
    paths(kind, identity, root, found);
}

/// Objects that a controller makes of this one under another name.
pub(crate) fn makes(kind: Kind, identity: &Identity, document: &Document) -> Vec<Made> {
    let Some(spec) = document.root.as_ref().and_then(|it| it.get("spec")) else { return Vec::new() };
    let namespace = identity.namespace.as_deref();
    match kind {
        Kind::ArtifactGenerator => items(spec, "artifacts")
            .iter()
            .filter_map(|it| it.get("name"))
            .filter_map(|it| {
                let object = Named::new("ExternalArtifact", it.as_str()?, namespace);
                Some(Made { object, words: words(it) })
            })
            .collect(),
        // flux-operator names both after the namespace unless told otherwise.
        Kind::FluxInstance => {
            let Some(sync) = spec.entry("sync") else { return Vec::new() };
            let text = |key: &str| sync.value.get(key).and_then(Node::as_str);
            let name = text("name").or(namespace).unwrap_or("flux-system");
            [text("kind").unwrap_or("GitRepository"), "Kustomization"]
                .map(|kind| Made { object: Named::new(kind, name, namespace), words: sync.key.range })
                .into()
        }
        _ => Vec::new(),
    }
}

/// The source that a Flux object's paths are in.
pub(crate) fn source(kind: Kind, root: &Node) -> Option<Named> {
    if kind == Kind::FluxInstance {
        let sync = root.get("spec")?.get("sync")?;
        let kind = sync.get("kind").and_then(Node::as_str).unwrap_or("GitRepository");
        return Some(Named::new(
            kind,
            sync.get("name").and_then(Node::as_str).unwrap_or("flux-system"),
            None,
        ));
    }
    let (path, default) = match kind {
        Kind::HelmRelease => ("spec.chart.spec.sourceRef", "HelmRepository"),
        Kind::HelmChart => ("spec.sourceRef", "HelmRepository"),
        Kind::ImageUpdateAutomation => ("spec.sourceRef", "GitRepository"),
        _ => ("spec.sourceRef", ""),
    };
    let mut found = None;
    each(root, path, &mut |node, _| {
        found = Named::read(node, Some(default).filter(|it| !it.is_empty())).map(|it| it.0);
    });
    found
}

fn object(node: &Node, span: TextRange, default: Option<&str>, found: &mut Vec<Mention>) {
    let Some((named, words)) = Named::read(node, default) else { return };
    let what = match named.name.as_str() {
        "*" => What::Some(Pattern {
            group: named.group,
            kind: Some(named.kind),
            name: None,
            namespace: named.namespace.as_deref().map(regex::escape),
            everywhere: true,
        }),
        _ => What::Object(named),
    };
    found.push(Mention { span, words, what });
}

/// Folders and files in a source.
fn paths(kind: Kind, identity: &Identity, root: &Node, found: &mut Vec<Mention>) {
    let source = source(kind, root);
    let is_helm_repository = source.as_ref().is_some_and(|it| it.kind == "HelmRepository");
    let mut add = |node: &Node, span: TextRange, path: RepoPath, wanted: Wanted| {
        let what = What::InSource(InSource { source: source.clone(), path, wanted });
        found.push(Mention { span, words: words(node), what });
    };
    let in_source = |node: &Node| node.as_str().map(RepoPath::of_flux);
    match kind {
        Kind::Kustomization => {
            let own = root.get("spec").and_then(|it| it.get("path")).and_then(in_source);
            each(root, "spec.path", &mut |node, span| {
                in_source(node).into_iter().for_each(|it| add(node, span, it, Wanted::Build));
            });
            each(root, "spec.components[]", &mut |node, span| {
                let dir = own.clone().unwrap_or_else(RepoPath::root);
                let component = node.as_str().and_then(|it| dir.join(it));
                component.into_iter().for_each(|it| add(node, span, it, Wanted::Build));
            });
            // Without a path the build's root is the source's.
            if own.is_none() && source.is_some() {
                let at = TextRange::empty(identity.name_range.start());
                let what = What::InSource(InSource {
                    source: source.clone(),
                    path: RepoPath::root(),
                    wanted: Wanted::Build,
                });
                found.push(Mention { span: at, words: at, what });
            }
        }
        Kind::HelmRelease | Kind::HelmChart if !is_helm_repository => {
            let spec = if kind == Kind::HelmRelease { "spec.chart.spec" } else { "spec" };
            each(root, &format!("{spec}.chart"), &mut |node, span| {
                in_source(node).into_iter().for_each(|it| add(node, span, it, Wanted::Chart));
            });
            each(root, &format!("{spec}.valuesFiles[]"), &mut |node, span| {
                in_source(node).into_iter().for_each(|it| add(node, span, it, Wanted::Anything));
            });
        }
        Kind::ImageUpdateAutomation => each(root, "spec.update.path", &mut |node, span| {
            in_source(node).into_iter().for_each(|it| add(node, span, it, Wanted::Anything));
        }),
        Kind::FluxInstance => each(root, "spec.sync.path", &mut |node, span| {
            in_source(node).into_iter().for_each(|it| add(node, span, it, Wanted::Build));
        }),
        Kind::ArtifactGenerator => copies(root, found),
        _ => {}
    }
}

/// `from: "@alias/pattern"` of an ArtifactGenerator: up to the first wildcard.
fn copies(root: &Node, found: &mut Vec<Mention>) {
    let sources = root.get("spec").map(|it| items(it, "sources")).unwrap_or_default();
    each(root, "spec.artifacts[].copy[].from", &mut |node, span| {
        let Some((alias, pattern)) =
            node.as_str().and_then(|it| it.strip_prefix('@')).and_then(|it| it.split_once('/'))
        else {
            return;
        };
        let source = sources.iter().find(|it| it.get("alias").and_then(Node::as_str) == Some(alias));
        let source = source.and_then(|it| Named::read(it, None)).map(|it| it.0);
        let literal: Vec<&str> =
            pattern.split('/').take_while(|it| !it.contains(['*', '?', '[', ']'])).collect();
        let path = RepoPath::of_flux(&literal.join("/"));
        if source.is_some() {
            let what = What::InSource(InSource { source, path, wanted: Wanted::Anything });
            found.push(Mention { span, words: words(node), what });
        }
    });
}

/// Calls for each value at a path, with the range from its key (for an item of a list: from its start) to its end.
fn each(root: &Node, path: &str, call: &mut dyn FnMut(&Node, TextRange)) {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let (key, is_list) = first.strip_suffix("[]").map_or((first, false), |key| (key, true));
    let Some(entry) = root.entry(key) else { return };
    let mut go = |node: &Node, span: TextRange| match rest {
        Some(rest) => each(node, rest, call),
        None => call(node, span),
    };
    match is_list {
        true => items(root, key).iter().for_each(|item| go(item, item.range)),
        false => go(&entry.value, whole(entry)),
    }
}
