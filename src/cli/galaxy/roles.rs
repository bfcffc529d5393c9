//! Roles: installed under their names in a folder of roles, with what they depend on.

use std::fs;
use std::path::{Path, PathBuf};

use super::requirements::{self, Kind, Origin, Requirement};
use super::{Target, fetch, is_plain, put};
use crate::cli::common::private_folder;
use crate::cli::terminal;
use crate::diag::Sources;
use crate::yaml::{self, Node};

/// Where an installed role says what it is.
const NOTE: &str = "meta/.galaxy_install_info";

/// Installs a role. `done`: names of this run, so that circles end.
pub(super) fn install(
    requirement: &Requirement,
    target: &Target<'_>,
    done: &mut Vec<String>,
    sources: &Sources,
) -> Result<(), String> {
    let name = requirement.name.clone().unwrap_or_else(|| name_of(&requirement.origin));
    if !is_plain(&name) {
        return Err(format!("`{name}` can't be the name of a role"));
    }
    if done.contains(&name) {
        return Ok(());
    }
    done.push(name.clone());
    let to = target.folder.join(&name);
    if to.exists() && !target.force {
        terminal::print(&format!("- {name} is already installed, skipping.\n"));
        return Ok(());
    }
    let fetched = fetch::fetch(requirement)?;
    let root =
        root(&fetched.folder).ok_or("it holds no role: there is no meta/main.yml or tasks/main.yml in it")?;
    terminal::print(&format!("- extracting {name} to {}\n", to.display()));
    let staged =
        private_folder(&std::env::temp_dir()).map_err(|error| format!("can't make a folder: {error}"))?;
    let copy = staged.path().join("role");
    fetch::copy_tree(&root, &copy, &|path| path != Path::new(".git"))?;
    note(&copy, &fetched.version)?;
    put(&copy, &to)?;
    let version = if fetched.version.is_empty() { String::new() } else { format!(" ({})", fetched.version) };
    terminal::print(&format!("- {name}{version} was installed successfully\n"));
    if target.dependencies {
        depend(&to, target, done, sources)?;
    }
    Ok(())
}

/// The last part of an address or path, without what archives and repositories end in.
fn name_of(origin: &Origin) -> String {
    let whole = match origin {
        Origin::Git { folder: Some(folder), .. } => folder.clone(),
        Origin::Git { address, .. } | Origin::Url(address) => address.clone(),
        Origin::Path(path) => path.display().to_string(),
    };
    let last = whole.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
    let endings = [".git", ".tar.gz", ".tgz", ".tar"];
    endings.iter().find_map(|ending| last.strip_suffix(ending)).unwrap_or(last).to_owned()
}

/// The folder of the role: the one itself, or the nearest one below with `meta/main.yml`.
fn root(folder: &Path) -> Option<PathBuf> {
    let is_role = |dir: &Path| {
        ["meta/main.yml", "meta/main.yaml", "tasks/main.yml", "tasks/main.yaml"]
            .iter()
            .any(|file| dir.join(file).is_file())
    };
    if is_role(folder) {
        return Some(folder.to_path_buf());
    }
    let mut below: Vec<PathBuf> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    below.sort();
    below.into_iter().find(|path| path.is_dir() && !path.is_symlink() && is_role(path))
}

fn note(role: &Path, version: &str) -> Result<(), String> {
    let date = jiff::Zoned::now()
        .with_time_zone(jiff::tz::TimeZone::UTC)
        .strftime("%a %d %b %Y %H:%M:%S %p")
        .to_string();
    let text = format!("install_date: {date}\nversion: {}\n", serde_json::Value::from(version));
    fetch::write_into(role, NOTE, &text)
}

/// Installs what the role's meta says it needs, as far as it says where that is.
fn depend(role: &Path, target: &Target<'_>, done: &mut Vec<String>, sources: &Sources) -> Result<(), String> {
    let mut needed: Vec<Node> = Vec::new();
    let lists = [
        ("meta/requirements.yml", None),
        ("meta/main.yml", Some("dependencies")),
        ("meta/main.yaml", Some("dependencies")),
    ];
    for (file, key) in lists {
        let path = role.join(file);
        if !path.is_file() {
            continue;
        }
        let Ok((node, _)) = yaml::load(&path, sources) else {
            return Err(format!("{} can't be read", path.display()));
        };
        let list = match key {
            Some(key) => node.get(key).cloned(),
            None => node.get("roles").cloned().or(Some(node)),
        };
        needed.extend(list.as_ref().and_then(Node::as_seq).unwrap_or_default().iter().cloned());
    }
    for node in &needed {
        let named = ["role", "name", "src"].iter().find_map(|key| node.get(key)).unwrap_or(node);
        let name = named.as_str().unwrap_or_default();
        if target.folder.join(name).is_dir() && is_plain(name) {
            continue;
        }
        match requirements::role(node, role) {
            Ok(requirement) if requirement.kind == Kind::Role => {
                // A role's own dependencies may be there already; only what was asked for is replaced.
                let target = Target { force: false, ..*target };
                install(&requirement, &target, done, sources)?;
            }
            _ => terminal::complain(&format!(
                "warning: {} needs the role `{name}`, and does not say where it is\n",
                role.display()
            )),
        }
    }
    Ok(())
}

/// The folder of an installed role.
pub(super) fn folder_of(folder: &Path, name: &str) -> Option<PathBuf> {
    is_plain(name).then(|| folder.join(name))
}

/// The roles of some folders with their versions.
pub(super) fn list(folders: &[PathBuf]) -> String {
    let mut out = String::new();
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        out += &format!("# {}\n", folder.display());
        let mut names: Vec<PathBuf> =
            fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        names.sort();
        for path in names.iter().filter(|path| root(path).as_ref() == Some(path)) {
            let version = fs::read_to_string(path.join(NOTE)).ok().and_then(|text| {
                let line = text.lines().find_map(|line| line.strip_prefix("version: ").map(str::to_owned))?;
                Some(line.trim_matches('"').to_owned()).filter(|version| !version.is_empty())
            });
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            out += &format!("- {name}, {}\n", version.as_deref().unwrap_or("(unknown version)"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_and_what_it_needs_are_installed_once() {
        let folder = tempfile::tempdir().unwrap();
        let source = |name: &str, meta: &str| {
            let dir = folder.path().join("src").join(name);
            fs::create_dir_all(dir.join("meta")).unwrap();
            fs::write(dir.join("meta/main.yml"), meta).unwrap();
            dir.display().to_string()
        };
        let two = source("two", "dependencies: []\n");
        let one = source(
            "one",
            &format!("dependencies:\n- {{src: {two}, name: deux}}\n- {{role: unknown.role}}\n"),
        );
        let to = folder.path().join("roles");
        let target = Target { folder: &to, force: false, dependencies: true };
        let sources = Sources::default();
        let requirement = Requirement::of_text(&one, Kind::Role).unwrap();
        install(&requirement, &target, &mut Vec::new(), &sources).unwrap();
        assert!(to.join("one/meta/main.yml").is_file() && to.join("deux/meta/main.yml").is_file());
        assert!(
            list(std::slice::from_ref(&to)).contains("- deux, (unknown version)\n- one, (unknown version)\n")
        );

        fs::write(to.join("one/mine"), "").unwrap();
        install(&requirement, &target, &mut Vec::new(), &sources).unwrap();
        assert!(to.join("one/mine").exists());
        let force = Target { force: true, ..target };
        install(&requirement, &force, &mut Vec::new(), &sources).unwrap();
        assert!(!to.join("one/mine").exists());
    }

    #[test]
    fn names_come_from_addresses() {
        for (origin, name) in [
            (Origin::Git { address: "https://h/o/role.git".into(), folder: None }, "role"),
            (Origin::Git { address: "git@h:role.git".into(), folder: None }, "role"),
            (Origin::Url("https://h/role.tar.gz".into()), "role"),
            (Origin::Path("/a/role/".into()), "role"),
        ] {
            assert_eq!(name_of(&origin), name);
        }
        for bad in ["..", "a/b", "-x", ""] {
            assert!(!is_plain(bad), "{bad}");
        }
    }
}
