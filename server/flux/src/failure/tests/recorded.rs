//! What real controllers said: the recordings of tests/failures.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::told;
use crate::Kind;

/// The folder of the recordings; another one where `FAILURES` names it.
fn folder() -> Option<PathBuf> {
    let here = || Some(Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?.join("tests/failures"));
    std::env::var_os("FAILURES").map(PathBuf::from).or_else(here).filter(|it| it.is_dir())
}

/// The rows that a case names in its `rows:` line.
fn rows(case: &str) -> Vec<String> {
    let line = case.lines().find_map(|line| line.strip_prefix("rows:"));
    line.map(|it| it.split(',').map(|row| row.trim().to_owned()).collect()).unwrap_or_default()
}

/// Whoever says that it is not ready, with what it says. After a remedy a release's `Released` says it.
fn messages(recording: &Value) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    for object in recording["items"].as_array().into_iter().flatten() {
        let Some(kind) = object["kind"].as_str().and_then(Kind::from_name) else { continue };
        for condition in object["status"]["conditions"].as_array().into_iter().flatten() {
            let is = |key: &str, value: &str| condition[key] == value;
            if is("status", "False")
                && (is("type", "Ready") || is("type", "Released") || is("type", "TestSuccess"))
            {
                found.extend(condition["message"].as_str().map(|it| (kind, it.to_owned())));
            }
        }
    }
    found.dedup();
    found
}

/// Every message is of a known row. With `--nocapture` it shows what is read of each, and beside which rows.
#[test]
fn every_recorded_message_is_known() {
    let Some(folder) = folder() else {
        println!("skipped: tests/failures is not here");
        return;
    };
    let mut wrong = String::new();
    let mut cases: BTreeMap<String, Vec<(Kind, String)>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder.join("recorded")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let recording: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        cases.insert(name, messages(&recording));
    }
    for (name, messages) in cases {
        let case = std::fs::read_to_string(folder.join(format!("cases/{name}.yaml"))).unwrap_or_default();
        let mut shapes = Vec::new();
        for (kind, message) in messages {
            let told = told(kind, &message);
            println!("{name}\n{told}");
            shapes.extend(
                told.lines()
                    .filter(|it| !it.starts_with(' '))
                    .map(|line| line.split([' ', ':']).next().unwrap_or_default().to_owned()),
            );
            if told.starts_with('-') {
                let _ = writeln!(wrong, "{name}: unknown: {message}");
            }
        }
        let others = rows(&case).into_iter().filter(|row| !shapes.contains(row)).collect::<Vec<_>>();
        if !others.is_empty() && !shapes.is_empty() {
            // No fault: rows overlap, and a case may stand for what is seen where nothing is said.
            println!("{name} stands for {}, read as {}\n", others.join(", "), shapes.join(", "));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
