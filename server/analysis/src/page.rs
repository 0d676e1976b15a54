//! Text for people, with what came from elsewhere kept apart from what we say.
//!
//! Names, revisions, reasons and messages come from a cluster, from providers, from other people's commits: they
//! are data. A [`Page`] holds them as data until it is rendered; there is no other way into Markdown, so nothing
//! can be forgotten. In Markdown data stands in code spans and code fences only: no links, no HTML, no images, no
//! way out of the fence; terminal sequences and invisible characters are gone in both renderings.

use std::fmt::Write;

/// Bytes of a message that are shown where there is little room.
pub(crate) const BOUND: usize = 8 * 1024;

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Span {
    /// Our own words. Must not hold anything from elsewhere.
    Word(String),
    /// Anything from elsewhere.
    Data(String),
    /// A page at the Git provider of one of the clone's remotes, made by [`crate::Remotes::compare`]; never an address that
    /// a cluster tells.
    Page(String),
}

/// A part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Block {
    /// The first line of what follows.
    Heading(Vec<Span>),
    /// A line.
    Line(Vec<Span>),
    /// A line of a list.
    Item(Vec<Span>),
    /// A long text from elsewhere, with the number of bytes that may be shown of it.
    Quote(String, usize),
}

/// What is shown in a hover, in details and in a terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Page(pub Vec<Block>);

/// Writes a line: `spans![w "applied ", d revision]`, `w` for our words and `d` for data.
macro_rules! spans {
    ($($kind:ident $piece:expr),* $(,)?) => { vec![$($crate::page::spans!(@ $kind $piece)),*] };
    (@ w $piece:expr) => { $crate::page::Span::Word(($piece).to_string()) };
    (@ d $piece:expr) => { $crate::page::Span::Data(($piece).to_string()) };
}
pub(crate) use spans;

impl Page {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn heading(&mut self, spans: Vec<Span>) {
        self.0.push(Block::Heading(spans));
    }

    pub(crate) fn line(&mut self, spans: Vec<Span>) {
        self.0.push(Block::Line(spans));
    }

    pub(crate) fn item(&mut self, spans: Vec<Span>) {
        self.0.push(Block::Item(spans));
    }

    pub(crate) fn quote(&mut self, text: &str, bound: usize) {
        self.0.push(Block::Quote(text.to_owned(), bound));
    }

    pub(crate) fn extend(&mut self, other: Page) {
        self.0.extend(other.0);
    }

    /// As Markdown that renders the same everywhere: paragraphs, flat lists, bold, code.
    pub(crate) fn markdown(&self) -> String {
        let mut out = String::new();
        let mut previous_item = false;
        for block in &self.0 {
            let item = matches!(block, Block::Item(_));
            if !out.is_empty() {
                out.push_str(if item && previous_item { "\n" } else { "\n\n" });
            }
            previous_item = item;
            match block {
                Block::Heading(spans) => {
                    // Bold instead of `#`: a hover with headings of half a screen helps nobody.
                    let mut bold = true;
                    for span in spans {
                        match span {
                            Span::Data(data) if std::mem::take(&mut bold) => {
                                let _ = write!(out, "**{}**", code_span(data));
                            }
                            span => markdown_spans(&mut out, std::slice::from_ref(span)),
                        }
                    }
                }
                Block::Line(spans) => markdown_spans(&mut out, spans),
                Block::Item(spans) => {
                    out.push_str("- ");
                    markdown_spans(&mut out, spans);
                }
                Block::Quote(text, bound) => out.push_str(&fence(text, *bound)),
            }
        }
        out
    }

    /// As plain text for a terminal.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        for block in &self.0 {
            match block {
                Block::Heading(spans) => {
                    if !out.is_empty() {
                        out.push('\n');
                    }
                    plain_spans(&mut out, spans);
                }
                Block::Line(spans) => {
                    out.push_str("  ");
                    plain_spans(&mut out, spans);
                }
                Block::Item(spans) => {
                    out.push_str("  - ");
                    plain_spans(&mut out, spans);
                }
                Block::Quote(text, bound) => {
                    let (text, note) = bounded(text, *bound);
                    for line in text.lines() {
                        let _ = writeln!(out, "  | {line}");
                    }
                    if let Some(note) = note {
                        let _ = writeln!(out, "  ({note})");
                    }
                    continue;
                }
            }
            out.push('\n');
        }
        out
    }
}

fn markdown_spans(out: &mut String, spans: &[Span]) {
    for span in spans {
        match span {
            Span::Word(word) => out.push_str(word),
            Span::Data(data) => out.push_str(&code_span(data)),
            Span::Page(url) if is_address(url) => {
                let _ = write!(out, "<{url}>");
            }
            Span::Page(url) => out.push_str(&code_span(url)),
        }
    }
}

/// Whether Markdown can hold it as a link and nothing else.
fn is_address(url: &str) -> bool {
    url.starts_with("https://")
        && url.chars().all(|c| c.is_ascii_alphanumeric() || "-._~/:%?=&+,@".contains(c))
}

fn plain_spans(out: &mut String, spans: &[Span]) {
    for span in spans {
        match span {
            Span::Word(word) => out.push_str(word),
            Span::Data(data) | Span::Page(data) => out.push_str(&one_line(data)),
        }
    }
}

/// Text without terminal sequences, control characters and characters that turn or hide text. Line ends and tabs
/// stay. What is replaced shows as `\u{FFFD}`, so that nobody takes the rest for the whole.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut chars),
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            '\n' | '\t' => out.push(c),
            '\u{9b}' => skip_parameters(&mut chars),
            c if c.is_control() || invisible(c) => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

/// After ESC: `[…m` and its kin, `]…BEL` and its kin, or two characters.
fn skip_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next() {
        Some('[') => skip_parameters(chars),
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = chars.next() {
                if c == '\u{7}' || c == '\u{9c}' {
                    break;
                }
                if c == '\u{1b}' {
                    chars.next();
                    break;
                }
                // Never closed: a line end closes it, or the rest of a message would be lost.
                if c == '\n' {
                    break;
                }
            }
        }
        _ => {}
    }
}

fn skip_parameters(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(&c) = chars.peek() {
        if c == '\n' {
            return;
        }
        chars.next();
        if ('@'..='~').contains(&c) {
            return;
        }
    }
}

fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// [`clean`], on one line.
pub(crate) fn one_line(text: &str) -> String {
    let clean = clean(text);
    let mut out = String::with_capacity(clean.len());
    for word in clean.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Not more than so many bytes, cut between characters, and a note of what is missing.
pub(crate) fn bounded(text: &str, bound: usize) -> (String, Option<String>) {
    let text = clean(text);
    let text = text.trim_end();
    if text.len() <= bound {
        return (text.to_owned(), None);
    }
    let mut end = bound;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let left = (text.len() - end).div_ceil(1024);
    (text[..end].to_owned(), Some(format!("{left} KiB more; the object itself has all of it")))
}

/// A code span that its content cannot end.
fn code_span(data: &str) -> String {
    let text = one_line(data);
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let ticks = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// A code fence that its content cannot end.
fn fence(text: &str, bound: usize) -> String {
    let (text, note) = bounded(text, bound);
    let ticks = "`".repeat((longest_run(&text) + 1).max(3));
    let mut out = format!("{ticks}text\n{text}\n{ticks}");
    if let Some(note) = note {
        let _ = write!(out, "\n\n({note})");
    }
    out
}

fn longest_run(text: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(data: &str, expected: Expect) {
        let mut page = Page::default();
        page.line(spans![w "reason ", d data]);
        page.quote(data, 64);
        expected.assert_eq(&page.markdown());
    }

    #[test]
    fn data_stays_data() {
        check(
            "see [here](command:evil) <img src=x> https://evil.example **bold**",
            expect![[r#"
                reason `see [here](command:evil) <img src=x> https://evil.example **bold**`

                ```text
                see [here](command:evil) <img src=x> https://evil.example **bold
                ```

                (1 KiB more; the object itself has all of it)"#]],
        );
        check(
            "a ``` b\n```\n# out",
            expect![[r#"
                reason ````a ``` b ``` # out````

                ````text
                a ``` b
                ```
                # out
                ````"#]],
        );
        check(
            "\u{1b}[31mred\u{1b}[0m \u{1b}]8;;https://evil.example\u{7}link\u{1b}]8;;\u{7} bell\u{7} turn\u{202e}ed",
            expect![[r#"
                reason `red link bell� turn�ed`

                ```text
                red link bell� turn�ed
                ```"#]],
        );
        check(
            "`",
            expect![[r#"
                reason `` ` ``

                ```text
                `
                ```"#]],
        );
        check(
            "",
            expect![[r#"
                reason (empty)

                ```text

                ```"#]],
        );
    }

    #[test]
    fn a_message_of_32_kib_is_bounded_between_characters() {
        let (text, note) = bounded(&"ü".repeat(16 * 1024), 1001);
        assert_eq!(text.len(), 1000);
        assert_eq!(note.as_deref(), Some("32 KiB more; the object itself has all of it"));
    }
}
