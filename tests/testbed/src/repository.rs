//! A Git repository in Gitea, and commits to it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::error::{Error, Result};
use crate::gitea::{Gitea, USER};

/// A repository of the user `flux`. Commits are made in a clone inside the testbed's folder and pushed at once.
#[derive(Debug)]
pub struct Repository<'a> {
    gitea: &'a Gitea,
    name: String,
    clone: PathBuf,
}

/// A commit to be made: what changes, and how it is signed. The same commits on the same parent have the same hash.
#[derive(Clone, Debug)]
pub struct Commit {
    message: String,
    branch: String,
    author: (String, String),
    date: Option<String>,
    files: BTreeMap<String, Option<String>>,
    folder: Option<PathBuf>,
}

impl Commit {
    /// A commit to `main` that changes nothing yet.
    pub fn new(message: &str) -> Self {
        Self {
            message: message.to_owned(),
            branch: "main".to_owned(),
            author: ("Testbed".to_owned(), "testbed@testbed.example".to_owned()),
            date: None,
            files: BTreeMap::new(),
            folder: None,
        }
    }

    /// Writes a file; `path` is relative to the repository's root.
    pub fn file(mut self, path: &str, text: impl Into<String>) -> Self {
        self.files.insert(path.to_owned(), Some(text.into()));
        self
    }

    /// Removes a file.
    pub fn remove(mut self, path: &str) -> Self {
        self.files.insert(path.to_owned(), None);
        self
    }

    /// Makes the tree exactly that of a local folder (without its `.git`), before [`Commit::file`] and [`Commit::remove`].
    pub fn folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// Another branch than `main`; made from `main` when it does not exist.
    pub fn branch(mut self, branch: &str) -> Self {
        self.branch = branch.to_owned();
        self
    }

    /// Author and committer.
    pub fn author(mut self, name: &str, email: &str) -> Self {
        self.author = (name.to_owned(), email.to_owned());
        self
    }

    /// Author's and committer's date as Git reads it, e.g. `2026-11-03T09:12:00Z`; the present otherwise.
    pub fn date(mut self, date: &str) -> Self {
        self.date = Some(date.to_owned());
        self
    }
}

impl<'a> Repository<'a> {
    pub(crate) async fn open(gitea: &'a Gitea, name: &str) -> Result<Self> {
        let clone = gitea.shared.folder.join("clones").join(name);
        let this = Self { gitea, name: name.to_owned(), clone };
        if !this.clone.join(".git").exists() {
            fs::create_dir_all(&this.clone).map_err(Error::file("create", &this.clone))?;
            this.git(&["init", "--quiet", "--initial-branch=main"]).await?;
            this.git(&["remote", "add", "origin", &this.push_url()]).await?;
            this.git(&["fetch", "--quiet", "origin"]).await?;
        }
        Ok(this)
    }

    /// The URL that a GitRepository or a clone uses: `http://ADDRESS:3000/flux/NAME.git`.
    pub fn url(&self) -> String {
        format!("{}/{USER}/{}.git", self.gitea.url(), self.name)
    }

    /// As [`Repository::url`], with the user's name and token inside.
    pub fn push_url(&self) -> String {
        let url = self.url();
        format!("http://{USER}:{}@{}", self.gitea.token(), url.trim_start_matches("http://"))
    }

    /// Its name, without the owner.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The clone that commits are made in: a work tree that can be opened in an editor.
    pub fn clone_path(&self) -> &Path {
        &self.clone
    }

    /// Makes a commit, pushes it, and answers its hash.
    pub async fn commit(&self, commit: Commit) -> Result<String> {
        let exists = |reference: String| async move {
            self.run(&["rev-parse", "--quiet", "--verify", &reference], &[]).await.map(|output| output.0)
        };
        if exists(format!("refs/heads/{}", commit.branch)).await? {
            self.git(&["checkout", "--quiet", "--force", &commit.branch]).await?;
        } else if exists(format!("refs/remotes/origin/{}", commit.branch)).await? {
            let upstream = format!("origin/{}", commit.branch);
            self.git(&["checkout", "--quiet", "--force", "-b", &commit.branch, &upstream]).await?;
        } else if exists("HEAD".to_owned()).await? {
            self.git(&["checkout", "--quiet", "--force", "-b", &commit.branch]).await?;
        } else {
            self.git(&["symbolic-ref", "HEAD", &format!("refs/heads/{}", commit.branch)]).await?;
        }
        if let Some(folder) = &commit.folder {
            for entry in fs::read_dir(&self.clone).map_err(Error::file("list", &self.clone))? {
                let path = entry.map_err(Error::file("list", &self.clone))?.path();
                if path.file_name().is_some_and(|name| name != ".git") {
                    let removed =
                        if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                    removed.map_err(Error::file("remove", &path))?;
                }
            }
            copy_work_tree(folder, &self.clone)?;
        }
        for (path, text) in &commit.files {
            let path = self.clone.join(path);
            match text {
                Some(text) => {
                    if let Some(parent) = path.parent() {
                        fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
                    }
                    fs::write(&path, text).map_err(Error::file("write", &path))?;
                }
                None => fs::remove_file(&path).map_err(Error::file("remove", &path))?,
            }
        }
        self.git(&["add", "--all", "--force"]).await?;
        let (name, email) = &commit.author;
        let mut env = vec![
            ("GIT_AUTHOR_NAME", name.as_str()),
            ("GIT_AUTHOR_EMAIL", email),
            ("GIT_COMMITTER_NAME", name),
            ("GIT_COMMITTER_EMAIL", email),
        ];
        if let Some(date) = &commit.date {
            env.extend([("GIT_AUTHOR_DATE", date.as_str()), ("GIT_COMMITTER_DATE", date)]);
        }
        let args = ["commit", "--quiet", "--allow-empty", "--no-gpg-sign", "--message", &commit.message];
        self.run_checked(&args, &env).await?;
        self.git(&["push", "--quiet", "--set-upstream", "origin", &commit.branch]).await?;
        Ok(self.git(&["rev-parse", "HEAD"]).await?.trim().to_owned())
    }

    /// Pushes an existing repository with its history: `refspecs` as Git has them, e.g. `main` or `+refs/heads/*:refs/heads/*`.
    pub async fn push_existing(&self, repository: &Path, refspecs: &[&str]) -> Result<()> {
        let path = repository.to_string_lossy();
        let url = self.push_url();
        let mut args = vec!["-C", &path, "push", "--quiet", &url];
        args.extend(refspecs);
        self.git(&args).await?;
        self.git(&["fetch", "--quiet", "origin"]).await.map(drop)
    }

    /// The commit that a branch of Gitea's repository is at.
    pub async fn head(&self, branch: &str) -> Result<String> {
        let text = self.git(&["ls-remote", "origin", &format!("refs/heads/{branch}")]).await?;
        text.split_whitespace()
            .next()
            .map(str::to_owned)
            .ok_or_else(|| Error::Usage(format!("{} has no branch {branch}", self.url())))
    }

    /// Runs git in the clone (without anybody's configuration) and answers its output.
    pub async fn git(&self, args: &[&str]) -> Result<String> {
        self.run_checked(args, &[]).await
    }

    async fn run_checked(&self, args: &[&str], env: &[(&str, &str)]) -> Result<String> {
        let (success, status, output) = self.run(args, env).await?;
        if success {
            return Ok(output);
        }
        let command = format!("git {}", args.join(" ")).replace(self.gitea.token(), "TOKEN");
        Err(Error::Command { command, status, output: output.replace(self.gitea.token(), "TOKEN") })
    }

    async fn run(&self, args: &[&str], env: &[(&str, &str)]) -> Result<(bool, String, String)> {
        let mut command = tokio::process::Command::new("git");
        for (name, _) in std::env::vars_os() {
            // Hooks and rebases set GIT_DIR and the like for whatever they start.
            if name.to_string_lossy().starts_with("GIT_") {
                command.env_remove(name);
            }
        }
        let output = command
            .args(["-c", "core.autocrlf=false", "-c", "safe.directory=*"])
            .args(args)
            .current_dir(&self.clone)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("no_proxy", "*")
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|source| Error::Spawn { program: "git".to_owned(), source })?;
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            text.push_str(&String::from_utf8_lossy(&output.stderr));
        }
        Ok((output.status.success(), output.status.to_string(), text))
    }
}

fn copy_work_tree(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).map_err(Error::file("list", from))? {
        let entry = entry.map_err(Error::file("list", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(Error::file("read", &source))?;
        if entry.file_name() == ".git" {
            continue;
        }
        if kind.is_dir() {
            fs::create_dir_all(&target).map_err(Error::file("create", &target))?;
            copy_work_tree(&source, &target)?;
        } else if kind.is_symlink() {
            let points_to = fs::read_link(&source).map_err(Error::file("read", &source))?;
            std::os::unix::fs::symlink(points_to, &target).map_err(Error::file("create", &target))?;
        } else {
            fs::copy(&source, &target).map_err(Error::file("copy", &source))?;
        }
    }
    Ok(())
}
