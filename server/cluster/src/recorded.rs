//! A list from a file in place of a cluster.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use flux::{Change, Coverage, Kind};
use jiff::Timestamp;
use thiserror::Error;

use crate::context::ContextKey;

/// Why a recording cannot be read. The text is for people.
#[derive(Debug, Error)]
pub enum RecordedError {
    /// The file cannot be read.
    #[error("cannot read the snapshot {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// It is no list.
    #[error("the snapshot {} cannot be used: {source}", path.display())]
    NotAList {
        /// The file.
        path: PathBuf,
        /// Why.
        source: flux::list::ListError,
    },
}

/// A recorded cluster.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What it is shown as: the file, and the name that it was given.
    pub context: ContextKey,
    /// To be applied to empty facts.
    pub changes: Vec<Change>,
    /// The newest time inside it: it was recorded then, or later.
    pub recorded_at: Option<Timestamp>,
    /// How many items in it are not Flux's.
    pub skipped: usize,
}

/// The names under which recordings are shown side by side: that of the file without its ending, and before it as much
/// of the path as tells it from the others. A file that is named twice is there once.
pub fn recording_names(paths: &[PathBuf]) -> Vec<(PathBuf, String)> {
    let mut files: Vec<&PathBuf> = Vec::new();
    for path in paths {
        if !files.contains(&path) {
            files.push(path);
        }
    }
    let name = |path: &Path, folders: usize| {
        let stem = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let before: Vec<_> = path.parent().into_iter().flat_map(Path::components).collect();
        let before = before.iter().skip(before.len().saturating_sub(folders));
        let mut parts: Vec<_> = before.map(|it| it.as_os_str().to_string_lossy().into_owned()).collect();
        parts.push(stem);
        parts.join("/")
    };
    let deepest = files.iter().map(|path| path.components().count()).max().unwrap_or_default();
    let mut names: Vec<(PathBuf, String)> =
        files.iter().map(|path| ((*path).clone(), name(path, 0))).collect();
    for folders in 1..=deepest + 1 {
        let mut times = HashMap::<String, usize>::new();
        for (_, name) in &names {
            *times.entry(name.clone()).or_default() += 1;
        }
        for (path, known) in names.iter_mut().filter(|(_, it)| times.get(it).is_some_and(|n| *n > 1)) {
            // Two files that differ in their endings only.
            *known = if folders > deepest { path.display().to_string() } else { name(path, folders) };
        }
    }
    names
}

/// Reads a Kubernetes `List`, as `fluxcd-ls snapshot` or `kubectl get … -o json` wrote it. Blocks on the file
/// system.
///
/// A kind of which the list has objects counts as listed. Whether the others were asked for, the list does not
/// tell: nothing is concluded from their absence.
pub fn read_list(path: &Path, name: &str) -> Result<Recorded, RecordedError> {
    let text =
        std::fs::read(path).map_err(|source| RecordedError::Unreadable { path: path.to_owned(), source })?;
    recorded(&text, path, name)
}

/// [`read_list`], of a list that was read; `path` is where, for errors and the name of the context.
pub fn recorded(text: &[u8], path: &Path, name: &str) -> Result<Recorded, RecordedError> {
    let listing =
        flux::list::read(text).map_err(|source| RecordedError::NotAList { path: path.to_owned(), source })?;
    let mut changes = Vec::new();
    let mut objects = listing.objects;
    for kind in Kind::ALL {
        let of_kind: Vec<_> = objects.extract_if(.., |o| o.kind == *kind).collect();
        if of_kind.is_empty() {
            changes.push(Change::Coverage { kind: *kind, namespace: None, coverage: Coverage::NotYet });
        } else {
            changes.push(Change::Relisted { kind: *kind, namespace: None, objects: of_kind });
        }
    }
    Ok(Recorded {
        context: ContextKey::new(vec![path.to_owned()], name),
        changes,
        recorded_at: listing.newest,
        skipped: listing.skipped.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"{"apiVersion":"v1","kind":"List","items":[
        {"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization",
         "metadata":{"name":"apps","namespace":"flux-system","creationTimestamp":"2026-11-01T10:00:00Z"}},
        {"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","namespace":"flux-system"},"data":{"a":"Yg=="}}
    ]}"#;

    #[test]
    fn recordings_side_by_side_have_names_of_their_own() {
        let named = |paths: &[&str]| -> Vec<String> {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            recording_names(&paths).into_iter().map(|(_, name)| name).collect()
        };
        assert_eq!(named(&["/a/staging.json", "/a/prod.json"]), ["staging", "prod"]);
        assert_eq!(
            named(&["/eu/staging.json", "/us/staging.json", "x.json"]),
            ["eu/staging", "us/staging", "x"]
        );
        assert_eq!(named(&["/a/a.json", "/a/a.json"]), ["a"]);
        assert_eq!(named(&["a/a.json", "a/a.yaml"]), ["a/a.json", "a/a.yaml"]);
    }

    #[test]
    fn a_list_becomes_facts() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("staging.json");
        std::fs::write(&file, LIST).unwrap();
        let recorded = read_list(&file, "staging").unwrap();
        assert_eq!(recorded.context.to_string(), "staging");
        assert_eq!(recorded.recorded_at, Some("2026-11-01T10:00:00Z".parse().unwrap()));
        assert_eq!(recorded.skipped, 1);
        let (facts, _) = flux::Facts::new("staging".into()).apply(recorded.changes, Timestamp::now());
        assert_eq!(facts.len(), 1);
        assert_eq!(facts.coverage(Kind::Kustomization), Coverage::Listed);
        assert_eq!(facts.coverage(Kind::HelmRelease), Coverage::NotYet);
    }

    #[test]
    fn what_is_no_list_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.json");
        let said = |content: Option<&str>| {
            let _ = std::fs::remove_file(&file);
            if let Some(content) = content {
                std::fs::write(&file, content).unwrap();
            }
            read_list(&file, "x").unwrap_err().to_string().replace(&*dir.path().to_string_lossy(), "…")
        };
        expect_test::expect![[
            r#"cannot read the snapshot …/x.json: No such file or directory (os error 2)"#
        ]]
        .assert_eq(&said(None));
        assert!(said(Some("<html>")).contains("not JSON"));
        assert!(said(Some("{}")).contains("neither") || read_list(&file, "x").is_ok());
    }
}
