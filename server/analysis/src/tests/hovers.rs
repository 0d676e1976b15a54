use expect_test::{Expect, expect};

use super::drawing::check_hover;
use super::fixture::World;
use super::lenses::{REPO, ROOT};
use crate::{Cause, details, explain, goto_cause, status_at, summary};
use flux::{Kind, ObjectId};

fn check(words: &str, apps: &str, mark: &str, expected: Expect) {
    let repo = REPO.replacen(mark, &mark.replacen(' ', " $0", 1), 1);
    check_hover(&format!("{repo}//- cluster {words}\n{ROOT}{apps}\n"), expected);
}

const FAILED: &str = "{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, at: main@1a2b3c4, failed: [BuildFailed, \"kustomize build failed: `code` <b>html</b> [link](command:x)\\n```\\n# heading\\n\\e[31mred\", main@9f8e7d6], holds: [HelmRelease/web/web], history: [{lastReconciledStatus: ReconciliationSucceeded, lastReconciled: '2026-11-21T10:00:00Z', totalReconciliations: 7, metadata: {revision: 'main@sha1:1a2b3c4000000000000000000000000000000000'}}]}";

#[test]
fn of_a_failed_object() {
    check(
        "prod protected",
        FAILED,
        " Kustomization\nmetadata",
        expect![[r#"
            clusters/staging/apps.yaml:2
              kind: Kustomization
                    ^^^^^^^^^^^^^
            ✗ **`Kustomization/flux-system/apps`** in `prod`: failed, tried again

            `BuildFailed`:

            ````text
            kustomize build failed: `code` <b>html</b> [link](command:x)
            ```
            # heading
            red
            ````

            - running `main@1a2b3c4` `Add web`, 2026-11-20 10:00 UTC
            - failed `main@9f8e7d6` `Change web`, 2026-11-20 10:00 UTC
            - so since 2026-11-21 20:00 UTC
            - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
            - source `GitRepository/flux-system/fleet`: fetched `main@1a2b3c4`
            - outcome `ReconciliationSucceeded` at `main@1a2b3c4` 2026-11-21 10:00 UTC, `7` times
            - applied by `Kustomization/flux-system/root`: its build reads this file, and its inventory holds the object
            - a protected cluster: every action asks first
            - cluster `prod`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
}

#[test]
fn of_a_reference() {
    check(
        "prod recorded",
        FAILED,
        " fleet",
        expect![[r#"
            clusters/staging/apps.yaml:11
                  name: fleet
                        ^^^^^
            **`GitRepository/flux-system/fleet`** in `prod`: fetched

            - fetched `main@1a2b3c4` `Add web`, 2026-11-20 10:00 UTC
            - so since 2026-11-21 20:00 UTC
            - cluster `prod`, as recorded, not live; the newest time in the recording is 2026-11-22 05:07 UTC
        "#]],
    );
}

#[test]
fn nowhere_else() {
    check(
        "prod",
        FAILED,
        " 1h",
        expect![[r#"
        nothing
    "#]],
    );
}

#[test]
fn without_rights_it_names_verb_and_resource() {
    let well = "{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, at: main@1a2b3c4}";
    check(
        "prod no-rights",
        well,
        " apps\n",
        expect![[r#"
            clusters/staging/apps.yaml:4
                name: apps
                      ^^^^
            ✓ **`Kustomization/flux-system/apps`** in `prod`: applied

            - running `main@1a2b3c4` `Add web`, 2026-11-20 10:00 UTC
            - so since 2026-11-21 20:00 UTC
            - health is not checked
            - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
            - source `GitRepository/flux-system/fleet`: fetched `main@1a2b3c4`
            - applied by `Kustomization/flux-system/root`: its build reads this file, and its inventory holds the object
            - no permission to patch kustomizations.kustomize.toolkit.fluxcd.io in `flux-system`: reconcile, suspend and resume are not offered
            - cluster `prod`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
}

#[test]
fn of_what_cannot_be_read() {
    check(
        "prod forbidden=Kustomization",
        "",
        " apps\n",
        expect![[r#"
            clusters/staging/apps.yaml:4
                name: apps
                      ^^^^
            **`Kustomization/flux-system/apps`** in `prod`

            cannot be read: no permission to `list` `kustomizations.kustomize.toolkit.fluxcd.io`

            - applied by `Kustomization/flux-system/root`: its build reads this file, and its inventory holds the object
            - cluster `prod`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
}

#[test]
fn not_connected() {
    let repo = REPO.replacen(" apps\n", " $0apps\n", 1);
    check_hover(
        &format!("{repo}//- settings\noffer\n"),
        expect![[r#"
        clusters/staging/apps.yaml:4
            name: apps
                  ^^^^
        `Flux: not connected`
    "#]],
    );
    check_hover(
        &format!("{repo}//- cluster staging unreachable\n"),
        expect![[r#"
        clusters/staging/apps.yaml:4
            name: apps
                  ^^^^
        `staging: unreachable`

        - `staging`: `no route to 10.0.0.1`
    "#]],
    );
    check_hover(
        &format!("{repo}//- cluster staging never-signed-in\n"),
        expect![[r#"
        clusters/staging/apps.yaml:4
            name: apps
                  ^^^^
        `staging: not signed in`

        - `staging`: `the login expired`
    "#]],
    );
}

#[test]
fn a_long_message_is_bounded() {
    let long = "x".repeat(32 * 1024);
    let apps = format!(
        "{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, failed: [BuildFailed, {long}, main@9f8e7d6]}}"
    );
    let mut world = World::new(&format!("{REPO}//- cluster prod\n{ROOT}{apps}\n"));
    let path = world.files[0].0.clone();
    let offset = u32::try_from(world.files[0].1.find("apps").expect("the name")).expect("small").into();
    let hover = world.ask(|inputs| crate::hover(inputs, &path, offset)).expect("a hover");
    assert!(hover.markdown.len() < 10 * 1024, "{}", hover.markdown.len());
    assert!(hover.markdown.contains("KiB more"));
}

#[test]
fn the_same_as_text() {
    let mut world = World::new(&format!("{REPO}//- cluster prod\n{ROOT}{FAILED}\n"));
    let path = world.files[0].0.clone();
    expect![[r#"
        ✗ prod: failed main@9f8e7d6, running main@1a2b3c4
          error BuildFailed: prod: kustomize build failed: `code` <b>html</b> [link](command:x)

        ✗ Kustomization/flux-system/apps in prod: failed, tried again
          BuildFailed:
          | kustomize build failed: `code` <b>html</b> [link](command:x)
          | ```
          | # heading
          | red
          - running main@1a2b3c4 Add web, 2026-11-20 10:00 UTC
          - failed main@9f8e7d6 Change web, 2026-11-20 10:00 UTC
          - so since 2026-11-21 20:00 UTC
          - this text: saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked
          - source GitRepository/flux-system/fleet: fetched main@1a2b3c4
          - outcome ReconciliationSucceeded at main@1a2b3c4 2026-11-21 10:00 UTC, 7 times
          - applied by Kustomization/flux-system/root: its build reads this file, and its inventory holds the object
          - cluster prod, read 2026-11-22 06:00 UTC, live
    "#]].assert_eq(&world.ask(|inputs| explain(inputs, &path, None)));
    // Files without Flux objects say what reads them.
    let other = manifests::RepoPath::new("apps/deploy.yaml").expect("a path");
    expect![[r#"
        **`apps/deploy.yaml`**

        No Flux object in this file.

        `prod`: no Kustomization is known to read this file.

        - cluster `prod`, read 2026-11-22 06:00 UTC, live"#]]
    .assert_eq(&world.ask(|inputs| status_at(inputs, &other, None)));
}

#[test]
fn the_way_to_the_cause() {
    let apps = "{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, dependsOn: [base], failed: [DependencyNotReady, \"dependency 'flux-system/base' is not ready\"]}";
    let base = "{kind: Kustomization, name: base, source: GitRepository/fleet, path: ./base, failed: [BuildFailed, broken, main@1a2b3c4]}";
    let mut world = World::new(&format!("{REPO}//- cluster prod\n{ROOT}{apps}\n{base}\n"));
    let object = ObjectId::flux(Kind::Kustomization, "flux-system", "apps");
    let cause = world.ask(|inputs| goto_cause(inputs, "prod", &object)).expect("a cause");
    let Cause::Object { markdown, .. } = cause else { panic!("{cause:?}") };
    expect![[r#"
        ✗ **`Kustomization/flux-system/base`** in `prod`: failed, tried again

        `BuildFailed`:

        ```text
        broken
        ```

        - failed `main@1a2b3c4` `Add web`, 2026-11-20 10:00 UTC
        - so since 2026-11-21 20:00 UTC
        - source `GitRepository/flux-system/fleet`: fetched `main@1a2b3c4`
        - cluster `prod`, read 2026-11-22 06:00 UTC, live"#]]
    .assert_eq(&markdown);
    assert!(world.ask(|inputs| goto_cause(inputs, "elsewhere", &object)).is_none());
    let release = ObjectId::flux(Kind::HelmRelease, "web", "web");
    expect![[r#"
        **`HelmRelease/web/web`** in `prod`

        does not exist in the cluster

        - cluster `prod`, read 2026-11-22 06:00 UTC, live"#]]
    .assert_eq(&world.ask(|inputs| details(inputs, "prod", &release)).unwrap_or_default());
}

#[test]
fn counts() {
    let check = |clusters: &str, expected: Expect| {
        let mut world = World::new(&format!("{REPO}{clusters}"));
        let summary = world.ask(summary);
        expected.assert_eq(&format!("{}\n{}\n{:?}\n", summary.text, summary.tooltip, summary.mood));
    };
    check(
        "//- settings\noffer\n",
        expect![[r#"
        Flux: not connected

        None
    "#]],
    );
    check(
        &format!("//- cluster staging\n{ROOT}"),
        expect![[r#"
        ✓ staging
        staging: 2 ready
        Ok
    "#]],
    );
    // A sign says that all is well: not of what is suspended or waits.
    check(
        &format!(
            "//- cluster staging\n{ROOT}{{kind: Kustomization, name: apps, source: GitRepository/flux-system, path: ./apps, suspend: true, at: main@1a2b3c4}}\n"
        ),
        expect![[r#"
            staging 1 suspended
            staging: 1 suspended, 2 ready
            Ok
        "#]],
    );
    check(
        &format!("//- cluster staging\n{ROOT}//- cluster prod\n{ROOT}{FAILED}\n"),
        expect![[r#"
        ✓ staging · ✗ prod 1
        staging: 2 ready
        prod: 1 failed, 2 ready
        Error
    "#]],
    );
    check(
        &format!(
            "//- cluster staging last-seen\n{ROOT}//- cluster prod recorded\n{ROOT}{FAILED}\n//- cluster dev unreachable\n"
        ),
        expect![[r#"
            staging last seen · ✗ prod 1 · dev unreachable
            staging: 2 ready, last seen Mon 14:02
            prod: 1 failed, 2 ready, as recorded 2026-11-22 05:07
            dev: unreachable
            Error
        "#]],
    );
}

#[test]
fn who_builds_a_kustomization_file() {
    let path = manifests::RepoPath::new("apps/kustomization.yaml").expect("a path");
    let says = |clusters: &str, expected: Expect| {
        let mut world = World::new(&format!("{REPO}{clusters}"));
        expected.assert_eq(&world.ask(|inputs| explain(inputs, &path, None)));
    };
    let apps =
        "{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, at: main@1a2b3c4}";
    says(
        "",
        expect![[r#"
        apps/kustomization.yaml
          Built by what these files say:
          - Kustomization/apps in clusters/staging/apps.yaml, as far as the files tell
    "#]],
    );
    says(
        &format!("//- cluster staging\n{ROOT}{apps}\n"),
        expect![[r#"
        apps/kustomization.yaml
          Built by one Flux Kustomization:
          - staging: Kustomization/flux-system/apps: applied main@1a2b3c4
    "#]],
    );
    says(
        &format!(
            "//- cluster staging\n{ROOT}{apps}\n//- cluster prod recorded\n{ROOT}{FAILED}\n//- cluster dev\n{ROOT}"
        ),
        expect![[r#"
            apps/kustomization.yaml
              Built by 2 Flux Kustomizations in 2 clusters:
              - staging: Kustomization/flux-system/apps: applied main@1a2b3c4
              - prod: Kustomization/flux-system/apps: failed main@9f8e7d6, running main@1a2b3c4, as recorded 2026-11-22 05:07
              dev: no Kustomization is known to read this file.
              - cluster dev, read 2026-11-22 06:00 UTC, live
        "#]],
    );
    // The file of another folder: nobody.
    says(
        &format!(
            "//- other/kustomization.yaml\nresources: []\n//- cluster dev forbidden=GitRepository\n{}",
            ROOT.lines().nth(1).expect("a line")
        ),
        expect![[r#"
            apps/kustomization.yaml
              Built by what these files say:
              - Kustomization/apps in clusters/staging/apps.yaml, as far as the files tell
              dev: cannot be told which Kustomizations read this file: no permission to list gitrepositories.source.toolkit.fluxcd.io
              - dev: what Kustomization/flux-system/root applies cannot be told: no permission to list gitrepositories.source.toolkit.fluxcd.io
              - cluster dev, read 2026-11-22 06:00 UTC, live
        "#]],
    );
}

#[test]
fn of_a_kustomization_file() {
    check_hover(
        &format!("{}//- cluster staging\n{ROOT}", REPO.replace("resources: [rel", "res$0ources: [rel")),
        expect![[r#"
            apps/kustomization.yaml:1
              resources: [release.yaml]
              ^^^^^^^^^
            **`apps/kustomization.yaml`**

            Built by what these files say:

            - `Kustomization/apps` in `clusters/staging/apps.yaml`, as far as the files tell

            `staging`: no Kustomization is known to read this file.

            - cluster `staging`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
    check_hover(
        &format!("{}//- cluster staging\n{ROOT}", REPO.replace("[release.yaml", "[rel$0ease.yaml")),
        expect![[r#"
            nothing
        "#]],
    );
}

#[test]
fn of_a_suspended_object() {
    check(
        "prod",
        "{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, at: main@1a2b3c4, suspend: kubectl-edit, generation: 2}",
        " Kustomization\nmetadata",
        expect![[r#"
            clusters/staging/apps.yaml:2
              kind: Kustomization
                    ^^^^^^^^^^^^^
            **`Kustomization/flux-system/apps`** in `prod`: suspended; before that: applied

            - running `main@1a2b3c4` `Add web`, 2026-11-20 10:00 UTC
            - that was so since 2026-11-21 20:00 UTC
            - suspended by `kubectl-edit`, 2026-11-21 21:00 UTC at the latest
            - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
            - source `GitRepository/flux-system/fleet`: fetched `main@1a2b3c4`
            - applied by `Kustomization/flux-system/root`: its build reads this file, and its inventory holds the object
            - cluster `prod`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
}

#[test]
fn what_sources_that_cannot_be_read_hide() {
    let apps = |name: &str| {
        format!("{{kind: Kustomization, name: {name}, source: GitRepository/gone, path: ./x}}\n")
    };
    let mut world = World::new(&format!(
        "{REPO}//- cluster prod forbidden=GitRepository\n{}{}{{kind: Kustomization, name: c, source: OCIRepository/none, path: ./x}}\n",
        apps("a"),
        apps("b")
    ));
    let path = world.files[0].0.clone();
    expect![[r#"
        clusters/staging/apps.yaml
          prod: no permission to list gitrepositories.source.toolkit.fluxcd.io
          - prod: what 2 Kustomizations apply cannot be told: no permission to list gitrepositories.source.toolkit.fluxcd.io
          - prod: what Kustomization/flux-system/c applies cannot be told: its source OCIRepository/flux-system/none does not exist
    "#]].assert_eq(&world.ask(|inputs| explain(inputs, &path, None)));
    let other = manifests::RepoPath::new("apps/deploy.yaml").expect("a path");
    expect![[r#"
        apps/deploy.yaml
          No Flux object in this file.
          prod: cannot be told which Kustomizations read this file: no permission to list gitrepositories.source.toolkit.fluxcd.io
          - prod: what 2 Kustomizations apply cannot be told: no permission to list gitrepositories.source.toolkit.fluxcd.io
          - prod: what Kustomization/flux-system/c applies cannot be told: its source OCIRepository/flux-system/none does not exist
          - cluster prod, read 2026-11-22 06:00 UTC, live
    "#]].assert_eq(&world.ask(|inputs| explain(inputs, &other, None)));
}

#[test]
fn of_an_image_that_automation_writes() {
    let fixture = "\
//- apps/kustomization.yaml
resources: [web.yaml]
//- apps/web.yaml
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: web
      image: shop.example/web:1.2.$03 # {\"$imagepolicy\": \"flux-system:web\"}
//- cluster staging
{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4}
{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, at: main@1a2b3c4}
{kind: ImagePolicy, name: web, status: {latestRef: {name: shop.example/web, tag: 1.2.4}}}
";
    check_hover(
        fixture,
        expect![[r#"
        apps/web.yaml:8
                image: shop.example/web:1.2.3 # {"$imagepolicy": "flux-system:web"}
                       ^^^^^^^^^^^^^^^^^^^^^^
        `ImagePolicy/flux-system/web` in `staging` selects `shop.example/web:1.2.4`; here stands `shop.example/web:1.2.3`

        - cluster `staging`, read 2026-11-22 06:00 UTC, live
    "#]],
    );
}

/// What comes from a bucket is known by a digest: no commit, so nothing is called live or behind for its content.
#[test]
fn what_a_bucket_tells() {
    let digest = "sha256:53d5ce2e7902c6f23be61651bc83e10c559f872174b4b9b3c027bf0bcc5584b3";
    let bucket = format!("{{kind: Bucket, name: fleet, at: '{digest}'}}\n");
    let apps = format!(
        "{{kind: Kustomization, name: apps, source: Bucket/fleet, path: ./apps, interval: 1h, at: '{digest}'}}\n"
    );
    let text = REPO.replacen("kind: GitRepository", "kind: Bucket", 1);
    let all = format!("{text}//- cluster staging\n{ROOT}{bucket}{apps}");
    super::drawing::check_lenses(
        &all,
        expect![[r#"
            clusters/staging/apps.yaml:1 [✓ staging: applied sha256:53d5ce2] [Reconcile now]
            apps/release.yaml:1 [Flux: not applied by staging, as far as can be told]
        "#]],
    );
    check_hover(
        &all.replacen("name: apps\n", "name: $0apps\n", 1),
        expect![[r#"
        clusters/staging/apps.yaml:4
            name: apps
                  ^^^^
        ✓ **`Kustomization/flux-system/apps`** in `staging`: applied

        - running `sha256:53d5ce2`; which commit it was made from is not written down
        - so since 2026-11-21 20:00 UTC
        - health is not checked
        - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
        - source `Bucket/flux-system/fleet`: fetched `sha256:53d5ce2`
        - applied by `Kustomization/flux-system/root`: its build reads this file, and its inventory holds the object
        - cluster `staging`, read 2026-11-22 06:00 UTC, live
    "#]],
    );
    let mut world = super::fixture::World::new(&all);
    let fleet = flux::ObjectId::flux(flux::Kind::Bucket, "flux-system", "fleet");
    let details = world.ask(|inputs| crate::details(inputs, "staging", &fleet)).expect("a cluster");
    expect![[r#"
        **`Bucket/flux-system/fleet`** in `staging`: fetched

        - fetched `sha256:53d5ce2`, stored 2026-11-21 20:00 UTC; which commit it was made from is not written down
        - so since 2026-11-21 20:00 UTC
        - cluster `staging`, read 2026-11-22 06:00 UTC, live"#]].assert_eq(&details);
}
