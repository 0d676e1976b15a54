//! The failure catalogue: small repositories that fail, what the real controllers say of them, and where in the text
//! the mark belongs.
//!
//! A case is one file in `cases/`:
//!
//! ```text
//! title: A variable that nothing sets
//! rows: K44
//! settles: Kustomization/apps BuildFailed
//! today: missing
//! //- clusters/test/apps.yaml
//! …
//! //- apps/web.yaml
//!   image: web:${TAG}
//!              ^^^^^^
//! ```
//!
//! The README says what can stand in it. `cargo run -p failures --bin record` lets real controllers apply each case and
//! writes what they say to `recorded/`; `cargo test -p failures` lets the finished program look at each repository with
//! that recording and compares its marks with those of the file.

// Everything here serves tests: a failed expectation is a failed test, and says which one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod case;
mod judge;
mod lay_out;
mod recording;
#[cfg(test)]
mod tests;

pub use case::{Case, Expected, Mark, Outcome, Says, Settles};
pub use judge::{Finding, Judged, judge};
pub use lay_out::{LaidOut, lay_out};
pub use recording::{Standing, made_from_text, only, standing};

use std::path::Path;

/// The folder of this crate.
pub fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
