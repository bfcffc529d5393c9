//! Text to [`Node`]: YAML as PyYAML reads it, with the place of everything.
//!
//! A `Node` is text from a file: it has a place, and its strings may hold templates. Finished data is a
//! `value::Value`; only `template` turns one into the other.

mod node;

pub use node::{Kind, Node, NodeMap, Tag};
