use std::path::{Path, PathBuf};
use std::time::Duration;

/// What can go wrong with a testbed. Every variant says what happened, to what, and what to do or where to look.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No Go toolchain on `PATH`.
    #[error(
        "Go was not found, but the testbed builds Kubernetes, Flux and Gitea from source. \
         Install Go 1.26 or newer (https://go.dev/dl) and put it on PATH."
    )]
    NoGo,
    /// A component did not build.
    #[error("{component} did not build; the end of the Go toolchain's output:\n{tail}")]
    Build {
        /// The binary that was being built.
        component: String,
        /// The last lines of output.
        tail: String,
    },
    /// A file operation failed.
    #[error("could not {what} {}: {source}", path.display())]
    File {
        /// Verb phrase: "read", "create".
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A program could not be started.
    #[error("could not start {program}: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A component ended although nobody stopped it.
    #[error("{process} ended by itself ({status}); the end of its log:\n{tail}")]
    Ended {
        /// Component, with its cluster.
        process: String,
        /// Exit code or signal.
        status: String,
        /// The last lines of its log.
        tail: String,
    },
    /// A component did not come up in time.
    #[error("{process} was not ready after {} s ({last}); the end of its log:\n{tail}", waited.as_secs())]
    NotUp {
        /// Component, with its cluster.
        process: String,
        /// How long was waited.
        waited: Duration,
        /// What the last attempt to reach it said.
        last: String,
        /// The last lines of its log.
        tail: String,
    },
    /// An awaited condition did not come true; the text holds the object's conditions and the ends of the controllers' logs.
    #[error("{}", .0)]
    Timeout(Box<Timeout>),
    /// The API server refused or failed a request.
    #[error("could not {what}: {source}")]
    Api {
        /// Verb phrase naming the object.
        what: String,
        /// The answer.
        source: Box<kube::Error>,
    },
    /// Gitea could not be reached.
    #[error("{method} {url}: {reason}")]
    Http {
        /// HTTP method.
        method: String,
        /// Whole URL.
        url: String,
        /// What failed.
        reason: String,
    },
    /// Gitea refused a request.
    #[error("{method} {url} was answered with {status}: {body}")]
    Refused {
        /// HTTP method.
        method: String,
        /// Whole URL.
        url: String,
        /// HTTP status code.
        status: u16,
        /// The answer's body.
        body: String,
    },
    /// A command (git, gitea) failed.
    #[error("{command} failed ({status}):\n{output}")]
    Command {
        /// Program and arguments.
        command: String,
        /// Exit code or signal.
        status: String,
        /// Standard output and error.
        output: String,
    },
    /// The caller handed in something that cannot be used.
    #[error("{0}")]
    Usage(String),
    /// Certificates could not be made.
    #[error("could not make a certificate for {subject}: {source}")]
    Certificate {
        /// Common name.
        subject: String,
        /// The reason.
        source: rcgen::Error,
    },
}

/// The report of a wait that was in vain. Its `Debug` is its text: tests unwrap it.
pub struct Timeout {
    /// What was waited for, in the caller's words.
    pub what: String,
    /// How long.
    pub waited: Duration,
    /// The last state seen: conditions of the object, or that it does not exist.
    pub last: String,
    /// The ends of the logs that may tell why.
    pub logs: String,
}

impl std::fmt::Display for Timeout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "waited {:.1} s in vain for: {}\n{}",
            self.waited.as_secs_f32(),
            self.what,
            self.last.trim_end()
        )?;
        if !self.logs.is_empty() {
            write!(f, "\n{}", self.logs.trim_end())?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Timeout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// The testbed's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn file(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::File { what, path, source }
    }

    pub(crate) fn api(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Error {
        let what = what.into();
        move |source| Error::Api { what, source: Box::new(source) }
    }

    /// The HTTP code when a server refused the request, e.g. 403.
    pub fn status_code(&self) -> Option<u16> {
        match self {
            Error::Api { source, .. } => match source.as_ref() {
                kube::Error::Api(status) => Some(status.code),
                _ => None,
            },
            Error::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}
