//! A case as a clone on disk.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Case;
use crate::case::{DATES, Files};

/// A clone, as a person has it who pushed all commits.
#[derive(Debug)]
pub struct LaidOut {
    /// The folder.
    pub dir: PathBuf,
    /// The hashes of the commits, oldest first. The same at every time.
    pub commits: Vec<String>,
}

/// Writes a case into an empty folder, with its history.
pub fn lay_out(case: &Case, dir: &Path) -> LaidOut {
    git(dir, &["init", "--quiet", "--initial-branch=main"], &[]);
    git(dir, &["remote", "add", "origin", &case.url()], &[]);
    let mut laid_out = LaidOut { dir: dir.to_owned(), commits: Vec::new() };
    let subjects = ["Begin", "Change it"];
    for (number, files) in case.commits.iter().enumerate() {
        if number > 0 {
            git(dir, &["rm", "-r", "--quiet", "."], &[]);
        }
        write(dir, files);
        git(dir, &["add", "--all", "--force"], &[]);
        let date = DATES[number];
        let mut env = vec![("GIT_AUTHOR_DATE", date), ("GIT_COMMITTER_DATE", date)];
        for role in ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"] {
            env.push((role, "Ada"));
        }
        for role in ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"] {
            env.push((role, "ada@case.invalid"));
        }
        git(dir, &["commit", "--quiet", "--no-gpg-sign", "--message", subjects[number]], &env);
        laid_out.commits.push(git(dir, &["rev-parse", "HEAD"], &[]).trim().to_owned());
    }
    git(dir, &["update-ref", "refs/remotes/origin/main", "HEAD"], &[]);
    git(dir, &["config", "branch.main.remote", "origin"], &[]);
    git(dir, &["config", "branch.main.merge", "refs/heads/main"], &[]);
    write(dir, &case.files);
    laid_out
}

fn write(dir: &Path, files: &Files) {
    for (path, text) in files {
        let file = dir.join(path.as_str());
        std::fs::create_dir_all(file.parent().expect("a file is in a folder")).expect("a folder is made");
        std::fs::write(&file, text).expect("a file is written");
    }
}

/// Runs git without anybody's configuration.
fn git(dir: &Path, arguments: &[&str], env: &[(&str, &str)]) -> String {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        // Hooks and rebases set GIT_DIR and the like for whatever they start.
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command.args(["-c", "core.autocrlf=false"]).args(arguments).current_dir(dir);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").envs(env.iter().copied());
    let ended = command.output().expect("git runs");
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "git {arguments:?} in {}: {told}", dir.display());
    String::from_utf8_lossy(&ended.stdout).into_owned()
}
