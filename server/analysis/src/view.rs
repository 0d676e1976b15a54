//! The inputs while one question is answered: which live object a document is, in which cluster, and how sure that is.

use flux::{Causes, Coverage, Facts, Kind, Object, ObjectId, Verdict};
use jiff::Timestamp;
use manifests::kustomize::{self, Origin, Use};
use manifests::{Document, Identity, ParsedFile, Placed, RepoPath, Role};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::compare::Counterparts;
use crate::deliveries::Delivery;
use crate::index::{DocRef, Outline, flux_object};
use crate::inputs::{ClusterView, Inputs, Proof, Right};
use crate::journey::Made;
use crate::live::Wanted;
use crate::memo::Derived;
use crate::past::Lacks;
use crate::place::Place;
use crate::versions::Version;

/// What was found of an object of a cluster while one question is answered.
type OnceEach<T> = RefCell<HashMap<(usize, ObjectId), T>>;

pub(crate) struct View<'a> {
    pub(crate) inputs: &'a Inputs<'a>,
    pub(crate) derived: Vec<Arc<Derived>>,
    lacks: RefCell<Lacks>,
    /// Live objects that the answer is about.
    pub(crate) wanted: RefCell<BTreeSet<Wanted>>,
    /// What was said not to be allowed: once an answer.
    pub(crate) forbidden: RefCell<BTreeSet<(usize, String)>>,
    recheck: Cell<Option<Timestamp>>,
    verdicts: OnceEach<Option<Arc<Verdict>>>,
    pub(crate) causes: OnceEach<Arc<Causes>>,
    pub(crate) places: OnceEach<Option<Place>>,
    pub(crate) ways: OnceEach<Option<Arc<crate::way::Way>>>,
    pub(crate) told: OnceEach<Arc<crate::plain::Told>>,
    pub(crate) there: crate::journey::Builds,
    pub(crate) journeys: crate::journey::Journeys,
    pub(crate) chart_texts: crate::charts::ChartTexts,
    pub(crate) chart_journeys: OnceEach<Option<Arc<crate::journey::Journey>>>,
    pub(crate) specs: crate::specs::KnownSpecs,
    pub(crate) counterparts: RefCell<HashMap<(Version, RepoPath), Counterparts>>,
}

/// How sure it is that a document is an object of a cluster (design 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    /// Same group, kind, name (and namespace). Never marked.
    Guess,
    /// A Kustomization's build reads the file, and its inventory does not hold the object (yet).
    Expected,
    /// A Kustomization's build reads the file, and its inventory holds the object.
    Matched,
    /// The object says itself which file it came from.
    Proven,
}

/// One object in one cluster, as one document has it.
#[derive(Clone)]
pub(crate) struct Standing {
    /// Index into [`Inputs::clusters`].
    pub(crate) cluster: usize,
    pub(crate) object: ObjectId,
    pub(crate) strength: Strength,
    /// The Kustomization whose build reads the file.
    pub(crate) applier: Option<Arc<Object>>,
    /// The object itself; [`Standing::absent`] says why there is none.
    pub(crate) live: Option<Arc<Object>>,
    /// The document is a patch of the object, not the object.
    pub(crate) patch: bool,
    /// Its applier sends it to another cluster: the Secret or ConfigMap that says to which.
    pub(crate) remote: Option<String>,
    /// What the applier's build makes of the document; none where no build is known to.
    pub(crate) made: Option<Made>,
}

/// Why an object is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Absent {
    /// All objects of its kind were read: it does not exist.
    Really,
    Forbidden {
        verb: String,
        resource: String,
    },
    NotServed,
    /// Its namespace was not read.
    OtherNamespace,
    NotYet,
    /// The recording has nothing of its kind; whether the cluster had, it does not tell.
    NotRecorded,
}

impl<'a> View<'a> {
    pub(crate) fn new(inputs: &'a Inputs<'a>) -> Self {
        let derived = inputs.clusters.iter();
        let derived =
            derived.map(|it| inputs.memo.derived(it.key, it.facts, &inputs.repo, inputs.now)).collect();
        Self {
            inputs,
            derived,
            lacks: RefCell::default(),
            wanted: RefCell::default(),
            forbidden: RefCell::default(),
            recheck: Cell::new(None),
            verdicts: RefCell::default(),
            causes: RefCell::default(),
            places: RefCell::default(),
            ways: RefCell::default(),
            told: RefCell::default(),
            there: RefCell::default(),
            journeys: RefCell::default(),
            chart_texts: RefCell::default(),
            chart_journeys: RefCell::default(),
            specs: crate::specs::KnownSpecs::default(),
            counterparts: RefCell::default(),
        }
    }

    pub(crate) fn cluster(&self, index: usize) -> &ClusterView<'a> {
        &self.inputs.clusters[index]
    }

    pub(crate) fn facts(&self, cluster: usize) -> &'a Facts {
        self.inputs.clusters[cluster].facts
    }

    pub(crate) fn proof(&self, cluster: usize) -> Proof {
        let contact = &self.cluster(cluster).contact;
        self.recheck_at(contact.changes_at(self.inputs.now));
        contact.proof(self.inputs.now)
    }

    /// Notes when the answer changes by the clock alone.
    pub(crate) fn recheck_at(&self, at: Option<Timestamp>) {
        let Some(at) = at.filter(|at| *at > self.inputs.now) else { return };
        self.recheck.set(Some(self.recheck.get().map_or(at, |known| known.min(at))));
    }

    /// What is derived of all objects of a cluster. Whoever uses it looks again when the first verdict changes by the clock:
    /// who found it there as well as who made it.
    pub(crate) fn of_all(&self, cluster: usize) -> &Derived {
        let derived = &self.derived[cluster];
        let first = || {
            let objects = self.facts(cluster).objects();
            objects.filter_map(|it| self.verdict(cluster, &it.id)?.recheck_at).min()
        };
        self.recheck_at(*derived.until.get_or_init(first));
        derived
    }

    pub(crate) fn lack(&self, note: impl FnOnce(&mut Lacks) -> bool) {
        note(&mut self.lacks.borrow_mut());
    }

    /// Whether history has to be asked before what was answered so far is certain.
    pub(crate) fn lacks_history(&self) -> bool {
        self.lacks.borrow().wants_history()
    }

    pub(crate) fn finish(self) -> (Lacks, Option<Timestamp>) {
        (self.lacks.into_inner(), self.recheck.get())
    }

    pub(crate) fn verdict(&self, cluster: usize, object: &ObjectId) -> Option<Arc<Verdict>> {
        let key = (cluster, object.clone());
        if let Some(known) = self.verdicts.borrow().get(&key) {
            return known.clone();
        }
        let verdict = self.facts(cluster).verdict(object, self.inputs.now).map(Arc::new);
        if let Some(verdict) = &verdict {
            self.recheck_at(verdict.recheck_at);
        }
        self.verdicts.borrow_mut().insert(key, verdict.clone());
        verdict
    }

    pub(crate) fn right(&self, cluster: usize, object: &ObjectId) -> Right {
        let Some(kind) = object.flux_kind() else { return Right::Forbidden };
        let right = self.cluster(cluster).rights.may_patch(kind, &object.namespace);
        if right == Right::NotAsked && self.proof(cluster) == Proof::Live {
            let key = self.cluster(cluster).key.to_owned();
            self.lack(|lacks| lacks.rights.insert((key, kind, object.namespace.to_string())));
        }
        right
    }

    /// Why an object is not among the facts.
    pub(crate) fn absent(&self, cluster: usize, object: &ObjectId) -> Absent {
        let Some(kind) = object.flux_kind() else { return Absent::NotYet };
        let facts = self.facts(cluster);
        match facts.coverage_in(kind, &object.namespace) {
            Coverage::Listed | Coverage::Partly(_) => Absent::Really,
            Coverage::Forbidden { .. } if matches!(facts.coverage(kind), Coverage::Partly(_)) => {
                Absent::OtherNamespace
            }
            Coverage::Forbidden { verb, resource } => {
                Absent::Forbidden { verb: verb.to_string(), resource: resource.to_string() }
            }
            Coverage::NotServed => Absent::NotServed,
            Coverage::NotYet if matches!(facts.coverage(kind), Coverage::Partly(_)) => Absent::OtherNamespace,
            Coverage::NotYet if matches!(self.proof(cluster), Proof::Recorded { .. }) => Absent::NotRecorded,
            Coverage::NotYet => Absent::NotYet,
        }
    }

    pub(crate) fn file(&self, path: &RepoPath) -> Option<&'a ParsedFile> {
        self.inputs.repo.index.file(path)
    }

    /// A file that holds Flux objects, or that a build reads or may read.
    pub(crate) fn any_file(&self, path: &RepoPath) -> Option<ParsedFile> {
        let is_read = |it: &Arc<Derived>| !it.binding.covering(path).is_empty();
        match self.file(path) {
            Some(file) => Some(file.clone()),
            None if self.derived.iter().any(is_read)
                || manifests::kustomize::is_kustomization_name(path.file_name()) =>
            {
                self.inputs.repo.tree.parsed(path)
            }
            None => None,
        }
    }

    /// The objects that a document is, in all clusters: in the order of the clusters, then of the objects.
    pub(crate) fn standings(&self, path: &RepoPath, document: &Document) -> Vec<Standing> {
        let Some((kind, identity)) = flux_object(document) else { return Vec::new() };
        let mut all = Vec::new();
        let mut guesses = Vec::new();
        for (index, cluster) in self.inputs.clusters.iter().enumerate() {
            if !self.inputs.settings.maps(path, cluster) {
                continue;
            }
            let doc = Doc { path, document, kind, identity };
            let found = self.by_path(index, &doc);
            // A name that holds a variable is not the name of anything.
            if found.is_empty() && !identity.has_variables() {
                guesses.extend(self.by_name(index, &doc));
            } else {
                all.extend(found);
            }
        }
        // A cluster that applies this very file leaves nothing to guess in the others.
        if all.is_empty() {
            return guesses;
        }
        all.extend(guesses.into_iter().filter(|it| it.strength > Strength::Guess));
        all.sort_by(|a, b| (a.cluster, &a.object).cmp(&(b.cluster, &b.object)));
        all
    }

    /// Objects of Kustomizations whose build reads the file.
    fn by_path(&self, cluster: usize, doc: &Doc<'_>) -> Vec<Standing> {
        let Some(nth) = self.nth(doc.path, doc.document) else { return Vec::new() };
        let mut found: Vec<Standing> = Vec::new();
        for made in self.made_of(cluster, doc.path, nth) {
            let Some(ids) = made.listed() else { continue };
            let MadeOf { delivery, outline, patch } = made;
            let applier = &delivery.kustomization;
            let make = |object: ObjectId, strength: Strength| Standing {
                cluster,
                made: Some(outline.made()),
                live: self.facts(cluster).get(&object).filter(|_| !applier.spec.remote).cloned(),
                object,
                strength,
                applier: Some(Arc::clone(applier)),
                patch,
                remote: applier
                    .spec
                    .remote
                    .then(|| applier.spec.kube_config.as_deref().unwrap_or("another cluster").to_owned()),
            };
            if ids.is_empty() {
                if let Some(object) = self.expected(cluster, doc, outline) {
                    found.push(make(object, Strength::Expected));
                }
                continue;
            }
            for object in ids {
                let standing = make(object, Strength::Matched);
                let said =
                    standing.live.as_ref().and_then(|live| origin(live, delivery.from.key().dir.clone()));
                let strength = match said {
                    Some(path) if path == *doc.path => Strength::Proven,
                    // It came from another file; this one may still shape it.
                    Some(_) if !patch && delivery.from.key().copies.is_none() => continue,
                    _ => Strength::Matched,
                };
                found.push(Standing { strength, ..standing });
            }
        }
        found.sort_by(|a, b| (&a.object, b.strength).cmp(&(&b.object, a.strength)));
        found.dedup_by(|a, b| a.object == b.object);
        found
    }

    /// A Kustomization that failed keeps its old list: what is new in it is expected, not missing.
    fn expected(&self, cluster: usize, doc: &Doc<'_>, outline: &Outline) -> Option<ObjectId> {
        if outline.id.is_pattern() {
            return None;
        }
        let name = &outline.id.name;
        let live = self.derived[cluster].binding.deliveries.live_named(doc.kind, name);
        let object = match (outline.id.namespace.as_deref(), live) {
            (Some(namespace), _) => ObjectId::flux(doc.kind, namespace, name),
            (None, [one]) => one.clone(),
            (None, _) => ObjectId::flux(doc.kind, "", name),
        };
        // What a Kustomization applies is not what another one would.
        let is_taken =
            self.facts(cluster).appliers_of(&object).iter().any(|it| it.kind == Kind::Kustomization);
        (!is_taken).then_some(object)
    }

    /// The place of a document among those of its file; callers may have parsed the file themselves.
    fn nth(&self, path: &RepoPath, document: &Document) -> Option<usize> {
        let documents = self.file(path)?.documents();
        let at = documents.iter().position(|it| std::ptr::eq(&*it.document, document));
        at.or_else(|| documents.iter().position(|it| it.document.text() == document.text()))
    }

    /// The objects that builds make of a document, or that it patches.
    pub(crate) fn made_of(&self, cluster: usize, path: &RepoPath, nth: usize) -> Vec<MadeOf<'_>> {
        let binding = &self.derived[cluster].binding;
        let here = DocRef { path: path.clone(), index: nth };
        let mut made = Vec::new();
        for at in binding.covering(path) {
            let (Some(delivery), Some(covered)) =
                (binding.deliveries.from_here.get(*at), binding.covered.get(*at))
            else {
                continue;
            };
            let is_patch = covered.is(path, Use::Patch);
            for outline in covered.objects_at(&here) {
                let starts = matches!(&outline.origin, Origin::Document { path: from, index }
                    if *from == here.path && *index == here.index);
                if starts || is_patch {
                    made.push(MadeOf { delivery, outline, patch: !starts });
                }
            }
        }
        made
    }

    /// Objects of the same name that nothing is known to apply from elsewhere.
    fn by_name(&self, cluster: usize, doc: &Doc<'_>) -> Vec<Standing> {
        let binding = &self.derived[cluster].binding;
        // A cluster that applies nothing of this repository has no part in it, however its objects are called.
        let mapped = self.inputs.settings.is_mapped_to(doc.path, self.cluster(cluster));
        if !binding.deliveries.fits() && !mapped {
            return Vec::new();
        }
        let mut found = Vec::new();
        for id in binding.deliveries.live_named(doc.kind, &doc.identity.name) {
            if doc.identity.namespace.as_deref().is_some_and(|namespace| *namespace != *id.namespace) {
                continue;
            }
            let Some(live) = self.facts(cluster).get(id) else { continue };
            let mut strength = Strength::Guess;
            let mut by = None;
            let mut elsewhere = false;
            for applier in self.facts(cluster).appliers_of(id) {
                let Some((at, delivery)) = binding.deliveries.of(&applier.id) else { continue };
                let all_known = binding.covered.get(at).is_some_and(|it| !it.hides);
                if delivery.from.is_certain() && all_known {
                    // Its text is known, and is not this one.
                    elsewhere = true;
                } else if !delivery.from.is_certain() && self.is_only_one(doc) {
                    // An artifact of this repository holds it, and no other text can be it.
                    strength = Strength::Matched;
                    by = Some(Arc::clone(applier));
                }
            }
            if !elsewhere || strength == Strength::Matched {
                found.push(Standing {
                    cluster,
                    object: id.clone(),
                    strength,
                    applier: by,
                    live: Some(Arc::clone(live)),
                    patch: doc.document.role() == Role::Patch,
                    remote: None,
                    made: None,
                });
            }
        }
        found
    }

    /// Whether no other document of the repository can be the same object.
    fn is_only_one(&self, doc: &Doc<'_>) -> bool {
        let index = self.inputs.repo.index;
        let same =
            index.named(doc.kind, &doc.identity.name).filter_map(|at| index.document(at)).filter(|placed| {
                placed.document.role() != Role::Patch
                    && flux_object(&placed.document).is_some_and(|(_, other)| {
                        other.namespace == doc.identity.namespace
                            || other.namespace.is_none()
                            || doc.identity.namespace.is_none()
                    })
            });
        same.count() == 1
    }

    /// The document of this repository that an object of a cluster is; with `guess` also by name alone.
    pub(crate) fn place_of(
        &self,
        cluster: usize,
        object: &ObjectId,
        guess: bool,
    ) -> Option<(DocRef, &'a Placed)> {
        let index = self.inputs.repo.index;
        let kind = object.flux_kind()?;
        let mut best: Option<((bool, Strength), DocRef, &Placed)> = None;
        for at in index.named(kind, &object.name) {
            let Some(placed) = index.document(at) else { continue };
            let own = self.standings(&at.path, &placed.document);
            let Some(standing) = own.iter().find(|it| it.cluster == cluster && it.object == *object) else {
                continue;
            };
            if standing.strength == Strength::Guess && !guess {
                continue;
            }
            let rank = (!standing.patch, standing.strength);
            if best.as_ref().is_none_or(|(known, ..)| rank > *known) {
                best = Some((rank, at.clone(), placed));
            }
        }
        best.map(|(_, at, placed)| (at, placed))
    }
}

/// An object that a Kustomization's build makes.
#[derive(Clone, Copy)]
pub(crate) struct MadeOf<'v> {
    pub(crate) delivery: &'v Delivery,
    pub(crate) outline: &'v Outline,
    /// The document only shapes it.
    pub(crate) patch: bool,
}

impl MadeOf<'_> {
    /// The entries of the applier's inventory that the object can be; none of them where it is expected. `None` if it is
    /// not known that the build makes the object at all: where the root of a pushed artifact is nobody wrote down, and
    /// only its inventory can tell of what it holds.
    pub(crate) fn listed(&self) -> Option<Vec<ObjectId>> {
        let ids = in_inventory(&self.delivery.kustomization, self.outline);
        (!ids.is_empty() || self.delivery.from.is_certain()).then_some(ids)
    }
}

/// The entries of an inventory that an object of a build can be: one, unless its name is not wholly known. An inventory has
/// no namespace for what is cluster-scoped; kustomize may have set one (flux-reference E.3).
pub(crate) fn in_inventory(applier: &Object, outline: &Outline) -> Vec<ObjectId> {
    let Some(inventory) = &applier.status.inventory else { return Vec::new() };
    let id = &outline.id;
    let is_it = |it: &flux::InventoryEntry<'_>| {
        *it.kind == *id.kind
            && *it.group == *id.group
            && id.may_be_named(it.name)
            && (it.namespace.is_empty()
                || id.namespace.as_deref().is_none_or(|namespace| kustomize::may_be(namespace, it.namespace)))
    };
    if !id.is_pattern()
        && let Some(namespace) = &id.namespace
    {
        let exact = ObjectId::new(&id.group, &id.kind, namespace, &id.name);
        if inventory.contains(&exact) {
            return vec![exact];
        }
    }
    inventory.iter().filter(is_it).map(|it| it.id()).collect()
}

/// A document that says it is a Flux object.
struct Doc<'d> {
    path: &'d RepoPath,
    document: &'d Document,
    kind: Kind,
    identity: &'d Identity,
}

/// The file that an object says it came from: `config.kubernetes.io/origin`, relative to the build's folder.
fn origin(live: &Object, dir: RepoPath) -> Option<RepoPath> {
    let origin = live.meta.origin.as_ref()?;
    // A remote base or a generator: its `path` is none of ours.
    if origin.lines().any(|line| line.starts_with("repo:") || line.starts_with("configuredIn:")) {
        return None;
    }
    let path = origin.lines().find_map(|line| line.strip_prefix("path:"))?;
    dir.join(path.trim().trim_matches(['"', '\'']))
}
