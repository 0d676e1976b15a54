//! Helm charts that lie in the repository: what is taken, and what Flux passes over in silence.
//!
//! What the controllers wrote is printed with `--nocapture`; it stands in `server/analysis/src/packaged.rs`.

use std::time::{Duration, SystemTime};

use e2e::binary::{Home, run};
use e2e::shop::Shop;
use serde_json::Value;
use testbed::{Cluster, Testbed};

use crate::{SHOPS, admin, connected, story};

const PATIENCE: Duration = Duration::from_secs(60);

fn chart_file(name: &str, version: &str) -> String {
    format!("apiVersion: v2\nname: {name}\nversion: {version}\n")
}

fn template(greeting: &str) -> String {
    format!(
        "{{{{- if .Values.enabled }}}}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{{{ .Release.Name }}}}\ndata:\n  \
         greeting: {greeting}\n{{{{- end }}}}\n"
    )
}

/// Two releases, the default one and one that follows every revision.
fn releases(shop: &str) -> String {
    let release = |name: &str, more: &str| {
        format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: {name}\n  namespace: flux-system\n\
             spec:\n  interval: 1h\n  targetNamespace: {shop}\n  chart:\n    spec:\n      chart: ./charts/{name}\n{more}      \
             sourceRef:\n        kind: GitRepository\n        name: {shop}\n"
        )
    };
    format!("{}---\n{}", release("tea", ""), release("milk", "      reconcileStrategy: Revision\n"))
}

/// Prints what analysis reads of the statuses (`server/analysis/src/packaged.rs`); gives that of the default chart.
async fn what_was_written(cluster: &Cluster, when: &str) -> testbed::Result<Value> {
    for name in ["tea", "milk"] {
        let chart =
            cluster.get(&format!("HelmChart/flux-system/flux-system-{name}")).await?.unwrap_or_default();
        let release = cluster.get(&format!("HelmRelease/flux-system/{name}")).await?.unwrap_or_default();
        let (status, history) = (&chart["status"], &release["status"]["history"][0]);
        println!(
            "{when}, {name}: artifact.revision {} of {}, observedSourceArtifactRevision {}; release v{} {} {}, lastAttemptedRevision {}",
            status["artifact"]["revision"],
            status["artifact"]["lastUpdateTime"],
            status["observedSourceArtifactRevision"],
            history["version"],
            history["chartVersion"],
            history["lastDeployed"],
            release["status"]["lastAttemptedRevision"],
        );
    }
    let tea = cluster.get("HelmChart/flux-system/flux-system-tea").await?.unwrap_or_default();
    Ok(tea["status"].clone())
}

async fn opened(testbed: &Testbed, cluster: &Cluster) -> testbed::Result<Shop> {
    let shop = Shop::open(testbed, cluster, "charts").await?;
    for name in ["tea", "milk"] {
        shop.write(&format!("charts/{name}/Chart.yaml"), &chart_file(name, "1.0.0"));
        shop.write(&format!("charts/{name}/values.yaml"), "enabled: true\n");
        shop.write(&format!("charts/{name}/templates/config.yaml"), &template("hello"));
    }
    shop.write("clusters/charts/releases.yaml", &releases("charts"));
    let pushed = shop.push("Sell tea with milk");
    cluster.reconcile(&shop.source()).await?;
    let is_applied = |it: &Value| {
        let revision = it["status"]["lastAppliedRevision"].as_str().unwrap_or_default();
        revision.contains(&pushed)
    };
    cluster.wait_for(&format!("{}-root", shop.object()), "the releases", PATIENCE, is_applied).await?;
    for name in ["tea", "milk"] {
        cluster.wait_ready(&format!("HelmRelease/flux-system/{name}"), PATIENCE).await?;
    }
    Ok(shop)
}

#[test]
fn a_chart_in_git_is_taken_with_another_version_only() {
    story(async |testbed| {
        let cluster = testbed.cluster_named(SHOPS)?;
        let shop = opened(testbed, cluster).await?;
        what_was_written(cluster, "installed").await?;

        let kubeconfig = admin(testbed).await;
        let home = Home::new();
        let mut editor = connected(&home, &shop, &kubeconfig);
        let at = |path: &str| shop.folder().join(path);
        let (tea, milk) = (at("charts/tea/templates/config.yaml"), at("charts/milk/templates/config.yaml"));
        let (chart, releases) = (at("charts/tea/Chart.yaml"), at("clusters/charts/releases.yaml"));
        for file in [&tea, &milk, &chart, &releases] {
            editor.open(file);
        }
        editor.wait_lens(&tea, "✓ staging: live 1.0.0");
        editor.wait_lens(&chart, "✓ staging: live 1.0.0");
        editor.wait_lens(&milk, "✓ staging: live 1.0.0+");
        // Templates are no YAML: nothing is marked in them.
        assert_eq!(editor.diagnostics(&tea), &[] as &[Value]);

        // Another text, and the same version.
        editor.change(&tea, &template("good morning"));
        editor.wait_lens(&tea, "staging: not live · unsaved; Chart.yaml is still 1.0.0 (ChartVersion)");
        shop.write("charts/tea/templates/config.yaml", &template("good morning"));
        shop.write("charts/milk/templates/config.yaml", &template("good morning"));
        editor.change(&milk, &template("good morning"));
        editor.wait_lens(&tea, "staging: not live · saved, not committed; Chart.yaml is still");
        // Clocks tell that it was not there yet when the chart was packaged: not within the same second.
        let second = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let before = second();
        editor.wait_for("the next second", |_| (second() > before).then_some(()));
        shop.commit("Say good morning");
        editor.wait_lens(&tea, "staging: not live · committed, not pushed; Chart.yaml is still");
        let pushed = shop.push_commits();
        editor.wait_lens(&tea, "staging: pushed, next poll by ");
        cluster.reconcile(&shop.source()).await?;
        let milk_runs = format!("✓ staging: live 1.0.0+{pushed}");
        editor.wait_lens(&milk, &milk_runs);
        editor.wait_lens(&tea, "staging: not taken · Chart.yaml is still 1.0.0 (ChartVersion)");
        let rows =
            editor.wait_lens(&releases, "; chart not taken · Chart.yaml is still 1.0.0 (ChartVersion)");
        assert!(rows.iter().any(|row| row.contains('✓')), "milk is well: {rows:#?}");
        let hover = editor.wait_hover(&chart, "version", "not taken: version `1.0.0` is unchanged");
        assert!(hover.contains("raise `version` in `charts/tea/Chart.yaml`"), "{hover}");
        // It is as the controllers see it: the source's revision was looked at, the package is the old one.
        let packaged = what_was_written(cluster, "changed").await?;
        assert_eq!(packaged["artifact"]["revision"], "1.0.0", "{packaged}");
        assert!(packaged["observedSourceArtifactRevision"].as_str().unwrap().contains(&pushed), "{packaged}");
        // The terminal says the same.
        let kubeconfig = kubeconfig.path().to_str().unwrap();
        let explain =
            ["explain", "charts/tea/values.yaml", "--context", "staging", "--kubeconfig", kubeconfig];
        let ran = run(home.command(explain).current_dir(shop.folder()));
        assert!(ran.stdout.contains("not taken: version 1.0.0 is unchanged"), "{}{}", ran.stdout, ran.stderr);

        // And so does the gate, which does not wait for what will not come; of the other chart it knows that it is live.
        let gate =
            ["check", "--commit", "HEAD", "--wait", "1m", "--context", "staging", "--kubeconfig", kubeconfig];
        let ran = run(home.command(gate).current_dir(shop.folder()));
        assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
        for part in ["not taken: Chart.yaml is still 1.0.0 (ChartVersion)", &format!("live 1.0.0+{pushed}")] {
            assert!(ran.stdout.contains(part), "no {part:?} in {}{}", ran.stdout, ran.stderr);
        }

        // Raised, it is taken: whoever presses the button at the chart has the source fetched first.
        shop.write("charts/tea/Chart.yaml", &chart_file("tea", "1.0.1"));
        editor.change(&chart, &chart_file("tea", "1.0.1"));
        editor.wait_lens(&chart, "staging: not live · saved, not committed");
        shop.push("Raise the version");
        editor.wait_lens(&chart, "staging: pushed, next poll by ");
        editor.press(&chart, "Reconcile now");
        editor.wait_lens(&chart, "✓ staging: live 1.0.1");
        editor.wait_lens(&tea, "✓ staging: live 1.0.1");
        let rows = editor.wait_lens(&releases, "✓ staging: live 1.0.1");
        assert!(rows.iter().all(|row| !row.contains("not taken")), "{rows:#?}");
        what_was_written(cluster, "raised").await?;
        let ran = run(home.command(gate).current_dir(shop.folder()));
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        editor.stop();
        Ok(())
    });
}
