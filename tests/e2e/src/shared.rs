//! `../shared` beside the checkout: repositories of other people to measure on, there on some machines only.

use std::path::PathBuf;
use std::process::Command;

/// A file or folder of `../shared`, or `None` after saying aloud that the test leaves something out.
pub fn file(name: &str) -> Option<PathBuf> {
    let path = crate::binary::root().parent()?.join("shared").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED: {name} is not on this machine (the folder `shared` beside the checkout)");
    None
}

/// Clones a bundle of `../shared/repos` into `into`, with `origin` as its remote's address.
pub fn clone_bundle(bundle: &std::path::Path, into: &std::path::Path, origin: &str) {
    let git = |arguments: &[&std::ffi::OsStr]| {
        let ended = Command::new("git").args(arguments).output().expect("git runs");
        assert!(ended.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    };
    git(&["clone".as_ref(), "--quiet".as_ref(), bundle.as_os_str(), into.as_os_str()]);
    git(&[
        "-C".as_ref(),
        into.as_os_str(),
        "remote".as_ref(),
        "set-url".as_ref(),
        "origin".as_ref(),
        origin.as_ref(),
    ]);
}
