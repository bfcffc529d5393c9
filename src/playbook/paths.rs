//! Paths as playbooks write them: `~`, `..`, relative to several folders.

use std::path::{Component, Path, PathBuf};

/// The path from the root, without `.` and `..`. Links are not followed: messages show what the user wrote.
pub(super) fn absolute(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut clean = PathBuf::new();
    for part in whole.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean
}

/// `dir/name`, where `name` may be absolute or start with `~`.
pub(super) fn join(dir: &Path, name: &str) -> PathBuf {
    if let Some(rest) = name.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'))
        && let Some(home) = std::env::home_dir()
    {
        return absolute(&home.join(rest.trim_start_matches('/')));
    }
    absolute(&dir.join(name))
}

/// The first of the folders that has `name`.
pub(super) fn find(dirs: &[PathBuf], name: &str) -> Option<PathBuf> {
    dirs.iter().map(|dir| join(dir, name)).find(|path| path.exists())
}

/// Folders for a message, one a line.
pub(super) fn list(dirs: &[PathBuf]) -> String {
    let shown: Vec<String> = dirs.iter().map(|dir| dir.display().to_string()).collect();
    shown.join(", ")
}

/// The folder of a collection (`namespace.name`).
pub(super) fn collection(name: &str, play_dir: &Path, searched: &[PathBuf]) -> Option<PathBuf> {
    let (namespace, short) = name.split_once('.')?;
    let inside = Path::new("ansible_collections").join(namespace).join(short);
    let beside = play_dir.join("collections");
    std::iter::once(&beside).chain(searched).map(|dir| dir.join(&inside)).find(|dir| dir.is_dir())
}

/// The file of a playbook in a collection: `namespace.collection.playbook`.
pub(super) fn playbook(name: &str, play_dir: &Path, searched: &[PathBuf]) -> Option<PathBuf> {
    let mut parts = name.splitn(3, '.');
    let (namespace, short, playbook) = (parts.next()?, parts.next()?, parts.next()?);
    let folder = collection(&format!("{namespace}.{short}"), play_dir, searched)?.join("playbooks");
    let endings = ["", ".yml", ".yaml"];
    endings.iter().map(|ending| folder.join(format!("{playbook}{ending}"))).find(|path| path.is_file())
}
