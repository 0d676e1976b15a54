//! Text and repository as documents, nodes with byte ranges, roles and identities. Pure.
//!
//! This room reads: a file's text becomes a [`ParsedFile`] of [`Document`]s, a document becomes a tree of
//! [`Node`]s whose ranges count bytes from the document's own start, and a repository (a [`Tree`]) becomes
//! what a kustomize build makes of it ([`kustomize::build()`]). It asks nobody and keeps no state but the parsed
//! text itself, so that everything here can be tested with a string.
//!
//! Invariants, checked by property tests:
//! - no input makes it panic, and no input makes it recurse deeper than a fixed limit;
//! - every range lies inside its document, on character boundaries, and inside its parent's range (what an
//!   alias points to excepted);
//! - the documents of a file tile its text, and an edit inside one document leaves the others as they were.

mod artifact;
mod decode;
mod document;
mod file;
mod identity;
pub mod kustomize;
pub mod line_index;
mod nested;
mod parser;
mod path;
mod repair;
mod repo;
mod role;
mod split;
mod stale;
mod template;
mod tree;
pub mod value;

#[cfg(any(test, feature = "fixture"))]
pub mod fixture;
#[cfg(test)]
mod tests;

pub use crate::{
    decode::{Decoded, decode},
    document::{Document, Soundness, SyntaxError},
    file::{MAX_FILE_LEN, ParsedFile, Placed},
    identity::{Identity, ListItem},
    line_index::{LineCol, LineIndex},
    nested::ScalarMap,
    path::{FieldPath, ParseFieldPathError, Segment},
    repo::{FileKind, MemoryTree, RepoPath, Tree},
    role::Role,
    tree::{Alias, Entry, Node, NodeKind, Scalar, ScalarStyle},
    value::{Site, Value},
};
pub use artifact::{LeftOut, SOURCE_IGNORE, SourceTree, is_left_out_by_default};
pub use text_size::{TextRange, TextSize};

/// A byte count as a text size. Files over [`MAX_FILE_LEN`] are never parsed, so this saturates in theory only.
fn size(bytes: usize) -> TextSize {
    TextSize::new(u32::try_from(bytes).unwrap_or(u32::MAX))
}

/// A byte range as a text range; a reversed one becomes empty at its start.
fn range(bytes: std::ops::Range<usize>) -> TextRange {
    let start = size(bytes.start);
    TextRange::new(start, size(bytes.end).max(start))
}

/// A text range as indexes for slicing.
fn bytes(range: TextRange) -> std::ops::Range<usize> {
    usize::from(range.start())..usize::from(range.end())
}
