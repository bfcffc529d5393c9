//! The codes of our messages: a line each, and what `regatta explain CODE` says.

/// Code, summary, explanation. In order of the codes.
pub const CODES: &[(&str, &str, &str)] = &[];

/// The summary and explanation of a code.
#[must_use]
pub fn explain(code: &str) -> Option<(&'static str, &'static str)> {
    CODES
        .iter()
        .find(|(name, _, _)| name.eq_ignore_ascii_case(code))
        .map(|(_, summary, text)| (*summary, *text))
}
