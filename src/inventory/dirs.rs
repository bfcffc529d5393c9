//! `group_vars` and `host_vars` beside inventories and playbooks: found by one listing, read once, when needed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use indexmap::IndexMap;

use super::graph::VarLayer;
use crate::diag::{Diagnostic, Sources, code};
use crate::template::Binding;
use crate::value::Str;
use crate::vault::{self, Keyring};

/// The endings of files with variables, the first wins.
const ENDINGS: [&str; 3] = [".yml", ".yaml", ".json"];

/// Whose variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Group,
    Host,
}

/// What stands for one name.
type Loaded = Option<Arc<VarLayer>>;

/// A folder that may have `group_vars` and `host_vars` in it.
#[derive(Debug)]
pub(super) struct VarDir {
    pub path: PathBuf,
    groups: OnceLock<HashMap<String, PathBuf>>,
    hosts: OnceLock<HashMap<String, PathBuf>>,
    loaded: Mutex<HashMap<(Kind, Str), Loaded>>,
}

impl VarDir {
    pub(super) fn new(path: PathBuf) -> VarDir {
        VarDir { path, groups: OnceLock::new(), hosts: OnceLock::new(), loaded: Mutex::default() }
    }

    /// The variables for a group or host; what is wrong with them is added to `problems` the first time.
    pub(super) fn load(
        &self,
        kind: Kind,
        name: &Str,
        sources: &Sources,
        keyring: &Keyring,
        problems: &mut Vec<Diagnostic>,
    ) -> Loaded {
        let listing = match kind {
            Kind::Group => self.groups.get_or_init(|| list(&self.path.join("group_vars"))),
            Kind::Host => self.hosts.get_or_init(|| list(&self.path.join("host_vars"))),
        };
        let path = listing.get(&**name)?;
        let key = (kind, name.clone());
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.entry(key).or_insert_with(|| read(path, sources, keyring, problems)).clone()
    }
}

/// The files and folders of a folder by the name they are for. A folder or file without an ending comes first.
fn list(folder: &Path) -> HashMap<String, PathBuf> {
    let mut found: HashMap<String, (usize, PathBuf)> = HashMap::new();
    let mut add = |name: &str, rank: usize, path: &Path| {
        let entry = found.entry(name.to_owned()).or_insert_with(|| (rank, path.to_owned()));
        if rank < entry.0 {
            *entry = (rank, path.to_owned());
        }
    };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Some(name) = path.file_name().and_then(|it| it.to_str()) else { continue };
        add(name, 0, &path);
        for (rank, ending) in ENDINGS.iter().enumerate() {
            if let Some(stem) = name.strip_suffix(ending) {
                add(stem, rank + 1, &path);
            }
        }
    }
    found.into_iter().map(|(name, (_, path))| (name, path)).collect()
}

fn read(path: &Path, sources: &Sources, keyring: &Keyring, problems: &mut Vec<Diagnostic>) -> Loaded {
    let mut files = Vec::new();
    if path.is_dir() {
        files_in(path, &mut files);
    } else {
        files.push(path.to_owned());
    }
    let mut vars: IndexMap<Str, Binding> = IndexMap::new();
    for file in &files {
        let node = match vault::load(file, sources, keyring) {
            Ok((node, said)) => {
                problems.extend(said);
                node
            }
            Err(said) => {
                problems.extend(said);
                continue;
            }
        };
        match node.as_map() {
            Some(map) => {
                vars.extend(
                    map.iter().map(|(name, (_, value))| (name.clone(), Binding::Source(value.clone()))),
                );
            }
            None if node.is_null() => {}
            None => {
                let message = format!("the file of variables {} is not a mapping", file.display());
                let mistake = Diagnostic::error(code::VARIABLES_FILE, message).at(node.span);
                problems.push(mistake.help("write each variable as `name: value`"));
            }
        }
    }
    (!vars.is_empty()).then(|| Arc::new(VarLayer { origin: path.display().to_string().into(), vars }))
}

/// The files in a folder and the folders below it, sorted; hidden ones, backups and other endings are left out.
fn files_in(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let ending = path.extension().map(|it| format!(".{}", it.to_string_lossy()));
        let is_plain = ending.is_none();
        if path.is_dir() && is_plain {
            files_in(&path, files);
        } else if path.is_file() && ending.is_none_or(|it| ENDINGS.contains(&it.as_str())) {
            files.push(path);
        }
    }
}
