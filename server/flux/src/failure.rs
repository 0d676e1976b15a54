//! Where in the object's own document a failure belongs.
//!
//! One table: message shapes of the failure catalogue (flux-reference C) and the field of the Flux object
//! that each is about. Shapes that are about an applied manifest are not here: their mark stands in that
//! manifest, and on the Flux object's name where it is not found.

use serde_json::Value;

use crate::json::{list, text};
use crate::message::capture;
use crate::observe::Trouble;
use crate::{Kind, Object, Verdict};

/// Who can do something about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The text is wrong.
    Author,
    /// The cluster, a network or a quota is the trouble: nothing to underline in the text but the name of
    /// the Flux object, as a warning.
    Cluster,
}

/// A field of a Flux object at which a failure stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRef {
    /// `spec.dependsOn[1].name`, with the index that it has in the live spec.
    pub path: String,
    /// Who can do something about it.
    pub side: Side,
    /// The shape of the message in the catalogue (`K7`), if it is a known one.
    pub shape: Option<&'static str>,
}

/// How to find the field.
enum At {
    /// The first of these that the spec has, else the object's name.
    Field(&'static [&'static str]),
    /// The item of a list that the nth `*` names, as `namespace/name` or `name`; then the key in it.
    Named(&'static str, usize, &'static str),
    /// The item of a list that the nth `*` names as `Kind/name`.
    Kinded(&'static str, usize, &'static str),
    /// As `Named`, of the kind in the `*` before.
    NamedKind(&'static str, usize, &'static str),
    /// The text in a list that the nth `*` quotes.
    Text(&'static str, usize),
    /// The entry of a list of mappings whose key holds the text of the nth `*`.
    Holding(&'static str, &'static str, usize),
    /// The patch about the object (a kustomize id) or the JSON pointer of the nth `*`.
    Patch(&'static str, usize),
    /// Below `spec.values`, as the nth `*` says: a template's expression or a JSON pointer.
    Values(usize),
    /// The field that the nth `*` is the path of.
    Told(usize),
    /// The health check that names the object, else the name.
    HealthCheck,
}

use At::{Field, HealthCheck, Holding, Kinded, Named, NamedKind, Patch, Text, Told, Values};

type Shape = (&'static str, &'static [Kind], &'static str, At);

const KS: &[Kind] = &[Kind::Kustomization];
const HR: &[Kind] = &[Kind::HelmRelease];
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
const GENERATOR: &[Kind] = &[Kind::ArtifactGenerator];
const IMAGES: &[Kind] = &[Kind::ImageRepository];
const POLICY: &[Kind] = &[Kind::ImagePolicy];
const AUTOMATION: &[Kind] = &[Kind::ImageUpdateAutomation];
const RECEIVER: &[Kind] = &[Kind::Receiver];
const SET: &[Kind] = &[Kind::ResourceSet];
const INSTANCE: &[Kind] = &[Kind::FluxInstance];

const SOURCE: At = Field(&["spec.sourceRef.name"]);
const CHART_OF_RELEASE: At = Field(&["spec.chartRef.name", "spec.chart.spec.sourceRef.name"]);
const VERSION_OF_RELEASE: At =
    Field(&["spec.chart.spec.version", "spec.chartRef.name", "spec.chart.spec.chart"]);
const SECRET: At = Field(&["spec.secretRef.name", "spec.url", "spec.endpoint", "spec.image"]);

/// First match wins: the narrower shapes of a family come first.
const SHAPES: &[Shape] = &[
    // C.1 Source and prerequisites.
    ("K7", KS, "kustomization path not found: *", Field(&["spec.path"])),
    ("K1", KS, "*.source.toolkit.fluxcd.io \"*\" not found*", SOURCE),
    ("K2", KS, "Source artifact not found*", SOURCE),
    ("K3", KS, "Source is not ready, artifact not found*", SOURCE),
    (
        "K4",
        KS,
        "can't access '*', cross-namespace references have been blocked*",
        Field(&["spec.sourceRef.namespace", "spec.sourceRef.name"]),
    ),
    ("K5", KS, "can't access '*', * feature gate is disabled*", Field(&["spec.sourceRef.kind"])),
    ("K6", KS, "failed to * archive*", SOURCE),
    (
        "K9",
        KS,
        "dependency '*' is not ready according to readyExpr eval*",
        Named("spec.dependsOn", 0, "readyExpr"),
    ),
    ("K8", KS, "dependency '*' not found*", Named("spec.dependsOn", 0, "name")),
    ("K9", KS, "dependency '*' *", Named("spec.dependsOn", 0, "name")),
    (
        "K10",
        KS,
        "Reconciliation failed terminally due to configuration error: failed to evaluate dependency *: *",
        Named("spec.dependsOn", 0, "readyExpr"),
    ),
    (
        "K10",
        KS,
        "Reconciliation failed terminally due to configuration error: *",
        Field(&["spec.healthCheckExprs"]),
    ),
    ("K11", KS, "to use * please enable the * feature gate*", Told(0)),
    // C.2 Build: of the Flux object's own fields only patches, components and the path take part.
    ("K26", KS, "*component path '*' must be local and relative*", Text("spec.components", 1)),
    ("K27", KS, "*no resource matches strategic merge patch \"*\"*", Patch("spec.patches", 1)),
    (
        "K28",
        KS,
        "*multiple matches for Id *; failed to find unique target for patch *",
        Patch("spec.patches", 2),
    ),
    (
        "K29",
        KS,
        "*operation does not apply: doc is missing path: *: missing value*",
        Patch("spec.patches", 1),
    ),
    ("K29", KS, "*operation does not apply: doc is missing *: \"*\"*", Patch("spec.patches", 2)),
    ("K38", KS, "cannot get sops decryption Secret '*'*", Field(&["spec.decryption.secretRef.name"])),
    (
        "K39",
        KS,
        "failed to import '*' data from sops decryption Secret '*'*",
        Field(&["spec.decryption.secretRef.name"]),
    ),
    ("K40", KS, "decryption failed for '*'*", Field(&["spec.decryption"])),
    ("K41", KS, "error decrypting sources: *", Field(&["spec.decryption"])),
    ("K43", KS, "* is SOPS encrypted, configuring decryption is required*", Field(&["spec.decryption"])),
    ("K48", KS, "*substitute from '*' error: *", Kinded("spec.postBuild.substituteFrom", 1, "name")),
    ("K44", KS, "*variable not set (strict mode): \"*\"*", Field(&["spec.postBuild"])),
    (
        "K45",
        KS,
        "*envsubst error: '*' var name is invalid*",
        Field(&["spec.postBuild.substitute", "spec.postBuild.substituteFrom"]),
    ),
    ("K12", KS, "kustomize build failed: *", Field(&["spec.path"])),
    // C.4 and C.5, as far as a field of the Kustomization is the cause.
    ("A12", KS, "* not found: namespaces \"*\" not found*", Field(&["spec.targetNamespace"])),
    (
        "A14",
        KS,
        "* is forbidden: User \"system:serviceaccount:*\" cannot *",
        Field(&["spec.serviceAccountName"]),
    ),
    (
        "A29",
        KS,
        "*KubeConfig secret '*",
        Field(&["spec.kubeConfig.secretRef.name", "spec.kubeConfig.configMapRef.name"]),
    ),
    ("W4", KS, "*failed to evaluate the CEL expression '*'*", Holding("spec.healthCheckExprs", "current", 1)),
    ("W1", KS, "health check failed after *", HealthCheck),
    ("P1", KS, "delete failed, errors: *", Field(&["spec.prune"])),
    // C.6 HelmRelease.
    ("H1", HR, "could not get Source object: *", Field(&["spec.chartRef.name", "spec.chart.spec.chart"])),
    (
        "S18",
        HR,
        "* '*' is not ready: *no chart name found*",
        Field(&["spec.chart.spec.chart", "spec.chartRef.name"]),
    ),
    ("S18", HR, "* '*' is not ready: *no '*' chart with version matching *", VERSION_OF_RELEASE),
    ("S18", HR, "* '*' is not ready: *no chart version found*", VERSION_OF_RELEASE),
    (
        "S20",
        HR,
        "* '*' is not ready: *no values file found at path '*'*",
        Text("spec.chart.spec.valuesFiles", 3),
    ),
    ("S23", HR, "* '*' is not ready: chart verification error*", Field(&["spec.chart.spec.verify"])),
    ("H2", HR, "* '*' is not ready: *", CHART_OF_RELEASE),
    ("H3", HR, "Source not ready: artifact not found*", CHART_OF_RELEASE),
    ("H3", HR, "Could not load chart: *", CHART_OF_RELEASE),
    (
        "H4",
        HR,
        "cross-namespace references are not allowed*",
        Field(&["spec.chartRef.namespace", "spec.chart.spec.sourceRef.namespace"]),
    ),
    ("H5", HR, "unable to get '*' dependency*", Named("spec.dependsOn", 0, "name")),
    (
        "H5",
        HR,
        "dependency '*' is not ready according to readyExpr eval*",
        Named("spec.dependsOn", 0, "readyExpr"),
    ),
    ("H5", HR, "dependency '*' *", Named("spec.dependsOn", 0, "name")),
    (
        "H7",
        HR,
        "could not resolve* * chart values reference '*': failed to merge value*",
        NamedKind("spec.valuesFrom", 2, "targetPath"),
    ),
    (
        "H6",
        HR,
        "could not resolve* * chart values reference '*' with key '*': key not found*",
        NamedKind("spec.valuesFrom", 2, "valuesKey"),
    ),
    ("H6", HR, "could not resolve* * chart values reference '*'*", NamedKind("spec.valuesFrom", 2, "name")),
    ("H12", HR, "*values don't meet the specifications of the schema*- at '*': *", Values(2)),
    ("H12'", HR, "*values don't meet the specifications of the schema*\n- *: *", Values(2)),
    ("H8", HR, "*at <.Values.*>*", Values(1)),
    ("H9", HR, "*execution error at (*): *", Field(&["spec.values"])),
    ("H11", HR, "*YAML parse error on *", Field(&["spec.values"])),
    ("H21", HR, "*chart requires kubeVersion: *", VERSION_OF_RELEASE),
    (
        "H22",
        HR,
        "*install failed*failed to apply CustomResourceDefinitions: *",
        Field(&["spec.install.crds"]),
    ),
    (
        "H22",
        HR,
        "*upgrade failed*failed to apply CustomResourceDefinitions: *",
        Field(&["spec.upgrade.crds"]),
    ),
    ("H23", HR, "*error while running post render on files: *", Field(&["spec.postRenderers"])),
    ("H23", HR, "*error while parsing post rendered output*", Field(&["spec.postRenderers"])),
    (
        "H16",
        HR,
        "*exists and cannot be imported into the current release*",
        Field(&["spec.install.disableTakeOwnership"]),
    ),
    ("H20", HR, "Helm test failed *", Field(&["spec.test"])),
    ("H25", HR, "*cannot reuse a name that is still in use*", Field(&["spec.releaseName"])),
    ("H25", HR, "*has no deployed releases*", Field(&["spec.releaseName"])),
    (
        "H26",
        HR,
        "Could not determine release state: *",
        Field(&["spec.serviceAccountName", "spec.storageNamespace"]),
    ),
    (
        "H27",
        HR,
        "could not get KubeConfig secret '*",
        Field(&["spec.kubeConfig.secretRef.name", "spec.kubeConfig.configMapRef.name"]),
    ),
    ("H28", HR, "artifact revision * does not match chart version *", Field(&["spec.chartRef.name"])),
    ("H28", HR, "invalid artifact revision *", Field(&["spec.chartRef.name"])),
    ("H28", HR, "invalid chart version *", VERSION_OF_RELEASE),
    (
        "H31",
        HR,
        "Reconciliation failed terminally due to configuration error: failed to evaluate dependency *: *",
        Named("spec.dependsOn", 0, "readyExpr"),
    ),
    (
        "H31",
        HR,
        "Reconciliation failed terminally due to configuration error: *",
        Field(&["spec.healthCheckExprs"]),
    ),
    // C.7 Sources.
    ("S3", FETCHING, "*failed to get secret '*", SECRET),
    ("S3", GIT, "*no 'password' field was provided in the secret '*", Field(&["spec.secretRef.name"])),
    ("S3", GIT, "failed to configure authentication options: *", SECRET),
    ("S4", GIT, "*github app data*", Field(&["spec.provider", "spec.secretRef.name"])),
    ("S2", GIT, "*no match found for semver: *", Field(&["spec.ref.semver"])),
    ("S2", GIT, "*semver parse error: *", Field(&["spec.ref.semver"])),
    ("S2", GIT, "*unable to resolve ref '*' to a specific commit*", Field(&["spec.ref.name", "spec.ref"])),
    ("S2", GIT, "*unable to resolve commit object for '*'*", Field(&["spec.ref.commit", "spec.ref"])),
    (
        "S1",
        GIT,
        "*couldn't find remote ref \"refs/tags/*\"*",
        Field(&["spec.ref.tag", "spec.ref.name", "spec.ref"]),
    ),
    (
        "S1",
        GIT,
        "*couldn't find remote ref *",
        Field(&["spec.ref.branch", "spec.ref.name", "spec.ref", "spec.url"]),
    ),
    ("S8", GIT, "signature verification of *", Field(&["spec.verify"])),
    ("S8", GIT, "cannot verify signature of tag *", Field(&["spec.verify"])),
    ("S8", GIT, "*public keys secret error: *", Field(&["spec.verify.secretRef.name", "spec.verify"])),
    ("S1", GIT, "*authentication required*", SECRET),
    ("S1", GIT, "*authorization failed*", SECRET),
    ("S1", GIT, "*ssh: handshake failed*", SECRET),
    ("S1", GIT, "*unable to authenticate*", SECRET),
    ("S1", GIT, "*repository not found*", Field(&["spec.url"])),
    ("S7", GIT, "* for include '*'*", Named("spec.include", 1, "repository.name")),
    ("S9", GIT, "*sparse checkout dir '*' does not exist*", Text("spec.sparseCheckout", 1)),
    ("S5", GIT, "failed to parse url '*", Field(&["spec.url"])),
    ("S6", GIT, "git repository is empty*", Field(&["spec.url"])),
    ("S1", GIT, "*unable to clone*", Field(&["spec.url"])),
    ("S1", GIT, "*unable to list remote for *", Field(&["spec.url"])),
    ("S14", OCI, "failed to verify the signature using provider *", Field(&["spec.verify"])),
    ("S11", OCI, "*no match found for semver: *", Field(&["spec.ref.semver"])),
    ("S11", OCI, "*semver '*' parse error*", Field(&["spec.ref.semver"])),
    (
        "S15",
        OCI,
        "failed to find layer with media type *",
        Field(&["spec.layerSelector.mediaType", "spec.layerSelector"]),
    ),
    ("S15", OCI, "failed to extract layer contents *", Field(&["spec.layerSelector"])),
    ("S15", OCI, "unsupported layer operation*", Field(&["spec.layerSelector.operation"])),
    ("S12", OCI, "URL validation failed for '*'*", Field(&["spec.url"])),
    (
        "S13",
        OCI,
        "failed to get credential from *",
        Field(&["spec.provider", "spec.secretRef.name", "spec.url"]),
    ),
    ("S13", OCI, "failed to get credential*", SECRET),
    (
        "S13",
        OCI,
        "failed to generate transport for *",
        Field(&["spec.certSecretRef.name", "spec.proxySecretRef.name", "spec.url"]),
    ),
    ("S10", OCI, "*UNAUTHORIZED*", SECRET),
    ("S10", OCI, "*DENIED*", SECRET),
    ("S10", OCI, "*x509: *", Field(&["spec.certSecretRef.name", "spec.url"])),
    ("S10", OCI, "*MANIFEST_UNKNOWN*", Field(&["spec.ref.digest", "spec.ref.tag", "spec.url"])),
    ("S10", OCI, "*404 Not Found*", Field(&["spec.ref.digest", "spec.ref.tag", "spec.url"])),
    ("S10", OCI, "*NAME_UNKNOWN*", Field(&["spec.url"])),
    ("S10", OCI, "failed to determine artifact digest: *", Field(&["spec.url"])),
    ("S10", OCI, "failed to determine the artifact tag *", Field(&["spec.url"])),
    ("S10", OCI, "failed to pull artifact from *", Field(&["spec.url"])),
    ("S16", REPO, "*: 401 *", SECRET),
    ("S16", REPO, "*: 403 *", SECRET),
    ("S16", REPO, "*x509: *", Field(&["spec.certSecretRef.name", "spec.url"])),
    ("S17", REPO, "invalid Helm repository URL: 'oci' URL scheme *", Field(&["spec.type", "spec.url"])),
    ("S17", REPO, "*Helm repository*", Field(&["spec.url"])),
    ("S18", CHART, "*no chart name found*", Field(&["spec.chart"])),
    ("S18", CHART, "*no '*' chart with version matching '*' found*", Field(&["spec.version", "spec.chart"])),
    ("S18", CHART, "*no chart version found*", Field(&["spec.version", "spec.chart"])),
    (
        "S19",
        CHART,
        "*could not locate a version matching provided version string *",
        Field(&["spec.version", "spec.chart"]),
    ),
    ("S20", CHART, "*no values file found at path '*'*", Text("spec.valuesFiles", 1)),
    ("S22", CHART, "no artifact available for * source '*'*", SOURCE),
    ("S22", CHART, "failed to get source: *", SOURCE),
    ("S23", CHART, "chart verification error: *", Field(&["spec.verify"])),
    ("S23", CHART, "failed to verify the signature *", Field(&["spec.verify"])),
    ("S23", CHART, "invalid chart reference: *", Field(&["spec.chart"])),
    ("S21", CHART, "dependency build error: *", Field(&["spec.chart"])),
    ("S19", CHART, "chart pull error: *", SOURCE),
    ("S24", BUCKET, "bucket '*' not found*", Field(&["spec.bucketName"])),
    ("S24", BUCKET, "*' bucket: Access Denied*", Field(&["spec.secretRef.name", "spec.bucketName"])),
    ("S24", BUCKET, "failed to confirm existence of *", Field(&["spec.bucketName"])),
    ("S24", BUCKET, "fetch from bucket *", Field(&["spec.bucketName"])),
    ("S26", GENERATOR, "*source alias '*' not found*", Field(&["spec.artifacts"])),
    ("S26", GENERATOR, "*failed to apply copy operation from '*' to *", Holding("spec.artifacts", "copy", 1)),
    ("S26", GENERATOR, "*.source.toolkit.fluxcd.io \"*\" not found*", Named("spec.sources", 1, "name")),
    // C.8 Images, notification, flux-operator.
    ("I2", IMAGES, "image '*' should not include *", Field(&["spec.image"])),
    (
        "I3",
        IMAGES,
        "failed to configure authentication options: *",
        Field(&["spec.secretRef.name", "spec.image"]),
    ),
    ("I1", IMAGES, "scan failed: *DENIED*", Field(&["spec.secretRef.name", "spec.image"])),
    ("I1", IMAGES, "scan failed: *UNAUTHORIZED*", Field(&["spec.secretRef.name", "spec.image"])),
    ("I1", IMAGES, "scan failed: *", Field(&["spec.image"])),
    (
        "I4",
        POLICY,
        "failed to get the referred ImageRepository: *cross-namespace references have been blocked*",
        Field(&["spec.imageRepositoryRef.namespace", "spec.imageRepositoryRef.name"]),
    ),
    ("I4", POLICY, "failed to get the referred ImageRepository: *", Field(&["spec.imageRepositoryRef.name"])),
    ("I5", POLICY, "*no tags in database*", Field(&["spec.imageRepositoryRef.name"])),
    ("I6", POLICY, "failed to filter tags: *", Field(&["spec.filterTags.pattern"])),
    ("I6", POLICY, "invalid policy: improper constraint: *", Field(&["spec.policy.semver.range"])),
    ("I6", POLICY, "invalid policy: *", Field(&["spec.policy"])),
    (
        "I7",
        POLICY,
        "version list argument cannot be empty*",
        Field(&["spec.filterTags.pattern", "spec.policy"]),
    ),
    (
        "I7",
        POLICY,
        "unable to determine latest version from provided list*",
        Field(&["spec.policy.semver.range", "spec.policy"]),
    ),
    (
        "I7",
        POLICY,
        "failed to parse invalid numeric value *",
        Field(&["spec.policy.numerical", "spec.policy"]),
    ),
    (
        "I8",
        AUTOMATION,
        "failed to update source: failed to push *",
        Field(&["spec.git.push", "spec.sourceRef.name"]),
    ),
    (
        "I8",
        AUTOMATION,
        "failed to checkout source: *",
        Field(&["spec.git.checkout.ref", "spec.sourceRef.name"]),
    ),
    ("I9", AUTOMATION, "*necessitates field .spec.git*", Field(&["spec.git", "spec.sourceRef.name"])),
    ("I9", AUTOMATION, "source kind '*' not supported*", Field(&["spec.sourceRef.kind"])),
    ("I9", AUTOMATION, "failed configuring source manager: *", SOURCE),
    (
        "I10",
        AUTOMATION,
        "*cross-namespace references have been blocked*",
        Field(&["spec.sourceRef.namespace", "spec.sourceRef.name"]),
    ),
    ("I10", AUTOMATION, "failed to parse policy selector: *", Field(&["spec.policySelector"])),
    ("I10", AUTOMATION, "failed to apply policies: *", Field(&["spec.update.path", "spec.update"])),
    ("I11", AUTOMATION, "*signing key secret '*", Field(&["spec.git.commit.signingKey.secretRef.name"])),
    ("N1", RECEIVER, "unable to read token from secret '*", Field(&["spec.secretRef.name"])),
    ("N1", RECEIVER, "invalid '*' secret data: *", Field(&["spec.secretRef.name"])),
    ("N2", RECEIVER, "invalid resourceFilter expression: *", Field(&["spec.resourceFilter"])),
    ("N2", RECEIVER, "invalid filter expression for *resources[*", Told(1)),
    ("O1", SET, "*failed to build resources[*", Told(1)),
    ("O2", SET, "*dependency *", Field(&["spec.dependsOn"])),
    ("O4", INSTANCE, "fetch failed: *", Field(&["spec.distribution"])),
    ("O4", INSTANCE, "build failed: *", Field(&["spec.kustomize.patches", "spec.distribution"])),
];

/// What is the cluster's or a network's trouble, whatever object says it (flux-reference, end of C.8).
const CLUSTER_SIDE: &[&str] = &[
    "*exceeded quota: *",
    "*failed calling webhook *",
    "*does not support dry run*",
    "*because it is being terminated*",
    "*failed to get API group resources: *",
    "*unable to retrieve the complete list of server APIs*",
    "Source is not ready, artifact not found*",
    "failed to download archive*",
    "failed to verify archive*",
    "*unable to archive artifact to storage: *",
    "*failed to acquire lock*",
    "*failed to create artifact directory*",
    "*another operation (install/upgrade/rollback) is in progress*",
    "*dial tcp*",
    "*no such host*",
    "*connection refused*",
    "*connection reset by peer*",
    "*i/o timeout*",
    "*TLS handshake timeout*",
    "*network is unreachable*",
];

const NAME: &str = "metadata.name";

/// The field of the object's own spec at which its failure stands; `metadata.name` if no better one is
/// known, or if the trouble is not the text's.
pub fn failure_field(object: &Object, verdict: &Verdict) -> FieldRef {
    let message = &*verdict.message;
    let side = side(message);
    let spec = serde_json::json!({ "spec": object.raw_spec() });
    let shape = SHAPES
        .iter()
        .filter(|(_, kinds, _, _)| kinds.contains(&object.kind))
        .find_map(|(id, _, pattern, at)| Some((*id, capture(pattern, message)?, at)));
    // Who waits has its mark at the reference, whoever can mend what it waits for.
    let waits = verdict.failure.as_ref().is_some_and(|f| matches!(f.trouble, Trouble::Waiting { .. }));
    let path = match &shape {
        Some((_, captured, at)) if side == Side::Author || waits => {
            place(at, captured, message, &spec, object)
        }
        _ => None,
    };
    FieldRef { path: path.unwrap_or_else(|| NAME.to_owned()), side, shape: shape.map(|(id, _, _)| id) }
}

/// Whether a message speaks of trouble of the cluster, a network or a quota, not of the text.
pub fn side(message: &str) -> Side {
    let cluster = CLUSTER_SIDE.iter().any(|pattern| capture(pattern, message).is_some());
    if cluster { Side::Cluster } else { Side::Author }
}

fn place(at: &At, captured: &[&str], message: &str, root: &Value, object: &Object) -> Option<String> {
    let nth = |n: &usize| captured.get(*n).copied();
    match at {
        Field(fields) => fields.iter().find(|f| find(root, f).is_some()).map(|f| (*f).to_owned()),
        Named(items, n, key) => {
            let (namespace, name) = split(nth(n)?);
            item(root, items, key, |item| is_named(item, namespace, name, &object.id.namespace))
        }
        Kinded(items, n, key) => {
            let (kind, name) = nth(n)?.split_once('/')?;
            item(root, items, key, |item| {
                text(item, "kind") == Some(kind) && text(item, "name") == Some(name)
            })
        }
        NamedKind(items, n, key) => {
            // `optional ` may stand before the kind.
            let kind = nth(&n.checked_sub(1)?)?.rsplit(' ').next()?;
            let (_, name) = split(nth(n)?);
            item(root, items, key, |item| {
                text(item, "kind") == Some(kind) && text(item, "name") == Some(name)
            })
        }
        Text(items, n) => {
            let wanted = nth(n)?;
            let found = find(root, items)?.as_array()?.iter().position(|v| v.as_str() == Some(wanted));
            Some(found.map_or_else(|| (*items).to_owned(), |i| format!("{items}[{i}]")))
        }
        Holding(items, key, n) => holding(root, items, key, nth(n)?),
        Patch(items, n) => Some(patch(root, items, nth(n)?).unwrap_or_else(|| "spec.path".to_owned()))
            .filter(|path| find(root, path).is_some()),
        Values(n) => values(root, nth(n)?),
        Told(n) => {
            let told = nth(n)?;
            // `resources[3]: …` or `resources[2] (kind=…)`: the pattern ate up to the bracket.
            let path = match told.split_once(']') {
                Some((index, rest)) if index.bytes().all(|b| b.is_ascii_digit()) && !index.is_empty() => {
                    let filter = if rest.starts_with(" (kind=") { ".filter" } else { "" };
                    format!("spec.resources[{index}]{filter}")
                }
                _ => told.split_whitespace().next()?.trim_start_matches('.').to_owned(),
            };
            find(root, &path).map(|_| path)
        }
        HealthCheck => {
            let checks = find(root, "spec.healthChecks")?.as_array()?;
            let named = |check: &Value| {
                let (Some(kind), Some(name)) = (text(check, "kind"), text(check, "name")) else {
                    return false;
                };
                let namespace = text(check, "namespace").unwrap_or(&object.id.namespace);
                message.contains(&format!("{kind}/{namespace}/{name} "))
                    || message.contains(&format!("{kind}/{name} "))
                    || message.contains(&format!("can't determine status for {kind}/{namespace}/{name}"))
            };
            checks.iter().position(named).map(|i| format!("spec.healthChecks[{i}].name"))
        }
    }
}

fn split(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, name),
    }
}

fn is_named(item: &Value, namespace: Option<&str>, name: &str, home: &str) -> bool {
    let item = if item.get("repository").is_some() { &item["repository"] } else { item };
    let own = text(item, "namespace").unwrap_or(home);
    text(item, "name") == Some(name) && namespace.is_none_or(|namespace| namespace == own)
}

/// The key in the item of a list that fits; the item's name or the item itself if it lacks the key.
fn item(root: &Value, items: &str, key: &str, fits: impl Fn(&Value) -> bool) -> Option<String> {
    let index = find(root, items)?.as_array()?.iter().position(fits)?;
    let with = |key: &str| format!("{items}[{index}].{key}");
    [key, "name"].iter().map(|key| with(key)).find(|path| find(root, path).is_some())
}

/// The entry whose text at a key is, or whose nested items hold, the wanted text.
fn holding(root: &Value, items: &str, key: &str, wanted: &str) -> Option<String> {
    for (index, entry) in find(root, items)?.as_array()?.iter().enumerate() {
        if text(entry, key) == Some(wanted) {
            return Some(format!("{items}[{index}].{key}"));
        }
        for field in ["failed", "inProgress"] {
            if text(entry, field) == Some(wanted) {
                return Some(format!("{items}[{index}].{field}"));
            }
        }
        for (nested, item) in list(entry, key).iter().enumerate() {
            if text(item, "from") == Some(wanted) {
                return Some(format!("{items}[{index}].{key}[{nested}].from"));
            }
        }
    }
    Some(items.to_owned())
}

/// The patch that is about an object or a JSON pointer, if it is a single one.
fn patch(root: &Value, items: &str, about: &str) -> Option<String> {
    let patches = find(root, items)?.as_array()?;
    let is_about = |patch: &&str| -> bool {
        if about.starts_with('/') {
            return patch
                .lines()
                .any(|line| line.trim_start_matches(['-', ' ']).trim_end() == format!("path: {about}"));
        }
        // A kustomize id: `Deployment.v1.apps/nope.[noNs]`.
        let about = about.trim_matches('"');
        let Some((gvk, name)) = about.split_once('/') else { return false };
        let kind = gvk.split('.').next().unwrap_or_default();
        let name = name.rsplit_once('.').map_or(name, |(name, _)| name);
        let has = |key: &str, value: &str| {
            patch.lines().any(|line| {
                line.trim().strip_prefix(key).is_some_and(|v| v.trim().trim_matches(['"', '\'']) == value)
            })
        };
        has("kind:", kind) && has("name:", name)
    };
    let mut found =
        patches.iter().enumerate().filter(|(_, p)| text(p, "patch").as_ref().is_some_and(is_about));
    let (index, _) = found.next()?;
    found.next().is_none().then(|| format!("{items}[{index}].patch"))
}

/// The value that an expression (`image.tag | quote`), a JSON pointer (`/image/tag`) or a dotted path
/// names; the nearest one above that exists.
fn values(root: &Value, told: &str) -> Option<String> {
    let keys: Vec<&str> = if told.starts_with('/') {
        told.split('/').skip(1).collect()
    } else {
        let end = told.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.' || c == '-'));
        told[..end.unwrap_or(told.len())].split('.').collect()
    };
    let mut path = "spec.values".to_owned();
    let mut value = find(root, &path)?;
    for key in keys {
        let (next, step) = match (value, key.parse::<usize>()) {
            (Value::Array(items), Ok(index)) => (items.get(index), format!("[{index}]")),
            _ => (value.get(key), segment(key)),
        };
        let Some(next) = next else { break };
        value = next;
        path += &step;
    }
    Some(path)
}

/// A key as it is written in a path.
fn segment(key: &str) -> String {
    let plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') && !key.is_empty();
    if plain { format!(".{key}") } else { format!("[{}]", Value::from(key)) }
}

/// The value at `spec.a[0].b`.
fn find<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = root;
    for part in path.split('.') {
        let (key, indexes) = match part.split_once('[') {
            Some((key, rest)) => (key, rest.strip_suffix(']')?),
            None => (part, ""),
        };
        value = value.get(key)?;
        if !indexes.is_empty() {
            value = value.get(indexes.parse::<usize>().ok()?)?;
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests;
