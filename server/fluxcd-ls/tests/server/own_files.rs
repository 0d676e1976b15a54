//! The user's own configuration and recordings change while the server runs.

use cluster::{SessionStatus, What};
use serde_json::{Value, json};

use crate::fleet::{APPS, FILES, NO_FOLDER, changes, list};
use crate::harness::Setup;

#[tokio::test]
async fn a_recording_that_is_made_anew_is_read_anew() {
    let mut editor = Setup::new(FILES).recording(&list(Some(NO_FOLDER))).hello().await;
    assert_eq!(editor.marks(APPS).await.len(), 1);
    std::fs::write(editor.repo.with_file_name("staging.json"), list(None).to_string()).unwrap();
    assert_eq!(editor.marks(APPS).await.len(), 0);
    editor.goodbye().await;
}

#[tokio::test]
async fn a_stricter_configuration_holds_at_once_and_a_looser_one_begins_nothing() {
    let answers = |method: &str, params: &Value| match method {
        "fluxcd/pick" => {
            let items = params["items"].as_array().unwrap();
            let wanted =
                |it: &&Value| it["label"] == json!("staging") || it["label"] == json!("This repository");
            items.iter().find(wanted).unwrap()["id"].clone()
        }
        method => panic!("nobody expected {method}"),
    };
    let mut editor = Setup::new(FILES).kubeconfig().config("").answers(answers).hello().await;
    let config = editor.config_file();
    editor.open(APPS).await;
    editor.wait_lens(APPS, "not connected").await;
    editor.command("fluxcd.chooseCluster", json!({"uri": editor.uri(APPS)})).await;
    editor.contacts(1).await;
    editor.clusters.say("staging", changes(None)).await;
    editor.clusters.say("staging", What::Status(SessionStatus::Live)).await;
    editor.wait_lens(APPS, "staging: applied main@1a2b3c4").await;

    std::fs::write(&config, "clusters = \"off\"").unwrap();
    while !editor.lenses(APPS).await.is_empty() {
        editor.heard("workspace/codeLens/refresh").await;
    }
    assert!(editor.clusters.all_ended());
    std::fs::write(&config, "").unwrap();
    editor.wait_lens(APPS, "not connected").await;
    assert_eq!(editor.clusters.contacted(), ["staging (chosen)"]);
    editor.goodbye().await;
}
