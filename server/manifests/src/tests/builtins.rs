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
fn spec(files: &str) -> Arc<Value> {
    let tree = fixture::parse(files).tree();
    let values = Files::new(&tree).values(&RepoPath::new("ks.yaml").unwrap()).unwrap();
    values.values[0].clone().unwrap()
}

const PODS: &str = "
//- base/kustomization.yaml
resources: [pods.yaml]
//- base/pods.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers: [{name: a, image: 'reg/app:v1'}, {name: b, image: 'localhost:5000/app:v1@sha256:ab'}]
      initContainers: [{name: c, image: reg/apple}]
      ephemeralContainers: [{name: d, image: 'reg/app:v1'}]
      volumes: [{name: e, image: {reference: 'reg/app:v1'}}]
";

const IMAGES: [&str; 5] = [
    "spec.template.spec.containers[0].image",
    "spec.template.spec.containers[1].image",
    "spec.template.spec.initContainers[0].image",
    "spec.template.spec.ephemeralContainers[0].image",
    "spec.template.spec.volumes[0].image.reference",
];

/// The entry of Flux is merged into the one of the file.
#[test]
fn images_of_flux_and_of_the_file() {
    let check = |own: &str, flux: &str, expected: expect_test::Expect| {
        let files = format!(
            "{PODS}//- over/kustomization.yaml\nresources: [../base]\nimages:\n{own}//- ks.yaml\nimages:\n{flux}"
        );
        let images = spec(&files).get("images").and_then(|it| it.as_sequence()).unwrap().to_vec();
        check_with("over", &files, &Overlay { images, ..Overlay::default() }, &IMAGES[..1], expected);
    };
    check(
        "  - {name: reg/app, newName: reg/own, newTag: v2}\n",
        "  - {name: reg/app, newTag: v3}\n",
        expect![[r#"
            Deployment web <- base/pods.yaml#0
                Included base/kustomization.yaml
                Included over/kustomization.yaml
                Image over/kustomization.yaml
                Image ks.yaml
                spec.template.spec.containers[0].image = "reg/own:v3" at ks.yaml:2 `v3`
        "#]],
    );
    check(
        "  - {name: reg/app, newTag: v2, digest: 'sha256:cd'}\n",
        "  - {name: reg/app, newName: reg/own}\n",
        expect![[r#"
            Deployment web <- base/pods.yaml#0
                Included base/kustomization.yaml
                Included over/kustomization.yaml
                Image over/kustomization.yaml
                Image ks.yaml
                spec.template.spec.containers[0].image = "reg/own:v2@sha256:cd" at over/kustomization.yaml:3 `'sha256:cd'`
        "#]],
    );
    check(
        "  - {name: reg/app, digest: 'sha256:cd'}\n",
        "  - {name: reg/app, newTag: v3, digest: ''}\n",
        expect![[r#"
            Deployment web <- base/pods.yaml#0
                Included base/kustomization.yaml
                Included over/kustomization.yaml
                Image ks.yaml
                spec.template.spec.containers[0].image = "reg/app:v3" at ks.yaml:2 `v3`
        "#]],
    );
}

/// The name is a regular expression; a tag and a digest are both written.
#[test]
fn images_by_pattern() {
    let check = |images: &str, expected: expect_test::Expect| {
        let files = format!("{PODS}//- over/kustomization.yaml\nresources: [../base]\nimages: {images}\n");
        super::build::check("over", &files, &IMAGES, expected);
    };
    check(
        "[{name: '.*/app', newTag: v2}]",
        expect![[r#"
        Deployment web <- base/pods.yaml#0
            Included base/kustomization.yaml
            Included over/kustomization.yaml
            Image over/kustomization.yaml
            spec.template.spec.containers[0].image = "reg/app:v2" at over/kustomization.yaml:2 `v2`
            spec.template.spec.containers[1].image = "localhost:5000/app:v2" at over/kustomization.yaml:2 `v2`
            spec.template.spec.initContainers[0].image = "reg/apple" at base/pods.yaml:8 `reg/apple`
            spec.template.spec.ephemeralContainers[0].image = "reg/app:v1" at base/pods.yaml:9 `'reg/app:v1'`
            spec.template.spec.volumes[0].image.reference = "reg/app:v2" at over/kustomization.yaml:2 `v2`
    "#]],
    );
    check(
        "[{name: reg/app, newTag: v2, digest: 'sha256:cd'}]",
        expect![[r#"
        Deployment web <- base/pods.yaml#0
            Included base/kustomization.yaml
            Included over/kustomization.yaml
            Image over/kustomization.yaml
            spec.template.spec.containers[0].image = "reg/app:v2@sha256:cd" at over/kustomization.yaml:2 `'sha256:cd'`
            spec.template.spec.containers[1].image = "localhost:5000/app:v1@sha256:ab" at base/pods.yaml:7 `'localhost:5000/app:v1@sha256:ab'`
            spec.template.spec.initContainers[0].image = "reg/apple" at base/pods.yaml:8 `reg/apple`
            spec.template.spec.ephemeralContainers[0].image = "reg/app:v1" at base/pods.yaml:9 `'reg/app:v1'`
            spec.template.spec.volumes[0].image.reference = "reg/app:v2@sha256:cd" at over/kustomization.yaml:2 `'sha256:cd'`
    "#]],
    );
    check(
        "[{name: 'localhost:5000/app', newName: x}]",
        expect![[r#"
        Deployment web <- base/pods.yaml#0
            Included base/kustomization.yaml
            Included over/kustomization.yaml
            Image over/kustomization.yaml
            spec.template.spec.containers[0].image = "reg/app:v1" at base/pods.yaml:7 `'reg/app:v1'`
            spec.template.spec.containers[1].image = "x:v1@sha256:ab" at over/kustomization.yaml:2 `x`
            spec.template.spec.initContainers[0].image = "reg/apple" at base/pods.yaml:8 `reg/apple`
            spec.template.spec.ephemeralContainers[0].image = "reg/app:v1" at base/pods.yaml:9 `'reg/app:v1'`
            spec.template.spec.volumes[0].image.reference = "reg/app:v1" at base/pods.yaml:10 `'reg/app:v1'`
    "#]],
    );
    check(
        "[{name: app, newTag: v2}]",
        expect![[r#"
        Deployment web <- base/pods.yaml#0
            Included base/kustomization.yaml
            Included over/kustomization.yaml
            spec.template.spec.containers[0].image = "reg/app:v1" at base/pods.yaml:7 `'reg/app:v1'`
            spec.template.spec.containers[1].image = "localhost:5000/app:v1@sha256:ab" at base/pods.yaml:7 `'localhost:5000/app:v1@sha256:ab'`
            spec.template.spec.initContainers[0].image = "reg/apple" at base/pods.yaml:8 `reg/apple`
            spec.template.spec.ephemeralContainers[0].image = "reg/app:v1" at base/pods.yaml:9 `'reg/app:v1'`
            spec.template.spec.volumes[0].image.reference = "reg/app:v1" at base/pods.yaml:10 `'reg/app:v1'`
    "#]],
    );
}

const SELECTING: &str = "
//- base/kustomization.yaml
resources: [all.yaml]
//- base/all.yaml
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: a}
spec: {selector: {matchLabels: {app: web}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: b}
spec:
  podSelector: {}
  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}, {namespaceSelector: {matchLabels: {app: web}}}]}]
  egress: [{to: [{podSelector: {matchLabels: {app: web}}}]}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: c}
spec: {jobTemplate: {spec: {template: {spec: {}}}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: d}
spec:
  template:
    spec:
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - podAffinityTerm: {labelSelector: {matchLabels: {app: web}}}
          requiredDuringSchedulingIgnoredDuringExecution:
            - labelSelector: {matchExpressions: []}
      topologySpreadConstraints: [{labelSelector: {matchLabels: {app: web}}}]
  volumeClaimTemplates: [{metadata: {name: data}}]
---
apiVersion: v1
kind: Service
metadata: {name: e}
spec: {}
---
apiVersion: example.com/v1
kind: App
metadata: {name: f}
spec: {pods: [{labels: {app: web}}, {other: 1}]}
";

const LABELS: [&str; 15] = [
    "metadata.labels.x",
    "spec.selector.x",
    "spec.selector.matchLabels.x",
    "spec.podSelector",
    "spec.ingress[0].from[0].podSelector.matchLabels.x",
    "spec.ingress[0].from[1].namespaceSelector.matchLabels.x",
    "spec.egress[0].to[0].podSelector.matchLabels.x",
    "spec.jobTemplate.metadata.labels.x",
    "spec.jobTemplate.spec.template.metadata.labels.x",
    "spec.template.spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector.matchLabels.x",
    "spec.template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchLabels.x",
    "spec.template.spec.topologySpreadConstraints[0].labelSelector.matchLabels.x",
    "spec.volumeClaimTemplates[0].metadata.labels.x",
    "spec.pods[0].labels.x",
    "spec.pods[1].labels.x",
];

fn check_labels(over: &str, expected: expect_test::Expect) {
    let files = format!("{SELECTING}//- over/kustomization.yaml\nresources: [../base]\n{over}\n");
    check("over", &files, &LABELS, expected);
}

#[test]
fn labels_go_into_selectors_of_every_kind() {
    check_labels(
        "commonLabels: {x: y}",
        expect![[r#"
        PodDisruptionBudget a <- base/all.yaml#0
            Included base/kustomization.yaml
            Included over/kustomization.yaml
            Metadata over/kustomization.yaml
            metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
            spec.selector.matchLabels.x = "y" at over/kustomization.yaml:2 `y`
        NetworkPolicy b <- base/all.yaml#1
            Included base/kustomization.yaml
            Included over/kustomization.yaml
            Metadata over/kustomization.yaml
            metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
            spec.podSelector = "{0}" at base/all.yaml:10 `{}`
            spec.ingress[0].from[0].podSelector.matchLabels.x = "y" at over/kustomization.yaml:2 `y`
            spec.egress[0].to[0].podSelector.matchLabels.x = "y" at over/kustomization.yaml:2 `y`
        CronJob c <- base/all.yaml#2
            Included base/kustomization.yaml
            Included over/kustomization.yaml
            Metadata over/kustomization.yaml
            metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
            spec.jobTemplate.metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
            spec.jobTemplate.spec.template.metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
        StatefulSet d <- base/all.yaml#3
            Included base/kustomization.yaml
            Included over/kustomization.yaml
            Metadata over/kustomization.yaml
            metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
            spec.selector.matchLabels.x = "y" at over/kustomization.yaml:2 `y`
            spec.template.spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector.matchLabels.x = "y" at over/kustomization.yaml:2 `y`
            spec.template.spec.topologySpreadConstraints[0].labelSelector.matchLabels.x = "y" at over/kustomization.yaml:2 `y`
            spec.volumeClaimTemplates[0].metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
        Service e <- base/all.yaml#4
            Included base/kustomization.yaml
            Included over/kustomization.yaml
            Metadata over/kustomization.yaml
            metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
            spec.selector.x = "y" at over/kustomization.yaml:2 `y`
        App f <- base/all.yaml#5
            Included base/kustomization.yaml
            Included over/kustomization.yaml
            Metadata over/kustomization.yaml
            metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
    "#]],
    );
}

#[test]
fn labels_go_into_templates_and_fields() {
    check_labels(
        "labels: [{pairs: {x: y}, includeTemplates: true, fields: [{path: spec/pods/labels, create: true, group: example.com, kind: App}, {path: spec/selector, kind: Service}]}]",
        expect![[r#"
            PodDisruptionBudget a <- base/all.yaml#0
                Included base/kustomization.yaml
                Included over/kustomization.yaml
                Metadata over/kustomization.yaml
                metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
            NetworkPolicy b <- base/all.yaml#1
                Included base/kustomization.yaml
                Included over/kustomization.yaml
                Metadata over/kustomization.yaml
                metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
                spec.podSelector = "{0}" at base/all.yaml:10 `{}`
            CronJob c <- base/all.yaml#2
                Included base/kustomization.yaml
                Included over/kustomization.yaml
                Metadata over/kustomization.yaml
                metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
                spec.jobTemplate.metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
                spec.jobTemplate.spec.template.metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
            StatefulSet d <- base/all.yaml#3
                Included base/kustomization.yaml
                Included over/kustomization.yaml
                Metadata over/kustomization.yaml
                metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
                spec.volumeClaimTemplates[0].metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
            Service e <- base/all.yaml#4
                Included base/kustomization.yaml
                Included over/kustomization.yaml
                Metadata over/kustomization.yaml
                metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
            App f <- base/all.yaml#5
                Included base/kustomization.yaml
                Included over/kustomization.yaml
                Metadata over/kustomization.yaml
                metadata.labels.x = "y" at over/kustomization.yaml:2 `y`
                spec.pods[0].labels.x = "y" at over/kustomization.yaml:2 `y`
                spec.pods[1].labels.x = "y" at over/kustomization.yaml:2 `y`
        "#]],
    );
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
