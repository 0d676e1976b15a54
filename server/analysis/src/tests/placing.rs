//! Marks in whatever file causes a failure, one `check` for all (design 2.4, 3.2).

use expect_test::{Expect, expect};

use super::drawing::{check_marks, draw_marks};
use super::fixture::World;
use crate::{Cause, analyse, files_with_marks, goto_cause};

/// A repository in which `./apps` patches a base, and a cluster in which it fails.
fn repository(files: &str) -> String {
    format!(
        "//- clusters/staging/apps.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  path: ./apps
  sourceRef:
    kind: GitRepository
    name: fleet
  targetNamespace: shop
  postBuild:
    substitute:
      TAG: v1
//- base/kustomization.yaml
resources: [web.yaml]
//- base/web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  template:
    spec:
      containers:
        - name: web
          imgae: ghcr.io/shop/web:${{TAG}}
          imagePullPolicy: IfNotPresent
{files}//- commits
1a2b3c4 Said
"
    )
}

const OVERLAY: &str = "//- apps/kustomization.yaml
resources: [../base]
patches:
  - path: pull.yaml
//- apps/pull.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          imagePullPolicy: Sometimes
";

fn cluster(name: &str, reason: &str, message: &str) -> String {
    let message = serde_json::json!(message);
    format!(
        "//- cluster {name}
{{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4}}
{{kind: Kustomization, name: root, source: GitRepository/fleet, path: clusters/staging, at: main@1a2b3c4, holds: [Kustomization/flux-system/apps]}}
{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, targetNamespace: shop, spec: {{postBuild: {{substitute: {{TAG: v1}}}}}}, failed: [{reason}, {message}, main@1a2b3c4]}}
"
    )
}

const PULL: &str = "Deployment/shop/web dry-run failed (Invalid): Deployment.apps \"web\" is invalid: spec.template.spec.containers[0].imagePullPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"IfNotPresent\", \"Never\"";

fn check(files: &str, reason: &str, message: &str, expected: Expect) {
    check_marks(&format!("{}{}", repository(files), cluster("staging", reason, message)), expected);
}

#[test]
fn a_field_that_a_patch_sets() {
    check(
        OVERLAY,
        "ReconciliationFailed",
        PULL,
        expect![[r#"
        apps/pull.yaml:10
                    imagePullPolicy: Sometimes
                                     ^^^^^^^^^ error ReconciliationFailed: staging: spec.template.spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"
          see base/web.yaml:4 the object that apps/pull.yaml changes
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed main@1a2b3c4
    "#]],
    );
}

#[test]
fn a_key_that_is_one_typo_away() {
    check(
        OVERLAY,
        "ReconciliationFailed",
        "Deployment/shop/web dry-run failed (Invalid): Deployment.apps \"web\" is invalid: spec.template.spec.containers[0].image: Required value",
        expect![[r#"
            base/web.yaml:11
                        imgae: ghcr.io/shop/web:${TAG}
                        ^^^^^ error ReconciliationFailed: staging: spec.template.spec.containers[0].image: Required value
              see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed main@1a2b3c4
        "#]],
    );
}

#[test]
fn a_variable() {
    let overlay = OVERLAY.replace("imagePullPolicy: Sometimes", "image: ghcr.io/shop/web:${TAG}");
    check(
        &overlay,
        "ReconciliationFailed",
        "Deployment/shop/web dry-run failed (Invalid): Deployment.apps \"web\" is invalid: spec.template.spec.containers[0].image: Invalid value: \"ghcr.io/shop/web:v1\": no",
        expect![[r#"
            apps/pull.yaml:10
                        image: ghcr.io/shop/web:${TAG}
                                                ^^^^^^ error ReconciliationFailed: staging: spec.template.spec.containers[0].image: Invalid value: "ghcr.io/shop/web:v1": no
              see clusters/staging/apps.yaml:14 TAG is set here
              see base/web.yaml:4 the object that apps/pull.yaml changes
              see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed main@1a2b3c4
        "#]],
    );
}

#[test]
fn several_causes_and_one_that_is_nowhere() {
    check(
        OVERLAY,
        "ReconciliationFailed",
        &format!(
            "{PULL}\nService/shop/gone dry-run failed (Invalid): Service \"gone\" is invalid: spec.type: Required value"
        ),
        expect![[r#"
            clusters/staging/apps.yaml:4
                name: apps
                      ^^^^ error ReconciliationFailed: staging: Service/shop/gone: spec.type: Required value
              see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed main@1a2b3c4
            apps/pull.yaml:10
                        imagePullPolicy: Sometimes
                                         ^^^^^^^^^ error ReconciliationFailed: staging: spec.template.spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"
              see base/web.yaml:4 the object that apps/pull.yaml changes
              see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed main@1a2b3c4
        "#]],
    );
}

#[test]
fn objects_that_nothing_tells_apart() {
    let two = "//- apps/a.yaml
apiVersion: v1
kind: Service
metadata: {name: web, namespace: a}
//- apps/b.yaml
apiVersion: v1
kind: Service
metadata: {name: web, namespace: b}
";
    let repository = repository(two).replace("  targetNamespace: shop\n", "");
    let cluster = cluster(
        "staging",
        "BuildFailed",
        "post build failed for 'Service.v1.[noGrp]/web': envsubst error: x",
    );
    check_marks(
        &format!("{repository}{}", cluster.replace(" targetNamespace: shop,", "")),
        expect![[r#"
        clusters/staging/apps.yaml:11
            postBuild:
            ^^^^^^^^^ error BuildFailed: staging: post build failed for 'Service.v1.[noGrp]/web': envsubst error: x
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed main@1a2b3c4
    "#]],
    );
}

#[test]
fn one_mark_for_clusters_that_fail_alike() {
    let clusters = cluster("eu", "ReconciliationFailed", PULL) + &cluster("us", "ReconciliationFailed", PULL);
    check_marks(
        &format!("{}{clusters}", repository(OVERLAY)),
        expect![[r#"
        apps/pull.yaml:10
                    imagePullPolicy: Sometimes
                                     ^^^^^^^^^ error ReconciliationFailed: eu and 1 more: spec.template.spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"
          see base/web.yaml:4 the object that apps/pull.yaml changes
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed main@1a2b3c4
    "#]],
    );
}

#[test]
fn weaker_once_what_failed_was_changed() {
    let mut world = World::new(&format!(
        "{}{}//- settings\npushed=1a2b3c4\n",
        repository(OVERLAY),
        cluster("staging", "ReconciliationFailed", PULL)
    ));
    let text = |world: &World, path: &str| {
        world.files.iter().find(|(it, _)| it.as_str() == path).map(|(_, text)| text.clone()).expect("a file")
    };
    // What has nothing to do with it, and what says nothing.
    let build = text(&world, "apps/kustomization.yaml");
    world.edit("apps/kustomization.yaml", &build.replace("[../base]", "[../base, new.yaml]"));
    let patch = text(&world, "apps/pull.yaml");
    world.edit("apps/pull.yaml", &format!("# why\n{patch}"));
    let before = draw_marks(&mut world);
    assert!(before.contains(" error ReconciliationFailed: staging: spec."), "{before}");
    // The node itself.
    world.edit("apps/pull.yaml", &patch.replace("Sometimes", "Always"));
    expect![[r#"
        apps/pull.yaml:10
                    imagePullPolicy: Always
                                     ^^^^^^ warning ReconciliationFailed: staging: failed at main@1a2b3c4; changed since, not pushed: spec.template.spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"
          see base/web.yaml:4 the object that apps/pull.yaml changes
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed main@1a2b3c4
    "#]].assert_eq(&draw_marks(&mut world));
    // Another file that shapes the object: no value of it makes this one right.
    world.edit("apps/pull.yaml", &patch);
    let base = text(&world, "base/web.yaml");
    world.edit("base/web.yaml", &base.replace("replicas: 1", "replicas: 2"));
    let after = draw_marks(&mut world);
    assert!(after.contains(" error ReconciliationFailed: staging: spec."), "{after}");
    world.edit("base/web.yaml", &base);
    // What sets it is not taken any more, though no file of the object is another.
    world.edit("apps/kustomization.yaml", "resources: [../base]\n");
    let without = draw_marks(&mut world);
    assert!(
        without.contains(" warning ReconciliationFailed: staging: failed at main@1a2b3c4; changed since"),
        "{without}"
    );
    assert!(!without.contains(" error "), "{without}");
    world.edit("apps/kustomization.yaml", &build);
    // Undone.
    assert_eq!(draw_marks(&mut world).matches(" error ").count(), 1);
}

#[test]
fn weaker_once_what_may_make_it_right_was_changed() {
    // A limit that another field has to do with, and a value that is wrong whatever the others are.
    let message = r#"Deployment/shop/web dry-run failed (Invalid): Deployment.apps "web" is invalid: [spec.replicas: Invalid value: -1: must be greater than or equal to 0, spec.template.spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1]"#;
    let texts = r#"//- apps/kustomization.yaml
resources: [web.yaml]
//- apps/web.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: -1
  template:
    spec:
      containers:
        - name: web
          resources: {requests: {cpu: "2"}, limits: {cpu: "1"}}
"#;
    let mut world = World::new(&format!(
        "{}{}//- settings\npushed=1a2b3c4\n",
        repository(texts),
        cluster("staging", "ReconciliationFailed", message)
    ));
    let text = world.files.iter().find(|(it, _)| it.as_str() == "apps/web.yaml").expect("a file").1.clone();
    assert_eq!(draw_marks(&mut world).matches(" error ").count(), 2);
    world.edit("apps/web.yaml", &text.replace(r#"limits: {cpu: "1"}"#, r#"limits: {cpu: "4"}"#));
    expect![[r#"
        apps/web.yaml:5
            replicas: -1
                      ^^ error ReconciliationFailed: staging: spec.replicas: Invalid value: -1: must be greater than or equal to 0
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed main@1a2b3c4
        apps/web.yaml:10
                    resources: {requests: {cpu: "2"}, limits: {cpu: "4"}}
                                                ^^^ warning ReconciliationFailed: staging: failed at main@1a2b3c4; changed since, not pushed: spec.template.spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed main@1a2b3c4
    "#]].assert_eq(&draw_marks(&mut world));
}

#[test]
fn the_way_to_the_node() {
    let fixture = format!("{}{}", repository(OVERLAY), cluster("staging", "ReconciliationFailed", PULL));
    let mut world = World::new(&fixture);
    let (marked, _) = world.ask(files_with_marks);
    assert_eq!(marked.iter().map(|it| it.as_str()).collect::<Vec<_>>(), ["apps/pull.yaml"]);
    let path = world.files[0].0.clone();
    let report = world.ask(|inputs| analyse(inputs, &path));
    let titles: Vec<&str> =
        report.lenses.iter().flat_map(|row| &row.items).map(|it| it.title.as_str()).collect();
    assert!(titles.contains(&"Go to cause"), "{titles:?}");
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let object = flux::ObjectId::flux(flux::Kind::Kustomization, "flux-system", "apps");
    let cause = world.ask(|inputs| goto_cause(inputs, "staging", &object));
    let Some(Cause::Place { path, range, .. }) = cause else { panic!("{cause:?}") };
    let text = &world.files.iter().find(|(it, _)| *it == path).expect("a file").1;
    assert_eq!(&text[usize::from(range.start())..usize::from(range.end())], "Sometimes");
}
