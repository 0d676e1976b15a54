//! The keys that kustomize knows in a kustomization.yaml (kustomize api 0.21, `types.Kustomization`).
//!
//! What it does not know it refuses in a base; at the root of a Flux build, which Flux writes anew before it builds,
//! it is dropped without a word (flux-reference H 2). Upper and lower case do not count there.

use std::sync::Arc;

use crate::value::Member;
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
    (&["replacements", "*"], &["path", "source", "targets"]),
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

/// The keys of a kustomization.yaml that kustomize does not know. Those that begin with `x-` say themselves that they
/// are for nobody.
pub(super) fn strays(root: &Value) -> Vec<StrayKey> {
    let mut found = Vec::new();
    among(root, BUILD_FILE_KEYS, &mut found);
    for (path, known) in BELOW {
        below(root, path, known, &mut found);
    }
    found
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
    let is_stray = |it: &&Member| {
        !it.key.starts_with("x-") && !known.iter().any(|known| known.eq_ignore_ascii_case(&it.key))
    };
    let strays = value.as_mapping().unwrap_or_default().iter().filter(is_stray);
    found.extend(strays.map(|it| StrayKey { key: Arc::clone(&it.key), site: it.site.clone(), known }));
}
