//! Kubeconfig files: where they are, how they are merged, what their contexts say.
//!
//! The rules are kubectl's: `$KUBECONFIG` is a list, the first file to set a value or to name an entry wins, files
//! of the list that do not exist are skipped. What kubectl also does and we never do is fall back to the
//! credentials of a pod: in a dev container that would be a cluster which nobody named.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use kube::config::{AuthInfo, Cluster, ExecConfig, ExecInteractiveMode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::context::ContextKey;

/// Why a kubeconfig, or a context in it, cannot be used. The text is for people.
///
/// No text quotes the file: a broken line may well be the one with the token.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum KubeconfigError {
    /// None of the files exists.
    #[error("no kubeconfig: {} does not exist. Set KUBECONFIG, or `kubeconfig` in the configuration file of fluxcd-ls.", list(.0))]
    Missing(Vec<PathBuf>),
    /// There is no home folder to look into, and nothing else was named.
    #[error("no kubeconfig: neither KUBECONFIG nor a home folder is set. Set KUBECONFIG.")]
    NoPath,
    /// The file cannot be read.
    #[error("cannot read the kubeconfig {}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        why: String,
    },
    /// The file is not a kubeconfig.
    #[error("the kubeconfig {} is malformed{}. `kubectl config view` shows what is wrong.", path.display(), at(*line))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line at which reading stopped, from 1.
        line: Option<u64>,
    },
    /// No such context.
    #[error(
        "there is no context {name:?} in {}. `kubectl config get-contexts` lists them.",
        list(kubeconfig)
    )]
    NoContext {
        /// The context's name.
        name: String,
        /// Where it was looked for.
        kubeconfig: Vec<PathBuf>,
    },
    /// The context names a cluster or user that is nowhere.
    #[error(
        "the context {context:?} is dead: its {what} {name:?} is in no kubeconfig file. Add it, or remove the context."
    )]
    DeadContext {
        /// The context's name.
        context: String,
        /// `cluster` or `user`.
        what: &'static str,
        /// The name that leads nowhere.
        name: String,
    },
    /// The context's cluster or user cannot be used as written.
    #[error("the context {context:?} cannot be used: {why}")]
    Unusable {
        /// The context's name.
        context: String,
        /// What is wrong and what to do.
        why: String,
    },
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn at(line: Option<u64>) -> String {
    line.map(|l| format!(" at line {l}")).unwrap_or_default()
}

/// Where to look: `explicit` (a path or a list like `$KUBECONFIG`'s) from the user's own configuration, else
/// `$KUBECONFIG`, else `~/.kube/config`. `env` is `std::env::var_os` outside tests.
pub fn locate(
    explicit: Option<&str>,
    env: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<PathBuf>, KubeconfigError> {
    let home = || env("HOME").or_else(|| env("USERPROFILE")).filter(|h| !h.is_empty()).map(PathBuf::from);
    let expand = |path: PathBuf| match (path.strip_prefix("~"), home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        // Absolute, because the path is also a name: of a consent, for all windows, whatever their folder.
        _ => std::path::absolute(&path).unwrap_or(path),
    };
    let given = explicit.filter(|e| !e.is_empty()).map(OsString::from).or_else(|| env("KUBECONFIG"));
    if let Some(given) = given {
        let paths: Vec<PathBuf> =
            std::env::split_paths(&given).filter(|p| !p.as_os_str().is_empty()).map(expand).collect();
        if !paths.is_empty() {
            return Ok(paths);
        }
    }
    Ok(vec![home().ok_or(KubeconfigError::NoPath)?.join(".kube").join("config")])
}

/// What the files looked like when they were read; another value means that they changed.
///
/// Cheap enough to ask for at every file event: size and time of change, no content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState(Vec<Option<(u64, Option<std::time::SystemTime>)>>);

/// The state of these files now. Blocks on the file system for a moment.
pub fn file_state(paths: &[PathBuf]) -> FileState {
    let state = |path: &PathBuf| {
        let meta = std::fs::metadata(path).ok()?;
        Some((meta.len(), meta.modified().ok()))
    };
    FileState(paths.iter().map(state).collect())
}

/// The merged kubeconfig.
#[derive(Clone)]
pub struct Kubeconfig {
    paths: Arc<[PathBuf]>,
    raw: Arc<kube::config::Kubeconfig>,
    state: FileState,
}

impl fmt::Debug for Kubeconfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubeconfig").field("paths", &self.paths).finish_non_exhaustive()
    }
}

impl Kubeconfig {
    /// Reads and merges these files. Blocks on the file system.
    pub fn load(paths: &[PathBuf]) -> Result<Self, KubeconfigError> {
        let state = file_state(paths);
        let mut raw = kube::config::Kubeconfig::default();
        let mut found = false;
        for path in paths {
            match read(path)? {
                Some(next) => {
                    found = true;
                    raw = raw
                        .merge(next)
                        .map_err(|_| KubeconfigError::Malformed { path: path.clone(), line: None })?;
                }
                None => tracing::debug!(path = %path.display(), "kubeconfig does not exist, skipped"),
            }
        }
        if !found {
            return Err(KubeconfigError::Missing(paths.to_vec()));
        }
        Ok(Self { paths: paths.into(), raw: Arc::new(raw), state })
    }

    /// The files, also those of the list that do not exist (they may appear: watch them too).
    pub fn paths(&self) -> &Arc<[PathBuf]> {
        &self.paths
    }

    /// What the files looked like when they were read.
    pub fn state(&self) -> &FileState {
        &self.state
    }

    /// The context that kubectl would use. It orders lists, it never selects anything.
    pub fn current(&self) -> Option<&str> {
        self.raw.current_context.as_deref().filter(|c| !c.is_empty())
    }

    /// The names of all contexts, the current one first, the others as the files have them.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.raw.contexts.iter().map(|c| c.name.as_str()).collect();
        if let Some(at) = self.current().and_then(|current| names.iter().position(|n| *n == current)) {
            names[..=at].rotate_right(1);
        }
        names
    }

    /// All contexts in the order of [`Kubeconfig::names`]; a dead one carries its error.
    pub fn contexts(&self) -> Vec<(ContextKey, Result<Context, KubeconfigError>)> {
        self.names()
            .into_iter()
            .map(|name| (ContextKey::new(self.paths.clone(), name), self.context(name)))
            .collect()
    }

    /// One context, with its cluster and user looked up.
    pub fn context(&self, name: &str) -> Result<Context, KubeconfigError> {
        let context = self.raw.contexts.iter().find(|c| c.name == name).and_then(|c| c.context.clone());
        let context = context.ok_or_else(|| KubeconfigError::NoContext {
            name: name.to_owned(),
            kubeconfig: self.paths.to_vec(),
        })?;
        let dead = |what, dead: &str| KubeconfigError::DeadContext {
            context: name.to_owned(),
            what,
            name: dead.to_owned(),
        };
        let cluster = self.raw.clusters.iter().find(|c| c.name == context.cluster);
        let cluster = cluster.and_then(|c| c.cluster.clone());
        let cluster = cluster.ok_or_else(|| dead("cluster", &context.cluster))?;
        let user_name = context.user.filter(|u| !u.is_empty());
        let user = match &user_name {
            Some(user) => {
                let named = self.raw.auth_infos.iter().find(|u| u.name == *user);
                named.map(|u| u.auth_info.clone().unwrap_or_default()).ok_or_else(|| dead("user", user))?
            }
            None => AuthInfo::default(),
        };
        let unusable =
            |why: &str| KubeconfigError::Unusable { context: name.to_owned(), why: why.to_owned() };
        let server = cluster.server.clone().filter(|s| !s.is_empty());
        let server = server.ok_or_else(|| unusable("its cluster has no `server`."))?;
        if server.parse::<http::Uri>().ok().and_then(|u| u.host().map(str::len)).is_none() {
            return Err(unusable("the `server` of its cluster is not a URL like https://host:port."));
        }
        let auth = AuthKind::of(&user).map_err(|why| unusable(&why))?;
        Ok(Context {
            key: ContextKey::new(self.paths.clone(), name),
            server,
            namespace: context.namespace.filter(|n| !n.is_empty()),
            user_name,
            auth,
            cluster,
            user,
        })
    }
}

/// Reads one file; `None` when it does not exist.
fn read(path: &Path) -> Result<Option<kube::config::Kubeconfig>, KubeconfigError> {
    use kube::config::KubeconfigError as Kube;
    // A relative path makes relative paths inside, which would then depend on our working folder.
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match kube::config::Kubeconfig::read_from(&absolute) {
        Ok(raw) => Ok(Some(raw)),
        Err(Kube::ReadConfig(e, _)) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(Kube::ReadConfig(e, _)) if e.kind() == std::io::ErrorKind::InvalidData => {
            Err(KubeconfigError::Malformed { path: path.to_owned(), line: None })
        }
        Err(Kube::ReadConfig(e, _)) => {
            Err(KubeconfigError::Unreadable { path: path.to_owned(), why: e.to_string() })
        }
        Err(Kube::Parse(e)) => Err(KubeconfigError::Malformed {
            path: path.to_owned(),
            line: e.location().map(|l| l.line()).filter(|l| *l > 0),
        }),
        Err(_) => Err(KubeconfigError::Malformed { path: path.to_owned(), line: None }),
    }
}

/// How a context proves who it is.
#[derive(Clone, PartialEq, Eq)]
pub enum AuthKind {
    /// It does not.
    Anonymous,
    /// A bearer token, in the kubeconfig or in a file beside it.
    Token,
    /// A client certificate.
    Certificate,
    /// A user name and a password.
    Basic,
    /// A program that prints a credential.
    Exec(ExecPlugin),
    /// The built-in `auth-provider` of this name; only `oidc` is left of them.
    Provider(String),
}

impl fmt::Debug for AuthKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuthKind::Anonymous => f.write_str("Anonymous"),
            AuthKind::Token => f.write_str("Token"),
            AuthKind::Certificate => f.write_str("Certificate"),
            AuthKind::Basic => f.write_str("Basic"),
            AuthKind::Exec(plugin) => write!(f, "Exec({})", plugin.command_line()),
            AuthKind::Provider(name) => write!(f, "Provider({name})"),
        }
    }
}

impl AuthKind {
    /// What kubectl would use of all that a user may have. The error says what to do.
    fn of(user: &AuthInfo) -> Result<Self, String> {
        if let Some(exec) = &user.exec {
            return ExecPlugin::new(exec).map(AuthKind::Exec);
        }
        if let Some(provider) = &user.auth_provider {
            // `gcp` would run a program of its own; client-go removed it in 1.26, as it did `azure`.
            return if provider.name == "oidc" {
                Ok(AuthKind::Provider(provider.name.clone()))
            } else {
                Err(format!(
                    "its auth-provider {:?} was removed from Kubernetes 1.26. Use an exec plugin instead.",
                    provider.name
                ))
            };
        }
        Ok(if user.token.is_some() || user.token_file.is_some() {
            AuthKind::Token
        } else if user.client_certificate.is_some() || user.client_certificate_data.is_some() {
            AuthKind::Certificate
        } else if user.username.is_some() {
            AuthKind::Basic
        } else {
            AuthKind::Anonymous
        })
    }

    /// What happens at connecting, in a few words for the list in which the user chooses a cluster.
    pub fn describe(&self) -> String {
        match self {
            AuthKind::Anonymous => "no credentials".into(),
            AuthKind::Token => "token".into(),
            AuthKind::Certificate => "client certificate".into(),
            AuthKind::Basic => "user name and password".into(),
            AuthKind::Exec(plugin) => format!("runs {}, may open a browser", plugin.program()),
            AuthKind::Provider(name) => format!("auth-provider {name}"),
        }
    }
}

/// An exec plugin as the kubeconfig describes it.
#[derive(Clone, PartialEq, Eq)]
pub struct ExecPlugin {
    /// The program: a name to be found in `PATH`, or a path.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Additional environment variables. Their values may be secret: never shown.
    pub env: BTreeMap<String, String>,
    /// `client.authentication.k8s.io/v1` or `/v1beta1`.
    pub api_version: String,
    /// Whether it insists on a terminal (`interactiveMode: Always`).
    pub needs_terminal: bool,
    /// Whether it wants to know the cluster.
    pub provide_cluster_info: bool,
    /// What its author tells people who do not have it.
    pub install_hint: Option<String>,
}

impl fmt::Debug for ExecPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExecPlugin({})", self.command_line())
    }
}

impl ExecPlugin {
    fn new(exec: &ExecConfig) -> Result<Self, String> {
        let command = exec.command.clone().filter(|c| !c.is_empty());
        let command = command.ok_or("its exec plugin has no `command`.")?;
        let api_version = exec.api_version.clone().unwrap_or_default();
        if !crate::exec::API_VERSIONS.contains(&api_version.as_str()) {
            return Err(format!(
                "its exec plugin speaks {api_version:?}; supported are {}. Update the plugin and the kubeconfig.",
                crate::exec::API_VERSIONS.join(" and ")
            ));
        }
        let entry = |e: &std::collections::HashMap<String, String>| {
            Some((e.get("name")?.clone(), e.get("value").cloned().unwrap_or_default()))
        };
        Ok(Self {
            command,
            args: exec.args.clone().unwrap_or_default(),
            env: exec.env.iter().flatten().filter_map(entry).collect(),
            api_version,
            needs_terminal: exec.interactive_mode == Some(ExecInteractiveMode::Always),
            provide_cluster_info: exec.provide_cluster_info,
            install_hint: exec.install_hint.clone().filter(|h| !h.is_empty()),
        })
    }

    /// The program's name without its folder.
    pub fn program(&self) -> &str {
        Path::new(&self.command).file_name().and_then(|n| n.to_str()).unwrap_or(&self.command)
    }

    /// The command as people would type it in a terminal.
    pub fn command_line(&self) -> String {
        let quote = |word: &String| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,@%".contains(c);
            if !word.is_empty() && word.chars().all(plain) {
                word.clone()
            } else {
                format!("'{}'", word.replace('\'', r"'\''"))
            }
        };
        std::iter::once(&self.command).chain(&self.args).map(quote).collect::<Vec<_>>().join(" ")
    }
}

/// A context with its cluster and user. Holds secrets; its `Debug` shows none.
#[derive(Clone)]
pub struct Context {
    /// Which context this is.
    pub key: ContextKey,
    /// The API server's URL.
    pub server: String,
    /// The namespace it names, if any.
    pub namespace: Option<String>,
    /// The name of its user.
    pub user_name: Option<String>,
    /// How it proves who it is.
    pub auth: AuthKind,
    pub(crate) cluster: Cluster,
    pub(crate) user: AuthInfo,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("name", &self.key.name)
            .field("server", &self.server)
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}

impl Context {
    /// The name of the context.
    pub fn name(&self) -> &str {
        &self.key.name
    }

    /// The proxy that the kubeconfig names.
    pub fn proxy_url(&self) -> Option<&str> {
        self.cluster.proxy_url.as_deref().filter(|p| !p.is_empty())
    }

    /// Whom it acts as (`as`), with the groups (`as-groups`).
    pub fn impersonates(&self) -> Option<(&str, &[String])> {
        let user = self.user.impersonate.as_deref()?;
        Some((user, self.user.impersonate_groups.as_deref().unwrap_or_default()))
    }

    /// Whether the server's certificate is not verified.
    pub fn insecure(&self) -> bool {
        self.cluster.insecure_skip_tls_verify.unwrap_or(false)
    }

    /// What consent is given to. Reads the certificate authority's file, if it is one.
    pub fn fingerprint(&self) -> Fingerprint {
        let exec = match &self.auth {
            AuthKind::Exec(plugin) => {
                let mut words = vec![plugin.command.clone()];
                words.extend(plugin.args.iter().cloned());
                if !plugin.env.is_empty() {
                    // The environment decides what a program does as much as its arguments do; its values may be
                    // secret, so only a digest is kept.
                    let mut digest = Sha256::new();
                    for (name, value) in &plugin.env {
                        digest.update(name.as_bytes());
                        digest.update([0]);
                        digest.update(value.as_bytes());
                        digest.update([0]);
                    }
                    words.push(format!("env:{}", hex(&digest.finalize())));
                }
                Some(words)
            }
            _ => None,
        };
        let ca = match (&self.cluster.certificate_authority_data, &self.cluster.certificate_authority) {
            _ if self.insecure() => Some("not verified".to_owned()),
            (Some(data), _) if !data.is_empty() => Some(format!("sha256:{}", hex(&Sha256::digest(data)))),
            (_, Some(path)) if !path.is_empty() => Some(match std::fs::read(path) {
                Ok(bytes) => {
                    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
                    format!("sha256:{}", hex(&Sha256::digest(text)))
                }
                Err(_) => format!("unreadable:{path}"),
            }),
            _ => None,
        };
        Fingerprint {
            kubeconfig: self.key.kubeconfig.to_vec(),
            context: self.key.name.to_string(),
            server: self.server.clone(),
            ca,
            exec,
            proxy: self.proxy_url().map(str::to_owned),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, b| {
        let _ = write!(text, "{b:02x}");
        text
    })
}

/// What a consent was given to: whoever changes any of it has to be asked again (design 3.4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The kubeconfig files.
    pub kubeconfig: Vec<PathBuf>,
    /// The context's name.
    pub context: String,
    /// The API server's URL.
    pub server: String,
    /// The certificate authority, as a digest of its certificates.
    pub ca: Option<String>,
    /// The exec plugin: program, arguments, and a digest of its environment.
    pub exec: Option<Vec<String>>,
    /// The proxy through which requests go.
    pub proxy: Option<String>,
}

impl Fingerprint {
    /// The context that it belongs to.
    pub fn key(&self) -> ContextKey {
        ContextKey::new(self.kubeconfig.clone(), self.context.as_str())
    }

    /// A short name for files: the same for the same fingerprint, different for every other.
    pub fn digest(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        hex(&Sha256::digest(text))[..32].to_owned()
    }
}

#[cfg(test)]
mod tests;
