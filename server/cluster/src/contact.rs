//! When a cluster was last heard of, and what may be shown because of it (design 3.1).
//!
//! Contact is bytes on a watch (bookmarks count) or an answer to a `/version` probe. Everything here is pure:
//! the time is passed in.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How long an answer of the cluster counts as "now".
pub const FRESH_FOR: Duration = Duration::from_secs(60);
/// How long we say "checking…" before we say since when we know nothing.
pub const CHECKING_FOR: Duration = Duration::from_secs(10);
/// After this long without a byte a `/version` probe is sent, so that a quiet cluster stays live.
pub(crate) const PROBE_AFTER: Duration = Duration::from_secs(45);
/// A wall clock that is this far ahead of the monotonic one was asleep (or was set).
pub(crate) const JUMP: Duration = Duration::from_secs(10);

/// What the age of the last contact allows to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactState {
    /// Heard of within [`FRESH_FOR`].
    Live,
    /// Not sure: shown without ✓, at most until then.
    Checking {
        /// When this becomes [`ContactState::LastSeen`], unless the cluster answers.
        until: Timestamp,
    },
    /// Not heard of since.
    LastSeen(Timestamp),
}

/// What may be shown at `now`, when the cluster was last heard of at `last` and the last reason to trust nothing older
/// came at `doubted`: the clock jumped (the machine slept), or the cluster took no call.
///
/// That takes the trust from every contact before it, however young that one seems: what was true before a weekend's
/// sleep is not true now.
pub fn contact_state(last: Timestamp, now: Timestamp, doubted: Option<Timestamp>) -> ContactState {
    let stale_since = match doubted {
        Some(doubted) if last <= doubted => doubted,
        _ => plus(last, FRESH_FOR),
    };
    // A contact in the future means that the clock was set back: nothing is known of its age.
    let from_future = now < last && last.duration_since(now) > SignedDuration::from_secs(1);
    if now < stale_since && !from_future {
        return ContactState::Live;
    }
    if from_future {
        return ContactState::LastSeen(last);
    }
    let until = plus(stale_since, CHECKING_FOR);
    if now < until { ContactState::Checking { until } } else { ContactState::LastSeen(last) }
}

fn plus(t: Timestamp, d: Duration) -> Timestamp {
    t.checked_add(d).unwrap_or(Timestamp::MAX)
}

/// Finds out that the machine slept: while it does, the wall clock goes on and the monotonic one stands still.
#[derive(Clone, Debug)]
pub struct JumpDetector {
    wall: Timestamp,
    monotonic: Duration,
}

impl JumpDetector {
    /// Starts at this reading of both clocks. `monotonic` counts from any fixed moment.
    pub fn new(wall: Timestamp, monotonic: Duration) -> Self {
        Self { wall, monotonic }
    }

    /// Takes the next reading; says by how much the wall clock jumped ahead or back, if by more than [`JUMP`].
    pub fn observe(&mut self, wall: Timestamp, monotonic: Duration) -> Option<SignedDuration> {
        let wall_went = wall.duration_since(self.wall);
        let went = SignedDuration::try_from(monotonic.saturating_sub(self.monotonic)).unwrap_or_default();
        self.wall = wall;
        self.monotonic = monotonic;
        let jump = wall_went.checked_sub(went).unwrap_or(SignedDuration::MAX);
        (jump.unsigned_abs() > JUMP).then_some(jump)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn check(last: i64, now: i64, jumped: Option<i64>, expected: ContactState) {
        assert_eq!(
            contact_state(at(last), at(now), jumped.map(at)),
            expected,
            "last {last} now {now} {jumped:?}"
        );
    }

    #[test]
    fn contact_ages() {
        check(0, 0, None, ContactState::Live);
        check(0, 59, None, ContactState::Live);
        check(0, 60, None, ContactState::Checking { until: at(70) });
        check(0, 69, None, ContactState::Checking { until: at(70) });
        check(0, 70, None, ContactState::LastSeen(at(0)));
        check(0, 200_000, None, ContactState::LastSeen(at(0)));
    }

    #[test]
    fn sleep_takes_the_trust_at_once() {
        check(100, 101, Some(101), ContactState::Checking { until: at(111) });
        check(100, 111, Some(101), ContactState::LastSeen(at(100)));
        // An answer after the jump counts again.
        check(102, 103, Some(101), ContactState::Live);
    }

    #[test]
    fn a_clock_set_back_is_not_fresh() {
        check(1000, 0, None, ContactState::LastSeen(at(1000)));
        check(1, 0, None, ContactState::Live);
    }

    #[test]
    fn jumps() {
        let mut clock = JumpDetector::new(at(0), Duration::ZERO);
        assert_eq!(clock.observe(at(5), Duration::from_secs(5)), None);
        assert_eq!(clock.observe(at(14), Duration::from_secs(10)), None);
        assert_eq!(
            clock.observe(at(200_000), Duration::from_secs(15)),
            Some(SignedDuration::from_secs(199_981))
        );
        assert_eq!(clock.observe(at(200_005), Duration::from_secs(20)), None);
        assert_eq!(
            clock.observe(at(199_000), Duration::from_secs(25)),
            Some(SignedDuration::from_secs(-1010))
        );
    }
}
