//! A clone, as its user makes it.

use std::path::Path;
use std::process::Command;

/// Makes the folder a clone of an address, with nothing in it.
pub fn init(repo: &Path, url: &str) {
    std::fs::remove_dir_all(repo.join(".git")).unwrap();
    git(repo, &["init", "--quiet", "--initial-branch=main"]);
    git(repo, &["remote", "add", "origin", url]);
}

/// Commits everything; gives the hash.
pub fn commit(repo: &Path, subject: &str) -> String {
    git(repo, &["add", "--all"]);
    git(repo, &["commit", "--quiet", "--allow-empty", "--message", subject]);
    head(repo)
}

/// What a push to `main` leaves behind in the clone.
pub fn push(repo: &Path) {
    git(repo, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
}

/// The commit that is checked out.
pub fn head(repo: &Path) -> String {
    git(repo, &["rev-parse", "HEAD"])
}

/// Runs Git in a folder; gives what it printed.
pub fn git(repo: &Path, arguments: &[&str]) -> String {
    let ended = Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.invalid", "-C"])
        .arg(repo)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).unwrap().trim().to_owned()
}
