//! Quick fixes, over the protocol.

use serde_json::{Value, json};

use crate::fleet::{FILES, list};
use crate::harness::Setup;

/// What the folder of `apps` holds.
const WEB: &str = "\
//- apps/staging/kustomization.yaml
resources: [web.yaml]
//- apps/staging/web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  template:
    spec:
      containers:
      - name: web
        image: web:1
        imagePullPolicy: Allways
";

/// What the API server says of it.
const REFUSED: &str = "Deployment/shop/web dry-run failed (Invalid): Deployment.apps \"web\" is invalid: spec.template.spec.containers[0].imagePullPolicy: Unsupported value: \"Allways\": supported values: \"Always\", \"IfNotPresent\", \"Never\"";

#[tokio::test]
async fn the_values_that_the_message_allows_are_offered_at_the_value() {
    let file = "apps/staging/web.yaml";
    let mut editor = Setup::new(&format!("{FILES}{WEB}")).recording(&list(Some(REFUSED))).hello().await;
    // The mark comes with the workspace; that the file is opened then changes nothing.
    assert_eq!(editor.marks(file).await.len(), 1);
    editor.open(file).await;
    let here = json!({"line": 11, "character": 28});
    let params = json!({
        "textDocument": {"uri": editor.uri(file)}, "range": {"start": here, "end": here},
        "context": {"diagnostics": [], "only": ["quickfix"]},
    });
    let actions = editor.request("textDocument/codeAction", params).await;
    let fixes: Vec<&Value> =
        actions.as_array().unwrap().iter().filter(|it| it["kind"] == "quickfix").collect();
    let texts: Vec<&str> = fixes
        .iter()
        .map(|it| {
            let edits = it["edit"]["changes"][editor.uri(file)]
                .as_array()
                .or_else(|| it["edit"]["documentChanges"][0]["edits"].as_array());
            let [edit] = edits.unwrap().as_slice() else { panic!("one edit: {it}") };
            assert_eq!(edit["range"]["start"], json!({"line": 11, "character": 25}), "{it}");
            assert_eq!(edit["range"]["end"], json!({"line": 11, "character": 32}), "{it}");
            edit["newText"].as_str().unwrap()
        })
        .collect();
    assert_eq!(texts, ["Always", "IfNotPresent", "Never"]);
    editor.goodbye().await;
}
