//! Which text a state is about: the one in front of the user, or an earlier one. (How far a text has come is the
//! question of `journey`.)

use flux::{ObjectId, Revision, Verdict};
use manifests::{Document, ParsedFile, RepoPath};
use std::sync::Arc;

use crate::compare::{Counterparts, live_holds, same_document};
use crate::past::Answer;
use crate::versions::Version;
use crate::view::{Standing, View};

/// How the text in front of the user and the one that a state is about compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// They say the same.
    Same,
    /// They do not.
    Changed(Pushed),
    /// The live spec does not hold what is written, and history does not tell why.
    Differs,
    /// Nothing tells.
    Unknown,
}

/// Whether the text in front of the user is in the branch that the source follows, as of the last fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    Yes,
    No,
    Unknown,
}

impl Text {
    /// Whether a state is about another text, as far as can be told.
    pub(crate) fn is_other(self) -> bool {
        matches!(self, Self::Changed(_) | Self::Differs)
    }
}

impl<'a> View<'a> {
    /// Compares the text with the one that an object's state is about: the document at the revision that the
    /// object's applier applied, and at the one that the object failed at.
    pub(crate) fn text(
        &self,
        standing: &Standing,
        path: &RepoPath,
        document: &Document,
        verdict: Option<&Verdict>,
    ) -> Text {
        let mut revisions: Vec<(ObjectId, Revision)> = Vec::new();
        if let Some(applier) = &standing.applier
            && let Some(applied) =
                self.verdict(standing.cluster, &applier.id).and_then(|it| it.applied.clone())
        {
            revisions.push((applier.id.clone(), applied));
        }
        if let Some(failed) = verdict.and_then(|it| it.failed_at.clone()) {
            revisions.push((standing.object.clone(), failed));
        }
        let mut same = false;
        for (object, revision) in &revisions {
            match self.then(standing.cluster, object, revision, path, document) {
                Some(true) => same = true,
                Some(false) => {
                    return Text::Changed(self.pushed(standing.cluster, object, path, document));
                }
                None => {}
            }
        }
        if same {
            return Text::Same;
        }
        match &standing.live {
            // A patch is never all of a spec, nor is what a patch has changed.
            Some(live) if !standing.patch && live_holds(document, &live.raw_spec()) => Text::Same,
            Some(_) if !standing.patch => Text::Differs,
            _ => Text::Unknown,
        }
    }

    /// Whether the document was the same at a revision. `None` if that cannot be told.
    pub(crate) fn then(
        &self,
        cluster: usize,
        of: &ObjectId,
        revision: &Revision,
        path: &RepoPath,
        document: &Document,
    ) -> Option<bool> {
        // Revisions of other repositories are not in this clone.
        self.derived[cluster].binding.deliveries.of(of)?;
        self.same_at(revision.commit()?, path, document)
    }

    fn same_at(&self, commit: &str, path: &RepoPath, document: &Document) -> Option<bool> {
        let then = self.counterpart(&Version::of(commit), path, document)?;
        Some(then.is_some_and(|then| same_document(&then, document)))
    }

    /// What a document was in a version of its file; `Some(None)` where it was not there. `None` if that cannot be told (yet).
    pub(crate) fn counterpart(
        &self,
        version: &Version,
        path: &RepoPath,
        document: &Document,
    ) -> Option<Option<Arc<Document>>> {
        let key = (version.clone(), path.clone());
        if let Some(known) = self.counterparts.borrow().get(&key) {
            return Some(known.of(document).cloned());
        }
        let file = match version.commit() {
            Some(commit) => self.file_at(commit, path)?,
            None => self.tree_in(version)?.parsed(path),
        };
        let Some(file) = file else { return Some(None) };
        let then = Counterparts::new(&file);
        let found = then.of(document).cloned();
        self.counterparts.borrow_mut().insert(key, then);
        Some(found)
    }

    /// A file at a commit; `None` if that cannot be told (yet).
    pub(crate) fn file_at(&self, commit: &str, path: &RepoPath) -> Option<Option<ParsedFile>> {
        match self.inputs.past.file(commit, path) {
            None => {
                self.lack(|lacks| lacks.commits.insert(commit.to_owned()));
                None
            }
            Some(Answer::NotInThisClone(_)) => None,
            Some(Answer::Known(file)) => Some(file),
        }
    }

    /// Whether the branch that the source follows has this text, as of the last fetch.
    pub(crate) fn pushed(
        &self,
        cluster: usize,
        of: &ObjectId,
        path: &RepoPath,
        document: &Document,
    ) -> Pushed {
        let Some(commit) = self.followed(cluster, of) else { return Pushed::Unknown };
        match self.same_at(&commit, path, document) {
            Some(true) => Pushed::Yes,
            Some(false) => Pushed::No,
            None => Pushed::Unknown,
        }
    }

    /// The commit at the tip of the branch that an object's source follows, as of the last fetch.
    pub(crate) fn followed(&self, cluster: usize, of: &ObjectId) -> Option<String> {
        Some(self.way(cluster, of)?.tip.as_ref()?.1.commit.clone())
    }

    /// Whether this clone has the commits that an object's state is about. Only then a ✓ is more than hearsay.
    pub(crate) fn has_commits(&self, standing: &Standing, verdict: &Verdict) -> bool {
        let mut all = true;
        let own = verdict.applied.as_ref().map(|it| (&standing.object, it.clone()));
        let applier = standing.applier.as_ref().and_then(|it| {
            let applied = self.verdict(standing.cluster, &it.id)?.applied.clone()?;
            Some((&it.id, applied))
        });
        for (object, revision) in own.into_iter().chain(applier) {
            if self.derived[standing.cluster].binding.deliveries.of(object).is_none() {
                continue;
            }
            if let Some(commit) = revision.commit() {
                all &= matches!(self.commit(commit), Some(Answer::Known(_)));
            }
        }
        all
    }

    /// What history says of a commit; asks for it if nobody did.
    pub(crate) fn commit(&self, hash: &str) -> Option<&'a Answer<crate::Commit>> {
        let known = self.inputs.past.commit(hash);
        if known.is_none() {
            self.lack(|lacks| lacks.commits.insert(hash.to_owned()));
        }
        known
    }
}
