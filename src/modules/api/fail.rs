//! How a module says that it could not do its work: data that becomes part of the task's result.

use std::io;

use super::{ArgError, Map, Outcome, Str, Value};

/// A failure: a message and more fields (`rc`, `stdout` …).
#[derive(Clone, Debug, PartialEq)]
pub struct Fail {
    /// What went wrong and what to do, for the user.
    pub msg: String,
    /// More returned fields.
    pub fields: Map,
}

impl Fail {
    /// A failure with a message.
    #[must_use]
    pub fn new(msg: impl Into<String>) -> Fail {
        Fail { msg: msg.into(), fields: Map::new() }
    }

    /// With one more returned field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Fail {
        self.fields.insert(Str::from(name), value.into());
        self
    }

    /// As a result.
    #[must_use]
    pub fn into_outcome(self) -> Outcome {
        let mut fields = self.fields;
        fields.insert("msg".into(), Value::from(self.msg));
        Outcome { failed: true, fields, ..Outcome::default() }
    }
}

impl From<ArgError> for Fail {
    fn from(error: ArgError) -> Fail {
        Fail::new(error.to_string())
    }
}

/// Says what was being done when an error came.
pub trait Context<T> {
    /// `what` in the form "reading /etc/passwd".
    ///
    /// # Errors
    /// The error itself, with what was being done before it.
    fn about(self, what: impl FnOnce() -> String) -> Result<T, Fail>;
}

impl<T> Context<T> for io::Result<T> {
    fn about(self, what: impl FnOnce() -> String) -> Result<T, Fail> {
        self.map_err(|error| Fail::new(format!("{}: {}", what(), plain(&error))))
    }
}

impl<T> Context<T> for Result<T, Fail> {
    fn about(self, what: impl FnOnce() -> String) -> Result<T, Fail> {
        self.map_err(|fail| Fail { msg: format!("{}: {}", what(), fail.msg), ..fail })
    }
}

/// The system's own words without "(os error 2)".
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
