//! How texts of this repository come to a Kustomization: the reference that is followed, and the sources behind it.

use flux::{Kind, Object, ObjectId, Revision, Role};
use jiff::Timestamp;
use std::sync::Arc;

use crate::inputs::Tip;
use crate::view::View;

/// How texts of this repository come to a Kustomization.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// The sources, the one that is nearest to Git first. Empty if none was read.
    pub(crate) hops: Vec<Hop>,
    pub(crate) follows: Follows,
    /// Where the reference stands that is followed: the remote, and its tip as of the last fetch.
    pub(crate) tip: Option<(String, Tip)>,
}

/// A source on the way.
#[derive(Debug, Clone)]
pub(crate) struct Hop {
    pub(crate) source: Arc<Object>,
    /// What it has: the Git revision if that is known, else the artifact's.
    pub(crate) revision: Option<Revision>,
    /// When it was stored.
    pub(crate) updated: Option<Timestamp>,
}

/// What the first source takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Follows {
    /// The newest commit of a branch.
    Branch(String),
    /// Any other reference of Git, which somebody moves: `refs/pull/12/head`.
    Reference(String),
    /// One tag, which stays where it is.
    Tag(String),
    /// The highest tag in a range.
    Range(String),
    /// One commit.
    Commit(String),
    /// An artifact that somebody pushes, by tag, range or digest; with the branch that it was made from.
    Artifact { by: String, branch: Option<String> },
    /// What is not a way from Git at all, or is not known.
    Unknown,
}

impl Follows {
    /// The branch that a text has to be in, to be taken.
    pub(crate) fn branch(&self) -> Option<&str> {
        match self {
            Self::Branch(branch) => Some(branch),
            Self::Artifact { branch, .. } => branch.as_deref(),
            _ => None,
        }
    }

    /// For behind "follows".
    pub(crate) fn words(&self) -> Option<String> {
        Some(match self {
            Self::Branch(it) | Self::Reference(it) => it.clone(),
            Self::Tag(it) => format!("tag {it}"),
            Self::Range(it) => format!("tags {it}"),
            Self::Commit(it) => format!("commit {}", it.get(..7).unwrap_or(it)),
            Self::Artifact { by, .. } => format!("artifact {by}"),
            Self::Unknown => return None,
        })
    }
}

impl View<'_> {
    /// The way to a Kustomization; `None` if it is not live.
    pub(crate) fn way(&self, cluster: usize, kustomization: &ObjectId) -> Option<Arc<Way>> {
        let key = (cluster, kustomization.clone());
        if let Some(known) = self.ways.borrow().get(&key) {
            return known.clone();
        }
        let way = self.facts(cluster).get(kustomization).map(|it| Arc::new(self.way_to(cluster, it)));
        self.ways.borrow_mut().insert(key, way.clone());
        way
    }

    fn way_to(&self, cluster: usize, kustomization: &Object) -> Way {
        let facts = self.facts(cluster);
        let mut hops: Vec<Hop> = facts.source_of(kustomization).map(hop).into_iter().collect();
        if let Some(first) = hops.first().map(|it| Arc::clone(&it.source))
            && first.kind == Kind::ExternalArtifact
            && let Some(generator) = facts.generator_of(&first.id)
        {
            let ours = generator.references().iter().filter(|it| it.role == Role::Source);
            let ours = ours.filter_map(|it| facts.get(&it.target)).find(|it| {
                let url = match it.kind {
                    Kind::GitRepository => it.spec.url.as_deref(),
                    _ => it.status.artifact.as_ref().and_then(|it| it.origin_source.as_deref()),
                };
                url.is_some_and(|it| self.inputs.repo.remotes.is_ours(it))
            });
            hops.splice(0..0, ours.map(hop));
        }
        self.way_by(hops)
    }

    /// The way of what is taken from one source.
    pub(crate) fn way_from(&self, source: &Arc<Object>) -> Arc<Way> {
        Arc::new(self.way_by(vec![hop(source)]))
    }

    fn way_by(&self, hops: Vec<Hop>) -> Way {
        let follows = hops.first().map_or(Follows::Unknown, follows);
        let tip = self.tip(&hops, &follows);
        Way { hops, follows, tip }
    }

    fn tip(&self, hops: &[Hop], follows: &Follows) -> Option<(String, Tip)> {
        let first = &hops.first()?.source;
        let url = match first.kind {
            Kind::GitRepository => first.spec.url.as_deref(),
            _ => first.status.artifact.as_ref().and_then(|it| it.origin_source.as_deref()),
        };
        let repo = &self.inputs.repo;
        let (remote, tip) = repo.refs.tip(&repo.remotes.named(url?), follows.branch()?)?;
        Some((remote.to_owned(), tip.clone()))
    }
}

fn hop(source: &Arc<Object>) -> Hop {
    let artifact = source.status.artifact.as_ref();
    let revision = artifact.map(|it| it.origin_revision.clone().unwrap_or_else(|| it.revision.clone()));
    Hop { source: Arc::clone(source), revision, updated: artifact.and_then(|it| it.updated) }
}

/// What a source takes. Of several references Flux takes commit, name, range, tag, branch in this order (source-controller,
/// `GitRepositoryRef`), and `master` where there is none.
fn follows(hop: &Hop) -> Follows {
    let spec = &hop.source.spec.follows;
    let own = |it: &Arc<str>| it.to_string();
    match hop.source.kind {
        Kind::GitRepository => {
            if let Some(commit) = &spec.commit {
                Follows::Commit(own(commit))
            } else if let Some(name) = &spec.name {
                match (name.strip_prefix("refs/heads/"), name.strip_prefix("refs/tags/")) {
                    (Some(branch), _) => Follows::Branch(branch.to_owned()),
                    (_, Some(tag)) => Follows::Tag(tag.to_owned()),
                    _ => Follows::Reference(own(name)),
                }
            } else if let Some(range) = &spec.semver {
                Follows::Range(own(range))
            } else if let Some(tag) = &spec.tag {
                Follows::Tag(own(tag))
            } else {
                let found = || hop.revision.as_ref().and_then(|it| it.name()).unwrap_or("master").to_owned();
                Follows::Branch(spec.branch.as_ref().map_or_else(found, own))
            }
        }
        Kind::OCIRepository => {
            let by = match (&spec.digest, &spec.semver, &spec.tag) {
                (Some(digest), ..) => digest.get(..14).unwrap_or(digest).to_owned(),
                (None, Some(range), _) => own(range),
                (None, None, Some(tag)) => own(tag),
                (None, None, None) => "latest".to_owned(),
            };
            let branch = hop.revision.as_ref().filter(|it| it.commit().is_some());
            Follows::Artifact { by, branch: branch.and_then(|it| it.name()).map(str::to_owned) }
        }
        _ => Follows::Unknown,
    }
}
