//! Text, bad input, bad ends.

use serde_json::{Value, json};

use crate::fleet::{APPS, FILES, NO_FOLDER, NOTES, list};
use crate::harness::Setup;

#[tokio::test]
async fn says_hello_and_goodbye() {
    let mut editor = Setup::new(FILES).start();
    let capabilities = editor.hello().await;
    assert_eq!(capabilities["textDocumentSync"]["change"], 2);
    assert_eq!(capabilities["positionEncoding"], "utf-16");
    assert!(
        capabilities["executeCommandProvider"]["commands"]
            .as_array()
            .unwrap()
            .contains(&json!("fluxcd.reconcile"))
    );
    editor.goodbye().await;
}

#[tokio::test]
async fn requests_before_initialize_are_refused() {
    let mut editor = Setup::new(FILES).start();
    let id = editor
        .ask(
            "textDocument/hover",
            json!({"textDocument": {"uri": "file:///a"}, "position": {"line": 0, "character": 0}}),
        )
        .await;
    assert_eq!(editor.answer(id).await["error"]["code"], -32002);
    editor.notify("textDocument/didOpen", json!({})).await;
    editor.hello().await;
    editor.goodbye().await;
}

#[tokio::test]
async fn what_comes_behind_initialize_waits_for_its_answer() {
    // The protocol forbids it; a document that was dropped here would be unknown as long as it is open.
    let mut editor = Setup::new(FILES).recording(&list(Some(NO_FOLDER))).start();
    let uri = editor.uri(APPS);
    let hello = editor
        .ask(
            "initialize",
            json!({"processId": null, "capabilities": {}, "initializationOptions": {"trusted": true}}),
        )
        .await;
    editor.notify("initialized", json!({})).await;
    editor.open(APPS).await;
    let lenses = editor.ask("textDocument/codeLens", json!({"textDocument": {"uri": uri}})).await;
    assert!(editor.answer(lenses).await["result"].is_array(), "the document is known");
    assert!(editor.answer(hello).await["result"].is_object());
    assert!(!editor.marks(APPS).await.is_empty());
    editor.goodbye().await;
}

#[tokio::test]
async fn what_is_not_json_or_no_request_changes_nothing() {
    let mut editor = Setup::new(FILES).hello().await;
    editor.send_raw(b"Content-Length: 5\r\n\r\n{oops").await;
    let error = editor.wait("a parse error", |it| it["error"]["code"] == json!(-32700)).await;
    assert_eq!(error["id"], Value::Null);
    editor.send_raw(b"Nonsense\r\n\r\nContent-Length: 2\r\n\r\n{}").await;
    editor.notify("textDocument/didChange", json!({"nothing": "of it"})).await;
    let id = editor.ask("textDocument/unheardOf", json!({})).await;
    assert_eq!(editor.answer(id).await["error"]["code"], -32601);
    let id = editor.ask("workspace/executeCommand", json!({"command": "fluxcd.nonsense"})).await;
    assert_eq!(editor.answer(id).await["error"]["code"], -32602);
    editor.wait("an answer to {}", |it| it.get("error").is_some()).await;
    editor.goodbye().await;
}

#[tokio::test]
async fn edits_out_of_range_do_no_harm() {
    let mut editor = Setup::new(FILES).recording(&list(Some(NO_FOLDER))).hello().await;
    editor.open(APPS).await;
    assert!(!editor.marks(APPS).await.is_empty());
    let range = json!({"start": {"line": 4000, "character": 9}, "end": {"line": 5000, "character": 1}});
    editor.change(APPS, 2, json!([{"range": range, "text": "\n# the end\n"}])).await;
    let backwards = json!({"start": {"line": 3, "character": 99}, "end": {"line": 0, "character": 0}});
    editor.change(APPS, 3, json!([{"range": backwards, "text": ""}])).await;
    // A document that nobody opened.
    editor.change("clusters/staging/other.yaml", 3, json!([{"text": ""}])).await;
    editor.lenses(APPS).await;
    editor.goodbye().await;
}

#[tokio::test]
async fn a_handler_that_panics_loses_its_own_answer_only() {
    let mut editor = Setup::new(FILES).recording(&list(Some(NO_FOLDER))).hello().await;
    editor.open(APPS).await;
    assert!(!editor.marks(APPS).await.is_empty());
    let id = editor.ask("workspace/executeCommand", json!({"command": "fluxcd.test.panic"})).await;
    assert_eq!(editor.answer(id).await["error"]["code"], -32603);
    assert!(editor.hover(APPS, 3, 9).await.is_some());
    editor.goodbye().await;
}

#[tokio::test]
async fn an_editor_that_dies_takes_the_server_with_it() {
    let mut editor = Setup::new(FILES).recording(&list(None)).hello().await;
    editor.open(APPS).await;
    editor.die().await;
    assert!(!editor.ended().await, "nobody said goodbye");
}

#[cfg(unix)]
#[tokio::test]
async fn an_editor_whose_process_is_gone_takes_the_server_with_it() {
    // Its streams stay open: somebody else has inherited them.
    let mut process = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
    let mut editor = Setup::new(FILES).start();
    editor.request("initialize", json!({"processId": process.id(), "capabilities": {}})).await;
    editor.notify("initialized", json!({})).await;
    assert_eq!(editor.lenses("nowhere.yaml").await, Vec::<String>::new(), "it lives while the editor does");
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(!editor.ended().await, "nobody said goodbye");
}

#[tokio::test]
async fn exit_without_shutdown_ends_it_with_an_error() {
    let mut editor = Setup::new(FILES).hello().await;
    editor.send(json!({"jsonrpc": "2.0", "method": "exit"})).await;
    assert!(!editor.ended().await);
}

#[tokio::test]
async fn yaml_that_is_not_kubernetes_is_left_alone() {
    let mut editor = Setup::new(FILES).recording(&list(None)).hello().await;
    editor.open(NOTES).await;
    assert_eq!(editor.lenses(NOTES).await, Vec::<String>::new());
    assert_eq!(editor.hover(NOTES, 0, 2).await, None);
    editor.open_text("untyped.yaml", "a: [1, {{ b\n\t: :\n---\n%").await;
    assert_eq!(editor.lenses("untyped.yaml").await, Vec::<String>::new());
    editor.goodbye().await;
}

#[tokio::test]
async fn fifty_megabytes_wrong_utf8_and_a_folder_that_vanishes() {
    let setup = Setup::new(FILES).recording(&list(Some(NO_FOLDER)));
    let repo = setup.repo();
    std::fs::write(repo.join("wrong.yaml"), b"kind: Kustomization\nname: \xff\xfe\n").unwrap();
    let mut editor = setup.hello().await;
    editor
        .open_text("big.yaml", &"a: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n".repeat(1_000_000))
        .await;
    editor.open_text("wrong.yaml", "kind: Kustomization\nname: \u{fffd}\u{fffd}\n").await;
    assert_eq!(editor.lenses("big.yaml").await, Vec::<String>::new());
    editor.open(APPS).await;
    assert!(!editor.marks(APPS).await.is_empty());
    std::fs::remove_dir_all(repo.join("clusters")).unwrap();
    // The text is in front of the user still, and so are its marks.
    assert!(editor.hover(APPS, 3, 9).await.is_some());
    editor.goodbye().await;
}
