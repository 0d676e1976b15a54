use expect_test::{Expect, expect};

use super::drawing::{check_actions, check_lenses, draw_lenses};
use super::fixture::World;
use super::shop::apps;

/// A repository with one child Kustomization, applied by a root one.
pub(super) const REPO: &str = concat!(
    apps!(),
    "\
//- apps/kustomization.yaml
resources: [release.yaml]
//- apps/release.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
  namespace: web
spec:
  interval: 1h
  chartRef:
    kind: OCIRepository
    name: web
//- commits
1a2b3c4 Add web
9f8e7d6 Change web
",
);

/// The root and its source, at `main@1a2b3c4`.
pub(super) const ROOT: &str = "\
{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4}
{kind: Kustomization, name: root, source: GitRepository/fleet, path: clusters/staging, at: main@1a2b3c4, holds: [Kustomization/flux-system/apps]}
";

/// Lenses with the child as `apps` says, in a cluster of these words.
fn check(words: &str, apps: &str, expected: Expect) {
    let apps = format!(
        "{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, {apps}}}"
    );
    check_lenses(&format!("{REPO}//- cluster {words}\n{ROOT}{apps}\n"), expected);
}

const WELL: &str = "at: main@1a2b3c4";

#[test]
fn applied() {
    check(
        "staging",
        WELL,
        expect![[r#"
            clusters/staging/apps.yaml:1 [✓ staging: live main@1a2b3c4] [Reconcile now]
            apps/release.yaml:1 [staging: not applied yet]
        "#]],
    );
}

#[test]
fn failed() {
    check(
        "prod",
        "at: main@1a2b3c4, failed: [BuildFailed, 'kustomize build failed: no such thing', main@9f8e7d6]",
        expect![[r#"
            clusters/staging/apps.yaml:1 [✗ prod: failed main@9f8e7d6, running main@1a2b3c4] [Reconcile now] [Go to cause]
            apps/release.yaml:1 [prod: not applied, Kustomization/flux-system/apps failed]
        "#]],
    );
    check(
        "prod",
        "failed: [ArtifactFailed, 'kustomization path not found: stat /tmp/kustomization-1/x: no such file or directory']",
        expect![[r#"
            clusters/staging/apps.yaml:1 [✗ prod: failed (ArtifactFailed)] [Reconcile now] [Go to cause]
            apps/release.yaml:1 [prod: not applied, Kustomization/flux-system/apps failed]
        "#]],
    );
}

#[test]
fn progressing() {
    check(
        "staging",
        "at: main@1a2b3c4, to: main@9f8e7d6, progress: Building manifests for revision REV with a timeout of 5m0s",
        expect![[r#"
            clusters/staging/apps.yaml:1 [staging: applying main@9f8e7d6, running main@1a2b3c4] [Reconcile now]
            apps/release.yaml:1 [staging: not applied yet]
        "#]],
    );
    check(
        "staging",
        "to: main@9f8e7d6, progress: Running health checks for revision REV with a timeout of 5m0s",
        expect![[r#"
            clusters/staging/apps.yaml:1 [staging: applied main@9f8e7d6, checking health] [Reconcile now]
            apps/release.yaml:1 [staging: not applied yet]
        "#]],
    );
    check(
        "staging",
        "progress: Fulfilling prerequisites",
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: in progress, outcome unknown] [Reconcile now]
        apps/release.yaml:1 [staging: not applied yet]
    "#]],
    );
}

#[test]
fn blocked() {
    check_lenses(
        &format!(
            "{REPO}//- apps/base.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: base
  namespace: flux-system
spec:
  path: ./nowhere
  sourceRef:
    kind: GitRepository
    name: fleet
//- clusters/staging/kustomization.yaml
resources: [apps.yaml, ../../apps/base.yaml]
//- cluster prod
{{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4}}
{{kind: Kustomization, name: root, source: GitRepository/fleet, path: clusters/staging, at: main@1a2b3c4, holds: [Kustomization/flux-system/apps, Kustomization/flux-system/base]}}
{{kind: Kustomization, name: base, source: GitRepository/fleet, path: ./nowhere, failed: [ArtifactFailed, 'kustomization path not found: stat /tmp/kustomization-1/nowhere: no such file or directory', main@1a2b3c4]}}
{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, at: main@1a2b3c4, dependsOn: [base], failed: [DependencyNotReady, \"dependency 'flux-system/base' is not ready\"]}}
"
        ),
        expect![[r#"
            clusters/staging/apps.yaml:1 [prod: blocked by apps/base.yaml:7] [Go to cause]
            apps/release.yaml:1 [prod: not applied yet]
            apps/base.yaml:1 [✗ prod: failed (ArtifactFailed)] [Reconcile now] [Go to cause]
        "#]],
    );
    // By something that has no document here.
    check(
        "prod",
        "dependsOn: [gone], failed: [DependencyNotReady, \"dependency 'flux-system/gone' not found: kustomizations.kustomize.toolkit.fluxcd.io gone not found\"]",
        expect![[r#"
            clusters/staging/apps.yaml:1 [prod: blocked by Kustomization/flux-system/gone, not there] [Go to cause]
            apps/release.yaml:1 [prod: not applied yet]
        "#]],
    );
}

#[test]
fn suspended() {
    check(
        "prod",
        "at: main@1a2b3c4, suspend: true",
        expect![[r#"
        clusters/staging/apps.yaml:1 [prod: suspended] [Resume…]
        apps/release.yaml:1 [prod: not applied yet]
    "#]],
    );
}

#[test]
fn other_states() {
    check(
        "staging",
        "pending: true",
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: waiting to be reconciled] [Reconcile now]
        apps/release.yaml:1 [staging: not applied yet]
    "#]],
    );
    check(
        "staging",
        "at: main@1a2b3c4, deleting: true",
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: being deleted]
        apps/release.yaml:1 [staging: not applied yet]
    "#]],
    );
    check(
        "staging",
        "at: main@1a2b3c4, failed: [HealthCheckFailed, 'timeout waiting for: [Deployment/web/web status: InProgress]', main@1a2b3c4]",
        expect![[r#"
            clusters/staging/apps.yaml:1 [✗ staging: applied main@1a2b3c4, unhealthy] [Reconcile now]
            apps/release.yaml:1 [staging: not applied yet]
        "#]],
    );
    // The source has moved on.
    check_lenses(
        &format!(
            "{REPO}//- cluster staging\n{}{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, at: main@1a2b3c4}}\n",
            ROOT.replacen("at: main@1a2b3c4", "at: main@9f8e7d6", 1)
        ),
        expect![[r#"
            clusters/staging/apps.yaml:1 [staging: applied main@1a2b3c4, next main@9f8e7d6] [Reconcile now]
            apps/release.yaml:1 [staging: not applied yet]
        "#]],
    );
    // The source fails.
    check_lenses(
        &format!(
            "{REPO}//- cluster staging\n{}{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, at: main@1a2b3c4}}\n",
            ROOT.replacen(
                "at: main@1a2b3c4",
                "at: main@1a2b3c4, failed: [GitOperationFailed, 'no route']",
                1
            )
        ),
        expect![[r#"
            clusters/staging/apps.yaml:1 [staging: applied main@1a2b3c4, GitRepository/flux-system/fleet cannot be fetched] [Reconcile now] [Go to cause]
            apps/release.yaml:1 [staging: not applied yet]
        "#]],
    );
    // Static objects have no state to show.
    check_lenses(
        "//- a.yaml\napiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Alert\nmetadata: {name: alert, namespace: flux-system}\n//- commits\n1a2b3c4 x\n//- cluster staging\n{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4}\n{kind: Kustomization, name: root, source: GitRepository/fleet, path: ., at: main@1a2b3c4, holds: [Alert/flux-system/alert]}\n{kind: Alert, name: alert}\n",
        expect![""],
    );
}

#[test]
fn contact() {
    check(
        "staging checking",
        WELL,
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: applied main@1a2b3c4, checking…]
        apps/release.yaml:1 [staging: not applied yet, checking…]
    "#]],
    );
    check(
        "staging last-seen",
        WELL,
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: last seen Mon 14:02]
        apps/release.yaml:1 [staging: last seen Mon 14:02]
    "#]],
    );
    check(
        "prod sign-in",
        WELL,
        expect![[r#"
        clusters/staging/apps.yaml:1 [prod: last seen Mon 14:02] [Sign in]
        apps/release.yaml:1 [prod: last seen Mon 14:02] [Sign in]
    "#]],
    );
    check(
        "staging recorded",
        WELL,
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: applied main@1a2b3c4, as recorded 2026-11-22 05:07]
        apps/release.yaml:1 [staging: not applied yet, as recorded 2026-11-22 05:07]
    "#]],
    );
    let failed = "at: main@1a2b3c4, failed: [BuildFailed, broken, main@9f8e7d6]";
    check(
        "staging last-seen",
        failed,
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: last seen Mon 14:02, failed main@9f8e7d6, running main@1a2b3c4]
        apps/release.yaml:1 [staging: last seen Mon 14:02]
    "#]],
    );
    check(
        "staging recorded",
        failed,
        expect![[r#"
        clusters/staging/apps.yaml:1 [✗ staging: failed main@9f8e7d6, running main@1a2b3c4, as recorded 2026-11-22 05:07]
        apps/release.yaml:1 [staging: not applied, Kustomization/flux-system/apps failed, as recorded 2026-11-22 05:07]
    "#]],
    );
}

#[test]
fn nothing_known() {
    let check = |clusters: &str, expected: Expect| check_lenses(&format!("{REPO}{clusters}"), expected);
    check(
        "//- settings\noffer\n",
        expect![[r#"
        clusters/staging/apps.yaml:1 [Flux: not connected] [Choose cluster…]
        apps/release.yaml:1 [Flux: not connected] [Choose cluster…]
    "#]],
    );
    // Clusters are off.
    check("", expect![]);
    check(
        "//- cluster staging connecting\n",
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: connecting…]
        apps/release.yaml:1 [staging: connecting…]
    "#]],
    );
    check(
        "//- cluster staging never-signed-in\n",
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: not signed in] [Sign in]
        apps/release.yaml:1 [staging: not signed in] [Sign in]
    "#]],
    );
    check(
        "//- cluster staging unreachable\n",
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: unreachable]
        apps/release.yaml:1 [staging: unreachable]
    "#]],
    );
    check(
        "//- cluster staging only=team\n",
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: no permission to list kustomizations.kustomize.toolkit.fluxcd.io in all namespaces]
        apps/release.yaml:1 [staging: no permission to list helmreleases.helm.toolkit.fluxcd.io in all namespaces]
    "#]],
    );
    check(
        "//- cluster staging no-flux\n",
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: runs no Flux]
        apps/release.yaml:1 [staging: runs no Flux]
    "#]],
    );
    // Connected, and it has other things.
    check(
        "//- cluster staging\n//- settings\noffer not-connected=prod\n",
        expect![[r#"
        clusters/staging/apps.yaml:1 [Flux: not applied by staging (prod not connected)] [Choose cluster…]
        apps/release.yaml:1 [Flux: not applied by staging (prod not connected)] [Choose cluster…]
    "#]],
    );
    check(
        "//- cluster staging not-yet=Kustomization\n",
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: kustomizations not read yet]
        apps/release.yaml:1 [staging: kustomizations not read yet]
    "#]],
    );
    check(
        "//- cluster staging recorded\n",
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: no kustomizations in the recording]
        apps/release.yaml:1 [staging: no kustomizations in the recording]
    "#]],
    );
}

#[test]
fn forbidden_is_not_empty_is_not_unserved() {
    let root = ROOT;
    let check =
        |words: &str, expected: Expect| check_lenses(&format!("{REPO}//- cluster {words}\n{root}"), expected);
    check(
        "staging",
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: gone from the cluster]
        apps/release.yaml:1 [Flux: not applied by staging]
    "#]],
    );
    check(
        "staging forbidden=Kustomization",
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: no permission to list kustomizations]
        apps/release.yaml:1 [staging: no permission to list kustomizations.kustomize.toolkit.fluxcd.io]
    "#]],
    );
    check(
        "staging not-served=HelmRelease",
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: gone from the cluster]
        apps/release.yaml:1 [Flux: not applied by staging]
    "#]],
    );
    check(
        "staging not-yet=Kustomization",
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: kustomizations not read yet]
        apps/release.yaml:1 [staging: kustomizations not read yet]
    "#]],
    );
    check(
        "staging recorded not-yet=Kustomization",
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: no kustomizations in the recording, as recorded 2026-11-22 05:07]
        apps/release.yaml:1 [Flux: not applied by staging]
    "#]],
    );
}

#[test]
fn without_rights_nothing_is_offered() {
    check(
        "staging no-rights",
        WELL,
        expect![[r#"
            clusters/staging/apps.yaml:1 [✓ staging: live main@1a2b3c4]
            apps/release.yaml:1 [staging: not applied yet]
        "#]],
    );
    check(
        "staging rights-not-asked",
        WELL,
        expect![[r#"
            clusters/staging/apps.yaml:1 [✓ staging: live main@1a2b3c4]
            apps/release.yaml:1 [staging: not applied yet]
        "#]],
    );
}

#[test]
fn one_text_in_several_clusters() {
    let apps = |more: &str| {
        format!(
            "{ROOT}{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, {more}}}\n"
        )
    };
    let failed = "at: main@1a2b3c4, failed: [BuildFailed, broken, main@9f8e7d6]";
    check_lenses(
        &format!(
            "{REPO}//- cluster eu\n{}//- cluster us\n{}//- cluster asia\n{}",
            apps(WELL),
            apps(failed),
            apps("at: main@1a2b3c4, suspend: true")
        ),
        expect![[r#"
            clusters/staging/apps.yaml:1 [✗ 1 of 3 failed: us · 1 live, 1 suspended] [Clusters…]
            apps/release.yaml:1 [3 of 3 not applied: eu, us and asia] [Clusters…]
        "#]],
    );
    check_lenses(
        &format!("{REPO}//- cluster eu\n{}//- cluster us\n{}", apps(WELL), apps(WELL)),
        expect![[r#"
            clusters/staging/apps.yaml:1 [✓ eu and us: live main@1a2b3c4] [Clusters…]
            apps/release.yaml:1 [eu and us: not applied yet] [Clusters…]
        "#]],
    );
    check_lenses(
        &format!("{REPO}//- cluster eu\n{}//- cluster us recorded\n{}", apps(WELL), apps(WELL)),
        expect![[r#"
            clusters/staging/apps.yaml:1 [2 of 2 applied, as recorded 2026-11-22 05:07] [Clusters…]
            apps/release.yaml:1 [2 of 2 not applied: eu and us, as recorded 2026-11-22 05:07] [Clusters…]
        "#]],
    );
    check_lenses(
        &format!(
            "{REPO}//- cluster eu recorded\n{}//- cluster us recorded-earlier\n{}",
            apps(WELL),
            apps(failed)
        ),
        expect![[r#"
            clusters/staging/apps.yaml:1 [✗ 1 of 2 failed: us · 1 applied, as recorded 2026-11-22 04:07] [Clusters…]
            apps/release.yaml:1 [2 of 2 not applied: eu and us, as recorded 2026-11-22 04:07] [Clusters…]
        "#]],
    );
}

#[test]
fn the_path_tells_clusters_apart() {
    let repo = REPO.replace("//- commits", "//- clusters/production/apps.yaml\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\nspec: {path: ./apps}\n//- commits");
    let apps = format!(
        "{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, {WELL}}}\n"
    );
    check_lenses(
        &format!("{repo}//- cluster staging\n{ROOT}{apps}//- settings\noffer not-connected=prod\n"),
        expect![[r#"
            clusters/staging/apps.yaml:1 [✓ staging: live main@1a2b3c4] [Reconcile now]
            apps/release.yaml:1 [staging: not applied yet]
            clusters/production/apps.yaml:1 [Flux: not applied by staging (prod not connected)] [Choose cluster…]
        "#]],
    );
}

#[test]
fn mapping_narrows() {
    let apps = format!(
        "{ROOT}{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, {WELL}}}\n"
    );
    check_lenses(
        &format!(
            "{REPO}//- cluster one\n{apps}//- cluster two\n{apps}//- settings\nmap=clusters/staging/**:two\n"
        ),
        expect![[r#"
            clusters/staging/apps.yaml:1 [✓ two: live main@1a2b3c4] [Reconcile now]
            apps/release.yaml:1 [one and two: not applied yet] [Clusters…]
        "#]],
    );
}

#[test]
fn signs_in_plain_letters_and_fewer_verbs() {
    let failed = "{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, at: main@1a2b3c4, failed: [ArtifactFailed, 'kustomization path not found: stat /tmp/kustomization-1/apps: no such file or directory', main@9f8e7d6]}\n";
    check_lenses(
        &format!("{REPO}//- cluster prod\n{ROOT}{failed}//- settings\nascii verbs=1\n"),
        expect![[r#"
        clusters/staging/apps.yaml:1 [[x] prod: failed (ArtifactFailed), running main@1a2b3c4] [Reconcile now]
        apps/release.yaml:1 [prod: not applied, Kustomization/flux-system/apps failed]
    "#]],
    );
}

#[test]
fn copied_artifacts_and_patches() {
    check_lenses(
        &format!(
            "{REPO}//- deploy/web/kustomization.yaml
resources: [release.yaml]
patches:
  - path: patch.yaml
//- deploy/web/release.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: shop}}
spec: {{interval: 1h, chartRef: {{kind: OCIRepository, name: shop}}}}
//- deploy/web/patch.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: shop}}
spec: {{values: {{replicas: 2}}}}
//- cluster staging
{ROOT}{{kind: ArtifactGenerator, name: gen, spec: {{sources: [{{alias: repo, kind: GitRepository, name: fleet}}], artifacts: [{{name: bundle, copy: [{{from: \"@repo/deploy/**\", to: \"@artifact/x/\"}}]}}]}}}}
{{kind: ExternalArtifact, name: bundle, at: latest@sha256:0cc9a8446c95009ef382f5eade883a67c257f77d50f84e78ecef2aac9428d1e5, spec: {{sourceRef: {{apiVersion: source.extensions.fluxcd.io/v1beta1, kind: ArtifactGenerator, name: gen}}}}}}
{{kind: Kustomization, name: web, source: ExternalArtifact/bundle, path: ./x/web, targetNamespace: shop, at: latest@sha256:0cc9a8446c95009ef382f5eade883a67c257f77d50f84e78ecef2aac9428d1e5, holds: [HelmRelease/shop/shop]}}
{{kind: HelmRelease, name: shop, ns: shop, at: 6.5.3, spec: {{interval: 1h, chartRef: {{kind: OCIRepository, name: shop}}, values: {{replicas: 2}}}}}}
"
        ),
        expect![[r#"
            clusters/staging/apps.yaml:1 [staging: gone from the cluster]
            apps/release.yaml:1 [Flux: not applied by staging]
            deploy/web/release.yaml:1 [✓ staging: applied 6.5.3] [Reconcile now]
            deploy/web/patch.yaml:1 [staging: applied 6.5.3] [Reconcile now]
        "#]],
    );
}

#[test]
fn pushed_artifacts_and_origin_annotations() {
    const DIGEST: &str = "latest@sha256:0cc9a8446c95009ef382f5eade883a67c257f77d50f84e78ecef2aac9428d1e5";
    // Nobody wrote down which folder the artifact's root is: the only text that can be the object is it.
    check_lenses(
        &format!(
            "{REPO}//- cluster staging
{{kind: OCIRepository, name: apps, at: {DIGEST}, metadata: {{org.opencontainers.image.source: https://git.example/fleet, org.opencontainers.image.revision: 'main@sha1:1a2b3c4000000000000000000000000000000000'}}}}
{{kind: Kustomization, name: all, source: OCIRepository/apps, path: ./, at: {DIGEST}, holds: [HelmRelease/web/web, Kustomization/flux-system/apps]}}
{{kind: HelmRelease, name: web, ns: web, at: 6.5.3, spec: {{interval: 1h, chartRef: {{kind: OCIRepository, name: web}}}}}}
"
        ),
        expect![[r#"
            clusters/staging/apps.yaml:1 [staging: gone from the cluster]
            apps/release.yaml:1 [✓ staging: applied 6.5.3] [Reconcile now]
        "#]],
    );
    // What such an artifact does not hold is not expected of it: `./` in it is not `./` here.
    let apps = format!(
        "{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, {WELL}}}\n"
    );
    check_lenses(
        &format!(
            "{REPO}//- cluster staging
{ROOT}{apps}{{kind: OCIRepository, name: pricing, at: {DIGEST}, metadata: {{org.opencontainers.image.source: https://git.example/fleet, org.opencontainers.image.revision: 'main@sha1:1a2b3c4000000000000000000000000000000000'}}}}
{{kind: Kustomization, name: pricing, source: OCIRepository/pricing, path: ./, targetNamespace: shop, at: {DIGEST}, holds: [Deployment/shop/pricing]}}
"
        ),
        expect![[r#"
            clusters/staging/apps.yaml:1 [✓ staging: live main@1a2b3c4] [Reconcile now]
            apps/release.yaml:1 [staging: not applied yet]
        "#]],
    );
    // The object says which of two files it came from.
    let apps = format!(
        "{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, {WELL}, annotations: {{config.kubernetes.io/origin: 'path: other.yaml'}}}}\n"
    );
    let file = &REPO[REPO.find("apiVersion").unwrap_or_default()
        ..REPO.find("//- apps/kustomization").unwrap_or_default()];
    check_lenses(
        &format!("{REPO}//- clusters/staging/other.yaml\n{file}//- cluster staging\n{ROOT}{apps}"),
        expect![[r#"
            clusters/staging/apps.yaml:1 [Flux: not applied by staging]
            apps/release.yaml:1 [staging: not applied yet]
            clusters/staging/other.yaml:1 [✓ staging: live main@1a2b3c4] [Reconcile now]
        "#]],
    );
}

#[test]
fn a_circle() {
    let waits = |name: &str, on: &str| {
        format!(
            "{{kind: Kustomization, name: {name}, source: GitRepository/fleet, path: ./apps, interval: 1h, dependsOn: [{on}], failed: [DependencyNotReady, \"dependency 'flux-system/{on}' is not ready\"]}}\n"
        )
    };
    check_lenses(
        &format!("{REPO}//- cluster staging\n{ROOT}{}{}", waits("apps", "base"), waits("base", "apps")),
        expect![[r#"
            clusters/staging/apps.yaml:1 [staging: blocked by a circle: apps → base → apps] [Go to cause]
            apps/release.yaml:1 [staging: not applied yet]
        "#]],
    );
}

#[test]
fn another_cluster_behind_the_hub_is_not_looked_up() {
    let root = ROOT.replace(
        "path: clusters/staging",
        "path: clusters/staging, spec: {kubeConfig: {secretRef: {name: edge}}}",
    );
    let apps =
        format!("{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, {WELL}}}\n");
    check_lenses(
        &format!("{REPO}//- cluster hub\n{root}{apps}"),
        expect![[r#"
        clusters/staging/apps.yaml:1 [hub → edge: applied on another cluster (edge)]
        apps/release.yaml:1 [hub: not applied yet]
    "#]],
    );
}

#[test]
fn many_objects_are_summed_up() {
    let mut repo = String::from("//- all/all.yaml\n");
    let mut live = String::new();
    let mut holds = Vec::new();
    for nth in 0..6 {
        repo.push_str(&format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: k{nth}, namespace: flux-system}}\nspec: {{path: ./k}}\n---\n"
        ));
        let more = if nth == 4 { ", failed: [BuildFailed, broken, main@9f8e7d6]" } else { "" };
        live.push_str(&format!("{{kind: Kustomization, name: k{nth}, source: GitRepository/fleet, path: ./k, at: main@1a2b3c4{more}}}\n"));
        holds.push(format!("Kustomization/flux-system/k{nth}"));
    }
    let root =
        ROOT.replace("clusters/staging", "all").replace("Kustomization/flux-system/apps", &holds.join(", "));
    check_lenses(
        &format!(
            "{repo}//- commits\n1a2b3c4 x\n9f8e7d6 y\n//- cluster staging\n{root}{live}//- settings\nmax=5\n"
        ),
        expect![[r#"
            all/all.yaml:1 [6 Flux objects: 1 failed, 5 applied]
            all/all.yaml:21 [✗ staging: failed main@9f8e7d6, running main@1a2b3c4] [Reconcile now]
        "#]],
    );
}

#[test]
fn actions_are_the_verbs_and_more() {
    let apps = |more: &str| {
        format!(
            "{ROOT}{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, {more}}}\n"
        )
    };
    check_actions(
        &format!("{REPO}//- cluster staging\n{}", apps(WELL)),
        expect![[r#"
            clusters/staging/apps.yaml:1 staging: Reconcile now
            clusters/staging/apps.yaml:1 staging: Reconcile without its source
            clusters/staging/apps.yaml:1 staging: Suspend…
            clusters/staging/apps.yaml:1 staging: Details of Kustomization/flux-system/apps
            apps/release.yaml:1 staging: Details of HelmRelease/web/web
        "#]],
    );
    check_actions(
        &format!("{REPO}//- cluster staging\n{}", apps("at: main@1a2b3c4, suspend: true")),
        expect![[r#"
            clusters/staging/apps.yaml:1 staging: Resume…
            clusters/staging/apps.yaml:1 staging: Details of Kustomization/flux-system/apps
            apps/release.yaml:1 staging: Details of HelmRelease/web/web
        "#]],
    );
    check_actions(
        &format!("{REPO}//- cluster staging no-rights\n{}", apps(WELL)),
        expect![[r#"
        clusters/staging/apps.yaml:1 staging: Details of Kustomization/flux-system/apps
        apps/release.yaml:1 staging: Details of HelmRelease/web/web
    "#]],
    );
    check_actions(
        &format!("{REPO}//- cluster staging\n{}//- settings\noff\n", apps(WELL)),
        expect![[r#"
        clusters/staging/apps.yaml:1 staging: Details of Kustomization/flux-system/apps
        apps/release.yaml:1 staging: Details of HelmRelease/web/web
    "#]],
    );
    check_actions(
        &format!("{REPO}//- settings\noffer\n"),
        expect![[r#"
        clusters/staging/apps.yaml:1 Flux: Choose cluster…
        apps/release.yaml:1 Flux: Choose cluster…
    "#]],
    );
}

#[test]
fn no_check_mark_for_a_commit_or_a_text_that_is_not_here() {
    let apps = |at: &str| {
        format!(
            "{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, at: {at}}}\n"
        )
    };
    // A colleague's commit that was not fetched.
    let root = ROOT.replace("1a2b3c4", "abcdef0");
    check_lenses(
        &format!("{REPO}//- cluster staging\n{root}{}", apps("main@abcdef0")),
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: applied main@abcdef0] [Reconcile now]
        apps/release.yaml:1 [staging: not applied yet]
    "#]],
    );
    // An edit.
    let mut world = World::new(&format!("{REPO}//- cluster staging\n{ROOT}{}", apps("main@1a2b3c4")));
    let before = world.files[0].1.clone();
    expect![[r#"
        clusters/staging/apps.yaml:1 [✓ staging: live main@1a2b3c4] [Reconcile now]
        apps/release.yaml:1 [staging: not applied yet]
    "#]]
    .assert_eq(&draw_lenses(&mut world));
    world.edit("clusters/staging/apps.yaml", &before.replace("interval: 1h", "interval: 2h # slower"));
    expect![[r#"
        clusters/staging/apps.yaml:1 [staging: applied main@1a2b3c4; changed since main@1a2b3c4] [Reconcile now]
        apps/release.yaml:1 [staging: not applied yet]
    "#]]
    .assert_eq(&draw_lenses(&mut world));
    world.edit("clusters/staging/apps.yaml", &before.replace("interval: 1h", "interval: 1h # the same"));
    expect![[r#"
        clusters/staging/apps.yaml:1 [✓ staging: live main@1a2b3c4] [Reconcile now]
        apps/release.yaml:1 [staging: not applied yet]
    "#]]
    .assert_eq(&draw_lenses(&mut world));
}

#[test]
fn of_what_may_not_be_read_who_applies_it() {
    let mine = "{kind: GitRepository, name: fleet, ns: web, url: https://git.example/fleet, at: main@1a2b3c4}\n{kind: Kustomization, name: mine, ns: web, source: GitRepository/fleet, path: ./mine, at: main@1a2b3c4}\n";
    let release = |spec: &str| {
        format!(
            "{{kind: HelmRelease, name: web, ns: web, at: 1.0.0, spec: {{chartRef: {{kind: OCIRepository, name: {spec}}}, interval: 1h}}, labels: {{kustomize.toolkit.fluxcd.io/name: apps, kustomize.toolkit.fluxcd.io/namespace: flux-system}}}}\n"
        )
    };
    check_lenses(
        &format!("{REPO}//- cluster staging only=web\n{mine}{}", release("web")),
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: no permission to list kustomizations.kustomize.toolkit.fluxcd.io in all namespaces]
        apps/release.yaml:1 [staging: applied 1.0.0; matches this text; flux-system/apps: no permission]
    "#]],
    );
    check_lenses(
        &format!("{REPO}//- cluster staging only=web\n{mine}{}", release("other")),
        expect![[r#"
        clusters/staging/apps.yaml:1 [staging: no permission to list kustomizations.kustomize.toolkit.fluxcd.io in all namespaces]
        apps/release.yaml:1 [staging: applied 1.0.0; the live spec differs; flux-system/apps: no permission]
    "#]],
    );
    // Who may be read and does not exist is no excuse.
    check_lenses(
        &format!("{REPO}//- cluster staging\n{mine}{}", release("web")),
        expect![[r#"
        clusters/staging/apps.yaml:1 [Flux: not applied by staging]
        apps/release.yaml:1 [staging: applied 1.0.0 (same name only)]
    "#]],
    );
}
