//! The finished program seen from outside: the binary over stdio, the terminal commands, and real editors, against the
//! recorded fleet and a real cluster.
//!
//! Helpers here wait for conditions, never for time; when a condition does not come they say what was there instead.

// Everything here serves tests: a failed expectation is a failed test, and says which one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

pub mod binary;
pub mod editor;
pub mod lsp;
pub mod recorded;
pub mod shared;
pub mod shop;
pub mod stage;
