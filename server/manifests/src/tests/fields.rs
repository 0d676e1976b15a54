//! Where kustomize's `images` and `labels` reach. Read in kustomize api 0.21.1 and fluxcd/pkg/kustomize 1.35.6, and seen in
//! what they make.

use expect_test::{Expect, expect};

use super::build::{check, check_with};
use super::builtins::spec;
use crate::kustomize::Overlay;

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
    let check = |own: &str, flux: &str, expected: Expect| {
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
    let images = |images: &str, expected: Expect| {
        let files = format!("{PODS}//- over/kustomization.yaml\nresources: [../base]\nimages: {images}\n");
        check("over", &files, &IMAGES, expected);
    };
    images(
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
    images(
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
    images(
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
    images(
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

fn check_labels(over: &str, expected: Expect) {
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
