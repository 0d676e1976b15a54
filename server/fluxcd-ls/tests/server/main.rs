//! The server over its real transport, with an editor and clusters that do what a test says.

// A test that finds what it did not expect ends there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod basics;
mod checking;
mod connecting;
mod disk;
mod fleet;
mod git;
mod harness;
mod heads;
mod mending;
mod navigating;
mod objects;
mod own_files;
mod reporting;
mod showing;
