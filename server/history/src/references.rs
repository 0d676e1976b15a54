//! HEAD, branches and tags: what names stand for now, and where a remote had them at the last fetch.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::refspec::match_group::{Item, SourceRef};
use gix::refspec::{MatchGroup, RefSpec};

use crate::repository::unreadable;
use crate::{Error, Repository, Result};

/// Where HEAD stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The branch's short name (`main`); `None` when HEAD is detached.
    pub branch: Option<String>,
    /// The commit; `None` on a branch that has no commit yet.
    pub commit: Option<ObjectId>,
}

/// The branch of a remote that a local branch follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The remote's name (`origin`).
    pub remote: String,
    /// The branch's short name over there (`main`).
    pub branch: String,
    /// Where that branch was at the last fetch; `None` if it was never fetched.
    pub commit: Option<ObjectId>,
}

/// A branch of a remote, where it was at the last fetch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemoteBranch {
    /// The remote's name (`origin`).
    pub remote: String,
    /// The branch's short name over there (`feature/x`), whatever this clone calls it.
    pub branch: String,
    /// Its commit.
    pub commit: ObjectId,
}

impl Repository {
    /// Where HEAD stands now.
    ///
    /// # Errors
    /// [`Error::OtherReferences`], [`Error::Unreadable`].
    pub fn head(&self) -> Result<Head> {
        self.readable_references()?;
        let repo = self.local();
        let mut head = repo.head().map_err(|error| unreadable("HEAD", &error))?;
        let branch = head.referent_name().map(|name| name.shorten().to_str_lossy().into_owned());
        let commit = head.try_peel_to_id().map_err(|error| unreadable("HEAD", &error))?;
        Ok(Head { branch, commit: commit.map(gix::Id::detach) })
    }

    /// What the branch that is checked out follows; `None` if detached or not configured.
    ///
    /// # Errors
    /// As [`Repository::head`].
    pub fn upstream(&self) -> Result<Option<Upstream>> {
        let Some(branch) = self.head()?.branch else { return Ok(None) };
        self.upstream_of(&branch)
    }

    /// What a local branch follows.
    ///
    /// # Errors
    /// As [`Repository::head`].
    pub fn upstream_of(&self, branch: &str) -> Result<Option<Upstream>> {
        let repo = self.local();
        let value = |key: &str| {
            // Read without regard to who owns the clone: these are names to show, nothing is run from them.
            let name = format!("branch.{branch}.{key}");
            repo.config_snapshot()
                .plumbing()
                .string(name.as_str())
                .map(|value| value.to_str_lossy().into_owned())
        };
        let (Some(remote), Some(merge)) = (value("remote"), value("merge")) else { return Ok(None) };
        let branch = merge.strip_prefix("refs/heads/").unwrap_or(&merge).to_owned();
        let commit = self.fetched(&remote, &full_name(&merge))?;
        Ok(Some(Upstream { remote, branch, commit }))
    }

    /// Where a branch of a remote was at the last fetch; `None` if it was never fetched. Short for
    /// [`Repository::fetched`].
    ///
    /// # Errors
    /// As [`Repository::head`].
    pub fn tracking(&self, remote: &str, branch: &str) -> Result<Option<ObjectId>> {
        self.fetched(remote, &format!("refs/heads/{branch}"))
    }

    /// Where a reference of a remote, by its full name over there (`refs/heads/x`, `refs/pull/12/head`,
    /// `refs/tags/v1`), was at the last fetch; tags are peeled. `None` if this clone does not keep it. This, and
    /// not [`Repository::reference`], is what a source follows that names one in `spec.ref.name`.
    ///
    /// # Errors
    /// As [`Repository::head`].
    pub fn fetched(&self, remote: &str, full_name: &str) -> Result<Option<ObjectId>> {
        // A branch can follow another one of the same clone (`remote = .`).
        if remote == "." {
            return self.reference(full_name);
        }
        let specs = self.fetch_specs(remote);
        let mut kept: Vec<String> = Vec::new();
        let none = self.local().object_hash().null();
        for mapping in group(&specs).match_lhs(std::iter::once(item(full_name.as_bytes(), &none))).mappings {
            if let Some(name) = mapping.rhs
                && sources(&specs, &[item(&name, &none)]).get(&0).is_some_and(|source| source == full_name)
            {
                kept.push(name.to_str_lossy().into_owned());
            }
        }
        if let Some(branch) = full_name.strip_prefix("refs/heads/") {
            let usual = format!("refs/remotes/{remote}/{branch}");
            if !self.claimed(&usual) {
                kept.push(usual);
            }
        } else if full_name.starts_with("refs/tags/") {
            // Git brings tags into the clone's own, whatever remote they are of.
            kept.push(full_name.to_owned());
        }
        for name in kept {
            if let Some(commit) = self.reference(&name)? {
                return Ok(Some(commit));
            }
        }
        Ok(None)
    }

    /// The object behind a reference of this clone, by its full name; annotated tags are peeled. `None` if there
    /// is none of this name.
    ///
    /// # Errors
    /// As [`Repository::head`].
    pub fn reference(&self, full_name: &str) -> Result<Option<ObjectId>> {
        self.readable_references()?;
        // Names come from a cluster too (`spec.ref`): one that Git could not have is simply not there.
        let Ok(full) = gix::refs::FullName::try_from(full_name) else { return Ok(None) };
        let repo = self.local();
        match repo.try_find_reference(full.as_ref()) {
            Ok(None) => Ok(None),
            Ok(Some(mut found)) => {
                found.peel_to_id().map(|id| Some(id.detach())).map_err(|error| unreadable(full_name, &error))
            }
            Err(error) => Err(unreadable(full_name, &error)),
        }
    }

    /// The branches of all remotes as of the last fetch: those of `origin` first, then by the remotes' names.
    /// Branches are found where the fetch refspecs put them, else under `refs/remotes/REMOTE/`; what such a
    /// refspec keeps of a remote besides branches (pull requests) is not listed, see [`Repository::fetched`].
    ///
    /// # Errors
    /// As [`Repository::head`]. A single reference that cannot be read is left out.
    pub fn branches(&self) -> Result<Vec<RemoteBranch>> {
        let references = self.references("refs/")?;
        let none = self.local().object_hash().null();
        let items: Vec<_> = references.iter().map(|(name, _)| item(name, &none)).collect();
        let remotes = self.remotes();
        let mut claimed: HashSet<&BStr> = HashSet::new();
        let mut named: Vec<(&str, String, &BStr)> = Vec::new();
        for remote in &remotes {
            for (index, source) in sources(&self.fetch_specs(&remote.name), &items) {
                let Some((kept, _)) = references.get(index) else { continue };
                claimed.insert(kept.as_bstr());
                if let Some(branch) = source.strip_prefix(b"refs/heads/") {
                    named.push((&remote.name, branch.to_str_lossy().into_owned(), kept.as_bstr()));
                }
            }
        }
        for remote in &remotes {
            let prefix = format!("refs/remotes/{}/", remote.name);
            for (name, _) in &references {
                if let Some(branch) = name.strip_prefix(prefix.as_bytes())
                    && !claimed.contains(name.as_bstr())
                {
                    named.push((&remote.name, branch.to_str_lossy().into_owned(), name.as_bstr()));
                }
            }
        }
        let commits: BTreeMap<&BStr, &Target> =
            references.iter().map(|(name, target)| (name.as_bstr(), target)).collect();
        let mut branches: Vec<_> = named
            .into_iter()
            // What the remote's own HEAD is, is no branch of its own.
            .filter(|(_, branch, _)| branch != "HEAD")
            .filter_map(|(remote, branch, kept)| {
                let commit = match commits.get(kept)? {
                    Target::Object { id, .. } => *id,
                    Target::Symbolic => self.reference(&kept.to_str_lossy()).ok().flatten()?,
                };
                Some(RemoteBranch { remote: remote.to_owned(), branch, commit })
            })
            .collect();
        branches.sort_by(|a, b| (a.remote != "origin", a).cmp(&(b.remote != "origin", b)));
        // Two refspecs may keep one branch twice; the first in the sorted order need not be newer, but is always the same.
        branches.dedup_by(|b, a| (&a.remote, &a.branch) == (&b.remote, &b.branch));
        Ok(branches)
    }

    /// The tags by their short names, with the commits they lead to; tags of anything else are left out.
    /// Git keeps them for all remotes together, and does not fetch again one that was moved.
    ///
    /// # Errors
    /// As [`Repository::head`]. A single reference that cannot be read is left out.
    pub fn tags(&self) -> Result<BTreeMap<String, ObjectId>> {
        let mut tags = BTreeMap::new();
        let repo = self.local();
        for (name, target) in self.references("refs/tags/")? {
            let name = name.to_str_lossy();
            let (Some(short), Some(id)) = (
                name.strip_prefix("refs/tags/"),
                match target {
                    Target::Object { peeled: Some(id), .. } => Some(id),
                    _ => self.reference(&name).ok().flatten(),
                },
            ) else {
                continue;
            };
            if repo.find_header(id).is_ok_and(|header| header.kind() == gix::objs::Kind::Commit) {
                tags.insert(short.to_owned(), id);
            }
        }
        Ok(tags)
    }

    /// When this clone last asked a remote; `None` if it never did, or was only ever cloned.
    pub fn fetched_at(&self) -> Option<jiff::Timestamp> {
        // Each work tree notes its own fetches; the branches they brought are everyone's.
        let common = self.common_dir();
        let linked = std::fs::read_dir(common.join("worktrees")).into_iter().flatten().flatten();
        linked
            .map(|entry| entry.path())
            .chain([common])
            .filter_map(|dir| dir.join("FETCH_HEAD").metadata().ok()?.modified().ok())
            .max()
            .and_then(|time| jiff::Timestamp::try_from(time).ok())
    }

    /// References by their full names, loose and packed.
    fn references(&self, prefix: &str) -> Result<Vec<(BString, Target)>> {
        self.readable_references()?;
        let repo = self.local();
        let failed = |error| unreadable("the references", &error);
        let platform = repo.references().map_err(failed)?;
        let all = platform.prefixed(prefix.as_bytes()).map_err(failed)?;
        let found = all.filter_map(|reference| match reference {
            Ok(reference) => {
                let target = match reference.inner.target {
                    gix::refs::Target::Object(id) => Target::Object { id, peeled: reference.inner.peeled },
                    gix::refs::Target::Symbolic(_) => Target::Symbolic,
                };
                Some((reference.inner.name.as_bstr().to_owned(), target))
            }
            Err(_) => None,
        });
        Ok(found.collect())
    }

    /// The fetch refspecs of a remote. One that Git would not take counts for nothing.
    fn fetch_specs(&self, remote: &str) -> Arc<[RefSpec]> {
        let repo = self.local();
        let name = format!("remote.{remote}.fetch");
        let written = repo.config_snapshot().plumbing().strings(name.as_str()).unwrap_or_default();
        let parsed = written.iter().filter_map(|spec| {
            gix::refspec::parse(spec.as_bstr(), gix::refspec::parse::Operation::Fetch).ok()
        });
        parsed.map(|spec| spec.to_owned()).collect()
    }

    /// Whether some refspec says that a reference of this clone is a copy of a remote's.
    fn claimed(&self, name: &str) -> bool {
        let none = self.local().object_hash().null();
        let item = item(name.as_bytes(), &none);
        self.remotes().iter().any(|remote| !sources(&self.fetch_specs(&remote.name), &[item]).is_empty())
    }

    /// The library reads references from files only.
    pub(crate) fn readable_references(&self) -> Result<()> {
        let repo = self.local();
        let storage = repo.config_snapshot().plumbing().string("extensions.refStorage");
        match storage {
            Some(storage) if !storage.eq_ignore_ascii_case(b"files") => {
                Err(Error::OtherReferences(storage.to_str_lossy().into_owned()))
            }
            _ => Ok(()),
        }
    }
}

/// What a reference holds.
enum Target {
    /// An object, and what an annotated tag leads to where Git has written that down.
    Object { id: ObjectId, peeled: Option<ObjectId> },
    /// The name of another one.
    Symbolic,
}

fn group(specs: &[RefSpec]) -> MatchGroup<'_> {
    MatchGroup::from_fetch_specs(specs.iter().map(RefSpec::to_ref))
}

fn item<'a>(name: &'a [u8], target: &'a gix::oid) -> Item<'a> {
    Item { full_ref_name: BStr::new(name), target, object: None }
}

/// What references of this clone, by their places in the list, are copies of. Where two refspecs could have written
/// one (`refs/heads/*` and `refs/pull/*/head` both to below `refs/remotes/origin/`) the one that says more of its name did.
fn sources(specs: &[RefSpec], kept: &[Item<'_>]) -> BTreeMap<usize, BString> {
    let mut found: BTreeMap<usize, (usize, BString)> = BTreeMap::new();
    let outcome = group(specs).match_rhs(kept.iter().copied());
    for mapping in outcome.mappings {
        let (Some(index), SourceRef::FullName(source)) = (mapping.item_index, mapping.lhs) else { continue };
        let pattern = outcome.group.specs.get(mapping.spec_index).and_then(|spec| spec.local());
        let told = pattern.map_or(0, |pattern| pattern.len());
        if found.get(&index).is_none_or(|(known, _)| *known < told) {
            found.insert(index, (told, source.into_owned()));
        }
    }
    found.into_iter().map(|(index, (_, source))| (index, source)).collect()
}

/// `branch.NAME.merge` is a full name as Git writes it; people write short ones.
fn full_name(merge: &str) -> String {
    if merge.starts_with("refs/") { merge.to_owned() } else { format!("refs/heads/{merge}") }
}
