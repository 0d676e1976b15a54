//! A clone and what it knows of itself.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use manifests::RepoPath;

use crate::error::{Bring, Error};
use crate::{GitTree, Result};

/// An opened clone. Cloning the handle is cheap, and any thread may use it.
#[derive(Clone)]
pub struct Repository {
    inner: Arc<gix::ThreadSafeRepository>,
    work_dir: Arc<Path>,
    /// The same directory with symbolic links resolved, because editors name files either way.
    real_work_dir: Arc<Path>,
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository").field("work_dir", &self.work_dir).finish_non_exhaustive()
    }
}

/// What people want to read of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// The full hash.
    pub id: ObjectId,
    /// The first line of the message.
    pub subject: String,
    /// The author's name.
    pub author: String,
    /// When it was committed (not authored: a rebase makes a new text of an old one).
    pub time: jiff::Timestamp,
}

/// How a text stands to the file in the commit that is checked out. Line ends do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The same text.
    Committed,
    /// Another text.
    Changed,
    /// HEAD has no such file.
    New,
    /// HEAD has the file, the disk does not.
    Removed,
    /// Neither has it.
    Absent,
}

impl Repository {
    /// The repository whose work tree `path` is in: of a normal clone, a linked work tree or a submodule.
    /// `path` may be a file, and need not exist yet.
    ///
    /// # Errors
    /// [`Error::NotARepository`], [`Error::Bare`], or [`Error::Unreadable`] for one that cannot be opened.
    pub fn discover(path: &Path) -> Result<Self> {
        let start = path.ancestors().find(|dir| dir.is_dir()).unwrap_or(path);
        let mapping = gix::sec::trust::Mapping {
            full: options().with(gix::sec::Trust::Full),
            // Another user's clone: its own configuration is not obeyed, only read as data.
            reduced: options().with(gix::sec::Trust::Reduced),
        };
        let found = gix::ThreadSafeRepository::discover_opts(start, Default::default(), mapping);
        let inner = found.map_err(|error| {
            // The library tells "nothing found" from "found, but unreadable" by text only; whether there is
            // a `.git` on the way up decides it as well.
            if start.ancestors().any(|dir| dir.join(".git").exists()) {
                Error::Unreadable {
                    what: format!("the repository at {}", start.display()),
                    why: one_line(&error),
                }
            } else {
                Error::NotARepository(path.to_owned())
            }
        })?;
        let Some(work_dir) = inner.work_dir().map(Path::to_owned) else {
            return Err(Error::Bare(inner.path().to_owned()));
        };
        let work_dir = std::path::absolute(&work_dir).unwrap_or(work_dir);
        let real_work_dir = work_dir.canonicalize().unwrap_or_else(|_| work_dir.clone());
        Ok(Self { inner: Arc::new(inner), work_dir: work_dir.into(), real_work_dir: real_work_dir.into() })
    }

    /// The folder that holds the files.
    pub fn work_dir(&self) -> &Path {
        &self.work_dir
    }

    /// This work tree's own Git directory, where its HEAD and index are: watch it.
    pub fn git_dir(&self) -> PathBuf {
        let dir = self.inner.path();
        std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned())
    }

    /// The Git directory shared by all work trees, where refs, packed-refs and configuration are: watch it.
    pub fn common_dir(&self) -> PathBuf {
        let dir = self.local().common_dir().to_owned();
        // A linked work tree names it with `..` inside.
        dir.canonicalize().or_else(|_| std::path::absolute(&dir)).unwrap_or(dir)
    }

    /// The path of a file as the repository names it; `None` outside of the work tree.
    pub fn relative(&self, path: &Path) -> Option<RepoPath> {
        let inside =
            path.strip_prefix(&self.work_dir).or_else(|_| path.strip_prefix(&self.real_work_dir)).ok()?;
        let parts: Option<Vec<&str>> = inside.components().map(|part| part.as_os_str().to_str()).collect();
        RepoPath::new(&parts?.join("/"))
    }

    /// The commit behind a full hash, as a revision of Flux names it.
    ///
    /// # Errors
    /// [`Error::NotInThisClone`] names the command that would bring it.
    pub fn commit(&self, hash: &str) -> Result<CommitInfo> {
        let repo = self.local();
        let commit = self.find_commit(&repo, hash)?;
        info(&commit)
    }

    /// The files of the commit behind a full hash.
    ///
    /// # Errors
    /// [`Error::NotInThisClone`] names the command that would bring it.
    pub fn tree(&self, hash: &str) -> Result<GitTree> {
        let repo = self.local();
        let commit = self.find_commit(&repo, hash)?;
        let root = commit
            .tree_id()
            .map_err(|error| unreadable(&format!("commit {}", crate::short(hash)), &error))?;
        Ok(GitTree::new(Arc::clone(&self.inner), root.detach()))
    }

    /// The commit that a name stands for: a full or short hash, a branch, a tag (of any depth), `HEAD~2`.
    ///
    /// # Errors
    /// [`Error::UnknownName`]; [`Error::NotInThisClone`] for a full hash that is not here.
    pub fn resolve(&self, name: &str) -> Result<ObjectId> {
        let repo = self.local();
        let hexadecimal = name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if hexadecimal && matches!(name.len(), 40 | 64) {
            return Ok(self.find_commit(&repo, name)?.id);
        }
        // Longer than any hash of this repository: the library is not asked, it would compare kinds that differ.
        if hexadecimal && name.len() > repo.object_hash().len_in_hex() {
            return Err(Error::NotAHash(name.to_owned()));
        }
        self.readable_references()?;
        let unknown = || Error::UnknownName { name: name.to_owned(), bring: self.bring(&repo) };
        let id = repo.rev_parse_single(BStr::new(name.as_bytes())).map_err(|_| unknown())?;
        let object = id.object().map_err(|error| unreadable(name, &error))?;
        let peeled = object.peel_tags_to_end().map_err(|error| unreadable(name, &error))?;
        match peeled.kind {
            gix::objs::Kind::Commit => Ok(peeled.id),
            kind => {
                Err(Error::OtherKind { what: name.to_owned(), found: kind.to_string(), expected: "commit" })
            }
        }
    }

    /// Whether the history of `descendant` has `ancestor` in it (a commit is its own ancestor).
    ///
    /// # Errors
    /// As [`Repository::commit`]. In a shallow clone a *no* may only mean that the history was cut off:
    /// it is then [`Error::CutOff`].
    pub fn is_ancestor(&self, ancestor: &str, descendant: &str) -> Result<bool> {
        let repo = self.local();
        let (ancestor, descendant) =
            (self.find_commit(&repo, ancestor)?.id, self.find_commit(&repo, descendant)?.id);
        if ancestor == descendant {
            return Ok(true);
        }
        let bring = self.bring(&repo);
        match repo.merge_base(ancestor, descendant) {
            Ok(base) if base.as_ref().is_some_and(|base| base.detach() == ancestor) => Ok(true),
            Ok(_) if bring.shallow => Err(Error::CutOff(bring)),
            Ok(_) => Ok(false),
            Err(error) => Err(unreadable("the history", &error)),
        }
    }

    /// The files of the commit that is checked out; `None` before the first commit.
    ///
    /// # Errors
    /// [`Error::Unreadable`].
    pub fn head_tree(&self) -> Result<Option<GitTree>> {
        self.head()?.commit.map(|commit| self.tree(&commit.to_string())).transpose()
    }

    /// The id of a file's content in the commit that is checked out.
    ///
    /// # Errors
    /// [`Error::Unreadable`].
    pub fn head_blob(&self, path: &RepoPath) -> Result<Option<ObjectId>> {
        Ok(self.head_tree()?.and_then(|tree| tree.blob_id(path)))
    }

    /// How the file on disk stands to the commit that is checked out.
    ///
    /// # Errors
    /// [`Error::Unreadable`].
    pub fn standing(&self, path: &RepoPath) -> Result<Standing> {
        let head = self.head_blob(path)?;
        match std::fs::read(self.work_dir.join(path.as_str())) {
            Ok(bytes) => self.compare(&bytes, head),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(if head.is_some() { Standing::Removed } else { Standing::Absent })
            }
            Err(error) => Err(Error::Unreadable { what: path.to_string(), why: error.to_string() }),
        }
    }

    /// How a text, of an editor say, stands to the commit that is checked out.
    ///
    /// # Errors
    /// [`Error::Unreadable`].
    pub fn standing_of(&self, path: &RepoPath, text: &str) -> Result<Standing> {
        let head = self.head_blob(path)?;
        self.compare(text.as_bytes(), head)
    }

    /// The id that a text would have as a file of this repository.
    ///
    /// # Errors
    /// [`Error::Unreadable`] for a text that the hash refuses (it looks made to collide).
    pub fn blob_id(&self, bytes: &[u8]) -> Result<ObjectId> {
        let kind = self.local().object_hash();
        gix::objs::compute_hash(kind, gix::objs::Kind::Blob, bytes)
            .map_err(|error| unreadable("the text", &error))
    }

    fn compare(&self, bytes: &[u8], head: Option<ObjectId>) -> Result<Standing> {
        let Some(head) = head else { return Ok(Standing::New) };
        if self.blob_id(bytes)? == head {
            return Ok(Standing::Committed);
        }
        // `core.autocrlf` and `.gitattributes` can put other line ends on disk than the commit has. For YAML
        // they make no difference, so they make none here.
        if bytes.contains_str("\r\n") && self.blob_id(&bytes.replace("\r\n", "\n"))? == head {
            return Ok(Standing::Committed);
        }
        Ok(Standing::Changed)
    }

    pub(crate) fn local(&self) -> gix::Repository {
        self.inner.to_thread_local()
    }

    pub(crate) fn find_commit<'repo>(
        &self,
        repo: &'repo gix::Repository,
        hash: &str,
    ) -> Result<gix::Commit<'repo>> {
        let id = ObjectId::from_hex(hash.as_bytes()).map_err(|_| Error::NotAHash(hash.to_owned()))?;
        // Looking up a hash of another kind is a bug to the library, which may panic.
        if id.kind() != repo.object_hash() {
            let (found, expected) = (algorithm(id.kind()), algorithm(repo.object_hash()));
            return Err(Error::OtherHashKind { hash: hash.to_owned(), found, expected });
        }
        let what = || format!("object {}", crate::short(hash));
        let object = repo
            .try_find_object(id)
            .map_err(|error| unreadable(&what(), &error))?
            .ok_or_else(|| Error::NotInThisClone { wanted: hash.to_owned(), bring: self.bring(repo) })?;
        // An annotated tag's own hash names its commit.
        let object = object.peel_tags_to_end().map_err(|error| unreadable(&what(), &error))?;
        let kind = object.kind;
        object.try_into_commit().map_err(|_| Error::OtherKind {
            what: what(),
            found: kind.to_string(),
            expected: "commit",
        })
    }

    pub(crate) fn bring(&self, repo: &gix::Repository) -> Bring {
        let upstream = self.upstream().ok().flatten().filter(|upstream| upstream.remote != ".");
        let (remote, branch) = match upstream {
            Some(upstream) => (Some(upstream.remote), Some(upstream.branch)),
            None => (
                self.remotes().into_iter().map(|remote| remote.name).min_by_key(|name| name != "origin"),
                None,
            ),
        };
        Bring { shallow: repo.is_shallow().unwrap_or(false), remote, branch }
    }
}

pub(crate) fn info(commit: &gix::Commit<'_>) -> Result<CommitInfo> {
    let detail = |error| unreadable(&format!("commit {}", commit.id.to_hex_with_len(7)), &error);
    let subject = commit.message().map_err(detail)?.title.trim().to_str_lossy().into_owned();
    let author = commit.author().map_err(detail)?.name.to_str_lossy().into_owned();
    let seconds = commit.time().map_err(detail)?.seconds;
    // A date that no calendar has is shown as the nearest one.
    let nearest = if seconds < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(nearest);
    Ok(CommitInfo { id: commit.id, subject, author, time })
}

fn algorithm(kind: gix::hash::Kind) -> &'static str {
    match kind {
        gix::hash::Kind::Sha1 => "SHA-1",
        gix::hash::Kind::Sha256 => "SHA-256",
        _ => "unknown",
    }
}

/// Read the user's configuration (for `insteadOf`), start no program, and let no variable that Git sets for its
/// hooks and editors lead to another repository than the one the file is in.
fn options() -> gix::open::Options {
    let mut permissions = gix::open::Permissions::isolated();
    permissions.config.system = true;
    permissions.config.git = true;
    permissions.config.user = true;
    permissions.config.includes = true;
    permissions.env.home = gix::sec::Permission::Allow;
    permissions.env.xdg_config_home = gix::sec::Permission::Allow;
    // `git replace` shows this clone something else than what was committed, which is what the clusters read.
    gix::open::Options::default().permissions(permissions).config_overrides(["core.useReplaceRefs=false"])
}

pub(crate) fn unreadable(what: &str, error: &gix::Error) -> Error {
    Error::Unreadable { what: what.to_owned(), why: one_line(error) }
}

fn one_line(error: &gix::Error) -> String {
    let text: BString = error.to_string().into();
    text.lines()
        .map(|line| line.trim().to_str_lossy())
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(": ")
}
