//! Actions on objects: from the question whether it may be to the sentence at the end.

use std::sync::Arc;

use cluster::{Action, Outcome, Progress};
use flux::ObjectId;
use tokio_util::sync::CancellationToken;

use super::Event;
use super::commands::{Argument, What, begin, end};
use super::outbox::Outbox;
use super::seam::Acting;
use super::world::{Done, World};
use crate::lsp::types as lsp;
use crate::settings::Actions;

impl World {
    /// Changes an object, after asking where that is to be asked.
    pub(super) fn act(&mut self, argument: &Argument, action: Action) {
        let (Some(cluster), Some(object)) = (argument.cluster.as_deref(), argument.object()) else {
            self.outbox.show(lsp::MessageType::Warning, "Flux: this command needs a cluster and an object.");
            return;
        };
        self.act_on(cluster, object, action, false);
    }

    /// Changes an object. `confirmed`: the user was asked about exactly this already.
    pub(super) fn act_on(&mut self, cluster: &str, object: ObjectId, action: Action, confirmed: bool) {
        let warn = |sentence: String| self.outbox.show(lsp::MessageType::Warning, sentence);
        if self.settings.actions == Actions::Off {
            return warn("Flux: actions are switched off (fluxcd.actions).".to_owned());
        }
        let Some(cluster) = self.clusters.get(cluster, &self.settings) else {
            return warn(format!("Flux: {cluster} is not connected."));
        };
        let name = self.settings.alias(&cluster.key).to_owned();
        let Some(live) = &cluster.live else {
            return warn(format!("Flux: {name} is a recording; there is nothing to change."));
        };
        let Some(session) = &live.session else {
            return warn(format!("Flux: {name} is not connected now. Choose it again, then try once more."));
        };
        let what = What::Act(Arc::clone(&cluster.key), object.clone(), action);
        let Some((token, cancel)) = self.running.start(what) else {
            // Pressed again while it runs: its progress is on the screen.
            return;
        };
        let (outbox, progress) = (self.outbox.clone(), self.client.progress);
        let watcher = {
            let (outbox, token) = (outbox.clone(), token.clone());
            let wanted = object.clone();
            Arc::new(move |it: Progress| {
                let message =
                    if it.object == wanted { it.text } else { format!("{}: {}", it.object, it.text) };
                if progress {
                    let report = lsp::WorkDoneProgressReport { message: Some(message), ..Default::default() };
                    outbox.progress(&token, report);
                }
            })
        };
        let Some(acting) = session.act(action, object.clone(), watcher, cancel.clone()) else {
            self.running.ended(&token);
            return warn(format!("Flux: there is no connection to {name} now. Try again when it is live."));
        };
        let always = self.settings.is_protected(&cluster.key) || !matches!(action, Action::Reconcile { .. });
        let task = Acts {
            key: Arc::clone(&cluster.key),
            name,
            object,
            action,
            ask: if confirmed {
                Ask::No
            } else if always {
                Ask::Always
            } else if self.settings.actions == Actions::Ask {
                Ask::Once
            } else {
                Ask::No
            },
            asking: Arc::clone(&self.running.asking),
            consents: self.clusters.consents.clone(),
            fingerprint: live.fingerprint.clone(),
            token,
            cancel,
            progress,
            outbox,
        };
        let events = self.events.clone();
        tokio::spawn(async move {
            let token = task.token.clone();
            let next = task.run(acting).await;
            let _ = events.send(Event::Done(Box::new(Done::Acted(token))));
            if let Some(next) = next {
                let _ = events.send(Event::Done(Box::new(next)));
            }
        });
    }
}

/// When an action asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// Always: a protected context, or an action that stops something.
    Always,
    /// Once a context.
    Once,
    /// Not.
    No,
}

/// One action, from the question to the sentence at its end.
struct Acts {
    key: Arc<str>,
    name: String,
    object: ObjectId,
    action: Action,
    ask: Ask,
    asking: Arc<tokio::sync::Mutex<()>>,
    consents: cluster::Consents,
    fingerprint: cluster::Fingerprint,
    token: lsp::ProgressToken,
    cancel: CancellationToken,
    progress: bool,
    outbox: Outbox,
}

impl Acts {
    async fn run(&self, acting: Acting) -> Option<Done> {
        if !self.allowed().await {
            return None;
        }
        let title = format!("Flux: {} in {}", self.sentence(), self.name);
        begin(&self.outbox, self.progress, &self.token, &title).await;
        let outcome = acting.await;
        end(&self.outbox, self.progress, &self.token);
        self.tell(outcome).await
    }

    fn sentence(&self) -> String {
        match self.action {
            Action::Reconcile { with_source: false } => format!("Reconcile {}", self.object),
            Action::Reconcile { with_source: true } => format!("Reconcile {} with its source", self.object),
            Action::Suspend => format!("Suspend {}", self.object),
            Action::Resume => format!("Resume {}", self.object),
        }
    }

    fn verb(&self) -> &'static str {
        match self.action {
            Action::Reconcile { .. } => "Reconcile",
            Action::Suspend => "Suspend",
            Action::Resume => "Resume",
        }
    }

    async fn allowed(&self) -> bool {
        if self.ask == Ask::No {
            return true;
        }
        // One question at a time: a yes to the first action on a context is one to those that wait behind it.
        let _turn = tokio::select! {
            () = self.cancel.cancelled() => return false,
            turn = self.asking.lock() => turn,
        };
        let (consents, fingerprint) = (self.consents.clone(), self.fingerprint.clone());
        let acted = tokio::task::spawn_blocking(move || consents.acted(&fingerprint)).await.unwrap_or(false);
        let ask = match self.ask {
            Ask::Always => true,
            Ask::Once => !acted,
            Ask::No => false,
        };
        if !ask {
            return true;
        }
        let question = format!("{} in {} ({})?", self.sentence(), self.name, self.fingerprint.server);
        let buttons = [self.verb(), "Cancel"];
        let answer = tokio::select! {
            () = self.cancel.cancelled() => return false,
            answer = self.outbox.choose(lsp::MessageType::Warning, question, &buttons) => answer,
        };
        if answer.as_deref() != Some(self.verb()) {
            return false;
        }
        if !acted {
            let (consents, fingerprint) = (self.consents.clone(), self.fingerprint.clone());
            let kept = tokio::task::spawn_blocking(move || consents.confirm_actions(&fingerprint)).await;
            if let Ok(Err(error)) = kept {
                tracing::warn!(%error, "the answer is asked for again");
            }
        }
        true
    }

    async fn tell(&self, outcome: Outcome) -> Option<Done> {
        let sentence = format!("Flux: {}: {outcome}", self.name);
        let kind = match &outcome {
            Outcome::Applied { .. } | Outcome::Done { .. } => lsp::MessageType::Info,
            Outcome::Failed { .. } => lsp::MessageType::Error,
            Outcome::Cancelled => return None,
            _ => lsp::MessageType::Warning,
        };
        let button = match &outcome {
            Outcome::Suspended { .. } => "Resume",
            Outcome::SignIn => "Sign in",
            _ => {
                self.outbox.show(kind, sentence);
                return None;
            }
        };
        let chosen = self.outbox.choose(kind, sentence, &[button]).await;
        match (chosen.as_deref() == Some(button), outcome) {
            (true, Outcome::Suspended { object }) => Some(Done::Resume(Arc::clone(&self.key), object)),
            (true, _) => Some(Done::SignIn(Arc::clone(&self.key))),
            (false, _) => None,
        }
    }
}
