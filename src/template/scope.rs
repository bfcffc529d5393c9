//! What a template can see. `vars` implements it.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use crate::value::{Str, Value};
use crate::yaml::Node;

/// What a variable name stands for.
#[derive(Clone, Debug)]
pub enum Binding {
    /// Text from a file, rendered each time it is used, in the scope that uses it.
    Source(Node),
    /// Finished data, never templated.
    Data(Value),
    /// A mapping whose entries are looked up when they are used (`hostvars`, `vars`).
    Lazy(Arc<dyn LazyMap>),
}

/// A mapping of variables that is never built as a whole.
pub trait LazyMap: Send + Sync + Debug {
    /// What stands under a key.
    fn get(&self, key: &str) -> Option<Binding>;
    /// The keys, in order.
    fn keys(&self) -> Vec<Str>;
    /// The scope that its sources are rendered in; none: the one of the template that uses them.
    fn scope(&self) -> Option<Arc<dyn Scope>> {
        None
    }
}

/// The variables of one host at one task.
pub trait Scope: Send + Sync + Debug {
    /// What a name stands for.
    fn lookup(&self, name: &str) -> Option<Binding>;
    /// All names, sorted. Slow: for `varnames` and suggestions.
    fn names(&self) -> Vec<Str>;
    /// Folders that relative paths are searched in, nearest first (role, task file's folder, playbook). A lookup for
    /// `files/` tries `dir/files/name` and `dir/name` in each.
    fn search_path(&self) -> &[PathBuf];
    /// The playbook's folder.
    fn playbook_dir(&self) -> &Path;
}

/// Variables that are known without a host and its task.
#[derive(Debug)]
pub struct Known(pub IndexMap<Str, Binding>);

impl Scope for Known {
    fn lookup(&self, name: &str) -> Option<Binding> {
        self.0.get(name).cloned()
    }

    fn names(&self) -> Vec<Str> {
        let mut names: Vec<Str> = self.0.keys().cloned().collect();
        names.sort();
        names
    }

    fn search_path(&self) -> &[PathBuf] {
        &[]
    }

    fn playbook_dir(&self) -> &Path {
        Path::new("")
    }
}
