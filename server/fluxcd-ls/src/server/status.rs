//! What a status bar shows: counts of all clusters, and how HEAD of each repository stands.

use super::analysing::Lanes;
use super::to_lsp;
use super::world::{Done, World};
use crate::lsp::convert;
use crate::lsp::custom::{ClusterStatus, HeadParams, StatusNotification};
use crate::settings::StatusBar;

impl World {
    /// Whether somebody shows a status bar.
    pub(super) fn has_status_bar(&self) -> bool {
        self.initialized && self.client.status && self.settings.status_bar != StatusBar::Off
    }

    /// Counts for the status bar, when something changed. Not on the owner's time: it looks at every object.
    pub(super) fn tell_status(&mut self) {
        // What is in front of the user comes first.
        let is_busy = self.lanes.values().any(Lanes::is_busy);
        if !self.status_dirty || self.counting || is_busy || !self.has_status_bar() {
            return;
        }
        // The counts do not depend on a repository: any one serves, and before there is one nothing is counted.
        let Some(mut view) = self.repos.keys().next().and_then(|id| self.view(*id)) else { return };
        view.clusters = self.clusters.all_snapshots(&self.settings);
        self.status_dirty = false;
        self.counting = true;
        self.background(
            move || Done::Counted(Some(view.ask(analysis::summary))),
            || Some(Done::Counted(None)),
        );
    }

    pub(super) fn counted(&mut self, summary: Option<analysis::Summary>) {
        self.counting = false;
        let Some(summary) = summary else { return };
        let clusters = self.clusters.iter().map(|it| {
            let text = summary.clusters.iter().find(|one| *one.key == *it.key).map(|one| one.text.clone());
            ClusterStatus {
                name: self.settings.alias(&it.key).to_owned(),
                state: it.word().to_owned(),
                text: text.unwrap_or_default(),
            }
        });
        let clusters = clusters.collect();
        self.counts = Some(to_lsp::status(summary, clusters));
        self.send_status();
    }

    /// Tells the status bar, if it shows something else.
    pub(super) fn send_status(&mut self) {
        let Some(mut status) = self.counts.clone().filter(|_| self.has_status_bar()) else { return };
        status.heads = self.repos.keys().filter_map(|id| self.head_params(*id)).collect();
        if self.status.as_ref() != Some(&status) {
            self.outbox.notify::<StatusNotification>(status.clone());
            self.status = Some(status);
        }
    }

    /// How HEAD of a repository stands, in the words of the protocol.
    pub(super) fn head_params(&self, id: super::watch::RepoId) -> Option<HeadParams> {
        let repo = self.repos.get(&id)?;
        let root = convert::uri_of(repo.disk.root())?;
        Some(to_lsp::head(&root, &repo.name, repo.head.shown.as_ref()?))
    }
}
