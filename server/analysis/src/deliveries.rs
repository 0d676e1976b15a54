//! Which files of the repository each live Kustomization of a cluster is applied from.

use flux::{Facts, Kind, Object, ObjectId};
use manifests::RepoPath;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::charts::ChartUse;
use crate::copies::{Copies, Source};
use crate::inputs::{Inputs, Remotes};
use crate::kept::BuildKey;

/// A cluster, looked at from one repository. Built once for each state of its facts.
#[derive(Clone)]
pub(crate) struct Deliveries {
    /// Kustomizations whose source is this repository, by id.
    pub(crate) from_here: Vec<Delivery>,
    by_kustomization: HashMap<ObjectId, usize>,
    /// Live Flux objects by kind and name.
    by_name: HashMap<(Kind, Arc<str>), Vec<ObjectId>>,
    /// Kustomizations of which it cannot be told where they come from.
    pub(crate) untold: Vec<(ObjectId, Gap)>,
    /// The charts of this repository that HelmReleases take. Filled when first asked.
    pub(crate) charts: OnceLock<Arc<[Arc<ChartUse>]>>,
}

/// Why it cannot be told what a Kustomization applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Gap {
    /// Its source was not read, or is not there.
    Source(ObjectId),
    /// Its source does not say which repository it was made from.
    NoOrigin(ObjectId),
    /// What made its source was not read, or is not there.
    NoMaker(ObjectId),
}

/// A Kustomization that is applied from this repository.
#[derive(Clone)]
pub(crate) struct Delivery {
    pub(crate) kustomization: Arc<Object>,
    pub(crate) from: From,
}

/// Where a Kustomization's build is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum From {
    /// In a folder of this repository, or of an artifact that was copied from it.
    Build(BuildKey),
    /// In an artifact that was pushed from this repository; which folder its root is, nobody wrote down.
    Somewhere(BuildKey),
}

/// Which Kustomization a cluster applies from this repository, and from which folder of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The cluster's key.
    pub cluster: String,
    /// The Kustomization.
    pub kustomization: ObjectId,
    /// The folder: of the repository, or of an artifact that was copied or pushed from it.
    pub folder: RepoPath,
}

/// What the clusters apply from this repository: for `doctor`.
pub fn delivered(inputs: &Inputs<'_>) -> Vec<Delivered> {
    let mut found = Vec::new();
    for cluster in inputs.clusters {
        for delivery in &Deliveries::new(cluster.facts, inputs.repo.remotes).from_here {
            let (kustomization, folder) =
                (delivery.kustomization.id.clone(), delivery.from.key().dir.clone());
            found.push(Delivered { cluster: cluster.key.to_owned(), kustomization, folder });
        }
    }
    found.sort_by(|one, two| (&one.cluster, &one.kustomization).cmp(&(&two.cluster, &two.kustomization)));
    found
}

impl Deliveries {
    pub(crate) fn new(facts: &Facts, remotes: &dyn Remotes) -> Self {
        let mut found = Self {
            from_here: Vec::new(),
            by_kustomization: HashMap::new(),
            by_name: HashMap::new(),
            untold: Vec::new(),
            charts: OnceLock::new(),
        };
        let mut sources = Sources { facts, remotes, known: HashMap::new() };
        for kind in Kind::ALL {
            for object in facts.of_kind(*kind) {
                found
                    .by_name
                    .entry((*kind, Arc::clone(&object.id.name)))
                    .or_default()
                    .push(object.id.clone());
                if *kind != Kind::Kustomization {
                    continue;
                }
                match sources.of(object) {
                    Told::Here(from) => {
                        found.by_kustomization.insert(object.id.clone(), found.from_here.len());
                        found.from_here.push(Delivery { kustomization: Arc::clone(object), from });
                    }
                    Told::Elsewhere => {}
                    Told::Untold(why) => found.untold.push((object.id.clone(), why)),
                }
            }
        }
        found
    }

    /// Whether anything of this repository is applied to this cluster.
    pub(crate) fn fits(&self) -> bool {
        !self.from_here.is_empty()
    }

    pub(crate) fn of(&self, kustomization: &ObjectId) -> Option<(usize, &Delivery)> {
        let index = *self.by_kustomization.get(kustomization)?;
        Some((index, self.from_here.get(index)?))
    }

    pub(crate) fn live_named(&self, kind: Kind, name: &str) -> &[ObjectId] {
        self.by_name.get(&(kind, Arc::from(name))).map_or(&[], Vec::as_slice)
    }
}

impl From {
    pub(crate) fn key(&self) -> &BuildKey {
        match self {
            Self::Build(key) | Self::Somewhere(key) => key,
        }
    }

    /// Whether it is known where the artifact's root is in this repository.
    pub(crate) fn is_certain(&self) -> bool {
        matches!(self, Self::Build(_))
    }
}

enum Told {
    Here(From),
    Elsewhere,
    Untold(Gap),
}

/// What is known of the sources of a cluster, each looked at once.
struct Sources<'a> {
    facts: &'a Facts,
    remotes: &'a dyn Remotes,
    known: HashMap<ObjectId, Origin>,
}

#[derive(Clone)]
enum Origin {
    /// A Git repository that is this one; what it leaves out.
    Ours(Arc<str>),
    /// An artifact pushed from this one; what is left out of what was pulled.
    Pushed(Source),
    /// An artifact copied from this one, and whether it is known from which folder.
    Copied(Arc<Copies>, bool),
    Other,
    Untold(Gap),
}

impl Sources<'_> {
    fn of(&mut self, kustomization: &Object) -> Told {
        let source = kustomization.references().iter().find(|it| it.role == flux::Role::Source);
        let Some(source) = source else { return Told::Elsewhere };
        let path = kustomization.spec.path.as_deref().unwrap_or_default();
        let near = self.near(kustomization);
        let key = |copies, ignore| BuildKey {
            copies,
            ignore,
            dir: RepoPath::of_flux(path),
            near: Arc::clone(&near),
            spec: Arc::clone(&kustomization.spec_json),
        };
        match self.origin(&source.target) {
            Origin::Ours(ignore) => Told::Here(From::Build(key(None, Some(ignore)))),
            Origin::Pushed(ignore) => Told::Here(From::Somewhere(key(None, ignore))),
            Origin::Copied(copies, true) => Told::Here(From::Build(key(Some(copies), None))),
            Origin::Copied(copies, false) => Told::Here(From::Somewhere(key(Some(copies), None))),
            Origin::Other => Told::Elsewhere,
            Origin::Untold(why) => Told::Untold(why),
        }
    }

    /// The folders that a Kustomization comes from: what applies it, what applies that and so on, last its own.
    fn near(&self, kustomization: &Object) -> Arc<[RepoPath]> {
        /// Kustomizations may apply each other in a circle.
        const MOST: usize = 8;
        let folder = |it: &Object| RepoPath::of_flux(it.spec.path.as_deref().unwrap_or_default());
        let mut folders = Vec::new();
        let mut at = &kustomization.id;
        while folders.len() < MOST
            && let Some(applier) = self.facts.appliers_of(at).iter().find(|it| it.kind == Kind::Kustomization)
            && applier.id != *at
        {
            folders.push(folder(applier));
            at = &applier.id;
        }
        folders.push(folder(kustomization));
        folders.into()
    }

    fn origin(&mut self, source: &ObjectId) -> Origin {
        if let Some(known) = self.known.get(source) {
            return known.clone();
        }
        let origin = self.look(source);
        self.known.insert(source.clone(), origin.clone());
        origin
    }

    fn look(&self, source: &ObjectId) -> Origin {
        let Some(object) = self.facts.get(source) else {
            return Origin::Untold(Gap::Source(source.clone()));
        };
        match object.kind {
            Kind::GitRepository => match &object.spec.url {
                Some(url) if self.remotes.is_ours(url) => {
                    Origin::Ours(text(&object.raw_spec(), "ignore").unwrap_or_default().into())
                }
                _ => Origin::Other,
            },
            Kind::ExternalArtifact => self.copied(object),
            _ => match object.status.artifact.as_ref().and_then(|it| it.origin_source.as_ref()) {
                Some(url) if self.remotes.is_ours(url) => Origin::Pushed(ignore_of_pulled(object)),
                Some(_) => Origin::Other,
                None => Origin::Untold(Gap::NoOrigin(source.clone())),
            },
        }
    }

    /// An ExternalArtifact names the generator that made it; the generator's rules say from what.
    fn copied(&self, artifact: &Object) -> Origin {
        let producer =
            artifact.references().iter().find(|it| it.role == flux::Role::Producer).map(|it| &it.target);
        let generator = match producer {
            Some(id) => self.facts.get(id),
            None => self.facts.of_kind(Kind::ArtifactGenerator).find(|it| {
                it.id.namespace == artifact.id.namespace && it.spec.produces.contains(&artifact.id.name)
            }),
        };
        let Some(generator) = generator.filter(|it| it.kind == Kind::ArtifactGenerator) else {
            return Origin::Untold(Gap::NoMaker(artifact.id.clone()));
        };
        let spec = generator.raw_spec();
        let mut is_certain = true;
        let ours = |alias: &str| {
            let sources = spec.get("sources").and_then(Value::as_array)?;
            let index = sources.iter().position(|it| text(it, "alias") == Some(alias))?;
            let field = format!("spec.sources[{index}].name");
            let source = generator.references().iter().find(|it| *it.field == *field)?;
            match self.look_flat(&source.target) {
                Origin::Ours(ignore) => Some(Some(ignore)),
                Origin::Pushed(ignore) => {
                    is_certain = false;
                    Some(ignore)
                }
                _ => None,
            }
        };
        match Copies::read(&spec, &artifact.id.name, ours) {
            Some(copies) => Origin::Copied(Arc::new(copies), is_certain),
            None => Origin::Other,
        }
    }

    /// Like [`look`](Self::look), without going from generator to generator: those may form a circle.
    fn look_flat(&self, source: &ObjectId) -> Origin {
        match self.facts.get(source) {
            Some(object) if object.kind != Kind::ExternalArtifact => self.look(source),
            _ => Origin::Other,
        }
    }
}

/// What an OCIRepository leaves out of what it pulled: nothing of a layer that it copies as it is (source-controller 1.9,
/// `reconcileArtifact`).
fn ignore_of_pulled(source: &Object) -> Source {
    let spec = source.raw_spec();
    let is_copied = spec.pointer("/layerSelector/operation").and_then(Value::as_str) == Some("copy");
    (source.kind == Kind::OCIRepository && !is_copied)
        .then(|| text(&spec, "ignore").unwrap_or_default().into())
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}
