//! A file as the documents it holds.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use text_size::{TextRange, TextSize};

use crate::{Document, repair, split};

/// Longest text that is parsed, in bytes. Git platforms warn at 50 MB and Kubernetes takes no object over 1.5 MB,
/// so a longer file is no manifest; reading one would only block typing.
pub const MAX_FILE_LEN: usize = 16 * 1024 * 1024;

/// How many documents a file may have. All objects of a large cluster in one file are some thousands.
const MAX_DOCUMENTS: usize = 100_000;

/// A parsed file. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ParsedFile {
    documents: Arc<[Placed]>,
    too_large: bool,
    version: u64,
}

/// Versions are never used twice.
static NEXT_VERSION: AtomicU64 = AtomicU64::new(1);

/// A document and where it starts in its file.
#[derive(Debug, Clone)]
pub struct Placed {
    /// Where the document's text starts in the file, in bytes.
    pub offset: TextSize,
    /// The document; its ranges count from [`Placed::offset`].
    pub document: Arc<Document>,
}

impl ParsedFile {
    /// Parses a text. Total: whatever cannot be read becomes a document that says so.
    pub fn parse(text: &str) -> ParsedFile {
        ParsedFile { documents: Arc::from([]), too_large: false, version: 0 }.reparse(text)
    }

    /// Parses the text that this file has after an edit. Documents whose text is unchanged are reused; one that
    /// cannot be read keeps its last good tree.
    pub fn reparse(&self, text: &str) -> ParsedFile {
        let version = NEXT_VERSION.fetch_add(1, Ordering::Relaxed);
        let too_large = || ParsedFile { documents: Arc::from([]), too_large: true, version };
        if text.len() > MAX_FILE_LEN {
            return too_large();
        }
        let chunks = split::documents(text);
        if chunks.len() > MAX_DOCUMENTS {
            return too_large();
        }
        let old = &self.documents;
        let same =
            |(placed, chunk): &(&Placed, &Range<usize>)| placed.document.text() == &text[(*chunk).clone()];
        // What an edit leaves alone is at both ends, and comparing is cheaper than looking up.
        let before = old.iter().zip(&chunks).take_while(same).count();
        let (old_rest, new_rest) = (&old[before..], &chunks[before..]);
        let behind = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(same).count();
        let changed = before..chunks.len() - behind;
        let old_changed = &old[before..old.len() - behind];
        let known: HashMap<&str, &Placed> = old_changed.iter().map(|it| (it.document.text(), it)).collect();
        let document = |index: usize| {
            if index < changed.start {
                return Arc::clone(&old[index].document);
            }
            if index >= changed.end {
                return Arc::clone(&old[index + old.len() - chunks.len()].document);
            }
            let text = &text[chunks[index].clone()];
            if let Some(placed) = known.get(text) {
                return Arc::clone(&placed.document);
            }
            // Only where each changed document is certain to be the one that stood there: otherwise a marker line
            // came or went, and a tree must not move to another document.
            let earlier =
                old_changed.get(index - changed.start).filter(|_| old_changed.len() == changed.len());
            Arc::new(repair::read(text, earlier.map(|it| &*it.document)))
        };
        let place =
            |index: usize| Placed { offset: crate::size(chunks[index].start), document: document(index) };
        ParsedFile { documents: (0..chunks.len()).map(place).collect(), too_large: false, version }
    }

    /// The documents in order; they tile the text. Empty only for a file that is too large.
    pub fn documents(&self) -> &[Placed] {
        &self.documents
    }

    /// The document that an offset of the file lies in; the last one for an offset at or behind the end.
    pub fn document_at(&self, offset: TextSize) -> Option<&Placed> {
        let behind = self.documents.partition_point(|it| it.offset <= offset);
        self.documents.get(behind.checked_sub(1)?)
    }

    /// Another number for each text that was parsed; its clones have the same.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether the text is longer than [`MAX_FILE_LEN`] (or has absurdly many documents) and was not read.
    pub fn too_large(&self) -> bool {
        self.too_large
    }
}

impl Placed {
    /// A range of the document as one of the file.
    pub fn in_file(&self, range: TextRange) -> TextRange {
        range.checked_add(self.offset).unwrap_or(range)
    }

    /// An offset of the file as one of the document; `None` if it lies before or behind it.
    pub fn in_document(&self, offset: TextSize) -> Option<TextSize> {
        offset.checked_sub(self.offset).filter(|it| *it <= self.document.text_len)
    }

    /// The whole document as a range of the file.
    pub fn range(&self) -> TextRange {
        TextRange::at(self.offset, self.document.text_len)
    }
}
