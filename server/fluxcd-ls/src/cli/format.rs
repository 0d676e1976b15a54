//! The four ways in which `check` prints a report.

use analysis::Severity;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use clap::ValueEnum;
use serde_json::{Value, json};

use super::report::{Entry, Place, Report};

/// A way to print a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: the line, the mark, the reason, the object.
    Text,
    /// One stable JSON object; see the README.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands that GitHub shows beside the line.
    Github,
}

impl Format {
    /// The whole output, with a newline at its end.
    pub fn print(self, report: &Report, colour: bool) -> String {
        match self {
            Format::Text => text(report, colour),
            Format::Json => pretty(&json(report)),
            Format::Sarif => pretty(&sarif(report)),
            Format::Github => github(report),
        }
    }
}

/// JSON for people and machines, with a newline at its end.
pub fn pretty(value: &Value) -> String {
    // Values made by `json!` have text keys only: there is nothing in them that could not be printed.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// The findings alone, as people read them.
pub fn snippets(report: &Report, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    report.entries.iter().map(|entry| format!("{}\n\n", snippet(entry, &renderer))).collect()
}

fn text(report: &Report, colour: bool) -> String {
    let mut out = snippets(report, colour);
    for unknown in &report.unknown {
        out.push_str("could not be told: ");
        out.push_str(unknown);
        out.push('\n');
    }
    out.push_str(&summary(report));
    out.push('\n');
    out
}

fn summary(report: &Report) -> String {
    let count = |severity| report.entries.iter().filter(|entry| entry.finding.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let mut parts = Vec::new();
    let mut add = |number: usize, one: &str, many: &str| {
        if number > 0 {
            parts.push(format!("{number} {}", if number == 1 { one } else { many }));
        }
    };
    add(errors, "failure", "failures");
    add(warnings, "warning", "warnings");
    add(report.entries.len() - errors - warnings, "note", "notes");
    let mut text = if parts.is_empty() { "nothing failed".to_owned() } else { parts.join(", ") };
    if !report.unknown.is_empty() {
        text.push_str(&format!(", {} could not be told", report.unknown.len()));
    }
    if let Some(time) = report.recorded_at {
        text.push_str(&format!(" (as recorded {})", time.strftime("%Y-%m-%d %H:%M UTC")));
    }
    text
}

fn snippet(entry: &Entry, renderer: &Renderer) -> String {
    let level = match entry.finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Information => Level::INFO,
        Severity::Hint => Level::HELP,
    };
    // What stands in the same file is shown there, beside the mark; the rest is below it, file by file.
    let (here, elsewhere): (Vec<_>, Vec<_>) =
        entry.related.iter().partition(|(place, _)| place.file == entry.place.file);
    let (same, beside): (Vec<_>, Vec<_>) =
        here.into_iter().partition(|(place, _)| place.range == entry.place.range);
    // Who says what failed at its own name says more than the name.
    let object = same.first().map_or_else(|| label(entry), |(_, message)| message.clone());
    let mut snippet = source(&entry.place, AnnotationKind::Primary, &object);
    for (place, message) in beside {
        let annotation = AnnotationKind::Context.span(place.bytes.clone());
        snippet = snippet.annotation(annotation.label(message.as_str()));
    }
    let title = level.primary_title(entry.finding.message.as_str()).id(entry.finding.code.as_str());
    let mut groups = vec![title.element(snippet)];
    for (place, message) in elsewhere {
        let group = Group::with_title(Level::NOTE.secondary_title(message.as_str()));
        groups.push(group.element(source(place, AnnotationKind::Context, "")));
    }
    renderer.render(&groups)
}

fn label(entry: &Entry) -> String {
    let mut label = entry.finding.object.to_string();
    if let Some(revision) = &entry.finding.revision {
        // What a cluster says is data: nothing in it may steer a terminal.
        let plain: String = revision.to_string().chars().filter(|it| !it.is_control()).collect();
        label.push_str(&format!(" at {plain}"));
    }
    label
}

fn source<'a>(
    place: &'a Place,
    kind: AnnotationKind,
    label: &'a str,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let annotation = kind.span(place.bytes.clone());
    let annotation = if label.is_empty() { annotation } else { annotation.label(label) };
    Snippet::source(place.text.as_ref()).path(place.file.as_str()).annotation(annotation)
}

/// The stable form: documented in the README, changed only with its `version`.
pub fn json(report: &Report) -> Value {
    let findings: Vec<Value> = report
        .entries
        .iter()
        .flat_map(|entry| {
            // One for each cluster, so that a reader can select by cluster without taking text apart.
            entry.finding.clusters.iter().map(move |cluster| {
                json!({
                    "file": entry.place.file,
                    "range": entry.place.range,
                    "severity": entry.finding.severity.as_str(),
                    "code": entry.finding.code,
                    "message": entry.finding.message,
                    "object": entry.finding.object.to_string(),
                    "applier": entry.finding.applier.as_ref().map(ToString::to_string),
                    "cluster": cluster,
                    "revision": entry.finding.revision.as_ref().map(flux::Revision::as_str),
                    "shortRevision": entry.finding.revision.as_ref().map(ToString::to_string),
                    "verdict": entry.finding.verdict,
                    "related": entry.related.iter().map(|(place, message)| json!({
                        "file": place.file, "range": place.range, "message": message,
                    })).collect::<Vec<_>>(),
                })
            })
        })
        .collect();
    let mut value = json!({"version": 1, "findings": findings, "unknown": report.unknown});
    if let Some(time) = report.recorded_at {
        value["recordedAt"] = json!(time.to_string());
    }
    value
}

fn sarif(report: &Report) -> Value {
    let location = |place: &Place| {
        json!({"physicalLocation": {
            "artifactLocation": {"uri": place.file, "uriBaseId": "%SRCROOT%"},
            // SARIF counts from 1, in UTF-16 units as LSP does.
            "region": {
                "startLine": place.range.start.line + 1, "startColumn": place.range.start.character + 1,
                "endLine": place.range.end.line + 1, "endColumn": place.range.end.character + 1,
            },
        }})
    };
    let mut rules: Vec<&str> = report.entries.iter().map(|entry| entry.finding.code.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    let results: Vec<Value> = report
        .entries
        .iter()
        .enumerate()
        .map(|(nth, entry)| {
            let level = match entry.finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Information | Severity::Hint => "note",
            };
            let mut related = Vec::new();
            for (id, (place, message)) in entry.related.iter().enumerate() {
                let mut at = location(place);
                at["id"] = json!(id);
                at["message"] = json!({"text": message});
                related.push(at);
            }
            json!({
                "ruleId": entry.finding.code,
                "level": level,
                "message": {"text": entry.finding.message},
                "locations": [location(&entry.place)],
                "relatedLocations": related,
                "partialFingerprints": {"object/v1": fingerprint(report, nth)},
            })
        })
        .collect();
    let notifications: Vec<Value> = report
        .unknown
        .iter()
        .map(|text| json!({"level": "warning", "message": {"text": format!("could not be told: {text}")}}))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "fluxcd-ls",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| json!({"id": rule, "name": rule})).collect::<Vec<_>>(),
            }},
            "columnKind": "utf16CodeUnits",
            "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": notifications}],
            "results": results,
        }],
    })
}

fn github(report: &Report) -> String {
    let mut out = String::new();
    for entry in &report.entries {
        let level = match entry.finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Information | Severity::Hint => "notice",
        };
        let range = entry.place.range;
        // A range over several lines has no columns there.
        let columns = if range.start.line == range.end.line {
            format!(",col={},endColumn={}", range.start.character + 1, range.end.character + 1)
        } else {
            String::new()
        };
        out.push_str(&format!(
            "::{level} file={},line={},endLine={}{columns},title={}::{}\n",
            property(&entry.place.file),
            range.start.line + 1,
            range.end.line + 1,
            property(&format!("{} {}", entry.finding.code, entry.finding.object)),
            data(&entry.finding.message),
        ));
    }
    for unknown in &report.unknown {
        out.push_str(&format!(
            "::warning title=fluxcd-ls::{}\n",
            data(&format!("could not be told: {unknown}"))
        ));
    }
    out
}

/// Escapes what a workflow command's message must not hold: cluster text could else start a command of its own.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The same for a property, where `:` and `,` separate too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// What tells a result from all others, run after run: the object, and of several of one object which it is.
fn fingerprint(report: &Report, nth: usize) -> String {
    let of = |entry: &Entry| format!("{}:{}", entry.finding.clusters.join(","), entry.finding.object);
    let own = report.entries.get(nth).map(of).unwrap_or_default();
    match report.entries.iter().take(nth).filter(|it| of(it) == own).count() {
        0 => own,
        before => format!("{own}:{before}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use analysis::Finding;
    use expect_test::{Expect, expect};
    use flux::ObjectId;
    use manifests::{TextRange, TextSize};

    use super::*;

    fn report(message: &str) -> Report {
        let text: Arc<str> =
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: apps\nspec:\n  path: ./äpps\n"
                .into();
        let place = |needle: &str| {
            let start = TextSize::try_from(text.find(needle).unwrap()).unwrap();
            let range = TextRange::at(start, TextSize::of(needle));
            Place::new("clusters/staging/apps.yaml".into(), Arc::clone(&text), range)
        };
        let object = ObjectId::new("kustomize.toolkit.fluxcd.io", "Kustomization", "flux-system", "apps");
        let finding = Finding {
            range: TextRange::default(),
            severity: Severity::Error,
            code: "ArtifactFailed".into(),
            message: message.into(),
            object,
            applier: None,
            clusters: vec!["staging".into()],
            keys: vec!["staging".into()],
            revision: Some(flux::Revision::new("main@sha1:1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d")),
            verdict: "failed",
            failed: true,
            related: Vec::new(),
            fixes: Vec::new(),
        };
        Report {
            entries: vec![Entry {
                finding,
                place: place("./äpps"),
                related: vec![(place("apps"), "here".into())],
            }],
            unknown: vec!["production: not connected".into()],
            recorded_at: "2026-11-22T05:07:00Z".parse().ok(),
        }
    }

    fn check(format: Format, message: &str, expected: Expect) {
        expected.assert_eq(&format.print(&report(message), false));
    }

    #[test]
    fn text_looks_like_a_compiler() {
        check(
            Format::Text,
            "staging: the path ./äpps is not in the source",
            expect![[r#"
                error[ArtifactFailed]: staging: the path ./äpps is not in the source
                 --> clusters/staging/apps.yaml:6:9
                  |
                4 |   name: apps
                  |         ---- here
                5 | spec:
                6 |   path: ./äpps
                  |         ^^^^^^ Kustomization/flux-system/apps at main@1a2b3c4

                could not be told: production: not connected
                1 failure, 1 could not be told (as recorded 2026-11-22 05:07 UTC)
            "#]],
        );
    }

    #[test]
    fn json_is_stable() {
        check(
            Format::Json,
            "staging: no path",
            expect![[r#"
                {
                  "findings": [
                    {
                      "applier": null,
                      "cluster": "staging",
                      "code": "ArtifactFailed",
                      "file": "clusters/staging/apps.yaml",
                      "message": "staging: no path",
                      "object": "Kustomization/flux-system/apps",
                      "range": {
                        "end": {
                          "character": 14,
                          "line": 5
                        },
                        "start": {
                          "character": 8,
                          "line": 5
                        }
                      },
                      "related": [
                        {
                          "file": "clusters/staging/apps.yaml",
                          "message": "here",
                          "range": {
                            "end": {
                              "character": 12,
                              "line": 3
                            },
                            "start": {
                              "character": 8,
                              "line": 3
                            }
                          }
                        }
                      ],
                      "revision": "main@sha1:1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
                      "severity": "error",
                      "shortRevision": "main@1a2b3c4",
                      "verdict": "failed"
                    }
                  ],
                  "recordedAt": "2026-11-22T05:07:00Z",
                  "unknown": [
                    "production: not connected"
                  ],
                  "version": 1
                }
            "#]],
        );
    }

    #[test]
    fn sarif_counts_from_one() {
        check(
            Format::Sarif,
            "staging: no path",
            expect![[r#"
            {
              "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
              "runs": [
                {
                  "columnKind": "utf16CodeUnits",
                  "invocations": [
                    {
                      "executionSuccessful": true,
                      "toolExecutionNotifications": [
                        {
                          "level": "warning",
                          "message": {
                            "text": "could not be told: production: not connected"
                          }
                        }
                      ]
                    }
                  ],
                  "results": [
                    {
                      "level": "error",
                      "locations": [
                        {
                          "physicalLocation": {
                            "artifactLocation": {
                              "uri": "clusters/staging/apps.yaml",
                              "uriBaseId": "%SRCROOT%"
                            },
                            "region": {
                              "endColumn": 15,
                              "endLine": 6,
                              "startColumn": 9,
                              "startLine": 6
                            }
                          }
                        }
                      ],
                      "message": {
                        "text": "staging: no path"
                      },
                      "partialFingerprints": {
                        "object/v1": "staging:Kustomization/flux-system/apps"
                      },
                      "relatedLocations": [
                        {
                          "id": 0,
                          "message": {
                            "text": "here"
                          },
                          "physicalLocation": {
                            "artifactLocation": {
                              "uri": "clusters/staging/apps.yaml",
                              "uriBaseId": "%SRCROOT%"
                            },
                            "region": {
                              "endColumn": 13,
                              "endLine": 4,
                              "startColumn": 9,
                              "startLine": 4
                            }
                          }
                        }
                      ],
                      "ruleId": "ArtifactFailed"
                    }
                  ],
                  "tool": {
                    "driver": {
                      "name": "fluxcd-ls",
                      "rules": [
                        {
                          "id": "ArtifactFailed",
                          "name": "ArtifactFailed"
                        }
                      ],
                      "version": "0.1.0"
                    }
                  }
                }
              ],
              "version": "2.1.0"
            }
        "#]],
        );
    }

    #[test]
    fn text_of_a_cluster_starts_no_workflow_command() {
        check(
            Format::Github,
            "first\n::error::second, 100%",
            expect![[r#"
            ::error file=clusters/staging/apps.yaml,line=6,endLine=6,col=9,endColumn=15,title=ArtifactFailed Kustomization/flux-system/apps::first%0A::error::second, 100%25
            ::warning title=fluxcd-ls::could not be told: production: not connected
        "#]],
        );
    }

    #[test]
    fn failures_outweigh_gaps() {
        let mut report = report("x");
        assert_eq!(report.exit_code(), 1);
        // A quota: no text mends it, and nothing came in.
        report.entries[0].finding.severity = Severity::Warning;
        assert_eq!(report.exit_code(), 1);
        report.entries[0].finding.failed = false;
        assert_eq!(report.exit_code(), 2);
        report.unknown.clear();
        assert_eq!(report.exit_code(), 0);
    }
}
