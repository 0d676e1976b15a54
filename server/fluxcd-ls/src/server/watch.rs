//! Changes of the work tree and of Git, seen by ourselves: Neovim sends no file events by default on Linux, and VS
//! Code's are partial for `.git`.
//!
//! What the system cannot watch is polled (`poll.rs`), and so is the work tree's own folder: a watch ends with its
//! folder, and nobody says that the folder has come back.

mod poll;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use notify::event::{ModifyKind, RenameMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::poll::{Depth, Polled};
use super::Event;

/// A checkout writes hundreds of files: they are one change when they come this close to each other,
const QUIET: Duration = Duration::from_millis(40);
/// but are told at the latest after this.
const LATEST: Duration = Duration::from_millis(400);
/// How often folders are compared that the system does not watch.
const POLL: Duration = Duration::from_secs(5);

/// Which repository of the world something belongs to; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RepoId(pub u32);

/// What changed, coalesced.
#[derive(Debug, Default)]
pub(crate) struct RepositoryChange {
    /// Files or folders of the work tree that came, went or changed.
    pub paths: BTreeSet<PathBuf>,
    /// HEAD, a branch or the configuration changed.
    pub git: bool,
    /// Events were lost: everything may have changed.
    pub all: bool,
}

/// The folders to watch.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    /// The work tree.
    pub root: PathBuf,
    /// Every folder of the work tree that is worth a watch, the root included.
    pub inside: Vec<PathBuf>,
    /// Git's own directory of this work tree, and the one that all work trees of the clone share.
    pub git: Vec<PathBuf>,
}

/// Which watches are new: what changed before them nobody has told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Followed {
    /// Some in the work tree.
    pub inside: bool,
    /// Some in Git's directories.
    pub git: bool,
}

/// Watches until it is dropped.
pub(crate) struct Watch {
    native: Option<RecommendedWatcher>,
    watched: Shared,
    /// Whether it was said that some folders are polled.
    told: bool,
    stop: CancellationToken,
}

/// What is watched, as the receiver of the events knows it too.
type Shared = Arc<Mutex<Watched>>;

#[derive(Debug, Default)]
struct Watched {
    /// By the system. A folder that goes takes its watch with it.
    native: BTreeSet<PathBuf>,
    /// By ourselves.
    polled: Polled,
    /// Git's directories among them.
    git: Vec<PathBuf>,
}

/// The lock is held for look-ups only; each change of what it guards is complete.
fn lock(watched: &Shared) -> MutexGuard<'_, Watched> {
    watched.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Watch {
    /// Watches a work tree's own folder, for now; what happens comes as events of `repo`.
    pub(crate) fn start(repo: RepoId, root: &Path, events: mpsc::UnboundedSender<Event>) -> Watch {
        Watch::start_with(repo, root, events, true, POLL)
    }

    fn start_with(
        repo: RepoId,
        root: &Path,
        events: mpsc::UnboundedSender<Event>,
        native: bool,
        every: Duration,
    ) -> Watch {
        let stop = CancellationToken::new();
        let (sender, receiver) = mpsc::unbounded_channel();
        let watched = Shared::default();
        lock(&watched).polled.add(root, Depth::Itself);
        tokio::spawn(coalesce(repo, Arc::clone(&watched), receiver, events, stop.clone()));
        tokio::spawn(poll::poll(Arc::clone(&watched), sender.clone(), every, stop.clone()));
        // Fails only when nobody listens any more.
        let handler = move |event| drop(sender.send(event));
        let native = native.then(|| notify::recommended_watcher(handler)).and_then(|watcher| {
            watcher.inspect_err(|error| tracing::warn!(%error, "the system watches no folders")).ok()
        });
        Watch { native, watched, told: false, stop }
    }

    /// Watches these folders, and no others any more. Touches the disk: not for the owner's thread.
    pub(crate) fn follow(&mut self, folders: &Folders) -> Followed {
        lock(&self.watched).git.clone_from(&folders.git);
        let mut wanted: BTreeSet<&Path> = [folders.root.as_path()].into();
        let mut new = Followed::default();
        // Elsewhere one watch covers all below. Here a recursive one would cover ignored folders too, each with a
        // watch of its own.
        if cfg!(target_os = "linux")
            || !self.add_native(&folders.root, RecursiveMode::Recursive, &mut new.inside)
        {
            for folder in &folders.inside {
                wanted.insert(folder);
                new.inside |= self.add(folder, RecursiveMode::NonRecursive);
            }
        }
        let refs: Vec<PathBuf> = folders.git.iter().map(|folder| folder.join("refs")).collect();
        for folder in &folders.git {
            wanted.insert(folder);
            new.git |= self.add(folder, RecursiveMode::NonRecursive);
        }
        for folder in refs.iter().filter(|folder| folder.is_dir()) {
            wanted.insert(folder);
            new.git |= self.add(folder, RecursiveMode::Recursive);
        }
        let mut watched = lock(&self.watched);
        watched.polled.retain(&wanted);
        if !folders.inside.contains(&folders.root) {
            watched.polled.gone(&folders.root);
        }
        let gone: Vec<PathBuf> = watched.native.extract_if(.., |it| !wanted.contains(it.as_path())).collect();
        drop(watched);
        for folder in gone {
            if let Some(native) = &mut self.native {
                // It may have gone by itself.
                let _ = native.unwatch(&folder);
            }
        }
        new
    }

    /// Whether the watch is new.
    fn add(&mut self, folder: &Path, mode: RecursiveMode) -> bool {
        let mut new = false;
        if self.add_native(folder, mode, &mut new) {
            return new;
        }
        let depth = match mode {
            RecursiveMode::Recursive => Depth::Below,
            RecursiveMode::NonRecursive => Depth::Inside,
        };
        lock(&self.watched).polled.add(folder, depth)
    }

    /// Lets the system watch a folder; false when it cannot.
    fn add_native(&mut self, folder: &Path, mode: RecursiveMode, new: &mut bool) -> bool {
        let Some(native) = &mut self.native else { return false };
        if !lock(&self.watched).native.insert(folder.to_owned()) {
            return true;
        }
        let Err(error) = native.watch(folder, mode) else {
            *new = true;
            return true;
        };
        lock(&self.watched).native.remove(folder);
        if matches!(error.kind, notify::ErrorKind::PathNotFound) || !folder.exists() {
            // It went while we looked.
            return true;
        }
        if !std::mem::replace(&mut self.told, true) {
            tracing::warn!(%error, "the system has no watches left: changes of some files are seen within {POLL:?}");
        }
        false
    }
}

async fn coalesce(
    repo: RepoId,
    watched: Shared,
    mut raw: mpsc::UnboundedReceiver<notify::Result<notify::Event>>,
    events: mpsc::UnboundedSender<Event>,
    stop: CancellationToken,
) {
    loop {
        let mut change = RepositoryChange::default();
        let mut latest = None;
        loop {
            let quiet = tokio::time::sleep(QUIET);
            let event = tokio::select! {
                () = stop.cancelled() => return,
                event = raw.recv() => match event {
                    Some(event) => event,
                    None => return,
                },
                () = quiet, if latest.is_some() => break,
            };
            note(&mut change, &watched, event);
            let empty = change.paths.is_empty() && !change.git && !change.all;
            if !empty
                && *latest.get_or_insert_with(tokio::time::Instant::now) + LATEST
                    < tokio::time::Instant::now()
            {
                break;
            }
        }
        if events.send(Event::Repository(repo, change)).is_err() {
            return;
        }
    }
}

fn note(change: &mut RepositoryChange, watched: &Shared, event: notify::Result<notify::Event>) {
    let event = match event {
        Ok(event) => event,
        Err(error) => {
            tracing::info!(%error, "file events were lost");
            change.all = true;
            return;
        }
    };
    if event.need_rescan() {
        change.all = true;
    }
    if matches!(event.kind, EventKind::Access(_)) {
        return;
    }
    let gone =
        matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)));
    let mut watched = lock(watched);
    for path in event.paths {
        if gone {
            // With the folder its watch went, and those below: should it come back, it is watched anew.
            watched.native.retain(|folder| !folder.starts_with(&path));
        }
        match watched.git.iter().find_map(|folder| path.strip_prefix(folder).ok()) {
            Some(inside) => change.git |= tells_of_commits(inside),
            None => {
                change.paths.insert(path);
            }
        }
    }
}

/// Whether a file of Git's directory says where branches are, or whether there is a repository at all. The index and
/// the objects do not.
fn tells_of_commits(inside: &Path) -> bool {
    if inside.extension().is_some_and(|extension| extension == "lock") {
        return false;
    }
    let mut parts = inside.components();
    match parts.next().and_then(|part| part.as_os_str().to_str()) {
        Some("HEAD" | "packed-refs" | "FETCH_HEAD" | "config" | "shallow") => parts.next().is_none(),
        Some("objects") => parts.next().is_none(),
        Some("refs") | None => true,
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests;
