//! Where the user's files are (XDG base directories).

use std::path::PathBuf;

/// The folders of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// `$XDG_CONFIG_HOME/fluxcd-ls`: what the user wrote.
    pub config: PathBuf,
    /// `$XDG_STATE_HOME/fluxcd-ls`: consents, locks, logs.
    pub state: PathBuf,
}

impl Paths {
    /// The folders that the environment names. Without a home they are in the temporary folder, for this boot.
    pub fn from_environment() -> Paths {
        let home = std::env::home_dir().filter(|home| home.is_absolute()).unwrap_or_else(std::env::temp_dir);
        let folder = |variable: &str, default: &str| {
            std::env::var_os(variable)
                .map(PathBuf::from)
                // The specification: relative paths are invalid and ignored.
                .filter(|path| path.is_absolute())
                .unwrap_or_else(|| home.join(default))
                .join("fluxcd-ls")
        };
        Paths {
            config: folder("XDG_CONFIG_HOME", ".config"),
            state: folder("XDG_STATE_HOME", ".local/state"),
        }
    }

    /// The user's settings.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The folder of the logs.
    pub fn logs(&self) -> PathBuf {
        self.state.join("log")
    }
}
