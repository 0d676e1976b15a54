//! What the API server says of an object that Flux or Helm applies (flux-reference C.4).

use super::field::{PATHLESS, Problem, field_errors, typed_errors};
use super::named::tail;
use super::own::At;
use super::path::unquote;
use super::{Fault, LookFor, Named, Other, Path, Place, Row, Scene, Step, Then, first};
use crate::Kind;

const ANY: &[Kind] = Kind::ALL;

/// What the API server answers, without the object that it is about.
pub(super) const ANSWERS: &[Row] = &[
    ("A7", ANY, "*failed to create typed * object (*; *, Kind=*): *", Then::Read(typed)),
    ("A22", ANY, "Apply failed with * conflict*: conflict*", Then::Read(conflict)),
    ("H14", ANY, "* in version \"*\" cannot be handled as a *: strict decoding error: *", Then::Read(strict)),
    ("A10", ANY, "*json: cannot unmarshal * into Go struct field * of type *", Then::Read(undecodable)),
    ("H-4", ANY, "*failed to convert new object (*; *) to proper version: *", Then::Read(unconvertible)),
    ("H-4", ANY, "* in version \"*\" cannot be handled as a *: *", Then::Read(unconvertible)),
    ("A17", ANY, "*admission webhook \"*\" denied the request*", Then::Read(denied)),
    ("A20", ANY, "*ValidatingAdmissionPolicy '*' with binding '*' denied request: *", Then::Read(policy)),
    ("A19", ANY, "*admission webhook \"*\" does not support dry run*", Then::Read(webhook_trouble)),
    ("A18", ANY, "*failed calling webhook \"*\": *", Then::Read(webhook_trouble)),
    (
        "A21",
        ANY,
        "*unable to create new content in namespace * because it is being terminated*",
        Then::Read(terminating),
    ),
    ("A15", ANY, "*is forbidden: exceeded quota: *, requested: *", Then::Read(quota)),
    ("A15", ANY, "*is forbidden: failed quota: *: *", Then::Read(quota)),
    ("A16", ANY, "*is forbidden: violates PodSecurity \"*\": *", Then::Read(pod_security)),
    ("A14", ANY, "*is forbidden: User \"*\" cannot *", Then::Read(no_right)),
    ("A14", ANY, "*is forbidden: user \"*\" *is attempting to grant *", Then::Read(no_right)),
    ("", ANY, "*is forbidden: error looking up service account *", Then::Read(no_account)),
    ("", ANY, "*is forbidden: no PriorityClass with name * was found*", Then::Read(no_class)),
    ("A11", ANY, "*no matches for kind \"*\" in version \"*\"*", Then::Read(no_kind)),
    ("A12", ANY, "namespaces \"*\" not found*", Then::Read(no_namespace)),
    ("A1", ANY, "*\" is invalid: *", Then::Read(invalid)),
    ("A23", ANY, ".*: field not declared in schema*", Then::Read(bare_typed)),
    ("H14'", ANY, "*error validating data: *", Then::Read(validation)),
    (
        "A28",
        ANY,
        "*unable to retrieve the complete list of server APIs: *",
        Then::Read(|scene, _| Some(vec![Fault::new(scene.text).of_cluster()])),
    ),
];

/// What is told of an object, after its name.
const OF_OBJECTS: &[(&str, &str)] = &[
    ("A1", " dry-run failed"),
    ("A12", " not found: "),
    ("A13", " namespace not specified: "),
    ("A24", " immutable field detected, failed to delete object: "),
    ("A24", " immutable field detected, failed to wait for object to be deleted: "),
    ("A25", " apply failed: "),
    ("A26", " metadata.managedFields cleanup failed: "),
    ("P3", " termination timeout: "),
    ("", " normalization error: "),
    ("", " failed to migrate API version: "),
    ("K43", " is SOPS encrypted, "),
];

/// Lines of which each tells of one object that was not applied: `Deployment/apps/web dry-run failed …`.
pub(super) fn objects(scene: &Scene<'_>, _: &[&str]) -> Option<Vec<Fault>> {
    let mut parts: Vec<(Named, &str, &str, &str)> = Vec::new();
    let mut starts = Vec::new();
    let mut at = 0;
    for line in scene.text.split_inclusive('\n') {
        if let Some((object, rest)) = Named::head(line.trim_start())
            && let Some((id, verb)) = OF_OBJECTS.iter().find(|(_, verb)| rest.starts_with(verb))
        {
            starts.push((at, object, *id, *verb));
        }
        at += line.len();
    }
    // Other text at the start is of another shape.
    if starts.first()?.0 != 0 {
        return None;
    }
    let ends: Vec<usize> = starts.iter().skip(1).map(|it| it.0).chain([scene.text.len()]).collect();
    for ((start, object, id, verb), end) in starts.into_iter().zip(ends) {
        let part = scene.text.get(start..end)?.trim();
        let (_, rest) = part.split_once(verb)?;
        parts.push((object, id, verb, rest));
    }
    Some(
        parts
            .into_iter()
            .flat_map(|(object, id, verb, rest)| of_object(scene, object, id, verb, rest))
            .collect(),
    )
}

fn of_object(scene: &Scene<'_>, object: Named, id: &'static str, verb: &str, rest: &str) -> Vec<Fault> {
    let sentence = |rest: &str| format!("{}: {rest}", verb.trim().trim_end_matches([':', ',']));
    let one = |fault: Fault| vec![fault.shaped(id)];
    match id {
        "A1" => answer(scene, &object, dry_run_rest(rest)),
        "A25" => {
            let mut faults = answer(scene, &object, rest);
            for fault in &mut faults {
                fault.shape = fault.shape.or(Some(id));
            }
            faults
        }
        "A12" => answer(scene, &object, rest),
        "A13" if rest.contains("could not find the requested resource") => {
            let says = format!("{object} has no namespace: {rest}");
            one(Fault::new(&says).of(object).field(&["metadata", "namespace"], Problem::Required))
        }
        "A13" => answer(scene, &object, rest).into_iter().map(|fault| fault.shaped(id)).collect(),
        "K43" => {
            let says = format!("{object} is SOPS encrypted, {rest}");
            let own = At::Field(&["spec.decryption"]);
            one(Fault::new(&says).own(own, &[]).of(object).field(&["sops"], Problem::Forbidden))
        }
        "P3" => {
            one(Fault::new(&sentence(rest)).own(At::Field(&["spec.prune"]), &[]).of(object).at(Place::Own))
        }
        _ => one(Fault::new(&sentence(rest)).of(object)),
    }
}

/// ` (Invalid): …`, `: …`, or as Flux up to 2.1 wrote it `, reason: Invalid, error: …`.
fn dry_run_rest(rest: &str) -> &str {
    let rest = rest.trim_start();
    if rest.starts_with('(')
        && let Some((_, rest)) = rest.split_once("): ")
    {
        return rest;
    }
    if rest.starts_with(", ")
        && let Some((_, rest)) = rest.split_once("error: ")
    {
        return rest;
    }
    rest.strip_prefix(": ").unwrap_or(rest)
}

/// What the API server answered for an object: at least one fault of that object.
pub(super) fn answer(scene: &Scene<'_>, object: &Named, rest: &str) -> Vec<Fault> {
    let rest = rest.trim();
    let faults = first(ANSWERS, &Scene { text: rest, ..*scene });
    let faults = faults.unwrap_or_else(|| vec![Fault::new(rest).at(Place::Object)]);
    faults.into_iter().map(|fault| with_object(fault, object, rest)).collect()
}

/// As [`answer`], where no object is named before; none if the answer is not known.
pub(super) fn answer_alone(scene: &Scene<'_>, rest: &str) -> Option<Vec<Fault>> {
    let faults = first(ANSWERS, &Scene { text: rest.trim(), ..*scene })?;
    Some(
        faults
            .into_iter()
            .map(|fault| match quoted_object(rest).filter(|_| fault.object.is_none()) {
                Some(object) => with_object(fault, &object, rest),
                None => fault,
            })
            .collect(),
    )
}

/// `Deployment.apps "web" is invalid: …` names its object.
fn quoted_object(rest: &str) -> Option<Named> {
    let (gk, name) = rest.split_once(" \"")?;
    let (name, _) = name.split_once("\" is invalid")?;
    let kind = gk.rsplit([' ', ':']).next()?.split('.').next()?;
    Named::parse(&format!("{kind}/{name}"))
}

fn with_object(fault: Fault, object: &Named, rest: &str) -> Fault {
    let mut object = fault.object.clone().unwrap_or_else(|| object.clone());
    // `Deployment.apps "web" is invalid` tells the group that `Deployment/apps/web` leaves out.
    if object.group.is_none()
        && let Some((gk, quoted)) = rest.split_once(" \"")
        && quoted.starts_with(object.name.as_str())
        && quoted.contains("\" is invalid")
        && let Some(group) = gk.strip_prefix(object.kind.as_str())
    {
        object.group = match group.strip_prefix('.') {
            Some(group) => Some(group.to_owned()),
            None if group.is_empty() => Some(String::new()),
            None => None,
        };
    }
    Fault { object: Some(object), ..fault }
}

/// `Deployment.apps "web" is invalid: <field errors>`.
fn invalid(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let errors = field_errors(captured.last()?);
    let many = errors.len() > 1;
    let faults = errors.into_iter().map(|error| {
        let shape = match &error.problem {
            Problem::Immutable { .. } if error.detail.starts_with("updates to statefulset") => "A4",
            Problem::Immutable { .. } => "A3",
            Problem::NotSupported { .. } => "A5",
            _ if many => "A2",
            _ if error.detail.contains(" in body ") || error.without_value => "A6",
            _ if error.value.is_some() && matches!(error.path.last_key(), Some("labels" | "annotations")) => {
                "H-5"
            }
            _ => "A1",
        };
        let fault = Fault::new(&error.says).shaped(shape);
        let fault = if shape == "A3" { fault.hint(IMMUTABLE) } else { fault };
        fault.at(Place::Field { path: error.path, value: error.value, problem: error.problem })
    });
    let faults: Vec<Fault> = faults.collect();
    (!faults.is_empty()).then_some(faults)
}

const IMMUTABLE: &str = "to recreate the object, annotate it with `kustomize.toolkit.fluxcd.io/force: enabled` or set `spec.force`";

/// `failed to create typed patch object (apps/web; apps/v1, Kind=Deployment): <typed errors>`.
fn typed(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let errors = captured.last()?;
    let faults = typed_errors(errors);
    let shaped = faults.into_iter().map(|fault| {
        let shape = match &fault.place {
            Place::Field { problem: Problem::Type { .. }, .. } => "A8",
            Place::Field { problem: Problem::Duplicate | Problem::Required, .. } => "A9",
            _ => "A7",
        };
        fault.shaped(shape)
    });
    Some(shaped.collect())
}

fn bare_typed(scene: &Scene<'_>, _: &[&str]) -> Option<Vec<Fault>> {
    const HINT: &str = "if the field is not in your text: the CRD's version changed; Flux's MigrateAPIVersion feature gate mends that";
    Some(typed_errors(scene.text).into_iter().map(|fault| fault.hint(HINT)).collect())
}

/// `unknown field "spec.foo", duplicate field "spec.bar"`.
fn strict(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let mut faults = Vec::new();
    for (mark, problem) in
        [("unknown field \"", Problem::Unknown), ("duplicate field \"", Problem::Duplicate)]
    {
        for (at, _) in captured.last()?.match_indices(mark).take(64) {
            let quoted = captured.last()?.get(at + mark.len() - 1..)?;
            let Some((text, _)) = unquote(quoted) else { continue };
            let Some(path) = Path::parse(&text) else { continue };
            let says = format!("{mark}{text}\"");
            faults.push(Fault::new(&says).at(Place::Field { path, value: None, problem: problem.clone() }));
        }
    }
    Some(faults)
}

/// `json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string`.
fn undecodable(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, got, field, expected] = captured[..] else { return None };
    let expected = expected.split([' ', '\n', ';']).next().unwrap_or(expected);
    // The Go type stands first.
    let field = match field.split_once('.') {
        Some((kind, rest)) if kind.starts_with(|c: char| c.is_ascii_uppercase()) => rest,
        _ => field,
    };
    let says = scene.text.get(before.len()..).unwrap_or(scene.text);
    let (expected, got) = (expected.to_owned(), got.to_owned());
    let path = Path::dotted(field);
    let whole = matches!(path.steps().first(), Some(Step::Key(key)) if TOP.contains(&key.as_str()));
    let place = if whole {
        Place::Field { path, value: None, problem: Problem::Type { expected, got } }
    } else {
        let key = path.last_key()?.to_owned();
        Place::Somewhere(LookFor::Typed { key, expected, got })
    };
    Some(vec![Fault::new(says).at(place)])
}

/// Keys at the root of objects: older API servers leave the path's beginning out.
const TOP: &[&str] =
    &["metadata", "spec", "data", "stringData", "binaryData", "rules", "subjects", "roleRef", "webhooks"];

/// A conversion that failed, where only a value's kind is told.
fn unconvertible(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let what = captured.last()?;
    let look = PATHLESS.iter().find(|(text, _)| what.contains(text)).map(|(_, look)| look.clone());
    let says = what.split_once("Kind=").and_then(|(_, it)| it.split_once(": ")).map_or(*what, |(_, it)| it);
    let place = look.map_or(Place::Object, Place::Somewhere);
    Some(vec![Fault::new(says).at(place)])
}

/// `admission webhook "…" denied the request: <free text>`: a list of field errors, lines of policies, or a path
/// somewhere in it.
fn denied(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, webhook, text] = captured[..] else { return None };
    let text = text.strip_prefix(':').unwrap_or(text).trim();
    let one = |says: &str, policy: &str| {
        let fault = Fault::new(says).at(Place::Object);
        Fault { policy: Some(policy.to_owned()), ..fault }
    };
    if text.is_empty() {
        return Some(vec![one(&format!("denied by {webhook} without a reason"), webhook)]);
    }
    if text == "without explanation" {
        return Some(vec![one(&format!("denied by {webhook} without explanation"), webhook)]);
    }
    // Gatekeeper: `[policy] text`, one a line.
    let gatekeeper = |line: &'_ str| {
        let (policy, says) = line.trim().strip_prefix('[')?.split_once("] ")?;
        (!policy.contains([' ', ':', '"', '{'])).then(|| (policy.to_owned(), says.to_owned()))
    };
    let lines: Vec<_> = text.lines().filter_map(gatekeeper).take(64).collect();
    if !lines.is_empty() {
        return Some(lines.iter().map(|(policy, says)| one(says, policy)).collect());
    }
    // `Kind.group "name" is invalid: …` or bare field errors.
    let listed = text.split_once("\" is invalid: ").map_or(text, |(_, it)| it);
    let errors = field_errors(listed);
    if !errors.is_empty() {
        let faults = errors.into_iter().map(|it| {
            let place = Place::Field { path: it.path, value: it.value, problem: it.problem };
            Fault { place, ..one(&it.says, webhook) }
        });
        return Some(faults.collect());
    }
    Some(kyverno(text, webhook).unwrap_or_else(|| vec![one(text, webhook)]))
}

/// Kyverno's tale: policies, below each its rules with `… at path /spec/x/`.
fn kyverno(text: &str, webhook: &str) -> Option<Vec<Fault>> {
    let (_, list) = text.split_once("blocked due to the following policies")?;
    let mut policy = webhook.to_owned();
    let mut faults = Vec::new();
    for line in list.lines().map(str::trim_end).filter(|it| !it.is_empty()).take(200) {
        let (name, rest) = line.trim_start().split_once(':').unwrap_or((line, ""));
        if !line.starts_with(' ') && rest.trim().is_empty() {
            policy = name.to_owned();
            continue;
        }
        let says = rest.trim().trim_matches('\'');
        if says.is_empty() || !line.starts_with(' ') {
            continue;
        }
        let pointer =
            says.rsplit_once(" path /").map(|(_, it)| it.split([' ', '\'', '"']).next().unwrap_or(it));
        let place = match pointer {
            Some(pointer) => Place::Field {
                path: Path::pointer(&format!("/{pointer}")),
                value: None,
                problem: Problem::Denied,
            },
            None => Place::Object,
        };
        faults.push(Fault { policy: Some(policy.clone()), ..Fault::new(says).at(place) });
    }
    (!faults.is_empty()).then_some(faults)
}

fn policy(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, policy, _, text] = captured[..] else { return None };
    Some(vec![Fault { policy: Some(policy.to_owned()), ..Fault::new(text).at(Place::Object) }])
}

fn webhook_trouble(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let webhook = captured.get(1)?;
    let fault = Fault::new(scene.text).at(Place::Object).of_cluster();
    Some(vec![Fault { policy: Some((*webhook).to_owned()), ..fault }])
}

fn terminating(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let namespace = captured.get(1)?;
    let says = format!("the namespace {namespace} is being deleted");
    let fault = Fault::new(&says).field(&["metadata", "namespace"], Problem::Forbidden).of_cluster();
    Some(vec![fault.other(Other::NotReady(Named::new("Namespace", None, namespace).in_group("")))])
}

fn quota(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let says = scene.text.split_once("is forbidden: ").map_or(scene.text, |(_, it)| it);
    let fault = Fault::new(says).at(Place::Object).of_cluster();
    Some(vec![Fault { policy: Some((*captured.get(1)?).to_owned()), ..fault }])
}

/// `allowPrivilegeEscalation != false (container "web" must set securityContext.allowPrivilegeEscalation=false), …`.
fn pod_security(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, level, reasons] = captured[..] else { return None };
    let mut faults = Vec::new();
    let mut rest = reasons;
    while let Some((reason, more)) = rest.split_once(')')
        && faults.len() < 64
    {
        rest = more;
        let reason = reason.trim_start_matches([',', ' ']);
        let says = format!("{reason})");
        let (_, who) = reason.split_once('(').unwrap_or(("", reason));
        let field = who
            .split_once(" must ")
            .and_then(|(_, it)| it.find("securityContext").and_then(|at| it.get(at..)));
        let field = field.map(|it| it.split(['=', ' ', ';', ',']).next().unwrap_or(it)).and_then(Path::parse);
        // Of several containers the first: one mark for one reason.
        let container = who.contains("container").then(|| who.split('"').nth(1)).flatten();
        let named = |list: &str, name: &str| {
            Path::of(&["spec", list]).with(Step::Item(vec![("name".to_owned(), name.to_owned())]))
        };
        let volume = who.split_once("volume \"").and_then(|(_, it)| it.split('"').next());
        let host = who.split('=').next().filter(|it| it.starts_with("host") && !it.contains(' '));
        let above = match (container, volume, host) {
            (Some(name), _, _) => Some(named("containers", name)),
            (None, Some(name), _) => Some(named("volumes", name)),
            (None, None, Some(key)) => Some(Path::of(&["spec", key])),
            (None, None, None) => field.is_some().then(|| Path::of(&["spec"])),
        };
        let place = match above {
            Some(above) => {
                let path = field.unwrap_or_default().steps().iter().cloned().fold(above, Path::with);
                Place::Field { path, value: None, problem: Problem::Denied }
            }
            None => Place::Object,
        };
        faults.push(Fault::new(&says).at(place));
    }
    if faults.is_empty() {
        faults.push(Fault::new(reasons).at(Place::Object));
    }
    let policy = format!("PodSecurity {level}");
    Some(faults.into_iter().map(|fault| Fault { policy: Some(policy.clone()), ..fault }).collect())
}

fn no_right(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let (user, what) = match captured[..] {
        [_, user, what] => (user, format!("cannot {what}")),
        // Rights that one lacks cannot be given to others.
        [_, user, _, what] => (user, format!("cannot grant {what}")),
        _ => return None,
    };
    let who = match user.strip_prefix("system:serviceaccount:").and_then(|it| it.split_once(':')) {
        Some((namespace, name)) => format!("the service account {namespace}/{name}"),
        None => user.to_owned(),
    };
    let says = format!("{who} {what}");
    let own = At::Field(&["spec.serviceAccountName"]);
    Some(vec![Fault::new(&says).own(own, &[]).at(Place::Own)])
}

/// Of Pods only: controllers make the Pods of workloads later.
fn no_account(scene: &Scene<'_>, _: &[&str]) -> Option<Vec<Fault>> {
    let says = scene.text.split_once("is forbidden: ").map_or(scene.text, |(_, it)| it);
    Some(vec![Fault::new(says).field(&["spec", "serviceAccountName"], Problem::NotFound)])
}

fn no_class(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, name, _] = captured[..] else { return None };
    let class = Named::new("PriorityClass", None, name).in_group("scheduling.k8s.io");
    let fault = Fault::new(&format!("there is no PriorityClass {name}")).other(Other::Missing(class));
    Some(vec![fault.field(&["spec", "priorityClassName"], Problem::NotFound)])
}

/// `resource mapping not found for name: "app" namespace: "x" from "": no matches for kind …`, once for each object.
fn no_kind(scene: &Scene<'_>, _: &[&str]) -> Option<Vec<Fault>> {
    let mut faults = Vec::new();
    for (at, mark) in scene.text.match_indices("no matches for kind \"").take(64) {
        let Some(kind_text) = scene.text.get(at + mark.len() - 1..) else { continue };
        let Some((kind, len)) = unquote(kind_text) else { continue };
        let version = kind_text.get(len..).and_then(|it| it.strip_prefix(" in version ")).and_then(unquote);
        let Some((api_version, _)) = version else { continue };
        let says = format!("the cluster knows no {kind} in {api_version}: is its CRD missing?");
        let place = Place::Field {
            path: Path::of(&["apiVersion"]),
            value: Some(api_version.clone()),
            problem: Problem::NotFound,
        };
        let other = Other::NoKind { api_version: api_version.clone(), kind: kind.clone() };
        let mut fault = Fault::new(&says).at(place).other(other);
        // Helm names the object, too.
        let before = tail(scene.text.get(..at)?, 400);
        if let Some((_, named)) = before.rsplit_once("not found for name: ")
            && let Some((name, used)) = unquote(named)
        {
            let namespace =
                named.get(used..).and_then(|it| it.strip_prefix(" namespace: ")).and_then(unquote);
            let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
            let namespace = namespace.map(|(it, _)| it);
            fault = fault.of(Named::new(&kind, namespace.as_deref(), &name).in_group(group));
        }
        faults.push(fault);
    }
    Some(faults)
}

fn no_namespace(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let namespace = captured.first()?;
    let fault = Fault::new(&format!("the namespace {namespace} does not exist"));
    let place = Place::Field {
        path: Path::of(&["metadata", "namespace"]),
        value: Some((*namespace).to_owned()),
        problem: Problem::NotFound,
    };
    let own = At::Field(&["spec.targetNamespace"]);
    let missing = Named::new("Namespace", None, namespace).in_group("");
    Some(vec![fault.own(own, &[]).at(place).other(Other::Missing(missing))])
}

/// `Apply failed with 2 conflicts: conflicts with "kubectl" using apps/v1:\n- .spec.replicas\n- …`.
fn conflict(scene: &Scene<'_>, _: &[&str]) -> Option<Vec<Fault>> {
    let mut manager = String::new();
    let mut faults = Vec::new();
    for line in scene.text.lines().take(200) {
        let mut rest = line.trim();
        if let Some((_, with)) = line.split_once("with \"") {
            manager = with.split('"').next().unwrap_or_default().to_owned();
            // One conflict stands in the line itself.
            rest = line.rsplit_once(": ").map_or("", |(_, it)| it).trim();
        }
        let Some((path, _)) =
            rest.strip_prefix("- ").or(Some(rest)).filter(|it| it.starts_with('.')).and_then(Path::head)
        else {
            continue;
        };
        let says = format!("{path} is owned by {manager}");
        let place = Place::Field { path, value: None, problem: Problem::Owned };
        faults.push(Fault { policy: Some(manager.clone()), ..Fault::new(&says).at(place) });
    }
    if faults.is_empty() {
        faults.push(Fault::new(scene.text).at(Place::Object));
    }
    Some(faults)
}

/// Helm 3: `error validating "": error validating data: [ValidationError(Deployment.spec): unknown field "x" in
/// io.k8s…, …]`.
fn validation(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let text = captured.last()?;
    let mut faults = Vec::new();
    for part in text.split("ValidationError(").skip(1).take(64) {
        let Some((place, what)) = part.split_once("): ") else { continue };
        let (kind, path) = place.split_once('.').unwrap_or((place, ""));
        let mut path = Path::parse(path).unwrap_or_default();
        let quoted = what.find('"').and_then(|at| what.get(at..)).and_then(unquote).map(|(it, _)| it);
        let problem = if what.starts_with("unknown field ") {
            Problem::Unknown
        } else if what.starts_with("missing required field ") {
            Problem::Required
        } else {
            Problem::Invalid
        };
        if let (Problem::Unknown | Problem::Required, Some(key)) = (&problem, &quoted) {
            path = path.key(key);
        }
        let what = what.split(", Validation").next().unwrap_or(what).trim_end_matches([',', ' ', ']']);
        let place = Place::Field { path, value: None, problem };
        faults.push(Fault::new(&format!("{kind}: {what}")).at(place));
    }
    if faults.is_empty() {
        faults.push(Fault::new(scene.text).at(Place::Object));
    }
    Some(faults)
}
