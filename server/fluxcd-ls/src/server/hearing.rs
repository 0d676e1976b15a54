//! What clusters say, in the order in which each of them says it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use analysis::Contact;
use cluster::{SessionStatus, What};
use flux::{Change, Facts};
use jiff::Timestamp;

use super::timers::Timer;
use super::world::{Done, World};

/// Batches of more objects than this are taken in on a thread of their own.
const LARGE: usize = 100;

/// A batch that was taken in.
pub(crate) struct Applied {
    key: Arc<str>,
    generation: u64,
    /// The new facts, and whether they say anything new; none if that failed.
    facts: Option<(Facts, bool)>,
}

/// What of a cluster is not what it was.
enum About {
    /// Anything.
    All,
    /// What it says of its objects.
    Facts { changed: flux::Changed, before: Arc<Facts>, now: Arc<Facts> },
    /// What the user may do there.
    Rights,
}

impl World {
    /// A session said something. While a large batch is taken in the rest waits: a cluster must not be called live
    /// before what it listed is known.
    pub(super) fn cluster_said(&mut self, event: cluster::Event) {
        let cluster::Event { context, generation, what } = event;
        let key = super::seam::command_key(&context);
        let Some(cluster) = self.clusters.all.get_mut(&key) else { return };
        if cluster.live.as_ref().is_none_or(|live| live.generation != generation) {
            return;
        }
        match &mut cluster.waiting {
            Some(waiting) => waiting.push_back(what),
            None => self.hear_cluster(&key, what),
        }
    }

    fn hear_cluster(&mut self, key: &Arc<str>, what: What) {
        let Some(cluster) = self.clusters.all.get_mut(key) else { return };
        let Some(live) = &mut cluster.live else { return };
        let now = Timestamp::now();
        let (mut dirty, mut about) = (false, About::All);
        let mut came_on = None;
        match what {
            What::Changes(changes) if weight(&changes) > LARGE => {
                cluster.waiting = Some(VecDeque::new());
                let (facts, generation) = (Arc::clone(&cluster.facts), live.generation);
                let (applied, failed) = (Arc::clone(key), Arc::clone(key));
                self.background(
                    move || {
                        let (facts, changed) = facts.apply(changes, now);
                        let facts = Some((facts, !changed.is_empty()));
                        Done::Applied(Box::new(Applied { key: applied, generation, facts }))
                    },
                    move || Some(Done::Applied(Box::new(Applied { key: failed, generation, facts: None }))),
                );
                return;
            }
            What::Changes(changes) => {
                let (facts, changed) = cluster.facts.apply(changes, now);
                let before = std::mem::replace(&mut cluster.facts, Arc::new(facts));
                dirty = !changed.is_empty();
                about = About::Facts { changed, before, now: Arc::clone(&cluster.facts) };
            }
            What::Contact(at) => {
                if matches!(live.status, SessionStatus::Live) {
                    cluster.contact = Contact::Live { at };
                }
            }
            What::Status(status) => {
                tracing::info!(context = %key, %status, "a cluster");
                if matches!(status, SessionStatus::Idle | SessionStatus::Ended { .. }) {
                    live.session = None;
                }
                live.status = status.clone();
                let contact = cluster.contact_of(&status);
                dirty = contact != cluster.contact;
                cluster.contact = contact;
                self.status_dirty = true;
                came_on = Some(status);
            }
            What::Rights(answered) => {
                let rights = Arc::make_mut(&mut cluster.rights);
                for ((kind, namespace), allowed) in &answered.patch {
                    rights.note(*kind, Some(namespace), *allowed);
                }
                dirty = true;
                about = About::Rights;
            }
            What::Object(read) => {
                self.object_read(key, *read);
                return;
            }
        }
        let proof = cluster.contact.proof(now);
        if std::mem::discriminant(&proof) != std::mem::discriminant(&cluster.proof) {
            (dirty, about) = (true, About::All);
        }
        cluster.proof = proof;
        if let Some(at) = cluster.contact.changes_at(now) {
            let after = Duration::try_from(at.duration_since(now)).unwrap_or_default();
            self.timers.at_latest(Timer::Contact, after);
        }
        if dirty {
            self.cluster_dirty(key, &about);
        }
        if let Some(status) = came_on {
            self.login_came_on(key, &status);
        }
    }

    /// A large batch was taken in: what was said meanwhile is heard now.
    pub(super) fn applied(&mut self, applied: Applied) {
        let Applied { key, generation, facts } = applied;
        let Some(cluster) = self.clusters.all.get_mut(&key) else { return };
        if cluster.live.as_ref().is_none_or(|live| live.generation != generation) {
            return;
        }
        let mut waiting = cluster.waiting.take().unwrap_or_default();
        if let Some((facts, changed)) = facts {
            cluster.facts = Arc::new(facts);
            if changed {
                self.cluster_dirty(&key, &About::All);
            }
        }
        while let Some(what) = waiting.pop_front() {
            self.hear_cluster(&key, what);
            // Another large batch: the rest waits for it in turn.
            if let Some(again) = self.clusters.all.get_mut(&key).and_then(|it| it.waiting.as_mut()) {
                again.append(&mut waiting);
            }
        }
    }

    /// What a cluster's files show has changed.
    fn cluster_dirty(&mut self, key: &str, about: &About) {
        let repos = self.clusters.all.get(key).and_then(|it| Some(it.live.as_ref()?.repos.clone()));
        for repo in repos.unwrap_or_else(|| self.repos.keys().copied().collect()) {
            self.repository_dirty(repo);
            let head = self.repos.get(&repo).map(|it| &it.head);
            let matters = match about {
                About::All => true,
                About::Facts { changed, before, now } => {
                    head.is_some_and(|head| head.depends_on(changed, before, now))
                }
                About::Rights => false,
            };
            if matters {
                self.head_dirty(repo);
            }
        }
        self.status_dirty = true;
    }

    /// Signs of life are getting old.
    pub(super) fn contacts_age(&mut self) {
        let now = Timestamp::now();
        let mut changed = Vec::new();
        for cluster in self.clusters.all.values_mut() {
            let proof = cluster.contact.proof(now);
            if std::mem::discriminant(&proof) != std::mem::discriminant(&cluster.proof) {
                cluster.proof = proof;
                changed.push(Arc::clone(&cluster.key));
            }
            if let Some(at) = cluster.contact.changes_at(now) {
                let after = Duration::try_from(at.duration_since(now)).unwrap_or_default();
                self.timers.at_latest(Timer::Contact, after);
            }
        }
        for key in changed {
            self.cluster_dirty(&key, &About::All);
        }
    }
}

/// How many objects a batch holds.
fn weight(changes: &[Change]) -> usize {
    let objects = changes.iter().map(|change| match change {
        Change::Relisted { objects, .. } => objects.len(),
        _ => 1,
    });
    objects.sum()
}
