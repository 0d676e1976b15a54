//! One object read on demand, whatever its kind: for what stands in an open file. Never a Secret.
//!
//! Each answer costs one request. Besides, the kinds of an API version are asked for once a connection, and what is forbidden
//! is not asked again for some minutes: a file with thirty Deployments has one refusal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flux::{Live, ObjectId};
use jiff::Timestamp;
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use crate::access::{Access, AccessError, innermost, role_resource};
use crate::discovery;
use crate::watch::Backoff;

/// Objects that are read at the same time over one connection.
const AT_ONCE: usize = 4;
/// How often one is asked for while the API server is too busy to answer.
const ATTEMPTS: u32 = 4;
/// How long a refusal is believed.
const REFUSED_FOR: Duration = Duration::from_secs(300);

/// An object to be read, in the version that a text is written in. Of a version that is not served the preferred one is
/// read: the answer says which it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// The object.
    pub id: ObjectId,
    /// The API version without the group: `v1`.
    pub version: Arc<str>,
}

/// What reading an object came to.
#[derive(Clone, Debug)]
pub struct Read {
    /// What was asked for.
    pub wanted: Wanted,
    /// When it was answered.
    pub at: Timestamp,
    /// The object, or why there is none.
    pub answer: Result<Arc<Live>, AccessError>,
}

/// Verb, resource as roles name it, and namespace.
type Refused = (String, String);

/// What is known of one connection.
#[derive(Debug)]
pub(crate) struct Objects {
    permits: Semaphore,
    /// Kinds are looked up one after the other, so that each API version is asked for once.
    looking: tokio::sync::Mutex<()>,
    /// Group, version and kind → how it is served.
    resources: Mutex<HashMap<(String, String, String), ApiResource>>,
    refused: Mutex<HashMap<Refused, Instant>>,
}

impl Default for Objects {
    fn default() -> Self {
        Self {
            permits: Semaphore::new(AT_ONCE),
            looking: tokio::sync::Mutex::default(),
            resources: Mutex::default(),
            refused: Mutex::default(),
        }
    }
}

impl Objects {
    fn resources(&self) -> MutexGuard<'_, HashMap<(String, String, String), ApiResource>> {
        self.resources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self) -> MutexGuard<'_, HashMap<Refused, Instant>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, group: &str, version: &str, kind: &str) -> Option<ApiResource> {
        self.resources().get(&(group.to_owned(), version.to_owned(), kind.to_owned())).cloned()
    }
}

/// Refuses what is never read, before anything is asked.
fn no_secret(group: &str, kind: &str, plural: &str) -> Result<(), AccessError> {
    let is_secret = group.is_empty() && (kind.eq_ignore_ascii_case("secret") || plural == "secrets");
    if is_secret { Err(AccessError::Secret) } else { Ok(()) }
}

/// Whether a name is one part of a path.
fn is_segment(name: &str) -> bool {
    !matches!(name, "." | "..") && !name.contains(['/', '\\', '%', '?', '#'])
}

impl Access {
    /// Reads an object as it is now. A busy API server is waited for; what is forbidden is not asked for again at once.
    pub async fn read(&self, wanted: Wanted) -> Read {
        let answer = self.read_now(&wanted).await;
        Read { at: self.0.clock.now(), wanted, answer }
    }

    async fn read_now(&self, wanted: &Wanted) -> Result<Arc<Live>, AccessError> {
        let id = &wanted.id;
        no_secret(&id.group, &id.kind, "")?;
        // Fails only when the semaphore is closed, which nobody does.
        let _permit = self.0.objects.permits.acquire().await.ok();
        let resource = self.resource(id, Some(&wanted.version)).await?;
        let value = self.fetch(id, &resource).await?;
        Ok(Arc::new(Live::read(id.clone(), value)))
    }

    /// The whole object as the cluster has it now, `managedFields` included. Never a Secret.
    pub async fn get(&self, id: &ObjectId) -> Result<Value, AccessError> {
        no_secret(&id.group, &id.kind, "")?;
        let resource = self.resource(id, None).await?;
        self.fetch(id, &resource).await
    }

    async fn fetch(&self, id: &ObjectId, resource: &ApiResource) -> Result<Value, AccessError> {
        no_secret(&resource.group, &resource.kind, &resource.plural)?;
        let key = (role_resource(resource), id.namespace.to_string());
        let refused = self.0.objects.refused().get(&key).is_some_and(|at| at.elapsed() < REFUSED_FOR);
        if refused {
            let (resource, namespace) = key;
            return Err(AccessError::Forbidden { verb: "get", resource, namespace });
        }
        // An id may come from what a cluster says of itself: it is a name, and no way to another resource.
        if ![&id.namespace, &id.name].into_iter().all(|it| is_segment(it)) {
            return Err(AccessError::NotFound(id.clone()));
        }
        let namespace = Some(id.namespace.as_ref()).filter(|n| !n.is_empty());
        let list = <kube::core::DynamicObject as kube::Resource>::url_path(resource, namespace);
        let error = match self.ask(&format!("{list}/{}", id.name)).await {
            Ok(value) => return Ok(value),
            Err(error) => AccessError::of(&error, "get", resource, &id.namespace, Some(id)),
        };
        if matches!(error, AccessError::Forbidden { .. }) {
            self.0.objects.refused().insert(key, Instant::now());
        }
        Err(error)
    }

    /// One request, again while the API server is too busy for it.
    async fn ask(&self, path: &str) -> Result<Value, kube::Error> {
        let mut backoff = Backoff::new();
        let mut attempt = 1;
        loop {
            if let Some(hold) = self.0.wire.hold() {
                sleep(hold).await;
            }
            match discovery::get(&self.0.client, path, "application/json").await {
                Err(kube::Error::Api(status))
                    if (status.code == 429 || status.code >= 500) && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                    sleep(backoff.next()).await;
                }
                answer => return answer,
            }
        }
    }

    /// How the cluster serves an object's kind: by discovery for Flux, looked up once for everything else. With a version in
    /// that one, if it is served.
    async fn resource(&self, id: &ObjectId, version: Option<&str>) -> Result<ApiResource, AccessError> {
        let not_served = || AccessError::NotServed { group: id.group.to_string(), kind: id.kind.to_string() };
        if let Some(kind) = id.flux_kind() {
            return self.0.served.resource(kind).ok_or_else(not_served);
        }
        let objects = &self.0.objects;
        let _looking = objects.looking.lock().await;
        let group = &*id.group;
        if let Some(version) = version
            && let Some(known) = self.in_version(group, version, &id.kind).await?
        {
            return Ok(known);
        }
        // The preferred version, then the others. It is kept under no version.
        if let Some(known) = objects.known(group, "", &id.kind) {
            return Ok(known);
        }
        let versions: Vec<String> = if group.is_empty() {
            vec!["v1".into()]
        } else {
            let answer = self.ask(&format!("/apis/{group}")).await;
            let answer = answer.map_err(|error| unserved(&error).unwrap_or_else(not_served))?;
            let preferred = answer["preferredVersion"]["version"].as_str().map(str::to_owned);
            let all = answer["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
            let all = all.iter().filter_map(|v| v["version"].as_str().map(str::to_owned));
            preferred.into_iter().chain(all).collect()
        };
        for version in versions {
            if let Some(found) = self.in_version(group, &version, &id.kind).await? {
                let key = (group.to_owned(), String::new(), id.kind.to_string());
                objects.resources().insert(key, found.clone());
                return Ok(found);
            }
        }
        Err(not_served())
    }

    /// How a kind is served in a version; `None` if it is not. All kinds of the version are noted.
    async fn in_version(
        &self,
        group: &str,
        version: &str,
        kind: &str,
    ) -> Result<Option<ApiResource>, AccessError> {
        let objects = &self.0.objects;
        // A version is a part of a path: nothing else may be.
        let is_word = |it: &str| it.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'-'));
        if !is_word(group) || !is_word(version) || version.is_empty() {
            return Ok(None);
        }
        if let Some(known) = objects.known(group, version, kind) {
            return Ok(Some(known));
        }
        let path =
            if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
        let answer = match self.ask(&path).await {
            Ok(answer) => answer,
            Err(error) => return unserved(&error).map_or(Ok(None), Err),
        };
        let resources = answer["resources"].as_array().map(Vec::as_slice).unwrap_or_default();
        for resource in resources {
            let (Some(kind), Some(name)) = (resource["kind"].as_str(), resource["name"].as_str()) else {
                continue;
            };
            if name.contains('/') || no_secret(group, kind, name).is_err() {
                continue;
            }
            let gvk = GroupVersionKind::gvk(group, version, kind);
            let key = (group.to_owned(), version.to_owned(), kind.to_owned());
            objects.resources().insert(key, ApiResource::from_gvk_with_plural(&gvk, name));
        }
        Ok(objects.known(group, version, kind))
    }
}

/// Why discovery has no answer; `None` if it has: the version is not served.
fn unserved(error: &kube::Error) -> Option<AccessError> {
    match error {
        kube::Error::Api(status) if status.code == 404 => None,
        kube::Error::Api(status) if status.code == 401 => Some(AccessError::SignIn),
        error => Some(AccessError::Unreachable(innermost(error))),
    }
}
