//! Patches of a build file: which objects each is for, and what it makes of them.

use std::sync::Arc;

use super::build::{Entry, Level, Walk};
use super::merge;
use super::object::{Built, How, Id, Selector};
use super::{Use, Why};
use crate::{FieldPath, RepoPath, Value, value};

impl Walk<'_, '_> {
    /// An entry of `patchesStrategicMerge`: a path or the patch itself.
    pub(super) fn old_strategic(&mut self, level: &Level, entry: &Entry, objects: &mut Vec<Built>) {
        let Some(text) = entry.value.as_str() else { return };
        let is_inline = text.contains('\n') || text.contains(": ");
        let patches = match is_inline {
            true => value::nested(&entry.value).unwrap_or_default(),
            false => self.patch_file(level, &entry.field, &entry.value).unwrap_or_default(),
        };
        for patch in patches {
            self.patch_untargeted(level, &entry.field, &patch, objects);
        }
    }

    /// The documents of a file that a patch names.
    fn patch_file(&mut self, level: &Level, field: &FieldPath, path: &Value) -> Option<Vec<Arc<Value>>> {
        let path = self.file_at(level, field, path, path.as_str()?, Use::Patch)?;
        Some(self.files.values(&path)?.values.iter().flatten().cloned().collect())
    }

    /// An entry of `patches` or `patchesJson6902`.
    pub(super) fn patch(&mut self, level: &Level, entry: &Entry, objects: &mut Vec<Built>) {
        let documents = match (entry.value.get("patch"), entry.value.get("path")) {
            // Flux's own `patchesJson6902` holds the operations themselves.
            (Some(patch), _) if patch.as_sequence().is_some() => Some(vec![Arc::clone(patch)]),
            (Some(patch), _) => value::nested(patch),
            (None, Some(path)) => self.patch_file(level, &entry.field.key("path"), path),
            (None, None) => None,
        };
        let target = entry.value.get("target").filter(|it| it.as_mapping().is_some());
        let selector = target.map(|it| Selector::of(it));
        let documents = documents.unwrap_or_default();
        let given =
            |key: &str| entry.value.get(key).is_some_and(|it| it.as_str() != Some("") && !it.is_null());
        let refused = if given("patch") && given("path") {
            Some("`patch` and `path` are both given")
        } else if selector.as_ref().is_some_and(Selector::is_malformed) {
            Some("the target is no regular expression")
        } else if selector.is_some() && documents.iter().filter(|it| it.as_mapping().is_some()).count() > 1 {
            Some("with a target it is to be one document")
        } else {
            None
        };
        if let Some(why) = refused {
            self.at(level, entry, Why::BadPatch(why.to_owned()));
        }
        for document in documents {
            if let Some(operations) = document.as_sequence() {
                let Some(selector) = &selector else {
                    self.at(level, entry, Why::BadPatch("a JSON patch needs a target".to_owned()));
                    continue;
                };
                self.json(level, entry, &document, operations, selector, objects);
                continue;
            }
            let Some(selector) = &selector else {
                self.patch_untargeted(level, &entry.field, &document, objects);
                continue;
            };
            let is = |key: &str| entry.value.text(&["options", key]) == Some("true");
            let (names, kinds) = (is("allowNameChange"), is("allowKindChange"));
            objects.retain_mut(|object| {
                !selector.fits(object) || apply(object, &document, &level.path, names, kinds)
            });
        }
    }

    fn json(
        &mut self,
        level: &Level,
        entry: &Entry,
        document: &Arc<Value>,
        operations: &[Arc<Value>],
        selector: &Selector,
        objects: &mut [Built],
    ) {
        for object in objects.iter_mut().filter(|it| selector.fits(it)) {
            match merge::json_patch(&object.value, operations) {
                Ok(value) => {
                    object.remember();
                    object.value = value;
                    object.shaped(document.site.as_ref(), &level.path, How::Patch);
                }
                Err(refused) => {
                    let site = operations.get(refused.operation).and_then(|it| it.site.clone());
                    let why = Why::BadPatch(refused.why);
                    self.unknown(level, &entry.field, site.as_ref(), why);
                }
            }
        }
    }

    /// A patch that says itself which object it is for.
    pub(super) fn patch_untargeted(
        &mut self,
        level: &Level,
        field: &FieldPath,
        patch: &Arc<Value>,
        objects: &mut Vec<Built>,
    ) {
        let Some(id) = Id::of(patch) else {
            let why = Why::BadPatch("it does not say which object it is for".to_owned());
            return self.unknown(level, field, patch.site.as_ref(), why);
        };
        let mut fitting = objects.iter().enumerate().filter(|(_, it)| it.is_or_was(&id)).map(|(at, _)| at);
        let (found, another) = (fitting.next(), fitting.next());
        let Some(at) = found else {
            let why = Why::NoTarget(format!("{}/{}", id.kind, id.name));
            return self.unknown(level, field, patch.site.as_ref(), why);
        };
        if another.is_some() {
            let why = Why::BadPatch(format!("more than one object is or was {}/{}", id.kind, id.name));
            self.unknown(level, field, patch.site.as_ref(), why);
        }
        if !apply(&mut objects[at], patch, &level.path, false, false) {
            objects.remove(at);
        }
    }
}

/// Applies a strategic merge patch; `false` if the object is gone.
fn apply(object: &mut Built, patch: &Arc<Value>, path: &RepoPath, names: bool, kinds: bool) -> bool {
    let keep = |key: &[&str]| object.value.dig(key).map(|it| Arc::new(it.clone()));
    let (kind, api_version) = (keep(&["kind"]), keep(&["apiVersion"]));
    let (name, namespace) = (keep(&["metadata", "name"]), keep(&["metadata", "namespace"]));
    let Some(value) = merge::strategic(&object.value, patch) else { return false };
    object.remember();
    object.value = value;
    object.shaped(patch.site.as_ref(), path, How::Patch);
    let root = Arc::make_mut(&mut object.value);
    if !kinds {
        root.set("kind", None, kind);
        root.set("apiVersion", None, api_version);
    }
    Value::change(&mut object.value, &["metadata"], false, &mut |metadata| {
        let metadata = Arc::make_mut(metadata);
        if !names {
            metadata.set("name", None, name.clone());
        }
        metadata.set("namespace", None, namespace.clone());
    });
    true
}
