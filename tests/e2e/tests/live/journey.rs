//! How far a text has come: every kind of source and reference, at every stage, and Git as people have it. One cell is one
//! file in one clone; what is asserted is the lens that an editor shows, on a real cluster with real controllers.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use e2e::binary::Home;
use e2e::lsp::{Client, uri};
use serde_json::json;
use testbed::{Artifact, Cluster, Kubeconfig, Testbed};

use crate::{SHOPS, admin, editor, story};

/// Long enough for a cluster that has much to do.
const PATIENCE: Duration = Duration::from_secs(60);
/// The files of a repository, by the stage that each is brought to.
const STAGES: [&str; 6] = ["live", "fetched", "pushed", "committed", "saved", "edited"];

/// A way from Git to the cluster.
struct Way {
    name: &'static str,
    /// The source, in YAML, without its kind's head.
    source: fn(&Laid) -> String,
    /// Its kind, for `sourceRef`.
    kind: &'static str,
    /// The revision that people read, with `R` for the commit.
    revision: &'static str,
    /// Whether the source takes the second commit.
    moves: bool,
    /// What is said of what is pushed.
    pushed: &'static str,
}

const GIT: &str = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository";

fn git(laid: &Laid, reference: &str) -> String {
    let (name, url) = (laid.name, &laid.url);
    format!(
        "{GIT}\nmetadata: {{name: {name}, namespace: flux-system}}\nspec: {{interval: 1h, url: {url}, ref: {reference}}}\n"
    )
}

fn oci(laid: &Laid) -> String {
    let (name, url) = (laid.name, &laid.oci);
    format!(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec: {{interval: 1h, insecure: true, url: '{url}', ref: {{tag: latest}}}}\n"
    )
}

fn copied(laid: &Laid) -> String {
    let name = laid.name;
    format!(
        "{}---\napiVersion: source.extensions.fluxcd.io/v1beta1\nkind: ArtifactGenerator\nmetadata: {{name: {name}, namespace: flux-system}}\n\
         spec:\n  sources: [{{alias: repo, kind: GitRepository, name: {name}}}]\n  artifacts:\n    - name: {name}\n      \
         originRevision: '@repo'\n      copy: [{{from: '@repo/apps/**', to: '@artifact/apps/'}}]\n",
        git(laid, "{branch: main}")
    )
}

const WAYS: [Way; 10] = [
    Way {
        name: "way-branch",
        source: |laid| git(laid, "{branch: main}"),
        kind: "GitRepository",
        revision: "main@R",
        moves: true,
        pushed: "pushed, next poll by ",
    },
    Way {
        name: "way-slash",
        source: |laid| git(laid, "{branch: release/x@1}"),
        kind: "GitRepository",
        revision: "release/x@1@R",
        moves: true,
        pushed: "not live · pushed to main; follows release/x@1",
    },
    Way {
        name: "way-tag",
        source: |laid| git(laid, "{tag: v1.0.0}"),
        kind: "GitRepository",
        revision: "v1.0.0@R",
        moves: false,
        pushed: "not live · pushed to main; follows tag v1.0.0",
    },
    Way {
        name: "way-semver",
        source: |laid| git(laid, "{semver: '>=1.0.0'}"),
        kind: "GitRepository",
        revision: "V@R",
        moves: true,
        pushed: "not live · pushed to main; follows tags >=1.0.0",
    },
    Way {
        name: "way-commit",
        source: |laid| git(laid, &format!("{{branch: main, commit: {}}}", laid.first)),
        kind: "GitRepository",
        revision: "main@R",
        moves: false,
        pushed: "not live · pushed to main; follows commit R",
    },
    Way {
        name: "way-name",
        source: |laid| git(laid, "{name: refs/heads/main}"),
        kind: "GitRepository",
        revision: "refs/heads/main@R",
        moves: true,
        pushed: "pushed, next poll by ",
    },
    Way {
        name: "way-pull",
        source: |laid| git(laid, "{name: refs/pull/1/head}"),
        kind: "GitRepository",
        revision: "refs/pull/1/head@R",
        moves: true,
        pushed: "not live · pushed to main; follows refs/pull/1/head",
    },
    Way {
        name: "way-oci",
        source: oci,
        kind: "OCIRepository",
        revision: "main@R",
        moves: true,
        pushed: "pushed, not in artifact latest",
    },
    Way {
        name: "way-digest",
        source: oci,
        kind: "OCIRepository",
        revision: "latest@",
        moves: true,
        pushed: "applied latest@",
    },
    Way {
        name: "way-copied",
        source: copied,
        kind: "ExternalArtifact",
        revision: "main@R",
        moves: true,
        pushed: "pushed, next poll by ",
    },
];

/// A repository that was laid out.
pub(crate) struct Laid {
    name: &'static str,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) url: String,
    oci: String,
    /// The full hash of what was applied.
    first: String,
}

/// What was seen, cell by cell.
#[derive(Default)]
struct Table {
    cells: usize,
    wrong: Vec<String>,
}

impl Table {
    /// Waits until the file's lens says this; notes what it says if it never does.
    fn check(&mut self, editor: &mut Client, situation: &str, file: &Path, expected: &str) {
        self.cells += 1;
        let stage = file.file_stem().and_then(|it| it.to_str()).unwrap_or_default().to_owned();
        let shown = editor.look_for_lens(file, expected, Duration::from_secs(15));
        let (sign, shown) = match shown {
            Ok(row) => ("ok   ", row),
            Err(rows) => {
                self.wrong.push(format!("{situation}, {stage}: expected {expected:?}, there is {rows:?}"));
                ("WRONG", rows.join(" / "))
            }
        };
        println!("  {sign} {situation:<28} {stage:<10} {shown}");
    }
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> String {
    let ended = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    assert!(ended.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).unwrap().trim().to_owned()
}

fn manifest(stage: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {stage}\ndata:\n  value: \"{value}\"\n")
}

impl Laid {
    pub(crate) async fn new(testbed: &Testbed, name: &'static str) -> testbed::Result<Laid> {
        let repository = testbed.gitea().create_repository(name).await?;
        let folder = tempfile::Builder::new().prefix(name).tempdir().unwrap();
        let (url, oci) = (repository.url(), testbed.gitea().oci_url(name));
        let mut laid = Laid { name, folder, url, oci, first: String::new() };
        let at = laid.folder.path();
        run(at, &["init", "--quiet", "--initial-branch=main"]);
        run(at, &["config", "user.name", "Ada"]);
        run(at, &["config", "user.email", "ada@shop.invalid"]);
        run(at, &["remote", "add", "origin", &laid.url]);
        run(at, &["config", "remote.origin.pushurl", &repository.push_url()]);
        if name == "way-pull" {
            run(at, &["commit", "--quiet", "--allow-empty", "--message", "Nothing yet"]);
            run(at, &["push", "--quiet", "origin", "main:base"]);
        }
        for stage in STAGES {
            laid.write(stage, "1");
        }
        laid.first = laid.commit("Begin");
        run(at, &["push", "--quiet", "--set-upstream", "origin", "main"]);
        Ok(laid)
    }

    pub(crate) fn file(&self, stage: &str) -> PathBuf {
        self.folder.path().join(format!("apps/{stage}.yaml"))
    }

    pub(crate) fn write(&self, stage: &str, value: &str) {
        std::fs::create_dir_all(self.folder.path().join("apps")).unwrap();
        std::fs::write(self.file(stage), manifest(stage, value)).unwrap();
    }

    /// Commits everything; gives the full hash.
    pub(crate) fn commit(&self, subject: &str) -> String {
        run(self.folder.path(), &["add", "--all"]);
        run(self.folder.path(), &["commit", "--quiet", "--message", subject]);
        run(self.folder.path(), &["rev-parse", "HEAD"])
    }

    /// Offers a commit to the source, whatever that follows.
    async fn offer(&self, testbed: &Testbed, tag: &str, commit: &str) -> testbed::Result<()> {
        let at = self.folder.path();
        run(at, &["push", "--quiet", "origin", "main"]);
        match self.name {
            "way-slash" => drop(run(at, &["push", "--quiet", "origin", "main:release/x@1"])),
            "way-pull" => {
                run(at, &["push", "--quiet", "origin", "main:change"]);
                if commit == self.first {
                    assert_eq!(testbed.gitea().open_pull_request(self.name, "change", "base").await?, 1);
                }
            }
            "way-tag" | "way-semver" => {
                run(at, &["tag", "--annotate", "--message", "A release", tag]);
                run(at, &["push", "--quiet", "origin", tag]);
            }
            "way-oci" | "way-digest" => {
                let revision =
                    if self.name == "way-oci" { format!("main@sha1:{commit}") } else { String::new() };
                let artifact = Artifact {
                    folder: at.to_owned(),
                    source: self.url.clone(),
                    revision,
                    created: "2026-11-20T10:00:00Z".to_owned(),
                };
                testbed.gitea().push_artifact(self.name, "latest", &artifact).await?;
            }
            _ => {}
        }
        run(at, &["fetch", "--quiet", "origin"]);
        Ok(())
    }
}

/// The object that the controllers fetch with.
fn source_of(way: &Way) -> String {
    let kind = if way.kind == "ExternalArtifact" { "GitRepository" } else { way.kind };
    format!("{kind}/flux-system/{}", way.name)
}

fn kustomization(way: &Way) -> String {
    let (name, kind) = (way.name, way.kind);
    let group = if kind == "ExternalArtifact" { "apiVersion: source.toolkit.fluxcd.io/v1, " } else { "" };
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec: \
         {{interval: 1h, path: ./apps, prune: true, targetNamespace: {name}, sourceRef: {{{group}kind: {kind}, name: {name}}}}}\n"
    )
}

fn short(commit: &str) -> &str {
    &commit[..7]
}

/// Brings every file of a repository to its stage, and looks at each.
async fn travel(
    testbed: &Testbed,
    cluster: &Cluster,
    kubeconfig: &Kubeconfig,
    way: &Way,
    table: &mut Table,
) -> testbed::Result<Laid> {
    let laid = Laid::new(testbed, way.name).await?;
    let object = format!("Kustomization/flux-system/{}", way.name);
    let source = source_of(way);
    laid.offer(testbed, "v1.0.0", &laid.first).await?;
    cluster.apply(&format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {}}}\n", way.name)).await?;
    cluster.apply(&(way.source)(&laid)).await?;
    cluster.apply(&kustomization(way)).await?;
    cluster.wait_ready(&object, PATIENCE).await?;

    let revision =
        |version: &str, commit: &str| way.revision.replace('V', version).replace('R', short(commit));
    let first = revision("v1.0.0", &laid.first);
    let home = Home::new();
    let [opened, others @ ..] = &STAGES;
    let mut editor = look(&home, laid.folder.path(), &laid.file(opened), kubeconfig);
    for stage in others {
        editor.open(&laid.file(stage));
    }
    let is_known = way.name != "way-digest";
    let live = if is_known {
        format!("✓ staging: live {first} by {}", way.name)
    } else {
        format!("staging: applied {first}")
    };
    table.check(&mut editor, &format!("{}, all well", way.name), &laid.file("live"), &live);

    // From here on nothing is applied any more, and nothing is reopened.
    cluster.patch(&object, json!({"spec": {"suspend": true}})).await?;
    laid.write("fetched", "2");
    let second = laid.commit("Change what is fetched");
    laid.offer(testbed, "v1.1.0", &second).await?;
    cluster.reconcile(&source).await?;
    if way.moves && is_known {
        cluster
            .wait_for(&source, "the second commit", PATIENCE, |it| {
                it.pointer("/status/artifact").is_some_and(|it| it.to_string().contains(&second))
            })
            .await?;
    }
    laid.write("pushed", "2");
    laid.commit("Change what is pushed");
    run(laid.folder.path(), &["push", "--quiet", "origin", "main"]);
    run(laid.folder.path(), &["fetch", "--quiet", "origin"]);
    laid.write("committed", "2");
    laid.commit("Change what is committed");
    laid.write("saved", "2");
    editor.change(&laid.file("edited"), &manifest("edited", "2"));
    // An editor tells what it wrote; the others are found by themselves.
    for stage in ["fetched", "pushed", "committed", "saved"] {
        editor.change(&laid.file(stage), &manifest(stage, "2"));
    }

    let pushed = way.pushed.replace('R', short(&laid.first));
    let fetched = match way.moves {
        true => format!("fetched {}, not applied yet", revision("v1.1.0", &second)),
        false => pushed.clone(),
    };
    let local = |words: &str| match (is_known, way.pushed.split_once("; follows ")) {
        (false, _) => format!("staging: applied {first}"),
        (true, Some((_, follows))) => {
            format!("not live · {words}, on main; follows {}", follows.replace('R', short(&laid.first)))
        }
        (true, None) => format!("not live · {words}"),
    };
    let committed = match way.pushed.contains("follows") && way.name != "way-slash" {
        true => local("committed"),
        false => local("committed, not pushed"),
    };
    let expected = [
        ("live", format!("applied {first}")),
        ("fetched", if is_known { fetched } else { format!("applied {first}") }),
        ("pushed", pushed),
        ("committed", committed),
        ("saved", local("saved, not committed")),
        ("edited", local("unsaved")),
    ];
    for (stage, words) in expected {
        table.check(&mut editor, way.name, &laid.file(stage), &words);
    }
    editor.stop();
    Ok(laid)
}

/// An editor with a file open, that is connected.
fn look(home: &Home, folder: &Path, file: &Path, kubeconfig: &Kubeconfig) -> Client {
    let mut editor = editor(home, folder, kubeconfig);
    editor.open(file);
    editor.execute("fluxcd.chooseCluster", json!({"uri": uri(file)}));
    editor
}

/// The clone of the first way as other people have it.
fn situations(laid: &Laid, kubeconfig: &Kubeconfig, table: &mut Table) {
    let at = laid.folder.path();
    let first = short(&laid.first).to_owned();
    let second = run(at, &["rev-parse", "--short=7", "HEAD~2"]);
    let around = tempfile::tempdir().unwrap();
    let home = Home::new();
    let mut check = |name: &str, folder: &Path, cells: &[(&str, String)]| {
        let file = |stage: &str| folder.join(format!("apps/{stage}.yaml"));
        let mut editor = look(&home, folder, &file(cells[0].0), kubeconfig);
        for (nth, (stage, words)) in cells.iter().enumerate() {
            if nth > 0 {
                editor.open(&file(stage));
            }
            table.check(&mut editor, name, &file(stage), words);
        }
        editor.stop();
    };
    let clone = |name: &str, options: &[&str]| {
        let folder = around.path().join(name);
        let mut arguments = vec!["clone", "--quiet"];
        arguments.extend(options);
        arguments.extend([laid.url.as_str(), folder.to_str().unwrap()]);
        run(around.path(), &arguments);
        run(&folder, &["config", "user.name", "Bo"]);
        run(&folder, &["config", "user.email", "bo@shop.invalid"]);
        folder
    };
    let applied = format!("applied main@{first} by way-branch");
    let fetched = format!("fetched main@{second}, not applied yet");
    let pushed = "staging: pushed, ".to_owned();

    let fresh = clone("fresh", &[]);
    check(
        "a fresh clone",
        &fresh,
        &[("live", applied.clone()), ("fetched", fetched.clone()), ("pushed", pushed.clone())],
    );

    run(&fresh, &["checkout", "--quiet", "--detach"]);
    check("a detached HEAD", &fresh, &[("fetched", fetched.clone()), ("pushed", pushed.clone())]);
    run(&fresh, &["checkout", "--quiet", "main"]);

    let linked = around.path().join("linked");
    run(&fresh, &["worktree", "add", "--quiet", "-b", "side", linked.to_str().unwrap()]);
    std::fs::write(linked.join("apps/committed.yaml"), manifest("committed", "3")).unwrap();
    run(&linked, &["commit", "--quiet", "--all", "--message", "On the side"]);
    check(
        "a linked work tree",
        &linked,
        &[
            ("live", applied.clone()),
            ("pushed", pushed.clone()),
            ("committed", "not live · committed, not pushed, on side; follows main".to_owned()),
        ],
    );

    let missing = format!("{applied}, not in this clone");
    let shallow = clone("shallow", &["--depth=1"]);
    check("a shallow clone", &shallow, &[("live", missing.clone()), ("pushed", missing.clone())]);
    let partial = clone("partial", &["--filter=blob:none"]);
    check("a partial clone", &partial, &[("live", missing.clone()), ("fetched", missing)]);

    let squashed = clone("squashed", &[]);
    run(&squashed, &["checkout", "--quiet", "--orphan", "squashed"]);
    run(&squashed, &["commit", "--quiet", "--message", "All in one"]);
    check(
        "a squashed history",
        &squashed,
        &[("live", applied.clone()), ("fetched", fetched.clone()), ("pushed", pushed.clone())],
    );

    let renamed = clone("renamed", &[]);
    run(&renamed, &["mv", "apps/live.yaml", "apps/renamed.yaml"]);
    check("a renamed file", &renamed, &[("renamed", applied.clone())]);

    let behind = clone("behind", &[]);
    run(&behind, &["reset", "--quiet", "--hard", &laid.first]);
    check(
        "a clone that is behind",
        &behind,
        &[
            ("live", applied.clone()),
            ("fetched", format!("{applied}; another text is fetched")),
            ("pushed", format!("{applied}; another text is pushed")),
        ],
    );

    let fork = clone("fork", &[]);
    run(&fork, &["remote", "rename", "origin", "upstream"]);
    run(&fork, &["remote", "add", "origin", "https://git.shop.invalid/bo/fork.git"]);
    check("a fork with two remotes", &fork, &[("fetched", fetched.clone()), ("pushed", pushed.clone())]);

    let dressed = clone("dressed", &[]);
    let other = laid.url.replace("http://", "HTTP://ada@").replace(".git", "/");
    run(&dressed, &["remote", "set-url", "origin", &other]);
    check("another spelling of the URL", &dressed, &[("fetched", fetched.clone())]);
    let host = laid.url.split("/flux/").next().unwrap();
    run(&dressed, &["config", &format!("url.{host}/flux/.insteadOf"), "shop:"]);
    run(&dressed, &["remote", "set-url", "origin", "shop:way-branch.git"]);
    check("insteadOf", &dressed, &[("pushed", pushed.clone())]);

    let whole = around.path().join("whole");
    std::fs::create_dir(&whole).unwrap();
    run(&whole, &["init", "--quiet"]);
    run(&whole, &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &laid.url, "fleet"]);
    check("a submodule", &whole.join("fleet"), &[("live", applied.clone()), ("pushed", pushed.clone())]);

    let feature = clone("feature", &[]);
    run(&feature, &["checkout", "--quiet", "-b", "feature/x"]);
    std::fs::write(feature.join("apps/committed.yaml"), manifest("committed", "3")).unwrap();
    run(&feature, &["commit", "--quiet", "--all", "--message", "A feature"]);
    run(&feature, &["update-ref", "refs/remotes/origin/feature/x", "HEAD"]);
    run(&feature, &["branch", "--quiet", "--set-upstream-to", "origin/feature/x"]);
    std::fs::write(feature.join("apps/saved.yaml"), manifest("saved", "3")).unwrap();
    check(
        "a feature branch",
        &feature,
        &[
            ("live", applied.clone()),
            ("committed", "not live · pushed to feature/x; follows main".to_owned()),
            ("saved", "not live · saved, not committed, on feature/x; follows main".to_owned()),
        ],
    );

    let comments = clone("comments", &[]);
    let text = manifest("live", "1").replace("\ndata:", "\n# what it is\ndata:");
    std::fs::write(comments.join("apps/live.yaml"), text).unwrap();
    check("only comments", &comments, &[("live", format!("{applied}, only comments differ"))]);
}

#[test]
fn every_stage_of_every_way_in_every_clone() {
    story(async |testbed| {
        let cluster = testbed.cluster_named(SHOPS)?;
        let kubeconfig = admin(testbed).await;
        let mut table = Table::default();
        let mut branch = None;
        for way in &WAYS {
            let laid = travel(testbed, cluster, &kubeconfig, way, &mut table).await?;
            if way.name == "way-branch" {
                branch = Some(laid);
            }
        }
        situations(&branch.unwrap(), &kubeconfig, &mut table);
        println!("  {} of {} cells as expected", table.cells - table.wrong.len(), table.cells);
        assert!(table.cells >= 60, "only {} cells", table.cells);
        assert_eq!(table.wrong, Vec::<String>::new());
        Ok(())
    });
}
