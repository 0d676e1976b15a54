//! Open documents and the questions about them.

use std::sync::Arc;
use std::time::Duration;

use manifests::RepoPath;
use tokio::time::Instant;

use super::analysing::report;
use super::documents::{Document, Stamped, Text};
use super::repository;
use super::timers::Timer;
use super::view::View;
use super::watch::RepoId;
use super::world::{Capabilities, Done, World};
use super::{message, navigating, to_lsp};
use crate::lsp::backend::ClientMessage;
use crate::lsp::convert;
use crate::lsp::types as lsp;

/// After this long without typing marks may get worse again (design 3.2).
pub(crate) const QUIET: Duration = Duration::from_millis(500);

impl World {
    pub(super) fn opened(&mut self, document: lsp::TextDocumentItem) {
        let lsp::TextDocumentItem { uri, version, text, .. } = document;
        let file = convert::path_of(&uri);
        let document = Document {
            uri: uri.clone(),
            version,
            text: Arc::new(Text::new(&text)),
            file: file.clone(),
            home: None,
            located: false,
            waiting: Vec::new(),
            edited: None,
            analysed: None,
            served: None,
        };
        self.documents.insert(uri.clone(), document);
        let Some(file) = file else { return };
        // A repository that is known needs no look at the disk; one inside of it (a submodule) does.
        let folders = self.folders.clone();
        let (other, place, around) = (uri.clone(), file.clone(), folders.clone());
        self.background(
            move || Done::Found(uri, Box::new(repository::find(&file, &folders))),
            // Questions wait for it.
            move || Some(Done::Found(other, Box::new(repository::without_history(&place, &around)))),
        );
    }

    /// A document's repository was found: it is analysed from now on.
    pub(super) fn found(&mut self, uri: &lsp::Uri, found: repository::Found) {
        let repo = self.repo_of(found);
        let Some(document) = self.documents.get_mut(uri) else { return };
        let path = document.file.as_deref().and_then(|file| self.repos.get(&repo)?.relative(file));
        document.home = path.map(|path| (repo, path));
        document.located = true;
        let waiting = std::mem::take(&mut document.waiting);
        if let Some((repo, path)) = document.home.clone() {
            self.open_changed(repo, path.clone());
            self.file_opened(repo, &path);
        }
        for message in waiting {
            self.hear(message);
        }
    }

    pub(super) fn changed(&mut self, change: lsp::DidChangeTextDocumentParams) {
        let Some(document) = self.documents.get_mut(&change.text_document.text_document_identifier.uri)
        else {
            tracing::warn!("an edit of a document that is not open");
            return;
        };
        document.version = change.text_document.version;
        document.text = Arc::new(document.text.edited(change.content_changes));
        document.edited = Some(Instant::now());
        if let Some((repo, path)) = document.home.clone() {
            // Somebody works here again: what was released comes back, if the answer of then still holds.
            if self.clusters.any_idle(repo) {
                self.file_opened(repo, &path);
            }
            self.open_changed(repo, path);
        }
        self.timers.set(Timer::Quiet, QUIET);
        self.clusters.typed();
    }

    pub(super) fn saved(&mut self, uri: &lsp::Uri) {
        // The watcher sees it too; this is sooner, and sees it where no watch is left.
        if let Some((repo, path)) = self.documents.get(uri).and_then(|document| document.home.clone())
            && let Some(repo) = self.repos.get_mut(&repo)
        {
            repo.stale.paths.insert(path);
        }
    }

    pub(super) fn closed(&mut self, uri: &lsp::Uri) {
        let Some(document) = self.documents.remove(uri) else { return };
        let Some((id, path)) = document.home else {
            self.published.clear(uri, &self.outbox);
            return;
        };
        if let Some(repo) = self.repos.get_mut(&id) {
            // What was not saved is not there any more.
            repo.told.remove(&path);
            repo.stale.paths.insert(path.clone());
        }
        self.file_closed(id, path);
    }

    /// Nobody types any more.
    pub(super) fn quiet(&mut self) {
        let repos: Vec<_> = self.repos.keys().copied().collect();
        for repo in repos {
            self.republish(repo);
            // What others show of the edited file (where a cause stands) may have moved.
            self.texts_settled(repo);
        }
    }

    /// The documents of a repository that are open.
    pub(super) fn open_in(&self, repo: RepoId) -> impl Iterator<Item = (&RepoPath, &Document)> {
        self.documents.values().filter_map(move |document| {
            let (home, path) = document.home.as_ref()?;
            (*home == repo).then_some((path, document))
        })
    }

    /// The open document of a file.
    pub(super) fn document_at(&mut self, repo: RepoId, path: &RepoPath) -> Option<&mut Document> {
        self.documents.values_mut().find(|it| it.home.as_ref().is_some_and(|(r, p)| *r == repo && p == path))
    }

    /// Answers a question about a document, on a thread of its own and of the text as it is now.
    pub(super) fn question(&mut self, question: ClientMessage) {
        let uri = match &question {
            ClientMessage::Hover(at, _) => &at.text_document.uri,
            ClientMessage::CodeLens(uri, _) => uri,
            ClientMessage::CodeAction(params, _) => &params.text_document.uri,
            ClientMessage::Definition(at, _) => &at.text_document.uri,
            ClientMessage::References(params, _) => &params.text_document_position_params.text_document.uri,
            ClientMessage::Links(uri, _) => uri,
            _ => return,
        };
        let Some(document) = self.documents.get_mut(uri) else {
            answer_nothing(question);
            return;
        };
        let Some((repo, path)) = document.home.clone() else {
            if document.is_being_located() {
                document.waiting.push(question);
            } else {
                answer_nothing(question);
            }
            return;
        };
        let uri = document.uri.clone();
        let text = Arc::clone(&document.text);
        if !self.settings.enable || (!self.settings.hover && matches!(question, ClientMessage::Hover(..))) {
            answer_nothing(question);
            return;
        }
        // Who is called what is only known when all files were read: a wrong "nowhere" would be believed.
        if navigating::is_navigation(&question)
            && let Some(repo) = self.repos.get_mut(&repo).filter(|repo| !repo.indexed)
        {
            repo.waiting.push(question);
            return;
        }
        let Some(mut view) = self.view(repo) else {
            answer_nothing(question);
            return;
        };
        self.clusters.used(repo);
        let events = self.events.clone();
        let generation = self.generation;
        let git = self.repos.get(&repo).and_then(|repo| repo.git.clone());
        let client = self.client.clone();
        tokio::task::spawn_blocking(move || {
            // The question's way back is dropped with it: the editor gets an error, not silence.
            let answered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                view.tell();
                answer(question, &mut view, git.as_ref(), &uri, &path, &text, &client)
            }));
            match answered {
                Ok(Some((uri, digest))) => {
                    let _ = events.send(super::Event::Done(Box::new(Done::LensesServed(
                        uri,
                        Stamped { generation, digest },
                    ))));
                }
                Ok(None) => {}
                Err(panic) => tracing::error!(panic = message(&panic), "a question could not be answered"),
            }
        });
    }
}

impl World {
    /// Lenses were sent. When something newer is known already, the editor is told to ask again.
    pub(super) fn lenses_served(&mut self, uri: &lsp::Uri, lenses: Stamped) {
        if let Some(document) = self.documents.get_mut(uri) {
            self.refresh_lenses |= document.serve(lenses);
        }
    }
}

/// Answers a question. For lenses, what they say is handed back, so that they are refreshed when that changes.
fn answer(
    question: ClientMessage,
    view: &mut View,
    git: Option<&history::Repository>,
    uri: &lsp::Uri,
    path: &RepoPath,
    text: &Text,
    client: &Capabilities,
) -> Option<(lsp::Uri, u64)> {
    let rope = text.rope();
    // A way back that is closed belongs to a question that the editor took back.
    match question {
        ClientMessage::Hover(at, reply) => {
            let offset = convert::text_size(convert::from_lsp(rope, at.position));
            // Whatever is shown here was looked up before, but for a hover that is very quick.
            report(view, git, path, &mut Vec::new());
            let hover = view.ask(|inputs| analysis::hover(inputs, path, offset));
            let _ = reply.send(Ok(hover.map(|hover| to_lsp::hover(rope, hover))));
            None
        }
        ClientMessage::CodeLens(_, reply) => {
            let report = report(view, git, path, &mut Vec::new());
            let _ = reply.send(Ok(Some(to_lsp::lenses(uri, rope, &report.lenses, client.first_lens_line))));
            Some((uri.clone(), to_lsp::digest(&report.lenses)))
        }
        ClientMessage::CodeAction(params, reply) => {
            let wanted = |kind: lsp::CodeActionKind| {
                let only = params.context.only.as_deref();
                only.is_none_or(|only| only.contains(&kind) || only.contains(&lsp::CodeActionKind::Empty))
            };
            let (fixes, verbs) = (wanted(lsp::CodeActionKind::QuickFix), wanted(lsp::CodeActionKind::Empty));
            let bytes = convert::range_from_lsp(rope, params.range);
            let at =
                manifests::TextRange::new(convert::text_size(bytes.start), convert::text_size(bytes.end));
            let mut actions = Vec::new();
            if fixes || verbs {
                let report = report(view, git, path, &mut Vec::new());
                if fixes {
                    actions.extend(to_lsp::fixes(uri, view, rope, &report, at));
                }
                if verbs {
                    actions.extend(to_lsp::actions(uri, rope, &report, at));
                }
            }
            let _ = reply.send(Ok(Some(actions)));
            None
        }
        question => {
            navigating::answer(question, view, uri, path, text, client);
            None
        }
    }
}

/// A document that we know nothing of.
pub(crate) fn answer_nothing(question: ClientMessage) {
    match question {
        ClientMessage::Hover(_, reply) => drop(reply.send(Ok(None))),
        ClientMessage::CodeLens(_, reply) => drop(reply.send(Ok(None))),
        ClientMessage::CodeAction(_, reply) => drop(reply.send(Ok(None))),
        ClientMessage::Definition(_, reply) => drop(reply.send(Ok(None))),
        ClientMessage::References(_, reply) => drop(reply.send(Ok(None))),
        ClientMessage::Links(_, reply) => drop(reply.send(Ok(None))),
        _ => {}
    }
}
