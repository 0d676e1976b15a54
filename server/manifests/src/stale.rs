//! Carrying a tree over to a text that cannot be read.

use std::{collections::HashMap, sync::Arc};

use text_size::{TextRange, TextSize};

use crate::{Alias, Document, Entry, Node, NodeKind, Scalar, ScalarStyle};

/// Which bytes of an old text became which bytes of a new one: everything before and behind is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) old: TextRange,
    pub(crate) new: TextRange,
}

impl Change {
    /// The smallest change that leads from one text to the other.
    pub(crate) fn between(old: &str, new: &str) -> Change {
        let same = old.bytes().zip(new.bytes()).take_while(|(old, new)| old == new).count();
        let start = old.floor_char_boundary(same).min(new.floor_char_boundary(same));
        let tails = old.as_bytes()[start..].iter().rev().zip(new.as_bytes()[start..].iter().rev());
        let mut behind = tails.take_while(|(old, new)| old == new).count();
        // The tails are the same bytes, so that what is a boundary in one is one in the other; but a tail
        // may begin inside of a character that differs in its first bytes.
        while !old.is_char_boundary(old.len() - behind) || !new.is_char_boundary(new.len() - behind) {
            behind -= 1;
        }
        Change { old: crate::range(start..old.len() - behind), new: crate::range(start..new.len() - behind) }
    }

    /// Where an old offset is in the new text; offsets inside of the change go to its start.
    fn offset(&self, offset: TextSize) -> TextSize {
        if offset <= self.old.start() {
            offset
        } else if offset < self.old.end() {
            self.old.start()
        } else {
            self.new.end() + (offset - self.old.end())
        }
    }

    fn range(&self, range: TextRange) -> TextRange {
        TextRange::new(self.offset(range.start()), self.offset(range.end()))
    }

    fn touches(&self, range: TextRange) -> bool {
        range.start() <= self.old.end() && self.old.start() <= range.end()
    }
}

/// The tree of an earlier text with its ranges carried over to a new one, and what of the new text it says nothing
/// about. Scalars that the change touches are left out: their old value is not what is written. `None` if there
/// was no tree.
pub(crate) fn carry(earlier: &Document, text: &str) -> Option<(Node, Vec<TextRange>)> {
    let change = Change::between(earlier.text(), text);
    let mut carrier = Carrier { change, targets: HashMap::new() };
    let root = earlier.root.as_ref()?;
    let root = carrier.node(root).unwrap_or_else(|| absent(carrier.change.range(root.range)));
    let mut unread: Vec<TextRange> = earlier.unread().iter().map(|it| change.range(*it)).collect();
    unread.push(change.new);
    Some((root, unread))
}

struct Carrier {
    change: Change,
    /// Nodes that aliases share stay shared.
    targets: HashMap<*const Node, Option<Arc<Node>>>,
}

impl Carrier {
    fn node(&mut self, node: &Node) -> Option<Node> {
        let kind = match &node.kind {
            NodeKind::Mapping(entries) => NodeKind::Mapping(
                entries
                    .iter()
                    .filter_map(|it| Some(Entry { key: self.node(&it.key)?, value: self.node(&it.value)? }))
                    .collect(),
            ),
            // An item stays, even if nothing is known of it: the paths of those behind it count it.
            NodeKind::Sequence(items) => NodeKind::Sequence(
                items
                    .iter()
                    .map(|it| self.node(it).unwrap_or_else(|| absent(self.change.range(it.range))))
                    .collect(),
            ),
            _ if self.change.touches(node.range) => return None,
            NodeKind::Scalar(scalar) => {
                NodeKind::Scalar(Scalar { inner: self.change.range(scalar.inner), ..scalar.clone() })
            }
            NodeKind::Alias(alias) => {
                NodeKind::Alias(Alias { target: self.target(alias.target.as_ref()), depth: alias.depth })
            }
        };
        Some(Node { range: self.change.range(node.range), kind })
    }

    fn target(&mut self, target: Option<&Arc<Node>>) -> Option<Arc<Node>> {
        let target = target?;
        if let Some(carried) = self.targets.get(&Arc::as_ptr(target)) {
            return carried.clone();
        }
        let carried = self.node(target).map(Arc::new);
        self.targets.insert(Arc::as_ptr(target), carried.clone());
        carried
    }
}

fn absent(range: TextRange) -> Node {
    let scalar = Scalar { value: "".into(), style: ScalarStyle::Plain, inner: range };
    Node { range, kind: NodeKind::Scalar(scalar) }
}
