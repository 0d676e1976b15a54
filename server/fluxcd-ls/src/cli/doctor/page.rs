//! What `doctor` prints.

use std::fmt::Write as _;

/// The page that is being written: what was found, line by line, and whether all of it is well.
#[derive(Default)]
pub(super) struct Page {
    pub(super) text: String,
    pub(super) troubles: usize,
}

impl Page {
    pub(super) fn title(&mut self, title: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let _ = writeln!(self.text, "{title}");
    }

    pub(super) fn well(&mut self, text: impl std::fmt::Display) {
        let _ = writeln!(self.text, "  ok    {text}");
    }

    /// Nothing wrong, but good to know.
    pub(super) fn note(&mut self, text: impl std::fmt::Display) {
        let _ = writeln!(self.text, "  note  {text}");
    }

    /// What is wrong, with what to do about it.
    pub(super) fn trouble(&mut self, text: impl std::fmt::Display, what_to_do: &str) {
        self.troubles += 1;
        let _ = writeln!(self.text, "  WRONG {text}");
        let _ = writeln!(self.text, "        {what_to_do}");
    }
}
