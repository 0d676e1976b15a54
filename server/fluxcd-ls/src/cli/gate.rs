//! `fluxcd-ls check --commit REV --wait 10m`: whether a commit is live, and the wait for it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use analysis::{Contact, Gate, Outcome, Question};
use cluster::{ContextKey, Event, Session, SessionStatus, What};
use flux::{Facts, ObjectId};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::connect::{self, PATIENCE, Selection};
use super::format::{self, Format};
use super::progress::{Progress, lines_of};
use super::report::Report;
use super::scene::Scene;
use super::{CliError, check, colour, print};
use crate::server::clusters::contact_after;
use crate::server::view::ClusterSnapshot;
use crate::settings::Settings;

/// Tells how far a commit has come; with `wait` as soon as it is live or failed.
pub async fn run(
    commit: &str,
    wait: Option<Duration>,
    selection: &Selection,
    format: Format,
    settings: &Settings,
) -> Result<u8, CliError> {
    let mut watched = Watched::start(selection, settings)?;
    let (mut scene, question) = Scene::open_commit(Path::new("."), commit, watched.snapshots(), settings)?;
    let end = Instant::now() + wait.unwrap_or(PATIENCE);
    let mut progress = Progress::new();
    let gate = loop {
        scene.now(watched.snapshots());
        let gate = scene.gate(&question);
        // Before a cluster has listed its objects the rest is half the truth; a failure is one all the same.
        let listed = watched.listed();
        let waits = gate.outcome == Outcome::Waiting && watched.may_change() && wait.is_some();
        let ended = gate.outcome == Outcome::Failed || (listed && !waits);
        if ended || Instant::now() >= end {
            break gate;
        }
        if wait.is_some() && (listed || !gate.gated.is_empty()) {
            progress.show(&gate);
        }
        watched.changed(gate.recheck_at, end).await;
    };
    progress.end();
    let waited = wait.is_some() && watched.may_change();
    let mut answer = Answer {
        commit: question.commit.clone(),
        subject: scene.subject(&question.commit),
        gate,
        unknown: watched.gone,
    };
    answer.unknown.extend(scene.strangers());
    let findings =
        if answer.gate.outcome == Outcome::Failed { answer.findings(&mut scene)? } else { Report::default() };
    answer.print(findings, format, &question, waited);
    Ok(answer.exit_code())
}

/// A cluster that is followed.
struct Live {
    key: ContextKey,
    snapshot: ClusterSnapshot,
    status: SessionStatus,
    // Ends when it is dropped.
    _session: Session,
}

/// The clusters that are asked, as they say more and more.
struct Watched {
    recorded: Vec<ClusterSnapshot>,
    live: Vec<Live>,
    /// Sentences about those that cannot be had.
    gone: Vec<String>,
    events: mpsc::Receiver<Event>,
}

impl Watched {
    fn start(selection: &Selection, settings: &Settings) -> Result<Watched, CliError> {
        let recorded = selection.recordings(settings)?;
        let (sender, events) = mpsc::channel(64);
        let mut watched = Watched { recorded, live: Vec::new(), gone: Vec::new(), events };
        if selection.contexts.is_empty() {
            return Ok(watched);
        }
        let kubeconfig = selection.kubeconfig(settings)?;
        for name in &selection.contexts {
            let alias = settings.alias(name);
            let context = match kubeconfig.context(name) {
                Ok(context) => context,
                Err(error) => {
                    watched.gone.push(format!("{alias}: {error}"));
                    continue;
                }
            };
            let key = context.key.clone();
            // It is needed as long as it is waited for.
            let options = cluster::SessionOptions { idle_after: None, ..connect::options(settings)? };
            let snapshot = ClusterSnapshot {
                key: Arc::from(name.as_str()),
                name: Arc::from(alias),
                facts: Arc::new(Facts::new(name.as_str().into())),
                contact: Contact::Connecting,
                live: Arc::default(),
                rights: Arc::default(),
                protected: settings.is_protected(name),
            };
            let session = Session::start(context, options, sender.clone());
            watched.live.push(Live { key, snapshot, status: SessionStatus::Connecting, _session: session });
        }
        Ok(watched)
    }

    fn snapshots(&self) -> Vec<ClusterSnapshot> {
        self.recorded.iter().cloned().chain(self.live.iter().map(|it| it.snapshot.clone())).collect()
    }

    /// Whether each cluster has answered, with its objects or with why not.
    fn listed(&self) -> bool {
        let is_on_its_way =
            |it: &Live| matches!(it.status, SessionStatus::Connecting | SessionStatus::SigningIn { .. });
        !self.live.iter().any(is_on_its_way)
    }

    /// Whether there is anything that can say more.
    fn may_change(&self) -> bool {
        !self.live.is_empty()
    }

    /// Waits until a cluster says something new, or until the clock changes what is known.
    async fn changed(&mut self, recheck_at: Option<Timestamp>, end: Instant) {
        let left =
            recheck_at.map(|at| Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default());
        let until = left.map_or(end, |left| end.min(Instant::now() + left + Duration::from_millis(1)));
        loop {
            let Ok(event) = tokio::time::timeout_at(until, self.events.recv()).await else { return };
            // All sessions have ended: only the clock goes on.
            let Some(event) = event else { return tokio::time::sleep_until(until).await };
            let mut news = self.hear(event);
            while let Ok(event) = self.events.try_recv() {
                news |= self.hear(event);
            }
            if news {
                return;
            }
        }
    }

    /// Takes in what a session says; whether that is worth another look.
    fn hear(&mut self, event: Event) -> bool {
        let Some(at) = self.live.iter().position(|it| it.key == event.context) else { return false };
        let live = &mut self.live[at];
        match event.what {
            What::Changes(changes) => {
                let (facts, changed) = live.snapshot.facts.apply(changes, Timestamp::now());
                live.snapshot.facts = Arc::new(facts);
                !changed.is_empty()
            }
            What::Contact(at) => {
                if live.status == SessionStatus::Live {
                    live.snapshot.contact = Contact::Live { at };
                }
                // It is looked at again when it would have been doubted.
                false
            }
            What::Status(status) => {
                live.snapshot.contact = contact_after(&live.snapshot.contact, &status);
                live.status = status.clone();
                // Nothing but a person can change these.
                let is_over = matches!(
                    status,
                    SessionStatus::NeedsSignIn { .. }
                        | SessionStatus::NeedsConsent
                        | SessionStatus::NotFlux
                        | SessionStatus::Ended { .. }
                );
                if is_over {
                    let why = match &status {
                        SessionStatus::NotFlux => "no Flux in this cluster".to_owned(),
                        status => status.to_string(),
                    };
                    self.gone.push(format!("{}: {why}", live.snapshot.name));
                    self.live.remove(at);
                }
                true
            }
            What::Rights(_) | What::Object(_) => false,
        }
    }
}

/// What it came to.
struct Answer {
    commit: String,
    subject: Option<String>,
    gate: Gate,
    /// What could not be told beside the gate's own.
    unknown: Vec<String>,
}

impl Answer {
    fn outcome(&self) -> Outcome {
        match self.gate.outcome {
            Outcome::Live | Outcome::Nothing if !self.unknown.is_empty() => Outcome::Untold,
            outcome => outcome,
        }
    }

    fn exit_code(&self) -> u8 {
        match self.outcome() {
            Outcome::Live | Outcome::Nothing => 0,
            Outcome::Failed => 1,
            Outcome::Waiting | Outcome::Untold => 2,
        }
    }

    /// What `check` finds of what failed.
    fn findings(&self, scene: &mut Scene) -> Result<Report, CliError> {
        let failed: BTreeSet<&ObjectId> =
            self.gate.gated.iter().filter_map(|it| it.failed.as_ref()).collect();
        let mut report = check::look(scene, &[], Vec::new())?;
        report.unknown.clear();
        report.entries.retain(|it| {
            failed.contains(&it.finding.object)
                || it.finding.applier.as_ref().is_some_and(|applier| failed.contains(applier))
        });
        Ok(report)
    }

    /// What could not be told.
    fn gaps(&self) -> Vec<String> {
        let mut gaps = lines_of(&self.gate, |it| it == Outcome::Untold);
        gaps.extend(self.gate.unknown.iter().chain(&self.unknown).cloned());
        gaps
    }

    fn print(&self, mut findings: Report, format: Format, question: &Question, waited: bool) {
        findings.recorded_at = None;
        match format {
            Format::Text => print(&self.text(&findings, waited)),
            Format::Json => print(&format::pretty(&self.json(&findings, question))),
            Format::Sarif | Format::Github => {
                findings.unknown = self.gaps();
                findings.unknown.extend(lines_of(&self.gate, |it| it == Outcome::Waiting));
                // A failure that stands in no file is told all the same.
                if findings.entries.is_empty() {
                    findings.unknown.extend(lines_of(&self.gate, |it| it == Outcome::Failed));
                }
                print(&format.print(&findings, false));
            }
        }
    }

    fn text(&self, findings: &Report, waited: bool) -> String {
        let mut out = String::new();
        for line in lines_of(&self.gate, |it| matches!(it, Outcome::Live | Outcome::Failed)) {
            out.push_str(&format!("{line}\n"));
        }
        for line in lines_of(&self.gate, |it| it == Outcome::Waiting) {
            out.push_str(&format!("not yet: {line}\n"));
        }
        for line in self.gaps() {
            out.push_str(&format!("could not be told: {line}\n"));
        }
        for note in &self.gate.notes {
            out.push_str(&format!("note: {note}\n"));
        }
        if !findings.entries.is_empty() {
            out.push_str(&format!("\n{}", format::snippets(findings, colour())));
        }
        let short = history::short(&self.commit);
        let title = self.subject.as_ref().map(|it| format!(" ({})", plain(it))).unwrap_or_default();
        let end = match self.outcome() {
            Outcome::Live => "is live",
            Outcome::Failed => "failed",
            Outcome::Nothing => "changes nothing that is applied here",
            Outcome::Waiting if waited => "is not live, and the time is over",
            Outcome::Waiting => "is not live",
            Outcome::Untold => "could not be told to be live",
        };
        out.push_str(&format!("{short}{title} {end}\n"));
        out
    }

    fn json(&self, findings: &Report, question: &Question) -> Value {
        let mut value = format::json(findings);
        let objects: Vec<Value> = self
            .gate
            .gated
            .iter()
            .map(|it| {
                json!({
                    "cluster": it.cluster, "object": it.object, "applier": it.applier.to_string(),
                    "file": it.file.as_str(), "outcome": it.outcome.as_str(), "stage": it.step.as_str(), "text": it.text,
                })
            })
            .collect();
        value["commit"] = json!(question.commit);
        value["outcome"] = json!(self.outcome().as_str());
        value["objects"] = json!(objects);
        value["notes"] = json!(self.gate.notes);
        value["unknown"] =
            json!(self.gate.unknown.iter().chain(&self.gate.silent).chain(&self.unknown).collect::<Vec<_>>());
        value
    }
}

/// A subject is data: nothing in it may steer a terminal.
fn plain(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).collect()
}
