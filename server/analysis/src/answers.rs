//! The questions that can be asked.

use flux::{Kind, ObjectId, State};
use manifests::{ParsedFile, Placed, RepoPath, TextRange, TextSize};

use crate::findings::Stand;
use crate::hovers::{DETAILS, HOVER};
use crate::index::flux_object;
use crate::inputs::{Contact, Inputs, Proof};
use crate::page::{Page, spans};
use crate::past::Lacks;
use crate::place::references;
use crate::report::{Cause, ClusterSummary, FileReport, Finding, Hover, LensRow, Mood, Summary};
use crate::state::Tone;
use crate::view::View;
use crate::words;

/// Who waits for what [`analyse_for`] finds in a file.
pub trait Onlooker {
    /// The marks, as they will be in the report: nothing that is lacking would change them.
    fn marks(&self, findings: &[Finding]);
    /// Whether the rest is wanted. Asked often, and only once the marks were told.
    fn waits(&self) -> bool;
}

/// Waits for the whole report.
struct Patient;

impl Onlooker for Patient {
    fn marks(&self, _: &[Finding]) {}

    fn waits(&self) -> bool {
        true
    }
}

/// Everything that is shown in a file: marks, lenses and actions. One that has nothing to do with Flux has an empty
/// report.
pub fn analyse(inputs: &Inputs<'_>, path: &RepoPath) -> FileReport {
    analyse_for(inputs, path, &Patient)
}

/// The same for somebody who wants to see the marks as soon as they are found, and may then want nothing more of this text: of
/// a long file most of the time goes into lenses. See [`FileReport::marks_only`].
pub fn analyse_for(inputs: &Inputs<'_>, path: &RepoPath, onlooker: &dyn Onlooker) -> FileReport {
    let view = View::new(inputs);
    let file = view.file_to_show(path);
    let stands = file.as_ref().map(|it| view.stands(path, it)).unwrap_or_default();
    let mut report = FileReport::default();
    // Marks in documents that are no Flux objects; those that are come with their own.
    let own = |at: TextSize| stands.iter().any(|it| it.placed.range().contains(at));
    report.findings.extend(view.placed_findings(path).into_iter().filter(|it| !own(it.range.start())));
    report.findings.extend(stands.iter().flat_map(|stand| view.findings(stand)));
    report.findings.extend(file.as_ref().and_then(|it| view.mark_of_unapplied(path, it)));
    report.findings.sort_by_key(|it| (it.range.start(), it.range.end(), it.severity));
    // With what is lacking they might be others.
    let are_told = !view.lacks_history();
    if are_told {
        onlooker.marks(&report.findings);
    }
    let is_over = || are_told && !onlooker.waits();
    for (nth, stand) in stands.iter().enumerate() {
        report.actions.extend(view.actions(stand, nth == 0));
        view.note_unknown(stand, &mut report.unknown);
        view.want_commits(stand);
        if is_over() {
            return FileReport { findings: report.findings, marks_only: true, ..FileReport::default() };
        }
    }
    let mut plain = file.as_ref().map(|it| view.rows_of_manifests(path, it, &is_over)).unwrap_or_default();
    if is_over() {
        return FileReport { findings: report.findings, marks_only: true, ..FileReport::default() };
    }
    plain.extend(view.row_of_charts(path));
    if let Some(file) = file.as_ref().filter(|_| plain.is_empty() && stands.is_empty()) {
        plain.extend(view.row_of_reported(path, file));
    }
    report.lenses = view.lenses(&stands, plain);
    report.unknown.sort();
    report.unknown.dedup();
    report.live = view.wanted.take();
    report.clusters = view.clusters_of(path, &stands);
    let (lacks, recheck_at) = view.finish();
    FileReport { lacks, recheck_at, ..report }
}

/// The files in which a mark stands for a failure that is not about a document of theirs: to be analysed besides those
/// with Flux objects ([`RepoIndex::flux_files`](crate::RepoIndex::flux_files)). With what of history it lacked: its answer may
/// lead to others.
pub fn files_with_marks(inputs: &Inputs<'_>) -> (Vec<RepoPath>, Lacks) {
    let view = View::new(inputs);
    let files = view.files_with_marks();
    (files, view.finish().0)
}

/// What to show at an offset: at the kind and the name of a Flux object, at its marks, and at the names of other
/// Flux objects. Nothing elsewhere, so that it does not fight other language servers.
pub fn hover(inputs: &Inputs<'_>, path: &RepoPath, offset: TextSize) -> Option<Hover> {
    let view = View::new(inputs);
    if let Some(hover) = view.hover_of_charts(path, offset) {
        return Some(hover);
    }
    let file = view.any_file(path).or_else(|| view.left_out_file(path)).or_else(|| view.plain_file(path));
    let placed = file.as_ref().and_then(|it| it.document_at(offset));
    if let (Some(file), Some(placed)) = (&file, placed)
        && crate::navigation::build_folder(path, &placed.document).is_some()
        && let Some(handle) = crate::builders::handle(&placed.document, placed.in_document(offset)?)
    {
        let page = view.page_of_build(path, file);
        return Some(Hover { range: placed.in_file(handle), markdown: view.markdown(&page) });
    }
    if let Some(file) = &file
        && let Some((range, page)) = view.page_of_image(path, file, offset)
        && range.contains_inclusive(offset)
    {
        return Some(Hover { range, markdown: view.markdown(&page) });
    }
    let stand = placed.and_then(|it| view.stand(path, it));
    let (Some(placed), Some(stand)) = (placed, stand) else {
        let mark = view.hover_of_mark(path, offset);
        return mark
            .or_else(|| view.hover_of_manifest(path, file.as_ref()?, offset))
            .or_else(|| view.hover_of_purpose(path, file.as_ref()?, offset));
    };
    let (_, identity) = flux_object(&placed.document)?;
    if let Some((range, page)) = view.hover_of_reference(&stand, offset) {
        return Some(Hover { range, markdown: view.markdown(&page) });
    }
    let own = [identity.kind_range, identity.name_range].map(|it| placed.in_file(it));
    let marks = view.findings(&stand).into_iter().map(|it| it.range);
    let Some(range) = own.into_iter().chain(marks).find(|it| it.contains_inclusive(offset)) else {
        return view.hover_of_purpose(path, file.as_ref()?, offset);
    };
    Some(Hover { range, markdown: view.markdown(&view.page_of(&stand, HOVER)) })
}

/// Everything about the document at an offset as Markdown, wherever in it the offset is; of the whole file without
/// one. Always says something: that nothing is connected, that nothing applies this file.
pub fn status_at(inputs: &Inputs<'_>, path: &RepoPath, offset: Option<TextSize>) -> String {
    let view = View::new(inputs);
    view.markdown(&view.page_at(path, offset))
}

/// All that an editor shows there (lens, marks, hover), as text for a terminal.
pub fn explain(inputs: &Inputs<'_>, path: &RepoPath, offset: Option<TextSize>) -> String {
    let view = View::new(inputs);
    let text = view.page_at(path, offset).text();
    if inputs.settings.ascii { words::ascii(&text) } else { text }
}

/// Everything about one object of a cluster, as Markdown. `None` if the cluster is not among the inputs.
pub fn details(inputs: &Inputs<'_>, cluster: &str, object: &ObjectId) -> Option<String> {
    let index = inputs.clusters.iter().position(|it| it.key == cluster)?;
    let view = View::new(inputs);
    Some(view.markdown(&view.page_of_object(index, object, DETAILS, true)))
}

/// Counts for a status bar.
pub fn summary(inputs: &Inputs<'_>) -> Summary {
    let view = View::new(inputs);
    let clusters: Vec<ClusterSummary> =
        (0..inputs.clusters.len()).map(|it| view.cluster_summary(it)).collect();
    let failed = clusters.iter().map(|it| it.failed).sum();
    let waiting = clusters.iter().map(|it| it.waiting).sum();
    let live = (0..inputs.clusters.len()).all(|it| view.proof(it) == Proof::Live);
    let mood = if clusters.is_empty() {
        Mood::None
    } else if failed > 0 {
        Mood::Error
    } else if waiting > 0 || !live {
        Mood::Warning
    } else {
        Mood::Ok
    };
    let short = |it: &ClusterSummary| match (it.contact, it.failed) {
        ("live", 0) if it.waiting > 0 => format!("{} {} waiting", it.name, it.waiting),
        ("live", 0) if it.suspended > 0 => format!("{} {} suspended", it.name, it.suspended),
        ("live", 0) => format!("✓ {}", it.name),
        ("live" | "recorded", failed) if failed > 0 => format!("✗ {} {failed}", it.name),
        (contact, _) => format!("{} {contact}", it.name),
    };
    let mut text = match clusters.as_slice() {
        [] if inputs.offer.choose => "Flux: not connected".to_owned(),
        [] => String::new(),
        some => some.iter().map(short).collect::<Vec<_>>().join(" · "),
    };
    if inputs.settings.ascii {
        text = words::ascii(&text);
    }
    let tooltip = clusters.iter().map(|it| it.text.clone()).collect::<Vec<_>>().join("\n");
    Summary { text, tooltip, mood, clusters, failed, waiting }
}

/// Where to go from an object in trouble: to the document of what failed first, at the field that failed. `None` if
/// the cluster is not among the inputs, or what failed is nowhere to be found.
pub fn goto_cause(inputs: &Inputs<'_>, cluster: &str, object: &ObjectId) -> Option<Cause> {
    let index = inputs.clusters.iter().position(|it| it.key == cluster)?;
    let view = View::new(inputs);
    let causes = view.causes(index, object);
    let stale = view.verdict(index, object).and_then(|it| match it.state.last() {
        State::ReadySourceStale { source } => Some(source.clone()),
        _ => None,
    });
    let root = causes.roots.first().map(|it| it.root.clone()).or(stale).unwrap_or_else(|| object.clone());
    // What does not exist may still be written here, and otherwise the reference to it is what can be mended.
    let missing = causes.roots.first().filter(|it| it.kind == flux::CauseKind::Missing);
    if let Some(hop) = missing.and_then(|it| it.chain.last())
        && let Some((at, placed)) = view.place_of(index, &hop.from, true)
        && let Some(live) = view.facts(index).get(&hop.from)
        && let Some(range) = crate::place::field_range(&placed.document, live, &hop.field)
    {
        return Some(Cause::Place { path: at.path, range: placed.in_file(range), object: hop.from.clone() });
    }
    if let Some(spot) = view.first_spot(index, &root) {
        return Some(Cause::Place { path: spot.path, range: spot.range, object: root });
    }
    if let Some((at, placed)) = view.place_of(index, &root, true) {
        let range = view.failure_range(index, &root, placed);
        return Some(Cause::Place { path: at.path, range, object: root });
    }
    let markdown = view.markdown(&view.page_of_object(index, &root, DETAILS, true));
    Some(Cause::Object { cluster: cluster.to_owned(), object: root, markdown })
}

/// [`FileReport::clusters`] alone.
pub fn clusters_of(inputs: &Inputs<'_>, path: &RepoPath) -> Vec<String> {
    let view = View::new(inputs);
    let stands = view.file(path).map(|file| view.stands(path, file)).unwrap_or_default();
    view.clusters_of(path, &stands)
}

/// Clusters that were read and apply nothing of this repository, by name: what is not marked there was not looked for.
pub fn strangers(inputs: &Inputs<'_>) -> Vec<String> {
    let view = View::new(inputs);
    if !inputs.settings.mapping.is_empty() {
        return Vec::new();
    }
    (0..inputs.clusters.len())
        .filter(|at| !view.derived[*at].binding.deliveries.fits())
        .filter(|at| view.unread(*at, None).is_none())
        .map(|at| words::data(view.cluster(at).name))
        .collect()
}

/// Objects of this repository that failed and that none of its files holds or leads to, in sentences: for `check`.
pub fn unplaced(inputs: &Inputs<'_>) -> Vec<String> {
    View::new(inputs).alone()
}

impl View<'_> {
    /// Keys of the clusters that a file belongs to, those that apply it first.
    fn clusters_of(&self, path: &RepoPath, stands: &[Stand<'_>]) -> Vec<String> {
        let charts = self.charts_with(path);
        let applies = |at: &usize| {
            self.derived[*at].binding.known_to_read(path).next().is_some()
                || charts.iter().any(|(cluster, _)| cluster == at)
                || stands.iter().flat_map(|it| &it.standings).any(|(standing, _)| {
                    standing.cluster == *at && standing.strength > crate::view::Strength::Guess
                })
        };
        let settings = self.inputs.settings;
        let mapped = |at: &usize| !settings.mapping.is_empty() && settings.maps(path, self.cluster(*at));
        let allowed = (0..self.inputs.clusters.len()).filter(|at| settings.maps(path, self.cluster(*at)));
        let mut found: Vec<usize> = allowed.filter(|at| applies(at) || mapped(at)).collect();
        found.sort_by_key(|at| (!applies(at), *at));
        found.into_iter().map(|at| self.cluster(at).key.to_owned()).collect()
    }

    fn stands<'d>(&self, path: &'d RepoPath, file: &'d ParsedFile) -> Vec<Stand<'d>> {
        file.documents().iter().filter_map(|placed| self.stand(path, placed)).collect()
    }

    /// `None` if the document is no Flux object.
    fn stand<'d>(&self, path: &'d RepoPath, placed: &'d Placed) -> Option<Stand<'d>> {
        flux_object(&placed.document)?;
        let standings = self
            .standings(path, &placed.document)
            .into_iter()
            .map(|standing| {
                let verdict = self.verdict(standing.cluster, &standing.object);
                let text = self.text(&standing, path, &placed.document, verdict.as_deref());
                (standing, text)
            })
            .collect();
        Some(Stand { path, placed, standings })
    }

    pub(crate) fn markdown(&self, page: &Page) -> String {
        let markdown = page.markdown();
        if self.inputs.settings.ascii { words::ascii(&markdown) } else { markdown }
    }

    /// At a mark in a document that is no Flux object: everything of the Flux objects that it is about.
    fn hover_of_mark(&self, path: &RepoPath, offset: TextSize) -> Option<Hover> {
        let marks = self.placed_findings(path);
        let here: Vec<_> = marks.iter().filter(|it| it.range.contains_inclusive(offset)).collect();
        let range = here.first()?.range;
        let mut page = Page::default();
        for finding in here.iter().filter(|it| it.range == range) {
            page.line(spans![d finding.message]);
            for index in (0..self.inputs.clusters.len())
                .filter(|it| finding.keys.contains(&self.cluster(*it).key.to_owned()))
            {
                page.extend(self.page_of_object(index, &finding.object, HOVER, false));
            }
        }
        Some(Hover { range, markdown: self.markdown(&page) })
    }

    /// The object that is named at an offset, in each cluster that has the document.
    fn hover_of_reference(&self, stand: &Stand<'_>, offset: TextSize) -> Option<(TextRange, Page)> {
        let (_, identity) = flux_object(&stand.placed.document)?;
        let at = stand.placed.in_document(offset)?;
        let mut page = Page::default();
        let mut found = None;
        let mut seen = Vec::new();
        for (standing, _) in &stand.standings {
            for (reference, range) in references(stand.placed, &standing.object.namespace) {
                if range.contains_inclusive(at)
                    && !seen.contains(&(standing.cluster, reference.target.clone()))
                {
                    page.extend(self.page_of_object(standing.cluster, &reference.target, HOVER, false));
                    found = Some(stand.placed.in_file(range));
                    seen.push((standing.cluster, reference.target));
                }
            }
        }
        if found.is_none() && stand.standings.is_empty() {
            let namespace = identity.namespace.as_deref().unwrap_or_default();
            let own = references(stand.placed, namespace);
            let (_, range) = own.into_iter().find(|(_, range)| range.contains_inclusive(at))?;
            return Some((stand.placed.in_file(range), self.page_of(stand, HOVER)));
        }
        Some((found?, page))
    }

    /// Lens, marks and everything else of a document or a file.
    fn page_at(&self, path: &RepoPath, offset: Option<TextSize>) -> Page {
        let mut page = Page::default();
        if let Some(charts) = self.page_of_charts(path) {
            self.say_marks(&mut page, path, None);
            page.extend(charts);
            return page;
        }
        let Some(file) = self.any_file(path).or_else(|| self.plain_file(path)) else {
            page.heading(spans![d path]);
            self.say_marks(&mut page, path, None);
            page.line(spans![w "No Flux object in this file."]);
            self.say_clusters(&mut page, path);
            return page;
        };
        let is_build = |it: &Placed| crate::navigation::build_folder(path, &it.document).is_some();
        if file.documents().iter().any(is_build) {
            self.say_marks(&mut page, path, None);
            page.extend(self.page_of_build(path, &file));
            return page;
        }
        let manifest = |placed: &Placed| {
            let mut page = Page::default();
            if flux_object(&placed.document).is_none() {
                self.say_marks(&mut page, path, Some(placed.range()));
            }
            page.extend(self.page_of_plain(path, &file, placed).unwrap_or_default());
            (page != Page::default()).then_some(page)
        };
        let manifests: Vec<Page> = match offset {
            Some(offset) => file.document_at(offset).and_then(manifest).into_iter().collect(),
            None => file.documents().iter().filter_map(manifest).collect(),
        };
        let stands: Vec<Stand<'_>> = match offset {
            Some(offset) => {
                file.document_at(offset).and_then(|placed| self.stand(path, placed)).into_iter().collect()
            }
            None => self.stands(path, &file),
        };
        if stands.is_empty() && manifests.is_empty() {
            page.heading(spans![d path]);
            page.line(spans![w "No Flux object here."]);
            self.say_clusters(&mut page, path);
        }
        for stand in &stands {
            let rows: Vec<LensRow> = self.lenses(std::slice::from_ref(stand), Vec::new());
            let title = rows.first().and_then(|row| row.items.first()).map(|it| it.title.clone());
            match title.filter(|_| !stand.standings.is_empty()) {
                Some(title) => page.heading(spans![d title]),
                None => page.heading(spans![d path]),
            }
            for finding in self.findings(stand) {
                say_mark(&mut page, &finding);
            }
            for (standing, _) in &stand.standings {
                self.say_where(&mut page, path, standing);
            }
            if stand.standings.is_empty() {
                self.say_left_out(&mut page, path);
            }
            page.extend(self.page_of(stand, DETAILS));
        }
        for manifest in manifests {
            page.extend(manifest);
        }
        if let Some((_, image)) = offset.and_then(|it| self.page_of_image(path, &file, it)) {
            page.extend(image);
        }
        page
    }

    /// The marks of a file that are about no document of it; with a range only those that begin in it.
    fn say_marks(&self, page: &mut Page, path: &RepoPath, range: Option<TextRange>) {
        let inside = |at: TextSize| range.is_none_or(|it| it.contains(at));
        let mut found = self.placed_findings(path);
        found.retain(|it| inside(it.range.start()));
        if !found.is_empty() && *page == Page::default() {
            page.heading(spans![d path]);
        }
        for finding in &found {
            say_mark(page, finding);
        }
    }

    /// Where the mark of a failure of this object stands, if that is in another file.
    fn say_where(&self, page: &mut Page, path: &RepoPath, standing: &crate::view::Standing) {
        let elsewhere = self
            .first_spot(standing.cluster, &standing.object)
            .is_some_and(|spot| spot.path != *path && standing.strength > crate::view::Strength::Guess);
        if elsewhere {
            let place = self.cause_name(standing.cluster, &standing.object);
            page.line(spans![w "the cause is at ", d place]);
        }
    }

    fn say_clusters(&self, page: &mut Page, path: &RepoPath) {
        self.say_left_out(page, path);
        if self.inputs.clusters.is_empty() {
            page.line(spans![w "Flux: not connected."]);
        }
        for index in 0..self.inputs.clusters.len() {
            let binding = &self.derived[index].binding;
            for delivery in binding.known_to_read(path) {
                page.extend(self.page_of_object(index, &delivery.kustomization.id, HOVER, false));
            }
            if binding.known_to_read(path).next().is_none() {
                self.say_unread(page, index);
            }
        }
    }

    /// What could not be told of a document, for `check`.
    fn note_unknown(&self, stand: &Stand<'_>, unknown: &mut Vec<String>) {
        if stand.standings.is_empty() && !self.inputs.clusters.is_empty() {
            for index in 0..self.inputs.clusters.len() {
                let name = words::data(self.cluster(index).name);
                let kind = flux_object(&stand.placed.document).map(|(kind, _)| kind);
                if !self.inputs.settings.maps(stand.path, self.cluster(index)) {
                    continue;
                }
                match self.proof(index) {
                    Proof::Live | Proof::Recorded { .. } => {
                        unknown.extend(self.unread(index, kind).map(|why| format!("{name}: {why}")));
                    }
                    Proof::None => unknown.push(format!("{name}: {}", self.contact_phrase(index))),
                    proof @ (Proof::Checking { .. } | Proof::Was { .. }) => {
                        unknown.extend(self.freshness(proof).map(|seen| format!("{name}: {seen}")));
                    }
                }
            }
        }
        for (standing, _) in &stand.standings {
            let name = self.name(standing);
            let object = words::data(&standing.object.to_string());
            if standing.remote.is_some() {
                unknown.push(format!("{name}: {object} is on another cluster"));
                continue;
            }
            if let proof @ (Proof::Checking { .. } | Proof::Was { .. } | Proof::None) =
                self.proof(standing.cluster)
            {
                unknown.extend(self.freshness(proof).map(|seen| format!("{name}: {seen}")));
            }
            if standing.strength == crate::view::Strength::Guess {
                unknown.push(format!(
                    "{name}: {object} has the name of a document in {}, nothing else",
                    stand.path
                ));
                continue;
            }
            match self.verdict(standing.cluster, &standing.object).filter(|_| standing.live.is_some()) {
                Some(verdict) => {
                    if let State::Progressing { .. } | State::Pending = verdict.state {
                        let phrase = self.phrase(standing.cluster, &verdict).unwrap_or_default();
                        unknown.push(format!("{name}: {object}: {phrase}"));
                    }
                }
                None => {
                    if let Some(said) = self.said(standing, crate::earlier::Text::Unknown) {
                        unknown.push(format!("{name}: {object}: {}", said.phrase));
                    }
                }
            }
        }
    }

    fn cluster_summary(&self, index: usize) -> ClusterSummary {
        let cluster = self.cluster(index);
        let proof = self.proof(index);
        let contact = match (&cluster.contact, proof) {
            (Contact::NeedsSignIn { .. }, _) => "sign in",
            (Contact::Connecting, _) => "connecting",
            (Contact::Unreachable { .. }, _) => "unreachable",
            (Contact::NoFlux, _) => "no Flux",
            (_, Proof::Live) => "live",
            (_, Proof::Checking { .. }) => "checking",
            (_, Proof::Was { .. } | Proof::None) => "last seen",
            (_, Proof::Recorded { .. }) => "recorded",
        };
        let mut counts = std::collections::BTreeMap::<Tone, usize>::new();
        for object in self.facts(index).objects() {
            // Charts are made by HelmReleases, which say the same.
            if object.kind == Kind::HelmChart || object.is_static() {
                continue;
            }
            if let Some(verdict) = self.verdict(index, &object.id) {
                *counts.entry(Tone::of(&verdict.state)).or_default() += 1;
            }
        }
        let count = |tone: Tone| counts.get(&tone).copied().unwrap_or_default();
        let name = words::data(cluster.name);
        let freshness = match proof {
            Proof::Live => String::new(),
            proof => format!(", {}", self.freshness(proof).unwrap_or_default()),
        };
        let said: Vec<String> =
            counts.iter().rev().map(|(tone, n)| format!("{n} {}", tone_word(*tone))).collect();
        let text = match proof {
            Proof::None => format!("{name}: {}", self.contact_phrase(index)),
            _ if said.is_empty() => format!("{name}: no Flux objects{freshness}"),
            _ => format!("{name}: {}{freshness}", said.join(", ")),
        };
        ClusterSummary {
            key: cluster.key.to_owned(),
            name,
            contact,
            text,
            ready: count(Tone::Ready) + count(Tone::Behind),
            failed: count(Tone::Failed),
            waiting: count(Tone::Waiting),
            progressing: count(Tone::Progressing),
            suspended: count(Tone::Suspended),
        }
    }
}

fn say_mark(page: &mut Page, finding: &Finding) {
    let severity = finding.severity.as_str();
    page.line(spans![w severity, w " ", d finding.code, w ": ", d finding.message]);
}

fn tone_word(tone: Tone) -> &'static str {
    match tone {
        Tone::Ready => "ready",
        tone => tone.counted(),
    }
}
