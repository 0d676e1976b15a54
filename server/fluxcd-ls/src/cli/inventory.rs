//! `fluxcd-ls inventory`.

use std::fmt::Write as _;
use std::path::PathBuf;

use analysis::{Application, Inventory};
use clap::ValueEnum;
use manifests::RepoPath;
use manifests::kustomize::{Built, Id, Origin, is_cluster_scoped};
use serde_json::{Map, Value, json};

use super::connect;
use super::scene::Scene;
use super::{CliError, print};

/// What `inventory` is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The repository, or a folder of it: then only Kustomizations that are written there or read from there.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How an inventory is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON object a line, for each Flux Kustomization.
    Jsonl,
}

/// Prints what every Flux Kustomization of a repository applies, and from which file. No cluster is asked. Exits with 2
/// where kustomize would refuse a build or something is not known.
pub async fn run(arguments: Arguments) -> Result<u8, CliError> {
    let settings = connect::settings();
    let scene = Scene::open(&arguments.path, Vec::new(), &settings)?;
    let inside = scene.inside(&arguments.path)?;
    let inventory = scene.ask(|inputs| analysis::inventory(&inputs.repo));
    let shown = |it: &&Application| {
        inside.is_root()
            || it.document.as_ref().is_some_and(|at| at.path.starts_with(&inside))
            || it.build.files.keys().any(|path| path.starts_with(&inside))
    };
    let shown: Vec<&Application> = inventory.applications.iter().filter(shown).collect();
    let mut out = String::new();
    for application in &shown {
        match arguments.format {
            Format::Text => text(application, &mut out),
            Format::Jsonl => {
                out.push_str(&json_of(application, &inventory).to_string());
                out.push('\n');
            }
        }
    }
    if shown.is_empty() {
        out.push_str(match arguments.format {
            Format::Text => "No Flux Kustomization is written here.\n",
            Format::Jsonl => "",
        });
    }
    print(&out);
    let told = |it: &&Application| it.untold.is_none() && it.build.unknown.is_empty();
    Ok(if shown.iter().all(told) { 0 } else { 2 })
}

fn text(application: &Application, out: &mut String) {
    let from = application.document.as_ref().map(|at| format!(" in {}", at.path)).unwrap_or_default();
    let _ = writeln!(
        out,
        "Kustomization/{}{from}: builds {} of {}/{}",
        application.title(),
        application.dir,
        application.source.kind,
        application.source.name
    );
    if let Some(untold) = &application.untold {
        let _ = writeln!(out, "  not known: {untold}");
    }
    for unknown in &application.build.unknown {
        let what = if unknown.why.refuses() { "refused" } else { "not known" };
        let _ = writeln!(out, "  {what}: {}: {}", unknown.at, unknown.why);
    }
    // What kustomize refuses is not applied.
    let objects = if application.build.refused().is_some() { &[][..] } else { &application.build.objects };
    for object in objects {
        let Some(id) = object.id() else { continue };
        let _ = writeln!(out, "  {} from {}", name(&id), object.origin.path());
        for path in shapers(object) {
            let _ = writeln!(out, "    shaped by {path}");
        }
    }
}

/// The files that change an object on its way, each once, in the order in which they do.
fn shapers(object: &Built) -> Vec<&RepoPath> {
    let mut found: Vec<&RepoPath> = Vec::new();
    for shaper in &object.shaped_by {
        let included = shaper.how == manifests::kustomize::How::Included;
        if !included && shaper.path != *object.origin.path() && !found.contains(&&shaper.path) {
            found.push(&shaper.path);
        }
    }
    found
}

fn name(id: &Id) -> String {
    match &id.namespace {
        Some(namespace) if !is_cluster_scoped(&id.group, &id.kind) => {
            format!("{}/{namespace}/{}", id.kind, id.name)
        }
        _ => format!("{}/{}", id.kind, id.name),
    }
}

fn json_of(application: &Application, inventory: &Inventory) -> Value {
    let mut line = Map::new();
    line.insert("kustomization".to_owned(), json!(application.title()));
    line.insert("path".to_owned(), json!(application.dir.as_str()));
    if let Some(at) = &application.document {
        line.insert("definedIn".to_owned(), json!(at.path.as_str()));
    }
    if let Some(parent) = application.parent.and_then(|it| inventory.applications.get(it)) {
        line.insert("parent".to_owned(), json!(parent.title()));
    }
    let source = &application.source;
    line.insert("source".to_owned(), json!(format!("{}/{}", source.kind, source.name)));
    let refused = application.build.refused();
    let error = application.untold.as_ref().map(ToString::to_string);
    let error = error.or_else(|| refused.map(|it| format!("{}: {}", it.at, it.why)));
    match error {
        // What kustomize refuses is not applied.
        Some(error) => {
            line.insert("error".to_owned(), json!(error));
        }
        None => {
            let mut objects: Vec<Value> = application.build.objects.iter().filter_map(object_of).collect();
            objects.sort_by(|a, b| a["id"].as_str().cmp(&b["id"].as_str()));
            line.insert("objects".to_owned(), Value::Array(objects));
        }
    }
    let unknown = application.build.unknown.iter().filter(|it| !it.why.refuses());
    let unknown: Vec<String> = unknown.map(|it| format!("{}: {}", it.at, it.why)).collect();
    if !unknown.is_empty() {
        line.insert("unknown".to_owned(), json!(unknown));
    }
    Value::Object(line)
}

/// An object with its id as an inventory has it.
fn object_of(object: &Built) -> Option<Value> {
    let id = object.id()?;
    let namespace = id.namespace.as_deref().unwrap_or_default();
    let mut line = Map::new();
    let text = format!("{namespace}_{}_{}_{}", id.name.replace(':', "__"), id.group, id.kind);
    line.insert("id".to_owned(), json!(text));
    if id.is_pattern() {
        line.insert("unresolved".to_owned(), json!(true));
    }
    line.insert("v".to_owned(), json!(&*id.version));
    let key = match &object.origin {
        Origin::Document { .. } => "origin",
        Origin::Generated { .. } => "configuredIn",
    };
    line.insert(key.to_owned(), json!(object.origin.path().as_str()));
    let shapers: Vec<&str> = shapers(object).into_iter().map(RepoPath::as_str).collect();
    if !shapers.is_empty() {
        line.insert("shapedBy".to_owned(), json!(shapers));
    }
    Some(Value::Object(line))
}
