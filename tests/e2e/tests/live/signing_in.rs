//! Ways to log in: certificates and commands, and commands that fail.

use e2e::binary::Home;
use e2e::shop::Shop;
use testbed::{Auth, ExecOptions, Role};

use crate::{SHOPS, connected, story};

#[test]
fn logins_run_once_and_again_only_when_asked_for() {
    story(async |testbed| {
        let cluster = testbed.cluster_named(SHOPS)?;
        let shop = Shop::open(testbed, cluster, "logins").await?;
        let file = shop.flux_file();

        // A certificate.
        let kubeconfig = cluster.kubeconfig(Role::Admin, Auth::ClientCertificate).await?.named("staging")?;
        let home = Home::new();
        let mut editor = connected(&home, &shop, &kubeconfig);
        editor.wait_lens(&file, "✓ staging: live main@");
        editor.stop();

        // One that is out of date.
        let kubeconfig = cluster.kubeconfig(Role::Admin, Auth::ExpiredCertificate).await?.named("staging")?;
        let home = Home::new();
        let mut editor = connected(&home, &shop, &kubeconfig);
        let rows = editor.wait_lens(&file, "Sign in");
        assert_eq!(rows, ["1: staging: not signed in | Sign in"]);
        editor.stop();

        // A command that works.
        let kubeconfig =
            cluster.kubeconfig(Role::Admin, Auth::Exec(ExecOptions::default())).await?.named("staging")?;
        let home = Home::new();
        let mut editor = connected(&home, &shop, &kubeconfig);
        editor.wait_lens(&file, "✓ staging: live main@");
        let plugin = kubeconfig.plugin().unwrap();
        assert_eq!(plugin.run_terminals(), [false], "it ran once, without a terminal");
        editor.stop();
        Ok(())
    });
}

#[test]
fn a_login_that_fails_is_not_tried_again_unasked() {
    story(async |testbed| {
        let cluster = testbed.cluster_named(SHOPS)?;
        let shop = Shop::open(testbed, cluster, "refused").await?;
        let file = shop.flux_file();
        let options =
            ExecOptions { failure: Some("the password is wrong".to_owned()), ..ExecOptions::default() };
        let kubeconfig = cluster.kubeconfig(Role::Admin, Auth::Exec(options)).await?.named("staging")?;
        let plugin = kubeconfig.plugin().unwrap();
        let home = Home::new();
        let mut editor = connected(&home, &shop, &kubeconfig);
        let rows = editor.wait_lens(&file, "Sign in");
        assert_eq!(rows, ["1: staging: not signed in | Sign in"]);
        assert_eq!(plugin.runs(), 1);

        // Typing, looking and another window are no reasons to try again; choosing the cluster there would be one.
        let text = std::fs::read_to_string(&file).unwrap();
        editor.change(&file, &format!("{text}# looked at\n"));
        editor.change(&file, &text);
        let hover = editor.wait_hover(&file, "Kustomization", "the password is wrong");
        assert!(hover.contains("staging"), "{hover}");
        let mut other = crate::editor(&home, shop.folder(), &kubeconfig);
        other.open(&file);
        other.wait_lens(&file, "Flux: not connected");
        other.stop();
        assert_eq!(plugin.runs(), 1, "nothing is tried twice unasked");

        plugin.fail(None)?;
        plugin.need_terminal(true)?;
        editor.press(&file, "Sign in");
        let command = plugin.program().display().to_string();
        editor.wait_sentence(&["staging", "standard input is not a terminal", &command]);
        assert_eq!(plugin.runs(), 2);

        plugin.need_terminal(false)?;
        editor.wait_lens(&file, "Sign in");
        editor.press(&file, "Sign in");
        editor.wait_lens(&file, "✓ staging: live main@");
        assert_eq!(plugin.run_terminals(), [false; 3]);
        editor.stop();
        Ok(())
    });
}
