//! The live objects of plain manifests: their own state, how they compare with the text, and what they dropped.

use expect_test::{Expect, expect};

use super::drawing::{check_hover, check_lenses, check_marks, draw_marks, hover_lines};
use super::fixture::World;
use super::shop;

const SHOP: &str = "\
//- apps/kustomization.yaml
namespace: shop
resources: [web.yaml]
patches: [{path: patch.yaml}]
//- apps/web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  template:
    spec:
      containers:
        - name: web
          image: web:1
          imagePullPolicies: Always
          resources: {limits: {memory: 1024Mi}}
//- apps/patch.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  minReadySecond: 5
//- commits
1a2b3c4 Add web
//- cluster staging
";

/// What the Kustomization says, and then what of the Deployment.
const READY: &str = "at: main@1a2b3c4, holds: [Deployment/shop/web]";

fn world(kustomization: &str, live: &str) -> String {
    let kustomization = shop::kustomization("apps", "./apps", kustomization);
    format!("{SHOP}{}{kustomization}//- live staging\n{live}\n", shop::source("at: main@1a2b3c4"))
}

/// The Deployment as the API server has it, with more of its spec and its status.
fn deployment(spec: &str, status: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web, namespace: shop, generation: 1}}, spec: {{replicas: 3, revisionHistoryLimit: 10{spec}, template: {{spec: {{containers: [{{name: web, image: 'web:1', imagePullPolicy: Always, resources: {{limits: {{memory: 1Gi}}}}}}]}}}}}}, status: {{{status}}}}}"
    )
}

const WELL: &str = "replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3";
const ONE: &str = "replicas: 3, updatedReplicas: 3, readyReplicas: 1, availableReplicas: 1";

fn lenses(live: &str, expected: Expect) {
    check_lenses(&world(READY, live), expected);
}

#[test]
fn its_own_state_is_joined_where_it_is_not_well() {
    lenses(
        &deployment("", WELL),
        expect![[r#"
            apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
            apps/patch.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
        "#]],
    );
    // No ✓ for what is not well.
    lenses(
        &deployment("", ONE),
        expect![[r#"
            apps/web.yaml:1 [staging: applied main@1a2b3c4 by apps · 1 of 3 ready] [Reconcile now]
            apps/patch.yaml:1 [staging: applied main@1a2b3c4 by apps · 1 of 3 ready] [Reconcile now]
        "#]],
    );
    let stuck = format!(
        "{ONE}, conditions: [{{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded, message: has timed out}}]"
    );
    lenses(
        &deployment("", &stuck),
        expect![[r#"
            apps/web.yaml:1 [staging: applied main@1a2b3c4 by apps · 1 of 3 ready (ProgressDeadlineExceeded)] [Reconcile now]
            apps/patch.yaml:1 [staging: applied main@1a2b3c4 by apps · 1 of 3 ready (ProgressDeadlineExceeded)] [Reconcile now]
        "#]],
    );
    lenses(
        "gone apps/v1 Deployment shop web",
        expect![[r#"
            apps/web.yaml:1 [staging: applied main@1a2b3c4 by apps · gone from the cluster] [Reconcile now]
            apps/patch.yaml:1 [staging: applied main@1a2b3c4 by apps · gone from the cluster] [Reconcile now]
        "#]],
    );
    lenses(
        "forbidden apps/v1 Deployment shop web",
        expect![[r#"
            apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
            apps/patch.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
        "#]],
    );
}

#[test]
fn what_was_read_earlier_says_nothing_now() {
    let then = world(READY, &deployment("", ONE)).replace("//- live staging", "//- live staging earlier");
    check_lenses(
        &then,
        expect![[r#"
            apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
            apps/patch.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
        "#]],
    );
    check_marks(&then, expect![[""]]);
}

/// The part of the hover at the Deployment's kind that is about the object.
fn hover(live: &str, expected: Expect) {
    let told = hover_lines(&world(READY, live).replacen(" Deployment\n", " $0Deployment\n", 1), |it| {
        it.contains("the object") || it.contains("this text:") || it.starts_with("- it ")
    });
    expected.assert_eq(&told);
}

#[test]
fn the_hover_says_its_state_and_compares_it_with_the_text() {
    hover(
        &deployment("", WELL),
        expect![[r#"
            - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
            - the object itself: `3 of 3 ready`, read 2026-11-22 05:59 UTC
            - it differs from this text: `spec.template.spec.containers[0].imagePullPolicies` is not in it; `spec.minReadySecond` is not in it
            - applied by `Kustomization/flux-system/apps`: its build makes the object from this document, and its inventory holds it
        "#]],
    );
    let matching = deployment(", minReadySecond: 5", WELL).replace("imagePullPolicy:", "imagePullPolicies:");
    hover(
        &matching,
        expect![[r#"
        - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
        - the object itself: `3 of 3 ready`, read 2026-11-22 05:59 UTC
        - it matches this text
        - applied by `Kustomization/flux-system/apps`: its build makes the object from this document, and its inventory holds it
    "#]],
    );
    hover(
        &matching.replace("replicas: 3, rev", "replicas: 5, rev"),
        expect![[r#"
        - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
        - the object itself: `3 of 5 updated`, read 2026-11-22 05:59 UTC
        - it differs from this text: `spec.replicas` is `5` there
        - applied by `Kustomization/flux-system/apps`: its build makes the object from this document, and its inventory holds it
    "#]],
    );
    // What is changed all the time comes last; a label that somebody took away is not in it.
    let label = world(READY, &deployment("", WELL).replace("replicas: 3, rev", "replicas: 5, rev"))
        .replacen("  name: web\nspec", "  name: web\n  labels: {a: b, c: d}\nspec", 1)
        .replacen(" Deployment\n", " $0Deployment\n", 1);
    expect![[r#"
        - it differs from this text: `metadata.labels.a` is not in it; `metadata.labels.c` is not in it; `spec.template.spec.containers[0].imagePullPolicies` is not in it; and 2 more
    "#]].assert_eq(&hover_lines(&label, |it| it.starts_with("- it ")));
    let stuck = format!(
        "{ONE}, conditions: [{{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded, message: '`web` has [timed](out). Really.'}}]"
    );
    hover(
        &deployment("", &stuck),
        expect![[r#"
            - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
            - the object itself: `1 of 3 ready (ProgressDeadlineExceeded)`, `` `web` has [timed](out). Really. ``, read 2026-11-22 05:59 UTC
            - it differs from this text: `spec.template.spec.containers[0].imagePullPolicies` is not in it; `spec.minReadySecond` is not in it
            - applied by `Kustomization/flux-system/apps`: its build makes the object from this document, and its inventory holds it
        "#]],
    );
    hover(
        "gone apps/v1 Deployment shop web",
        expect![[r#"
        - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
        - the object itself: gone from the cluster, though the inventory lists it; read 2026-11-22 05:59 UTC
        - applied by `Kustomization/flux-system/apps`: its build makes the object from this document, and its inventory holds it
    "#]],
    );
    hover(
        "forbidden apps/v1 Deployment shop web",
        expect![[r#"
        - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
        - the object itself is not known: no permission to `get` `deployments.apps` in `shop`
        - applied by `Kustomization/flux-system/apps`: its build makes the object from this document, and its inventory holds it
    "#]],
    );
    hover(
        "not-served apps/v1 Deployment shop web",
        expect![[r#"
        - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
        - the object itself: the cluster does not serve this kind
        - applied by `Kustomization/flux-system/apps`: its build makes the object from this document, and its inventory holds it
    "#]],
    );
    hover(
        &deployment("", WELL).replace("apps/v1, kind", "apps/v2, kind"),
        expect![[r#"
        - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
        - the object itself: `3 of 3 ready`, read 2026-11-22 05:59 UTC
        - not compared with this text: the cluster serves it as `apps/v2`
        - applied by `Kustomization/flux-system/apps`: its build makes the object from this document, and its inventory holds it
    "#]],
    );
}

#[test]
fn a_key_that_was_dropped_is_marked_where_it_is_set() {
    check_marks(
        &world(READY, &deployment("", WELL)),
        expect![[r#"
        apps/web.yaml:12
                    imagePullPolicies: Always
                    ^^^^^^^^^^^^^^^^^ warning DroppedField: staging: `spec.template.spec.containers[0].imagePullPolicies` is not in the live object, although Kustomization/flux-system/apps is Ready: dropped on the way, or taken away there
        apps/patch.yaml:6
            minReadySecond: 5
            ^^^^^^^^^^^^^^ warning DroppedField: staging: `spec.minReadySecond` is not in the live object, although Kustomization/flux-system/apps is Ready: dropped on the way, or taken away there
    "#]],
    );
}

#[test]
fn what_was_applied_before_it_was_suspended_is_marked_too() {
    let suspended = format!("{READY}, suspend: true");
    check_marks(
        &world(&suspended, &deployment("", WELL)),
        expect![[r#"
        apps/web.yaml:12
                    imagePullPolicies: Always
                    ^^^^^^^^^^^^^^^^^ warning DroppedField: staging: `spec.template.spec.containers[0].imagePullPolicies` is not in the live object, although Kustomization/flux-system/apps was Ready when it was suspended: dropped on the way, or taken away there
        apps/patch.yaml:6
            minReadySecond: 5
            ^^^^^^^^^^^^^^ warning DroppedField: staging: `spec.minReadySecond` is not in the live object, although Kustomization/flux-system/apps was Ready when it was suspended: dropped on the way, or taken away there
    "#]],
    );
    // Suspended in another state nobody said that all of it was applied.
    let failed = format!("{suspended}, failed: [ReconciliationFailed, 'no', main@1a2b3c4]");
    assert!(!draw_marks(&mut World::new(&world(&failed, &deployment("", WELL)))).contains("DroppedField"));
}

#[test]
fn what_is_another_in_the_cluster_is_noted_where_nobody_hovers() {
    let mutated = deployment(", minReadySecond: 5", WELL)
        .replace("imagePullPolicy:", "imagePullPolicies:")
        .replace("'web:1'", "'mirror.example/web:1'")
        .replace("replicas: 3, rev", "replicas: 5, rev");
    // In an editor the hover says it.
    check_marks(&world(READY, &mutated), expect![[""]]);
    let asked =
        |kustomization: &str, live: &str| format!("{}//- settings\ndiffering\n", world(kustomization, live));
    check_marks(
        &asked(READY, &mutated),
        expect![[r#"
        apps/web.yaml:11
                    image: web:1
                           ^^^^^ information LiveDiffers: staging: `spec.template.spec.containers[0].image` is `mirror.example/web:1` in the live object, although Kustomization/flux-system/apps is Ready: changed on the way, or there
    "#]],
    );
    let silent = |text: &str| check_marks(text, expect![[""]]);
    // Nothing that is no proof of it.
    silent(&asked(&format!("{READY}, spec: {{ignore: [{{paths: [/spec/replicas]}}]}}"), &mutated));
    silent(&asked(
        READY,
        &mutated
            .replace("generation: 1", "generation: 1, annotations: {kustomize.toolkit.fluxcd.io/ssa: Merge}"),
    ));
    silent(
        &asked(READY, &mutated).replace(
            "//- cluster staging",
            "//- then 1a2b3c4 apps/web.yaml\nkind: Other\n//- cluster staging",
        ),
    );
}

#[test]
fn what_is_no_proof_is_not_marked() {
    let dropped = deployment("", WELL);
    let silent = |text: &str| check_marks(text, expect![[""]]);
    // It is there.
    silent(&world(
        READY,
        &deployment(", minReadySecond: 5", WELL).replace("imagePullPolicy:", "imagePullPolicies:"),
    ));
    // Its applier runs, ignores fields, or its text was another.
    silent(&world(
        &format!("{READY}, progress: 'Building manifests for revision REV', to: main@1a2b3c4"),
        &dropped,
    ));
    silent(&world(&format!("{READY}, spec: {{ignore: [{{paths: [/spec/replicas]}}]}}"), &dropped));
    let then = "//- then 1a2b3c4 apps/web.yaml\nkind: Other\n//- then 1a2b3c4 apps/patch.yaml\nkind: Other\n";
    silent(&world(READY, &dropped).replace("//- cluster staging", &format!("{then}//- cluster staging")));
    // Left alone, in the text or in the cluster.
    let annotation = "annotations: {kustomize.toolkit.fluxcd.io/ssa: Merge}";
    silent(&world(READY, &dropped).replacen(
        "  name: web\nspec",
        &format!("  name: web\n  {annotation}\nspec"),
        1,
    ));
    silent(&world(READY, &dropped.replace("generation: 1", &format!("generation: 1, {annotation}"))));
    // Read in another version; switched off.
    silent(&world(READY, &dropped.replace("apps/v1, kind", "apps/v2, kind")));
    silent(&format!("{}//- settings\nsilent=off\n", world(READY, &dropped)));
    // Not in the inventory, or not allowed to be read.
    silent(&world("at: main@1a2b3c4, holds: []", &dropped));
    silent(&world(READY, "forbidden apps/v1 Deployment shop web"));
}

#[test]
fn a_secret_is_not_wanted() {
    let world = "\
//- apps/login.yaml
apiVersion: v1
kind: $0Secret
metadata: {name: login, namespace: shop}
stringData: {a: b}
//- commits
1a2b3c4 Add a login
//- cluster staging
{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4}
{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, at: main@1a2b3c4, holds: [Secret/shop/login]}
//- live staging
{apiVersion: v1, kind: Secret, metadata: {name: login, namespace: shop}, data: {password: aHVudGVyMg==}}
";
    // The fixture refuses to read one.
    check_hover(
        world,
        expect![[r#"
        apps/login.yaml:2
          kind: Secret
                ^^^^^^
        ✓ **`Secret/shop/login`** in `staging`

        `live main@1a2b3c4`

        - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
        - the object itself is not read: Secrets never are
        - applied by `Kustomization/flux-system/apps`: its build makes the object from this document, and its inventory holds it

        **`Kustomization/flux-system/apps`** in `staging`: applied

        - running `main@1a2b3c4` `Add a login`, 2026-11-20 10:00 UTC
        - so since 2026-11-21 20:00 UTC
        - health is not checked
        - cluster `staging`, read 2026-11-22 06:00 UTC, live
    "#]],
    );
}

#[test]
fn who_may_not_see_the_applier_still_sees_the_object() {
    let labels = "labels: {kustomize.toolkit.fluxcd.io/name: apps, kustomize.toolkit.fluxcd.io/namespace: flux-system}";
    let world = |cluster: &str, live: &str| {
        format!(
            "//- apps/settings.yaml\napiVersion: v1\nkind: $0ConfigMap\nmetadata: {{name: settings, namespace: shop}}\ndata: {{a: b}}\n\
             //- cluster staging {cluster}\n{{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4}}\n\
             //- live staging\n{live}\n"
        )
    };
    let live = format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: settings, namespace: shop, {labels}}}, data: {{a: b}}}}"
    );
    check_lenses(
        &world("forbidden=Kustomization", &live),
        expect![[r#"
        apps/settings.yaml:1 [staging: matches this text; flux-system/apps: no permission]
    "#]],
    );
    check_lenses(
        &world("forbidden=Kustomization", &live.replace("{a: b}", "{a: c}")),
        expect![[r#"
        apps/settings.yaml:1 [staging: differs from this text; flux-system/apps: no permission]
    "#]],
    );
    check_hover(
        &world("forbidden=Kustomization", &live),
        expect![[r#"
        apps/settings.yaml:2
          kind: ConfigMap
                ^^^^^^^^^
        **`ConfigMap/shop/settings`** in `staging`

        `matches this text; flux-system/apps: no permission`

        - the object itself: `exists`, read 2026-11-22 05:59 UTC
        - it matches this text
        - only a guess: an object of this kind and name; its labels name `Kustomization/flux-system/apps` as what applies it, which cannot be read
        - cluster `staging`, read 2026-11-22 06:00 UTC, live
    "#]],
    );
    // Nobody's labels; an applier that could be read and is not there.
    check_lenses(&world("forbidden=Kustomization", &live.replace(labels, "")), expect![[""]]);
    check_lenses(&world("", &live), expect![[""]]);
}

#[test]
fn what_a_source_that_nobody_reads_may_set_later_is_not_compared() {
    // The cluster's Secret may set what the ConfigMap of the repository sets before it.
    let told = |sources: &str, post_build: &str| {
        let post_build =
            format!("spec: {{postBuild: {{substituteFrom: [{sources}]{post_build}}}}}, at: main@1a2b3c4");
        let by =
            shop::kustomization("apps", "./apps", &format!("{post_build}, holds: [ConfigMap/shop/settings]"));
        let world = format!(
            "//- vars.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: vars, namespace: flux-system}}\ndata: {{HOST: a}}\n\
             //- apps/settings.yaml\napiVersion: v1\nkind: $0ConfigMap\nmetadata: {{name: settings, namespace: shop}}\n\
             data: {{host: '${{HOST}}', also: '${{OTHER:=${{HOST}}}}', '${{HOST}}': x, own: 'y'}}\n\
             //- commits\n1a2b3c4 Add settings\n//- cluster staging\n{}{by}//- live staging\n\
             {{apiVersion: v1, kind: ConfigMap, metadata: {{name: settings, namespace: shop}}, data: {{host: b, also: b, b: x, own: y}}}}\n",
            shop::source("at: main@1a2b3c4"),
        );
        hover_lines(&world, |it| it.starts_with("- it "))
    };
    let (map, secret) = ("{kind: ConfigMap, name: vars}", "{kind: Secret, name: vars}");
    let unread = "{kind: ConfigMap, name: not-here}";
    let other = ", substitute: {OTHER: b}";
    // A key that a variable made is not compared in any case.
    let differs = "- it differs from this text: `data.host` is another\n";
    let matches = "- it matches this text\n";
    assert_eq!(told(&format!("{map}, {secret}"), other), matches);
    assert_eq!(told(&format!("{map}, {unread}"), other), matches);
    // What is set later, or in the Kustomization itself, is known.
    assert_eq!(told(&format!("{secret}, {map}"), other), differs);
    assert_eq!(told(map, other), differs);
    assert_eq!(told(&format!("{map}, {secret}"), ", substitute: {OTHER: b, HOST: a}"), differs);
    // A default is taken where the variable is empty; the one inside of it is from the ConfigMap.
    assert_eq!(told(&format!("{map}, {secret}"), ", substitute: {OTHER: ''}"), matches);
    assert_eq!(
        told(map, ", substitute: {OTHER: ''}"),
        "- it differs from this text: `data.host` is another; `data.also` is another\n"
    );
}
