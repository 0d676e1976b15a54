//! No cluster contact unasked: offers, the list to choose from, and the answer that is remembered.

use std::path::Path;
use std::sync::Arc;

use cluster::{Answer, Consents, Context, Decision, FileState, Fingerprint, KubeconfigError};

use super::Event;
use super::clusters::{Connect, KubeconfigOf};
use super::outbox::Outbox;
use super::watch::RepoId;
use super::world::{Done, World};
use crate::lsp::custom::{PickItem, PickParams, PickRequest};
use crate::lsp::types as lsp;

/// What can be offered in a repository, without contacting anything.
#[derive(Debug, Default)]
pub(crate) struct Offers {
    /// Contexts that the user allowed here.
    pub allowed: Vec<String>,
    /// Whether every context was answered with *never here*.
    pub never: bool,
}

/// A context in the list to choose from.
struct Choice {
    context: Context,
    fingerprint: Fingerprint,
    decision: Decision,
    seen: FileState,
}

/// How a list is shown.
#[derive(Clone)]
pub(crate) struct Picker {
    outbox: Outbox,
    /// `fluxcd/pick`; else a message with buttons.
    pick: bool,
}

impl Picker {
    /// Asks the user to choose one. None when the list was closed, or the editor is gone.
    pub(crate) async fn pick(&self, title: &str, items: Vec<PickItem>) -> Option<String> {
        if self.pick {
            let params = PickParams { title: title.to_owned(), items };
            return match self.outbox.request::<PickRequest>(params).await {
                Ok(chosen) => chosen,
                Err(error) => {
                    tracing::warn!(%error, "the editor could not show a list");
                    None
                }
            };
        }
        let title_of = |item: &PickItem| {
            let more = [&item.description, &item.detail].into_iter().filter(|text| !text.is_empty());
            more.fold(item.label.clone(), |title, text| format!("{title} — {text}"))
        };
        let titles: Vec<String> = items.iter().map(title_of).collect();
        let names: Vec<&str> = titles.iter().map(String::as_str).collect();
        let chosen = self.outbox.choose(lsp::MessageType::Info, title.to_owned(), &names).await?;
        let at = titles.iter().position(|title| *title == chosen)?;
        items.into_iter().nth(at).map(|item| item.id)
    }
}

impl World {
    /// How lists are shown here.
    pub(super) fn picker(&self) -> Picker {
        Picker { outbox: self.outbox.clone(), pick: self.client.pick }
    }

    /// Whether *Choose cluster…* leads anywhere in a repository.
    pub(super) fn may_choose(&self, repo: RepoId) -> bool {
        self.may_contact() && self.repos.get(&repo).is_none_or(|repo| !repo.offers.never)
    }

    /// Reads which contexts there are and what was answered. Contacts nothing.
    pub(super) fn look_for_offers(&mut self, id: RepoId) {
        let Some(repo) = self.repos.get(&id) else { return };
        if !self.may_contact() {
            return;
        }
        let (root, consents, kubeconfig) =
            (repo.disk.root().to_owned(), self.clusters.consents.clone(), self.kubeconfig_of());
        self.background(
            move || {
                let choices = choices(&root, &consents, &kubeconfig).unwrap_or_default();
                let allowed = choices.iter().filter(|it| it.decision == Decision::Allowed);
                Done::Offers(
                    id,
                    Offers {
                        allowed: allowed.map(|it| it.context.name().to_owned()).collect(),
                        never: !choices.is_empty() && choices.iter().all(|it| it.decision == Decision::Never),
                    },
                )
            },
            || None,
        );
    }

    pub(super) fn offered(&mut self, id: RepoId, offers: Offers) {
        let Some(repo) = self.repos.get_mut(&id) else { return };
        repo.offers = offers;
        self.repository_dirty(id);
    }

    /// Lets the user choose a cluster for a repository, and asks for how long.
    pub(super) fn choose_cluster(&mut self, repo: Option<RepoId>) {
        let known = repo.or_else(|| self.repos.keys().next().copied());
        let Some((id, repo)) = known.and_then(|id| Some((id, self.repos.get(&id)?))) else {
            self.outbox.show(
                lsp::MessageType::Info,
                "Flux: open a file of the repository first, then choose a cluster.",
            );
            return;
        };
        if let Some(why) = self.why_no_contact() {
            self.outbox.show(lsp::MessageType::Info, why);
            return;
        }
        let root = repo.disk.root().to_owned();
        let name = repo.name.to_string();
        let (consents, kubeconfig) = (self.clusters.consents.clone(), self.kubeconfig_of());
        let (picker, outbox, events) = (self.picker(), self.outbox.clone(), self.events.clone());
        tokio::spawn(async move {
            let connect = choose(id, &name, &root, &consents, &kubeconfig, &picker, &outbox).await;
            let told = match connect {
                Ok(Some(connect)) => events.send(Event::Done(Box::new(Done::Connect(vec![connect])))),
                Ok(None) => events.send(Event::Done(Box::new(Done::LookForOffers(id)))),
                Err(sentence) => {
                    outbox.show(lsp::MessageType::Error, format!("Flux: {sentence}"));
                    return;
                }
            };
            // Fails only when the server ends.
            drop(told);
        });
    }

    /// Why no cluster can be chosen, for people.
    fn why_no_contact(&self) -> Option<String> {
        if self.may_contact() {
            return None;
        }
        let recordings: Vec<String> = self.recordings().iter().map(|it| it.display().to_string()).collect();
        Some(if !recordings.is_empty() {
            format!(
                "Flux: this shows the recording {}; no cluster is contacted beside it.",
                recordings.join(", ")
            )
        } else if self.trusted == Some(false) {
            "Flux: this workspace is not trusted, so no cluster is contacted. Trust it first.".to_owned()
        } else {
            "Flux: clusters are switched off (fluxcd.clusters).".to_owned()
        })
    }
}

fn choices(
    root: &Path,
    consents: &Consents,
    kubeconfig: &KubeconfigOf,
) -> Result<Vec<Choice>, KubeconfigError> {
    let kubeconfig = kubeconfig.load()?;
    let mut choices = Vec::new();
    for (key, context) in kubeconfig.contexts() {
        match context {
            Ok(context) => {
                let fingerprint = context.fingerprint();
                let decision = consents.decision(&fingerprint, root);
                choices.push(Choice { context, fingerprint, decision, seen: kubeconfig.state().clone() });
            }
            Err(error) => tracing::info!(context = %key, %error, "not offered"),
        }
    }
    Ok(choices)
}

/// The first list: what there is, where it is, and what will run. Nothing is preselected.
async fn choose(
    repo: RepoId,
    name: &str,
    root: &Path,
    consents: &Consents,
    kubeconfig: &KubeconfigOf,
    picker: &Picker,
    outbox: &Outbox,
) -> Result<Option<Connect>, String> {
    const NEVER: &str = "never";
    let found = {
        let (root, consents, kubeconfig) = (root.to_owned(), consents.clone(), kubeconfig.clone());
        tokio::task::spawn_blocking(move || choices(&root, &consents, &kubeconfig)).await
    };
    let choices = found.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    if choices.is_empty() {
        return Err(
            "the kubeconfig has no context that can be used. `kubectl config get-contexts` lists them."
                .into(),
        );
    }
    let mut items: Vec<PickItem> = choices.iter().enumerate().map(item).collect();
    items.push(PickItem {
        id: NEVER.to_owned(),
        label: "Never in this repository".to_owned(),
        description: String::new(),
        detail: "Flux does not offer clusters here again".to_owned(),
    });
    let title = format!("Which cluster does {name} belong to?");
    let Some(chosen) = picker.pick(&title, items).await else { return Ok(None) };
    if chosen == NEVER {
        for choice in choices {
            remember(consents, &choice.fingerprint, root, Answer::NeverHere, outbox).await;
        }
        return Ok(None);
    }
    let chosen = chosen.parse::<usize>().ok().and_then(|at| choices.into_iter().nth(at));
    let Some(Choice { context, fingerprint, decision, seen }) = chosen else { return Ok(None) };
    if decision != Decision::Allowed {
        let Some(answer) = consent(&context, name, picker).await else { return Ok(None) };
        remember(consents, &fingerprint, root, answer, outbox).await;
        if answer == Answer::NeverHere {
            return Ok(None);
        }
    }
    Ok(Some(Connect { context, fingerprint, repo, seen: Some(seen), chosen: true }))
}

fn item((at, choice): (usize, &Choice)) -> PickItem {
    let Choice { context, decision, .. } = choice;
    let mut detail = context.auth.describe();
    if let Some(proxy) = context.proxy_url() {
        detail.push_str(&format!(", through {proxy}"));
    }
    if let Some((user, _)) = context.impersonates() {
        detail.push_str(&format!(", as {user}"));
    }
    match decision {
        Decision::Allowed => detail.push_str(" · allowed"),
        Decision::Never => detail.push_str(" · you answered: never here"),
        Decision::Ask { changed: true } => detail.push_str(" · changed since you allowed it"),
        Decision::Ask { changed: false } => {}
    }
    PickItem {
        id: at.to_string(),
        label: context.name().to_owned(),
        description: context.server.clone(),
        detail,
    }
}

/// The second list: for how long.
async fn consent(context: &Context, name: &str, picker: &Picker) -> Option<Answer> {
    let answers = [
        (Answer::ThisRepository, "here", "This repository", format!("Connect for files of {name}")),
        (
            Answer::Everywhere,
            "everywhere",
            "Everywhere",
            "Connect for files of any repository that belong to it".into(),
        ),
        (
            Answer::NeverHere,
            "never",
            "Never here",
            format!("Do not offer {} in {name} again", context.name()),
        ),
    ];
    let items = answers.iter().map(|(_, id, label, detail)| PickItem {
        id: (*id).to_owned(),
        label: (*label).to_owned(),
        description: String::new(),
        detail: detail.clone(),
    });
    let title = format!(
        "Connect to {} ({})? {}.",
        context.name(),
        context.server,
        sentence(&context.auth.describe())
    );
    let chosen = picker.pick(&title, items.collect()).await?;
    answers.iter().find(|(_, id, ..)| **id == chosen).map(|(answer, ..)| *answer)
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Keeps an answer for other windows and days; where that fails it holds for this window.
async fn remember(
    consents: &Consents,
    fingerprint: &Fingerprint,
    root: &Path,
    answer: Answer,
    outbox: &Outbox,
) {
    let (consents, fingerprint, root) = (consents.clone(), fingerprint.clone(), root.to_owned());
    let kept = tokio::task::spawn_blocking(move || consents.answer(&fingerprint, &root, answer)).await;
    if let Ok(Err(error)) = kept {
        outbox.show(lsp::MessageType::Warning, format!("Flux: {error}"));
    }
}

impl super::clusters::ClusterSet {
    /// Contexts that were allowed in a repository and are not connected, for "(prod not connected)".
    pub(crate) fn not_connected(
        &self,
        offers: &Offers,
        settings: &crate::settings::Settings,
    ) -> Arc<[String]> {
        let missing = offers.allowed.iter().filter(|name| !self.is_connected(name));
        missing.map(|name| settings.alias(name).to_owned()).collect()
    }
}
