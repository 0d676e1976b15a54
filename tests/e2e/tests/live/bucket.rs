//! A Bucket: what is applied is known by a digest, and no commit is.

use std::path::Path;
use std::time::Duration;

use e2e::binary::Home;
use e2e::lsp::{Client, uri};
use serde_json::{Value, json};
use testbed::Bucket;

use crate::journey::{Laid, run};
use crate::{SHOPS, admin, editor, story};

const PATIENCE: Duration = Duration::from_secs(60);

/// The first line of a file.
fn at_start(file: &Path) -> Value {
    json!({"uri": uri(file), "position": {"line": 1, "character": 8}})
}

#[test]
fn a_bucket_tells_a_digest_and_no_commit() {
    story(async |testbed| {
        let name = "way-bucket";
        let cluster = testbed.cluster_named(SHOPS)?;
        let bucket = Bucket::serve().await?;
        let laid = Laid::new(testbed, name).await?;
        let at = laid.folder.path();
        // The repository holds what CI copies to the bucket, and the objects that fetch from there.
        let objects = format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: Bucket\nmetadata:\n  name: {name}\n  namespace: flux-system\n\
             spec: {{interval: 1h, provider: generic, bucketName: fleet, endpoint: '{}', insecure: true, region: us-east-1}}\n---\n\
             apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: {name}\n  namespace: flux-system\n\
             spec: {{interval: 1h, path: ./apps, prune: true, targetNamespace: {name}, sourceRef: {{kind: Bucket, name: {name}}}}}\n",
            bucket.endpoint()
        );
        let file = at.join("cluster/way.yaml");
        std::fs::create_dir_all(at.join("cluster")).unwrap();
        std::fs::write(&file, objects).unwrap();
        laid.commit("Fetch from a bucket");
        run(at, &["push", "--quiet", "origin", "main"]);
        let copy = || {
            let manifest = std::fs::read(laid.file("live")).unwrap();
            bucket.put("apps/live.yaml", manifest);
        };
        copy();
        cluster.apply(&format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n")).await?;
        cluster
            .apply(&format!(
                "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{name: {name}-root, namespace: flux-system}}\n\
                 spec: {{interval: 1h, url: {}, ref: {{branch: main}}}}\n---\n\
                 apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}-root, namespace: flux-system}}\n\
                 spec: {{interval: 1h, path: ./cluster, prune: true, sourceRef: {{kind: GitRepository, name: {name}-root}}}}\n",
                laid.url
            ))
            .await?;
        let object = format!("Kustomization/flux-system/{name}");
        let source = format!("Bucket/flux-system/{name}");
        cluster.wait_ready(&object, PATIENCE).await?;
        let digest = async || {
            let source = cluster.get(&source).await?.unwrap_or_default();
            Ok::<_, testbed::Error>(
                source["status"]["artifact"]["revision"].as_str().unwrap_or_default().to_owned(),
            )
        };
        let first = digest().await?;
        let home = Home::new();
        let mut editor = editor(&home, at, &admin(testbed).await);
        editor.open(&file);
        editor.execute("fluxcd.chooseCluster", json!({"uri": uri(&file)}));
        // The digest and its time are known. Nothing is called live for what nobody can compare.
        let applied = |digest: &str| format!("8: ✓ staging: applied {}", &digest[..14]);
        editor.wait_lens(&file, &applied(&first));
        editor.wait_lens(&file, &format!("1: ✓ staging: fetched {}", &first[..14]));
        let unknown = "; which commit it was made from is not written down";
        let fetched = editor.hover(&file, 3, 10);
        assert!(fetched.contains(&format!("fetched `{}`, stored ", &first[..14])), "{fetched}");
        assert!(fetched.contains(unknown), "{fetched}");
        let running = editor.hover(&file, 10, 10);
        assert!(running.contains(&format!("running `{}`{unknown}", &first[..14])), "{running}");
        // Of the manifests nobody can tell that they are what was copied.
        let says_nothing = |editor: &mut Client| {
            for stage in ["live", "saved"] {
                let manifest = laid.file(stage);
                editor.open(&manifest);
                assert_eq!(editor.lenses(&manifest), Vec::<String>::new());
                let details = editor.execute("fluxcd.statusAtCursor", at_start(&manifest));
                let details = details["markdown"].as_str().unwrap();
                let why =
                    format!("cannot be told: `{source} does not say which repository it was made from`");
                assert!(details.contains(&why), "{details}");
            }
        };
        says_nothing(&mut editor);

        // Another content is there, and its Kustomization is suspended: that is told by digests, and as no distance.
        laid.write("live", "2");
        laid.commit("Change what is live");
        run(at, &["push", "--quiet", "origin", "main"]);
        cluster.patch(&object, json!({"spec": {"suspend": true}})).await?;
        copy();
        cluster.reconcile(&source).await?;
        let is_new = |it: &Value| it["status"]["artifact"]["revision"] != json!(first);
        cluster.wait_for(&source, "another digest", PATIENCE, is_new).await?;
        let second = digest().await?;
        editor.wait_lens(&file, &format!("1: ✓ staging: fetched {}", &second[..14]));
        editor.wait_lens(&file, "8: staging: suspended");
        let suspended = editor.hover(&file, 10, 10);
        assert!(suspended.contains(&format!("running `{}`{unknown}", &first[..14])), "{suspended}");
        assert!(suspended.contains(&format!("next `{}`", &second[..14])), "{suspended}");
        says_nothing(&mut editor);
        cluster.patch(&object, json!({"spec": {"suspend": false}})).await?;
        editor.wait_lens(&file, &applied(&second));
        editor.stop();
        // Of what else is in the cluster the others may say all: what a bucket brings could be any commit's.
        cluster.delete(&format!("Kustomization/flux-system/{name}-root")).await?;
        for object in [&object, &source] {
            cluster.wait_gone(object, PATIENCE).await?;
        }
        Ok(())
    });
}
