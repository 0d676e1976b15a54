//! What is changed in a recording before it is committed: the little that is of this machine.

use std::path::Path;

/// `lookup NAME on ADDRESS:53` names the resolver of this machine, which is nobody's business and differs everywhere: in
/// its place stands the usual address of a cluster's own. The controllers' temporary folders are the testbed's (`folder`):
/// they become `/tmp`, as in a container.
pub fn without_machine(text: &str, folder: &Path) -> String {
    let folder = folder.to_string_lossy();
    let mut whole = String::new();
    let mut parts = text.split(&*folder);
    whole.push_str(parts.next().unwrap_or_default());
    for part in parts {
        // What follows is `/CLUSTER/tmp/…`.
        let tail = part.strip_prefix('/').and_then(|rest| rest.split_once('/')).map(|(_, tail)| tail);
        match tail.filter(|tail| tail.starts_with("tmp/")) {
            Some(tail) => whole.push_str(&format!("/{tail}")),
            None => whole.push_str(&format!("/testbed{part}")),
        }
    }
    without_resolver(&whole)
}

fn without_resolver(text: &str) -> String {
    let mut parts = text.split("no such host");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // `out` ends in `lookup NAME on ADDRESS: `; without an address there is nothing to replace.
        let address = out.rsplit_once(" on ").filter(|(_, address)| !address.trim_end().contains(' '));
        if let Some((before, _)) = address {
            out = format!("{before} on 10.96.0.10:53: ");
        }
        out.push_str("no such host");
        out.push_str(part);
    }
    out
}
