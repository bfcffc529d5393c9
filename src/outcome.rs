//! What a module returns, and the files it may be given: shared by the modules, the wire and the engine.

use serde::{Deserialize, Serialize};

use crate::value::{Map, Str, Value};

/// What a module returns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether something was changed, or would be in check mode.
    pub changed: bool,
    /// Whether it failed.
    pub failed: bool,
    /// Whether nothing was to be done here at all.
    pub skipped: bool,
    /// Everything else, by the names that Ansible documents: `msg`, `rc`, `stdout` …
    pub fields: Map,
    /// Facts for the host (`ansible_facts`).
    pub facts: Map,
    /// Before and after, if asked for.
    pub diff: Vec<Diff>,
    /// Shown to the user.
    pub warnings: Vec<String>,
}

/// Before and after of one thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Diff {
    /// What the old side is called.
    pub before_header: String,
    /// What the new side is called.
    pub after_header: String,
    /// The old side; text, or a mapping of attributes.
    pub before: Value,
    /// The new side.
    pub after: Value,
    /// A ready-made text instead of the two sides (`prepared`).
    pub prepared: Option<String>,
}

impl Outcome {
    /// Nothing had to be changed.
    #[must_use]
    pub fn unchanged() -> Outcome {
        Outcome::default()
    }

    /// Something was changed.
    #[must_use]
    pub fn changed() -> Outcome {
        Outcome { changed: true, ..Outcome::default() }
    }

    /// With one more returned field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Outcome {
        self.fields.insert(Str::from(name), value.into());
        self
    }

    /// With where the old contents are kept, if they are.
    #[must_use]
    pub fn with_backup(self, kept: Option<std::path::PathBuf>) -> Outcome {
        match kept {
            Some(path) => self.with("backup_file", path.to_string_lossy().into_owned()),
            None => self,
        }
    }

    /// With a warning for the user.
    #[must_use]
    pub fn warn(mut self, text: impl Into<String>) -> Outcome {
        self.warnings.push(text.into());
        self
    }
}

/// A file of the controller, offered to a call. The worker asks for contents only when it needs them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// What the module calls it: a relative path, empty for a single file.
    pub name: String,
    /// What it is.
    pub kind: BlobKind,
    /// Its permission bits on the controller.
    pub mode: u32,
}

/// What a [`Blob`] is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BlobKind {
    /// A file with contents.
    File {
        /// Bytes.
        size: u64,
        /// SHA-1 of the contents in hex, as Ansible's `checksum`.
        sha1: String,
    },
    /// A folder.
    Directory,
    /// A symbolic link and what it points to.
    Symlink(String),
}
