//! Every case of the catalogue: are the marks where they belong?

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use e2e::binary::{Home, run};
use failures::{Case, Finding, Judged, Outcome, judge, lay_out};

/// Lets the finished program look at a case, as a person would in a terminal.
fn check(home: &Home, case: &Case) -> Judged {
    let recorded = case.recorded();
    let name = &case.name;
    assert!(recorded.exists(), "{name} is not recorded: cargo run -p failures --bin record {name}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let laid_out = lay_out(case, folder.path());
    // A recording is of one text: with another, the marks would be judged by what nobody said of it.
    let told = std::fs::read_to_string(&recorded).expect("a recording can be read");
    let commit = laid_out.commits.last().expect("a case has a commit");
    assert!(
        told.contains(commit.as_str()),
        "{name} has changed since it was recorded: cargo run -p failures --bin record {name}"
    );
    let mut command = home.command(["check", "--format", "json", "--snapshot"]);
    let ran = run(command.arg(&recorded).current_dir(folder.path()));
    assert_eq!(ran.stderr, "", "{name}");
    let report =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{name}: {error}: {}", ran.stdout));
    judge(case, &Finding::read(case, &report))
}

/// Looks at all cases, several at a time: most of the time is spent in processes.
fn all(home: &Home, cases: &[Case]) -> Vec<Judged> {
    let next = AtomicUsize::new(0);
    let work = || -> Vec<(usize, Judged)> {
        let mut done = Vec::new();
        while let Some((at, case)) =
            Some(next.fetch_add(1, Relaxed)).and_then(|at| Some((at, cases.get(at)?)))
        {
            done.push((at, check(home, case)));
        }
        done
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut done: Vec<(usize, Judged)> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        started.into_iter().flat_map(|it| it.join().expect("a case can be looked at")).collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, judged)| judged).collect()
}

#[test]
fn marks_stand_where_they_belong() {
    let home = Home::new();
    // CASE=k44 looks at those only, and says more.
    let only = std::env::var("CASE").unwrap_or_default();
    let mut counts: BTreeMap<(bool, Outcome), usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    let (mut related, mut all_related) = (0, 0);
    let cases: Vec<Case> = Case::all().into_iter().filter(|case| case.name.starts_with(&only)).collect();
    for (case, judged) in cases.iter().zip(all(&home, &cases)) {
        let (outcome, today) = (judged.outcome, case.today);
        let from = if case.says.is_some() { "text" } else { "real" };
        println!("{:<22} {:<12} {from} {outcome:<9} {}", case.name, case.rows.join(" "), case.title);
        *counts.entry((case.says.is_some(), outcome)).or_default() += 1;
        related += judged.related;
        all_related += case.related.len();
        if outcome != today || !only.is_empty() {
            judged.notes.iter().for_each(|note| println!("    {note}"));
        }
        if outcome == Outcome::Wrong {
            wrong.push(format!(
                "{}: a mark in a healthy document:\n  {}",
                case.name,
                judged.notes.join("\n  ")
            ));
        } else if outcome != today && std::env::var_os("UPDATE_EXPECT").is_some() {
            case.note_today(outcome);
        } else if outcome != today {
            let line = if outcome == Outcome::Exact {
                "no `today`".to_owned()
            } else {
                format!("`today: {outcome}`")
            };
            wrong.push(format!(
                "{}: was {today}, is {outcome}. If that is right, let the case say {line}",
                case.name
            ));
        }
    }
    for text in [false, true] {
        let of = |outcome| counts.get(&(text, outcome)).copied().unwrap_or_default();
        let all: usize = counts.iter().filter(|(key, _)| key.0 == text).map(|(_, count)| count).sum();
        let percent = |count: usize| (100 * count).checked_div(all).unwrap_or_default();
        let (exact, document) = (of(Outcome::Exact), of(Outcome::Document));
        println!(
            "{}: {all} cases, exact {exact} ({} %), right document {} ({} %), at the Flux object {}, missing {}, wrong {}",
            if text { "made from text" } else { "real controllers" },
            percent(exact),
            exact + document,
            percent(exact + document),
            of(Outcome::Object),
            of(Outcome::Missing),
            of(Outcome::Wrong),
        );
    }
    println!("related places: {related} of {all_related}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
