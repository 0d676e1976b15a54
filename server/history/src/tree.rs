//! The files of one commit.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::tree::EntryKind;
use manifests::{FileKind, RepoPath, Tree};

use crate::error::Error;
use crate::repository::unreadable;

/// The files of one commit, read when they are asked for. Equal [`GitTree::id`]s are equal files, so answers
/// may be kept by it for ever.
///
/// [`Tree`] has no place for errors: what a partial clone left out reads as absent, and [`GitTree::fault`]
/// says so. Ask it before concluding anything from an absence.
pub struct GitTree {
    repo: Arc<gix::ThreadSafeRepository>,
    root: ObjectId,
    /// Folders that were read, by the id of their tree: a kustomize graph asks for the same ones all the time.
    folders: Mutex<HashMap<ObjectId, Arc<[Entry]>>>,
    fault: OnceLock<Error>,
}

#[derive(Debug, Clone)]
struct Entry {
    name: String,
    kind: EntryKind,
    id: ObjectId,
}

impl fmt::Debug for GitTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitTree").field("root", &self.root).finish_non_exhaustive()
    }
}

impl GitTree {
    pub(crate) fn new(repo: Arc<gix::ThreadSafeRepository>, root: ObjectId) -> Self {
        Self { repo, root, folders: Mutex::default(), fault: OnceLock::new() }
    }

    /// The id of all its files together (of the Git tree, not of the commit).
    pub fn id(&self) -> ObjectId {
        self.root
    }

    /// The id of a file's content: the key for what is remembered of it. `None` for anything but a file.
    pub fn blob_id(&self, path: &RepoPath) -> Option<ObjectId> {
        self.entry(path).filter(|entry| is_file(entry.kind)).map(|entry| entry.id)
    }

    /// The id of a folder with all that is below it.
    pub fn folder_id(&self, path: &RepoPath) -> Option<ObjectId> {
        if path.is_root() {
            return Some(self.root);
        }
        self.entry(path).filter(|entry| entry.kind == EntryKind::Tree).map(|entry| entry.id)
    }

    /// The first object that should have been there and could not be read, if any.
    pub fn fault(&self) -> Option<&Error> {
        self.fault.get()
    }

    fn entry(&self, path: &RepoPath) -> Option<Entry> {
        let mut folder = self.root;
        let mut found = None;
        for part in path.parts() {
            if let Some(Entry { kind, id, .. }) = found {
                if kind != EntryKind::Tree {
                    return None;
                }
                folder = id;
            }
            // Git's own order of a tree is not that of its names, hence no binary search.
            found = Some(self.folder(folder)?.iter().find(|entry| entry.name == part)?.clone());
        }
        found
    }

    fn folder(&self, id: ObjectId) -> Option<Arc<[Entry]>> {
        if let Some(known) = self.folders.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Some(Arc::clone(known));
        }
        let what = || format!("folder {}", id.to_hex_with_len(7));
        let data = self.object(id, what)?;
        let parsed = gix::objs::TreeRef::from_bytes(&data, id.kind());
        let tree = parsed.map_err(|error| self.note(unreadable(&what(), &error))).ok()?;
        let entries: Arc<[Entry]> = tree
            .entries
            .iter()
            .map(|entry| Entry {
                name: entry.filename.to_str_lossy().into_owned(),
                kind: entry.mode.kind(),
                id: entry.oid.to_owned(),
            })
            .collect();
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&entries));
        Some(entries)
    }

    fn object(&self, id: ObjectId, what: impl Fn() -> String) -> Option<Vec<u8>> {
        match self.repo.to_thread_local().try_find_object(id) {
            Ok(Some(mut object)) => Some(std::mem::take(&mut object.data)),
            Ok(None) => {
                self.note(Error::LeftOut { what: what(), id });
                None
            }
            Err(error) => {
                self.note(unreadable(&what(), &error));
                None
            }
        }
    }

    fn note(&self, error: Error) {
        // Only the first counts, the others follow from it.
        let _ = self.fault.set(error);
    }
}

fn is_file(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::Blob | EntryKind::BlobExecutable)
}

impl Tree for GitTree {
    /// The text of a file. A symbolic link
    /// has no text: Flux never follows one, artifacts are made without them.
    fn read(&self, path: &RepoPath) -> Option<Arc<str>> {
        let id = self.blob_id(path)?;
        let bytes = self.object(id, || path.to_string())?;
        Some(manifests::decode(bytes).text.into())
    }

    fn list(&self, path: &RepoPath) -> Vec<(String, FileKind)> {
        let Some(entries) = self.folder_id(path).and_then(|id| self.folder(id)) else { return Vec::new() };
        entries
            .iter()
            .map(|entry| {
                let kind = match entry.kind {
                    EntryKind::Blob | EntryKind::BlobExecutable => FileKind::File,
                    EntryKind::Tree => FileKind::Directory,
                    EntryKind::Link => FileKind::Symlink,
                    EntryKind::Commit => FileKind::Other,
                };
                (entry.name.clone(), kind)
            })
            .collect()
    }
}
