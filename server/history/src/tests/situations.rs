//! Clones as people have them, made by Git itself.

use std::fmt::Write as _;

use expect_test::expect;
use manifests::{FileKind, RepoPath, Tree};

use super::lab::Lab;
use super::{check_error, path};
use crate::{End, Error, GitTree, Repository, Standing};

/// A repository with three commits, the second of which is a release.
const SERVER: &str = "
git init -q server && cd server
put apps/web.yaml one One && put apps/web.yaml two Two && git tag -m R release && put apps/api.yaml api Three
git config uploadpack.allowFilter true && git config uploadpack.allowAnySHA1InWant true
cd ..
";

fn text(tree: &GitTree, name: &str) -> Option<String> {
    tree.read(&path(name)).map(|text| text.trim_end().to_owned())
}

#[test]
fn head_in_all_its_states() {
    let lab = Lab::new(&format!("{SERVER} git clone -q server clone"));
    let repo = lab.open("clone");
    let mut told = String::new();
    let mut tell = |what: &str, script: &str| {
        lab.sh(&format!("cd clone && {script}"));
        let head = repo.head().unwrap();
        let subject = head.commit.map(|id| repo.commit(&id.to_string()).unwrap().subject);
        let upstream = lab.open("clone").upstream().unwrap().map(|it| format!("{}/{}", it.remote, it.branch));
        writeln!(told, "{what}: {:?} at {subject:?}, follows {upstream:?}", head.branch).unwrap();
    };
    tell("as cloned", "true");
    tell("detached", "git checkout -q HEAD~1");
    tell("at a tag", "git checkout -q release");
    tell("a branch of its own", "git checkout -qb feature/x@2");
    tell("following another name", "git branch -q --set-upstream-to origin/main");
    tell("one that the remote has not", "git config branch.feature/x@2.merge refs/heads/gone");
    tell("following a local branch", "git checkout -q --track -b local main");
    tell("unborn", "git checkout -q --orphan empty");
    tell(
        "in the middle of a rebase",
        "git checkout -qfb other release~1 && put apps/web.yaml other Other && git checkout -qf main &&
         put apps/web.yaml mine Mine && ! tick git rebase -q other > out 2>&1",
    );
    expect![[r#"
        as cloned: Some("main") at Some("Three"), follows Some("origin/main")
        detached: None at Some("Two"), follows None
        at a tag: None at Some("Two"), follows None
        a branch of its own: Some("feature/x@2") at Some("Two"), follows None
        following another name: Some("feature/x@2") at Some("Two"), follows Some("origin/main")
        one that the remote has not: Some("feature/x@2") at Some("Two"), follows Some("origin/gone")
        following a local branch: Some("local") at Some("Three"), follows Some("./main")
        unborn: Some("empty") at None, follows None
        in the middle of a rebase: None at Some("Other"), follows None
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_shallow_clone() {
    let lab = Lab::new(&format!("{SERVER} git clone -q --depth 1 \"file://$PWD/server\" clone"));
    let repo = lab.open("clone");
    let (head, one) = (lab.hash("server", "main"), lab.hash("server", "main~2"));
    assert_eq!(text(&repo.tree(&head).unwrap(), "apps/web.yaml").as_deref(), Some("two"));
    let short = crate::short(&one).to_owned();
    let masked = |result: crate::Result<()>| result.unwrap_err().to_string().replace(&short, "ONE");
    expect!["commit ONE is not in this clone; run `git fetch --unshallow origin`"]
        .assert_eq(&masked(repo.tree(&one).map(drop)));
    assert_eq!(repo.tags(), Ok(Default::default()), "the release is beyond the end");
    lab.sh("cd clone && git fetch -q --unshallow --tags");
    assert_eq!(text(&repo.tree(&one).unwrap(), "apps/web.yaml").as_deref(), Some("one"), "the same handle");
    assert_eq!(repo.is_ancestor(&head, &one), Ok(false));
    assert_eq!(repo.tags().unwrap().len(), 1);
}

#[test]
fn a_partial_clone_without_old_files() {
    let lab = Lab::new(&format!("{SERVER} git clone -q --filter=blob:none \"file://$PWD/server\" clone"));
    let repo = lab.open("clone");
    let (main, one) = (lab.hash("clone", "main"), lab.hash("clone", "main~2"));
    let new = repo.tree(&main).unwrap();
    assert_eq!(text(&new, "apps/web.yaml").as_deref(), Some("two"));
    let old = repo.tree(&one).unwrap();
    assert_eq!((text(&old, "apps/gone.yaml"), old.fault()), (None, None), "this file was never there");
    let id = old.blob_id(&path("apps/web.yaml")).unwrap();
    assert_eq!(text(&old, "apps/web.yaml"), None);
    let told = old.fault().unwrap().to_string();
    expect!["apps/web.yaml was left out of this partial clone; run `git cat-file -p ID`"]
        .assert_eq(&told.replace(&id.to_string(), "ID"));
    // What changed is known without the files.
    let found = repo.touching(&one, &main, &[path("apps/web.yaml")], 9).unwrap();
    assert_eq!((found.commits.len(), found.end), (1, End::Whole));
    lab.sh(&format!("cd clone && git cat-file -p {id}"));
    assert_eq!(text(&repo.tree(&one).unwrap(), "apps/web.yaml").as_deref(), Some("one"), "the same handle");
}

#[test]
fn a_partial_clone_without_old_folders() {
    let lab = Lab::new(&format!("{SERVER} git clone -q --filter=tree:0 \"file://$PWD/server\" clone"));
    let repo = lab.open("clone");
    let (main, one) = (lab.hash("clone", "main"), lab.hash("clone", "main~2"));
    let old = repo.tree(&one).unwrap();
    assert_eq!(text(&old, "apps/web.yaml"), None);
    assert!(matches!(old.fault(), Some(Error::LeftOut { .. })), "{:?}", old.fault());
    let found = repo.touching(&one, &main, &[path("apps/web.yaml")], 9);
    assert!(matches!(found, Err(Error::LeftOut { .. })), "{found:?}");
    assert_eq!(repo.is_ancestor(&one, &main), Ok(true));
}

#[test]
fn a_linked_work_tree() {
    let lab = Lab::new(&format!(
        "{SERVER} git clone -q server clone && cd clone && git worktree add -q ../linked -b fix origin/main
         cd ../linked && put apps/fix.yaml fix Fix"
    ));
    let repo = lab.open("linked/apps/fix.yaml");
    assert_eq!(repo.work_dir().canonicalize().unwrap(), lab.path("linked"));
    assert_eq!(repo.git_dir(), lab.path("clone/.git/worktrees/linked"));
    assert_eq!(repo.common_dir(), lab.path("clone/.git"));
    assert_eq!(repo.head().unwrap().branch.as_deref(), Some("fix"));
    assert_eq!(repo.upstream().unwrap().unwrap().commit, Some(lab.id("server", "main")));
    assert_eq!(repo.branches(), lab.open("clone").branches());
    assert_eq!(repo.branches().unwrap().len(), 1);
    assert_eq!(repo.standing(&path("apps/fix.yaml")), Ok(Standing::Committed));
    assert_eq!(lab.open("clone").standing(&path("apps/fix.yaml")), Ok(Standing::Absent));
    assert_eq!(repo.fetched_at(), None);
    lab.sh("cd clone && git fetch -q");
    assert!(repo.fetched_at().is_some(), "the other work tree fetched");
    lab.sh("cd clone && rm .git/FETCH_HEAD && cd ../linked && git fetch -q");
    assert!(lab.open("clone").fetched_at().is_some(), "and the other way round");
}

#[test]
fn work_trees_of_a_bare_clone() {
    let lab = Lab::new(&format!(
        "{SERVER} mkdir project && cd project && git clone -q --bare ../server .bare && echo 'gitdir: ./.bare' > .git
         git config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*' && git fetch -q
         git worktree add -q main && git worktree add -q -b fix fix"
    ));
    let repo = lab.open("project/fix/apps/web.yaml");
    assert_eq!(repo.head().unwrap().branch.as_deref(), Some("fix"));
    assert_eq!(repo.tracking("origin", "main"), Ok(Some(lab.id("server", "main"))));
    let bare = Repository::discover(&lab.path("project"));
    assert!(matches!(bare, Err(Error::Bare(_))), "{bare:?}");
}

#[test]
fn bare_clones() {
    let lab =
        Lab::new(&format!("{SERVER} git clone -q --bare server bare && git clone -q --mirror server mirror"));
    for name in ["bare", "mirror", "bare/objects"] {
        let bare = Repository::discover(&lab.path(name));
        assert!(matches!(bare, Err(Error::Bare(_))), "{bare:?}");
    }
    let nothing = Repository::discover(&lab.path("."));
    assert!(matches!(nothing, Err(Error::NotARepository(_))), "{nothing:?}");
    // Within `.git` of a clone there are no files of the repository.
    let inside = Repository::discover(&lab.path("server/.git/refs"));
    assert!(inside.is_ok_and(|repo| repo.relative(&lab.path("server/.git/HEAD")) == Some(path(".git/HEAD"))));
}

#[test]
fn a_submodule() {
    let lab = Lab::new(&format!(
        "{SERVER} git init -q whole && cd whole && put a.yaml a A
         git submodule --quiet add ../server deps/server && tick git commit -qm Submodule"
    ));
    let file = lab.path("whole/deps/server/apps/web.yaml");
    let inner = Repository::discover(&file).unwrap();
    assert_eq!(inner.relative(&file), Some(path("apps/web.yaml")));
    assert_eq!(inner.standing(&path("apps/web.yaml")), Ok(Standing::Committed));
    assert_eq!(inner.head().unwrap().commit, Some(lab.id("server", "main")));
    assert_eq!(inner.common_dir(), lab.path("whole/.git/modules/deps/server"));
    let outer = lab.open("whole/deps");
    let tree = outer.head_tree().unwrap().unwrap();
    assert_eq!(tree.list(&path("deps")), [("server".to_owned(), FileKind::Other)]);
    assert_eq!((text(&tree, "deps/server/apps/web.yaml"), tree.fault()), (None, None));
    let changed = |name: &str| -> Vec<_> {
        let from = lab.hash("whole", "main~1");
        let found = outer.touching(&from, &lab.hash("whole", "main"), &[path(name)], 9).unwrap();
        found.commits.into_iter().map(|commit| commit.subject).collect()
    };
    assert_eq!(changed("deps/server"), ["Submodule"]);
    assert_eq!(changed("deps/server/apps/web.yaml"), [""; 0], "its files are not of this repository");
}

#[test]
fn a_branch_that_was_forced() {
    let lab = Lab::new(&format!("{SERVER} git clone -q server clone"));
    let repo = lab.open("clone");
    let old = lab.hash("clone", "main");
    lab.sh("cd server && git reset -q --hard HEAD~1 && put apps/api.yaml better 'Three again'
         cd ../clone && git fetch -q && git reset -q --hard origin/main");
    let new = lab.hash("clone", "origin/main");
    assert_eq!(repo.tracking("origin", "main").unwrap().map(|id| id.to_string()).as_deref(), Some(&*new));
    assert_eq!(
        text(&repo.tree(&old).unwrap(), "apps/api.yaml").as_deref(),
        Some("api"),
        "nobody names it, but it is here"
    );
    assert_eq!(repo.is_ancestor(&old, &new), Ok(false));
    let apart = repo.ahead_behind(&old, &new).unwrap();
    assert_eq!((apart.ahead, apart.behind), (crate::Count::Exactly(1), crate::Count::Exactly(1)));
    lab.sh("cd clone && git reflog expire --expire=now --all && git gc -q --prune=now");
    assert_eq!(
        text(&repo.tree(&new).unwrap(), "apps/api.yaml").as_deref(),
        Some("better"),
        "the same handle"
    );
    let gone = lab.open("clone").tree(&old).map(drop);
    assert!(matches!(&gone, Err(Error::NotInThisClone { wanted, .. }) if *wanted == old), "{gone:?}");
    let gone = repo.tree(&old).map(drop);
    assert!(matches!(gone, Err(Error::NotInThisClone { .. })), "{gone:?}");
}

#[test]
fn merges_that_make_new_commits() {
    let lab = Lab::new(&format!(
        "{SERVER} git clone -q server clone && cd clone
         git checkout -qb feature && put apps/new.yaml 1 New && put apps/new.yaml 2 Newer
         git checkout -qb squashed main && git merge -q --squash feature > out && tick git commit -qm Squashed
         git checkout -qb rebased feature && tick git commit -q --amend -m 'Newer, in better words'
         git checkout -qb picked main && tick git cherry-pick feature~1 feature > out"
    ));
    let repo = lab.open("clone");
    let tree = |name: &str| repo.tree(&lab.hash("clone", name)).unwrap();
    let feature = tree("feature");
    for name in ["squashed", "rebased", "picked"] {
        assert_ne!(lab.id("clone", name), lab.id("clone", "feature"), "{name}: other commits");
        assert_eq!(tree(name).id(), feature.id(), "{name}: the same files");
    }
    assert_ne!(tree("feature~1").id(), feature.id());
    assert_ne!(tree("feature~1").folder_id(&path("apps")), feature.folder_id(&path("apps")));
    assert_eq!(tree("feature~1").blob_id(&path("apps/web.yaml")), feature.blob_id(&path("apps/web.yaml")));
}

#[test]
fn a_renamed_file() {
    let lab = Lab::new(&format!(
        "{SERVER} cd server && mkdir base && git mv apps/web.yaml base/site.yaml && tick git commit -qm Renamed"
    ));
    let repo = lab.open("server");
    let (old, new) = (repo.tree(&lab.hash("server", "main~1")).unwrap(), repo.head_tree().unwrap().unwrap());
    assert_eq!(text(&new, "apps/web.yaml"), None);
    assert_eq!(old.blob_id(&path("apps/web.yaml")), new.blob_id(&path("base/site.yaml")));
}

#[test]
fn a_sha256_repository() {
    let lab = Lab::new(
        "git init -q --object-format=sha256 server && cd server && put a.yaml one One && git tag -m V v1 && put a.yaml two Two
         cd .. && git clone -q server clone && cd clone && git pack-refs --all && put a.yaml three Three
         git commit-graph write --reachable 2> errors",
    );
    let repo = lab.open("clone");
    let head = lab.hash("clone", "HEAD");
    assert_eq!(head.len(), 64);
    assert_eq!(repo.branches().unwrap()[0].commit, lab.id("server", "main"));
    assert_eq!(repo.tags().unwrap()["v1"], lab.id("server", "v1^{}"));
    assert_eq!(text(&repo.tree(&head).unwrap(), "a.yaml").as_deref(), Some("three"));
    assert_eq!(repo.standing(&path("a.yaml")), Ok(Standing::Committed));
    let apart = repo.ahead_behind(&head, &lab.hash("server", "main")).unwrap();
    assert_eq!(apart.ahead, crate::Count::Exactly(1));
    let found = repo.touching(&lab.hash("server", "v1^{}"), &head, &[path("a.yaml")], 9).unwrap();
    assert_eq!(found.commits.len(), 2);
    check_error(
        repo.tree(&"1".repeat(40)),
        expect![
            "1111111 is a SHA-1 hash, but this repository uses SHA-256; it belongs to another repository"
        ],
    );
}

#[test]
fn locks_that_lie_about() {
    let lab = Lab::new(&format!(
        "{SERVER} git clone -q server clone && cd clone/.git
         touch index.lock HEAD.lock packed-refs.lock config.lock refs/heads/main.lock refs/remotes/origin/main.lock shallow.lock"
    ));
    let repo = lab.open("clone");
    assert_eq!(repo.head().unwrap().commit, Some(lab.id("server", "main")));
    let branches: Vec<_> = repo.branches().unwrap().into_iter().map(|branch| branch.branch).collect();
    assert_eq!(branches, ["main"], "a lock is no branch");
    assert_eq!(repo.standing(&path("apps/web.yaml")), Ok(Standing::Committed));
}

#[test]
fn objects_of_another_clone() {
    let lab = Lab::new(&format!("{SERVER} git clone -q --shared server clone && cd clone && put b.yaml b B"));
    let repo = lab.open("clone");
    assert_eq!(
        text(&repo.tree(&lab.hash("server", "main~2")).unwrap(), "apps/web.yaml").as_deref(),
        Some("one")
    );
    assert_eq!(repo.is_ancestor(&lab.hash("server", "main~2"), &lab.hash("clone", "main")), Ok(true));
}

/// What is replaced (`git replace`) is so in this clone only; the cluster reads what was committed.
#[test]
fn replaced_commits_are_read_as_committed() {
    let lab = Lab::new(&format!(
        "{SERVER} git clone -q server clone && cd clone && git checkout -q -b other main~1 && put apps/web.yaml other Other
         git replace -f main~1 other && git checkout -q main"
    ));
    let repo = lab.open("clone");
    let two = lab.hash("server", "main~1");
    assert_eq!(repo.commit(&two).unwrap().subject, "Two");
    assert_eq!(text(&repo.tree(&two).unwrap(), "apps/web.yaml").as_deref(), Some("two"));
    let found = repo.touching(&lab.hash("server", "main~2"), &two, &[path("apps/web.yaml")], 9).unwrap();
    assert_eq!(found.commits[0].subject, "Two");
}

#[test]
fn history_rewritten_under_an_open_handle() {
    let lab = Lab::new(&format!("{SERVER} git clone -q server clone && cd clone && git branch feature"));
    let repo = lab.open("clone");
    let web = path("apps/web.yaml");
    let mut told = String::new();
    let mut tell = |what: &str, script: &str| {
        lab.sh(&format!("cd clone && {script}"));
        let head = repo.head().unwrap().commit.unwrap().to_string();
        assert_eq!(head, lab.hash("clone", "HEAD"), "{what}");
        let feature = repo.reference("refs/heads/feature").unwrap().is_some();
        let nested = repo.reference("refs/heads/feature/x").unwrap().is_some();
        let tree = repo.tree(&head).unwrap();
        let (subject, web) = (repo.commit(&head).unwrap().subject, tree.read(&web));
        assert_eq!(tree.fault(), None, "{what}");
        writeln!(told, "{what}: {subject}, {web:?}, feature {feature}, feature/x {nested}").unwrap();
    };
    tell("at first", "true");
    tell("packed", "git gc -q");
    tell("amended", "put apps/web.yaml amended && tick git commit -qam 'Three, amended' --amend");
    tell("a branch that becomes a folder", "git branch -qD feature && git branch feature/x");
    tell("and packed again", "git gc -q --prune=now");
    tell("rebased", "tick git rebase -q --force-rebase --root");
    tell("repacked", "git repack -qad --window=1 && git prune --expire now");
    tell(
        "all of it another",
        "git checkout -q --orphan fresh && tick git commit -qm Fresh && git branch -qM main && git remote remove origin &&
         git tag -d release > out && git branch -qD feature/x && git reflog expire --expire=now --all && git gc -q --prune=now",
    );
    expect![[r#"
        at first: Three, Some("two\n"), feature true, feature/x false
        packed: Three, Some("two\n"), feature true, feature/x false
        amended: Three, amended, Some("amended\n"), feature true, feature/x false
        a branch that becomes a folder: Three, amended, Some("amended\n"), feature false, feature/x true
        and packed again: Three, amended, Some("amended\n"), feature false, feature/x true
        rebased: Three, amended, Some("amended\n"), feature false, feature/x true
        repacked: Three, amended, Some("amended\n"), feature false, feature/x true
        all of it another: Fresh, Some("amended\n"), feature false, feature/x false
    "#]]
    .assert_eq(&told);
}

#[test]
fn what_a_crash_leaves() {
    let lab = Lab::new(&format!("{SERVER} git clone -q server clone && git clone -q server second"));
    let repo = lab.open("clone");
    let main = lab.hash("clone", "main");
    lab.sh("cd clone && : > .git/HEAD");
    let head = repo.head();
    assert!(matches!(head, Err(Error::Unreadable { .. })), "{head:?}");
    assert_eq!(repo.commit(&main).unwrap().subject, "Three", "objects are still there");
    lab.sh("cd clone && echo 'ref: refs/heads/main' > .git/HEAD && : > .git/refs/heads/main");
    let head = repo.head();
    assert!(matches!(head, Err(Error::Unreadable { .. })), "{head:?}");
    // Objects that were cut short.
    let tree = lab.id("second", "main^{tree}").to_string();
    lab.sh(&format!(
        "cd second && file=.git/objects/{}/{} && test -e $file && chmod u+w $file && : > $file",
        &tree[..2],
        &tree[2..]
    ));
    let second = lab.open("second").tree(&main).unwrap();
    assert_eq!(second.read(&path("apps/web.yaml")), None);
    assert!(matches!(second.fault(), Some(Error::Unreadable { .. })), "{:?}", second.fault());
    let paths: &[RepoPath] = &[path("apps/web.yaml")];
    let found = lab.open("second").touching(&lab.hash("second", "main~2"), &main, paths, 9);
    assert!(matches!(found, Err(Error::Unreadable { .. })), "{found:?}");
}

/// Git itself refuses these until told otherwise (`safe.directory`): something may be run from their configuration.
/// Nothing is run here.
#[test]
fn a_clone_that_belongs_to_somebody_else() {
    let lab = Lab::new(&format!(
        "{SERVER} git clone -q server clone && cd clone && git config url.https://github.com/.insteadOf gh: &&
         git remote add other gh:acme/fleet"
    ));
    let mine = lab.open("clone");
    if lab.sh("chown -R 4321 clone 2> errors && echo given || true") != "given" {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let repo = lab.open("clone");
    assert_eq!(repo.head(), mine.head());
    assert_eq!(repo.upstream(), mine.upstream());
    assert_eq!(repo.branches(), mine.branches());
    let urls = |repo: &Repository| repo.remotes().into_iter().map(|remote| remote.url).collect::<Vec<_>>();
    assert_eq!(urls(&repo), urls(&mine));
    assert_eq!(mine.remotes()[1].rewritten.as_deref(), Some("https://github.com/acme/fleet"));
    assert_eq!(repo.remotes()[1].rewritten, None, "they do not tell what an address means to us");
    let tree = repo.head_tree().unwrap().unwrap();
    assert_eq!(text(&tree, "apps/web.yaml").as_deref(), Some("two"));
}
