//! Before and after of a file's text.

use std::path::Path;

use super::{Diff, Value};

/// The largest contents that a diff shows, in bytes.
pub const DIFF_LIMIT: u64 = 104_448;

/// The diff of a file's contents. `before`: `None` if there is no file yet. `source`: what the new side is called.
/// Contents that are no text or too large are only mentioned.
#[must_use]
pub fn text_diff(path: &Path, source: &str, before: Option<&[u8]>, after: &[u8]) -> Diff {
    let mut diff = Diff {
        before_header: before.map(|_| path.to_string_lossy().into_owned()).unwrap_or_default(),
        after_header: source.to_owned(),
        ..Diff::default()
    };
    let note = |what: &str, bytes: &[u8]| {
        if bytes.len() as u64 > DIFF_LIMIT {
            Some(format!("diff skipped: {what} file size is greater than {DIFF_LIMIT}\n"))
        } else if bytes.contains(&0) {
            Some(format!("diff skipped: {what} file appears to be binary\n"))
        } else {
            None
        }
    };
    let before = before.unwrap_or_default();
    diff.prepared = note("destination", before).or_else(|| note("source", after));
    if diff.prepared.is_none() {
        diff.before = Value::from(String::from_utf8_lossy(before).into_owned());
        diff.after = Value::from(String::from_utf8_lossy(after).into_owned());
    }
    diff
}
