//! Which object of a build is called what. For builds that are ready: what is added to [`Build::objects`] later is not found.

use std::collections::HashMap;
use std::sync::Arc;

use super::build::Build;
use super::object::{Built, Id, Origin};
use crate::Value;

/// The objects of a build by their names.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    ids: Vec<Option<Id>>,
    exact: HashMap<Name, usize>,
    /// By kind and name: as it is, and as it is written where variables made it.
    alike: HashMap<(Arc<str>, Arc<str>), Vec<usize>>,
    /// Those whose names are not wholly known.
    patterns: Vec<usize>,
}

/// Group, kind, namespace and name: what an object is called whatever its version.
type Name = (Arc<str>, Arc<str>, Option<Arc<str>>, Arc<str>);

fn name(id: Id) -> Name {
    (id.group, id.kind, id.namespace, id.name)
}

impl Names {
    fn of(objects: &[Built]) -> Names {
        let mut names = Names::default();
        for (at, object) in objects.iter().enumerate() {
            let id = object.id();
            if let Some(id) = &id {
                names.exact.entry(name(id.clone())).or_insert(at);
                let mut alike = |name: &Arc<str>| {
                    names.alike.entry((Arc::clone(&id.kind), Arc::clone(name))).or_default().push(at);
                };
                alike(&id.name);
                match object.written_name() {
                    Some(written) if *written != id.name => alike(written),
                    _ => {}
                }
                if id.has_pattern_name() {
                    names.patterns.push(at);
                }
            }
            names.ids.push(id);
        }
        names
    }
}

impl Build {
    fn names(&self) -> &Names {
        self.names.get_or_init(|| Names::of(&self.objects))
    }

    /// An object by what it is called, its version aside; one that is generated also by its generator, for its name
    /// changes with its content.
    pub fn find(&self, id: &Id, origin: &Origin) -> Option<&Built> {
        let named = self.names().exact.get(&name(id.clone())).and_then(|at| self.objects.get(*at));
        let is_generated = matches!(origin, Origin::Generated { .. });
        named.or_else(|| self.objects.iter().find(|it| is_generated && it.origin == *origin))
    }

    /// The objects of a kind that have this name, are written with it (before variables were replaced), or may have it
    /// because theirs is not wholly known; each once, with where it is in [`Build::objects`].
    pub fn named(&self, kind: &str, name: &str) -> impl Iterator<Item = (usize, &Id, &Built)> {
        let names = self.names();
        let alike = names.alike.get(&(kind.into(), name.into())).map_or(&[][..], Vec::as_slice);
        let patterns = names.patterns.iter().filter(|it| !alike.contains(it));
        alike.iter().chain(patterns).filter_map(move |at| {
            let (id, object) = (names.ids.get(*at)?.as_ref()?, self.objects.get(*at)?);
            let is_it = *id.kind == *kind
                && (id.may_be_named(name) || object.written_name().is_some_and(|it| **it == *name));
            is_it.then_some((*at, id, object))
        })
    }
}

impl Built {
    /// The name as it is written, where variables made another one of it.
    pub fn written_name(&self) -> Option<&Arc<str>> {
        let text = self.value.dig(&["metadata", "name"]).and_then(Value::as_text)?;
        Some(&text.made.as_ref()?.written)
    }
}
