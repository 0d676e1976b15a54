//! What was applied and did not become healthy, or is not gone (flux-reference C.5).

use super::own::At;
use super::{Fault, Named, Other, Place, Scene};
use crate::Kind;

/// Most objects of one message.
const MOST: usize = 200;

const STATUS: &str = " status: '";
const UNTOLD: &str = "can't determine status for ";

/// `health check failed after 30s: timeout waiting for: [Deployment/apps/web status: 'InProgress', …]`, of which
/// those that are ready are left out.
pub(super) fn health(scene: &Scene<'_>, _: &[&str]) -> Option<Vec<Fault>> {
    let stalled = scene.text.contains("failed early due to stalled resources: ");
    let head = if stalled { "failed early due to stalled resources: " } else { "timeout waiting for: " };
    let (_, list) = scene.text.split_once(head)?;
    let list = list.strip_prefix('[').unwrap_or(list);
    let mut faults: Vec<Fault> =
        items(list).into_iter().filter_map(|item| unhealthy(item, stalled, scene.kind)).collect();
    // Go's maps have no order.
    faults.sort_by(|a, b| a.object.cmp(&b.object));
    faults.dedup();
    (!faults.is_empty()).then_some(faults)
}

/// The items of a list whose texts may hold the separator.
fn items(list: &str) -> Vec<&str> {
    let begins = |text: &str| {
        text.starts_with(UNTOLD) || Named::head(text).is_some_and(|(_, rest)| rest.starts_with(STATUS))
    };
    let mut found = Vec::new();
    let mut start = begins(list).then_some(0);
    for (at, _) in list.match_indices(", ") {
        if list.get(at + 2..).is_some_and(begins) {
            found.extend(start.and_then(|start| list.get(start..at)));
            start = Some(at + 2);
        }
        if found.len() >= MOST {
            return found;
        }
    }
    found.extend(start.and_then(|start| list.get(start..)));
    found
}

fn unhealthy(item: &str, stalled: bool, kind: Kind) -> Option<Fault> {
    if let Some(object) = item.strip_prefix(UNTOLD) {
        let (object, _) = Named::head(object)?;
        let says = format!("{object}: its status cannot be determined; is it, or its CRD, missing?");
        return Some(own(Fault::new(&says).of(object), None, kind).shaped("W3"));
    }
    let (object, rest) = Named::head(item)?;
    let (status, rest) = rest.strip_prefix(STATUS)?.split_once('\'')?;
    if status == "Current" {
        return None;
    }
    let error = rest.strip_prefix(": ").map(|it| it.trim_end().trim_end_matches(']'));
    let cel = error.and_then(|it| it.split_once("failed to evaluate the CEL expression '")).map(|(_, it)| it);
    let cel = cel.and_then(|it| it.split_once("': ")).map(|(expression, _)| expression);
    let unknown = error.and_then(no_kind);
    let shape = match (status, cel) {
        (_, Some(_)) => "W4",
        _ if unknown.is_some() => "W3",
        ("NotFound", _) => "W5",
        _ if stalled => "W2",
        _ => "W1",
    };
    let says = match (status, error) {
        (_, Some(error)) => format!("{object}: {error}"),
        ("NotFound", None) => format!("{object} does not exist"),
        ("Failed", None) => format!("{object} failed"),
        ("Terminating", None) => format!("{object} is being deleted"),
        ("InProgress" | "Unknown", None) => format!("{object} did not become ready in time"),
        (other, None) => format!("{object} is {other}"),
    };
    let fault = Fault::new(&says).shaped(shape);
    let fault = match unknown {
        Some(other) => fault.other(other),
        None => fault,
    };
    let flux = fault.other.is_none() && Kind::from_name(&object.kind).is_some();
    let fault = if flux { fault.other(Other::NotReady(object.clone())) } else { fault };
    let fault = own(fault.of(object), cel, kind);
    Some(if shape == "W4" { fault.at(Place::Own) } else { fault })
}

/// `no matches for kind "Certificate" in group "cert-manager.io"`.
fn no_kind(error: &str) -> Option<Other> {
    let (_, rest) = error.split_once("no matches for kind \"")?;
    let (kind, rest) = rest.split_once('"')?;
    let group = rest.split('"').nth(1).unwrap_or_default();
    Some(Other::NoKind { api_version: group.to_owned(), kind: kind.to_owned() })
}

fn own(fault: Fault, cel: Option<&str>, kind: Kind) -> Fault {
    let object = fault.object.as_ref().map(ToString::to_string).unwrap_or_default();
    match (kind, cel) {
        (_, Some(expression)) => fault.own(At::Holding("spec.healthCheckExprs", "current", 0), &[expression]),
        (Kind::HelmRelease, None) => fault.own(At::Field(&["spec.timeout"]), &[]),
        _ => fault.own(At::HealthCheck(0), &[&object]),
    }
}

/// `delete failed, errors: <object> delete failed: <error>;<object> query failed: <error>;`: objects that are no
/// longer in the text.
pub(super) fn prune(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let list = captured.first()?;
    let mut starts: Vec<usize> = Vec::new();
    let begins = |text: &str| {
        Named::head(text).is_some_and(|(_, rest)| {
            rest.starts_with(" delete failed: ") || rest.starts_with(" query failed: ")
        })
    };
    if begins(list.trim_start()) {
        starts.push(0);
    }
    starts.extend(
        list.match_indices(';').map(|(at, _)| at + 1).filter(|at| list.get(*at..).is_some_and(begins)),
    );
    let ends = starts.iter().skip(1).copied().chain([list.len()]);
    let faults = starts.iter().zip(ends).take(MOST).filter_map(|(start, end)| {
        let item = list.get(*start..end)?.trim().trim_end_matches(';');
        let (object, rest) = Named::head(item)?;
        let says = format!("{object}{rest}");
        Some(Fault::new(&says).own(At::Field(&["spec.prune"]), &[]).of(object).at(Place::Own))
    });
    Some(faults.collect())
}

/// `resource Deployment/apps/web not ready. status: InProgress, message: Available: 0/1`, a line each.
pub(super) fn not_ready(scene: &Scene<'_>, _: &[&str]) -> Option<Vec<Fault>> {
    let lines = scene.text.lines().filter_map(|line| {
        let (_, rest) = line.split_once("resource ")?;
        let (object, rest) = Named::head(rest)?;
        let rest = rest.trim_start();
        let what = rest.strip_prefix("not ready.").or_else(|| rest.strip_prefix("still exists."))?.trim();
        let message = what.split_once("message: ").map_or(what, |(_, it)| it);
        let fault = Fault::new(&format!("{object} is not ready: {message}")).of(object);
        Some(fault.own(At::Field(&["spec.timeout"]), &[]))
    });
    Some(lines.take(MOST).collect())
}

/// `<object> changed (0 additions, 1 changes, 0 removals)`, `<object> patch failure: <error>`, a line each.
pub(super) fn drift(scene: &Scene<'_>, _: &[&str]) -> Option<Vec<Fault>> {
    const SAID: &[&str] =
        &[" changed", " removed", " patch failure: ", " create failure: ", " delete failure: "];
    let lines = scene.text.lines().filter_map(|line| {
        let (object, rest) = Named::head(line.trim())?;
        if !SAID.iter().any(|it| rest.starts_with(it)) {
            return None;
        }
        let fault = Fault::new(&format!("{object}{rest}")).of(object);
        Some(fault.own(At::Field(&["spec.driftDetection.mode", "spec.driftDetection"]), &[]))
    });
    Some(lines.take(MOST).collect())
}

/// The jobs and pods that a hook's or a test's failure names: `job web-migrate failed: BackoffLimitExceeded`,
/// `* pod web-test failed`.
pub(super) fn hooks(text: &str, own: At) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (word, kind) in [("job ", "Job"), ("pod ", "Pod")] {
        for (at, _) in text.match_indices(word).take(MOST) {
            let Some(rest) = text.get(at + word.len()..) else { continue };
            let Some((name, what)) = rest.split_once(' ') else { continue };
            let is_name = !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
            if !is_name || !what.starts_with("failed") {
                continue;
            }
            let what = what.split(['\n', ';']).next().unwrap_or(what);
            faults.push(
                Fault::new(&format!("{kind} {name} {what}")).own(own, &[]).of(Named::new(kind, None, name)),
            );
        }
    }
    faults
}
