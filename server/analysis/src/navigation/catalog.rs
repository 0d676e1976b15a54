//! Who is called what, and who mentions whom: an index of a whole repository, kept as its files change.

use imbl::{OrdMap, OrdSet};
use manifests::{ParsedFile, RepoPath};
use std::sync::Arc;

use super::mention::{self, What};
use crate::index::DocRef;

/// The index. Cloning is cheap.
#[derive(Clone, Default)]
pub(crate) struct Catalog {
    /// What each file was found to hold, to take it out again.
    files: OrdMap<RepoPath, Known>,
    /// Documents that are, patch or make an object.
    objects: OrdSet<(Name, DocRef)>,
    /// Documents that mention something.
    mentions: OrdSet<(Key, DocRef)>,
}

/// Kind and name; namespaces and groups are compared later, where they are told.
type Name = (Arc<str>, Arc<str>);

/// What is mentioned, as far as the text alone tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Object(Name),
    Path(RepoPath),
}

/// What was found in a file.
#[derive(Debug, Clone, Default)]
struct Known {
    /// [`manifests::Document::serial`] of each of its documents: of a long file a keystroke changes one.
    documents: Arc<[u64]>,
    /// In the order of the documents; none for those that hold nothing.
    held: Arc<[Arc<Held>]>,
}

impl Known {
    /// What a document holds, if it is the very one that was there before.
    fn of(&self, at: usize, serial: u64) -> Option<Option<&Arc<Held>>> {
        let is_known = self.documents.get(at) == Some(&serial);
        is_known.then(|| self.held.binary_search_by_key(&at, |it| it.at).ok().map(|at| &self.held[at]))
    }
}

/// What one document was found to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    at: usize,
    objects: Vec<Name>,
    mentions: Vec<Key>,
}

impl Catalog {
    /// Tells a file as it is now, or that it is gone.
    pub(crate) fn set(&mut self, path: &RepoPath, file: Option<&ParsedFile>) {
        let old = self.files.remove(path).unwrap_or_default();
        let documents = file.map(ParsedFile::documents).unwrap_or_default();
        let found = documents.iter().enumerate().filter_map(|(at, placed)| {
            match old.of(at, placed.document.serial()) {
                Some(known) => known.cloned(),
                None => {
                    let held = held(path, at, placed);
                    (!held.objects.is_empty() || !held.mentions.is_empty()).then(|| Arc::new(held))
                }
            }
        });
        let new: Arc<[Arc<Held>]> = found.collect();
        if !new.is_empty() {
            let documents = documents.iter().map(|it| it.document.serial()).collect();
            self.files.insert(path.clone(), Known { documents, held: Arc::clone(&new) });
        }
        let old = old.held;
        // Most keystrokes name nothing and nobody anew.
        let at = |held: &Held| DocRef { path: path.clone(), index: held.at };
        for held in old.iter().filter(|it| !is_among(it, &new)) {
            for name in &held.objects {
                self.objects.remove(&(name.clone(), at(held)));
            }
            for key in &held.mentions {
                self.mentions.remove(&(key.clone(), at(held)));
            }
        }
        for held in new.iter().filter(|it| !is_among(it, &old)) {
            self.objects.extend(held.objects.iter().map(|it| (it.clone(), at(held))));
            self.mentions.extend(held.mentions.iter().map(|it| (it.clone(), at(held))));
        }
    }

    /// Documents that are, patch or make an object of this kind and name.
    pub(crate) fn named(&self, kind: &str, name: &str) -> impl Iterator<Item = &DocRef> {
        let name: Name = (kind.into(), name.into());
        self.objects.range((name.clone(), first())..).take_while(move |it| it.0 == name).map(|it| &it.1)
    }

    /// All documents that are, patch or make an object of this kind (of any without one), with its kind and name.
    pub(crate) fn of_kind(&self, kind: Option<&str>) -> impl Iterator<Item = (&str, &str, &DocRef)> {
        let from: Name = (kind.unwrap_or_default().into(), "".into());
        let kind: Option<Arc<str>> = kind.map(Arc::from);
        self.objects
            .range((from, first())..)
            .take_while(move |it| kind.as_ref().is_none_or(|kind| it.0.0 == *kind))
            .map(|((kind, name), at)| (&**kind, &**name, at))
    }

    /// Documents that name an object of this kind and name.
    pub(crate) fn naming(&self, kind: &str, name: &str) -> impl Iterator<Item = &DocRef> {
        self.with(Key::Object((kind.into(), name.into())))
    }

    /// Documents that name any object of this kind.
    pub(crate) fn naming_any(&self, kind: &str) -> impl Iterator<Item = &DocRef> {
        let kind: Arc<str> = kind.into();
        let from = Key::Object((Arc::clone(&kind), "".into()));
        self.mentions
            .range((from, first())..)
            .take_while(move |(key, _)| matches!(key, Key::Object((it, _)) if *it == kind))
            .map(|it| &it.1)
    }

    /// Documents that name a file or folder.
    pub(crate) fn naming_path(&self, path: &RepoPath) -> impl Iterator<Item = &DocRef> {
        self.with(Key::Path(path.clone()))
    }

    fn with(&self, key: Key) -> impl Iterator<Item = &DocRef> {
        self.mentions.range((key.clone(), first())..).take_while(move |it| it.0 == key).map(|it| &it.1)
    }
}

/// Whether the same document holds the same in a list in the order of documents.
fn is_among(held: &Arc<Held>, all: &[Arc<Held>]) -> bool {
    let is_it = |it: &Arc<Held>| Arc::ptr_eq(it, held) || it == held;
    all.binary_search_by_key(&held.at, |it| it.at).is_ok_and(|at| all.get(at).is_some_and(is_it))
}

fn first() -> DocRef {
    DocRef { path: RepoPath::root(), index: 0 }
}

fn held(path: &RepoPath, at: usize, placed: &manifests::Placed) -> Held {
    let own = mention::objects(placed)
        .into_iter()
        .map(|(it, _)| (it.kind.as_str().into(), it.name.as_str().into()));
    let document = &placed.document;
    let made = mention::makes(path, document);
    let made = made.iter().map(|it| (it.object.kind.as_str().into(), it.object.name.as_str().into()));
    let mentions = mention::mentions(path, document).into_iter().filter_map(|it| match it.what {
        What::Object(it) => Some(Key::Object((it.kind.into(), it.name.into()))),
        What::File(path) => Some(Key::Path(path)),
        What::InSource(it) => Some(Key::Path(it.path)),
        // Whoever asks for these comes from the build.
        What::Some(_) => None,
    });
    let (mut objects, mut mentions): (Vec<Name>, Vec<Key>) = (own.chain(made).collect(), mentions.collect());
    objects.sort();
    objects.dedup();
    mentions.sort();
    mentions.dedup();
    Held { at, objects, mentions }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_what_files_said_before() {
        let path = RepoPath::new("a/kustomization.yaml").expect("a path");
        let file = |text: &str| ParsedFile::parse(text);
        let all = |it: &Catalog| (it.objects.clone(), it.mentions.clone(), it.files.len());
        let old = "resources: [web.yaml]\nsecretGenerator: [{name: token}]\n";
        let new = "resources: [db.yaml]\n";
        let (mut changed, mut fresh) = (Catalog::default(), Catalog::default());
        changed.set(&path, Some(&file(old)));
        assert_eq!(changed.objects.len(), 1);
        changed.set(&path, Some(&file(new)));
        fresh.set(&path, Some(&file(new)));
        assert_eq!(all(&changed), all(&fresh));
        changed.set(&path, None);
        assert_eq!(all(&changed), all(&Catalog::default()));
    }

    #[test]
    fn documents_that_stay_are_not_read_again_and_those_that_move_are() {
        let path = RepoPath::new("a.yaml").expect("a path");
        let map = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
        let typed = ["a b", "\na b", "a x b", "x a", "a b", "b", ""];
        let mut changed = Catalog::default();
        let mut file = ParsedFile::parse("");
        for names in typed {
            let text: Vec<String> =
                names.split(' ').map(|it| it.replace('\n', "")).map(|it| map(&it)).collect();
            let above = if names.starts_with('\n') { "\n" } else { "" };
            file = file.reparse(&(above.to_owned() + &text.join("---\n")));
            let mut fresh = Catalog::default();
            fresh.set(&path, Some(&file));
            changed.set(&path, Some(&file));
            assert_eq!((&changed.objects, &changed.mentions), (&fresh.objects, &fresh.mentions), "{names}");
        }
    }
}
