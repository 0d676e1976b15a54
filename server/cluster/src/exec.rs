//! Login commands: exec plugins of kubeconfigs, run by us (design 3.5).
//!
//! kube's own way would give them our standard input, which carries the editor's protocol, run them three times
//! and block a thread for as long as they like. Ours: no input, output and errors captured and bounded, a process
//! group of their own that can be ended as a whole, one at a time per context across all windows and commands, an
//! end to waiting, and no second try by itself.

mod group;

use std::process::Stdio;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;

use self::group::Group;
use crate::kubeconfig::{Context, ExecPlugin, Fingerprint};
use crate::state::StateDir;

/// The versions of the ExecCredential protocol that we speak.
pub(crate) const API_VERSIONS: [&str; 2] =
    ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];
/// How long a login command may take that nobody asked for.
pub const UNATTENDED: Duration = Duration::from_secs(10);
/// How long a login may take that somebody asked for: a browser, a password, a second factor.
pub const SIGN_IN: Duration = Duration::from_secs(180);
/// Only commands that took less than this before are run unattended: slower ones probably opened a browser.
pub const QUICK: Duration = Duration::from_secs(3);

const STDOUT_LIMIT: usize = 1 << 20;
const STDERR_KEPT: usize = 4 << 10;
/// How long pipes are read after the command itself has ended: something it left running may hold them open.
const AFTERMATH: Duration = Duration::from_secs(1);

/// Why a login command gave no credential. The text is for people.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ExecError {
    /// It wants a terminal, and an editor has none to give.
    #[error("the login command needs a terminal. Run `{command}` there, then sign in again.")]
    NeedsTerminal {
        /// The command, as people would type it.
        command: String,
    },
    /// It could not be started.
    #[error("cannot run the login command `{command}`: {why}.{hint}")]
    NotStarted {
        /// The command, as people would type it.
        command: String,
        /// What the operating system says.
        why: String,
        /// What the kubeconfig says to those who lack the program; empty or with a space in front.
        hint: String,
    },
    /// It ended with an error.
    #[error("the login command `{command}` failed ({status}){}", said(stderr))]
    Failed {
        /// The command, as people would type it.
        command: String,
        /// How it ended.
        status: String,
        /// The last it wrote to its standard error.
        stderr: String,
    },
    /// It did not end in time and was ended.
    #[error("the login command `{command}` did not finish within {seconds} s{}", said(stderr))]
    TimedOut {
        /// The command, as people would type it.
        command: String,
        /// How long was waited.
        seconds: u64,
        /// The last it wrote to its standard error.
        stderr: String,
    },
    /// Another window or command is signing in to the same context.
    #[error("another window or command is running the login command `{command}`. Try again when it is done.")]
    Busy {
        /// The command, as people would type it.
        command: String,
    },
    /// It printed something that is not a credential.
    #[error("the login command `{command}` printed no credential: {why}")]
    Garbage {
        /// The command, as people would type it.
        command: String,
        /// What is missing. Never what it printed: that may be a token.
        why: &'static str,
    },
    /// The credential that it printed is already out of date.
    #[error(
        "the login command `{command}` printed a credential that expired at {at}. Sign in again with the tool itself."
    )]
    Expired {
        /// The command, as people would type it.
        command: String,
        /// When it expired.
        at: Timestamp,
    },
    /// Our folder for locks cannot be used.
    #[error("cannot take the login lock in {path}: {why}")]
    Lock {
        /// The folder.
        path: String,
        /// What the operating system says.
        why: String,
    },
    /// The user gave up waiting.
    #[error("signing in was cancelled")]
    Cancelled,
}

fn said(stderr: &str) -> String {
    let last = stderr.lines().rev().find(|l| !l.trim().is_empty()).map(str::trim).unwrap_or_default();
    if last.is_empty() { ".".into() } else { format!(": {last}") }
}

/// What a login command gave us.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credential {
    /// A bearer token.
    pub(crate) token: Option<String>,
    /// A client certificate and its key, in PEM.
    pub(crate) certificate: Option<(String, String)>,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// What is remembered of earlier runs, for all windows. No credential, no output.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// How long the last run that succeeded took.
    pub took_ms: Option<u64>,
    /// In one sentence, why the last run failed; `None` if it succeeded.
    pub failure: Option<String>,
}

impl Memory {
    pub(crate) fn read(dir: &StateDir, fingerprint: &Fingerprint) -> Self {
        let bytes = dir.read(&file(fingerprint)).ok().flatten();
        bytes.and_then(|b| serde_json::from_slice(&b).ok()).unwrap_or_default()
    }

    pub(crate) fn quick(&self) -> Option<bool> {
        self.took_ms.map(|ms| u128::from(ms) < QUICK.as_millis())
    }

    fn write(&self, dir: &StateDir, fingerprint: &Fingerprint) {
        let written = serde_json::to_vec(self).map_err(std::io::Error::from);
        if let Err(e) = written.and_then(|bytes| dir.write(&file(fingerprint), &bytes)) {
            tracing::warn!("cannot remember how the login went: {e}");
        }
    }
}

fn file(fingerprint: &Fingerprint) -> String {
    format!("login-{}.json", fingerprint.digest())
}

/// Runs the login command of `context`, or waits for the one that runs.
///
/// Whatever happens, the command and all that it started in its process group is gone when this returns with an
/// error, or when the future is dropped. `limit` counts waiting for another window too.
///
/// `unattended`: nobody asked for this run. Then a failure that another window had in the meantime is the answer;
/// the command is not run a second time.
pub(crate) async fn run(
    context: &Context,
    plugin: &ExecPlugin,
    dir: &StateDir,
    limit: Duration,
    unattended: bool,
    cancel: &CancellationToken,
) -> Result<Credential, ExecError> {
    let command = plugin.command_line();
    if plugin.needs_terminal {
        return Err(ExecError::NeedsTerminal { command });
    }
    let fingerprint = context.fingerprint();
    let before = Memory::read(dir, &fingerprint);
    let deadline = tokio::time::Instant::now() + limit;
    let lock = format!("login-{}.lock", fingerprint.digest());
    let lock = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(ExecError::Cancelled),
        lock = tokio::time::timeout_at(deadline, dir.lock(&lock)) => match lock {
            Ok(Ok(lock)) => lock,
            Ok(Err(e)) => {
                return Err(ExecError::Lock { path: dir.path().display().to_string(), why: e.to_string() });
            }
            Err(_) => return Err(ExecError::Busy { command }),
        },
    };
    let mut memory = Memory::read(dir, &fingerprint);
    if unattended
        && memory != before
        && let Some(failure) = memory.failure
    {
        return Err(ExecError::Failed { command, status: "in another window".into(), stderr: failure });
    }
    let started = Instant::now();
    let result = attempt(context, plugin, deadline, limit, cancel).await;
    match &result {
        Ok(_) => {
            memory.took_ms = Some(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
            memory.failure = None;
        }
        // Giving up says nothing about the command.
        Err(ExecError::Cancelled) => return result,
        Err(e) => memory.failure = Some(e.to_string()),
    }
    memory.write(dir, &fingerprint);
    drop(lock);
    result
}

async fn attempt(
    context: &Context,
    plugin: &ExecPlugin,
    deadline: tokio::time::Instant,
    limit: Duration,
    cancel: &CancellationToken,
) -> Result<Credential, ExecError> {
    let line = plugin.command_line();
    let mut command = tokio::process::Command::new(&plugin.command);
    command
        .args(&plugin.args)
        .envs(&plugin.env)
        .env("KUBERNETES_EXEC_INFO", exec_info(context, plugin).to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(|e| ExecError::NotStarted {
        command: line.clone(),
        why: match e.kind() {
            std::io::ErrorKind::NotFound => format!("there is no program {:?}", plugin.command),
            _ => e.to_string(),
        },
        hint: plugin.install_hint.as_ref().map(|h| format!(" {}", h.trim())).unwrap_or_default(),
    })?;
    let mut group = Group::of(&child);
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let ended = {
        let work = async {
            let mut pipes = std::pin::pin!(async {
                tokio::join!(head(stdout, &mut out), tail(stderr, &mut err));
            });
            let mut read = false;
            let status = loop {
                tokio::select! {
                    status = child.wait() => break status,
                    () = &mut pipes, if !read => read = true,
                }
            };
            if !read {
                let _ = tokio::time::timeout(AFTERMATH, pipes).await;
            }
            status
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(true),
            ended = tokio::time::timeout_at(deadline, work) => ended.map_err(|_| false),
        }
    };
    let stderr = clean(&err);
    let status = match ended {
        Ok(Ok(status)) => status,
        Ok(Err(e)) => {
            return Err(ExecError::Failed { command: line, status: e.to_string(), stderr });
        }
        Err(cancelled) => {
            group.kill();
            let _ = child.start_kill();
            // Reaped here, so that no zombie stays; it has been killed, this is a matter of milliseconds.
            let _ = child.wait().await;
            return Err(if cancelled {
                ExecError::Cancelled
            } else {
                ExecError::TimedOut { command: line, seconds: limit.as_secs(), stderr }
            });
        }
    };
    if !status.success() {
        let status = match status.code() {
            Some(code) => format!("exit code {code}"),
            None => status.to_string(),
        };
        return Err(ExecError::Failed { command: line, status, stderr });
    }
    let credential =
        parse(&out, &plugin.api_version).map_err(|why| ExecError::Garbage { command: line.clone(), why })?;
    if let Some(at) = credential.expires.filter(|at| *at <= Timestamp::now()) {
        return Err(ExecError::Expired { command: line, at });
    }
    // A command that succeeded may have left a helper running on purpose (a cache, an agent).
    group.disarm();
    Ok(credential)
}

/// What the protocol tells the command (`KUBERNETES_EXEC_INFO`).
fn exec_info(context: &Context, plugin: &ExecPlugin) -> serde_json::Value {
    let mut spec = serde_json::json!({ "interactive": false });
    if plugin.provide_cluster_info {
        let cluster = kube::config::ExecAuthCluster::try_from(&context.cluster);
        if let Some(cluster) = cluster.ok().and_then(|c| serde_json::to_value(c).ok()) {
            spec["cluster"] = cluster;
        }
    }
    serde_json::json!({ "apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec })
}

fn parse(output: &[u8], api_version: &str) -> Result<Credential, &'static str> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        kind: Option<String>,
        api_version: Option<String>,
        status: Option<Status>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        token: Option<String>,
        client_certificate_data: Option<String>,
        client_key_data: Option<String>,
        expiration_timestamp: Option<String>,
    }
    if output.len() >= STDOUT_LIMIT {
        return Err("more than 1 MiB of output");
    }
    if output.iter().all(u8::is_ascii_whitespace) {
        return Err("no output");
    }
    let answer: Answer = serde_json::from_slice(output).map_err(|_| "the output is not JSON")?;
    if answer.kind.as_deref() != Some("ExecCredential") {
        return Err("the output is not an ExecCredential");
    }
    if answer.api_version.as_deref() != Some(api_version) {
        return Err("it speaks another version of the protocol than the kubeconfig says");
    }
    let status = answer.status.ok_or("the credential has no status")?;
    let text = |s: Option<String>| s.filter(|s| !s.trim().is_empty());
    let certificate = match (text(status.client_certificate_data), text(status.client_key_data)) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => return Err("a certificate without its key, or a key without its certificate"),
    };
    let token = text(status.token).map(|t| t.trim().to_owned());
    if token.is_none() && certificate.is_none() {
        return Err("neither a token nor a certificate");
    }
    let expires = match status.expiration_timestamp {
        Some(at) => Some(at.parse::<Timestamp>().map_err(|_| "its expirationTimestamp is not a time")?),
        None => None,
    };
    Ok(Credential { token, certificate, expires })
}

/// Reads to the end, keeping the first part.
async fn head(pipe: Option<tokio::process::ChildStdout>, kept: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = [0; 8192];
    while let Ok(n @ 1..) = pipe.read(&mut buffer).await {
        let room = STDOUT_LIMIT.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..n.min(room)]);
    }
}

/// Reads to the end, keeping the last part.
async fn tail(pipe: Option<tokio::process::ChildStderr>, kept: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = pipe.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..n]);
        let over = kept.len().saturating_sub(STDERR_KEPT);
        kept.drain(..over);
    }
}

/// Text of a program for people: no control sequences, no half characters.
fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // CSI … final byte; anything else: the escape and the next character.
            if chars.next_if_eq(&'[').is_some() {
                while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
            } else {
                chars.next();
            }
        } else if c == '\n' || !c.is_control() {
            clean.push(c);
        }
    }
    clean.trim().to_owned()
}

#[cfg(test)]
mod tests;
