//! What goes to the editor. The owner never waits for an editor that does not read.

use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tower_lsp::Client;
use tower_lsp::jsonrpc;

use crate::lsp::types as lsp;
use crate::lsp::types::{MessageType, Notification, ProgressToken, Request};

type Work = Box<dyn FnOnce(Client) -> BoxFuture<'static, ()> + Send>;

/// The way to the editor. Notifications keep their order; cheap to clone.
#[derive(Clone)]
pub(crate) struct Outbox {
    work: mpsc::UnboundedSender<Work>,
    client: Client,
    stop: CancellationToken,
}

impl Outbox {
    /// Starts to send.
    pub(crate) fn start(client: Client, stop: CancellationToken) -> Outbox {
        let (work, mut queue) = mpsc::unbounded_channel::<Work>();
        let (outbox_client, outbox_stop) = (client.clone(), stop.clone());
        tokio::spawn(async move {
            loop {
                let work = tokio::select! {
                    () = stop.cancelled() => return,
                    work = queue.recv() => match work {
                        Some(work) => work,
                        None => return,
                    },
                };
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = work(client.clone()) => {}
                }
            }
        });
        Outbox { work, client: outbox_client, stop: outbox_stop }
    }

    /// Sends a notification after all that were sent before it.
    pub(crate) fn notify<N: Notification>(&self, params: N::Params)
    where
        N::Params: Send,
    {
        let work: Work =
            Box::new(|client| Box::pin(async move { client.send_notification::<N>(params).await }));
        // Nobody listens any more: the server is about to end.
        let _ = self.work.send(work);
    }

    /// Asks the editor and waits for its answer; an error also when the server ends meanwhile. For tasks: the
    /// owner does not wait.
    pub(crate) async fn request<R: Request>(&self, params: R::Params) -> jsonrpc::Result<R::Result> {
        tokio::select! {
            () = self.stop.cancelled() => Err(jsonrpc::Error::request_cancelled()),
            answer = self.client.send_request::<R>(params) => answer,
        }
    }

    /// Asks the editor for something whose answer says nothing (refreshes).
    pub(crate) fn ask<R: Request>(&self, params: R::Params)
    where
        R::Params: Send,
        R::Result: Send,
    {
        let outbox = self.clone();
        tokio::spawn(async move {
            if let Err(error) = outbox.request::<R>(params).await {
                tracing::debug!(%error, "the editor refused a request");
            }
        });
    }

    /// Shows a sentence to the user.
    pub(crate) fn show(&self, kind: MessageType, message: impl Into<String>) {
        let message = message.into();
        self.notify::<lsp::ShowMessageNotification>(lsp::ShowMessageParams { kind, message });
    }

    /// Asks the user, with buttons. None when nothing was chosen.
    pub(crate) async fn choose(&self, kind: MessageType, message: String, titles: &[&str]) -> Option<String> {
        let action = |title: &&str| lsp::MessageActionItem {
            title: (*title).to_owned(),
            properties: Default::default(),
        };
        let params = lsp::ShowMessageRequestParams {
            kind,
            message,
            actions: Some(titles.iter().map(action).collect()),
        };
        self.request::<lsp::ShowMessageRequest>(params).await.ok().flatten().map(|action| action.title)
    }

    /// Says how far a task has come.
    pub(crate) fn progress(&self, token: &ProgressToken, value: impl serde::Serialize) {
        if let Ok(value) = serde_json::to_value(value) {
            let token = token.clone();
            self.notify::<lsp::ProgressNotification>(lsp::ProgressParams { token, value });
        }
    }
}
