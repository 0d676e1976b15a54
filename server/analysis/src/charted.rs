//! What is shown of Helm charts: at the files of one that lies in this repository, and at the HelmReleases that take one.

use flux::{Kind, Object, Verdict};
use manifests::{ParsedFile, RepoPath, TextRange, TextSize};
use std::sync::Arc;

use crate::charts::ChartUse;
use crate::findings::Stand;
use crate::inputs::Proof;
use crate::journey::{Journey, Reach, Stage, Why, is_well};
use crate::lenses::Row;
use crate::page::{Page, spans};
use crate::report::{Hover, LensRow};
use crate::stages::untaken_words;
use crate::state::{Said, Sign, Tone};
use crate::versions::Version;
use crate::view::{Standing, Strength, View};
use crate::words;

/// A chart as one HelmRelease takes it.
struct Charted<'a> {
    chart: &'a Arc<ChartUse>,
    by: Standing,
    verdict: Arc<Verdict>,
    said: Said,
}

impl View<'_> {
    fn charted(&self, path: &RepoPath) -> Vec<Charted<'_>> {
        let uses = self.charts_with(path).into_iter();
        uses.filter_map(|(cluster, chart)| {
            let release = &chart.release;
            let remote = release.spec.remote;
            let by = Standing {
                cluster,
                object: release.id.clone(),
                strength: Strength::Matched,
                applier: None,
                live: Some(Arc::clone(release)),
                patch: false,
                remote: remote
                    .then(|| release.spec.kube_config.as_deref().unwrap_or("another cluster").to_owned()),
                made: None,
            };
            let verdict = self.verdict(cluster, &release.id)?;
            let journey = self.chart_journey(cluster, chart)?;
            let said = self.said_of_chart(&by, &verdict, &journey);
            Some(Charted { chart, by, verdict, said })
        })
        .collect()
    }

    fn said_of_chart(&self, by: &Standing, verdict: &Verdict, journey: &Journey) -> Said {
        let proof = self.proof(by.cluster);
        let said = |phrase: String, tone: Tone, differs: bool| Said {
            sign: None,
            phrase,
            tone,
            freshness: self.freshness(proof),
            differs,
        };
        let trouble = self.trouble_of(by.cluster, verdict);
        if let Some((words, tone)) = self.on_its_way(journey, verdict, trouble.as_deref()) {
            return said(words, tone, true);
        }
        let and = trouble.map(|it| format!(", {it}")).unwrap_or_default();
        let Some(applied) = &verdict.applied else {
            return said(format!("not released yet{and}"), Tone::Missing, true);
        };
        let is_live = journey.reach == Reach::At(Stage::Healthy);
        let good = is_live
            && verdict.state == flux::State::Ready
            && verdict
                .overlays
                .iter()
                .all(|it| matches!(it, flux::Overlay::Requested | flux::Overlay::Remote))
            && proof == Proof::Live;
        let mut phrase =
            format!("{} {}", if good { "live" } else { "applied" }, words::data(&applied.to_string()));
        phrase.push_str(match &journey.reach {
            Reach::Unknown(Why::NotInThisClone(..)) => ", not in this clone",
            Reach::Unknown(Why::Pending | Why::NotTold) | Reach::At(_) | Reach::Older(_) => "",
            Reach::Unknown(_) => ", of which text cannot be told",
        });
        for words in [self.newer_words(journey), self.stage_words(journey)].into_iter().flatten() {
            phrase.push_str("; ");
            phrase.push_str(&words);
        }
        let tone = match (Tone::of(&verdict.state), journey.newer) {
            (Tone::Ready, Some(_)) => Tone::Behind,
            (Tone::Ready, None) if !is_live => Tone::Unknown,
            (tone, _) => tone,
        };
        Said { sign: good.then_some(Sign::Good), ..said(format!("{phrase}{and}"), tone, false) }
    }

    /// The row of a file that is part of charts, at its beginning.
    pub(crate) fn row_of_charts(&self, path: &RepoPath) -> Option<Row> {
        let charted = self.charted(path);
        let tone = charted.iter().map(|it| it.said.tone).max()?;
        let file = self.inputs.repo.tree.parsed(path)?;
        let stand = Stand { path, placed: file.documents().first()?, standings: Vec::new() };
        let said: Vec<(&Standing, Said)> = charted.iter().map(|it| (&it.by, it.said.clone())).collect();
        let items = match said.as_slice() {
            [(by, said)] => self.items_of_one(&stand, by, said),
            many => self.items_of_many(many),
        };
        let notable = said.iter().any(|(_, said)| said.differs);
        let range = TextRange::empty(TextSize::default());
        Some(Row { row: LensRow { range, items }, notable, tone })
    }

    /// How far a chart has come, where its files say what they are.
    pub(crate) fn hover_of_charts(&self, path: &RepoPath, offset: TextSize) -> Option<Hover> {
        let uses = self.charts_with(path);
        let (_, chart) = uses.first()?;
        let file = self.inputs.repo.tree.parsed(path)?;
        let range =
            handles(&file, path, &chart.key.values).into_iter().find(|it| it.contains_inclusive(offset));
        let first_line = || {
            let text = self.inputs.repo.tree.read(path)?;
            let end = TextSize::try_from(text.find('\n').unwrap_or(text.len())).ok()?;
            Some(TextRange::new(TextSize::default(), end)).filter(|it| it.contains_inclusive(offset))
        };
        let range = range.or_else(|| first_line().filter(|_| is_template(path)))?;
        let page = self.page_of_charts(path)?;
        Some(Hover { range, markdown: self.markdown(&page) })
    }

    /// Everything about the charts that a file is part of.
    pub(crate) fn page_of_charts(&self, path: &RepoPath) -> Option<Page> {
        let charted = self.charted(path);
        let mut page = Page::default();
        for it in &charted {
            let sign = it.said.sign.map_or("", |_| "✓ ");
            let cluster = it.by.cluster;
            page.heading(spans![w sign, d it.by.object, w " in ", d self.name(&it.by)]);
            let freshness = it.said.freshness.as_ref().map(|it| format!(", {it}")).unwrap_or_default();
            page.line(spans![d it.said.phrase, w freshness]);
            self.say_chart(&mut page, cluster, &it.chart.release, &it.verdict, "this text: ");
            if !it.verdict.state.last().is_ready() && !it.verdict.message.is_empty() {
                page.quote(&it.verdict.message, crate::page::BOUND);
            }
            self.say_contact(&mut page, cluster);
        }
        (!page.is_empty()).then_some(page)
    }

    /// Why a chart that lies in what is fetched is not what a HelmRelease runs, where that is because its version is the same.
    pub(crate) fn untaken_chart(&self, standing: &Standing) -> Option<String> {
        if standing.object.flux_kind() != Some(Kind::HelmRelease) {
            return None;
        }
        let chart = self.chart_of(standing.cluster, &standing.object)?;
        let journey = self.chart_journey(standing.cluster, chart)?;
        let is_there = matches!(journey.reach, Reach::At(Stage::Fetched | Stage::Packaged));
        untaken_words(&journey).filter(|_| is_there)
    }

    /// The chart of a HelmRelease: the version that runs, the one that could, and how far its text has come.
    pub(crate) fn say_chart(
        &self,
        page: &mut Page,
        cluster: usize,
        release: &Object,
        verdict: &Verdict,
        what: &str,
    ) {
        if release.kind != Kind::HelmRelease {
            return;
        }
        let source = self.facts(cluster).source_of(release);
        let spec = source.filter(|it| it.kind == Kind::HelmChart).map_or(&release.spec, |it| &it.spec);
        let ours = self.chart_of(cluster, &release.id);
        let name = spec.chart.as_deref().map_or_else(|| spans![w "chart"], |it| spans![w "chart ", d it]);
        let mut line = name;
        if let Some(source) = source.filter(|it| it.kind == Kind::OCIRepository)
            && let Some(follows) = self.way_from(source).follows.words()
        {
            line.extend(spans![w " by ", d follows]);
        }
        // Of a chart in Git the version is its own.
        let written = spec.chart_version.as_deref().filter(|_| ours.is_none());
        if let Some(written) = written {
            line.extend(spans![w ", written ", d written]);
            if semver::Version::parse(written.trim_start_matches('v')).is_ok() {
                line.extend(spans![w " (no other is taken before somebody writes it)"]);
            }
        }
        match &verdict.applied {
            Some(applied) => line.extend(spans![w ": runs ", d applied]),
            None => line.extend(spans![w ": runs nowhere yet"]),
        }
        if let (Some(source), Some(artifact)) = (source, source.and_then(|it| it.status.artifact.as_ref())) {
            let has = if source.kind == Kind::HelmChart { ", packaged " } else { ", fetched " };
            line.extend(spans![w has, d artifact.revision]);
            if let Some(at) = artifact.updated {
                line.extend(spans![w " ", w self.time(at)]);
            }
        }
        page.item(line);
        if let Some(chart) = ours {
            self.say_own_chart(page, cluster, chart, verdict, what);
        }
    }

    fn say_own_chart(
        &self,
        page: &mut Page,
        cluster: usize,
        chart: &ChartUse,
        verdict: &Verdict,
        what: &str,
    ) {
        let Some(journey) = self.chart_journey(cluster, chart) else { return };
        self.say_journey_of(page, cluster, &journey, verdict, what);
        let text = self.chart_text(&chart.key, &Version::Buffer);
        if let Some(untaken) = &journey.untaken {
            let mut line = spans![w "not taken: version ", d untaken.version, w " is unchanged"];
            if let Some(path) = &untaken.differs {
                line.extend(spans![w " though ", d path, w " is not what was packaged under it"]);
            }
            line.extend(spans![
                w " (reconcileStrategy ChartVersion); raise `version` in ", d chart.key.chart_file()
            ]);
            page.item(line);
        } else if journey.reach == Reach::At(Stage::Applied)
            && verdict.applied.as_ref().is_some_and(|it| is_well(verdict, it))
        {
            page.item(spans![
                w "that this text runs is told by clocks alone: another one has the same version"
            ]);
        } else if chart.by_version && matches!(journey.reach, Reach::Unknown(Why::NoCommit(_))) {
            page.item(spans![
                w "which of the texts of this version was packaged is written down nowhere (reconcileStrategy ChartVersion); \
                   another `version` in ", d chart.key.chart_file(), w " is taken for certain"
            ]);
        }
        for name in text.iter().flat_map(|it| &it.elsewhere) {
            page.item(spans![w "dependency ", d name, w " is not in this repository and not compared"]);
        }
    }
}

fn is_template(path: &RepoPath) -> bool {
    let is_yaml = path.file_name().ends_with(".yaml") || path.file_name().ends_with(".yml");
    !is_yaml || path.parts().any(|it| it == "templates")
}

/// Where a file of a chart says what it is: `name` and `version` of a `Chart.yaml`, the first key of values, kind and name in
/// a template.
fn handles(file: &ParsedFile, path: &RepoPath, values: &[RepoPath]) -> Vec<TextRange> {
    let mut found = Vec::new();
    for placed in file.documents() {
        let entries = placed.document.root.as_ref().and_then(|it| it.as_mapping()).unwrap_or_default();
        match path.file_name() {
            "Chart.yaml" => {
                let named = entries.iter().filter(|it| it.is("name") || it.is("version"));
                found.extend(named.map(|it| placed.in_file(it.key.range.cover(it.value.range))));
            }
            name if name == "values.yaml" || values.contains(path) => {
                found.extend(entries.first().map(|it| placed.in_file(it.key.range)));
            }
            _ => {
                let identity = placed.document.identity();
                found.extend(
                    identity
                        .iter()
                        .flat_map(|it| [it.kind_range, it.name_range])
                        .map(|it| placed.in_file(it)),
                );
            }
        }
    }
    found
}
