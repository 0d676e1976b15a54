//! Ways through a repository: from a name or a path to what it means, from an object or a file to who mentions it.
//!
//! All of it works from the texts alone. Live facts only choose: where several documents have a name, the one that
//! the live object comes from is first, and the artifact that a live Kustomization takes tells what its path means.
//!
//! Nothing here reads a whole repository. The [`Catalog`] is kept as files change; a question reads the few
//! documents that it leads to.

use manifests::{FileKind, ParsedFile, Placed, RepoPath, TextRange, TextSize};
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use crate::RepoIndex;
use crate::index::{Covered, DocRef};
use crate::inputs::Inputs;
use crate::view::View;

mod build_file;
mod builds;
mod catalog;
mod fields;
mod mention;
mod referrers;
mod resolve;

pub(crate) use catalog::Catalog;
pub(crate) use mention::build_folder;

use builds::{Above, PerFile};
use mention::{Mention, What};

/// A place to go to. Ranges are bytes of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The file.
    pub path: RepoPath,
    /// All of what is meant: a document, an entry; empty at the start of the file for a whole file.
    pub range: TextRange,
    /// Its name, inside of `range`.
    pub name_range: TextRange,
}

/// Where a name or a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The words that lead there, in bytes of the file that was asked about.
    pub origin: TextRange,
    /// Where to, likeliest first; never empty.
    pub targets: Vec<Target>,
}

/// A path in a file that leads to another file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The path as it is written, without quotes.
    pub range: TextRange,
    /// The file; of a folder its kustomization.yaml.
    pub target: RepoPath,
    /// What following it does.
    pub tooltip: String,
}

/// What the words at an offset mean: the documents of a named object, the file or folder of a path, the objects that a
/// patch is for. At the name of an object that is not a patch that object itself, so that editors offer who
/// mentions it. `file` is `path` as it is in front of the user.
pub fn definition(
    inputs: &Inputs<'_>,
    path: &RepoPath,
    file: &ParsedFile,
    offset: TextSize,
) -> Option<Definition> {
    Navigator::new(inputs, path, file).definition(path, offset)
}

/// Who mentions the object or file at an offset: whoever names it, includes it, patches it, builds it. With
/// `declaration` also where it is itself.
pub fn references(
    inputs: &Inputs<'_>,
    path: &RepoPath,
    file: &ParsedFile,
    offset: TextSize,
    declaration: bool,
) -> Vec<Target> {
    Navigator::new(inputs, path, file).references(path, offset, declaration)
}

/// The paths in a file that lead to other files, in the order of the text.
pub fn links(inputs: &Inputs<'_>, path: &RepoPath, file: &ParsedFile) -> Vec<Link> {
    Navigator::new(inputs, path, file).links(path, file)
}

/// The documents of the Flux Kustomizations whose build reads a file, as far as the files (and live facts) tell.
pub(crate) fn appliers(inputs: &Inputs<'_>, path: &RepoPath, file: &ParsedFile) -> Vec<DocRef> {
    Navigator::new(inputs, path, file).above(path).appliers.iter().cloned().collect()
}

/// Whether kustomization.yaml files name a file, and none of them as a resource.
pub(crate) fn is_input(inputs: &Inputs<'_>, path: &RepoPath) -> bool {
    let Some(file) = inputs.repo.tree.parsed(path) else { return false };
    Navigator::new(inputs, path, &file).is_input(path)
}

impl Target {
    /// A file as a whole.
    pub(crate) fn top(path: RepoPath) -> Target {
        Target { path, range: TextRange::default(), name_range: TextRange::default() }
    }
}

/// Flux Kustomizations of copied artifacts, with what they read.
type CopiedBuilds = Vec<(DocRef, Arc<Covered>)>;

/// The inputs while one question is answered, with what was read for it.
pub(crate) struct Navigator<'a> {
    view: View<'a>,
    files: PerFile<Option<ParsedFile>>,
    folders: PerFile<Rc<BTreeMap<String, FileKind>>>,
    above: PerFile<Rc<Above>>,
    namespaced: PerFile<bool>,
    copied: RefCell<Option<Rc<CopiedBuilds>>>,
    has_own_source: OnceCell<bool>,
}

/// What is at an offset.
enum Here {
    /// A name or path that leads elsewhere.
    Mention(DocRef, Mention),
    /// The name of the object that a document is.
    Own(DocRef, Target),
    /// Something that a document makes: a generator's name.
    Made(mention::Named, Target),
    /// A kustomization.yaml, anywhere else in it.
    Build(DocRef),
}

impl<'a> Navigator<'a> {
    fn new(inputs: &'a Inputs<'a>, path: &RepoPath, file: &ParsedFile) -> Self {
        Self {
            view: View::new(inputs),
            files: RefCell::new(HashMap::from([(path.clone(), Some(file.clone()))])),
            folders: RefCell::default(),
            above: RefCell::default(),
            namespaced: RefCell::default(),
            copied: RefCell::default(),
            has_own_source: OnceCell::new(),
        }
    }

    fn definition(&self, path: &RepoPath, offset: TextSize) -> Option<Definition> {
        let here = self.here(path, offset)?;
        let (origin, targets) = match &here {
            Here::Mention(at, mention) => {
                (self.document(at)?.in_file(mention.words), self.resolve(at, mention))
            }
            Here::Own(at, own) => {
                let placed = self.document(at)?;
                let patched = match self.is_patch(at, &placed) {
                    true => self.identity(at, own).map(|it| self.patched(at, &it)).unwrap_or_default(),
                    false => Vec::new(),
                };
                let own = own.clone();
                (own.name_range, if patched.is_empty() { vec![own] } else { patched })
            }
            Here::Made(_, own) => (own.name_range, vec![own.clone()]),
            Here::Build(_) => return None,
        };
        (!targets.is_empty()).then_some(Definition { origin, targets })
    }

    fn links(&self, path: &RepoPath, file: &ParsedFile) -> Vec<Link> {
        let mut links = Vec::new();
        for (index, placed) in file.documents().iter().enumerate() {
            let at = DocRef { path: path.clone(), index };
            for mention in mention::mentions(path, &placed.document) {
                if !matches!(mention.what, What::File(_) | What::InSource(_)) || mention.words.is_empty() {
                    continue;
                }
                // A folder without a kustomization.yaml is many files: no link, and all of them are its definition.
                if let [one] = self.resolve(&at, &mention).as_slice() {
                    links.push(Link {
                        range: placed.in_file(mention.words),
                        tooltip: format!("Open {}", crate::words::data(one.path.as_str())),
                        target: one.path.clone(),
                    });
                }
            }
        }
        links.sort_by_key(|it| it.range.start());
        links
    }

    /// What is at an offset of a file.
    fn here(&self, path: &RepoPath, offset: TextSize) -> Option<Here> {
        let file = self.file(path)?;
        let placed = file.document_at(offset)?;
        let index = file.documents().iter().position(|it| it.offset == placed.offset)?;
        let at = DocRef { path: path.clone(), index };
        let inside = placed.in_document(offset)?;
        let document = &placed.document;
        let all = mention::mentions(path, document).into_iter().chain(mention::targets(path, document));
        let nearest = all.filter(|it| it.span.contains_inclusive(inside)).min_by_key(|it| it.span.len());
        if let Some(mention) = nearest.filter(|it| !it.words.is_empty()) {
            return Some(Here::Mention(at, mention));
        }
        for made in mention::makes(path, document) {
            if made.words.contains_inclusive(inside) {
                let own = self.target(&at, placed, made.words, made.words);
                return Some(Here::Made(made.object, own));
            }
        }
        for (identity, range) in mention::objects(placed) {
            let spots = [identity.kind_range, identity.name_range];
            if spots.iter().any(|it| it.contains_inclusive(inside)) {
                let own = self.target(&at, placed, range, identity.name_range);
                return Some(Here::Own(at, own));
            }
        }
        mention::build_folder(path, document).map(|_| Here::Build(at))
    }

    /// What the object of a document is called, of a list the one at this place.
    fn identity(&self, at: &DocRef, own: &Target) -> Option<manifests::Identity> {
        let placed = self.document(at)?;
        let all = mention::objects(&placed);
        let is_it = |it: &manifests::Identity| placed.in_file(it.name_range) == own.name_range;
        all.into_iter().find(|it| is_it(it.0)).map(|it| it.0.clone())
    }

    fn index(&self) -> &'a RepoIndex {
        self.view.inputs.repo.index
    }

    fn catalog(&self) -> &'a Catalog {
        self.index().catalog()
    }

    /// A file as it is; read once.
    fn file(&self, path: &RepoPath) -> Option<ParsedFile> {
        if let Some(known) = self.files.borrow().get(path) {
            return known.clone();
        }
        let file = self.index().file(path).cloned().or_else(|| self.view.inputs.repo.tree.parsed(path));
        self.files.borrow_mut().insert(path.clone(), file.clone());
        file
    }

    fn document(&self, at: &DocRef) -> Option<Placed> {
        self.file(&at.path)?.documents().get(at.index).cloned()
    }

    /// What is at a path; each folder is listed once. No part of it may be a link.
    fn kind(&self, path: &RepoPath) -> Option<FileKind> {
        let Some(parent) = path.parent() else { return Some(FileKind::Directory) };
        if self.kind(&parent)? != FileKind::Directory {
            return None;
        }
        if let Some(known) = self.folders.borrow().get(&parent) {
            return known.get(path.file_name()).copied();
        }
        let listed: BTreeMap<_, _> = self.view.inputs.repo.tree.list(&parent).into_iter().collect();
        let kind = listed.get(path.file_name()).copied();
        self.folders.borrow_mut().insert(parent, Rc::new(listed));
        kind
    }
}
