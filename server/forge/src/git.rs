//! The user's own Git, asked for what it would use: `git credential fill`.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{Origin, Site, Token};

/// How long Git may take: a helper that is slower opens a browser or waits for somebody.
pub const LIMIT: Duration = Duration::from_secs(10);
/// More is no credential, and no complaint that anybody reads.
const OUTPUT: u64 = 64 << 10;

/// Why Git gave no answer; that it has no token is no error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// It could not be started.
    #[error("git cannot be run ({0}), so it was not asked for a token")]
    NotStarted(String),
    /// It did not end in time, and was ended.
    #[error("git's credential helper did not answer within {} s without asking somebody", LIMIT.as_secs())]
    Slow,
}

/// Asks Git for the credential of a site, without a prompt. `None` if it has none.
///
/// `folder` must be one of ours, and empty: Git runs there and looks no further up, so that no repository's configuration
/// counts — a clone's `credential.helper` is a command of whoever made the clone. Variables that Git sets for its hooks are
/// taken away for the same reason. Nothing that it starts can ask: no terminal, no askpass program, no window, no standard
/// input but ours. It runs in a process group of its own, which is ended when time is up or nobody waits any more.
///
/// Neither `approve` nor `reject` is ever said: what the user's helper keeps is the user's.
///
/// # Errors
/// [`AskError`].
pub async fn ask_git(site: &Site, folder: &Path) -> Result<Option<Token>, AskError> {
    ask("git", site, folder, LIMIT).await
}

pub(crate) async fn ask(
    program: &str,
    site: &Site,
    folder: &Path,
    limit: Duration,
) -> Result<Option<Token>, AskError> {
    let mut command = quiet(program, folder);
    command
        .args(["credential", "fill"])
        .env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap_or(folder))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let question = format!("protocol={}\nhost={}\n\n", site.scheme(), site.host);
    match run(command, limit, question.as_bytes()).await {
        Ok(ended) => Ok(if ended.succeeded { parse(&ended.output, site) } else { None }),
        Err(NoEnd::NotStarted(error)) => Err(AskError::NotStarted(error)),
        Err(NoEnd::Slow) => Err(AskError::Slow),
    }
}

/// How Git ended.
pub(crate) struct Ended {
    pub(crate) succeeded: bool,
    pub(crate) output: Vec<u8>,
    pub(crate) complaint: Vec<u8>,
}

/// Why it did not.
pub(crate) enum NoEnd {
    NotStarted(String),
    Slow,
}

/// Runs what [`quiet`] made, and ends it with all that it started when time is up or nobody waits any more. Of what it prints
/// so much is read as is piped, up to [`OUTPUT`].
pub(crate) async fn run(
    mut command: tokio::process::Command,
    limit: Duration,
    input: &[u8],
) -> Result<Ended, NoEnd> {
    let mut child = command.spawn().map_err(|error| NoEnd::NotStarted(error.to_string()))?;
    let mut group = Group::of(&child);
    let work = async {
        if let Some(mut stdin) = child.stdin.take() {
            // Fails when it has ended already, which its status tells.
            let _ = stdin.write_all(input).await;
        }
        let (output, complaint) = tokio::join!(read(child.stdout.take()), read(child.stderr.take()));
        Ended { succeeded: child.wait().await.is_ok_and(|status| status.success()), output, complaint }
    };
    let Ok(ended) = tokio::time::timeout(limit, work).await else {
        group.kill();
        let _ = child.wait().await;
        return Err(NoEnd::Slow);
    };
    // A helper that keeps a cache leaves it running on purpose.
    group.disarm();
    Ok(ended)
}

async fn read(pipe: Option<impl tokio::io::AsyncRead + Unpin>) -> Vec<u8> {
    let mut read = Vec::new();
    if let Some(pipe) = pipe {
        // What was read until it broke is what there is.
        let _ = pipe.take(OUTPUT).read_to_end(&mut read).await;
    }
    read
}

/// Git in a folder, so that nothing that it starts can ask anybody: no terminal, no askpass program, no window, no standard
/// input. Variables that Git sets for its hooks are taken away. It runs in a process group of its own.
pub(crate) fn quiet(program: &str, folder: &Path) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(program);
    command
        .args(["-c", "credential.interactive=false"])
        .current_dir(folder)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GCM_INTERACTIVE", "never")
        .env("GIT_ASKPASS", "")
        .env("SSH_ASKPASS", "")
        .env("SSH_ASKPASS_REQUIRE", "never")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    for name in
        ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_TRACE", "GIT_TRACE_CURL"]
    {
        command.env_remove(name);
    }
    #[cfg(unix)]
    command.process_group(0);
    command
}

fn parse(output: &[u8], site: &Site) -> Option<Token> {
    let text = std::str::from_utf8(output).ok()?;
    let value = |key: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        lines.find(|(name, _)| *name == key).map(|(_, value)| value.to_owned())
    };
    // A helper may have led somewhere else: what is for there is not for here.
    if value("host").is_some_and(|host| host != site.host) {
        return None;
    }
    let secret = value("password").filter(|it| !it.is_empty())?;
    Some(Token::new(site, value("username").filter(|it| !it.is_empty()), secret, Origin::Git))
}

/// The processes that Git starts; ended when dropped, unless disarmed.
struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    #[cfg(unix)]
    fn of(child: &tokio::process::Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self { leader: id.and_then(rustix::process::Pid::from_raw) }
    }

    #[cfg(not(unix))]
    fn of(_: &tokio::process::Child) -> Self {
        Self {}
    }

    fn kill(&mut self) {
        #[cfg(unix)]
        if let Some(leader) = self.leader.take() {
            // Fails when all of it has ended, which is what is wanted.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }

    fn disarm(&mut self) {
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

#[cfg(test)]
#[cfg(unix)]
pub(crate) mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Instant;

    use super::*;
    use crate::{Address, Repository, Service};

    fn site() -> Site {
        let address = Address { host: "127.0.0.1".into(), port: Some(3000), path: "o/r".into(), plain: true };
        Repository::at(&address, Service::Gitea).unwrap().site
    }

    /// A program in place of Git that does what `script` says.
    pub(crate) fn program(folder: &Path, script: &str) -> String {
        let path = folder.join("git");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    }

    async fn check(script: &str, expect: &str) {
        let folder = tempfile::tempdir().unwrap();
        let token = ask(&program(folder.path(), script), &site(), folder.path(), LIMIT).await;
        let told = match token {
            Ok(Some(token)) => token.authorization(&site()).unwrap().to_str().unwrap().to_owned(),
            Ok(None) => "none".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(told, expect);
    }

    #[tokio::test]
    async fn what_git_answers() {
        check("cat; echo username=flux; echo password=s3cret", "Basic Zmx1eDpzM2NyZXQ=").await;
        check("cat; echo password=s3cret", "token s3cret").await;
        check("echo host=evil.example; echo password=s3cret", "none").await;
        check("echo username=flux", "none").await;
        check("echo password=s3cret; exit 128", "none").await;
        check("exit 128", "none").await;
        // Nothing can ask, and no repository's configuration is read.
        check(
            r#"test "$GIT_TERMINAL_PROMPT$GCM_INTERACTIVE$GIT_ASKPASS$SSH_ASKPASS" = 0never || exit 1
               test -z "$GIT_DIR" && test -n "$GIT_CEILING_DIRECTORIES" || exit 1
               test "$(cat)" = "protocol=http
host=127.0.0.1:3000" && echo password=asked-well"#,
            "token asked-well",
        )
        .await;
    }

    #[tokio::test]
    async fn a_helper_that_waits_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("child");
        let script = format!("sleep 100 & echo $! > {}; wait", mark.display());
        let began = Instant::now();
        let asked =
            ask(&program(folder.path(), &script), &site(), folder.path(), Duration::from_millis(300)).await;
        assert_eq!(asked, Err(AskError::Slow));
        assert!(began.elapsed() < Duration::from_secs(5));
        let child: i32 = std::fs::read_to_string(mark).unwrap().trim().parse().unwrap();
        let child = rustix::process::Pid::from_raw(child).unwrap();
        let until = Instant::now() + Duration::from_secs(5);
        // Killed; whoever inherited it reaps it in a moment.
        let alive = || {
            std::fs::read_to_string(format!("/proc/{}/stat", child.as_raw_nonzero()))
                .is_ok_and(|stat| !stat.contains(") Z "))
        };
        while alive() && Instant::now() < until {
            tokio::task::yield_now().await;
        }
        assert!(!alive());
    }

    #[tokio::test]
    async fn the_real_git_obeys_no_clone() {
        let folder = tempfile::tempdir().unwrap();
        let clone = folder.path().join("clone");
        let inside = clone.join("inside");
        std::fs::create_dir_all(&inside).unwrap();
        let made = std::process::Command::new("git").arg("init").arg("-q").arg(&clone).status();
        if !made.is_ok_and(|it| it.success()) {
            println!("skipped: git is not installed");
            return;
        }
        let mark = folder.path().join("obeyed");
        let helper = format!("!touch {}; echo password=stolen", mark.display());
        let config = std::process::Command::new("git")
            .args(["config", "credential.helper", &helper])
            .current_dir(&clone)
            .status();
        assert!(config.unwrap().success());
        assert_eq!(ask_git(&site(), &inside).await, Ok(None));
        assert!(!mark.exists());
    }
}
