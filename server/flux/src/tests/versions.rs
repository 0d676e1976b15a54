//! Statuses as older Flux wrote them (flux-reference G), and as flux-operator and the image controllers do.

use expect_test::{Expect, expect};

use super::{objects, render, replay};
use crate::{Kind, verdict};

fn check(yaml: &str, expect: Expect) {
    let (observed, now) = replay(yaml);
    expect.assert_eq(&render(&verdict(&observed, None, now)));
}

#[test]
fn kustomization_v1beta2_of_flux_2_3() {
    let unhealthy = "apiVersion: kustomize.toolkit.fluxcd.io/v1beta2
kind: Kustomization
metadata: {name: apps, namespace: flux-system, generation: 4}
spec: {wait: true, sourceRef: {kind: GitRepository, name: fleet}}
status:
  observedGeneration: 3
  lastAppliedRevision: main@sha1:GIT1
  lastAttemptedRevision: main@sha1:GIT2
  inventory: {entries: [{id: apps_web_apps_Deployment, v: v1}]}
  conditions:
  - {type: Reconciling, status: 'True', reason: ProgressingWithRetry, message: 'Running health checks for revision main@sha1:GIT2 with a timeout of 30s', observedGeneration: 4, lastTransitionTime: '2026-01-01T11:59:00Z'}
  - {type: Ready, status: 'False', reason: HealthCheckFailed, message: \"health check failed after 30.1s: timeout waiting for: [Deployment/apps/web status: 'InProgress']\", observedGeneration: 4, lastTransitionTime: '2026-01-01T11:59:30Z'}
  - {type: Healthy, status: 'False', reason: HealthCheckFailed, message: x, observedGeneration: 4}
";
    check(
        unhealthy,
        expect![[r#"
        Unhealthy
        applied: main@2222222
        attempted: main@2222222
        failed at: main@2222222
        reason: HealthCheckFailed
        message: health check failed after 30.1s: timeout waiting for: [Deployment/apps/web status: 'InProgress']
        since: 11:59:30
    "#]],
    );
    // No history yet: while the next attempt builds, the remembered failure still tells what is applied.
    let retry = unhealthy
        .replace("status: 'False', reason: HealthCheckFailed", "status: Unknown, reason: Progressing")
        .replace("ProgressingWithRetry", "Progressing")
        .replace(
            "Running health checks for revision main@sha1:GIT2",
            "Building manifests for revision main@sha1:GIT3",
        );
    check(
        &format!("{unhealthy}---\n{retry}"),
        expect![[r#"
        Unhealthy
        applied: main@2222222
        attempted: main@3333333
        failed at: main@2222222
        attempt: Building manifests for revision main@sha1:3333333333333333333333333333333333333333 with a timeout of 30s [main@3333333]
        reason: HealthCheckFailed
        message: health check failed after 30.1s: timeout waiting for: [Deployment/apps/web status: 'InProgress']
        since: 11:59:30
    "#]],
    );
}

#[test]
fn helm_release_v2beta1() {
    check(
        "apiVersion: helm.toolkit.fluxcd.io/v2beta1
kind: HelmRelease
metadata: {name: web, namespace: apps, generation: 1}
spec: {chart: {spec: {chart: web, sourceRef: {kind: HelmRepository, name: charts}}}}
status:
  observedGeneration: 1
  lastAppliedRevision: 1.4.0
  lastAttemptedRevision: 1.4.0
  lastReleaseRevision: 1
  helmChart: apps/apps-web
  conditions:
  - {type: Ready, status: 'True', reason: ReconciliationSucceeded, message: Release reconciliation succeeded, lastTransitionTime: '2026-01-01T11:00:00Z'}
  - {type: Released, status: 'True', reason: InstallSucceeded, message: Helm install succeeded}",
        expect![[r#"
            Ready
            applied: 1.4.0
            attempted: 1.4.0
            reason: ReconciliationSucceeded
            message: Release reconciliation succeeded
            since: 11:00:00
        "#]],
    );
    check(
        "apiVersion: helm.toolkit.fluxcd.io/v2beta1
kind: HelmRelease
metadata: {name: web, namespace: apps, generation: 1}
status:
  observedGeneration: 1
  lastAttemptedRevision: 1.4.0
  installFailures: 1
  failures: 1
  conditions:
  - {type: Ready, status: 'False', reason: InstallFailed, message: install retries exhausted}
  - {type: Released, status: 'False', reason: InstallFailed, message: 'Helm install failed: timed out waiting for the condition'}",
        expect![[r#"
            Failed { stalled: false }
            attempted: 1.4.0
            failed at: 1.4.0
            reason: InstallFailed
            message: Helm install failed: timed out waiting for the condition
        "#]],
    );
}

#[test]
fn helm_release_v2beta2_has_a_history() {
    check(
        "apiVersion: helm.toolkit.fluxcd.io/v2beta2
kind: HelmRelease
metadata: {name: web, namespace: apps, generation: 2}
status:
  observedGeneration: 2
  lastAttemptedRevision: 1.5.0
  lastAttemptedGeneration: 2
  history:
  - {digest: x, name: web, namespace: apps, version: 2, status: deployed, chartName: web, chartVersion: 1.5.0, lastDeployed: '2026-01-01T11:00:00Z'}
  - {digest: y, name: web, namespace: apps, version: 1, status: superseded, chartName: web, chartVersion: 1.4.0}
  conditions:
  - {type: Ready, status: 'True', reason: UpgradeSucceeded, message: Helm upgrade succeeded for release apps/web.v2 with chart web@1.5.0, observedGeneration: 2}",
        expect![[r#"
            Ready
            applied: 1.5.0
            attempted: 1.5.0
            reason: UpgradeSucceeded
            message: Helm upgrade succeeded for release apps/web.v2 with chart web@1.5.0
        "#]],
    );
}

#[test]
fn sources_of_older_versions() {
    check(
        "apiVersion: source.toolkit.fluxcd.io/v1beta2
kind: OCIRepository
metadata: {name: fleet, namespace: flux-system, generation: 1}
spec: {url: 'oci://images.example/fleet', ref: {tag: latest}}
status:
  observedGeneration: 1
  contentConfigChecksum: sha256:aa
  url: http://source-controller
  artifact: {revision: 'latest@sha256:OCI1', digest: sha256:bb, lastUpdateTime: '2026-01-01T10:00:00Z', metadata: {org.opencontainers.image.revision: 'main@sha1:GIT1', org.opencontainers.image.source: 'https://git.example/fleet'}}
  conditions:
  - {type: Ready, status: 'True', reason: Succeeded, message: 'stored artifact for digest latest@sha256:OCI1', observedGeneration: 1}",
        expect![[r#"
            Ready
            applied: main@1111111
            reason: Succeeded
            message: stored artifact for digest latest@sha256:1111111111111111111111111111111111111111111111111111111111111111
        "#]],
    );
    check(
        "apiVersion: source.toolkit.fluxcd.io/v1beta1
kind: GitRepository
metadata: {name: fleet, namespace: flux-system, generation: 1}
status:
  observedGeneration: 1
  artifact: {revision: main/GIT1, checksum: aa}
  conditions: [{type: Ready, status: 'True', reason: GitOperationSucceed, message: 'Fetched revision: main/GIT1'}]",
        expect![[r#"
            Ready
            applied: main@1111111
            reason: GitOperationSucceed
            message: Fetched revision: main/1111111111111111111111111111111111111111
        "#]],
    );
    check(
        "apiVersion: source.toolkit.fluxcd.io/v1beta2
kind: Bucket
metadata: {name: b, namespace: flux-system, generation: 1}
spec: {bucketName: b, endpoint: s3.example}
status:
  observedGeneration: 1
  artifact: {revision: 'sha256:OCI1'}
  conditions: [{type: Ready, status: 'True', reason: Succeeded, message: stored artifact, observedGeneration: 1}]",
        expect![[r#"
            Ready
            applied: sha256:1111111
            reason: Succeeded
            message: stored artifact
        "#]],
    );
}

#[test]
fn images_of_older_versions() {
    check(
        "apiVersion: image.toolkit.fluxcd.io/v1beta2
kind: ImagePolicy
metadata: {name: web, namespace: apps, generation: 1}
spec: {imageRepositoryRef: {name: web}, policy: {semver: {range: 1.x}}}
status: {latestImage: 'images.example/web:1.4.0', observedGeneration: 1, conditions: [{type: Ready, status: 'True', reason: Succeeded, message: Latest image tag, observedGeneration: 1}]}",
        expect![[r#"
            Ready
            reason: Succeeded
            message: Latest image tag
        "#]],
    );
    let latest: Vec<_> = objects(
        "apiVersion: image.toolkit.fluxcd.io/v1beta2
kind: ImagePolicy
metadata: {name: web, namespace: apps}
status: {latestImage: 'images.example/web:1.4.0'}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {name: web, namespace: apps}
status: {latestRef: {name: images.example/web, tag: 1.4.0}}
---
apiVersion: image.toolkit.fluxcd.io/v1beta1
kind: ImageUpdateAutomation
metadata: {name: web, namespace: apps}
status: {lastPushCommit: abc}",
    )
    .into_iter()
    .map(|o| o.status.latest.unwrap().to_string())
    .collect();
    assert_eq!(latest, ["images.example/web:1.4.0", "images.example/web:1.4.0", "abc"]);
}

#[test]
fn every_kind_in_every_version_is_read() {
    for kind in Kind::ALL {
        for version in kind.versions() {
            let group = kind.group();
            let object = &objects(&format!(
                "apiVersion: {group}/{version}\nkind: {kind}\nmetadata: {{name: a, namespace: b}}"
            ))[0];
            assert_eq!((object.kind, &*object.version), (*kind, *version));
        }
    }
}
