//! What kustomize says (flux-reference C.2), of a Kustomization's build and of a HelmRelease's post-renderers.

use super::named::tail;
use super::own::At;
use super::path::unquote;
use super::rows::{KS, PATCHED};
use super::{
    Entry, Fault, FileName, From, LookFor, Named, PatchIs, Path, Place, Problem, Row, Scene, Step, Then,
    first,
};

const PATH: At = At::Field(&["spec.path"]);
/// Where patches stand, by kind.
const PATCH_FIELDS: &[&str] = &["spec.patches", "spec.postRenderers", "spec.kustomize.patches", "spec.path"];

/// Below `kustomize build failed: `, and bare.
pub(super) const BUILD: &[Row] = &[
    ("K12", KS, "*invalid Kustomization: json: unknown field \"*\"*", Then::Read(unknown_key)),
    (
        "K13",
        KS,
        "*invalid Kustomization: json: cannot unmarshal * into Go struct field Kustomization.* of type *",
        Then::Read(wrong_type),
    ),
    ("K14", KS, "*invalid Kustomization: yaml: *", Then::Read(kustomization_syntax)),
    ("K16", KS, "*MalformedYAMLError: yaml: * in File: *", Then::Read(malformed)),
    ("K20", KS, "*missing metadata.name in object {{* *} *", Then::Read(nameless)),
    ("K19", KS, "*missing Resource metadata*", Then::Read(no_object)),
    ("K19", KS, "*missing kind in object *", Then::Read(no_object)),
    ("K21", KS, "*may not add resource with an already registered id: *", Then::Read(registered)),
    ("K31", KS, "*failed to get the patch file from path(*): *", Then::Read(patch_file)),
    ("K32", KS, "*loading KV pairs: *: [*]: open *: no such file or directory*", Then::Read(generator_file)),
    ("K25", KS, "*accumulating components: *evalsymlink failure on '*'*", Then::Read(component)),
    ("K25", KS, "*expected kind 'Component' for path '*' but got '*'*", Then::Read(not_component)),
    ("K22", KS, "*unable to find one of 'kustomization.yaml', * in directory '*'*", Then::Read(empty_folder)),
    ("K23", KS, "*Found multiple kustomization files under: *", Then::Read(two_files)),
    ("K24", KS, "*cycle detected: candidate root '*' contains visited root '*'*", Then::Read(cycle)),
    ("K35", KS, "*fs-security-constraint *: path '*' is not in or below *", Then::Read(outside)),
    ("K36", KS, "*HTTP Error: status code *", Then::Read(remote)),
    ("K36", KS, "* timeout running '*", Then::Read(remote)),
    ("K36", KS, "*accumulating resources from 'http*': Get *", Then::Read(remote_url)),
    ("K25", KS, "*expected kind != 'Component' for path '*'*", Then::Read(not_resource)),
    ("K13", KS, "*Failed to read kustomization file under *:\n*", Then::Read(not_kustomization)),
    ("K14", KS, "*kustomization.yaml is empty*", Then::Read(empty_file)),
    ("K12", KS, "*must specify --enable-helm*", Then::Read(helm_charts)),
    ("K21", KS, "*namespace transformation produces ID conflict: *", Then::Read(same_namespace)),
    ("K27", KS, "*resource with name * does not match a config with *", Then::Read(replicas)),
    ("K32", KS, "*id resid.ResId{*} *exist*", Then::Read(generator_behavior)),
    ("K32", KS, "*configmap * illegally repeats the key `*`*", Then::Read(repeated_key)),
    ("K32", KS, "*invalid literal source *, expected key=value*", Then::Read(generator_source)),
    ("K32", KS, "*missing * name for * in source \"*\"*", Then::Read(generator_source)),
    ("K32", KS, "*missing file path for key name * in source \"*\"*", Then::Read(generator_source)),
    ("K32", KS, "*source \"*\" key name or file path contains *", Then::Read(generator_source)),
    ("K34", KS, "*label name '*' exists in both commonLabels and labels*", Then::Read(label_twice)),
    ("K35", KS, "*new root '*' cannot be absolute*", Then::Read(absolute)),
    ("K15", KS, "*accumulating resources from '*': open *: no such file or directory*", Then::Read(no_file)),
    ("K15", KS, "*evalsymlink failure on '*' : lstat *", Then::Read(no_folder)),
    ("", PATCHED, "*", Then::Read(patches)),
    ("K33", KS, "*nothing selected by *", Then::Read(replacements)),
    ("K33", KS, "*fieldPath `*` is missing for replacement *", Then::Read(replacements)),
    ("K33", KS, "*unable to find field * in replacement target*", Then::Read(replacements)),
    ("K33", KS, "*replacements must specify a source *", Then::Read(replacements)),
    ("K33", KS, "*target must specify resources to select*", Then::Read(replacements)),
    ("K33", KS, "*delimiter option can only be used with scalar *", Then::Read(replacements)),
    ("K33", KS, "*options.index * is out of bounds *", Then::Read(replacements)),
    ("K34", KS, "*mapping key \"*\" already defined at line *", Then::Read(duplicate_key)),
    ("", KS, "*", Then::Own(PATH)),
];

/// About patches, wherever they stand.
pub(super) const PATCHES: &[Row] = &[
    (
        "K28",
        PATCHED,
        "*multiple matches for Id *; failed to find unique target for patch *",
        Then::Read(patch_of),
    ),
    ("K27", PATCHED, "*no resource matches strategic merge patch \"*\"*", Then::Read(patch_of)),
    ("K27", PATCHED, "*no matches for Id *; failed to find unique target for patch *", Then::Read(patch_of)),
    ("K29", PATCHED, "*operation does not apply: *", Then::Read(operation)),
    ("K29", PATCHED, "*error in * for path: '*': *", Then::Read(failed_operation)),
    ("K29", PATCHED, "*testing path * failed*", Then::Read(test_operation)),
    ("K29", PATCHED, "*testing value * failed*", Then::Read(test_operation)),
    ("K30", PATCHED, "*must specify a target for JSON patch [patch: *", Then::Read(patch_text)),
    ("K30", PATCHED, "*unable to parse SM or JSON patch from [patch: *", Then::Read(patch_text)),
    ("K30", PATCHED, "*is not allowed to set `patches.target` field: [patch: *", Then::Read(patch_text)),
    ("K30", PATCHED, "*must specify one of patch and path in*", Then::Read(patch_entry)),
    ("K30", PATCHED, "*patch and path can't be set at the same time*", Then::Read(patch_entry)),
];

/// `kustomize build failed: …`, or the same without the prefix.
pub(super) fn read(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    first(BUILD, &Scene { text: captured.last()?, ..*scene })
}

fn patches(scene: &Scene<'_>, _: &[&str]) -> Option<Vec<Fault>> {
    first(PATCHES, scene)
}

/// One fault of a build; the sentence is what comes after the tale of what was accumulated.
fn fault(says: &str, place: Place) -> Option<Vec<Fault>> {
    Some(vec![Fault::new(says).own(PATH, &[]).at(place)])
}

fn build(folder: Option<String>, entry: Entry) -> Place {
    Place::Build { folder, entry }
}

/// The folder that a text names last: `couldn't make target for path 'apps/base'`, `recursed accumulation of path '…'`.
fn folder(before: &str) -> Option<String> {
    let (_, rest) = before.rsplit_once(" path '")?;
    Some(rest.split_once('\'')?.0.trim_end_matches('/').to_owned())
}

/// The text from a part of it on, without what wraps it.
fn core<'a>(text: &'a str, from: &str) -> &'a str {
    text.find(from).and_then(|at| text.get(at..)).unwrap_or(text)
}

/// The entry that is accumulated last before a part of the text.
fn entry_of(before: &str) -> Option<&str> {
    let (_, rest) = before.rsplit_once("ing resources from '")?;
    Some(rest.split_once('\'').map_or(rest, |(entry, _)| entry))
}

/// A path within a folder, without `.` and `..`.
fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|it| *it != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A file that the message names as an entry; `absolute` is its whole path where the message tells it, too.
fn file_name(before: &str, entry: &str, absolute: Option<&str>) -> FileName {
    match (absolute, folder(before)) {
        (Some(path), _) => FileName { path: join("", path), from: From::Root },
        (None, Some(folder)) => FileName { path: join(&folder, entry), from: From::Root },
        (None, None) => FileName { path: join("", entry), from: From::Build },
    }
}

/// The folder of an entry whose whole path is known.
fn holder(path: &str, entry: &str) -> Option<String> {
    match path.strip_suffix(entry)? {
        "" => Some(".".to_owned()),
        folder => Some(folder.strip_suffix('/')?.to_owned()),
    }
}

/// `line 4: did not find expected key` → 4.
pub(super) fn line(text: &str) -> Option<u32> {
    let digits = text.split_once("line ")?.1;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end)?.parse().ok()
}

fn unknown_key(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, key, _] = captured[..] else { return None };
    let entry = Entry::Key { key: Path::of(&[key]), problem: Problem::Unknown };
    fault(core(scene.text, "invalid Kustomization: "), build(folder(before), entry))
}

fn wrong_type(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, got, field, expected] = captured[..] else { return None };
    let problem = Problem::Type {
        expected: expected.split(['\'', '\n']).next().unwrap_or(expected).to_owned(),
        got: got.to_owned(),
    };
    let entry = Entry::Key { key: Path::dotted(field), problem };
    fault(core(scene.text, "invalid Kustomization: "), build(folder(before), entry))
}

fn kustomization_syntax(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, what] = captured[..] else { return None };
    let entry = Entry::Syntax { line: line(what) };
    fault(core(scene.text, "invalid Kustomization: "), build(folder(before), entry))
}

fn malformed(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, what, file] = captured[..] else { return None };
    let file = file.split(['\'', '\n']).next()?.trim();
    let place = Place::File {
        file: Some(file_name(before, file, None)),
        line: line(what),
        look: Some(LookFor::Syntax),
    };
    fault(core(scene.text, "MalformedYAMLError: "), place)
}

/// The file that `accumulating resources from '…': <core>` speaks of.
fn accumulated(scene: &Scene<'_>, before: &str) -> Option<FileName> {
    let absolute =
        scene.text.rsplit_once("must build at directory: '").and_then(|(_, rest)| rest.split_once('\''));
    let absolute = absolute.map(|(path, _)| path);
    Some(file_name(before, entry_of(before)?, absolute))
}

fn nameless(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, api_version, kind, _] = captured[..] else { return None };
    let look = LookFor::Nameless { api_version: api_version.to_owned(), kind: kind.to_owned() };
    let place = Place::File { file: accumulated(scene, before), line: None, look: Some(look) };
    fault(&format!("missing metadata.name in {kind} ({api_version})"), place)
}

fn no_object(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let file = accumulated(scene, captured.first()?)?;
    let place = Place::File { file: Some(file), line: None, look: Some(LookFor::NoObject) };
    let from = if scene.text.contains("missing kind") { "missing kind" } else { "missing Resource metadata" };
    let what = core(scene.text, from);
    fault(what.split_once("': must build at").map_or(what, |(it, _)| it), place)
}

fn registered(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, id] = captured[..] else { return None };
    let id = id.split(['\'', '\n', ' ']).next()?;
    let object = Named::resource_id(id)?;
    let is_file =
        entry_of(before).is_some_and(|it| [".yaml", ".yml", ".json"].iter().any(|end| it.ends_with(end)));
    let place = match accumulated(scene, before).filter(|_| is_file) {
        Some(file) => Place::File { file: Some(file), line: None, look: None },
        None => Place::Object,
    };
    let says = format!("{object} is there twice: may not add resource with an already registered id: {id}");
    Some(vec![Fault::new(&says).own(PATH, &[]).of(object).at(place)])
}

fn leads_to(says: &str, folder: Option<String>, path: &str) -> Option<Vec<Fault>> {
    let path = path.trim().trim_end_matches('/');
    if path.is_empty() {
        return None;
    }
    fault(says, build(folder, Entry::LeadsTo(path.to_owned())))
}

fn patch_file(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, entry, why] = captured[..] else { return None };
    let path = match why.split_once("evalsymlink failure on '") {
        Some((_, path)) => path.split_once('\'')?.0,
        None => why.split_once("open ")?.1.split_once(": ")?.0,
    };
    leads_to(&format!("patch file {entry}: no such file"), holder(path, entry), path)
}

fn generator_file(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, kind, _, path, _] = captured[..] else { return None };
    leads_to(&format!("{kind}: {path}: no such file"), folder(before), path)
}

fn component(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, _, path, _] = captured[..] else { return None };
    of_components(&format!("component {path}: no such folder"), path)
}

fn not_component(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, path, got, _] = captured[..] else { return None };
    let problem = Problem::Type { expected: "Component".to_owned(), got: got.to_owned() };
    let entry = Entry::Key { key: Path::of(&["kind"]), problem };
    let own = At::Field(&["spec.components", "spec.path"]);
    let says = core(scene.text, "expected kind").trim_end_matches('"');
    let place = build(Some(path.trim_end_matches('/').to_owned()), entry);
    Some(vec![Fault::new(says).own(own, &[]).at(place)])
}

fn of_components(says: &str, path: &str) -> Option<Vec<Fault>> {
    let own = At::Field(&["spec.components", "spec.path"]);
    Some(leads_to(says, None, path)?.into_iter().map(|fault| fault.own(own, &[])).collect())
}

fn empty_folder(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, _, path, _] = captured[..] else { return None };
    let says = format!("{path} has no kustomization.yaml");
    leads_to(&says, entry_of(before).and_then(|entry| holder(path, entry)), path)
}

fn two_files(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let folder = captured.last()?.split(['\'', '\n']).next()?.trim();
    fault(core(scene.text, "Found multiple"), build(Some(folder.to_owned()), Entry::Whole))
}

fn cycle(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, candidate, _, _] = captured[..] else { return None };
    leads_to(core(scene.text, "cycle detected"), folder(before), candidate)
}

fn outside(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, _, path, _] = captured[..] else { return None };
    let what = core(scene.text, "fs-security-constraint");
    let says = what.split_once("': must build at").map_or(what, |(it, _)| it);
    // Outside of the artifact the path is the controller's: only the entry's own text is the author's.
    match entry_of(before) {
        Some(entry) => fault(says, build(folder(before), Entry::Text(entry.to_owned()))),
        None => leads_to(says, folder(before), path),
    }
}

fn remote(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let before = captured.first()?;
    let entry = match entry_of(before) {
        Some(entry) => Entry::Text(entry.to_owned()),
        None => Entry::Whole,
    };
    let says = if scene.text.contains("HTTP Error: ") { "HTTP Error: " } else { "timeout running" };
    let what = core(scene.text, says);
    let what = what.split_once("': must build at").map_or(what, |(it, _)| it);
    let place = build(folder(before), entry.clone());
    let sentence = match &entry {
        Entry::Text(url) => format!("{url}: {what}"),
        _ => what.to_owned(),
    };
    fault(&sentence, place)
}

/// `accumulating resources from 'https://…': Get "https://…": dial tcp: …`.
fn remote_url(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, url, what] = captured[..] else { return None };
    let what = what.split_once("': must build at").map_or(what, |(it, _)| it);
    fault(&format!("Get {what}"), build(folder(before), Entry::Text(format!("http{url}"))))
}

fn no_file(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, entry, path, _] = captured[..] else { return None };
    let entry = entry.rsplit_once("ing resources from '").map_or(entry, |(_, last)| last);
    leads_to(&format!("{entry}: no such file or directory"), holder(path, entry), path)
}

fn no_folder(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, path, _] = captured[..] else { return None };
    let folder = entry_of(before).and_then(|entry| holder(path, entry));
    leads_to(&format!("{path}: no such file or directory"), folder, path)
}

fn replacements(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let before = captured.first()?;
    let says = scene.text.get(before.len()..).unwrap_or(scene.text);
    key(folder(before), Path::of(&["replacements"]), Problem::NotFound, says)
}

/// A fault at a key of a kustomization file.
fn key(folder: Option<String>, key: Path, problem: Problem, says: &str) -> Option<Vec<Fault>> {
    let says = says.split_once("': must build at").map_or(says, |(it, _)| it);
    fault(says, build(folder, Entry::Key { key, problem }))
}

/// The item of a list that has a name.
fn named(list: &str, name: &str) -> Path {
    Path::of(&[list]).with(Step::Item(vec![("name".to_owned(), name.to_owned())]))
}

fn not_resource(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, path, _] = captured[..] else { return None };
    let says = format!("{path} is a Component: it belongs in `components`");
    leads_to(&says, entry_of(before).and_then(|entry| holder(path, entry)), path)
}

/// `Failed to read kustomization file under apps/base:\nkind should be Kustomization or Component`.
fn not_kustomization(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, folder, what] = captured[..] else { return None };
    let field = if what.starts_with("apiVersion") { "apiVersion" } else { "kind" };
    key(Some(folder.to_owned()), Path::of(&[field]), Problem::Invalid, what)
}

fn empty_file(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    fault("kustomization.yaml is empty", build(folder(captured.first()?), Entry::Whole))
}

fn helm_charts(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let says = "Flux does not inflate Helm charts in a kustomization: use a HelmRelease";
    key(folder(captured.first()?), Path::of(&["helmCharts"]), Problem::Forbidden, says)
}

fn same_namespace(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, objects] = captured[..] else { return None };
    let says = format!("namespace transformation produces ID conflict: {objects}");
    key(folder(before), Path::of(&["namespace"]), Problem::Duplicate, &says)
}

fn replicas(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, name, _] = captured[..] else { return None };
    let says = format!("there is nothing called {name} that has replicas");
    key(folder(before), named("replicas", name).key("name"), Problem::NotFound, &says)
}

/// `merging from generator &{…}: id resid.ResId{Gvk:resid.Gvk{… Kind:"ConfigMap" …}, Name:"settings", …} exists; can not
/// use behavior: …`.
fn generator_behavior(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let before = captured.first()?;
    let (_, id) = scene.text.split_once("id resid.ResId{")?;
    let quoted = |mark: &str| id.split_once(mark).and_then(|(_, it)| it.split('"').next());
    let (kind, name) = (quoted("Kind:\"")?, quoted(", Name:\"")?);
    let list = match kind {
        "ConfigMap" => "configMapGenerator",
        "Secret" => "secretGenerator",
        _ => return None,
    };
    let what = if id.contains("does not exist") {
        "does not exist: a generator cannot merge or replace it"
    } else {
        "exists: the generator's behavior must be merge or replace"
    };
    key(folder(before), named(list, name).key("name"), Problem::Invalid, &format!("{kind} {name} {what}"))
}

fn repeated_key(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, name, repeated, _] = captured[..] else { return None };
    let says = format!("the key {repeated} is there twice");
    key(folder(before), named("configMapGenerator", name), Problem::Duplicate, &says)
}

/// A literal or a file of a generator that does not parse.
fn generator_source(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let before = captured.first()?;
    let what = scene.text.get(before.len()..)?;
    let source = match what.split_once("source \"") {
        Some((_, it)) => it.split('"').next()?,
        None => what.strip_prefix("invalid literal source ")?.split_once(", expected")?.0,
    };
    fault(what, build(folder(before), Entry::Text(source.to_owned())))
}

fn label_twice(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, label, _] = captured[..] else { return None };
    let says = format!("the label {label} is in both commonLabels and labels");
    key(folder(before), Path::of(&["commonLabels", label]), Problem::Duplicate, &says)
}

fn absolute(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, path, _] = captured[..] else { return None };
    fault(&format!("{path} is absolute"), build(folder(before), Entry::Text(path.to_owned())))
}

/// An entry of `patches` with too little or too much in it.
fn patch_entry(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let before = captured.first()?;
    let says = if scene.text.contains("must specify one of") {
        "an entry of patches has neither patch nor path"
    } else {
        "an entry of patches has both patch and path"
    };
    let faults = key(folder(before), Path::of(&["patches"]), Problem::Invalid, says)?;
    Some(faults.into_iter().map(|fault| fault.own(At::Field(PATCH_FIELDS), &[])).collect())
}

fn duplicate_key(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, key, second] = captured[..] else { return None };
    let again = line(tail(before, 40));
    let first = line(&format!("line {second}"));
    let look = LookFor::DuplicateKey { key: key.to_owned(), lines: first.zip(again) };
    let file = entry_of(before).and_then(|_| accumulated(scene, before));
    let place = Place::File { file, line: again, look: Some(look) };
    fault(core(scene.text, "mapping key \""), place)
}

/// A fault in a patch, with the own field where such patches stand in this kind.
fn patch(scene: &Scene<'_>, says: &str, told: &str, is: PatchIs) -> Option<Vec<Fault>> {
    let at = match scene.kind {
        crate::Kind::HelmRelease => At::PostRenderer(0),
        crate::Kind::FluxInstance => At::Patch("spec.kustomize.patches", 0),
        _ => At::Patch("spec.patches", 0),
    };
    Some(vec![Fault::new(says).own(at, &[told]).at(Place::Patch(is))])
}

fn patch_of(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let id = captured.get(1)?.split(['"', '\'', ' ']).next()?;
    let named = Named::resource_id(id)?;
    let many = scene.text.contains("multiple matches for Id");
    // kustomize says "no matches", too, where several objects of other namespaces match.
    let says =
        format!("there is {} {named} for this patch", if many { "more than one" } else { "no single" });
    patch(scene, &says, id, PatchIs::Of(named))
}

/// `replace operation does not apply: doc is missing path: /data/foo: missing value`.
fn operation(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [before, what] = captured[..] else { return None };
    let op = before.trim_end().rsplit([' ', ':', '\'', '\n']).next()?.to_owned();
    let pointer = what.split([' ', '\n', '"', '\'']).find(|it| it.starts_with('/'));
    let pointer = pointer.map(|it| it.trim_end_matches([':', ',', '.']).to_owned());
    let says = format!("{op} operation does not apply: {what}");
    let told = pointer.clone().unwrap_or_default();
    patch(scene, &says, &told, PatchIs::Operation { op, pointer })
}

/// `error in remove for path: '/spec/x': Unable to remove nonexistent key: x: missing value`.
fn failed_operation(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, op, pointer, what] = captured[..] else { return None };
    let is = PatchIs::Operation { op: op.to_owned(), pointer: Some(pointer.to_owned()) };
    patch(scene, &format!("{op} {pointer}: {what}"), pointer, is)
}

/// `testing path /data/x failed`, `testing value /data/x failed`.
fn test_operation(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let pointer = captured.get(1)?.split(' ').next().filter(|it| it.starts_with('/'))?.to_owned();
    let says = core(scene.text, "testing ");
    patch(scene, says, &pointer, PatchIs::Operation { op: "test".to_owned(), pointer: Some(pointer.clone()) })
}

fn patch_text(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let quoted = captured.last()?;
    let text = match unquote(quoted) {
        Some((text, _)) => text,
        None => quoted.trim_end().trim_end_matches(']').to_owned(),
    };
    let says = if scene.text.contains("must specify a target") {
        "this JSON patch needs a target"
    } else if scene.text.contains("is not allowed to set `patches.target`") {
        "a patch of several documents cannot have a target"
    } else {
        "this is neither a strategic merge patch nor a JSON patch"
    };
    patch(scene, says, &text, PatchIs::Text(text.clone()))
}

/// `failed to decode Kubernetes YAML from <file>: <why>`: the folder has no kustomization.yaml, every file in it is taken.
pub(super) fn not_kubernetes(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, path, why] = captured[..] else { return None };
    let syntax = why.contains("yaml: line ") || why.contains("yaml: unmarshal");
    let look = if syntax { LookFor::Syntax } else { LookFor::NoObject };
    let file = FileName { path: join("", path), from: From::Root };
    let place = Place::File { file: Some(file), line: line(why).filter(|_| syntax), look: Some(look) };
    fault(&format!("{path} is no Kubernetes YAML: {why}"), place)
}

pub(super) fn panicked(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, name, _] = captured[..] else { return None };
    let file = FileName { path: name.to_owned(), from: From::Anywhere };
    fault(scene.text, Place::File { file: Some(file), line: None, look: Some(LookFor::Syntax) })
}

/// `error converting YAML to JSON: yaml: line 4: …`: the kustomization file at `spec.path`, which the controller reads
/// before it builds.
pub(super) fn unreadable(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    fault(scene.text, build(None, Entry::Syntax { line: line(captured.last()?) }))
}

/// `error decrypting sources: lstat apps/secrets/app.env: no such file or directory`, from the artifact's root. What SOPS
/// says names no file.
pub(super) fn encrypted_source(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let what = captured.last()?;
    let told = ["lstat ", "open "].iter().find_map(|it| what.split_once(it));
    let place = match told.and_then(|(_, it)| it.split_once(": ")) {
        Some((path, _)) => build(None, Entry::LeadsTo(join("", path))),
        None => build(None, Entry::Encrypted),
    };
    let own = At::Field(&["spec.decryption", "spec.path"]);
    Some(vec![Fault::new(scene.text).own(own, &[]).at(place)])
}
