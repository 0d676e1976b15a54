//! What sessions tell their one owner.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use flux::Kind;
use jiff::Timestamp;
use thiserror::Error;

use crate::context::ContextKey;

/// One message of a session to the owner of the world.
#[derive(Clone, Debug)]
pub struct Event {
    /// Whose.
    pub context: ContextKey,
    /// The generation that the session was started with: drop what an older session still sends.
    pub generation: u64,
    /// What happened.
    pub what: What,
}

/// What a session has to say.
#[derive(Clone, Debug)]
pub enum What {
    /// Objects or coverage changed. To be applied to the facts as one batch.
    Changes(Vec<flux::Change>),
    /// The cluster was heard of at this time. Sent at most every few seconds; in between ask
    /// [`crate::Session::last_contact`].
    Contact(Timestamp),
    /// The state of the session changed.
    Status(SessionStatus),
    /// The answer to [`crate::Session::ask_rights`]: all that is known so far.
    Rights(Rights),
    /// An answer to [`crate::Session::read`]: one object.
    Object(Box<crate::objects::Read>),
}

/// How a session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionStatus {
    /// First contact is being made, or objects are being listed for the first time.
    Connecting,
    /// A login command runs.
    SigningIn {
        /// The command, as people would type it.
        command: String,
    },
    /// Nothing happens until somebody signs in ([`crate::Session::sign_in`]).
    NeedsSignIn {
        /// Why.
        reason: SignInReason,
        /// The login command, if the context has one.
        command: Option<String>,
    },
    /// The context's server, certificate authority or login command is not the one that was consented to.
    NeedsConsent,
    /// Heard of within the last minute, and everything that is watched is up to date.
    Live,
    /// Was live; now not sure. Without ✓.
    Checking {
        /// When this becomes [`SessionStatus::LastSeen`].
        until: Timestamp,
    },
    /// Not up to date since then; tried again and again in the background.
    LastSeen(Timestamp),
    /// Could not be reached at all yet; tried again and again in the background.
    Unreachable {
        /// Why.
        error: ConnectError,
    },
    /// It answers, and has no kind of Flux.
    NotFlux,
    /// Nobody needed it for half an hour: released. The session has ended.
    Idle,
    /// The session has ended because it was cancelled, or cannot be had at all.
    Ended {
        /// Why, unless it was asked to.
        error: Option<ConnectError>,
    },
}

/// Why somebody has to sign in.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SignInReason {
    /// The API server does not accept what it was shown.
    #[error("the cluster does not accept the credentials (expired or revoked)")]
    Rejected,
    /// The login command failed.
    #[error("{0}")]
    Login(crate::exec::ExecError),
    /// `fluxcd.login` is `ask` or `never`.
    #[error("login commands run only when you ask (fluxcd.login)")]
    Policy,
    /// An earlier login took so long that it probably opened a browser.
    #[error("the login command may open a browser, so it runs only when you ask")]
    MayDisturb,
    /// The credentials expired while nobody was typing.
    #[error("the login expired while you were away")]
    Away,
    /// An earlier run failed, perhaps in another window, and nothing is tried twice unasked.
    #[error("the last login failed: {0}")]
    FailedBefore(String),
}

/// Why a cluster cannot be had. The text is for people.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConnectError {
    /// The kubeconfig, or the context in it.
    #[error(transparent)]
    Kubeconfig(#[from] crate::kubeconfig::KubeconfigError),
    /// Somebody has to sign in.
    #[error("{reason}. Sign in{}.", command.as_ref().map(|c| format!(" (runs `{c}`)")).unwrap_or_default())]
    SignIn {
        /// Why.
        reason: SignInReason,
        /// The login command, if there is one.
        command: Option<String>,
    },
    /// Name resolution, connection, TLS.
    #[error("cannot reach {server}: {why}")]
    Unreachable {
        /// The API server's URL.
        server: String,
        /// The innermost cause.
        why: String,
    },
    /// It did not answer in time.
    #[error("{server} does not answer (waited {seconds} s)")]
    TimedOut {
        /// The API server's URL.
        server: String,
        /// How long was waited.
        seconds: u64,
    },
    /// It answered with an error.
    #[error("{server} answered {code}: {message}")]
    Answered {
        /// The API server's URL.
        server: String,
        /// The HTTP status.
        code: u16,
        /// What it said, shortened.
        message: String,
    },
    /// It answered something that is not Kubernetes.
    #[error("{server} answers, but not like a Kubernetes API server: {why}")]
    NotKubernetes {
        /// The API server's URL.
        server: String,
        /// What could not be read.
        why: String,
    },
    /// What was consented to is not what the kubeconfig says now.
    #[error(
        "the kubeconfig changed the server, certificate authority or login command of this context: choose the cluster again"
    )]
    NeedsConsent,
    /// The user gave up waiting.
    #[error("cancelled")]
    Cancelled,
}

/// What the user may do, as the cluster answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// May objects of this kind in this namespace be patched? Absent: not known.
    pub patch: BTreeMap<(Kind, Arc<str>), bool>,
}

impl Rights {
    /// Whether objects of `kind` in `namespace` may be patched; `None` while that is not known.
    pub fn may_patch(&self, kind: Kind, namespace: &str) -> Option<bool> {
        self.patch.get(&(kind, Arc::from(namespace))).copied()
    }
}

impl fmt::Display for SessionStatus {
    /// A few words, for logs and `doctor`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SessionStatus::Connecting => f.write_str("connecting"),
            SessionStatus::SigningIn { command } => write!(f, "signing in ({command})"),
            SessionStatus::NeedsSignIn { reason, .. } => write!(f, "sign in: {reason}"),
            SessionStatus::NeedsConsent => f.write_str("changed, choose the cluster again"),
            SessionStatus::Live => f.write_str("live"),
            SessionStatus::Checking { .. } => f.write_str("checking"),
            SessionStatus::LastSeen(t) => write!(f, "last seen {t}"),
            SessionStatus::Unreachable { error } => write!(f, "{error}"),
            SessionStatus::NotFlux => f.write_str("no Flux in this cluster"),
            SessionStatus::Idle => f.write_str("released, nobody needed it"),
            SessionStatus::Ended { error: None } => f.write_str("disconnected"),
            SessionStatus::Ended { error: Some(e) } => write!(f, "{e}"),
        }
    }
}
