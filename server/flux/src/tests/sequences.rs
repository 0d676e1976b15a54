//! What must hold of any sequence of states, and of any JSON.

use std::sync::Arc;

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::at;
use crate::verdict::DEBOUNCE;
use crate::{
    Change, ClusterName, Facts, Kind, Object, Observed, Truth, Verdict, causes, failure_field, message,
    observe, verdict,
};

/// One state of a Kustomization or HelmRelease.
#[derive(Clone, Debug)]
struct Moment {
    ready: Option<(&'static str, &'static str, i64)>,
    reconciling: Option<(&'static str, u8)>,
    generation: i64,
    revision: u8,
    uid: &'static str,
    wait: i64,
}

fn moments() -> impl Strategy<Value = Vec<Moment>> {
    let ready = prop_oneof![
        1 => Just(None),
        3 => (1i64..4).prop_map(|g| Some(("True", "ReconciliationSucceeded", g))),
        3 => (1i64..4).prop_map(|g| Some(("Unknown", "Progressing", g))),
        2 => (1i64..4).prop_map(|g| Some(("False", "BuildFailed", g))),
        1 => (1i64..4).prop_map(|g| Some(("False", "DependencyNotReady", g))),
        1 => (1i64..4).prop_map(|g| Some(("False", "HealthCheckFailed", g))),
        1 => (1i64..4).prop_map(|g| Some(("False", "HealthCheckCanceled", g))),
    ];
    let reconciling = prop_oneof![
        Just(None),
        (0u8..3).prop_map(|r| Some(("Progressing", r))),
        (0u8..3).prop_map(|r| Some(("ProgressingWithRetry", r))),
    ];
    let moment = (ready, reconciling, 1i64..4, 0u8..3, prop_oneof![9 => Just("u"), 1 => Just("v")], 0i64..5)
        .prop_map(|(ready, reconciling, generation, revision, uid, wait)| Moment {
            ready,
            reconciling,
            generation,
            revision,
            uid,
            wait,
        });
    vec(moment, 1..24)
}

fn revision(n: u8) -> String {
    format!("main@sha1:{}", n.to_string().repeat(40))
}

fn build(moment: &Moment) -> Object {
    let mut conditions = Vec::new();
    if let Some((status, reason, generation)) = moment.ready {
        conditions.push(json!({"type": "Ready", "status": status, "reason": reason, "message": reason, "observedGeneration": generation}));
    }
    if let Some((reason, n)) = moment.reconciling {
        let text = format!("Building manifests for revision {} with a timeout of 5m0s", revision(n));
        conditions.push(json!({"type": "Reconciling", "status": "True", "reason": reason, "message": text}));
    }
    let value = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": "a", "namespace": "b", "generation": moment.generation, "uid": moment.uid},
        "status": {"conditions": conditions, "lastAttemptedRevision": revision(moment.revision), "lastAppliedRevision": revision(0)},
    });
    Object::from_json(value).unwrap()
}

/// What the last definite word was, told independently of `observe`: whether Ready was True for the
/// generation that is now the newest, with nothing but Unknown since.
fn proved(history: &[Moment]) -> bool {
    let Some(now) = history.last() else { return false };
    for moment in history.iter().rev() {
        if moment.uid != now.uid {
            return false;
        }
        match moment.ready {
            Some(("True", _, generation)) => return generation >= now.generation,
            Some(("Unknown", _, _)) | Some((_, "HealthCheckCanceled", _)) => {}
            _ => return false,
        }
    }
    false
}

fn sequence(history: &[Moment]) -> Vec<(Verdict, Timestamp, Observed)> {
    let mut now = at(0);
    let mut observed: Option<Observed> = None;
    let mut out = Vec::new();
    for moment in history {
        now = now.checked_add(jiff::SignedDuration::from_secs(moment.wait)).unwrap();
        let next = observe(observed.as_ref(), &Arc::new(build(moment)), now);
        out.push((verdict(&next, None, now), now, next.clone()));
        observed = Some(next);
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_a_ready_that_was_not_proved(history in moments()) {
        for (n, (verdict, now, observed)) in sequence(&history).iter().enumerate() {
            let moment = &history[n];
            if verdict.state.is_ready() {
                prop_assert!(proved(&history[..=n]), "{verdict:?}");
                // While Ready is Unknown, only for a moment, and with a date to look again.
                if moment.ready.is_some_and(|r| r.0 != "True") {
                    prop_assert!(observed.attempt_since.is_some_and(|s| s.checked_add(DEBOUNCE).unwrap() > *now));
                    prop_assert!(verdict.recheck_at.is_some());
                }
            }
            // It is no more ready later, if nothing happens.
            let later = crate::verdict(observed, None, at(3600));
            if moment.ready.is_none_or(|r| r.0 != "True") {
                prop_assert!(!later.state.is_ready());
            }
            prop_assert!(later.recheck_at.is_none());
        }
    }

    #[test]
    fn a_failure_stays_until_it_is_answered(history in moments()) {
        let mut failed: Option<&str> = None;
        let mut uid = "";
        for (moment, (verdict, _, _)) in history.iter().zip(sequence(&history)) {
            if moment.uid != uid {
                failed = None;
                uid = moment.uid;
            }
            match moment.ready {
                None | Some(("True", ..)) => failed = None,
                Some(("False", reason, _)) if reason != "HealthCheckCanceled" => failed = Some(reason),
                // An attempt begins only after all waiting is over.
                Some(("Unknown", ..)) if failed == Some("DependencyNotReady") => failed = None,
                _ => {}
            }
            prop_assert_eq!(verdict.failure.as_ref().map(|f| f.reason.to_string()), failed.map(str::to_owned));
            if failed.is_some() {
                prop_assert!(!verdict.state.is_ready());
            }
        }
    }

    #[test]
    fn the_verdict_changes_at_its_recheck_and_not_before(history in moments()) {
        let Some((verdict, now, observed)) = sequence(&history).pop() else { return Ok(()) };
        let Some(recheck) = verdict.recheck_at else {
            let later = crate::verdict(&observed, None, at(100_000));
            prop_assert_eq!(later.state, verdict.state);
            return Ok(());
        };
        prop_assert!(recheck > now);
        let before = recheck.checked_sub(jiff::SignedDuration::from_millis(1)).unwrap();
        prop_assert_eq!(&crate::verdict(&observed, None, before.max(now)), &verdict);
        prop_assert_ne!(&crate::verdict(&observed, None, recheck), &verdict);
    }

    #[test]
    fn anything_with_a_kind_and_a_name_is_read(
        kind in 0..Kind::ALL.len(), metadata in junk(), spec in junk(), status in status_junk(), seconds in -10i64..10_000
    ) {
        let kind = Kind::ALL[kind];
        let mut metadata = if metadata.is_object() { metadata } else { json!({}) };
        metadata["name"] = json!("a");
        let value = json!({
            "apiVersion": format!("{}/{}", kind.group(), kind.versions()[0]), "kind": kind.as_str(),
            "metadata": metadata, "spec": spec, "status": status,
        });
        let object = Object::from_json(value).unwrap();
        let id = object.id.clone();
        let observed = observe(None, &Arc::new(object.clone()), at(0));
        let told = verdict(&observed, Some(&object), at(seconds));
        if told.state.is_ready() {
            prop_assert!(object.ready().is_some_and(|c| c.status == Truth::True));
        }
        let _ = (told.sentence(), failure_field(&object, &told));
        let again = Change::Applied(object.clone());
        let (facts, _) = Facts::new(ClusterName::from("c")).apply(vec![Change::Applied(object), again], at(0));
        let _ = causes(&facts, &id, at(seconds));
        let _ = facts.apply(vec![Change::Deleted(id)], at(1));
    }

    #[test]
    fn messages_of_any_kind(text in "(/tmp/kustomization-[0-9]{0,3}|[a-z/. \n:'\"*0-9ms]|\\PC){0,60}") {
        let sentence = message::first_sentence(&text);
        prop_assert!(!sentence.contains('\n') && sentence.chars().count() <= message::SENTENCE);
        let once = message::normalise(&text).into_owned();
        prop_assert_eq!(message::normalise(&message::normalise(&once)).into_owned(), message::normalise(&once).into_owned());
        let _ = (message::masked(&text), message::named_objects(&text), message::health_items(&text));
    }
}

/// Any JSON, with keys that mean something.
fn junk() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        prop_oneof![
            Just("True"),
            Just("False"),
            Just("Ready"),
            Just("a_b__Kind"),
            Just("Kustomization"),
            Just("a"),
            Just("2026-01-01T00:00:00Z"),
            Just("9999999h"),
            Just("main@sha1:"),
            Just("[]{}"),
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let key = prop::sample::select(vec![
            "name",
            "namespace",
            "kind",
            "apiVersion",
            "generation",
            "conditions",
            "type",
            "status",
            "reason",
            "message",
            "observedGeneration",
            "dependsOn",
            "sourceRef",
            "chart",
            "spec",
            "chartRef",
            "inventory",
            "entries",
            "id",
            "v",
            "history",
            "artifact",
            "revision",
            "suspend",
            "interval",
            "metadata",
            "include",
            "repository",
            "sources",
            "artifacts",
            "deletionTimestamp",
            "annotations",
            "labels",
            "values",
            "path",
        ]);
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((key, inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

/// Statuses that look real enough to reach the rules.
fn status_junk() -> impl Strategy<Value = Value> {
    let word = |words: &'static [&'static str]| prop::sample::select(words.to_vec());
    let condition = (
        word(&["Ready", "Reconciling", "Stalled", "Released", "Healthy", "FetchFailed", "Drifted", ""]),
        word(&["True", "False", "Unknown", "true", ""]),
        word(&["BuildFailed", "ArtifactFailed", "SourceNotReady", "RollbackSucceeded", "RetriesExceeded", "HealthCheckFailed", ""]),
        word(&[
            "dependency 'a/b' is not ready", "dependency '", "HelmChart 'a/b' is not ready: no 'x' chart with version matching",
            "x.source.toolkit.fluxcd.io \"a\" not found", "Running health checks for revision ", "include ''", "at <.Values.>",
            "timeout waiting for: [Kustomization//a status: 'Failed']", "- at '/': ", "substitute from '/' error: ",
        ]),
        junk(),
        -2i64..5,
    )
        .prop_map(|(kind, status, reason, message, since, generation)| {
            json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since, "observedGeneration": generation})
        });
    (vec(condition, 0..5), junk(), junk(), junk()).prop_map(|(conditions, history, inventory, artifact)| {
        json!({"conditions": conditions, "history": history, "inventory": inventory, "artifact": artifact})
    })
}
