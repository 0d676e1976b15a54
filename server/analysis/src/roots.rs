//! Which folder of this repository an artifact was pushed from.
//!
//! Nobody writes that down: `org.opencontainers.image.source` names the repository, not the folder. Most artifacts hold the
//! whole repository. Where the files prove that, `./apps` in the artifact is `./apps` here.

use flux::{Object, ObjectId};
use manifests::RepoPath;
use std::collections::HashSet;
use std::sync::Arc;

use crate::deliveries::{Deliveries, From};
use crate::index::Covered;
use crate::inputs::RepoView;
use crate::kept::BuildKey;
use crate::view::in_inventory;

/// The deliveries, those of artifacts that are known to hold the whole repository as builds of it.
pub(crate) fn rooted(told: &Arc<Deliveries>, repo: &RepoView<'_>) -> Arc<Deliveries> {
    let is_rooted = |(at, delivery): (usize, &crate::deliveries::Delivery)| match &delivery.from {
        From::Somewhere(key) if holds_all(&delivery.kustomization, key, repo) => Some(at),
        _ => None,
    };
    let found: Vec<usize> = told.from_here.iter().enumerate().filter_map(is_rooted).collect();
    if found.is_empty() {
        return Arc::clone(told);
    }
    let mut deliveries = Deliveries::clone(told);
    for at in found {
        let Some(delivery) = deliveries.from_here.get_mut(at) else { continue };
        delivery.from = From::Build(delivery.from.key().clone());
    }
    Arc::new(deliveries)
}

/// Whether the folder of this name at the top of the repository makes what is in the inventory, and no folder of this name
/// further down does. A root of its own name (`./`) proves nothing: every folder has one.
fn holds_all(kustomization: &Object, key: &BuildKey, repo: &RepoView<'_>) -> bool {
    // What is copied is named by its folder, whatever the root of the copy is.
    if key.dir.is_root() && key.copies.is_none() {
        return false;
    }
    let (made, all) = makes(kustomization, &repo.index.covered(repo.tree, key));
    if key.copies.is_some() {
        return made > 0 && made == all;
    }
    let others = repo.index.folders_ending_in(&key.dir);
    if others.is_empty() {
        // There is no other folder that it can be; objects come and go with edits.
        return made > 0 && made * 2 >= all;
    }
    let makes_all = |dir: RepoPath| {
        let (made, all) =
            makes(kustomization, &repo.index.covered(repo.tree, &BuildKey { dir, ..key.clone() }));
        made == all
    };
    made > 0 && made == all && !others.into_iter().any(makes_all)
}

/// How many entries of an inventory a build makes, of how many.
fn makes(kustomization: &Object, covered: &Covered) -> (usize, usize) {
    let Some(inventory) = &kustomization.status.inventory else { return (0, 0) };
    let made: HashSet<ObjectId> =
        covered.objects.iter().flat_map(|it| in_inventory(kustomization, it)).collect();
    let all = inventory.iter();
    all.fold((0, 0), |(found, all), it| (found + usize::from(made.contains(&it.id())), all + 1))
}
