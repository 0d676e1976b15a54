//! The clusters of the world: sessions and what they say, or a recording in their place.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use analysis::{Contact, LiveObjects, Proof, Rights};
use cluster::{
    Clock, Consents, Context, Decision, FileState, Fingerprint, JumpDetector, Kubeconfig, LoginPolicy,
    SessionOptions, SessionStatus, StateDir, What,
};
use flux::{ClusterName, Facts, Kind, ObjectId};
use jiff::Timestamp;
use manifests::RepoPath;
use tokio::sync::mpsc;

use super::seam::{Clusters, SessionHandle};
use super::timers::Timer;
use super::view::ClusterSnapshot;
use super::watch::RepoId;
use super::world::{Done, World};
use super::{Event, Options};
use crate::lsp::types::MessageType;
use crate::settings::{self, Login, Settings};

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

impl World {
    /// Connects contexts that were consented to.
    pub(super) fn connect(&mut self, contexts: Vec<Connect>) {
        for Connect { context, fingerprint, repo, seen, chosen } in contexts {
            if !self.may_contact() || !self.repos.contains_key(&repo) {
                continue;
            }
            let key = super::seam::command_key(&context.key);
            self.clusters.generation += 1;
            let generation = self.clusters.generation;
            let known = self.clusters.all.get_mut(&key).and_then(|it| it.live.as_mut());
            if let Some(live) = known
                && live.fingerprint == fingerprint
                && live.session.is_some()
                && !(chosen
                    && matches!(live.status, SessionStatus::NeedsSignIn { .. } | SessionStatus::Ended { .. }))
            {
                if live.repos.insert(repo) {
                    self.repository_dirty(repo);
                    self.head_dirty(repo);
                }
                continue;
            }
            tracing::info!(context = %key, "connecting");
            if let Some(seen) = seen {
                self.clusters.seen = Some((context.key.kubeconfig.to_vec(), seen));
            }
            let options = SessionOptions {
                generation,
                login: match self.settings.login {
                    Login::Quiet => LoginPolicy::Quiet,
                    Login::Ask => LoginPolicy::Ask,
                    Login::Never => LoginPolicy::Never,
                },
                chosen,
                namespaces: self.namespaces(repo),
                idle_after: Some(IDLE),
                state: self.clusters.state.clone(),
                clock: Clock::default(),
            };
            let session = self.clusters.starter.start(context.clone(), options, self.clusters.said.clone());
            let before = self.clusters.all.remove(&key);
            let same =
                before.filter(|it| it.live.as_ref().is_some_and(|live| live.fingerprint == fingerprint));
            let mut cluster = same.unwrap_or_else(|| Cluster {
                key: Arc::clone(&key),
                facts: Arc::new(Facts::new(ClusterName(Arc::clone(&key)))),
                contact: Contact::Connecting,
                rights: Arc::default(),
                objects: Arc::default(),
                reading: BTreeMap::new(),
                live: None,
                asked: BTreeSet::new(),
                proof: Proof::None,
                waiting: None,
            });
            let mut repos = cluster.live.map(|live| live.repos).unwrap_or_default();
            repos.insert(repo);
            let session = Some(session);
            cluster.live = Some(Live {
                context,
                fingerprint,
                session,
                status: SessionStatus::Connecting,
                repos,
                generation,
            });
            cluster.asked.clear();
            // Another login may see less.
            cluster.objects = Arc::default();
            cluster.reading.clear();
            cluster.waiting = None;
            self.clusters.all.insert(key, cluster);
            self.timers.at_latest(Timer::Pulse, PULSE);
            self.everything_changed();
        }
    }

    /// Whether any cluster may be contacted.
    pub(super) fn may_contact(&self) -> bool {
        self.settings.enable
            && self.settings.clusters == settings::Clusters::Ask
            && self.trusted != Some(false)
            && self.recordings().is_empty()
    }

    /// The recordings that stand in place of clusters.
    pub(super) fn recordings(&self) -> &[PathBuf] {
        match self.options.snapshots.as_slice() {
            [] => &self.settings.snapshots,
            named => named,
        }
    }

    /// The namespaces that a repository's Flux objects are in: where to look when looking everywhere is forbidden.
    fn namespaces(&self, repo: RepoId) -> Vec<Arc<str>> {
        let Some(repo) = self.repos.get(&repo) else { return Vec::new() };
        let files = repo.index.flux_files();
        let files = files.iter().filter_map(|path| repo.index.file(path));
        let namespaces: BTreeSet<&str> = files
            .flat_map(|file| file.documents())
            .filter_map(|placed| placed.document.identity()?.namespace.as_deref())
            .collect();
        namespaces.into_iter().map(Arc::from).collect()
    }

    /// Reads the recordings, if there are to be any.
    pub(super) fn read_recordings(&mut self) {
        for (file, name) in cluster::recording_names(self.recordings()) {
            self.background(move || Done::Recorded(recording(&file, &name)), || None);
        }
    }

    pub(super) fn recorded(&mut self, recording: Result<Recording, String>) {
        match recording {
            Ok(Recording { key, facts, newest, skipped }) => {
                if skipped > 0 {
                    tracing::info!(skipped, "objects in the recording that are not Flux's");
                }
                let contact = Contact::Recorded { newest };
                let cluster = Cluster {
                    key: Arc::clone(&key),
                    facts: Arc::new(facts),
                    proof: contact.proof(Timestamp::now()),
                    contact,
                    rights: Arc::default(),
                    objects: Arc::default(),
                    reading: BTreeMap::new(),
                    live: None,
                    waiting: None,
                    asked: BTreeSet::new(),
                };
                self.clusters.all.insert(key, cluster);
                self.everything_changed();
            }
            Err(sentence) => self.tell_once(MessageType::Error, format!("Flux: {sentence}")),
        }
    }

    /// Looks at the clocks and the kubeconfig files.
    pub(super) fn pulse(&mut self) {
        if self.clusters.all.values().all(|it| it.live.is_none()) {
            return;
        }
        self.timers.set(Timer::Pulse, PULSE);
        let clusters = &mut self.clusters;
        if let Some(jump) = clusters.clock.observe(Timestamp::now(), clusters.began.elapsed()) {
            tracing::info!(%jump, "the clock jumped, the machine slept");
            clusters.sessions().for_each(SessionHandle::poke);
            self.contacts_age();
        }
        self.look_at_kubeconfig();
    }

    /// A kubeconfig that was edited may mean other clusters by the same names.
    fn look_at_kubeconfig(&mut self) {
        let connected: Vec<_> =
            self.clusters.all.values().filter_map(|it| Some(&it.live.as_ref()?.context.key)).collect();
        let Some(paths) = connected.first().map(|key| key.kubeconfig.to_vec()) else { return };
        let names: Vec<Arc<str>> = connected.iter().map(|key| Arc::clone(&key.name)).collect();
        if std::mem::replace(&mut self.clusters.looking, true) {
            return;
        }
        let seen = self.clusters.seen.clone();
        let look = move || {
            let state = cluster::file_state(&paths);
            let mut contexts = Vec::new();
            if let Some((_, before)) = &seen
                && *before != state
            {
                let kubeconfig = Kubeconfig::load(&paths).ok();
                for name in names {
                    let context = kubeconfig.as_ref().and_then(|it| it.context(&name).ok());
                    let now = context.map(|context| {
                        let fingerprint = context.fingerprint();
                        (context, fingerprint)
                    });
                    contexts.push((name, now));
                }
            }
            Done::Kubeconfig(KubeconfigChange { state, contexts })
        };
        self.background(look, || None);
    }

    /// Contexts that mean the same cluster go on with what is new in them; those that mean another one stop until
    /// the user says yes again.
    pub(super) fn kubeconfig_changed(&mut self, change: KubeconfigChange) {
        self.clusters.looking = false;
        let paths =
            self.clusters.all.values().find_map(|it| Some(it.live.as_ref()?.context.key.kubeconfig.to_vec()));
        self.clusters.seen = paths.map(|paths| (paths, change.state));
        for (name, now) in change.contexts {
            let Some(live) = self.clusters.all.get(&name).and_then(|it| it.live.as_ref()) else { continue };
            match now {
                Some((context, fingerprint)) if fingerprint == live.fingerprint => {
                    // The credentials may be new: a session that waits for some tries them.
                    if matches!(live.status, SessionStatus::NeedsSignIn { .. } | SessionStatus::Ended { .. })
                    {
                        let repos: Vec<_> = live.repos.iter().copied().collect();
                        if let Some(live) = self.clusters.all.get_mut(&name).and_then(|it| it.live.as_mut()) {
                            live.session = None;
                        }
                        let again = repos.into_iter().map(|repo| Connect {
                            context: context.clone(),
                            fingerprint: fingerprint.clone(),
                            repo,
                            seen: None,
                            chosen: false,
                        });
                        self.connect(again.collect());
                    }
                }
                now => {
                    let sentence = if now.is_some() {
                        format!(
                            "Flux: the context {name} of your kubeconfig means another server, certificate authority \
                             or login command now. It is not contacted until you choose it again."
                        )
                    } else {
                        format!(
                            "Flux: the context {name} is not in your kubeconfig any more. It was disconnected."
                        )
                    };
                    self.clusters.disconnect(&name);
                    self.outbox.show(MessageType::Warning, sentence);
                    self.everything_changed();
                }
            }
        }
    }

    /// A file was opened: contexts that it belonged to when it was last seen are connected, if the user allowed it.
    pub(super) fn file_opened(&mut self, id: RepoId, path: &RepoPath) {
        self.forge_of_opened(id);
        if !self.may_contact() {
            return;
        }
        self.clusters.used(id);
        let Some(repo) = self.repos.get(&id) else { return };
        let (root, path) = (repo.disk.root().to_owned(), path.to_string());
        let (consents, kubeconfig) = (self.clusters.consents.clone(), self.kubeconfig_of());
        self.background(move || Done::Connect(remembered(id, &root, &path, &consents, &kubeconfig)), || None);
    }

    /// How the kubeconfig is found.
    pub(super) fn kubeconfig_of(&self) -> KubeconfigOf {
        KubeconfigOf {
            explicit: self.options.kubeconfig.clone().or_else(|| self.settings.kubeconfig.clone()),
            environment: self.options.environment,
        }
    }

    /// Remembers which contexts a file belongs to, so that opening it connects to them.
    pub(super) fn saw(&mut self, id: RepoId, path: &RepoPath, clusters: &[String]) {
        let Some(repo) = self.repos.get_mut(&id) else { return };
        for key in clusters {
            let Some(live) = self.clusters.all.get(key.as_str()).and_then(|it| it.live.as_ref()) else {
                continue;
            };
            if !repo.seen.insert((path.clone(), key.clone())) {
                continue;
            }
            let (consents, fingerprint) = (self.clusters.consents.clone(), live.fingerprint.clone());
            let (root, path) = (repo.disk.root().to_owned(), path.to_string());
            tokio::task::spawn_blocking(move || {
                if let Err(error) = consents.saw(&fingerprint, &root, &[&path]) {
                    tracing::warn!(%error, "what a file belongs to is forgotten when this window is closed");
                }
            });
        }
    }
}

/// How the kubeconfig is found.
#[derive(Clone)]
pub(crate) struct KubeconfigOf {
    explicit: Option<String>,
    environment: fn(&str) -> Option<std::ffi::OsString>,
}

impl KubeconfigOf {
    /// Reads it. Touches the disk.
    pub(crate) fn load(&self) -> Result<Kubeconfig, cluster::KubeconfigError> {
        Kubeconfig::load(&cluster::locate(self.explicit.as_deref(), self.environment)?)
    }
}

/// The contexts that a file was last seen to belong to, as far as they are allowed and mean what they did then.
fn remembered(
    repo: RepoId,
    root: &Path,
    file: &str,
    consents: &Consents,
    kubeconfig: &KubeconfigOf,
) -> Vec<Connect> {
    let fingerprints = consents.contexts_of(root, file);
    if fingerprints.is_empty() {
        return Vec::new();
    }
    let kubeconfig = match kubeconfig.load() {
        Ok(kubeconfig) => kubeconfig,
        Err(error) => {
            tracing::warn!(%error, "no remembered cluster is connected");
            return Vec::new();
        }
    };
    let connect = fingerprints.into_iter().filter_map(|fingerprint| {
        let context = kubeconfig.context(&fingerprint.context).ok()?;
        let same = context.fingerprint() == fingerprint;
        let allowed = consents.decision(&fingerprint, root) == Decision::Allowed;
        let seen = Some(kubeconfig.state().clone());
        (same && allowed).then_some(Connect { context, fingerprint, repo, seen, chosen: false })
    });
    connect.collect()
}

fn recording(file: &Path, name: &str) -> Result<Recording, String> {
    let recorded = cluster::read_list(file, name).map_err(|error| error.to_string())?;
    let key = super::seam::command_key(&recorded.context);
    // Without a time inside it, what is recorded is as old as the file.
    let now = recorded.recorded_at.unwrap_or_else(Timestamp::now);
    let (facts, _) = Facts::new(ClusterName(Arc::clone(&key))).apply(recorded.changes, now);
    Ok(Recording { key, facts, newest: recorded.recorded_at, skipped: recorded.skipped })
}
