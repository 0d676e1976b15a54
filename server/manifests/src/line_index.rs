//! Byte offsets ↔ lines and UTF-16 columns, for the edge to the editor only.

use text_size::{TextRange, TextSize};

/// A position as the Language Server Protocol counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineCol {
    /// Line, from 0.
    pub line: u32,
    /// UTF-16 code units from the line's start, from 0.
    pub col: u32,
}

/// Where a text's lines start, and where its characters are not one byte.
///
/// Lines end at `\n`, `\r\n` and a lone `\r`, as the protocol says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineIndex {
    /// Start and end (without the line end) of each line; never empty.
    lines: Vec<TextRange>,
    /// All characters longer than one byte, in order.
    wide: Vec<Wide>,
    len: TextSize,
}

/// A character of more than one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wide {
    start: TextSize,
    /// Length in bytes, 2 to 4; in UTF-16 it is 2 code units for 4 bytes, otherwise 1.
    bytes: u8,
}

impl Wide {
    fn end(self) -> TextSize {
        self.start + TextSize::from(u32::from(self.bytes))
    }

    fn utf16(self) -> u32 {
        if self.bytes == 4 { 2 } else { 1 }
    }
}

impl LineIndex {
    /// Indexes a text.
    pub fn new(text: &str) -> LineIndex {
        let bytes = text.as_bytes();
        let mut lines = Vec::new();
        let mut wide = Vec::new();
        let mut start = 0;
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            let length = match byte {
                b'\r' if bytes.get(at + 1) == Some(&b'\n') => 2,
                b'\r' | b'\n' => 1,
                0xC0..=0xDF => 0x12,
                0xE0..=0xEF => 0x13,
                0xF0..=0xFF => 0x14,
                _ => 0,
            };
            match length {
                0 => at += 1,
                1 | 2 => {
                    lines.push(crate::range(start..at));
                    at += length;
                    start = at;
                }
                _ => {
                    wide.push(Wide { start: crate::size(at), bytes: (length & 0xF) as u8 });
                    at += length & 0xF;
                }
            }
        }
        lines.push(crate::range(start..text.len()));
        LineIndex { lines, wide, len: crate::size(text.len()) }
    }

    /// How many lines there are; a text that ends in a line end has an empty last one.
    pub fn line_count(&self) -> u32 {
        crate::size(self.lines.len()).into()
    }

    /// A line without its end; `None` behind the last one.
    pub fn line(&self, line: u32) -> Option<TextRange> {
        self.lines.get(line as usize).copied()
    }

    /// The position of an offset. Behind the end it is the end; inside a line end it is the line's end; inside a
    /// character it is the character's start.
    pub fn line_col(&self, offset: TextSize) -> LineCol {
        let offset = offset.min(self.len);
        let line = self.lines.partition_point(|it| it.start() <= offset).saturating_sub(1);
        let range = self.lines.get(line).copied().unwrap_or_default();
        let offset = offset.clamp(range.start(), range.end());
        let mut col = u32::from(offset - range.start());
        for wide in self.wide_from(range.start()).take_while(|it| it.start < offset) {
            match wide.end() <= offset {
                true => col -= u32::from(wide.bytes) - wide.utf16(),
                false => col -= u32::from(offset - wide.start),
            }
        }
        LineCol { line: crate::size(line).into(), col }
    }

    /// The offset of a position. Behind a line's end it is the line's end, behind the last line the text's end, and
    /// between the two halves of a surrogate pair the character's start.
    pub fn offset(&self, position: LineCol) -> TextSize {
        let Some(line) = self.line(position.line) else { return self.len };
        let mut offset = line.start();
        let mut left = position.col;
        for wide in self.wide_from(line.start()).take_while(|it| it.start < line.end()) {
            let ascii = u32::from(wide.start - offset);
            if left < ascii + wide.utf16() {
                return offset + TextSize::from(left.min(ascii));
            }
            left -= ascii + wide.utf16();
            offset = wide.end();
        }
        offset.checked_add(TextSize::from(left)).map_or(line.end(), |it| it.min(line.end()))
    }

    /// The positions of a range's ends.
    pub fn range(&self, range: TextRange) -> (LineCol, LineCol) {
        (self.line_col(range.start()), self.line_col(range.end()))
    }

    fn wide_from(&self, offset: TextSize) -> impl Iterator<Item = Wide> {
        let first = self.wide.partition_point(|it| it.start < offset);
        self.wide[first..].iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, line: u32, col: u32, offset: u32) {
        let index = LineIndex::new(text);
        assert_eq!(index.offset(LineCol { line, col }), TextSize::new(offset), "offset");
        assert_eq!(index.line_col(TextSize::new(offset)), LineCol { line, col }, "position");
    }

    #[test]
    fn columns_count_utf16() {
        check("aü😀b\n😀", 0, 0, 0);
        check("aü😀b\n😀", 0, 2, 3);
        check("aü😀b\n😀", 0, 4, 7);
        check("aü😀b\n😀", 0, 5, 8);
        check("aü😀b\n😀", 1, 0, 9);
        check("aü😀b\n😀", 1, 2, 13);
        // Between the halves of a pair; and inside of a character.
        let index = LineIndex::new("aü😀b");
        assert_eq!(index.offset(LineCol { line: 0, col: 3 }), TextSize::new(3));
        assert_eq!(index.line_col(TextSize::new(5)), LineCol { line: 0, col: 2 });
    }

    #[test]
    fn all_line_ends_count() {
        let text = "a\r\nb\rc\nd";
        assert_eq!(LineIndex::new(text).line_count(), 4);
        check(text, 1, 0, 3);
        check(text, 2, 0, 5);
        check(text, 3, 1, 8);
        // Between \r and \n is the line's end.
        assert_eq!(LineIndex::new(text).line_col(TextSize::new(2)), LineCol { line: 0, col: 1 });
    }

    #[test]
    fn positions_outside_are_clamped() {
        let index = LineIndex::new("ab\r\ncd\n");
        assert_eq!(index.offset(LineCol { line: 0, col: 99 }), TextSize::new(2));
        assert_eq!(index.offset(LineCol { line: 0, col: u32::MAX }), TextSize::new(2));
        assert_eq!(index.offset(LineCol { line: 9, col: 0 }), TextSize::new(7));
        assert_eq!(index.line_col(TextSize::new(99)), LineCol { line: 2, col: 0 });
        assert_eq!(index.line(2), Some(TextRange::empty(TextSize::new(7))));
        assert_eq!(LineIndex::new("").line_col(TextSize::new(1)), LineCol { line: 0, col: 0 });
    }
}
