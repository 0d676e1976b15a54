//! The server over stdio on a real cluster: what a person with an editor would see.
//!
//! One testbed for all stories. Each has a repository, a namespace and a home of its own, so they run side by side.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// The matrix prints its cells.
#![allow(clippy::print_stdout)]

mod acting;
mod bucket;
mod charts;
mod consenting;
mod gating;
mod heads;
mod journey;
mod left_out;
mod objects;
mod outage;
mod reporting;
mod rights;
mod signing_in;
mod waiting;

use std::path::Path;
use std::sync::LazyLock;

use e2e::binary::Home;
use e2e::lsp::{Client, Options};
use e2e::shop::Shop;
use serde_json::{Value, json};
use testbed::{Auth, ClusterOptions, Flux, Kubeconfig, Role, Testbed};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

/// The cluster with all controllers.
const SHOPS: &str = "testbed";
/// A cluster without controllers: its objects say what a story lets them say, and its API server may be stopped.
/// One story at a time has it.
const STILL: &str = "still";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static TESTBED: OnceCell<Testbed> = OnceCell::const_new();

/// Held by the story that has the quiet cluster.
static STILL_IN_USE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Tells a story on the testbed that all stories share.
fn story<F: Future<Output = testbed::Result<()>>>(tell: impl FnOnce(&'static Testbed) -> F) {
    RUNTIME.block_on(async {
        let cluster = |name: &str, flux| ClusterOptions { name: name.to_owned(), flux };
        let clusters = vec![cluster(SHOPS, Flux::Running), cluster(STILL, Flux::CrdsOnly)];
        let options = testbed::Options { clusters, ..testbed::Options::default() };
        let testbed = TESTBED.get_or_try_init(|| Testbed::start(options)).await.unwrap();
        tell(testbed).await.unwrap();
    });
}

/// A kubeconfig of an administrator with a token, whose one context is called `staging`.
async fn admin(testbed: &Testbed) -> Kubeconfig {
    let cluster = testbed.cluster_named(SHOPS).unwrap();
    cluster.kubeconfig(Role::Admin, Auth::Token).await.unwrap().named("staging").unwrap()
}

/// An editor in a folder, with a kubeconfig. Lists are answered with the first entry, then with "this repository";
/// questions with their first button.
fn editor(home: &Home, folder: &Path, kubeconfig: &Kubeconfig) -> Client {
    let mut editor = Client::start(home, Options::new(folder).kubeconfig(kubeconfig.path()));
    editor.answer(yes);
    editor
}

/// The one who says yes to everything.
fn yes(method: &str, params: &Value) -> Option<Value> {
    match method {
        "fluxcd/pick" => Some(params["items"][0]["id"].clone()),
        "window/showMessageRequest" => Some(params["actions"][0].clone()),
        _ => None,
    }
}

/// Opens the shop's file and connects it to the one context there is.
fn connected(home: &Home, shop: &Shop, kubeconfig: &Kubeconfig) -> Client {
    let mut editor = editor(home, shop.folder(), kubeconfig);
    let file = shop.flux_file();
    editor.open(&file);
    editor.wait_lens(&file, "Flux: not connected");
    editor.press(&file, "Choose cluster");
    editor
}

/// The argument of a command on an object of `staging`.
fn on(object: &str) -> Value {
    json!({"cluster": "staging", "object": object})
}

/// What the user was asked so far.
fn questions(editor: &Client) -> Vec<String> {
    let asked = editor.heard.iter().filter(|it| it["method"] == "window/showMessageRequest");
    asked.filter_map(|it| it["params"]["message"].as_str()).map(str::to_owned).collect()
}

#[test]
fn a_break_is_marked_and_reconcile_now_ends_in_an_answer() {
    story(async |testbed| {
        let cluster = testbed.cluster_named(SHOPS)?;
        let shop = Shop::open(testbed, cluster, "story").await?;
        let home = Home::new();
        // Nothing is contacted before somebody asks.
        let mut editor = connected(&home, &shop, &admin(testbed).await);
        let file = shop.flux_file();
        editor.wait_lens(&file, "✓ staging");

        let broken = shop.push_broken();
        cluster.reconcile(&shop.source()).await?;
        // In the manifest that is wrong, which nobody has opened.
        let manifest = shop.folder().join("apps/web.yaml");
        let marks =
            editor.wait_diagnostics(&manifest, "a mark for the broken Deployment", |marks| !marks.is_empty());
        assert_eq!(marks[0]["code"], "ReconciliationFailed", "{marks:#?}");
        assert_eq!(marks[0]["source"], "fluxcd");
        assert!(marks[0]["message"].as_str().unwrap().contains("imagePullPolicy"), "{marks:#?}");
        editor.wait_lens(&file, &format!("✗ staging: failed main@{broken}"));

        let fixed = shop.push_fixed();
        editor.press(&file, "Reconcile now");
        editor.wait_diagnostics(&manifest, "no mark", <[Value]>::is_empty);
        editor.wait_lens(&file, &format!("main@{fixed}"));
        editor.wait_sentence(&["is ready at", &fixed]);
        assert_eq!(editor.diagnostics(&file), &[] as &[Value], "{}", json!(editor.diagnostics(&file)));
        editor.stop();
        Ok(())
    });
}
