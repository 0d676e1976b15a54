//! A repository as a tree of paths and texts.

use std::{borrow::Borrow, collections::BTreeMap, fmt, sync::Arc};

use crate::ParsedFile;

/// A path inside a repository: relative to its root, `/` between parts, without `.`, `..` or empty parts, so that
/// it can never lead outside. The root is the empty path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepoPath(Arc<str>);

impl RepoPath {
    /// The repository's root.
    pub fn root() -> RepoPath {
        RepoPath(Arc::from(""))
    }

    /// A path relative to the root; `None` if it is absolute or leads outside.
    pub fn new(path: &str) -> Option<RepoPath> {
        RepoPath::root().join(path)
    }

    /// What Flux makes of a `spec.path`: absolute paths and `..` stay inside the source's root (Flux joins securely,
    /// so that `/apps`, `./apps` and `../apps` are all `apps`).
    pub fn of_flux(path: &str) -> RepoPath {
        let mut parts: Vec<&str> = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        RepoPath(parts.join("/").into())
    }

    /// This directory and a relative path, as kustomize reads it; `None` if it is absolute or leads outside.
    pub fn join(&self, relative: &str) -> Option<RepoPath> {
        if relative.starts_with('/') || relative.contains('\0') {
            return None;
        }
        let mut parts: Vec<&str> = self.parts().collect();
        for part in relative.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()?),
                part => parts.push(part),
            }
        }
        Some(RepoPath(parts.join("/").into()))
    }

    /// The directory that holds this path; `None` for the root.
    pub fn parent(&self) -> Option<RepoPath> {
        if self.is_root() {
            return None;
        }
        let parent = self.0.rsplit_once('/').map_or("", |(parent, _)| parent);
        Some(RepoPath(parent.into()))
    }

    /// The last part; empty for the root.
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// The parts from the root.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// Whether this is `directory` or lies in it.
    pub fn starts_with(&self, directory: &RepoPath) -> bool {
        directory.is_root()
            || self.0.strip_prefix(&*directory.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether this is the repository's root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The text of the path; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

impl Borrow<str> for RepoPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// What a directory entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link. Never followed: a Flux artifact holds none (flux-reference E.3).
    Symlink,
    /// A submodule, a device, a socket.
    Other,
}

/// Something that looks like a repository: the disk overlaid by an editor's buffers, or a git tree.
pub trait Tree {
    /// A file's text; `None` if there is no regular file of that name. Bytes that are no UTF-8 are replaced
    /// (see [`crate::decode`]). Symbolic links are not followed, in no part of the path.
    fn read(&self, path: &RepoPath) -> Option<Arc<str>>;

    /// A file's text as documents. Trees that have it already do better than parsing it again.
    fn parsed(&self, path: &RepoPath) -> Option<ParsedFile> {
        self.read(path).map(|text| ParsedFile::parse(&text))
    }

    /// Where a file of this tree is written in the repository: an artifact may hold it under another name.
    fn written_at(&self, path: &RepoPath) -> RepoPath {
        path.clone()
    }

    /// What is in a directory, in any order, `.git` left out; empty if there is no such directory.
    fn list(&self, directory: &RepoPath) -> Vec<(String, FileKind)>;

    /// What a path is; `None` if there is nothing.
    fn kind(&self, path: &RepoPath) -> Option<FileKind> {
        let Some(parent) = path.parent() else { return Some(FileKind::Directory) };
        let name = path.file_name();
        self.list(&parent).into_iter().find(|(it, _)| it == name).map(|(_, kind)| kind)
    }
}

/// A repository in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    files: BTreeMap<RepoPath, Option<Arc<str>>>,
}

impl MemoryTree {
    /// A repository without files.
    pub fn new() -> MemoryTree {
        MemoryTree::default()
    }

    /// Adds or replaces a file.
    pub fn insert(&mut self, path: RepoPath, text: impl Into<Arc<str>>) {
        self.files.insert(path, Some(text.into()));
    }

    /// Adds a symbolic link (where it leads does not matter: none is ever followed).
    pub fn insert_symlink(&mut self, path: RepoPath) {
        self.files.insert(path, None);
    }

    /// Takes a file away.
    pub fn remove(&mut self, path: &RepoPath) {
        self.files.remove(path);
    }

    /// All files and links.
    pub fn paths(&self) -> impl Iterator<Item = &RepoPath> {
        self.files.keys()
    }
}

impl FromIterator<(RepoPath, String)> for MemoryTree {
    fn from_iter<I: IntoIterator<Item = (RepoPath, String)>>(files: I) -> MemoryTree {
        MemoryTree { files: files.into_iter().map(|(path, text)| (path, Some(text.into()))).collect() }
    }
}

impl Tree for MemoryTree {
    fn read(&self, path: &RepoPath) -> Option<Arc<str>> {
        self.files.get(path)?.clone()
    }

    fn list(&self, directory: &RepoPath) -> Vec<(String, FileKind)> {
        let mut entries = BTreeMap::new();
        for (path, text) in self.files.iter().filter(|(path, _)| path.starts_with(directory)) {
            let mut below = path.parts().skip(directory.parts().count());
            let Some(name) = below.next() else { continue };
            let kind = match (below.next(), text) {
                (Some(_), _) => FileKind::Directory,
                (None, Some(_)) => FileKind::File,
                (None, None) => FileKind::Symlink,
            };
            entries.insert(name.to_owned(), kind);
        }
        entries.into_iter().collect()
    }
}
