//! From text to documents, roles and identities.

use expect_test::{Expect, expect};

use super::{path, show};
use crate::{FieldPath, MAX_FILE_LEN, ParsedFile, RepoPath, Role, Soundness, TextSize, decode, fixture};

#[track_caller]
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&show(&ParsedFile::parse(text)));
}

#[test]
fn a_flux_object() {
    check(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: apps # the name\n  namespace: \"flux-system\"\nspec:\n  path: ./apps\n  dependsOn:\n    - name: infra\n    - {name: crds, namespace: other}\n  prune: true\n",
        expect![[r#"
            0..227 Sound Object kustomize.toolkit.fluxcd.io/v1/Kustomization flux-system/apps
              apiVersion 12..42 "kustomize.toolkit.fluxcd.io/v1"
              kind 49..62 "Kustomization"
              metadata.name 81..85 "apps"
              metadata.namespace 110..123 "\"flux-system\"" = "flux-system"
              spec.path 138..144 "./apps"
              spec.dependsOn[0].name 170..175 "infra"
              spec.dependsOn[1].name 189..193 "crds"
              spec.dependsOn[1].namespace 206..211 "other"
              spec.prune 222..226 "true"
        "#]],
    );
}

#[test]
fn kustomize_files_are_not_flux_objects() {
    check(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata:\n  name: x\nresources: []\n",
        expect![[r#"
        0..98 Sound KustomizeFile kustomize.config.k8s.io/v1beta1/Kustomization -/x
          apiVersion 12..43 "kustomize.config.k8s.io/v1beta1"
          kind 50..63 "Kustomization"
          metadata.name 82..83 "x"
          resources 95..97 "[]" (empty)
    "#]],
    );
    check(
        "kind: Kustomization\nresources: [a.yaml]\n",
        expect![[r#"
        0..40 Sound Other
          kind 6..19 "Kustomization"
          resources[0] 32..38 "a.yaml"
    "#]],
    );
    let role_in = |text: &str, name: &str| {
        ParsedFile::parse(text).documents()[0].document.role_in(&RepoPath::new(name).unwrap())
    };
    assert_eq!(role_in("resources: [a.yaml]\n", "apps/kustomization.yaml"), Role::KustomizeFile);
    assert_eq!(role_in("resources: [a.yaml]\n", "apps/Kustomization"), Role::KustomizeFile);
    assert_eq!(role_in("resources: [a.yaml]\n", "apps/other.yaml"), Role::Other);
    assert_eq!(role_in("replicas: 2\n", "apps/values-prod.yaml"), Role::Values);
    // A Flux object in a file of that name is still one; Flux's build of the folder fails for it.
    let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: x}\nspec: {path: ./a}\n";
    assert_eq!(role_in(flux, "apps/kustomization.yaml"), Role::Object);
}

#[test]
fn many_documents() {
    check(
        "# a license\n\n---\na: 1\n--- # second\nb: |\n  text\n---\n---   \n# only this\n--- text\n---\t# tab\nc: 1\n---not a marker: 2\n",
        expect![[r#"
            0..22 Sound Other
              a 20..21 "1"
            22..47 Sound Other
              b 16..24 "|\n  text" = "text\n"
            47..51 Empty Other
            51..70 Empty Other
            70..79 Sound Other
               4..8 "text"
            79..113 Sound Other
              c 13..14 "1"
              ["---not a marker"] 32..33 "2"
        "#]],
    );
    check(
        "a: 1\n...\nb: 2\n...\n# c\n---\nd: 3\n...\n",
        expect![[r#"
        0..9 Sound Other
          a 3..4 "1"
        9..18 Sound Other
          b 3..4 "2"
        18..35 Sound Other
          d 11..12 "3"
    "#]],
    );
    check(
        "%YAML 1.2\n---\na: 1\n...\n%YAML 1.2\n---\nb: 1\n",
        expect![[r#"
        0..23 Sound Other
          a 17..18 "1"
        23..42 Sound Other
          b 17..18 "1"
    "#]],
    );
    check(
        "",
        expect![[r#"
        0..0 Empty Other
    "#]],
    );
}

#[test]
fn line_ends_marks_and_tabs() {
    check(
        "\u{feff}---\r\na: 1\r\nb: |\r\n  x\r\n  y\r\n---\r\nc: 2",
        expect![[r#"
        0..30 Sound Other
          a 11..12 "1"
          b 17..28 "|\r\n  x\r\n  y" = "x\ny\n"
        30..39 Sound Other
          c 8..9 "2"
    "#]],
    );
    check(
        "a: 1\rb:\r  - x\r---\rc: 2\r",
        expect![[r#"
        0..14 Sound Other
          a 3..4 "1"
          b[0] 12..13 "x"
        14..23 Sound Other
          c 7..8 "2"
    "#]],
    );
    check(
        "\u{feff}kind: X # ü😀\nname: \"ü😀\" # y\n",
        expect![[r#"
        0..39 Sound Other
          kind 9..10 "X"
          name 26..34 "\"ü😀\"" = "ü😀"
    "#]],
    );
    check(
        "a: 1\n\tb: 2\nc: 3\n",
        expect![[r#"
            0..16 Repaired Other
              a 3..4 "1"
              c 14..15 "3"
              unread ["b: 2"]
              error at 3: while scanning a plain scalar, found a tab
        "#]],
    );
}

#[test]
fn aliases_and_merge_keys() {
    check(
        "base: &base\n  x: 1\n  y: &y [2]\nother: *base\nlist: [*y, *nope]\nself: &self\n  me: *self\n",
        expect![[r#"
        0..86 Sound Other
          base.x 17..18 "1"
          base.y[0] 28..29 "2"
          other 38..43 "*base" -> "x: 1\n  y: &y [2]"
          list[0] 51..53 "*y" -> "[2]"
          list[1] 55..60 "*nope" -> ?
          self.me 80..85 "*self" -> ?
    "#]],
    );
    let file = ParsedFile::parse(
        "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*b, *a]\n  z: 3\nd:\n  <<: *a\n",
    );
    let scalar = |path: &str| file.documents()[0].document.scalar(path).map(str::to_owned);
    assert_eq!(
        ["c.x", "c.y", "c.z", "d.y", "d.z"].map(scalar),
        ["1", "2", "3", "1"].map(|it| Some(it.into())).into_iter().chain([None]).collect::<Vec<_>>()[..]
    );
}

#[test]
fn expansion_bombs_cost_nothing() {
    let mut text = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..100 {
        text += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(", "));
    }
    let file = ParsedFile::parse(&text);
    assert_eq!(file.documents()[0].document.soundness, Soundness::Sound);
    let deep = (0..20_000).map(|it| format!("- &a{it} [*a{}]\n", it.max(1) - 1)).collect::<String>();
    let file = ParsedFile::parse(&deep);
    assert_eq!(file.documents()[0].document.leaves().len(), 20_000);
}

#[test]
fn deep_nesting_is_refused() {
    for text in ["[".repeat(100_000), "- ".repeat(100_000), "? ".repeat(50_000), "{a: ".repeat(100_000)] {
        let file = ParsedFile::parse(&text);
        assert!(matches!(file.documents()[0].document.soundness, Soundness::Broken | Soundness::Repaired));
    }
    let indented = (0..1_000).map(|it| format!("{}a:\n", " ".repeat(it))).collect::<String>();
    assert!(ParsedFile::parse(&indented).documents()[0].document.error().is_some());
}

#[test]
fn the_last_of_duplicate_keys_counts() {
    let file = ParsedFile::parse("kind: A\nkind: B\n");
    assert_eq!(file.documents()[0].document.scalar("kind"), Some("B"));
}

#[test]
fn templates() {
    check(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-x\n  labels:\n    {{- include \"x\" . | nindent 4 }}\n{{- if .Values.a }}\ndata:\n  a: b\n{{- end }}\n",
        expect![[r#"
            0..162 Templated Template
              apiVersion 12..14 "v1"
              kind 21..30 "ConfigMap"
              metadata.name 49..70 "{{ .Release.Name }}-x" = "xxxxxxxxxxxxxxxxxxx-x"
              metadata.labels 80..80 ""
              data.a 149..150 "b"
              unread ["{{ .Release.Name }}", "{{- include \"x\" . | nindent 4 }}", "{{- if .Values.a }}", "{{- end }}"]
        "#]],
    );
    check(
        "{{/* }} */}}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: fixed\ndata: {{ toYaml .Values.\"}}\" }}\n",
        expect![[r#"
            0..100 Templated Template v1/ConfigMap -/fixed
              apiVersion 25..27 "v1"
              kind 34..43 "ConfigMap"
              metadata.name 62..67 "fixed"
              data 74..99 "{{ toYaml .Values.\"}}\" }}" = "xxxxxxxxxxxxxxxxxxxxxxxxx"
              unread ["{{/* }} */}}", "{{ toYaml .Values.\"}}\" }}"]
        "#]],
    );
    check(
        "a: \"{{ .x }}\"\nb: |\n  {{ .y }}\nc: pod {{ $labels.pod }} is down\n# {{ z }}\n",
        expect![[r#"
        0..73 Sound Other
          a 3..13 "\"{{ .x }}\"" = "{{ .x }}"
          b 17..29 "|\n  {{ .y }}" = "{{ .y }}\n"
          c 33..62 "pod {{ $labels.pod }} is down"
    "#]],
    );
}

#[test]
fn repair_keeps_what_is_outside_of_the_broken_line() {
    check(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  labels: [a,\ndata:\n  a: b\n---\nb: 1\n",
        expect![[r#"
        0..78 Repaired Object v1/ConfigMap -/x
          apiVersion 12..14 "v1"
          kind 21..30 "ConfigMap"
          metadata.name 49..50 "x"
          data.a 76..77 "b"
          unread ["labels: [a,"]
          error at 74: while parsing a flow mapping, did not find expected ',' or '}'
        78..87 Sound Other
          b 7..8 "1"
    "#]],
    );
    check(
        "a: b: c\n",
        expect![[r#"
        0..8 Repaired Other
          unread ["a: b: c"]
          error at 4: mapping values are not allowed in this context
    "#]],
    );
}

#[test]
fn what_cannot_be_repaired_keeps_its_last_good_tree() {
    let good = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n  list: [a, bc, d]\n  z: 1\n";
    let broken = good.replace("bc", "b]]\n : [\n- {\n%: }\n &: [\n*: ]\n @: `\n: '\nc");
    let file = ParsedFile::parse(good).reparse(&broken);
    expect![[r#"
        0..121 LastGood Object v1/ConfigMap -/x
          apiVersion 12..14 "v1"
          kind 21..30 "ConfigMap"
          metadata.name 49..50 "x"
          data.list[0] 66..67 "a"
          data.list[1] 69..109 "b]]\n : [\n- {\n%: }\n &: [\n*: ]\n @: `\n: '\nc" = ""
          data.list[2] 111..112 "d"
          data.z 119..120 "1"
          unread ["]]\n : [\n- {\n%: }\n &: [\n*: ]\n @: `\n: '\n"]
          error at 71: misplaced bracket
    "#]]
    .assert_eq(&show(&file));
    assert_eq!(ParsedFile::parse(&broken).documents()[0].document.soundness, Soundness::Broken);
    let file = file.reparse(good);
    assert_eq!(file.documents()[0].document.soundness, Soundness::Sound);
}

#[test]
fn an_edit_reuses_the_other_documents() {
    let old = ParsedFile::parse("a: 1\n---\nb: 2\n---\nc: 3\n");
    let new = old.reparse("a: 1\n---\nb: 22\n---\nc: 3\n");
    let same = |index: usize| {
        std::sync::Arc::ptr_eq(&old.documents()[index].document, &new.documents()[index].document)
    };
    assert_eq!([0, 1, 2].map(same), [true, false, true]);
    assert_eq!(new.documents()[2].offset, TextSize::new(15));
}

#[test]
fn a_tree_never_moves_to_another_document() {
    let old = ParsedFile::parse("kind: A\n---\nkind: B\n");
    let new = old.reparse("kind: A\n---\n[\n---\nkind: B\n");
    let kinds = new.documents().iter().map(|it| it.document.scalar("kind").map(str::to_owned));
    assert_eq!(kinds.collect::<Vec<_>>(), [Some("A".into()), None, Some("B".into())]);
    // A marker was typed into a document: which part would its tree belong to?
    let hopeless = ": [\n- {\n%: }\n &: [\n*: ]\n @: `\n: '\n";
    let new = ParsedFile::parse("kind: B\nz: 1\n").reparse(&format!("kind: B\n{hopeless}---\nz: 1\n"));
    let states = new.documents().iter().map(|it| it.document.soundness);
    assert_eq!(states.collect::<Vec<_>>(), [Soundness::Broken, Soundness::Sound]);
}

#[test]
fn lists_and_patches() {
    check(
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n- 1\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: b}\n",
        expect![[r#"
        0..148 Sound List
          apiVersion 12..14 "v1"
          kind 21..25 "List"
          items[0].apiVersion 47..49 "v1"
          items[0].kind 58..67 "ConfigMap"
          items[0].metadata.name 87..88 "a"
          items[1] 92..93 "1"
          items[2].apiVersion 108..110 "v1"
          items[2].kind 119..125 "Secret"
          items[2].metadata.name 145..146 "b"
    "#]],
    );
    let file = ParsedFile::parse("kind: List\nitems: [x, {apiVersion: v1, kind: A, metadata: {name: a}}]\n");
    let items =
        file.documents()[0].document.items().iter().map(|it| format!("{} {}", it.path, it.identity.name));
    assert_eq!(items.collect::<Vec<_>>(), ["items[1] a"]);
    let role = |text: &str| ParsedFile::parse(text).documents()[0].document.role();
    assert_eq!(role("- op: add\n  path: /spec\n"), Role::Patch);
    assert_eq!(role("apiVersion: v1\nkind: A\nmetadata: {name: a}\n$patch: delete\n"), Role::Patch);
    let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\n";
    assert_eq!(role(&format!("{flux}spec: {{targetNamespace: x}}\n")), Role::Patch);
    assert_eq!(role(&format!("{flux}spec: {{interval: 1m}}\n")), Role::Object);
    assert_eq!(role(&format!("{flux}spec:\n")), Role::Object);
}

#[test]
fn too_large_is_said() {
    let file = ParsedFile::parse(&"a: b\n".repeat(MAX_FILE_LEN / 5 + 1));
    assert!(file.too_large() && file.documents().is_empty());
    assert!(file.document_at(TextSize::new(3)).is_none());
}

#[test]
fn bytes_that_are_no_text() {
    let decoded = decode(b"a: \xff\n".to_vec());
    assert_eq!((decoded.text.as_str(), decoded.lossy), ("a: \u{fffd}\n", true));
    assert!(!decode("a: ü\n".into()).lossy);
}

#[test]
fn paths() {
    let file = ParsedFile::parse(
        "metadata:\n  annotations: {a.b/c: x}\nspec:\n  list:\n    - name: a\n    - name: b\n      v: 1\n",
    );
    let document = &file.documents()[0].document;
    assert_eq!(document.scalar("metadata.annotations[\"a.b/c\"]"), Some("x"));
    assert_eq!(document.scalar(".metadata.annotations[a.b/c]"), Some("x"));
    assert_eq!(document.scalar("spec.list[1].v"), Some("1"));
    assert_eq!(document.scalar("spec.list[name=\"b\"].v"), Some("1"));
    let (found, node) = document.nearest(&path("spec.list[1].w.x")).unwrap();
    assert_eq!(
        (found.to_string().as_str(), document.slice(node.range)),
        ("spec.list[1]", "name: b\n      v: 1")
    );
    let entry = document.entry(&path("spec.list")).unwrap();
    assert_eq!(document.slice(entry.key.range), "list");
    for text in ["a..b", "a[", "a[]", "a[\"x]", "a]b[0]x"] {
        assert!(text.parse::<FieldPath>().is_err() || text == "a]b[0]x", "{text}");
    }
    expect![[r#"`a[` is not a field path: brackets are empty at byte 2. Write it like spec.dependsOn[0].name or metadata.annotations["a.b/c"]."#]]
        .assert_eq(&"a[".parse::<FieldPath>().unwrap_err().to_string());
}

#[test]
fn what_stands_at_the_cursor() {
    let check = |text: &str, expected: Expect| {
        let fixture = fixture::parse(text);
        let (path, cursor) = fixture.cursor.clone().unwrap();
        let file = ParsedFile::parse(fixture.text(path.as_str()));
        let placed = file.document_at(cursor).unwrap();
        let found = placed.in_document(cursor).and_then(|it| placed.document.path_at(it));
        let found = found.map(|(path, node)| format!("{path} {:?}", placed.document.slice(node.range)));
        expected.assert_eq(&found.unwrap_or_default());
    };
    check("spec:\n  pa$0th: ./apps\n", expect![[r#"spec.path "path""#]]);
    check("spec:\n  path: $0./apps\n", expect![[r#"spec.path "./apps""#]]);
    check("spec:\n  path:  $0 ./apps\n", expect![[r#"spec.path "./apps""#]]);
    check("spec:\n  path: ./apps$0\n", expect![[r#"spec.path "./apps""#]]);
    check("spec:\n  list:\n  - a: 1\n  - b: $02\n", expect![[r#"spec.list[1].b "2""#]]);
    check("spec:\n $0 path: ./apps\n", expect![[r#"spec "path: ./apps""#]]);
    check("a: 1\n---\nb: {c: [1, 2$0]}\n", expect![[r#"b.c[1] "2""#]]);
    check("spec: |\n  te$0xt\n", expect![[r#"spec "|\n  text""#]]);
    check("# comm$0ent\nspec:\n", expect![""]);
}

#[test]
fn comments() {
    let text = "# top\n---  # marker\na: b # plain\nc#d: 'x # y' # quoted\n# between\ne: | # header\n  # content\n# behind\nf: [1, # flow\n  2]\n# end";
    let file = ParsedFile::parse(text);
    let document = &file.documents()[0].document;
    let comments: Vec<&str> = document.comments().into_iter().map(|it| document.slice(it)).collect();
    assert_eq!(
        comments,
        ["# top", "# marker", "# plain", "# quoted", "# between", "# header", "# behind", "# flow", "# end"]
    );
}
