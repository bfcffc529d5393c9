//! The codes of this layer's messages. `diag::CODES` explains them.

/// A keyword that is not known.
pub const KEYWORD: &str = "R101";
/// A keyword in a place where it means nothing.
pub const PLACE: &str = "R102";
/// A value that a keyword can't have.
pub const VALUE: &str = "R103";
/// A play, task or file of the wrong form.
pub const FORM: &str = "R104";
/// A task without a module, or with several.
pub const ACTION: &str = "R105";
/// A module that is not known.
pub const MODULE: &str = "R106";
/// Arguments that can't be read, or that the module does not take.
pub const ARGUMENT: &str = "R107";
/// A name that no variable can have.
pub const NAME: &str = "R108";
/// A handler that is not there.
pub const HANDLER: &str = "R109";
/// Something that is accepted and does nothing.
pub const IGNORED: &str = "R110";
/// A module in Python.
pub const PYTHON: &str = "R111";
/// A playbook, task file or file to send that is not there.
pub const FILE: &str = "R121";
/// A role that is not there.
pub const ROLE: &str = "R122";
/// Files or roles that lead back to themselves.
pub const LOOP: &str = "R123";
