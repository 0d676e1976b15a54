//! Tests that need more than one module, and what they share.

use std::fmt::Write as _;

use crate::{Document, FieldPath, Node, NodeKind, ParsedFile};

mod artifact;
mod build;
mod builtins;
mod documents;
mod fields;
mod kustomize;
mod merging;
mod properties;
mod scalars;
mod typing;

/// A file as text: each document with its state, each leaf with its path and what is written at its range.
fn show(file: &ParsedFile) -> String {
    let mut out = String::new();
    for placed in file.documents() {
        let document = &placed.document;
        let _ = write!(out, "{:?} {:?}", placed.range(), document.soundness);
        let _ = write!(out, " {:?}", document.role());
        if let Some(it) = document.identity() {
            let namespace = it.namespace.as_deref().unwrap_or("-");
            let _ = write!(out, " {}/{} {namespace}/{}", it.api_version(), it.kind, it.name);
        }
        out.push('\n');
        out.push_str(&show_leaves(document));
        if !document.unread().is_empty() {
            let unread: Vec<&str> = document.unread().iter().map(|it| document.slice(*it)).collect();
            let _ = writeln!(out, "  unread {unread:?}");
        }
        if let Some(error) = document.error() {
            let _ = writeln!(out, "  error at {:?}: {}", error.offset, error.message);
        }
    }
    out
}

fn show_leaves(document: &Document) -> String {
    let mut out = String::new();
    for (path, node) in document.leaves() {
        let written = document.slice(node.range);
        let value = match &node.kind {
            NodeKind::Scalar(scalar) if *scalar.value == *written => String::new(),
            NodeKind::Scalar(scalar) => format!(" = {:?}", scalar.value),
            NodeKind::Alias(alias) => match &alias.target {
                Some(target) => format!(" -> {:?}", document.slice(target.range)),
                None => " -> ?".to_owned(),
            },
            NodeKind::Mapping(_) | NodeKind::Sequence(_) => " (empty)".to_owned(),
        };
        let _ = writeln!(out, "  {path} {:?} {written:?}{value}", node.range);
    }
    out
}

/// Every node below a node, itself included, aliases not followed.
fn nodes(node: &Node) -> Vec<&Node> {
    let mut all = vec![node];
    match &node.kind {
        NodeKind::Mapping(entries) => {
            all.extend(entries.iter().flat_map(|it| nodes(&it.key).into_iter().chain(nodes(&it.value))));
        }
        NodeKind::Sequence(items) => all.extend(items.iter().flat_map(nodes)),
        NodeKind::Scalar(_) | NodeKind::Alias(_) => {}
    }
    all
}

fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}
