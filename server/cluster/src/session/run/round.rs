//! One connection and its watches, until one of them, the credential or the session ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flux::{Change, Coverage, Kind};
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{
    BATCH_EVERY, DISCOVERY_EVERY, End, Heard, NOT_FLUX_EVERY, RENEW_BEFORE, RENEW_EVERY, Run, ticks,
};
use crate::access::{Access, AccessError, Refusal, probe, role_resource};
use crate::client::Occasion;
use crate::contact::PROBE_AFTER;
use crate::discovery;
use crate::event::{Rights, SessionStatus, What};
use crate::objects::{Read, Wanted};
use crate::session::likely_namespaces;
use crate::watch::{self, Scope, Seen, Sight, Trouble};
use crate::wire::Wire;

/// A running watch.
pub(super) struct Watcher {
    pub(super) cancel: CancellationToken,
    pub(super) path: String,
    pub(super) started: Instant,
    /// When its list was complete, in this round.
    pub(super) listed: Option<Timestamp>,
}

/// What background work of a round came to.
pub(super) enum Done {
    Probe(Result<String, Refusal>),
    Rights,
    Object(Box<Read>),
    Discovered(Result<Access, Refusal>),
}

/// One connection and its watches.
pub(super) struct Round {
    pub(super) access: Access,
    pub(super) wire: Wire,
    pub(super) expires: Option<Timestamp>,
    pub(super) watchers: BTreeMap<Scope, Watcher>,
    /// Kinds that may not be listed everywhere.
    pub(super) scoped: BTreeSet<Kind>,
    pub(super) seen: mpsc::Sender<Seen>,
    pub(super) pending: Vec<Change>,
    pub(super) flushed: Option<Instant>,
    pub(super) tasks: JoinSet<Done>,
    pub(super) probing: bool,
    pub(super) discovered: Instant,
    pub(super) discover: bool,
    /// Ends the watches.
    pub(super) cancel: CancellationToken,
}

impl Run {
    /// Watches until the connection, the credential or the session ends.
    pub(super) async fn watch(&mut self, access: Access, wire: Wire, expires: Option<Timestamp>) -> End {
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

    pub(super) async fn flush(&mut self, round: &mut Round) {
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
