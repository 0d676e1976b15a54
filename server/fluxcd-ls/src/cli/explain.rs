//! `fluxcd-ls explain`.

use std::path::PathBuf;

use manifests::{LineCol, LineIndex};

use super::connect::{self, Selection};
use super::scene::Scene;
use super::{CliError, print};

/// What `explain` is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A file, or a line of it (from 1). A column as compilers print it is no harm.
    #[arg(value_name = "FILE[:LINE]")]
    place: String,
    /// Ask the repository's forge too (GitHub, GitLab, Gitea, Forgejo) what Flux reported about its commits, with the token of
    /// the environment or of Git.
    #[arg(long)]
    commit_status: bool,
    #[command(flatten)]
    clusters: Selection,
}

/// Prints all that an editor shows at the place. Exits 2 if it could not be told, by the rules of `check`.
pub async fn run(arguments: Arguments) -> Result<u8, CliError> {
    let settings = connect::settings();
    let (file, line) = split(&arguments.place)?;
    // A forge is somebody to ask too, for those without a cluster.
    let connect::Gathered { clusters, mut unknown, connections } =
        if arguments.commit_status && !arguments.clusters.names_any(&settings) {
            Default::default()
        } else {
            arguments.clusters.gather(&settings).await?
        };
    let mut scene = Scene::open(&file, clusters, &settings)?;
    let path = scene.inside(&file)?;
    let text =
        scene.text(&path).ok_or_else(|| CliError::told(format!("{} cannot be read", file.display())))?;
    let offset = match line {
        None => None,
        Some(line) => {
            let index = LineIndex::new(&text);
            if line > index.line_count() {
                return Err(CliError::told(format!("{path} has {} lines", index.line_count())));
            }
            Some(index.offset(LineCol { line: line - 1, col: 0 }))
        }
    };
    if arguments.commit_status
        && let Some(why) = scene.ask_forge(&path, &settings).await
    {
        unknown.push(why);
    }
    // Whoever explains has looked into history first, as an editor has.
    let mut report = scene.report(&path);
    if scene.read(&report.live, &connections).await {
        report = scene.report(&path);
    }
    unknown.extend(scene.strangers());
    unknown.extend(scene.unknown(&report));
    let mut out = scene.ask(|inputs| analysis::explain(inputs, &path, offset));
    for sentence in &unknown {
        out.push_str(&format!("could not be told: {sentence}\n"));
    }
    print(&out);
    Ok(if unknown.is_empty() { 0 } else { 2 })
}

/// Takes `FILE:LINE` apart, or `FILE:LINE:COLUMN` as `check` prints it. A file whose own name looks so wins.
fn split(place: &str) -> Result<(PathBuf, Option<u32>), CliError> {
    let whole = PathBuf::from(place);
    if whole.exists() {
        return Ok((whole, None));
    }
    let numbered =
        |text: &str| text.rsplit_once(':').and_then(|(file, it)| Some((file.to_owned(), it.parse().ok()?)));
    let Some((file, line)) = numbered(place) else { return Ok((whole, None)) };
    let (file, line): (String, u32) = match numbered(&file) {
        Some(with_column) if !PathBuf::from(&file).exists() => with_column,
        _ => (file, line),
    };
    if line == 0 {
        return Err(CliError::told("lines count from 1"));
    }
    Ok((PathBuf::from(file), Some(line)))
}
