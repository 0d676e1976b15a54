//! What is shown, from a recording.

use expect_test::{Expect, expect};
use serde_json::json;

use crate::fleet::{APPS, FILES, INFRA, NO_FOLDER, list};
use crate::harness::Setup;

fn check(lines: &[String], expected: Expect) {
    expected.assert_eq(&lines.join("\n"));
}

#[tokio::test]
async fn marks_lenses_and_hovers_of_a_recording() {
    let mut editor = Setup::new(FILES).recording(&list(Some(NO_FOLDER))).hello().await;
    // The file is not open yet: the workspace's marks are told all the same.
    check(
        &editor.marks(APPS).await,
        expect![
            "7:8 error BuildFailed as recorded 2026-11-20 14:02, staging: kustomization path not found: stat apps/staging: no such file or directory"
        ],
    );
    editor.open(APPS).await;
    check(
        &editor.wait_lens(APPS, "failed").await,
        expect!["0: ✗ staging: failed main@1a2b3c4, as recorded 2026-11-20 14:02 | Go to cause"],
    );
    editor.open(INFRA).await;
    check(
        &editor.wait_lens(INFRA, "recorded").await,
        expect!["0: staging: applied main@1a2b3c4, as recorded 2026-11-20 14:02"],
    );
    let hover = editor.hover(APPS, 3, 9).await.unwrap();
    expect![[r#"
        ✗ **`Kustomization/flux-system/apps`** in `staging`: failed, tried again

        `BuildFailed`:

        ```text
        kustomization path not found: stat apps/staging: no such file or directory
        ```

        - failed `main@1a2b3c4`, not in this clone
        - so since 2026-11-20 14:02 UTC
        - this text: `saved`
        - how far it has come in the cluster cannot be told: `main@1a2b3c4` is not in this clone; `git fetch origin` brings it
        - this text is what the cluster has
        - source `GitRepository/flux-system/flux-system`: fetched `main@1a2b3c4`
        - applied by `Kustomization/flux-system/flux-system`: its build reads this file, and its inventory holds the object
        - cluster `staging`, as recorded, not live; the newest time in the recording is 2026-11-20 14:02 UTC"#]].assert_eq(&hover);
    assert_eq!(editor.hover(APPS, 6, 4).await, None, "at `interval` other servers answer");
    editor.goodbye().await;
}

#[tokio::test]
async fn marks_go_when_their_file_goes() {
    let setup = Setup::new(FILES).recording(&list(Some(NO_FOLDER)));
    let file = setup.repo().join(APPS);
    let mut editor = setup.hello().await;
    assert_eq!(editor.marks(APPS).await.len(), 1);
    std::fs::remove_file(file).unwrap();
    assert_eq!(editor.marks(APPS).await.len(), 0);
    editor.goodbye().await;
}

#[tokio::test]
async fn only_open_files_where_that_is_wished() {
    let mut editor = Setup::new(FILES)
        .recording(&list(Some(NO_FOLDER)))
        .initialization(|it| it["settings"] = json!({"diagnostics": {"scope": "openFiles"}}))
        .hello()
        .await;
    editor.open(APPS).await;
    assert_eq!(editor.marks(APPS).await.len(), 1);
    editor.close(APPS).await;
    assert_eq!(editor.marks(APPS).await.len(), 0);
    editor.goodbye().await;
}

#[tokio::test]
async fn marks_that_did_not_change_are_not_sent_again() {
    let mut editor = Setup::new(FILES).recording(&list(Some(NO_FOLDER))).hello().await;
    editor.open(APPS).await;
    assert_eq!(editor.marks(APPS).await.len(), 1);
    // Below the mark: nothing moves.
    let end = json!({"line": 12, "character": 0});
    editor.change(APPS, 2, json!([{"range": {"start": end, "end": end}, "text": "# a comment\n"}])).await;
    editor.wait_lens(APPS, "failed").await;
    editor.close(APPS).await;
    editor.open(APPS).await;
    editor.wait_lens(APPS, "failed").await;
    // Goodbye refuses marks that nobody awaited.
    editor.goodbye().await;
}

#[tokio::test]
async fn settings_switch_surfaces_off() {
    let mut editor = Setup::new(FILES).recording(&list(Some(NO_FOLDER))).hello().await;
    editor.open(APPS).await;
    assert_eq!(editor.marks(APPS).await.len(), 1);
    let off = json!({"settings": {"fluxcd": {"enable": false}}});
    editor.notify("workspace/didChangeConfiguration", off).await;
    assert_eq!(editor.marks(APPS).await.len(), 0);
    assert_eq!(editor.lenses(APPS).await, Vec::<String>::new());
    assert_eq!(editor.hover(APPS, 3, 9).await, None);
    editor.goodbye().await;
}

#[tokio::test]
async fn details_and_actions_for_clients_without_lenses() {
    let mut editor = Setup::new(FILES).recording(&list(Some(NO_FOLDER))).hello().await;
    editor.open(APPS).await;
    assert_eq!(editor.marks(APPS).await.len(), 1);
    let at = json!({"uri": editor.uri(APPS), "position": {"line": 7, "character": 0}});
    let status = editor.command("fluxcd.statusAtCursor", at.clone()).await;
    assert!(status["markdown"].as_str().unwrap().contains("BuildFailed"), "{status}");
    let details = editor.command("fluxcd.details", at).await;
    let shown = editor.heard("fluxcd/details").await;
    assert_eq!(shown["markdown"], details["markdown"]);
    let here = json!({"line": 7, "character": 0});
    let params = json!({
        "textDocument": {"uri": editor.uri(APPS)}, "range": {"start": here, "end": here},
        "context": {"diagnostics": []},
    });
    let actions = editor.request("textDocument/codeAction", params).await;
    let titles: Vec<_> =
        actions.as_array().unwrap().iter().map(|it| it["title"].as_str().unwrap().to_owned()).collect();
    check(
        &titles,
        expect![[r#"
        staging: Go to cause
        staging: Details of Kustomization/flux-system/apps"#]],
    );
    editor.goodbye().await;
}

#[tokio::test]
async fn a_mark_gets_worse_only_after_typing() {
    let mut editor = Setup::new(FILES).recording(&list(Some(NO_FOLDER))).hello().await;
    editor.open(APPS).await;
    assert!(editor.marks(APPS).await[0].contains(" error "));
    // Another text than the one that failed: one step down, at once.
    let path = json!({"start": {"line": 7, "character": 8}, "end": {"line": 7, "character": 22}});
    editor.change(APPS, 2, json!([{"range": path, "text": "./apps/other"}])).await;
    let typed = std::time::Instant::now();
    assert!(editor.marks(APPS).await[0].contains(" warning "));
    // The text that failed again: it is red again, but not while someone types.
    let path = json!({"start": {"line": 7, "character": 8}, "end": {"line": 7, "character": 20}});
    editor.change(APPS, 3, json!([{"range": path, "text": "./apps/staging"}])).await;
    let marks = loop {
        let marks = editor.marks(APPS).await;
        if marks[0].contains(" error ") {
            break marks;
        }
    };
    assert_eq!(marks.len(), 1);
    assert!(typed.elapsed() >= std::time::Duration::from_millis(500));
    editor.goodbye().await;
}

#[tokio::test]
async fn go_to_cause_opens_what_failed_first() {
    let shown = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&shown);
    let mut editor = Setup::new(FILES)
        .recording(&list(Some(NO_FOLDER)))
        .answers(move |method, params| {
            seen.lock().unwrap().push((method.to_owned(), params.clone()));
            json!({"success": true})
        })
        .hello()
        .await;
    editor.open(APPS).await;
    assert_eq!(editor.marks(APPS).await.len(), 1);
    let uri = editor.uri(APPS);
    let cause = json!({"uri": uri, "cluster": "staging", "object": "Kustomization/flux-system/apps"});
    editor.command("fluxcd.goToCause", cause).await;
    while shown.lock().unwrap().is_empty() {
        editor.lenses("nowhere.yaml").await;
    }
    let (method, params) = shown.lock().unwrap().remove(0);
    assert_eq!(method, "window/showDocument");
    assert_eq!(params["uri"], json!(uri));
    assert_eq!(params["selection"]["start"], json!({"line": 7, "character": 8}));
    editor.goodbye().await;
}

#[tokio::test]
async fn the_status_bar_is_told_once() {
    let mut editor = Setup::new(FILES)
        .recording(&list(Some(NO_FOLDER)))
        .initialization(|it| it["client"]["status"] = json!(true))
        .hello()
        .await;
    let status = loop {
        let status = editor.heard("fluxcd/status").await;
        if status["failed"] == json!(1) {
            break status;
        }
    };
    assert_eq!(status["severity"], "error");
    assert_eq!(status["clusters"][0]["name"], "staging");
    assert_eq!(status["clusters"][0]["state"], "recorded");
    assert_eq!(editor.marks(APPS).await.len(), 1);
    editor.goodbye().await;
}

#[tokio::test]
async fn a_recording_that_is_none_is_told() {
    let mut editor = Setup::new(FILES).recording(&json!("no list")).hello().await;
    let said = editor.heard("window/showMessage").await;
    assert!(said["message"].as_str().unwrap().contains("staging.json"), "{said}");
    editor.goodbye().await;
}

#[tokio::test]
async fn a_file_that_another_program_writes_is_seen() {
    let setup = Setup::new(FILES).recording(&list(Some(NO_FOLDER)));
    let file = setup.repo().join(APPS);
    let mut editor = setup.hello().await;
    assert_eq!(editor.marks(APPS).await.len(), 1);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("# one line more\n{text}")).unwrap();
    // What the mark says may still get better before that: Git is asked for the commit.
    while !editor.marks(APPS).await.concat().starts_with("8:8 ") {}
    editor.goodbye().await;
}

#[tokio::test]
async fn lenses_are_refreshed_whoever_asked_for_them_last() {
    let mut editor = Setup::new(FILES).recording(&list(Some(NO_FOLDER))).hello().await;
    editor.open(APPS).await;
    assert_eq!(editor.marks(APPS).await.len(), 1);
    let before = editor.wait_lens(APPS, "failed").await;
    // Refreshes of the time before; other messages nobody expects.
    assert!(editor.leftovers().await.is_empty());
    let everything = json!({"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}});
    editor.change(APPS, 2, json!([{"range": everything, "text": ""}])).await;
    // Another extension asks at once, and has the new lenses; what is on the screen has not changed by that.
    while editor.lenses(APPS).await == before {}
    editor.heard("workspace/codeLens/refresh").await;
    assert!(editor.marks(APPS).await.is_empty());
    editor.goodbye().await;
}
