//! What the status bar says of HEAD: of all that it has, whichever commit brought it.

use e2e::binary::Home;
use e2e::lsp::Client;
use e2e::shop::Shop;
use serde_json::json;

use crate::{SHOPS, admin, connected, story};

/// Waits until the status bar says this of HEAD.
fn wait_head(editor: &mut Client, text: &str) {
    editor.wait_for(&format!("a status bar that says {text:?}"), |editor| {
        let newest = editor.heard.iter().rev().find(|it| it["method"] == "fluxcd/status")?;
        (newest["params"]["heads"][0]["text"] == text).then_some(())
    });
}

#[test]
fn a_note_on_top_of_what_is_live_is_live_and_on_top_of_what_waits_it_waits() {
    story(async |testbed| {
        let cluster = testbed.cluster_named(SHOPS)?;
        let shop = Shop::open(testbed, cluster, "heads").await?;
        let note = |text: &str| {
            shop.write("README.md", text);
            shop.commit("Write a note");
            shop.head()[..7].to_owned()
        };
        let home = Home::new();
        let mut editor = connected(&home, &shop, &admin(testbed).await);
        wait_head(&mut editor, &format!("✓ {} live", &shop.head()[..7]));
        // Not even pushed: what is live is all that it has.
        let head = note("one");
        wait_head(&mut editor, &format!("✓ {head} live"));

        cluster.patch(&shop.object(), json!({"spec": {"suspend": true}})).await?;
        let manifest = std::fs::read_to_string(shop.folder().join("apps/web.yaml")).unwrap();
        shop.write("apps/web.yaml", &manifest.replace("IfNotPresent", "Always"));
        shop.commit("Pull images always");
        let head = note("two");
        wait_head(&mut editor, &format!("{head} not pushed"));
        shop.push_commits();
        wait_head(&mut editor, &format!("{head} waiting (pushed)"));
        cluster.reconcile(&shop.source()).await?;
        wait_head(&mut editor, &format!("{head} waiting (fetched)"));
        let later = note("three");
        wait_head(&mut editor, &format!("{later} waiting (fetched)"));
        cluster.patch(&shop.object(), json!({"spec": {"suspend": false}})).await?;
        wait_head(&mut editor, &format!("✓ {later} live"));

        // What fails with all that HEAD has fails also below a note; what mends it is on its way, and then live.
        let broken = shop.push_broken();
        cluster.reconcile(&shop.source()).await?;
        wait_head(&mut editor, &format!("✗ {broken} failed"));
        let noted = note("four");
        wait_head(&mut editor, &format!("✗ {noted} failed"));
        let fixed = shop.push_fixed();
        wait_head(&mut editor, &format!("{fixed} waiting (pushed)"));
        cluster.reconcile(&shop.source()).await?;
        wait_head(&mut editor, &format!("✓ {fixed} live"));
        editor.stop();
        Ok(())
    });
}
