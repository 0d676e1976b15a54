//! What is known of one cluster, as an immutable value.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use jiff::Timestamp;

use crate::observe::{Observed, observe};
use crate::verdict::{State, Verdict, fails_to_fetch, verdict};
use crate::{Kind, Object, ObjectId, Role};

/// A cluster's name as people know it: the kubeconfig context, or the snapshot's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterName(pub Arc<str>);

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for ClusterName {
    fn from(name: &str) -> ClusterName {
        ClusterName(name.into())
    }
}

/// How much of a kind was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Coverage {
    /// Nobody has answered yet.
    #[default]
    NotYet,
    /// All objects are known.
    Listed,
    /// Only those of these namespaces are known.
    Partly(Vec<Arc<str>>),
    /// Reading is not allowed.
    Forbidden {
        /// What was tried, `list` or `watch`.
        verb: Arc<str>,
        /// On what, `kustomizations.kustomize.toolkit.fluxcd.io`.
        resource: Arc<str>,
    },
    /// The cluster does not serve the kind.
    NotServed,
}

/// Something new about a cluster.
#[derive(Clone, Debug)]
// Almost every change is the largest variant, lives for one batch and is moved twice.
#[expect(clippy::large_enum_variant)]
pub enum Change {
    /// An object was added or changed.
    Applied(Object),
    /// An object is gone.
    Deleted(ObjectId),
    /// A complete list of a kind, of all namespaces or of one: what it lacks is gone.
    Relisted {
        /// The kind.
        kind: Kind,
        /// `None` for all namespaces.
        namespace: Option<Arc<str>>,
        /// All objects there.
        objects: Vec<Object>,
    },
    /// What is known about reading a kind. It removes no objects.
    Coverage {
        /// The kind.
        kind: Kind,
        /// `None` for all namespaces.
        namespace: Option<Arc<str>>,
        /// `Partly` is not meant here; it follows from the namespaces.
        coverage: Coverage,
    },
    /// The version that is preferred by discovery.
    Served {
        /// The kind.
        kind: Kind,
        /// `v1`.
        version: Arc<str>,
    },
}

/// What [`Facts::apply`] changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Objects that say something else than before, or came, or went.
    pub objects: BTreeSet<ObjectId>,
    /// Those, and all objects whose verdict or causes may change with them: what refers to them, and what
    /// has them in its inventory, through all hops.
    pub affected: BTreeSet<ObjectId>,
    /// Kinds whose coverage or served version changed.
    pub kinds: BTreeSet<Kind>,
}

impl Changed {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.kinds.is_empty()
    }

    /// Adds what another call changed.
    pub fn merge(&mut self, other: Changed) {
        self.objects.extend(other.objects);
        self.affected.extend(other.affected);
        self.kinds.extend(other.kinds);
    }
}

type Scope = (Arc<str>, Arc<str>, Arc<str>);

/// What is known of one cluster. Cloning is cheap, and so is applying a batch: unchanged parts are shared.
#[derive(Clone, Debug)]
pub struct Facts {
    cluster: ClusterName,
    objects: OrdMap<ObjectId, Arc<Observed>>,
    /// Target to those that name it in their spec.
    referrers: OrdMap<ObjectId, OrdSet<ObjectId>>,
    /// (namespace, group, kind) to those whose inventory has such objects. Which of them has a given one,
    /// its inventory tells: an index of all entries would take more memory than the inventories.
    appliers: OrdMap<Scope, OrdSet<ObjectId>>,
    coverage: OrdMap<(Kind, Option<Arc<str>>), Coverage>,
    served: OrdMap<Kind, Arc<str>>,
    recorded_at: Option<Timestamp>,
}

impl Facts {
    /// Nothing is known yet.
    pub fn new(cluster: ClusterName) -> Facts {
        Facts {
            cluster,
            objects: OrdMap::new(),
            referrers: OrdMap::new(),
            appliers: OrdMap::new(),
            coverage: OrdMap::new(),
            served: OrdMap::new(),
            recorded_at: None,
        }
    }

    /// The cluster.
    pub fn cluster(&self) -> &ClusterName {
        &self.cluster
    }

    /// The facts after some changes, and what they changed. Costs what the batch is worth, not what is
    /// known already.
    pub fn apply(&self, changes: Vec<Change>, now: Timestamp) -> (Facts, Changed) {
        let mut next = self.clone();
        let mut changed = Changed::default();
        for change in changes {
            match change {
                Change::Applied(object) => next.put(object, now, &mut changed),
                Change::Deleted(id) => next.remove(&id, &mut changed),
                Change::Relisted { kind, namespace, objects } => {
                    let kept: BTreeSet<ObjectId> = objects.iter().map(|o| o.id.clone()).collect();
                    let gone: Vec<ObjectId> = next
                        .of_kind(kind)
                        .map(|o| &o.id)
                        .filter(|id| namespace.as_ref().is_none_or(|ns| *ns == id.namespace))
                        .filter(|id| !kept.contains(*id))
                        .cloned()
                        .collect();
                    for id in gone {
                        next.remove(&id, &mut changed);
                    }
                    for object in objects {
                        next.put(object, now, &mut changed);
                    }
                    next.cover(kind, namespace, Coverage::Listed, &mut changed);
                }
                Change::Coverage { kind, namespace, coverage } => {
                    next.cover(kind, namespace, coverage, &mut changed);
                }
                Change::Served { kind, version } => {
                    if next.served.insert(kind, version.clone()) != Some(version) {
                        changed.kinds.insert(kind);
                    }
                }
            }
        }
        next.spread(&mut changed);
        (next, changed)
    }

    fn cover(&mut self, kind: Kind, namespace: Option<Arc<str>>, coverage: Coverage, changed: &mut Changed) {
        if self.coverage.insert((kind, namespace), coverage.clone()) != Some(coverage) {
            changed.kinds.insert(kind);
        }
    }

    fn put(&mut self, object: Object, now: Timestamp, changed: &mut Changed) {
        self.recorded_at = self.recorded_at.max(object.meta.newest);
        let id = object.id.clone();
        let previous = self.objects.get(&id).cloned();
        let same_links = previous.as_ref().is_some_and(|p| {
            p.object.spec.references == object.spec.references
                && p.object.status.inventory == object.status.inventory
        });
        let says_the_same = previous.as_ref().is_some_and(|p| p.object.says_the_same(&object));
        if !same_links {
            if let Some(previous) = &previous {
                self.unlink(&previous.object);
            }
            self.link(&object);
        }
        let observed = observe(previous.as_deref(), &Arc::new(object), now);
        self.objects.insert(id.clone(), Arc::new(observed));
        if !says_the_same {
            changed.objects.insert(id);
        }
    }

    fn remove(&mut self, id: &ObjectId, changed: &mut Changed) {
        if let Some(previous) = self.objects.remove(id) {
            self.unlink(&previous.object);
            changed.objects.insert(id.clone());
        }
    }

    fn link(&mut self, object: &Object) {
        for reference in object.references() {
            self.referrers.entry(reference.target.clone()).or_default().insert(object.id.clone());
        }
        for scope in scopes(object) {
            self.appliers.entry(scope).or_default().insert(object.id.clone());
        }
    }

    fn unlink(&mut self, object: &Object) {
        for reference in object.references() {
            let rest = self.referrers.get(&reference.target).map(|set| set.without(&object.id));
            match rest.filter(|set| !set.is_empty()) {
                Some(set) => self.referrers.insert(reference.target.clone(), set),
                None => self.referrers.remove(&reference.target),
            };
        }
        for scope in scopes(object) {
            let rest = self.appliers.get(&scope).map(|set| set.without(&object.id));
            match rest.filter(|set| !set.is_empty()) {
                Some(set) => self.appliers.insert(scope, set),
                None => self.appliers.remove(&scope),
            };
        }
    }

    /// Follows what depends on the changed objects.
    fn spread(&self, changed: &mut Changed) {
        let mut open: Vec<ObjectId> = changed.objects.iter().cloned().collect();
        while let Some(id) = open.pop() {
            if changed.affected.insert(id.clone()) {
                open.extend(self.referrers_of(&id).cloned());
                open.extend(self.appliers_of(&id).into_iter().map(|o| o.id.clone()));
            }
        }
    }

    /// An object.
    pub fn get(&self, id: &ObjectId) -> Option<&Arc<Object>> {
        self.objects.get(id).map(|observed| &observed.object)
    }

    /// An object with its remembered past.
    pub fn observed(&self, id: &ObjectId) -> Option<&Arc<Observed>> {
        self.objects.get(id)
    }

    /// All objects, ordered by id.
    pub fn objects(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values().map(|observed| &observed.object)
    }

    /// All objects of a kind, ordered by id.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Arc<Object>> {
        let first = ObjectId::flux(kind, "", "");
        self.objects
            .range(first..)
            .map(|(_, observed)| &observed.object)
            .take_while(move |object| object.kind == kind)
    }

    /// How many objects are known.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether no object is known.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// How an object stands, seen together with its source and that one's sources.
    pub fn verdict(&self, id: &ObjectId, now: Timestamp) -> Option<Verdict> {
        let observed = self.objects.get(id)?;
        let source = self.source_of(&observed.object);
        let mut verdict = verdict(observed, source.map(|s| &**s), now);
        // A source may itself be ready and old, because the one behind it fails.
        let state = match &mut verdict.state {
            State::Suspended { last } => &mut **last,
            state => state,
        };
        if *state == State::Ready
            && let Some(failing) = self.failing_source(&observed.object)
        {
            *state = State::ReadySourceStale { source: failing };
        }
        Some(verdict)
    }

    fn failing_source(&self, object: &Object) -> Option<ObjectId> {
        let mut seen = BTreeSet::new();
        let mut open = vec![object.id.clone()];
        while let Some(id) = open.pop() {
            let Some(found) = self.get(&id) else { continue };
            if id != object.id && fails_to_fetch(found) {
                return Some(id);
            }
            if seen.insert(id) && seen.len() <= 32 {
                let content = [Role::Source, Role::Chart, Role::Producer, Role::Include];
                open.extend(
                    found.references().iter().filter(|r| content.contains(&r.role)).map(|r| r.target.clone()),
                );
            }
        }
        None
    }

    /// What an object takes its content from: the source of a Kustomization, the chart of a HelmRelease,
    /// the source of a chart, the producer of an ExternalArtifact.
    pub fn source_id(&self, object: &Object) -> Option<ObjectId> {
        if object.kind == Kind::HelmRelease
            && let Some(chart) = &object.status.helm_chart
            && object.references().iter().any(|r| r.role == Role::Source)
        {
            return Some(chart.clone());
        }
        let roles = [Role::Chart, Role::Source, Role::Producer, Role::Images];
        roles
            .iter()
            .find_map(|role| object.references().iter().find(|r| r.role == *role))
            .map(|r| r.target.clone())
    }

    /// [`Facts::source_id`], if it is known.
    pub fn source_of(&self, object: &Object) -> Option<&Arc<Object>> {
        self.get(&self.source_id(object)?)
    }

    /// How much of a kind was read, all namespaces taken together.
    pub fn coverage(&self, kind: Kind) -> Coverage {
        let everywhere = self.coverage.get(&(kind, None)).cloned().unwrap_or_default();
        if matches!(everywhere, Coverage::Listed | Coverage::NotServed) {
            return everywhere;
        }
        let listed: Vec<Arc<str>> = self
            .coverage
            .range((kind, None)..)
            .take_while(|((of, _), _)| *of == kind)
            .filter(|(_, coverage)| **coverage == Coverage::Listed)
            .filter_map(|((_, namespace), _)| namespace.clone())
            .collect();
        if listed.is_empty() { everywhere } else { Coverage::Partly(listed) }
    }

    /// How much of a kind was read in one namespace.
    pub fn coverage_in(&self, kind: Kind, namespace: &str) -> Coverage {
        let everywhere = self.coverage.get(&(kind, None)).cloned().unwrap_or_default();
        if matches!(everywhere, Coverage::Listed | Coverage::NotServed) {
            return everywhere;
        }
        self.coverage.get(&(kind, Some(namespace.into()))).cloned().unwrap_or(everywhere)
    }

    /// The newest time inside the objects: when a recording was made, at the earliest.
    pub fn recorded_at(&self) -> Option<Timestamp> {
        self.recorded_at
    }

    /// The version of a kind that the cluster serves, by discovery or by the objects that were read.
    pub fn served_version(&self, kind: Kind) -> Option<Arc<str>> {
        self.served.get(&kind).cloned().or_else(|| self.of_kind(kind).next().map(|o| o.version.clone()))
    }

    /// The objects whose inventory holds an object: Kustomizations, and where they tell it HelmReleases,
    /// ResourceSets, FluxInstances and ArtifactGenerators.
    pub fn appliers_of(&self, id: &ObjectId) -> Vec<&Arc<Object>> {
        let scope = (id.namespace.clone(), id.group.clone(), id.kind.clone());
        let Some(candidates) = self.appliers.get(&scope) else { return Vec::new() };
        candidates
            .iter()
            .filter_map(|applier| self.get(applier))
            .filter(|applier| applier.status.inventory.as_ref().is_some_and(|i| i.contains(id)))
            .collect()
    }

    /// The objects that name an object in their spec.
    pub fn referrers_of(&self, id: &ObjectId) -> impl Iterator<Item = &ObjectId> {
        self.referrers.get(id).into_iter().flatten()
    }

    /// The ArtifactGenerator that makes an ExternalArtifact, also before it has made it.
    pub fn generator_of(&self, artifact: &ObjectId) -> Option<&Arc<Object>> {
        self.of_kind(Kind::ArtifactGenerator).find(|generator| {
            generator.id.namespace == artifact.namespace && generator.spec.produces.contains(&artifact.name)
        })
    }
}

fn scopes(object: &Object) -> Vec<Scope> {
    let Some(inventory) = &object.status.inventory else { return Vec::new() };
    inventory.scopes().map(|(namespace, group, kind)| (namespace.into(), group.into(), kind.into())).collect()
}
