//! A testbed leaves nothing behind, even when its process is killed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are tests")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Processes whose command line or working directory names the folder.
fn processes_of(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let cwd = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        let name = folder.as_os_str().as_bytes();
        if command.windows(name.len()).any(|part| part == name) || cwd.starts_with(folder) {
            found.push(String::from_utf8_lossy(&command).replace('\0', " "));
        }
    }
    found
}

fn wait_until_gone(folder: &Path) {
    let started = Instant::now();
    while folder.exists() || !processes_of(folder).is_empty() {
        let left = processes_of(folder);
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{} or {left:#?} stayed behind",
            folder.display()
        );
        std::thread::yield_now();
    }
}

#[test]
fn nothing_stays_after_the_process_is_killed_or_interrupted() {
    // Minutes when nothing is built yet, and then the child would look like hanging.
    testbed::build().unwrap();
    for signal in ["KILL", "INT"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_testbed"))
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut folder = None;
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
            if let Some(log) = line.strip_prefix("Logs:") {
                folder = Path::new(log.trim()).parent().map(PathBuf::from);
                break;
            }
        }
        let folder = folder.expect("the testbed says where its logs are");
        let running = processes_of(&folder);
        assert!(running.len() >= 12, "too few processes for this to be a test: {running:#?}");
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        let status = child.wait().unwrap();
        assert_eq!(status.success(), signal == "INT");
        wait_until_gone(&folder);
    }
}
