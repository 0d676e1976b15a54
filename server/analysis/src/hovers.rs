//! Everything about an object, as a [`Page`]: for hovers, details and the terminal.

use flux::{Causes, Kind, Object, ObjectId, Overlay, Revision, Role, State, Verdict};
use jiff::Timestamp;

use crate::earlier::{Pushed, Text};
use crate::findings::Stand;
use crate::inputs::{Contact, Proof, Right};
use crate::journey::Reach;
use crate::page::{BOUND, Page, Span, spans};
use crate::past::Answer;
use crate::state::{Sign, done};
use crate::view::{Absent, Standing, Strength, View};
use crate::words;

/// How many objects of one document are told in full; of more the failing ones come first.
const IN_FULL: usize = 3;

impl View<'_> {
    /// Everything about a document.
    pub(crate) fn page_of(&self, stand: &Stand<'_>, bound: usize) -> Page {
        let mut page = Page::default();
        let mut order: Vec<usize> = (0..stand.standings.len()).collect();
        let trouble = |at: &usize| {
            stand.standings.get(*at).and_then(|(standing, text)| Some(self.said(standing, *text)?.tone))
        };
        order.sort_by_key(|at| std::cmp::Reverse(trouble(at)));
        for (nth, at) in order.iter().enumerate() {
            let Some((standing, text)) = stand.standings.get(*at) else { continue };
            if nth < IN_FULL {
                page.extend(self.page_of_standing(standing, *text, bound));
            } else if let Some(said) = self.said(standing, *text) {
                page.item(spans![d self.name(standing), w ": ", d said.phrase]);
            }
        }
        if stand.standings.is_empty() {
            page.extend(self.page_of_nothing(stand));
        }
        self.say_reports(&mut page, stand);
        page
    }

    fn page_of_nothing(&self, stand: &Stand<'_>) -> Page {
        let mut page = Page::default();
        let document = &stand.placed.document;
        if let Some((_, identity)) = crate::index::flux_object(document)
            && identity.has_variables()
        {
            page.line(spans![w "Its name holds a variable that Flux replaces; which object that is cannot be told here."]);
        }
        match self.of_nothing(stand) {
            Some(words) => page.line(spans![d words]),
            None if self.inputs.clusters.is_empty() => {
                page.line(spans![w "Flux: not connected. Clusters are switched off here."]);
            }
            None => page.line(spans![w "No connected cluster can tell what applies this file."]),
        }
        for (index, cluster) in self.inputs.clusters.iter().enumerate() {
            if let Contact::Unreachable { why } | Contact::NeedsSignIn { why, .. } = &cluster.contact {
                page.item(spans![d cluster.name, w ": ", d why]);
            }
            self.say_untold(&mut page, index);
            for delivery in &self.derived[index].binding.covered {
                for why in delivery.unknown.iter().take(3) {
                    page.item(spans![d cluster.name, w ": ", d why]);
                }
            }
        }
        page
    }

    /// Everything about an object as one document has it.
    fn page_of_standing(&self, standing: &Standing, text: Text, bound: usize) -> Page {
        let cluster = standing.cluster;
        let mut page = Page::default();
        let sign = self.said(standing, text).and_then(|it| it.sign);
        let name = self.name(standing);
        let verdict = self.verdict(cluster, &standing.object);
        let (Some(live), Some(verdict)) = (&standing.live, verdict) else {
            page.heading(spans![d standing.object, w " in ", d name]);
            if let Some(target) = &standing.remote {
                page.line(spans![w "Its Kustomization applies it on another cluster (", d target, w "). What it is there is not looked up here."]);
            } else {
                page.line(self.absence(standing));
            }
            self.say_binding(&mut page, standing);
            self.say_contact(&mut page, cluster);
            return page;
        };
        page.heading(self.heading(sign, &standing.object, &name, &verdict.state));
        self.say_state(&mut page, cluster, live, &verdict, bound);
        let applier = standing.applier.as_ref().and_then(|it| self.verdict(cluster, &it.id));
        let journey = self.journey_of(standing).zip(applier);
        if let Some((journey, applier)) = &journey {
            self.say_journey(&mut page, cluster, journey, applier);
        }
        if journey.is_none_or(|(it, _)| matches!(it.reach, Reach::Unknown(_))) {
            match text {
                Text::Same => page.item(spans![w "this text is what the cluster has"]),
                Text::Changed(pushed) => page.item(spans![w "this text was changed since", w match pushed {
                    Pushed::Yes => ", and is pushed",
                    Pushed::No => ", and is not pushed",
                    Pushed::Unknown => "",
                }]),
                Text::Differs => page.item(
                    spans![w "the live spec differs from this text (edited since, or patched on its way)"],
                ),
                Text::Unknown => {}
            }
        }
        self.say_chart(&mut page, cluster, live, &verdict, "its chart here: ");
        self.say_links(&mut page, cluster, live);
        self.say_history(&mut page, live);
        self.say_binding(&mut page, standing);
        self.say_rights(&mut page, standing, live);
        self.say_contact(&mut page, cluster);
        page
    }

    /// An object that another one refers to, or that is asked for by name.
    pub(crate) fn page_of_object(&self, cluster: usize, object: &ObjectId, bound: usize, full: bool) -> Page {
        let mut page = Page::default();
        let name = words::data(self.cluster(cluster).name);
        let (Some(live), Some(verdict)) = (self.facts(cluster).get(object), self.verdict(cluster, object))
        else {
            page.heading(spans![d object, w " in ", d name]);
            page.line(self.absence_of(cluster, object, false));
            self.say_contact(&mut page, cluster);
            return page;
        };
        let proof = self.proof(cluster);
        let bad = verdict.state.is_failure() && matches!(proof, Proof::Live | Proof::Recorded { .. });
        page.heading(self.heading(bad.then_some(Sign::Bad), object, &name, &verdict.state));
        self.say_state(&mut page, cluster, live, &verdict, bound);
        if full {
            self.say_links(&mut page, cluster, live);
            self.say_history(&mut page, live);
            self.say_reports_about(&mut page, cluster, object);
        }
        if let Some((at, _)) = self.place_of(cluster, object, true) {
            page.item(spans![w "written in ", d at.path]);
        }
        self.say_contact(&mut page, cluster);
        page
    }

    fn heading(&self, sign: Option<Sign>, object: &ObjectId, cluster: &str, state: &State) -> Vec<Span> {
        let sign = sign.map(|it| format!("{} ", it.as_str())).unwrap_or_default();
        spans![w sign, d object, w " in ", d cluster, w ": ", w self.state_words(object, state)]
    }

    fn state_words(&self, object: &ObjectId, state: &State) -> String {
        match state {
            State::Terminating => "being deleted".to_owned(),
            State::Suspended { last } => {
                format!("suspended; before that: {}", self.state_words(object, last))
            }
            State::Static => "has no state of its own".to_owned(),
            State::Pending => "waiting to be reconciled".to_owned(),
            State::Failed { stalled: true } => "failed, not tried again before it changes".to_owned(),
            State::Failed { stalled: false } => "failed, tried again".to_owned(),
            State::Waiting { .. } => "waiting".to_owned(),
            State::Unhealthy => "applied, unhealthy".to_owned(),
            State::Progressing { was_ready: true } => "in progress".to_owned(),
            State::Progressing { was_ready: false } => "in progress, outcome unknown".to_owned(),
            State::Ready => done(object.flux_kind()).to_owned(),
            State::ReadySourceStale { .. } => {
                format!("{}, but what it comes from cannot be fetched", done(object.flux_kind()))
            }
            State::ReadyBehind { .. } => format!("{}, a newer revision is fetched", done(object.flux_kind())),
        }
    }

    fn say_state(&self, page: &mut Page, cluster: usize, live: &Object, verdict: &Verdict, bound: usize) {
        if !verdict.state.last().is_ready() && !verdict.message.is_empty() {
            if !verdict.reason.is_empty() {
                page.line(spans![d verdict.reason, w ":"]);
            }
            page.quote(&verdict.message, bound);
        }
        if let Some(remedy) = &verdict.remedy {
            page.item(spans![w "what Flux did then: ", d remedy]);
        }
        self.say_causes(page, cluster, &live.id);
        let kind = live.id.flux_kind();
        if let Some(applied) = &verdict.applied {
            let words = if kind.is_some_and(Kind::is_source) { "fetched" } else { "running" };
            let mut line =
                self.revision(words, applied, verdict.applied_artifact.as_ref(), cluster, &live.id);
            let tells_none = matches!(kind, Some(Kind::Bucket | Kind::Kustomization))
                && applied.digest().is_some()
                && applied.commit().is_none();
            if tells_none {
                let stored = live.status.artifact.as_ref().and_then(|it| it.updated);
                if let Some(at) = stored {
                    line.extend(spans![w ", stored ", w self.time(at)]);
                }
                line.extend(spans![w "; which commit it was made from is not written down"]);
            }
            page.item(line);
        }
        if let Some(failed) = &verdict.failed_at {
            page.item(self.revision("failed", failed, verdict.failed_artifact.as_ref(), cluster, &live.id));
        } else if let Some(attempted) =
            verdict.attempted.as_ref().filter(|it| Some(*it) != verdict.applied.as_ref())
        {
            page.item(self.revision("tried", attempted, None, cluster, &live.id));
        }
        if let State::ReadyBehind { source } = verdict.state.last() {
            page.item(self.revision("next", source, None, cluster, &live.id));
        }
        if let Some(since) = verdict.since {
            // When it was suspended, no condition says.
            let suspended = matches!(verdict.state, State::Suspended { .. });
            page.item(
                spans![w if suspended { "that was so since " } else { "so since " }, w self.time(since)],
            );
        }
        if let Some(by) = &live.meta.suspended_by {
            let mut line = spans![w "suspended by ", d by.manager];
            if let Some(at) = by.at {
                line.extend(spans![w ", ", w self.time(at), w " at the latest"]);
            }
            page.item(line);
        }
        if let Some(attempt) = &verdict.attempt {
            let mut line = spans![w "now: ", d attempt.step];
            if let Some(since) = attempt.since {
                line.extend(spans![w ", since ", w self.time(since)]);
            }
            page.item(line);
        }
        for overlay in &verdict.overlays {
            match overlay {
                Overlay::Drifted { message } => page.item(spans![w "drifted: ", d message]),
                Overlay::SpecNotApplied { observed, generation } => page.item(
                    spans![w "this spec is not acted on: generation ", d generation, w ", Flux speaks of ", d observed],
                ),
                Overlay::NoAnswer => page.item(spans![w "its controller does not answer"]),
                Overlay::Requested => page.item(spans![w "a reconciliation was asked for and is not answered yet"]),
                Overlay::Remote => {
                    let target = live.spec.kube_config.as_deref().unwrap_or("spec.kubeConfig");
                    page.item(spans![w "applies to another cluster (", d target, w ")"]);
                }
            }
        }
        if verdict.state.is_ready() && !verdict.health_checked && matches!(kind, Some(Kind::Kustomization)) {
            page.item(spans![w "health is not checked"]);
        }
    }

    /// A revision with the commit's subject and time, as far as this clone has it.
    fn revision(
        &self,
        what: &str,
        revision: &Revision,
        artifact: Option<&Revision>,
        cluster: usize,
        object: &ObjectId,
    ) -> Vec<Span> {
        let mut line = spans![w what, w " ", d revision];
        let deliveries = &self.derived[cluster].binding.deliveries;
        let of_here = deliveries.of(object).is_some() || self.is_our_source(cluster, object);
        if let Some(commit) = revision.commit().filter(|_| of_here) {
            match self.commit(commit) {
                Some(Answer::Known(commit)) => {
                    line.extend(spans![w " ", d commit.subject, w ", ", w self.time(commit.time)]);
                }
                Some(Answer::NotInThisClone(_)) => line.extend(spans![w ", not in this clone"]),
                None => {}
            }
        }
        if let Some(artifact) = artifact.filter(|it| *it != revision) {
            line.extend(spans![w " as ", d artifact]);
        }
        line
    }

    /// The commits that a hover names: asked for beforehand, because a hover cannot wait.
    pub(crate) fn want_commits(&self, stand: &Stand<'_>) {
        for (standing, _) in &stand.standings {
            let Some(verdict) = self.verdict(standing.cluster, &standing.object) else { continue };
            let of_here = self.derived[standing.cluster].binding.deliveries.of(&standing.object).is_some()
                || self.is_our_source(standing.cluster, &standing.object);
            for revision in [&verdict.applied, &verdict.failed_at, &verdict.attempted].into_iter().flatten() {
                if let Some(commit) = revision.commit().filter(|_| of_here) {
                    self.commit(commit);
                }
            }
        }
    }

    fn is_our_source(&self, cluster: usize, object: &ObjectId) -> bool {
        self.facts(cluster)
            .get(object)
            .filter(|it| it.kind == Kind::GitRepository)
            .and_then(|it| it.spec.url.as_deref())
            .is_some_and(|url| self.inputs.repo.remotes.is_ours(url))
    }

    fn say_causes(&self, page: &mut Page, cluster: usize, object: &ObjectId) {
        let causes: std::sync::Arc<Causes> = self.causes(cluster, object);
        for cause in causes.roots.iter().filter(|it| it.root != *object) {
            let mut line = spans![w "because of ", d cause.root];
            if let Some(place) = self.cause_place(cluster, &cause.root) {
                line.extend(spans![w " in ", d place.path]);
            }
            match (cause.kind, &cause.verdict) {
                (flux::CauseKind::Missing, _) => line.extend(spans![w ", which does not exist"]),
                (flux::CauseKind::NotVisible, _) => line.extend(spans![w ", which cannot be read"]),
                (flux::CauseKind::Resolved, _) => line.extend(spans![w ", which is ready by now"]),
                (_, Some(verdict)) => {
                    line.extend(spans![w ": ", w self.state_words(&cause.root, &verdict.state)]);
                    if !verdict.message.is_empty() {
                        line.extend(spans![w ", ", d Self::sentence(verdict)]);
                    }
                }
                (_, None) => {}
            }
            page.item(line);
            if cause.chain.len() > 1 {
                let mut line = spans![w "by way of "];
                for (nth, hop) in cause.chain.iter().take(cause.chain.len() - 1).enumerate() {
                    if nth > 0 {
                        line.extend(spans![w ", then "]);
                    }
                    line.extend(spans![d hop.to]);
                }
                page.item(line);
            }
        }
        if let Some(cycle) = &causes.cycle {
            let mut line = spans![w "these wait for each other: "];
            for (nth, id) in cycle.iter().enumerate() {
                line.extend(spans![w if nth > 0 { ", " } else { "" }, d id]);
            }
            page.item(line);
        }
    }

    /// Source and dependencies with their state.
    fn say_links(&self, page: &mut Page, cluster: usize, live: &Object) {
        let facts = self.facts(cluster);
        let mut links: Vec<(&str, ObjectId)> = Vec::new();
        if let Some(source) = facts.source_id(live) {
            links.push(("source", source));
        }
        for reference in live.references() {
            let what = match reference.role {
                Role::Source | Role::Producer => "source",
                Role::Dependency => "depends on",
                Role::Chart => "chart",
                Role::Include => "includes",
                Role::Images => "images",
                Role::HealthCheck => "checks the health of",
                Role::Provider => "provider",
                Role::Inputs => "inputs",
                Role::Subject => continue,
            };
            if !links.iter().any(|(_, known)| *known == reference.target) {
                links.push((what, reference.target.clone()));
            }
        }
        for (what, id) in links {
            let mut line = spans![w what, w " ", d id, w ": "];
            line.extend(match self.verdict(cluster, &id) {
                Some(verdict) => {
                    let mut words = spans![w self.state_words(&id, &verdict.state)];
                    if let Some(applied) = &verdict.applied {
                        words.extend(spans![w " ", d applied]);
                    }
                    words
                }
                None => self.absence_of(cluster, &id, false),
            });
            page.item(line);
        }
    }

    /// The last five outcomes.
    fn say_history(&self, page: &mut Page, live: &Object) {
        let outcome = |when: Option<Timestamp>| when.map(|it| self.time(it)).unwrap_or_default();
        for entry in live.status.history.iter().take(5) {
            let mut line = spans![w "outcome ", d entry.outcome];
            if let Some(revision) = entry.origin_revision.as_ref().or(entry.revision.as_ref()) {
                line.extend(spans![w " at ", d revision]);
            }
            line.extend(spans![w " ", w outcome(entry.last.or(entry.first))]);
            if let Some(total) = entry.total.filter(|it| *it > 1) {
                line.extend(spans![w ", ", d total, w " times"]);
            }
            page.item(line);
        }
        for entry in live.status.releases.iter().take(5) {
            let mut line = spans![w "release "];
            if let Some(version) = entry.version {
                line.extend(spans![d format!("v{version}"), w " "]);
            }
            line.extend(spans![d entry.status]);
            if let Some(chart) = &entry.chart_version {
                line.extend(spans![w ", chart ", d chart]);
            }
            line.extend(spans![w " ", w outcome(entry.last_deployed)]);
            page.item(line);
        }
    }

    fn say_binding(&self, page: &mut Page, standing: &Standing) {
        let mut line = match &standing.applier {
            Some(applier) => spans![w "applied by ", d applier.id, w ": "],
            None => spans![],
        };
        line.extend(spans![w match (standing.strength, standing.patch) {
            (Strength::Proven, _) => "the object says that it came from this file",
            (Strength::Matched, true) => "its build reads this file as a patch, and its inventory holds the object",
            (Strength::Matched, false) => "its build reads this file, and its inventory holds the object",
            (Strength::Expected, _) => "its build reads this file, its inventory does not hold the object",
            (Strength::Guess, _) => "only a guess: an object of this kind and name; nothing tells that it came from this file",
        }]);
        page.item(line);
        let owner = standing.live.as_ref().and_then(|it| it.meta.owner.as_ref());
        let rivals = self.rivals_of(standing);
        self.say_rivals(page, standing.cluster, (&standing.object, &rivals), owner);
        if let Some(owner) = self.unreadable_owner(standing) {
            let mut line = spans![w "its labels name ", d owner, w " as what applies it, which "];
            line.extend(self.absence_of(standing.cluster, owner, false));
            page.item(line);
        }
    }

    fn say_rights(&self, page: &mut Page, standing: &Standing, live: &Object) {
        let kind = live.kind;
        if self.proof(standing.cluster) != Proof::Live || !live.can_reconcile() {
            return;
        }
        if self.right(standing.cluster, &standing.object) == Right::Forbidden {
            page.item(spans![
                w "no permission to patch ", w kind.plural(), w ".", w kind.group(), w " in ", d live.id.namespace,
                w ": reconcile, suspend and resume are not offered"
            ]);
        }
        if self.cluster(standing.cluster).protected {
            page.item(spans![w "a protected cluster: every action asks first"]);
        }
    }

    /// Which cluster, and when it was read.
    pub(crate) fn say_contact(&self, page: &mut Page, cluster: usize) {
        let name = words::data(self.cluster(cluster).name);
        let mut line = spans![w "cluster ", d name, w ", "];
        line.extend(match self.proof(cluster) {
            Proof::Live => match self.cluster(cluster).contact {
                // Only when it was read first: a time that moves with every heartbeat would redraw for nothing.
                Contact::Live { .. } => spans![w "read ", w self.time(self.inputs.now), w ", live"],
                _ => spans![w "live"],
            },
            Proof::Checking { at } => spans![w "checking, last seen ", w self.time(at)],
            Proof::Was { at } => spans![w "last seen ", w self.time(at), w ": what is said here was so then"],
            Proof::Recorded { newest: Some(at) } => {
                spans![w "as recorded, not live; the newest time in the recording is ", w self.time(at)]
            }
            Proof::Recorded { newest: None } => spans![w "as recorded, not live"],
            Proof::None => spans![w self.contact_phrase(cluster)],
        });
        page.item(line);
        if let Contact::NeedsSignIn { why, .. } = &self.cluster(cluster).contact {
            page.item(spans![w "not signed in: ", d why]);
        }
    }

    fn absence(&self, standing: &Standing) -> Vec<Span> {
        let listed = standing.strength >= Strength::Matched;
        self.absence_of(standing.cluster, &standing.object, listed)
    }

    /// Why an object is not there.
    fn absence_of(&self, cluster: usize, object: &ObjectId, listed: bool) -> Vec<Span> {
        match self.absent(cluster, object) {
            Absent::Really if listed => spans![w "gone from the cluster, though its Kustomization lists it"],
            Absent::Really => spans![w "does not exist in the cluster"],
            Absent::Forbidden { verb, resource } => {
                spans![w "cannot be read: no permission to ", d verb, w " ", d resource]
            }
            Absent::NotServed => spans![w "the cluster does not serve this kind"],
            Absent::OtherNamespace => {
                spans![w "cannot be read: no permission in namespace ", d object.namespace]
            }
            Absent::NotYet => spans![w "not read yet"],
            Absent::NotRecorded => spans![w "not in the recording"],
        }
    }

    pub(crate) fn time(&self, at: Timestamp) -> String {
        words::full(at, self.inputs.zone)
    }
}

/// Bytes of a message in a hover; details show all that Flux allows.
pub(crate) const HOVER: usize = BOUND;
pub(crate) const DETAILS: usize = 32 * 1024;
