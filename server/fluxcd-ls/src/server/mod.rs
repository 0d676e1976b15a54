//! The language server: one task owns everything that changes, and one closed enum lists what can wake it.

mod acting;
mod analysing;
mod checking;
mod choosing;
pub(crate) mod clusters;
mod commands;
mod configuring;
pub(crate) mod disk;
pub(crate) mod documents;
mod heads;
mod hearing;
mod navigating;
pub(crate) mod objects;
mod outbox;
pub(crate) mod past;
mod publishing;
mod reporting;
mod repositories;
pub(crate) mod repository;
mod seam;
mod status;
mod texts;
mod timers;
mod to_lsp;
pub(crate) mod view;
pub(crate) mod watch;
mod world;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use self::seam::{Acting, Clusters, Kubernetes, SessionHandle, Watcher};
use self::timers::Timer;
use self::watch::{RepoId, RepositoryChange};
use self::world::{Done, World};
use crate::logging::Log;
use crate::lsp::backend::{self, ClientMessage};
use crate::lsp::transport::{self, Ended};
use crate::paths::Paths;
use crate::settings::{CommandLine, UserFile};

/// A tick that takes longer is told in the log: while it runs, nothing is answered.
const SLOW: Duration = Duration::from_millis(50);
/// Events that are taken before the world settles: a burst of typing is one change.
const BURST: usize = 64;

/// What the owner can be woken by. Nothing else changes the world.
pub(crate) enum Event {
    /// The editor said something.
    Client(Box<ClientMessage>),
    /// A cluster said something.
    Cluster(cluster::Event),
    /// Files or branches changed.
    Repository(RepoId, RepositoryChange),
    /// A task came to an end.
    Done(Box<Done>),
    /// A moment came.
    Timer(Timer),
}

impl Event {
    fn name(&self) -> &'static str {
        match self {
            Event::Client(message) => message.name(),
            Event::Cluster(_) => "cluster",
            Event::Repository(..) => "repository",
            Event::Done(done) => done.name(),
            Event::Timer(_) => "timer",
        }
    }
}

/// How a server is started.
pub struct Options {
    /// Where the user's files are.
    pub paths: Paths,
    /// `--kubeconfig`.
    pub kubeconfig: Option<String>,
    /// `--snapshot`, as often as it was given.
    pub snapshots: Vec<PathBuf>,
    /// `--set`, as often as it was given.
    pub spoken: CommandLine,
    /// How clusters are reached: [`Kubernetes`], or a fake one in tests.
    pub clusters: Arc<dyn Clusters>,
    /// The environment variables that clusters are looked for with.
    pub environment: fn(&str) -> Option<std::ffi::OsString>,
    /// The log, to change its level.
    pub log: Option<Log>,
    /// Ends the server from outside of the protocol.
    pub stop: CancellationToken,
}

impl Options {
    /// For real clusters and the user's own files.
    pub fn new(paths: Paths) -> Options {
        Options {
            paths,
            kubeconfig: None,
            snapshots: Vec::new(),
            spoken: CommandLine::default(),
            clusters: Arc::new(Kubernetes),
            environment: |name| std::env::var_os(name),
            log: None,
            stop: CancellationToken::new(),
        }
    }

    /// What the user says: the file, and the command line above it.
    pub fn user_file(&self) -> UserFile {
        UserFile::read(&self.paths.config_file()).with(&self.spoken)
    }
}

/// Serves one editor until it says `exit` or goes away. Whether it said goodbye first (`shutdown`) is the answer.
pub async fn serve<R, W>(reader: R, writer: W, options: Options) -> bool
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let (events, inbox) = mpsc::unbounded_channel();
    let (service, socket, client) = backend::service(events.clone());
    let stop = options.stop.clone();
    let world = World::new(options, events, client, stop.clone());
    let owner = tokio::spawn(own(world, inbox, stop.clone()));
    let ended = transport::serve(service, socket, reader, writer, stop.clone()).await;
    tracing::info!(?ended, "the editor is gone");
    stop.cancel();
    let said_goodbye = owner.await.unwrap_or(false);
    ended != Ended::Cancelled && said_goodbye
}

/// The owner: takes one event after the other. Whether `shutdown` was among them is the answer.
async fn own(mut world: World, mut inbox: mpsc::UnboundedReceiver<Event>, stop: CancellationToken) -> bool {
    // However this ends, nothing goes on without an owner.
    let _guard = stop.clone().drop_guard();
    loop {
        let event = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            // Before the inbox: a client that never pauses must not keep a ✓ from ageing.
            timer = world.timers.next() => Event::Timer(timer),
            event = inbox.recv() => match event {
                Some(event) => event,
                None => break,
            },
        };
        tick(&mut world, event);
        for _ in 0..BURST {
            match inbox.try_recv() {
                Ok(event) => tick(&mut world, event),
                Err(_) => break,
            }
        }
        contained(&mut world, "settle", World::settle);
    }
    world.end();
    world.said_goodbye()
}

fn tick(world: &mut World, event: Event) {
    contained(world, event.name(), |world| world.take(event));
}

/// Runs a step. One that panics is told in the log; what was derived from texts and facts is made again.
fn contained(world: &mut World, name: &'static str, step: impl FnOnce(&mut World)) {
    let began = Instant::now();
    if let Err(panic) = std::panic::catch_unwind(AssertUnwindSafe(|| step(world))) {
        tracing::error!(step = name, panic = message(&panic), "a step failed; what is shown is made again");
        // If this fails too, the next event finds the world as it is.
        let _ = std::panic::catch_unwind(AssertUnwindSafe(|| world.rebuild()));
    }
    let took = began.elapsed();
    if took > SLOW {
        tracing::warn!(step = name, ?took, "a slow step: nothing was answered meanwhile");
    }
}

fn message(panic: &Box<dyn Any + Send>) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
