//! From a scalar's value back to its text, and YAML inside of scalars.

use text_size::{TextRange, TextSize};

use crate::{Document, Node, NodeKind, ParsedFile, ScalarStyle};

/// Where the bytes of a scalar's value are written: a patch inside of a block scalar is parsed as text of its own,
/// and its marks belong into the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalarMap {
    /// Parts of the value that are written, in order. What lies between is blank.
    runs: Vec<Run>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    value: TextRange,
    text: TextRange,
    /// One escaped character; otherwise both sides are the same bytes.
    escaped: bool,
}

impl ScalarMap {
    /// A range of the value as a range of the document. `None` if one of its ends is not written (blanks that
    /// folding made).
    pub fn in_document(&self, range: TextRange) -> Option<TextRange> {
        let start = self.start(range.start())?;
        if range.is_empty() {
            return Some(TextRange::empty(start));
        }
        let last = range.end() - TextSize::new(1);
        let run = self.run(last).filter(|run| run.value.contains(last))?;
        let end = match run.escaped {
            true => run.text.end(),
            false => run.text.start() + (range.end() - run.value.start()),
        };
        (start <= end).then(|| TextRange::new(start, end))
    }

    fn start(&self, offset: TextSize) -> Option<TextSize> {
        let run = self.run(offset)?;
        Some(match run.escaped {
            _ if offset == run.value.end() => run.text.end(),
            true => run.text.start(),
            false => run.text.start() + (offset - run.value.start()),
        })
    }

    /// The run that an offset lies in or just behind.
    fn run(&self, offset: TextSize) -> Option<&Run> {
        let behind = self.runs.partition_point(|run| run.value.start() <= offset);
        self.runs.get(behind.checked_sub(1)?).filter(|run| offset <= run.value.end())
    }
}

impl Document {
    /// How a scalar's value maps to this document; `None` for other nodes, and in the rare case that it cannot be
    /// told (escapes of surrogate pairs).
    pub fn scalar_map(&self, node: &Node) -> Option<ScalarMap> {
        let NodeKind::Scalar(scalar) = &node.kind else { return None };
        let runs = align(self.slice(scalar.inner), scalar.inner.start(), &scalar.value, scalar.style)?;
        Some(ScalarMap { runs })
    }

    /// A scalar's value as YAML of its own, with the way back.
    pub fn nested(&self, node: &Node) -> Option<(ParsedFile, ScalarMap)> {
        let map = self.scalar_map(node)?;
        Some((ParsedFile::parse(node.as_str()?), map))
    }
}

/// Walks text and value side by side. Blanks are where they differ (indentation, folding), everything else is
/// the same or escaped.
fn align(text: &str, offset: TextSize, value: &str, style: ScalarStyle) -> Option<Vec<Run>> {
    let is_blank = |it: char| matches!(it, ' ' | '\t' | '\r' | '\n');
    let mut runs: Vec<Run> = Vec::new();
    let (mut at, mut of) = (0, 0);
    let mut push = |at: usize, length: usize, of: usize, wanted: char, escaped: bool| {
        let text = crate::range(at..at + length) + offset;
        let value = crate::range(of..of + wanted.len_utf8());
        match runs.last_mut() {
            Some(run)
                if !(escaped || run.escaped)
                    && run.value.end() == value.start()
                    && run.text.end() == text.start() =>
            {
                run.value = run.value.cover(value);
                run.text = run.text.cover(text);
            }
            _ => runs.push(Run { value, text, escaped }),
        }
    };
    while let Some(wanted) = value[of..].chars().next() {
        let Some(written) = text[at..].chars().next() else {
            // Block scalars end in a line break that need not be written.
            return value[of..].chars().all(is_blank).then_some(runs);
        };
        let escaped = match (style, written) {
            (ScalarStyle::DoubleQuoted, '\\') => Some(escape_len(&text[at..])?),
            (ScalarStyle::SingleQuoted, '\'') => Some(2),
            _ => None,
        };
        match escaped {
            // A line break that is escaped away.
            Some(length)
                if style == ScalarStyle::DoubleQuoted && text[at + 1..].starts_with(['\r', '\n']) =>
            {
                at += length;
            }
            Some(length) => {
                text.get(at..at + length)?;
                push(at, length, of, wanted, true);
                at += length;
                of += wanted.len_utf8();
            }
            None if written == wanted => {
                push(at, written.len_utf8(), of, wanted, false);
                at += written.len_utf8();
                of += wanted.len_utf8();
            }
            None if is_blank(written) => at += written.len_utf8(),
            None if is_blank(wanted) => of += wanted.len_utf8(),
            None => return None,
        }
    }
    Some(runs)
}

/// How many bytes a double-quoted escape takes, the backslash included.
fn escape_len(text: &str) -> Option<usize> {
    Some(match text[1..].chars().next()? {
        'x' => 4,
        'u' => 6,
        'U' => 10,
        escaped => 1 + escaped.len_utf8(),
    })
}
