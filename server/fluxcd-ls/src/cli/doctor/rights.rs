//! What can be read of a cluster's Flux beside its objects.

use cluster::{Access, AccessError};
use flux::ObjectId;

use super::page::Page;

/// Flux's installation writes its version on what it installs. Both may be forbidden to those who may read all Flux
/// objects.
pub(super) async fn version(page: &mut Page, access: &Access) {
    let definition = ObjectId::new(
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "",
        "kustomizations.kustomize.toolkit.fluxcd.io",
    );
    let mut said = Vec::new();
    let mut refused = Vec::new();
    let mut note = |what: &str, answer: Result<serde_json::Value, AccessError>| match answer {
        Ok(object) => {
            let label = object.pointer("/metadata/labels/app.kubernetes.io~1version");
            if let Some(version) = label.and_then(|it| it.as_str()).filter(|it| it.len() <= 63) {
                said.push(format!("{version} ({what})"));
            }
        }
        Err(AccessError::NotFound(_) | AccessError::NotServed { .. }) => {}
        Err(error) => refused.push(error.to_string()),
    };
    note("by its definitions", access.get(&definition).await);
    for controller in ["source-controller", "kustomize-controller", "helm-controller"] {
        let deployment = ObjectId::new("apps", "Deployment", "flux-system", controller);
        note(controller, access.get(&deployment).await);
    }
    refused.dedup();
    match (said.as_slice(), refused.as_slice()) {
        ([], []) => page.note("the version of Flux is written nowhere that its installation writes it"),
        ([], refused) => page.note(format!("the version of Flux cannot be read: {}", refused.join("; "))),
        (said, _) => page.well(format!("Flux {}", said.join(", "))),
    }
}
