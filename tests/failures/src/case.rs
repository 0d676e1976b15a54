//! Reading a case.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use manifests::{RepoPath, TextRange, fixture};

/// The folder's files by path.
pub type Files = BTreeMap<RepoPath, String>;

/// The branch's first commit is of the morning, the second of an hour later; so hashes are the same at every recording.
pub(crate) const DATES: [&str; 2] = ["2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z"];

/// A small repository that fails, and where.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file's name without its ending; also the name of the Git repository and of the namespace.
    pub name: String,
    /// What is wrong, in one sentence.
    pub title: String,
    /// Rows of the table of failure shapes that it stands for: `K44`.
    pub rows: Vec<String>,
    /// What the controllers say when they are done.
    pub settles: Vec<Settles>,
    /// A message that the real controllers cannot be brought to say here.
    pub says: Option<Says>,
    /// The tag under which the files of the last commit are in the registry too, as an artifact of the case's name.
    pub artifact: Option<String>,
    /// How well it is placed today.
    pub today: Outcome,
    /// The commits of `main`, oldest first: one or two.
    pub commits: Vec<Files>,
    /// The files as they are in front of the user: the last commit, and what was edited since.
    pub files: Files,
    /// Objects that are in the cluster before anything of the repository.
    pub before: String,
    /// Where the marks belong.
    pub expected: Vec<Expected>,
    /// Where related information helps.
    pub related: Vec<Mark>,
}

/// An object and the reason of its `Ready`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settles {
    /// The kind.
    pub kind: String,
    /// The name; the namespace is the case's.
    pub name: String,
    /// The reason.
    pub reason: String,
}

/// What a made-up failure says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Says {
    /// The object's kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The reason.
    pub reason: String,
    /// The text.
    pub message: String,
}

/// One cause: a mark that is expected, at the first place or at one that is as good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The places.
    pub places: Vec<Mark>,
}

/// A range of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The file.
    pub path: RepoPath,
    /// The bytes.
    pub range: TextRange,
}

/// How well a case is placed, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Every mark at its node, and none besides.
    Exact,
    /// In the right document, at another node.
    Document,
    /// At the Flux object that says so, not in the text that is to blame.
    Object,
    /// Nowhere.
    Missing,
    /// A mark in a document that is healthy.
    Wrong,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Outcome::Exact => "exact",
            Outcome::Document => "document",
            Outcome::Object => "object",
            Outcome::Missing => "missing",
            Outcome::Wrong => "WRONG",
        })
    }
}

impl Case {
    /// All cases, by name.
    pub fn all() -> Vec<Case> {
        let folder = crate::folder().join("cases");
        let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
            .expect("there are cases")
            .map(|it| it.expect("a file").path())
            .collect();
        paths.sort();
        let read = |path: &PathBuf| {
            let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            Case::parse(&name, &std::fs::read_to_string(path).expect("a case can be read"))
        };
        paths.iter().map(read).collect()
    }

    /// Writes into its file how well it is placed today.
    pub fn note_today(&self, outcome: Outcome) {
        let path = crate::folder().join("cases").join(format!("{}.yaml", self.name));
        let text = std::fs::read_to_string(&path).expect("a case can be read");
        let (head, rest) = text.split_at(text.find("//- ").expect("a case has files"));
        let mut head: String =
            head.split_inclusive('\n').filter(|line| !line.starts_with("today: ")).collect();
        if outcome != Outcome::Exact {
            head.push_str(&format!("today: {outcome}\n"));
        }
        std::fs::write(&path, head + rest).expect("a case is written");
    }

    /// Where its recording is.
    pub fn recorded(&self) -> PathBuf {
        crate::folder().join("recorded").join(format!("{}.json", self.name))
    }

    /// Its Git repository, as a GitRepository of the case names it.
    pub fn url(&self) -> String {
        format!("{}/{}/{}.git", testbed::FIXED_GITEA_URL, testbed::USER, self.name)
    }

    /// Reads a case.
    ///
    /// # Panics
    /// When it is no case, saying what is wrong with it.
    pub fn parse(name: &str, text: &str) -> Case {
        let fixture = fixture::parse(text);
        let mut case = Case {
            name: name.to_owned(),
            title: String::new(),
            rows: Vec::new(),
            settles: Vec::new(),
            says: None,
            artifact: None,
            today: Outcome::Exact,
            commits: Vec::new(),
            files: Files::new(),
            before: String::new(),
            expected: Vec::new(),
            related: Vec::new(),
        };
        let mut last = case.flux_system();
        let (mut first, mut edited) = (Files::new(), Files::new());
        let mut absent = Vec::new();
        for (path, text) in fixture.files {
            let named =
                |text: &str| RepoPath::new(text).unwrap_or_else(|| panic!("{name}: {text} is no path"));
            match path.as_str().split_once(' ') {
                None if path.as_str() == "main.yaml" => case.head(&text),
                None if path.as_str() == "before" => case.before = text,
                None => drop(last.insert(path, text)),
                Some(("says", object)) => case.says = Some(Says::parse(name, object, &text)),
                Some(("first", path)) if text.trim() == "absent" => absent.push(named(path)),
                Some(("first", path)) => drop(first.insert(named(path), text)),
                Some(("edited", path)) => drop(edited.insert(named(path), text)),
                Some(_) => panic!("{name}: what is {path}?"),
            }
        }
        if !first.is_empty() || !absent.is_empty() {
            let mut earlier: Files = last.clone().into_iter().chain(first).collect();
            earlier.retain(|path, _| !absent.contains(path));
            case.commits.push(earlier);
        }
        case.files = last.clone().into_iter().chain(edited).collect();
        case.commits.push(last);
        for mark in fixture.marks {
            let path = mark.path.as_str();
            let path =
                path.strip_prefix("edited ").map_or(Some(mark.path.clone()), RepoPath::new).expect("a path");
            assert!(case.files.contains_key(&path), "{name}: a mark in {path}, which is no file");
            let place = Mark { path, range: mark.range };
            match mark.text.as_str() {
                "" => case.expected.push(Expected { places: vec![place] }),
                "or" => case.expected.last_mut().expect("an alternative to a mark").places.push(place),
                "related" => case.related.push(place),
                other => panic!("{name}: a mark cannot be {other:?}"),
            }
        }
        assert!(!case.title.is_empty() && !case.rows.is_empty(), "{name}: a case has a title and rows");
        assert!(!case.settles.is_empty(), "{name}: nobody knows when the case has settled");
        case
    }

    /// The lines before the first file.
    fn head(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let (key, value) = line.split_once(": ").unwrap_or_else(|| panic!("{}: {line}", self.name));
            match key {
                "title" => self.title = value.to_owned(),
                "rows" => self.rows = value.split(", ").map(str::to_owned).collect(),
                "settles" => self.settles.push(Settles::parse(&self.name, value)),
                "artifact" => self.artifact = Some(value.to_owned()),
                "today" => self.today = outcome(value).unwrap_or_else(|| panic!("{}: {line}", self.name)),
                _ => panic!("{}: what is {key}?", self.name),
            }
        }
    }

    /// What `flux bootstrap` leaves: the repository, and the Kustomization that applies `clusters/test`.
    fn flux_system(&self) -> Files {
        let Case { name, .. } = self;
        let text = format!(
            "apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata:
  name: flux-system
  namespace: {name}
spec:
  interval: 1h
  url: {url}
  ref:
    branch: main
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: flux-system
  namespace: {name}
spec:
  interval: 1h
  path: ./clusters/test
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
",
            url = self.url()
        );
        let path = RepoPath::new(FLUX_SYSTEM).expect("a path");
        Files::from([(path, text)])
    }

    /// The objects that a person applies by hand to begin with.
    pub fn bootstrap(&self) -> &str {
        let path = RepoPath::new(FLUX_SYSTEM).expect("a path");
        self.commits.first().and_then(|files| files.get(&path)).expect("every case has it")
    }
}

const FLUX_SYSTEM: &str = "clusters/test/flux-system/gotk-sync.yaml";

fn outcome(text: &str) -> Option<Outcome> {
    let all = [Outcome::Exact, Outcome::Document, Outcome::Object, Outcome::Missing];
    all.into_iter().find(|it| it.to_string() == text)
}

impl Settles {
    fn parse(case: &str, text: &str) -> Settles {
        let parts = text.split_once(' ').and_then(|(object, reason)| Some((object.split_once('/')?, reason)));
        let ((kind, name), reason) =
            parts.unwrap_or_else(|| panic!("{case}: {text:?} is not `Kind/name Reason`"));
        Settles { kind: kind.to_owned(), name: name.to_owned(), reason: reason.to_owned() }
    }
}

impl Says {
    fn parse(case: &str, object: &str, text: &str) -> Says {
        let (kind, name) =
            object.split_once('/').unwrap_or_else(|| panic!("{case}: {object:?} is no object"));
        let (reason, message) = text.split_once('\n').unwrap_or_else(|| panic!("{case}: it says nothing"));
        Says {
            kind: kind.to_owned(),
            name: name.to_owned(),
            reason: reason.trim().to_owned(),
            message: message.trim_end().to_owned(),
        }
    }
}
