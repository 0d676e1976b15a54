//! Clusters: kubeconfig, consent, logins, sessions, watches, rights, actions; lists from a file. Async.
//!
//! A [`Session`] keeps one context in view and sends typed [`Event`]s to the one owner of the world; an
//! [`Access`] is a connection that can be asked and told. Neither contacts a cluster that its caller did not name,
//! and neither reads Secrets. What may be contacted is decided by [`Consents`], which the caller asks.

mod access;
mod action;
mod book;
mod client;
mod consent;
mod contact;
mod context;
mod discovery;
mod event;
mod exec;
#[cfg(test)]
mod fake;
mod kubeconfig;
mod objects;
mod recorded;
mod rights;
mod session;
mod snapshot;
mod state;
mod watch;
mod wire;

pub use access::{Access, AccessError};
pub use action::{Action, Outcome, Progress};
pub use book::Book;
pub use client::LoginPolicy;
pub use consent::{Answer, ConsentError, Consents, Decision};
pub use contact::{CHECKING_FOR, ContactState, FRESH_FOR, JumpDetector, contact_state};
pub use context::{ContextKey, PROTECTED_BY_DEFAULT, is_protected};
pub use event::{ConnectError, Event, Rights, SessionStatus, SignInReason, What};
pub use exec::{ExecError, QUICK, SIGN_IN, UNATTENDED};
pub use kubeconfig::{
    AuthKind, Context, ExecPlugin, FileState, Fingerprint, Kubeconfig, KubeconfigError, file_state, locate,
};
pub use objects::{Read, Wanted};
pub use recorded::{Recorded, RecordedError, read_list, recorded, recording_names};
pub use session::{Session, SessionOptions};
pub use snapshot::Snapshot;
pub use state::StateDir;
pub use wire::Clock;
