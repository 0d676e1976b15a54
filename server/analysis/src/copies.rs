//! What an ArtifactGenerator's copy rules make of a repository.
//!
//! The rules are those of source-watcher 2.2 (`internal/builder`): `*` never crosses a `/` and `**` is no more than
//! `*` there, but a folder that matches is copied whole; `folder/**` loses the folder's name, every other pattern
//! keeps the whole path; a path without wildcards is copied as `cp -r` does. What is copied is the source's artifact, in
//! which what that leaves out is not; and of what was copied the default exclusions are left out once more
//! (`Build` archives with `SourceIgnoreFilter(nil, nil)`, and reads no `.sourceignore`).

use manifests::{FileKind, LeftOut, ParsedFile, RepoPath, SourceTree, Tree, is_left_out_by_default};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The rules of one artifact that copy from this repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Copies(pub(crate) Vec<Copy>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Copy {
    /// Path or pattern in the source.
    from: String,
    /// Path in the artifact.
    to: RepoPath,
    /// Whether `to` ends with a slash.
    into: bool,
    exclude: Vec<String>,
    /// The `spec.ignore` of the source; nothing where the source leaves nothing out.
    ignore: Option<Arc<str>>,
}

/// A source that is this repository, as it is copied from: its `spec.ignore`, or nothing if it leaves nothing out.
pub(crate) type Source = Option<Arc<str>>;

impl Copies {
    /// The rules for `artifact` in a generator's spec that copy from this repository, by the aliases of sources; `ours`
    /// tells nothing of another one. `None` if there is no such artifact, or nothing in it is from here.
    pub(crate) fn read(
        spec: &Value,
        artifact: &str,
        mut ours: impl FnMut(&str) -> Option<Source>,
    ) -> Option<Copies> {
        let artifacts = spec.get("artifacts")?.as_array()?;
        let artifact =
            artifacts.iter().find(|it| it.get("name").and_then(Value::as_str) == Some(artifact))?;
        let mut copies = Vec::new();
        for rule in artifact.get("copy")?.as_array()? {
            let text = |key: &str| rule.get(key).and_then(Value::as_str);
            let (Some(from), Some(to)) = (text("from"), text("to")) else { continue };
            if text("strategy") == Some("Extract") {
                continue;
            }
            let Some((alias, from)) = from.strip_prefix('@').and_then(|it| it.split_once('/')) else {
                continue;
            };
            let Some(to) = to.strip_prefix("@artifact/") else { continue };
            let Some(ignore) = ours(alias) else { continue };
            let exclude = rule.get("exclude").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            copies.push(Copy {
                from: from.to_owned(),
                to: RepoPath::of_flux(to),
                into: to.ends_with('/') || to.is_empty(),
                exclude: exclude.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                ignore,
            });
        }
        (!copies.is_empty()).then_some(Copies(copies))
    }

    /// The artifact that these rules make of a repository.
    pub(crate) fn artifact<'a>(&self, tree: &'a dyn Tree) -> Artifact<'a> {
        let mut artifact = Artifact::of(tree);
        for copy in &self.0 {
            match copy.ignore.as_deref() {
                Some(ignore) => copy.apply(&SourceTree::new(tree, Some(ignore)), &mut artifact),
                None => copy.apply(tree, &mut artifact),
            }
        }
        artifact.files.retain(|to, _| !is_left_out_by_default(to));
        artifact
    }

    /// What leaves a file of the repository out of this folder of the artifact, where it would be but for that.
    pub(crate) fn left_out(&self, tree: &dyn Tree, path: &RepoPath, dir: &RepoPath) -> Option<LeftOut> {
        let why = |copy: &Copy| {
            let source = SourceTree::new(tree, Some(copy.ignore.as_deref()?));
            source.left_out(path)
        };
        let by_default = || is_left_out_by_default(path).then_some(LeftOut::Default);
        // Walking the folders is for files of which it may be true.
        if !self.0.iter().any(|copy| why(copy).or_else(by_default).is_some()) {
            return None;
        }
        if self.artifact(tree).files.iter().any(|(to, from)| from == path && to.starts_with(dir)) {
            return None;
        }
        self.0.iter().find_map(|copy| {
            let mut whole = Artifact::of(tree);
            copy.apply(tree, &mut whole);
            let is_there = whole.files.iter().any(|(to, from)| from == path && to.starts_with(dir));
            if is_there { why(copy).or_else(by_default) } else { None }
        })
    }
}

impl Copy {
    fn apply(&self, tree: &dyn Tree, artifact: &mut Artifact<'_>) {
        if !self.from.contains(['*', '?', '[', ']']) {
            let from = RepoPath::of_flux(&self.from);
            let name = from.file_name().to_owned();
            match tree.kind(&from) {
                Some(FileKind::Directory) => {
                    let base = from.clone();
                    self.copy(tree, &from, &below(&self.to, &name), &base, artifact);
                }
                Some(FileKind::File) => {
                    let inside = self.into || artifact.folders.contains(&self.to);
                    let to = if inside { below(&self.to, &name) } else { self.to.clone() };
                    self.copy(tree, &from, &to, &RepoPath::root(), artifact);
                }
                _ => {}
            }
            return;
        }
        let strip = self.from.strip_suffix("/**").map(RepoPath::of_flux);
        let segments: Vec<&str> = self.from.split('/').filter(|it| !it.is_empty() && *it != ".").collect();
        let literal: Vec<&str> =
            segments.iter().copied().take_while(|it| !it.contains(['*', '?', '[', ']'])).collect();
        let base = RepoPath::of_flux(&literal.join("/"));
        let mut matches = Vec::new();
        glob(tree, &RepoPath::root(), &segments, &mut matches);
        for found in matches {
            let relative = match &strip {
                Some(folder) if found.starts_with(folder) => found
                    .as_str()
                    .get(folder.as_str().len()..)
                    .unwrap_or_default()
                    .trim_start_matches('/')
                    .to_owned(),
                _ => found.as_str().to_owned(),
            };
            self.copy(tree, &found, &below(&self.to, &relative), &base, artifact);
        }
    }

    fn copy(
        &self,
        tree: &dyn Tree,
        from: &RepoPath,
        to: &RepoPath,
        base: &RepoPath,
        artifact: &mut Artifact<'_>,
    ) {
        if self.excludes(from, base) {
            return;
        }
        match tree.kind(from) {
            Some(FileKind::File) => {
                let mut folder = to.parent();
                while let Some(it) = folder {
                    folder = it.parent();
                    artifact.folders.insert(it);
                }
                artifact.files.insert(to.clone(), from.clone());
            }
            Some(FileKind::Directory) => {
                for (name, _) in tree.list(from) {
                    if let Some(child) = from.join(&name) {
                        self.copy(tree, &child, &below(to, &name), base, artifact);
                    }
                }
            }
            _ => {}
        }
    }

    /// A pattern excludes by the path from the pattern's own folder, by the whole path, and (without a `/` in it)
    /// by the file's name.
    fn excludes(&self, path: &RepoPath, base: &RepoPath) -> bool {
        let relative = path.as_str().get(base.as_str().len()..).unwrap_or_default().trim_start_matches('/');
        self.exclude.iter().any(|pattern| {
            deep(pattern, relative)
                || deep(pattern, path.as_str())
                || (!pattern.contains('/') && segment(pattern, path.file_name()))
        })
    }
}

fn below(folder: &RepoPath, path: &str) -> RepoPath {
    folder.join(path).unwrap_or_else(|| folder.clone())
}

/// Paths that match segment by segment, as Go's `fs.Glob` does it.
fn glob(tree: &dyn Tree, folder: &RepoPath, segments: &[&str], found: &mut Vec<RepoPath>) {
    let Some((first, rest)) = segments.split_first() else { return };
    let mut names: Vec<String> = tree.list(folder).into_iter().map(|(name, _)| name).collect();
    names.sort();
    for name in names.iter().filter(|name| segment(first, name)) {
        let Some(path) = folder.join(name) else { continue };
        if rest.is_empty() {
            found.push(path);
        } else {
            glob(tree, &path, rest, found);
        }
    }
}

/// Go's `path.Match` for one segment: `*`, `?`, `[a-z]`, `[^a-z]`, `\x`.
pub(crate) fn segment(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    matches(&pattern, &name)
}

fn matches(pattern: &[char], name: &[char]) -> bool {
    match pattern {
        [] => name.is_empty(),
        ['*', rest @ ..] => {
            let mut rest = rest;
            while let ['*', more @ ..] = rest {
                rest = more;
            }
            (0..=name.len()).any(|skip| name.get(skip..).is_some_and(|name| matches(rest, name)))
        }
        ['?', rest @ ..] => name.split_first().is_some_and(|(_, name)| matches(rest, name)),
        ['[', rest @ ..] => {
            let Some(end) = rest.iter().skip(1).position(|c| *c == ']').map(|it| it + 1) else {
                return false;
            };
            let (Some(class), Some(rest)) = (rest.get(..end), rest.get(end + 1..)) else { return false };
            name.split_first().is_some_and(|(c, name)| in_class(class, *c) && matches(rest, name))
        }
        ['\\', c, rest @ ..] | [c, rest @ ..] => {
            name.split_first().is_some_and(|(found, name)| found == c && matches(rest, name))
        }
    }
}

fn in_class(class: &[char], c: char) -> bool {
    let (negated, class) = match class {
        ['^', rest @ ..] => (true, rest),
        class => (false, class),
    };
    let mut rest = class;
    let mut found = false;
    loop {
        match rest {
            [low, '-', high, more @ ..] => {
                found |= (*low..=*high).contains(&c);
                rest = more;
            }
            [one, more @ ..] => {
                found |= *one == c;
                rest = more;
            }
            [] => return found != negated,
        }
    }
}

/// A pattern in which `**` crosses folders, as for `exclude`.
fn deep(pattern: &str, path: &str) -> bool {
    fn walk(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern, path) {
            ([], []) => true,
            (["**", rest @ ..], _) => {
                (0..=path.len()).any(|skip| path.get(skip..).is_some_and(|it| walk(rest, it)))
            }
            ([first, rest @ ..], [name, path @ ..]) => segment(first, name) && walk(rest, path),
            _ => false,
        }
    }
    let split = |text: &str| -> Vec<String> {
        text.split('/').filter(|it| !it.is_empty()).map(str::to_owned).collect()
    };
    let (pattern, path) = (split(pattern), split(path));
    let pattern: Vec<&str> = pattern.iter().map(String::as_str).collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    walk(&pattern, &path)
}

/// An artifact as a tree over the repository it was copied from.
pub(crate) struct Artifact<'a> {
    tree: &'a dyn Tree,
    /// Path in the artifact → path in the repository.
    files: BTreeMap<RepoPath, RepoPath>,
    folders: BTreeSet<RepoPath>,
}

impl<'a> Artifact<'a> {
    fn of(tree: &'a dyn Tree) -> Self {
        Self { tree, files: BTreeMap::new(), folders: BTreeSet::new() }
    }
}

impl Tree for Artifact<'_> {
    fn read(&self, path: &RepoPath) -> Option<Arc<str>> {
        self.tree.read(self.files.get(path)?)
    }

    fn parsed(&self, path: &RepoPath) -> Option<ParsedFile> {
        self.tree.parsed(self.files.get(path)?)
    }

    fn written_at(&self, path: &RepoPath) -> RepoPath {
        self.files.get(path).unwrap_or(path).clone()
    }

    fn list(&self, directory: &RepoPath) -> Vec<(String, FileKind)> {
        let is_child = |path: &&RepoPath| path.parent().as_ref() == Some(directory);
        let files = self.files.keys().filter(is_child).map(|it| (it.file_name().to_owned(), FileKind::File));
        let folders =
            self.folders.iter().filter(is_child).map(|it| (it.file_name().to_owned(), FileKind::Directory));
        files.chain(folders).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use manifests::fixture;

    fn check(rules: &str, expected: Expect) {
        let tree = fixture::parse(
            "//- apps/web/deploy.yaml\n//- apps/web/kustomization.yaml\n//- apps/readme.md\n//- infra/a.yaml\n//- infra/b.yaml\n",
        )
        .tree();
        let copy: Value = serde_json::from_str(rules).expect("rules are JSON");
        let spec = serde_json::json!({"artifacts": [{"name": "bundle", "copy": copy}]});
        let copies =
            Copies::read(&spec, "bundle", |alias| (alias == "repo").then_some(None)).expect("has rules");
        let artifact = copies.artifact(&tree);
        let mut out = String::new();
        for (to, from) in &artifact.files {
            out.push_str(&format!("{to} <- {from}\n"));
        }
        expected.assert_eq(&out);
    }

    #[test]
    fn copies_as_the_controller_does() {
        check(
            r#"[{"from": "@repo/apps/**", "to": "@artifact/"}]"#,
            expect![[r#"
            readme.md <- apps/readme.md
            web/deploy.yaml <- apps/web/deploy.yaml
            web/kustomization.yaml <- apps/web/kustomization.yaml
        "#]],
        );
        check(
            r#"[{"from": "@repo/infra/*.yaml", "to": "@artifact/x/", "exclude": ["b.yaml"]}]"#,
            expect![[r#"
            x/infra/a.yaml <- infra/a.yaml
        "#]],
        );
        check(
            r#"[{"from": "@repo/apps", "to": "@artifact/"}, {"from": "@other/apps", "to": "@artifact/y"}]"#,
            expect![[r#"
                apps/readme.md <- apps/readme.md
                apps/web/deploy.yaml <- apps/web/deploy.yaml
                apps/web/kustomization.yaml <- apps/web/kustomization.yaml
            "#]],
        );
        check(
            r#"[{"from": "@repo/infra/a.yaml", "to": "@artifact/one.yaml"}, {"from": "@repo/infra/b.yaml", "to": "@artifact/two/"}]"#,
            expect![[r#"
                one.yaml <- infra/a.yaml
                two/b.yaml <- infra/b.yaml
            "#]],
        );
        check(
            r#"[{"from": "@repo/**", "to": "@artifact/", "exclude": ["**/*.md"]}]"#,
            expect![[r#"
            apps/web/deploy.yaml <- apps/web/deploy.yaml
            apps/web/kustomization.yaml <- apps/web/kustomization.yaml
            infra/a.yaml <- infra/a.yaml
            infra/b.yaml <- infra/b.yaml
        "#]],
        );
        check(
            r#"[{"from": "@repo/[a-b]pps/we?", "to": "@artifact/"}]"#,
            expect![[r#"
            apps/web/deploy.yaml <- apps/web/deploy.yaml
            apps/web/kustomization.yaml <- apps/web/kustomization.yaml
        "#]],
        );
    }
}
