//! HEAD in a line: the worst of the clusters, with its name, and never a ✓ that is not so at this moment.

use expect_test::{Expect, expect};
use manifests::RepoPath;
use std::fmt::Write as _;

use super::fixture::{World, full};
use super::gate::{PUSHED, REDIS, REPO, WEB, before, cluster, redis_before};
use crate::{HeadState, HeadStatus, Question};

fn ask(text: &str, files: &[&str]) -> HeadStatus {
    let mut world = World::new(&format!("{REPO}{text}"));
    let question = Question {
        commit: full("9f8e7d6"),
        before: Some(full("1a2b3c4")),
        files: files.iter().map(|it| RepoPath::new(it).expect("a path")).collect(),
    };
    let head = world.refs.head.clone().expect("HEAD");
    for _ in 0..8 {
        let (status, lacks, _) = world.with(|inputs| crate::head_status(inputs, &head, Ok(&question)));
        if !lacks.wants_history() {
            return status;
        }
        world.look_up(lacks);
    }
    panic!("it asks for ever")
}

fn drawn(status: &HeadStatus) -> String {
    let mut out = format!("{} · {}\n{}\n", status.state.as_str(), status.text, status.tooltip);
    for it in status.clusters.iter().filter(|it| it.failed.is_some()) {
        let (failed, file) = (it.failed.as_ref().expect("it failed"), it.file.as_ref().expect("a file"));
        writeln!(out, "{failed} in {file}").expect("text");
    }
    let witnesses: Vec<String> = status.witnesses.iter().map(ToString::to_string).collect();
    if !witnesses.is_empty() {
        writeln!(out, "told by {}", witnesses.join(", ")).expect("text");
    }
    out
}

/// HEAD changed the Deployment.
fn check(text: &str, expected: Expect) {
    let text = format!("{}{text}", before(&["1a2b3c4", "0000001"]));
    expected.assert_eq(&drawn(&ask(&text, &[WEB])));
}

const OLD: &str = "main@1a2b3c4";
const NEW: &str = "main@9f8e7d6";

#[test]
fn every_state_of_one_cluster() {
    check(
        &format!("{}{PUSHED}", cluster("staging", OLD, OLD, "")),
        expect![[r#"
            waiting · 9f8e7d6 waiting (pushed)
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: Deployment/web/web: pushed, next poll by 06:08
            told by Kustomization/flux-system/apps
        "#]],
    );
    check(
        &format!("{}{PUSHED}", cluster("staging", NEW, OLD, "")),
        expect![[r#"
            waiting · 9f8e7d6 waiting (fetched)
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: Deployment/web/web: fetched main@9f8e7d6, not applied yet
            told by Kustomization/flux-system/apps
        "#]],
    );
    check(
        &format!("{}{PUSHED}", cluster("staging", NEW, NEW, "")),
        expect![[r#"
            live · ✓ 9f8e7d6 live
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: live main@9f8e7d6, health not checked
            told by Kustomization/flux-system/apps
        "#]],
    );
    let failed = ", failed: [BuildFailed, 'kustomize build failed: no such file', main@9f8e7d6]";
    check(
        &format!("{}{PUSHED}", cluster("staging", NEW, OLD, failed)),
        expect![[r#"
            failed · ✗ 9f8e7d6 failed
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: apps failed main@9f8e7d6: kustomize build failed: no such file
            Kustomization/flux-system/apps in apps/web.yaml
            told by Kustomization/flux-system/apps
        "#]],
    );
    expect![[r#"
        nothing · 9f8e7d6 nothing to apply
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: nothing to apply
    "#]]
    .assert_eq(&drawn(&ask(&format!("{}{PUSHED}", cluster("staging", NEW, NEW, "")), &["README.md"])));
    check(
        PUSHED,
        expect![[r#"
        notConnected · 
        fleet: HEAD 9f8e7d6 on main: Change web
    "#]],
    );
}

#[test]
fn the_worst_is_named() {
    let (old, new) = (|name: &str| cluster(name, OLD, OLD, ""), |name: &str| cluster(name, NEW, NEW, ""));
    check(
        &format!("{}{}{PUSHED}", new("staging"), old("production")),
        expect![[r#"
            waiting · 9f8e7d6 waiting: production (pushed)
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: live main@9f8e7d6, health not checked
            production: Deployment/web/web: pushed, next poll by 06:08
            told by Kustomization/flux-system/apps
        "#]],
    );
    check(
        &format!("{}{}{}{PUSHED}", new("staging"), cluster("us", NEW, OLD, ""), old("eu")),
        expect![[r#"
            waiting · 9f8e7d6 waiting: eu and 1 more (pushed)
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: live main@9f8e7d6, health not checked
            us: Deployment/web/web: fetched main@9f8e7d6, not applied yet
            eu: Deployment/web/web: pushed, next poll by 06:08
            told by Kustomization/flux-system/apps
        "#]],
    );
    check(
        &format!("{}{}{PUSHED} ascii", new("staging"), new("production")),
        expect![[r#"
            live · [ok] 9f8e7d6 live
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: live main@9f8e7d6, health not checked
            production: live main@9f8e7d6, health not checked
            told by Kustomization/flux-system/apps
        "#]],
    );
    let failed = ", failed: [BuildFailed, 'kustomize build failed: no such file', main@9f8e7d6]";
    check(
        &format!("{}{}{PUSHED}", cluster("staging", NEW, OLD, failed), old("production")),
        expect![[r#"
            failed · ✗ 9f8e7d6 failed: staging
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: apps failed main@9f8e7d6: kustomize build failed: no such file
            production: Deployment/web/web: pushed, next poll by 06:08
            Kustomization/flux-system/apps in apps/web.yaml
            told by Kustomization/flux-system/apps
        "#]],
    );
}

#[test]
fn what_is_not_in_the_branch_that_is_followed() {
    let old = cluster("staging", OLD, OLD, "");
    let head = |rest: &str| format!("{old}//- settings\nhead=feature@9f8e7d6 pushed=1a2b3c4 {rest}");
    check(
        &head(""),
        expect![[r#"
            notPushed · 9f8e7d6 not pushed
            fleet: HEAD 9f8e7d6 on feature, not pushed: Change web
            staging: Deployment/web/web: not in main, which is followed
            told by Kustomization/flux-system/apps
        "#]],
    );
    check(
        &head("pushed=feature@9f8e7d6"),
        expect![[r#"
            notFollowed · 9f8e7d6 not followed
            fleet: HEAD 9f8e7d6 on feature: Change web
            staging: Deployment/web/web: not in main, which is followed
            told by Kustomization/flux-system/apps
        "#]],
    );
    // Somebody pushed on top of it.
    check(
        &head("pushed=feature@c0ffee0 base=9f8e7d6+c0ffee0=9f8e7d6"),
        expect![[r#"
            notFollowed · 9f8e7d6 not followed
            fleet: HEAD 9f8e7d6 on feature: Change web
            staging: Deployment/web/web: not in main, which is followed
            told by Kustomization/flux-system/apps
        "#]],
    );
    check(
        &head("pushed=feature@c0ffee0 base=9f8e7d6+c0ffee0=1a2b3c4"),
        expect![[r#"
            notPushed · 9f8e7d6 not pushed
            fleet: HEAD 9f8e7d6 on feature, not pushed: Change web
            staging: Deployment/web/web: not in main, which is followed
            told by Kustomization/flux-system/apps
        "#]],
    );
    // Detached, and in the branch that is followed.
    check(
        &format!("{old}//- settings\nhead=9f8e7d6 pushed=c0ffee0 base=9f8e7d6+c0ffee0=9f8e7d6"),
        expect![[r#"
            waiting · 9f8e7d6 waiting (pushed)
            fleet: HEAD 9f8e7d6, detached: Change web
            staging: Deployment/web/web: pushed, not fetched yet
            told by Kustomization/flux-system/apps
        "#]],
    );
    // The text is live, by another commit; the commit is not on its way anywhere.
    let live = cluster("staging", "main@c0ffee0", "main@c0ffee0", "");
    let local = "//- settings\nhead=feature@9f8e7d6 pushed=c0ffee0 base=9f8e7d6+c0ffee0=1a2b3c4";
    check(
        &format!("{live}{local}"),
        expect![[r#"
            notPushed · 9f8e7d6 not pushed
            fleet: HEAD 9f8e7d6 on feature, not pushed: Change web
            staging: live main@c0ffee0, health not checked
            told by Kustomization/flux-system/apps
        "#]],
    );
    // What nobody applies need not be pushed.
    expect![[r#"
        nothing · 9f8e7d6 nothing to apply
        fleet: HEAD 9f8e7d6 on feature: Change web
        staging: nothing to apply
    "#]]
    .assert_eq(&drawn(&ask(&format!("{live}{local}"), &["README.md"])));
}

#[test]
fn nobody_calls_live_what_may_have_changed_since() {
    for word in ["last-seen", "checking", "connecting", "unreachable", "never-signed-in"] {
        let silent = cluster(&format!("production {word}"), NEW, NEW, "");
        let all = format!("{}{}{silent}{PUSHED}", before(&["1a2b3c4"]), cluster("staging", NEW, NEW, ""));
        let status = ask(&all, &[WEB]);
        assert_eq!(status.state, HeadState::Untold, "{word}: {}", drawn(&status));
        assert_eq!(status.text, "9f8e7d6 not known: production");
    }
    check(
        &format!("{}{PUSHED}", cluster("staging last-seen", NEW, NEW, "")),
        expect![[r#"
        untold · 9f8e7d6 not known
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: last seen Mon 14:02
    "#]],
    );
    check(
        &format!("{}{PUSHED}", cluster("staging recorded", NEW, NEW, "")),
        expect![[r#"
            live · 9f8e7d6 live, as recorded
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: live main@9f8e7d6, health not checked, as recorded 2026-11-22 05:07
            told by Kustomization/flux-system/apps
        "#]],
    );
    // It applies nothing at all.
    let none = cluster("production no-flux", NEW, NEW, "");
    check(
        &format!("{}{none}{PUSHED}", cluster("staging", NEW, NEW, "")),
        expect![[r#"
            live · ✓ 9f8e7d6 live
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: live main@9f8e7d6, health not checked
            production: runs no Flux
            told by Kustomization/flux-system/apps
        "#]],
    );
    // What seems to be missing may not be listed yet.
    check(
        &format!("{}{PUSHED}", cluster("staging not-yet=OCIRepository", NEW, OLD, "")),
        expect![[r#"
            untold · 9f8e7d6 not known
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: ocirepositories not read yet
            told by Kustomization/flux-system/apps
        "#]],
    );
    // Where not everything may be looked at, nobody knows.
    let forbidden = cluster("staging forbidden=Kustomization", NEW, NEW, "");
    expect![[r#"
        untold · 9f8e7d6 not known
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: no permission to list kustomizations.kustomize.toolkit.fluxcd.io
    "#]]
    .assert_eq(&drawn(&ask(&format!("{forbidden}{PUSHED}"), &["README.md"])));
}

#[test]
fn a_release_says_itself_how_it_is() {
    let cluster = cluster("staging", NEW, NEW, "");
    let cluster = cluster.replacen("Deployment/web/db]", "Deployment/web/db, HelmRelease/web/redis]", 1);
    let old = redis_before(&["1a2b3c4", "0000001"]);
    let release = "{kind: HelmRelease, name: redis, ns: web, interval: 1h, spec: {values: {replicas: 3}}, failed: [UpgradeFailed, 'Helm upgrade failed: no']}";
    let unheard = cluster.replacen("staging", "staging not-yet=HelmRelease", 1);
    expect![[r#"
        untold · 9f8e7d6 not known
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: helmreleases not read yet
        told by HelmRelease/web/redis, Kustomization/flux-system/apps
    "#]]
    .assert_eq(&drawn(&ask(&format!("{old}{unheard}{PUSHED}"), &[REDIS])));
    expect![[r#"
        failed · ✗ 9f8e7d6 failed
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: HelmRelease/web/redis failed: Helm upgrade failed: no
        HelmRelease/web/redis in apps/redis.yaml
        told by HelmRelease/web/redis, Kustomization/flux-system/apps
    "#]]
    .assert_eq(&drawn(&ask(&format!("{old}{cluster}{release}\n{PUSHED}"), &[REDIS])));
}

#[test]
fn what_a_commit_changed_may_not_be_known() {
    let world = World::new(&format!("{REPO}{}{PUSHED}", cluster("staging", NEW, NEW, "")));
    let head = world.refs.head.clone().expect("HEAD");
    let (status, ..) =
        world.with(|inputs| crate::head_status(inputs, &head, Err("its parent is not in this clone")));
    expect![[r#"
        untold · 9f8e7d6 not known
        fleet: HEAD 9f8e7d6 on main
        staging: its parent is not in this clone
    "#]]
    .assert_eq(&drawn(&status));
}
