//! The protocol: its types, its transport, and the one place where bytes become UTF-16.
//!
//! Nothing in here decides anything. Methods are forwarded to the owner (`server`), in the order of the wire.

pub mod backend;
pub mod convert;
pub mod custom;
#[cfg(unix)]
pub mod stdio;
pub mod transport;

/// The types of the protocol, named once: their module has moved with two releases of the framework.
pub mod types {
    pub use tower_lsp::gen_lsp_types::*;
}

pub use tower_lsp::jsonrpc;
