//! What the owner does about clusters: connects those that were chosen or are remembered, reads recordings, and looks at
//! clocks and kubeconfig files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use analysis::{Contact, Proof};
use cluster::{Clock, Consents, Decision, Kubeconfig, LoginPolicy, SessionOptions, SessionStatus};
use flux::{ClusterName, Facts};
use jiff::Timestamp;
use manifests::RepoPath;

use super::{Cluster, Connect, IDLE, KubeconfigChange, Live, PULSE, Recording};
use crate::lsp::types::MessageType;
use crate::server::seam::SessionHandle;
use crate::server::timers::Timer;
use crate::server::watch::RepoId;
use crate::server::world::{Done, World};
use crate::settings::{self, Login};

impl World {
    /// Connects contexts that were consented to.
    pub(in crate::server) fn connect(&mut self, contexts: Vec<Connect>) {
        for Connect { context, fingerprint, repo, seen, chosen } in contexts {
            if !self.may_contact() || !self.repos.contains_key(&repo) {
                continue;
            }
            let key = crate::server::seam::command_key(&context.key);
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
    pub(in crate::server) fn may_contact(&self) -> bool {
        self.settings.enable
            && self.settings.clusters == settings::Clusters::Ask
            && self.trusted != Some(false)
            && self.recordings().is_empty()
    }

    /// The recordings that stand in place of clusters.
    pub(in crate::server) fn recordings(&self) -> &[PathBuf] {
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
    pub(in crate::server) fn read_recordings(&mut self) {
        for (file, name) in cluster::recording_names(self.recordings()) {
            self.background(move || Done::Recorded(recording(&file, &name)), || None);
        }
    }

    pub(in crate::server) fn recorded(&mut self, recording: Result<Recording, String>) {
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
    pub(in crate::server) fn pulse(&mut self) {
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
    pub(in crate::server) fn kubeconfig_changed(&mut self, change: KubeconfigChange) {
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
    pub(in crate::server) fn file_opened(&mut self, id: RepoId, path: &RepoPath) {
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
    pub(in crate::server) fn kubeconfig_of(&self) -> KubeconfigOf {
        KubeconfigOf {
            explicit: self.options.kubeconfig.clone().or_else(|| self.settings.kubeconfig.clone()),
            environment: self.options.environment,
        }
    }

    /// Remembers which contexts a file belongs to, so that opening it connects to them.
    pub(in crate::server) fn saw(&mut self, id: RepoId, path: &RepoPath, clusters: &[String]) {
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
    let key = crate::server::seam::command_key(&recorded.context);
    // Without a time inside it, what is recorded is as old as the file.
    let now = recorded.recorded_at.unwrap_or_else(Timestamp::now);
    let (facts, _) = Facts::new(ClusterName(Arc::clone(&key))).apply(recorded.changes, now);
    Ok(Recording { key, facts, newest: recorded.recorded_at, skipped: recorded.skipped })
}
