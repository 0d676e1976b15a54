//! What the controllers say of a case: when it is final, and what is kept of it.

use serde_json::{Value, json};
use testbed::condition;

use crate::{Case, Says, Settles};

/// How far the controllers are with a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Something is still to come; what it is.
    UnderWay(String),
    /// All is as the case says.
    Settled,
}

/// The objects of a case in a recording of the whole cluster: the items of its namespace.
pub fn only(case: &Case, recording: &Value) -> Value {
    let items = recording["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let own: Vec<&Value> = items.iter().filter(|item| item["metadata"]["namespace"] == *case.name).collect();
    json!({ "apiVersion": "v1", "kind": "List", "metadata": { "resourceVersion": "" }, "items": own })
}

/// How far the controllers are with commit number `at` (from 0) of a case. `commit` is its hash.
pub fn standing(case: &Case, own: &Value, at: usize, commit: &str) -> Standing {
    let last = at + 1 == case.commits.len();
    let items = own["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let settles: &[Settles] = if last { &case.settles } else { &[] };
    for expected in settles {
        let found =
            items.iter().find(|it| it["kind"] == *expected.kind && it["metadata"]["name"] == *expected.name);
        let ready = found.and_then(|it| condition(it, "Ready"));
        if ready.is_none_or(|it| it["reason"] != *expected.reason) {
            let (kind, name) = (&expected.kind, &expected.name);
            return Standing::UnderWay(format!("{kind}/{name} to say {}: {}", expected.reason, shown(ready)));
        }
    }
    for item in items {
        let (kind, name) = (text(&item["kind"]), text(&item["metadata"]["name"]));
        if ["Alert", "Provider"].contains(&kind) || item.pointer("/spec/suspend") == Some(&json!(true)) {
            continue;
        }
        let ready = condition(item, "Ready");
        let under_way = |what: &str| Standing::UnderWay(format!("{kind}/{name} {what}: {}", shown(ready)));
        let status = ready.map(|it| text(&it["status"])).unwrap_or_default();
        // An OCI HelmRepository is static: it has no status.
        let is_static = kind == "HelmRepository" && item["spec"]["type"] == "oci";
        if is_static {
            continue;
        }
        if status.is_empty() || status == "Unknown" {
            return under_way("to be told");
        }
        let observed = ready.map(|it| &it["observedGeneration"]).filter(|it| !it.is_null());
        if observed.is_some_and(|it| *it != item["metadata"]["generation"]) {
            return under_way("to be looked at");
        }
        // The HelmChart that a HelmRelease makes has the same failure.
        let is_expected = settles.iter().any(|it| match kind {
            "HelmChart" => it.kind == "HelmRelease" && name == format!("{}-{}", case.name, it.name),
            _ => it.kind == kind && it.name == name,
        });
        if status != "True" && !is_expected {
            return under_way("to be ready");
        }
        let revision = match kind {
            // What is copied from a commit has a revision of its own.
            "Kustomization" => match &item["status"]["lastAppliedOriginRevision"] {
                Value::Null => &item["status"]["lastAppliedRevision"],
                origin => origin,
            },
            "GitRepository" if name == "flux-system" => &item["status"]["artifact"]["revision"],
            _ => continue,
        };
        if status == "True"
            && !text(revision).ends_with(commit)
            && item["spec"]["sourceRef"]["name"] != "other"
        {
            return under_way("to come to the commit");
        }
    }
    if items.is_empty() { Standing::UnderWay("the first object".to_owned()) } else { Standing::Settled }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn shown(ready: Option<&Value>) -> String {
    let Some(ready) = ready else { return "nothing said".to_owned() };
    format!("{} {}: {}", text(&ready["status"]), text(&ready["reason"]), text(&ready["message"]))
}

/// Puts a failure into the recording of a case that went well: what a controller would say that we cannot bring to say
/// it. The object is labelled so that nobody takes it for a real recording.
pub fn made_from_text(own: &mut Value, says: &Says) {
    let items = own["items"].as_array_mut().expect("a list has items");
    let is_it = |it: &&mut Value| it["kind"] == *says.kind && it["metadata"]["name"] == *says.name;
    let item = items.iter_mut().find(is_it).unwrap_or_else(|| panic!("{says:?}: there is no such object"));
    item["metadata"]["annotations"]["failures/made-from"] = "text".into();
    let ready = condition(item, "Ready").expect("the recording is of an object that is ready");
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": ready["lastTransitionTime"], "observedGeneration": ready["observedGeneration"],
        })
    };
    let failed = condition("Ready", "False", &says.reason, &says.message);
    let status = match says.kind.as_str() {
        "Kustomization" => {
            let retrying = condition("Reconciling", "True", "ProgressingWithRetry", &says.message);
            json!([retrying, failed])
        }
        "HelmRelease" => json!([failed]),
        // A source keeps the artifact that it has.
        _ => {
            let fetching = condition("FetchFailed", "True", &says.reason, &says.message);
            json!([fetching, failed])
        }
    };
    item["status"]["conditions"] = status;
    if says.kind == "Kustomization" {
        let status = item["status"].as_object_mut().expect("it has a status");
        status.remove("lastAppliedRevision");
        status.remove("lastAppliedOriginRevision");
        if says.reason != "HealthCheckFailed" {
            status.remove("inventory");
        }
        if let Some(newest) = status.get_mut("history").and_then(|it| it.get_mut(0)) {
            newest["lastReconciledStatus"] = says.reason.clone().into();
        }
    }
}
