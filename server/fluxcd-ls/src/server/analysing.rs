//! Analysis in the background: open documents first, the other files of the repository after them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use analysis::{FileReport, Finding, Inputs, Lacks, Onlooker};
use jiff::Timestamp;
use manifests::RepoPath;
use tokio::sync::mpsc;

use super::Event;
use super::disk::Overlay;
use super::documents::{Stamped, Text};
use super::past::Answers;
use super::timers::Timer;
use super::view::View;
use super::watch::RepoId;
use super::world::{Done, World};
use super::{past, to_lsp};
use crate::lsp::types as lsp;
use crate::settings::Scope;

/// Files of the repository that are analysed in one go, so that something newer is not kept waiting.
const PORTION: usize = 100;

/// What is to be analysed in a repository. At most one task runs in each lane; what comes meanwhile waits.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    open: Lane,
    closed: Lane,
}

#[derive(Debug, Default)]
struct Lane {
    dirty: BTreeSet<RepoPath>,
    running: bool,
    /// Whether the files that hold marks are to be looked at, too: which those are, a worker finds out.
    marked: bool,
    /// Set when somebody types while the task runs: it tells the marks of its files and leaves the rest.
    hurry: Arc<AtomicBool>,
}

impl Lane {
    /// Somebody types in a file: what runs makes way for the next run as soon as its marks are told.
    fn typed(&mut self, path: RepoPath) {
        self.hurry.store(true, Ordering::Relaxed);
        self.dirty.insert(path);
    }

    /// A task starts; what it is to listen to.
    fn begin(&mut self) -> Arc<AtomicBool> {
        self.running = true;
        self.hurry = Arc::default();
        Arc::clone(&self.hurry)
    }

    /// The task has come to its end. Files that it left half-way are to be analysed again.
    fn end(&mut self, left: impl Iterator<Item = RepoPath>) {
        self.running = false;
        self.dirty.extend(left);
    }
}

impl Lanes {
    /// Whether files that are open are being analysed.
    pub(crate) fn is_busy(&self) -> bool {
        self.open.running
    }

    /// Forgets what runs.
    pub(crate) fn reset(&mut self) {
        self.open.running = false;
        self.closed.running = false;
    }
}

/// Which files a task was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that are open.
    Open,
    /// The others.
    Closed,
}

/// What a task came to.
pub(crate) struct Analysed {
    repo: RepoId,
    which: Which,
    generation: u64,
    files: Vec<File>,
    answers: Vec<Answers>,
}

/// What is shown in one file.
pub(crate) struct File {
    /// The file.
    pub path: RepoPath,
    /// Its text; none when it is gone.
    pub text: Option<Arc<Text>>,
    /// Its marks.
    pub diagnostics: Vec<lsp::Diagnostic>,
    lenses: u64,
    lacks: Lacks,
    live: BTreeSet<analysis::Wanted>,
    recheck: Option<Timestamp>,
    clusters: Vec<String>,
    /// Somebody types: nothing but the marks was looked for, and those were told.
    marks_only: bool,
}

/// The marks of an open file, told before everything else about it is known.
pub(crate) struct Marked {
    repo: RepoId,
    path: RepoPath,
    text: Arc<Text>,
    diagnostics: Vec<lsp::Diagnostic>,
}

/// Hands the marks of an open file on to the owner.
struct Teller<'a> {
    repo: RepoId,
    path: &'a RepoPath,
    text: &'a Arc<Text>,
    overlay: Overlay,
    events: &'a mpsc::UnboundedSender<Event>,
    hurry: &'a AtomicBool,
}

impl Onlooker for Teller<'_> {
    fn marks(&self, findings: &[Finding]) {
        let diagnostics = to_lsp::diagnostics(&self.overlay, self.text.rope(), findings);
        let (path, text) = (self.path.clone(), Arc::clone(self.text));
        let marked = Marked { repo: self.repo, path, text, diagnostics };
        // Fails only when the server ends.
        let _ = self.events.send(Event::Done(Box::new(Done::Marked(marked))));
    }

    fn waits(&self) -> bool {
        !self.hurry.load(Ordering::Relaxed)
    }
}

/// What is wanted at all.
#[derive(Debug, Clone, Copy)]
struct Show {
    anything: bool,
    marks: bool,
}

impl World {
    /// An open text changed, or was opened.
    pub(super) fn open_changed(&mut self, repo: RepoId, path: RepoPath) {
        self.generation += 1;
        self.lanes.entry(repo).or_default().open.typed(path);
    }

    /// Texts changed some time ago: other files may refer to them.
    pub(super) fn texts_settled(&mut self, repo: RepoId) {
        self.repository_dirty(repo);
    }

    /// Something changed that any file of a repository may show.
    pub(super) fn repository_dirty(&mut self, id: RepoId) {
        self.generation += 1;
        let open: Vec<RepoPath> = self.open_in(id).map(|(path, _)| path.clone()).collect();
        let Some(repo) = self.repos.get(&id) else { return };
        let lanes = self.lanes.entry(id).or_default();
        lanes.open.dirty.extend(open.iter().cloned());
        if self.settings.scope == Scope::Workspace && self.settings.enable {
            let open: BTreeSet<RepoPath> = open.into_iter().collect();
            // And what has marks now: some may have gone.
            let files = repo.index.flux_files().into_iter().chain(self.published.files(id));
            lanes.closed.dirty.extend(files.filter(|path| !open.contains(path)));
            lanes.closed.marked = true;
        }
    }

    /// Something changed that any file may show.
    pub(super) fn everything_changed(&mut self) {
        let repos: Vec<_> = self.repos.keys().copied().collect();
        for repo in repos {
            self.repository_dirty(repo);
            self.head_dirty(repo);
        }
        self.status_dirty = true;
    }

    /// A document was closed: its file goes on to be shown, or not.
    pub(super) fn file_closed(&mut self, repo: RepoId, path: RepoPath) {
        self.wants_objects(repo, &path, &BTreeSet::new());
        let lanes = self.lanes.entry(repo).or_default();
        lanes.open.dirty.remove(&path);
        if self.settings.scope == Scope::Workspace {
            lanes.closed.dirty.insert(path);
        } else {
            self.published.clear_file(repo, &path, &self.outbox);
        }
    }

    /// The world as a worker sees it.
    pub(super) fn view(&self, id: RepoId) -> Option<View> {
        let repo = self.repos.get(&id)?;
        let open: Vec<_> =
            self.open_in(id).map(|(path, document)| (path.clone(), Arc::clone(&document.text))).collect();
        let untold = open
            .iter()
            .filter(|(path, text)| !repo.told.get(path).is_some_and(|told| Arc::ptr_eq(told, text)));
        Some(View {
            name: Arc::clone(&repo.name),
            untold: untold.cloned().collect(),
            overlay: super::disk::Overlay {
                disk: Arc::clone(&repo.disk),
                buffers: Arc::new(open.into_iter().collect()),
            },
            index: repo.index.clone(),
            remotes: Arc::clone(&repo.remotes),
            refs: Arc::clone(&repo.refs),
            blobs: Arc::clone(&repo.blobs),
            past: Arc::clone(&repo.past),
            reported: repo.forge.reported.clone(),
            memo: Arc::clone(&repo.memo),
            clusters: self.clusters.snapshots(id, &self.settings),
            not_connected: self.clusters.not_connected(&repo.offers, &self.settings),
            choose: self.may_choose(id),
            settings: Arc::clone(&self.analysis_settings),
            now: Timestamp::now(),
        })
    }

    /// Starts what is to be analysed.
    pub(super) fn start_analysing(&mut self) {
        let repos: Vec<_> = self.lanes.keys().copied().collect();
        for id in repos {
            if let Some(files) = self.take_lane(id, Which::Open) {
                self.analyse(id, Which::Open, files, false);
            }
            // Nobody looks at the others meanwhile; what is looked at has all cores.
            let is_waited_for = self.lanes.get(&id).is_some_and(Lanes::is_busy);
            if !is_waited_for
                && self.repos.get(&id).is_some_and(|repo| repo.indexed)
                && let Some(files) = self.take_lane(id, Which::Closed)
            {
                // With the last portion: what holds marks besides.
                let lane = self.lanes.get_mut(&id).map(|it| &mut it.closed);
                let marked = lane.is_some_and(|it| it.dirty.is_empty() && std::mem::take(&mut it.marked));
                self.analyse(id, Which::Closed, files, marked);
            }
        }
    }

    fn take_lane(&mut self, id: RepoId, which: Which) -> Option<(Vec<RepoPath>, Arc<AtomicBool>)> {
        let lanes = self.lanes.get_mut(&id)?;
        let lane = match which {
            Which::Open => &mut lanes.open,
            Which::Closed => &mut lanes.closed,
        };
        if lane.running || (lane.dirty.is_empty() && !lane.marked) {
            return None;
        }
        let hurry = lane.begin();
        let mut files = std::mem::take(&mut lane.dirty);
        if which == Which::Closed && files.len() > PORTION {
            let rest = files.iter().nth(PORTION).cloned();
            if let Some(rest) = rest {
                lane.dirty = files.split_off(&rest);
            }
        }
        Some((files.into_iter().collect(), hurry))
    }

    fn analyse(
        &mut self,
        repo: RepoId,
        which: Which,
        (mut files, hurry): (Vec<RepoPath>, Arc<AtomicBool>),
        marked: bool,
    ) {
        let generation = self.generation;
        let show = Show {
            anything: self.settings.enable,
            marks: self.settings.max_severity != crate::settings::Level::Off,
        };
        let nothing = Analysed { repo, which, generation, files: Vec::new(), answers: Vec::new() };
        let git = self.repos.get(&repo).and_then(|repo| repo.git.clone());
        let Some(mut view) = self.view(repo) else {
            self.analysed(nothing);
            return;
        };
        let events = self.events.clone();
        self.background(
            move || {
                view.tell();
                let mut answers = Vec::new();
                if marked {
                    let (more, _) = match &git {
                        Some(git) => {
                            past::ask(&mut view, git, &mut answers, analysis::files_with_marks, |it| &it.1)
                        }
                        None => view.ask(analysis::files_with_marks),
                    };
                    let more = more.into_iter();
                    let new =
                        |path: &RepoPath| !files.contains(path) && !view.overlay.buffers.contains_key(path);
                    let more: Vec<RepoPath> = more.filter(new).collect();
                    files.extend(more);
                }
                let is_open = which == Which::Open && show.marks;
                let told = is_open.then_some((repo, &events, &*hurry));
                let one = |path| file(&mut view, git.as_ref(), path, show, told, &mut answers);
                let files = files.into_iter().map(one).collect();
                Done::Analysed(Analysed { repo, which, generation, files, answers })
            },
            || Some(Done::Analysed(nothing)),
        );
    }

    /// Takes what a task found: publishes what changed, asks for what was lacking.
    pub(super) fn analysed(&mut self, analysed: Analysed) {
        let Analysed { repo: id, which, generation, files, answers } = analysed;
        let left: Vec<RepoPath> = files
            .iter()
            .filter(|it| it.marks_only && self.document_at(id, &it.path).is_some())
            .map(|it| it.path.clone())
            .collect();
        if let Some(lanes) = self.lanes.get_mut(&id) {
            match which {
                Which::Open => lanes.open.end(left.into_iter()),
                Which::Closed => lanes.closed.end(left.into_iter()),
            }
        }
        let Some(repo) = self.repos.get_mut(&id) else { return };
        for answers in answers {
            answers.note(Arc::make_mut(&mut repo.past));
        }
        let mut lacks = Lacks::default();
        let mut recheck: Option<Timestamp> = None;
        for file in files.into_iter().filter(|it| !it.marks_only) {
            // Superseded: the document was edited, opened or closed meanwhile, and is analysed again.
            match (which, self.document_at(id, &file.path)) {
                (Which::Open, Some(document)) => {
                    let Some(text) = &file.text else { continue };
                    if !Arc::ptr_eq(text, &document.text) {
                        continue;
                    }
                    document.analysed = Some(Stamped { generation, digest: file.lenses });
                    self.refresh_lenses |= document.lenses_are_stale();
                    if let Some(repo) = self.repos.get_mut(&id) {
                        repo.tell(&file.path, text);
                    }
                    self.saw(id, &file.path, &file.clusters);
                    self.wants_objects(id, &file.path, &file.live);
                }
                (Which::Closed, None) => {}
                _ => continue,
            }
            recheck = recheck.into_iter().chain(file.recheck).min();
            lacks.merge(file.lacks);
            self.publish(id, file.path, file.diagnostics);
        }
        if let Some(at) = recheck {
            self.recheck_at(at);
        }
        self.fetch(id, lacks);
        if let Some(repo) = self.repos.get(&id) {
            let memo = Arc::clone(&repo.memo);
            // Nobody waits for its end.
            drop(tokio::task::spawn_blocking(move || memo.let_go()));
        }
    }

    /// Publishes the marks of an open file while the rest about it is still looked for.
    pub(super) fn marked(&mut self, marked: Marked) {
        let Marked { repo, path, text, diagnostics } = marked;
        // Superseded: the document was edited or closed meanwhile.
        let is_shown = self.document_at(repo, &path).is_some_and(|it| Arc::ptr_eq(&it.text, &text));
        if is_shown {
            self.publish(repo, path, diagnostics);
        }
    }

    /// The moment at which an answer changes by the clock alone.
    pub(super) fn recheck_at(&mut self, at: Timestamp) {
        let after = at.duration_since(Timestamp::now());
        let after = Duration::try_from(after).unwrap_or_default();
        self.timers.at_latest(Timer::Recheck, after.max(Duration::from_millis(250)));
    }

    pub(super) fn recheck(&mut self) {
        self.everything_changed();
    }

    /// Asks Git and clusters for what was lacking, once.
    fn fetch(&mut self, id: RepoId, mut lacks: Lacks) {
        let Some(repo) = self.repos.get_mut(&id) else { return };
        lacks.subtract(&Lacks { rights: BTreeSet::new(), ..repo.asked.clone() });
        repo.asked.merge(Lacks { rights: BTreeSet::new(), ..lacks.clone() });
        self.clusters.ask_rights(std::mem::take(&mut lacks.rights));
        if let Some(git) = repo.git.clone()
            && lacks.wants_history()
        {
            let blobs = Arc::clone(&repo.blobs);
            self.background(move || Done::Answered(id, past::look_up(&git, &blobs, lacks)), || None);
        }
    }

    pub(super) fn git_answered(&mut self, id: RepoId, answers: past::Answers) {
        if let Some(repo) = self.repos.get_mut(&id) {
            answers.note(Arc::make_mut(&mut repo.past));
            self.repository_dirty(id);
        }
    }
}

/// Everything that is shown in a file. What Git has to be asked for is asked here, so that nobody first sees what is
/// said without its answer.
pub(crate) fn report(
    view: &mut View,
    git: Option<&history::Repository>,
    path: &RepoPath,
    answers: &mut Vec<Answers>,
) -> FileReport {
    ask(view, git, answers, |inputs| analysis::analyse(inputs, path))
}

fn ask(
    view: &mut View,
    git: Option<&history::Repository>,
    answers: &mut Vec<Answers>,
    question: impl Fn(&Inputs<'_>) -> FileReport,
) -> FileReport {
    match git {
        Some(git) => past::ask(view, git, answers, question, |it| &it.lacks),
        None => view.ask(question),
    }
}

/// Analyses one file. Of an open one the marks are told to the owner as soon as they are found.
fn file(
    view: &mut View,
    git: Option<&history::Repository>,
    path: RepoPath,
    show: Show,
    told: Option<(RepoId, &mpsc::UnboundedSender<Event>, &AtomicBool)>,
    answers: &mut Vec<Answers>,
) -> File {
    let text = view.overlay.text(&path);
    let mut file = File {
        path,
        text: None,
        diagnostics: Vec::new(),
        lenses: 0,
        lacks: Lacks::default(),
        live: BTreeSet::new(),
        recheck: None,
        clusters: Vec::new(),
        marks_only: false,
    };
    let Some(text) = text else { return file };
    // The owner compares it; making it costs as much as reading the text.
    text.digest();
    file.text = Some(Arc::clone(&text));
    if !show.anything {
        return file;
    }
    let report = match told {
        Some((repo, events, hurry)) => {
            let (path, text, overlay) = (&file.path, &text, view.overlay.clone());
            let teller = Teller { repo, path, text, overlay, events, hurry };
            ask(view, git, answers, |inputs| analysis::analyse_for(inputs, path, &teller))
        }
        None => report(view, git, &file.path, answers),
    };
    file.marks_only = report.marks_only;
    if file.marks_only {
        return file;
    }
    if show.marks {
        file.diagnostics = to_lsp::diagnostics(&view.overlay, text.rope(), &report.findings);
    }
    file.lenses = to_lsp::digest(&report.lenses);
    file.clusters = report.clusters;
    file.lacks = report.lacks;
    file.live = report.live;
    file.recheck = report.recheck_at;
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_makes_way_for_typing_and_what_it_left_is_done_again() {
        let path = |name: &str| RepoPath::new(name).unwrap();
        let mut lane = Lane { dirty: [path("a.yaml"), path("b.yaml")].into(), ..Lane::default() };
        let first = lane.begin();
        std::mem::take(&mut lane.dirty);
        assert!(!first.load(Ordering::Relaxed));
        lane.typed(path("a.yaml"));
        assert!(first.load(Ordering::Relaxed));
        lane.end([path("b.yaml")].into_iter());
        assert!(!lane.running);
        assert_eq!(lane.dirty, [path("a.yaml"), path("b.yaml")].into());
        // What was typed before it began is nothing to hurry for.
        assert!(!lane.begin().load(Ordering::Relaxed));
    }
}
