//! Ranges of scalars, and the way from a value back to its text.

use expect_test::{Expect, expect};

use crate::{Node, ParsedFile, TextRange, TextSize};

/// The value under `a`: its range, the range inside of it, its value; then where each word of it is written.
#[track_caller]
fn check(text: &str, expected: Expect) {
    let file = ParsedFile::parse(text);
    let document = &file.documents()[0].document;
    let node = document.get(&"a".parse().unwrap()).unwrap();
    let scalar = node.as_scalar().unwrap();
    let mut out =
        format!("{:?} {:?} {:?}\n", document.slice(node.range), document.slice(scalar.inner), scalar.value);
    let map = document.scalar_map(node);
    let mut at = 0;
    for word in scalar.value.split_whitespace() {
        at += scalar.value[at..].find(word).unwrap();
        let range = TextRange::at(TextSize::new(at as u32), TextSize::of(word));
        let written = map.as_ref().and_then(|it| it.in_document(range));
        let written = written.map(|it| document.slice(it).to_owned());
        if written.as_deref() != Some(word) {
            out += &format!("{word:?} is written {written:?}\n");
        }
        at += word.len();
    }
    expected.assert_eq(&out);
}

#[test]
fn plain_and_quoted() {
    check(
        "a: b # c\n",
        expect![[r#"
        "b" "b" "b"
    "#]],
    );
    check(
        "a: one\n  two\n\n  three # c\n",
        expect![[r#"
        "one\n  two\n\n  three" "one\n  two\n\n  three" "one two\nthree"
    "#]],
    );
    check(
        "a: ''\n",
        expect![[r#"
        "''" "" ""
    "#]],
    );
    check(
        "a: 'it''s here'\n",
        expect![[r#"
        "'it''s here'" "it''s here" "it's here"
        "it's" is written Some("it''s")
    "#]],
    );
    check(
        "a: \"q \\\"x\\\" \\u00e9 \\x41 z\"\n",
        expect![[r#"
        "\"q \\\"x\\\" \\u00e9 \\x41 z\"" "q \\\"x\\\" \\u00e9 \\x41 z" "q \"x\" é A z"
        "\"x\"" is written Some("\\\"x\\\"")
        "é" is written Some("\\u00e9")
        "A" is written Some("\\x41")
    "#]],
    );
    check(
        "a: \"one \\\n  two\n  three\"\n",
        expect![[r#"
        "\"one \\\n  two\n  three\"" "one \\\n  two\n  three" "one two three"
    "#]],
    );
    check(
        "a: ${VAR:=x}-${B}\n",
        expect![[r#"
        "${VAR:=x}-${B}" "${VAR:=x}-${B}" "${VAR:=x}-${B}"
    "#]],
    );
    check(
        "a:\nb: 1\n",
        expect![[r#"
        "" "" ""
    "#]],
    );
    check(
        "a:   \n",
        expect![[r#"
        "" "" ""
    "#]],
    );
    check(
        "a: ~\n",
        expect![[r#"
        "~" "~" "~"
    "#]],
    );
    check(
        "{a: }",
        expect![[r#"
        "" "" ""
    "#]],
    );
    check(
        "a: !!str &x\n",
        expect![[r#"
        "" "" ""
    "#]],
    );
    check(
        "a: !!str &x 'y'\n",
        expect![[r#"
        "'y'" "y" "y"
    "#]],
    );
}

#[test]
fn block() {
    check(
        "a: |\n  one\n\n   two\n  three\n\nb: 1\n",
        expect![[r#"
        "|\n  one\n\n   two\n  three" "one\n\n   two\n  three" "one\n\n two\nthree\n"
    "#]],
    );
    check(
        "a: |-\n  one\nb: 1\n",
        expect![[r#"
        "|-\n  one" "one" "one"
    "#]],
    );
    check(
        "a: >+ # | c\n  one\n  two\n\n  three\n   four\n\n",
        expect![[r#"
        ">+ # | c\n  one\n  two\n\n  three\n   four" "one\n  two\n\n  three\n   four" "one two\nthree\n four\n\n"
    "#]],
    );
    check(
        "a: &x |2-\n\n    one\n  two\n",
        expect![[r#"
        "|2-\n\n    one\n  two" "  one\n  two" "\n  one\ntwo"
    "#]],
    );
    check(
        "a: !<tag:x> >\r\n  one\r\n  two\r\n",
        expect![[r#"
        ">\r\n  one\r\n  two" "one\r\n  two" "one two\n"
    "#]],
    );
    check(
        "a: |\n",
        expect![[r#"
        "|" "" ""
    "#]],
    );
    check(
        "a: |\n\nb: 1\n",
        expect![[r#"
        "|" "" ""
    "#]],
    );
    check(
        "a: |\n  ü😀 x\n  last",
        expect![[r#"
        "|\n  ü😀 x\n  last" "ü😀 x\n  last" "ü😀 x\nlast\n"
    "#]],
    );
    check(
        "a: |\n  \ttab\n",
        expect![[r#"
        "|\n  \ttab" "\ttab" "\ttab\n"
    "#]],
    );
}

#[test]
fn yaml_inside_of_a_block_scalar_maps_back() {
    let text = "patches:\n  - patch: |\n      spec:\n        values: |\n          image:\n            tag: v1\n    target: {}\n";
    let file = ParsedFile::parse(text);
    let document = &file.documents()[0].document;
    let outer = document.get(&"patches[0].patch".parse().unwrap()).unwrap();
    let (inner, map) = document.nested(outer).unwrap();
    let inner = &inner.documents()[0].document;
    let values = inner.get(&"spec.values".parse().unwrap()).unwrap();
    let (innermost, inner_map) = inner.nested(values).unwrap();
    let tag: &Node = innermost.documents()[0].document.get(&"image.tag".parse().unwrap()).unwrap();
    let range = inner_map.in_document(tag.range).and_then(|it| map.in_document(it)).unwrap();
    assert_eq!((document.slice(range), usize::from(range.start())), ("v1", text.find("v1").unwrap()));
}
