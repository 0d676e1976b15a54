//! The keys that kustomize knows in a kustomization.yaml (kustomize api 0.21, `types.Kustomization`).
//!
//! What it does not know it refuses in a base; at the root of a Flux build, which Flux writes anew before it builds,
//! it is dropped without a word (flux-reference H 2). Upper and lower case do not count there.

use std::sync::Arc;

use crate::value::{Data, Member};
use crate::{Site, Value};

/// The keys at the top.
pub const BUILD_FILE_KEYS: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "resources",
    "bases",
    "components",
    "namespace",
    "namePrefix",
    "nameSuffix",
    "labels",
    "commonLabels",
    "commonAnnotations",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "images",
    "imageTags",
    "replicas",
    "replacements",
    "vars",
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
    "generators",
    "transformers",
    "validators",
    "configurations",
    "crds",
    "helmGlobals",
    "helmCharts",
    "helmChartInflationGenerator",
    "openapi",
    "buildMetadata",
    "sortOptions",
];

const PATCH: &[&str] = &["path", "patch", "target", "options"];
const TARGET: &[&str] =
    &["group", "version", "kind", "name", "namespace", "annotationSelector", "labelSelector"];
const GENERATOR: &[&str] =
    &["namespace", "name", "behavior", "literals", "files", "envs", "env", "options", "type"];
const GENERATED: &[&str] = &["labels", "annotations", "disableNameSuffixHash", "immutable"];

/// What is below the top: the keys that lead there (`*` for the items of a list), and those that are known there.
const BELOW: &[(&[&str], &[&str])] = &[
    (&["patches", "*"], PATCH),
    (&["patches", "*", "target"], TARGET),
    (&["patchesJson6902", "*"], PATCH),
    (&["patchesJson6902", "*", "target"], TARGET),
    (&["configMapGenerator", "*"], GENERATOR),
    (&["configMapGenerator", "*", "options"], GENERATED),
    (&["secretGenerator", "*"], GENERATOR),
    (&["secretGenerator", "*", "options"], GENERATED),
    (&["generatorOptions"], GENERATED),
    (&["images", "*"], &["name", "newName", "tagSuffix", "newTag", "digest"]),
    (&["replicas", "*"], &["name", "count"]),
    (&["labels", "*"], &["pairs", "includeSelectors", "includeTemplates", "fields"]),
    (&["replacements", "*"], &["path", "source", "sourceValue", "targets"]),
];

/// A key that kustomize does not know where it stands.
#[derive(Debug, Clone)]
pub struct StrayKey {
    /// The key.
    pub key: Arc<str>,
    /// Where it is written.
    pub site: Option<Site>,
    /// The keys that are known there.
    pub known: &'static [&'static str],
}

/// Why kustomize does not take the kind or the version that a build file says it has, and where (`EnforceFields`).
pub(super) fn wrong_head(root: &Value) -> Option<(String, Option<Site>)> {
    let refused = |key: &str, why: String| Some((why, root.get(key).and_then(|it| it.site.clone())));
    let (kind, version) = match root.text(&["kind"]).filter(|it| !it.is_empty()) {
        None | Some("Kustomization") => ("Kustomization", "kustomize.config.k8s.io/v1beta1"),
        Some("Component") => ("Component", "kustomize.config.k8s.io/v1alpha1"),
        Some(_) => return refused("kind", "`kind` is Kustomization or Component".to_owned()),
    };
    match root.text(&["apiVersion"]).filter(|it| !it.is_empty() && *it != version) {
        Some(_) => refused("apiVersion", format!("`apiVersion` of a {kind} is {version}")),
        None => None,
    }
}

/// The keys of a kustomization.yaml that kustomize does not know.
pub(super) fn strays(root: &Value) -> Vec<StrayKey> {
    let mut found = Vec::new();
    among(root, BUILD_FILE_KEYS, &mut found);
    for (path, known) in BELOW {
        below(root, path, known, &mut found);
    }
    found
}

/// The build file with the keys as they are called: Go reads them in upper and lower case alike. Of two that are one,
/// that of the later letters counts, for they come in their order.
pub(super) fn called(root: &Arc<Value>) -> Arc<Value> {
    let mut root = Arc::clone(root);
    let top: (&[&str], _) = (&[], BUILD_FILE_KEYS);
    for (path, known) in std::iter::once(&top).chain(BELOW) {
        root = renamed(&root, path, known).unwrap_or(root);
    }
    root
}

/// With the keys at a path called as they are known; `None` if they are.
fn renamed(value: &Arc<Value>, path: &[&str], known: &[&str]) -> Option<Arc<Value>> {
    let called = |key: &str| known.iter().find(|it| it.eq_ignore_ascii_case(key)).copied();
    let Some((first, rest)) = path.split_first() else {
        let mut members: Vec<&Member> = value.as_mapping()?.iter().collect();
        members.iter().find(|it| called(&it.key).is_some_and(|name| name != &*it.key))?;
        members.sort_by(|one, two| one.key.cmp(&two.key));
        let mut new = Value { data: Data::Mapping(Vec::new()), site: value.site.clone() };
        for it in members {
            let key = called(&it.key).unwrap_or(&it.key);
            new.set(key, None, None);
            new.set(key, it.site.clone(), Some(Arc::clone(&it.value)));
        }
        return Some(Arc::new(new));
    };
    if *first == "*" {
        let items = value.as_sequence()?;
        let new: Vec<_> = items.iter().map(|it| renamed(it, rest, known)).collect();
        new.iter().find(|it| it.is_some())?;
        let items = items.iter().zip(new).map(|(old, new)| new.unwrap_or_else(|| Arc::clone(old)));
        return Some(Arc::new(Value { data: Data::Sequence(items.collect()), site: value.site.clone() }));
    }
    let new = renamed(value.get(first)?, rest, known)?;
    let mut value = Arc::clone(value);
    Arc::make_mut(&mut value).set(first, None, Some(new));
    Some(value)
}

fn below(value: &Value, path: &[&str], known: &'static [&'static str], found: &mut Vec<StrayKey>) {
    match path.split_first() {
        None => among(value, known, found),
        Some((&"*", rest)) => {
            for item in value.as_sequence().unwrap_or_default() {
                below(item, rest, known, found);
            }
        }
        Some((key, rest)) => {
            if let Some(value) = value.get(key) {
                below(value, rest, known, found);
            }
        }
    }
}

fn among(value: &Value, known: &'static [&'static str], found: &mut Vec<StrayKey>) {
    let is_stray = |it: &&Member| !known.iter().any(|known| known.eq_ignore_ascii_case(&it.key));
    let strays = value.as_mapping().unwrap_or_default().iter().filter(is_stray);
    found.extend(strays.map(|it| StrayKey { key: Arc::clone(&it.key), site: it.site.clone(), known }));
}
