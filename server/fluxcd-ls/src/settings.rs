//! Settings: the user's own file, what the editor says, and which of them wins.
//!
//! Everything that decides which cluster is contacted, with which credentials, or what may be changed there comes
//! from the user's own file or the command line. An editor hands us its workspace settings too, and those belong to
//! the repository that is open: they can only make the user's own choice stricter.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// May clusters be contacted at all?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clusters {
    /// Yes, those that the user consented to.
    Ask,
    /// No.
    Off,
}

/// May a cluster be changed (reconcile, suspend, resume)? Ordered from loose to strict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Actions {
    /// Yes, and the first action on a context does not ask; protected contexts still do.
    On,
    /// Yes, the first action on a context asks.
    Ask,
    /// No.
    Off,
}

/// May a login program run? Ordered from loose to strict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Login {
    /// By itself, when it is quick and shows nothing.
    Quiet,
    /// Only when the user pressed *Sign in*.
    Ask,
    /// Never.
    Never,
}

/// May the forge of a repository be asked for commit statuses? Ordered from loose to strict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommitStatus {
    /// Yes, wherever it is known what runs at the host.
    On,
    /// After *Show commit status from …*.
    Ask,
    /// No, and it is not offered.
    Off,
}

/// Where lenses stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lens {
    /// Nowhere.
    Off,
    /// At Flux objects.
    Flux,
    /// At everything that Flux applies.
    All,
}

/// Which signs stand for success and failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Symbols {
    /// ✓ and ✗.
    Unicode,
    /// `ok:` and `failed:`.
    Ascii,
}

/// Which files get marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// Those that are open.
    OpenFiles,
    /// All of the repository.
    Workspace,
}

/// How bad a mark may look. Ordered from mild to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// No mark.
    Off,
    /// Dots.
    Hint,
    /// Blue.
    #[serde(alias = "info")]
    Information,
    /// Yellow.
    Warning,
    /// Red.
    Error,
}

impl Level {
    fn severity(self) -> Option<analysis::Severity> {
        match self {
            Level::Error => Some(analysis::Severity::Error),
            Level::Warning => Some(analysis::Severity::Warning),
            Level::Information => Some(analysis::Severity::Information),
            Level::Hint => Some(analysis::Severity::Hint),
            Level::Off => None,
        }
    }
}

/// How much goes into the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Everything, with the names of all objects that change.
    Trace,
    /// What was done and why.
    Debug,
    /// What happened.
    Info,
    /// What went wrong.
    Warn,
    /// What was lost.
    Error,
    /// Nothing.
    Off,
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LogLevel::Trace => "trace",
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Warn => "warn",
            LogLevel::Error => "error",
            LogLevel::Off => "off",
        })
    }
}

/// Whether a status bar is fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusBar {
    /// When there is something to say.
    Auto,
    /// Never.
    Off,
}

/// Whether it is told that a commit which was waited for became live or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notifications {
    /// Once for each commit.
    On,
    /// Never; the status bar tells.
    Off,
}

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

/// One source, taken apart key by key; what is left in the end is unknown.
struct Source {
    place: String,
    values: BTreeMap<String, Value>,
    problems: Vec<Problem>,
}

/// Settings that are maps themselves: their keys are data.
const MAPS: [&str; 4] = ["mapping", "contextAliases", "commitStatus.hosts", "commitStatus.contexts"];

impl Source {
    fn new(value: &Value, place: String) -> Source {
        let mut source = Source { place, values: BTreeMap::new(), problems: Vec::new() };
        if let Value::Object(map) = value {
            for (key, value) in map {
                source.flatten(key.clone(), value);
            }
        }
        source
    }

    /// `{"lens": {"max": 5}}` and `{"lens.max": 5}` are the same; editors send either.
    fn flatten(&mut self, key: String, value: &Value) {
        match value {
            Value::Object(map) if !MAPS.contains(&key.as_str()) => {
                for (name, value) in map {
                    self.flatten(format!("{key}.{name}"), value);
                }
            }
            // Editors write null for a setting that nobody set.
            Value::Null => {}
            _ => {
                self.values.insert(key, value.clone());
            }
        }
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.values.remove(key)
    }

    fn known(&mut self, key: &str) {
        self.values.remove(key);
    }

    fn set<T: DeserializeOwned>(&mut self, key: &str, slot: &mut T) {
        if let Some(value) = self.take(key) {
            match serde_json::from_value(value) {
                Ok(value) => *slot = value,
                Err(error) => self.problems.push(Problem::Value {
                    key: key.to_owned(),
                    place: self.place.clone(),
                    reason: error.to_string(),
                }),
            }
        }
    }

    /// An empty text is what editors send for a path that nobody set.
    fn set_text<T: From<String>>(&mut self, key: &str, slot: &mut Option<T>) {
        let mut text = None::<String>;
        self.set(key, &mut text);
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            *slot = Some(T::from(text));
        }
    }

    /// One path, or a list of them. Empty ones are what editors send for a path that nobody set.
    fn set_paths(&mut self, key: &str, slot: &mut Vec<PathBuf>) {
        let Some(value) = self.take(key) else { return };
        let texts: Option<Vec<String>> = match value {
            Value::String(text) => Some(vec![text]),
            Value::Array(all) => all.into_iter().map(|it| it.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        match texts {
            Some(texts) => {
                let paths: Vec<PathBuf> =
                    texts.into_iter().filter(|text| !text.is_empty()).map(PathBuf::from).collect();
                if !paths.is_empty() {
                    *slot = paths;
                }
            }
            None => self.problems.push(Problem::Value {
                key: key.to_owned(),
                place: self.place.clone(),
                reason: "expected a path or a list of paths".to_owned(),
            }),
        }
    }

    fn read(&mut self, mut settings: Settings) -> Settings {
        self.set("enable", &mut settings.enable);
        self.set("hover", &mut settings.hover);
        self.set("clusters", &mut settings.clusters);
        self.set("actions", &mut settings.actions);
        self.set("login", &mut settings.login);
        self.set_text("kubeconfig", &mut settings.kubeconfig);
        self.set_paths("snapshot", &mut settings.snapshots);
        self.set("log.level", &mut settings.log_level);
        self.set("protectedContexts", &mut settings.protected_contexts);
        self.set("contextAliases", &mut settings.context_aliases);
        self.set("mapping", &mut settings.mapping);
        // A TOML table or a nested object cannot have both a value and keys: `show` is the value then.
        self.set("lens", &mut settings.lens);
        self.set("lens.show", &mut settings.lens);
        self.set("lens.max", &mut settings.lens_max);
        self.set("lens.symbols", &mut settings.symbols);
        self.set("diagnostics.scope", &mut settings.scope);
        self.set("diagnostics.maxSeverity", &mut settings.max_severity);
        self.set("diagnostics.silentFailures", &mut settings.silent_failures);
        self.set("diagnostics.notApplied", &mut settings.not_applied);
        self.set("statusBar", &mut settings.status_bar);
        self.set("notifications", &mut settings.notifications);
        self.set("commitStatus", &mut settings.commit_status);
        self.set("commitStatus.show", &mut settings.commit_status);
        self.set("commitStatus.hosts", &mut settings.forge_hosts);
        self.set("commitStatus.contexts", &mut settings.status_contexts);
        // Read by VS Code itself.
        self.known("trace.server");
        settings
    }

    fn finish(self) -> Vec<Problem> {
        let Source { place, values, mut problems } = self;
        problems.extend(values.into_keys().map(|key| Problem::Unknown { key, place: place.clone() }));
        problems
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(own: &str, editor: Value, expect: &str) -> Settings {
        let file = UserFile::parse(Path::new("/home/me/.config/fluxcd-ls/config.toml"), own);
        let (settings, problems) = file.tightened_by(&editor);
        let told: Vec<_> = file.problems.iter().chain(&problems).map(ToString::to_string).collect();
        assert_eq!(told.join("\n"), expect);
        settings
    }

    #[test]
    fn the_users_file_holds_and_the_editor_decides_what_is_only_shown() {
        let settings = check(
            "actions = \"on\"\nkubeconfig = \"/home/me/work\"\n[lens]\nshow = \"flux\"\nsymbols = \"ascii\"\n",
            json!({"lens": {"max": 5}, "diagnostics.scope": "openFiles", "kubeconfig": "", "snapshot": null}),
            "",
        );
        assert_eq!(settings.actions, Actions::On);
        assert_eq!(settings.kubeconfig.as_deref(), Some("/home/me/work"));
        assert_eq!((settings.lens, settings.lens_max, settings.symbols), (Lens::Flux, 5, Symbols::Ascii));
        assert_eq!(settings.scope, Scope::OpenFiles);
    }

    #[test]
    fn the_command_line_is_the_users_own_word() {
        let words = [
            "actions=on",
            "log.level=debug",
            r#"contextAliases={"a.b": "c"}"#,
            r#"protectedContexts=["mine"]"#,
        ];
        let spoken = CommandLine::parse(&words.map(str::to_owned)).unwrap();
        let file = UserFile::parse(Path::new("/home/me/config.toml"), "actions = \"off\"\n").with(&spoken);
        assert_eq!(file.problems, []);
        let (settings, problems) = file.tightened_by(&json!({"actions": "ask"}));
        assert_eq!(problems, []);
        assert_eq!((settings.actions, settings.log_level), (Actions::Ask, LogLevel::Debug));
        assert_eq!(settings.alias("a.b"), "c");
        assert_eq!(settings.protected_contexts, ["*prod*", "*prd*", "*live*", "mine"]);

        let unknown = CommandLine::parse(&["actoins=on".to_owned()]).unwrap();
        let problems = UserFile::parse(Path::new("/home/me/config.toml"), "").with(&unknown).problems;
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["fluxcd-ls knows no setting `actoins` (in the command line): it is ignored"]);
        let wrong = CommandLine::parse(&["actions".to_owned()]).unwrap_err();
        assert_eq!(wrong, "`actions` is no setting: KEY=VALUE is expected");
    }

    #[test]
    fn a_workspace_cannot_name_kubeconfig_snapshot_or_server() {
        let settings = check(
            "",
            json!({"kubeconfig": "/repo/evil", "snapshot": "green.json", "server": {"path": "./run-me"}}),
            "The editor's settings name `fluxcd.kubeconfig`. It is ignored, because workspace settings belong to the \
             repository. Put it into your own file instead: /home/me/.config/fluxcd-ls/config.toml\n\
             The editor's settings name `fluxcd.snapshot`. It is ignored, because workspace settings belong to the \
             repository. Put it into your own file instead: /home/me/.config/fluxcd-ls/config.toml\n\
             The editor's settings name `fluxcd.server.path`. It is ignored, because workspace settings belong to the \
             repository. Put it into your own file instead: /home/me/.config/fluxcd-ls/config.toml",
        );
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn a_workspace_can_only_be_stricter() {
        let settings = check(
            "clusters = \"off\"\nlogin = \"ask\"",
            json!({"clusters": "ask", "actions": "off", "login": "quiet", "protectedContexts": ["*eu*"]}),
            "The editor's settings want `fluxcd.clusters` looser than your own file says. It is ignored, because \
             workspace settings belong to the repository; they can only be stricter. To loosen it, change \
             /home/me/.config/fluxcd-ls/config.toml\n\
             The editor's settings want `fluxcd.login` looser than your own file says. It is ignored, because \
             workspace settings belong to the repository; they can only be stricter. To loosen it, change \
             /home/me/.config/fluxcd-ls/config.toml",
        );
        assert_eq!(
            (settings.clusters, settings.actions, settings.login),
            (Clusters::Off, Actions::Off, Login::Ask)
        );
        assert!(settings.is_protected("team-EU-1") && settings.is_protected("my-prod"));
    }

    #[test]
    fn forges_are_asked_as_the_user_says_and_no_repository_brings_a_host() {
        let settings = check(
            "[commitStatus]\nshow = \"on\"\nhosts = { \"git.example.com:3000\" = \"gitea\" }",
            json!({
                "commitStatus": {"hosts": {"evil.example": "gitea"}, "contexts": {"eu/apps": "Kustomization/apps"}}
            }),
            "The editor's settings name `fluxcd.commitStatus.hosts`. It is ignored, because workspace settings belong \
             to the repository. Put it into your own file instead: /home/me/.config/fluxcd-ls/config.toml",
        );
        assert_eq!(settings.commit_status, CommitStatus::On);
        assert_eq!(settings.forge_hosts, [("git.example.com:3000".to_owned(), forge::Service::Gitea)].into());
        assert_eq!(settings.status_contexts["eu/apps"], "Kustomization/apps");
        let settings = check(
            "",
            json!({"commitStatus": "on"}),
            "The editor's settings want `fluxcd.commitStatus` looser than your own file says. It is ignored, because \
             workspace settings belong to the repository; they can only be stricter. To loosen it, change \
             /home/me/.config/fluxcd-ls/config.toml",
        );
        assert_eq!(settings.commit_status, CommitStatus::Ask);
        assert_eq!(check("", json!({"commitStatus": "off"}), "").commit_status, CommitStatus::Off);
    }

    #[test]
    fn recordings_are_one_path_or_several() {
        let recordings = |own: &str| check(own, json!({"snapshot": ["", ""]}), "").snapshots;
        assert_eq!(recordings("snapshot = \"/a.json\""), [PathBuf::from("/a.json")]);
        assert_eq!(
            recordings("snapshot = [\"/a.json\", \"/b.json\"]"),
            [PathBuf::from("/a.json"), PathBuf::from("/b.json")]
        );
        assert_eq!(recordings("snapshot = []"), Vec::<PathBuf>::new());
        check(
            "snapshot = [\"/a.json\", 7]",
            json!({"snapshot": ["green.json"]}),
            "`snapshot` in /home/me/.config/fluxcd-ls/config.toml is not understood (expected a path or a list of \
             paths): it is ignored\n\
             The editor's settings name `fluxcd.snapshot`. It is ignored, because workspace settings belong to the \
             repository. Put it into your own file instead: /home/me/.config/fluxcd-ls/config.toml",
        );
    }

    #[test]
    fn mistakes_are_told_and_the_rest_holds() {
        let settings = check(
            "hovr = false\nactions = 7\nhover = false\n[contextAliases]\n\"a.b\" = \"c\"",
            json!({"lens": "everything"}),
            "`actions` in /home/me/.config/fluxcd-ls/config.toml is not understood (invalid type: integer `7`, \
             expected string or map): it is ignored\n\
             fluxcd-ls knows no setting `hovr` (in /home/me/.config/fluxcd-ls/config.toml): it is ignored\n\
             `lens` in the editor's settings is not understood (unknown variant `everything`, expected one of `off`, \
             `flux`, `all`): it is ignored",
        );
        assert!(!settings.hover);
        assert_eq!(settings.alias("a.b"), "c");
        // What a file forbade that cannot be read is not known: nothing is contacted or changed.
        let settings = check(
            "clusters = \"off\"\n= broken",
            Value::Null,
            "/home/me/.config/fluxcd-ls/config.toml could not be read (unquoted keys cannot be empty, expected letters, \
             numbers, `-`, `_`): until it can, no cluster is contacted",
        );
        assert_eq!((settings.clusters, settings.actions), (Clusters::Off, Actions::Off));
    }
}
