//! From a context to a client that kube can use, without kube ever seeing an exec plugin.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use jiff::Timestamp;
use kube::client::ClientBuilder;
use kube::config::{AuthInfo, NamedAuthInfo, NamedCluster, NamedContext};
use tokio_util::sync::CancellationToken;

use crate::event::{ConnectError, SignInReason};
use crate::exec::{self, Credential, ExecError, Memory};
use crate::kubeconfig::{AuthKind, Context, Fingerprint, Kubeconfig, KubeconfigError};
use crate::state::StateDir;
use crate::wire::Wire;

/// When login commands run (`fluxcd.login`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoginPolicy {
    /// Unattended when that disturbs nobody, else when asked.
    #[default]
    Quiet,
    /// Only when the user presses `Sign in`.
    Ask,
    /// Never.
    Never,
}

/// Why a credential is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// The user has just chosen this cluster, and was told what will run.
    Chosen,
    /// A file was opened whose cluster was consented to earlier.
    Reopened,
    /// The last credential expired, or is about to; `typed` is when somebody last typed.
    Renewal { typed: Option<Instant> },
    /// The user pressed `Sign in`.
    SignIn,
}

/// Renewal is unattended only this long after typing.
const RECENTLY: Duration = Duration::from_secs(120);

/// Whether the login command may run now, and for how long.
pub(crate) fn may_run(
    policy: LoginPolicy,
    occasion: Occasion,
    memory: &Memory,
    now: Instant,
) -> Result<Duration, SignInReason> {
    match (policy, occasion) {
        (LoginPolicy::Never, _) => return Err(SignInReason::Policy),
        (_, Occasion::SignIn) => return Ok(exec::SIGN_IN),
        (LoginPolicy::Ask, _) => return Err(SignInReason::Policy),
        (LoginPolicy::Quiet, Occasion::Chosen) => return Ok(exec::UNATTENDED),
        (LoginPolicy::Quiet, _) => {}
    }
    if let Occasion::Renewal { typed } = occasion
        && typed.is_none_or(|t| now.saturating_duration_since(t) > RECENTLY)
    {
        return Err(SignInReason::Away);
    }
    if let Some(failure) = &memory.failure {
        return Err(SignInReason::FailedBefore(failure.clone()));
    }
    match memory.quick() {
        Some(true) => Ok(exec::UNATTENDED),
        // Consent was given to this very command, and nothing is known against it.
        None if occasion == Occasion::Reopened => Ok(exec::UNATTENDED),
        _ => Err(SignInReason::MayDisturb),
    }
}

/// A connection as a [`Connector`] makes it.
pub(crate) struct Connection {
    pub client: kube::Client,
    /// When the credential ends, if that is known.
    pub expires: Option<Timestamp>,
    /// The namespace of the context.
    pub namespace: Option<String>,
    /// The API server's URL.
    pub server: String,
    /// Whom it acts as.
    pub impersonates: Option<String>,
}

/// Makes connections; the seam at which tests put their own API server.
pub(crate) trait Connector: Send + Sync + 'static {
    /// A new connection for this occasion. Everything in it reports to `wire`.
    ///
    /// `rejected`: the API server does not accept the credential of the last connection.
    fn connect<'a>(
        &'a self,
        occasion: Occasion,
        rejected: bool,
        wire: &'a Wire,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Connection, ConnectError>>;

    /// The login command, if the context has one.
    fn login_command(&self) -> Option<String>;

    /// Whether a credential can be had without disturbing anybody, before the old one ends.
    fn may_renew(&self, typed: Option<Instant>) -> bool;
}

/// Connections to a context of a kubeconfig, which is read anew each time.
pub(crate) struct KubeconfigConnector {
    fingerprint: Fingerprint,
    auth: AuthKind,
    policy: LoginPolicy,
    state: StateDir,
    kept: Mutex<Option<Credential>>,
}

impl KubeconfigConnector {
    pub(crate) fn new(
        context: &Context,
        fingerprint: Fingerprint,
        policy: LoginPolicy,
        state: StateDir,
    ) -> Self {
        Self { fingerprint, auth: context.auth.clone(), policy, state, kept: Mutex::default() }
    }

    async fn credential(
        &self,
        context: &Context,
        occasion: Occasion,
        rejected: bool,
        cancel: &CancellationToken,
    ) -> Result<Option<Credential>, ConnectError> {
        let AuthKind::Exec(plugin) = &context.auth else { return Ok(None) };
        // Reused by reconnects; what is about to end is renewed by the caller, who then says so.
        let margin = if matches!(occasion, Occasion::Renewal { .. }) { 60 } else { 10 };
        let soon = Timestamp::now() + jiff::SignedDuration::from_secs(margin);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let lasts =
            |until: Timestamp| kept.clone().filter(|c| !rejected && c.expires.is_none_or(|at| at > until));
        if let Some(kept) = lasts(soon) {
            return Ok(Some(kept));
        }
        let sign_in = |reason| ConnectError::SignIn { reason, command: Some(plugin.command_line()) };
        let memory = Memory::read(&self.state, &self.fingerprint);
        let limit = match may_run(self.policy, occasion, &memory, Instant::now()) {
            Ok(limit) => limit,
            Err(reason) => {
                // Nearly over is better than over.
                return lasts(Timestamp::now()).map(Some).ok_or_else(|| sign_in(reason));
            }
        };
        let unattended = occasion != Occasion::SignIn;
        match exec::run(context, plugin, &self.state, limit, unattended, cancel).await {
            Ok(credential) => {
                *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(credential.clone());
                Ok(Some(credential))
            }
            Err(ExecError::Cancelled) => Err(ConnectError::Cancelled),
            Err(e) => Err(sign_in(SignInReason::Login(e))),
        }
    }
}

impl Connector for KubeconfigConnector {
    fn connect<'a>(
        &'a self,
        occasion: Occasion,
        rejected: bool,
        wire: &'a Wire,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Connection, ConnectError>> {
        Box::pin(async move {
            let key = self.fingerprint.key();
            let expected = self.fingerprint.clone();
            let context = blocking(move || {
                let context = Kubeconfig::load(&key.kubeconfig)?.context(&key.name)?;
                if context.fingerprint() != expected {
                    return Err(ConnectError::NeedsConsent);
                }
                Ok(context)
            })
            .await?;
            let credential = self.credential(&context, occasion, rejected, cancel).await?;
            let expires = credential.as_ref().and_then(|c| c.expires);
            let namespace = context.namespace.clone();
            let server = context.server.clone();
            let impersonates = context.impersonates().map(|(user, _)| user.to_owned());
            let layer = wire.layer();
            let client = blocking(move || {
                let config = config(&context, credential.as_ref())?;
                let builder =
                    ClientBuilder::try_from(config).map_err(|e| unusable(&context, &e.to_string()))?;
                Ok(builder.with_layer(&layer).build())
            })
            .await?;
            Ok(Connection { client, expires, namespace, server, impersonates })
        })
    }

    fn login_command(&self) -> Option<String> {
        match &self.auth {
            AuthKind::Exec(plugin) => Some(plugin.command_line()),
            _ => None,
        }
    }

    fn may_renew(&self, typed: Option<Instant>) -> bool {
        let memory = || Memory::read(&self.state, &self.fingerprint);
        matches!(self.auth, AuthKind::Exec(_))
            && may_run(self.policy, Occasion::Renewal { typed }, &memory(), Instant::now()).is_ok()
    }
}

/// Files are read and certificates parsed on a thread that may wait: a kubeconfig may lie on a network drive.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ConnectError> + Send + 'static,
) -> Result<T, ConnectError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // The task panicked or the runtime is shutting down.
        Err(_) => Err(ConnectError::Cancelled),
    }
}

fn unusable(context: &Context, why: &str) -> ConnectError {
    KubeconfigError::Unusable { context: context.name().to_owned(), why: format!("{why}.") }.into()
}

/// kube's configuration for a context, with the credential in place of whatever would produce one.
fn config(context: &Context, credential: Option<&Credential>) -> Result<kube::Config, ConnectError> {
    let mut user: AuthInfo = context.user.clone();
    user.exec = None;
    if let Some(credential) = credential {
        // As in client-go, a plugin's answer stands for everything else that the user entry has.
        user.auth_provider = None;
        user.token_file = None;
        user.username = None;
        user.password = None;
        user.token = credential.token.clone().map(Into::into);
        if let Some((certificate, key)) = &credential.certificate {
            user.client_certificate = None;
            user.client_key = None;
            user.client_certificate_data = Some(STANDARD.encode(certificate));
            user.client_key_data = Some(STANDARD.encode(key).into());
        }
    }
    let mut cluster = context.cluster.clone();
    // Decided below, by kubectl's rules: kube applies NO_PROXY to the proxy's own address.
    cluster.proxy_url = None;
    let name = || "it".to_owned();
    let raw = kube::config::Kubeconfig {
        clusters: vec![NamedCluster { name: name(), cluster: Some(cluster), ..Default::default() }],
        auth_infos: vec![NamedAuthInfo { name: name(), auth_info: Some(user), ..Default::default() }],
        contexts: vec![NamedContext {
            name: name(),
            context: Some(kube::config::Context {
                cluster: name(),
                user: Some(name()),
                namespace: context.namespace.clone(),
                ..Default::default()
            }),
            ..Default::default()
        }],
        current_context: Some(name()),
        ..Default::default()
    };
    let mut config = kube::Config::try_from(raw).map_err(|e| unusable(context, &e.to_string()))?;
    config.proxy_url = match proxy_for(&context.server, context.proxy_url(), |n| std::env::var(n).ok()) {
        Some(url) => {
            Some(url.parse().map_err(|_| unusable(context, &format!("the proxy {url:?} is not a URL")))?)
        }
        None => None,
    };
    config.connect_timeout = Some(Duration::from_secs(10));
    config.write_timeout = Some(Duration::from_secs(30));
    // Longer than a watch may be silent (see watch.rs), shorter than a person's patience.
    config.read_timeout = Some(Duration::from_secs(75));
    config.reset_reader_on_write = true;
    // kube would retry with delays that do not look at Retry-After for long enough; see wire.rs.
    config.default_retry = false;
    Ok(config)
}

/// The proxy for a server: the kubeconfig's, else the environment's as Go reads it.
fn proxy_for(server: &str, own: Option<&str>, env: impl Fn(&str) -> Option<String>) -> Option<String> {
    if let Some(own) = own {
        return Some(own.to_owned());
    }
    let get = |name: &str| env(name).or_else(|| env(&name.to_lowercase())).filter(|v| !v.trim().is_empty());
    let uri: http::Uri = server.parse().ok()?;
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_lowercase();
    let proxy = get(if uri.scheme_str() == Some("http") { "HTTP_PROXY" } else { "HTTPS_PROXY" })?;
    let ip: Option<IpAddr> = host.parse().ok();
    let local = host == "localhost" || ip.is_some_and(|ip| ip.is_loopback());
    if local || get("NO_PROXY").is_some_and(|list| excepted(&list, &host, ip, uri.port_u16())) {
        return None;
    }
    Some(if proxy.contains("://") { proxy } else { format!("http://{proxy}") })
}

fn excepted(list: &str, host: &str, ip: Option<IpAddr>, port: Option<u16>) -> bool {
    list.split(',').map(|e| e.trim().to_lowercase()).filter(|e| !e.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let Some(((network, length), ip)) = entry.split_once('/').zip(ip) {
            return in_network(ip, network, length);
        }
        let (name, wanted) = match entry.rsplit_once(':') {
            Some((name, digits)) if !name.contains(':') => match digits.parse::<u16>() {
                Ok(digits) => (name, Some(digits)),
                Err(_) => (entry.as_str(), None),
            },
            _ => (entry.as_str(), None),
        };
        if wanted.is_some() && wanted != port {
            return false;
        }
        let name = name.strip_prefix("*.").map_or(name.to_owned(), |rest| format!(".{rest}"));
        match name.strip_prefix('.') {
            // `.example.com` stands for what is below it, `example.com` for itself too.
            Some(_) => host.ends_with(&name),
            None => host == name || host.ends_with(&format!(".{name}")),
        }
    })
}

fn in_network(ip: IpAddr, network: &str, length: &str) -> bool {
    let bits = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => (u128::from(u32::from(ip)) << 96, 32),
        IpAddr::V6(ip) => (u128::from(ip), 128),
    };
    let (Ok(network), Ok(length)) = (network.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    let ((a, width), (b, other)) = (bits(ip), bits(network));
    let mask = match length {
        0 => 0,
        n => u128::MAX << (128 - n.min(128)),
    };
    width == other && length <= width && a & mask == b & mask
}

/// A connector that can be shared.
pub(crate) type SharedConnector = Arc<dyn Connector>;

#[cfg(test)]
mod tests;
