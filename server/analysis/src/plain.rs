//! Documents that are no Flux objects: what applies them, where, at which revision.
//!
//! A Deployment has no state of its own here: it is as far as the Kustomization that applies it, if that one's build makes
//! it from this document and its inventory holds it. Failures stand at their causes; what merely has a failing
//! applier says so without a sign.

use flux::{ObjectId, State, Verdict};
use manifests::{ParsedFile, Placed, RepoPath, Role, TextSize};
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::findings::Stand;
use crate::hovers::HOVER;
use crate::index::{DocRef, Outline};
use crate::inputs::Proof;
use crate::journey::Text;
use crate::lenses::{Row, start_of};
use crate::page::{Page, spans};
use crate::report::{Hover, LensRow};
use crate::state::{Said, Sign, Tone, changed};
use crate::view::{MadeOf, Standing, Strength, View};
use crate::words;

/// How many files that shape an object a hover names.
const SHAPERS: usize = 8;

/// A document as one Kustomization applies it.
pub(crate) struct Applied {
    /// The Kustomization: what is done with the document is done with it.
    by: Standing,
    /// The object.
    object: String,
    shaped_by: Vec<DocRef>,
    said: Said,
}

impl View<'_> {
    /// What the builds of all clusters make of a document, those in the inventory first.
    pub(crate) fn applied(&self, path: &RepoPath, nth: usize, placed: &Placed) -> Vec<Applied> {
        let may_be = matches!(placed.document.role(), Role::Object | Role::List | Role::Patch);
        if !may_be || crate::index::flux_object(&placed.document).is_some() {
            return Vec::new();
        }
        let mut all: Vec<Applied> = Vec::new();
        for (cluster, view) in self.inputs.clusters.iter().enumerate() {
            if !self.inputs.settings.maps(path, view) {
                continue;
            }
            for made in self.made_of(cluster, path, nth) {
                let known = all.iter().any(|it| {
                    it.by.cluster == cluster
                        && it.by.object == made.delivery.kustomization.id
                        && it.object == name_of(made.outline)
                });
                if !known && let Some(applied) = self.applied_by(cluster, &made, path, placed) {
                    all.push(applied);
                }
            }
        }
        all
    }

    fn applied_by(
        &self,
        cluster: usize,
        made: &MadeOf<'_>,
        path: &RepoPath,
        placed: &Placed,
    ) -> Option<Applied> {
        let applier = &made.delivery.kustomization;
        let holds = !made.listed()?.is_empty();
        let remote = applier.spec.remote;
        let by = Standing {
            cluster,
            object: applier.id.clone(),
            strength: if holds { Strength::Matched } else { Strength::Expected },
            applier: None,
            live: Some(Arc::clone(applier)),
            patch: made.patch,
            remote: remote
                .then(|| applier.spec.kube_config.as_deref().unwrap_or("another cluster").to_owned()),
        };
        let said = match self.verdict(cluster, &applier.id) {
            Some(verdict) => self.said_of_applied(&by, made, &verdict, path, placed),
            None => return None,
        };
        Some(Applied { by, object: name_of(made.outline), shaped_by: made.outline.shaped_by.clone(), said })
    }

    fn said_of_applied(
        &self,
        by: &Standing,
        made: &MadeOf<'_>,
        verdict: &Verdict,
        path: &RepoPath,
        placed: &Placed,
    ) -> Said {
        let proof = self.proof(by.cluster);
        let freshness = self.freshness(proof);
        let said = |phrase: String, tone: Tone| Said {
            sign: None,
            phrase,
            tone,
            freshness: freshness.clone(),
            differs: false,
        };
        let trouble = match &verdict.state {
            State::Failed { .. } => match &verdict.failed_at {
                Some(at) => Some(format!("{} failed {}", name(&by.object), words::data(&at.to_string()))),
                None => Some(format!("{} failed", name(&by.object))),
            },
            State::Unhealthy => Some(format!("{} is unhealthy", name(&by.object))),
            State::Waiting { .. } => Some(format!("{} waits", name(&by.object))),
            State::Suspended { .. } => Some(format!("{} is suspended", name(&by.object))),
            State::Terminating => Some(format!("{} is being deleted", name(&by.object))),
            _ => None,
        };
        if by.strength == Strength::Expected {
            let why = trouble.map(|it| format!(", {it}")).unwrap_or_default();
            let what = if made.patch { "object not applied" } else { "not applied" };
            let yet = if why.is_empty() { " yet" } else { "" };
            return Said { differs: true, ..said(format!("{what}{yet}{why}"), Tone::Missing) };
        }
        let Some(applied) = &verdict.applied else {
            // In the inventory, so that some revision was applied: which one is not told.
            return said(
                format!("in the inventory{}", trouble.map(|it| format!(", {it}")).unwrap_or_default()),
                Tone::Unknown,
            );
        };
        let mut phrase = format!("applied {}", words::data(&applied.to_string()));
        let text = self.text_of_applied(by, made.outline, applied, path, placed);
        if let Text::Changed(pushed) = text {
            phrase.push_str(changed(pushed));
        }
        if let Some(trouble) = &trouble {
            phrase.push_str(", ");
            phrase.push_str(trouble);
        }
        // The same ground for ✓ as for Flux objects: live, ready, of a known commit, and of this very text.
        let good = verdict.state == State::Ready
            && verdict.overlays.iter().all(|it| matches!(it, flux::Overlay::Requested))
            && proof == Proof::Live
            && text == Text::Same
            && self.has_commits(by, verdict);
        let tone = match Tone::of(&verdict.state) {
            Tone::Ready if text.is_other() => Tone::Behind,
            tone => tone,
        };
        Said { sign: good.then_some(Sign::Good), differs: text.is_other(), ..said(phrase, tone) }
    }

    /// Compares the document, and the documents that patch it, with those of the revision that was applied.
    fn text_of_applied(
        &self,
        by: &Standing,
        outline: &Outline,
        applied: &flux::Revision,
        path: &RepoPath,
        placed: &Placed,
    ) -> Text {
        let document = &placed.document;
        let mut same = match self.then(by.cluster, &by.object, applied, path, document) {
            Some(false) => {
                return Text::Changed(self.pushed(by.cluster, &by.object, applied, path, document));
            }
            Some(true) => true,
            None => false,
        };
        for shaper in &outline.shaped_by {
            let now = self.inputs.repo.tree.parsed(&shaper.path);
            let then = applied.commit().and_then(|it| self.file_at(it, &shaper.path));
            match (now, then) {
                (Some(now), Some(Some(then))) if same_file(&now, then) => {}
                (_, None) => same = false,
                _ => return Text::Changed(crate::journey::Pushed::Unknown),
            }
        }
        if same { Text::Same } else { Text::Unknown }
    }

    /// The rows of the documents of a file that are no Flux objects. Neighbours that say the same share one.
    pub(crate) fn rows_of_manifests(&self, path: &RepoPath, file: &ParsedFile) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        for (nth, placed) in file.documents().iter().enumerate() {
            let applied = self.applied(path, nth, placed);
            let Some(row) = self.row_of_manifest(path, placed, &applied) else { continue };
            let titles = |row: &Row| row.row.items.iter().map(|it| it.title.clone()).collect::<Vec<_>>();
            if rows.last().is_none_or(|above| titles(above) != titles(&row)) {
                rows.push(row);
            }
        }
        rows
    }

    fn row_of_manifest(&self, path: &RepoPath, placed: &Placed, applied: &[Applied]) -> Option<Row> {
        let said: Vec<(&Standing, Said)> = applied.iter().map(|it| (&it.by, it.said.clone())).collect();
        let tone = said.iter().map(|(_, said)| said.tone).max()?;
        let stand = Stand { path, placed, standings: Vec::new() };
        let items = match said.as_slice() {
            [(by, said)] => {
                let said = Said { phrase: with_name(&said.phrase, by), ..said.clone() };
                self.items_of_one(&stand, by, &said)
            }
            many => self.items_of_many(many),
        };
        let notable = said.iter().any(|(_, said)| said.differs);
        Some(Row { row: LensRow { range: start_of(placed), items }, notable, tone })
    }

    /// What applies a document, at its kind and its name.
    pub(crate) fn hover_of_manifest(
        &self,
        path: &RepoPath,
        file: &ParsedFile,
        offset: TextSize,
    ) -> Option<Hover> {
        let placed = file.document_at(offset)?;
        let identity = placed.document.identity()?;
        let ranges = [identity.kind_range, identity.name_range].map(|it| placed.in_file(it));
        let range = ranges.into_iter().find(|it| it.contains_inclusive(offset))?;
        let page = self.page_of_manifest(path, file, placed)?;
        Some(Hover { range, markdown: self.markdown(&page) })
    }

    /// Everything about a document that is no Flux object. `None` if nothing is known to apply it.
    pub(crate) fn page_of_manifest(
        &self,
        path: &RepoPath,
        file: &ParsedFile,
        placed: &Placed,
    ) -> Option<Page> {
        let nth = file.documents().iter().position(|it| it.offset == placed.offset)?;
        let applied = self.applied(path, nth, placed);
        if applied.is_empty() {
            return None;
        }
        let mut page = Page::default();
        if applied.len() > 1 {
            let clusters: BTreeSet<usize> = applied.iter().map(|it| it.by.cluster).collect();
            let clusters = match clusters.len() {
                1 => "one cluster".to_owned(),
                many => format!("{many} clusters"),
            };
            let count = applied.len().to_string();
            page.line(spans![w "This document becomes ", w count, w " objects in ", w clusters, w "."]);
        }
        for it in &applied {
            let sign = it.said.sign.map_or("", |_| "✓ ");
            page.heading(spans![w sign, d it.object, w " in ", d self.name(&it.by)]);
            let phrase = match &it.said.freshness {
                Some(freshness) => format!("{}, {freshness}", it.said.phrase),
                None => it.said.phrase.clone(),
            };
            page.line(spans![d phrase]);
            page.item(spans![w "applied by ", d it.by.object, w ": ", w match (it.by.strength, it.by.patch) {
                (Strength::Expected, _) => "its build makes this object, its inventory does not hold it",
                (_, true) => "its build patches the object with this document, and its inventory holds the object",
                (_, false) => "its build makes the object from this document, and its inventory holds it",
            }]);
            for shaper in it.shaped_by.iter().filter(|it| it.path != *path).take(SHAPERS) {
                page.item(spans![w "shaped by ", d shaper.path]);
            }
        }
        let mut told: Vec<(usize, ObjectId)> = Vec::new();
        for it in &applied {
            let key = (it.by.cluster, it.by.object.clone());
            if !told.contains(&key) && told.len() < 3 {
                page.extend(self.page_of_object(it.by.cluster, &it.by.object, HOVER, false));
                told.push(key);
            }
        }
        Some(page)
    }
}

/// The object as people name it.
fn name_of(outline: &Outline) -> String {
    let id = &outline.id;
    match &id.namespace {
        Some(namespace) if !manifests::kustomize::is_cluster_scoped(&id.group, &id.kind) => {
            format!("{}/{namespace}/{}", id.kind, id.name)
        }
        _ => format!("{}/{}", id.kind, id.name),
    }
}

/// A Kustomization in a lens: its name, which is all that tells it from its neighbours.
fn name(id: &ObjectId) -> String {
    words::data(&id.name)
}

/// `applied main@1a2b3c4 by apps, changed since`.
fn with_name(phrase: &str, by: &Standing) -> String {
    let mut words = phrase.splitn(3, ' ');
    match (words.next(), words.next(), words.next()) {
        (Some("applied"), Some(revision), rest) => {
            let end = revision.trim_end_matches([',', ';']);
            let behind = &revision[end.len()..];
            let rest = rest.map(|it| format!(" {it}")).unwrap_or_default();
            format!("applied {end} by {}{behind}{rest}", name(&by.object))
        }
        _ => phrase.to_owned(),
    }
}

fn same_file(now: &ParsedFile, then: &ParsedFile) -> bool {
    let (now, then) = (now.documents(), then.documents());
    now.len() == then.len()
        && now
            .iter()
            .zip(then)
            .all(|(now, then)| crate::compare::same_document(&now.document, &then.document))
}
