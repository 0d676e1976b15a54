//! Repositories: found by the files that are opened in them, indexed in the background, watched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use analysis::{Lacks, Memo, Past, Refs, RepoIndex};
use manifests::{RepoPath, SOURCE_IGNORE};
use tokio::sync::mpsc;

use super::Event;
use super::choosing::Offers;
use super::disk::{Disk, Overlay};
use super::documents::Text;
use super::heads::HeadOf;
use super::past::{Blobs, refs};
use super::reporting::ForgeState;
use super::watch::{Folders, Followed, RepoId, Watch};
use crate::lsp::backend::ClientMessage;

/// YAML files beyond this many are not indexed: no repository of manifests has more, a home folder may.
const MAX_FILES: usize = 50_000;
/// Of a folder that is no repository only this many entries are looked at, and only this deep.
const MAX_ENTRIES: usize = 20_000;
const MAX_DEPTH: usize = 6;

/// A repository, or a folder that is none.
pub(crate) struct Repo {
    /// Its name in the world.
    pub id: RepoId,
    /// The folder's name.
    pub name: Arc<str>,
    /// Git's answers; none for a folder without.
    pub git: Option<history::Repository>,
    /// Its files.
    pub disk: Arc<Disk>,
    /// The addresses that are this repository.
    pub remotes: Arc<Remotes>,
    /// What is checked out, and the branches and tags as of the last fetch.
    pub refs: Arc<Refs>,
    /// What was parsed of commits.
    pub blobs: Arc<Blobs>,
    /// The Flux objects in its files.
    pub index: RepoIndex,
    /// What the index was told.
    pub known: Known,
    /// The open texts among that.
    pub told: BTreeMap<RepoPath, Arc<Text>>,
    /// Whether all files were read once.
    pub indexed: bool,
    /// Questions that wait for that.
    pub waiting: Vec<ClientMessage>,
    /// What Git was asked already.
    pub past: Arc<Past>,
    /// Questions to Git that are under way or answered.
    pub asked: Lacks,
    /// What can be offered here.
    pub offers: Offers,
    /// Its forge, and what was reported there.
    pub forge: ForgeState,
    /// How its HEAD stands over the clusters.
    pub head: HeadOf,
    /// Files and the clusters they belong to, as far as that is remembered.
    pub seen: BTreeSet<(RepoPath, String)>,
    /// What analysis keeps from one answer to the next.
    pub memo: Arc<Memo>,
    /// Sees changes; none until the first indexing, and while one runs.
    pub watch: Option<Watch>,
    /// Files to read again, once the running indexing is done.
    pub stale: Stale,
    /// Whether an indexing runs.
    pub indexing: bool,
    /// How often Git was begun to be read, and the newest of these readings that came to something.
    pub readings: (u64, u64),
}

/// Files whose place in the index is out of date.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Stale {
    /// All of them, new folders too.
    pub all: bool,
    /// These.
    pub paths: BTreeSet<RepoPath>,
}

impl Stale {
    /// Whether nothing is out of date.
    pub(crate) fn is_empty(&self) -> bool {
        !self.all && self.paths.is_empty()
    }
}

/// The remotes of a clone.
#[derive(Debug, Default)]
pub(crate) struct Remotes(Vec<history::Remote>);

impl analysis::Remotes for Remotes {
    fn is_ours(&self, url: &str) -> bool {
        history::normalise_url(url).is_some_and(|url| self.0.iter().any(|remote| remote.is(&url)))
    }

    fn named(&self, url: &str) -> Vec<String> {
        let Some(url) = history::normalise_url(url) else { return Vec::new() };
        let mut names: Vec<String> =
            self.0.iter().filter(|remote| remote.is(&url)).map(|remote| remote.name.clone()).collect();
        names.sort_by_key(|name| name != "origin");
        names
    }

    fn compare(&self, remote: &str, from: &str, to: &str) -> Option<String> {
        self.0.iter().find(|it| it.name == remote)?.compare_url(from, to, None)
    }
}

/// What was found at a path, before its files are read.
pub(crate) struct Found {
    /// Git's answers.
    pub git: Option<history::Repository>,
    /// The root folder.
    pub root: PathBuf,
    /// Its remotes.
    pub remotes: Remotes,
    /// What is checked out, and the branches and tags as of the last fetch.
    pub refs: Refs,
}

/// Finds the repository of a file. Where there is none, the workspace folder it is in stands for one, else the
/// file's own folder. Touches the disk.
pub(crate) fn find(file: &Path, folders: &[PathBuf]) -> Found {
    match history::Repository::discover(file) {
        Ok(git) => {
            let root = git.work_dir().to_owned();
            let remotes = git.remotes();
            let refs = refs(&git);
            Found { git: Some(git), root, remotes: Remotes(remotes), refs }
        }
        Err(error) => {
            tracing::info!(%error, "no history for {}", file.display());
            without_history(file, folders)
        }
    }
}

/// What stands for a file's repository where Git knows none.
pub(crate) fn without_history(file: &Path, folders: &[PathBuf]) -> Found {
    let within =
        folders.iter().filter(|folder| file.starts_with(folder)).max_by_key(|it| it.as_os_str().len());
    let root =
        within.cloned().or_else(|| file.parent().map(Path::to_owned)).unwrap_or_else(|| file.to_owned());
    Found { git: None, root, remotes: Remotes::default(), refs: Refs::default() }
}

impl Repo {
    /// A repository that was just found.
    pub(crate) fn new(id: RepoId, found: Found) -> Repo {
        let name = found.root.file_name().map_or_else(|| "/".into(), |name| name.to_string_lossy());
        Repo {
            id,
            name: Arc::from(&*name),
            git: found.git,
            disk: Arc::new(Disk::new(found.root)),
            remotes: Arc::new(found.remotes),
            refs: Arc::new(found.refs),
            blobs: Arc::default(),
            index: RepoIndex::new(),
            known: Known::new(),
            told: BTreeMap::new(),
            indexed: false,
            waiting: Vec::new(),
            past: Arc::default(),
            asked: Lacks::default(),
            offers: Offers::default(),
            forge: ForgeState::default(),
            head: HeadOf::default(),
            seen: BTreeSet::new(),
            memo: Arc::default(),
            watch: None,
            stale: Stale { all: true, paths: BTreeSet::new() },
            indexing: false,
            readings: (0, 0),
        }
    }

    /// The path of a file as the repository names it; none outside of it.
    pub(crate) fn relative(&self, path: &Path) -> Option<RepoPath> {
        match &self.git {
            Some(git) => git.relative(path),
            None => {
                let inside = path.strip_prefix(self.disk.root()).ok()?;
                let parts: Option<Vec<&str>> =
                    inside.components().map(|part| part.as_os_str().to_str()).collect();
                RepoPath::new(&parts?.join("/"))
            }
        }
    }

    /// Tells the index an open text.
    pub(crate) fn tell(&mut self, path: &RepoPath, text: &Arc<Text>) {
        self.told.insert(path.clone(), Arc::clone(text));
        if self.known.insert(path.clone(), text.digest()) != Some(text.digest()) {
            self.index.set(path, Some(text.parsed().clone()));
        }
    }

    /// Whether something is a folder, or was one. (Editors leave other files for a moment when they save.)
    pub(crate) fn is_folder(&self, inside: &RepoPath, absolute: &Path) -> bool {
        let below = self.known.range::<RepoPath, _>(inside..).next();
        absolute.is_dir() || below.is_some_and(|(path, _)| path != inside && path.starts_with(inside))
    }

    /// Git's own folders, to be watched.
    pub(crate) fn git_folders(&self) -> Vec<PathBuf> {
        let Some(git) = &self.git else { return Vec::new() };
        let mut folders = vec![git.git_dir(), git.common_dir()];
        folders.dedup();
        folders
    }
}

/// The files that an index was told, with what they held.
pub(crate) type Known = BTreeMap<RepoPath, u64>;

/// What reading the files came to.
pub(crate) struct Indexed {
    /// The new index.
    pub index: RepoIndex,
    /// What it was told.
    pub known: Known,
    /// Whether the index changed, or files beside it that somebody may have looked at meanwhile.
    pub changed: bool,
    /// The watch of its folders, where somebody watches.
    pub watch: Option<Watch>,
    /// Whether Git is to be read again: nobody watched its directories before, or they are gone.
    pub git: bool,
}

/// Who watches the folders of a repository.
pub(crate) enum Watching {
    /// Nobody yet; what happens is to be sent here.
    Begin(mpsc::UnboundedSender<Event>),
    /// A watch, which is to follow the folders as they are now.
    On(Watch),
}

/// An index to be brought up to date.
pub(crate) struct Indexing {
    /// Whose.
    pub repo: RepoId,
    /// The files as the user sees them.
    pub overlay: Overlay,
    /// The index as it is.
    pub index: RepoIndex,
    /// What it was told.
    pub known: Known,
    /// Which files are to be read.
    pub stale: Stale,
    /// Git's own folders, to be watched.
    pub git: Vec<PathBuf>,
    /// Whether the folder is a repository, and no chance folder (a home, the root of a disk).
    pub whole: bool,
    /// Who watches its folders; none when nobody waits for changes.
    pub watching: Option<Watching>,
}

impl Indexing {
    /// Reads the files. Touches the disk, for seconds in large repositories.
    pub(crate) fn run(mut self) -> Indexed {
        let root = self.overlay.disk.root().to_owned();
        let mut paths = std::mem::take(&mut self.stale.paths);
        // A folder or a closed file that went and is back already looks as it did, but whoever read it meanwhile saw
        // nothing. What is open is read from its buffer.
        let is_open = |path: &RepoPath| self.overlay.buffers.contains_key(path);
        let ignores = self.stale.all || paths.iter().any(|it| it.file_name() == SOURCE_IGNORE);
        let touched = self.stale.all || !paths.iter().all(is_open);
        // The index does not change by that, but what is open was unsaved and is saved now, or differs from the disk now.
        let saved = paths.iter().any(is_open);
        let (mut watch, begins) = match self.watching.take() {
            Some(Watching::Begin(events)) => (Some(Watch::start(self.repo, &root, events)), true),
            Some(Watching::On(watch)) => (Some(watch), false),
            None => (None, false),
        };
        let mut git = false;
        if self.stale.all || begins {
            let (files, followed) = follow(watch.as_mut(), root, self.git, self.whole);
            // It was read just before the first watch, but for a work tree that has gone since.
            git = followed.is_none_or(|new| new.git && !begins);
            // Those that are gone are told too.
            paths.extend(self.known.keys().cloned());
            paths.extend(self.overlay.buffers.keys().cloned());
            paths.extend(files);
        }
        let (mut changed, mut is_back) = (false, false);
        for path in paths {
            if !is_yaml(&path) && !self.known.contains_key(&path) {
                continue;
            }
            let is_other = set(&mut self.index, &mut self.known, &self.overlay, &path);
            changed |= is_other;
            is_back |= !is_other && !self.overlay.buffers.contains_key(&path);
        }
        // Of what a `.sourceignore` leaves out the index knows nothing, builds do.
        if touched && (!changed || is_back || ignores) {
            self.index.touch();
            changed = true;
        } else if saved && !changed {
            self.index.saved();
            changed = true;
        }
        Indexed { index: self.index, known: self.known, changed, watch, git }
    }
}

/// Watches the folders as they are now; gives the files, and which watches are new; none where there is no work tree
/// any more. What comes while we look is seen: the last look is behind the last new watch.
fn follow(
    mut watch: Option<&mut Watch>,
    root: PathBuf,
    git: Vec<PathBuf>,
    whole: bool,
) -> (Vec<RepoPath>, Option<Followed>) {
    /// Somebody who makes folders faster than this is listened to later.
    const ROUNDS: usize = 5;
    let mut folders = Folders { root, inside: Vec::new(), git };
    let mut all = Followed::default();
    let mut files = Vec::new();
    for _ in 0..ROUNDS {
        (files, folders.inside) = yaml_files(&folders.root, whole);
        let Some(watch) = &mut watch else { break };
        let own = folders.root.join(".git");
        if folders.git.is_empty() && own.is_dir() {
            // It is, or becomes, a repository.
            folders.git.push(own);
        }
        let new = watch.follow(&folders);
        all.git |= new.git;
        if !new.inside {
            break;
        }
    }
    let there = folders.inside.contains(&folders.root);
    (files, there.then_some(all))
}

/// Tells a file as it is now. An index that changes makes everybody look again: only what is new is told.
fn set(index: &mut RepoIndex, known: &mut Known, overlay: &Overlay, path: &RepoPath) -> bool {
    let text = match overlay.buffers.get(path) {
        Some(text) => Some(Arc::clone(text)),
        None => overlay.disk.read_once(path).map(Arc::new),
    };
    let Some(text) = text else {
        overlay.disk.forget(path);
        index.set(path, None);
        return known.remove(path).is_some();
    };
    let digest = text.digest();
    if known.insert(path.clone(), digest) == Some(digest) {
        return false;
    }
    index.set(path, Some(text.parsed().clone()));
    true
}

/// Whether a file's name says that it is YAML. kustomize knows one name without an ending.
pub(crate) fn is_yaml(path: &RepoPath) -> bool {
    let name = path.file_name();
    name.ends_with(".yaml") || name.ends_with(".yml") || manifests::kustomize::is_kustomization_name(name)
}

/// All YAML files that Git does not ignore, and the folders that hold files.
fn yaml_files(root: &Path, whole: bool) -> (Vec<RepoPath>, Vec<PathBuf>) {
    let mut files = Vec::new();
    let mut folders = Vec::new();
    let walk = ignore::WalkBuilder::new(root)
        .hidden(false)
        .require_git(false)
        .max_depth((!whole).then_some(MAX_DEPTH))
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    let limit = if whole { usize::MAX } else { MAX_ENTRIES };
    for entry in walk.take(limit).flatten() {
        let Some(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            folders.push(entry.into_path());
            continue;
        }
        let Ok(inside) = entry.path().strip_prefix(root) else { continue };
        let parts: Option<Vec<&str>> = inside.components().map(|part| part.as_os_str().to_str()).collect();
        let Some(path) = parts.and_then(|parts| RepoPath::new(&parts.join("/"))) else { continue };
        if kind.is_file() && is_yaml(&path) {
            files.push(path);
            if files.len() >= MAX_FILES {
                tracing::warn!(
                    "{} holds more than {MAX_FILES} YAML files; the rest is not read",
                    root.display()
                );
                break;
            }
        }
    }
    (files, folders)
}
