//! What the user may do: asked of the cluster, so that nothing is offered that would be refused.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flux::Kind;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::{Api, Client};
use tokio::time::Instant;

use crate::event::Rights;

/// How long an answer is believed.
const VALID: Duration = Duration::from_secs(300);

/// Whether it is allowed, and when that was said.
type Answers = BTreeMap<(Kind, Arc<str>), (bool, Instant)>;

/// The answers of one connection.
#[derive(Debug, Default)]
pub(crate) struct RightsCache(Mutex<Answers>);

impl RightsCache {
    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known and still believed.
    pub(crate) fn known(&self) -> Rights {
        let answers = self.answers();
        let fresh = answers.iter().filter(|(_, (_, at))| at.elapsed() < VALID);
        Rights { patch: fresh.map(|(key, (allowed, _))| (key.clone(), *allowed)).collect() }
    }

    /// Whether this has to be asked.
    pub(crate) fn lacks(&self, key: &(Kind, Arc<str>)) -> bool {
        self.answers().get(key).is_none_or(|(_, at)| at.elapsed() >= VALID)
    }

    /// May objects of this kind in this namespace be patched? `None` if the cluster does not say.
    pub(crate) async fn ask(&self, client: &Client, kind: Kind, namespace: &str) -> Option<bool> {
        let key = (kind, Arc::from(namespace));
        if !self.lacks(&key) {
            return self.answers().get(&key).map(|(allowed, _)| *allowed);
        }
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(ResourceAttributes {
                    group: Some(kind.group().into()),
                    resource: Some(kind.plural().into()),
                    namespace: Some(namespace.into()),
                    verb: Some("patch".into()),
                    ..Default::default()
                }),
                ..Default::default()
            },
            ..Default::default()
        };
        let api = Api::<SelfSubjectAccessReview>::all(client.clone());
        match api.create(&Default::default(), &review).await {
            Ok(answer) => {
                let allowed = answer.status.is_some_and(|s| s.allowed);
                self.answers().insert(key, (allowed, Instant::now()));
                Some(allowed)
            }
            Err(e) => {
                tracing::debug!(%kind, namespace, "cannot ask for rights: {e}");
                None
            }
        }
    }
}
