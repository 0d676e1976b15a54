//! The failure catalogue: for every row one message and the causes that it tells.

mod apply;
mod build;
mod fields;
mod health;
mod helm;
mod images;
mod recorded;
mod sources;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use expect_test::Expect;
use fields::TABLE;

use super::*;

/// The row's id, who says it, the message and what it tells.
type Example = (&'static str, Kind, &'static str, Expect);

/// The faults as text: the row, the place, the sentence, the rest that there is, the own field.
fn told(kind: Kind, message: &str) -> String {
    let mut out = String::new();
    for fault in parse(kind, message) {
        let object = fault.object.as_ref().map_or_else(String::new, |it| {
            let group = it.group.as_ref().map_or_else(String::new, |group| format!(" of {group:?}"));
            format!(" {it}{group}")
        });
        let side = if fault.side == Side::Cluster { " (cluster)" } else { "" };
        let _ = writeln!(out, "{}{side}{object}: {}", fault.shape.unwrap_or("-"), place(&fault.place));
        let _ = writeln!(out, "  {}", fault.says);
        if let Some(policy) = &fault.policy {
            let _ = writeln!(out, "  by {policy}");
        }
        match &fault.other {
            Some(Other::Missing(it)) => _ = writeln!(out, "  missing {it}"),
            Some(Other::NotReady(it)) => _ = writeln!(out, "  not ready {it}"),
            Some(Other::InTheWay(it)) => _ = writeln!(out, "  in the way {it}"),
            Some(Other::NoKind { api_version, kind }) => {
                _ = writeln!(out, "  no kind {kind} of {api_version}")
            }
            None => {}
        }
        for Frame { file, line, column, expression } in &fault.frames {
            let line = line.map_or_else(String::new, |it| format!(":{it}"));
            let column = column.map_or_else(String::new, |it| format!(":{it}"));
            let _ = writeln!(out, "  in {file}{line}{column} {}", expression.as_deref().unwrap_or_default());
        }
        if let Some(hint) = fault.hint {
            let _ = writeln!(out, "  hint: {hint}");
        }
        let own = fault.own.to_string();
        if !own.is_empty() {
            let _ = writeln!(out, "  own: {own}");
        }
    }
    out
}

fn place(place: &Place) -> String {
    let file = |it: &FileName| match it.from {
        From::Root => it.path.clone(),
        From::Build => format!("<spec.path>/{}", it.path),
        From::Anywhere => format!("**/{}", it.path),
    };
    match place {
        Place::Own => "the Flux object".to_owned(),
        Place::Object => "the object".to_owned(),
        Place::Field { path, value, problem } => {
            let value = value.as_ref().map_or_else(String::new, |it| format!(" = {it:?}"));
            format!("field {path}{value} {problem:?}")
        }
        Place::Template => "the template".to_owned(),
        Place::Rendered => "what the template renders to".to_owned(),
        Place::Somewhere(look) => format!("somewhere {look:?}"),
        Place::Variable(variable) => format!("variable {variable:?}"),
        Place::Build { folder, entry } => {
            let folder = folder.as_deref().unwrap_or("<any>");
            let entry = match entry {
                Entry::Key { key, problem } => format!("key {key} {problem:?}"),
                other => format!("{other:?}"),
            };
            format!("kustomization of {folder}: {entry}")
        }
        Place::File { file: name, line, look } => {
            let line = line.map_or_else(String::new, |it| format!(" near line {it}"));
            let look = look.as_ref().map_or_else(String::new, |it| format!(" {it:?}"));
            format!("file {}{line}{look}", name.as_ref().map_or_else(|| "<any>".to_owned(), file))
        }
        Place::Patch(PatchIs::Of(it)) => format!("patch of {it}"),
        Place::Patch(PatchIs::Operation { op, pointer }) => {
            format!("patch {op} {}", pointer.as_deref().unwrap_or("?"))
        }
        Place::Patch(PatchIs::Text(it)) => format!("patch {it:?}"),
        Place::Values { path, problem } => format!("values {path} {problem:?}"),
    }
}

fn check(examples: Vec<Example>) {
    let mut others = String::new();
    for (id, kind, message, expected) in examples {
        let told = told(kind, message);
        expected.assert_eq(&told);
        if !told.starts_with(&format!("{id}:")) && !told.starts_with(&format!("{id} ")) {
            let _ = writeln!(others, "{id}: {message}\n{told}");
        }
    }
    assert!(others.is_empty(), "read by other rows:\n{others}");
}

/// The rows of flux-reference C, and H-4 and H-5 of H: those of H's items that are about a message's text.
fn catalogue() -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for (letter, last) in
        [("K", 49), ("A", 29), ("W", 6), ("P", 3), ("H", 31), ("S", 26), ("I", 11), ("N", 3), ("O", 4)]
    {
        ids.extend((1..=last).map(|n| format!("{letter}{n}")));
    }
    ids.extend(["H8'", "H12'", "H14'", "H17'", "H-4", "H-5"].map(str::to_owned));
    ids
}

#[test]
fn every_row_has_an_example() {
    let all = [
        sources::examples(),
        build::examples(),
        apply::examples(),
        health::examples(),
        helm::examples(),
        images::examples(),
    ];
    let shown: BTreeSet<String> =
        all.iter().flatten().map(|it| it.0.to_owned()).filter(|it| it != "-").collect();
    assert_eq!(shown, catalogue());
}

/// The list above is the reference's, where it is at hand.
#[test]
fn the_catalogue_is_the_references() {
    let reference = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3);
    let reference = reference.map(|it| it.join("shared/flux-reference.md"));
    let Some(text) = reference.and_then(|it| std::fs::read_to_string(it).ok()) else {
        println!("skipped: flux-reference.md is not here");
        return;
    };
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |")).map(|it| it.0);
    let is_id = |id: &&str| {
        id.starts_with(|c: char| "KAWPHSINO".contains(c))
            && id.get(1..).is_some_and(|it| it.starts_with(|c: char| c.is_ascii_digit()) && it.len() <= 3)
    };
    let mut listed: BTreeSet<String> = rows.filter(is_id).map(str::to_owned).collect();
    listed.extend(["H-4", "H-5"].map(str::to_owned));
    assert_eq!(catalogue(), listed);
}

#[test]
fn rows_are_reachable() {
    // A row that an earlier one of the same kinds swallows could never be told. One that reads on may give the text back.
    for (n, (id, kinds, pattern, _)) in rows::ROWS.iter().enumerate() {
        let example = pattern.replace('*', "x");
        let swallowed = rows::ROWS[..n].iter().find(|(earlier, others, earlier_pattern, then)| {
            earlier != id
                && matches!(then, Then::Own(_))
                && kinds.iter().all(|k| others.contains(k))
                && capture(earlier_pattern, &example).is_some()
        });
        assert!(swallowed.is_none(), "{id} {pattern} is swallowed by {:?}", swallowed.map(|s| s.2));
    }
}

proptest::proptest! {
    /// Any text of any object: no panic, at least one fault, one line each. No object and no place is made up.
    #[test]
    fn any_text(text in pieces(), kind in proptest::sample::select(Kind::ALL)) {
        let faults = parse(kind, &text);
        proptest::prop_assert!(!faults.is_empty());
        proptest::prop_assert!(faults.iter().all(|it| !it.says.contains('\n') && it.says.chars().count() <= crate::message::SENTENCE));
        for fault in &faults {
            let named = fault.object.iter().all(|it| text.contains(&it.name) && text.contains(&it.kind));
            proptest::prop_assert!(named, "{:?} is not in the message", fault.object);
            let placed = fault.shape.is_some() || matches!(fault.place, Place::Own | Place::Object | Place::Field { .. });
            proptest::prop_assert!(placed, "{:?} of an unknown message", fault.place);
        }
    }

    /// Every example, cut off anywhere and with another text in its middle.
    #[test]
    fn cut_text(row in 0..TABLE.len(), at in 0usize..400, with in "\\PC{0,12}") {
        let (kind, _, message, _, _) = TABLE[row];
        let at = (0..=at.min(message.len())).rev().find(|it| message.is_char_boundary(*it)).unwrap_or_default();
        let (before, after) = message.split_at(at);
        proptest::prop_assert!(!parse(kind, before).is_empty());
        let text = [before, &with, after].concat();
        proptest::prop_assert!(!parse(kind, &text).is_empty());
    }
}

/// Texts of the words and signs that rows look for, in any order.
fn pieces() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let words: Vec<&'static str> = rows::ROWS
        .iter()
        .chain(super::build::BUILD)
        .chain(super::build::PATCHES)
        .chain(api::ANSWERS)
        .chain(super::helm::RELEASE)
        .flat_map(|row| row.2.split('*'))
        .chain([
            "Deployment/apps/web",
            " dry-run failed",
            " (Invalid): ",
            "spec.a[0]",
            ": Invalid value: ",
            "\"",
            "[",
            "]",
            "{",
            "}",
            ", ",
            "\n",
            ": ",
            "<",
            ">",
            " status: '",
            ".spec.x",
            "é",
            "\u{1b}[31m",
            "\\",
            "- at '/a': ",
            "'",
        ])
        .collect();
    prop_oneof![
        any::<String>(),
        prop::collection::vec(prop::sample::select(words), 0..40).prop_map(|words| words.concat()),
    ]
}

#[test]
fn what_is_wrong_whatever_else_is_written() {
    for (error, expected) in [
        (r#"spec.type: Unsupported value: "X": supported values: "A""#, true),
        ("spec.replicas: Invalid value: -1: must be greater than or equal to 0", true),
        ("spec.port: Invalid value: 99999: must be between 1 and 65535, inclusive", true),
        (r#"metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain must consist of"#, true),
        ("spec.maxReplicas: Invalid value: 4: must be greater than or equal to `minReplicas`", false),
        (r#"spec.requests: Invalid value: "2": must be less than or equal to cpu limit of 1"#, false),
        (r#"spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match"#, false),
        (r#"spec.volumeMounts[0].name: Not found: "data""#, false),
        ("spec.image: Required value", false),
        ("spec.selector: Invalid value: {}: field is immutable", false),
    ] {
        let message =
            format!("Deployment/a/web dry-run failed (Invalid): Deployment.apps \"web\" is invalid: {error}");
        let told: Vec<bool> =
            parse(Kind::Kustomization, &message).iter().map(Fault::is_of_the_value_alone).collect();
        assert_eq!(told, [expected], "{error}");
    }
}
