//! What is said of a kustomization.yaml: which Flux Kustomizations build it, in clusters and in the files.

use flux::ObjectId;
use manifests::{Document, ParsedFile, RepoPath, TextRange, TextSize};

use crate::deliveries::Gap;
use crate::index::DocRef;
use crate::navigation;
use crate::page::{Page, spans};
use crate::view::{Absent, View};
use crate::words;

/// So many are named; of more the number.
const NAMED: usize = 20;

impl View<'_> {
    /// Who builds a kustomization.yaml: how far a change in it reaches.
    pub(crate) fn page_of_build(&self, path: &RepoPath, file: &ParsedFile) -> Page {
        let mut page = Page::default();
        let mut live: Vec<(usize, ObjectId)> = Vec::new();
        for (cluster, derived) in self.derived.iter().enumerate() {
            let readers = derived.binding.known_to_read(path);
            live.extend(readers.map(|it| (cluster, it.kustomization.id.clone())));
        }
        let placed: Vec<DocRef> =
            live.iter().filter_map(|(cluster, id)| Some(self.place_of(*cluster, id, false)?.0)).collect();
        let mut written = navigation::appliers(self.inputs, path, file);
        written.retain(|at| !placed.contains(at));
        page.heading(spans![d path]);
        let clusters = {
            let mut all: Vec<usize> = live.iter().map(|it| it.0).collect();
            all.dedup();
            all.len()
        };
        match (live.len(), written.len()) {
            (0, 0) => page.line(spans![w "No Flux Kustomization is known to build this."]),
            (0, _) => page.line(spans![w "Built by what these files say:"]),
            (1, _) => page.line(spans![w "Built by one Flux Kustomization:"]),
            (many, _) if clusters == 1 => page.line(spans![w "Built by ", d many, w " Flux Kustomizations:"]),
            (many, _) => page.line(
                spans![w "Built by ", d many, w " Flux Kustomizations in ", d clusters, w " clusters:"],
            ),
        }
        for (cluster, id) in live.iter().take(NAMED) {
            let mut line = spans![d self.cluster(*cluster).name, w ": ", d id];
            if let Some(phrase) = self.verdict(*cluster, id).and_then(|it| self.phrase(*cluster, &it)) {
                line.extend(spans![w ": ", d phrase]);
            }
            if let Some(freshness) = self.freshness(self.proof(*cluster)) {
                line.extend(spans![w ", ", w freshness]);
            }
            page.item(line);
        }
        for at in written.iter().take(NAMED.saturating_sub(live.len())) {
            let name = self.inputs.repo.index.document(at).and_then(|it| it.document.identity());
            let name = name.map(|it| format!("{}/{}", it.kind, it.name)).unwrap_or_default();
            page.item(spans![d name, w " in ", d at.path, w ", as far as the files tell"]);
        }
        self.say_reports_of_appliers(&mut page, path, file, None);
        if live.len() + written.len() > NAMED {
            page.item(spans![w "and ", d live.len() + written.len() - NAMED, w " more"]);
        }
        for index in 0..self.inputs.clusters.len() {
            if !live.iter().any(|(cluster, _)| *cluster == index) {
                self.say_unread(&mut page, index);
            }
        }
        page
    }

    /// That a cluster is not known to read a file, and what of it was not looked at.
    pub(crate) fn say_unread(&self, page: &mut Page, index: usize) {
        let name = words::data(self.cluster(index).name);
        match self.unread(index, None).filter(|_| self.proof(index) != crate::Proof::None) {
            Some(why) => {
                page.line(spans![d name, w ": cannot be told which Kustomizations read this file: ", d why])
            }
            None => page.line(spans![d name, w ": no Kustomization is known to read this file."]),
        }
        self.say_untold(page, index);
        self.say_contact(page, index);
    }

    /// Kustomizations of a cluster of which it cannot be told what they apply.
    pub(crate) fn say_untold(&self, page: &mut Page, index: usize) {
        let name = words::data(self.cluster(index).name);
        for (ids, why) in self.untold(index) {
            let what = match ids.as_slice() {
                [one] => format!("{one} applies"),
                many => format!("{} Kustomizations apply", many.len()),
            };
            page.item(spans![d name, w ": what ", d what, w " cannot be told: ", d why]);
        }
    }

    /// Those, with the same reason together.
    fn untold(&self, cluster: usize) -> Vec<(Vec<ObjectId>, String)> {
        let mut grouped: Vec<(Vec<ObjectId>, String)> = Vec::new();
        for (id, why) in &self.derived[cluster].binding.deliveries.untold {
            let why = self.gap(cluster, why);
            match grouped.iter_mut().find(|(_, known)| *known == why) {
                Some((ids, _)) => ids.push(id.clone()),
                None => grouped.push((vec![id.clone()], why)),
            }
        }
        grouped
    }

    fn gap(&self, cluster: usize, gap: &Gap) -> String {
        match gap {
            Gap::Source(source) => match self.absent(cluster, source) {
                Absent::Really => format!("its source {source} does not exist"),
                Absent::Forbidden { verb, resource } => format!("no permission to {verb} {resource}"),
                Absent::OtherNamespace => {
                    format!("its source {source} is in a namespace without permission")
                }
                Absent::NotServed => format!("the cluster does not serve its source {source}"),
                Absent::NotYet => "its source is not read yet".to_owned(),
                Absent::NotRecorded => format!("its source {source} is not in the recording"),
            },
            Gap::NoOrigin(source) => format!("{source} does not say which repository it was made from"),
            Gap::NoMaker(source) => format!("what made {source} is not known"),
        }
    }
}

/// Where a kustomization.yaml has its hover: at its kind, of one without at its first key.
pub(crate) fn handle(document: &Document, offset: TextSize) -> Option<TextRange> {
    let entries = document.root.as_ref()?.as_mapping()?;
    match entries.iter().find(|it| it.is("kind")) {
        Some(kind) => [kind.value.range, kind.key.range].into_iter().find(|it| it.contains_inclusive(offset)),
        None => Some(entries.first()?.key.range).filter(|it| it.contains_inclusive(offset)),
    }
}
