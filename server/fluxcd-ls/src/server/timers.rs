//! Moments that the world waits for.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// What is to be looked at when a moment comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Timer {
    /// Nobody has typed for half a second: marks may get worse again, the index may be brought up to date.
    Quiet,
    /// An answer said that it would change by now.
    Recheck,
    /// The proof that a sign of life gives may have changed.
    Contact,
    /// Clocks, kubeconfig files and idle clusters are looked at.
    Pulse,
    /// Live objects of open manifests are read again.
    Objects,
    /// The user's own files are looked at: the configuration, and recordings.
    OwnFiles,
    /// Forges are asked again what was reported.
    Forges,
    /// How HEAD stands is looked at.
    Heads,
    /// The editor's process is looked for.
    Parent,
}

/// At most one moment for each thing to look at.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeMap<Timer, Instant>,
}

impl Timers {
    /// Sets a moment, instead of the one that was set.
    pub(crate) fn set(&mut self, timer: Timer, after: Duration) {
        self.due.insert(timer, Instant::now() + after);
    }

    /// Sets a moment unless an earlier one is set.
    pub(crate) fn at_latest(&mut self, timer: Timer, after: Duration) {
        let due = Instant::now() + after;
        self.due.entry(timer).and_modify(|set| *set = due.min(*set)).or_insert(due);
    }

    /// Waits for the next moment; forever if none is set. Nothing is lost when it is dropped.
    pub(crate) async fn next(&mut self) -> Timer {
        let Some((timer, due)) =
            self.due.iter().map(|(timer, due)| (*timer, *due)).min_by_key(|(_, due)| *due)
        else {
            return std::future::pending().await;
        };
        tokio::time::sleep_until(due).await;
        self.due.remove(&timer);
        timer
    }
}
