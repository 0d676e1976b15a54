//! Images, notification, flux-operator: C.8.

use expect_test::expect;

use super::{Example, check};
use crate::Kind;

#[rustfmt::skip]
pub(super) fn examples() -> Vec<Example> {
    vec![
        ("I1", Kind::ImageRepository, "scan failed: GET https://ghcr.io/v2/org/app/tags/list: DENIED: requested access to the resource is denied", expect![[r#"
            I1: the Flux object
              scan failed: GET https://ghcr.io/v2/org/app/tags/list: DENIED: requested access to the resource is denied
              own: spec.secretRef.name or spec.image
        "#]]),
        ("I2", Kind::ImageRepository, "image 'https://ghcr.io/org/app' should not include URL scheme; remove 'https://'", expect![[r#"
            I2: the Flux object
              image 'https://ghcr.io/org/app' should not include URL scheme; remove 'https://'
              own: spec.image
        "#]]),
        ("I3", Kind::ImageRepository, "failed to configure authentication options: no credentials", expect![[r#"
            I3: the Flux object
              failed to configure authentication options: no credentials
              own: spec.secretRef.name or spec.image
        "#]]),
        ("I4", Kind::ImagePolicy, r#"failed to get the referred ImageRepository: referenced ImageRepository does not exist: imagerepositories.image.toolkit.fluxcd.io "web" not found"#, expect![[r#"
            I4: the Flux object
              failed to get the referred ImageRepository: referenced ImageRepository does not exist: imagerepositories.image.toolkit.fluxcd.io "web" not found
              missing ImageRepository/web
              own: spec.imageRepositoryRef.name
        "#]]),
        ("I5", Kind::ImagePolicy, "retrying in 30s error: no tags in database", expect![[r#"
            I5: the Flux object
              retrying in 30s error: no tags in database
              own: spec.imageRepositoryRef.name
        "#]]),
        ("I6", Kind::ImagePolicy, "invalid policy: improper constraint: >>1.0", expect![[r#"
            I6: the Flux object
              invalid policy: improper constraint: >>1.0
              own: spec.policy.semver.range
        "#]]),
        ("I7", Kind::ImagePolicy, "unable to determine latest version from provided list", expect![[r#"
            I7: the Flux object
              unable to determine latest version from provided list
              own: spec.policy.semver.range or spec.policy
        "#]]),
        ("I8", Kind::ImageUpdateAutomation, "failed to update source: failed to push to remote: authorization failed", expect![[r#"
            I8: the Flux object
              failed to update source: failed to push to remote: authorization failed
              own: spec.git.push or spec.sourceRef.name
        "#]]),
        ("I9", Kind::ImageUpdateAutomation, "source kind 'GitRepository' necessitates field .spec.git: invalid source configuration", expect![[r#"
            I9: the Flux object
              source kind 'GitRepository' necessitates field .spec.git: invalid source configuration
              own: spec.git or spec.sourceRef.name
        "#]]),
        ("I10", Kind::ImageUpdateAutomation, "can't access 'GitRepository/infra/fleet', cross-namespace references have been blocked", expect![[r#"
            I10: the Flux object
              can't access 'GitRepository/infra/fleet', cross-namespace references have been blocked
              own: spec.sourceRef.namespace or spec.sourceRef.name
        "#]]),
        ("I11", Kind::ImageUpdateAutomation, "signing key secret 'gpg' does not contain a 'git.asc' key", expect![[r#"
            I11: the Flux object
              signing key secret 'gpg' does not contain a 'git.asc' key
              own: spec.git.commit.signingKey.secretRef.name
        "#]]),
        ("N1", Kind::Receiver, r#"unable to read token from secret 'a/b' error: secrets "b" not found"#, expect![[r#"
            N1: the Flux object
              unable to read token from secret 'a/b' error: secrets "b" not found
              missing Secret/b
              own: spec.secretRef.name
        "#]]),
        ("N2", Kind::Receiver, r#"invalid filter expression for resources[1] (kind="GitRepository", name="x"): bad"#, expect![[r#"
            N2: the Flux object
              invalid filter expression for resources[1] (kind="GitRepository", name="x"): bad
              own: 1] (kind="GitRepository", name="x"): bad
        "#]]),
        ("N3", Kind::Alert, r#"failed to dispatch notification for Kustomization/flux-system/apps: failed to read provider: providers.notification.toolkit.fluxcd.io "slack" not found"#, expect![[r#"
            N3: the Flux object
              failed to dispatch notification for Kustomization/flux-system/apps: failed to read provider: providers.notification.toolkit.fluxcd.io "slack" not found
              missing Provider/slack
              own: spec.providerRef.name
        "#]]),
        ("N3", Kind::Alert, "failed to send notification for Kustomization/flux-system/apps: failed to extract commit hash from '6.5.3' revision", expect![[r#"
            N3: the Flux object
              failed to send notification for Kustomization/flux-system/apps: failed to extract commit hash from '6.5.3' revision
              own: spec.providerRef.name
        "#]]),
        ("O1", Kind::ResourceSet, r#"build failed: failed to build resources[0]: failed to execute template: template: resources:3: function "x" not defined"#, expect![[r#"
            O1: the Flux object
              build failed: failed to build resources[0]: failed to execute template: template: resources:3: function "x" not defined
              own: 0]: failed to execute template: template: resources:3: function "x" not defined
        "#]]),
        ("O2", Kind::ResourceSet, r#"Retrying dependency check: dependency apiextensions.k8s.io/v1/CustomResourceDefinition/x.example.com not found: customresourcedefinitions.apiextensions.k8s.io "x.example.com" not found"#, expect![[r#"
            O2: the Flux object
              Retrying dependency check: dependency apiextensions.k8s.io/v1/CustomResourceDefinition/x.example.com not found: customresourcedefinitions.apiextensions.k8s.io "x.example.com" not found
              missing CustomResourceDefinition/x.example.com
              own: spec.dependsOn[check: dependency apiextensions.k8s.io/v1/CustomResourceDefinition/x.example.com].name
        "#]]),
        ("A1", Kind::ResourceSet, r#"reconciliation failed: Deployment/apps/web dry-run failed (Invalid): Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"#, expect![[r#"
            A1 Deployment/apps/web of "apps": field spec.replicas = "-1" Invalid
              spec.replicas: Invalid value: -1: must be greater than or equal to 0
        "#]]),
        ("W1", Kind::ResourceSet, r#"reconciliation failed: step "deploy" wait failed: timeout waiting for: [Deployment/apps/web status: 'InProgress']"#, expect![[r#"
            W1 Deployment/apps/web: the object
              Deployment/apps/web did not become ready in time
              own: spec.healthChecks[Deployment/apps/web].name
        "#]]),
        ("O3", Kind::ResourceSet, "reconciliation failed: something that nobody has seen before", expect![[r#"
            O3: the Flux object
              something that nobody has seen before
        "#]]),
        ("O4", Kind::FluxInstance, "fetch failed: GET https://ghcr.io/v2/x: DENIED", expect![[r#"
            O4: the Flux object
              fetch failed: GET https://ghcr.io/v2/x: DENIED
              own: spec.distribution
        "#]]),
        ("O4", Kind::FluxInstance, "reconciliation failed: something that nobody has seen before", expect![[r#"
            O4: the Flux object
              something that nobody has seen before
        "#]]),
        ("K27", Kind::FluxInstance, r#"build failed: kustomize build failed: no resource matches strategic merge patch "Deployment.v1.apps/nope.[noNs]": no matches for Id Deployment.v1.apps/nope.[noNs]; failed to find unique target for patch Deployment.v1.apps/nope.[noNs]"#, expect![[r#"
            K27: patch of Deployment/nope
              there is no single Deployment/nope for this patch
              own: spec.kustomize.patches["Deployment.v1.apps/nope.[noNs]"]
        "#]]),
        ("N2", Kind::Receiver, "Reconciliation failed terminally due to configuration error: invalid resourceFilter expression: failed to parse the CEL expression 'res.metadata.name ==': ERROR: <input>:1:21: Syntax error", expect![[r#"
            N2: the Flux object
              invalid resourceFilter expression: failed to parse the CEL expression 'res.metadata.name ==': ERROR: <input>:1:21: Syntax error
              own: spec.resourceFilter
        "#]]),
        ("N2", Kind::Receiver, r#"Reconciliation failed terminally due to configuration error: invalid filter expression for resources[1] (kind="GitRepository", name="x"): bad"#, expect![[r#"
            N2: the Flux object
              invalid filter expression for resources[1] (kind="GitRepository", name="x"): bad
              own: 1] (kind="GitRepository", name="x"): bad
        "#]]),
    ]
}

#[test]
fn messages() {
    check(examples());
}
