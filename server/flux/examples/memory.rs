//! Memory of the facts of a large cluster: 2,000 Kustomizations of 200 inventory entries each.
//!
//! `cargo run --release -p flux --example memory` prints bytes for an object and an entry, what the whole
//! takes, and how long it takes to bring it in, to change one object and to look things up.

#![allow(clippy::print_stdout, clippy::unwrap_used, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use flux::{Change, ClusterName, Facts, Kind, Object, ObjectId};
use serde_json::json;

struct Counting;

static USED: AtomicUsize = AtomicUsize::new(0);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        USED.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn used() -> usize {
    USED.load(Ordering::Relaxed)
}

fn kustomization(n: usize, entries: usize, revision: &str) -> Object {
    let kinds = ["apps_Deployment", "_Service", "_ConfigMap", "networking.k8s.io_Ingress", "_Secret"];
    let entries: Vec<_> = (0..entries)
        .map(|e| json!({"id": format!("team-{n}_component-{e}-of-app-{n}_{}", kinds[e % kinds.len()]), "v": "v1"}))
        .collect();
    Object::from_json(json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": format!("app-{n}"), "namespace": "flux-system", "generation": 3, "uid": format!("0000-{n}"), "resourceVersion": "1",
            "labels": {"kustomize.toolkit.fluxcd.io/name": "root", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}},
        "spec": {"interval": "10m", "path": format!("./apps/team-{n}/production"), "prune": true, "wait": true, "timeout": "5m",
            "sourceRef": {"kind": "GitRepository", "name": "fleet"}, "dependsOn": [{"name": format!("app-{}", n / 2)}],
            "postBuild": {"substituteFrom": [{"kind": "ConfigMap", "name": "cluster-vars"}], "substitute": {"team": format!("team-{n}")}}},
        "status": {"observedGeneration": 3, "lastAppliedRevision": revision, "lastAttemptedRevision": revision,
            "conditions": [{"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "message": format!("Applied revision: {revision}"), "observedGeneration": 3, "lastTransitionTime": "2026-01-01T00:00:00Z"},
                {"type": "Healthy", "status": "True", "reason": "Succeeded", "message": "Health check passed in 1.2s", "observedGeneration": 3, "lastTransitionTime": "2026-01-01T00:00:00Z"}],
            "history": [{"digest": "sha256:1", "lastReconciledStatus": "ReconciliationSucceeded", "lastReconciled": "2026-01-01T00:00:00Z", "metadata": {"revision": revision}}],
            "inventory": {"entries": entries}},
    }))
    .unwrap()
}

fn main() {
    let (objects, entries) = (2_000, 200);
    let revision = format!("main@sha1:{}", "1".repeat(40));
    let now = jiff::Timestamp::UNIX_EPOCH;
    let before = used();
    let bare: Vec<Object> = (0..objects).map(|n| kustomization(n, 0, &revision)).collect();
    let per_object = (used() - before) / objects;
    drop(bare);

    let list: Vec<Object> = (0..objects).map(|n| kustomization(n, entries, &revision)).collect();
    let per_entry = ((used() - before) / objects).saturating_sub(per_object) as f64 / entries as f64;
    let start = Instant::now();
    let change = Change::Relisted { kind: Kind::Kustomization, namespace: None, objects: list };
    let (facts, _) = Facts::new(ClusterName::from("big")).apply(vec![change], now);
    println!("{objects} Kustomizations of {entries} entries");
    println!("bytes for an object without entries   {per_object:>10}");
    println!("bytes for an inventory entry          {per_entry:>10.1}");
    println!("MB in all, with the indexes           {:>10.1}", (used() - before) as f64 / 1e6);
    println!("relist applied in ms                  {:>10.1}", start.elapsed().as_secs_f64() * 1e3);

    let next = kustomization(1_999, entries, &format!("main@sha1:{}", "2".repeat(40)));
    let (held, start) = (used(), Instant::now());
    let (changed, told) = facts.apply(vec![Change::Applied(next)], now);
    let elapsed = start.elapsed().as_secs_f64() * 1e6;
    println!("one change applied in µs              {elapsed:>10.1}  ({} affected)", told.affected.len());
    println!("KB that the old and new facts differ  {:>10.1}", (used() - held) as f64 / 1e3);

    let wanted = ObjectId::new("apps", "Deployment", "team-7", "component-5-of-app-7");
    let start = Instant::now();
    for _ in 0..1_000 {
        assert_eq!(changed.appliers_of(&wanted).len(), 1);
    }
    println!("look-up of who applies an object, µs  {:>10.2}", start.elapsed().as_secs_f64() * 1e3);
    let start = Instant::now();
    let ready = changed
        .of_kind(Kind::Kustomization)
        .filter(|o| changed.verdict(&o.id, now).is_some_and(|v| v.state.is_ready()))
        .count();
    println!(
        "a verdict in µs                       {:>10.2}  ({ready} ready)",
        start.elapsed().as_secs_f64() * 1e6 / objects as f64
    );
}
