//! What a module is written against: read this page first.
//!
//! A module is an argument struct that implements [`Module`]. `plan` looks at the host and says what must change,
//! `apply` changes it. `plan` gets a [`Look`], which can't change anything, so check mode can't lie. Nothing here
//! knows of ssh, playbooks or templates.

mod args;
mod cmd;
mod entry;
mod fail;
mod look;
mod touch;

pub use args::{ArgError, decode};
pub use cmd::{Cmd, Ran};
pub use entry::{Control, Entry, Execution, Module, Support};
pub use fail::{Context, Fail};
pub use look::{FileKind, Group, Look, Stat, User};
pub use touch::{Touch, Write};

pub use crate::outcome::{Blob, BlobKind, Diff, Outcome};
pub use crate::value::{Map, Path, Step, Str, Value};
