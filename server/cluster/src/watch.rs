//! One watch: a kind, in all namespaces or in one.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use flux::{Kind, Object, ObjectId};
use futures::StreamExt as _;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::{ApiResource, DynamicResourceScope};
use kube::runtime::watcher;
use kube::{Api, Client};
use serde::{Deserialize, Deserializer};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::wire::Wire;

/// Where a watch looks: a kind, and a namespace unless it is all of them.
pub(crate) type Scope = (Kind, Option<Arc<str>>);

/// What a watch tells its session.
#[derive(Debug)]
pub(crate) struct Seen {
    pub scope: Scope,
    /// Which of the session's connections the watch belongs to.
    pub round: u64,
    pub what: Sight,
}

#[derive(Debug)]
pub(crate) enum Sight {
    /// The complete list.
    Listed(Vec<Object>),
    Applied(Box<Object>),
    Deleted(ObjectId),
    /// The watch goes on trying.
    Trouble(Trouble),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Unauthorized,
    /// The verb that is not allowed.
    Forbidden(&'static str),
    /// The kind is not served (any more).
    NotServed,
    /// Network, overload, nonsense: in a few words, for the log.
    Passing(String),
}

/// The first and the longest wait after an error.
pub(crate) const BACKOFF: (Duration, Duration) = (Duration::from_millis(800), Duration::from_secs(10));

/// Waits that double, with jitter, and start over when something good comes.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    /// Without randomness from outside: what matters is that watches and windows do not fall into step.
    seed: u64,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        use std::hash::{BuildHasher as _, Hasher as _};
        Self { next: BACKOFF.0, seed: std::hash::RandomState::new().build_hasher().finish() | 1 }
    }

    pub(crate) fn reset(&mut self) {
        self.next = BACKOFF.0;
    }

    /// The next wait: between 75 % and 125 % of the plan, never over the longest.
    pub(crate) fn next(&mut self) -> Duration {
        // xorshift64
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        let percent = 75 + u32::try_from(self.seed % 51).unwrap_or(0);
        let wait = (self.next * percent / 100).min(BACKOFF.1);
        self.next = (self.next * 2).min(BACKOFF.1);
        wait
    }
}

/// The URL path of a watch.
pub(crate) fn path(resource: &ApiResource, namespace: Option<&str>) -> String {
    <Watched as kube::Resource>::url_path(resource, namespace)
}

/// Watches until cancelled, or until the session is gone.
///
/// The server ends each watch after less than a minute and kube starts the next where it ended. So a connection
/// that died without a word (a laptop's sleep, a changed VPN) is noticed within that minute, even for a kind that
/// never changes and whose watch sends no bookmarks.
pub(crate) async fn watch(
    client: Client,
    resource: ApiResource,
    scope: Scope,
    round: u64,
    wire: Wire,
    out: mpsc::Sender<Seen>,
    cancel: CancellationToken,
) {
    let api: Api<Watched> = match &scope.1 {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    // Different lifetimes, so that nineteen watches do not start again in the same moment.
    let lifetime = 40 + u32::try_from(scope.0 as usize % 14).unwrap_or(0);
    let config = watcher::Config::default().page_size(500).timeout(lifetime);
    let mut stream = std::pin::pin!(watcher::watcher(api, config));
    let mut backoff = Backoff::new();
    let mut listing: Option<Vec<Object>> = None;
    let send = |what| {
        let seen = Seen { scope: scope.clone(), round, what };
        let out = &out;
        async move { out.send(seen).await.is_ok() }
    };
    loop {
        let item = tokio::select! {
            biased;
            () = cancel.cancelled() => return,
            item = stream.next() => item,
        };
        let Some(item) = item else { return };
        let going_on = match item {
            // Emitted before the request: no sign of life.
            Ok(watcher::Event::Init) => {
                listing = Some(Vec::new());
                true
            }
            Ok(watcher::Event::InitApply(watched)) => {
                backoff.reset();
                if let (Some(listing), Some(object)) = (&mut listing, watched.object()) {
                    listing.push(object);
                }
                true
            }
            Ok(watcher::Event::InitDone) => {
                backoff.reset();
                send(Sight::Listed(listing.take().unwrap_or_default())).await
            }
            Ok(watcher::Event::Apply(watched)) => {
                backoff.reset();
                match watched.object() {
                    Some(object) => send(Sight::Applied(Box::new(object))).await,
                    None => true,
                }
            }
            Ok(watcher::Event::Delete(watched)) => {
                backoff.reset();
                match watched.id(scope.0) {
                    Some(id) => send(Sight::Deleted(id)).await,
                    None => true,
                }
            }
            Err(error) => {
                let trouble = classify(&error);
                tracing::debug!(kind = %scope.0, ?trouble, "watch");
                // A history that is too old is the normal end of a long silence: list again at once, unless
                // even that fails.
                let gone = matches!(&error, watcher::Error::WatchError(status) if status.code == 410);
                let sent = gone || send(Sight::Trouble(trouble)).await;
                let wait = backoff.next().max(wire.hold().unwrap_or_default());
                let wait = if gone && backoff.next <= BACKOFF.0 * 2 { Duration::ZERO } else { wait };
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = tokio::time::sleep(wait) => {}
                }
                sent
            }
        };
        if !going_on {
            return;
        }
    }
}

fn classify(error: &watcher::Error) -> Trouble {
    let (status, verb) = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status)) => (status, "list"),
        watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => (status, "watch"),
        other => return Trouble::Passing(brief(&other.to_string())),
    };
    match status.code {
        401 => Trouble::Unauthorized,
        403 => Trouble::Forbidden(verb),
        404 => Trouble::NotServed,
        code => Trouble::Passing(brief(&format!("{code} {}", status.message))),
    }
}

/// The first line, not too long: an HTML page of a proxy may come instead of a status.
pub(crate) fn brief(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    match line.char_indices().nth(200) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

/// A Flux object inside kube's watcher: made slim while it is read, so that no page of full objects is ever in
/// memory.
///
/// Reading never fails: one object that makes no sense must not cost the others their list.
#[derive(Clone)]
pub(crate) struct Watched {
    /// Only what kube's watcher needs: name, namespace, resource version.
    meta: ObjectMeta,
    object: Option<Box<Object>>,
}

impl Watched {
    pub(crate) fn object(self) -> Option<Object> {
        self.object.map(|o| *o)
    }

    pub(crate) fn version(&self) -> Option<String> {
        self.meta.resource_version.clone()
    }

    fn id(&self, kind: Kind) -> Option<ObjectId> {
        let name = self.meta.name.as_deref()?;
        Some(ObjectId::flux(kind, self.meta.namespace.as_deref().unwrap_or_default(), name))
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watched({:?})", self.meta.name)
    }
}

impl<'de> Deserialize<'de> for Watched {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let text = |name: &str| value["metadata"][name].as_str().map(str::to_owned);
        let meta = ObjectMeta {
            name: text("name"),
            namespace: text("namespace"),
            resource_version: text("resourceVersion"),
            ..Default::default()
        };
        let object = match Object::from_json(value) {
            Ok(object) => Some(Box::new(object)),
            Err(e) => {
                tracing::warn!(name = ?meta.name, "an object is left out: {e}");
                None
            }
        };
        Ok(Self { meta, object })
    }
}

impl kube::Resource for Watched {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(dt: &ApiResource) -> Cow<'_, str> {
        dt.kind.as_str().into()
    }

    fn group(dt: &ApiResource) -> Cow<'_, str> {
        dt.group.as_str().into()
    }

    fn version(dt: &ApiResource) -> Cow<'_, str> {
        dt.version.as_str().into()
    }

    fn api_version(dt: &ApiResource) -> Cow<'_, str> {
        dt.api_version.as_str().into()
    }

    fn plural(dt: &ApiResource) -> Cow<'_, str> {
        dt.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}
