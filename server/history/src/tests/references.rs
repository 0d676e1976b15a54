//! Branches and tags, beside what Git itself says of them.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::lab::Lab;
use super::{check_error, path};
use crate::{Error, Repository};
use manifests::Tree;

/// Branches and tags, with commits by their subjects.
fn named(repo: &Repository) -> String {
    let mut text = String::new();
    let subject = |id: gix::ObjectId| repo.commit(&id.to_string()).map(|commit| commit.subject);
    for branch in repo.branches().unwrap() {
        let what = subject(branch.commit).unwrap_or_else(|error| error.to_string());
        writeln!(text, "{} {}: {what}", branch.remote, branch.branch).unwrap();
    }
    for (tag, commit) in repo.tags().unwrap() {
        writeln!(text, "tag {tag}: {}", subject(commit).unwrap()).unwrap();
    }
    text
}

fn check_named(repo: &Repository, expect: Expect) {
    expect.assert_eq(&named(repo));
}

const SERVER: &str = "
git init -q server && cd server
put a.yaml one One && git tag v1.0.0 && tick git tag -am Two v1.0.1
git checkout -qb feature/x@2 && put a.yaml two Two
git checkout -qb release main && put a.yaml three Three && tick git tag -am 'A tag' v2.0.0
tick git tag -am 'A tag of a tag' latest v2.0.0
git tag tree HEAD^{tree}
git update-ref refs/pull/12/head feature/x@2
git checkout -q main
cd ..
";

#[test]
fn branches_of_a_fresh_clone() {
    let lab = Lab::new(&format!("{SERVER} git clone -q server clone"));
    let repo = lab.open("clone");
    let before = named(&repo);
    expect![[r#"
        origin feature/x@2: Two
        origin main: One
        origin release: Three
        tag latest: Three
        tag v1.0.0: One
        tag v1.0.1: One
        tag v2.0.0: Three
    "#]]
    .assert_eq(&before);
    lab.sh("cd clone && git pack-refs --all && test ! -e .git/refs/remotes/origin/main");
    assert_eq!(named(&repo), before, "packed only");
    lab.sh("cd server && put a.yaml four Four && cd ../clone && git fetch -q");
    check_named(
        &repo,
        expect![[r#"
            origin feature/x@2: Two
            origin main: Four
            origin release: Three
            tag latest: Three
            tag v1.0.0: One
            tag v1.0.1: One
            tag v2.0.0: Three
        "#]],
    );
}

#[test]
fn references_by_their_full_names() {
    let lab = Lab::new(&format!(
        "{SERVER} git clone -q server clone && cd clone
         git config --add remote.origin.fetch '+refs/pull/*/head:refs/remotes/origin/pr/*'
         git fetch -q && put b.yaml b 'Local only'"
    ));
    let repo = lab.open("clone");
    let mut text = String::new();
    for name in [
        "refs/heads/main",
        "refs/heads/feature/x@2",
        "refs/heads/pr/12",
        "refs/heads/gone",
        "refs/pull/12/head",
        "refs/pull/13/head",
        "refs/tags/v1.0.0",
        "refs/tags/v1.0.1",
        "HEAD",
        "main",
        "",
        "refs/heads/../../config",
        "refs/heads/a b",
    ] {
        let subject = |id: Option<gix::ObjectId>| id.map(|id| repo.commit(&id.to_string()).unwrap().subject);
        let (here, there) = (repo.reference(name).unwrap(), repo.fetched("origin", name).unwrap());
        writeln!(text, "{name}: here {:?}, at origin {:?}", subject(here), subject(there)).unwrap();
    }
    expect![[r#"
        refs/heads/main: here Some("Local only"), at origin Some("One")
        refs/heads/feature/x@2: here None, at origin Some("Two")
        refs/heads/pr/12: here None, at origin None
        refs/heads/gone: here None, at origin None
        refs/pull/12/head: here None, at origin Some("Two")
        refs/pull/13/head: here None, at origin None
        refs/tags/v1.0.0: here Some("One"), at origin Some("One")
        refs/tags/v1.0.1: here Some("One"), at origin Some("One")
        HEAD: here Some("Local only"), at origin None
        main: here None, at origin None
        : here None, at origin None
        refs/heads/../../config: here None, at origin None
        refs/heads/a b: here None, at origin None
    "#]]
    .assert_eq(&text);
    check_named(
        &repo,
        expect![[r#"
            origin feature/x@2: Two
            origin main: One
            origin release: Three
            tag latest: Three
            tag v1.0.0: One
            tag v1.0.1: One
            tag v2.0.0: Three
        "#]],
    );
}

#[test]
fn branches_kept_under_other_names() {
    let lab = Lab::new(&format!(
        "{SERVER} git clone -q server clone && cd clone
         git config remote.origin.fetch '+refs/heads/*:refs/upstream/*'
         git config --add remote.origin.fetch '^refs/heads/release'
         git for-each-ref --format='delete %(refname)' refs/remotes | git update-ref --no-deref --stdin
         git fetch -q"
    ));
    let repo = lab.open("clone");
    check_named(
        &repo,
        expect![[r#"
            origin feature/x@2: Two
            origin main: One
            tag latest: Three
            tag v1.0.0: One
            tag v1.0.1: One
            tag v2.0.0: Three
        "#]],
    );
    assert_eq!(repo.tracking("origin", "main"), Ok(Some(lab.id("server", "main"))));
    assert_eq!(repo.upstream().unwrap().unwrap().commit, Some(lab.id("server", "main")));
}

#[test]
fn a_clone_of_a_single_branch() {
    let lab = Lab::new(&format!("{SERVER} git clone -q --single-branch -b release server clone"));
    let repo = lab.open("clone");
    check_named(
        &repo,
        expect![[r#"
            origin release: Three
            tag latest: Three
            tag v1.0.0: One
            tag v1.0.1: One
            tag v2.0.0: Three
        "#]],
    );
    lab.sh("cd clone && git fetch -q origin main:refs/remotes/origin/main");
    assert_eq!(repo.tracking("origin", "main"), Ok(Some(lab.id("server", "main"))), "brought by hand");
}

#[test]
fn several_remotes_and_a_fork() {
    let lab = Lab::new(&format!(
        "{SERVER} git clone -q server fork && git clone -q fork clone
         cd fork && put a.yaml mine Mine && git checkout -qb only-here && cd ../clone
         git remote add upstream ../server && git remote add team/a ../server && git remote add unused ../server
         git fetch -q origin && git fetch -q upstream && git fetch -q team/a"
    ));
    check_named(
        &lab.open("clone"),
        expect![[r#"
            origin main: Mine
            origin only-here: Mine
            team/a feature/x@2: Two
            team/a main: One
            team/a release: Three
            upstream feature/x@2: Two
            upstream main: One
            upstream release: Three
            tag latest: Three
            tag v1.0.0: One
            tag v1.0.1: One
            tag v2.0.0: Three
        "#]],
    );
}

#[test]
fn references_that_cannot_be_read_are_left_out() {
    let lab = Lab::new(&format!(
        "{SERVER} git clone -q server clone && cd clone
         printf 'nonsense\n' > .git/refs/remotes/origin/broken
         printf 'ref: refs/remotes/origin/nowhere\n' > .git/refs/remotes/origin/dangling
         printf 'ref: refs/remotes/origin/main\n' > .git/refs/remotes/origin/alias
         printf 'nonsense\n' > .git/refs/tags/broken
         git update-ref -d refs/remotes/origin/main && git symbolic-ref -q refs/remotes/origin/HEAD"
    ));
    check_named(
        &lab.open("clone"),
        expect![[r#"
            origin feature/x@2: Two
            origin release: Three
            tag latest: Three
            tag v1.0.0: One
            tag v1.0.1: One
            tag v2.0.0: Three
        "#]],
    );
}

#[test]
fn a_reftable_says_so_and_its_objects_are_read() {
    // Git writes such since 2.45; what it leaves for others to stumble over is the same everywhere.
    let lab = Lab::new(&format!(
        "{SERVER} git clone -q server clone && cd clone
         git config core.repositoryFormatVersion 1 && git config extensions.refStorage reftable
         rm -r .git/refs .git/packed-refs && mkdir .git/refs .git/reftable
         echo 'ref: refs/heads/.invalid' > .git/HEAD
         echo 'this repository uses the reftable format' > .git/refs/heads"
    ));
    let repo = lab.open("clone");
    let expected = expect![
        "this clone keeps its references as 'reftable', which is not read yet; run `git refs migrate --ref-format=files`"
    ];
    let told = Error::OtherReferences("reftable".to_owned());
    expected.assert_eq(&told.to_string());
    assert_eq!(repo.head(), Err(told.clone()));
    assert_eq!(repo.upstream(), Err(told.clone()));
    assert_eq!(repo.branches(), Err(told.clone()));
    assert_eq!(repo.tags(), Err(told.clone()));
    assert_eq!(repo.reference("refs/heads/main"), Err(told.clone()));
    assert_eq!(repo.tracking("origin", "main"), Err(told.clone()));
    assert_eq!(repo.resolve("main"), Err(told.clone()));
    assert_eq!(repo.standing(&path("a.yaml")), Err(told));
    let tree = repo.tree(&lab.hash("server", "main")).unwrap();
    assert_eq!(tree.read(&path("a.yaml")).as_deref(), Some("one\n"));
    let missing = "1".repeat(40);
    check_error(repo.tree(&missing), expect!["commit 1111111 is not in this clone; run `git fetch origin`"]);
}
