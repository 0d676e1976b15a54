//! The spec of a Kustomization in versions of the repository, and in the cluster: what a build is made with.

use flux::{Kind, ObjectId};
use manifests::Value;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::json::from_json;
use crate::versions::Version;
use crate::view::View;

/// What a Kustomization is built with where two versions are compared.
#[derive(Debug, Clone)]
pub(crate) enum Specs {
    /// With the live spec, at both: their texts say the same of it, or have none. It says more than a text does (what
    /// parents patch and substitute, defaults), so what differs is not the spec.
    Live,
    /// With what each of them says.
    Both(Arc<Value>, Arc<Value>),
    /// Only the first has such a Kustomization.
    First(Arc<Value>),
    /// Only the second has.
    Second(Arc<Value>),
}

/// What was found while one question is answered.
#[derive(Default)]
pub(crate) struct KnownSpecs {
    written: Known<Version, Option<Arc<Value>>>,
    compared: Known<(Version, Version), Specs>,
    applied: Known<(), Option<Version>>,
}

/// By cluster, Kustomization and what else was asked for.
type Known<K, T> = RefCell<HashMap<(usize, ObjectId, K), T>>;

impl View<'_> {
    /// The spec as the cluster has it.
    pub(crate) fn live_spec(&self, cluster: usize, id: &ObjectId) -> Arc<Value> {
        let live = self.facts(cluster).get(id).map(|it| it.raw_spec()).unwrap_or_default();
        Arc::new(from_json(&live))
    }

    /// The spec as the texts of a version make it.
    pub(crate) fn written_spec(
        &self,
        version: &Version,
        cluster: usize,
        id: &ObjectId,
    ) -> Option<Arc<Value>> {
        let key = (cluster, id.clone(), version.clone());
        if let Some(known) = self.specs.written.borrow().get(&key) {
            return known.clone();
        }
        let spec = self.written_in(version, cluster, id).and_then(|it| it.spec());
        self.specs.written.borrow_mut().insert(key, spec.clone());
        spec
    }

    /// What to build a Kustomization with at two versions.
    pub(crate) fn specs(&self, cluster: usize, id: &ObjectId, one: &Version, two: &Version) -> Specs {
        let key = (cluster, id.clone(), (one.clone(), two.clone()));
        if let Some(known) = self.specs.compared.borrow().get(&key) {
            return known.clone();
        }
        let written = |version| self.written_spec(version, cluster, id);
        let specs = match (written(one), written(two)) {
            (None, None) => Specs::Live,
            (Some(one), Some(two)) if one.says_the_same(&two) => Specs::Live,
            (Some(one), Some(two)) => Specs::Both(one, two),
            (Some(one), None) => Specs::First(one),
            (None, Some(two)) => Specs::Second(two),
        };
        self.specs.compared.borrow_mut().insert(key, specs.clone());
        specs
    }

    /// The version whose texts a live Kustomization has its spec from: what its parent applied.
    pub(crate) fn applied_spec(&self, cluster: usize, id: &ObjectId) -> Option<Version> {
        let key = (cluster, id.clone(), ());
        if let Some(known) = self.specs.applied.borrow().get(&key) {
            return known.clone();
        }
        let found = || {
            let appliers = self.facts(cluster).appliers_of(id);
            let parent = appliers.iter().find(|it| it.kind == Kind::Kustomization)?;
            let applied = self.verdict(cluster, &parent.id)?.applied.clone()?;
            let version = self.point(&applied).ok()?;
            self.written_spec(&version, cluster, id).map(|_| version)
        };
        let version = found();
        self.specs.applied.borrow_mut().insert(key, version.clone());
        version
    }
}
