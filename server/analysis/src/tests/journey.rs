//! How far a text has come: lenses and hovers of one Deployment at every stage.

use expect_test::{Expect, expect};
use manifests::{RepoPath, Tree};

use super::drawing::{check_hover, draw_lenses, hover_lines};
use super::fixture::World;
use super::shop::{self, ONE_REPLICA, apps, deployment};

/// A root Kustomization, a child with a patch of its own, and what the child applies. Commits: 0000001 is old, 1a2b3c4 is
/// newer, 9f8e7d6 the newest.
const REPO: &str = concat!(
    apps!(),
    "\
//- apps/kustomization.yaml
resources: [web.yaml]
patches: [{path: patch.yaml}]
//- apps/web.yaml
",
    deployment!("web", "replicas: 2"),
    "//- apps/patch.yaml\n",
    deployment!("web", "paused: false"),
    "\
//- commits
0000001 Begin
1a2b3c4 Add web
9f8e7d6 Change web
",
);

/// A cluster where the source has one revision and `apps` applied another.
fn cluster(fetched: &str, applied: &str, more: &str) -> String {
    shop::cluster("staging", fetched, applied, &format!("holds: [Deployment/web/web]{more}"))
}

fn lens_of(path: &str, text: &str) -> String {
    let mut world = World::new(text);
    let rows = draw_lenses(&mut world);
    let found = rows.lines().find(|row| row.starts_with(&format!("{path}:1 ")));
    found.unwrap_or("nothing").to_owned()
}

/// The lens of the Deployment, and of its patch where that says something else.
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&lens_of("apps/web.yaml", &format!("{REPO}{text}")));
}

/// The file had one replica at these commits.
fn then(commits: &[&str]) -> String {
    shop::then(commits, "apps/web.yaml", ONE_REPLICA)
}

#[test]
fn every_stage() {
    let all = cluster("main@1a2b3c4", "main@1a2b3c4", "");
    let before = then(&["1a2b3c4"]);
    check(
        &format!(
            "{before}{all}//- saved apps/web.yaml\n{ONE_REPLICA}//- settings\nhead=main@1a2b3c4 pushed=1a2b3c4"
        ),
        expect!["apps/web.yaml:1 [staging: not live · unsaved] [Reconcile now]"],
    );
    check(
        &format!("{before}{all}//- settings\nhead=main@1a2b3c4 pushed=1a2b3c4"),
        expect!["apps/web.yaml:1 [staging: not live · saved, not committed] [Reconcile now]"],
    );
    check(
        &format!("{before}{all}//- settings\nhead=main@9f8e7d6 pushed=1a2b3c4"),
        expect!["apps/web.yaml:1 [staging: not live · committed, not pushed] [Reconcile now]"],
    );
    check(
        &format!("{before}{all}//- settings\nhead=main@9f8e7d6 pushed=main@9f8e7d6@05:58"),
        expect!["apps/web.yaml:1 [staging: pushed, next poll by 06:08] [Reconcile now]"],
    );
    let fetched = cluster("main@9f8e7d6", "main@1a2b3c4", "");
    check(
        &format!("{before}{fetched}//- settings\nhead=main@9f8e7d6 pushed=9f8e7d6"),
        expect!["apps/web.yaml:1 [staging: fetched main@9f8e7d6, not applied yet] [Reconcile now]"],
    );
    let live = cluster("main@9f8e7d6", "main@9f8e7d6", "");
    check(
        &format!("{before}{live}//- settings\nhead=main@9f8e7d6 pushed=9f8e7d6"),
        expect!["apps/web.yaml:1 [✓ staging: live main@9f8e7d6 by apps] [Reconcile now]"],
    );
}

#[test]
fn what_it_waits_for() {
    let before = then(&["1a2b3c4"]);
    let git = "//- settings\nhead=main@9f8e7d6 pushed=main@9f8e7d6@05:40";
    let here = |cluster: &str| format!("{before}{cluster}{git}");
    // The poll should have been.
    check(
        &here(&cluster("main@1a2b3c4", "main@1a2b3c4", "")),
        expect!["apps/web.yaml:1 [staging: pushed, not fetched, poll was due by 05:50] [Reconcile now]"],
    );
    let waits =
        ", dependsOn: [base], failed: [DependencyNotReady, \"dependency 'flux-system/base' is not ready\"]";
    check(
        &here(&cluster("main@9f8e7d6", "main@1a2b3c4", waits)),
        expect!["apps/web.yaml:1 [staging: fetched main@9f8e7d6, not applied yet, apps waits] [Go to cause]"],
    );
    let failed = ", failed: [BuildFailed, 'kustomize build failed: no such thing', main@9f8e7d6]";
    check(
        &here(&cluster("main@9f8e7d6", "main@1a2b3c4", failed)),
        expect![
            "apps/web.yaml:1 [staging: fetched main@9f8e7d6, not applied yet, apps failed main@9f8e7d6] [Reconcile now] [Go to cause]"
        ],
    );
    check(
        &here(&cluster("main@9f8e7d6", "main@1a2b3c4", ", suspend: true")),
        expect![
            "apps/web.yaml:1 [staging: fetched main@9f8e7d6, not applied yet, apps is suspended] [Resume…]"
        ],
    );
    let suspended = cluster("main@1a2b3c4", "main@1a2b3c4", "").replacen("interval: 10m", "suspend: true", 1);
    check(
        &here(&suspended),
        expect!["apps/web.yaml:1 [staging: pushed, fleet is suspended] [Reconcile now]"],
    );
    let checking = "//- cluster staging
{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@9f8e7d6}
{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, to: main@9f8e7d6, progress: 'Running health checks for revision REV with a timeout of 5m0s', holds: [Deployment/web/web], spec: {wait: true, timeout: 5m}}
";
    check(
        &here(checking),
        expect![
            "apps/web.yaml:1 [staging: applied main@9f8e7d6 by apps, checking health until Sat 20:05] [Reconcile now]"
        ],
    );
}

#[test]
fn other_branches_and_pinned_sources() {
    let before = then(&["1a2b3c4"]);
    let all = cluster("main@1a2b3c4", "main@1a2b3c4", "");
    check(
        &format!(
            "{before}{all}//- saved apps/web.yaml\n{ONE_REPLICA}//- settings\nhead=feature/x@1a2b3c4 pushed=1a2b3c4"
        ),
        expect!["apps/web.yaml:1 [staging: not live · unsaved, on feature/x; follows main] [Reconcile now]"],
    );
    check(
        &format!("{before}{all}//- settings\nhead=feature/x@9f8e7d6 pushed=1a2b3c4"),
        expect![
            "apps/web.yaml:1 [staging: not live · committed, not pushed, on feature/x; follows main] [Reconcile now]"
        ],
    );
    check(
        &format!("{before}{all}//- settings\nhead=feature/x@9f8e7d6 pushed=feature/x@9f8e7d6 pushed=1a2b3c4"),
        expect!["apps/web.yaml:1 [staging: not live · pushed to feature/x; follows main] [Reconcile now]"],
    );
    // The same text there.
    check(
        &format!("{all}//- settings\nhead=feature/x@9f8e7d6 pushed=1a2b3c4"),
        expect!["apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]"],
    );
    check(
        &format!("{before}{all}//- settings\nhead=9f8e7d6 pushed=1a2b3c4"),
        expect!["apps/web.yaml:1 [staging: not live · committed, not pushed; follows main] [Reconcile now]"],
    );
    let tag = all.replacen("{branch: main}", "{tag: v1.0.0}", 1);
    check(
        &format!("{before}{tag}//- settings\nhead=main@9f8e7d6 pushed=9f8e7d6"),
        expect!["apps/web.yaml:1 [staging: not live · pushed to main; follows tag v1.0.0] [Reconcile now]"],
    );
}

#[test]
fn a_difference_is_named_by_the_file_that_was_changed() {
    let at = REPO.replacen("kind: Deployment", "kind: Deploy$0ment", 1);
    let cluster = cluster("main@1a2b3c4", "main@1a2b3c4", "");
    let told = |now: &str, then: &str| {
        let text = format!("{now}{then}{cluster}//- settings\nhead=main@9f8e7d6 pushed=1a2b3c4");
        hover_lines(&text, |it| it.contains(" differs"))
    };
    let patched = "resources: [web.yaml]\npatches: [{path: patch.yaml}]\n";
    let bare = "resources: [web.yaml]\n";
    // The patch is there as before, and is not taken any more; or only now.
    let then = |text: &str| shop::then(&["1a2b3c4"], "apps/kustomization.yaml", text);
    let by_build = "- what is next has another text: `apps/kustomization.yaml` differs\n";
    assert_eq!(told(&at.replace(patched, bare), &then(patched)), by_build);
    assert_eq!(told(&at, &then(bare)), by_build);
    // Nothing but the resource is new.
    assert_eq!(told(&at, &then("resources: []\n")), by_build);
    // A patch that says something else, also where the other file was touched.
    let other = shop::then(&["1a2b3c4"], "apps/patch.yaml", deployment!("web", "paused: true"));
    let by_patch = "- what is next has another text: `apps/patch.yaml` differs\n";
    assert_eq!(told(&at, &(other.clone() + &then(&format!("# as before\n{patched}")))), by_patch);
    // In the Kustomization itself.
    let own = "  path: ./apps\n";
    let spec = format!(
        "{own}  patches: [{{patch: '{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web, namespace: web}}, spec: {{minReadySeconds: 5}}}}'}}]\n"
    );
    let by_flux = "- what is next has another text: `clusters/staging/apps.yaml` differs\n";
    let before =
        at.split("//- apps/").next().unwrap_or_default().replace("//- clusters", "//- then 1a2b3c4 clusters");
    assert_eq!(told(&at.replace(own, &spec), &before), by_flux);
    assert_eq!(told(&at, &before.replace(own, &spec)), by_flux);
}

#[test]
fn a_newer_tag_than_the_source_takes() {
    let before = then(&["1a2b3c4"]);
    let tag = cluster("v1.0.0@1a2b3c4", "v1.0.0@1a2b3c4", "").replacen("{branch: main}", "{tag: v1.0.0}", 1);
    let text = REPO.replacen("kind: Deployment", "kind: Deploy$0ment", 1);
    let tags = "tag=v1.0.0@1a2b3c4 tag=v1.9.0@1a2b3c4 tag=v1.10.0@9f8e7d6 tag=nightly@9f8e7d6";
    check_hover(
        &format!("{text}{before}{tag}//- settings\nhead=main@9f8e7d6 pushed=9f8e7d6 {tags}"),
        expect![[r#"
            apps/web.yaml:2
              kind: Deployment
                    ^^^^^^^^^^
            **`Deployment/web/web`** in `staging`

            `not live · pushed to main; follows tag v1.0.0`

            - this text: `saved → committed on main`; `pushed to main; follows tag v1.0.0`
            - what is next has another text: `apps/web.yaml` differs
            - its source takes `tag v1.0.0`; the newest tag in this clone is `v1.10.0`, which has this text
            - applied by `Kustomization/flux-system/apps`: its build makes the object from this document, and its inventory holds it
            - shaped by `apps/patch.yaml`

            **`Kustomization/flux-system/apps`** in `staging`: applied

            - running `v1.0.0@1a2b3c4` `Add web`, 2026-11-20 10:00 UTC
            - so since 2026-11-21 20:00 UTC
            - health is not checked
            - written in `clusters/staging/apps.yaml`
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
}

#[test]
fn by_content_whatever_history_did() {
    let live = cluster("main@1a2b3c4", "main@1a2b3c4", "");
    // Commits that this clone's HEAD does not descend from have the same text.
    check(
        &format!("{live}//- settings\nhead=main@9f8e7d6 pushed=0000001"),
        expect!["apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]"],
    );
    // Only comments and the order of keys.
    let same = "//- then 1a2b3c4 apps/web.yaml
kind: Deployment
apiVersion: apps/v1
metadata:
  namespace: web # here
  name: web
spec: {replicas: 2}
";
    check(
        &format!("{same}{live}//- settings\nhead=main@1a2b3c4 pushed=1a2b3c4"),
        expect![
            "apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps, only comments differ] [Reconcile now]"
        ],
    );
    // A type is more than a comment.
    let text = same.replacen("replicas: 2", "replicas: '2'", 1);
    check(
        &format!("{text}{live}//- settings\nhead=main@1a2b3c4 pushed=1a2b3c4"),
        expect!["apps/web.yaml:1 [staging: not live · saved, not committed] [Reconcile now]"],
    );
}

#[test]
fn every_file_counts_that_shapes_the_object() {
    let live = cluster("main@1a2b3c4", "main@1a2b3c4", "");
    let git = "//- settings\nhead=main@1a2b3c4 pushed=1a2b3c4";
    let other = |path: &str, text: &str| format!("//- then 1a2b3c4 {path}\n{text}{live}{git}");
    check(
        &other(
            "apps/patch.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: web}\nspec: {paused: true}\n",
        ),
        expect!["apps/web.yaml:1 [staging: not live · saved, not committed] [Reconcile now]"],
    );
    check(
        &other("apps/kustomization.yaml", "resources: [web.yaml]\n"),
        expect!["apps/web.yaml:1 [staging: not live · saved, not committed] [Reconcile now]"],
    );
    // What is in the same files and shapes others does not.
    check(
        &other(
            "apps/kustomization.yaml",
            "resources: [web.yaml, more.yaml]\npatches: [{path: patch.yaml}]\n",
        ),
        expect!["apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]"],
    );
    // The Kustomization's own spec does.
    let spec = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\nspec: {interval: 1h, path: ./apps, sourceRef: {kind: GitRepository, name: fleet}";
    check(
        &other(
            "clusters/staging/apps.yaml",
            &format!(
                "{spec}, patches: [{{patch: '[{{op: replace, path: /spec/replicas, value: 5}}]', target: {{kind: Deployment}}}}]}}\n"
            ),
        ),
        expect!["apps/web.yaml:1 [staging: not live · saved, not committed] [Reconcile now]"],
    );
    check(
        &other("clusters/staging/apps.yaml", &format!("{spec}, timeout: 1m}}\n")),
        expect!["apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]"],
    );
}

#[test]
fn what_a_colleague_did() {
    let before = then(&["1a2b3c4", "0000001"]);
    // HEAD is behind: this text is what it was before somebody changed it.
    let live = cluster("main@9f8e7d6", "main@9f8e7d6", "");
    let newer = then(&["9f8e7d6"]);
    check(
        &format!("{newer}{live}//- settings\nhead=main@1a2b3c4 pushed=9f8e7d6 base=1a2b3c4+9f8e7d6=1a2b3c4"),
        expect![
            "apps/web.yaml:1 [staging: not live · older than main@9f8e7d6, which is applied] [Reconcile now]"
        ],
    );
    // It is applied, and will be replaced.
    let old = cluster("main@1a2b3c4", "main@1a2b3c4", "");
    check(
        &format!("{newer}{old}//- settings\nhead=main@1a2b3c4 pushed=9f8e7d6"),
        expect![
            "apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps; another text is pushed] [Reconcile now]"
        ],
    );
    // What is fetched is in no clone: it may have this text, what is applied has not.
    let coming = cluster("main@abcdef0", "main@1a2b3c4", "");
    check(
        &format!("{before}{coming}//- settings\nhead=main@9f8e7d6 pushed=9f8e7d6"),
        expect![
            "apps/web.yaml:1 [staging: not live · main@abcdef0, which is fetched, is not in this clone] [Reconcile now]"
        ],
    );
    // What is applied is in no clone.
    let unknown = cluster("main@abcdef0", "main@abcdef0", "");
    check(
        &format!("{before}{unknown}//- settings\nhead=main@9f8e7d6 pushed=9f8e7d6"),
        expect!["apps/web.yaml:1 [staging: applied main@abcdef0 by apps, not in this clone] [Reconcile now]"],
    );
    check(
        &format!(
            "{before}{unknown}//- saved apps/web.yaml\n{ONE_REPLICA}//- settings\nhead=main@1a2b3c4 pushed=1a2b3c4"
        ),
        expect![
            "apps/web.yaml:1 [staging: applied main@abcdef0 by apps, not in this clone; unsaved] [Reconcile now]"
        ],
    );
}

#[test]
fn without_git_and_without_commits() {
    let live = cluster("main@1a2b3c4", "main@1a2b3c4", "");
    check(&live, expect!["apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]"]);
    check(
        &format!("{}{live}", then(&["1a2b3c4"])),
        expect!["apps/web.yaml:1 [staging: not live · changed since main@1a2b3c4] [Reconcile now]"],
    );
}

#[test]
fn a_kustomization_has_its_own_journey() {
    let live = cluster("main@1a2b3c4", "main@1a2b3c4", "");
    let spec = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\nspec: {interval: 5m, path: ./apps, sourceRef: {kind: GitRepository, name: fleet}}\n";
    let text = format!(
        "{REPO}//- then 1a2b3c4 clusters/staging/apps.yaml\n{spec}{live}//- settings\nhead=main@9f8e7d6 pushed=main@9f8e7d6@05:58"
    );
    expect!["clusters/staging/apps.yaml:1 [staging: applied main@1a2b3c4; pushed, next poll by 06:08] [Reconcile now]"]
        .assert_eq(&lens_of("clusters/staging/apps.yaml", &text));
}

#[test]
fn the_hover_tells_all_stages() {
    let text = REPO.replacen(
        "kind: Deployment\nmetadata:\n  name: web\n  namespace: web\nspec:\n  replicas",
        "kind: $0Deployment\nmetadata:\n  name: web\n  namespace: web\nspec:\n  replicas",
        1,
    );
    check_hover(
        &format!(
            "{text}{}{}//- settings\nhead=main@9f8e7d6 pushed=main@9f8e7d6@05:58",
            then(&["1a2b3c4"]),
            cluster("main@1a2b3c4", "main@1a2b3c4", "")
        ),
        expect![[r#"
            apps/web.yaml:2
              kind: Deployment
                    ^^^^^^^^^^
            **`Deployment/web/web`** in `staging`

            `pushed, next poll by 06:08`

            - this text: `saved → committed on main → pushed 2026-11-22 05:58 UTC`; `pushed, next poll by 06:08`
            - what is next has another text: `apps/web.yaml` differs
            - pushed and not applied: <https://git.example/fleet/compare/1a2b3c4000000000000000000000000000000000...9f8e7d6000000000000000000000000000000000>
            - applied by `Kustomization/flux-system/apps`: its build makes the object from this document, and its inventory holds it
            - shaped by `apps/patch.yaml`

            **`Kustomization/flux-system/apps`** in `staging`: applied

            - running `main@1a2b3c4` `Add web`, 2026-11-20 10:00 UTC
            - so since 2026-11-21 20:00 UTC
            - health is not checked
            - written in `clusters/staging/apps.yaml`
            - cluster `staging`, read 2026-11-22 06:00 UTC, live
        "#]],
    );
}

/// Each cluster's folder has a ConfigMap of one name, as most repositories with several clusters do. `then` is how that of
/// staging was when it was applied.
fn variables(then: &str) -> World {
    let map = |cluster: &str| {
        format!(
            "//- clusters/{cluster}/vars.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: vars\n  namespace: flux-system\ndata:\n  stage: {cluster}\n"
        )
    };
    let facts = |cluster: &str| {
        format!(
            "//- cluster {cluster}
{{kind: GitRepository, name: fleet, url: https://git.example/fleet, interval: 10m, at: main@1a2b3c4, spec: {{ref: {{branch: main}}}}}}
{{kind: Kustomization, name: root, source: GitRepository/fleet, path: clusters/{cluster}, at: main@1a2b3c4, holds: [Kustomization/flux-system/root, Kustomization/flux-system/apps, ConfigMap/flux-system/vars]}}
{{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, at: main@1a2b3c4, holds: [ConfigMap/web/web], spec: {{postBuild: {{substituteFrom: [{{kind: ConfigMap, name: vars}}]}}}}}}
"
        )
    };
    let (staging, production) = (map("staging"), map("production"));
    let before =
        staging.replace("//- ", "//- then 1a2b3c4 ").replace("stage: staging", &format!("stage: {then}"));
    let text = format!(
        "//- apps/web.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  namespace: web\ndata: {{stage: \"${{stage}}\"}}\n\
         {staging}{production}//- commits\n1a2b3c4 Add web\n{before}{}{}//- settings\nhead=main@1a2b3c4 pushed=1a2b3c4\n",
        facts("staging"),
        facts("production"),
    );
    World::new(&text)
}

#[test]
fn variables_are_those_of_the_cluster() {
    let rows = draw_lenses(&mut variables("before"));
    expect![[r#"
        apps/web.yaml:1 [1 of 2 behind: staging · 1 live] [Clusters…]
        clusters/staging/vars.yaml:1 [staging: not live · saved, not committed] [Reconcile now]
        clusters/production/vars.yaml:1 [✓ production: live main@1a2b3c4 by root] [Reconcile now]
    "#]]
    .assert_eq(&rows);
}

/// While the repository is being read, the ConfigMap is not known yet. Nothing of that may last.
#[test]
fn variables_are_found_late() {
    let mut world = variables("staging");
    let path = RepoPath::new("clusters/staging/vars.yaml").unwrap();
    let file = world.tree.parsed(&path);
    world.index.set(&path, None);
    let early = draw_lenses(&mut world);
    world.index.set(&path, file);
    let late = draw_lenses(&mut world);
    expect![[r#"
        apps/web.yaml:1 [✓ staging and production: live main@1a2b3c4] [Clusters…]
        clusters/staging/vars.yaml:1 [✓ staging: live main@1a2b3c4 by root] [Reconcile now]
        clusters/production/vars.yaml:1 [✓ production: live main@1a2b3c4 by root] [Reconcile now]
        ---
        apps/web.yaml:1 [✓ staging and production: live main@1a2b3c4] [Clusters…]
        clusters/staging/vars.yaml:1 [✓ staging: live main@1a2b3c4 by root] [Reconcile now]
        clusters/production/vars.yaml:1 [✓ production: live main@1a2b3c4 by root] [Reconcile now]
    "#]]
    .assert_eq(&format!("{early}---\n{late}"));
}

/// A list of commits that ends before it is whole says so.
#[test]
fn how_the_log_of_commits_ends() {
    let said = |end: &str| {
        let text = REPO.replacen("kind: Deployment\n", "kind: $0Deployment\n", 1);
        let log = format!("//- log {end}\n9f8e7d6 Change web\n");
        let cluster = cluster("main@1a2b3c4", "main@1a2b3c4", "");
        let refs = "//- settings\nhead=main@9f8e7d6 pushed=9f8e7d6@05:58";
        let hover = hover_lines(&format!("{text}{}{cluster}{log}{refs}", then(&["1a2b3c4"])), |it| {
            it.starts_with("- ")
        });
        let mut lines = hover.lines().skip_while(|it| !it.contains("not applied yet: ")).skip(1);
        lines.next().unwrap_or_default().to_owned()
    };
    let ends = ["", "more", "unseen", "cut-off", "untold"].map(|end| format!("{end}: {}\n", said(end)));
    expect![[r#"
        : - applied by `Kustomization/flux-system/apps`: its build makes the object from this document, and its inventory holds it
        more: - not applied yet: older ones as well
        unseen: - older commits were not looked at, there are too many between
        cut-off: - there may be older ones beyond the end of this clone; `git fetch --unshallow origin` brings them
        untold: - which commits are not applied yet cannot be told: history could not be read
    "#]].assert_eq(&ends.concat());
}
