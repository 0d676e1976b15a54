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
        let mark = editor.tell(json!({"waitDiagnostic": "imagePullPolicy"}));
        assert_eq!(mark["diagnostic"]["code"], "ReconciliationFailed");
        editor.tell(json!({"waitLens": format!("✗ staging: failed main@{broken}")}));
        let start = mark["diagnostic"]["range"]["start"].clone();
        let hover = editor.tell(json!({"hover": start}));
        assert!(hover["text"].as_str().unwrap().contains("imagePullPolicy"), "{hover:#}");
        editor.picture("2-failed");

        let fixed = shop.push_fixed();
        editor.tell(json!({"clearMessages": true}));
        // The lens of the object that failed.
        editor.tell(json!({"cursor": start}));
        editor.tell(json!({"run": "reconcile-with-source"}));
        // The first action on a context asks.
        editor.tell(json!({"answerPick": "^Reconcile"}));
        editor.tell(json!({"waitMessage": fixed}));
        editor.tell(json!({"waitNoDiagnostic": "imagePullPolicy"}));
        editor.tell(json!({"waitNoLens": "✗|checking health"}));
        editor.tell(json!({"waitLens": format!("✓ staging: applied main@{fixed}")}));
        editor.picture("3-fixed");
        editor.quit();
    });
}

#[test]
fn vs_code_marks_a_break_and_reconciles_the_fix() {
    twice_at_most("VS Code", || story(Which::VsCode));
}

#[test]
fn neovim_marks_a_break_and_reconciles_the_fix() {
    twice_at_most("Neovim", || story(Which::Neovim));
}
