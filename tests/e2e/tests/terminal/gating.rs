//! `check --commit`.

use std::path::Path;
use std::process::Command;

use e2e::binary::{Ran, run};
use expect_test::{Expect, expect};
use fleet::Cluster;
use serde_json::Value;

use super::{Fleet, assert_plain, masked};

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["-c", "user.name=Ada", "-c", "user.email=ada@shop.invalid"]);
    let ran = run(command.args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout.trim().to_owned()
}

fn gate(fleet: &Fleet, commit: &str, clusters: &[Cluster]) -> Ran {
    let ran = fleet.run(&["check", "--commit", commit, "--wait", "10m"], clusters);
    assert_plain(&ran.stdout);
    ran
}

fn check(fleet: &Fleet, commit: &str, clusters: &[Cluster], code: i32, expected: Expect) {
    let ran = gate(fleet, commit, clusters);
    let text = format!("{}{}", masked(&ran.stdout), ran.stderr);
    // A deadline is told without its day on the day of the recording.
    let line = |line: &str| match line.split_once(" until ") {
        Some((before, _)) => format!("{before} until <time>\n"),
        None => format!("{line}\n"),
    };
    expected.assert_eq(&text.lines().map(line).collect::<String>());
    assert_eq!(ran.code, code);
}

#[test]
fn the_commits_of_the_fleet() {
    let fleet = Fleet::lay_out();
    // What only production applies.
    check(
        &fleet,
        "HEAD",
        &[Cluster::Staging],
        0,
        expect![[r#"
        note: staging: from which folder of the repository the artifact of Kustomization/flux-system/pricing is made is not written down
        note: no Kustomization here reads 1 changed file: apps/production/payments/autoscaler.yaml
        21d6388 (Let production's payments scale to twelve) changes nothing that is applied here
    "#]],
    );
    // Give team blue its namespace and its rights.
    check(
        &fleet,
        "HEAD~13",
        &[Cluster::Staging],
        0,
        expect![[r#"
        staging: Kustomization/flux-system/tenants, Kustomization/team-blue/loyalty and 1 more: live main@21d6388, as recorded <time>
        staging: Namespace/team-blue, ServiceAccount/team-blue/reconciler and 1 more: live main@21d6388, health not checked, as recorded <time>
        note: staging: from which folder of the repository the artifact of Kustomization/flux-system/pricing is made is not written down
        note: no Kustomization here reads 6 changed files: README.md, clusters/production/kustomization.yaml, clusters/production/tenants.yaml, tenants/apps/loyalty/production/kustomization.yaml, tenants/production/kustomization.yaml and 1 more
        098a19e (Give team blue its namespace and its rights) is live
    "#]],
    );
    // Release payments 2.4 to staging.
    check(
        &fleet,
        "HEAD~4",
        &[Cluster::Staging],
        1,
        expect![[r#"
        staging: Deployment/shop/payments: payments failed main@21d6388: health check failed after <duration>: timeout waiting for: [Deployment/shop/payments status: 'InProgress']
        note: staging: from which folder of the repository the artifact of Kustomization/flux-system/pricing is made is not written down

        error[HealthCheckFailed]: as recorded <time>, staging: applied main@21d6388, unhealthy: Deployment/shop/payments did not become ready in time
         --> apps/base/payments/deployment.yaml:4:9
          |
        4 |   name: payments
          |         ^^^^^^^^ Kustomization/flux-system/payments at main@21d6388
          |
        note: Kustomization/flux-system/payments: applied main@21d6388, unhealthy
         --> clusters/staging/apps/payments.yaml:4:9
          |
        4 |   name: payments
          |         --------

        f27f082 (Release payments 2.4 to staging) failed
    "#]],
    );
    // Spread staging's orders over three shards: its health is being checked.
    check(
        &fleet,
        "HEAD~3",
        &[Cluster::Staging],
        2,
        expect![[r#"
        not yet: staging: Kustomization/flux-system/orders: applied main@21d6388, not ready yet
        not yet: staging: StatefulSet/shop/orders: applied main@21d6388, checking health until <time>
        note: staging: from which folder of the repository the artifact of Kustomization/flux-system/pricing is made is not written down
        b0b134e (Spread staging's orders over three shards) is not live
    "#]],
    );
    // Preview the storefront: the branch that is followed has another name since.
    check(
        &fleet,
        "HEAD~12",
        &[Cluster::Staging],
        2,
        expect![[r#"
        staging: Provider/flux-system/chat, Alert/flux-system/failures and 3 more: live main@21d6388, as recorded <time>
        staging: Deployment/shop/landing, Service/shop/landing: live main@524dbed, as recorded <time>
        staging: Deployment/shop/preview-storefront, Service/shop/preview-storefront and 2 more: live preview/gift-cards@524dbed, as recorded <time>
        could not be told: staging: GitRepository/flux-system/preview: main@21d6388 has a newer text of it
        note: staging: from which folder of the repository the artifact of Kustomization/flux-system/pricing is made is not written down
        note: no Kustomization here reads 2 changed files: clusters/production/alerts.yaml and clusters/production/kustomization.yaml
        524dbed (Preview the storefront, deliver the landing page by itself, alert on failures) could not be told to be live
    "#]],
    );
}

#[test]
fn the_text_of_the_commit_counts_and_not_the_work_tree() {
    let fleet = Fleet::lay_out();
    let before = gate(&fleet, "HEAD~4", &[Cluster::Staging]);
    assert_eq!(before.code, 1, "{}", before.stdout);
    git(&fleet.clone(), &["checkout", "--quiet", "HEAD~6"]);
    std::fs::remove_file(fleet.clone().join("apps/base/payments/deployment.yaml")).unwrap();
    let after = gate(&fleet, "main~4", &[Cluster::Staging]);
    assert_eq!((after.code, after.stdout), (before.code, before.stdout));
}

#[test]
fn what_is_not_applied_and_what_is_not_there() {
    let fleet = Fleet::lay_out();
    std::fs::write(fleet.clone().join("NOTES.md"), "Notes\n").unwrap();
    git(&fleet.clone(), &["add", "--all"]);
    git(&fleet.clone(), &["commit", "--quiet", "--message", "Take notes"]);
    let ran = gate(&fleet, "HEAD", &[Cluster::Staging]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.ends_with(" (Take notes) changes nothing that is applied here\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("no Kustomization here reads 1 changed file: NOTES.md"), "{}", ran.stdout);
    check(
        &fleet,
        &"1".repeat(40),
        &[Cluster::Staging],
        2,
        expect![[r#"
        fluxcd-ls: commit 1111111 is not in this clone; run `git fetch origin main`
    "#]],
    );
    check(
        &fleet,
        "no-such-branch",
        &[Cluster::Staging],
        2,
        expect![[r#"
        fluxcd-ls: 'no-such-branch' names no commit of this clone; run `git fetch origin main` if it is new
    "#]],
    );
    let shallow = fleet.folder.path().join("shallow");
    let url = format!("file://{}", fleet.clone().display());
    git(fleet.folder.path(), &["clone", "--quiet", "--depth", "1", &url, "shallow"]);
    let mut command = fleet.home.command(["check", "--commit", "HEAD", "--snapshot"]);
    let ran = run(command.arg(fleet.recording(Cluster::Staging)).current_dir(shallow));
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    expect![[r#"
        fluxcd-ls: the history of this clone is cut off before the answer; run `git fetch --unshallow origin`
    "#]]
    .assert_eq(&ran.stderr);
}

#[test]
fn machines_are_told_the_same() {
    let fleet = Fleet::lay_out();
    let ran = fleet.run(&["check", "--commit", "HEAD~4", "--format", "json"], &[Cluster::Staging]);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &told["outcome"], &told["version"]), (1, &"failed".into(), &1.into()), "{told:#}");
    assert_eq!(told["commit"], git(&fleet.clone(), &["rev-parse", "HEAD~4"]), "{told:#}");
    let objects = told["objects"].as_array().unwrap();
    assert!(objects.iter().any(|it| it["outcome"] == "failed"), "{told:#}");
    assert!(!told["findings"].as_array().unwrap().is_empty(), "{told:#}");
    let github = fleet.run(&["check", "--commit", "HEAD~4", "--format", "github"], &[Cluster::Staging]);
    assert!(github.stdout.starts_with("::error file="), "{}", github.stdout);
}
