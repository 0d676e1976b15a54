//! Clusters and Gitea together.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use crate::address::{Address, Ports, claim};
use crate::cluster::{Cluster, ClusterOptions, Flux, Shared};
use crate::components::ensure;
use crate::error::{Error, Result};
use crate::gitea::Gitea;
use crate::supervisor::Supervisor;

/// What a testbed consists of.
#[derive(Clone, Debug)]
pub struct Options {
    /// One or more clusters.
    pub clusters: Vec<ClusterOptions>,
    /// Whether there is a Gitea.
    pub gitea: bool,
    /// The loopback address of everything.
    pub address: Address,
}

impl Default for Options {
    /// One cluster `testbed` with everything, and Gitea.
    fn default() -> Self {
        Self::clusters(&["testbed"])
    }
}

impl Options {
    /// Clusters with everything, by name, on one Gitea.
    pub fn clusters(names: &[&str]) -> Self {
        let cluster = |name: &&str| ClusterOptions { name: (*name).to_owned(), flux: Flux::Running };
        Self { clusters: names.iter().map(cluster).collect(), gitea: true, address: Address::default() }
    }

    /// One cluster `testbed` whose objects a test writes itself, and no Gitea: the fastest start.
    pub fn bare(flux: Flux) -> Self {
        let cluster = ClusterOptions { name: "testbed".to_owned(), flux };
        Self { clusters: vec![cluster], gitea: false, address: Address::default() }
    }

    /// At the fixed address, for recordings that must come out the same every time.
    pub fn fixed_address(mut self) -> Self {
        self.address = Address::Fixed;
        self
    }
}

/// Everything that was started. Dropping it ends all of it.
#[derive(Debug)]
pub struct Testbed {
    clusters: Vec<Cluster>,
    gitea: Option<Gitea>,
    shared: Arc<Shared>,
}

impl Testbed {
    /// Builds what is missing (minutes, once), and starts: ready when every controller is at work.
    pub async fn start(options: Options) -> Result<Self> {
        if options.clusters.is_empty() {
            return Err(Error::Usage("a testbed needs at least one cluster".to_owned()));
        }
        let joined = |error: tokio::task::JoinError| Error::Usage(format!("the work was cut off: {error}"));
        let components = tokio::task::spawn_blocking(ensure).await.map_err(joined)??;
        let address = options.address;
        let claim = tokio::task::spawn_blocking(move || claim(address)).await.map_err(joined)??;
        let folder = tempfile::Builder::new()
            .prefix("fluxcd-ls-testbed-")
            .tempdir()
            .map_err(Error::file("create a folder in", &std::env::temp_dir()))?;
        let log = folder.path().join("log");
        std::fs::create_dir(&log).map_err(Error::file("create", &log))?;
        let supervisor = Supervisor::start(folder.path(), claim.lock)?;
        let shared = Arc::new(Shared {
            // From here on the supervisor removes it.
            folder: folder.keep(),
            components,
            ip: claim.ip,
            ports: Mutex::new(Ports::new(claim.ip)),
            logs_kept: AtomicBool::new(false),
            supervisor,
        });
        let gitea = async {
            match options.gitea {
                true => Gitea::start(shared.clone()).await.map(Some),
                false => Ok(None),
            }
        };
        let clusters = options.clusters.into_iter().map(|options| Cluster::start(options, shared.clone()));
        let started = futures::future::try_join(gitea, futures::future::try_join_all(clusters)).await;
        match started {
            Ok((gitea, clusters)) => Ok(Self { clusters, gitea, shared }),
            Err(error) => {
                shared.keep_logs();
                Err(error)
            }
        }
    }

    /// The testbed that all tests of this process share; the first caller starts it. It ends with the process.
    pub async fn shared() -> Result<&'static Testbed> {
        static SHARED: tokio::sync::OnceCell<Testbed> = tokio::sync::OnceCell::const_new();
        SHARED.get_or_try_init(|| Testbed::start(Options::default())).await
    }

    /// The first cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.clusters[0]
    }

    /// All clusters.
    pub fn clusters(&self) -> &[Cluster] {
        &self.clusters
    }

    /// A cluster by its name.
    pub fn cluster_named(&self, name: &str) -> Result<&Cluster> {
        let found = self.clusters.iter().find(|cluster| cluster.name() == name);
        found.ok_or_else(|| Error::Usage(format!("this testbed has no cluster {name}")))
    }

    /// Its Gitea. Not for testbeds whose options left it out.
    pub fn gitea(&self) -> &Gitea {
        match &self.gitea {
            Some(gitea) => gitea,
            None => unreachable!("the options of this testbed left Gitea out"),
        }
    }

    /// Where everything of it is; gone afterwards.
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// Keeps the logs when the testbed ends, whatever the reason, and answers where they will be.
    pub fn keep_logs(&self) -> PathBuf {
        self.shared.keep_logs()
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.keep_logs();
        }
        // All at once; the processes are reaped when their owners are dropped after this.
        self.shared.supervisor.kill_all();
    }
}
