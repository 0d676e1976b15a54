//! What a build reads.

use std::fmt::Write as _;
use std::sync::Arc;

use expect_test::{Expect, expect};

use crate::kustomize::{self, Build, Files, Overlay};
use crate::{RepoPath, Tree, Value, fixture};

fn build(text: &str, dir: &str, components: &[&str]) -> Build {
    let mut tree = fixture::parse(text).tree();
    // A file whose text is `-> …` stands for a symbolic link.
    let links: Vec<RepoPath> =
        tree.paths().filter(|it| tree.read(it).is_some_and(|text| text.starts_with("->"))).cloned().collect();
    for link in links {
        tree.insert_symlink(link);
    }
    let components = components.iter().map(|it| Arc::new(Value::made(*it))).collect();
    let overlay = Overlay { components, ..Overlay::default() };
    kustomize::build(&Files::new(&tree), &RepoPath::new(dir).unwrap(), &overlay)
}

#[track_caller]
fn check(text: &str, dir: &str, components: &[&str], expected: Expect) {
    let build = build(text, dir, components);
    let mut out = String::new();
    for (file, uses) in &build.files {
        let _ = writeln!(out, "{file} {uses:?}");
    }
    for unknown in &build.unknown {
        let _ = writeln!(out, "unknown {}:{} {:?} {}", unknown.at, unknown.field, unknown.range, unknown.why);
    }
    expected.assert_eq(&out);
}

#[test]
fn overlays_bases_and_components() {
    check(
        "
//- apps/prod/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../base
  - ./ingress.yaml
bases: [../base/]
components:
  - ../components/tls
//- apps/prod/ingress.yaml
//- apps/prod/unused.yaml
//- apps/base/kustomization.yml
resources: [deploy.yaml]
//- apps/base/deploy.yaml
//- apps/components/tls/Kustomization
kind: Component
patches: [{path: tls.yaml}]
//- apps/components/tls/tls.yaml
",
        "apps/prod",
        &[],
        expect![[r#"
            apps/base/deploy.yaml {Resource}
            apps/base/kustomization.yml {BuildFile}
            apps/components/tls/Kustomization {BuildFile}
            apps/components/tls/tls.yaml {Patch}
            apps/prod/ingress.yaml {Resource}
            apps/prod/kustomization.yaml {BuildFile}
        "#]],
    );
}

#[test]
fn every_field_that_names_files() {
    check(
        "
//- kustomization.yaml
resources: [crd.yaml]
patchesStrategicMerge:
  - psm.yaml
  - |
    kind: X
patches:
  - path: p.yaml
  - patch: '[]'
patchesJson6902:
  - {path: p6902.json, target: {}}
configMapGenerator:
  - name: a
    files: [cm.txt, key=sub/cm2.txt]
    envs: [a.env]
    env: b.env
    literals: [x=y]
secretGenerator:
  - {name: b, files: [secret.txt]}
crds: [crd.json]
configurations: [nameref.yaml]
openapi: {path: schema.json}
replacements:
  - path: repl.yaml
  - source: {}
transformers:
  - |-
    kind: LabelTransformer
  - plugins
generators: [gen.yaml]
validators: [val.yaml]
helmCharts:
  - name: podinfo
    repo: https://example.com
    valuesFile: values.yaml
    additionalValuesFiles: [more.yaml]
//- crd.yaml
//- psm.yaml
//- p.yaml
//- p6902.json
//- cm.txt
//- sub/cm2.txt
//- a.env
//- b.env
//- secret.txt
//- crd.json
//- nameref.yaml
//- schema.json
//- repl.yaml
//- plugins/kustomization.yaml
resources: [t.yaml]
//- plugins/t.yaml
//- gen.yaml
//- val.yaml
//- values.yaml
//- more.yaml
",
        "",
        &[],
        expect![[r#"
            a.env {GeneratorInput}
            b.env {GeneratorInput}
            cm.txt {GeneratorInput}
            crd.json {Configuration}
            crd.yaml {Resource}
            gen.yaml {Plugin}
            kustomization.yaml {BuildFile}
            more.yaml {Values}
            nameref.yaml {Configuration}
            p.yaml {Patch}
            p6902.json {Patch}
            plugins/kustomization.yaml {BuildFile}
            plugins/t.yaml {Plugin}
            psm.yaml {Patch}
            repl.yaml {Configuration}
            schema.json {Configuration}
            secret.txt {GeneratorInput}
            sub/cm2.txt {GeneratorInput}
            val.yaml {Plugin}
            values.yaml {Values}
            unknown kustomization.yaml:patchesStrategicMerge[1] 68..75 the patch cannot be applied: it does not say which object it is for
            unknown kustomization.yaml:patches[1] 106..117 the patch cannot be applied: a JSON patch needs a target
            unknown kustomization.yaml:generators[0] 543..551 what the plugin gen.yaml does is not known
            unknown kustomization.yaml:transformers[0] 488..517 what the plugin written here does is not known
            unknown kustomization.yaml:transformers[1] 522..529 what the plugin plugins does is not known
            unknown kustomization.yaml:helmCharts[0] 592..702 the chart podinfo is rendered by Helm, and is not read here
        "#]],
    );
}

#[test]
fn bare_directories_are_scanned() {
    check(
        "
//- clusters/a/flux-system/kustomization.yaml
resources: [sync.yaml]
//- clusters/a/flux-system/sync.yaml
//- clusters/a/flux-system/not-named.yaml
//- clusters/a/apps.yaml
//- clusters/a/.hidden/x.yml
//- clusters/a/deep/er/y.yaml
//- clusters/a/README.md
//- clusters/a/link.yaml
-> apps.yaml
//- clusters/b/z.yaml
",
        "clusters/a",
        &["../b", "../../clusters/a/flux-system"],
        expect![[r#"
            clusters/a/.hidden/x.yml {Resource}
            clusters/a/apps.yaml {Resource}
            clusters/a/deep/er/y.yaml {Resource}
            clusters/a/flux-system/kustomization.yaml {BuildFile}
            clusters/a/flux-system/sync.yaml {Resource}
            unknown clusters/a:spec.components[0] 0..0 clusters/b has no kustomization.yaml
            unknown clusters/a:spec.components[1] 0..0 clusters/a/flux-system is of the wrong kind: `resources` takes kustomizations, `components` takes components
        "#]],
    );
}

#[test]
fn what_is_not_known_is_told() {
    check(
        "
//- a/kustomization.yaml
resources:
  - https://example.com/x.yaml
  - github.com/org/repo//base?ref=v1
  - git@example.com:org/repo.git
  - ../../outside
  - /etc
  - missing.yaml
  - bare
  - link
  - link/x.yaml
  - ../b
  - .
components: [bare/x.yaml]
patches: [{path: bare}]
//- a/bare/x.yaml
//- a/link
-> ../b
//- b/kustomization.yaml
resources: [../a, x.yaml]
//- b/kustomization.yml
//- b/x.yaml
",
        "a",
        &[],
        expect![[r#"
            a/kustomization.yaml {BuildFile}
            b/kustomization.yaml {BuildFile}
            b/x.yaml {Resource}
            unknown a/kustomization.yaml:resources[0] 15..41 https://example.com/x.yaml is fetched from elsewhere, and is not read here
            unknown a/kustomization.yaml:resources[1] 46..78 github.com/org/repo//base?ref=v1 is fetched from elsewhere, and is not read here
            unknown a/kustomization.yaml:resources[2] 83..111 git@example.com:org/repo.git is fetched from elsewhere, and is not read here
            unknown a/kustomization.yaml:resources[3] 116..129 ../../outside leads outside of the repository
            unknown a/kustomization.yaml:resources[4] 134..138 /etc leads outside of the repository
            unknown a/kustomization.yaml:resources[5] 143..155 a/missing.yaml does not exist
            unknown a/kustomization.yaml:resources[6] 160..164 a/bare has no kustomization.yaml
            unknown a/kustomization.yaml:resources[7] 169..173 a/link is a symbolic link, which Flux leaves out of its artifacts
            unknown a/kustomization.yaml:resources[8] 178..189 a/link is a symbolic link, which Flux leaves out of its artifacts
            unknown b/kustomization.yaml: 0..0 b has more than one kustomization file
            unknown b/kustomization.yaml:resources[0] 12..16 a includes itself
            unknown a/kustomization.yaml:resources[10] 203..204 a includes itself
            unknown a/kustomization.yaml:components[0] 218..229 a/bare/x.yaml has no kustomization.yaml
            unknown a/kustomization.yaml:patches[0].path 248..252 a/bare is a directory, not a file
        "#]],
    );
    check(
        "//- a/x.yaml\n",
        "b",
        &[],
        expect![[r#"
            unknown b: 0..0 b does not exist
        "#]],
    );
    check(
        "//- a/x.yaml\n",
        "a/x.yaml",
        &[],
        expect![[r#"
            unknown a/x.yaml: 0..0 a/x.yaml has no kustomization.yaml
        "#]],
    );
    check(
        "//- kustomization.yaml\n- a\n",
        "",
        &[],
        expect![[r#"
            kustomization.yaml {BuildFile}
            unknown kustomization.yaml: 0..0 kustomization.yaml cannot be read
        "#]],
    );
    check(
        "//- kustomization.yaml\n# nothing\n",
        "",
        &[],
        expect![[r#"
            kustomization.yaml {BuildFile}
            unknown kustomization.yaml: 0..0 kustomization.yaml cannot be read
        "#]],
    );
    check(
        "//- kustomization.yaml\nresources: [a.yaml]\npatches: [\n//- a.yaml\n",
        "",
        &[],
        expect![[r#"
            a.yaml {Resource}
            kustomization.yaml {BuildFile}
            unknown kustomization.yaml: 0..0 kustomization.yaml cannot be read
        "#]],
    );
    check(
        "//- kustomization.yaml\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: x}\n",
        "",
        &[],
        expect![[r#"
            kustomization.yaml {BuildFile}
            unknown kustomization.yaml: 0..0 kustomization.yaml cannot be read
        "#]],
    );
}

#[test]
fn a_chain_of_builds_is_bounded() {
    let chain: String =
        (0..100).map(|it| format!("//- d{it}/kustomization.yaml\nresources: [../d{}]\n", it + 1)).collect();
    let why: Vec<String> = build(&chain, "d0", &[]).unknown.iter().map(|it| it.why.to_string()).collect();
    assert_eq!(why, ["d64 and what it includes are too many to follow"]);
}
