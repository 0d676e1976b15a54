//! Settings: the user's own file, what the editor says, and which of them wins.
//!
//! Everything that decides which cluster is contacted, with which credentials, or what may be changed there comes
//! from the user's own file or the command line. An editor hands us its workspace settings too, and those belong to
//! the repository that is open: they can only make the user's own choice stricter.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

mod choices;
mod source;
#[cfg(test)]
mod tests;

pub use choices::{
    Actions, Clusters, CommitStatus, Lens, Level, LogLevel, Login, Notifications, Scope, StatusBar, Symbols,
};
use source::Source;

/// What holds, after all sources were heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Anything at all.
    pub enable: bool,
    /// Hovers.
    pub hover: bool,
    /// May clusters be contacted.
    pub clusters: Clusters,
    /// May clusters be changed.
    pub actions: Actions,
    /// May login programs run.
    pub login: Login,
    /// Instead of `$KUBECONFIG` and `~/.kube/config`; several files as in `$KUBECONFIG`.
    pub kubeconfig: Option<String>,
    /// Recorded `List`s in place of clusters, each a cluster of its own.
    pub snapshots: Vec<PathBuf>,
    /// How much goes into the log.
    pub log_level: LogLevel,
    /// Patterns (`*`) of contexts where every action asks.
    pub protected_contexts: Vec<String>,
    /// How contexts are called in what is shown.
    pub context_aliases: BTreeMap<String, String>,
    /// Folder of the repository → the only context that is asked for files in it.
    pub mapping: BTreeMap<String, String>,
    /// Where lenses stand.
    pub lens: Lens,
    /// Beyond this many rows in a file only those that fail or differ.
    pub lens_max: usize,
    /// Which signs.
    pub symbols: Symbols,
    /// Which files get marks.
    pub scope: Scope,
    /// No mark is worse.
    pub max_severity: Level,
    /// How bad it is when Flux says Ready and what is written is not what is applied.
    pub silent_failures: Level,
    /// How bad it is that nothing applies a file.
    pub not_applied: Level,
    /// Whether a status bar is fed.
    pub status_bar: StatusBar,
    /// Whether it is told that a commit became live or failed.
    pub notifications: Notifications,
    /// May forges be asked for commit statuses.
    pub commit_status: CommitStatus,
    /// Host (with its port, if it is not the usual one) → what runs there. Tokens of the environment follow it.
    pub forge_hosts: BTreeMap<String, forge::Service>,
    /// Context of a commit status → the object that it is about: `Kustomization/flux-system/apps`, or without the namespace.
    pub status_contexts: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            enable: true,
            hover: true,
            clusters: Clusters::Ask,
            actions: Actions::Ask,
            login: Login::Quiet,
            kubeconfig: None,
            snapshots: Vec::new(),
            log_level: LogLevel::Warn,
            protected_contexts: cluster::PROTECTED_BY_DEFAULT.map(str::to_owned).to_vec(),
            context_aliases: BTreeMap::new(),
            mapping: BTreeMap::new(),
            lens: Lens::All,
            lens_max: 50,
            symbols: Symbols::Unicode,
            scope: Scope::Workspace,
            max_severity: Level::Error,
            silent_failures: Level::Warning,
            not_applied: Level::Off,
            status_bar: StatusBar::Auto,
            notifications: Notifications::Off,
            commit_status: CommitStatus::Ask,
            forge_hosts: BTreeMap::new(),
            status_contexts: BTreeMap::new(),
        }
    }
}

/// Something in a source that was not taken, in a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file is there and cannot be read.
    #[error("{} could not be read ({reason}): until it can, no cluster is contacted", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system or the parser said.
        reason: String,
    },
    /// A key that means nothing.
    #[error("fluxcd-ls knows no setting `{key}` (in {place}): it is ignored")]
    Unknown {
        /// The key, dotted.
        key: String,
        /// Where it stands.
        place: String,
    },
    /// A value that does not fit.
    #[error("`{key}` in {place} is not understood ({reason}): it is ignored")]
    Value {
        /// The key, dotted.
        key: String,
        /// Where it stands.
        place: String,
        /// What was expected.
        reason: String,
    },
    /// A setting that only the user's own file may have.
    #[error(
        "The editor's settings name `fluxcd.{key}`. It is ignored, because workspace settings belong to the \
         repository. Put it into your own file instead: {}", file.display()
    )]
    NotFromTheEditor {
        /// The key, dotted.
        key: String,
        /// The user's own file.
        file: PathBuf,
    },
    /// A setting that would be looser than the user's own.
    #[error(
        "The editor's settings want `fluxcd.{key}` looser than your own file says. It is ignored, because workspace \
         settings belong to the repository; they can only be stricter. To loosen it, change {}", file.display()
    )]
    Looser {
        /// The key, dotted.
        key: String,
        /// The user's own file.
        file: PathBuf,
    },
}

/// What the command line says of settings (`--set actions=on`): the user's own word, as the file is, and above it. An editor
/// whose own settings a workspace cannot touch (VS Code's machine-scoped ones) hands them over like this.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CommandLine(Value);

impl CommandLine {
    /// From `KEY=VALUE`s, keys dotted as in the documentation; a value is JSON, or a text as it is.
    ///
    /// # Errors
    /// One without `=`, as a sentence.
    pub fn parse(words: &[String]) -> Result<CommandLine, String> {
        let one = |word: &String| {
            let (key, value) = word.split_once('=').filter(|(key, _)| !key.is_empty())?;
            Some((key.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
        };
        let one = |word| one(word).ok_or_else(|| format!("`{word}` is no setting: KEY=VALUE is expected"));
        words.iter().map(one).collect::<Result<_, _>>().map(|map| CommandLine(Value::Object(map)))
    }
}

/// The user's own file, as read.
#[derive(Debug, Clone, PartialEq)]
pub struct UserFile {
    /// Where it is, or would be.
    pub path: PathBuf,
    /// Its settings over the defaults.
    pub settings: Settings,
    /// What in it was not taken.
    pub problems: Vec<Problem>,
}

impl UserFile {
    /// Reads a file. One that is missing is as good as an empty one.
    pub fn read(path: &Path) -> UserFile {
        match std::fs::read_to_string(path) {
            Ok(text) => UserFile::parse(path, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => UserFile::parse(path, ""),
            Err(error) => UserFile::unreadable(path, error.to_string()),
        }
    }

    /// Reads the text of a file.
    pub fn parse(path: &Path, text: &str) -> UserFile {
        match toml::from_str::<Value>(text) {
            Ok(value) => {
                let mut source = Source::new(&value, path.display().to_string());
                let settings = source.read(Settings::default());
                // Read by the editors' own plugins, which start us.
                source.known("server.path");
                let problems = source.finish();
                UserFile { path: path.to_owned(), settings, problems }
            }
            Err(error) => UserFile::unreadable(path, error.message().to_owned()),
        }
    }

    /// The same with what the command line says, which wins; patterns of protected contexts come on top.
    #[must_use]
    pub fn with(mut self, spoken: &CommandLine) -> UserFile {
        let mut source = Source::new(&spoken.0, "the command line".to_owned());
        let own = self.settings.protected_contexts.clone();
        self.settings = source.read(self.settings);
        let more = std::mem::replace(&mut self.settings.protected_contexts, own);
        self.settings.protect(more);
        self.problems.extend(source.finish());
        self
    }

    fn unreadable(path: &Path, reason: String) -> UserFile {
        let problems = vec![Problem::Unreadable { file: path.to_owned(), reason }];
        // What it forbade is not known: nothing is contacted or changed before it can be read again.
        let settings = Settings {
            clusters: Clusters::Off,
            actions: Actions::Off,
            commit_status: CommitStatus::Off,
            ..Settings::default()
        };
        UserFile { path: path.to_owned(), settings, problems }
    }

    /// The settings that hold when an editor says `editor` (the object under `fluxcd`), and what of it does not.
    pub fn tightened_by(&self, editor: &Value) -> (Settings, Vec<Problem>) {
        let own = &self.settings;
        let mut source = Source::new(editor, "the editor's settings".to_owned());
        let mut settings = source.read(own.clone());
        let mut problems = Vec::new();
        let refused = |key: &str| Problem::NotFromTheEditor { key: key.to_owned(), file: self.path.clone() };
        if settings.kubeconfig != own.kubeconfig {
            settings.kubeconfig.clone_from(&own.kubeconfig);
            problems.push(refused("kubeconfig"));
        }
        if settings.snapshots != own.snapshots {
            settings.snapshots.clone_from(&own.snapshots);
            problems.push(refused("snapshot"));
        }
        if settings.context_aliases != own.context_aliases {
            settings.context_aliases.clone_from(&own.context_aliases);
            problems.push(refused("contextAliases"));
        }
        if settings.forge_hosts != own.forge_hosts {
            settings.forge_hosts.clone_from(&own.forge_hosts);
            problems.push(refused("commitStatus.hosts"));
        }
        if let Some(path) = source.take("server.path")
            && path.as_str().is_some_and(|path| !path.is_empty())
        {
            problems.push(refused("server.path"));
        }
        let mut looser =
            |key: &str| problems.push(Problem::Looser { key: key.to_owned(), file: self.path.clone() });
        if settings.clusters < own.clusters {
            settings.clusters = own.clusters;
            looser("clusters");
        }
        if settings.actions < own.actions {
            settings.actions = own.actions;
            looser("actions");
        }
        if settings.login < own.login {
            settings.login = own.login;
            looser("login");
        }
        if settings.commit_status < own.commit_status {
            settings.commit_status = own.commit_status;
            looser("commitStatus");
        }
        if settings.log_level < own.log_level {
            settings.log_level = own.log_level;
            looser("log.level");
        }
        // More patterns protect more: the editor's come on top.
        let more = std::mem::replace(&mut settings.protected_contexts, own.protected_contexts.clone());
        settings.protect(more);
        problems.extend(source.finish());
        (settings, problems)
    }
}

impl Settings {
    /// Protects what these patterns name as well.
    fn protect(&mut self, more: Vec<String>) {
        for pattern in more {
            if !self.protected_contexts.contains(&pattern) {
                self.protected_contexts.push(pattern);
            }
        }
    }

    /// Whether every action on a context asks.
    pub fn is_protected(&self, context: &str) -> bool {
        cluster::is_protected(context, self.protected_contexts.iter().map(String::as_str))
    }

    /// What of this analysis needs; `lens_verbs` is how many verbs fit behind the state of a lens.
    pub fn for_analysis(&self, lens_verbs: usize) -> analysis::Settings {
        analysis::Settings {
            ascii: self.symbols == Symbols::Ascii,
            lens: self.lens != Lens::Off,
            lens_on_manifests: self.lens == Lens::All,
            lens_max: self.lens_max,
            lens_verbs,
            max_severity: self.max_severity.severity().unwrap_or(analysis::Severity::Hint),
            silent: self.silent_failures.severity(),
            differing: None,
            not_applied: self.not_applied.severity(),
            actions: self.actions != Actions::Off,
            mapping: self
                .mapping
                .iter()
                .map(|(path, cluster)| analysis::Mapping { path: path.clone(), cluster: cluster.clone() })
                .collect(),
        }
    }

    /// How a context is called.
    pub fn alias<'a>(&'a self, context: &'a str) -> &'a str {
        self.context_aliases.get(context).map_or(context, String::as_str)
    }
}
