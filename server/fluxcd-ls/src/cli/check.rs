//! `fluxcd-ls check`.

use std::path::PathBuf;
use std::time::Duration;

use super::connect::{self, Gathered, Selection};
use super::format::Format;
use super::report::{Entry, Report};
use super::scene::Scene;
use super::{CliError, colour, print};
use crate::server::view::ClusterSnapshot;
use crate::settings::Settings;

/// What `check` is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Files or folders of a repository; without any, the repository around the current folder.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Instead of all findings: whether this commit is applied and healthy wherever what it changed is applied. Exits 0: it is
    /// live, 1: it failed, 2: not live yet, or it could not be told.
    #[arg(long, value_name = "REV", conflicts_with = "paths")]
    commit: Option<String>,
    /// Waits so long for the commit to be live or to fail: 90s, 10m, 1h.
    #[arg(long, value_name = "TIME", requires = "commit", value_parser = patience)]
    wait: Option<Duration>,
    /// Reads the live object of every plain manifest, too (a request each, never a Secret): keys that Flux dropped from it in
    /// silence are warnings then, and what is another in the live object is noted. What may not be read could not be told.
    #[arg(long, conflicts_with = "commit")]
    objects: bool,
    #[command(flatten)]
    clusters: Selection,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Prints all findings.
pub async fn run(arguments: Arguments) -> Result<u8, CliError> {
    let settings = connect::settings();
    if let Some(commit) = &arguments.commit {
        return super::gate::run(commit, arguments.wait, &arguments.clusters, arguments.format, &settings)
            .await;
    }
    let Gathered { clusters, mut unknown, connections } = arguments.clusters.gather(&settings).await?;
    let mut scene = open(&arguments.paths, clusters, &settings)?;
    if arguments.objects {
        unknown.extend(scene.read_all(&arguments.paths, &connections).await?);
    }
    let report = look(&mut scene, &arguments.paths, unknown)?;
    print(&arguments.format.print(&report, arguments.format == Format::Text && colour()));
    Ok(report.exit_code())
}

/// A time to wait: `10m`.
fn patience(text: &str) -> Result<Duration, String> {
    let time: jiff::SignedDuration = text.parse().map_err(|_| "write it as 90s, 10m or 1h".to_owned())?;
    Duration::try_from(time).map_err(|_| "time does not run backwards".to_owned())
}

/// All findings of a repository's files.
pub fn report(
    paths: &[PathBuf],
    clusters: Vec<ClusterSnapshot>,
    unknown: Vec<String>,
    settings: &Settings,
) -> Result<Report, CliError> {
    look(&mut open(paths, clusters, settings)?, paths, unknown)
}

/// The repository that the first path lies in.
fn open(paths: &[PathBuf], clusters: Vec<ClusterSnapshot>, settings: &Settings) -> Result<Scene, CliError> {
    let start = paths.first().cloned().unwrap_or_else(|| PathBuf::from("."));
    Scene::open(&start, clusters, settings)
}

/// All findings of a scene's files.
pub fn look(scene: &mut Scene, paths: &[PathBuf], unknown: Vec<String>) -> Result<Report, CliError> {
    let recorded_at = scene.clusters().iter().filter_map(|cluster| match &cluster.contact {
        analysis::Contact::Recorded { newest } => *newest,
        _ => None,
    });
    // Of several recordings the oldest: nothing is newer than told.
    let mut report = Report { recorded_at: recorded_at.min(), unknown, ..Report::default() };
    report.unknown.extend(scene.strangers());
    report.unknown.extend(scene.ask(analysis::unplaced));
    let asked_for = scene.files(paths)?;
    if asked_for.is_empty() {
        report.unknown.push("no Flux object here: there was nothing to look at".to_owned());
    }
    for path in scene.files(&[])? {
        let file = scene.report(&path);
        let asked = asked_for.contains(&path);
        if asked {
            // Of a whole repository it is no news that some of it belongs to clusters that were not asked.
            let unknown = if paths.is_empty() { file.unknown.clone() } else { scene.unknown(&file) };
            report.unknown.extend(unknown.into_iter().map(|text| format!("{path}: {text}")));
        }
        for finding in file.findings {
            // What waits has no mark of its own: whoever asks for it wants to know what it waits for.
            if !asked && !finding.related.iter().any(|related| asked_for.contains(&related.path)) {
                continue;
            }
            let Some(place) = scene.place(&path, finding.range) else { continue };
            let related = finding
                .related
                .iter()
                .filter_map(|related| {
                    Some((scene.place(&related.path, related.range)?, related.message.clone()))
                })
                .collect();
            report.entries.push(Entry { finding, place, related });
        }
    }
    report.sort();
    Ok(report)
}
