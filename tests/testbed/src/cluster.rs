//! One Kubernetes cluster: its processes, their start, and what a test may do to them.

mod start;

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::core::{ApiResource, GroupVersionKind};
use rustix::process::Signal;

use crate::address::Ports;
use crate::certificates::Authority;
use crate::components::{Components, tell};
use crate::error::{Error, Result};
use crate::kubeconfig::{Auth, Entry, ExecPlugin, Kubeconfig, Login, Role};
use crate::rbac;
use crate::supervisor::{Process, Spec, Supervisor, tail};

/// What of Flux a cluster has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flux {
    /// The CustomResourceDefinitions, the namespace `flux-system` and all controllers.
    #[default]
    Running,
    /// CustomResourceDefinitions and namespace only: no controller, no node, no pods. Objects stay as a test writes them
    /// ([`Cluster::set_status`]). Starts in half the time.
    CrdsOnly,
    /// A plain API server without anything of Flux, without nodes.
    Absent,
}

/// One cluster of a testbed.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// Its name: of its context, and in messages.
    pub name: String,
    /// What of Flux it has.
    pub flux: Flux,
}

/// The Flux controllers, and what else runs in a cluster; as [`Cluster::pause`] and [`Cluster::log`] take them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Program {
    /// The database.
    Etcd,
    /// The API server.
    ApiServer,
    /// Kubernetes' controllers.
    ControllerManager,
    /// The scheduler.
    Scheduler,
    /// Plays the kubelet: makes nodes and pods ready.
    Kwok,
    /// Flux source-controller.
    SourceController,
    /// Flux kustomize-controller.
    KustomizeController,
    /// Flux helm-controller.
    HelmController,
    /// Flux notification-controller.
    NotificationController,
    /// Flux source-watcher: ArtifactGenerators.
    SourceWatcher,
}

impl Program {
    /// The binary's name.
    pub fn name(self) -> &'static str {
        match self {
            Program::Etcd => "etcd",
            Program::ApiServer => "kube-apiserver",
            Program::ControllerManager => "kube-controller-manager",
            Program::Scheduler => "kube-scheduler",
            Program::Kwok => "kwok",
            Program::SourceController => "source-controller",
            Program::KustomizeController => "kustomize-controller",
            Program::HelmController => "helm-controller",
            Program::NotificationController => "notification-controller",
            Program::SourceWatcher => "source-watcher",
        }
    }

    /// The Flux controllers.
    pub const FLUX: [Program; 5] = [
        Program::SourceController,
        Program::KustomizeController,
        Program::HelmController,
        Program::NotificationController,
        Program::SourceWatcher,
    ];
}

const TENANTS: usize = 8;

/// What all clusters of a testbed share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) folder: PathBuf,
    pub(crate) components: Components,
    pub(crate) ip: IpAddr,
    pub(crate) ports: Mutex<Ports>,
    pub(crate) logs_kept: AtomicBool,
    pub(crate) supervisor: Supervisor,
}

impl Shared {
    pub(crate) fn port(&self) -> Result<u16> {
        locked(&self.ports).free()
    }

    /// Keeps the logs when the testbed ends, told once on standard error.
    pub(crate) fn keep_logs(&self) -> PathBuf {
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy();
        let target = std::env::temp_dir().join(format!("{name}-logs"));
        if !self.logs_kept.swap(true, Ordering::Relaxed) {
            self.supervisor.keep_logs(&target);
            tell(&format!("the logs will be kept in {}", target.display()));
        }
        target
    }
}

/// A running cluster of a [`crate::Testbed`].
pub struct Cluster {
    options: ClusterOptions,
    folder: PathBuf,
    url: String,
    authority: Authority,
    tokens: BTreeMap<String, String>,
    tenants: Mutex<Vec<String>>,
    counter: Mutex<usize>,
    kinds: Mutex<HashMap<GroupVersionKind, (ApiResource, bool)>>,
    processes: Mutex<BTreeMap<Program, Process>>,
    client: Mutex<Option<(tokio::runtime::Id, kube::Client)>>,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("name", &self.options.name)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// A panic elsewhere leaves these maps usable.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cluster {
    pub(crate) async fn start(options: ClusterOptions, shared: Arc<Shared>) -> Result<Self> {
        let folder = shared.folder.join(&options.name);
        for sub in ["etcd", "pki", "storage", "watcher-storage", "tmp", "home", "kubeconfigs"] {
            let path = folder.join(sub);
            fs::create_dir_all(&path).map_err(Error::file("create", &path))?;
        }
        let users: Vec<String> = ["admin", "viewer", "editor", "nobody"]
            .map(str::to_owned)
            .into_iter()
            .chain((1..=TENANTS).map(tenant))
            .collect();
        let mut tokens = BTreeMap::new();
        for user in users {
            tokens.insert(user, random_token()?);
        }
        let port = shared.port()?;
        let cluster = Self {
            url: format!("https://{}:{port}", shared.ip),
            authority: Authority::new(&options.name)?,
            tokens,
            tenants: Mutex::default(),
            counter: Mutex::default(),
            kinds: Mutex::default(),
            processes: Mutex::default(),
            client: Mutex::default(),
            options,
            folder,
            shared,
        };
        cluster.start_control_plane(port)?;
        cluster.wait_api_server(Duration::from_secs(60)).await?;
        if cluster.options.flux != Flux::Absent {
            cluster.install_flux().await?;
        }
        if cluster.options.flux == Flux::Running {
            cluster.start_workloads()?;
            cluster.start_flux()?;
            cluster.apply_value(start::node()).await?;
            cluster.wait_flux(Duration::from_secs(60)).await?;
        }
        Ok(cluster)
    }

    /// Its name, as in [`ClusterOptions::name`].
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// The API server's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A client with all rights, for the tokio runtime of the caller (do not pass it on to another runtime: a part of the client
    /// is a task of the runtime that made it).
    pub fn client(&self) -> Result<kube::Client> {
        let runtime = tokio::runtime::Handle::current().id();
        if let Some((owner, client)) = &*locked(&self.client)
            && *owner == runtime
        {
            return Ok(client.clone());
        }
        let uri = self.url.parse().map_err(|error| Error::Usage(format!("{}: {error}", self.url)))?;
        let mut config = kube::Config::new(uri);
        config.root_cert = Some(vec![self.authority.der()]);
        config.auth_info.token = self.tokens.get("admin").cloned().map(Into::into);
        let client = kube::Client::try_from(config);
        let client = client.map_err(Error::api(format!("make a client for {}", self.url)))?;
        *locked(&self.client) = Some((runtime, client.clone()));
        Ok(client)
    }

    /// The certificate authority, PEM; e.g. to hand the wrong one to another cluster's kubeconfig.
    pub fn authority(&self) -> &str {
        self.authority.certificate()
    }

    /// Writes a kubeconfig with one context, named as the cluster. It is gone with the testbed.
    pub async fn kubeconfig(&self, role: Role, auth: Auth) -> Result<Kubeconfig> {
        let (user, groups) = self.user(&role).await?;
        let token = self.tokens.get(&user).cloned().unwrap_or_default();
        let number = {
            let mut counter = locked(&self.counter);
            *counter += 1;
            *counter
        };
        let folder = self.folder.join("kubeconfigs");
        let login = match auth {
            Auth::Token => Login::Token(token),
            Auth::RejectedToken => Login::Token("rejected".to_owned()),
            Auth::ClientCertificate => Login::Certificate(self.authority.client(&user, &groups, false)?),
            Auth::ExpiredCertificate => Login::Certificate(self.authority.client(&user, &groups, true)?),
            Auth::Exec(options) => {
                let plugin = ExecPlugin::create(folder.join(format!("plugin-{number}")), token, &options)?;
                Login::Exec(plugin, options.interactive_mode)
            }
        };
        Kubeconfig::create(
            folder.join(format!("{number}-{}.yaml", role.word())),
            Entry {
                context: self.options.name.clone(),
                namespace: None,
                server: self.url.clone(),
                authority: self.authority.certificate().to_owned(),
                login,
            },
        )
    }

    async fn user(&self, role: &Role) -> Result<(String, Vec<String>)> {
        Ok(match role {
            Role::Admin => ("admin".to_owned(), vec!["system:masters".to_owned()]),
            Role::Viewer => ("viewer".to_owned(), vec![]),
            Role::Editor => ("editor".to_owned(), vec![]),
            Role::Nobody => ("nobody".to_owned(), vec![]),
            Role::OneNamespace(namespace) => {
                let user = {
                    let mut tenants = locked(&self.tenants);
                    let index = match tenants.iter().position(|known| known == namespace) {
                        Some(index) => index,
                        None => {
                            tenants.push(namespace.clone());
                            tenants.len() - 1
                        }
                    };
                    if index >= TENANTS {
                        return Err(Error::Usage(format!(
                            "a cluster of the testbed has at most {TENANTS} tenants"
                        )));
                    }
                    tenant(index + 1)
                };
                for object in rbac::tenant(namespace, &user) {
                    self.apply_value(object).await?;
                }
                (user, vec![])
            }
        })
    }

    /// Makes a program hang (SIGSTOP): connections are accepted by the kernel and never answered.
    pub fn pause(&self, program: Program) {
        self.signal(program, Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self, program: Program) {
        self.signal(program, Signal::CONT);
    }

    /// Kills a program; nothing listens on its port any more. Does nothing when it does not run.
    pub fn stop(&self, program: Program) {
        if let Some(process) = locked(&self.processes).get_mut(&program) {
            process.stop();
        }
    }

    /// Starts a program that was stopped, with the same port and data. For the API server, waits until it is ready.
    pub async fn start_again(&self, program: Program) -> Result<()> {
        let spec = match locked(&self.processes).remove(&program) {
            Some(process) => process.spec.clone(),
            None => return Err(Error::Usage(format!("{} does not belong to this cluster", program.name()))),
        };
        let process = self.shared.supervisor.spawn(spec)?;
        locked(&self.processes).insert(program, process);
        if program == Program::ApiServer {
            self.wait_api_server(Duration::from_secs(60)).await?;
        }
        Ok(())
    }

    fn signal(&self, program: Program, signal: Signal) {
        if let Some(process) = locked(&self.processes).get_mut(&program) {
            process.signal(signal);
        }
    }

    /// Where a program's log is.
    pub fn log_path(&self, program: Program) -> PathBuf {
        self.shared.folder.join("log").join(format!("{}-{}.log", self.options.name, program.name()))
    }

    /// A program's log so far.
    pub fn log(&self, program: Program) -> String {
        fs::read(self.log_path(program))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// What the Flux controllers' logs say of the object `name` (without one: their errors), and the ends of the logs of programs
    /// that ended by themselves.
    pub(crate) fn logs_about(&self, name: &str) -> String {
        const LINES: usize = 5;
        let mut out = String::new();
        let quoted = format!("\"name\":\"{name}\"");
        for (program, process) in locked(&self.processes).iter_mut() {
            let program_name = program.name();
            if let Some(status) = process.ended() {
                let tail = tail(&process.spec.log, 20);
                out.push_str(&format!(
                    "{program_name} is not running ({status}); its log ends with:\n{tail}"
                ));
            } else if Program::FLUX.contains(program) {
                let log = self.log(*program);
                let of_it = |line: &&str| match name {
                    "" => line.contains("\"level\":\"error\""),
                    _ => line.contains(&quoted),
                };
                let mut lines: Vec<&str> = log.lines().rev().filter(of_it).take(LINES).collect();
                lines.reverse();
                if !lines.is_empty() {
                    out.push_str(&format!("the log of {program_name} says of it:\n"));
                    for line in lines {
                        out.push_str(&format!("  {}\n", line.chars().take(600).collect::<String>()));
                    }
                }
            }
        }
        out
    }

    /// Something failed, so the logs are kept.
    pub(crate) fn note_failure(&self) {
        self.shared.keep_logs();
    }

    pub(crate) fn known_kinds(&self) -> MutexGuard<'_, HashMap<GroupVersionKind, (ApiResource, bool)>> {
        locked(&self.kinds)
    }

    fn spawn(&self, program: Program, args: Vec<OsString>) -> Result<()> {
        let env = [
            ("HOME", self.folder.join("home").into_os_string()),
            ("TMPDIR", self.folder.join("tmp").into_os_string()),
            ("KUBECONFIG", self.admin_file().into_os_string()),
            ("RUNTIME_NAMESPACE", "flux-system".into()),
        ];
        let process = self.shared.supervisor.spawn(Spec {
            name: format!("{} of cluster {}", program.name(), self.options.name),
            program: self.shared.components.program(program.name()),
            args,
            env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            log: self.log_path(program),
        })?;
        locked(&self.processes).insert(program, process);
        Ok(())
    }

    fn admin_file(&self) -> PathBuf {
        self.folder.join("admin.kubeconfig")
    }
}

fn tenant(number: usize) -> String {
    format!("tenant-{number}")
}

fn random_token() -> Result<String> {
    use std::io::Read;
    let path = Path::new("/dev/urandom");
    let mut bytes = [0; 16];
    fs::File::open(path)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(Error::file("read", path))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}
