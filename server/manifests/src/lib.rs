//! Text and repository as documents, nodes with byte ranges, roles and identities. Pure.
