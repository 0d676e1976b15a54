//! A connection that can be asked.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use flux::{Kind, ObjectId};
use kube::Client;
use kube::core::ApiResource;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::client::{Connection, Connector as _, KubeconfigConnector, Occasion};
use crate::context::ContextKey;
use crate::discovery::{self, Served};
use crate::event::{ConnectError, SignInReason};
use crate::kubeconfig::Context;
use crate::objects::Objects;
use crate::rights::RightsCache;
use crate::session::SessionOptions;
use crate::watch::brief;
use crate::wire::{Clock, NoAnswer, Wire};

/// How long the first answer of a cluster may take.
const PROBE_WITHIN: Duration = Duration::from_secs(10);

/// Why a question to a cluster has no answer. The text is for people.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AccessError {
    /// Secrets are never read.
    #[error("fluxcd-ls never reads Secrets")]
    Secret,
    /// Not allowed.
    #[error("no permission to {verb} {resource}{}", in_namespace(namespace))]
    Forbidden {
        /// `get`, `list`, …
        verb: &'static str,
        /// As roles name it: `kustomizations.kustomize.toolkit.fluxcd.io`.
        resource: String,
        /// Where; empty for everywhere.
        namespace: String,
    },
    /// There is no such object.
    #[error("{0} is not in the cluster")]
    NotFound(ObjectId),
    /// The cluster does not know the kind.
    #[error("the cluster has no kind {kind} of {group:?}")]
    NotServed {
        /// The API group.
        group: String,
        /// The kind.
        kind: String,
    },
    /// Somebody has to sign in.
    #[error("the cluster does not accept the credentials: sign in")]
    SignIn,
    /// No answer, or none that makes sense.
    #[error("{0}")]
    Unreachable(String),
}

fn in_namespace(namespace: &str) -> String {
    if namespace.is_empty() { String::new() } else { format!(" in {namespace}") }
}

impl AccessError {
    /// What kube's error means for `verb` on `resource` in `namespace`; `id` if it was about one object.
    pub(crate) fn of(
        error: &kube::Error,
        verb: &'static str,
        resource: &ApiResource,
        namespace: &str,
        id: Option<&ObjectId>,
    ) -> Self {
        match (error, id) {
            (kube::Error::Api(status), id) => match (status.code, id) {
                (401, _) => AccessError::SignIn,
                (403, _) => AccessError::Forbidden {
                    verb,
                    resource: role_resource(resource),
                    namespace: namespace.to_owned(),
                },
                (404, Some(id)) => AccessError::NotFound(id.clone()),
                (404, None) => {
                    AccessError::NotServed { group: resource.group.clone(), kind: resource.kind.clone() }
                }
                (code, _) => AccessError::Unreachable(format!(
                    "the cluster answered {code}: {}",
                    brief(&status.message)
                )),
            },
            (error, _) => AccessError::Unreachable(innermost(error)),
        }
    }
}

/// As roles and Kubernetes' own messages name a resource.
pub(crate) fn role_resource(resource: &ApiResource) -> String {
    if resource.group.is_empty() {
        resource.plural.clone()
    } else {
        format!("{}.{}", resource.plural, resource.group)
    }
}

/// The last cause of an error, which is the one that people can do something about.
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    for _ in 0..16 {
        match last.source() {
            Some(source) => last = source,
            None => break,
        }
    }
    brief(&last.to_string())
}

fn find<'a, T: std::error::Error + 'static>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    for _ in 0..16 {
        let error = next?;
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// What went wrong at making contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 401.
    Unauthorized,
    Other(ConnectError),
}

impl Refusal {
    fn of(error: &kube::Error, server: &str) -> Self {
        let server = server.to_owned();
        if let kube::Error::Api(status) = error {
            return match status.code {
                401 => Refusal::Unauthorized,
                code => {
                    Refusal::Other(ConnectError::Answered { server, code, message: brief(&status.message) })
                }
            };
        }
        if let kube::Error::Service(inner) = error
            && inner.downcast_ref::<NoAnswer>().is_some()
        {
            return Refusal::Other(ConnectError::TimedOut {
                server,
                seconds: crate::wire::ANSWER_WITHIN.as_secs(),
            });
        }
        // An `auth-provider` that could not renew its token.
        if find::<kube::client::AuthError>(error).is_some() {
            return Refusal::Unauthorized;
        }
        Refusal::Other(match error {
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => {
                ConnectError::NotKubernetes { server, why: innermost(error) }
            }
            error => ConnectError::Unreachable { server, why: innermost(error) },
        })
    }
}

/// A connection to a context that can be asked and told. Cheap to clone.
///
/// It does not outlive a credential: when answers say [`AccessError::SignIn`], take a new one from the session.
#[derive(Clone)]
pub struct Access(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) context: ContextKey,
    pub(crate) client: Client,
    pub(crate) served: Served,
    pub(crate) version: String,
    pub(crate) wire: Wire,
    pub(crate) clock: Clock,
    pub(crate) rights: Arc<RightsCache>,
    pub(crate) namespace: Option<String>,
    pub(crate) hints: Vec<Arc<str>>,
    server: String,
    impersonates: Option<String>,
    pub(crate) objects: Arc<Objects>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access({})", self.0.context)
    }
}

/// One `/version` request, bounded. It needs no rights.
pub(crate) async fn probe(client: &Client, server: &str) -> Result<String, Refusal> {
    let answer = tokio::time::timeout(PROBE_WITHIN, discovery::get(client, "/version", "application/json"));
    let answer = match answer.await {
        Ok(Ok(answer)) => answer,
        Ok(Err(e)) => return Err(Refusal::of(&e, server)),
        Err(_) => {
            let (server, seconds) = (server.to_owned(), PROBE_WITHIN.as_secs());
            return Err(Refusal::Other(ConnectError::TimedOut { server, seconds }));
        }
    };
    match answer["gitVersion"].as_str() {
        Some(version) => Ok(version.to_owned()),
        None => Err(Refusal::Other(ConnectError::NotKubernetes {
            server: server.to_owned(),
            why: "/version has no gitVersion".into(),
        })),
    }
}

impl Access {
    /// Connects without watching anything: for commands that ask once.
    ///
    /// The caller has the user's consent for `context.fingerprint()`. `options.chosen` says that the user named
    /// the context just now, so that its login command may run.
    pub async fn connect(
        context: &Context,
        options: &SessionOptions,
        cancel: &CancellationToken,
    ) -> Result<Access, ConnectError> {
        let fingerprint = context.fingerprint();
        let connector = KubeconfigConnector::new(context, fingerprint, options.login, options.state.clone());
        let wire = Wire::new(options.clock.clone());
        let occasion = if options.chosen { Occasion::Chosen } else { Occasion::Reopened };
        let work = async {
            let connection = connector.connect(occasion, false, &wire, cancel).await?;
            let access = Access::establish(connection, context.key.clone(), wire.clone(), options).await;
            access.map_err(|refusal| match refusal {
                Refusal::Other(error) => error,
                Refusal::Unauthorized => ConnectError::SignIn {
                    reason: SignInReason::Rejected,
                    command: connector.login_command(),
                },
            })
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(ConnectError::Cancelled),
            access = work => access,
        }
    }

    /// Probes and discovers.
    pub(crate) async fn establish(
        connection: Connection,
        context: ContextKey,
        wire: Wire,
        options: &SessionOptions,
    ) -> Result<Access, Refusal> {
        let version = probe(&connection.client, &connection.server).await?;
        let served = Served::discover(&connection.client).await;
        let served = served.map_err(|e| Refusal::of(&e, &connection.server))?;
        Ok(Access(Arc::new(Inner {
            context,
            client: connection.client,
            served,
            version,
            wire,
            clock: options.clock.clone(),
            rights: Arc::default(),
            namespace: connection.namespace,
            hints: options.namespaces.clone(),
            server: connection.server,
            impersonates: connection.impersonates,
            objects: Arc::default(),
        })))
    }

    /// The same connection, with what discovery says now.
    pub(crate) async fn rediscovered(&self) -> Result<Access, Refusal> {
        let inner = &self.0;
        let served = Served::discover(&inner.client).await.map_err(|e| Refusal::of(&e, &inner.server))?;
        Ok(Access(Arc::new(Inner {
            context: inner.context.clone(),
            client: inner.client.clone(),
            served,
            version: inner.version.clone(),
            wire: inner.wire.clone(),
            clock: inner.clock.clone(),
            rights: inner.rights.clone(),
            namespace: inner.namespace.clone(),
            hints: inner.hints.clone(),
            server: inner.server.clone(),
            impersonates: inner.impersonates.clone(),
            // Kinds may have come and gone.
            objects: Arc::default(),
        })))
    }

    /// The context.
    pub fn context(&self) -> &ContextKey {
        &self.0.context
    }

    /// The API server's URL.
    pub fn server(&self) -> &str {
        &self.0.server
    }

    /// The API server's version, `v1.36.3`.
    pub fn server_version(&self) -> &str {
        &self.0.version
    }

    /// Whom the context acts as, if it impersonates.
    pub fn impersonates(&self) -> Option<&str> {
        self.0.impersonates.as_deref()
    }

    /// The version in which the cluster serves a kind; `None` if it does not.
    pub fn served(&self, kind: Kind) -> Option<String> {
        self.0.served.version(kind).map(|v| v.to_string())
    }

    /// Whether objects of `kind` in `namespace` may be patched, asked of the cluster; `None` if it did not say.
    pub async fn may_patch(&self, kind: Kind, namespace: &str) -> Option<bool> {
        self.0.rights.ask(&self.0.client, kind, namespace).await
    }
}
