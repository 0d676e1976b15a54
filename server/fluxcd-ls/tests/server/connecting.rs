//! No cluster contact unasked; what a session says; actions.

use std::sync::{Arc, Mutex};

use cluster::{Outcome, SessionStatus, SignInReason, What};
use flux::{Kind, ObjectId};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fleet::{APPS, FILES, INFRA, NO_FOLDER, changes};
use crate::harness::{Editor, Setup};

/// What the server asked.
pub type Seen = Arc<Mutex<Vec<Value>>>;

/// Picks by label, in this order; everything picked is noted with what was offered.
fn picks(labels: &'static [&'static str]) -> (Seen, impl FnMut(&str, &Value) -> Value + Send) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let offered = Arc::clone(&seen);
    let mut labels = labels.iter();
    let answer = move |method: &str, params: &Value| {
        offered.lock().unwrap().push(params.clone());
        let label = labels.next().unwrap_or_else(|| panic!("nobody expected {method} {params}"));
        match method {
            "fluxcd/pick" => {
                let items = params["items"].as_array().unwrap();
                let item = items.iter().find(|it| it["label"] == json!(label));
                item.unwrap_or_else(|| panic!("no {label} in {params}"))["id"].clone()
            }
            "window/showMessageRequest" => json!({"title": label}),
            "window/showDocument" => json!({"success": true}),
            method => panic!("nobody expected {method}"),
        }
    };
    (seen, answer)
}

/// A file is open, `staging` was chosen, and its session is live.
async fn connected(labels: &'static [&'static str], failure: Option<&str>) -> (Editor, Seen) {
    connected_to(FILES, labels, failure).await
}

/// The same with other files besides.
pub async fn connected_to(
    files: &str,
    labels: &'static [&'static str],
    failure: Option<&str>,
) -> (Editor, Seen) {
    let (seen, answer) = picks(labels);
    let mut editor = Setup::new(files).kubeconfig().answers(answer).hello().await;
    editor.open(APPS).await;
    editor.wait_lens(APPS, "not connected").await;
    let uri = editor.uri(APPS);
    editor.command("fluxcd.chooseCluster", json!({"uri": uri})).await;
    editor.contacts(1).await;
    editor.clusters.say("staging", changes(failure)).await;
    editor.clusters.say("staging", What::Status(SessionStatus::Live)).await;
    editor.wait_lens(APPS, "staging").await;
    (editor, seen)
}

#[tokio::test]
async fn nothing_is_contacted_before_somebody_says_so() {
    let mut editor = Setup::new(FILES).kubeconfig().hello().await;
    editor.open(APPS).await;
    let rows = editor.wait_lens(APPS, "not connected").await;
    assert_eq!(rows, ["0: Flux: not connected | Choose cluster…"]);
    assert!(editor.hover(APPS, 3, 9).await.is_some_and(|text| text.contains("not connected")));
    assert_eq!(editor.clusters.contacted(), Vec::<String>::new());
    editor.goodbye().await;
}

#[tokio::test]
async fn the_list_shows_what_will_be_contacted_and_run_and_the_answer_is_kept() {
    let (mut editor, seen) = connected(&["staging", "This repository"], None).await;
    assert_eq!(editor.clusters.contacted(), ["staging (chosen)"]);
    let seen = seen.lock().unwrap().clone();
    let rows: Vec<String> = seen[0]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| format!("{} · {} · {}", it["label"], it["description"], it["detail"]).replace('"', ""))
        .collect();
    assert_eq!(
        rows,
        [
            "prod · https://prod.example.com:6443 · runs kubelogin, may open a browser",
            "staging · https://staging.example.com:6443 · token",
            "Never in this repository ·  · Flux does not offer clusters here again",
        ]
    );
    assert_eq!(seen[1]["title"], "Connect to staging (https://staging.example.com:6443)? Token.");
    editor.wait_lens(APPS, "staging: applied main@1a2b3c4").await;
    editor.goodbye().await;
}

#[tokio::test]
async fn a_remembered_consent_connects_its_own_files_only() {
    let (mut editor, _) = connected(&["staging", "This repository"], None).await;
    editor.wait_lens(APPS, "staging: applied main@1a2b3c4").await;
    editor.remembers(APPS).await;
    editor.command("fluxcd.disconnect", json!({"cluster": "staging"})).await;
    editor.wait_lens(APPS, "not connected").await;
    assert!(editor.clusters.all_ended());
    // Never seen to belong to any cluster.
    editor
        .open_text("clusters/prod/apps.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n")
        .await;
    editor.lenses("clusters/prod/apps.yaml").await;
    assert_eq!(editor.clusters.contacted(), ["staging (chosen)"]);
    editor.close(APPS).await;
    editor.open(APPS).await;
    editor.contacts(2).await;
    assert_eq!(editor.clusters.contacted(), ["staging (chosen)", "staging"]);
    editor.goodbye().await;
}

#[tokio::test]
async fn a_cluster_chosen_right_behind_the_file_waits_for_its_repository() {
    for by_file in [true, false] {
        let (_, answer) = picks(&["staging", "This repository"]);
        let mut editor = Setup::new(FILES).kubeconfig().answers(answer).hello().await;
        editor.open(APPS).await;
        let argument = if by_file { json!({"uri": editor.uri(APPS)}) } else { Value::Null };
        editor.command("fluxcd.chooseCluster", argument).await;
        assert_eq!(editor.contacts(1).await, ["staging (chosen)"]);
        // What is told at the cursor is asked in the same moment by editors that follow it.
        let uri = editor.uri(INFRA);
        editor.open(INFRA).await;
        let told = editor.command("fluxcd.statusAtCursor", json!({"uri": uri})).await;
        assert_eq!(told["title"], "infra.yaml", "{told}");
        editor.goodbye().await;
    }
}

#[tokio::test]
async fn never_here_takes_the_offer_away() {
    let (_, answer) = picks(&["Never in this repository"]);
    let mut editor = Setup::new(FILES).kubeconfig().answers(answer).hello().await;
    editor.open(APPS).await;
    editor.wait_lens(APPS, "not connected").await;
    let uri = editor.uri(APPS);
    editor.command("fluxcd.chooseCluster", json!({"uri": uri})).await;
    editor.heard("workspace/codeLens/refresh").await;
    assert_eq!(editor.lenses(APPS).await, Vec::<String>::new());
    assert_eq!(editor.clusters.contacted(), Vec::<String>::new());
    editor.goodbye().await;
}

#[tokio::test]
async fn an_untrusted_workspace_has_no_cluster() {
    let mut editor =
        Setup::new(FILES).kubeconfig().initialization(|it| it["trusted"] = json!(false)).hello().await;
    editor.open(APPS).await;
    assert_eq!(editor.lenses(APPS).await, Vec::<String>::new());
    let uri = editor.uri(APPS);
    editor.command("fluxcd.chooseCluster", json!({"uri": uri})).await;
    let said = editor.heard("window/showMessage").await;
    assert_eq!(
        said["message"],
        "Flux: this workspace is not trusted, so no cluster is contacted. Trust it first."
    );
    editor.notify("fluxcd/trusted", json!({})).await;
    editor.wait_lens(APPS, "not connected").await;
    assert_eq!(editor.clusters.contacted(), Vec::<String>::new());
    editor.goodbye().await;
}

#[tokio::test]
async fn workspace_settings_cannot_name_a_kubeconfig_a_recording_or_a_server() {
    let settings = json!({"kubeconfig": "/tmp/evil", "snapshot": "green.json", "server": {"path": "./run-me"}, "actions": "on"});
    let mut editor = Setup::new(FILES)
        .kubeconfig()
        .initialization(|it| it["settings"] = settings)
        .config("clusters = \"ask\"")
        .hello()
        .await;
    for name in ["fluxcd.kubeconfig", "fluxcd.snapshot", "fluxcd.server.path", "fluxcd.actions"] {
        let said = editor.heard("window/showMessage").await;
        assert!(said["message"].as_str().unwrap().contains(name), "{name}: {said}");
    }
    editor.open(APPS).await;
    editor.wait_lens(APPS, "not connected").await;
    editor.goodbye().await;
}

#[tokio::test]
async fn a_commit_that_breaks_and_its_fix() {
    let (mut editor, _) = connected(&["staging", "This repository"], None).await;
    editor.wait_lens(APPS, "staging: applied main@1a2b3c4").await;
    editor.clusters.say("staging", changes(Some(NO_FOLDER))).await;
    assert_eq!(editor.marks(APPS).await.len(), 1);
    editor.wait_lens(APPS, "✗ staging").await;
    // The same again says nothing new.
    editor.clusters.say("staging", changes(Some(NO_FOLDER))).await;
    editor.clusters.say("staging", changes(None)).await;
    assert_eq!(editor.marks(APPS).await.len(), 0);
    editor.wait_lens(APPS, "staging: applied main@1a2b3c4").await;
    editor.goodbye().await;
}

#[tokio::test]
async fn silence_takes_the_sign_away_and_a_login_that_expired_is_offered() {
    let (mut editor, _) = connected(&["staging", "This repository"], None).await;
    editor.wait_lens(APPS, "staging: applied main@1a2b3c4").await;
    let then = Timestamp::now() - jiff::SignedDuration::from_hours(3);
    editor.clusters.say("staging", What::Status(SessionStatus::LastSeen(then))).await;
    let rows = editor.wait_lens(APPS, "last seen").await;
    assert!(!rows.concat().contains('✓'), "{rows:?}");
    let expired = SessionStatus::NeedsSignIn {
        reason: SignInReason::Away,
        command: Some("kubelogin get-token".into()),
    };
    editor.clusters.say("staging", What::Status(expired)).await;
    editor.wait_lens(APPS, "Sign in").await;
    editor.command("fluxcd.signIn", json!({"cluster": "staging"})).await;
    editor.wait("progress", |it| it["params"]["value"]["kind"] == json!("begin")).await;
    assert_eq!(editor.clusters.signed_in(), 1);
    editor.clusters.say("staging", What::Status(SessionStatus::Live)).await;
    editor.clusters.say("staging", What::Contact(Timestamp::now())).await;
    editor.wait("its end", |it| it["params"]["value"]["kind"] == json!("end")).await;
    editor.wait_lens(APPS, "staging: applied main@1a2b3c4").await;
    editor.goodbye().await;
}

#[tokio::test]
async fn the_first_action_asks_and_a_hundred_presses_do_it_once() {
    let (mut editor, _) =
        connected(&["staging", "This repository", "Reconcile", "Cancel"], Some(NO_FOLDER)).await;
    assert_eq!(editor.marks(APPS).await.len(), 1);
    let object =
        json!({"cluster": "staging", "object": "Kustomization/flux-system/apps", "withSource": true});
    for _ in 0..100 {
        editor.command("fluxcd.reconcile", object.clone()).await;
    }
    // It is asked about once, and then done once.
    let begin = editor.wait("progress", |it| it["params"]["value"]["kind"] == json!("begin")).await;
    assert_eq!(begin["params"]["value"]["cancellable"], true);
    assert_eq!(editor.lenses(INFRA).await, Vec::<String>::new(), "the server answers meanwhile");
    editor.notify("window/workDoneProgress/cancel", json!({"token": begin["params"]["token"]})).await;
    editor.wait("its end", |it| it["params"]["value"]["kind"] == json!("end")).await;
    assert_eq!(
        editor.clusters.acted(),
        ["Reconcile { with_source: true } Kustomization/flux-system/apps in staging"]
    );
    // Suspending asks always.
    editor.command("fluxcd.suspend", object.clone()).await;
    editor.wait_idle().await;
    assert_eq!(editor.clusters.acted().len(), 1);
    editor.goodbye().await;
}

#[tokio::test]
async fn a_yes_to_the_first_action_is_one_to_those_behind_it() {
    // Nobody expects a second question.
    let (mut editor, _) = connected(&["staging", "This repository", "Reconcile"], None).await;
    for object in ["Kustomization/flux-system/apps", "GitRepository/flux-system/fleet"] {
        editor.command("fluxcd.reconcile", json!({"cluster": "staging", "object": object})).await;
    }
    for _ in 0..2 {
        editor.wait("progress", |it| it["params"]["value"]["kind"] == json!("begin")).await;
    }
    assert_eq!(editor.clusters.acted().len(), 2);
    editor.goodbye().await;
}

#[tokio::test]
async fn an_action_ends_in_an_answer() {
    let (mut editor, _) = connected(&["staging", "This repository", "Reconcile"], None).await;
    let object = ObjectId::flux(Kind::Kustomization, "flux-system", "apps");
    editor.clusters.outcome(Outcome::Applied {
        object: object.clone(),
        revision: Some("main@1a2b3c4".into()),
        message: "Applied revision".into(),
    });
    editor.command("fluxcd.reconcile", json!({"cluster": "staging", "object": object.to_string()})).await;
    editor.wait("progress", |it| it["params"]["value"]["kind"] == json!("begin")).await;
    editor.wait("its end", |it| it["params"]["value"]["kind"] == json!("end")).await;
    let said = editor.heard("window/showMessage").await;
    assert_eq!(said["type"], 3);
    assert!(said["message"].as_str().unwrap().contains("main@1a2b3c4"), "{said}");
    editor.goodbye().await;
}

#[tokio::test]
async fn a_kubeconfig_that_means_another_server_stops_the_session() {
    let (mut editor, _) = connected(&["staging", "This repository"], None).await;
    let file = editor.repo.with_file_name("kubeconfig");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("staging.example.com", "elsewhere.example.com")).unwrap();
    let said = editor.heard("window/showMessage").await;
    assert_eq!(
        said["message"],
        "Flux: the context staging of your kubeconfig means another server, certificate authority or login command \
         now. It is not contacted until you choose it again."
    );
    editor.wait_lens(APPS, "not connected").await;
    assert!(editor.clusters.all_ended());
    // Opening its file again does not connect: the answer was given for another server.
    editor.close(APPS).await;
    editor.open(APPS).await;
    editor.wait_lens(APPS, "not connected").await;
    assert_eq!(editor.clusters.contacted(), ["staging (chosen)"]);
    editor.goodbye().await;
}

#[tokio::test]
async fn the_cluster_that_a_kubeconfig_lacks_is_no_cluster() {
    let setup = Setup::new(FILES).kubeconfig();
    let file = setup.repo().with_file_name("kubeconfig");
    std::fs::write(&file, "contexts: [").unwrap();
    let mut editor = setup.hello().await;
    editor.open(APPS).await;
    editor.wait_lens(APPS, "not connected").await;
    let uri = editor.uri(APPS);
    editor.command("fluxcd.chooseCluster", json!({"uri": uri})).await;
    let said = editor.heard("window/showMessage").await;
    assert!(said["message"].as_str().unwrap().contains("is malformed"), "{said}");
    std::fs::remove_file(&file).unwrap();
    editor.command("fluxcd.chooseCluster", json!({"uri": uri})).await;
    let said = editor.heard("window/showMessage").await;
    assert!(said["message"].as_str().unwrap().contains("does not exist"), "{said}");
    editor.goodbye().await;
}

#[tokio::test]
async fn a_protected_context_asks_every_time() {
    let labels = &["prod", "Everywhere", "Reconcile", "Reconcile"];
    let (seen, answer) = picks(labels);
    let mut editor = Setup::new(FILES).kubeconfig().config("actions = \"on\"").answers(answer).hello().await;
    editor.open(APPS).await;
    editor.wait_lens(APPS, "not connected").await;
    let uri = editor.uri(APPS);
    editor.command("fluxcd.chooseCluster", json!({"uri": uri})).await;
    editor.contacts(1).await;
    editor.clusters.say("prod", changes(None)).await;
    editor.clusters.say("prod", What::Status(SessionStatus::Live)).await;
    editor.wait_lens(APPS, "prod: applied").await;
    let object = ObjectId::flux(Kind::Kustomization, "flux-system", "apps");
    for _ in 0..2 {
        editor.clusters.outcome(Outcome::Cancelled);
        editor.command("fluxcd.reconcile", json!({"cluster": "prod", "object": object.to_string()})).await;
        editor.wait("progress", |it| it["params"]["value"]["kind"] == json!("begin")).await;
        editor.wait("its end", |it| it["params"]["value"]["kind"] == json!("end")).await;
    }
    let asked = seen.lock().unwrap()[2]["message"].clone();
    assert_eq!(asked, "Reconcile Kustomization/flux-system/apps in prod (https://prod.example.com:6443)?");
    assert_eq!(editor.clusters.acted().len(), 2);
    editor.goodbye().await;
}

#[tokio::test]
async fn what_comes_behind_a_large_batch_waits_for_it() {
    let (mut editor, _) = connected(&["staging", "This repository"], None).await;
    let many = |failure| {
        let more = (0..500).map(|at| crate::fleet::kustomization(&format!("more-{at}"), "./more", &[], None));
        let objects =
            crate::fleet::objects(failure).into_iter().filter(|it| it["kind"] == json!("Kustomization"));
        What::Changes(vec![flux::Change::Relisted {
            kind: Kind::Kustomization,
            namespace: None,
            objects: objects.chain(more).map(|it| flux::Object::from_json(it).unwrap()).collect(),
        }])
    };
    let then = Timestamp::now() - jiff::SignedDuration::from_hours(3);
    editor.clusters.say("staging", many(Some(NO_FOLDER))).await;
    editor.clusters.say("staging", many(None)).await;
    editor.clusters.say("staging", changes(Some(NO_FOLDER))).await;
    editor.clusters.say("staging", What::Status(SessionStatus::LastSeen(then))).await;
    let rows = editor.wait_lens(APPS, "last seen").await;
    assert!(rows[0].contains("failed"), "{rows:?}");
    while !editor.marks(APPS).await.concat().contains("as of") {}
    editor.goodbye().await;
}
