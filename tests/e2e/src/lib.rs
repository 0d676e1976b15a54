//! The server over stdio against fleet and testbed; the editors for real.
