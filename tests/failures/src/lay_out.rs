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
    // Files in place of commands: there are hundreds of cases, and a process costs more than all else.
    let inside = |path: &str, text: &str| {
        let file = dir.join(".git").join(path);
        std::fs::create_dir_all(file.parent().expect("it is in .git")).expect("a folder is made");
        std::fs::write(file, text).expect("Git's own file is written");
    };
    inside(
        "config",
        &format!(
            "[core]\n\trepositoryformatversion = 0\n\tbare = false\n[remote \"origin\"]\n\turl = {}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n\
             [branch \"main\"]\n\tremote = origin\n\tmerge = refs/heads/main\n",
            case.url()
        ),
    );
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
        let head = std::fs::read_to_string(dir.join(".git/refs/heads/main")).expect("there is a commit");
        laid_out.commits.push(head.trim().to_owned());
    }
    let head = laid_out.commits.last().expect("a case has a commit");
    inside("refs/remotes/origin/main", &format!("{head}\n"));
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
fn git(dir: &Path, arguments: &[&str], env: &[(&str, &str)]) {
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
}
