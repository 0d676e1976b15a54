//! The rows of conditions: what each kind says, and where in its own spec that belongs or who reads on.

use super::Then::{Own, Read};
use super::own::At::{self, Field, Holding, Is, Kinded, Named, Text, Told};
use super::{Fault, Other, Row, Scene, api, build, health, helm, variables};
use crate::Kind;

pub(super) const KS: &[Kind] = &[Kind::Kustomization];
pub(super) const HR: &[Kind] = &[Kind::HelmRelease];
/// The kinds in whose specs patches stand.
pub(super) const PATCHED: &[Kind] = &[Kind::Kustomization, Kind::HelmRelease, Kind::FluxInstance];
/// The kinds that apply objects.
const APPLYING: &[Kind] = &[Kind::Kustomization, Kind::ResourceSet, Kind::FluxInstance];
const ALERT: &[Kind] = &[Kind::Alert];
const GIT: &[Kind] = &[Kind::GitRepository];
const OCI: &[Kind] = &[Kind::OCIRepository];
const REPO: &[Kind] = &[Kind::HelmRepository];
const CHART: &[Kind] = &[Kind::HelmChart];
const BUCKET: &[Kind] = &[Kind::Bucket];
const FETCHING: &[Kind] = &[
    Kind::GitRepository,
    Kind::OCIRepository,
    Kind::HelmRepository,
    Kind::Bucket,
    Kind::ImageRepository,
    Kind::HelmChart,
];
/// The kinds that store artifacts.
const STORING: &[Kind] = &[
    Kind::GitRepository,
    Kind::OCIRepository,
    Kind::HelmRepository,
    Kind::HelmChart,
    Kind::Bucket,
    Kind::ArtifactGenerator,
];
const GENERATOR: &[Kind] = &[Kind::ArtifactGenerator];
const IMAGES: &[Kind] = &[Kind::ImageRepository];
const POLICY: &[Kind] = &[Kind::ImagePolicy];
const AUTOMATION: &[Kind] = &[Kind::ImageUpdateAutomation];
const RECEIVER: &[Kind] = &[Kind::Receiver];
const SET: &[Kind] = &[Kind::ResourceSet];
const INSTANCE: &[Kind] = &[Kind::FluxInstance];

const SOURCE: At = Field(&["spec.sourceRef.name"]);
pub(super) const CHART_OF_RELEASE: At = Field(&["spec.chartRef.name", "spec.chart.spec.sourceRef.name"]);
pub(super) const VERSION_OF_RELEASE: At =
    Field(&["spec.chart.spec.version", "spec.chartRef.name", "spec.chart.spec.chart"]);
const SECRET: At = Field(&["spec.secretRef.name", "spec.url", "spec.endpoint", "spec.image"]);

/// First match wins: the narrower shapes of a family come first.
pub(super) const ROWS: &[Row] = &[
    // C.4: what is told of objects, and what flux-operator puts before it.
    ("", APPLYING, "*/* *", Read(api::objects)),
    ("O3", SET, "reconciliation failed: *", Read(of_operator)),
    ("O4", INSTANCE, "reconciliation failed: *", Read(of_operator)),
    // C.1 Source and prerequisites.
    ("K1", KS, "unable to get source '*", Own(SOURCE)),
    ("K5", KS, "source `*` kind '*' not supported*", Own(Field(&["spec.sourceRef.kind"]))),
    ("K7", KS, "kustomization path not found: *", Own(Field(&["spec.path"]))),
    ("K1", KS, "*.source.toolkit.fluxcd.io \"*\" not found*", Own(SOURCE)),
    ("K2", KS, "Source artifact not found*", Own(SOURCE)),
    ("K3", KS, "Source is not ready, artifact not found*", Own(SOURCE)),
    (
        "K4",
        KS,
        "can't access '*', cross-namespace references have been blocked*",
        Own(Field(&["spec.sourceRef.namespace", "spec.sourceRef.name"])),
    ),
    ("K5", KS, "can't access '*', * feature gate is disabled*", Own(Field(&["spec.sourceRef.kind"]))),
    ("K6", KS, "failed to * archive*", Own(SOURCE)),
    ("K9", KS, "dependency '*' is not ready according to readyExpr eval*", Read(dependency)),
    ("K8", KS, "dependency '*' not found*", Read(dependency)),
    ("K9", KS, "dependency '*' *", Read(dependency)),
    (
        "K10",
        KS,
        "Reconciliation failed terminally due to configuration error: *failed to evaluate dependency *: *",
        Read(ready_expression),
    ),
    ("K10", KS, "Reconciliation failed terminally due to configuration error: *", Read(expression)),
    ("K11", KS, "to use * please enable the * feature gate*", Own(Told(0))),
    // C.2 Build.
    ("K26", KS, "*component path '*' must be local and relative*", Own(Text("spec.components", 1))),
    ("K17", KS, "*failed to decode Kubernetes YAML from *: *", Read(build::not_kubernetes)),
    ("K18", KS, "*recovered from panic while parsing YAML file *: *", Read(build::panicked)),
    ("K18", KS, "*recovered from kustomize build panic: *", Own(Field(&["spec.path"]))),
    ("K37", KS, "failed to decode Kubernetes apiVersion, kind and name from: *", Own(Field(&["spec.path"]))),
    ("", KS, "kustomize build failed: *", Read(build::read)),
    // C.3 Decryption and substitution.
    ("K38", KS, "cannot get sops decryption Secret '*'*", Own(Field(&["spec.decryption.secretRef.name"]))),
    (
        "K38",
        KS,
        "secrets \"*\" not found*",
        Own(Is(&["spec.decryption.secretRef.name", "spec.kubeConfig.secretRef.name"], 0)),
    ),
    (
        "K39",
        KS,
        "failed to import '*' data from sops decryption Secret '*'*",
        Own(Field(&["spec.decryption.secretRef.name"])),
    ),
    ("K40", KS, "decryption failed for '*': *", Read(variables::decryption)),
    ("K41", KS, "error decrypting sources: *", Read(build::encrypted_source)),
    ("K42", KS, "*failed to verify sops data integrity: *", Own(Field(&["spec.decryption"]))),
    ("", KS, "post build failed for '*': *", Read(variables::substitution)),
    ("K49", KS, "error converting YAML to JSON: *", Read(build::unreadable)),
    ("K49", KS, "*Object 'Kind' is missing in '*", Own(Field(&["spec.path"]))),
    ("A28", KS, "*unable to retrieve the complete list of server APIs: *", Own(Field(&[]))),
    (
        "A29",
        KS,
        "*KubeConfig secret '*",
        Own(Field(&["spec.kubeConfig.secretRef.name", "spec.kubeConfig.configMapRef.name"])),
    ),
    // C.5 Health, prune, deletion.
    ("A27", APPLYING, "timeout waiting for: [*", Read(stage)),
    ("W1", APPLYING, "*timeout waiting for: [*", Read(health::health)),
    ("W2", APPLYING, "*failed early due to stalled resources: [*", Read(health::health)),
    ("W6", KS, "New reconciliation triggered by *", Own(Field(&[]))),
    ("P1", APPLYING, "delete failed, errors: *", Read(health::prune)),
    ("P2", KS, "pruning for deleted resource failed*", Own(Field(&["spec.prune"]))),
    ("P2", KS, "failed to wait for resources termination*", Own(Field(&["spec.prune"]))),
    ("P2", KS, "unable to prune objects: *", Own(Field(&["spec.prune"]))),
    // C.6 HelmRelease.
    (
        "H1",
        HR,
        "could not get Source object: *",
        Own(Field(&["spec.chartRef.name", "spec.chart.spec.chart"])),
    ),
    ("H28", HR, "artifact revision * does not match chart version *", Own(Field(&["spec.chartRef.name"]))),
    ("H28", HR, "invalid artifact revision *", Own(Field(&["spec.chartRef.name"]))),
    ("H28", HR, "invalid chart version *", Own(VERSION_OF_RELEASE)),
    ("H5", HR, "unable to get '*' dependency*", Read(dependency)),
    ("H5", HR, "dependency '*' is not ready according to readyExpr eval*", Read(dependency)),
    ("H5", HR, "dependency '*' *", Read(dependency)),
    ("H2", HR, "* '*' is not ready: *", Read(helm::source_not_ready)),
    ("H2", HR, "* '*' is not ready", Own(CHART_OF_RELEASE)),
    ("H3", HR, "Source not ready: artifact not found*", Own(CHART_OF_RELEASE)),
    ("H3", HR, "Could not load chart: *", Own(CHART_OF_RELEASE)),
    (
        "H4",
        HR,
        "cross-namespace references are not allowed*",
        Own(Field(&["spec.chartRef.namespace", "spec.chart.spec.sourceRef.namespace"])),
    ),
    (
        "H7",
        HR,
        "could not resolve* * chart values reference '*': failed to merge value*",
        Read(helm::values_reference),
    ),
    ("H6", HR, "could not resolve* * chart values reference '*'*", Read(helm::values_reference)),
    ("H20", HR, "Helm test failed*", Read(helm::release)),
    ("H29", HR, "Failed to * after * attempt(s)*", Own(Field(&[]))),
    ("H30", HR, "Cluster state of release * has drifted*", Read(health::drift)),
    ("H30", HR, "Failed to partially correct cluster state of release *", Read(health::drift)),
    // A remedy: what it mends is told by another condition.
    ("H29", HR, "Helm rollback * succeeded", Own(Field(&[]))),
    ("H29", HR, "Helm uninstall * succeeded", Own(Field(&[]))),
    ("", HR, "Helm *", Read(helm::release)),
    (
        "H26",
        HR,
        "Could not determine release state: *",
        Own(Field(&["spec.serviceAccountName", "spec.storageNamespace"])),
    ),
    (
        "H27",
        HR,
        "could not get KubeConfig secret '*",
        Own(Field(&["spec.kubeConfig.secretRef.name", "spec.kubeConfig.configMapRef.name"])),
    ),
    (
        "H31",
        HR,
        "Reconciliation failed terminally due to configuration error: *failed to evaluate dependency *: *",
        Read(ready_expression),
    ),
    ("H31", HR, "Reconciliation failed terminally due to configuration error: *", Read(expression)),
    // C.7 Sources.
    ("K11", STORING, "to use * please enable the * feature gate*", Own(Told(0))),
    ("S25", STORING, "unable to archive artifact to storage: *", Own(Field(&[]))),
    ("S25", STORING, "unable to * to storage: *", Own(Field(&[]))),
    ("S25", STORING, "failed to create temporary working directory: *", Own(Field(&[]))),
    ("S25", STORING, "failed to acquire lock*", Own(Field(&[]))),
    ("S25", STORING, "failed to create artifact directory*", Own(Field(&[]))),
    ("S3", FETCHING, "*failed to get secret '*", Own(SECRET)),
    ("S3", GIT, "*no 'password' field was provided in the secret '*", Own(Field(&["spec.secretRef.name"]))),
    ("S3", GIT, "failed to configure authentication options: *", Own(SECRET)),
    ("S4", GIT, "*github app data*", Own(Field(&["spec.provider", "spec.secretRef.name"]))),
    ("S2", GIT, "*no match found for semver: *", Own(Field(&["spec.ref.semver"]))),
    ("S2", GIT, "*semver parse error: *", Own(Field(&["spec.ref.semver"]))),
    (
        "S2",
        GIT,
        "*unable to resolve ref '*' to a specific commit*",
        Own(Field(&["spec.ref.name", "spec.ref"])),
    ),
    ("S2", GIT, "*unable to resolve commit object for '*'*", Own(Field(&["spec.ref.commit", "spec.ref"]))),
    (
        "S1",
        GIT,
        "*couldn't find remote ref \"refs/tags/*\"*",
        Own(Field(&["spec.ref.tag", "spec.ref.name", "spec.ref"])),
    ),
    (
        "S1",
        GIT,
        "*couldn't find remote ref *",
        Own(Field(&["spec.ref.branch", "spec.ref.name", "spec.ref", "spec.url"])),
    ),
    ("S8", GIT, "signature verification of *", Own(Field(&["spec.verify"]))),
    ("S8", GIT, "cannot verify signature of tag *", Own(Field(&["spec.verify"]))),
    ("S8", GIT, "*public keys secret error: *", Own(Field(&["spec.verify.secretRef.name", "spec.verify"]))),
    ("S1", GIT, "*authentication required*", Own(SECRET)),
    ("S1", GIT, "*authorization failed*", Own(SECRET)),
    ("S1", GIT, "*ssh: handshake failed*", Own(SECRET)),
    ("S1", GIT, "*unable to authenticate*", Own(SECRET)),
    ("S1", GIT, "*repository not found*", Own(Field(&["spec.url"]))),
    ("S7", GIT, "failed to copy '*' include *", Own(Named("spec.include", 0, "repository.name"))),
    ("", GIT, "failed to configure proxy options: *", Own(Field(&["spec.proxySecretRef.name"]))),
    ("", GIT, "failed to load source ignore patterns *", Own(Field(&["spec.ignore"]))),
    ("S8", GIT, "cannot verify tag object's signature *", Own(Field(&["spec.verify.mode", "spec.ref"]))),
    ("S9", GIT, "*sparse checkout dir '*' cannot be resolved*", Own(Text("spec.sparseCheckout", 1))),
    ("S7", GIT, "* for include '*'*", Own(Named("spec.include", 1, "repository.name"))),
    ("S9", GIT, "*sparse checkout dir '*' does not exist*", Own(Text("spec.sparseCheckout", 1))),
    ("S5", GIT, "failed to parse url '*", Own(Field(&["spec.url"]))),
    ("S6", GIT, "git repository is empty*", Own(Field(&["spec.url"]))),
    ("S1", GIT, "*unable to clone*", Own(Field(&["spec.url"]))),
    ("S1", GIT, "*unable to list remote for *", Own(Field(&["spec.url"]))),
    ("S13", OCI, "failed to get proxy address: *", Own(Field(&["spec.proxySecretRef.name"]))),
    ("S15", OCI, "failed to parse artifact *", Own(Field(&["spec.layerSelector", "spec.url"]))),
    ("S15", OCI, "*no layers found in artifact*", Own(Field(&["spec.url"]))),
    ("S14", OCI, "failed to verify the signature using provider *", Own(Field(&["spec.verify"]))),
    ("S11", OCI, "*no match found for semver: *", Own(Field(&["spec.ref.semver"]))),
    ("S11", OCI, "*semver '*' parse error*", Own(Field(&["spec.ref.semver"]))),
    (
        "S15",
        OCI,
        "failed to find layer with media type *",
        Own(Field(&["spec.layerSelector.mediaType", "spec.layerSelector"])),
    ),
    ("S15", OCI, "failed to extract layer contents *", Own(Field(&["spec.layerSelector"]))),
    ("S15", OCI, "unsupported layer operation*", Own(Field(&["spec.layerSelector.operation"]))),
    ("S12", OCI, "URL validation failed for '*'*", Own(Field(&["spec.url"]))),
    (
        "S13",
        OCI,
        "failed to get credential from *",
        Own(Field(&["spec.provider", "spec.secretRef.name", "spec.url"])),
    ),
    ("S13", OCI, "failed to get credential*", Own(SECRET)),
    (
        "S13",
        OCI,
        "failed to generate transport for *",
        Own(Field(&["spec.certSecretRef.name", "spec.proxySecretRef.name", "spec.url"])),
    ),
    ("S10", OCI, "*UNAUTHORIZED*", Own(SECRET)),
    ("S10", OCI, "*DENIED*", Own(SECRET)),
    ("S10", OCI, "*x509: *", Own(Field(&["spec.certSecretRef.name", "spec.url"]))),
    ("S10", OCI, "*MANIFEST_UNKNOWN*", Own(Field(&["spec.ref.digest", "spec.ref.tag", "spec.url"]))),
    ("S10", OCI, "*404 Not Found*", Own(Field(&["spec.ref.digest", "spec.ref.tag", "spec.url"]))),
    ("S10", OCI, "*NAME_UNKNOWN*", Own(Field(&["spec.url"]))),
    ("S10", OCI, "failed to determine artifact digest: *", Own(Field(&["spec.url"]))),
    ("S10", OCI, "failed to determine the artifact tag *", Own(Field(&["spec.url"]))),
    ("S10", OCI, "failed to pull artifact from *", Own(Field(&["spec.url"]))),
    ("S16", REPO, "*: 401 *", Own(SECRET)),
    ("S16", REPO, "*: 403 *", Own(SECRET)),
    ("S16", REPO, "*x509: *", Own(Field(&["spec.certSecretRef.name", "spec.url"]))),
    ("S16", REPO, "failed to get authentication secret '*", Own(SECRET)),
    ("S16", REPO, "failed to fetch Helm repository index: *", Own(Field(&["spec.url"]))),
    ("S17", REPO, "invalid Helm repository URL: 'oci' URL scheme *", Own(Field(&["spec.type", "spec.url"]))),
    ("S17", REPO, "*Helm repository*", Own(Field(&["spec.url"]))),
    ("S18", CHART, "*no chart name found*", Own(Field(&["spec.chart"]))),
    (
        "S18",
        CHART,
        "*no '*' chart with version matching '*' found*",
        Own(Field(&["spec.version", "spec.chart"])),
    ),
    ("S18", CHART, "*no chart version found*", Own(Field(&["spec.version", "spec.chart"]))),
    (
        "S19",
        CHART,
        "*could not locate a version matching provided version string *",
        Own(Field(&["spec.version", "spec.chart"])),
    ),
    ("S20", CHART, "*no values file found at path '*' (reference '*')*", Own(Text("spec.valuesFiles", 2))),
    ("S20", CHART, "*unmarshaling values from '*' failed*", Own(Text("spec.valuesFiles", 1))),
    ("S20", CHART, "*could not read values from file '*'*", Own(Text("spec.valuesFiles", 1))),
    ("S22", CHART, "*unsupported source kind '*'*", Own(Field(&["spec.sourceRef.kind"]))),
    ("S22", CHART, "failed to construct Helm client: *", Own(SOURCE)),
    ("S22", CHART, "failed to authenticate with the Helm repository: *", Own(SOURCE)),
    ("S23", CHART, "invalid chart reference: stat *: no such file*", Read(chart_path)),
    ("S20", CHART, "*no values file found at path '*'*", Own(Text("spec.valuesFiles", 1))),
    ("S22", CHART, "no artifact available for * source '*'*", Own(SOURCE)),
    ("S22", CHART, "failed to get source: *", Own(SOURCE)),
    ("S23", CHART, "chart verification error: *", Own(Field(&["spec.verify"]))),
    ("S23", CHART, "failed to verify the signature *", Own(Field(&["spec.verify"]))),
    ("S23", CHART, "invalid chart reference: *", Own(Field(&["spec.chart"]))),
    ("S21", CHART, "dependency build error: *", Own(Field(&["spec.chart"]))),
    ("S19", CHART, "chart pull error: *", Own(SOURCE)),
    ("S24", BUCKET, "failed to get STS secret '*", Own(Field(&["spec.sts.secretRef.name"]))),
    ("S24", BUCKET, "failed to get STS TLS config: *", Own(Field(&["spec.sts.certSecretRef.name"]))),
    ("S24", BUCKET, "failed to parse STS endpoint *", Own(Field(&["spec.sts.endpoint"]))),
    ("S24", BUCKET, "failed to get proxy URL: *", Own(Field(&["spec.proxySecretRef.name"]))),
    ("S24", BUCKET, "failed to get TLS config: *", Own(Field(&["spec.certSecretRef.name"]))),
    ("S24", BUCKET, "indexation of objects from bucket *", Own(Field(&["spec.bucketName"]))),
    ("S24", BUCKET, "bucket '*' not found*", Own(Field(&["spec.bucketName"]))),
    ("S24", BUCKET, "*' bucket: Access Denied*", Own(Field(&["spec.secretRef.name", "spec.bucketName"]))),
    ("S24", BUCKET, "failed to confirm existence of *", Own(Field(&["spec.bucketName"]))),
    ("S24", BUCKET, "fetch from bucket *", Own(Field(&["spec.bucketName"]))),
    (
        "S26",
        GENERATOR,
        "*failed to apply copy operation from '*' to *",
        Own(Holding("spec.artifacts", "copy", 1)),
    ),
    ("S26", GENERATOR, "*source alias '*' not found*", Own(Field(&["spec.artifacts"]))),
    ("S26", GENERATOR, "*.source.toolkit.fluxcd.io \"*\" not found*", Own(Named("spec.sources", 1, "name"))),
    // C.8 Images, notification, flux-operator.
    ("I2", IMAGES, "image '*' should not include *", Own(Field(&["spec.image"]))),
    (
        "I3",
        IMAGES,
        "failed to configure authentication options: *",
        Own(Field(&["spec.secretRef.name", "spec.image"])),
    ),
    ("I1", IMAGES, "scan failed: *DENIED*", Own(Field(&["spec.secretRef.name", "spec.image"]))),
    ("I1", IMAGES, "scan failed: *UNAUTHORIZED*", Own(Field(&["spec.secretRef.name", "spec.image"]))),
    ("I1", IMAGES, "scan failed: *", Own(Field(&["spec.image"]))),
    (
        "I4",
        POLICY,
        "failed to get the referred ImageRepository: *cross-namespace references have been blocked*",
        Own(Field(&["spec.imageRepositoryRef.namespace", "spec.imageRepositoryRef.name"])),
    ),
    (
        "I4",
        POLICY,
        "failed to get the referred ImageRepository: *",
        Own(Field(&["spec.imageRepositoryRef.name"])),
    ),
    ("I5", POLICY, "*no tags in database*", Own(Field(&["spec.imageRepositoryRef.name"]))),
    ("I6", POLICY, "failed to filter tags: *", Own(Field(&["spec.filterTags.pattern"]))),
    ("I6", POLICY, "invalid policy: improper constraint: *", Own(Field(&["spec.policy.semver.range"]))),
    ("I6", POLICY, "invalid policy: *", Own(Field(&["spec.policy"]))),
    (
        "I7",
        POLICY,
        "version list argument cannot be empty*",
        Own(Field(&["spec.filterTags.pattern", "spec.policy"])),
    ),
    (
        "I7",
        POLICY,
        "unable to determine latest version from provided list*",
        Own(Field(&["spec.policy.semver.range", "spec.policy"])),
    ),
    (
        "I7",
        POLICY,
        "failed to parse invalid numeric value *",
        Own(Field(&["spec.policy.numerical", "spec.policy"])),
    ),
    (
        "I8",
        AUTOMATION,
        "failed to update source: failed to push *",
        Own(Field(&["spec.git.push", "spec.sourceRef.name"])),
    ),
    (
        "I8",
        AUTOMATION,
        "failed to checkout source: *",
        Own(Field(&["spec.git.checkout.ref", "spec.sourceRef.name"])),
    ),
    ("I9", AUTOMATION, "*necessitates field .spec.git*", Own(Field(&["spec.git", "spec.sourceRef.name"]))),
    ("I9", AUTOMATION, "source kind '*' not supported*", Own(Field(&["spec.sourceRef.kind"]))),
    ("I9", AUTOMATION, "failed configuring source manager: *", Own(SOURCE)),
    (
        "I10",
        AUTOMATION,
        "*cross-namespace references have been blocked*",
        Own(Field(&["spec.sourceRef.namespace", "spec.sourceRef.name"])),
    ),
    ("I10", AUTOMATION, "failed to parse policy selector: *", Own(Field(&["spec.policySelector"]))),
    ("I10", AUTOMATION, "failed to apply policies: *", Own(Field(&["spec.update.path", "spec.update"]))),
    ("I10", AUTOMATION, "*.Changed.ImageResult*", Own(Field(&["spec.git.commit.messageTemplate"]))),
    ("I10", AUTOMATION, "*'.Updated'*", Own(Field(&["spec.git.commit.messageTemplate"]))),
    (
        "I11",
        AUTOMATION,
        "*signing key from secret '*",
        Own(Field(&["spec.git.commit.signingKey.secretRef.name"])),
    ),
    ("I11", AUTOMATION, "*signing key secret '*", Own(Field(&["spec.git.commit.signingKey.secretRef.name"]))),
    ("N1", RECEIVER, "unable to read token from secret '*", Own(Field(&["spec.secretRef.name"]))),
    ("N1", RECEIVER, "invalid '*' secret data: *", Own(Field(&["spec.secretRef.name"]))),
    ("N2", RECEIVER, "*invalid resourceFilter expression: *", Own(Field(&["spec.resourceFilter"]))),
    ("N2", RECEIVER, "*invalid filter expression for *resources[*", Own(Told(2))),
    ("N2", RECEIVER, "*secretRef cannot be set when *", Own(Field(&["spec.secretRef"]))),
    ("N2", RECEIVER, "*secretRef is required when *", Own(Field(&["spec.type"]))),
    ("N2", RECEIVER, "*oidcProviders can only be set when *", Own(Field(&["spec.oidcProviders"]))),
    ("N2", RECEIVER, "*receiver requires at least one oidcProvider*", Own(Field(&["spec.type"]))),
    (
        "N3",
        ALERT,
        "failed to dispatch notification for *: failed to read provider: *",
        Own(Field(&["spec.providerRef.name"])),
    ),
    ("N3", ALERT, "failed to send notification for *: *", Own(Field(&["spec.providerRef.name"]))),
    ("O1", SET, "*failed to build resources[*", Own(Told(1))),
    ("O2", SET, "*dependency * not *", Own(Kinded("spec.dependsOn", 1, "name"))),
    ("O2", SET, "*dependency *", Own(Field(&["spec.dependsOn"]))),
    ("O4", INSTANCE, "fetch failed: *", Own(Field(&["spec.distribution"]))),
    ("O4", INSTANCE, "build failed: *", Read(instance_build)),
];

/// `reconciliation failed: step "apply" apply failed: <what is told of objects>`.
fn of_operator(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let text = captured.last()?;
    let inner = match text.strip_prefix("step \"") {
        Some(rest) => rest.split_once(" failed: ").map_or(rest, |(_, it)| it),
        None => text,
    };
    let inner = Scene { text: inner, ..*scene };
    let faults = api::objects(&inner, &[]).or_else(|| health::health(&inner, &[]));
    Some(faults.unwrap_or_else(|| vec![Fault::new(inner.text)]))
}

/// What a stage of an apply waits for (CRDs, namespaces) before the next begins.
fn stage(scene: &Scene<'_>, _: &[&str]) -> Option<Vec<Fault>> {
    let faults = health::health(scene, &[])?;
    Some(faults.into_iter().map(|fault| Fault { shape: Some("A27"), ..fault }).collect())
}

/// `dependency 'flux-system/infra' is not ready`: of the kind that says it.
fn dependency(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let told = captured.first()?;
    let (namespace, name) = told.split_once('/').map_or((None, *told), |(it, name)| (Some(it), name));
    let target =
        crate::failure::Named::new(scene.kind.as_str(), namespace, name).in_group(scene.kind.group());
    let missing = scene.text.contains("\" not found");
    let other = if missing { Other::Missing(target) } else { Other::NotReady(target) };
    let key = if scene.text.contains("according to readyExpr") { "readyExpr" } else { "name" };
    Some(vec![Fault::new(scene.text).own(Named("spec.dependsOn", 0, key), &[told]).other(other)])
}

/// `… for healthchecks[0]: failed to parse the expression Current: …`: the expression of `spec.healthCheckExprs`.
fn expression(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let what = captured.last()?;
    let fault = Fault::new(what);
    let index = what.split_once("healthchecks[").and_then(|(_, it)| it.split_once(']')).map(|(it, _)| it);
    let key = what.split_once("failed to parse the expression ").and_then(|(_, it)| it.split_once(':'));
    let path = index.zip(key).map(|(index, (key, _))| {
        let mut letters = key.chars();
        let key: String = letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect();
        format!("spec.healthCheckExprs[{index}].{key}")
    });
    Some(vec![match path {
        Some(path) => fault.own(Told(0), &[&path]),
        None => fault.own(Field(&["spec.healthCheckExprs"]), &[]),
    }])
}

/// `… failed to evaluate dependency infra: failed to parse the CEL expression …`.
fn ready_expression(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let [_, dependency, what] = captured[..] else { return None };
    let says = format!("dependency {dependency}: {what}");
    Some(vec![Fault::new(&says).own(Named("spec.dependsOn", 0, "readyExpr"), &[dependency])])
}

/// `build failed: kustomize build failed: …`: of its own spec only patches take part.
fn instance_build(scene: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let inner = Scene { text: captured.last()?, ..*scene };
    let own = Field(&["spec.kustomize.patches", "spec.distribution"]);
    let faults = crate::failure::first(build::PATCHES, &inner);
    Some(faults.unwrap_or_else(|| vec![Fault::new(inner.text).own(own, &[])]))
}

/// `invalid chart reference: stat /tmp/helmchart-…/source/charts/web: no such file or directory`.
fn chart_path(_: &Scene<'_>, captured: &[&str]) -> Option<Vec<Fault>> {
    let (_, path) = captured.first()?.split_once("/source/")?;
    Some(vec![Fault::new(&format!("{path}: no such file or directory")).own(Field(&["spec.chart"]), &[])])
}
