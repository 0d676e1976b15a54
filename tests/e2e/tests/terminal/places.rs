//! The same clone in other places: a second work tree, a submodule, a folder of it, beside another repository.

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::binary::run;
use fleet::Cluster;

use super::Fleet;

/// Whether git did it; where there is no git, the test has nothing to look at.
fn git(folder: &Path, arguments: &[&str]) -> bool {
    let done = Command::new("git").current_dir(folder).args(arguments).output();
    match done {
        Ok(done) if done.status.success() => true,
        Ok(done) => panic!("git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr)),
        Err(_) => {
            println!("SKIPPED: git is not on this machine");
            false
        }
    }
}

/// `check` in a folder, with the recording of staging; what it says, without times.
fn check(fleet: &Fleet, folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = fleet.home.command([&["check"], arguments].concat());
    command.arg("--snapshot").arg(fleet.recording(Cluster::Staging)).current_dir(folder);
    let ran = run(&mut command);
    assert_eq!(ran.stderr, "");
    (ran.code, ran.stdout)
}

fn beside(fleet: &Fleet, name: &str) -> PathBuf {
    fleet.clone().with_file_name(name)
}

#[test]
fn a_second_work_tree_says_what_the_first_says() {
    let fleet = Fleet::lay_out();
    let second = beside(&fleet, "second");
    if !git(&fleet.clone(), &["worktree", "add", "--quiet", "--detach", second.to_str().unwrap(), "HEAD"]) {
        return;
    }
    assert_eq!(check(&fleet, &second, &[]), check(&fleet, &fleet.clone(), &[]));
}

#[test]
fn a_submodule_is_the_repository_that_it_is_a_clone_of() {
    let fleet = Fleet::lay_out();
    let outer = beside(&fleet, "outer");
    std::fs::create_dir(&outer).unwrap();
    if !git(&outer, &["init", "--quiet", "--initial-branch=main"]) {
        return;
    }
    let from = fleet.clone();
    git(
        &outer,
        &["-c", "protocol.file.allow=always", "submodule", "add", "--quiet", from.to_str().unwrap(), "fleet"],
    );
    let inner = outer.join("fleet");
    git(&inner, &["remote", "set-url", "origin", "http://127.0.77.1:3000/flux/fleet.git"]);
    assert_eq!(check(&fleet, &inner, &[]), check(&fleet, &fleet.clone(), &[]));
    // Of the outer one nobody asked, and nothing of it is applied.
    let (code, said) = check(&fleet, &outer, &[]);
    assert_eq!(code, 2, "{said}");
}

#[test]
fn a_folder_of_the_repository_is_looked_at_with_all_that_applies_it() {
    let fleet = Fleet::lay_out();
    let whole = check(&fleet, &fleet.clone(), &["clusters/staging"]);
    assert_eq!(check(&fleet, &fleet.clone().join("clusters"), &["staging"]), whole);
    assert_eq!(whole.0, 1);
}

#[test]
fn a_repository_beside_another_is_not_mixed_up_with_it() {
    let fleet = Fleet::lay_out();
    let other = beside(&fleet, "other");
    fleet::lay_out(&other).unwrap();
    if !git(&other, &["remote", "set-url", "origin", "https://git.example/other.git"]) {
        return;
    }
    let (code, said) = check(&fleet, &other, &[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("none of its sources is this repository"), "{said}");
    // Asked for by path from beside it, it is still that repository.
    let (code, _) = check(&fleet, &other, &[fleet.clone().join("clusters/staging").to_str().unwrap()]);
    assert_eq!(code, 1);
}

/// A build that reads files through links, into the repository and out of it: Flux's artifacts hold no link.
#[test]
#[cfg(unix)]
fn links_into_the_repository_and_out_of_it_are_not_followed() {
    let fleet = Fleet::lay_out();
    let secret = beside(&fleet, "secret.yaml");
    std::fs::write(&secret, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: outside}\n").unwrap();
    let before = check(&fleet, &fleet.clone(), &[]);
    let folder = fleet.clone().join("clusters/staging/apps");
    std::os::unix::fs::symlink(&secret, folder.join("outside.yaml")).unwrap();
    std::os::unix::fs::symlink("..", folder.join("round")).unwrap();
    assert_eq!(check(&fleet, &fleet.clone(), &[]), before);
}
