//! Diagnostics as text with source lines and carets, and as JSON.

use super::{Diagnostic, Sources};

/// The text of one diagnostic, ending in a newline. `color`: with ANSI colors.
#[must_use]
pub fn render(diagnostic: &Diagnostic, _sources: &Sources, _color: bool) -> String {
    format!("{}\n", diagnostic.message)
}

/// For editors and CI: code, severity, message, file, line, column, end positions, notes, help.
#[must_use]
pub fn to_json(diagnostic: &Diagnostic, _sources: &Sources) -> serde_json::Value {
    serde_json::json!({ "message": diagnostic.message })
}
