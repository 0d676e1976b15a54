//! Paths of fields as messages write them.

use std::fmt;

/// Longest text in brackets that is still taken for a step.
const BRACKET: usize = 400;

/// A path of a field, from the object's root.
///
/// Messages know objects as they were sent, so list indexes are those after kustomize. Two things that the
/// text alone does not tell are left to who walks the path: an index at a mapping is a key that is a number
/// (`data[8080]`), and a key at a list is looked for in every item (Go's JSON decoder writes
/// `containers.env.value` without indexes).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path(Vec<Step>);

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A key of a mapping.
    Key(String),
    /// The place in a list.
    Index(usize),
    /// The item of a list that has these fields: `[name="web"]`, `[containerPort=80,protocol="TCP"]`.
    Item(Vec<(String, String)>),
    /// The item of a list that is this scalar: `[="x"]`.
    Value(String),
}

impl Path {
    /// The root.
    pub fn root() -> Path {
        Path::default()
    }

    /// The path of keys.
    pub fn of(keys: &[&str]) -> Path {
        Path(keys.iter().map(|key| Step::Key((*key).to_owned())).collect())
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether it is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The last step's key, if it is one.
    pub fn last_key(&self) -> Option<&str> {
        match self.0.last()? {
            Step::Key(key) => Some(key),
            _ => None,
        }
    }

    /// The path one step below.
    #[must_use]
    pub fn with(mut self, step: Step) -> Path {
        self.0.push(step);
        self
    }

    /// The path of a key below.
    #[must_use]
    pub fn key(self, key: &str) -> Path {
        self.with(Step::Key(key.to_owned()))
    }

    /// The whole text as a path; `None` if it is none. `<nil>` is the root.
    pub fn parse(text: &str) -> Option<Path> {
        if text == "<nil>" {
            return Some(Path::root());
        }
        let (path, len) = Path::head(text)?;
        (len == text.len()).then_some(path)
    }

    /// The path at the start of a text, and how many bytes it takes: that of Kubernetes' field errors
    /// (`spec.containers[0].image`, `metadata.labels[foo/bar]`) or of structured-merge-diff
    /// (`.spec.containers[name="web"].image`).
    pub(super) fn head(text: &str) -> Option<(Path, usize)> {
        let mut steps = Vec::new();
        let mut rest = text;
        let mut may_key = true;
        if let Some(dotted) = rest.strip_prefix('.') {
            rest = dotted;
        }
        loop {
            if rest.starts_with('[') {
                let Some((step, len)) = bracket(rest) else { break };
                steps.push(step);
                rest = rest.get(len..)?;
                may_key = false;
                continue;
            }
            let Some(word) = (if may_key { Some(rest) } else { rest.strip_prefix('.') }) else { break };
            let len = word.find(|c: char| !is_key(c)).unwrap_or(word.len());
            let key = word.get(..len)?;
            if key.is_empty() {
                break;
            }
            steps.push(Step::Key(key.to_owned()));
            rest = word.get(len..)?;
            may_key = false;
        }
        let starts_well = match steps.first()? {
            Step::Key(key) => !key.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '/'),
            _ => true,
        };
        starts_well.then(|| (Path(joined(steps)), text.len() - rest.len()))
    }

    /// A JSON pointer: `/spec/containers/0/image`.
    pub fn pointer(text: &str) -> Path {
        let keys = text.trim_end_matches('/').split('/').skip(1);
        Path(keys.map(|key| word(&key.replace("~1", "/").replace("~0", "~"))).collect())
    }

    /// A dotted path in which numbers are places in lists: `list.0.a`.
    pub fn dotted(text: &str) -> Path {
        Path(text.split('.').filter(|key| !key.is_empty()).map(word).collect())
    }
}

fn word(key: &str) -> Step {
    match key.parse() {
        Ok(index) if key.len() < 10 => Step::Index(index),
        _ => Step::Key(key.to_owned()),
    }
}

fn is_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$' | '/')
}

/// Mappings whose keys are the author's words, dots included. structured-merge-diff writes such keys bare:
/// `.metadata.labels.app.kubernetes.io/name`.
const FREE: &[&str] = &["labels", "annotations", "matchLabels", "nodeSelector", "limits", "requests", "hard"];

fn joined(steps: Vec<Step>) -> Vec<Step> {
    let mut out: Vec<Step> = Vec::with_capacity(steps.len());
    for step in steps {
        let free = |step: Option<&Step>| matches!(step, Some(Step::Key(key)) if FREE.contains(&key.as_str()));
        let is_data = |out: &[Step]| match out {
            [Step::Key(data), _] => matches!(data.as_str(), "data" | "stringData" | "binaryData"),
            _ => false,
        };
        let below = out.len().checked_sub(2).and_then(|at| out.get(at));
        let joins = free(below) || is_data(&out);
        match (&step, out.last_mut()) {
            (Step::Key(key), Some(Step::Key(last))) if joins => {
                last.push('.');
                last.push_str(key);
            }
            _ => out.push(step),
        }
    }
    out
}

/// `[0]`, `[foo/bar]`, `["foo"]`, `[name="web",x=1]` or `[="x"]`, and its length.
fn bracket(text: &str) -> Option<(Step, usize)> {
    let inner = text.strip_prefix('[')?;
    let mut quoted = false;
    let mut escaped = false;
    let mut end = None;
    for (at, c) in inner.char_indices().take_while(|(at, _)| *at <= BRACKET) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '\n' => break,
            ']' if !quoted => {
                end = Some(at);
                break;
            }
            _ => {}
        }
    }
    let end = end?;
    let inner = inner.get(..end)?;
    let len = end + 2;
    if inner.is_empty() || inner.starts_with(' ') {
        return None;
    }
    if let Some((text, used)) = unquote(inner)
        && used == inner.len()
    {
        return Some((Step::Key(text), len));
    }
    if let Some(value) = inner.strip_prefix('=') {
        return Some((Step::Value(scalar(value).0), len));
    }
    if let Some(fields) = fields(inner) {
        return Some((Step::Item(fields), len));
    }
    if inner.contains(['"', ' ']) {
        return None;
    }
    Some((word(inner), len))
}

/// `name="web",port=80`.
fn fields(text: &str) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let (key, value) = rest.split_once('=')?;
        if key.is_empty() || !key.chars().all(is_key) {
            return None;
        }
        let (value, used) = scalar(value);
        found.push((key.to_owned(), value));
        rest = rest.get(key.len() + 1 + used..)?;
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => break,
        }
    }
    rest.is_empty().then_some(found)
}

fn scalar(text: &str) -> (String, usize) {
    unquote(text).unwrap_or_else(|| {
        let end = text.find(',').unwrap_or(text.len());
        (text.get(..end).unwrap_or_default().to_owned(), end)
    })
}

/// The Go- or JSON-quoted text that a text starts with, and how many bytes it takes with its quotes. `None`
/// if it starts with none or the closing quote is missing.
pub(super) fn unquote(text: &str) -> Option<(String, usize)> {
    let inner = text.strip_prefix('"')?;
    let mut out = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, at + 2)),
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                kind @ ('x' | 'u' | 'U') => {
                    let digits = match kind {
                        'x' => 2,
                        'u' => 4,
                        _ => 8,
                    };
                    let mut code = 0u32;
                    for _ in 0..digits {
                        code = code.wrapping_mul(16).wrapping_add(chars.next()?.1.to_digit(16)?);
                    }
                    out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                other => out.push(other),
            },
            c => out.push(c),
        }
    }
    None
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if key.chars().all(|c| is_key(c) && c != '/') && !key.is_empty() => {
                    write!(f, "{}{key}", if n == 0 { "" } else { "." })?;
                }
                Step::Key(key) => write!(f, "[{key:?}]")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Item(fields) => {
                    let fields: Vec<String> = fields.iter().map(|(k, v)| format!("{k}={v:?}")).collect();
                    write!(f, "[{}]", fields.join(","))?;
                }
                Step::Value(value) => write!(f, "[={value:?}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (text, expected) in [
            ("spec.template.spec.containers[0].image: x", Some("spec.template.spec.containers[0].image")),
            ("metadata.labels[foo/bar]: x", Some("metadata.labels[\"foo/bar\"]")),
            ("metadata.annotations[a.b/c]", Some("metadata.annotations[\"a.b/c\"]")),
            (
                ".spec.containers[name=\"web\"].resources.limits.cpu: x",
                Some("spec.containers[name=\"web\"].resources.limits.cpu"),
            ),
            (
                ".ports[containerPort=80,protocol=\"TCP\"].name",
                Some("ports[containerPort=\"80\",protocol=\"TCP\"].name"),
            ),
            (".metadata.finalizers[=\"a.b/c\"]", Some("metadata.finalizers[=\"a.b/c\"]")),
            (
                ".metadata.labels.app.kubernetes.io/name: x",
                Some("metadata.labels[\"app.kubernetes.io/name\"]"),
            ),
            (".data.app.yaml: x", Some("data[\"app.yaml\"]")),
            (".spec.limits.nvidia.com/gpu", Some("spec.limits[\"nvidia.com/gpu\"]")),
            ("data[8080]", Some("data[8080]")),
            ("spec.x[", Some("spec.x")),
            ("spec.x[a\nb]", Some("spec.x")),
            ("spec. and more", Some("spec")),
            ("[0].a", Some("[0].a")),
            ("", None),
            ("-1: x", None),
            (": x", None),
        ] {
            let head = Path::head(text).map(|(path, _)| path.to_string());
            assert_eq!(head.as_deref(), expected, "{text}");
        }
        assert_eq!(Path::pointer("/a~1b/0/c/").to_string(), "[\"a/b\"][0].c");
        assert_eq!(Path::pointer(""), Path::root());
        assert_eq!(Path::dotted("list.0.a").to_string(), "list[0].a");
        assert_eq!(Path::parse("<nil>"), Some(Path::root()));
        assert_eq!(Path::parse("a b"), None);
    }

    #[test]
    fn quoted_texts() {
        assert_eq!(unquote(r#""a\"b\n" rest"#), Some(("a\"b\n".to_owned(), 8)));
        assert_eq!(unquote(r#""\u00e9\x41""#), Some(("éA".to_owned(), 12)));
        assert_eq!(unquote("\"open"), None);
        assert_eq!(unquote("bare"), None);
    }
}
