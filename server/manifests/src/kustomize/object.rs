//! The objects of a build: what each is called, and what made it so.

use std::sync::Arc;

use regex::Regex;

use crate::value::{Data, Member};
use crate::{FieldPath, RepoPath, Site, Value, identity};

/// An object that a build yields.
#[derive(Debug, Clone)]
pub struct Built {
    /// The object, each part with the place that set it.
    pub value: Arc<Value>,
    /// Where it starts from.
    pub origin: Origin,
    /// What shaped it on its way, in the order of the build.
    pub shaped_by: Vec<Shaper>,
    /// What it was called before, oldest first.
    pub(super) earlier: Vec<Id>,
    /// Its name gets a hash of its content at the end of the build.
    pub(super) needs_hash: bool,
    pub(super) behavior: Behavior,
}

/// Where an object of a build starts from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A document of a file.
    Document {
        /// The file.
        path: RepoPath,
        /// The document's place in it.
        index: usize,
    },
    /// A generator of a kustomization.yaml.
    Generated {
        /// The kustomization.yaml.
        path: RepoPath,
        /// The generator, `configMapGenerator[0]`.
        field: FieldPath,
    },
}

/// Something that shaped an object.
#[derive(Debug, Clone)]
pub struct Shaper {
    /// The file that says so: a patch, a kustomization.yaml, a generator's input, the file of a Flux object.
    pub path: RepoPath,
    /// Where; `None` for a whole file.
    pub site: Option<Site>,
    /// How.
    pub how: How,
}

/// How something shaped an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum How {
    /// An entry of `resources`, `bases` or `components` brought it in.
    Included,
    /// A patch matched it.
    Patch,
    /// `namespace` or `targetNamespace` moved it.
    Namespace,
    /// A name prefix or suffix renamed it.
    Name,
    /// Labels or annotations were set.
    Metadata,
    /// `images`.
    Image,
    /// `replicas`.
    Replicas,
    /// Content of a generated object.
    GeneratorInput,
    /// `replacements` may have changed it: what they did is not known.
    Replacement,
    /// A transformer file may have changed it: what it did is not known.
    Plugin,
    /// A variable gave it a value.
    Variable,
}

/// What a generated object does to one of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Behavior {
    #[default]
    Create,
    Merge,
    Replace,
}

/// What an object is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    /// API group; empty for the core group.
    pub group: Arc<str>,
    /// API version without the group.
    pub version: Arc<str>,
    /// Kind.
    pub kind: Arc<str>,
    /// Namespace, if set.
    pub namespace: Option<Arc<str>>,
    /// Name. Holds `${VARIABLE}` where its value is not known, and ends in `-*` where a hash is not.
    pub name: Arc<str>,
}

impl Origin {
    /// The file.
    pub fn path(&self) -> &RepoPath {
        match self {
            Origin::Document { path, .. } | Origin::Generated { path, .. } => path,
        }
    }
}

impl Id {
    /// What a value says it is called.
    pub fn of(value: &Value) -> Option<Id> {
        let (group, version) = identity::split_api_version(value.text(&["apiVersion"])?);
        let shared = |keys: &[&str]| value.shared(keys).filter(|it| !it.is_empty()).cloned();
        let kind = shared(&["kind"])?;
        let name = shared(&["metadata", "name"])?;
        if version.is_empty() {
            return None;
        }
        let namespace = shared(&["metadata", "namespace"]);
        Some(Id { group: group.into(), version: version.into(), kind, namespace, name })
    }

    /// Whether a value says what it is called.
    pub(super) fn is_told(value: &Value) -> bool {
        let is_there = |keys: &[&str]| value.text(keys).is_some_and(|it| !it.is_empty());
        let version = value.text(&["apiVersion"]).map(|it| identity::split_api_version(it).1);
        version.is_some_and(|it| !it.is_empty()) && is_there(&["kind"]) && is_there(&["metadata", "name"])
    }

    /// Whether a name may be this one's: variables and hashes that are not known stand for any text.
    pub fn may_be_named(&self, name: &str) -> bool {
        may_be(&self.name, name)
    }

    /// Whether part of the name is not known.
    pub(super) fn has_pattern_name(&self) -> bool {
        self.name.contains("${") || self.name.ends_with("-*")
    }

    /// Whether part of the name or namespace is not known.
    pub fn is_pattern(&self) -> bool {
        self.has_pattern_name() || self.namespace.as_deref().is_some_and(|it| it.contains("${"))
    }

    /// The namespace as kustomize compares it.
    pub(super) fn effective_namespace(&self) -> &str {
        match &self.namespace {
            _ if is_cluster_scoped(&self.group, &self.kind) => "_non_namespaceable_",
            Some(namespace) => namespace,
            None => "default",
        }
    }

    pub(super) fn equals(&self, other: &Id) -> bool {
        self.group == other.group
            && self.version == other.version
            && self.kind == other.kind
            && self.name == other.name
            && self.effective_namespace() == other.effective_namespace()
    }
}

/// Whether a text fits one in which `${…}` and a final `*` stand for anything.
pub fn may_be(pattern: &str, text: &str) -> bool {
    let mut literals = Vec::new();
    let mut rest = pattern;
    while let Some(start) = rest.find("${") {
        let Some(end) = rest[start..].find('}') else { break };
        literals.push(&rest[..start]);
        rest = &rest[start + end + 1..];
    }
    match rest.strip_suffix('*') {
        Some(before) => literals.extend([before, ""]),
        None => literals.push(rest),
    }
    let [first, middle @ .., last] = literals.as_slice() else {
        return literals.first().is_some_and(|it| *it == text);
    };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    for literal in middle {
        let Some(at) = text.find(literal) else { return false };
        text = &text[at + literal.len()..];
    }
    text.ends_with(last)
}

impl Built {
    pub(super) fn new(value: Arc<Value>, origin: Origin) -> Built {
        Built {
            value,
            origin,
            shaped_by: Vec::new(),
            earlier: Vec::new(),
            needs_hash: false,
            behavior: Behavior::Create,
        }
    }

    /// What it is called; `None` never, for the objects of a finished build.
    pub fn id(&self) -> Option<Id> {
        Id::of(&self.value)
    }

    /// What it was called at first.
    pub(super) fn first_id(&self) -> Option<Id> {
        self.earlier.first().cloned().or_else(|| self.id())
    }

    /// Notes what it is called before it is renamed.
    pub(super) fn remember(&mut self) {
        let Some(id) = self.id() else { return };
        if self.earlier.last() != Some(&id) {
            self.earlier.push(id);
        }
    }

    pub(super) fn is_or_was(&self, id: &Id) -> bool {
        self.id().is_some_and(|it| it.equals(id)) || self.earlier.iter().any(|it| it.equals(id))
    }

    pub(super) fn shaped(&mut self, site: Option<&Site>, path: &RepoPath, how: How) {
        let path = site.map_or(path, Site::path).clone();
        self.shaped_by.push(Shaper { path, site: site.cloned(), how });
    }

    /// Whether it is for tools only: kustomize leaves out what has this annotation, unless that says `false`
    /// (`DropLocalNodes`).
    pub(super) fn is_local(&self) -> bool {
        let text = self.value.dig(&["metadata", "annotations", "config.kubernetes.io/local-config"]);
        text.is_some_and(|it| it.as_str() != Some("false"))
    }

    /// Whether a label or an annotation keeps Flux from replacing variables in it. Flux compares this one letter by
    /// letter (`kustomize_varsub.go`), its other marks in any case.
    pub(super) fn keeps_variables(&self) -> bool {
        ["labels", "annotations"].iter().any(|it| {
            self.value.text(&["metadata", it, "kustomize.toolkit.fluxcd.io/substitute"]) == Some("disabled")
        })
    }
}

/// A patch's `target`: which objects it is for.
pub(super) struct Selector {
    group: Matcher,
    version: Matcher,
    kind: Matcher,
    name: Matcher,
    namespace: Matcher,
    labels: Option<String>,
    annotations: Option<String>,
}

enum Matcher {
    Any,
    Text(String),
    Pattern(Regex),
    /// No regular expression. If Go surely thinks so too, kustomize refuses it: Go takes a `{` that begins no repetition,
    /// and has escapes of its own.
    Never {
        is_sure: bool,
    },
}

impl Matcher {
    fn new(text: Option<&str>) -> Matcher {
        match text {
            None | Some("") => Matcher::Any,
            Some(text) if text.chars().all(|it| it.is_ascii_alphanumeric() || it == '-' || it == '_') => {
                Matcher::Text(text.to_owned())
            }
            Some(text) => match Regex::new(&format!("^(?:{text})$")) {
                Ok(pattern) => Matcher::Pattern(pattern),
                Err(_) => Matcher::Never { is_sure: !text.contains(['{', '\\']) },
            },
        }
    }

    fn fits(&self, text: &str) -> bool {
        match self {
            Matcher::Any => true,
            Matcher::Text(it) => it == text,
            Matcher::Pattern(it) => it.is_match(text),
            Matcher::Never { .. } => false,
        }
    }
}

impl Selector {
    pub(super) fn of(target: &Value) -> Selector {
        let matcher = |key: &str| Matcher::new(target.text(&[key]));
        let text = |key: &str| target.text(&[key]).filter(|it| !it.is_empty()).map(str::to_owned);
        Selector {
            group: matcher("group"),
            version: matcher("version"),
            kind: matcher("kind"),
            name: matcher("name"),
            namespace: matcher("namespace"),
            labels: text("labelSelector"),
            annotations: text("annotationSelector"),
        }
    }

    /// Whether a part of it is no regular expression.
    pub(super) fn is_malformed(&self) -> bool {
        [&self.group, &self.version, &self.kind, &self.name, &self.namespace]
            .iter()
            .any(|it| matches!(it, Matcher::Never { is_sure: true }))
    }

    /// kustomize looks at the first and at the current name and namespace (`resWrangler.Select`).
    pub(super) fn fits(&self, object: &Built) -> bool {
        let (Some(now), Some(first)) = (object.id(), object.first_id()) else { return false };
        self.kind.fits(&now.kind)
            && self.group.fits(&now.group)
            && self.version.fits(&now.version)
            && (self.name.fits(&first.name) || self.name.fits(&now.name))
            && (self.namespace.fits(first.effective_namespace())
                || self.namespace.fits(now.effective_namespace()))
            && self.labels.as_deref().is_none_or(|it| selects(it, members(&object.value, "labels")))
            && self.annotations.as_deref().is_none_or(|it| selects(it, members(&object.value, "annotations")))
    }
}

fn members<'a>(value: &'a Value, key: &str) -> &'a [Member] {
    value.dig(&["metadata", key]).and_then(Value::as_mapping).unwrap_or_default()
}

/// A label selector as Kubernetes writes it: `a=b,c!=d,e in (f,g),h,!i`.
fn selects(selector: &str, labels: &[Member]) -> bool {
    let value = |key: &str| labels.iter().find(|it| &*it.key == key).and_then(|it| it.value.as_str());
    let mut depth = 0_u32;
    let terms = selector.split(|it: char| {
        match it {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        it == ',' && depth == 0
    });
    terms.map(str::trim).filter(|it| !it.is_empty()).all(|term| {
        let listed = |text: &str, found: Option<&str>| {
            let inner = text.trim().trim_start_matches('(').trim_end_matches(')');
            inner.split(',').any(|it| Some(it.trim()) == found)
        };
        if let Some((key, of)) = term.split_once(" notin ") {
            return !listed(of, value(key.trim()));
        }
        if let Some((key, of)) = term.split_once(" in ") {
            return listed(of, value(key.trim()));
        }
        if let Some((key, wanted)) = term.split_once("!=") {
            return value(key.trim()) != Some(wanted.trim());
        }
        if let Some((key, wanted)) = term.split_once('=') {
            return value(key.trim()) == Some(wanted.trim_start_matches('=').trim());
        }
        match term.strip_prefix('!') {
            Some(key) => value(key.trim()).is_none(),
            None => value(term).is_some(),
        }
    })
}

/// The kinds that kustomize knows to have no namespace (its built-in OpenAPI schema). It gives every other kind one,
/// cluster-scoped custom resources and kinds newer than its schema (MutatingAdmissionPolicy) included; the API server
/// takes that away.
pub fn is_cluster_scoped(group: &str, kind: &str) -> bool {
    matches!(
        (group, kind),
        ("", "Namespace" | "Node" | "PersistentVolume" | "ComponentStatus")
            | ("rbac.authorization.k8s.io", "ClusterRole" | "ClusterRoleBinding")
            | ("apiextensions.k8s.io", "CustomResourceDefinition")
            | ("apiregistration.k8s.io", "APIService")
            | (
                "admissionregistration.k8s.io",
                "MutatingWebhookConfiguration"
                    | "ValidatingWebhookConfiguration"
                    | "ValidatingAdmissionPolicy"
                    | "ValidatingAdmissionPolicyBinding"
            )
            | (
                "storage.k8s.io",
                "StorageClass" | "VolumeAttachment" | "CSIDriver" | "CSINode" | "VolumeAttributesClass"
            )
            | ("scheduling.k8s.io", "PriorityClass")
            | ("node.k8s.io", "RuntimeClass")
            | ("networking.k8s.io", "IngressClass" | "IPAddress" | "ServiceCIDR")
            | ("policy", "PodSecurityPolicy")
            | ("certificates.k8s.io", "CertificateSigningRequest" | "ClusterTrustBundle")
            | ("flowcontrol.apiserver.k8s.io", "FlowSchema" | "PriorityLevelConfiguration")
            | ("authentication.k8s.io", "TokenReview" | "SelfSubjectReview")
            | (
                "authorization.k8s.io",
                "SubjectAccessReview" | "SelfSubjectAccessReview" | "SelfSubjectRulesReview"
            )
            | ("resource.k8s.io", "DeviceClass" | "ResourceSlice")
    )
}

/// Sets a member of the object's metadata.
pub(super) fn set_metadata(object: &mut Built, key: &str, value: Arc<Value>) {
    let site = value.site.clone();
    Value::change(&mut object.value, &["metadata"], true, &mut |metadata| {
        let metadata = Arc::make_mut(metadata);
        if !matches!(metadata.data, Data::Mapping(_)) {
            metadata.data = Data::Mapping(Vec::new());
        }
        metadata.set(key, site.clone(), Some(Arc::clone(&value)));
    });
}
