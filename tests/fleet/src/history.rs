//! The commits, from the embedded files.

use std::collections::BTreeMap;

use include_dir::{Dir, DirEntry, include_dir};

use crate::{Error, Result};

static REPO: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/repo");
static COMMITS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/commits");

/// The files of a commit, by their path from the root of the repository.
pub(crate) type Files = BTreeMap<String, &'static [u8]>;

/// One commit of the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The folder's name, `11-search-api`: what the scenario calls it.
    pub key: String,
    /// The first line of the message.
    pub subject: String,
    /// The rest of the message, if any.
    pub body: Option<String>,
    /// The author's (and committer's) name.
    pub author: String,
    /// When it was made; the offset is part of the commit.
    pub date: jiff::Zoned,
    /// Remote branches besides `main` that stand at this commit.
    pub branches: Vec<String>,
    pub(crate) files: Files,
}

impl Commit {
    /// The paths of its files, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The content of one of its files.
    pub fn file(&self, path: &str) -> Option<&'static [u8]> {
        self.files.get(path).copied()
    }

    /// The whole message.
    pub fn message(&self) -> String {
        match &self.body {
            Some(body) => format!("{}\n\n{}\n", self.subject, body.trim()),
            None => format!("{}\n", self.subject),
        }
    }
}

/// `commit.toml`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    subject: String,
    body: Option<String>,
    author: String,
    /// RFC 3339 with the author's offset.
    date: String,
    /// Files and folders that this commit added.
    #[serde(default)]
    adds: Vec<String>,
    #[serde(default)]
    branches: Vec<String>,
}

/// All commits, oldest first; the last one has the files of `repo/`.
///
/// # Errors
/// [`Error::Content`], which the tests rule out.
pub fn commits() -> Result<Vec<Commit>> {
    let mut folders: Vec<&Dir<'_>> = COMMITS.dirs().collect();
    folders.sort_by_key(|folder| folder.path());
    let mut files = Files::new();
    collect(&REPO, &REPO, &mut files);
    let mut commits = Vec::new();
    for folder in folders.into_iter().rev() {
        let key = folder.path().display().to_string();
        let wrong = |what: String| Error::Content { commit: key.clone(), what };
        let description = folder
            .get_file(folder.path().join("commit.toml"))
            .and_then(|file| file.contents_utf8())
            .ok_or_else(|| wrong("there is no commit.toml".into()))?;
        let Description { subject, body, author, date, adds, branches } =
            toml::from_str(description).map_err(|error| wrong(error.to_string()))?;
        let date = zoned(&date).map_err(|error| wrong(error.to_string()))?;
        commits.push(Commit {
            key: key.clone(),
            subject,
            body,
            author,
            date,
            branches,
            files: files.clone(),
        });

        // From here on `files` is what the commit before this one has.
        for added in adds {
            let below = format!("{added}/");
            let count = files.len();
            files.retain(|path, _| *path != added && !path.starts_with(&below));
            if files.len() == count {
                return Err(wrong(format!("it adds {added}, which is not there")));
            }
        }
        if let Some(before) = folder.get_dir(folder.path().join("before")) {
            collect(before, before, &mut files);
        }
    }
    commits.reverse();
    Ok(commits)
}

fn zoned(date: &str) -> std::result::Result<jiff::Zoned, jiff::Error> {
    let pieces: jiff::fmt::temporal::Pieces<'_> = jiff::fmt::temporal::Pieces::parse(date)?;
    let offset = pieces.to_numeric_offset().unwrap_or(jiff::tz::Offset::UTC);
    Ok(date.parse::<jiff::Timestamp>()?.to_zoned(offset.to_time_zone()))
}

fn collect(root: &Dir<'static>, folder: &Dir<'static>, files: &mut Files) {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(folder) => collect(root, folder, files),
            DirEntry::File(file) => {
                let path = file.path().strip_prefix(root.path()).unwrap_or(file.path());
                // Embedded on Windows, the paths have its separators.
                files.insert(path.to_string_lossy().replace('\\', "/"), file.contents());
            }
        }
    }
}
