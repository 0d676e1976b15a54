//! A session keeps one context in view.
//!
//! The handle is here; what runs behind it is in `session/run.rs`.

mod run;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use flux::Kind;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::client::{KubeconfigConnector, LoginPolicy, SharedConnector};
use crate::context::ContextKey;
use crate::event::{Event, SessionStatus};
use crate::kubeconfig::{Context, Fingerprint};
use crate::objects::Wanted;
use crate::state::StateDir;
use crate::wire::{Clock, Wire};

/// How a session behaves.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// Carried by each event, so that what a cancelled session still sends can be dropped.
    pub generation: u64,
    /// When login commands run.
    pub login: LoginPolicy,
    /// The user has just chosen this cluster: its login command may run once unattended.
    pub chosen: bool,
    /// Namespaces named in open manifests: where to look when looking everywhere is forbidden.
    pub namespaces: Vec<Arc<str>>,
    /// The session ends when nobody used it for so long.
    pub idle_after: Option<Duration>,
    /// Where login locks are.
    pub state: StateDir,
    /// The wall clock.
    pub clock: Clock,
}

impl SessionOptions {
    /// The usual: quiet logins, not just chosen, idle after 30 minutes.
    pub fn new(state: StateDir) -> Self {
        Self {
            generation: 0,
            login: LoginPolicy::Quiet,
            chosen: false,
            namespaces: Vec::new(),
            idle_after: Some(Duration::from_secs(30 * 60)),
            state,
            clock: Clock::default(),
        }
    }
}

/// Where Flux objects are likely to be, when looking everywhere is forbidden: the context's own namespace, Flux's
/// usual one, and those that the open manifests name.
pub(crate) fn likely_namespaces(own: Option<&str>, hints: &[Arc<str>]) -> Vec<Arc<str>> {
    let mut all: Vec<Arc<str>> = own.into_iter().chain(["flux-system"]).map(Arc::from).collect();
    all.extend(hints.iter().filter(|h| !h.is_empty()).cloned());
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|n| seen.insert(n.clone()));
    all
}

pub(crate) enum Command {
    Rehint(Vec<Arc<str>>),
    Used,
    Typed(Instant),
    Poke,
    Reload,
    SignIn,
    CancelSignIn,
    AskRights(Vec<(Kind, Arc<str>)>),
    Read(Vec<Wanted>),
}

/// What the handle and the task behind it share.
pub(crate) struct Shared {
    key: ContextKey,
    generation: u64,
    status: Mutex<SessionStatus>,
    access: Mutex<Option<Access>>,
    wire: Mutex<Wire>,
}

impl Shared {
    fn lock<'a, T>(&self, of: &'a Mutex<T>) -> MutexGuard<'a, T> {
        // Each value is replaced as a whole: a panic elsewhere leaves nothing half-done.
        of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handle of a session. Every method returns at once; what they cause comes as events. Dropping it ends the
/// session.
pub struct Session {
    shared: Arc<Shared>,
    fingerprint: Fingerprint,
    commands: mpsc::UnboundedSender<Command>,
    cancel: CancellationToken,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({}, {})", self.shared.key, self.status())
    }
}

impl Session {
    /// Starts a session. The caller has the user's consent for `context.fingerprint()`.
    ///
    /// Needs a tokio runtime. Events come in order; when the receiver is full the session waits for it.
    pub fn start(context: Context, options: SessionOptions, events: mpsc::Sender<Event>) -> Session {
        let fingerprint = context.fingerprint();
        let connector =
            KubeconfigConnector::new(&context, fingerprint.clone(), options.login, options.state.clone());
        Self::start_with(Arc::new(connector), context.key, fingerprint, options, events)
    }

    pub(crate) fn start_with(
        connector: SharedConnector,
        key: ContextKey,
        fingerprint: Fingerprint,
        options: SessionOptions,
        events: mpsc::Sender<Event>,
    ) -> Session {
        let (commands, received) = mpsc::unbounded_channel();
        let cancel = CancellationToken::new();
        let shared = Arc::new(Shared {
            key,
            generation: options.generation,
            status: Mutex::new(SessionStatus::Connecting),
            access: Mutex::new(None),
            wire: Mutex::new(Wire::new(options.clock.clone())),
        });
        let run = run::Run::new(shared.clone(), connector, options, events, received, cancel.clone());
        tokio::spawn(run.run());
        Session { shared, fingerprint, commands, cancel }
    }

    /// The context.
    pub fn key(&self) -> &ContextKey {
        &self.shared.key
    }

    /// The generation that its events carry.
    pub fn generation(&self) -> u64 {
        self.shared.generation
    }

    /// What was consented to.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// How it stands now.
    pub fn status(&self) -> SessionStatus {
        self.shared.lock(&self.shared.status).clone()
    }

    /// When the cluster was last heard of.
    pub fn last_contact(&self) -> Option<Timestamp> {
        self.shared.lock(&self.shared.wire).last()
    }

    /// The connection, for questions and actions; `None` until there is one.
    pub fn access(&self) -> Option<Access> {
        self.shared.lock(&self.shared.access).clone()
    }

    /// Ends the session.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// These namespaces are named in open manifests, beside those told before.
    pub fn rehint(&self, namespaces: Vec<Arc<str>>) {
        self.send(Command::Rehint(namespaces));
    }

    /// Somebody looks at what it shows: not idle.
    pub fn used(&self) {
        self.send(Command::Used);
    }

    /// Somebody typed just now: not idle, and a login may be renewed unattended.
    pub fn typed(&self) {
        self.send(Command::Typed(Instant::now()));
    }

    /// The machine woke up, or the network changed: nothing is trusted before the cluster answered anew. (A jump
    /// of the clock is noticed without this.)
    pub fn poke(&self) {
        self.send(Command::Poke);
    }

    /// The kubeconfig files changed: connect anew with what they say, if that is what was consented to.
    pub fn reload(&self) {
        self.send(Command::Reload);
    }

    /// The user pressed `Sign in`: the login command runs for up to three minutes.
    pub fn sign_in(&self) {
        self.send(Command::SignIn);
    }

    /// The user gave up signing in: the login command and all it started is ended.
    pub fn cancel_sign_in(&self) {
        self.send(Command::CancelSignIn);
    }

    /// May objects of these kinds in these namespaces be patched? Answered by [`crate::What::Rights`]; what was
    /// asked within five minutes is not asked again.
    pub fn ask_rights(&self, of: Vec<(Kind, Arc<str>)>) {
        self.send(Command::AskRights(of));
    }

    /// Reads objects as they are now, a few at a time; each answer is a [`crate::What::Object`]. While there is no connection
    /// nothing is read, and nothing comes. Not a sign that somebody needs the cluster: it may become idle.
    pub fn read(&self, objects: Vec<Wanted>) {
        self.send(Command::Read(objects));
    }

    fn send(&self, command: Command) {
        // The task has ended: its last event said so.
        let _ = self.commands.send(command);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

#[cfg(test)]
mod tests;
