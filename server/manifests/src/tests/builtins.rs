//! What kustomize's own generators and transformers do, where that is not what one would guess. Each rule was read in
//! kustomize api 0.21.1 or fluxcd/pkg/kustomize 1.35.6 and seen in what they make.

use expect_test::expect;

use super::build::check;

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
