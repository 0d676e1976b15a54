//! The objects that a live Kustomization applies, as the texts in front of the user make them.

use flux::{Kind, Named, ObjectId};
use manifests::kustomize::{Build, Built, Origin};
use manifests::{RepoPath, Tree, Value, value};
use std::sync::{Arc, PoisonError};

use crate::copies::Copies;
use crate::index::DocRef;
use crate::json::from_json;
use crate::placing::find_object;
use crate::view::View;

/// What a Kustomization applies, with content: kept for those that were asked for, while texts and facts stay.
#[derive(Debug)]
pub(crate) struct Content {
    /// Its spec as the repository writes it; the cluster's own, without places, if no text is known to be it.
    pub(crate) spec: Arc<Value>,
    /// The folder that is built: of the repository, or of the artifact that was copied from it.
    pub(crate) dir: RepoPath,
    /// How the artifact was copied from the repository, if it was.
    pub(crate) copies: Option<Arc<Copies>>,
    /// What is built from the texts.
    pub(crate) build: Build,
}

/// A Flux object as the texts have it.
#[derive(Clone)]
pub(crate) struct Written {
    /// The object.
    pub(crate) value: Arc<Value>,
    /// The document that it starts from; none for one that is generated.
    pub(crate) document: Option<DocRef>,
    /// What builds it, and its place among what is built.
    pub(crate) by: Option<(Arc<Content>, usize)>,
}

/// How many Kustomizations that apply each other are followed.
const MAX_DEPTH: u32 = 16;

impl Content {
    /// Where a path of the artifact is in the repository.
    pub(crate) fn in_repository(&self, tree: &dyn Tree, path: &RepoPath) -> RepoPath {
        match &self.copies {
            None => path.clone(),
            Some(copies) => copies.artifact(tree).written_at(path),
        }
    }
}

impl Written {
    /// What it is built from; none for a document that nobody is known to build.
    pub(crate) fn built(&self) -> Option<&Built> {
        let (content, at) = self.by.as_ref()?;
        content.build.objects.get(*at)
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
        let written = self.written_below(cluster, id, depth).and_then(|it| it.value.get("spec").cloned());
        // The text, even where it differs from the live spec: what is being mended is placed in what is typed, and what it
        // was at the revision that failed is another question.
        let spec = written.unwrap_or_else(|| Arc::new(from_json(&delivery.kustomization.raw_spec())));
        let (repo, key) = (&self.inputs.repo, delivery.from.key());
        let (build, _) = repo.index.build(repo.tree, key, &spec);
        Some(Content { spec, build, dir: key.dir.clone(), copies: key.copies.clone() })
    }

    /// A Flux object as the texts make it: what its Kustomization builds of it, else its own document.
    pub(crate) fn written(&self, cluster: usize, id: &ObjectId) -> Option<Written> {
        self.written_below(cluster, id, MAX_DEPTH)
    }

    fn written_below(&self, cluster: usize, id: &ObjectId, depth: u32) -> Option<Written> {
        let depth = depth.checked_sub(1)?;
        let named = Named {
            group: Some(id.group.to_string()),
            kind: id.kind.to_string(),
            namespace: Some(id.namespace.to_string()),
            name: id.name.to_string(),
        };
        let appliers = self.facts(cluster).appliers_of(id);
        for applier in appliers.iter().filter(|it| it.kind == Kind::Kustomization && it.id != *id) {
            let Some(content) = self.content_below(cluster, &applier.id, depth) else { continue };
            let Some(at) = find_object(&content.build, &named) else { continue };
            let built = &content.build.objects[at];
            let document = match &built.origin {
                Origin::Document { path, index } => Some(DocRef { path: path.clone(), index: *index }),
                Origin::Generated { .. } => None,
            };
            return Some(Written { value: Arc::clone(&built.value), document, by: Some((content, at)) });
        }
        let (at, placed) = self.place_of(cluster, id, false)?;
        let value = value::of_document(&at.path, at.index, placed)?;
        Some(Written { value, document: Some(at), by: None })
    }
}
