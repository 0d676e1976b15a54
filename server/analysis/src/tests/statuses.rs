use expect_test::{Expect, expect};

use super::drawing::{check_actions, check_hover, check_lenses, hover_lines};
use super::lenses::{REPO, ROOT};

const SUCCESS: &str =
    "1a2b3c4 kustomization/apps/0c9c2e41 success 2026-11-22T05:57:00Z reconciliation succeeded\n";
const FAILURE: &str =
    "1a2b3c4 kustomization/apps/0c9c2e41 failure 2026-11-22T05:57:00Z health check failed\n";
/// The cluster that posts: its Provider's uid is in the context.
const PROVIDER: &str = "{kind: Provider, name: gitea, uid: 0c9c2e41-1b1b-4c4c-8d8d-000000000000}\n";
const WELL: &str = "{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, at: main@1a2b3c4}\n";
const FAILED: &str = "{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, at: main@1a2b3c4, failed: [BuildFailed, 'kustomize build failed', main@1a2b3c4]}\n";

/// The hover at the name of the Kustomization `apps`, but for the lines that are not about reports.
fn check(rest: &str, expected: Expect) {
    let repo = REPO.replacen("name: apps\n", "name: $0apps\n", 1);
    check_hover(&format!("{repo}{rest}"), expected);
}

fn lenses(rest: &str, expected: Expect) {
    check_lenses(&format!("{REPO}{rest}"), expected);
}

#[test]
fn without_a_cluster_it_says_what_was_reported_and_that_it_is_no_more_than_that() {
    check(
        &format!("//- reported\n{FAILURE}"),
        expect![[r#"
        clusters/staging/apps.yaml:4
            name: apps
                  ^^^^
        Flux: not connected. Clusters are switched off here.

        - reported to Gitea by flux (no cluster access): health check failed 3 minutes ago (2026-11-22 05:57 UTC), on `1a2b3c4` `Add web`
    "#]],
    );
    lenses(
        &format!("//- reported\n{FAILURE}//- settings\noffer\n"),
        expect![[r#"
        clusters/staging/apps.yaml:1 [Flux: not connected · Gitea: health check failed on 1a2b3c4, Sun 05:57] [Choose cluster…]
        apps/release.yaml:1 [Flux: not connected] [Choose cluster…]
    "#]],
    );
    lenses(
        &format!("//- reported\n{SUCCESS}//- settings\noffer ascii\n"),
        expect![[r#"
        clusters/staging/apps.yaml:1 [Flux: not connected - Gitea: reconciliation succeeded on 1a2b3c4, Sun 05:57] [Choose cluster...]
        apps/release.yaml:1 [Flux: not connected] [Choose cluster...]
    "#]],
    );
    // Clusters are switched off: the first words stay, there is nothing to choose.
    lenses(
        &format!("//- reported\n{SUCCESS}"),
        expect![[r#"
        clusters/staging/apps.yaml:1 [Flux: not connected · Gitea: reconciliation succeeded on 1a2b3c4, Sun 05:57]
    "#]],
    );
}

#[test]
fn of_each_context_the_newest() {
    let two = "\
6c6c6c6 kustomization/apps/0c9c2e41 failure 2026-11-19T05:59:30Z prune failed
9f8e7d6 kustomization/apps/0c9c2e41 success 2026-11-22T05:59:30Z reconciliation succeeded
1a2b3c4 kustomization/apps/0c9c2e41 failure 2026-11-20T05:57:00Z build failed
1a2b3c4 kustomization/apps/77777777 failure 2026-11-22T03:57:00Z build failed
";
    check(
        &format!("//- reported\n{two}"),
        expect![[r#"
        clusters/staging/apps.yaml:4
            name: apps
                  ^^^^
        Flux: not connected. Clusters are switched off here.

        - reported to Gitea by flux (no cluster access): reconciliation succeeded less than a minute ago (2026-11-22 05:59 UTC), on `9f8e7d6`
        - reported to Gitea by flux (no cluster access): build failed 2 hours ago (2026-11-22 03:57 UTC), on `1a2b3c4` `Add web`
    "#]],
    );
    lenses(
        &format!("//- reported\n{two}//- settings\noffer\n"),
        expect![[r#"
        clusters/staging/apps.yaml:1 [Flux: not connected · Gitea: build failed on 1a2b3c4, Sun 03:57 (1 of 2 reports)] [Choose cluster…]
        apps/release.yaml:1 [Flux: not connected] [Choose cluster…]
    "#]],
    );
}

#[test]
fn nothing_reported_and_nothing_readable() {
    check(
        "//- reported\n9f8e7d6\n",
        expect![[r#"
        clusters/staging/apps.yaml:4
            name: apps
                  ^^^^
        Flux: not connected. Clusters are switched off here.

        - nothing is reported about it to `Gitea` on `9f8e7d6`: Flux does so where a Provider and an Alert tell it to
    "#]],
    );
    check(
        "//- reported\n9f8e7d6 helmrelease/apps/0c9c2e41 failure x y\ntrouble git.example did not answer within 20 s\n",
        expect![[r#"
            clusters/staging/apps.yaml:4
                name: apps
                      ^^^^
            Flux: not connected. Clusters are switched off here.

            - commit statuses could not be read: `git.example did not answer within 20 s`
        "#]],
    );
    // Of an object that Flux reports nothing about nothing is said.
    let web = REPO.replacen("name: web\n", "name: $0web\n", 1);
    check_hover(
        &format!("{web}//- reported\n9f8e7d6\n//- settings\noffer\n"),
        expect![[r#"
        apps/release.yaml:4
            name: web
                  ^^^
        `Flux: not connected`
    "#]],
    );
    lenses(
        "//- reported\n9f8e7d6\n//- settings\noffer\n",
        expect![[r#"
        clusters/staging/apps.yaml:1 [Flux: not connected] [Choose cluster…]
        apps/release.yaml:1 [Flux: not connected] [Choose cluster…]
    "#]],
    );
}

#[test]
fn where_both_are_there_the_cluster_comes_first() {
    check(
        &format!("//- cluster staging\n{ROOT}{WELL}{PROVIDER}//- reported\n{SUCCESS}"),
        expect![[r#"
            clusters/staging/apps.yaml:4
                name: apps
                      ^^^^
            ✓ **`Kustomization/flux-system/apps`** in `staging`: applied

            - running `main@1a2b3c4` `Add web`, 2026-11-20 10:00 UTC
            - so since 2026-11-21 20:00 UTC
            - health is not checked
            - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
            - source `GitRepository/flux-system/fleet`: fetched `main@1a2b3c4`
            - applied by `Kustomization/flux-system/root`: its build reads this file, and its inventory holds the object
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
            - reported to Gitea by flux in `staging`: reconciliation succeeded 3 minutes ago (2026-11-22 05:57 UTC), on `1a2b3c4` `Add web`
        "#]],
    );
    lenses(
        &format!("//- cluster staging\n{ROOT}{WELL}{PROVIDER}//- reported\n{FAILURE}"),
        expect![[r#"
            clusters/staging/apps.yaml:1 [✓ staging: live main@1a2b3c4] [Reconcile now]
            apps/release.yaml:1 [staging: not applied yet]
        "#]],
    );
}

#[test]
fn what_another_cluster_posted_is_not_taken_for_this_ones() {
    let other = FAILURE.replace("0c9c", "1c9c");
    let told = |words: &str| {
        let repo = REPO.replacen("name: apps\n", "name: $0apps\n", 1);
        let text = format!("{repo}//- cluster {words}\n{ROOT}{WELL}{PROVIDER}//- reported\n{other}");
        hover_lines(&text, |it| it.contains("Gitea")).trim_end().to_owned()
    };
    expect!["- reported to Gitea by flux in a cluster that is not connected: health check failed 3 minutes ago (2026-11-22 05:57 UTC), on `1a2b3c4` `Add web`"].assert_eq(&told("staging"));
    expect!["- reported to Gitea by flux: health check failed 3 minutes ago (2026-11-22 05:57 UTC), on `1a2b3c4` `Add web`"].assert_eq(&told("staging forbidden=Provider"));
}

#[test]
fn where_they_disagree_it_says_so() {
    check(
        &format!("//- cluster staging\n{ROOT}{FAILED}{PROVIDER}//- reported\n{SUCCESS}"),
        expect![[r#"
            clusters/staging/apps.yaml:4
                name: apps
                      ^^^^
            ✗ **`Kustomization/flux-system/apps`** in `staging`: failed, tried again

            `BuildFailed`:

            ```text
            kustomize build failed
            ```

            - running `main@1a2b3c4` `Add web`, 2026-11-20 10:00 UTC
            - failed `main@1a2b3c4` `Add web`, 2026-11-20 10:00 UTC
            - so since 2026-11-21 20:00 UTC
            - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
            - source `GitRepository/flux-system/fleet`: fetched `main@1a2b3c4`
            - applied by `Kustomization/flux-system/root`: its build reads this file, and its inventory holds the object
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
            - reported to Gitea by flux in `staging`: reconciliation succeeded 3 minutes ago (2026-11-22 05:57 UTC), on `1a2b3c4` `Add web`
            - Gitea says success, `staging` says failed since 2026-11-21 20:00 UTC
        "#]],
    );
    check(
        &format!("//- cluster staging\n{ROOT}{WELL}{PROVIDER}//- reported\n{FAILURE}"),
        expect![[r#"
            clusters/staging/apps.yaml:4
                name: apps
                      ^^^^
            ✓ **`Kustomization/flux-system/apps`** in `staging`: applied

            - running `main@1a2b3c4` `Add web`, 2026-11-20 10:00 UTC
            - so since 2026-11-21 20:00 UTC
            - health is not checked
            - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
            - source `GitRepository/flux-system/fleet`: fetched `main@1a2b3c4`
            - applied by `Kustomization/flux-system/root`: its build reads this file, and its inventory holds the object
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
            - reported to Gitea by flux in `staging`: health check failed 3 minutes ago (2026-11-22 05:57 UTC), on `1a2b3c4` `Add web`
            - Gitea says failure, `staging` says applied since 2026-11-21 20:00 UTC
        "#]],
    );
}

/// Whether the hover says that the two disagree.
fn disagrees(rest: &str) -> bool {
    let repo = REPO.replacen("name: apps\n", "name: $0apps\n", 1);
    !hover_lines(&format!("{repo}{rest}"), |it| it.contains(" says ")).is_empty()
}

#[test]
fn what_is_not_known_to_be_the_same_is_no_contradiction() {
    let with = |words: &str, apps: &str, provider: &str, reported: &str| {
        disagrees(&format!("//- cluster staging {words}\n{ROOT}{apps}{provider}//- reported\n{reported}"))
    };
    assert!(with("", FAILED, PROVIDER, SUCCESS));
    // Another cluster posted it, or one that cannot be told.
    assert!(!with("", FAILED, &PROVIDER.replace("0c9c", "1c9c"), SUCCESS));
    assert!(!with("", FAILED, "", SUCCESS));
    // It is about another commit.
    assert!(!with("", FAILED, PROVIDER, &SUCCESS.replace("1a2b3c4 ", "9f8e7d6 ")));
    // It is not over.
    assert!(!with("", FAILED, PROVIDER, &SUCCESS.replace("success", "pending")));
    // What the cluster says was so on Monday.
    assert!(!with("last-seen", FAILED, PROVIDER, SUCCESS));
    assert!(with("recorded", FAILED, PROVIDER, SUCCESS));
}

#[test]
fn contexts_that_are_not_fluxs_own() {
    // By the settings.
    let setting = "context staging-apps is Kustomization/flux-system/apps\n1a2b3c4 staging-apps failure 2026-11-22T05:57:00Z <b>see [x](y)</b>\n";
    check(
        &format!("//- reported\n{setting}"),
        expect![[r#"
        clusters/staging/apps.yaml:4
            name: apps
                  ^^^^
        Flux: not connected. Clusters are switched off here.

        - reported to Gitea as `staging-apps` (no cluster access): `failure: <b>see [x](y)</b>` 3 minutes ago (2026-11-22 05:57 UTC), on `1a2b3c4` `Add web`
    "#]],
    );
    assert!(!hovers(&setting.replace("flux-system/apps", "other/apps")));
    assert!(hovers(&setting.replace("flux-system/apps", "apps")));
    assert!(!hovers(&setting.replace("Kustomization/", "HelmRelease/")));
    // By a Provider that can be read.
    let provider = PROVIDER.replace(
        "name: gitea",
        "name: gitea, spec: {commitStatusExpr: \"'eu/' + event.involvedObject.name\"}",
    );
    let custom = SUCCESS.replace("kustomization/apps/0c9c2e41", "eu/apps");
    check(
        &format!("//- cluster staging\n{ROOT}{FAILED}{provider}//- reported\n{custom}"),
        expect![[r#"
            clusters/staging/apps.yaml:4
                name: apps
                      ^^^^
            ✗ **`Kustomization/flux-system/apps`** in `staging`: failed, tried again

            `BuildFailed`:

            ```text
            kustomize build failed
            ```

            - running `main@1a2b3c4` `Add web`, 2026-11-20 10:00 UTC
            - failed `main@1a2b3c4` `Add web`, 2026-11-20 10:00 UTC
            - so since 2026-11-21 20:00 UTC
            - this text: `saved → pushed → in fleet main@1a2b3c4 2026-11-21 20:00 UTC → applied main@1a2b3c4 → health not checked`
            - source `GitRepository/flux-system/fleet`: fetched `main@1a2b3c4`
            - applied by `Kustomization/flux-system/root`: its build reads this file, and its inventory holds the object
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
            - reported to Gitea by flux in `staging`: reconciliation succeeded 3 minutes ago (2026-11-22 05:57 UTC), on `1a2b3c4` `Add web`
            - Gitea says success, `staging` says failed since 2026-11-21 20:00 UTC
        "#]],
    );
    assert!(!hovers(&custom));
}

fn hovers(reported: &str) -> bool {
    let repo = REPO.replacen("name: apps\n", "name: $0apps\n", 1);
    !hover_lines(&format!("{repo}//- reported\n{reported}"), |it| it.starts_with("- reported to")).is_empty()
}

#[test]
fn the_details_of_an_object_say_it_too() {
    let mut world = super::fixture::World::new(&format!(
        "{REPO}//- cluster staging\n{ROOT}{FAILED}{PROVIDER}//- reported\n{SUCCESS}{}",
        FAILURE.replace("0c9c", "1c9c")
    ));
    let apps = flux::ObjectId::flux(flux::Kind::Kustomization, "flux-system", "apps");
    let details = world.ask(|inputs| crate::details(inputs, "staging", &apps)).expect("a cluster");
    let told: Vec<&str> = details.lines().filter(|it| it.contains("Gitea")).collect();
    expect![[r#"
        - reported to Gitea by flux in `staging`: reconciliation succeeded 3 minutes ago (2026-11-22 05:57 UTC), on `1a2b3c4` `Add web`
        - Gitea says success, `staging` says failed since 2026-11-21 20:00 UTC"#]].assert_eq(&told.join("\n"));
}

#[test]
fn it_is_offered_until_it_is_wanted() {
    check_actions(
        &format!("{REPO}//- reported\noffered\n{SUCCESS}"),
        expect![[r#"
        clusters/staging/apps.yaml:1 Flux: Show commit status from Gitea (git.example)
        apps/release.yaml:1 Flux: Show commit status from Gitea (git.example)
    "#]],
    );
    check(
        &format!("//- reported\noffered\n{SUCCESS}"),
        expect![[r#"
        clusters/staging/apps.yaml:4
            name: apps
                  ^^^^
        Flux: not connected. Clusters are switched off here.
    "#]],
    );
    lenses(
        &format!("//- reported\noffered\n{SUCCESS}//- settings\noffer\n"),
        expect![[r#"
        clusters/staging/apps.yaml:1 [Flux: not connected] [Choose cluster…]
        apps/release.yaml:1 [Flux: not connected] [Choose cluster…]
    "#]],
    );
    check_actions(&format!("{REPO}//- reported\n{SUCCESS}"), expect![]);
}

#[test]
fn of_two_documents_with_one_name_nobody_tells_which() {
    let apps = REPO.split("//- apps/").next().expect("the first file");
    let other = apps.replacen("staging", "production", 1);
    check(
        &format!("{other}//- reported\n{SUCCESS}"),
        expect![[r#"
        clusters/staging/apps.yaml:4
            name: apps
                  ^^^^
        Flux: not connected. Clusters are switched off here.

        - reported to Gitea by flux (no cluster access): reconciliation succeeded 3 minutes ago (2026-11-22 05:57 UTC), on `1a2b3c4` `Add web`
        - 2 documents of this repository have this kind and name: which of them a report is about, Gitea does not tell
    "#]],
    );
}
