//! Tests on small fixtures: objects as YAML in, what is known of them as text out.

mod causes;
mod facts;
mod live;
mod objects;
mod sequences;
mod states;
mod versions;

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{Change, ClusterName, Facts, Object, Observed, Overlay, State, Verdict, observe};

/// 2026-01-01 12:00:00 UTC and some seconds.
pub(crate) fn at(seconds: i64) -> Timestamp {
    let noon: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
    noon + SignedDuration::from_secs(seconds)
}

/// The objects of a text of YAML documents. `GIT1`, `GIT2`, `OCI1` and so on become hashes.
pub(crate) fn objects(yaml: &str) -> Vec<Object> {
    let mut yaml = yaml.to_owned();
    for (name, digits) in [("GIT", 40), ("OCI", 64)] {
        for n in 1..=3 {
            yaml = yaml.replace(&format!("{name}{n}"), &n.to_string().repeat(digits));
        }
    }
    let documents: Vec<Value> = serde_saphyr::from_multiple(&yaml).unwrap();
    documents.iter().map(|document| Object::read(document).unwrap()).collect()
}

pub(crate) fn object(yaml: &str) -> Object {
    objects(yaml).into_iter().next().unwrap()
}

/// Observes states of one object, one second after another from `at(0)`, each a YAML document.
pub(crate) fn replay(yaml: &str) -> (Observed, Timestamp) {
    let mut observed: Option<Observed> = None;
    let mut now = at(0);
    for (index, state) in objects(yaml).into_iter().enumerate() {
        now = at(index as i64);
        observed = Some(observe(observed.as_ref(), &Arc::new(state), now));
    }
    (observed.unwrap(), now)
}

pub(crate) fn render(verdict: &Verdict) -> String {
    let mut out = format!("{:?}\n", verdict.state);
    if let State::Suspended { last } = &verdict.state {
        out = format!("Suspended, last {last:?}\n");
    }
    for overlay in &verdict.overlays {
        match overlay {
            Overlay::Drifted { message } => writeln!(out, "+ drifted: {message}").unwrap(),
            other => writeln!(out, "+ {other:?}").unwrap(),
        }
    }
    let mut line = |key: &str, value: Option<String>| {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            writeln!(out, "{key}: {value}").unwrap();
        }
    };
    line("applied", verdict.applied.as_ref().map(|r| r.to_string()));
    line("attempted", verdict.attempted.as_ref().map(|r| r.to_string()));
    line("failed at", verdict.failed_at.as_ref().map(|r| r.to_string()));
    line(
        "attempt",
        verdict.attempt.as_ref().map(|a| match &a.revision {
            Some(revision) => format!("{} [{revision}]", a.step),
            None => a.step.to_string(),
        }),
    );
    line("reason", Some(verdict.reason.to_string()));
    line("message", Some(verdict.message.replace('\n', "⏎")));
    line("remedy", verdict.remedy.as_ref().map(|r| r.to_string()));
    line("since", verdict.since.map(|t| t.strftime("%H:%M:%S").to_string()));
    line("recheck", verdict.recheck_at.map(|t| t.strftime("%H:%M:%S").to_string()));
    out
}

/// Facts of objects, each kind that occurs listed completely.
pub(crate) fn facts(objects: Vec<Object>) -> Facts {
    let mut kinds: Vec<_> = objects.iter().map(|o| o.kind).collect();
    kinds.sort();
    kinds.dedup();
    let changes = kinds
        .into_iter()
        .map(|kind| Change::Relisted {
            kind,
            namespace: None,
            objects: objects.iter().filter(|o| o.kind == kind).cloned().collect(),
        })
        .collect();
    Facts::new(ClusterName::from("test")).apply(changes, at(0)).0
}
