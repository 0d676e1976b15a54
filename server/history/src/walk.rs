//! How far two commits are apart, and which of those between them changed something.

use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::fmt;
use std::rc::Rc;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::objs::tree::EntryMode;
use gix::revwalk::graph::{Commit, IdMap};
use manifests::RepoPath;

use crate::error::Bring;
use crate::repository::{info, unreadable};
use crate::{CommitInfo, Error, Repository, Result};

/// So many commits are looked at for one answer; it is then there in some 50 ms at most, however far apart they are
/// (`examples/past.rs` measures it).
const MOST: usize = 1_000;
/// So many commits are looked at after the histories met. With clocks that were wrong an older commit can have a
/// younger parent; Git allows for it in the same way.
const SLOP: usize = 32;

const LEFT: u8 = 1;
const RIGHT: u8 = 2;
const BOTH: u8 = LEFT | RIGHT;

/// A number of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// All of them were counted.
    Exactly(usize),
    /// Counting ended before their end, after this many.
    AtLeast(usize),
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(count) => write!(f, "{count}"),
            Self::AtLeast(0) => write!(f, "an unknown number"),
            Self::AtLeast(count) => write!(f, "at least {count}"),
        }
    }
}

/// How a commit stands to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Divergence {
    /// Commits that only the first has.
    pub ahead: Count,
    /// Commits that only the second has.
    pub behind: Count,
}

/// Commits that changed some files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touching {
    /// The youngest first.
    pub commits: Vec<CommitInfo>,
    /// Whether these are all.
    pub end: End,
}

/// Why a list of commits ends where it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// There are no others.
    Whole,
    /// There are others: as many as were asked for were found.
    More,
    /// There may be others: too many commits lie between to look at all of them.
    Unseen,
    /// There may be others beyond the end of a shallow clone.
    CutOff(Bring),
}

impl Repository {
    /// How many commits `local` has that `remote` has not, and the other way round, of full hashes.
    ///
    /// # Errors
    /// As [`Repository::commit`]. [`Error::CutOff`] when the histories do not meet before the end of a shallow clone.
    pub fn ahead_behind(&self, local: &str, remote: &str) -> Result<Divergence> {
        let repo = self.local();
        let (local, remote) = (self.find_commit(&repo, local)?.id, self.find_commit(&repo, remote)?.id);
        let painted = self.paint(&repo, local, Some(remote))?;
        if painted.cut_off {
            return Err(Error::CutOff(self.bring(&repo)));
        }
        let count = |side| {
            let of_side = || painted.commits.values().filter(move |commit| commit.data.sides == side);
            let seen = of_side().filter(|commit| commit.data.seen).count();
            if of_side().any(|commit| !commit.data.seen) {
                Count::AtLeast(seen)
            } else {
                Count::Exactly(seen)
            }
        };
        Ok(Divergence { ahead: count(LEFT), behind: count(RIGHT) })
    }

    /// The commits that `to` has and `from` has not (`from..to`, full hashes) that changed one of the files or
    /// folders, by their names of the time; the youngest first, `limit` at most. A merge counts when it differs from
    /// each of its parents; where it took one side as it was, only that side is followed, as `git log` does.
    ///
    /// # Errors
    /// As [`Repository::commit`]; [`Error::LeftOut`] for a folder that a partial clone lacks.
    pub fn touching(&self, from: &str, to: &str, paths: &[RepoPath], limit: usize) -> Result<Touching> {
        self.touching_of(Some(from), to, paths, limit)
    }

    /// The same from the beginning of the history.
    ///
    /// # Errors
    /// As [`Repository::touching`].
    pub fn all_touching(&self, to: &str, paths: &[RepoPath], limit: usize) -> Result<Touching> {
        self.touching_of(None, to, paths, limit)
    }

    fn touching_of(
        &self,
        from: Option<&str>,
        to: &str,
        paths: &[RepoPath],
        limit: usize,
    ) -> Result<Touching> {
        let repo = self.local();
        let from = from.map(|it| self.find_commit(&repo, it).map(|it| it.id)).transpose()?;
        let to = self.find_commit(&repo, to)?.id;
        let painted = self.paint(&repo, to, from)?;
        let mut end = if painted.cut_off { End::CutOff(self.bring(&repo)) } else { End::Whole };
        let wanted = Wanted::new(paths);
        let mut trees = Trees::new(&repo);
        let mut found = Vec::new();
        let mut queue = BinaryHeap::new();
        let mut queued = HashSet::new();
        let between = |id: &ObjectId| painted.commits.get(id).filter(|commit| commit.data.sides == LEFT);
        let mut follow = |queue: &mut BinaryHeap<_>, id: ObjectId| {
            if let Some(commit) = between(&id)
                && queued.insert(id)
            {
                queue.push((age(commit), id));
            }
        };
        follow(&mut queue, to);
        while let Some((_, id)) = queue.pop() {
            let Some(commit) = between(&id) else { continue };
            if !commit.data.seen {
                // Nobody looked further.
                if end == End::Whole {
                    end = End::Unseen;
                }
                continue;
            }
            if commit.data.boundary {
                // Its parents are not here; whether it changed anything is not known.
                continue;
            }
            let own = trees.of(id)?;
            let mut same = Vec::new();
            for parent in &commit.parents {
                let parents = trees.of(*parent)?;
                if trees.same(&wanted, Some(parents), Some(own))? {
                    same.push(*parent);
                }
            }
            if let Some(parent) = same.iter().find(|parent| between(parent).is_some()) {
                follow(&mut queue, *parent);
                continue;
            }
            let touched = if commit.parents.is_empty() {
                !trees.same(&wanted, None, Some(own))?
            } else {
                same.is_empty()
            };
            if touched {
                if found.len() >= limit {
                    end = End::More;
                    break;
                }
                let id = id.to_string();
                found.push(info(&self.find_commit(&repo, &id)?)?);
            }
            for parent in &commit.parents {
                follow(&mut queue, *parent);
            }
        }
        Ok(Touching { commits: found, end })
    }

    /// Tells for the commits of two histories which of them have each, until they have met.
    /// Without a second one, all of the first.
    fn paint(&self, repo: &gix::Repository, left: ObjectId, right: Option<ObjectId>) -> Result<Painted> {
        let failed = |error| unreadable("the history", &error);
        // It only makes the walk faster.
        let cache = repo.commit_graph_if_enabled().ok().flatten();
        let shallow = repo.shallow_commits().map_err(failed)?;
        let mut graph = repo.revision_graph::<Commit<Paint>>(cache.as_ref());
        let mut queue = BinaryHeap::new();
        // Those in the queue that only one history is known to have.
        let mut open = 0_usize;
        let mut cut_off = Vec::new();
        let mut seen = 0;
        let mut slop = SLOP;
        let mut todo = vec![(left, LEFT)];
        todo.extend(right.map(|it| (it, RIGHT)));
        loop {
            for (id, sides) in todo.drain(..) {
                let reached = graph.get_or_insert_full_commit(id, |commit| {
                    let paint = &mut commit.data;
                    let before = paint.sides;
                    paint.sides |= sides;
                    if before == paint.sides {
                        return;
                    }
                    if !paint.queued {
                        paint.queued = true;
                        open += usize::from(paint.sides != BOTH);
                        queue.push((age(commit), id));
                    } else if paint.sides == BOTH {
                        open -= 1;
                    }
                });
                if reached.map_err(failed)?.is_none() {
                    return Err(Error::NotInThisClone { wanted: id.to_string(), bring: self.bring(repo) });
                }
            }
            if open > 0 {
                slop = SLOP;
            } else if slop == 0 {
                break;
            } else {
                slop -= 1;
            }
            if seen >= MOST {
                break;
            }
            let Some((_, id)) = queue.pop() else { break };
            let Some(commit) = graph.get_mut(&id) else { continue };
            let paint = &mut commit.data;
            paint.queued = false;
            open -= usize::from(paint.sides != BOTH);
            seen += usize::from(!paint.seen);
            paint.seen = true;
            paint.boundary = shallow.as_ref().is_some_and(|cut| cut.binary_search(&id).is_ok());
            if paint.boundary {
                cut_off.push(id);
            } else {
                let sides = paint.sides;
                todo.extend(commit.parents.iter().map(|parent| (*parent, sides)));
            }
        }
        let commits = graph.detach();
        let of_one = |id| commits.get(id).is_some_and(|commit| commit.data.sides != BOTH);
        let cut_off = cut_off.iter().any(of_one);
        Ok(Painted { commits, cut_off })
    }
}

/// The commits that were looked at.
struct Painted {
    commits: IdMap<Commit<Paint>>,
    /// Whether the end of a shallow clone was reached before the histories met.
    cut_off: bool,
}

/// What is known of a commit.
#[derive(Debug, Clone, Copy, Default)]
struct Paint {
    /// The histories that have it.
    sides: u8,
    queued: bool,
    /// Whether its parents were looked at.
    seen: bool,
    /// Whether a shallow clone ends here.
    boundary: bool,
}

/// The key by which commits are visited: children before parents. Where Git has written generations down (the
/// commit-graph) they are certain, else the clocks tell.
fn age(commit: &Commit<Paint>) -> (u32, i64) {
    (commit.generation.unwrap_or(u32::MAX), commit.commit_time)
}

/// The files and folders that are asked for, as a tree.
#[derive(Default)]
struct Wanted {
    /// Whether this whole file or folder is.
    all: bool,
    below: BTreeMap<BString, Wanted>,
}

impl Wanted {
    fn new(paths: &[RepoPath]) -> Self {
        let mut root = Self::default();
        for path in paths {
            let mut at = &mut root;
            for part in path.parts() {
                at = at.below.entry(part.into()).or_default();
            }
            at.all = true;
        }
        root
    }
}

type Entry = (EntryMode, ObjectId);
/// Those entries of a folder that are wanted, in the order in which they are.
type Folder = Rc<[Option<Entry>]>;

/// The folders of commits, and what differs in them.
struct Trees<'repo> {
    repo: &'repo gix::Repository,
    roots: HashMap<ObjectId, Entry>,
    /// By what is wanted of them: the same folder can be at two places.
    folders: HashMap<(ObjectId, *const Wanted), Folder>,
}

impl<'repo> Trees<'repo> {
    /// Neighbours are compared, so that few folders are needed again.
    const KEPT: usize = 256;

    fn new(repo: &'repo gix::Repository) -> Self {
        Self { repo, roots: HashMap::new(), folders: HashMap::new() }
    }

    /// The root folder of a commit.
    fn of(&mut self, commit: ObjectId) -> Result<Entry> {
        if let Some(root) = self.roots.get(&commit) {
            return Ok(*root);
        }
        let failed = |error| unreadable(&format!("commit {}", commit.to_hex_with_len(7)), &error);
        let tree = self.repo.find_commit(commit).and_then(|commit| commit.tree_id().map(gix::Id::detach));
        let root = (gix::objs::tree::EntryKind::Tree.into(), tree.map_err(failed)?);
        self.roots.insert(commit, root);
        Ok(root)
    }

    /// Whether what is wanted is the same in both.
    fn same(&mut self, wanted: &Wanted, a: Option<Entry>, b: Option<Entry>) -> Result<bool> {
        if a == b {
            return Ok(true);
        }
        if wanted.all {
            return Ok(false);
        }
        let (a, b) = (self.folder(a, wanted)?, self.folder(b, wanted)?);
        for (place, below) in wanted.below.values().enumerate() {
            let of = |folder: &Option<Folder>| folder.as_ref()?.get(place).copied().flatten();
            if !self.same(below, of(&a), of(&b))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn folder(&mut self, entry: Option<Entry>, wanted: &Wanted) -> Result<Option<Folder>> {
        let Some((_, id)) = entry.filter(|(mode, _)| mode.is_tree()) else { return Ok(None) };
        let key = (id, std::ptr::from_ref(wanted));
        if let Some(known) = self.folders.get(&key) {
            return Ok(Some(Rc::clone(known)));
        }
        let what = || format!("folder {}", id.to_hex_with_len(7));
        let object = self.repo.try_find_object(id).map_err(|error| unreadable(&what(), &error))?;
        let object = object.ok_or_else(|| Error::LeftOut { what: what(), id })?;
        let mut found: BTreeMap<&BStr, Entry> = BTreeMap::new();
        for entry in gix::objs::TreeRefIter::from_bytes(&object.data, id.kind()) {
            let entry = entry.map_err(|error| unreadable(&what(), &error))?;
            if let Some((name, _)) = wanted.below.get_key_value(entry.filename) {
                found.insert(name.as_bstr(), (entry.mode, entry.oid.to_owned()));
            }
        }
        let folder: Folder = wanted.below.keys().map(|name| found.get(name.as_bstr()).copied()).collect();
        if self.folders.len() >= Self::KEPT {
            self.folders.clear();
        }
        self.folders.insert(key, Rc::clone(&folder));
        Ok(Some(folder))
    }
}
