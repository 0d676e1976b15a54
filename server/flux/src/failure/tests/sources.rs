//! Sources and what is needed first: C.1, C.6 up to values, C.7.

use expect_test::expect;

use super::{Example, check};
use crate::Kind;

#[rustfmt::skip]
pub(super) fn examples() -> Vec<Example> {
    vec![
        ("K1", Kind::Kustomization, r#"GitRepository.source.toolkit.fluxcd.io "fleet" not found"#, expect![[r#"
            K1: the Flux object
              GitRepository.source.toolkit.fluxcd.io "fleet" not found
              missing GitRepository/fleet
              own: spec.sourceRef.name
        "#]]),
        ("K1", Kind::Kustomization, r#"gitrepositories.source.toolkit.fluxcd.io "fleet" not found"#, expect![[r#"
            K1: the Flux object
              gitrepositories.source.toolkit.fluxcd.io "fleet" not found
              missing GitRepository/fleet
              own: spec.sourceRef.name
        "#]]),
        ("K2", Kind::Kustomization, "Source artifact not found, retrying in 30s", expect![[r#"
            K2: the Flux object
              Source artifact not found, retrying in 30s
              own: spec.sourceRef.name
        "#]]),
        ("K3", Kind::Kustomization, "Source is not ready, artifact not found, retrying in 30s", expect![[r#"
            K3 (cluster): the Flux object
              Source is not ready, artifact not found, retrying in 30s
              own: spec.sourceRef.name
        "#]]),
        ("K4", Kind::Kustomization, "can't access 'GitRepository/infra/fleet', cross-namespace references have been blocked", expect![[r#"
            K4: the Flux object
              can't access 'GitRepository/infra/fleet', cross-namespace references have been blocked
              own: spec.sourceRef.namespace or spec.sourceRef.name
        "#]]),
        ("K5", Kind::Kustomization, "can't access 'ExternalArtifact/apps/bundle', ExternalArtifact feature gate is disabled", expect![[r#"
            K5: the Flux object
              can't access 'ExternalArtifact/apps/bundle', ExternalArtifact feature gate is disabled
              own: spec.sourceRef.kind
        "#]]),
        ("K6", Kind::Kustomization, "failed to verify archive: computed digest doesn't match provided 'sha256:9f8' (check whether file size exceeds max download size)", expect![[r#"
            K6 (cluster): the Flux object
              failed to verify archive: computed digest doesn't match provided 'sha256:9f8' (check whether file size exceeds max download size)
              own: spec.sourceRef.name
        "#]]),
        ("K7", Kind::Kustomization, "kustomization path not found: stat /tmp/kustomization-1464362706/invalid: no such file or directory", expect![[r#"
            K7: the Flux object
              kustomization path not found: stat invalid: no such file or directory
              own: spec.path
        "#]]),
        ("K8", Kind::Kustomization, r#"dependency 'flux-system/infra' not found: kustomizations.kustomize.toolkit.fluxcd.io "infra" not found"#, expect![[r#"
            K8: the Flux object
              dependency 'flux-system/infra' not found: kustomizations.kustomize.toolkit.fluxcd.io "infra" not found
              missing Kustomization/flux-system/infra
              own: spec.dependsOn[flux-system/infra].name
        "#]]),
        ("K9", Kind::Kustomization, "dependency 'flux-system/infra' revision is not up to date", expect![[r#"
            K9: the Flux object
              dependency 'flux-system/infra' revision is not up to date
              not ready Kustomization/flux-system/infra
              own: spec.dependsOn[flux-system/infra].name
        "#]]),
        ("K9", Kind::Kustomization, "dependency 'flux-system/infra' is not ready according to readyExpr eval", expect![[r#"
            K9: the Flux object
              dependency 'flux-system/infra' is not ready according to readyExpr eval
              not ready Kustomization/flux-system/infra
              own: spec.dependsOn[flux-system/infra].readyExpr
        "#]]),
        ("K10", Kind::Kustomization, "Reconciliation failed terminally due to configuration error: failed to evaluate dependency infra: failed to parse the CEL expression 'dep.status.x ==': ERROR: <input>:1:16: Syntax error: mismatched input '<EOF>'\n | dep.status.x ==\n | ...............^", expect![[r#"
            K10: the Flux object
              dependency infra: failed to parse the CEL expression 'dep.status.x ==': ERROR: <input>:1:16: Syntax error: mismatched input '<EOF>'
              own: spec.dependsOn[infra].readyExpr
        "#]]),
        ("K10", Kind::Kustomization, "Reconciliation failed terminally due to configuration error: failed to parse the CEL expression 'status.x ==': ERROR: <input>:1:12: Syntax error", expect![[r#"
            K10: the Flux object
              failed to parse the CEL expression 'status.x ==': ERROR: <input>:1:12: Syntax error
              own: spec.healthCheckExprs
        "#]]),
        ("K11", Kind::Kustomization, "to use spec.decryption.serviceAccountName for decryption authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller", expect![[r#"
            K11: the Flux object
              to use spec.decryption.serviceAccountName for decryption authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller
              own: spec.decryption.serviceAccountName for decryption authentication
        "#]]),
        ("H1", Kind::HelmRelease, r#"could not get Source object: helmcharts.source.toolkit.fluxcd.io "apps-web" not found"#, expect![[r#"
            H1: the Flux object
              could not get Source object: helmcharts.source.toolkit.fluxcd.io "apps-web" not found
              missing HelmChart/apps-web
              own: spec.chartRef.name or spec.chart.spec.chart
        "#]]),
        ("H2", Kind::HelmRelease, "OCIRepository 'cert-manager/cert-manager' is not ready: latest generation of object has not been reconciled", expect![[r#"
            H2: the Flux object
              latest generation of object has not been reconciled
              not ready OCIRepository/cert-manager/cert-manager
              own: spec.chartRef.name or spec.chart.spec.sourceRef.name
        "#]]),
        ("H2", Kind::HelmRelease, "HelmChart 'flux-system/apps-web' is not ready: latest generation of object has not been reconciled", expect![[r#"
            H2: the Flux object
              latest generation of object has not been reconciled
              not ready HelmChart/flux-system/apps-web
              own: spec.chartRef.name or spec.chart.spec.sourceRef.name
        "#]]),
        ("S18", Kind::HelmRelease, "HelmChart 'flux-system/apps-web' is not ready: invalid chart reference: failed to get chart version for remote reference: no 'web' chart with version matching '9.x' found", expect![[r#"
            S18: the Flux object
              invalid chart reference: failed to get chart version for remote reference: no 'web' chart with version matching '9.x' found
              not ready HelmChart/flux-system/apps-web
              own: spec.version or spec.chart below spec.chart.spec
        "#]]),
        ("S20", Kind::HelmRelease, "HelmChart 'flux-system/apps-web' is not ready: values files merge error: failed to merge chart values: no values file found at path 'values-prod.yaml'", expect![[r#"
            S20: the Flux object
              values files merge error: failed to merge chart values: no values file found at path 'values-prod.yaml'
              not ready HelmChart/flux-system/apps-web
              own: spec.valuesFiles[values-prod.yaml] below spec.chart.spec
        "#]]),
        ("H3", Kind::HelmRelease, "Source not ready: artifact not found. Retrying in 30s", expect![[r#"
            H3: the Flux object
              Source not ready: artifact not found. Retrying in 30s
              own: spec.chartRef.name or spec.chart.spec.sourceRef.name
        "#]]),
        ("H3", Kind::HelmRelease, "Could not load chart: failed to download chart from 'http://source-controller/x.tgz' (status: 500 Internal Server Error)", expect![[r#"
            H3 (cluster): the Flux object
              Could not load chart: failed to download chart from 'http://source-controller/x.tgz' (status: 500 Internal Server Error)
              own: spec.chartRef.name or spec.chart.spec.sourceRef.name
        "#]]),
        ("H4", Kind::HelmRelease, "cross-namespace references are not allowed: cannot access OCIRepository infra/web", expect![[r#"
            H4: the Flux object
              cross-namespace references are not allowed: cannot access OCIRepository infra/web
              own: spec.chartRef.namespace or spec.chart.spec.sourceRef.namespace
        "#]]),
        ("H5", Kind::HelmRelease, r#"unable to get 'db/postgres' dependency: helmreleases.helm.toolkit.fluxcd.io "postgres" not found"#, expect![[r#"
            H5: the Flux object
              unable to get 'db/postgres' dependency: helmreleases.helm.toolkit.fluxcd.io "postgres" not found
              missing HelmRelease/db/postgres
              own: spec.dependsOn[db/postgres].name
        "#]]),
        ("H5", Kind::HelmRelease, "dependency 'db/postgres' is not ready", expect![[r#"
            H5: the Flux object
              dependency 'db/postgres' is not ready
              not ready HelmRelease/db/postgres
              own: spec.dependsOn[db/postgres].name
        "#]]),
        ("H6", Kind::HelmRelease, "could not resolve Secret chart values reference 'apps/web-values' with key 'values.yaml': key not found", expect![[r#"
            H6: the Flux object
              could not resolve Secret chart values reference 'apps/web-values' with key 'values.yaml': key not found
              own: spec.valuesFrom[Secret apps/web-values].valuesKey
        "#]]),
        ("H6", Kind::HelmRelease, r#"could not resolve ConfigMap chart values reference 'apps/web-values' with key 'values.yaml': configmaps "web-values" not found"#, expect![[r#"
            H6: the Flux object
              could not resolve ConfigMap chart values reference 'apps/web-values' with key 'values.yaml': configmaps "web-values" not found
              missing ConfigMap/apps/web-values
              own: spec.valuesFrom[ConfigMap apps/web-values].name
        "#]]),
        ("H7", Kind::HelmRelease, r#"could not resolve Secret chart values reference 'apps/web-values' with key 'password': failed to merge value at target path 'db.password[': key "password[" has no value"#, expect![[r#"
            H7: the Flux object
              could not resolve Secret chart values reference 'apps/web-values' with key 'password': failed to merge value at target path 'db.password[': key "password[" has no value
              own: spec.valuesFrom[Secret apps/web-values].targetPath
        "#]]),
        ("S1", Kind::GitRepository, r#"failed to checkout and determine revision: unable to clone 'http://127.0.77.1:3000/flux/fleet.git': couldn't find remote ref "refs/heads/preview""#, expect![[r#"
            S1: the Flux object
              failed to checkout and determine revision: unable to clone 'http://127.0.77.1:3000/flux/fleet.git': couldn't find remote ref "refs/heads/preview"
              own: spec.ref.branch or spec.ref.name or spec.ref or spec.url
        "#]]),
        ("S1", Kind::GitRepository, "failed to checkout and determine revision: unable to clone 'https://github.com/org/fleet': authentication required: Repository not found.", expect![[r#"
            S1: the Flux object
              failed to checkout and determine revision: unable to clone 'https://github.com/org/fleet': authentication required: Repository not found.
              own: spec.secretRef.name or spec.url or spec.endpoint or spec.image
        "#]]),
        ("S1", Kind::GitRepository, "failed to checkout and determine revision: unable to list remote for 'ssh://git@git.example/fleet': ssh: handshake failed: knownhosts: key mismatch", expect![[r#"
            S1: the Flux object
              failed to checkout and determine revision: unable to list remote for 'ssh://git@git.example/fleet': ssh: handshake failed: knownhosts: key mismatch
              own: spec.secretRef.name or spec.url or spec.endpoint or spec.image
        "#]]),
        ("S1", Kind::GitRepository, r#"failed to checkout and determine revision: unable to clone 'https://git.example/fleet': Get "https://git.example/fleet/info/refs?service=git-upload-pack": dial tcp: lookup git.example on 10.96.0.10:53: no such host"#, expect![[r#"
            S1 (cluster): the Flux object
              failed to checkout and determine revision: unable to clone 'https://git.example/fleet': Get "https://git.example/fleet/info/refs?service=git-upload-pack": dial tcp: lookup git.example on 10.96.0.10:53: no such host
              own: spec.url
        "#]]),
        ("S2", Kind::GitRepository, "failed to checkout and determine revision: no match found for semver: >=9.0.0", expect![[r#"
            S2: the Flux object
              failed to checkout and determine revision: no match found for semver: >=9.0.0
              own: spec.ref.semver
        "#]]),
        ("S3", Kind::GitRepository, r#"failed to get secret 'flux-system/git-creds': secrets "git-creds" not found"#, expect![[r#"
            S3: the Flux object
              failed to get secret 'flux-system/git-creds': secrets "git-creds" not found
              missing Secret/git-creds
              own: spec.secretRef.name or spec.url or spec.endpoint or spec.image
        "#]]),
        ("S4", Kind::GitRepository, "secretRef 'flux-system/app' has github app data but provider is not set to github", expect![[r#"
            S4: the Flux object
              secretRef 'flux-system/app' has github app data but provider is not set to github
              own: spec.provider or spec.secretRef.name
        "#]]),
        ("S5", Kind::GitRepository, r#"failed to parse url 'ht tp://x': parse "ht tp://x": first path segment in URL cannot contain colon"#, expect![[r#"
            S5: the Flux object
              failed to parse url 'ht tp://x': parse "ht tp://x": first path segment in URL cannot contain colon
              own: spec.url
        "#]]),
        ("S6", Kind::GitRepository, "git repository is empty", expect![[r#"
            S6: the Flux object
              git repository is empty
              own: spec.url
        "#]]),
        ("S7", Kind::GitRepository, r#"could not get resource for include 'lib': gitrepositories.source.toolkit.fluxcd.io "lib" not found"#, expect![[r#"
            S7: the Flux object
              could not get resource for include 'lib': gitrepositories.source.toolkit.fluxcd.io "lib" not found
              missing GitRepository/lib
              own: spec.include[lib].repository.name
        "#]]),
        ("S8", Kind::GitRepository, "signature verification of commit '5394cb7f48332b2de7c17dd8b8384bbc84b7e738' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key", expect![[r#"
            S8: the Flux object
              signature verification of commit '5394cb7f48332b2de7c17dd8b8384bbc84b7e738' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key
              own: spec.verify
        "#]]),
        ("S9", Kind::GitRepository, "failed to sparse checkout directories : sparse checkout dir 'infra' does not exist in repository: stat /tmp/gitrepository-flux-system-fleet-1/infra: no such file or directory", expect![[r#"
            S9: the Flux object
              failed to sparse checkout directories : sparse checkout dir 'infra' does not exist in repository: stat /tmp/gitrepository-flux-system-fleet-1/infra: no such file or directory
              own: spec.sparseCheckout[infra]
        "#]]),
        ("S10", Kind::OCIRepository, "failed to determine artifact digest: GET https://ghcr.io/v2/org/app/manifests/v9.9.9: MANIFEST_UNKNOWN: manifest unknown", expect![[r#"
            S10: the Flux object
              failed to determine artifact digest: GET https://ghcr.io/v2/org/app/manifests/v9.9.9: MANIFEST_UNKNOWN: manifest unknown
              own: spec.ref.digest or spec.ref.tag or spec.url
        "#]]),
        ("S11", Kind::OCIRepository, "failed to determine the artifact tag for 'oci://ghcr.io/org/app': no match found for semver: >=9.0.0", expect![[r#"
            S11: the Flux object
              failed to determine the artifact tag for 'oci://ghcr.io/org/app': no match found for semver: >=9.0.0
              own: spec.ref.semver
        "#]]),
        ("S10", Kind::OCIRepository, r#"failed to determine the artifact tag for 'oci://charts.scoring-vendor.invalid/charts/fraud-scoring': Get "https://charts.scoring-vendor.invalid/v2/": dial tcp: lookup charts.scoring-vendor.invalid on 127.0.0.53:53: no such host"#, expect![[r#"
            S10 (cluster): the Flux object
              failed to determine the artifact tag for 'oci://charts.scoring-vendor.invalid/charts/fraud-scoring': Get "https://charts.scoring-vendor.invalid/v2/": dial tcp: lookup charts.scoring-vendor.invalid on 127.0.0.53:53: no such host
              own: spec.url
        "#]]),
        ("S12", Kind::OCIRepository, "URL validation failed for 'oci://x:1': URL must not contain a tag; remove ':1'", expect![[r#"
            S12: the Flux object
              URL validation failed for 'oci://x:1': URL must not contain a tag; remove ':1'
              own: spec.url
        "#]]),
        ("S13", Kind::OCIRepository, "failed to get credential from aws: no EC2 IMDS role found", expect![[r#"
            S13: the Flux object
              failed to get credential from aws: no EC2 IMDS role found
              own: spec.provider or spec.secretRef.name or spec.url
        "#]]),
        ("S14", Kind::OCIRepository, "failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'ghcr.io/org/app@sha256:abc'", expect![[r#"
            S14: the Flux object
              failed to verify the signature using provider 'cosign keyless': no matching signatures were found for 'ghcr.io/org/app@sha256:abc'
              own: spec.verify
        "#]]),
        ("S15", Kind::OCIRepository, "failed to find layer with media type 'application/x' in artifact", expect![[r#"
            S15: the Flux object
              failed to find layer with media type 'application/x' in artifact
              own: spec.layerSelector.mediaType or spec.layerSelector
        "#]]),
        ("S16", Kind::HelmRepository, "failed to fetch Helm repository index: failed to cache index to temporary file: failed to fetch https://charts.example.com/index.yaml : 401 Unauthorized", expect![[r#"
            S16: the Flux object
              failed to fetch Helm repository index: failed to cache index to temporary file: failed to fetch https://charts.example.com/index.yaml : 401 Unauthorized
              own: spec.secretRef.name or spec.url or spec.endpoint or spec.image
        "#]]),
        ("S17", Kind::HelmRepository, "failed to load Helm repository from index YAML: failed to load index: error unmarshaling JSON: while decoding JSON: json: unknown field \"nothing\"", expect![[r#"
            S17: the Flux object
              failed to load Helm repository from index YAML: failed to load index: error unmarshaling JSON: while decoding JSON: json: unknown field "nothing"
              own: spec.url
        "#]]),
        ("S18", Kind::HelmChart, "invalid chart reference: failed to get chart version for remote reference: no 'web' chart with version matching '9.x' found", expect![[r#"
            S18: the Flux object
              invalid chart reference: failed to get chart version for remote reference: no 'web' chart with version matching '9.x' found
              own: spec.version or spec.chart
        "#]]),
        ("S19", Kind::HelmChart, "chart pull error: failed to get chart version for remote reference: could not locate a version matching provided version string 9.x", expect![[r#"
            S19: the Flux object
              chart pull error: failed to get chart version for remote reference: could not locate a version matching provided version string 9.x
              own: spec.version or spec.chart
        "#]]),
        ("S20", Kind::HelmChart, "values files merge error: failed to merge chart values: no values file found at path 'values-prod.yaml'", expect![[r#"
            S20: the Flux object
              values files merge error: failed to merge chart values: no values file found at path 'values-prod.yaml'
              own: spec.valuesFiles[values-prod.yaml]
        "#]]),
        ("S21", Kind::HelmChart, "dependency build error: failed to add remote dependency 'redis': no chart repository for URL 'https://charts.example'", expect![[r#"
            S21: the Flux object
              dependency build error: failed to add remote dependency 'redis': no chart repository for URL 'https://charts.example'
              own: spec.chart
        "#]]),
        ("S22", Kind::HelmChart, "no artifact available for GitRepository source 'fleet'", expect![[r#"
            S22: the Flux object
              no artifact available for GitRepository source 'fleet'
              own: spec.sourceRef.name
        "#]]),
        ("S23", Kind::HelmChart, "chart verification error: failed to verify the signature using provider 'cosign': no signatures", expect![[r#"
            S23: the Flux object
              chart verification error: failed to verify the signature using provider 'cosign': no signatures
              own: spec.verify
        "#]]),
        ("S24", Kind::Bucket, "failed to confirm existence of 'manifests' bucket: Access Denied.", expect![[r#"
            S24: the Flux object
              failed to confirm existence of 'manifests' bucket: Access Denied.
              own: spec.secretRef.name or spec.bucketName
        "#]]),
        ("S25", Kind::GitRepository, "unable to archive artifact to storage: write /data/x.tar.gz: no space left on device", expect![[r#"
            S25 (cluster): the Flux object
              unable to archive artifact to storage: write /data/x.tar.gz: no space left on device
        "#]]),
        ("S26", Kind::ArtifactGenerator, "bundle build failed: failed to apply copy operations: failed to apply copy operation from '@repo/deploy/**' to '@artifact/': no files match pattern 'deploy/**' in source 'repo'", expect![[r#"
            S26: the Flux object
              bundle build failed: failed to apply copy operations: failed to apply copy operation from '@repo/deploy/**' to '@artifact/': no files match pattern 'deploy/**' in source 'repo'
              own: spec.artifacts[@repo/deploy/**]
        "#]]),
        ("K10", Kind::Kustomization, "Reconciliation failed terminally due to configuration error: terminal error: failed to evaluate dependency infra: failed to parse the CEL expression 'dep.status.observedGeneration ==': ERROR: <input>:1:33: Syntax error", expect![[r#"
            K10: the Flux object
              dependency infra: failed to parse the CEL expression 'dep.status.observedGeneration ==': ERROR: <input>:1:33: Syntax error
              own: spec.dependsOn[infra].readyExpr
        "#]]),
        ("K10", Kind::Kustomization, "Reconciliation failed terminally due to configuration error: failed to create custom status evaluator for healthchecks[0]: failed to parse the expression Current: failed to parse the CEL expression 'status.conditions.exists(e, e.type ==': ERROR: <input>:1:38: Syntax error", expect![[r#"
            K10: the Flux object
              failed to create custom status evaluator for healthchecks[0]: failed to parse the expression Current: failed to parse the CEL expression 'status.conditions.exists(e, e.type ==': ERROR: <input>:1:38: Syntax error
              own: spec.healthCheckExprs[0].current
        "#]]),
        ("S3", Kind::OCIRepository, r#"failed to get credential: failed to get secret 's13-secret/registry': secrets "registry" not found"#, expect![[r#"
            S3: the Flux object
              failed to get credential: failed to get secret 's13-secret/registry': secrets "registry" not found
              missing Secret/registry
              own: spec.secretRef.name or spec.url or spec.endpoint or spec.image
        "#]]),
        ("S16", Kind::HelmRepository, r#"failed to get authentication secret 's16-secret/charts': secrets "charts" not found"#, expect![[r#"
            S16: the Flux object
              failed to get authentication secret 's16-secret/charts': secrets "charts" not found
              missing Secret/charts
              own: spec.secretRef.name or spec.url or spec.endpoint or spec.image
        "#]]),
        ("H7", Kind::HelmRelease, "could not resolve ConfigMap chart values reference 'h7-target/web-values' with key 'replicas': index of 70000 is greater than maximum supported index of 65536", expect![[r#"
            H7: the Flux object
              could not resolve ConfigMap chart values reference 'h7-target/web-values' with key 'replicas': index of 70000 is greater than maximum supported index of 65536
              own: spec.valuesFrom[ConfigMap h7-target/web-values].targetPath
        "#]]),
        ("H6", Kind::HelmRelease, "could not resolve ConfigMap chart values reference 'h6-yaml/web-values' with key 'values.yaml': error converting YAML to JSON: yaml: mapping values are not allowed in this context", expect![[r#"
            H6: the Flux object
              could not resolve ConfigMap chart values reference 'h6-yaml/web-values' with key 'values.yaml': error converting YAML to JSON: yaml: mapping values are not allowed in this context
              own: spec.valuesFrom[ConfigMap h6-yaml/web-values].valuesKey
        "#]]),
        ("S23", Kind::HelmRelease, "HelmChart 'h2-path/h2-path-web' is not ready: invalid chart reference: stat /tmp/helmchart-h2-path-h2-path-web-3824478683/source/chart/web: no such file or directory", expect![[r#"
            S23: the Flux object
              chart/web: no such file or directory
              not ready HelmChart/h2-path/h2-path-web
              own: spec.chart below spec.chart.spec
        "#]]),
        ("S20", Kind::HelmRelease, "HelmChart 'h2-values-file/h2-values-file-web' is not ready: values files merge error: no values file found at path '/charts/web/values-prod.yaml' (reference './charts/web/values-prod.yaml')", expect![[r#"
            S20: the Flux object
              values files merge error: no values file found at path '/charts/web/values-prod.yaml' (reference './charts/web/values-prod.yaml')
              not ready HelmChart/h2-values-file/h2-values-file-web
              own: spec.valuesFiles[./charts/web/values-prod.yaml] below spec.chart.spec
        "#]]),
        ("S22", Kind::HelmRelease, r#"HelmChart 'h2-source/h2-source-web' is not ready: failed to get source: GitRepository.source.toolkit.fluxcd.io "charts" not found"#, expect![[r#"
            S22: the Flux object
              failed to get source: GitRepository.source.toolkit.fluxcd.io "charts" not found
              not ready HelmChart/h2-source/h2-source-web
              own: spec.sourceRef.name below spec.chart.spec
        "#]]),
        ("S21", Kind::HelmRelease, "HelmChart 'h2-dependency/h2-dependency-web' is not ready: dependency build error: failed to add local dependency 'common': no chart found at '/charts/common' (reference 'file://../common')", expect![[r#"
            S21: the Flux object
              dependency build error: failed to add local dependency 'common': no chart found at '/charts/common' (reference 'file://../common')
              not ready HelmChart/h2-dependency/h2-dependency-web
              own: spec.chart below spec.chart.spec
        "#]]),
        ("K11", Kind::GitRepository, "to use spec.serviceAccountName for provider authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller", expect![[r#"
            K11: the Flux object
              to use spec.serviceAccountName for provider authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller
              own: spec.serviceAccountName for provider authentication
        "#]]),
        ("S24", Kind::Bucket, r#"failed to get STS secret 'a/sts': secrets "sts" not found"#, expect![[r#"
            S24: the Flux object
              failed to get STS secret 'a/sts': secrets "sts" not found
              missing Secret/sts
              own: spec.sts.secretRef.name
        "#]]),
        ("H2", Kind::HelmRelease, "HelmChart 'flux-system/apps-web' is not ready", expect![[r#"
            H2: the Flux object
              HelmChart 'flux-system/apps-web' is not ready
              own: spec.chartRef.name or spec.chart.spec.sourceRef.name
        "#]]),
    ]
}

#[test]
fn messages() {
    check(examples());
}
