//! Marks: only at causes, once for all clusters, never for another text at full strength (design 2.4, 3.1, 3.2).

mod placed;

use flux::{Cause, CauseKind, Object, ObjectId, Revision, Side, State, Verdict};
use manifests::{Document, Placed, RepoPath, TextRange};
use std::collections::HashMap;

use crate::earlier::Text;
use crate::index::flux_object;
use crate::inputs::{Proof, Severity};
use crate::place::{failure_range, field_range};
use crate::report::{Finding, Related};
use crate::state::{changed, verdict_word};
use crate::view::{Standing, Strength, View};
use crate::words;

/// Of what a cause blocks so many are named at its mark; the rest lead there from their own lenses.
const NAMED_BLOCKED: usize = 10;

/// One document with what is known of it.
pub(crate) struct Stand<'d> {
    pub(crate) path: &'d RepoPath,
    pub(crate) placed: &'d Placed,
    pub(crate) standings: Vec<(Standing, Text)>,
}

/// A document as the object that it is in one cluster, and what Flux says of that.
struct Subject<'a> {
    stand: &'a Stand<'a>,
    standing: &'a Standing,
    live: &'a Object,
    verdict: &'a Verdict,
}

impl Subject<'_> {
    /// Where a field of the live object is written in the document, in bytes of that.
    fn range(&self, path: &str) -> Option<TextRange> {
        field_range(&self.stand.placed.document, self.live, path)
    }
}

/// A mark of one cluster, before those of several are put together.
struct Mark {
    cluster: usize,
    /// In bytes of the file.
    range: TextRange,
    severity: Severity,
    code: String,
    sentence: String,
    /// What tells two marks apart beside their place: the message without durations.
    key: String,
    about: String,
    freshness: Option<String>,
    revision: Option<Revision>,
    verdict: &'static str,
    object: ObjectId,
    applier: Option<ObjectId>,
    related: Vec<Related>,
    fixes: Vec<String>,
}

impl Mark {
    /// Whether an object that brings texts into a cluster failed with this very text. A source that cannot be reached leaves
    /// what it brought before.
    fn is_of_a_failure(&self) -> bool {
        matches!(self.verdict, "failed" | "stalled" | "unhealthy")
            && self.about.is_empty()
            && !self.object.flux_kind().is_some_and(flux::Kind::is_source)
    }
}

impl View<'_> {
    /// The marks of a document.
    pub(crate) fn findings(&self, stand: &Stand<'_>) -> Vec<Finding> {
        let mut marks: Vec<Mark> = Vec::new();
        for (standing, text) in &stand.standings {
            marks.extend(self.marks(stand, standing, *text));
        }
        marks.extend(self.placed_marks(stand.path, Some(stand.placed.range())));
        self.merged(marks)
    }

    /// The marks of failures that stand in a file, whatever the file is.
    pub(crate) fn placed_findings(&self, path: &RepoPath) -> Vec<Finding> {
        self.merged(self.placed_marks(path, None))
    }

    fn merged(&self, mut marks: Vec<Mark>) -> Vec<Finding> {
        let mut found: Vec<Finding> = Vec::new();
        while !marks.is_empty() {
            let first = marks.remove(0);
            let same = |it: &Mark| it.range == first.range && it.code == first.code && it.key == first.key;
            let (mut alike, rest): (Vec<Mark>, Vec<Mark>) = marks.into_iter().partition(same);
            marks = rest;
            alike.insert(0, first);
            // The strongest speaks for all: what is certain in one cluster is not weakened by doubt in another.
            alike.sort_by_key(|it| (it.severity, it.cluster));
            found.extend(self.together(alike));
        }
        found.sort_by_key(|it| (it.range.start(), it.range.end(), it.severity));
        found
    }

    fn together(&self, marks: Vec<Mark>) -> Option<Finding> {
        let mut names: Vec<String> = Vec::new();
        let mut keys: Vec<String> = Vec::new();
        for mark in &marks {
            let cluster = self.cluster(mark.cluster);
            if !keys.iter().any(|it| it == cluster.key) {
                names.push(words::data(cluster.name));
                keys.push(cluster.key.to_owned());
            }
        }
        let failed = marks.iter().any(Mark::is_of_a_failure);
        let first = marks.into_iter().next()?;
        let mut message = String::new();
        if let Some(freshness) = &first.freshness {
            message.push_str(freshness);
            message.push_str(", ");
        }
        message.push_str(&words::and_more(&names));
        message.push_str(": ");
        message.push_str(&first.about);
        message.push_str(&first.sentence);
        let ascii = self.inputs.settings.ascii;
        Some(Finding {
            range: first.range,
            severity: first.severity.max(self.inputs.settings.max_severity),
            code: first.code,
            message: if ascii { words::ascii(&message) } else { message },
            object: first.object,
            applier: first.applier,
            clusters: names,
            keys,
            revision: first.revision,
            verdict: first.verdict,
            failed,
            related: first.related,
            fixes: first.fixes,
        })
    }

    fn marks(&self, stand: &Stand<'_>, standing: &Standing, text: Text) -> Vec<Mark> {
        // A guess is never marked, nor is a patch for what the patched object does.
        if standing.strength == Strength::Guess || standing.patch || standing.remote.is_some() {
            return Vec::new();
        }
        let proof = self.proof(standing.cluster);
        let (Some(live), Some(verdict)) = (&standing.live, self.verdict(standing.cluster, &standing.object))
        else {
            return Vec::new();
        };
        if proof == Proof::None {
            return Vec::new();
        }
        let of = Subject { stand, standing, live, verdict: &verdict };
        let mut marks = match &verdict.state {
            State::Failed { .. } | State::Unhealthy
                if self.is_own_trouble(standing.cluster, &standing.object) =>
            {
                self.own_marks(&of)
            }
            State::Failed { .. } | State::Unhealthy | State::Waiting { .. } => self.marks_of_others(&of),
            State::ReadySourceStale { source } => self.stale_mark(&of, source).into_iter().collect(),
            _ => Vec::new(),
        };
        let of_chart = || self.made_anew(standing.cluster, &verdict, None).map(Text::Changed);
        let of_failure = if text.is_other() || marks.is_empty() { None } else { of_chart() }.unwrap_or(text);
        for mark in &mut marks {
            self.weigh(mark, proof, of_failure);
        }
        let mut held = self.marks_of_held(&of);
        for mark in &mut held {
            self.weigh(mark, proof, text);
        }
        marks.extend(held);
        marks
    }

    /// Says how sure a mark is, and lowers it if it is not.
    fn weigh(&self, mark: &mut Mark, proof: Proof, text: Text) {
        mark.freshness = match proof {
            Proof::Live => None,
            Proof::Checking { at } | Proof::Was { at } => {
                Some(format!("as of {}", words::day(at, self.inputs.now, self.inputs.zone)))
            }
            Proof::Recorded { .. } | Proof::None => self.freshness(proof),
        };
        if matches!(proof, Proof::Checking { .. } | Proof::Was { .. }) {
            mark.severity = mark.severity.down();
        }
        if text.is_other() {
            mark.severity = mark.severity.down();
        }
        let at = mark.revision.as_ref().map(|it| words::data(&it.to_string()));
        mark.about = match (text, at) {
            (Text::Changed(pushed), Some(at)) => format!("failed at {at}{}: ", changed(pushed)),
            (Text::Changed(pushed), None) => format!("failed{}: ", changed(pushed)),
            (Text::Differs, _) => "the live spec differs from this text: ".to_owned(),
            (Text::Same | Text::Unknown, _) => String::new(),
        };
    }

    /// What of an object's failure stands nowhere else: at its own fields.
    fn own_marks(&self, of: &Subject<'_>) -> Vec<Mark> {
        let Some(faults) = self.faults(of.standing.cluster, &of.standing.object) else { return Vec::new() };
        if faults.all.iter().all(|it| it.spot.is_none()) {
            return self.own_mark(of).into_iter().collect();
        }
        let rest = faults.all.iter().filter(|it| it.spot.is_none());
        let marks = rest.filter_map(|it| {
            let field = it.fault.own_field(of.live);
            let range = failure_range(&of.stand.placed.document, of.live, &field)?;
            let mut mark = self.mark(of, of.verdict, range, severity_of_failure(of.live, field.side))?;
            let says = flux::message::first_sentence(&crate::page::clean(&it.fault.says));
            // Far from the object: it has to be named.
            mark.sentence = match it.fault.object.as_ref().filter(|it| !says.contains(&it.name)) {
                Some(object) => words::data(&format!("{object}: {says}")),
                None => words::data(&says),
            };
            mark.key = flux::message::masked(&it.fault.says);
            Some(mark)
        });
        marks.collect()
    }

    /// A failure of the object itself, at its own field.
    fn own_mark(&self, of: &Subject<'_>) -> Option<Mark> {
        let field = flux::failure_field(of.live, of.verdict);
        let range = failure_range(&of.stand.placed.document, of.live, &field)?;
        let mut mark = self.mark(of, of.verdict, range, severity_of_failure(of.live, field.side))?;
        if of.verdict.state == State::Unhealthy {
            let applied = of.verdict.applied.as_ref().map(|it| format!("applied {it}, unhealthy: "));
            mark.sentence.insert_str(0, &applied.unwrap_or_default());
        }
        Some(mark)
    }

    /// Causes that have no document here: marked once, at the nearest reference that leads there.
    fn marks_of_others(&self, of: &Subject<'_>) -> Vec<Mark> {
        let standing = of.standing;
        let causes = self.causes(standing.cluster, &standing.object);
        let mut marks = Vec::new();
        for (nth, cause) in causes.roots.iter().enumerate() {
            let Some(mut severity) = severity_of(cause.kind) else { continue };
            // What belongs to this repository and has no document has no other mark.
            if cause.kind == CauseKind::Failure
                && self.is_of_here(standing.cluster, &cause.root)
                && let Some(root) = self.facts(standing.cluster).get(&cause.root)
                && let Some(failed) = &cause.verdict
            {
                severity = severity_of_failure(root, flux::failure_field(root, failed).side);
            }
            if self.outside(standing.cluster).get(&cause.root) != Some(&standing.object) {
                continue;
            }
            if self.reference_elsewhere(standing.cluster, &standing.object, nth).is_some() {
                continue;
            }
            let field = self.field_to(standing.cluster, cause);
            let range = of.range(&field);
            let Some(range) = range else { continue };
            let Some(mut mark) = self.mark(of, of.verdict, range, severity) else { continue };
            mark.sentence = cause_sentence(cause);
            mark.key = format!("{} {}", cause.root, flux::message::masked(&mark.sentence));
            if let Some(root) = &cause.verdict {
                mark.code = words::data(&root.reason);
            }
            marks.push(mark);
        }
        if let Some(cycle) = &causes.cycle
            && let Some(mark) = self.cycle_mark(of, cycle)
        {
            marks.push(mark);
        }
        marks
    }

    /// Failures of what this object applies and no file here is known to hold: marked where that comes from.
    fn marks_of_held(&self, of: &Subject<'_>) -> Vec<Mark> {
        let standing = of.standing;
        let mut marks = Vec::new();
        for held in self.strays(standing.cluster).carried_by(&standing.object) {
            let Some(object) = self.facts(standing.cluster).get(held) else { continue };
            let Some(failed) = self.verdict(standing.cluster, held) else { continue };
            let severity = severity_of_failure(object, flux::failure_field(object, &failed).side);
            let range = of.range("spec.path");
            let Some(range) = range else { continue };
            let Some(mut mark) = self.mark(of, of.verdict, range, severity) else { continue };
            mark.sentence = words::data(&format!("{held}, which this applies: {}", Self::sentence(&failed)));
            mark.key = format!("{held} {}", flux::message::masked(&failed.message));
            mark.code = words::data(&failed.reason);
            mark.verdict = verdict_word(&failed.state);
            mark.revision = failed.failed_at.clone();
            mark.applier = Some(standing.object.clone());
            mark.object = held.clone();
            marks.push(mark);
        }
        marks
    }

    /// The field of an object that leads to a cause. The HelmChart that Flux makes of a release's chart template has no
    /// document: what it says of its own fields is said of the template's.
    pub(crate) fn field_to(&self, cluster: usize, cause: &Cause) -> String {
        let name = || "metadata.name".to_owned();
        let Some(first) = cause.chain.first() else { return name() };
        let of_template = first.field.starts_with("spec.chart.spec.");
        let of_chart = match (cause.chain.get(1), self.facts(cluster).get(&first.to)) {
            (Some(second), _) => Some(second.field.clone()),
            (None, Some(chart)) => {
                self.verdict(cluster, &first.to).map(|it| flux::failure_field(chart, &it).path)
            }
            (None, None) => None,
        };
        match of_chart.as_deref().and_then(|it| it.strip_prefix("spec.")) {
            Some(field) if of_template => format!("spec.chart.spec.{field}"),
            _ if first.field.is_empty() => name(),
            _ => first.field.clone(),
        }
    }

    /// Objects that wait for each other: each of them is a cause, so each is marked, at its own reference.
    fn cycle_mark(&self, of: &Subject<'_>, cycle: &[ObjectId]) -> Option<Mark> {
        let (standing, live) = (of.standing, of.live);
        let at = cycle.iter().position(|it| *it == standing.object)?;
        let next = cycle.get((at + 1) % cycle.len())?;
        let field = live.references().iter().find(|it| it.target == *next).map(|it| &*it.field);
        let range = of.range(field.unwrap_or("metadata.name"))?;
        let mut mark = self.mark(of, of.verdict, range, Severity::Error)?;
        let names: Vec<String> = cycle.iter().chain(cycle.first()).map(|it| words::data(&it.name)).collect();
        mark.sentence = format!("these wait for each other: {}", names.join(" → "));
        mark.key.clone_from(&mark.sentence);
        Some(mark)
    }

    /// Ready, of a source that cannot be fetched: marked at the reference when the source has no document here.
    fn stale_mark(&self, of: &Subject<'_>, source: &ObjectId) -> Option<Mark> {
        let Subject { standing, live, verdict, .. } = *of;
        let own = *source == standing.object;
        if !own && self.cause_place(standing.cluster, source).is_some() {
            return None;
        }
        let stale = self.verdict(standing.cluster, source)?;
        let field = live.references().iter().find(|it| it.target == *source).map(|it| it.field.to_string());
        let field = match field {
            Some(field) => field,
            None if own => flux::failure_field(live, verdict).path,
            // The source behind the source: the first reference leads there.
            None => live.references().first()?.field.to_string(),
        };
        let range = of.range(&field)?;
        let mut mark = self.mark(of, &stale, range, Severity::Warning)?;
        mark.verdict = verdict_word(&verdict.state);
        mark.object = standing.object.clone();
        mark.revision = verdict.applied.clone();
        if !own {
            mark.sentence = format!("{} cannot be fetched: {}", source, mark.sentence);
        }
        Some(mark)
    }

    fn mark(
        &self,
        of: &Subject<'_>,
        verdict: &Verdict,
        range: TextRange,
        severity: Severity,
    ) -> Option<Mark> {
        let Subject { stand, standing, .. } = *of;
        let sentence = Self::sentence(verdict);
        let document = &stand.placed.document;
        Some(Mark {
            cluster: standing.cluster,
            range: stand.placed.in_file(range),
            severity,
            code: words::data(&verdict.reason),
            key: flux::message::masked(&verdict.message),
            sentence: if sentence.is_empty() { words::data(&verdict.reason) } else { sentence },
            about: String::new(),
            freshness: None,
            revision: verdict.failed_at.clone(),
            verdict: verdict_word(&verdict.state),
            object: standing.object.clone(),
            applier: standing.applier.as_ref().map(|it| it.id.clone()),
            related: self.related(stand.path, document, stand.placed, standing)?,
            fixes: Vec::new(),
        })
    }

    /// The documents of the causes, else the Flux object itself.
    fn related(
        &self,
        path: &RepoPath,
        document: &Document,
        placed: &Placed,
        standing: &Standing,
    ) -> Option<Vec<Related>> {
        let (_, identity) = flux_object(document)?;
        let causes = self.causes(standing.cluster, &standing.object);
        let mut related: Vec<Related> = Vec::new();
        for cause in causes.roots.iter().filter(|it| it.root != standing.object) {
            if let Some(place) = self.cause_place(standing.cluster, &cause.root) {
                let message = words::data(&format!("{}: {}", cause.root, cause_word(cause)));
                related.push(Related { path: place.path, range: place.range, message });
            }
        }
        related.extend(self.waiting_for(standing.cluster, &standing.object));
        if related.is_empty() {
            let said = self
                .verdict(standing.cluster, &standing.object)
                .and_then(|verdict| self.phrase(standing.cluster, &verdict))
                .unwrap_or_default();
            related.push(Related {
                path: path.clone(),
                range: placed.in_file(identity.name_range),
                message: format!("{}: {said}", words::data(&standing.object.to_string())),
            });
        }
        Some(related)
    }

    /// The documents of what waits for an object.
    fn waiting_for(&self, cluster: usize, object: &ObjectId) -> Vec<Related> {
        let blocked = self.blocked(cluster, object).iter().take(NAMED_BLOCKED);
        let related = blocked.filter_map(|waiting| {
            let (at, placed) = self.place_of(cluster, waiting, false)?;
            let (_, identity) = flux_object(&placed.document)?;
            let message = words::data(&format!("{waiting} waits for this"));
            let live = self.facts(cluster).get(waiting)?;
            let direct = live.references().iter().find(|it| it.target == *object);
            let range = direct.and_then(|it| field_range(&placed.document, live, &it.field));
            let range = placed.in_file(range.unwrap_or(identity.name_range));
            Some(Related { path: at.path, range, message })
        });
        related.collect()
    }

    /// What waits for an object in the end, through all hops.
    fn blocked(&self, cluster: usize, root: &ObjectId) -> &[ObjectId] {
        let blocked = self.of_all(cluster).blocked.get_or_init(|| {
            let mut blocked: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
            for object in self.facts(cluster).objects() {
                for cause in &self.causes(cluster, &object.id).roots {
                    if cause.root != object.id {
                        blocked.entry(cause.root.clone()).or_default().push(object.id.clone());
                    }
                }
            }
            for waiting in blocked.values_mut() {
                waiting.sort();
                waiting.dedup();
            }
            blocked
        });
        blocked.get(root).map(Vec::as_slice).unwrap_or_default()
    }

    /// For each root cause without a document here, the object that carries its mark: of all that lead there the
    /// nearest to it, and of those the first in the repository.
    pub(crate) fn outside(&self, cluster: usize) -> &HashMap<ObjectId, ObjectId> {
        self.of_all(cluster).outside.get_or_init(|| {
            let mut chosen: HashMap<ObjectId, (crate::DocRef, ObjectId)> = HashMap::new();
            for object in self.facts(cluster).objects() {
                let Some(verdict) = self.verdict(cluster, &object.id) else { continue };
                if !matches!(verdict.state, State::Failed { .. } | State::Unhealthy | State::Waiting { .. }) {
                    continue;
                }
                for cause in &self.causes(cluster, &object.id).roots {
                    if cause.root == object.id || severity_of(cause.kind).is_none() {
                        continue;
                    }
                    // What does not exist cannot be marked at its own document, even if there is one.
                    if cause.kind != CauseKind::Missing
                        && (self.place_of(cluster, &cause.root, false).is_some()
                            || self.first_spot(cluster, &cause.root).is_some())
                    {
                        continue;
                    }
                    // Only this object's own hop: a nearer one is found when its turn comes.
                    let nearest = cause.chain.iter().rev().find_map(|hop| {
                        let (at, _) = self.place_of(cluster, &hop.from, false)?;
                        Some((at, hop.from.clone()))
                    });
                    let Some(nearest) = nearest else { continue };
                    let best = chosen.entry(cause.root.clone()).or_insert_with(|| nearest.clone());
                    if nearest < *best {
                        *best = nearest;
                    }
                }
            }
            chosen.into_iter().map(|(root, (_, object))| (root, object)).collect()
        })
    }
}

/// Trouble of a network or a cluster passes, but for a source that never had anything: nobody has seen it work.
pub(crate) fn severity_of_failure(live: &Object, side: Side) -> Severity {
    let never = live.kind.is_source() && live.status.artifact.is_none();
    match side {
        Side::Cluster if !never => Severity::Warning,
        Side::Cluster | Side::Author => Severity::Error,
    }
}

/// How bad it is to wait for something; nothing for what will pass.
fn severity_of(kind: CauseKind) -> Option<Severity> {
    match kind {
        CauseKind::Missing => Some(Severity::Error),
        CauseKind::Failure | CauseKind::Suspended => Some(Severity::Warning),
        CauseKind::NotVisible => Some(Severity::Information),
        CauseKind::Waiting | CauseKind::InProgress | CauseKind::Resolved => None,
    }
}

fn cause_word(cause: &Cause) -> String {
    match (cause.kind, &cause.verdict) {
        (CauseKind::Missing, _) => "does not exist".to_owned(),
        (CauseKind::NotVisible, _) => "cannot be read".to_owned(),
        (CauseKind::Suspended, _) => "is suspended".to_owned(),
        (CauseKind::Failure, Some(verdict)) => View::sentence(verdict),
        (CauseKind::Failure, None) => "failed".to_owned(),
        (CauseKind::Waiting | CauseKind::InProgress, _) => "is not ready yet".to_owned(),
        (CauseKind::Resolved, _) => "is ready".to_owned(),
    }
}

fn cause_sentence(cause: &Cause) -> String {
    let word = cause_word(cause);
    words::data(&match cause.kind {
        CauseKind::Failure => format!("waits for {}: {word}", cause.root),
        _ => format!("waits for {}, which {word}", cause.root),
    })
}
