//! Whether two texts say the same. Comments, key order, quotes around what is a text anyway and line ends do not
//! count.

use manifests::value::{Data, Text, Value};
use manifests::{
    Document, Entry, FieldPath, Node, NodeKind, ParsedFile, RepoPath, Scalar, ScalarStyle, Site, TextSize,
};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::sync::Arc;

use crate::held::gaps;

/// How deep documents are compared. What is deeper counts as different: never a false "the same".
pub(crate) const DEPTH: u32 = 64;

/// Whether two documents say the same.
pub(crate) fn same_document(a: &Document, b: &Document) -> bool {
    if a.text() == b.text() {
        return true;
    }
    match (&a.root, &b.root) {
        (Some(a), Some(b)) => same(a, b, DEPTH),
        (None, None) => true,
        _ => false,
    }
}

/// Whether the entry at the top of a document that an offset lies in says the same in another document. `None` if the
/// offset lies in none.
pub(crate) fn same_entry_at(document: &Document, offset: TextSize, other: &Document) -> Option<bool> {
    let entries = document.root.as_ref()?.as_mapping()?;
    let entry = entries.iter().find(|it| it.key.range.cover(it.value.range).contains_inclusive(offset))?;
    let other = other.root.as_ref().and_then(|it| it.get(&entry.key.as_scalar()?.value));
    Some(other.is_some_and(|other| same(&entry.value, other, DEPTH)))
}

/// The objects of a file, by what they say they are.
#[derive(Default)]
pub(crate) struct Counterparts {
    named: HashMap<Name, Arc<Document>>,
    /// Documents without a name, patches for instance, in their order.
    nameless: Vec<Arc<Document>>,
}

/// Group, kind, name and namespace, as written.
type Name = (String, String, String, Option<String>);

impl Counterparts {
    pub(crate) fn new(file: &ParsedFile) -> Self {
        let mut found = Self::default();
        for placed in file.documents() {
            match name(&placed.document) {
                Some(name) => {
                    found.named.entry(name).or_insert_with(|| Arc::clone(&placed.document));
                }
                None => found.nameless.push(Arc::clone(&placed.document)),
            }
        }
        found
    }

    /// The document that says it is the same object as `document`; for one without a name one that says the same.
    pub(crate) fn of(&self, document: &Document) -> Option<&Arc<Document>> {
        match name(document) {
            Some(name) => self.named.get(&name),
            None => self.nameless.iter().find(|it| same_document(it, document)),
        }
    }
}

fn name(document: &Document) -> Option<Name> {
    let it = document.identity()?;
    Some((it.group.clone(), it.kind.clone(), it.name.clone(), it.namespace.clone()))
}

fn same(a: &Node, b: &Node, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let (a, b) = (a.resolved(), b.resolved());
    match (&a.kind, &b.kind) {
        (NodeKind::Mapping(one), NodeKind::Mapping(other)) => {
            // Of duplicate keys the last counts, which is what `entry` finds.
            one.iter().all(|entry| same_entry(entry, a, b, depth))
                && other.iter().all(|e| same_entry(e, b, a, depth))
        }
        (NodeKind::Sequence(a), NodeKind::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b, depth))
        }
        (NodeKind::Scalar(a), NodeKind::Scalar(b)) => same_scalar(a, b),
        (NodeKind::Alias(_), NodeKind::Alias(_)) => true,
        _ => false,
    }
}

fn same_entry(entry: &Entry, own: &Node, other: &Node, depth: u32) -> bool {
    let Some(key) = entry.key.as_scalar() else { return false };
    if *key.value == *"<<" {
        return true;
    }
    match (own.entry(&key.value), other.entry(&key.value)) {
        (Some(own), Some(other)) => same(&own.value, &other.value, depth),
        _ => false,
    }
}

fn same_scalar(a: &Scalar, b: &Scalar) -> bool {
    if a.is_null() || b.is_null() {
        return a.is_null() && b.is_null();
    }
    a.value == b.value && (is_text(a) == is_text(b))
}

/// Whether YAML makes a text of it, rather than a number or a truth value.
fn is_text(scalar: &Scalar) -> bool {
    scalar.style != ScalarStyle::Plain || matches!(plain(&scalar.value), Plain::Text)
}

enum Plain {
    Bool(bool),
    Number(f64),
    Text,
}

fn plain(value: &str) -> Plain {
    match value {
        "true" | "True" | "TRUE" => Plain::Bool(true),
        "false" | "False" | "FALSE" => Plain::Bool(false),
        _ if value.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) => {
            value.parse().map_or(Plain::Text, Plain::Number)
        }
        _ => Plain::Text,
    }
}

/// How two objects compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Compared {
    Same,
    /// They differ; in what this file says, as far as one of the first of them wrote it.
    Different(Option<RepoPath>),
    /// All that differs is made by variables whose value is not known.
    Unknown,
}

/// Compares two objects that were built. The first is the one in front of the user: the file is the one that sets the value
/// there.
pub(crate) fn compare(a: &Value, b: &Value) -> Compared {
    let mut found = Compared::Same;
    differ(a, b, a.site.as_ref(), DEPTH, &mut found);
    found
}

/// Goes on until it finds what differs for certain; whether it did.
fn differ(a: &Value, b: &Value, above: Option<&Site>, depth: u32, found: &mut Compared) -> bool {
    let site = a.site.as_ref().or(above);
    let here = |found: &mut Compared| {
        *found = Compared::Different(site.or(b.site.as_ref()).map(|it| it.path().clone()));
        true
    };
    let Some(depth) = depth.checked_sub(1) else { return here(found) };
    match (&a.data, &b.data) {
        (Data::Mapping(one), Data::Mapping(two)) => {
            for member in one {
                let differs = match b.get(&member.key) {
                    Some(other) => differ(&member.value, other, site, depth, found),
                    None => {
                        let set_by = member.value.site.as_ref().or(member.site.as_ref()).or(site);
                        *found = Compared::Different(set_by.map(|it| it.path().clone()));
                        true
                    }
                };
                if differs {
                    return true;
                }
            }
            // What is not set any more was set by a text that has no part in this one.
            let Some(gone) = two.iter().find(|it| a.get(&it.key).is_none()) else { return false };
            let set_by = gone.value.site.as_ref().or(gone.site.as_ref()).map(Site::path);
            let here = site.map(Site::path);
            *found = Compared::Different(set_by.or(here).cloned());
            true
        }
        (Data::Sequence(one), Data::Sequence(two)) => {
            one.iter().zip(two).any(|(one, two)| differ(one, two, site, depth, found))
                || (one.len() != two.len() && here(found))
        }
        (Data::Scalar(one), Data::Scalar(two)) => match same_text(one, two) {
            Some(true) => false,
            Some(false) => here(found),
            None => {
                *found = Compared::Unknown;
                false
            }
        },
        _ => here(found),
    }
}

/// Whether two scalars say the same; `None` if a variable whose value is not known makes them differ.
pub(crate) fn same_text(one: &Text, two: &Text) -> Option<bool> {
    let same = match (one.is_null(), two.is_null()) {
        (true, true) => true,
        (false, false) => one.value == two.value && means_text(one) == means_text(two),
        _ => false,
    };
    let is_unsure = !same && (one.value.contains("${") || two.value.contains("${"));
    (!is_unsure).then_some(same)
}

fn means_text(text: &Text) -> bool {
    !text.plain || matches!(plain(&text.value), Plain::Text)
}

/// Whether a live spec holds everything that a document's `spec` says. The live one may hold more: defaults, and
/// what patches added. `false` proves a difference, not its cause: patches and variables change what is written.
pub(crate) fn live_holds(document: &Document, live: &Json) -> bool {
    match document.root.as_ref().and_then(|root| root.get("spec")) {
        Some(spec) => holds(spec, Some(live), DEPTH),
        None => true,
    }
}

fn holds(node: &Node, live: Option<&Json>, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match &node.resolved().kind {
        NodeKind::Mapping(entries) => match live {
            Some(Json::Object(live)) => entries.iter().all(|entry| match entry.key.as_scalar() {
                Some(key) => match node.entry(&key.value) {
                    Some(last) => *key.value == *"<<" || holds(&last.value, live.get(&*key.value), depth),
                    None => true,
                },
                None => false,
            }),
            // What says nothing may be left out.
            None | Some(Json::Null) => entries.iter().all(|entry| holds(&entry.value, None, depth)),
            Some(_) => false,
        },
        NodeKind::Sequence(items) => match live {
            Some(Json::Array(live)) => {
                items.len() == live.len()
                    && items.iter().zip(live).all(|(item, live)| holds(item, Some(live), depth))
            }
            None | Some(Json::Null) => items.is_empty(),
            Some(_) => false,
        },
        NodeKind::Scalar(scalar) => scalar_holds(&scalar.value, scalar.is_null(), live),
        NodeKind::Alias(_) => false,
    }
}

/// The same for a spec that was built.
pub(crate) fn live_holds_value(spec: &Value, live: &Json) -> bool {
    gaps(spec, live, &FieldPath::root()).is_empty()
}

/// Whether a live value is what is written.
pub(crate) fn scalar_holds(value: &str, is_null: bool, live: Option<&Json>) -> bool {
    // Flux replaces variables after the build: any value may stand there.
    if value.contains("${") {
        return true;
    }
    let zero = |value: &str| matches!(value, "" | "0" | "false");
    match live {
        None | Some(Json::Null) => is_null || zero(value),
        Some(Json::String(live)) => value == *live || same_duration(value, live),
        Some(Json::Bool(live)) => matches!(plain(value), Plain::Bool(value) if value == *live),
        Some(Json::Number(live)) => {
            matches!(plain(value), Plain::Number(value) if live.as_f64() == Some(value))
        }
        Some(_) => false,
    }
}

/// `1h` and `1h0m0s`.
fn same_duration(a: &str, b: &str) -> bool {
    match (seconds(a), seconds(b)) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-9,
        _ => false,
    }
}

fn seconds(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|at| *at > 0)?;
        let number: f64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        seconds += number
            * match rest.get(..end)? {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                _ => return None,
            };
        rest = rest.get(end..)?;
    }
    (!text.is_empty()).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: &str, b: &str, expected: bool) {
        let (one, other) = (ParsedFile::parse(a), ParsedFile::parse(b));
        let [one, other] = [&one, &other].map(|file| &file.documents()[0].document);
        assert_eq!(same_document(one, other), expected, "{a}\n---\n{b}");
        assert_eq!(same_document(other, one), expected, "{b}\n---\n{a}");
    }

    #[test]
    fn what_counts_in_a_text() {
        check("a: 1\nb: x\n", "# said\nb: \"x\"\na: 1 # more\n", true);
        check("a: 1\n", "a: 2\n", false);
        check("a: 1\n", "a: \"1\"\n", false);
        check("a: true\n", "a: 'true'\n", false);
        check("a: [x, y]\n", "a:\n  - x\n  - y\n", true);
        check("a: [x, y]\n", "a: [y, x]\n", false);
        check("a: 1\n", "a: 1\nb: 2\n", false);
        check("a: |\n  x\n", "a: \"x\\n\"\n", true);
        check("a: &n {x: 1}\nb: *n\n", "a: {x: 1}\nb: {x: 1}\n", true);
        check("a: ~\n", "a:\n", true);
    }

    fn check_live(document: &str, live: &str, expected: bool) {
        let file = ParsedFile::parse(document);
        let live: Json = serde_json::from_str(live).expect("live is JSON");
        assert_eq!(live_holds(&file.documents()[0].document, &live), expected, "{document}\n{live}");
    }

    #[test]
    fn what_a_live_spec_holds() {
        check_live(
            "spec: {path: ./apps, prune: true, interval: 1h}",
            r#"{"path":"./apps","prune":true,"interval":"1h0m0s","force":false}"#,
            true,
        );
        check_live("spec: {path: ./apps}", r#"{"path":"./app"}"#, false);
        check_live("spec: {path: \"${DIR}\"}", r#"{"path":"./app"}"#, true);
        check_live("spec: {suspend: false, patches: []}", r"{}", true);
        check_live("spec: {suspend: true}", r"{}", false);
        check_live("spec: {dependsOn: [{name: a}]}", r#"{"dependsOn":[{"name":"a"},{"name":"b"}]}"#, false);
        check_live("spec: {retries: 3}", r#"{"retries":3}"#, true);
    }
}
