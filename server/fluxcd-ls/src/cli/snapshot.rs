//! `fluxcd-ls snapshot`.

use std::io::Write as _;
use std::path::PathBuf;

use cluster::Access;
use tokio_util::sync::CancellationToken;

use super::connect::{self, Selection};
use super::{CliError, print};

/// What `snapshot` is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The context to record.
    #[arg(long, value_name = "CONTEXT")]
    context: String,
    /// The kubeconfig, instead of $KUBECONFIG and ~/.kube/config.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<String>,
    /// Where to write it; standard output without.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Records a cluster.
pub async fn run(arguments: Arguments) -> Result<u8, CliError> {
    let settings = connect::settings();
    let selection = Selection { kubeconfig: arguments.kubeconfig, ..Selection::default() };
    let context = selection.kubeconfig(&settings)?.context(&arguments.context).map_err(CliError::told)?;
    let access = Access::connect(&context, &connect::options(&settings)?, &CancellationToken::new())
        .await
        .map_err(CliError::told)?;
    let snapshot = access.snapshot().await.map_err(CliError::told)?;
    match &arguments.output {
        None => print(&snapshot.json),
        Some(file) => std::fs::write(file, &snapshot.json)
            .map_err(|error| CliError::told(format!("{} cannot be written: {error}", file.display())))?,
    }
    let mut complete = true;
    for (kind, count) in &snapshot.counts {
        if let Err(error) = count {
            complete = false;
            let _ = writeln!(std::io::stderr(), "fluxcd-ls: no {kind} in the recording: {error}");
        }
    }
    Ok(if complete { 0 } else { 2 })
}
