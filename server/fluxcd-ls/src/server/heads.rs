//! How HEAD of each repository stands over its clusters: looked at in the background, and told once when what was waited for
//! came to an end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use analysis::{Head, HeadIn, HeadState, HeadStatus, Question};
use flux::{Changed, Kind};
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
/// An answer of history can raise a further question.
const ROUNDS: usize = 6;
/// The button of a message about a failure.
const CAUSE: &str = "Go to cause";

/// What a commit changed, or why that is not known.
type Asked = Result<Question, String>;

/// HEAD of a repository.
#[derive(Debug, Default)]
pub(crate) struct HeadOf {
    /// How it stands, as it is shown.
    pub shown: Option<HeadStatus>,
    /// When it is to be looked at.
    due: Option<Instant>,
    /// Whether somebody looks.
    running: bool,
    /// What the newest commit changed that was asked about.
    asked: Option<Question>,
    followed: Followed,
}

/// How HEAD stood at a look.
pub(crate) struct HeadFound {
    head: Head,
    asked: Asked,
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

    /// Whether what a cluster said may change how HEAD stands there.
    pub(crate) fn depends_on(&self, changed: &Changed) -> bool {
        let applies = |kind: Kind| {
            matches!(
                kind,
                Kind::Kustomization
                    | Kind::GitRepository
                    | Kind::OCIRepository
                    | Kind::Bucket
                    | Kind::ExternalArtifact
                    | Kind::ArtifactGenerator
                    // A chart may be built from this repository.
                    | Kind::HelmChart
            )
        };
        let Some(shown) = &self.shown else { return true };
        !changed.kinds.is_empty()
            || changed.objects.iter().any(|it| it.flux_kind().is_some_and(applies))
            || changed.affected.iter().any(|it| shown.own.contains(it))
    }

    fn due_by(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }
}

/// Which commit this window saw being waited for, and what of it was told.
#[derive(Debug, Default)]
struct Followed {
    commit: String,
    waited: bool,
    told: BTreeSet<(String, Vec<String>)>,
}

impl Followed {
    /// Whether a wait has come to an end that is to be told: each commit once for the same clusters, and nothing that was so
    /// already when it was first looked at.
    fn has_ended(&mut self, status: &HeadStatus) -> bool {
        if self.commit != status.commit {
            self.commit.clone_from(&status.commit);
            self.waited = false;
        }
        match status.state {
            HeadState::Waiting | HeadState::NotPushed | HeadState::NotFollowed => {
                // What is not pushed may be live all the same, by another commit with this text.
                let waits = |it: &HeadIn| matches!(it.state, HeadState::Waiting | HeadState::NotFollowed);
                self.waited |= status.clusters.iter().any(waits);
                false
            }
            HeadState::Live | HeadState::Failed if self.waited && !status.recorded => {
                self.waited = false;
                let takes_part = |it: &&HeadIn| it.state != HeadState::Nothing;
                let clusters = status.clusters.iter().filter(takes_part).map(|it| it.key.clone());
                self.told.insert((status.commit.clone(), clusters.collect()))
            }
            _ => false,
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
        let asked = repo.head.asked.clone().filter(|it| it.commit == head.commit);
        repo.head.running = true;
        let Some(view) = self.view(id) else { return };
        self.background(
            move || Done::Head(id, Some(Box::new(look(view, &git, head, asked)))),
            move || Some(Done::Head(id, None)),
        );
    }

    pub(super) fn head_found(&mut self, id: RepoId, found: Option<HeadFound>) {
        let wanted = self.wants_heads();
        let Some(repo) = self.repos.get_mut(&id) else { return };
        repo.head.running = false;
        if let Some(found) = found {
            let HeadFound { head, asked, status, recheck, answers } = found;
            for answers in answers {
                answers.note(Arc::make_mut(&mut repo.past));
            }
            repo.head.asked = asked.ok();
            if !wanted || repo.refs.head.as_ref() != Some(&head) {
                // Superseded.
                repo.head.due_by(Instant::now());
            } else {
                if let Some(at) = recheck {
                    let after = Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
                    repo.head.due_by(Instant::now() + after.max(PAUSE));
                }
                let ended = repo.head.followed.has_ended(&status);
                repo.head.shown = Some(status);
                self.send_status();
                if ended {
                    self.tell_outcome(id);
                }
            }
        }
        self.set_heads_timer();
    }

    /// A commit that was waited for became live, or failed.
    fn tell_outcome(&self, id: RepoId) {
        let status = self.repos.get(&id).and_then(|it| it.head.shown.as_ref());
        let (Some(status), Some(head)) = (status, self.head_params(id)) else { return };
        let message = sentence(status);
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
fn look(mut view: View, git: &history::Repository, head: Head, asked: Option<Question>) -> HeadFound {
    let asked = asked.map_or_else(|| changed_by(git, &head.commit), Ok);
    let ask = |view: &View| {
        view.ask(|inputs| analysis::head_status(inputs, &head, asked.as_ref().map_err(String::as_str)))
    };
    let mut answers = Vec::new();
    let (mut status, mut lacks, mut recheck) = ask(&view);
    for _ in 0..ROUNDS {
        if !lacks.wants_history() {
            break;
        }
        lacks.rights.clear();
        let found = past::look_up(git, &view.blobs, lacks);
        found.clone().note(Arc::make_mut(&mut view.past));
        answers.push(found);
        (status, lacks, recheck) = ask(&view);
    }
    HeadFound { head, asked, status, recheck, answers }
}

fn changed_by(git: &history::Repository, commit: &str) -> Asked {
    let change = git.change(commit).map_err(|error| error.to_string())?;
    let before = change.before.map(|it| it.to_string());
    Ok(Question { commit: commit.to_owned(), before, files: change.files })
}

/// `Flux: 1a2b3c4 (Change web) is live in staging and production.`
fn sentence(status: &HeadStatus) -> String {
    let names = |state: HeadState| {
        let names = status.clusters.iter().filter(|it| it.state == state).map(|it| it.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let subject = status.subject.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
    let commit = format!("Flux: {}{subject}", history::short(&status.commit));
    let failed = status.clusters.iter().find(|it| it.state == HeadState::Failed);
    let sentence = match failed {
        Some(failed) => format!("{commit} failed in {}: {}", names(HeadState::Failed), failed.text),
        None => format!("{commit} is live in {}.", names(HeadState::Live)),
    };
    // VS Code makes links of this, and commands of links: subjects and messages are data of others.
    sentence.replace("](", "] (")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What one look found: the commit, and each cluster's state.
    fn status(commit: &str, clusters: &[(&str, HeadState)]) -> HeadStatus {
        let cluster = |(name, state): &(&str, HeadState)| HeadIn {
            key: (*name).to_owned(),
            name: (*name).to_owned(),
            state: *state,
            text: String::new(),
            stage: "",
            failed: None,
            file: None,
        };
        HeadStatus {
            commit: commit.to_owned(),
            subject: None,
            branch: None,
            state: clusters.iter().map(|it| it.1).min().unwrap(),
            text: String::new(),
            tooltip: String::new(),
            clusters: clusters.iter().map(cluster).collect(),
            own: BTreeSet::new(),
            recorded: false,
        }
    }

    /// Each look as `commit cluster=state …`; those at which an end is told have a `!` in front.
    #[track_caller]
    fn check(looks: &[&str]) {
        let mut followed = Followed::default();
        for look in looks {
            let (told, look) = look.strip_prefix('!').map_or((false, *look), |rest| (true, rest));
            let mut words = look.split(' ');
            let commit = words.next().unwrap();
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
            if local.is_some() {
                status.state = HeadState::NotPushed;
            }
            assert_eq!(followed.has_ended(&status), told, "{look}");
        }
    }

    #[test]
    fn only_what_matters_to_head_makes_anybody_look() {
        let id = |text: &str| flux::ObjectId::parse_flux(text).unwrap();
        let changed = |text: &str| {
            let all = BTreeSet::from([id(text)]);
            Changed { objects: all.clone(), affected: all, ..Changed::default() }
        };
        let mut head = HeadOf::default();
        assert!(head.depends_on(&changed("ImagePolicy/flux-system/web")), "nothing is known yet");
        let own = BTreeSet::from([id("HelmRelease/web/redis")]);
        head.shown = Some(HeadStatus { own, ..status("a", &[("s", HeadState::Waiting)]) });
        for matters in
            ["Kustomization/flux-system/apps", "GitRepository/flux-system/fleet", "HelmRelease/web/redis"]
        {
            assert!(head.depends_on(&changed(matters)), "{matters}");
        }
        for other in ["ImagePolicy/flux-system/web", "HelmRelease/web/other", "Alert/flux-system/all"] {
            assert!(!head.depends_on(&changed(other)), "{other}");
        }
        let listed = Changed { kinds: BTreeSet::from([Kind::Alert]), ..Changed::default() };
        assert!(head.depends_on(&listed), "what was not read may be read now");
    }

    #[test]
    fn an_end_is_told_of_what_was_waited_for() {
        check(&["a s=waiting", "!a s=live"]);
        check(&["a s=waiting", "!a s=failed"]);
        check(&["a* s=notFollowed", "!a s=live"]);
        check(&["a s=notFollowed", "a s=waiting", "a s=untold", "!a s=live"]);
        check(&["a s=waiting p=live", "!a s=live p=live", "b s=live p=waiting", "!b s=live p=live"]);
        // One failed: that is the end of it.
        check(&["a s=waiting p=waiting", "!a s=failed p=waiting", "a s=failed p=live"]);
    }

    #[test]
    fn nothing_is_told_of_what_was_so_already() {
        check(&["a s=live"]);
        check(&["a s=failed", "a s=live"]);
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
        check(&["a s=waiting", "!a s=failed", "a s=waiting", "a s=live"]);
        // A cluster went.
        check(&["a s=waiting p=waiting", "!a s=live p=live", "a s=live"]);
        // A cluster came, which had to be waited for.
        check(&["a s=waiting", "!a s=live", "a s=live p=waiting", "!a s=live p=live"]);
        // One that has nothing to do with it.
        check(&["a s=waiting", "!a s=live", "a s=waiting p=nothing", "a s=live p=nothing"]);
    }
}
