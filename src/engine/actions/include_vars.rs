//! `include_vars`: variables from files, read on the controller while the run goes on.

use std::path::{Path, PathBuf};

use fancy_regex::Regex;

use crate::diag::{Diagnostic, code};
use crate::engine::args;
use crate::engine::result::{Effect, Once};
use crate::engine::task::HostTask;
use crate::event::Event;
use crate::outcome::Outcome;
use crate::template::{Binding, Scope, TemplateError};
use crate::value::{Map, Value};
use crate::vars::{Bindings, TaskScope};
use crate::vault;
use crate::yaml::{Kind, Node, NodeMap};

const EXTENSIONS: &[&str] = &["yaml", "yml", "json"];

/// Reads a file or a folder of files.
pub(super) fn run(task: &HostTask, scope: &TaskScope, args: &Map) -> Result<Once, TemplateError> {
    let file = ["file", "_raw_params"].into_iter().find_map(|name| args::text(args, name));
    let files = match (file, args::text(args, "dir")) {
        (Some(name), None) => vec![find(task, scope, &name)?],
        (None, Some(dir)) => in_folder(task, scope, args, &dir)?,
        (Some(_), Some(_)) => {
            return Err(super::at_action(task, "include_vars: `file` and `dir` exclude each other"));
        }
        (None, None) => return Err(super::at_action(task, "include_vars: no file is given")),
    };
    let (mut all, mut hidden) = (NodeMap::new(), false);
    for path in &files {
        let node = load(task, path)?;
        hidden |= task.shared.sources.is_hidden(node.span.file);
        match node.kind {
            Kind::Map(map) => all.extend(map.iter().map(|(key, entry)| (key.clone(), entry.clone()))),
            Kind::Null => {}
            _ => {
                let diagnostic =
                    Diagnostic::error(code::VARIABLES_FILE, "a file of variables must hold a mapping")
                        .at(node.span);
                return Err(TemplateError::new(diagnostic));
            }
        }
    }
    let mut shown: Map = all.iter().map(|(key, (_, node))| (key.clone(), node.to_value())).collect();
    let mut vars: Bindings =
        all.iter().map(|(key, (_, node))| (key.clone(), Binding::Source(node.clone()))).collect();
    if let Some(name) = args::text(args, "name") {
        let whole = Node::new(Kind::Map(all.into()), task.task.span);
        shown = Map::from_iter([(name.clone(), whole.to_value())]);
        vars = Bindings::from_iter([(name, Binding::Source(whole))]);
    }
    let mut once = Once::of(Outcome::unchanged());
    // The result holds all variables: those of a vault are not shown.
    once.no_log = hidden;
    once.fields.insert("ansible_facts".into(), Value::map(shown));
    let names = files.iter().map(|path| Value::from(path.to_string_lossy().into_owned()));
    once.fields.insert("ansible_included_var_files".into(), names.collect());
    once.effects.push(Effect::IncludeVars(vars));
    Ok(once)
}

fn load(task: &HostTask, path: &Path) -> Result<Node, TemplateError> {
    match vault::load(path, &task.shared.sources, task.shared.templates.keyring()) {
        Ok((node, warnings)) => {
            for warning in warnings {
                task.shared.report(Event::Message(warning));
            }
            Ok(node)
        }
        Err(mut problems) if !problems.is_empty() => Err(TemplateError::new(problems.swap_remove(0))),
        Err(_) => Err(super::at_action(task, format!("can't read {}", path.display()))),
    }
}

/// A file, searched in `vars/` of the role and beside the task and the playbook.
fn find(task: &HostTask, scope: &TaskScope, name: &str) -> Result<PathBuf, TemplateError> {
    let given = Path::new(name);
    let candidates: Vec<PathBuf> = if given.is_absolute() {
        vec![given.to_path_buf()]
    } else {
        scope.search_path().iter().flat_map(|dir| [dir.join("vars").join(name), dir.join(name)]).collect()
    };
    candidates.iter().find(|path| path.is_file()).cloned().ok_or_else(|| {
        let mut error =
            super::at_argument(task, "_raw_params", format!("include_vars: there is no file `{name}`"));
        error.diagnostic.notes.extend(candidates.iter().map(|path| format!("looked for {}", path.display())));
        error
    })
}

/// The files of a folder in order of their names, subfolders to the depth that is allowed.
fn in_folder(
    task: &HostTask,
    scope: &TaskScope,
    args: &Map,
    dir: &str,
) -> Result<Vec<PathBuf>, TemplateError> {
    let given = Path::new(dir);
    let base = if given.is_absolute() {
        given.to_path_buf()
    } else {
        let near = scope.search_path().iter().flat_map(|base| [base.join("vars").join(dir), base.join(dir)]);
        near.into_iter().find(|path| path.is_dir()).unwrap_or_else(|| given.to_path_buf())
    };
    if !base.is_dir() {
        return Err(super::at_argument(task, "dir", format!("include_vars: there is no folder `{dir}`")));
    }
    let depth =
        args::text(args, "depth").and_then(|text| text.parse::<usize>().ok()).filter(|depth| *depth > 0);
    let matching = args::text(args, "files_matching").map(|text| Regex::new(&text)).transpose();
    let matching = matching.map_err(|why| super::at_argument(task, "files_matching", why.to_string()))?;
    let ignored = super::words(args, "ignore_files");
    let extensions = super::words(args, "extensions");
    let takes = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        let known = if extensions.is_empty() {
            EXTENSIONS.contains(&extension.as_str())
        } else {
            extensions.iter().any(|known| known.trim_start_matches('.') == extension)
        };
        known
            && !ignored.contains(&name)
            && matching.as_ref().is_none_or(|regex| regex.is_match(&name).unwrap_or(false))
    };
    let mut files = Vec::new();
    walk(&base, depth.unwrap_or(usize::MAX), &takes, &mut files);
    Ok(files)
}

fn walk(dir: &Path, depth: usize, takes: &dyn Fn(&Path) -> bool, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).collect();
    entries.sort();
    let (folders, plain): (Vec<_>, Vec<_>) = entries.into_iter().partition(|path| path.is_dir());
    files.extend(plain.into_iter().filter(|path| takes(path)));
    if depth > 1 {
        for folder in folders {
            walk(&folder, depth - 1, takes, files);
        }
    }
}
