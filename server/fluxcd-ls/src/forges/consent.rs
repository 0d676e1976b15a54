//! Which forge may be asked, for which repository: nobody is contacted unasked (design 3.4).
//!
//! One small file for all windows beside the consents of clusters, read at every question and written under a lock and in
//! one step. It holds hosts and answers; never a token.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use cluster::{Answer, StateDir};
use forge::Service;
use serde::{Deserialize, Serialize};

const FILE: &str = "forges.json";
const LOCK: &str = "forges.lock";

/// What was answered about a host for a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Remembered {
    /// Yes, no, or never asked.
    pub allowed: Option<bool>,
    /// What runs there, if somebody was asked.
    pub service: Option<Service>,
}

/// The remembered answers. All clones and all windows see the same file.
#[derive(Debug, Clone)]
pub(crate) struct ForgeConsents {
    dir: StateDir,
}

#[derive(Default, Serialize, Deserialize)]
struct Book {
    version: u32,
    hosts: BTreeMap<String, Host>,
}

#[derive(Default, Serialize, Deserialize)]
struct Host {
    #[serde(default)]
    service: Option<Service>,
    #[serde(default)]
    everywhere: bool,
    /// By the root folder; `false`: never here.
    #[serde(default)]
    repositories: BTreeMap<PathBuf, bool>,
}

impl ForgeConsents {
    /// The answers in this state folder.
    pub(crate) fn open(dir: StateDir) -> Self {
        Self { dir }
    }

    /// What was answered. A file that cannot be read, or was written by something newer, answers nothing: then we ask.
    pub(crate) fn of(&self, host: &str, repository: &Path) -> Remembered {
        let book = self.read().unwrap_or_default();
        let Some(known) = book.hosts.get(host) else { return Remembered::default() };
        let here = known.repositories.get(repository).copied();
        Remembered { allowed: here.or(known.everywhere.then_some(true)), service: known.service }
    }

    /// Keeps an answer. Blocks for a moment on other windows that write.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn answer(
        &self,
        host: &str,
        service: Service,
        repository: &Path,
        answer: Answer,
    ) -> io::Result<()> {
        let _lock = self.dir.lock_blocking(LOCK)?;
        let mut book = match self.read() {
            Ok(book) => book,
            // A broken file holds no answer; one of something newer is left alone.
            Err(error) if error.get_ref().is_some_and(|it| it.is::<serde_json::Error>()) => Book::default(),
            Err(error) => return Err(error),
        };
        book.version = 1;
        let entry = book.hosts.entry(host.to_owned()).or_default();
        entry.service = Some(service);
        match answer {
            Answer::ThisRepository => drop(entry.repositories.insert(repository.to_owned(), true)),
            Answer::NeverHere => drop(entry.repositories.insert(repository.to_owned(), false)),
            Answer::Everywhere => {
                entry.everywhere = true;
                entry.repositories.remove(repository);
            }
        }
        self.dir.write(FILE, &serde_json::to_vec_pretty(&book)?)
    }

    fn read(&self) -> io::Result<Book> {
        let Some(bytes) = self.dir.read(FILE)? else { return Ok(Book::default()) };
        let book: Book = serde_json::from_slice(&bytes)?;
        if book.version > 1 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "written by a newer fluxcd-ls"));
        }
        Ok(book)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_kept_by_host_and_repository() {
        let folder = tempfile::tempdir().unwrap();
        let consents = ForgeConsents::open(StateDir::at(folder.path()));
        let (here, there) = (Path::new("/here"), Path::new("/there"));
        let allowed = |host: &str, repository: &Path| consents.of(host, repository).allowed;
        assert_eq!(consents.of("git.example", here), Remembered::default());
        consents.answer("git.example", Service::Gitea, here, Answer::ThisRepository).unwrap();
        assert_eq!(
            consents.of("git.example", here),
            Remembered { allowed: Some(true), service: Some(Service::Gitea) }
        );
        // What runs there is known by now, whether it may be asked for another repository is not.
        assert_eq!(
            consents.of("git.example", there),
            Remembered { allowed: None, service: Some(Service::Gitea) }
        );
        assert_eq!(allowed("git.example:3000", here), None);
        consents.answer("git.example", Service::Gitea, there, Answer::NeverHere).unwrap();
        consents.answer("git.example", Service::Gitea, here, Answer::Everywhere).unwrap();
        assert_eq!((allowed("git.example", here), allowed("git.example", there)), (Some(true), Some(false)));
        assert_eq!(allowed("git.example", Path::new("/third")), Some(true));
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        assert_eq!(allowed("git.example", here), None);
        consents.answer("git.example", Service::Gitea, here, Answer::NeverHere).unwrap();
        assert_eq!(allowed("git.example", here), Some(false));
        std::fs::write(folder.path().join(FILE), r#"{"version": 2, "hosts": {}}"#).unwrap();
        assert!(consents.answer("git.example", Service::Gitea, here, Answer::Everywhere).is_err());
    }
}
