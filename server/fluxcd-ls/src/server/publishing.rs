//! Marks as the editor has them, and what differs from them.

use std::collections::HashMap;

use manifests::RepoPath;
use tokio::time::Instant;

use super::outbox::Outbox;
use super::texts::QUIET;
use super::watch::RepoId;
use super::world::World;
use crate::lsp::convert;
use crate::lsp::types as lsp;

/// What was published, by file.
#[derive(Debug, Default)]
pub(crate) struct Published {
    files: HashMap<(RepoId, RepoPath), Marks>,
}

#[derive(Debug)]
struct Marks {
    uri: lsp::Uri,
    sent: Vec<lsp::Diagnostic>,
    /// What is to be shown once nobody types, where it is worse than what is.
    held: Option<Vec<lsp::Diagnostic>>,
}

impl Published {
    /// Publishes the marks of a file, unless the editor has them already.
    fn set(
        &mut self,
        key: (RepoId, RepoPath),
        uri: lsp::Uri,
        version: Option<i32>,
        diagnostics: Vec<lsp::Diagnostic>,
        outbox: &Outbox,
    ) {
        let known = self.files.get_mut(&key);
        let same = match &known {
            Some(known) => known.uri == uri && known.sent == diagnostics,
            None => diagnostics.is_empty(),
        };
        if let Some(known) = known {
            known.held = None;
            if known.uri != uri {
                // The editor spells the file differently from how we did: it would show both.
                let gone = std::mem::replace(&mut known.uri, uri.clone());
                if !known.sent.is_empty() {
                    send(outbox, gone, None, Vec::new());
                }
            }
            known.sent.clone_from(&diagnostics);
        } else if !same {
            self.files.insert(key.clone(), Marks { uri: uri.clone(), sent: diagnostics.clone(), held: None });
        }
        if !same {
            send(outbox, uri, version, diagnostics);
        }
        if self.files.get(&key).is_some_and(|marks| marks.sent.is_empty()) {
            self.files.remove(&key);
        }
    }

    /// Takes all marks of a document away that is no file.
    pub(crate) fn clear(&mut self, uri: &lsp::Uri, outbox: &Outbox) {
        let gone: Vec<_> =
            self.files.iter().filter(|(_, marks)| marks.uri == *uri).map(|(key, _)| key.clone()).collect();
        for (repo, path) in gone {
            self.clear_file(repo, &path, outbox);
        }
    }

    /// Takes all marks of a file away.
    pub(crate) fn clear_file(&mut self, repo: RepoId, path: &RepoPath, outbox: &Outbox) {
        if let Some(marks) = self.files.remove(&(repo, path.clone()))
            && !marks.sent.is_empty()
        {
            send(outbox, marks.uri, None, Vec::new());
        }
    }

    /// The files of a repository that have marks.
    pub(crate) fn files(&self, repo: RepoId) -> Vec<RepoPath> {
        self.files.keys().filter(|(id, _)| *id == repo).map(|(_, path)| path.clone()).collect()
    }
}

fn send(outbox: &Outbox, uri: lsp::Uri, version: Option<i32>, diagnostics: Vec<lsp::Diagnostic>) {
    outbox.notify::<lsp::PublishDiagnosticsNotification>(lsp::PublishDiagnosticsParams {
        uri,
        version,
        diagnostics,
    });
}

impl World {
    /// Publishes the marks of a file. While someone types in it, no mark appears or gets worse (design 3.2).
    pub(super) fn publish(&mut self, repo: RepoId, path: RepoPath, diagnostics: Vec<lsp::Diagnostic>) {
        let open = self.document_at(repo, &path).map(|it| (it.uri.clone(), it.version, it.edited));
        let (uri, version, edited) = match open {
            Some((uri, version, edited)) => (uri, Some(version), edited),
            None => {
                let Some(repo) = self.repos.get(&repo) else { return };
                let Some(uri) = convert::uri_of(&repo.disk.absolute(&path)) else { return };
                (uri, None, None)
            }
        };
        let key = (repo, path);
        let typing = edited.is_some_and(|edited| edited + QUIET > Instant::now());
        let shown = match self.published.files.get(&key) {
            Some(marks) if typing => soften(&diagnostics, &marks.sent),
            None if typing => Vec::new(),
            _ => diagnostics.clone(),
        };
        let held = (shown != diagnostics).then_some(diagnostics);
        self.published.set(key.clone(), uri.clone(), version, shown, &self.outbox);
        if held.is_some() {
            let marks =
                self.published.files.entry(key).or_insert(Marks { uri, sent: Vec::new(), held: None });
            marks.held = held;
        }
    }

    /// Publishes what was held back while someone typed.
    pub(super) fn republish(&mut self, repo: RepoId) {
        let held: Vec<_> = self
            .published
            .files
            .iter_mut()
            .filter(|((id, _), _)| *id == repo)
            .filter_map(|(key, marks)| Some((key.clone(), marks.uri.clone(), marks.held.take()?)))
            .collect();
        for (key, uri, diagnostics) in held {
            let version = self.document_at(key.0, &key.1).map(|document| document.version);
            self.published.set(key, uri, version, diagnostics, &self.outbox);
        }
    }
}

/// The marks, none of them worse than the one of the same cause that is shown; those that are new wait.
fn soften(diagnostics: &[lsp::Diagnostic], shown: &[lsp::Diagnostic]) -> Vec<lsp::Diagnostic> {
    let same = |mark: &lsp::Diagnostic| {
        shown.iter().filter(|old| old.code == mark.code && old.data == mark.data).min_by_key(|old| rank(old))
    };
    let soft = diagnostics.iter().filter_map(|mark| {
        let old = same(mark)?;
        let worse = rank(mark) < rank(old);
        Some(lsp::Diagnostic { severity: if worse { old.severity } else { mark.severity }, ..mark.clone() })
    });
    soft.collect()
}

/// Errors first.
fn rank(diagnostic: &lsp::Diagnostic) -> u8 {
    match diagnostic.severity {
        Some(lsp::DiagnosticSeverity::Error) | None => 1,
        Some(lsp::DiagnosticSeverity::Warning) => 2,
        Some(lsp::DiagnosticSeverity::Information) => 3,
        Some(_) => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(code: &str, severity: lsp::DiagnosticSeverity) -> lsp::Diagnostic {
        lsp::Diagnostic {
            severity: Some(severity),
            code: Some(lsp::Code::String(code.to_owned())),
            ..lsp::Diagnostic::default()
        }
    }

    #[test]
    fn while_typing_marks_only_get_better() {
        use lsp::DiagnosticSeverity::{Error, Warning};
        let soft = soften(
            &[mark("A", Error), mark("B", Warning), mark("C", Error)],
            &[mark("A", Warning), mark("B", Error)],
        );
        assert_eq!(soft, [mark("A", Warning), mark("B", Warning)]);
    }
}
