//! What Flux says, as data: kinds, slim status structs, verdicts, revisions, facts. Pure.
