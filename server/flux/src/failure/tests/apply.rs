//! Server-side apply: C.4, H 4 and H 5.

use expect_test::expect;

use super::{Example, check};
use crate::Kind;

#[rustfmt::skip]
pub(super) fn examples() -> Vec<Example> {
    vec![
        ("A1", Kind::Kustomization, r#"Service/apps/my-app dry-run failed (Invalid): Service "my-app" is invalid: spec.ports[0].targetPort: Invalid value: "web": must contain at least one letter (a-z)"#, expect![[r#"
            A1 Service/apps/my-app of "": field spec.ports[0].targetPort = "web" Invalid
              spec.ports[0].targetPort: Invalid value: "web": must contain at least one letter (a-z)
        "#]]),
        ("A1", Kind::Kustomization, r#"Deployment/apps/web dry-run failed, reason: Invalid, error: Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"#, expect![[r#"
            A1 Deployment/apps/web of "apps": field spec.replicas = "-1" Invalid
              spec.replicas: Invalid value: -1: must be greater than or equal to 0
        "#]]),
        ("A1", Kind::Kustomization, r#"Deployment/apps/web dry-run failed (Invalid): Deployment.apps "web" is invalid: spec.template.spec.containers[0].image: Required value"#, expect![[r#"
            A1 Deployment/apps/web of "apps": field spec.template.spec.containers[0].image Required
              spec.template.spec.containers[0].image: Required value
        "#]]),
        ("A1", Kind::Kustomization, r#"Service/apps/web dry-run failed (Invalid): Service "web" is invalid: spec.ports[1].name: Duplicate value: "http""#, expect![[r#"
            A1 Service/apps/web of "": field spec.ports[1].name = "http" Duplicate
              spec.ports[1].name: Duplicate value: "http"
        "#]]),
        ("A2", Kind::Kustomization, r#"Deployment/apps/web dry-run failed (Invalid): Deployment.apps "web" is invalid: [spec.template.spec.containers[0].image: Required value, spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`]"#, expect![[r#"
            A2 Deployment/apps/web of "apps": field spec.template.spec.containers[0].image Required
              spec.template.spec.containers[0].image: Required value
            A2 Deployment/apps/web of "apps": field spec.template.metadata.labels NotSelected
              spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`
        "#]]),
        ("A5", Kind::Kustomization, r#"Deployment/apps/web dry-run failed (Invalid): Deployment.apps "web" is invalid: [spec.template.spec.containers[1].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never", spec.template.spec.containers[0].ports[0].containerPort: Invalid value: 99999: must be between 1 and 65535, inclusive]"#, expect![[r#"
            A5 Deployment/apps/web of "apps": field spec.template.spec.containers[1].imagePullPolicy = "Sometimes" NotSupported { allowed: ["Always", "IfNotPresent", "Never"] }
              spec.template.spec.containers[1].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"
            A2 Deployment/apps/web of "apps": field spec.template.spec.containers[0].ports[0].containerPort = "99999" Invalid
              spec.template.spec.containers[0].ports[0].containerPort: Invalid value: 99999: must be between 1 and 65535, inclusive
        "#]]),
        ("A3", Kind::Kustomization, r#"Job/apps/migrate dry-run failed (Invalid): Job.batch "migrate" is invalid: spec.template: Invalid value: {"metadata":{"labels":{"a":"b, c"}},"spec":{"containers":[{"name":"m"}]}}: field is immutable"#, expect![[r#"
            A3 Job/apps/migrate of "batch": field spec.template Immutable { but: [] }
              spec.template: Invalid value: {"metadata":{"labels":{"a":"b, c"}},"spec":{"containers":[{"name":"m"}]}}: field is immutable
              hint: to recreate the object, annotate it with `kustomize.toolkit.fluxcd.io/force: enabled` or set `spec.force`
        "#]]),
        ("A3", Kind::Kustomization, r#"Job/apps/migrate dry-run failed (Invalid): Job.batch "migrate" is invalid: spec.template: Invalid value: core.PodTemplateSpec{ObjectMeta:v1.ObjectMeta{Name:"", Labels:map[string]string{"a":"b"}}, Spec:core.PodSpec{Volumes:[]core.Volume(nil)}}: field is immutable"#, expect![[r#"
            A3 Job/apps/migrate of "batch": field spec.template Immutable { but: [] }
              spec.template: Invalid value: core.PodTemplateSpec{ObjectMeta:v1.ObjectMeta{Name:"", Labels:map[string]string{…: field is immutable
              hint: to recreate the object, annotate it with `kustomize.toolkit.fluxcd.io/force: enabled` or set `spec.force`
        "#]]),
        ("A3", Kind::Kustomization, r#"Service/apps/web dry-run failed (Invalid): Service "web" is invalid: spec.clusterIPs[0]: Invalid value: ["10.0.0.1"]: may not change once set"#, expect![[r#"
            A3 Service/apps/web of "": field spec.clusterIPs[0] Immutable { but: [] }
              spec.clusterIPs[0]: Invalid value: ["10.0.0.1"]: may not change once set
              hint: to recreate the object, annotate it with `kustomize.toolkit.fluxcd.io/force: enabled` or set `spec.force`
        "#]]),
        ("A4", Kind::Kustomization, r#"StatefulSet/db/pg dry-run failed (Invalid): StatefulSet.apps "pg" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"#, expect![[r#"
            A4 StatefulSet/db/pg of "apps": field spec Immutable { but: ["replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "minReadySeconds"] }
              spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden
        "#]]),
        ("A5", Kind::Kustomization, r#"Deployment/apps/web dry-run failed (Invalid): Deployment.apps "web" is invalid: spec.template.spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never""#, expect![[r#"
            A5 Deployment/apps/web of "apps": field spec.template.spec.containers[0].imagePullPolicy = "Sometimes" NotSupported { allowed: ["Always", "IfNotPresent", "Never"] }
              spec.template.spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"
        "#]]),
        ("A6", Kind::Kustomization, r#"HelmRelease/apps/web dry-run failed (Invalid): HelmRelease.helm.toolkit.fluxcd.io "web" is invalid: spec.interval: Invalid value: "10": spec.interval in body should match '^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$'"#, expect![[r#"
            A6 HelmRelease/apps/web of "helm.toolkit.fluxcd.io": field spec.interval = "10" Invalid
              spec.interval: Invalid value: "10": spec.interval in body should match '^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$'
        "#]]),
        ("A1", Kind::Kustomization, r#"HelmRelease/apps/web dry-run failed (Invalid): HelmRelease.helm.toolkit.fluxcd.io "web" is invalid: [spec.interval: Required value, <nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]"#, expect![[r#"
            A1 HelmRelease/apps/web of "helm.toolkit.fluxcd.io": field spec.interval Required
              spec.interval: Required value
        "#]]),
        ("A6", Kind::Kustomization, r#"HelmRelease/apps/web dry-run failed (Invalid): HelmRelease.helm.toolkit.fluxcd.io "web" is invalid: spec: Invalid value: "object": either chart or chartRef must be set"#, expect![[r#"
            A6 HelmRelease/apps/web of "helm.toolkit.fluxcd.io": field spec Invalid
              spec: Invalid value: either chart or chartRef must be set
        "#]]),
        ("A6", Kind::Kustomization, r#"Certificate/apps/tls dry-run failed (Invalid): Certificate.cert-manager.io "tls" is invalid: spec.revisionHistoryLimit: Invalid value: "string": spec.revisionHistoryLimit in body must be of type integer: "string""#, expect![[r#"
            A6 Certificate/apps/tls of "cert-manager.io": field spec.revisionHistoryLimit Type { expected: "integer", got: "string" }
              spec.revisionHistoryLimit: Invalid value: spec.revisionHistoryLimit in body must be of type integer: "string"
        "#]]),
        ("A7", Kind::Kustomization, r#"Deployment/apps/web dry-run failed: failed to create typed patch object (apps/web; apps/v1, Kind=Deployment): .spec.template.spec.containers[name="web"].imagePullPolcy: field not declared in schema"#, expect![[r#"
            A7 Deployment/apps/web: field spec.template.spec.containers[name="web"].imagePullPolcy Unknown
              spec.template.spec.containers[name="web"].imagePullPolcy: field not declared in schema
        "#]]),
        ("A7", Kind::Kustomization, "Certificate/apps/tls dry-run failed (InternalError): failed to create typed patch object (apps/tls; cert-manager.io/v1, Kind=Certificate): errors:\n  .spec.dnsName: field not declared in schema\n  .spec.duraton: field not declared in schema\n  .spec.replicas: expected numeric (int or float), got string", expect![[r#"
            A7 Certificate/apps/tls: field spec.dnsName Unknown
              spec.dnsName: field not declared in schema
            A7 Certificate/apps/tls: field spec.duraton Unknown
              spec.duraton: field not declared in schema
            A8 Certificate/apps/tls: field spec.replicas Type { expected: "numeric (int or float)", got: "string" }
              spec.replicas: expected numeric (int or float), got string
        "#]]),
        ("A8", Kind::Kustomization, "Deployment/apps/web dry-run failed: failed to create typed patch object (apps/web; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got string", expect![[r#"
            A8 Deployment/apps/web: field spec.replicas Type { expected: "numeric (int or float)", got: "string" }
              spec.replicas: expected numeric (int or float), got string
        "#]]),
        ("A8", Kind::Kustomization, "ConfigMap/apps/settings dry-run failed: failed to create typed patch object (apps/settings; /v1, Kind=ConfigMap): .data.PORT: expected string, got &value.valueUnstructured{Value:8080}", expect![[r#"
            A8 ConfigMap/apps/settings: field data.PORT = "8080" Type { expected: "string", got: "8080" }
              data.PORT: expected string, got 8080
        "#]]),
        ("A9", Kind::Kustomization, r#"Deployment/apps/web dry-run failed: failed to create typed patch object (apps/web; apps/v1, Kind=Deployment): .spec.template.spec.containers: duplicate entries for key [name="web"]"#, expect![[r#"
            A9 Deployment/apps/web: field spec.template.spec.containers[name="web"] Duplicate
              spec.template.spec.containers: duplicate entries for key [name="web"]
        "#]]),
        ("A9", Kind::Kustomization, r#"Deployment/apps/web dry-run failed: failed to create typed patch object (apps/web; apps/v1, Kind=Deployment): .spec.template.spec.containers: element 0: associative list with keys has an element that omits key field "name" (and doesn't have default value)"#, expect![[r#"
            A9 Deployment/apps/web: field spec.template.spec.containers[0].name Required
              spec.template.spec.containers: element 0: associative list with keys has an element that omits key field "name" (and doesn't have default value)
        "#]]),
        ("A10", Kind::Kustomization, r#"Deployment/apps/web dry-run failed (BadRequest): Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string"#, expect![[r#"
            A10 Deployment/apps/web: field spec.template.spec.containers.env.value Type { expected: "string", got: "number" }
              json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string
        "#]]),
        ("A10", Kind::Kustomization, r#"ConfigMap/apps/web dry-run failed (BadRequest): ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal bool into Go struct field EnvVar.value of type string"#, expect![[r#"
            A10 ConfigMap/apps/web: somewhere Typed { key: "value", expected: "string", got: "bool" }
              json: cannot unmarshal bool into Go struct field EnvVar.value of type string
        "#]]),
        ("H-4", Kind::Kustomization, "Deployment/lab/w dry-run failed: failed to convert new object (lab/w; apps/v1, Kind=Deployment) to proper version: unable to convert unstructured object to apps/v1, Kind=Deployment: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'", expect![[r#"
            H-4 Deployment/lab/w: somewhere Quantity
              quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
        "#]]),
        ("H-4", Kind::Kustomization, r#"Secret/lab/s dry-run failed (BadRequest): Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 4"#, expect![[r#"
            H-4 Secret/lab/s: somewhere Base64
              illegal base64 data at input byte 4
        "#]]),
        ("H-5", Kind::Kustomization, r#"Deployment/lab/w dry-run failed (Invalid): Deployment.apps "w" is invalid: metadata.labels: Invalid value: "not valid!": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"#, expect![[r#"
            H-5 Deployment/lab/w of "apps": field metadata.labels = "not valid!" Invalid
              metadata.labels: Invalid value: "not valid!": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character
        "#]]),
        ("A11", Kind::Kustomization, r#"ServiceMonitor/monitoring/app dry-run failed: no matches for kind "ServiceMonitor" in version "monitoring.coreos.com/v1""#, expect![[r#"
            A11 ServiceMonitor/monitoring/app: field apiVersion = "monitoring.coreos.com/v1" NotFound
              the cluster knows no ServiceMonitor in monitoring.coreos.com/v1: is its CRD missing?
              no kind ServiceMonitor of monitoring.coreos.com/v1
        "#]]),
        ("A12", Kind::Kustomization, r#"Deployment/apps/web not found: namespaces "apps" not found"#, expect![[r#"
            A12 Deployment/apps/web: field metadata.namespace = "apps" NotFound
              the namespace apps does not exist
              missing Namespace/apps
              own: spec.targetNamespace
        "#]]),
        ("A12", Kind::Kustomization, r#"Deployment/apps/web dry-run failed (NotFound): namespaces "apps" not found"#, expect![[r#"
            A12 Deployment/apps/web: field metadata.namespace = "apps" NotFound
              the namespace apps does not exist
              missing Namespace/apps
              own: spec.targetNamespace
        "#]]),
        ("A13", Kind::Kustomization, "ConfigMap/settings namespace not specified: the server could not find the requested resource", expect![[r#"
            A13 ConfigMap/settings: field metadata.namespace Required
              ConfigMap/settings has no namespace: the server could not find the requested resource
        "#]]),
        ("A14", Kind::Kustomization, r#"Deployment/prod/web dry-run failed (Forbidden): deployments.apps "web" is forbidden: User "system:serviceaccount:apps:reconciler" cannot patch resource "deployments" in API group "apps" in the namespace "prod""#, expect![[r#"
            A14 Deployment/prod/web: the Flux object
              the service account apps/reconciler cannot patch resource "deployments" in API group "apps" in the namespace "prod"
              own: spec.serviceAccountName
        "#]]),
        ("A14", Kind::Kustomization, r#"PriorityClass/loyalty dry-run failed (Forbidden): priorityclasses.scheduling.k8s.io "loyalty" is forbidden: User "system:serviceaccount:shop:loyalty" cannot patch resource "priorityclasses" in API group "scheduling.k8s.io" at the cluster scope"#, expect![[r#"
            A14 PriorityClass/loyalty: the Flux object
              the service account shop/loyalty cannot patch resource "priorityclasses" in API group "scheduling.k8s.io" at the cluster scope
              own: spec.serviceAccountName
        "#]]),
        ("A15", Kind::Kustomization, r#"Pod/apps/web dry-run failed (Forbidden): pods "web" is forbidden: exceeded quota: compute, requested: limits.cpu=2, used: limits.cpu=9, limited: limits.cpu=10"#, expect![[r#"
            A15 (cluster) Pod/apps/web: the object
              exceeded quota: compute, requested: limits.cpu=2, used: limits.cpu=9, limited: limits.cpu=10
              by compute
        "#]]),
        ("A16", Kind::Kustomization, r#"Pod/apps/web dry-run failed (Forbidden): pods "web" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "web" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "web" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "web" must set securityContext.runAsNonRoot=true), host namespaces (hostNetwork=true)"#, expect![[r#"
            A16 Pod/apps/web: field spec.containers[name="web"].securityContext.allowPrivilegeEscalation Denied
              allowPrivilegeEscalation != false (container "web" must set securityContext.allowPrivilegeEscalation=false)
              by PodSecurity restricted:latest
            A16 Pod/apps/web: field spec.containers[name="web"].securityContext.capabilities.drop Denied
              unrestricted capabilities (container "web" must set securityContext.capabilities.drop=["ALL"])
              by PodSecurity restricted:latest
            A16 Pod/apps/web: field spec.containers[name="web"].securityContext.runAsNonRoot Denied
              runAsNonRoot != true (pod or container "web" must set securityContext.runAsNonRoot=true)
              by PodSecurity restricted:latest
            A16 Pod/apps/web: field spec.hostNetwork Denied
              host namespaces (hostNetwork=true)
              by PodSecurity restricted:latest
        "#]]),
        ("A17", Kind::Kustomization, "Ingress/apps/web dry-run failed (Forbidden): admission webhook \"validation.gatekeeper.sh\" denied the request: [require-labels] you must provide labels: {\"owner\"}\n[no-latest] container <web> uses the latest tag", expect![[r#"
            A17 Ingress/apps/web: the object
              you must provide labels: {"owner"}
              by require-labels
            A17 Ingress/apps/web: the object
              container <web> uses the latest tag
              by no-latest
        "#]]),
        ("A17", Kind::Kustomization, "Deployment/apps/web dry-run failed: admission webhook \"validate.kyverno.svc-fail\" denied the request: \n\nresource Deployment/apps/web was blocked due to the following policies \n\nrequire-requests:\n  autogen-validate-resources: 'validation error: CPU and memory requests are required. rule autogen-validate-resources failed at path /spec/template/spec/containers/0/resources/requests/'\nrequire-labels:\n  check-for-labels: 'validation error: label app is required'\n", expect![[r#"
            A17 Deployment/apps/web: field spec.template.spec.containers[0].resources.requests Denied
              validation error: CPU and memory requests are required. rule autogen-validate-resources failed at path /spec/template/spec/containers/0/resources/requests/
              by require-requests
            A17 Deployment/apps/web: the object
              validation error: label app is required
              by require-labels
        "#]]),
        ("A17", Kind::Kustomization, r#"Certificate/apps/tls dry-run failed (Forbidden): admission webhook "webhook.cert-manager.io" denied the request: [spec.issuerRef.name: Required value: must be specified, spec.secretName: Required value: must be specified]"#, expect![[r#"
            A17 Certificate/apps/tls: field spec.issuerRef.name Required
              spec.issuerRef.name: Required value: must be specified
              by webhook.cert-manager.io
            A17 Certificate/apps/tls: field spec.secretName Required
              spec.secretName: Required value: must be specified
              by webhook.cert-manager.io
        "#]]),
        ("A17", Kind::Kustomization, r#"Ingress/apps/web dry-run failed (BadRequest): admission webhook "validate.nginx.ingress.kubernetes.io" denied the request: host "a.example" and path "/" is already defined in ingress shop/web"#, expect![[r#"
            A17 Ingress/apps/web: the object
              host "a.example" and path "/" is already defined in ingress shop/web
              by validate.nginx.ingress.kubernetes.io
        "#]]),
        ("A18", Kind::Kustomization, r#"Certificate/apps/tls dry-run failed (InternalError): Internal error occurred: failed calling webhook "webhook.cert-manager.io": failed to call webhook: Post "https://cert-manager-webhook.cert-manager.svc:443/validate?timeout=30s": context deadline exceeded"#, expect![[r#"
            A18 (cluster) Certificate/apps/tls: the object
              Internal error occurred: failed calling webhook "webhook.cert-manager.io": failed to call webhook: Post "https://cert-manager-webhook.cert-manager.svc:443/validate?timeout=30s": context deadline exceeded
              by webhook.cert-manager.io
        "#]]),
        ("A19", Kind::Kustomization, r#"Pod/apps/web dry-run failed (BadRequest): admission webhook "sidecar.example.com" does not support dry run"#, expect![[r#"
            A19 (cluster) Pod/apps/web: the object
              admission webhook "sidecar.example.com" does not support dry run
              by sidecar.example.com
        "#]]),
        ("A20", Kind::Kustomization, r#"Deployment/apps/web dry-run failed (Invalid): deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'replicas.example.com' with binding 'replicas-binding' denied request: failed expression: object.spec.replicas <= 5"#, expect![[r#"
            A20 Deployment/apps/web: the object
              failed expression: object.spec.replicas <= 5
              by replicas.example.com
        "#]]),
        ("A21", Kind::Kustomization, r#"ConfigMap/apps/a dry-run failed (Forbidden): configmaps "a" is forbidden: unable to create new content in namespace apps because it is being terminated"#, expect![[r#"
            A21 (cluster) ConfigMap/apps/a: field metadata.namespace Forbidden
              the namespace apps is being deleted
              not ready Namespace/apps
        "#]]),
        ("A22", Kind::Kustomization, "Deployment/apps/web dry-run failed (FieldManagerConflict): Apply failed with 2 conflicts: conflicts with \"kubectl\" using apps/v1:\n- .spec.replicas\n- .spec.template.spec.containers[name=\"web\"].image", expect![[r#"
            A22 Deployment/apps/web: field spec.replicas Owned
              spec.replicas is owned by kubectl
              by kubectl
            A22 Deployment/apps/web: field spec.template.spec.containers[name="web"].image Owned
              spec.template.spec.containers[name="web"].image is owned by kubectl
              by kubectl
        "#]]),
        ("A22", Kind::Kustomization, r#"Deployment/apps/web dry-run failed (FieldManagerConflict): Apply failed with 1 conflict: conflict with "hpa" using apps/v1: .spec.replicas"#, expect![[r#"
            A22 Deployment/apps/web: field spec.replicas Owned
              spec.replicas is owned by hpa
              by hpa
        "#]]),
        ("A23", Kind::Kustomization, "Server/rabbitmq-instances/rabbitmq-management dry-run failed: .spec.accessPolicy: field not declared in schema", expect![[r#"
            A23 Server/rabbitmq-instances/rabbitmq-management: field spec.accessPolicy Unknown
              spec.accessPolicy: field not declared in schema
              hint: if the field is not in your text: the CRD's version changed; Flux's MigrateAPIVersion feature gate mends that
        "#]]),
        ("A24", Kind::Kustomization, r#"Job/apps/migrate immutable field detected, failed to delete object: jobs.batch "migrate" is forbidden"#, expect![[r#"
            A24 Job/apps/migrate: the object
              immutable field detected, failed to delete object: jobs.batch "migrate" is forbidden
        "#]]),
        ("A25", Kind::Kustomization, "Deployment/apps/web apply failed: etcdserver: request is too large", expect![[r#"
            A25 (cluster) Deployment/apps/web: the object
              etcdserver: request is too large
        "#]]),
        ("A26", Kind::Kustomization, "Deployment/apps/web metadata.managedFields cleanup failed: the server rejected our request", expect![[r#"
            A26 Deployment/apps/web: the object
              metadata.managedFields cleanup failed: the server rejected our request
        "#]]),
        ("A27", Kind::Kustomization, "timeout waiting for: [CustomResourceDefinition/certificates.cert-manager.io status: 'InProgress']", expect![[r#"
            A27 CustomResourceDefinition/certificates.cert-manager.io: the object
              CustomResourceDefinition/certificates.cert-manager.io did not become ready in time
              own: spec.healthChecks[CustomResourceDefinition/certificates.cert-manager.io].name
        "#]]),
        ("A28", Kind::Kustomization, "failed to get API group resources: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: the server is currently unable to handle the request", expect![[r#"
            A28 (cluster): the Flux object
              failed to get API group resources: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: the server is currently unable to handle the request
        "#]]),
        ("A29", Kind::Kustomization, r#"unable to read KubeConfig secret 'apps/prod-kubeconfig' error: secrets "prod-kubeconfig" not found"#, expect![[r#"
            A29: the Flux object
              unable to read KubeConfig secret 'apps/prod-kubeconfig' error: secrets "prod-kubeconfig" not found
              missing Secret/prod-kubeconfig
              own: spec.kubeConfig.secretRef.name or spec.kubeConfig.configMapRef.name
        "#]]),
        ("A1", Kind::Kustomization, "Deployment/apps/web dry-run failed (Invalid): Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0\nService/apps/web dry-run failed (Invalid): Service \"web\" is invalid: spec.ports: Required value\n", expect![[r#"
            A1 Deployment/apps/web of "apps": field spec.replicas = "-1" Invalid
              spec.replicas: Invalid value: -1: must be greater than or equal to 0
            A1 Service/apps/web of "": field spec.ports Required
              spec.ports: Required value
        "#]]),
        ("A1", Kind::Kustomization, "Deployment/apps/web dry-run failed (Invalid): Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0\nNamespace/apps created\nConfigMap/apps/settings configured\n", expect![[r#"
            A1 Deployment/apps/web of "apps": field spec.replicas = "-1" Invalid
              spec.replicas: Invalid value: -1: must be greater than or equal to 0
        "#]]),
        ("-", Kind::Kustomization, "Deployment/apps/web dry-run failed: something that nobody has seen before", expect![[r#"
            - Deployment/apps/web: the object
              something that nobody has seen before
        "#]]),
        ("-", Kind::Kustomization, "something that nobody has seen before", expect![[r#"
            -: the Flux object
              something that nobody has seen before
        "#]]),
        ("A5", Kind::Kustomization, "Deployment/a5-component/web dry-run failed (Invalid): Deployment.apps \"web\" is invalid: spec.strategy: Unsupported value: {\"Type\":\"Restart\",\"RollingUpdate\":null}: supported values: \"Recreate\", \"RollingUpdate\"\n", expect![[r#"
            A5 Deployment/a5-component/web of "apps": field spec.strategy.type = "Restart" NotSupported { allowed: ["Recreate", "RollingUpdate"] }
              spec.strategy: Unsupported value: {"Type":"Restart","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"
        "#]]),
        ("A5", Kind::Kustomization, "Kustomization/a6-enum/apps dry-run failed (Invalid): Kustomization.kustomize.toolkit.fluxcd.io \"apps\" is invalid: [spec.sourceRef.kind: Unsupported value: \"HelmRepository\": supported values: \"OCIRepository\", \"GitRepository\", \"Bucket\", \"ExternalArtifact\", <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]\n", expect![[r#"
            A5 Kustomization/a6-enum/apps of "kustomize.toolkit.fluxcd.io": field spec.sourceRef.kind = "HelmRepository" NotSupported { allowed: ["OCIRepository", "GitRepository", "Bucket", "ExternalArtifact"] }
              spec.sourceRef.kind: Unsupported value: "HelmRepository": supported values: "OCIRepository", "GitRepository", "Bucket", "ExternalArtifact"
        "#]]),
        ("A6", Kind::Kustomization, "HelmRelease/a6-rule/web dry-run failed (Invalid): HelmRelease.helm.toolkit.fluxcd.io \"web\" is invalid: spec: Invalid value: either chart or chartRef must be set\n", expect![[r#"
            A6 HelmRelease/a6-rule/web of "helm.toolkit.fluxcd.io": field spec Invalid
              spec: Invalid value: either chart or chartRef must be set
        "#]]),
        ("A8", Kind::Kustomization, "Deployment/a8-variable/web dry-run failed: failed to create typed patch object (a8-variable/web; apps/v1, Kind=Deployment): .spec.template.spec.containers[name=\"web\"].env[name=\"PORT\"].value: expected string, got &value.valueUnstructured{Value:8080}\n", expect![[r#"
            A8 Deployment/a8-variable/web: field spec.template.spec.containers[name="web"].env[name="PORT"].value = "8080" Type { expected: "string", got: "8080" }
              spec.template.spec.containers[name="web"].env[name="PORT"].value: expected string, got 8080
        "#]]),
        ("A9", Kind::Kustomization, "Service/a9-port/web dry-run failed: failed to create typed patch object (a9-port/web; /v1, Kind=Service): .spec.ports: duplicate entries for key [port=80,protocol=\"TCP\"]\n", expect![[r#"
            A9 Service/a9-port/web: field spec.ports[port="80",protocol="TCP"] Duplicate
              spec.ports: duplicate entries for key [port=80,protocol="TCP"]
        "#]]),
        ("A9", Kind::Kustomization, r#"Deployment/apps/web dry-run failed: failed to create typed patch object (apps/web; apps/v1, Kind=Deployment): .spec.template.spec.containers: element 1: associative list with keys has an element that omits all key fields ["name"] (and doesn't have default values for any key fields)"#, expect![[r#"
            A9 Deployment/apps/web: field spec.template.spec.containers[1].name Required
              spec.template.spec.containers: element 1: associative list with keys has an element that omits all key fields ["name"] (and doesn't have default values for any key fields)
        "#]]),
        ("A8", Kind::Kustomization, "Deployment/apps/web dry-run failed: failed to create typed patch object (apps/web; apps/v1, Kind=Deployment): errors:\n  .spec.paused: expected boolean, got &{yes please}\n  .spec.template.spec.containers: expected list, got &{map[name:web]}", expect![[r#"
            A8 Deployment/apps/web: field spec.paused = "yes please" Type { expected: "boolean", got: "yes please" }
              spec.paused: expected boolean, got yes please
            A8 Deployment/apps/web: field spec.template.spec.containers = "map[name:web]" Type { expected: "list", got: "map[name:web]" }
              spec.template.spec.containers: expected list, got map[name:web]
        "#]]),
        ("A14", Kind::Kustomization, "Role/apps/reader dry-run failed (Forbidden): roles.rbac.authorization.k8s.io \"reader\" is forbidden: user \"system:serviceaccount:apps:deployer\" (groups=[\"system:serviceaccounts\" \"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\"]}", expect![[r#"
            A14 Role/apps/reader: the Flux object
              the service account apps/deployer cannot grant RBAC permissions not currently held: {APIGroups:[""], Resources:["secrets"], Verbs:["get"]}
              own: spec.serviceAccountName
        "#]]),
        ("A3", Kind::Kustomization, "PersistentVolumeClaim/db/data dry-run failed (Invalid): PersistentVolumeClaim \"data\" is invalid: spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n  core.PersistentVolumeClaimSpec{\n  \t... // 2 identical fields\n- \tStorageClassName: &\"slow\",\n+ \tStorageClassName: &\"fast\",\n  }\n", expect![[r#"
            A3 PersistentVolumeClaim/db/data of "": field spec Immutable { but: ["resources.requests", "volumeAttributesClassName"] }
              spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims
              hint: to recreate the object, annotate it with `kustomize.toolkit.fluxcd.io/force: enabled` or set `spec.force`
        "#]]),
        ("A24", Kind::Kustomization, "Job/apps/migrate immutable field detected, failed to wait for object to be deleted: context deadline exceeded", expect![[r#"
            A24 Job/apps/migrate: the object
              immutable field detected, failed to wait for object to be deleted: context deadline exceeded
        "#]]),
        ("A17", Kind::Kustomization, r#"Pod/apps/web dry-run failed (Forbidden): admission webhook "policy.example.com" denied the request without explanation"#, expect![[r#"
            A17 Pod/apps/web: the object
              denied by policy.example.com without explanation
              by policy.example.com
        "#]]),
        ("-", Kind::Kustomization, r#"Pod/apps/web dry-run failed (Forbidden): pods "web" is forbidden: error looking up service account apps/web: serviceaccount "web" not found"#, expect![[r#"
            - Pod/apps/web: field spec.serviceAccountName NotFound
              error looking up service account apps/web: serviceaccount "web" not found
              missing ServiceAccount/web
        "#]]),
    ]
}

#[test]
fn messages() {
    check(examples());
}
