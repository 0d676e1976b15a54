//! Answers from a long history, beside `git log`: `cargo run --release -p history --example past`.
//!
//! The repository is generated once and kept in the cache; what is measured runs in a process of its own (`past look …`), so
//! that its memory is that of the answers alone. Nothing is asserted of the figures: machines are noisy, ratios tell.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use history::Repository;
use manifests::{RepoPath, Tree};

/// How long the history is.
const COMMITS: u64 = 30_000;
/// Applications, of five files each.
const APPS: u64 = 60;
/// Another generated repository has another name.
const NAME: &str = "history-30000-1";

/// The file that is asked about, and those that shape what becomes of it.
const FILES: [&str; 6] = [
    "apps/web-17/deployment.yaml",
    "apps/web-17/kustomization.yaml",
    "apps/web-17/patch.yaml",
    "apps/kustomization.yaml",
    "clusters/staging/kustomization.yaml",
    "clusters/staging/apps.yaml",
];
/// Changed by nobody since the beginning.
const OLD: &str = "clusters/staging/apps.yaml";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, rest)) if first == "look" => look(rest),
        _ => figures(),
    }
}

fn figures() {
    println!("a file and the 5 that shape it, at two revisions, in a history of {COMMITS} commits");
    let repository = repository();
    let this = std::env::current_exe().unwrap();
    let (mut look, mut log, mut old) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..21 {
        look.push(timed(Command::new(&this).args(["look", "1"]).arg(&repository)));
        log.push(timed(git(&repository).args(["log", "-1", "--", FILES[0]])));
        old.push(timed(git(&repository).args(["log", "-1", "--", OLD])));
    }
    println!("  processes, from start to end");
    println!("    ours: open, HEAD, tracking branch, trees, files  {}", figure(&mut look));
    println!("    git log -1 -- FILE (changed lately)              {}", figure(&mut log));
    println!("    git log -1 -- FILE (never changed)               {}", figure(&mut old));
    println!("  ratio of medians {:.1}, {:.1}", ratio(&log, &look), ratio(&old, &look));
    println!("  within a process");
    for looks in ["10", "1000"] {
        let output = Command::new(&this).args(["look", looks]).arg(&repository).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        print!("{}", String::from_utf8_lossy(&output.stdout));
    }
    println!();
}

fn ratio(a: &[Duration], b: &[Duration]) -> f64 {
    millis(median(a)) / millis(median(b))
}

fn git(repository: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(repository);
    command
}

fn timed(command: &mut Command) -> Duration {
    let began = Instant::now();
    let status = command.stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}");
    began.elapsed()
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// `past look TIMES REPOSITORY`: asks, and says how long it took and how much memory.
fn look(arguments: &[String]) {
    let [times, repository] = arguments else { panic!("past look TIMES REPOSITORY") };
    let (times, repository) = (times.parse::<usize>().unwrap(), PathBuf::from(repository));
    let files = FILES.map(|file| RepoPath::new(file).unwrap());
    let revisions = std::fs::read_to_string(repository.join("revisions")).unwrap();
    let revisions: Vec<&str> = revisions.lines().collect();
    let pair =
        |number: usize| [revisions[number % revisions.len()], revisions[(number * 7 + 3) % revisions.len()]];
    let began = Instant::now();
    let mut taken = Vec::new();
    for number in 0..times {
        let began = Instant::now();
        let repo = Repository::discover(&repository.join(FILES[0])).unwrap();
        let head = repo.head().unwrap().commit.unwrap();
        let tracked = repo.tracking("origin", "main").unwrap().unwrap();
        assert_ne!(head, tracked);
        for revision in pair(number) {
            let tree = repo.tree(revision).unwrap();
            for file in &files {
                assert!(tree.read(file).is_some(), "{file} at {revision}");
            }
            assert_eq!(tree.fault(), None);
        }
        taken.push(began.elapsed());
    }
    if times == 1 {
        return;
    }
    println!("    {times:>4} looks: {} each; {:.0} ms together", figure(&mut taken), millis(began.elapsed()));
    let resident = memory();
    println!(
        "               peak {:.1} MB resident, pages of Git's files among them; own memory {:.1} MB",
        resident["VmHWM"], resident["RssAnon"]
    );
    if times < 1000 {
        return;
    }
    let repo = Repository::discover(&repository).unwrap();
    // Some hundred commits apart, and all of them.
    let (new, near, far) = (revisions[0], revisions[10], revisions[revisions.len() - 1]);
    let row = |what: &str, ask: &dyn Fn() -> String| {
        let mut taken = Vec::new();
        let mut answer = String::new();
        for _ in 0..5 {
            let began = Instant::now();
            answer = ask();
            taken.push(began.elapsed());
        }
        println!("    {what:<32} {}: {answer}", figure(&mut taken));
    };
    let apart = |a: &str, b: &str| {
        let apart = repo.ahead_behind(a, b).unwrap();
        format!("{} ahead, {} behind", apart.ahead, apart.behind)
    };
    let touching = |from: &str| {
        let found = repo.touching(from, new, &files, 20).unwrap();
        format!("{} commits ({:?})", found.commits.len(), found.end)
    };
    row("ahead and behind, near", &|| apart(new, near));
    row("ahead and behind, far", &|| apart(new, far));
    row("commits that touch it, near", &|| touching(near));
    row("commits that touch it, far", &|| touching(far));
    row("whether one has the other, near", &|| repo.is_ancestor(near, new).unwrap().to_string());
    row("whether one has the other, far", &|| repo.is_ancestor(far, new).unwrap().to_string());
}

/// What the system says of this process, in MB.
fn memory() -> BTreeMap<String, f64> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut memory = BTreeMap::from([("VmHWM".to_owned(), f64::NAN), ("RssAnon".to_owned(), f64::NAN)]);
    for line in status.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(number), Some("kB")) = (words.next(), words.next(), words.next()) {
            memory.insert(name.trim_end_matches(':').to_owned(), number.parse::<f64>().unwrap() / 1024.0);
        }
    }
    memory
}

/// The generated repository, from the cache. As a clone is: packed, without a commit-graph.
fn repository() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))
        .expect("HOME is set")
        .join("fluxcd-ls");
    let repository = cache.join(NAME);
    if repository.join("revisions").exists() {
        return repository;
    }
    println!("  (generating {} once)", repository.display());
    // Made beside its place: one that was given up half-way is not taken for it.
    std::fs::create_dir_all(&cache).unwrap();
    let unfinished = tempfile::tempdir_in(&cache).unwrap();
    said(git(unfinished.path()).args(["init", "--quiet", "--initial-branch=main"]));
    let mut import =
        git(unfinished.path()).args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = BufWriter::new(import.stdin.take().unwrap());
    for number in 0..COMMITS {
        input.write_all(commit(number).as_bytes()).unwrap();
    }
    drop(input);
    assert!(import.wait().unwrap().success());
    for arguments in [
        &["repack", "-adq"][..],
        &["remote", "add", "origin", "https://git.invalid/fleet.git"],
        &["update-ref", "refs/remotes/origin/main", "main~3"],
        &["pack-refs", "--all"],
    ] {
        said(git(unfinished.path()).args(arguments));
    }
    let all = said(git(unfinished.path()).args(["rev-list", "--first-parent", "main"]));
    // So many that each look is at other ones; the first commit has not all files yet.
    let some: Vec<&str> = all.lines().step_by(30).collect();
    std::fs::write(unfinished.path().join("revisions"), some.join("\n")).unwrap();
    std::fs::rename(unfinished.keep(), &repository).unwrap();
    repository
}

/// One commit for `git fast-import`: the first brings all files, the others change one; each fifth is the merge of a branch.
fn commit(number: u64) -> String {
    let mut text = String::new();
    let time = 1_700_000_000 + number * 600;
    let branch = if number % 5 == 4 { "refs/heads/change" } else { "refs/heads/main" };
    writeln!(text, "commit {branch}\nmark :{}\ncommitter Ada <ada@example.org> {time} +0000", number + 1)
        .unwrap();
    let subject = format!("Change number {number}");
    writeln!(text, "data {}\n{subject}", subject.len()).unwrap();
    if number > 0 {
        // A branch leaves main two commits before (whose mark is one less), and comes back with the next commit.
        let parent = if matches!(number % 5, 4 | 0) { number - 1 } else { number };
        writeln!(text, "from :{parent}").unwrap();
        if number.is_multiple_of(5) {
            writeln!(text, "merge :{number}").unwrap();
        }
    }
    let mut file = |name: &str, body: &str| {
        writeln!(text, "M 644 inline {name}\ndata {}\n{body}", body.len()).unwrap();
    };
    if number == 0 {
        file("clusters/staging/kustomization.yaml", "resources:\n- apps.yaml\n");
        file(
            OLD,
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: apps\n",
        );
        file("apps/kustomization.yaml", "resources:\n- web-17\n");
        for app in 0..APPS {
            for kind in ["deployment", "service", "kustomization", "patch", "configmap"] {
                file(&format!("apps/web-{app}/{kind}.yaml"), &body(kind, app, 0));
            }
        }
    } else {
        // Which, is spread as by chance, and the same at each run.
        let random = number.wrapping_mul(6_364_136_223_846_793_005).rotate_left(29) >> 7;
        let kind = ["deployment", "service", "patch", "configmap"][(random % 4) as usize];
        let app = (random / 4) % APPS;
        file(&format!("apps/web-{app}/{kind}.yaml"), &body(kind, app, number));
    }
    text
}

fn body(kind: &str, app: u64, number: u64) -> String {
    let mut text = format!(
        "apiVersion: v1\nkind: {kind}\nmetadata:\n  name: web-{app}\nspec:\n  version: \"{number}\"\n"
    );
    for line in 0..30 {
        writeln!(text, "  setting-{line}: value-{}", line * app).unwrap();
    }
    text
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2]
}

/// Median (smallest … largest).
fn figure(times: &mut [Duration]) -> String {
    times.sort();
    format!(
        "{:7.2} ms ({:.2} … {:.2})",
        millis(median(times)),
        millis(times[0]),
        millis(times[times.len() - 1])
    )
}
