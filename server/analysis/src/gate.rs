//! Whether a commit is live: applied and well in every cluster that applies what it changed. By content, as all of the
//! journey: the text of the commit counts, not the one in front of the user, whatever history did to it since.

use flux::{Object, ObjectId};
use jiff::Timestamp;
use manifests::RepoPath;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::deliveries::Gap;
use crate::inputs::{Contact, Inputs, Proof};
use crate::journey::Why;
use crate::past::Lacks;
use crate::plain::name_of;
use crate::versions::Version;
use crate::view::View;
use crate::words;

mod charts;
mod head;
mod standing;
mod whole;

pub use head::{HeadIn, HeadState, HeadStatus, head_status};
use standing::{Found, Group};

/// How many names a note tells.
const NAMED: usize = 5;

/// A commit that is asked about, and what it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The full hash.
    pub commit: String,
    /// Its first parent; none for a root commit: all that it has is new.
    pub before: Option<String>,
    /// The files that it changed.
    pub files: Vec<RepoPath>,
}

/// How far a commit has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gate {
    /// What it comes to.
    pub outcome: Outcome,
    /// What is waited for, or was: by cluster, in the order of the builds.
    pub gated: Vec<Gated>,
    /// Worth knowing, and no reason to doubt the outcome.
    pub notes: Vec<String>,
    /// What could not be told, and will not be by waiting.
    pub unknown: Vec<String>,
    /// Clusters that have not answered yet, or not any more.
    pub silent: Vec<String>,
    /// What would have made this better.
    pub lacks: Lacks,
    /// When this changes by the clock alone.
    pub recheck_at: Option<Timestamp>,
}

/// What it comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outcome {
    /// Not yet: it can still become anything.
    #[default]
    Waiting,
    /// Everything is live.
    Live,
    /// A revision with this text failed.
    Failed,
    /// Nothing that was asked applies what it changed.
    Nothing,
    /// Waiting brings no answer: something is not known, or a newer text took its place.
    Untold,
}

impl Outcome {
    /// The word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Live => "live",
            Self::Failed => "failed",
            Self::Nothing => "nothing",
            Self::Untold => "untold",
        }
    }
}

/// How far a text has come that is waited for. What is furthest behind comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// It cannot be told.
    Unknown,
    /// The cluster does not answer.
    Silent,
    /// kustomize will refuse what it is part of.
    Refused,
    /// The branch that is followed lacks it.
    Elsewhere,
    /// In history, and not in what the source takes.
    Committed,
    /// In the reference that the source follows, as of the last fetch.
    Pushed,
    /// In the source.
    Fetched,
    /// A chart in the source, of which Flux packages no other text under the version that it has.
    NotTaken,
    /// A chart: in what releases can take.
    Packaged,
    /// Applied, and not well (yet).
    Applied,
    /// A newer text has its place.
    Replaced,
    /// A revision with this text failed.
    Failed,
    /// Applied and well.
    Live,
}

impl Step {
    /// The word, for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Silent => "silent",
            Self::Refused => "refused",
            Self::Elsewhere => "elsewhere",
            Self::Committed => "committed",
            Self::Pushed => "pushed",
            Self::Fetched => "fetched",
            Self::NotTaken => "not taken",
            Self::Packaged => "packaged",
            Self::Applied => "applied",
            Self::Replaced => "replaced",
            Self::Failed => "failed",
            Self::Live => "live",
        }
    }
}

/// An object that the commit changed, in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gated {
    /// The cluster, as people read it.
    pub cluster: String,
    /// What applies it.
    pub applier: ObjectId,
    /// The object: `Deployment/shop/payments`.
    pub object: String,
    /// Its file in the commit; in the parent, for one that is gone.
    pub file: RepoPath,
    /// How it stands.
    pub outcome: Outcome,
    /// How far it has come.
    pub step: Step,
    /// The same in words, with what it waits for: `pushed, next poll by 14:03`.
    pub text: String,
    /// What failed, if something did.
    pub failed: Option<ObjectId>,
    /// The object itself, if it is one of Flux: it says itself how it is.
    pub own: Option<ObjectId>,
}

impl Gate {
    /// What all that was found comes to.
    fn worst(&self) -> Outcome {
        let any = |outcome: Outcome| self.gated.iter().any(|it| it.outcome == outcome);
        if any(Outcome::Failed) {
            Outcome::Failed
        } else if any(Outcome::Waiting) || !self.silent.is_empty() {
            Outcome::Waiting
        } else if any(Outcome::Untold) || !self.unknown.is_empty() {
            Outcome::Untold
        } else if self.gated.is_empty() {
            Outcome::Nothing
        } else {
            Outcome::Live
        }
    }
}

/// How far a commit has come in all clusters. Look up what it lacks and ask again.
pub fn gate(inputs: &Inputs<'_>, question: &Question) -> Gate {
    let view = View::new(inputs);
    let mut gate = Gate::default();
    let mut read = BTreeSet::new();
    for cluster in 0..inputs.clusters.len() {
        view.pass(cluster, question, &mut gate, &mut read);
    }
    let unread: Vec<String> =
        question.files.iter().filter(|it| !read.contains(*it)).map(|it| words::data(it.as_str())).collect();
    if !unread.is_empty() && gate.silent.is_empty() {
        let count = if unread.len() == 1 {
            "1 changed file".to_owned()
        } else {
            format!("{} changed files", unread.len())
        };
        gate.notes.push(format!("no Kustomization here reads {count}: {}", some(&unread)));
    }
    gate.unknown.sort();
    gate.unknown.dedup();
    gate.notes.dedup();
    gate.outcome = gate.worst();
    (gate.lacks, gate.recheck_at) = view.finish();
    gate
}

impl View<'_> {
    /// Adds what one cluster has to say.
    fn pass(&self, cluster: usize, question: &Question, gate: &mut Gate, read: &mut BTreeSet<RepoPath>) {
        let name = words::data(self.cluster(cluster).name);
        let proof = self.proof(cluster);
        if proof == Proof::None {
            let why = match &self.cluster(cluster).contact {
                Contact::Unreachable { why } => words::data(why),
                _ => self.contact_phrase(cluster).to_owned(),
            };
            gate.silent.push(format!("{name}: {why}"));
            return;
        }
        let is_here = matches!(proof, Proof::Live | Proof::Recorded { .. });
        if !is_here {
            gate.silent.extend(self.freshness(proof).map(|seen| format!("{name}: {seen}")));
        }
        let rev = Version::of(&question.commit);
        let before = question.before.as_deref().map(Version::of);
        let deliveries = Arc::clone(&self.derived[cluster].binding.deliveries);
        let ahead = gate.gated.len();
        for delivery in &deliveries.from_here {
            let applier = &delivery.kustomization;
            let title = words::data(&applier.id.to_string());
            if !delivery.from.is_certain() {
                let text = format!(
                    "{name}: from which folder of the repository the artifact of {title} is made is not written down"
                );
                // Its inventory tells what it is about, but not what is new in it.
                match self.is_about(applier, question) {
                    true => gate.unknown.push(text),
                    false => gate.notes.push(text),
                }
                continue;
            }
            let key = delivery.from.key();
            let changes = match self.changes(cluster, &applier.id, key, &rev, before.as_ref()) {
                Ok(changes) => changes,
                Err(Why::Pending) => {
                    gate.silent.push(format!("{name}: history is being asked"));
                    return;
                }
                Err(why) => {
                    gate.unknown.push(format!("{name}: what {title} applies: {}", self.why_words(&why)));
                    continue;
                }
            };
            read.extend(changes.read.iter().cloned());
            if changes.was_refused
                && changes.refused.is_some()
                && !question.files.iter().any(|it| changes.read.contains(it))
            {
                continue;
            }
            if let Some(hidden) = &changes.hidden
                && question.files.iter().any(|it| changes.read.contains(it))
            {
                let text = format!(
                    "{name}: part of what {title} applies cannot be built here: {}",
                    words::data(hidden)
                );
                match changes.objects.is_empty() {
                    true => gate.unknown.push(text),
                    false => gate.notes.push(text),
                }
            }
            let Some(verdict) = self.verdict(cluster, &applier.id) else { continue };
            let applied_spec = self.applied_spec(cluster, &applier.id);
            let commit = &question.commit;
            let group =
                Group { cluster, applier, verdict, changes: &changes, commit, whole: false, applied_spec };
            self.pass_group(&group, is_here, gate);
        }
        // Another branch is followed beside the one that has the commit (a preview): it is not on its way there.
        if gate.gated[ahead..].iter().any(|it| it.step != Step::Elsewhere) {
            for it in gate.gated.extract_if(ahead.., |it| it.step == Step::Elsewhere) {
                gate.notes.push(format!("{name}: {} is not waited for: {}", it.object, it.text));
            }
        }
        let none_here = gate.gated.len() == ahead;
        // Where something is applied and told, what may not be looked at is no reason to doubt it.
        let told = |text: String, gate: &mut Gate| match none_here {
            true => gate.unknown.push(text),
            false => gate.notes.push(text),
        };
        match self.unread(cluster, None) {
            Some(why) if why.ends_with("not read yet") => gate.silent.push(format!("{name}: {why}")),
            Some(why) => told(format!("{name}: {why}"), gate),
            None => {}
        }
        let untold: Vec<String> = deliveries
            .untold
            .iter()
            .filter(|(_, gap)| !matches!(gap, Gap::NoMaker(_)))
            .map(|(id, _)| words::data(&id.to_string()))
            .collect();
        if !untold.is_empty() {
            told(format!("{name}: from which repository it is applied is not told: {}", some(&untold)), gate);
        }
        self.pass_charts(cluster, question, is_here, gate, read);
    }

    /// Whether a Kustomization holds an object that a changed file names.
    fn is_about(&self, applier: &Object, question: &Question) -> bool {
        let Some(inventory) = &applier.status.inventory else { return true };
        let versions = [Some(&question.commit), question.before.as_ref()];
        let trees: Vec<_> =
            versions.into_iter().flatten().filter_map(|it| self.tree_in(&Version::of(it))).collect();
        let files = || trees.iter().flat_map(|tree| question.files.iter().filter_map(|it| tree.parsed(it)));
        let names = |file: &manifests::ParsedFile| {
            file.documents().iter().filter_map(|it| it.document.identity()).any(|it| {
                inventory
                    .iter()
                    .any(|own| own.kind == it.kind && own.group == it.group && own.name == it.name)
            })
        };
        files().any(|file| names(&file))
    }

    /// Adds the objects of one Kustomization.
    fn pass_group(&self, group: &Group<'_>, is_here: bool, gate: &mut Gate) {
        let Group { cluster, applier, changes, .. } = group;
        let view = self.cluster(*cluster);
        let name = words::data(view.name);
        let failure = self.failure_of(group);
        let mut add = |object: String, own: Option<ObjectId>, file: RepoPath, found: Found| {
            let gated = found.of(name.clone(), &applier.id, object, file);
            gate.gated.push(Gated { own, ..gated });
        };
        let silent = || {
            let seen = self.freshness(self.proof(*cluster)).unwrap_or_default();
            Found::waiting(Step::Silent, seen)
        };
        if let Some(why) = &changes.refused {
            let found = match &failure {
                _ if !is_here => silent(),
                Some(text) => Found::failed(&applier.id, text.clone()),
                None => self.refused(group, why),
            };
            let file = self.place_of(*cluster, &applier.id, true).map(|(at, _)| at.path);
            add(words::data(&applier.id.to_string()), None, file.unwrap_or_else(RepoPath::root), found);
        }
        for change in &changes.objects {
            let path = change.origin.path();
            if !self.inputs.settings.maps(path, view) {
                continue;
            }
            let found = match &failure {
                _ if !is_here => silent(),
                Some(text) => Found::failed(&applier.id, text.clone()),
                None => self.found(group, change),
            };
            add(words::data(&name_of(&change.id)), whole::flux_id(change), path.clone(), found);
        }
    }

    fn why_words(&self, why: &Why) -> String {
        match why {
            Why::NotInThisClone(revision, bring) => {
                let bring = bring.as_ref().map(|it| format!("; `{it}` brings it"));
                let revision = words::data(&revision.to_string());
                format!("{revision} is not in this clone{}", bring.unwrap_or_default())
            }
            Why::NoCommit(revision) => {
                format!(
                    "which commit {} was made from is not written down",
                    words::data(&revision.to_string())
                )
            }
            Why::NotTold => "no revision is told".to_owned(),
            Why::NoRoot => "from which folder its artifact is made is not written down".to_owned(),
            Why::NotComparable => "part of it is made by what is not known here".to_owned(),
            Why::Pending => "history is being asked".to_owned(),
        }
    }
}

/// The first names, and how many more there are.
fn some(names: &[String]) -> String {
    match names.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!("{} and {more} more", names[..NAMED].join(", ")),
        _ => words::list(names),
    }
}
