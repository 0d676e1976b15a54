//! Field paths: where in an object something is, as people and Kubernetes write it.

use std::{fmt, str::FromStr};

use crate::{Entry, Node};

/// A path from an object's root to a field: `spec.dependsOn[1].name`, `metadata.annotations["a.b/c"]`.
///
/// Parsing also takes what API servers write: a leading dot, unquoted keys in brackets
/// (`metadata.labels[a.b/c]`), and items told by a field (`containers[name="app"]`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath(Vec<Segment>);

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A key of a mapping.
    Key(String),
    /// An item of a sequence, counted from 0.
    Index(usize),
    /// The first item of a sequence whose field has this value: `[name="app"]`.
    Item {
        /// The field that tells the item.
        field: String,
        /// Its value.
        value: String,
    },
}

/// A text that is no field path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a field path: {reason} at byte {at}. Write it like spec.dependsOn[0].name or metadata.annotations[\"a.b/c\"]."
)]
pub struct ParseFieldPathError {
    text: String,
    reason: &'static str,
    at: usize,
}

impl FieldPath {
    /// The path of the object itself.
    pub fn root() -> FieldPath {
        FieldPath::default()
    }

    /// The steps from the root.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Whether this is the object itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path without its last step; `None` at the root.
    pub fn parent(&self) -> Option<FieldPath> {
        let (_, rest) = self.0.split_last()?;
        Some(FieldPath(rest.to_vec()))
    }

    /// The last step.
    pub fn last(&self) -> Option<&Segment> {
        self.0.last()
    }

    /// This path and one more key.
    pub fn key(&self, key: impl Into<String>) -> FieldPath {
        self.with(Segment::Key(key.into()))
    }

    /// This path and one more index.
    pub fn index(&self, index: usize) -> FieldPath {
        self.with(Segment::Index(index))
    }

    /// This path and one more step.
    pub fn with(&self, segment: Segment) -> FieldPath {
        let mut segments = Vec::with_capacity(self.0.len() + 1);
        segments.extend_from_slice(&self.0);
        segments.push(segment);
        FieldPath(segments)
    }

    /// This path and another one below it.
    pub fn join(&self, below: &FieldPath) -> FieldPath {
        FieldPath(self.0.iter().chain(&below.0).cloned().collect())
    }

    /// Whether this path is `prefix` or lies below it.
    pub fn starts_with(&self, prefix: &FieldPath) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// The node at this path below `root`.
    pub(crate) fn get<'node>(&self, root: &'node Node) -> Option<&'node Node> {
        self.0.iter().try_fold(root, |node, segment| segment.get(node))
    }

    /// The entry whose value is at this path.
    pub(crate) fn entry<'node>(&self, root: &'node Node) -> Option<&'node Entry> {
        let (Segment::Key(key), rest) = self.0.split_last()? else { return None };
        rest.iter().try_fold(root, |node, segment| segment.get(node))?.entry(key)
    }

    /// The longest beginning of this path that exists below `root`, and its node.
    pub(crate) fn nearest<'node>(&self, root: &'node Node) -> (FieldPath, &'node Node) {
        let mut node = root;
        let mut length = 0;
        for segment in &self.0 {
            let Some(next) = segment.get(node) else { break };
            node = next;
            length += 1;
        }
        (FieldPath(self.0[..length].to_vec()), node)
    }
}

impl Segment {
    fn get<'node>(&self, node: &'node Node) -> Option<&'node Node> {
        match self {
            Segment::Key(key) => node.get(key),
            Segment::Index(index) => node.as_sequence()?.get(*index),
            Segment::Item { field, value } => {
                let is_it = |item: &&Node| item.get(field).and_then(Node::as_str) == Some(value);
                node.as_sequence()?.iter().find(is_it)
            }
        }
    }
}

impl<const N: usize> From<[Segment; N]> for FieldPath {
    fn from(segments: [Segment; N]) -> FieldPath {
        FieldPath(segments.into())
    }
}

impl FromIterator<Segment> for FieldPath {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> FieldPath {
        FieldPath(segments.into_iter().collect())
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if is_plain(key) => {
                    let dot = if index == 0 { "" } else { "." };
                    write!(f, "{dot}{key}")?;
                }
                Segment::Key(key) => write!(f, "[{}]", Quoted(key))?,
                Segment::Index(at) => write!(f, "[{at}]")?,
                Segment::Item { field, value } if is_plain(field) => {
                    write!(f, "[{field}={}]", Quoted(value))?
                }
                Segment::Item { field, value } => write!(f, "[{}={}]", Quoted(field), Quoted(value))?,
            }
        }
        Ok(())
    }
}

/// Whether a key needs no quotes in a path.
fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && !key
            .chars()
            .any(|it| matches!(it, '.' | '[' | ']' | '"' | '\'' | '=' | '\\') || it.is_whitespace())
}

struct Quoted<'text>(&'text str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for char in self.0.chars() {
            if matches!(char, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{char}")?;
        }
        f.write_str("\"")
    }
}

impl FromStr for FieldPath {
    type Err = ParseFieldPathError;

    fn from_str(text: &str) -> Result<FieldPath, ParseFieldPathError> {
        let mut reader = Reader { text, at: 0 };
        reader.path().map_err(|reason| ParseFieldPathError { text: text.to_owned(), reason, at: reader.at })
    }
}

struct Reader<'text> {
    text: &'text str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    /// Text up to one of these characters or the end.
    fn until(&mut self, stops: &[char]) -> String {
        let rest = &self.text[self.at..];
        let taken = rest.find(stops).unwrap_or(rest.len());
        self.at += taken;
        rest[..taken].to_owned()
    }

    fn path(&mut self) -> Result<FieldPath, &'static str> {
        let mut segments = Vec::new();
        self.eat('.');
        while self.at < self.text.len() {
            if self.eat('[') {
                segments.push(self.bracket()?);
            } else {
                if !segments.is_empty() && !self.eat('.') {
                    return Err("expected `.` or `[`");
                }
                if self.peek() == Some('[') {
                    continue;
                }
                let key = self.until(&['.', '[']);
                if key.is_empty() {
                    return Err("a key is empty");
                }
                segments.push(Segment::Key(key));
            }
        }
        Ok(FieldPath(segments))
    }

    fn bracket(&mut self) -> Result<Segment, &'static str> {
        let quoted = self.peek().filter(|it| matches!(it, '"' | '\''));
        let name = match quoted {
            Some(_) => self.quoted()?,
            None => self.until(&['=', ']']),
        };
        let segment = if self.eat('=') {
            let value = match self.peek() {
                Some('"' | '\'') => self.quoted()?,
                _ => self.until(&[']']),
            };
            Segment::Item { field: name, value }
        } else {
            match name.parse() {
                Ok(index) if quoted.is_none() => Segment::Index(index),
                _ if quoted.is_none() && name.is_empty() => return Err("brackets are empty"),
                _ => Segment::Key(name),
            }
        };
        if self.eat(']') { Ok(segment) } else { Err("a bracket is not closed") }
    }

    fn quoted(&mut self) -> Result<String, &'static str> {
        let Some(quote) = self.peek() else { return Err("a quote is missing") };
        self.at += quote.len_utf8();
        let mut text = String::new();
        while let Some(char) = self.peek() {
            self.at += char.len_utf8();
            match char {
                _ if char == quote => return Ok(text),
                '\\' => match self.peek() {
                    Some(escaped) => {
                        self.at += escaped.len_utf8();
                        text.push(escaped);
                    }
                    None => return Err("a quote is not closed"),
                },
                _ => text.push(char),
            }
        }
        Err("a quote is not closed")
    }
}
