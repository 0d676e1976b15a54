//! Live Flux CD state in the text of your manifests: a language server, and the same engine in the terminal.

pub mod cli;
pub(crate) mod forges;
pub mod logging;
pub mod lsp;
pub mod paths;
pub mod server;
pub mod settings;
