//! Our folder for what has to outlive a window: consents, login locks.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `$XDG_STATE_HOME/fluxcd-ls`, or another folder in tests.
///
/// Everything in it is readable by its user only. Nothing in it is a credential.
#[derive(Clone, Debug)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// The folder at `path`; made when something is written.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// `$XDG_STATE_HOME/fluxcd-ls`, else `~/.local/state/fluxcd-ls` (`%LOCALAPPDATA%` on Windows). `None` without
    /// a home folder. `env` is `std::env::var_os` outside tests.
    pub fn locate(env: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let set = |name: &str| env(name).map(PathBuf::from).filter(|p| p.is_absolute());
        let base = set("XDG_STATE_HOME")
            .or_else(|| set("HOME").map(|h| h.join(".local").join("state")))
            .or_else(|| set("LOCALAPPDATA"))?;
        Some(Self(base.join("fluxcd-ls")))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder, made if it is not there.
    pub(crate) fn make(&self) -> io::Result<&Path> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.0)?;
        Ok(&self.0)
    }

    /// Writes `name` so that a reader sees the old or the new content, never half of it.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let dir = self.make()?;
        // The process id keeps two windows from writing into the same temporary file.
        let temporary = dir.join(format!(".{name}.{}.tmp", std::process::id()));
        let written = (|| {
            let mut file = private(&temporary, true)?;
            file.write_all(content)?;
            file.sync_all()?;
            std::fs::rename(&temporary, dir.join(name))
        })();
        if written.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        written
    }

    /// The content of `name`; `None` if there is none.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match std::fs::read(self.0.join(name)) {
            Ok(content) => Ok(Some(content)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Takes the lock `name`, waiting for whoever has it. Blocks: for short sections on a thread that may wait.
    pub(crate) fn lock_blocking(&self, name: &str) -> io::Result<Lock> {
        let file = private(&self.make()?.join(name), false)?;
        file.lock()?;
        Ok(Lock { _file: file })
    }

    /// Takes the lock `name` if nobody has it.
    pub(crate) fn try_lock(&self, name: &str) -> io::Result<Option<Lock>> {
        let file = private(&self.make()?.join(name), false)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(e)) => Err(e),
        }
    }

    /// Takes the lock `name`; other windows and commands may have it for minutes. Dropping the future gives up.
    ///
    /// Asks again and again instead of waiting in the kernel: a thread that waits there cannot be cancelled, and
    /// would keep the process from ending.
    pub(crate) async fn lock(&self, name: &str) -> io::Result<Lock> {
        loop {
            if let Some(lock) = self.try_lock(name)? {
                return Ok(lock);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A lock on a file of the state folder, across processes. Released when dropped, and by the system when the
/// process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

fn private(path: &Path, truncate: bool) -> io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(truncate);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
