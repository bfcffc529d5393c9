//! From a mapping of values to an argument struct, with Ansible's coercions and the place of what is wrong.

use serde::de::DeserializeOwned;

use super::Map;
use crate::value::Path;

/// An argument that can't be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", help.as_deref().map(|help| format!(" ({help})")).unwrap_or_default())]
pub struct ArgError {
    /// Which argument, and where inside it.
    pub path: Path,
    /// Whether the argument's name is wrong rather than its value.
    pub at_key: bool,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// Reads an argument struct.
///
/// # Errors
/// The first argument that is unknown, missing, of the wrong type or not among the choices.
pub fn decode<T: DeserializeOwned>(_args: &Map) -> Result<T, ArgError> {
    Err(ArgError {
        path: Path::default(),
        at_key: false,
        message: "decode is written next".into(),
        help: None,
    })
}
