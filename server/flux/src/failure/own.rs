//! Which field of the Flux object itself a failure belongs to.

use serde_json::Value;

use crate::Object;
use crate::json::{list, text};

/// How to find the field, of what the stars of a row's pattern stood for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// The first of these that the spec has, else the object's name.
    Field(&'static [&'static str]),
    /// The first of these whose text is that of the nth `*`.
    Is(&'static [&'static str], usize),
    /// The item of a list that the nth `*` names, as `namespace/name` or `name`; then the key in it.
    Named(&'static str, usize, &'static str),
    /// The item of a list that the nth `*` names as `…/Kind/name` or `…/Kind/namespace/name`.
    Kinded(&'static str, usize, &'static str),
    /// As `Named`, of the kind in the `*` before.
    NamedKind(&'static str, usize, &'static str),
    /// The text in a list that the nth `*` quotes.
    Text(&'static str, usize),
    /// The entry of a mapping whose key is the nth `*`, and is wrong; the second field if there is none.
    Entry(&'static str, usize, &'static str),
    /// The entry of a list of mappings whose key holds the text of the nth `*`.
    Holding(&'static str, &'static str, usize),
    /// The patch about the object (a kustomize id), with the JSON pointer or with the text of the nth `*`.
    Patch(&'static str, usize),
    /// As `Patch`, in any of `spec.postRenderers`.
    PostRenderer(usize),
    /// Below `spec.values`, as the nth `*` says: a template's expression, a JSON pointer or a dotted path.
    Values(usize),
    /// The field that the nth `*` is the path of.
    Told(usize),
    /// The health check of the object that the nth `*` names as `Kind/namespace/name`.
    HealthCheck(usize),
}

/// The field of the Flux object's own document at which a failure stands if nothing nearer is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    at: Option<At>,
    told: Vec<String>,
    /// The part of the spec that the rows of another kind speak of: a HelmRelease's chart template.
    below: Option<&'static str>,
}

impl Own {
    pub(super) fn new(at: At, told: &[&str]) -> Own {
        // Only what names something is worth keeping: names and paths are short.
        const LONGEST: usize = 2_000;
        let short = |text: &&str| {
            let end = (0..=LONGEST.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
            text.get(..end.unwrap_or_default()).unwrap_or_default().to_owned()
        };
        Own { at: Some(at), told: told.iter().map(short).collect(), below: None }
    }

    pub(super) fn below(mut self, part: &'static str) -> Own {
        self.below = Some(part);
        self
    }

    /// Whether at this field of the object the key is what is wrong, not the value: a variable whose name cannot be one
    /// (K45).
    pub(super) fn is_key(&self, path: &str) -> bool {
        let Some(At::Entry(mapping, ..)) = self.at else { return false };
        path.strip_prefix(mapping).is_some_and(|it| it.starts_with(['.', '[']))
    }

    /// The path in the object's live spec (`spec.dependsOn[1].name`), with the indexes that it has there. `None`
    /// if the failure belongs to no field of it: then it is the object's name.
    pub fn field(&self, object: &Object) -> Option<String> {
        let at = self.at?;
        let spec = serde_json::json!({ "spec": object.raw_spec() });
        match self.below {
            None => place(at, &self.told, &spec, object),
            Some(part) => {
                let spec = serde_json::json!({ "spec": find(&spec, part)? });
                let path = place(at, &self.told, &spec, object)?;
                Some(format!("{part}{}", path.strip_prefix("spec")?))
            }
        }
    }
}

/// For tests and logs: which field it is looked for.
impl std::fmt::Display for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.at {
            None | Some(At::Field([])) => return Ok(()),
            Some(at) => {
                let told = |n: usize| self.told.get(n).map_or("?", String::as_str);
                match at {
                    At::Field(fields) => f.write_str(&fields.join(" or "))?,
                    At::Is(fields, n) => write!(f, "{} = {}", fields.join(" or "), told(n))?,
                    At::Named(items, n, key) | At::Kinded(items, n, key) => {
                        write!(f, "{items}[{}].{key}", told(n))?;
                    }
                    At::NamedKind(items, n, key) => {
                        write!(f, "{items}[{} {}].{key}", told(n.saturating_sub(1)), told(n))?;
                    }
                    At::Text(items, n) | At::Holding(items, _, n) => write!(f, "{items}[{}]", told(n))?,
                    At::Entry(items, n, other) => write!(f, "{items}.{} or {other}", told(n))?,
                    At::Patch(items, n) => write!(f, "{items}[{:?}]", told(n))?,
                    At::PostRenderer(n) => write!(f, "spec.postRenderers[{:?}]", told(n))?,
                    At::Values(n) => write!(f, "spec.values{}", told(n))?,
                    At::Told(n) => f.write_str(told(n))?,
                    At::HealthCheck(n) => write!(f, "spec.healthChecks[{}].name", told(n))?,
                }
            }
        }
        self.below.map_or(Ok(()), |part| write!(f, " below {part}"))
    }
}

fn place(at: At, told: &[String], root: &Value, object: &Object) -> Option<String> {
    let nth = |n: usize| told.get(n).map(String::as_str);
    let first = |fields: &[&'static str]| {
        // `*` is what the API server writes where nobody told a version.
        let is_told = |it: &&&str| find(root, it).is_some_and(|value| value.as_str() != Some("*"));
        fields.iter().find(is_told).map(|it| (*it).to_owned())
    };
    match at {
        At::Field(fields) => first(fields),
        At::Is(fields, n) => {
            let wanted = nth(n)?;
            let is = |it: &&&str| find(root, it).and_then(Value::as_str) == Some(wanted);
            fields.iter().find(is).map(|it| (*it).to_owned())
        }
        At::Named(items, n, key) => {
            let (namespace, name) = split(nth(n)?);
            item(root, items, key, |item| is_named(item, namespace, name, &object.id.namespace))
        }
        At::Kinded(items, n, key) => {
            let (rest, name) = nth(n)?.rsplit_once('/')?;
            item(root, items, key, |item| {
                let kind = text(item, "kind");
                text(item, "name") == Some(name) && rest.split('/').any(|part| kind == Some(part))
            })
        }
        At::NamedKind(items, n, key) => {
            // `optional ` may stand before the kind.
            let kind = nth(n.checked_sub(1)?)?.rsplit(' ').next()?;
            let (_, name) = split(nth(n)?);
            item(root, items, key, |item| {
                text(item, "kind") == Some(kind) && text(item, "name") == Some(name)
            })
        }
        At::Text(items, n) => {
            let wanted = nth(n)?;
            let found = find(root, items)?.as_array()?.iter().position(|v| v.as_str() == Some(wanted));
            Some(found.map_or_else(|| items.to_owned(), |i| format!("{items}[{i}]")))
        }
        At::Entry(mapping, n, other) => {
            let key = nth(n)?;
            let found = find(root, mapping).and_then(|it| it.get(key));
            found.map(|_| format!("{mapping}{}", segment(key))).or_else(|| first(&[other]))
        }
        At::Holding(items, key, n) => holding(root, items, key, nth(n)?),
        At::Patch(items, n) => Some(patch(root, items, nth(n)?).unwrap_or_else(|| "spec.path".to_owned()))
            .filter(|path| find(root, path).is_some()),
        At::PostRenderer(n) => {
            let renderers = find(root, "spec.postRenderers")?.as_array()?;
            let lists = (0..renderers.len()).map(|i| format!("spec.postRenderers[{i}].kustomize.patches"));
            let mut found = lists.filter_map(|items| patch(root, &items, nth(n)?));
            let path = found.next().filter(|_| found.next().is_none());
            Some(path.unwrap_or_else(|| "spec.postRenderers".to_owned()))
        }
        At::Values(n) => {
            const ELSE: &[&str] = &["spec.valuesFrom", "spec.chartRef.name", "spec.chart.spec.chart"];
            values(root, nth(n)?).or_else(|| first(ELSE))
        }
        At::Told(n) => {
            let told = nth(n)?;
            // `resources[3]: …` or `resources[2] (kind=…)`: the pattern ate up to the bracket.
            let path = match told.split_once(']') {
                Some((index, rest)) if index.bytes().all(|b| b.is_ascii_digit()) && !index.is_empty() => {
                    let filter = if rest.starts_with(" (kind=") { ".filter" } else { "" };
                    format!("spec.resources[{index}]{filter}")
                }
                _ => told.split_whitespace().next()?.trim_start_matches('.').to_owned(),
            };
            find(root, &path).map(|_| path)
        }
        At::HealthCheck(n) => {
            let told = nth(n)?;
            let named = |check: &Value| {
                let (Some(kind), Some(name)) = (text(check, "kind"), text(check, "name")) else {
                    return false;
                };
                let namespace = text(check, "namespace").unwrap_or(&object.id.namespace);
                told == format!("{kind}/{namespace}/{name}") || told == format!("{kind}/{name}")
            };
            let checks = find(root, "spec.healthChecks")?.as_array()?;
            checks.iter().position(named).map(|i| format!("spec.healthChecks[{i}].name"))
        }
    }
}

fn split(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, name),
    }
}

fn is_named(item: &Value, namespace: Option<&str>, name: &str, home: &str) -> bool {
    let item = if item.get("repository").is_some() { &item["repository"] } else { item };
    let own = text(item, "namespace").unwrap_or(home);
    text(item, "name") == Some(name) && namespace.is_none_or(|namespace| namespace == own)
}

/// The key in the item of a list that fits; the item's name or the item itself if it lacks the key.
fn item(root: &Value, items: &str, key: &str, fits: impl Fn(&Value) -> bool) -> Option<String> {
    let index = find(root, items)?.as_array()?.iter().position(fits)?;
    let with = |key: &str| format!("{items}[{index}].{key}");
    [key, "name"].iter().map(|key| with(key)).find(|path| find(root, path).is_some())
}

/// The entry whose text at a key is, or whose nested items hold, the wanted text.
fn holding(root: &Value, items: &str, key: &str, wanted: &str) -> Option<String> {
    for (index, entry) in find(root, items)?.as_array()?.iter().enumerate() {
        if text(entry, key) == Some(wanted) {
            return Some(format!("{items}[{index}].{key}"));
        }
        for field in ["failed", "inProgress"] {
            if text(entry, field) == Some(wanted) {
                return Some(format!("{items}[{index}].{field}"));
            }
        }
        for (nested, item) in list(entry, key).iter().enumerate() {
            if text(item, "from") == Some(wanted) {
                return Some(format!("{items}[{index}].{key}[{nested}].from"));
            }
        }
    }
    Some(items.to_owned())
}

/// The patch that is about an object or a JSON pointer, if it is a single one.
fn patch(root: &Value, items: &str, about: &str) -> Option<String> {
    let patches = find(root, items)?.as_array()?;
    let is_about = |patch: &&str| -> bool {
        if about.starts_with('/') {
            return patch
                .lines()
                .any(|line| line.trim_start_matches(['-', ' ']).trim_end() == format!("path: {about}"));
        }
        if about.contains('\n') {
            return patch.trim() == about.trim();
        }
        // A kustomize id: `Deployment.v1.apps/nope.[noNs]`.
        let about = about.trim_matches('"');
        let Some((gvk, name)) = about.split_once('/') else { return false };
        let kind = gvk.split('.').next().unwrap_or_default();
        let name = name.rsplit_once('.').map_or(name, |(name, _)| name);
        let has = |key: &str, value: &str| {
            patch.lines().any(|line| {
                line.trim().strip_prefix(key).is_some_and(|v| v.trim().trim_matches(['"', '\'']) == value)
            })
        };
        has("kind:", kind) && has("name:", name)
    };
    let mut found =
        patches.iter().enumerate().filter(|(_, p)| text(p, "patch").as_ref().is_some_and(is_about));
    let (index, _) = found.next()?;
    found.next().is_none().then(|| format!("{items}[{index}].patch"))
}

/// The value that an expression (`image.tag | quote`), a JSON pointer (`/image/tag`) or a dotted path
/// names; the nearest one above that exists.
fn values(root: &Value, told: &str) -> Option<String> {
    let keys: Vec<&str> = if told.starts_with('/') {
        told.split('/').skip(1).collect()
    } else {
        let end = told.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.' || c == '-'));
        told[..end.unwrap_or(told.len())].split('.').collect()
    };
    let mut path = "spec.values".to_owned();
    let mut value = find(root, &path)?;
    for key in keys {
        let (next, step) = match (value, key.parse::<usize>()) {
            (Value::Array(items), Ok(index)) => (items.get(index), format!("[{index}]")),
            _ => (value.get(key), segment(key)),
        };
        let Some(next) = next else { break };
        value = next;
        path += &step;
    }
    Some(path)
}

/// A key as it is written in a path.
fn segment(key: &str) -> String {
    let plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') && !key.is_empty();
    if plain { format!(".{key}") } else { format!("[{}]", Value::from(key)) }
}

/// The value at `spec.a[0].b`.
fn find<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = root;
    for part in path.split('.') {
        let (key, indexes) = match part.split_once('[') {
            Some((key, rest)) => (key, rest.strip_suffix(']')?),
            None => (part, ""),
        };
        value = value.get(key)?;
        if !indexes.is_empty() {
            value = value.get(indexes.parse::<usize>().ok()?)?;
        }
    }
    Some(value)
}
