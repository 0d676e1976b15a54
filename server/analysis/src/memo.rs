//! Derived state that is worth keeping from one answer to the next.

use flux::{Facts, ObjectId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::deliveries::Deliveries;
use crate::index::RepoIndex;
use crate::inputs::RepoView;

/// What was derived from facts and repository, kept while they stay the same. Shared by threads; holds its lock
/// for look-ups only.
#[derive(Default)]
pub struct Memo(Mutex<HashMap<String, Arc<Derived>>>);

/// What is derived of one cluster.
pub(crate) struct Derived {
    facts: Arc<Facts>,
    stamp: Arc<()>,
    pub(crate) deliveries: Arc<Deliveries>,
    /// Which object carries the mark for a cause outside of the repository. Filled when first asked for.
    pub(crate) outside: OnceLock<HashMap<ObjectId, ObjectId>>,
}

impl Memo {
    /// An empty memo.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn derived(&self, cluster: &str, facts: &Arc<Facts>, repo: &RepoView<'_>) -> Arc<Derived> {
        let index: &RepoIndex = repo.index;
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(cluster).cloned();
        let same_facts = known.as_ref().filter(|it| Arc::ptr_eq(&it.facts, facts));
        if let Some(known) = same_facts.filter(|it| Arc::ptr_eq(&it.stamp, index.stamp())) {
            return Arc::clone(known);
        }
        let deliveries = match same_facts {
            Some(known) => Arc::clone(&known.deliveries),
            None => Arc::new(Deliveries::new(facts, repo.remotes)),
        };
        let derived = Arc::new(Derived {
            facts: Arc::clone(facts),
            stamp: Arc::clone(index.stamp()),
            deliveries,
            outside: OnceLock::new(),
        });
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(cluster.to_owned(), Arc::clone(&derived));
        derived
    }

    /// Forgets everything: call it when the remotes of the clone have changed.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
