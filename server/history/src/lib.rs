//! Git, as answers: trees at revisions, HEAD, branches and tags, remotes, what lies between two commits.
//!
//! A [`Repository`] is a cheap handle that any thread may use. It reads references afresh at every question;
//! the configuration (remotes, upstreams) is as of [`Repository::discover`], which takes well under a
//! millisecond: discover again when the configuration file changed. Nothing here writes, fetches, or starts
//! a program.

mod address;
mod ancestry;
mod change;
mod error;
mod references;
mod remote;
mod repository;
mod tree;
mod walk;
mod web;

#[cfg(test)]
mod tests;

pub use address::{RemoteUrl, normalise_url};
pub use change::Change;
pub use error::{Bring, Error, short};
pub use gix::ObjectId;
pub use references::{Head, RemoteBranch, Upstream};
pub use remote::Remote;
pub use repository::{CommitInfo, Repository, Standing};
pub use tree::GitTree;
pub use walk::{Count, Divergence, End, Touching};
pub use web::Website;

/// What every question here ends in.
pub type Result<T> = std::result::Result<T, Error>;
