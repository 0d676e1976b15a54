//! The same engine in the terminal: what an editor would show, for people without one and for CI.

mod check;
mod connect;
mod demo;
mod doctor;
mod explain;
mod format;
mod gate;
mod inventory;
mod progress;
mod report;
mod scene;
mod snapshot;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Subcommand;

/// What the program can do besides serving an editor.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// All findings: what failed, at the line that it is about. Exits 0: nothing failed, 1: failures, 2: could not tell.
    Check(check::Arguments),
    /// All that an editor shows at a place. Exits 2 when it could not be told.
    Explain(explain::Arguments),
    /// What every Flux Kustomization of a repository applies, and from which file; no cluster is asked.
    Inventory(inventory::Arguments),
    /// Writes what a cluster says of its Flux objects as a plain Kubernetes `List`: a recording for --snapshot.
    Snapshot(snapshot::Arguments),
    /// What is found here: repository, remotes, contexts, recordings, versions, rights, sources, each with what to do.
    Doctor(doctor::Arguments),
    /// Lays out a sample fleet with its recorded clusters, and shows what an editor would show of it.
    Demo(demo::Arguments),
}

/// Why a command could not do its work, in a sentence for people.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The sentence.
    #[error("{0}")]
    Told(String),
}

impl CliError {
    /// Makes one of a sentence, or of an error that is one.
    pub fn told(text: impl std::fmt::Display) -> CliError {
        CliError::Told(text.to_string())
    }
}

/// Runs a command to its end. A command that cannot do its work exits with 2: it could not tell.
pub fn run(command: Command) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&CliError::told(format!("the system gives no threads: {error}"))),
    };
    let done = runtime.block_on(async {
        match command {
            Command::Check(arguments) => check::run(arguments).await,
            Command::Explain(arguments) => explain::run(arguments).await,
            Command::Inventory(arguments) => inventory::run(arguments).await,
            Command::Snapshot(arguments) => snapshot::run(arguments).await,
            Command::Doctor(arguments) => doctor::run(arguments).await,
            Command::Demo(arguments) => demo::run(&arguments),
        }
    });
    // A login command or a hanging connection must not keep the terminal.
    runtime.shutdown_background();
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => fail(&error),
    }
}

fn fail(error: &CliError) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "fluxcd-ls: {error}");
    ExitCode::from(2)
}

/// Prints to standard output. A reader that has gone away (`| head`) is no error.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Whether colours are wanted: at a terminal, unless `NO_COLOR` says otherwise.
fn colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
