//! Child processes that never outlive the testbed.
//!
//! All components run in one process group. A small shell script, the supervisor, holds the read end of a pipe whose only write
//! end is ours: when this process ends in whatever way (SIGKILL included), the script reads the end of the file, kills the
//! group and removes the folder. (The parent-death signal of Linux is tied to the spawning *thread* and needs unsafe code.)

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal};

use crate::error::{Error, Result};

const SCRIPT: &str = r#"
group=$1 folder=$2 finished= keep=
trap '' HUP INT TERM PIPE
while IFS= read -r line; do
  case $line in
    keep\ *) keep=${line#keep } ;;
    finished) finished=1 ;;
  esac
done
# Not "-KILL --": dash takes the dashes for a process.
[ -n "$finished" ] || kill -s KILL -- "-$group" 2>/dev/null
if [ -n "$keep" ] && [ -d "$folder/log" ]; then mkdir -p "$keep" && cp -R "$folder/log/." "$keep/"; fi
tries=0
while [ -e "$folder" ] && [ $tries -lt 100 ]; do
  rm -rf -- "$folder" 2>/dev/null
  [ -e "$folder" ] && sleep 0.1
  tries=$((tries + 1))
done
"#;

/// The process group of the components, and the guard that ends it.
#[derive(Debug)]
pub(crate) struct Supervisor {
    group: Pid,
    anchor: Child,
    guard: Child,
    pipe: Mutex<Option<ChildStdin>>,
    folder: PathBuf,
}

impl Supervisor {
    /// Takes charge of `folder`. `lock` stays locked until the last trace of the testbed is gone.
    pub(crate) fn start(folder: &Path, lock: File) -> Result<Self> {
        let failed = |source| Error::Spawn { program: "sh".to_owned(), source };
        // The anchor owns the group's number, so that it cannot come to mean somebody else; it ends with our pipe.
        let anchor = Command::new("sh")
            .args(["-c", "read -r _"])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let mut guard = Command::new("sh")
            .args(["-c", SCRIPT, "testbed-supervisor"])
            .arg(anchor.id().to_string())
            .arg(folder)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            // Never written to: it carries the lock's file description.
            .stdout(Stdio::from(lock))
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let pipe = guard.stdin.take();
        let group = Pid::from_child(&anchor);
        Ok(Self { group, anchor, guard, pipe: Mutex::new(pipe), folder: folder.to_owned() })
    }

    /// Starts a component: an empty environment but for `PATH` and `env`, output to `log`.
    pub(crate) fn spawn(&self, spec: Spec) -> Result<Process> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(&spec.log)
            .map_err(Error::file("open", &spec.log))?;
        let log_too = log.try_clone().map_err(Error::file("open", &spec.log))?;
        let mut command = Command::new(&spec.program);
        command
            .args(&spec.args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(&spec.env)
            .current_dir(&self.folder)
            .process_group(self.group.as_raw_nonzero().get())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_too);
        let child = command
            .spawn()
            .map_err(|source| Error::Spawn { program: spec.program.display().to_string(), source })?;
        Ok(Process { child, spec })
    }

    /// Asks for the logs to be copied to `target` when the testbed ends, however it ends.
    pub(crate) fn keep_logs(&self, target: &Path) {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipe) = pipe.as_mut() {
            // A supervisor that is gone cannot be told; its folder is gone with it.
            let _ = writeln!(pipe, "keep {}", target.display());
        }
    }

    /// Ends every component at once, whatever state it is in.
    pub(crate) fn kill_all(&self) {
        let _ = rustix::process::kill_process_group(self.group, Signal::KILL);
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.kill_all();
        let _ = self.anchor.wait();
        if let Some(mut pipe) = self.pipe.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = writeln!(pipe, "finished");
        }
        // The pipe is closed, so the script removes the folder and ends.
        let _ = self.guard.wait();
    }
}

/// How a component is started, and started again.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: BTreeMap<String, OsString>,
    pub(crate) log: PathBuf,
}

/// A running component.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) spec: Spec,
}

impl Process {
    pub(crate) fn signal(&mut self, signal: Signal) {
        // Once it is reaped, its number may be somebody else's.
        if self.ended().is_none() {
            let _ = rustix::process::kill_process(Pid::from_child(&self.child), signal);
        }
    }

    /// Kills it and waits for its end.
    pub(crate) fn stop(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }

    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// An error when it has ended although nobody stopped it.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.ended() {
            None => Ok(()),
            Some(status) => Err(Error::Ended {
                process: self.spec.name.clone(),
                status: status.to_string(),
                tail: tail(&self.spec.log, 30),
            }),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The last `lines` of a log, or why there are none.
pub(crate) fn tail(log: &Path, lines: usize) -> String {
    match std::fs::read(log) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let all: Vec<&str> = text.lines().collect();
            let mut out = String::new();
            for line in &all[all.len().saturating_sub(lines)..] {
                out.push_str("  ");
                // Controllers log whole objects at times.
                out.extend(line.chars().take(600));
                out.push('\n');
            }
            if out.is_empty() { "  (empty)\n".to_owned() } else { out }
        }
        Err(error) => format!("  ({}: {error})\n", log.display()),
    }
}
