//! The cases of `tests/failures`, with what real controllers said of them: the mark is where the case says, and whatever
//! is typed, it never comes to a document that has nothing to do with the failure.

use flux::{Change, Facts};
use manifests::{ParsedFile, RepoPath, TextRange, TextSize, fixture};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::fixture::{Cluster, NOW, Ours, World, at};
use crate::{Contact, Finding, Rights, Tip, analyse};

/// One case.
struct Case {
    name: String,
    world: World,
    /// By cause: the places that are right.
    expected: Vec<Vec<(RepoPath, TextRange)>>,
    related: Vec<(RepoPath, TextRange)>,
    /// Kind and name of what fails.
    failing: Vec<(String, String)>,
}

/// The folder of the catalogue; nothing where this crate stands alone.
fn folder() -> Option<PathBuf> {
    let own = std::env::var_os("CATALOGUE").map(PathBuf::from);
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().and_then(|it| it.parent());
    let folder = own.or_else(|| Some(root?.join("tests").join("failures")))?;
    folder.join("cases").is_dir().then_some(folder)
}

/// The names of the cases; CASE=k44 takes some.
fn names() -> Vec<String> {
    let Some(folder) = folder() else {
        eprintln!("skipped: tests/failures is not there");
        return Vec::new();
    };
    let only = std::env::var("CASE").unwrap_or_default();
    let mut names: Vec<String> = std::fs::read_dir(folder.join("cases"))
        .expect("a folder")
        .filter_map(|it| it.ok()?.file_name().to_str()?.strip_suffix(".yaml").map(str::to_owned))
        .filter(|it| it.starts_with(&only))
        .collect();
    names.sort();
    names
}

/// A case; nothing if it is not recorded.
fn read(name: &str) -> Option<Case> {
    let folder = folder()?;
    let text = std::fs::read_to_string(folder.join("cases").join(format!("{name}.yaml"))).ok()?;
    let recorded = std::fs::read(folder.join("recorded").join(format!("{name}.json"))).ok()?;
    Some(case(name, &text, &recorded))
}

fn path(text: &str) -> RepoPath {
    RepoPath::new(text).expect("a path")
}

fn case(name: &str, text: &str, recorded: &[u8]) -> Case {
    let fixture = fixture::parse(text);
    let url = format!("http://127.0.77.1:3000/flux/{name}.git");
    let mut world = World::new("");
    world.files.clear();
    world.ours = Ours(url.clone());
    let mut failing = Vec::new();
    let mut last = BTreeMap::from([(
        path("clusters/test/flux-system/gotk-sync.yaml"),
        format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata:\n  name: flux-system\n  namespace: {name}\nspec:\n  interval: 1h\n  url: {url}\n  ref:\n    branch: main\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: flux-system\n  namespace: {name}\nspec:\n  interval: 1h\n  path: ./clusters/test\n  prune: true\n  sourceRef:\n    kind: GitRepository\n    name: flux-system\n"
        ),
    )]);
    let (mut first, mut edited) = (Vec::new(), Vec::new());
    for (at, text) in fixture.files {
        match at.as_str().split_once(' ') {
            None if at.as_str() == "main.yaml" => {
                for object in text.lines().filter_map(|it| it.strip_prefix("settles: ")) {
                    let (kind, name) =
                        object.split(' ').next().and_then(|it| it.split_once('/')).expect("an object");
                    failing.push((kind.to_owned(), name.to_owned()));
                }
            }
            None if at.as_str() == "before" => {}
            None => drop(last.insert(at, text)),
            Some(("says", object)) => {
                let (kind, name) = object.split_once('/').expect("an object");
                failing.push((kind.to_owned(), name.to_owned()));
            }
            Some(("first", at)) => first.push((path(at), (text.trim() != "absent").then_some(text))),
            Some((_, at)) => edited.push((path(at), text)),
        }
    }
    for (path, text) in &last {
        world.add(path, text);
    }
    let listing = flux::list::read(recorded).expect("a recording");
    let text = String::from_utf8_lossy(recorded);
    let hashes: Vec<&str> = text.split("main@sha1:").skip(1).filter_map(|it| it.get(..40)).collect();
    let head = listing
        .objects
        .iter()
        .find(|it| &*it.id.kind == "GitRepository" && &*it.id.name == "flux-system")
        .and_then(|it| it.status.artifact.as_ref()?.revision.commit().map(str::to_owned));
    for hash in hashes {
        world.commit(hash);
        if Some(hash) != head.as_deref() {
            for (path, text) in &first {
                world.then(hash, path, text.as_deref());
            }
        }
    }
    if let Some(head) = head {
        world
            .refs
            .tracked
            .entry("origin".to_owned())
            .or_default()
            .insert("main".to_owned(), Tip { commit: head, moved: None });
    }
    let mut facts = Facts::new(name.into());
    let kinds = flux::Kind::ALL.iter().map(|kind| Change::Coverage {
        kind: *kind,
        namespace: None,
        coverage: flux::Coverage::Listed,
    });
    let changes = kinds.chain(listing.objects.into_iter().map(Change::Applied)).collect();
    facts = facts.apply(changes, at(NOW)).0;
    world.clusters.push(Cluster {
        name: "test".to_owned(),
        facts: Arc::new(facts),
        contact: Contact::Recorded { newest: None },
        rights: Rights::all(),
        protected: false,
        live: Default::default(),
        has: Vec::new(),
        read_earlier: false,
    });
    for (path, text) in edited {
        world.edit(path.as_str(), &text);
    }
    let mut expected: Vec<Vec<_>> = Vec::new();
    let mut related = Vec::new();
    for mark in fixture.marks {
        let at = mark.path.as_str();
        let place = (path(at.strip_prefix("edited ").unwrap_or(at)), mark.range);
        match mark.text.as_str() {
            "or" => expected.last_mut().expect("a mark before").push(place),
            "related" => related.push(place),
            _ => expected.push(vec![place]),
        }
    }
    Case { name: name.to_owned(), world, expected, related, failing }
}

fn findings(world: &mut World) -> Vec<(RepoPath, Finding)> {
    let paths: Vec<RepoPath> = world.files.iter().map(|(path, _)| path.clone()).collect();
    let mut found = Vec::new();
    for path in paths {
        let report = world.ask(|inputs| analyse(inputs, &path));
        found.extend(report.findings.into_iter().map(|it| (path.clone(), it)));
    }
    found
}

/// The document that a place is in: kind, name and where it begins.
fn document(world: &World, path: &RepoPath, at: TextSize) -> Option<(String, String, TextSize)> {
    let text = &world.files.iter().find(|(it, _)| it == path)?.1;
    let file = ParsedFile::parse(text);
    let placed = file.document_at(at)?;
    let text = |key: &str| placed.document.scalar(key).unwrap_or_default().to_owned();
    Some((text("kind"), text("metadata.name"), placed.offset))
}

#[test]
fn marks_stand_where_they_belong() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    let (mut related, mut all_related) = (0, 0);
    for mut case in names().iter().filter_map(|name| read(name)) {
        let found = findings(&mut case.world);
        let shown = |path: &RepoPath, range: TextRange| {
            let text = &case.world.files.iter().find(|(it, _)| it == path).expect("a file").1;
            let at = usize::from(range.start());
            format!(
                "{path}:{} {:?}",
                text[..at].matches('\n').count() + 1,
                &text[at..usize::from(range.end())]
            )
        };
        let of = |path: &RepoPath, at: TextSize| document(&case.world, path, at);
        let of_failing = |path: &RepoPath, at: TextSize| {
            of(path, at)
                .is_some_and(|it| case.failing.iter().any(|(kind, name)| (kind, name) == (&it.0, &it.1)))
        };
        let mut outcome = "1 exact";
        let mut notes = Vec::new();
        for places in &case.expected {
            let exact = found.iter().any(|(path, it)| places.contains(&(path.clone(), it.range)));
            let same = found.iter().any(|(path, it)| {
                places
                    .iter()
                    .any(|(at, range)| at == path && of(at, range.start()) == of(path, it.range.start()))
            });
            let object = found.iter().any(|(path, it)| of_failing(path, it.range.start()));
            let this = match (exact, same, object) {
                (true, ..) => "1 exact",
                (_, true, _) => "2 document",
                (_, _, true) => "3 object",
                _ => "4 missing",
            };
            if !exact {
                notes.push(format!("expected {}", shown(&places[0].0, places[0].1)));
            }
            outcome = outcome.max(this);
        }
        for (path, it) in &found {
            let all = || case.expected.iter().flatten();
            if all().any(|place| *place == (path.clone(), it.range)) {
                continue;
            }
            let same =
                all().any(|(at, range)| at == path && of(at, range.start()) == of(path, it.range.start()));
            let this = match (same, of_failing(path, it.range.start())) {
                (true, _) => "2 document",
                (_, true) if !case.expected.is_empty() => "3 object",
                _ => "5 WRONG",
            };
            notes.push(format!("found {}: {}", shown(path, it.range), it.message));
            outcome = outcome.max(this);
        }
        for place in &case.related {
            let is_there =
                found.iter().flat_map(|(_, it)| &it.related).any(|it| (it.path.clone(), it.range) == *place);
            related += usize::from(is_there);
            all_related += 1;
            if !is_there {
                notes.push(format!("not related: {}", shown(&place.0, place.1)));
            }
        }
        *counts.entry(outcome).or_default() += 1;
        if !notes.is_empty() {
            println!("{outcome} {}\n    {}", case.name, notes.join("\n    "));
        }
        if outcome == "5 WRONG" {
            wrong.push(case.name.clone());
        }
    }
    println!("{counts:?}, related {related} of {all_related}");
    assert!(wrong.is_empty(), "marks in healthy documents: {wrong:?}");
}

/// What can be typed: YAML's own signs most of all.
const TYPED: &[&str] = &[
    "",
    "x",
    "\n",
    "  ",
    ":",
    "- ",
    "---\n",
    "${",
    "}",
    "\"",
    "#",
    "\t",
    "&a ",
    "*a",
    "|\n",
    "{",
    "[",
    "name: web\n",
    "é",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    /// Typing and deleting in a file that is marked, or that has to do with the mark: nothing panics, every mark is in a
    /// document that has to do with the failure.
    #[test]
    fn no_mark_comes_to_a_wrong_document(
        nth in any::<prop::sample::Index>(),
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..12usize, 0..TYPED.len()),
            1..4,
        ),
    ) {
        let names = names();
        if names.is_empty() {
            return Ok(());
        }
        let Some(mut case) = read(&names[nth.index(names.len())]) else { return Ok(()) };
        let found = findings(&mut case.world);
        let mut allowed: BTreeSet<(RepoPath, String, String)> = BTreeSet::new();
        let of = |world: &World, path: &RepoPath, at: TextSize| {
            document(world, path, at).map(|(kind, name, _)| (path.clone(), kind, name))
        };
        for (path, it) in &found {
            allowed.extend(of(&case.world, path, it.range.start()));
            allowed.extend(it.related.iter().filter_map(|it| of(&case.world, &it.path, it.range.start())));
        }
        let facts = &case.world.clusters[0].facts;
        let said: Vec<String> = facts
            .objects()
            .filter_map(|it| Some(facts.verdict(&it.id, at(NOW))?.message.to_string()))
            .collect();
        // Objects that the failure names, and the Flux objects themselves, wherever they are written or patched.
        let names: BTreeSet<String> =
            allowed.iter().map(|(_, _, name)| name.clone()).chain(case.failing.iter().map(|it| it.1.clone())).collect();
        let files: Vec<RepoPath> = {
            let marked = found.iter().flat_map(|(path, it)| it.related.iter().map(|it| &it.path).chain([path]));
            marked.cloned().collect::<BTreeSet<_>>().into_iter().collect()
        };
        let Some(edited) = (!files.is_empty()).then(|| files[edits[0].0.index(files.len())].clone()) else {
            return Ok(());
        };
        let mut text = case.world.files.iter().find(|(it, _)| *it == edited).expect("a file").1.clone();
        for (_, from, length, typed) in edits {
            let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let from = from.index(starts.len());
            let to = (from + length).min(starts.len() - 1);
            text.replace_range(starts[from]..starts[to], TYPED[typed]);
            case.world.edit(edited.as_str(), &text);
            for (path, it) in findings(&mut case.world) {
                let text = &case.world.files.iter().find(|(it, _)| *it == path).expect("a file").1;
                prop_assert!(text.get(usize::from(it.range.start())..usize::from(it.range.end())).is_some(), "{path} {it:?}");
                if path == edited {
                    continue;
                }
                let (_, kind, name) = of(&case.world, &path, it.range.start()).expect("a document");
                let known = allowed.contains(&(path.clone(), kind.clone(), name.clone()));
                let build_file = manifests::kustomize::is_kustomization_name(path.file_name());
                // What lost its own document is marked at what applies it.
                let own = [Some(&it.object), it.applier.as_ref()].into_iter().flatten().any(|it| *it.name == *name);
                prop_assert!(known || own || build_file || names.contains(&name) || said.iter().any(|it| it.contains(&name)), "{}: {path} {kind}/{name}: {}", case.name, it.message);
            }
        }
    }
}
