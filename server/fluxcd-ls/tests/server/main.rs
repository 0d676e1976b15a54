//! The server over its real transport, with an editor and clusters that do what a test says.

mod basics;
mod connecting;
mod fleet;
mod harness;
mod showing;
