//! Objects that several Kustomizations of a cluster apply: what is live is the text of whoever came last, so that none of their
//! texts has a ✓.

use flux::{Kind, Object, ObjectId};
use manifests::kustomize::{Id, Origin};
use std::sync::Arc;

use crate::page::{Page, spans};
use crate::view::{Standing, View, in_inventory};
use crate::words;

impl View<'_> {
    /// The other Kustomizations whose inventories hold an object of this cluster. What merely is to apply it does not count.
    pub(crate) fn rivals(&self, cluster: usize, applier: &ObjectId, object: &ObjectId) -> Vec<Arc<Object>> {
        let all = self.facts(cluster).appliers_of(object);
        // Nearly always; an inventory of what is sent to another cluster is about another object.
        let is_here = |it: &&&Arc<Object>| it.kind == Kind::Kustomization && !it.spec.remote;
        if !all.iter().filter(is_here).any(|it| it.id == *applier) {
            return Vec::new();
        }
        all.iter().filter(is_here).filter(|it| it.id != *applier).map(|it| Arc::clone(it)).collect()
    }

    /// The same of a Flux object.
    pub(crate) fn rivals_of(&self, standing: &Standing) -> Vec<Arc<Object>> {
        match &standing.applier {
            Some(applier) => self.rivals(standing.cluster, &applier.id, &standing.object),
            None => Vec::new(),
        }
    }

    /// What a Kustomization's build makes an object of; none where it does not make it.
    pub(crate) fn makes(&self, cluster: usize, by: &Object, object: &ObjectId) -> Option<&Origin> {
        let binding = &self.derived[cluster].binding;
        let (at, _) = binding.deliveries.of(&by.id)?;
        let is_it = |id: &Id| *id.kind == *object.kind && id.may_be_named(&object.name);
        let mut outlines = binding.covered.get(at)?.objects.iter().filter(|it| is_it(&it.id));
        outlines.find(|it| in_inventory(by, it).contains(object)).map(|it| &it.origin)
    }

    /// Who else applies an object, a line each; `owner` is what the live object's labels name.
    pub(crate) fn say_rivals(
        &self,
        page: &mut Page,
        cluster: usize,
        (object, rivals): (&ObjectId, &[Arc<Object>]),
        owner: Option<&ObjectId>,
    ) {
        for it in rivals {
            let mut line = spans![w "also applied by ", d it.id];
            if let Some(Origin::Document { path, .. }) = self.makes(cluster, it, object) {
                line.extend(spans![w ", from ", d path]);
            }
            line.extend(match it.spec.suspend {
                true => spans![w ", which is suspended"],
                false => spans![w ": they overwrite each other"],
            });
            page.item(line);
        }
        if let Some(owner) = owner.filter(|_| !rivals.is_empty()) {
            page.item(spans![w "by its labels the object belongs to ", d owner, w " now"]);
        }
    }
}

/// `, also applied by c3`; nothing without rivals. Their namespaces are told where names alone do not tell them apart.
pub(crate) fn also(applier: &ObjectId, rivals: &[Arc<Object>]) -> String {
    let name = |it: &Arc<Object>| match it.id.name == applier.name {
        true => words::data(&format!("{}/{}", it.id.namespace, it.id.name)),
        false => words::data(&it.id.name),
    };
    match rivals.iter().map(name).collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        names => format!(", also applied by {}", words::list(names)),
    }
}
