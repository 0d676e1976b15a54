//! What goes wrong without a word (flux-reference H 1-3): Flux says Ready, and what is written is not what is applied.
//!
//! Each mark has its proof, and there is none without: the Kustomization is Ready, the text is the one of the revision
//! that it applied, and its inventory or the live object shows the rest. Live objects are Flux's own, which are watched, and
//! those that were read for an open file.

use std::sync::{Arc, PoisonError};

use flux::{Kind, Object, ObjectId, Revision, Verdict};
use manifests::kustomize::{Build, Built, Id, Origin, is_kustomization_name};
use manifests::value::Member;
use manifests::{FieldPath, RepoPath, Site, TextRange, Value};
use serde_json::Value as Json;

use crate::deliveries::Delivery;
use crate::earlier::Text;
use crate::held::{Gap, Lack, gaps};
use crate::index::{Covered, Outline};
use crate::inputs::Severity;
use crate::journey::{Reach, Stage};
use crate::placing::{Spot, build::near};
use crate::view::{MadeOf, View, in_inventory};

/// Something in a build that Flux would pass over in silence, if it is as it looks.
#[derive(Debug)]
pub(crate) struct Quiet {
    what: What,
    site: Site,
}

#[derive(Debug)]
enum What {
    /// A key that kustomize does not know, and the one that it seems to mean.
    StrayKey { key: Arc<str>, meant: Option<&'static str> },
    /// An encrypted object.
    Sealed { id: Id },
    /// A generated object that holds the text of an encrypted file; of a Secret only where nothing is decrypted.
    SealedInput { id: Id },
}

/// A silent failure that is proved.
pub(crate) struct Silent {
    /// The Kustomization that is Ready.
    pub(crate) by: ObjectId,
    pub(crate) verdict: Arc<Verdict>,
    /// What it applied.
    pub(crate) revision: Revision,
    pub(crate) spot: Spot,
    pub(crate) code: &'static str,
    pub(crate) severity: Severity,
    pub(crate) sentence: String,
}

/// One that is proved as soon as its Kustomization is Ready with this text.
pub(crate) struct Candidate {
    /// The Kustomization: an index into the deliveries.
    delivery: usize,
    spot: Spot,
    code: &'static str,
    severity: Severity,
    sentence: String,
}

/// What may be silent in a build, by its text alone.
pub(crate) fn quiet(build: &Build) -> Vec<Quiet> {
    let strays = build.stray_keys.iter().filter_map(|it| {
        let meant = near(&it.key, it.known);
        Some(Quiet { what: What::StrayKey { key: Arc::clone(&it.key), meant }, site: it.site.clone()? })
    });
    strays.chain(build.objects.iter().filter_map(sealed)).collect()
}

/// Ciphertext of SOPS in an object, wherever it came from.
fn sealed(object: &Built) -> Option<Quiet> {
    if is_left_alone(&object.value) || says(&object.value, "decrypt", &["disabled"]) {
        return None;
    }
    let id = object.id()?;
    match &object.origin {
        Origin::Document { .. } => {
            let sops = object.value.member("sops")?;
            sops.value.get("mac")?;
            Some(Quiet { what: What::Sealed { id }, site: sops.site.clone()? })
        }
        Origin::Generated { .. } => {
            let data = object.value.get("data")?.as_mapping()?;
            let is_sealed = |it: &&Member| {
                it.value
                    .as_text()
                    .is_some_and(|it| it.value.contains("ENC[AES256_GCM,") && it.value.contains("sops"))
            };
            let entry = data.iter().find(is_sealed)?;
            Some(Quiet { what: What::SealedInput { id }, site: entry.site.clone()? })
        }
    }
}

/// Whether Flux is told to leave the object as it is in the cluster (flux-reference E.6): what is not live is no fault.
pub(crate) fn is_left_alone(value: &Value) -> bool {
    says(value, "reconcile", &["disabled"]) || says(value, "ssa", &["Ignore", "IfNotPresent", "Merge"])
}

/// Whether an annotation or a label of Flux (`kustomize.toolkit.fluxcd.io/…`) has one of these values.
pub(crate) fn says(value: &Value, key: &str, words: &[&str]) -> bool {
    let is_it = |it: &Member| {
        it.key.strip_prefix("kustomize.toolkit.fluxcd.io/") == Some(key)
            && it.value.as_str().is_some_and(|told| words.iter().any(|word| word.eq_ignore_ascii_case(told)))
    };
    let kinds = ["annotations", "labels"].into_iter();
    kinds.filter_map(|it| value.dig(&["metadata", it])?.as_mapping()).flatten().any(is_it)
}

impl View<'_> {
    /// Files in which something may be silent.
    pub(crate) fn silent_files(&self, cluster: usize) -> Vec<RepoPath> {
        if self.inputs.settings.silent.is_none() {
            return Vec::new();
        }
        let binding = &self.derived[cluster].binding;
        let mut files: Vec<RepoPath> = self.charts_of(cluster).iter().map(|it| it.key.chart_file()).collect();
        let ready = binding.deliveries.from_here.iter().zip(&binding.covered);
        let ready = ready.filter(|(it, _)| self.ready_at(cluster, it).is_some());
        for (delivery, covered) in ready {
            files.extend(covered.quiet.iter().filter_map(|it| Some(it.site.in_file()?.0)));
            if builds_nothing(delivery, covered) {
                files.extend(covered.root_file().cloned());
            }
            // What live objects were read for: a field that one dropped stands in a file that its object is made of.
            if !self.cluster(cluster).live.is_empty() {
                let has_gaps = |it: &&Outline| {
                    let made = MadeOf { delivery, outline: it, patch: false };
                    self.gaps_of_plain(cluster, &made).iter().any(|it| self.severity_of_gap(it).is_some())
                };
                for outline in covered.objects.iter().filter(has_gaps) {
                    files.push(outline.origin.path().clone());
                    files.extend(outline.shaped_by.iter().map(|it| it.path.clone()));
                }
            }
        }
        files
    }

    /// The silent failures that stand in a file; with a range only those that begin in it.
    pub(crate) fn silent(&self, cluster: usize, path: &RepoPath, within: Option<TextRange>) -> Vec<Silent> {
        if self.inputs.settings.silent.is_none() {
            return Vec::new();
        }
        let from_here = &self.derived[cluster].binding.deliveries.from_here;
        let mut found = Vec::new();
        for it in self.candidates(cluster, path).iter() {
            if !within.is_none_or(|within| within.contains(it.spot.range.start())) {
                continue;
            }
            let Some(delivery) = from_here.get(it.delivery) else { continue };
            let Some((verdict, revision)) = self.ready_at(cluster, delivery) else { continue };
            let by = delivery.kustomization.id.clone();
            // Of another text nobody said that it was applied.
            if !self.is_as_applied(cluster, &by, &revision, &it.spot) {
                continue;
            }
            let (spot, code, severity, sentence) =
                (it.spot.clone(), it.code, it.severity, it.sentence.clone());
            found.push(Silent { by, verdict, revision, spot, code, severity, sentence });
        }
        found.extend(self.untaken_charts(cluster, path, within));
        found
    }

    /// Charts that Flux passes over because the version that stands in this file is the one that it had before.
    fn untaken_charts(&self, cluster: usize, path: &RepoPath, within: Option<TextRange>) -> Vec<Silent> {
        let mut found: Vec<Silent> = Vec::new();
        let Some(severity) = self.inputs.settings.silent.filter(|_| path.file_name() == "Chart.yaml") else {
            return found;
        };
        for chart in self.charts_of(cluster).iter().filter(|it| it.key.chart_file() == *path) {
            let release = &chart.release;
            let Some(verdict) = self.verdict(cluster, &release.id) else { continue };
            // Who stops Flux knows that nothing is taken.
            let mut takers = [Some(release), chart.chart.as_ref(), Some(&chart.source)].into_iter().flatten();
            if takers.any(|it| it.spec.suspend) || verdict.state == flux::State::Terminating {
                continue;
            }
            let Some(journey) = self.chart_journey(cluster, chart) else { continue };
            let (Some(untaken), Some(taken)) = (&journey.untaken, &verdict.applied) else { continue };
            // While somebody types the version may still come.
            let Reach::At(
                stage @ (Stage::Saved | Stage::Committed | Stage::Pushed | Stage::Fetched | Stage::Packaged),
            ) = journey.reach
            else {
                continue;
            };
            let Some(spot) = self.version_of_chart(path) else { continue };
            if !within.is_none_or(|within| within.contains(spot.range.start())) {
                continue;
            }
            let what = match &untaken.differs {
                Some(file) => format!("{file} is not what was packaged"),
                None => "the chart here is not what was packaged".to_owned(),
            };
            let is_there = stage >= Stage::Fetched;
            let taking = if is_there { "does not take it" } else { "will not take it" };
            let version = &untaken.version;
            let sentence = format!(
                "{what} as {version}, and {} {taking} under the same version (reconcileStrategy ChartVersion): raise `version`",
                release.id
            );
            let (by, revision) = (release.id.clone(), taken.clone());
            found.push(Silent { by, verdict, revision, spot, code: "ChartNotTaken", severity, sentence });
        }
        found
    }

    /// Where a `Chart.yaml` says its version.
    fn version_of_chart(&self, path: &RepoPath) -> Option<Spot> {
        let file = self.inputs.repo.tree.parsed(path)?;
        let value = manifests::value::of_file(path, &file).into_iter().flatten().next()?;
        Spot::at(value.get("version")?.site.as_ref()?, true)
    }

    /// Whether the text is that of the revision: the entry of a kustomization.yaml, the whole of another document.
    fn is_as_applied(&self, cluster: usize, by: &ObjectId, revision: &Revision, spot: &Spot) -> bool {
        if is_kustomization_name(spot.path.file_name()) {
            let revisions = [(by.clone(), revision.clone())];
            return self.text_at(cluster, &revisions, &spot.shaped_by) == Text::Same;
        }
        // Of a file with hundreds of documents the earlier ones are found once.
        let file = self.any_file(&spot.path);
        let placed = file.as_ref().and_then(|it| it.document_at(spot.range.start()));
        placed.and_then(|it| self.then(cluster, by, revision, &spot.path, &it.document)) == Some(true)
    }

    /// What is silent in a file, if its Kustomization is Ready with this very text. Kept while texts and facts stay: a
    /// file may have hundreds of documents, each of which asks.
    fn candidates(&self, cluster: usize, path: &RepoPath) -> Arc<Vec<Candidate>> {
        let known = &self.derived[cluster].silent;
        let live = self.cluster(cluster).live;
        if let Some((of, known)) = known.lock().unwrap_or_else(PoisonError::into_inner).get(path)
            && Arc::ptr_eq(of, live)
        {
            return Arc::clone(known);
        }
        let found = Arc::new(self.candidates_anew(cluster, path));
        let entry = (Arc::clone(live), Arc::clone(&found));
        known.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone(), entry);
        found
    }

    fn candidates_anew(&self, cluster: usize, path: &RepoPath) -> Vec<Candidate> {
        let binding = &self.derived[cluster].binding;
        let is_here = |site: &Site| site.in_file().is_some_and(|(file, _)| file == *path);
        let mut found = Vec::new();
        let Some(silent) = self.inputs.settings.silent else { return found };
        for at in binding.covering(path) {
            let (Some(delivery), Some(covered)) =
                (binding.deliveries.from_here.get(*at), binding.covered.get(*at))
            else {
                continue;
            };
            let by = &delivery.kustomization.id;
            let ready = self.ready_words(cluster, by);
            let mut told = Vec::new();
            for it in covered.quiet.iter().filter(|it| is_here(&it.site)) {
                if let Some((code, sentence, fix)) = proved(&it.what, delivery, ready) {
                    told.push((it.site.clone(), code, silent, sentence, fix));
                }
            }
            if told.is_empty() && builds_nothing(delivery, covered) && covered.root_file() == Some(path) {
                let sentence = format!("this builds nothing: {by} {ready} and applies no object");
                told.extend(
                    self.of_build_file(path).map(|site| (site, "NothingBuilt", silent, sentence, None)),
                );
            }
            let applier = &delivery.kustomization;
            let compares = !applier.spec.remote && applier.raw_spec().get("ignore").is_none();
            for outline in covered.objects_of(path).filter(|_| compares) {
                for gap in self.gaps_in(cluster, delivery, outline) {
                    let Some(severity) = self.severity_of_gap(&gap) else { continue };
                    let Some(site) = gap.site.filter(is_here) else { continue };
                    let at = gap.at;
                    let (code, what, why) = match gap.lack {
                        Lack::Dropped => {
                            ("DroppedField", "not in".to_owned(), "dropped on the way, or taken away there")
                        }
                        Lack::Gone => ("LiveDiffers", "not in".to_owned(), "taken away there"),
                        Lack::Other(Some(there)) => {
                            ("LiveDiffers", format!("`{there}` in"), "changed on the way, or there")
                        }
                        Lack::Other(None) => {
                            ("LiveDiffers", "another in".to_owned(), "changed on the way, or there")
                        }
                    };
                    let sentence = format!("`{at}` is {what} the live object, although {by} {ready}: {why}");
                    told.push((site, code, severity, sentence, None));
                }
            }
            for (site, code, severity, sentence, fix) in told {
                let Some(mut spot) = Spot::at(&site, true) else { continue };
                spot.fixes.extend(fix);
                found.push(Candidate { delivery: *at, spot, code, severity, sentence });
            }
        }
        found
    }

    /// How bad it is that a live object lacks this; nothing where it is not told.
    fn severity_of_gap(&self, gap: &Gap) -> Option<Severity> {
        match gap.lack {
            Lack::Dropped => self.inputs.settings.silent,
            // Autoscalers change it all the time.
            _ if gap.at.to_string() == "spec.replicas" => None,
            Lack::Gone | Lack::Other(_) => self.inputs.settings.differing,
        }
    }

    /// What a Kustomization is to those of which [`ready_at`](Self::ready_at) tells something.
    fn ready_words(&self, cluster: usize, by: &ObjectId) -> &'static str {
        let is_suspended = |it: Arc<Verdict>| matches!(it.state, flux::State::Suspended { .. }).then_some(());
        match self.verdict(cluster, by).and_then(is_suspended) {
            Some(()) => "was Ready when it was suspended",
            None => "is Ready",
        }
    }

    /// What a Kustomization applied, if it is Ready (or was when it was suspended: what it applied stays what it is) and it is
    /// known from which folder.
    fn ready_at(&self, cluster: usize, delivery: &Delivery) -> Option<(Arc<Verdict>, Revision)> {
        let verdict = self.verdict(cluster, &delivery.kustomization.id)?;
        if !verdict.state.last().is_ready() || !delivery.from.is_certain() {
            return None;
        }
        let applied = verdict.applied.clone()?;
        Some((verdict, applied))
    }

    /// A place for what is to be said of a whole kustomization.yaml: its resources, else its kind, else its first key.
    fn of_build_file(&self, path: &RepoPath) -> Option<Site> {
        let file = self.inputs.repo.tree.parsed(path)?;
        let value = manifests::value::of_file(path, &file).into_iter().flatten().next()?;
        let member = ["resources", "kind"].iter().find_map(|it| value.member(it));
        member.or_else(|| value.as_mapping()?.first())?.site.clone()
    }

    /// What of an object the live one lacks; of a Flux object keys of its spec.
    fn gaps_in(&self, cluster: usize, delivery: &Delivery, outline: &Outline) -> Vec<Gap> {
        if Kind::from_group_kind(&outline.id.group, &outline.id.kind).is_none() {
            return self.gaps_of_plain(cluster, &MadeOf { delivery, outline, patch: false });
        }
        let (Some(value), Some(kind)) =
            (&outline.flux, Kind::from_group_kind(&outline.id.group, &outline.id.kind))
        else {
            return Vec::new();
        };
        let applier = &delivery.kustomization;
        if is_left_alone(value) {
            return Vec::new();
        }
        let ids = in_inventory(applier, outline);
        let [id] = ids.as_slice() else { return Vec::new() };
        if !self.rivals(cluster, &applier.id, id).is_empty() {
            return Vec::new();
        }
        let Some(live) = self.facts(cluster).get(id).filter(|it| it.kind == kind) else { return Vec::new() };
        // Of another version of the kind some fields have other names.
        if value.text(&["apiVersion"]).is_none_or(|it| !it.ends_with(&format!("/{}", live.version))) {
            return Vec::new();
        }
        let Some(spec) = value.get("spec") else { return Vec::new() };
        let mut found = gaps(spec, &live_spec(live), &FieldPath::root().key("spec"));
        found.retain(|it| it.lack == Lack::Dropped);
        found
    }
}

fn live_spec(live: &Object) -> Json {
    serde_json::from_str(&live.spec_json).unwrap_or_default()
}

/// Whether a Kustomization applies nothing and nothing is all that its texts make. Who writes `resources: []` says so.
fn builds_nothing(delivery: &Delivery, covered: &Covered) -> bool {
    let inventory = delivery.kustomization.status.inventory.as_ref();
    inventory.is_some_and(|it| it.iter().next().is_none())
        && covered.objects.is_empty()
        && !covered.hides
        && !covered.says_empty
}

fn proved(what: &What, delivery: &Delivery, ready: &str) -> Option<(&'static str, String, Option<String>)> {
    let applier = &delivery.kustomization;
    let by = &applier.id;
    let applied = |id: &Id| {
        let inventory = applier.status.inventory.as_ref();
        inventory.is_some_and(|it| {
            it.iter().any(|it| *it.kind == *id.kind && *it.group == *id.group && id.may_be_named(it.name))
        })
    };
    let decrypts = applier.raw_spec().get("decryption").is_some();
    match what {
        What::StrayKey { key, meant } => {
            let mut sentence =
                format!("`{key}` is no key of a kustomization here, and was dropped without a word");
            if applier.status.inventory.as_ref().is_some_and(|it| it.iter().next().is_none()) {
                sentence.push_str(&format!(": {by} {ready} and applies nothing"));
            }
            Some(("UnknownKey", sentence, meant.map(str::to_owned)))
        }
        What::Sealed { id } => (!decrypts && applied(id)).then(|| {
            let sentence =
                format!("encrypted, and {by} has no `spec.decryption`: the ciphertext is applied as it is");
            ("NotDecrypted", sentence, None)
        }),
        What::SealedInput { id } if &*id.kind == "ConfigMap" && decrypts && applied(id) => {
            let sentence = "encrypted, and what a configMapGenerator reads is never decrypted: the ciphertext is applied as it is";
            Some(("NotDecrypted", sentence.to_owned(), None))
        }
        What::SealedInput { id } => (!decrypts && applied(id)).then(|| {
            let sentence =
                format!("encrypted, and {by} has no `spec.decryption`: the ciphertext is applied as it is");
            ("NotDecrypted", sentence, None)
        }),
    }
}
