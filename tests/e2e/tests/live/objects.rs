//! The live object of a plain manifest: its own state, what it dropped, and who may not see it.

use e2e::binary::{Home, run};
use e2e::shop::Shop;
use serde_json::{Value, json};
use std::time::Duration;
use testbed::{Auth, Role};

use crate::{SHOPS, admin, connected, story};

#[test]
fn a_key_that_kubernetes_does_not_know_is_marked_though_flux_is_ready() {
    story(async |testbed| {
        let cluster = testbed.cluster_named(SHOPS)?;
        let shop = Shop::open(testbed, cluster, "objects").await?;
        let manifest = shop.folder().join("apps/web.yaml");
        let text = std::fs::read_to_string(&manifest).unwrap();
        let misspelt = format!("{text}          imagePullPolicies: Always\n");
        shop.write("apps/web.yaml", &misspelt);
        let pushed = shop.push("Always pull images");
        cluster.reconcile(&shop.source()).await?;

        let home = Home::new();
        let mut editor = connected(&home, &shop, &admin(testbed).await);
        editor.wait_lens(&shop.flux_file(), &format!("✓ staging: live main@{pushed}"));
        editor.open(&manifest);
        let marks = editor.wait_diagnostics(&manifest, "a mark for what was dropped", |it| !it.is_empty());
        assert_eq!(marks.len(), 1, "{marks:#?}");
        assert_eq!(
            (&marks[0]["code"], &marks[0]["severity"]),
            (&"DroppedField".into(), &2.into()),
            "{marks:#?}"
        );
        let range = &marks[0]["range"];
        let line = misspelt.lines().position(|it| it.contains("imagePullPolicies")).unwrap();
        assert_eq!(
            (range["start"]["line"].as_u64(), range["start"]["character"].as_u64()),
            (u64::try_from(line).ok(), Some(10))
        );
        let message = marks[0]["message"].as_str().unwrap();
        assert!(
            message
                .contains("`spec.template.spec.containers[0].imagePullPolicies` is not in the live object"),
            "{message}"
        );
        let hover = editor.wait_hover(&manifest, "Deployment", "the object itself");
        assert!(hover.contains("the object itself: `2 of 2 ready`, read "), "{hover}");
        assert!(
            hover.contains(
                "it differs from this text: `spec.template.spec.containers[0].imagePullPolicies` is not in it"
            ),
            "{hover}"
        );

        // The terminal says the same.
        let kubeconfig = admin(testbed).await;
        let kubeconfig = kubeconfig.path().to_str().unwrap();
        let explain = ["explain", "apps/web.yaml:2", "--context", "staging", "--kubeconfig", kubeconfig];
        let ran = run(home.command(explain).current_dir(shop.folder()));
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        for part in ["DroppedField", "the object itself: 2 of 2 ready, read ", "it differs from this text"] {
            assert!(ran.stdout.contains(part), "no {part:?} in {}", ran.stdout);
        }

        // `check` reads live objects where it is asked to: what Flux is silent about is a warning.
        let check = ["check", "--context", "staging", "--kubeconfig", kubeconfig];
        let ran = run(home.command(check).current_dir(shop.folder()));
        assert!(ran.code == 0 && !ran.stdout.contains("DroppedField"), "{}{}", ran.stdout, ran.stderr);
        let ran = run(home.command(check).arg("--objects").current_dir(shop.folder()));
        assert!(
            ran.code == 0 && ran.stdout.contains("warning") && ran.stdout.contains("DroppedField"),
            "{}{}",
            ran.stdout,
            ran.stderr
        );

        // Suspended, it has applied what it applied. Another image than the text's is noted: a webhook would have made it one.
        assert!(!ran.stdout.contains("LiveDiffers"), "{}", ran.stdout);
        cluster.patch(&shop.object(), json!({"spec": {"suspend": true}})).await?;
        let deployment = "Deployment/objects/web";
        let live = cluster.get(deployment).await?.unwrap_or_default();
        let mut containers = live["spec"]["template"]["spec"]["containers"].clone();
        containers[0]["image"] = "mirror.invalid/web:1".into();
        let mirrored = json!({"spec": {"template": {"spec": {"containers": containers}}}});
        cluster.patch(deployment, mirrored).await?;
        let ran = run(home.command(check).arg("--objects").current_dir(shop.folder()));
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        for part in [
            "DroppedField",
            "LiveDiffers",
            "is `mirror.invalid/web:1` in the live object",
            "was Ready when it was suspended",
        ] {
            assert!(ran.stdout.contains(part), "no {part:?} in {}", ran.stdout);
        }
        cluster.patch(&shop.object(), json!({"spec": {"suspend": false}})).await?;

        // Mended, the mark goes when the object is what is written.
        shop.write("apps/web.yaml", &misspelt.replace("          imagePullPolicies: Always\n", ""));
        shop.push("Pull images as before");
        cluster.reconcile(&shop.source()).await?;
        editor.change(&manifest, &text);
        editor.wait_diagnostics(&manifest, "no mark", <[Value]>::is_empty);
        editor.wait_hover(&manifest, "Deployment", "it matches this text");

        // A rollout that does not come on is said beside what is applied, without ✓.
        shop.push_stuck();
        let stuck = std::fs::read_to_string(&manifest).unwrap();
        cluster.reconcile(&shop.source()).await?;
        editor.change(&manifest, &stuck);
        let rows = editor.wait_lens(&manifest, " of 2 updated");
        assert!(rows.iter().all(|row| !row.contains('✓')), "{rows:#?}");
        editor.stop();

        // Who may see Flux and nothing else is told what is missing.
        let viewer = cluster.kubeconfig(Role::Viewer, Auth::Token).await?.named("staging")?;
        let home = Home::new();
        let mut editor = connected(&home, &shop, &viewer);
        editor.wait_lens(&shop.flux_file(), "staging: ");
        editor.open(&manifest);
        let hover = editor.wait_hover(&manifest, "Deployment", "the object itself");
        assert!(hover.contains("no permission to `get` `deployments.apps` in `objects`"), "{hover}");
        editor.listen(Duration::from_millis(500));
        assert_eq!(editor.diagnostics(&manifest), &[] as &[Value]);
        editor.stop();
        let kubeconfig = viewer.path().to_str().unwrap();
        let check = ["check", "--objects", "apps", "--context", "staging", "--kubeconfig", kubeconfig];
        let ran = run(home.command(check).current_dir(shop.folder()));
        let lack = "staging: live objects: no permission to get deployments.apps in objects";
        assert!(ran.code == 2 && ran.stdout.contains(lack), "{}{}", ran.stdout, ran.stderr);
        Ok(())
    });
}
