//! Charts that a commit changed: no Kustomization applies their files, HelmReleases take them (`packaged.rs`).

use flux::{Overlay, Revision, Verdict};
use manifests::RepoPath;
use std::collections::BTreeSet;

use super::standing::{Found, failure_words, replaced};
use super::whole::Whole;
use super::{Gate, Outcome, Question, Step};
use crate::charts::ChartUse;
use crate::compare::Compared;
use crate::inputs::Proof;
use crate::journey::{Followed, Point, Stage, Told, Why, is_well};
use crate::versions::Version;
use crate::view::View;
use crate::words;

/// `chart charts/web of HelmRelease/flux-system/web`
fn title(chart: &ChartUse) -> String {
    words::data(&format!("chart {} of {}", chart.key.folder.as_str(), chart.release.id))
}

impl View<'_> {
    /// Adds the charts of one cluster that the commit changed.
    pub(super) fn pass_charts(
        &self,
        cluster: usize,
        question: &Question,
        is_here: bool,
        gate: &mut Gate,
        read: &mut BTreeSet<RepoPath>,
    ) {
        let view = self.cluster(cluster);
        let name = words::data(view.name);
        let rev = Version::of(&question.commit);
        for chart in self.charts_of(cluster) {
            let now = self.chart_text(&chart.key, &rev);
            let before = question.before.as_ref().map(|it| self.chart_text(&chart.key, &Version::of(it)));
            let texts: Vec<_> = now.iter().chain(before.iter().flatten()).collect();
            let is_of_it = |path: &&RepoPath| {
                texts.iter().any(|it| it.has(path)) && self.inputs.settings.maps(path, view)
            };
            let files: Vec<&RepoPath> = question.files.iter().filter(is_of_it).collect();
            let object = title(chart);
            if question.files.contains(&chart.key.folder) {
                read.insert(chart.key.folder.clone());
                gate.unknown.push(format!("{name}: {object} is a package, whose text is not read"));
                continue;
            }
            let Some(file) = files.first() else { continue };
            read.extend(files.iter().map(|it| (*it).clone()));
            if now.is_none() || before.as_ref().is_some_and(Option::is_none) {
                gate.unknown.push(format!("{name}: {object}: not all files of the commit are here"));
                continue;
            }
            // What differs in comments only is what it was.
            if let Some(before) = &question.before
                && self.compared_charts(chart, &Version::of(before), &rev) == Compared::Same
            {
                continue;
            }
            let found = match self.verdict(cluster, &chart.release.id).filter(|_| is_here) {
                Some(verdict) => self.chart_found(cluster, chart, &verdict, &question.commit),
                None => Found::waiting(Step::Silent, self.freshness(self.proof(cluster)).unwrap_or_default()),
            };
            gate.gated.push(found.of(name.clone(), &chart.release.id, object, (*file).clone()));
        }
    }

    /// Adds the charts of one cluster that are not live as HEAD has them. What a release of them says itself is told with it.
    pub(super) fn whole_charts(&self, cluster: usize, commit: &str, whole: &mut Whole) {
        let rev = Version::of(commit);
        for chart in self.charts_of(cluster) {
            let file = chart.key.chart_file();
            whole.witnesses.extend(chart.chart.iter().map(|it| it.id.clone()));
            whole.witnesses.insert(chart.release.id.clone());
            if !self.inputs.settings.maps(&file, self.cluster(cluster)) {
                continue;
            }
            let Some(verdict) = self.verdict(cluster, &chart.release.id) else { continue };
            if self.chart_text(&chart.key, &rev).is_none() {
                match self.point(&Revision::new(commit)) {
                    Err(Why::Pending) => whole.silent.push("history is being asked".to_owned()),
                    _ => {
                        whole.unknown.push(format!("{}: not all files of the commit are here", title(chart)))
                    }
                }
                continue;
            }
            // What HEAD does not have, or has as a package.
            if self.chart_version(&chart.key, &rev).is_none() {
                continue;
            }
            let found = self.chart_found(cluster, chart, &verdict, commit);
            match (found.outcome, found.step) {
                (Outcome::Live, _) | (Outcome::Waiting, Step::Applied) => {}
                (Outcome::Untold, Step::Unknown) => {
                    whole.unknown.push(format!("{}: {}", title(chart), found.text));
                }
                _ => {
                    let name = words::data(self.cluster(cluster).name);
                    whole.found.push(found.of(name, &chart.release.id, title(chart), file));
                }
            }
        }
    }

    /// How far a chart of the commit has come.
    fn chart_found(&self, cluster: usize, chart: &ChartUse, verdict: &Verdict, commit: &str) -> Found {
        let way = self.way_from(&chart.source);
        let told = self.told_of_chart(chart, &way, verdict);
        let rev = Version::of(commit);
        let now = Point::of(rev.clone());
        let followed = Followed::Chart(chart);
        let mut stage = Stage::Committed;
        let mut unknown: Option<Why> = None;
        for Told { stage: at, revision, points } in &told {
            let points = match points {
                Ok(points) => points,
                Err(why) => {
                    unknown.get_or_insert_with(|| why.clone());
                    continue;
                }
            };
            match self.same_at_all(&followed, &now, &points.likely) {
                Compared::Same if *at == Stage::Applied => {
                    if self.same_at_all(&followed, &now, &points.all) != Compared::Same {
                        let why = Why::NoCommit(revision.clone());
                        return Found::untold(Step::Unknown, self.why_words(&why));
                    }
                    return self.chart_applied(cluster, verdict);
                }
                Compared::Same => {
                    stage = *at;
                    break;
                }
                Compared::Different(_) => {
                    let is_same = |base| self.compared_charts(chart, &rev, &base) == Compared::Same;
                    let is_newer = |it: &Point| self.has_newer(it.files.commit(), commit, is_same);
                    if points.likely.iter().all(is_newer) {
                        return replaced(revision);
                    }
                }
                Compared::Unknown => {
                    unknown.get_or_insert(Why::NoCommit(revision.clone()));
                }
            }
        }
        if let Some(untaken) = self.untaken(chart, stage, &told, &rev).filter(|_| stage >= Stage::Fetched) {
            let version = words::data(&untaken.version);
            return Found::untold(
                Step::NotTaken,
                format!("not taken: Chart.yaml is still {version} (ChartVersion)"),
            );
        }
        let packaged = told.iter().find(|it| it.stage == Stage::Packaged).map(|it| &it.revision);
        if stage == Stage::Packaged
            && let Some(packaged) = packaged
        {
            let at = words::data(&packaged.to_string());
            if verdict.state.last().is_failure() && verdict.failed_at.as_ref() == Some(packaged) {
                return Found::failed(&verdict.id, failure_words(verdict, packaged));
            }
            let trouble = self.trouble_of(cluster, verdict).map(|it| format!(", {it}")).unwrap_or_default();
            return Found::waiting(Step::Packaged, format!("packaged {at}, not applied yet{trouble}"));
        }
        if stage < Stage::Fetched
            && let Some((_, tip)) = &way.tip
        {
            let there = self.compared_charts(chart, &rev, &Version::of(&tip.commit));
            if there == Compared::Same || self.has(&tip.commit, commit) == Some(true) {
                stage = Stage::Pushed;
            }
        }
        if stage == Stage::Fetched
            && let Some(why @ Why::NoCommit(_)) = &unknown
        {
            return Found::untold(Step::Unknown, self.why_words(why));
        }
        let trouble = || self.trouble_of(cluster, verdict);
        self.waits_at(stage, &way, verdict.applied.as_ref(), trouble, unknown.as_ref())
    }

    fn chart_applied(&self, cluster: usize, verdict: &Verdict) -> Found {
        let Some(applied) = &verdict.applied else {
            return Found::untold(Step::Unknown, "no version is told");
        };
        let at = words::data(&applied.to_string());
        let has_acted = !verdict.overlays.iter().any(|it| matches!(it, Overlay::SpecNotApplied { .. }));
        if !is_well(verdict, applied) || !has_acted {
            let trouble = self.trouble_of(cluster, verdict).unwrap_or_else(|| "not finished yet".to_owned());
            return Found::waiting(Step::Applied, format!("applied {at}, {trouble}"));
        }
        let recorded = matches!(self.proof(cluster), Proof::Recorded { .. });
        let seen = self.freshness(self.proof(cluster)).filter(|_| recorded);
        Found::live(seen.map_or_else(|| format!("live {at}"), |seen| format!("live {at}, {seen}")))
    }
}
