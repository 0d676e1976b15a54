//! What lenses, code actions and the editors' own commands do. Every command answers at once; what takes longer is a
//! task that shows its progress and ends in a sentence.

use std::collections::HashMap;
use std::sync::Arc;

use analysis::Cause;
use cluster::Action;
use flux::ObjectId;
use manifests::RepoPath;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc::Error;

use super::Event;
use super::documents::Document;
use super::outbox::Outbox;
use super::view::View;
use super::watch::RepoId;
use super::world::{Done, World};
use crate::lsp::backend::{ClientMessage, Reply};
use crate::lsp::convert;
use crate::lsp::custom::{DetailsNotification, DetailsParams, PickItem};
use crate::lsp::types as lsp;

/// Tasks that the user started and can give up.
#[derive(Debug, Default)]
pub(crate) struct Running {
    next: u32,
    tasks: HashMap<lsp::ProgressToken, Task>,
    /// Held while somebody is asked whether an action may begin.
    pub(super) asking: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
struct Task {
    /// What it does, so that a hundred presses start it once.
    what: What,
    cancel: CancellationToken,
}

/// What a task does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// An action on an object of a cluster.
    Act(Arc<str>, ObjectId, Action),
    /// A login.
    SignIn(Arc<str>),
    /// A fetch into a clone.
    Check(RepoId),
}

impl Running {
    /// Starts a task unless it runs already.
    pub(super) fn start(&mut self, what: What) -> Option<(lsp::ProgressToken, CancellationToken)> {
        if self.tasks.values().any(|task| task.what == what) {
            return None;
        }
        self.next += 1;
        let token = lsp::ProgressToken::String(format!("fluxcd-ls/{}", self.next));
        let cancel = CancellationToken::new();
        self.tasks.insert(token.clone(), Task { what, cancel: cancel.clone() });
        Some((token, cancel))
    }

    /// The user gave a task up.
    pub(crate) fn cancel(&mut self, token: &lsp::ProgressToken) {
        if let Some(task) = self.tasks.get(token) {
            task.cancel.cancel();
        }
    }

    /// The server ends.
    pub(crate) fn cancel_all(&mut self) {
        self.tasks.drain().for_each(|(_, task)| task.cancel.cancel());
    }

    /// A task came to its end.
    pub(crate) fn ended(&mut self, token: &lsp::ProgressToken) {
        self.tasks.remove(token);
    }

    /// The login of a cluster that runs.
    fn signing_in(&self, key: &str) -> Option<lsp::ProgressToken> {
        let found =
            self.tasks.iter().find(|(_, task)| matches!(&task.what, What::SignIn(it) if **it == *key));
        found.map(|(token, _)| token.clone())
    }
}

/// The argument of every command; each reads what it needs.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Argument {
    uri: Option<lsp::Uri>,
    position: Option<lsp::Position>,
    pub(super) cluster: Option<String>,
    object: Option<String>,
    with_source: Option<bool>,
}

impl Argument {
    pub(super) fn object(&self) -> Option<ObjectId> {
        ObjectId::parse_flux(self.object.as_deref()?)
    }
}

impl World {
    pub(super) fn command(&mut self, params: lsp::ExecuteCommandParams, reply: Reply<Option<Value>>) {
        let argument = params.arguments.as_ref().and_then(|arguments| arguments.first());
        let argument: Argument = match argument {
            None | Some(Value::Null) => Argument::default(),
            Some(argument) => match Argument::deserialize(argument) {
                Ok(argument) => argument,
                Err(error) => {
                    let _ = reply.send(Err(Error::invalid_params(error.to_string())));
                    return;
                }
            },
        };
        if let Some(document) = self.unlocated(argument.uri.as_ref()) {
            document.waiting.push(ClientMessage::Command(params, reply));
            return;
        }
        match params.command.as_str() {
            "fluxcd.details" => return self.show_details(argument, Some(reply), true),
            "fluxcd.statusAtCursor" => return self.show_details(argument, Some(reply), false),
            "fluxcd.reconcile" => {
                self.act(&argument, Action::Reconcile { with_source: argument.with_source.unwrap_or(false) })
            }
            "fluxcd.suspend" => self.act(&argument, Action::Suspend),
            "fluxcd.resume" => self.act(&argument, Action::Resume),
            "fluxcd.goToCause" => self.go_to_cause(&argument),
            "fluxcd.clusters" => self.list_clusters(argument),
            "fluxcd.commitStatus" => self.show_commit_status(self.repo_at(argument.uri.as_ref())),
            "fluxcd.checkNow" => self.check_now(self.repo_at(argument.uri.as_ref())),
            "fluxcd.chooseCluster" => self.choose_cluster(self.repo_at(argument.uri.as_ref())),
            "fluxcd.signIn" => self.with_cluster(argument.cluster, "Sign in to which cluster?", Done::SignIn),
            "fluxcd.disconnect" => {
                self.with_cluster(argument.cluster, "Disconnect from which cluster?", Done::Disconnect);
            }
            #[cfg(debug_assertions)]
            #[allow(clippy::panic)]
            "fluxcd.test.panic" => {
                drop(reply);
                panic!("asked to");
            }
            unknown => {
                let _ = reply.send(Err(Error::invalid_params(format!("fluxcd-ls has no command {unknown}"))));
                return;
            }
        }
        // Closed only when the editor is gone.
        let _ = reply.send(Ok(None));
    }

    /// The document that a command has to wait for: its repository is being looked for. Without a named one, and
    /// while no repository is known at all, any document of which that is true.
    fn unlocated(&mut self, uri: Option<&lsp::Uri>) -> Option<&mut Document> {
        let document = match uri {
            Some(uri) => self.documents.get_mut(uri),
            None if self.repos.is_empty() => self.documents.values_mut().find(|it| it.is_being_located()),
            None => None,
        };
        document.filter(|it| it.is_being_located())
    }

    /// The repository of a document, else the only one.
    fn repo_at(&self, uri: Option<&lsp::Uri>) -> Option<RepoId> {
        let document = uri.and_then(|uri| self.documents.get(uri));
        document.and_then(|document| Some(document.home.as_ref()?.0)).or_else(|| match self.repos.len() {
            1 => self.repos.keys().next().copied(),
            _ => None,
        })
    }

    /// A view to answer from: of the document's repository, with all clusters where there is none.
    fn view_at(&self, uri: Option<&lsp::Uri>) -> Option<View> {
        let id = self.repo_at(uri).or_else(|| self.repos.keys().next().copied())?;
        self.view(id)
    }

    /// Shows everything about an object, or about the document at a position.
    fn show_details(&mut self, argument: Argument, reply: Option<Reply<Option<Value>>>, show: bool) {
        let document = argument.uri.as_ref().and_then(|uri| self.documents.get(uri));
        let place =
            document.and_then(|document| Some((document.home.clone()?.1, Arc::clone(&document.text))));
        let object = argument.object();
        let one = argument.cluster.clone().filter(|_| object.is_none());
        let Some(mut view) = self.view_at(argument.uri.as_ref()) else {
            if let Some(reply) = reply {
                let _ = reply.send(Ok(Some(json!({"markdown": "Flux: this is no file of a repository."}))));
            }
            return;
        };
        let (outbox, details) = (self.outbox.clone(), self.client.details);
        tokio::task::spawn_blocking(move || {
            view.tell();
            if let Some(one) = one {
                view.clusters.retain(|it| *it.key == *one);
            }
            let offset = place
                .as_ref()
                .zip(argument.position)
                .map(|((_, text), position)| convert::text_size(convert::from_lsp(text.rope(), position)));
            let named = argument.cluster.as_deref().zip(object.as_ref());
            let markdown = named
                .and_then(|(cluster, object)| view.ask(|inputs| analysis::details(inputs, cluster, object)))
                .or_else(|| {
                    place
                        .as_ref()
                        .map(|(path, _)| view.ask(|inputs| analysis::status_at(inputs, path, offset)))
                })
                .unwrap_or_else(|| "Flux: nothing is known here.".to_owned());
            let title = match (&object, &place) {
                (Some(object), _) => object.to_string(),
                (None, Some((path, _))) => path.file_name().to_owned(),
                (None, None) => "Flux status".to_owned(),
            };
            if show {
                show_text(&outbox, details, &title, &markdown);
            }
            if let Some(reply) = reply {
                let _ = reply.send(Ok(Some(json!({"title": title, "markdown": markdown}))));
            }
        });
    }

    /// Opens what failed first.
    fn go_to_cause(&mut self, argument: &Argument) {
        let (Some(cluster), Some(object)) = (argument.cluster.clone(), argument.object()) else { return };
        let Some(repo) = self.repo_at(argument.uri.as_ref()) else { return };
        self.go_to_cause_in(repo, cluster, object);
    }

    /// Opens what made an object of a cluster fail.
    pub(super) fn go_to_cause_in(&mut self, repo: RepoId, cluster: String, object: ObjectId) {
        let Some(mut view) = self.view(repo) else { return };
        let (outbox, client) = (self.outbox.clone(), self.client.clone());
        let open: HashMap<RepoPath, lsp::Uri> =
            self.open_in(repo).map(|(path, document)| (path.clone(), document.uri.clone())).collect();
        let runtime = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || {
            view.tell();
            let cause = view.ask(|inputs| analysis::goto_cause(inputs, &cluster, &object));
            match cause {
                Some(Cause::Place { path, range, .. }) => {
                    let absolute = view.overlay.disk.absolute(&path);
                    let uri = open.get(&path).cloned().or_else(|| convert::uri_of(&absolute));
                    let (Some(text), Some(uri)) = (view.overlay.text(&path), uri) else { return };
                    let selection = convert::range_to_lsp(text.rope(), range);
                    let line = selection.start.line + 1;
                    if client.show_document {
                        let params = lsp::ShowDocumentParams {
                            uri,
                            external: None,
                            take_focus: Some(true),
                            selection: Some(selection),
                        };
                        runtime.spawn(async move {
                            let shown = outbox.request::<lsp::ShowDocumentRequest>(params).await;
                            if !shown.is_ok_and(|it| it.success) {
                                outbox.show(
                                    lsp::MessageType::Info,
                                    format!("Flux: the cause is at {path}:{line}"),
                                );
                            }
                        });
                    } else {
                        outbox.show(lsp::MessageType::Info, format!("Flux: the cause is at {path}:{line}"));
                    }
                }
                Some(Cause::Object { object, markdown, .. }) => {
                    show_text(&outbox, client.details, &object.to_string(), &markdown);
                }
                None => outbox.show(lsp::MessageType::Info, format!("Flux: {object} is in no trouble.")),
            }
        });
    }

    /// Lists the clusters of a document; the chosen one's details are shown.
    fn list_clusters(&mut self, argument: Argument) {
        let Some(mut view) = self.view_at(argument.uri.as_ref()) else { return };
        let path = argument.uri.as_ref().and_then(|uri| Some(self.documents.get(uri)?.home.clone()?.1));
        let (picker, events) = (self.picker(), self.events.clone());
        tokio::spawn(async move {
            let asked = tokio::task::spawn_blocking(move || {
                view.tell();
                let keys = path
                    .map(|path| view.ask(|inputs| analysis::clusters_of(inputs, &path)))
                    .unwrap_or_default();
                let summary = view.ask(analysis::summary);
                let clusters = view
                    .clusters
                    .into_iter()
                    .filter(|it| keys.is_empty() || keys.contains(&it.key.to_string()));
                let items = clusters.map(|it| PickItem {
                    id: it.key.to_string(),
                    label: it.name.to_string(),
                    description: String::new(),
                    detail: summary
                        .clusters
                        .iter()
                        .find(|one| *one.key == *it.key)
                        .map(|one| one.text.clone())
                        .unwrap_or_default(),
                });
                items.collect::<Vec<_>>()
            });
            let Ok(items) = asked.await else { return };
            if let Some(chosen) = picker.pick("Flux: the clusters of this file", items).await {
                let _ = events.send(Event::Done(Box::new(Done::ShowDetails(
                    argument.uri,
                    argument.position,
                    chosen,
                ))));
            }
        });
    }

    /// The details of a document in one cluster.
    pub(super) fn details_in(
        &mut self,
        uri: Option<lsp::Uri>,
        position: Option<lsp::Position>,
        cluster: String,
    ) {
        self.show_details(
            Argument { uri, position, cluster: Some(cluster), ..Argument::default() },
            None,
            true,
        );
    }

    /// Goes on with the cluster that was named, with the only one, or with the one that the user chooses.
    fn with_cluster(&mut self, named: Option<String>, title: &'static str, then: fn(Arc<str>) -> Done) {
        let live: Vec<_> = self.clusters.iter().filter(|it| it.live.is_some()).collect();
        let found = match &named {
            Some(name) => self.clusters.get(name, &self.settings).filter(|it| it.live.is_some()),
            None if live.len() == 1 => live.first().copied(),
            None => None,
        };
        let done = |key: Arc<str>| Event::Done(Box::new(then(key)));
        if let Some(cluster) = found {
            let _ = self.events.send(done(Arc::clone(&cluster.key)));
            return;
        }
        if live.is_empty() || named.is_some() {
            self.outbox.show(lsp::MessageType::Info, "Flux: no such cluster is connected.");
            return;
        }
        let items = live.iter().map(|it| PickItem {
            id: it.key.to_string(),
            label: self.settings.alias(&it.key).to_owned(),
            description: it.word().to_owned(),
            detail: String::new(),
        });
        let (items, picker, events) = (items.collect(), self.picker(), self.events.clone());
        tokio::spawn(async move {
            if let Some(chosen) = picker.pick(title, items).await {
                let _ = events.send(Event::Done(Box::new(then(chosen.into()))));
            }
        });
    }

    pub(super) fn disconnect(&mut self, key: &str) {
        if self.clusters.disconnect(key).is_some() {
            self.everything_changed();
        }
    }

    /// Runs the login of a cluster, because somebody asked for it.
    pub(super) fn sign_in(&mut self, key: &Arc<str>) {
        let Some(live) = self.clusters.get(key, &self.settings).and_then(|it| it.live.as_ref()) else {
            return;
        };
        let Some(session) = &live.session else {
            // It was released or has ended: start again, as if it had just been chosen.
            let again = live.repos.iter().map(|repo| super::clusters::Connect {
                context: live.context.clone(),
                fingerprint: live.fingerprint.clone(),
                repo: *repo,
                seen: None,
                chosen: true,
            });
            self.connect(again.collect());
            return;
        };
        session.sign_in();
        let Some((token, cancel)) = self.running.start(What::SignIn(Arc::clone(key))) else { return };
        let title = format!("Flux: signing in to {}", self.settings.alias(key));
        let (outbox, events, key) = (self.outbox.clone(), self.events.clone(), Arc::clone(key));
        let progress = self.client.progress;
        tokio::spawn(async move {
            begin(&outbox, progress, &token, &title).await;
            cancel.cancelled().await;
            end(&outbox, progress, &token);
            let _ = events.send(Event::Done(Box::new(Done::SignInEnded(token, key))));
        });
    }

    /// A login ended, or was given up.
    pub(super) fn sign_in_ended(&mut self, token: &lsp::ProgressToken, key: &str) {
        self.running.ended(token);
        let live = self.clusters.get(key, &self.settings).and_then(|it| it.live.as_ref());
        if let Some(live) = live
            && let cluster::SessionStatus::SigningIn { .. } = live.status
            && let Some(session) = &live.session
        {
            session.cancel_sign_in();
        }
    }

    /// A cluster's session has a new state: a login that was asked for may have come to its end.
    pub(super) fn login_came_on(&mut self, key: &str, status: &cluster::SessionStatus) {
        use cluster::SessionStatus::{Connecting, NeedsSignIn, SigningIn};
        let Some(token) = self.running.signing_in(key) else { return };
        match status {
            SigningIn { .. } | Connecting => return,
            NeedsSignIn { reason, command } => {
                let mut sentence = format!("Flux: {}: {reason}.", self.settings.alias(key));
                if let Some(command) = command {
                    sentence.push_str(&format!(" The login command is: {command}"));
                }
                self.outbox.show(lsp::MessageType::Warning, sentence);
            }
            _ => {}
        }
        self.running.cancel(&token);
    }
}

pub(super) async fn begin(outbox: &Outbox, progress: bool, token: &lsp::ProgressToken, title: &str) {
    if !progress {
        return;
    }
    let params = lsp::WorkDoneProgressCreateParams { token: token.clone() };
    if let Err(error) = outbox.request::<lsp::WorkDoneProgressCreateRequest>(params).await {
        tracing::debug!(%error, "no progress is shown");
    }
    let begin =
        lsp::WorkDoneProgressBegin { title: title.to_owned(), cancellable: Some(true), ..Default::default() };
    outbox.progress(token, begin);
}

pub(super) fn end(outbox: &Outbox, progress: bool, token: &lsp::ProgressToken) {
    if progress {
        outbox.progress(token, lsp::WorkDoneProgressEnd::default());
    }
}

fn show_text(outbox: &Outbox, details: bool, title: &str, markdown: &str) {
    if details {
        let params = DetailsParams { title: title.to_owned(), markdown: markdown.to_owned() };
        outbox.notify::<DetailsNotification>(params);
    } else {
        outbox.show(lsp::MessageType::Info, markdown);
    }
}
