//! What helm-controller and Helm say of a release (flux-reference C.6).

use super::named::tail;
use super::own::At;
use super::rows::{CHART_OF_RELEASE, HR, ROWS, VERSION_OF_RELEASE};
use super::{Fault, Named, Other, Row, Scene, Then, api, build, first, health, values};
use crate::Kind;

const VALUES: At = At::Field(&["spec.values", "spec.valuesFrom"]);
/// What the chart itself does wrong.
const CHART: At = At::Field(&["spec.chartRef.name", "spec.chart.spec.chart"]);
const INSTALL: At = At::Field(&["spec.install"]);
const UPGRADE: At = At::Field(&["spec.upgrade"]);
const TIMEOUT: At = At::Field(&["spec.timeout"]);
const POST_RENDERERS: At = At::Field(&["spec.postRenderers"]);

/// Below `Helm install failed for release apps/web with chart web@1.4.0: `.
pub(super) const RELEASE: &[Row] = &[
    ("H12", HR, "*meet the specifications of the schema*- at '*", Then::Read(values::schema)),
    ("H12'", HR, "*meet the specifications of the schema*\n- *", Then::Read(values::schema)),
    (
        "H12",
        HR,
        "*meet the specifications of the schema*\ninvalid type for values: *",
        Then::Read(values::schema),
    ),
    ("H19", HR, "failed pre-install: *", Then::Read(|scene, told| hook(scene, told, INSTALL))),
    ("H19", HR, "failed post-install: *", Then::Read(|scene, told| hook(scene, told, INSTALL))),
    ("H19", HR, "*pre-upgrade hooks failed: *", Then::Read(|scene, told| hook(scene, told, UPGRADE))),
    ("H19", HR, "*post-upgrade hooks failed: *", Then::Read(|scene, told| hook(scene, told, UPGRADE))),
    ("H9", HR, "*execution error at (*): *", Then::Read(values::demanded)),
    ("H9", HR, "*execution error in (*): *", Then::Read(values::demanded)),
    ("H8", HR, "*\n*executing \"*\" at <*", Then::Read(values::template)),
    ("H8'", HR, "*executing \"*\" at <*", Then::Read(values::template)),
    ("H11", HR, "*YAML parse error on *: *", Then::Read(values::rendered)),
    ("H11", HR, "*parsing *: MalformedYAMLError: *", Then::Read(values::rendered)),
    ("H10", HR, "*parse error at (*): *", Then::Read(values::unparsable)),
    ("H10", HR, "*parse error in (*): *", Then::Read(values::unparsable)),
    ("H16", HR, "* \"*\" in namespace \"*\" exists and cannot be imported into *", Then::Read(owned)),
    ("H22", HR, "failed to apply CustomResourceDefinitions: *", Then::Read(definitions)),
    ("H22", HR, "failed to install CRD *", Then::Read(definitions)),
    ("H23", HR, "*error while running post render on *: *", Then::Read(post_render)),
    ("H23", HR, "*error while parsing post rendered output*", Then::Own(POST_RENDERERS)),
    ("H15", HR, "*conflict occurred while applying object * *, Kind=*: *", Then::Read(of_object)),
    ("H14", HR, "*server-side apply failed for object * *, Kind=*: *", Then::Read(of_object)),
    ("H13", HR, "*unable to build kubernetes objects from *release manifest: *", Then::Read(manifest)),
    ("H13", HR, "*unable to build kubernetes object for * hook *: *", Then::Read(manifest)),
    ("H14'", HR, "*cannot patch \"*\" with kind *: *", Then::Read(patched)),
    ("H14'", HR, "*failed to create resource: *", Then::Read(manifest)),
    ("H14'", HR, "*error validating data: *", Then::Read(manifest)),
    ("H18", HR, "*resource * not ready. status: *", Then::Read(health::not_ready)),
    ("H18", HR, "*resource * still exists. status: *", Then::Read(health::not_ready)),
    ("H17", HR, "*timeout waiting for: [*", Then::Read(waited)),
    ("H17", HR, "*failed early due to stalled resources: [*", Then::Read(waited)),
    ("H21", HR, "*chart requires kubeVersion: *", Then::Own(VERSION_OF_RELEASE)),
    ("H25", HR, "*cannot reuse a name that is still in use*", Then::Own(At::Field(&["spec.releaseName"]))),
    ("H25", HR, "*has no deployed releases*", Then::Own(At::Field(&["spec.releaseName"]))),
    ("H24", HR, "*another operation (install/upgrade/rollback) is in progress*", Then::Own(At::Field(&[]))),
    ("H17'", HR, "*timed out waiting for the condition*", Then::Own(TIMEOUT)),
    ("H17'", HR, "*context deadline exceeded*", Then::Own(TIMEOUT)),
    ("H17'", HR, "*would exceed context deadline*", Then::Own(TIMEOUT)),
    ("", HR, "*", Then::Read(any_answer)),
];

/// A row of this table says what the message is; what inner rows find is only where. What helps an object that Flux
/// applies itself does not help one of a chart.
fn retold(faults: Vec<Fault>, id: &'static str) -> Vec<Fault> {
    faults.into_iter().map(|fault| Fault { shape: Some(id), hint: None, ..fault }).collect()
}

/// Fills in the own field where inner rows have none.
fn with_own(faults: Vec<Fault>, own: At) -> Vec<Fault> {
    faults
        .into_iter()
        .map(|fault| if fault.own == super::Own::default() { fault.own(own, &[]) } else { fault })
        .collect()
}

/// `Helm upgrade failed for release apps/web with chart web@1.4.0: <error>`, and what older versions wrote.
pub(super) fn release(scene: &Scene<'_>, _: &[&str]) -> Option<Vec<Fault>> {
    let text = scene.text.strip_prefix("Helm ")?;
    // Events append the logs.
    let text = text.split_once("\n\nLast Helm logs:").map_or(text, |(it, _)| it);
    let (chart, error) = match text.split_once(" with chart ") {
        Some((_, rest)) => {
            let (chart, error) = rest.split_once(": ")?;
            (chart.split(['@', ' ']).next(), error)
        }
        None => (None, text.split_once(": ")?.1),
    };
    let test = text.starts_with("test failed");
    if test {
        return tested(&Scene { text: error, chart, ..*scene });
    }
    let faults = first(RELEASE, &Scene { text: error, chart, ..*scene });
    Some(faults.unwrap_or_else(|| vec![Fault::new(error)]))
}

fn waited(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    Some(retold(health::health(scene, captured)?, "H17"))
}

fn tested(scene: &Scene<'_>) -> Option<Vec<Fault>> {
    const TEST: At = At::Field(&["spec.test"]);
    let mut faults = health::health(scene, &[]).unwrap_or_default();
    if faults.is_empty() {
        faults = health::hooks(scene.text, TEST);
    }
    if faults.is_empty() {
        faults = vec![Fault::new(scene.text)];
    }
    let faults = faults.into_iter().map(|fault| fault.own(TEST, &[])).collect();
    Some(retold(faults, "H20"))
}

fn hook(scene: &Scene<'_>, captured: &[&str], own: At) -> Option<Vec<Fault>> {
    let error = captured.last()?;
    let mut faults = health::health(&Scene { text: error, ..*scene }, &[]).unwrap_or_default();
    if faults.is_empty() {
        faults = health::hooks(error, own);
    }
    if faults.is_empty() {
        faults = vec![Fault::new(scene.text)];
    }
    let faults = faults.into_iter().map(|fault| fault.own(own, &[])).collect();
    Some(retold(faults, "H19"))
}

/// `Unable to continue with install: Service "web" in namespace "apps" exists and cannot be imported …`.
fn owned(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [kind, name, namespace, _] = captured[..] else { return None };
    let kind = kind.rsplit([' ', ':']).next()?;
    let object = Named::parse(&format!("{kind}/{namespace}/{name}"))
        .or_else(|| Named::parse(&format!("{kind}/{name}")))?;
    let says = format!("{object} exists and is not this release's");
    let own = At::Field(&["spec.install.disableTakeOwnership"]);
    let other = Other::InTheWay(object.clone());
    Some(vec![Fault::new(&says).own(own, &[]).of(object).other(other)])
}

fn definitions(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let error = captured.last()?;
    let own =
        At::Field(&["spec.upgrade.crds", "spec.install.crds", "spec.chartRef.name", "spec.chart.spec.chart"]);
    let named = error.split_once("CustomResourceDefinition ").map(|(_, it)| it);
    let name = named.and_then(|it| it.split([':', ' ']).next()).filter(|it| it.contains('.'));
    let fault = Fault::new(scene.text).own(own, &[]);
    Some(vec![match name {
        Some(name) => {
            let crd = Named::new("CustomResourceDefinition", None, name).in_group("apiextensions.k8s.io");
            fault.of(crd)
        }
        None => fault,
    }])
}

fn post_render(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let error = captured.last()?;
    let inner = Scene { text: error, ..*scene };
    let faults = first(build::PATCHES, &inner).unwrap_or_else(|| vec![Fault::new(error)]);
    Some(retold(with_own(faults, POST_RENDERERS), "H23"))
}

/// `… object apps/web apps/v1, Kind=Deployment: <what the API server answered>`.
fn of_object(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, name, version, kind, rest] = captured[..] else { return None };
    let (namespace, name) = name.rsplit_once('/').unwrap_or(("", name));
    let object = Named::of_type(&format!("{version}, Kind={kind}"), namespace, name)?;
    let id = if scene.text.contains("server-side apply failed") { "H14" } else { "H15" };
    Some(retold(with_own(api::answer(scene, &object, rest), VALUES), id))
}

/// Objects that could not be built, or were not taken, before any of them is named.
fn manifest(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let rest = captured.last()?;
    let faults = api::answer_alone(scene, rest)
        .or_else(|| api::answer_alone(scene, scene.text))
        .unwrap_or_else(|| vec![Fault::new(rest)]);
    let built = scene.text.contains("unable to build kubernetes object");
    Some(if built {
        retold(with_own(faults, CHART), "H13")
    } else {
        retold(with_own(faults, VALUES), "H14'")
    })
}

/// `cannot patch "web" with kind Service: <answer> && cannot patch …`.
fn patched(scene: &Scene<'_>, _: &[&str]) -> Option<Vec<Fault>> {
    let mut faults = Vec::new();
    for part in scene.text.split("cannot patch \"").skip(1).take(64) {
        let Some((name, rest)) = part.split_once("\" with kind ") else { continue };
        let Some((kind, rest)) = rest.split_once(": ") else { continue };
        let rest = rest.trim_end().trim_end_matches("&&");
        let Some(object) = Named::parse(&format!("{kind}/{name}")) else { continue };
        faults.extend(api::answer(scene, &object, rest));
    }
    Some(retold(with_own(faults, VALUES), "H14'"))
}

/// An answer of the API server with no word of Helm's around it that is known.
fn any_answer(scene: &Scene<'_>, _: &[&str]) -> Option<Vec<Fault>> {
    Some(with_own(api::answer_alone(scene, scene.text)?, VALUES))
}

/// `HelmChart 'flux-system/apps-web' is not ready: <what the chart says>`: what a chart says of its own spec is said of
/// the release's chart template.
pub(super) fn source_not_ready(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [kind, name, said] = captured[..] else { return None };
    let source = Named::parse(&format!("{kind}/{name}"))?;
    let inner = Scene { kind: Kind::HelmChart, text: said, ..*scene };
    let mut faults = match kind {
        "HelmChart" => first(ROWS, &inner).unwrap_or_default(),
        _ => Vec::new(),
    };
    for fault in &mut faults {
        fault.own = fault.own.clone().below("spec.chart.spec");
    }
    if faults.is_empty() {
        faults = vec![Fault::new(said).own(CHART_OF_RELEASE, &[])];
    }
    let told = |fault: Fault| match fault.other {
        Some(_) => fault,
        None => fault.other(Other::NotReady(source.clone())),
    };
    Some(faults.into_iter().map(told).collect())
}

/// What merging a value at its target path ends in (Helm's strvals parser), beside what the catalogue has.
const NO_TARGET: &[&str] = &[
    "failed to merge value",
    "has no value",
    "error parsing index",
    "error processing index",
    "index not allowed",
    "maximum supported index",
    "maximum supported nested level",
    "at end of array index",
    "unable to parse key",
];

/// `could not resolve Secret chart values reference 'apps/web-values' with key 'values.yaml': <why>`.
pub(super) fn values_reference(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, kind, name, ..] = captured[..] else { return None };
    let at_path = NO_TARGET.iter().any(|it| scene.text.contains(it));
    let of_key = scene.text.contains("' with key '") && !scene.text.contains("\" not found");
    let key = match (at_path, of_key) {
        (true, _) => At::NamedKind("spec.valuesFrom", 1, "targetPath"),
        (false, true) => At::NamedKind("spec.valuesFrom", 1, "valuesKey"),
        (false, false) => At::NamedKind("spec.valuesFrom", 1, "name"),
    };
    let kind = tail(kind, 100).rsplit(' ').next()?;
    let name = name.split('\'').next()?;
    let fault = Fault::new(scene.text).own(key, &[kind, name]);
    let fault = if at_path { fault.shaped("H7") } else { fault };
    let object = Named::parse(&format!("{kind}/{name}"));
    let missing = scene.text.contains("not found") && !scene.text.contains("key not found");
    Some(vec![match object.filter(|_| missing) {
        Some(object) => fault.other(Other::Missing(object.in_group(""))),
        None => fault,
    }])
}
