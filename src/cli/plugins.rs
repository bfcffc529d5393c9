//! Which plugins lie beside the playbooks and in their roles, and which of them can't be used.

use std::path::{Path, PathBuf};

use super::settings::Settings;
use crate::diag::{Diagnostic, code};
use crate::template::Plugins;

/// Kinds of plugins that change how a run goes or what it shows: not even their names stand in playbooks.
const UNSEEN: [&str; 4] = ["callback_plugins", "vars_plugins", "strategy_plugins", "connection_plugins"];

/// Finds the filters that users bring along. What is written in Python and would be missed silently is a warning.
pub(super) fn find(playbooks: &[PathBuf], settings: &Settings, problems: &mut Vec<Diagnostic>) -> Plugins {
    let mut folders: Vec<PathBuf> = Vec::new();
    for playbook in playbooks {
        let folder = playbook.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folders.iter().any(|known| known == folder) {
            folders.push(folder.to_path_buf());
        }
    }
    for folder in &folders {
        for path in UNSEEN.iter().flat_map(|kind| entries(&folder.join(kind))) {
            if path.extension().is_some_and(|ending| ending == "py") {
                let message = format!("{} is a plugin in Python, which is not run", path.display());
                problems.push(Diagnostic::warning(code::PYTHON_PLUGIN, message));
            }
        }
    }
    let roles = folders.iter().map(|folder| folder.join("roles")).chain(settings.roles_path.iter().cloned());
    let roles: Vec<PathBuf> = roles.flat_map(|folder| entries(&folder)).collect();
    folders.extend(roles);
    Plugins::find(&folders, &settings.filter_plugins)
}

/// What is in a folder, by name; nothing if it is not there.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = found.map(|entry| entry.path()).collect();
    found.sort();
    found
}
