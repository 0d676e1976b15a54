//! What most of these tests are told of: a Kustomization `apps` below `clusters/staging`, Deployments that it applies, the
//! clusters that follow them, and how files were at earlier commits. Each test puts its own repository together of these.

/// The Kustomization `apps`, as its parent's folder has it.
macro_rules! apps {
    () => {
        "//- clusters/staging/apps.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  interval: 1h
  path: ./apps
  sourceRef:
    kind: GitRepository
    name: fleet
"
    };
}

/// A Deployment in the namespace `web`, with this line of its spec.
macro_rules! deployment {
    ($name:literal, $spec:literal) => {
        concat!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ",
            $name,
            "\n  namespace: web\nspec:\n  ",
            $spec,
            "\n"
        )
    };
}

pub(super) use {apps, deployment};

/// The Deployment `web`, with one replica.
pub(super) const ONE_REPLICA: &str = deployment!("web", "replicas: 1");
/// The Deployment `db`, with one replica.
pub(super) const ONE_DB: &str = deployment!("db", "replicas: 1");

/// HEAD is main at 9f8e7d6, which was pushed a moment ago.
pub(super) const PUSHED: &str = "//- settings\nhead=main@9f8e7d6 pushed=main@9f8e7d6@05:58";

/// The source of this repository; `more` is what its line says besides: `at: main@1a2b3c4`.
pub(super) fn source(more: &str) -> String {
    format!("{{kind: GitRepository, name: fleet, url: https://git.example/fleet, {more}}}\n")
}

/// A live Kustomization of that source.
pub(super) fn kustomization(name: &str, path: &str, more: &str) -> String {
    format!("{{kind: Kustomization, name: {name}, source: GitRepository/fleet, path: {path}, {more}}}\n")
}

/// What applies `apps`.
pub(super) fn root(applied: &str) -> String {
    let more = format!("at: {applied}, holds: [Kustomization/flux-system/apps]");
    kustomization("root", "clusters/staging", &more)
}

/// A cluster (its name, and words as in fixtures) where the source has one revision and both Kustomizations applied another.
/// `apps` says `more`: what it holds, how it failed.
pub(super) fn cluster(words: &str, fetched: &str, applied: &str, more: &str) -> String {
    let source = source(&format!("interval: 10m, at: {fetched}, spec: {{ref: {{branch: main}}}}"));
    let apps = kustomization("apps", "./apps", &format!("interval: 1h, at: {applied}, {more}"));
    format!("//- cluster {words}\n{source}{}{apps}", root(applied))
}

/// A file was like this at these commits.
pub(super) fn then(commits: &[&str], path: &str, text: &str) -> String {
    commits.iter().map(|commit| format!("//- then {commit} {path}\n{text}")).collect()
}
