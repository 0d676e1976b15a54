//! The mutable world. Only its owner touches it.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tower_lsp::Client;

use super::analysing::{Analysed, Lanes, Marked};
use super::choosing::Offers;
use super::clusters::{ClusterSet, Connect, Recording};
use super::commands::Running;
use super::configuring::{OwnFiles, OwnFilesState};
use super::documents::{Document, Stamped};
use super::heads::HeadFound;
use super::hearing::Applied;
use super::objects::Wanted;
use super::outbox::Outbox;
use super::past::Answers;
use super::publishing::Published;
use super::reporting::{ForgeFound, FoundTokens, Reading};
use super::repository::{Found, Indexed, Repo};
use super::timers::{Timer, Timers};
use super::watch::RepoId;
use super::{Event, Options};
use crate::lsp::backend::ClientMessage;
use crate::lsp::custom::StatusParams;
use crate::lsp::types as lsp;
use crate::settings::{Problem, Settings, UserFile};

/// What the editor can do, asked once.
#[derive(Debug, Default, Clone)]
pub(crate) struct Capabilities {
    /// Lenses are asked for again when we say so.
    pub lens_refresh: bool,
    /// Settings can be asked for.
    pub configuration: bool,
    /// Changes of settings have to be subscribed to.
    pub configuration_registration: bool,
    /// Tasks can be shown.
    pub progress: bool,
    /// Documents can be opened from here.
    pub show_document: bool,
    /// `fluxcd/pick`.
    pub pick: bool,
    /// `fluxcd/details`.
    pub details: bool,
    /// `fluxcd/status`.
    pub status: bool,
    /// `fluxcd/outcome`.
    pub outcome: bool,
    /// Messages may have buttons.
    pub message_buttons: bool,
    /// `fluxcd/token`.
    pub token: bool,
    /// A definition may say which words lead there, and how large what is there is.
    pub definition_links: bool,
    /// Verbs after the state of a lens.
    pub lens_verbs: usize,
    /// The first line that a lens can be seen at.
    pub first_lens_line: u32,
}

/// What a task came to.
pub(crate) enum Done {
    /// A repository was looked for.
    Found(lsp::Uri, Box<Found>),
    /// Files were read into the index; none if that failed.
    Indexed(RepoId, Option<Indexed>),
    /// The marks of an open file were found.
    Marked(Marked),
    /// Files were analysed; none if that failed.
    Analysed(Analysed),
    /// Everything was counted for the status bar; none if that failed.
    Counted(Option<analysis::Summary>),
    /// How HEAD stands was looked at; none if that failed.
    Head(RepoId, Option<Box<HeadFound>>),
    /// The user wants to see why an object of a cluster failed.
    GoToCause(RepoId, String, flux::ObjectId),
    /// Lenses were sent.
    LensesServed(lsp::Uri, Stamped),
    /// Git answered.
    Answered(RepoId, Answers),
    /// Git was read again, at this count of readings.
    Git(RepoId, u64, Box<Found>),
    /// A recording was read.
    Recorded(Result<Recording, String>),
    /// A large batch of a cluster was taken in.
    Applied(Box<Applied>),
    /// Contexts are to be connected.
    Connect(Vec<Connect>),
    /// Which contexts there are, and what was answered about them.
    Offers(RepoId, Offers),
    /// Answers changed: what can be offered is looked for again.
    LookForOffers(RepoId),
    /// Where a repository's forge is was looked for.
    Forge(RepoId, Box<ForgeFound>),
    /// Consents changed: the forge is looked for again.
    LookForForge(RepoId),
    /// The user said that the forge may be asked, and maybe signed in.
    AskForge(RepoId, Option<forge::Token>),
    /// A forge was asked.
    Reported(RepoId, Box<Reading>),
    /// Kubeconfig files were looked at; the contexts that are not what they were.
    Kubeconfig(super::clusters::KubeconfigChange),
    /// A cluster was chosen to sign in to.
    SignIn(Arc<str>),
    /// A login ended, or was given up.
    SignInEnded(lsp::ProgressToken, Arc<str>),
    /// A cluster was chosen to be let go.
    Disconnect(Arc<str>),
    /// The user wants an object resumed that was found suspended.
    Resume(Arc<str>, flux::ObjectId),
    /// A cluster was chosen whose details are to be shown.
    ShowDetails(Option<lsp::Uri>, Option<lsp::Position>, String),
    /// The editor told its settings.
    Configured(serde_json::Value),
    /// The user's own files were looked at; none if that failed.
    OwnFiles(Option<Box<OwnFiles>>),
    /// An action ended.
    Acted(lsp::ProgressToken),
    /// A fetch that was asked for ended.
    Checked(lsp::ProgressToken, RepoId),
}

impl Done {
    /// For the log.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Done::Found(..) => "found",
            Done::Indexed(..) => "indexed",
            Done::Marked(_) => "marked",
            Done::Analysed(_) => "analysed",
            Done::Counted(_) => "counted",
            Done::Head(..) => "head",
            Done::GoToCause(..) => "go to cause",
            Done::LensesServed(..) => "lenses served",
            Done::Answered(..) => "answered",
            Done::Git(..) => "git",
            Done::Recorded(_) => "recorded",
            Done::Applied(_) => "applied",
            Done::Connect(_) => "connect",
            Done::Offers(..) => "offers",
            Done::LookForOffers(_) => "look for offers",
            Done::Forge(..) => "forge",
            Done::LookForForge(_) => "look for forge",
            Done::AskForge(..) => "ask forge",
            Done::Reported(..) => "reported",
            Done::Kubeconfig(_) => "kubeconfig",
            Done::SignIn(_) => "sign in",
            Done::SignInEnded(..) => "sign in ended",
            Done::Disconnect(_) => "disconnect",
            Done::Resume(..) => "resume",
            Done::ShowDetails(..) => "show details",
            Done::Configured(_) => "configured",
            Done::OwnFiles(_) => "own files",
            Done::Acted(_) => "acted",
            Done::Checked(..) => "checked",
        }
    }
}

/// Everything that changes.
pub(crate) struct World {
    pub(super) options: Options,
    pub(super) events: mpsc::UnboundedSender<Event>,
    pub(super) outbox: Outbox,
    pub(super) stop: CancellationToken,
    pub(super) timers: Timers,

    pub(super) client: Capabilities,
    pub(super) user_file: UserFile,
    /// The user's own files, as they were when they were last looked at.
    pub(super) own_files: Option<OwnFilesState>,
    /// What the editor said under `fluxcd`.
    pub(super) editor_settings: serde_json::Value,
    pub(super) settings: Settings,
    pub(super) analysis_settings: Arc<analysis::Settings>,
    /// None: the editor knows no trust, the consent per repository stands for it.
    pub(super) trusted: Option<bool>,
    pub(super) folders: Vec<PathBuf>,
    pub(super) parent: Option<i32>,
    pub(super) initialized: bool,
    goodbye: bool,

    pub(super) documents: HashMap<lsp::Uri, Document>,
    pub(super) repos: BTreeMap<RepoId, Repo>,
    pub(super) next_repo: u32,
    pub(super) lanes: BTreeMap<RepoId, Lanes>,
    pub(super) clusters: ClusterSet,
    /// The live objects that open files are about.
    pub(super) wanted: Wanted,
    pub(super) published: Published,
    pub(super) running: Running,
    pub(super) told: Vec<String>,
    /// Counts what may change an answer.
    pub(super) generation: u64,
    pub(super) refresh_lenses: bool,
    pub(super) status_dirty: bool,
    /// Whether the status bar's counts are being made.
    pub(super) counting: bool,
    /// The newest counts, without how HEAD stands.
    pub(super) counts: Option<StatusParams>,
    /// What the status bar was told.
    pub(super) status: Option<StatusParams>,
    /// What in the settings was not taken, until it was told.
    pub(super) problems: Vec<Problem>,
    /// Asks forges; made when the first one is to be asked.
    pub(super) forge_client: Option<Result<forge::Client, forge::Error>>,
    /// Tokens that were found in this session.
    pub(super) forge_tokens: FoundTokens,
    /// When the editor last said something.
    pub(super) heard: Option<Instant>,
}

impl World {
    /// A world before `initialize`.
    pub(crate) fn new(
        options: Options,
        events: mpsc::UnboundedSender<Event>,
        client: Client,
        stop: CancellationToken,
    ) -> World {
        let user_file = options.user_file();
        let clusters = ClusterSet::new(&options, events.clone());
        World {
            events,
            outbox: Outbox::start(client, stop.clone()),
            stop,
            timers: Timers::default(),
            client: Capabilities::default(),
            editor_settings: serde_json::Value::Null,
            settings: user_file.settings.clone(),
            user_file,
            own_files: None,
            analysis_settings: Arc::default(),
            trusted: None,
            folders: Vec::new(),
            parent: None,
            initialized: false,
            goodbye: false,
            documents: HashMap::new(),
            repos: BTreeMap::new(),
            next_repo: 0,
            lanes: BTreeMap::new(),
            clusters,
            wanted: Wanted::default(),
            published: Published::default(),
            running: Running::default(),
            told: Vec::new(),
            generation: 0,
            refresh_lenses: false,
            status_dirty: false,
            counting: false,
            counts: None,
            status: None,
            problems: Vec::new(),
            forge_client: None,
            forge_tokens: FoundTokens::default(),
            heard: None,
            options,
        }
    }

    /// Takes one event.
    pub(crate) fn take(&mut self, event: Event) {
        match event {
            Event::Client(message) => self.hear(*message),
            Event::Cluster(event) => self.cluster_said(event),
            Event::Repository(repo, change) => self.repository_changed(repo, change),
            Event::Done(done) => self.done(*done),
            Event::Timer(timer) => self.moment(timer),
        }
    }

    pub(super) fn hear(&mut self, message: ClientMessage) {
        self.heard = Some(Instant::now());
        match message {
            ClientMessage::Initialize(params, reply) => {
                // Fails only when the editor is gone already.
                let _ = reply.send(Ok(self.initialize(*params)));
            }
            ClientMessage::Initialized => self.initialized(),
            ClientMessage::Shutdown(reply) => {
                self.goodbye = true;
                let _ = reply.send(Ok(()));
            }
            ClientMessage::Opened(document) => self.opened(document),
            ClientMessage::Changed(change) => self.changed(change),
            ClientMessage::Saved(uri) => self.saved(&uri),
            ClientMessage::Closed(uri) => self.closed(&uri),
            ClientMessage::Configured(settings) => self.configured(settings),
            ClientMessage::Folders(change) => self.folders_changed(change),
            ClientMessage::Trusted => self.now_trusted(),
            ClientMessage::CancelProgress(token) => self.running.cancel(&token),
            ClientMessage::Hover(..)
            | ClientMessage::CodeLens(..)
            | ClientMessage::CodeAction(..)
            | ClientMessage::Definition(..)
            | ClientMessage::References(..)
            | ClientMessage::Links(..) => self.question(message),
            ClientMessage::Command(params, reply) => self.command(params, reply),
        }
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Found(uri, found) => self.found(&uri, *found),
            Done::Indexed(repo, indexed) => self.indexed(repo, indexed),
            Done::Marked(marked) => self.marked(marked),
            Done::Analysed(analysed) => self.analysed(analysed),
            Done::Counted(summary) => self.counted(summary),
            Done::Head(repo, found) => self.head_found(repo, found.map(|it| *it)),
            Done::GoToCause(repo, cluster, object) => self.go_to_cause_in(repo, cluster, object),
            Done::LensesServed(uri, lenses) => self.lenses_served(&uri, lenses),
            Done::Answered(repo, answers) => self.git_answered(repo, answers),
            Done::Git(repo, reading, found) => self.git_read(repo, reading, *found),
            Done::Recorded(recording) => self.recorded(recording),
            Done::Applied(applied) => self.applied(*applied),
            Done::Connect(contexts) => self.connect(contexts),
            Done::Offers(repo, offers) => self.offered(repo, offers),
            Done::LookForOffers(repo) => self.look_for_offers(repo),
            Done::Forge(repo, found) => self.forge_found(repo, *found),
            Done::LookForForge(repo) => self.look_for_forge(repo),
            Done::AskForge(repo, token) => self.ask_forge(repo, token),
            Done::Reported(repo, reading) => self.reported(repo, *reading),
            Done::Kubeconfig(change) => self.kubeconfig_changed(change),
            Done::SignIn(key) => self.sign_in(&key),
            Done::SignInEnded(token, key) => self.sign_in_ended(&token, &key),
            Done::Disconnect(key) => self.disconnect(&key),
            Done::Resume(key, object) => self.act_on(&key, object, cluster::Action::Resume, true),
            Done::ShowDetails(uri, position, cluster) => self.details_in(uri, position, cluster),
            Done::Configured(settings) => self.editor_settings_are(settings),
            Done::OwnFiles(seen) => self.own_files_seen(seen),
            Done::Acted(token) => self.running.ended(&token),
            Done::Checked(token, repo) => self.checked(&token, repo),
        }
    }

    fn moment(&mut self, timer: Timer) {
        match timer {
            Timer::Quiet => self.quiet(),
            Timer::Recheck => self.recheck(),
            Timer::Contact => self.contacts_age(),
            Timer::Pulse => self.pulse(),
            Timer::Objects => self.objects_age(),
            Timer::OwnFiles => self.look_at_own_files(),
            Timer::Forges => self.forges_due(),
            Timer::Heads => self.heads_due(),
            Timer::Parent => self.look_for_parent(),
        }
    }

    /// Starts what the events before have made necessary.
    pub(crate) fn settle(&mut self) {
        self.start_indexing();
        self.start_analysing();
        self.tell_status();
        if std::mem::take(&mut self.refresh_lenses) && self.client.lens_refresh && self.initialized {
            self.outbox.ask::<lsp::CodeLensRefreshRequest>(());
        }
    }

    /// Makes everything again that follows from texts and facts.
    pub(crate) fn rebuild(&mut self) {
        for lanes in self.lanes.values_mut() {
            lanes.reset();
        }
        for repo in self.repos.values_mut() {
            repo.memo = Arc::default();
            repo.told.clear();
            repo.stale.all = true;
            repo.indexing = false;
            repo.head.reset();
        }
        self.counting = false;
        self.everything_changed();
    }

    /// Ends everything that runs.
    pub(crate) fn end(&mut self) {
        self.stop.cancel();
        self.running.cancel_all();
        self.clusters.end();
        self.repos.clear();
    }

    /// Whether the editor said `shutdown`.
    pub(crate) fn said_goodbye(&self) -> bool {
        self.goodbye
    }

    /// Runs slow work on a thread of its own and takes what it came to. Work that panics comes to `otherwise`.
    pub(super) fn background(
        &self,
        work: impl FnOnce() -> Done + Send + 'static,
        otherwise: impl FnOnce() -> Option<Done> + Send + 'static,
    ) {
        let events = self.events.clone();
        tokio::task::spawn_blocking(move || {
            let done = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
                Ok(done) => Some(done),
                Err(panic) => {
                    tracing::error!(panic = super::message(&panic), "a task failed");
                    otherwise()
                }
            };
            if let Some(done) = done {
                // Fails only when the server ends.
                let _ = events.send(Event::Done(Box::new(done)));
            }
        });
    }

    /// Shows a sentence once.
    pub(super) fn tell_once(&mut self, kind: lsp::MessageType, message: String) {
        if !self.told.contains(&message) {
            tracing::warn!("{message}");
            self.outbox.show(kind, message.clone());
            self.told.push(message);
        }
    }

    /// Watches the editor's process: one that was killed says no goodbye, and where its streams were inherited
    /// they stay open. A number that means nothing here (a container) is forgotten.
    pub(super) fn watch_parent(&mut self) {
        if self.parent_lives() == Some(false) {
            self.parent = None;
        }
        self.look_for_parent();
    }

    pub(super) fn look_for_parent(&mut self) {
        const EVERY: Duration = Duration::from_secs(10);
        match self.parent_lives() {
            Some(true) => self.timers.set(Timer::Parent, EVERY),
            Some(false) => {
                tracing::info!("the editor's process is gone");
                self.stop.cancel();
            }
            None => {}
        }
    }

    /// None where it cannot be told.
    #[cfg(unix)]
    fn parent_lives(&self) -> Option<bool> {
        let parent = rustix::process::Pid::from_raw(self.parent?)?;
        Some(rustix::process::test_kill_process(parent) != Err(rustix::io::Errno::SRCH))
    }

    #[cfg(not(unix))]
    fn parent_lives(&self) -> Option<bool> {
        let _ = self.parent;
        None
    }
}
