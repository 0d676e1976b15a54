//! The fields of a spec that name other Flux objects (flux-reference A.2).

use serde_json::Value;

use crate::json::{at, list, path, text};
use crate::{Kind, ObjectId};

/// What a reference is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Where the content comes from.
    Source,
    /// `spec.dependsOn`: must be ready first.
    Dependency,
    /// The HelmChart that a HelmRelease's chart template becomes, or the chart it names.
    Chart,
    /// `spec.include` of a GitRepository.
    Include,
    /// Who made an ExternalArtifact.
    Producer,
    /// The ImageRepository of a policy.
    Images,
    /// `spec.healthChecks`.
    HealthCheck,
    /// The Provider of an Alert.
    Provider,
    /// What an Alert or a Receiver is about.
    Subject,
    /// The input provider of a ResourceSet.
    Inputs,
}

impl Role {
    /// Whether the referrer cannot go on while the target is not ready.
    pub fn blocks(self) -> bool {
        !matches!(self, Role::Provider | Role::Subject)
    }
}

/// A field that names another Flux object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where the name is written: `spec.dependsOn[1].name`. For the HelmChart that Flux makes of
    /// `spec.chart` it is `spec.chart.spec.chart`.
    pub field: Box<str>,
    /// The object.
    pub target: ObjectId,
    /// What for.
    pub role: Role,
}

struct Collector<'a> {
    home: &'a str,
    found: Vec<Reference>,
}

impl Collector<'_> {
    /// A mapping with `name` and perhaps `namespace`, and `kind` if it can be of several.
    fn add(&mut self, value: &Value, field: &str, role: Role, default: Option<Kind>) {
        let kind = match text(value, "kind") {
            Some(kind) => Kind::from_name(kind),
            None => default,
        };
        let (Some(kind), Some(name)) = (kind, text(value, "name")) else { return };
        // `kind: Kustomization` may be kustomize's or anybody's if a group is told.
        let group = text(value, "apiVersion").map(|version| version.split('/').next().unwrap_or_default());
        if name == "*" || group.is_some_and(|group| group != kind.group()) {
            return;
        }
        let namespace = text(value, "namespace").unwrap_or(self.home);
        self.found.push(Reference {
            field: format!("{field}.name").into(),
            target: ObjectId::flux(kind, namespace, name),
            role,
        });
    }

    fn add_all(&mut self, spec: &Value, key: &str, role: Role, default: Option<Kind>) {
        for (index, item) in list(spec, key).iter().enumerate() {
            self.add(item, &format!("spec.{key}[{index}]"), role, default);
        }
    }
}

pub(crate) fn read(kind: Kind, id: &ObjectId, spec: &Value) -> Vec<Reference> {
    let mut to = Collector { home: &id.namespace, found: Vec::new() };
    match kind {
        Kind::Kustomization => {
            to.add(at(spec, "sourceRef"), "spec.sourceRef", Role::Source, None);
            to.add_all(spec, "dependsOn", Role::Dependency, Some(Kind::Kustomization));
            to.add_all(spec, "healthChecks", Role::HealthCheck, None);
        }
        Kind::HelmRelease => {
            let template = path(spec, &["chart", "spec"]);
            let source = at(template, "sourceRef");
            if source.is_object() {
                let name = format!("{}-{}", id.namespace, id.name);
                let namespace = text(source, "namespace").unwrap_or(&id.namespace);
                to.found.push(Reference {
                    field: "spec.chart.spec.chart".into(),
                    target: ObjectId::flux(Kind::HelmChart, namespace, &name),
                    role: Role::Chart,
                });
            }
            to.add(source, "spec.chart.spec.sourceRef", Role::Source, Some(Kind::HelmRepository));
            to.add(at(spec, "chartRef"), "spec.chartRef", Role::Chart, None);
            to.add_all(spec, "dependsOn", Role::Dependency, Some(Kind::HelmRelease));
        }
        Kind::HelmChart => {
            to.add(at(spec, "sourceRef"), "spec.sourceRef", Role::Source, Some(Kind::HelmRepository));
        }
        Kind::GitRepository => {
            for (index, item) in list(spec, "include").iter().enumerate() {
                let field = format!("spec.include[{index}].repository");
                to.add(at(item, "repository"), &field, Role::Include, Some(Kind::GitRepository));
            }
        }
        Kind::ExternalArtifact => to.add(at(spec, "sourceRef"), "spec.sourceRef", Role::Producer, None),
        Kind::ArtifactGenerator => to.add_all(spec, "sources", Role::Source, None),
        Kind::ImagePolicy => {
            let field = "spec.imageRepositoryRef";
            to.add(at(spec, "imageRepositoryRef"), field, Role::Images, Some(Kind::ImageRepository));
        }
        Kind::ImageUpdateAutomation => {
            to.add(at(spec, "sourceRef"), "spec.sourceRef", Role::Source, Some(Kind::GitRepository));
        }
        Kind::Alert => {
            to.add(at(spec, "providerRef"), "spec.providerRef", Role::Provider, Some(Kind::Provider));
            to.add_all(spec, "eventSources", Role::Subject, None);
        }
        Kind::Receiver => to.add_all(spec, "resources", Role::Subject, None),
        Kind::ResourceSet => {
            let inputs = Some(Kind::ResourceSetInputProvider);
            to.add_all(spec, "inputsFrom", Role::Inputs, inputs);
            to.add_all(spec, "dependsOn", Role::Dependency, None);
        }
        _ => {}
    }
    to.found
}
