//! Reading the objects of a Kubernetes `List`, as `kubectl get -o json` and our own `snapshot` write it.

use jiff::Timestamp;
use serde_json::Value;

use crate::{NotFlux, Object};

/// What was in a list.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The Flux objects.
    pub objects: Vec<Object>,
    /// The newest time inside them: when the list was recorded, at the earliest.
    pub newest: Option<Timestamp>,
    /// What was left out, and why. Secrets are dropped without being looked at.
    pub skipped: Vec<Skipped>,
}

/// Something in a list that is no Flux object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its place in the list, from 0.
    pub index: usize,
    /// Why it was left out.
    pub why: NotFlux,
}

/// Why a text is no list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It is not JSON.
    #[error("the file is not JSON ({0}); write it with `fluxcd-ls snapshot` or `kubectl get -o json`")]
    NotJson(#[from] serde_json::Error),
    /// It is JSON of another shape.
    #[error(
        "the file holds neither a Kubernetes List nor an object; write it with `fluxcd-ls snapshot` or `kubectl get -o json`"
    )]
    NotAList,
}

/// Reads a list, a bare object, or a mapping with `items` and nothing else.
pub fn read(text: &[u8]) -> Result<Listing, ListError> {
    let value: Value = serde_json::from_slice(text)?;
    let mut listing = Listing::default();
    let single = [value.clone()];
    let items = match value.get("items") {
        Some(Value::Array(items)) => items.as_slice(),
        _ => &single,
    };
    for (index, item) in items.iter().enumerate() {
        match Object::read(item) {
            Ok(object) => {
                listing.newest = listing.newest.max(object.meta.newest);
                listing.objects.push(object);
            }
            Err(why) => listing.skipped.push(Skipped { index, why }),
        }
    }
    Ok(listing)
}
