//! How the objects of a level come together: each has a name of its own.

use std::collections::HashSet;
use std::ops::{Deref, DerefMut};

use super::build::{Level, Walk};
use super::generate;
use super::object::{Behavior, Built, How, Id, Origin, Shaper};
use super::{Unknown, Why};
use crate::{FieldPath, Site};

/// How many objects a build may have.
const MAX_OBJECTS: usize = 50_000;

/// The objects of a level so far. A level has hundreds, each of which is added on the condition that no other has its name.
#[derive(Default)]
pub(super) struct Objects {
    all: Vec<Built>,
    /// What they are called; none while anybody may have renamed one.
    named: Option<HashSet<Id>>,
}

impl Objects {
    /// Whether there is one of this [`comparable`] name.
    fn has(&mut self, id: &Id) -> bool {
        let all = &self.all;
        let named = self
            .named
            .get_or_insert_with(|| all.iter().filter_map(|it| Some(comparable(it.id()?))).collect());
        named.contains(id)
    }

    /// Adds one of this [`comparable`] name.
    fn add(&mut self, id: Id, object: Built) {
        if let Some(named) = &mut self.named {
            named.insert(id);
        }
        self.all.push(object);
    }

    pub(super) fn into_all(self) -> Vec<Built> {
        self.all
    }
}

impl Deref for Objects {
    type Target = Vec<Built>;

    fn deref(&self) -> &Vec<Built> {
        &self.all
    }
}

impl DerefMut for Objects {
    fn deref_mut(&mut self) -> &mut Vec<Built> {
        self.named = None;
        &mut self.all
    }
}

impl Walk<'_, '_> {
    pub(super) fn add_all(
        &mut self,
        level: &Level,
        field: &FieldPath,
        site: Option<&Site>,
        found: Vec<Built>,
        objects: &mut Objects,
    ) {
        for object in found {
            if objects.len() >= MAX_OBJECTS {
                self.full = true;
                return self.unknown(level, field, site, Why::TooMany(level.dir.clone()));
            }
            let Some(id) = object.id().map(comparable) else { continue };
            if objects.has(&id) {
                self.unknown(level, field, site, Why::Duplicate(format!("{}/{}", id.kind, id.name)));
                // Of two documents either may be meant; the same one twice is only there once.
                if objects.iter().any(|it| it.origin == object.origin) {
                    continue;
                }
            }
            objects.add(id, object);
        }
    }

    /// A generated object joins the others, or changes one that has its name.
    pub(super) fn absorb(&mut self, level: &Level, mut object: Built, objects: &mut Objects) {
        let Some(id) = object.id() else { return };
        let name = || format!("{}/{}", id.kind, id.name);
        let at = objects.iter().position(|it| it.is_or_was(&id));
        let field = match &object.origin {
            Origin::Generated { field, .. } => field.clone(),
            Origin::Document { .. } => FieldPath::root(),
        };
        match (at, object.behavior) {
            (None, Behavior::Create) => objects.push(object),
            (None, _) => self.unknown(level, &field, None, Why::NoTarget(name())),
            (Some(_), Behavior::Create) => self.unknown(level, &field, None, Why::Duplicate(name())),
            (Some(at), behavior) => {
                let old = &objects[at];
                generate::take_over(&mut object, old, behavior == Behavior::Merge);
                if behavior == Behavior::Merge {
                    let mut shaped_by = old.shaped_by.clone();
                    shaped_by.push(Shaper {
                        path: level.path.clone(),
                        site: level.file.as_ref().and_then(|it| it.at(&field)?.site.clone()),
                        how: How::GeneratorInput,
                    });
                    shaped_by.append(&mut object.shaped_by);
                    object.shaped_by = shaped_by;
                    object.origin = old.origin.clone();
                }
                object.earlier = old.earlier.clone();
                // Each of the two can say no (`Resource.CopyMergeMetaDataFieldsFrom`); a plain document has never asked.
                object.needs_hash &= old.needs_hash;
                objects[at] = object;
            }
        }
    }

    /// Says which objects have become one of another's name; kustomize refuses them. What a plugin or a replacement may
    /// have renamed is not counted.
    pub(super) fn ends_as_one<'o>(
        &mut self,
        level: &Level,
        key: &str,
        site: Option<&Site>,
        objects: impl Iterator<Item = &'o Built>,
    ) {
        let mut seen = HashSet::new();
        let is_sure =
            |it: &&Built| !it.shaped_by.iter().any(|it| matches!(it.how, How::Plugin | How::Replacement));
        for id in objects.filter(is_sure).filter_map(|it| it.id().map(comparable)) {
            let name = format!("{}/{}", id.kind, id.name);
            let is_told = |it: &Unknown| matches!(&it.why, Why::Duplicate(told) if *told == name);
            if !seen.insert(id) && !self.build.unknown.iter().any(is_told) {
                self.unknown(level, &FieldPath::root().key(key), site, Why::Duplicate(name));
            }
        }
    }
}

/// Objects that differ in nothing that kustomize compares.
fn comparable(mut id: Id) -> Id {
    let namespace = id.effective_namespace();
    if id.namespace.as_deref() != Some(namespace) {
        id.namespace = Some(namespace.into());
    }
    id
}
