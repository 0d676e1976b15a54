//! Commit statuses that the real notification-controller posts to the real Gitea, with and without the cluster.

use std::time::Duration;

use e2e::binary::{Home, run};
use e2e::lsp::{Client, Options};
use e2e::shop::Shop;
use serde_json::json;
use testbed::{Cluster, Testbed};

use crate::{SHOPS, admin, connected, story, yes};

const PATIENCE: Duration = Duration::from_secs(60);

/// Lets Flux report the shop's Kustomization to Gitea.
async fn report(testbed: &Testbed, cluster: &Cluster, shop: &Shop, name: &str) -> testbed::Result<()> {
    cluster.apply_value(testbed.gitea().token_secret("flux-system", name)).await?;
    let address = format!("{}/{}/{name}", testbed.gitea().url(), testbed::USER);
    cluster
        .apply(&format!(
            "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Provider\nmetadata:\n  name: {name}\n  namespace: flux-system\n\
             spec:\n  type: gitea\n  address: {address}\n  secretRef:\n    name: {name}\n---\n\
             apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Alert\nmetadata:\n  name: {name}\n  namespace: flux-system\n\
             spec:\n  providerRef:\n    name: {name}\n  eventSources:\n    - kind: Kustomization\n      name: {name}\n"
        ))
        .await?;
    posted(testbed, cluster, shop, name, "success").await
}

/// Waits until Gitea has this of HEAD. Events that came before the Alert are lost, so Flux is asked again.
async fn posted(
    testbed: &Testbed,
    cluster: &Cluster,
    shop: &Shop,
    name: &str,
    outcome: &str,
) -> testbed::Result<()> {
    let commit = shop.head();
    let statuses = async || {
        let statuses = testbed.gitea().statuses(name, &commit).await?;
        let newest = statuses.first().is_some_and(|it| it["status"] == outcome);
        if !newest {
            cluster.reconcile(&shop.object()).await?;
        }
        Ok(newest.then_some(()))
    };
    cluster.wait_until("Flux to post a commit status", PATIENCE, statuses).await
}

#[test]
fn what_flux_reported_is_shown_without_the_cluster_and_beside_it() {
    story(async |testbed| {
        let name = "reported";
        let cluster = testbed.cluster_named(SHOPS)?;
        let shop = Shop::open(testbed, cluster, name).await?;
        report(testbed, cluster, &shop, name).await?;
        let home = Home::new();
        let host = testbed.gitea().host();
        home.config(&format!("[commitStatus]\nhosts = {{ \"{host}\" = \"gitea\" }}\n"));
        let file = shop.flux_file();

        // Somebody without access to any cluster.
        let mut editor = Client::start(&home, Options::new(shop.folder()));
        editor.answer(yes);
        editor.open(&file);
        editor.wait_lens(&file, "Flux: not connected");
        editor.execute("fluxcd.commitStatus", json!({"uri": e2e::lsp::uri(&file)}));
        let commit = shop.head()[..7].to_owned();
        editor
            .wait_lens(&file, &format!("Flux: not connected · Gitea: reconciliation succeeded on {commit}"));

        let broken = shop.push_broken();
        cluster.reconcile(&shop.source()).await?;
        posted(testbed, cluster, &shop, name, "failure").await?;
        let rows = editor.wait_lens(&file, &format!("Gitea: reconciliation failed on {broken}"));
        assert!(rows.iter().all(|it| !it.contains('✓')), "{rows:#?}");
        editor.wait_hover(
            &file,
            "reported\n  namespace: flux-system\nspec:\n  interval: 1h\n  path",
            "reported to Gitea by flux (no cluster access): reconciliation failed",
        );
        editor.stop();

        // In the terminal, of a repository that only a token opens.
        testbed.gitea().set_private(name, true).await?;
        let explain = |token: Option<&str>| {
            let mut command = home.command(["explain", "--commit-status"]);
            command.arg(&file).envs(token.map(|it| ("GITEA_TOKEN", it)));
            run(&mut command)
        };
        let told = explain(Some(testbed.gitea().token()));
        assert!(
            told.stdout.contains("reported to Gitea by flux (no cluster access): reconciliation failed"),
            "{told:#?}"
        );
        let refused = explain(None);
        assert!(refused.stdout.contains("does not show it to somebody without a token"), "{refused:#?}");
        assert_eq!((told.code, refused.code), (0, 2));
        testbed.gitea().set_private(name, false).await?;

        // With the cluster, and well again; the yes for Gitea is remembered.
        let fixed = shop.push_fixed();
        cluster.reconcile(&shop.source()).await?;
        posted(testbed, cluster, &shop, name, "success").await?;
        let mut editor = connected(&home, &shop, &admin(testbed).await);
        editor.wait_lens(&file, &format!("✓ staging: live main@{fixed}"));
        let place = "reported\n  namespace: flux-system\nspec:\n  interval: 1h\n  path";
        editor.wait_hover(&file, place, "reported to Gitea by flux in `staging`: reconciliation succeeded");

        // Nobody reports any more, and the cluster fails with the same commit.
        cluster.delete(&format!("Alert/flux-system/{name}")).await?;
        let elsewhere = json!({"spec": {"targetNamespace": "nowhere-at-all"}});
        cluster.patch(&shop.object(), elsewhere).await?;
        editor.wait_hover(&file, place, "Gitea says success, `staging` says failed since ");
        editor.stop();
        Ok(())
    });
}
