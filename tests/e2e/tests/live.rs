//! The server over stdio on a real cluster: what a person with an editor would see.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use e2e::binary::Home;
use e2e::lsp::{Client, Options};
use e2e::shop::Shop;
use serde_json::{Value, json};
use testbed::{Auth, Role, Testbed};

/// Answers the picker: the context with this name, then "this repository"; and yes to every question after.
fn consent(context: &'static str) -> impl FnMut(&str, &Value) -> Option<Value> + Send {
    move |method, params| match method {
        "fluxcd/pick" => {
            let items = params["items"].as_array().expect("a picker has items");
            let wanted = |text: &str| items.iter().find(|item| item["label"].as_str().is_some_and(|it| it.contains(text)));
            let item = wanted(context).or_else(|| wanted("This repository")).unwrap_or_else(|| panic!("{params:#}"));
            Some(item["id"].clone())
        }
        "window/showMessageRequest" => Some(params["actions"][0].clone()),
        _ => None,
    }
}

#[test]
fn a_break_is_marked_and_reconcile_now_ends_in_an_answer() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let testbed = Testbed::start(testbed::Options::default()).await.unwrap();
        let cluster = testbed.cluster();
        let shop = Shop::open(&testbed, cluster, "story").await.unwrap();
        let kubeconfig = cluster.kubeconfig(Role::Admin, Auth::Token).await.unwrap().named("staging").unwrap();

        let home = Home::new();
        let mut editor = Client::start(&home, Options::new(shop.folder()).kubeconfig(kubeconfig.path()));
        editor.answer(consent("staging"));
        let file = shop.flux_file();
        editor.open(&file);

        // Nothing is contacted before somebody asks.
        editor.wait_lens(&file, "Flux: not connected");
        editor.press(&file, "Choose cluster");
        editor.wait_lens(&file, "✓ staging");

        let broken = shop.push_broken();
        cluster.reconcile(&shop.source()).await.unwrap();
        let marks = editor.wait_diagnostics(&file, "a mark for the broken Deployment", |marks| !marks.is_empty());
        assert_eq!(marks[0]["code"], "ReconciliationFailed", "{marks:#?}");
        assert_eq!(marks[0]["source"], "fluxcd");
        assert!(marks[0]["message"].as_str().unwrap().contains("imagePullPolicy"), "{marks:#?}");
        editor.wait_lens(&file, &format!("✗ staging: failed main@{broken}"));

        let fixed = shop.push_fixed();
        editor.press(&file, "Reconcile now");
        editor.wait_diagnostics(&file, "no mark", <[Value]>::is_empty);
        editor.wait_lens(&file, &format!("main@{fixed}"));
        editor.wait_heard("the end of the action", |message| {
            message["method"] == "window/showMessage" && message["params"]["message"].as_str().is_some_and(|text| text.contains(&fixed))
        });
        assert_eq!(editor.diagnostics(&file), &[] as &[Value], "{}", json!(editor.diagnostics(&file)));
        editor.stop();
    });
}
