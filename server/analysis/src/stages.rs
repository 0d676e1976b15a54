//! The words for how far a text has come, and for what it waits (design 6).

use flux::{ObjectId, State, Verdict};
use jiff::Timestamp;
use manifests::RepoPath;
use manifests::kustomize::Files;

use crate::inventory::substituted_from;
use crate::journey::{Journey, Reach, Stage, Why};
use crate::page::{Page, Span, spans};
use crate::past::{Between, LogEnd, Touched};
use crate::view::View;
use crate::way::Follows;
use crate::words;

impl View<'_> {
    /// What keeps a text from being live: `unsaved, on feature-x; follows main`. `None` once it is applied, and where it cannot
    /// be told.
    pub(crate) fn stage_words(&self, journey: &Journey) -> Option<String> {
        let stage = match &journey.reach {
            Reach::At(stage) => *stage,
            Reach::Older(stage) => return Some(self.older_words(journey, *stage)),
            // What is applied was compared, and is another text.
            Reach::Unknown(Why::NotInThisClone(revision, _))
                if journey.applied.as_ref() != Some(revision) =>
            {
                return Some(format!(
                    "{}, which is fetched, is not in this clone",
                    words::data(&revision.to_string())
                ));
            }
            Reach::Unknown(_) => return self.local_words(journey),
        };
        // In what is fetched and left there: that it is, no poll will change.
        if let (Stage::Fetched | Stage::Packaged, Some(untaken)) = (stage, untaken_words(journey)) {
            return Some(format!("not taken · {untaken}"));
        }
        let words = match stage {
            Stage::Edited | Stage::Saved | Stage::Committed => {
                let since = journey.applied.as_ref().map(|it| format!(" {}", words::data(&it.to_string())));
                let changed = || format!("changed since{}", since.unwrap_or_default());
                self.local_words(journey).unwrap_or_else(changed)
            }
            Stage::Pushed => self.pushed_words(journey),
            Stage::Fetched => self.fetched_words(journey),
            Stage::Packaged => {
                let packaged =
                    journey.packaged.as_ref().map(|it| format!(" {}", words::data(&it.to_string())));
                format!("packaged{}, not applied yet", packaged.unwrap_or_default())
            }
            Stage::Applied | Stage::Healthy => return None,
        };
        Some(match untaken_words(journey) {
            Some(untaken) => format!("{words}; {untaken}"),
            None => words,
        })
    }

    /// `unsaved, on feature-x; follows main`
    fn local_words(&self, journey: &Journey) -> Option<String> {
        if journey.at_least {
            return None;
        }
        let has_git = self.inputs.repo.refs.head.is_some();
        let mut words = match (journey.here, &journey.elsewhere) {
            (Stage::Edited, _) => "unsaved".to_owned(),
            (Stage::Saved, _) if has_git => "saved, not committed".to_owned(),
            (Stage::Committed, Some(branch)) => format!("pushed to {}", words::data(branch)),
            (Stage::Committed, None) if journey.way.tip.is_some() => "committed, not pushed".to_owned(),
            (Stage::Committed, None) => "committed".to_owned(),
            _ => return None,
        };
        let branch = self.inputs.repo.refs.head.as_ref().and_then(|it| it.branch.as_deref());
        let is_other = branch.is_some() && branch != journey.way.follows.branch();
        if let Some(branch) = branch.filter(|it| is_other && journey.elsewhere.as_deref() != Some(*it)) {
            words.push_str(&format!(", on {}", words::data(branch)));
        }
        let follows = journey.way.follows.words();
        if let Some(follows) = follows.filter(|_| is_other || branch.is_none()) {
            words.push_str(&format!("; follows {}", words::data(&follows)));
        }
        Some(words)
    }

    fn older_words(&self, journey: &Journey, stage: Stage) -> String {
        let tip = journey.way.tip.as_ref();
        match (stage, tip) {
            (Stage::Applied, _) => {
                let applied = journey.applied.as_ref().map(|it| words::data(&it.to_string()));
                format!("older than {}, which is applied", applied.unwrap_or_default())
            }
            (Stage::Fetched, _) => {
                let fetched = journey.way.hops.first().and_then(|it| it.revision.as_ref());
                let fetched = fetched.map(|it| words::data(&it.to_string()));
                format!("older than {}, which is fetched", fetched.unwrap_or_default())
            }
            (_, Some((remote, tip))) => {
                let branch = journey.way.follows.branch().unwrap_or_default();
                let commit = tip.commit.get(..7).unwrap_or(&tip.commit);
                format!("older than {}/{}@{commit}", words::data(remote), words::data(branch))
            }
            (_, None) => "older than what is pushed".to_owned(),
        }
    }

    /// What is pushed waits for the next poll, or for whoever makes the artifact, or for nothing that comes by itself.
    fn pushed_words(&self, journey: &Journey) -> String {
        let way = &journey.way;
        let Some(first) = way.hops.first() else { return "pushed".to_owned() };
        let name = words::data(&first.source.id.name);
        if first.source.spec.suspend {
            return format!("pushed, {name} is suspended");
        }
        if first.source.ready().is_some_and(|it| it.status == flux::Truth::False) {
            return format!("pushed, {name} cannot be fetched");
        }
        match (&way.follows, self.next_poll(way)) {
            (Follows::Artifact { by, .. }, _) => format!("pushed, not in artifact {}", words::data(by)),
            (_, Some(by)) if by > self.inputs.now => {
                self.recheck_at(Some(by));
                format!("pushed, next poll by {}", self.clock(by))
            }
            (_, Some(by)) => format!("pushed, not fetched, poll was due by {}", self.clock(by)),
            (_, None) => "pushed, not fetched yet".to_owned(),
        }
    }

    fn fetched_words(&self, journey: &Journey) -> String {
        let hops = &journey.way.hops;
        let fetched = hops.first().and_then(|it| it.revision.as_ref()).map(|it| words::data(&it.to_string()));
        let fetched = fetched.unwrap_or_default();
        match hops.as_slice() {
            // The artifact of a generator may be made of what was fetched before.
            [first, last] if first.revision != last.revision => {
                format!("fetched {fetched}, not in {} yet", words::data(&last.source.id.name))
            }
            _ => format!("fetched {fetched}, not applied yet"),
        }
    }

    /// Until when the health check may take that runs now.
    pub(crate) fn deadline(&self, cluster: usize, verdict: &Verdict) -> Option<Timestamp> {
        let attempt = verdict.attempt.as_ref().filter(|it| it.step.contains("health check"))?;
        let timeout = self.facts(cluster).get(&verdict.id)?.timeout();
        attempt.since?.checked_add(timeout).ok()
    }

    /// What is known besides a text that is applied: `another text is pushed`.
    pub(crate) fn newer_words(&self, journey: &Journey) -> Option<String> {
        Some(match journey.newer? {
            Stage::Fetched => "another text is fetched".to_owned(),
            _ => "another text is pushed".to_owned(),
        })
    }

    /// `14:03` today, else with the day.
    pub(crate) fn clock(&self, at: Timestamp) -> String {
        let (inputs, zone) = (self.inputs, self.inputs.zone);
        if at.to_zoned(zone.clone()).date() == inputs.now.to_zoned(zone.clone()).date() {
            at.to_zoned(zone.clone()).strftime("%H:%M").to_string()
        } else {
            words::day(at, inputs.now, zone)
        }
    }

    /// The journey as one line: `saved → committed → pushed → fetched main@1a2b3c4 10:03 → not applied yet`.
    pub(crate) fn say_journey(&self, page: &mut Page, cluster: usize, journey: &Journey, verdict: &Verdict) {
        self.say_journey_of(page, cluster, journey, verdict, "this text: ");
    }

    /// The same, with what it is the journey of.
    pub(crate) fn say_journey_of(
        &self,
        page: &mut Page,
        cluster: usize,
        journey: &Journey,
        verdict: &Verdict,
        what: &str,
    ) {
        let mut parts = vec![match journey.here {
            Stage::Edited => "edited".to_owned(),
            _ => "saved".to_owned(),
        }];
        let head = self.inputs.repo.refs.head.as_ref();
        let reached = match journey.reach {
            Reach::At(stage) => stage,
            Reach::Older(_) | Reach::Unknown(_) => journey.here,
        };
        let passed = |stage: Stage| reached >= stage || journey.here >= stage;
        if passed(Stage::Committed)
            && let Some(head) = head
        {
            let branch = head.branch.as_ref().map(|it| format!(" on {}", words::data(it)));
            parts.push(format!("committed{}", branch.unwrap_or_default()));
        }
        if passed(Stage::Pushed) {
            let moved = journey.way.tip.as_ref().and_then(|(_, tip)| tip.moved);
            let at = moved.filter(|_| journey.here == Stage::Pushed);
            parts.push(format!("pushed{}", self.behind(at)));
        }
        if passed(Stage::Fetched) {
            for hop in &journey.way.hops {
                let revision = hop.revision.as_ref().map(|it| format!(" {}", words::data(&it.to_string())));
                let name = words::data(&hop.source.id.name);
                parts.push(format!("in {name}{}{}", revision.unwrap_or_default(), self.behind(hop.updated)));
            }
        }
        if passed(Stage::Packaged)
            && let Some(packaged) = &journey.packaged
        {
            parts.push(format!("packaged {}", words::data(&packaged.to_string())));
        }
        if passed(Stage::Applied) {
            let applied = journey.applied.as_ref().map(|it| format!(" {}", words::data(&it.to_string())));
            let at = self.applied_at(cluster, verdict);
            parts.push(format!("applied{}{}", applied.unwrap_or_default(), self.behind(at)));
        }
        if reached == Stage::Healthy {
            parts.push(if verdict.health_checked { "healthy" } else { "health not checked" }.to_owned());
        }
        let mut line = spans![w what, d parts.join(" → ")];
        if let Some(waits) = self.stage_words(journey) {
            line.extend(spans![w "; ", d waits]);
        }
        page.item(line);
        if let Some(path) = journey.differs.as_ref().filter(|_| reached < Stage::Applied) {
            page.item(spans![w "what is next has another text: ", d path, w " differs"]);
        }
        if let Some(fetched) =
            self.inputs.repo.refs.fetched.filter(|_| reached < Stage::Fetched && journey.way.tip.is_some())
        {
            page.item(
                spans![w "what is pushed is told as of the last fetch of this clone, ", w self.time(fetched)],
            );
        }
        if reached >= Stage::Applied {
            self.say_not_compared(page, cluster, &verdict.id);
        }
        match &journey.reach {
            Reach::Unknown(why) => self.say_why(page, why),
            Reach::Older(_) => {
                page.item(
                    spans![w "it is what it was before somebody changed it: pull to see the newer text"],
                );
            }
            Reach::At(_) => {}
        }
        if let Some(newer) = self.newer_words(journey) {
            page.item(spans![w newer]);
        }
        if let (Some(tag), Some(follows)) = (&journey.tag, journey.way.follows.words()) {
            let mut line =
                spans![w "its source takes ", d follows, w "; the newest tag in this clone is ", d tag.name];
            match tag.has_it {
                Some(true) => line.extend(spans![w ", which has this text"]),
                Some(false) => line.extend(spans![w ", which has another text"]),
                None => {}
            }
            page.item(line);
        }
    }

    /// The commits behind what is applied that touch any of the files, up to what is checked out; newest first.
    pub(crate) fn commits_since(&self, journey: &Journey, paths: Vec<RepoPath>) -> Option<&Touched> {
        let (Some(applied), Some(head)) = (&journey.applied, &self.inputs.repo.refs.head) else {
            return None;
        };
        let from = applied.commit().filter(|it| *it != head.commit)?;
        self.point(applied).ok()?;
        let question = Between { from: from.to_owned(), to: head.commit.clone(), paths };
        let log = self.inputs.past.between(&question);
        if log.is_none() {
            self.lack(|lacks| lacks.between.insert(question));
        }
        log
    }

    /// The page at the provider that shows what is pushed and not applied.
    fn comparison(&self, journey: &Journey) -> Option<String> {
        let applied = journey.applied.as_ref()?.commit()?;
        let (remote, tip) = journey.way.tip.as_ref()?;
        let differ = applied != tip.commit;
        differ.then(|| self.inputs.repo.remotes.compare(remote, applied, &tip.commit)).flatten()
    }

    pub(crate) fn say_commits(&self, page: &mut Page, journey: &Journey, log: Option<&Touched>) {
        for it in log.iter().flat_map(|it| &it.commits) {
            let hash = it.hash.get(..7).unwrap_or(&it.hash);
            page.item(spans![w "not applied yet: ", d hash, w " ", d it.subject, w ", ", d it.author, w ", ", w self.time(it.time)]);
        }
        match log.map(|it| &it.end) {
            None | Some(LogEnd::Whole) => {}
            Some(LogEnd::More) => page.item(spans![w "not applied yet: older ones as well"]),
            Some(LogEnd::Unseen) => {
                page.item(spans![w "older commits were not looked at, there are too many between"]);
            }
            Some(LogEnd::CutOff(bring)) => {
                let mut line = spans![w "there may be older ones beyond the end of this clone"];
                if let Some(bring) = bring {
                    line.extend(spans![w "; ", d bring, w " brings them"]);
                }
                page.item(line);
            }
            Some(LogEnd::Untold) => page.item(
                spans![w "which commits are not applied yet cannot be told: history could not be read"],
            ),
        }
        if let Some(url) = self.comparison(journey) {
            page.item(vec![Span::Word("pushed and not applied: ".to_owned()), Span::Page(url)]);
        }
    }

    /// Variables whose values are not in this repository: that they are what they were, the texts do not tell.
    fn say_not_compared(&self, page: &mut Page, cluster: usize, kustomization: &ObjectId) {
        let Some((_, delivery)) = self.derived[cluster].binding.deliveries.of(kustomization) else { return };
        // As the builds look for them.
        let near = &delivery.from.key().near;
        let spec = self.live_spec(cluster, kustomization);
        for (kind, name) in substituted_from(&spec) {
            let repo = &self.inputs.repo;
            let is_here =
                kind == "ConfigMap" && repo.index.config_map(&Files::new(repo.tree), name, near).is_some();
            if !is_here {
                page.item(spans![w "values from ", d kind, w " ", d name, w " are not compared"]);
            }
        }
    }

    fn say_why(&self, page: &mut Page, why: &Why) {
        let line = match why {
            Why::NotInThisClone(revision, bring) => {
                let mut line = spans![w "how far it has come in the cluster cannot be told: ", d revision, w " is not in this clone"];
                if let Some(bring) = bring {
                    line.extend(spans![w "; ", d bring, w " brings it"]);
                }
                line
            }
            Why::NoCommit(revision) => {
                spans![w "how far it has come in the cluster cannot be told: which commit ", d revision, w " was made from is not written down"]
            }
            Why::NotTold => return,
            Why::NoRoot => {
                spans![w "how far it has come cannot be told: from which folder its artifact is made is not written down"]
            }
            Why::NotComparable => {
                spans![w "how far it has come cannot be told: part of it is made by variables or a base that are not known here"]
            }
            Why::Pending => spans![w "history is being asked"],
        };
        page.item(line);
    }

    /// When what is applied was applied first.
    fn applied_at(&self, cluster: usize, verdict: &Verdict) -> Option<Timestamp> {
        let live = self.facts(cluster).get(&verdict.id)?;
        let applied = verdict.applied.as_ref()?;
        if let Some(release) =
            live.status.releases.iter().find(|it| it.chart_version.as_ref() == Some(applied))
        {
            return release.last_deployed;
        }
        let entry = live
            .status
            .history
            .iter()
            .find(|it| it.origin_revision.as_ref().or(it.revision.as_ref()) == Some(applied))?;
        entry.first.or(entry.last)
    }

    fn behind(&self, at: Option<Timestamp>) -> String {
        at.map(|it| format!(" {}", self.time(it))).unwrap_or_default()
    }

    /// `checking health until 14:05`, `apps failed main@9f8e7d6`: what keeps an applied text from being live.
    pub(crate) fn trouble_of(&self, cluster: usize, verdict: &Verdict) -> Option<String> {
        let name = words::data(&verdict.id.name);
        Some(match &verdict.state {
            State::Failed { .. } => match &verdict.failed_at {
                Some(at) => format!("{name} failed {}", words::data(&at.to_string())),
                None => format!("{name} failed"),
            },
            State::Unhealthy => format!("{name} is unhealthy"),
            State::Waiting { .. } => format!("{name} waits"),
            State::Suspended { .. } => format!("{name} is suspended"),
            State::Terminating => format!("{name} is being deleted"),
            State::Progressing { .. } => match self.deadline(cluster, verdict) {
                Some(by) => format!("checking health until {}", self.clock(by)),
                None => return None,
            },
            _ => return None,
        })
    }
}

/// Why Flux passes over a chart that is in its source.
pub(crate) fn untaken_words(journey: &Journey) -> Option<String> {
    let untaken = journey.untaken.as_ref()?;
    Some(format!("Chart.yaml is still {} (ChartVersion)", words::data(&untaken.version)))
}
