//! The repository as it is in front of the user: the disk, overlaid by what is open and not saved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use dashmap::DashMap;
use manifests::{FileKind, ParsedFile, RepoPath, Tree};

use super::documents::Text;

/// A folder on the disk, with what was read from it. Shared by all workers.
#[derive(Debug)]
pub(crate) struct Disk {
    root: PathBuf,
    /// By path: what was read. Asked before every use whether the file still looks so: file events can be lost.
    read: DashMap<RepoPath, Read>,
}

/// A file as it was read.
#[derive(Debug)]
struct Read {
    /// What it looked like.
    stamp: Stamp,
    /// Its text with its tree.
    text: Arc<Text>,
    /// Whether a later change would have made it look otherwise.
    settled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
}

/// Changes within this time may leave the time of the last change as it is: file systems count in ticks.
const TICK: Duration = Duration::from_millis(100);

/// Clocks of other machines are not waited for longer than this.
const AHEAD: Duration = Duration::from_secs(10);

impl Stamp {
    /// Whether what is written from now on gets another time.
    fn is_past(&self) -> bool {
        let now = SystemTime::now();
        self.modified.is_none_or(|it| it + TICK < now || it > now + AHEAD)
    }
}

impl Disk {
    /// The folder.
    pub(crate) fn new(root: PathBuf) -> Disk {
        Disk { root, read: DashMap::new() }
    }

    /// Where it is.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A file's absolute path.
    pub(crate) fn absolute(&self, path: &RepoPath) -> PathBuf {
        let mut absolute = self.root.clone();
        absolute.extend(path.parts());
        absolute
    }

    /// A file's text, and its tree when someone asks for it. None for what is no regular file, is reached through
    /// a symbolic link, cannot be read, or is too large to be a manifest.
    pub(crate) fn text(&self, path: &RepoPath) -> Option<Arc<Text>> {
        let Some(stamp) = self.stamp(path) else {
            self.read.remove(path);
            return None;
        };
        let known = self.read.get(path).map(|it| (it.stamp, Arc::clone(&it.text), it.settled));
        if let Some((_, text, true)) = known.as_ref().filter(|it| it.0 == stamp) {
            return Some(Arc::clone(text));
        }
        let now = self.read_now(path)?;
        let text = match known {
            Some((_, text, _)) if **text.string() == **now.string() => text,
            _ => Arc::new(now),
        };
        // Whoever writes it while it is read may end with what looks the same.
        let settled = stamp.is_past() && self.stamp(path) == Some(stamp);
        self.read.insert(path.clone(), Read { stamp, text: Arc::clone(&text), settled });
        Some(text)
    }

    /// A file's text without keeping it: for the one look at every file of a large repository.
    pub(crate) fn read_once(&self, path: &RepoPath) -> Option<Text> {
        self.stamp(path)?;
        self.read_now(path)
    }

    fn read_now(&self, path: &RepoPath) -> Option<Text> {
        let bytes = std::fs::read(self.absolute(path)).ok()?;
        Some(Text::new(&manifests::decode(bytes).text))
    }

    fn stamp(&self, path: &RepoPath) -> Option<Stamp> {
        let mut absolute = self.root.clone();
        let mut found = None;
        for part in path.parts() {
            absolute.push(part);
            let metadata = absolute.symlink_metadata().ok()?;
            if metadata.is_symlink() {
                return None;
            }
            found = Some(metadata);
        }
        let metadata = found.filter(|metadata| metadata.is_file())?;
        let length = metadata.len();
        let fits = usize::try_from(length).is_ok_and(|length| length <= manifests::MAX_FILE_LEN);
        fits.then(|| Stamp { length, modified: metadata.modified().ok() })
    }

    /// Forgets what is not there any more.
    pub(crate) fn forget(&self, path: &RepoPath) {
        self.read.remove(path);
    }
}

/// The disk and the buffers, at one moment. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Overlay {
    /// What is saved.
    pub disk: Arc<Disk>,
    /// What is open.
    pub buffers: Arc<BTreeMap<RepoPath, Arc<Text>>>,
}

impl Overlay {
    /// The text of a file as the user sees it.
    pub(crate) fn text(&self, path: &RepoPath) -> Option<Arc<Text>> {
        self.buffers.get(path).cloned().or_else(|| self.disk.text(path))
    }

    /// Whether anything that is open is not what is saved.
    pub(crate) fn is_dirty(&self) -> bool {
        self.buffers.iter().any(|(path, text)| {
            let saved = self.disk.text(path);
            saved.is_none_or(|it| it.digest() != text.digest())
        })
    }
}

impl Tree for Disk {
    fn read(&self, path: &RepoPath) -> Option<Arc<str>> {
        self.text(path).map(|text| Arc::clone(text.string()))
    }

    fn parsed(&self, path: &RepoPath) -> Option<ParsedFile> {
        self.text(path).map(|text| text.parsed().clone())
    }

    fn list(&self, directory: &RepoPath) -> Vec<(String, FileKind)> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(self.absolute(directory)).into_iter().flatten().flatten() {
            let (Ok(name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) else { continue };
            if name == ".git" {
                continue;
            }
            let kind = match kind {
                kind if kind.is_symlink() => FileKind::Symlink,
                kind if kind.is_dir() => FileKind::Directory,
                kind if kind.is_file() => FileKind::File,
                _ => FileKind::Other,
            };
            found.push((name, kind));
        }
        found
    }
}

impl Tree for Overlay {
    fn read(&self, path: &RepoPath) -> Option<Arc<str>> {
        self.text(path).map(|text| Arc::clone(text.string()))
    }

    fn parsed(&self, path: &RepoPath) -> Option<ParsedFile> {
        self.text(path).map(|text| text.parsed().clone())
    }

    fn list(&self, directory: &RepoPath) -> Vec<(String, FileKind)> {
        let mut found: BTreeMap<String, FileKind> = self.disk.list(directory).into_iter().collect();
        // A file that was never saved is part of what the user sees.
        let depth = directory.parts().count();
        for path in self.buffers.keys().filter(|path| path.starts_with(directory)) {
            let mut below = path.parts().skip(depth);
            if let Some(name) = below.next() {
                let kind = if below.next().is_some() { FileKind::Directory } else { FileKind::File };
                found.entry(name.to_owned()).or_insert(kind);
            }
        }
        found.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two changes within a tick, of the same length: only the second one's text is there.
    #[test]
    fn what_looks_the_same_may_be_another_text() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = RepoPath::new("a.yaml").expect("a path");
        let disk = Disk::new(folder.path().to_owned());
        let at = SystemTime::now() + AHEAD / 2;
        let write = |text: &str| {
            std::fs::write(folder.path().join("a.yaml"), text).expect("the file is written");
            let file = std::fs::File::options().append(true).open(folder.path().join("a.yaml"));
            file.expect("the file opens").set_modified(at).expect("its time is set");
            disk.text(&path).expect("a text")
        };
        assert_eq!(&**write("a: 1\n").string(), "a: 1\n");
        let second = write("a: 2\n");
        assert_eq!(&**second.string(), "a: 2\n");
        assert!(Arc::ptr_eq(&second, &disk.text(&path).expect("a text")), "the same text is one");
    }

    fn path(text: &str) -> RepoPath {
        RepoPath::new(text).unwrap()
    }

    #[test]
    fn buffers_lie_over_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("apps")).unwrap();
        std::fs::write(folder.path().join("apps/a.yaml"), "a: 1").unwrap();
        std::fs::write(folder.path().join("apps/wrong.yaml"), b"a: \xff").unwrap();
        let buffers = [("apps/a.yaml", "a: 2"), ("apps/new/b.yaml", "b: 1")];
        let overlay = Overlay {
            disk: Arc::new(Disk::new(folder.path().to_owned())),
            buffers: Arc::new(buffers.map(|(name, text)| (path(name), Arc::new(Text::new(text)))).into()),
        };
        assert_eq!(overlay.read(&path("apps/a.yaml")).as_deref(), Some("a: 2"));
        assert_eq!(overlay.disk.text(&path("apps/a.yaml")).unwrap().string().as_ref(), "a: 1");
        assert_eq!(overlay.read(&path("apps/wrong.yaml")).as_deref(), Some("a: \u{fffd}"));
        let names: Vec<_> = overlay.list(&path("apps")).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a.yaml", "new", "wrong.yaml"]);
    }

    #[test]
    fn what_changes_on_the_disk_is_read_again_and_what_goes_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path().to_owned());
        let file = folder.path().join("a.yaml");
        std::fs::write(&file, "a: 1").unwrap();
        let first = disk.text(&path("a.yaml")).unwrap();
        assert!(Arc::ptr_eq(&first, &disk.text(&path("a.yaml")).unwrap()));
        std::fs::write(&file, "a: 10").unwrap();
        assert_eq!(disk.text(&path("a.yaml")).unwrap().string().as_ref(), "a: 10");
        folder.close().unwrap();
        assert!(disk.text(&path("a.yaml")).is_none());
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_links_are_not_followed_in_any_part() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("real")).unwrap();
        std::fs::write(folder.path().join("real/a.yaml"), "a: 1").unwrap();
        std::os::unix::fs::symlink("real", folder.path().join("link")).unwrap();
        let disk = Disk::new(folder.path().to_owned());
        assert!(disk.text(&path("real/a.yaml")).is_some());
        assert!(disk.text(&path("link/a.yaml")).is_none());
    }
}
