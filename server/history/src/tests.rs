//! Here clones are built with gix in a temporary folder, without Git; `lab` asks Git itself to make them.

mod addresses;
mod lab;
mod references;
mod situations;
mod walks;

use std::fmt::Write as _;
use std::path::Path;

use expect_test::{Expect, expect};
use gix::ObjectId;
use gix::objs::tree::EntryKind;
use manifests::{RepoPath, Tree};
use tempfile::TempDir;

use crate::{Error, Repository, normalise_url};

/// A clone under construction.
struct Clone {
    dir: TempDir,
    repo: gix::Repository,
}

impl Clone {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let repo = gix::init(dir.path()).unwrap();
        let this = Self { dir, repo };
        this.write_git("HEAD", "ref: refs/heads/main\n");
        this
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn write_git(&self, name: &str, text: &str) {
        let path = self.repo.git_dir().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn configure(&mut self, text: &str) {
        let path = self.repo.git_dir().join("config");
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, format!("{before}{text}")).unwrap();
    }

    /// Commits files (`link -> target` makes a symbolic link) and checks them out.
    fn commit(&self, branch: &str, subject: &str, parents: &[ObjectId], files: &[(&str, &str)]) -> ObjectId {
        let mut tree = self.repo.empty_tree().edit().unwrap();
        for (name, text) in files {
            let (name, kind, text) = match name.split_once(" -> ") {
                Some((name, target)) => (name, EntryKind::Link, target),
                None => (*name, EntryKind::Blob, *text),
            };
            tree.upsert(name, kind, self.repo.write_blob(text).unwrap()).unwrap();
            if kind == EntryKind::Blob {
                let path = self.path().join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
        }
        let tree = tree.write().unwrap().detach();
        let who = gix::actor::SignatureRef {
            name: "Ada".into(),
            email: "ada@example.org".into(),
            time: "1780000000 +0200",
        };
        let parents = parents.iter().copied();
        let branch = format!("refs/heads/{branch}");
        self.repo.commit_as(who, who, branch.as_str(), subject, tree, parents).unwrap().detach()
    }

    fn open(&self) -> Repository {
        Repository::discover(self.path()).unwrap()
    }
}

fn path(text: &str) -> RepoPath {
    RepoPath::new(text).unwrap()
}

/// Paths and hashes that differ from run to run, by name.
fn masked(clone: &Clone, text: &str) -> String {
    let real = clone.path().canonicalize().unwrap();
    text.replace(real.to_str().unwrap(), "CLONE").replace(clone.path().to_str().unwrap(), "CLONE")
}

fn check_error<T: std::fmt::Debug>(result: Result<T, Error>, expect: Expect) {
    expect.assert_eq(&result.unwrap_err().to_string());
}

fn described(repo: &Repository) -> String {
    let mut text = String::new();
    writeln!(text, "work_dir {}", repo.work_dir().display()).unwrap();
    writeln!(text, "git_dir {}", repo.git_dir().display()).unwrap();
    writeln!(text, "common_dir {}", repo.common_dir().display()).unwrap();
    let head = repo.head().unwrap();
    writeln!(text, "head {:?} {}", head.branch, head.commit.map_or("none".into(), |id| id.to_string()))
        .unwrap();
    writeln!(text, "upstream {:?}", repo.upstream().unwrap()).unwrap();
    text
}

const MISSING: &str = "1111111111111111111111111111111111111111";

#[test]
fn a_normal_clone_with_an_upstream() {
    let mut clone = Clone::new();
    let first = clone.commit("main", "Add web\n\nThe body.", &[], &[("apps/web.yaml", "kind: A\n")]);
    clone.commit("main", "Change web", &[first], &[("apps/web.yaml", "kind: B\n"), ("link -> apps", "")]);
    clone.write_git("refs/remotes/origin/main", &format!("{first}\n"));
    clone.configure(
        "[remote \"origin\"]\n\turl = gh:acme/fleet\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n\
         [remote \"backup\"]\n\turl = /srv/git/fleet.git\n\
         [branch \"main\"]\n\tremote = origin\n\tmerge = refs/heads/main\n\
         [url \"git@github.com:\"]\n\tinsteadOf = gh:\n",
    );
    let repo = clone.open();
    expect![[r#"
        work_dir CLONE
        git_dir CLONE/.git
        common_dir CLONE/.git
        head Some("main") 8ac6720c8a7c04e931221f1fe4abf3bde33b54d4
        upstream Some(Upstream { remote: "origin", branch: "main", commit: Some(Sha1(f7bb247710d7024ed77ea3d2e868066836108ca3)) })
    "#]]
    .assert_eq(&masked(&clone, &described(&repo)));
    expect![[r#"
        [
            Remote {
                name: "backup",
                url: "/srv/git/fleet.git",
                rewritten: None,
            },
            Remote {
                name: "origin",
                url: "gh:acme/fleet",
                rewritten: Some(
                    "git@github.com:acme/fleet",
                ),
            },
        ]
    "#]]
    .assert_debug_eq(&repo.remotes());
    expect![[r#"
        CommitInfo {
            id: Sha1(f7bb247710d7024ed77ea3d2e868066836108ca3),
            subject: "Add web",
            author: "Ada",
            time: 2026-05-28T20:26:40Z,
        }
    "#]]
    .assert_debug_eq(&repo.commit(&first.to_string()).unwrap());
    let origin = &repo.remotes()[1];
    assert!(origin.is(&normalise_url("https://github.com/acme/fleet.git").unwrap()));
    assert!(!origin.is(&normalise_url("https://github.com/acme/other.git").unwrap()));
}

#[test]
fn trees_of_old_and_new_commits() {
    let clone = Clone::new();
    let first = clone.commit("main", "1", &[], &[("apps/web.yaml", "kind: A\n")]);
    let files = [("apps/web.yaml", "kind: B\n"), ("apps-old/x.yaml", "x"), ("link -> apps", "")];
    let second = clone.commit("main", "2", &[first], &files);
    let repo = clone.open();
    let old = repo.tree(&first.to_string()).unwrap();
    let new = repo.tree(&second.to_string()).unwrap();
    assert_eq!(old.read(&path("apps/web.yaml")).as_deref(), Some("kind: A\n"));
    assert_eq!(new.read(&path("apps/web.yaml")).as_deref(), Some("kind: B\n"));
    assert_eq!(new.read(&path("link")), None, "a symbolic link has no text");
    assert_eq!(new.read(&path("link/web.yaml")), None, "and leads nowhere");
    assert_eq!(new.read(&path("apps")), None);
    assert_eq!(new.read(&path("apps/web.yaml/x")), None);
    expect![[r#"
        [
            (
                "apps-old",
                Directory,
            ),
            (
                "apps",
                Directory,
            ),
            (
                "link",
                Symlink,
            ),
        ]
    "#]]
    .assert_debug_eq(&new.list(&path("")));
    assert_eq!(new.list(&path("apps/web.yaml")), []);
    assert_eq!(new.blob_id(&path("apps/web.yaml")), repo.head_blob(&path("apps/web.yaml")).unwrap());
    assert_ne!(old.blob_id(&path("apps/web.yaml")), new.blob_id(&path("apps/web.yaml")));
    assert_eq!(new.folder_id(&path("")), Some(new.id()));
    assert_eq!(new.fault(), None);
}

#[test]
fn the_handle_is_for_any_thread() {
    fn any_thread<T: Send + Sync>() {}
    any_thread::<Repository>();
    any_thread::<crate::GitTree>();
}

#[test]
fn a_detached_head() {
    let clone = Clone::new();
    let commit = clone.commit("main", "1", &[], &[("a.yaml", "a")]);
    clone.write_git("HEAD", &format!("{commit}\n"));
    expect![[r#"
        work_dir CLONE
        git_dir CLONE/.git
        common_dir CLONE/.git
        head None 4dc7900e3c69604bc7c1db164499c6f751e988c8
        upstream None
    "#]]
    .assert_eq(&masked(&clone, &described(&clone.open())));
}

#[test]
fn no_commit_yet() {
    let clone = Clone::new();
    std::fs::write(clone.path().join("a.yaml"), "a").unwrap();
    let repo = clone.open();
    expect![[r#"
        work_dir CLONE
        git_dir CLONE/.git
        common_dir CLONE/.git
        head Some("main") none
        upstream None
    "#]]
    .assert_eq(&masked(&clone, &described(&repo)));
    expect!["New"].assert_eq(&format!("{:?}", repo.standing(&path("a.yaml")).unwrap()));
    check_error(
        repo.resolve("HEAD"),
        expect!["'HEAD' names no commit of this clone; run `git fetch --all` if it is new"],
    );
}

#[test]
fn a_linked_work_tree() {
    let clone = Clone::new();
    let commit = clone.commit("main", "1", &[], &[("a.yaml", "a")]);
    clone.write_git("refs/heads/fix", &format!("{commit}\n"));
    clone.write_git("worktrees/fix/HEAD", "ref: refs/heads/fix\n");
    clone.write_git("worktrees/fix/commondir", "../..\n");
    let linked = clone.path().join("linked");
    clone.write_git("worktrees/fix/gitdir", &format!("{}/.git\n", linked.display()));
    std::fs::create_dir(&linked).unwrap();
    let git_dir = clone.repo.git_dir().join("worktrees/fix");
    std::fs::write(linked.join(".git"), format!("gitdir: {}\n", git_dir.display())).unwrap();
    let repo = Repository::discover(&linked.join("a.yaml")).unwrap();
    expect![[r#"
        work_dir CLONE/linked
        git_dir CLONE/.git/worktrees/fix
        common_dir CLONE/.git
        head Some("fix") 4dc7900e3c69604bc7c1db164499c6f751e988c8
        upstream None
    "#]]
    .assert_eq(&masked(&clone, &described(&repo)));
    expect!["Removed"].assert_eq(&format!("{:?}", repo.standing(&path("a.yaml")).unwrap()));
}

#[test]
fn a_submodule_is_a_repository_of_its_own() {
    let clone = Clone::new();
    clone.commit("main", "1", &[], &[("a.yaml", "a")]);
    std::fs::create_dir(clone.path().join(".git/modules")).unwrap();
    gix::init_bare(clone.path().join(".git/modules/sub")).unwrap();
    let sub = clone.path().join("sub");
    std::fs::create_dir(&sub).unwrap();
    std::fs::write(sub.join(".git"), "gitdir: ../.git/modules/sub\n").unwrap();
    let config = clone.path().join(".git/modules/sub/config");
    let text = std::fs::read_to_string(&config).unwrap().replace("bare = true", "bare = false");
    std::fs::write(config, format!("{text}\tworktree = ../../../sub\n")).unwrap();
    let repo = Repository::discover(&sub).unwrap();
    expect![[r#"
        work_dir CLONE/sub
        git_dir CLONE/.git/modules/sub
        common_dir CLONE/.git/modules/sub
        head Some("main") none
        upstream None
    "#]]
    .assert_eq(&masked(&clone, &described(&repo)));
}

#[test]
fn no_repository() {
    let dir = TempDir::new().unwrap();
    let result = Repository::discover(&dir.path().join("not/yet/there.yaml"));
    assert!(matches!(result, Err(Error::NotARepository(_))), "{result:?}");
}

#[test]
fn a_bare_repository() {
    let dir = TempDir::new().unwrap();
    gix::init_bare(dir.path()).unwrap();
    let result = Repository::discover(dir.path());
    assert!(matches!(result, Err(Error::Bare(_))), "{result:?}");
}

#[test]
fn a_git_folder_that_is_none() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join(".git"), "gitdir: gone\n").unwrap();
    let result = Repository::discover(dir.path());
    assert!(matches!(result, Err(Error::Unreadable { .. })), "{result:?}");
}

#[test]
fn commits_that_are_not_here_name_the_command() {
    let mut clone = Clone::new();
    clone.commit("main", "1", &[], &[("a.yaml", "a")]);
    check_error(
        clone.open().commit(MISSING),
        expect!["commit 1111111 is not in this clone; run `git fetch --all`"],
    );
    clone.configure("[remote \"work\"]\n\turl = /srv/git/fleet.git\n");
    check_error(
        clone.open().commit(MISSING),
        expect!["commit 1111111 is not in this clone; run `git fetch work`"],
    );
    check_error(
        clone.open().commit(MISSING).map_err(|error| error.on_branch("release")),
        expect!["commit 1111111 is not in this clone; run `git fetch work release`"],
    );
    clone.configure("[branch \"main\"]\n\tremote = work\n\tmerge = refs/heads/main\n");
    check_error(
        clone.open().tree(MISSING),
        expect!["commit 1111111 is not in this clone; run `git fetch work main`"],
    );
    check_error(
        clone.open().resolve(MISSING),
        expect!["commit 1111111 is not in this clone; run `git fetch work main`"],
    );
    check_error(
        clone.open().resolve("nope"),
        expect!["'nope' names no commit of this clone; run `git fetch work main` if it is new"],
    );
    // Not something to paste into a shell.
    check_error(
        clone.open().commit(MISSING).map_err(|error| error.on_branch("x;rm")),
        expect!["commit 1111111 is not in this clone; run `git fetch work`"],
    );
}

#[test]
fn a_shallow_clone() {
    let clone = Clone::new();
    let cut: ObjectId = MISSING.parse().unwrap();
    let tip = clone.commit("main", "2", &[cut], &[("a.yaml", "a")]);
    let other = clone.commit("other", "3", &[tip], &[("a.yaml", "b")]);
    clone.write_git("shallow", &format!("{tip}\n"));
    let repo = clone.open();
    assert_eq!(repo.commit(&tip.to_string()).unwrap().subject, "2");
    check_error(
        repo.commit(MISSING),
        expect!["commit 1111111 is not in this clone; run `git fetch --unshallow`"],
    );
    assert_eq!(repo.is_ancestor(&tip.to_string(), &other.to_string()), Ok(true));
    check_error(
        repo.is_ancestor(&other.to_string(), &tip.to_string()),
        expect!["the history of this clone is cut off before the answer; run `git fetch --unshallow`"],
    );
}

#[test]
fn a_partial_clone_lacks_files() {
    let clone = Clone::new();
    let tip = clone.commit("main", "1", &[], &[("apps/a.yaml", "here"), ("apps/b.yaml", "left out")]);
    let repo = clone.open();
    let tree = repo.tree(&tip.to_string()).unwrap();
    let id = tree.blob_id(&path("apps/b.yaml")).unwrap().to_string();
    std::fs::remove_file(clone.path().join(format!(".git/objects/{}/{}", &id[..2], &id[2..]))).unwrap();
    assert_eq!(tree.read(&path("apps/a.yaml")).as_deref(), Some("here"));
    assert_eq!(tree.fault(), None);
    assert_eq!(tree.read(&path("apps/b.yaml")), None);
    expect!["apps/b.yaml was left out of this partial clone; run `git cat-file -p 77714b0f010889f0d47dc03e9ac4c0cb72396669`"]
        .assert_eq(&tree.fault().unwrap().to_string());
}

#[test]
fn hashes_of_another_kind_and_no_hashes() {
    let clone = Clone::new();
    let tip = clone.commit("main", "1", &[], &[("a.yaml", "a")]);
    let repo = clone.open();
    let sha256 = "2".repeat(64);
    check_error(
        repo.commit(&sha256),
        expect![
            "2222222 is a SHA-256 hash, but this repository uses SHA-1; it belongs to another repository"
        ],
    );
    check_error(
        repo.tree(&sha256),
        expect![
            "2222222 is a SHA-256 hash, but this repository uses SHA-1; it belongs to another repository"
        ],
    );
    check_error(
        repo.resolve(&sha256),
        expect![
            "2222222 is a SHA-256 hash, but this repository uses SHA-1; it belongs to another repository"
        ],
    );
    check_error(
        repo.resolve(&"2".repeat(50)),
        expect!["'22222222222222222222222222222222222222222222222222' is not a commit hash"],
    );
    check_error(repo.commit("abc"), expect!["'abc' is not a commit hash"]);
    check_error(repo.commit(&"é".repeat(20)), expect!["'éééééééééééééééééééé' is not a commit hash"]);
    let tree = clone.repo.find_commit(tip).unwrap().tree_id().unwrap().to_string();
    check_error(repo.commit(&tree), expect!["object 56adad4 is a tree, not a commit"]);
}

#[test]
fn names_of_commits() {
    let clone = Clone::new();
    let first = clone.commit("main", "1", &[], &[("a.yaml", "a")]);
    let second = clone.commit("main", "2", &[first], &[("a.yaml", "b")]);
    clone.write_git("refs/tags/light", &format!("{first}\n"));
    let previous = gix::refs::transaction::PreviousValue::MustNotExist;
    clone.repo.tag("v1", first, gix::objs::Kind::Commit, None, "One", previous).unwrap();
    clone.write_git("refs/remotes/origin/feature/x", &format!("{first}\n"));
    let repo = clone.open();
    for (name, commit) in [
        (second.to_string().as_str(), second),
        (&second.to_string()[..8], second),
        ("HEAD", second),
        ("main", second),
        ("main~1", first),
        ("light", first),
        ("v1", first),
        ("origin/feature/x", first),
    ] {
        assert_eq!(repo.resolve(name), Ok(commit), "{name}");
    }
    assert_eq!(repo.tracking("origin", "feature/x"), Ok(Some(first)));
    assert_eq!(repo.tracking("origin", "gone"), Ok(None));
    assert_eq!(repo.tracking("origin", "..bad ref.."), Ok(None));
    assert_eq!(repo.is_ancestor(&first.to_string(), &second.to_string()), Ok(true));
    assert_eq!(repo.is_ancestor(&second.to_string(), &first.to_string()), Ok(false));
}

#[test]
fn how_a_text_stands_to_head() {
    let clone = Clone::new();
    clone.commit("main", "1", &[], &[("a.yaml", "a\nb\n"), ("b.yaml", "b\n")]);
    let repo = clone.open();
    let a = path("a.yaml");
    std::fs::remove_file(clone.path().join("b.yaml")).unwrap();
    let mut text = String::new();
    for (what, standing) in [
        ("disk as committed", repo.standing(&a)),
        ("buffer as committed", repo.standing_of(&a, "a\nb\n")),
        ("CRLF", repo.standing_of(&a, "a\r\nb\r\n")),
        ("edited", repo.standing_of(&a, "a\nc\n")),
        ("new", repo.standing_of(&path("new.yaml"), "a")),
        ("removed", repo.standing(&path("b.yaml"))),
        ("never there", repo.standing(&path("c.yaml"))),
    ] {
        writeln!(text, "{what}: {:?}", standing.unwrap()).unwrap();
    }
    expect![[r#"
        disk as committed: Committed
        buffer as committed: Committed
        CRLF: Committed
        edited: Changed
        new: New
        removed: Removed
        never there: Absent
    "#]]
    .assert_eq(&text);
}

#[test]
fn references_are_read_afresh() {
    let clone = Clone::new();
    let first = clone.commit("main", "1", &[], &[("a.yaml", "a")]);
    let repo = clone.open();
    let second = clone.commit("main", "2", &[first], &[("a.yaml", "b")]);
    assert_eq!(repo.head().unwrap().commit, Some(second));
    assert_eq!(repo.commit(&second.to_string()).unwrap().subject, "2", "an object written after opening");
}

#[test]
fn paths_as_the_repository_names_them() {
    let clone = Clone::new();
    let repo = clone.open();
    let file = clone.path().canonicalize().unwrap().join("apps/web.yaml");
    assert_eq!(repo.relative(&file), Some(path("apps/web.yaml")));
    assert_eq!(repo.relative(Path::new("/elsewhere/x.yaml")), None);
}
