//! Whether the files that tasks send or read on this machine are there.

use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Span, code};
use crate::modules::api::{Entry, Execution};
use crate::playbook::inherit::items;
use crate::playbook::{Action, Common, Play, Task, paths};

use super::{Checker, Sure, literal, may_be_true};

/// Which argument of a module names a file here, and the folder of a role that it stands in.
fn source(name: &str) -> Option<(&'static str, &'static str)> {
    match name {
        "copy" | "unarchive" => Some(("src", "files")),
        "template" => Some(("src", "templates")),
        "script" => Some(("cmd", "files")),
        "include_vars" => Some(("file", "vars")),
        _ => None,
    }
}

/// Whether a task may write files on this machine.
pub(super) fn writes_here(task: &Task, play: &Play) -> bool {
    let here = |text: Option<&str>| matches!(text, Some("localhost" | "127.0.0.1"));
    let local_play = || items(&play.hosts).iter().any(|node| here(node.as_str()) || node.has_template());
    match &task.action {
        Action::Module(entry) if entry.execution == Execution::Controller => false,
        Action::Module(entry) if entry.name == "fetch" => true,
        Action::Meta(_) | Action::IncludeTasks | Action::IncludeRole => false,
        _ => on_this_machine(&task.common) || local_play(),
    }
}

fn on_this_machine(common: &Common) -> bool {
    let delegated = common
        .delegate_to
        .as_ref()
        .is_some_and(|node| node.has_template() || matches!(node.as_str(), Some("localhost" | "127.0.0.1")));
    delegated || common.connection.as_ref().is_some_and(|node| node.as_str() == Some("local"))
}

impl Checker<'_> {
    pub(super) fn task_files(&mut self, task: &Task, entry: &Entry, sure: Sure) {
        let Some((argument, kind)) = source(entry.name) else { return };
        let named = &task.args.named;
        let elsewhere = ["remote_src", "content", "dir"].iter().any(|key| may_be_true(named, key));
        if elsewhere || named.contains_key("content") || task.args.whole.is_some() || copies_on_host(task) {
            return;
        }
        let key =
            [argument, entry.free_form.unwrap_or(argument)].into_iter().find(|key| named.contains_key(*key));
        let Some((key, text)) = key.and_then(|key| Some((key, literal(named, key)?))) else { return };
        let span = named.get(key).map_or(task.action_span, |(_, node)| node.span);
        let name = match entry.name {
            "script" => shlex::split(text).and_then(|words| words.first().cloned()).unwrap_or_default(),
            _ => text.to_owned(),
        };
        if name.contains("://") || name.is_empty() {
            return;
        }
        let dirs = self.folders(task, kind);
        match paths::find(&dirs, &name) {
            Some(path) if entry.name == "template" && plain_template(task) => {
                let since = self.found.len();
                if path.is_file() && self.rendered.insert(path.clone()) {
                    self.found.extend(self.templates.file(&path));
                }
                self.lower(since, sure);
            }
            Some(_) => {}
            None => {
                let tolerated = may_be_true_node(task);
                self.missing(&name, span, &dirs, Sure(sure.0 && !tolerated));
            }
        }
    }

    /// `vars_files`: a path, or a list of which one must be there.
    pub(super) fn vars_files(&mut self) {
        let play = self.play;
        let dirs = [play.dir.join("vars"), play.dir.clone()];
        for entry in &play.vars_files {
            let all = items(entry);
            let names: Option<Vec<&str>> =
                all.iter().map(|node| node.as_str().filter(|_| !node.has_template())).collect();
            let Some(names) = names else { continue };
            if names.iter().all(|name| paths::find(&dirs, name).is_none()) {
                self.missing(&names.join("`, `"), entry.span, &dirs, Sure(true));
            }
        }
    }

    fn missing(&mut self, name: &str, span: Span, dirs: &[PathBuf], sure: Sure) {
        let mut wrong = Diagnostic::error(code::MISSING_FILE, format!("there is no file `{name}`")).at(span);
        wrong = wrong.note(format!("looked in {}", paths::list(dirs)));
        wrong.severity = sure.severity();
        let names: Vec<String> = dirs.iter().flat_map(|dir| names_in(dir)).collect();
        self.absent.push(wrong.suggest(name, names.iter().map(String::as_str)));
    }

    /// Where a file of this kind is searched: the role, those that led to it, the file's folder, the playbook's.
    fn folders(&self, task: &Task, kind: &str) -> Vec<PathBuf> {
        let mut bases: Vec<&Path> = Vec::new();
        if let Some(role) = &task.role {
            bases.push(&role.path);
            bases.extend(role.parent_paths.iter().rev().map(PathBuf::as_path));
        }
        bases.extend([task.dir.as_path(), self.play.dir.as_path()]);
        let mut dirs: Vec<PathBuf> = Vec::new();
        for base in bases {
            for dir in [base.join(kind), base.to_path_buf()] {
                if !dirs.contains(&dir) {
                    dirs.push(dir);
                }
            }
        }
        dirs
    }
}

/// `unarchive` calls it `copy: no`.
fn copies_on_host(task: &Task) -> bool {
    task.args
        .named
        .get("copy")
        .is_some_and(|(_, node)| crate::playbook::keywords::literal_bool(node) != Some(true))
}

/// Whether the file is a template with the usual marks.
fn plain_template(task: &Task) -> bool {
    let marks = ["variable_start_string", "variable_end_string", "block_start_string", "block_end_string"];
    !marks
        .iter()
        .chain(&["comment_start_string", "comment_end_string"])
        .any(|key| task.args.named.contains_key(*key))
}

/// Whether a failure of the task is tolerated.
fn may_be_true_node(task: &Task) -> bool {
    let ignored = task.common.ignore_errors.as_ref();
    ignored.is_some_and(|node| crate::playbook::keywords::literal_bool(node) != Some(false))
        || task.failed_when.is_some()
}

fn names_in(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
