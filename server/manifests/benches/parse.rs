//! How long reading takes: `cargo bench -p manifests`. Prints, asserts nothing.
#![allow(clippy::print_stdout, missing_docs)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use manifests::{LineIndex, ParsedFile, Soundness};

/// A Flux object and a workload, 17 lines each with the marker, as in a file of a real repository.
const DOCUMENTS: [&str; 2] = [
    "---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps-NUMBER
  namespace: flux-system
spec:
  interval: 10m0s # often enough
  dependsOn:
    - name: infra-controllers
  sourceRef:
    kind: GitRepository
    name: flux-system
  path: \"./apps/production\"
  prune: true
  wait: true
  timeout: 5m0s
",
    "---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web-NUMBER, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: ghcr.io/stefanprodan/podinfo:6.5.0
          command:
            - sh
            - -c
            - 'sleep 1'
",
];

fn main() {
    let text: String = (0..588).map(|it| DOCUMENTS[it % 2].replace("NUMBER", &it.to_string())).collect();
    let file = ParsedFile::parse(&text);
    println!(
        "{} lines, {} documents, {} kB",
        text.lines().count(),
        file.documents().len(),
        text.len() / 1000
    );
    report("parse", || ParsedFile::parse(&text));

    let at = text.len() / 2 + text[text.len() / 2..].find("path:").unwrap_or_default();
    let typed = format!("{}x{}", &text[..at], &text[at..]);
    report("reparse after a keystroke", || file.reparse(&typed));
    let broken = format!("{}[ \"{}", &text[..at], &text[at..]);
    report("reparse into a broken document", || file.reparse(&broken));
    report("line index", || LineIndex::new(&text));
    report("all leaves with their paths", || {
        file.documents().iter().map(|it| it.document.leaves().len()).sum::<usize>()
    });

    let one = DOCUMENTS[0].replace("---\n", "");
    report("one document of 16 lines", || ParsedFile::parse(&one));
    let config_map = |lines: usize| format!("data:\n  x: |\n{}", "    line of text\n".repeat(lines));
    for (name, text) in [
        ("50 MB (not read)", "a: b\n".repeat(10_000_000)),
        ("15 MB, one document", config_map(900_000)),
        ("1 MB, one broken document", format!("{}bad: [\n: }}\n", config_map(60_000))),
        ("15 MB of [", "[".repeat(15_000_000)),
        ("15 MB of -", "- ".repeat(7_500_000)),
        ("15 MB of quotes", "'".repeat(15_000_001)),
        ("15 MB of {{", "{{ a }}\n".repeat(1_900_000)),
        ("15 MB of {{ on one line", "a: {{ a }}".repeat(1_500_000)),
        ("15 MB of aliases", format!("&a [x]:\n{}", "- &a [*a]\n".repeat(1_500_000))),
        ("15 MB of markers", "---\n".repeat(3_700_000)),
        ("15 MB of comments", "#\n".repeat(7_500_000)),
        ("15 MB of keys", "a:\n".repeat(5_000_000)),
    ] {
        let start = Instant::now();
        let file = black_box(ParsedFile::parse(&text));
        let took = start.elapsed();
        let first: Option<Soundness> = file.documents().first().map(|it| it.document.soundness);
        println!(
            "{name}: {took:.1?}, {} documents, {first:?}, too large: {}",
            file.documents().len(),
            file.too_large()
        );
    }
}

/// Prints the median of many runs.
fn report<T>(name: &str, run: impl Fn() -> T) {
    let mut times: Vec<Duration> = (0..101)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!(
        "{name}: {:.3?} (of 101 runs the median; fastest {:.3?}, slowest {:.3?})",
        times[50], times[0], times[100]
    );
}
