//! What is at a path of a tree, and the values of its files: looked up once for all builds of one question.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use super::KUSTOMIZATION_NAMES;
use crate::{FileKind, ParsedFile, RepoPath, Tree, Value, value};

/// A tree that remembers what it was asked. Make one for a question, share it among the builds that answer it.
pub struct Files<'tree> {
    tree: &'tree dyn Tree,
    /// Directories as listed: a build often names hundreds of files of one directory.
    listed: RefCell<HashMap<RepoPath, Rc<BTreeMap<String, FileKind>>>>,
    values: RefCell<HashMap<RepoPath, Option<Rc<FileValues>>>>,
}

/// A file's documents as values.
pub struct FileValues {
    /// The file as parsed.
    pub file: ParsedFile,
    /// By document; `None` for one without a tree.
    pub values: Vec<Option<Arc<Value>>>,
}

/// What is at a path.
pub(super) enum Found {
    File,
    Directory,
    Nothing,
    Symlink(RepoPath),
}

impl<'tree> Files<'tree> {
    /// Looks into this tree.
    pub fn new(tree: &'tree dyn Tree) -> Self {
        Self { tree, listed: RefCell::default(), values: RefCell::default() }
    }

    /// The tree itself.
    pub fn tree(&self) -> &'tree dyn Tree {
        self.tree
    }

    /// The documents of a file; `None` if there is no such file.
    pub fn values(&self, path: &RepoPath) -> Option<Rc<FileValues>> {
        if let Some(known) = self.values.borrow().get(path) {
            return known.clone();
        }
        let read = self.tree.parsed(path).map(|file| {
            let values = value::of_file(&self.tree.written_at(path), &file);
            Rc::new(FileValues { file, values })
        });
        self.values.borrow_mut().insert(path.clone(), read.clone());
        read
    }

    /// What is in a directory.
    pub(super) fn list(&self, dir: &RepoPath) -> Rc<BTreeMap<String, FileKind>> {
        if let Some(known) = self.listed.borrow().get(dir) {
            return Rc::clone(known);
        }
        let listed: Rc<BTreeMap<_, _>> = Rc::new(self.tree.list(dir).into_iter().collect());
        self.listed.borrow_mut().insert(dir.clone(), Rc::clone(&listed));
        listed
    }

    /// The files that make a directory a build; more than one is an error.
    pub(super) fn build_files(&self, dir: &RepoPath) -> Vec<RepoPath> {
        let entries = self.list(dir);
        let is_file = |name: &&str| entries.get(*name) == Some(&FileKind::File);
        KUSTOMIZATION_NAMES.into_iter().filter(is_file).filter_map(|name| dir.join(name)).collect()
    }

    /// What is at a path, each part of which must be no link.
    pub(super) fn find(&self, path: &RepoPath) -> Found {
        let mut at = RepoPath::root();
        let mut kind = FileKind::Directory;
        for part in path.parts() {
            let found = self.list(&at).get(part).copied();
            let (Some(found), Some(next)) = (found, at.join(part)) else { return Found::Nothing };
            (at, kind) = (next, found);
            match kind {
                FileKind::Symlink => return Found::Symlink(at),
                FileKind::Other => return Found::Nothing,
                FileKind::File | FileKind::Directory => {}
            }
        }
        if kind == FileKind::File { Found::File } else { Found::Directory }
    }
}

/// Whether kustomize would fetch this (its `RepoSpec` and its HTTP loader).
pub(super) fn is_remote(text: &str) -> bool {
    text.contains("://")
        || text.starts_with("git::")
        || text.starts_with("github.com/")
        || text.starts_with("github.com:")
        || text.contains("?ref=")
        || text.contains("?version=")
        || text.contains(".git/")
        || text.contains(".git?")
        || text.ends_with(".git")
        || text.split_once('@').is_some_and(|(user, host)| !user.contains('/') && host.contains(':'))
}
