//! How HEAD stands over all clusters, in a line: the gate, cluster by cluster, for whoever does not wait at a terminal.

use flux::ObjectId;
use jiff::Timestamp;
use manifests::RepoPath;
use std::collections::BTreeSet;

use super::{ELSEWHERE, Gate, Gated, Outcome, Question};
use crate::inputs::{Contact, Head, Inputs, Proof, Tip};
use crate::past::{Answer, Lacks};
use crate::view::View;
use crate::words;

/// How HEAD stands: in a cluster, or in all of them. The worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeadState {
    /// A revision with this text failed.
    Failed,
    /// On its way.
    Waiting,
    /// It cannot be told; the text says why.
    Untold,
    /// In no branch of a remote, as of the last fetch.
    NotPushed,
    /// In another branch than the one that is followed.
    NotFollowed,
    /// All that it changed is applied and well.
    Live,
    /// It changed nothing that is applied.
    Nothing,
    /// There is no cluster to ask.
    NotConnected,
}

impl HeadState {
    /// The word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Waiting => "waiting",
            Self::Untold => "untold",
            Self::NotPushed => "notPushed",
            Self::NotFollowed => "notFollowed",
            Self::Live => "live",
            Self::Nothing => "nothing",
            Self::NotConnected => "notConnected",
        }
    }
}

/// How the commit stands that is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadStatus {
    /// The full hash.
    pub commit: String,
    /// The first line of its message, if history told it.
    pub subject: Option<String>,
    /// Its branch; none when HEAD is detached.
    pub branch: Option<String>,
    /// The worst of the clusters, as long as the commit is pushed.
    pub state: HeadState,
    /// `✓ 1a2b3c4 live`, `1a2b3c4 waiting: production (fetched)`; empty where there is nothing to say.
    pub text: String,
    /// The commit, and a line for each cluster. Plain text.
    pub tooltip: String,
    /// Cluster by cluster, in the order of the inputs.
    pub clusters: Vec<HeadIn>,
    /// What this was told by: the Kustomizations that apply what it changed, and the objects of Flux among that.
    pub witnesses: BTreeSet<ObjectId>,
    /// Part of it is only recorded: it is not so at this moment.
    pub recorded: bool,
}

/// How it stands in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadIn {
    /// The cluster, for commands.
    pub key: String,
    /// The cluster, for people.
    pub name: String,
    /// How it stands there.
    pub state: HeadState,
    /// The same in words: what it waits for, what failed, or why it cannot be told.
    pub text: String,
    /// How far it has come, where it waits: `pushed`, `fetched`, `applied`…
    pub stage: &'static str,
    /// What failed.
    pub failed: Option<ObjectId>,
    /// The file of what failed.
    pub file: Option<RepoPath>,
}

/// How HEAD stands, which changed what is asked about, or why that cannot be told. With what history lacks, and when this
/// changes by the clock alone.
pub fn head_status(
    inputs: &Inputs<'_>,
    head: &Head,
    question: Result<&Question, &str>,
) -> (HeadStatus, Lacks, Option<Timestamp>) {
    let view = View::new(inputs);
    let mut witnesses = BTreeSet::new();
    let clusters: Vec<HeadIn> =
        (0..inputs.clusters.len()).map(|it| view.head_in(it, question, &mut witnesses)).collect();
    let pushed = question.map_or(Some(true), |question| view.is_pushed(head, question));
    let worst = clusters.iter().map(|it| it.state).min().unwrap_or(HeadState::NotConnected);
    let state = match (worst, pushed) {
        (HeadState::Nothing | HeadState::NotConnected, _) | (_, Some(true) | None) => worst,
        (_, Some(false)) => HeadState::NotPushed,
    };
    let counts = |it: &HeadIn| it.state != HeadState::Nothing;
    let is_recorded = |at: usize| matches!(view.proof(at), Proof::Recorded { .. });
    let recorded = clusters.iter().enumerate().any(|(at, it)| counts(it) && is_recorded(at));
    let subject = match view.commit(&head.commit) {
        Some(Answer::Known(commit)) => Some(words::data(&commit.subject)),
        _ => None,
    };
    let mut text = headline(head, state, recorded, &clusters);
    let mut tooltip = title(inputs, head, state, subject.as_deref());
    for it in &clusters {
        tooltip.push_str(&format!("\n{}: {}", it.name, it.text));
    }
    if inputs.settings.ascii {
        (text, tooltip) = (words::ascii(&text), words::ascii(&tooltip));
    }
    let (commit, branch) = (head.commit.clone(), head.branch.clone());
    let (lacks, recheck_at) = view.finish();
    (
        HeadStatus { commit, subject, branch, state, text, tooltip, clusters, witnesses, recorded },
        lacks,
        recheck_at,
    )
}

/// A commit as people name it.
fn short(head: &Head) -> &str {
    head.commit.get(..7).unwrap_or(&head.commit)
}

/// How far a stage is; what kustomize will refuse goes no further.
fn rank(stage: &str) -> u8 {
    match stage {
        "applied" => 3,
        "fetched" => 2,
        "pushed" => 1,
        ELSEWHERE => 4,
        _ => 0,
    }
}

fn headline(head: &Head, state: HeadState, recorded: bool, clusters: &[HeadIn]) -> String {
    let mut worst: Vec<&HeadIn> = clusters.iter().filter(|it| it.state == state).collect();
    worst.sort_by_key(|it| rank(it.stage));
    let names: Vec<String> = worst.iter().map(|it| it.name.clone()).collect();
    // Where there is only one nobody asks which.
    let of = if clusters.len() > 1 { format!(": {}", words::and_more(&names)) } else { String::new() };
    let stage = worst.first().map_or("", |it| it.stage);
    let short = short(head);
    match state {
        HeadState::Failed => format!("✗ {short} failed{of}"),
        HeadState::Waiting => format!("{short} waiting{of} ({stage})"),
        HeadState::Untold => format!("{short} not known{of}"),
        HeadState::NotPushed => format!("{short} not pushed"),
        HeadState::NotFollowed => format!("{short} not followed{of}"),
        HeadState::Live if recorded => format!("{short} live, as recorded"),
        HeadState::Live => format!("✓ {short} live"),
        HeadState::Nothing => format!("{short} nothing to apply"),
        HeadState::NotConnected => String::new(),
    }
}

/// `fleet: HEAD 1a2b3c4 on main: Change web`
fn title(inputs: &Inputs<'_>, head: &Head, state: HeadState, subject: Option<&str>) -> String {
    let mut title = format!("{}: HEAD {}", words::data(inputs.repo.name), short(head));
    match &head.branch {
        Some(branch) => title.push_str(&format!(" on {}", words::data(branch))),
        None => title.push_str(", detached"),
    }
    if state == HeadState::NotPushed {
        title.push_str(", not pushed");
    }
    if let Some(subject) = subject {
        title.push_str(&format!(": {subject}"));
    }
    title
}

impl View<'_> {
    fn head_in(
        &self,
        cluster: usize,
        question: Result<&Question, &str>,
        witnesses: &mut BTreeSet<ObjectId>,
    ) -> HeadIn {
        let name = words::data(self.cluster(cluster).name);
        let told = |state: HeadState, text: String| HeadIn {
            key: self.cluster(cluster).key.to_owned(),
            name: name.clone(),
            state,
            text,
            stage: "",
            failed: None,
            file: None,
        };
        let proof = self.proof(cluster);
        match (proof, &self.cluster(cluster).contact) {
            (Proof::None, Contact::NoFlux) => {
                return told(HeadState::Nothing, self.contact_phrase(cluster).to_owned());
            }
            (Proof::None, Contact::Unreachable { why }) => return told(HeadState::Untold, words::data(why)),
            (Proof::None, _) => return told(HeadState::Untold, self.contact_phrase(cluster).to_owned()),
            (Proof::Checking { .. } | Proof::Was { .. }, _) => {
                return told(HeadState::Untold, self.freshness(proof).unwrap_or_default());
            }
            (Proof::Live | Proof::Recorded { .. }, _) => {}
        }
        let question = match question {
            Ok(question) => question,
            Err(why) => return told(HeadState::Untold, words::data(why)),
        };
        let mut gate = Gate::default();
        self.pass(cluster, question, &mut gate, &mut BTreeSet::new());
        let heard = |it: &Gated| [Some(it.applier.clone()), it.own.clone()];
        witnesses.extend(gate.gated.iter().flat_map(heard).flatten());
        // The name stands before each line already.
        let plain = |lines: &[String]| {
            let line = lines.first().map(String::as_str).unwrap_or_default();
            line.strip_prefix(&format!("{name}: ")).unwrap_or(line).to_owned()
        };
        let outcome = gate.worst();
        // Half of it was not heard yet: what seems to be missing may be there.
        if outcome == Outcome::Waiting {
            let kinds = gate.gated.iter().filter_map(|it| it.own.as_ref()?.flux_kind());
            let unheard = kinds.filter_map(|kind| self.unread(cluster, Some(kind)));
            let mut unheard = unheard.filter(|it| it.ends_with("not read yet")).map(|it| vec![it]);
            let silent = Some(gate.silent).filter(|it| !it.is_empty());
            if let Some(why) = silent.or_else(|| unheard.next()) {
                return told(HeadState::Untold, plain(&why));
            }
        }
        let these: Vec<&Gated> = gate.gated.iter().filter(|it| it.outcome == outcome).collect();
        let Some(first) = these.first() else {
            return match outcome {
                Outcome::Nothing => told(HeadState::Nothing, "nothing to apply".to_owned()),
                _ => told(HeadState::Untold, plain(&gate.unknown)),
            };
        };
        let state = match outcome {
            Outcome::Failed => HeadState::Failed,
            Outcome::Waiting if these.iter().all(|it| it.stage == ELSEWHERE) => HeadState::NotFollowed,
            Outcome::Waiting => HeadState::Waiting,
            Outcome::Live => HeadState::Live,
            Outcome::Nothing | Outcome::Untold => HeadState::Untold,
        };
        // What is furthest behind tells what is waited for.
        let first = these.iter().min_by_key(|it| rank(it.stage)).unwrap_or(first);
        let mut text = match state {
            // These say it themselves.
            HeadState::Live | HeadState::Failed => first.text.clone(),
            _ => {
                let alike = these.iter().filter(|it| it.text == first.text).count();
                let more = if alike > 1 { format!(" and {} more", alike - 1) } else { String::new() };
                format!("{}{more}: {}", first.object, first.text)
            }
        };
        if let Some(seen) = self.freshness(proof).filter(|seen| !text.contains(seen.as_str())) {
            text.push_str(&format!(", {seen}"));
        }
        let file = first.failed.as_ref().map(|_| first.file.clone());
        HeadIn { stage: first.stage, failed: first.failed.clone(), file, ..told(state, text) }
    }

    /// Whether HEAD is in a branch of a remote, as of the last fetch; `None` if that is not known (yet). Looked for where
    /// it would be: in what HEAD's branch follows, in branches of its name, and in those that clusters follow.
    fn is_pushed(&self, head: &Head, question: &Question) -> Option<bool> {
        let tracked = &self.inputs.repo.refs.tracked;
        if tracked.values().flat_map(|it| it.values()).any(|tip| tip.commit == head.commit) {
            return Some(true);
        }
        let upstream = head.upstream.as_ref();
        let upstream = upstream.and_then(|(remote, branch)| tracked.get(remote)?.get(branch));
        let own =
            head.branch.as_ref().into_iter().flat_map(|it| tracked.values().filter_map(move |of| of.get(it)));
        let commit = |tip: &Tip| tip.commit.clone();
        let mut followed: BTreeSet<String> = upstream.into_iter().chain(own).map(commit).collect();
        for cluster in 0..self.inputs.clusters.len() {
            for delivery in &self.derived[cluster].binding.deliveries.from_here {
                let way = self.way(cluster, &delivery.kustomization.id);
                followed.extend(way.and_then(|it| Some(commit(&it.tip.as_ref()?.1))));
            }
        }
        let mut answer = Some(false);
        for tip in &followed {
            match self.has(tip, question) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => answer = None,
            }
        }
        answer
    }
}
