//! The measure itself: what counts as exact, and what as wrong.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::{Case, Finding, Says, Standing, judge, made_from_text, only, standing};

const CASE: &str = "\
title: A port that may not be
rows: A1
settles: Kustomization/apps ReconciliationFailed
//- clusters/test/apps.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
//- apps/web.yaml
kind: Service
port: 80800
      ^^^^^
---
kind: Deployment
port: 1
      ^ related
---
kind: ConfigMap
port: two
      ^^^
---
kind: Role
port: one
 ^^ or
";

/// Judges marks of one line each: `file line column length`, from 0.
fn check(marks: &str, expected: Expect) {
    let case = Case::parse("a1", CASE);
    let findings: Vec<Value> = marks
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |at: usize| words[at].parse::<u64>().expect("a number");
            let (line, column) = (number(1), number(2));
            let position = |column: u64| json!({"line": line, "character": column});
            let range = json!({"start": position(column), "end": position(column + number(3))});
            json!({"file": words[0], "range": range, "message": "it failed", "related": []})
        })
        .collect();
    let judged = judge(&case, &Finding::read(&case, &json!({ "findings": findings })));
    expected.assert_eq(&format!("{}\n{}\n", judged.outcome, judged.notes.join("\n")));
}

#[test]
fn all_causes_at_their_nodes() {
    check("apps/web.yaml 1 6 5\napps/web.yaml 7 6 3", expect!["exact\n\n"]);
    // A place that is as good.
    check("apps/web.yaml 1 6 5\napps/web.yaml 10 1 2", expect!["exact\n\n"]);
}

#[test]
fn the_worst_mark_counts() {
    check(
        "apps/web.yaml 1 0 4\napps/web.yaml 7 6 3",
        expect![[r#"
            document
            expected a mark at apps/web.yaml:2:7 "80800"
            found a mark at apps/web.yaml:2:1 "port": it failed
        "#]],
    );
    check(
        "clusters/test/apps.yaml 3 8 4\napps/web.yaml 7 6 3",
        expect![[r#"
            object
            expected a mark at apps/web.yaml:2:7 "80800"
            found a mark at clusters/test/apps.yaml:4:9 "apps": it failed
        "#]],
    );
    check(
        "apps/web.yaml 7 6 3",
        expect![[r#"
            missing
            expected a mark at apps/web.yaml:2:7 "80800"
        "#]],
    );
}

#[test]
fn a_mark_too_many() {
    check(
        "apps/web.yaml 1 6 5\napps/web.yaml 7 6 3\napps/web.yaml 1 0 4",
        expect![[r#"
            document
            found a mark at apps/web.yaml:2:1 "port": it failed
        "#]],
    );
    // Only related there: a mark would be in a healthy document.
    check(
        "apps/web.yaml 1 6 5\napps/web.yaml 7 6 3\napps/web.yaml 4 6 1",
        expect![[r#"
            WRONG
            found a mark at apps/web.yaml:5:7 "1": it failed
        "#]],
    );
    check(
        "apps/web.yaml 1 6 5\napps/web.yaml 7 6 3\nclusters/test/flux-system/gotk-sync.yaml 3 8 4",
        expect![[r#"
            WRONG
            found a mark at clusters/test/flux-system/gotk-sync.yaml:4:9 "flux": it failed
        "#]],
    );
}

fn kustomization(namespace: &str, name: &str, status: &str, reason: &str, revision: &str) -> Value {
    json!({
        "kind": "Kustomization", "metadata": {"namespace": namespace, "name": name, "generation": 1},
        "spec": {"sourceRef": {"name": "flux-system"}},
        "status": {
            "conditions": [{"type": "Ready", "status": status, "reason": reason, "message": "", "observedGeneration": 1}],
            "lastAppliedRevision": revision, "inventory": {}, "history": [{"lastReconciledStatus": reason}],
        },
    })
}

#[test]
fn a_case_settles_when_all_of_it_has_come_to_rest() {
    let case = Case::parse("a1", CASE);
    let root =
        |revision: &str| kustomization("a1", "flux-system", "True", "ReconciliationSucceeded", revision);
    let apps = |reason: &str| kustomization("a1", "apps", "False", reason, "");
    let other = kustomization("other", "apps", "Unknown", "Progressing", "");
    let at = |items: &[Value]| match standing(&case, &only(&case, &json!({ "items": items })), 0, "c0ffee") {
        Standing::Settled => "settled".to_owned(),
        Standing::UnderWay(what) => what,
    };
    let done = "main@sha1:c0ffee";
    assert_eq!(at(&[root(done), apps("ReconciliationFailed"), other]), "settled");
    assert!(
        at(&[root(done), apps("Progressing")]).starts_with("Kustomization/apps to say ReconciliationFailed")
    );
    assert!(at(&[root("main@sha1:old"), apps("ReconciliationFailed")]).contains("to come to the commit"));
    let another = kustomization("a1", "shop", "False", "BuildFailed", "");
    assert!(
        at(&[root(done), apps("ReconciliationFailed"), another]).contains("Kustomization/shop to be ready")
    );
}

#[test]
fn a_failure_made_from_text_is_labelled() {
    let mut list = json!({"items": [kustomization("a1", "apps", "True", "ReconciliationSucceeded", "main@sha1:c0ffee")]});
    let says = Says {
        kind: "Kustomization".to_owned(),
        name: "apps".to_owned(),
        reason: "AccessDenied".to_owned(),
        message: "no".to_owned(),
    };
    made_from_text(&mut list, &says);
    let object = &list["items"][0];
    assert_eq!(object["metadata"]["annotations"]["failures/made-from"], "text");
    assert_eq!(object["status"]["conditions"][1]["message"], "no");
    assert_eq!(object["status"]["history"][0]["lastReconciledStatus"], "AccessDenied");
    assert_eq!(object["status"]["lastAppliedRevision"], Value::Null);
}
