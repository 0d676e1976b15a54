//! Following a build from file to file.

use std::collections::HashSet;

use text_size::TextRange;

use super::lookup::{Files, Found, is_remote};
use super::{Edge, Reach, Unknown, Use, Why};
use crate::{FieldPath, FileKind, Node, ParsedFile, Placed, RepoPath, Soundness, Tree, identity};

/// How many builds may include each other in a chain.
const MAX_DEPTH: usize = 64;
/// How many files one build may read.
const MAX_FILES: usize = 10_000;

/// A walk through a build, and what it found so far.
pub(super) struct Walk<'tree> {
    pub(super) reach: Reach,
    files: Files<'tree>,
    /// The builds that include each other, from the root to the current one.
    open: Vec<RepoPath>,
    /// What was walked, and as what its resources count.
    done: HashSet<(RepoPath, Use)>,
    full: bool,
}

/// Where something is asked for.
struct Place<'text> {
    /// The build file, or the root directory.
    from: &'text RepoPath,
    field: FieldPath,
    range: TextRange,
}

/// What may be named at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    File,
    FileOrBuild,
    Build,
}

impl<'tree> Walk<'tree> {
    pub(super) fn new(tree: &'tree dyn Tree) -> Walk<'tree> {
        Walk {
            reach: Reach::default(),
            files: Files::new(tree),
            open: Vec::new(),
            done: HashSet::new(),
            full: false,
        }
    }

    /// Walks the build that Flux makes of a directory.
    pub(super) fn root(&mut self, dir: &RepoPath, components: &[&str]) {
        let place = |field| Place { from: dir, field, range: TextRange::default() };
        match self.files.find(dir) {
            Found::Directory => {}
            Found::File => return self.unknown(&place(FieldPath::root()), Why::NotABuild(dir.clone())),
            Found::Nothing => return self.unknown(&place(FieldPath::root()), Why::Missing(dir.clone())),
            Found::Symlink(link) => return self.unknown(&place(FieldPath::root()), Why::Symlink(link)),
        }
        if self.files.build_files(dir).is_empty() {
            self.scan(dir, dir, 0);
        } else {
            self.build(dir, Use::Resource);
        }
        for (index, component) in components.iter().enumerate() {
            let field = FieldPath::root().key("spec").key("components").index(index);
            self.follow(&place(field), dir, component, Wanted::Build, Use::Resource);
        }
    }

    /// A directory without build file: every YAML file counts, and every folder with a build file as one.
    fn scan(&mut self, root: &RepoPath, dir: &RepoPath, depth: usize) {
        let place = Place { from: root, field: FieldPath::root(), range: TextRange::default() };
        if depth > MAX_DEPTH {
            return self.unknown(&place, Why::TooMany(dir.clone()));
        }
        for (name, kind) in
            self.files.list(dir).iter().map(|(name, kind)| (name.clone(), *kind)).collect::<Vec<_>>()
        {
            let Some(path) = dir.join(&name) else { continue };
            match kind {
                FileKind::Directory if name == ".git" => {}
                FileKind::Directory if self.files.build_files(&path).is_empty() => {
                    self.scan(root, &path, depth + 1)
                }
                FileKind::Directory => {
                    self.edge(&place, &path, Use::BuildFile);
                    self.build(&path, Use::Resource);
                }
                FileKind::File if name.ends_with(".yaml") || name.ends_with(".yml") => {
                    self.edge(&place, &path, Use::Resource);
                    self.file(&place, &path, Use::Resource);
                }
                // A link is not in the artifact: nothing is missing that Flux would see.
                FileKind::File | FileKind::Symlink | FileKind::Other => {}
            }
        }
    }

    /// A directory with a build file. `resources_as` is what its resources count as: those that a list of
    /// generators or transformers names are plugin configuration.
    fn build(&mut self, dir: &RepoPath, resources_as: Use) {
        let files = self.files.build_files(dir);
        let Some(path) = files.first() else { return };
        let place = Place { from: path, field: FieldPath::root(), range: TextRange::default() };
        if self.open.contains(dir) {
            return self.unknown(&place, Why::Cycle(dir.clone()));
        }
        if !self.done.insert((dir.clone(), resources_as)) {
            return;
        }
        if self.open.len() >= MAX_DEPTH {
            return self.unknown(&place, Why::TooMany(dir.clone()));
        }
        if files.len() > 1 {
            self.unknown(&place, Why::Ambiguous(dir.clone()));
        }
        self.file(&place, path, Use::BuildFile);
        let parsed = self.files.tree().parsed(path);
        let placed = parsed.iter().flat_map(ParsedFile::documents).find(|it| it.document.root.is_some());
        let Some((placed, root)) = placed.and_then(|it| Some((it, it.document.root.as_ref()?))) else {
            // An empty build file is one that builds nothing; kustomize refuses it, and so do we.
            return self.unknown(&place, Why::Unreadable(path.clone()));
        };
        let group = root.get("apiVersion").and_then(Node::as_str).map(|it| identity::split_api_version(it).0);
        if root.as_mapping().is_none() || group.is_some_and(|it| !identity::is_kustomize_file(it)) {
            return self.unknown(&place, Why::Unreadable(path.clone()));
        }
        if placed.document.soundness != Soundness::Sound {
            self.unknown(&place, Why::Unreadable(path.clone()));
        }
        self.open.push(dir.clone());
        Fields { walk: self, dir, path, placed, root, resources_as }.follow_all();
        self.open.pop();
    }

    /// Follows one entry of a build file.
    fn follow(&mut self, place: &Place<'_>, dir: &RepoPath, text: &str, wanted: Wanted, as_: Use) {
        let Some(path) = dir.join(text) else {
            let why = if is_remote(text) { Why::Remote(text.into()) } else { Why::Outside(text.into()) };
            return self.unknown(place, why);
        };
        match self.files.find(&path) {
            Found::File if wanted != Wanted::Build => {
                self.edge(place, &path, as_);
                self.file(place, &path, as_);
            }
            Found::Directory if wanted != Wanted::File => {
                if self.files.build_files(&path).is_empty() {
                    return self.unknown(place, Why::NotABuild(path));
                }
                self.edge(place, &path, Use::BuildFile);
                if self.open.contains(&path) {
                    return self.unknown(place, Why::Cycle(path));
                }
                self.build(&path, as_);
            }
            Found::Symlink(link) => self.unknown(place, Why::Symlink(link)),
            Found::Nothing if is_remote(text) => self.unknown(place, Why::Remote(text.into())),
            Found::File | Found::Directory if wanted == Wanted::Build => {
                self.unknown(place, Why::NotABuild(path))
            }
            Found::File | Found::Directory => self.unknown(place, Why::NotAFile(path)),
            Found::Nothing => self.unknown(place, Why::Missing(path)),
        }
    }

    fn file(&mut self, place: &Place<'_>, path: &RepoPath, as_: Use) {
        if self.reach.files.len() >= MAX_FILES && !self.reach.files.contains(path) {
            if !std::mem::replace(&mut self.full, true) {
                self.unknown(place, Why::TooMany(path.clone()));
            }
            return;
        }
        self.reach.files.insert(path.clone());
        self.reach.uses.entry(path.clone()).or_default().insert(as_);
    }

    fn edge(&mut self, place: &Place<'_>, to: &RepoPath, as_: Use) {
        if !self.full {
            let Place { from, field, range } = place;
            let edge =
                Edge { from: (*from).clone(), field: field.clone(), range: *range, to: to.clone(), as_ };
            self.reach.edges.push(edge);
        }
    }

    fn unknown(&mut self, place: &Place<'_>, why: Why) {
        let Place { from, field, range } = place;
        self.reach.unknown.push(Unknown { at: (*from).clone(), field: field.clone(), range: *range, why });
    }
}

/// The fields of one build file.
struct Fields<'walk, 'tree, 'text> {
    walk: &'walk mut Walk<'tree>,
    dir: &'text RepoPath,
    path: &'text RepoPath,
    placed: &'text Placed,
    root: &'text Node,
    resources_as: Use,
}

impl<'text> Fields<'_, '_, 'text> {
    fn follow_all(&mut self) {
        let resources_as = self.resources_as;
        for list in ["resources", "bases"] {
            self.texts(self.root, &FieldPath::root(), list, Wanted::FileOrBuild, resources_as);
        }
        self.texts(self.root, &FieldPath::root(), "components", Wanted::Build, resources_as);
        for list in ["crds", "configurations"] {
            self.texts(self.root, &FieldPath::root(), list, Wanted::File, Use::Configuration);
        }
        self.inline_or_path("patchesStrategicMerge", Wanted::File, Use::Patch, false);
        for list in ["patches", "patchesJson6902"] {
            for (path, item) in self.items(self.root, &FieldPath::root(), list) {
                self.text(item, &path, "path", Use::Patch);
            }
        }
        for (path, item) in self.items(self.root, &FieldPath::root(), "replacements") {
            self.text(item, &path, "path", Use::Configuration);
        }
        if let Some(openapi) = self.root.get("openapi") {
            self.text(openapi, &FieldPath::root().key("openapi"), "path", Use::Configuration);
        }
        for list in ["configMapGenerator", "secretGenerator"] {
            for (path, item) in self.items(self.root, &FieldPath::root(), list) {
                self.texts(item, &path, "files", Wanted::File, Use::GeneratorInput);
                self.texts(item, &path, "envs", Wanted::File, Use::GeneratorInput);
                self.text(item, &path, "env", Use::GeneratorInput);
            }
        }
        self.charts();
        self.inline_or_path("generators", Wanted::FileOrBuild, Use::Plugin, true);
        self.inline_or_path("transformers", Wanted::FileOrBuild, Use::Plugin, true);
        // Validators look at the result and change nothing.
        self.inline_or_path("validators", Wanted::FileOrBuild, Use::Plugin, false);
    }

    /// Charts that kustomize renders: their objects are unknown, their values files are not.
    fn charts(&mut self) {
        for (list, name, values) in
            [("helmCharts", "name", "valuesFile"), ("helmChartInflationGenerator", "chartName", "values")]
        {
            for (path, item) in self.items(self.root, &FieldPath::root(), list) {
                let chart = item.get(name).and_then(Node::as_str).unwrap_or_default().to_owned();
                self.walk.unknown(&self.place(path.clone(), item), Why::Helm(chart));
                self.text(item, &path, values, Use::Values);
                self.texts(item, &path, "additionalValuesFiles", Wanted::File, Use::Values);
            }
        }
    }

    /// A list whose entries are paths or YAML.
    fn inline_or_path(&mut self, list: &str, wanted: Wanted, as_: Use, is_opaque: bool) {
        for (path, item) in self.items(self.root, &FieldPath::root(), list) {
            let Some(text) = item.as_str() else { continue };
            let is_inline = text.contains('\n') || text.contains(": ");
            let place = self.place(path, item);
            if is_opaque {
                let name = if is_inline { "written here" } else { text };
                self.walk.unknown(&place, Why::Plugin(name.to_owned()));
            }
            if !is_inline {
                self.walk.follow(&place, self.dir, text, wanted, as_);
            }
        }
    }

    /// A list of paths; those of generators may be `key=path`.
    fn texts(&mut self, node: &'text Node, at: &FieldPath, list: &str, wanted: Wanted, as_: Use) {
        for (path, item) in self.items(node, at, list) {
            let Some(text) = item.as_str() else { continue };
            let text = match text.split_once('=') {
                Some((_, path)) if as_ == Use::GeneratorInput => path,
                _ => text,
            };
            self.walk.follow(&self.place(path, item), self.dir, text, wanted, as_);
        }
    }

    /// A single path to a file.
    fn text(&mut self, node: &'text Node, at: &FieldPath, key: &str, as_: Use) {
        let Some(value) = node.get(key) else { return };
        let Some(text) = value.as_str() else { return };
        self.walk.follow(&self.place(at.key(key), value), self.dir, text, Wanted::File, as_);
    }

    fn items(&self, node: &'text Node, at: &FieldPath, list: &str) -> Vec<(FieldPath, &'text Node)> {
        let items = node.get(list).and_then(Node::as_sequence).unwrap_or_default();
        let path = at.key(list);
        items.iter().enumerate().map(|(index, item)| (path.index(index), item)).collect()
    }

    fn place(&self, field: FieldPath, node: &Node) -> Place<'text> {
        Place { from: self.path, field, range: self.placed.in_file(node.range) }
    }
}
