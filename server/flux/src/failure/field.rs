//! What is wrong with a field, and the two ways in which the API server lists such errors.

use super::path::{Path, Step, unquote};
use super::{Fault, LookFor, Place};

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Its value is not allowed.
    Invalid,
    /// It is missing.
    Required,
    /// It is none of a closed list.
    NotSupported {
        /// The values that are, in the message's order.
        allowed: Vec<String>,
    },
    /// It is there twice.
    Duplicate,
    /// It must not be set, or not so.
    Forbidden,
    /// It must not change.
    Immutable {
        /// What below it may change all the same: keys, or keys joined by dots.
        but: Vec<String>,
    },
    /// Labels of a template that the object's own selector does not find.
    NotSelected,
    /// There is no such field.
    Unknown,
    /// Its value has another type.
    Type {
        /// The type that it must have: `string`, `numeric`, `map`, …
        expected: String,
        /// The type or the value that it has.
        got: String,
    },
    /// It names something that does not exist.
    NotFound,
    /// It is too long, or has too many or too few items.
    Size,
    /// A policy or a webhook does not allow it.
    Denied,
    /// Somebody else owns it.
    Owned,
}

/// Most errors of one message: what bounds the time for texts that are made to be slow.
const MOST: usize = 64;

/// Longest quoted value in a sentence, in characters.
const VALUE: usize = 80;

/// The types of Kubernetes' field errors (apimachinery, validation/field/errors.go), whether a value
/// follows, and what they mean.
const TYPES: &[(&str, bool, Problem)] = &[
    ("Invalid value", true, Problem::Invalid),
    ("Required value", false, Problem::Required),
    ("Unsupported value", true, Problem::NotSupported { allowed: Vec::new() }),
    ("Duplicate value", true, Problem::Duplicate),
    ("Forbidden", false, Problem::Forbidden),
    ("Not found", true, Problem::NotFound),
    ("Too long", false, Problem::Size),
    ("Too many", true, Problem::Size),
    ("Too few", true, Problem::Size),
    ("Too short", false, Problem::Size),
    ("Internal error", false, Problem::Invalid),
];

/// An error of one field: `spec.replicas: Invalid value: -1: must be greater than or equal to 0`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FieldError {
    pub(super) path: Path,
    pub(super) value: Option<String>,
    pub(super) problem: Problem,
    pub(super) detail: String,
    /// The message shows no value: a rule of a CRD says what is wrong with a whole object.
    pub(super) without_value: bool,
    pub(super) says: String,
}

struct Head<'a> {
    path: Path,
    kind: &'static (&'static str, bool, Problem),
    /// What follows the type.
    rest: &'a str,
}

fn head(text: &str) -> Option<Head<'_>> {
    let (path, rest) = match text.strip_prefix("<nil>") {
        Some(rest) => (Path::root(), rest),
        None => {
            let (path, len) = Path::head(text)?;
            (path, text.get(len..)?)
        }
    };
    let rest = rest.strip_prefix(": ")?;
    let kind = TYPES.iter().find(|(name, _, _)| rest.starts_with(name))?;
    let rest = rest.get(kind.0.len()..)?;
    rest.is_empty().then_some(()).or_else(|| rest.starts_with([':', ',', ']', '\n', ' ']).then_some(()))?;
    Some(Head { path, kind, rest })
}

/// The errors of a list `[e1, e2]` or of a single one; empty if it is none. `, ` separates them and occurs
/// inside values, too: the next one begins where a path and a type stand.
pub(super) fn field_errors(text: &str) -> Vec<FieldError> {
    let text = text.trim();
    let listed = text.strip_prefix('[');
    let mut rest = listed.unwrap_or(text);
    let mut found = Vec::new();
    while found.len() < MOST
        && let Some(one) = head(rest)
    {
        let end = next(one.rest);
        let mut body = one.rest.get(..end).unwrap_or_default();
        if end == one.rest.len() && listed.is_some() {
            body = body.trim_end().strip_suffix(']').unwrap_or(body);
        }
        found.extend(error(&one, body));
        rest = one.rest.get(end..).and_then(|rest| rest.strip_prefix(", ")).unwrap_or_default();
    }
    found
}

/// Where the next error of a list begins: at its `, `.
fn next(body: &str) -> usize {
    let mut from = value_end(body);
    while let Some(at) = body.get(from..).and_then(|rest| rest.find(", ")).map(|at| from + at) {
        if body.get(at + 2..).and_then(head).is_some() {
            return at;
        }
        from = at + 2;
    }
    body.len()
}

/// Where a quoted or bracketed value at the start of `: value: detail` ends; 0 if there is none or its end is
/// cut off.
fn value_end(body: &str) -> usize {
    let Some(value) = body.strip_prefix(": ") else { return 0 };
    if let Some((_, len)) = unquote(value) {
        return len + 2;
    }
    balanced(value).map_or(0, |len| len + 2)
}

/// The length of a JSON or Go value in brackets, with a word before them: `{"a":1}`, `core.Pod{…}`.
fn balanced(text: &str) -> Option<usize> {
    let word = text.find(|c: char| !(c.is_ascii_alphanumeric() || ".*&[]_".contains(c)))?;
    let start = if text.starts_with('[') { 0 } else { word };
    if !text.get(start..)?.starts_with(['{', '[']) {
        return None;
    }
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < start) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// What CRD validation puts where the value would stand when it does not show it.
const TYPE_NAMES: &[&str] = &["object", "array", "null", "string", "integer", "number", "boolean"];

fn error(head: &Head<'_>, body: &str) -> Option<FieldError> {
    let (name, has_value, problem) = head.kind;
    let mut problem = problem.clone();
    let body = body.strip_prefix(':').unwrap_or(body).trim();
    let (raw, detail) = if *has_value { split_value(body) } else { ("", body) };
    let mut path = head.path.clone();
    let mut value = unquote(raw).map(|(text, _)| text);
    let bare = raw.len() <= 64 && !raw.starts_with(['{', '[', '"', '&']) && !raw.contains('{');
    if value.is_none() && !raw.is_empty() && bare {
        value = Some(raw.to_owned());
    }
    // "some validation rules were not checked because the object was invalid": says nothing of its own.
    if head.path.is_root() && detail.contains("validation rules were not checked") {
        return None;
    }
    match &mut problem {
        Problem::NotSupported { allowed } => {
            let list = detail.strip_prefix("supported values: ").unwrap_or_default();
            *allowed = quoted_list(list);
            if let Some((key, only)) = only_text(raw) {
                path = path.key(&key);
                value = Some(only);
            }
        }
        Problem::Invalid | Problem::Forbidden
            if detail.contains("is immutable") || detail.contains("may not change once set") =>
        {
            problem = Problem::Immutable { but: exceptions(detail) };
        }
        Problem::Forbidden if detail.starts_with("updates to ") => {
            problem = Problem::Immutable { but: exceptions(detail) };
        }
        Problem::Invalid if detail.starts_with("cannot change ") => {
            problem = Problem::Immutable { but: Vec::new() };
        }
        Problem::Invalid if detail.starts_with("`selector` does not match ") => {
            problem = Problem::NotSelected
        }
        Problem::Invalid => {
            if let Some((_, rest)) = detail.split_once(" in body must be of type ") {
                let (expected, got) = rest.split_once(": ").unwrap_or((rest, raw));
                problem =
                    Problem::Type { expected: expected.to_owned(), got: got.trim_matches('"').to_owned() };
            }
        }
        _ => {}
    }
    // A CEL rule's or a type's error names the type in the value's place.
    let of_schema = raw.starts_with('"') && value.as_deref().is_some_and(|it| TYPE_NAMES.contains(&it));
    if of_schema && (!detail.contains(" in body should ") || matches!(problem, Problem::Type { .. })) {
        value = None;
    }
    let mut says = String::new();
    if !head.path.is_root() {
        says.push_str(&head.path.to_string());
        says.push_str(": ");
    }
    says.push_str(name);
    let without_value = *has_value && (raw.is_empty() || of_schema && value.is_none());
    let shown = !of_schema || value.is_some();
    if shown && !raw.is_empty() {
        says.push_str(": ");
        says.push_str(&capped(raw));
    }
    if !detail.is_empty() {
        says.push_str(": ");
        // Labels' and names' errors end in examples and a pattern.
        says.push_str(detail.split_once(" (e.g. '").map_or(detail, |(it, _)| it));
    }
    Some(FieldError { path, value, problem, detail: detail.to_owned(), without_value, says })
}

/// `… for fields other than 'replicas', 'template' and 'minReadySeconds' are forbidden`, `spec is immutable after creation
/// except resources.requests and volumeAttributesClassName for bound claims`.
fn exceptions(detail: &str) -> Vec<String> {
    let line = detail.lines().next().unwrap_or_default();
    let told = line.split_once(" other than ").or_else(|| line.split_once(" except "));
    let Some((_, list)) = told else { return Vec::new() };
    let list = list.split([' ', ',']).map(|it| it.trim_matches('\''));
    list.take_while(|it| !matches!(*it, "are" | "for"))
        .filter(|it| !it.is_empty() && *it != "and")
        .take(MOST)
        .map(str::to_owned)
        .collect()
}

/// `"x": must be …` → value and detail.
fn split_value(body: &str) -> (&str, &str) {
    let end = match unquote(body) {
        Some((_, len)) => Some(len),
        None => balanced(body),
    };
    let (value, rest) = match end.and_then(|end| body.split_at_checked(end)) {
        Some(split) => split,
        // Cut off in the middle: what comes last may still be there.
        None if body.starts_with(['{', '[', '"']) => match body.rsplit_once(": field is immutable") {
            Some((value, _)) => (value, "field is immutable"),
            None => (body, ""),
        },
        // Only numbers and the like stand bare: a CEL rule's error has no value at all.
        None => match body.split_once(": ").unwrap_or((body, "")) {
            (value, detail) if is_bare(value) => (value, detail),
            _ => ("", body),
        },
    };
    (value, rest.strip_prefix(':').unwrap_or(rest).trim())
}

fn is_bare(value: &str) -> bool {
    matches!(value, "true" | "false" | "null") || value.parse::<f64>().is_ok()
}

/// The only text in an object that the API server shows in a value's place, with its key as it is written in YAML:
/// `{"Type":"Restart","RollingUpdate":null}` is about `type`.
fn only_text(raw: &str) -> Option<(String, String)> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(raw).ok()?;
    let mut told = object.iter().filter(|(_, value)| !value.is_null());
    let (key, value) = told.next()?;
    let mut letters = key.chars();
    let key = letters.next()?.to_lowercase().chain(letters).collect();
    told.next().is_none().then(|| value.as_str().map(|value| (key, value.to_owned())))?
}

/// `"a", "b"`, or `a, b` as older servers wrote it.
pub(super) fn quoted_list(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while let Some((value, len)) = unquote(rest) {
        found.push(value);
        match rest.get(len..).and_then(|rest| rest.strip_prefix(", ")) {
            Some(more) => rest = more,
            None => return found,
        }
    }
    if found.is_empty() && !rest.is_empty() && !rest.contains([':', '"']) {
        found = rest.split(", ").map(str::to_owned).collect();
    }
    found
}

fn capped(value: &str) -> String {
    match value.char_indices().nth(VALUE) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}

/// A structured-merge-diff error: one bare, or `errors:` and lines of two blanks, path and text.
pub(super) fn typed_errors(text: &str) -> Vec<Fault> {
    let text = text.trim();
    text.strip_prefix("errors:")
        .unwrap_or(text)
        .lines()
        .filter_map(|line| typed_error(line.trim()))
        .take(MOST)
        .collect()
}

fn typed_error(line: &str) -> Option<Fault> {
    let (path, len) = if line.starts_with(['.', '[']) { Path::head(line)? } else { return None };
    let what = line.get(len..)?.strip_prefix(": ")?;
    let (path, problem, value) = if what.starts_with("field not declared in schema") {
        (path, Problem::Unknown, None)
    } else if let Some((expected, got)) =
        what.strip_prefix("expected ").and_then(|it| it.split_once(", got "))
    {
        // `&value.valueUnstructured{Value:8080}` is the value itself.
        // Boolean, map and list errors print it as `&{8080}`.
        let value = got.split_once("{Value:").map(|(_, it)| it).or_else(|| got.strip_prefix("&{"));
        let value = value.and_then(|it| it.strip_suffix('}')).map(str::to_owned);
        let got = value.clone().unwrap_or_else(|| got.to_owned());
        (path, Problem::Type { expected: expected.to_owned(), got }, value)
    } else if let Some(key) = what.strip_prefix("duplicate entries for key ") {
        let path = match Path::head(key) {
            Some((item, _)) => item.steps().iter().cloned().fold(path, Path::with),
            None => path,
        };
        (path, Problem::Duplicate, None)
    } else if let Some((index, key)) = omitted_key(what) {
        (path.with(Step::Index(index)).key(key), Problem::Required, None)
    } else {
        (path, Problem::Invalid, None)
    };
    let what = match (&value, what.rsplit_once(", got ")) {
        (Some(value), Some((expected, _))) => format!("{expected}, got {value}"),
        _ => what.to_owned(),
    };
    let says = format!("{}: {what}", line.get(..len)?.trim_start_matches('.'));
    Some(Fault::new(&says).at(Place::Field { path, value, problem }))
}

/// `element 0: associative list with keys has an element that omits all key fields ["name"] (and …)`; older servers
/// wrote `omits key field "name"`.
fn omitted_key(what: &str) -> Option<(usize, &str)> {
    let (index, rest) = what.strip_prefix("element ")?.split_once(": ")?;
    let (_, rest) = rest.split_once(" omits ")?;
    Some((index.parse().ok()?, rest.split('"').nth(1)?))
}

/// Texts of conversion errors that name neither path nor value, and what to look for instead (flux-reference
/// H 4; apimachinery runtime/converter.go, api/resource/quantity.go).
pub(super) const PATHLESS: &[(&str, LookFor)] = &[
    ("quantities must match the regular expression", LookFor::Quantity),
    ("unable to parse quantity's suffix", LookFor::Quantity),
    ("unable to parse numeric part of quantity", LookFor::Quantity),
    ("illegal base64 data at input byte", LookFor::Base64),
    ("parsing time ", LookFor::Time),
    ("time: invalid duration", LookFor::Duration),
    ("time: missing unit in duration", LookFor::Duration),
    ("time: unknown unit", LookFor::Duration),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        field_errors(text)
            .into_iter()
            .map(|it| format!("{} | {:?} | {:?} | {}", it.path, it.value, it.problem, it.says))
            .collect()
    }

    #[test]
    fn values_may_hold_separators() {
        assert_eq!(
            told(
                r#"[spec.a: Invalid value: "x, spec.b: Required value": no, spec.c[0].d: Invalid value: {"a":"]}, spec.z: Forbidden"}: bad, really, spec.e: Required value]"#
            ),
            [
                r#"spec.a | Some("x, spec.b: Required value") | Invalid | spec.a: Invalid value: "x, spec.b: Required value": no"#,
                r#"spec.c[0].d | None | Invalid | spec.c[0].d: Invalid value: {"a":"]}, spec.z: Forbidden"}: bad, really"#,
                "spec.e | None | Required | spec.e: Required value",
            ]
        );
    }

    #[test]
    fn texts_cut_off_still_tell() {
        for (text, expected) in [
            (
                r#"[spec.a: Required value, spec.template: Invalid value: {"meta":"#,
                &["spec.a Required", "spec.template Invalid"][..],
            ),
            (r#"spec.template: Invalid value: {"me…"#, &["spec.template Invalid"]),
            (
                r#"spec.template: Invalid value: {"me…: field is immutable"#,
                &["spec.template Immutable { but: [] }"],
            ),
            ("spec.a: Inval", &[]),
            ("spec.a", &[]),
            ("[", &[]),
        ] {
            let found: Vec<String> =
                field_errors(text).iter().map(|it| format!("{} {:?}", it.path, it.problem)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn allowed_values() {
        assert_eq!(quoted_list(r#""a", "b, c""#), ["a", "b, c"]);
        assert_eq!(quoted_list("Always, Never"), ["Always", "Never"]);
        assert_eq!(quoted_list(""), [""; 0]);
    }
}
