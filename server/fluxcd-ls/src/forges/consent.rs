//! Which forge may be asked, for which repository: nobody is contacted unasked (design 3.4).
//!
//! One small file for all windows beside the consents of clusters. It holds hosts and answers; never a token.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use cluster::{Answer, Book, StateDir};
use forge::Service;
use serde::{Deserialize, Serialize};

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
    book: Book<Hosts>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Hosts {
    #[serde(default)]
    hosts: BTreeMap<String, Host>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
        Self { book: Book::open(dir, "forges") }
    }

    /// What was answered.
    pub(crate) fn of(&self, host: &str, repository: &Path) -> Remembered {
        let known = self.book.read();
        let Some(known) = known.hosts.get(host) else { return Remembered::default() };
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
        self.book.edit(|book| {
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
            true
        })
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
        std::fs::write(folder.path().join("forges.json"), "{").unwrap();
        assert_eq!(allowed("git.example", here), None);
        consents.answer("git.example", Service::Gitea, here, Answer::NeverHere).unwrap();
        assert_eq!(allowed("git.example", here), Some(false));
        std::fs::write(folder.path().join("forges.json"), r#"{"version": 2, "hosts": {}}"#).unwrap();
        assert!(consents.answer("git.example", Service::Gitea, here, Answer::Everywhere).is_err());
    }
}
