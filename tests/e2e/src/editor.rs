//! Real editors, driven by their own scripts (`tests/e2e/editors`) over one line protocol: a command in, an answer out, so
//! that one story is told for all of them.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::binary::{self, Home};

/// Which editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// VS Code with the packed extension, in Chromium.
    VsCode,
    /// Neovim with the plugin, in a terminal.
    Neovim,
}

/// A running editor.
pub struct Editor {
    which: Which,
    driver: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Editor {
    /// Opens a folder in an editor, or `None` after saying aloud that it is not on this machine. `tests/run` installs
    /// the editors and names them in the environment.
    pub fn start(which: Which, home: &Home, folder: &Path, environment: &[(&str, &Path)]) -> Option<Editor> {
        let tools = std::env::var("FLUXCD_LS_EDITORS").unwrap_or_default();
        let Some(tools) = tools.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok())
        else {
            println!("SKIPPED: {which:?}: `tests/run editors` has not installed it");
            return None;
        };
        let scripts = binary::root().join("tests/e2e/editors");
        let path = |name: &str| tools[name].as_str().map(PathBuf::from).filter(|path| path.exists());
        let command = match which {
            Which::VsCode => {
                path("node").filter(|_| path("chromium").is_some() && path("vscode").is_some()).map(|node| {
                    let mut command = Command::new(node);
                    command.arg(scripts.join("vscode.mjs")).args(["--tools", &tools.to_string()]);
                    // Looser than what is there without it: VS Code hands it over as the user's own word.
                    command.args(["--setting", "fluxcd.log.level=\"debug\""]);
                    command
                        .arg("--vsix")
                        .arg(std::env::var_os("FLUXCD_LS_VSIX").expect("tests/run packs the extension"));
                    command
                })
            }
            Which::Neovim => path("nvim").map(|root| {
                let mut command = Command::new(root.join("usr/bin/nvim"));
                command.env("VIMRUNTIME", root.join("usr/share/nvim/runtime")).args([
                    "--clean",
                    "--headless",
                    "-l",
                ]);
                command.arg(scripts.join("nvim.lua")).args(["--tools", &tools.to_string()]);
                command.arg("--server").arg(binary::path());
                command
            }),
        };
        let Some(mut command) = command else {
            println!("SKIPPED: {which:?} is not on this machine; `tests/run --install editors` brings it");
            return None;
        };
        command.arg("--folder").arg(folder).envs(home.environment()).envs(environment.iter().copied());
        let mut driver =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the driver starts");
        let input = driver.stdin.take();
        let output = BufReader::new(driver.stdout.take().expect("its output is a pipe"));
        let mut editor = Editor { which, driver, input, output };
        let ready = editor.answer(&json!("start"));
        println!("{which:?} {}", ready["version"]);
        Some(editor)
    }

    /// Sends one command and gives its answer; an answer that is not ok fails the test.
    pub fn tell(&mut self, command: Value) -> Value {
        let input = self.input.as_mut().expect("the editor runs");
        writeln!(input, "{command}").and_then(|()| input.flush()).expect("the driver listens");
        self.answer(&command)
    }

    /// Takes a picture of the screen into the folder of pictures, and says where it is.
    pub fn picture(&mut self, name: &str) {
        let folder = pictures();
        let file = folder.join(format!("{}-{name}.png", format!("{:?}", self.which).to_lowercase()));
        self.tell(json!({"screenshot": file}));
        println!("picture: {}", file.display());
    }

    /// Ends the editor.
    pub fn quit(mut self) {
        self.tell(json!({"quit": true}));
        let _ = self.driver.wait();
    }

    fn answer(&mut self, command: &Value) -> Value {
        let mut line = String::new();
        let read = self.output.read_line(&mut line).expect("the driver answers");
        assert!(read > 0, "{:?}: the driver ended at {command}", self.which);
        let answer: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("{:?}: {command}: {line}", self.which));
        assert_eq!(answer["ok"], json!(true), "{:?}: {command}: {answer:#}", self.which);
        answer
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        // The driver ends its editor, its server and its browser when its input closes.
        self.input = None;
        let _ = self.driver.wait();
    }
}

/// Where the pictures of this machine's last run are.
pub fn pictures() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .expect("a home folder");
    let folder = cache.join("fluxcd-ls/pictures");
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    folder
}

/// Tells a story; one that fails is told once more, and that is said. Editors and clusters are programs of other
/// people on a busy machine.
pub fn twice_at_most(name: &str, story: impl Fn() + std::panic::RefUnwindSafe) {
    if let Err(first) = std::panic::catch_unwind(&story) {
        let why = first.downcast_ref::<String>().map_or("no reason", String::as_str);
        println!("TRIED ONCE MORE: {name}: {why}");
        story();
    }
}
