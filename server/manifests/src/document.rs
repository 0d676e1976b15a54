//! One YAML document of a file.

use std::sync::atomic::{AtomicU64, Ordering};

use text_size::{TextRange, TextSize};

use crate::{Entry, FieldPath, Identity, ListItem, Node, NodeKind, Role, Segment, identity, role};

/// One document: a tree, how much to trust it, and what it says it is. Immutable and shared.
///
/// All ranges count bytes from the document's own start, so that an edit before it changes nothing here; see
/// [`crate::Placed`] for the way to the file.
#[derive(Debug, PartialEq, Eq)]
pub struct Document {
    /// Length of the text, marker lines and comments included.
    pub text_len: TextSize,
    /// The top of the tree; `None` for an empty document and for one that cannot be read at all.
    pub root: Option<Node>,
    /// How much the tree can be trusted.
    pub soundness: Soundness,
    text: Box<str>,
    identity: Option<Identity>,
    role: Role,
    items: Vec<ListItem>,
    notes: Notes,
    serial: Serial,
}

/// A number that no other document has. It says nothing of what is in it.
#[derive(Debug)]
struct Serial(u64);

/// Never used twice.
static NEXT_SERIAL: AtomicU64 = AtomicU64::new(1);

impl PartialEq for Serial {
    fn eq(&self, _: &Serial) -> bool {
        true
    }
}

impl Eq for Serial {}

/// How a document's tree came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Soundness {
    /// The text is YAML and the tree is exactly it.
    Sound,
    /// The text is not YAML; a few lines were taken as blank ([`Document::unread`]), the rest is exact.
    Repaired,
    /// The text is not YAML: this is the tree of an earlier text, its ranges carried over. What stood in changed
    /// places is not in it any more ([`Document::unread`]).
    LastGood,
    /// A Go template: actions were masked ([`Document::unread`]). Only the identity is to be relied on.
    Templated,
    /// Nothing but comments and blank lines.
    Empty,
    /// Not YAML, not repairable, and no earlier tree. No root.
    Broken,
}

/// Why a text is not YAML. Not to be published: other servers do that; for logs and for saying why a document
/// was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where reading stopped, in bytes from the document's start.
    pub offset: TextSize,
    /// The parser's words.
    pub message: String,
}

/// What reading a document left behind besides the tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    pub(crate) unread: Vec<TextRange>,
    pub(crate) error: Option<SyntaxError>,
}

impl Document {
    pub(crate) fn new(text: &str, root: Option<Node>, soundness: Soundness, notes: Notes) -> Document {
        let told = |node: &&Node| soundness != Soundness::Templated || !touches_any(node, &notes.unread);
        let identity = root.as_ref().and_then(|root| match soundness {
            Soundness::Templated => {
                let parts = ["apiVersion", "kind"].map(|key| root.get(key));
                let metadata = root.get("metadata");
                let names = ["name", "namespace"].map(|key| metadata.and_then(|it| it.get(key)));
                parts.iter().chain(&names).flatten().all(told).then(|| Identity::of(root)).flatten()
            }
            _ => Identity::of(root),
        });
        let role = role::of_content(root.as_ref(), identity.as_ref(), soundness);
        let items = match role {
            Role::List => root.as_ref().and_then(identity::list_items).unwrap_or_default(),
            _ => Vec::new(),
        };
        Document {
            text_len: crate::size(text.len()),
            root,
            soundness,
            text: text.into(),
            identity,
            role,
            items,
            notes,
            serial: Serial(NEXT_SERIAL.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// Another number for each document that was read: an edit of a file leaves the other documents theirs.
    pub fn serial(&self) -> u64 {
        self.serial.0
    }

    /// The text, from the marker line `---` (if there is one) to before the next document.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a range; empty if it is not one of this document.
    pub fn slice(&self, range: TextRange) -> &str {
        self.text.get(crate::bytes(range)).unwrap_or_default()
    }

    /// What the document says it is; `None` if it has no `apiVersion`, `kind` or `metadata.name`.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// What the document is for, as far as it tells itself; see [`Document::role_in`].
    pub fn role(&self) -> Role {
        self.role
    }

    /// The objects in a [`Role::List`]; empty for all other documents.
    pub fn items(&self) -> &[ListItem] {
        &self.items
    }

    /// Comments with their `#`, without line ends, in order: every `#` behind a blank that is in no scalar. Found anew at
    /// each call, because having the parser tell them makes reading a third slower.
    pub fn comments(&self) -> Vec<TextRange> {
        let mut comments = Vec::new();
        let mut at = 0;
        for node in self.scalars() {
            // What stands behind a block scalar's indicator is in its range, and may be a comment.
            let start = match node.as_scalar() {
                Some(scalar) if scalar.style.is_block() => scalar.inner.start(),
                _ => node.range.start(),
            };
            self.comments_between(at, start.into(), &mut comments);
            at = at.max(node.range.end().into());
        }
        self.comments_between(at, self.text.len(), &mut comments);
        comments
    }

    /// All scalars and aliases, keys included, in the order of the text.
    fn scalars(&self) -> impl Iterator<Item = &Node> {
        let mut open: Vec<&Node> = self.root.iter().collect();
        std::iter::from_fn(move || {
            loop {
                let node = open.pop()?;
                match &node.kind {
                    NodeKind::Mapping(entries) => {
                        open.extend(entries.iter().rev().flat_map(|it| [&it.value, &it.key]))
                    }
                    NodeKind::Sequence(items) => open.extend(items.iter().rev()),
                    NodeKind::Scalar(_) | NodeKind::Alias(_) => return Some(node),
                }
            }
        })
    }

    fn comments_between(&self, from: usize, to: usize, comments: &mut Vec<TextRange>) {
        let mut at = from;
        while let Some(found) = self.text.get(at..to).and_then(|text| text.find('#')) {
            let start = at + found;
            let is_comment = self.text[..start].chars().next_back().is_none_or(char::is_whitespace);
            let line = &self.text[start..];
            let length = if is_comment { line.find(['\r', '\n']).unwrap_or(line.len()) } else { 1 };
            if is_comment {
                comments.push(crate::range(start..start + length));
            }
            at = start + length;
        }
    }

    /// Parts of the text that the tree says nothing about: blanked lines of a repaired document, the actions of a
    /// template, the changed part of a [`Soundness::LastGood`] one.
    pub fn unread(&self) -> &[TextRange] {
        &self.notes.unread
    }

    /// Why the text as it stands is not YAML.
    pub fn error(&self) -> Option<&SyntaxError> {
        self.notes.error.as_ref()
    }

    /// The node at a path.
    pub fn get(&self, path: &FieldPath) -> Option<&Node> {
        path.get(self.root.as_ref()?)
    }

    /// The entry whose value is at a path; `None` for the root and for items of sequences.
    pub fn entry(&self, path: &FieldPath) -> Option<&Entry> {
        path.entry(self.root.as_ref()?)
    }

    /// The longest beginning of a path that exists, with its node; `None` only without a root.
    pub fn nearest(&self, path: &FieldPath) -> Option<(FieldPath, &Node)> {
        Some(path.nearest(self.root.as_ref()?))
    }

    /// The value of a scalar, by a path as text (`spec.path`); `None` for null and for a text that is no path.
    pub fn scalar(&self, path: &str) -> Option<&str> {
        self.get(&path.parse().ok()?)?.as_str()
    }

    /// What stands at an offset: the deepest node that touches it, with its path. At a key (or its colon, or the
    /// space behind it) the path is the entry's; the node is then the key itself (or its value).
    pub fn path_at(&self, offset: TextSize) -> Option<(FieldPath, &Node)> {
        let mut node = self.root.as_ref().filter(|root| root.touches(offset))?;
        let mut path = Vec::new();
        loop {
            match &node.kind {
                NodeKind::Mapping(entries) => {
                    let covers = |it: &&Entry| {
                        let end = it.key.range.end().max(it.value.range.end());
                        TextRange::new(it.key.range.start(), end).contains_inclusive(offset)
                    };
                    let Some(entry) = entries.iter().find(covers) else { break };
                    path.push(Segment::Key(
                        entry.key.as_scalar().map(|it| it.value.to_string()).unwrap_or_default(),
                    ));
                    if entry.key.touches(offset) {
                        node = &entry.key;
                        break;
                    }
                    node = &entry.value;
                    if !node.touches(offset) {
                        break;
                    }
                }
                NodeKind::Sequence(items) => {
                    let Some((index, item)) = items.iter().enumerate().find(|(_, it)| it.touches(offset))
                    else {
                        break;
                    };
                    path.push(Segment::Index(index));
                    node = item;
                }
                NodeKind::Scalar(_) | NodeKind::Alias(_) => break,
            }
        }
        Some((path.into_iter().collect(), node))
    }

    /// Every scalar, alias and empty collection with its path, in the order of the text. Aliases are not followed.
    pub fn leaves(&self) -> Vec<(FieldPath, &Node)> {
        let mut leaves = Vec::new();
        let mut open: Vec<(FieldPath, &Node)> =
            self.root.iter().map(|root| (FieldPath::root(), root)).collect();
        while let Some((path, node)) = open.pop() {
            match &node.kind {
                NodeKind::Mapping(entries) if !entries.is_empty() => {
                    open.extend(entries.iter().rev().map(|entry| {
                        let key = entry.key.as_scalar().map(|it| it.value.to_string()).unwrap_or_default();
                        (path.key(key), &entry.value)
                    }));
                }
                NodeKind::Sequence(items) if !items.is_empty() => {
                    open.extend(items.iter().enumerate().rev().map(|(at, item)| (path.index(at), item)));
                }
                _ => leaves.push((path, node)),
            }
        }
        leaves
    }
}

fn touches_any(node: &Node, ranges: &[TextRange]) -> bool {
    ranges.iter().any(|range| range.intersect(node.range).is_some_and(|it| !it.is_empty()))
}
