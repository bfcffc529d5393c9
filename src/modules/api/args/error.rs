//! What is wrong with an argument, and how serde's complaints become that.

use std::fmt;

use serde::de::{self, Unexpected};

use crate::value::{Path, Step, Str, Value};

/// An argument that can't be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}{}", place(path, *at_key), help.as_deref().map(|help| format!("; {help}")).unwrap_or_default())]
pub struct ArgError {
    /// Which argument, and where inside it. For a missing argument: where it is missing.
    pub path: Path,
    /// Whether the argument's name is wrong rather than its value.
    pub at_key: bool,
    /// What is wrong, without the place: "must be a whole number, but is `x`".
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl ArgError {
    /// What is wrong with which argument, for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        if self.at_key || self.path.0.is_empty() {
            self.message.clone()
        } else {
            format!("`{}` {}", self.path, self.message)
        }
    }
}

/// Unknown names stand in the message itself.
fn place(path: &Path, at_key: bool) -> String {
    if at_key || path.0.is_empty() { String::new() } else { format!("{path} ") }
}

impl From<Error> for ArgError {
    fn from(error: Error) -> ArgError {
        let Error { mut steps, at_key, message, help, .. } = error;
        steps.reverse();
        ArgError { path: Path(steps), at_key, message, help }
    }
}

/// An [`ArgError`] on its way up: the steps come innermost first.
#[derive(Debug)]
pub(super) struct Error {
    pub(super) steps: Vec<Step>,
    pub(super) at_key: bool,
    pub(super) missing: bool,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Error {
    pub(super) fn new(message: impl Into<String>) -> Error {
        Error { steps: Vec::new(), at_key: false, missing: false, message: message.into(), help: None }
    }

    /// "must be `wanted`, but is …".
    pub(super) fn wrong(wanted: &str, value: &Value) -> Error {
        Error::new(format!("must be {wanted}, but is {}", shown(value)))
    }

    pub(super) fn unknown(name: &str, known: &[&'static str]) -> Error {
        Error {
            steps: vec![Step::Key(name.into())],
            at_key: true,
            help: closest(name, known).map(|near| format!("did you mean `{near}`?")),
            ..Error::new(format!("unknown argument `{name}`"))
        }
    }

    pub(super) fn in_key(mut self, key: &Str) -> Error {
        self.steps.push(Step::Key(Str::clone(key)));
        self
    }

    pub(super) fn in_index(mut self, index: usize) -> Error {
        self.steps.push(Step::Index(index));
        self
    }
}

/// The known name that is close enough to be meant.
pub(super) fn closest(word: &str, known: &[&'static str]) -> Option<&'static str> {
    let folded = word.to_lowercase();
    let score = |name: &str| strsim::jaro_winkler(&folded, &name.to_lowercase());
    known
        .iter()
        .filter(|name| !name.starts_with('_'))
        .map(|name| (score(name), *name))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// A value in a message: short texts and numbers as they are, anything else by its type.
fn shown(value: &Value) -> String {
    match value {
        Value::List(_) => "a list".into(),
        Value::Map(_) => "a mapping".into(),
        Value::Null | Value::Omit => "empty".into(),
        Value::Bytes(_) => "binary".into(),
        scalar => {
            let text = scalar.to_string();
            if text.chars().count() > 60 {
                format!("`{}…`", text.chars().take(60).collect::<String>())
            } else {
                format!("`{text}`")
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Error {
        Error::new(message.to_string())
    }
    fn missing_field(field: &'static str) -> Error {
        Error { missing: true, ..Error::new(format!("missing required argument `{field}`")) }
    }
    fn duplicate_field(field: &'static str) -> Error {
        Error::new(format!("`{field}` is given twice, under two of its names"))
    }
    fn invalid_type(found: Unexpected<'_>, wanted: &dyn de::Expected) -> Error {
        Error::new(format!("must be {wanted}, but is {found}"))
    }
    fn invalid_value(found: Unexpected<'_>, wanted: &dyn de::Expected) -> Error {
        Error::new(format!("must be {wanted}, but is {found}"))
    }
}
