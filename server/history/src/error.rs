//! What can go wrong between a question and the objects of a clone.

use std::path::PathBuf;

/// Why Git could not answer. Every variant reads as one sentence that says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No directory from the path upwards is a Git work tree.
    #[error("{} is not in a Git work tree; open a clone of the repository that Flux follows", .0.display())]
    NotARepository(PathBuf),

    /// There is a repository, but no files of it are checked out.
    #[error("{} is a bare Git repository without files; open a work tree of it", .0.display())]
    Bare(PathBuf),

    /// The commit exists for the cluster, but this clone does not have it (yet).
    #[error("commit {} is not in this clone; run `{}`", short(.wanted), .bring.command())]
    NotInThisClone {
        /// The full hash that was asked for.
        wanted: String,
        /// What would bring it.
        bring: Bring,
    },

    /// The clone has the commit, but left out some of its files (a partial clone).
    #[error("{what} was left out of this partial clone; run `git cat-file -p {id}`")]
    LeftOut {
        /// The object, as people would name it.
        what: String,
        /// Its hash: Git fetches such an object when somebody reads it.
        id: gix::ObjectId,
    },

    /// A question about the past that the end of a shallow clone leaves open.
    #[error("the history of this clone is cut off before the answer; run `{}`", .0.command())]
    CutOff(Bring),

    /// A hash of another algorithm than the repository's, so that it can never be found in it.
    #[error("{} is a {found} hash, but this repository uses {expected}; it belongs to another repository", short(.hash))]
    OtherHashKind {
        /// The hash that was asked for.
        hash: String,
        /// Its algorithm, by its length.
        found: &'static str,
        /// The algorithm of the repository.
        expected: &'static str,
    },

    /// Text that is no hash at all.
    #[error("'{0}' is not a commit hash")]
    NotAHash(String),

    /// A name that neither a branch, nor a tag, nor a hash begins with.
    #[error("'{name}' names no commit of this clone; run `{}` if it is new", .bring.command())]
    UnknownName {
        /// What was asked for.
        name: String,
        /// What might bring it.
        bring: Bring,
    },

    /// The object is there, but of another kind (a tag of a file, say).
    #[error("{what} is a {found}, not a {expected}")]
    OtherKind {
        /// The object, as people would name it.
        what: String,
        /// What it is.
        found: String,
        /// What was needed.
        expected: &'static str,
    },

    /// Branches and tags are kept in a way that is not read here.
    #[error(
        "this clone keeps its references as '{0}', which is not read yet; run `git refs migrate --ref-format=files`"
    )]
    OtherReferences(String),

    /// The repository could not be read: permissions, corruption, an unknown format.
    #[error("cannot read {what}: {why}; `git fsck` tells more")]
    Unreadable {
        /// What was being read.
        what: String,
        /// The library's own words.
        why: String,
    },
}

/// The command that would bring a missing commit into the clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bring {
    /// The clone was made with a depth, so that old commits are cut off.
    pub shallow: bool,
    /// The remote to ask, `None` if the clone has none.
    pub remote: Option<String>,
    /// The branch that would have it.
    pub branch: Option<String>,
}

impl Bring {
    /// What to type, ready to be pasted into a terminal.
    pub fn command(&self) -> String {
        // A name from a configuration file or a cluster is data; one that a shell could read as more is left out.
        let plain = |name: &&String| {
            !name.starts_with('-') && name.chars().all(|c| c.is_alphanumeric() || "-_./".contains(c))
        };
        let remote = self.remote.as_ref().filter(plain);
        if self.shallow {
            return match remote {
                Some(remote) => format!("git fetch --unshallow {remote}"),
                None => "git fetch --unshallow".to_owned(),
            };
        }
        match (remote, self.branch.as_ref().filter(plain)) {
            (Some(remote), Some(branch)) => format!("git fetch {remote} {branch}"),
            (Some(remote), None) => format!("git fetch {remote}"),
            (None, _) => "git fetch --all".to_owned(),
        }
    }
}

impl Error {
    /// The same error, with the command naming the branch that the source follows.
    pub fn on_branch(mut self, name: &str) -> Self {
        match &mut self {
            Self::NotInThisClone { bring, .. } | Self::UnknownName { bring, .. } => {
                bring.branch = Some(name.to_owned());
            }
            _ => {}
        }
        self
    }
}

/// The first seven characters of a hash, as Git shows them.
pub fn short(hash: &str) -> &str {
    hash.get(..7).unwrap_or(hash)
}
