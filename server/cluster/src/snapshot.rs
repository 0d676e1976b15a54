//! Recording what a cluster says of its Flux objects.

use std::collections::BTreeMap;

use flux::Kind;
use kube::core::{ApiResource, DynamicObject};
use serde_json::{Value, json};

use crate::access::{Access, AccessError};
use crate::discovery;

/// A recording: a plain Kubernetes `List`, and how complete it is.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The list as JSON, ending in a newline. Sorted, so that two recordings of one state are the same text but
    /// for what changed.
    pub json: String,
    /// How many objects of each served kind are in it, or why none could be listed.
    pub counts: BTreeMap<Kind, Result<usize, AccessError>>,
}

impl Access {
    /// Lists all Flux objects. Kinds that may not be listed are left out and told; what is not Flux's is not
    /// even asked for, Secrets least of all.
    pub async fn snapshot(&self) -> Result<Snapshot, AccessError> {
        let mut counts = BTreeMap::new();
        let mut items = Vec::new();
        for (kind, version) in self.0.served.iter() {
            let resource = discovery::resource(kind, version);
            match self.list(&resource).await {
                Ok(found) => {
                    counts.insert(kind, Ok(found.len()));
                    items.extend(found);
                }
                Err(e @ (AccessError::SignIn | AccessError::Unreachable(_))) => return Err(e),
                Err(e) => {
                    counts.insert(kind, Err(e));
                }
            }
        }
        items.sort_by_cached_key(|item| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let metadata = &item["metadata"];
            [&item["apiVersion"], &item["kind"], &metadata["namespace"], &metadata["name"]].map(text)
        });
        let list = json!({ "apiVersion": "v1", "kind": "List", "metadata": { "resourceVersion": "" }, "items": items });
        // Writing a `Value` cannot fail: its keys are strings.
        let json = serde_json::to_string_pretty(&list).unwrap_or_default() + "\n";
        Ok(Snapshot { json, counts })
    }

    /// All objects of a resource; if listing everywhere is not allowed, those of the namespaces that it is
    /// allowed in.
    async fn list(&self, resource: &ApiResource) -> Result<Vec<Value>, AccessError> {
        let forbidden = match self.list_in(resource, None).await {
            Err(e @ AccessError::Forbidden { .. }) => e,
            answer => return answer,
        };
        let mut found = Vec::new();
        let mut listed = false;
        for namespace in crate::session::likely_namespaces(self.0.namespace.as_deref(), &self.0.hints) {
            match self.list_in(resource, Some(&namespace)).await {
                Ok(items) => {
                    listed = true;
                    found.extend(items);
                }
                Err(AccessError::Forbidden { .. }) => {}
                Err(e) => return Err(e),
            }
        }
        if listed { Ok(found) } else { Err(forbidden) }
    }

    async fn list_in(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
    ) -> Result<Vec<Value>, AccessError> {
        let path = <DynamicObject as kube::Resource>::url_path(resource, namespace);
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let next = token.map(|t| format!("&continue={}", escape(&t))).unwrap_or_default();
            let url = format!("{path}?limit=500{next}");
            let mut page = discovery::get(&self.0.client, &url, "application/json")
                .await
                .map_err(|e| AccessError::of(&e, "list", resource, namespace.unwrap_or_default(), None))?;
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                found.extend(items.into_iter().map(|item| plain(item, resource)));
            }
            token = page["metadata"]["continue"].as_str().filter(|t| !t.is_empty()).map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
    }
}

/// An item as `kubectl get -o json` shows it, without the book-keeping of field managers.
fn plain(mut item: Value, resource: &ApiResource) -> Value {
    if let Some(object) = item.as_object_mut() {
        object.entry("apiVersion").or_insert_with(|| resource.api_version.clone().into());
        object.entry("kind").or_insert_with(|| resource.kind.clone().into());
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
    }
    item
}

/// Percent-encodes a query value: continue tokens are base64, but nobody promises which.
fn escape(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}
