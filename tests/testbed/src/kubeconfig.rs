//! Kubeconfig files for people with different rights and different ways to log in.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::certificates::Identity;
use crate::error::{Error, Result};

/// Whose rights a kubeconfig has. All of it is real RBAC of the API server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Group `system:masters`.
    Admin,
    /// Flux's own ClusterRole `flux-view` in all namespaces, and nothing else: `get`, `list`, `watch` on every Flux group.
    Viewer,
    /// `flux-view` and `flux-edit` in all namespaces.
    Editor,
    /// `flux-view`, `flux-edit` and Kubernetes' `view`, in this one namespace (which is made if it is not there).
    OneNamespace(String),
    /// Known to the cluster, but without any right beyond discovery.
    Nobody,
}

impl Role {
    pub(crate) fn word(&self) -> String {
        match self {
            Role::Admin => "admin".to_owned(),
            Role::Viewer => "viewer".to_owned(),
            Role::Editor => "editor".to_owned(),
            Role::OneNamespace(namespace) => format!("tenant-{namespace}"),
            Role::Nobody => "nobody".to_owned(),
        }
    }
}

/// How a kubeconfig logs in.
#[derive(Clone, Debug)]
pub enum Auth {
    /// A bearer token that the API server knows.
    Token,
    /// A client certificate and its key, inline.
    ClientCertificate,
    /// A credential plugin: a script that prints an `ExecCredential`.
    Exec(ExecOptions),
    /// A bearer token that the API server answers with 401.
    RejectedToken,
    /// A client certificate that ended in 2021; answered with 401.
    ExpiredCertificate,
}

/// How a credential plugin behaves. Everything but `interactive_mode` can be changed later on, see [`ExecPlugin`].
#[derive(Clone, Debug)]
pub struct ExecOptions {
    /// Sleeps before it answers.
    pub delay: Duration,
    /// Writes this to standard error and ends with code 1.
    pub failure: Option<String>,
    /// Fails unless standard input is a terminal, as a login that asks for a password would.
    pub needs_terminal: bool,
    /// Sets `expirationTimestamp` this far ahead of the run.
    pub expires_in: Option<Duration>,
    /// `Never`, `IfAvailable` or `Always`.
    pub interactive_mode: &'static str,
}

impl Default for ExecOptions {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            failure: None,
            needs_terminal: false,
            expires_in: None,
            interactive_mode: "IfAvailable",
        }
    }
}

/// The credential plugin of a kubeconfig, to change its behaviour and to count its runs.
#[derive(Clone, Debug)]
pub struct ExecPlugin {
    folder: PathBuf,
    token: String,
}

const PLUGIN: &str = r#"#!/bin/sh
# A credential plugin whose behaviour is told by the files beside it.
d=$(dirname "$0")
if [ -t 0 ]; then terminal=terminal; else terminal=no-terminal; fi
echo "$terminal" >> "$d/runs"
if [ -e "$d/needs-terminal" ] && [ "$terminal" = no-terminal ]; then
  echo "testbed-login: cannot ask for the password: standard input is not a terminal" >&2
  exit 1
fi
if [ -s "$d/delay" ]; then sleep "$(cat "$d/delay")"; fi
if [ -e "$d/failure" ]; then cat "$d/failure" >&2; exit 1; fi
expiry=
if [ -s "$d/expires-in" ]; then
  expiry=",\"expirationTimestamp\":\"$(date -u -d "+$(cat "$d/expires-in") seconds" +%Y-%m-%dT%H:%M:%SZ)\""
fi
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"%s}}\n' "$(cat "$d/token")" "$expiry"
"#;

impl ExecPlugin {
    pub(crate) fn create(folder: PathBuf, token: String, options: &ExecOptions) -> Result<Self> {
        fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
        let plugin = Self { folder, token };
        let script = plugin.program();
        fs::write(&script, PLUGIN).map_err(Error::file("write", &script))?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))
            .map_err(Error::file("change", &script))?;
        plugin.reject(false)?;
        plugin.delay(options.delay)?;
        plugin.fail(options.failure.as_deref())?;
        plugin.need_terminal(options.needs_terminal)?;
        plugin.expire_in(options.expires_in)?;
        Ok(plugin)
    }

    /// The script.
    pub fn program(&self) -> PathBuf {
        self.folder.join("testbed-login")
    }

    /// How often it was started so far.
    pub fn runs(&self) -> usize {
        self.run_terminals().len()
    }

    /// For each run so far, whether its standard input was a terminal.
    pub fn run_terminals(&self) -> Vec<bool> {
        let text = fs::read_to_string(self.folder.join("runs")).unwrap_or_default();
        text.lines().map(|line| line == "terminal").collect()
    }

    /// From now on it sleeps this long before it answers.
    pub fn delay(&self, delay: Duration) -> Result<()> {
        self.set("delay", (!delay.is_zero()).then(|| delay.as_secs_f64().to_string()))
    }

    /// From now on it fails with this text; `None`: it works again.
    pub fn fail(&self, failure: Option<&str>) -> Result<()> {
        self.set("failure", failure.map(|text| format!("{text}\n")))
    }

    /// From now on it fails without (or works with) a terminal as standard input.
    pub fn need_terminal(&self, needed: bool) -> Result<()> {
        self.set("needs-terminal", needed.then(String::new))
    }

    /// From now on its tokens claim to end this far ahead; `None`: they claim nothing.
    pub fn expire_in(&self, time: Option<Duration>) -> Result<()> {
        self.set("expires-in", time.map(|time| time.as_secs().to_string()))
    }

    /// From now on it prints a token that the API server rejects (or accepts again).
    pub fn reject(&self, rejected: bool) -> Result<()> {
        self.set("token", Some(if rejected { "rejected".to_owned() } else { self.token.clone() }))
    }

    fn set(&self, file: &str, content: Option<String>) -> Result<()> {
        let path = self.folder.join(file);
        match content {
            // Renamed into place: the script may be reading it.
            Some(content) => {
                let new = self.folder.join(format!(".{file}"));
                fs::write(&new, content).map_err(Error::file("write", &new))?;
                fs::rename(&new, &path).map_err(Error::file("write", &path))
            }
            None if path.exists() => fs::remove_file(&path).map_err(Error::file("remove", &path)),
            None => Ok(()),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Login {
    Token(String),
    Certificate(Identity),
    Exec(ExecPlugin, &'static str),
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) context: String,
    pub(crate) namespace: Option<String>,
    pub(crate) server: String,
    pub(crate) authority: String,
    pub(crate) login: Login,
}

/// A kubeconfig file in the testbed's folder. Its methods rewrite the file.
#[derive(Clone, Debug)]
pub struct Kubeconfig {
    path: PathBuf,
    entries: Vec<Entry>,
    current: String,
}

impl Kubeconfig {
    pub(crate) fn create(path: PathBuf, entry: Entry) -> Result<Self> {
        Self { path, current: entry.context.clone(), entries: vec![entry] }.written()
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The current context.
    pub fn current(&self) -> &str {
        &self.current
    }

    /// The names of all its contexts.
    pub fn contexts(&self) -> Vec<&str> {
        self.entries.iter().map(|e| e.context.as_str()).collect()
    }

    /// Renames its first context, which is named as the cluster otherwise.
    pub fn named(mut self, context: &str) -> Result<Self> {
        if let Some(entry) = self.entries.first_mut() {
            if self.current == entry.context {
                self.current = context.to_owned();
            }
            entry.context = context.to_owned();
        }
        self.written()
    }

    /// Takes the contexts of another file in. The current context stays.
    pub fn and(mut self, other: &Kubeconfig) -> Result<Self> {
        for entry in &other.entries {
            if self.entries.iter().any(|e| e.context == entry.context) {
                return Err(Error::Usage(format!(
                    "there is a context {} already: give it another name with `named`",
                    entry.context
                )));
            }
            self.entries.push(entry.clone());
        }
        self.written()
    }

    /// Makes another context the current one; an empty name: none.
    pub fn with_current(mut self, context: &str) -> Result<Self> {
        self.current = context.to_owned();
        self.written()
    }

    /// Gives the first context a default namespace.
    pub fn with_namespace(mut self, namespace: &str) -> Result<Self> {
        if let Some(entry) = self.entries.first_mut() {
            entry.namespace = Some(namespace.to_owned());
        }
        self.written()
    }

    /// Points the first context elsewhere, e.g. at an address where nothing listens.
    pub fn with_server(mut self, url: &str) -> Result<Self> {
        if let Some(entry) = self.entries.first_mut() {
            entry.server = url.to_owned();
        }
        self.written()
    }

    /// Puts another authority than the server's in the first context (PEM), so that verification fails.
    pub fn with_authority(mut self, pem: &str) -> Result<Self> {
        if let Some(entry) = self.entries.first_mut() {
            entry.authority = pem.to_owned();
        }
        self.written()
    }

    /// The credential plugin of the first context that has one.
    pub fn plugin(&self) -> Option<&ExecPlugin> {
        self.entries.iter().find_map(|e| match &e.login {
            Login::Exec(plugin, _) => Some(plugin),
            _ => None,
        })
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let mut out = String::from("apiVersion: v1\nkind: Config\nclusters:\n");
        for e in &self.entries {
            let authority = STANDARD.encode(&e.authority);
            // Writing into a String cannot fail.
            let _ = writeln!(
                out,
                "- name: {0}\n  cluster:\n    server: {1}\n    certificate-authority-data: {authority}",
                quoted(&e.context),
                quoted(&e.server)
            );
        }
        out.push_str("users:\n");
        for e in &self.entries {
            let _ = writeln!(out, "- name: {}\n  user:", quoted(&e.context));
            let _ = match &e.login {
                Login::Token(token) => writeln!(out, "    token: {}", quoted(token)),
                Login::Certificate(identity) => writeln!(
                    out,
                    "    client-certificate-data: {}\n    client-key-data: {}",
                    STANDARD.encode(&identity.certificate),
                    STANDARD.encode(&identity.key)
                ),
                Login::Exec(plugin, mode) => writeln!(
                    out,
                    "    exec:\n      apiVersion: client.authentication.k8s.io/v1\n      command: {}\n      interactiveMode: {mode}\n      \
                     provideClusterInfo: false\n      installHint: The login script of a testbed that is gone.",
                    quoted(&plugin.program().display().to_string())
                ),
            };
        }
        out.push_str("contexts:\n");
        for e in &self.entries {
            let name = quoted(&e.context);
            let _ = writeln!(out, "- name: {name}\n  context:\n    cluster: {name}\n    user: {name}");
            if let Some(namespace) = &e.namespace {
                let _ = writeln!(out, "    namespace: {}", quoted(namespace));
            }
        }
        let _ = writeln!(out, "current-context: {}", quoted(&self.current));
        out
    }

    fn written(self) -> Result<Self> {
        let new = self.path.with_extension("new");
        fs::write(&new, self.text()).map_err(Error::file("write", &new))?;
        fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).map_err(Error::file("change", &new))?;
        fs::rename(&new, &self.path).map_err(Error::file("write", &self.path))?;
        Ok(self)
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
