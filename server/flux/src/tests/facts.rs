//! Facts of a cluster and what a batch changes.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::{at, object, objects};
use crate::{Change, Changed, ClusterName, Coverage, Facts, Kind, ObjectId, State};

fn render(changed: &Changed) -> String {
    let mut out = String::new();
    for id in &changed.affected {
        let mark = if changed.objects.contains(id) { "changed" } else { "affected" };
        writeln!(out, "{mark} {id}").unwrap();
    }
    for kind in &changed.kinds {
        writeln!(out, "kind {kind}").unwrap();
    }
    out
}

fn check(facts: &Facts, changes: Vec<Change>, expect: Expect) -> Facts {
    let (next, changed) = facts.apply(changes, at(0));
    expect.assert_eq(&render(&changed));
    next
}

fn id(text: &str) -> ObjectId {
    ObjectId::parse_flux(text).unwrap()
}

const CLUSTER: &str = "apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: flux-system, generation: 1, creationTimestamp: '2026-01-01T10:00:00Z'}
status: {artifact: {revision: 'main@sha1:GIT1', lastUpdateTime: '2026-01-01T11:00:00Z'}, conditions: [{type: Ready, status: 'True', observedGeneration: 1}]}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: root, namespace: flux-system, generation: 1}
spec: {sourceRef: {kind: GitRepository, name: fleet}}
status:
  lastAppliedRevision: main@sha1:GIT1
  inventory: {entries: [{id: flux-system_apps_kustomize.toolkit.fluxcd.io_Kustomization, v: v1}, {id: _apps__Namespace, v: v1}]}
  conditions: [{type: Ready, status: 'True', observedGeneration: 1}]
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system, generation: 1}
spec: {sourceRef: {kind: GitRepository, name: fleet}, dependsOn: [{name: infra}]}
status:
  lastAppliedRevision: main@sha1:GIT1
  inventory: {entries: [{id: apps_web_apps_Deployment, v: v1}]}
  conditions: [{type: Ready, status: 'True', observedGeneration: 1}]
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: slack, namespace: flux-system}
";

#[test]
fn a_batch_tells_what_it_changed() {
    let all = objects(CLUSTER);
    let empty = Facts::new(ClusterName::from("test"));
    assert_eq!(empty.coverage(Kind::Kustomization), Coverage::NotYet);
    let first = check(
        &empty,
        all.iter().cloned().map(Change::Applied).collect(),
        expect![[r#"
        changed Kustomization/flux-system/apps
        changed Kustomization/flux-system/root
        changed Provider/flux-system/slack
        changed GitRepository/flux-system/fleet
    "#]],
    );
    assert_eq!((first.len(), empty.len()), (4, 0));
    assert_eq!(first.recorded_at(), Some(at(-3600)));

    // The same once more: nothing. A new resource version alone: nothing.
    let again = objects(&CLUSTER.replace("name: root,", "name: root, resourceVersion: '9', "));
    let first = check(&first, again.into_iter().map(Change::Applied).collect(), expect![]);
    assert_eq!(
        first.get(&id("Kustomization/flux-system/root")).unwrap().meta.resource_version.as_deref(),
        Some("9")
    );

    // A source touches what takes from it, and what health-checks that.
    let newer = objects(&CLUSTER.replace("{revision: 'main@sha1:GIT1'", "{revision: 'main@sha1:GIT2'"));
    let second = check(
        &first,
        vec![Change::Applied(newer[0].clone())],
        expect![[r#"
        affected Kustomization/flux-system/apps
        affected Kustomization/flux-system/root
        changed GitRepository/flux-system/fleet
    "#]],
    );
    let verdict = second.verdict(&id("Kustomization/flux-system/apps"), at(0)).unwrap();
    assert!(matches!(verdict.state, State::ReadyBehind { .. }));
    let before = first.verdict(&id("Kustomization/flux-system/apps"), at(0)).unwrap();
    assert_eq!(before.state, State::Ready);

    let provider = id("Provider/flux-system/slack");
    let third = check(
        &second,
        vec![Change::Deleted(provider.clone()), Change::Deleted(provider)],
        expect![[r#"
        changed Provider/flux-system/slack
    "#]],
    );
    assert_eq!(third.len(), 3);
}

#[test]
fn a_relist_removes_what_it_lacks() {
    let all = objects(CLUSTER);
    let (facts, _) = Facts::new(ClusterName::from("test"))
        .apply(all.iter().cloned().map(Change::Applied).collect(), at(0));
    let relist = |namespace: Option<&str>, objects| Change::Relisted {
        kind: Kind::Kustomization,
        namespace: namespace.map(Into::into),
        objects,
    };
    let other = check(
        &facts,
        vec![relist(Some("other"), vec![])],
        expect![[r#"
        kind Kustomization
    "#]],
    );
    assert_eq!(other.coverage(Kind::Kustomization), Coverage::Partly(vec!["other".into()]));
    assert_eq!(other.coverage_in(Kind::Kustomization, "flux-system"), Coverage::NotYet);
    let left = check(
        &other,
        vec![relist(None, vec![all[1].clone()])],
        expect![[r#"
        changed Kustomization/flux-system/apps
        affected Kustomization/flux-system/root
        kind Kustomization
    "#]],
    );
    assert_eq!(left.coverage(Kind::Kustomization), Coverage::Listed);
    let names: Vec<String> = left.of_kind(Kind::Kustomization).map(|o| o.id.to_string()).collect();
    assert_eq!(names, ["Kustomization/flux-system/root"]);
    assert_eq!(left.referrers_of(&id("GitRepository/flux-system/fleet")).count(), 1);
    assert_eq!(left.referrers_of(&id("Kustomization/flux-system/infra")).count(), 0);
}

#[test]
fn inventories_are_searched_backwards() {
    let (facts, _) = Facts::new(ClusterName::from("test"))
        .apply(objects(CLUSTER).into_iter().map(Change::Applied).collect(), at(0));
    let appliers = |facts: &Facts, id: &ObjectId| -> Vec<String> {
        facts.appliers_of(id).iter().map(|o| o.id.to_string()).collect()
    };
    let web = ObjectId::new("apps", "Deployment", "apps", "web");
    assert_eq!(appliers(&facts, &web), ["Kustomization/flux-system/apps"]);
    assert_eq!(
        appliers(&facts, &ObjectId::new("", "Namespace", "", "apps")),
        ["Kustomization/flux-system/root"]
    );
    assert!(appliers(&facts, &ObjectId::new("apps", "Deployment", "apps", "api")).is_empty());
    // An inventory that changes, changes the index.
    let moved = object(
        &CLUSTER
            .split("---\n")
            .nth(2)
            .unwrap()
            .replace("apps_web_apps_Deployment", "apps_api_apps_Deployment"),
    );
    let (facts, _) = facts.apply(vec![Change::Applied(moved)], at(1));
    assert!(appliers(&facts, &web).is_empty());
    assert_eq!(
        appliers(&facts, &ObjectId::new("apps", "Deployment", "apps", "api")),
        ["Kustomization/flux-system/apps"]
    );
    let (facts, _) = facts.apply(vec![Change::Deleted(id("Kustomization/flux-system/apps"))], at(2));
    assert!(appliers(&facts, &ObjectId::new("apps", "Deployment", "apps", "api")).is_empty());
}

#[test]
fn forbidden_and_not_served_are_told_apart() {
    let facts = Facts::new(ClusterName::from("test"));
    let cover = |kind, namespace: Option<&str>, coverage| Change::Coverage {
        kind,
        namespace: namespace.map(Into::into),
        coverage,
    };
    let forbidden = Coverage::Forbidden { verb: "list".into(), resource: "kustomizations".into() };
    let (facts, _) = facts.apply(
        vec![
            cover(Kind::Kustomization, None, forbidden.clone()),
            cover(Kind::Bucket, None, Coverage::NotServed),
            Change::Served { kind: Kind::Kustomization, version: "v1".into() },
        ],
        at(0),
    );
    assert_eq!(facts.coverage(Kind::Kustomization), forbidden);
    assert_eq!(facts.coverage(Kind::Bucket), Coverage::NotServed);
    assert_eq!(facts.served_version(Kind::Kustomization).as_deref(), Some("v1"));
    let (facts, _) = facts.apply(vec![cover(Kind::Kustomization, Some("team"), Coverage::Listed)], at(0));
    assert_eq!(facts.coverage(Kind::Kustomization), Coverage::Partly(vec!["team".into()]));
    assert_eq!(facts.coverage_in(Kind::Kustomization, "flux-system"), forbidden);
}
