//! The objects that a live Kustomization applies, as the texts in front of the user make them.

use flux::{Kind, ObjectId};
use manifests::kustomize::{Build, Built, Id};
use manifests::{Value, value};
use std::sync::{Arc, PoisonError};

use crate::inventory::from_json;
use crate::view::View;

/// What a Kustomization applies, with content: kept for those that were asked for, while texts and facts stay.
#[derive(Debug)]
pub(crate) struct Content {
    /// Its spec: as the repository writes it where that is what the cluster has, else the cluster's own, without places.
    pub(crate) spec: Arc<Value>,
    /// What is built from the texts.
    pub(crate) build: Build,
}

/// The fields of a Kustomization that shape what it builds.
const SHAPING: [&str; 12] = [
    "path",
    "targetNamespace",
    "namePrefix",
    "nameSuffix",
    "components",
    "ignoreMissingComponents",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "images",
    "postBuild",
    "commonMetadata",
];

/// How many Kustomizations that apply each other are followed.
const MAX_DEPTH: u32 = 16;

impl Content {
    /// The object that a cluster knows by this id. `None` also when several may be meant.
    pub(crate) fn object(&self, id: &ObjectId) -> Option<&Built> {
        let is_it = |made: &Id| {
            *made.kind == *id.kind
                && *made.group == *id.group
                && made.may_be_named(&id.name)
                && (id.namespace.is_empty()
                    || made
                        .namespace
                        .as_deref()
                        .is_none_or(|it| manifests::kustomize::may_be(it, &id.namespace)))
        };
        let mut found = self.build.objects.iter().filter(|it| it.id().is_some_and(|id| is_it(&id)));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }
}

impl View<'_> {
    /// What a live Kustomization applies. `None` if it is not applied from this repository, or from a folder of it that
    /// nobody wrote down.
    pub(crate) fn content(&self, cluster: usize, kustomization: &ObjectId) -> Option<Arc<Content>> {
        self.content_below(cluster, kustomization, MAX_DEPTH)
    }

    fn content_below(&self, cluster: usize, id: &ObjectId, depth: u32) -> Option<Arc<Content>> {
        let known = &self.derived[cluster].contents;
        if let Some(known) = known.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            return known.clone();
        }
        let content = self.content_anew(cluster, id, depth).map(Arc::new);
        known.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), content.clone());
        content
    }

    fn content_anew(&self, cluster: usize, id: &ObjectId, depth: u32) -> Option<Content> {
        let (_, delivery) = self.derived[cluster].binding.deliveries.of(id)?;
        if !delivery.from.is_certain() {
            return None;
        }
        let live = Arc::new(from_json(&delivery.kustomization.raw_spec()));
        let written = self.made(cluster, id, depth).and_then(|it| it.get("spec").cloned());
        let agrees = |written: &Arc<Value>| {
            SHAPING.iter().all(|key| match (written.get(key), live.get(key)) {
                (Some(one), Some(two)) => one.says_the_same(two),
                (None, None) => true,
                _ => false,
            })
        };
        let spec = written.filter(agrees).unwrap_or(live);
        let repo = &self.inputs.repo;
        let (build, _) = repo.index.build(repo.tree, delivery.from.key(), &spec);
        Some(Content { spec, build })
    }

    /// A Flux object as the texts make it: what its Kustomization builds of it, else its own document.
    pub(crate) fn made(&self, cluster: usize, id: &ObjectId, depth: u32) -> Option<Arc<Value>> {
        let depth = depth.checked_sub(1)?;
        let appliers = self.facts(cluster).appliers_of(id);
        let mut appliers =
            appliers.iter().filter(|it| it.kind == Kind::Kustomization && it.id != *id).map(|it| &it.id);
        let built = appliers.find_map(|applier| {
            let content = self.content_below(cluster, applier, depth)?;
            content.object(id).map(|it| Arc::clone(&it.value))
        });
        built.or_else(|| {
            let (at, placed) = self.place_of(cluster, id, false)?;
            value::of_document(&at.path, at.index, placed)
        })
    }
}
