//! How live objects stand that are none of Flux's.

use expect_test::{Expect, expect};
use serde_json::Value;

use crate::{Live, ObjectId};

/// Each line is a name, and an object in YAML: the kind, then `status` and whatever else.
fn check(group: &str, kind: &str, objects: &[&str], expected: Expect) {
    let mut out = String::new();
    for yaml in objects {
        let value: Value = serde_saphyr::from_str(yaml).unwrap();
        let health = Live::read(ObjectId::new(group, kind, "shop", "web"), value).health;
        out.push_str(&format!("{:?}", health.how));
        if let Some(count) = health.count {
            out.push_str(&format!(" {} of {} {:?}", count.done, count.wanted, count.what));
        }
        if let Some(phase) = health.phase {
            out.push_str(&format!(" ({phase})"));
        }
        if let Some(says) = health.says {
            out.push_str(&format!(" {}: {}", says.reason, says.message));
        }
        out.push('\n');
    }
    expected.assert_eq(&out);
}

#[test]
fn deployments() {
    check(
        "apps",
        "Deployment",
        &[
            "{spec: {replicas: 3}, status: {replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3}}",
            "{spec: {replicas: 3}, status: {replicas: 3, updatedReplicas: 3, readyReplicas: 1, availableReplicas: 1}}",
            // Old pods are ready, new ones are not made yet.
            "{spec: {replicas: 3}, status: {replicas: 4, updatedReplicas: 1, readyReplicas: 3, availableReplicas: 3}}",
            "{spec: {replicas: 3}, status: {replicas: 4, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3}}",
            "{spec: {replicas: 3}, status: {updatedReplicas: 1, conditions: [{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded, message: has timed out}]}}",
            "{spec: {}, status: {conditions: [{type: ReplicaFailure, status: 'True', reason: FailedCreate, message: exceeded quota}]}}",
            "{spec: {replicas: 0}, status: {}}",
            // What is counted is of an older spec.
            "{metadata: {generation: 3}, spec: {replicas: 1}, status: {observedGeneration: 2, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1}}",
            "{metadata: {deletionTimestamp: '2026-01-01T00:00:00Z'}, spec: {replicas: 1}}",
            // Nonsense is nothing.
            "{spec: 3, status: [1]}",
        ],
        expect![[r#"
            Well 3 of 3 Ready
            Coming 1 of 3 Ready
            Coming 1 of 3 Updated
            Coming 3 of 3 Ready
            Failed 1 of 3 Updated ProgressDeadlineExceeded: has timed out
            Coming 0 of 1 Updated FailedCreate: exceeded quota
            Well 0 of 0 Ready
            Coming
            Deleting
            Coming 0 of 1 Updated
        "#]],
    );
}

#[test]
fn other_workloads() {
    check(
        "apps",
        "StatefulSet",
        &[
            "{spec: {replicas: 2}, status: {readyReplicas: 2, currentRevision: a, updateRevision: a}}",
            "{spec: {replicas: 2}, status: {readyReplicas: 2, updatedReplicas: 1, currentRevision: a, updateRevision: b}}",
            "{spec: {replicas: 2, updateStrategy: {type: OnDelete}}, status: {readyReplicas: 2, currentRevision: a, updateRevision: b}}",
            "{spec: {replicas: 2, updateStrategy: {rollingUpdate: {partition: 1}}}, status: {readyReplicas: 2, updatedReplicas: 1, currentRevision: a, updateRevision: b}}",
        ],
        expect![[r#"
            Well 2 of 2 Ready
            Coming 1 of 2 Updated
            Well 2 of 2 Ready
            Well 2 of 2 Ready
        "#]],
    );
    check(
        "apps",
        "DaemonSet",
        &[
            "{status: {observedGeneration: 1, desiredNumberScheduled: 4, updatedNumberScheduled: 4, numberReady: 4, numberAvailable: 4}}",
            "{status: {observedGeneration: 1, desiredNumberScheduled: 4, updatedNumberScheduled: 4, numberReady: 2, numberAvailable: 2}}",
            "{status: {}}",
        ],
        expect![[r#"
            Well 4 of 4 Ready
            Coming 2 of 4 Ready
            Coming
        "#]],
    );
    check(
        "batch",
        "Job",
        &[
            "{spec: {completions: 3}, status: {succeeded: 1}}",
            "{status: {succeeded: 1, conditions: [{type: Complete, status: 'True'}]}}",
            "{status: {conditions: [{type: Failed, status: 'True', reason: BackoffLimitExceeded, message: has reached the specified backoff limit}]}}",
            "{spec: {suspend: true}}",
        ],
        expect![[r#"
            Coming 1 of 3 Done
            Well 1 of 1 Done
            Failed 0 of 1 Done BackoffLimitExceeded: has reached the specified backoff limit
            Well (suspended)
        "#]],
    );
}

#[test]
fn pods_claims_and_services() {
    check(
        "",
        "Pod",
        &[
            "{status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}}",
            "{status: {phase: Running, containerStatuses: [{state: {waiting: {reason: CrashLoopBackOff, message: back-off 5m0s}}}]}}",
            "{status: {phase: Pending, containerStatuses: [{state: {waiting: {reason: ImagePullBackOff}}}]}}",
            "{status: {phase: Pending, containerStatuses: [{state: {waiting: {reason: ContainerCreating}}}]}}",
            "{status: {phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: 0/3 nodes}]}}",
            "{status: {phase: Failed, reason: Evicted}}",
        ],
        expect![[r#"
            Well (Running)
            Failed (Running) CrashLoopBackOff: back-off 5m0s
            Coming (Pending) ImagePullBackOff: 
            Coming (Pending)
            Coming (Pending) Unschedulable: 0/3 nodes
            Failed (Failed) Evicted: 
        "#]],
    );
    check(
        "",
        "PersistentVolumeClaim",
        &["{status: {phase: Bound}}", "{status: {phase: Pending}}", "{status: {phase: Lost}}"],
        expect![[r#"
            Well (Bound)
            Coming (Pending)
            Failed (Lost)
        "#]],
    );
    check(
        "",
        "Service",
        &[
            "{spec: {type: ClusterIP}}",
            "{spec: {type: LoadBalancer}}",
            "{spec: {type: LoadBalancer}, status: {loadBalancer: {ingress: [{ip: 10.0.0.1}]}}}",
        ],
        expect![[r#"
            Exists
            Coming (no address yet)
            Well (has an address)
        "#]],
    );
}

#[test]
fn whatever_has_conditions() {
    check(
        "example.org",
        "Database",
        &[
            "{}",
            "{status: {conditions: [{type: Ready, status: 'True'}]}}",
            "{status: {conditions: [{type: Ready, status: 'False', reason: NoDisk, message: no disk}]}}",
            "{status: {conditions: [{type: Available, status: Unknown, reason: Asking}]}}",
            "{status: {conditions: [{type: Ready, status: 'True'}, {type: Reconciling, status: 'True', reason: Moving, message: moves}]}}",
            "{status: {conditions: [{type: Stalled, status: 'True', reason: Stuck, message: stuck}]}}",
        ],
        expect![[r#"
            Exists
            Well
            Coming NoDisk: no disk
            Coming Asking: 
            Coming Moving: moves
            Failed Stuck: stuck
        "#]],
    );
}

#[test]
fn what_is_kept_of_an_object() {
    let value = serde_json::json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "web", "managedFields": [{"manager": "x"}],
            "annotations": {"kustomize.toolkit.fluxcd.io/ssa": "merge"},
            "labels": {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"},
        },
        "spec": {"replicas": 1}, "status": {"replicas": 1},
    });
    let live = Live::read(ObjectId::new("apps", "Deployment", "shop", "web"), value);
    assert_eq!(&*live.api_version, "apps/v1");
    assert_eq!(
        live.owner.as_ref().map(ToString::to_string).as_deref(),
        Some("Kustomization/flux-system/apps")
    );
    assert!(live.says("kustomize.toolkit.fluxcd.io/ssa", "Merge"));
    assert!(!live.says("kustomize.toolkit.fluxcd.io/reconcile", "disabled"));
    expect![[r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"annotations":{"kustomize.toolkit.fluxcd.io/ssa":"merge"},"labels":{"kustomize.toolkit.fluxcd.io/name":"apps","kustomize.toolkit.fluxcd.io/namespace":"flux-system"},"name":"web"},"spec":{"replicas":1}}"#]]
        .assert_eq(&live.json.to_string());
}
