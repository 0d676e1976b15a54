//! Changes of the work tree and of Git, seen by ourselves: Neovim sends no file events by default on Linux, and VS
//! Code's are partial for `.git`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Event;

/// A checkout writes hundreds of files: they are one change when they come this close to each other,
const QUIET: Duration = Duration::from_millis(40);
/// but are told at the latest after this.
const LATEST: Duration = Duration::from_millis(400);
/// How often folders are compared where the system has no watches left.
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

/// Watches until it is dropped.
pub(crate) struct Watch {
    watcher: Box<dyn Watcher + Send>,
    watched: BTreeSet<PathBuf>,
    stop: CancellationToken,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Watch {
    /// Starts watching; what happens comes as events of `repo`. Touches the disk: not for the owner's thread.
    pub(crate) fn start(
        repo: RepoId,
        folders: &Folders,
        events: mpsc::UnboundedSender<Event>,
    ) -> Option<Watch> {
        let stop = CancellationToken::new();
        let (sender, receiver) = mpsc::unbounded_channel();
        let git = folders.git.clone();
        tokio::spawn(coalesce(repo, git, receiver, events, stop.clone()));
        let handler = {
            let sender = sender.clone();
            // Fails only when nobody listens any more.
            move |event| drop(sender.send(event))
        };
        let native = notify::recommended_watcher(handler.clone())
            .map(|watcher| Box::new(watcher) as Box<dyn Watcher + Send>);
        let mut watch =
            native.ok().map(|watcher| Watch { watcher, watched: BTreeSet::new(), stop: stop.clone() });
        if let Some(watch) = &mut watch
            && let Err(error) = watch.add(folders)
        {
            tracing::warn!(%error, "the system has no watches left: changes of files are seen within {POLL:?}");
        } else if watch.is_some() {
            return watch;
        }
        let config = notify::Config::default().with_poll_interval(POLL);
        let watcher = notify::PollWatcher::new(handler, config).ok()?;
        // Not dropped before it is replaced: dropping cancels the task that both share.
        if let Some(mut native) = watch {
            native.stop = CancellationToken::new();
        }
        let mut watch = Watch { watcher: Box::new(watcher), watched: BTreeSet::new(), stop };
        if let Err(error) = watch.add(folders) {
            tracing::warn!(%error, "changes of files are not seen");
        }
        Some(watch)
    }

    /// Watches folders that are new as well.
    pub(crate) fn add(&mut self, folders: &Folders) -> notify::Result<()> {
        if cfg!(target_os = "linux") {
            // A recursive watch would cover ignored folders too, each with a watch of its own.
            for folder in &folders.inside {
                self.watch(folder, RecursiveMode::NonRecursive)?;
            }
        } else {
            self.watch(&folders.root, RecursiveMode::Recursive)?;
        }
        for folder in &folders.git {
            self.watch(folder, RecursiveMode::NonRecursive)?;
            let refs = folder.join("refs");
            if refs.is_dir() {
                self.watch(&refs, RecursiveMode::Recursive)?;
            }
        }
        Ok(())
    }

    fn watch(&mut self, folder: &Path, mode: RecursiveMode) -> notify::Result<()> {
        if !self.watched.insert(folder.to_owned()) {
            return Ok(());
        }
        match self.watcher.watch(folder, mode) {
            Ok(()) => Ok(()),
            // It went while we looked.
            Err(error) if matches!(error.kind, notify::ErrorKind::PathNotFound) || !folder.exists() => {
                self.watched.remove(folder);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

async fn coalesce(
    repo: RepoId,
    git: Vec<PathBuf>,
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
            note(&mut change, &git, event);
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

fn note(change: &mut RepositoryChange, git: &[PathBuf], event: notify::Result<notify::Event>) {
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
    if matches!(event.kind, notify::EventKind::Access(_)) {
        return;
    }
    for path in event.paths {
        match git.iter().find_map(|folder| path.strip_prefix(folder).ok()) {
            Some(inside) => change.git |= tells_of_commits(inside),
            None => {
                change.paths.insert(path);
            }
        }
    }
}

/// Whether a file of Git's directory says where branches are. The index and the objects do not.
fn tells_of_commits(inside: &Path) -> bool {
    if inside.extension().is_some_and(|extension| extension == "lock") {
        return false;
    }
    let mut parts = inside.components();
    match parts.next().and_then(|part| part.as_os_str().to_str()) {
        Some("HEAD" | "packed-refs" | "FETCH_HEAD" | "config" | "shallow") => parts.next().is_none(),
        Some("refs") => true,
        _ => false,
    }
}
