//! Comparing the marks that the program sets with those that a case expects.

use manifests::{LineIndex, ParsedFile, RepoPath, TextRange, TextSize};
use serde_json::Value;

use crate::{Case, Mark, Outcome};

/// A mark that the program set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The place.
    pub mark: Mark,
    /// What it says.
    pub message: String,
    /// The places related to it.
    pub related: Vec<Mark>,
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// How well it is placed.
    pub outcome: Outcome,
    /// How many of the related places are there.
    pub related: usize,
    /// What is not as expected, one line each.
    pub notes: Vec<String>,
}

impl Finding {
    /// Reads the output of `fluxcd-ls check --format json`.
    pub fn read(case: &Case, report: &Value) -> Vec<Finding> {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let findings = list(&report["findings"]);
        let read = |found: &Value| Finding {
            mark: mark(case, found),
            message: text(&found["message"]),
            related: list(&found["related"]).iter().map(|it| mark(case, it)).collect(),
        };
        findings.iter().map(read).collect()
    }
}

fn mark(case: &Case, found: &Value) -> Mark {
    let path = found["file"].as_str().and_then(RepoPath::new).expect("a finding is in a file");
    let index = LineIndex::new(&case.files[&path]);
    let offset = |position: &Value| {
        let number =
            |key: &str| position[key].as_u64().and_then(|it| u32::try_from(it).ok()).expect("a number");
        index.offset(manifests::LineCol { line: number("line"), col: number("character") })
    };
    let range = TextRange::new(offset(&found["range"]["start"]), offset(&found["range"]["end"]));
    Mark { path, range }
}

/// Compares the marks of a case.
pub fn judge(case: &Case, findings: &[Finding]) -> Judged {
    let mut judged = Judged { outcome: Outcome::Exact, related: 0, notes: Vec::new() };
    for expected in &case.expected {
        let at = |places: &dyn Fn(&Mark) -> bool| findings.iter().any(|it| places(&it.mark));
        let outcome = if at(&|mark| expected.places.contains(mark)) {
            Outcome::Exact
        } else if at(&|mark| expected.places.iter().any(|place| same_document(case, place, mark))) {
            Outcome::Document
        } else if at(&|mark| of_flux_object(case, mark)) {
            Outcome::Object
        } else {
            Outcome::Missing
        };
        if outcome != Outcome::Exact {
            judged.notes.push(format!("expected a mark at {}", shown(case, &expected.places[0])));
        }
        judged.outcome = judged.outcome.max(outcome);
    }
    for finding in findings {
        let all = || case.expected.iter().flat_map(|it| &it.places);
        if all().any(|place| *place == finding.mark) {
            continue;
        }
        let outcome = if all().any(|place| same_document(case, place, &finding.mark)) {
            Outcome::Document
        } else if !case.expected.is_empty() && of_flux_object(case, &finding.mark) {
            Outcome::Object
        } else {
            Outcome::Wrong
        };
        judged.notes.push(format!("found a mark at {}: {}", shown(case, &finding.mark), finding.message));
        judged.outcome = judged.outcome.max(outcome);
    }
    let related = |place: &&Mark| findings.iter().any(|it| it.related.contains(place));
    judged.related = case.related.iter().filter(related).count();
    judged
}

/// `apps/web.yaml:12:9 "the text"`.
fn shown(case: &Case, mark: &Mark) -> String {
    let text = &case.files[&mark.path];
    let start = LineIndex::new(text).line_col(mark.range.start());
    let slice = text.get(usize::from(mark.range.start())..usize::from(mark.range.end())).unwrap_or_default();
    format!("{}:{}:{} {slice:?}", mark.path, start.line + 1, start.col + 1)
}

fn same_document(case: &Case, one: &Mark, other: &Mark) -> bool {
    one.path == other.path && document(case, one) == document(case, other)
}

fn document(case: &Case, mark: &Mark) -> Option<TextSize> {
    let parsed = ParsedFile::parse(&case.files[&mark.path]);
    parsed.document_at(mark.range.start()).map(|it| it.offset)
}

/// Whether a mark is in the document of a Flux object that is said to fail.
fn of_flux_object(case: &Case, mark: &Mark) -> bool {
    let parsed = ParsedFile::parse(&case.files[&mark.path]);
    let Some(placed) = parsed.document_at(mark.range.start()) else { return false };
    let text = |path: &str| placed.document.scalar(path);
    let named = |kind: &str, name: &str| text("kind") == Some(kind) && text("metadata.name") == Some(name);
    case.settles.iter().any(|it| named(&it.kind, &it.name))
        || case.says.as_ref().is_some_and(|it| named(&it.kind, &it.name))
}
