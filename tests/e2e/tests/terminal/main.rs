//! The commands of the terminal, as a person or a CI job runs them: what they print, and how they end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod checking;
mod conformance;
mod demo;
mod explaining;
mod gating;
mod looking;
mod places;
mod reporting;

use std::path::{Path, PathBuf};

use e2e::binary::{Home, Ran, run};
use fleet::Cluster;
use tempfile::TempDir;

/// The fleet as a clone, its recordings beside it, and a home without anything.
struct Fleet {
    folder: TempDir,
    home: Home,
}

impl Fleet {
    fn lay_out() -> Fleet {
        let folder = TempDir::new().unwrap();
        fleet::lay_out(&folder.path().join("fleet")).unwrap();
        for cluster in Cluster::ALL {
            std::fs::write(recording_in(folder.path(), cluster), fleet::recorded(cluster)).unwrap();
        }
        Fleet { folder, home: Home::new() }
    }

    fn clone(&self) -> PathBuf {
        self.folder.path().join("fleet")
    }

    fn recording(&self, cluster: Cluster) -> PathBuf {
        recording_in(self.folder.path(), cluster)
    }

    /// Runs a command in the clone, with these recordings.
    fn run(&self, arguments: &[&str], clusters: &[Cluster]) -> Ran {
        let mut command = self.home.command(arguments);
        for cluster in clusters {
            command.arg("--snapshot").arg(self.recording(*cluster));
        }
        run(command.current_dir(self.clone()))
    }
}

fn recording_in(folder: &Path, cluster: Cluster) -> PathBuf {
    folder.join(format!("{}.json", cluster.name()))
}

/// What differs from one recording of the fleet to the next: times of the clusters, how long they took, which name
/// server they asked. Commits and their times stay.
fn masked(text: &str) -> String {
    let text = text.split_inclusive([' ', ',', '(', ')', '\n']).map(mask_word).collect::<String>();
    // The day is masked, the time behind it goes with it.
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("<day> ") {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        out.push_str("<time>");
        rest = after.get("<day> 00:00".len()..).unwrap();
    }
    out + rest
}

fn mask_word(word: &str) -> String {
    let bare = word.trim_end_matches([' ', ',', ')', '\n', ':']);
    let rest = &word[bare.len()..];
    // The fleet's own history ends before it was recorded.
    let day =
        bare.len() == 10 && bare > "2026-11-20" && bare.starts_with("20") && bare.matches('-').count() == 2;
    if day {
        return format!("<day>{rest}");
    }
    let seconds = bare.strip_suffix('s').map(|it| it.trim_end_matches('m'));
    if seconds.is_some_and(|it| it.contains('.') && it.parse::<f64>().is_ok()) {
        return format!("<duration>{rest}");
    }
    if bare.ends_with(":53") {
        return format!("<name server>{rest}");
    }
    word.to_owned()
}

#[test]
fn what_is_masked() {
    assert_eq!(
        masked(
            "as recorded 2026-11-22 08:01, since 2026-11-12 14:40 UTC (2026-11-22 08:01 UTC), after 30.1s on 10.0.0.1:53: no"
        ),
        "as recorded <time>, since 2026-11-12 14:40 UTC (<time> UTC), after <duration> on <name server>: no"
    );
}

/// That a terminal would only see letters: no control character but line ends.
fn assert_plain(text: &str) {
    let odd: Vec<char> = text.chars().filter(|c| c.is_control() && *c != '\n').collect();
    assert!(odd.is_empty(), "control characters {odd:?} in:\n{text}");
}
