//! Where in the object's own document a failure belongs.

use crate::{Object, Verdict};

/// Who can do something about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The text is wrong.
    Author,
    /// The cluster, a network or a quota is the trouble: nothing to underline in the text but the name of
    /// the Flux object, as a warning.
    Cluster,
}

/// A field of a Flux object at which a failure stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRef {
    /// `spec.dependsOn[1].name`, with the index that it has in the live spec.
    pub path: String,
    /// Who can do something about it.
    pub side: Side,
    /// The shape of the message in the catalogue (`K7`), if it is a known one.
    pub shape: Option<&'static str>,
}

/// The field of the object's own spec at which its failure stands; `metadata.name` if no better one is known.
pub fn failure_field(_object: &Object, verdict: &Verdict) -> FieldRef {
    FieldRef { path: "metadata.name".to_owned(), side: side(&verdict.message), shape: None }
}

/// Whether a message speaks of trouble of the cluster, a network or a quota, not of the text.
pub fn side(_message: &str) -> Side {
    Side::Author
}
