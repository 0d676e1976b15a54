//! From which commit a chart was packaged.
//!
//! With `reconcileStrategy: Revision` the version tells: `1.2.0+450796ddb2ab` ends in twelve digits of the commit (and
//! `.3`, the HelmChart's generation, where it has `valuesFiles`).
//! With `ChartVersion`, the default, nothing does: source-controller (1.9, `localChartBuilder.Build`) takes what it has in
//! store as long as name and version are the same, and `status.observedSourceArtifactRevision` goes on with every revision
//! all the same. What can be told: the commits of that revision's history that have this version. Those that were committed
//! later were not there yet, and what was packaged after the source stored what it has now is most likely that: times are
//! enough to say that a text is not taken, never for ✓. Where no commit was there in time, history was written anew.
//!
//! Written by the real controllers (source 1.9.3, helm 1.6.4), as `tests/e2e/tests/live/charts.rs` prints it, the chart's
//! folder changed and its version not, then raised:
//!
//! ```text
//!                        HelmChart: artifact.revision, of   observedSource…  HelmRelease: history[0], lastAttemptedRevision
//! ChartVersion installed 1.0.0               19:26:08       7987fd5536e2…    v1 1.0.0
//!              changed   1.0.0               19:26:08       489f66a24bf0…    v1 1.0.0
//!              raised    1.0.1               19:26:12       68c929aa04fc…    v2 1.0.1
//! Revision     installed 1.0.0+7987fd5536e2  19:26:08       7987fd5536e2…    v1 1.0.0+7987fd5536e2
//!              changed   1.0.0+489f66a24bf0  19:26:10       489f66a24bf0…    v2 1.0.0+489f66a24bf0
//!              raised    1.0.0+68c929aa04fc  19:26:12       68c929aa04fc…    v3 1.0.0+68c929aa04fc (another chart's version)
//! ```

use flux::{Object, Revision, RevisionParts, Verdict};
use jiff::{SignedDuration, Timestamp};

use crate::charts::ChartUse;
use crate::compare::Compared;
use crate::journey::{Followed, Journey, Point, Points, Reach, Stage, Told, Untaken, Why, is_well};
use crate::past::{Answer, Log};
use crate::versions::Version;
use crate::view::View;
use crate::way::Way;
use std::sync::Arc;

/// What is pushed at once may be packaged before it was committed, by so much as clocks differ.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// The version as `Chart.yaml` has it.
fn base(version: &str) -> &str {
    version.split_once('+').map_or(version, |(base, _)| base).trim_start_matches('v')
}

/// The digits of a commit that a chart's version ends in.
fn digits(revision: &Revision) -> Option<&str> {
    let RevisionParts::Chart { meta: Some(meta), .. } = revision.parts() else { return None };
    let digits = meta.split('.').next()?;
    (digits.len() == 12 && digits.bytes().all(|it| it.is_ascii_hexdigit())).then_some(digits)
}

/// When the chart that runs was deployed at the latest, and whether that was as it was packaged then: a rollback deploys what
/// Helm kept of an earlier release.
fn deployed(release: &Object, version: &Revision) -> (Option<Timestamp>, bool) {
    let releases = &release.status.releases;
    let Some(at) = releases.iter().position(|it| &*it.status == "deployed") else { return (None, false) };
    let (last, before) = (releases.get(at), releases.get(at + 1));
    let action = last.and_then(|it| it.action.as_deref());
    // Before Flux 2.8 the action is not told.
    let is_rollback = match action {
        Some(action) => action == "rollback",
        None => before.is_some_and(|it| &*it.status == "failed"),
    };
    if !is_rollback {
        return (last.and_then(|it| it.last_deployed), true);
    }
    let same =
        releases.iter().filter(|it| it.chart_version.as_ref() == Some(version) && &*it.status != "failed");
    (same.filter_map(|it| it.last_deployed).min(), false)
}

impl View<'_> {
    /// How far the chart that a HelmRelease takes from this repository has come.
    pub(crate) fn chart_journey(&self, cluster: usize, chart: &ChartUse) -> Option<Arc<Journey>> {
        let key = (cluster, chart.release.id.clone());
        if let Some(known) = self.chart_journeys.borrow().get(&key) {
            return known.clone();
        }
        let journey = self.chart_journey_anew(cluster, chart).map(Arc::new);
        self.chart_journeys.borrow_mut().insert(key, journey.clone());
        journey
    }

    fn chart_journey_anew(&self, cluster: usize, chart: &ChartUse) -> Option<Journey> {
        let way = self.way_from(&chart.source);
        let verdict = self.verdict(cluster, &chart.release.id)?;
        let told = self.told_of_chart(chart, &way, &verdict);
        let applied = verdict.applied.clone();
        let is_well = applied.as_ref().is_some_and(|it| is_well(&verdict, it));
        let followed = Followed::Chart(chart);
        let mut journey = self.travel(&followed, &way, &told, applied, is_well);
        journey.packaged = told.iter().find(|it| it.stage == Stage::Packaged).map(|it| it.revision.clone());
        if let Reach::At(stage) = journey.reach {
            journey.untaken = self.untaken(chart, stage, &told, &Version::Buffer);
        }
        Some(journey)
    }

    /// What a cluster is told to have of a chart, the furthest first.
    pub(crate) fn told_of_chart(&self, chart: &ChartUse, way: &Way, verdict: &Verdict) -> Vec<Told> {
        let applied = &verdict.applied;
        let artifact = chart.chart.as_ref().and_then(|it| it.status.artifact.as_ref());
        let packaged = artifact.map(|it| (it.revision.clone(), self.packaged_from(chart, &it.revision)));
        let mut told = Vec::new();
        if let Some(applied) = applied {
            let (deployed, is_new) = deployed(&chart.release, applied);
            // What was deployed before it was packaged was another package, although of the same version.
            let of_this = is_new
                && artifact.is_some_and(|it| {
                    it.revision == *applied
                        && it.updated.zip(deployed).is_some_and(|(made, used)| used >= made)
                });
            let points = match &packaged {
                Some((_, points)) if of_this => points.clone(),
                _ => self.made_from(chart, applied, deployed),
            };
            told.push(Told { stage: Stage::Applied, revision: applied.clone(), points });
        }
        if let Some((revision, points)) = &packaged {
            told.push(Told { stage: Stage::Packaged, revision: revision.clone(), points: points.clone() });
        }
        if let Some(fetched) = way.hops.first().and_then(|it| it.revision.clone()) {
            let points = self.point(&fetched).map(|it| Points::one(Point::of(it)));
            told.push(Told { stage: Stage::Fetched, revision: fetched, points });
        }
        told
    }

    /// Whether Flux will pass over the text: its version is the one of what was taken before, and what was taken is another
    /// text. helm-controller (1.6, `VerifyRelease`) looks at name and version as well, so that a chart which was packaged again
    /// under its version is not taken either.
    pub(crate) fn untaken(
        &self,
        chart: &ChartUse,
        stage: Stage,
        known: &[Told],
        now: &Version,
    ) -> Option<Untaken> {
        let at = |stage: Stage| known.iter().find(|it| it.stage == stage).map(|it| &it.revision);
        let passes_over = match stage {
            Stage::Packaged if at(Stage::Packaged) == at(Stage::Applied) => Stage::Applied,
            stage if stage < Stage::Packaged => Stage::Packaged,
            _ => return None,
        };
        let taken = known.iter().find(|it| it.stage == passes_over).filter(|_| chart.by_version)?;
        let version = self.chart_version(&chart.key, now)?;
        if base(&version) != base(taken.revision.as_str()) {
            return None;
        }
        let points = taken.points.as_ref().ok()?;
        match self.same_at_all(&Followed::Chart(chart), &Point::of(now.clone()), &points.likely) {
            Compared::Different(differs) => Some(Untaken { version, differs }),
            Compared::Same | Compared::Unknown => None,
        }
    }

    /// The commits that a package of this version may be of: the one in store, if that is it.
    pub(crate) fn chart_at(&self, chart: &ChartUse, version: &Revision) -> Result<Points, Why> {
        let stored = chart.chart.as_ref().and_then(|it| it.status.artifact.as_ref());
        if stored.is_some_and(|it| it.revision == *version) {
            self.packaged_from(chart, version)
        } else {
            self.made_from(chart, version, None)
        }
    }

    /// The commits that the package may be of that is in store.
    fn packaged_from(&self, chart: &ChartUse, revision: &Revision) -> Result<Points, Why> {
        let packaged = chart.chart.as_ref().ok_or(Why::NotTold)?;
        let made = packaged.status.artifact.as_ref().and_then(|it| it.updated);
        let points = self.made_from(chart, revision, made);
        if digits(revision).is_some() || matches!(points, Err(Why::Pending)) {
            return points;
        }
        let stored = chart.source.status.artifact.as_ref();
        let stored = stored.filter(|it| packaged.status.observed_source.as_ref() == Some(&it.revision));
        // Times are of whole seconds: within one, it may have been either. One that was being packaged while the source stored
        // the next has a later time too: so this is likely, and no proof.
        let after = stored.filter(|it| made.zip(it.updated).is_some_and(|(made, stored)| made > stored));
        let Some(version) = after.and_then(|it| self.point(&it.revision).ok()) else { return points };
        if self.chart_version(&chart.key, &version).as_deref().map(base) != Some(base(revision.as_str())) {
            return points;
        }
        Ok(Points { likely: vec![Point::of(version)], all: points.map(|it| it.all).unwrap_or_default() })
    }

    /// The commits that a package of this version, made by that time, may be of.
    pub(crate) fn made_from(
        &self,
        chart: &ChartUse,
        revision: &Revision,
        by: Option<Timestamp>,
    ) -> Result<Points, Why> {
        if let Some(digits) = digits(revision) {
            return self.named_by(chart, revision, digits).map(|it| Points::one(Point::of(it)));
        }
        let observed = chart.chart.as_ref().and_then(|it| it.status.observed_source.as_ref());
        let stored = || chart.source.status.artifact.as_ref().map(|it| &it.revision);
        let newest = observed.or_else(stored).ok_or(Why::NotTold)?;
        let Version::Commit(to) = self.point(newest)? else { return Err(Why::NotTold) };
        let text = self
            .chart_text(&chart.key, &Version::Commit(Arc::clone(&to)))
            .ok_or_else(|| Why::NotInThisClone(newest.clone(), None))?;
        let mut paths = vec![chart.key.folder.clone()];
        paths.extend(text.folders.iter().chain(&*chart.key.values).cloned());
        let question = Log { to: to.to_string(), paths };
        let Some(log) = self.inputs.past.log(&question) else {
            self.lack(|lacks| lacks.logs.insert(question));
            return Err(Why::Pending);
        };
        // All at once: each would be a question of its own.
        for commit in &log.commits {
            self.commit(&commit.hash);
        }
        let wanted = base(revision.as_str());
        // By the cluster's own clock: what the source has now was stored behind it.
        let is_earlier = chart.source.status.artifact.as_ref().is_some_and(|it| {
            it.revision == *newest && by.zip(it.updated).is_some_and(|(by, stored)| by < stored)
        });
        let Some(by) = by else { return Err(Why::NoCommit(revision.clone())) };
        let (mut all, mut likely, mut ended) = (Vec::new(), Vec::new(), log.whole);
        let mut at_once = Vec::new();
        // All of them: branches lie side by side in a log, and a version may come back.
        for (nth, commit) in log.commits.iter().enumerate() {
            let version = self.point(&Revision::new(&commit.hash))?;
            let has = self.chart_version(&chart.key, &version);
            if self.is_incomplete(&version) {
                return Err(Why::NotInThisClone(revision.clone(), None));
            }
            if has.as_deref().map(base) == Some(wanted) {
                if is_earlier && *commit.hash == *to {
                    // Stored behind it, by the cluster's own clock.
                } else if commit.time <= by {
                    likely.push(Point::of(version.clone()));
                } else if commit.time <= by + SKEW {
                    at_once.push(Point::of(version.clone()));
                }
                all.push(Point::of(version));
            } else {
                ended |= nth + 1 == log.commits.len();
            }
        }
        if all.is_empty() || !ended {
            return Err(Why::NoCommit(revision.clone()));
        }
        if likely.is_empty() {
            likely = at_once;
        }
        // None of them was there: what was packaged is not in this history any more.
        match likely.is_empty() {
            true => Err(Why::NoCommit(revision.clone())),
            false => Ok(Points { all, likely }),
        }
    }

    /// The commit with these first digits.
    fn named_by(&self, chart: &ChartUse, revision: &Revision, digits: &str) -> Result<Version, Why> {
        let known = [
            chart.source.status.artifact.as_ref().map(|it| &it.revision),
            chart.chart.as_ref().and_then(|it| it.status.observed_source.as_ref()),
        ];
        let known =
            known.into_iter().flatten().find(|it| it.commit().is_some_and(|it| it.starts_with(digits)));
        if let Some(known) = known {
            return self.point(known);
        }
        match self.commit(digits) {
            Some(Answer::Known(_)) => Ok(Version::of(digits)),
            Some(Answer::NotInThisClone(bring)) => Err(Why::NotInThisClone(revision.clone(), bring.clone())),
            None => Err(Why::Pending),
        }
    }
}
