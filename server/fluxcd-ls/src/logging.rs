//! The log: a file of bounded size for each process, and nothing on the standard error, which editors show to
//! people as errors, line by line.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::settings::LogLevel;

/// A full log is renamed to `….old` and a new one begun: at most twice this is kept, in bytes.
const MAX_SIZE: u64 = 4 * 1024 * 1024;
/// Logs of earlier processes that are kept.
const KEPT: usize = 10;

/// Changes what goes into the log while the process runs.
pub struct Log {
    set: Box<dyn Fn(LogLevel) + Send + Sync>,
    /// The file; it exists once something was written.
    pub file: PathBuf,
}

impl Log {
    /// Only what is as bad as `level` is written from now on.
    pub fn set_level(&self, level: LogLevel) {
        (self.set)(level);
    }
}

/// Starts the log of this process in a folder. Panics go there too.
pub fn start(folder: &Path, level: LogLevel) -> Log {
    let file = folder.join(format!("fluxcd-ls-{}.log", std::process::id()));
    let writer = Writer(Arc::new(Mutex::new(Open { file: file.clone(), open: None, size: 0 })));
    let builder = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(writer)
        .with_env_filter(filter(level))
        .with_filter_reloading();
    let handle = builder.reload_handle();
    // Fails when there is a log already (tests that start several servers in a process).
    let _ = builder.try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        let backtrace = std::backtrace::Backtrace::force_capture();
        tracing::error!(target: "fluxcd_ls::panic", place, message, %backtrace, "a step failed; the server goes on");
    }));
    Log {
        set: Box::new(move |level| {
            if let Err(error) = handle.reload(filter(level)) {
                tracing::warn!(%error, "the log keeps its level");
            }
        }),
        file,
    }
}

/// Our own crates at the level; the libraries only when they complain, or everything was asked for. Names of our
/// crates are spelled out, because libraries log request headers at `trace`.
fn filter(level: LogLevel) -> EnvFilter {
    let libraries = if level == LogLevel::Off { LogLevel::Off } else { level.max(LogLevel::Warn) };
    // kube writes whole answers of the API server into its warnings.
    let mut directives = format!("{libraries},kube_client=off,kube_runtime=off,tower_http=off");
    for name in ["fluxcd_ls", "cluster", "history"] {
        directives.push_str(&format!(",{name}={level}"));
    }
    EnvFilter::new(directives)
}

/// Writes to a file that is made when the first line comes.
#[derive(Clone)]
struct Writer(Arc<Mutex<Open>>);

struct Open {
    file: PathBuf,
    open: Option<File>,
    size: u64,
}

impl MakeWriter<'_> for Writer {
    type Writer = Writer;

    fn make_writer(&self) -> Writer {
        self.clone()
    }
}

impl Write for Writer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if log.size > MAX_SIZE {
            log.open = None;
            log.size = 0;
            // Where it cannot be renamed it goes on growing; better than no log.
            let _ = fs::rename(&log.file, log.file.with_extension("log.old"));
        }
        if log.open.is_none() {
            if let Some(folder) = log.file.parent() {
                fs::create_dir_all(folder)?;
                remove_old(folder);
            }
            log.open = Some(OpenOptions::new().create(true).append(true).open(&log.file)?);
        }
        log.size += line.len() as u64;
        match &mut log.open {
            Some(file) => file.write_all(line).map(|()| line.len()),
            None => Ok(line.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps the newest logs of earlier processes.
fn remove_old(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut logs: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("fluxcd-ls-"))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    logs.sort();
    let surplus = logs.len().saturating_sub(KEPT);
    for (_, path) in logs.into_iter().take(surplus) {
        // Another process may have been quicker.
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(folder: &Path) -> Vec<(String, u64)> {
        let entries = fs::read_dir(folder).unwrap().flatten();
        let mut logs: Vec<_> = entries
            .map(|it| (it.file_name().to_string_lossy().into_owned(), it.metadata().unwrap().len()))
            .collect();
        logs.sort();
        logs
    }

    #[test]
    fn a_full_log_is_put_aside_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        for nth in 0..30 {
            fs::write(folder.path().join(format!("fluxcd-ls-old-{nth:02}.log")), "x").unwrap();
        }
        fs::write(folder.path().join("of-somebody-else.log"), "x").unwrap();
        let file = folder.path().join("fluxcd-ls-1.log");
        let mut writer = Writer(Arc::new(Mutex::new(Open { file, open: None, size: 0 })));
        let line = vec![b'x'; 1024 * 1024];
        // Five fit, the sixth begins anew; the twelfth puts aside what the sixth began.
        for nth in 0..12 {
            writer.write_all(&line).unwrap();
            let of_ours: Vec<_> = logs(folder.path())
                .into_iter()
                .filter(|(name, _)| name.starts_with("fluxcd-ls-1."))
                .collect();
            let size = |mib: u64| mib * 1024 * 1024;
            let expected = match nth {
                0..5 => vec![("fluxcd-ls-1.log".to_owned(), size(nth + 1))],
                5..10 => vec![
                    ("fluxcd-ls-1.log".to_owned(), size(nth - 4)),
                    ("fluxcd-ls-1.log.old".to_owned(), size(5)),
                ],
                _ => vec![
                    ("fluxcd-ls-1.log".to_owned(), size(nth - 9)),
                    ("fluxcd-ls-1.log.old".to_owned(), size(5)),
                ],
            };
            assert_eq!(of_ours, expected, "after line {nth}");
        }
        let all = logs(folder.path());
        assert!(all.iter().any(|(name, _)| name == "of-somebody-else.log"));
        assert!(all.len() <= KEPT + 3, "{all:?}");
    }
}
