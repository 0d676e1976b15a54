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
    files: OrdMap<RepoPath, Arc<[Held]>>,
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
        let new: Arc<[Held]> = file
            .into_iter()
            .flat_map(|file| file.documents().iter().enumerate())
            .map(|(at, placed)| held(path, at, placed))
            .filter(|it| !it.objects.is_empty() || !it.mentions.is_empty())
            .collect();
        let old = if new.is_empty() {
            self.files.remove(path)
        } else {
            self.files.insert(path.clone(), Arc::clone(&new))
        };
        let old = old.unwrap_or_default();
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
fn is_among(held: &Held, all: &[Held]) -> bool {
    all.binary_search_by_key(&held.at, |it| it.at).is_ok_and(|at| all.get(at) == Some(held))
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
}
