//! What `check` found, ready to be printed: the same findings as in an editor, with places that machines and people
//! can read.

use std::ops::Range;
use std::sync::Arc;

use analysis::{Finding, Severity};
use jiff::Timestamp;
use manifests::{LineCol, LineIndex, TextRange};
use serde::Serialize;

/// Everything that `check` has to say.
#[derive(Debug, Default)]
pub struct Report {
    /// What failed, by file and place.
    pub entries: Vec<Entry>,
    /// What could not be told, and why, in sentences.
    pub unknown: Vec<String>,
    /// The newest time inside the recording, where a recording was asked.
    pub recorded_at: Option<Timestamp>,
}

/// One finding with its place.
#[derive(Debug)]
pub struct Entry {
    /// What was found.
    pub finding: Finding,
    /// Where it stands.
    pub place: Place,
    /// Where what belongs to it stands.
    pub related: Vec<(Place, String)>,
}

/// A range of a file.
#[derive(Debug, Clone)]
pub struct Place {
    /// The file, relative to the repository.
    pub file: String,
    /// Its text.
    pub text: Arc<str>,
    /// The range in bytes.
    pub bytes: Range<usize>,
    /// The range as LSP counts.
    pub range: LspRange,
}

/// A position as LSP counts: lines and UTF-16 units from 0.
#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq)]
pub struct LspPosition {
    /// The line.
    pub line: u32,
    /// UTF-16 units from the line's start.
    pub character: u32,
}

/// A range as LSP counts; the end is not in it.
#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq)]
pub struct LspRange {
    /// The first position.
    pub start: LspPosition,
    /// The position after the last.
    pub end: LspPosition,
}

impl Place {
    /// A range of bytes in a file.
    pub fn new(file: String, text: Arc<str>, range: TextRange) -> Place {
        let (start, end) = LineIndex::new(&text).range(range);
        let at = |position: LineCol| LspPosition { line: position.line, character: position.col };
        let lsp = LspRange { start: at(start), end: at(end) };
        Place { file, bytes: range.start().into()..range.end().into(), range: lsp, text }
    }
}

impl Report {
    /// How `check` ends: 1 when something failed, which outweighs 2, when something could not be told; else 0.
    pub fn exit_code(&self) -> u8 {
        if self.entries.iter().any(|entry| entry.finding.severity == Severity::Error || entry.finding.failed)
        {
            1
        } else if self.unknown.is_empty() {
            0
        } else {
            2
        }
    }

    /// Puts findings and gaps into an order that does not depend on how they were found, and drops repetitions.
    pub fn sort(&mut self) {
        self.entries.sort_by(|a, b| {
            (&a.place.file, a.place.bytes.start, &a.finding.code, &a.finding.clusters).cmp(&(
                &b.place.file,
                b.place.bytes.start,
                &b.finding.code,
                &b.finding.clusters,
            ))
        });
        self.unknown.sort();
        self.unknown.dedup();
    }
}
