//! What two commits have in common, and when a branch of a remote moved.

use gix::ObjectId;

use crate::repository::unreadable;
use crate::{Repository, Result};

impl Repository {
    /// The newest commit that is in the history of both; `None` if they have none in common. Full hashes.
    ///
    /// # Errors
    /// As [`Repository::commit`]. In a shallow clone that there is none may only mean that the history was cut off: it is
    /// then [`crate::Error::CutOff`].
    pub fn merge_base(&self, one: &str, other: &str) -> Result<Option<ObjectId>> {
        let repo = self.local();
        let (one, other) = (self.find_commit(&repo, one)?.id, self.find_commit(&repo, other)?.id);
        match repo.merge_bases_many(one, &[other]) {
            Ok(bases) => match bases.first() {
                Some(base) => Ok(Some(base.detach())),
                None if repo.is_shallow().unwrap_or(false) => Err(crate::Error::CutOff(self.bring(&repo))),
                None => Ok(None),
            },
            Err(error) => Err(unreadable("the history", &error)),
        }
    }

    /// When a branch of a remote came to stand where it is, by a push or a fetch of this clone: the last entry of its
    /// reflog. `None` if no reflog is kept, or it tells of another place.
    pub fn moved_at(&self, remote: &str, branch: &str) -> Option<jiff::Timestamp> {
        let repo = self.local();
        let name = format!("refs/remotes/{remote}/{branch}");
        let reference = repo.try_find_reference(name.as_str()).ok()??;
        let mut log = reference.log_iter();
        let line = log.rev().ok()??.next()?.ok()?;
        let stands_there = reference.try_id().is_some_and(|id| id.detach() == line.new_oid);
        stands_there.then(|| jiff::Timestamp::from_second(line.signature.time.seconds).ok()).flatten()
    }
}
