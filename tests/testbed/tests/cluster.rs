//! One testbed, shared by all tests of this file: each has a repository and a namespace of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are tests")]

use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig as File};
use serde_json::json;
use testbed::{
    Artifact, Auth, Cluster, Commit, ExecOptions, FATE_LABEL, Flux, Kubeconfig, Options, Program, Role,
    Testbed, condition,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A namespace with a GitRepository and a Kustomization `test` that reads `deploy/` of the repository of the same name.
async fn follow(cluster: &Cluster, name: &str, url: &str) {
    let yaml = format!(
        "
apiVersion: v1
kind: Namespace
metadata: {{ name: {name} }}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {{ name: test, namespace: {name} }}
spec: {{ interval: 1h, url: {url}, ref: {{ branch: main }} }}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{ name: test, namespace: {name} }}
spec:
  interval: 1h
  timeout: 5s
  path: ./deploy
  prune: true
  wait: true
  targetNamespace: {name}
  sourceRef: {{ kind: GitRepository, name: test }}
"
    );
    cluster.apply(&yaml).await.unwrap();
}

fn deployment(name: &str, fate: &str) -> String {
    format!(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {{ name: {name} }}
spec:
  replicas: 1
  progressDeadlineSeconds: 2
  selector: {{ matchLabels: {{ app: {name} }} }}
  template:
    metadata: {{ labels: {{ app: {name}, {FATE_LABEL}: {fate} }} }}
    spec:
      containers:
      - name: main
        image: ghcr.io/stefanprodan/podinfo:6.9.0
"
    )
}

/// A client as a program would make it from the file, in place of the testbed's own.
async fn client(kubeconfig: &Kubeconfig) -> kube::Result<kube::Client> {
    let file = File::read_from(kubeconfig.path()).unwrap();
    let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.unwrap();
    kube::Client::try_from(config)
}

/// The HTTP status of a request, 200 for every success.
async fn status(client: &kube::Client, request: http::Request<Vec<u8>>) -> u16 {
    match client.request_text(request).await {
        Ok(_) => 200,
        Err(kube::Error::Api(status)) => status.code,
        Err(error) => panic!("{error}"),
    }
}

fn read(path: &str) -> http::Request<Vec<u8>> {
    http::Request::get(path).body(vec![]).unwrap()
}

fn annotate(path: &str) -> http::Request<Vec<u8>> {
    http::Request::patch(path)
        .header("content-type", "application/merge-patch+json")
        .body(br#"{"metadata":{"annotations":{"a":"b"}}}"#.to_vec())
        .unwrap()
}

#[tokio::test]
async fn a_pushed_commit_is_applied_and_its_workload_becomes_ready() {
    let testbed = Testbed::shared().await.unwrap();
    let cluster = testbed.cluster();
    let repository = testbed.gitea().create_repository("pushed").await.unwrap();
    let commit = Commit::new("Add web")
        .file("deploy/web.yaml", deployment("web", "none"))
        .date("2026-11-03T09:12:00Z");
    let first = repository.commit(commit).await.unwrap();
    follow(cluster, "pushed", &repository.url()).await;
    cluster.apply_value(testbed.gitea().token_secret("pushed", "gitea")).await.unwrap();
    let alerts = format!(
        "
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {{ name: gitea, namespace: pushed }}
spec: {{ type: gitea, address: '{}', secretRef: {{ name: gitea }} }}
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata: {{ name: all, namespace: pushed }}
spec: {{ providerRef: {{ name: gitea }}, eventSources: [{{ kind: Kustomization, name: '*' }}] }}
",
        repository.url()
    );
    cluster.apply(&alerts).await.unwrap();
    let object = cluster.wait_ready("Kustomization/pushed/test", PATIENCE).await.unwrap();
    assert_eq!(object["status"]["lastAppliedRevision"], format!("main@sha1:{first}"));
    assert_eq!(object["status"]["inventory"]["entries"][0]["id"], "pushed_web_apps_Deployment");
    let web = cluster.get("Deployment/pushed/web").await.unwrap().unwrap();
    assert_eq!(web["status"]["readyReplicas"], 1);

    let commit = Commit::new("Let web crash").file("deploy/web.yaml", deployment("web", "crash"));
    let second = repository.commit(commit).await.unwrap();
    cluster.reconcile("GitRepository/pushed/test").await.unwrap();
    let failed = ("Ready", "False", Some("HealthCheckFailed"));
    let object = cluster.wait_condition("Kustomization/pushed/test", failed, PATIENCE).await.unwrap();
    assert_eq!(object["status"]["lastAttemptedRevision"], format!("main@sha1:{second}"));
    let pods = cluster.list("Pod", Some("pushed")).await.unwrap();
    let waiting = pods.iter().find_map(|pod| pod.pointer("/status/containerStatuses/0/state/waiting/reason"));
    assert_eq!(waiting, Some(&json!("CrashLoopBackOff")));

    let statuses = async || {
        let statuses = testbed.gitea().statuses("pushed", &second).await?;
        Ok(statuses.into_iter().find(|status| status["status"] == "failure"))
    };
    let posted = cluster.wait_until("Flux to post a commit status", PATIENCE, statuses).await.unwrap();
    assert_eq!(posted["description"], "health check failed");
}

#[tokio::test]
async fn a_chart_in_git_is_released() {
    let testbed = Testbed::shared().await.unwrap();
    let cluster = testbed.cluster();
    // An existing repository, with its history.
    let existing = testbed.gitea().create_repository("existing").await.unwrap();
    let chart = "{apiVersion: v2, name: shop, version: 1.2.3}";
    let template =
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: shop}, data: {a: {{ .Values.a | quote }}}}";
    let commit = Commit::new("Add the chart")
        .file("charts/shop/Chart.yaml", chart)
        .file("charts/shop/values.yaml", "a: b");
    existing.commit(commit.file("charts/shop/templates/shop.yaml", template)).await.unwrap();
    let head = existing.commit(Commit::new("Say nothing").remove("charts/shop/values.yaml")).await.unwrap();
    let repository = testbed.gitea().create_private_repository("released").await.unwrap();
    repository.push_existing(existing.clone_path(), &["main"]).await.unwrap();
    assert_eq!(repository.head("main").await.unwrap(), head);

    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: released}}").await.unwrap();
    cluster.apply_value(testbed.gitea().git_secret("released", "git")).await.unwrap();
    let yaml = format!(
        "
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {{ name: test, namespace: released }}
spec: {{ interval: 1h, url: {}, ref: {{ branch: main }}, secretRef: {{ name: git }} }}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{ name: test, namespace: released }}
spec:
  interval: 1h
  chart: {{ spec: {{ chart: ./charts/shop, sourceRef: {{ kind: GitRepository, name: test }} }} }}
",
        repository.url()
    );
    cluster.apply(&yaml).await.unwrap();
    let release = cluster.wait_ready("HelmRelease/released/test", PATIENCE).await.unwrap();
    assert_eq!(release["status"]["history"][0]["chartVersion"], "1.2.3");
    assert!(cluster.get("ConfigMap/released/shop").await.unwrap().is_some());
}

#[tokio::test]
async fn a_generated_artifact_is_applied() {
    let testbed = Testbed::shared().await.unwrap();
    let cluster = testbed.cluster();
    let repository = testbed.gitea().create_repository("generated").await.unwrap();
    let config = "{apiVersion: v1, kind: ConfigMap, metadata: {name: generated}}";
    repository.commit(Commit::new("Add a part").file("parts/one/config.yaml", config)).await.unwrap();
    let yaml = format!(
        "
apiVersion: v1
kind: Namespace
metadata: {{ name: generated }}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {{ name: test, namespace: generated }}
spec: {{ interval: 1h, url: {}, ref: {{ branch: main }} }}
---
apiVersion: source.extensions.fluxcd.io/v1beta1
kind: ArtifactGenerator
metadata: {{ name: test, namespace: generated }}
spec:
  sources: [{{ alias: repo, kind: GitRepository, name: test }}]
  artifacts:
  - name: one
    originRevision: '@repo'
    copy: [{{ from: '@repo/parts/one/**', to: '@artifact/' }}]
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{ name: test, namespace: generated }}
spec:
  interval: 1h
  prune: true
  targetNamespace: generated
  sourceRef: {{ kind: ExternalArtifact, name: one }}
",
        repository.url()
    );
    cluster.apply(&yaml).await.unwrap();
    let object = cluster.wait_ready("Kustomization/generated/test", PATIENCE).await.unwrap();
    let head = repository.head("main").await.unwrap();
    assert_eq!(object["status"]["lastAppliedOriginRevision"], format!("main@sha1:{head}"));
}

#[tokio::test]
async fn pods_can_stay_pending_and_jobs_can_fail() {
    let cluster = Testbed::shared().await.unwrap().cluster();
    let workloads = format!(
        "{}---{}---
apiVersion: batch/v1
kind: Job
metadata: {{ name: fails }}
spec:
  backoffLimit: 0
  template:
    metadata: {{ labels: {{ {FATE_LABEL}: fail }} }}
    spec: {{ restartPolicy: Never, containers: [{{ name: main, image: busybox }}] }}
---
apiVersion: batch/v1
kind: Job
metadata: {{ name: succeeds }}
spec:
  template:
    spec: {{ restartPolicy: Never, containers: [{{ name: main, image: busybox }}] }}
",
        deployment("pulls", "image"),
        deployment("hangs", "pending")
    )
    .replace("metadata: { name: ", "metadata: { namespace: fates, name: ");
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: fates}}").await.unwrap();
    cluster.apply(&workloads).await.unwrap();
    cluster.wait_condition("Job/fates/fails", ("Failed", "True", None), PATIENCE).await.unwrap();
    cluster.wait_condition("Job/fates/succeeds", ("Complete", "True", None), PATIENCE).await.unwrap();
    for name in ["pulls", "hangs"] {
        let late = ("Progressing", "False", Some("ProgressDeadlineExceeded"));
        cluster.wait_condition(&format!("Deployment/fates/{name}"), late, PATIENCE).await.unwrap();
    }
    let pods = cluster.list("v1/Pod", Some("fates")).await.unwrap();
    let phase =
        |app: &str| pods.iter().find(|p| p["metadata"]["labels"]["app"] == app).unwrap()["status"].clone();
    assert_eq!(phase("hangs")["phase"], "Pending");
    assert_eq!(phase("pulls")["containerStatuses"][0]["state"]["waiting"]["reason"], "ImagePullBackOff");
}

#[tokio::test]
async fn an_artifact_tells_the_commit_it_was_made_of() {
    let testbed = Testbed::shared().await.unwrap();
    let (cluster, gitea) = (testbed.cluster(), testbed.gitea());
    let folder = tempfile::tempdir().unwrap();
    let config = "{apiVersion: v1, kind: ConfigMap, metadata: {name: artifact}, data: {a: b}}";
    std::fs::write(folder.path().join("config.yaml"), config).unwrap();
    let artifact = Artifact {
        folder: folder.path().to_owned(),
        source: "https://git.example/flux/fleet.git".to_owned(),
        revision: "main@sha1:0123456789012345678901234567890123456789".to_owned(),
        created: "2026-11-03T09:12:00Z".to_owned(),
    };
    let digest = gitea.push_artifact("artifact", "latest", &artifact).await.unwrap();
    assert_eq!(gitea.push_artifact("artifact", "latest", &artifact).await.unwrap(), digest);
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: artifact}}").await.unwrap();
    cluster.apply_value(gitea.registry_secret("artifact", "registry")).await.unwrap();
    let yaml = format!(
        "
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{ name: test, namespace: artifact }}
spec:
  interval: 1h
  url: {}
  insecure: true
  ref: {{ tag: latest }}
  secretRef: {{ name: registry }}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{ name: test, namespace: artifact }}
spec:
  interval: 1h
  prune: true
  targetNamespace: artifact
  sourceRef: {{ kind: OCIRepository, name: test }}
",
        gitea.oci_url("artifact")
    );
    cluster.apply(&yaml).await.unwrap();
    let object = cluster.wait_ready("Kustomization/artifact/test", PATIENCE).await.unwrap();
    assert_eq!(object["status"]["lastAppliedRevision"], format!("latest@{digest}"));
    assert_eq!(object["status"]["lastAppliedOriginRevision"], artifact.revision);
}

#[tokio::test]
async fn everybody_has_the_rights_of_the_role() {
    let cluster = Testbed::shared().await.unwrap().cluster();
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: theirs}}").await.unwrap();
    for namespace in ["ours", "theirs"] {
        let yaml = format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {{ name: test, namespace: {namespace} }}
spec: {{ interval: 1h, suspend: true, url: 'https://git.example/x.git' }}
"
        );
        cluster.apply(&yaml).await.unwrap();
    }
    let path = "/apis/source.toolkit.fluxcd.io/v1";
    let requests = [
        ("list all", read(&format!("{path}/gitrepositories"))),
        ("list ours", read(&format!("{path}/namespaces/ours/gitrepositories"))),
        ("patch ours", annotate(&format!("{path}/namespaces/ours/gitrepositories/test"))),
        ("patch theirs", annotate(&format!("{path}/namespaces/theirs/gitrepositories/test"))),
        ("pods of ours", read("/api/v1/namespaces/ours/pods")),
        ("secrets", read("/api/v1/secrets")),
    ];
    let mut table = String::new();
    for role in [Role::Admin, Role::Editor, Role::Viewer, Role::OneNamespace("ours".to_owned()), Role::Nobody]
    {
        let kubeconfig = cluster.kubeconfig(role.clone(), Auth::Token).await.unwrap();
        let client = client(&kubeconfig).await.unwrap();
        table.push_str(&format!("{role:?}:"));
        for (name, request) in &requests {
            table.push_str(&format!(" {name} {},", status(&client, request.clone()).await));
        }
        table.push('\n');
    }
    expect_test::expect![[r#"
        Admin: list all 200, list ours 200, patch ours 200, patch theirs 200, pods of ours 200, secrets 200,
        Editor: list all 200, list ours 200, patch ours 200, patch theirs 200, pods of ours 403, secrets 403,
        Viewer: list all 200, list ours 200, patch ours 403, patch theirs 403, pods of ours 403, secrets 403,
        OneNamespace("ours"): list all 403, list ours 200, patch ours 200, patch theirs 403, pods of ours 200, secrets 403,
        Nobody: list all 403, list ours 403, patch ours 403, patch theirs 403, pods of ours 403, secrets 403,
    "#]].assert_eq(&table);
}

#[tokio::test]
async fn one_can_log_in_by_token_certificate_and_plugin() {
    let cluster = Testbed::shared().await.unwrap().cluster();
    let list = || read("/apis/source.toolkit.fluxcd.io/v1/gitrepositories");
    let answers = [
        (Auth::Token, 200),
        (Auth::ClientCertificate, 200),
        (Auth::Exec(ExecOptions::default()), 200),
        (Auth::RejectedToken, 401),
        (Auth::ExpiredCertificate, 401),
    ];
    for (auth, expected) in answers {
        let kubeconfig = cluster.kubeconfig(Role::Viewer, auth.clone()).await.unwrap();
        let answer = status(&client(&kubeconfig).await.unwrap(), list()).await;
        assert_eq!(answer, expected, "{auth:?}");
        assert_eq!(
            kubeconfig.plugin().map(|plugin| plugin.runs() > 0),
            matches!(auth, Auth::Exec(_)).then_some(true)
        );
    }
    let options = ExecOptions {
        failure: Some("the session has ended: run company-login".to_owned()),
        ..Default::default()
    };
    let kubeconfig = cluster.kubeconfig(Role::Viewer, Auth::Exec(options)).await.unwrap();
    let run = || std::process::Command::new(kubeconfig.plugin().unwrap().program()).output().unwrap();
    assert_eq!(String::from_utf8(run().stderr).unwrap(), "the session has ended: run company-login\n");
    kubeconfig.plugin().unwrap().fail(None).unwrap();
    kubeconfig.plugin().unwrap().expire_in(Some(Duration::from_secs(60))).unwrap();
    let credential: serde_json::Value = serde_json::from_slice(&run().stdout).unwrap();
    let expiry: jiff::Timestamp =
        credential["status"]["expirationTimestamp"].as_str().unwrap().parse().unwrap();
    assert!(expiry > jiff::Timestamp::now());

    let admin = cluster.kubeconfig(Role::Admin, Auth::Token).await.unwrap().named("owner").unwrap();
    let both = kubeconfig.clone().and(&admin).unwrap().with_current("owner").unwrap();
    assert_eq!(both.contexts(), ["testbed", "owner"]);
    assert_eq!(status(&client(&both).await.unwrap(), read("/api/v1/secrets")).await, 200);
}

#[tokio::test]
async fn a_vain_wait_says_why_and_keeps_the_logs() {
    // Its own: the logs of the shared one would stay behind.
    let testbed = Testbed::start(Options::bare(Flux::Running)).await.unwrap();
    let cluster = testbed.cluster();
    follow(cluster, "vain", "http://127.0.77.1:1/nothing-there.git").await;
    let failed =
        |object: &serde_json::Value| condition(object, "Ready").is_some_and(|c| c["status"] == "False");
    cluster.wait_for("GitRepository/vain/test", "the source to fail", PATIENCE, failed).await.unwrap();
    let error = cluster
        .wait_ready("GitRepository/vain/test", Duration::from_millis(200))
        .await
        .unwrap_err()
        .to_string();
    let told = |part: &str| assert!(error.contains(part), "{part:?} is missing in:\n{error}");
    told("in vain for: GitRepository/vain/test to be ready (cluster testbed)");
    told("Ready=False GitOperationFailed: failed to checkout and determine revision");
    told("the log of source-controller says of it:");
    let error =
        cluster.wait_ready("Kustomization/vain/misspelt", Duration::from_millis(200)).await.unwrap_err();
    assert!(error.to_string().contains("Kustomization/vain/misspelt does not exist"), "{error}");
    let error = cluster.get("GitRepositories/vain/test").await.unwrap_err();
    assert!(error.to_string().contains("the kind is not known"), "{error}");

    let kept = testbed.keep_logs();
    let folder = testbed.folder().to_owned();
    drop(testbed);
    assert!(!folder.exists());
    let log = std::fs::read_to_string(kept.join("testbed-source-controller.log")).unwrap();
    assert!(log.contains("nothing-there.git"));
    std::fs::remove_dir_all(&kept).unwrap();
}

#[tokio::test]
async fn the_api_server_can_hang_and_vanish() {
    // Needs a cluster of its own: others would wait for its controllers.
    let testbed = Testbed::start(Options::bare(Flux::CrdsOnly)).await.unwrap();
    let cluster = testbed.cluster();
    let client = cluster.client().unwrap();
    let ready = || tokio::time::timeout(Duration::from_secs(1), client.request_text(read("/readyz")));
    cluster.pause(Program::ApiServer);
    assert!(ready().await.is_err(), "a paused API server does not answer");
    cluster.resume(Program::ApiServer);
    assert!(ready().await.unwrap().is_ok());
    cluster.stop(Program::ApiServer);
    assert!(ready().await.unwrap().is_err(), "a stopped API server refuses connections");
    cluster.start_again(Program::ApiServer).await.unwrap();
    assert!(ready().await.unwrap().is_ok());
    cluster.apply(
        "{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {name: a, namespace: flux-system}, spec: {interval: 1h, prune: true, sourceRef: {kind: GitRepository, name: a}}}",
    ).await.unwrap();
    let ready = json!({ "observedGeneration": 1, "conditions": [{ "type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "message": "", "lastTransitionTime": "2026-11-03T09:12:00Z" }] });
    cluster.set_status("Kustomization/flux-system/a", ready).await.unwrap();
    cluster.wait_ready("Kustomization/flux-system/a", PATIENCE).await.unwrap();
    cluster.delete("Kustomization/flux-system/a").await.unwrap();
    cluster.wait_gone("Kustomization/flux-system/a", PATIENCE).await.unwrap();
}
