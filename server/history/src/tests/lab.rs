//! Repositories as people make them: by Git itself, told in the shell.

use std::path::PathBuf;
use std::process::Command;

use gix::ObjectId;
use tempfile::TempDir;

use crate::Repository;

/// A folder in which a script was run.
pub(crate) struct Lab {
    _dir: TempDir,
    path: PathBuf,
}

/// `put FILE TEXT [SUBJECT]` writes a file, and commits it (and all else) when a subject is told. Each commit is a minute
/// younger than the one before, so that hashes and orders are the same at each run.
const PRELUDE: &str = r#"
set -eu
clock=${CLOCK:-1780000000}
put() {
  mkdir -p "$(dirname "$1")"
  printf '%s\n' "$2" > "$1"
  if [ $# -gt 2 ]; then git add -A && tick git commit -qm "$3"; fi
}
tick() {
  clock=$((clock + 60))
  GIT_AUTHOR_DATE="$clock +0200" GIT_COMMITTER_DATE="$clock +0200" "$@"
}
"#;

impl Lab {
    /// A folder, and what a script makes in it.
    pub(crate) fn new(script: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let path = dir.path().canonicalize().unwrap();
        let lab = Self { _dir: dir, path };
        lab.sh(script);
        lab
    }

    /// Runs a script in the folder; gives what it prints.
    pub(crate) fn sh(&self, script: &str) -> String {
        let output = Command::new("sh")
            .args(["-c", &format!("{PRELUDE}{script}")])
            .current_dir(&self.path)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs([
                ("HOME", self.path.as_os_str()),
                ("GIT_CONFIG_NOSYSTEM", "1".as_ref()),
                ("GIT_AUTHOR_NAME", "Ada".as_ref()),
                ("GIT_AUTHOR_EMAIL", "ada@example.org".as_ref()),
                ("GIT_COMMITTER_NAME", "Ada".as_ref()),
                ("GIT_COMMITTER_EMAIL", "ada@example.org".as_ref()),
                ("GIT_CONFIG_COUNT", "3".as_ref()),
                ("GIT_CONFIG_KEY_0", "init.defaultBranch".as_ref()),
                ("GIT_CONFIG_VALUE_0", "main".as_ref()),
                ("GIT_CONFIG_KEY_1", "protocol.file.allow".as_ref()),
                ("GIT_CONFIG_VALUE_1", "always".as_ref()),
                ("GIT_CONFIG_KEY_2", "advice.detachedHead".as_ref()),
                ("GIT_CONFIG_VALUE_2", "false".as_ref()),
            ])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}\n{told}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The repository that a path in the folder is in.
    pub(crate) fn open(&self, name: &str) -> Repository {
        Repository::discover(&self.path(name)).unwrap()
    }

    /// What Git itself says that a name stands for.
    pub(crate) fn id(&self, repository: &str, name: &str) -> ObjectId {
        self.sh(&format!("git -C '{repository}' rev-parse --verify '{name}'")).parse().unwrap()
    }

    /// The same, as revisions have it.
    pub(crate) fn hash(&self, repository: &str, name: &str) -> String {
        self.id(repository, name).to_string()
    }
}
