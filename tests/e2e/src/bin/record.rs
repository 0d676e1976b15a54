//! `cargo run -p e2e --bin record`: plays the fleet's scenario on real clusters and writes what the controllers say
//! into `tests/fleet/recorded/`, with the project's own `fluxcd-ls snapshot`.
//!
//! `record --hold` keeps the clusters until Ctrl-C, for a look by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use e2e::binary::{Home, root};
use e2e::recorded;
use e2e::stage;
use fleet::Cluster;
use testbed::{Auth, Role};

#[tokio::main]
async fn main() {
    let hold = std::env::args().any(|argument| argument == "--hold");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let laid_out = fleet::lay_out(folder.path()).expect("the fleet is laid out");
    let testbed = stage::start().await.expect("the testbed starts");
    let mut outcome = Ok(());
    for phase in fleet::scenario() {
        outcome = stage::play(&testbed, &laid_out, &phase).await;
        if outcome.is_err() {
            break;
        }
    }
    if let Err(error) = &outcome {
        println!("{error}\nthe logs will be in {}", testbed.keep_logs().display());
    }
    for cluster in Cluster::ALL {
        let running = testbed.cluster_named(cluster.name()).expect("it was started");
        let kubeconfig = running.kubeconfig(Role::Admin, Auth::Token).await.expect("a kubeconfig is written");
        println!("export KUBECONFIG={}", kubeconfig.path().display());
        if outcome.is_ok() {
            let home = Home::new();
            let mut command = home.command(["snapshot", "--context", cluster.name()]);
            let recorded = command.env("KUBECONFIG", kubeconfig.path()).output().expect("fluxcd-ls runs");
            assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
            let file = root().join("tests/fleet/recorded").join(format!("{}.json", cluster.name()));
            let text = String::from_utf8(recorded.stdout).expect("JSON is UTF-8");
            std::fs::write(&file, recorded::without_machine(&text, testbed.folder()))
                .expect("the recording is written");
            println!("wrote {}", file.display());
        }
    }
    if hold {
        println!("held until Ctrl-C");
        tokio::signal::ctrl_c().await.expect("a signal can be awaited");
    }
    drop(testbed);
    outcome.expect("the scenario is played");
}
