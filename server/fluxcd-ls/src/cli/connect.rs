//! The clusters that a command is about: recordings, and contexts that were named on the command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use analysis::Contact;
use cluster::{
    Access, Context, Kubeconfig, LoginPolicy, Session, SessionOptions, SessionStatus, StateDir, What,
};
use flux::Facts;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::CliError;
use crate::paths::Paths;
use crate::server::view::ClusterSnapshot;
use crate::settings::{Level, Login, Settings, UserFile};

/// How long a cluster may take to list its Flux objects.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Which clusters a command is about.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Selection {
    /// A context of the kubeconfig to ask; may be given several times.
    #[arg(long = "context", value_name = "CONTEXT")]
    pub contexts: Vec<String>,
    /// A recorded cluster in place of a live one (a Kubernetes List, as `fluxcd-ls snapshot` or kubectl write it); may be given several times.
    #[arg(long = "snapshot", value_name = "FILE")]
    pub snapshots: Vec<PathBuf>,
    /// The kubeconfig, instead of $KUBECONFIG and ~/.kube/config.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<String>,
}

/// What was gathered of the clusters that a command is about.
#[derive(Default)]
pub struct Gathered {
    /// The clusters as far as they can be had.
    pub clusters: Vec<ClusterSnapshot>,
    /// Sentences about those that cannot.
    pub unknown: Vec<String>,
    /// By key: connections to those that are live.
    pub connections: BTreeMap<Arc<str>, Access>,
}

/// The user's own settings; what is wrong with the file goes to standard error.
pub fn settings() -> Settings {
    let file = UserFile::read(&Paths::from_environment().config_file());
    for problem in &file.problems {
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("fluxcd-ls: {problem}\n"));
    }
    // How bad a mark may look is a matter of editors; here it decides how `check` ends.
    Settings { max_severity: Level::Error, ..file.settings }
}

impl Selection {
    /// Whether there is a cluster that it is about, or a recording of one.
    pub fn names_any(&self, settings: &Settings) -> bool {
        !(self.contexts.is_empty() && self.snapshots.is_empty() && settings.snapshots.is_empty())
    }

    /// The clusters as far as they can be had, with connections to those that are live, and sentences about those that cannot.
    pub async fn gather(&self, settings: &Settings) -> Result<Gathered, CliError> {
        let mut clusters = self.recordings(settings)?;
        let (mut unknown, mut connections) = (Vec::new(), BTreeMap::new());
        if !self.contexts.is_empty() {
            let kubeconfig = self.kubeconfig(settings)?;
            for name in &self.contexts {
                match live(&kubeconfig, name, settings).await {
                    Ok((cluster, access)) => {
                        connections.extend(access.map(|it| (Arc::clone(&cluster.key), it)));
                        clusters.push(cluster);
                    }
                    Err(error) => unknown.push(format!("{}: {error}", settings.alias(name))),
                }
            }
        }
        Ok(Gathered { clusters, unknown, connections })
    }

    /// The clusters that are recorded. It is an error if there are none, and no context is named either.
    pub fn recordings(&self, settings: &Settings) -> Result<Vec<ClusterSnapshot>, CliError> {
        let own = self.snapshots.is_empty() && self.contexts.is_empty();
        let snapshots = if own { &settings.snapshots } else { &self.snapshots };
        let named = cluster::recording_names(snapshots);
        if named.is_empty() && self.contexts.is_empty() {
            return Err(CliError::told(
                "no cluster is named, and none is asked unasked: add --context CONTEXT or --snapshot FILE",
            ));
        }
        named.iter().map(|(file, name)| recorded(file, name, settings)).collect()
    }

    /// The kubeconfig that holds.
    pub fn kubeconfig(&self, settings: &Settings) -> Result<Kubeconfig, CliError> {
        let explicit = self.kubeconfig.clone().or_else(|| settings.kubeconfig.clone());
        let paths =
            cluster::locate(explicit.as_deref(), |name| std::env::var_os(name)).map_err(CliError::told)?;
        Kubeconfig::load(&paths).map_err(CliError::told)
    }
}

/// How a session of a command is to behave. The user named the context just now, so its login command may run; never
/// with the terminal as its input, and not twice.
pub fn options(settings: &Settings) -> Result<SessionOptions, CliError> {
    let state = StateDir::locate(|name| std::env::var_os(name))
        .ok_or_else(|| CliError::told("no home folder: set HOME or XDG_STATE_HOME"))?;
    let mut options = SessionOptions::new(state);
    options.chosen = true;
    options.login = match settings.login {
        Login::Never => LoginPolicy::Never,
        Login::Quiet | Login::Ask => LoginPolicy::Quiet,
    };
    Ok(options)
}

/// A recording as a cluster of this name.
pub fn recorded(file: &Path, name: &str, settings: &Settings) -> Result<ClusterSnapshot, CliError> {
    Ok(of_recording(cluster::read_list(file, name).map_err(CliError::told)?, settings))
}

/// A recording that was read.
pub fn of_recording(recorded: cluster::Recorded, settings: &Settings) -> ClusterSnapshot {
    let (facts, _) =
        Facts::new(recorded.context.to_string().as_str().into()).apply(recorded.changes, Timestamp::now());
    ClusterSnapshot {
        key: Arc::from(recorded.context.to_string()),
        name: Arc::from(settings.alias(&recorded.context.name)),
        facts: Arc::new(facts),
        contact: Contact::Recorded { newest: recorded.recorded_at },
        rights: Arc::default(),
        live: Arc::default(),
        protected: false,
    }
}

/// Asks a live cluster once: until everything that may be listed has been.
async fn live(
    kubeconfig: &Kubeconfig,
    name: &str,
    settings: &Settings,
) -> Result<(ClusterSnapshot, Option<Access>), CliError> {
    let context: Context = kubeconfig.context(name).map_err(CliError::told)?;
    let (sender, mut events) = mpsc::channel(64);
    let session = Session::start(context, options(settings)?, sender);
    let mut facts = Facts::new(name.into());
    let listed = async {
        while let Some(event) = events.recv().await {
            match event.what {
                What::Changes(changes) => facts = facts.apply(changes, Timestamp::now()).0,
                What::Status(SessionStatus::Live) => return Ok(()),
                What::Status(SessionStatus::NotFlux) => {
                    return Err(CliError::told("no Flux in this cluster"));
                }
                What::Status(
                    status @ (SessionStatus::NeedsSignIn { .. }
                    | SessionStatus::Unreachable { .. }
                    | SessionStatus::NeedsConsent
                    | SessionStatus::Ended { .. }),
                ) => return Err(CliError::told(status)),
                What::Status(_) | What::Contact(_) | What::Rights(_) | What::Object(_) => {}
            }
        }
        Err(CliError::told("the session ended without a word"))
    };
    let answer = tokio::time::timeout(PATIENCE, listed).await;
    let access = session.access();
    drop(session);
    match answer {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(error),
        Err(_) => {
            return Err(CliError::told(format!("did not list its objects within {} s", PATIENCE.as_secs())));
        }
    }
    let snapshot = ClusterSnapshot {
        key: Arc::from(name),
        name: Arc::from(settings.alias(name)),
        facts: Arc::new(facts),
        contact: Contact::Live { at: Timestamp::now() },
        rights: Arc::default(),
        live: Arc::default(),
        protected: settings.is_protected(name),
    };
    Ok((snapshot, access))
}
