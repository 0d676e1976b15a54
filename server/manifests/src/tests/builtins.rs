//! What kustomize's own generators and transformers do, where that is not what one would guess. Each rule was read in
//! kustomize api 0.21.1 or fluxcd/pkg/kustomize 1.35.6 and seen in what they make.

use std::sync::Arc;

use expect_test::expect;

use super::build::{check, check_with};
use crate::kustomize::{Files, Overlay, Variable, Variables};
use crate::{RepoPath, Value, fixture};

/// The hash is for a name that both of the joined objects want to have one.
#[test]
fn a_generator_that_merges_or_replaces() {
    check(
        "over",
        "
//- base/kustomization.yaml
resources: [plain.yaml]
configMapGenerator:
  - {name: both, literals: [a=1, b=1], options: {labels: {l: base, m: base}}}
  - {name: old-only, literals: [a=1]}
  - {name: new-only, literals: [a=1], options: {disableNameSuffixHash: true}}
  - {name: whole, literals: [a=1, b=1]}
//- base/plain.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: plain, annotations: {kept: 'yes'}}
immutable: true
data: {a: '1', b: '1'}
//- over/kustomization.yaml
resources: [../base]
configMapGenerator:
  - {name: both, behavior: merge, literals: [b=2], options: {labels: {l: over}, immutable: true}}
  - {name: old-only, behavior: merge, literals: [a=2], options: {disableNameSuffixHash: true}}
  - {name: new-only, behavior: merge, literals: [a=2]}
  - {name: plain, behavior: merge, literals: [b=2]}
  - {name: whole, behavior: replace, literals: [b=2]}
",
        &[
            "data.a",
            "data.b",
            "immutable",
            "metadata.labels.l",
            "metadata.labels.m",
            "metadata.annotations.kept",
        ],
        expect![[r#"
            ConfigMap plain <- base/plain.yaml#0
                Included base/kustomization.yaml
                Included over/kustomization.yaml
                GeneratorInput over/kustomization.yaml
                data.a = "1" at base/plain.yaml:5 `'1'`
                data.b = "2" at over/kustomization.yaml:6 `b=2`
                metadata.annotations.kept = "yes" at base/plain.yaml:3 `'yes'`
            ConfigMap both-7gdc49gk6d <- base/kustomization.yaml configMapGenerator[0]
                Included over/kustomization.yaml
                GeneratorInput over/kustomization.yaml
                data.a = "1" at base/kustomization.yaml:3 `a=1`
                data.b = "2" at over/kustomization.yaml:3 `b=2`
                immutable = "true" at over/kustomization.yaml:3 `true`
                metadata.labels.l = "over" at over/kustomization.yaml:3 `over`
                metadata.labels.m = "base" at base/kustomization.yaml:3 `base`
            ConfigMap old-only <- base/kustomization.yaml configMapGenerator[1]
                Included over/kustomization.yaml
                GeneratorInput over/kustomization.yaml
                data.a = "2" at over/kustomization.yaml:4 `a=2`
            ConfigMap new-only <- base/kustomization.yaml configMapGenerator[2]
                Included over/kustomization.yaml
                GeneratorInput over/kustomization.yaml
                data.a = "2" at over/kustomization.yaml:5 `a=2`
            ConfigMap whole-fmbk44khfc <- over/kustomization.yaml configMapGenerator[4]
                data.b = "2" at over/kustomization.yaml:7 `b=2`
        "#]],
    );
}

#[test]
fn a_hash_that_all_are_denied_none_can_have() {
    check(
        "",
        "
//- kustomization.yaml
generatorOptions: {disableNameSuffixHash: true, immutable: true}
configMapGenerator:
  - {name: a, literals: [a=1], options: {disableNameSuffixHash: false, immutable: false}}
",
        &["immutable"],
        expect![[r#"
            ConfigMap a <- kustomization.yaml configMapGenerator[0]
                immutable = "true" at kustomization.yaml:1 `true`
        "#]],
    );
}

/// An annotation with any value but `false` keeps an object local; a label says nothing.
#[test]
fn what_is_local_is_not_built() {
    check(
        "",
        "
//- kustomization.yaml
resources: [all.yaml]
//- all.yaml
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {config.kubernetes.io/local-config: 'yes'}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: b, annotations: {config.kubernetes.io/local-config: ''}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: c, annotations: {config.kubernetes.io/local-config: 'false'}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: d, labels: {config.kubernetes.io/local-config: 'true'}}}
",
        &[],
        expect![[r#"
            ConfigMap c <- all.yaml#2
                Included kustomization.yaml
            ConfigMap d <- all.yaml#3
                Included kustomization.yaml
        "#]],
    );
}

/// `substitute: disabled` is compared letter by letter, other than Flux's other marks.
#[test]
fn a_capital_does_not_keep_variables_from_being_replaced() {
    let variable = Variable { value: "live".into(), site: None, unsure: false };
    let variables = Variables { known: [("A".to_owned(), variable)].into(), incomplete: false };
    let overlay = Overlay { variables: Some(variables), ..Overlay::default() };
    check_with(
        "",
        "
//- all.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: {kustomize.toolkit.fluxcd.io/substitute: Disabled}}
data: {a: '${A}'}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b, labels: {kustomize.toolkit.fluxcd.io/substitute: disabled}}
data: {a: '${A}'}
",
        &overlay,
        &["data.a"],
        expect![[r#"
            ConfigMap a <- all.yaml#0
                data.a = "live" at all.yaml:4 `'${A}'`
            ConfigMap b <- all.yaml#1
                data.a = "${A}" at all.yaml:9 `'${A}'`
        "#]],
    );
}

/// Flux hands on `patch` and `target` of its patches, and nothing else.
#[test]
fn options_of_a_patch_of_flux_do_nothing() {
    let files = "
//- all/all.yaml
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
//- ks.yaml
patches:
  - target: {kind: ConfigMap}
    options: {allowNameChange: true}
    patch: |
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: b}
      data: {a: new}
";
    let spec = spec(files);
    let patches = spec.get("patches").and_then(|it| it.as_sequence()).unwrap().to_vec();
    let overlay = Overlay { patches, ..Overlay::default() };
    check_with(
        "all",
        files,
        &overlay,
        &["data.a"],
        expect![[r#"
        ConfigMap a <- all/all.yaml#0
            Patch ks.yaml
            data.a = "new" at ks.yaml:8 `new`
    "#]],
    );
}

/// What stands in `ks.yaml`.
pub(super) fn spec(files: &str) -> Arc<Value> {
    let tree = fixture::parse(files).tree();
    let values = Files::new(&tree).values(&RepoPath::new("ks.yaml").unwrap()).unwrap();
    values.values[0].clone().unwrap()
}

/// Keys of a build file are read in upper and lower case alike.
#[test]
fn keys_in_another_case() {
    check(
        "",
        "
//- kustomization.yaml
Resources: [a.yaml]
nameprefix: p-
ConfigMapGenerator:
  - {Name: b, Literals: [c=d], options: {DisableNameSuffixHash: true}}
patches:
  - {Target: {Kind: ConfigMap, name: a}, PATCH: '[{op: add, path: /data, value: {x: y}}]'}
//- a.yaml
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
",
        &["data.c", "data.x"],
        expect![[r#"
            ConfigMap p-a <- a.yaml#0
                Included kustomization.yaml
                Patch kustomization.yaml
                Name kustomization.yaml
                data.x = "y" at kustomization.yaml:6 `y`
            ConfigMap p-b <- kustomization.yaml configMapGenerator[0]
                Name kustomization.yaml
                data.c = "d" at kustomization.yaml:4 `c=d`
        "#]],
    );
}

/// Role bindings follow the service accounts of the build, and no others.
#[test]
fn subjects_follow_their_service_accounts() {
    check(
        "over",
        "
//- base/kustomization.yaml
resources: [all.yaml]
//- base/all.yaml
{apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: shop}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: a, namespace: shop}
subjects:
  - {kind: ServiceAccount, name: web, namespace: shop}
  - {kind: ServiceAccount, name: web, namespace: elsewhere}
  - {kind: ServiceAccount, name: other, namespace: shop}
  - {kind: ServiceAccount, name: default, namespace: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: b}
subjects:
  - {kind: ServiceAccount, name: web, namespace: shop}
//- over/kustomization.yaml
resources: [../base]
namespace: live
namePrefix: x-
",
        &[
            "subjects[0].name",
            "subjects[0].namespace",
            "subjects[1].namespace",
            "subjects[2].namespace",
            "subjects[3].namespace",
        ],
        expect![[r#"
            ServiceAccount live/x-web <- base/all.yaml#0
                Included base/kustomization.yaml
                Included over/kustomization.yaml
                Namespace over/kustomization.yaml
                Name over/kustomization.yaml
            RoleBinding live/x-a <- base/all.yaml#1
                Included base/kustomization.yaml
                Included over/kustomization.yaml
                Namespace over/kustomization.yaml
                Name over/kustomization.yaml
                subjects[0].name = "x-web" at base/all.yaml:7 `web`
                subjects[0].namespace = "live" at over/kustomization.yaml:2 `live`
                subjects[1].namespace = "elsewhere" at base/all.yaml:8 `elsewhere`
                subjects[2].namespace = "shop" at base/all.yaml:9 `shop`
                subjects[3].namespace = "live" at over/kustomization.yaml:2 `live`
            ClusterRoleBinding x-b <- base/all.yaml#2
                Included base/kustomization.yaml
                Included over/kustomization.yaml
                Name over/kustomization.yaml
                Namespace over/kustomization.yaml
                subjects[0].name = "x-web" at base/all.yaml:16 `web`
                subjects[0].namespace = "live" at over/kustomization.yaml:2 `live`
        "#]],
    );
}

/// Of a line of an env file only the beginning is trimmed; bytes that are no text go into `binaryData`.
#[test]
fn env_files_and_binary_files() {
    check(
        "",
        &"
//- kustomization.yaml
configMapGenerator:
  - {name: a, envs: [a.env], options: {disableNameSuffixHash: true}}
  - {name: b, files: [logo.png, text.txt]}
  - {name: c, literals: [x=1, y=2, x=3]}
//- a.env
BOMA=1 SPACE
  B= quoted\" TAB
C
  # D=4
//- logo.png
NOTEXT
//- text.txt
text
"
        .replace("BOM", "\u{feff}")
        .replace("SPACE", " ")
        .replace("TAB", "\t")
        .replace("NOTEXT", "\u{fffd}PNG"),
        &[
            "data.A",
            "data.B",
            "data.C",
            "data[\"logo.png\"]",
            "data[\"text.txt\"]",
            "binaryData[\"logo.png\"]",
        ],
        expect![[r#"
            ConfigMap a <- kustomization.yaml configMapGenerator[0]
                GeneratorInput a.env
                data.A = "1  " at kustomization.yaml:2 `a.env`
                data.B = " quoted\" \t" at kustomization.yaml:2 `a.env`
                data.C = "" at kustomization.yaml:2 `a.env`
            ConfigMap b-* <- kustomization.yaml configMapGenerator[1]
                GeneratorInput logo.png
                GeneratorInput text.txt
                data["text.txt"] = "text\n" at kustomization.yaml:3 `text.txt`
                binaryData["logo.png"] = "�PNG\n" at kustomization.yaml:3 `logo.png`
            ConfigMap c-gc87g97b68 <- kustomization.yaml configMapGenerator[2]
            ? kustomization.yaml configMapGenerator[2]: the key x of ConfigMap/c is there twice
        "#]],
    );
}

/// The kinds, versions and keys of all build files are checked; those keys that stand at the root Flux drops.
#[test]
fn build_files_that_kustomize_does_not_take() {
    check(
        "over",
        "
//- over/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1
kind: Kustomization
resources: [../key, ../kind]
components: [../part]
foo: bar
//- key/kustomization.yaml
resources: [a.yaml]
foo: bar
x-note: 1
patches: [{target: {kind: X}, file: a.yaml}]
//- key/a.yaml
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
//- kind/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomizaton
resources: [b.yaml]
//- kind/b.yaml
{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}
//- part/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Component
",
        &[],
        expect![[r#"
            ConfigMap a <- key/a.yaml#0
                Included key/kustomization.yaml
                Included over/kustomization.yaml
            ConfigMap b <- kind/b.yaml#0
                Included kind/kustomization.yaml
                Included over/kustomization.yaml
            ? over/kustomization.yaml : kustomize refuses this kustomization file: `apiVersion` of a Kustomization is kustomize.config.k8s.io/v1beta1
            ? key/kustomization.yaml foo: kustomize refuses this kustomization file: it knows no `foo` there
            ? key/kustomization.yaml x-note: kustomize refuses this kustomization file: it knows no `x-note` there
            ? key/kustomization.yaml file: kustomize refuses this kustomization file: it knows no `file` there
            ? kind/kustomization.yaml : kustomize refuses this kustomization file: `kind` is Kustomization or Component
            ? part/kustomization.yaml : kustomize refuses this kustomization file: `apiVersion` of a Component is kustomize.config.k8s.io/v1alpha1
        "#]],
    );
}

/// Two objects that end with one name, and a patch that fits two.
#[test]
fn objects_that_become_one() {
    let all = "
//- all.yaml
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: one}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: two}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: two}}
//- kustomization.yaml
resources: [all.yaml]
";
    check(
        "",
        &format!("{all}namespace: three\n"),
        &[],
        expect![[r#"
        ConfigMap three/a <- all.yaml#0
            Included kustomization.yaml
            Namespace kustomization.yaml
        ConfigMap three/a <- all.yaml#1
            Included kustomization.yaml
            Namespace kustomization.yaml
        ConfigMap three/b <- all.yaml#2
            Included kustomization.yaml
            Namespace kustomization.yaml
        ? kustomization.yaml namespace: ConfigMap/a is there twice
    "#]],
    );
    let rename = "{target: {name: b}, options: {allowNameChange: true}, patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}'}";
    check(
        "",
        &format!("{all}patches: [\"{rename}\"]\n").replace('"', ""),
        &[],
        expect![[r#"
        ConfigMap one/a <- all.yaml#0
            Included kustomization.yaml
        ConfigMap two/a <- all.yaml#1
            Included kustomization.yaml
        ConfigMap two/a <- all.yaml#2
            Included kustomization.yaml
            Patch kustomization.yaml
        ? kustomization.yaml resources: ConfigMap/a is there twice
    "#]],
    );
    let patch = "{patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: two}}'}";
    check(
        "",
        &format!("{all}patches: [{rename}, {patch}]\n"),
        &[],
        expect![[r#"
        ConfigMap one/a <- all.yaml#0
            Included kustomization.yaml
        ConfigMap two/a <- all.yaml#1
            Included kustomization.yaml
            Patch kustomization.yaml
        ConfigMap two/a <- all.yaml#2
            Included kustomization.yaml
            Patch kustomization.yaml
        ? kustomization.yaml patches[1]: the patch cannot be applied: more than one object is or was ConfigMap/a
        ? kustomization.yaml resources: ConfigMap/a is there twice
    "#]],
    );
}

/// What a patch may not be, whatever it does.
#[test]
fn patches_that_kustomize_does_not_take() {
    check(
        "",
        "
//- kustomization.yaml
resources: [a.yaml]
patches:
  - {target: {name: '*a'}, patch: '[]'}
  - {path: p.yaml, patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}'}
  - {path: p.yaml, target: {kind: ConfigMap}}
  - {path: p.yaml}
//- p.yaml
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: b}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {c: d}}
//- a.yaml
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
",
        &[],
        expect![[r#"
            ConfigMap a <- a.yaml#0
                Included kustomization.yaml
                Patch kustomization.yaml
                Patch p.yaml
                Patch p.yaml
                Patch p.yaml
                Patch p.yaml
            ? kustomization.yaml patches[0]: the patch cannot be applied: the target is no regular expression
            ? kustomization.yaml patches[1]: the patch cannot be applied: `patch` and `path` are both given
            ? kustomization.yaml patches[2]: the patch cannot be applied: with a target it is to be one document
        "#]],
    );
}
