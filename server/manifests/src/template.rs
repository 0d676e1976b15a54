//! Go templates: text that becomes YAML only when it is rendered.

use text_size::TextRange;

/// A template's text with its actions replaced by as many bytes of something harmless.
pub(crate) struct Masked {
    pub(crate) text: String,
    /// The actions.
    pub(crate) actions: Vec<TextRange>,
}

/// Replaces each `{{ … }}`; `None` if there is none. Actions that print something inside of a line become
/// letters, so that they can be a value or a part of one; those alone on their lines and those that only
/// control (`if`, `end`, comments, assignments) become spaces.
pub(crate) fn mask(text: &str) -> Option<Masked> {
    let actions = actions(text);
    if actions.is_empty() {
        return None;
    }
    let mut masked = String::with_capacity(text.len());
    let mut rest = actions.as_slice();
    while let Some(first) = rest.first() {
        // All actions on the lines that the first one stands on.
        let mut count = 1;
        while let Some(next) = rest.get(count)
            && !text[rest[count - 1].end..next.start].contains(['\n', '\r'])
        {
            count += 1;
        }
        let (line, behind) = rest.split_at(count);
        let before = text[masked.len()..first.start].rsplit(['\n', '\r']).next().unwrap_or_default();
        let last_end = line.last().map_or(first.end, |it| it.end);
        let after = text[last_end..].split(['\n', '\r']).next().unwrap_or_default();
        let between = line.windows(2).all(|pair| is_blank(&text[pair[0].end..pair[1].start]));
        let alone = between && is_blank(before) && is_blank(after);
        for action in line {
            masked.push_str(&text[masked.len()..action.start]);
            let filler = if alone || only_controls(&text[action.clone()]) { ' ' } else { 'x' };
            masked.extend(std::iter::repeat_n(filler, action.len()));
        }
        rest = behind;
    }
    masked.push_str(&text[masked.len()..]);
    Some(Masked { text: masked, actions: actions.into_iter().map(crate::range).collect() })
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|it| matches!(it, ' ' | '\t' | '\u{feff}'))
}

/// Whether an action prints nothing.
fn only_controls(action: &str) -> bool {
    let inside = action.trim_start_matches(['{', '-']).trim_start();
    let word = inside.split(|it: char| !it.is_ascii_alphanumeric()).next().unwrap_or_default();
    inside.starts_with("/*")
        || (inside.starts_with('$') && inside.contains(":="))
        || matches!(
            word,
            "if" | "else" | "end" | "range" | "with" | "define" | "block" | "break" | "continue"
        )
}

/// The byte ranges of all actions, in order. Strings and comments inside of an action may hold `}}`.
fn actions(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut actions = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("{{") {
        let start = at + found;
        match action_end(text, start + 2) {
            Some(end) => {
                actions.push(start..end);
                at = end;
            }
            // An action that never ends: there is none behind it either.
            None => break,
        }
    }
    actions
}

fn action_end(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let inside = text[from..].trim_start_matches(['-', ' ', '\t', '\r', '\n']);
    if inside.starts_with("/*") {
        let start = text.len() - inside.len();
        let end = start + inside.find("*/")?;
        return Some(end + text[end..].find("}}")? + 2);
    }
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'}' if bytes.get(at + 1) == Some(&b'}') => return Some(at + 2),
            quote @ (b'"' | b'`') => {
                at += 1;
                while *bytes.get(at)? != quote {
                    at += if quote == b'"' && bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            _ => at += 1,
        }
    }
    None
}
