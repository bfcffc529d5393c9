//! Where a role is: beside the playbook, on `roles_path`, beside the role that uses it, in a collection.

use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, code};
use crate::playbook::loader::Loader;
use crate::playbook::reader::Scene;
use crate::playbook::{Common, paths};
use crate::value::Str;

use super::Use;

/// A role's folder.
pub(super) struct Found {
    /// Its name without a path.
    pub name: Str,
    /// The folder.
    pub path: PathBuf,
    /// The collection it belongs to.
    pub collection: Option<Str>,
}

/// Finds the folder of a role.
pub(super) fn find(
    using: &Use,
    common: &Common,
    scene: &Scene,
    loader: &Loader,
) -> Result<Found, Box<Diagnostic>> {
    let name = &*using.name;
    if let Some(found) = in_collections(name, common, scene, loader) {
        return Ok(found);
    }
    let dirs = folders(scene, loader);
    let mut candidates: Vec<PathBuf> = dirs.iter().map(|dir| paths::join(dir, name)).collect();
    candidates.push(paths::join(&scene.dir, name));
    // An empty name would find the folder of roles itself.
    if let Some(path) = candidates.into_iter().find(|path| !name.is_empty() && path.is_dir()) {
        let short = path.file_name().unwrap_or_default().to_string_lossy();
        return Ok(Found {
            name: if name.contains('/') { short.into() } else { name.into() },
            path,
            collection: None,
        });
    }
    let names: Vec<String> = dirs.iter().filter(|dir| is_roles(dir)).flat_map(|dir| names_in(dir)).collect();
    let missing = Diagnostic::error(code::MISSING_ROLE, format!("there is no role `{name}`")).at(using.span);
    let missing = missing.note(format!("looked in {}", paths::list(&dirs)));
    Err(Box::new(missing.suggest(name, names.iter().map(String::as_str))))
}

fn is_roles(dir: &Path) -> bool {
    dir.file_name().is_some_and(|name| name == "roles")
}

/// The folders that are searched, in order.
fn folders(scene: &Scene, loader: &Loader) -> Vec<PathBuf> {
    let mut dirs = vec![scene.play_dir.join("roles")];
    dirs.extend(loader.playbook_dir().map(|dir| dir.join("roles")));
    dirs.extend(loader.options.roles_path.iter().cloned());
    if let Some(role) = &scene.role {
        dirs.push(role.path.join("roles"));
        let users = std::iter::once(&role.path).chain(role.parent_paths.iter().rev());
        dirs.extend(users.filter_map(|path| path.parent().map(Path::to_path_buf)));
    }
    dirs.push(scene.play_dir.clone());
    let mut seen: Vec<PathBuf> = Vec::new();
    for dir in dirs {
        if !seen.contains(&dir) {
            seen.push(dir);
        }
    }
    seen
}

fn in_collections(name: &str, common: &Common, scene: &Scene, loader: &Loader) -> Option<Found> {
    let full = |collection: &str, role: &str| -> Option<Found> {
        let dir = paths::collection(collection, &scene.play_dir, &loader.options.collections_path)?;
        let path = dir.join("roles").join(role.replace('.', "/"));
        path.is_dir().then(|| Found { name: role.into(), path, collection: Some(collection.into()) })
    };
    if let Some((collection, role)) = split(name) {
        return full(collection, role);
    }
    common.collections.iter().find_map(|collection| full(collection, name))
}

/// `namespace.collection` and the name inside of it.
fn split(name: &str) -> Option<(&str, &str)> {
    let first = name.find('.')?;
    let second = first + 1 + name.get(first + 1..)?.find('.')?;
    let good = !name.contains('/') && first > 0 && second > first + 1 && second + 1 < name.len();
    good.then(|| (&name[..second], &name[second + 1..]))
}

fn names_in(dir: &Path) -> Vec<String> {
    let entries =
        std::fs::read_dir(dir).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir());
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
