//! The command lines of a cluster's programs, and when they are ready.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Cluster, Program, locked};
use crate::certificates::{Identity, signing_key};
use crate::error::{Error, Result};
use crate::kubeconfig::{Entry, Kubeconfig, Login};
use crate::objects::condition;
use crate::supervisor::tail;
use crate::{fates, rbac};

impl Cluster {
    pub(super) fn start_control_plane(&self, port: u16) -> Result<()> {
        let ip = self.shared.ip;
        let pki = self.folder.join("pki");
        let write = |name: &str, text: &str| -> Result<PathBuf> {
            let path = pki.join(name);
            fs::write(&path, text).map_err(Error::file("write", &path))?;
            Ok(path)
        };
        let ca = write("ca.crt", self.authority.certificate())?;
        let Identity { certificate, key } = self.authority.serving(ip)?;
        let (certificate, key) = (write("apiserver.crt", &certificate)?, write("apiserver.key", &key)?);
        let (private, public) = signing_key()?;
        let (private, public) = (write("sa.key", &private)?, write("sa.pub", &public)?);
        let mut users = String::new();
        for (user, token) in &self.tokens {
            let groups = if user == "admin" { ",system:masters" } else { "" };
            users.push_str(&format!("{token},{user},{user}{groups}\n"));
        }
        let users = write("tokens.csv", &users)?;
        Kubeconfig::create(
            self.admin_file(),
            Entry {
                context: self.options.name.clone(),
                namespace: None,
                server: self.url.clone(),
                authority: self.authority.certificate().to_owned(),
                login: Login::Token(self.tokens.get("admin").cloned().unwrap_or_default()),
            },
        )?;

        let etcd = format!("http://{ip}:{}", self.shared.port()?);
        let peer = format!("http://{ip}:{}", self.shared.port()?);
        self.spawn(
            Program::Etcd,
            vec![
                "--name=testbed".into(),
                flag("--data-dir", self.folder.join("etcd")),
                "--unsafe-no-fsync".into(),
                flag("--listen-client-urls", &etcd),
                flag("--advertise-client-urls", &etcd),
                flag("--listen-peer-urls", &peer),
                flag("--initial-advertise-peer-urls", &peer),
                flag("--initial-cluster", format!("testbed={peer}")),
            ],
        )?;
        self.spawn(
            Program::ApiServer,
            vec![
                flag("--etcd-servers", &etcd),
                flag("--cert-dir", &pki),
                flag("--tls-cert-file", certificate),
                flag("--tls-private-key-file", key),
                flag("--client-ca-file", &ca),
                flag("--bind-address", ip.to_string()),
                flag("--secure-port", port.to_string()),
                flag("--advertise-address", ip.to_string()),
                "--endpoint-reconciler-type=none".into(),
                "--service-cluster-ip-range=10.0.0.0/24".into(),
                "--service-account-issuer=https://kubernetes.default.svc".into(),
                flag("--service-account-key-file", public),
                flag("--service-account-signing-key-file", &private),
                flag("--token-auth-file", users),
                "--authorization-mode=RBAC".into(),
                // Pods need no token here.
                "--disable-admission-plugins=ServiceAccount".into(),
            ],
        )
    }

    pub(super) fn start_workloads(&self) -> Result<()> {
        let kubeconfig = self.admin_file();
        let pki = self.folder.join("pki");
        self.spawn(
            Program::ControllerManager,
            vec![
                flag("--kubeconfig", &kubeconfig),
                flag("--service-account-private-key-file", pki.join("sa.key")),
                flag("--root-ca-file", pki.join("ca.crt")),
                "--use-service-account-credentials=false".into(),
                "--leader-elect=false".into(),
                "--controllers=*,-nodeipam,-route,-service-lb-controller,-cloud-node-lifecycle-controller"
                    .into(),
                "--allocate-node-cidrs=false".into(),
                // Our node's heartbeat is slower than what makes a node NotReady, and kwok does not give pods back
                // the readiness that they lose by that: workloads would turn unhealthy after 50 s.
                "--node-monitor-grace-period=24h".into(),
                "--secure-port=0".into(),
            ],
        )?;
        self.spawn(
            Program::Scheduler,
            vec![
                flag("--kubeconfig", &kubeconfig),
                "--leader-elect=false".into(),
                "--authentication-tolerate-lookup-failure=true".into(),
                "--secure-port=0".into(),
            ],
        )?;
        let mut args = vec![flag("--kubeconfig", &kubeconfig), "--manage-all-nodes=true".into()];
        for stage in fates::write_stages(&self.shared.components, &self.folder.join("stages"))? {
            args.push(flag("--config", stage));
        }
        self.spawn(Program::Kwok, args)
    }

    pub(super) async fn install_flux(&self) -> Result<()> {
        const PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let client = self.client()?;
        let mut work = Vec::new();
        for path in self.shared.components.crds()? {
            // The files go to the API server as they are: they are large, and it reads YAML itself.
            let text = fs::read(&path).map_err(Error::file("read", &path))?;
            let what = format!("create the CustomResourceDefinition of {}", path.display());
            let request = http::Request::post(PATH).header("content-type", "application/yaml").body(text);
            let request = request.map_err(|error| Error::Usage(format!("{}: {error}", path.display())))?;
            let client = &client;
            work.push(async move { client.request_text(request).await.map_err(Error::api(what)) });
        }
        let count = futures::future::try_join_all(work).await?.len();
        self.apply_value(rbac::namespace("flux-system")).await?;
        for object in rbac::flux() {
            self.apply_value(object).await?;
        }
        self.wait_up(Program::ApiServer, Duration::from_secs(30), async || {
            let crds =
                self.list("CustomResourceDefinition", None).await.map_err(|error| error.to_string())?;
            let established =
                |crd: &&Value| condition(crd, "Established").is_some_and(|c| c["status"] == "True");
            Ok(crds.iter().filter(established).count() == count)
        })
        .await
    }

    pub(super) fn start_flux(&self) -> Result<()> {
        let ip = self.shared.ip;
        let events = format!("{ip}:{}", self.shared.port()?);
        let receiver = format!("{ip}:{}", self.shared.port()?);
        let storage = format!("{ip}:{}", self.shared.port()?);
        let watcher = format!("{ip}:{}", self.shared.port()?);
        for program in Program::FLUX {
            let mut args: Vec<OsString> = [
                "--watch-all-namespaces",
                "--enable-leader-election=false",
                "--metrics-addr=127.0.0.1:0",
                "--health-addr=127.0.0.1:0",
            ]
            .map(OsString::from)
            .to_vec();
            if program == Program::NotificationController {
                args.extend([flag("--events-addr", &events), flag("--receiverAddr", &receiver)]);
            } else {
                args.push(flag("--events-addr", format!("http://{events}/")));
            }
            match program {
                Program::SourceController | Program::SourceWatcher => {
                    let (address, folder) = match program {
                        Program::SourceController => (&storage, "storage"),
                        _ => (&watcher, "watcher-storage"),
                    };
                    args.extend([
                        flag("--storage-path", self.folder.join(folder)),
                        flag("--storage-addr", address),
                        flag("--storage-adv-addr", address),
                    ]);
                }
                Program::KustomizeController | Program::HelmController => {
                    args.push("--feature-gates=ExternalArtifact=true".into());
                    // Half a minute in real life; tests would wait for it.
                    args.push("--requeue-dependency=2s".into());
                }
                _ => {}
            }
            self.spawn(program, args)?;
        }
        Ok(())
    }

    pub(super) async fn wait_api_server(&self, timeout: Duration) -> Result<()> {
        self.wait_up(Program::ApiServer, timeout, async || {
            let request = http::Request::get("/readyz").body(vec![]).map_err(|e| e.to_string())?;
            let client = self.client().map_err(|e| e.to_string())?;
            client.request_text(request).await.map(|_| true).map_err(|e| e.to_string())
        })
        .await
    }

    pub(super) async fn wait_flux(&self, timeout: Duration) -> Result<()> {
        for program in Program::FLUX {
            self.wait_up(program, timeout, async || {
                // Said once for each reconciler when its caches are filled; the servers for artifacts and events start before.
                Ok(self.log(program).contains("Starting workers"))
            })
            .await?;
        }
        Ok(())
    }

    async fn wait_up(
        &self,
        program: Program,
        timeout: Duration,
        probe: impl AsyncFn() -> Result<bool, String>,
    ) -> Result<()> {
        let started = Instant::now();
        let mut last = "no answer yet".to_owned();
        while started.elapsed() < timeout {
            if let Some(process) = locked(&self.processes).get_mut(&program) {
                process.check()?;
            }
            match tokio::time::timeout(Duration::from_secs(5), probe()).await {
                Ok(Ok(true)) => return Ok(()),
                Ok(Ok(false)) => {}
                Ok(Err(reason)) => last = reason,
                Err(_) => last = "no answer within 5 s".to_owned(),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let process = format!("{} of cluster {}", program.name(), self.options.name);
        Err(Error::NotUp {
            process,
            waited: started.elapsed(),
            last,
            tail: tail(&self.log_path(program), 30),
        })
    }
}

fn flag(name: &str, value: impl AsRef<Path>) -> OsString {
    let mut flag = OsString::from(name);
    flag.push("=");
    flag.push(value.as_ref());
    flag
}

pub(super) fn node() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": "node-0",
            "annotations": { "kwok.x-k8s.io/node": "fake" },
            "labels": { "kubernetes.io/hostname": "node-0", "kubernetes.io/os": "linux" }
        }
    })
}
