//! What is not live as it is written, and on purpose: told in the hover, at the line that says so or is outdone.

use manifests::kustomize::{Built, Origin};
use manifests::value::Data;
use manifests::{
    FieldPath, LeftOut, LineIndex, Node, ParsedFile, Placed, RepoPath, Segment, Site, SourceTree, TextRange,
    TextSize, Value,
};
use std::collections::HashSet;

use crate::page::{Page, spans};
use crate::report::Hover;
use crate::view::View;
use crate::words;

/// Of so many Kustomizations is told what they make of a line.
const TOLD: usize = 6;

/// Annotations and labels of Flux and kustomize that keep an object, or part of it, from being live
/// (flux-reference E.6). Flux takes their values in upper and lower case, but for [`SUBSTITUTE`].
const OPT_OUTS: &[(&str, &str, &str)] = &[
    (
        "kustomize.toolkit.fluxcd.io/reconcile",
        "disabled",
        "Flux neither applies this object nor deletes it, and does not look at its health: what is written here is not made live.",
    ),
    (
        "kustomize.toolkit.fluxcd.io/ssa",
        "Ignore",
        "Flux leaves this object alone: what is written here is not made live.",
    ),
    (
        "kustomize.toolkit.fluxcd.io/ssa",
        "IfNotPresent",
        "Flux makes this object once, and never changes it after that: later edits here are not made live.",
    ),
    (
        "kustomize.toolkit.fluxcd.io/ssa",
        "Merge",
        "Flux adds its fields to those of others: what is taken away here may stay live.",
    ),
    (
        "kustomize.toolkit.fluxcd.io/prune",
        "disabled",
        "Flux does not delete this object when its text goes away.",
    ),
    (SUBSTITUTE, "disabled", "Flux replaces no variables in this object: `${…}` goes live as it is written."),
    ("kustomize.toolkit.fluxcd.io/decrypt", "disabled", "Flux does not decrypt this object."),
];

/// Compared letter by letter (fluxcd/pkg/kustomize, kustomize_varsub.go).
const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// kustomize's own, of annotations only, with any value but `false` (`DropLocalNodes`).
const LOCAL: &str = "config.kubernetes.io/local-config";

impl View<'_> {
    /// At a line that is not live on purpose: an annotation that says so, or a value that a later patch, image or
    /// replica count outdoes.
    pub(crate) fn hover_of_purpose(
        &self,
        path: &RepoPath,
        file: &ParsedFile,
        offset: TextSize,
    ) -> Option<Hover> {
        let index = file.documents().iter().position(|it| it.range().contains_inclusive(offset))?;
        let placed = file.documents().get(index)?;
        let (field, node) = placed.document.path_at(placed.in_document(offset)?)?;
        let value = node.as_scalar()?;
        let range = placed.in_file(node.range);
        let mut page = Page::default();
        if let Some(sentence) = opt_out(&field, &value.value) {
            page.line(spans![w sentence]);
        } else if is_handle(&field) {
            self.say_left_out(&mut page, path);
        } else if placed.document.get(&field).is_some_and(|it| it.range == node.range) {
            // At a key nothing is overridden: what is there is no value.
            self.say_overridden(&mut page, path, index, placed, (&field, node));
        }
        (!page.is_empty()).then(|| Hover { range, markdown: self.markdown(&page) })
    }

    /// A file that no build reads, because it is left out.
    pub(crate) fn left_out_file(&self, path: &RepoPath) -> Option<ParsedFile> {
        let mut page = Page::default();
        self.say_left_out(&mut page, path);
        if page.is_empty() { None } else { self.inputs.repo.tree.parsed(path) }
    }

    /// What leaves a file out of the artifacts that clusters fetch, in sentences.
    pub(crate) fn say_left_out(&self, page: &mut Page, path: &RepoPath) {
        for cluster in 0..self.inputs.clusters.len() {
            for why in self.left_out_of(cluster, path) {
                let by = match why {
                    LeftOut::File(file, line) => spans![w "by ", d file, w ":", w line],
                    LeftOut::Spec => spans![w "by `spec.ignore` of the source"],
                    LeftOut::Default => spans![w "as sources do by default"],
                };
                let cluster = words::data(self.cluster(cluster).name);
                let mut words = spans![w "not in the artifact that ", d cluster, w " fetches: left out "];
                words.extend(by);
                page.item(words);
            }
        }
    }

    /// What leaves a file out of the artifacts that a cluster applies, where it would be applied but for that. Nothing of a
    /// file that some build reads all the same, and nothing of artifacts of which nobody knows where they were pushed from.
    pub(crate) fn left_out_of(&self, cluster: usize, path: &RepoPath) -> Vec<LeftOut> {
        let binding = &self.derived[cluster].binding;
        if binding.known_to_read(path).next().is_some() {
            return Vec::new();
        }
        let tree = self.inputs.repo.tree;
        let mut asked = HashSet::new();
        let mut found = Vec::new();
        let certain = binding.deliveries.from_here.iter().filter(|it| it.from.is_certain());
        for key in certain.map(|it| it.from.key()) {
            let by_folder = key.copies.is_some().then_some(&key.dir);
            if by_folder.is_none() && !path.starts_with(&key.dir)
                || !asked.insert((&key.copies, key.ignore.as_deref(), by_folder))
            {
                continue;
            }
            let why = match (&key.copies, &key.ignore) {
                (Some(copies), _) => copies.left_out(tree, path, &key.dir),
                (None, Some(ignore)) => SourceTree::new(tree, Some(ignore)).left_out(path),
                (None, None) => None,
            };
            found.extend(why.filter(|it| !found.contains(it)));
        }
        found
    }

    fn say_overridden(
        &self,
        page: &mut Page,
        path: &RepoPath,
        index: usize,
        placed: &Placed,
        (field, node): (&FieldPath, &Node),
    ) {
        let range = placed.in_file(node.range);
        let mut told = 0;
        for cluster in 0..self.inputs.clusters.len() {
            for made in self.made_of(cluster, path, index) {
                let by = &made.delivery.kustomization.id;
                let Some(content) = self.content(cluster, by) else { continue };
                let is_it = |it: &&Built| {
                    it.origin == Origin::Document { path: path.clone(), index }
                        && it.id().as_ref() == Some(&made.outline.id)
                };
                let Some(built) = content.build.objects.iter().find(is_it) else { continue };
                // What stands anywhere in the object is live, wherever a patch moved it to.
                if stands(&built.value, path, range) {
                    continue;
                }
                let Some(now) = built.value.at(&by_item(placed, field)) else { continue };
                let Some((file, at)) = now.site.as_ref().and_then(Site::in_file) else { continue };
                if told < TOLD {
                    let cluster = words::data(self.cluster(cluster).name);
                    let line = self.line_of(&file, at);
                    page.item(spans![w "overridden by ", d file, w ":", w line, w " in ", d cluster, w " (", d by, w ")"]);
                }
                told += 1;
            }
        }
        if told > TOLD {
            page.item(spans![w "and in ", w told - TOLD, w " more"]);
        }
    }

    /// From 1.
    fn line_of(&self, path: &RepoPath, range: TextRange) -> u32 {
        let text = self.inputs.repo.tree.read(path).unwrap_or_default();
        LineIndex::new(&text).line_col(range.start()).line + 1
    }
}

/// The kind and the name stand for the whole document.
fn is_handle(field: &FieldPath) -> bool {
    let keys: Vec<&str> = field
        .segments()
        .iter()
        .filter_map(|it| match it {
            Segment::Key(key) => Some(key.as_str()),
            Segment::Index(_) | Segment::Item { .. } => None,
        })
        .collect();
    matches!(keys.as_slice(), ["kind"] | ["metadata", "name"])
}

fn opt_out(field: &FieldPath, value: &str) -> Option<&'static str> {
    let [Segment::Key(metadata), Segment::Key(kind), Segment::Key(key)] = field.segments() else {
        return None;
    };
    if metadata != "metadata" || !matches!(kind.as_str(), "annotations" | "labels") {
        return None;
    }
    if key == LOCAL {
        let is_local = kind == "annotations" && value != "false";
        return is_local.then_some("kustomize leaves this object out of what it builds: it is not applied.");
    }
    let says = |told: &str| if key == SUBSTITUTE { told == value } else { told.eq_ignore_ascii_case(value) };
    let found = OPT_OUTS.iter().find(|(it, told, _)| it == key && says(told));
    found.map(|(_, _, sentence)| *sentence)
}

/// Whether any part of a value was set at this place.
fn stands(value: &Value, path: &RepoPath, range: TextRange) -> bool {
    let here = |it: &Site| it.in_file().is_some_and(|(file, at)| file == *path && at == range);
    value.site.as_ref().is_some_and(here)
        || match &value.data {
            Data::Mapping(members) => members.iter().any(|it| stands(&it.value, path, range)),
            Data::Sequence(items) => items.iter().any(|it| stands(it, path, range)),
            Data::Scalar(_) => false,
        }
}

/// The path with items told by what strategic merge tells them by: patches move them.
fn by_item(placed: &Placed, field: &FieldPath) -> FieldPath {
    const KEYS: &[&str] =
        &["name", "mountPath", "containerPort", "port", "key", "ip", "devicePath", "topologyKey"];
    let mut way = FieldPath::root();
    let mut found = FieldPath::root();
    for segment in field.segments() {
        way = way.with(segment.clone());
        let item = placed.document.get(&way);
        let named = KEYS.iter().find_map(|key| Some((*key, item?.get(key)?.as_str()?)));
        let segment = match (segment, named) {
            (Segment::Index(_), Some((field, value))) => {
                Segment::Item { field: field.to_owned(), value: value.to_owned() }
            }
            _ => segment.clone(),
        };
        found = found.with(segment);
    }
    found
}
