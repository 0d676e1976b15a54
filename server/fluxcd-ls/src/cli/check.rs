//! `fluxcd-ls check`.

use std::path::PathBuf;

use super::connect::{self, Selection};
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
    #[command(flatten)]
    clusters: Selection,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Prints all findings.
pub async fn run(arguments: Arguments) -> Result<u8, CliError> {
    let settings = connect::settings();
    let (clusters, unknown) = arguments.clusters.gather(&settings).await?;
    let report = report(&arguments.paths, clusters, unknown, &settings)?;
    print(&arguments.format.print(&report, arguments.format == Format::Text && colour()));
    Ok(report.exit_code())
}

/// All findings of a repository's files.
pub fn report(
    paths: &[PathBuf],
    clusters: Vec<ClusterSnapshot>,
    unknown: Vec<String>,
    settings: &Settings,
) -> Result<Report, CliError> {
    let start = paths.first().cloned().unwrap_or_else(|| PathBuf::from("."));
    let mut scene = Scene::open(&start, clusters, settings)?;
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
            let unknown = if paths.is_empty() { file.unknown.clone() } else { scene.unknown(&path, &file) };
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
