//! *Check now*: the clone learns what its remote has, because somebody asked.

use std::path::Path;

use serde_json::{Value, json};

use crate::fleet::{FILES, INFRA, list};
use crate::git;
use crate::harness::{Editor, PATIENCE, Setup};

const MISSING: &str = "is not in this clone; `git fetch origin` brings it";

/// A clone that lacks the commit which is applied; its remote has it.
fn behind(setup: &Setup) -> Value {
    let (repo, remote) = (setup.repo(), setup.repo().with_file_name("remote.git"));
    git::init(&repo, remote.to_str().unwrap());
    let first = git::commit(&repo, "Open");
    let applied = git::commit(&repo, "Of somebody else");
    git::git(&repo, &["clone", "--quiet", "--bare", ".", remote.to_str().unwrap()]);
    git::git(&repo, &["reset", "--quiet", "--hard", &first]);
    git::git(&repo, &["update-ref", "refs/remotes/origin/main", &first]);
    git::git(&repo, &["update-ref", "-d", "ORIG_HEAD"]);
    git::git(&repo, &["reflog", "expire", "--expire=now", "--all"]);
    git::git(&repo, &["prune", "--expire=now"]);
    let text = list(None).to_string().replace("1a2b3c4d5e6f708192a3b4c5d6e7f80911223344", &applied);
    serde_json::from_str(&text.replace("https://git.example.com/fleet", remote.to_str().unwrap())).unwrap()
}

/// What was under way was shown, and its end.
async fn progressed(editor: &mut Editor) {
    for kind in ["begin", "end"] {
        let is = |it: &Value| it["method"] == "$/progress" && it["params"]["value"]["kind"] == kind;
        editor.wait(kind, is).await;
    }
}

async fn said(editor: &mut Editor, text: &str) -> Value {
    editor
        .wait(text, |it| {
            it["method"] == "window/showMessage"
                && it["params"]["message"].as_str().is_some_and(|it| it.contains(text))
        })
        .await["params"]
        .clone()
}

/// What a hover at the Kustomization's name says, once it is as wanted.
async fn wait_hover(editor: &mut Editor, wanted: impl Fn(&str) -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let text = editor.hover(INFRA, 3, 9).await.unwrap_or_default();
        if wanted(&text) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{text}");
        tokio::task::yield_now().await;
    }
}

fn knows(repo: &Path, reference: &str) -> String {
    git::git(repo, &["rev-parse", reference])
}

#[tokio::test]
async fn what_is_missing_in_the_clone_is_fetched_when_somebody_asks() {
    let setup = Setup::new(FILES);
    let recording = behind(&setup);
    let mut editor = setup.recording(&recording).hello().await;
    editor.open(INFRA).await;
    wait_hover(&mut editor, |it| it.contains(MISSING)).await;
    let before = knows(&editor.repo, "refs/remotes/origin/main");

    let uri = editor.uri(INFRA);
    editor.command("fluxcd.checkNow", json!({"uri": uri})).await;
    let told = said(&mut editor, "git fetch").await;
    assert_eq!(told["message"], "Flux: git fetch origin in repo: done.");
    assert_ne!(knows(&editor.repo, "refs/remotes/origin/main"), before);
    wait_hover(&mut editor, |it| !it.contains(MISSING) && it.contains("Of somebody else")).await;
    progressed(&mut editor).await;
    // What is checked out is as it was.
    assert_eq!(knows(&editor.repo, "HEAD"), before);
    editor.goodbye().await;
}

#[tokio::test]
async fn a_remote_that_is_gone_and_a_folder_that_nobody_trusts() {
    let setup = Setup::new(FILES);
    let recording = behind(&setup);
    std::fs::remove_dir_all(setup.repo().with_file_name("remote.git")).unwrap();
    let mut editor = setup.recording(&recording).hello().await;
    editor.open(INFRA).await;
    wait_hover(&mut editor, |it| it.contains(MISSING)).await;
    let uri = editor.uri(INFRA);
    editor.command("fluxcd.checkNow", json!({"uri": uri})).await;
    let told = said(&mut editor, "as of the last fetch").await;
    assert_eq!(told["type"], 2);
    assert!(told["message"].as_str().unwrap().contains("does not appear to be a git repository"), "{told}");
    progressed(&mut editor).await;
    editor.goodbye().await;

    let setup = Setup::new(FILES).initialization(|options| options["trusted"] = json!(false));
    let recording = behind(&setup);
    let mut editor = setup.recording(&recording).hello().await;
    editor.open(INFRA).await;
    let uri = editor.uri(INFRA);
    editor.command("fluxcd.checkNow", json!({"uri": uri})).await;
    said(&mut editor, "not trusted").await;
    assert_eq!(knows(&editor.repo, "refs/remotes/origin/main"), knows(&editor.repo, "HEAD"));
    editor.goodbye().await;
}
