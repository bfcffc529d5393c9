//! What the name of a module stands for: something built into the language, a module of the registry, or an executable
//! in a `library/` folder.

use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Span, code};
use crate::modules;
use crate::value::Str;

use super::Action;
use super::loader::Loader;
use super::paths;
use super::reader::Scene;

/// What a task calls.
pub(super) enum Target {
    /// A module.
    Module(Action),
    /// `meta`.
    Meta,
    /// `include_tasks`.
    IncludeTasks,
    /// `import_tasks`.
    ImportTasks,
    /// `include_role`.
    IncludeRole,
    /// `import_role`.
    ImportRole,
    /// Something that tasks can't do, and what to do instead.
    Misplaced(&'static str),
    /// A template.
    Templated(crate::yaml::Node),
}

/// What is neither in the registry nor in a library, but part of the language.
const BUILT_IN: &[&str] = &["meta", "include_tasks", "import_tasks", "include_role", "import_role"];

/// Modules whose text is a command line.
const COMMANDS: &[&str] = &["command", "shell", "raw", "script"];

impl Target {
    /// The argument that takes free text.
    pub(super) fn free_form(&self) -> Option<&'static str> {
        match self {
            Target::Module(Action::Module(entry)) => entry.free_form,
            Target::IncludeTasks | Target::ImportTasks => Some("file"),
            Target::Meta | Target::Templated(_) | Target::Misplaced(_) => Some("_raw_params"),
            Target::Module(_) | Target::IncludeRole | Target::ImportRole => None,
        }
    }

    /// Whether the text is a command line, of which only a few `key=value` words are arguments.
    pub(super) fn is_command(&self) -> bool {
        matches!(self, Target::Module(Action::Module(entry)) if COMMANDS.contains(&entry.name))
    }
}

/// The name without the collection that everything built in belongs to.
pub(super) fn short(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name)
}

/// Names for suggestions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let registered = modules::ALL
        .iter()
        .flat_map(|entry| std::iter::once(entry.name).chain(entry.aliases.iter().copied()));
    registered.chain(BUILT_IN.iter().copied())
}

/// What a name stands for, where the collections of these names are searched, too. An error is what else is worth saying about a name that stands for nothing.
pub(super) fn module(
    name: &str,
    searched: &[Str],
    scene: &Scene,
    loader: &Loader,
) -> Result<Target, Vec<String>> {
    match short(name) {
        "meta" => return Ok(Target::Meta),
        "include_tasks" => return Ok(Target::IncludeTasks),
        "import_tasks" => return Ok(Target::ImportTasks),
        "include_role" => return Ok(Target::IncludeRole),
        "import_role" => return Ok(Target::ImportRole),
        "import_playbook" => {
            return Ok(Target::Misplaced(
                "`import_playbook` stands at the top level of a playbook, beside plays",
            ));
        }
        "include" => {
            return Ok(Target::Misplaced(
                "`include` was removed: write `include_tasks` to include when it runs, `import_tasks` to bring the \
                 tasks in before the run",
            ));
        }
        _ => {}
    }
    let own = library(name, searched, scene, loader);
    let known = modules::find(name);
    match (own, known) {
        // A module in Python shadows ours in Ansible; here the built-in one does its work without Python.
        (Some(path), Some(entry)) if is_python(&path) => Ok(Target::Module(Action::Module(entry))),
        (Some(path), _) => Ok(Target::Module(Action::Custom(path))),
        (None, Some(entry)) => Ok(Target::Module(Action::Module(entry))),
        (None, None) => Err(notes(name, scene)),
    }
}

fn notes(name: &str, scene: &Scene) -> Vec<String> {
    let plugin = format!("action_plugins/{}.py", short(name));
    let mut dirs = vec![scene.play_dir.clone()];
    dirs.extend(scene.role.iter().map(|role| role.path.clone()));
    if let Some(dir) = dirs.iter().find(|dir| dir.join(&plugin).is_file()) {
        let path = dir.join(&plugin);
        return vec![format!("{} is an action plugin in Python, which can't be used here", path.display())];
    }
    if short(name).rsplit('.').next().is_some_and(|last| last.starts_with("win_")) {
        return vec!["hosts with Windows can't be managed".into()];
    }
    Vec::new()
}

/// The executable of a module in one of the `library/` folders, or in a collection.
fn library(name: &str, searched: &[Str], scene: &Scene, loader: &Loader) -> Option<PathBuf> {
    let name = short(name);
    if name.contains('/') {
        return None;
    }
    let of_collection = |collection: &str| {
        let dir = paths::collection(collection, &scene.play_dir, &loader.options.collections_path)?;
        Some(dir.join("plugins/modules"))
    };
    if let Some((collection, name)) = name.rsplit_once('.') {
        return in_folders(&[of_collection(collection)?], name);
    }
    let mut dirs: Vec<PathBuf> = Vec::new();
    dirs.extend(scene.role.as_ref().and_then(|role| of_collection(role.collection.as_deref()?)));
    if let Some(role) = &scene.role {
        dirs.push(role.path.join("library"));
        dirs.extend(role.parent_paths.iter().rev().map(|path| path.join("library")));
    }
    dirs.push(scene.play_dir.join("library"));
    dirs.extend(loader.playbook_dir().map(|dir| dir.join("library")));
    dirs.extend(loader.options.library.iter().cloned());
    dirs.extend(loader.libraries());
    dirs.extend(searched.iter().filter_map(|collection| of_collection(collection)));
    in_folders(&dirs, name)
}

/// The first file of a name with one of the endings that executables have.
fn in_folders(dirs: &[PathBuf], name: &str) -> Option<PathBuf> {
    const ENDINGS: [&str; 8] = ["", ".sh", ".py", ".bash", ".pl", ".rb", ".js", ".lua"];
    dirs.iter()
        .flat_map(|dir| ENDINGS.map(|ending| dir.join(format!("{name}{ending}"))))
        .find(|path| path.is_file())
}

fn is_python(path: &Path) -> bool {
    if path.extension().is_some_and(|ending| ending == "py") {
        return true;
    }
    let mut start = [0; 64];
    let read = std::fs::File::open(path)
        .and_then(|mut file| std::io::Read::read(&mut file, &mut start))
        .unwrap_or(0);
    let first = start.get(..read).unwrap_or_default().split(|byte| *byte == b'\n').next().unwrap_or_default();
    first.starts_with(b"#!") && first.windows(6).any(|part| part == b"python")
}

/// What is to be said about a module in Python: one that is made of Ansible's own parts can't run at all, any other
/// needs Python on the host.
pub(super) fn python(path: &Path, span: Span) -> Option<Diagnostic> {
    if !is_python(path) {
        return None;
    }
    let (name, text) = (path.display(), std::fs::read_to_string(path).unwrap_or_default());
    if text.contains("ansible.module_utils") || text.contains("AnsibleModule") {
        let message = format!("{name} is a module in Python that needs Ansible's own code, and can't be run");
        let help =
            "make it a program that reads its arguments as JSON from standard input and prints a JSON object";
        return Some(Diagnostic::error(code::PYTHON_PLUGIN, message).at(span).help(help));
    }
    let message = format!("{name} is written in Python, so that the host needs it");
    Some(Diagnostic::warning(code::PYTHON_PLUGIN, message).at(span))
}
