//! Live Flux CD state in the text of your manifests: a language server, and the same engine in the terminal.
