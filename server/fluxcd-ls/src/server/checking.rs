//! *Check now*: what this clone knows of its remotes is what was fetched last, and nobody fetches unasked. Asked, we do.

use std::collections::BTreeSet;

use analysis::Remotes as _;
use flux::Kind;

use super::Event;
use super::commands::{What, begin, end};
use super::watch::RepoId;
use super::world::{Done, World};
use crate::lsp::types as lsp;

impl World {
    /// Fetches from the remotes that clusters follow, asks the forge again if it may be asked, and tries clusters again that
    /// are out of reach.
    pub(super) fn check_now(&mut self, id: Option<RepoId>) {
        let say = |text: &str| self.outbox.show(lsp::MessageType::Info, text);
        // Git runs what the clone's own configuration says.
        if self.trusted == Some(false) {
            return say("Flux: this workspace is not trusted, so nothing is fetched for it. Trust it first.");
        }
        let known = id.or_else(|| self.repos.keys().next().copied());
        let Some((id, repo)) = known.and_then(|id| Some((id, self.repos.get(&id)?))) else {
            return say("Flux: open a file of the repository first.");
        };
        if repo.git.is_none() {
            return say("Flux: this folder is no Git repository, so there is nothing to fetch.");
        }
        let (name, root, followed) = (repo.name.clone(), repo.disk.root().to_owned(), self.followed(id));
        let Some((token, cancel)) = self.running.start(What::Check(id)) else { return };
        self.clusters.try_again(id);
        self.read_forge_again(id);
        let (outbox, progress, events) = (self.outbox.clone(), self.client.progress, self.events.clone());
        tokio::spawn(async move {
            let title = match followed.as_slice() {
                [] => format!("Flux: git fetch in {name}"),
                some => format!("Flux: git fetch {} in {name}", some.join(" ")),
            };
            begin(&outbox, progress, &token, &title).await;
            let fetched = tokio::select! {
                () = cancel.cancelled() => None,
                fetched = forge::fetch(&root, &followed) => Some(fetched),
            };
            end(&outbox, progress, &token);
            match fetched {
                Some(Ok(())) => outbox.show(lsp::MessageType::Info, format!("{title}: done.")),
                Some(Err(error)) => outbox.show(
                    lsp::MessageType::Warning,
                    format!("Flux: {error}. What is shown of {name} is as of the last fetch."),
                ),
                None => {}
            }
            let _ = events.send(Event::Done(Box::new(Done::Checked(token, id))));
        });
    }

    /// A fetch ended: also where it brought nothing it tells how old that is.
    pub(super) fn checked(&mut self, token: &lsp::ProgressToken, id: RepoId) {
        self.running.ended(token);
        self.read_git(id);
    }

    /// The remotes of a clone that sources of its clusters have the address of, by name.
    fn followed(&self, id: RepoId) -> Vec<String> {
        let Some(repo) = self.repos.get(&id) else { return Vec::new() };
        let clusters = self.clusters.snapshots(id, &self.settings);
        let sources = clusters.iter().flat_map(|it| it.facts.of_kind(Kind::GitRepository));
        let remotes = sources.filter_map(|it| repo.remotes.named(it.spec.url.as_deref()?).into_iter().next());
        remotes.collect::<BTreeSet<String>>().into_iter().collect()
    }
}
