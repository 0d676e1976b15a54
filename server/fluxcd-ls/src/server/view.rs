//! The world as a worker sees it: one repository and its clusters, at one moment.

use std::sync::Arc;

use analysis::{
    ClusterView, Contact, Inputs, LiveObjects, Memo, Offer, Past, Refs, RepoIndex, RepoView, Rights, Settings,
};
use flux::Facts;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use manifests::RepoPath;

use super::disk::Overlay;
use super::documents::Text;
use super::past::Blobs;
use super::repository::Remotes;

/// One cluster at one moment.
#[derive(Clone)]
pub(crate) struct ClusterSnapshot {
    /// What commands carry.
    pub key: Arc<str>,
    /// What people read.
    pub name: Arc<str>,
    /// What it said.
    pub facts: Arc<Facts>,
    /// How fresh that is.
    pub contact: Contact,
    /// What the user may do.
    pub rights: Arc<Rights>,
    /// Objects that are none of Flux's, as far as they were read.
    pub live: Arc<LiveObjects>,
    /// Whether every action asks.
    pub protected: bool,
}

/// One repository and its clusters at one moment. Cheap to make and to send to a worker.
#[derive(Clone)]
pub(crate) struct View {
    /// The repository's name.
    pub name: Arc<str>,
    /// The files.
    pub overlay: Overlay,
    /// The Flux objects in them, but for what is in `untold`.
    pub index: RepoIndex,
    /// Open texts that the index does not know yet.
    pub untold: Vec<(RepoPath, Arc<Text>)>,
    /// Which addresses are this repository.
    pub remotes: Arc<Remotes>,
    /// What is checked out, and the branches and tags as of the last fetch.
    pub refs: Arc<Refs>,
    /// What was parsed of commits.
    pub blobs: Arc<Blobs>,
    /// Answers of Git.
    pub past: Arc<Past>,
    /// What the forge told, or can be asked.
    pub reported: Option<Arc<analysis::Reported>>,
    /// Kept between answers.
    pub memo: Arc<Memo>,
    /// The clusters of this repository.
    pub clusters: Vec<ClusterSnapshot>,
    /// Contexts that the user knows and that are not connected.
    pub not_connected: Arc<[String]>,
    /// Whether a cluster can be chosen.
    pub choose: bool,
    /// What users chose.
    pub settings: Arc<Settings>,
    /// The time.
    pub now: Timestamp,
}

impl View {
    /// Tells the index what it does not know. The first thing a worker does: it may parse.
    pub(crate) fn tell(&mut self) {
        for (path, text) in std::mem::take(&mut self.untold) {
            self.index.set(&path, Some(text.parsed().clone()));
        }
    }

    /// Asks analysis something.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&Inputs<'_>) -> T) -> T {
        let clusters: Vec<_> = self
            .clusters
            .iter()
            .map(|it| ClusterView {
                key: &it.key,
                name: &it.name,
                facts: &it.facts,
                contact: it.contact.clone(),
                rights: &it.rights,
                live: &it.live,
                protected: it.protected,
            })
            .collect();
        question(&Inputs {
            repo: RepoView {
                name: &self.name,
                remotes: &*self.remotes,
                tree: &self.overlay,
                index: &self.index,
                saved: self.overlay.is_dirty().then_some(&*self.overlay.disk as &dyn manifests::Tree),
                refs: &self.refs,
            },
            clusters: &clusters,
            offer: Offer { choose: self.choose, not_connected: &self.not_connected },
            past: &self.past,
            reported: self.reported.as_deref(),
            settings: &self.settings,
            memo: &self.memo,
            now: self.now,
            zone: &TimeZone::system(),
        })
    }
}
