//! The fleet as a clone on disk.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::tree::EntryKind;

use crate::{Commit, Error, ORIGIN, Result, commits};

/// A fleet on disk: a clean work tree at the newest commit of `main`, as a clone would leave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaidOut {
    /// The folder.
    pub dir: PathBuf,
    /// The commits, oldest first, with their hashes.
    pub commits: Vec<(ObjectId, Commit)>,
}

impl LaidOut {
    /// The newest commit of `main`, which is checked out.
    pub fn head(&self) -> Option<ObjectId> {
        self.commits.last().map(|(id, _)| *id)
    }

    /// The hash of a commit by the name of its folder (`11-search-api`).
    pub fn id(&self, key: &str) -> Option<ObjectId> {
        self.commits.iter().find(|(_, commit)| commit.key == key).map(|(id, _)| *id)
    }

    /// The remote branches and where they stand, `main` first.
    pub fn branches(&self) -> Vec<(String, ObjectId)> {
        let main = self.head().map(|head| ("main".to_owned(), head));
        let others = self
            .commits
            .iter()
            .flat_map(|(id, commit)| commit.branches.iter().map(|name| (name.clone(), *id)));
        main.into_iter().chain(others).collect()
    }
}

/// Writes the fleet into a folder that is new or empty, with its history. The same hashes every time; no Git
/// binary is needed, nothing is fetched or pushed.
///
/// # Errors
/// [`Error::NotEmpty`], or what could not be written.
pub fn lay_out(dir: &Path) -> Result<LaidOut> {
    std::fs::create_dir_all(dir).map_err(write(dir))?;
    let mut inside = std::fs::read_dir(dir).map_err(write(dir))?;
    if inside.next().is_some() {
        return Err(Error::NotEmpty(dir.to_owned()));
    }
    let repo = init(dir)?;
    let mut laid_out = LaidOut { dir: dir.to_owned(), commits: Vec::new() };
    let mut blobs = HashMap::new();
    for commit in commits()? {
        let id = write_commit(&repo, &commit, laid_out.head(), &mut blobs)?;
        laid_out.commits.push((id, commit));
    }
    let Some((head, newest)) = laid_out.commits.last() else { return Ok(laid_out) };
    write_git(&repo, "refs/heads/main", &format!("{head}\n"))?;
    write_git(&repo, "refs/remotes/origin/HEAD", "ref: refs/remotes/origin/main\n")?;
    for (branch, id) in laid_out.branches() {
        write_git(&repo, &format!("refs/remotes/origin/{branch}"), &format!("{id}\n"))?;
    }
    for (path, content) in &newest.files {
        let path = dir.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(write(parent))?;
        }
        std::fs::write(&path, content).map_err(write(&path))?;
    }
    write_index(&repo, dir, *head)?;
    Ok(laid_out)
}

fn init(dir: &Path) -> Result<gix::Repository> {
    // Isolated: whoever lays it out, with whatever configuration, gets the same repository.
    let options = gix::open::Options::isolated();
    let kind = gix::create::Kind::WithWorktree;
    let repo = gix::ThreadSafeRepository::init_opts(dir, kind, gix::create::Options::default(), options)
        .map_err(git)?
        .to_thread_local();
    write_git(&repo, "HEAD", "ref: refs/heads/main\n")?;
    let config = repo.git_dir().join("config");
    let mut text = std::fs::read_to_string(&config).map_err(write(&config))?;
    text.push_str(&format!(
        "[remote \"origin\"]\n\turl = {ORIGIN}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n\
         [branch \"main\"]\n\tremote = origin\n\tmerge = refs/heads/main\n",
    ));
    std::fs::write(&config, text).map_err(write(&config))?;
    Ok(repo)
}

/// The ids of what was written already: most files are the same in every commit.
type Blobs = HashMap<&'static [u8], ObjectId>;

fn write_commit(
    repo: &gix::Repository,
    commit: &Commit,
    parent: Option<ObjectId>,
    blobs: &mut Blobs,
) -> Result<ObjectId> {
    let mut tree = repo.empty_tree().edit().map_err(git)?;
    for (path, content) in &commit.files {
        let blob = match blobs.entry(*content) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => *new.insert(repo.write_blob(content).map_err(git)?.detach()),
        };
        tree.upsert(path.as_str(), EntryKind::Blob, blob).map_err(git)?;
    }
    let tree = tree.write().map_err(git)?.detach();
    let person = gix::actor::Signature {
        name: commit.author.as_str().into(),
        email: address(&commit.author).into(),
        time: gix::date::Time::new(commit.date.timestamp().as_second(), commit.date.offset().seconds()),
    };
    let object = gix::objs::Commit {
        tree,
        parents: parent.into_iter().collect(),
        author: person.clone(),
        committer: person,
        encoding: None,
        message: commit.message().into(),
        extra_headers: Vec::new(),
    };
    Ok(repo.write_object(object).map_err(git)?.detach())
}

/// `Mara Lindqvist` → `mara.lindqvist@kettle.example`.
fn address(name: &str) -> String {
    format!("{}@kettle.example", name.to_lowercase().replace(' ', "."))
}

/// The index, with what the system says of each file, so that Git need not read them all again.
fn write_index(repo: &gix::Repository, dir: &Path, head: ObjectId) -> Result<()> {
    let tree = repo.find_commit(head).map_err(git)?.tree_id().map_err(git)?.detach();
    let mut index = repo.index_from_tree(&tree).map_err(git)?;
    let (entries, paths) = index.entries_mut_and_pathbacking();
    for entry in entries {
        let path = dir.join(entry.path_in(paths).to_str_lossy().as_ref());
        let metadata = gix::index::fs::Metadata::from_path_no_follow(&path).map_err(write(&path))?;
        // A clock before 1970: Git will read the file again, and find it the same.
        entry.stat = gix::index::entry::Stat::from_fs(&metadata).unwrap_or_default();
    }
    index.write(gix::index::write::Options::default()).map_err(git)
}

fn write_git(repo: &gix::Repository, name: &str, text: &str) -> Result<()> {
    let path = repo.git_dir().join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(write(parent))?;
    }
    std::fs::write(&path, text).map_err(write(&path))
}

fn git(error: gix::Error) -> Error {
    Error::Git(error.to_string())
}

fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Error + use<'_> {
    move |source| Error::Write { path: path.to_owned(), source }
}
