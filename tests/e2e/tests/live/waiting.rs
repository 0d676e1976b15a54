//! An object that waits for one that failed.

use e2e::binary::Home;
use e2e::lsp::uri;
use e2e::shop::Shop;
use serde_json::json;

use crate::{SHOPS, admin, connected, story};

#[test]
fn what_waits_leads_to_what_failed() {
    story(async |testbed| {
        let cluster = testbed.cluster_named(SHOPS)?;
        let shop = Shop::open(testbed, cluster, "blocked").await?;
        let home = Home::new();
        let mut editor = connected(&home, &shop, &admin(testbed).await);
        let file = shop.flux_file();
        editor.wait_lens(&file, "✓ staging: live main@");

        let later = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: later\n  namespace: flux-system\n\
                     spec:\n  interval: 1h\n  path: ./later\n  prune: true\n  dependsOn:\n    - name: blocked\n  sourceRef:\n    \
                     kind: GitRepository\n    name: blocked\n";
        shop.write("clusters/blocked/later.yaml", later);
        shop.write(
            "later/config.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: later\n  namespace: blocked\n",
        );
        shop.push_broken();
        cluster.reconcile(&shop.source()).await?;
        let waits = shop.folder().join("clusters/blocked/later.yaml");
        editor.open(&waits);
        let rows = editor.wait_lens(&waits, "staging: blocked by apps/web.yaml:18");
        assert!(rows[0].contains("Go to cause"), "{rows:#?}");

        editor.press(&waits, "Go to cause");
        let shown = editor.wait_heard("the cause", |it| it["method"] == "window/showDocument");
        let cause = shop.folder().join("apps/web.yaml");
        assert_eq!(shown["params"]["uri"], uri(&cause).as_str());
        let marks = editor.wait_diagnostics(&cause, "the mark", |marks| !marks.is_empty());
        assert_eq!(shown["params"]["selection"]["start"], marks[0]["range"]["start"], "{shown:#}");
        // What waits is no error of its own.
        let waiting = editor.diagnostics(&waits);
        assert!(waiting.iter().all(|it| it["severity"] != 1), "{}", json!(waiting));
        editor.stop();
        Ok(())
    });
}
