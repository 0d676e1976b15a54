//! `inventory`, object by object against what kustomize-controller's own library says of repositories of other people.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::Command;

use e2e::binary::{Home, run};
use e2e::shared;
use serde_json::Value;
use tempfile::TempDir;

/// Repositories, with the address that their own Flux objects have for them.
const REPOSITORIES: [(&str, &str); 4] = [
    ("flux2-kustomize-helm-example", "https://github.com/fluxcd/flux2-kustomize-helm-example"),
    ("flux2-multi-tenancy", "https://github.com/fluxcd/flux2-multi-tenancy"),
    ("d2-fleet", "https://github.com/controlplaneio-fluxcd/d2-fleet"),
    ("home-ops", "https://github.com/onedr0p/home-ops"),
];

/// Objects of one repository, counted.
#[derive(Debug, Default)]
struct Score {
    right: usize,
    wrong: usize,
    missing: usize,
    not_real: usize,
    /// Kustomizations that the library has an error for: nothing to compare.
    unscored: usize,
}

type Line = (String, String, String, String);

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn key(line: &Value) -> Line {
    // Without a namespace of its own a Kustomization is `/name`.
    let text = |key: &str| line[key].as_str().unwrap_or_default().trim_start_matches('/').to_owned();
    (text("kustomization"), text("path"), text("definedIn"), text("parent"))
}

/// Where objects come from, by id.
fn origins(line: &Value) -> BTreeMap<String, (Option<String>, Option<String>)> {
    let text = |it: &Value, key: &str| it[key].as_str().map(str::to_owned);
    let objects = line["objects"].as_array().cloned().unwrap_or_default();
    objects
        .iter()
        .map(|it| (text(it, "id").unwrap(), (text(it, "origin"), text(it, "configuredIn"))))
        .collect()
}

fn compare(wanted: &str, found: &str) -> Score {
    let mut score = Score::default();
    let mut ours: HashMap<Line, Vec<Value>> = HashMap::new();
    for line in lines(found) {
        ours.entry(key(&line)).or_default().push(line);
    }
    for line in lines(wanted) {
        if line.get("error").is_some() {
            score.unscored += 1;
            continue;
        }
        let own = ours.get_mut(&key(&line)).and_then(Vec::pop).unwrap_or_default();
        let (wanted, found) = (origins(&line), origins(&own));
        for (id, origin) in &wanted {
            match found.get(id) {
                Some(own) if own == origin => score.right += 1,
                Some(_) => score.wrong += 1,
                None => score.missing += 1,
            }
        }
        score.not_real += found.keys().filter(|id| !wanted.contains_key(*id)).count();
    }
    score
}

/// Lays a repository out; `None` if it is not on this machine.
fn lay_out(name: &str, origin: &str, into: &Path) -> Option<()> {
    if name != "home-ops" {
        let bundle = shared::file(&format!("repos/{name}.bundle"))?;
        shared::clone_bundle(&bundle, into, origin);
        return Some(());
    }
    let archive = shared::file(&format!("repos/{name}.tar.gz"))?;
    std::fs::create_dir_all(into).unwrap();
    let git = |arguments: &[&str]| {
        assert!(Command::new("git").arg("-C").arg(into).args(arguments).status().unwrap().success());
    };
    let tar =
        Command::new("tar").arg("xzf").arg(archive).args(["--strip-components=1", "-C"]).arg(into).status();
    assert!(tar.unwrap().success());
    git(&["init", "--quiet"]);
    git(&["remote", "add", "origin", origin]);
    Some(())
}

#[test]
fn every_object_comes_from_the_file_that_kustomize_controller_takes_it_from() {
    let mut all = Score::default();
    for (name, origin) in REPOSITORIES {
        let folder = TempDir::new().unwrap();
        let clone = folder.path().join(name);
        let Some(wanted) = shared::file(&format!("repos/{name}.origins.jsonl")) else { return };
        if lay_out(name, origin, &clone).is_none() {
            return;
        }
        let home = Home::new();
        let ran = run(home.command(["inventory", "--format", "jsonl"]).current_dir(&clone));
        assert_eq!(ran.stderr, "", "{name}");
        let score = compare(&std::fs::read_to_string(wanted).unwrap(), &ran.stdout);
        println!(
            "{name}: {} right, {} from a wrong file, {} missing, {} not real; {} Kustomizations prove nothing",
            score.right, score.wrong, score.missing, score.not_real, score.unscored
        );
        all.right += score.right;
        all.wrong += score.wrong;
        all.missing += score.missing;
        all.not_real += score.not_real;
    }
    let objects = all.right + all.wrong + all.missing;
    assert!(objects > 500, "{all:?}");
    assert!(all.right * 100 >= objects * 99, "at least 99 % of objects with the right file: {all:?}");
    assert!(all.not_real * 100 <= objects, "at most 1 % that are not real: {all:?}");
}
