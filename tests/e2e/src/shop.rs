//! A small shop that a real cluster runs from a real repository: the stage on which the stories are told.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::{Cluster, Testbed};

/// A clone, as a person has it, of a repository that a cluster follows.
pub struct Shop {
    folder: tempfile::TempDir,
    name: String,
}

impl Shop {
    /// Makes the repository and the clone, pushes the first commit, and lets the cluster apply it. `name` is of the
    /// repository, of the namespace and of the Flux objects, so that stories can share a cluster.
    pub async fn open(testbed: &Testbed, cluster: &Cluster, name: &str) -> testbed::Result<Shop> {
        let repository = testbed.gitea().create_repository(name).await?;
        let folder =
            tempfile::Builder::new().prefix(&format!("{name}-")).tempdir().expect("a temporary folder");
        let shop = Shop { folder, name: name.to_owned() };
        shop.git(&["init", "--quiet", "--initial-branch=main"]);
        shop.git(&["config", "user.name", "Ada"]);
        shop.git(&["config", "user.email", "ada@shop.invalid"]);
        shop.git(&["remote", "add", "origin", &repository.url()]);
        shop.git(&["config", "remote.origin.pushurl", &repository.push_url()]);
        shop.write(&shop.flux_path(), &flux(name, &repository.url()));
        shop.write("apps/web.yaml", &deployment("IfNotPresent"));
        shop.write("apps/ready.yaml", &ready("0"));
        shop.write("apps/kustomization.yaml", "resources:\n  - web.yaml\npatches:\n  - path: ready.yaml\n");
        shop.push("Open the shop");
        shop.follow(cluster, &repository.url()).await?;
        Ok(shop)
    }

    /// Lets a cluster follow the repository, and waits until it runs the shop.
    pub async fn follow(&self, cluster: &Cluster, url: &str) -> testbed::Result<()> {
        let name = &self.name;
        cluster.apply(&format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n")).await?;
        cluster.apply(&flux(name, url)).await?;
        cluster.wait_ready(&self.object(), Duration::from_secs(60)).await?;
        cluster.wait_ready(&format!("{}-root", self.object()), Duration::from_secs(60)).await?;
        Ok(())
    }

    /// Lets Flux report the shop's Kustomization to Gitea, and waits until it did.
    pub async fn report(&self, testbed: &Testbed, cluster: &Cluster) -> testbed::Result<()> {
        let name = &self.name;
        cluster.apply_value(testbed.gitea().token_secret("flux-system", name)).await?;
        let address = format!("{}/{}/{name}", testbed.gitea().url(), testbed::USER);
        cluster
            .apply(&format!(
                "apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Provider\nmetadata:\n  name: {name}\n  namespace: flux-system\n\
                 spec:\n  type: gitea\n  address: {address}\n  secretRef:\n    name: {name}\n---\n\
                 apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Alert\nmetadata:\n  name: {name}\n  namespace: flux-system\n\
                 spec:\n  providerRef:\n    name: {name}\n  eventSources:\n    - kind: Kustomization\n      name: {name}\n"
            ))
            .await?;
        self.wait_reported(testbed, cluster, "success").await
    }

    /// Waits until Gitea has this of HEAD. Events that came before the Alert are lost, so Flux is asked again.
    pub async fn wait_reported(
        &self,
        testbed: &Testbed,
        cluster: &Cluster,
        outcome: &str,
    ) -> testbed::Result<()> {
        let commit = self.head();
        let statuses = async || {
            let statuses = testbed.gitea().statuses(&self.name, &commit).await?;
            let newest = statuses.first().is_some_and(|it| it["status"] == outcome);
            if !newest {
                cluster.reconcile(&self.object()).await?;
            }
            Ok(newest.then_some(()))
        };
        cluster.wait_until("Flux to post a commit status", Duration::from_secs(60), statuses).await
    }

    /// The same shop on a cluster without controllers: nothing is pushed, and its objects say what [`Shop::play`] lets
    /// them say. At first that everything is well.
    pub async fn draw(cluster: &Cluster, name: &str) -> testbed::Result<Shop> {
        Self::draw_crowded(cluster, name, 0).await
    }

    /// A drawn shop with so many other Kustomizations in the same file, all of which are well and stay so.
    pub async fn draw_crowded(cluster: &Cluster, name: &str, others: usize) -> testbed::Result<Shop> {
        let url = format!("https://git.shop.invalid/{name}.git");
        let folder =
            tempfile::Builder::new().prefix(&format!("{name}-")).tempdir().expect("a temporary folder");
        let shop = Shop { folder, name: name.to_owned() };
        shop.git(&["init", "--quiet", "--initial-branch=main"]);
        shop.git(&["config", "user.name", "Ada"]);
        shop.git(&["config", "user.email", "ada@shop.invalid"]);
        shop.git(&["remote", "add", "origin", &url]);
        let others: Vec<String> = (1..=others).map(|number| format!("{name}-{number:03}")).collect();
        let more = |other: &String| format!("---\n{}", kustomization(other, name, "./apps"));
        let flux = flux(name, &url) + &others.iter().map(more).collect::<String>();
        shop.write(&shop.flux_path(), &flux);
        shop.write("apps/web.yaml", &deployment("IfNotPresent"));
        shop.write("apps/kustomization.yaml", "resources:\n  - web.yaml\n");
        shop.git(&["add", "--all"]);
        shop.git(&["commit", "--quiet", "--message", "Open the shop"]);
        shop.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
        cluster.apply(&flux).await?;
        let revision = shop.revision();
        let artifact = json!({
            "revision": revision, "digest": format!("sha256:{}", "0".repeat(64)), "path": "artifact.tar.gz",
            "url": "http://source.invalid/artifact.tar.gz", "lastUpdateTime": "2026-11-22T05:00:00Z",
        });
        let fetched = json!({"observedGeneration": 1, "artifact": artifact, "conditions": [{
            "type": "Ready", "status": "True", "reason": "Succeeded", "observedGeneration": 1,
            "message": format!("stored artifact for revision '{revision}'"), "lastTransitionTime": "2026-11-22T05:00:00Z",
        }]});
        cluster.set_status(&shop.source(), fetched).await?;
        let id = |name: &str, rest: &str| json!({"id": format!("flux-system_{name}_{rest}"), "v": "v1"});
        let mut entries = vec![
            id(name, "kustomize.toolkit.fluxcd.io_Kustomization"),
            id(&format!("{name}-root"), "kustomize.toolkit.fluxcd.io_Kustomization"),
            id(name, "source.toolkit.fluxcd.io_GitRepository"),
        ];
        for other in &others {
            entries.push(id(other, "kustomize.toolkit.fluxcd.io_Kustomization"));
            let object = format!("Kustomization/flux-system/{other}");
            cluster.set_status(&object, shop.says(None)).await?;
        }
        let mut applied = shop.says(None);
        applied["inventory"] = json!({"entries": entries});
        cluster.set_status(&format!("{}-root", shop.object()), applied).await?;
        shop.play(cluster, None).await?;
        Ok(shop)
    }

    /// Lets the Kustomization of a drawn shop say that it failed with this message, or that all is well.
    pub async fn play(&self, cluster: &Cluster, failure: Option<&str>) -> testbed::Result<()> {
        cluster.set_status(&self.object(), self.says(failure)).await.map(drop)
    }

    /// The status of a Kustomization that applied the clone's commit, or failed with it.
    fn says(&self, failure: Option<&str>) -> Value {
        let revision = self.revision();
        let (status, reason, message) = match failure {
            Some(failure) => ("False", "ReconciliationFailed", failure.to_owned()),
            None => ("True", "ReconciliationSucceeded", format!("Applied revision: {revision}")),
        };
        let mut says = json!({"observedGeneration": 1, "lastAttemptedRevision": revision, "conditions": [{
            "type": "Ready", "status": status, "reason": reason, "message": message, "observedGeneration": 1,
            "lastTransitionTime": "2026-11-22T05:00:00Z",
        }]});
        if failure.is_none() {
            says["lastAppliedRevision"] = revision.into();
        }
        says
    }

    fn revision(&self) -> String {
        format!("main@sha1:{}", self.git(&["rev-parse", "HEAD"]).trim())
    }

    /// The clone.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file with the Flux objects, relative to the clone.
    pub fn flux_path(&self) -> String {
        format!("clusters/{}/apps.yaml", self.name)
    }

    /// The file with the Flux objects.
    pub fn flux_file(&self) -> PathBuf {
        self.folder().join(self.flux_path())
    }

    /// The Kustomization that applies the shop.
    pub fn object(&self) -> String {
        format!("Kustomization/flux-system/{}", self.name)
    }

    /// The source it follows.
    pub fn source(&self) -> String {
        format!("GitRepository/flux-system/{}", self.name)
    }

    /// Writes a file of the clone.
    pub fn write(&self, path: &str, text: &str) {
        let file = self.folder().join(path);
        std::fs::create_dir_all(file.parent().expect("a file lies in a folder")).expect("a folder is made");
        std::fs::write(file, text).expect("a file is written");
    }

    /// Commits everything and pushes it; gives the first seven letters of the commit, as people read it.
    pub fn push(&self, subject: &str) -> String {
        self.commit(subject);
        self.push_commits()
    }

    /// Commits everything.
    pub fn commit(&self, subject: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", subject]);
    }

    /// Pushes what is committed; gives the first seven letters of HEAD.
    pub fn push_commits(&self) -> String {
        self.git(&["push", "--quiet", "origin", "main"]);
        self.git(&["fetch", "--quiet", "origin"]);
        self.git(&["rev-parse", "--short=7", "HEAD"]).trim().to_owned()
    }

    /// Pushes a Deployment that the API server rejects.
    pub fn push_broken(&self) -> String {
        self.write("apps/web.yaml", &deployment("Sometimes"));
        self.push("Pull images sometimes")
    }

    /// Pushes one that it takes.
    pub fn push_fixed(&self) -> String {
        self.write("apps/web.yaml", &deployment("Always"));
        self.push("Pull images always")
    }

    /// Pushes a patch that makes a Deployment which the API server rejects.
    pub fn push_broken_patch(&self) -> String {
        self.write("apps/ready.yaml", &ready("-5"));
        self.push("Be ready before it starts")
    }

    /// Pushes one whose pods never become ready.
    pub fn push_stuck(&self) -> String {
        let fate = format!("app: web\n        {}: pending\n    spec:", testbed::FATE_LABEL);
        self.write("apps/web.yaml", &deployment("Always").replace("app: web\n    spec:", &fate));
        self.push("Wait for a volume")
    }

    /// The full hash of the commit that is checked out.
    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let ended = Command::new("git")
            .arg("-C")
            .arg(self.folder())
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .output()
            .expect("git runs");
        assert!(ended.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(ended.stdout).expect("git prints UTF-8")
    }
}

/// What `flux bootstrap` leaves behind, a root that applies its own file, and the shop beside it. The source polls once an
/// hour: in a story nothing happens by itself.
fn flux(name: &str, url: &str) -> String {
    let root = kustomization(&format!("{name}-root"), name, &format!("./clusters/{name}"));
    format!(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata:\n  name: {name}\n  namespace: flux-system\n\
         spec:\n  interval: 1h\n  url: {url}\n  ref:\n    branch: main\n---\n\
         apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: {name}\n  namespace: flux-system\n\
         spec:\n  interval: 1h\n  path: ./apps\n  prune: true\n  wait: true\n  timeout: 1m\n  targetNamespace: {name}\n  \
         sourceRef:\n    kind: GitRepository\n    name: {name}\n---\n{root}"
    )
}

/// A Kustomization of a folder.
fn kustomization(name: &str, source: &str, path: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: {name}\n  namespace: flux-system\n\
         spec:\n  interval: 1h\n  path: {path}\n  prune: true\n  \
         sourceRef:\n    kind: GitRepository\n    name: {source}\n"
    )
}

/// A patch of the Deployment.
fn ready(seconds: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  minReadySeconds: {seconds}\n"
    )
}

fn deployment(pull_policy: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 2\n  selector:\n    matchLabels:\n      \
         app: web\n  template:\n    metadata:\n      labels:\n        app: web\n    spec:\n      containers:\n        - name: web\n          \
         image: shop.invalid/web:1.0.0\n          imagePullPolicy: {pull_policy}\n"
    )
}
