//! An API server inside the test process, at the HTTP edge: no sockets, so that time can stand still.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full, StreamBody};
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tower::{BoxError, Layer as _};

use crate::client::{Connection, Connector, Occasion};
use crate::event::ConnectError;
use crate::wire::{Seen, Wire};

/// An answer in place of the usual one.
#[derive(Clone)]
pub(crate) enum Answer {
    Status(u16),
    Header(u16, &'static str, &'static str),
    Text(&'static str),
    /// It never comes.
    Hang,
    /// The connection fails.
    Refuse,
    /// A watch that ends after these lines.
    Lines(Vec<Value>),
}

#[derive(Default)]
struct State {
    /// Group/version to plurals.
    served: Vec<(String, Vec<String>)>,
    aggregated: bool,
    objects: BTreeMap<String, Value>,
    version: u64,
    /// For `VERB path`: what to answer next.
    next: HashMap<String, VecDeque<Answer>>,
    /// For `VERB path`, or a prefix of it: what to answer always.
    always: Vec<(String, Answer)>,
    watches: Vec<(String, mpsc::UnboundedSender<Bytes>)>,
    log: Vec<(tokio::time::Instant, String)>,
    connects: Vec<(Occasion, bool)>,
    denied: Vec<String>,
}

#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<Mutex<State>>);

const FLUX: &[(&str, &[&str])] = &[
    (
        "source.toolkit.fluxcd.io/v1",
        &["gitrepositories", "ocirepositories", "helmrepositories", "helmcharts"],
    ),
    ("kustomize.toolkit.fluxcd.io/v1", &["kustomizations", "kustomizations/status"]),
    ("helm.toolkit.fluxcd.io/v2", &["helmreleases"]),
];

impl Fake {
    /// A cluster with Flux's most used kinds.
    pub(crate) fn flux() -> Self {
        Self::serving(FLUX)
    }

    pub(crate) fn serving(served: &[(&str, &[&str])]) -> Self {
        let fake = Self::default();
        let own = |(group, plurals): &(&str, &[&str])| {
            ((*group).to_owned(), plurals.iter().map(|p| (*p).to_owned()).collect())
        };
        fake.state().served = served.iter().map(own).collect();
        fake.state().version = 100;
        fake
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn aggregated(self) -> Self {
        self.state().aggregated = true;
        self
    }

    /// Serves these resources from now on; gives those that it served until now.
    pub(crate) fn serve(&self, served: Vec<(String, Vec<String>)>) -> Vec<(String, Vec<String>)> {
        std::mem::replace(&mut self.state().served, served)
    }

    pub(crate) fn serve_also(&self, group: &str, plural: &str) {
        self.state().served.push((group.into(), vec![plural.into()]));
    }

    /// The next request of this kind (`LIST /apis/…`, `WATCH …`, `GET …`, `PATCH …`) is answered so.
    pub(crate) fn next(&self, request: &str, answer: Answer) {
        self.state().next.entry(request.into()).or_default().push_back(answer);
    }

    /// Every request that starts so is answered so.
    pub(crate) fn always(&self, request: &str, answer: Answer) {
        self.state().always.insert(0, (request.into(), answer));
    }

    pub(crate) fn usual_again(&self) {
        self.state().always.clear();
    }

    pub(crate) fn deny_patch(&self, plural: &str) {
        self.state().denied.push(plural.into());
    }

    /// Puts an object at its path, as another client would.
    pub(crate) fn put(&self, path: &str, mut object: Value) {
        let mut state = self.state();
        state.version += 1;
        object["metadata"]["resourceVersion"] = state.version.to_string().into();
        let (list, name) = path.rsplit_once('/').unwrap();
        object["metadata"]["name"] = name.into();
        let event = if state.objects.contains_key(path) { "MODIFIED" } else { "ADDED" };
        state.objects.insert(path.into(), object.clone());
        state.tell(list, &json!({ "type": event, "object": object }));
    }

    pub(crate) fn change(&self, path: &str, change: impl FnOnce(&mut Value)) {
        let mut object = self.object(path);
        change(&mut object);
        self.put(path, object);
    }

    pub(crate) fn object(&self, path: &str) -> Value {
        self.state().objects.get(path).cloned().unwrap_or_default()
    }

    /// Takes an object away. With `silently` no watch hears of it.
    pub(crate) fn delete(&self, path: &str, silently: bool) {
        let mut state = self.state();
        state.version += 1;
        let Some(mut object) = state.objects.remove(path) else { return };
        object["metadata"]["resourceVersion"] = state.version.to_string().into();
        if !silently {
            let list = path.rsplit_once('/').unwrap().0.to_owned();
            state.tell(&list, &json!({ "type": "DELETED", "object": object }));
        }
    }

    /// Sends a line to the watches of a path.
    pub(crate) fn send(&self, list: &str, line: &Value) {
        self.state().tell(list, line);
    }

    pub(crate) fn bookmark(&self, list: &str) {
        let version = self.state().version.to_string();
        let object = json!({ "kind": "X", "apiVersion": "v1", "metadata": { "resourceVersion": version } });
        self.send(list, &json!({ "type": "BOOKMARK", "object": object }));
    }

    /// Cuts all watches.
    pub(crate) fn cut(&self) {
        self.state().watches.clear();
    }

    pub(crate) fn watching(&self, list: &str) -> bool {
        self.state().watches.iter().any(|(path, to)| path == list && !to.is_closed())
    }

    /// The requests that start so, with the time of each.
    pub(crate) fn log(&self, prefix: &str) -> Vec<tokio::time::Instant> {
        let state = self.state();
        state.log.iter().filter(|(_, r)| r.starts_with(prefix)).map(|(at, _)| *at).collect()
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.state().log.iter().map(|(_, r)| r.clone()).collect()
    }

    /// For what, and whether after a refusal, connections were asked.
    pub(crate) fn connects(&self) -> Vec<(Occasion, bool)> {
        self.state().connects.clone()
    }

    pub(crate) fn client(&self, wire: &Wire) -> kube::Client {
        let fake = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let fake = fake.clone();
            async move { fake.answer(request).await }
        });
        kube::Client::new(wire.layer().layer(service), "default")
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response<Seen>, BoxError> {
        let (parts, body) = request.into_parts();
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let path = parts.uri.path().to_owned();
        let watch = query.contains("watch=true");
        let is_list = {
            let state = self.state();
            let plural = path.rsplit('/').next().unwrap_or_default().to_owned();
            state.served.iter().any(|(_, plurals)| plurals.contains(&plural))
        };
        let verb = match parts.method {
            Method::GET if watch => "WATCH",
            Method::GET if is_list => "LIST",
            Method::GET => "GET",
            Method::PATCH => "PATCH",
            Method::POST => "POST",
            _ => "?",
        };
        let body = body.collect().await?.to_bytes();
        let key = format!("{verb} {path}");
        let answer = {
            let mut state = self.state();
            state.log.push((tokio::time::Instant::now(), format!("{key} {query}")));
            let next = state.next.get_mut(&key).and_then(VecDeque::pop_front);
            next.or_else(|| state.always.iter().find(|(k, _)| key.starts_with(k)).map(|(_, a)| a.clone()))
        };
        match answer {
            None => self.usual(verb, &path, &query, &body),
            Some(Answer::Status(code)) => Ok(status(code)),
            Some(Answer::Header(code, name, value)) => {
                let mut response = status(code);
                response.headers_mut().insert(name, value.parse()?);
                Ok(response)
            }
            Some(Answer::Text(text)) => Ok(full(200, text)),
            Some(Answer::Hang) => {
                futures::future::pending::<()>().await;
                Ok(status(500))
            }
            Some(Answer::Refuse) => Err(std::io::Error::other("connection refused").into()),
            Some(Answer::Lines(lines)) => {
                let text: String = lines.iter().map(|l| format!("{l}\n")).collect();
                Ok(full(200, text))
            }
        }
    }

    fn usual(&self, verb: &str, path: &str, query: &str, body: &[u8]) -> Result<Response<Seen>, BoxError> {
        let mut state = self.state();
        let version = state.version.to_string();
        let answer = match (verb, path) {
            (_, "/version") => json!({ "gitVersion": "v1.36.3" }),
            (_, "/apis") => state.groups(),
            ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") => {
                let mut review: Value = serde_json::from_slice(body)?;
                let resource = review["spec"]["resourceAttributes"]["resource"].as_str().unwrap_or_default();
                review["status"] = json!({ "allowed": !state.denied.iter().any(|d| d == resource) });
                review["metadata"] = json!({});
                review
            }
            ("WATCH", _) => {
                let (to, from) = mpsc::unbounded_channel();
                state.watches.push((path.to_owned(), to.clone()));
                // What happened since the version that the watch starts from.
                let since = query.split('&').find_map(|p| p.strip_prefix("resourceVersion="));
                let since: u64 = since.and_then(|v| v.parse().ok()).unwrap_or(0);
                for object in state.of(path) {
                    let at = object["metadata"]["resourceVersion"].as_str().and_then(|v| v.parse().ok());
                    if at.unwrap_or(0) > since {
                        let _ = to.send(line(&json!({ "type": "MODIFIED", "object": object })));
                    }
                }
                let stream = futures::stream::unfold(from, |mut from| async {
                    let bytes = from.recv().await?;
                    Some((Ok::<_, BoxError>(http_body::Frame::data(bytes)), from))
                });
                return Ok(Response::new(StreamBody::new(stream.boxed()).boxed_unsync()));
            }
            ("LIST", _) => {
                json!({ "kind": "List", "apiVersion": "v1", "metadata": { "resourceVersion": version }, "items": state.of(path) })
            }
            ("GET", _) if state.objects.contains_key(path) => state.objects[path].clone(),
            ("PATCH", _) if state.objects.contains_key(path) => {
                let mut object = state.objects[path].clone();
                merge(&mut object, &serde_json::from_slice(body)?);
                drop(state);
                self.put(path, object);
                self.object(path)
            }
            _ => match state.resources(path) {
                Some(resources) => resources,
                None => return Ok(status(404)),
            },
        };
        Ok(full(200, answer.to_string()))
    }
}

impl State {
    fn tell(&mut self, list: &str, event: &Value) {
        // A watch of all namespaces hears of each.
        let everywhere = everywhere(list);
        for (path, to) in &self.watches {
            if *path == list || *path == everywhere {
                let _ = to.send(line(event));
            }
        }
    }

    fn of(&self, list: &str) -> Vec<Value> {
        let belongs = |path: &str| {
            let of = path.rsplit_once('/').map(|(list, _)| list).unwrap_or_default();
            of == list || everywhere(of) == list
        };
        self.objects.iter().filter(|(path, _)| belongs(path)).map(|(_, o)| o.clone()).collect()
    }

    fn groups(&self) -> Value {
        let mut groups: BTreeMap<&str, Vec<(&str, &Vec<String>)>> = BTreeMap::new();
        for (group_version, plurals) in &self.served {
            // The core group is in no list of groups.
            let Some((group, version)) = group_version.split_once('/') else { continue };
            groups.entry(group).or_default().push((version, plurals));
        }
        if self.aggregated {
            let resources =
                |plurals: &Vec<String>| plurals.iter().map(|p| json!({ "resource": p })).collect::<Vec<_>>();
            let versions = |v: &[(&str, &Vec<String>)]| {
                v.iter().map(|(v, p)| json!({ "version": v, "resources": resources(p) })).collect::<Vec<_>>()
            };
            let items: Vec<_> = groups
                .iter()
                .map(|(g, v)| json!({ "metadata": { "name": g }, "versions": versions(v) }))
                .collect();
            return json!({ "kind": "APIGroupDiscoveryList", "items": items });
        }
        let versions =
            |v: &[(&str, &Vec<String>)]| v.iter().map(|(v, _)| json!({ "version": v })).collect::<Vec<_>>();
        let groups: Vec<_> =
            groups.iter().map(|(g, v)| json!({ "name": g, "versions": versions(v) })).collect();
        json!({ "kind": "APIGroupList", "groups": groups })
    }

    fn resources(&self, path: &str) -> Option<Value> {
        let group_version = path.strip_prefix("/apis/").or_else(|| path.strip_prefix("/api/"))?;
        let plurals: Vec<_> =
            self.served.iter().filter(|(g, _)| g == group_version).flat_map(|(_, p)| p).collect();
        (!plurals.is_empty()).then(|| {
            // `deployments Deployment` is a plural with its kind.
            let resource = |it: &&String| match it.split_once(' ') {
                Some((plural, kind)) => json!({ "name": plural, "kind": kind }),
                None => json!({ "name": it }),
            };
            let resources: Vec<_> = plurals.iter().map(resource).collect();
            json!({ "kind": "APIResourceList", "resources": resources })
        })
    }
}

/// `/apis/g/v/namespaces/ns/plural` without the namespace.
fn everywhere(list: &str) -> String {
    match list.split_once("/namespaces/") {
        Some((before, after)) => {
            format!("{before}/{}", after.split_once('/').map_or("", |(_, plural)| plural))
        }
        None => list.to_owned(),
    }
}

fn line(value: &Value) -> Bytes {
    Bytes::from(format!("{value}\n"))
}

fn full(code: u16, text: impl Into<Bytes>) -> Response<Seen> {
    let body = Full::new(text.into()).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap();
    response
}

fn status(code: u16) -> Response<Seen> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": format!("made up {code}"), "reason": "MadeUp", "code": code,
    });
    full(code, status.to_string())
}

fn merge(into: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (key, value) in patch {
        match value {
            Value::Null => {
                into.as_object_mut().unwrap().remove(key);
            }
            value => merge(&mut into[key], value),
        }
    }
}

impl Connector for Fake {
    fn connect<'a>(
        &'a self,
        occasion: Occasion,
        rejected: bool,
        wire: &'a Wire,
        _: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Connection, ConnectError>> {
        self.state().connects.push((occasion, rejected));
        Box::pin(async move {
            Ok(Connection {
                client: self.client(wire),
                expires: None,
                namespace: Some("own".into()),
                server: "https://fake".into(),
                impersonates: None,
            })
        })
    }

    fn login_command(&self) -> Option<String> {
        None
    }

    fn may_renew(&self, _: Option<std::time::Instant>) -> bool {
        false
    }
}
