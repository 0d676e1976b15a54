//! Helm charts that lie in this repository: which HelmReleases take them, which files they are made of, and whether two
//! versions of them say the same.
//!
//! What source-controller 1.9 packages (`internal/helm/chart/builder_local.go`): the folder as a whole with what stands in
//! its `charts/`, local dependencies (`file://`), and with `valuesFiles` their merge in the place of its `values.yaml`.
//! What a chart's `.helmignore` keeps out is no part of it.
//!
//! Of what is packaged only what a release is made of counts: a README, values files that are not listed, and what a
//! `Chart.yaml` tells for people are in the package and make no difference, unless a template reads them.

use flux::{Facts, Kind, Object, Role};
use manifests::{FileKind, ParsedFile, RepoPath, SourceTree, Tree, value};
use serde_json::Value;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::compare::{Compared, same_document};
use crate::helmignore::HelmIgnore;
use crate::inputs::Remotes;
use crate::memo::Memo;
use crate::versions::Version;
use crate::view::View;

const CHART_FILE: &str = "Chart.yaml";
/// How templates read files of their chart.
const FILES: &str = ".Files";
/// What a `Chart.yaml` tells for people, and how templates call it.
const FOR_PEOPLE: &[(&str, &str)] = &[
    ("annotations", "Annotations"),
    ("deprecated", "Deprecated"),
    ("description", "Description"),
    ("home", "Home"),
    ("icon", "Icon"),
    ("keywords", "Keywords"),
    ("maintainers", "Maintainers"),
    ("sources", "Sources"),
];
/// Dependencies of dependencies that are followed.
const DEPTH: u32 = 8;
/// How many charts of commits are kept.
const KEPT: usize = 256;

/// A chart of this repository, as a HelmRelease takes it.
#[derive(Debug)]
pub(crate) struct ChartUse {
    pub(crate) release: Arc<Object>,
    /// What packages it; none as long as Flux has not made it.
    pub(crate) chart: Option<Arc<Object>>,
    /// The GitRepository that is this repository.
    pub(crate) source: Arc<Object>,
    pub(crate) key: ChartKey,
    /// `reconcileStrategy: ChartVersion`, the default: only another version in `Chart.yaml` is taken.
    pub(crate) by_version: bool,
}

/// Which files a chart is made of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ChartKey {
    pub(crate) folder: RepoPath,
    /// `valuesFiles`, from the root of the repository.
    pub(crate) values: Arc<[RepoPath]>,
    /// What the source leaves out: its `spec.ignore`.
    ignore: Arc<str>,
    /// Whether the release's own values speak of files of the chart, for templates to read.
    reads_files: bool,
}

/// A chart as one version of the repository has it.
#[derive(Debug, Default)]
pub(crate) struct ChartText {
    files: BTreeMap<RepoPath, Arc<str>>,
    /// What is packaged beside that, and read by no template.
    beside: BTreeMap<RepoPath, Arc<str>>,
    /// What else it is made of beside its folder, `valuesFiles` not counted.
    pub(crate) folders: Vec<RepoPath>,
    /// `version` of `Chart.yaml`; none without one.
    pub(crate) version: Option<String>,
    /// Dependencies that are not in this repository, by name.
    pub(crate) elsewhere: Vec<String>,
}

/// What was read while one question is answered.
pub(crate) type ChartTexts = RefCell<HashMap<(Version, ChartKey), Arc<ChartText>>>;

/// Charts of commits, by the id of the commit's files.
#[derive(Default)]
pub(crate) struct PastCharts(Mutex<HashMap<PastChart, Arc<ChartText>>>);

type PastChart = (Arc<str>, ChartKey);

/// The charts of this repository that HelmReleases of a cluster take.
pub(crate) fn from_here(facts: &Facts, remotes: &dyn Remotes) -> Arc<[Arc<ChartUse>]> {
    facts.of_kind(Kind::HelmRelease).filter_map(|it| ChartUse::of(facts, it, remotes)).map(Arc::new).collect()
}

impl ChartUse {
    fn of(facts: &Facts, release: &Arc<Object>, remotes: &dyn Remotes) -> Option<ChartUse> {
        let chart = facts.source_of(release).filter(|it| it.kind == Kind::HelmChart);
        let names_source = chart.unwrap_or(release).references().iter().find(|it| it.role == Role::Source)?;
        let source = facts.get(&names_source.target).filter(|it| it.kind == Kind::GitRepository)?;
        if !remotes.is_ours(source.spec.url.as_deref()?) {
            return None;
        }
        let spec = match chart {
            Some(chart) => chart.raw_spec(),
            None => release.raw_spec().pointer("/chart/spec")?.clone(),
        };
        let text = |key: &str| spec.get(key).and_then(Value::as_str);
        let values = spec.get("valuesFiles").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let ignore = source.raw_spec().get("ignore").and_then(Value::as_str).unwrap_or_default().into();
        Some(ChartUse {
            key: ChartKey {
                folder: RepoPath::of_flux(text("chart")?),
                values: values.iter().filter_map(Value::as_str).map(RepoPath::of_flux).collect(),
                ignore,
                reads_files: release.spec_json.contains(FILES),
            },
            by_version: text("reconcileStrategy") != Some("Revision"),
            release: Arc::clone(release),
            chart: chart.cloned(),
            source: Arc::clone(source),
        })
    }
}

impl ChartKey {
    pub(crate) fn chart_file(&self) -> RepoPath {
        self.folder.join(CHART_FILE).unwrap_or_else(|| self.folder.clone())
    }

    /// Whether a file can be of a chart, before any file was read.
    fn may_hold(&self, path: &RepoPath) -> bool {
        if self.values.contains(path) {
            return true;
        }
        // A chart at the root has the whole repository in it; what people keep beside it is not shown as the chart.
        const OWN: [&str; 4] = ["templates", "charts", "crds", "files"];
        let first = path.parts().next().unwrap_or_default();
        let is_beside = self.folder.is_root() && path.parts().count() > 1 && !OWN.contains(&first);
        let replaced = !self.values.is_empty() && self.folder.join("values.yaml").as_ref() == Some(path);
        path.starts_with(&self.folder) && !is_beside && !replaced
    }
}

impl ChartText {
    fn read(tree: &dyn Tree, key: &ChartKey) -> ChartText {
        let artifact = SourceTree::new(tree, Some(&key.ignore));
        let mut text = ChartText::default();
        text.read_chart(&artifact, &key.folder, DEPTH);
        text.version = version(&artifact, key);
        if key.reads_files || text.files.values().any(|it| it.contains(FILES)) {
            text.files.append(&mut text.beside);
        }
        text.beside.clear();
        if !key.values.is_empty()
            && let Some(own) = key.folder.join("values.yaml")
        {
            text.files.remove(&own);
        }
        for path in &*key.values {
            text.files.extend(artifact.read(path).map(|it| (path.clone(), it)));
        }
        text
    }

    /// A chart's folder, and those of its local dependencies.
    fn read_chart(&mut self, tree: &dyn Tree, folder: &RepoPath, depth: u32) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let ignore = folder.join(".helmignore").and_then(|it| tree.read(&it)).unwrap_or_default();
        self.read_folder(tree, folder, folder, &HelmIgnore::new(&ignore));
        let file = folder.join(CHART_FILE).and_then(|it| tree.parsed(&it));
        let root = file.as_ref().and_then(|it| it.documents().first()?.document.root.clone());
        let dependencies = root.as_ref().and_then(|it| it.get("dependencies")?.as_sequence());
        for dependency in dependencies.into_iter().flatten() {
            let text = |key: &str| dependency.get(key).and_then(|it| it.as_str());
            let name = text("name").unwrap_or_default();
            // In `charts/` of the chart it stands as it is taken.
            let vendored = folder.join("charts").and_then(|it| it.join(name));
            if vendored.is_some_and(|it| tree.kind(&it) == Some(FileKind::Directory)) {
                continue;
            }
            match text("repository").and_then(|it| it.strip_prefix("file://")) {
                Some(path) => match folder.join(path) {
                    Some(other) if !self.folders.contains(&other) && other != *folder => {
                        self.folders.push(other.clone());
                        self.read_chart(tree, &other, depth);
                    }
                    _ => {}
                },
                None => self.elsewhere.push(name.to_owned()),
            }
        }
    }

    fn read_folder(&mut self, tree: &dyn Tree, chart: &RepoPath, folder: &RepoPath, ignore: &HelmIgnore) {
        for (name, kind) in tree.list(folder) {
            let Some(path) = folder.join(&name) else { continue };
            let inside = path.as_str().get(chart.as_str().len()..).unwrap_or_default();
            if ignore.keeps_out(inside.trim_start_matches('/'), kind == FileKind::Directory) {
                continue;
            }
            match kind {
                FileKind::Directory => self.read_folder(tree, chart, &path, ignore),
                FileKind::File => {
                    let Some(text) = tree.read(&path) else { continue };
                    let inside: Vec<&str> = inside.split('/').filter(|it| !it.is_empty()).collect();
                    let of = if is_used(&inside, &text) { &mut self.files } else { &mut self.beside };
                    of.insert(path, text);
                }
                FileKind::Symlink | FileKind::Other => {}
            }
        }
    }

    /// Whether it is made of a file.
    pub(crate) fn has(&self, path: &RepoPath) -> bool {
        self.files.contains_key(path)
    }

    /// Whether there is a chart at all.
    fn is_there(&self) -> bool {
        self.version.is_some()
    }

    /// Whether its templates, or its values for them, tell something of its `Chart.yaml`.
    fn tells(&self, name: &str) -> bool {
        let mut mentions = self.files.values().flat_map(|it| it.split(".Chart").skip(1));
        // `toYaml .Chart` tells all of it.
        mentions.any(|rest| rest.strip_prefix('.').is_none_or(|it| it.starts_with(name)))
    }

    fn compare(&self, other: &ChartText, key: &ChartKey) -> Compared {
        let paths: BTreeSet<&RepoPath> = self.files.keys().chain(other.files.keys()).collect();
        for path in paths {
            let same = match (self.files.get(path), other.files.get(path)) {
                (Some(one), Some(two)) if path.file_name() == CHART_FILE => {
                    one == two || self.describes_the_same(other, path, one, two)
                }
                (Some(one), Some(two)) => one == two || says_the_same(path, one, two, key),
                _ => false,
            };
            if !same {
                return Compared::Different(Some(path.clone()));
            }
        }
        Compared::Same
    }

    /// Whether two texts of a `Chart.yaml` say the same to what the release is made of.
    fn describes_the_same(&self, other: &ChartText, path: &RepoPath, one: &str, two: &str) -> bool {
        let is_told = |key: &str| {
            let name = FOR_PEOPLE.iter().find(|(it, _)| *it == key).map(|(_, name)| name);
            name.is_none_or(|name| self.tells(name) || other.tells(name))
        };
        let told = |text: &str| {
            let file = ParsedFile::parse(text);
            let value = value::of_file(path, &file).into_iter().flatten().next()?;
            let members = value.as_mapping()?.iter().filter(|it| is_told(&it.key));
            Some(members.map(|it| (Arc::clone(&it.key), Arc::clone(&it.value))).collect::<Vec<_>>())
        };
        let (Some(one), Some(two)) = (told(one), told(two)) else { return one.lines().eq(two.lines()) };
        one.len() == two.len()
            && one
                .iter()
                .all(|(key, value)| two.iter().any(|(other, it)| other == key && it.says_the_same(value)))
    }
}

/// Whether a file of a chart, by its path in it, is part of what a release is made of, whatever templates read.
fn is_used(inside: &[&str], text: &str) -> bool {
    match inside {
        ["charts", _, rest @ ..] if !rest.is_empty() => is_used(rest, text),
        // Notes are for people. What they define other templates may use.
        ["templates", .., name] if name.ends_with("NOTES.txt") => text.contains("define"),
        ["charts" | "crds" | "templates", ..] => true,
        [name] => matches!(*name, CHART_FILE | "values.yaml" | "requirements.yaml"),
        _ => false,
    }
}

/// Comments count in a template, where they are part of what it makes, and not in what is only read for its values. Line
/// ends are those of a work tree.
fn says_the_same(path: &RepoPath, one: &str, two: &str, key: &ChartKey) -> bool {
    if one.lines().eq(two.lines()) {
        return true;
    }
    let is_values = path.file_name() == "values.yaml" || key.values.contains(path);
    if !is_values {
        return false;
    }
    let (one, two) = (ParsedFile::parse(one), ParsedFile::parse(two));
    let (one, two) = (one.documents(), two.documents());
    one.len() == two.len()
        && one.iter().zip(two).all(|(one, two)| same_document(&one.document, &two.document))
}

fn version(artifact: &dyn Tree, key: &ChartKey) -> Option<String> {
    let file = artifact.parsed(&key.chart_file())?;
    let root = file.documents().first()?.document.root.as_ref()?;
    root.get("version")?.as_str().map(str::to_owned)
}

impl View<'_> {
    /// The charts of this repository that HelmReleases of a cluster take.
    pub(crate) fn charts_of(&self, cluster: usize) -> &[Arc<ChartUse>] {
        let known = &self.derived[cluster].binding.deliveries.charts;
        known.get_or_init(|| from_here(self.facts(cluster), self.inputs.repo.remotes))
    }

    /// The chart that a HelmRelease takes from this repository.
    pub(crate) fn chart_of(&self, cluster: usize, release: &flux::ObjectId) -> Option<&Arc<ChartUse>> {
        self.charts_of(cluster).iter().find(|it| it.release.id == *release)
    }

    /// The charts that a file is part of, by cluster.
    pub(crate) fn charts_with(&self, path: &RepoPath) -> Vec<(usize, &Arc<ChartUse>)> {
        let mut found = Vec::new();
        // What one chart takes of another has a chart's file of its own above it.
        let is_of_a_chart = OnceCell::new();
        for (cluster, view) in self.inputs.clusters.iter().enumerate() {
            let charts = self.charts_of(cluster);
            if charts.is_empty() || !self.inputs.settings.maps(path, view) {
                continue;
            }
            let is_of_a_chart = || *is_of_a_chart.get_or_init(|| self.is_of_a_chart(path));
            let holds = |chart: &&Arc<ChartUse>| self.holds(chart, path, is_of_a_chart);
            found.extend(charts.iter().filter(holds).map(|it| (cluster, it)));
        }
        found
    }

    fn holds(&self, chart: &ChartUse, path: &RepoPath, is_of_a_chart: impl FnOnce() -> bool) -> bool {
        let key = &chart.key;
        let text = || self.chart_text(key, &Version::Buffer);
        let is_taken = || text().is_some_and(|it| it.folders.iter().any(|folder| path.starts_with(folder)));
        let may = key.may_hold(path) || (is_of_a_chart() && is_taken());
        // The values beside a chart are of it, the chart itself has to be one.
        may && text().is_some_and(|it| it.is_there() && it.has(path))
    }

    /// A chart in a version of the repository; `None` if that version is not here, or not wholly.
    pub(crate) fn chart_text(&self, key: &ChartKey, version: &Version) -> Option<Arc<ChartText>> {
        let at = (version.clone(), key.clone());
        if let Some(known) = self.chart_texts.borrow().get(&at) {
            return Some(Arc::clone(known));
        }
        let tree = self.tree_in(version)?;
        let read = || ChartText::read(tree, key);
        let text = match version.commit().and_then(|it| self.files_at(it)) {
            Some(files) => {
                let text = self.inputs.memo.past_chart(files.id(), key, read);
                if files.is_incomplete() {
                    self.inputs.memo.forget_chart(files.id(), key);
                    return None;
                }
                text
            }
            None => Arc::new(read()),
        };
        self.chart_texts.borrow_mut().insert(at, Arc::clone(&text));
        Some(text)
    }

    /// The version that a chart's own file tells in a version of the repository.
    pub(crate) fn chart_version(&self, key: &ChartKey, at: &Version) -> Option<String> {
        version(&SourceTree::new(self.tree_in(at)?, Some(&key.ignore)), key)
    }

    /// Compares a chart in two versions.
    pub(crate) fn compared_charts(&self, chart: &ChartUse, a: &Version, b: &Version) -> Compared {
        if self.are_one(a, b) {
            return Compared::Same;
        }
        match (self.chart_text(&chart.key, a), self.chart_text(&chart.key, b)) {
            (Some(one), Some(two)) => one.compare(&two, &chart.key),
            _ => Compared::Unknown,
        }
    }
}

impl Memo {
    fn past_chart(&self, files: &str, key: &ChartKey, read: impl FnOnce() -> ChartText) -> Arc<ChartText> {
        let at = (Arc::from(files), key.clone());
        let known = &self.past_charts.0;
        if let Some(known) = known.lock().unwrap_or_else(PoisonError::into_inner).get(&at) {
            return Arc::clone(known);
        }
        let text = Arc::new(read());
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(at, Arc::clone(&text));
        text
    }

    fn forget_chart(&self, files: &str, key: &ChartKey) {
        let mut known = self.past_charts.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(&(Arc::from(files), key.clone()));
    }
}
