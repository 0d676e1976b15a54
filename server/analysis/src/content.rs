//! The objects that a live Kustomization applies, as the texts make them: those in front of the user, or those of another
//! version of the repository.

use flux::{Kind, Named, ObjectId};
use manifests::kustomize::{Build, Built, Origin};
use manifests::{RepoPath, Tree, Value, value};
use std::sync::{Arc, PoisonError};

use crate::copies::Copies;
use crate::index::DocRef;
use crate::kept::{BuildKey, Working};
use crate::placing::find_object;
use crate::versions::Version;
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
    pub(crate) build: Arc<Build>,
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
    pub(crate) fn spec(&self) -> Option<Arc<Value>> {
        self.value.get("spec").cloned()
    }

    /// What it is built from; none for a document that nobody is known to build.
    pub(crate) fn built(&self) -> Option<&Built> {
        let (content, at) = self.by.as_ref()?;
        content.build.objects.get(*at)
    }
}

impl View<'_> {
    /// What a live Kustomization applies, as the texts in front of the user make it. `None` if it is not applied from this
    /// repository, or from a folder of it that nobody wrote down.
    pub(crate) fn content(&self, cluster: usize, kustomization: &ObjectId) -> Option<Arc<Content>> {
        self.content_at(&Version::Buffer, cluster, kustomization, MAX_DEPTH)
    }

    /// The same in a version of the repository.
    pub(crate) fn content_in(
        &self,
        version: &Version,
        cluster: usize,
        id: &ObjectId,
    ) -> Option<Arc<Content>> {
        self.content_at(version, cluster, id, MAX_DEPTH)
    }

    fn content_at(
        &self,
        version: &Version,
        cluster: usize,
        id: &ObjectId,
        depth: u32,
    ) -> Option<Arc<Content>> {
        let known = &self.derived[cluster].contents;
        let key = (version.clone(), id.clone());
        if let Some(known) = known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return known.clone();
        }
        // What is not known of an earlier version may be soon.
        let tree = self.tree_in(version)?;
        let content = self.content_anew(version, tree, cluster, id, depth).map(Arc::new);
        if self.is_incomplete(version) {
            return content;
        }
        known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, content.clone());
        content
    }

    fn content_anew(
        &self,
        version: &Version,
        tree: &dyn Tree,
        cluster: usize,
        id: &ObjectId,
        depth: u32,
    ) -> Option<Content> {
        let (_, delivery) = self.derived[cluster].binding.deliveries.of(id)?;
        if !delivery.from.is_certain() {
            return None;
        }
        let written = self.written_at(version, cluster, id, depth).and_then(|it| it.spec());
        // The text, even where it differs from the live spec: what is being mended is placed in what is typed, and what it
        // was at the revision that failed is another question.
        let spec = written.unwrap_or_else(|| self.live_spec(cluster, id));
        Some(self.build_with(version, tree, delivery.from.key(), spec))
    }

    /// Builds what a Kustomization of this spec applies from a version of the repository.
    pub(crate) fn build_with(
        &self,
        version: &Version,
        tree: &dyn Tree,
        key: &BuildKey,
        spec: Arc<Value>,
    ) -> Content {
        let path = spec.text(&["path"]).filter(|it| !it.contains("${"));
        let dir = path.map_or_else(|| key.dir.clone(), RepoPath::of_flux);
        let key = BuildKey { dir: dir.clone(), ..key.clone() };
        let index = self.inputs.repo.index;
        let build = match version.commit().and_then(|it| self.files_at(it)) {
            Some(files) => {
                let key = key.with_spec(&spec);
                let maps = index.maps_of(&spec);
                self.inputs.memo.past_build(&**files, &key, maps, || index.build(tree, &key, &spec).0)
            }
            None if *version == Version::Saved && self.inputs.repo.saved.is_some() => {
                index.build_now(Working::Saved, tree, &key, &spec).0
            }
            None => index.build_now(Working::Buffers, tree, &key, &spec).0,
        };
        Content { spec, build, dir, copies: key.copies }
    }

    /// A Flux object as the texts make it: what its Kustomization builds of it, else its own document.
    pub(crate) fn written(&self, cluster: usize, id: &ObjectId) -> Option<Written> {
        self.written_at(&Version::Buffer, cluster, id, MAX_DEPTH)
    }

    /// The same in a version of the repository.
    pub(crate) fn written_in(&self, version: &Version, cluster: usize, id: &ObjectId) -> Option<Written> {
        self.written_at(version, cluster, id, MAX_DEPTH)
    }

    fn written_at(&self, version: &Version, cluster: usize, id: &ObjectId, depth: u32) -> Option<Written> {
        let depth = depth.checked_sub(1)?;
        let named = Named {
            group: Some(id.group.to_string()),
            kind: id.kind.to_string(),
            namespace: Some(id.namespace.to_string()),
            name: id.name.to_string(),
        };
        let appliers = self.facts(cluster).appliers_of(id);
        for applier in appliers.iter().filter(|it| it.kind == Kind::Kustomization && it.id != *id) {
            let Some(content) = self.content_at(version, cluster, &applier.id, depth) else { continue };
            let Some(at) = find_object(&content.build, &named) else { continue };
            let built = &content.build.objects[at];
            let document = match &built.origin {
                Origin::Document { path, index } => Some(DocRef { path: path.clone(), index: *index }),
                Origin::Generated { .. } => None,
            };
            return Some(Written { value: Arc::clone(&built.value), document, by: Some((content, at)) });
        }
        let (at, placed) = self.place_of(cluster, id, false)?;
        if *version == Version::Buffer {
            let value = value::of_document(&at.path, at.index, placed)?;
            return Some(Written { value, document: Some(at), by: None });
        }
        let then = self.counterpart(version, &at.path, &placed.document)??;
        let file = self.tree_in(version)?.parsed(&at.path)?;
        let index = file.documents().iter().position(|it| Arc::ptr_eq(&it.document, &then))?;
        let value = value::of_document(&at.path, index, file.documents().get(index)?)?;
        Some(Written { value, document: Some(DocRef { path: at.path, index }), by: None })
    }
}
