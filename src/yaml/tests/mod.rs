//! Tests of reading YAML, by subject.

mod composing;
mod mistakes;
mod places;
mod scalars;

use super::{Node, parse_text};
use crate::diag::Sources;

/// The only document of a text without mistakes.
fn read(text: &str) -> Node {
    let mut parsed = parse_text("t.yml", text, &Sources::default());
    assert!(!parsed.has_errors(), "{text:?}: {:?}", parsed.diagnostics);
    assert_eq!(parsed.documents.len(), 1, "{text:?}");
    parsed.documents.remove(0)
}
