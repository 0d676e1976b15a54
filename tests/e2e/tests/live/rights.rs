//! What people see who may not do everything, and the five answers of design 3.3.

use e2e::binary::Home;
use e2e::lsp::Client;
use e2e::shop::Shop;
use std::path::Path;
use std::time::Duration;
use testbed::{Auth, Role};

use crate::{SHOPS, STILL, connected, on, story};

#[test]
fn who_may_only_look_is_offered_no_action() {
    story(async |testbed| {
        let cluster = testbed.cluster_named(SHOPS)?;
        let shop = Shop::open(testbed, cluster, "viewer").await?;
        let kubeconfig = cluster.kubeconfig(Role::Viewer, Auth::Token).await?.named("staging")?;
        let home = Home::new();
        let mut editor = connected(&home, &shop, &kubeconfig);
        let file = shop.flux_file();
        editor.wait_lens(&file, "✓ staging: live main@");

        let forbidden = "no permission to patch kustomizations.kustomize.toolkit.fluxcd.io in ";
        let hover = editor.wait_hover(
            &file,
            "viewer\n  namespace: flux-system\nspec:\n  interval: 1h\n  path",
            "no permission",
        );
        assert!(hover.contains(forbidden), "{hover}");
        let rows = editor.lenses(&file);
        assert!(rows.iter().all(|row| !row.contains("Reconcile")), "{rows:#?}");

        editor.execute("fluxcd.reconcile", on(&shop.object()));
        editor.wait_sentence(&["staging", forbidden]);
        editor.stop();
        Ok(())
    });
}

/// The lens row of the only, or of every, Flux object of `file` once it has come to rest at something with `text`.
fn said(editor: &mut Client, file: &Path, text: &str) -> Vec<String> {
    editor.open(file);
    editor.wait_lens(file, text)
}

#[test]
fn who_may_look_into_one_namespace_sees_that_one() {
    story(async |testbed| {
        let cluster = testbed.cluster_named(SHOPS)?;
        let shop = Shop::open(testbed, cluster, "tenancy").await?;
        let source = cluster.get(&shop.source()).await?.unwrap();
        let url = source["spec"]["url"].as_str().unwrap();
        let tenant = format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata:\n  name: mine\n  namespace: tenancy\nspec:\n  \
             interval: 1h\n  url: {url}\n  ref:\n    branch: main\n---\n\
             apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: mine\n  namespace: tenancy\nspec:\n  \
             interval: 1h\n  path: ./mine\n  prune: true\n  sourceRef:\n    kind: GitRepository\n    name: mine\n"
        );
        shop.write("clusters/tenancy/mine.yaml", &tenant);
        shop.write(
            "mine/config.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: mine\n  namespace: tenancy\n",
        );
        shop.push("Let a tenant in");
        cluster.reconcile(&shop.source()).await?;
        cluster.wait_ready("Kustomization/tenancy/mine", Duration::from_secs(60)).await?;

        let role = Role::OneNamespace("tenancy".to_owned());
        let kubeconfig = cluster.kubeconfig(role, Auth::Token).await?.named("staging")?;
        let home = Home::new();
        let mut editor = connected(&home, &shop, &kubeconfig);
        // The objects of a namespace that is not theirs: said once a file, not at each.
        let file = shop.flux_file();
        let rows = editor.wait_lens(&file, "in all namespaces");
        assert_eq!(
            rows,
            ["1: staging: no permission to list gitrepositories.source.toolkit.fluxcd.io in all namespaces"]
        );
        let mine = shop.folder().join("clusters/tenancy/mine.yaml");
        let rows = said(&mut editor, &mine, "staging: applied");
        // Who applies these is not theirs to see, so it is not said that it is this file: the texts are compared.
        assert_eq!(rows.len(), 2, "{rows:#?}");
        let compared = "; matches this text; flux-system/tenancy-root: no permission";
        assert!(rows.iter().all(|row| row.contains(compared) && !row.contains('✓')), "{rows:#?}");
        editor.stop();

        let kubeconfig = cluster.kubeconfig(Role::Nobody, Auth::Token).await?.named("staging")?;
        let home = Home::new();
        let mut editor = connected(&home, &shop, &kubeconfig);
        let rows = editor.wait_lens(&file, "no permission to list");
        assert_eq!(rows, ["1: staging: no permission to list gitrepositories.source.toolkit.fluxcd.io"]);
        editor.stop();
        Ok(())
    });
}

#[test]
fn what_is_not_known_is_told_in_five_different_ways() {
    story(async |testbed| {
        let _alone = crate::STILL_IN_USE.lock().await;
        let cluster = testbed.cluster_named(STILL)?;
        let shop = Shop::draw(cluster, "five").await?;
        // One kind of Flux is not installed at all.
        let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: web\n  namespace: flux-system\n\
                       spec:\n  interval: 1h\n  chartRef:\n    kind: OCIRepository\n    name: web\n";
        shop.write("clusters/five/release.yaml", release);
        let elsewhere = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: nobody-applies-me\n  \
                         namespace: flux-system\nspec:\n  interval: 1h\n  path: ./apps\n  prune: true\n  sourceRef:\n    kind: GitRepository\n    \
                         name: five\n";
        shop.write("drafts/elsewhere.yaml", elsewhere);
        cluster.delete("CustomResourceDefinition/helmreleases.helm.toolkit.fluxcd.io").await?;
        cluster
            .wait_gone(
                "CustomResourceDefinition/helmreleases.helm.toolkit.fluxcd.io",
                Duration::from_secs(30),
            )
            .await?;

        let admin = cluster.kubeconfig(Role::Admin, Auth::Token).await?.named("staging")?;
        let home = Home::new();
        let mut editor = connected(&home, &shop, &admin);
        editor.wait_lens(&shop.flux_file(), "✓ staging: live main@");
        let rows = said(&mut editor, &shop.folder().join("clusters/five/release.yaml"), "helmreleases");
        assert_eq!(rows, ["1: staging: does not serve helmreleases"]);
        let rows = said(&mut editor, &shop.folder().join("drafts/elsewhere.yaml"), "not applied");
        assert_eq!(rows, ["1: Flux: not applied by staging"]);
        editor.stop();

        let nobody = cluster.kubeconfig(Role::Nobody, Auth::Token).await?.named("staging")?;
        let home = Home::new();
        let mut editor = connected(&home, &shop, &nobody);
        let rows = editor.wait_lens(&shop.flux_file(), "no permission");
        assert_eq!(rows, ["1: staging: no permission to list gitrepositories.source.toolkit.fluxcd.io"]);
        editor.stop();

        // Port 1 of the testbed's own address: nobody listens there.
        let closed = cluster.url().rsplit_once(':').unwrap().0.to_owned() + ":1";
        let gone =
            cluster.kubeconfig(Role::Admin, Auth::Token).await?.named("staging")?.with_server(&closed)?;
        let home = Home::new();
        let mut editor = connected(&home, &shop, &gone);
        let rows = editor.wait_lens(&shop.flux_file(), "unreachable");
        assert_eq!(rows, ["1: staging: unreachable"]);
        let hover = editor.wait_hover(&shop.flux_file(), "Kustomization", "cannot reach");
        assert!(hover.contains(&closed.replace("https://", "")), "{hover}");
        editor.stop();
        Ok(())
    });
}
