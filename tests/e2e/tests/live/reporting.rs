//! Commit statuses that the real notification-controller posts to the real Gitea, with and without the cluster.

use e2e::binary::{Home, run};
use e2e::lsp::{Client, Options};
use e2e::shop::Shop;
use serde_json::json;

use crate::{SHOPS, admin, connected, story, yes};

#[test]
fn what_flux_reported_is_shown_without_the_cluster_and_beside_it() {
    story(async |testbed| {
        let name = "reported";
        let cluster = testbed.cluster_named(SHOPS)?;
        let shop = Shop::open(testbed, cluster, name).await?;
        shop.report(testbed, cluster).await?;
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
        shop.wait_reported(testbed, cluster, "failure").await?;
        let rows = editor.wait_lens(&file, &format!("Gitea: reconciliation failed on {broken}"));
        assert!(rows.iter().all(|it| !it.contains('✓')), "{rows:#?}");
        // Of the manifest that is wrong nobody reports: what applies it failed.
        let manifest = shop.folder().join("apps/web.yaml");
        editor.open(&manifest);
        let rows = editor.wait_lens(&manifest, &format!("Gitea: reconciliation failed on {broken}"));
        assert_eq!(rows.len(), 1, "{rows:#?}");
        let told = editor.hover(&manifest, 1, 8);
        let by = format!(
            "applied by `Kustomization/flux-system/{name}` in `{}`, as far as the files tell",
            shop.flux_path()
        );
        assert!(told.contains(&by), "{told}");
        assert!(
            told.contains("reported to Gitea by flux (no cluster access): reconciliation failed"),
            "{told}"
        );
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
        shop.wait_reported(testbed, cluster, "success").await?;
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
