//! All that a repository applies in one cluster, as HEAD has it: each Kustomization is built of HEAD's files and of those that
//! are applied. So it makes no difference which commit brought what, nor how many were pushed together.

use flux::{Kind, Object, ObjectId, Revision, State, Verdict};
use manifests::RepoPath;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::standing::{Found, Group, failure_words};
use super::{Gated, Outcome, Step};
use crate::changes::{Change, Changes};
use crate::deliveries::Gap;
use crate::inputs::Tip;
use crate::journey::{Stage, Why, is_well};
use crate::past::Answer;
use crate::plain::name_of;
use crate::versions::Version;
use crate::view::View;
use crate::way::Follows;
use crate::words;

/// How all of HEAD stands in a cluster.
#[derive(Default)]
pub(super) struct Whole {
    /// What is not live, object by object.
    pub(super) found: Vec<Gated>,
    /// The Kustomizations with which all is well: what each has applied, and whether its health is checked.
    pub(super) live: Vec<(Revision, bool)>,
    /// What could not be told, and will not be by waiting.
    pub(super) unknown: Vec<String>,
    /// What is not told yet.
    pub(super) silent: Vec<String>,
    /// What this was told by.
    pub(super) witnesses: BTreeSet<ObjectId>,
}

/// A Kustomization, and what it makes of HEAD.
struct Applied<'a> {
    applier: &'a Arc<Object>,
    verdict: Arc<Verdict>,
    changes: Arc<Changes>,
    follows: Follows,
    /// Where its entries are among those that were found.
    found: std::ops::Range<usize>,
}

/// So many Kustomizations that wait for each other are followed.
const MAX_DEPTH: u32 = 8;

impl View<'_> {
    /// How all that a cluster applies from this repository stands at a commit.
    pub(super) fn whole(&self, cluster: usize, commit: &str) -> Whole {
        let mut whole = Whole::default();
        let rev = Version::of(commit);
        let deliveries = Arc::clone(&self.derived[cluster].binding.deliveries);
        let mut applied: Vec<Applied<'_>> = Vec::new();
        let mut asked = HashMap::new();
        for delivery in &deliveries.from_here {
            let applier = &delivery.kustomization;
            let title = words::data(&applier.id.to_string());
            let Some(verdict) = self.verdict(cluster, &applier.id) else { continue };
            whole.witnesses.insert(applier.id.clone());
            let base = verdict.applied.as_ref().map(|it| self.point(it)).transpose();
            if !delivery.from.is_certain() {
                // The same files make the same, whichever of them it takes.
                let same = base.as_ref().is_ok_and(|it| it.as_ref().is_some_and(|it| self.are_one(it, &rev)));
                if !same {
                    whole.unknown.push(format!(
                        "from which folder of the repository the artifact of {title} is made is not written down"
                    ));
                }
                continue;
            }
            let start = whole.found.len();
            let failed = self.failed_with(cluster, commit, &verdict, &mut asked);
            let key = delivery.from.key();
            let changes = base.and_then(|base| {
                let changes = self.changes(cluster, &applier.id, key, &rev, base.as_ref())?;
                Ok((base, changes))
            });
            let changes = match changes {
                Ok((_, changes)) => changes,
                // What is applied instead does not matter then.
                Err(_) if failed.is_some() => Arc::default(),
                Err(Why::Pending) => {
                    whole.silent.push("history is being asked".to_owned());
                    continue;
                }
                Err(why) => {
                    whole.unknown.push(format!("what {title} applies: {}", self.why_words(&why)));
                    continue;
                }
            };
            let is_read = |it: &RepoPath| self.inputs.settings.maps(it, self.cluster(cluster));
            if !changes.read.is_empty() && !changes.read.iter().any(is_read) {
                continue;
            }
            let group = self.group(cluster, commit, applier, &verdict, &changes);
            match failed {
                Some(text) => whole.add_group(self, &group, Found::failed(&applier.id, text)),
                None => self.not_live(&group, &mut whole),
            }
            let follows = self.way(cluster, &applier.id).map_or(Follows::Unknown, |it| it.follows.clone());
            let found = start..whole.found.len();
            applied.push(Applied { applier, verdict, changes, follows, found });
        }
        self.own_words(cluster, commit, &applied, &mut whole);
        whole.drop_other_branches(&applied);
        let none_here = whole.found.is_empty() && whole.live.is_empty();
        match self.unread(cluster, None) {
            Some(why) if why.ends_with("not read yet") => whole.silent.push(why),
            Some(why) if none_here => whole.unknown.push(why),
            _ => {}
        }
        let untold = deliveries.untold.iter().find(|(_, gap)| !matches!(gap, Gap::NoMaker(_)));
        if let Some((id, _)) = untold.filter(|_| none_here) {
            let id = words::data(&id.to_string());
            whole.unknown.push(format!("from which repository {id} is applied is not told"));
        }
        self.whole_charts(cluster, commit, &mut whole);
        whole
    }

    fn group<'g>(
        &self,
        cluster: usize,
        commit: &'g str,
        applier: &'g Arc<Object>,
        verdict: &Arc<Verdict>,
        changes: &'g Changes,
    ) -> Group<'g> {
        let (verdict, applied_spec) = (Arc::clone(verdict), self.applied_spec(cluster, &applier.id));
        Group { cluster, applier, verdict, changes, commit, whole: true, applied_spec }
    }

    /// What a Kustomization says that failed with all that HEAD has. One that failed with less is tried again with the rest,
    /// whatever its own part is: what it lacked may be in another.
    fn failed_with(
        &self,
        cluster: usize,
        commit: &str,
        verdict: &Verdict,
        asked: &mut HashMap<String, bool>,
    ) -> Option<String> {
        let at = verdict.failed_at.as_ref().filter(|_| verdict.state.last().is_failure())?;
        let Ok(version) = self.point(at) else { return None };
        let failed = at.commit()?;
        let known = asked.get(failed).copied();
        let has_all = known.unwrap_or_else(|| {
            let rev = Version::of(commit);
            let certain =
                self.derived[cluster].binding.deliveries.from_here.iter().filter(|it| it.from.is_certain());
            let has_all = self.are_one(&version, &rev)
                || certain.map(|it| (&it.kustomization.id, it.from.key())).all(|(id, key)| {
                    self.changes(cluster, id, key, &rev, Some(&version)).is_ok_and(|it| it.are_none())
                });
            asked.insert(failed.to_owned(), has_all);
            has_all
        });
        has_all.then(|| failure_words(verdict, at))
    }

    /// What of a Kustomization is not live, as far as it tells that itself.
    fn not_live(&self, group: &Group<'_>, whole: &mut Whole) {
        let Group { cluster, applier, verdict, changes, .. } = group;
        if let Some(why) = changes.refused.as_ref().filter(|_| !changes.are_none()) {
            return whole.add_group(self, group, self.refused(group, why));
        }
        for change in &changes.objects {
            let path = change.origin.path();
            if self.inputs.settings.maps(path, self.cluster(*cluster)) {
                whole.add(self, group, change, self.found(group, change));
            }
        }
        if !changes.objects.is_empty() {
            return;
        }
        if let Some(hidden) = changes.hidden.as_ref().filter(|_| changes.touched) {
            let title = words::data(&applier.id.to_string());
            let hidden = words::data(hidden);
            whole.unknown.push(format!("part of what {title} applies cannot be built here: {hidden}"));
            return;
        }
        match &verdict.applied {
            Some(applied) if !is_well(verdict, applied) && !self.was_well(group) => {
                let found = self.comes_again(group).unwrap_or_else(|| {
                    let trouble = self.trouble_words(group).unwrap_or_else(|| "not finished yet".to_owned());
                    let text = format!("applied {}, {trouble}", words::data(&applied.to_string()));
                    Found::waiting(Step::Applied, text)
                });
                whole.add_group(self, group, found);
            }
            Some(_) => {}
            // Nothing is built of it.
            None => {
                let trouble = self.trouble_words(group).unwrap_or_else(|| "not applied yet".to_owned());
                whole.add_group(self, group, Found::waiting(Step::Fetched, trouble));
            }
        }
    }

    /// Where another text failed since all that HEAD has was applied: how far that has come again. A failure may have left
    /// part of the other.
    fn comes_again(&self, group: &Group<'_>) -> Option<Found> {
        let (cluster, id) = (group.cluster, &group.applier.id);
        let failed = group.verdict.failed_at.as_ref().filter(|_| group.verdict.state.last().is_failure())?;
        let (_, delivery) = self.derived[cluster].binding.deliveries.of(id)?;
        let rev = Version::of(group.commit);
        let is_same = |version: &Version| {
            let changes = self.changes(cluster, id, delivery.from.key(), &rev, Some(version));
            changes.is_ok_and(|it| it.are_none())
        };
        if is_same(&self.point(failed).ok()?) {
            return None;
        }
        if self.has(failed.commit()?, group.commit) == Some(true) {
            let text = format!("{} is newer, and failed", words::data(&failed.to_string()));
            return Some(Found::untold(Step::Replaced, text));
        }
        let way = self.way(cluster, id)?;
        let fetched = way.hops.first().and_then(|it| self.point(it.revision.as_ref()?).ok());
        let is_pushed = |tip: &Tip| {
            self.has(&tip.commit, group.commit) == Some(true) || is_same(&Version::of(&tip.commit))
        };
        let stage = if fetched.is_some_and(|it| is_same(&it)) {
            Stage::Fetched
        } else if way.tip.as_ref().is_some_and(|(_, tip)| is_pushed(tip)) {
            Stage::Pushed
        } else {
            Stage::Committed
        };
        let (applied, trouble) = (group.verdict.applied.as_ref(), || self.trouble_words(group));
        Some(self.waits_at(stage, &way, applied, trouble, None))
    }

    /// Whether a Kustomization that tries something now was well with all that HEAD makes of it: Flux looks at everything
    /// again at each revision, whatever that changed.
    fn was_well(&self, group: &Group<'_>) -> bool {
        let (cluster, id) = (group.cluster, &group.applier.id);
        if !self.is_routine(cluster, &group.verdict, MAX_DEPTH) {
            return false;
        }
        // Written only when all of it was applied and found healthy (kustomize-controller; flux-reference B.2).
        let Some(last) = &group.applier.status.last_applied_revision else { return false };
        let verdict = &group.verdict;
        if [&verdict.applied, &verdict.applied_artifact].into_iter().flatten().any(|it| it == last) {
            return true;
        }
        let Some((_, delivery)) = self.derived[cluster].binding.deliveries.of(id) else { return false };
        let rev = Version::of(group.commit);
        self.point(last).is_ok_and(|it| {
            self.changes(cluster, id, delivery.from.key(), &rev, Some(&it)).is_ok_and(|it| it.are_none())
        })
    }

    /// Whether an attempt runs after which things are as before, as far as is known, or one that it depends on.
    fn is_routine(&self, cluster: usize, verdict: &Verdict, depth: u32) -> bool {
        match verdict.state.last() {
            State::Progressing { was_ready } => *was_ready,
            State::Waiting { on: Some(on) } => depth.checked_sub(1).is_some_and(|depth| {
                self.verdict(cluster, on)
                    .is_some_and(|it| it.state.is_ready() || self.is_routine(cluster, &it, depth))
            }),
            _ => false,
        }
    }

    /// Adds what objects of Flux say themselves, and the Kustomizations with which all is well.
    fn own_words(&self, cluster: usize, commit: &str, applied: &[Applied<'_>], whole: &mut Whole) {
        // As long as something has still to come, what failed before the commit was made may be mended by it.
        let is_moving =
            whole.found.iter().any(|it| it.outcome == Outcome::Waiting && it.step < Step::Applied);
        let made = match self.commit(commit) {
            Some(Answer::Known(commit)) if is_moving => Some(commit.time),
            _ => None,
        };
        for it in applied {
            let group = self.group(cluster, commit, it.applier, &it.verdict, &it.changes);
            let flux = || it.changes.flux.iter();
            whole.witnesses.extend(flux().filter_map(flux_id));
            let Some(revision) = it.verdict.applied.as_ref().filter(|_| !it.applier.spec.remote) else {
                whole.add_live(it);
                continue;
            };
            let at = words::data(&revision.to_string());
            let mut is_well = true;
            for change in flux() {
                let is_other = it.changes.objects.iter().any(|other| other.id == change.id);
                let path = change.origin.path();
                if is_other || !self.inputs.settings.maps(path, self.cluster(cluster)) {
                    continue;
                }
                let Some(mut own) = self.own(&group, change, &at) else { continue };
                let since = own.failed.as_ref().and_then(|id| self.verdict(cluster, id)?.since);
                if since.zip(made).is_some_and(|(since, made)| since < made) {
                    own = Found { failed: None, ..Found::waiting(Step::Applied, own.text) };
                }
                is_well = false;
                whole.add(self, &group, change, own);
            }
            if is_well {
                whole.add_live(it);
            }
        }
    }
}

/// What an object is called, if it is one of Flux.
pub(super) fn flux_id(change: &Change) -> Option<ObjectId> {
    let kind = Kind::from_group_kind(&change.id.group, &change.id.kind)?;
    let namespace = change.id.namespace.as_deref().unwrap_or_default();
    Some(ObjectId::flux(kind, namespace, &change.id.name))
}

impl Whole {
    fn add_group(&mut self, view: &View<'_>, group: &Group<'_>, found: Found) {
        // The file of the first object that is another, else that of the Kustomization.
        let first = group.changes.objects.first().map(|it| it.origin.path().clone());
        let own = || view.place_of(group.cluster, &group.applier.id, true).map(|(at, _)| at.path);
        let file = first.or_else(own).unwrap_or_else(RepoPath::root);
        self.push(view, group, words::data(&group.applier.id.to_string()), file, None, found);
    }

    fn add(&mut self, view: &View<'_>, group: &Group<'_>, change: &Change, found: Found) {
        let own = flux_id(change);
        self.witnesses.extend(own.clone());
        let object = words::data(&name_of(&change.id));
        self.push(view, group, object, change.origin.path().clone(), own, found);
    }

    fn push(
        &mut self,
        view: &View<'_>,
        group: &Group<'_>,
        object: String,
        file: RepoPath,
        own: Option<ObjectId>,
        found: Found,
    ) {
        let cluster = words::data(view.cluster(group.cluster).name);
        let gated = found.of(cluster, &group.applier.id, object, file);
        self.found.push(Gated { own, ..gated });
    }

    fn add_live(&mut self, it: &Applied<'_>) {
        if it.found.is_empty()
            && it.changes.are_none()
            && let Some(applied) = &it.verdict.applied
        {
            self.live.push((applied.clone(), it.verdict.health_checked));
        }
    }

    /// Another branch is followed beside the one that has the commit (a preview): what both read is not on its way there.
    fn drop_other_branches(&mut self, applied: &[Applied<'_>]) {
        let step = |at: usize| self.found.get(at).map(|it| it.step);
        let is_elsewhere = |it: &&Applied<'_>| it.found.clone().any(|at| step(at) == Some(Step::Elsewhere));
        let (away, home): (Vec<_>, Vec<_>) = applied.iter().partition(is_elsewhere);
        let mut dropped = BTreeSet::new();
        for it in away {
            let read = |path: &RepoPath| {
                home.iter().any(|other| other.follows != it.follows && other.changes.read.contains(path))
            };
            dropped.extend(it.found.clone().filter(|at| {
                let found = self.found.get(*at);
                found.is_some_and(|it| it.step == Step::Elsewhere && read(&it.file))
            }));
        }
        let mut at = 0..;
        self.found.retain(|_| at.next().is_none_or(|at| !dropped.contains(&at)));
    }
}
