//! The kinds of Flux, as one table.

use std::fmt;
use std::sync::{Arc, LazyLock};

/// How an object of a kind is suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspension {
    /// `spec.suspend: true`.
    Spec,
    /// This annotation with the value `disabled` (any letter case).
    Annotation(&'static str),
    /// It cannot be suspended.
    Never,
}

macro_rules! kinds {
    ($( $kind:ident, $group:expr, $plural:literal, $versions:expr, status: $status:literal, source: $source:literal, reconcile: $reconcile:literal, $suspension:expr; )*) => {
        /// A kind of object that Flux or flux-operator defines.
        ///
        /// kustomize's own `Kustomization` (group `kustomize.config.k8s.io`) is a build file and is
        /// never one of these.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)]
        pub enum Kind { $($kind,)* }

        impl Kind {
            /// Every kind, in the order in which lists show them.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind,)*];

            const fn row(self) -> &'static Row {
                match self {
                    $(Kind::$kind => &Row {
                        name: stringify!($kind), group: $group, plural: $plural, versions: $versions,
                        status: $status, source: $source, reconcile: $reconcile, suspension: $suspension,
                    },)*
                }
            }
        }
    };
}

struct Row {
    name: &'static str,
    group: &'static str,
    plural: &'static str,
    versions: &'static [&'static str],
    status: bool,
    source: bool,
    reconcile: bool,
    suspension: Suspension,
}

const SOURCE: &str = "source.toolkit.fluxcd.io";
const EXTENSIONS: &str = "source.extensions.fluxcd.io";
const KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io";
const HELM: &str = "helm.toolkit.fluxcd.io";
const IMAGE: &str = "image.toolkit.fluxcd.io";
const NOTIFICATION: &str = "notification.toolkit.fluxcd.io";
const OPERATOR: &str = "fluxcd.controlplane.io";
/// How all of these groups but the operator's end.
const OF_FLUX: &str = ".fluxcd.io";
const V1: &[&str] = &["v1", "v1beta2", "v1beta1"];
const BY_OPERATOR: Suspension = Suspension::Annotation("fluxcd.controlplane.io/reconcile");
const BY_WATCHER: Suspension = Suspension::Annotation("source.extensions.fluxcd.io/reconcile");

// Versions: the CRDs of Flux 2.3 to 2.9 (flux-reference G.1), newest first.
kinds! {
    GitRepository, SOURCE, "gitrepositories", V1, status: true, source: true, reconcile: true, Suspension::Spec;
    OCIRepository, SOURCE, "ocirepositories", &["v1", "v1beta2"], status: true, source: true, reconcile: true, Suspension::Spec;
    HelmRepository, SOURCE, "helmrepositories", V1, status: true, source: true, reconcile: true, Suspension::Spec;
    HelmChart, SOURCE, "helmcharts", V1, status: true, source: true, reconcile: true, Suspension::Spec;
    Bucket, SOURCE, "buckets", V1, status: true, source: true, reconcile: true, Suspension::Spec;
    ExternalArtifact, SOURCE, "externalartifacts", &["v1"], status: true, source: true, reconcile: false, Suspension::Never;
    ArtifactGenerator, EXTENSIONS, "artifactgenerators", &["v1beta1"], status: true, source: false, reconcile: true, BY_WATCHER;
    Kustomization, KUSTOMIZE, "kustomizations", V1, status: true, source: false, reconcile: true, Suspension::Spec;
    HelmRelease, HELM, "helmreleases", &["v2", "v2beta2", "v2beta1"], status: true, source: false, reconcile: true, Suspension::Spec;
    ImageRepository, IMAGE, "imagerepositories", V1, status: true, source: false, reconcile: true, Suspension::Spec;
    ImagePolicy, IMAGE, "imagepolicies", V1, status: true, source: false, reconcile: true, Suspension::Spec;
    ImageUpdateAutomation, IMAGE, "imageupdateautomations", V1, status: true, source: false, reconcile: true, Suspension::Spec;
    Alert, NOTIFICATION, "alerts", &["v1beta3", "v1beta2", "v1beta1"], status: false, source: false, reconcile: false, Suspension::Spec;
    Provider, NOTIFICATION, "providers", &["v1beta3", "v1beta2", "v1beta1"], status: false, source: false, reconcile: false, Suspension::Spec;
    Receiver, NOTIFICATION, "receivers", V1, status: true, source: false, reconcile: true, Suspension::Spec;
    FluxInstance, OPERATOR, "fluxinstances", &["v1"], status: true, source: false, reconcile: true, BY_OPERATOR;
    FluxReport, OPERATOR, "fluxreports", &["v1"], status: true, source: false, reconcile: true, BY_OPERATOR;
    ResourceSet, OPERATOR, "resourcesets", &["v1"], status: true, source: false, reconcile: true, BY_OPERATOR;
    ResourceSetInputProvider, OPERATOR, "resourcesetinputproviders", &["v1"], status: true, source: false, reconcile: true, BY_OPERATOR;
}

impl Kind {
    /// The Flux kind of an API group and kind; `None` for everything that is not Flux's.
    pub fn from_group_kind(group: &str, kind: &str) -> Option<Kind> {
        // Nearly every document of a repository is somebody else's.
        if !group.ends_with(OF_FLUX) && group != OPERATOR {
            return None;
        }
        Kind::ALL.iter().copied().find(|k| k.as_str() == kind && k.group() == group)
    }

    /// The Flux kind of an `apiVersion` (`group/version`) and kind.
    pub fn from_api_version(api_version: &str, kind: &str) -> Option<Kind> {
        Kind::from_group_kind(api_version.split_once('/')?.0, kind)
    }

    /// The Flux kind with this name. Kind names are unique among Flux's own groups.
    pub fn from_name(kind: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|k| k.as_str() == kind)
    }

    /// The Flux kind of a resource's plural, such as `gitrepositories`.
    pub fn from_plural(plural: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|k| k.plural() == plural)
    }

    /// The API group.
    pub fn group(self) -> &'static str {
        self.row().group
    }

    /// The kind's name.
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    /// The resource's plural, as in URLs and in rules of roles.
    pub fn plural(self) -> &'static str {
        self.row().plural
    }

    /// The versions that some Flux from 2.3 on served, newest first. Which of them a cluster serves,
    /// only its discovery tells.
    pub fn versions(self) -> &'static [&'static str] {
        self.row().versions
    }

    /// Whether objects of this kind have a status. Alert and Provider have none.
    pub fn has_status(self) -> bool {
        self.row().status
    }

    /// Whether it produces an artifact that others take (`status.artifact`).
    pub fn is_source(self) -> bool {
        self.row().source
    }

    /// Whether a reconciler answers `reconcile.fluxcd.io/requestedAt` on this kind. For a single
    /// object ask [`crate::Object::can_reconcile`]: an OCI HelmRepository does not answer.
    pub fn can_reconcile(self) -> bool {
        self.row().reconcile
    }

    /// How an object of this kind is suspended.
    pub fn suspension(self) -> Suspension {
        self.row().suspension
    }

    pub(crate) fn shared_names(self) -> (Arc<str>, Arc<str>) {
        static NAMES: LazyLock<Vec<(Arc<str>, Arc<str>)>> =
            LazyLock::new(|| Kind::ALL.iter().map(|k| (k.group().into(), k.as_str().into())).collect());
        match NAMES.get(self as usize) {
            Some((group, kind)) => (group.clone(), kind.clone()),
            None => (self.group().into(), self.as_str().into()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_known_by_its_group() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_group_kind(kind.group(), kind.as_str()), Some(*kind));
        }
    }

    #[test]
    fn kustomize_build_files_are_not_flux() {
        assert_eq!(Kind::from_api_version("kustomize.config.k8s.io/v1beta1", "Kustomization"), None);
        assert_eq!(
            Kind::from_api_version("kustomize.toolkit.fluxcd.io/v1beta2", "Kustomization"),
            Some(Kind::Kustomization)
        );
        assert_eq!(Kind::from_api_version("v1", "Kustomization"), None);
    }

    #[test]
    fn names_are_unique() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.as_str()), Some(*kind));
            assert_eq!(Kind::from_plural(kind.plural()), Some(*kind));
            assert_eq!(kind.shared_names().1.as_ref(), kind.as_str());
            assert!(!kind.versions().is_empty());
        }
    }
}
