//! How HEAD of each repository stands over its clusters: looked at in the background, and told once when what was waited for
//! came to an end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use analysis::{Head, HeadIn, HeadState, HeadStatus, Inputs};
use flux::{Changed, Facts, Kind, ObjectId};
use jiff::Timestamp;
use tokio::time::Instant;

use super::past::{self, Answers};
use super::timers::Timer;
use super::view::View;
use super::watch::RepoId;
use super::world::{Done, World};
use crate::lsp::custom::{OutcomeNotification, OutcomeParams};
use crate::lsp::types::MessageType;
use crate::settings::Notifications;

/// Clusters say many things at once, and Git moves several references: HEAD is looked at when they have said so.
const PAUSE: Duration = Duration::from_millis(100);
/// The button of a message about a failure.
const CAUSE: &str = "Go to cause";

/// HEAD of a repository.
#[derive(Debug, Default)]
pub(crate) struct HeadOf {
    /// How it stands, as it is shown.
    pub shown: Option<HeadStatus>,
    /// When it is to be looked at.
    due: Option<Instant>,
    /// Whether somebody looks.
    running: bool,
    followed: Followed,
}

/// How HEAD stood at a look.
pub(crate) struct HeadFound {
    head: Head,
    status: HeadStatus,
    recheck: Option<Timestamp>,
    answers: Vec<Answers>,
}

impl HeadOf {
    /// Git was read again: what could not be told may be known now.
    pub(crate) fn git_changed(&mut self) {
        self.due_by(Instant::now());
    }

    /// Forgets what runs.
    pub(crate) fn reset(&mut self) {
        self.running = false;
    }

    /// Whether what a cluster said may change how HEAD stands there, between what was known before and what is now.
    pub(crate) fn depends_on(&self, changed: &Changed, before: &Facts, now: &Facts) -> bool {
        // Whoever looks already looks at what was known before.
        let Some(shown) = self.shown.as_ref().filter(|_| !self.running) else { return true };
        let is_new = |id: &ObjectId| {
            let generation = |facts: &Facts| facts.get(id).map(|it| it.meta.generation);
            generation(before) != generation(now)
        };
        let matters = |id: &ObjectId| match id.flux_kind() {
            // How others get on is their own matter; but what they apply is told by their specs, and where an artifact has
            // its root also by their inventories.
            Some(Kind::Kustomization) => {
                let source = now.get(id).and_then(|it| now.source_of(it));
                is_new(id) || source.is_none_or(|it| it.kind != Kind::GitRepository)
            }
            // A chart may be built from this repository.
            Some(Kind::HelmChart) => is_new(id),
            Some(
                Kind::GitRepository
                | Kind::OCIRepository
                | Kind::Bucket
                | Kind::ExternalArtifact
                | Kind::ArtifactGenerator,
            ) => true,
            _ => false,
        };
        !changed.kinds.is_empty()
            || changed.affected.iter().any(|it| shown.witnesses.contains(it))
            || changed.objects.iter().any(matters)
    }

    fn due_by(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }
}

/// Which commit this window saw being waited for or failing, and what of it was told.
#[derive(Debug, Default)]
struct Followed {
    commit: String,
    waited: bool,
    /// What failed last, and was not live since: the commit, and its branch.
    failed: Option<(String, Option<String>)>,
    told: BTreeSet<(String, HeadState, Vec<String>)>,
}

/// What came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// A wait, with a success or a failure.
    Waited,
    /// A failure, of this commit or of one before on this branch: it is live now.
    Mended,
}

impl Followed {
    /// Whether something has come to an end that is to be told: of each commit once that it failed and once that it is live,
    /// for the same clusters, and nothing that was so already when it was first looked at.
    fn ended(&mut self, status: &HeadStatus) -> Option<End> {
        if self.commit != status.commit {
            self.commit.clone_from(&status.commit);
            self.waited = false;
        }
        match status.state {
            HeadState::Waiting | HeadState::NotPushed | HeadState::NotFollowed => {
                // What is not pushed may be live all the same, by another commit with this text.
                let waits = |it: &HeadIn| matches!(it.state, HeadState::Waiting | HeadState::NotFollowed);
                self.waited |= status.clusters.iter().any(waits);
                None
            }
            HeadState::Live | HeadState::Failed if !status.recorded => {
                let has_waited = std::mem::take(&mut self.waited);
                let is_same = |(commit, branch): &mut (String, Option<String>)| {
                    *commit == status.commit || (branch.is_some() && *branch == status.branch)
                };
                let end = if status.state == HeadState::Failed {
                    self.failed = Some((status.commit.clone(), status.branch.clone()));
                    has_waited.then_some(End::Waited)
                } else {
                    let mended = self.failed.take_if(is_same).map(|_| End::Mended);
                    mended.or(has_waited.then_some(End::Waited))
                };
                let takes_part = |it: &&HeadIn| it.state != HeadState::Nothing;
                let clusters = status.clusters.iter().filter(takes_part).map(|it| it.key.clone());
                let what = (status.commit.clone(), status.state, clusters.collect());
                end.filter(|_| self.told.insert(what))
            }
            _ => None,
        }
    }
}

impl World {
    /// Whether anybody is told how HEAD stands.
    fn wants_heads(&self) -> bool {
        let told = self.has_status_bar() || self.settings.notifications == Notifications::On;
        self.initialized && self.settings.enable && told
    }

    /// Something changed that decides how HEAD of a repository stands.
    pub(super) fn head_dirty(&mut self, id: RepoId) {
        let Some(repo) = self.repos.get_mut(&id) else { return };
        repo.head.due_by(Instant::now() + PAUSE);
        self.set_heads_timer();
    }

    fn set_heads_timer(&mut self) {
        let waiting = self.repos.values().filter(|it| !it.head.running);
        if let Some(due) = waiting.filter_map(|it| it.head.due).min() {
            self.timers.at_latest(Timer::Heads, due.saturating_duration_since(Instant::now()));
        }
    }

    /// The moment came to look.
    pub(super) fn heads_due(&mut self) {
        let now = Instant::now();
        let is_due = |it: &HeadOf| !it.running && it.due.is_some_and(|due| due <= now);
        let due: Vec<RepoId> = self.repos.values().filter(|it| is_due(&it.head)).map(|it| it.id).collect();
        for id in due {
            self.look_at_head(id);
        }
        self.set_heads_timer();
    }

    fn look_at_head(&mut self, id: RepoId) {
        let wanted = self.wants_heads();
        let Some(repo) = self.repos.get_mut(&id) else { return };
        repo.head.due = None;
        let (head, git) = (repo.refs.head.clone(), repo.git.clone());
        let Some((head, git)) = head.zip(git).filter(|_| wanted) else {
            if repo.head.shown.take().is_some() {
                self.send_status();
            }
            return;
        };
        if !repo.indexed {
            // It is looked at when the files were read.
            return;
        }
        repo.head.running = true;
        let Some(view) = self.view(id) else { return };
        self.background(
            move || Done::Head(id, Some(Box::new(look(view, &git, head)))),
            move || Some(Done::Head(id, None)),
        );
    }

    pub(super) fn head_found(&mut self, id: RepoId, found: Option<HeadFound>) {
        let wanted = self.wants_heads();
        let Some(repo) = self.repos.get_mut(&id) else { return };
        repo.head.running = false;
        if let Some(found) = found {
            let HeadFound { head, status, recheck, answers } = found;
            for answers in answers {
                answers.note(Arc::make_mut(&mut repo.past));
            }
            if !wanted || repo.refs.head.as_ref() != Some(&head) {
                // Superseded.
                repo.head.due_by(Instant::now());
            } else {
                if let Some(at) = recheck {
                    let after = Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
                    repo.head.due_by(Instant::now() + after.max(PAUSE));
                }
                let ended = repo.head.followed.ended(&status);
                repo.head.shown = Some(status);
                self.send_status();
                if let Some(end) = ended {
                    self.tell_outcome(id, end);
                }
            }
        }
        self.set_heads_timer();
    }

    /// A commit that was waited for became live, or failed; or what failed is live.
    fn tell_outcome(&self, id: RepoId, end: End) {
        let status = self.repos.get(&id).and_then(|it| it.head.shown.as_ref());
        let (Some(status), Some(head)) = (status, self.head_params(id)) else { return };
        let message = sentence(status, end);
        let show = self.settings.notifications == Notifications::On;
        if self.client.outcome {
            return self.outbox.notify::<OutcomeNotification>(OutcomeParams { head, message, show });
        }
        if !show {
            return;
        }
        let failed = status.clusters.iter().find(|it| it.state == HeadState::Failed);
        let cause = failed.and_then(|it| Some((it.key.clone(), it.failed.clone()?)));
        match cause {
            None if status.state == HeadState::Live => self.outbox.show(MessageType::Info, message),
            Some((cluster, object)) if self.client.message_buttons => {
                let (outbox, events) = (self.outbox.clone(), self.events.clone());
                tokio::spawn(async move {
                    if outbox.choose(MessageType::Warning, message, &[CAUSE]).await.is_some() {
                        // Fails only when the server ends.
                        let done = Done::GoToCause(id, cluster, object);
                        let _ = events.send(super::Event::Done(Box::new(done)));
                    }
                });
            }
            _ => self.outbox.show(MessageType::Warning, message),
        }
    }
}

/// Looks how HEAD stands. Asks Git what that takes.
fn look(mut view: View, git: &history::Repository, head: Head) -> HeadFound {
    let mut answers = Vec::new();
    let question = |inputs: &Inputs<'_>| analysis::head_status(inputs, &head);
    let (status, _, recheck) = past::ask(&mut view, git, &mut answers, question, |it| &it.1);
    HeadFound { head, status, recheck, answers }
}

/// `Flux: 1a2b3c4 (Change web) is live in staging, production.`
fn sentence(status: &HeadStatus, end: End) -> String {
    let names = |state: HeadState| {
        let names = status.clusters.iter().filter(|it| it.state == state).map(|it| it.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let subject = status.subject.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
    let commit = format!("Flux: {}{subject}", history::short(&status.commit));
    let failed = status.clusters.iter().find(|it| it.state == HeadState::Failed);
    let sentence = match failed {
        Some(failed) => format!("{commit} failed in {}: {}", names(HeadState::Failed), failed.text),
        None if end == End::Mended => format!("{commit} is live now in {}.", names(HeadState::Live)),
        None => format!("{commit} is live in {}.", names(HeadState::Live)),
    };
    // VS Code makes links of this, and commands of links: subjects and messages are data of others.
    sentence.replace("](", "] (")
}

#[cfg(test)]
mod tests {
    use analysis::Step;

    use super::*;

    /// What one look found: the commit, and each cluster's state.
    fn status(commit: &str, clusters: &[(&str, HeadState)]) -> HeadStatus {
        let cluster = |(name, state): &(&str, HeadState)| HeadIn {
            key: (*name).to_owned(),
            name: (*name).to_owned(),
            state: *state,
            text: String::new(),
            step: Step::Unknown,
            failed: None,
        };
        HeadStatus {
            commit: commit.to_owned(),
            subject: None,
            branch: None,
            state: clusters.iter().map(|it| it.1).min().unwrap(),
            text: String::new(),
            tooltip: String::new(),
            clusters: clusters.iter().map(cluster).collect(),
            witnesses: BTreeSet::new(),
            recorded: false,
        }
    }

    /// Each look as `commit cluster=state …`, the commit with its branch as `main/a`; where the end of a wait is told there
    /// is a `!` in front, and a `+` where it is told that what failed is live.
    #[track_caller]
    fn check(looks: &[&str]) {
        let mut followed = Followed::default();
        for look in looks {
            let told = [('!', End::Waited), ('+', End::Mended)].into_iter().find(|it| look.starts_with(it.0));
            let mut words = look.trim_start_matches(['!', '+']).split(' ');
            let commit = words.next().unwrap();
            let (branch, commit) = commit.split_once('/').map_or((None, commit), |it| (Some(it.0), it.1));
            let local = commit.strip_suffix('*');
            let clusters: Vec<(&str, HeadState)> = words
                .map(|word| {
                    let (name, state) = word.split_once('=').unwrap();
                    let all = [
                        HeadState::Failed,
                        HeadState::Waiting,
                        HeadState::Untold,
                        HeadState::NotFollowed,
                        HeadState::Live,
                        HeadState::Nothing,
                    ];
                    (name, all.into_iter().find(|it| it.as_str() == state).unwrap())
                })
                .collect();
            let mut status = status(local.unwrap_or(commit), &clusters);
            status.branch = branch.map(str::to_owned);
            if local.is_some() {
                status.state = HeadState::NotPushed;
            }
            assert_eq!(followed.ended(&status), told.map(|it| it.1), "{look}");
        }
    }

    fn object(kind: &str, name: &str, generation: u32, ready: &str) -> flux::Object {
        let group = Kind::from_name(kind).unwrap().group();
        flux::Object::from_json(serde_json::json!({
            "apiVersion": format!("{group}/v1"), "kind": kind,
            "metadata": {"name": name, "namespace": "flux-system", "generation": generation},
            "spec": {"sourceRef": {"kind": "GitRepository", "name": "fleet"}},
            "status": {"conditions": [{"type": "Ready", "status": ready, "reason": "Any", "message": ""}]},
        }))
        .unwrap()
    }

    #[test]
    fn only_what_matters_to_head_makes_anybody_look() {
        let kinds = ["GitRepository/fleet", "Kustomization/apps", "Kustomization/other", "HelmRelease/redis"];
        let kinds = kinds.into_iter().chain(["HelmRelease/other", "ImagePolicy/web", "HelmChart/web"]);
        let now = Timestamp::UNIX_EPOCH;
        let mut before = Facts::new("staging".into());
        for (kind, name) in kinds.map(|it| it.split_once('/').unwrap()) {
            before = before.apply(vec![flux::Change::Applied(object(kind, name, 1, "True"))], now).0;
        }
        let mut head = HeadOf::default();
        let looks = |head: &HeadOf, kind: &str, name: &str, generation: u32| {
            let change = flux::Change::Applied(object(kind, name, generation, "False"));
            let (after, changed) = before.apply(vec![change], now);
            assert!(!changed.is_empty());
            head.depends_on(&changed, &before, &after)
        };
        assert!(looks(&head, "ImagePolicy", "web", 1), "nothing is known yet");
        let id = |text: &str| ObjectId::parse_flux(text).unwrap();
        let witnesses = ["Kustomization/flux-system/apps", "HelmRelease/flux-system/redis"].map(id).into();
        head.shown = Some(HeadStatus { witnesses, ..status("a", &[("s", HeadState::Waiting)]) });
        for (kind, name, generation) in [
            ("GitRepository", "fleet", 1),
            ("Kustomization", "apps", 1),
            ("HelmRelease", "redis", 1),
            ("Kustomization", "other", 2),
            ("Kustomization", "new", 1),
            ("HelmChart", "web", 2),
        ] {
            assert!(looks(&head, kind, name, generation), "{kind} {name} {generation}");
        }
        for (kind, name, generation) in [
            ("Kustomization", "other", 1),
            ("HelmRelease", "other", 2),
            ("ImagePolicy", "web", 2),
            ("HelmChart", "web", 1),
        ] {
            assert!(!looks(&head, kind, name, generation), "{kind} {name} {generation}");
        }
        head.running = true;
        assert!(looks(&head, "ImagePolicy", "web", 2), "somebody looks, at what was before");
        head.running = false;
        let listed = Changed { kinds: BTreeSet::from([Kind::Alert]), ..Changed::default() };
        assert!(head.depends_on(&listed, &before, &before), "what was not read may be read now");
    }

    #[test]
    fn an_end_is_told_of_what_was_waited_for() {
        check(&["a s=waiting", "!a s=live"]);
        check(&["a s=waiting", "!a s=failed"]);
        check(&["a* s=notFollowed", "!a s=live"]);
        check(&["a s=notFollowed", "a s=waiting", "a s=untold", "!a s=live"]);
        check(&["a s=waiting p=live", "!a s=live p=live", "b s=live p=waiting", "!b s=live p=live"]);
        // One failed: that is the end of it, until all is well.
        check(&["a s=waiting p=waiting", "!a s=failed p=waiting", "a s=failed p=live", "+a s=live p=live"]);
    }

    #[test]
    fn what_failed_and_is_live_is_told() {
        check(&["a s=waiting", "!a s=failed", "a s=waiting", "+a s=live"]);
        check(&["a s=failed", "+a s=live", "a s=failed", "a s=live"]);
        // By another commit: of this branch, and not of any other.
        check(&["main/a s=waiting", "!main/a s=failed", "main/b s=waiting", "+main/b s=live"]);
        check(&["main/a s=failed", "+main/b s=live", "main/c s=live"]);
        check(&["main/a s=failed", "fix/b s=live", "fix/b s=waiting", "!fix/b s=live", "+main/c s=live"]);
        check(&["a s=failed", "b s=live"]);
    }

    #[test]
    fn nothing_is_told_of_what_was_so_already() {
        check(&["a s=live"]);
        check(&["a s=untold", "a s=live", "a s=untold", "a s=live"]);
        // It is live by another commit before it is pushed.
        check(&["a* s=live", "a s=live"]);
        // The commit that was waited for is not the one that is live.
        check(&["a s=waiting", "b s=live"]);
        check(&["a s=waiting", "a s=nothing"]);
        check(&["a s=waiting p=untold", "a s=live p=untold"]);
    }

    #[test]
    fn nothing_is_told_twice() {
        check(&["a s=waiting", "!a s=live", "a s=waiting", "a s=live"]);
        check(&[
            "a s=waiting",
            "!a s=failed",
            "a s=waiting",
            "a s=failed",
            "+a s=live",
            "a s=failed",
            "a s=live",
        ]);
        // A cluster went.
        check(&["a s=waiting p=waiting", "!a s=live p=live", "a s=live"]);
        // A cluster came, which had to be waited for.
        check(&["a s=waiting", "!a s=live", "a s=live p=waiting", "!a s=live p=live"]);
        // One that has nothing to do with it.
        check(&["a s=waiting", "!a s=live", "a s=waiting p=nothing", "a s=live p=nothing"]);
    }
}
