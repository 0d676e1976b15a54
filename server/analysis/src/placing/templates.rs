//! The templates of a chart that is in the repository: what Helm says of them, and what of it is their own fault.
//!
//! A template is no YAML, so nothing of it is in what is built. Helm tells lines of its text, and of what it renders to only
//! lines of that: there the text itself is looked at, with its actions left out.

use flux::failure::{Fault, Frame, Path, Problem};
use manifests::{FileKind, ParsedFile, RepoPath, TextRange, TextSize};
use std::ops::Range;

use super::build::broken;
use super::walk::walk;
use super::{Scene, Spot};
use crate::report::Related;

/// Charts within charts that are followed.
const DEPTH: usize = 8;

impl Scene<'_> {
    /// The template that a fault tells of: at the line and what of it is named.
    pub(super) fn template(&self, fault: &Fault) -> Option<Spot> {
        let (frame, path) =
            fault.frames.iter().rev().find_map(|it| Some((it, self.template_file(&it.file)?)))?;
        let text = self.tree.read(&path)?;
        let unclosed = || unclosed(&text).filter(|_| fault.says.contains("unexpected EOF"));
        in_template(path, unclosed().or_else(|| of_frame(&text, frame))?)
    }

    /// A template that does not become YAML: where its own text is none, else the value that it writes as it is, else what
    /// it indents. Where none of these is to blame it may be any value.
    pub(super) fn rendered(&self, fault: &Fault) -> Option<Spot> {
        let path = fault.frames.iter().rev().find_map(|it| self.template_file(&it.file))?;
        let text = self.tree.read(&path)?;
        let actions = actions(&text);
        // What is defined goes where it is included.
        let defines = actions.iter().any(|it| it.word(&text) == "define");
        if !defines && let Some(spot) = broken(&path, &ParsedFile::parse(&without(&text, &actions))) {
            return in_template(path, spot.range.into());
        }
        if let Some(spot) = self.awkward_value(&text, &actions) {
            return Some(spot);
        }
        let indents = actions.iter().find(|it| it.is_block(&text))?;
        in_template(path, indents.range.clone())
    }

    /// The one value that a template writes without quotes and that YAML takes for something else.
    fn awkward_value(&self, text: &str, actions: &[Action]) -> Option<Spot> {
        let roots = self.values();
        let mut found: Vec<Path> = Vec::new();
        for path in actions.iter().filter_map(|it| it.written_value(text)) {
            let value = roots.iter().find_map(|root| {
                let trail = walk(root, &path).into_iter().find(|it| it.is_whole(&path))?;
                trail.last().value.as_text().map(|it| it.value.to_string())
            });
            if value.is_some_and(|it| is_awkward(&it)) && !found.contains(&path) {
                found.push(path);
            }
        }
        let [path] = found.as_slice() else { return None };
        self.value(path, &Problem::Invalid)
    }

    /// The lines of templates that a fault tells of, if the chart is in this repository.
    pub(super) fn frames(&self, fault: &Fault) -> Vec<Related> {
        let mut found: Vec<Related> = Vec::new();
        // The innermost frame is where it happened.
        for frame in fault.frames.iter().rev() {
            let Some(path) = self.template_file(&frame.file) else { continue };
            let range = self.tree.read(&path).and_then(|text| size(of_frame(&text, frame)?));
            let Some(range) = range else { continue };
            let message = match &frame.expression {
                Some(expression) => format!("the template evaluates {}", crate::words::data(expression)),
                None => "the template".to_owned(),
            };
            if !found.iter().any(|it| it.path == path && it.range == range) {
                found.push(Related { path, range, message });
            }
        }
        found
    }

    /// A file of the chart as Helm names it: `web/templates/x.yaml`, of a chart in it `web/charts/cache/templates/x.yaml`.
    fn template_file(&self, name: &str) -> Option<RepoPath> {
        let mut folder = self.chart.clone()?;
        let (_, mut rest) = name.split_once('/')?;
        for _ in 0..DEPTH {
            let path = folder.join(rest).filter(|it| it.starts_with(&folder))?;
            if self.tree.kind(&path) == Some(FileKind::File) {
                return Some(path);
            }
            let (chart, below) = rest.strip_prefix("charts/")?.split_once('/')?;
            folder = self.subchart(&folder, chart)?;
            rest = below;
        }
        None
    }

    /// The folder of a chart within a chart, by the name or the alias that the outer one has for it.
    fn subchart(&self, folder: &RepoPath, name: &str) -> Option<RepoPath> {
        let is_there = |it: &RepoPath| self.tree.kind(it) == Some(FileKind::Directory);
        let vendored = |name: &str| folder.join("charts")?.join(name).filter(is_there);
        let file = self.tree.parsed(&folder.join("Chart.yaml")?);
        let root = file.as_ref().and_then(|it| it.documents().first()?.document.root.as_ref());
        let dependencies = root.and_then(|it| it.get("dependencies")?.as_sequence()).unwrap_or_default();
        let mut named = dependencies.iter().filter_map(|it| {
            let text = |key: &str| it.get(key).and_then(|it| it.as_str());
            let own = text("name")?;
            (text("alias").unwrap_or(own) == name).then_some((own, text("repository")))
        });
        let Some((own, repository)) = named.next() else { return vendored(name) };
        let beside = || folder.join(repository?.strip_prefix("file://")?).filter(is_there);
        vendored(own).or_else(|| vendored(name)).or_else(beside)
    }
}

/// A mark in a template. Whether its text is the one that failed is told by the chart as a whole, which has its own
/// revision: not by the one that applies the release.
fn in_template(path: RepoPath, range: Range<usize>) -> Option<Spot> {
    let range = size(range)?;
    Some(Spot { path, range, exact: true, related: Vec::new(), fixes: Vec::new(), shaped_by: Vec::new() })
}

fn size(range: Range<usize>) -> Option<TextRange> {
    Some(TextRange::new(TextSize::try_from(range.start).ok()?, TextSize::try_from(range.end).ok()?))
}

/// What a frame names: its expression in its line, else in the only place where that stands, else the action at its column,
/// else its line.
fn of_frame(text: &str, frame: &Frame) -> Option<Range<usize>> {
    let line = usize::try_from(frame.line.unwrap_or(1)).ok()?.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let content = text.get(start..)?.lines().next().unwrap_or_default();
    if let Some(expression) = frame.expression.as_deref() {
        if let Some(at) = word_in(content, expression) {
            return Some(start + at..start + at + expression.len());
        }
        let mut all = text.match_indices(expression);
        if let (Some((at, _)), None) = (all.next(), all.next()) {
            return Some(at..at + expression.len());
        }
    }
    let column = frame.column.and_then(|it| usize::try_from(it).ok()).map(|it| start + it);
    let at_column = |it: &Action| column.is_some_and(|at| it.range.contains(&at));
    if let Some(action) = actions(text).into_iter().find(at_column) {
        return Some(action.inner);
    }
    // An empty line has nothing to see: the last one above it.
    let end = start + content.len();
    let text = text.get(..end)?.trim_end();
    let start = text.rfind('\n').map_or(0, |it| it + 1);
    let line = text.get(start..)?;
    Some(start + (line.len() - line.trim_start().len())..text.len())
}

/// Where a word or an expression stands in a line, as a whole.
fn word_in(line: &str, wanted: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    let whole = |at: usize| {
        let before = line.get(..at).and_then(|it| it.chars().next_back());
        let after = line.get(at + wanted.len()..).and_then(|it| it.chars().next());
        let goes_on = before.is_some_and(is_part) && wanted.starts_with(is_part)
            || after.is_some_and(is_part) && wanted.ends_with(is_part);
        !goes_on
    };
    line.match_indices(wanted).map(|(at, _)| at).find(|at| whole(*at))
}

/// A `{{ … }}`.
struct Action {
    range: Range<usize>,
    /// What stands between the braces, without `-` and spaces.
    inner: Range<usize>,
}

impl Action {
    fn inner<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.inner.clone()).unwrap_or_default()
    }

    /// `if`, `end`, `include`.
    fn word<'t>(&self, text: &'t str) -> &'t str {
        self.inner(text).split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()
    }

    /// Whether it leaves a text in its place.
    fn writes(&self, text: &str) -> bool {
        let inner = self.inner(text);
        let sets = inner.starts_with('$') && inner.contains(":=");
        let controls = ["if", "else", "end", "range", "with", "define", "block", "template"];
        !inner.is_empty() && !inner.starts_with("/*") && !sets && !controls.contains(&self.word(text))
    }

    /// Whether it writes lines.
    fn is_block(&self, text: &str) -> bool {
        let inner = self.inner(text);
        ["indent ", "toYaml "].iter().any(|it| inner.contains(it))
    }

    /// The value that it writes as it is: `{{ .Values.motto }}`, not within quotes.
    fn written_value(&self, text: &str) -> Option<Path> {
        let inner = self.inner(text);
        let before = text.get(..self.range.start)?.chars().next_back();
        let path = inner.strip_prefix('$').unwrap_or(inner).strip_prefix(".Values.")?;
        let is_plain = path.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'.'));
        let quoted = matches!(before, Some('"' | '\''));
        (is_plain && !quoted).then(|| Path::dotted(path))
    }
}

/// The actions of a template, comments too. One without an end goes on to the end of the text.
fn actions(text: &str) -> Vec<Action> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|it| it.find("{{")).map(|it| at + it) {
        let end = end_of_action(text, start + 2);
        let body = text.get(start + 2..end).unwrap_or_default();
        let body = body.strip_suffix("}}").unwrap_or(body);
        let trimmed = body.strip_prefix('-').unwrap_or(body).trim_start();
        let inner = start + 2 + (body.len() - trimmed.len());
        let length = trimmed.strip_suffix('-').unwrap_or(trimmed).trim_end().len();
        found.push(Action { range: start..end, inner: inner..inner + length });
        at = end;
    }
    found
}

/// Where an action ends that begins before `at`: behind its braces, which do not count within texts and comments.
fn end_of_action(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let behind = |from: usize, what: &str| {
        rest.get(from..).and_then(|it| it.find(what)).map_or(rest.len(), |it| from + it + what.len())
    };
    if rest.trim_start_matches(['-', ' ']).starts_with("/*") {
        return at + behind(behind(0, "*/"), "}}");
    }
    let mut quote = None;
    let mut escaped = false;
    for (nth, c) in rest.char_indices() {
        match quote {
            Some('`') if c == '`' => quote = None,
            Some('`') => {}
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(end) if c == end => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None if rest.get(nth..).is_some_and(|it| it.starts_with("}}")) => return at + nth + 2,
            None => {}
        }
    }
    text.len()
}

/// The action that begins a block which has no end: the outermost, if several have none.
fn unclosed(text: &str) -> Option<Range<usize>> {
    let mut open: Vec<Range<usize>> = Vec::new();
    for action in actions(text) {
        match action.word(text) {
            "if" | "range" | "with" | "define" | "block" => open.push(action.range),
            "end" => {
                open.pop();
            }
            _ => {}
        }
    }
    open.into_iter().next()
}

/// The text of a template without its actions, byte for byte in its place: what writes a value leaves a word, what writes
/// lines or nothing leaves nothing.
fn without(text: &str, actions: &[Action]) -> String {
    let mut out = String::with_capacity(text.len());
    for action in actions {
        out.push_str(text.get(out.len()..action.range.start).unwrap_or_default());
        let line = text.get(..action.range.start).map_or(0, |it| it.rfind('\n').map_or(0, |it| it + 1));
        let leads = text.get(line..action.range.start).unwrap_or_default();
        let trails = text.get(action.range.end..).and_then(|it| it.lines().next()).unwrap_or_default();
        let is_alone = out.get(line..).unwrap_or(leads).trim().is_empty() && trails.trim().is_empty();
        let word = action.writes(text) && !is_alone && !action.is_block(text);
        let removed = text.get(action.range.clone()).unwrap_or_default();
        out.extend(removed.bytes().map(|it| match it {
            b'\n' => '\n',
            _ if word => 'x',
            _ => ' ',
        }));
    }
    out.push_str(text.get(out.len()..).unwrap_or_default());
    out
}

/// Whether a text is something else to YAML than this text, where it stands without quotes behind a key.
fn is_awkward(text: &str) -> bool {
    text.contains(": ")
        || text.contains('\n')
        || text.ends_with(':')
        || text.starts_with(['{', '[', '*', '&', '!', '|', '>', '%', '@', '`', '"', '\'', ',', ']', '}'])
        || ["- ", "? "].iter().any(|it| text.starts_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_without_their_actions() {
        for (text, expected) in [
            ("a: {{ .Values.a }}\n", "a: xxxxxxxxxxxxxxx\n"),
            ("{{- if .a }}\nb: 1\n{{- end }}\n", "            \nb: 1\n          \n"),
            ("labels: {{- include \"x\" . | nindent 4 }}\n", "labels:                                 \n"),
            ("  {{- include \"x\" . }}\nb: 1\n", "                      \nb: 1\n"),
            ("a: {{ if .x }}y{{ else }}z{{ end }}\n", "a:            y          z         \n"),
            ("{{/* a: {{ b }}\n: */}}c: 1\n", "               \n      c: 1\n"),
            ("a: {{ \"}}\" }}b\n", "a: xxxxxxxxxxb\n"),
            ("ä: {{ \"ö\" }}\n", "ä: xxxxxxxxxx\n"),
            ("{{- $a := .b }}a: {{ $a }}\n", "               a: xxxxxxxx\n"),
            ("a: {{ .b\n", "a: xxxxx\n"),
        ] {
            let made = without(text, &actions(text));
            assert_eq!(made, expected);
            assert_eq!(made.len(), text.len());
        }
    }

    #[test]
    fn blocks_without_an_end() {
        for (text, expected) in [
            ("{{ if .a }}{{ end }}", None),
            ("{{ if .a }}{{ else }}{{ end }}{{- range .b }}", Some("{{- range .b }}")),
            ("{{ with .a }}{{ if .b }}{{ end }}", Some("{{ with .a }}")),
            ("{{ end }}{{ ending }}", None),
        ] {
            assert_eq!(unclosed(text).and_then(|it| text.get(it)), expected, "{text}");
        }
    }

    #[test]
    fn values_written_as_they_are() {
        for (text, expected) in [
            ("{{ .Values.a.b }}", true),
            ("{{- $.Values.a -}}", true),
            ("\"{{ .Values.a }}\"", false),
            ("{{ .Values.a | quote }}", false),
            ("{{ if .Values.a }}", false),
        ] {
            let found = actions(text).iter().any(|it| it.written_value(text).is_some());
            assert_eq!(found, expected, "{text}");
        }
    }
}
