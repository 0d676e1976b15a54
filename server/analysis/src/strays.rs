//! Failed objects of a cluster that no document of this repository is known to be.
//!
//! A HelmRelease from a remote base, a Kustomization that somebody typed into the cluster: their failure is nobody's
//! mark unless something here waits for them. It stands where they come from: at the nearest object that applies
//! them and has a document. What has none of these is only told by `check`.

use flux::{Kind, ObjectId};
use std::collections::{BTreeSet, HashMap};

use crate::inputs::Proof;
use crate::state::verdict_word;
use crate::view::View;
use crate::words;

/// Those of one cluster.
#[derive(Default)]
pub(crate) struct Strays {
    /// By the object that carries the mark.
    carried: HashMap<ObjectId, Vec<ObjectId>>,
    /// What belongs to this repository and has nobody to carry it.
    alone: Vec<ObjectId>,
}

impl Strays {
    pub(crate) fn carried_by(&self, carrier: &ObjectId) -> &[ObjectId] {
        self.carried.get(carrier).map_or(&[], Vec::as_slice)
    }
}

impl View<'_> {
    pub(crate) fn strays(&self, cluster: usize) -> &Strays {
        self.of_all(cluster).strays.get_or_init(|| {
            let mut strays = Strays::default();
            for object in self.facts(cluster).objects() {
                let id = &object.id;
                let failed = self.verdict(cluster, id).is_some_and(|it| it.state.is_failure());
                if !failed
                    || !self.is_own_trouble(cluster, id)
                    || self.outside(cluster).contains_key(id)
                    || self.place_of(cluster, id, false).is_some()
                    || self.first_spot(cluster, id).is_some()
                {
                    continue;
                }
                match self.carrier(cluster, id) {
                    Some(carrier) => strays.carried.entry(carrier).or_default().push(id.clone()),
                    None if self.is_of_here(cluster, id) => strays.alone.push(id.clone()),
                    None => {}
                }
            }
            strays
        })
    }

    /// The nearest object that applies another one, through any number between them, and has a document here.
    fn carrier(&self, cluster: usize, object: &ObjectId) -> Option<ObjectId> {
        let mut seen = BTreeSet::from([object.clone()]);
        let mut open = vec![object.clone()];
        while !open.is_empty() {
            let mut next = Vec::new();
            for applier in open.iter().flat_map(|it| self.facts(cluster).appliers_of(it)) {
                if !seen.insert(applier.id.clone()) {
                    continue;
                }
                if self.place_of(cluster, &applier.id, false).is_some() {
                    return Some(applier.id.clone());
                }
                next.push(applier.id.clone());
            }
            open = next;
        }
        None
    }

    /// Whether an object applies this repository, is what such a one takes it from, or is applied by one.
    pub(crate) fn is_of_here(&self, cluster: usize, object: &ObjectId) -> bool {
        let deliveries = &self.derived[cluster].binding.deliveries;
        let facts = self.facts(cluster);
        deliveries.of(object).is_some()
            || facts.appliers_of(object).iter().any(|it| deliveries.of(&it.id).is_some())
            || deliveries
                .from_here
                .iter()
                .any(|it| facts.source_id(&it.kustomization).as_ref() == Some(object))
    }

    /// What failed and has no place in this repository, in sentences.
    pub(crate) fn alone(&self) -> Vec<String> {
        let mut said = Vec::new();
        for cluster in 0..self.inputs.clusters.len() {
            if self.proof(cluster) == Proof::None {
                continue;
            }
            for id in &self.strays(cluster).alone {
                // What an object in trouble waits for says it too.
                let Some(verdict) =
                    self.verdict(cluster, id).filter(|_| id.flux_kind() != Some(Kind::HelmChart))
                else {
                    continue;
                };
                let name = words::data(self.cluster(cluster).name);
                let (state, why) = (verdict_word(&verdict.state), Self::sentence(&verdict));
                said.push(format!(
                    "{name}: {} is {state}, and no file here holds it: {why}",
                    words::data(&id.to_string())
                ));
            }
        }
        said
    }
}
