//! The only file that sees the YAML parser: its events become our own tree.
//!
//! What the parser leaves open is decided here: a block collection's range is derived from its children, a
//! block scalar's range begins at its indicator, an absent value stands behind its colon, and aliases are resolved within limits.

use std::{collections::HashMap, ops::Range, sync::Arc};

use granit_parser::{Event, Parser, Span, StructureStyle};
use text_size::TextRange;

use crate::{Alias, Entry, Node, NodeKind, Scalar, ScalarStyle, document::SyntaxError};

/// How deep block and flow collections may nest (each). Trees are walked and dropped recursively, so that
/// this bounds the stack. The deepest CustomResourceDefinitions in use stay under 60.
const MAX_DEPTH: usize = 200;
/// How deep a tree may become through aliases inside of aliases.
const MAX_ALIAS_DEPTH: u32 = 400;
/// How many nodes in all are kept a second time because they carry an anchor.
const MAX_ANCHORED_NODES: usize = 200_000;

/// How many nodes a document may have: the largest CustomResourceDefinitions have some 50,000. More are
/// no manifest, and would only cost memory.
const MAX_NODES: usize = 1_000_000;

/// What the parser made of a text that is YAML.
pub(crate) struct Parsed {
    /// The first document; `None` if there is nothing but comments.
    pub(crate) root: Option<Node>,
    /// Whether a value begins with `{{`, which is YAML, but surely meant as a template's action.
    pub(crate) double_braces: bool,
}

/// Parses one document.
pub(crate) fn parse(text: &str) -> Result<Parsed, SyntaxError> {
    parse_instead(text, text)
}

/// Parses a text in place of another one of the same length, of which parts were replaced by other characters. Ranges
/// are those of `original`: on its character boundaries.
pub(crate) fn parse_instead(original: &str, text: &str) -> Result<Parsed, SyntaxError> {
    let options = granit_parser::options! {
        emit_unresolved_aliases: true,
        emit_comments: false,
        block_nesting_limit: MAX_DEPTH,
        flow_nesting_limit: MAX_DEPTH,
    };
    let mut builder = Builder::new(original, text);
    let mut left = MAX_NODES;
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| SyntaxError {
            offset: crate::size(error.marker().byte_offset().unwrap_or_default().min(text.len())),
            message: error.info(),
        })?;
        let offset = span.start.byte_offset().unwrap_or_default();
        if !builder.event(event, &span) {
            break;
        }
        left = left.checked_sub(1).ok_or_else(|| SyntaxError {
            offset: crate::size(original.floor_char_boundary(offset.min(text.len()))),
            message: format!("more than {MAX_NODES} nodes"),
        })?;
    }
    Ok(builder.parsed)
}

struct Builder<'text> {
    original: &'text str,
    text: &'text str,
    parsed: Parsed,
    open: Vec<Open>,
    anchors: Anchors,
    /// Where the previous event ended: the header of a block scalar lies between there and its content.
    previous_end: usize,
    seen_document: bool,
}

/// A collection whose end has not come yet.
struct Open {
    anchor: usize,
    /// The opening bracket; empty for a block collection.
    start: Range<usize>,
    content: Content,
}

enum Content {
    Mapping { entries: Vec<Entry>, key: Option<Node> },
    Sequence(Vec<Node>),
}

impl<'text> Builder<'text> {
    fn new(original: &'text str, text: &'text str) -> Self {
        let anchors = text.contains('*').then(HashMap::new);
        Builder {
            original,
            text,
            parsed: Parsed { root: None, double_braces: false },
            open: Vec::new(),
            anchors: Anchors { nodes: anchors, left: MAX_ANCHORED_NODES },
            previous_end: 0,
            seen_document: false,
        }
    }

    /// Takes an event; `false` when the document is over.
    fn event(&mut self, event: Event<'_>, span: &Span) -> bool {
        let at = self.clamp(span.byte_range().unwrap_or_default());
        match event {
            Event::DocumentStart(..) => {
                let is_second = std::mem::replace(&mut self.seen_document, true);
                return !is_second;
            }
            Event::Scalar(value, style, anchor, _) => {
                let node = self.scalar(&value, style, &at, span);
                self.place(node, anchor);
            }
            Event::Alias(id) => {
                let (target, depth) = self.anchors.get(id);
                let kind = NodeKind::Alias(Alias { target, depth });
                self.place(Node { range: crate::range(at.clone()), kind }, 0);
            }
            Event::UnresolvedAlias(_) => {
                let kind = NodeKind::Alias(Alias { target: None, depth: 0 });
                self.place(Node { range: crate::range(at.clone()), kind }, 0);
            }
            Event::MappingStart(style, anchor, _) => {
                if style == StructureStyle::Flow && self.text[at.start..].starts_with("{{") {
                    self.parsed.double_braces = true;
                }
                let content = Content::Mapping { entries: Vec::new(), key: None };
                self.open.push(Open { anchor, start: at.clone(), content });
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open.push(Open { anchor, start: at.clone(), content: Content::Sequence(Vec::new()) });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                if let Some(open) = self.open.pop() {
                    let anchor = open.anchor;
                    self.place(close(open, &at), anchor);
                }
            }
            _ => {}
        }
        self.previous_end = self.previous_end.max(at.end);
        true
    }

    /// A range inside the text and on character boundaries, whatever the parser says. What stands in place of other
    /// characters is ASCII, so that a boundary of the original is one of the text too.
    fn clamp(&self, range: Range<usize>) -> Range<usize> {
        let floor = |at: usize| self.original.floor_char_boundary(at.min(self.original.len()));
        let start = floor(range.start);
        start..floor(range.end).max(start)
    }

    /// Gives a finished node to the collection it belongs to.
    fn place(&mut self, mut node: Node, anchor: usize) {
        if let Some(Open { content: Content::Mapping { key: Some(key), .. }, .. }) = self.open.last() {
            stand_behind_colon(self.text, key, &mut node);
        }
        self.anchors.add(anchor, &node);
        match self.open.last_mut().map(|open| &mut open.content) {
            Some(Content::Mapping { entries, key }) => match key.take() {
                Some(key) => entries.push(Entry { key, value: node }),
                None => *key = Some(node),
            },
            Some(Content::Sequence(items)) => items.push(node),
            None => self.parsed.root = Some(node),
        }
    }

    fn scalar(&self, value: &str, style: granit_parser::ScalarStyle, at: &Range<usize>, span: &Span) -> Node {
        use granit_parser::ScalarStyle as Style;
        let (style, range, inner) = match style {
            Style::Plain => (ScalarStyle::Plain, at.clone(), at.clone()),
            Style::SingleQuoted => (ScalarStyle::SingleQuoted, at.clone(), self.inside_quotes(at)),
            Style::DoubleQuoted => (ScalarStyle::DoubleQuoted, at.clone(), self.inside_quotes(at)),
            Style::Literal | Style::Folded => {
                let style = if style == Style::Literal { ScalarStyle::Literal } else { ScalarStyle::Folded };
                let properties_end = span.tag_span().and_then(|tag| Some(tag.byte_range()?.end));
                let from = self.previous_end.max(properties_end.unwrap_or_default());
                let (range, inner) = self.block_scalar(from, at, value.is_empty());
                (style, range, inner)
            }
        };
        // The parser writes an absent value as `~`.
        let absent = style == ScalarStyle::Plain && at.is_empty();
        let value = if absent { "" } else { value }.into();
        let scalar = Scalar { value, style, inner: crate::range(inner) };
        Node { range: crate::range(range), kind: NodeKind::Scalar(scalar) }
    }

    fn inside_quotes(&self, at: &Range<usize>) -> Range<usize> {
        let quoted = at.len() >= 2
            && self.text.is_char_boundary(at.start + 1)
            && self.text.is_char_boundary(at.end - 1);
        if quoted { at.start + 1..at.end - 1 } else { at.clone() }
    }

    /// A block scalar's range from its indicator, and that of its content. The parser tells where the content
    /// starts, and includes the blank lines and the indentation behind it.
    fn block_scalar(
        &self,
        from: usize,
        content: &Range<usize>,
        is_empty: bool,
    ) -> (Range<usize>, Range<usize>) {
        let (start, header_end) = match find_indicator(self.text, from, content.end) {
            Some(found) => found,
            None => (content.start, content.start),
        };
        if is_empty || content.start < header_end {
            return (start..header_end, header_end..header_end);
        }
        let end = content.start + self.text[content.clone()].trim_end_matches([' ', '\t', '\r', '\n']).len();
        (start..end.max(header_end), content.start..end.max(content.start))
    }
}

/// The indicator of a block scalar (`|`, `>`, with what belongs to it as in `|2-`) in a text that holds, before
/// it, only what may stand between the previous node and it: `:`, `-`, `?`, a tag, an anchor, blanks, comments.
fn find_indicator(text: &str, from: usize, to: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes().get(..to)?;
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'|' | b'>' => {
                let digits = bytes[at + 1..].iter().take_while(|it| matches!(it, b'0'..=b'9' | b'+' | b'-'));
                return Some((at, at + 1 + digits.count()));
            }
            b'&' | b'!' => at += bytes[at..].iter().take_while(|it| !it.is_ascii_whitespace()).count(),
            b'#' => at += bytes[at..].iter().take_while(|it| !matches!(it, b'\r' | b'\n')).count(),
            _ => at += 1,
        }
    }
    None
}

/// Moves an absent value behind its colon: the parser has it before, at the key's end.
fn stand_behind_colon(text: &str, key: &Node, value: &mut Node) {
    let NodeKind::Scalar(scalar) = &mut value.kind else { return };
    if scalar.style != ScalarStyle::Plain || !value.range.is_empty() {
        return;
    }
    let key_end = usize::from(key.range.end());
    let rest = &text[key_end..];
    let Some(after) = rest.trim_start_matches([' ', '\t']).strip_prefix(':') else { return };
    let behind = crate::size(text.len() - after.len());
    if value.range.start() < behind {
        value.range = TextRange::empty(behind);
        scalar.inner = value.range;
    }
}

/// A collection's node: from its first bracket or child to its last one.
fn close(open: Open, end: &Range<usize>) -> Node {
    let (kind, cover) = match open.content {
        Content::Mapping { mut entries, key } => {
            if let Some(key) = key {
                // The parser always sends a value; if it ever does not, the key is not lost.
                let range = TextRange::empty(key.range.end());
                let absent = Scalar { value: "".into(), style: ScalarStyle::Plain, inner: range };
                entries.push(Entry { key, value: Node { range, kind: NodeKind::Scalar(absent) } });
            }
            let ranges = entries.iter().flat_map(|entry| [entry.key.range, entry.value.range]);
            let cover = ranges.reduce(TextRange::cover);
            (NodeKind::Mapping(entries), cover)
        }
        Content::Sequence(items) => {
            let cover = items.iter().map(|item| item.range).reduce(TextRange::cover);
            (NodeKind::Sequence(items), cover)
        }
    };
    let brackets =
        [open.start.clone(), end.clone()].into_iter().filter(|it| !it.is_empty()).map(crate::range);
    let range = brackets.chain(cover).reduce(TextRange::cover);
    Node { range: range.unwrap_or(TextRange::empty(crate::size(open.start.start))), kind }
}

/// The anchored nodes so far. Each is kept a second time, because the tree owns its nodes; nothing is kept in a
/// text without an alias.
struct Anchors {
    nodes: Option<HashMap<usize, (Arc<Node>, u32)>>,
    left: usize,
}

impl Anchors {
    fn add(&mut self, anchor: usize, node: &Node) {
        let Some(nodes) = self.nodes.as_mut().filter(|_| anchor != 0) else { return };
        let mut left = self.left;
        if let Some(depth) = measure(node, &mut left).filter(|depth| *depth < MAX_ALIAS_DEPTH) {
            self.left = left;
            nodes.insert(anchor, (Arc::new(node.clone()), depth));
        }
    }

    fn get(&self, anchor: usize) -> (Option<Arc<Node>>, u32) {
        match self.nodes.as_ref().and_then(|nodes| nodes.get(&anchor)) {
            Some((node, depth)) => (Some(Arc::clone(node)), depth + 1),
            None => (None, 0),
        }
    }
}

/// How deep a node is, through aliases; `None` once more than `left` nodes are counted.
fn measure(node: &Node, left: &mut usize) -> Option<u32> {
    *left = left.checked_sub(1)?;
    let mut depth = 0;
    match &node.kind {
        NodeKind::Mapping(entries) => {
            for entry in entries {
                depth = depth.max(measure(&entry.key, left)?).max(measure(&entry.value, left)?);
            }
        }
        NodeKind::Sequence(items) => {
            for item in items {
                depth = depth.max(measure(item, left)?);
            }
        }
        NodeKind::Alias(alias) => return Some(alias.depth),
        NodeKind::Scalar(_) => {}
    }
    Some(depth + 1)
}
