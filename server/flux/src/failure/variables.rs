//! What kustomize-controller says of decryption and of variables (flux-reference C.3).

use super::field::Problem;
use super::own::At;
use super::{Fault, LookFor, Named, Other, Path, Place, Scene, Variable};

/// `decryption failed for 'Secret.v1.[noGrp]/db': <error of SOPS>`.
pub(super) fn decryption(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [id, error] = captured[..] else { return None };
    let mut object = Named::group_version_kind(id)?;
    let quoted = error.split_once("failed to decrypt and format '").and_then(|(_, it)| it.split_once('\''));
    if let Some((namespace, _)) = quoted.and_then(|(it, _)| it.split_once('/')) {
        object.namespace = Some(namespace.to_owned()).filter(|it| !it.is_empty());
    }
    let field = error.split_once("Secret field '").and_then(|(_, it)| it.split_once('\''));
    let (shape, path) = match field {
        _ if error.contains("failed to verify sops data integrity") => ("K42", Path::of(&["sops", "mac"])),
        Some((field, _)) => ("K40", Path::of(&["data", field])),
        None => ("K40", Path::of(&["sops"])),
    };
    let error = error.split_once(" data: ").filter(|_| quoted.is_some()).map_or(error, |(_, it)| it);
    let says = format!("cannot be decrypted: {}", error.trim_start());
    let own = At::Field(&["spec.decryption"]);
    // The value itself is never told. Of a field of `data` the file in it is meant, whose rules are its own.
    let typed_over = ["does not match sops' data format", "Expected encrypted value as string, but got "];
    let place = if field.is_none() && typed_over.iter().any(|it| error.contains(it)) {
        Place::Somewhere(LookFor::Unencrypted)
    } else {
        Place::Field { path, value: None, problem: Problem::Invalid }
    };
    Some(vec![Fault::new(&says).shaped(shape).own(own, &[]).of(object).at(place)])
}

/// `post build failed for 'Deployment.v1.apps/web': <error>`.
pub(super) fn substitution(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [id, error] = captured[..] else { return None };
    let object = Named::group_version_kind(id)?;
    let post_build = At::Field(&["spec.postBuild"]);
    let core = error.strip_prefix("envsubst error: ").unwrap_or(error);
    let core = core.strip_prefix("variable substitution failed: ").unwrap_or(core);
    let quoted = |from: &str, end: &str| {
        let (_, rest) = error.split_once(from)?;
        rest.split_once(end).map(|(it, _)| it)
    };
    let of = |shape, says: &str, own, told: &[&str], place| {
        Some(vec![Fault::new(says).shaped(shape).own(own, told).of(object.clone()).at(place)])
    };
    if let Some(name) = quoted("variable not set (strict mode): \"", "\"") {
        let place = Place::Variable(Variable::Named(name.to_owned()));
        return of("K44", &format!("the variable {name} is not set"), post_build, &[], place);
    }
    if let Some(from) = quoted("substitute from '", "' error: ") {
        let own = At::Kinded("spec.postBuild.substituteFrom", 0, "name");
        let mut faults = of("K48", error, own, &[from], Place::Own)?;
        if error.contains("not found")
            && let Some((kind, name)) = from.split_once('/')
        {
            for fault in &mut faults {
                fault.other = Some(Other::Missing(Named::new(kind, None, name).in_group("")));
            }
        }
        return Some(faults);
    }
    if core.contains(" var name is invalid") {
        let key = core.split('\'').nth(1).unwrap_or_default();
        let own = At::Entry("spec.postBuild.substitute", 0, "spec.postBuild.substituteFrom");
        return of("K45", core, own, &[key], Place::Own);
    }
    if core.contains("YAMLToJSON: ") {
        let says = format!("with its variables replaced it is no YAML: {core}");
        return of("K47", &says, post_build, &[], Place::Variable(Variable::Any));
    }
    const MALFORMED: &[&str] = &[
        "missing closing brace",
        "unable to parse variable name",
        "bad substitution",
        "unable to parse substitution within function",
        "unable to parse default function",
    ];
    if MALFORMED.iter().any(|it| core.contains(it)) {
        let faults = of("K46", core, post_build, &[], Place::Variable(Variable::Malformed))?;
        const HINT: &str = "write `$${…}` for a literal, or annotate the object with `kustomize.toolkit.fluxcd.io/substitute: disabled`";
        return Some(faults.into_iter().map(|fault| fault.hint(HINT)).collect());
    }
    of("", core, post_build, &[], Place::Object)
}
