//! What patches make of an object: by kyaml's strategic merge and by json-patch. Each expectation was seen with kustomize's own
//! library (api and kyaml 0.21.1, json-patch 4.13).

use crate::kustomize::{self, Files, Overlay};
use crate::value::Data;
use crate::{RepoPath, Value, fixture};

/// A value on one line.
fn shown(value: &Value) -> String {
    match &value.data {
        Data::Scalar(text) => text.value.to_string(),
        Data::Sequence(items) => {
            format!("[{}]", items.iter().map(|it| shown(it)).collect::<Vec<_>>().join(", "))
        }
        Data::Mapping(members) => {
            let members: Vec<String> =
                members.iter().map(|it| format!("{}: {}", it.key, shown(&it.value))).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

/// What a kind's `spec` becomes by a patch, or why it cannot be applied.
fn check(kind: &str, spec: &str, patch: &str, expected: &str) {
    let is_json = patch.starts_with('[');
    let entry = match is_json {
        true => format!("patches: [{{target: {{kind: {kind}}}, patch: '{patch}'}}]"),
        false => "patches: [{path: patch.yaml}]".to_owned(),
    };
    let group = match kind {
        "Service" => "v1",
        "ValidatingAdmissionPolicy" => "admissionregistration.k8s.io/v1",
        _ => "apps/v1",
    };
    let object =
        |spec: &str| format!("apiVersion: {group}\nkind: {kind}\nmetadata: {{name: web}}\nspec: {spec}\n");
    let files = format!(
        "//- kustomization.yaml\nresources: [web.yaml]\n{entry}\n//- web.yaml\n{}//- patch.yaml\n{}",
        object(spec),
        if is_json { String::new() } else { object(patch) }
    );
    let fixture = fixture::parse(&files);
    let tree = fixture.tree();
    let build = kustomize::build(&Files::new(&tree), &RepoPath::root(), &Overlay::default());
    let made = match build.unknown.first() {
        Some(unknown) => unknown.why.to_string(),
        None => build.objects[0].value.get("spec").map_or_else(|| "nothing".to_owned(), |it| shown(it)),
    };
    assert_eq!(made, expected, "{kind} {spec} {patch}");
}

#[test]
fn lists_with_one_key() {
    let pod = |list: &str| format!("{{template: {{spec: {{containers: {list}}}}}}}");
    for (base, patch, expected) in [
        ("[{name: a}, {name: b}]", "[{name: b, image: x}]", "[{name: b, image: x}, {name: a}]"),
        ("[{name: a}]", "[{name: b}, {name: a, image: x}]", "[{name: b}, {name: a, image: x}]"),
        ("[{name: a}, {name: b}]", "[{name: a, $patch: delete}]", "[{name: b}]"),
        // Of the whole list only where nothing else is said.
        ("[{name: a}, {name: b}]", "[{name: c}, {$patch: replace}]", "[{name: c}]"),
        ("[{name: a, image: x}]", "[{name: a, $patch: replace, image: y}]", "[{name: a, image: x}]"),
        // Of what is there twice the last counts.
        ("[{name: a, image: x}, {name: a, image: y}]", "[{name: b}]", "[{name: b}, {name: a, image: y}]"),
    ] {
        check("Deployment", &pod(base), &pod(patch), &pod(expected));
    }
}

#[test]
fn lists_with_two_keys() {
    let service = |list: &str| format!("{{ports: {list}}}");
    for (base, patch, expected) in [
        // Where both count, what is new comes first and the others stay in their order.
        (
            "[{port: 80, protocol: TCP}, {port: 90, protocol: TCP}]",
            "[{port: 90, protocol: TCP, nodePort: 9}]",
            "[{port: 80, protocol: TCP}, {port: 90, protocol: TCP, nodePort: 9}]",
        ),
        (
            "[{port: 80, protocol: TCP}]",
            "[{port: 80, protocol: UDP}]",
            "[{port: 80, protocol: UDP}, {port: 80, protocol: TCP}]",
        ),
        // Nobody says the second one.
        ("[{port: 80}, {port: 90}]", "[{port: 90, nodePort: 9}]", "[{port: 90, nodePort: 9}, {port: 80}]"),
        // One says it and the other does not: the patch is lost.
        ("[{port: 80, protocol: TCP}]", "[{port: 80, nodePort: 9}]", "[{port: 80, protocol: TCP}]"),
        ("[{port: 80}]", "[{port: 80, protocol: TCP, nodePort: 9}]", "[{port: 80}]"),
    ] {
        check("Service", &service(base), &service(patch), &service(expected));
    }
}

#[test]
fn json_patches() {
    let spec = "{a: 1, list: [x, y, z]}";
    for (patch, expected) in [
        ("[{op: replace, path: /spec/b, value: 2}]", "{a: 1, list: [x, y, z], b: 2}"),
        ("[{op: replace, path: /spec/a, value: 2}]", "{a: 2, list: [x, y, z]}"),
        ("[{op: add, path: /spec/list/-1, value: w}]", "{a: 1, list: [x, y, z, w]}"),
        ("[{op: add, path: /spec/list/-, value: w}]", "{a: 1, list: [x, y, z, w]}"),
        ("[{op: replace, path: /spec/list/-1, value: w}]", "{a: 1, list: [x, y, w]}"),
        ("[{op: remove, path: /spec/list/-3}]", "{a: 1, list: [y, z]}"),
        ("[{op: test, path: /spec/b, value: null}, {op: remove, path: /spec/a}]", "{list: [x, y, z]}"),
        ("[{op: remove, path: anything/spec/a}]", "{list: [x, y, z]}"),
        ("[{op: move, from: /spec/list/0, path: /spec/list/2}]", "{a: 1, list: [y, z, x]}"),
        (
            "[{op: replace, path: /spec/b/c, value: 2}]",
            "the patch cannot be applied: /spec/b/c: `b` does not exist",
        ),
        (
            "[{op: replace, path: /spec/list/3, value: w}]",
            "the patch cannot be applied: /spec/list/3: `3` does not exist",
        ),
        ("[{op: remove, path: /spec/b}]", "the patch cannot be applied: /spec/b: `b` does not exist"),
        ("[{op: copy, from: /spec/b/c, path: /spec/a}]", "the patch cannot be applied: `b` does not exist"),
    ] {
        check("Deployment", spec, patch, expected);
    }
}

#[test]
fn lists_of_a_policy() {
    // No key tells validations apart: the patch's list is the list.
    check(
        "ValidatingAdmissionPolicy",
        "{validations: [{expression: a}]}",
        "{validations: [{expression: b}]}",
        "{validations: [{expression: b}]}",
    );
}
