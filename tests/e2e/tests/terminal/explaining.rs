//! `explain`.

use expect_test::{Expect, expect};
use fleet::Cluster;

use super::{Fleet, assert_plain, masked};

fn check(place: &str, clusters: &[Cluster], expected: Expect) {
    check_with_code(place, clusters, 0, expected);
}

fn check_with_code(place: &str, clusters: &[Cluster], code: i32, expected: Expect) {
    let ran = Fleet::lay_out().run(&["explain", place], clusters);
    expected.assert_eq(&masked(&ran.stdout));
    assert_eq!((ran.code, ran.stderr.as_str()), (code, ""));
    assert_plain(&ran.stdout);
}

#[test]
fn what_failed_and_what_runs_instead() {
    check(
        "clusters/staging/apps/catalog.yaml",
        &[Cluster::Staging],
        expect![[r#"
            ✗ staging: failed main@21d6388, running main@524dbed, as recorded <time>
              the cause is at apps/staging/catalog/ingress.yaml:13

            ✗ Kustomization/flux-system/catalog in staging: failed, tried again
              ReconciliationFailed:
              | Ingress/shop/catalog-api dry-run failed (Invalid): Ingress.networking.k8s.io "catalog-api" is invalid: spec.rules[0].http.paths[0].pathType: Unsupported value: "prefix": supported values: "Exact", "ImplementationSpecific", "Prefix"
              - running main@524dbed Preview the storefront, deliver the landing page by itself, alert on failures, 2026-11-12 14:40 UTC
              - failed main@21d6388 Let production's payments scale to twelve, 2026-11-19 15:42 UTC
              - so since <time> UTC
              - this text: saved → committed on main → pushed → in flux-system main@21d6388 <time> UTC → applied main@21d6388 <time> UTC → health not checked
              - source GitRepository/flux-system/flux-system: fetched main@21d6388
              - depends on Kustomization/flux-system/infra-configs: applied main@21d6388
              - outcome ReconciliationFailed at main@21d6388 <time> UTC
              - outcome ReconciliationSucceeded at main@524dbed <time> UTC
              - applied by Kustomization/flux-system/flux-system: the object says that it came from this file
              - cluster staging, as recorded, not live; the newest time in the recording is <time> UTC
        "#]],
    );
}

#[test]
fn a_manifest_that_is_the_cause() {
    check(
        "apps/staging/checkout/staging.yaml",
        &[Cluster::Staging],
        expect![[r#"
            apps/staging/checkout/staging.yaml
              error ReconciliationFailed: as recorded <time>, staging: spec.template.spec.containers[0].imagePullPolicy: Unsupported value: "Allways": supported values: "Always", "IfNotPresent", "Never"

            Deployment/shop/checkout in staging
              fetched main@21d6388, not applied yet, checkout failed main@21d6388, as recorded <time>
              - this text: saved → committed on main → pushed → in flux-system main@21d6388 <time> UTC; fetched main@21d6388, not applied yet
              - not applied yet: a51c665 Staging's checkout runs what was merged last, Tomas Ferreira, 2026-11-18 09:15 UTC
              - applied by Kustomization/flux-system/checkout: its build patches the object with this document, and its inventory holds the object

            ✗ Kustomization/flux-system/checkout in staging: failed, tried again
              ReconciliationFailed:
              | Deployment/shop/checkout dry-run failed (Invalid): Deployment.apps "checkout" is invalid: spec.template.spec.containers[0].imagePullPolicy: Unsupported value: "Allways": supported values: "Always", "IfNotPresent", "Never"
              - running main@524dbed Preview the storefront, deliver the landing page by itself, alert on failures, 2026-11-12 14:40 UTC
              - failed main@21d6388 Let production's payments scale to twelve, 2026-11-19 15:42 UTC
              - so since <time> UTC
              - written in clusters/staging/apps/checkout.yaml
              - cluster staging, as recorded, not live; the newest time in the recording is <time> UTC
        "#]],
    );
    check(
        "apps/staging/search/small.yaml:5",
        &[Cluster::Staging],
        expect![[r#"
            apps/staging/search/small.yaml
              error BuildFailed: as recorded <time>, staging: there is no single Deployment/search for this patch
        "#]],
    );
    check(
        "apps/base/checkout/deployment.yaml",
        &[Cluster::Staging],
        expect![[r#"
            Deployment/shop/checkout in staging
              fetched main@21d6388, not applied yet, checkout failed main@21d6388, as recorded <time>
              - this text: saved → committed on main → pushed → in flux-system main@21d6388 <time> UTC; fetched main@21d6388, not applied yet
              - not applied yet: a51c665 Staging's checkout runs what was merged last, Tomas Ferreira, 2026-11-18 09:15 UTC
              - applied by Kustomization/flux-system/checkout: its build makes the object from this document, and its inventory holds it
              - shaped by apps/staging/checkout/staging.yaml

            ✗ Kustomization/flux-system/checkout in staging: failed, tried again
              ReconciliationFailed:
              | Deployment/shop/checkout dry-run failed (Invalid): Deployment.apps "checkout" is invalid: spec.template.spec.containers[0].imagePullPolicy: Unsupported value: "Allways": supported values: "Always", "IfNotPresent", "Never"
              - running main@524dbed Preview the storefront, deliver the landing page by itself, alert on failures, 2026-11-12 14:40 UTC
              - failed main@21d6388 Let production's payments scale to twelve, 2026-11-19 15:42 UTC
              - so since <time> UTC
              - written in clusters/staging/apps/checkout.yaml
              - cluster staging, as recorded, not live; the newest time in the recording is <time> UTC
        "#]],
    );
    check(
        "apps/staging/recommender/values.yaml",
        &[Cluster::Staging],
        expect![[r#"
            ✗ staging: failed 1.2.0, as recorded <time>
              error UpgradeFailed: as recorded <time>, staging: spec.ports[0].port: Invalid value: 80800: must be between 1 and 65535, inclusive

            ✗ HelmRelease/shop/recommender in staging: failed, not tried again before it changes
              UpgradeFailed:
              | Helm upgrade failed for release shop/recommender with chart recommender@1.2.0: server-side apply failed for object shop/recommender /v1, Kind=Service: Service "recommender" is invalid: spec.ports[0].port: Invalid value: 80800: must be between 1 and 65535, inclusive
              - what Flux did then: Helm rollback to previous release shop/recommender.v3 with chart recommender@1.2.0 succeeded
              - running 1.2.0
              - failed 1.2.0
              - so since <time> UTC
              - this text: saved → committed on main → pushed → in flux-system main@21d6388 <time> UTC → applied main@21d6388 <time> UTC
              - chart ./charts/recommender: runs 1.2.0, packaged 1.2.0 <time> UTC
              - its chart here: saved → committed on main → pushed → in flux-system main@21d6388 <time> UTC → packaged 1.2.0 → applied 1.2.0 <time> UTC
              - source HelmChart/flux-system/shop-recommender: fetched 1.2.0
              - source GitRepository/flux-system/flux-system: fetched main@21d6388
              - release v5 deployed, chart 1.2.0 <time> UTC
              - release v4 failed, chart 1.2.0 <time> UTC
              - release v3 superseded, chart 1.2.0 <time> UTC
              - applied by Kustomization/flux-system/recommender: its build reads this file as a patch, and its inventory holds the object
              - cluster staging, as recorded, not live; the newest time in the recording is <time> UTC
        "#]],
    );
}

#[test]
fn what_waits_and_for_what() {
    check(
        "clusters/staging/apps/search.yaml:37",
        &[Cluster::Staging],
        expect![[r#"
            staging: blocked by apps/staging/search/small.yaml:5, as recorded <time>

            Kustomization/flux-system/assistant in staging: waiting
              DependencyNotReady:
              | dependency 'flux-system/suggest' is not ready
              - because of Kustomization/flux-system/search in apps/staging/search/small.yaml: failed, tried again, kustomize build failed: no resource matches strategic merge patch "Deployment.v1.apps/search.[noNs]": no matches for Id Deployment.v1.apps/search.[noNs]; failed to find unique target for patch Deployment.v1.apps/search.[noNs]
              - by way of Kustomization/flux-system/suggest
              - running main@524dbed Preview the storefront, deliver the landing page by itself, alert on failures, 2026-11-12 14:40 UTC
              - so since <time> UTC
              - this text: saved → committed on main → pushed → in flux-system main@21d6388 <time> UTC → applied main@21d6388 <time> UTC → health not checked
              - source GitRepository/flux-system/flux-system: fetched main@21d6388
              - depends on Kustomization/flux-system/infra-configs: applied main@21d6388
              - depends on Kustomization/flux-system/suggest: waiting main@524dbed
              - outcome ReconciliationSucceeded at main@524dbed <time> UTC
              - applied by Kustomization/flux-system/flux-system: the object says that it came from this file
              - cluster staging, as recorded, not live; the newest time in the recording is <time> UTC
        "#]],
    );
}

#[test]
fn what_is_suspended() {
    check(
        "clusters/production/apps/checkout.yaml:4",
        &[Cluster::Production],
        expect![[r#"
            production: suspended, as recorded <time>

            Kustomization/flux-system/checkout in production: suspended; before that: applied, a newer revision is fetched
              - running production@524dbed Preview the storefront, deliver the landing page by itself, alert on failures, 2026-11-12 14:40 UTC
              - next production@181874b Loyalty: count points before reports run, 2026-11-16 14:31 UTC
              - that was so since <time> UTC
              - this text: saved → committed on main → pushed → in flux-system production@181874b <time> UTC → applied production@181874b <time> UTC → health not checked
              - source GitRepository/flux-system/flux-system: fetched production@181874b
              - depends on Kustomization/flux-system/infra-configs: applied production@181874b
              - outcome ReconciliationSucceeded at production@524dbed <time> UTC
              - applied by Kustomization/flux-system/flux-system: its build reads this file, and its inventory holds the object
              - cluster production, as recorded, not live; the newest time in the recording is <time> UTC
        "#]],
    );
}

#[test]
fn what_was_rolled_back() {
    check(
        "apps/base/recommender/release.yaml",
        &Cluster::ALL,
        expect![[r#"
            ✗ 1 of 2 failed: staging · 1 applied, as recorded <time>
              the cause is at apps/staging/recommender/values.yaml:11

            ✗ HelmRelease/shop/recommender in staging: failed, not tried again before it changes
              UpgradeFailed:
              | Helm upgrade failed for release shop/recommender with chart recommender@1.2.0: server-side apply failed for object shop/recommender /v1, Kind=Service: Service "recommender" is invalid: spec.ports[0].port: Invalid value: 80800: must be between 1 and 65535, inclusive
              - what Flux did then: Helm rollback to previous release shop/recommender.v3 with chart recommender@1.2.0 succeeded
              - running 1.2.0
              - failed 1.2.0
              - so since <time> UTC
              - this text: saved → committed on main → pushed → in flux-system main@21d6388 <time> UTC → applied main@21d6388 <time> UTC
              - chart ./charts/recommender: runs 1.2.0, packaged 1.2.0 <time> UTC
              - its chart here: saved → committed on main → pushed → in flux-system main@21d6388 <time> UTC → packaged 1.2.0 → applied 1.2.0 <time> UTC
              - source HelmChart/flux-system/shop-recommender: fetched 1.2.0
              - source GitRepository/flux-system/flux-system: fetched main@21d6388
              - release v5 deployed, chart 1.2.0 <time> UTC
              - release v4 failed, chart 1.2.0 <time> UTC
              - release v3 superseded, chart 1.2.0 <time> UTC
              - applied by Kustomization/flux-system/recommender: its build reads this file, and its inventory holds the object
              - cluster staging, as recorded, not live; the newest time in the recording is <time> UTC

            HelmRelease/shop/recommender in production: applied
              - running 1.2.0
              - so since <time> UTC
              - this text: saved → committed on main → pushed → in flux-system production@181874b <time> UTC → applied production@181874b <time> UTC → healthy
              - chart ./charts/recommender: runs 1.2.0, packaged 1.2.0 <time> UTC
              - its chart here: saved → committed on main → pushed → in flux-system production@181874b <time> UTC → packaged 1.2.0 → applied 1.2.0 <time> UTC → healthy
              - source HelmChart/flux-system/shop-recommender: fetched 1.2.0
              - source GitRepository/flux-system/flux-system: fetched production@181874b
              - release v1 deployed, chart 1.2.0 <time> UTC
              - applied by Kustomization/flux-system/recommender: its build reads this file, and its inventory holds the object
              - cluster production, as recorded, not live; the newest time in the recording is <time> UTC
        "#]],
    );
}

#[test]
fn what_came_as_an_artifact() {
    check(
        "clusters/production/apps/pricing.yaml:15",
        &[Cluster::Production],
        expect![[r#"
            production: applied main@524dbed, as recorded <time>

            Kustomization/flux-system/pricing in production: applied
              - running main@524dbed Preview the storefront, deliver the landing page by itself, alert on failures, 2026-11-12 14:40 UTC as 1.4.0@f65fbe0
              - so since <time> UTC
              - this text: saved → committed on main → pushed → in flux-system production@181874b <time> UTC → applied production@181874b <time> UTC → health not checked
              - source OCIRepository/flux-system/pricing: fetched main@524dbed
              - depends on Kustomization/flux-system/infra-configs: applied production@181874b
              - outcome ReconciliationSucceeded at main@524dbed <time> UTC
              - applied by Kustomization/flux-system/flux-system: its build reads this file, and its inventory holds the object
              - cluster production, as recorded, not live; the newest time in the recording is <time> UTC
        "#]],
    );
}

#[test]
fn a_manifest_of_a_kustomization_that_failed() {
    check(
        "apps/base/search/deployment.yaml",
        &[Cluster::Staging],
        expect![[r#"
            Deployment/shop/search-api in staging
              fetched main@21d6388, not applied yet, search failed main@21d6388, as recorded <time>
              - this text: saved → committed on main → pushed → in flux-system main@21d6388 <time> UTC; fetched main@21d6388, not applied yet
              - not applied yet: 3a56f59 Rename search to search-api, Tomas Ferreira, 2026-11-17 10:48 UTC
              - applied by Kustomization/flux-system/search: its build makes this object, its inventory does not hold it

            ✗ Kustomization/flux-system/search in staging: failed, tried again
              BuildFailed:
              | kustomize build failed: no resource matches strategic merge patch "Deployment.v1.apps/search.[noNs]": no matches for Id Deployment.v1.apps/search.[noNs]; failed to find unique target for patch Deployment.v1.apps/search.[noNs]
              - running main@524dbed Preview the storefront, deliver the landing page by itself, alert on failures, 2026-11-12 14:40 UTC
              - failed main@21d6388 Let production's payments scale to twelve, 2026-11-19 15:42 UTC
              - so since <time> UTC
              - written in clusters/staging/apps/search.yaml
              - cluster staging, as recorded, not live; the newest time in the recording is <time> UTC
        "#]],
    );
}

#[test]
fn what_no_cluster_applies() {
    check_with_code(
        "README.md",
        &[Cluster::Staging],
        2,
        expect![[r#"
            README.md
              No Flux object in this file.
              staging: no Kustomization is known to read this file.
              - cluster staging, as recorded, not live; the newest time in the recording is <time> UTC
            could not be told: none of the clusters asked applies it
        "#]],
    );
}

#[test]
fn places_as_compilers_print_them() {
    let fleet = Fleet::lay_out();
    let file = "clusters/staging/apps/search.yaml";
    let line = fleet.run(&["explain", &format!("{file}:22")], &[Cluster::Staging]);
    let column = fleet.run(&["explain", &format!("{file}:22:9")], &[Cluster::Staging]);
    assert_eq!(line.stdout, column.stdout);
    assert!(line.stdout.contains("Kustomization/flux-system/suggest"), "{}", line.stdout);
    let says = |place: &str, expected: Expect| {
        let ran = fleet.run(&["explain", place], &[Cluster::Staging]);
        expected.assert_eq(&ran.stderr.replace(&fleet.folder.path().display().to_string(), "…"));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    };
    says(
        &format!("{file}:0"),
        expect![[r#"
        fluxcd-ls: lines count from 1
    "#]],
    );
    says(
        &format!("{file}:4000"),
        expect![[r#"
        fluxcd-ls: clusters/staging/apps/search.yaml has 55 lines
    "#]],
    );
    says(
        "nowhere.yaml:3",
        expect![[r#"
        fluxcd-ls: …/fleet/nowhere.yaml: No such file or directory (os error 2)
    "#]],
    );
    says(
        "clusters",
        expect![[r#"
        fluxcd-ls: clusters cannot be read
    "#]],
    );
}
