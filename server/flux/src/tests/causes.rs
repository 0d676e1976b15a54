//! Root causes through all hops.

use std::fmt::Write as _;
use std::path::Path;

use expect_test::{Expect, expect};

use super::{at, facts, objects};
use crate::{Change, Coverage, Facts, Kind, ObjectId, causes, list};

fn render(facts: &Facts, id: &str) -> String {
    let causes = causes(facts, &ObjectId::parse_flux(id).unwrap(), at(0));
    let mut out = String::new();
    for cause in causes.roots {
        writeln!(out, "{:?} {}", cause.kind, cause.root).unwrap();
        for hop in &cause.chain {
            let field = if hop.field.is_empty() { "(no field)" } else { &hop.field };
            writeln!(out, "  {} {field} → {}", hop.from, hop.to).unwrap();
        }
        if let Some(verdict) = cause.verdict.filter(|_| !cause.chain.is_empty()) {
            writeln!(out, "  {}", verdict.sentence()).unwrap();
        }
    }
    if let Some(cycle) = causes.cycle {
        let names: Vec<String> = cycle.iter().map(ToString::to_string).collect();
        writeln!(out, "cycle {}", names.join(" → ")).unwrap();
    }
    out
}

fn check(yaml: &str, id: &str, expect: Expect) {
    expect.assert_eq(&render(&facts(objects(yaml)), id));
}

/// A Kustomization in short: name, spec, Ready's status, reason and message.
fn ks(name: &str, spec: &str, ready: (&str, &str, &str)) -> String {
    let (status, reason, message) = ready;
    let message = message.replace('"', "\\\"");
    format!(
        "---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: flux-system, generation: 1}}
spec: {spec}
status:
  conditions: [{{type: Ready, status: '{status}', reason: {reason}, message: \"{message}\", observedGeneration: 1}}]
"
    )
}

fn waits(name: &str, on: &str) -> String {
    let message = format!("dependency 'flux-system/{on}' is not ready");
    ks(name, &format!("{{dependsOn: [{{name: {on}}}]}}"), ("False", "DependencyNotReady", &message))
}

const BROKEN: (&str, &str, &str) = ("False", "BuildFailed", "kustomize build failed: x");
const FINE: (&str, &str, &str) = ("True", "ReconciliationSucceeded", "ok");

#[test]
fn through_dependencies() {
    let yaml = waits("apps", "configs") + &waits("configs", "controllers") + &ks("controllers", "{}", BROKEN);
    check(
        &yaml,
        "Kustomization/flux-system/apps",
        expect![[r#"
        Failure Kustomization/flux-system/controllers
          Kustomization/flux-system/apps spec.dependsOn[0].name → Kustomization/flux-system/configs
          Kustomization/flux-system/configs spec.dependsOn[0].name → Kustomization/flux-system/controllers
          kustomize build failed: x
    "#]],
    );
    check(
        &yaml,
        "Kustomization/flux-system/controllers",
        expect![[r#"
        Failure Kustomization/flux-system/controllers
    "#]],
    );
    check(&ks("a", "{}", FINE), "Kustomization/flux-system/a", expect![]);
    check(&ks("a", "{}", FINE), "Kustomization/flux-system/unknown", expect![]);
}

#[test]
fn several_causes() {
    let yaml = ks(
        "apps",
        "{dependsOn: [{name: ok}, {name: a}, {name: b}]}",
        ("False", "DependencyNotReady", "dependency 'flux-system/a' is not ready"),
    ) + &ks("ok", "{}", FINE)
        + &ks("a", "{}", BROKEN)
        + &ks("b", "{}", BROKEN);
    check(
        &yaml,
        "Kustomization/flux-system/apps",
        expect![[r#"
        Failure Kustomization/flux-system/a
          Kustomization/flux-system/apps spec.dependsOn[1].name → Kustomization/flux-system/a
          kustomize build failed: x
        Failure Kustomization/flux-system/b
          Kustomization/flux-system/apps spec.dependsOn[2].name → Kustomization/flux-system/b
          kustomize build failed: x
    "#]],
    );
}

#[test]
fn cycles_are_told() {
    let yaml = waits("a", "b") + &waits("b", "c") + &waits("c", "b");
    check(
        &yaml,
        "Kustomization/flux-system/a",
        expect![[r#"
        cycle Kustomization/flux-system/b → Kustomization/flux-system/c
    "#]],
    );
    check(
        &waits("a", "a"),
        "Kustomization/flux-system/a",
        expect![[r#"
        cycle Kustomization/flux-system/a
    "#]],
    );
}

#[test]
fn what_is_ready_by_now() {
    let yaml = waits("a", "b") + &ks("b", "{}", FINE);
    check(
        &yaml,
        "Kustomization/flux-system/a",
        expect![[r#"
        Resolved Kustomization/flux-system/b
          Kustomization/flux-system/a spec.dependsOn[0].name → Kustomization/flux-system/b
          ok
    "#]],
    );
}

#[test]
fn suspended_dependencies() {
    let yaml = waits("a", "b") + &ks("b", "{suspend: true}", BROKEN);
    check(
        &yaml,
        "Kustomization/flux-system/a",
        expect![[r#"
        Suspended Kustomization/flux-system/b
          Kustomization/flux-system/a spec.dependsOn[0].name → Kustomization/flux-system/b
          kustomize build failed: x
    "#]],
    );
}

#[test]
fn missing_and_invisible() {
    let missing = ks(
        "a",
        "{sourceRef: {kind: GitRepository, name: fleet}}",
        ("False", "ArtifactFailed", "GitRepository.source.toolkit.fluxcd.io \"fleet\" not found"),
    );
    // Nobody listed GitRepositories.
    check(
        &missing,
        "Kustomization/flux-system/a",
        expect![[r#"
        NotVisible GitRepository/flux-system/fleet
          Kustomization/flux-system/a spec.sourceRef.name → GitRepository/flux-system/fleet
    "#]],
    );
    let listed = facts(objects(&missing))
        .apply(vec![Change::Relisted { kind: Kind::GitRepository, namespace: None, objects: vec![] }], at(0))
        .0;
    expect![[r#"
        Missing GitRepository/flux-system/fleet
          Kustomization/flux-system/a spec.sourceRef.name → GitRepository/flux-system/fleet
    "#]]
    .assert_eq(&render(&listed, "Kustomization/flux-system/a"));
    let forbidden = Coverage::Forbidden { verb: "list".into(), resource: "gitrepositories".into() };
    let change = Change::Coverage { kind: Kind::GitRepository, namespace: None, coverage: forbidden };
    let hidden = listed.apply(vec![change], at(0)).0;
    expect![[r#"
        NotVisible GitRepository/flux-system/fleet
          Kustomization/flux-system/a spec.sourceRef.name → GitRepository/flux-system/fleet
    "#]]
    .assert_eq(&render(&hidden, "Kustomization/flux-system/a"));
}

const SOURCE_CHAIN: &str = "---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: apps, generation: 1}
spec: {chart: {spec: {chart: web, version: 9.x, sourceRef: {kind: HelmRepository, name: charts, namespace: flux-system}}}}
status:
  helmChart: flux-system/apps-web
  conditions: [{type: Ready, status: 'False', reason: SourceNotReady, message: \"HelmChart 'flux-system/apps-web' is not ready: no artifact available for HelmRepository source 'charts'\", observedGeneration: 1}]
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmChart
metadata: {name: apps-web, namespace: flux-system, generation: 1}
spec: {chart: web, version: 9.x, sourceRef: {kind: HelmRepository, name: charts}}
status:
  conditions: [{type: Ready, status: 'False', reason: NoSourceArtifact, message: \"no artifact available for HelmRepository source 'charts'\", observedGeneration: 1}]
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: flux-system, generation: 1}
spec: {url: 'https://charts.example.com'}
status:
  conditions: [{type: Ready, status: 'False', reason: Failed, message: 'failed to fetch Helm repository index: failed to cache index to temporary file: failed to fetch https://charts.example.com/index.yaml : 404 Not Found', observedGeneration: 1}]
";

#[test]
fn through_charts_to_their_source() {
    check(
        SOURCE_CHAIN,
        "HelmRelease/apps/web",
        expect![[r#"
        Failure HelmRepository/flux-system/charts
          HelmRelease/apps/web spec.chart.spec.chart → HelmChart/flux-system/apps-web
          HelmChart/flux-system/apps-web spec.sourceRef.name → HelmRepository/flux-system/charts
          failed to fetch Helm repository index: failed to cache index to temporary file: failed to fetch https://charts.example.com/index.yaml : 404 Not Found
    "#]],
    );
}

#[test]
fn through_a_health_check() {
    let unhealthy = ks(
        "apps",
        "{wait: true}",
        (
            "False",
            "HealthCheckFailed",
            "health check failed after 5m0.004s: timeout waiting for: [Deployment/apps/x status: 'InProgress', HelmRelease/apps/web status: 'InProgress']",
        ),
    );
    check(
        &format!("{unhealthy}{SOURCE_CHAIN}"),
        "Kustomization/flux-system/apps",
        expect![[r#"
            Failure Kustomization/flux-system/apps
            Failure HelmRepository/flux-system/charts
              Kustomization/flux-system/apps (no field) → HelmRelease/apps/web
              HelmRelease/apps/web spec.chart.spec.chart → HelmChart/flux-system/apps-web
              HelmChart/flux-system/apps-web spec.sourceRef.name → HelmRepository/flux-system/charts
              failed to fetch Helm repository index: failed to cache index to temporary file: failed to fetch https://charts.example.com/index.yaml : 404 Not Found
        "#]],
    );
    // No Flux object is named: the workload is the cause, and this is where it is told.
    let own = unhealthy.replace(", HelmRelease/apps/web status: 'InProgress'", "");
    check(
        &format!("{own}{SOURCE_CHAIN}"),
        "Kustomization/flux-system/apps",
        expect![[r#"
        Failure Kustomization/flux-system/apps
    "#]],
    );
}

#[test]
fn through_a_generator() {
    let yaml = ks(
        "apps",
        "{sourceRef: {kind: ExternalArtifact, name: apps}}",
        ("False", "ArtifactFailed", "ExternalArtifact.source.toolkit.fluxcd.io \"apps\" not found"),
    ) + "---
apiVersion: source.extensions.fluxcd.io/v1beta1
kind: ArtifactGenerator
metadata: {name: mono, namespace: flux-system, generation: 1}
spec: {sources: [{alias: repo, kind: GitRepository, name: fleet}], artifacts: [{name: apps}]}
status:
  conditions: [{type: Ready, status: 'False', reason: SourceFetchFailed, message: 'failed to get source', observedGeneration: 1}]
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: flux-system, generation: 1}
status:
  conditions: [{type: Ready, status: 'False', reason: AuthenticationFailed, message: denied, observedGeneration: 1}]
";
    check(
        &yaml,
        "Kustomization/flux-system/apps",
        expect![[r#"
            Failure GitRepository/flux-system/fleet
              Kustomization/flux-system/apps spec.sourceRef.name → ExternalArtifact/flux-system/apps
              ExternalArtifact/flux-system/apps (no field) → ArtifactGenerator/flux-system/mono
              ArtifactGenerator/flux-system/mono spec.sources[0].name → GitRepository/flux-system/fleet
              denied
        "#]],
    );
}

#[test]
fn a_stale_source_is_found_behind_a_ready_one() {
    let yaml = ks("apps", "{sourceRef: {kind: ExternalArtifact, name: apps}}", FINE)
        + "---
apiVersion: source.toolkit.fluxcd.io/v1
kind: ExternalArtifact
metadata: {name: apps, namespace: flux-system, generation: 1}
spec: {sourceRef: {apiVersion: source.extensions.fluxcd.io/v1beta1, kind: ArtifactGenerator, name: mono, namespace: flux-system}}
status: {conditions: [{type: Ready, status: 'True', reason: Succeeded}]}
---
apiVersion: source.extensions.fluxcd.io/v1beta1
kind: ArtifactGenerator
metadata: {name: mono, namespace: flux-system, generation: 1}
spec: {sources: [{alias: repo, kind: GitRepository, name: fleet}], artifacts: [{name: apps}]}
status: {conditions: [{type: Ready, status: 'True', reason: Succeeded, observedGeneration: 1}]}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: flux-system, generation: 1}
status:
  conditions: [{type: Ready, status: 'False', reason: GitOperationFailed, message: authorization failed, observedGeneration: 1}, {type: FetchFailed, status: 'True'}]
";
    check(
        &yaml,
        "Kustomization/flux-system/apps",
        expect![[r#"
        Failure GitRepository/flux-system/fleet
          Kustomization/flux-system/apps spec.sourceRef.name → ExternalArtifact/flux-system/apps
          ExternalArtifact/flux-system/apps spec.sourceRef.name → ArtifactGenerator/flux-system/mono
          ArtifactGenerator/flux-system/mono spec.sources[0].name → GitRepository/flux-system/fleet
          authorization failed
    "#]],
    );
}

/// The chain that was seen on real controllers (flux-reference H-7), cut down.
#[test]
fn the_chain_of_the_official_example() {
    check(
        include_str!("example.yaml"),
        "Kustomization/flux-system/apps",
        expect![[r#"
            Failure OCIRepository/db-operator/db-operator
              Kustomization/flux-system/apps spec.dependsOn[0].name → Kustomization/flux-system/infra-configs
              Kustomization/flux-system/infra-configs spec.dependsOn[0].name → Kustomization/flux-system/infra-controllers
              Kustomization/flux-system/infra-controllers (no field) → HelmRelease/db-operator/db-operator
              HelmRelease/db-operator/db-operator spec.chartRef.name → OCIRepository/db-operator/db-operator
              failed to determine the artifact tag for 'oci://images.example/charts/db-operator': Get "https://images.example/v2/": dial tcp: lookup images.example: no such host
        "#]],
    );
}

#[test]
fn the_recorded_cluster_of_the_official_example() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(3)
        .unwrap()
        .join("shared/repos/flux2-kustomize-helm-example.cluster.json");
    let Ok(text) = std::fs::read(&path) else {
        println!("SKIPPED: the recorded cluster of flux2-kustomize-helm-example is not there");
        return;
    };
    let listing = list::read(&text).unwrap();
    assert_eq!(listing.skipped, []);
    let facts = facts(listing.objects);
    assert_eq!(facts.recorded_at(), listing.newest);
    let apps = ObjectId::parse_flux("Kustomization/flux-system/apps").unwrap();
    let roots = causes(&facts, &apps, at(0)).roots;
    let told: Vec<String> =
        roots.iter().map(|c| format!("{:?} {} after {}", c.kind, c.root, c.chain.len())).collect();
    expect![[r#"
        [
            "Failure OCIRepository/cert-manager/cert-manager after 4",
            "Failure OCIRepository/envoy-gateway-system/gateway-helm after 4",
        ]
    "#]]
    .assert_debug_eq(&told);
}
