//! Derived state that is worth keeping from one answer to the next.

use flux::{Facts, ObjectId};
use jiff::Timestamp;
use manifests::RepoPath;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::changes::KnownChanges;
use crate::charts::PastCharts;
use crate::content::Content;
use crate::deliveries::{Deliveries, Delivery};
use crate::index::{Builds, Covered, RepoIndex};
use crate::inputs::RepoView;
use crate::live::LiveObjects;
use crate::marked::{ByFile, ById, Faults};
use crate::silent::Candidate;
use crate::strays::Strays;
use crate::versions::{PastBuilds, Version};

/// What was derived from facts and repository, kept while they stay the same. Shared by threads; holds its lock
/// for look-ups only. It belongs to one set of remotes: take a new one when the remotes of the clone have changed.
#[derive(Default)]
pub struct Memo {
    clusters: Mutex<HashMap<String, Arc<Derived>>>,
    /// What was replaced. It may hold the last of large builds: see [`Memo::let_go`].
    replaced: Mutex<Vec<Arc<Derived>>>,
    pub(crate) past_builds: PastBuilds,
    pub(crate) changes: KnownChanges,
    pub(crate) past_charts: PastCharts,
}

/// How much of what was replaced is kept at most.
const REPLACED: usize = 8;

/// By version of the repository and Kustomization; `None` for one that is not applied from here.
type Contents = HashMap<(Version, ObjectId), Option<Arc<Content>>>;

/// What may be silent in a file, and the live objects that this was made of.
pub(crate) type Silences = (Arc<LiveObjects>, Arc<Vec<Candidate>>);

/// What is derived of one cluster.
pub(crate) struct Derived {
    stamp: Arc<()>,
    pub(crate) binding: Arc<Binding>,
    /// When the first verdict changes by the clock alone: what is derived of all objects is right until then.
    pub(crate) until: OnceLock<Option<Timestamp>>,
    /// Which object carries the mark for a cause that has no document in this repository. Filled when first asked.
    pub(crate) outside: OnceLock<HashMap<ObjectId, ObjectId>>,
    /// What Kustomizations apply, with content, for those that were asked for.
    pub(crate) contents: Mutex<Contents>,
    /// Failed objects without a document in this repository that nothing else leads to.
    pub(crate) strays: OnceLock<Strays>,
    /// By root cause: what waits for it or failed because of it, in the order of names.
    pub(crate) blocked: OnceLock<HashMap<ObjectId, Vec<ObjectId>>>,
    /// By file: the faults that stand in it.
    pub(crate) by_file: Mutex<Option<Arc<ByFile>>>,
    /// By file, for those that were asked for: what may be silent in it.
    pub(crate) silent: Mutex<HashMap<RepoPath, Silences>>,
    faults: ById<Arc<Faults>>,
}

impl Derived {
    /// The faults of an object, if they were placed.
    pub(crate) fn faults(&self, object: &ObjectId) -> Option<Arc<Faults>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).get(object).cloned()
    }

    pub(crate) fn note_faults(&self, object: &ObjectId, faults: Arc<Faults>) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).insert(object.clone(), faults);
    }
}

/// Which files the Kustomizations of a cluster are applied from. Typing in a manifest does not change it.
pub(crate) struct Binding {
    facts: Arc<Facts>,
    builds: Arc<Builds>,
    /// As the cluster tells them.
    told: Arc<Deliveries>,
    /// The same, with the roots of artifacts that the files prove.
    pub(crate) deliveries: Arc<Deliveries>,
    /// What the build of each delivery reads, in the order of the deliveries.
    pub(crate) covered: Vec<Arc<Covered>>,
    /// File → indexes of the deliveries whose build reads it.
    covering: HashMap<RepoPath, Vec<usize>>,
}

impl Memo {
    /// An empty memo.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn derived(
        &self,
        cluster: &str,
        facts: &Arc<Facts>,
        repo: &RepoView<'_>,
        now: Timestamp,
    ) -> Arc<Derived> {
        let index = repo.index;
        let known = self.clusters.lock().unwrap_or_else(PoisonError::into_inner).get(cluster).cloned();
        let known = known.filter(|it| Arc::ptr_eq(&it.binding.facts, facts));
        let is_over = |it: &Derived| it.until.get().copied().flatten().is_some_and(|until| until <= now);
        if let Some(known) = known.as_ref().filter(|it| Arc::ptr_eq(&it.stamp, index.stamp()) && !is_over(it))
        {
            return Arc::clone(known);
        }
        let binding = match &known {
            Some(known) if known.binding.is_current(index) => Arc::clone(&known.binding),
            Some(known) => Arc::new(Binding::new(facts, Arc::clone(&known.binding.told), repo)),
            None => Arc::new(Binding::new(facts, Arc::new(Deliveries::new(facts, repo.remotes)), repo)),
        };
        let derived = Arc::new(Derived {
            stamp: Arc::clone(index.stamp()),
            binding,
            until: OnceLock::new(),
            outside: OnceLock::new(),
            contents: Mutex::default(),
            strays: OnceLock::new(),
            blocked: OnceLock::new(),
            by_file: Mutex::default(),
            silent: Mutex::default(),
            faults: ById::default(),
        });
        let mut all = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        let replaced = all.insert(cluster.to_owned(), Arc::clone(&derived));
        drop(all);
        // Taking apart what was made of thousands of lines takes a millisecond that nobody should wait for.
        let mut all = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever never lets go waits now and then.
        if all.len() >= REPLACED {
            all.clear();
        }
        all.extend(replaced);
        derived
    }

    /// Lets go of what was replaced since. To be called when an answer was given, on a thread for which nobody waits.
    pub fn let_go(&self) {
        let replaced = std::mem::take(&mut *self.replaced.lock().unwrap_or_else(PoisonError::into_inner));
        drop(replaced);
    }
}

impl Binding {
    fn new(facts: &Arc<Facts>, told: Arc<Deliveries>, repo: &RepoView<'_>) -> Self {
        let deliveries = crate::roots::rooted(&told, repo);
        let covered: Vec<Arc<Covered>> =
            deliveries.from_here.iter().map(|it| repo.index.covered(repo.tree, it.from.key())).collect();
        let mut covering: HashMap<RepoPath, Vec<usize>> = HashMap::new();
        for (index, covered) in covered.iter().enumerate() {
            for path in covered.files() {
                covering.entry(path.clone()).or_default().push(index);
            }
        }
        Self {
            facts: Arc::clone(facts),
            builds: Arc::clone(repo.index.builds()),
            told,
            deliveries,
            covered,
            covering,
        }
    }

    /// Whether all builds would make the same again.
    fn is_current(&self, index: &RepoIndex) -> bool {
        Arc::ptr_eq(&self.builds, index.builds()) && self.covered.iter().all(|it| it.is_current(index))
    }

    /// Indexes of the deliveries whose build reads a file.
    pub(crate) fn covering(&self, path: &RepoPath) -> &[usize] {
        self.covering.get(path).map_or(&[], Vec::as_slice)
    }

    /// The deliveries of which it is known that their build reads a file. An artifact that was pushed from a folder
    /// nobody wrote down reads something of this repository, but `./` in it is not `./` here.
    pub(crate) fn known_to_read(&self, path: &RepoPath) -> impl Iterator<Item = &Delivery> {
        self.covering(path)
            .iter()
            .filter_map(|at| self.deliveries.from_here.get(*at))
            .filter(|delivery| delivery.from.is_certain())
    }
}
