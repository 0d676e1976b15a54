//! The clusters of the world: sessions and what they say, or a recording in their place.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use analysis::{Contact, LiveObjects, Proof, Rights};
use cluster::{Consents, Context, FileState, Fingerprint, JumpDetector, SessionStatus, StateDir, What};
use flux::{Facts, Kind, ObjectId};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::seam::{Clusters, SessionHandle};
use super::view::ClusterSnapshot;
use super::watch::RepoId;
use super::{Event, Options};
use crate::settings::Settings;

mod connecting;

pub(crate) use connecting::KubeconfigOf;

/// A cluster that nobody needed for this long is released.
const IDLE: Duration = Duration::from_secs(30 * 60);
/// How often clocks and kubeconfig files are looked at while there is a cluster.
const PULSE: Duration = Duration::from_secs(5);

/// All clusters that this server has something to do with.
pub(crate) struct ClusterSet {
    pub(super) all: BTreeMap<Arc<str>, Cluster>,
    starter: Arc<dyn Clusters>,
    /// Sessions send here; a task hands it on to the owner.
    said: mpsc::Sender<cluster::Event>,
    state: StateDir,
    /// The remembered answers.
    pub consents: Consents,
    generation: u64,
    clock: JumpDetector,
    began: Instant,
    /// A kubeconfig and what its files looked like when it was read last.
    seen: Option<(Vec<PathBuf>, FileState)>,
    looking: bool,
}

/// One cluster.
pub(crate) struct Cluster {
    /// What commands carry.
    pub key: Arc<str>,
    /// What it said.
    pub facts: Arc<Facts>,
    /// How fresh that is.
    pub contact: Contact,
    /// What the user may do.
    pub rights: Arc<Rights>,
    /// Objects that are none of Flux's, as far as they were read.
    pub objects: Arc<LiveObjects>,
    /// What is being read: for what, and since when.
    pub(super) reading: BTreeMap<ObjectId, (String, Instant)>,
    /// The session and all that belongs to it; none for a recording.
    pub live: Option<Live>,
    /// What the contact proved when files were analysed last.
    pub(super) proof: Proof,
    /// What it says while a batch is taken in; it is heard in its order afterwards.
    pub(super) waiting: Option<VecDeque<What>>,
    asked: BTreeSet<(Kind, String)>,
}

/// A cluster that is more than a recording.
pub(crate) struct Live {
    /// The context as it was consented to.
    pub context: Context,
    /// What the consent was given to.
    pub fingerprint: Fingerprint,
    /// The running session; none once it was released or has ended.
    pub session: Option<Box<dyn SessionHandle>>,
    /// What the session said of itself last.
    pub status: SessionStatus,
    /// The repositories that the consent is for.
    pub repos: BTreeSet<RepoId>,
    /// Events of an older session are not heard any more.
    pub(super) generation: u64,
}

/// A context to be connected.
pub(crate) struct Connect {
    /// The context.
    pub context: Context,
    /// What was consented to.
    pub fingerprint: Fingerprint,
    /// For which repository.
    pub repo: RepoId,
    /// What the kubeconfig's files looked like, if they were read just now.
    pub seen: Option<FileState>,
    /// Whether the user chose it just now.
    pub chosen: bool,
}

/// A recording in place of clusters.
pub(crate) struct Recording {
    key: Arc<str>,
    facts: Facts,
    newest: Option<Timestamp>,
    skipped: usize,
}

/// A context, and what a consent to it would be given to.
type Meaning = (Context, Fingerprint);

/// Kubeconfig files that changed.
pub(crate) struct KubeconfigChange {
    /// What they look like now.
    pub state: FileState,
    /// Contexts that are connected, as they are now; none for those that are gone or cannot be used.
    pub contexts: Vec<(Arc<str>, Option<Meaning>)>,
}

impl ClusterSet {
    /// No clusters.
    pub(crate) fn new(options: &Options, events: mpsc::UnboundedSender<Event>) -> ClusterSet {
        let (said, mut heard) = mpsc::channel(64);
        tokio::spawn(async move {
            while let Some(event) = heard.recv().await {
                if events.send(Event::Cluster(event)).is_err() {
                    return;
                }
            }
        });
        let state = StateDir::at(&options.paths.state);
        ClusterSet {
            all: BTreeMap::new(),
            starter: Arc::clone(&options.clusters),
            said,
            consents: Consents::open(state.clone()),
            state,
            generation: 0,
            clock: JumpDetector::new(Timestamp::now(), Duration::ZERO),
            began: Instant::now(),
            seen: None,
            looking: false,
        }
    }

    /// A cluster by what commands carry, or by what people read.
    pub(crate) fn get(&self, name: &str, settings: &Settings) -> Option<&Cluster> {
        self.all.get(name).or_else(|| self.all.values().find(|it| settings.alias(&it.key) == name))
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Cluster> {
        self.all.values()
    }

    /// Whether a context has a session.
    pub(crate) fn is_connected(&self, key: &str) -> bool {
        self.all.get(key).is_some_and(|it| it.live.as_ref().is_none_or(|live| live.session.is_some()))
    }

    /// Ends all sessions; a recording stays.
    pub(crate) fn release(&mut self) {
        self.all.retain(|_, it| it.live.is_none());
    }

    /// Those that a repository has to do with.
    fn of(&self, repo: RepoId) -> impl Iterator<Item = &Cluster> {
        self.all.values().filter(move |it| it.live.as_ref().is_none_or(|live| live.repos.contains(&repo)))
    }

    /// The clusters of a repository, as workers see them.
    pub(crate) fn snapshots(&self, repo: RepoId, settings: &Settings) -> Vec<ClusterSnapshot> {
        self.of(repo).map(|it| it.snapshot(settings)).collect()
    }

    /// All clusters, as workers see them.
    pub(crate) fn all_snapshots(&self, settings: &Settings) -> Vec<ClusterSnapshot> {
        self.all.values().map(|it| it.snapshot(settings)).collect()
    }

    /// Somebody types: quick logins may run.
    pub(crate) fn typed(&self) {
        for session in self.sessions() {
            session.typed();
            session.used();
        }
    }

    /// Whether a cluster of a repository was released because nobody needed it.
    pub(crate) fn any_idle(&self, repo: RepoId) -> bool {
        let mut live = self.of(repo).filter_map(|it| it.live.as_ref());
        live.any(|live| live.status == SessionStatus::Idle)
    }

    /// Somebody looks at a repository.
    pub(crate) fn used(&self, repo: RepoId) {
        let live = self.of(repo).filter_map(|it| it.live.as_ref()?.session.as_ref());
        live.for_each(|session| session.used());
    }

    fn sessions(&self) -> impl Iterator<Item = &dyn SessionHandle> {
        self.all.values().filter_map(|it| it.live.as_ref()?.session.as_deref())
    }

    /// Tries clusters of a repository at once that wait for their next try.
    pub(super) fn try_again(&self, repo: RepoId) {
        let lives = self.all.values().filter_map(|it| it.live.as_ref());
        for live in lives.filter(|it| it.repos.contains(&repo) && it.status != SessionStatus::Live) {
            if let Some(session) = &live.session {
                session.poke();
            }
        }
    }

    /// Asks whether objects may be patched, once.
    pub(crate) fn ask_rights(&mut self, rights: BTreeSet<(String, Kind, String)>) {
        let mut wanted: BTreeMap<String, Vec<(Kind, Arc<str>)>> = BTreeMap::new();
        for (key, kind, namespace) in rights {
            let Some(cluster) = self.all.get_mut(key.as_str()) else { continue };
            if cluster.asked.insert((kind, namespace.clone())) {
                wanted.entry(key).or_default().push((kind, namespace.into()));
            }
        }
        for (key, rights) in wanted {
            if let Some(session) =
                self.all.get(key.as_str()).and_then(|it| it.live.as_ref()?.session.as_ref())
            {
                session.ask_rights(rights);
            }
        }
    }

    /// Lets a cluster go. Its consent stays.
    pub(crate) fn disconnect(&mut self, key: &str) -> Option<BTreeSet<RepoId>> {
        Some(self.all.remove(key)?.live?.repos)
    }

    /// Ends all sessions.
    pub(crate) fn end(&mut self) {
        self.all.clear();
    }
}

impl Cluster {
    fn snapshot(&self, settings: &Settings) -> ClusterSnapshot {
        ClusterSnapshot {
            key: Arc::clone(&self.key),
            name: settings.alias(&self.key).into(),
            facts: Arc::clone(&self.facts),
            contact: self.contact.clone(),
            rights: Arc::clone(&self.rights),
            live: Arc::clone(&self.objects),
            protected: settings.is_protected(&self.key),
        }
    }

    /// Its state in the one word of the protocol.
    pub(crate) fn word(&self) -> &'static str {
        match (&self.contact, self.live.as_ref().map(|live| &live.status)) {
            (Contact::Recorded { .. }, _) => "recorded",
            (_, Some(SessionStatus::Idle)) => "idle",
            (Contact::NeedsSignIn { .. }, _) => "signIn",
            (Contact::NoFlux, _) => "notFlux",
            (Contact::Unreachable { .. }, _) => "unreachable",
            (Contact::Connecting, _) => "connecting",
            (contact, _) => match contact.proof(Timestamp::now()) {
                Proof::Live => "live",
                Proof::Checking { .. } => "checking",
                _ => "lastSeen",
            },
        }
    }

    /// What a session says of itself, as analysis knows it.
    pub(super) fn contact_of(&self, status: &SessionStatus) -> Contact {
        contact_after(&self.contact, status)
    }
}

/// What a session says of itself, as analysis knows it: after what was known before.
pub(crate) fn contact_after(before: &Contact, status: &SessionStatus) -> Contact {
    let last = last_sign_of_life(before);
    let silent = |otherwise: Contact| last.map_or(otherwise, |at| Contact::LastSeen { at });
    match status {
        SessionStatus::Live => Contact::Live { at: last.unwrap_or_else(Timestamp::now) },
        SessionStatus::Connecting | SessionStatus::SigningIn { .. } => {
            last.map_or(Contact::Connecting, |at| Contact::Checking { at })
        }
        SessionStatus::Checking { .. } => last.map_or(Contact::Connecting, |at| Contact::Checking { at }),
        SessionStatus::NeedsSignIn { reason, .. } => {
            Contact::NeedsSignIn { at: last, why: reason.to_string() }
        }
        SessionStatus::LastSeen(at) => Contact::LastSeen { at: *at },
        SessionStatus::Unreachable { error } => silent(Contact::Unreachable { why: error.to_string() }),
        SessionStatus::NotFlux => Contact::NoFlux,
        SessionStatus::Idle => silent(Contact::Connecting),
        SessionStatus::NeedsConsent => {
            Contact::Unreachable { why: cluster::ConnectError::NeedsConsent.to_string() }
        }
        SessionStatus::Ended { error } => {
            let why = error.as_ref().map_or_else(|| "disconnected".to_owned(), ToString::to_string);
            silent(Contact::Unreachable { why })
        }
    }
}

fn last_sign_of_life(contact: &Contact) -> Option<Timestamp> {
    match contact {
        Contact::Live { at } | Contact::Checking { at } | Contact::LastSeen { at } => Some(*at),
        Contact::NeedsSignIn { at, .. } => *at,
        _ => None,
    }
}
