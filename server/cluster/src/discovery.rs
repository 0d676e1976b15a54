//! Which kinds of Flux a cluster serves, and in which versions.

use std::collections::BTreeMap;
use std::sync::Arc;

use flux::Kind;
use kube::Client;
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;

/// The kinds that are served, each with the version to ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Served(BTreeMap<Kind, Arc<str>>);

/// One request since Kubernetes 1.27; an older API server answers it with the plain list of groups.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

impl Served {
    pub(crate) fn version(&self, kind: Kind) -> Option<&Arc<str>> {
        self.0.get(&kind)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Kind, &Arc<str>)> {
        self.0.iter().map(|(kind, version)| (*kind, version))
    }

    pub(crate) fn resource(&self, kind: Kind) -> Option<ApiResource> {
        self.version(kind).map(|version| resource(kind, version))
    }

    /// Asks the cluster.
    pub(crate) async fn discover(client: &Client) -> Result<Self, kube::Error> {
        let answer = get(client, "/apis", AGGREGATED).await?;
        let mut found = Found::default();
        if answer["kind"] == "APIGroupDiscoveryList" {
            found.aggregated(&answer);
            return Ok(found.served());
        }
        // Flux's groups, and in each the versions that the server names, the preferred one first.
        for group in list(&answer["groups"]) {
            let name = group["name"].as_str().unwrap_or_default();
            if !Kind::ALL.iter().any(|k| k.group() == name) {
                continue;
            }
            for version in list(&group["versions"]) {
                let Some(version) = version["version"].as_str() else { continue };
                match get(client, &format!("/apis/{name}/{version}"), "application/json").await {
                    Ok(resources) => found.resources(name, version, &resources["resources"], "name"),
                    // A group whose API is being removed or added; the others still count.
                    Err(kube::Error::Api(status)) if matches!(status.code, 404 | 500..) => {}
                    Err(e) => return Err(e),
                }
            }
        }
        Ok(found.served())
    }
}

/// kube's description of a kind in a version.
pub(crate) fn resource(kind: Kind, version: &str) -> ApiResource {
    let gvk = GroupVersionKind::gvk(kind.group(), version, kind.as_str());
    ApiResource::from_gvk_with_plural(&gvk, kind.plural())
}

#[derive(Default)]
struct Found(BTreeMap<Kind, Vec<String>>);

impl Found {
    fn aggregated(&mut self, answer: &Value) {
        for group in list(&answer["items"]) {
            let name = group["metadata"]["name"].as_str().unwrap_or_default();
            for version in list(&group["versions"]) {
                let Some(v) = version["version"].as_str() else { continue };
                self.resources(name, v, &version["resources"], "resource");
            }
        }
    }

    /// `key`: under which name a resource has its plural. Subresources (`kustomizations/status`) do not count.
    fn resources(&mut self, group: &str, version: &str, resources: &Value, key: &str) {
        for resource in list(resources) {
            let plural = resource[key].as_str().unwrap_or_default();
            let kind = Kind::from_plural(plural).filter(|kind| kind.group() == group);
            if let Some(kind) = kind {
                self.0.entry(kind).or_default().push(version.to_owned());
            }
        }
    }

    /// Per kind the newest version that we know; if there is none, a newer Flux is there than we are, and the
    /// server's first choice is read as well as it goes.
    fn served(self) -> Served {
        let choose = |(kind, versions): (Kind, Vec<String>)| {
            let known = kind.versions().iter().find(|v| versions.iter().any(|served| served == *v));
            let version =
                known.map(|v| Arc::from(*v)).or_else(|| versions.first().map(|v| v.as_str().into()))?;
            Some((kind, version))
        };
        Served(self.0.into_iter().filter_map(choose).collect())
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

pub(crate) async fn get(client: &Client, path: &str, accept: &str) -> Result<Value, kube::Error> {
    let request = http::Request::get(path).header(http::header::ACCEPT, accept).body(Vec::new());
    let text = client.request_text(request.map_err(kube::Error::HttpError)?).await?;
    // Not `Client::request`, which logs the whole text when it cannot be read.
    serde_json::from_str(&text).map_err(kube::Error::SerdeError)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(group: &str, versions: &[(&str, &[&str])]) -> Served {
        let mut found = Found::default();
        for (version, plurals) in versions {
            let resources: Vec<Value> = plurals.iter().map(|p| serde_json::json!({ "name": p })).collect();
            found.resources(group, version, &Value::Array(resources), "name");
        }
        found.served()
    }

    #[test]
    fn the_newest_known_version_is_chosen() {
        let served = found(
            "helm.toolkit.fluxcd.io",
            &[
                ("v2beta1", &["helmreleases"]),
                ("v2", &["helmreleases", "helmreleases/status"]),
                ("v3", &["helmreleases"]),
            ],
        );
        assert_eq!(served.version(Kind::HelmRelease).map(|v| &**v), Some("v2"));
        assert_eq!(served.iter().count(), 1);
    }

    #[test]
    fn an_unknown_version_is_better_than_none() {
        let served = found("kustomize.toolkit.fluxcd.io", &[("v7", &["kustomizations"])]);
        assert_eq!(served.version(Kind::Kustomization).map(|v| &**v), Some("v7"));
    }

    #[test]
    fn plurals_of_other_groups_do_not_count() {
        assert!(found("kustomize.config.k8s.io", &[("v1", &["kustomizations"])]).is_empty());
    }
}
