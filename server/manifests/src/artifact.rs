//! What of a repository source-controller puts into an artifact (its `pkg/sourceignore`, v1.9).
//!
//! A `.sourceignore` and a source's `spec.ignore` have the syntax of `.gitignore`. Any pattern at all replaces the
//! default exclusions, but for those of version control. Symbolic links are never in an artifact, what Git ignores is,
//! if it is tracked. Unlike Git's own, a later pattern may bring a file of an excluded folder back.
//!
//! An OCIRepository does the same with what it pulled, unless its layer is copied as it is (`flux push artifact` reads no
//! `.sourceignore`, it leaves out version control and pictures and archives).

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::{FileKind, ParsedFile, RepoPath, Tree};

/// The name of the files.
pub const SOURCE_IGNORE: &str = ".sourceignore";

/// Never in an artifact.
static VERSION_CONTROL: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::of_all(".git/\n.gitignore\n.gitmodules\n.gitattributes"));

/// Not in an artifact unless something is said of it.
static DEFAULTS: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::of_all(
        "*.jpg\n*.jpeg\n*.gif\n*.png\n*.wmv\n*.flv\n*.tar.gz\n*.zip
.github/\n.circleci/\n.travis.yml\n.gitlab-ci.yml\nappveyor.yml\n.drone.yml\ncloudbuild.yaml
codeship-services.yml\ncodeship-steps.yml
**/.goreleaser.yml\n**/.sops.yaml\n**/.flux.yaml",
    )
});

/// A repository as a GitRepository's artifact holds it.
pub struct SourceTree<'tree> {
    tree: &'tree dyn Tree,
    /// The source's `spec.ignore`.
    ignore: Vec<Pattern>,
    /// By folder: the patterns of its `.sourceignore`.
    files: RefCell<HashMap<RepoPath, Rc<[Pattern]>>>,
}

/// What leaves a file out of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOut {
    /// A `.sourceignore`, with the line, from 1.
    File(RepoPath, usize),
    /// The source's `spec.ignore`.
    Spec,
    /// What is left out where nothing else is said.
    Default,
}

/// Whether what is left out where nothing is said is about a file: an ArtifactGenerator's artifact is archived so, whatever
/// is said of its sources.
pub fn is_left_out_by_default(path: &RepoPath) -> bool {
    [&*DEFAULTS, &*VERSION_CONTROL].into_iter().find_map(|it| it.says(path, false)) == Some(true)
}

/// One line, or several that leave out alike.
struct Pattern {
    /// The folder that it is about.
    domain: RepoPath,
    matcher: Gitignore,
    from: LeftOut,
}

impl<'tree> SourceTree<'tree> {
    /// The artifact of this repository; `ignore` is the source's `spec.ignore`.
    pub fn new(tree: &'tree dyn Tree, ignore: Option<&str>) -> SourceTree<'tree> {
        let root = RepoPath::root();
        SourceTree {
            tree,
            ignore: patterns(ignore.unwrap_or_default(), &root, |_| LeftOut::Spec),
            files: RefCell::default(),
        }
    }

    /// What leaves a file out, if anything does.
    pub fn left_out(&self, path: &RepoPath) -> Option<LeftOut> {
        self.left_out_as(path, false)
    }

    fn left_out_as(&self, path: &RepoPath, is_folder: bool) -> Option<LeftOut> {
        let mut folders: Vec<RepoPath> = std::iter::successors(path.parent(), RepoPath::parent).collect();
        folders.reverse();
        let files: Vec<Rc<[Pattern]>> = folders.iter().map(|it| self.file_in(it)).collect();
        // Elsewhere than above this file a `.sourceignore` says nothing of it, but that no default holds. One that nobody
        // would write for that is not looked for.
        let is_told = !self.ignore.is_empty() || files.iter().any(|it| !it.is_empty());
        let own = self.ignore.iter().rev().chain(files.iter().rev().flat_map(|it| it.iter().rev()));
        let defaults = (!is_told).then_some(&*DEFAULTS);
        let mut all = own.chain(defaults).chain([&*VERSION_CONTROL]);
        let (last, out) = all.find_map(|it| it.says(path, is_folder).map(|out| (it, out)))?;
        out.then(|| last.from.clone())
    }

    fn file_in(&self, folder: &RepoPath) -> Rc<[Pattern]> {
        if let Some(known) = self.files.borrow().get(folder) {
            return Rc::clone(known);
        }
        let path = folder.join(SOURCE_IGNORE);
        let text = path.as_ref().and_then(|it| self.tree.read(it));
        let read: Rc<[Pattern]> = match (path, text) {
            (Some(path), Some(text)) => {
                patterns(&text, folder, |line| LeftOut::File(path.clone(), line)).into()
            }
            _ => Rc::from([]),
        };
        self.files.borrow_mut().insert(folder.clone(), Rc::clone(&read));
        read
    }
}

/// The lines of a text that are patterns; one that is malformed matches nothing.
fn patterns(text: &str, domain: &RepoPath, from: impl Fn(usize) -> LeftOut) -> Vec<Pattern> {
    let read = text.lines().enumerate().filter_map(|(nth, line)| {
        if line.trim().is_empty() || line.starts_with('#') {
            return None;
        }
        let mut builder = GitignoreBuilder::new("");
        builder.add_line(None, line).ok()?;
        let matcher = builder.build().ok()?;
        Some(Pattern { domain: domain.clone(), matcher, from: from(nth + 1) })
    });
    read.collect()
}

impl Pattern {
    /// Lines none of which takes anything in.
    fn of_all(text: &str) -> Pattern {
        let mut builder = GitignoreBuilder::new("");
        for line in text.lines() {
            // Ours are well-formed.
            let _ = builder.add_line(None, line);
        }
        let matcher = builder.build().unwrap_or_else(|_| Gitignore::empty());
        Pattern { domain: RepoPath::root(), matcher, from: LeftOut::Default }
    }

    /// Whether it leaves the path out, or takes it in; nothing if it is about others.
    fn says(&self, path: &RepoPath, is_folder: bool) -> Option<bool> {
        if !path.starts_with(&self.domain) {
            return None;
        }
        let inside = path.as_str().strip_prefix(self.domain.as_str())?.trim_start_matches('/');
        let ends = inside.match_indices('/').map(|(at, _)| at).chain([inside.len()]);
        for end in ends {
            let part = inside.get(..end)?;
            match self.matcher.matched(part, is_folder || end < inside.len()) {
                Match::None => {}
                Match::Ignore(_) => return Some(true),
                Match::Whitelist(_) => return Some(false),
            }
        }
        None
    }
}

impl Tree for SourceTree<'_> {
    fn read(&self, path: &RepoPath) -> Option<Arc<str>> {
        if self.left_out(path).is_some() { None } else { self.tree.read(path) }
    }

    fn parsed(&self, path: &RepoPath) -> Option<ParsedFile> {
        if self.left_out(path).is_some() { None } else { self.tree.parsed(path) }
    }

    fn written_at(&self, path: &RepoPath) -> RepoPath {
        self.tree.written_at(path)
    }

    fn list(&self, directory: &RepoPath) -> Vec<(String, FileKind)> {
        let mut entries = self.tree.list(directory);
        entries.retain(|(name, kind)| {
            let Some(path) = directory.join(name) else { return true };
            let out = self.left_out_as(&path, *kind == FileKind::Directory).is_some();
            // An artifact has files only: a folder is there if any of them is, and a later pattern may take one in.
            !out || (*kind == FileKind::Directory && self.may_take_in())
        });
        entries
    }
}

impl SourceTree<'_> {
    fn may_take_in(&self) -> bool {
        let takes_in = |it: &Pattern| it.matcher.num_whitelists() > 0;
        self.ignore.iter().any(takes_in) || self.files.borrow().values().any(|it| it.iter().any(takes_in))
    }
}
