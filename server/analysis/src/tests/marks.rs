use expect_test::{Expect, expect};

use super::drawing::{check_marks, draw_marks};
use super::fixture::World;
use super::lenses::{REPO, ROOT};

const NOT_FOUND: &str = "failed: [ArtifactFailed, 'kustomization path not found: stat /tmp/kustomization-1/apps: no such file or directory', main@1a2b3c4]";

fn check(words: &str, apps: &str, more: &str, expected: Expect) {
    let apps = format!(
        "{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, {apps}}}"
    );
    check_marks(&format!("{REPO}//- cluster {words}\n{ROOT}{apps}\n{more}"), expected);
}

#[test]
fn at_the_objects_own_field() {
    check(
        "staging",
        NOT_FOUND,
        "",
        expect![[r#"
        clusters/staging/apps.yaml:8
            path: ./apps
                  ^^^^^^ error ArtifactFailed: staging: kustomization path not found: stat apps: no such file or directory
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed (ArtifactFailed)
    "#]],
    );
    check(
        "staging",
        "failed: [BuildFailed, 'kustomize build failed: broken', main@1a2b3c4]",
        "",
        expect![[r#"
        clusters/staging/apps.yaml:8
            path: ./apps
                  ^^^^^^ error BuildFailed: staging: kustomize build failed: broken
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed main@1a2b3c4
    "#]],
    );
    check(
        "staging",
        "at: main@1a2b3c4, failed: [HealthCheckFailed, 'health check failed after 30s: timeout waiting for: [Deployment/web/web status: ''InProgress'']', main@1a2b3c4]",
        "",
        expect![[r#"
            clusters/staging/apps.yaml:4
                name: apps
                      ^^^^ error HealthCheckFailed: staging: applied main@1a2b3c4, unhealthy: health check failed after 30s: timeout waiting for: [Deployment/web/web status: 'InProgress']
              see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: applied main@1a2b3c4, unhealthy
        "#]],
    );
}

#[test]
fn at_the_name_of_a_variable_that_cannot_be_one() {
    let repo =
        REPO.replace("  path: ./apps\n", "  path: ./apps\n  postBuild:\n    substitute:\n      my-var: b\n");
    let apps = "{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, spec: {postBuild: {substitute: {my-var: b}}}, failed: [BuildFailed, \"post build failed for 'ConfigMap.v1.[noGrp]/web': envsubst error: 'my-var' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'\", main@1a2b3c4]}";
    check_marks(
        &format!("{repo}//- cluster staging\n{ROOT}{apps}\n"),
        expect![[r#"
        clusters/staging/apps.yaml:11
                my-var: b
                ^^^^^^ error BuildFailed: staging: post build failed for 'ConfigMap.v1.[noGrp]/web': envsubst error: 'my-var' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed main@1a2b3c4
    "#]],
    );
}

#[test]
fn not_for_what_is_well_suspended_or_under_way() {
    check("staging", "at: main@1a2b3c4", "", expect![""]);
    check("staging", &format!("suspend: true, {NOT_FOUND}"), "", expect![""]);
    check("staging", "pending: true", "", expect![""]);
    check(
        "staging",
        "to: main@9f8e7d6, progress: Building manifests for revision REV with a timeout of 5m0s",
        "",
        expect![""],
    );
}

#[test]
fn weaker_when_not_live() {
    check(
        "staging last-seen",
        NOT_FOUND,
        "",
        expect![[r#"
        clusters/staging/apps.yaml:8
            path: ./apps
                  ^^^^^^ warning ArtifactFailed: as of Mon 14:02, staging: kustomization path not found: stat apps: no such file or directory
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed (ArtifactFailed)
    "#]],
    );
    check(
        "staging checking",
        NOT_FOUND,
        "",
        expect![[r#"
        clusters/staging/apps.yaml:8
            path: ./apps
                  ^^^^^^ warning ArtifactFailed: as of Mon 14:02, staging: kustomization path not found: stat apps: no such file or directory
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed (ArtifactFailed)
    "#]],
    );
    // A recording is no doubt.
    check(
        "staging recorded",
        NOT_FOUND,
        "",
        expect![[r#"
        clusters/staging/apps.yaml:8
            path: ./apps
                  ^^^^^^ error ArtifactFailed: as recorded 2026-11-22 05:07, staging: kustomization path not found: stat apps: no such file or directory
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed (ArtifactFailed)
    "#]],
    );
}

#[test]
fn weaker_for_another_text() {
    let apps = format!(
        "{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, {NOT_FOUND}}}\n"
    );
    let mut world =
        World::new(&format!("{REPO}//- cluster staging\n{ROOT}{apps}//- settings\npushed=1a2b3c4\n"));
    let before = world.files[0].1.clone();
    expect![[r#"
        clusters/staging/apps.yaml:8
            path: ./apps
                  ^^^^^^ error ArtifactFailed: staging: kustomization path not found: stat apps: no such file or directory
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed (ArtifactFailed)
    "#]].assert_eq(&draw_marks(&mut world));
    world.edit("clusters/staging/apps.yaml", &before.replace("./apps", "./app"));
    expect![[r#"
        clusters/staging/apps.yaml:8
            path: ./app
                  ^^^^^ warning ArtifactFailed: staging: failed; changed since, not pushed: kustomization path not found: stat apps: no such file or directory
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed (ArtifactFailed)
    "#]].assert_eq(&draw_marks(&mut world));
    world.edit("clusters/staging/apps.yaml", &before.replace("spec:", "# why\nspec:"));
    expect![[r#"
        clusters/staging/apps.yaml:9
            path: ./apps
                  ^^^^^^ error ArtifactFailed: staging: kustomization path not found: stat apps: no such file or directory
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed (ArtifactFailed)
    "#]].assert_eq(&draw_marks(&mut world));
}

#[test]
fn what_failed_is_told_from_what_is_red() {
    const QUOTA: &str = "failed: [ReconciliationFailed, 'ConfigMap/shop/more dry-run failed (Forbidden): configmaps \"more\" is forbidden: exceeded quota: few, requested: configmaps=1, used: configmaps=2, limited: configmaps=2', main@1a2b3c4]";
    let failed = |how: &str, git: &str| {
        let apps = format!(
            "{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, {how}}}\n"
        );
        let mut world = World::new(&format!("{REPO}{git}//- cluster staging\n{ROOT}{apps}"));
        let path = world.files[0].0.clone();
        let report = world.ask(|inputs| crate::analyse(inputs, &path));
        let told = report.findings.iter().map(|it| format!("{} {}", it.severity.as_str(), it.failed));
        told.collect::<Vec<_>>().join(", ")
    };
    // No text mends it, and nothing of it came in.
    assert_eq!(failed(QUOTA, ""), "warning true");
    assert_eq!(failed(NOT_FOUND, ""), "error true");
    // Another text failed.
    assert_eq!(failed(NOT_FOUND, "//- then 1a2b3c4 clusters/staging/apps.yaml\nabsent\n"), "warning false");
}

#[test]
fn not_for_a_revision_of_another_text() {
    check(
        "staging",
        NOT_FOUND,
        "//- then 1a2b3c4 clusters/staging/apps.yaml\nabsent\n",
        expect![[r#"
        clusters/staging/apps.yaml:8
            path: ./apps
                  ^^^^^^ warning ArtifactFailed: staging: failed; changed since: kustomization path not found: stat apps: no such file or directory
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed (ArtifactFailed)
    "#]],
    );
}

#[test]
fn what_waits_is_not_marked_twice() {
    let base = "
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: base, namespace: flux-system}
spec:
  path: ./nowhere
  sourceRef: {kind: GitRepository, name: fleet}
";
    let live = "{kind: Kustomization, name: base, source: GitRepository/fleet, path: ./nowhere, failed: [ArtifactFailed, 'kustomization path not found: stat /tmp/kustomization-1/nowhere: no such file or directory', main@1a2b3c4]}\n";
    let waits =
        "dependsOn: [base], failed: [DependencyNotReady, \"dependency 'flux-system/base' is not ready\"]";
    let repo = REPO.replace("//- apps/kustomization.yaml", &format!("---{base}//- apps/kustomization.yaml"));
    let repo = repo.replace("    name: fleet\n---", "    name: fleet\n  dependsOn:\n    - name: base\n---");
    let root = ROOT.replace(
        "Kustomization/flux-system/apps",
        "Kustomization/flux-system/apps, Kustomization/flux-system/base",
    );
    let apps = format!(
        "{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, {waits}}}\n"
    );
    check_marks(
        &format!("{repo}//- cluster staging\n{root}{apps}{live}"),
        expect![[r#"
            clusters/staging/apps.yaml:19
                path: ./nowhere
                      ^^^^^^^^^ error ArtifactFailed: staging: kustomization path not found: stat nowhere: no such file or directory
              see clusters/staging/apps.yaml:13 Kustomization/flux-system/apps waits for this
        "#]],
    );
    // The cause is in no file here: marked at the reference, once.
    let repo = REPO.replace("    name: fleet\n//-", "    name: fleet\n  dependsOn:\n    - name: base\n//-");
    check_marks(
        &format!("{repo}//- cluster staging\n{ROOT}{apps}{live}"),
        expect![[r#"
            clusters/staging/apps.yaml:13
                  - name: base
                          ^^^^ error ArtifactFailed: staging: waits for Kustomization/flux-system/base: kustomization path not found: stat nowhere: no such file or directory
              see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: blocked by Kustomization/flux-system/base
        "#]],
    );
    // It does not exist at all.
    check_marks(
        &format!("{repo}//- cluster staging\n{ROOT}{}", apps.replace("is not ready", "not found")),
        expect![[r#"
            clusters/staging/apps.yaml:13
                  - name: base
                          ^^^^ error DependencyNotReady: staging: waits for Kustomization/flux-system/base, which does not exist
              see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: blocked by Kustomization/flux-system/base, not there
        "#]],
    );
}

#[test]
fn a_source_that_cannot_be_fetched() {
    let root = ROOT.replacen("at: main@1a2b3c4", "at: main@1a2b3c4, failed: [GitOperationFailed, \"failed to checkout and determine revision: unable to clone 'https://git.example/fleet': authentication required\"]", 1);
    let apps = "{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, at: main@1a2b3c4}\n";
    check_marks(
        &format!("{REPO}//- cluster staging\n{root}{apps}"),
        expect![[r#"
        clusters/staging/apps.yaml:11
              name: fleet
                    ^^^^^ warning GitOperationFailed: staging: GitRepository/flux-system/fleet cannot be fetched: failed to checkout and determine revision: unable to clone 'https://git.example/fleet': authentication required
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: applied main@1a2b3c4, GitRepository/flux-system/fleet cannot be fetched
    "#]],
    );
}

#[test]
fn one_mark_for_all_clusters_with_the_same_cause() {
    let apps = |more: &str| {
        format!(
            "{ROOT}{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, {more}}}\n"
        )
    };
    let slower = "failed: [HealthCheckFailed, 'health check failed after 31s: timeout waiting for: [x]', main@1a2b3c4]";
    let slow = "failed: [HealthCheckFailed, 'health check failed after 30s: timeout waiting for: [x]', main@1a2b3c4]";
    check_marks(
        &format!(
            "{REPO}//- cluster eu last-seen\n{}//- cluster us\n{}//- cluster asia\n{}",
            apps(slow),
            apps(slower),
            apps(NOT_FOUND)
        ),
        expect![[r#"
            clusters/staging/apps.yaml:4
                name: apps
                      ^^^^ error HealthCheckFailed: us and 1 more: applied main@1a2b3c4, unhealthy: health check failed after 31s: timeout waiting for: [x]
              see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: applied main@1a2b3c4, unhealthy
            clusters/staging/apps.yaml:8
                path: ./apps
                      ^^^^^^ error ArtifactFailed: asia: kustomization path not found: stat apps: no such file or directory
              see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed (ArtifactFailed)
        "#]],
    );
}

#[test]
fn never_for_a_guess() {
    // The cluster applies something of this repository, and has an object of this name that nobody is known to apply.
    let root = ROOT.replace("clusters/staging", "elsewhere").replace("Kustomization/flux-system/apps", "");
    let apps = format!(
        "{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, {NOT_FOUND}}}\n"
    );
    check_marks(&format!("{REPO}//- cluster staging\n{root}{apps}"), expect![""]);
}

#[test]
fn not_stronger_than_the_setting() {
    check(
        "staging",
        NOT_FOUND,
        "//- settings\nseverity\n",
        expect![[r#"
        clusters/staging/apps.yaml:8
            path: ./apps
                  ^^^^^^ warning ArtifactFailed: staging: kustomization path not found: stat apps: no such file or directory
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed (ArtifactFailed)
    "#]],
    );
}

#[test]
fn a_message_cannot_hide_in_a_mark() {
    check(
        "staging",
        r#"failed: [BuildFailed, "\e[31mred\e[0m first line\nsecond line \u202eturned", main@1a2b3c4]"#,
        "",
        expect![[r#"
            clusters/staging/apps.yaml:4
                name: apps
                      ^^^^ error BuildFailed: staging: red first line
              see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: failed main@1a2b3c4
        "#]],
    );
}

#[test]
fn what_no_file_holds_is_marked_where_it_comes_from() {
    let release =
        "{kind: HelmRelease, name: far, ns: web, failed: [UpgradeFailed, 'Helm upgrade failed: no', 1.0.0]}";
    let apps = "holds: [HelmRelease/web/far], at: main@1a2b3c4";
    check(
        "staging",
        apps,
        release,
        expect![[r#"
        clusters/staging/apps.yaml:8
            path: ./apps
                  ^^^^^^ error UpgradeFailed: staging: HelmRelease/web/far, which this applies: Helm upgrade failed: no
          see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: applied main@1a2b3c4
    "#]],
    );
    // Through an object that no file holds either.
    let between = "{kind: Kustomization, name: between, source: GitRepository/fleet, path: ./x, at: main@1a2b3c4, holds: [HelmRelease/web/far]}\n";
    check(
        "staging",
        "holds: [Kustomization/flux-system/between], at: main@1a2b3c4",
        &format!("{between}{release}"),
        expect![[r#"
            clusters/staging/apps.yaml:8
                path: ./apps
                      ^^^^^^ error UpgradeFailed: staging: HelmRelease/web/far, which this applies: Helm upgrade failed: no
              see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: applied main@1a2b3c4
        "#]],
    );
    // Once: what waits for it has the mark already.
    check(
        "staging",
        "failed: [DependencyNotReady, \"dependency 'flux-system/base' is not ready\"], dependsOn: [base], holds: [Kustomization/flux-system/base]",
        "{kind: Kustomization, name: base, source: GitRepository/fleet, path: ./base, failed: [BuildFailed, broken, main@1a2b3c4]}",
        expect![[r#"
            clusters/staging/apps.yaml:4
                name: apps
                      ^^^^ error BuildFailed: staging: waits for Kustomization/flux-system/base: broken
              see clusters/staging/apps.yaml:4 Kustomization/flux-system/apps: blocked by Kustomization/flux-system/base
        "#]],
    );
}

#[test]
fn what_nothing_here_leads_to_is_said_without_a_place() {
    let mut world = World::new(&format!(
        "{REPO}//- cluster staging\n{}\n{{kind: Kustomization, name: typed, source: GitRepository/fleet, path: ./typed, failed: [BuildFailed, broken, main@1a2b3c4]}}\n{{kind: Kustomization, name: theirs, source: GitRepository/theirs, path: ./typed, failed: [BuildFailed, broken, main@1a2b3c4]}}\n{{kind: GitRepository, name: theirs, url: https://git.example/theirs, at: main@1a2b3c4}}\n",
        ROOT.trim_end()
    ));
    expect!["staging: Kustomization/flux-system/typed is failed, and no file here holds it: broken"]
        .assert_eq(&world.ask(crate::unplaced).join("\n"));
}

#[test]
fn a_source_that_never_worked_is_an_error() {
    let source = |at: &str| {
        let repository = "//- clusters/staging/source.yaml\napiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: other, namespace: flux-system}\nspec: {interval: 1m, url: https://git.example/other}\n";
        let cluster = "//- cluster staging\n{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4}\n{kind: Kustomization, name: root, source: GitRepository/fleet, path: clusters/staging, at: main@1a2b3c4, holds: [GitRepository/flux-system/other]}\n";
        format!(
            "{repository}{cluster}{{kind: GitRepository, name: other, url: https://git.example/other, interval: 1m{at}, failed: [GitOperationFailed, 'failed to checkout and determine revision: unable to clone: dial tcp: lookup git.example: no such host']}}\n"
        )
    };
    check_marks(
        &source(""),
        expect![[r#"
        clusters/staging/source.yaml:3
          metadata: {name: other, namespace: flux-system}
                           ^^^^^ error GitOperationFailed: staging: failed to checkout and determine revision: unable to clone: dial tcp: lookup git.example: no such host
          see clusters/staging/source.yaml:3 GitRepository/flux-system/other: failed (GitOperationFailed)
    "#]],
    );
    check_marks(
        &source(", at: main@1a2b3c4"),
        expect![[r#"
        clusters/staging/source.yaml:3
          metadata: {name: other, namespace: flux-system}
                           ^^^^^ warning GitOperationFailed: staging: failed to checkout and determine revision: unable to clone: dial tcp: lookup git.example: no such host
          see clusters/staging/source.yaml:3 GitRepository/flux-system/other: failed (GitOperationFailed), serving main@1a2b3c4
    "#]],
    );
}
