//! The repositories of the world: found, indexed, watched.

use std::collections::BTreeSet;
use std::sync::Arc;

use manifests::RepoPath;

use super::disk::Overlay;
use super::repository::{Found, Indexed, Indexing, Repo, Watching, find};
use super::watch::{RepoId, RepositoryChange};
use super::world::{Done, World};

impl World {
    /// The repository at a place, made when it is new.
    pub(super) fn repo_of(&mut self, found: Found) -> RepoId {
        if let Some(known) = self.repos.values().find(|repo| repo.disk.root() == found.root) {
            return known.id;
        }
        let id = RepoId(self.next_repo);
        self.next_repo += 1;
        tracing::info!(root = %found.root.display(), git = found.git.is_some(), "a repository");
        self.repos.insert(id, Repo::new(id, found));
        self.look_for_offers(id);
        self.look_for_forge(id);
        id
    }

    /// Files or branches changed.
    pub(super) fn repository_changed(&mut self, id: RepoId, change: RepositoryChange) {
        let Some(repo) = self.repos.get_mut(&id) else { return };
        let root = repo.disk.root();
        // The work tree itself, or its repository, came or went.
        let itself = change.paths.contains(root) || change.paths.contains(&root.join(".git"));
        for path in &change.paths {
            let Some(inside) = repo.relative(path) else { continue };
            // What charts include is no YAML, and their failures stand in it.
            if super::repository::is_yaml(&inside) || inside.file_name().ends_with(".tpl") {
                repo.stale.paths.insert(inside);
            } else if repo.is_folder(&inside, path) || inside.file_name() == ".gitignore" {
                repo.stale.all = true;
            }
        }
        repo.stale.all |= change.all || itself;
        if change.git || itself {
            self.read_git(id);
        }
    }

    /// Asks Git again where it stands. What was missing may have been fetched.
    pub(super) fn read_git(&mut self, id: RepoId) {
        let Some(repo) = self.repos.get_mut(&id) else { return };
        repo.readings.0 += 1;
        let reading = repo.readings.0;
        let (root, folders) = (repo.disk.root().to_owned(), self.folders.clone());
        self.background(move || Done::Git(id, reading, Box::new(find(&root, &folders))), || None);
    }

    pub(super) fn git_read(&mut self, id: RepoId, reading: u64, found: Found) {
        let Some(repo) = self.repos.get_mut(&id) else { return };
        if reading < repo.readings.1 {
            // A later look was quicker.
            return;
        }
        repo.readings.1 = reading;
        if found.root != repo.disk.root() && found.git.is_some() {
            // While its own is gone, one around it is found: that one does not hold these files.
            return;
        }
        repo.git = found.git;
        repo.remotes = Arc::new(found.remotes);
        repo.refs = Arc::new(found.refs);
        // A worker that began before this goes on to write into the old one.
        repo.memo = Arc::default();
        Arc::make_mut(&mut repo.past).fetched();
        repo.asked = analysis::Lacks::default();
        repo.head.git_changed();
        self.repository_dirty(id);
        self.head_dirty(id);
        self.look_for_forge(id);
    }

    /// Reads files into the index where something changed.
    pub(super) fn start_indexing(&mut self) {
        let ids: Vec<_> = self.repos.keys().copied().collect();
        for id in ids {
            let open: Vec<(RepoPath, _)> =
                self.open_in(id).map(|(path, document)| (path.clone(), Arc::clone(&document.text))).collect();
            let Some(repo) = self.repos.get_mut(&id) else { continue };
            if repo.indexing || repo.stale.is_empty() {
                continue;
            }
            repo.indexing = true;
            let job = Indexing {
                repo: id,
                overlay: Overlay {
                    disk: Arc::clone(&repo.disk),
                    buffers: Arc::new(open.into_iter().collect()),
                },
                index: repo.index.clone(),
                known: repo.known.clone(),
                stale: std::mem::take(&mut repo.stale),
                git: repo.git_folders(),
                whole: repo.git.is_some(),
                watching: Some(match repo.watch.take() {
                    Some(watch) => Watching::On(watch),
                    None => Watching::Begin(self.events.clone()),
                }),
            };
            self.background(
                move || Done::Indexed(id, Some(job.run())),
                move || Some(Done::Indexed(id, None)),
            );
        }
    }

    pub(super) fn indexed(&mut self, id: RepoId, indexed: Option<Indexed>) {
        let Some(repo) = self.repos.get_mut(&id) else { return };
        repo.indexing = false;
        let first = !repo.indexed;
        repo.indexed = true;
        let waiting = std::mem::take(&mut repo.waiting);
        self.index_is(id, first, indexed);
        for question in waiting {
            self.hear(question);
        }
    }

    /// Takes a new index; without one (reading failed) the old one stays.
    fn index_is(&mut self, id: RepoId, first: bool, indexed: Option<Indexed>) {
        let Some(repo) = self.repos.get_mut(&id) else { return };
        let Some(Indexed { index, known, changed, watch, git }) = indexed else {
            // The watch went with the task; the next one looks at everything and watches anew.
            return;
        };
        let before: BTreeSet<RepoPath> = repo.index.flux_files().into_iter().collect();
        repo.index = index;
        repo.known = known;
        // What was told meanwhile is not in this index: views tell it again.
        repo.told.clear();
        repo.watch = watch;
        if changed || first {
            let gone: Vec<_> = {
                let now: BTreeSet<RepoPath> = repo.index.flux_files().into_iter().collect();
                before.difference(&now).cloned().collect()
            };
            for path in gone {
                if self.document_at(id, &path).is_none() {
                    self.published.clear_file(id, &path, &self.outbox);
                }
            }
            self.repository_dirty(id);
        }
        if first {
            self.head_dirty(id);
        }
        if git {
            self.read_git(id);
        }
    }
}
