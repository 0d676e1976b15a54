use std::sync::Mutex;

use expect_test::{Expect, expect};

use super::*;
use crate::client::{Connector as _, Occasion};
use crate::context::ContextKey;
use crate::fake::{Answer, Fake};
use crate::session::SessionOptions;
use crate::state::StateDir;
use crate::wire::{Clock, Wire};

const NS: &str = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system";
const APPS: &str = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/apps";
const REPOSITORY: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/fleet";
const RELEASE: &str = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/apps/helmreleases/web";
const CHART: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/helmcharts/apps-web";
const HELM: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/helmrepositories/charts";

/// Apps from a Git repository, and a release from a Helm repository.
fn fleet() -> Fake {
    let fake = Fake::flux();
    let object = |api: &str, kind: &str, namespace: &str, spec: Value| {
        json!({ "apiVersion": api, "kind": kind, "metadata": { "namespace": namespace, "annotations": {} }, "spec": spec,
            "status": { "lastHandledReconcileAt": "before", "conditions": [{ "type": "Ready", "status": "True", "reason": "Old", "message": "old" }] } })
    };
    let source = "source.toolkit.fluxcd.io/v1";
    fake.put(
        REPOSITORY,
        object(source, "GitRepository", "flux-system", json!({ "url": "https://git", "interval": "1m" })),
    );
    let spec = json!({ "path": "./apps", "timeout": "2m", "interval": "10m", "sourceRef": { "kind": "GitRepository", "name": "fleet" } });
    fake.put(APPS, object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "flux-system", spec));
    let chart = json!({ "spec": { "chart": "web", "sourceRef": { "kind": "HelmRepository", "name": "charts", "namespace": "flux-system" } } });
    fake.put(RELEASE, object("helm.toolkit.fluxcd.io/v2", "HelmRelease", "apps", json!({ "chart": chart })));
    let spec = json!({ "chart": "web", "sourceRef": { "kind": "HelmRepository", "name": "charts" } });
    fake.put(CHART, object(source, "HelmChart", "flux-system", spec));
    fake.put(HELM, object(source, "HelmRepository", "flux-system", json!({ "url": "https://charts" })));
    fake
}

async fn access(fake: &Fake) -> Access {
    let mut options = SessionOptions::new(StateDir::at("/nowhere"));
    options.clock = Clock::new(|| "2026-11-22T10:00:00.000000001Z".parse().unwrap());
    let wire = Wire::new(options.clock.clone());
    let connection = fake.connect(Occasion::Chosen, false, &wire, &CancellationToken::new()).await.unwrap();
    let key = ContextKey::new(vec!["/config".into()], "fake");
    Access::establish(connection, key, wire, &options).await.unwrap()
}

fn id(path: &str) -> ObjectId {
    let parts: Vec<&str> = path.split('/').collect();
    let kind = Kind::from_plural(parts[6]).unwrap();
    ObjectId::flux(kind, parts[5], parts[7])
}

/// A controller: whenever an object is asked to reconcile, it works for a while and then answers.
async fn controller(fake: Fake, answer: impl Fn(&str, &mut Value)) {
    loop {
        for path in [REPOSITORY, APPS, RELEASE, CHART, HELM] {
            let object = fake.object(path);
            let asked = object["metadata"]["annotations"][REQUESTED_AT].clone();
            let suspended = object["spec"]["suspend"] == true;
            if asked.is_null() || suspended || object["status"]["lastHandledReconcileAt"] == asked {
                continue;
            }
            let working = json!([
                { "type": "Reconciling", "status": "True", "reason": "Progressing", "message": format!("working on {}", id(path)) },
                { "type": "Ready", "status": "Unknown", "reason": "Progressing", "message": "working" },
            ]);
            fake.change(path, |o| o["status"]["conditions"] = working);
            sleep(Duration::from_secs(3)).await;
            fake.change(path, |o| {
                o["status"]["conditions"] =
                    json!([{ "type": "Ready", "status": "True", "reason": "Done", "message": "done" }]);
                o["status"]["lastHandledReconcileAt"] = asked;
                answer(path, o);
            });
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// What happens on the way, and how it ends.
async fn check(
    fake: &Fake,
    action: Action,
    path: &str,
    answer: impl Fn(&str, &mut Value),
    expected: Expect,
) -> Outcome {
    let access = access(fake).await;
    let said = Mutex::new(String::new());
    let began = Instant::now();
    let tell = |p: Progress| *said.lock().unwrap() += &format!("{}: {}\n", p.object, p.text);
    let object = id(path);
    let outcome = tokio::select! {
        outcome = access.act(action, &object, tell, CancellationToken::new()) => outcome,
        () = controller(fake.clone(), answer) => unreachable!(),
    };
    let patches = fake.requests().into_iter().filter(|r| r.starts_with("PATCH"));
    let patches: String = patches.map(|r| format!("{}\n", r.rsplit_once("/v").unwrap().1)).collect();
    let text = format!("{patches}{}=> {outcome}\n", said.into_inner().unwrap());
    expected.assert_eq(&text);
    assert!(began.elapsed() < Duration::from_secs(600));
    outcome
}

const RECONCILE: Action = Action::Reconcile { with_source: false };
const WITH_SOURCE: Action = Action::Reconcile { with_source: true };

#[tokio::test(start_paused = true)]
async fn reconcile_ends_in_the_new_revision() {
    let fake = fleet();
    let applied = |_: &str, o: &mut Value| {
        o["status"]["lastAppliedRevision"] = "main@sha1:1a2b3c4d5e6f708192a3b4c5d6e7f80912345678".into()
    };
    check(
        &fake,
        RECONCILE,
        APPS,
        applied,
        expect![[r#"
        1/namespaces/flux-system/kustomizations/apps &fieldManager=fluxcd-ls
        Kustomization/flux-system/apps: working on Kustomization/flux-system/apps
        => Kustomization/flux-system/apps is ready at main@1a2b3c4
    "#]],
    )
    .await;
    let after = fake.object(APPS);
    assert_eq!(after["metadata"]["annotations"], json!({ REQUESTED_AT: "2026-11-22T10:00:00.000000001Z" }));
    assert_eq!(after["spec"]["path"], "./apps");
    // Pressed again within the same nanosecond: another token, or nothing would happen.
    let access = access(&fake).await;
    let object = Object::from_json(fake.object(APPS)).unwrap();
    assert_eq!(access.token(&object), "2026-11-22T10:00:00.000000002Z");
}

#[tokio::test(start_paused = true)]
async fn reconcile_ends_in_the_failure() {
    let fake = fleet();
    let failed = |_: &str, o: &mut Value| {
        o["status"]["conditions"] = json!([{ "type": "Ready", "status": "False", "reason": "BuildFailed", "message": "no such file\nsecond line" }]);
    };
    check(
        &fake,
        RECONCILE,
        APPS,
        failed,
        expect![[r#"
        1/namespaces/flux-system/kustomizations/apps &fieldManager=fluxcd-ls
        Kustomization/flux-system/apps: working on Kustomization/flux-system/apps
        => Kustomization/flux-system/apps failed (BuildFailed): no such file
        second line
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn with_source_fetches_first() {
    check(
        &fleet(),
        WITH_SOURCE,
        APPS,
        |_, _| {},
        expect![[r#"
        1/namespaces/flux-system/gitrepositories/fleet &fieldManager=fluxcd-ls
        1/namespaces/flux-system/kustomizations/apps &fieldManager=fluxcd-ls
        GitRepository/flux-system/fleet: working on GitRepository/flux-system/fleet
        Kustomization/flux-system/apps: working on Kustomization/flux-system/apps
        => Kustomization/flux-system/apps is ready: done
    "#]],
    )
    .await;
    check(
        &fleet(),
        WITH_SOURCE,
        RELEASE,
        |_, _| {},
        expect![[r#"
        1/namespaces/flux-system/helmrepositories/charts &fieldManager=fluxcd-ls
        1/namespaces/flux-system/helmcharts/apps-web &fieldManager=fluxcd-ls
        2/namespaces/apps/helmreleases/web &fieldManager=fluxcd-ls
        HelmRepository/flux-system/charts: working on HelmRepository/flux-system/charts
        HelmChart/flux-system/apps-web: working on HelmChart/flux-system/apps-web
        HelmRelease/apps/web: working on HelmRelease/apps/web
        => HelmRelease/apps/web is ready: done
    "#]],
    )
    .await;
    // An OCI HelmRepository is no step.
    let fake = fleet();
    fake.change(HELM, |o| o["spec"]["type"] = "oci".into());
    check(
        &fake,
        WITH_SOURCE,
        RELEASE,
        |_, _| {},
        expect![[r#"
        1/namespaces/flux-system/helmcharts/apps-web &fieldManager=fluxcd-ls
        2/namespaces/apps/helmreleases/web &fieldManager=fluxcd-ls
        HelmChart/flux-system/apps-web: working on HelmChart/flux-system/apps-web
        HelmRelease/apps/web: working on HelmRelease/apps/web
        => HelmRelease/apps/web is ready: done
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_is_the_answer() {
    let failed = |path: &str, o: &mut Value| {
        if path == REPOSITORY {
            o["status"]["conditions"] = json!([{ "type": "Ready", "status": "False", "reason": "GitOperationFailed", "message": "no route" }]);
        }
    };
    check(
        &fleet(),
        WITH_SOURCE,
        APPS,
        failed,
        expect![[r#"
        1/namespaces/flux-system/gitrepositories/fleet &fieldManager=fluxcd-ls
        GitRepository/flux-system/fleet: working on GitRepository/flux-system/fleet
        => GitRepository/flux-system/fleet failed (GitOperationFailed): no route
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn suspended_says_so_and_can_be_resumed() {
    let fake = fleet();
    let suspended = check(
        &fake,
        Action::Suspend,
        APPS,
        |_, _| {},
        expect![[r#"
        1/namespaces/flux-system/kustomizations/apps &fieldManager=fluxcd-ls
        => Kustomization/flux-system/apps is suspended
    "#]],
    )
    .await;
    assert_eq!(suspended, Outcome::Done { object: id(APPS) });
    assert_eq!(fake.object(APPS)["spec"]["suspend"], true);
    let refused = check(
        &fake,
        RECONCILE,
        APPS,
        |_, _| {},
        expect![[r#"
        1/namespaces/flux-system/kustomizations/apps &fieldManager=fluxcd-ls
        => Kustomization/flux-system/apps is suspended: resume it first
    "#]],
    )
    .await;
    assert_eq!(refused, Outcome::Suspended { object: id(APPS) });
    check(
        &fake,
        Action::Resume,
        APPS,
        |_, _| {},
        expect![[r#"
        1/namespaces/flux-system/kustomizations/apps &fieldManager=fluxcd-ls
        1/namespaces/flux-system/kustomizations/apps &fieldManager=fluxcd-ls
        Kustomization/flux-system/apps: working on Kustomization/flux-system/apps
        => Kustomization/flux-system/apps is ready: done
    "#]],
    )
    .await;
    assert_eq!(fake.object(APPS)["spec"].get("suspend"), None);
    // So does a source on the way.
    fake.change(REPOSITORY, |o| o["spec"]["suspend"] = true.into());
    let refused = access(&fake).await.act(WITH_SOURCE, &id(APPS), |_| {}, CancellationToken::new()).await;
    assert_eq!(refused, Outcome::Suspended { object: id(REPOSITORY) });
}

#[tokio::test(start_paused = true)]
async fn refusals() {
    let check = async |request: &str, answer: Answer, expected: Expect| {
        let fake = fleet();
        fake.always(request, answer);
        let outcome = access(&fake).await.act(RECONCILE, &id(APPS), |_| {}, CancellationToken::new()).await;
        expected.assert_eq(&outcome.to_string());
    };
    check(
        "PATCH",
        Answer::Status(403),
        expect!["no permission to patch kustomizations.kustomize.toolkit.fluxcd.io in flux-system"],
    )
    .await;
    check(
        "GET /apis/kustomize.toolkit.fluxcd.io/v1/namespaces",
        Answer::Status(403),
        expect!["no permission to get kustomizations.kustomize.toolkit.fluxcd.io in flux-system"],
    )
    .await;
    check(
        "GET /apis/kustomize.toolkit.fluxcd.io/v1/namespaces",
        Answer::Status(404),
        expect!["Kustomization/flux-system/apps is not in the cluster"],
    )
    .await;
    check("PATCH", Answer::Status(401), expect!["the cluster does not accept the credentials: sign in"])
        .await;
    check(
        "PATCH",
        Answer::Status(422),
        expect!["the cluster refused to change Kustomization/flux-system/apps: made up 422"],
    )
    .await;
    check("PATCH", Answer::Refuse, expect!["the cluster gives no answer: connection refused"]).await;
    check(
        "PATCH",
        Answer::Status(500),
        expect!["the cluster gives no answer: the cluster answered 500: made up 500"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_nobody_reconciles() {
    let fake = fleet();
    fake.change(HELM, |o| o["spec"]["type"] = "oci".into());
    let outcome = access(&fake).await.act(RECONCILE, &id(HELM), |_| {}, CancellationToken::new()).await;
    assert_eq!(outcome, Outcome::Static { object: id(HELM) });
    let alert = ObjectId::flux(Kind::Alert, "flux-system", "a");
    let outcome = access(&fake).await.act(RECONCILE, &alert, |_| {}, CancellationToken::new()).await;
    assert_eq!(outcome, Outcome::NotServed { kind: "Alert".into() });
    let pod = ObjectId::new("", "Pod", "a", "b");
    let outcome = access(&fake).await.act(RECONCILE, &pod, |_| {}, CancellationToken::new()).await;
    assert_eq!(outcome, Outcome::NotServed { kind: "Pod".into() });
}

#[tokio::test(start_paused = true)]
async fn no_answer_names_what_it_waits_for() {
    let fake = fleet();
    let access = access(&fake).await;
    let began = Instant::now();
    let outcome = access.act(RECONCILE, &id(APPS), |_| {}, CancellationToken::new()).await;
    expect!["Kustomization/flux-system/apps gave no answer within 150 s; last: nothing. Is the controller of kustomizations.kustomize.toolkit.fluxcd.io running?"]
        .assert_eq(&outcome.to_string());
    // The object's own timeout, and 30 s.
    assert_eq!(began.elapsed().as_secs(), 150);
}

#[tokio::test(start_paused = true)]
async fn cancelled_says_that_it_goes_on() {
    let fake = fleet();
    let access = access(&fake).await;
    let cancel = CancellationToken::new();
    let object = id(APPS);
    let (outcome, ()) = tokio::join!(access.act(RECONCILE, &object, |_| {}, cancel.clone()), async {
        while fake.log("PATCH").is_empty() {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    });
    assert_eq!(outcome, Outcome::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn it_survives_cut_watches_overload_and_being_forbidden_to_watch() {
    for answer in [Answer::Lines(vec![]), Answer::Status(403), Answer::Status(500), Answer::Refuse] {
        let fake = fleet();
        fake.always("WATCH", answer);
        fake.next(&format!("PATCH {APPS}"), Answer::Header(429, "retry-after", "3"));
        let access = access(&fake).await;
        let object = id(APPS);
        let outcome = tokio::select! {
            outcome = access.act(RECONCILE, &object, |_| {}, CancellationToken::new()) => outcome,
            () = controller(fake.clone(), |_, _| {}) => unreachable!(),
        };
        assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
        assert!(fake.log("GET").len() < 30, "{}", fake.log("GET").len());
    }
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_request_counts() {
    let fake = fleet();
    let access = access(&fake).await;
    let object = id(APPS);
    let (outcome, ()) =
        tokio::join!(access.act(RECONCILE, &object, |_| {}, CancellationToken::new()), async {
            while !fake.watching(&format!("{NS}/kustomizations")) {
                tokio::task::yield_now().await;
            }
            fake.change(APPS, |o| {
                o["metadata"]["annotations"][REQUESTED_AT] = "theirs".into();
                o["status"]["lastHandledReconcileAt"] = "theirs".into();
            });
        });
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn deleted_meanwhile() {
    let fake = fleet();
    let access = access(&fake).await;
    let object = id(APPS);
    let (outcome, ()) =
        tokio::join!(access.act(RECONCILE, &object, |_| {}, CancellationToken::new()), async {
            while !fake.watching(&format!("{NS}/kustomizations")) {
                tokio::task::yield_now().await;
            }
            fake.delete(APPS, false);
        });
    assert_eq!(outcome, Outcome::Gone { object: id(APPS) });
}

#[tokio::test(start_paused = true)]
async fn secrets_are_never_read() {
    let fake = fleet();
    let access = access(&fake).await;
    let before = fake.requests().len();
    let secret = ObjectId::new("", "Secret", "flux-system", "deploy-key");
    assert_eq!(access.get(&secret).await, Err(AccessError::Secret));
    assert_eq!(fake.requests().len(), before);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_a_plain_list() {
    let fake = fleet();
    fake.change(APPS, |o| o["metadata"]["managedFields"] = json!([{ "manager": "x" }]));
    fake.always("LIST /apis/helm", Answer::Status(403));
    let snapshot = access(&fake).await.snapshot().await.unwrap();
    let list = flux::list::read(snapshot.json.as_bytes()).unwrap();
    let names: Vec<String> = list.objects.iter().map(|o| o.id.to_string()).collect();
    expect![[r#"
        Kustomization/flux-system/apps
        GitRepository/flux-system/fleet
        HelmChart/flux-system/apps-web
        HelmRepository/flux-system/charts"#]]
    .assert_eq(&names.join("\n"));
    assert!(!snapshot.json.contains("managedFields"));
    let counts: Vec<String> = snapshot.counts.iter().map(|(k, c)| format!("{k}: {c:?}")).collect();
    expect![[r#"
        GitRepository: Ok(1)
        OCIRepository: Ok(0)
        HelmRepository: Ok(1)
        HelmChart: Ok(1)
        Kustomization: Ok(1)
        HelmRelease: Err(Forbidden { verb: "list", resource: "helmreleases.helm.toolkit.fluxcd.io", namespace: "" })"#]].assert_eq(&counts.join("\n"));
    assert_eq!(access(&fake).await.snapshot().await.unwrap().json, snapshot.json);
}
