//! Consent that is remembered: where it holds, and where it does not.

use e2e::binary::Home;
use e2e::lsp::Client;
use e2e::shop::Shop;
use testbed::{Auth, Role};

use crate::{SHOPS, connected, editor, story};

/// How many lists the user was shown.
fn lists(editor: &Client) -> usize {
    editor.heard.iter().filter(|it| it["method"] == "fluxcd/pick").count()
}

#[test]
fn consent_is_remembered_for_what_it_was_given_to() {
    story(async |testbed| {
        let cluster = testbed.cluster_named(SHOPS)?;
        let shop = Shop::open(testbed, cluster, "remembered").await?;
        let other = Shop::open(testbed, cluster, "forgotten").await?;
        let kubeconfig = cluster.kubeconfig(Role::Admin, Auth::Token).await?.named("staging")?;
        let home = Home::new();
        let file = shop.flux_file();
        let mut first = connected(&home, &shop, &kubeconfig);
        first.wait_lens(&file, "✓ staging: live main@");
        // What a file belongs to is kept in the background.
        let consents = home.path().join("state/fluxcd-ls/consents.json");
        first.wait_for("the file to be remembered", |_| {
            std::fs::read_to_string(&consents).ok().filter(|text| text.contains(&shop.flux_path()))
        });

        // Another window, at the same time: it connects by itself.
        let mut second = editor(&home, shop.folder(), &kubeconfig);
        second.open(&file);
        second.wait_lens(&file, "✓ staging: live main@");
        assert_eq!(lists(&second), 0, "it was asked for once");
        first.wait_lens(&file, "✓ staging: live main@");
        first.stop();
        second.wait_lens(&file, "✓ staging: live main@");

        // Another repository is another question.
        let mut elsewhere = editor(&home, other.folder(), &kubeconfig);
        elsewhere.open(&other.flux_file());
        elsewhere.wait_lens(&other.flux_file(), "Flux: not connected");
        elsewhere.answer(|_, _| None);
        elsewhere.press(&other.flux_file(), "Choose cluster");
        let list = elsewhere.wait_heard("the list", |it| it["method"] == "fluxcd/pick");
        let detail = list["params"]["items"][0]["detail"].as_str().unwrap();
        assert!(!detail.contains("allowed"), "{list:#}");
        let rows = elsewhere.lenses(&other.flux_file());
        assert!(rows[0].contains("Flux: not connected"), "{rows:#?}");
        elsewhere.stop();

        // The context means another authority: the window that runs lets go, a new one asks.
        let stranger = testbed.cluster_named(crate::STILL)?.authority();
        let changed = kubeconfig.with_authority(stranger)?;
        second.wait_sentence(&["staging", "another server, certificate authority or login command"]);
        second.wait_lens(&file, "Flux: not connected");
        second.stop();
        let mut third = editor(&home, shop.folder(), &changed);
        third.open(&file);
        third.wait_lens(&file, "Flux: not connected");
        third.press(&file, "Choose cluster");
        let list = third.wait_heard("the list", |it| it["method"] == "fluxcd/pick");
        let detail = list["params"]["items"][0]["detail"].as_str().unwrap();
        assert!(detail.contains("changed since you allowed it"), "{list:#}");
        third.wait_lens(&file, "unreachable");
        third.stop();
        Ok(())
    });
}
