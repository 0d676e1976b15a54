//! Bytes from a disk or a git tree as text.

/// Bytes as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text; a byte order mark is kept, so that offsets are those of the file.
    pub text: String,
    /// Whether some bytes were no UTF-8 and were replaced by U+FFFD. Offsets behind the first one of them are
    /// not those of the file, and the text must never be written back.
    pub lossy: bool,
}

/// Reads UTF-8; what is none is replaced, and told.
pub fn decode(bytes: Vec<u8>) -> Decoded {
    match String::from_utf8(bytes) {
        Ok(text) => Decoded { text, lossy: false },
        Err(error) => Decoded { text: String::from_utf8_lossy(error.as_bytes()).into_owned(), lossy: true },
    }
}
