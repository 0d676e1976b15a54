//! What must never be shown, whatever happens (design 7).

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::fixture::{NOW, World, at};
use super::lenses::{REPO, ROOT};
use crate::{Contact, Severity, analyse};

const WORDS: &[&str] = &[
    "at: main@1a2b3c4",
    "at: main@9f8e7d6",
    "pending: true",
    "at: main@1a2b3c4, suspend: true",
    "at: main@1a2b3c4, failed: [BuildFailed, broken, main@9f8e7d6]",
    "failed: [ArtifactFailed, 'kustomization path not found: stat x', main@1a2b3c4]",
    "failed: [DependencyNotReady, \"dependency 'flux-system/gone' is not ready\"], dependsOn: [gone]",
    "at: main@1a2b3c4, to: main@9f8e7d6, progress: Building manifests for revision REV with",
    "at: main@abcdef0",
    "at: main@1a2b3c4, deleting: true",
];

fn contacts() -> impl Strategy<Value = Contact> {
    let time = || (-200i64..30).prop_map(|seconds| now() + SignedDuration::from_secs(seconds));
    prop_oneof![
        Just(Contact::Connecting),
        time().prop_map(|at| Contact::Live { at }),
        time().prop_map(|at| Contact::Checking { at }),
        time().prop_map(|at| Contact::LastSeen { at }),
        time().prop_map(|at| Contact::NeedsSignIn { at: Some(at), why: String::new() }),
        Just(Contact::NeedsSignIn { at: None, why: String::new() }),
        Just(Contact::Unreachable { why: "x".to_owned() }),
        time().prop_map(|at| Contact::Recorded { newest: Some(at) }),
    ]
}

fn now() -> Timestamp {
    at(NOW)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    /// One object through a random history of states, contacts and edits: a ✓ only with proof, a red only for the
    /// text that failed.
    #[test]
    fn no_green_without_proof_and_no_red_of_another_text(
        steps in prop::collection::vec((0..WORDS.len(), contacts(), 0..3usize, -30i64..120), 1..6),
    ) {
        let fixture = |words: &str| format!("{REPO}//- cluster staging\n{ROOT}{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, {words}}}\n");
        let mut world = World::new(&fixture(WORDS[0]));
        let original = world.files[0].1.clone();
        let path = world.files[0].0.clone();
        for (words, contact, text, passed) in steps {
            world.clusters = World::new(&fixture(WORDS[words])).clusters;
            world.clusters[0].contact = contact.clone();
            world.now = now() + SignedDuration::from_secs(passed);
            let text = match text {
                0 => original.clone(),
                1 => original.replace("./apps", "./other"),
                _ => format!("# said\n{original}"),
            };
            world.edit(path.as_str(), &text);
            // As history is at hand, and as it was before anything was fetched.
            for report in [world.with(|inputs| analyse(inputs, &path)), world.ask(|inputs| analyse(inputs, &path))] {
                let live = matches!(contact, Contact::Live { at }
                    if (world.now.duration_since(at)) <= crate::FRESH && at <= world.now + SignedDuration::from_secs(5));
                let same = !text.contains("./other");
                let green = report.lenses.iter().flat_map(|row| &row.items).any(|item| item.title.contains('✓'));
                let ready = words == 0 || words == 1;
                prop_assert!(!green || (live && same && ready), "{:?}", report.lenses);
                for finding in &report.findings {
                    let certain = live || matches!(contact, Contact::Recorded { .. });
                    prop_assert!(finding.severity > Severity::Error || (certain && same), "{finding:?}");
                }
                for row in &report.lenses {
                    prop_assert!(usize::from(row.range.end()) <= text.len());
                    prop_assert!(!row.items.is_empty() && row.items.len() <= 3);
                }
            }
        }
    }

    /// Bytes of all kinds in a message: nothing panics, and no Markdown leaves its place.
    #[test]
    fn no_markup_from_a_cluster(
        pieces in prop::collection::vec(
            prop::sample::select(&["`", "```", "\n", "~~~", "text", "<b>", "[a](b)", "# ", "\u{1b}[31m", "\u{202e}", " "][..]),
            0..20,
        ),
    ) {
        let message = pieces.concat();
        let mut page = crate::page::Page::default();
        page.line(crate::page::spans![w "a ", d message, w " b"]);
        page.quote(&message, 64);
        let markdown = page.markdown();
        let hidden = markdown.contains(['\u{1b}', '\u{202e}']);
        prop_assert!(!hidden);
        // The fence that is opened is closed by the last line, and by no line before it.
        let lines: Vec<&str> = markdown.lines().collect();
        let open = lines.iter().position(|it| it.ends_with("`text") && it.starts_with("```")).expect("a fence");
        let fence = lines[open].trim_end_matches("text");
        let closing: Vec<usize> = (open + 1..lines.len()).filter(|at| lines[*at].trim() == fence).collect();
        prop_assert_eq!(closing.len(), 1);
    }
}
