//! What every Flux Kustomization of a repository applies, from the texts alone (design 2.1).
//!
//! A Flux Kustomization is a document, or an object that another Flux Kustomization applies: nearly every child gets its
//! namespace and patches from its parent. So the documents that nobody applies are evaluated first, then what they
//! apply, and so on. Without a cluster every source is taken to be this repository, unless its own document says
//! that it is another one.

use manifests::kustomize::{self, Build, Built, Files, Id, Origin, Overlay, Variable, Variables};
use manifests::value::Member;
use manifests::{RepoPath, SourceTree, Tree, Value};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use crate::copies::{Copies, Source};
use crate::index::DocRef;
use crate::inputs::{Remotes, RepoView};
use crate::json::json;

/// What a Flux Kustomization applies.
#[derive(Debug, Clone)]
pub struct Application {
    /// The Flux Kustomization as its parent applies it, or as its document says when nobody does.
    pub kustomization: Rc<Value>,
    /// Its namespace; empty if nothing tells.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The document that it starts from; `None` for one that is generated or lives in a cluster only.
    pub document: Option<DocRef>,
    /// The Kustomization that applies it: an index into [`Inventory::applications`].
    pub parent: Option<usize>,
    /// Its source's kind, namespace and name.
    pub source: SourceRef,
    /// The folder that is built: of the repository, or of the artifact that was copied from it.
    pub dir: RepoPath,
    /// What is built; all paths are those of the repository.
    pub build: Rc<Build>,
    /// Why nothing can be said of it.
    pub untold: Option<Untold>,
}

/// A source as a Kustomization names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceRef {
    /// Kind.
    pub kind: String,
    /// Namespace: the Kustomization's own, if it names none.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// Why it cannot be told what a Kustomization applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Untold {
    /// Its source is another repository.
    OtherRepository(String),
    /// Nothing in the repository makes this artifact.
    NoGenerator(String),
    /// What this source leaves out (`spec.ignore`, `.sourceignore`) makes a difference, and it is not known what it is.
    LeftOut(SourceRef),
}

impl std::fmt::Display for Untold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Untold::OtherRepository(url) => write!(f, "its source is another repository, {url}"),
            Untold::NoGenerator(name) => {
                write!(f, "no ArtifactGenerator of this repository makes the artifact {name}")
            }
            Untold::LeftOut(source) if source.kind == "OCIRepository" => write!(
                f,
                "{}/{} leaves files out, and which folder it was pushed from is not known",
                source.kind, source.name
            ),
            Untold::LeftOut(source) => write!(
                f,
                "which `spec.ignore` {}/{} has is not known, and it makes a difference",
                source.kind, source.name
            ),
        }
    }
}

/// All Flux Kustomizations of a repository.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// Parents before children.
    pub applications: Vec<Application>,
}

/// How many Kustomizations are followed: a repository that makes more is one that makes itself.
const MAX_APPLICATIONS: usize = 5_000;

/// Evaluates all Flux Kustomizations of a repository.
pub fn inventory(repo: &RepoView<'_>) -> Inventory {
    let mut repository = Repository::read(repo.tree, &repo.index.delivery_files());
    repository.elsewhere(repo.remotes);
    repository.note_made_sources();
    repository.inventory()
}

struct Repository<'a> {
    files: Files<'a>,
    /// Documents that say they are Flux Kustomizations, in the order of files.
    kustomizations: Vec<Found>,
    generators: Vec<Found>,
    config_maps: HashMap<String, Vec<Found>>,
    sources: Vec<Found>,
    /// Sources as Kustomizations apply them, by their documents.
    made_sources: Vec<Found>,
    /// Sources that are known to be other repositories, with their URLs.
    elsewhere: Vec<(Id, String)>,
    /// What an artifact's rules make of the repository.
    artifacts: RefCell<HashMap<Artifact, Vec<Rc<Copies>>>>,
    /// What was evaluated, with the file that it is written in.
    known: RefCell<HashMap<RepoPath, Vec<Known>>>,
}

/// A Kustomization, and what it applies.
type Known = (Rc<Value>, Evaluated);

/// A generator's document, and an artifact that it makes.
type Artifact = (DocRef, String);

#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) at: DocRef,
    pub(crate) value: Arc<Value>,
}

#[derive(Clone)]
struct Evaluated {
    source: SourceRef,
    dir: RepoPath,
    build: Rc<Build>,
    untold: Option<Untold>,
}

impl Evaluated {
    /// What is built, if all ways in which it may be built read the same files.
    fn take_one_of(&mut self, builds: Vec<Build>) {
        let mut builds = builds.into_iter();
        let Some(first) = builds.next() else { return };
        if builds.any(|it| !it.files.keys().eq(first.files.keys())) {
            self.untold = Some(Untold::LeftOut(self.source.clone()));
            return;
        }
        self.build = Rc::new(first);
    }
}

impl<'a> Repository<'a> {
    fn read(tree: &'a dyn Tree, paths: &[RepoPath]) -> Self {
        let mut repository = Self {
            files: Files::new(tree),
            kustomizations: Vec::new(),
            generators: Vec::new(),
            config_maps: HashMap::new(),
            sources: Vec::new(),
            made_sources: Vec::new(),
            elsewhere: Vec::new(),
            artifacts: RefCell::default(),
            known: RefCell::default(),
        };
        for path in paths {
            let Some(file) = repository.files.values(path) else { continue };
            for (index, value) in file.values.iter().enumerate() {
                let Some(value) = value else { continue };
                let Some(id) = Id::of(value) else { continue };
                let found = Found { at: DocRef { path: path.clone(), index }, value: Arc::clone(value) };
                match (&*id.group, &*id.kind) {
                    (KUSTOMIZE, "Kustomization") => repository.kustomizations.push(found),
                    (SOURCE_EXTENSIONS, "ArtifactGenerator") => repository.generators.push(found),
                    (SOURCES, _) => repository.sources.push(found),
                    ("", "ConfigMap") => {
                        repository.config_maps.entry(id.name.to_string()).or_default().push(found);
                    }
                    _ => {}
                }
            }
        }
        repository
    }

    fn elsewhere(&mut self, remotes: &dyn Remotes) {
        for source in &self.sources {
            let (Some(id), Some(url)) = (Id::of(&source.value), source.value.text(&["spec", "url"])) else {
                continue;
            };
            if !url.contains("${") && !remotes.is_ours(url) {
                self.elsewhere.push((id, url.to_owned()));
            }
        }
    }

    /// A source is what applies it makes of its document: patches of the `spec.ignore` are common.
    fn note_made_sources(&mut self) {
        let mut made: Vec<Found> = Vec::new();
        for found in &self.kustomizations {
            let build = self.evaluate(&Rc::new((*found.value).clone()), &found.at.path).build;
            for object in &build.objects {
                let Origin::Document { path, index } = &object.origin else { continue };
                let at = DocRef { path: path.clone(), index: *index };
                let Some(written) = self.sources.iter().find(|it| it.at == at) else { continue };
                let ignore = |it: &Value| it.text(&["spec", "ignore"]).map(str::to_owned);
                if ignore(&written.value) != ignore(&object.value) {
                    made.push(Found { at, value: Arc::clone(&object.value) });
                }
            }
        }
        if !made.is_empty() {
            self.made_sources = made;
            // They were evaluated without knowing.
            self.known.take();
            self.artifacts.take();
        }
    }

    fn inventory(&self) -> Inventory {
        // Documents that a Kustomization applies are evaluated as it applies them, not as they are written.
        let mut applied: HashSet<(DocRef, String)> = HashSet::new();
        for found in &self.kustomizations {
            let value = Rc::new((*found.value).clone());
            let evaluated = self.evaluate(&value, &found.at.path);
            for (child, at) in children(&evaluated.build) {
                let name = name_of(&child.value);
                // A root that applies itself.
                if at != found.at {
                    applied.insert((at, name));
                }
            }
        }
        let mut inventory = Inventory::default();
        let mut seen = HashSet::new();
        let mut queue: VecDeque<(Rc<Value>, Option<DocRef>, Option<usize>)> = VecDeque::new();
        for found in &self.kustomizations {
            if !applied.contains(&(found.at.clone(), name_of(&found.value))) {
                queue.push_back((Rc::new((*found.value).clone()), Some(found.at.clone()), None));
            }
        }
        while let Some((value, at, parent)) = queue.pop_front() {
            if inventory.applications.len() >= MAX_APPLICATIONS {
                break;
            }
            let namespace = value.text(&["metadata", "namespace"]).unwrap_or_default().to_owned();
            let name = name_of(&value);
            let by = parent.map(|it: usize| {
                let parent: &Application = &inventory.applications[it];
                (parent.document.clone(), parent.namespace.clone(), parent.name.clone())
            });
            let dir = value.text(&["spec", "path"]).unwrap_or_default().to_owned();
            if !seen.insert((by, at.clone(), namespace.clone(), name.clone(), dir)) {
                continue;
            }
            let near = at.as_ref().map(|it| it.path.clone()).unwrap_or_else(RepoPath::root);
            let Evaluated { source, dir, build, untold } = self.evaluate(&value, &near);
            let index = inventory.applications.len();
            for (child, of) in children(&build) {
                let is_itself = at.as_ref() == Some(&of) && name_of(&child.value) == name;
                if !is_itself {
                    queue.push_back((Rc::new((*child.value).clone()), Some(of), Some(index)));
                }
            }
            inventory.applications.push(Application {
                kustomization: value,
                namespace,
                name,
                document: at,
                parent,
                source,
                dir,
                build,
                untold,
            });
        }
        inventory
    }

    /// Builds what a Kustomization applies. `near` is the file that it is written in: of several documents that it may
    /// mean, those beside it count.
    fn evaluate(&self, kustomization: &Rc<Value>, near: &RepoPath) -> Evaluated {
        let same = |(known, _): &&Known| known.says_the_same(kustomization);
        if let Some((_, known)) = self.known.borrow().get(near).and_then(|it| it.iter().find(same)) {
            return known.clone();
        }
        let none = Arc::new(Value::empty());
        let spec = kustomization.get("spec").unwrap_or(&none);
        let evaluated = self.evaluate_anew(kustomization, spec, near);
        let known = (Rc::clone(kustomization), evaluated.clone());
        self.known.borrow_mut().entry(near.clone()).or_default().push(known);
        evaluated
    }

    fn evaluate_anew(&self, kustomization: &Value, spec: &Value, near: &RepoPath) -> Evaluated {
        let namespace = kustomization.text(&["metadata", "namespace"]).unwrap_or_default();
        let text = |key: &str| spec.text(&["sourceRef", key]).unwrap_or_default().to_owned();
        let source = SourceRef {
            kind: text("kind"),
            namespace: spec.text(&["sourceRef", "namespace"]).unwrap_or(namespace).to_owned(),
            name: text("name"),
        };
        let dir = RepoPath::of_flux(spec.text(&["path"]).unwrap_or_default());
        let mut evaluated = Evaluated { source, dir, build: Rc::default(), untold: None };
        let mut maps = |name: &str| self.config_maps.get(name).cloned().unwrap_or_default();
        let variables = variables(spec, std::slice::from_ref(near), &mut maps);
        let overlay = overlay(spec, variables);
        if evaluated.source.kind == "ExternalArtifact" {
            let mut builds = Vec::new();
            for copies in self.copies(&evaluated.source, near) {
                let artifact = copies.artifact(self.files.tree());
                let files = Files::new(&artifact);
                builds.push(kustomize::build(&files, &evaluated.dir, &overlay));
            }
            if builds.is_empty() {
                evaluated.untold = Some(Untold::NoGenerator(evaluated.source.name.clone()));
            }
            evaluated.take_one_of(builds);
            return evaluated;
        }
        if let Some(url) = self.is_elsewhere(&evaluated.source) {
            evaluated.untold = Some(Untold::OtherRepository(url.to_owned()));
            return evaluated;
        }
        let mut builds = Vec::new();
        for ignore in self.ignores(&evaluated.source, near) {
            builds.push(match ignore {
                None => kustomize::build(&self.files, &evaluated.dir, &overlay),
                Some(ignore) => {
                    let artifact = SourceTree::new(self.files.tree(), Some(&ignore));
                    kustomize::build(&Files::new(&artifact), &evaluated.dir, &overlay)
                }
            });
        }
        evaluated.take_one_of(builds);
        evaluated
    }

    /// What a source may leave out, at least one: the `spec.ignore` of each document that may be it and is as near as any,
    /// nothing where it may leave nothing out.
    fn ignores(&self, source: &SourceRef, near: &RepoPath) -> Vec<Source> {
        let is_it = |it: &&Found| {
            Id::of(&it.value).is_some_and(|id| *id.kind == *source.kind && *id.name == *source.name)
        };
        // What is made of a document counts in its stead.
        let is_written = |it: &&Found| !self.made_sources.iter().any(|made| made.at == it.at);
        let written = self.sources.iter().filter(is_written);
        let all: Vec<&Found> = written.chain(&self.made_sources).filter(is_it).collect();
        let most = all.iter().map(|it| common(&it.at.path, near)).max().unwrap_or_default();
        let mut found: Vec<Source> = Vec::new();
        match source.kind.as_str() {
            "GitRepository" if all.is_empty() => found.push(Some(Arc::default())),
            "GitRepository" => {}
            // What was pushed is not written down: it may hold no `.sourceignore`, or have another root.
            _ => found.push(None),
        }
        if matches!(source.kind.as_str(), "GitRepository" | "OCIRepository") {
            for it in all.into_iter().filter(|it| common(&it.at.path, near) == most) {
                let is_copied = it.value.text(&["spec", "layerSelector", "operation"]) == Some("copy");
                let ignore = it.value.text(&["spec", "ignore"]).unwrap_or_default();
                let ignore = (!is_copied).then(|| ignore.into());
                if !found.contains(&ignore) {
                    found.push(ignore);
                }
            }
        }
        found
    }

    /// The other repository that a source is, if all documents that may be the source say so.
    fn is_elsewhere(&self, source: &SourceRef) -> Option<&str> {
        let is_it = |id: &Id| *id.kind == *source.kind && *id.name == *source.name;
        let may_be = self.sources.iter().filter(|it| Id::of(&it.value).is_some_and(|id| is_it(&id))).count();
        let elsewhere: Vec<&(Id, String)> = self.elsewhere.iter().filter(|(id, _)| is_it(id)).collect();
        (may_be > 0 && elsewhere.len() == may_be).then(|| elsewhere[0].1.as_str())
    }

    /// How an artifact may be copied together: one way where it is known what its sources leave out.
    fn copies(&self, artifact: &SourceRef, near: &RepoPath) -> Vec<Rc<Copies>> {
        let makes = |found: &&Found| {
            let artifacts = found.value.dig(&["spec", "artifacts"]).and_then(Value::as_sequence);
            artifacts.into_iter().flatten().any(|it| it.text(&["name"]) == Some(&artifact.name))
        };
        let Some(generator) = nearest(self.generators.iter().filter(makes), near) else { return Vec::new() };
        let key = (generator.at.clone(), artifact.name.clone());
        if let Some(known) = self.artifacts.borrow().get(&key) {
            return known.clone();
        }
        let spec = generator.value.get("spec").map(|it| json(it, 32)).unwrap_or_default();
        let sources = spec.get("sources").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
        let ignores = |alias: &str| {
            let text = |it: &serde_json::Value, key: &str| {
                it.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
            };
            let source = sources.iter().find(|it| text(it, "alias") == alias);
            source.map_or_else(Vec::new, |it| {
                let (kind, namespace, name) = (text(it, "kind"), text(it, "namespace"), text(it, "name"));
                self.ignores(&SourceRef { kind, namespace, name }, near)
            })
        };
        let mut copies: Vec<Rc<Copies>> = Vec::new();
        let mut ways = 1;
        let mut way = 0;
        while way < ways {
            let read = Copies::read(&spec, &artifact.name, |alias| {
                let all = ignores(alias);
                ways = ways.max(all.len());
                Some(all.get(way).or(all.last()).cloned().unwrap_or_default())
            });
            copies.extend(read.map(Rc::new));
            way += 1;
        }
        self.artifacts.borrow_mut().insert(key, copies.clone());
        copies
    }
}

/// The variables of a Kustomization, as far as the repository tells them. `maps` finds ConfigMaps by name; of several the
/// one [nearest](the_one) to where the Kustomization comes from counts.
pub(crate) fn variables(
    spec: &Value,
    near: &[RepoPath],
    maps: &mut dyn FnMut(&str) -> Vec<Found>,
) -> Option<Variables> {
    let post_build = spec.get("postBuild")?;
    let mut variables = Variables::default();
    for (kind, name) in substituted_from(spec) {
        let found = if kind == "ConfigMap" { maps(name) } else { Vec::new() };
        let data = the_one(&found, near).and_then(|it| it.value.get("data")?.as_mapping());
        let Some(data) = data else {
            variables.incomplete = true;
            // Later entries win, also those that are not known; `substitute` wins over all (pkg/kustomize, `SubstituteVariables`).
            variables.known.values_mut().for_each(|it| it.unsure = true);
            continue;
        };
        set(&mut variables, data);
    }
    if let Some(inline) = post_build.get("substitute").and_then(|it| it.as_mapping()) {
        set(&mut variables, inline);
    }
    // Without a variable nothing is replaced, not even `${X:=default}`.
    (variables.incomplete || !variables.known.is_empty()).then_some(variables)
}

/// Kind and name of what a Kustomization has variables from.
pub(crate) fn substituted_from(spec: &Value) -> impl Iterator<Item = (&str, &str)> {
    let from = spec.dig(&["postBuild", "substituteFrom"]).and_then(|it| it.as_sequence());
    let items = from.unwrap_or_default().iter();
    items.map(|it| (it.text(&["kind"]).unwrap_or_default(), it.text(&["name"]).unwrap_or_default()))
}

/// The nearest one to the first of these places that tells them apart; none if others are as near to all of them and say
/// something else.
pub(crate) fn the_one<'f>(found: &'f [Found], near: &[RepoPath]) -> Option<&'f Found> {
    near.iter().find_map(|near| {
        let best = nearest(found.iter(), near)?;
        let rivals = found.iter().filter(|it| common(&it.at.path, near) == common(&best.at.path, near));
        let mut rivals = rivals.filter(|it| !std::ptr::eq(*it, best));
        rivals.all(|it| it.value.says_the_same(&best.value)).then_some(best)
    })
}

const KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io";
const SOURCES: &str = "source.toolkit.fluxcd.io";
const SOURCE_EXTENSIONS: &str = "source.extensions.fluxcd.io";

fn set(variables: &mut Variables, members: &[Member]) {
    for member in members {
        let value = member.value.as_text().map(|it| it.value.replace('\n', "")).unwrap_or_default();
        let site = member.value.site.clone();
        let variable = Variable { value: value.into(), site, unsure: false };
        variables.known.insert(member.key.to_string(), variable);
    }
}

/// What a Kustomization adds to the build of its path (flux-reference E.3).
pub(crate) fn overlay(spec: &Value, variables: Option<Variables>) -> Overlay {
    let list = |key: &str| spec.get(key).and_then(|it| it.as_sequence()).unwrap_or_default().to_vec();
    let pairs = |key: &str| {
        let pairs = spec.dig(&["commonMetadata", key]).and_then(Value::as_mapping);
        pairs.unwrap_or_default().to_vec()
    };
    Overlay {
        namespace: spec.get("targetNamespace").cloned(),
        name_prefix: spec.get("namePrefix").cloned(),
        name_suffix: spec.get("nameSuffix").cloned(),
        components: list("components"),
        ignore_missing_components: spec.text(&["ignoreMissingComponents"]) == Some("true"),
        patches: list("patches"),
        patches_strategic_merge: list("patchesStrategicMerge"),
        patches_json: list("patchesJson6902"),
        images: list("images"),
        labels: pairs("labels"),
        annotations: pairs("annotations"),
        variables,
    }
}

/// The Flux Kustomizations that a build makes, with the documents they start from. A build that kustomize refuses makes
/// none.
fn children(build: &Build) -> impl Iterator<Item = (&Built, DocRef)> {
    let objects = if build.refused().is_some() { &[][..] } else { &build.objects };
    objects.iter().filter_map(|object| {
        let id = object.id()?;
        if (&*id.group, &*id.kind) != (KUSTOMIZE, "Kustomization") {
            return None;
        }
        let Origin::Document { path, index } = &object.origin else { return None };
        Some((object, DocRef { path: path.clone(), index: *index }))
    })
}

fn name_of(value: &Value) -> String {
    value.text(&["metadata", "name"]).unwrap_or_default().to_owned()
}

/// The one whose path has most in common with a file's: names repeat from cluster to cluster.
fn nearest<'f>(found: impl Iterator<Item = &'f Found>, near: &RepoPath) -> Option<&'f Found> {
    let mut best: Option<&Found> = None;
    for it in found {
        if best.is_none_or(|best| common(&it.at.path, near) > common(&best.at.path, near)) {
            best = Some(it);
        }
    }
    best
}

/// How many folders two paths have in common.
fn common(path: &RepoPath, near: &RepoPath) -> usize {
    path.parts().zip(near.parts()).take_while(|(one, two)| one == two).count()
}

impl Application {
    /// The Flux Kustomization as `namespace/name`.
    pub fn title(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}
