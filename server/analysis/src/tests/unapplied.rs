//! Files that no build reads.

use expect_test::{Expect, expect};

use super::drawing::{check_hover, check_lenses, check_marks, hover_lines};

const REPO: &str = "\
//- apps/kustomization.yaml
resources: [web.yaml]
//- apps/web.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: shop}
//- apps/draft.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: draft, namespace: shop}
";

const FLEET: &str = "\
//- cluster staging
{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@1a2b3c4}
{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, at: main@1a2b3c4, holds: [ConfigMap/shop/web]}
//- commits
1a2b3c4 Add apps
";

const ON: &str = "//- settings\nnot-applied\n";

fn check(text: &str, marks: Expect) {
    check_marks(text, marks);
}

#[test]
fn said_where_users_want_to_be_told() {
    let on = format!("{REPO}{FLEET}{ON}");
    check(
        &on,
        expect![[r#"
        apps/draft.yaml:3
          metadata: {name: draft, namespace: shop}
                           ^^^^^ information NotApplied: nothing applies this file (not applied by staging)
    "#]],
    );
    check_lenses(
        &on,
        expect![[r#"
        apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
        apps/draft.yaml:1 [Flux: not applied by staging]
    "#]],
    );
    let off = format!("{REPO}{FLEET}");
    check(&off, expect![[""]]);
    check_lenses(
        &off,
        expect![[r#"
        apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
    "#]],
    );
}

#[test]
fn the_hover_says_it_in_any_case_where_it_is_certain() {
    let at = REPO.replace("name: draft", "name: $0draft");
    check_hover(
        &format!("{at}{FLEET}"),
        expect![[r#"
        apps/draft.yaml:3
          metadata: {name: draft, namespace: shop}
                           ^^^^^
        **`ConfigMap/draft`**

        Nothing applies this file. `Flux: not applied by staging`

        - cluster `staging`, read 2026-11-22 06:00 UTC, live
    "#]],
    );
    let unsure = format!("{at}{FLEET}//- settings\nnot-connected=prod\n");
    check_hover(
        &unsure,
        expect![[r#"
        nothing
    "#]],
    );
    check_hover(
        &format!("{unsure} not-applied\n"),
        expect![[r#"
        apps/draft.yaml:3
          metadata: {name: draft, namespace: shop}
                           ^^^^^
        **`ConfigMap/draft`**

        `Flux: not applied by staging (prod not connected)`

        - not certain: `prod is not connected`
        - cluster `staging`, read 2026-11-22 06:00 UTC, live
    "#]],
    );
}

#[test]
fn it_needs_every_cluster_and_nothing_unknown() {
    let unsure = |repo: &str, fleet: &str, more: &str, lens: Expect| {
        let text = format!("{repo}{fleet}{ON}{more}");
        check(&text, expect![[""]]);
        check_lenses(&text, lens);
    };
    unsure(
        REPO,
        FLEET,
        "not-connected=prod\n",
        expect![[r#"
        apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
        apps/draft.yaml:1 [Flux: not applied by staging (prod not connected)]
    "#]],
    );
    for (word, lens) in [
        (
            "checking",
            expect![[r#"
            apps/web.yaml:1 [staging: applied main@1a2b3c4 by apps, checking…]
            apps/draft.yaml:1 [staging: checking…]
        "#]],
        ),
        (
            "last-seen",
            expect![[r#"
            apps/web.yaml:1 [staging: last seen Mon 14:02]
            apps/draft.yaml:1 [staging: last seen Mon 14:02]
        "#]],
        ),
        (
            "unreachable",
            expect![[r#"
            apps/web.yaml:1 [staging: unreachable]
            apps/draft.yaml:1 [staging: unreachable]
        "#]],
        ),
        (
            "forbidden=Kustomization",
            expect![[r#"
            apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
            apps/draft.yaml:1 [staging: no permission to list kustomizations.kustomize.toolkit.fluxcd.io]
        "#]],
        ),
        (
            "not-yet=Kustomization",
            expect![[r#"
            apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
            apps/draft.yaml:1 [staging: kustomizations not read yet]
        "#]],
        ),
    ] {
        unsure(REPO, &FLEET.replace("cluster staging", &format!("cluster staging {word}")), "", lens);
    }
    // Part of a build cannot be read; nobody knows where one comes from; no cluster has to do with this repository.
    unsure(
        &REPO.replace("[web.yaml]", "[web.yaml, 'https://example.org/base']"),
        FLEET,
        "",
        expect![[r#"
        apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
        apps/draft.yaml:1 [Flux: not applied by staging, as far as can be told]
    "#]],
    );
    unsure(
        REPO,
        &FLEET.replace("//- commits", "{kind: Kustomization, name: lost, source: GitRepository/gone, path: ./lost, at: main@1a2b3c4}\n//- commits"),
        "",
        expect![[r#"
            apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
            apps/draft.yaml:1 [Flux: not applied by staging, as far as can be told]
        "#]],
    );
    unsure(
        REPO,
        &FLEET.replace("git.example/fleet", "git.example/other"),
        "",
        expect![[r#"
        apps/web.yaml:1 [Flux: not applied by staging, as far as can be told]
        apps/draft.yaml:1 [Flux: not applied by staging, as far as can be told]
    "#]],
    );
}

#[test]
fn only_objects_count() {
    let silent = |name: &str, text: &str, build: &str| {
        let repo = format!(
            "//- apps/kustomization.yaml\nresources: []\n//- drafts/kustomization.yaml\n{build}\n//- drafts/{name}\n{text}\n"
        );
        check(&format!("{repo}{FLEET}{ON}"), expect![[""]]);
    };
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}";
    silent("values.yaml", "a: b", "");
    silent("patch.yaml", object, "patches: [{path: patch.yaml}]");
    silent("input.yaml", object, "configMapGenerator: [{name: a, files: [input.yaml]}]");
    silent("json.yaml", "[{op: add, path: /a, value: b}]", "");
    silent("Chart.yaml\nname: a\n//- drafts/crds/a.yaml", object, "");
    check(
        &format!("//- apps/kustomization.yaml\nresources: []\n//- drafts/own.yaml\n{object}\n{FLEET}{ON}"),
        expect![[r#"
            drafts/own.yaml:3
              metadata: {name: a}
                               ^ information NotApplied: nothing applies this file (not applied by staging)
        "#]],
    );
    silent("template.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Values.name }}}", "");
}

#[test]
fn what_a_source_leaves_out_is_another_answer() {
    let repo = REPO
        .replace("name: draft", "name: $0draft")
        .replace("//- apps/web", "//- .sourceignore\n# comment\ndraft.yaml\n//- apps/web");
    check(&format!("{repo}{FLEET}{ON}"), expect![[""]]);
    check_lenses(
        &format!("{repo}{FLEET}{ON}"),
        expect![[r#"
            apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
            apps/draft.yaml:1 [Flux: left out of what is fetched by .sourceignore:2]
        "#]],
    );
    check_hover(
        &format!("{repo}{FLEET}{ON}"),
        expect![[r#"
        apps/draft.yaml:3
          metadata: {name: draft, namespace: shop}
                           ^^^^^
        - not in the artifact that `staging` fetches: left out by `.sourceignore`:2
    "#]],
    );
}

#[test]
fn a_flux_object_that_nothing_applies() {
    let flux = "//- drafts/more.yaml\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: more, namespace: flux-system}\nspec: {path: ./more, interval: 1h, prune: true, sourceRef: {kind: GitRepository, name: fleet}}\n";
    check(&format!("{REPO}{flux}{FLEET}{ON}").replace("//- apps/draft.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: draft, namespace: shop}\n", ""), expect![[r#"
        drafts/more.yaml:3
          metadata: {name: more, namespace: flux-system}
                           ^^^^ information NotApplied: nothing applies this file (not applied by staging)
    "#]]);
}

#[test]
fn what_was_taken_out_is_still_applied() {
    // As on staging: `draft.yaml` was in the build, and its line is gone from the text.
    let at = REPO.replace("name: draft", "name: $0draft");
    let held = |spec: &str| {
        FLEET.replace(
            "ConfigMap/shop/web]",
            &format!("ConfigMap/shop/web, ConfigMap/shop/draft], spec: {{{spec}}}"),
        )
    };
    let told = |repo: &str, fleet: &str| hover_lines(&format!("{repo}{fleet}"), |it| it.contains("applie"));
    let removed = "`staging: still applied main@1a2b3c4 by apps; taken out here, will be removed when that is applied`\n";
    let left = "`staging: still applied main@1a2b3c4 by apps; taken out here, will be left behind when that is applied`\n";
    let nothing = "Nothing applies this file. `Flux: not applied by staging`\n";
    let prune = held("prune: true");
    assert_eq!(told(&at, &prune), removed);
    assert_eq!(told(&at, &held("prune: false")), left);
    let kept = "namespace: shop, annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}}\n//- end";
    let draft =
        at.replace("$0draft, namespace: shop}\n", &format!("$0draft, {kept}\n")).replace("//- end\n", "");
    assert_eq!(told(&draft, &prune), left);
    // The overlay told its namespace.
    assert_eq!(told(&at.replace("$0draft, namespace: shop", "$0draft"), &prune), removed);
    // Another namespace; another file makes it now.
    assert_eq!(told(&at.replace("$0draft, namespace: shop", "$0draft, namespace: other"), &prune), nothing);
    let moved = at.replace("[web.yaml]", "[web.yaml, moved.yaml]")
        + "//- apps/moved.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: draft, namespace: shop}\n";
    assert_eq!(told(&moved, &prune), nothing);
    // The overlay gave it a prefix and another namespace: what it was called, the build of what is applied tells.
    let build = "namespace: eu\nnamePrefix: eu-\nresources: [web.yaml";
    let named = at.replace("resources: [web.yaml", build)
        + &format!("//- then 1a2b3c4 apps/kustomization.yaml\n{build}, draft.yaml]\n");
    let as_named = prune.replace("ConfigMap/shop/", "ConfigMap/eu/eu-");
    assert_eq!(told(&named, &as_named), removed);
    // Another object of a longer name; a line that was never there.
    assert_eq!(told(&named, &as_named.replace("eu-draft", "eu-draft-2")), nothing);
    assert_eq!(told(&at.replace("resources: [web.yaml", build), &as_named), nothing);
    // What is applied is not in this clone: it may be it.
    assert_eq!(told(&named, &as_named.replace("main@1a2b3c4", "main@9f8e7d6")), "");
    check(&format!("{REPO}{prune}{ON}"), expect![[""]]);
    check_lenses(
        &format!("{REPO}{prune}{ON}"),
        expect![[r#"
        apps/web.yaml:1 [✓ staging: live main@1a2b3c4 by apps] [Reconcile now]
        apps/draft.yaml:1 [staging: still applied main@1a2b3c4 by apps; taken out here, will be removed when that is applied]
    "#]],
    );
}
