//! Failures placed in the texts, for all files at once (design 2.4): the mark stands at the node that causes the
//! failure, in whatever file of the repository that is.

use flux::failure::{Fault, Place, Problem};
use flux::{Kind, Named, Object, ObjectId, Revision, State, Verdict};
use manifests::kustomize::{Files, is_kustomization_name};
use manifests::{Document, ParsedFile, Placed, RepoPath, TextRange};
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};

use crate::compare::{Compared, compare, same_document, same_entry_at};
use crate::earlier::{Pushed, Text};
use crate::index::{DocRef, field, flux_object};
use crate::inputs::Proof;
use crate::journey::{Followed, Point, Subject, Why};
use crate::placing::{Applied, Part, Scene, Spot, find_object, own_elsewhere, place, value_at};
use crate::report::Related;
use crate::versions::Version;
use crate::view::View;
use crate::words;

/// A fault and where it stands.
pub(crate) struct Found {
    pub(crate) fault: Fault,
    /// None if only the Flux object's own document is left.
    pub(crate) spot: Option<Spot>,
}

/// What an object's failure says, placed.
pub(crate) struct Faults {
    /// The message that it was read from.
    pub(crate) message: Arc<str>,
    pub(crate) all: Vec<Found>,
    /// Whether history has answered what it was asked to place them: it may while facts and texts stay.
    pub(crate) settled: bool,
}

/// By file: what of which objects stands there.
pub(crate) type ByFile = BTreeMap<RepoPath, Vec<(ObjectId, Mark)>>;

/// What is marked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mark {
    /// A fault, by its place in [`Faults::all`].
    Fault(usize),
    /// What the object waits for, by its place among its causes.
    Cause(usize),
}

impl View<'_> {
    /// The faults of an object in trouble, each with its place. Looked up once for each state of facts and texts.
    pub(crate) fn faults(&self, cluster: usize, object: &ObjectId) -> Option<Arc<Faults>> {
        let verdict = self.verdict(cluster, object)?;
        if !matches!(verdict.state.last(), State::Failed { .. } | State::Unhealthy) {
            return None;
        }
        if let Some(known) = self.derived[cluster].faults(object)
            && known.message == verdict.message
        {
            return Some(known);
        }
        let live = self.facts(cluster).get(object)?;
        let found = Arc::new(self.place_faults(cluster, live, &verdict));
        if found.settled {
            self.derived[cluster].note_faults(object, Arc::clone(&found));
        }
        Some(found)
    }

    fn place_faults(&self, cluster: usize, live: &Object, verdict: &Verdict) -> Faults {
        let tree = self.inputs.repo.tree;
        let reporter = self.written(cluster, &live.id);
        let near = reporter.as_ref().and_then(|it| Some(it.document.as_ref()?.path.clone()));
        let near = near.unwrap_or_else(RepoPath::root);
        let files = Files::new(tree);
        let config_map =
            |name: &str| self.inputs.repo.index.config_map(&files, name, std::slice::from_ref(&near));
        let settled = Cell::new(true);
        let applied = || {
            let applied = verdict.applied.as_ref()?;
            match self.point(applied) {
                Ok(version) => {
                    let content = self.content_in(&version, cluster, &live.id)?;
                    Some(Applied { content, tree: self.tree_in(&version)? })
                }
                Err(why) => {
                    settled.set(!matches!(why, Why::Pending));
                    None
                }
            }
        };
        let scene = Scene {
            tree,
            files: &files,
            applied: &applied,
            kind: live.kind,
            content: (live.kind == Kind::Kustomization).then(|| self.content(cluster, &live.id)).flatten(),
            chart: self.chart_of(cluster, &live.id).map(|it| it.key.folder.clone()),
            config_map: &config_map,
            reporter,
        };
        let document = self.place_of(cluster, &live.id, false).map(|(at, _)| at);
        let faults = flux::failure::parse(live.kind, &verdict.message);
        let all = faults.into_iter().map(|fault| {
            let own = fault.own.field(live);
            let spot = place(&scene, &fault, own.as_deref()).or_else(|| {
                let written = scene.reporter.as_ref()?;
                own_elsewhere(written, document.as_ref(), &field(&own?))
            });
            Found { fault, spot }
        });
        let mut all: Vec<Found> = all.collect();
        drop_defaulted(&mut all);
        Faults { message: Arc::clone(&verdict.message), all, settled: settled.get() }
    }

    /// The faults of a cluster, by the file that they stand in.
    pub(crate) fn by_file(&self, cluster: usize) -> Arc<ByFile> {
        let known = &self.of_all(cluster).by_file;
        if let Some(known) = &*known.lock().unwrap_or_else(PoisonError::into_inner) {
            return Arc::clone(known);
        }
        let mut found = ByFile::new();
        let mut settled = true;
        for object in self.facts(cluster).objects() {
            let mut note = |spot: &Spot, mark: Mark| {
                found.entry(spot.path.clone()).or_default().push((object.id.clone(), mark));
            };
            let faults = self.faults(cluster, &object.id);
            settled &= faults.as_ref().is_none_or(|it| it.settled);
            for (nth, it) in faults.iter().flat_map(|it| &it.all).enumerate() {
                if let Some(spot) = &it.spot {
                    note(spot, Mark::Fault(nth));
                }
            }
            for nth in 0..self.causes(cluster, &object.id).roots.len() {
                if let Some(spot) = self.reference_elsewhere(cluster, &object.id, nth) {
                    note(&spot, Mark::Cause(nth));
                }
            }
        }
        let found = Arc::new(found);
        if settled {
            *known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&found));
        }
        found
    }

    /// Where the field stands that leads an object to a cause that it carries the mark for, if that is in another document
    /// than its own.
    pub(crate) fn reference_elsewhere(&self, cluster: usize, object: &ObjectId, nth: usize) -> Option<Spot> {
        let causes = self.causes(cluster, object);
        let cause = causes.roots.get(nth).filter(|it| it.root != *object)?;
        if self.outside(cluster).get(&cause.root) != Some(object) {
            return None;
        }
        let path = self.field_to(cluster, cause);
        let document = self.place_of(cluster, object, false).map(|(at, _)| at);
        own_elsewhere(&self.written(cluster, object)?, document.as_ref(), &field(&path))
    }

    /// Whether any fault of an object stands somewhere in the texts, other than at a field of its own document.
    pub(crate) fn first_spot(&self, cluster: usize, object: &ObjectId) -> Option<Spot> {
        let faults = self.faults(cluster, object)?;
        faults.all.iter().find_map(|it| it.spot.clone())
    }

    /// Whether what made a fault's node is what it was at the revision that failed: the texts where it stands, and all that
    /// shapes the object which it names. Where the value is wrong by itself, only that value counts: of two mistakes one is
    /// still there when the other one is mended.
    pub(crate) fn text_of(
        &self,
        cluster: usize,
        verdict: &Verdict,
        spot: &Spot,
        fault: Option<&Fault>,
    ) -> Text {
        let text = self.text_of_parts(cluster, verdict, spot);
        let named = fault.and_then(|it| it.object.as_ref());
        let other = match text.is_other() {
            true => Some(text),
            false => self.made_anew(cluster, verdict, named).map(Text::Changed),
        };
        match other {
            Some(_) if fault.is_some_and(|it| self.is_as_it_failed(cluster, verdict, it)) => Text::Same,
            Some(other) => other,
            None => text,
        }
    }

    /// Whether the object still has the value that was refused, whatever else of it is another by now.
    fn is_as_it_failed(&self, cluster: usize, verdict: &Verdict, fault: &Fault) -> bool {
        let Place::Field { path, .. } = &fault.place else { return false };
        let same = || {
            let named = fault.object.as_ref().filter(|_| fault.is_of_the_value_alone())?;
            let failed = self.point(verdict.failed_at.as_ref()?).ok()?;
            let value = |version: &Version| {
                let content = self.content_in(version, cluster, &verdict.id)?;
                let built = content.build.objects.get(find_object(&content.build, named)?)?;
                value_at(&built.value, path)
            };
            let (now, then) = (value(&Version::Buffer)?, value(&failed)?);
            Some(compare(&now, &then) == Compared::Same)
        };
        same().unwrap_or(false)
    }

    /// Whether a failure is about something that is made otherwise by now, though the text at its mark be the same: a patch
    /// was taken out, a chart mended. With whether that is pushed.
    pub(crate) fn made_anew(
        &self,
        cluster: usize,
        verdict: &Verdict,
        named: Option<&Named>,
    ) -> Option<Pushed> {
        let failed = verdict.failed_at.as_ref()?;
        let now = Point::of(Version::Buffer);
        if let Some(chart) = self.chart_of(cluster, &verdict.id) {
            let points = self.chart_at(chart, failed).ok()?.likely;
            let tip = self.way_from(&chart.source).tip.as_ref().map(|it| it.1.commit.clone());
            return self.is_other(&Followed::Chart(chart), &now, &points, tip.as_deref());
        }
        let named = named?;
        let applied_spec = self.applied_spec(cluster, &verdict.id);
        let point = Point::applied(self.point(failed).ok()?, applied_spec.as_ref());
        let found = |version: &Version| {
            let content = self.content_in(version, cluster, &verdict.id)?;
            let at = find_object(&content.build, named)?;
            let built = content.build.objects.get(at)?;
            Some((built.id()?, built.origin.clone()))
        };
        let (id, origin) = found(&Version::Buffer).or_else(|| found(&point.files))?;
        let subject = Subject {
            cluster,
            kustomization: &verdict.id,
            id: &id,
            origin: &origin,
            applied_spec,
            compared: Default::default(),
        };
        let tip = self.followed(cluster, &verdict.id);
        self.is_other(&Followed::Object(subject), &now, &[point], tip.as_deref())
    }

    fn is_other(
        &self,
        followed: &Followed<'_>,
        now: &Point,
        failed: &[Point],
        tip: Option<&str>,
    ) -> Option<Pushed> {
        let Compared::Different(_) = self.same_at_all(followed, now, failed) else { return None };
        let Some(tip) = tip else { return Some(Pushed::Unknown) };
        Some(match self.compared_as(followed, now, &Point::of(Version::of(tip))) {
            Compared::Same => Pushed::Yes,
            Compared::Different(_) => Pushed::No,
            Compared::Unknown => Pushed::Unknown,
        })
    }

    fn text_of_parts(&self, cluster: usize, verdict: &Verdict, spot: &Spot) -> Text {
        let mut revisions = Vec::new();
        if self.derived[cluster].binding.deliveries.of(&verdict.id).is_some() {
            revisions.extend(verdict.failed_at.clone().map(|it| (verdict.id.clone(), it)));
        } else {
            for applier in self.facts(cluster).appliers_of(&verdict.id) {
                let applied = self.verdict(cluster, &applier.id).and_then(|it| it.applied.clone());
                revisions.extend(applied.map(|it| (applier.id.clone(), it)));
            }
        }
        self.text_at(cluster, &revisions, &spot.shaped_by)
    }

    /// Whether parts of texts are what they were at revisions of Kustomizations.
    pub(crate) fn text_at(&self, cluster: usize, revisions: &[(ObjectId, Revision)], parts: &[Part]) -> Text {
        let mut same = false;
        for (object, revision) in revisions {
            if self.derived[cluster].binding.deliveries.of(object).is_none() {
                continue;
            }
            let Some(commit) = revision.commit() else { continue };
            match self.same_parts(commit, parts) {
                Some(true) => same = true,
                Some(false) => {
                    let pushed = match self.followed(cluster, object) {
                        Some(commit) => match self.same_parts(&commit, parts) {
                            Some(true) => Pushed::Yes,
                            Some(false) => Pushed::No,
                            None => Pushed::Unknown,
                        },
                        None => Pushed::Unknown,
                    };
                    return Text::Changed(pushed);
                }
                None => {}
            }
        }
        if same { Text::Same } else { Text::Unknown }
    }

    fn same_parts(&self, commit: &str, parts: &[Part]) -> Option<bool> {
        let mut all = Some(true);
        for part in parts {
            match self.same_part(commit, part) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => all = None,
            }
        }
        all
    }

    fn same_part(&self, commit: &str, part: &Part) -> Option<bool> {
        let Some(then) = self.file_at(commit, &part.path)? else { return Some(false) };
        let now = self.inputs.repo.tree.parsed(&part.path)?;
        let Some(placed) = now.documents().get(part.index) else { return Some(false) };
        let Some(old) = counterpart(&then, part.index, &now, placed) else { return Some(false) };
        if is_kustomization_name(part.path.file_name())
            && let Some(offset) = placed.in_document(part.offset)
            && let Some(same) = same_entry_at(&placed.document, offset, old)
        {
            return Some(same);
        }
        Some(same_document(old, &placed.document))
    }

    /// What a placed mark leads to besides its own places: the Flux object that says so.
    pub(crate) fn reporter(&self, cluster: usize, object: &ObjectId, verdict: &Verdict) -> Option<Related> {
        let (DocRef { path, .. }, placed) = self.place_of(cluster, object, false)?;
        let (_, identity) = flux_object(&placed.document)?;
        let said = self.phrase(cluster, verdict).unwrap_or_default();
        let message = format!("{}: {said}", words::data(&object.to_string()));
        Some(Related { path, range: placed.in_file(identity.name_range), message })
    }

    /// Files in which a mark stands that is not about a document of theirs.
    pub(crate) fn files_with_marks(&self) -> Vec<RepoPath> {
        let mut files: Vec<RepoPath> = (0..self.inputs.clusters.len())
            .filter(|cluster| self.proof(*cluster) != Proof::None)
            .flat_map(|cluster| {
                let mut files: Vec<RepoPath> = self.by_file(cluster).keys().cloned().collect();
                files.extend(self.silent_files(cluster));
                files
            })
            .collect();
        files.sort();
        files.dedup();
        files
    }
}

/// What nobody wrote has its value from a neighbour: of a port that is out of range the API server says the same for the
/// `targetPort` that it sets. One cause, one mark.
fn drop_defaulted(all: &mut Vec<Found>) {
    let parent = |it: &Found| match &it.fault.place {
        Place::Field { path, problem: Problem::Invalid, .. } => {
            let (_, above) = path.steps().split_last()?;
            Some((it.fault.object.clone(), above.to_vec()))
        }
        _ => None,
    };
    let is_exact = |it: &Found| it.spot.as_ref().is_some_and(|it| it.exact);
    let exact: Vec<_> = all.iter().filter(|it| is_exact(it)).filter_map(parent).collect();
    all.retain(|it| is_exact(it) || parent(it).is_none_or(|it| !exact.contains(&it)));
    // And of one place one mark, if it is told twice.
    let mut seen: Vec<(RepoPath, TextRange, Option<Named>)> = Vec::new();
    all.retain(|it| {
        let (Some(spot), Place::Field { value: Some(_), .. }) = (&it.spot, &it.fault.place) else {
            return true;
        };
        let place = (spot.path.clone(), spot.range, it.fault.object.clone());
        let new = !seen.contains(&place);
        seen.push(place);
        new
    });
}

/// The document of an earlier file that a document comes from: the one that says it is the same object, else the one in
/// its place.
fn counterpart<'f>(
    then: &'f ParsedFile,
    index: usize,
    now: &ParsedFile,
    placed: &Placed,
) -> Option<&'f Document> {
    let key = |it: &Document| {
        let identity = it.identity()?;
        Some((
            identity.group.clone(),
            identity.kind.clone(),
            identity.namespace.clone(),
            identity.name.clone(),
        ))
    };
    let wanted = key(&placed.document);
    if wanted.is_some()
        && let Some(found) = then.documents().iter().find(|it| key(&it.document) == wanted)
    {
        return Some(&found.document);
    }
    let same_count = then.documents().len() == now.documents().len();
    then.documents().get(index).filter(|_| same_count).map(|it| &*it.document)
}

/// What was found of objects, by id; shared by threads.
pub(crate) type ById<T> = std::sync::Mutex<HashMap<ObjectId, T>>;
