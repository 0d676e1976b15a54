//! Every state of the display state machine, kind by kind.

use expect_test::{Expect, expect};

use super::{at, object, objects, render, replay};
use crate::verdict;

/// The verdict after the states of one object, seen a second apart.
fn check(yaml: &str, expect: Expect) {
    let (observed, now) = replay(yaml);
    expect.assert_eq(&render(&verdict(&observed, None, now)));
}

/// The verdict of the first object, with the second one as its source.
fn check_with_source(yaml: &str, expect: Expect) {
    let mut all = objects(yaml).into_iter();
    let observed = crate::observe(None, &std::sync::Arc::new(all.next().unwrap()), at(0));
    expect.assert_eq(&render(&verdict(&observed, all.next().as_ref(), at(0))));
}

/// A Kustomization with this status (and more of the spec).
fn kustomization(more: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: apps, namespace: flux-system, generation: 2, uid: u}}\n{more}\n"
    )
}

const READY: &str = "
status:
  observedGeneration: 2
  lastAppliedRevision: main@sha1:GIT1
  lastAttemptedRevision: main@sha1:GIT1
  conditions:
  - {type: Ready, status: 'True', reason: ReconciliationSucceeded, message: 'Applied revision: main@sha1:GIT1', observedGeneration: 2, lastTransitionTime: '2026-01-01T11:00:00Z'}
  history:
  - {digest: d1, lastReconciled: '2026-01-01T11:00:00Z', lastReconciledStatus: ReconciliationSucceeded, metadata: {revision: main@sha1:GIT1}}
";

const IN_PROGRESS: &str = "
status:
  observedGeneration: 2
  lastAppliedRevision: main@sha1:GIT1
  lastAttemptedRevision: main@sha1:GIT1
  conditions:
  - {type: Reconciling, status: 'True', reason: Progressing, message: 'Building manifests for revision main@sha1:REV with a timeout of 5m0s', observedGeneration: 2, lastTransitionTime: '2026-01-01T12:00:01Z'}
  - {type: Ready, status: Unknown, reason: Progressing, message: Reconciliation in progress, observedGeneration: 2, lastTransitionTime: '2026-01-01T12:00:01Z'}
";

const BUILD_FAILED: &str = "
status:
  observedGeneration: 1
  lastAppliedRevision: main@sha1:GIT1
  lastAttemptedRevision: main@sha1:GIT2
  conditions:
  - {type: Reconciling, status: 'True', reason: ProgressingWithRetry, message: 'Building manifests for revision main@sha1:GIT2 with a timeout of 5m0s', observedGeneration: 2, lastTransitionTime: '2026-01-01T12:00:00Z'}
  - {type: Ready, status: 'False', reason: BuildFailed, message: \"kustomize build failed: accumulating resources: open /tmp/kustomization-42/apps/missing.yaml: no such file\\n\", observedGeneration: 2, lastTransitionTime: '2026-01-01T12:00:00Z'}
";

#[test]
fn ready() {
    check(
        &kustomization(READY),
        expect![[r#"
        Ready
        applied: main@1111111
        attempted: main@1111111
        reason: ReconciliationSucceeded
        message: Applied revision: main@sha1:1111111111111111111111111111111111111111
        since: 11:00:00
    "#]],
    );
}

#[test]
fn ready_of_an_older_spec_is_progressing() {
    let older = READY.replace("observedGeneration: 2", "observedGeneration: 1");
    check(
        &kustomization(&older),
        expect![[r#"
        Progressing { was_ready: false }
        + SpecNotApplied { observed: 1, generation: 2 }
        applied: main@1111111
        attempted: main@1111111
        reason: ReconciliationSucceeded
        message: Applied revision: main@sha1:1111111111111111111111111111111111111111
        since: 11:00:00
        recheck: 12:01:00
    "#]],
    );
    // Without a generation in the condition, that of the status counts.
    let bare = older.replace(", observedGeneration: 1, last", ", last");
    check(
        &kustomization(&bare),
        expect![[r#"
            Progressing { was_ready: false }
            + SpecNotApplied { observed: 1, generation: 2 }
            applied: main@1111111
            attempted: main@1111111
            reason: ReconciliationSucceeded
            message: Applied revision: main@sha1:1111111111111111111111111111111111111111
            since: 11:00:00
            recheck: 12:01:00
        "#]],
    );
}

#[test]
fn terminating() {
    let yaml = kustomization(READY).replace("uid: u", "uid: u, deletionTimestamp: '2026-01-01T12:00:00Z'");
    check(
        &yaml,
        expect![[r#"
        Terminating
        applied: main@1111111
        attempted: main@1111111
        reason: ReconciliationSucceeded
        message: Applied revision: main@sha1:1111111111111111111111111111111111111111
        since: 11:00:00
    "#]],
    );
    check(
        &kustomization(READY).replace("uid: u", "uid: u, deletionTimestamp: absurd"),
        expect![[r#"
        Terminating
        applied: main@1111111
        attempted: main@1111111
        reason: ReconciliationSucceeded
        message: Applied revision: main@sha1:1111111111111111111111111111111111111111
        since: 11:00:00
    "#]],
    );
}

#[test]
fn suspended_keeps_the_last_state() {
    // `flux suspend` makes a generation that kustomize-controller never looks at.
    let older = READY.replace("observedGeneration: 2", "observedGeneration: 1");
    check(
        &kustomization(&format!("spec: {{suspend: true}}{older}")),
        expect![[r#"
            Suspended, last Ready
            applied: main@1111111
            attempted: main@1111111
            reason: ReconciliationSucceeded
            message: Applied revision: main@sha1:1111111111111111111111111111111111111111
            since: 11:00:00
        "#]],
    );
    check(
        &kustomization(&format!("spec: {{suspend: true}}{READY}")),
        expect![[r#"
        Suspended, last Ready
        applied: main@1111111
        attempted: main@1111111
        reason: ReconciliationSucceeded
        message: Applied revision: main@sha1:1111111111111111111111111111111111111111
        since: 11:00:00
    "#]],
    );
    check(
        &kustomization(&format!("spec: {{suspend: true}}{BUILD_FAILED}")),
        expect![[r#"
        Suspended, last Failed { stalled: false }
        applied: main@1111111
        attempted: main@2222222
        failed at: main@2222222
        reason: BuildFailed
        message: kustomize build failed: accumulating resources: open apps/missing.yaml: no such file
        since: 12:00:00
    "#]],
    );
    check(
        "apiVersion: fluxcd.controlplane.io/v1
kind: ResourceSet
metadata: {name: a, namespace: b, generation: 1, annotations: {fluxcd.controlplane.io/reconcile: Disabled}}
status: {conditions: [{type: Ready, status: 'True', reason: ReconciliationSucceeded, observedGeneration: 1}]}",
        expect![[r#"
            Suspended, last Ready
            reason: ReconciliationSucceeded
        "#]],
    );
}

#[test]
fn static_kinds_have_nothing_to_say() {
    check(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: a, namespace: b}\nspec: {type: oci}",
        expect![[r#"
            Static
        "#]],
    );
    check(
        "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Alert\nmetadata: {name: a, namespace: b}\nspec: {suspend: false}",
        expect![[r#"
            Static
        "#]],
    );
}

#[test]
fn pending() {
    check(
        &kustomization(""),
        expect![[r#"
        Pending
        recheck: 12:01:00
    "#]],
    );
    check(
        &kustomization("status: {observedGeneration: -1}"),
        expect![[r#"
        Pending
        recheck: 12:01:00
    "#]],
    );
    // A HelmRelease that may not use its chart's source never gets a condition.
    check(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a, namespace: b, generation: 1, creationTimestamp: '2026-01-01T11:00:00Z'}\nstatus: {observedGeneration: -1}",
        expect![[r#"
            Pending
            + NoAnswer
        "#]],
    );
}

#[test]
fn build_failed_and_retrying() {
    check(
        &kustomization(BUILD_FAILED),
        expect![[r#"
        Failed { stalled: false }
        applied: main@1111111
        attempted: main@2222222
        failed at: main@2222222
        reason: BuildFailed
        message: kustomize build failed: accumulating resources: open apps/missing.yaml: no such file
        since: 12:00:00
    "#]],
    );
}

#[test]
fn a_failure_is_kept_while_the_next_attempt_runs() {
    let retry = IN_PROGRESS.replace("REV", "GIT3");
    check(
        &[kustomization(BUILD_FAILED), kustomization(&retry)].join("---\n"),
        expect![[r#"
        Failed { stalled: false }
        applied: main@1111111
        attempted: main@3333333
        failed at: main@2222222
        attempt: Building manifests for revision main@sha1:3333333333333333333333333333333333333333 with a timeout of 5m0s [main@3333333]
        reason: BuildFailed
        message: kustomize build failed: accumulating resources: open apps/missing.yaml: no such file
        since: 12:00:00
    "#]],
    );
    // Ready again: forgotten, also for the attempt after.
    let states = [BUILD_FAILED, READY, &IN_PROGRESS.replace("REV", "GIT1")].map(kustomization);
    check(
        &states.join("---\n"),
        expect![[r#"
            Ready
            applied: main@1111111
            attempted: main@1111111
            reason: ReconciliationSucceeded
            message: Applied revision: main@sha1:1111111111111111111111111111111111111111
            since: 11:00:00
            recheck: 12:00:03
        "#]],
    );
}

#[test]
fn an_attempt_without_a_past_has_an_unknown_outcome() {
    check(
        &kustomization(&IN_PROGRESS.replace("REV", "GIT1")),
        expect![[r#"
        Progressing { was_ready: false }
        applied: main@1111111
        attempted: main@1111111
        attempt: Building manifests for revision main@sha1:1111111111111111111111111111111111111111 with a timeout of 5m0s [main@1111111]
        reason: Progressing
        message: Reconciliation in progress
        since: 12:00:01
    "#]],
    );
}

#[test]
fn an_attempt_after_ready_is_quiet_for_a_moment() {
    // The same revision again: what was proved still holds for two seconds.
    let again = kustomization(&IN_PROGRESS.replace("REV", "GIT1"));
    check(
        &[kustomization(READY), again.clone()].join("---\n"),
        expect![[r#"
            Ready
            applied: main@1111111
            attempted: main@1111111
            reason: ReconciliationSucceeded
            message: Applied revision: main@sha1:1111111111111111111111111111111111111111
            since: 11:00:00
            recheck: 12:00:03
        "#]],
    );
    let (observed, _) = replay(&[kustomization(READY), again].join("---\n"));
    expect![[r#"
        Progressing { was_ready: true }
        applied: main@1111111
        attempted: main@1111111
        attempt: Building manifests for revision main@sha1:1111111111111111111111111111111111111111 with a timeout of 5m0s [main@1111111]
        reason: Progressing
        message: Reconciliation in progress
        since: 12:00:01
    "#]].assert_eq(&render(&verdict(&observed, None, at(3))));
    // Another revision: at once.
    let other = kustomization(&IN_PROGRESS.replace("REV", "GIT2"));
    check(
        &[kustomization(READY), other].join("---\n"),
        expect![[r#"
        Progressing { was_ready: true }
        applied: main@1111111
        attempted: main@2222222
        attempt: Building manifests for revision main@sha1:2222222222222222222222222222222222222222 with a timeout of 5m0s [main@2222222]
        reason: Progressing
        message: Reconciliation in progress
        since: 12:00:01
    "#]],
    );
    // Another object of the same name has no past.
    let other = kustomization(&IN_PROGRESS.replace("REV", "GIT1")).replace("uid: u", "uid: v");
    check(
        &[kustomization(READY), other].join("---\n"),
        expect![[r#"
        Progressing { was_ready: false }
        applied: main@1111111
        attempted: main@1111111
        attempt: Building manifests for revision main@sha1:1111111111111111111111111111111111111111 with a timeout of 5m0s [main@1111111]
        reason: Progressing
        message: Reconciliation in progress
        since: 12:00:01
    "#]],
    );
}

#[test]
fn stalled() {
    check(
        &kustomization(
            "
status:
  conditions:
  - {type: Stalled, status: 'True', reason: AccessDenied, message: x, observedGeneration: 2}
  - {type: Ready, status: 'False', reason: AccessDenied, message: \"can't access 'GitRepository/infra/fleet', cross-namespace references have been blocked\", observedGeneration: 2}
  lastAttemptedRevision: main@sha1:GIT1",
        ),
        expect![[r#"
            Failed { stalled: true }
            attempted: main@1111111
            reason: AccessDenied
            message: can't access 'GitRepository/infra/fleet', cross-namespace references have been blocked
        "#]],
    );
}

#[test]
fn waiting() {
    check(
        &kustomization(
            "
spec: {dependsOn: [{name: other}, {name: infra}], sourceRef: {kind: GitRepository, name: fleet}}
status:
  lastAttemptedRevision: main@sha1:GIT1
  conditions:
  - {type: Ready, status: 'False', reason: DependencyNotReady, message: \"dependency 'flux-system/infra' is not ready\", observedGeneration: 2}",
        ),
        expect![[r#"
            Waiting { on: Some(ObjectId { group: "kustomize.toolkit.fluxcd.io", kind: "Kustomization", namespace: "flux-system", name: "infra" }) }
            attempted: main@1111111
            reason: DependencyNotReady
            message: dependency 'flux-system/infra' is not ready
        "#]],
    );
    for message in [
        "Source artifact not found, retrying in 30s",
        "GitRepository.source.toolkit.fluxcd.io \"fleet\" not found",
    ] {
        let yaml = kustomization(&format!(
            "
spec: {{sourceRef: {{kind: GitRepository, name: fleet}}}}
status:
  lastAttemptedRevision: main@sha1:GIT1
  conditions:
  - {{type: Ready, status: 'False', reason: ArtifactFailed, message: '{message}', observedGeneration: 2}}"
        ));
        let (observed, now) = replay(&yaml);
        let verdict = verdict(&observed, None, now);
        assert!(format!("{:?}", verdict.state).contains("fleet"), "{message}");
        assert_eq!(verdict.failed_at, None);
    }
}

#[test]
fn a_missing_path_failed_at_the_revision_that_was_fetched() {
    check(
        &kustomization(
            "
status:
  lastAppliedRevision: main@sha1:GIT1
  lastAttemptedRevision: main@sha1:GIT1
  conditions:
  - {type: Reconciling, status: 'True', reason: ProgressingWithRetry, message: Fetching manifests for revision main@sha1:GIT2 with a timeout of 5m0s}
  - {type: Ready, status: 'False', reason: ArtifactFailed, message: 'kustomization path not found: stat /tmp/kustomization-1464362706/invalid: no such file or directory', observedGeneration: 2}",
        ),
        expect![[r#"
            Failed { stalled: false }
            applied: main@1111111
            attempted: main@1111111
            failed at: main@2222222
            reason: ArtifactFailed
            message: kustomization path not found: stat invalid: no such file or directory
        "#]],
    );
}

#[test]
fn unhealthy_is_applied() {
    let unhealthy = "
status:
  lastAppliedRevision: main@sha1:GIT1
  lastAttemptedRevision: main@sha1:GIT2
  HISTORY
  conditions:
  - {type: Ready, status: 'False', reason: HealthCheckFailed, message: \"health check failed after 4m30.005s: timeout waiting for: [Deployment/apps/web status: 'InProgress']\", observedGeneration: 2, lastTransitionTime: '2026-01-01T12:00:00Z'}";
    let with = "history: [{lastReconciledStatus: HealthCheckFailed, lastReconciled: '2026-01-01T12:00:00Z', metadata: {revision: main@sha1:GIT2}}, {lastReconciledStatus: ReconciliationSucceeded, lastReconciled: '2026-01-01T11:00:00Z', metadata: {revision: main@sha1:GIT1}}]";
    check(
        &kustomization(&unhealthy.replace("HISTORY", with)),
        expect![[r#"
        Unhealthy
        applied: main@2222222
        attempted: main@2222222
        failed at: main@2222222
        reason: HealthCheckFailed
        message: health check failed after 4m30.005s: timeout waiting for: [Deployment/apps/web status: 'InProgress']
        since: 12:00:00
    "#]],
    );
    // Flux before 2.7 keeps no history.
    check(
        &kustomization(&unhealthy.replace("  HISTORY\n", "")),
        expect![[r#"
        Unhealthy
        applied: main@2222222
        attempted: main@2222222
        failed at: main@2222222
        reason: HealthCheckFailed
        message: health check failed after 4m30.005s: timeout waiting for: [Deployment/apps/web status: 'InProgress']
        since: 12:00:00
    "#]],
    );
    // A failed build after it has not changed what is applied.
    let after =
        BUILD_FAILED.replace("GIT2", "GIT3").replace("  conditions:", &format!("  {with}\n  conditions:"));
    check(
        &kustomization(&after),
        expect![[r#"
        Failed { stalled: false }
        applied: main@2222222
        attempted: main@3333333
        failed at: main@3333333
        reason: BuildFailed
        message: kustomize build failed: accumulating resources: open apps/missing.yaml: no such file
        since: 12:00:00
    "#]],
    );
}

#[test]
fn running_health_checks_mean_applied() {
    let checking = IN_PROGRESS.replace("Building manifests", "Running health checks").replace("REV", "GIT2");
    check(
        &kustomization(&checking),
        expect![[r#"
        Progressing { was_ready: false }
        applied: main@2222222
        attempted: main@2222222
        attempt: Running health checks for revision main@sha1:2222222222222222222222222222222222222222 with a timeout of 5m0s [main@2222222]
        reason: Progressing
        message: Reconciliation in progress
        since: 12:00:01
    "#]],
    );
}

/// Seen in VS Code: `failed main@9c61aa6, running main@b524bf0`, while the fix was being checked.
#[test]
fn an_apply_answers_the_failure_before_it() {
    let checking = IN_PROGRESS.replace("Building manifests", "Running health checks");
    let after = |revision: &str| {
        let states = [BUILD_FAILED, &checking.replace("REV", revision)].map(kustomization);
        states.join("---\n")
    };
    check(
        &after("GIT3"),
        expect![[r#"
        Progressing { was_ready: false }
        applied: main@3333333
        attempted: main@3333333
        attempt: Running health checks for revision main@sha1:3333333333333333333333333333333333333333 with a timeout of 5m0s [main@3333333]
        reason: Progressing
        message: Reconciliation in progress
        since: 12:00:01
    "#]],
    );
    // Bad health of the same revision is what is being looked at.
    let unhealthy = BUILD_FAILED.replace("BuildFailed", "HealthCheckFailed");
    let states = [unhealthy.as_str(), &checking.replace("REV", "GIT2")].map(kustomization);
    check(
        &states.join("---\n"),
        expect![[r#"
        Unhealthy
        applied: main@2222222
        attempted: main@2222222
        failed at: main@2222222
        attempt: Running health checks for revision main@sha1:2222222222222222222222222222222222222222 with a timeout of 5m0s [main@2222222]
        reason: HealthCheckFailed
        message: kustomize build failed: accumulating resources: open apps/missing.yaml: no such file
        since: 12:00:00
    "#]],
    );
}

#[test]
fn a_cancelled_health_check_is_no_failure() {
    let cancelled = "
status:
  lastAppliedRevision: main@sha1:GIT1
  conditions:
  - {type: Ready, status: 'False', reason: HealthCheckCanceled, message: New reconciliation triggered by GitRepository/flux-system/fleet, observedGeneration: 2}";
    check(
        &[kustomization(READY), kustomization(cancelled)].join("---\n"),
        expect![[r#"
        Progressing { was_ready: true }
        applied: main@1111111
        reason: HealthCheckCanceled
        message: New reconciliation triggered by GitRepository/flux-system/fleet
    "#]],
    );
}

#[test]
fn behind_its_source() {
    let source = "---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: flux-system}
status: {artifact: {revision: main@sha1:GIT2}, conditions: [{type: Ready, status: 'True'}]}";
    check_with_source(
        &format!("{}{source}", kustomization(READY)),
        expect![[r#"
        ReadyBehind { source: Revision(main@sha1:2222222222222222222222222222222222222222) }
        applied: main@1111111
        attempted: main@1111111
        reason: ReconciliationSucceeded
        message: Applied revision: main@sha1:1111111111111111111111111111111111111111
        since: 11:00:00
    "#]],
    );
    let same = source.replace("GIT2", "GIT1");
    check_with_source(
        &format!("{}{same}", kustomization(READY)),
        expect![[r#"
        Ready
        applied: main@1111111
        attempted: main@1111111
        reason: ReconciliationSucceeded
        message: Applied revision: main@sha1:1111111111111111111111111111111111111111
        since: 11:00:00
    "#]],
    );
}

#[test]
fn a_source_that_cannot_be_fetched_makes_ready_stale() {
    let source = "---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: flux-system, generation: 1}
status:
  artifact: {revision: main@sha1:GIT1}
  conditions:
  - {type: Ready, status: READY, observedGeneration: 1, reason: GitOperationFailed, message: 'failed to checkout and determine revision: unable to clone: authentication required'}
  - {type: FetchFailed, status: 'True', observedGeneration: 1, reason: GitOperationFailed, message: same}";
    let failed = source.replace("READY", "'False'");
    check_with_source(
        &format!("{}{failed}", kustomization(READY)),
        expect![[r#"
        ReadySourceStale { source: ObjectId { group: "source.toolkit.fluxcd.io", kind: "GitRepository", namespace: "flux-system", name: "fleet" } }
        applied: main@1111111
        attempted: main@1111111
        reason: ReconciliationSucceeded
        message: Applied revision: main@sha1:1111111111111111111111111111111111111111
        since: 11:00:00
    "#]],
    );
    check(
        failed.trim_start_matches("---\n"),
        expect![[r#"
        Failed { stalled: false }
        applied: main@1111111
        reason: GitOperationFailed
        message: failed to checkout and determine revision: unable to clone: authentication required
    "#]],
    );
    check(
        source.replace("READY", "'True'").trim_start_matches("---\n"),
        expect![[r#"
        ReadySourceStale { source: ObjectId { group: "source.toolkit.fluxcd.io", kind: "GitRepository", namespace: "flux-system", name: "fleet" } }
        applied: main@1111111
        reason: GitOperationFailed
        message: failed to checkout and determine revision: unable to clone: authentication required
    "#]],
    );
}

#[test]
fn origins_come_first() {
    let yaml = kustomization(
        "
spec: {sourceRef: {kind: OCIRepository, name: fleet}}
status:
  observedGeneration: 2
  lastAppliedRevision: latest@sha256:OCI1
  lastAppliedOriginRevision: main@sha1:GIT1
  lastAttemptedRevision: latest@sha256:OCI2
  conditions:
  - {type: Ready, status: 'False', reason: ReconciliationFailed, message: boom, observedGeneration: 2}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: fleet, namespace: flux-system}
status: {artifact: {revision: latest@sha256:OCI2, metadata: {org.opencontainers.image.revision: main@sha1:GIT2}}, conditions: [{type: Ready, status: 'True'}]}",
    );
    check_with_source(
        &yaml,
        expect![[r#"
        Failed { stalled: false }
        applied: main@1111111
        attempted: main@2222222
        failed at: main@2222222
        reason: ReconciliationFailed
        message: boom
    "#]],
    );
}

fn release(more: &str) -> String {
    format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: web, namespace: apps, generation: 3}}\nspec: {{chartRef: {{kind: OCIRepository, name: web}}}}\n{more}\n"
    )
}

const RELEASES: &str = "  history:
  - {version: 3, status: deployed, action: rollback, chartName: web, chartVersion: 1.4.0}
  - {version: 2, status: failed, chartName: web, chartVersion: 1.5.0}
  - {version: 1, status: superseded, chartName: web, chartVersion: 1.4.0}";

#[test]
fn a_release_that_was_rolled_back_says_why() {
    check(
        &release(&format!(
            "status:
  observedGeneration: 3
  lastAttemptedRevision: 1.5.0
{RELEASES}
  conditions:
  - {{type: Ready, status: 'False', reason: RollbackSucceeded, message: Helm rollback to previous release apps/web.v1 with chart web@1.4.0 succeeded, observedGeneration: 3}}
  - {{type: Released, status: 'False', reason: UpgradeFailed, message: 'Helm upgrade failed for release apps/web with chart web@1.5.0: context deadline exceeded', observedGeneration: 3}}
  - {{type: Remediated, status: 'True', reason: RollbackSucceeded, message: Helm rollback …, observedGeneration: 3}}"
        )),
        expect![[r#"
            Failed { stalled: false }
            applied: 1.4.0
            attempted: 1.5.0
            failed at: 1.5.0
            reason: UpgradeFailed
            message: Helm upgrade failed for release apps/web with chart web@1.5.0: context deadline exceeded
            remedy: Helm rollback to previous release apps/web.v1 with chart web@1.4.0 succeeded
        "#]],
    );
}

#[test]
fn a_release_out_of_retries_shows_the_failure() {
    check(
        &release(
            "status:
  lastAttemptedRevision: 1.5.0
  conditions:
  - {type: Stalled, status: 'True', reason: RetriesExceeded, message: Failed to install after 1 attempt(s), observedGeneration: 3}
  - {type: Ready, status: 'False', reason: InstallFailed, message: 'Helm install failed for release apps/web with chart web@1.5.0: boom', observedGeneration: 3}
  - {type: Released, status: 'False', reason: InstallFailed, message: 'Helm install failed for release apps/web with chart web@1.5.0: boom', observedGeneration: 3}",
        ),
        expect![[r#"
            Failed { stalled: true }
            attempted: 1.5.0
            failed at: 1.5.0
            reason: InstallFailed
            message: Helm install failed for release apps/web with chart web@1.5.0: boom
        "#]],
    );
    // After an uninstall as the remedy, only Released has the reason.
    check(
        &release(
            "status:
  lastAttemptedRevision: 1.5.0
  conditions:
  - {type: Stalled, status: 'True', reason: RetriesExceeded, message: Failed to install after 1 attempt(s)}
  - {type: Ready, status: 'False', reason: UninstallSucceeded, message: Helm uninstall remediation for release apps/web succeeded, observedGeneration: 3}
  - {type: Released, status: 'False', reason: InstallFailed, message: 'Helm install failed: boom', observedGeneration: 3}",
        ),
        expect![[r#"
            Failed { stalled: true }
            attempted: 1.5.0
            failed at: 1.5.0
            reason: InstallFailed
            message: Helm install failed: boom
            remedy: Helm uninstall remediation for release apps/web succeeded
        "#]],
    );
}

#[test]
fn a_release_at_work() {
    check(
        &[
            release(&format!("status:\n  lastAttemptedRevision: 1.5.0\n{RELEASES}\n  conditions: [{{type: Ready, status: 'False', reason: UpgradeFailed, message: 'Helm upgrade failed: x', observedGeneration: 3}}]")),
            release(&format!("status:\n  lastAttemptedRevision: 1.5.0\n{RELEASES}\n  conditions: [{{type: Ready, status: Unknown, reason: Progressing, message: \"Running 'upgrade' action with timeout of 5m0s\", observedGeneration: 3}}, {{type: Reconciling, status: 'True', reason: Progressing, message: \"Running 'upgrade' action with timeout of 5m0s\"}}]")),
        ]
        .join("---\n"),
        expect![[r#"
            Failed { stalled: false }
            applied: 1.4.0
            attempted: 1.5.0
            failed at: 1.5.0
            attempt: Running 'upgrade' action with timeout of 5m0s
            reason: UpgradeFailed
            message: Helm upgrade failed: x
        "#]],
    );
}

#[test]
fn a_healthy_release_is_quiet_at_each_interval() {
    let ready = release(&format!(
        "status:\n  observedGeneration: 3\n  lastAttemptedRevision: 1.4.0\n{RELEASES}\n  conditions: [{{type: Ready, status: 'True', reason: UpgradeSucceeded, message: done, observedGeneration: 3}}]"
    ));
    let again = ready.replace("conditions: [", "conditions: [{type: Reconciling, status: 'True', reason: Progressing, message: Fulfilling prerequisites}, ");
    check(
        &[&*ready, &*again].join("---\n"),
        expect![[r#"
            Ready
            applied: 1.4.0
            attempted: 1.4.0
            reason: UpgradeSucceeded
            message: done
            recheck: 12:00:03
        "#]],
    );
    check(
        &[&*ready, &*again, &*again, &*again].join("---\n"),
        expect![[r#"
        Progressing { was_ready: true }
        applied: 1.4.0
        attempted: 1.4.0
        attempt: Fulfilling prerequisites
        reason: UpgradeSucceeded
        message: done
    "#]],
    );
    let drifted = ready.replace("conditions: [", "conditions: [{type: Drifted, status: 'True', reason: DriftDetected, message: Cluster state of release apps/web.v1 has drifted}, ");
    check(
        &drifted,
        expect![[r#"
        Ready
        + drifted: Cluster state of release apps/web.v1 has drifted
        applied: 1.4.0
        attempted: 1.4.0
        reason: UpgradeSucceeded
        message: done
    "#]],
    );
}

#[test]
fn a_release_waits_for_its_chart() {
    check(
        &release(
            "status:
  observedGeneration: -1
  conditions:
  - {type: Reconciling, status: 'True', reason: Progressing, message: Fulfilling prerequisites, observedGeneration: 3}
  - {type: Ready, status: 'False', reason: SourceNotReady, message: \"OCIRepository 'apps/web' is not ready: latest generation of object has not been reconciled\", observedGeneration: 3}",
        ),
        expect![[r#"
            Waiting { on: Some(ObjectId { group: "source.toolkit.fluxcd.io", kind: "OCIRepository", namespace: "apps", name: "web" }) }
            reason: SourceNotReady
            message: OCIRepository 'apps/web' is not ready: latest generation of object has not been reconciled
        "#]],
    );
}

#[test]
fn a_release_behind_its_chart() {
    let yaml = format!(
        "{}---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {{name: web, namespace: apps}}\nstatus: {{artifact: {{revision: '1.5.0@sha256:OCI2'}}, conditions: [{{type: Ready, status: 'True'}}]}}",
        release(&format!(
            "status:\n  lastAttemptedRevision: 1.4.0+111111111111\n  lastAttemptedRevisionDigest: sha256:OCI1\n{RELEASES}\n  conditions: [{{type: Ready, status: 'True', reason: UpgradeSucceeded, message: done, observedGeneration: 3}}]"
        ))
    );
    check_with_source(
        &yaml,
        expect![[r#"
        ReadyBehind { source: Revision(1.5.0@sha256:2222222222222222222222222222222222222222222222222222222222222222) }
        applied: 1.4.0
        attempted: 1.4.0+111111111111
        reason: UpgradeSucceeded
        message: done
    "#]],
    );
}

#[test]
fn sources() {
    check(
        "apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: flux-system, generation: 1}
status:
  observedGeneration: 1
  artifact: {revision: main@sha1:GIT1, lastUpdateTime: '2026-01-01T11:00:00Z'}
  conditions:
  - {type: Reconciling, status: 'True', reason: NewRevision, message: \"new upstream revision 'main@sha1:GIT2'\", observedGeneration: 1}
  - {type: Ready, status: Unknown, reason: Progressing, message: building artifact, observedGeneration: 1}",
        expect![[r#"
            Progressing { was_ready: false }
            applied: main@1111111
            attempted: main@2222222
            attempt: new upstream revision 'main@sha1:2222222222222222222222222222222222222222' [main@2222222]
            reason: Progressing
            message: building artifact
        "#]],
    );
    check(
        "apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmChart
metadata: {name: apps-web, namespace: flux-system, generation: 1}
spec: {chart: web, version: 9.x, sourceRef: {kind: HelmRepository, name: charts}}
status:
  conditions:
  - {type: Stalled, status: 'True', reason: InvalidChartReference, message: m}
  - {type: Ready, status: 'False', reason: InvalidChartReference, message: \"invalid chart reference: failed to get chart version for remote reference: no 'web' chart with version matching '9.x' found\", observedGeneration: 1}",
        expect![[r#"
            Failed { stalled: true }
            reason: InvalidChartReference
            message: invalid chart reference: failed to get chart version for remote reference: no 'web' chart with version matching '9.x' found
        "#]],
    );
    check(
        "apiVersion: source.extensions.fluxcd.io/v1beta1
kind: ArtifactGenerator
metadata: {name: a, namespace: b, generation: 1}
status: {conditions: [{type: Ready, status: 'True', reason: Succeeded, message: 'reconciliation succeeded, generated 2 artifact(s)', observedGeneration: 1}]}",
        expect![[r#"
            Ready
            reason: Succeeded
            message: reconciliation succeeded, generated 2 artifact(s)
        "#]],
    );
}

#[test]
fn images_receivers_and_the_operator() {
    check(
        "apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {name: web, namespace: apps, generation: 1}
spec: {imageRepositoryRef: {name: web}}
status: {conditions: [{type: Ready, status: 'False', reason: DependencyNotReady, message: 'retrying in 30s error: no tags in database', observedGeneration: 1}]}",
        expect![[r#"
            Waiting { on: Some(ObjectId { group: "image.toolkit.fluxcd.io", kind: "ImageRepository", namespace: "apps", name: "web" }) }
            reason: DependencyNotReady
            message: retrying in 30s error: no tags in database
        "#]],
    );
    check(
        "apiVersion: notification.toolkit.fluxcd.io/v1
kind: Receiver
metadata: {name: web, namespace: apps, generation: 1}
status: {webhookPath: /hook/x, observedGeneration: 1, conditions: [{type: Ready, status: 'True', reason: Succeeded, message: 'Receiver initialized for path: /hook/x', observedGeneration: 1}]}",
        expect![[r#"
            Ready
            reason: Succeeded
            message: Receiver initialized for path: /hook/x
        "#]],
    );
    check(
        "apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata: {name: flux, namespace: flux-system, generation: 1}
status: {lastAppliedRevision: 'v2.9.4@sha256:OCI1', lastAttemptedRevision: 'v2.9.5@sha256:OCI2', conditions: [{type: Ready, status: 'False', reason: BuildFailed, message: 'build failed: x', observedGeneration: 1}, {type: Stalled, status: 'True', reason: BuildFailed, message: 'build failed: x'}]}",
        expect![[r#"
            Failed { stalled: true }
            applied: v2.9.4@1111111
            attempted: v2.9.5@2222222
            failed at: v2.9.5@2222222
            reason: BuildFailed
            message: build failed: x
        "#]],
    );
}

#[test]
fn requests_and_remote_clusters_are_told() {
    let asked = kustomization(&format!("spec: {{kubeConfig: {{secretRef: {{name: prod}}}}}}{READY}"))
        .replace("uid: u", "uid: u, annotations: {reconcile.fluxcd.io/requestedAt: token}");
    check(
        &asked,
        expect![[r#"
        Ready
        + Requested
        + Remote
        applied: main@1111111
        attempted: main@1111111
        reason: ReconciliationSucceeded
        message: Applied revision: main@sha1:1111111111111111111111111111111111111111
        since: 11:00:00
    "#]],
    );
    assert!(object(&asked).can_reconcile());
}
