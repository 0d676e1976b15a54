//! `fluxcd-ls`: without a command, a language server on standard input and output.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use fluxcd_ls::cli;
use fluxcd_ls::paths::Paths;
use fluxcd_ls::server::Options;
use fluxcd_ls::settings::CommandLine;

/// Live Flux CD status in the text of your manifests.
///
/// Without a command it serves an editor: the Language Server Protocol on standard input and output.
#[derive(Debug, Parser)]
#[command(name = "fluxcd-ls", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// The kubeconfig (a path, or a list as in $KUBECONFIG) whose contexts can be chosen.
    #[arg(long, value_name = "PATH")]
    kubeconfig: Option<String>,
    /// A recorded `List` in place of clusters; nothing is contacted then. May be given several times.
    #[arg(long = "snapshot", value_name = "FILE")]
    snapshots: Vec<PathBuf>,
    /// A setting as the user's own file has it, above that: `--set actions=on`. May be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    spoken: Vec<String>,
    /// What many editors pass to say that they speak over standard input and output.
    #[arg(long, hide = true)]
    stdio: bool,
    #[command(subcommand)]
    command: Option<cli::Command>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(command) => cli::run(command),
        None => match CommandLine::parse(&arguments.spoken) {
            Ok(spoken) => serve(arguments.kubeconfig, arguments.snapshots, spoken),
            Err(error) => Arguments::command().error(ErrorKind::ValueValidation, error).exit(),
        },
    }
}

/// Serves the editor at the other end of standard input and output.
fn serve(kubeconfig: Option<String>, snapshots: Vec<PathBuf>, spoken: CommandLine) -> ExitCode {
    // Before anything else could print, or start something that reads.
    #[cfg(unix)]
    let descriptors = match fluxcd_ls::lsp::stdio::take() {
        Ok(descriptors) => descriptors,
        Err(_) => return ExitCode::FAILURE,
    };
    let paths = Paths::from_environment();
    let options = Options { kubeconfig, snapshots, spoken, ..Options::new(paths) };
    let log = fluxcd_ls::logging::start(&options.paths.logs(), options.user_file().settings.log_level);
    tracing::debug!(settings = ?options.spoken, "what the command line says");
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the system gives no threads");
            return ExitCode::FAILURE;
        }
    };
    let options = Options { log: Some(log), ..options };
    #[cfg(unix)]
    runtime.spawn(stop_at_signals(options.stop.clone()));
    #[cfg(unix)]
    let streams = descriptors.serve(runtime.handle());
    #[cfg(not(unix))]
    let streams = std::io::Result::Ok((tokio::io::stdin(), tokio::io::stdout()));
    let served = match streams {
        Ok((reader, writer)) => runtime.block_on(fluxcd_ls::server::serve(reader, writer, options)),
        Err(error) => {
            tracing::error!(%error, "the protocol cannot be served");
            false
        }
    };
    // Tasks are cancelled where they wait, children with them; a thread that hangs on a disk is left behind.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    if served { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Ends the server in order when the system asks for it: login programs that run are ended with it.
#[cfg(unix)]
async fn stop_at_signals(stop: tokio_util::sync::CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
    let waits = signals.into_iter().flatten().map(|mut signal| {
        Box::pin(async move {
            signal.recv().await;
        })
    });
    let waits: Vec<_> = waits.collect();
    if !waits.is_empty() {
        futures::future::select_all(waits).await;
        tracing::info!("asked to end by a signal");
        stop.cancel();
    }
}
