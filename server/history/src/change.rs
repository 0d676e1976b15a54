//! What a commit changed.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::objs::tree::{EntryKind, EntryMode};
use manifests::RepoPath;

use crate::repository::unreadable;
use crate::{Error, Repository, Result};

/// What a commit changed, compared with its first parent: what a merge brought into the branch that it was made on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The first parent; `None` for a commit that has none: it changed all its files.
    pub before: Option<ObjectId>,
    /// The files that are not the same, in the order of their names. A renamed one is there with both.
    pub files: Vec<RepoPath>,
}

impl Repository {
    /// What the commit behind a full hash changed.
    ///
    /// # Errors
    /// As [`Repository::commit`]. [`Error::CutOff`] where a shallow clone lacks its parent; [`Error::LeftOut`] for a folder
    /// that a partial clone lacks.
    pub fn change(&self, hash: &str) -> Result<Change> {
        let repo = self.local();
        let commit = self.find_commit(&repo, hash)?;
        let before = commit.parent_ids().next().map(gix::Id::detach);
        let shallow = repo.shallow_commits().map_err(|error| unreadable("the history", &error))?;
        if shallow.as_ref().is_some_and(|cut| cut.binary_search(&commit.id).is_ok()) {
            return Err(Error::CutOff(self.bring(&repo)));
        }
        let then = match before {
            // Where it is not here the error says what would bring it.
            Some(before) => Some(root(&self.find_commit(&repo, &before.to_string())?)?),
            None => None,
        };
        let mut files = Vec::new();
        differing(&repo, "", then, Some(root(&commit)?), &mut files)?;
        files.sort();
        Ok(Change { before, files })
    }
}

type Entry = (EntryMode, ObjectId);

fn root(commit: &gix::Commit<'_>) -> Result<Entry> {
    let what = || format!("commit {}", commit.id.to_hex_with_len(7));
    let id = commit.tree_id().map_err(|error| unreadable(&what(), &error))?;
    Ok((EntryKind::Tree.into(), id.detach()))
}

/// Adds the files at or below a path that are not the same in both. Folders that are the same are not opened.
fn differing(
    repo: &gix::Repository,
    path: &str,
    a: Option<Entry>,
    b: Option<Entry>,
    found: &mut Vec<RepoPath>,
) -> Result<()> {
    if a == b {
        return Ok(());
    }
    // A file that became a folder is a file that went.
    if [a, b].iter().flatten().any(|(mode, _)| !mode.is_tree()) {
        found.extend(RepoPath::new(path));
    }
    let mut entries: BTreeMap<BString, [Option<Entry>; 2]> = BTreeMap::new();
    for (side, entry) in [a, b].into_iter().enumerate() {
        let Some((_, id)) = entry.filter(|(mode, _)| mode.is_tree()) else { continue };
        let what = || format!("folder {}", id.to_hex_with_len(7));
        let object = repo.try_find_object(id).map_err(|error| unreadable(&what(), &error))?;
        let object = object.ok_or_else(|| Error::LeftOut { what: what(), id })?;
        for entry in gix::objs::TreeRefIter::from_bytes(&object.data, id.kind()) {
            let entry = entry.map_err(|error| unreadable(&what(), &error))?;
            let both = entries.entry(entry.filename.to_owned()).or_default();
            if let Some(own) = both.get_mut(side) {
                *own = Some((entry.mode, entry.oid.to_owned()));
            }
        }
    }
    for (name, [a, b]) in entries {
        let name = name.to_str_lossy();
        let path = if path.is_empty() { name.into_owned() } else { format!("{path}/{name}") };
        differing(repo, &path, a, b, found)?;
    }
    Ok(())
}
