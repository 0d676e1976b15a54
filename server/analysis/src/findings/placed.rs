//! Marks in whatever file causes a failure.

use flux::{ObjectId, State, Verdict};
use manifests::{RepoPath, TextRange};

use super::{Mark, cause_sentence, severity_of, severity_of_failure};
use crate::earlier::Text;
use crate::inputs::{Proof, Severity};
use crate::marked::{Found, Mark as Marked};
use crate::placing::Spot;
use crate::report::Related;
use crate::state::verdict_word;
use crate::view::View;
use crate::words;

impl View<'_> {
    /// The marks of one file for failures of whatever objects, each with how its text stands; with a range only those
    /// that begin in it.
    pub(super) fn placed_marks(&self, path: &RepoPath, within: Option<TextRange>) -> Vec<Mark> {
        let is_asked = |range: TextRange| within.is_none_or(|it| it.contains(range.start()));
        let mut marks = Vec::new();
        for cluster in 0..self.inputs.clusters.len() {
            let proof = self.proof(cluster);
            if proof == Proof::None || !self.inputs.settings.maps(path, self.cluster(cluster)) {
                continue;
            }
            let by_file = self.by_file(cluster);
            let here = by_file.get(path).map_or(&[][..], Vec::as_slice);
            for (object, what) in here {
                let nth = match what {
                    Marked::Fault(nth) => nth,
                    Marked::Cause(nth) => {
                        let mark = self.mark_of_reference(cluster, proof, object, *nth);
                        marks.extend(mark.filter(|it| is_asked(it.range)));
                        continue;
                    }
                };
                // What Flux has said since may be another thing.
                let Some(faults) = self.faults(cluster, object) else { continue };
                let Some(found) = faults.all.get(*nth) else { continue };
                let Some(verdict) = self.verdict(cluster, object) else { continue };
                let here = |it: &&Spot| it.path == *path && is_asked(it.range);
                let Some(spot) = found.spot.as_ref().filter(here) else { continue };
                if !matches!(verdict.state, State::Failed { .. } | State::Unhealthy)
                    || !self.is_own_trouble(cluster, object)
                {
                    continue;
                }
                let Some(live) = self.facts(cluster).get(object) else { continue };
                let severity = severity_of_failure(live, found.fault.side);
                let mut mark = self.placed_mark(cluster, object, &verdict, (found, spot), severity);
                self.weigh(&mut mark, proof, self.text_of(cluster, &verdict, spot, Some(&found.fault)));
                marks.push(mark);
            }
            marks.extend(self.silent_marks(cluster, proof, path, within));
        }
        marks
    }

    /// The marks for what Flux passed over in silence.
    fn silent_marks(
        &self,
        cluster: usize,
        proof: Proof,
        path: &RepoPath,
        within: Option<TextRange>,
    ) -> Vec<Mark> {
        let marks = self.silent(cluster, path, within).into_iter().map(|it| {
            let mut mark = self.mark_at(cluster, &it.by, &it.verdict, &it.spot, it.severity);
            mark.code = it.code.to_owned();
            mark.sentence = words::data(&it.sentence);
            mark.key.clone_from(&mark.sentence);
            mark.revision = Some(it.revision);
            mark.fixes = it.spot.fixes;
            self.weigh(&mut mark, proof, Text::Same);
            mark
        });
        marks.collect()
    }

    /// The mark for what an object waits for, where the reference stands in another document than its own.
    fn mark_of_reference(&self, cluster: usize, proof: Proof, object: &ObjectId, nth: usize) -> Option<Mark> {
        let spot = self.reference_elsewhere(cluster, object, nth)?;
        let causes = self.causes(cluster, object);
        let cause = causes.roots.get(nth)?;
        let verdict = self.verdict(cluster, object)?;
        let severity = severity_of(cause.kind)?;
        if !matches!(verdict.state, State::Failed { .. } | State::Unhealthy | State::Waiting { .. }) {
            return None;
        }
        let mut mark = self.mark_at(cluster, object, &verdict, &spot, severity);
        mark.sentence = cause_sentence(cause);
        mark.key = format!("{} {}", cause.root, flux::message::masked(&mark.sentence));
        if let Some(root) = &cause.verdict {
            mark.code = words::data(&root.reason);
        }
        self.weigh(&mut mark, proof, self.text_of(cluster, &verdict, &spot, None));
        Some(mark)
    }

    fn placed_mark(
        &self,
        cluster: usize,
        object: &ObjectId,
        verdict: &Verdict,
        (found, spot): (&Found, &Spot),
        severity: Severity,
    ) -> Mark {
        let sentence = words::data(&flux::message::first_sentence(&crate::page::clean(&found.fault.says)));
        let mut mark = self.mark_at(cluster, object, verdict, spot, severity);
        mark.key = flux::message::masked(&found.fault.says);
        mark.fixes.clone_from(&spot.fixes);
        if !sentence.is_empty() {
            mark.sentence = sentence;
        }
        if verdict.state == State::Unhealthy {
            let applied = verdict.applied.as_ref().map(|it| format!("applied {it}, unhealthy: "));
            mark.sentence.insert_str(0, &applied.unwrap_or_default());
        }
        mark
    }

    /// A mark in whatever file, of an object that need not have a document.
    fn mark_at(
        &self,
        cluster: usize,
        object: &ObjectId,
        verdict: &Verdict,
        spot: &Spot,
        severity: Severity,
    ) -> Mark {
        let mut related: Vec<Related> = spot
            .related
            .iter()
            .map(|it| Related { message: words::data(&it.message), ..it.clone() })
            .collect();
        related.extend(self.reporter(cluster, object, verdict));
        related.extend(self.waiting_for(cluster, object));
        Mark {
            cluster,
            range: spot.range,
            severity,
            code: words::data(&verdict.reason),
            key: String::new(),
            sentence: words::data(&verdict.reason),
            about: String::new(),
            freshness: None,
            revision: verdict.failed_at.clone(),
            verdict: verdict_word(&verdict.state),
            object: object.clone(),
            applier: self.facts(cluster).appliers_of(object).first().map(|it| it.id.clone()),
            related,
            fixes: Vec::new(),
        }
    }
}
