//! A real Kubernetes control plane with Flux and Gitea, on loopback, for tests and by hand.
//!
//! Everything is the real thing but for the kubelet: etcd, the API server with RBAC, controllers and scheduler; source-,
//! kustomize-, helm- and notification-controller and source-watcher; Gitea as Git server, OCI registry and commit-status provider.
//! kwok plays the kubelet, so pods become ready without containers. The programs are built once from the pinned Go modules in
//! `modules/`, and live in `$XDG_CACHE_HOME/fluxcd-ls/testbed`. Needed: Go 1.26, git, a C compiler, Linux.
//!
//! ```no_run
//! # use std::time::Duration;
//! use testbed::{Auth, Commit, Options, Role, Testbed};
//!
//! # async fn example() -> testbed::Result<()> {
//! let testbed = Testbed::start(Options::default()).await?;
//! let repository = testbed.gitea().create_repository("fleet").await?;
//! let commit = Commit::new("Add the web shop").file("apps/web.yaml", "…").date("2026-11-03T09:12:00Z");
//! let hash = repository.commit(commit).await?;
//!
//! let cluster = testbed.cluster();
//! cluster.apply(&format!("
//! apiVersion: source.toolkit.fluxcd.io/v1
//! kind: GitRepository
//! metadata: {{ name: fleet, namespace: flux-system }}
//! spec: {{ interval: 1h, url: {}, ref: {{ branch: main }} }}
//! ", repository.url())).await?;
//! cluster.wait_ready("GitRepository/flux-system/fleet", Duration::from_secs(20)).await?;
//! cluster.reconcile("GitRepository/flux-system/fleet").await?;
//!
//! // What a person with few rights and a login script would have:
//! let kubeconfig = cluster.kubeconfig(Role::Viewer, Auth::Exec(Default::default())).await?;
//! std::process::Command::new("fluxcd-ls").env("KUBECONFIG", kubeconfig.path());
//! # Ok(()) }
//! ```
//!
//! # Workloads
//! Pods become ready at once. The label `testbed/fate` on a pod (template) tells another fate:
//! - `crash`: `Running`, never ready, `CrashLoopBackOff`
//! - `image`: `Pending`, never ready, `ImagePullBackOff`
//! - `pending`: `Pending`, scheduled, nothing else happens (as with a volume that never comes)
//! - `fail`: `Failed` with code 1; with a Job, its failure
//!
//! # Several tests
//! A start takes several seconds, so the tests of one file had better share a testbed ([`Testbed::shared`]), each with namespaces and
//! repositories of its own. Testbeds of several processes run side by side, each at an address of its own.
//!
//! # What stays behind
//! Nothing: processes and folder go with the process that made the testbed, also when it is killed. When a wait timed out, a test
//! panicked while it owned the testbed, or [`Testbed::keep_logs`] was called, the logs are copied to a folder that is told on standard error.

mod address;
mod artifact;
mod bucket;
mod certificates;
mod cluster;
mod components;
mod error;
mod fates;
mod gitea;
mod http;
mod kubeconfig;
mod objects;
mod rbac;
mod repository;
mod supervisor;
mod testbed;

pub use address::Address;
pub use artifact::Artifact;
pub use bucket::Bucket;
pub use cluster::{Cluster, ClusterOptions, Flux, Program};
pub use error::{Error, Result, Timeout};
pub use fates::FATE_LABEL;
pub use gitea::{FIXED_GITEA_URL, Gitea, PASSWORD, USER};
pub use kubeconfig::{Auth, ExecOptions, ExecPlugin, Kubeconfig, Role};
pub use objects::{condition, is_ready};
pub use repository::{Commit, Repository};
pub use testbed::{Options, Testbed};

/// Builds what is not built yet, telling the progress on standard error. [`Testbed::start`] does so by itself.
pub fn build() -> Result<()> {
    components::ensure().map(drop)
}
