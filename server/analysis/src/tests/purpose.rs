//! Hovers over lines that are not live on purpose.

use expect_test::{Expect, expect};

use super::drawing::check_hover;

const REST: &str = "\
//- base/kustomization.yaml
resources: [web.yaml]
//- apps/kustomization.yaml
resources: [../base]
images: [{name: web, newTag: '2'}]
replicas: [{name: web, count: 3}]
patches: [{path: patch.yaml}]
//- apps/patch.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      containers:
        - {name: side, image: side:1}
        - name: web
          imagePullPolicy: Always
//- cluster staging
{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4}
{kind: Kustomization, name: apps, source: GitRepository/fleet, path: apps, at: main@1a2b3c4, holds: [Deployment/shop/web.apps]}
";

/// The hover at the cursor in a Deployment that is shaped in many ways.
fn check(web: &str, expected: Expect) {
    check_hover(&format!("//- base/web.yaml\n{web}{REST}"), expected);
}

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 1
  template:
    spec:
      containers:
        - name: web
          image: web:1
          imagePullPolicy: Never
          stdin: false
";

#[test]
fn a_value_that_is_outdone_later() {
    check(
        &WEB.replace("replicas: 1", "replicas: $01"),
        expect![[r#"
        base/web.yaml:7
            replicas: 1
                      ^
        - overridden by `apps/kustomization.yaml`:3 in `staging` (`Kustomization/flux-system/apps`)
    "#]],
    );
    check(
        &WEB.replace("image: web:1", "image: we$0b:1"),
        expect![[r#"
        base/web.yaml:12
                    image: web:1
                           ^^^^^
        - overridden by `apps/kustomization.yaml`:2 in `staging` (`Kustomization/flux-system/apps`)
    "#]],
    );
    check(
        &WEB.replace("Never", "Nev$0er"),
        expect![[r#"
        base/web.yaml:13
                    imagePullPolicy: Never
                                     ^^^^^
        - overridden by `apps/patch.yaml`:10 in `staging` (`Kustomization/flux-system/apps`)
    "#]],
    );
    check(
        &WEB.replace("stdin: false", "stdin: fal$0se"),
        expect![[r#"
        nothing
    "#]],
    );
}

#[test]
fn what_says_that_it_is_not_live() {
    let with = |kind: &str, line: &str| {
        WEB.replace("spec:\n  replicas", &format!("  {kind}:\n    {line}\nspec:\n  replicas"))
    };
    check(
        &with("annotations", "kustomize.toolkit.fluxcd.io/reconcile: dis$0abled"),
        expect![[r#"
        base/web.yaml:7
              kustomize.toolkit.fluxcd.io/reconcile: disabled
                                                     ^^^^^^^^
        Flux neither applies this object nor deletes it, and does not look at its health: what is written here is not made live.
    "#]],
    );
    check(
        &with("labels", "kustomize.toolkit.fluxcd.io/ssa: ifnotpres$0ent"),
        expect![[r#"
        base/web.yaml:7
              kustomize.toolkit.fluxcd.io/ssa: ifnotpresent
                                               ^^^^^^^^^^^^
        Flux makes this object once, and never changes it after that: later edits here are not made live.
    "#]],
    );
    check(
        &with("annotations", "kustomize.toolkit.fluxcd.io/ssa: Over$0ride"),
        expect![[r#"
        nothing
    "#]],
    );
    check(
        &with("annotations", "config.kubernetes.io/local-config: 't$0rue'"),
        expect![[r#"
        base/web.yaml:7
              config.kubernetes.io/local-config: 'true'
                                                 ^^^^^^
        kustomize leaves this object out of what it builds: it is not applied.
    "#]],
    );
    check(
        &with("annotations", "config.kubernetes.io/local-config: y$0es"),
        expect![[r#"
        base/web.yaml:7
              config.kubernetes.io/local-config: yes
                                                 ^^^
        kustomize leaves this object out of what it builds: it is not applied.
    "#]],
    );
    // What kustomize and Flux do not look at.
    for (kind, line) in [
        ("labels", "config.kubernetes.io/local-config: 't$0rue'"),
        ("annotations", "config.kubernetes.io/local-config: 'f$0alse'"),
        ("annotations", "kustomize.toolkit.fluxcd.io/substitute: Dis$0abled"),
    ] {
        check(
            &with(kind, line),
            expect![[r#"
            nothing
        "#]],
        );
    }
}

#[test]
fn a_file_that_is_not_in_the_artifact() {
    let settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: set$0tings}\n";
    let cluster = |ignore: &str| {
        format!(
            "//- cluster staging\n{{kind: GitRepository, name: fleet, url: https://git.example/fleet, spec: {{ignore: \"{ignore}\"}}, at: main@1a2b3c4}}\n{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: apps, at: main@1a2b3c4, holds: [ConfigMap/shop/settings]}}\n"
        )
    };
    let apps = format!("//- apps/settings.yaml\n{settings}");
    check_hover(
        &format!("{apps}{}", cluster("/apps/set*")),
        expect![[r#"
            apps/settings.yaml:3
              metadata: {name: settings}
                               ^^^^^^^^
            **`ConfigMap/settings`**

            `staging: still applied main@1a2b3c4 by apps; taken out here, will be left behind when that is applied`

            - not in the artifact that `staging` fetches: left out by `spec.ignore` of the source
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
    check_hover(
        &format!("{apps}//- apps/.sourceignore\n# drafts\n*.yaml\n{}", cluster("")),
        expect![[r#"
            apps/settings.yaml:3
              metadata: {name: settings}
                               ^^^^^^^^
            **`ConfigMap/settings`**

            `staging: still applied main@1a2b3c4 by apps; taken out here, will be left behind when that is applied`

            - not in the artifact that `staging` fetches: left out by `apps/.sourceignore`:2
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
    // Elsewhere nobody would look for it.
    let docs = format!("//- docs/settings.yaml\n{settings}");
    check_hover(
        &format!("{docs}{}", cluster("/docs/")),
        expect![[r#"
        nothing
    "#]],
    );
}
