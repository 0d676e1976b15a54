//! What Flux reported to the forge of a repository: offered, read after the user's yes, and read again while somebody works.

use std::sync::Arc;
use std::time::{Duration, Instant};

use analysis::Reported;
use cluster::Answer;
use forge::{Origin, Repository, Service, Token};
use jiff::Timestamp;
use manifests::RepoPath;

use super::Event;
use super::choosing::Picker;
use super::outbox::Outbox;
use super::timers::Timer;
use super::watch::RepoId;
use super::world::{Done, World};
use crate::forges::consent::ForgeConsents;
use crate::forges::{self, Place, Tokens};
use crate::lsp::custom::{PickItem, TokenParams, TokenRequest};
use crate::lsp::types as lsp;
use crate::settings::CommitStatus;

/// After a change (of commits, or of what is reported) a forge is asked again after this, then after twice as long, and so on.
const FIRST: Duration = Duration::from_secs(5);
/// At least this often, while somebody works.
const LAST: Duration = Duration::from_secs(300);
/// Nobody works any more when the editor has said nothing for this long.
const IDLE: Duration = Duration::from_secs(30 * 60);
/// Commits that are asked for again and again; what was reported on older ones hardly changes.
const FOLLOWED: usize = 2;

/// The forge of a repository, as far as the world knows it.
#[derive(Debug, Default)]
pub(crate) struct ForgeState {
    /// What is known to analysis.
    pub reported: Option<Arc<Reported>>,
    place: Option<Place>,
    /// The commits that are asked for.
    commits: Vec<String>,
    /// Counts looks; older ones that come to an end later are dropped.
    looks: u64,
    /// Whether it is being asked; and whether it is to be asked again then, for all commits.
    reading: bool,
    again: bool,
    /// The editor's own, for this session.
    token: Option<Token>,
    pause: Duration,
    due: Option<Instant>,
}

/// Where the forge of a repository is, and whether it may be asked.
pub(crate) struct ForgeFound {
    look: u64,
    place: Option<Place>,
    /// `None`: offered. `Some(false)`: not even that.
    allowed: Option<bool>,
    commits: Vec<String>,
    /// The user just said so: it is asked now, whatever was known.
    now: bool,
    token: Option<Token>,
}

/// What a reading came to.
pub(crate) struct Reading {
    look: u64,
    /// The commits that were asked for.
    commits: Vec<String>,
    answers: Vec<analysis::ReportedOn>,
    trouble: Option<forge::Error>,
}

impl World {
    /// Whether forges may be asked at all.
    fn may_ask_forges(&self) -> bool {
        self.settings.enable
            && self.settings.commit_status != CommitStatus::Off
            && self.trusted != Some(false)
    }

    /// Looks in the clone where its forge is, whether it may be asked, and about which commits. Asks nobody.
    pub(super) fn look_for_forge(&mut self, id: RepoId) {
        self.look_for_forge_with(id, false, None);
    }

    pub(super) fn look_for_forges(&mut self) {
        for id in self.repos.keys().copied().collect::<Vec<_>>() {
            self.look_for_forge(id);
        }
    }

    /// A file was opened: the commits that touched it are asked for too.
    pub(super) fn forge_of_opened(&mut self, id: RepoId) {
        let state = self.repos.get(&id).and_then(|it| it.forge.reported.as_ref());
        if state.is_some_and(|it| it.wanted) {
            self.look_for_forge(id);
        }
    }

    fn look_for_forge_with(&mut self, id: RepoId, now: bool, token: Option<Token>) {
        let may = self.may_ask_forges();
        let files: Vec<RepoPath> = self.open_in(id).map(|(path, _)| path.clone()).collect();
        let Some(repo) = self.repos.get_mut(&id) else { return };
        repo.forge.looks += 1;
        let look = repo.forge.looks;
        let (git, refs) = (repo.git.clone().filter(|_| may), Arc::clone(&repo.refs));
        let root = repo.disk.root().to_owned();
        let (hosts, on) =
            (self.settings.forge_hosts.clone(), self.settings.commit_status == CommitStatus::On);
        let consents = self.forge_consents();
        self.background(
            move || {
                let none = || {
                    let (place, allowed) = (None, None);
                    ForgeFound { look, place, allowed, commits: Vec::new(), now, token: None }
                };
                let Some(git) = git else { return Done::Forge(id, Box::new(none())) };
                let Some((remote, place)) = forges::place(&git, &hosts) else {
                    return Done::Forge(id, Box::new(none()));
                };
                let remembered = consents.of(&place.host(), &root);
                let told = matches!(place, Place::At(_));
                let place = match remembered.service {
                    Some(service) => place.running(service),
                    None => place,
                };
                // By the setting only where nobody has to be asked what runs there.
                let allowed = remembered.allowed.or((on && told).then_some(true));
                let commits = forges::commits(&git, &remote, &refs, &files);
                let found = ForgeFound { look, place: Some(place), allowed, commits, now, token };
                Done::Forge(id, Box::new(found))
            },
            || None,
        );
    }

    pub(super) fn forge_found(&mut self, id: RepoId, found: ForgeFound) {
        let may = self.may_ask_forges();
        let Some(repo) = self.repos.get_mut(&id) else { return };
        let state = &mut repo.forge;
        if found.look != state.looks {
            return;
        }
        let before = state.reported.clone();
        let new_commits = state.commits != found.commits;
        let new_place = state.place != found.place;
        if new_place {
            state.token = None;
        }
        if found.token.is_some() {
            state.token = found.token;
        }
        (state.place, state.commits) = (found.place, found.commits);
        state.reported = match (&state.place, found.allowed) {
            (Some(place), allowed) if may && allowed != Some(false) => {
                let wanted = allowed == Some(true) && matches!(place, Place::At(_));
                let mut reported = forges::offer(place, wanted, &self.settings);
                if let Some(before) = before.as_ref().filter(|it| wanted && it.wanted && !new_place) {
                    // What older commits said is still so.
                    reported.commits.clone_from(&before.commits);
                    reported.trouble.clone_from(&before.trouble);
                }
                Some(Arc::new(reported))
            }
            _ => None,
        };
        let wanted = state.reported.as_ref().is_some_and(|it| it.wanted);
        let newly = wanted && !before.as_ref().is_some_and(|it| it.wanted);
        let changed = state.reported != before;
        if !wanted {
            state.due = None;
        } else if newly || new_commits || new_place || found.now {
            state.pause = FIRST;
            self.read_forge(id, true);
        }
        if changed {
            self.repository_dirty(id);
        }
    }

    /// Asks the forge again, if it was asked before.
    pub(super) fn read_forge_again(&mut self, id: RepoId) {
        let state = self.repos.get(&id).map(|it| &it.forge);
        if state.and_then(|it| it.reported.as_ref()).is_some_and(|it| it.wanted) {
            self.read_forge(id, true);
        }
    }

    /// Asks the forge: about all commits, or only about those that still change.
    fn read_forge(&mut self, id: RepoId, all: bool) {
        let client = match self.forge_client() {
            Ok(client) => client,
            Err(error) => return self.tell_once(lsp::MessageType::Warning, format!("Flux: {error}.")),
        };
        let tokens = Tokens::new(&self.settings, self.options.environment, &self.options.paths.state);
        let Some(repo) = self.repos.get_mut(&id) else { return };
        let state = &mut repo.forge;
        let Some(Place::At(repository)) = state.place.clone() else { return };
        if state.reading {
            state.again |= all;
            return;
        }
        state.reading = true;
        state.due = None;
        let mut commits = state.commits.clone();
        if !all {
            commits.truncate(FOLLOWED);
        }
        let (look, own) = (state.looks, state.token.clone());
        let (events, stop) = (self.events.clone(), self.stop.clone());
        let found = self.forge_tokens.clone();
        tokio::spawn(async move {
            let work = async {
                let token = match own {
                    Some(token) => Some(token),
                    None => found.find(&tokens, &repository).await,
                };
                forges::read(&client, &repository, &commits, token.as_ref()).await
            };
            let (answers, trouble) = tokio::select! {
                () = stop.cancelled() => return,
                answer = work => answer,
            };
            let reading = Reading { look, commits, answers, trouble };
            // Fails only when the server ends.
            let _ = events.send(Event::Done(Box::new(Done::Reported(id, Box::new(reading)))));
        });
    }

    pub(super) fn reported(&mut self, id: RepoId, reading: Reading) {
        let Some(repo) = self.repos.get_mut(&id) else { return };
        let state = &mut repo.forge;
        state.reading = false;
        let current = state.reported.clone().filter(|it| it.wanted);
        let Some(before) = current else { return };
        if std::mem::take(&mut state.again) {
            return self.read_forge(id, true);
        }
        let mut after = Reported::clone(&before);
        if reading.trouble.is_none() || !reading.answers.is_empty() {
            // What was asked for and not answered is not known any more; what was not asked for stays.
            let asked = |commit: &String| reading.commits.contains(commit) && reading.trouble.is_none();
            after.commits.retain(|it| !asked(&it.commit));
            for answer in reading.answers {
                after.commits.retain(|it| it.commit != answer.commit);
                after.commits.push(answer);
            }
            let place = |commit: &String| state.commits.iter().position(|it| it == commit);
            after.commits.retain(|it| place(&it.commit).is_some());
            after.commits.sort_by_key(|it| place(&it.commit));
        }
        after.trouble = reading.trouble.as_ref().map(ToString::to_string);
        let changed = after != *before;
        state.pause = if changed { FIRST } else { (state.pause * 2).clamp(FIRST, LAST) };
        let rest = reading.trouble.as_ref().and_then(forge::Error::until).map(|until| {
            let rest = until.duration_since(Timestamp::now());
            Duration::try_from(rest).unwrap_or_default() + Duration::from_secs(1)
        });
        let pause = rest.unwrap_or_default().max(state.pause);
        state.due = Some(Instant::now() + pause);
        tracing::debug!(
            commits = after.commits.len(),
            changed,
            ?pause,
            look = reading.look,
            "commit statuses"
        );
        state.reported = Some(Arc::new(after));
        self.timers.at_latest(Timer::Forges, pause);
        if changed {
            self.repository_dirty(id);
        }
    }

    /// The moment came to ask again, if somebody still works.
    pub(super) fn forges_due(&mut self) {
        let now = Instant::now();
        let works = self.heard.is_some_and(|it| it.elapsed() < IDLE);
        let open: Vec<RepoId> =
            self.repos.keys().copied().filter(|id| self.open_in(*id).next().is_some()).collect();
        let mut due = Vec::new();
        let mut next = None;
        for (id, repo) in &mut self.repos {
            let Some(at) = repo.forge.due else { continue };
            if at > now {
                next = Some(next.map_or(at, |it: Instant| it.min(at)));
            } else if works && open.contains(id) {
                due.push(*id);
            } else {
                // Looked at again in a while: somebody may come back.
                repo.forge.due = Some(now + FIRST);
                next = Some(next.map_or(now + FIRST, |it| it.min(now + FIRST)));
            }
        }
        for id in due {
            self.read_forge(id, false);
        }
        if let Some(at) = next {
            self.timers.at_latest(Timer::Forges, at.saturating_duration_since(now));
        }
    }

    /// *Show commit status from …*: asks what is not known, remembers the answer, and reads.
    pub(super) fn show_commit_status(&mut self, id: Option<RepoId>) {
        let say = |outbox: &Outbox, text: &str| outbox.show(lsp::MessageType::Info, text);
        if self.settings.commit_status == CommitStatus::Off {
            return say(&self.outbox, "Flux: commit statuses are switched off (fluxcd.commitStatus).");
        }
        if self.trusted == Some(false) {
            let text = "Flux: this workspace is not trusted, so nobody is asked about it. Trust it first.";
            return say(&self.outbox, text);
        }
        let known = id.or_else(|| self.repos.keys().next().copied());
        let Some((id, repo)) = known.and_then(|id| Some((id, self.repos.get(&id)?))) else {
            return say(&self.outbox, "Flux: open a file of the repository first.");
        };
        let Some(git) = repo.git.clone() else {
            return say(
                &self.outbox,
                "Flux: this folder is no Git repository, so it has no commit statuses.",
            );
        };
        let (name, root) = (repo.name.to_string(), repo.disk.root().to_owned());
        let hosts = self.settings.forge_hosts.clone();
        let asking = Asking {
            picker: self.picker(),
            outbox: self.outbox.clone(),
            consents: self.forge_consents(),
            may_sign_in: self.client.token,
            tokens: Tokens::new(&self.settings, self.options.environment, &self.options.paths.state),
        };
        let (events, found) = (self.events.clone(), self.forge_tokens.clone());
        tokio::spawn(async move {
            let place = tokio::task::spawn_blocking(move || forges::place(&git, &hosts)).await.ok().flatten();
            let Some((_, place)) = place else {
                let text = "Flux: no remote of this clone leads to a host on the web.";
                return asking.outbox.show(lsp::MessageType::Info, text);
            };
            found.forget(&place.host());
            let token = asking.ask(place, &name, &root).await;
            let done = match token {
                Some(token) => Done::AskForge(id, token),
                None => Done::LookForForge(id),
            };
            let _ = events.send(Event::Done(Box::new(done)));
        });
    }

    /// The user said yes: asks the forge now, with the editor's token if there is one.
    pub(super) fn ask_forge(&mut self, id: RepoId, token: Option<Token>) {
        if let (Some(Ok(client)), Some(place)) =
            (&self.forge_client, self.repos.get(&id).and_then(|it| it.forge.place.as_ref()))
        {
            // An answer for somebody without this token counts no more.
            client.forget(&place.host());
        }
        self.look_for_forge_with(id, true, token);
    }

    fn forge_client(&mut self) -> Result<forge::Client, forge::Error> {
        self.forge_client.get_or_insert_with(|| forge::Client::new(forge::Options::default())).clone()
    }

    fn forge_consents(&self) -> ForgeConsents {
        ForgeConsents::open(cluster::StateDir::at(self.options.paths.state.clone()))
    }
}

/// Tokens that were found for hosts in this session: Git is asked once, until the user asks again.
#[derive(Debug, Clone, Default)]
pub(crate) struct FoundTokens(Arc<tokio::sync::Mutex<std::collections::HashMap<String, Option<Token>>>>);

impl FoundTokens {
    async fn find(&self, tokens: &Tokens, repository: &Repository) -> Option<Token> {
        // Held while Git is asked: two repositories of one host ask once.
        let mut found = self.0.lock().await;
        if let Some(known) = found.get(&repository.site.host) {
            return known.clone();
        }
        let token = tokens.find(&repository.site).await;
        found.insert(repository.site.host.clone(), token.clone());
        token
    }

    fn forget(&self, host: &str) {
        if let Ok(mut found) = self.0.try_lock() {
            found.remove(host);
        }
    }
}

/// The questions before a forge is asked.
struct Asking {
    picker: Picker,
    outbox: Outbox,
    consents: ForgeConsents,
    may_sign_in: bool,
    tokens: Tokens,
}

impl Asking {
    /// Asks what runs there (if nobody knows) and for how long (if nobody answered). `None`: it may not be asked. Else the
    /// token that the editor has, if any.
    async fn ask(&self, place: Place, name: &str, root: &std::path::Path) -> Option<Option<Token>> {
        let host = place.host();
        let remembered = {
            let (consents, host, root) = (self.consents.clone(), host.clone(), root.to_owned());
            tokio::task::spawn_blocking(move || consents.of(&host, &root)).await.unwrap_or_default()
        };
        let place = match (place, remembered.service) {
            (place, Some(service)) => place.running(service),
            (Place::Unknown(address), None) => {
                let service = self.service(&host).await?;
                Place::Unknown(address).running(service)
            }
            (place, None) => place,
        };
        let Place::At(repository) = place else {
            let text = format!("Flux: {host} is no place where a forge could be.");
            self.outbox.show(lsp::MessageType::Info, text);
            return None;
        };
        if !Service::READABLE.contains(&repository.site.service) {
            let error = forge::Error::NotYet { service: repository.site.service };
            self.outbox.show(lsp::MessageType::Info, format!("Flux: {error}."));
            return None;
        }
        if remembered.allowed != Some(true) {
            let answer = self.consent(&repository, name).await?;
            let (consents, host, root) = (self.consents.clone(), host.clone(), root.to_owned());
            let service = repository.site.service;
            let kept =
                tokio::task::spawn_blocking(move || consents.answer(&host, service, &root, answer)).await;
            if let Ok(Err(error)) = kept {
                let text = format!(
                    "Flux: the answer cannot be kept ({error}), so {} is not asked.",
                    repository.site.host
                );
                self.outbox.show(lsp::MessageType::Warning, text);
                return None;
            }
            if answer == Answer::NeverHere {
                return None;
            }
        }
        Some(self.sign_in(&repository).await)
    }

    async fn service(&self, host: &str) -> Option<Service> {
        let items = Service::READABLE.iter().map(|it| PickItem {
            id: it.as_str().to_owned(),
            label: it.name().to_owned(),
            ..PickItem::default()
        });
        let title = format!("What runs at {host}?");
        let chosen = self.picker.pick(&title, items.collect()).await?;
        Service::from_word(&chosen)
    }

    async fn consent(&self, repository: &Repository, name: &str) -> Option<Answer> {
        let site = &repository.site;
        let answers = [
            (
                Answer::ThisRepository,
                "here",
                "This repository",
                format!("Ask {} about commits of {name}", site.host),
            ),
            (
                Answer::Everywhere,
                "everywhere",
                "Everywhere",
                format!("Ask {} about commits of any repository there", site.host),
            ),
            (Answer::NeverHere, "never", "Never here", format!("Do not offer it in {name} again")),
        ];
        let items = answers.iter().map(|(_, id, label, detail)| PickItem {
            id: (*id).to_owned(),
            label: (*label).to_owned(),
            description: String::new(),
            detail: detail.clone(),
        });
        let title = format!(
            "Show commit status from {} ({})? It is asked with your token, of the environment or of Git.",
            site.service, site.host
        );
        let chosen = self.picker.pick(&title, items.collect()).await?;
        answers.iter().find(|(_, id, ..)| **id == chosen).map(|(answer, ..)| *answer)
    }

    /// The editor's own sign-in, where it has one for this host.
    async fn sign_in(&self, repository: &Repository) -> Option<Token> {
        let site = &repository.site;
        if !self.may_sign_in || site.service != Service::GitHub || site.host != "github.com" {
            return None;
        }
        if Token::from_environment(site, &self.tokens.hosts, self.tokens.environment).is_some() {
            return None;
        }
        let params = TokenParams { host: site.host.clone() };
        let token = self.outbox.request::<TokenRequest>(params).await.ok().flatten()?;
        (!token.is_empty()).then(|| Token::new(site, None, token, Origin::Editor))
    }
}
