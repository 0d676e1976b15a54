//! Where in the text something stands (design 2.4, as far as Flux objects need it).

use flux::{FieldRef, Object, ObjectId, Reference};
use manifests::{Document, FieldPath, Node, NodeKind, Placed, RepoPath, Segment, TextRange};
use serde_json::Value;

use crate::index::{field, flux_object};
use crate::json::json;
use crate::view::View;

/// A place in a file of this repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: RepoPath,
    pub(crate) range: TextRange,
}

/// Where a field of the live object is written in a document, in bytes of the document: the field itself, else the key
/// of what encloses it, else the object's name. List items are found by their name: a parent's patch may have
/// prepended others.
pub(crate) fn field_range(document: &Document, live: &Object, path: &str) -> Option<TextRange> {
    let (_, identity) = flux_object(document)?;
    let live_path = field(path);
    let own = by_name(document, live, path, &live_path).unwrap_or(live_path);
    if let Some(node) = document.get(&own) {
        return Some(mark(document, &own, node));
    }
    // What encloses the missing field, if that says more than the object's name.
    let (nearest, node) = document.nearest(&own)?;
    if nearest.segments().len() >= 2 {
        return Some(mark(document, &nearest, node));
    }
    Some(identity.name_range)
}

/// [`field_range`], of what a failure says: of a field whose name is wrong the key.
pub(crate) fn failure_range(document: &Document, live: &Object, at: &FieldRef) -> Option<TextRange> {
    let entry = if at.is_key { document.entry(&field(&at.path)) } else { None };
    entry.map(|it| it.key.range).or_else(|| field_range(document, live, &at.path))
}

/// One line: a scalar's text, for all else its key.
fn mark(document: &Document, path: &FieldPath, node: &Node) -> TextRange {
    let one_line = |range: TextRange| !document.slice(range).contains('\n');
    match (&node.kind, document.entry(path)) {
        (NodeKind::Scalar(_) | NodeKind::Alias(_), _) if !node.range.is_empty() && one_line(node.range) => {
            node.range
        }
        (_, Some(entry)) => entry.key.range,
        (_, None) if one_line(node.range) => node.range,
        (_, None) => {
            let first = document.slice(node.range).find('\n').unwrap_or_default();
            TextRange::at(node.range.start(), u32::try_from(first).unwrap_or_default().into())
        }
    }
}

/// The same path with the place that a list's item has in the document. `None` if the path has no such list.
fn by_name(document: &Document, live: &Object, path: &str, live_path: &FieldPath) -> Option<FieldPath> {
    let reference = live.references().iter().find(|it| {
        let item = it.field.strip_suffix(".name").unwrap_or(&it.field);
        path == &*it.field || path.starts_with(item)
    })?;
    let at = live_path.segments().iter().position(|it| matches!(it, Segment::Index(_)))?;
    let list: FieldPath = live_path.segments().iter().take(at).cloned().collect();
    let items = document.get(&list)?.as_sequence()?;
    let is_it = |item: &&Node| item.get("name").and_then(Node::as_str) == Some(&reference.target.name);
    let index = items.iter().position(|item| is_it(&item))?;
    let rest: FieldPath = live_path.segments().iter().skip(at + 1).cloned().collect();
    Some(list.index(index).join(&rest))
}

/// The fields of a document that name other Flux objects, with their ranges in the document.
pub(crate) fn references(placed: &Placed, namespace: &str) -> Vec<(Reference, TextRange)> {
    let Some(value) = manifests::value::of_document(&RepoPath::root(), 0, placed) else { return Vec::new() };
    let mut value = json(&value, 32);
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("namespace".to_owned(), Value::String(namespace.to_owned()));
    }
    let Ok(object) = Object::from_json(value) else { return Vec::new() };
    object
        .references()
        .iter()
        .filter_map(|reference| {
            let node = placed.document.get(&field(&reference.field))?;
            Some((reference.clone(), node.range))
        })
        .collect()
}

impl View<'_> {
    /// Where in this repository to go for an object: the node that failed, else its name. Looked up once.
    pub(crate) fn cause_place(&self, cluster: usize, object: &ObjectId) -> Option<Place> {
        let key = (cluster, object.clone());
        if let Some(known) = self.places.borrow().get(&key) {
            return known.clone();
        }
        let place = match self.first_spot(cluster, object) {
            Some(spot) => Some(Place { path: spot.path, range: spot.range }),
            None => self.place_of(cluster, object, false).map(|(at, placed)| Place {
                path: at.path,
                range: self.failure_range(cluster, object, placed),
            }),
        };
        self.places.borrow_mut().insert(key, place.clone());
        place
    }

    /// Where an object's own failure stands in its document, in bytes of the file.
    pub(crate) fn failure_range(&self, cluster: usize, object: &ObjectId, placed: &Placed) -> TextRange {
        let document = &placed.document;
        let name = flux_object(document).map(|(_, identity)| identity.name_range).unwrap_or_default();
        let live = self.facts(cluster).get(object);
        let range = match (live, self.verdict(cluster, object)) {
            (Some(live), Some(verdict)) if verdict.failure.is_some() => {
                failure_range(document, live, &flux::failure_field(live, &verdict))
            }
            _ => None,
        };
        placed.in_file(range.unwrap_or(name))
    }
}
