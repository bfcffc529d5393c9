//! `file`, `unvault`, `fileglob`: files of the controller.

use std::path::{Path, PathBuf};

use crate::value::Value;
use crate::vault;

use super::{Call, Outcome, expand};

pub(super) fn file(call: &Call<'_>) -> Outcome {
    let (left, right) = (call.flag("lstrip", false)?, call.flag("rstrip", true)?);
    let mut out = Vec::new();
    for name in call.words() {
        let text = contents(call, &name)?;
        let text = if left { text.trim_start() } else { &text };
        out.push(Value::from(if right { text.trim_end() } else { text }));
    }
    Ok(out)
}

pub(super) fn unvault(call: &Call<'_>) -> Outcome {
    call.words().map(|name| contents(call, &name).map(Value::from)).collect()
}

/// A file's text; decrypted if it is a vault file.
fn contents(call: &Call<'_>, name: &str) -> Outcome<String> {
    let path = call.find("files", name).ok_or_else(|| format!("there is no file `{name}`"))?;
    let (bytes, _) = vault::open(&path, call.context.engine().keyring())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) fn fileglob(call: &Call<'_>) -> Outcome {
    let mut out = Vec::new();
    for pattern in call.words() {
        out.extend(
            matches(call, &pattern)?.iter().map(|path| Value::from(path.to_string_lossy().into_owned())),
        );
    }
    Ok(out)
}

/// The files of the first folder that has any which match.
fn matches(call: &Call<'_>, pattern: &str) -> Outcome<Vec<PathBuf>> {
    let pattern = expand(pattern);
    if pattern.is_absolute() {
        return list(&pattern);
    }
    for near in call.folders() {
        for folder in [near.join("files"), near] {
            let files = list(&folder.join(&pattern))?;
            if !files.is_empty() {
                return Ok(files);
            }
        }
    }
    Ok(Vec::new())
}

fn list(pattern: &Path) -> Outcome<Vec<PathBuf>> {
    let text = pattern.to_string_lossy();
    let options = glob::MatchOptions {
        require_literal_separator: true,
        require_literal_leading_dot: true,
        case_sensitive: true,
    };
    let found =
        glob::glob_with(&text, options).map_err(|error| format!("`{text}` is no pattern: {error}"))?;
    let mut files: Vec<PathBuf> = found.filter_map(Result::ok).filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}
