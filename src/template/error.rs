//! What went wrong in a template: a diagnostic that points into the user's file.
//!
//! Errors pass through minijinja as the source of its own errors, and are taken out again by `blame`.

use std::fmt;

use minijinja::{Error, ErrorKind};

use crate::diag::{Diagnostic, Span, code};

/// A template, condition or lookup that failed.
#[derive(Clone, Debug)]
pub struct TemplateError {
    /// What is wrong and where.
    pub diagnostic: Box<Diagnostic>,
    /// The variable, if it failed because that is undefined.
    pub undefined: Option<String>,
}

impl TemplateError {
    /// A failure that is not about an undefined variable.
    #[must_use]
    pub fn new(diagnostic: Diagnostic) -> TemplateError {
        TemplateError { diagnostic: Box::new(diagnostic), undefined: None }
    }

    /// A failure without a place.
    pub(super) fn plain(message: impl Into<String>) -> TemplateError {
        TemplateError::new(Diagnostic::error(code::TEMPLATE_FAILED, message))
    }

    /// A failure of an evaluation at a place.
    pub(super) fn at(span: Span, message: impl Into<String>) -> TemplateError {
        TemplateError::new(Diagnostic::error(code::TEMPLATE_FAILED, message).at(span))
    }

    /// An undefined variable.
    pub(super) fn undefined(name: impl Into<String>, diagnostic: Diagnostic) -> TemplateError {
        TemplateError { diagnostic: Box::new(diagnostic), undefined: Some(name.into()) }
    }

    /// Adds a place that led to the failure, unless there are enough already.
    pub(super) fn via(mut self, span: Span, text: impl Into<String>) -> TemplateError {
        let labels = &mut self.diagnostic.labels;
        if labels.len() < 4 && !labels.iter().any(|(place, _)| *place == span) {
            labels.push((span, text.into()));
        }
        self
    }

    /// The error as one of minijinja's, to pass through an evaluation.
    pub(super) fn into_jinja(self) -> Error {
        let kind =
            if self.undefined.is_some() { ErrorKind::UndefinedError } else { ErrorKind::InvalidOperation };
        Error::new(kind, self.diagnostic.message.clone()).with_source(self)
    }

    /// The error that one of minijinja's carries.
    pub(super) fn carried_by(error: &Error) -> Option<TemplateError> {
        let mut next = std::error::Error::source(error);
        while let Some(source) = next {
            if let Some(found) = source.downcast_ref::<TemplateError>() {
                return Some(found.clone());
            }
            next = source.source();
        }
        None
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for TemplateError {}
