//! How all that HEAD has stands over all clusters, in a line: for whoever does not wait at a terminal.

use flux::{ObjectId, Revision};
use jiff::Timestamp;
use std::collections::BTreeSet;

use super::{Gated, Outcome, Step};
use crate::inputs::{Contact, Head, Inputs, Proof, Tip};
use crate::past::{Answer, Lacks};
use crate::view::View;
use crate::words;

/// How HEAD stands: in a cluster, or in all of them. The worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeadState {
    /// A revision with all that it has failed.
    Failed,
    /// On its way.
    Waiting,
    /// It cannot be told; the text says why.
    Untold,
    /// In no branch of a remote, as of the last fetch.
    NotPushed,
    /// In another branch than the one that is followed.
    NotFollowed,
    /// A newer text than this is applied, or fetched, of part of it; the rest is live.
    Older,
    /// All that it has is applied and well.
    Live,
    /// Nothing of this repository is applied.
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
            Self::Older => "older",
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
    /// The worst of the clusters, or that what waits there is not pushed.
    pub state: HeadState,
    /// `✓ 1a2b3c4 live`, `1a2b3c4 waiting: production (fetched)`; empty where there is nothing to say.
    pub text: String,
    /// The commit, and a line for each cluster. Plain text.
    pub tooltip: String,
    /// Cluster by cluster, in the order of the inputs.
    pub clusters: Vec<HeadIn>,
    /// What this was told by: the Kustomizations that apply what it has, and the objects of Flux among that.
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
    /// How far has come what is furthest behind.
    pub step: Step,
    /// What failed.
    pub failed: Option<ObjectId>,
}

/// How HEAD stands over all clusters. With what history lacks, and when this changes by the clock alone.
pub fn head_status(inputs: &Inputs<'_>, head: &Head) -> (HeadStatus, Lacks, Option<Timestamp>) {
    let view = View::new(inputs);
    let mut witnesses = BTreeSet::new();
    let clusters: Vec<HeadIn> =
        (0..inputs.clusters.len()).map(|it| view.head_in(it, &head.commit, &mut witnesses)).collect();
    let worst = clusters.iter().map(|it| it.state).min().unwrap_or(HeadState::NotConnected);
    let is_pushed = view.is_pushed(head) != Some(false);
    let is_unsent = |it: &HeadIn| it.state == worst && it.step < Step::Pushed;
    let state = match worst {
        HeadState::Untold if !is_pushed => HeadState::NotPushed,
        // What waits may have been pushed by another commit.
        HeadState::Waiting | HeadState::NotFollowed if !is_pushed && clusters.iter().any(is_unsent) => {
            HeadState::NotPushed
        }
        _ => worst,
    };
    let counts = |it: &HeadIn| it.state != HeadState::Nothing;
    let is_recorded = |at: usize| matches!(view.proof(at), Proof::Recorded { .. });
    let recorded = clusters.iter().enumerate().any(|(at, it)| counts(it) && is_recorded(at));
    let subject = match view.commit(&head.commit) {
        Some(Answer::Known(commit)) => Some(words::data(&commit.subject)),
        _ => None,
    };
    let mut text = headline(head, state, recorded, &clusters);
    let mut tooltip = title(inputs, head, is_pushed, subject.as_deref());
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

fn headline(head: &Head, state: HeadState, recorded: bool, clusters: &[HeadIn]) -> String {
    let mut worst: Vec<&HeadIn> = clusters.iter().filter(|it| it.state == state).collect();
    worst.sort_by_key(|it| it.step);
    let names: Vec<String> = worst.iter().map(|it| it.name.clone()).collect();
    let names = words::and_more(&names);
    // Where there is only one nobody asks which.
    let of = if clusters.len() > 1 { format!(": {names}") } else { String::new() };
    let step = worst.first().map_or("", |it| it.step.as_str());
    let short = short(head);
    match state {
        HeadState::Failed => format!("✗ {short} failed{of}"),
        HeadState::Waiting => format!("{short} waiting{of} ({step})"),
        // That it is not taken is all that there is to know of it.
        HeadState::Untold if worst.iter().all(|it| it.step == Step::NotTaken) => {
            format!("{short} {step}{of}")
        }
        HeadState::Untold => format!("{short} not known{of}"),
        HeadState::NotPushed => format!("{short} not pushed"),
        HeadState::NotFollowed => format!("{short} not followed{of}"),
        HeadState::Older => format!("{short} older than {names}"),
        HeadState::Live if recorded => format!("{short} live, as recorded"),
        HeadState::Live => format!("✓ {short} live"),
        HeadState::Nothing => format!("{short} nothing to apply"),
        HeadState::NotConnected => String::new(),
    }
}

/// `fleet: HEAD 1a2b3c4 on main: Change web`
fn title(inputs: &Inputs<'_>, head: &Head, is_pushed: bool, subject: Option<&str>) -> String {
    let mut title = format!("{}: HEAD {}", words::data(inputs.repo.name), short(head));
    match &head.branch {
        Some(branch) => title.push_str(&format!(" on {}", words::data(branch))),
        None => title.push_str(", detached"),
    }
    if !is_pushed {
        title.push_str(", not pushed");
    }
    if let Some(subject) = subject {
        title.push_str(&format!(": {subject}"));
    }
    title
}

/// `live main@1a2b3c4, health not checked`
fn live_words(live: &[(Revision, bool)]) -> String {
    let mut revisions: Vec<String> = Vec::new();
    for (revision, _) in live {
        let revision = words::data(&revision.to_string());
        if !revisions.contains(&revision) {
            revisions.push(revision);
        }
    }
    let checked = live.iter().filter(|it| it.1).count();
    let health = match (checked, live.len()) {
        (0, _) => ", health not checked".to_owned(),
        (some, all) if some < all => format!(", health checked of {some} of {all}"),
        _ => String::new(),
    };
    format!("live {}{health}", words::and_more(&revisions))
}

impl View<'_> {
    fn head_in(&self, cluster: usize, commit: &str, witnesses: &mut BTreeSet<ObjectId>) -> HeadIn {
        let name = words::data(self.cluster(cluster).name);
        let told = |state: HeadState, text: String| HeadIn {
            key: self.cluster(cluster).key.to_owned(),
            name: name.clone(),
            state,
            text,
            step: Step::Unknown,
            failed: None,
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
        let whole = self.whole(cluster, commit);
        let any = |outcome: Outcome| whole.found.iter().any(|it| it.outcome == outcome);
        let is_not_followed = whole.found.iter().any(|it| it.step == Step::Elsewhere);
        let mut state = if any(Outcome::Failed) {
            HeadState::Failed
        } else if any(Outcome::Waiting) {
            if is_not_followed { HeadState::NotFollowed } else { HeadState::Waiting }
        } else if !whole.silent.is_empty() || !whole.unknown.is_empty() {
            HeadState::Untold
        } else if let Some(first) = whole.found.first() {
            match whole.found.iter().all(|it| it.step == first.step) && first.step == Step::Replaced {
                true => HeadState::Older,
                false => HeadState::Untold,
            }
        } else if whole.live.is_empty() {
            HeadState::Nothing
        } else {
            HeadState::Live
        };
        // Half of it was not heard yet: what seems to be missing may be there.
        let mut unheard = whole.silent.first().cloned();
        if state == HeadState::Waiting && unheard.is_none() {
            let kinds = whole.found.iter().filter_map(|it| it.own.as_ref()?.flux_kind());
            let mut unread = kinds.filter_map(|kind| self.unread(cluster, Some(kind)));
            unheard = unread.find(|it| it.ends_with("not read yet"));
        }
        if unheard.is_some() && matches!(state, HeadState::Waiting | HeadState::NotFollowed) {
            state = HeadState::Untold;
        }
        let these = |it: &&Gated| match state {
            HeadState::Failed => it.outcome == Outcome::Failed,
            HeadState::Waiting | HeadState::NotFollowed => it.outcome == Outcome::Waiting,
            _ => it.outcome == Outcome::Untold,
        };
        let these: Vec<&Gated> = whole.found.iter().filter(these).collect();
        // What is furthest behind tells what is waited for.
        let first = these.iter().min_by_key(|it| it.step);
        let mut text = match (state, first) {
            (HeadState::Live, _) => live_words(&whole.live),
            (HeadState::Nothing, _) => "nothing to apply".to_owned(),
            (HeadState::Untold, _) if unheard.is_some() => unheard.unwrap_or_default(),
            (HeadState::Untold, None) => whole.unknown.first().cloned().unwrap_or_default(),
            // It says itself what it is about.
            (HeadState::Failed, Some(first)) => first.text.clone(),
            (_, Some(first)) => {
                let alike = these.iter().filter(|it| it.text == first.text).count();
                let more = if alike > 1 { format!(" and {} more", alike - 1) } else { String::new() };
                format!("{}{more}: {}", first.object, first.text)
            }
            (_, None) => String::new(),
        };
        if let Some(seen) = self.freshness(proof).filter(|_| state != HeadState::Nothing) {
            text.push_str(&format!(", {seen}"));
        }
        let (step, failed) = first.map_or((Step::Unknown, None), |it| (it.step, it.failed.clone()));
        witnesses.extend(whole.witnesses);
        HeadIn { step, failed, ..told(state, text) }
    }

    /// Whether HEAD is in a branch of a remote, as of the last fetch; `None` if that is not known (yet). Looked for where
    /// it would be: in what HEAD's branch follows, in branches of its name, and in those that clusters follow.
    fn is_pushed(&self, head: &Head) -> Option<bool> {
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
            match self.has(tip, &head.commit) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => answer = None,
            }
        }
        answer
    }
}
