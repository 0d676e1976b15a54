//! What is known of a manifest where no cluster tells: what Flux reported about what applies it.

use expect_test::{Expect, expect};

use super::drawing::{check_hover, check_lenses, hover_lines};
use super::gate::REPO;
use super::shop;

const FAILURE: &str =
    "//- reported\n9f8e7d6 kustomization/apps/0c9c2e41 failure 2026-11-22T05:57:00Z reconciliation failed\n";
const SUCCESS: &str = "//- reported\n9f8e7d6 kustomization/apps/0c9c2e41 success 2026-11-22T05:57:00Z reconciliation succeeded\n";

/// The hover at the kind of the Deployment `web`.
fn check(rest: &str, expected: Expect) {
    let repo = REPO.replacen("kind: Deployment\n", "kind: $0Deployment\n", 1);
    check_hover(&format!("{repo}{rest}"), expected);
}

fn lenses(rest: &str, expected: Expect) {
    check_lenses(&format!("{REPO}{rest}"), expected);
}

#[test]
fn a_manifest_says_what_was_reported_about_what_applies_it() {
    check(
        FAILURE,
        expect![[r#"
        apps/web.yaml:2
          kind: Deployment
                ^^^^^^^^^^
        **`Deployment/web`**

        `Flux: not connected`

        - applied by `Kustomization/flux-system/apps` in `clusters/staging/apps.yaml`, as far as the files tell
        - reported to Gitea by flux (no cluster access): reconciliation failed 3 minutes ago (2026-11-22 05:57 UTC), on `9f8e7d6` `Change web`
    "#]],
    );
    check(
        &format!("{SUCCESS}//- settings\noffer"),
        expect![[r#"
        apps/web.yaml:2
          kind: Deployment
                ^^^^^^^^^^
        **`Deployment/web`**

        `Flux: not connected`

        - applied by `Kustomization/flux-system/apps` in `clusters/staging/apps.yaml`, as far as the files tell
        - reported to Gitea by flux (no cluster access): reconciliation succeeded 3 minutes ago (2026-11-22 05:57 UTC), on `9f8e7d6` `Change web`
    "#]],
    );
    // Another text was reported on.
    check(
        &format!("//- then 9f8e7d6 apps/web.yaml\nabsent\n{FAILURE}"),
        expect![[r#"
        apps/web.yaml:2
          kind: Deployment
                ^^^^^^^^^^
        **`Deployment/web`**

        `Flux: not connected`

        - applied by `Kustomization/flux-system/apps` in `clusters/staging/apps.yaml`, as far as the files tell
        - reported to Gitea by flux (no cluster access): reconciliation failed 3 minutes ago (2026-11-22 05:57 UTC), on `9f8e7d6` `Change web`
        - that is about another text: on `9f8e7d6` this document is not as it is here
    "#]],
    );
    // Nothing was, or about another one; or nobody wants it.
    check(
        "//- reported\n9f8e7d6\n",
        expect![[r#"
        nothing
    "#]],
    );
    check(
        &FAILURE.replacen("/apps/", "/other/", 1),
        expect![[r#"
        nothing
    "#]],
    );
    check(
        &FAILURE.replacen("reported\n", "reported\noffered\n", 1),
        expect![[r#"
        nothing
    "#]],
    );
}

#[test]
fn once_a_file_and_never_with_a_tick() {
    lenses(
        FAILURE,
        expect![[r#"
        clusters/staging/apps.yaml:1 [Flux: not connected · Gitea: reconciliation failed on 9f8e7d6, Sun 05:57]
        apps/web.yaml:1 [Flux: not connected · Gitea: reconciliation failed on 9f8e7d6, Sun 05:57]
        apps/db.yaml:1 [Flux: not connected · Gitea: reconciliation failed on 9f8e7d6, Sun 05:57]
    "#]],
    );
    lenses(
        &format!("{SUCCESS}//- settings\noffer"),
        expect![[r#"
        clusters/staging/apps.yaml:1 [Flux: not connected · Gitea: reconciliation succeeded on 9f8e7d6, Sun 05:57] [Choose cluster…]
        apps/web.yaml:1 [Flux: not connected · Gitea: reconciliation succeeded on 9f8e7d6, Sun 05:57]
        apps/db.yaml:1 [Flux: not connected · Gitea: reconciliation succeeded on 9f8e7d6, Sun 05:57]
        apps/redis.yaml:1 [Flux: not connected] [Choose cluster…]
    "#]],
    );
    lenses(
        "//- reported\n9f8e7d6\n//- settings\noffer",
        expect![[r#"
        clusters/staging/apps.yaml:1 [Flux: not connected] [Choose cluster…]
        apps/redis.yaml:1 [Flux: not connected] [Choose cluster…]
    "#]],
    );
}

#[test]
fn two_clusters_with_one_name() {
    let other = REPO.split("//- apps/").next().expect("the first file").replacen("staging", "production", 1);
    check(
        &format!("{other}{FAILURE}"),
        expect![[r#"
        apps/web.yaml:2
          kind: Deployment
                ^^^^^^^^^^
        **`Deployment/web`**

        `Flux: not connected`

        - applied by `Kustomization/flux-system/apps`, as far as the files tell
        - reported to Gitea by flux (no cluster access): reconciliation failed 3 minutes ago (2026-11-22 05:57 UTC), on `9f8e7d6` `Change web`
        - 2 documents that apply it have this kind and name: which of them a report is about, Gitea does not tell
    "#]],
    );
}

/// A cluster that applies it tells more; one that does not leaves the rest to reports.
#[test]
fn beside_a_cluster() {
    let told = |cluster: &str| {
        let repo = REPO.replacen("kind: Deployment\n", "kind: $0Deployment\n", 1);
        hover_lines(&format!("{repo}//- cluster staging\n{cluster}{FAILURE}"), |it| it.contains("Gitea"))
            .trim_end()
            .to_owned()
    };
    let at = "main@9f8e7d6";
    let apps = shop::kustomization("apps", "./apps", &format!("at: {at}, holds: [Deployment/web/web]"));
    expect![[r#""#]].assert_eq(&told(&format!(
        "{}{}{apps}",
        shop::source(&format!("at: {at}")),
        shop::root(at)
    )));
    expect!["- reported to Gitea by flux in a cluster that is not connected (no cluster access): reconciliation failed 3 minutes ago (2026-11-22 05:57 UTC), on `9f8e7d6` `Change web`"].assert_eq(&told(
        "{kind: GitRepository, name: other, url: https://git.example/other, at: main@9f8e7d6}\n",
    ));
}

#[test]
fn files_that_shape_it_and_objects_of_flux_say_it_too() {
    let at = |from: &str, to: &str, expected: Expect| {
        let repo = REPO.replacen(from, to, 1);
        assert_ne!(repo, REPO);
        check_hover(&format!("{repo}{FAILURE}"), expected);
    };
    at(
        "resources: [web",
        "$0resources: [web",
        expect![[r#"
        apps/kustomization.yaml:1
          resources: [web.yaml, db.yaml, redis.yaml]
          ^^^^^^^^^
        **`apps/kustomization.yaml`**

        Built by what these files say:

        - `Kustomization/apps` in `clusters/staging/apps.yaml`, as far as the files tell
        - `Kustomization/flux-system/apps`: reported to Gitea by flux (no cluster access): reconciliation failed 3 minutes ago (2026-11-22 05:57 UTC), on `9f8e7d6` `Change web`
    "#]],
    );
    at(
        "kind: HelmRelease",
        "kind: $0HelmRelease",
        expect![[r#"
        apps/redis.yaml:2
          kind: HelmRelease
                ^^^^^^^^^^^
        Flux: not connected. Clusters are switched off here.

        - applied by `Kustomization/flux-system/apps` in `clusters/staging/apps.yaml`, as far as the files tell
        - reported to Gitea by flux (no cluster access): reconciliation failed 3 minutes ago (2026-11-22 05:57 UTC), on `9f8e7d6` `Change web`
    "#]],
    );
}
