//! What sources leave out of their artifacts: as the controllers do it, and as the editor says it.

use std::time::Duration;

use e2e::binary::Home;
use e2e::lsp::uri;
use serde_json::json;
use testbed::{Artifact, Cluster};

use crate::journey::{Laid, run};
use crate::{SHOPS, admin, editor, story};

const PATIENCE: Duration = Duration::from_secs(60);

/// The names of what a Kustomization applied, in order.
async fn applied(cluster: &Cluster, name: &str) -> testbed::Result<Vec<String>> {
    let object = format!("Kustomization/flux-system/{name}");
    cluster.wait_ready(&object, PATIENCE).await?;
    let status = cluster.get(&object).await?.unwrap_or_default();
    let entries = status.pointer("/status/inventory/entries").and_then(|it| it.as_array()).cloned();
    let ids = entries.unwrap_or_default();
    let mut names: Vec<String> =
        ids.iter().filter_map(|it| it["id"].as_str()?.split('_').nth(1).map(str::to_owned)).collect();
    names.sort();
    Ok(names)
}

fn kustomization(name: &str, kind: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\n\
         kind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec: {{interval: 1h, path: ./apps, prune: true, \
         targetNamespace: {name}, sourceRef: {{apiVersion: source.toolkit.fluxcd.io/v1, kind: {kind}, name: {name}}}}}\n"
    )
}

#[test]
fn what_sources_leave_out() {
    story(async |testbed| {
        let cluster = testbed.cluster_named(SHOPS)?;
        let laid = Laid::new(testbed, "left").await?;
        let at = laid.folder.path();
        std::fs::write(at.join(".sourceignore"), "# not ready\n/apps/saved.yaml\n").unwrap();
        // Left out where nothing else is said: of what is fetched not, of what is copied together always.
        std::fs::create_dir_all(at.join("apps/.github")).unwrap();
        let hidden = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: hidden\n";
        std::fs::write(at.join("apps/.github/hidden.yaml"), hidden).unwrap();
        let commit = laid.commit("Leave something out");
        run(at, &["push", "--quiet", "origin", "main"]);
        let artifact = Artifact {
            folder: at.to_owned(),
            source: laid.url.clone(),
            revision: format!("main@sha1:{commit}"),
            created: "2026-11-20T10:00:00Z".to_owned(),
        };
        testbed.gitea().push_artifact("left", "latest", &artifact).await?;
        let source = |kind: &str, name: &str, spec: &str| {
            format!(
                "apiVersion: source.toolkit.fluxcd.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: flux-system}}\n\
                 spec: {{interval: 1h, {spec}}}\n"
            )
        };
        let git = format!("url: {}, ref: {{branch: main}}", laid.url);
        let oci = format!("url: '{}', insecure: true, ref: {{tag: latest}}", testbed.gitea().oci_url("left"));
        let generator = "---\napiVersion: source.extensions.fluxcd.io/v1beta1\nkind: ArtifactGenerator\n\
             metadata: {name: left-copied, namespace: flux-system}\n\
             spec:\n  sources: [{alias: repo, kind: GitRepository, name: left-git}]\n  artifacts:\n    - name: left-copied\n      \
             originRevision: '@repo'\n      copy: [{from: '@repo/apps/**', to: '@artifact/apps/'}]\n";
        let whole =
            "layerSelector: {mediaType: application/vnd.cncf.flux.content.v1.tar+gzip, operation: copy}";
        for text in [
            source("GitRepository", "left-git", &format!("{git}, ignore: /apps/pushed.yaml")),
            kustomization("left-git", "GitRepository"),
            generator.to_owned(),
            kustomization("left-copied", "ExternalArtifact"),
            source("OCIRepository", "left-oci", &format!("{oci}, ignore: fetched.yaml")),
            kustomization("left-oci", "OCIRepository"),
            source("OCIRepository", "left-whole", &format!("{oci}, ignore: fetched.yaml, {whole}")),
            kustomization("left-whole", "OCIRepository"),
        ] {
            cluster.apply(&text).await?;
        }

        // As it is.
        let all = ["committed", "edited", "fetched", "hidden", "live", "pushed", "saved"];
        let but = |out: &[&str]| {
            let kept = all.iter().filter(|it| !out.contains(it));
            kept.map(|it| (*it).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(applied(cluster, "left-git").await?, but(&["pushed", "saved"]));
        assert_eq!(applied(cluster, "left-copied").await?, but(&["hidden", "pushed", "saved"]));
        assert_eq!(applied(cluster, "left-oci").await?, but(&["fetched", "saved"]));
        assert_eq!(applied(cluster, "left-whole").await?, but(&[]));

        // As it is said. What is copied as it is holds all files, so the others are looked at without it.
        run(at, &["fetch", "--quiet", "origin"]);
        let home = Home::new();
        let mut shown = editor(&home, at, &admin(testbed).await);
        let file = |name: &str| laid.file(name);
        shown.open(&file("saved"));
        shown.execute("fluxcd.chooseCluster", json!({"uri": uri(&file("saved"))}));
        shown.wait_lens(&file("saved"), "by left-whole");
        cluster.delete("Kustomization/flux-system/left-whole").await?;
        shown.wait_for("a lens without appliers", |it| {
            it.lenses(&file("saved")).iter().all(|it| !it.contains("left-")).then_some(())
        });
        let said = |shown: &mut e2e::lsp::Client, name: &str| {
            let at = json!({"uri": uri(&file(name)), "position": {"line": 3, "character": 10}});
            let details = shown.execute("fluxcd.statusAtCursor", at);
            details["markdown"].as_str().unwrap_or_default().to_owned()
        };
        let why = said(&mut shown, "saved");
        assert!(why.contains("left out by `.sourceignore`:2"), "{why}");
        assert!(!why.contains("applied by"), "{why}");
        for (name, by) in [
            ("pushed", &["left-oci"][..]),
            ("fetched", &["left-git", "left-copied"]),
            ("live", &["left-git", "left-copied", "left-oci"]),
        ] {
            shown.open(&file(name));
            shown.wait_lens(&file(name), "staging");
            let why = said(&mut shown, name);
            for applier in ["left-git", "left-copied", "left-oci"] {
                let line = format!("applied by `Kustomization/flux-system/{applier}`");
                assert_eq!(why.contains(&line), by.contains(&applier), "{name}: {why}");
            }
        }
        shown.stop();
        for name in ["left-git", "left-copied", "left-oci"] {
            let object = format!("Kustomization/flux-system/{name}");
            cluster.delete(&object).await?;
            cluster.wait_gone(&object, PATIENCE).await?;
        }
        Ok(())
    });
}
