//! A repository and the clusters that were asked about it, put together once for a command.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use analysis::{FileReport, Gate, Lacks, LiveAnswer, Memo, Past, Question, Severity};
use jiff::Timestamp;
use manifests::{FileKind, RepoPath, TextRange, Tree as _};

use super::CliError;
use super::report::Place;
use crate::forges::consent::ForgeConsents;
use crate::forges::{self, Tokens};
use crate::paths::Paths;
use crate::server::disk::{Disk, Overlay};
use crate::server::documents::Text;
use crate::server::repository::{self, Indexing, Known, Stale};
use crate::server::view::{ClusterSnapshot, View};
use crate::server::watch::RepoId;
use crate::settings::{CommitStatus, Settings};

/// How often analysis may ask history for more: an answer can raise the next question, but not for ever.
const ROUNDS: usize = 6;

/// A repository with its clusters.
pub struct Scene {
    view: View,
    git: Option<history::Repository>,
    root: PathBuf,
}

impl Scene {
    /// Reads the repository that `path` lies in, or the folder itself where there is none.
    pub fn open(path: &Path, clusters: Vec<ClusterSnapshot>, settings: &Settings) -> Result<Scene, CliError> {
        Self::open_at(path, None, clusters, settings).map(|(scene, _)| scene)
    }

    /// The same with the files as a commit has them, which is named as Git names it; and what that commit changed.
    pub fn open_commit(
        path: &Path,
        commit: &str,
        clusters: Vec<ClusterSnapshot>,
        settings: &Settings,
    ) -> Result<(Scene, Question), CliError> {
        let (scene, question) = Self::open_at(path, Some(commit), clusters, settings)?;
        let question = question.ok_or_else(|| CliError::told("this folder is in no Git repository"))?;
        Ok((scene, question))
    }

    fn open_at(
        path: &Path,
        commit: Option<&str>,
        clusters: Vec<ClusterSnapshot>,
        settings: &Settings,
    ) -> Result<(Scene, Option<Question>), CliError> {
        let path = std::path::absolute(path).map_err(CliError::told)?;
        let path =
            path.canonicalize().map_err(|error| CliError::told(format!("{}: {error}", path.display())))?;
        let folder = if path.is_dir() { path.clone() } else { path.parent().unwrap_or(&path).to_owned() };
        let found = repository::find(&path, &[folder]);
        let disk = Arc::new(Disk::new(found.root.clone()));
        let (mut question, mut buffers) = (None, BTreeMap::new());
        if let (Some(commit), Some(git)) = (commit, &found.git) {
            let asked = asked(git, commit)?;
            buffers = texts_of(&git.tree(&asked.commit).map_err(CliError::told)?, &disk);
            question = Some(asked);
        }
        let untold = buffers.iter().map(|(path, text)| (path.clone(), Arc::clone(text))).collect();
        let overlay = Overlay { disk, buffers: Arc::new(buffers) };
        let indexing = Indexing {
            repo: RepoId(0),
            overlay: overlay.clone(),
            index: analysis::RepoIndex::new(),
            known: Known::new(),
            stale: Stale { all: true, paths: BTreeSet::new() },
            git: Vec::new(),
            whole: found.git.is_some(),
            watching: None,
        };
        let index = indexing.run().index;
        let name =
            found.root.file_name().map_or_else(|| "/".into(), |name| name.to_string_lossy().into_owned());
        let mut view = View {
            name: name.into(),
            overlay,
            index,
            untold,
            remotes: Arc::new(found.remotes),
            refs: Arc::new(found.refs),
            blobs: Arc::default(),
            past: Arc::default(),
            reported: None,
            memo: Arc::new(Memo::default()),
            clusters,
            not_connected: Arc::default(),
            choose: false,
            settings: Arc::new(settings.for_analysis(2)),
            now: Timestamp::now(),
        };
        view.tell();
        Ok((Scene { view, git: found.git, root: found.root }, question))
    }

    /// The clusters as they are now.
    pub fn now(&mut self, clusters: Vec<ClusterSnapshot>) {
        self.view.clusters = clusters;
        self.view.now = Timestamp::now();
    }

    /// How far a commit has come. History is asked until nothing is lacking.
    pub fn gate(&mut self, question: &Question) -> Gate {
        // What was not in this clone may have been fetched meanwhile.
        Arc::make_mut(&mut self.view.past).fetched();
        self.until_told(|inputs| analysis::gate(inputs, question), |it| &it.lacks)
    }

    /// Asks analysis something, and history until nothing is lacking.
    fn until_told<T>(
        &mut self,
        question: impl Fn(&analysis::Inputs<'_>) -> T,
        lacks: impl Fn(&T) -> &Lacks,
    ) -> T {
        let mut answer = self.view.ask(&question);
        for _ in 1..ROUNDS {
            if !self.look_up(lacks(&answer)) {
                break;
            }
            answer = self.view.ask(&question);
        }
        answer
    }

    /// What a commit is about, for people.
    pub fn subject(&self, commit: &str) -> Option<String> {
        Some(self.git.as_ref()?.commit(commit).ok()?.subject)
    }

    /// Asks the forge of the repository what was reported about its commits; why that did not work, if it did not.
    pub async fn ask_forge(&mut self, path: &RepoPath, settings: &Settings) -> Option<String> {
        if settings.commit_status == CommitStatus::Off {
            return Some("commit statuses are switched off (commitStatus)".to_owned());
        }
        let place = self.git.as_ref().and_then(|git| forges::place(git, &settings.forge_hosts));
        let (Some(git), Some((remote, place))) = (&self.git, place) else {
            return Some("commit statuses: no remote of this clone leads to a host on the web".to_owned());
        };
        let paths = Paths::from_environment();
        let remembered = ForgeConsents::open(cluster::StateDir::at(paths.state.clone()));
        let place = match remembered.of(&place.host(), &self.root).service {
            Some(service) => place.running(service),
            None => place,
        };
        let mut reported = forges::offer(&place, true, settings);
        let forges::Place::At(repository) = place else {
            return Some(format!(
                "commit statuses: nobody told what runs at {}. Put it into {}: [commitStatus] hosts = {{ \"{0}\" = \"gitea\" }}",
                reported.host,
                paths.config_file().display()
            ));
        };
        let client = match forge::Client::new(forge::Options::default()) {
            Ok(client) => client,
            Err(error) => return Some(format!("commit statuses: {error}")),
        };
        let commits = forges::commits(git, &remote, &self.view.refs, std::slice::from_ref(path));
        let tokens = Tokens::new(settings, |name| std::env::var_os(name), &paths.state);
        let token = tokens.find(&repository.site).await;
        let (answers, trouble) = forges::read(&client, &repository, &commits, token.as_ref()).await;
        reported.commits = answers;
        self.view.reported = Some(Arc::new(reported));
        trouble.map(|it| format!("commit statuses: {it}"))
    }

    /// The repository's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The clusters.
    pub fn clusters(&self) -> &[ClusterSnapshot] {
        &self.view.clusters
    }

    /// What analysis says of everything in one go.
    pub fn ask<T>(&self, question: impl FnOnce(&analysis::Inputs<'_>) -> T) -> T {
        self.view.ask(question)
    }

    /// The files with Flux objects or marks at or below `paths`; all of the repository's where none is named.
    pub fn files(&mut self, paths: &[PathBuf]) -> Result<Vec<RepoPath>, CliError> {
        let mut all = self.view.index.flux_files();
        all.extend(self.until_told(analysis::files_with_marks, |it| &it.1).0);
        all.sort();
        all.dedup();
        self.below(all, paths)
    }

    /// Those of `all` that are at or below `paths`; all of them where none is named.
    fn below(&self, all: Vec<RepoPath>, paths: &[PathBuf]) -> Result<Vec<RepoPath>, CliError> {
        if paths.is_empty() {
            return Ok(all);
        }
        let wanted: Vec<RepoPath> = paths.iter().map(|path| self.inside(path)).collect::<Result<_, _>>()?;
        Ok(all.into_iter().filter(|file| wanted.iter().any(|path| file.starts_with(path))).collect())
    }

    /// The name that a path has in the repository.
    pub fn inside(&self, path: &Path) -> Result<RepoPath, CliError> {
        let absolute =
            path.canonicalize().map_err(|error| CliError::told(format!("{}: {error}", path.display())))?;
        let inside = absolute.strip_prefix(&self.root).ok().and_then(|inside| {
            let parts: Option<Vec<&str>> =
                inside.components().map(|part| part.as_os_str().to_str()).collect();
            RepoPath::new(&parts?.join("/"))
        });
        inside.ok_or_else(|| {
            CliError::told(format!("{} is not in the repository {}", path.display(), self.root.display()))
        })
    }

    /// What an editor would show in a file. History is asked until nothing is lacking.
    pub fn report(&mut self, path: &RepoPath) -> FileReport {
        self.until_told(|inputs| analysis::analyse(inputs, path), |it| &it.lacks)
    }

    /// Reads live objects of the clusters that are connected; whether there were any.
    pub async fn read(
        &mut self,
        wanted: &BTreeSet<analysis::Wanted>,
        connections: &BTreeMap<Arc<str>, cluster::Access>,
    ) -> bool {
        let reads = wanted.iter().filter_map(|wanted| {
            let access = connections.get(wanted.cluster.as_str())?;
            let object =
                cluster::Wanted { id: wanted.object.clone(), version: wanted.version.as_str().into() };
            Some(async move { (wanted, access.read(object).await) })
        });
        let read = futures::future::join_all(reads).await;
        for (wanted, read) in &read {
            let Some(cluster) = self.view.clusters.iter_mut().find(|it| *it.key == *wanted.cluster) else {
                continue;
            };
            let reading = crate::server::objects::reading(wanted.ground.clone(), read.clone());
            Arc::make_mut(&mut cluster.live).note(wanted.object.clone(), reading);
        }
        !read.is_empty()
    }

    /// Reads the live objects of all manifests at or below `paths`, or of the whole repository, to tell also where they differ
    /// from what was applied: nobody hovers in a terminal. What could not be read, in sentences: each reason once.
    pub async fn read_all(
        &mut self,
        paths: &[PathBuf],
        connections: &BTreeMap<Arc<str>, cluster::Access>,
    ) -> Result<BTreeSet<String>, CliError> {
        let mut wanted = BTreeSet::new();
        for path in self.below(self.view.index.files().cloned().collect(), paths)? {
            wanted.extend(self.report(&path).live);
        }
        self.read(&wanted, connections).await;
        Arc::make_mut(&mut self.view.settings).differing = Some(Severity::Information);
        let clusters = self.clusters();
        let why = wanted.iter().filter_map(|wanted| {
            let cluster = clusters.iter().find(|it| *it.key == wanted.cluster)?;
            let why = match &cluster.live.get(&wanted.object)?.answer {
                LiveAnswer::Found(_) => return None,
                // Nothing was dropped from what is not there; Flux makes it again.
                LiveAnswer::Gone => return None,
                LiveAnswer::Forbidden { verb, resource } => {
                    let place = match &*wanted.object.namespace {
                        "" => String::new(),
                        namespace => format!(" in {namespace}"),
                    };
                    format!("live objects: no permission to {verb} {resource}{place}")
                }
                LiveAnswer::NotServed => format!("{}: the cluster does not serve this kind", wanted.object),
                LiveAnswer::Failed(why) => format!("live objects: {why}"),
            };
            Some(format!("{}: {why}", cluster.name))
        });
        Ok(why.collect())
    }

    /// What could not be told of a file that was asked for, in sentences.
    pub fn unknown(&self, report: &FileReport) -> Vec<String> {
        let mut unknown = report.unknown.clone();
        // Where only the forge was asked, no cluster could have said.
        if !self.clusters().is_empty() && report.clusters.is_empty() {
            unknown.push("none of the clusters asked applies it".to_owned());
        }
        unknown
    }

    /// Asks history for what is lacking; whether it had anything new to say.
    fn look_up(&mut self, lacks: &Lacks) -> bool {
        let mut lacks = lacks.clone();
        // What a user may do is no matter for a command that offers nothing.
        lacks.rights.clear();
        let Some(git) = self.git.as_ref().filter(|_| !lacks.is_empty()) else { return false };
        let mut past = Past::clone(&self.view.past);
        crate::server::past::look_up(git, &self.view.blobs, lacks).note(&mut past);
        self.view.past = Arc::new(past);
        true
    }

    /// Sentences about clusters that this repository has nothing to do with: their silence is no good news.
    pub fn strangers(&self) -> Vec<String> {
        let here = match &self.git {
            None => "this folder is not a clone of any".to_owned(),
            Some(git) => match git.remotes().as_slice() {
                [] => "the clone has no remote".to_owned(),
                remotes => {
                    let urls: Vec<_> =
                        remotes.iter().map(|it| format!("{} is {}", it.name, it.shown())).collect();
                    urls.join(", ")
                }
            },
        };
        let names = self.ask(analysis::strangers);
        names.iter().map(|name| format!("{name}: none of its sources is this repository ({here})")).collect()
    }

    /// A place in a file of the repository; none if the file has gone meanwhile.
    pub fn place(&self, path: &RepoPath, range: TextRange) -> Option<Place> {
        let text = self.view.overlay.text(path)?;
        Some(Place::new(path.to_string(), Arc::clone(text.string()), range))
    }

    /// The text of a file.
    pub fn text(&self, path: &RepoPath) -> Option<Arc<str>> {
        Some(Arc::clone(self.view.overlay.text(path)?.string()))
    }
}

/// What a commit changed, which is named as Git names it.
fn asked(git: &history::Repository, name: &str) -> Result<Question, CliError> {
    let commit = git.resolve(name).map_err(CliError::told)?.to_string();
    let change = git.change(&commit).map_err(CliError::told)?;
    Ok(Question { commit, before: change.before.map(|it| it.to_string()), files: change.files })
}

/// The texts of a commit that the disk has otherwise.
fn texts_of(tree: &history::GitTree, disk: &Disk) -> BTreeMap<RepoPath, Arc<Text>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![RepoPath::root()];
    while let Some(folder) = folders.pop() {
        for (name, kind) in tree.list(&folder) {
            let Some(path) = folder.join(&name) else { continue };
            match kind {
                FileKind::Directory => folders.push(path),
                FileKind::File if name.ends_with(".yaml") || name.ends_with(".yml") => {
                    let Some(text) = tree.read(&path) else { continue };
                    if disk.text(&path).is_none_or(|it| **it.string() != *text) {
                        found.insert(path, Arc::new(Text::new(&text)));
                    }
                }
                _ => {}
            }
        }
    }
    found
}
