//! Why there are no statuses, in sentences for people.

use jiff::Timestamp;

use crate::{Origin, Service};

/// Why a forge did not tell the statuses of a commit. `site` is the host as people know it; `said` is what the forge
/// said itself: one line, bounded, without control characters, and still text from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // The fields are said above, the variants by their sentences.
pub enum Error {
    /// 401.
    #[error("{site} {}{}", unauthorized(.with), and(.said))]
    Unauthorized { site: String, with: Option<Origin>, said: String },
    /// 403 that is about rights.
    #[error("{site} does not let {} read commit statuses{}", token(.with), and(.said))]
    Forbidden { site: String, with: Option<Origin>, said: String },
    /// 404: it does not exist, or not for this token.
    #[error("{site} knows no repository {repository}, or does not show it to {}{}", token(.with), and(.said))]
    NotFound { site: String, repository: String, with: Option<Origin>, said: String },
    /// The repository is there, the commit is not.
    #[error("{site} does not have commit {}; it may not be pushed", short(.commit))]
    UnknownCommit { site: String, commit: String },
    /// 429, or 403 that is about the number of requests. It is not asked before `until`.
    #[error("{site} wants fewer requests; it is asked again at {}{}", clock(.until), and(.said))]
    Limited { site: String, until: Timestamp, said: String },
    /// 5xx. It is not asked before `until`.
    #[error("{site} has trouble of its own ({status}); it is asked again at {}{}", clock(.until), and(.said))]
    Trouble { site: String, status: u16, until: Timestamp, said: String },
    /// Another status that is none of the above.
    #[error("{site} answered {status}, which means nothing here{}", and(.said))]
    Unexpected { site: String, status: u16, said: String },
    /// It answers with a page for people, or with nothing that is JSON.
    #[error(
        "{site} answered with {what} instead of data: is it really {service}, or is a login page or a proxy before it?"
    )]
    NotData { site: String, service: Service, what: String },
    /// JSON, of another shape.
    #[error("{site} answered something else than commit statuses: is it really {service}? ({why})")]
    Shape { site: String, service: Service, why: String },
    /// An answer without content.
    #[error("{site} answered nothing")]
    Empty { site: String },
    /// The connection ended within the answer.
    #[error("the answer of {site} ended in its middle ({why})")]
    CutOff { site: String, why: String },
    /// More than anybody has to say about a commit.
    #[error("the answer of {site} is longer than {limit} bytes and was not read")]
    TooLong { site: String, limit: usize },
    /// No answer in time. It is not asked before `until`.
    #[error("{site} did not answer within {seconds} s; it is asked again at {}", clock(.until))]
    Slow { site: String, seconds: u64, until: Timestamp },
    /// No connection.
    #[error("{site} cannot be reached: {why}")]
    Unreachable { site: String, why: String },
    /// It sends somewhere else. The token is for this host only, so nobody goes there.
    #[error(
        "{site} sends us on to {to}, where we do not follow. If it has moved, correct the remote's address: git remote set-url"
    )]
    Elsewhere { site: String, to: String },
    /// Known, and not readable yet.
    #[error("commit statuses at {service} cannot be read yet")]
    NotYet { service: Service },
    /// This machine has no TLS to offer.
    #[error("no encrypted connection can be made from here: {why}")]
    NoTls { why: String },
}

impl Error {
    /// Before this moment the forge is not asked again.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Limited { until, .. } | Self::Trouble { until, .. } | Self::Slow { until, .. } => {
                Some(*until)
            }
            _ => None,
        }
    }

    /// Whether a token, or another one, may help.
    pub fn wants_token(&self) -> bool {
        matches!(self, Self::Unauthorized { .. } | Self::Forbidden { .. } | Self::NotFound { .. })
    }
}

fn token(with: &Option<Origin>) -> String {
    with.as_ref().map_or_else(|| "somebody without a token".to_owned(), |it| format!("the token of {it}"))
}

fn unauthorized(with: &Option<Origin>) -> String {
    with.as_ref().map_or_else(
        || "tells nothing without a token, and none was found for it".to_owned(),
        |it| format!("did not accept the token of {it}"),
    )
}

fn and(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

fn clock(until: &Timestamp) -> String {
    until.strftime("%H:%M UTC").to_string()
}

/// What a forge says, made fit for a sentence: its first line, bounded.
pub(crate) fn one_sentence(text: &str) -> String {
    const BOUND: usize = 200;
    let text: String = text
        .chars()
        .map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { c })
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let text = text.trim_end_matches('.');
    match text.char_indices().nth(BOUND) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
