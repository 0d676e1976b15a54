//! Histories compared, beside what Git itself says of them.

use std::fmt::Write as _;

use expect_test::expect;
use manifests::RepoPath;

use super::lab::Lab;
use super::{check_error, path};
use crate::{Count, Divergence, End, Repository, Touching};

/// The numbers that Git prints for `A...B`.
fn by_git(lab: &Lab, repository: &str, a: &str, b: &str) -> Divergence {
    let text = lab.sh(&format!("git -C {repository} rev-list --left-right --count {a}...{b}"));
    let (ahead, behind) = text.split_once('\t').unwrap();
    Divergence {
        ahead: Count::Exactly(ahead.parse().unwrap()),
        behind: Count::Exactly(behind.parse().unwrap()),
    }
}

/// The subjects of commits that changed something, and how the list ends.
fn touching(repo: &Repository, from: &str, to: &str, paths: &[&str], limit: usize) -> String {
    let paths: Vec<RepoPath> = paths.iter().map(|it| path(it)).collect();
    told(repo.touching(from, to, &paths, limit).unwrap())
}

fn told(found: Touching) -> String {
    let subjects: Vec<_> = found.commits.into_iter().map(|commit| commit.subject).collect();
    format!("{} ({:?})", subjects.join(", "), found.end)
}

/// ```text
/// main     root ─ a1 ─── b1 ─ merge ─ a2 ─ b2
///              ╲             ╱
/// feature       a3 ─ other ─
/// ```
const MERGED: &str = "
git init -q repo && cd repo
put a.yaml 0 root && put apps/b.yaml 0 b0 && git tag start
git checkout -qb feature && put apps/c.yaml 1 c1 && put other.yaml 1 other
git checkout -q main && put a.yaml 1 a1 && put apps/b.yaml 1 b1
tick git merge -q --no-ff -m merge feature
put a.yaml 2 a2 && put apps/b.yaml 2 b2
";

#[test]
fn how_far_commits_are_apart() {
    let lab = Lab::new(&format!(
        "{MERGED} git checkout -q --orphan alone && put a.yaml x Alone && git checkout -q main"
    ));
    let repo = lab.open("repo");
    let names = ["main", "main~2", "feature", "feature~1", "start", "alone"];
    for a in names {
        for b in names {
            let found = repo.ahead_behind(&lab.hash("repo", a), &lab.hash("repo", b));
            assert_eq!(found, Ok(by_git(&lab, "repo", a, b)), "{a}...{b}");
        }
    }
    lab.sh("git -C repo commit-graph write --reachable 2> errors");
    let found = repo.ahead_behind(&lab.hash("repo", "feature"), &lab.hash("repo", "main"));
    assert_eq!(found, Ok(by_git(&lab, "repo", "feature", "main")), "with generations");
    check_error(
        repo.ahead_behind(&"1".repeat(40), &lab.hash("repo", "main")),
        expect!["commit 1111111 is not in this clone; run `git fetch --all`"],
    );
}

#[test]
fn clocks_that_were_wrong() {
    // The commit that both have is younger than its children.
    let lab = Lab::new(
        "git init -q repo && cd repo
         CLOCK=1790000000; clock=$CLOCK; put a.yaml 0 future && put a.yaml 1 future2
         clock=1780000000; git checkout -qb left && for i in 1 2 3; do put left.yaml $i l$i; done
         clock=1770000000; git checkout -qb right main && for i in 1 2; do put right.yaml $i r$i; done",
    );
    let repo = lab.open("repo");
    for (a, b) in [("left", "right"), ("right", "left"), ("main", "right"), ("left", "main")] {
        let found = repo.ahead_behind(&lab.hash("repo", a), &lab.hash("repo", b));
        assert_eq!(found, Ok(by_git(&lab, "repo", a, b)), "{a}...{b}");
    }
}

#[test]
fn commits_too_many_to_count() {
    let lab = Lab::new("git init -q repo");
    let mut stream = String::new();
    for number in 1..=1_500 {
        writeln!(
            stream,
            "commit refs/heads/main\ncommitter A <a@b> {} +0000\ndata 1",
            1_780_000_000 + number
        )
        .unwrap();
        writeln!(stream, "x\nM 644 inline a.yaml\ndata {}\n{number}", number.to_string().len()).unwrap();
    }
    std::fs::write(lab.path("stream"), stream).unwrap();
    lab.sh("git -C repo fast-import --quiet < stream && git -C repo branch old main~1400 && git -C repo branch new main~100");
    let repo = lab.open("repo");
    let (main, old, new) = (lab.hash("repo", "main"), lab.hash("repo", "old"), lab.hash("repo", "new"));
    let told = |found: Divergence| format!("{} ahead, {} behind", found.ahead, found.behind);
    expect!["100 ahead, 0 behind"].assert_eq(&told(repo.ahead_behind(&main, &new).unwrap()));
    expect!["an unknown number ahead, at least 1000 behind"]
        .assert_eq(&told(repo.ahead_behind(&old, &main).unwrap()));
    let found = repo.touching(&old, &main, &[path("a.yaml")], 5_000).unwrap();
    assert_eq!((found.commits.len(), found.end), (1_000, End::Unseen));
    let found = repo.touching(&new, &main, &[path("a.yaml")], 20).unwrap();
    assert_eq!((found.commits.len(), found.end), (20, End::More));
    let found = repo.touching(&new, &main, &[path("a.yaml")], 100).unwrap();
    assert_eq!((found.commits.len(), found.end), (100, End::Whole));
}

#[test]
fn which_commits_changed_something() {
    let lab = Lab::new(MERGED);
    let repo = lab.open("repo");
    let (start, main) = (lab.hash("repo", "start"), lab.hash("repo", "main"));
    let mut text = String::new();
    for paths in [
        &["a.yaml"][..],
        &["apps/b.yaml"],
        &["apps/c.yaml"],
        &["apps"],
        &["apps/b.yaml", "other.yaml"],
        &["apps/b.yaml", "apps"],
        &["gone.yaml", "a.yaml/x", "apps/b.yaml/x"],
        &[""],
        &[],
    ] {
        writeln!(text, "{paths:?}: {}", touching(&repo, &start, &main, paths, 20)).unwrap();
    }
    expect![[r#"
        ["a.yaml"]: a2, a1 (Whole)
        ["apps/b.yaml"]: b2, b1 (Whole)
        ["apps/c.yaml"]: c1 (Whole)
        ["apps"]: b2, merge, b1, c1 (Whole)
        ["apps/b.yaml", "other.yaml"]: b2, merge, b1, other (Whole)
        ["apps/b.yaml", "apps"]: b2, merge, b1, c1 (Whole)
        ["gone.yaml", "a.yaml/x", "apps/b.yaml/x"]:  (Whole)
        [""]: b2, a2, merge, b1, a1, other, c1 (Whole)
        []:  (Whole)
    "#]]
    .assert_eq(&text);
    let whole = |limit| told(repo.all_touching(&main, &[path("apps")], limit).unwrap());
    expect!["b2, merge, b1, c1, b0 (Whole)"].assert_eq(&whole(9));
    expect!["b2, merge (More)"].assert_eq(&whole(2));
    expect!["b2 (More)"].assert_eq(&touching(&repo, &start, &main, &["apps"], 1));
    expect![" (Whole)"].assert_eq(&touching(&repo, &main, &start, &["apps"], 9));
    expect![" (Whole)"].assert_eq(&touching(&repo, &main, &main, &["apps"], 9));
}

#[test]
fn first_commits_and_files_that_come_and_go() {
    let lab = Lab::new(
        "git init -q repo && cd repo && put a.yaml 0 first && git rm -q a.yaml && tick git commit -qm removed
         put a.yaml/b.yaml 0 folder && put c.yaml 0 c && git mv c.yaml d.yaml && tick git commit -qm renamed
         chmod +x d.yaml && git add d.yaml && tick git commit -qm mode
         git checkout -q --orphan alone && git rm -qrf . && put z.yaml 0 alone && git checkout -q main",
    );
    let repo = lab.open("repo");
    let (alone, main) = (lab.hash("repo", "alone"), lab.hash("repo", "main"));
    expect!["folder, removed, first (Whole)"].assert_eq(&touching(&repo, &alone, &main, &["a.yaml"], 9));
    expect!["folder (Whole)"].assert_eq(&touching(&repo, &alone, &main, &["a.yaml/b.yaml"], 9));
    expect!["renamed, c (Whole)"].assert_eq(&touching(&repo, &alone, &main, &["c.yaml"], 9));
    expect!["mode, renamed (Whole)"].assert_eq(&touching(&repo, &alone, &main, &["d.yaml"], 9));
}

#[test]
fn the_end_of_a_shallow_clone() {
    let lab = Lab::new(&format!(
        "{MERGED} cd .. && git clone -q --depth 2 \"file://$PWD/repo\" shallow && cd shallow
         put a.yaml 3 a3 && git checkout -qb cut && git fetch -q --depth 1 origin start:start"
    ));
    let repo = lab.open("shallow");
    let hash = |name| lab.hash("shallow", name);
    // The remote's branch is within what the clone has.
    let apart = Divergence { ahead: Count::Exactly(1), behind: Count::Exactly(0) };
    assert_eq!(repo.ahead_behind(&hash("HEAD"), &hash("origin/main")), Ok(apart));
    expect!["a3 (Whole)"].assert_eq(&touching(&repo, &hash("origin/main"), &hash("HEAD"), &["a.yaml"], 9));
    // This one is on the other side of the cut.
    check_error(
        repo.ahead_behind(&hash("HEAD"), &hash("start")),
        expect!["the history of this clone is cut off before the answer; run `git fetch --unshallow origin`"],
    );
    expect![[r#"a3 (CutOff(Bring { shallow: true, remote: Some("origin"), branch: None }))"#]]
        .assert_eq(&touching(&repo, &hash("start"), &hash("HEAD"), &["a.yaml"], 9));
    expect![[r#"a3 (CutOff(Bring { shallow: true, remote: Some("origin"), branch: None }))"#]]
        .assert_eq(&told(repo.all_touching(&hash("HEAD"), &[path("a.yaml")], 9).unwrap()));
}

/// Histories at random: merges of all kinds, branches that change the same and other files.
#[test]
fn histories_at_random() {
    let mut seed = 7_u64;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let lab = Lab::new("git init -q repo");
    let mut stream = String::new();
    let commits = 120;
    for mark in 1..=commits {
        let time = 1_780_000_000 + mark * 60;
        writeln!(stream, "commit refs/heads/b{mark}\nmark :{mark}\ncommitter A <a@b> {time} +0000").unwrap();
        let subject = format!("c{mark}");
        writeln!(stream, "data {}\n{subject}", subject.len()).unwrap();
        if mark > 1 {
            let parent = mark - 1 - random(3.min(mark - 1));
            writeln!(stream, "from :{parent}").unwrap();
            let other = mark - 1 - random(12.min(mark - 1));
            if random(3) == 0 && other != parent {
                writeln!(stream, "merge :{other}").unwrap();
            }
        }
        if mark == 1 || random(4) > 0 {
            let (file, text) = (random(4), random(3));
            writeln!(stream, "M 644 inline apps/{file}/x.yaml\ndata 1\n{text}").unwrap();
        }
    }
    std::fs::write(lab.path("stream"), stream).unwrap();
    lab.sh("git -C repo fast-import --quiet < stream && git -C repo symbolic-ref HEAD refs/heads/b1");
    let repo = lab.open("repo");
    for round in 0..60 {
        let (from, to) = (1 + random(commits), 1 + random(commits));
        let file = format!("apps/{}", random(4));
        let (a, b) = (lab.hash("repo", &format!("b{from}")), lab.hash("repo", &format!("b{to}")));
        let what = format!("round {round}: b{from}..b{to} -- {file}");
        assert_eq!(repo.ahead_behind(&b, &a), Ok(by_git(&lab, "repo", &b, &a)), "{what}");
        let found = repo.touching(&a, &b, &[path(&file)], 1_000).unwrap();
        assert_eq!(found.end, End::Whole, "{what}");
        let ours: Vec<String> = found.commits.into_iter().map(|commit| commit.id.to_string()).collect();
        // Git also lists merges that are as the side which `from` has: nothing was changed by those.
        let listed = lab.sh(&format!(
            "cd repo && git log --format='%H %P' {a}..{b} -- {file} | while read -r id parents; do
               as_one=
               case $parents in *' '*) for parent in $(git rev-list --no-walk --parents $id | cut -d' ' -f2-); do
                 git diff --quiet $parent $id -- {file} && as_one=1
               done ;; esac
               test \"$as_one\" || echo $id
             done"
        ));
        let theirs: Vec<String> = listed.lines().map(str::to_owned).collect();
        assert_eq!(ours, theirs, "{what}");
    }
}

fn changed(lab: &Lab, at: &str, name: &str) -> String {
    match lab.open(at).change(&lab.hash(at, name)) {
        Ok(change) => {
            let files: Vec<_> = change.files.iter().map(ToString::to_string).collect();
            format!("{}: {}", if change.before.is_some() { "parent" } else { "root" }, files.join(" "))
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_a_commit_changed() {
    let lab = Lab::new(
        "git init -q -b main repo && cd repo
         git config user.name Ada && git config user.email ada@example.org
         mkdir -p a/b && echo 1 >a/b/one && echo 1 >two && git add . && git commit -qm first
         git mv a/b/one a/b/uno && echo 2 >two && git commit -qam renamed
         git checkout -qb side HEAD~1 && echo 3 >a/three && git add . && git commit -qm side
         git checkout -q main && git merge -q -m merged side
         git rm -q two && mkdir two && echo 4 >two/four && git add . && git commit -qm folder
         git commit -q --allow-empty -m nothing
         cd .. && git clone -q --depth 1 \"file://$PWD/repo\" shallow",
    );
    let told = |name| changed(&lab, "repo", name);
    assert_eq!(told("main~4"), "root: a/b/one two");
    assert_eq!(told("main~3"), "parent: a/b/one a/b/uno two");
    // What the merge brought into main, not what main had before.
    assert_eq!(told("main~2"), "parent: a/three");
    assert_eq!(told("main~1"), "parent: two two/four");
    assert_eq!(told("main"), "parent: ");
    assert_eq!(
        changed(&lab, "shallow", "main"),
        "the history of this clone is cut off before the answer; run `git fetch --unshallow origin`"
    );
}
