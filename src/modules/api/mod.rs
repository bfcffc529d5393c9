//! What a module is written against: read this page first.
//!
//! A module is an argument struct that implements [`Module`]. `plan` looks at the host and says what must change,
//! `apply` changes it. `plan` gets a [`Look`], which can't change anything, so check mode can't lie. Nothing here
//! knows of ssh, playbooks or templates.

mod args;
mod attributes;
mod cmd;
mod diff;
mod edit;
mod entry;
mod fail;
#[cfg(all(test, feature = "controller"))]
#[expect(clippy::unwrap_used, clippy::panic, reason = "a tool of the tests")]
pub mod fake;
mod glob;
mod links;
mod look;
#[cfg(feature = "controller")]
mod manual;
mod mode;
mod real;
mod time;
mod touch;
mod words;

pub use args::{ArgError, HostPath, Others, decode, decode_value, expand, names};
#[cfg(feature = "controller")]
pub use args::{ArgumentDoc, Choice, arguments};
pub use attributes::{AttributePlan, FileAttributes, attribute_flags, describe, octal};
pub use cmd::{Cmd, Ran};
pub use diff::{DIFF_LIMIT, text_diff};
pub use edit::{Edit, read_to_edit, to_bytes, to_text};
pub use entry::{Control, Entry, Execution, Module, Support};
pub use fail::{Context, Fail};
pub use glob::{glob, matches};
pub use links::follow_links;
pub use look::{FileKind, Group, Look, Stat, User};
#[cfg(feature = "controller")]
pub use manual::Manual;
pub use mode::Mode;
pub use real::{Controller, RealHost, digest_of};
pub use time::{from_date, timestamp};
pub use touch::{Touch, Write};
pub use words::{next_word, split_words};

pub use crate::outcome::{Blob, BlobKind, Diff, Outcome};
pub use crate::value::{Map, Path, Step, Str, Value};
