//! What failure messages say: message in, causes out.
//!
//! Flux, kustomize, Helm and the API server write free text. [`parse`] knows its shapes (the failure catalogue
//! of flux-reference C and what was seen on real controllers, H) as tables of rows, and turns a message into
//! [`Fault`]s: which object, which field, file, variable or value, and what is wrong there in one sentence.
//! What it does not know degrades: to the object that is named, then to the field of the Flux object that is
//! responsible, then to its name. It never guesses a node.
//!
//! Messages are data of a cluster: any bytes, cut off anywhere. Nothing here panics on them or takes more than
//! time linear in their length.

mod api;
mod build;
mod field;
mod health;
mod helm;
mod named;
mod own;
mod path;
mod rows;
mod values;
mod variables;

use crate::message::{capture, first_sentence, normalise};
use crate::{Kind, Object, Verdict};

pub use field::Problem;
pub use named::{Named, Other};
pub use own::Own;
pub use path::{Path, Step};

use own::At;

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
    /// Whether the key is what is wrong there, not its value.
    pub is_key: bool,
}

/// One thing that a message says is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The row of the catalogue (`A5`); none for unknown text. `H-4` and `H-5` are items of flux-reference H.
    pub shape: Option<&'static str>,
    /// The object that it is about: one that the Flux object applies, or that its chart renders.
    pub object: Option<Named>,
    /// Where in it, or in the files that it is built from.
    pub place: Place,
    /// What is wrong, in one line: raw text of the cluster.
    pub says: String,
    /// Who can do something about it.
    pub side: Side,
    /// The policy, webhook or quota that refused it.
    pub policy: Option<String>,
    /// What stands in the way besides the object.
    pub other: Option<Other>,
    /// Where in a chart's templates it happened, outermost first.
    pub frames: Vec<Frame>,
    /// What helps, where the shape alone tells it.
    pub hint: Option<&'static str>,
    /// The field of the Flux object to fall back on when the place is not found.
    pub own: Own,
}

/// Where a fault belongs. Paths of files are relative to the artifact's root unless [`FileName::from`] says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The Flux object's own field, [`Fault::own`]; the object that is named, if the spec has no such field.
    Own,
    /// The object that is named: no more is known.
    Object,
    /// A field of the object.
    Field {
        /// Its path; the root if the message shows none.
        path: Path,
        /// The value that the message quotes. At a mapping (`metadata.labels`) it tells the entry: it is that
        /// entry's value or key.
        value: Option<String>,
        /// What is wrong with it.
        problem: Problem,
    },
    /// Some field of the object: the message names neither path nor value, only what to look for.
    Somewhere(LookFor),
    /// A `${…}` in the object.
    Variable(Variable),
    /// A kustomization file.
    Build {
        /// Its folder. Where none is told it is that of `spec.path`, else any of the build.
        folder: Option<String>,
        /// Where in it.
        entry: Entry,
    },
    /// A file that a build reads; its document that is [`Fault::object`], if there is one.
    File {
        /// The file; none is any file of the build.
        file: Option<FileName>,
        /// A hint only: it counts from the document's start and may be one off (flux-reference C.0).
        line: Option<u32>,
        /// What to look for in it.
        look: Option<LookFor>,
    },
    /// A patch of a kustomization file, of `spec.patches` or of a post-renderer.
    Patch(PatchIs),
    /// A value of a HelmRelease: in `spec.values` or in what `valuesFrom` reads.
    Values {
        /// From the values' root.
        path: Path,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A template of the chart, whatever the values are: the innermost of [`Fault::frames`].
    Template,
    /// A template that does not render to YAML ([`Fault::frames`]): its own fault, or that of a value in it.
    Rendered,
}

/// A variable of a post-build substitution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// The one of this name.
    Named(String),
    /// The first that does not parse.
    Malformed,
    /// Any: what they became is no YAML.
    Any,
}

/// Where in a kustomization file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The file as a whole.
    Whole,
    /// A key; dotted below the root (`patches.target`), in each item of lists.
    Key {
        /// The key.
        key: Path,
        /// What is wrong with it.
        problem: Problem,
    },
    /// The entry of a list that is, or whose path is, this text: `resources`, `components`, `patches[].path`.
    Text(String),
    /// The entry, of a generator too, that leads to this file or folder of the artifact.
    LeadsTo(String),
    /// The entry that leads to an encrypted file which is decrypted before the build: of a `secretGenerator`, a patch. Of
    /// the folder and of all that it includes.
    Encrypted,
    /// It does not parse; the line is a hint only.
    Syntax {
        /// From 1, if it is right.
        line: Option<u32>,
    },
}

/// A file as a message names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    /// Its path.
    pub path: String,
    /// What it is relative to.
    pub from: From,
}

/// What a [`FileName`] is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The artifact's root.
    Root,
    /// The folder of `spec.path`.
    Build,
    /// Any folder of the build: only the base name is known.
    Anywhere,
}

/// What to look for where a message names no path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookFor {
    /// A quantity that does not parse (`500mb`).
    Quantity,
    /// Text that is not base64 (in a Secret's `data`).
    Base64,
    /// A time that does not parse.
    Time,
    /// A duration that does not parse.
    Duration,
    /// A key with a value of another type. The key, or its last part, is known.
    Typed {
        /// The key.
        key: String,
        /// As in [`Problem::Type`].
        expected: String,
        /// As in [`Problem::Type`].
        got: String,
    },
    /// A mapping key that is there twice, and the lines of both.
    DuplicateKey {
        /// The key.
        key: String,
        /// Hints only.
        lines: Option<(u32, u32)>,
    },
    /// The first document without kind or metadata.
    NoObject,
    /// The first object of this kind without a name.
    Nameless {
        /// `apps/v1`.
        api_version: String,
        /// The kind.
        kind: String,
    },
    /// What the parser does not take: parse the file again.
    Syntax,
    /// A value that by the rules of the object's own `sops` is encrypted, and is not.
    Unencrypted,
    /// This text.
    Text(String),
}

/// How a message tells which patch it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatchIs {
    /// Its own kind and name.
    Of(Named),
    /// A JSON patch's operation.
    Operation {
        /// `replace`.
        op: String,
        /// `/data/foo`, if told.
        pointer: Option<String>,
    },
    /// Its whole text.
    Text(String),
}

/// A line of a chart's template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// `web/templates/deployment.yaml`: the chart's name, then the path in it.
    pub file: String,
    /// From 1; none if only a line of what it renders to is told.
    pub line: Option<u32>,
    /// From 1 or 0, as Go's templates count.
    pub column: Option<u32>,
    /// The expression that was evaluated, as Go prints it; of a template that does not parse the word that it stumbles at.
    pub expression: Option<String>,
}

impl Fault {
    fn new(says: &str) -> Fault {
        // Of a stalled object: says nothing that the state does not.
        const TERMINAL: &str = "Reconciliation failed terminally due to configuration error: ";
        let says = says.strip_prefix(TERMINAL).unwrap_or(says);
        Fault {
            shape: None,
            object: None,
            place: Place::Own,
            says: first_sentence(says),
            side: Side::Author,
            policy: None,
            other: None,
            frames: Vec::new(),
            hint: None,
            own: Own::default(),
        }
    }

    fn at(self, place: Place) -> Fault {
        Fault { place, ..self }
    }

    fn of(self, object: Named) -> Fault {
        let place = if self.place == Place::Own { Place::Object } else { self.place };
        Fault { object: Some(object), place, ..self }
    }

    fn field(self, path: &[&str], problem: Problem) -> Fault {
        self.at(Place::Field { path: Path::of(path), value: None, problem })
    }

    fn own(self, at: At, told: &[&str]) -> Fault {
        Fault { own: Own::new(at, told), ..self }
    }

    /// The row, unless a nearer one has said it. Rows without an id only lead on.
    fn shaped(self, shape: &'static str) -> Fault {
        Fault { shape: self.shape.or(Some(shape).filter(|it| !it.is_empty())), ..self }
    }

    fn other(self, other: Other) -> Fault {
        Fault { other: Some(other), ..self }
    }

    fn hint(self, hint: &'static str) -> Fault {
        Fault { hint: Some(hint), ..self }
    }

    fn of_cluster(self) -> Fault {
        Fault { side: Side::Cluster, ..self }
    }
}

/// What a message is read with: the object that says it, and what outer rows have found out.
#[derive(Clone, Copy)]
struct Scene<'a> {
    kind: Kind,
    /// The text that the rows of this level are matched against.
    text: &'a str,
    /// The release's chart: schema errors name subcharts beside it.
    chart: Option<&'a str>,
}

/// What to do with a text that has a row's shape.
enum Then {
    /// One fault, at the Flux object's own field.
    Own(At),
    /// Read on; `None` if the text is of another shape after all.
    Read(for<'a> fn(&Scene<'a>, &[&'a str]) -> Option<Vec<Fault>>),
}

/// Id in the catalogue; the kinds that say it; the pattern, in which `*` is any text; what to do.
type Row = (&'static str, &'static [Kind], &'static str, Then);

/// The faults of the first row that fits: the narrower shapes of a family come first.
fn first(rows: &[Row], scene: &Scene<'_>) -> Option<Vec<Fault>> {
    rows.iter().filter(|(_, kinds, _, _)| kinds.contains(&scene.kind)).find_map(|(id, _, pattern, then)| {
        let captured = capture(pattern, scene.text)?;
        let faults = match then {
            Then::Own(at) => vec![Fault::new(scene.text).own(*at, &captured)],
            Then::Read(read) => read(scene, &captured).filter(|it| !it.is_empty())?,
        };
        Some(faults.into_iter().map(|fault| fault.shaped(id)).collect())
    })
}

/// The causes that a message of an object's condition tells; at least one.
///
/// The condition's reason is not asked for: reasons changed between versions of Flux, and every shape is told by
/// its text alone.
pub fn parse(kind: Kind, message: &str) -> Vec<Fault> {
    let message = normalise(message);
    let scene = Scene { kind, text: &message, chart: None };
    let mut faults = first(rows::ROWS, &scene).unwrap_or_else(|| vec![Fault::new(&message)]);
    let of_cluster = side(&message) == Side::Cluster;
    for fault in &mut faults {
        if of_cluster && !matches!(fault.place, Place::Field { .. } | Place::Values { .. }) {
            fault.side = Side::Cluster;
        }
        if fault.other.is_none() {
            fault.other = named::missing(&fault.says);
        }
    }
    faults
}

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
    "Could not load chart: failed to download chart from *",
    "failed to verify archive*",
    "*unable to archive artifact to storage: *",
    "*failed to acquire lock*",
    "*failed to create artifact directory*",
    "*another operation (install/upgrade/rollback) is in progress*",
    "*etcdserver: *",
    "*the server is currently unable to handle the request*",
    "*the server was unable to return a response in the time allotted*",
    "*kubernetes cluster unreachable*",
    "*dial tcp*",
    "*no such host*",
    "*connection refused*",
    "*connection reset by peer*",
    "*i/o timeout*",
    "*TLS handshake timeout*",
    "*network is unreachable*",
];

impl FieldRef {
    /// The object's name.
    fn name() -> FieldRef {
        FieldRef { path: "metadata.name".to_owned(), side: Side::Author, shape: None, is_key: false }
    }
}

impl Fault {
    /// The field of the Flux object's own spec at which this stands if nothing nearer is found; its name if there is
    /// none.
    pub fn own_field(&self, object: &Object) -> FieldRef {
        let field = self.own.field(object).map(|path| FieldRef {
            is_key: self.own.is_key(&path),
            path,
            ..FieldRef::name()
        });
        FieldRef { side: self.side, shape: self.shape, ..field.unwrap_or_else(FieldRef::name) }
    }

    /// Whether the value is wrong by itself: nothing else in the object can make it right. A limit, a selector or a name of
    /// another part may.
    pub fn is_of_the_value_alone(&self) -> bool {
        /// What apimachinery's validation and a CRD's schema say of a value that no other value has to do with.
        const ALONE: &[&str] = &[
            ": must be non-negative",
            ": must be a valid ",
            ": must consist of ",
            ": a lowercase RFC ",
            ": a valid label ",
            " in body should be ",
            " in body should match ",
        ];
        /// The same, if a number follows: it may be another field.
        const BOUNDS: &[&str] = &[
            ": must be greater than or equal to ",
            ": must be greater than ",
            ": must be less than or equal to ",
            ": must be less than ",
            ": must be between ",
            ": must be no more than ",
        ];
        let is_bound = |it: &&str| {
            let rest = self.says.split_once(*it).map(|(_, rest)| rest.trim_start_matches('-'));
            rest.is_some_and(|it| it.starts_with(|c: char| c.is_ascii_digit()))
        };
        let is_alone = || ALONE.iter().any(|it| self.says.contains(it)) || BOUNDS.iter().any(is_bound);
        let Place::Field { value, problem, .. } = &self.place else { return false };
        match problem {
            Problem::NotSupported { .. } | Problem::Unknown | Problem::Type { .. } => true,
            Problem::Invalid => value.is_some() && is_alone(),
            _ => false,
        }
    }
}

/// The field of the object's own spec at which its failure stands; `metadata.name` if no better one is
/// known, or if the trouble is not the text's.
pub fn failure_field(object: &Object, verdict: &Verdict) -> FieldRef {
    let faults = parse(object.kind, &verdict.message);
    let side = side(&verdict.message);
    // Who waits has its mark at the reference, whoever can mend what it waits for.
    let waits = verdict.failure.as_ref().is_some_and(|f| matches!(f.trouble, crate::Trouble::Waiting { .. }));
    let shape = faults.first().and_then(|fault| fault.shape);
    let own = faults.iter().find(|it| (side == Side::Author || waits) && it.own.field(object).is_some());
    let field = own.map_or_else(FieldRef::name, |it| it.own_field(object));
    FieldRef { side, shape, ..field }
}

/// Whether a message speaks of trouble of the cluster, a network or a quota, not of the text.
pub fn side(message: &str) -> Side {
    let cluster = CLUSTER_SIDE.iter().any(|pattern| capture(pattern, message).is_some());
    if cluster { Side::Cluster } else { Side::Author }
}

#[cfg(test)]
mod tests;
