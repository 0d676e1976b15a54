//! From a scalar's value back to its text.

use text_size::{TextRange, TextSize};

/// Where the bytes of a scalar's value are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalarMap {
    pieces: Vec<(TextSize, TextRange)>,
}
