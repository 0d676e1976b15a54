//! Folders that are compared from time to time. notify's own polling compares whole seconds, and only whether a file
//! became younger: an edit within a second, or an older file moved into its place, would never be seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use notify::EventKind;
use notify::event::RemoveKind;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Shared, lock};

/// How much of a folder is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Depth {
    /// Whether it is there, and the same.
    Itself,
    /// What is in it, too.
    Inside,
    /// What is in the folders in it, too.
    Below,
}

/// What tells a file or a folder from what was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stamp {
    /// What changes in it is told of what is in it.
    Folder(Made),
    File(Made, u64, Option<SystemTime>),
}

/// A number alone is given again to what is made next.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Made {
    inode: u64,
    at: Option<SystemTime>,
}

type Entries = BTreeMap<PathBuf, Stamp>;

/// Folders, with what was in them at the last look.
#[derive(Debug, Default)]
pub(super) struct Polled(BTreeMap<PathBuf, (Depth, Entries)>);

impl Polled {
    /// Whether it looks at more than before. From now on differences are told.
    pub(super) fn add(&mut self, folder: &Path, depth: Depth) -> bool {
        if self.0.get(folder).is_some_and(|(known, _)| *known >= depth) {
            return false;
        }
        self.0.insert(folder.to_owned(), (depth, look(folder, depth)));
        true
    }

    /// A folder is not there: when it is, that is told, however soon.
    pub(super) fn gone(&mut self, folder: &Path) {
        if let Some((_, entries)) = self.0.get_mut(folder) {
            entries.clear();
        }
    }

    /// Looks at no others any more.
    pub(super) fn retain(&mut self, wanted: &BTreeSet<&Path>) {
        self.0.retain(|folder, _| wanted.contains(folder.as_path()));
    }

    fn folders(&self) -> Vec<(PathBuf, Depth)> {
        self.0.iter().map(|(folder, (depth, _))| (folder.clone(), *depth)).collect()
    }

    /// Takes what was seen; what differs comes back as events.
    fn saw(&mut self, folder: &Path, depth: Depth, now: Entries) -> Vec<notify::Event> {
        // Meanwhile it may have been let go, or looked at more closely.
        let Some((_, before)) = self.0.get_mut(folder).filter(|(known, _)| *known == depth) else {
            return Vec::new();
        };
        let event = |kind, path: &Path| notify::Event::new(kind).add_path(path.to_owned());
        let mut events = Vec::new();
        for (path, stamp) in &*before {
            match (stamp, now.get(path)) {
                (old, Some(new)) if old == new => {}
                (Stamp::File(..), Some(Stamp::File(..))) => events.push(event(EventKind::Any, path)),
                // Another folder by the same name is one that went and came.
                _ => events.push(event(EventKind::Remove(RemoveKind::Any), path)),
            }
        }
        events.extend(
            now.keys().filter(|path| !before.contains_key(*path)).map(|path| event(EventKind::Any, path)),
        );
        *before = now;
        events
    }
}

/// Compares until it is stopped.
pub(super) async fn poll(
    watched: Shared,
    raw: mpsc::UnboundedSender<notify::Result<notify::Event>>,
    every: Duration,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        let (watched, raw) = (Arc::clone(&watched), raw.clone());
        let round = tokio::task::spawn_blocking(move || {
            let folders = lock(&watched).polled.folders();
            for (folder, depth) in folders {
                let now = look(&folder, depth);
                for event in lock(&watched).polled.saw(&folder, depth, now) {
                    // Fails only when nobody listens any more.
                    let _ = raw.send(Ok(event));
                }
            }
        });
        if let Err(error) = round.await {
            tracing::error!(%error, "folders could not be compared");
        }
    }
}

fn look(folder: &Path, depth: Depth) -> Entries {
    let mut entries = Entries::new();
    entries.extend(stamp(folder).map(|stamp| (folder.to_owned(), stamp)));
    if depth == Depth::Itself {
        return entries;
    }
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Some(stamp) = stamp(&path) else { continue };
            if depth == Depth::Below && matches!(stamp, Stamp::Folder(_)) {
                folders.push(path.clone());
            }
            entries.insert(path, stamp);
        }
    }
    entries
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = path.symlink_metadata().ok()?;
    let made = Made { inode: inode(&metadata), at: metadata.created().ok() };
    Some(if metadata.is_dir() {
        Stamp::Folder(made)
    } else {
        Stamp::File(made, metadata.len(), metadata.modified().ok())
    })
}

#[cfg(unix)]
fn inode(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &std::fs::Metadata) -> u64 {
    0
}
