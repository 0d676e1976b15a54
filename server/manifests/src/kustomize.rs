//! What kustomize makes of a directory, and which files it reads for that.

use text_size::TextRange;

use crate::{FieldPath, FileKind, RepoPath, Tree};

mod beside;
mod build;
mod gather;
mod generate;
mod images;
mod keys;
mod labels;
mod lookup;
mod merge;
mod names;
mod object;
mod patches;
mod references;
mod transform;
mod variables;

pub use build::{Build, Overlay, build};
pub use keys::{BUILD_FILE_KEYS, StrayKey};
pub use lookup::{FileValues, Files};
pub use object::{Built, How, Id, Origin, Shaper, is_cluster_scoped, may_be};
pub use variables::{Variable, Variables};

/// The names that kustomize looks for, in its order.
pub const KUSTOMIZATION_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Whether a file of this name is a kustomize build file.
pub fn is_kustomization_name(name: &str) -> bool {
    KUSTOMIZATION_NAMES.contains(&name)
}

/// What a build uses a file as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Use {
    /// A kustomization.yaml, of a base, an overlay or a component.
    BuildFile,
    /// Objects.
    Resource,
    /// A patch: `patches`, `patchesStrategicMerge`, `patchesJson6902`.
    Patch,
    /// Content of a configMapGenerator or secretGenerator.
    GeneratorInput,
    /// Values of a `helmCharts` entry.
    Values,
    /// Configuration of a generator, transformer or validator.
    Plugin,
    /// `configurations`, `crds`, `openapi`, `replacements`: shapes the build, is no object.
    Configuration,
}

/// Something that a build reads and we cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The build file that asks for it; for a root without build file the directory.
    pub at: RepoPath,
    /// The entry.
    pub field: FieldPath,
    /// Where the entry's text stands in the build file, in bytes of the file.
    pub range: TextRange,
    /// Why it is not known.
    pub why: Why,
}

/// Why a part of a build is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// A base in another place.
    #[error("{0} is fetched from elsewhere, and is not read here")]
    Remote(String),
    /// Nothing at that path.
    #[error("{0} does not exist")]
    Missing(RepoPath),
    /// A directory without kustomization.yaml named as a resource.
    #[error("{0} has no kustomization.yaml")]
    NotABuild(RepoPath),
    /// A directory where only a file can be.
    #[error("{0} is a directory, not a file")]
    NotAFile(RepoPath),
    /// A path that leads out of the repository.
    #[error("{0} leads outside of the repository")]
    Outside(String),
    /// A symbolic link: Flux's artifacts hold none.
    #[error("{0} is a symbolic link, which Flux leaves out of its artifacts")]
    Symlink(RepoPath),
    /// A chart that kustomize would render. Flux does not enable this, so that its build fails there.
    #[error("the chart {0} is rendered by Helm, and is not read here")]
    Helm(String),
    /// A generator or transformer, which may make or change anything.
    #[error("what the plugin {0} does is not known")]
    Plugin(String),
    /// A build that includes itself.
    #[error("{0} includes itself")]
    Cycle(RepoPath),
    /// A build file that is no YAML mapping.
    #[error("{0} cannot be read")]
    Unreadable(RepoPath),
    /// More than one of `kustomization.yaml`, `kustomization.yml`, `Kustomization`.
    #[error("{0} has more than one kustomization file")]
    Ambiguous(RepoPath),
    /// A key, a kind or a version in a kustomization file that kustomize does not take: it refuses the build.
    #[error("kustomize refuses this kustomization file: {0}")]
    BadBuildFile(String),
    /// A document in a file of objects that is none: kustomize refuses the build.
    #[error("{0} holds a document that is no Kubernetes object")]
    NotAnObject(RepoPath),
    /// A component where a kustomization is wanted, or the other way round.
    #[error("{0} is of the wrong kind: `resources` takes kustomizations, `components` takes components")]
    WrongKind(RepoPath),
    /// Two objects of one name: kustomize refuses the build.
    #[error("{0} is there twice")]
    Duplicate(String),
    /// A patch for an object that is not there: kustomize refuses the build.
    #[error("there is no {0} to patch")]
    NoTarget(String),
    /// A patch that cannot be applied: kustomize refuses the build.
    #[error("the patch cannot be applied: {0}")]
    BadPatch(String),
    /// More than 50,000 objects or 64 builds inside each other.
    #[error("{0} and what it includes are too many to follow")]
    TooMany(RepoPath),
}

impl Why {
    /// Whether objects may be missing from the answer for it.
    pub fn hides(&self) -> bool {
        !matches!(
            self,
            Why::Duplicate(_)
                | Why::NoTarget(_)
                | Why::BadPatch(_)
                | Why::WrongKind(_)
                | Why::BadBuildFile(_)
                | Why::NotAnObject(_)
        )
    }

    /// Whether kustomize refuses the whole build for it. What is fetched from elsewhere and what plugins do is only not
    /// known here.
    pub fn refuses(&self) -> bool {
        !matches!(self, Why::Remote(_) | Why::Plugin(_) | Why::TooMany(_))
    }
}

/// The kustomization file of a directory; `None` if it has none. Of several the first is taken, in the order of
/// [`KUSTOMIZATION_NAMES`]; kustomize refuses them, and [`build()`] says so.
pub fn build_file(tree: &dyn Tree, dir: &RepoPath) -> Option<RepoPath> {
    let entries = tree.list(dir);
    let is_file = |name: &str| entries.iter().any(|(it, kind)| it == name && *kind == FileKind::File);
    KUSTOMIZATION_NAMES.into_iter().find(|name| is_file(name)).and_then(|name| dir.join(name))
}
