//! Live objects of open manifests: read once, again when their applier did something, and forgotten with their file.

use std::sync::Arc;

use cluster::{AccessError, Read, Wanted, What};
use flux::{Change, Live, Object};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::connecting::connected_to;
use crate::fleet::{FILES, kustomization, source};
use crate::harness::Editor;

const WEB: &str = "infra/web.yaml";
const MANIFEST: &str = "\
//- infra/web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 3
";

/// Waits until objects are to be read, and gives them.
async fn wait_read(editor: &mut Editor) -> Vec<Wanted> {
    for _ in 0..2000 {
        let read = editor.clusters.read();
        if !read.is_empty() {
            return read;
        }
        editor.lenses("nowhere.yaml").await;
        tokio::task::yield_now().await;
    }
    panic!("nothing is to be read");
}

/// What `infra` applied last.
fn infra(revision: &str) -> What {
    let mut infra = kustomization("infra", "./infra", &["shop_web_apps_Deployment"], None);
    infra["status"]["lastAppliedRevision"] = json!(revision);
    let objects = [source(), infra].map(|it| Change::Applied(Object::from_json(it).unwrap()));
    What::Changes(objects.into())
}

fn answer(wanted: &Wanted, ready: u32) -> What {
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 3},
        "status": {"replicas": 3, "updatedReplicas": 3, "readyReplicas": ready, "availableReplicas": ready},
    });
    told(wanted, Ok(object))
}

fn told(wanted: &Wanted, answer: Result<Value, AccessError>) -> What {
    let answer = answer.map(|it| Arc::new(Live::read(wanted.id.clone(), it)));
    What::Object(Box::new(Read { wanted: wanted.clone(), at: Timestamp::now(), answer }))
}

const ONE: &str = "main@sha1:1a2b3c4d5e6f708192a3b4c5d6e7f80911223344";
const TWO: &str = "main@sha1:9f8e7d65e6f708192a3b4c5d6e7f809112233445";

#[tokio::test]
async fn read_while_the_file_is_open_and_when_its_applier_did_something() {
    let files = format!("{FILES}{MANIFEST}");
    let (mut editor, _) = connected_to(&files, &["staging", "This repository"], None).await;
    editor.clusters.say("staging", infra(ONE)).await;
    editor.wait_idle().await;
    assert_eq!(editor.clusters.read(), [], "no manifest is open");

    editor.open(WEB).await;
    let wanted = wait_read(&mut editor).await;
    assert_eq!(wanted.len(), 1, "{wanted:?}");
    assert_eq!((wanted[0].id.to_string().as_str(), &*wanted[0].version), ("Deployment/shop/web", "v1"));
    editor.clusters.say("staging", answer(&wanted[0], 1)).await;
    editor.wait_lens(WEB, "staging: applied main@1a2b3c4 by infra, not in this clone · 1 of 3 ready").await;
    let hover = editor.hover(WEB, 1, 8).await.unwrap();
    assert!(hover.contains("the object itself: `1 of 3 ready`, read "), "{hover}");
    assert!(hover.contains("it matches this text"), "{hover}");
    editor.wait_idle().await;
    assert_eq!(editor.clusters.read(), [], "it was read just now");

    // Another revision: what was read before is told no more, and it is read again.
    editor.clusters.say("staging", infra(TWO)).await;
    let again = wait_read(&mut editor).await;
    assert_eq!(again, wanted);
    let forbidden =
        AccessError::Forbidden { verb: "get", resource: "deployments.apps".into(), namespace: "shop".into() };
    editor.clusters.say("staging", told(&again[0], Err(forbidden))).await;
    let rows = editor.wait_lens(WEB, "main@9f8e7d6").await;
    assert!(rows.iter().all(|it| !it.contains("ready")), "{rows:?}");
    editor.wait_idle().await;
    let hover = editor.hover(WEB, 1, 8).await.unwrap();
    assert!(hover.contains("no permission to `get` `deployments.apps` in `shop`"), "{hover}");

    // Closed: what comes late is nobody's; opened again it is read again.
    editor.close(WEB).await;
    editor.clusters.say("staging", answer(&wanted[0], 2)).await;
    editor.clusters.say("staging", infra(ONE)).await;
    editor.wait_idle().await;
    assert_eq!(editor.clusters.read(), []);
    editor.open(WEB).await;
    assert_eq!(wait_read(&mut editor).await, wanted);
    let hover = editor.hover(WEB, 1, 8).await.unwrap();
    assert!(!hover.contains("the object itself"), "{hover}");
    editor.goodbye().await;
}
