//! The end of a login command and of all that it started.

/// The process group of a command; killed when dropped, unless disarmed, and when this process is killed.
pub(super) struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
    /// Ends the group should we be killed, who can then end nothing any more.
    #[cfg(unix)]
    _guard: Option<tokio::process::Child>,
}

impl Group {
    #[cfg(unix)]
    pub(super) fn of(child: &tokio::process::Child) -> Self {
        let leader =
            child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        Self { leader, _guard: leader.and_then(guard) }
    }

    #[cfg(not(unix))]
    pub(super) fn of(_: &tokio::process::Child) -> Self {
        Self {}
    }

    pub(super) fn kill(&mut self) {
        #[cfg(unix)]
        if let Some(leader) = self.leader.take() {
            // Fails when all of it has ended, which is what is wanted.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }

    pub(super) fn disarm(&mut self) {
        #[cfg(unix)]
        {
            self.leader = None;
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A shell that waits for the end of its input, which is held by nobody but us: however we end, it reads it. (The
/// signal that Linux sends to the children of a process that dies reaches the command alone, not what it started,
/// and is sent when a mere thread of ours ends.) It is killed when it is dropped.
#[cfg(unix)]
fn guard(leader: rustix::process::Pid) -> Option<tokio::process::Child> {
    use std::process::Stdio;
    let guard = tokio::process::Command::new("/bin/sh")
        .args([
            "-c",
            r#"read -r _; kill -s KILL -- "-$1""#,
            "fluxcd-ls-guard",
            &leader.as_raw_nonzero().to_string(),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A Ctrl-C in the terminal is ours to take.
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    guard
        .inspect_err(|error| tracing::warn!(%error, "a login command would outlive us, should we be killed"))
        .ok()
}
