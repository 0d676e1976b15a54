//! The only file that sees the YAML parser.
