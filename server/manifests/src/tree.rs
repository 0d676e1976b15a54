//! The tree of one YAML document: what was written, and where.

use std::sync::Arc;

use text_size::{TextRange, TextSize};

/// A node of a document. Ranges count bytes from the start of the document that holds the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where the node is written.
    ///
    /// Scalars: exactly their text, quotes included; a block scalar from its `|` or `>` to the end of its last
    /// line that is not blank; an absent value (`key:`) is empty and stands after the colon. Block collections: from their
    /// first child to the end of their last one. Flow collections: their brackets included. Tags and anchors
    /// are not part of a range.
    pub range: TextRange,
    /// What the node is.
    pub kind: NodeKind,
}

/// What a [`Node`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKind {
    /// `key: value` pairs, in the order in which they are written, duplicates included.
    Mapping(Vec<Entry>),
    /// `- item`s.
    Sequence(Vec<Node>),
    /// Text, a number, a boolean, null: YAML's own types are not told apart here, see [`Scalar::is_null`].
    Scalar(Scalar),
    /// `*name`.
    Alias(Alias),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key; nearly always a scalar.
    pub key: Node,
    /// The value; an absent one is an empty plain scalar.
    pub value: Node,
}

/// A scalar: the value that YAML makes of it, and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The value after escapes, folding and removal of indentation. Shared with the values that are made of the text, again at
    /// each keystroke.
    pub value: Arc<str>,
    /// How it was written.
    pub style: ScalarStyle,
    /// Where its content is written: inside the quotes; for a block scalar its content lines from the first
    /// content byte on (their indentation is between them); for a plain scalar the node's range.
    pub inner: TextRange,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScalarStyle {
    /// `text`, also for an absent value.
    Plain,
    /// `'text'`
    SingleQuoted,
    /// `"text"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// `*name`: a reference to an anchored node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The anchored node as it was written, at its own place; shared, so that a document that refers to itself
    /// a billion times over costs nothing. `None` when there is no such anchor, when the anchor encloses the
    /// alias, and past the limits on how much may be anchored.
    pub target: Option<Arc<Node>>,
    /// How many levels hang below, through further aliases; bounds recursion.
    pub(crate) depth: u32,
}

impl Scalar {
    /// Whether YAML reads this as null: absent, `~` or a spelling of `null`, not quoted.
    pub fn is_null(&self) -> bool {
        self.style == ScalarStyle::Plain && matches!(&*self.value, "" | "~" | "null" | "Null" | "NULL")
    }
}

impl ScalarStyle {
    /// Whether the content stands on lines of its own below a `|` or `>`.
    pub fn is_block(self) -> bool {
        matches!(self, ScalarStyle::Literal | ScalarStyle::Folded)
    }
}

impl Node {
    /// The node itself, or what its alias points to. An alias without a target is returned as it is.
    pub fn resolved(&self) -> &Node {
        let mut node = self;
        while let NodeKind::Alias(Alias { target: Some(target), .. }) = &node.kind {
            node = target;
        }
        node
    }

    /// The entries, if this is a mapping (through an alias too). What a merge key `<<` brings in is not among
    /// them; [`Node::entry`] sees it.
    pub fn as_mapping(&self) -> Option<&[Entry]> {
        match &self.resolved().kind {
            NodeKind::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items, if this is a sequence (through an alias too).
    pub fn as_sequence(&self) -> Option<&[Node]> {
        match &self.resolved().kind {
            NodeKind::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The scalar, if this is one (through an alias too).
    pub fn as_scalar(&self) -> Option<&Scalar> {
        match &self.resolved().kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The value of a scalar that is not null.
    pub fn as_str(&self) -> Option<&str> {
        self.as_scalar().filter(|scalar| !scalar.is_null()).map(|scalar| &*scalar.value)
    }

    /// The entry with this key: the last one of that name, as for JSON; else what a merge key `<<` brings in.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        let entries = self.as_mapping()?;
        let own = entries.iter().rev().find(|entry| entry.is(key));
        own.or_else(|| merged(entries, key, MERGE_DEPTH))
    }

    /// The value under this key, see [`Node::entry`].
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Whether the offset touches the node: from its first byte to just behind its last one.
    pub fn touches(&self, offset: TextSize) -> bool {
        self.range.contains_inclusive(offset)
    }
}

impl Entry {
    /// Whether this is the key's name.
    pub fn is(&self, key: &str) -> bool {
        self.key.as_scalar().is_some_and(|scalar| *scalar.value == *key)
    }
}

/// How many `<<` inside `<<` are followed: aliases are acyclic, but may be many.
const MERGE_DEPTH: u32 = 8;

/// Looks a key up in what the `<<` keys of a mapping bring in; the first mapping that has it wins, as YAML's
/// merge type says.
fn merged<'node>(entries: &'node [Entry], key: &str, depth: u32) -> Option<&'node Entry> {
    let depth = depth.checked_sub(1)?;
    let look = |node: &'node Node| {
        let entries = node.as_mapping()?;
        entries.iter().rev().find(|entry| entry.is(key)).or_else(|| merged(entries, key, depth))
    };
    entries.iter().filter(|entry| entry.is("<<")).find_map(|entry| match entry.value.as_sequence() {
        Some(items) => items.iter().find_map(look),
        None => look(&entry.value),
    })
}
