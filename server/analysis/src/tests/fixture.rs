//! A repository, its clusters and its past, written as one text.
//!
//! ```text
//! //- clusters/staging/apps.yaml
//! apiVersion: kustomize.toolkit.fluxcd.io/v1
//! //- cluster staging recorded
//! {kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4}
//! {kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, at: main@1a2b3c4}
//! //- then 1a2b3c4 clusters/staging/apps.yaml
//! the file as it was
//! //- live staging
//! {apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: eu}, spec: {replicas: 3}}
//! gone apps/v1 Deployment eu other
//! //- reported
//! 1a2b3c4 kustomization/apps/0c9c2e41 success 2026-11-22T05:57:00Z reconciliation succeeded
//! //- settings
//! ascii offer
//! ```
//!
//! A line of a cluster is an object: `at` is what is applied, `failed: [reason, message, revision]` the failure,
//! `ready` the reason of Ready, `spec` whatever else. Revisions are written `main@1a2b3c4`.

use flux::{Change, Coverage, Facts, Kind, Object, ObjectId};
use jiff::{Timestamp, tz::TimeZone};
use manifests::{FileKind, MemoryTree, Node, NodeKind, ParsedFile, RepoPath, ScalarStyle, TextSize, Tree};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::*;

pub(crate) const NOW: &str = "2026-11-22T06:00:00Z";
/// When commits were made that do not tell.
const COMMITTED: &str = "2026-11-20T10:00:00Z";
/// A Monday, less than a week before [`NOW`].
const MONDAY: &str = "2026-11-16T14:02:00Z";

/// The address of this repository.
pub(crate) struct Ours(pub(crate) String);

impl Remotes for Ours {
    fn is_ours(&self, url: &str) -> bool {
        url == self.0
    }

    fn named(&self, url: &str) -> Vec<String> {
        if self.is_ours(url) { vec!["origin".to_owned()] } else { Vec::new() }
    }

    fn compare(&self, _: &str, from: &str, to: &str) -> Option<String> {
        Some(format!("{}/compare/{from}...{to}", self.0))
    }
}

/// The files of a commit.
struct Files {
    id: String,
    tree: MemoryTree,
}

impl Tree for Files {
    fn read(&self, path: &RepoPath) -> Option<Arc<str>> {
        self.tree.read(path)
    }

    fn list(&self, directory: &RepoPath) -> Vec<(String, FileKind)> {
        self.tree.list(directory)
    }
}

impl CommitFiles for Files {
    fn id(&self) -> &str {
        &self.id
    }

    fn is_incomplete(&self) -> bool {
        false
    }
}

pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) facts: Arc<Facts>,
    pub(crate) contact: Contact,
    pub(crate) rights: Rights,
    pub(crate) live: Arc<LiveObjects>,
    /// What it has of other kinds: read when an answer is about it.
    pub(crate) has: Vec<(ObjectId, LiveAnswer)>,
    /// Its objects were read before its Kustomizations did what they say now.
    pub(crate) read_earlier: bool,
    pub(crate) protected: bool,
}

/// Everything that an [`Inputs`] borrows from.
pub(crate) struct World {
    pub(crate) files: Vec<(RepoPath, String)>,
    pub(crate) cursor: Option<(RepoPath, TextSize)>,
    pub(crate) tree: MemoryTree,
    pub(crate) index: RepoIndex,
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) past: Past,
    pub(crate) settings: Settings,
    pub(crate) memo: Memo,
    pub(crate) reported: Option<Reported>,
    pub(crate) refs: Refs,
    /// Files that are saved in another form than they are in front of the user.
    pub(crate) saved: Option<MemoryTree>,
    /// The commits between any two that touch anything.
    log: Touched,
    /// Two commits and the newest that they have in common.
    bases: BTreeMap<(String, String), String>,
    pub(crate) offer: bool,
    /// The history does not go back to its beginning.
    shallow: bool,
    pub(crate) not_connected: Vec<String>,
    pub(crate) now: Timestamp,
    pub(crate) ours: Ours,
    commits: BTreeMap<String, String>,
    /// The commits in their order, the oldest first, and when they were made.
    order: Vec<(String, Timestamp)>,
    then: BTreeMap<(String, RepoPath), Option<String>>,
    /// The files as the fixture has them: what every commit has that is not told otherwise.
    committed: BTreeMap<RepoPath, String>,
    zone: TimeZone,
}

fn log(end: &str, text: &str) -> Touched {
    let entry = |line: &str| {
        let (commit, subject) = line.split_once(' ').expect("a commit and its subject");
        let time = at("2026-11-20T10:00:00Z");
        LogEntry { hash: full(commit), subject: subject.to_owned(), author: "Ada".to_owned(), time }
    };
    let end = match end {
        "" => LogEnd::Whole,
        "more" => LogEnd::More,
        "unseen" => LogEnd::Unseen,
        "cut-off" => LogEnd::CutOff(Some("git fetch --unshallow origin".into())),
        "untold" => LogEnd::Untold,
        other => panic!("no such end: {other}"),
    };
    Touched { commits: text.lines().filter(|it| !it.is_empty()).map(entry).collect(), end }
}

pub(crate) fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
}

impl World {
    pub(crate) fn new(text: &str) -> World {
        let fixture = manifests::fixture::parse(text);
        let mut world = World {
            files: Vec::new(),
            cursor: fixture.cursor.clone(),
            tree: MemoryTree::new(),
            index: RepoIndex::new(),
            clusters: Vec::new(),
            past: Past::default(),
            settings: Settings::default(),
            memo: Memo::new(),
            reported: None,
            refs: Refs::default(),
            saved: None,
            log: Touched::default(),
            bases: BTreeMap::new(),
            offer: false,
            shallow: false,
            not_connected: Vec::new(),
            now: at(NOW),
            ours: Ours("https://git.example/fleet".to_owned()),
            commits: BTreeMap::new(),
            order: Vec::new(),
            then: BTreeMap::new(),
            committed: BTreeMap::new(),
            zone: TimeZone::UTC,
        };
        let mut saved = Vec::new();
        for (path, text) in fixture.files {
            let name = path.as_str().to_owned();
            let mut words = name.split(' ');
            match words.next() {
                Some("cluster") => world.clusters.push(cluster(words, &text)),
                Some("then") => {
                    let commit = words.next().expect("a commit");
                    let path = RepoPath::new(words.next().expect("a path")).expect("a path");
                    world.commits.entry(full(commit)).or_insert_with(|| "Earlier".to_owned());
                    let there = (text.trim() != "absent").then_some(text);
                    world.then.insert((full(commit), path), there);
                }
                Some("commits") => {
                    for line in text.lines() {
                        let (commit, subject) = line.split_once(' ').expect("a commit and its subject");
                        // `1a2b3c4@2026-11-21T19:00:00Z Add web`
                        let (commit, time) = commit.split_once('@').unwrap_or((commit, COMMITTED));
                        world.order.push((full(commit), at(time)));
                        world.commits.insert(full(commit), subject.to_owned());
                    }
                }
                // `log more`: lines as of `commits`, and why there are no others.
                Some("log") => world.log = log(words.next().unwrap_or_default(), &text),
                // What a cluster has of other kinds than Flux's.
                Some("live") => {
                    let name = words.next().expect("a cluster");
                    let cluster =
                        world.clusters.iter_mut().find(|it| it.name == name).expect("a cluster before");
                    cluster.has.extend(text.lines().filter(|it| !it.is_empty()).map(live));
                    cluster.read_earlier = words.next() == Some("earlier");
                }
                Some("reported") => world.reported = Some(reported(&text)),
                // A file that is saved in another form than it is in front of the user, or `absent`.
                Some("saved") => {
                    let path = RepoPath::new(words.next().expect("a path")).expect("a path");
                    saved.push((path, (text.trim() != "absent").then_some(text)));
                }
                Some("settings") => text.split_whitespace().for_each(|word| world.set(word)),
                _ => {
                    world.tree.insert(path.clone(), text.as_str());
                    world.index.set(&path, Some(ParsedFile::parse(&text)));
                    world.committed.insert(path.clone(), text.clone());
                    world.files.push((path, text));
                }
            }
        }
        if !saved.is_empty() {
            let mut tree = world.tree.clone();
            for (path, text) in saved {
                match text {
                    Some(text) => tree.insert(path, text),
                    None => tree.remove(&path),
                }
            }
            world.saved = Some(tree);
        }
        world
    }

    fn set(&mut self, word: &str) {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "ascii" => self.settings.ascii = true,
            "differing" => self.settings.differing = Some(Severity::Information),
            "not-silent" => self.settings.silent = None,
            "offer" => self.offer = true,
            "shallow" => self.shallow = true,
            "off" => self.settings.actions = false,
            "verbs" => self.settings.lens_verbs = value.parse().expect("a number"),
            "max" => self.settings.lens_max = value.parse().expect("a number"),
            "silent" => self.settings.silent = None,
            "not-applied" => self.settings.not_applied = Some(Severity::Information),
            "severity" => self.settings.max_severity = Severity::Warning,
            "not-connected" => self.not_connected.push(value.to_owned()),
            "map" => {
                let (path, cluster) = value.split_once(':').expect("path:cluster");
                self.settings.mapping.push(Mapping { path: path.to_owned(), cluster: cluster.to_owned() });
            }
            // `pushed=9f8e7d6` is main; `pushed=feature/x@9f8e7d6@10:02` another branch, and when it was pushed.
            "pushed" => {
                let mut parts = value.split('@');
                let first = parts.next().unwrap_or_default();
                let (branch, commit) = parts.next().map_or(("main", first), |commit| (first, commit));
                let moved = parts.next().map(|it| at(&format!("2026-11-22T{it}:00Z")));
                let tip = Tip { commit: full(commit), moved };
                self.refs.tracked.entry("origin".to_owned()).or_default().insert(branch.to_owned(), tip);
            }
            // `tag=v1.0.0@9f8e7d6`
            "tag" => {
                let (name, commit) = value.split_once('@').expect("a tag and its commit");
                self.refs.tags.insert(name.to_owned(), full(commit));
            }
            // `head=main@9f8e7d6`; without a branch it is detached.
            "head" => {
                let (branch, commit) = value.split_once('@').map_or((None, value), |(a, b)| (Some(a), b));
                let branch = branch.map(str::to_owned);
                let upstream = branch.clone().map(|it| ("origin".to_owned(), it));
                self.refs.head = Some(Head { commit: full(commit), branch, upstream });
            }
            // `base=9f8e7d6+1a2b3c4=0000001`: what HEAD and another commit have in common.
            "base" => {
                let (of, base) = value.split_once('=').expect("commits and their base");
                let (one, other) = of.split_once('+').expect("two commits");
                self.bases.insert((full(one), full(other)), full(base));
            }
            other => panic!("no such setting: {other}"),
        }
    }

    /// Asks, fetches what was lacking, and asks again, as a caller does.
    pub(crate) fn ask<T>(&mut self, question: impl Fn(&Inputs<'_>) -> T) -> T {
        for _ in 0..8 {
            let paths: Vec<RepoPath> = self.files.iter().map(|(path, _)| path.clone()).collect();
            let mut lacks = Lacks::default();
            let mut wanted = BTreeSet::new();
            self.with(|inputs| {
                for report in paths.iter().map(|path| analyse(inputs, path)) {
                    lacks.merge(report.lacks);
                    wanted.extend(report.live);
                }
            });
            if !self.read(wanted) && !lacks.wants_history() {
                break;
            }
            self.look_up(lacks);
        }
        self.with(|inputs| question(inputs))
    }

    /// Reads live objects, as the owner of a session would; whether there was anything new.
    fn read(&mut self, wanted: BTreeSet<Wanted>) -> bool {
        let mut new = false;
        for wanted in wanted {
            assert_ne!(&*wanted.object.kind, "Secret", "a Secret is wanted: {wanted:?}");
            let cluster = self.clusters.iter_mut().find(|it| it.name == wanted.cluster).expect("a cluster");
            let Some((_, answer)) = cluster.has.iter().find(|(id, _)| *id == wanted.object) else { continue };
            let ground = if cluster.read_earlier { "earlier".to_owned() } else { wanted.ground };
            let reading = Reading { ground, at: at("2026-11-22T05:59:00Z"), answer: answer.clone() };
            if cluster.live.get(&wanted.object) != Some(&reading) {
                Arc::make_mut(&mut cluster.live).note(wanted.object, reading);
                new = true;
            }
        }
        new
    }

    /// Answers what was lacking, as history would.
    pub(crate) fn look_up(&mut self, lacks: Lacks) {
        for commit in lacks.commits {
            // A chart's version has the first digits only.
            let whole = self.commits.keys().find(|it| it.starts_with(&commit)).cloned();
            let whole = whole.unwrap_or_else(|| commit.clone());
            let answer = match self.commits.get(&whole) {
                Some(subject) => Answer::Known(Commit {
                    subject: subject.clone(),
                    author: "Ada".to_owned(),
                    time: self.made_at(&whole),
                    files: Arc::new(self.files_of(&whole)),
                }),
                None => Answer::NotInThisClone(Some("git fetch origin".into())),
            };
            self.past.note_commit(commit, answer);
        }
        for of in lacks.bases {
            let base = self.bases.get(&of).cloned();
            self.past.note_base(of, Answer::Known(base));
        }
        for question in lacks.between {
            self.past.note_between(question, self.log.clone());
        }
        for question in lacks.logs {
            let answer = self.logged(&question);
            self.past.note_log(question, answer);
        }
    }

    fn made_at(&self, commit: &str) -> Timestamp {
        self.order.iter().find(|it| it.0 == commit).map_or_else(|| at(COMMITTED), |it| it.1)
    }

    /// The commits that touch some paths, in a history without branches.
    fn logged(&self, question: &Log) -> Logged {
        let count = self.order.iter().position(|it| it.0 == question.to).map_or(0, |it| it + 1);
        let texts = |commit: &str| {
            let tree = self.files_of(commit).tree;
            let wanted = |path: &&RepoPath| question.paths.iter().any(|it| path.starts_with(it));
            let texts: Vec<_> = tree.paths().filter(wanted).map(|it| (it.clone(), tree.read(it))).collect();
            texts
        };
        let mut commits = Vec::new();
        let mut before = Vec::new();
        for (hash, time) in self.order.iter().take(count) {
            let now = texts(hash);
            if now != before {
                let subject = self.commits[hash].clone();
                commits.insert(
                    0,
                    LogEntry { hash: hash.clone(), subject, author: "Ada".to_owned(), time: *time },
                );
            }
            before = now;
        }
        Logged { commits, whole: !self.shallow }
    }

    fn files_of(&self, commit: &str) -> Files {
        let mut tree = MemoryTree::new();
        for (path, text) in &self.committed {
            tree.insert(path.clone(), text.as_str());
        }
        for ((at, path), text) in &self.then {
            match text {
                _ if at != commit => {}
                Some(text) => tree.insert(path.clone(), text.as_str()),
                None => tree.remove(path),
            }
        }
        Files { id: commit.to_owned(), tree }
    }

    /// Asks with what is known now.
    pub(crate) fn with<T>(&self, question: impl FnOnce(&Inputs<'_>) -> T) -> T {
        let clusters: Vec<ClusterView<'_>> = self
            .clusters
            .iter()
            .map(|it| ClusterView {
                key: &it.name,
                name: &it.name,
                facts: &it.facts,
                contact: it.contact.clone(),
                rights: &it.rights,
                live: &it.live,
                protected: it.protected,
            })
            .collect();
        question(&Inputs {
            repo: RepoView {
                name: "fleet",
                remotes: &self.ours,
                tree: &self.tree,
                index: &self.index,
                saved: self.saved.as_ref().map(|it| it as &dyn manifests::Tree),
                refs: &self.refs,
            },
            clusters: &clusters,
            offer: Offer { choose: self.offer, not_connected: &self.not_connected },
            past: &self.past,
            reported: self.reported.as_ref(),
            settings: &self.settings,
            memo: &self.memo,
            now: self.now,
            zone: &self.zone,
        })
    }

    /// Tells a file of the repository, and that every commit has it like this.
    pub(crate) fn add(&mut self, path: &RepoPath, text: &str) {
        self.tree.insert(path.clone(), text);
        self.index.set(path, Some(ParsedFile::parse(text)));
        self.committed.insert(path.clone(), text.to_owned());
        self.files.push((path.clone(), text.to_owned()));
    }

    /// Tells that a commit has a file as it was then, or did not have it.
    pub(crate) fn then(&mut self, commit: &str, path: &RepoPath, text: Option<&str>) {
        self.then.insert((commit.to_owned(), path.clone()), text.map(str::to_owned));
    }

    /// Tells a commit.
    pub(crate) fn commit(&mut self, commit: &str) {
        self.commits.insert(commit.to_owned(), "Said".to_owned());
    }

    /// Replaces a file's text, as typing does.
    pub(crate) fn edit(&mut self, path: &str, text: &str) {
        let path = RepoPath::new(path).expect("a path");
        self.tree.insert(path.clone(), text);
        self.index.set(&path, Some(ParsedFile::parse(text)));
        self.files.iter_mut().filter(|(it, _)| *it == path).for_each(|(_, it)| *it = text.to_owned());
    }
}

/// What was reported to a Gitea: commit, context, outcome, time and description. A commit alone was asked for and has
/// no reports; `offered`, `trouble …` and `context … is …` are what they say.
fn reported(text: &str) -> Reported {
    let mut reported = Reported {
        service: "Gitea".to_owned(),
        host: "git.example".to_owned(),
        wanted: true,
        ..Reported::default()
    };
    for line in text.lines().filter(|it| !it.is_empty()) {
        let words: Vec<&str> = line.splitn(5, ' ').collect();
        match words.as_slice() {
            ["offered"] => reported.wanted = false,
            ["trouble", ..] => reported.trouble = Some(line.replacen("trouble ", "", 1)),
            ["context", context, "is", object] => {
                reported.contexts.insert((*context).to_owned(), (*object).to_owned());
            }
            [commit, rest @ ..] => {
                let commit = full(commit);
                let report = match rest {
                    [] => None,
                    [context, outcome, time, description @ ..] => Some(Report {
                        context: (*context).to_owned(),
                        outcome: match *outcome {
                            "success" => Reporting::Success,
                            "failure" => Reporting::Failure,
                            "pending" => Reporting::Pending,
                            _ => Reporting::Other,
                        },
                        description: description.concat(),
                        at: time.parse().ok(),
                    }),
                    _ => panic!("no report: {line}"),
                };
                if reported.commits.last().is_none_or(|it| it.commit != commit) {
                    reported.commits.push(ReportedOn { commit, reports: Vec::new() });
                }
                reported.commits.last_mut().expect("just pushed").reports.extend(report);
            }
            [] => {}
        }
    }
    reported
}

/// Why somebody has to sign in.
const EXPIRED: &str = "the login expired";

/// A live object of another kind: as YAML, or `gone` or `forbidden` and its apiVersion, kind, namespace and name.
fn live(line: &str) -> (ObjectId, LiveAnswer) {
    let id = |api_version: &str, kind: &str, namespace: &str, name: &str| {
        let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
        ObjectId::new(group, kind, namespace, name)
    };
    let words: Vec<&str> = line.split(' ').collect();
    match words.as_slice() {
        [word @ ("gone" | "forbidden" | "not-served"), api_version, kind, namespace, name] => {
            let id = id(api_version, kind, namespace, name);
            let resource = format!("{}s.{}", kind.to_lowercase(), id.group).trim_end_matches('.').to_owned();
            let answer = match *word {
                "gone" => LiveAnswer::Gone,
                "forbidden" => LiveAnswer::Forbidden { verb: "get".to_owned(), resource },
                _ => LiveAnswer::NotServed,
            };
            (id, answer)
        }
        _ => {
            let file = ParsedFile::parse(line);
            let value = typed(file.documents()[0].document.root.as_ref().expect("an object"));
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (api_version, kind) = (text(&value["apiVersion"]), text(&value["kind"]));
            let metadata = &value["metadata"];
            let id = id(&api_version, &kind, &text(&metadata["namespace"]), &text(&metadata["name"]));
            (id.clone(), LiveAnswer::Found(Arc::new(flux::Live::read(id, value))))
        }
    }
}

/// A short hash as a full one.
pub(crate) fn full(short: &str) -> String {
    format!("{short:0<40}")
}

/// `main@1a2b3c4` as Flux writes it; anything else as it is.
fn revision(text: &str) -> String {
    match text.split_once('@') {
        Some((name, hash)) if hash.bytes().all(|it| it.is_ascii_hexdigit()) => {
            format!("{name}@sha1:{}", full(hash))
        }
        _ => text.to_owned(),
    }
}

fn cluster<'a>(mut words: impl Iterator<Item = &'a str>, text: &str) -> Cluster {
    let name = words.next().expect("a name").to_owned();
    let mut cluster = Cluster {
        facts: Arc::new(Facts::new(name.as_str().into())),
        name,
        contact: Contact::Live { at: at(NOW) },
        rights: Rights::all(),
        live: Arc::default(),
        has: Vec::new(),
        read_earlier: false,
        protected: false,
    };
    let mut changes: Vec<Change> = Kind::ALL.iter().map(|kind| covered(*kind, Coverage::Listed)).collect();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        changes.push(Change::Applied(object(line)));
    }
    for word in words {
        let (word, value) = word.split_once('=').unwrap_or((word, ""));
        let kind = || Kind::from_name(value).unwrap_or_else(|| panic!("no such kind: {value}"));
        match word {
            "checking" => cluster.contact = Contact::Checking { at: at(MONDAY) },
            "last-seen" => cluster.contact = Contact::LastSeen { at: at(MONDAY) },
            "sign-in" => {
                cluster.contact = Contact::NeedsSignIn { at: Some(at(MONDAY)), why: EXPIRED.to_owned() }
            }
            "never-signed-in" => cluster.contact = Contact::NeedsSignIn { at: None, why: EXPIRED.to_owned() },
            "connecting" => cluster.contact = Contact::Connecting,
            "unreachable" => {
                cluster.contact = Contact::Unreachable { why: "no route to 10.0.0.1".to_owned() }
            }
            "no-flux" => cluster.contact = Contact::NoFlux,
            "recorded-earlier" => {
                cluster.contact = Contact::Recorded { newest: Some(at("2026-11-22T04:07:00Z")) };
            }
            "recorded" => cluster.contact = Contact::Recorded { newest: Some(at("2026-11-22T05:07:00Z")) },
            "protected" => cluster.protected = true,
            "no-rights" => {
                cluster.rights = Rights::default();
                for kind in Kind::ALL {
                    cluster.rights.note(*kind, Some("flux-system"), false);
                }
            }
            "rights-not-asked" => cluster.rights = Rights::default(),
            "forbidden" => changes.push(covered(
                kind(),
                Coverage::Forbidden {
                    verb: "list".into(),
                    resource: format!("{}.{}", kind().plural(), kind().group()).into(),
                },
            )),
            // Nothing may be listed but in this namespace.
            "only" => changes.extend(Kind::ALL.iter().flat_map(|kind| {
                let resource = format!("{}.{}", kind.plural(), kind.group()).into();
                let everywhere = covered(*kind, Coverage::Forbidden { verb: "list".into(), resource });
                let namespace = Some(value.into());
                [everywhere, Change::Coverage { kind: *kind, namespace, coverage: Coverage::Listed }]
            })),
            "not-served" => changes.push(covered(kind(), Coverage::NotServed)),
            "not-yet" => changes.push(covered(kind(), Coverage::NotYet)),
            other => panic!("no such word for a cluster: {other}"),
        }
    }
    cluster.facts = Arc::new(cluster.facts.apply(changes, at(NOW)).0);
    cluster
}

fn covered(kind: Kind, coverage: Coverage) -> Change {
    Change::Coverage { kind, namespace: None, coverage }
}

/// An object from its line.
pub(crate) fn object(line: &str) -> Object {
    let file = ParsedFile::parse(line);
    let value =
        typed(file.documents()[0].document.root.as_ref().unwrap_or_else(|| panic!("no object: {line}")));
    Object::from_json(expand(&value)).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn expand(line: &Value) -> Value {
    let text = |key: &str| line.get(key).and_then(Value::as_str);
    let kind = Kind::from_name(text("kind").expect("a kind")).expect("a kind of Flux");
    let namespace = text("ns").unwrap_or("flux-system");
    let mut spec = line.get("spec").and_then(Value::as_object).cloned().unwrap_or_default();
    for key in ["url", "path", "interval", "targetNamespace"] {
        if let Some(value) = line.get(key) {
            spec.insert(key.to_owned(), value.clone());
        }
    }
    if line.get("suspend").is_some() {
        spec.insert("suspend".to_owned(), json!(true));
    }
    if let Some((kind, name)) = text("source").and_then(|it| it.split_once('/')) {
        spec.insert("sourceRef".to_owned(), json!({"kind": kind, "name": name}));
    }
    if let Some(names) = line.get("dependsOn").and_then(Value::as_array) {
        let names: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
        spec.insert("dependsOn".to_owned(), json!(names));
    }
    let mut status = Map::new();
    let applied = text("at").map(revision);
    let since = "2026-11-21T20:00:00Z";
    let condition = |what: &str, truth: &str, reason: &str, message: &str| {
        json!({"type": what, "status": truth, "reason": reason, "message": message,
               "observedGeneration": 1, "lastTransitionTime": since})
    };
    let mut attempted = applied.clone();
    let mut conditions = Vec::new();
    if let Some(failed) = line.get("failed").and_then(Value::as_array) {
        let part = |nth: usize| failed.get(nth).and_then(Value::as_str).unwrap_or_default();
        conditions.push(condition("Ready", "False", part(0), part(1)));
        if kind == Kind::Kustomization {
            conditions.push(condition("Reconciling", "True", "ProgressingWithRetry", "Building manifests"));
        }
        if !part(2).is_empty() {
            attempted = Some(revision(part(2)));
        }
        if kind.is_source() {
            conditions.push(condition("FetchFailed", "True", part(0), part(1)));
        }
    } else if let Some(step) = text("progress") {
        conditions.push(condition("Ready", "Unknown", "Progressing", "Reconciliation in progress"));
        conditions.push(condition(
            "Reconciling",
            "True",
            "Progressing",
            &step.replace("REV", &attempted_of(line)),
        ));
    } else if line.get("pending").is_none() {
        let reason = if kind == Kind::Kustomization { "ReconciliationSucceeded" } else { "Succeeded" };
        conditions.push(condition("Ready", "True", reason, "done"));
    }
    if !conditions.is_empty() {
        status.insert("conditions".to_owned(), json!(conditions));
        status.insert("observedGeneration".to_owned(), json!(1));
    }
    match kind {
        _ if kind.is_source() => {
            if let Some(applied) = &applied {
                let mut artifact = json!({"revision": applied, "lastUpdateTime": since});
                if let Some(metadata) = line.get("metadata") {
                    artifact["metadata"] = metadata.clone();
                }
                status.insert("artifact".to_owned(), artifact);
            }
        }
        Kind::HelmRelease => {
            if let Some(applied) = &applied {
                status.insert(
                    "history".to_owned(),
                    json!([{"version": 1, "status": "deployed", "chartVersion": applied, "lastDeployed": since}]),
                );
            }
        }
        _ => {
            if let Some(applied) = &applied {
                status.insert("lastAppliedRevision".to_owned(), json!(applied));
            }
            if let Some(history) = line.get("history") {
                status.insert("history".to_owned(), history.clone());
            }
        }
    }
    // Whatever else it says.
    for (key, value) in line.get("status").and_then(Value::as_object).into_iter().flatten() {
        status.insert(key.clone(), value.clone());
    }
    if let Some(attempted) = &attempted
        && !kind.is_source()
    {
        status.insert("lastAttemptedRevision".to_owned(), json!(attempted));
    }
    if let Some(entries) = line.get("holds").and_then(Value::as_array) {
        let entries: Vec<Value> = entries
            .iter()
            .filter_map(Value::as_str)
            .map(|entry| {
                let parts: Vec<&str> = entry.split('/').collect();
                let core = matches!(parts[0], "Service" | "ConfigMap" | "Secret" | "Namespace");
                let other = if core { "" } else { "apps" };
                let group = Kind::from_name(parts[0]).map_or(other, Kind::group);
                json!({"id": format!("{}_{}_{group}_{}", parts[1], parts[2], parts[0]), "v": "v1"})
            })
            .collect();
        status.insert("inventory".to_owned(), json!({"entries": entries}));
    }
    let mut metadata = json!({"name": text("name"), "namespace": namespace, "generation": line.get("generation").cloned().unwrap_or(json!(1))});
    if let Some(labels) = line.get("labels") {
        metadata["labels"] = labels.clone();
    }
    if let Some(annotations) = line.get("annotations") {
        metadata["annotations"] = annotations.clone();
    }
    if let Some(uid) = line.get("uid") {
        metadata["uid"] = uid.clone();
    }
    if let Some(by) = line.get("suspend").and_then(Value::as_str) {
        let fields = json!({"f:spec": {"f:suspend": {}}});
        metadata["managedFields"] = json!([
            {"manager": "kustomize-controller", "time": since, "fieldsV1": {"f:spec": {"f:path": {}}}},
            {"manager": by, "time": "2026-11-21T21:00:00Z", "fieldsV1": fields},
        ]);
    }
    if line.get("deleting").is_some() {
        metadata["deletionTimestamp"] = json!(since);
    }
    json!({
        "apiVersion": format!("{}/{}", kind.group(), kind.versions()[0]), "kind": kind.as_str(),
        "metadata": metadata, "spec": spec, "status": status,
    })
}

fn attempted_of(line: &Value) -> String {
    line.get("to").and_then(Value::as_str).map(revision).unwrap_or_default()
}

/// YAML with its types.
fn typed(node: &Node) -> Value {
    match &node.resolved().kind {
        NodeKind::Mapping(entries) => {
            let key = |node: &Node| node.as_str().unwrap_or_default().to_owned();
            Value::Object(entries.iter().map(|entry| (key(&entry.key), typed(&entry.value))).collect())
        }
        NodeKind::Sequence(items) => Value::Array(items.iter().map(typed).collect()),
        NodeKind::Scalar(scalar) if scalar.is_null() => Value::Null,
        NodeKind::Scalar(scalar) => {
            let value = &scalar.value;
            match (scalar.style, &**value) {
                (ScalarStyle::Plain, "true") => json!(true),
                (ScalarStyle::Plain, "false") => json!(false),
                (ScalarStyle::Plain, number) if number.parse::<i64>().is_ok() => {
                    json!(number.parse::<i64>().ok())
                }
                _ => json!(value),
            }
        }
        NodeKind::Alias(_) => Value::Null,
    }
}
