//! What goes over the wire, seen from below kube: when the cluster was last heard of, which watches stand, and
//! when it asked us to wait.
//!
//! kube's watcher hides bookmarks, the end of a watch, and `Retry-After`. A layer around each request sees them
//! all. It also gives an end to waiting for an answer's first byte, which kube has none for, and slows down
//! watches that end as soon as they begin, which kube would start again at once, for ever.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use jiff::Timestamp;
use kube::client::Body;
use tokio::sync::Notify;
use tokio::time::Instant;
use tower::{BoxError, Layer, Service};

/// How long the head of an answer may take. A list of 500 large objects from a busy API server takes seconds.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Longer than this we do not wait, whatever a `Retry-After` says.
const LONGEST_HOLD: Duration = Duration::from_secs(120);
/// A watch that lived shorter than this was cut.
const SHORT_LIFE: Duration = Duration::from_secs(5);

/// Reads the wall clock. Tests read their own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that reads what this function says.
    pub fn new(read: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// The time by this clock.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(Timestamp::now)
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// One connection's wire. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Wire(Arc<Inner>);

struct Inner {
    clock: Clock,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    last: Option<Timestamp>,
    hold_until: Option<Instant>,
    /// A request could not be delivered, and nobody has looked into that yet.
    failed: bool,
    watches: HashMap<String, Watch>,
}

/// A watch by its path.
#[derive(Clone, Copy)]
struct Watch {
    /// Its answer began and has not ended.
    standing: bool,
    started: Instant,
    /// Times in a row that it was cut soon after its start.
    cut: u32,
    /// When it last stood.
    stood: Option<Timestamp>,
}

impl Wire {
    pub(crate) fn new(clock: Clock) -> Self {
        Self(Arc::new(Inner { clock, state: Mutex::default(), changed: Notify::new() }))
    }

    /// A new connection's wire to a cluster that was last heard of at `last`.
    pub(crate) fn after(clock: Clock, last: Option<Timestamp>) -> Self {
        let wire = Self::new(clock);
        wire.state().last = last;
        wire
    }

    /// When the last byte of a good answer came.
    pub(crate) fn last(&self) -> Option<Timestamp> {
        self.state().last
    }

    /// How long the server asked us to wait, as of now.
    pub(crate) fn hold(&self) -> Option<Duration> {
        let until = self.state().hold_until?;
        let left = until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// When the watch at `path` last stood, if it does not stand now; `None` if it stands.
    pub(crate) fn down_since(&self, path: &str) -> Option<Option<Timestamp>> {
        match self.state().watches.get(path) {
            Some(watch) if watch.standing => None,
            Some(watch) => Some(watch.stood),
            None => Some(None),
        }
    }

    /// Whether a request could not be delivered since this was last asked.
    pub(crate) fn take_failed(&self) -> bool {
        std::mem::take(&mut self.state().failed)
    }

    /// Resolves when a watch began to stand or was cut, or a request could not be delivered.
    pub(crate) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    pub(crate) fn layer<S>(&self) -> impl Layer<S, Service = Instrumented<S>> + use<S> {
        let wire = self.clone();
        tower::layer::layer_fn(move |inner| Instrumented { inner, wire: wire.clone() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing here can be left half-done by a panic.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn heard(&self) {
        let now = self.0.clock.now();
        self.state().last = Some(now);
    }

    fn failed(&self) {
        self.state().failed = true;
        self.0.changed.notify_one();
    }

    fn held(&self, response: &http::response::Parts) {
        if !matches!(response.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            return;
        }
        let after = response.headers.get(http::header::RETRY_AFTER);
        let seconds = after.and_then(|v| v.to_str().ok()).and_then(|v| v.trim().parse::<u64>().ok());
        if let Some(seconds) = seconds {
            let until = Instant::now() + Duration::from_secs(seconds).min(LONGEST_HOLD);
            let mut state = self.state();
            state.hold_until = Some(state.hold_until.map_or(until, |u| u.max(until)));
        }
    }

    /// How long to wait before a watch at `path` may be started once more.
    fn starting(&self, path: &str) -> Duration {
        let mut state = self.state();
        let now = Instant::now();
        let watch = state.watches.entry(path.to_owned()).or_insert(Watch {
            standing: false,
            started: now,
            cut: 0,
            stood: None,
        });
        match watch.cut {
            0 => Duration::ZERO,
            n => Duration::from_millis(500 << n.min(4)).min(Duration::from_secs(8)),
        }
    }

    fn standing(&self, path: &str) -> Standing {
        let now = self.0.clock.now();
        if let Some(watch) = self.state().watches.get_mut(path) {
            watch.standing = true;
            watch.started = Instant::now();
            watch.stood = Some(now);
        }
        self.0.changed.notify_one();
        Standing { wire: self.clone(), path: path.to_owned() }
    }
}

/// Lives as long as the body of a watch's answer.
struct Standing {
    wire: Wire,
    path: String,
}

impl Drop for Standing {
    fn drop(&mut self) {
        let now = self.wire.0.clock.now();
        if let Some(watch) = self.wire.state().watches.get_mut(&self.path) {
            watch.standing = false;
            watch.stood = Some(now);
            watch.cut = if watch.started.elapsed() < SHORT_LIFE { watch.cut + 1 } else { 0 };
        }
        self.wire.0.changed.notify_one();
    }
}

/// The answer did not begin in time.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {} s", ANSWER_WITHIN.as_secs())]
pub(crate) struct NoAnswer;

/// The body of an answer that is seen.
pub(crate) type Seen = UnsyncBoxBody<bytes::Bytes, BoxError>;

/// A service whose answers are seen by a [`Wire`].
#[derive(Clone)]
pub(crate) struct Instrumented<S> {
    inner: S,
    wire: Wire,
}

impl<S, B> Service<Request<Body>> for Instrumented<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = bytes::Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Seen>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let watch = request.uri().query().is_some_and(|q| q.split('&').any(|p| p == "watch=true"));
        let path = request.uri().path().to_owned();
        let answer = self.inner.call(request);
        let wire = self.wire.clone();
        Box::pin(async move {
            if watch {
                // Nothing is sent before the answer's future is polled.
                let wait = wire.starting(&path);
                if !wait.is_zero() {
                    tokio::time::sleep(wait).await;
                }
            }
            let response = match tokio::time::timeout(ANSWER_WITHIN, answer).await {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => {
                    wire.failed();
                    return Err(error.into());
                }
                Err(_) => return Err(NoAnswer.into()),
            };
            let (parts, body) = response.into_parts();
            if !parts.status.is_success() {
                wire.held(&parts);
                return Ok(Response::from_parts(parts, body.map_err(Into::into).boxed_unsync()));
            }
            wire.heard();
            let standing = watch.then(|| wire.standing(&path));
            let body = body.map_frame(move |frame| {
                // Moved in here so that it ends with the body.
                let _standing = &standing;
                wire.heard();
                frame
            });
            Ok(Response::from_parts(parts, body.map_err(Into::into).boxed_unsync()))
        })
    }
}
