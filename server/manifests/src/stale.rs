//! Carrying the last good tree over.
