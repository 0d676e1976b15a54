//! How far one object of a commit has come in one cluster.

use flux::{Kind, Object, ObjectId, Overlay, Revision, State, Verdict};
use manifests::kustomize::{Id, may_be};
use manifests::{RepoPath, Value};
use std::sync::Arc;

use super::{Gated, Outcome, Step};
use crate::changes::{Change, Changes};
use crate::compare::{Compared, live_holds_value};
use crate::inputs::Proof;
use crate::journey::{Journey, Point, Reach, Stage, Subject, Why, is_well};
use crate::silent::says;
use crate::versions::Version;
use crate::view::{Absent, View};
use crate::way::{Follows, Way};
use crate::words;

/// How far one object has come.
pub(super) struct Found {
    pub(super) outcome: Outcome,
    pub(super) step: Step,
    pub(super) text: String,
    pub(super) failed: Option<ObjectId>,
}

impl Found {
    pub(super) fn waiting(step: Step, text: impl Into<String>) -> Found {
        Found { outcome: Outcome::Waiting, step, text: text.into(), failed: None }
    }

    pub(super) fn untold(step: Step, text: impl Into<String>) -> Found {
        Found { outcome: Outcome::Untold, ..Found::waiting(step, text) }
    }

    pub(super) fn live(text: impl Into<String>) -> Found {
        Found { outcome: Outcome::Live, ..Found::waiting(Step::Live, text) }
    }

    pub(super) fn failed(by: &ObjectId, text: impl Into<String>) -> Found {
        Found { outcome: Outcome::Failed, failed: Some(by.clone()), ..Found::waiting(Step::Failed, text) }
    }

    /// With what it was found of: a cluster as people call it, what applies the object, the object, and its file.
    pub(super) fn of(self, cluster: String, applier: &ObjectId, object: String, file: RepoPath) -> Gated {
        let Found { outcome, step, text, failed } = self;
        Gated { cluster, applier: applier.clone(), object, file, outcome, step, text, failed, own: None }
    }
}

/// A Kustomization, and what a commit makes of what it applies.
pub(super) struct Group<'g> {
    pub(super) cluster: usize,
    pub(super) applier: &'g Arc<Object>,
    pub(super) verdict: Arc<Verdict>,
    pub(super) changes: &'g Changes,
    /// The commit that is asked about.
    pub(super) commit: &'g str,
    /// All that it makes is asked about, not only what it changed.
    pub(super) whole: bool,
    pub(super) applied_spec: Option<Version>,
}

impl Group<'_> {
    pub(super) fn subject<'s>(&'s self, change: &'s Change) -> Subject<'s> {
        Subject {
            cluster: self.cluster,
            kustomization: &self.applier.id,
            id: &change.id,
            origin: &change.origin,
            applied_spec: self.applied_spec.clone(),
            compared: Default::default(),
        }
    }

    fn rev(&self) -> Point {
        Point::of(Version::of(self.commit))
    }

    /// A revision as it was applied here: what a Kustomization builds may be newer than its spec.
    fn applied(&self, files: Version) -> Point {
        Point::applied(files, self.applied_spec.as_ref())
    }
}

impl View<'_> {
    /// What a Kustomization says that failed with this very text.
    pub(super) fn failure_of(&self, group: &Group<'_>) -> Option<String> {
        let verdict = &group.verdict;
        if !verdict.state.last().is_failure() {
            return None;
        }
        let failed_at = verdict.failed_at.as_ref()?;
        let commit = failed_at.commit()?;
        // The same text may have failed before it was changed to and fro. Where history is cut off content alone tells.
        let base = self.base_of(commit, group.commit).flatten();
        if commit != group.commit && base.as_deref() == Some(commit) {
            return None;
        }
        let failed = self.point(failed_at).ok()?;
        let holds = if group.changes.refused.is_some() {
            self.contains(failed_at, group.commit) == Some(true) && self.is_refused(group, &failed)
        } else {
            let failed = group.applied(failed);
            let same = |change: &Change| {
                matches!(self.compared(&group.subject(change), &group.rev(), &failed), Compared::Same)
            };
            // One object alone may have been the same long before.
            !group.changes.objects.is_empty() && group.changes.objects.iter().all(same)
        };
        holds.then(|| failure_words(verdict, failed_at))
    }

    /// Whether kustomize refuses what a Kustomization would build at a version.
    fn is_refused(&self, group: &Group<'_>, version: &Version) -> bool {
        let Some((_, delivery)) = self.derived[group.cluster].binding.deliveries.of(&group.applier.id) else {
            return false;
        };
        let changes = self.changes(group.cluster, &group.applier.id, delivery.from.key(), version, None);
        changes.is_ok_and(|it| it.refused.is_some())
    }

    /// A commit that kustomize refuses, and that Flux has not refused yet.
    pub(super) fn refused(&self, group: &Group<'_>, why: &str) -> Found {
        if let Some(applied) = &group.verdict.applied
            && self.contains(applied, group.commit) == Some(true)
        {
            return replaced(applied);
        }
        Found::waiting(Step::Refused, format!("kustomize will refuse it: {}", words::data(why)))
    }

    /// How far one object has come.
    pub(super) fn found(&self, group: &Group<'_>, change: &Change) -> Found {
        let Some(way) = self.way(group.cluster, &group.applier.id) else {
            return Found::untold(Step::Unknown, "what applies it is not live");
        };
        let (subject, rev) = (group.subject(change), group.rev());
        let mut unknown: Option<Why> = None;
        let applied = group.verdict.applied.as_ref();
        if let Some(revision) = applied {
            match self.point(revision).map(|files| group.applied(files)) {
                Ok(point) => match self.compared(&subject, &rev, &point) {
                    Compared::Same => return self.applied_found(group, change, revision),
                    Compared::Different(_) => {
                        // Its spec may be one behind what it builds.
                        let whole = Point::of(point.files);
                        let differs = matches!(self.compared(&subject, &rev, &whole), Compared::Different(_));
                        if differs && self.is_replaced(group, &subject, revision) {
                            return replaced(revision);
                        }
                    }
                    Compared::Unknown => unknown = Some(Why::NotComparable),
                },
                Err(Why::NoCommit(revision)) => {
                    return Found::untold(Step::Unknown, self.why_words(&Why::NoCommit(revision)));
                }
                Err(why) => unknown = Some(why),
            }
        }
        let fetched = way.hops.first().and_then(|it| it.revision.clone());
        let mut stage = Stage::Committed;
        if let Some(revision) = fetched.filter(|it| Some(it) != applied)
            && let Ok(files) = self.point(&revision)
        {
            match self.compared(&subject, &rev, &Point::of(files)) {
                Compared::Same => stage = Stage::Fetched,
                Compared::Different(_) if self.is_replaced(group, &subject, &revision) => {
                    return replaced(&revision);
                }
                Compared::Different(_) | Compared::Unknown => {}
            }
        }
        if stage < Stage::Fetched
            && let Some((_, tip)) = &way.tip
        {
            let there = self.compared(&subject, &rev, &Point::of(Version::of(&tip.commit)));
            if matches!(there, Compared::Same) || self.has(&tip.commit, group.commit) == Some(true) {
                stage = Stage::Pushed;
            }
        }
        let trouble = || self.trouble_words(group);
        self.waits_at(stage, &way, applied, trouble, unknown.as_ref())
    }

    /// What a text waits for that is not applied.
    pub(super) fn waits_at(
        &self,
        stage: Stage,
        way: &Arc<Way>,
        applied: Option<&Revision>,
        trouble: impl FnOnce() -> Option<String>,
        unknown: Option<&Why>,
    ) -> Found {
        let journey = Journey { reach: Reach::At(stage), here: stage, ..Journey::new(way, applied.cloned()) };
        let mut text = match (stage, way.follows.branch().zip(way.tip.as_ref())) {
            // As this clone knows the remote's branch: the commit may well be on the local one of that name.
            (Stage::Committed, Some((branch, (remote, _)))) => {
                format!("not in {}, which is followed", words::data(&format!("{remote}/{branch}")))
            }
            (Stage::Committed, _) => {
                let follows = way.follows.words().map(|it| format!("; follows {}", words::data(&it)));
                format!("not in what is fetched{}", follows.unwrap_or_default())
            }
            _ => self.stage_words(&journey).unwrap_or_default(),
        };
        if stage == Stage::Fetched
            && let Some(trouble) = trouble()
        {
            text.push_str(&format!(", {trouble}"));
        }
        if let Some(why) = unknown {
            text.push_str(&format!("; {}", self.why_words(why)));
        }
        let step = match (stage, &way.follows) {
            (Stage::Fetched, _) => Step::Fetched,
            (Stage::Pushed, _) => Step::Pushed,
            (_, Follows::Branch(_)) if way.tip.is_some() => Step::Elsewhere,
            (_, Follows::Unknown) => Step::Unknown,
            _ => Step::Committed,
        };
        Found::waiting(step, text)
    }

    /// The text is applied: whether all is well with it.
    fn applied_found(&self, group: &Group<'_>, change: &Change, applied: &Revision) -> Found {
        let verdict = &group.verdict;
        let at = words::data(&applied.to_string());
        let inventory = group.applier.status.inventory.as_ref().filter(|_| change.gone);
        if inventory.is_some_and(|it| lists(it, &change.id)) {
            return Found::waiting(Step::Applied, format!("applied {at}, not removed yet"));
        }
        if !is_well(verdict, applied) {
            let trouble = self.trouble_words(group).unwrap_or_else(|| "not finished yet".to_owned());
            return Found::waiting(Step::Applied, format!("applied {at}, {trouble}"));
        }
        // What is of Flux says itself how it is.
        let is_told = verdict.health_checked || change.flux.is_some();
        let checked = if is_told { "" } else { ", health not checked" };
        let live = if change.gone { format!("removed {at}") } else { format!("live {at}{checked}") };
        if group.applier.spec.remote {
            return Found::live(live);
        }
        self.own(group, change, &at).unwrap_or_else(|| {
            let recorded = matches!(self.proof(group.cluster), Proof::Recorded { .. });
            let seen = self.freshness(self.proof(group.cluster)).filter(|_| recorded);
            Found::live(seen.map_or(live.clone(), |seen| format!("{live}, {seen}")))
        })
    }

    /// What an object of Flux says itself, where that is not that all is well.
    pub(super) fn own(&self, group: &Group<'_>, change: &Change, at: &str) -> Option<Found> {
        let kind = Kind::from_group_kind(&change.id.group, &change.id.kind)?;
        let cluster = group.cluster;
        let waiting = |text: String| Some(Found::waiting(Step::Applied, format!("applied {at}, {text}")));
        if change.id.is_pattern() || change.flux.as_ref().is_some_and(|it| is_left_alone(it)) {
            return None;
        }
        // These make something of it: without them it is not there.
        let makes = matches!(kind, Kind::HelmRelease | Kind::ResourceSet | Kind::FluxInstance);
        let id = ObjectId::flux(kind, change.id.namespace.as_deref().unwrap_or_default(), &change.id.name);
        let Some(live) = self.facts(cluster).get(&id) else {
            return match self.absent(cluster, &id) {
                _ if change.gone => None,
                Absent::Really | Absent::NotYet => waiting("not seen yet".to_owned()),
                _ if group.whole && !makes => None,
                Absent::Forbidden { verb, .. } => Some(Found::untold(
                    Step::Unknown,
                    format!("applied {at}, no permission to {} {}", words::data(&verb), kind.plural()),
                )),
                Absent::NotServed => Some(Found::untold(
                    Step::Unknown,
                    format!("applied {at}, the cluster does not serve {}", kind.plural()),
                )),
                Absent::OtherNamespace => {
                    Some(Found::untold(Step::Unknown, format!("applied {at}, its namespace is not readable")))
                }
                Absent::NotRecorded => {
                    Some(Found::untold(Step::Unknown, format!("applied {at}, not in the recording")))
                }
            };
        };
        let verdict = self.verdict(cluster, &id)?;
        if change.gone {
            return match verdict.state {
                State::Terminating => waiting("is being deleted".to_owned()),
                // Something else has it now, or nobody prunes it.
                _ => None,
            };
        }
        // Objects of other kinds are told by other watches: what applies it may be heard of first.
        let spec = change.flux.as_ref().and_then(|it| it.get("spec").cloned());
        if spec.is_some_and(|it| !live_holds_value(&it, &live.raw_spec())) {
            return waiting("the cluster has another spec".to_owned());
        }
        let is_asked = verdict.overlays.iter().any(|it| matches!(it, Overlay::SpecNotApplied { .. }));
        match &verdict.state {
            State::Suspended { .. } | State::Static => None,
            _ if is_asked => waiting("not acted on yet".to_owned()),
            State::Ready | State::ReadySourceStale { .. } => None,
            // It was well with this very spec.
            State::Progressing { was_ready: true } if group.whole => None,
            // What these apply is another matter: of this repository they are asked themselves.
            _ if group.whole && kind == Kind::Kustomization => None,
            // They come and go with registries and hosts. One that never had anything is another matter.
            State::Failed { stalled: false } | State::Waiting { .. } | State::Unhealthy
                if group.whole && !makes && (!kind.is_source() || live.status.artifact.is_some()) =>
            {
                None
            }
            // What a Kustomization applies is waited for by itself.
            State::ReadyBehind { .. } if kind != Kind::HelmRelease => None,
            State::ReadyBehind { source } => {
                waiting(format!("{} is not installed yet", words::data(&source.to_string())))
            }
            State::Failed { .. } | State::Unhealthy
                if verdict.attempt.is_none() && self.is_newest(cluster, live, &verdict) =>
            {
                let name = words::data(&id.to_string());
                Some(Found::failed(&id, format!("{name} failed: {}", words::data(&verdict.sentence()))))
            }
            State::Failed { .. } | State::Unhealthy => waiting("tried again".to_owned()),
            State::Waiting { on: Some(on) } => waiting(format!("waits for {}", words::data(&on.to_string()))),
            State::Waiting { on: None } => waiting("waits".to_owned()),
            State::Terminating => waiting("is being deleted".to_owned()),
            State::Pending | State::Progressing { .. } => waiting("not ready yet".to_owned()),
        }
    }

    /// Whether a Kustomization failed with the newest that its source has; else it will be tried with that. Others take
    /// what they fail with from their own spec.
    fn is_newest(&self, cluster: usize, live: &Object, verdict: &Verdict) -> bool {
        let source = self.facts(cluster).source_of(live).filter(|_| live.kind == Kind::Kustomization);
        let artifact = source.and_then(|it| it.status.artifact.as_ref());
        let failed = verdict.failed_artifact.as_ref().or(verdict.failed_at.as_ref());
        match (artifact, failed) {
            (Some(artifact), Some(failed)) => artifact.revision == *failed,
            _ => true,
        }
    }

    /// What keeps a Kustomization from going on.
    pub(super) fn trouble_words(&self, group: &Group<'_>) -> Option<String> {
        match group.verdict.state.last() {
            State::Waiting { on: Some(on) } => {
                let name = words::data(&group.applier.id.name);
                Some(format!("{name} waits for {}", words::data(&on.to_string())))
            }
            _ => self.trouble_of(group.cluster, &group.verdict),
        }
    }

    /// Whether a revision has a newer text: the commit that is asked about has the one that both came from.
    fn is_replaced(&self, group: &Group<'_>, subject: &Subject<'_>, by: &Revision) -> bool {
        let is_same = |base| self.compared(subject, &group.rev(), &Point::of(base)) == Compared::Same;
        self.has_newer(by.commit(), group.commit, is_same)
    }

    /// Whether another commit has a newer text: `commit` has the one that both came from.
    pub(super) fn has_newer(
        &self,
        other: Option<&str>,
        commit: &str,
        is_same: impl FnOnce(Version) -> bool,
    ) -> bool {
        let Some(other) = other.filter(|it| *it != commit) else { return false };
        let base = self.base_of(other, commit).flatten().filter(|it| it != other);
        base.is_some_and(|base| is_same(Version::of(&base)))
    }

    /// Whether a commit is in the history of a revision; `None` if that is not known (yet).
    fn contains(&self, revision: &Revision, commit: &str) -> Option<bool> {
        self.has(revision.commit()?, commit)
    }

    /// Whether `commit` is in the history of `tip`; `None` if that is not known (yet).
    pub(super) fn has(&self, tip: &str, commit: &str) -> Option<bool> {
        Some(self.base_of(tip, commit)?.as_deref() == Some(commit))
    }

    /// The newest commit that the one that is asked about has in common with another; `None` if that is not known (yet).
    pub(super) fn base_of(&self, other: &str, commit: &str) -> Option<Option<String>> {
        if other == commit {
            return Some(Some(commit.to_owned()));
        }
        let of = (commit.to_owned(), other.to_owned());
        match self.inputs.past.base(&of) {
            None => {
                self.lack(|lacks| lacks.bases.insert(of));
                None
            }
            Some(answer) => answer.known().cloned(),
        }
    }
}

/// Whether Flux is told not to make an object what its text says (flux-reference E.6).
fn is_left_alone(value: &Value) -> bool {
    says(value, "reconcile", &["disabled"]) || says(value, "ssa", &["Ignore", "IfNotPresent"])
}

/// `apps failed main@1a2b3c4: dry-run failed`
pub(super) fn failure_words(verdict: &Verdict, at: &Revision) -> String {
    let (name, at) = (words::data(&verdict.id.name), words::data(&at.to_string()));
    format!("{name} failed {at}: {}", words::data(&verdict.sentence()))
}

pub(super) fn replaced(by: &Revision) -> Found {
    Found::untold(Step::Replaced, format!("{} has a newer text of it", words::data(&by.to_string())))
}

/// Whether an inventory lists an object. It has no namespace for what is cluster-scoped; kustomize may have set one.
fn lists(inventory: &flux::Inventory, id: &Id) -> bool {
    inventory.iter().any(|it| {
        *it.kind == *id.kind
            && *it.group == *id.group
            && id.may_be_named(it.name)
            && (it.namespace.is_empty()
                || id.namespace.as_deref().is_none_or(|namespace| may_be(namespace, it.namespace)))
    })
}
