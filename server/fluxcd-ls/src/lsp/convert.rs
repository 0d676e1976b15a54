//! The edge between bytes and the protocol: positions count UTF-16 units there, and nowhere else in this tree.

use std::path::{Path, PathBuf};

use manifests::{TextRange, TextSize};
use ropey::Rope;

use super::types::{Position, Range, Uri};

/// The byte that a position means. A line or a column beyond the end is its end, as the protocol asks.
pub fn from_lsp(text: &Rope, position: Position) -> usize {
    let line = position.line as usize;
    if line >= text.len_lines() {
        return text.len_bytes();
    }
    let start = text.line_to_char(line);
    let content = line_content(text, line);
    let column = (position.character as usize).min(content.len_utf16_cu());
    text.char_to_byte(start + content.utf16_cu_to_char(column))
}

/// The bytes that a range means; an end before its start is an empty range there.
pub fn range_from_lsp(text: &Rope, range: Range) -> std::ops::Range<usize> {
    let start = from_lsp(text, range.start);
    start..from_lsp(text, range.end).max(start)
}

/// The position of a byte. A byte beyond the end is the end, one inside a character is the character's start.
pub fn to_lsp(text: &Rope, byte: usize) -> Position {
    let byte = byte.min(text.len_bytes());
    let line = text.byte_to_line(byte);
    let start = text.line_to_char(line);
    let column = text.byte_to_char(byte) - start;
    let content = line_content(text, line);
    let character = content.char_to_utf16_cu(column.min(content.len_chars()));
    Position { line: clamp(line), character: clamp(character) }
}

/// The range of some bytes.
pub fn range_to_lsp(text: &Rope, range: TextRange) -> Range {
    Range { start: to_lsp(text, range.start().into()), end: to_lsp(text, range.end().into()) }
}

/// A byte offset as the rooms count it. Texts beyond 4 GiB are not opened.
pub fn text_size(byte: usize) -> TextSize {
    TextSize::from(u32::try_from(byte).unwrap_or(u32::MAX))
}

/// The file that a URI names; none for `untitled:`, `git:` and everything else that is not on this machine's disk.
pub fn path_of(uri: &Uri) -> Option<PathBuf> {
    let url = url::Url::parse(uri.as_ref()).ok()?;
    if url.scheme() != "file" {
        return None;
    }
    url.to_file_path().ok()
}

/// The URI of a file, as `url` spells it. An open file keeps the spelling that its editor uses.
pub fn uri_of(path: &Path) -> Option<Uri> {
    url::Url::from_file_path(path).ok().map(|url| Uri::from(String::from(url)))
}

/// A line without its end: a position after the last character must not lead into the next line.
fn line_content(text: &Rope, line: usize) -> ropey::RopeSlice<'_> {
    let slice = text.line(line);
    let mut end = slice.len_chars();
    while end > 0 && matches!(slice.char(end - 1), '\n' | '\r') {
        end -= 1;
    }
    slice.slice(..end)
}

fn clamp(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn astral_characters_count_two_units_and_four_bytes() {
        let text = Rope::from_str("a: 🚢x\nb: ü\n");
        assert_eq!(from_lsp(&text, at(0, 5)), 7);
        assert_eq!(to_lsp(&text, 7), at(0, 5));
        assert_eq!(from_lsp(&text, at(1, 4)), 14);
        assert_eq!(to_lsp(&text, 14), at(1, 4));
    }

    #[test]
    fn a_position_in_the_middle_of_a_character_is_its_start() {
        let text = Rope::from_str("🚢");
        assert_eq!(from_lsp(&text, at(0, 1)), 0);
        assert_eq!(to_lsp(&text, 2), at(0, 0));
    }

    #[test]
    fn carriage_returns_end_lines_and_are_no_columns() {
        let text = Rope::from_str("a\r\nbc\rd\n");
        assert_eq!(from_lsp(&text, at(0, 9)), 1);
        assert_eq!(from_lsp(&text, at(1, 2)), 5);
        assert_eq!(to_lsp(&text, 6), at(2, 0));
    }

    #[test]
    fn unicode_line_separators_are_no_line_ends() {
        let text = Rope::from_str("a\u{2028}b\nc");
        assert_eq!(from_lsp(&text, at(1, 0)), 6);
    }

    #[test]
    fn positions_beyond_the_text_are_its_end() {
        let text = Rope::from_str("ab");
        assert_eq!(from_lsp(&text, at(7, 7)), 2);
        assert_eq!(to_lsp(&text, 99), at(0, 2));
        assert_eq!(range_from_lsp(&text, Range { start: at(0, 2), end: at(0, 1) }), 2..2);
    }

    #[test]
    fn only_files_have_a_path() {
        assert_eq!(path_of(&Uri::from("file:///a/b%20c.yaml")), Some(PathBuf::from("/a/b c.yaml")));
        assert_eq!(path_of(&Uri::from("untitled:Untitled-1")), None);
        assert_eq!(path_of(&Uri::from("no uri at all")), None);
        assert_eq!(uri_of(Path::new("/a/b c.yaml")), Some(Uri::from("file:///a/b%20c.yaml")));
    }
}
