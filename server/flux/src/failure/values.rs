//! What Helm says of a chart's values: its schema (flux-reference C.6, H12) and its templates (H8, H9).

use super::field::Problem;
use super::own::At;
use super::{Fault, Frame, Path, Place, Scene, Step};

/// Most errors of one schema.
const MOST: usize = 64;

/// The own field for what is wrong with the chart itself.
const CHART: At = At::Field(&["spec.chart.spec.version", "spec.chartRef.name", "spec.chart.spec.chart"]);

/// What no values can mend, as Go's templates say it of a line that they evaluate.
const OF_THE_TEMPLATE: &[&str] = &[
    "no template \"",
    "wrong number of args for ",
    " is not defined",
    "is not a method",
    "can't give argument to non-function",
];

/// The own field for what a template asks of the values.
const ROOT: At =
    At::Field(&["spec.values", "spec.valuesFrom", "spec.chartRef.name", "spec.chart.spec.chart"]);

/// `values don't meet the specifications of the schema(s) in the following chart(s):`, then charts and their errors.
pub(super) fn schema(scene: &Scene<'_>, _: &[&str]) -> Option<Vec<Fault>> {
    let (_, list) = scene.text.split_once("schema(s) in the following chart(s):")?;
    let mut heading: Option<&str> = None;
    let mut main = scene.chart;
    let mut faults: Vec<(usize, Fault)> = Vec::new();
    for line in list.lines() {
        let depth = line.len() - line.trim_start().len();
        let text = line.trim();
        let Some(error) = text.strip_prefix("- ") else {
            // A subchart's values as a whole.
            if let Some((_, got)) = text.split_once("invalid type for values: expected object (map), got ") {
                let path = Path::of(heading.as_slice());
                let problem = Problem::Type { expected: "object".to_owned(), got: got.to_owned() };
                faults.push((depth, fault(path, text, problem)));
            }
            if let Some(chart) = text.strip_suffix(':').filter(|it| !it.is_empty() && !it.contains(' ')) {
                heading = Some(chart);
                main = main.or(Some(chart));
            }
            continue;
        };
        let prefix = heading.filter(|it| Some(*it) != main);
        let Some(fault) = at_pointer(error, prefix).or_else(|| dotted(error, prefix)) else { continue };
        // What is nested below an error says more than it.
        if faults.last().is_some_and(|(above, _)| *above < depth) {
            faults.pop();
        }
        faults.push((depth, fault));
        if faults.len() >= MOST {
            break;
        }
    }
    Some(faults.into_iter().map(|(_, fault)| fault).collect())
}

fn below(prefix: Option<&str>, path: Path) -> Path {
    let root = prefix.map(|it| Path::of(&[it])).unwrap_or_default();
    path.steps().iter().cloned().fold(root, Path::with)
}

fn fault(path: Path, what: &str, problem: Problem) -> Fault {
    let says = if path.is_root() { what.to_owned() } else { format!("{path}: {what}") };
    let told = dotted_text(&path);
    Fault::new(&says).own(At::Values(0), &[&told]).at(Place::Values { path, problem })
}

/// As [`At::Values`] reads it.
fn dotted_text(path: &Path) -> String {
    let mut out = String::new();
    for step in path.steps() {
        out.push('/');
        match step {
            Step::Key(key) => out.push_str(key),
            Step::Index(index) => out.push_str(&index.to_string()),
            _ => {}
        }
    }
    out
}

/// `at '/image/tag': got number, want string`.
fn at_pointer(error: &str, prefix: Option<&str>) -> Option<Fault> {
    let (pointer, what) = error.strip_prefix("at '")?.split_once("': ")?;
    let path = below(prefix, Path::pointer(pointer));
    let quoted = || what.split('\'').nth(1);
    Some(if let Some(rest) = what.strip_prefix("got ") {
        let (got, expected) = rest.split_once(", want ").unwrap_or((rest, ""));
        fault(path, what, Problem::Type { expected: expected.to_owned(), got: got.to_owned() })
    } else if what.starts_with("missing propert") {
        let path = quoted().map_or(path.clone(), |key| path.key(key));
        fault(path, what, Problem::Required)
    } else if what.starts_with("additional properties ") {
        let path = quoted().map_or(path.clone(), |key| path.key(key));
        fault(path, what, Problem::Unknown)
    } else if let Some(list) = what.strip_prefix("value must be one of ") {
        let allowed = list.split(", ").map(|it| it.trim_matches(['\'', '"']).to_owned()).collect();
        fault(path, what, Problem::NotSupported { allowed })
    } else {
        fault(path, what, Problem::Invalid)
    })
}

/// `image.tag: Invalid type. Expected: string, given: integer`, as Helm before 3.19 wrote it.
fn dotted(error: &str, prefix: Option<&str>) -> Option<Fault> {
    let (path, what) = error.split_once(": ")?;
    if path.contains(' ') {
        return None;
    }
    let path = if path == "(root)" { Path::root() } else { Path::dotted(path) };
    let path = below(prefix, path);
    Some(if let Some(rest) = what.strip_prefix("Invalid type. Expected: ") {
        let (expected, got) = rest.split_once(", given: ").unwrap_or((rest, ""));
        fault(path, what, Problem::Type { expected: expected.to_owned(), got: got.to_owned() })
    } else if let Some(key) = what.strip_suffix(" is required") {
        fault(path.key(key), what, Problem::Required)
    } else if let Some(key) =
        what.strip_prefix("Additional property ").and_then(|it| it.strip_suffix(" is not allowed"))
    {
        fault(path.key(key), what, Problem::Unknown)
    } else if let Some((_, list)) = what.split_once("must be one of the following: ") {
        let allowed = list.split(", ").map(|it| it.trim_matches('"').to_owned()).collect();
        fault(path, what, Problem::NotSupported { allowed })
    } else {
        fault(path, what, Problem::Invalid)
    })
}

/// Frames of a template, outermost first: `web/templates/x.yaml:24:28\n  executing "…" at <.Values.image.tag>:\n    nil
/// pointer …` (Helm 4), or the same in one line (Helm 3).
pub(super) fn template(scene: &Scene<'_>, _: &[&str]) -> Option<Vec<Fault>> {
    let mut frames = Vec::new();
    let mut what = scene.text;
    for (at, mark) in scene.text.match_indices("executing \"").take(MOST) {
        let before = super::named::tail(scene.text.get(..at)?, 400).trim_end().trim_end_matches(':');
        let place = before.rsplit([' ', '\n', '(', '\t']).next().and_then(location);
        let rest = scene.text.get(at + mark.len()..)?;
        let Some((_, rest)) = rest.split_once("\" at <") else { continue };
        let (expression, rest) = rest.split_once(">:").unwrap_or((rest, ""));
        what = rest;
        let Some((file, line, column)) = place else { continue };
        frames.push(Frame { file, line: Some(line), column, expression: Some(first_line(expression)) });
    }
    let asked = frames.iter().rev().find_map(|it| asked_for(it.expression.as_deref()?));
    frames.first()?;
    let says = what.trim();
    let says = if says.is_empty() { scene.text } else { says };
    let own = OF_THE_TEMPLATE.iter().any(|it| says.contains(it));
    let mut fault = match asked.filter(|_| !own) {
        Some(path) => {
            let nil = says.contains("nil pointer evaluating") || says.contains("nil data");
            let problem = if nil { Problem::Required } else { Problem::Invalid };
            let told = dotted_text(&path);
            Fault::new(&format!("values {path}: {says}"))
                .own(At::Values(0), &[&told])
                .at(Place::Values { path, problem })
        }
        None if own => Fault::new(last_line(says)).own(CHART, &[]).at(Place::Template),
        None => Fault::new(says).own(ROOT, &[]),
    };
    fault.frames = frames;
    Some(vec![fault])
}

/// `error calling include:` and then what it is.
fn last_line(text: &str) -> &str {
    let line = text.lines().next_back().unwrap_or(text).trim();
    line.strip_prefix("template: ").unwrap_or(line)
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}

/// `web/templates/x.yaml:24:28`.
pub(super) fn location(text: &str) -> Option<(String, u32, Option<u32>)> {
    let mut parts = text.split(':');
    let file = parts.next().filter(|it| it.contains('.') && !it.is_empty())?;
    let line = parts.next()?.parse().ok()?;
    Some((file.to_owned(), line, parts.next().and_then(|it| it.parse().ok())))
}

/// The path of `.Values.image.tag` or `$.Values.image.tag` in an expression.
fn asked_for(expression: &str) -> Option<Path> {
    let (_, rest) = expression.split_once(".Values.")?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
    let path = Path::dotted(rest.get(..end)?.trim_end_matches('.'));
    (!path.is_root()).then_some(path)
}

/// `execution error at (web/templates/secret.yaml:8:12): database.password is required`: `required` and `fail`.
pub(super) fn demanded(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, place, what] = captured[..] else { return None };
    let fault = match asked_for(what).or_else(|| dotted_word(what)) {
        Some(path) => {
            let told = dotted_text(&path);
            let place = Place::Values { path, problem: Problem::Required };
            Fault::new(what).own(At::Values(0), &[&told]).at(place)
        }
        None => Fault::new(what).own(ROOT, &[]),
    };
    Some(vec![Fault { frames: frame(place), ..fault }])
}

fn frame(place: &str) -> Vec<Frame> {
    let found = location(place).map(|(file, line, column)| Frame {
        file,
        line: Some(line),
        column,
        expression: None,
    });
    found.into_iter().collect()
}

/// The first word of a sentence that is a dotted path: `database.password is required`. A word that is none of the
/// values' paths leads to the values' root, as if it were not there.
fn dotted_word(what: &str) -> Option<Path> {
    if !["required", "must", "missing", "set "].iter().any(|it| what.contains(it)) {
        return None;
    }
    // `host is required`.
    if let Some((key, rest)) = what.split_once(' ')
        && (rest.starts_with("is required") || rest.starts_with("must be set"))
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    {
        return Some(Path::of(&[key]));
    }
    let word =
        what.split([' ', '\n']).map(|it| it.trim_matches(['`', '\'', '"', ',', ':', '.'])).find(|it| {
            it.contains('.')
                && it.split('.').all(|key| {
                    key.starts_with(|c: char| c.is_ascii_alphabetic())
                        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
                })
        })?;
    Some(Path::dotted(word.strip_prefix("Values.").unwrap_or(word)))
}

/// `parse error at (web/templates/x.yaml:3): function "foo" not defined`: the chart's own fault.
pub(super) fn unparsable(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, place, what] = captured[..] else { return None };
    // The word it is about, where one is quoted: `undefined variable "$color"`.
    let word = what.split('"').nth(1).filter(|it| !it.is_empty()).map(str::to_owned);
    let frames = frame(place).into_iter().map(|it| Frame { expression: word.clone(), ..it });
    let frames: Vec<Frame> = frames.collect();
    Some(vec![Fault { frames, ..Fault::new(what).own(CHART, &[]).at(Place::Template) }])
}

/// `YAML parse error on web/templates/cm.yaml: …`: the line is one of what was rendered.
pub(super) fn rendered(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, file, what] = captured[..] else { return None };
    let frame = Frame { file: file.to_owned(), line: None, column: None, expression: None };
    let says = format!("{file} does not render to YAML: {what}");
    Some(vec![Fault { frames: vec![frame], ..Fault::new(&says).own(ROOT, &[]).at(Place::Rendered) }])
}
