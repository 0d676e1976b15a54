//! A file as the documents it holds.

use std::{collections::HashMap, sync::Arc};

use text_size::{TextRange, TextSize};

use crate::{Document, repair, split};

/// Longest text that is parsed, in bytes. Git platforms warn at 50 MB and Kubernetes takes no object over 1.5 MB,
/// so a longer file is no manifest; reading one would only block typing.
pub const MAX_FILE_LEN: usize = 16 * 1024 * 1024;

/// A parsed file. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ParsedFile {
    documents: Arc<[Placed]>,
    too_large: bool,
}

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
        ParsedFile { documents: Arc::from([]), too_large: false }.reparse(text)
    }

    /// Parses the text that this file has after an edit. Documents whose text is unchanged are reused; one that
    /// cannot be read keeps its last good tree.
    pub fn reparse(&self, text: &str) -> ParsedFile {
        if text.len() > MAX_FILE_LEN {
            return ParsedFile { documents: Arc::from([]), too_large: true };
        }
        let chunks = split::documents(text);
        let mut known: HashMap<&str, Arc<Document>> = HashMap::new();
        for placed in self.documents.iter() {
            known.entry(placed.document.text()).or_insert_with(|| Arc::clone(&placed.document));
        }
        let earlier = self.predecessors(text, &chunks);
        let place = |(index, chunk): (usize, &std::ops::Range<usize>)| {
            let text = &text[chunk.clone()];
            let reused = known.get(text).cloned();
            let document = reused.unwrap_or_else(|| {
                Arc::new(repair::read(text, earlier.get(index).and_then(|it| it.as_deref())))
            });
            Placed { offset: crate::size(chunk.start), document }
        };
        ParsedFile { documents: chunks.iter().enumerate().map(place).collect(), too_large: false }
    }

    /// For each new document the old one that it was, where that is certain: unchanged documents at both ends are
    /// taken away, and what is left must be as many as before. Otherwise a marker line came or went, and a tree
    /// must not move to another document.
    fn predecessors(&self, text: &str, chunks: &[std::ops::Range<usize>]) -> Vec<Option<Arc<Document>>> {
        let old = &self.documents;
        if old.len() != chunks.len() {
            return Vec::new();
        }
        let changed = |(placed, chunk): (&Placed, &std::ops::Range<usize>)| {
            let same = placed.document.text() == &text[chunk.clone()];
            (!same).then(|| Arc::clone(&placed.document))
        };
        old.iter().zip(chunks).map(changed).collect()
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

    /// Whether the text is longer than [`MAX_FILE_LEN`] and was not read.
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
