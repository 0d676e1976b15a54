//! From a document's text to its tree, whatever state the text is in.
//!
//! Half of all states of a document while someone types are not YAML. Everything outside of the line that is being
//! typed is still right in them, and what is shown there must not flicker. So, in this order: the text as it is;
//! as a template; with a few lines taken as blank; the last good tree.

use std::ops::Range;

use text_size::TextRange;

use crate::{
    Document, NodeKind, Soundness,
    document::{Notes, SyntaxError},
    parser::{self, Parsed},
    split, stale, template,
};

/// How many lines are taken as blank at most.
const MAX_REPAIRS: usize = 6;
/// How many bytes are parsed in all attempts together (about a quarter of a second), so that typing in one huge broken
/// document does not wait for hopeless attempts.
const MAX_ATTEMPTED_BYTES: usize = 4 * 1024 * 1024;

/// Reads a document; `earlier` is what it was before an edit.
pub(crate) fn read(text: &str, earlier: Option<&Document>) -> Document {
    let result = parser::parse(text);
    let masked = match &result {
        Ok(parsed) if !parsed.double_braces => None,
        _ => template::mask(text),
    };
    if let Some(masked) = &masked
        && let Ok(parsed) = parser::parse_instead(text, &masked.text)
    {
        return document(text, parsed, Soundness::Templated, masked.actions.clone(), None);
    }
    let error = match result {
        Ok(parsed) => return document(text, parsed, Soundness::Sound, Vec::new(), None),
        Err(error) => error,
    };
    let mut budget = MAX_ATTEMPTED_BYTES;
    if let Some((parsed, blanked)) = repair(text, text, &error, earlier, &mut budget) {
        return document(text, parsed, Soundness::Repaired, blanked, Some(error));
    }
    if let Some(masked) = masked
        && let Err(masked_error) = parser::parse(&masked.text)
        && let Some((parsed, blanked)) = repair(text, &masked.text, &masked_error, None, &mut budget)
    {
        let unread = masked.actions.into_iter().chain(blanked).collect();
        return document(text, parsed, Soundness::Templated, unread, Some(error));
    }
    let was_template = earlier.is_some_and(|it| it.soundness == Soundness::Templated);
    let (root, soundness, unread) = match earlier.and_then(|it| stale::carry(it, text)) {
        Some((root, unread)) if was_template => (Some(root), Soundness::Templated, unread),
        Some((root, unread)) => (Some(root), Soundness::LastGood, unread),
        None => (None, Soundness::Broken, vec![crate::range(0..text.len())]),
    };
    Document::new(text, root, soundness, Notes { unread, error: Some(error) })
}

fn document(
    text: &str,
    parsed: Parsed,
    soundness: Soundness,
    mut unread: Vec<TextRange>,
    error: Option<SyntaxError>,
) -> Document {
    let absent = |kind: &NodeKind, range: TextRange| matches!(kind, NodeKind::Scalar(_)) && range.is_empty();
    let root = parsed.root.filter(|root| !absent(&root.kind, root.range));
    let soundness =
        if root.is_none() && soundness == Soundness::Sound { Soundness::Empty } else { soundness };
    unread.sort_by_key(|it| it.start());
    Document::new(text, root, soundness, Notes { unread, error })
}

/// Takes lines near the error as blank until the rest is YAML. Offsets stay; ranges are those of `original`.
fn repair(
    original: &str,
    text: &str,
    error: &SyntaxError,
    earlier: Option<&Document>,
    budget: &mut usize,
) -> Option<(Parsed, Vec<TextRange>)> {
    let lines: Vec<Range<usize>> = split::lines(text).collect();
    let line_of = |offset: usize| lines.partition_point(|it| it.start <= offset).saturating_sub(1);
    let mut current = text.to_owned();
    let mut blanked = Vec::new();
    let mut at = usize::from(error.offset);
    // What was just typed is the likeliest to be wrong.
    let mut edited: Vec<usize> = match earlier.filter(|it| it.root.is_some()) {
        Some(earlier) => {
            let change = crate::bytes(stale::Change::between(earlier.text(), text).new);
            (line_of(change.start)..=line_of(change.end)).take(3).collect()
        }
        None => Vec::new(),
    };
    for _ in 0..MAX_REPAIRS {
        let line = line_of(at);
        // A line that has no key yet is likelier to be the wrong one; a tab is told at the line before it.
        let mut near: Vec<usize> = (line.saturating_sub(2)..=line).rev().chain([line + 1]).collect();
        near.sort_by_key(|index| lines.get(*index).is_some_and(|it| has_key(&current[it.clone()])));
        let candidates = edited.drain(..).chain(near).filter_map(|index| lines.get(index).cloned());
        let mut best: Option<(usize, Range<usize>, String)> = None;
        for content in candidates.flat_map(|it| contents(&current, it)) {
            let attempt = with_blank(&current, &content);
            *budget = budget.checked_sub(text.len())?;
            match parser::parse_instead(original, &attempt) {
                Ok(parsed) => {
                    blanked.push(crate::range(content));
                    return Some((parsed, blanked));
                }
                Err(error) => {
                    let reached = usize::from(error.offset);
                    if best.as_ref().is_none_or(|(furthest, ..)| reached > *furthest) {
                        best = Some((reached, content, attempt));
                    }
                }
            }
        }
        let (reached, content, attempt) = best?;
        blanked.push(crate::range(content));
        current = attempt;
        at = reached;
    }
    None
}

fn has_key(line: &str) -> bool {
    line.trim_end().ends_with(':') || line.contains(": ")
}

/// What of a line may be taken away. Of a list's item whose key is being typed all but the dash, so that the items
/// behind it keep their index; else the whole content.
fn contents(text: &str, line: Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
    let whole = trim(text, line);
    let item = text[whole.clone()].strip_prefix("- ").filter(|rest| !has_key(rest)).map(|rest| {
        let start = whole.end - rest.trim_start().len();
        start..whole.end
    });
    item.into_iter().chain([whole]).filter(|it| !it.is_empty())
}

/// The text with a part of it replaced by spaces.
fn with_blank(text: &str, part: &Range<usize>) -> String {
    let mut blank = String::with_capacity(text.len());
    blank.push_str(&text[..part.start]);
    blank.extend(std::iter::repeat_n(' ', part.len()));
    blank.push_str(&text[part.end..]);
    blank
}

/// A line without what is around its content: line end, blanks, a document marker, a byte order mark.
fn trim(text: &str, line: Range<usize>) -> Range<usize> {
    let whole = &text[line.clone()];
    let mut content = whole.trim_start_matches('\u{feff}');
    if let Some(rest) = content.strip_prefix("---")
        && rest.starts_with([' ', '\t', '\r', '\n'])
    {
        content = rest;
    }
    let content = content.trim_start();
    let start = line.end - content.len();
    start..start + content.trim_end().len()
}
