//! What of a value was changed since another state of it.

use manifests::value::{Data, Member};
use manifests::{Site, Value};
use std::sync::Arc;

use super::walk::Point;
use crate::compare::{DEPTH, same_text};

/// What of a value is not what it was.
pub(super) enum Change<'v> {
    /// A scalar or a list that was another one, or something that was not there.
    Is(Point<'v>),
    /// Something was taken out of this mapping, with where it was written then.
    Gone { from: Point<'v>, was: Option<Site> },
}

/// What of a value is not what it was, in its order; what was taken out of a mapping last. What `but` names may change: keys
/// below the value, joined by dots.
pub(super) fn changed<'v>(now: Point<'v>, then: &Arc<Value>, but: &[String]) -> Vec<Change<'v>> {
    let mut found = Vec::new();
    Changes { but, found: &mut found }.compare(now, then, "", DEPTH);
    found
}

struct Changes<'a, 'v> {
    but: &'a [String],
    found: &'a mut Vec<Change<'v>>,
}

impl<'v> Changes<'_, 'v> {
    fn compare(&mut self, now: Point<'v>, then: &Arc<Value>, path: &str, depth: u32) {
        // What is as deep as this is not told apart: the value that holds it was changed.
        let Some(depth) = depth.checked_sub(1) else { return self.found.push(Change::Is(now)) };
        match (&now.value.data, &then.data) {
            (Data::Mapping(members), Data::Mapping(were)) => {
                for member in members {
                    let point = Point { value: &member.value, member: Some(member) };
                    let path = below(path, &member.key);
                    match then.member(&member.key) {
                        _ if self.may(&path) => {}
                        Some(then) => self.compare(point, &then.value, &path, depth),
                        None => self.found.push(Change::Is(point)),
                    }
                }
                for gone in were.iter().filter(|it| now.value.member(&it.key).is_none()) {
                    if !self.may(&below(path, &gone.key)) {
                        let was = gone.value.site.clone().or_else(|| gone.site.clone());
                        self.found.push(Change::Gone { from: now, was });
                    }
                }
            }
            (Data::Sequence(items), Data::Sequence(were)) => match pairs(items, were) {
                Some(pairs) => {
                    for (item, then) in pairs {
                        let point = Point { value: item, member: None };
                        match then {
                            Some(then) => self.compare(point, then, path, depth),
                            None => self.found.push(Change::Is(point)),
                        }
                    }
                }
                None => self.found.push(Change::Is(now)),
            },
            (Data::Scalar(one), Data::Scalar(two)) => {
                if same_text(one, two) == Some(false) {
                    self.found.push(Change::Is(now));
                }
            }
            _ => self.found.push(Change::Is(now)),
        }
    }

    fn may(&self, path: &str) -> bool {
        self.but.iter().any(|it| it == path)
    }
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// An item, and the one that it was.
type Pair<'v, 't> = (&'v Arc<Value>, Option<&'t Arc<Value>>);

/// Which items of a list are which of another one, by their names if they have such, else by their places. `None` where that
/// cannot be told, or one is gone.
fn pairs<'v, 't>(items: &'v [Arc<Value>], were: &'t [Arc<Value>]) -> Option<Vec<Pair<'v, 't>>> {
    let name = |it: &Arc<Value>| it.text(&["name"]).map(str::to_owned);
    let (named, were_named): (Vec<_>, Vec<_>) =
        (items.iter().map(name).collect(), were.iter().map(name).collect());
    if named.iter().chain(&were_named).all(Option::is_some) {
        let is_there = |it| named.contains(it);
        let find = |it: &Option<String>| were.get(were_named.iter().position(|other| other == it)?);
        let all_there = were_named.iter().all(is_there);
        return all_there.then(|| items.iter().zip(named.iter().map(find)).collect());
    }
    (items.len() == were.len()).then(|| items.iter().zip(were.iter().map(Some)).collect())
}

/// The scalars of a value that were all written in one document which is not the one of its key: a patch that replaces what a
/// base says. Empty if that is not so.
pub(super) fn set_elsewhere<'v>(point: Point<'v>) -> Vec<Point<'v>> {
    let document = |it: &Site| (it.path().clone(), it.document_index());
    let Some(own) = point.member.and_then(|it| it.site.as_ref()).map(document) else { return Vec::new() };
    let mut found = Vec::new();
    scalars(point, &mut found, DEPTH);
    let mut of: Vec<_> = found.iter().map(|it| it.value.site.as_ref().map(document)).collect();
    of.dedup();
    match of.as_slice() {
        [Some(one)] if *one != own => found,
        _ => Vec::new(),
    }
}

fn scalars<'v>(point: Point<'v>, found: &mut Vec<Point<'v>>, depth: u32) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match &point.value.data {
        Data::Scalar(_) => found.push(point),
        Data::Mapping(members) => {
            for member in members {
                scalars(Point { value: &member.value, member: Some(member) }, found, depth);
            }
        }
        Data::Sequence(items) => {
            for item in items {
                scalars(Point { value: item, member: None }, found, depth);
            }
        }
    }
}

/// The labels of an object's template that its selector asks for with another value, and what asks for each.
pub(super) fn not_selected<'v>(object: &'v Value, labels: Point<'v>) -> Vec<(Point<'v>, &'v Member)> {
    let wanted = object.dig(&["spec", "selector", "matchLabels"]).and_then(|it| it.as_mapping());
    let wrong = wanted.unwrap_or_default().iter().filter_map(|wanted| {
        let member = labels.value.member(&wanted.key)?;
        let differs = member
            .value
            .as_text()
            .zip(wanted.value.as_text())
            .is_some_and(|(a, b)| same_text(a, b) == Some(false));
        differs.then_some((Point { value: &member.value, member: Some(member) }, wanted))
    });
    wrong.collect()
}
