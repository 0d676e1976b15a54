//! How the two clusters come into the states that the fleet shows: what is pushed when, and what to wait for.
//!
//! Data only: `e2e` plays it on a testbed.

use crate::Cluster;

/// One step: push, apply, ask Flux to look, wait.
#[derive(Debug, Clone)]
pub struct Phase {
    /// What happens, for logs.
    pub name: &'static str,
    /// What a person suspends by hand before anything is pushed, as `flux suspend` would.
    pub suspends: Vec<(Cluster, &'static str)>,
    /// Branches to push, in this order.
    pub pushes: Vec<Push>,
    /// Artifacts to push after the branches.
    pub artifacts: Vec<Artifact>,
    /// What a person applies by hand, as `flux bootstrap` would.
    pub applies: Vec<Applied>,
    /// Sources to reconcile now, so that nobody waits for an interval.
    pub reconciles: Vec<(Cluster, &'static str)>,
    /// What must be seen before the phase is over.
    pub expects: Vec<Expectation>,
}

/// A branch on the Git server and the commit it is moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Push {
    /// The branch's short name.
    pub branch: &'static str,
    /// The commit, by [`crate::Commit::key`].
    pub commit: &'static str,
}

/// A folder of a commit, pushed as an OCI artifact that names the commit as its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Artifact {
    /// The repository in the registry, without the owner.
    pub name: &'static str,
    /// The tags to give it.
    pub tags: &'static [&'static str],
    /// The folder that becomes the root of the artifact.
    pub folder: &'static str,
    /// The commit, by [`crate::Commit::key`].
    pub commit: &'static str,
}

/// A file of a commit, applied by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Where.
    pub cluster: Cluster,
    /// The commit, by [`crate::Commit::key`].
    pub commit: &'static str,
    /// The file.
    pub path: &'static str,
}

/// What an object says when it has come to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expectation {
    /// Where.
    pub cluster: Cluster,
    /// `Kind/namespace/name`.
    pub object: &'static str,
    /// The status of its condition `Ready`: `True`, `False` or `Unknown`.
    pub ready: &'static str,
    /// The reason of that condition.
    pub reason: &'static str,
    /// The commit that it speaks of, by [`crate::Commit::key`]; `None` where it names none.
    pub at: Option<&'static str>,
    /// Whether it must have given up (`Stalled`): without it, an attempt in between would be taken for the end.
    pub stalled: bool,
}

const FIRST: &str = "06-preview-and-landing";
const PROMOTED: &str = "10-loyalty-priority";
const NEWEST: &str = "18-payments-ceiling";
const SYNC: &str = "GitRepository/flux-system/flux-system";
const PRICING: &str = "OCIRepository/flux-system/pricing";

/// The phases, in order. First everything is well in both clusters; then come the commits that break things,
/// on `main` all of them, on `production` those that were promoted.
pub fn scenario() -> Vec<Phase> {
    use Cluster::{Production, Staging};
    let bootstrap = |cluster, path| Applied { cluster, commit: FIRST, path };
    let artifact = |commit, tags| Artifact { name: "pricing", tags, folder: "delivery/pricing", commit };
    vec![
        Phase {
            name: "all is well",
            suspends: vec![],
            pushes: vec![
                Push { branch: "main", commit: FIRST },
                Push { branch: "production", commit: FIRST },
                Push { branch: "preview/gift-cards", commit: FIRST },
            ],
            artifacts: vec![artifact(FIRST, &["1.4.0", "latest"])],
            applies: vec![
                bootstrap(Staging, "clusters/staging/flux-system/gotk-sync.yaml"),
                bootstrap(Production, "clusters/production/flux-system/gotk-sync.yaml"),
            ],
            reconciles: vec![],
            expects: all_well(),
        },
        Phase {
            name: "the commits that break things",
            // Only then is it sure that the commit which says so finds it as it was.
            suspends: vec![(Production, "Kustomization/flux-system/checkout")],
            pushes: vec![
                Push { branch: "production", commit: PROMOTED },
                Push { branch: "main", commit: NEWEST },
            ],
            artifacts: vec![artifact(NEWEST, &["latest"])],
            applies: vec![],
            reconciles: vec![(Staging, SYNC), (Staging, PRICING), (Production, SYNC)],
            expects: broken(),
        },
    ]
}

fn all_well() -> Vec<Expectation> {
    const BOTH: [&str; 14] = [
        "Kustomization/flux-system/flux-system",
        "Kustomization/flux-system/infra-controllers",
        "Kustomization/flux-system/infra-configs",
        "Kustomization/flux-system/storefront",
        "Kustomization/flux-system/catalog",
        "Kustomization/flux-system/checkout",
        "Kustomization/flux-system/search",
        "Kustomization/flux-system/payments",
        "Kustomization/flux-system/orders",
        "Kustomization/flux-system/pricing",
        "Kustomization/flux-system/recommender",
        "Kustomization/flux-system/tenants",
        "Kustomization/team-blue/loyalty",
        "HelmRelease/shop/recommender",
    ];
    const STAGING: [&str; 4] = [
        "Kustomization/flux-system/suggest",
        "Kustomization/flux-system/assistant",
        "Kustomization/flux-system/landing",
        "Kustomization/flux-system/preview",
    ];
    let of = |cluster, objects: &[&'static str]| -> Vec<Expectation> {
        let succeeded = |object: &'static str| {
            let release = object.starts_with("HelmRelease/");
            let reason = if release { "InstallSucceeded" } else { "ReconciliationSucceeded" };
            // A release speaks of its chart's version.
            Expectation {
                cluster,
                object,
                ready: "True",
                reason,
                at: (!release).then_some(FIRST),
                stalled: false,
            }
        };
        objects.iter().copied().map(succeeded).collect()
    };
    [of(Cluster::Staging, &BOTH), of(Cluster::Staging, &STAGING), of(Cluster::Production, &BOTH)].concat()
}

fn broken() -> Vec<Expectation> {
    use Cluster::{Production, Staging};
    const GOOD: &str = "ReconciliationSucceeded";
    const NEW: Option<&str> = Some(NEWEST);
    const OLD: Option<&str> = Some(FIRST);
    const PROD: Option<&str> = Some(PROMOTED);
    let on = |cluster| {
        move |object, ready, reason, at| Expectation { cluster, object, ready, reason, at, stalled: false }
    };
    let (staging, production) = (on(Staging), on(Production));
    vec![
        // Healthy.
        staging("Kustomization/flux-system/flux-system", "True", GOOD, NEW),
        staging("Kustomization/flux-system/infra-controllers", "True", GOOD, NEW),
        staging("Kustomization/flux-system/infra-configs", "True", GOOD, NEW),
        staging("Kustomization/flux-system/storefront", "True", GOOD, NEW),
        staging("Kustomization/flux-system/landing", "True", GOOD, OLD),
        staging("Kustomization/flux-system/pricing", "True", GOOD, NEW),
        staging("Kustomization/flux-system/tenants", "True", GOOD, NEW),
        staging("Kustomization/team-blue/loyalty", "True", GOOD, NEW),
        // Rejected at a field; at a field that a patch sets.
        staging("Kustomization/flux-system/catalog", "False", "ReconciliationFailed", NEW),
        staging("Kustomization/flux-system/checkout", "False", "ReconciliationFailed", NEW),
        // Build failed, and a chain of two that waits for it.
        staging("Kustomization/flux-system/search", "False", "BuildFailed", NEW),
        staging("Kustomization/flux-system/suggest", "False", "DependencyNotReady", OLD),
        staging("Kustomization/flux-system/assistant", "False", "DependencyNotReady", OLD),
        // Unhealthy; applying.
        staging("Kustomization/flux-system/payments", "False", "HealthCheckFailed", NEW),
        staging("Kustomization/flux-system/orders", "Unknown", "Progressing", NEW),
        // Upgrade failed and rolled back, and the Kustomization that waits for its health.
        Expectation {
            stalled: true,
            ..staging("HelmRelease/shop/recommender", "False", "RollbackSucceeded", None)
        },
        staging("Kustomization/flux-system/recommender", "False", "HealthCheckFailed", NEW),
        // The source fails, what it last brought still runs.
        staging("GitRepository/flux-system/preview", "False", "GitOperationFailed", OLD),
        staging("Kustomization/flux-system/preview", "True", GOOD, OLD),
        // Production: a revision behind, and well.
        production("Kustomization/flux-system/flux-system", "True", GOOD, PROD),
        production("Kustomization/flux-system/infra-controllers", "True", GOOD, PROD),
        production("Kustomization/flux-system/infra-configs", "True", GOOD, PROD),
        production("Kustomization/flux-system/storefront", "True", GOOD, PROD),
        production("Kustomization/flux-system/catalog", "True", GOOD, PROD),
        production("Kustomization/flux-system/search", "True", GOOD, PROD),
        production("Kustomization/flux-system/orders", "True", GOOD, PROD),
        production("Kustomization/flux-system/pricing", "True", GOOD, OLD),
        production("Kustomization/flux-system/recommender", "True", GOOD, PROD),
        production("HelmRelease/shop/recommender", "True", "InstallSucceeded", None),
        production("Kustomization/flux-system/tenants", "True", GOOD, PROD),
        // Suspended, by hand first and then in Git.
        production("Kustomization/flux-system/checkout", "True", GOOD, OLD),
        // Rejected, and corrected since on main.
        production("Kustomization/flux-system/payments", "False", "ReconciliationFailed", PROD),
        // No right to it.
        production("Kustomization/team-blue/loyalty", "False", "ReconciliationFailed", PROD),
        // A source that never brought anything, the release that waits for it, and what waits for the release.
        production("OCIRepository/shop/fraud-scoring", "False", "ReadOperationFailed", None),
        production("HelmRelease/shop/fraud-scoring", "False", "SourceNotReady", None),
        production("Kustomization/flux-system/fraud-scoring", "False", "HealthCheckFailed", PROD),
    ]
}
