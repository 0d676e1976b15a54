//! The words for how an object stands (design 6).

use flux::{CauseKind, Causes, Coverage, Kind, ObjectId, Overlay, State, Verdict};
use std::sync::Arc;

use crate::earlier::{Pushed, Text};
use crate::inputs::{Contact, Proof};
use crate::journey::{Journey, Reach, Stage};
use crate::rivals::also;
use crate::view::{Absent, Standing, Strength, View};
use crate::words;

/// What is said of one standing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// ✓ or ✗, where something is proved.
    pub(crate) sign: Option<Sign>,
    /// `failed main@9f8e7d6, running main@1a2b3c4`.
    pub(crate) phrase: String,
    pub(crate) tone: Tone,
    /// How fresh that is, for behind the phrase: `as recorded 2026-11-22 05:07`.
    pub(crate) freshness: Option<String>,
    /// The text differs from what the state is about.
    pub(crate) differs: bool,
}

impl Said {
    /// Whether it says that this very text is applied and well.
    pub(crate) fn is_live(&self) -> bool {
        self.sign == Some(Sign::Good) && self.phrase.starts_with("live ")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Good,
    Bad,
}

/// What a state means for counts, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tone {
    Ready,
    Behind,
    Suspended,
    Progressing,
    /// Applied, and the object itself is not well.
    Unwell,
    Unknown,
    Missing,
    Waiting,
    Failed,
}

impl Sign {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Bad => "✗",
        }
    }
}

impl Tone {
    /// As a count says it: `4 applied, 1 behind`.
    pub(crate) fn counted(self) -> &'static str {
        match self {
            Self::Ready => "applied",
            Self::Behind => "behind",
            Self::Suspended => "suspended",
            Self::Progressing => "in progress",
            Self::Unwell => "not ready",
            Self::Unknown => "unknown",
            Self::Missing => "not applied",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn of(state: &State) -> Self {
        match state {
            State::Ready | State::Static => Self::Ready,
            State::ReadyBehind { .. } | State::ReadySourceStale { .. } => Self::Behind,
            State::Suspended { .. } => Self::Suspended,
            State::Progressing { .. } | State::Pending | State::Terminating => Self::Progressing,
            State::Waiting { .. } => Self::Waiting,
            State::Failed { .. } | State::Unhealthy => Self::Failed,
        }
    }
}

/// What the verdict of a mark is called in `check`'s JSON, and in tests.
pub(crate) fn verdict_word(state: &State) -> &'static str {
    match state {
        State::Terminating => "terminating",
        State::Suspended { .. } => "suspended",
        State::Static => "static",
        State::Pending => "pending",
        State::Failed { stalled: true } => "stalled",
        State::Failed { stalled: false } => "failed",
        State::Waiting { .. } => "waiting",
        State::Unhealthy => "unhealthy",
        State::Progressing { .. } => "progressing",
        State::Ready => "ready",
        State::ReadySourceStale { .. } => "stale",
        State::ReadyBehind { .. } => "behind",
    }
}

/// What having content is called: a Kustomization is applied, a source is fetched.
pub(crate) fn done(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(
            Kind::GitRepository | Kind::OCIRepository | Kind::Bucket | Kind::HelmRepository | Kind::HelmChart,
        ) => "fetched",
        Some(Kind::Kustomization | Kind::HelmRelease | Kind::ResourceSet | Kind::FluxInstance) => "applied",
        _ => "ready",
    }
}

impl View<'_> {
    /// What is said of a standing. `None` for objects that have no state at all.
    pub(crate) fn said(&self, standing: &Standing, text: Text) -> Option<Said> {
        let proof = self.proof(standing.cluster);
        if let Some(target) = &standing.remote {
            return Some(
                self.plain(standing.cluster, format!("applied on another cluster ({})", words::data(target))),
            );
        }
        let Some(verdict) =
            self.verdict(standing.cluster, &standing.object).filter(|_| standing.live.is_some())
        else {
            return Some(self.said_of_nothing(standing));
        };
        let mut phrase = self.phrase(standing.cluster, &verdict)?;
        let mut tone = Tone::of(&verdict.state);
        for overlay in &verdict.overlays {
            match overlay {
                Overlay::Drifted { .. } => phrase.push_str(", drifted"),
                Overlay::NoAnswer => phrase.push_str(", no answer from its controller"),
                Overlay::SpecNotApplied { .. } if verdict.state.is_ready() => {
                    phrase.push_str(", newest spec not acted on")
                }
                _ => {}
            }
        }
        let rivals = self.rivals_of(standing);
        if let Some(applier) = &standing.applier {
            phrase.push_str(&also(&applier.id, &rivals));
        }
        let journey = self.journey_of(standing);
        let on_its_way = journey.as_ref().filter(|it| match it.reach {
            Reach::At(stage) => stage < Stage::Applied,
            Reach::Older(_) => true,
            Reach::Unknown(_) => false,
        });
        let waits = on_its_way.and_then(|it| self.stage_words(it));
        match text {
            _ if let Some(words) = &waits => phrase.push_str(&format!("; {words}")),
            Text::Changed(pushed) => phrase.push_str(changed(pushed)),
            Text::Differs => phrase.push_str("; the live spec differs"),
            Text::Same | Text::Unknown => {}
        }
        let untaken = self.untaken_chart(standing);
        if let Some(words) = &untaken {
            phrase.push_str(&format!("; chart not taken · {words}"));
        }
        match standing.strength {
            Strength::Guess if let Some(owner) = self.unreadable_owner(standing) => {
                if text == Text::Same {
                    phrase.push_str("; matches this text");
                }
                let owner = format!("{}/{}", owner.namespace, owner.name);
                phrase.push_str(&format!("; {}: no permission", words::data(&owner)));
            }
            Strength::Guess => phrase.push_str(" (same name only)"),
            Strength::Expected => phrase.push_str(" (not in the inventory)"),
            Strength::Matched | Strength::Proven => {}
        }
        // The one place where a ✓ is made.
        let good = verdict.state == State::Ready
            && !verdict.overlays.iter().any(|it| !matches!(it, Overlay::Requested | Overlay::Remote))
            && proof == Proof::Live
            && standing.strength > Strength::Guess
            && !text.is_other()
            && text != Text::Unknown
            && waits.is_none()
            && untaken.is_none()
            && rivals.is_empty()
            && self.has_commits(standing, &verdict);
        let bad = verdict.state.is_failure()
            && matches!(proof, Proof::Live | Proof::Recorded { .. })
            && standing.strength > Strength::Guess
            && !text.is_other()
            && self.is_own_trouble(standing.cluster, &standing.object);
        let differs = text.is_other() || waits.is_some() || untaken.is_some() || !rivals.is_empty();
        if verdict.state == State::Ready && differs {
            tone = Tone::Behind;
        }
        // Of this very text, applied and well; but what a Kustomization applies beside its own text is known by a commit, or
        // not at all.
        let is_told = standing.object.flux_kind() != Some(Kind::Kustomization)
            || verdict.applied.as_ref().is_some_and(|it| it.commit().is_some());
        if good
            && is_told
            && let Some(rest) = phrase.strip_prefix("applied ")
            && matches!(journey.as_ref().map(|it| &it.reach), Some(Reach::At(_)))
        {
            phrase = format!("live {rest}");
        }
        let sign = if good {
            Some(Sign::Good)
        } else if bad {
            Some(Sign::Bad)
        } else {
            None
        };
        Some(Said { sign, phrase, tone, freshness: self.freshness(proof), differs })
    }

    /// How far the text of a standing has come; `None` where no build is known to make it.
    pub(crate) fn journey_of(&self, standing: &Standing) -> Option<Arc<Journey>> {
        let (applier, made) = (standing.applier.as_ref()?, standing.made.as_ref()?);
        self.journey(standing.cluster, &applier.id, made)
    }

    /// Who applies an object by its own labels, where that one may not be read: the text can still be compared with
    /// the object (design 3.3).
    pub(crate) fn unreadable_owner<'s>(&self, standing: &'s Standing) -> Option<&'s ObjectId> {
        let owner = standing.live.as_ref().filter(|_| standing.strength == Strength::Guess)?;
        let owner = owner.meta.owner.as_ref()?;
        if self.facts(standing.cluster).get(owner).is_some() {
            return None;
        }
        let absent = self.absent(standing.cluster, owner);
        matches!(absent, Absent::Forbidden { .. } | Absent::OtherNamespace).then_some(owner)
    }

    fn plain(&self, cluster: usize, phrase: String) -> Said {
        let freshness = self.freshness(self.proof(cluster));
        Said { sign: None, phrase, tone: Tone::Unknown, freshness, differs: false }
    }

    /// The object is not there: five different answers (design 3.3).
    fn said_of_nothing(&self, standing: &Standing) -> Said {
        let kind = standing.object.flux_kind();
        let plural = kind.map_or("objects", Kind::plural);
        let mut said = self.plain(standing.cluster, String::new());
        match self.absent(standing.cluster, &standing.object) {
            Absent::Really => {
                let applier = standing.applier.as_ref();
                let verdict = applier.and_then(|it| self.verdict(standing.cluster, &it.id));
                let failing =
                    verdict.as_ref().is_some_and(|it| matches!(it.state.last(), State::Failed { .. }));
                said.differs = true;
                said.tone = Tone::Missing;
                said.phrase = match (standing.strength, applier) {
                    (Strength::Matched | Strength::Proven, _) => "gone from the cluster".to_owned(),
                    (_, Some(applier)) if failing => {
                        format!("not applied, {} failed", words::data(&applier.id.to_string()))
                    }
                    _ => "not applied yet".to_owned(),
                };
            }
            Absent::Forbidden { verb, .. } => {
                said.phrase = format!("no permission to {} {plural}", words::data(&verb));
            }
            Absent::NotServed => said.phrase = format!("does not serve {plural}"),
            Absent::OtherNamespace => {
                said.phrase =
                    format!("namespace {} is not readable", words::data(&standing.object.namespace));
            }
            Absent::NotYet => said.phrase = format!("{plural} not read yet"),
            Absent::NotRecorded => said.phrase = format!("no {plural} in the recording"),
        }
        said
    }

    /// How an object stands, without signs.
    pub(crate) fn phrase(&self, cluster: usize, verdict: &Verdict) -> Option<String> {
        let kind = verdict.id.flux_kind();
        let done = done(kind);
        let applied = verdict.applied.as_ref().map(|it| words::data(&it.to_string()));
        let has = |what: &str| match &applied {
            Some(applied) => format!("{what} {applied}"),
            None => what.to_owned(),
        };
        Some(match &verdict.state {
            State::Static => return None,
            State::Terminating => "being deleted".to_owned(),
            State::Suspended { .. } => "suspended".to_owned(),
            State::Pending => "waiting to be reconciled".to_owned(),
            State::Failed { .. } => {
                let failed = match &verdict.failed_at {
                    Some(failed) => format!("failed {}", words::data(&failed.to_string())),
                    None if verdict.reason.is_empty() => "failed".to_owned(),
                    None => format!("failed ({})", words::data(&verdict.reason)),
                };
                let runs = if kind.is_some_and(Kind::is_source) { "serving" } else { "running" };
                match &applied {
                    Some(applied) if verdict.applied != verdict.failed_at => {
                        format!("{failed}, {runs} {applied}")
                    }
                    _ => failed,
                }
            }
            State::Unhealthy => format!("{}, {}", has(done), self.unhealthy(cluster, &verdict.id)),
            State::Waiting { .. } => self.waiting(cluster, verdict),
            State::Progressing { .. } => {
                let attempt = verdict.attempt.as_ref().and_then(|it| it.revision.clone());
                let checking = verdict.attempt.as_ref().is_some_and(|it| it.step.contains("health check"));
                match attempt {
                    Some(attempt) if Some(&attempt) != verdict.applied.as_ref() => {
                        let attempt = words::data(&attempt.to_string());
                        match &applied {
                            Some(applied) => format!("applying {attempt}, running {applied}"),
                            None => format!("applying {attempt}"),
                        }
                    }
                    _ if checking => format!("{}, checking health", has(done)),
                    _ => match &applied {
                        Some(applied) => format!("in progress, last {done} {applied}"),
                        None => "in progress, outcome unknown".to_owned(),
                    },
                }
            }
            State::Ready => has(done),
            State::ReadySourceStale { source } if *source == verdict.id => {
                format!("{}, cannot fetch", has(done))
            }
            State::ReadySourceStale { source } => {
                format!("{}, {} cannot be fetched", has(done), words::data(&source.to_string()))
            }
            State::ReadyBehind { source } => {
                format!("{}, next {}", has(done), words::data(&source.to_string()))
            }
        })
    }

    fn unhealthy(&self, cluster: usize, id: &ObjectId) -> String {
        let causes = self.causes(cluster, id);
        match causes.roots.first().filter(|root| root.root != *id) {
            Some(root) => format!("waits for the health of {}", self.cause_name(cluster, &root.root)),
            None => "unhealthy".to_owned(),
        }
    }

    fn waiting(&self, cluster: usize, verdict: &Verdict) -> String {
        let causes = self.causes(cluster, &verdict.id);
        if let Some(cycle) = &causes.cycle {
            let mut names: Vec<String> = cycle.iter().map(|it| words::data(&it.name)).collect();
            names.extend(names.first().cloned());
            return format!("blocked by a circle: {}", names.join(" → "));
        }
        let Some(root) = causes.roots.first() else {
            return match &verdict.state {
                State::Waiting { on: Some(on) } => format!("waiting for {}", words::data(&on.to_string())),
                _ => "waiting".to_owned(),
            };
        };
        let name = self.cause_name(cluster, &root.root);
        let more = match causes.roots.iter().filter(|it| it.kind == root.kind).count() {
            0 | 1 => String::new(),
            many => format!(" and {} more", many - 1),
        };
        match root.kind {
            CauseKind::Failure => format!("blocked by {name}{more}"),
            CauseKind::Missing => format!("blocked by {name}{more}, not there"),
            CauseKind::NotVisible => format!("waiting for {name}{more}, not readable"),
            CauseKind::Suspended => format!("blocked by {name}{more}, suspended"),
            CauseKind::Waiting | CauseKind::InProgress => format!("waiting for {name}{more}"),
            CauseKind::Resolved => format!("waiting for its next attempt, {name} is ready"),
        }
    }

    /// Where a cause is, in as few words as possible: its place in this repository, else its name.
    pub(crate) fn cause_name(&self, cluster: usize, root: &ObjectId) -> String {
        let place = self.cause_place(cluster, root);
        match place.and_then(|place| {
            Some((
                self.file(&place.path).cloned().or_else(|| self.inputs.repo.tree.parsed(&place.path))?,
                place,
            ))
        }) {
            Some((file, place)) => {
                let before = file.documents().iter().take_while(|it| it.range().end() <= place.range.start());
                let here = file.document_at(place.range.start());
                let lines = |text: &str| text.matches('\n').count();
                let mut line = 1 + before.map(|it| lines(it.document.text())).sum::<usize>();
                if let Some(here) = here {
                    let end = usize::from(here.in_document(place.range.start()).unwrap_or_default());
                    line += here.document.text().get(..end).map_or(0, lines);
                }
                format!("{}:{line}", words::data(place.path.as_str()))
            }
            None => words::data(&root.to_string()),
        }
    }

    /// Whether an object in trouble is itself what has to be mended.
    pub(crate) fn is_own_trouble(&self, cluster: usize, id: &ObjectId) -> bool {
        let causes = self.causes(cluster, id);
        causes.roots.is_empty() || causes.roots.iter().any(|it| it.root == *id)
    }

    /// The first sentence of what Flux says, for a mark or a line.
    pub(crate) fn sentence(verdict: &Verdict) -> String {
        // Terminal sequences go first: the parts of one that are no control characters would stay behind.
        words::data(&flux::message::first_sentence(&crate::page::clean(&verdict.message)))
    }

    /// Root causes, each looked up once.
    pub(crate) fn causes(&self, cluster: usize, id: &ObjectId) -> Arc<Causes> {
        let key = (cluster, id.clone());
        if let Some(known) = self.causes.borrow().get(&key) {
            return Arc::clone(known);
        }
        let found = Arc::new(flux::causes(self.facts(cluster), id, self.inputs.now));
        self.causes.borrow_mut().insert(key, Arc::clone(&found));
        found
    }

    /// How fresh what is said is, unless it is live.
    pub(crate) fn freshness(&self, proof: Proof) -> Option<String> {
        let inputs = self.inputs;
        match proof {
            Proof::Live => None,
            Proof::Checking { .. } => Some("checking…".to_owned()),
            Proof::Was { at } => Some(format!("last seen {}", words::day(at, inputs.now, inputs.zone))),
            Proof::Recorded { newest: Some(at) } => {
                Some(format!("as recorded {}", words::date(at, inputs.zone)))
            }
            Proof::Recorded { newest: None } => Some("as recorded".to_owned()),
            Proof::None => Some("not known".to_owned()),
        }
    }

    /// What of a cluster was not read although it is needed to say that nothing applies a document: the
    /// Kustomizations and their sources, and the document's own kind.
    pub(crate) fn unread(&self, cluster: usize, kind: Option<Kind>) -> Option<String> {
        // In a recording there is what there is; one without appliers was made of something else.
        if matches!(self.proof(cluster), Proof::Recorded { .. }) {
            let none = self.facts(cluster).of_kind(Kind::Kustomization).next().is_none();
            return none.then(|| format!("no {} in the recording", Kind::Kustomization.plural()));
        }
        let sources = [Kind::GitRepository, Kind::OCIRepository, Kind::ExternalArtifact];
        let needed = kind.into_iter().chain([Kind::Kustomization]).chain(sources);
        for kind in needed {
            let plural = kind.plural();
            match self.facts(cluster).coverage(kind) {
                Coverage::Listed => {}
                // Optional kinds: nobody needs what nobody serves.
                Coverage::NotServed if kind != Kind::Kustomization => {}
                Coverage::NotServed => return Some(format!("does not serve {plural}")),
                Coverage::NotYet => return Some(format!("{plural} not read yet")),
                Coverage::Partly(_) => {
                    return Some(format!(
                        "no permission to list {plural}.{} in all namespaces",
                        kind.group()
                    ));
                }
                Coverage::Forbidden { verb, resource } => {
                    return Some(format!(
                        "no permission to {} {}",
                        words::data(&verb),
                        words::data(&resource)
                    ));
                }
            }
        }
        None
    }

    /// What is to be said of a cluster of which nothing is known.
    pub(crate) fn contact_phrase(&self, cluster: usize) -> &'static str {
        match &self.cluster(cluster).contact {
            Contact::Connecting => "connecting…",
            Contact::NeedsSignIn { .. } => "not signed in",
            Contact::Unreachable { .. } => "unreachable",
            Contact::NoFlux => "runs no Flux",
            Contact::Live { .. }
            | Contact::Checking { .. }
            | Contact::LastSeen { .. }
            | Contact::Recorded { .. } => "",
        }
    }
}

pub(crate) fn changed(pushed: Pushed) -> &'static str {
    match pushed {
        Pushed::Yes => "; changed since, pushed",
        Pushed::No => "; changed since, not pushed",
        Pushed::Unknown => "; changed since",
    }
}
