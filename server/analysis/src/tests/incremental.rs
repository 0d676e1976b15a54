//! What is kept from one answer to the next never shows: whatever is typed, saved and heard, the answer is the one of somebody who
//! has never seen anything before. And the marks that are told early are those of the whole answer.

use manifests::{FileKind, MemoryTree, ParsedFile, RepoPath, Soundness, Tree};
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::fixture::World;
use super::shop::{apps, deployment};
use crate::{
    FileReport, Finding, Inputs, Lacks, Memo, Onlooker, RepoIndex, RepoView, analyse, analyse_for,
    files_with_marks, hover,
};

/// A Kustomization of a folder with an overlay, another one of a folder without a kustomization.yaml, and what both need.
const FILES: &str = concat!(
    apps!(),
    "  postBuild:
    substituteFrom:
      - kind: ConfigMap
        name: values
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: plain
  namespace: flux-system
spec:
  interval: 1h
  path: ./plain
  dependsOn:
    - name: apps
  sourceRef:
    kind: GitRepository
    name: fleet
//- clusters/staging/values.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: values
  namespace: flux-system
data:
  TAG: v1
//- base/kustomization.yaml
resources: [web.yaml]
//- base/web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: web
spec:
  replicas: 1
  template:
    spec:
      containers:
        - name: web
          image: web:${TAG}
          imagePullPolicy: Allways
//- apps/kustomization.yaml
resources: [../base]
patches:
  - path: replicas.yaml
//- apps/replicas.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: web
spec:
  replicas: two
//- plain/all.yaml
",
    deployment!("a", "replicas: 1"),
    "---\n",
    deployment!("b", "replicas: 1"),
    "---\n",
    deployment!("c", "replicas: one"),
    "//- commits
1a2b3c4 Said
9f8e7d6 Said again
//- settings
head=main@9f8e7d6 pushed=main@9f8e7d6@05:58
"
);

/// What a cluster says of `apps` and of `plain`, one after the other.
const SAID: &[(&str, &str)] = &[
    (
        "at: main@1a2b3c4, holds: [Deployment/web/web]",
        "at: main@1a2b3c4, holds: [Deployment/web/a, Deployment/web/b, Deployment/web/c]",
    ),
    (
        "at: main@1a2b3c4, holds: [Deployment/web/web], failed: [ReconciliationFailed, 'Deployment/web/web dry-run failed (Invalid): Deployment.apps \"web\" is invalid: spec.template.spec.containers[0].imagePullPolicy: Unsupported value: \"Allways\": supported values: \"Always\", \"IfNotPresent\", \"Never\"', main@9f8e7d6]",
        "at: main@1a2b3c4, holds: [Deployment/web/a], failed: [DependencyNotReady, \"dependency 'flux-system/apps' is not ready\"], dependsOn: [apps]",
    ),
    (
        "at: main@9f8e7d6, holds: [Deployment/web/web]",
        "at: main@1a2b3c4, holds: [Deployment/web/a, Deployment/web/b], failed: [ReconciliationFailed, 'Deployment/web/c dry-run failed (Invalid): Deployment.apps \"c\" is invalid: spec.replicas: Invalid value: \"one\": must be a number', main@9f8e7d6]",
    ),
    (
        "failed: [ArtifactFailed, 'kustomization path not found: stat /tmp/x/apps: no such file or directory', main@1a2b3c4]",
        "pending: true",
    ),
];

fn cluster((apps, plain): (&str, &str)) -> String {
    format!(
        "//- cluster staging
{{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@9f8e7d6, spec: {{ref: {{branch: main}}}}}}
{{kind: Kustomization, name: root, source: GitRepository/fleet, path: clusters/staging, at: main@1a2b3c4, holds: [Kustomization/flux-system/apps, Kustomization/flux-system/plain, ConfigMap/flux-system/values]}}
{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, {apps}}}
{{kind: Kustomization, name: plain, source: GitRepository/fleet, path: ./plain, interval: 1h, {plain}}}
"
    )
}

fn world(said: usize) -> World {
    let (files, rest) = FILES.split_once("//- commits").expect("commits");
    World::new(&format!("{files}{}//- commits{rest}", cluster(SAID[said])))
}

/// Files with their trees, as an editor's buffers have them.
#[derive(Default)]
struct Buffers {
    texts: MemoryTree,
    parsed: BTreeMap<RepoPath, ParsedFile>,
}

impl Tree for Buffers {
    fn read(&self, path: &RepoPath) -> Option<Arc<str>> {
        self.texts.read(path)
    }

    fn parsed(&self, path: &RepoPath) -> Option<ParsedFile> {
        self.parsed.get(path).cloned()
    }

    fn list(&self, directory: &RepoPath) -> Vec<(String, FileKind)> {
        self.texts.list(directory)
    }
}

/// Somebody who types, and what is kept for them.
struct Desk {
    world: World,
    paths: Vec<RepoPath>,
    buffers: Buffers,
    index: RepoIndex,
    memo: Memo,
}

/// One thing that happens; lines are counted modulo those that there are.
#[derive(Debug, Clone)]
enum Step {
    Insert(usize, usize, &'static str),
    Double(usize, usize),
    Delete(usize, usize),
    Replace(usize, &'static str, &'static str),
    Restore(usize),
    Save,
    Hear(usize),
}

fn steps() -> impl Strategy<Value = Step> {
    let line = || (0..8usize, 0..40usize);
    let inserted = prop::sample::select(&["", "# said", "---", "  paused: true", "   : {"][..]);
    let words = prop::sample::select(
        &[
            ("Allways", "Always"),
            ("name: web", "name: other"),
            ("name: b", "name: z"),
            ("replicas: 1", "replicas: 2"),
            ("TAG: v1", "TAG: v2"),
            ("resources: [../base]", "resources: []"),
            ("path: ./plain", "path: ./apps"),
        ][..],
    );
    prop_oneof![
        4 => (line(), inserted).prop_map(|((file, line), text)| Step::Insert(file, line, text)),
        1 => line().prop_map(|(file, line)| Step::Double(file, line)),
        2 => line().prop_map(|(file, line)| Step::Delete(file, line)),
        4 => (0..8usize, words).prop_map(|(file, (from, to))| Step::Replace(file, from, to)),
        1 => (0..8usize).prop_map(Step::Restore),
        1 => Just(Step::Save),
        2 => (0..SAID.len()).prop_map(Step::Hear),
    ]
}

impl Desk {
    fn new() -> Desk {
        let mut world = world(0);
        let paths: Vec<RepoPath> = world.files.iter().map(|(path, _)| path.clone()).collect();
        world.saved = Some(world.tree.clone());
        let mut desk =
            Desk { world, paths, buffers: Buffers::default(), index: RepoIndex::new(), memo: Memo::new() };
        for (path, text) in desk.world.files.clone() {
            desk.type_(&path, &text);
        }
        desk
    }

    /// As the server does it: parsed after the text before, and told to the index.
    fn type_(&mut self, path: &RepoPath, text: &str) {
        let file = match self.buffers.parsed.get(path) {
            Some(before) => before.reparse(text),
            None => ParsedFile::parse(text),
        };
        self.buffers.texts.insert(path.clone(), text);
        self.buffers.parsed.insert(path.clone(), file.clone());
        self.index.set(path, Some(file));
    }

    fn take(&mut self, step: &Step) {
        let path = |file: usize| self.paths[file % self.paths.len()].clone();
        let text = |path: &RepoPath| self.buffers.read(path).expect("a text").to_string();
        let lines = |file: usize, edit: &dyn Fn(&mut Vec<String>)| {
            let path = path(file);
            let mut lines: Vec<String> = text(&path).split_inclusive('\n').map(str::to_owned).collect();
            edit(&mut lines);
            (path, lines.concat())
        };
        let (path, text) = match *step {
            Step::Insert(file, at, new) => {
                lines(file, &|it| it.insert(at % (it.len() + 1), format!("{new}\n")))
            }
            Step::Double(file, at) => lines(file, &|it| {
                let Some(line) = it.get(at % it.len().max(1)).cloned() else { return };
                it.insert(at % it.len(), line);
            }),
            Step::Delete(file, at) => lines(file, &|it| {
                if !it.is_empty() {
                    it.remove(at % it.len());
                }
            }),
            Step::Replace(file, from, to) => {
                let path = path(file);
                let new = text(&path).replacen(from, to, 1);
                (path, new)
            }
            Step::Restore(file) => {
                let path = path(file);
                let whole = self.world.tree.read(&path).expect("a text").to_string();
                (path, whole)
            }
            Step::Save => {
                self.world.saved = Some(self.buffers.texts.clone());
                self.index.saved();
                return;
            }
            Step::Hear(said) => {
                self.world.clusters = world(said).clusters;
                return;
            }
        };
        self.type_(&path, &text);
    }

    fn with<T>(
        &self,
        tree: &Buffers,
        index: &RepoIndex,
        memo: &Memo,
        ask: impl FnOnce(&Inputs<'_>) -> T,
    ) -> T {
        self.world.with(|it| ask(&Inputs { repo: RepoView { tree, index, ..it.repo }, memo, ..*it }))
    }

    /// Asks with all that is kept, until history has nothing to add.
    fn ask(&mut self) -> Vec<String> {
        loop {
            let mut lacks = Lacks::default();
            let answers = self.with(&self.buffers, &self.index, &self.memo, |inputs| {
                self.paths.iter().for_each(|path| lacks.merge(analyse(inputs, path).lacks));
                lacks.merge(files_with_marks(inputs).1);
                answers(inputs, &self.paths)
            });
            self.memo.let_go();
            if !lacks.wants_history() {
                return answers;
            }
            self.world.look_up(lacks);
        }
    }

    /// Asks with nothing but the texts and the facts. What cannot be read has its tree of earlier texts, which is no secret.
    fn ask_anew(&self) -> Vec<String> {
        let mut buffers = Buffers { texts: self.buffers.texts.clone(), parsed: BTreeMap::new() };
        let mut index = RepoIndex::new();
        for path in &self.paths {
            let known = &self.buffers.parsed[path];
            let is_sound =
                |it: &manifests::Placed| matches!(it.document.soundness, Soundness::Sound | Soundness::Empty);
            let file = match known.documents().iter().all(is_sound) {
                true => ParsedFile::parse(&self.buffers.read(path).expect("a text")),
                false => known.clone(),
            };
            buffers.parsed.insert(path.clone(), file.clone());
            index.set(path, Some(file));
        }
        self.with(&buffers, &index, &Memo::new(), |inputs| answers(inputs, &self.paths))
    }
}

/// All that is shown of some files.
fn answers(inputs: &Inputs<'_>, paths: &[RepoPath]) -> Vec<String> {
    let mut all = vec![format!("{:?}", files_with_marks(inputs))];
    for path in paths {
        all.push(format!("{path}: {:#?}", analyse(inputs, path)));
        all.push(format!("{path}: {:#?}", [20, 60, 200].map(|at| hover(inputs, path, at.into()))));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_never_shows(steps in prop::collection::vec(steps(), 1..10)) {
        check(&steps);
    }
}

/// After each step the answer is that of somebody who has kept nothing.
fn check(steps: &[Step]) {
    let mut desk = Desk::new();
    desk.ask();
    for step in steps {
        desk.take(step);
        for (kept, anew) in desk.ask().iter().zip(desk.ask_anew()) {
            assert_eq!(kept, &anew, "after {step:?}");
        }
    }
}

/// When to look again is told by whoever finds what was made of all objects, as by who made it.
#[test]
fn when_to_look_again_is_kept_too() {
    check(&[Step::Hear(3), Step::Delete(7, 16)]);
}

/// Somebody who sees marks, and does not wait once they have.
#[derive(Default)]
struct Hasty {
    seen: RefCell<Vec<Vec<Finding>>>,
    asked: Cell<usize>,
}

impl Onlooker for Hasty {
    fn marks(&self, findings: &[Finding]) {
        self.seen.borrow_mut().push(findings.to_vec());
    }

    fn waits(&self) -> bool {
        self.asked.set(self.asked.get() + 1);
        false
    }
}

#[test]
fn marks_are_told_before_the_rest_and_never_without_what_history_says() {
    let mut world = world(2);
    let path = RepoPath::new("plain/all.yaml").expect("a path");
    let hasty = Hasty::default();
    let of = |report: &FileReport| (report.findings.len(), report.lenses.len(), report.marks_only);
    // Nobody looked at the commits yet: whether the mark's text is the one that failed is not known.
    let first = world.with(|inputs| analyse_for(inputs, &path, &hasty));
    assert!(first.lacks.wants_history() && hasty.seen.borrow().is_empty());
    assert_eq!((of(&first), hasty.asked.get()), ((1, 2, false), 0));
    let whole = world.ask(|inputs| analyse(inputs, &path));
    assert_eq!(of(&whole), (1, 2, false));
    let hurried = world.with(|inputs| analyse_for(inputs, &path, &hasty));
    assert_eq!(of(&hurried), (1, 0, true));
    assert!(hurried.lacks.is_empty() && hurried.live.is_empty());
    assert_eq!(*hasty.seen.borrow(), [whole.findings]);
}
