//! Where in the Flux object's own document a failure stands.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::failure::failure_field;
use crate::{Kind, Object, observe, verdict};

/// Kind, reason, message as Flux writes it, the spec; then shape, side and field as text.
type Row = (Kind, &'static str, &'static str, &'static str, &'static str);

const GIT_SOURCE: &str = "{sourceRef: {kind: GitRepository, name: fleet}, path: ./apps}";
const DEPENDS: &str =
    "{dependsOn: [{name: a}, {name: infra, readyExpr: x}, {name: infra, namespace: other}]}";
const TEMPLATE: &str = "{chart: {spec: {chart: web, version: 9.x, valuesFiles: [values.yaml, values-prod.yaml], sourceRef: {kind: HelmRepository, name: charts, namespace: x}}}}";
const CHART_REF: &str = "{chartRef: {kind: OCIRepository, name: web, namespace: infra}}";
const VALUES: &str = "{valuesFrom: [{kind: ConfigMap, name: web-values}, {kind: Secret, name: web-values, valuesKey: values.yaml, targetPath: a}], values: {image: {name: x}, replicaCount: two, list: [{a: 1}]}}";
const GIT: &str = "{url: 'https://git.example/fleet', ref: {branch: main, semver: '>=9', tag: v9, commit: abc}, secretRef: {name: git-creds}, verify: {secretRef: {name: keys}}, include: [{repository: {name: lib}}], sparseCheckout: [apps, infra]}";
const OCI: &str = "{url: 'oci://images.example/app', ref: {tag: v9.9.9}, secretRef: {name: creds}, certSecretRef: {name: ca}, verify: {provider: cosign}, layerSelector: {mediaType: m, operation: copy}}";
const PATCHES: &str = r#"{path: ./apps, components: [../a, b/c], patches: [{patch: "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: nope\n"}, {patch: "- op: replace\n  path: /data/foo\n  value: x\n", target: {kind: ConfigMap}}]}"#;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    // Kustomization.
    (Kind::Kustomization, "ArtifactFailed", "GitRepository.source.toolkit.fluxcd.io \"fleet\" not found", GIT_SOURCE, "K1 Author spec.sourceRef.name"),
    (Kind::Kustomization, "ArtifactFailed", "gitrepositories.source.toolkit.fluxcd.io \"fleet\" not found", GIT_SOURCE, "K1 Author spec.sourceRef.name"),
    (Kind::Kustomization, "ArtifactFailed", "Source artifact not found, retrying in 30s", GIT_SOURCE, "K2 Author spec.sourceRef.name"),
    (Kind::Kustomization, "ArtifactFailed", "Source is not ready, artifact not found, retrying in 30s", GIT_SOURCE, "K3 Cluster spec.sourceRef.name"),
    (Kind::Kustomization, "AccessDenied", "can't access 'GitRepository/infra/fleet', cross-namespace references have been blocked", "{sourceRef: {kind: GitRepository, name: fleet, namespace: infra}}", "K4 Author spec.sourceRef.namespace"),
    (Kind::Kustomization, "AccessDenied", "can't access 'ExternalArtifact/apps/bundle', ExternalArtifact feature gate is disabled", GIT_SOURCE, "K5 Author spec.sourceRef.kind"),
    (Kind::Kustomization, "ArtifactFailed", "failed to verify archive: computed digest doesn't match provided 'sha256:9f8' (check whether file size exceeds max download size)", GIT_SOURCE, "K6 Cluster metadata.name"),
    (Kind::Kustomization, "ArtifactFailed", "kustomization path not found: stat /tmp/kustomization-1464362706/invalid: no such file or directory", GIT_SOURCE, "K7 Author spec.path"),
    (Kind::Kustomization, "DependencyNotReady", "dependency 'flux-system/infra' not found: kustomizations.kustomize.toolkit.fluxcd.io \"infra\" not found", DEPENDS, "K8 Author spec.dependsOn[1].name"),
    (Kind::Kustomization, "DependencyNotReady", "dependency 'other/infra' is not ready", DEPENDS, "K9 Author spec.dependsOn[2].name"),
    (Kind::Kustomization, "DependencyNotReady", "dependency 'flux-system/infra' revision is not up to date", DEPENDS, "K9 Author spec.dependsOn[1].name"),
    (Kind::Kustomization, "DependencyNotReady", "dependency 'flux-system/infra' is not ready according to readyExpr eval", DEPENDS, "K9 Author spec.dependsOn[1].readyExpr"),
    (Kind::Kustomization, "DependencyNotReady", "dependency 'flux-system/gone' is not ready", DEPENDS, "K9 Author metadata.name"),
    (Kind::Kustomization, "InvalidCELExpression", "Reconciliation failed terminally due to configuration error: failed to evaluate dependency infra: failed to parse the CEL expression 'dep.status.x ==': ERROR: <input>:1:16: Syntax error", DEPENDS, "K10 Author spec.dependsOn[1].readyExpr"),
    (Kind::Kustomization, "FeatureGateDisabled", "to use spec.decryption.serviceAccountName for decryption authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller", "{decryption: {provider: sops, serviceAccountName: x}}", "K11 Author spec.decryption.serviceAccountName"),
    (Kind::Kustomization, "BuildFailed", "kustomize build failed: accumulating resources: accumulation err='accumulating resources from 'missing.yaml': open /tmp/kustomization-42/apps/missing.yaml: no such file or directory'", GIT_SOURCE, "K15 Author spec.path"),
    (Kind::Kustomization, "BuildFailed", "component path '../a' must be local and relative", PATCHES, "K26 Author spec.components[0]"),
    (Kind::Kustomization, "BuildFailed", "kustomize build failed: no resource matches strategic merge patch \"Deployment.v1.apps/nope.[noNs]\": no matches for Id Deployment.v1.apps/nope.[noNs]; failed to find unique target for patch Deployment.v1.apps/nope.[noNs]", PATCHES, "K27 Author spec.patches[0].patch"),
    (Kind::Kustomization, "BuildFailed", "kustomize build failed: replace operation does not apply: doc is missing path: /data/foo: missing value", PATCHES, "K29 Author spec.patches[1].patch"),
    (Kind::Kustomization, "BuildFailed", "kustomize build failed: replace operation does not apply: doc is missing path: /data/bar: missing value", PATCHES, "K29 Author spec.path"),
    (Kind::Kustomization, "BuildFailed", "cannot get sops decryption Secret 'flux-system/sops-age': secrets \"sops-age\" not found", "{decryption: {provider: sops, secretRef: {name: sops-age}}}", "K38 Author spec.decryption.secretRef.name"),
    (Kind::Kustomization, "ReconciliationFailed", "Secret/default/db is SOPS encrypted, configuring decryption is required for this secret to be reconciled", "{}", "K43 Author metadata.name"),
    (Kind::Kustomization, "BuildFailed", "post build failed for 'Deployment.v1.apps/web': envsubst error: variable substitution failed: variable not set (strict mode): \"CLUSTER_ENV\"", "{postBuild: {substitute: {A: b}}}", "K44 Author spec.postBuild"),
    (Kind::Kustomization, "BuildFailed", "post build failed for 'Namespace.v1.[noGrp]/apps': substitute from 'ConfigMap/cluster-vars' error: configmaps \"cluster-vars\" not found", "{postBuild: {substituteFrom: [{kind: Secret, name: cluster-vars}, {kind: ConfigMap, name: cluster-vars}]}}", "K48 Author spec.postBuild.substituteFrom[1].name"),
    (Kind::Kustomization, "ReconciliationFailed", "Deployment/prod/web dry-run failed (Forbidden): deployments.apps \"web\" is forbidden: User \"system:serviceaccount:apps:reconciler\" cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"prod\"", "{serviceAccountName: reconciler}", "A14 Author spec.serviceAccountName"),
    (Kind::Kustomization, "ReconciliationFailed", "unable to read KubeConfig secret 'apps/prod-kubeconfig' error: secrets \"prod-kubeconfig\" not found", "{kubeConfig: {secretRef: {name: prod-kubeconfig}}}", "A29 Author spec.kubeConfig.secretRef.name"),
    (Kind::Kustomization, "ReconciliationFailed", "Deployment/apps/web dry-run failed (Invalid): Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0", GIT_SOURCE, "A1 Author metadata.name"),
    (Kind::Kustomization, "ReconciliationFailed", "Certificate/apps/tls dry-run failed (InternalError): Internal error occurred: failed calling webhook \"webhook.cert-manager.io\": failed to call webhook: Post \"https://x\": context deadline exceeded", GIT_SOURCE, "A18 Cluster metadata.name"),
    (Kind::Kustomization, "ReconciliationFailed", "ReplicaSet/apps/web dry-run failed (Forbidden): pods \"web\" is forbidden: exceeded quota: q, requested: cpu=1, used: cpu=9, limited: cpu=9", GIT_SOURCE, "A15 Cluster metadata.name"),
    (Kind::Kustomization, "HealthCheckFailed", "health check failed after 30.1s: timeout waiting for: [Deployment/apps/web status: 'InProgress']", "{healthChecks: [{kind: Deployment, name: api, namespace: apps}, {kind: Deployment, name: web, namespace: apps}]}", "W1 Author spec.healthChecks[1].name"),
    (Kind::Kustomization, "HealthCheckFailed", "health check failed after 10s: timeout waiting for: [ConfigMap/apps/x status: 'Unknown': failed to evaluate the CEL expression 'has(data.foo.bar)': no such attribute(s): data.foo.bar]", "{healthCheckExprs: [{kind: A, current: x}, {kind: ConfigMap, current: has(data.foo.bar)}]}", "W4 Author spec.healthCheckExprs[1].current"),
    (Kind::Kustomization, "PruneFailed", "delete failed, errors: PersistentVolumeClaim/db/data delete failed: forbidden;", "{prune: true}", "P1 Author spec.prune"),
    // HelmRelease.
    (Kind::HelmRelease, "ArtifactFailed", "could not get Source object: helmcharts.source.toolkit.fluxcd.io \"apps-web\" not found", TEMPLATE, "H1 Author spec.chart.spec.chart"),
    (Kind::HelmRelease, "SourceNotReady", "HelmChart 'flux-system/apps-web' is not ready: invalid chart reference: failed to get chart version for remote reference: no 'web' chart with version matching '9.x' found", TEMPLATE, "S18 Author spec.chart.spec.version"),
    (Kind::HelmRelease, "SourceNotReady", "HelmChart 'flux-system/apps-web' is not ready: invalid chart reference: failed to get chart version for remote reference: no chart name found", TEMPLATE, "S18 Author spec.chart.spec.chart"),
    (Kind::HelmRelease, "SourceNotReady", "HelmChart 'flux-system/apps-web' is not ready: values files merge error: failed to merge chart values: no values file found at path 'values-prod.yaml'", TEMPLATE, "S20 Author spec.chart.spec.valuesFiles[1]"),
    (Kind::HelmRelease, "SourceNotReady", "OCIRepository 'infra/web' is not ready: does not have an artifact", CHART_REF, "H2 Author spec.chartRef.name"),
    (Kind::HelmRelease, "SourceNotReady", "OCIRepository 'infra/web' is not ready: failed to determine the artifact tag for 'oci://x': Get \"https://x/v2/\": dial tcp: lookup x: no such host", CHART_REF, "H2 Cluster spec.chartRef.name"),
    (Kind::HelmRelease, "AccessDenied", "cross-namespace references are not allowed: cannot access OCIRepository infra/web", CHART_REF, "H4 Author spec.chartRef.namespace"),
    (Kind::HelmRelease, "DependencyNotReady", "unable to get 'flux-system/infra' dependency: helmreleases.helm.toolkit.fluxcd.io \"infra\" not found", DEPENDS, "H5 Author spec.dependsOn[1].name"),
    (Kind::HelmRelease, "DependencyNotReady", "dependency 'flux-system/a' is not ready", DEPENDS, "H5 Author spec.dependsOn[0].name"),
    (Kind::HelmRelease, "ValuesError", "could not resolve Secret chart values reference 'apps/web-values' with key 'values.yaml': key not found", VALUES, "H6 Author spec.valuesFrom[1].valuesKey"),
    (Kind::HelmRelease, "ValuesError", "could not resolve optional ConfigMap chart values reference 'apps/web-values': configmaps \"web-values\" not found", VALUES, "H6 Author spec.valuesFrom[0].name"),
    (Kind::HelmRelease, "InstallFailed", "Helm upgrade failed for release apps/web with chart web@1.4.0: web/templates/deployment.yaml:24:28\n  executing \"web/templates/deployment.yaml\" at <.Values.image.tag>:\n    nil pointer evaluating interface {}.tag", VALUES, "H8 Author spec.values.image"),
    (Kind::HelmRelease, "InstallFailed", "Helm install failed for release apps/web with chart web@1.4.0: values don't meet the specifications of the schema(s) in the following chart(s):\nweb:\n- at '/replicaCount': got string, want integer\n- at '': missing property 'image'", VALUES, "H12 Author spec.values.replicaCount"),
    (Kind::HelmRelease, "InstallFailed", "Helm install failed for release apps/web with chart web@1.4.0: values don't meet the specifications of the schema(s) in the following chart(s):\nweb:\n- list.0.a: Invalid type. Expected: string, given: integer", VALUES, "H12' Author spec.values.list[0].a"),
    (Kind::HelmRelease, "InstallFailed", "Helm install failed for release apps/web with chart web@1.4.0: execution error at (web/templates/secret.yaml:8:12): database.password is required", VALUES, "H9 Author spec.values"),
    (Kind::HelmRelease, "StateError", "Could not determine release state: failed to retrieve last release from storage: forbidden", "{serviceAccountName: sa}", "H26 Author spec.serviceAccountName"),
    (Kind::HelmRelease, "RESTClientError", "could not get KubeConfig secret 'apps/prod': not found", "{kubeConfig: {secretRef: {name: prod}}}", "H27 Author spec.kubeConfig.secretRef.name"),
    (Kind::HelmRelease, "ChartMutateError", "artifact revision v1.2.0 does not match chart version 1.3.0", CHART_REF, "H28 Author spec.chartRef.name"),
    (Kind::HelmRelease, "UpgradeFailed", "Helm upgrade failed for release apps/web with chart web@1.4.0: another operation (install/upgrade/rollback) is in progress", VALUES, "H24 Cluster metadata.name"),
    (Kind::HelmRelease, "UpgradeFailed", "Helm upgrade failed for release apps/web with chart web@1.4.0: context deadline exceeded", VALUES, "H17' Author metadata.name"),
    // Sources.
    (Kind::GitRepository, "GitOperationFailed", "failed to checkout and determine revision: unable to clone 'https://git.example/fleet': authentication required: Repository not found.", GIT, "S1 Author spec.secretRef.name"),
    (Kind::GitRepository, "GitOperationFailed", "failed to checkout and determine revision: unable to clone 'https://git.example/fleet': couldn't find remote ref \"refs/heads/main\"", GIT, "S1 Author spec.ref.branch"),
    (Kind::GitRepository, "GitOperationFailed", "failed to checkout and determine revision: unable to clone 'https://git.example/fleet': repository not found", GIT, "S1 Author spec.url"),
    (Kind::GitRepository, "GitOperationFailed", "failed to checkout and determine revision: unable to list remote for 'https://git.example/fleet': Get \"https://git.example\": dial tcp: lookup git.example: no such host", GIT, "S1 Cluster metadata.name"),
    (Kind::GitRepository, "GitOperationFailed", "failed to checkout and determine revision: no match found for semver: >=9.0.0", GIT, "S2 Author spec.ref.semver"),
    (Kind::GitRepository, "AuthenticationFailed", "failed to get secret 'flux-system/git-creds': secrets \"git-creds\" not found", GIT, "S3 Author spec.secretRef.name"),
    (Kind::GitRepository, "URLInvalid", "failed to parse url 'x://': net/url: bad", GIT, "S5 Author spec.url"),
    (Kind::GitRepository, "NotFound", "could not get resource for include 'lib': gitrepositories.source.toolkit.fluxcd.io \"lib\" not found", GIT, "S7 Author spec.include[0].repository.name"),
    (Kind::GitRepository, "InvalidCommitSignature", "signature verification of commit '5394cb7f48332b2de7c17dd8b8384bbc84b7e738' failed: unable to verify Git commit", GIT, "S8 Author spec.verify"),
    (Kind::GitRepository, "GitOperationFailed", "failed to sparse checkout directories : sparse checkout dir 'infra' does not exist in repository: x", GIT, "S9 Author spec.sparseCheckout[1]"),
    (Kind::OCIRepository, "OCIArtifactPullFailed", "failed to determine artifact digest: GET https://images.example/v2/app/manifests/v9.9.9: MANIFEST_UNKNOWN: manifest unknown", OCI, "S10 Author spec.ref.tag"),
    (Kind::OCIRepository, "OCIArtifactPullFailed", "failed to determine artifact digest: GET https://images.example/v2/: UNAUTHORIZED: authentication required", OCI, "S10 Author spec.secretRef.name"),
    (Kind::OCIRepository, "ReadOperationFailed", "failed to determine the artifact tag for 'oci://images.example/app': no match found for semver: >=9.0.0", "{url: x, ref: {semver: '>=9.0.0'}}", "S11 Author spec.ref.semver"),
    (Kind::OCIRepository, "URLInvalid", "URL validation failed for 'oci://x:1': URL must not contain a tag; remove ':1'", OCI, "S12 Author spec.url"),
    (Kind::OCIRepository, "VerificationError", "failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'x'", OCI, "S14 Author spec.verify"),
    (Kind::OCIRepository, "OCIArtifactLayerOperationFailed", "failed to find layer with media type 'm' in artifact", OCI, "S15 Author spec.layerSelector.mediaType"),
    (Kind::HelmRepository, "Failed", "failed to fetch Helm repository index: failed to cache index to temporary file: failed to fetch https://charts.example/index.yaml : 404 Not Found", "{url: 'https://charts.example'}", "S16 Author spec.url"),
    (Kind::HelmRepository, "Failed", "failed to fetch Helm repository index: failed to cache index to temporary file: failed to fetch https://charts.example/index.yaml : 401 Unauthorized", "{url: 'https://charts.example', secretRef: {name: x}}", "S16 Author spec.secretRef.name"),
    (Kind::HelmChart, "InvalidChartReference", "invalid chart reference: failed to get chart version for remote reference: no 'web' chart with version matching '9.x' found", "{chart: web, version: 9.x}", "S18 Author spec.version"),
    (Kind::Bucket, "BucketOperationFailed", "failed to confirm existence of 'manifests' bucket: Access Denied.", "{bucketName: manifests, endpoint: s3}", "S24 Author spec.bucketName"),
    (Kind::GitRepository, "StorageOperationFailed", "unable to archive artifact to storage: no space left on device", GIT, "S25 Cluster metadata.name"),
    (Kind::ArtifactGenerator, "BuildFailed", "bundle build failed: failed to apply copy operations: failed to apply copy operation from '@repo/deploy/**' to '@artifact/': no files match pattern 'deploy/**' in source 'repo'", "{artifacts: [{name: a}, {name: bundle, copy: [{from: '@repo/x', to: y}, {from: '@repo/deploy/**', to: '@artifact/'}]}]}", "S26 Author spec.artifacts[1].copy[1].from"),
    // Images, notification, flux-operator.
    (Kind::ImageRepository, "ReadOperationFailed", "scan failed: GET https://images.example/v2/app/tags/list: DENIED: requested access to the resource is denied", "{image: images.example/app}", "I1 Author spec.image"),
    (Kind::ImagePolicy, "InvalidPolicy", "invalid policy: improper constraint: >>1.0", "{policy: {semver: {range: '>>1.0'}}}", "I6 Author spec.policy.semver.range"),
    (Kind::ImagePolicy, "DependencyNotReady", "failed to get the referred ImageRepository: referenced ImageRepository does not exist: imagerepositories.image.toolkit.fluxcd.io \"web\" not found", "{imageRepositoryRef: {name: web}}", "I4 Author spec.imageRepositoryRef.name"),
    (Kind::ImageUpdateAutomation, "GitOperationFailed", "failed to update source: failed to push to remote: authorization failed", "{sourceRef: {kind: GitRepository, name: x}, git: {push: {branch: y}}}", "I8 Author spec.git.push"),
    (Kind::Receiver, "TokenNotFound", "unable to read token from secret 'a/b' error: secrets \"b\" not found", "{secretRef: {name: b}}", "N1 Author spec.secretRef.name"),
    (Kind::Receiver, "InvalidCELExpression", "invalid filter expression for resources[1] (kind=\"GitRepository\", name=\"x\"): bad", "{resources: [{}, {kind: GitRepository, name: x, filter: '=='}]}", "N2 Author spec.resources[1].filter"),
    (Kind::ResourceSet, "BuildFailed", "build failed: failed to build resources[0]: failed to execute template: template: x", "{resources: [{a: b}]}", "O1 Author spec.resources[0]"),
    (Kind::FluxInstance, "ArtifactFailed", "fetch failed: boom", "{distribution: {version: 2.x}}", "O4 Author spec.distribution"),
    // Rows that read on.
    (Kind::Kustomization, "BuildFailed", "secrets \"sops-age\" not found", "{decryption: {secretRef: {name: sops-age}}, kubeConfig: {secretRef: {name: prod}}}", "K38 Author spec.decryption.secretRef.name"),
    (Kind::Kustomization, "BuildFailed", "secrets \"other\" not found", "{decryption: {secretRef: {name: sops-age}}}", "K38 Author metadata.name"),
    (Kind::Kustomization, "BuildFailed", "decryption failed for 'Secret.v1.[noGrp]/db': failed to decrypt and format 'a/db' Secret data: failed to verify sops data integrity: expected mac 'A', got 'B'", "{decryption: {provider: sops}}", "K42 Author spec.decryption"),
    (Kind::Kustomization, "BuildFailed", "post build failed for 'ConfigMap.v1.[noGrp]/a': envsubst error: 'my-var' var name is invalid, must match 'x'", "{postBuild: {substitute: {my-var: b}}}", "K45 Author spec.postBuild.substitute.my-var key"),
    (Kind::Kustomization, "BuildFailed", "post build failed for 'ConfigMap.v1.[noGrp]/a': envsubst error: 'my-var' var name is invalid, must match 'x'", "{postBuild: {substituteFrom: [{kind: ConfigMap, name: x}]}}", "K45 Author spec.postBuild.substituteFrom"),
    (Kind::Kustomization, "BuildFailed", "post build failed for 'ConfigMap.v1.[noGrp]/a': envsubst error: variable substitution failed: missing closing brace", "{postBuild: {}}", "K46 Author spec.postBuild"),
    (Kind::Kustomization, "BuildFailed", "post build failed for 'ConfigMap.v1.[noGrp]/a': envsubst error: YAMLToJSON: yaml: line 3: x", "{postBuild: {}}", "K47 Author spec.postBuild"),
    (Kind::Kustomization, "BuildFailed", "error converting YAML to JSON: yaml: line 3: x", "{path: ./apps}", "K49 Author spec.path"),
    (Kind::Kustomization, "InvalidCELExpression", "Reconciliation failed terminally due to configuration error: failed to create custom status evaluator for healthchecks[1]: failed to parse the expression InProgress: x", "{healthCheckExprs: [{current: a}, {inProgress: b}]}", "K10 Author spec.healthCheckExprs[1].inProgress"),
    (Kind::HelmRelease, "UpgradeFailed", "Helm upgrade failed for release apps/web with chart web@1.4.0: parse error at (web/templates/x.yaml:3): x", TEMPLATE, "H10 Author spec.chart.spec.version"),
    (Kind::HelmRelease, "UpgradeFailed", "Helm upgrade failed for release apps/web with chart web@1.4.0: unable to build kubernetes objects from new release manifest: resource mapping not found for name: \"a\" namespace: \"b\" from \"\": no matches for kind \"K\" in version \"x/v1\"", CHART_REF, "H13 Author spec.chartRef.name"),
    (Kind::HelmRelease, "UpgradeFailed", "Helm upgrade failed for release apps/web with chart web@1.4.0: server-side apply failed for object apps/web apps/v1, Kind=Deployment: boom", VALUES, "H14 Author spec.values"),
    (Kind::HelmRelease, "UpgradeFailed", "Helm upgrade failed for release apps/web with chart web@1.4.0: conflict occurred while applying object apps/web apps/v1, Kind=Deployment: boom", VALUES, "H15 Author spec.values"),
    (Kind::HelmRelease, "UpgradeFailed", "Helm upgrade failed for release apps/web with chart web@1.4.0: timeout waiting for: [Deployment/apps/web status: 'InProgress']", "{timeout: 5m}", "H17 Author spec.timeout"),
    (Kind::HelmRelease, "UpgradeFailed", "Helm upgrade failed for release apps/web with chart web@1.4.0: resource Deployment/apps/web not ready. status: InProgress, message: x", "{timeout: 5m}", "H18 Author spec.timeout"),
    (Kind::HelmRelease, "UpgradeFailed", "Helm upgrade failed for release apps/web with chart web@1.4.0: pre-upgrade hooks failed: x", "{upgrade: {force: true}}", "H19 Author spec.upgrade"),
    (Kind::HelmRelease, "UpgradeFailed", "Helm upgrade failed for release apps/web with chart web@1.4.0: error while running post render on files: no resource matches strategic merge patch \"Deployment.v1.apps/web.[noNs]\": x", "{postRenderers: [{kustomize: {patches: [{patch: \"kind: Deployment\\nmetadata:\\n  name: api\\n\"}, {patch: \"kind: Deployment\\nmetadata:\\n  name: web\\n\"}]}}]}", "H23 Author spec.postRenderers[0].kustomize.patches[1].patch"),
    (Kind::HelmRelease, "DriftCorrectionFailed", "Failed to partially correct cluster state of release apps/web.v3:\nDeployment/apps/web patch failure: x", "{driftDetection: {mode: enabled}}", "H30 Author spec.driftDetection.mode"),
    (Kind::HelmRelease, "ValuesError", "could not resolve Secret chart values reference 'apps/web-values' with key 'values.yaml': key \"a\" has no value", VALUES, "H7 Author spec.valuesFrom[1].targetPath"),
    (Kind::ResourceSet, "ReconciliationFailed", "reconciliation failed: boom", "{resources: []}", "O3 Author metadata.name"),
];

#[test]
fn messages_lead_to_fields() {
    let mut wrong = String::new();
    for (kind, reason, message, spec, expected) in TABLE {
        let spec: Value = serde_saphyr::from_str(spec).unwrap();
        let object = Object::from_json(json!({
            "apiVersion": format!("{}/{}", kind.group(), kind.versions()[0]), "kind": kind.as_str(),
            "metadata": {"name": "web", "namespace": "flux-system"}, "spec": spec,
            "status": {"conditions": [{"type": "Ready", "status": "False", "reason": reason, "message": message}]},
        }))
        .unwrap();
        let object = Arc::new(object);
        let now = jiff::Timestamp::UNIX_EPOCH;
        let field = failure_field(&object, &verdict(&observe(None, &object, now), None, now));
        let key = if field.is_key { " key" } else { "" };
        let told = format!("{} {:?} {}{key}", field.shape.unwrap_or("-"), field.side, field.path);
        if told != *expected {
            wrong += &format!("{message}\n  got      {told}\n  expected {expected}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
