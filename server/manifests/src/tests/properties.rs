//! What holds for any text.

use proptest::prelude::*;

use super::nodes;
use crate::{
    Document, FieldPath, LineCol, LineIndex, Node, NodeKind, ParsedFile, RepoPath, Segment, Soundness,
    TextRange, TextSize, decode,
};

/// At least a thousand cases each; more with `PROPTEST_CASES`.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: default.cases.max(1_000), ..default }
}

/// Pieces of which hard YAML is made.
fn piece() -> impl Strategy<Value = String> {
    let fixed = [
        "a: ",
        "b:",
        "key: value",
        "- ",
        "  ",
        "    ",
        "\n",
        "\n",
        "\n",
        "\r\n",
        "\r",
        "---\n",
        "---",
        "--- ",
        "...\n",
        "|\n",
        ">-\n",
        "|2+ # c\n",
        "'",
        "\"",
        "\\",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "# comment",
        "&a ",
        "*a",
        "<<: *a",
        "!!str ",
        "? ",
        ": ",
        "\t",
        "\u{feff}",
        "ü",
        "😀",
        "{{ .x }}",
        "{{- if y }}",
        "${VAR:=x}",
        "%YAML 1.2\n",
        "~",
        "null",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n",
        "spec:\n  path: ./apps\n",
        "\0",
        "\u{85}",
        "\u{2028}",
    ];
    prop_oneof![8 => prop::sample::select(fixed.to_vec()).prop_map(str::to_owned), 1 => ".{0,4}"]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..40).prop_map(|pieces| pieces.concat())
}

/// A valid document with a marker line.
fn sound() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "kind: X\n",
        "metadata:\n  name: a\n",
        "metadata: {name: b, namespace: c}\n",
        "l:\n- 1\n- x: ü😀\n  y: 2\n",
        "t: |\n  text\n\n   more\n",
        "q: \"x\\n\"\n",
        "# comment\n",
        "e:\n",
        "a: &a [1]\nb: *a\n",
        "apiVersion: v1\n",
        "\n",
        "w: 'it''s'\r\n",
    ]);
    prop::collection::vec(line, 0..6).prop_map(|lines| format!("---\n{}", lines.concat()))
}

/// Replaces a part of a text; positions are taken modulo its length and moved to character boundaries.
fn edit(text: &str, at: usize, length: usize, insert: &str) -> String {
    let start = text.floor_char_boundary(at % (text.len() + 1));
    let end = text.ceil_char_boundary((start + length).min(text.len()));
    format!("{}{insert}{}", &text[..start], &text[end..])
}

fn check_tree(document: &Document) {
    let whole = TextRange::up_to(document.text_len);
    let inside = |outer: TextRange, inner: TextRange| {
        assert!(outer.contains_range(inner), "{outer:?} {inner:?} in {:?}", document.text());
        assert!(document.text().get(crate::bytes(inner)).is_some(), "{inner:?} in {:?}", document.text());
    };
    fn children(node: &Node) -> Vec<&Node> {
        match &node.kind {
            NodeKind::Mapping(entries) => entries.iter().flat_map(|it| [&it.key, &it.value]).collect(),
            NodeKind::Sequence(items) => items.iter().collect(),
            _ => Vec::new(),
        }
    }
    for node in document.root.iter().flat_map(nodes) {
        inside(whole, node.range);
        children(node).iter().for_each(|child| inside(node.range, child.range));
        if let NodeKind::Scalar(scalar) = &node.kind {
            inside(node.range, scalar.inner);
            if let Some(map) = document.scalar_map(node) {
                let mapped = map.in_document(TextRange::up_to(TextSize::of(&*scalar.value)));
                mapped.iter().for_each(|range| inside(scalar.inner, *range));
            }
        }
        if let NodeKind::Alias(crate::Alias { target: Some(target), .. }) = &node.kind {
            inside(whole, target.range);
        }
    }
    for range in document.comments().into_iter().chain(document.unread().iter().copied()) {
        inside(whole, range);
    }
    for at in 0..=document.text().len().min(60) {
        let _ = document.path_at(TextSize::new(at as u32));
    }
}

fn check_file(file: &ParsedFile, text: &str) {
    let mut end = TextSize::new(0);
    for placed in file.documents() {
        assert_eq!(placed.offset, end);
        assert_eq!(&text[crate::bytes(placed.range())], placed.document.text());
        end = placed.range().end();
        check_tree(&placed.document);
    }
    assert_eq!(end, TextSize::of(text));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = decode(bytes).text;
        check_file(&ParsedFile::parse(&text), &text);
    }

    #[test]
    fn any_yaml_is_read(text in text()) {
        check_file(&ParsedFile::parse(&text), &text);
    }

    #[test]
    fn any_edits_are_read(text in text(), edits in prop::collection::vec((any::<usize>(), 0..20_usize, piece()), 1..6)) {
        let mut text = text;
        let mut file = ParsedFile::parse(&text);
        for (at, length, insert) in edits {
            text = edit(&text, at, length, &insert);
            file = file.reparse(&text);
            check_file(&file, &text);
            // A text that is YAML is read as if there had been no other before it.
            for (kept, fresh) in file.documents().iter().zip(ParsedFile::parse(&text).documents()) {
                if matches!(fresh.document.soundness, Soundness::Sound | Soundness::Empty) {
                    prop_assert_eq!(&kept.document, &fresh.document);
                }
            }
        }
    }

    #[test]
    fn an_edit_leaves_the_other_documents_alone(
        documents in prop::collection::vec(sound(), 2..5), which in any::<usize>(), at in 4..1000_usize,
        length in 0..10_usize, insert in "[a-z :\\[{'\"&*|\t-]{0,6}",
    ) {
        let before = documents.concat();
        let mut edited = documents.clone();
        let which = which % documents.len();
        // The marker line is left alone: without it there is one document less.
        let at = 4 + at % (edited[which].len() - 3);
        let room = edited[which].len().saturating_sub(1).saturating_sub(at).min(length);
        edited[which] = edit(&edited[which], at, room, &insert);
        let after = edited.concat();
        // What was typed may be a marker of its own; then there is one document more, and those behind it move on. Or it
        // stands before a marker, which then is none.
        let [old, new] = [&before, &after].map(|it| ParsedFile::parse(it));
        if new.documents().len() != documents.len() {
            let is_more = new.documents().len() > documents.len();
            let [old, new] = [&old, &old.reparse(&after)].map(|it| it.documents().last().cloned());
            if is_more && which + 1 < documents.len() {
                prop_assert_eq!(old.map(|it| it.document), new.map(|it| it.document));
            }
            return Ok(());
        }
        let reparsed = old.reparse(&after);
        for (index, (old, new)) in old.documents().iter().zip(reparsed.documents()).enumerate() {
            if index != which {
                prop_assert_eq!(&old.document, &new.document);
                let moved = if index > which { after.len() as i64 - before.len() as i64 } else { 0 };
                prop_assert_eq!(i64::from(u32::from(new.offset)), i64::from(u32::from(old.offset)) + moved);
            }
        }
    }

    #[test]
    fn a_last_good_tree_tells_what_is_written(text in sound(), at in any::<usize>(), insert in "[\\[\\]{}'\"\n:-]{1,12}") {
        let old = ParsedFile::parse(&text);
        let broken = edit(&text, at, 0, &insert);
        let new = old.reparse(&broken);
        let old = &old.documents()[0].document;
        let before: Vec<_> = old.leaves().into_iter().map(|(path, node)| (path, old.slice(node.range))).collect();
        for placed in new.documents().iter().filter(|it| it.document.soundness == Soundness::LastGood) {
            let document = &placed.document;
            // What was touched is gone or empty, everything else stands where it did.
            for (path, node) in document.leaves().into_iter().filter(|(_, node)| node.as_str().is_some()) {
                let now = (path, document.slice(node.range));
                prop_assert!(before.contains(&now), "{:?}", now);
            }
        }
    }

    #[test]
    fn paths_are_read_as_they_are_written(segments in prop::collection::vec(segment(), 0..5)) {
        let path: FieldPath = segments.into_iter().collect();
        prop_assert_eq!(path.to_string().parse::<FieldPath>(), Ok(path));
    }

    #[test]
    fn any_text_as_path_is_no_panic(text in "[a\\.\\[\\]\"'=\\\\0ü]{0,12}") {
        if let Ok(path) = text.parse::<FieldPath>() {
            prop_assert_eq!(path.to_string().parse::<FieldPath>(), Ok(path));
        }
    }

    #[test]
    fn repository_paths_never_lead_outside(base in "[a./]{0,8}", text in "[a./]{0,12}") {
        let base = RepoPath::of_flux(&base);
        for path in base.join(&text).into_iter().chain([RepoPath::of_flux(&text)]) {
            prop_assert!(path.parts().all(|part| !matches!(part, "." | ".." | "")));
            prop_assert_eq!(RepoPath::new(path.as_str()), Some(path.clone()));
            if let Some(parent) = path.parent() {
                prop_assert!(path.starts_with(&parent) && !parent.starts_with(&path));
                prop_assert_eq!(parent.join(path.file_name()), Some(path));
            }
        }
    }

    #[test]
    fn positions_lead_back(text in "[a\u{e9}\u{1f600}\r\n]{0,30}", line in 0..12_u32, col in 0..12_u32) {
        let index = LineIndex::new(&text);
        for (at, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let in_line_end = at > 0 && text[at..].starts_with('\n') && text[..at].ends_with('\r');
            if !in_line_end {
                prop_assert_eq!(usize::from(index.offset(index.line_col(TextSize::new(at as u32)))), at);
            }
        }
        let offset = index.offset(LineCol { line, col });
        prop_assert!(text.is_char_boundary(offset.into()));
        for at in 0..=text.len() + 2 {
            let _ = index.line_col(TextSize::new(at as u32));
        }
    }
}

fn segment() -> impl Strategy<Value = Segment> {
    prop_oneof![
        "[a-zü.\\[\\]\"'\\\\= /0-9]{0,5}".prop_map(Segment::Key),
        (0..100_usize).prop_map(Segment::Index),
        ("[a-z.\"=]{0,3}", "[a-z\\]\"\\\\ ]{0,3}").prop_map(|(field, value)| Segment::Item { field, value }),
    ]
}
