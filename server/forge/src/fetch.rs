//! `git fetch`, when somebody asked for it: how far a text has come is told of what this clone knows.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::git::{NoEnd, quiet, run};

/// How long a fetch may take.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Why nothing was fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It could not be started.
    #[error("git cannot be run ({0})")]
    NotStarted(String),
    /// It did not end in time, and was ended.
    #[error("git fetch did not end within {} s, and was ended", LIMIT.as_secs())]
    Slow,
    /// What Git said, in a line.
    #[error("git fetch: {0}")]
    Refused(String),
}

/// Fetches from remotes of a clone, by name; from none named, what `git fetch` means there. Branches and files stay as they
/// are. Git reads the clone's own configuration, as it does when its user fetches: only for whom trusts the folder. Nothing
/// that it starts can ask anybody; a login that would is an error. Dropped, it ends all that it started.
///
/// # Errors
/// [`FetchError`].
pub async fn fetch(clone: &Path, remotes: &[String]) -> Result<(), FetchError> {
    fetch_with("git", clone, remotes, LIMIT).await
}

async fn fetch_with(
    program: &str,
    clone: &Path,
    remotes: &[String],
    limit: Duration,
) -> Result<(), FetchError> {
    let mut command = quiet(program, clone);
    // Nothing is to go on when it has ended, nor to happen inside submodules.
    command.args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"]);
    command.args(["fetch", "--quiet", "--no-recurse-submodules"]);
    if !remotes.is_empty() {
        command.arg("--multiple").arg("--").args(remotes);
    }
    command.stderr(Stdio::piped());
    match run(command, limit, &[]).await {
        Ok(ended) if ended.succeeded => Ok(()),
        Ok(ended) => Err(FetchError::Refused(complaint(&String::from_utf8_lossy(&ended.complaint)))),
        Err(NoEnd::NotStarted(error)) => Err(FetchError::NotStarted(error)),
        Err(NoEnd::Slow) => Err(FetchError::Slow),
    }
}

/// The line that says what is wrong: the first that Git calls fatal, else the last one.
fn complaint(said: &str) -> String {
    let lines = || said.lines().map(str::trim).filter(|it| !it.is_empty());
    let fatal = lines().find_map(|it| it.strip_prefix("fatal: "));
    let line = fatal.or_else(|| lines().next_back()).unwrap_or("it failed and did not say why");
    line.chars().filter(|it| !it.is_control()).take(300).collect()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::git::tests::program;

    async fn check(script: &str, remotes: &[&str], expect: Result<(), &str>) {
        let folder = tempfile::tempdir().unwrap();
        let remotes: Vec<String> = remotes.iter().map(|it| (*it).to_owned()).collect();
        let ended = fetch_with(&program(folder.path(), script), folder.path(), &remotes, LIMIT).await;
        assert_eq!(ended.map_err(|it| it.to_string()), expect.map_err(str::to_owned));
    }

    #[tokio::test]
    async fn how_a_fetch_ends() {
        check("exit 0", &[], Ok(())).await;
        check(
            "echo remote: hello >&2; echo \"fatal: Authentication failed for 'x'\" >&2; echo hint >&2; exit 128",
            &[],
            Err("git fetch: Authentication failed for 'x'"),
        )
        .await;
        check("printf 'no \\033[31mway\\n' >&2; exit 1", &[], Err("git fetch: no [31mway")).await;
        check("exit 1", &[], Err("git fetch: it failed and did not say why")).await;
        // What it is told: nobody can be asked, and a remote's name is no option.
        check(
            r#"test "$GIT_TERMINAL_PROMPT$GCM_INTERACTIVE$GIT_ASKPASS$SSH_ASKPASS" = 0never || exit 1
               echo "$*" >&2; exit 1"#,
            &["origin", "--upload-pack=evil"],
            Err(
                "git fetch: -c credential.interactive=false -c gc.auto=0 -c maintenance.auto=false fetch --quiet \
                 --no-recurse-submodules --multiple -- origin --upload-pack=evil",
            ),
        )
        .await;
    }

    #[tokio::test]
    async fn a_fetch_that_hangs_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let hanging = program(folder.path(), "sleep 100 & wait");
        let ended = fetch_with(&hanging, folder.path(), &[], Duration::from_millis(200)).await;
        assert_eq!(ended, Err(FetchError::Slow));
    }
}
