//! The story in real editors, on a real cluster: pushed, marked, fixed, reconciled.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use e2e::binary::Home;
use e2e::editor::{Editor, Which, twice_at_most};
use e2e::lsp::uri;
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
        // A patch tells of the object that it changes.
        editor.tell(json!({"waitLens": "staging: (not live|fetched main@)"}));
        editor.picture("4-patch");
        editor.quit();
        if which == Which::VsCode {
            assert!(
                home.log().contains("what the command line says"),
                "a setting of the user did not reach the server"
            );
        }
    });
}

/// One text on its way into two clusters, of which one does not take it.
fn journey(which: Which) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let testbed = Testbed::start(Options::clusters(&["staging", "production"])).await.unwrap();
        let [staging, production] = ["staging", "production"].map(|it| testbed.cluster_named(it).unwrap());
        let shop = Shop::open(&testbed, staging, "shop").await.unwrap();
        let url = testbed.gitea().repository("shop").await.unwrap().url();
        shop.follow(production, &url).await.unwrap();
        let mut kubeconfigs = Vec::new();
        for cluster in [staging, production] {
            let kubeconfig = cluster.kubeconfig(Role::Admin, Auth::Token).await.unwrap();
            kubeconfigs.push(kubeconfig.named(cluster.name()).unwrap());
        }
        let kubeconfig = kubeconfigs.remove(0).and(&kubeconfigs[0]).unwrap();
        let home = Home::new();
        home.config("notifications = \"on\"");
        let Some(mut editor) =
            Editor::start(which, &home, shop.folder(), &[("KUBECONFIG", kubeconfig.path())])
        else {
            return;
        };
        editor.tell(json!({"open": shop.flux_path()}));
        editor.tell(json!({"waitLens": "Flux: not connected"}));
        let file = uri(&shop.flux_file());
        for cluster in ["staging", "production"] {
            editor
                .tell(json!({"execute": {"command": "fluxcd.chooseCluster", "arguments": [{"uri": file}]}}));
            editor.tell(json!({"answerPick": cluster}));
            editor.tell(json!({"answerPick": "[Tt]his repository"}));
            editor.tell(json!({"waitLens": format!("{cluster}.*main@")}));
        }
        // From here on the manifest stays open: its lens alone tells how far its text has come.
        editor.tell(json!({"open": "apps/web.yaml"}));
        editor.tell(json!({"waitLens": "✓ production and staging: live main@"}));
        production.patch(&shop.object(), json!({"spec": {"suspend": true}})).await.unwrap();
        editor.tell(json!({"waitLens": "1 of 2 suspended: production · 1 live"}));

        editor.tell(json!({"replace": {"from": "IfNotPresent", "to": "Always"}}));
        editor.tell(json!({"waitLens": "production and staging: not live · unsaved"}));
        editor.picture("journey-1-unsaved");
        editor.tell(json!({"save": true}));
        // At once, and not when something else wakes the server.
        editor.tell(
            json!({"waitLens": "production and staging: not live · saved, not committed", "timeoutMs": 20_000}),
        );
        shop.commit("Pull images always");
        editor.tell(json!({"waitLens": "production and staging: not live · committed, not pushed"}));
        editor.tell(json!({"waitStatus": "^[0-9a-f]+ not pushed · production 1 suspended · ✓ staging"}));
        let pushed = shop.push_commits();
        editor.tell(json!({"waitLens": "production and staging: pushed, next poll by "}));
        editor.picture("journey-2-pushed");
        production.reconcile(&shop.source()).await.unwrap();
        editor.tell(json!({"waitLens": "1 of 2 suspended: production · 1 behind"}));
        let hover = editor.tell(json!({"hover": {"line": 1, "character": 8}}));
        let hover = hover["text"].as_str().unwrap();
        assert!(
            hover.contains(&format!("fetched main@{pushed}, not applied yet, shop is suspended")),
            "{hover}"
        );
        staging.reconcile(&shop.source()).await.unwrap();
        editor.tell(json!({"waitLens": "1 of 2 suspended: production · 1 live"}));
        editor.tell(json!({"waitStatus": format!("^{pushed} waiting: production .fetched.")}));
        editor.picture("journey-3-one-is-behind");
        production.patch(&shop.object(), json!({"spec": {"suspend": false}})).await.unwrap();
        editor.tell(json!({"waitLens": format!("✓ production and staging: live main@{pushed}")}));
        // The status bar says it of the commit, and what was waited for is told.
        editor.tell(json!({"waitStatus": format!("^✓ {pushed} live · ✓ production · ✓ staging")}));
        editor
            .tell(json!({"waitMessage": format!("{pushed} .Pull images always. is live in production, staging")}));
        editor.picture("journey-4-live");
        editor.quit();
    });
}

/// Somebody without any cluster sees what Flux reported to Gitea.
fn reports(which: Which) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let testbed = Testbed::start(Options::default()).await.unwrap();
        let cluster = testbed.cluster();
        let shop = Shop::open(&testbed, cluster, "shop").await.unwrap();
        shop.report(&testbed, cluster).await.unwrap();
        let home = Home::new();
        let host = testbed.gitea().host();
        home.config(&format!("[commitStatus]\nhosts = {{ \"{host}\" = \"gitea\" }}\n"));
        let Some(mut editor) = Editor::start(which, &home, shop.folder(), &[]) else { return };
        // Nobody is asked before somebody says so.
        editor.tell(json!({"open": shop.flux_path()}));
        editor.tell(json!({"waitLens": "Flux: not connected$"}));
        editor.tell(json!({"run": "commit-status"}));
        editor.tell(json!({"answerPick": "[Tt]his repository"}));
        let succeeded =
            format!("Flux: not connected · Gitea: reconciliation succeeded on {}", &shop.head()[..7]);
        editor.tell(json!({"waitLens": succeeded}));

        let broken = shop.push_broken();
        cluster.reconcile(&shop.source()).await.unwrap();
        shop.wait_reported(&testbed, cluster, "failure").await.unwrap();
        let failed = format!("Flux: not connected · Gitea: reconciliation failed on {broken}");
        editor.tell(json!({"waitLens": failed}));
        // The manifest itself, of which nobody reports anything.
        editor.tell(json!({"open": "apps/web.yaml"}));
        editor.tell(json!({"waitLens": failed}));
        let hover = editor.tell(json!({"hover": {"line": 1, "character": 8}}));
        let hover = hover["text"].as_str().unwrap();
        for part in [
            "Kustomization/flux-system/shop",
            "reported to Gitea by flux (no cluster access): reconciliation failed",
        ] {
            assert!(hover.contains(part), "{hover}");
        }
        editor.picture("reported-failed");
        shop.push_fixed();
        cluster.reconcile(&shop.source()).await.unwrap();
        shop.wait_reported(&testbed, cluster, "success").await.unwrap();
        editor.tell(json!({"waitLens": "Flux: not connected · Gitea: reconciliation succeeded on "}));
        editor.tell(json!({"waitNoLens": "✓|✗"}));
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
fn vs_code_follows_a_text_into_two_clusters() {
    twice_at_most("VS Code", || journey(Which::VsCode));
}

#[test]
fn neovim_follows_a_text_into_two_clusters() {
    twice_at_most("Neovim", || journey(Which::Neovim));
}

#[test]
fn vs_code_shows_what_flux_reported() {
    twice_at_most("VS Code", || reports(Which::VsCode));
}

#[test]
fn neovim_shows_what_flux_reported() {
    twice_at_most("Neovim", || reports(Which::Neovim));
}

#[test]
fn vs_code_marks_a_break_and_reconciles_the_fix() {
    twice_at_most("VS Code", || story(Which::VsCode));
}

#[test]
fn neovim_marks_a_break_and_reconciles_the_fix() {
    twice_at_most("Neovim", || story(Which::Neovim));
}
