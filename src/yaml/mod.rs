//! Text to [`Node`]: YAML as PyYAML reads it, with the place of everything.
//!
//! A `Node` is text from a file: it has a place, and its strings may hold templates. Finished data is a
//! `value::Value`; only `template` turns one into the other.

mod compose;
pub mod emit;
mod extent;
mod load;
mod mistakes;
mod node;
mod offsets;
mod scalar;
mod tags;
mod view;

pub use compose::{Parsed, parse};
pub use load::{Document, document, load, parse_text, read};
pub use node::{Kind, Node, NodeMap, Tag};
pub use offsets::locate;
pub use scalar::resolve;

#[cfg(test)]
mod tests;
