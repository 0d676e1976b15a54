//! Git forges: what was reported to them about a commit, and the tokens to ask with. Async.
//!
//! A *forge* is the service that hosts a repository on the web (GitHub, GitLab, Gitea, Forgejo). The word is the field's own, and
//! "provider" is taken: in Flux a `Provider` is an object, the one that posts these very statuses.
//!
//! This room knows HTTP and the forges' APIs. It knows nothing of Flux, of texts, of clusters and of editors: a status is
//! a context, an outcome, a description and a time. It asks nobody by itself; who may be asked, the caller decides.
//!
//! [`Client::statuses`] makes few requests: answers are kept by commit and asked for again with their `ETag`, and a forge
//! that wants to be left alone (403, 429, 5xx) is. A [`Token`] goes to the one host it is for, never in the clear, and is
//! neither kept nor printed.

mod client;
mod error;
mod fetch;
mod git;
mod parse;
mod site;
mod status;
mod token;

pub use client::{Client, Options, Proxies};
pub use error::Error;
pub use fetch::{FetchError, fetch};
pub use git::{AskError, LIMIT as ASK_LIMIT, ask_git};
pub use site::{Address, Repository, Service, Site};
pub use status::{CommitStatus, Outcome, Statuses};
pub use token::{Origin, Token};

#[cfg(test)]
mod tests;
