//! Documents that are no Flux objects: what applies them.

use expect_test::{Expect, expect};

use super::drawing::{check_hover, check_lenses, check_marks, hover_lines};

/// A base, two overlays, and a cluster that applies both.
const SHOP: &str = "\
//- apps/base/kustomization.yaml
resources: [web.yaml]
//- apps/base/web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
---
apiVersion: v1
kind: Service
metadata:
  name: web
//- apps/eu/kustomization.yaml
namespace: eu
resources: [../base]
patches: [{path: replicas.yaml}]
//- apps/eu/replicas.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
//- apps/us/kustomization.yaml
namespace: us
namePrefix: ${REGION}-
resources: [../base]
//- apps/notes.yaml
hello: world
//- commits
1a2b3c4 Add web
9f8e7d6 Change web
//- then 1a2b3c4 apps/base/web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
---
apiVersion: v1
kind: Service
metadata:
  name: web
//- then 1a2b3c4 apps/eu/replicas.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  # as many as there are zones
  replicas: 3
";
const FLEET: &str = "//- cluster staging
{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4}
";
const EU: &str = "{kind: Kustomization, name: eu, source: GitRepository/fleet, path: ./apps/eu, at: main@1a2b3c4, holds: [Deployment/eu/web, Service/eu/web]}\n";
const US: &str = "{kind: Kustomization, name: us, source: GitRepository/fleet, path: ./apps/us, at: main@1a2b3c4, holds: [Deployment/us/one-web, Service/us/one-web], spec: {postBuild: {substituteFrom: [{kind: Secret, name: region}]}}}\n";

fn check(cluster: &str, expected: Expect) {
    check_lenses(&format!("{SHOP}{FLEET}{cluster}"), expected);
}

#[test]
fn one_kustomization() {
    // The Service says the same as the Deployment above it.
    check(
        EU,
        expect![[r#"
            apps/base/web.yaml:1 [✓ staging: live main@1a2b3c4 by eu] [Reconcile now]
            apps/eu/replicas.yaml:1 [✓ staging: live main@1a2b3c4 by eu, only comments differ] [Reconcile now]
        "#]],
    );
}

#[test]
fn a_base_of_several_with_a_name_that_nobody_here_knows() {
    check(
        &format!("{EU}{US}"),
        expect![[r#"
            apps/base/web.yaml:1 [✓ staging: live main@1a2b3c4] [Clusters…]
            apps/eu/replicas.yaml:1 [✓ staging: live main@1a2b3c4 by eu, only comments differ] [Reconcile now]
        "#]],
    );
}

#[test]
fn an_applier_in_trouble_is_said_without_a_sign() {
    check(
        "{kind: Kustomization, name: eu, source: GitRepository/fleet, path: ./apps/eu, at: main@1a2b3c4, failed: [BuildFailed, 'kustomize build failed: no such thing', main@9f8e7d6], holds: [Deployment/eu/web]}\n",
        expect![[r#"
            apps/base/web.yaml:1 [staging: applied main@1a2b3c4 by eu, eu failed main@9f8e7d6] [Reconcile now] [Go to cause]
            apps/base/web.yaml:6 [staging: not applied, eu failed main@9f8e7d6] [Reconcile now] [Go to cause]
            apps/eu/replicas.yaml:1 [staging: applied main@1a2b3c4 by eu, only comments differ, eu failed main@9f8e7d6] [Reconcile now] [Go to cause]
        "#]],
    );
    check(
        "{kind: Kustomization, name: eu, source: GitRepository/fleet, path: ./apps/eu, at: main@1a2b3c4, suspend: true, holds: [Deployment/eu/web, Service/eu/web]}\n",
        expect![[r#"
            apps/base/web.yaml:1 [staging: applied main@1a2b3c4 by eu, eu is suspended] [Resume…]
            apps/eu/replicas.yaml:1 [staging: applied main@1a2b3c4 by eu, only comments differ, eu is suspended] [Resume…]
        "#]],
    );
}

#[test]
fn what_is_not_in_the_inventory_is_not_applied() {
    check(
        "{kind: Kustomization, name: eu, source: GitRepository/fleet, path: ./apps/eu, at: main@1a2b3c4, holds: [Service/eu/web]}\n",
        expect![[r#"
            apps/base/web.yaml:1 [staging: not applied yet] [Reconcile now]
            apps/base/web.yaml:6 [✓ staging: live main@1a2b3c4 by eu] [Reconcile now]
            apps/eu/replicas.yaml:1 [staging: object not applied yet] [Reconcile now]
        "#]],
    );
}

#[test]
fn another_text_has_no_tick() {
    let changed = SHOP.replacen("  replicas: 3\n//- apps/us", "  replicas: 4\n//- apps/us", 1);
    check_lenses(
        &format!("{changed}{FLEET}{EU}"),
        expect![[r#"
            apps/base/web.yaml:1 [staging: not live · changed since main@1a2b3c4] [Reconcile now]
            apps/base/web.yaml:6 [✓ staging: live main@1a2b3c4 by eu] [Reconcile now]
            apps/eu/replicas.yaml:1 [staging: not live · changed since main@1a2b3c4] [Reconcile now]
        "#]],
    );
}

#[test]
fn hovers_name_the_applier_and_what_shapes_the_object() {
    let at = |mark: &str| SHOP.replacen(mark, &mark.replacen(' ', " $0", 1), 1);
    check_hover(
        &format!("{}{FLEET}{EU}{US}", at(" Deployment\nmetadata")),
        expect![[r#"
            apps/base/web.yaml:2
              kind: Deployment
                    ^^^^^^^^^^
            This document becomes 2 objects in one cluster.

            ✓ **`Deployment/eu/web`** in `staging`

            `live main@1a2b3c4`

            - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
            - applied by `Kustomization/flux-system/eu`: its build makes the object from this document, and its inventory holds it
            - shaped by `apps/eu/replicas.yaml`

            ✓ **`Deployment/us/${REGION}-web`** in `staging`

            `live main@1a2b3c4`

            - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
            - values from `Secret` `region` are not compared
            - applied by `Kustomization/flux-system/us`: its build makes the object from this document, and its inventory holds it

            **`Kustomization/flux-system/eu`** in `staging`: applied

            - running `main@1a2b3c4` `Add web`, 2026-11-20 10:00 UTC
            - so since 2026-11-21 20:00 UTC
            - health is not checked
            - cluster `staging`, read 2026-11-22 06:00 UTC, live

            **`Kustomization/flux-system/us`** in `staging`: applied

            - running `main@1a2b3c4` `Add web`, 2026-11-20 10:00 UTC
            - so since 2026-11-21 20:00 UTC
            - health is not checked
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
    check_hover(
        &format!("{}{FLEET}{EU}", at(" world")),
        expect![[r#"
        nothing
    "#]],
    );
}

/// Two Kustomizations that make the same ConfigMap of two files.
fn rivals(c3: &str, more: &str) -> String {
    let map = |name: &str| {
        format!(
            "//- apps/{name}/cm.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c1, namespace: shop}}\ndata: {{from: {name}}}\n"
        )
    };
    let holds = "at: main@1a2b3c4, holds: [ConfigMap/shop/c1]";
    format!(
        "{}{}//- commits\n1a2b3c4 Add both\n{FLEET}{{kind: Kustomization, name: c1, source: GitRepository/fleet, path: ./apps/c1, {holds}}}\n{{kind: Kustomization, name: c3, source: GitRepository/fleet, path: ./apps/c3, {c3}}}\n{more}",
        map("c1").replacen("ConfigMap", "$0ConfigMap", 1),
        map("c3"),
    )
}

#[test]
fn what_two_kustomizations_apply_has_no_tick() {
    let holds = "at: main@1a2b3c4, holds: [ConfigMap/shop/c1]";
    check_lenses(
        &rivals(holds, "").replace("$0", ""),
        expect![[r#"
            apps/c1/cm.yaml:1 [staging: applied main@1a2b3c4 by c1, also applied by c3] [Reconcile now]
            apps/c3/cm.yaml:1 [staging: applied main@1a2b3c4 by c3, also applied by c1] [Reconcile now]
        "#]],
    );
    // The other one only expects it, or sends it elsewhere.
    check_lenses(
        &rivals("at: main@1a2b3c4, holds: []", "").replace("$0", ""),
        expect![[r#"
        apps/c1/cm.yaml:1 [✓ staging: live main@1a2b3c4 by c1] [Reconcile now]
        apps/c3/cm.yaml:1 [staging: not applied yet] [Reconcile now]
    "#]],
    );
    let elsewhere = format!("{holds}, spec: {{kubeConfig: {{secretRef: {{name: there}}}}}}");
    check_lenses(
        &rivals(&elsewhere, "").replace("$0", ""),
        expect![[r#"
        apps/c1/cm.yaml:1 [✓ staging: live main@1a2b3c4 by c1] [Reconcile now]
        apps/c3/cm.yaml:1 [staging → there: applied main@1a2b3c4 by c3] [Reconcile now]
    "#]],
    );
    let told = |text: &str| {
        hover_lines(text, |it| it.contains("appl") || it.starts_with("- it ") || it.contains("label"))
    };
    let live = "//- live staging\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c1, namespace: shop, labels: {kustomize.toolkit.fluxcd.io/name: c3, kustomize.toolkit.fluxcd.io/namespace: flux-system}}, data: {from: c3}}\n";
    expect![[r#"
        `applied main@1a2b3c4, also applied by c3`
        - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
        - it differs from this text: `data.from` is another
        - applied by `Kustomization/flux-system/c1`: its build makes the object from this document, and its inventory holds it
        - also applied by `Kustomization/flux-system/c3`, from `apps/c3/cm.yaml`: they overwrite each other
        - by its labels the object belongs to `Kustomization/flux-system/c3` now
        **`Kustomization/flux-system/c1`** in `staging`: applied
    "#]].assert_eq(&told(&rivals(holds, live)));
    // One that is suspended applies nothing now.
    expect![[r#"
        `applied main@1a2b3c4, also applied by c3`
        - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
        - it differs from this text: `data.from` is another
        - applied by `Kustomization/flux-system/c1`: its build makes the object from this document, and its inventory holds it
        - also applied by `Kustomization/flux-system/c3`, from `apps/c3/cm.yaml`, which is suspended
        **`Kustomization/flux-system/c1`** in `staging`: applied
    "#]].assert_eq(&told(&rivals(&format!("{holds}, suspend: true"), live)));
    // Whoever comes last takes away what its own text does not have: nothing was dropped on the way.
    let bare = live.replace("data: {from: c3}", "immutable: false").replace("$0", "");
    let extra = rivals(holds, &bare).replace("$0", "").replacen("data: {from: c1}", "more: {from: c1}", 1);
    check_marks(&extra, expect![[""]]);
    // The same of Flux objects.
    let object = |text: &str| {
        rivals(holds, "{kind: HelmRepository, name: c1, url: https://a.example, at: sha256:aaaa}\n")
            .replace("apiVersion: v1", "apiVersion: source.toolkit.fluxcd.io/v1")
            .replace("ConfigMap", "HelmRepository")
            .replace("data: {from: c1}", "spec: {url: https://a.example}")
            .replace("data: {from: c3}", text)
            .replace("shop", "flux-system")
    };
    check_lenses(
        &object("spec: {url: https://b.example}").replace("$0", ""),
        expect![[r#"
            apps/c1/cm.yaml:1 [staging: fetched sha256:aaaa, also applied by c3] [Reconcile now]
            apps/c3/cm.yaml:1 [staging: fetched sha256:aaaa, also applied by c1] [Reconcile now]
        "#]],
    );
    expect![[r#"
        - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
        - applied by `Kustomization/flux-system/c1`: its build reads this file, and its inventory holds the object
        - also applied by `Kustomization/flux-system/c3`, from `apps/c3/cm.yaml`: they overwrite each other
    "#]].assert_eq(&told(&object("spec: {url: https://b.example}")));
}
