//! Whether a live object holds what a text makes: each field that is set, with the same value. The live one may hold more:
//! defaults, and what others added.

use manifests::value::{Data, Member, Text};
use manifests::{FieldPath, Segment, Site, Value};
use serde_json::Value as Json;

use crate::compare::{DEPTH, scalar_holds};

/// A field that is set and not held.
#[derive(Debug)]
pub(crate) struct Gap {
    pub(crate) at: FieldPath,
    /// Where its key stands, or the value where that has none.
    pub(crate) site: Option<Site>,
    pub(crate) lack: Lack,
}

/// How a field is not held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lack {
    /// The live object has no such key, where a type says which keys there are.
    Dropped,
    /// It has no such key, where keys are anybody's: somebody took it away.
    Gone,
    /// It has another value, which is told for numbers, truth values and [`PLAIN`] texts: others may be nobody's business.
    Other(Option<String>),
}

/// Mappings whose keys are anybody's, and whose values are texts and nothing else.
const FREE: &[&str] =
    &["data", "binaryData", "stringData", "labels", "annotations", "matchLabels", "nodeSelector"];

/// Mappings of quantities, and fields that are one: the API server writes them in its own form.
const QUANTITIES: &[&str] = &[
    "limits",
    "requests",
    "hard",
    "capacity",
    "podFixed",
    "min",
    "max",
    "default",
    "defaultRequest",
    "maxLimitRequestRatio",
    "sizeLimit",
    "divisor",
    "averageValue",
];

/// Fields whose texts are no secrets whoever wrote them, unlike an `env` or an argument.
const PLAIN: &[&str] = &[
    "image",
    "imagePullPolicy",
    "type",
    "schedule",
    "serviceAccountName",
    "storageClassName",
    "ingressClassName",
    "priorityClassName",
    "restartPolicy",
    "concurrencyPolicy",
    "interval",
    "timeout",
    "path",
];

/// What an object's metadata may have otherwise than it is written: its name is how it was found, and the rest has owners of
/// its own.
const METADATA: &[&str] = &[
    "name",
    "namespace",
    "generateName",
    "creationTimestamp",
    "managedFields",
    "finalizers",
    "ownerReferences",
    "resourceVersion",
    "uid",
    "generation",
    "selfLink",
];

/// Annotations that kustomize makes and takes away again.
const OF_KUSTOMIZE: &[&str] =
    &["config.kubernetes.io/", "internal.config.kubernetes.io/", "kustomize.config.k8s.io/"];

/// What of a part of an object (its `spec`, say) the live one does not hold.
pub(crate) fn gaps(written: &Value, live: &Json, at: &FieldPath) -> Vec<Gap> {
    let mut found = Vec::new();
    compare(written, live, at, Kind::Typed, DEPTH, &mut found);
    found
}

/// What of an object that is no Flux object the live one does not hold, but for its state and what tells it from others.
pub(crate) fn gaps_of_object(written: &Value, live: &Json) -> Vec<Gap> {
    let mut found = Vec::new();
    for member in written.as_mapping().unwrap_or_default() {
        let at = FieldPath::root().key(&*member.key);
        match &*member.key {
            "apiVersion" | "kind" | "status" => {}
            "metadata" => metadata(member, live, &at, &mut found),
            _ => field(member, live, &at, Kind::Typed, DEPTH, &mut found),
        }
    }
    found
}

fn metadata(metadata: &Member, live: &Json, at: &FieldPath, found: &mut Vec<Gap>) {
    let Some(live) = live.get("metadata") else { return };
    for member in metadata.value.as_mapping().unwrap_or_default() {
        let at = at.key(&*member.key);
        match &*member.key {
            own if METADATA.contains(&own) => {}
            // Whose keys are free: none is dropped for its name.
            free @ ("annotations" | "labels") => {
                let live = live.get(free).unwrap_or(&Json::Null);
                for member in member.value.as_mapping().unwrap_or_default() {
                    if !OF_KUSTOMIZE.iter().any(|it| member.key.starts_with(it)) {
                        field(member, live, &at.key(&*member.key), Kind::Free, DEPTH, found);
                    }
                }
            }
            _ => field(member, live, &at, Kind::Typed, DEPTH, found),
        }
    }
}

/// What a value is, by the fields above it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Typed,
    Free,
    Quantity,
}

impl Kind {
    fn below(self, key: &str) -> Kind {
        match self {
            Kind::Free => Kind::Free,
            _ if FREE.contains(&key) => Kind::Free,
            _ if QUANTITIES.contains(&key) => Kind::Quantity,
            // Items and fields of what is a quantity are not: `requests: {cpu: 1}` ends there.
            kind => kind,
        }
    }
}

fn field(member: &Member, live: &Json, at: &FieldPath, kind: Kind, depth: u32, found: &mut Vec<Gap>) {
    // A variable may be any key; which one, is not told of a key that variables made.
    if member.key.contains("${") || member.site.as_ref().is_some_and(|it| it.text().contains("${")) {
        return;
    }
    match live.get(&*member.key) {
        Some(live) => {
            let below = kind.below(&member.key);
            let before = found.len();
            compare(&member.value, live, at, below, depth, found);
            for gap in found.iter_mut().skip(before).filter(|it| it.at == *at) {
                gap.site = gap.site.take().or_else(|| member.site.clone());
            }
        }
        None if says_nothing(&member.value) => {}
        None => {
            let lack = if kind == Kind::Typed { Lack::Dropped } else { Lack::Gone };
            let site = member.site.clone().or_else(|| member.value.site.clone());
            found.push(Gap { at: at.clone(), site, lack });
        }
    }
}

fn compare(written: &Value, live: &Json, at: &FieldPath, kind: Kind, depth: u32, found: &mut Vec<Gap>) {
    let other = |there: Option<String>, found: &mut Vec<Gap>| {
        found.push(Gap { at: at.clone(), site: written.site.clone(), lack: Lack::Other(there) });
    };
    let Some(depth) = depth.checked_sub(1) else { return other(None, found) };
    match (&written.data, live) {
        (Data::Mapping(members), Json::Object(_)) => {
            for member in members {
                field(member, live, &at.key(&*member.key), kind, depth, found);
            }
        }
        // What is in a list of another length, or at another place of it, is not looked for: no proof of anything but that
        // the list is another one.
        (Data::Sequence(items), Json::Array(there)) => {
            if items.len() != there.len()
                || items.iter().zip(there).any(|(item, live)| are_others(item, live))
            {
                return other(None, found);
            }
            for (nth, (item, live)) in items.iter().zip(there).enumerate() {
                compare(item, live, &at.index(nth), kind, depth, found);
            }
        }
        // What says nothing may be left out.
        (_, Json::Null) if says_nothing(written) => {}
        (Data::Scalar(text), _) if is_held(text, live, kind) => {}
        (_, Json::Number(number)) => other(Some(number.to_string()), found),
        (_, Json::Bool(truth)) => other(Some(truth.to_string()), found),
        (_, Json::String(text)) if kind == Kind::Quantity || is_plain(at) => other(Some(text.clone()), found),
        _ => other(None, found),
    }
}

fn is_plain(at: &FieldPath) -> bool {
    matches!(at.last(), Some(Segment::Key(key)) if PLAIN.contains(&key.as_str()))
}

/// Items of a list that are told apart by their name.
fn are_others(item: &Value, live: &Json) -> bool {
    let written = item.get("name").and_then(|it| it.as_text()).filter(|it| !it.is_null() && !it.is_unsure());
    let names = written.zip(live.get("name").and_then(Json::as_str));
    names.is_some_and(|(written, live)| *written.value != *live)
}

fn is_held(text: &Text, live: &Json, kind: Kind) -> bool {
    // Null leaves a field to others.
    if text.is_null() || text.is_unsure() {
        return true;
    }
    match kind {
        Kind::Free => live.as_str().is_some_and(|live| *live == *text.value),
        Kind::Typed => scalar_holds(&text.value, false, Some(live)),
        Kind::Quantity => scalar_holds(&text.value, false, Some(live)) || is_same_quantity(&text.value, live),
    }
}

/// What is empty, `false` or 0 is left out by those who write objects; a variable may have been empty.
pub(crate) fn says_nothing(value: &Value) -> bool {
    match &value.data {
        Data::Scalar(text) => {
            text.is_null() || matches!(&*text.value, "" | "false" | "0") || text.is_unsure()
        }
        Data::Sequence(items) => items.is_empty(),
        Data::Mapping(members) => members.iter().all(|it| says_nothing(&it.value)),
    }
}

/// `1024Mi` and `1Gi`, `0.5` and `500m`.
fn is_same_quantity(written: &str, live: &Json) -> bool {
    let live = match live {
        Json::String(it) => quantity(it),
        Json::Number(it) => it.as_f64(),
        _ => None,
    };
    // The API server rounds up to a nano.
    quantity(written).zip(live).is_some_and(|(a, b)| (a - b).abs() <= (a.abs() * 1e-9).max(1e-9))
}

/// A quantity of Kubernetes as a number.
fn quantity(text: &str) -> Option<f64> {
    const SUFFIXES: &[(&str, f64)] = &[
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    let text = text.trim();
    if let Some((number, factor)) =
        SUFFIXES.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, factor)))
    {
        return number.parse::<f64>().ok().map(|it| it * factor);
    }
    // `1e3` too.
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use manifests::{ParsedFile, RepoPath, value};

    use super::*;

    /// What a live object, as JSON, does not hold of a text.
    fn check(written: &str, live: &str, expected: &[&str]) {
        let file = ParsedFile::parse(written);
        let path = RepoPath::new("it.yaml").expect("a path");
        let written = value::of_document(&path, 0, &file.documents()[0]).expect("a document");
        let live: Json = serde_json::from_str(live).expect("JSON");
        let told = gaps_of_object(&written, &live).into_iter().map(|it| match it.lack {
            Lack::Dropped => format!("{} dropped", it.at),
            Lack::Gone => format!("{} gone", it.at),
            Lack::Other(None) => format!("{} differs", it.at),
            Lack::Other(Some(there)) => format!("{} is {there}", it.at),
        });
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_held() {
        // Defaults, other forms of the same, and what says nothing.
        check(
            "spec: {replicas: 2, paused: false, strategy: {}, minReadySeconds: 0, template: {spec: {containers: [{name: web, resources: {limits: {cpu: 0.5, memory: 1024Mi}}}]}}}",
            r#"{"spec": {"replicas": 2, "revisionHistoryLimit": 10, "strategy": {"type": "RollingUpdate"},
                "template": {"spec": {"containers": [{"name": "web", "imagePullPolicy": "Always", "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}}}]}}}}"#,
            &[],
        );
        check("spec: {timeout: 1h, replicas: ~}", r#"{"spec": {"timeout": "1h0m0s", "replicas": 3}}"#, &[]);
        check("spec: {host: \"${HOST}\", \"${KEY}\": 1, gone: \"${X}\"}", r#"{"spec": {"host": "a"}}"#, &[]);
        check(
            "metadata: {name: a, namespace: b, labels: {app: a}, annotations: {config.kubernetes.io/origin: x, who: me}, finalizers: [x]}\nstatus: {a: 1}",
            r#"{"metadata": {"name": "a", "labels": {"app": "a", "more": "x"}, "annotations": {"who": "me"}}}"#,
            &[],
        );
    }

    #[test]
    fn what_is_dropped() {
        check(
            "spec: {replica: 2, template: {spec: {containers: [{name: web, imagePullPolicies: Always, securityContext: {runAsNonroot: true}}]}}}\nspecs: {a: 1}",
            r#"{"spec": {"template": {"spec": {"containers": [{"name": "web", "securityContext": {}}]}}}}"#,
            &[
                "spec.replica dropped",
                "spec.template.spec.containers[0].imagePullPolicies dropped",
                "spec.template.spec.containers[0].securityContext.runAsNonroot dropped",
                "specs dropped",
            ],
        );
        check("metadata: {label: {a: b}}", r#"{"metadata": {"name": "a"}}"#, &["metadata.label dropped"]);
    }

    #[test]
    fn what_differs() {
        check("spec: {replicas: 2}", r#"{"spec": {"replicas": 5}}"#, &["spec.replicas is 5"]);
        check(
            "spec: {image: a, on: true}",
            r#"{"spec": {"image": "b", "on": false}}"#,
            &["spec.image is b", "spec.on is false"],
        );
        check(
            "spec: {limits: {cpu: 1}}",
            r#"{"spec": {"limits": {"cpu": "500m"}}}"#,
            &["spec.limits.cpu is 500m"],
        );
        // What may be a secret that somebody wrote into a text is not told.
        check(
            "spec: {env: [{name: a, value: x}], args: [b]}",
            r#"{"spec": {"env": [{"name": "a", "value": "y"}], "args": ["c"]}}"#,
            &["spec.env[0].value differs", "spec.args[0] differs"],
        );
        // Nobody's types: what is missing was taken away by somebody.
        check("data: {a: 1h, b: x}", r#"{"data": {"a": "60m"}}"#, &["data.a differs", "data.b gone"]);
        check(
            "metadata: {labels: {app: a}, annotations: {who: me}}",
            r#"{"metadata": {}}"#,
            &["metadata.labels.app gone", "metadata.annotations.who gone"],
        );
    }

    #[test]
    fn lists_of_others_prove_nothing() {
        let two = r#"{"spec": {"containers": [{"name": "web"}, {"name": "proxy"}]}}"#;
        check("spec: {containers: [{name: web, imagePolicy: x}]}", two, &["spec.containers differs"]);
        check(
            "spec: {containers: [{name: proxy, imagePolicy: x}, {name: web}]}",
            two,
            &["spec.containers differs"],
        );
    }
}
