//! What failed first.
//!
//! Flux tells of a waiting object only what it waits for. The object that has to be mended may be many
//! hops away: through `dependsOn`, sources and charts, the generator of an artifact, and the Flux objects
//! in an inventory that a health check waits for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

use crate::message::{health_items, named_objects, names_workloads};
use crate::observe::health_check_runs;
use crate::verdict::State;
use crate::{Coverage, Facts, Kind, Object, ObjectId, Role, Verdict};

/// One step from an object to what it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Who waits.
    pub from: ObjectId,
    /// For whom.
    pub to: ObjectId,
    /// The field of `from` that leads there (`spec.dependsOn[0].name`). Empty where no field does: a health
    /// check of what is in the inventory, the generator of an artifact that does not exist yet.
    pub field: String,
}

/// What kind of cause it is, the most telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CauseKind {
    /// It failed or is unhealthy.
    Failure,
    /// It does not exist.
    Missing,
    /// It may exist, but was not read (no permission, kind not served, namespace not read).
    NotVisible,
    /// It is suspended and not ready.
    Suspended,
    /// It waits and nothing more is told.
    Waiting,
    /// It is still at work.
    InProgress,
    /// It is ready by now: the one that waits has only to try again.
    Resolved,
}

/// A root cause and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// From the object that was asked about to the root; empty if it is the root itself.
    pub chain: Vec<Hop>,
    /// What failed first.
    pub root: ObjectId,
    /// What kind of cause it is.
    pub kind: CauseKind,
    /// How the root stands; none if it was not read.
    pub verdict: Option<Verdict>,
}

/// All root causes of an object's trouble.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Causes {
    /// Failures first. Empty if the object is in no trouble.
    pub roots: Vec<Cause>,
    /// Objects that wait for each other, the first one not repeated.
    pub cycle: Option<Vec<ObjectId>>,
}

/// No cluster has chains longer than this; it bounds the work on absurd data.
const MOST_OBJECTS: usize = 5_000;

/// What one object says about its trouble.
enum Step {
    /// It is in no trouble.
    Fine,
    /// It is a root.
    Root(CauseKind),
    /// It waits for these; for nothing else, it would be a root of this kind.
    Onward(Vec<Hop>, CauseKind),
}

/// Why an object is not ready (or ready and stale), followed through as many hops as there are. Several
/// objects may have failed independently; objects that wait for each other are told as a cycle.
pub fn causes(facts: &Facts, id: &ObjectId, now: Timestamp) -> Causes {
    let mut parents: BTreeMap<ObjectId, Option<Hop>> = BTreeMap::from([(id.clone(), None)]);
    let mut edges: BTreeMap<ObjectId, Vec<ObjectId>> = BTreeMap::new();
    let mut found: Vec<(ObjectId, CauseKind, Option<Verdict>)> = Vec::new();
    // Breadth first, so that the chain to each root is a shortest one.
    let mut open = VecDeque::from([id.clone()]);
    while let Some(current) = open.pop_front() {
        let is_start = current == *id;
        let verdict = facts.verdict(&current, now);
        let step = match (&verdict, facts.get(&current)) {
            (Some(verdict), Some(object)) => step(facts, object, verdict, now),
            _ if is_start => return Causes::default(),
            _ => absent(facts, &current, now),
        };
        match step {
            Step::Fine if is_start => return Causes::default(),
            Step::Fine => found.push((current, CauseKind::Resolved, verdict)),
            Step::Root(kind) => found.push((current, kind, verdict)),
            Step::Onward(hops, kind) if hops.is_empty() => found.push((current, kind, verdict)),
            Step::Onward(hops, _) => {
                // A health check may name workloads beside Flux objects: both are causes.
                if let Some(v) =
                    verdict.filter(|v| v.state == State::Unhealthy && names_workloads(&v.message))
                {
                    found.push((current.clone(), CauseKind::Failure, Some(v)));
                }
                for hop in hops {
                    edges.entry(current.clone()).or_default().push(hop.to.clone());
                    if !parents.contains_key(&hop.to) && parents.len() < MOST_OBJECTS {
                        open.push_back(hop.to.clone());
                        parents.insert(hop.to.clone(), Some(hop));
                    }
                }
            }
        }
    }
    // What is ready by now explains nothing while something else is in trouble.
    if found.iter().any(|(_, kind, _)| *kind != CauseKind::Resolved) {
        found.retain(|(_, kind, _)| *kind != CauseKind::Resolved);
    }
    let mut roots: Vec<Cause> = found
        .into_iter()
        .map(|(root, kind, verdict)| Cause { chain: chain(&parents, &root), root, kind, verdict })
        .collect();
    roots.sort_by(|a, b| (a.kind, a.chain.len(), &a.root).cmp(&(b.kind, b.chain.len(), &b.root)));
    Causes { roots, cycle: cycle(&edges, id) }
}

fn chain(parents: &BTreeMap<ObjectId, Option<Hop>>, root: &ObjectId) -> Vec<Hop> {
    let mut hops = Vec::new();
    let mut at = root;
    while let Some(Some(hop)) = parents.get(at) {
        hops.push(hop.clone());
        at = &hop.from;
    }
    hops.reverse();
    hops
}

/// A cycle that can be reached, by an iterative depth-first search.
fn cycle(edges: &BTreeMap<ObjectId, Vec<ObjectId>>, start: &ObjectId) -> Option<Vec<ObjectId>> {
    let mut done: BTreeSet<&ObjectId> = BTreeSet::new();
    let mut stack: Vec<(&ObjectId, usize)> = vec![(start, 0)];
    while let Some((node, next)) = stack.pop() {
        let Some(to) = edges.get(node).and_then(|edges| edges.get(next)) else {
            done.insert(node);
            continue;
        };
        stack.push((node, next + 1));
        if let Some(from) = stack.iter().position(|(on_path, _)| *on_path == to) {
            return Some(stack[from..].iter().map(|(id, _)| (*id).clone()).collect());
        }
        if !done.contains(to) {
            stack.push((to, 0));
        }
    }
    None
}

fn step(facts: &Facts, object: &Object, verdict: &Verdict, now: Timestamp) -> Step {
    match &verdict.state {
        State::Static | State::Ready => Step::Fine,
        State::ReadyBehind { .. } => Step::Fine,
        State::ReadySourceStale { source } if *source == object.id => Step::Root(CauseKind::Failure),
        State::ReadySourceStale { .. } => {
            let content = [Role::Source, Role::Chart, Role::Producer, Role::Include];
            Step::Onward(references(facts, object, &content, now, true), CauseKind::Failure)
        }
        State::Terminating | State::Pending => Step::Root(CauseKind::InProgress),
        State::Suspended { last } if last.is_ready() || **last == State::Static => Step::Fine,
        State::Suspended { .. } => Step::Root(CauseKind::Suspended),
        State::Failed { .. } => Step::Root(CauseKind::Failure),
        State::Waiting { on } => Step::Onward(waiting(facts, object, on.as_ref(), now), CauseKind::Waiting),
        State::Unhealthy => Step::Onward(unhealthy(facts, object, verdict, now), CauseKind::Failure),
        State::Progressing { .. } => Step::Onward(health_checked(facts, object, now), CauseKind::InProgress),
    }
}

/// An object that was not read.
fn absent(facts: &Facts, id: &ObjectId, now: Timestamp) -> Step {
    let kind = match id.flux_kind().map(|kind| facts.coverage_in(kind, &id.namespace)) {
        Some(Coverage::Listed) => CauseKind::Missing,
        _ => CauseKind::NotVisible,
    };
    // An artifact that does not exist yet: its generator tells why, if it is in trouble.
    if id.flux_kind() == Some(Kind::ExternalArtifact)
        && let Some(generator) = facts.generator_of(id)
        && facts.verdict(&generator.id, now).is_some_and(|v| !v.state.is_ready())
    {
        let hop = Hop { from: id.clone(), to: generator.id.clone(), field: String::new() };
        return Step::Onward(vec![hop], kind);
    }
    Step::Root(kind)
}

/// Whether an object could be the reason why another one waits.
fn is_trouble(facts: &Facts, id: &ObjectId, now: Timestamp) -> bool {
    match facts.verdict(id, now) {
        Some(verdict) => {
            !matches!(verdict.state.last(), State::Static | State::Ready | State::ReadyBehind { .. })
        }
        None => true,
    }
}

/// The references of some roles that are in trouble. `known` leaves out what was not read.
fn references(facts: &Facts, object: &Object, roles: &[Role], now: Timestamp, known: bool) -> Vec<Hop> {
    let mut hops: Vec<Hop> = Vec::new();
    for reference in object.references().iter().filter(|r| roles.contains(&r.role)) {
        if (!known || facts.get(&reference.target).is_some())
            && is_trouble(facts, &reference.target, now)
            && !hops.iter().any(|hop| hop.to == reference.target)
        {
            hops.push(Hop {
                from: object.id.clone(),
                to: reference.target.clone(),
                field: reference.field.to_string(),
            });
        }
    }
    hops
}

/// What a waiting object waits for: what it names, and whatever else would hold it up next.
fn waiting(facts: &Facts, object: &Object, on: Option<&ObjectId>, now: Timestamp) -> Vec<Hop> {
    let roles = [
        Role::Dependency,
        Role::Source,
        Role::Chart,
        Role::Include,
        Role::Images,
        Role::Producer,
        Role::Inputs,
    ];
    let mut hops = references(facts, object, &roles, now, true);
    // A chart template's source holds up the chart, which says so itself.
    if on.and_then(ObjectId::flux_kind) == Some(Kind::HelmChart)
        && on.is_some_and(|on| facts.get(on).is_some())
    {
        hops.retain(|hop| hop.field != "spec.chart.spec.sourceRef.name");
    }
    if let Some(on) = on
        && !hops.iter().any(|hop| hop.to == *on)
    {
        let field = object.references().iter().find(|r| r.target == *on).map(|r| r.field.to_string());
        let hop = Hop { from: object.id.clone(), to: on.clone(), field: field.unwrap_or_default() };
        hops.insert(0, hop);
    }
    hops
}

/// The Flux objects that a failed health check names and that are still not ready.
fn unhealthy(facts: &Facts, object: &Object, verdict: &Verdict, now: Timestamp) -> Vec<Hop> {
    let items = health_items(&verdict.message);
    let named = if items.is_empty() { named_objects(&verdict.message) } else { items };
    let candidates =
        named.into_iter().filter(|id| id.flux_kind().is_some() && is_trouble(facts, id, now)).collect();
    hops_into_inventory(facts, object, candidates, now)
}

/// The Flux objects that a running health check waits for.
fn health_checked(facts: &Facts, object: &Object, now: Timestamp) -> Vec<Hop> {
    let waits = match object.kind {
        Kind::Kustomization => health_check_runs(object),
        Kind::ResourceSet | Kind::FluxInstance => object.spec.wait,
        _ => false,
    };
    if !waits {
        return Vec::new();
    }
    let candidates: Vec<ObjectId> = if object.spec.wait {
        let inventory = object.status.inventory.as_ref();
        inventory.into_iter().flat_map(|i| i.flux_objects()).filter(|id| facts.get(id).is_some()).collect()
    } else {
        let checked = object.references().iter().filter(|r| r.role == Role::HealthCheck);
        checked.map(|r| r.target.clone()).collect()
    };
    let candidates =
        candidates.into_iter().filter(|id| *id != object.id && is_trouble(facts, id, now)).collect();
    hops_into_inventory(facts, object, candidates, now)
}

/// Hops to objects that are health-checked. One that another of them waits for is left to that one's
/// chain, which tells the story in full.
fn hops_into_inventory(
    facts: &Facts,
    object: &Object,
    candidates: Vec<ObjectId>,
    now: Timestamp,
) -> Vec<Hop> {
    let set: BTreeSet<&ObjectId> = candidates.iter().collect();
    let mut explained: BTreeSet<&ObjectId> = BTreeSet::new();
    for id in &candidates {
        let Some(candidate) = facts.get(id) else { continue };
        let waits = facts.verdict(id, now).is_some_and(|v| matches!(v.state, State::Waiting { .. }));
        if waits {
            let targets = candidate.references().iter().filter(|r| r.role.blocks()).map(|r| &r.target);
            explained.extend(targets.filter_map(|target| set.get(target).copied()));
        }
    }
    let mut left: Vec<&ObjectId> = candidates.iter().filter(|id| !explained.contains(id)).collect();
    if left.is_empty() {
        // They wait for each other: keep all, the cycle is the story.
        left = candidates.iter().collect();
    }
    left.into_iter()
        .map(|to| {
            let checked = object.references().iter().find(|r| r.role == Role::HealthCheck && r.target == *to);
            let field = checked.map(|r| r.field.to_string()).unwrap_or_default();
            Hop { from: object.id.clone(), to: to.clone(), field }
        })
        .collect()
}
