//! Reading objects: references, inventories, absurd input.

use std::fmt::Write as _;
use std::time::Duration;

use expect_test::{Expect, expect};
use serde_json::json;

use super::{object, objects};
use crate::{Inventory, InventoryEntry, Kind, NotFlux, Object, ObjectId, Truth};

fn check_references(kind: Kind, spec: &str, expect: Expect) {
    let version = kind.versions()[0];
    let object = object(&format!(
        "apiVersion: {}/{version}\nkind: {kind}\nmetadata: {{name: web, namespace: apps}}\nspec: {spec}",
        kind.group()
    ));
    let mut out = String::new();
    for reference in object.references() {
        writeln!(out, "{} {:?} → {}", reference.field, reference.role, reference.target).unwrap();
    }
    expect.assert_eq(&out);
}

#[test]
fn references() {
    check_references(
        Kind::Kustomization,
        "{sourceRef: {kind: GitRepository, name: fleet, namespace: flux-system}, dependsOn: [{name: a}, {namespace: x, name: b, readyExpr: t}, {}, 7], healthChecks: [{apiVersion: apps/v1, kind: Deployment, name: d}, {apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: h}]}",
        expect![[r#"
            spec.sourceRef.name Source → GitRepository/flux-system/fleet
            spec.dependsOn[0].name Dependency → Kustomization/apps/a
            spec.dependsOn[1].name Dependency → Kustomization/x/b
            spec.healthChecks[1].name HealthCheck → HelmRelease/apps/h
        "#]],
    );
    check_references(
        Kind::HelmRelease,
        "{chart: {spec: {chart: web, sourceRef: {kind: HelmRepository, name: charts, namespace: flux-system}}}, dependsOn: [{name: db, namespace: db}]}",
        expect![[r#"
            spec.chart.spec.chart Chart → HelmChart/flux-system/apps-web
            spec.chart.spec.sourceRef.name Source → HelmRepository/flux-system/charts
            spec.dependsOn[0].name Dependency → HelmRelease/db/db
        "#]],
    );
    check_references(
        Kind::HelmRelease,
        "{chartRef: {kind: ExternalArtifact, name: web}}",
        expect![[r#"
        spec.chartRef.name Chart → ExternalArtifact/apps/web
    "#]],
    );
    check_references(
        Kind::HelmChart,
        "{sourceRef: {kind: Bucket, name: b}}",
        expect![[r#"
        spec.sourceRef.name Source → Bucket/apps/b
    "#]],
    );
    check_references(
        Kind::GitRepository,
        "{include: [{repository: {name: a}}, {repository: {name: b}}]}",
        expect![[r#"
            spec.include[0].repository.name Include → GitRepository/apps/a
            spec.include[1].repository.name Include → GitRepository/apps/b
        "#]],
    );
    check_references(
        Kind::ExternalArtifact,
        "{sourceRef: {apiVersion: source.extensions.fluxcd.io/v1beta1, kind: ArtifactGenerator, name: g, namespace: n}}",
        expect![[r#"
            spec.sourceRef.name Producer → ArtifactGenerator/apps/g
        "#]],
    );
    check_references(
        Kind::ArtifactGenerator,
        "{sources: [{alias: a, kind: GitRepository, name: g}, {alias: b, kind: OCIRepository, name: o, namespace: n}]}",
        expect![[r#"
            spec.sources[0].name Source → GitRepository/apps/g
            spec.sources[1].name Source → OCIRepository/apps/o
        "#]],
    );
    check_references(
        Kind::ImagePolicy,
        "{imageRepositoryRef: {name: web, namespace: images}}",
        expect![[r#"
        spec.imageRepositoryRef.name Images → ImageRepository/images/web
    "#]],
    );
    check_references(
        Kind::ImageUpdateAutomation,
        "{sourceRef: {kind: GitRepository, name: fleet}}",
        expect![[r#"
            spec.sourceRef.name Source → GitRepository/apps/fleet
        "#]],
    );
    check_references(
        Kind::Alert,
        "{providerRef: {name: slack}, eventSources: [{kind: Kustomization, name: '*'}, {kind: HelmRelease, name: web}]}",
        expect![[r#"
            spec.providerRef.name Provider → Provider/apps/slack
            spec.eventSources[1].name Subject → HelmRelease/apps/web
        "#]],
    );
    check_references(
        Kind::Receiver,
        "{resources: [{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, name: fleet}]}",
        expect![[r#"
            spec.resources[0].name Subject → GitRepository/apps/fleet
        "#]],
    );
    check_references(
        Kind::ResourceSet,
        "{inputsFrom: [{kind: ResourceSetInputProvider, name: p}], dependsOn: [{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, name: c}, {apiVersion: fluxcd.controlplane.io/v1, kind: ResourceSet, name: r}]}",
        expect![[r#"
            spec.inputsFrom[0].name Inputs → ResourceSetInputProvider/apps/p
            spec.dependsOn[1].name Dependency → ResourceSet/apps/r
        "#]],
    );
}

#[test]
fn what_is_no_flux_object() {
    let read = |value| Object::from_json(value).map(|o| o.id.to_string());
    let kustomize = json!({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "metadata": {"name": "a"}});
    assert!(matches!(read(kustomize), Err(NotFlux::OtherKind { .. })));
    let nameless = json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization"});
    assert_eq!(read(nameless), Err(NotFlux::NoName(Kind::Kustomization)));
    assert_eq!(read(json!(null)), Err(NotFlux::NoKind));
}

#[test]
fn absurd_values_count_as_missing() {
    let huge = "`[x](http://evil)` \u{1b}[31m".repeat(1500);
    let object = Object::from_json(json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": "a", "namespace": 7, "generation": "three", "labels": [], "annotations": "x"},
        "spec": {"interval": 10, "dependsOn": {"name": "a"}, "suspend": "yes", "path": ["a"], "timeout": "-3m"},
        "status": {
            "conditions": [
                null, 4, "Ready", {}, {"type": 3}, {"type": "Ready"},
                {"type": "Ready", "status": "True", "message": huge},
                {"type": "Stalled", "status": true, "lastTransitionTime": "yesterday", "observedGeneration": 1e99},
            ],
            "observedGeneration": "x", "inventory": {"entries": [{"id": 3}, {}, "a_b_c_d", {"id": "a_b_c_D"}]},
            "history": "none", "artifact": [], "lastAppliedRevision": {},
        },
    }))
    .unwrap();
    assert_eq!(object.id.to_string(), "Kustomization/a");
    assert_eq!((object.meta.generation, object.spec.suspend, object.spec.timeout), (None, false, None));
    assert_eq!(object.conditions().len(), 2);
    assert_eq!(object.ready().map(|c| c.status), Some(Truth::Unknown));
    assert_eq!(object.status.inventory.as_ref().map(Inventory::len), Some(1));
    assert_eq!(object.timeout(), Duration::from_secs(300));
}

#[test]
fn timeouts() {
    let timeout = |kind: Kind, spec: &str| {
        let text =
            format!("apiVersion: {}/v1\nkind: {kind}\nmetadata: {{name: a}}\nspec: {spec}", kind.group());
        object(&text).timeout().as_secs()
    };
    assert_eq!(timeout(Kind::Kustomization, "{interval: 10m}"), 570);
    assert_eq!(timeout(Kind::Kustomization, "{interval: 10m, timeout: 20s}"), 30);
    assert_eq!(timeout(Kind::Kustomization, "{interval: 10s}"), 30);
    assert_eq!(timeout(Kind::HelmRelease, "{interval: 10m}"), 300);
    assert_eq!(timeout(Kind::GitRepository, "{}"), 60);
}

#[test]
fn inventories_find_what_they_hold() {
    let text = "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: a, namespace: b}
status:
  inventory:
    entries: [{id: z_web_apps_Deployment, v: v1}, {id: a_web_apps_Deployment, v: v1}, {id: a_web__Service, v: v1}, {id: a_web_apps_Deployment, v: v1}, {id: _x__y_rbac.authorization.k8s.io_ClusterRole, v: v1}]";
    let inventory = object(text).status.inventory.unwrap();
    assert_eq!(inventory.len(), 4);
    for entry in inventory.iter() {
        assert_eq!(inventory.get(&entry.id()), Some(entry));
    }
    assert!(inventory.contains(&ObjectId::new("rbac.authorization.k8s.io", "ClusterRole", "", "x:y")));
    assert!(!inventory.contains(&ObjectId::new("apps", "Deployment", "a", "we")));
    assert!(!Inventory::default().contains(&ObjectId::new("apps", "Deployment", "a", "web")));
    let entry = InventoryEntry { namespace: "n", group: "g", kind: "K", name: "x", version: "v1" };
    assert_eq!(Inventory::new([entry, entry]).len(), 1);
}

#[test]
fn empty_and_absent_inventories_differ() {
    let text = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nstatus: STATUS";
    let read = |status: &str| object(&text.replace("STATUS", status)).status.inventory.map(|i| i.len());
    assert_eq!(read("{inventory: {entries: []}}"), Some(0));
    assert_eq!(read("{}"), None);
}

#[test]
fn owners_and_the_raw_spec() {
    let all = objects(
        "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: a, namespace: b, labels: {kustomize.toolkit.fluxcd.io/name: apps, kustomize.toolkit.fluxcd.io/namespace: flux-system}}
spec: {values: {a: [1, {b: c}]}}",
    );
    assert_eq!(
        all[0].meta.owner.as_ref().map(ToString::to_string).as_deref(),
        Some("Kustomization/flux-system/apps")
    );
    assert_eq!(all[0].raw_spec(), json!({"values": {"a": [1, {"b": "c"}]}}));
    let value =
        json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "a"}});
    let object: Object = serde_json::from_value(value).unwrap();
    assert_eq!(object.raw_spec(), json!({}));
}
