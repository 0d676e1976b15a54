//! A file's text in documents.

use std::ops::Range;

/// The byte ranges of a text's documents. They tile it: each starts at its `---` (comments and directives before
/// the first one belong to it) and goes to before the next. Never empty.
///
/// A marker is `---` at the start of a line and then a space, a tab or the line's end. YAML lets nothing hide one:
/// also inside block and quoted scalars it starts a document. Behind a line `...` a document starts without one.
pub(crate) fn documents(text: &str) -> Vec<Range<usize>> {
    let mut starts = vec![0];
    // Whether what was read of the current document may only come before a marker line: nothing but blank
    // lines, comments and directives, and no marker so far.
    let mut prologue = true;
    // Where a document would start that has no marker of its own, behind a `...`.
    let mut bare_start = None;
    for line in lines(text) {
        let content = text[line.clone()].trim_start_matches('\u{feff}');
        if is_marker(content, "---") {
            if !prologue {
                starts.push(bare_start.unwrap_or(line.start));
            }
            prologue = false;
            bare_start = None;
        } else if is_marker(content, "...") {
            bare_start = bare_start.or(Some(line.end));
        } else if is_prologue(content) {
            // Stays with what comes before, until it turns out to belong to what comes after.
        } else if let Some(start) = bare_start.take() {
            starts.push(start);
            prologue = false;
        } else {
            prologue = false;
        }
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

/// The lines of a text with their ends: `\n`, `\r\n` or a lone `\r`.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= bytes.len() {
            return None;
        }
        let end = match bytes[start..].iter().position(|it| matches!(it, b'\n' | b'\r')) {
            Some(at) if bytes[start + at] == b'\r' && bytes.get(start + at + 1) == Some(&b'\n') => {
                start + at + 2
            }
            Some(at) => start + at + 1,
            None => bytes.len(),
        };
        let line = start..end;
        start = end;
        Some(line)
    })
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Blank lines, comments, and directives (`%YAML 1.2`).
fn is_prologue(line: &str) -> bool {
    line.starts_with('%') || matches!(line.trim_start().chars().next(), None | Some('#'))
}
