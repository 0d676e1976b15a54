//! What a setting can be, where it is one of a few words.

use std::fmt;

use serde::{Deserialize, Serialize};

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
    pub(super) fn severity(self) -> Option<analysis::Severity> {
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
