//! Which cluster may be contacted, for whom: no cluster contact unasked (design 3.4).
//!
//! One small file for all windows ([`Book`]). A consent belongs to a [`Fingerprint`]; when the kubeconfig changes what that
//! stands for, there is no consent any more.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::book::Book;
use crate::context::ContextKey;
use crate::kubeconfig::Fingerprint;
use crate::state::StateDir;

/// How many file paths are remembered for a repository and context; the oldest names go first. A person edits
/// fewer files by hand, and the file stays small.
const PATHS_KEPT: usize = 5000;

/// What somebody answered when asked for a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes, for this repository.
    ThisRepository,
    /// Yes, wherever a file belongs to it.
    Everywhere,
    /// No, and do not offer it in this repository again.
    NeverHere,
}

/// Whether a context may be contacted for a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Allowed,
    /// It may not, and is not to be offered.
    Never,
    /// Somebody has to be asked.
    Ask {
        /// There was a consent, but the server, certificate authority or login command is another one now.
        changed: bool,
    },
}

/// Why a consent could not be kept. The text is for people.
#[derive(Debug, Error)]
#[error("cannot keep the answer in {}: {source}. The cluster is used until this window is closed; check the rights on that folder.", path.display())]
pub struct ConsentError {
    /// The folder.
    pub path: PathBuf,
    /// What the operating system says.
    #[source]
    pub source: io::Error,
}

/// The remembered answers. Cheap to clone; all clones and all windows see the same file.
#[derive(Clone, Debug)]
pub struct Consents {
    book: Book<Entries>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Entries {
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    fingerprint: Fingerprint,
    #[serde(default)]
    everywhere: bool,
    #[serde(default)]
    repositories: BTreeMap<PathBuf, Repository>,
    /// Somebody confirmed an action on this context before.
    #[serde(default)]
    acted: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Repository {
    /// `Some(true)`: yes. `Some(false)`: never here.
    #[serde(default)]
    allowed: Option<bool>,
    /// Files of the repository that were last seen to belong to this context.
    #[serde(default)]
    paths: BTreeSet<String>,
}

impl Consents {
    /// The answers in this state folder.
    pub fn open(dir: StateDir) -> Self {
        Self { book: Book::open(dir, "consents") }
    }

    /// Whether the context that `fingerprint` stands for may be contacted for `repository` (its root folder).
    pub fn decision(&self, fingerprint: &Fingerprint, repository: &Path) -> Decision {
        let book = self.book.read();
        let same = book.entries.iter().find(|e| e.fingerprint == *fingerprint);
        if let Some(entry) = same {
            match entry.repositories.get(repository).and_then(|r| r.allowed) {
                Some(false) => return Decision::Never,
                Some(true) => return Decision::Allowed,
                None if entry.everywhere => return Decision::Allowed,
                None => {}
            }
        }
        let changed = same.is_none()
            && book.entries.iter().any(|e| {
                let allowed = e.repositories.get(repository).and_then(|r| r.allowed);
                e.fingerprint.context == fingerprint.context
                    && e.fingerprint.kubeconfig == fingerprint.kubeconfig
                    && (allowed == Some(true) || e.everywhere)
            });
        Decision::Ask { changed }
    }

    /// Keeps an answer. Blocks for a moment on other windows that write.
    pub fn answer(
        &self,
        fingerprint: &Fingerprint,
        repository: &Path,
        answer: Answer,
    ) -> Result<(), ConsentError> {
        self.change(fingerprint, |entry| {
            match answer {
                Answer::ThisRepository => {
                    entry.repositories.entry(repository.to_owned()).or_default().allowed = Some(true);
                }
                Answer::Everywhere => {
                    entry.everywhere = true;
                    entry.repositories.entry(repository.to_owned()).or_default().allowed = None;
                }
                Answer::NeverHere => {
                    *entry.repositories.entry(repository.to_owned()).or_default() =
                        Repository { allowed: Some(false), paths: BTreeSet::new() };
                }
            }
            true
        })
    }

    /// Takes every answer about this context back, in all repositories.
    pub fn forget(&self, context: &ContextKey) -> Result<(), ConsentError> {
        self.edit(|book| {
            book.entries.retain(|e| e.fingerprint.key() != *context);
            true
        })
    }

    /// Remembers that these files (relative to the repository, `/`-separated) belong to this context, so that
    /// opening one of them connects to it again and to no other.
    pub fn saw(
        &self,
        fingerprint: &Fingerprint,
        repository: &Path,
        files: &[&str],
    ) -> Result<(), ConsentError> {
        // Most calls bring nothing new: do not take the lock for them.
        let book = self.book.read();
        let known = book.entries.iter().find(|e| e.fingerprint == *fingerprint);
        let known = known.and_then(|e| e.repositories.get(repository));
        if known.is_some_and(|r| files.iter().all(|f| r.paths.contains(*f))) {
            return Ok(());
        }
        self.change(fingerprint, |entry| {
            let kept = entry.repositories.entry(repository.to_owned()).or_default();
            kept.paths.extend(files.iter().map(|f| (*f).to_owned()));
            while kept.paths.len() > PATHS_KEPT {
                kept.paths.pop_first();
            }
            true
        })
    }

    /// Which contexts this file was last seen to belong to. Only these may be connected by opening it, and only
    /// if [`Consents::decision`] allows each: opening staging never wakes production.
    pub fn contexts_of(&self, repository: &Path, file: &str) -> Vec<Fingerprint> {
        let book = self.book.read();
        let seen = |e: &Entry| e.repositories.get(repository).is_some_and(|r| r.paths.contains(file));
        book.entries.into_iter().filter(seen).map(|e| e.fingerprint).collect()
    }

    /// Whether an action was confirmed on this context before; the first one asks (design 3.10).
    pub fn acted(&self, fingerprint: &Fingerprint) -> bool {
        let book = self.book.read();
        book.entries.iter().any(|e| e.fingerprint == *fingerprint && e.acted)
    }

    /// Remembers that an action was confirmed on this context.
    pub fn confirm_actions(&self, fingerprint: &Fingerprint) -> Result<(), ConsentError> {
        self.change(fingerprint, |entry| !std::mem::replace(&mut entry.acted, true))
    }

    fn change(
        &self,
        fingerprint: &Fingerprint,
        change: impl FnOnce(&mut Entry) -> bool,
    ) -> Result<(), ConsentError> {
        self.edit(|book| {
            let at = match book.entries.iter().position(|e| e.fingerprint == *fingerprint) {
                Some(at) => at,
                None => {
                    // What this context stood for before is void; an entry of an earlier meaning is only kept
                    // until somebody answers for the new one.
                    let key = fingerprint.key();
                    book.entries.retain(|e| e.fingerprint.key() != key);
                    book.entries.push(Entry {
                        fingerprint: fingerprint.clone(),
                        everywhere: false,
                        repositories: BTreeMap::new(),
                        acted: false,
                    });
                    book.entries.len() - 1
                }
            };
            change(&mut book.entries[at])
        })
    }

    fn edit(&self, change: impl FnOnce(&mut Entries) -> bool) -> Result<(), ConsentError> {
        let error = |source| ConsentError { path: self.book.dir().path().to_owned(), source };
        self.book.edit(change).map_err(error)
    }
}

#[cfg(test)]
mod tests;
