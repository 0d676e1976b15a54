//! A commit that is waited for: what it changed, how far that has come in each cluster, and what it comes to.

use expect_test::{Expect, expect};
use manifests::RepoPath;
use std::fmt::Write as _;

use super::fixture::{World, full};
use super::shop::{self, ONE_DB, ONE_REPLICA, PUSHED, apps, deployment, then};
use crate::{Gate, Question};

/// A root Kustomization, a child with a HelmRelease, and what the child applies. Commits: 0000001 is old, 1a2b3c4 is the
/// parent of 9f8e7d6, which is the one that is asked about; c0ffee0 is newer.
pub(super) const REPO: &str = concat!(
    apps!(),
    "\
//- apps/kustomization.yaml
resources: [web.yaml, db.yaml, redis.yaml]
//- apps/web.yaml
",
    deployment!("web", "replicas: 2"),
    "//- apps/db.yaml\n",
    deployment!("db", "replicas: 2"),
    "\
//- apps/redis.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: redis
  namespace: web
spec:
  interval: 1h
  values: {replicas: 3}
//- commits
0000001 Begin
1a2b3c4 Add web
9f8e7d6 Change web
c0ffee0 Say it otherwise
",
);

pub(super) const WEB: &str = "apps/web.yaml";
pub(super) const REDIS: &str = "apps/redis.yaml";

/// A cluster where the source has one revision and all Kustomizations applied another.
pub(super) fn cluster(name: &str, fetched: &str, applied: &str, more: &str) -> String {
    shop::cluster(name, fetched, applied, &format!("holds: [Deployment/web/web, Deployment/web/db]{more}"))
}

/// The Deployment had another text at these commits.
pub(super) fn before(commits: &[&str]) -> String {
    then(commits, WEB, ONE_REPLICA)
}

/// The release had another text at these commits.
pub(super) fn redis_before(commits: &[&str]) -> String {
    let text = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: redis, namespace: web}\nspec: {interval: 1h, values: {replicas: 1}}\n";
    then(commits, REDIS, text)
}

fn ask(text: &str, files: &[&str]) -> Gate {
    ask_of(&format!("{REPO}{text}"), files)
}

/// Whether 9f8e7d6, which changed these files, is live.
pub(super) fn ask_of(text: &str, files: &[&str]) -> Gate {
    let mut world = World::new(text);
    let question = Question {
        commit: full("9f8e7d6"),
        before: Some(full("1a2b3c4")),
        files: files.iter().map(|it| RepoPath::new(it).expect("a path")).collect(),
    };
    let mut gate = Gate::default();
    for _ in 0..8 {
        gate = world.with(|inputs| crate::gate(inputs, &question));
        if !gate.lacks.wants_history() {
            return gate;
        }
        world.look_up(std::mem::take(&mut gate.lacks));
    }
    panic!("it asks for ever: {:?}", gate.lacks)
}

pub(super) fn drawn(gate: &Gate) -> String {
    let mut out = format!("{}\n", gate.outcome.as_str());
    for it in &gate.gated {
        writeln!(out, "{}: {} [{}]: {}", it.cluster, it.object, it.step.as_str(), it.text).expect("text");
    }
    for (what, lines) in [("silent", &gate.silent), ("unknown", &gate.unknown), ("note", &gate.notes)] {
        lines.iter().for_each(|it| writeln!(out, "{what}: {it}").expect("text"));
    }
    out
}

/// The commit changed the Deployment.
fn check(text: &str, expected: Expect) {
    let text = format!("{}{text}", before(&["1a2b3c4", "0000001"]));
    expected.assert_eq(&drawn(&ask(&text, &[WEB])));
}

#[test]
fn every_stage() {
    let old = "main@1a2b3c4";
    let new = "main@9f8e7d6";
    check(
        &format!("{}//- settings\nhead=main@9f8e7d6 pushed=1a2b3c4", cluster("staging", old, old, "")),
        expect![[r#"
            waiting
            staging: Deployment/web/web [elsewhere]: not in origin/main, which is followed
        "#]],
    );
    check(
        &format!("{}{PUSHED}", cluster("staging", old, old, "")),
        expect![[r#"
        waiting
        staging: Deployment/web/web [pushed]: pushed, next poll by 06:08
    "#]],
    );
    check(
        &format!("{}{PUSHED}", cluster("staging", new, old, "")),
        expect![[r#"
        waiting
        staging: Deployment/web/web [fetched]: fetched main@9f8e7d6, not applied yet
    "#]],
    );
    check(
        &format!("{}{PUSHED}", cluster("staging", new, new, "")),
        expect![[r#"
        live
        staging: Deployment/web/web [live]: live main@9f8e7d6, health not checked
    "#]],
    );
    let checking = "//- cluster staging
{kind: GitRepository, name: fleet, url: https://git.example/fleet, at: main@9f8e7d6}
{kind: Kustomization, name: apps, source: GitRepository/fleet, path: ./apps, to: main@9f8e7d6, progress: 'Running health checks for revision REV with a timeout of 5m0s', holds: [Deployment/web/web], spec: {wait: true, timeout: 5m}}
";
    check(
        &format!("{checking}{PUSHED}"),
        expect![[r#"
        waiting
        staging: Deployment/web/web [applied]: applied main@9f8e7d6, checking health until Sat 20:05
    "#]],
    );
}

#[test]
fn the_worst_of_several_clusters_counts() {
    let one = cluster("staging", "main@9f8e7d6", "main@9f8e7d6", "");
    let other = cluster("production", "main@1a2b3c4", "main@1a2b3c4", "");
    check(
        &format!("{one}{other}{PUSHED}"),
        expect![[r#"
        waiting
        staging: Deployment/web/web [live]: live main@9f8e7d6, health not checked
        production: Deployment/web/web [pushed]: pushed, next poll by 06:08
    "#]],
    );
    // What is only recorded is told as recorded.
    let recorded = cluster("staging recorded", "main@9f8e7d6", "main@9f8e7d6", "");
    check(
        &format!("{recorded}{PUSHED}"),
        expect![[r#"
        live
        staging: Deployment/web/web [live]: live main@9f8e7d6, health not checked, as recorded 2026-11-22 05:07
    "#]],
    );
    // Nobody may call live what may have changed since.
    for word in ["last-seen", "checking", "connecting", "unreachable", "never-signed-in", "no-flux"] {
        let silent = cluster(&format!("production {word}"), "main@9f8e7d6", "main@9f8e7d6", "");
        let gate = ask(&format!("{}{one}{silent}{PUSHED}", before(&["1a2b3c4"])), &[WEB]);
        assert_eq!(gate.outcome, crate::Outcome::Waiting, "{word}: {}", drawn(&gate));
    }
}

#[test]
fn failures_of_this_text_end_it() {
    let failed = |at: &str| {
        let failed =
            format!(", failed: [ReconciliationFailed, 'Deployment/web/web dry-run failed', main@{at}]");
        format!("{}{PUSHED}", cluster("staging", "main@9f8e7d6", "main@1a2b3c4", &failed))
    };
    check(
        &failed("9f8e7d6"),
        expect![[r#"
        failed
        staging: Deployment/web/web [failed]: apps failed main@9f8e7d6: Deployment/web/web dry-run failed
    "#]],
    );
    // A newer commit with the same text.
    check(
        &failed("c0ffee0"),
        expect![[r#"
        failed
        staging: Deployment/web/web [failed]: apps failed main@c0ffee0: Deployment/web/web dry-run failed
    "#]],
    );
    // An older text: it is on its way.
    check(
        &failed("0000001"),
        expect![[r#"
        waiting
        staging: Deployment/web/web [fetched]: fetched main@9f8e7d6, not applied yet, apps failed main@0000001
    "#]],
    );
    // It was changed to and fro since.
    check(
        &format!("{} base=9f8e7d6+c0ffee0=c0ffee0", failed("c0ffee0")),
        expect![[r#"
        waiting
        staging: Deployment/web/web [fetched]: fetched main@9f8e7d6, not applied yet, apps failed main@c0ffee0
    "#]],
    );
    let sick = ", failed: [HealthCheckFailed, 'health check failed after 5m', main@9f8e7d6]";
    check(
        &format!("{}{PUSHED}", cluster("staging", "main@9f8e7d6", "main@9f8e7d6", sick)),
        expect![[r#"
        failed
        staging: Deployment/web/web [failed]: apps failed main@9f8e7d6: health check failed after 5m
    "#]],
    );
    // What waits has not failed.
    let waits =
        ", dependsOn: [base], failed: [DependencyNotReady, \"dependency 'flux-system/base' is not ready\"]";
    check(
        &format!("{}{PUSHED}", cluster("staging", "main@9f8e7d6", "main@1a2b3c4", waits)),
        expect![[r#"
        waiting
        staging: Deployment/web/web [fetched]: fetched main@9f8e7d6, not applied yet, apps waits for Kustomization/flux-system/base
    "#]],
    );
}

/// The failed revision has the same text of one of two objects: what failed may be the other.
#[test]
fn a_failure_is_of_this_text_only_if_all_of_it_is_there() {
    let db = then(&["1a2b3c4"], "apps/db.yaml", ONE_DB);
    let failed = ", failed: [ReconciliationFailed, 'Deployment/web/web dry-run failed', main@0000001]";
    let cluster = cluster("staging", "main@9f8e7d6", "main@1a2b3c4", failed);
    expect![[r#"
        waiting
        staging: Deployment/web/web [fetched]: fetched main@9f8e7d6, not applied yet, apps failed main@0000001
        staging: Deployment/web/db [fetched]: fetched main@9f8e7d6, not applied yet, apps failed main@0000001
    "#]]
    .assert_eq(&drawn(&ask(&format!("{}{db}{cluster}{PUSHED}", before(&["1a2b3c4", "0000001"])), &[WEB])));
}

#[test]
fn content_counts_and_not_commits() {
    // Squashed, or picked: a commit that has nothing to do with this one.
    check(
        &format!("{}{PUSHED}", cluster("staging", "main@c0ffee0", "main@c0ffee0", "")),
        expect![[r#"
        live
        staging: Deployment/web/web [live]: live main@c0ffee0, health not checked
    "#]],
    );
    // Somebody changed it again.
    let newer = format!(
        "{}{}{PUSHED} base=9f8e7d6+c0ffee0=9f8e7d6",
        before(&["c0ffee0"]),
        cluster("staging", "main@c0ffee0", "main@c0ffee0", "")
    );
    check(
        &newer,
        expect![[r#"
        untold
        staging: Deployment/web/web [replaced]: main@c0ffee0 has a newer text of it
    "#]],
    );
    // The same text as now, in another branch of history: on its way all the same.
    let other = newer.replacen("base=9f8e7d6+c0ffee0=9f8e7d6", "base=9f8e7d6+c0ffee0=0000001", 1);
    check(
        &other,
        expect![[r#"
        waiting
        staging: Deployment/web/web [pushed]: pushed, next poll by 06:08
    "#]],
    );
    // The work tree has another text already: the commit counts.
    let mut world =
        format!("{}{}{PUSHED}", before(&["1a2b3c4"]), cluster("staging", "main@9f8e7d6", "main@9f8e7d6", ""));
    world.push_str("\n//- then 9f8e7d6 apps/web.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: web}\nspec: {replicas: 7}\n");
    expect![[r#"
        live
        staging: Deployment/web/web [live]: live main@9f8e7d6, health not checked
    "#]]
    .assert_eq(&drawn(&ask(&world, &[WEB])));
    // What is applied is in no clone.
    check(
        &format!("{}{PUSHED}", cluster("staging", "main@abcdef0", "main@abcdef0", "")),
        expect![[r#"
        waiting
        staging: Deployment/web/web [pushed]: pushed, next poll by 06:08; main@abcdef0 is not in this clone; `git fetch origin` brings it
    "#]],
    );
}

#[test]
fn a_branch_that_is_followed_beside_is_not_waited_for() {
    let preview = "{kind: GitRepository, name: preview, url: https://git.example/fleet, at: preview@0000001, spec: {ref: {branch: preview}}}
{kind: Kustomization, name: preview, source: GitRepository/preview, path: ./apps, at: preview@0000001, holds: [Deployment/web/web]}
";
    let live = cluster("staging", "main@9f8e7d6", "main@9f8e7d6", "") + preview;
    check(
        &format!("{live}{PUSHED} pushed=preview@0000001"),
        expect![[r#"
            live
            staging: Deployment/web/web [live]: live main@9f8e7d6, health not checked
            note: staging: Deployment/web/web is not waited for: not in origin/preview, which is followed
        "#]],
    );
    // Alone it is what is waited for.
    let alone = format!("//- cluster staging\n{preview}{PUSHED} pushed=preview@0000001");
    check(
        &alone,
        expect![[r#"
            waiting
            staging: Deployment/web/web [elsewhere]: not in origin/preview, which is followed
        "#]],
    );
}

#[test]
fn what_nobody_applies() {
    let live = cluster("staging", "main@1a2b3c4", "main@1a2b3c4", "");
    let asked = |text: &str, files: &[&str]| drawn(&ask(&format!("{live}{text}{PUSHED}"), files));
    expect![[r#"
        nothing
        note: no Kustomization here reads 1 changed file: README.md
    "#]]
    .assert_eq(&asked("", &["README.md"]));
    // Only comments and the order of keys.
    let comments = "//- then 1a2b3c4 apps/web.yaml\n# web\nkind: Deployment\napiVersion: apps/v1\nmetadata: {namespace: web, name: web}\nspec: {replicas: 2}\n";
    expect![[r#"
        nothing
    "#]]
    .assert_eq(&asked(comments, &[WEB]));
    // Where not everything may be looked at, that nothing applies it is not known.
    let forbidden = live.replacen("staging", "staging forbidden=Kustomization", 1);
    expect![[r#"
        untold
        unknown: staging: no permission to list kustomizations.kustomize.toolkit.fluxcd.io
        note: no Kustomization here reads 1 changed file: README.md
    "#]]
    .assert_eq(&drawn(&ask(&format!("{forbidden}{PUSHED}"), &["README.md"])));
    expect![[r#"
        nothing
        note: no Kustomization here reads 1 changed file: apps/web.yaml
    "#]]
    .assert_eq(&drawn(&ask(PUSHED, &[WEB])));
}

#[test]
fn what_is_new_and_what_is_gone() {
    let added = "//- then 1a2b3c4 apps/db.yaml\nabsent\n//- then 1a2b3c4 apps/kustomization.yaml\nresources: [web.yaml, redis.yaml]\n";
    let old = cluster("staging", "main@1a2b3c4", "main@1a2b3c4", "");
    let new = cluster("staging", "main@9f8e7d6", "main@9f8e7d6", "");
    let asked =
        |text: &str| drawn(&ask(&format!("{text}{PUSHED}"), &["apps/db.yaml", "apps/kustomization.yaml"]));
    expect![[r#"
        waiting
        staging: Deployment/web/db [pushed]: pushed, next poll by 06:08
    "#]]
    .assert_eq(&asked(&format!("{added}{old}")));
    expect![[r#"
        live
        staging: Deployment/web/db [live]: live main@9f8e7d6, health not checked
    "#]]
    .assert_eq(&asked(&format!("{added}{new}")));
    let gone = "//- then 9f8e7d6 apps/db.yaml\nabsent\n//- then 9f8e7d6 apps/kustomization.yaml\nresources: [web.yaml, redis.yaml]\n";
    expect![[r#"
        waiting
        staging: Deployment/web/db [pushed]: pushed, next poll by 06:08
    "#]]
    .assert_eq(&asked(&format!("{gone}{old}")));
    // Its inventory holds it yet.
    expect![[r#"
        waiting
        staging: Deployment/web/db [applied]: applied main@9f8e7d6, not removed yet
    "#]]
    .assert_eq(&asked(&format!("{gone}{new}")));
    expect![[r#"
        live
        staging: Deployment/web/db [live]: removed main@9f8e7d6
    "#]]
    .assert_eq(&asked(&format!("{gone}{}", new.replacen(", Deployment/web/db", "", 1))));
    // A Kustomization goes with all that it applies: what applies it tells.
    let all = "//- clusters/staging/more.yaml\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: more}\n//- then 9f8e7d6 clusters/staging/apps.yaml\nabsent\n";
    expect![[r#"
        waiting
        staging: Kustomization/flux-system/apps [pushed]: pushed, next poll by 06:08
    "#]]
    .assert_eq(&asked(&format!("{all}{old}")));
}

#[test]
fn what_kustomize_refuses() {
    let gone = "//- then 9f8e7d6 apps/db.yaml\nabsent\n";
    let asked = |text: &str| drawn(&ask(&format!("{gone}{text}{PUSHED}"), &["apps/db.yaml"]));
    expect![[r#"
        waiting
        staging: Kustomization/flux-system/apps [refused]: kustomize will refuse it: apps/kustomization.yaml: apps/db.yaml does not exist
    "#]].assert_eq(&asked(&cluster("staging", "main@1a2b3c4", "main@1a2b3c4", "")));
    let failed =
        |at: &str| format!(", failed: [BuildFailed, 'kustomize build failed: no such file', main@{at}]");
    expect![[r#"
        failed
        staging: Kustomization/flux-system/apps [failed]: apps failed main@9f8e7d6: kustomize build failed: no such file
    "#]].assert_eq(&asked(&cluster("staging", "main@9f8e7d6", "main@1a2b3c4", &failed("9f8e7d6"))));
    expect![[r#"
        waiting
        staging: Kustomization/flux-system/apps [refused]: kustomize will refuse it: apps/kustomization.yaml: apps/db.yaml does not exist
    "#]].assert_eq(&asked(&cluster("staging", "main@9f8e7d6", "main@1a2b3c4", &failed("0000001"))));
}

/// The same was refused before, and the commit does not touch it.
#[test]
fn what_was_refused_before_is_no_matter_of_this_commit() {
    let gone = "//- then 9f8e7d6 apps/db.yaml\nabsent\n//- then 1a2b3c4 apps/db.yaml\nabsent\n";
    let failed = ", failed: [BuildFailed, 'kustomize build failed: no such file', main@9f8e7d6]";
    let all = format!("{gone}{}{PUSHED}", cluster("staging", "main@9f8e7d6", "main@1a2b3c4", failed));
    expect![[r#"
        nothing
        note: no Kustomization here reads 1 changed file: README.md
    "#]]
    .assert_eq(&drawn(&ask(&all, &["README.md"])));
    // It does, and mends too little.
    expect![[r#"
        failed
        staging: Kustomization/flux-system/apps [failed]: apps failed main@9f8e7d6: kustomize build failed: no such file
    "#]]
    .assert_eq(&drawn(&ask(&all, &[WEB])));
}

/// What is fetched from elsewhere may have changed with its address.
#[test]
fn what_cannot_be_built_here() {
    let base = "//- apps/kustomization.yaml\nresources: [web.yaml, redis.yaml, 'https://git.example/base?ref=v2']\n//- then 1a2b3c4 apps/kustomization.yaml\nresources: [web.yaml, db.yaml, redis.yaml, 'https://git.example/base?ref=v1']\n";
    let live = cluster("staging", "main@9f8e7d6", "main@9f8e7d6", "");
    let asked =
        |text: &str| drawn(&ask(&format!("{base}{text}{live}{PUSHED}"), &["apps/kustomization.yaml"]));
    expect![[r#"
        untold
        unknown: staging: part of what Kustomization/flux-system/apps applies cannot be built here: apps/kustomization.yaml: https://git.example/base?ref=v2 is fetched from elsewhere, and is not read here
    "#]].assert_eq(&asked(""));
    expect![[r#"
        live
        staging: Deployment/web/web [live]: live main@9f8e7d6, health not checked
        note: staging: part of what Kustomization/flux-system/apps applies cannot be built here: apps/kustomization.yaml: https://git.example/base?ref=v2 is fetched from elsewhere, and is not read here
    "#]].assert_eq(&asked(&before(&["1a2b3c4"])));
}

/// An artifact of which nobody wrote down where its root is in the repository.
#[test]
fn artifacts_without_a_known_root() {
    let oci = "//- cluster staging
{kind: OCIRepository, name: pricing, at: latest@1a2b3c4, metadata: {org.opencontainers.image.source: 'https://git.example/fleet'}}
{kind: Kustomization, name: pricing, source: OCIRepository/pricing, path: ./, at: latest@1a2b3c4, holds: [Deployment/web/web]}
";
    expect![[r#"
        untold
        unknown: staging: from which folder of the repository the artifact of Kustomization/flux-system/pricing is made is not written down
        note: no Kustomization here reads 1 changed file: apps/web.yaml
    "#]].assert_eq(&drawn(&ask(&format!("{}{oci}{PUSHED}", before(&["1a2b3c4"])), &[WEB])));
    expect![[r#"
        nothing
        note: staging: from which folder of the repository the artifact of Kustomization/flux-system/pricing is made is not written down
        note: no Kustomization here reads 1 changed file: apps/db.yaml
    "#]].assert_eq(&drawn(&ask(&format!("{oci}{PUSHED}"), &["apps/db.yaml"])));
}

#[test]
fn a_release_has_its_own_end() {
    let old = redis_before(&["1a2b3c4", "0000001"]);
    let here = |release: &str| {
        let cluster = cluster("staging", "main@9f8e7d6", "main@9f8e7d6", "");
        let cluster = cluster.replacen("Deployment/web/db]", "Deployment/web/db, HelmRelease/web/redis]", 1);
        drawn(&ask(&format!("{old}{cluster}{release}\n{PUSHED}"), &[REDIS]))
    };
    let release = |spec: &str, more: &str| {
        format!(
            "{{kind: HelmRelease, name: redis, ns: web, interval: 1h, spec: {{values: {{replicas: {spec}}}}}{more}}}"
        )
    };
    expect![[r#"
        live
        staging: HelmRelease/web/redis [live]: live main@9f8e7d6
    "#]]
    .assert_eq(&here(&release("3", ", at: 1.0.0")));
    // The cluster was not heard to have the new spec yet.
    expect![[r#"
        waiting
        staging: HelmRelease/web/redis [applied]: applied main@9f8e7d6, the cluster has another spec
    "#]]
    .assert_eq(&here(&release("1", ", at: 1.0.0")));
    expect![[r#"
        failed
        staging: HelmRelease/web/redis [failed]: HelmRelease/web/redis failed: Helm upgrade failed: no
    "#]]
    .assert_eq(&here(&release("3", ", failed: [UpgradeFailed, 'Helm upgrade failed: no']")));
    expect![[r#"
        waiting
        staging: HelmRelease/web/redis [applied]: applied main@9f8e7d6, the cluster has another spec
    "#]]
    .assert_eq(&here(&release("1", ", failed: [UpgradeFailed, 'Helm upgrade failed: no']")));
    expect![[r#"
        waiting
        staging: HelmRelease/web/redis [applied]: applied main@9f8e7d6, not ready yet
    "#]]
    .assert_eq(&here(&release("3", ", progress: 'Running upgrade action'")));
    expect![[r#"
        waiting
        staging: HelmRelease/web/redis [applied]: applied main@9f8e7d6, not seen yet
    "#]]
    .assert_eq(&here(""));
}
