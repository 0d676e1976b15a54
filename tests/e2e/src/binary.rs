//! Where the program under test is, and how to run it in a home of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Once;

/// The `fluxcd-ls` that is tested: `$FLUXCD_LS`, else the one beside the running test, built if need be.
pub fn path() -> PathBuf {
    if let Some(path) = std::env::var_os("FLUXCD_LS") {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().expect("a test knows where it is");
    // Tests are in target/<profile>/deps, the programs of this crate beside the binary.
    let beside = test.parent().expect("a program is in a folder");
    let profile = beside.parent().filter(|_| beside.ends_with("deps")).unwrap_or(beside);
    let binary = profile.join(format!("fluxcd-ls{}", std::env::consts::EXE_SUFFIX));
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet", "--package", "fluxcd-ls"]).current_dir(root());
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().expect("cargo runs").success(), "fluxcd-ls builds");
    });
    binary
}

/// The root of the checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("tests/e2e lies two below the root")
}

/// A home of its own: configuration, state and cache folders that no other test and no user sees.
pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    /// An empty home.
    pub fn new() -> Home {
        Home {
            folder: tempfile::Builder::new().prefix("fluxcd-ls-home-").tempdir().expect("a temporary folder"),
        }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the user's own `config.toml`.
    pub fn config(&self, toml: &str) {
        let folder = self.path().join("config/fluxcd-ls");
        std::fs::create_dir_all(&folder).expect("a folder for the configuration");
        std::fs::write(folder.join("config.toml"), toml).expect("the configuration is written");
    }

    /// What the server wrote into its log.
    pub fn log(&self) -> String {
        let folder = self.path().join("state/fluxcd-ls/log");
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        files.map(|it| std::fs::read_to_string(it.path()).unwrap_or_default()).collect()
    }

    /// The environment that leads here and to no kubeconfig of the person who runs the tests.
    pub fn environment(&self) -> Vec<(String, String)> {
        let at = |name: &str| self.path().join(name).display().to_string();
        vec![
            ("HOME".into(), self.path().display().to_string()),
            ("XDG_CONFIG_HOME".into(), at("config")),
            ("XDG_STATE_HOME".into(), at("state")),
            ("XDG_CACHE_HOME".into(), at("cache")),
            ("XDG_DATA_HOME".into(), at("data")),
            ("KUBECONFIG".into(), at("no-kubeconfig")),
            ("TZ".into(), "UTC".into()),
        ]
    }

    /// The program with arguments, in this home.
    pub fn command<I, S>(&self, arguments: I) -> Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<std::ffi::OsStr>,
    {
        let mut command = Command::new(path());
        command.args(arguments).envs(self.environment()).stdin(Stdio::null());
        command
    }
}

impl Default for Home {
    fn default() -> Home {
        Home::new()
    }
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    Ran {
        code: status.code().expect("the program ends by itself"),
        stdout: String::from_utf8(stdout).expect("output is UTF-8"),
        stderr: String::from_utf8(stderr).expect("errors are UTF-8"),
    }
}
