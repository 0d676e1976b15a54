//! How HEAD stands: in the status bar, and told once when what was waited for came to an end.

use std::sync::{Arc, Mutex};

use cluster::{SessionStatus, What};
use flux::{Change, Kind, Object};
use serde_json::{Value, json};

use crate::fleet::{APPS, FILES, INFRA, kustomization, objects};
use crate::git;
use crate::harness::{Editor, PATIENCE, Setup};

/// The revision of the objects in `fleet`.
const RECORDED: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f80911223344";

/// A clone whose HEAD changed what one file of the root Kustomization says, and is not pushed; the commit before is.
fn clone(setup: &Setup) -> [String; 2] {
    let repo = setup.repo();
    git::init(&repo, "https://git.example.com/fleet.git");
    let before = git::commit(&repo, "Open");
    git::push(&repo);
    let file = repo.join(INFRA);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("interval: 10m", "interval: 5m")).unwrap();
    [before, git::commit(&repo, "Look every five minutes")]
}

/// All that a cluster has to say: at which commit it is, and how often `infra` is looked at there.
fn all(commit: &str, interval: &str, failure: Option<&str>) -> What {
    let mut objects = objects(None);
    if failure.is_some() {
        objects[1] = kustomization("flux-system", "./clusters/staging", &[], failure);
    }
    objects[3]["spec"]["interval"] = json!(interval);
    let told = |object: &Value| {
        let text = object.to_string().replace(RECORDED, commit);
        Object::from_json(serde_json::from_str(&text).unwrap()).unwrap()
    };
    let objects: Vec<Object> = objects.iter().map(told).collect();
    let listed = Kind::ALL.iter().map(|kind| Change::Relisted {
        kind: *kind,
        namespace: None,
        objects: objects.iter().filter(|it| it.kind == *kind).cloned().collect(),
    });
    What::Changes(listed.collect())
}

/// The status bar, once HEAD stands in a state.
async fn wait_head(editor: &mut Editor, state: &str) -> Value {
    loop {
        let status = editor.heard("fluxcd/status").await;
        if status["heads"][0]["state"] == json!(state) {
            return status["heads"][0].clone();
        }
    }
}

/// A file is open, and `staging` was chosen.
async fn chosen(setup: Setup, outcome: bool) -> (Editor, Arc<Mutex<Vec<Value>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let answer = move |method: &str, params: &Value| match method {
        "fluxcd/pick" => {
            let items = params["items"].as_array().unwrap();
            let wanted =
                |it: &&Value| ["staging", "This repository"].contains(&it["label"].as_str().unwrap());
            items.iter().find(wanted).unwrap()["id"].clone()
        }
        method => {
            seen.lock().unwrap().push(json!([method, params]));
            match method {
                "window/showMessageRequest" => params["actions"][0].clone(),
                _ => json!({"success": true}),
            }
        }
    };
    let mut editor = setup
        .kubeconfig()
        .initialization(|it| {
            it["client"]["status"] = json!(true);
            it["client"]["outcome"] = json!(outcome);
        })
        .capabilities(|it| it["window"]["showMessage"] = json!({}))
        .answers(answer)
        .hello()
        .await;
    editor.open(APPS).await;
    editor.wait_lens(APPS, "not connected").await;
    let uri = editor.uri(APPS);
    editor.command("fluxcd.chooseCluster", json!({"uri": uri})).await;
    editor.contacts(1).await;
    (editor, asked)
}

#[tokio::test]
async fn from_not_pushed_to_live() {
    let setup = Setup::new(FILES);
    let [before, commit] = clone(&setup);
    let (mut editor, _) = chosen(setup, true).await;
    let short = &commit[..7];
    let head = loop {
        let head = wait_head(&mut editor, "notPushed").await;
        if head["clusters"] != json!([]) {
            break head;
        }
    };
    assert_eq!(head["clusters"], json!([{"name": "staging", "state": "untold", "text": "connecting…"}]));
    assert_eq!(head["text"], format!("{short} not pushed"));
    assert_eq!(head["commit"], json!(commit));
    assert_eq!(head["branch"], "main");
    assert_eq!(head["subject"], "Look every five minutes");
    let root = editor.uri("");
    assert_eq!(head["root"], json!(root.trim_end_matches('/')));

    git::push(&editor.repo);
    let head = wait_head(&mut editor, "untold").await;
    assert_eq!(head["text"], format!("{short} not known"));
    editor.clusters.say("staging", all(&before, "10m", None)).await;
    editor.clusters.say("staging", What::Status(SessionStatus::Live)).await;
    let head = wait_head(&mut editor, "waiting").await;
    assert_eq!(head["text"], format!("{short} waiting (pushed)"));
    let text = head["clusters"][0]["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("Kustomization/flux-system/infra: pushed, "), "{text}");

    // The object itself is heard of last.
    editor.clusters.say("staging", all(&commit, "10m", None)).await;
    let head = loop {
        let head = wait_head(&mut editor, "waiting").await;
        if head["text"] != json!(format!("{short} waiting (pushed)")) {
            break head;
        }
    };
    assert_eq!(head["text"], format!("{short} waiting (applied)"));
    editor.clusters.say("staging", all(&commit, "5m", None)).await;
    let head = wait_head(&mut editor, "live").await;
    assert_eq!(head["text"], format!("✓ {short} live"));
    let told = editor.heard("fluxcd/outcome").await;
    assert_eq!(told["head"], head);
    assert_eq!(told["message"], format!("Flux: {short} (Look every five minutes) is live in staging."));
    assert_eq!(told["show"], false);

    // No sign of life: nobody calls that live.
    let last = jiff::Timestamp::now();
    editor.clusters.say("staging", What::Status(SessionStatus::LastSeen(last))).await;
    let head = wait_head(&mut editor, "untold").await;
    assert!(head["clusters"][0]["text"].as_str().unwrap().starts_with("last seen "), "{head}");
    editor.clusters.say("staging", What::Status(SessionStatus::Live)).await;
    wait_head(&mut editor, "live").await;
    // A commit that changes nothing which is applied: all that it has is live.
    let note = git::commit(&editor.repo, "Write a note");
    let head = loop {
        let head = wait_head(&mut editor, "live").await;
        if head["commit"] == json!(note) {
            break head;
        }
    };
    assert_eq!(head["text"], format!("✓ {} live", &note[..7]));
    assert!(head["tooltip"].as_str().unwrap().contains(" on main, not pushed: Write a note"), "{head}");
    let more = editor.leftovers().await;
    assert!(more.iter().all(|it| it["method"] != "fluxcd/outcome"), "{more:#?}");
    editor.die().await;
}

#[tokio::test]
async fn a_failure_is_shown_to_who_wants_that_with_the_way_to_its_cause() {
    let setup = Setup::new(FILES).config("notifications = \"on\"");
    let [before, commit] = clone(&setup);
    git::push(&setup.repo());
    let (mut editor, asked) = chosen(setup, false).await;
    editor.clusters.say("staging", all(&before, "10m", None)).await;
    editor.clusters.say("staging", What::Status(SessionStatus::Live)).await;
    wait_head(&mut editor, "waiting").await;
    let broken = "Kustomization/flux-system/infra dry-run failed: no";
    editor.clusters.say("staging", all(&commit, "10m", Some(broken))).await;
    let head = wait_head(&mut editor, "failed").await;
    assert_eq!(head["text"], format!("✗ {} failed", &commit[..7]));
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while asked.lock().unwrap().len() < 2 {
        assert!(tokio::time::Instant::now() < deadline, "asked: {asked:?}");
        editor.lenses("nowhere.yaml").await;
    }
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked[0][0], "window/showMessageRequest");
    let message = asked[0][1]["message"].as_str().unwrap();
    let expected =
        format!("Flux: {} (Look every five minutes) failed in staging: flux-system failed ", &commit[..7]);
    assert!(message.starts_with(&expected), "{message}");
    assert_eq!(asked[1][0], "window/showDocument");
    // It was tried again, and is well: who was told that it failed is told that too.
    editor.clusters.say("staging", all(&commit, "5m", None)).await;
    wait_head(&mut editor, "live").await;
    let told = editor.heard("window/showMessage").await;
    let expected = format!("Flux: {} (Look every five minutes) is live now in staging.", &commit[..7]);
    assert_eq!(told["message"], json!(expected));
    editor.die().await;
}

#[tokio::test]
async fn what_was_live_already_is_told_to_nobody() {
    let setup = Setup::new(FILES).config("notifications = \"on\"");
    let [_, commit] = clone(&setup);
    git::push(&setup.repo());
    let (mut editor, asked) = chosen(setup, true).await;
    editor.clusters.say("staging", all(&commit, "5m", None)).await;
    editor.clusters.say("staging", What::Status(SessionStatus::Live)).await;
    wait_head(&mut editor, "live").await;
    editor.wait_idle().await;
    let more = editor.leftovers().await;
    assert!(more.iter().all(|it| it["method"] != "fluxcd/outcome"), "{more:#?}");
    assert_eq!(*asked.lock().unwrap(), Vec::<Value>::new());
    editor.die().await;
}
