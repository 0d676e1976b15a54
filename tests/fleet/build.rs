//! The content is embedded by a macro, which does not notice new files by itself.
#![allow(clippy::print_stdout)]

fn main() {
    for folder in ["repo", "commits", "recorded"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
