//! The seam to clusters: real ones, or fake ones in tests.

use std::sync::Arc;

use cluster::{
    Access, Action, Context, ContextKey, Event, Outcome, Progress, Session, SessionOptions, Wanted,
};
use flux::{Kind, ObjectId};
use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Starts sessions.
pub trait Clusters: Send + Sync + 'static {
    /// Starts a session; what it has to say goes to `events`. Contacts the cluster: only after consent.
    fn start(
        &self,
        context: Context,
        options: SessionOptions,
        events: mpsc::Sender<Event>,
    ) -> Box<dyn SessionHandle>;
}

/// Told how an action comes on.
pub type Watcher = Arc<dyn Fn(Progress) + Send + Sync>;

/// A running action.
pub type Acting = BoxFuture<'static, Outcome>;

/// A running session. Dropping it ends it. No method waits.
pub trait SessionHandle: Send + Sync {
    /// Somebody looks at what the cluster says.
    fn used(&self);
    /// Somebody types: a login that shows nothing may run.
    fn typed(&self);
    /// The machine woke up.
    fn poke(&self);
    /// Runs the login command, because somebody pressed *Sign in*.
    fn sign_in(&self);
    /// Gives the login up.
    fn cancel_sign_in(&self);
    /// Asks whether objects may be patched; the answer comes as an event.
    fn ask_rights(&self, rights: Vec<(Kind, Arc<str>)>);
    /// Reads objects as they are now; each answer comes as an event, and none while there is no connection.
    fn read(&self, objects: Vec<Wanted>);
    /// Changes an object. None while there is no connection.
    fn act(
        &self,
        action: Action,
        object: ObjectId,
        progress: Watcher,
        cancel: CancellationToken,
    ) -> Option<Acting>;
}

/// Real clusters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kubernetes;

impl Clusters for Kubernetes {
    fn start(
        &self,
        context: Context,
        options: SessionOptions,
        events: mpsc::Sender<Event>,
    ) -> Box<dyn SessionHandle> {
        Box::new(Session::start(context, options, events))
    }
}

impl SessionHandle for Session {
    fn used(&self) {
        Session::used(self);
    }

    fn typed(&self) {
        Session::typed(self);
    }

    fn poke(&self) {
        Session::poke(self);
    }

    fn sign_in(&self) {
        Session::sign_in(self);
    }

    fn cancel_sign_in(&self) {
        Session::cancel_sign_in(self);
    }

    fn ask_rights(&self, rights: Vec<(Kind, Arc<str>)>) {
        Session::ask_rights(self, rights);
    }

    fn read(&self, objects: Vec<Wanted>) {
        Session::read(self, objects);
    }

    fn act(
        &self,
        action: Action,
        object: ObjectId,
        progress: Watcher,
        cancel: CancellationToken,
    ) -> Option<Acting> {
        let access: Access = self.access()?;
        Some(Box::pin(async move { access.act(action, &object, move |it| progress(it), cancel).await }))
    }
}

/// What commands carry for a context: its name, and more only where two kubeconfigs have one of the same name.
pub(crate) fn command_key(key: &ContextKey) -> Arc<str> {
    Arc::clone(&key.name)
}
