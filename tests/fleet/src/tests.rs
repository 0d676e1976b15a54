//! The content holds together, and lays out the same everywhere.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use expect_test::expect;
use tempfile::TempDir;

use crate::{Cluster, Error, ORIGIN, commits, lay_out, scenario};

/// Git without anybody's configuration, `None` where there is no Git.
fn git(dir: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command
        .args(arguments)
        .current_dir(dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    match command.output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(output.status.success(), "git {arguments:?}: {text}");
            Some(text)
        }
        Err(error) => {
            println!("no git here, left out: {error}");
            None
        }
    }
}

#[test]
fn the_history_is_the_same_every_time() {
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let laid_out = lay_out(one.path()).unwrap();
    assert_eq!(laid_out.commits, lay_out(two.path()).unwrap().commits);
    let mut text = String::new();
    for (id, commit) in &laid_out.commits {
        writeln!(text, "{} {} {} {:?}", id.to_hex_with_len(7), commit.key, commit.subject, commit.branches)
            .unwrap();
    }
    writeln!(text, "head {}", laid_out.head().unwrap()).unwrap();
    expect![[r#"
        a1b81c0 01-bootstrap Bootstrap staging and production with the storefront []
        1be35c9 02-catalog-checkout-search Add catalog, checkout and search []
        14a48d7 03-payments-and-orders Add payments and orders []
        797241b 04-recommender-and-pricing Add the recommender as a chart of our own, and pricing as an artifact []
        098a19e 05-team-blue Give team blue its namespace and its rights []
        524dbed 06-preview-and-landing Preview the storefront, deliver the landing page by itself, alert on failures ["preview/gift-cards"]
        1c23c89 07-payments-floor Never fewer than six payments in production []
        0e67a53 08-freeze-checkout Freeze checkout in production for the autumn sale []
        bdb5f9d 09-fraud-scoring Score orders for fraud in production []
        181874b 10-loyalty-priority Loyalty: count points before reports run ["production"]
        3a56f59 11-search-api Rename search to search-api []
        7ccddc5 12-catalog-api Open the catalog's API on staging []
        a51c665 13-checkout-main Staging's checkout runs what was merged last []
        f27f082 14-payments-2.4 Release payments 2.4 to staging []
        b0b134e 15-orders-shards Spread staging's orders over three shards []
        3f987cc 16-recommender-large The recommender's large model, behind the gateway's port []
        5e3542b 17-preview-branch Follow the preview branch under its new name []
        21d6388 18-payments-ceiling Let production's payments scale to twelve []
        head 21d6388730aa0eee3cf61b887c7ca486474ba9c2
    "#]].assert_eq(&text);
}

#[test]
fn it_is_a_clean_clone_to_git() {
    let dir = TempDir::new().unwrap();
    lay_out(dir.path()).unwrap();
    let Some(status) = git(dir.path(), &["status", "--porcelain=v2", "--branch"]) else { return };
    expect![[r#"
        # branch.oid 21d6388730aa0eee3cf61b887c7ca486474ba9c2
        # branch.head main
        # branch.upstream origin/main
        # branch.ab +0 -0
    "#]]
    .assert_eq(&status);
    expect![""].assert_eq(&git(dir.path(), &["fsck", "--full", "--strict", "--no-progress"]).unwrap());
    expect![[r#"
        refs/remotes/origin/main<-refs/heads/main
        <-refs/remotes/origin/HEAD
        <-refs/remotes/origin/main
        <-refs/remotes/origin/preview/gift-cards
        <-refs/remotes/origin/production
    "#]]
    .assert_eq(&git(dir.path(), &["branch", "--all", "--format=%(upstream)<-%(refname)"]).unwrap());
    assert_eq!(git(dir.path(), &["remote", "get-url", "origin"]).unwrap().trim(), ORIGIN);
}

#[test]
fn what_is_there_is_not_touched() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("mine.txt"), "mine").unwrap();
    let result = lay_out(dir.path());
    assert!(matches!(result, Err(Error::NotEmpty(_))), "{result:?}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn each_commit_changes_what_it_says() {
    let mut text = String::new();
    let commits = commits().unwrap();
    for (before, commit) in commits.iter().zip(&commits[1..]) {
        writeln!(text, "{}", commit.key).unwrap();
        for path in before.paths().filter(|path| commit.file(path).is_none()) {
            writeln!(text, "  - {path}").unwrap();
        }
        for path in commit.paths().filter(|path| before.file(path) != commit.file(path)) {
            let sign = if before.file(path).is_none() { "+" } else { "~" };
            writeln!(text, "  {sign} {path}").unwrap();
        }
    }
    expect![[r#"
        02-catalog-checkout-search
          + apps/base/assistant/deployment.yaml
          + apps/base/assistant/kustomization.yaml
          + apps/base/assistant/service.yaml
          + apps/base/catalog/deployment.yaml
          + apps/base/catalog/kustomization.yaml
          + apps/base/catalog/service.yaml
          + apps/base/checkout/deployment.yaml
          + apps/base/checkout/kustomization.yaml
          + apps/base/checkout/service.yaml
          + apps/base/search/deployment.yaml
          + apps/base/search/kustomization.yaml
          + apps/base/search/service.yaml
          + apps/base/suggest/deployment.yaml
          + apps/base/suggest/kustomization.yaml
          + apps/base/suggest/service.yaml
          + apps/production/catalog/kustomization.yaml
          + apps/production/checkout/kustomization.yaml
          + apps/production/checkout/production.yaml
          + apps/production/search/heap.yaml
          + apps/production/search/kustomization.yaml
          + apps/staging/assistant/kustomization.yaml
          + apps/staging/catalog/kustomization.yaml
          + apps/staging/checkout/kustomization.yaml
          + apps/staging/checkout/staging.yaml
          + apps/staging/search/kustomization.yaml
          + apps/staging/search/small.yaml
          + apps/staging/suggest/kustomization.yaml
          + clusters/production/apps/catalog.yaml
          + clusters/production/apps/checkout.yaml
          + clusters/production/apps/search.yaml
          ~ clusters/production/kustomization.yaml
          + clusters/staging/apps/catalog.yaml
          + clusters/staging/apps/checkout.yaml
          + clusters/staging/apps/search.yaml
        03-payments-and-orders
          + apps/base/orders/kustomization.yaml
          + apps/base/orders/report.yaml
          + apps/base/orders/service.yaml
          + apps/base/orders/statefulset.yaml
          + apps/base/payments/autoscaler.yaml
          + apps/base/payments/deployment.yaml
          + apps/base/payments/kustomization.yaml
          + apps/base/payments/service.yaml
          + apps/production/orders/kustomization.yaml
          + apps/production/payments/kustomization.yaml
          + apps/staging/orders/kustomization.yaml
          + apps/staging/payments/kustomization.yaml
          + clusters/production/apps/orders.yaml
          + clusters/production/apps/payments.yaml
          ~ clusters/production/kustomization.yaml
          + clusters/staging/apps/orders.yaml
          + clusters/staging/apps/payments.yaml
        04-recommender-and-pricing
          ~ README.md
          + apps/base/recommender/kustomization.yaml
          + apps/base/recommender/release.yaml
          + apps/production/recommender/kustomization.yaml
          + apps/staging/recommender/kustomization.yaml
          + apps/staging/recommender/values.yaml
          + charts/recommender/Chart.yaml
          + charts/recommender/templates/_helpers.tpl
          + charts/recommender/templates/deployment.yaml
          + charts/recommender/templates/service.yaml
          + charts/recommender/values.yaml
          + clusters/production/apps/pricing.yaml
          + clusters/production/apps/recommender.yaml
          ~ clusters/production/kustomization.yaml
          + clusters/staging/apps/pricing.yaml
          + clusters/staging/apps/recommender.yaml
          + delivery/README.md
          + delivery/pricing/deployment.yaml
          + delivery/pricing/kustomization.yaml
          + delivery/pricing/rules.yaml
          + delivery/pricing/service.yaml
        05-team-blue
          ~ README.md
          ~ clusters/production/kustomization.yaml
          + clusters/production/tenants.yaml
          + clusters/staging/tenants.yaml
          + tenants/apps/loyalty/base/deployment.yaml
          + tenants/apps/loyalty/base/kustomization.yaml
          + tenants/apps/loyalty/production/kustomization.yaml
          + tenants/apps/loyalty/staging/kustomization.yaml
          + tenants/base/team-blue/kustomization.yaml
          + tenants/base/team-blue/namespace.yaml
          + tenants/base/team-blue/rbac.yaml
          + tenants/production/kustomization.yaml
          + tenants/production/loyalty.yaml
          + tenants/staging/kustomization.yaml
          + tenants/staging/loyalty.yaml
        06-preview-and-landing
          + apps/base/landing/deployment.yaml
          + apps/base/landing/kustomization.yaml
          + apps/base/landing/service.yaml
          + apps/staging/landing/kustomization.yaml
          + clusters/production/alerts.yaml
          ~ clusters/production/kustomization.yaml
          + clusters/staging/alerts.yaml
          + clusters/staging/apps/landing.yaml
          + clusters/staging/apps/preview.yaml
        07-payments-floor
          + apps/production/payments/autoscaler.yaml
          ~ apps/production/payments/kustomization.yaml
        08-freeze-checkout
          ~ clusters/production/apps/checkout.yaml
        09-fraud-scoring
          + apps/production/fraud-scoring/kustomization.yaml
          + apps/production/fraud-scoring/release.yaml
          + apps/production/fraud-scoring/source.yaml
          + clusters/production/apps/fraud-scoring.yaml
          ~ clusters/production/kustomization.yaml
        10-loyalty-priority
          ~ tenants/apps/loyalty/production/kustomization.yaml
          + tenants/apps/loyalty/production/priority.yaml
        11-search-api
          ~ apps/base/search/deployment.yaml
          ~ apps/base/search/service.yaml
          ~ apps/base/storefront/storefront.env
          ~ apps/production/search/heap.yaml
        12-catalog-api
          + apps/staging/catalog/ingress.yaml
          ~ apps/staging/catalog/kustomization.yaml
          ~ clusters/staging/apps/catalog.yaml
        13-checkout-main
          ~ apps/staging/checkout/staging.yaml
        14-payments-2.4
          ~ apps/staging/payments/kustomization.yaml
          + apps/staging/payments/release.yaml
        15-orders-shards
          ~ apps/staging/orders/kustomization.yaml
          + apps/staging/orders/shards.yaml
          ~ clusters/staging/apps/orders.yaml
        16-recommender-large
          ~ apps/staging/recommender/values.yaml
        17-preview-branch
          ~ clusters/staging/apps/preview.yaml
        18-payments-ceiling
          ~ apps/production/payments/autoscaler.yaml
    "#]]
    .assert_eq(&text);
}

#[test]
fn the_scenario_names_what_there_is() {
    let commits = commits().unwrap();
    let commit =
        |key: &str| commits.iter().find(|commit| commit.key == key).unwrap_or_else(|| panic!("no {key}"));
    for phase in scenario() {
        for push in &phase.pushes {
            commit(push.commit);
        }
        for artifact in &phase.artifacts {
            let below = format!("{}/", artifact.folder);
            assert!(commit(artifact.commit).paths().any(|path| path.starts_with(&below)));
        }
        for applied in &phase.applies {
            assert!(commit(applied.commit).file(applied.path).is_some());
        }
        for expected in &phase.expects {
            expected.at.map(commit);
        }
    }
    // In the end the branches are where the clone believes them to be.
    for commit in &commits {
        for branch in &commit.branches {
            let phases = scenario();
            let mut pushes = phases.iter().flat_map(|phase| &phase.pushes);
            let last = pushes.rfind(|push| push.branch == branch);
            assert_eq!(last.map(|push| push.commit), Some(commit.key.as_str()), "{branch}");
        }
    }
}

/// Content that changed without a new recording would show marks that no cluster ever set.
#[test]
fn the_recordings_are_of_this_history() {
    let dir = TempDir::new().unwrap();
    let laid_out = lay_out(dir.path()).unwrap();
    for cluster in Cluster::ALL {
        let list: serde_json::Value = serde_json::from_str(crate::recorded(cluster)).unwrap();
        let items = list["items"].as_array().unwrap();
        let source = items
            .iter()
            .find(|object| object["kind"] == "GitRepository" && object["metadata"]["name"] == "flux-system");
        let source = source.expect("the source of the cluster");
        assert_eq!(source["spec"]["url"], ORIGIN);
        let branch = source["spec"]["ref"]["branch"].as_str().unwrap();
        let (_, id) =
            laid_out.branches().into_iter().find(|(name, _)| name == branch).expect("a branch of the fleet");
        assert_eq!(
            source["status"]["artifact"]["revision"],
            format!("{branch}@sha1:{id}"),
            "record again: cargo run -p e2e --bin record",
        );
    }
}

/// Every state that the design names, and the objects that show it: read from the recordings.
#[test]
fn what_the_real_controllers_said() {
    for cluster in Cluster::ALL {
        let mut text = String::new();
        let list: serde_json::Value = serde_json::from_str(crate::recorded(cluster)).unwrap();
        for object in list["items"].as_array().unwrap() {
            let kind = object["kind"].as_str().unwrap();
            let meta = |key: &str| object["metadata"][key].as_str().unwrap_or_default();
            assert!(object["metadata"]["managedFields"].is_null(), "managedFields are left out");
            assert_ne!(kind, "Secret");
            let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let ready = conditions.iter().find(|condition| condition["type"] == "Ready");
            let said = ready.map_or("no conditions".into(), |ready| {
                format!("{} {}", ready["status"].as_str().unwrap(), ready["reason"].as_str().unwrap())
            });
            let suspended = if object["spec"]["suspend"] == true { ", suspended" } else { "" };
            writeln!(text, "{kind}/{}/{}: {said}{suspended}", meta("namespace"), meta("name")).unwrap();
        }
        match cluster {
            Cluster::Staging => expect![[r#"
                HelmRelease/shop/recommender: False RollbackSucceeded
                Kustomization/flux-system/assistant: False DependencyNotReady
                Kustomization/flux-system/catalog: False ReconciliationFailed
                Kustomization/flux-system/checkout: False ReconciliationFailed
                Kustomization/flux-system/flux-system: True ReconciliationSucceeded
                Kustomization/flux-system/infra-configs: True ReconciliationSucceeded
                Kustomization/flux-system/infra-controllers: True ReconciliationSucceeded
                Kustomization/flux-system/landing: True ReconciliationSucceeded
                Kustomization/flux-system/orders: Unknown Progressing
                Kustomization/flux-system/payments: False HealthCheckFailed
                Kustomization/flux-system/preview: True ReconciliationSucceeded
                Kustomization/flux-system/pricing: True ReconciliationSucceeded
                Kustomization/flux-system/recommender: False HealthCheckFailed
                Kustomization/flux-system/search: False BuildFailed
                Kustomization/flux-system/storefront: True ReconciliationSucceeded
                Kustomization/flux-system/suggest: False DependencyNotReady
                Kustomization/flux-system/tenants: True ReconciliationSucceeded
                Kustomization/team-blue/loyalty: True ReconciliationSucceeded
                Alert/flux-system/failures: no conditions
                Provider/flux-system/chat: no conditions
                ArtifactGenerator/flux-system/landing: True Succeeded
                ExternalArtifact/flux-system/landing: True Succeeded
                GitRepository/flux-system/flux-system: True Succeeded
                GitRepository/flux-system/preview: False GitOperationFailed
                HelmChart/flux-system/shop-recommender: True ChartPackageSucceeded
                OCIRepository/flux-system/pricing: True Succeeded
            "#]]
            .assert_eq(&text),
            Cluster::Production => expect![[r#"
                HelmRelease/shop/fraud-scoring: False SourceNotReady
                HelmRelease/shop/recommender: True InstallSucceeded
                Kustomization/flux-system/catalog: True ReconciliationSucceeded
                Kustomization/flux-system/checkout: True ReconciliationSucceeded, suspended
                Kustomization/flux-system/flux-system: True ReconciliationSucceeded
                Kustomization/flux-system/fraud-scoring: False HealthCheckFailed
                Kustomization/flux-system/infra-configs: True ReconciliationSucceeded
                Kustomization/flux-system/infra-controllers: True ReconciliationSucceeded
                Kustomization/flux-system/orders: True ReconciliationSucceeded
                Kustomization/flux-system/payments: False ReconciliationFailed
                Kustomization/flux-system/pricing: True ReconciliationSucceeded
                Kustomization/flux-system/recommender: True ReconciliationSucceeded
                Kustomization/flux-system/search: True ReconciliationSucceeded
                Kustomization/flux-system/storefront: True ReconciliationSucceeded
                Kustomization/flux-system/tenants: True ReconciliationSucceeded
                Kustomization/team-blue/loyalty: False ReconciliationFailed
                Alert/flux-system/failures: no conditions
                Provider/flux-system/chat: no conditions
                GitRepository/flux-system/flux-system: True Succeeded
                HelmChart/flux-system/shop-recommender: True ChartPackageSucceeded
                OCIRepository/flux-system/pricing: True Succeeded
                OCIRepository/shop/fraud-scoring: False ReadOperationFailed
            "#]]
            .assert_eq(&text),
        }
    }
}
