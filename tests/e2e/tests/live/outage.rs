//! An API server that goes away and comes back.

use std::time::{Duration, Instant};

use e2e::binary::Home;
use e2e::shop::Shop;
use testbed::{Auth, Program, Role};

use crate::{STILL, STILL_IN_USE, connected, story};

/// How long ✓ may outlive a cluster whose end was heard (its connections were reset): the next call finds nobody, with
/// room for a busy machine.
const HEARD: Duration = Duration::from_secs(20);
/// How long ✓ may outlive a cluster that fell silent: the contact window, with room for a busy machine.
const SILENT: Duration = Duration::from_secs(75);

#[test]
fn a_cluster_that_goes_away_takes_its_signs_with_it() {
    story(async |testbed| {
        let _alone = STILL_IN_USE.lock().await;
        let cluster = testbed.cluster_named(STILL)?;
        let shop = Shop::draw(cluster, "outage").await?;
        let kubeconfig = cluster.kubeconfig(Role::Admin, Auth::Token).await?.named("staging")?;
        let home = Home::new();
        let mut editor = connected(&home, &shop, &kubeconfig);
        let file = shop.flux_file();
        editor.wait_lens(&file, "✓ staging: live main@");
        shop.play(
            cluster,
            Some("Deployment/outage/web dry-run failed (Invalid): the field imagePullPolicy is wrong"),
        )
        .await?;
        let manifest = shop.folder().join("apps/web.yaml");
        let marks = editor.wait_diagnostics(&manifest, "a mark", |marks| !marks.is_empty());
        assert_eq!(marks[0]["severity"], 1, "{marks:#?}");

        cluster.stop(Program::ApiServer);
        let stopped = Instant::now();
        editor.patience = HEARD;
        let rows = editor.wait_lens(&file, "checking…");
        assert!(rows.iter().all(|row| !row.contains('✓') && !row.contains('✗')), "{rows:#?}");
        editor.wait_diagnostics(&manifest, "no mark at full strength", |marks| {
            marks.iter().all(|it| it["severity"] != 1)
        });
        let rows = editor.wait_lens(&file, "last seen");
        assert!(stopped.elapsed() < HEARD + Duration::from_secs(10), "{:?}", stopped.elapsed());
        println!("last seen {:.0} s after the API server was stopped", stopped.elapsed().as_secs_f64());
        assert!(rows.iter().all(|row| !row.contains('✓') && !row.contains('✗')), "{rows:#?}");
        let marks = editor.diagnostics(&manifest);
        assert!(marks.iter().all(|it| it["severity"] == 2), "{marks:#?}");
        assert!(marks[0]["message"].as_str().unwrap().starts_with("as of "), "{marks:#?}");

        editor.patience = e2e::lsp::PATIENCE;
        cluster.start_again(Program::ApiServer).await?;
        shop.play(cluster, None).await?;
        let rows = editor.wait_lens(&file, "✓ staging: live main@");
        assert!(rows.iter().all(|row| !row.contains("last seen")), "{rows:#?}");
        editor.wait_diagnostics(&manifest, "no mark", <[_]>::is_empty);
        editor.stop();
        Ok(())
    });
}

#[test]
fn a_cluster_that_falls_silent_takes_its_signs_with_it() {
    story(async |testbed| {
        let _alone = STILL_IN_USE.lock().await;
        let cluster = testbed.cluster_named(STILL)?;
        let shop = Shop::draw(cluster, "silence").await?;
        let kubeconfig = cluster.kubeconfig(Role::Admin, Auth::Token).await?.named("staging")?;
        let home = Home::new();
        let mut editor = connected(&home, &shop, &kubeconfig);
        let file = shop.flux_file();
        editor.wait_lens(&file, "✓ staging: live main@");

        // Its connections stand, and nobody answers.
        cluster.pause(Program::ApiServer);
        let paused = Instant::now();
        editor.patience = SILENT;
        let rows = editor.wait_lens(&file, "checking…");
        println!("checking {:.0} s after the API server was paused", paused.elapsed().as_secs_f64());
        assert!(rows.iter().all(|row| !row.contains('✓')), "{rows:#?}");
        editor.wait_lens(&file, "last seen");
        cluster.resume(Program::ApiServer);
        editor.wait_lens(&file, "✓ staging: live main@");
        editor.stop();
        Ok(())
    });
}
