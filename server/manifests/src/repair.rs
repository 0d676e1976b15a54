//! Reading a document.
use crate::{Document, Soundness, document::Notes};

pub(crate) fn read(text: &str, _earlier: Option<&Document>) -> Document {
    Document::new(text, None, Soundness::Broken, Notes::default())
}
