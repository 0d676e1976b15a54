//! `fluxcd-ls doctor`.

mod page;
mod rights;
mod sources;

use std::path::{Path, PathBuf};

use cluster::{Access, AccessError, Consents, Context, Decision, Kubeconfig, StateDir};
use flux::Kind;
use tokio_util::sync::CancellationToken;

use super::connect::{self, Selection};
use super::scene::Scene;
use super::{CliError, print};
use crate::paths::Paths;
use crate::settings::{Settings, UserFile};
use page::Page;

/// What `doctor` is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A file or folder of the repository; the current folder without.
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// A context to contact; without any, nothing is contacted.
    #[arg(long = "context", value_name = "CONTEXT")]
    contexts: Vec<String>,
    /// The kubeconfig, instead of $KUBECONFIG and ~/.kube/config.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<String>,
}

/// Prints what is found, each with what to do. Exits 1 if something is wrong.
pub async fn run(arguments: Arguments) -> Result<u8, CliError> {
    let mut page = Page::default();
    let settings = program(&mut page);
    let root = repository(&mut page, &arguments.path, &settings);
    let selection = Selection { kubeconfig: arguments.kubeconfig.clone(), ..Selection::default() };
    page.title("kubeconfig");
    match selection.kubeconfig(&settings) {
        Err(error) => page.trouble(
            error,
            "Name another with --kubeconfig, or set `kubeconfig` in your own configuration file.",
        ),
        Ok(kubeconfig) => {
            contexts(&mut page, &kubeconfig, root.as_deref(), &settings);
            for name in &arguments.contexts {
                page.title(&format!("cluster {name}"));
                contact(&mut page, &kubeconfig, name, root.as_deref(), &settings).await;
            }
            if arguments.contexts.is_empty() {
                page.note("no cluster was contacted; `doctor --context NAME` looks at one");
            }
        }
    }
    recordings(&mut page, root.as_deref(), &settings);
    print(&page.text);
    Ok(u8::from(page.troubles > 0))
}

fn program(page: &mut Page) -> Settings {
    page.title(&format!("fluxcd-ls {}", env!("CARGO_PKG_VERSION")));
    let paths = Paths::from_environment();
    let file = UserFile::read(&paths.config_file());
    if paths.config_file().exists() {
        page.well(format!("your configuration is {}", file.path.display()));
    } else {
        page.note(format!("no configuration of your own ({}): the defaults hold", file.path.display()));
    }
    for problem in &file.problems {
        page.trouble(problem, "Correct it there; the README has the table of settings.");
    }
    page.note(format!("logs are in {}", paths.logs().display()));
    file.settings
}

fn repository(page: &mut Page, path: &std::path::Path, settings: &Settings) -> Option<PathBuf> {
    page.title("repository");
    let mut scene = match Scene::open(path, Vec::new(), settings) {
        Ok(scene) => scene,
        Err(error) => {
            page.trouble(error, "Run it in a folder of your GitOps repository, or name one.");
            return None;
        }
    };
    match history::Repository::discover(scene.root()) {
        Err(error) => {
            page.trouble(error, "Without Git no cluster can be recognised by the source it follows.")
        }
        Ok(git) => {
            page.well(format!("{}", git.work_dir().display()));
            match git.head() {
                Ok(head) => page.well(match (&head.branch, &head.commit) {
                    (Some(branch), Some(commit)) => {
                        format!("on {branch} at {}", history::short(&commit.to_string()))
                    }
                    (Some(branch), None) => format!("on {branch}, which has no commit yet"),
                    (None, Some(commit)) => {
                        format!("HEAD is detached at {}", history::short(&commit.to_string()))
                    }
                    (None, None) => "no commit yet".to_owned(),
                }),
                Err(error) => {
                    page.trouble(error, "`git status` says more; `git fsck` looks for what is broken.")
                }
            }
            let remotes = git.remotes();
            if remotes.is_empty() {
                page.trouble(
                    "no remote: no Flux source can be recognised as this repository",
                    "Add the address that your clusters fetch from: git remote add origin URL",
                );
            }
            for remote in remotes {
                page.well(format!("remote {} is {}", remote.name, remote.shown()));
            }
        }
    }
    match scene.files(&[]).map(|files| files.len()).unwrap_or_default() {
        0 => page.note("no Flux object in any file: there is nothing to show here"),
        number => page.well(format!("{number} files hold Flux objects")),
    }
    Some(scene.root().to_owned())
}

fn contexts(page: &mut Page, kubeconfig: &Kubeconfig, root: Option<&std::path::Path>, settings: &Settings) {
    for path in kubeconfig.paths().iter() {
        page.well(path.display());
    }
    let consents = StateDir::locate(|name| std::env::var_os(name)).map(Consents::open);
    let contexts = kubeconfig.contexts();
    if contexts.is_empty() {
        page.trouble(
            "it has no contexts",
            "Add one with `kubectl config set-context`, or name another file.",
        );
    }
    for (key, context) in contexts {
        match context {
            Err(error) => page.trouble(
                format!("context {}: {error}", key.name),
                "`kubectl config view` shows the entry; correct it, or delete it with `kubectl config delete-context`.",
            ),
            Ok(context) => {
                let mut line =
                    format!("context {}: {}, {}", key.name, context.server, context.auth.describe());
                if settings.is_protected(&key.name) {
                    line.push_str(", protected: every action asks");
                }
                if let (Some(consents), Some(root)) = (&consents, root) {
                    line.push_str(match consents.decision(&context.fingerprint(), root) {
                        Decision::Allowed => "; allowed here",
                        Decision::Never => "; never here",
                        Decision::Ask { changed: true } => {
                            "; its server, certificate or login changed since you allowed it: choose it again"
                        }
                        Decision::Ask { changed: false } => "; not chosen here yet",
                    });
                }
                page.well(line);
            }
        }
    }
}

async fn contact(
    page: &mut Page,
    kubeconfig: &Kubeconfig,
    name: &str,
    root: Option<&Path>,
    settings: &Settings,
) {
    let context: Context = match kubeconfig.context(name) {
        Ok(context) => context,
        Err(error) => return page.trouble(error, "The contexts are listed above."),
    };
    if context.insecure() {
        page.trouble(
            "its certificate is not verified (insecure-skip-tls-verify)",
            "Give the cluster a certificate authority in the kubeconfig.",
        );
    }
    let options = match connect::options(settings) {
        Ok(options) => options,
        Err(error) => return page.trouble(error, "Consents and logins are kept there."),
    };
    let access = match Access::connect(&context, &options, &CancellationToken::new()).await {
        Ok(access) => access,
        Err(error) => {
            return page.trouble(error, "Until then editors show what was seen last, with its time.");
        }
    };
    page.well(format!("{} answers, Kubernetes {}", access.server(), access.server_version()));
    if let Some(user) = access.impersonates() {
        page.note(format!("acting as {user}"));
    }
    let snapshot = match access.snapshot().await {
        Ok(snapshot) => snapshot,
        Err(error) => return page.trouble(error, "The server answered before: try again."),
    };
    if snapshot.counts.is_empty() {
        return page.trouble(
            "no kind of Flux is served here",
            "Install Flux (https://fluxcd.io/flux/installation), or choose another context.",
        );
    }
    rights::version(page, &access).await;
    for (kind, count) in &snapshot.counts {
        let version = access.served(*kind).unwrap_or_default();
        match count {
            Ok(count) => page.well(format!("{kind} {version}: {count}")),
            // Narrow rights are how it should be in many places: nothing is broken.
            Err(error @ AccessError::Forbidden { .. }) => page.note(format!(
                "{kind} {version}: {error}; shown as such, the ClusterRole flux-view allows it"
            )),
            Err(error) => page
                .trouble(format!("{kind} {version}: {error}"), "Try again; what is not read is not shown."),
        }
    }
    let namespace = context.namespace.clone().unwrap_or_else(|| "flux-system".into());
    match access.may_patch(Kind::Kustomization, &namespace).await {
        Some(true) => page.well(format!("may reconcile in {namespace}")),
        Some(false) => page.note(format!(
            "may not patch kustomizations.kustomize.toolkit.fluxcd.io in {namespace}: `Reconcile now` is not offered (ClusterRole flux-edit allows it)"
        )),
        None => page.note(format!("the cluster did not say whether you may reconcile in {namespace}")),
    }
    if let Some(root) = root {
        let complete = snapshot.counts.values().all(Result::is_ok);
        match cluster::recorded(snapshot.json.as_bytes(), Path::new(name), name) {
            Ok(recorded) => sources::compare(page, root, recorded, complete, settings),
            Err(error) => page.trouble(error, "The server's list cannot be read: is a proxy between?"),
        }
    }
}

/// The recordings that are set in place of clusters.
fn recordings(page: &mut Page, root: Option<&Path>, settings: &Settings) {
    for (file, name) in cluster::recording_names(&settings.snapshots) {
        page.title(&format!("recording {name}"));
        match cluster::read_list(&file, &name) {
            Err(error) => page.trouble(
                error,
                "Record it again with `fluxcd-ls snapshot`, or correct `snapshot` in your configuration file.",
            ),
            Ok(recorded) => {
                let mut line = file.display().to_string();
                if let Some(newest) = recorded.recorded_at {
                    line.push_str(&format!(", the newest time in it is {}", newest.strftime("%Y-%m-%d %H:%M UTC")));
                }
                page.well(line);
                if recorded.skipped > 0 {
                    page.note(format!("{} objects in it are none of Flux and are left out", recorded.skipped));
                }
                if let Some(root) = root {
                    sources::compare(page, root, recorded, true, settings);
                }
            }
        }
    }
}
