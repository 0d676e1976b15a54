//! Git, as answers: trees at revisions, HEAD, upstream, remotes.
