//! `cargo run -p failures --bin record [CASE…]`: lets real controllers apply the cases, all of them or those whose names
//! begin with one of the words, and writes what the controllers say into `tests/failures/recorded/`, with the project's
//! own `fluxcd-ls snapshot`. One testbed, many cases at once, each in a namespace of its own.
//!
//! `--new` records those that have no recording yet. `--hold` keeps the cluster until Ctrl-C, for a look by hand. `--dry` prints the messages and writes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::path::Path;
use std::time::{Duration, Instant};

use e2e::binary::Home;
use e2e::recorded;
use failures::{Case, LaidOut, Standing, lay_out, made_from_text, only, standing};
use futures::stream::{self, StreamExt as _};
use serde_json::Value;
use tempfile::TempDir;
use testbed::{Artifact, Auth, Cluster, Options, Role, Testbed, condition};

/// How long a commit of a case may take to settle; the longest needs a health check of half a minute.
const PATIENCE: Duration = Duration::from_secs(120);
/// So many repositories are made at a time.
const AT_ONCE: usize = 6;
/// How often the cluster is recorded while something is awaited.
const LOOK: Duration = Duration::from_secs(3);

/// A case on the cluster.
struct Running {
    case: Case,
    laid_out: LaidOut,
    _folder: TempDir,
    /// Which commit is pushed, from 0.
    at: usize,
    since: Instant,
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (flags, names): (Vec<String>, Vec<String>) = words.into_iter().partition(|it| it.starts_with("--"));
    let flag = |name: &str| flags.iter().any(|it| it == name);
    let wanted = |case: &Case| names.is_empty() || names.iter().any(|it| case.name.starts_with(it.as_str()));
    let cases = Case::all().into_iter().filter(wanted);
    let cases: Vec<Case> = cases.filter(|it| !flag("--new") || !it.recorded().exists()).collect();
    let testbed =
        Testbed::start(Options::clusters(&["test"]).fixed_address()).await.expect("the testbed starts");
    let cluster = testbed.cluster();
    let kubeconfig = cluster.kubeconfig(Role::Admin, Auth::Token).await.expect("a kubeconfig is written");
    println!("export KUBECONFIG={}", kubeconfig.path().display());

    let begun = stream::iter(cases).map(|case| begin(&testbed, case)).buffer_unordered(AT_ONCE);
    let mut running: Vec<Running> = begun.collect().await;
    // The first were begun while the last were not: all have the same time from here.
    running.iter_mut().for_each(|run| run.since = Instant::now());
    let mut late = Vec::new();
    let mut looks = tokio::time::interval(LOOK);
    let home = Home::new();
    while !running.is_empty() {
        looks.tick().await;
        let recording = record(&home, kubeconfig.path());
        for mut run in std::mem::take(&mut running) {
            let own = only(&run.case, &recording);
            match standing(&run.case, &own, run.at, &run.laid_out.commits[run.at]) {
                Standing::UnderWay(what) if run.since.elapsed() > PATIENCE => {
                    println!("{}: GIVEN UP, waiting for {what}", run.case.name);
                    late.push(run.case.name);
                }
                Standing::UnderWay(_) => running.push(run),
                Standing::Settled if run.at + 1 < run.laid_out.commits.len() => {
                    run.at += 1;
                    run.since = Instant::now();
                    push(&testbed, &run).await;
                    let source = format!("GitRepository/{}/flux-system", run.case.name);
                    cluster.reconcile(&source).await.expect("the source is told");
                    running.push(run);
                }
                Standing::Settled => keep(&run.case, own, testbed.folder(), flag("--dry")),
            }
        }
    }
    if flag("--hold") {
        println!("held until Ctrl-C");
        tokio::signal::ctrl_c().await.expect("a signal can be awaited");
    }
    drop(testbed);
    if !late.is_empty() {
        println!("these did not settle: {}", late.join(", "));
        std::process::exit(1);
    }
}

/// Makes the repository and the namespace of a case, and applies what a person applies by hand.
async fn begin(testbed: &Testbed, case: Case) -> Running {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let laid_out = lay_out(&case, folder.path());
    testbed.gitea().create_repository(&case.name).await.expect("a repository is made");
    let running = Running { case, laid_out, _folder: folder, at: 0, since: Instant::now() };
    push(testbed, &running).await;
    if let Some(tag) = &running.case.artifact {
        let content = Artifact {
            folder: running.laid_out.dir.join("clusters"),
            source: running.case.url(),
            revision: format!("main@sha1:{}", running.laid_out.commits[0]),
            created: "2026-11-20T09:00:00Z".to_owned(),
        };
        testbed
            .gitea()
            .push_artifact(&running.case.name, tag, &content)
            .await
            .expect("the artifact is pushed");
    }
    let cluster = testbed.cluster();
    let namespace = format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {}\n", running.case.name);
    for text in [&namespace, &running.case.before] {
        cluster.apply(text).await.unwrap_or_else(|error| panic!("{}: {error}", running.case.name));
    }
    established(cluster, &running.case).await;
    cluster.apply(running.case.bootstrap()).await.expect("the repository's own objects are applied");
    running
}

/// Waits until the CustomResourceDefinitions that a case begins with are served.
async fn established(cluster: &Cluster, case: &Case) {
    for document in case.before.split("\n---\n").filter(|it| it.contains("kind: CustomResourceDefinition")) {
        let name =
            document.lines().find_map(|line| line.strip_prefix("  name: ")).expect("a definition has a name");
        let object = format!("CustomResourceDefinition/{name}");
        let wanted = ("Established", "True", None);
        cluster.wait_condition(&object, wanted, PATIENCE).await.expect("the definition is established");
    }
}

async fn push(testbed: &Testbed, run: &Running) {
    let repository = testbed.gitea().repository(&run.case.name).await.expect("the repository is there");
    let refspec = format!("{}:refs/heads/main", run.laid_out.commits[run.at]);
    repository.push_existing(&run.laid_out.dir, &[&refspec]).await.expect("the commit is pushed");
}

/// The whole cluster, as `fluxcd-ls snapshot` writes it.
fn record(home: &Home, kubeconfig: &Path) -> Value {
    let mut command = home.command(["snapshot", "--context", "test"]);
    let recorded = command.env("KUBECONFIG", kubeconfig).output().expect("fluxcd-ls runs");
    assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    serde_json::from_slice(&recorded.stdout).expect("a recording is JSON")
}

/// Writes a recording, and tells what it says.
fn keep(case: &Case, mut own: Value, folder: &Path, dry: bool) {
    if let Some(says) = &case.says {
        made_from_text(&mut own, says);
    }
    let text = serde_json::to_string_pretty(&own).expect("JSON is written") + "\n";
    let text = recorded::without_machine(&text, folder);
    let list: Value = serde_json::from_str(&text).expect("JSON is read");
    println!("{}: {}", case.name, case.title);
    for item in list["items"].as_array().into_iter().flatten() {
        let Some(ready) = condition(item, "Ready").filter(|it| it["status"] != "True") else { continue };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (kind, name) = (text(&item["kind"]), text(&item["metadata"]["name"]));
        println!(
            "  {kind}/{name} {}: {}",
            text(&ready["reason"]),
            text(&ready["message"]).replace('\n', "\n    ")
        );
    }
    if !dry {
        std::fs::write(case.recorded(), text).expect("the recording is written");
    }
}
