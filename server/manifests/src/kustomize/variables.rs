//! `${VARIABLES}` as Flux replaces them behind a build (`envsubst`).

use std::collections::BTreeMap;
use std::sync::Arc;

use text_size::TextRange;

use super::object::{Built, How};
use crate::value::{Data, Made, Member, Text, Used};
use crate::{RepoPath, Site, Value};

/// The variables of a Flux Kustomization.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    /// By name.
    pub known: BTreeMap<String, Variable>,
    /// Some come from where the repository does not tell (a Secret, a ConfigMap of the cluster): what is not known may
    /// still have a value.
    pub incomplete: bool,
}

/// A variable's value.
#[derive(Debug, Clone)]
pub struct Variable {
    /// The value.
    pub value: Arc<str>,
    /// Where it is set.
    pub site: Option<Site>,
    /// What comes later, and is not known, may set it too: the last one counts.
    pub unsure: bool,
}

/// Replaces the variables in an object. Those whose value is not known stay as they are.
pub(super) fn substitute(object: &mut Built, variables: &Variables) {
    if object.keeps_variables() {
        return;
    }
    let mut used = Vec::new();
    if let Some(value) = in_value(&object.value, variables, &mut used) {
        object.value = value;
    }
    used.sort_by(|a: &Used, b| a.name.cmp(&b.name));
    used.dedup_by(|a, b| a.name == b.name);
    for used in used {
        if let Some(site) = used.set_at {
            object.shaped(Some(&site), &RepoPath::root(), How::Variable);
        }
    }
}

fn in_value(value: &Arc<Value>, variables: &Variables, used: &mut Vec<Used>) -> Option<Arc<Value>> {
    let data = match &value.data {
        Data::Mapping(members) => {
            let mut changed = false;
            let mut new = Vec::with_capacity(members.len());
            for old in members {
                let key = evaluate(&old.key, variables).map(|(key, _)| key.into());
                let value = in_value(&old.value, variables, used);
                changed |= key.is_some() || value.is_some();
                new.push(Member {
                    key: key.unwrap_or_else(|| Arc::clone(&old.key)),
                    site: old.site.clone(),
                    value: value.unwrap_or_else(|| Arc::clone(&old.value)),
                });
            }
            if !changed {
                return None;
            }
            Data::Mapping(new)
        }
        Data::Sequence(items) => {
            let changed: Vec<Option<Arc<Value>>> =
                items.iter().map(|it| in_value(it, variables, used)).collect();
            if changed.iter().all(Option::is_none) {
                return None;
            }
            let items = items.iter().zip(changed).map(|(old, new)| new.unwrap_or_else(|| Arc::clone(old)));
            Data::Sequence(items.collect())
        }
        Data::Scalar(text) => {
            let (new, uses) = evaluate(&text.value, variables)?;
            used.extend(uses.iter().cloned());
            let made = Made { written: Arc::clone(&text.value), uses };
            Data::Scalar(Text { value: new.into(), plain: text.plain, made: Some(Arc::new(made)) })
        }
    };
    Some(Arc::new(Value { data, site: value.site.clone() }))
}

/// The text with its variables replaced; `None` if nothing changes.
fn evaluate(text: &str, variables: &Variables) -> Option<(String, Vec<Used>)> {
    if !text.contains("${") {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut uses = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find("${").map(|it| it + at) {
        let Some(end) = close(text, start) else { break };
        // `$${VAR}` is written to have `${VAR}` in the object.
        if text[at..start].ends_with('$') {
            out.push_str(&text[at..start - 1]);
            out.push_str(&text[start..end]);
            at = end;
            continue;
        }
        out.push_str(&text[at..start]);
        let inner = &text[start + 2..end - 1];
        let (name, _) = split(inner);
        let from = out.len();
        match expand(inner, variables, 0) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&text[start..end]),
        }
        uses.push(Used {
            name: name.into(),
            written: crate::range(start..end),
            value: TextRange::new(crate::size(from), crate::size(out.len())),
            set_at: variables.known.get(name).and_then(|it| it.site.clone()),
            unsure: is_unsure(inner, variables),
        });
        at = end;
    }
    out.push_str(&text[at..]);
    Some((out, uses))
}

/// Whether one of the variables of what stands inside of `${…}` may have another value: its own, or one of its default's.
fn is_unsure(inner: &str, variables: &Variables) -> bool {
    let names = std::iter::once(inner).chain(inner.split("${").skip(1)).map(|it| split(it).0);
    names.filter_map(|it| variables.known.get(it)).any(|it| it.unsure)
}

/// The end of `${…}`, behind its brace; variables may be in the default of a variable.
fn close(text: &str, start: usize) -> Option<usize> {
    let mut depth = 0_u32;
    let bytes = text.as_bytes();
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                depth += 1;
                at += 1;
            }
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The name, and what is to be done with its value.
fn split(inner: &str) -> (&str, &str) {
    let start = usize::from(inner.starts_with('#'));
    let end = inner[start..]
        .find(|it: char| !(it.is_ascii_alphanumeric() || it == '_'))
        .map_or(inner.len(), |it| it + start);
    (&inner[start..end], &inner[end..])
}

/// The value of what stands inside of `${…}`; `None` if it is not known, or what is asked of it is not done here.
fn expand(inner: &str, variables: &Variables, depth: u32) -> Option<String> {
    const MAX_DEPTH: u32 = 8;
    let (name, rest) = split(inner);
    let known = variables.known.get(name).map(|it| &*it.value);
    let value = match known {
        Some(value) => Some(value),
        None if variables.incomplete => None,
        // A variable that nobody sets is empty (without strict substitution).
        None => Some(""),
    };
    if inner.starts_with('#') {
        return value.map(|it| it.len().to_string());
    }
    let default = |text: &str| {
        if depth >= MAX_DEPTH {
            return None;
        }
        let mut out = String::new();
        let mut at = 0;
        while let Some(start) = text[at..].find("${").map(|it| it + at) {
            let end = close(text, start)?;
            out.push_str(&text[at..start]);
            out.push_str(&expand(&text[start + 2..end - 1], variables, depth + 1)?);
            at = end;
        }
        out.push_str(&text[at..]);
        Some(out)
    };
    for operator in [":-", ":=", "-", "="] {
        if let Some(text) = rest.strip_prefix(operator) {
            return match value? {
                "" => default(text),
                value => Some(value.to_owned()),
            };
        }
    }
    let value = value?;
    let first = |change: fn(&char) -> char| {
        let mut all = value.chars();
        all.next().map(|it| change(&it)).into_iter().chain(all).collect()
    };
    if let Some(bounds) = rest.strip_prefix(':') {
        return substring(value, bounds);
    }
    Some(match rest {
        "" => value.to_owned(),
        "^^" => value.to_uppercase(),
        ",," => value.to_lowercase(),
        "^" => first(char::to_ascii_uppercase),
        "," => first(char::to_ascii_lowercase),
        _ => {
            let (all, rest) = match rest.strip_prefix("//") {
                Some(rest) => (true, rest),
                None => (false, rest.strip_prefix('/')?),
            };
            let (from, to) = rest.split_once('/').unwrap_or((rest, ""));
            match all {
                _ if from.is_empty() || from.contains(['*', '?', '[']) => return None,
                true => value.replace(from, to),
                false => value.replacen(from, to, 1),
            }
        }
    })
}

fn substring(value: &str, bounds: &str) -> Option<String> {
    let (from, length) = match bounds.split_once(':') {
        Some((from, length)) => (from, Some(length.trim().parse::<usize>().ok()?)),
        None => (bounds, None),
    };
    let from = from.trim().parse::<usize>().ok()?;
    let rest = value.get(from..).unwrap_or_default();
    Some(match length {
        Some(length) => rest.get(..length).unwrap_or(rest).to_owned(),
        None => rest.to_owned(),
    })
}
