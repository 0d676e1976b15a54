//! A testbed by hand: `cargo run -p testbed`.

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use testbed::{Auth, Options, PASSWORD, Result, Role, Testbed, USER};
use tokio::signal::unix::{SignalKind, signal};

/// Starts a real Kubernetes control plane with Flux and Gitea on loopback, and ends it with Ctrl-C.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Names of the clusters, side by side on one Gitea.
    #[arg(long, value_delimiter = ',', default_value = "testbed", value_name = "NAMES")]
    names: Vec<String>,
    /// How many clusters, named cluster-1, cluster-2, …; in place of --names.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=8), conflicts_with = "names", value_name = "COUNT")]
    clusters: Option<u8>,
    /// Have Gitea at http://127.0.77.1:3000, so that URLs are the same every time; waits while another testbed is there.
    #[arg(long)]
    fixed_address: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Only build the programs, once; 15 to 25 minutes on two cores.
    Build,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Some(Command::Build) => tokio::task::block_in_place(testbed::build),
        None => run(cli).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "testbed: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<()> {
    let names: Vec<String> = match cli.clusters {
        Some(count) => (1..=count).map(|number| format!("cluster-{number}")).collect(),
        None => cli.names,
    };
    let mut options = Options::clusters(&names.iter().map(String::as_str).collect::<Vec<_>>());
    if cli.fixed_address {
        options = options.fixed_address();
    }
    // Before signals are ours: Ctrl-C simply ends a build.
    tokio::task::block_in_place(testbed::build)?;
    let failed = |source| testbed::Error::Spawn { program: "the signal handler".to_owned(), source };
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    // A start that is interrupted is dropped, and all it started with it.
    let work = async {
        let started = Instant::now();
        let testbed = Testbed::start(options).await?;
        describe(&testbed, started).await?;
        std::future::pending::<Result<()>>().await
    };
    tokio::select! {
        result = work => result,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

async fn describe(testbed: &Testbed, started: Instant) -> Result<()> {
    let mut out = format!("Started in {:.1} s.\n", started.elapsed().as_secs_f32());
    let mut everybody: Option<testbed::Kubeconfig> = None;
    for cluster in testbed.clusters() {
        let admin = cluster.kubeconfig(Role::Admin, Auth::Token).await?;
        let viewer = cluster.kubeconfig(Role::Viewer, Auth::Token).await?;
        out.push_str(&format!("Cluster {} at {}\n", cluster.name(), cluster.url()));
        out.push_str(&format!("  viewer:  KUBECONFIG={}\n", viewer.path().display()));
        out.push_str(&format!("  admin:   KUBECONFIG={}\n", admin.path().display()));
        everybody = Some(match everybody {
            Some(all) => all.and(&admin)?,
            None => cluster.kubeconfig(Role::Admin, Auth::Token).await?,
        });
    }
    if let (Some(all), true) = (everybody, testbed.clusters().len() > 1) {
        out.push_str(&format!("All clusters as admin: KUBECONFIG={}\n", all.path().display()));
    }
    out.push_str(&format!("Gitea:     {}  user {USER}, password {PASSWORD}\n", testbed.gitea().url()));
    out.push_str(&format!("Logs:      {}\n", testbed.folder().join("log").display()));
    out.push_str("Ctrl-C ends all of it and leaves nothing behind.\n");
    let mut stdout = std::io::stdout();
    // Whoever started it may have gone without reading.
    let _ = stdout.write_all(out.as_bytes()).and_then(|()| stdout.flush());
    Ok(())
}
