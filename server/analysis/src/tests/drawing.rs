//! Answers as text, under the source lines that they are about.

use expect_test::Expect;
use manifests::{LineIndex, RepoPath, TextRange};
use std::fmt::Write;

use super::fixture::World;
use crate::*;

/// Lenses of every file: place, then what each says.
pub(crate) fn check_lenses(fixture: &str, expected: Expect) {
    expected.assert_eq(&draw_lenses(&mut World::new(fixture)));
}

pub(crate) fn draw_lenses(world: &mut World) -> String {
    let mut out = String::new();
    for (path, text) in world.files.clone() {
        let report = world.ask(|inputs| analyse(inputs, &path));
        for row in report.lenses {
            let titles: Vec<String> = row.items.iter().map(|it| format!("[{}]", it.title)).collect();
            let _ = writeln!(out, "{path}:{} {}", line(&text, row.range) + 1, titles.join(" "));
        }
    }
    out
}

/// Marks of every file, drawn under the lines.
pub(crate) fn check_marks(fixture: &str, expected: Expect) {
    expected.assert_eq(&draw_marks(&mut World::new(fixture)));
}

pub(crate) fn draw_marks(world: &mut World) -> String {
    let mut out = String::new();
    for (path, text) in world.files.clone() {
        let report = world.ask(|inputs| analyse(inputs, &path));
        for finding in report.findings {
            draw(&mut out, &path, &text, finding.range);
            let (severity, code) = (finding.severity.as_str(), &finding.code);
            let _ = writeln!(out, " {severity} {code}: {}", finding.message);
            for related in finding.related {
                let text =
                    world.files.iter().find(|(it, _)| *it == related.path).map_or("", |(_, text)| text);
                let at = line(text, related.range) + 1;
                let _ = writeln!(out, "  see {}:{at} {}", related.path, related.message);
            }
        }
    }
    out
}

/// Actions of every file.
pub(crate) fn check_actions(fixture: &str, expected: Expect) {
    let mut world = World::new(fixture);
    let mut out = String::new();
    for (path, text) in world.files.clone() {
        for action in world.ask(|inputs| analyse(inputs, &path)).actions {
            let _ = writeln!(out, "{path}:{} {}", line(&text, action.range) + 1, action.title);
        }
    }
    expected.assert_eq(&out);
}

/// The hover at `$0`: what it is about, then its Markdown.
pub(crate) fn check_hover(fixture: &str, expected: Expect) {
    let mut world = World::new(fixture);
    let (path, offset) = world.cursor.clone().expect("a cursor");
    let text =
        world.files.iter().find(|(it, _)| *it == path).map(|(_, text)| text.clone()).expect("its file");
    let out = match world.ask(|inputs| hover(inputs, &path, offset)) {
        Some(hover) => {
            let mut out = String::new();
            draw(&mut out, &path, &text, hover.range);
            format!("{out}\n{}\n", hover.markdown)
        }
        None => "nothing\n".to_owned(),
    };
    expected.assert_eq(&out);
}

/// The lines of the hover at `$0` that are wanted.
pub(crate) fn hover_lines(fixture: &str, wanted: impl Fn(&str) -> bool) -> String {
    let mut world = World::new(fixture);
    let (path, offset) = world.cursor.clone().expect("a cursor");
    let hover = world.ask(|inputs| hover(inputs, &path, offset));
    let hover = hover.map(|it| it.markdown).unwrap_or_default();
    hover.lines().filter(|it| wanted(it)).map(|it| format!("{it}\n")).collect()
}

pub(crate) fn line(text: &str, range: TextRange) -> usize {
    usize::try_from(LineIndex::new(text).line_col(range.start()).line).unwrap_or_default()
}

pub(crate) fn draw(out: &mut String, path: &RepoPath, text: &str, range: TextRange) {
    let at = line(text, range);
    let source = text.lines().nth(at).unwrap_or_default();
    let start: usize = text.lines().take(at).map(|it| it.len() + 1).sum();
    let column = usize::from(range.start()) - start;
    let _ = writeln!(out, "{path}:{}\n  {source}", at + 1);
    let _ = write!(out, "  {}{}", " ".repeat(column), "^".repeat(usize::from(range.len()).max(1)));
}
