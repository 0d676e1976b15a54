//! What a session says of itself: never more than is known (design 3.1).

use jiff::{SignedDuration, Timestamp};

use super::round::{Round, Watcher};
use super::{End, LISTED_WITHIN, Run};
use crate::contact::{ContactState, contact_state};
use crate::event::{ConnectError, Event, SessionStatus, What};

/// How often contact is told while nothing else changes.
const CONTACT_EVERY: SignedDuration = SignedDuration::from_secs(5);

impl Run {
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.shared.lock(&self.shared.wire).last()
    }

    pub(super) fn idle(&self) -> bool {
        self.options.idle_after.is_some_and(|after| self.used.elapsed() >= after)
    }

    pub(super) fn over(&self, error: Option<ConnectError>) -> End {
        End::Over(SessionStatus::Ended { error })
    }

    /// Whether the machine slept since the last look.
    pub(super) fn look_at_the_clock(&mut self) -> bool {
        let now = self.options.clock.now();
        let jump = self.clock.observe(now, self.began.elapsed());
        if let Some(jump) = jump {
            tracing::debug!(context = %self.shared.key, %jump, "the clock jumped");
            self.jumped = Some(now);
        }
        jump.is_some()
    }

    /// Since when everything that is shown is known to be true, at the latest.
    pub(super) fn known_until(&self, round: Option<&Round>) -> Option<Timestamp> {
        let mut until = self.last()?;
        let Some(round) = round else {
            return Some(until.min(self.stale_from.unwrap_or(until)));
        };
        for scope in &self.listed {
            let watcher = round.watchers.get(scope);
            let stands = match watcher {
                // Listed in an earlier round and not yet in this one.
                None => self.stale_from,
                Some(Watcher { listed: None, .. }) => self.stale_from,
                Some(Watcher { listed, path, .. }) => match round.wire.down_since(path) {
                    None => continue,
                    Some(stood) => stood.max(*listed),
                },
            };
            until = until.min(stands.unwrap_or(until));
        }
        Some(until)
    }

    pub(super) async fn set_by_contact(&mut self, mut round: Option<&mut Round>) {
        let now = self.options.clock.now();
        let state = self
            .known_until(round.as_deref())
            .map(|until| contact_state(until, now, self.jumped.max(self.gone)));
        let status = match (state, &round) {
            (None, _) | (_, None) if !self.ever_live => return,
            (None, _) => return,
            (Some(ContactState::Live), Some(round)) => {
                let unlisted = |w: &Watcher| {
                    w.listed.is_none() && !w.cancel.is_cancelled() && w.started.elapsed() < LISTED_WITHIN
                };
                if round.access.0.served.is_empty() {
                    SessionStatus::NotFlux
                } else if !self.ever_live && round.watchers.values().any(unlisted) {
                    SessionStatus::Connecting
                } else {
                    self.ever_live = true;
                    SessionStatus::Live
                }
            }
            (Some(ContactState::Live), None) => SessionStatus::Live,
            (Some(_), Some(_)) if !self.ever_live => return,
            (Some(ContactState::Checking { until }), _) => match self.status() {
                SessionStatus::Checking { until } => SessionStatus::Checking { until },
                _ => SessionStatus::Checking { until },
            },
            (Some(ContactState::LastSeen(at)), _) => SessionStatus::LastSeen(at),
        };
        let live = status == SessionStatus::Live;
        if let Some(round) = &mut round
            && status != self.status()
        {
            // What is said of the facts is said after they are told.
            self.flush(round).await;
        }
        // Signing in goes on, whatever the age of the last contact.
        if !matches!(self.status(), SessionStatus::SigningIn { .. }) || round.is_some() {
            self.set(status).await;
        }
        if live && let Some(last) = self.last() {
            let told = self.contact_told.is_some_and(|told| last.duration_since(told) < CONTACT_EVERY);
            if !told {
                self.contact_told = Some(last);
                self.emit(What::Contact(last)).await;
            }
        }
    }

    pub(super) fn status(&self) -> SessionStatus {
        self.shared.lock(&self.shared.status).clone()
    }

    pub(super) async fn set(&mut self, status: SessionStatus) {
        {
            let mut shown = self.shared.lock(&self.shared.status);
            if *shown == status {
                return;
            }
            *shown = status.clone();
        }
        self.emit(What::Status(status)).await;
    }

    pub(super) async fn emit(&mut self, what: What) {
        let event = Event { context: self.shared.key.clone(), generation: self.shared.generation, what };
        let over = matches!(event.what, What::Status(SessionStatus::Ended { .. }));
        tokio::select! {
            biased;
            sent = self.events.send(event) => {
                if sent.is_err() {
                    // The owner is gone: nobody is left to tell.
                    self.cancel.cancel();
                }
            }
            () = self.cancel.cancelled(), if !over => {}
        }
    }
}
