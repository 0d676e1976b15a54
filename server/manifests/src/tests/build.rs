//! What builds make of small repositories: the objects, where each starts from, and who set what in them.

use std::fmt::Write;

use expect_test::{Expect, expect};

use crate::kustomize::{self, Build, Files, Origin, Overlay, Variable, Variables};
use crate::value::Data;
use crate::{FieldPath, RepoPath, Value, fixture};

/// Builds `dir`, and draws each object with its origin and what shaped it; then the parts of it that the wanted paths
/// name, with the text that set them.
pub(super) fn check(dir: &str, files: &str, places: &[&str], expected: Expect) {
    check_with(dir, files, &Overlay::default(), places, expected);
}

pub(super) fn check_with(dir: &str, files: &str, overlay: &Overlay, places: &[&str], expected: Expect) {
    let fixture = fixture::parse(files);
    let tree = fixture.tree();
    let build = kustomize::build(&Files::new(&tree), &RepoPath::new(dir).expect("a path"), overlay);
    expected.assert_eq(&draw(&build, &fixture, places));
}

fn draw(build: &Build, fixture: &fixture::Fixture, places: &[&str]) -> String {
    let mut out = String::new();
    for object in &build.objects {
        let id = object.id().expect("objects have a name");
        let namespace = id.namespace.as_deref().map(|it| format!("{it}/")).unwrap_or_default();
        let origin = match &object.origin {
            Origin::Document { path, index } => format!("{path}#{index}"),
            Origin::Generated { path, field } => format!("{path} {field}"),
        };
        writeln!(out, "{} {namespace}{} <- {origin}", id.kind, id.name).expect("a string");
        for shaper in object.shaped_by.iter() {
            writeln!(out, "    {:?} {}", shaper.how, shaper.path).expect("a string");
        }
        for place in places {
            let path: FieldPath = place.parse().expect("a field path");
            let Some(value) = object.value.at(&path) else { continue };
            let text = match &value.data {
                Data::Scalar(text) => text.value.to_string(),
                Data::Sequence(items) => format!("[{}]", items.len()),
                Data::Mapping(members) => format!("{{{}}}", members.len()),
            };
            let at = value.site.as_ref().and_then(|it| it.in_file()).map_or(
                "nowhere".to_owned(),
                |(path, range)| {
                    let file = &fixture.files.iter().find(|(it, _)| *it == path).expect("a file").1;
                    let line = file[..usize::from(range.start())].lines().count().max(1);
                    format!(
                        "{path}:{line} `{}`",
                        &file[crate::bytes(range)].lines().next().unwrap_or_default()
                    )
                },
            );
            writeln!(out, "    {place} = {text:?} at {at}").expect("a string");
        }
    }
    for unknown in &build.unknown {
        writeln!(out, "? {} {}: {}", unknown.at, unknown.field, unknown.why).expect("a string");
    }
    out
}

const WEB: &str = "
//- base/kustomization.yaml
resources: [deploy.yaml]
//- base/deploy.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  template:
    spec:
      containers:
        - name: app
          image: web:1
          ports: [{containerPort: 80}]
        - name: proxy
          image: envoy:1
";

#[test]
fn a_patched_field_is_where_the_patch_sets_it() {
    check(
        "prod",
        &format!(
            "{WEB}//- prod/kustomization.yaml
resources: [../base]
namespace: shop
namePrefix: eu-
patches:
  - path: replicas.yaml
  - target: {{kind: Deployment, name: w.*}}
    patch: |
      - op: replace
        path: /spec/template/spec/containers/0/image
        value: web:2
//- prod/replicas.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  template:
    spec:
      containers:
        - name: sidecar
          image: side:1
        - name: app
          env: [{{name: A, value: b}}]
"
        ),
        &[
            "spec.replicas",
            "spec.template.spec.containers[0].image",
            "spec.template.spec.containers[1].name",
            "spec.template.spec.containers[1].image",
            "spec.template.spec.containers[1].env[0].value",
            "spec.template.spec.containers[2].name",
            "metadata.namespace",
            "metadata.name",
        ],
        expect![[r#"
            Deployment shop/eu-web <- base/deploy.yaml#0
                Included base/kustomization.yaml
                Included prod/kustomization.yaml
                Patch prod/replicas.yaml
                Patch prod/kustomization.yaml
                Namespace prod/kustomization.yaml
                Name prod/kustomization.yaml
                spec.replicas = "3" at prod/replicas.yaml:6 `3`
                spec.template.spec.containers[0].image = "web:2" at prod/kustomization.yaml:10 `web:2`
                spec.template.spec.containers[1].name = "app" at prod/replicas.yaml:12 `app`
                spec.template.spec.containers[1].image = "web:1" at base/deploy.yaml:11 `web:1`
                spec.template.spec.containers[1].env[0].value = "b" at prod/replicas.yaml:13 `b`
                spec.template.spec.containers[2].name = "proxy" at base/deploy.yaml:13 `proxy`
                metadata.namespace = "shop" at prod/kustomization.yaml:2 `shop`
                metadata.name = "eu-web" at base/deploy.yaml:4 `web`
        "#]],
    );
}

#[test]
fn components_work_on_what_is_there() {
    check(
        "prod",
        &format!(
            "{WEB}//- prod/kustomization.yaml
resources: [../base]
components: [../components/tls]
images: [{{name: envoy, newTag: '2'}}]
replicas: [{{name: web, count: 5}}]
//- components/tls/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources: [certificate.yaml]
patches:
  - patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata: {{name: web}}
      spec: {{template: {{spec: {{volumes: [{{name: tls}}]}}}}}}
//- components/tls/certificate.yaml
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {{name: web}}
"
        ),
        &["spec.template.spec.volumes[0].name", "spec.replicas", "spec.template.spec.containers[1].image"],
        expect![[r#"
            Deployment web <- base/deploy.yaml#0
                Included base/kustomization.yaml
                Included prod/kustomization.yaml
                Patch components/tls/kustomization.yaml
                Replicas prod/kustomization.yaml
                Image prod/kustomization.yaml
                spec.template.spec.volumes[0].name = "tls" at components/tls/kustomization.yaml:9 `tls`
                spec.replicas = "5" at prod/kustomization.yaml:4 `5`
                spec.template.spec.containers[1].image = "envoy:2" at prod/kustomization.yaml:3 `'2'`
            Certificate web <- components/tls/certificate.yaml#0
                Included components/tls/kustomization.yaml
        "#]],
    );
}

#[test]
fn a_directory_without_build_file_is_scanned() {
    check(
        "apps",
        "
//- apps/ns.yaml
apiVersion: v1
kind: Namespace
metadata: {name: shop}
//- apps/deep/list.yaml
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: b, annotations: {config.kubernetes.io/local-config: 'true'}}}
//- apps/built/kustomization.yaml
resources: [one.yaml]
//- apps/built/one.yaml
apiVersion: v1
kind: Service
metadata: {name: one}
//- apps/built/two.yaml
apiVersion: v1
kind: Service
metadata: {name: two}
//- apps/readme.yaml
# nothing
//- apps/values.yaml
replicas: 2
",
        &[],
        expect![[r#"
            Service one <- apps/built/one.yaml#0
                Included apps/built/kustomization.yaml
            ConfigMap a <- apps/deep/list.yaml#0
            Namespace shop <- apps/ns.yaml#0
            ? apps : apps/values.yaml holds a document that is no Kubernetes object
        "#]],
    );
}

#[test]
fn generated_names_end_in_the_hash_that_kustomize_makes() {
    // `web-9k5kd92758` is what kustomize's own library (api v0.21.1) makes of this.
    check(
        ".",
        "
//- kustomization.yaml
namespace: shop
configMapGenerator:
  - name: web
    literals: [COLOR=blue, 'HTML=<a href=\"x\">&']
    files: [conf/app.ini, renamed.txt=conf/app.ini]
  - name: plain
    envs: [conf/web.env]
    options: {disableNameSuffixHash: true}
secretGenerator:
  - name: token
    literals: [a=b]
//- conf/app.ini
[app]
//- conf/web.env
# colors
SKY=blue
",
        &["data.COLOR", "data[\"app.ini\"]", "data.SKY"],
        expect![[r#"
            ConfigMap shop/web-9k5kd92758 <- kustomization.yaml configMapGenerator[0]
                GeneratorInput conf/app.ini
                GeneratorInput conf/app.ini
                Namespace kustomization.yaml
                data.COLOR = "blue" at kustomization.yaml:4 `COLOR=blue`
                data["app.ini"] = "[app]\n" at kustomization.yaml:5 `conf/app.ini`
            ConfigMap shop/plain <- kustomization.yaml configMapGenerator[1]
                GeneratorInput conf/web.env
                Namespace kustomization.yaml
                data.SKY = "blue" at kustomization.yaml:7 `conf/web.env`
            Secret shop/token-* <- kustomization.yaml secretGenerator[0]
                Namespace kustomization.yaml
        "#]],
    );
}

#[test]
fn what_flux_adds_replaces_or_joins_what_the_file_says() {
    let spec = fixture::parse(
        "//- ks.yaml
targetNamespace: live
namePrefix: x-
patches:
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: web
      spec:
        replicas: ${COUNT}
images:
  - name: web
    newTag: ${TAG:=7}
    digest:
",
    );
    let tree = spec.tree();
    let files = Files::new(&tree);
    let path = RepoPath::new("ks.yaml").expect("a path");
    let spec = files.values(&path).expect("a file").values[0].clone().expect("a document");
    let variable = Variable { value: "9".into(), site: None, unsure: false };
    let overlay = Overlay {
        namespace: spec.get("targetNamespace").cloned(),
        name_prefix: spec.get("namePrefix").cloned(),
        patches: spec.get("patches").and_then(|it| it.as_sequence()).expect("patches").to_vec(),
        images: spec.get("images").and_then(|it| it.as_sequence()).expect("images").to_vec(),
        variables: Some(Variables { known: [("COUNT".to_owned(), variable)].into(), incomplete: false }),
        ..Overlay::default()
    };
    let fixture = fixture::parse(&format!(
        "{WEB}//- ks.yaml
targetNamespace: live
namePrefix: x-
patches:
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: web
      spec:
        replicas: ${{COUNT}}
images:
  - name: web
    newTag: ${{TAG:=7}}
    digest:
//- prod/kustomization.yaml
namespace: shop
namePrefix: y-
resources: [../base]
"
    ));
    let tree = fixture.tree();
    let build = kustomize::build(&Files::new(&tree), &RepoPath::new("prod").expect("a path"), &overlay);
    let places = ["spec.replicas", "spec.template.spec.containers[0].image", "metadata.namespace"];
    expect![[r#"
        Deployment live/x-web <- base/deploy.yaml#0
            Included base/kustomization.yaml
            Included prod/kustomization.yaml
            Patch ks.yaml
            Namespace ks.yaml
            Name ks.yaml
            Image ks.yaml
            spec.replicas = "9" at ks.yaml:10 `${COUNT}`
            spec.template.spec.containers[0].image = "web:7" at ks.yaml:13 `${TAG:=7}`
            metadata.namespace = "live" at ks.yaml:1 `live`
    "#]]
    .assert_eq(&draw(&build, &fixture, &places));
}

#[test]
fn a_mark_finds_its_way_out_of_a_patch_in_a_patch() {
    let fixture = fixture::parse(
        "//- apps/kustomization.yaml
resources: [ks.yaml]
patches:
  - target: {kind: Kustomization}
    patch: |-
      apiVersion: kustomize.toolkit.fluxcd.io/v1
      kind: Kustomization
      metadata:
        name: all
      spec:
        patches:
          - patch: |-
              apiVersion: helm.toolkit.fluxcd.io/v2
              kind: HelmRelease
              metadata:
                name: ${NAME} of all
              spec:
                interval: 1x
//- apps/ks.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: web}
spec: {path: ./web}
",
    );
    let tree = fixture.tree();
    let variable = Variable { value: "a long name".into(), site: None, unsure: false };
    let variables = Variables { known: [("NAME".to_owned(), variable)].into(), incomplete: false };
    let overlay = Overlay { variables: Some(variables), ..Overlay::default() };
    let build = kustomize::build(&Files::new(&tree), &RepoPath::new("apps").expect("a path"), &overlay);
    let patch =
        build.objects[0].value.at(&"spec.patches[0].patch".parse().expect("a path")).expect("a patch");
    let inner = crate::value::nested(patch).expect("a document");
    let show = |path: &str| {
        let value: &Value = inner[0].at(&path.parse().expect("a path")).expect("a value");
        let (path, range) = value.site.as_ref().and_then(|it| it.in_file()).expect("a place");
        let text = &fixture.files.iter().find(|(it, _)| *it == path).expect("a file").1[crate::bytes(range)];
        format!("{} is written `{text}`\n", value.as_str().unwrap_or_default())
    };
    expect![[r#"
        1x is written `1x`
        a long name of all is written `${NAME} of all`
    "#]]
    .assert_eq(&[show("spec.interval"), show("metadata.name")].concat());
}

#[test]
fn what_kustomize_refuses_is_said() {
    check(
        "prod",
        &format!(
            "{WEB}//- prod/kustomization.yaml
resources: [../base, gone.yaml, ../base, https://example.invalid/x.yaml, ../component]
components: [../base]
patches:
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: {{name: wep}}
  - target: {{kind: Deployment}}
    patch: |
      - {{op: remove, path: /spec/strategy}}
//- component/kustomization.yaml
kind: Component
//- prod/never.yaml
a: b
"
        ),
        &[],
        expect![[r#"
            Deployment web <- base/deploy.yaml#0
                Included base/kustomization.yaml
                Included prod/kustomization.yaml
            ? prod/kustomization.yaml resources[1]: prod/gone.yaml does not exist
            ? prod/kustomization.yaml resources[2]: Deployment/web is there twice
            ? prod/kustomization.yaml resources[3]: https://example.invalid/x.yaml is fetched from elsewhere, and is not read here
            ? prod/kustomization.yaml resources[4]: component is of the wrong kind: `resources` takes kustomizations, `components` takes components
            ? prod/kustomization.yaml components[0]: base is of the wrong kind: `resources` takes kustomizations, `components` takes components
            ? base/kustomization.yaml resources[0]: Deployment/web is there twice
            ? prod/kustomization.yaml patches[0]: there is no Deployment/wep to patch
            ? prod/kustomization.yaml patches[1]: the patch cannot be applied: /spec/strategy: `strategy` does not exist
        "#]],
    );
}

#[test]
fn patches_delete_and_replace() {
    check(
        ".",
        "
//- kustomization.yaml
resources: [all.yaml]
patches:
  - patch: |
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: gone}
      $patch: delete
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web}
      spec:
        paused: null
        template:
          spec:
            containers:
              - {name: b, $patch: delete}
            nodeSelector: {$patch: replace, disk: ssd}
            tolerations: [{key: new}]
  - target: {kind: HelmRelease}
    patch: |
      apiVersion: any
      kind: any
      metadata: {name: any}
      spec: {values: {list: [{name: c}]}}
//- all.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: gone}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  paused: true
  template:
    spec:
      containers: [{name: a}, {name: b}]
      nodeSelector: {zone: one}
      tolerations: [{key: old}, {key: older}]
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: chart}
spec: {values: {list: [{name: a}, {name: b}]}}
",
        &[
            "spec.paused",
            "spec.template.spec.containers",
            "spec.template.spec.nodeSelector",
            "spec.template.spec.tolerations[0].key",
            "spec.template.spec.tolerations",
            "spec.values.list",
        ],
        expect![[r#"
            Deployment web <- all.yaml#1
                Included kustomization.yaml
                Patch kustomization.yaml
                spec.template.spec.containers = "[1]" at all.yaml:12 `[{name: a}, {name: b}]`
                spec.template.spec.nodeSelector = "{1}" at kustomization.yaml:18 `{$patch: replace, disk: ssd}`
                spec.template.spec.tolerations[0].key = "new" at kustomization.yaml:19 `new`
                spec.template.spec.tolerations = "[1]" at kustomization.yaml:19 `[{key: new}]`
            HelmRelease chart <- all.yaml#2
                Included kustomization.yaml
                Patch kustomization.yaml
                spec.values.list = "[1]" at kustomization.yaml:25 `[{name: c}]`
        "#]],
    );
}

#[test]
fn a_name_with_an_unknown_variable_fits_what_it_may_be() {
    let fits = |pattern: &str, name: &str| kustomize::may_be(pattern, name);
    assert!(fits("${APP}-web", "shop-web"));
    assert!(fits("a${X}b${Y}c", "a1b2c"));
    assert!(!fits("a${X}b", "a1c"));
    assert!(fits("web-*", "web-7f"));
    assert!(!fits("web", "webb"));
}

/// A long patch, the same object in two documents of a file, and an object that is written with aliases and merge keys.
#[test]
fn what_is_long_doubled_or_written_in_a_roundabout_way() {
    let lines: String = (0..5_000).map(|it| format!("  KEY_{it}: \"{it}\"\n")).collect();
    let files = format!(
        "
//- kustomization.yaml
resources: [all.yaml]
patches: [{{path: long.yaml}}]
//- long.yaml
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings}}
data:
{lines}//- all.yaml
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings}}
---
apiVersion: v1
kind: Service
metadata:
  name: web
  labels: &labels {{app: web}}
spec:
  selector:
    <<: *labels
    tier: front
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
"
    );
    check(
        "",
        &files,
        &["data.KEY_4999", "spec.selector.app", "spec.selector.tier"],
        expect![[r#"
            ConfigMap settings <- all.yaml#0
                Included kustomization.yaml
                Patch long.yaml
                data.KEY_4999 = "4999" at long.yaml:5004 `"4999"`
            Service web <- all.yaml#1
                Included kustomization.yaml
                spec.selector.app = "web" at all.yaml:9 `web`
                spec.selector.tier = "front" at all.yaml:13 `front`
            Service web <- all.yaml#2
                Included kustomization.yaml
            ? kustomization.yaml resources[0]: Service/web is there twice
        "#]],
    );
}
