//! The live objects of the manifests that are open: read when an answer is about them, again when their applier did
//! something, and now and then while somebody is there. Kept as long as a file that is about them is open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use analysis::{LiveAnswer, Reading};
use cluster::{AccessError, Read, SessionStatus};
use flux::ObjectId;
use jiff::Timestamp;
use manifests::RepoPath;

use super::timers::Timer;
use super::watch::RepoId;
use super::world::World;

/// How often it is looked which readings are old.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// A reading of what is on its way is old after this; of what is as it should be after that; of a refusal later still.
const SOON: Duration = Duration::from_secs(15);
const LATER: Duration = Duration::from_secs(60);
const MUCH_LATER: Duration = Duration::from_secs(300);
/// What did not come within this is asked for again: the connection may have been another.
const UNANSWERED: Duration = Duration::from_secs(90);
/// Nothing is read again while the editor was silent for so long.
const AWAY: Duration = Duration::from_secs(600);
/// Of one file so many objects are read.
const MOST: usize = 100;

/// What open files are about.
#[derive(Debug, Default)]
pub(crate) struct Wanted(BTreeMap<(RepoId, RepoPath), BTreeSet<analysis::Wanted>>);

impl Wanted {
    /// Whether any file is about an object of a cluster.
    fn has(&self, cluster: &str, object: &ObjectId) -> bool {
        self.0.values().flatten().any(|it| it.cluster == cluster && it.object == *object)
    }
}

impl World {
    /// Takes what an open file is about; nothing for one that is closed.
    pub(super) fn wants_objects(
        &mut self,
        repo: RepoId,
        path: &RepoPath,
        objects: &BTreeSet<analysis::Wanted>,
    ) {
        let key = (repo, path.clone());
        let known = self.wanted.0.get(&key);
        if known.is_none() && objects.is_empty() {
            return;
        }
        let objects: BTreeSet<_> = objects.iter().take(MOST).cloned().collect();
        if known != Some(&objects) {
            match objects.is_empty() {
                true => self.wanted.0.remove(&key),
                false => self.wanted.0.insert(key, objects),
            };
            self.forget_objects();
        }
        self.read_objects(false);
        if !self.wanted.0.is_empty() {
            self.timers.at_latest(Timer::Objects, LOOK_EVERY);
        }
    }

    /// Forgets what no open file is about any more.
    fn forget_objects(&mut self) {
        let wanted = &self.wanted;
        for (key, cluster) in &mut self.clusters.all {
            if cluster.objects.is_empty() {
                continue;
            }
            Arc::make_mut(&mut cluster.objects).retain(|id| wanted.has(key, id));
        }
    }

    /// Readings get old.
    pub(super) fn objects_age(&mut self) {
        if self.wanted.0.is_empty() {
            return;
        }
        if self.heard.is_some_and(|at| at.elapsed() < AWAY) {
            self.read_objects(true);
        }
        self.timers.at_latest(Timer::Objects, LOOK_EVERY);
    }

    /// Has sessions read what was not read for what it is about now; with `old` also what was read long ago.
    fn read_objects(&mut self, old: bool) {
        let now = Timestamp::now();
        let mut due: BTreeMap<Arc<str>, Vec<cluster::Wanted>> = BTreeMap::new();
        for wanted in self.wanted.0.values().flatten() {
            let Some(cluster) = self.clusters.all.get_mut(wanted.cluster.as_str()) else { continue };
            let is_live = cluster.live.as_ref().is_some_and(|it| it.status == SessionStatus::Live);
            let is_asked = cluster
                .reading
                .get(&wanted.object)
                .is_some_and(|(ground, since)| *ground == wanted.ground && since.elapsed() < UNANSWERED);
            if !is_live || is_asked {
                continue;
            }
            let is_due = match cluster.objects.get(&wanted.object) {
                Some(known) if known.ground == wanted.ground => {
                    let age = Duration::try_from(now.duration_since(known.at)).unwrap_or_default();
                    old && age >= old_after(&known.answer)
                }
                _ => true,
            };
            if is_due {
                let entry = (wanted.ground.clone(), Instant::now());
                cluster.reading.insert(wanted.object.clone(), entry);
                let read =
                    cluster::Wanted { id: wanted.object.clone(), version: wanted.version.as_str().into() };
                due.entry(Arc::clone(&cluster.key)).or_default().push(read);
            }
        }
        for (key, objects) in due {
            let session = self.clusters.all.get(&key).and_then(|it| it.live.as_ref()?.session.as_ref());
            if let Some(session) = session {
                session.read(objects);
            }
        }
    }

    /// An object was read: the open files that are about it are analysed again, if it is news.
    pub(super) fn object_read(&mut self, key: &Arc<str>, read: Read) {
        let id = read.wanted.id.clone();
        let is_wanted = self.wanted.has(key, &id);
        let Some(cluster) = self.clusters.all.get_mut(key) else { return };
        let Some((ground, _)) = cluster.reading.remove(&id) else { return };
        if !is_wanted {
            return;
        }
        let reading = reading(ground, read);
        let is_news = cluster
            .objects
            .get(&id)
            .is_none_or(|known| known.ground != reading.ground || known.answer != reading.answer);
        Arc::make_mut(&mut cluster.objects).note(id.clone(), reading);
        if !is_news {
            return;
        }
        let about = |wanted: &BTreeSet<analysis::Wanted>| {
            wanted.iter().any(|it| it.object == id && *it.cluster == **key)
        };
        let files: Vec<_> = self.wanted.0.iter().filter(|it| about(it.1)).map(|it| it.0.clone()).collect();
        for (repo, path) in files {
            self.open_changed(repo, path);
        }
    }
}

/// What was read, as analysis knows it.
pub(crate) fn reading(ground: String, read: Read) -> Reading {
    let answer = match read.answer {
        Ok(live) => LiveAnswer::Found(live),
        Err(AccessError::NotFound(_)) => LiveAnswer::Gone,
        Err(AccessError::Forbidden { verb, resource, .. }) => {
            LiveAnswer::Forbidden { verb: verb.to_owned(), resource }
        }
        Err(AccessError::NotServed { .. }) => LiveAnswer::NotServed,
        Err(error @ (AccessError::Secret | AccessError::SignIn | AccessError::Unreachable(_))) => {
            LiveAnswer::Failed(error.to_string())
        }
    };
    Reading { ground, at: read.at, answer }
}

fn old_after(answer: &LiveAnswer) -> Duration {
    match answer {
        LiveAnswer::Found(live) if live.health.is_well() => LATER,
        LiveAnswer::Found(_) | LiveAnswer::Gone => SOON,
        LiveAnswer::Failed(_) => LATER,
        LiveAnswer::Forbidden { .. } | LiveAnswer::NotServed => MUCH_LATER,
    }
}
