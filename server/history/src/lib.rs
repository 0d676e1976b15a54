//! Git, as answers: trees at revisions, HEAD, upstream, remotes.
//!
//! A [`Repository`] is a cheap handle that any thread may use. It reads references afresh at every question;
//! the configuration (remotes, upstreams) is as of [`Repository::discover`], which takes well under a
//! millisecond: discover again when the configuration file changed. Nothing here writes, fetches, or starts
//! a program.

mod error;
mod remote;
mod repository;
mod tree;

#[cfg(test)]
mod tests;

pub use error::{Bring, Error, short};
pub use gix::ObjectId;
pub use remote::{Remote, RemoteUrl, normalise_url};
pub use repository::{CommitInfo, Head, Repository, Standing, Upstream};
pub use tree::GitTree;

/// What every question here ends in.
pub type Result<T> = std::result::Result<T, Error>;
