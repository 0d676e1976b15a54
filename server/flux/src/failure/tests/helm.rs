//! Releases: C.6.

use expect_test::expect;

use super::{Example, check};
use crate::Kind;

#[rustfmt::skip]
pub(super) fn examples() -> Vec<Example> {
    vec![
        ("H8", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: web/templates/deployment.yaml:24:28\n  executing \"web/templates/deployment.yaml\" at <.Values.image.tag>:\n    nil pointer evaluating interface {}.tag", expect![[r#"
            H8: values image.tag Required
              values image.tag: nil pointer evaluating interface {}.tag
              in web/templates/deployment.yaml:24:28 .Values.image.tag
              own: spec.values/image/tag
        "#]]),
        ("H8", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: web/templates/deployment.yaml:10:8\n  executing \"web/templates/deployment.yaml\" at <include \"web.labels\" .>:\n    error calling include:\nweb/templates/_helpers.tpl:40:12\n  executing \"web.labels\" at <$.Values.labels.team | quote>:\n    nil pointer evaluating interface {}.team", expect![[r#"
            H8: values labels.team Required
              values labels.team: nil pointer evaluating interface {}.team
              in web/templates/deployment.yaml:10:8 include "web.labels" .
              in web/templates/_helpers.tpl:40:12 $.Values.labels.team | quote
              own: spec.values/labels/team
        "#]]),
        ("H8", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: web/templates/x.yaml:1:2\n  executing \"web/templates/x.yaml\" at <index .Files \"a\">:\n    error calling index: no such key", expect![[r#"
            H8: the Flux object
              error calling index: no such key
              in web/templates/x.yaml:1:2 index .Files "a"
              own: spec.values or spec.valuesFrom or spec.chartRef.name or spec.chart.spec.chart
        "#]]),
        ("H8'", Kind::HelmRelease, r#"Helm upgrade failed for release apps/web with chart web@1.4.0: template: web/templates/deployment.yaml:24:28: executing "web/templates/deployment.yaml" at <.Values.image.tag>: nil pointer evaluating interface {}.tag"#, expect![[r#"
            H8': values image.tag Required
              values image.tag: nil pointer evaluating interface {}.tag
              in web/templates/deployment.yaml:24:28 .Values.image.tag
              own: spec.values/image/tag
        "#]]),
        ("H8", Kind::HelmRelease, "Helm install failed for release apps/web with chart web@1.4.0: web/templates/settings.yaml:7:11\n  executing \"web/templates/settings.yaml\" at <include \"web.hots\" .>:\n    error calling include:\ntemplate: no template \"web.hots\" associated with template \"gotpl\"", expect![[r#"
            H8: the template
              no template "web.hots" associated with template "gotpl"
              in web/templates/settings.yaml:7:11 include "web.hots" .
              own: spec.chart.spec.version or spec.chartRef.name or spec.chart.spec.chart
        "#]]),
        ("H8", Kind::HelmRelease, "Helm install failed for release apps/web with chart web@1.4.0: web/templates/settings.yaml:6:31\n  executing \"web/templates/settings.yaml\" at <trunc>:\n    wrong number of args for trunc: want 2 got 3", expect![[r#"
            H8: the template
              wrong number of args for trunc: want 2 got 3
              in web/templates/settings.yaml:6:31 trunc
              own: spec.chart.spec.version or spec.chartRef.name or spec.chart.spec.chart
        "#]]),
        ("H10", Kind::HelmRelease, "Helm install failed for release apps/web with chart web@1.4.0: parse error at (web/templates/settings.yaml:9): unexpected EOF", expect![[r#"
            H10: the template
              unexpected EOF
              in web/templates/settings.yaml:9 
              own: spec.chart.spec.version or spec.chartRef.name or spec.chart.spec.chart
        "#]]),
        ("H9", Kind::HelmRelease, "Helm install failed for release apps/web with chart web@1.4.0: execution error at (web/templates/secret.yaml:8:12): database.password is required", expect![[r#"
            H9: values database.password Required
              database.password is required
              in web/templates/secret.yaml:8:12 
              own: spec.values/database/password
        "#]]),
        ("H9", Kind::HelmRelease, "Helm install failed for release apps/web with chart web@1.4.0: execution error at (web/templates/secret.yaml:8:12): A valid .Values.auth.token entry required!", expect![[r#"
            H9: values auth.token Required
              A valid .Values.auth.token entry required!
              in web/templates/secret.yaml:8:12 
              own: spec.values/auth/token
        "#]]),
        ("H9", Kind::HelmRelease, "Helm install failed for release apps/web with chart web@1.4.0: execution error at (web/templates/secret.yaml:8:12): no more than one replica", expect![[r#"
            H9: the Flux object
              no more than one replica
              in web/templates/secret.yaml:8:12 
              own: spec.values or spec.valuesFrom or spec.chartRef.name or spec.chart.spec.chart
        "#]]),
        ("H10", Kind::HelmRelease, r#"Helm upgrade failed for release apps/web with chart web@1.4.0: parse error at (web/templates/x.yaml:3): function "foo" not defined"#, expect![[r#"
            H10: the template
              function "foo" not defined
              in web/templates/x.yaml:3 foo
              own: spec.chart.spec.version or spec.chartRef.name or spec.chart.spec.chart
        "#]]),
        ("H11", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: YAML parse error on web/templates/cm.yaml: error converting YAML to JSON: yaml: line 12: mapping values are not allowed in this context", expect![[r#"
            H11: what the template renders to
              web/templates/cm.yaml does not render to YAML: error converting YAML to JSON: yaml: line 12: mapping values are not allowed in this context
              in web/templates/cm.yaml 
              own: spec.values or spec.valuesFrom or spec.chartRef.name or spec.chart.spec.chart
        "#]]),
        ("H12", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: values don't meet the specifications of the schema(s) in the following chart(s):\nweb:\n- at '/replicaCount': got string, want integer\n- at '': missing property 'image'\n- at '/service': additional properties 'prot' not allowed\n- at '/mode': value must be one of 'a', 'b'\nredis:\n- at '/auth': 'allOf' failed\n  - at '/auth/enabled': got string, want boolean\n", expect![[r#"
            H12: values replicaCount Type { expected: "integer", got: "string" }
              replicaCount: got string, want integer
              own: spec.values/replicaCount
            H12: values image Required
              image: missing property 'image'
              own: spec.values/image
            H12: values service.prot Unknown
              service.prot: additional properties 'prot' not allowed
              own: spec.values/service/prot
            H12: values mode NotSupported { allowed: ["a", "b"] }
              mode: value must be one of 'a', 'b'
              own: spec.values/mode
            H12: values redis.auth.enabled Type { expected: "boolean", got: "string" }
              redis.auth.enabled: got string, want boolean
              own: spec.values/redis/auth/enabled
        "#]]),
        ("H12'", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: values don't meet the specifications of the schema(s) in the following chart(s):\nweb:\n- replicaCount: Invalid type. Expected: integer, given: string\n- (root): image is required\n- (root): Additional property x is not allowed\n", expect![[r#"
            H12': values replicaCount Type { expected: "integer", got: "string" }
              replicaCount: Invalid type. Expected: integer, given: string
              own: spec.values/replicaCount
            H12': values image Required
              image: image is required
              own: spec.values/image
            H12': values x Unknown
              x: Additional property x is not allowed
              own: spec.values/x
        "#]]),
        ("H13", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: unable to build kubernetes objects from new release manifest: [resource mapping not found for name: \"app\" namespace: \"apps\" from \"\": no matches for kind \"ServiceMonitor\" in version \"monitoring.coreos.com/v1\"\nensure CRDs are installed first, resource mapping not found for name: \"b\" namespace: \"\" from \"\": no matches for kind \"Gateway\" in version \"gateway.networking.k8s.io/v1\"\nensure CRDs are installed first]", expect![[r#"
            H13 ServiceMonitor/apps/app of "monitoring.coreos.com": field apiVersion = "monitoring.coreos.com/v1" NotFound
              the cluster knows no ServiceMonitor in monitoring.coreos.com/v1: is its CRD missing?
              no kind ServiceMonitor of monitoring.coreos.com/v1
              own: spec.chartRef.name or spec.chart.spec.chart
            H13 Gateway/b of "gateway.networking.k8s.io": field apiVersion = "gateway.networking.k8s.io/v1" NotFound
              the cluster knows no Gateway in gateway.networking.k8s.io/v1: is its CRD missing?
              no kind Gateway of gateway.networking.k8s.io/v1
              own: spec.chartRef.name or spec.chart.spec.chart
        "#]]),
        ("H13", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: unable to build kubernetes objects from new release manifest: error parsing : error converting YAML to JSON: yaml: line 4: x", expect![[r#"
            H13: the Flux object
              error parsing : error converting YAML to JSON: yaml: line 4: x
              own: spec.chartRef.name or spec.chart.spec.chart
        "#]]),
        ("H14", Kind::HelmRelease, r#"Helm upgrade failed for release apps/web with chart web@1.4.0: server-side apply failed for object apps/web apps/v1, Kind=Deployment: Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.template.spec.contianers""#, expect![[r#"
            H14 Deployment/apps/web of "apps": field spec.template.spec.contianers Unknown
              unknown field "spec.template.spec.contianers"
              own: spec.values or spec.valuesFrom
        "#]]),
        ("H14", Kind::HelmRelease, r#"Helm upgrade failed for release apps/web with chart web@1.4.0: server-side apply failed for object shop/recommender /v1, Kind=Service: Service "recommender" is invalid: spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535, inclusive"#, expect![[r#"
            H14 Service/shop/recommender of "": field spec.ports[0].port = "99999" Invalid
              spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535, inclusive
              own: spec.values or spec.valuesFrom
        "#]]),
        ("H14'", Kind::HelmRelease, r#"Helm upgrade failed for release apps/web with chart web@1.4.0: cannot patch "web" with kind Service: Service "web" is invalid: spec.clusterIP: Invalid value: "": field is immutable && cannot patch "web" with kind Deployment: Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"#, expect![[r#"
            H14' Service/web of "": field spec.clusterIP = "" Immutable { but: [] }
              spec.clusterIP: Invalid value: "": field is immutable
              own: spec.values or spec.valuesFrom
            H14' Deployment/web of "apps": field spec.replicas = "-1" Invalid
              spec.replicas: Invalid value: -1: must be greater than or equal to 0
              own: spec.values or spec.valuesFrom
        "#]]),
        ("H14'", Kind::HelmRelease, r#"Helm upgrade failed for release apps/web with chart web@1.4.0: error validating "": error validating data: [ValidationError(Deployment.spec.template.spec.containers[0]): unknown field "imagePullPolcy" in io.k8s.api.core.v1.Container, ValidationError(Deployment.spec): missing required field "selector" in io.k8s.api.apps.v1.DeploymentSpec]"#, expect![[r#"
            H14': field spec.template.spec.containers[0].imagePullPolcy Unknown
              Deployment: unknown field "imagePullPolcy" in io.k8s.api.core.v1.Container
              own: spec.values or spec.valuesFrom
            H14': field spec.selector Required
              Deployment: missing required field "selector" in io.k8s.api.apps.v1.DeploymentSpec
              own: spec.values or spec.valuesFrom
        "#]]),
        ("H14'", Kind::HelmRelease, r#"Helm upgrade failed for release apps/web with chart web@1.4.0: failed to create resource: Service "web" is invalid: spec.ports: Required value"#, expect![[r#"
            H14' Service/web of "": field spec.ports Required
              spec.ports: Required value
              own: spec.values or spec.valuesFrom
        "#]]),
        ("H15", Kind::HelmRelease, r#"Helm upgrade failed for release apps/web with chart web@1.4.0: conflict occurred while applying object apps/web apps/v1, Kind=Deployment: Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas"#, expect![[r#"
            H15 Deployment/apps/web of "apps": field spec.replicas Owned
              spec.replicas is owned by kubectl-edit
              by kubectl-edit
              own: spec.values or spec.valuesFrom
        "#]]),
        ("H16", Kind::HelmRelease, r#"Helm upgrade failed for release apps/web with chart web@1.4.0: Unable to continue with install: Service "web" in namespace "apps" exists and cannot be imported into the current release: invalid ownership metadata; annotation validation error: missing key "meta.helm.sh/release-name": must be set to "web""#, expect![[r#"
            H16 Service/apps/web: the object
              Service/apps/web exists and is not this release's
              in the way Service/apps/web
              own: spec.install.disableTakeOwnership
        "#]]),
        ("H17", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: timeout waiting for: [Deployment/apps/web status: 'InProgress', Service/apps/web status: 'Current']", expect![[r#"
            H17 Deployment/apps/web: the object
              Deployment/apps/web did not become ready in time
              own: spec.timeout
        "#]]),
        ("H17'", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: context deadline exceeded", expect![[r#"
            H17': the Flux object
              context deadline exceeded
              own: spec.timeout
        "#]]),
        ("H17'", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: timed out waiting for the condition", expect![[r#"
            H17': the Flux object
              timed out waiting for the condition
              own: spec.timeout
        "#]]),
        ("H18", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: resource Deployment/apps/web not ready. status: InProgress, message: Available: 0/1\nresource Pod/apps/x not ready. status: Failed, message: boom\ncontext deadline exceeded", expect![[r#"
            H18 Deployment/apps/web: the object
              Deployment/apps/web is not ready: Available: 0/1
              own: spec.timeout
            H18 Pod/apps/x: the object
              Pod/apps/x is not ready: boom
              own: spec.timeout
        "#]]),
        ("H19", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: pre-upgrade hooks failed: timeout waiting for: [Job/apps/web-migrate status: 'InProgress']", expect![[r#"
            H19 Job/apps/web-migrate: the object
              Job/apps/web-migrate did not become ready in time
              own: spec.upgrade
        "#]]),
        ("H19", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: failed post-install: 1 error occurred:\n\t* job web-init failed: BackoffLimitExceeded\n\n", expect![[r#"
            H19 Job/web-init: the object
              Job web-init failed: BackoffLimitExceeded
              own: spec.install
        "#]]),
        ("H20", Kind::HelmRelease, "Helm test failed for release apps/web.v1 with chart web@6.5.3: 1 error occurred:\n\t* pod web-fault-test-a0tew failed", expect![[r#"
            H20 Pod/web-fault-test-a0tew: the object
              Pod web-fault-test-a0tew failed
              own: spec.test
        "#]]),
        ("H21", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: chart requires kubeVersion: >=1.99.0 which is incompatible with Kubernetes v1.36.3", expect![[r#"
            H21: the Flux object
              chart requires kubeVersion: >=1.99.0 which is incompatible with Kubernetes v1.36.3
              own: spec.chart.spec.version or spec.chartRef.name or spec.chart.spec.chart
        "#]]),
        ("H22", Kind::HelmRelease, "Helm install failed for release apps/web with chart web@1.4.0: failed to apply CustomResourceDefinitions: failed to create CustomResourceDefinition a.example.com: conflict", expect![[r#"
            H22 CustomResourceDefinition/a.example.com of "apiextensions.k8s.io": the object
              failed to apply CustomResourceDefinitions: failed to create CustomResourceDefinition a.example.com: conflict
              own: spec.upgrade.crds or spec.install.crds or spec.chartRef.name or spec.chart.spec.chart
        "#]]),
        ("H23", Kind::HelmRelease, r#"Helm upgrade failed for release apps/web with chart web@1.4.0: error while running post render on files: no resource matches strategic merge patch "Deployment.v1.apps/web.[noNs]": no matches for Id Deployment.v1.apps/web.[noNs]; failed to find unique target for patch Deployment.v1.apps/web.[noNs]"#, expect![[r#"
            H23: patch of Deployment/web
              there is no single Deployment/web for this patch
              own: spec.postRenderers["Deployment.v1.apps/web.[noNs]"]
        "#]]),
        ("H23", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: error while running post render on files: boom", expect![[r#"
            H23: the Flux object
              boom
              own: spec.postRenderers
        "#]]),
        ("H24", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: another operation (install/upgrade/rollback) is in progress", expect![[r#"
            H24 (cluster): the Flux object
              another operation (install/upgrade/rollback) is in progress
        "#]]),
        ("H25", Kind::HelmRelease, "Helm install failed for release apps/web with chart web@1.4.0: cannot reuse a name that is still in use", expect![[r#"
            H25: the Flux object
              cannot reuse a name that is still in use
              own: spec.releaseName
        "#]]),
        ("H26", Kind::HelmRelease, r#"Could not determine release state: failed to retrieve last release from storage: query: failed to query with labels: secrets is forbidden: User "system:serviceaccount:apps:sa" cannot list resource "secrets" in API group "" in the namespace "apps""#, expect![[r#"
            H26: the Flux object
              Could not determine release state: failed to retrieve last release from storage: query: failed to query with labels: secrets is forbidden: User "system:serviceaccount:apps:sa" cannot list resource "secrets" in API group "" in the namespace "apps"
              own: spec.serviceAccountName or spec.storageNamespace
        "#]]),
        ("H27", Kind::HelmRelease, r#"could not get KubeConfig secret 'apps/prod': secrets "prod" not found"#, expect![[r#"
            H27: the Flux object
              could not get KubeConfig secret 'apps/prod': secrets "prod" not found
              missing Secret/prod
              own: spec.kubeConfig.secretRef.name or spec.kubeConfig.configMapRef.name
        "#]]),
        ("H28", Kind::HelmRelease, "artifact revision v1.2.0 does not match chart version 1.3.0", expect![[r#"
            H28: the Flux object
              artifact revision v1.2.0 does not match chart version 1.3.0
              own: spec.chartRef.name
        "#]]),
        ("H29", Kind::HelmRelease, "Failed to upgrade after 1 attempt(s)", expect![[r#"
            H29: the Flux object
              Failed to upgrade after 1 attempt(s)
        "#]]),
        ("H30", Kind::HelmRelease, "Cluster state of release apps/web.v3 has drifted from the desired state:\nDeployment/apps/web changed (0 additions, 1 changes, 0 removals)\nService/apps/web removed", expect![[r#"
            H30 Deployment/apps/web: the object
              Deployment/apps/web changed (0 additions, 1 changes, 0 removals)
              own: spec.driftDetection.mode or spec.driftDetection
            H30 Service/apps/web: the object
              Service/apps/web removed
              own: spec.driftDetection.mode or spec.driftDetection
        "#]]),
        ("H30", Kind::HelmRelease, "Failed to partially correct cluster state of release apps/web.v3:\nDeployment/apps/web patch failure: deployments.apps \"web\" is forbidden", expect![[r#"
            H30 Deployment/apps/web: the object
              Deployment/apps/web patch failure: deployments.apps "web" is forbidden
              own: spec.driftDetection.mode or spec.driftDetection
        "#]]),
        ("H31", Kind::HelmRelease, "Reconciliation failed terminally due to configuration error: failed to parse the CEL expression 'x ==': ERROR: <input>:1:5: Syntax error", expect![[r#"
            H31: the Flux object
              failed to parse the CEL expression 'x ==': ERROR: <input>:1:5: Syntax error
              own: spec.healthCheckExprs
        "#]]),
        ("-", Kind::HelmRelease, "Helm upgrade failed for release apps/web with chart web@1.4.0: something that nobody has seen before", expect![[r#"
            -: the Flux object
              something that nobody has seen before
        "#]]),
        ("A1", Kind::HelmRelease, r#"Helm upgrade failed for release apps/web with chart web@1.4.0: Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"#, expect![[r#"
            A1 Deployment/web of "apps": field spec.replicas = "-1" Invalid
              spec.replicas: Invalid value: -1: must be greater than or equal to 0
              own: spec.values or spec.valuesFrom
        "#]]),
        ("H11", Kind::HelmRelease, "Helm install failed for release h11-yaml/web with chart web@1.4.0: error merging manifests: parsing web/templates/settings.yaml: MalformedYAMLError: yaml: line 6: mapping values are not allowed in this context", expect![[r#"
            H11: what the template renders to
              web/templates/settings.yaml does not render to YAML: yaml: line 6: mapping values are not allowed in this context
              in web/templates/settings.yaml 
              own: spec.values or spec.valuesFrom or spec.chartRef.name or spec.chart.spec.chart
        "#]]),
        ("H13", Kind::HelmRelease, "Helm install failed for release h11-yaml/web with chart web@1.4.0: unable to build kubernetes objects from release manifest: resource mapping not found for name: \"web\" namespace: \"\" from \"\": no matches for kind \"ServiceMonitor\" in version \"monitoring.coreos.com/v1\"\nensure CRDs are installed first", expect![[r#"
            H13 ServiceMonitor/web of "monitoring.coreos.com": field apiVersion = "monitoring.coreos.com/v1" NotFound
              the cluster knows no ServiceMonitor in monitoring.coreos.com/v1: is its CRD missing?
              no kind ServiceMonitor of monitoring.coreos.com/v1
              own: spec.chartRef.name or spec.chart.spec.chart
        "#]]),
        ("H17'", Kind::HelmRelease, "Helm install failed for release h11-yaml/web with chart web@1.4.0: client rate limiter Wait returned an error: rate: Wait(n=1) would exceed context deadline", expect![[r#"
            H17': the Flux object
              client rate limiter Wait returned an error: rate: Wait(n=1) would exceed context deadline
              own: spec.timeout
        "#]]),
        ("H29", Kind::HelmRelease, "Helm rollback to previous release h29-rollback/web.v1 with chart web@1.4.0 succeeded", expect![[r#"
            H29: the Flux object
              Helm rollback to previous release h29-rollback/web.v1 with chart web@1.4.0 succeeded
        "#]]),
        ("H9", Kind::HelmRelease, "Helm install failed for release h11-yaml/web with chart web@1.4.0: execution error at (web/templates/settings.yaml:6:11): host is required", expect![[r#"
            H9: values host Required
              host is required
              in web/templates/settings.yaml:6:11 
              own: spec.values/host
        "#]]),
        ("H19", Kind::HelmRelease, r#"Helm install failed for release apps/web with chart web@1.4.0: failed pre-install: unable to build kubernetes object for pre-install hook web/templates/job.yaml: error validating "": error validating data: [unknown object type "nil" in Job.spec]"#, expect![[r#"
            H19: the Flux object
              failed pre-install: unable to build kubernetes object for pre-install hook web/templates/job.yaml: error validating "": error validating data: [unknown object type "nil" in Job.spec]
              own: spec.install
        "#]]),
        ("H10", Kind::HelmRelease, "Helm install failed for release apps/web with chart web@1.4.0: parse error in (web/templates/x.yaml): no location", expect![[r#"
            H10: the template
              no location
              own: spec.chart.spec.version or spec.chartRef.name or spec.chart.spec.chart
        "#]]),
        ("H12", Kind::HelmRelease, "Helm install failed for release apps/web with chart web@1.4.0: values don't meet the specifications of the schema(s) in the following chart(s):\nredis:\ninvalid type for values: expected object (map), got string\n", expect![[r#"
            H12: values redis Type { expected: "object", got: "string" }
              redis: invalid type for values: expected object (map), got string
              own: spec.values/redis
        "#]]),
    ]
}

#[test]
fn messages() {
    check(examples());
}
