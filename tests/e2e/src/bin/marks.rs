//! `marks [PART]` beside `bench`: how long it takes until marks stand where they belong.
//!
//! Nothing is asserted: machines are noisy, ratios tell. What is not on this machine is named and left out. With an
//! argument (`index`, `keystroke`) only that is measured.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use e2e::binary::{self, Home};
use e2e::lsp::{Client, Options, PATIENCE, uri};
use serde_json::{Value, json};

const ORIGIN: &str = "https://git.invalid/fleet.git";
/// The kustomize that kustomize-controller 1.9 is built with, as a program.
const KUSTOMIZE: &str = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.1";

fn main() {
    let only = std::env::args().nth(1);
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    for (name, measure) in [("index", index as fn()), ("keystroke", keystroke)] {
        if wanted(name) {
            measure();
        }
    }
}

/// All of home-ops from cold: every object of every Flux Kustomization, beside `kustomize build` of the same folders.
fn index() {
    println!("home-ops from cold: files → objects of all Flux Kustomizations");
    let archive = binary::root().parent().unwrap().join("shared/repos/home-ops.tar.gz");
    let folder = tempfile::tempdir().unwrap();
    let unpacked = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(folder.path()).status();
    if !archive.exists() || !unpacked.is_ok_and(|it| it.success()) {
        return println!("  {} is not on this machine: left out\n", archive.display());
    }
    let root = only_folder(folder.path());
    let home = Home::new();
    let mut ours = Vec::new();
    let mut lines = String::new();
    for _ in 0..5 {
        let mut command = home.command(["inventory", "--format", "text"]);
        let began = Instant::now();
        let done = command.current_dir(&root).output().unwrap();
        ours.push(began.elapsed());
        lines = String::from_utf8_lossy(&done.stdout).into_owned();
    }
    println!("  fluxcd-ls inventory   {}", figure(&mut ours));
    let folders = built_folders(&root);
    let objects = lines.lines().filter(|it| it.starts_with("  ")).count();
    println!("  ({objects} lines of objects; {} folders with a kustomization.yaml)", folders.len());
    let Some(kustomize) = kustomize() else {
        return println!("  kustomize is neither here nor to be built: left out\n");
    };
    let mut theirs = Vec::new();
    let mut built = 0;
    for _ in 0..3 {
        let began = Instant::now();
        built = folders
            .iter()
            .filter(|it| {
                let done = Command::new(&kustomize)
                    .arg("build")
                    .arg(it)
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status();
                done.is_ok_and(|it| it.success())
            })
            .count();
        theirs.push(began.elapsed());
    }
    println!("  kustomize build       {} ({built} of them build)", figure(&mut theirs));
    println!("  ratio of medians {:.0}\n", millis(median(&theirs)) / millis(median(&ours)));
}

/// The folder that an archive holds, or the one that it was unpacked to.
fn only_folder(folder: &Path) -> PathBuf {
    let all: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().flatten().map(|it| it.path()).collect();
    match all.as_slice() {
        [one] if one.is_dir() => one.clone(),
        _ => folder.to_owned(),
    }
}

/// Folders with a kustomization.yaml that is no component: those cannot be built by themselves.
fn built_folders(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() {
                open.push(path);
            } else if entry.file_name() == "kustomization.yaml"
                && !std::fs::read_to_string(&path).unwrap_or_default().contains("kind: Component")
            {
                found.push(folder.clone());
            }
        }
    }
    found.sort();
    found
}

/// The program from the path, else one that is built once and kept beside the testbed's.
fn kustomize() -> Option<PathBuf> {
    if Command::new("kustomize").arg("version").stdout(Stdio::null()).status().is_ok() {
        return Some("kustomize".into());
    }
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let folder = cache.join("fluxcd-ls").join(KUSTOMIZE.rsplit('/').next()?.replace('@', "-"));
    let program = folder.join("kustomize");
    if !program.exists() {
        println!("  building {KUSTOMIZE}, once");
        let built = Command::new("go").args(["install", KUSTOMIZE]).env("GOBIN", &folder).status();
        built.ok().filter(std::process::ExitStatus::success)?;
    }
    Some(program)
}

/// One keystroke → its mark at the new place: in a file of 10,000 lines, and in one of 300 files of a Kustomization. All of it is
/// committed, and applied at that commit, so that how far each text has come is looked up at each keystroke, too.
fn keystroke() {
    println!("a keystroke → marks and lenses");
    keystroke_in("one manifest of 10,000 lines", 625, 625);
    keystroke_in("one of 300 manifests of a Kustomization", 300, 1);
}

fn keystroke_in(what: &str, deployments: usize, in_a_file: usize) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("apps/0.yaml");
    std::fs::create_dir_all(folder.path().join("apps")).unwrap();
    let documents: Vec<String> = (0..deployments).map(deployment).collect();
    for (number, text) in documents.chunks(in_a_file).enumerate() {
        std::fs::write(folder.path().join(format!("apps/{number}.yaml")), text.concat()).unwrap();
    }
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(folder.path()).args([
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@bench.invalid",
        ]);
        let done = command.args(arguments).output().ok().filter(|it| it.status.success());
        done.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned())
    };
    let ready = [
        &["init", "--quiet", "--initial-branch=main"][..],
        &["remote", "add", "origin", ORIGIN],
        &["add", "--all"],
        &["commit", "--quiet", "--message", "All of it"],
        &["update-ref", "refs/remotes/origin/main", "HEAD"],
    ];
    if !ready.iter().all(|it| git(it).is_some()) {
        return println!("  git is not on this machine: left out\n");
    }
    let commit = git(&["rev-parse", "HEAD"]).unwrap();
    let recorded = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(recorded.path(), cluster(deployments, &commit).to_string()).unwrap();
    let home = Home::new();
    let mut editor = Client::start(&home, Options::new(folder.path()).snapshot(recorded.path()));
    let (told, published) = channel();
    let marked = uri(&file);
    editor.on_message(move |message| {
        if message["method"] == "textDocument/publishDiagnostics"
            && message["params"]["uri"] == marked.as_str()
        {
            let line = message["params"]["diagnostics"][0]["range"]["start"]["line"].as_u64();
            // Told to nobody once all is measured.
            let _ = told.send((Instant::now(), line));
        }
    });
    editor.open(&file);
    let wait = |wanted: Option<u64>| loop {
        let (at, line) = published.recv_timeout(PATIENCE).expect("a mark comes");
        if line.is_some() && (wanted.is_none() || line == wanted) {
            break (at, line);
        }
    };
    editor.wait_lens(&file, "main@");
    let first = wait(None).1.unwrap();
    let mut times = Vec::new();
    for typed in 1..=20_u64 {
        let here = json!({"line": 1, "character": 0});
        let change = json!([{"range": {"start": here, "end": here}, "text": "\n"}]);
        let began = Instant::now();
        editor.notify(
            "textDocument/didChange",
            json!({"textDocument": {"uri": uri(&file), "version": typed + 1}, "contentChanges": change}),
        );
        times.push(wait(Some(first + typed)).0 - began);
    }
    println!("  {what}: {}", figure(&mut times));
    editor.stop();
}

/// 16 lines, which the API server refuses of the first one.
fn deployment(number: usize) -> String {
    let policy = if number == 0 { "Allways" } else { "Always" };
    format!(
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{number:03}\n  namespace: shop\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers:\n        - name: app\n          image: app:{number}\n          imagePullPolicy: {policy}\n          env:\n            - {{name: A, value: b}}\n"
    )
}

/// What a cluster says that applied a commit with so many of them, but for the first.
fn cluster(deployments: usize, commit: &str) -> Value {
    let revision = format!("main@sha1:{commit}");
    let entries: Vec<Value> = (0..deployments)
        .map(|it| json!({"id": format!("shop_app-{it:03}_apps_Deployment"), "v": "v1"}))
        .collect();
    let message = "Deployment/shop/app-000 dry-run failed (Invalid): Deployment.apps \"app-000\" is invalid: spec.template.spec.containers[0].imagePullPolicy: Unsupported value: \"Allways\": supported values: \"Always\", \"IfNotPresent\", \"Never\"";
    let items = json!([
        {"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
         "metadata": {"name": "fleet", "namespace": "flux-system", "generation": 1},
         "spec": {"interval": "10m", "url": ORIGIN, "ref": {"branch": "main"}},
         "status": {"observedGeneration": 1, "artifact": {"revision": revision, "lastUpdateTime": "2026-11-22T05:00:00Z"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "Succeeded", "message": "stored", "lastTransitionTime": "2026-11-22T05:00:00Z"}]}},
        {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
         "metadata": {"name": "apps", "namespace": "flux-system", "generation": 1},
         "spec": {"interval": "10m", "path": "./apps", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "fleet"}},
         "status": {"observedGeneration": 1, "inventory": {"entries": entries}, "lastAttemptedRevision": revision, "lastAppliedRevision": revision,
            "conditions": [{"type": "Ready", "status": "False", "reason": "ReconciliationFailed", "message": message, "observedGeneration": 1, "lastTransitionTime": "2026-11-22T05:00:00Z"}]}},
    ]);
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// `median (smallest … largest)`.
fn figure(times: &mut [Duration]) -> String {
    times.sort_unstable();
    format!(
        "{:.1} ms ({:.1} … {:.1})",
        millis(median(times)),
        millis(times[0]),
        millis(times[times.len() - 1])
    )
}
