//! Collections: installed as `ansible_collections/NAMESPACE/NAME`, from what was built or from their sources.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::requirements::Requirement;
use super::{Target, fetch, is_plain, put};
use crate::cli::common::private_folder;
use crate::cli::terminal;
use crate::diag::Sources;
use crate::yaml::{self, Node};

/// What a collection says of itself.
struct Identity {
    namespace: String,
    name: String,
    version: String,
    /// Files that are not part of it.
    ignored: Vec<String>,
    dependencies: Vec<String>,
}

impl Identity {
    fn full(&self) -> String {
        format!("{}.{}", self.namespace, self.name)
    }
}

/// Installs a collection; a repository may hold several, each in a folder of its own.
pub(super) fn install(
    requirement: &Requirement,
    target: &Target<'_>,
    sources: &Sources,
) -> Result<(), String> {
    let fetched = fetch::fetch(requirement)?;
    let roots = roots(&fetched.folder);
    if roots.is_empty() {
        return Err("it holds no collection: there is no galaxy.yml or MANIFEST.json in it".into());
    }
    for root in roots {
        one(&root, target, sources)?;
    }
    Ok(())
}

fn roots(folder: &Path) -> Vec<PathBuf> {
    let is_collection =
        |dir: &Path| ["MANIFEST.json", "galaxy.yml"].iter().any(|file| dir.join(file).is_file());
    if is_collection(folder) {
        return vec![folder.to_path_buf()];
    }
    let mut below: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    below.sort();
    below.retain(|path| path.is_dir() && !path.is_symlink() && is_collection(path));
    below
}

fn one(root: &Path, target: &Target<'_>, sources: &Sources) -> Result<(), String> {
    let identity = identity(root, sources)?;
    let full = identity.full();
    if !is_plain(&identity.namespace) || !is_plain(&identity.name) {
        return Err(format!("`{full}` can't be the name of a collection"));
    }
    let all = target.folder.join("ansible_collections");
    let to = all.join(&identity.namespace).join(&identity.name);
    if to.exists() && !target.force {
        terminal::print(&format!("- {full} is already installed, skipping.\n"));
        return Ok(());
    }
    let staged =
        private_folder(&std::env::temp_dir()).map_err(|error| format!("can't make a folder: {error}"))?;
    let copy = staged.path().join("collection");
    let built = root.join("MANIFEST.json").is_file();
    let takes = |path: &Path| built || !ignored(path, &identity.ignored);
    fetch::copy_tree(root, &copy, &takes)?;
    if !built {
        manifest(&copy, &identity)?;
    }
    terminal::print(&format!("Installing '{full}:{}' to '{}'\n", identity.version, to.display()));
    put(&copy, &to)?;
    terminal::print(&format!("{full}:{} was installed successfully\n", identity.version));
    for needed in identity.dependencies.iter().filter(|_| target.dependencies) {
        let there = folder_of(target.folder, needed).is_some_and(|path| path.is_dir());
        if !there {
            terminal::complain(&format!("warning: {full} needs the collection `{needed}`: install it too\n"));
        }
    }
    Ok(())
}

fn identity(root: &Path, sources: &Sources) -> Result<Identity, String> {
    let (file, inner) = match root.join("MANIFEST.json") {
        path if path.is_file() => (path, Some("collection_info")),
        _ => (root.join("galaxy.yml"), None),
    };
    let unreadable = || format!("{} can't be read", file.display());
    let (node, _) = yaml::load(&file, sources).map_err(|_| unreadable())?;
    let node = match inner {
        Some(key) => node.get(key).cloned().ok_or_else(unreadable)?,
        None => node,
    };
    let text = |key: &str| node.get(key).filter(|it| !it.is_null()).map(|it| it.to_value().to_string());
    let needed = |key: &str| text(key).ok_or_else(|| format!("{} has no `{key}`", file.display()));
    let ignored = node.get("build_ignore").and_then(Node::as_seq).unwrap_or_default();
    let dependencies = node.get("dependencies").and_then(Node::as_map);
    Ok(Identity {
        namespace: needed("namespace")?,
        name: needed("name")?,
        version: text("version").unwrap_or_else(|| "*".into()),
        ignored: ignored.iter().filter_map(Node::as_str).map(str::to_owned).collect(),
        dependencies: dependencies.into_iter().flatten().map(|(name, _)| name.to_string()).collect(),
    })
}

/// What building a collection leaves out: the repository's own files, and what `build_ignore` names.
fn ignored(path: &Path, patterns: &[String]) -> bool {
    let (whole, name) = (path.to_string_lossy(), path.file_name().unwrap_or_default().to_string_lossy());
    matches!(&*name, ".git" | "__pycache__")
        || matches!(&*whole, "galaxy.yml" | "galaxy.yaml")
        || name.ends_with(".pyc")
        || name.ends_with(".retry")
        || patterns
            .iter()
            .filter_map(|it| glob::Pattern::new(it).ok())
            .any(|it| it.matches(&whole) || it.matches(&name))
}

/// `MANIFEST.json`, by which others know what is installed.
fn manifest(collection: &Path, identity: &Identity) -> Result<(), String> {
    let json = json!({
        "collection_info": {
            "namespace": identity.namespace,
            "name": identity.name,
            "version": identity.version,
            "dependencies": identity.dependencies.iter().map(|it| (it.clone(), json!("*"))).collect::<serde_json::Map<_, _>>(),
        },
        "format": 1,
    });
    let text = serde_json::to_string_pretty(&json).unwrap_or_default() + "\n";
    fetch::write_into(collection, "MANIFEST.json", &text)
}

/// The folder of an installed collection.
pub(super) fn folder_of(folder: &Path, name: &str) -> Option<PathBuf> {
    let (namespace, name) = name.split_once('.')?;
    let plain = is_plain(namespace) && is_plain(name);
    plain.then(|| folder.join("ansible_collections").join(namespace).join(name))
}

/// The collections of some folders with their versions.
pub(super) fn list(folders: &[PathBuf]) -> String {
    let inside = |dir: &Path| {
        let mut all: Vec<PathBuf> =
            fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        all.retain(|path| path.is_dir());
        all.sort();
        all
    };
    let mut out = String::new();
    for folder in folders.iter().map(|folder| folder.join("ansible_collections")).filter(|it| it.is_dir()) {
        out += &format!("\n# {}\nCollection                    Version\n", folder.display());
        out += "----------------------------- -------\n";
        for root in inside(&folder).iter().flat_map(|namespace| inside(namespace)) {
            if let Ok(identity) = identity(&root, &Sources::default()) {
                out += &format!("{:<29} {}\n", identity.full(), identity.version);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::requirements::{Kind, Requirement};
    use super::*;

    #[test]
    fn a_collection_is_installed_under_its_own_name() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("src");
        fs::create_dir_all(source.join("roles/r/tasks")).unwrap();
        fs::create_dir_all(source.join(".git")).unwrap();
        let galaxy = "namespace: ns\nname: col\nversion: 1.2.3\nbuild_ignore: [secret, '*.log']\ndependencies: {a.b: '*'}\n";
        for (name, text) in [
            ("galaxy.yml", galaxy),
            ("roles/r/tasks/main.yml", "[]"),
            ("secret", ""),
            ("x.log", ""),
            (".git/config", ""),
        ] {
            fs::write(source.join(name), text).unwrap();
        }
        let to = folder.path().join("to");
        let target = Target { folder: &to, force: false, dependencies: true };
        let requirement = Requirement::of_text(&source.display().to_string(), Kind::Collection).unwrap();
        install(&requirement, &target, &Sources::default()).unwrap();
        let root = folder_of(&to, "ns.col").unwrap();
        assert!(root.join("roles/r/tasks/main.yml").is_file() && root.join("MANIFEST.json").is_file());
        for absent in ["galaxy.yml", "secret", "x.log", ".git"] {
            assert!(!root.join(absent).exists(), "{absent}");
        }
        assert!(
            list(std::slice::from_ref(&to)).contains("ns.col                        1.2.3\n"),
            "{}",
            list(&[to])
        );
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("galaxy.yml"), "namespace: ..\nname: x\n").unwrap();
        let to = folder.path().join("to");
        let target = Target { folder: &to, force: false, dependencies: true };
        assert!(one(folder.path(), &target, &Sources::default()).unwrap_err().contains("can't be the name"));
        assert_eq!(folder_of(&to, "../x.y"), None);
    }
}
