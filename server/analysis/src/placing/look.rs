//! Looking in an object for what a message complains of without saying where.

use flux::failure::{LookFor, Variable};
use manifests::value::Data;
use manifests::{Document, Node, NodeKind, Site, TextRange, Value};
use std::sync::Arc;

use super::walk::{Point, is_of_type, variable, written_part};

/// How deep values are looked into.
const DEPTH: usize = 64;

/// All values of an object that are what is looked for, each with the way to it.
pub(super) fn in_value<'v>(root: &'v Arc<Value>, look: &LookFor) -> Vec<Vec<Point<'v>>> {
    let mut found = Vec::new();
    each(root, &mut |points, keys| {
        let value = points[points.len() - 1].value;
        let text = value.as_text().filter(|it| !it.is_null()).map(|it| &*it.value);
        let is_it = match (look, text) {
            (LookFor::Quantity, Some(text)) => is_of_quantity(keys) && !is_quantity(text),
            (LookFor::Base64, Some(text)) => {
                matches!(keys, [data, _] if *data == "data" || *data == "binaryData") && !is_base64(text)
            }
            (LookFor::Time, Some(text)) => {
                keys.last().is_some_and(|it| it.ends_with("Time") || it.ends_with("Timestamp"))
                    && !is_time(text)
            }
            (LookFor::Duration, Some(text)) => {
                keys.last().is_some_and(|it| is_of_duration(it)) && !is_duration(text)
            }
            (LookFor::Typed { key, got, .. }, _) => {
                keys.last().is_some_and(|it| *it == key.rsplit('.').next().unwrap_or(key))
                    && is_of_type(value, got)
            }
            (LookFor::Text(wanted), Some(text)) => text == wanted,
            _ => false,
        };
        if is_it {
            found.push(points.to_vec());
        }
    });
    found
}

/// The values of an object that the rule of its own `sops` block encrypts and that are not: somebody typed over them. Of
/// other rules than `encrypted_regex` nothing is said: an object whose kind and name are encrypted, too, is none.
pub(super) fn unencrypted(root: &Arc<Value>) -> Vec<Vec<Point<'_>>> {
    let rule = root.get("sops").and_then(|it| it.text(&["encrypted_regex"]));
    let Some(rule) = rule.and_then(|it| regex::Regex::new(it).ok()) else { return Vec::new() };
    let is_encrypted = |text: &str| text.starts_with("ENC[AES256_GCM,data:") && text.contains(",type:");
    let mut found = Vec::new();
    each(root, &mut |points, keys| {
        let text =
            points[points.len() - 1].value.as_text().filter(|it| !it.is_null() && !it.value.is_empty());
        if keys.first().is_some_and(|it| *it != "sops")
            && keys.iter().any(|it| rule.is_match(it))
            && text.is_some_and(|it| !is_encrypted(&it.value))
        {
            found.push(points.to_vec());
        }
    });
    found
}

/// Visits every value, with the way to it and the keys on that way.
fn each<'v>(root: &'v Arc<Value>, visit: &mut dyn FnMut(&[Point<'v>], &[&'v str])) {
    fn go<'v>(
        points: &mut Vec<Point<'v>>,
        keys: &mut Vec<&'v str>,
        visit: &mut dyn FnMut(&[Point<'v>], &[&'v str]),
    ) {
        visit(points, keys);
        if points.len() > DEPTH {
            return;
        }
        match &points[points.len() - 1].value.data {
            Data::Mapping(members) => {
                for member in members {
                    points.push(Point { value: &member.value, member: Some(member) });
                    keys.push(&member.key);
                    go(points, keys, visit);
                    keys.pop();
                    points.pop();
                }
            }
            Data::Sequence(items) => {
                for item in items {
                    points.push(Point { value: item, member: None });
                    go(points, keys, visit);
                    points.pop();
                }
            }
            Data::Scalar(_) => {}
        }
    }
    go(&mut vec![Point { value: root, member: None }], &mut Vec::new(), visit);
}

/// Whether a field of built-in types with these keys holds a quantity.
fn is_of_quantity(keys: &[&str]) -> bool {
    let [.., above, last] = keys else { return false };
    matches!(*above, "limits" | "requests" | "hard" | "capacity" | "allocatable" | "overhead" | "podFixed")
        || matches!(*above, "max" | "min" | "default" | "defaultRequest" | "maxLimitRequestRatio")
        || matches!(*last, "sizeLimit" | "divisor" | "averageValue")
        || (*last == "value" && *above == "target")
}

/// `^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$`, with a suffix that there is.
fn is_quantity(text: &str) -> bool {
    let rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(end);
    let is_number = number.bytes().any(|it| it.is_ascii_digit()) && number.matches('.').count() <= 1;
    let exponent = |it: &str| {
        let digits = it.strip_prefix(['+', '-']).unwrap_or(it);
        !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit())
    };
    let is_suffix = matches!(
        suffix,
        "" | "n" | "u" | "m" | "k" | "M" | "G" | "T" | "P" | "E" | "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei"
    ) || suffix.strip_prefix(['e', 'E']).is_some_and(exponent);
    is_number && is_suffix
}

fn is_base64(text: &str) -> bool {
    let text: Vec<u8> = text.bytes().filter(|it| !matches!(it, b'\n' | b'\r')).collect();
    let body = text.iter().rposition(|it| *it != b'=').map_or(0, |at| at + 1);
    text.len().is_multiple_of(4)
        && text.len() - body <= 2
        && text[..body].iter().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'+' | b'/'))
}

fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}

fn is_of_duration(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["interval", "timeout", "duration", "period", "delay", "ttl"].iter().any(|it| key.ends_with(it))
        || matches!(key.as_str(), "renewbefore" | "evaluationinterval" | "for" | "maxage" | "retryinterval")
}

/// As Go reads it: `1h30m`, `0`.
fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    let mut any = false;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, unit) = rest.split_at(end);
        let Some(unit) = ["ns", "us", "µs", "ms", "s", "m", "h"]
            .into_iter()
            .find(|it| unit.starts_with(it))
            .filter(|_| !number.is_empty())
        else {
            return false;
        };
        rest = &rest[end + unit.len()..];
        any = true;
    }
    any
}

/// A use of a variable.
pub(super) struct Use {
    pub(super) site: Site,
    /// Where the variable gets its value.
    pub(super) set_at: Option<Site>,
    /// Its value is one that YAML could take for something else.
    pub(super) is_awkward: bool,
}

/// The uses of a variable in an object, keys included; of malformed ones the first in the order of the object.
pub(super) fn variables(root: &Arc<Value>, wanted: &Variable) -> Vec<Use> {
    let mut found = Vec::new();
    each(root, &mut |points, _| {
        let point = points[points.len() - 1];
        if let Some(member) = point.member
            && let Some(site) = &member.site
        {
            // A key is written as it is; the place of a part is looked for in its text.
            let key = Value {
                data: Data::Scalar(manifests::value::Text::new(site.text(), true)),
                site: Some(site.clone()),
            };
            in_text(&key, wanted, &mut found);
        }
        in_text(point.value, wanted, &mut found);
    });
    if matches!(wanted, Variable::Malformed) {
        found.truncate(1);
    }
    found
}

fn in_text(value: &Value, wanted: &Variable, found: &mut Vec<Use>) {
    let Some(text) = value.as_text() else { return };
    let written: &str = text.made.as_ref().map_or(&text.value, |it| &it.written);
    if !written.contains("${") {
        return;
    }
    let made = text.made.as_ref();
    match wanted {
        Variable::Malformed => {
            if let Some((start, end)) = malformed(written)
                && let Some(site) = written_part(value, start, &written[start..end])
            {
                found.push(Use { site, set_at: None, is_awkward: false });
            }
        }
        Variable::Any => {
            for used in made.iter().flat_map(|it| &it.uses) {
                let Some(site) = variable(value, used) else { continue };
                let end = usize::from(used.value.end());
                let became = text.value.get(usize::from(used.value.start())..end).unwrap_or_default();
                let is_awkward = became
                    .contains([':', '#', '"', '\'', '\n', '{', '[', '*', '&', '%', '@', '`', '!', '|', '>'])
                    || became.starts_with(['-', '?', ' ']);
                found.push(Use { site, set_at: used.set_at.clone(), is_awkward });
            }
        }
        Variable::Named(name) => {
            let mut at = 0;
            while let Some(start) = written[at..].find("${").map(|it| it + at) {
                let rest = &written[start + 2..];
                at = start + 2;
                let is_it = rest
                    .strip_prefix(name.as_str())
                    .is_some_and(|it| !it.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
                if !is_it || written[..start].ends_with('$') {
                    continue;
                }
                let end = rest.find('}').map_or(written.len(), |it| start + 2 + it + 1);
                let set_at = made
                    .iter()
                    .flat_map(|it| &it.uses)
                    .find(|it| *it.name == **name)
                    .and_then(|it| it.set_at.clone());
                if let Some(site) = written_part(value, start, &written[start..end]) {
                    found.push(Use { site, set_at, is_awkward: false });
                }
            }
        }
    }
}

/// The first `${` that `envsubst` cannot read: no closing brace, or no name.
fn malformed(text: &str) -> Option<(usize, usize)> {
    let mut at = 0;
    while let Some(start) = text[at..].find("${").map(|it| it + at) {
        at = start + 2;
        if text[..start].ends_with('$') {
            continue;
        }
        let line = text[start..].find('\n').map_or(text.len(), |it| it + start);
        let Some(end) = text[start..line].find('}').map(|it| it + start) else {
            // Up to the end of what could be the name.
            let end = text[at..]
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .map_or(text.len(), |it| it + at);
            return Some((start, end));
        };
        let inner = &text[at..end];
        let inner = inner.strip_prefix('#').unwrap_or(inner);
        let name = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inner.len());
        let rest = &inner[name..];
        let starts = inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let known = rest.is_empty() || rest.starts_with([':', '-', '=', '^', ',', '/', '#', '%', '?', '+']);
        if !starts || !known {
            return Some((start, end + 1));
        }
    }
    None
}

/// The second of two equal keys of a mapping of a document, and the first.
pub(super) fn duplicate_key(document: &Document, key: &str) -> Option<(TextRange, TextRange)> {
    let mut open: Vec<&Node> = document.root.iter().collect();
    let mut found = Vec::new();
    while let Some(node) = open.pop() {
        match &node.kind {
            NodeKind::Mapping(entries) => {
                let mut same = entries.iter().filter(|it| it.is(key));
                if let (Some(first), Some(second)) = (same.next(), same.next()) {
                    found.push((second.key.range, first.key.range));
                }
                open.extend(entries.iter().map(|it| &it.value));
            }
            NodeKind::Sequence(items) => open.extend(items),
            NodeKind::Scalar(_) | NodeKind::Alias(_) => {}
        }
    }
    found.into_iter().min_by_key(|(second, _)| second.start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        for (text, expected) in [
            ("100m", true),
            ("1.5Gi", true),
            ("-1", true),
            ("1e3", true),
            ("1E", true),
            ("12E6", true),
            ("0.5", true),
            ("500mb", false),
            ("64MiB", false),
            ("50 m", false),
            ("", false),
            ("m", false),
            ("1..5", false),
            ("ten", false),
        ] {
            assert_eq!(is_quantity(text), expected, "{text}");
        }
    }

    #[test]
    fn durations() {
        for (text, expected) in [
            ("1h", true),
            ("1h30m", true),
            ("0", true),
            ("1.5s", true),
            ("10", false),
            ("ten", false),
            ("1d", false),
            ("", false),
        ] {
            assert_eq!(is_duration(text), expected, "{text}");
        }
    }

    #[test]
    fn base64() {
        for (text, expected) in
            [("", true), ("YQ==", true), ("YWJj\n", true), ("a", false), ("hello!", false), ("YQ=", false)]
        {
            assert_eq!(is_base64(text), expected, "{text}");
        }
    }

    #[test]
    fn braces_that_do_not_parse() {
        for (text, expected) in [
            ("echo ${HOME", Some("${HOME")),
            ("echo ${HOME\nx}", Some("${HOME")),
            ("${items[@]}", Some("${items[@]}")),
            ("${A} $${b[1]} ${C:-d}", None),
            ("${1}", Some("${1}")),
        ] {
            assert_eq!(malformed(text).map(|(start, end)| &text[start..end]), expected, "{text}");
        }
    }
}
