//! Plain values of analysis as the protocol has them.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use analysis::{
    Command, Definition, FileReport, Finding, HeadIn, HeadStatus, LensRow, Link, Mood, Severity, Summary,
    Target,
};
use manifests::{RepoPath, TextRange};
use ropey::Rope;
use serde_json::{Value, json};

use super::disk::Overlay;
use super::view::View;
use crate::lsp::convert;
use crate::lsp::custom::{ClusterStatus, HeadParams, StatusParams, StatusSeverity};
use crate::lsp::types as lsp;

/// The name that marks carry.
pub(crate) const SOURCE: &str = "fluxcd";

/// The commands of the server, as they are announced.
pub(crate) const COMMANDS: [&str; 12] = [
    "fluxcd.reconcile",
    "fluxcd.resume",
    "fluxcd.suspend",
    "fluxcd.details",
    "fluxcd.goToCause",
    "fluxcd.chooseCluster",
    "fluxcd.checkNow",
    "fluxcd.commitStatus",
    "fluxcd.signIn",
    "fluxcd.disconnect",
    "fluxcd.statusAtCursor",
    "fluxcd.clusters",
];

/// The marks of a file.
pub(crate) fn diagnostics(files: &Overlay, text: &Rope, findings: &[Finding]) -> Vec<lsp::Diagnostic> {
    findings.iter().map(|finding| diagnostic(files, text, finding)).collect()
}

fn diagnostic(files: &Overlay, text: &Rope, finding: &Finding) -> lsp::Diagnostic {
    let related = finding.related.iter().filter_map(|related| {
        let file = files.text(&related.path)?;
        let uri = convert::uri_of(&files.disk.absolute(&related.path))?;
        let range = convert::range_to_lsp(file.rope(), related.range);
        Some(lsp::DiagnosticRelatedInformation {
            location: lsp::Location { uri, range },
            message: related.message.clone(),
        })
    });
    let related: Vec<_> = related.collect();
    lsp::Diagnostic {
        range: convert::range_to_lsp(text, finding.range),
        severity: Some(match finding.severity {
            Severity::Error => lsp::DiagnosticSeverity::Error,
            Severity::Warning => lsp::DiagnosticSeverity::Warning,
            Severity::Information => lsp::DiagnosticSeverity::Information,
            Severity::Hint => lsp::DiagnosticSeverity::Hint,
        }),
        code: Some(lsp::Code::String(finding.code.clone())),
        code_description: None,
        source: Some(SOURCE.to_owned()),
        message: lsp::Message::String(finding.message.clone()),
        tags: None,
        related_information: (!related.is_empty()).then_some(related),
        data: Some(json!({"object": finding.object.to_string(), "clusters": finding.keys})),
    }
}

/// The lenses of a file.
pub(crate) fn lenses(uri: &lsp::Uri, text: &Rope, rows: &[LensRow], first_line: u32) -> Vec<lsp::CodeLens> {
    let mut lenses = Vec::new();
    for row in rows {
        // A lens stands above one line: clients that see a longer range draw it all the same, some twice.
        let mut start = convert::to_lsp(text, row.range.start().into());
        if start.line < first_line {
            start = lsp::Position { line: first_line, character: 0 };
        }
        let range = lsp::Range { start, end: start };
        for item in &row.items {
            let command = command(uri, text, row.range, &item.title, &item.command);
            lenses.push(lsp::CodeLens { range, command: Some(command), data: None });
        }
    }
    lenses
}

/// Tells whether the lenses of a file read the same, wherever they stand.
pub(crate) fn digest(rows: &[LensRow]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for row in rows {
        row.items.len().hash(&mut hasher);
        for item in &row.items {
            item.title.hash(&mut hasher);
            format!("{:?}", item.command).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// The actions of a file at a range.
pub(crate) fn actions(
    uri: &lsp::Uri,
    text: &Rope,
    report: &FileReport,
    at: TextRange,
) -> Vec<lsp::CodeActionResponse> {
    let offered = report.actions.iter().filter(|action| action.range.intersect(at).is_some());
    offered
        .map(|action| {
            let command = command(uri, text, action.range, &action.title, &action.command);
            lsp::CodeActionResponse::CodeAction(lsp::CodeAction {
                title: action.title.clone(),
                kind: None,
                command: Some(command),
                ..Default::default()
            })
        })
        .collect()
}

/// What would mend the marks at a range, where a message tells it.
pub(crate) fn fixes(
    uri: &lsp::Uri,
    view: &View,
    text: &Rope,
    report: &FileReport,
    at: TextRange,
) -> Vec<lsp::CodeActionResponse> {
    let marks = report.findings.iter().filter(|it| it.range.intersect(at).is_some());
    let mut fixes = Vec::new();
    for mark in marks {
        let only = mark.fixes.len() == 1;
        for fix in &mark.fixes {
            let edit =
                lsp::TextEdit { range: convert::range_to_lsp(text, mark.range), new_text: fix.clone() };
            let changes = HashMap::from([(uri.clone(), vec![edit])]);
            fixes.push(lsp::CodeActionResponse::CodeAction(lsp::CodeAction {
                title: format!("Flux: replace with {fix}"),
                kind: Some(lsp::CodeActionKind::QuickFix),
                diagnostics: Some(vec![diagnostic(&view.overlay, text, mark)]),
                is_preferred: only.then_some(true),
                edit: Some(lsp::WorkspaceEdit { changes: Some(changes), ..Default::default() }),
                ..Default::default()
            }));
        }
    }
    fixes
}

fn command(uri: &lsp::Uri, text: &Rope, range: TextRange, title: &str, command: &Command) -> lsp::Command {
    let position = || json!(convert::to_lsp(text, range.start().into()));
    let object = |object: &flux::ObjectId| Value::from(object.to_string());
    let (name, argument) = match command {
        Command::Details { cluster, object: named } => (
            "fluxcd.details",
            json!({"uri": uri, "position": position(), "cluster": cluster, "object": named.as_ref().map(object)}),
        ),
        Command::Clusters => ("fluxcd.clusters", json!({"uri": uri, "position": position()})),
        Command::ChooseCluster => ("fluxcd.chooseCluster", json!({"uri": uri})),
        Command::CommitStatus => ("fluxcd.commitStatus", json!({"uri": uri})),
        Command::SignIn { cluster } => ("fluxcd.signIn", json!({"cluster": cluster})),
        Command::Reconcile { cluster, object: id, with_source } => {
            ("fluxcd.reconcile", json!({"cluster": cluster, "object": object(id), "withSource": with_source}))
        }
        Command::Resume { cluster, object: id } => {
            ("fluxcd.resume", json!({"cluster": cluster, "object": object(id)}))
        }
        Command::Suspend { cluster, object: id } => {
            ("fluxcd.suspend", json!({"cluster": cluster, "object": object(id)}))
        }
        Command::GoToCause { cluster, object: id } => (
            "fluxcd.goToCause",
            json!({
                "uri": uri, "range": convert::range_to_lsp(text, range), "cluster": cluster, "object": object(id),
            }),
        ),
    };
    lsp::Command {
        title: title.to_owned(),
        tooltip: None,
        command: name.to_owned(),
        arguments: Some(vec![argument]),
    }
}

/// A hover.
pub(crate) fn hover(text: &Rope, hover: analysis::Hover) -> lsp::Hover {
    lsp::Hover { contents: markdown(hover.markdown), range: Some(convert::range_to_lsp(text, hover.range)) }
}

/// Where something leads. Editors that know links of definitions hear which words lead there, and how large what is
/// there is.
pub(crate) fn definition(
    view: &View,
    uri: &lsp::Uri,
    path: &RepoPath,
    text: &Rope,
    found: &Definition,
    links: bool,
) -> lsp::DefinitionResponse {
    if !links {
        let places = found.targets.iter().filter_map(|it| location(view, uri, path, it)).collect();
        return lsp::DefinitionResponse::Definition(lsp::Definition::LocationList(places));
    }
    let origin = convert::range_to_lsp(text, found.origin);
    let link = |target: &Target| {
        let (target_uri, [whole, name]) = place(view, uri, path, target)?;
        Some(lsp::DefinitionLink {
            origin_selection_range: Some(origin),
            target_uri,
            target_range: whole,
            target_selection_range: name,
        })
    };
    lsp::DefinitionResponse::DefinitionLinkList(found.targets.iter().filter_map(link).collect())
}

/// A place in a file of the repository: the name of what is there.
pub(crate) fn location(
    view: &View,
    uri: &lsp::Uri,
    path: &RepoPath,
    target: &Target,
) -> Option<lsp::Location> {
    let (uri, [_, range]) = place(view, uri, path, target)?;
    Some(lsp::Location { uri, range })
}

/// All of a target and its name. The document that was asked about keeps its editor's spelling.
fn place(
    view: &View,
    uri: &lsp::Uri,
    path: &RepoPath,
    target: &Target,
) -> Option<(lsp::Uri, [lsp::Range; 2])> {
    let own = target.path == *path;
    let uri = if own { uri.clone() } else { convert::uri_of(&view.overlay.disk.absolute(&target.path))? };
    // The start of a file is its start, whatever it holds: it need not be text.
    if target.range.is_empty() && usize::from(target.range.start()) == 0 {
        return Some((uri, [lsp::Range::default(); 2]));
    }
    let text = view.overlay.text(&target.path)?;
    let range = |range| convert::range_to_lsp(text.rope(), range);
    Some((uri, [range(target.range), range(target.name_range)]))
}

/// A path that can be followed.
pub(crate) fn link(view: &View, text: &Rope, link: Link) -> Option<lsp::DocumentLink> {
    Some(lsp::DocumentLink {
        range: convert::range_to_lsp(text, link.range),
        target: Some(convert::uri_of(&view.overlay.disk.absolute(&link.target))?),
        tooltip: Some(link.tooltip),
        data: None,
    })
}

fn markdown(value: String) -> lsp::Contents {
    lsp::Contents::MarkupContent(lsp::MarkupContent { kind: lsp::MarkupKind::Markdown, value })
}

/// The status bar, with the clusters' states in the words of the protocol.
pub(crate) fn status(summary: Summary, states: Vec<ClusterStatus>) -> StatusParams {
    StatusParams {
        text: summary.text,
        tooltip: summary.tooltip,
        severity: match summary.mood {
            Mood::None => StatusSeverity::None,
            Mood::Ok => StatusSeverity::Ok,
            Mood::Warning => StatusSeverity::Warning,
            Mood::Error => StatusSeverity::Error,
        },
        clusters: states,
        failed: summary.failed,
        waiting: summary.waiting,
        heads: Vec::new(),
    }
}

/// How HEAD of a repository stands.
pub(crate) fn head(root: &lsp::Uri, name: &str, status: &HeadStatus) -> HeadParams {
    let cluster = |it: &HeadIn| ClusterStatus {
        name: it.name.clone(),
        state: it.state.as_str().to_owned(),
        text: it.text.clone(),
    };
    HeadParams {
        root: root.to_string(),
        name: name.to_owned(),
        commit: status.commit.clone(),
        subject: status.subject.clone(),
        branch: status.branch.clone(),
        state: status.state.as_str().to_owned(),
        text: status.text.clone(),
        tooltip: status.tooltip.clone(),
        clusters: status.clusters.iter().map(cluster).collect(),
    }
}

#[cfg(test)]
mod tests {
    use analysis::LensItem;
    use manifests::TextSize;

    use super::*;

    #[test]
    fn no_lens_stands_above_the_first_line_that_shows_one() {
        let text = Rope::from_str("kind: A\nname: a\n---\nkind: B\n");
        let row = |at: u32| LensRow {
            range: TextRange::empty(TextSize::from(at)),
            items: vec![LensItem { title: "state".into(), command: Command::Clusters }],
        };
        let uri: lsp::Uri = convert::uri_of(std::path::Path::new("/a.yaml")).unwrap();
        let lines = |first_line| {
            let lenses = lenses(&uri, &text, &[row(0), row(20)], first_line);
            lenses.iter().map(|lens| lens.range.start.line).collect::<Vec<_>>()
        };
        assert_eq!(lines(0), [0, 3]);
        assert_eq!(lines(1), [1, 3]);
    }
}
