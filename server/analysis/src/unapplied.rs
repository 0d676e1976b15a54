//! Files that no build reads: nothing applies them, or a source leaves them out, or it cannot be told (design 3.3).
//!
//! What a build made and does not make any more is still applied until that is. "Nothing applies this" needs every cluster
//! that may be asked to be read, and nothing to be unknown of what they apply. Only objects count: a patch, what a generator
//! reads, Helm values and templates are applied by nobody as they are.

use flux::{Kind, Object, ObjectId};
use manifests::kustomize::{Built, Id, Origin};
use manifests::{Identity, LeftOut, ParsedFile, Placed, RepoPath, Role};

use crate::index::flux_object;
use crate::inputs::Proof;
use crate::lenses::{Row, start_of};
use crate::page::{Page, spans};
use crate::report::{Command, Finding, LensItem, LensRow};
use crate::state::Tone;
use crate::view::View;
use crate::words;

/// What is known of an object that no build reads.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Unapplied {
    /// A source leaves its file out of what clusters fetch.
    LeftOut { why: LeftOut },
    /// A build made it, and does not any more: it is live until that is applied. What that is called, by cluster.
    Still { words: Vec<String> },
    /// Nothing applies it.
    Nothing { words: String },
    /// Nothing is known to.
    Unsure { words: String, doubts: Vec<String> },
}

/// How many doubts are told.
const DOUBTS: usize = 6;

impl View<'_> {
    /// A file of which something is to be shown without being asked.
    pub(crate) fn file_to_show(&self, path: &RepoPath) -> Option<ParsedFile> {
        self.any_file(path).or_else(|| {
            let wanted = self.inputs.settings.not_applied.is_some()
                || self.reads_reports()
                || (0..self.inputs.clusters.len()).any(|it| self.hides_appliers(it));
            wanted.then(|| self.inputs.repo.tree.parsed(path)).flatten()
        })
    }

    /// A file that no build reads, and of which there is something to say all the same.
    pub(crate) fn plain_file(&self, path: &RepoPath) -> Option<ParsedFile> {
        let file = self.inputs.repo.tree.parsed(path)?;
        let is_told = |(nth, placed): (usize, &Placed)| {
            self.page_of_unapplied(path, placed).is_some()
                || !self.unowned(path, nth, placed).is_empty()
                || self.page_of_reported(path, &file, placed).is_some()
        };
        file.documents().iter().enumerate().any(is_told).then_some(file)
    }

    fn unapplied(&self, path: &RepoPath, placed: &Placed) -> Option<Unapplied> {
        if !matches!(placed.document.role_in(path), Role::Object | Role::List)
            || self.inputs.clusters.is_empty()
        {
            return None;
        }
        if self.derived.iter().any(|it| !it.binding.covering(path).is_empty()) {
            return None;
        }
        let kind = flux_object(&placed.document).map(|(kind, _)| kind);
        if kind.is_some() && !self.standings(path, &placed.document).is_empty() {
            return None;
        }
        if self.is_of_a_chart(path) || crate::navigation::is_input(self.inputs, path) {
            return None;
        }
        let words = self.still_applied(path, placed);
        if !words.is_empty() {
            return Some(Unapplied::Still { words });
        }
        let clusters = 0..self.inputs.clusters.len();
        if let Some(why) = clusters.flat_map(|it| self.left_out_of(it, path)).next() {
            return Some(Unapplied::LeftOut { why });
        }
        let words = self.of_nothing_at(path, kind)?;
        let doubts = self.doubts(path, placed, kind);
        Some(if doubts.is_empty() {
            Unapplied::Nothing { words }
        } else {
            Unapplied::Unsure { words, doubts }
        })
    }

    /// What Kustomizations of this repository have in their inventories, and do not make of any text that is here now.
    fn still_applied(&self, path: &RepoPath, placed: &Placed) -> Vec<String> {
        let mut words = Vec::new();
        for (cluster, derived) in self.derived.iter().enumerate() {
            let is_known = matches!(self.proof(cluster), Proof::Live | Proof::Recorded { .. });
            if !is_known || !self.inputs.settings.maps(path, self.cluster(cluster)) {
                continue;
            }
            let binding = &derived.binding;
            for (delivery, covered) in binding.deliveries.from_here.iter().zip(&binding.covered) {
                let by = &delivery.kustomization;
                // Where part of a build is not known, that part may make it.
                if !delivery.from.is_certain()
                    || covered.hides
                    || self.is_taken_out(cluster, by, path, placed) != Some(true)
                {
                    continue;
                }
                let applied = self.verdict(cluster, &by.id).and_then(|it| it.applied.clone());
                let applied = applied.map(|it| format!(" {}", words::data(&it.to_string())));
                let end = if by.spec.prune && !keeps(placed) { "removed" } else { "left behind" };
                words.push(format!(
                    "{}: still applied{} by {}; taken out here, will be {end} when that is applied",
                    words::data(self.cluster(cluster).name),
                    applied.unwrap_or_default(),
                    words::data(&by.id.name),
                ));
            }
        }
        words
    }

    /// Whether a Kustomization has an object in its inventory that a document was, and makes it of no text that is here now.
    /// `None` where something like it is there, and cannot be told from it.
    fn is_taken_out(&self, cluster: usize, by: &Object, path: &RepoPath, placed: &Placed) -> Option<bool> {
        let Some(identity) = placed.document.identity() else { return Some(false) };
        let Some(inventory) = by.status.inventory.as_ref() else { return Some(false) };
        let namespace = identity.namespace.as_deref();
        let is_named = |it: &flux::InventoryEntry<'_>| {
            *it.name == *identity.name
                && (it.namespace.is_empty() || namespace.is_none_or(|namespace| *namespace == *it.namespace))
        };
        let alike = inventory.iter().filter(|it| {
            *it.kind == *identity.kind && *it.group == *identity.group && it.name.contains(&*identity.name)
        });
        let (same, others): (Vec<_>, Vec<_>) = alike
            .map(|it| (is_named(&it), it.id()))
            .filter(|(_, it)| self.makes(cluster, by, it).is_none())
            .partition(|(is_named, _)| *is_named);
        if !same.is_empty() {
            return Some(true);
        }
        if others.is_empty() {
            return Some(false);
        }
        // An overlay may have had another name and namespace for it.
        let mut made = others.iter().map(|(_, it)| self.was_made_of(cluster, by, it, path, identity));
        made.try_fold(false, |any, it| Some(any || it?))
    }

    /// Whether a Kustomization made an object of a document, at the revision that it applied last; `None` if that cannot be
    /// told (yet).
    fn was_made_of(
        &self,
        cluster: usize,
        by: &Object,
        object: &ObjectId,
        path: &RepoPath,
        identity: &Identity,
    ) -> Option<bool> {
        let applied = self.verdict(cluster, &by.id)?.applied.clone()?;
        let version = self.point(&applied).ok()?;
        let Some(file) = self.file_at(version.commit()?, path)? else { return Some(false) };
        let content = self.content_in(&version, cluster, &by.id)?;
        let of_document = |index: usize| {
            let then = file.documents().get(index).and_then(|it| it.document.identity());
            then.is_some_and(|it| (&it.kind, &it.name) == (&identity.kind, &identity.name))
        };
        let is_object = |it: &Id| {
            let namespace = it.namespace.as_ref().is_none_or(|it| **it == *object.namespace);
            *it.kind == *object.kind
                && *it.group == *object.group
                && *it.name == *object.name
                && (namespace || object.namespace.is_empty())
        };
        let is_it = |it: &Built| {
            matches!(&it.origin, Origin::Document { path: of, index } if of == path && of_document(*index))
                && it.id().is_some_and(|it| is_object(&it))
        };
        Some(content.build.objects.iter().any(is_it))
    }

    /// Whether a file belongs to a Helm chart: what it is, a HelmRelease tells.
    pub(crate) fn is_of_a_chart(&self, path: &RepoPath) -> bool {
        let mut folder = path.parent();
        while let Some(at) = folder {
            if at.join("Chart.yaml").is_some_and(|it| self.inputs.repo.tree.read(&it).is_some()) {
                return true;
            }
            folder = at.parent();
        }
        false
    }

    /// Why it is not certain that nothing applies a file that no build is known to read, in sentences.
    fn doubts(&self, path: &RepoPath, placed: &Placed, kind: Option<Kind>) -> Vec<String> {
        let mut doubts = Vec::new();
        for name in self.inputs.offer.not_connected {
            doubts.push(format!("{} is not connected", words::data(name)));
        }
        let mut fits = false;
        for (index, derived) in self.derived.iter().enumerate() {
            let cluster = self.cluster(index);
            if !self.inputs.settings.maps(path, cluster) {
                continue;
            }
            let name = words::data(cluster.name);
            match self.proof(index) {
                Proof::Live | Proof::Recorded { .. } => {
                    doubts.extend(self.unread(index, kind).map(|why| format!("{name}: {why}")));
                }
                Proof::Checking { .. } | Proof::Was { .. } | Proof::None => {
                    doubts.push(format!("{name} is not read just now"));
                }
            }
            let deliveries = &derived.binding.deliveries;
            fits |= deliveries.fits();
            for (id, _) in deliveries.untold.iter().take(1) {
                doubts
                    .push(format!("{name}: where {} comes from is not known", words::data(&id.to_string())));
            }
            for (delivery, covered) in deliveries.from_here.iter().zip(&derived.binding.covered) {
                let id = words::data(&delivery.kustomization.id.to_string());
                if !delivery.from.is_certain() {
                    doubts.push(format!("{name}: which folder {id} applies is not known"));
                } else if covered.hides {
                    doubts.push(format!("{name}: not all of what {id} applies can be read"));
                } else if self.is_taken_out(index, &delivery.kustomization, path, placed).is_none() {
                    doubts.push(format!("{name}: what {id} applies under a name like this one is not known"));
                }
            }
        }
        if !fits {
            doubts.push("no cluster that is connected applies anything of this repository".to_owned());
        }
        doubts
    }

    /// The mark that nothing applies a file, at the name of its first object.
    pub(crate) fn mark_of_unapplied(&self, path: &RepoPath, file: &ParsedFile) -> Option<Finding> {
        let severity = self.inputs.settings.not_applied?;
        let (placed, words) = file.documents().iter().find_map(|it| match self.unapplied(path, it)? {
            Unapplied::Nothing { words } => Some((it, words)),
            Unapplied::LeftOut { .. } | Unapplied::Still { .. } | Unapplied::Unsure { .. } => None,
        })?;
        let identity = placed.document.identity()?;
        let clusters = self.inputs.clusters.iter().filter(|it| self.inputs.settings.maps(path, it));
        let (clusters, keys) = clusters.map(|it| (words::data(it.name), it.key.to_owned())).unzip();
        let namespace = identity.namespace.as_deref().unwrap_or_default();
        Some(Finding {
            range: placed.in_file(identity.name_range),
            severity: severity.max(self.inputs.settings.max_severity),
            code: "NotApplied".to_owned(),
            message: format!("nothing applies this file ({})", words.trim_start_matches("Flux: ")),
            object: ObjectId::new(&identity.group, &identity.kind, namespace, &identity.name),
            applier: None,
            clusters,
            keys,
            revision: None,
            verdict: "not applied",
            failed: false,
            related: Vec::new(),
            fixes: Vec::new(),
        })
    }

    /// The row of a file without Flux objects that nothing is known to apply; only where users want to be told.
    pub(crate) fn row_of_unapplied(&self, path: &RepoPath, file: &ParsedFile) -> Option<Row> {
        self.inputs.settings.not_applied?;
        if file.documents().iter().any(|it| flux_object(&it.document).is_some()) {
            return None;
        }
        let (placed, unapplied) =
            file.documents().iter().find_map(|it| Some((it, self.unapplied(path, it)?)))?;
        let title = match unapplied {
            Unapplied::LeftOut { why } => {
                let by = match why {
                    LeftOut::File(file, line) => format!(" by {}:{line}", words::data(file.as_str())),
                    LeftOut::Spec => " by spec.ignore".to_owned(),
                    LeftOut::Default => String::new(),
                };
                format!("Flux: left out of what is fetched{by}")
            }
            Unapplied::Still { words } => words.into_iter().next()?,
            Unapplied::Nothing { words } => words,
            Unapplied::Unsure { words, doubts }
                if doubts.iter().all(|it| it.ends_with("is not connected")) =>
            {
                words
            }
            Unapplied::Unsure { words, .. } if words.starts_with("Flux: ") => {
                format!("{words}, as far as can be told")
            }
            Unapplied::Unsure { words, .. } => words,
        };
        let items = vec![LensItem { title, command: Command::Details { cluster: None, object: None } }];
        let row = LensRow { range: start_of(placed), items };
        Some(Row { row, notable: false, tone: Tone::Unknown })
    }

    /// That nothing applies an object: where that is certain, or where users want to be told.
    pub(crate) fn page_of_unapplied(&self, path: &RepoPath, placed: &Placed) -> Option<Page> {
        let identity = placed.document.identity()?;
        if flux_object(&placed.document).is_some() {
            return None;
        }
        let mut page = Page::default();
        page.heading(spans![d format!("{}/{}", identity.kind, identity.name)]);
        match self.unapplied(path, placed)? {
            Unapplied::LeftOut { .. } => return None,
            Unapplied::Unsure { .. } if self.inputs.settings.not_applied.is_none() => return None,
            Unapplied::Still { words } => {
                for words in words {
                    page.line(spans![d words]);
                }
                self.say_left_out(&mut page, path);
            }
            Unapplied::Nothing { words } => {
                page.line(spans![w "Nothing applies this file. ", d words]);
            }
            Unapplied::Unsure { words, doubts } => {
                page.line(spans![d words]);
                for doubt in doubts.iter().take(DOUBTS) {
                    page.item(spans![w "not certain: ", d doubt]);
                }
            }
        }
        for index in 0..self.inputs.clusters.len() {
            if self.inputs.settings.maps(path, self.cluster(index)) {
                self.say_contact(&mut page, index);
            }
        }
        Some(page)
    }
}

/// Whether a text has Flux keep its object when it goes away (flux-reference E.6).
fn keeps(placed: &Placed) -> bool {
    let Some(value) = manifests::value::of_document(&RepoPath::root(), 0, placed) else { return false };
    crate::silent::says(&value, "prune", &["disabled"])
}
