//! A GitOps repository that looks real, with its history, and what real Flux controllers say of it.
//!
//! - `repo/` is the newest commit, as plain files.
//! - `commits/NN-name/` is one commit each: `commit.toml`, and in `before/` what it changed or removed, as it
//!   was before. So the history is read backwards from `repo/`, and no text is there twice.
//! - `recorded/` is what the controllers of the two clusters said: Kubernetes `List`s, written by
//!   `cargo run -p e2e --bin record` and never by hand.
//!
//! All of it is embedded, so that the bare binary can lay it out ([`lay_out`]).

mod history;
mod lay_out;
mod scenario;

pub use history::{Commit, commits};
pub use lay_out::{LaidOut, lay_out};
pub use scenario::{Applied, Artifact, Expectation, Phase, Push, scenario};

/// Where the repository is pushed to, and what the sources of both clusters follow: the testbed's own Git
/// server, at an address that no other machine has, so that the hashes are the same everywhere.
pub const ORIGIN: &str = "http://127.0.77.1:3000/flux/fleet.git";

/// The owner of the repository and of the artifacts on the Git server.
pub const OWNER: &str = "flux";

/// The name of the repository on the Git server.
pub const REPOSITORY: &str = "fleet";

/// One of the two clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cluster {
    /// Follows `main`; where most things are tried, and most fail.
    Staging,
    /// Follows the branch `production`, some commits behind.
    Production,
}

impl Cluster {
    /// Both, staging first.
    pub const ALL: [Cluster; 2] = [Cluster::Staging, Cluster::Production];

    /// The name: of the context, and of the folder below `clusters/`.
    pub fn name(self) -> &'static str {
        match self {
            Cluster::Staging => "staging",
            Cluster::Production => "production",
        }
    }
}

/// What the real controllers said of a cluster: a Kubernetes `List` as JSON.
pub fn recorded(cluster: Cluster) -> &'static str {
    match cluster {
        Cluster::Staging => include_str!("../recorded/staging.json"),
        Cluster::Production => include_str!("../recorded/production.json"),
    }
}

/// Why the fleet could not be laid out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something is there already, and is not to be touched.
    #[error("{} is not empty; name a folder that is new or empty", .0.display())]
    NotEmpty(std::path::PathBuf),

    /// A file or folder could not be written.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// What was being written.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },

    /// The Git objects could not be written.
    #[error("cannot write the history: {0}")]
    Git(String),

    /// The embedded content contradicts itself: a mistake in `commits/`, found by the tests.
    #[error("the fleet's own content is wrong in commits/{commit}: {what}")]
    Content {
        /// The folder of the commit.
        commit: String,
        /// What is wrong with it.
        what: String,
    },
}

/// What laying out ends in.
pub type Result<T> = std::result::Result<T, Error>;

#[cfg(test)]
mod tests;
