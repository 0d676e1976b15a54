//! What runs behind a session: connect, watch, and never say more than is known.

mod tell;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use flux::{Change, Coverage, Kind};
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Command, SessionOptions, Shared, likely_namespaces};
use crate::access::{Access, AccessError, Refusal, probe, role_resource};
use crate::client::{Occasion, SharedConnector};
use crate::contact::{JumpDetector, PROBE_AFTER};
use crate::discovery;
use crate::event::{ConnectError, Event, Rights, SessionStatus, SignInReason, What};
use crate::exec::ExecError;
use crate::objects::{Read, Wanted};
use crate::watch::{self, Backoff, Scope, Seen, Sight, Trouble};
use crate::wire::Wire;

/// Batches come at most this often; a change after a pause goes out at once.
const BATCH_EVERY: Duration = Duration::from_millis(50);
/// A kind that cannot be listed for so long no longer holds up the others.
const LISTED_WITHIN: Duration = Duration::from_secs(15);
/// Discovery is repeated after a 404, not more often than this.
const DISCOVERY_EVERY: Duration = Duration::from_secs(30);
/// An API server that has just started serves its own resources before those of CRDs: so long kinds that were served
/// before are waited for.
const STARTS_WITHIN: Duration = Duration::from_secs(60);
/// How often a cluster without Flux is asked again.
const NOT_FLUX_EVERY: Duration = Duration::from_secs(300);
/// A credential is renewed this long before it ends, if it can be done unattended.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_secs(60);
const RENEW_EVERY: Duration = Duration::from_secs(30);

/// How a round (one connection and its watches) ended.
enum End {
    /// Another round.
    Again(Occasion),
    /// Another round, after a wait: it could not be reached.
    Later,
    /// The API server does not accept the credential.
    Rejected,
    /// Nothing before somebody signs in.
    SignIn { reason: SignInReason, command: Option<String> },
    /// The session is over.
    Over(SessionStatus),
}

/// What a command means to whoever received it.
enum Heard {
    Nothing,
    Reconnect,
    SignIn,
    CancelSignIn,
    Typed,
    Hints,
    Rights(Vec<(Kind, Arc<str>)>),
    Read(Vec<Wanted>),
}

pub(super) struct Run {
    shared: Arc<Shared>,
    connector: SharedConnector,
    options: SessionOptions,
    events: mpsc::Sender<Event>,
    commands: mpsc::UnboundedReceiver<Command>,
    cancel: CancellationToken,
    typed: Option<std::time::Instant>,
    used: Instant,
    began: Instant,
    clock: JumpDetector,
    jumped: Option<Timestamp>,
    /// When the cluster was last found to be gone: what was heard before proves nothing.
    gone: Option<Timestamp>,
    /// Kinds that the last complete connection served, and since when some of them are missing.
    served: BTreeSet<Kind>,
    missing: Option<Instant>,
    round: u64,
    /// The API server refused the credential, and nothing was listed since.
    rejected: bool,
    /// What was listed in any round: its objects are in the facts.
    listed: BTreeSet<Scope>,
    /// When the last round was last in contact: since then nothing of it is known to be true.
    stale_from: Option<Timestamp>,
    ever_live: bool,
    contact_told: Option<Timestamp>,
    renewed: Instant,
}

/// A running watch.
struct Watcher {
    cancel: CancellationToken,
    path: String,
    started: Instant,
    /// When its list was complete, in this round.
    listed: Option<Timestamp>,
}

/// What background work of a round came to.
enum Done {
    Probe(Result<String, Refusal>),
    Rights,
    Object(Box<Read>),
    Discovered(Result<Access, Refusal>),
}

/// One connection and its watches.
struct Round {
    access: Access,
    wire: Wire,
    expires: Option<Timestamp>,
    watchers: BTreeMap<Scope, Watcher>,
    /// Kinds that may not be listed everywhere.
    scoped: BTreeSet<Kind>,
    seen: mpsc::Sender<Seen>,
    pending: Vec<Change>,
    flushed: Option<Instant>,
    tasks: JoinSet<Done>,
    probing: bool,
    discovered: Instant,
    discover: bool,
    /// Ends the watches.
    cancel: CancellationToken,
}

impl Run {
    pub(super) fn new(
        shared: Arc<Shared>,
        connector: SharedConnector,
        options: SessionOptions,
        events: mpsc::Sender<Event>,
        commands: mpsc::UnboundedReceiver<Command>,
        cancel: CancellationToken,
    ) -> Self {
        let now = Instant::now();
        let clock = JumpDetector::new(options.clock.now(), Duration::ZERO);
        Self {
            shared,
            connector,
            options,
            events,
            commands,
            cancel,
            typed: None,
            used: now,
            began: now,
            clock,
            jumped: None,
            gone: None,
            served: BTreeSet::new(),
            missing: None,
            round: 0,
            rejected: false,
            listed: BTreeSet::new(),
            stale_from: None,
            ever_live: false,
            contact_told: None,
            renewed: now,
        }
    }

    pub(super) async fn run(mut self) {
        let mut occasion = if self.options.chosen { Occasion::Chosen } else { Occasion::Reopened };
        let mut backoff = Backoff::new();
        self.emit(What::Status(SessionStatus::Connecting)).await;
        loop {
            let end = match self.connect(occasion).await {
                Ok((access, wire, expires)) => {
                    backoff.reset();
                    let end = self.watch(access, wire, expires).await;
                    self.stale_from = self.last();
                    end
                }
                Err(end) => end,
            };
            let end = match end {
                // Once more with a credential read or made anew; then it is for people.
                End::Rejected if !self.rejected => {
                    self.rejected = true;
                    End::Again(Occasion::Renewal { typed: self.typed })
                }
                End::Rejected => {
                    End::SignIn { reason: SignInReason::Rejected, command: self.connector.login_command() }
                }
                end => end,
            };
            let end = match end {
                End::SignIn { reason, command } => self.wait_for_sign_in(reason, command).await,
                End::Later => self.wait(backoff.next()).await,
                end => end,
            };
            match end {
                End::Again(next) => occasion = next,
                End::Over(status) => {
                    *self.shared.lock(&self.shared.access) = None;
                    self.set(status).await;
                    return;
                }
                // Both waits end in one of the above.
                End::Later | End::Rejected | End::SignIn { .. } => occasion = self.renewal(),
            }
        }
    }

    fn renewal(&self) -> Occasion {
        Occasion::Renewal { typed: self.typed }
    }

    /// A connection that has answered, or what to do now.
    async fn connect(&mut self, occasion: Occasion) -> Result<(Access, Wire, Option<Timestamp>), End> {
        self.round += 1;
        let wire = Wire::after(self.options.clock.clone(), self.last());
        *self.shared.lock(&self.shared.wire) = wire.clone();
        if occasion == Occasion::SignIn
            && let Some(command) = self.connector.login_command()
        {
            self.set(SessionStatus::SigningIn { command }).await;
        } else if !self.ever_live {
            self.set(SessionStatus::Connecting).await;
        }
        let attempt = self.cancel.child_token();
        let work = {
            let (connector, wire, options) = (self.connector.clone(), wire.clone(), self.options.clone());
            let (key, rejected, attempt) = (self.shared.key.clone(), self.rejected, attempt.clone());
            async move {
                let connection = connector.connect(occasion, rejected, &wire, &attempt).await;
                let connection = connection.map_err(Refusal::Other)?;
                let expires = connection.expires;
                Ok((Access::establish(connection, key, wire, &options).await?, expires))
            }
        };
        let mut work = std::pin::pin!(work);
        let mut tick = ticks();
        let mut again = false;
        let result: Result<_, Refusal> = loop {
            tokio::select! {
                biased;
                // Dropping the work ends a login command that runs, with all that it started.
                () = self.cancel.cancelled() => return Err(self.over(None)),
                result = &mut work => break result,
                command = self.commands.recv() => match self.hear(command) {
                    Heard::CancelSignIn => attempt.cancel(),
                    Heard::Reconnect => again = true,
                    _ => {}
                },
                _ = tick.tick() => {
                    self.look_at_the_clock();
                    self.set_by_contact(None).await;
                }
            }
        };
        match result {
            Ok((access, _)) if self.still_starts(&access) => Err(End::Later),
            Ok((access, expires)) => {
                *self.shared.lock(&self.shared.access) = Some(access.clone());
                Ok((access, wire, expires))
            }
            Err(_) if again => Err(End::Again(self.renewal())),
            Err(Refusal::Unauthorized) => Err(End::Rejected),
            Err(Refusal::Other(ConnectError::SignIn { reason, command })) => {
                Err(End::SignIn { reason, command })
            }
            Err(Refusal::Other(ConnectError::NeedsConsent)) => Err(End::Over(SessionStatus::NeedsConsent)),
            Err(Refusal::Other(ConnectError::Cancelled)) => Err(End::SignIn {
                reason: SignInReason::Login(ExecError::Cancelled),
                command: self.connector.login_command(),
            }),
            Err(Refusal::Other(error)) => {
                tracing::debug!(context = %self.shared.key, %error, "cannot connect");
                if self.ever_live {
                    self.set_by_contact(None).await;
                } else {
                    self.set(SessionStatus::Unreachable { error }).await;
                }
                Err(End::Later)
            }
        }
    }

    /// Whether an API server that came back lacks kinds that it served before, for a while at most.
    fn still_starts(&mut self, access: &Access) -> bool {
        let now = Kind::ALL.iter().copied().filter(|kind| access.0.served.version(*kind).is_some()).collect();
        if self.served.is_subset(&now)
            || self.missing.get_or_insert_with(Instant::now).elapsed() >= STARTS_WITHIN
        {
            self.served = now;
            self.missing = None;
            return false;
        }
        tracing::debug!(context = %self.shared.key, "kinds that were served before are not served yet");
        true
    }

    /// Waits before the next try; a nudge ends the wait.
    async fn wait(&mut self, wait: Duration) -> End {
        let hold = self.shared.lock(&self.shared.wire).hold().unwrap_or_default();
        let until = Instant::now() + wait.max(hold);
        let mut tick = ticks();
        loop {
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return self.over(None),
                command = self.commands.recv() => match self.hear(command) {
                    Heard::Reconnect => return End::Again(self.renewal()),
                    Heard::SignIn => return End::Again(Occasion::SignIn),
                    _ => {}
                },
                () = sleep_until(until) => return End::Again(self.first_or_renewal()),
                _ = tick.tick() => {
                    self.look_at_the_clock();
                    self.set_by_contact(None).await;
                    if self.idle() {
                        return End::Over(SessionStatus::Idle);
                    }
                }
            }
        }
    }

    /// A connection that never came about is still the one that the user chose.
    fn first_or_renewal(&self) -> Occasion {
        match self.ever_live {
            true => self.renewal(),
            false if self.options.chosen => Occasion::Chosen,
            false => Occasion::Reopened,
        }
    }

    async fn wait_for_sign_in(&mut self, reason: SignInReason, command: Option<String>) -> End {
        *self.shared.lock(&self.shared.access) = None;
        let (away, has_command) = (reason == SignInReason::Away, command.is_some());
        self.set(SessionStatus::NeedsSignIn { reason, command }).await;
        let mut tick = ticks();
        loop {
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return self.over(None),
                command = self.commands.recv() => match self.hear(command) {
                    Heard::SignIn => {
                        self.rejected = has_command;
                        return End::Again(Occasion::SignIn);
                    }
                    Heard::Typed if away => return End::Again(self.renewal()),
                    // A token in a file may be a new one now. A command is not run for it.
                    Heard::Reconnect if !has_command => return End::Again(self.renewal()),
                    _ => {}
                },
                _ = tick.tick() => {
                    if self.idle() {
                        return End::Over(SessionStatus::Idle);
                    }
                }
            }
        }
    }

    /// Watches until the connection, the credential or the session ends.
    async fn watch(&mut self, access: Access, wire: Wire, expires: Option<Timestamp>) -> End {
        let (seen, mut sights) = mpsc::channel(1024);
        let cancel = self.cancel.child_token();
        let mut round = Round {
            access,
            wire: wire.clone(),
            expires,
            watchers: BTreeMap::new(),
            scoped: BTreeSet::new(),
            seen,
            pending: Vec::new(),
            flushed: None,
            tasks: JoinSet::new(),
            probing: false,
            discovered: Instant::now(),
            discover: false,
            cancel: cancel.clone(),
        };
        let _watches_end_with_this = cancel.drop_guard();
        self.follow_discovery(&mut round);
        self.flush(&mut round).await;
        self.set_by_contact(Some(&mut round)).await;
        let mut tick = ticks();
        loop {
            let due = round.flushed.map(|at| at + BATCH_EVERY).filter(|_| !round.pending.is_empty());
            let end = tokio::select! {
                biased;
                () = self.cancel.cancelled() => Some(self.over(None)),
                command = self.commands.recv() => match self.hear(command) {
                    Heard::Reconnect => Some(End::Again(self.renewal())),
                    Heard::SignIn => {
                        self.rejected = true;
                        Some(End::Again(Occasion::SignIn))
                    }
                    Heard::Hints => {
                        self.look_in_namespaces(&mut round);
                        None
                    }
                    Heard::Rights(of) => {
                        self.ask_rights(&mut round, of).await;
                        None
                    }
                    Heard::Read(objects) => {
                        read(&mut round, objects);
                        None
                    }
                    Heard::Typed | Heard::Nothing | Heard::CancelSignIn => None,
                },
                Some(seen) = sights.recv() => {
                    let mut end = self.see(&mut round, seen);
                    while end.is_none() && round.pending.len() < 4096 && let Ok(seen) = sights.try_recv() {
                        end = self.see(&mut round, seen);
                    }
                    if round.flushed.is_none_or(|at| at.elapsed() >= BATCH_EVERY) {
                        self.flush(&mut round).await;
                    }
                    self.set_by_contact(Some(&mut round)).await;
                    end
                }
                () = sleep_until(due.unwrap_or(Instant::now())), if due.is_some() => {
                    self.flush(&mut round).await;
                    self.set_by_contact(Some(&mut round)).await;
                    None
                }
                Some(done) = round.tasks.join_next() => self.done(&mut round, done).await,
                () = wire.changed() => {
                    if wire.take_failed() {
                        // Nobody took our call. If it is so for the next one too, the cluster is gone; a watch that
                        // was cut and stands again at once is nothing to tell.
                        ask_for_life(&mut round);
                    }
                    self.set_by_contact(Some(&mut round)).await;
                    None
                }
                _ = tick.tick() => self.tick(&mut round).await,
            };
            if let Some(end) = end {
                self.flush(&mut round).await;
                return end;
            }
        }
    }

    async fn tick(&mut self, round: &mut Round) -> Option<End> {
        if self.look_at_the_clock() {
            // Every connection is suspect, in the pool too. The state is told before we try.
            self.set_by_contact(Some(round)).await;
            return Some(End::Again(self.renewal()));
        }
        if self.idle() {
            return Some(End::Over(SessionStatus::Idle));
        }
        let now = self.options.clock.now();
        if let Some(expires) = round.expires
            && expires.duration_since(now) <= RENEW_BEFORE
            && self.renewed.elapsed() >= RENEW_EVERY
            && self.connector.may_renew(self.typed)
        {
            self.renewed = Instant::now();
            return Some(End::Again(self.renewal()));
        }
        let silent = round.wire.last().is_none_or(|last| {
            now.duration_since(last) >= SignedDuration::try_from(PROBE_AFTER).unwrap_or_default()
        });
        if silent {
            ask_for_life(round);
        }
        let not_flux = round.access.0.served.is_empty() && round.discovered.elapsed() >= NOT_FLUX_EVERY;
        let asked = round.discover && round.discovered.elapsed() >= DISCOVERY_EVERY;
        if not_flux || asked {
            round.discover = false;
            round.discovered = Instant::now();
            let access = round.access.clone();
            round.tasks.spawn(async move { Done::Discovered(access.rediscovered().await) });
        }
        self.set_by_contact(Some(round)).await;
        None
    }

    async fn done(&mut self, round: &mut Round, done: Result<Done, tokio::task::JoinError>) -> Option<End> {
        match done {
            Ok(Done::Probe(result)) => {
                round.probing = false;
                match result {
                    Ok(_) => self.set_by_contact(Some(round)).await,
                    Err(Refusal::Unauthorized) => return Some(End::Rejected),
                    // The pool may be full of dead connections: a new one, and then we see. No ✓ meanwhile.
                    Err(Refusal::Other(_)) => {
                        self.gone = Some(self.options.clock.now());
                        self.set_by_contact(Some(round)).await;
                        return Some(End::Again(self.renewal()));
                    }
                }
            }
            Ok(Done::Rights) => self.tell_rights(round).await,
            Ok(Done::Object(read)) if read.answer == Err(AccessError::SignIn) => return Some(End::Rejected),
            Ok(Done::Object(read)) => self.emit(What::Object(read)).await,
            Ok(Done::Discovered(Ok(access))) => {
                round.access = access.clone();
                *self.shared.lock(&self.shared.access) = Some(access);
                self.follow_discovery(round);
                self.flush(round).await;
                self.set_by_contact(Some(round)).await;
            }
            Ok(Done::Discovered(Err(Refusal::Unauthorized))) => return Some(End::Rejected),
            // Asked again after the next 404.
            Ok(Done::Discovered(Err(Refusal::Other(_)))) => round.discover = true,
            Err(e) => {
                round.probing = false;
                tracing::warn!("a task of the session with {} failed: {e}", self.shared.key);
            }
        }
        None
    }

    /// Starts and stops watches so that they are what discovery says.
    fn follow_discovery(&mut self, round: &mut Round) {
        for kind in Kind::ALL.iter().copied() {
            match round.access.0.served.version(kind).cloned() {
                Some(version) => {
                    round.pending.push(Change::Served { kind, version });
                    if !round.watchers.keys().any(|(k, _)| *k == kind) && !round.scoped.contains(&kind) {
                        self.start(round, (kind, None));
                    }
                }
                None => self.not_served(round, kind),
            }
        }
    }

    fn not_served(&mut self, round: &mut Round, kind: Kind) {
        let scopes: Vec<Scope> = round.watchers.keys().filter(|(k, _)| *k == kind).cloned().collect();
        for scope in scopes {
            stop(round, &scope);
        }
        round.scoped.remove(&kind);
        self.forget(round, |scope| scope.0 == kind);
        round.pending.push(Change::Coverage { kind, namespace: None, coverage: Coverage::NotServed });
    }

    /// What is no longer watched is no longer shown: its objects leave the facts.
    fn forget(&mut self, round: &mut Round, which: impl Fn(&Scope) -> bool) {
        for (kind, namespace) in self.listed.extract_if(.., |scope| which(scope)) {
            round.pending.push(Change::Relisted { kind, namespace, objects: Vec::new() });
        }
    }

    fn start(&self, round: &mut Round, scope: Scope) {
        let Some(version) = round.access.0.served.version(scope.0) else { return };
        let resource = discovery::resource(scope.0, version);
        let cancel = round.cancel.child_token();
        let watcher = Watcher {
            cancel: cancel.clone(),
            path: watch::path(&resource, scope.1.as_deref()),
            started: Instant::now(),
            listed: None,
        };
        tokio::spawn(watch::watch(
            round.access.0.client.clone(),
            resource,
            scope.clone(),
            self.round,
            round.wire.clone(),
            round.seen.clone(),
            cancel,
        ));
        round.watchers.insert(scope, watcher);
    }

    /// For each kind that may not be listed everywhere, looks where it may be allowed.
    fn look_in_namespaces(&self, round: &mut Round) {
        let own = round.access.0.namespace.clone();
        for namespace in likely_namespaces(own.as_deref(), &self.options.namespaces) {
            for kind in round.scoped.clone() {
                let scope = (kind, Some(namespace.clone()));
                if !round.watchers.contains_key(&scope) {
                    self.start(round, scope);
                }
            }
        }
    }

    fn see(&mut self, round: &mut Round, seen: Seen) -> Option<End> {
        let Seen { scope, round: of, what } = seen;
        // From a watch that was stopped in the meantime.
        if of != self.round || !round.watchers.contains_key(&scope) {
            return None;
        }
        let (kind, namespace) = scope.clone();
        match what {
            Sight::Listed(objects) => {
                self.rejected = false;
                if namespace.is_none() {
                    // An earlier connection may only have been allowed to look into some namespaces.
                    self.listed.retain(|listed| listed.0 != kind);
                }
                self.listed.insert(scope.clone());
                if let Some(watcher) = round.watchers.get_mut(&scope) {
                    watcher.listed = Some(self.options.clock.now());
                }
                round.pending.push(Change::Relisted { kind, namespace, objects });
            }
            Sight::Applied(object) => round.pending.push(Change::Applied(*object)),
            Sight::Deleted(id) => round.pending.push(Change::Deleted(id)),
            Sight::Trouble(Trouble::Unauthorized) => return Some(End::Rejected),
            Sight::Trouble(Trouble::Forbidden(verb)) => {
                // Kept under its key, without a task: what is forbidden is not asked for again in this round.
                if let Some(watcher) = round.watchers.get_mut(&scope) {
                    watcher.cancel.cancel();
                }
                let resource = round.access.0.served.resource(kind).map(|r| role_resource(&r));
                let forbidden =
                    Coverage::Forbidden { verb: verb.into(), resource: resource.unwrap_or_default().into() };
                self.forget(round, |s| *s == scope);
                round.pending.push(Change::Coverage {
                    kind,
                    namespace: namespace.clone(),
                    coverage: forbidden,
                });
                if namespace.is_none() {
                    round.scoped.insert(kind);
                    self.look_in_namespaces(round);
                }
            }
            Sight::Trouble(Trouble::NotServed) => {
                self.not_served(round, kind);
                round.discover = true;
            }
            Sight::Trouble(Trouble::Passing(why)) => {
                tracing::debug!(context = %self.shared.key, %kind, %why, "watch interrupted");
            }
        }
        None
    }

    async fn flush(&mut self, round: &mut Round) {
        if round.pending.is_empty() {
            return;
        }
        round.flushed = Some(Instant::now());
        self.emit(What::Changes(std::mem::take(&mut round.pending))).await;
    }

    async fn ask_rights(&mut self, round: &mut Round, mut of: Vec<(Kind, Arc<str>)>) {
        let rights = round.access.0.rights.clone();
        of.retain(|key| rights.lacks(key) && round.access.0.served.version(key.0).is_some());
        of.sort();
        of.dedup();
        if of.is_empty() {
            return self.tell_rights(round).await;
        }
        let client = round.access.0.client.clone();
        round.tasks.spawn(async move {
            let ask = |(kind, namespace): (Kind, Arc<str>)| {
                let (client, rights) = (client.clone(), rights.clone());
                async move { rights.ask(&client, kind, &namespace).await }
            };
            futures::stream::iter(of).map(ask).buffer_unordered(8).for_each(|_| async {}).await;
            Done::Rights
        });
    }

    async fn tell_rights(&mut self, round: &Round) {
        let rights: Rights = round.access.0.rights.known();
        self.emit(What::Rights(rights)).await;
    }

    /// Takes a command in; says what the state that we are in may have to do.
    fn hear(&mut self, command: Option<Command>) -> Heard {
        // The handle is gone, which has cancelled us: the next turn of the loop sees it.
        let Some(command) = command else { return Heard::Nothing };
        let looked_at =
            !matches!(command, Command::Poke | Command::Reload | Command::CancelSignIn | Command::Read(_));
        if looked_at {
            self.used = Instant::now();
        }
        match command {
            Command::Used => Heard::Nothing,
            Command::Typed(at) => {
                self.typed = Some(at);
                Heard::Typed
            }
            Command::Rehint(namespaces) => {
                let before = self.options.namespaces.len();
                for namespace in namespaces {
                    if !self.options.namespaces.contains(&namespace) {
                        self.options.namespaces.push(namespace);
                    }
                }
                if self.options.namespaces.len() > before { Heard::Hints } else { Heard::Nothing }
            }
            Command::Poke => {
                self.jumped = Some(self.options.clock.now());
                Heard::Reconnect
            }
            Command::Reload => Heard::Reconnect,
            Command::SignIn => Heard::SignIn,
            Command::CancelSignIn => Heard::CancelSignIn,
            Command::AskRights(of) => Heard::Rights(of),
            Command::Read(objects) => Heard::Read(objects),
        }
    }
}

/// Reads objects beside the watches, each on its own: a slow one holds up nobody.
fn read(round: &mut Round, objects: Vec<Wanted>) {
    for wanted in objects {
        let access = round.access.clone();
        round.tasks.spawn(async move { Done::Object(Box::new(access.read(wanted).await)) });
    }
}

/// Sends a probe, unless one is under way.
fn ask_for_life(round: &mut Round) {
    if std::mem::replace(&mut round.probing, true) {
        return;
    }
    let (client, server) = (round.access.0.client.clone(), round.access.server().to_owned());
    round.tasks.spawn(async move { Done::Probe(probe(&client, &server).await) });
}

fn stop(round: &mut Round, scope: &Scope) {
    if let Some(watcher) = round.watchers.remove(scope) {
        watcher.cancel.cancel();
    }
}

fn ticks() -> tokio::time::Interval {
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
