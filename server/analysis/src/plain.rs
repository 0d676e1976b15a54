//! Documents that are no Flux objects: what applies them, where, at which revision.
//!
//! A Deployment is as far as the Kustomization that applies it, if that one's build makes it from this document and its
//! inventory holds it; its own state is joined where it was read and is not well (`live.rs`). Failures stand at their causes;
//! what merely has a failing applier says so without a sign.

use flux::{Object, ObjectId, State, Verdict};
use manifests::kustomize::Id;
use manifests::{ParsedFile, Placed, RepoPath, Role, TextSize};
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::findings::Stand;
use crate::hovers::HOVER;
use crate::index::DocRef;
use crate::inputs::Proof;
use crate::journey::{Journey, Reach, Stage, Why};
use crate::lenses::{Row, start_of};
use crate::live::{Own, ground};
use crate::page::{Page, spans};
use crate::report::{Command, Hover, LensItem, LensRow};
use crate::rivals::also;
use crate::state::{Said, Sign, Tone};
use crate::view::{MadeOf, Standing, Strength, View};
use crate::words;

/// How many files that shape an object a hover names.
const SHAPERS: usize = 8;

/// A document as one Kustomization applies it.
pub(crate) struct Applied<'a> {
    /// The Kustomization: what is done with the document is done with it.
    by: Standing,
    /// The object.
    object: String,
    shaped_by: Vec<DocRef>,
    said: Said,
    /// What is said, with the Kustomization's name: for where nothing else tells it.
    named: String,
    journey: Option<Arc<Journey>>,
    /// The live object, as far as it was read.
    own: Option<Own<'a>>,
    /// The entry of the inventory, and who else has it.
    rivals: Option<(ObjectId, Vec<Arc<Object>>)>,
}

/// What of a Kustomization goes into the words about each document that it applies.
pub(crate) struct Told {
    trouble: Option<String>,
    freshness: Option<String>,
    applied: Option<String>,
    ground: String,
}

impl Applied<'_> {
    /// The files that make the object.
    fn paths(&self, own: &RepoPath) -> Vec<RepoPath> {
        let paths: BTreeSet<&RepoPath> = self.shaped_by.iter().map(|it| &it.path).chain([own]).collect();
        paths.into_iter().cloned().collect()
    }
}

impl<'a> View<'a> {
    /// What the builds of all clusters make of a document, those in the inventory first.
    pub(crate) fn applied(&self, path: &RepoPath, nth: usize, placed: &Placed) -> Vec<Applied<'a>> {
        let may_be = matches!(placed.document.role(), Role::Object | Role::List | Role::Patch);
        if !may_be || crate::index::flux_object(&placed.document).is_some() {
            return Vec::new();
        }
        let mut all: Vec<Applied<'a>> = Vec::new();
        for (cluster, view) in self.inputs.clusters.iter().enumerate() {
            if !self.inputs.settings.maps(path, view) {
                continue;
            }
            for made in self.made_of(cluster, path, nth) {
                let known = all.iter().any(|it| {
                    it.by.cluster == cluster
                        && it.by.object == made.delivery.kustomization.id
                        && it.object == name_of(&made.outline.id)
                });
                if !known && let Some(applied) = self.applied_by(cluster, &made, path, (nth, placed)) {
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
        placed: (usize, &Placed),
    ) -> Option<Applied<'a>> {
        let applier = &made.delivery.kustomization;
        let listed = made.listed()?;
        let holds = !listed.is_empty();
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
            made: Some(made.outline.made()),
        };
        let verdict = self.verdict(cluster, &applier.id)?;
        let journey = self.journey(cluster, &applier.id, &made.outline.made());
        let told = self.told_of(cluster, &verdict);
        let rivals = match listed.as_slice() {
            [id] => Some((id.clone(), self.rivals(cluster, &applier.id, id))),
            _ => None,
        };
        let rivals = rivals.filter(|(_, rivals)| !rivals.is_empty());
        let also = rivals.as_ref().map(|(_, rivals)| also(&applier.id, rivals));
        let (mut said, mut named) = self.said_of_applied(
            &by,
            made,
            (&verdict, &told),
            (journey.as_deref(), also.as_deref()),
            (path, placed),
        );
        let (object, shaped_by) = (name_of(&made.outline.id), made.outline.shaped_by.clone());
        let own = self.own_object(cluster, (made, &listed), &told.ground);
        self.join_own(own.as_ref(), &mut said, &mut named);
        let applied = Applied { by, object, shaped_by, said, named, journey, own, rivals };
        if let Some(journey) = &applied.journey {
            // A hover cannot wait: it is asked beforehand.
            self.commits_since(journey, applied.paths(path));
        }
        Some(applied)
    }

    /// What is the same for all that it applies, found once.
    fn told_of(&self, cluster: usize, verdict: &Verdict) -> Arc<Told> {
        let key = (cluster, verdict.id.clone());
        if let Some(known) = self.told.borrow().get(&key) {
            return Arc::clone(known);
        }
        let told = Arc::new(Told {
            trouble: self.trouble_of(cluster, verdict),
            freshness: self.freshness(self.proof(cluster)),
            applied: verdict.applied.as_ref().map(|it| words::data(&it.to_string())),
            ground: ground(verdict),
        });
        self.told.borrow_mut().insert(key, Arc::clone(&told));
        told
    }

    fn said_of_applied(
        &self,
        by: &Standing,
        made: &MadeOf<'_>,
        (verdict, told): (&Verdict, &Told),
        (journey, also): (Option<&Journey>, Option<&str>),
        (path, placed): (&RepoPath, (usize, &Placed)),
    ) -> (Said, String) {
        let proof = self.proof(by.cluster);
        let said = |phrase: String, tone: Tone| Said {
            sign: None,
            phrase,
            tone,
            freshness: told.freshness.clone(),
            differs: false,
        };
        let unnamed = |said: Said| (said.clone(), said.phrase);
        let trouble = told.trouble.as_deref();
        let and = |trouble: Option<&str>| trouble.map(|it| format!(", {it}")).unwrap_or_default();
        let reach = journey.map(|it| &it.reach);
        // It is not there: how far it has come says why, where that can be told.
        let on_its_way = journey.and_then(|it| self.on_its_way(it, verdict, trouble));
        if by.strength == Strength::Expected {
            let Some((words, _)) = on_its_way else {
                let what = if made.patch { "object not applied" } else { "not applied" };
                let yet = if trouble.is_none() { " yet" } else { "" };
                let phrase = format!("{what}{yet}{}", and(trouble));
                return unnamed(Said { differs: true, ..said(phrase, Tone::Missing) });
            };
            return unnamed(Said { differs: true, ..said(words, Tone::Missing) });
        }
        if let Some((words, tone)) = on_its_way {
            return unnamed(Said { differs: true, ..said(words, tone) });
        }
        let (Some(applied), Some(revision)) = (&verdict.applied, &told.applied) else {
            // In the inventory, so that some revision was applied: which one is not told.
            return unnamed(said(format!("in the inventory{}", and(trouble)), Tone::Unknown));
        };
        // The same ground for ✓ as for Flux objects: live, ready, of a known commit, and of this very text.
        let good = verdict.state == State::Ready
            && verdict.overlays.iter().all(|it| matches!(it, flux::Overlay::Requested))
            && proof == Proof::Live
            && reach == Some(&Reach::At(Stage::Healthy))
            && also.is_none()
            && self.has_commits(by, verdict);
        let is_live = matches!(reach, Some(Reach::At(Stage::Healthy)));
        let done = if good { "live" } else { "applied" };
        let start = format!("{done} {revision}");
        let mut rest = also.unwrap_or_default().to_owned();
        if let Some(journey) = journey {
            if matches!(journey.reach, Reach::At(Stage::Applied | Stage::Healthy))
                && self.only_comments(applied, path, placed)
            {
                rest.push_str(", only comments differ");
            }
            match &journey.reach {
                Reach::Unknown(Why::NotInThisClone(..)) => rest.push_str(", not in this clone"),
                Reach::Unknown(_) | Reach::At(_) | Reach::Older(_) => {}
            }
            for words in [self.newer_words(journey), self.stage_words(journey)].into_iter().flatten() {
                rest.push_str("; ");
                rest.push_str(&words);
            }
        }
        rest.push_str(&and(trouble));
        let tone = match (Tone::of(&verdict.state), journey.and_then(|it| it.newer)) {
            (Tone::Ready, Some(_)) => Tone::Behind,
            (Tone::Behind, None) if is_live => Tone::Ready,
            (Tone::Ready, None) if also.is_some() => Tone::Behind,
            (tone, _) => tone,
        };
        let named = format!("{start} by {}{rest}", words::data(&by.object.name));
        let (sign, differs) = (good.then_some(Sign::Good), also.is_some());
        (Said { sign, differs, ..said(format!("{start}{rest}"), tone) }, named)
    }

    /// What is said of a text that is not applied, and how bad that is; `None` where it is, and where that cannot be told.
    pub(crate) fn on_its_way(
        &self,
        journey: &Journey,
        verdict: &Verdict,
        trouble: Option<&str>,
    ) -> Option<(String, Tone)> {
        let is_told = match &journey.reach {
            Reach::Unknown(Why::NotInThisClone(revision, _)) => journey.applied.as_ref() != Some(revision),
            Reach::Unknown(_) => false,
            Reach::At(_) | Reach::Older(_) => true,
        };
        let words = self.stage_words(journey).filter(|_| is_told)?;
        Some(match journey.reach {
            Reach::At(Stage::Fetched | Stage::Packaged) => {
                let trouble = trouble.map(|it| format!(", {it}")).unwrap_or_default();
                (format!("{words}{trouble}"), Tone::of(&verdict.state).max(Tone::Behind))
            }
            Reach::At(Stage::Pushed) => (words, Tone::Behind),
            _ => (format!("not live · {words}"), Tone::Behind),
        })
    }

    /// The rows of the documents of a file that are no Flux objects. Neighbours that say the same share one. Stops once nobody
    /// waits for them any more.
    pub(crate) fn rows_of_manifests(
        &self,
        path: &RepoPath,
        file: &ParsedFile,
        is_over: &dyn Fn() -> bool,
    ) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        for (nth, placed) in file.documents().iter().enumerate() {
            if is_over() {
                break;
            }
            let applied = self.applied(path, nth, placed);
            let row = match applied.as_slice() {
                [] => self.row_of_unowned(path, nth, placed),
                applied => self.row_of_manifest(path, placed, applied),
            };
            let Some(row) = row else { continue };
            let titles = |row: &Row| row.row.items.iter().map(|it| it.title.clone()).collect::<Vec<_>>();
            if rows.last().is_none_or(|above| titles(above) != titles(&row)) {
                rows.push(row);
            }
        }
        if rows.is_empty() {
            rows.extend(self.row_of_unapplied(path, file));
        }
        rows
    }

    /// A document whose applier may not be read.
    fn row_of_unowned(&self, path: &RepoPath, nth: usize, placed: &Placed) -> Option<Row> {
        let unowned = self.unowned(path, nth, placed);
        let items = unowned.iter().map(|it| LensItem {
            title: format!("{}: {}", words::data(self.cluster(it.cluster).name), self.dated(&it.said)),
            command: Command::Details { cluster: None, object: None },
        });
        let items: Vec<LensItem> = items.take(1).collect();
        let notable = unowned.iter().any(|it| it.said.differs);
        (!items.is_empty()).then(|| Row {
            row: LensRow { range: start_of(placed), items },
            notable,
            tone: Tone::Unknown,
        })
    }

    fn dated(&self, said: &Said) -> String {
        match &said.freshness {
            Some(freshness) => format!("{}, {freshness}", said.phrase),
            None => said.phrase.clone(),
        }
    }

    fn row_of_manifest(&self, path: &RepoPath, placed: &Placed, applied: &[Applied<'_>]) -> Option<Row> {
        let said: Vec<(&Standing, Said)> = applied.iter().map(|it| (&it.by, it.said.clone())).collect();
        let tone = said.iter().map(|(_, said)| said.tone).max()?;
        let stand = Stand { path, placed, standings: Vec::new() };
        let items = match said.as_slice() {
            [(by, said)] => {
                let phrase = applied.first().map_or_else(String::new, |it| it.named.clone());
                self.items_of_one(&stand, by, &Said { phrase, ..said.clone() })
            }
            many => self.items_of_many(many),
        };
        let notable = said.iter().any(|(_, said)| said.differs || said.tone == Tone::Unwell);
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
        let page = self.page_of_plain(path, file, placed)?;
        Some(Hover { range, markdown: self.markdown(&page) })
    }

    /// What is known of a document that is no Flux object: by the clusters, else by what was reported.
    pub(crate) fn page_of_plain(&self, path: &RepoPath, file: &ParsedFile, placed: &Placed) -> Option<Page> {
        self.page_of_manifest(path, file, placed)
            .or_else(|| self.page_of_unapplied(path, placed))
            .or_else(|| self.page_of_reported(path, file, placed))
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
        let mut page = Page::default();
        if applied.is_empty() {
            for unowned in self.unowned(path, nth, placed) {
                page.extend(self.page_of_unowned(&unowned));
            }
            return (!page.is_empty()).then_some(page);
        }
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
            page.line(spans![d self.dated(&it.said)]);
            if let (Some(journey), Some(verdict)) = (&it.journey, self.verdict(it.by.cluster, &it.by.object))
            {
                self.say_journey(&mut page, it.by.cluster, journey, &verdict);
                self.say_commits(&mut page, journey, self.commits_since(journey, it.paths(path)));
            }
            if let Some(own) = &it.own {
                self.say_own(&mut page, &it.by, own);
            }
            page.item(spans![w "applied by ", d it.by.object, w ": ", w match (it.by.strength, it.by.patch) {
                (Strength::Expected, _) => "its build makes this object, its inventory does not hold it",
                (_, true) => "its build patches the object with this document, and its inventory holds the object",
                (_, false) => "its build makes the object from this document, and its inventory holds it",
            }]);
            if let Some((object, rivals)) = &it.rivals {
                let owner = it.own.as_ref().and_then(Own::owner);
                self.say_rivals(&mut page, it.by.cluster, (object, rivals), owner);
            }
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
pub(crate) fn name_of(id: &Id) -> String {
    match &id.namespace {
        Some(namespace) if !manifests::kustomize::is_cluster_scoped(&id.group, &id.kind) => {
            format!("{}/{namespace}/{}", id.kind, id.name)
        }
        _ => format!("{}/{}", id.kind, id.name),
    }
}
