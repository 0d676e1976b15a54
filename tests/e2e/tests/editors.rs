//! The story in real editors, on a real cluster: pushed, marked, fixed, reconciled.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use e2e::binary::Home;
use e2e::editor::{Editor, Which, twice_at_most};
use e2e::shop::Shop;
use serde_json::json;
use testbed::{Auth, Options, Role, Testbed};

fn story(which: Which) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let testbed = Testbed::start(Options::default()).await.unwrap();
        let cluster = testbed.cluster();
        let shop = Shop::open(&testbed, cluster, "shop").await.unwrap();
        let kubeconfig =
            cluster.kubeconfig(Role::Admin, Auth::Token).await.unwrap().named("staging").unwrap();

        let home = Home::new();
        let Some(mut editor) =
            Editor::start(which, &home, shop.folder(), &[("KUBECONFIG", kubeconfig.path())])
        else {
            return;
        };
        editor.tell(json!({"open": shop.flux_path()}));
        editor.tell(json!({"waitLens": "Flux: not connected"}));
        editor.tell(json!({"clickLens": "Choose cluster"}));
        editor.tell(json!({"answerPick": "staging"}));
        editor.tell(json!({"answerPick": "[Tt]his repository"}));
        editor.tell(json!({"waitLens": "✓ staging"}));
        editor.picture("1-applied");

        let broken = shop.push_broken();
        cluster.reconcile(&shop.source()).await.unwrap();
        editor.tell(json!({"waitLens": format!("✗ staging: failed main@{broken}")}));
        // The mark stands in the manifest that says so, at the value.
        editor.tell(json!({"open": "apps/web.yaml"}));
        let mark = editor.tell(json!({"waitDiagnostic": "imagePullPolicy"}));
        assert_eq!(mark["diagnostic"]["code"], "ReconciliationFailed");
        assert_eq!(marked(&shop, "apps/web.yaml", &mark), "Sometimes");
        let hover = editor.tell(json!({"hover": {"line": 1, "character": 8}}));
        assert!(hover["text"].as_str().unwrap().contains("imagePullPolicy"), "{hover:#}");
        editor.picture("2-failed");

        let fixed = shop.push_fixed();
        editor.tell(json!({"clearMessages": true}));
        // The lens of the object that failed.
        editor.tell(json!({"open": shop.flux_path()}));
        editor.tell(json!({"cursor": {"line": 14, "character": 4}}));
        editor.tell(json!({"run": "reconcile-with-source"}));
        // The first action on a context asks.
        editor.tell(json!({"answerPick": "^Reconcile"}));
        editor.tell(json!({"waitMessage": fixed}));
        editor.tell(json!({"waitNoDiagnostic": "imagePullPolicy", "file": "*"}));
        editor.tell(json!({"waitNoLens": "✗|checking health"}));
        editor.tell(json!({"waitLens": format!("✓ staging: live main@{fixed}")}));
        editor.picture("3-fixed");

        // What a patch sets is marked in the patch.
        shop.push_broken_patch();
        cluster.reconcile(&shop.source()).await.unwrap();
        editor.tell(json!({"open": "apps/ready.yaml"}));
        let mark = editor.tell(json!({"waitDiagnostic": "minReadySeconds"}));
        assert_eq!(marked(&shop, "apps/ready.yaml", &mark), "-5");
        editor.picture("4-patch");
        editor.quit();
    });
}

/// The text that a mark of one line underlines.
fn marked(shop: &Shop, path: &str, mark: &serde_json::Value) -> String {
    let text = std::fs::read_to_string(shop.folder().join(path)).unwrap();
    let range = &mark["diagnostic"]["range"];
    let at = |end: &str, what: &str| usize::try_from(range[end][what].as_u64().unwrap()).unwrap();
    assert_eq!(at("start", "line"), at("end", "line"), "{mark:#}");
    let line = text.lines().nth(at("start", "line")).unwrap();
    line[at("start", "character")..at("end", "character")].to_owned()
}

#[test]
fn vs_code_marks_a_break_and_reconciles_the_fix() {
    twice_at_most("VS Code", || story(Which::VsCode));
}

#[test]
fn neovim_marks_a_break_and_reconciles_the_fix() {
    twice_at_most("Neovim", || story(Which::Neovim));
}
