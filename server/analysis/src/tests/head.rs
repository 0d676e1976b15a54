//! HEAD in a line: the worst of the clusters, with its name, and never a ✓ that is not so at this moment.

use expect_test::{Expect, expect};
use std::fmt::Write as _;

use super::fixture::{World, at, object};
use super::gate::{REPO, before, cluster as bare_cluster, redis_before};
use super::shop::{self, ONE_DB, PUSHED, then};
use crate::{HeadState, HeadStatus};

fn ask(text: &str) -> HeadStatus {
    asked(&mut World::new(&format!("{REPO}{text}")))
}

fn asked(world: &mut World) -> HeadStatus {
    let head = world.refs.head.clone().expect("HEAD");
    for _ in 0..8 {
        let (status, lacks, _) = world.with(|inputs| crate::head_status(inputs, &head));
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
        writeln!(out, "cause {}", it.failed.as_ref().expect("it failed")).expect("text");
    }
    out
}

const RELEASE: &str =
    "{kind: HelmRelease, name: redis, ns: web, interval: 1h, at: 1.0.0, spec: {values: {replicas: 3}}}\n";

/// The cluster of the gate, where the release is as it is written.
fn cluster(name: &str, fetched: &str, applied: &str, more: &str) -> String {
    format!("{}{RELEASE}", bare_cluster(name, fetched, applied, more))
}

/// HEAD changed the Deployment.
fn check(text: &str, expected: Expect) {
    let text = format!("{}{text}", before(&["1a2b3c4", "0000001"]));
    expected.assert_eq(&drawn(&ask(&text)));
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
        "#]],
    );
    check(
        &format!("{}{PUSHED}", cluster("staging", NEW, OLD, "")),
        expect![[r#"
            waiting · 9f8e7d6 waiting (fetched)
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: Deployment/web/web: fetched main@9f8e7d6, not applied yet
        "#]],
    );
    check(
        &format!("{}{PUSHED}", cluster("staging", NEW, NEW, "")),
        expect![[r#"
            live · ✓ 9f8e7d6 live
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: live main@9f8e7d6, health not checked
        "#]],
    );
    let failed = ", failed: [BuildFailed, 'kustomize build failed: no such file', main@9f8e7d6]";
    check(
        &format!("{}{PUSHED}", cluster("staging", NEW, OLD, failed)),
        expect![[r#"
            failed · ✗ 9f8e7d6 failed
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: apps failed main@9f8e7d6: kustomize build failed: no such file
            cause Kustomization/flux-system/apps
        "#]],
    );
    let other = "//- cluster staging\n{kind: GitRepository, name: other, url: https://git.example/other, at: main@9f8e7d6}\n{kind: Kustomization, name: other, source: GitRepository/other, path: ./, at: main@9f8e7d6}\n";
    check(
        &format!("{other}{PUSHED}"),
        expect![[r#"
        nothing · 9f8e7d6 nothing to apply
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: nothing to apply
    "#]],
    );
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
        "#]],
    );
    check(
        &format!("{}{}{PUSHED} ascii", new("staging"), new("production")),
        expect![[r#"
            live · [ok] 9f8e7d6 live
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: live main@9f8e7d6, health not checked
            production: live main@9f8e7d6, health not checked
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
            cause Kustomization/flux-system/apps
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
            staging: Deployment/web/web: not in origin/main, which is followed
        "#]],
    );
    check(
        &head("pushed=feature@9f8e7d6"),
        expect![[r#"
            notFollowed · 9f8e7d6 not followed
            fleet: HEAD 9f8e7d6 on feature: Change web
            staging: Deployment/web/web: not in origin/main, which is followed
        "#]],
    );
    // Somebody pushed on top of it.
    check(
        &head("pushed=feature@c0ffee0 base=9f8e7d6+c0ffee0=9f8e7d6"),
        expect![[r#"
            notFollowed · 9f8e7d6 not followed
            fleet: HEAD 9f8e7d6 on feature: Change web
            staging: Deployment/web/web: not in origin/main, which is followed
        "#]],
    );
    check(
        &head("pushed=feature@c0ffee0 base=9f8e7d6+c0ffee0=1a2b3c4"),
        expect![[r#"
            notPushed · 9f8e7d6 not pushed
            fleet: HEAD 9f8e7d6 on feature, not pushed: Change web
            staging: Deployment/web/web: not in origin/main, which is followed
        "#]],
    );
    // Detached, and in the branch that is followed.
    check(
        &format!("{old}//- settings\nhead=9f8e7d6 pushed=c0ffee0 base=9f8e7d6+c0ffee0=9f8e7d6"),
        expect![[r#"
            waiting · 9f8e7d6 waiting (pushed)
            fleet: HEAD 9f8e7d6, detached: Change web
            staging: Deployment/web/web: pushed, not fetched yet
        "#]],
    );
    // All of it is live, by another commit: nothing has to be pushed for that.
    let live = cluster("staging", "main@c0ffee0", "main@c0ffee0", "");
    let local = "//- settings\nhead=feature@9f8e7d6 pushed=c0ffee0 base=9f8e7d6+c0ffee0=1a2b3c4";
    check(
        &format!("{live}{local}"),
        expect![[r#"
            live · ✓ 9f8e7d6 live
            fleet: HEAD 9f8e7d6 on feature, not pushed: Change web
            staging: live main@c0ffee0, health not checked
        "#]],
    );
}

#[test]
fn nobody_calls_live_what_may_have_changed_since() {
    for word in ["last-seen", "checking", "connecting", "unreachable", "never-signed-in"] {
        let silent = cluster(&format!("production {word}"), NEW, NEW, "");
        let all = format!("{}{}{silent}{PUSHED}", before(&["1a2b3c4"]), cluster("staging", NEW, NEW, ""));
        let status = ask(&all);
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
        "#]],
    );
    // What seems to be missing may not be listed yet.
    check(
        &format!("{}{PUSHED}", cluster("staging not-yet=OCIRepository", NEW, OLD, "")),
        expect![[r#"
            untold · 9f8e7d6 not known
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: ocirepositories not read yet
        "#]],
    );
    // Where not everything may be looked at, nobody knows.
    check(
        &format!("//- cluster staging forbidden=Kustomization\n{PUSHED}"),
        expect![[r#"
        untold · 9f8e7d6 not known
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: no permission to list kustomizations.kustomize.toolkit.fluxcd.io
    "#]],
    );
}

#[test]
fn a_release_says_itself_how_it_is() {
    let cluster = bare_cluster("staging", NEW, NEW, "");
    let cluster = cluster.replacen("Deployment/web/db]", "Deployment/web/db, HelmRelease/web/redis]", 1);
    let old = redis_before(&["1a2b3c4", "0000001"]);
    let release = "{kind: HelmRelease, name: redis, ns: web, interval: 1h, spec: {values: {replicas: 3}}, failed: [UpgradeFailed, 'Helm upgrade failed: no']}";
    let unheard = cluster.replacen("staging", "staging not-yet=HelmRelease", 1);
    expect![[r#"
        untold · 9f8e7d6 not known
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: helmreleases not read yet
    "#]]
    .assert_eq(&drawn(&ask(&format!("{old}{unheard}{PUSHED}"))));
    expect![[r#"
        failed · ✗ 9f8e7d6 failed
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: HelmRelease/web/redis failed: Helm upgrade failed: no
        cause HelmRelease/web/redis
    "#]]
    .assert_eq(&drawn(&ask(&format!("{old}{cluster}{release}\n{PUSHED}"))));
}

/// What HEAD's own commit changed makes no difference, nor how many commits came together.
#[test]
fn all_of_it_counts() {
    // A note on top of what is live.
    let asked = |text: &str, expected: Expect| expected.assert_eq(&drawn(&ask(text)));
    asked(
        &format!("{}{PUSHED}", cluster("staging", OLD, OLD, "")),
        expect![[r#"
        live · ✓ 9f8e7d6 live
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: live main@1a2b3c4, health not checked
    "#]],
    );
    asked(
        &format!("{}//- settings\nhead=main@9f8e7d6 pushed=main@1a2b3c4", cluster("staging", OLD, OLD, "")),
        expect![[r#"
            live · ✓ 9f8e7d6 live
            fleet: HEAD 9f8e7d6 on main, not pushed: Change web
            staging: live main@1a2b3c4, health not checked
        "#]],
    );
    // On top of what was not applied yet.
    let oldest = "main@0000001";
    let web = before(&["0000001"]);
    asked(
        &format!("{web}{}{PUSHED}", cluster("staging", oldest, oldest, "")),
        expect![[r#"
        waiting · 9f8e7d6 waiting (pushed)
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: Deployment/web/web: pushed, next poll by 06:08
    "#]],
    );
    asked(
        &format!("{web}{}{PUSHED}", cluster("staging", OLD, oldest, "")),
        expect![[r#"
        waiting · 9f8e7d6 waiting (fetched)
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: Deployment/web/web: fetched main@1a2b3c4, not applied yet
    "#]],
    );
    // The change is pushed, the note is not.
    let part = "//- settings\nhead=main@9f8e7d6 pushed=main@1a2b3c4@05:58 base=9f8e7d6+1a2b3c4=1a2b3c4";
    asked(
        &format!("{web}{}{part}", cluster("staging", oldest, oldest, "")),
        expect![[r#"
        waiting · 9f8e7d6 waiting (pushed)
        fleet: HEAD 9f8e7d6 on main, not pushed: Change web
        staging: Deployment/web/web: pushed, next poll by 06:08
    "#]],
    );
    // Two changes that were pushed together.
    let db = then(&["0000001"], "apps/db.yaml", ONE_DB);
    asked(
        &format!("{web}{db}{}{PUSHED}", cluster("staging", oldest, oldest, "")),
        expect![[r#"
        waiting · 9f8e7d6 waiting (pushed)
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: Deployment/web/web and 1 more: pushed, next poll by 06:08
    "#]],
    );
    // One Kustomization has it, another does not.
    let half = cluster("staging", OLD, OLD, "").replacen(
        "name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, at: main@1a2b3c4",
        "name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, at: main@0000001",
        1,
    );
    asked(
        &format!("{web}{half}{PUSHED}"),
        expect![[r#"
        waiting · 9f8e7d6 waiting (fetched)
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: Deployment/web/web: fetched main@1a2b3c4, not applied yet
    "#]],
    );
}

#[test]
fn a_failure_is_of_head_if_it_is_of_all_that_it_has() {
    let asked = |text: &str, expected: Expect| expected.assert_eq(&drawn(&ask(text)));
    let web = before(&["0000001"]);
    let failed =
        |at: &str| format!(", failed: [BuildFailed, 'kustomize build failed: no such file', main@{at}]");
    // A note on top of what failed, not fetched yet.
    asked(
        &format!(
            "{web}{}{PUSHED} base=9f8e7d6+1a2b3c4=1a2b3c4",
            cluster("staging", OLD, "main@0000001", &failed("1a2b3c4"))
        ),
        expect![[r#"
            failed · ✗ 9f8e7d6 failed
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: apps failed main@1a2b3c4: kustomize build failed: no such file
            cause Kustomization/flux-system/apps
        "#]],
    );
    // It failed with an older text, and has not tried this one.
    asked(
        &format!("{web}{}{PUSHED}", cluster("staging", NEW, "main@0000001", &failed("0000001"))),
        expect![[r#"
            waiting · 9f8e7d6 waiting (fetched)
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: Deployment/web/web: fetched main@9f8e7d6, not applied yet, apps failed main@0000001
        "#]],
    );
    // Its own text is the same, and what it lacked may be in what was changed elsewhere.
    let child = "//- then 1a2b3c4 clusters/staging/apps.yaml\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\nspec: {interval: 2h, path: ./apps, sourceRef: {kind: GitRepository, name: fleet}}\n";
    asked(
        &format!("{child}{}{PUSHED}", cluster("staging", NEW, OLD, &failed("1a2b3c4"))),
        expect![[r#"
        waiting · 9f8e7d6 waiting (fetched)
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: Kustomization/flux-system/apps: fetched main@9f8e7d6, not applied yet
    "#]],
    );
    // Another text failed since this one was applied: it comes again, unless the other is newer.
    let mended = |fetched: &str, more: &str| {
        format!("{web}{}{PUSHED}{more}", cluster("staging", fetched, OLD, &failed("0000001")))
    };
    asked(
        &mended("main@0000001", ""),
        expect![[r#"
        waiting · 9f8e7d6 waiting (pushed)
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: Kustomization/flux-system/apps: pushed, next poll by 06:08
    "#]],
    );
    asked(
        &mended(NEW, ""),
        expect![[r#"
        waiting · 9f8e7d6 waiting (fetched)
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: Kustomization/flux-system/apps: fetched main@9f8e7d6, not applied yet, apps failed main@0000001
    "#]],
    );
    asked(
        &mended("main@0000001", " base=9f8e7d6+0000001=9f8e7d6"),
        expect![[r#"
        older · 9f8e7d6 older than staging
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: Kustomization/flux-system/apps: main@0000001 is newer, and failed
    "#]],
    );
    // What is applied instead is in no clone, and no matter.
    asked(
        &format!("{}{PUSHED}", cluster("staging", NEW, "main@abcdef0", &failed("9f8e7d6"))),
        expect![[r#"
            failed · ✗ 9f8e7d6 failed
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: apps failed main@9f8e7d6: kustomize build failed: no such file
            cause Kustomization/flux-system/apps
        "#]],
    );
    // A release that failed before the commit was made, which is on its way.
    let release = RELEASE.replace("at: 1.0.0", "at: 1.0.0, status: {conditions: [{type: Ready, status: 'False', reason: UpgradeFailed, message: 'Helm upgrade failed: no', observedGeneration: 1, lastTransitionTime: 2026-11-19T20:00:00Z}]}");
    let sick = |fetched: &str, applied: &str| {
        format!("{web}{}{release}{PUSHED}", bare_cluster("staging", fetched, applied, ""))
    };
    asked(
        &sick(NEW, OLD),
        expect![[r#"
        failed · ✗ 9f8e7d6 failed
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: HelmRelease/web/redis failed: Helm upgrade failed: no
        cause HelmRelease/web/redis
    "#]],
    );
    asked(
        &sick(NEW, "main@0000001"),
        expect![[r#"
            waiting · 9f8e7d6 waiting (fetched)
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: Deployment/web/web: fetched main@9f8e7d6, not applied yet
        "#]],
    );
}

#[test]
fn what_is_newer_than_head() {
    let newer = format!("{}{PUSHED} base=9f8e7d6+c0ffee0=9f8e7d6", before(&["c0ffee0"]));
    let asked = |text: &str, expected: Expect| expected.assert_eq(&drawn(&ask(&format!("{text}{newer}"))));
    asked(
        &cluster("staging", "main@c0ffee0", "main@c0ffee0", ""),
        expect![[r#"
        older · 9f8e7d6 older than staging
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: Deployment/web/web: main@c0ffee0 has a newer text of it
    "#]],
    );
    asked(
        &format!(
            "{}{}",
            cluster("staging", "main@c0ffee0", "main@c0ffee0", ""),
            cluster("production", NEW, NEW, "")
        ),
        expect![[r#"
            older · 9f8e7d6 older than staging
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: Deployment/web/web: main@c0ffee0 has a newer text of it
            production: live main@9f8e7d6, health not checked
        "#]],
    );
    // Not in this clone.
    asked(
        &cluster("staging", "main@abcdef0", "main@abcdef0", ""),
        expect![[r#"
        untold · 9f8e7d6 not known
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: what Kustomization/flux-system/apps applies: main@abcdef0 is not in this clone; `git fetch origin` brings it
    "#]],
    );
    // A branch beside main that changed nothing of it.
    let beside = newer.replacen("c0ffee0=9f8e7d6", "c0ffee0=0000001", 1);
    let main = cluster("staging", "main@c0ffee0", "main@c0ffee0", "");
    expect![[r#"
        older · 9f8e7d6 older than staging
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: Deployment/web/web: main@c0ffee0 has a newer text of it
    "#]]
    .assert_eq(&drawn(&ask(&format!("{main}{beside}"))));
    // One that changed the same object.
    let both = format!("{main}{beside}\n{}", before(&["0000001"]));
    expect![[r#"
        waiting · 9f8e7d6 waiting (pushed)
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: Deployment/web/web: pushed, next poll by 06:08
    "#]]
    .assert_eq(&drawn(&ask(&both)));
}

/// Flux looks at everything again at each revision: what was live with this very content is so all the while.
#[test]
fn a_routine_attempt_is_not_waited_for() {
    let trying = |text: &str, expected: Expect| {
        let mut world = World::new(&format!("{REPO}{text}{}{PUSHED}", cluster("staging", NEW, OLD, "")));
        let line = "{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, interval: 1h, at: main@1a2b3c4, to: main@9f8e7d6, progress: 'Running health checks for revision REV with a timeout of 5m0s'}";
        let facts = &mut world.clusters[0].facts;
        let (at, trying) = (at("2026-11-22T05:59:00Z"), flux::Change::Applied(object(line)));
        *facts = std::sync::Arc::new(facts.apply(vec![trying], at).0);
        expected.assert_eq(&drawn(&asked(&mut world)));
    };
    trying(
        "",
        expect![[r#"
        live · ✓ 9f8e7d6 live
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: live main@9f8e7d6 and 1 more, health not checked
    "#]],
    );
    // What it depends on is being looked at, and it waits for that; or what it depends on fails.
    let waits =
        ", dependsOn: [base], failed: [DependencyNotReady, \"dependency 'flux-system/base' is not ready\"]";
    let base = |state: &str| {
        let kustomization = shop::kustomization("base", "./base", &format!("interval: 1h, at: {OLD}"));
        let mut world =
            World::new(&format!("{REPO}{}{kustomization}{PUSHED}", cluster("staging", NEW, OLD, waits)));
        let now = shop::kustomization("base", "./base", &format!("interval: 1h, at: {OLD}, {state}"));
        let facts = &mut world.clusters[0].facts;
        let (at, now) = (at("2026-11-22T05:59:00Z"), flux::Change::Applied(object(&now)));
        *facts = std::sync::Arc::new(facts.apply(vec![now], at).0);
        drawn(&asked(&mut world))
    };
    expect![[r#"
        live · ✓ 9f8e7d6 live
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: live main@1a2b3c4, health not checked
    "#]]
    .assert_eq(&base("progress: 'Building manifests'"));
    expect![[r#"
        failed · ✗ 9f8e7d6 failed
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: base failed main@0000001: no such file
        cause Kustomization/flux-system/base
    "#]]
    .assert_eq(&base("failed: [BuildFailed, 'no such file', main@0000001]"));
    // Nobody saw it well with this one.
    trying(
        &before(&["1a2b3c4"]),
        expect![[r#"
        waiting · 9f8e7d6 waiting (applied)
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: Kustomization/flux-system/apps: applied main@9f8e7d6, checking health until Sat 20:59
    "#]],
    );
}

#[test]
fn another_branch_beside_the_one_that_has_it() {
    let asked = |text: &str, expected: Expect| {
        expected.assert_eq(&drawn(&ask(&format!("{}{text}", before(&["0000001"])))))
    };
    let preview = "{kind: GitRepository, name: preview, url: https://git.example/fleet, at: preview@0000001, spec: {ref: {branch: preview}}}
{kind: Kustomization, name: preview, source: GitRepository/preview, path: ./apps, at: preview@0000001, holds: [Deployment/web/web]}
";
    let tips = "pushed=preview@0000001";
    asked(
        &format!("{}{preview}{PUSHED} {tips}", cluster("staging", NEW, NEW, "")),
        expect![[r#"
        live · ✓ 9f8e7d6 live
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: live main@9f8e7d6, health not checked
    "#]],
    );
    asked(
        &format!("//- cluster staging\n{preview}{RELEASE}{PUSHED} {tips}"),
        expect![[r#"
            notFollowed · 9f8e7d6 not followed
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: Deployment/web/web: not in origin/preview, which is followed
        "#]],
    );
    // Nothing of main has it, and something of main is as it was: that is not the same.
    let feature = "//- settings\nhead=feature@9f8e7d6 pushed=main@0000001 pushed=feature@9f8e7d6 base=9f8e7d6+0000001=0000001";
    let main = cluster("staging", "main@0000001", "main@0000001", "");
    asked(
        &format!("{main}{feature}"),
        expect![[r#"
            notFollowed · 9f8e7d6 not followed
            fleet: HEAD 9f8e7d6 on feature: Change web
            staging: Deployment/web/web: not in origin/main, which is followed
        "#]],
    );
}

#[test]
fn what_cannot_be_compared() {
    let asked = |text: &str, expected: Expect| expected.assert_eq(&drawn(&ask(text)));
    let oci = |at: &str| {
        format!("//- cluster staging
{{kind: OCIRepository, name: pricing, at: latest@{at}, metadata: {{org.opencontainers.image.source: 'https://git.example/fleet'}}}}
{{kind: Kustomization, name: pricing, source: OCIRepository/pricing, path: ./, at: latest@{at}, holds: [Deployment/web/web]}}
{PUSHED}")
    };
    asked(
        &oci("1a2b3c4"),
        expect![[r#"
        untold · 9f8e7d6 not known
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: from which folder of the repository the artifact of Kustomization/flux-system/pricing is made is not written down
    "#]],
    );
    // A part that is fetched from elsewhere: the same as long as nothing of what is read has changed.
    let base = |version: &str| {
        format!("resources: [web.yaml, redis.yaml, 'https://git.example/base?ref={version}']\n")
    };
    let remote = format!("//- apps/kustomization.yaml\n{}", base("v2"));
    let live = cluster("staging", OLD, OLD, "");
    asked(
        &format!("{remote}{live}{PUSHED}"),
        expect![[r#"
        live · ✓ 9f8e7d6 live
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: live main@1a2b3c4, health not checked
    "#]],
    );
    asked(
        &format!("{remote}//- then 1a2b3c4 apps/kustomization.yaml\n{}{live}{PUSHED}", base("v1")),
        expect![[r#"
            untold · 9f8e7d6 not known
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: part of what Kustomization/flux-system/apps applies cannot be built here: apps/kustomization.yaml: https://git.example/base?ref=v2 is fetched from elsewhere, and is not read here
        "#]],
    );
    // A chart in this repository.
    let chart = "//- charts/web/Chart.yaml\nname: web\nversion: 1.0.0\n//- charts/web/values.yaml\na: 2\n";
    let uses = |version: &str| {
        format!(
            "{{kind: HelmChart, name: flux-system-web, source: GitRepository/fleet, at: {version}, spec: {{chart: charts/web}}, status: {{artifact: {{revision: {version}, lastUpdateTime: '2026-11-21T19:00:00Z'}}}}}}\n\
             {{kind: HelmRelease, name: web, at: {version}, spec: {{chart: {{spec: {{chart: charts/web, sourceRef: {{kind: GitRepository, name: fleet}}}}}}}}, status: {{helmChart: flux-system/flux-system-web}}}}\n"
        )
    };
    asked(
        &format!("{chart}{live}{}{PUSHED}", uses("1.0.0")),
        expect![[r#"
        live · ✓ 9f8e7d6 live
        fleet: HEAD 9f8e7d6 on main: Change web
        staging: live main@1a2b3c4, health not checked
    "#]],
    );
    let older =
        |commit: &str| format!("//- then {commit} charts/web/Chart.yaml\nname: web\nversion: 0.9.0\n");
    let raised = format!("{chart}{}{}", older("0000001"), older("1a2b3c4"));
    asked(
        &format!("{raised}{live}{}{PUSHED}", uses("0.9.0")),
        expect![[r#"
            waiting · 9f8e7d6 waiting (pushed)
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: chart charts/web of HelmRelease/flux-system/web: pushed, next poll by 06:08
        "#]],
    );
    let same = format!(
        "{chart}//- then 1a2b3c4 charts/web/values.yaml\na: 1\n//- then 0000001 charts/web/values.yaml\na: 1\n"
    );
    let fetched = live.replace("main@1a2b3c4", "main@9f8e7d6");
    asked(
        &format!("{same}{fetched}{}{PUSHED}", uses("1.0.0")),
        expect![[r#"
            untold · 9f8e7d6 not taken
            fleet: HEAD 9f8e7d6 on main: Change web
            staging: chart charts/web of HelmRelease/flux-system/web: not taken: Chart.yaml is still 1.0.0 (ChartVersion)
        "#]],
    );
}
