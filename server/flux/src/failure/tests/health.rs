//! Health and pruning: C.5.

use expect_test::expect;

use super::{Example, check};
use crate::Kind;

#[rustfmt::skip]
pub(super) fn examples() -> Vec<Example> {
    vec![
        ("W1", Kind::Kustomization, "health check failed after 5m0.004s: timeout waiting for: [Deployment/apps/web status: 'InProgress', StatefulSet/db/pg status: 'InProgress', Job/apps/done status: 'Current']", expect![[r#"
            W1 Deployment/apps/web: the object
              Deployment/apps/web did not become ready in time
              own: spec.healthChecks[Deployment/apps/web].name
            W1 StatefulSet/db/pg: the object
              StatefulSet/db/pg did not become ready in time
              own: spec.healthChecks[StatefulSet/db/pg].name
        "#]]),
        ("W1", Kind::Kustomization, "health check failed after 30.068366732s: timeout waiting for: [HelmRelease/shop/fraud-scoring status: 'InProgress', OCIRepository/shop/fraud-scoring status: 'InProgress']", expect![[r#"
            W1 HelmRelease/shop/fraud-scoring: the object
              HelmRelease/shop/fraud-scoring did not become ready in time
              not ready HelmRelease/shop/fraud-scoring
              own: spec.healthChecks[HelmRelease/shop/fraud-scoring].name
            W1 OCIRepository/shop/fraud-scoring: the object
              OCIRepository/shop/fraud-scoring did not become ready in time
              not ready OCIRepository/shop/fraud-scoring
              own: spec.healthChecks[OCIRepository/shop/fraud-scoring].name
        "#]]),
        ("W2", Kind::Kustomization, "health check failed after 25.53149414s: failed early due to stalled resources: [HelmRelease/shop/recommender status: 'Failed']", expect![[r#"
            W2 HelmRelease/shop/recommender: the object
              HelmRelease/shop/recommender failed
              not ready HelmRelease/shop/recommender
              own: spec.healthChecks[HelmRelease/shop/recommender].name
        "#]]),
        ("W3", Kind::Kustomization, "health check failed after 30s: timeout waiting for: [can't determine status for Certificate/apps/tls]", expect![[r#"
            W3 Certificate/apps/tls: the object
              Certificate/apps/tls: its status cannot be determined; is it, or its CRD, missing?
              own: spec.healthChecks[Certificate/apps/tls].name
        "#]]),
        ("W4", Kind::Kustomization, "health check failed after 10s: timeout waiting for: [ConfigMap/apps/x status: 'Unknown': failed to evaluate the CEL expression 'has(data.foo.bar)': no such attribute(s): data.foo.bar, Deployment/apps/web status: 'InProgress']", expect![[r#"
            W4 ConfigMap/apps/x: the Flux object
              ConfigMap/apps/x: failed to evaluate the CEL expression 'has(data.foo.bar)': no such attribute(s): data.foo.bar
              own: spec.healthCheckExprs[has(data.foo.bar)]
            W1 Deployment/apps/web: the object
              Deployment/apps/web did not become ready in time
              own: spec.healthChecks[Deployment/apps/web].name
        "#]]),
        ("W5", Kind::Kustomization, "health check failed after 10s: timeout waiting for: [Deployment/apps/gone status: 'NotFound']", expect![[r#"
            W5 Deployment/apps/gone: the object
              Deployment/apps/gone does not exist
              own: spec.healthChecks[Deployment/apps/gone].name
        "#]]),
        ("W6", Kind::Kustomization, "New reconciliation triggered by GitRepository/flux-system/fleet", expect![[r#"
            W6: the Flux object
              New reconciliation triggered by GitRepository/flux-system/fleet
        "#]]),
        ("P1", Kind::Kustomization, r#"delete failed, errors: PersistentVolumeClaim/db/data delete failed: persistentvolumeclaims "data" is forbidden: User "x" cannot delete; really;Service/db/pg query failed: timeout;"#, expect![[r#"
            P1 PersistentVolumeClaim/db/data: the Flux object
              PersistentVolumeClaim/db/data delete failed: persistentvolumeclaims "data" is forbidden: User "x" cannot delete; really
              own: spec.prune
            P1 Service/db/pg: the Flux object
              Service/db/pg query failed: timeout
              own: spec.prune
        "#]]),
        ("P2", Kind::Kustomization, "unable to prune objects: \nConfigMap/apps/a delete failed", expect![[r#"
            P2: the Flux object
              unable to prune objects: ConfigMap/apps/a delete failed
              own: spec.prune
        "#]]),
        ("P3", Kind::Kustomization, "Namespace/apps termination timeout: context deadline exceeded", expect![[r#"
            P3 Namespace/apps: the Flux object
              termination timeout: context deadline exceeded
              own: spec.prune
        "#]]),
        ("W3", Kind::Kustomization, r#"health check failed after 30.027518522s: timeout waiting for: [Certificate/w3-kind/tls status: 'Unknown': no matches for kind "Certificate" in group "cert-manager.io"]"#, expect![[r#"
            W3 Certificate/w3-kind/tls: the object
              Certificate/w3-kind/tls: no matches for kind "Certificate" in group "cert-manager.io"
              no kind Certificate of cert-manager.io
              own: spec.healthChecks[Certificate/w3-kind/tls].name
        "#]]),
        ("W4", Kind::Kustomization, r#"health check failed after 30.026012618s: timeout waiting for: [ConfigMap/w4-expr/settings status: 'Unknown': failed to evaluate the CEL expression 'data.checked.flag == "yes"': no such key: checked]"#, expect![[r#"
            W4 ConfigMap/w4-expr/settings: the Flux object
              ConfigMap/w4-expr/settings: failed to evaluate the CEL expression 'data.checked.flag == "yes"': no such key: checked
              own: spec.healthCheckExprs[data.checked.flag == "yes"]
        "#]]),
    ]
}

#[test]
fn messages() {
    check(examples());
}
