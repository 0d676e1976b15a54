//! Definitions, references and links over the protocol.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::fleet::{APPS, NO_FOLDER, list};
use crate::harness::{Editor, Setup};

const FILES: &str = "\
//- clusters/staging/apps.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  # Ärger 🚢
  path: ./apps/staging
  sourceRef: {kind: GitRepository, name: flux-system}
  dependsOn: [{name: infra}]
//- clusters/staging/infra.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: \"infra\", namespace: flux-system}
spec:
  path: ./infra
  sourceRef: {kind: GitRepository, name: flux-system}
//- clusters/staging/kustomization.yaml
resources: [apps.yaml, infra.yaml]
//- apps/staging/kustomization.yaml
# 🚢
resources: [web.yaml] # 🚢
configMapGenerator:
- {name: 🚢, files: [logo.png]}
//- apps/staging/web.yaml
apiVersion: v1
kind: Service
metadata: {name: web}
//- apps/staging/logo.png
no text
";
const INFRA: &str = "clusters/staging/infra.yaml";
const BUILD: &str = "apps/staging/kustomization.yaml";

fn check(said: &str, expected: Expect) {
    expected.assert_eq(said);
}

/// Lists places as `file:line:start-end`.
fn places(editor: &Editor, places: &Value) -> String {
    let one = |it: &Value| {
        let uri = it["uri"].as_str().or(it["targetUri"].as_str()).unwrap();
        let range = if it["range"].is_null() { &it["targetSelectionRange"] } else { &it["range"] };
        let (start, end) = (&range["start"], &range["end"]);
        let file = uri.strip_prefix(&editor.uri("")).unwrap().trim_start_matches('/');
        format!("{file}:{}:{}-{}\n", start["line"], start["character"], end["character"])
    };
    places.as_array().map(|all| all.iter().map(one).collect()).unwrap_or_else(|| places.to_string())
}

async fn definition(editor: &mut Editor, file: &str, line: u32, character: u32) -> Value {
    let params = json!({
        "textDocument": {"uri": editor.uri(file)}, "position": {"line": line, "character": character},
    });
    editor.request("textDocument/definition", params).await
}

async fn references(editor: &mut Editor, file: &str, line: u32, character: u32, own: bool) -> String {
    let params = json!({
        "textDocument": {"uri": editor.uri(file)}, "position": {"line": line, "character": character},
        "context": {"includeDeclaration": own},
    });
    let found = editor.request("textDocument/references", params).await;
    places(editor, &found)
}

#[tokio::test]
async fn are_announced_and_answered_without_a_cluster() {
    let mut editor = Setup::new(FILES).start();
    let can = editor.hello().await;
    assert_eq!([&can["definitionProvider"], &can["referencesProvider"]], [&json!(true), &json!(true)]);
    assert_eq!(can["documentLinkProvider"]["resolveProvider"], false);
    editor.open(APPS).await;
    let found = definition(&mut editor, APPS, 7, 22).await;
    check(
        &places(&editor, &found),
        expect![[r#"
        clusters/staging/infra.yaml:2:17-24
    "#]],
    );
    let found = definition(&mut editor, APPS, 5, 20).await;
    check(
        &places(&editor, &found),
        expect![[r#"
        apps/staging/kustomization.yaml:0:0-0
    "#]],
    );
    assert_eq!(definition(&mut editor, APPS, 4, 5).await, Value::Null);
    editor.open(INFRA).await;
    check(
        &references(&mut editor, INFRA, 2, 20, false).await,
        expect![[r#"
        clusters/staging/apps.yaml:7:21-26
        clusters/staging/kustomization.yaml:0:23-33
    "#]],
    );
    check(
        &references(&mut editor, INFRA, 2, 20, true).await,
        expect![[r#"
        clusters/staging/infra.yaml:2:17-24
        clusters/staging/apps.yaml:7:21-26
        clusters/staging/kustomization.yaml:0:23-33
    "#]],
    );
    editor.goodbye().await;
}

#[tokio::test]
async fn links_count_in_units_of_the_protocol() {
    let mut editor = Setup::new(FILES).hello().await;
    editor.open(BUILD).await;
    let params = json!({"textDocument": {"uri": editor.uri(BUILD)}});
    let links = editor.request("textDocument/documentLink", params).await;
    let said: Vec<String> = links
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let (start, end) = (&it["range"]["start"], &it["range"]["end"]);
            let target = it["target"].as_str().unwrap().strip_prefix(&editor.uri("")).unwrap();
            format!(
                "{}:{}-{} {target} {}",
                start["line"], start["character"], end["character"], it["tooltip"]
            )
        })
        .collect();
    check(
        &said.join("\n"),
        expect![[r#"
        1:12-20 apps/staging/web.yaml "Open apps/staging/web.yaml"
        3:21-29 apps/staging/logo.png "Open apps/staging/logo.png""#]],
    );
    // A file that is no YAML can be gone to all the same.
    let found = definition(&mut editor, BUILD, 3, 23).await;
    check(
        &places(&editor, &found),
        expect![[r#"
        apps/staging/logo.png:0:0-0
    "#]],
    );
    editor.goodbye().await;
}

#[tokio::test]
async fn editors_that_know_links_hear_which_words_lead_there() {
    let mut editor = Setup::new(FILES)
        .capabilities(|it| it["textDocument"]["definition"]["linkSupport"] = json!(true))
        .recording(&list(Some(NO_FOLDER)))
        .hello()
        .await;
    editor.open(APPS).await;
    let found = definition(&mut editor, APPS, 7, 22).await;
    check(
        &places(&editor, &found),
        expect![[r#"
        clusters/staging/infra.yaml:2:17-24
    "#]],
    );
    assert_eq!(
        found[0]["originSelectionRange"],
        json!({"start": {"line": 7, "character": 21}, "end": {"line": 7, "character": 26}})
    );
    assert_eq!(
        found[0]["targetRange"],
        json!({"start": {"line": 0, "character": 0}, "end": {"line": 5, "character": 53}})
    );
    assert!(!editor.marks(APPS).await.is_empty());
    editor.goodbye().await;
}

#[tokio::test]
async fn follow_what_is_typed() {
    let mut editor = Setup::new(FILES).hello().await;
    editor.open(APPS).await;
    editor.open(INFRA).await;
    // Answered once it is known which repository the file is in: until then its text counts nowhere else.
    editor.lenses(INFRA).await;
    // Not saved, and another file than the one that is asked about.
    let name = json!({"start": {"line": 2, "character": 18}, "end": {"line": 2, "character": 23}});
    editor.change(INFRA, 2, json!([{"range": name, "text": "other"}])).await;
    assert_eq!(definition(&mut editor, APPS, 7, 22).await, Value::Null);
    let name = json!({"start": {"line": 7, "character": 21}, "end": {"line": 7, "character": 26}});
    editor.change(APPS, 2, json!([{"range": name, "text": "other"}])).await;
    let found = definition(&mut editor, APPS, 7, 22).await;
    check(
        &places(&editor, &found),
        expect![[r#"
        clusters/staging/infra.yaml:2:17-24
    "#]],
    );
    // Off is off.
    let off = json!({"settings": {"fluxcd": {"enable": false}}});
    editor.notify("workspace/didChangeConfiguration", off).await;
    assert_eq!(definition(&mut editor, APPS, 7, 22).await, Value::Null);
    editor.goodbye().await;
}
