//! What a commit changes of what a Kustomization applies: the objects that are built of its files and of its parent's are
//! compared, so every file counts that shapes them, and none that does not.

use flux::{Kind, ObjectId};
use manifests::kustomize::{Build, Built, Id, Origin};
use manifests::{RepoPath, Value};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::compare::{Compared, compare};
use crate::content::Content;
use crate::journey::Why;
use crate::kept::BuildKey;
use crate::memo::Memo;
use crate::past::Answer;
use crate::specs::Specs;
use crate::versions::Version;
use crate::view::View;

/// What a commit changes of what a Kustomization applies.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// In the order of the build; those that are gone come last.
    pub(crate) objects: Vec<Change>,
    /// Why kustomize refuses what the commit has, if it does.
    pub(crate) refused: Option<String>,
    /// Whether it refused what was there before as well.
    pub(crate) was_refused: bool,
    /// What of it cannot be built here, if something cannot: a change of that is not seen.
    pub(crate) hidden: Option<String>,
    /// Whether a file that is read is not what it was. Looked for only where objects do not tell.
    pub(crate) touched: bool,
    /// The objects of Flux that the commit makes, changed or not.
    pub(crate) flux: Vec<Change>,
    /// The files that are read at the commit or were before it, as the repository names them.
    pub(crate) read: BTreeSet<RepoPath>,
}

/// An object that is not what it was.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) id: Id,
    pub(crate) origin: Origin,
    /// The commit has no such object any more.
    pub(crate) gone: bool,
    /// What the commit makes of an object of Flux.
    pub(crate) flux: Option<Arc<Value>>,
}

/// What was found. Commits never change, so it is kept while texts and facts come and go.
#[derive(Default)]
pub(crate) struct KnownChanges(Mutex<HashMap<Key, Arc<Changes>>>);

/// The files of both, by id, what is built of them, and whether the Kustomization was taken away.
type Key = (Arc<str>, Option<Arc<str>>, Building, Building, bool);

/// A build, and where its variables were looked for.
type Building = (BuildKey, Vec<RepoPath>);

/// How many are kept: a commit that is waited for, in a fleet.
const KEPT: usize = 10_000;

impl View<'_> {
    /// What the commit `rev` changes of what a Kustomization applies, compared with `before`; without that all of it is new.
    /// Where the commit takes the Kustomization away, that is a change of what applies it: only what was read is told.
    pub(crate) fn changes(
        &self,
        cluster: usize,
        id: &ObjectId,
        key: &BuildKey,
        rev: &Version,
        before: Option<&Version>,
    ) -> Result<Arc<Changes>, Why> {
        let files = self.known_files(rev)?;
        let files_before = before.map(|it| self.known_files(it)).transpose()?;
        let specs = match before {
            Some(before) => self.specs(cluster, id, rev, before),
            None => self.written_spec(rev, cluster, id).map_or(Specs::Live, Specs::First),
        };
        let is_taken = matches!(specs, Specs::Second(_));
        let (now, then, before) = match specs {
            Specs::Live => (self.live_spec(cluster, id), self.live_spec(cluster, id), before),
            Specs::Both(now, then) => (now, then, before),
            // It is new, and with it all that it applies.
            Specs::First(now) => (Arc::clone(&now), now, None),
            Specs::Second(then) => (Arc::clone(&then), then, before),
        };
        let index = self.inputs.repo.index;
        let building = |spec: &Value| (key.with_spec(spec), index.maps_of(spec));
        let known = (files, before.and(files_before), building(&now), building(&then), is_taken);
        if let Some(changes) = self.inputs.memo.known_changes(&known) {
            return Ok(changes);
        }
        let built = |version: &Version, spec| -> Result<Content, Why> {
            let tree = self.tree_in(version).ok_or(Why::Pending)?;
            Ok(self.build_with(version, tree, key, spec))
        };
        let now = built(rev, now)?;
        let then = before.map(|version| built(version, then)).transpose()?;
        if self.is_incomplete(rev) || before.is_some_and(|it| self.is_incomplete(it)) {
            return Err(Why::NotComparable);
        }
        let mut read = BTreeSet::new();
        for (version, content) in [(Some(rev), Some(&now)), (before, then.as_ref())] {
            let (Some(tree), Some(content)) = (version.and_then(|it| self.tree_in(it)), content) else {
                continue;
            };
            read.extend(content.build.files.keys().map(|path| content.in_repository(tree, path)));
        }
        let flux = now.build.objects.iter().filter_map(Change::of_flux).collect();
        let refused = now.build.refused().filter(|_| !is_taken).map(|it| format!("{}: {}", it.at, it.why));
        let objects = if refused.is_some() || is_taken {
            Vec::new()
        } else {
            differing(&now.build, then.as_ref().map(|it| &*it.build))
        };
        let unseen = |it: &Content| it.build.unknown.iter().any(|it| it.why.hides());
        let text = |version, path| self.tree_in(version).and_then(|tree| tree.read(path));
        let touched = (unseen(&now) || then.as_ref().is_some_and(unseen))
            && read.iter().any(|path| before.is_none_or(|it| text(rev, path) != text(it, path)));
        let hides = |it: &&manifests::kustomize::Unknown| it.why.hides() && !it.why.refuses();
        let hidden = now.build.unknown.iter().find(hides).map(|it| format!("{}: {}", it.at, it.why));
        let was_refused = then.is_some_and(|it| it.build.refused().is_some());
        let changes = Arc::new(Changes { objects, refused, was_refused, hidden, touched, flux, read });
        self.inputs.memo.note_changes(known, &changes);
        Ok(changes)
    }

    /// The id of a commit's files.
    fn known_files(&self, version: &Version) -> Result<Arc<str>, Why> {
        let Some(commit) = version.commit() else { return Err(Why::NotComparable) };
        match self.commit(commit) {
            Some(Answer::Known(known)) => Ok(known.files.id().into()),
            Some(Answer::NotInThisClone(bring)) => {
                Err(Why::NotInThisClone(flux::Revision::new(commit), bring.clone()))
            }
            None => Err(Why::Pending),
        }
    }
}

impl Changes {
    /// Whether the commit makes what was there before.
    pub(crate) fn are_none(&self) -> bool {
        self.objects.is_empty() && !self.touched && self.refused.is_some() == self.was_refused
    }
}

impl Change {
    fn of_flux(built: &Built) -> Option<Change> {
        let id = built.id()?;
        Kind::from_group_kind(&id.group, &id.kind)?;
        let flux = Some(Arc::clone(&built.value));
        Some(Change { id, origin: built.origin.clone(), gone: false, flux })
    }
}

/// The objects of two builds that are not the same.
fn differing(now: &Build, then: Option<&Build>) -> Vec<Change> {
    if then.is_some_and(|then| std::ptr::eq(now, then)) {
        return Vec::new();
    }
    // What kustomize refused was not applied.
    let then = then.filter(|it| it.refused().is_none());
    let mut found = Vec::new();
    for built in &now.objects {
        let Some(id) = built.id() else { continue };
        let before = then.and_then(|it| it.find(&id, &built.origin));
        if before.is_some_and(|it| matches!(compare(&built.value, &it.value), Compared::Same)) {
            continue;
        }
        let flux = Kind::from_group_kind(&id.group, &id.kind).map(|_| Arc::clone(&built.value));
        found.push(Change { id, origin: built.origin.clone(), gone: false, flux });
    }
    // What is not there may be made by what cannot be read.
    let is_whole = !now.unknown.iter().any(|it| it.why.hides());
    for built in then.iter().filter(|_| is_whole).flat_map(|it| &it.objects) {
        let Some(id) = built.id() else { continue };
        if now.find(&id, &built.origin).is_none() {
            found.push(Change { id, origin: built.origin.clone(), gone: true, flux: None });
        }
    }
    found
}

impl Memo {
    fn known_changes(&self, key: &Key) -> Option<Arc<Changes>> {
        self.changes.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn note_changes(&self, key: Key, changes: &Arc<Changes>) {
        let mut known = self.changes.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(key, Arc::clone(changes));
    }
}
