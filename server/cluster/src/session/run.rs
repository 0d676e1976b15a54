//! What runs behind a session: connect, watch, and never say more than is known.

mod round;
mod tell;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use flux::Kind;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Command, SessionOptions, Shared};
use crate::access::{Access, Refusal};
use crate::client::{Occasion, SharedConnector};
use crate::contact::JumpDetector;
use crate::event::{ConnectError, Event, SessionStatus, SignInReason, What};
use crate::exec::ExecError;
use crate::objects::Wanted;
use crate::watch::{Backoff, Scope};
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

fn ticks() -> tokio::time::Interval {
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
