//! What stands behind one `-i`: a list of hosts, a file, a script, or a folder of such.
//!
//! A source that can't be read is reported; its hosts up to the mistake stay, and the other sources are read. In a folder,
//! where files of many kinds meet, that is a warning.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::graph::Graph;
use super::{constructed, ini, range, script, yaml};
use crate::diag::{Diagnostic, Severity, Sources, code};
use crate::template::{Binding, Engine};
use crate::value::{Str, Value};
use crate::vault::{self, Keyring};
use crate::yaml as text;

/// Endings of files in a folder that are no inventories.
const IGNORED: [&str; 13] =
    [".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".ini", ".cfg", ".retry"];

/// Reads sources into a graph.
pub(super) struct Loader<'a> {
    pub sources: &'a Sources,
    pub templates: &'a Engine,
    pub graph: &'a mut Graph,
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the source is a file of a folder.
    pub in_folder: bool,
}

impl Loader<'_> {
    /// Reads what was given with `-i`.
    pub(super) fn load(&mut self, source: &str) {
        let path = Path::new(source);
        if source.contains(',') && !path.exists() {
            self.host_list(source);
        } else if path.exists() {
            self.path(path);
        } else {
            let message = format!("the inventory {source} does not exist");
            let mistake = Diagnostic::error(code::INVENTORY_MISSING, message);
            self.diagnostics.push(mistake.help(format!("for a list of hosts add a comma: `-i {source},`")));
        }
    }

    /// `a,b:2222,`: hosts without groups.
    fn host_list(&mut self, list: &str) {
        for written in list.split(',').map(str::trim).filter(|it| !it.is_empty()) {
            let (name, port) = match range::split_port(written) {
                (name, port) if !name.contains('[') => (name, port),
                _ => (written, None),
            };
            let host = self.graph.add_host(&Str::from(name), "ungrouped", None);
            if let Some(port) = port {
                let vars = &mut Arc::make_mut(&mut host.vars).vars;
                vars.insert("ansible_port".into(), Binding::Data(Value::Int(port)));
            }
        }
    }

    fn path(&mut self, path: &Path) {
        if path.is_dir() {
            return self.folder(path);
        }
        let shared: Arc<Path> = Arc::from(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
        if script::is_program(path) {
            if let Err(mistake) = script::read(&shared, self.graph) {
                self.diagnostics.push(mistake);
            }
            return;
        }
        match path.extension().and_then(|it| it.to_str()) {
            Some("yml" | "yaml" | "json") => self.yaml(path, &shared),
            Some("toml") => {
                let message = format!("{}: inventories in TOML are not read", path.display());
                let mistake = Diagnostic::error(code::INVENTORY_PLUGIN, message);
                self.diagnostics.push(mistake.help("`ansible-inventory --list --yaml` writes it as YAML"));
            }
            None if is_yaml(path, self.templates.keyring()) => self.yaml(path, &shared),
            _ => self.ini(path, &shared),
        }
    }

    fn folder(&mut self, folder: &Path) {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                let message = format!("can't read {}: {error}", folder.display());
                self.diagnostics.push(Diagnostic::error(code::INVENTORY_MISSING, message));
                return;
            }
        };
        let mut names: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        names.sort();
        let outside = std::mem::replace(&mut self.in_folder, true);
        for path in names {
            let name = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
            let is_ignored = name.starts_with('.')
                || matches!(name.as_str(), "host_vars" | "group_vars" | "vars_plugins")
                || IGNORED.iter().any(|ending| name.ends_with(ending));
            if !is_ignored {
                self.path(&path);
            }
        }
        self.in_folder = outside;
    }

    fn ini(&mut self, path: &Path, shared: &Arc<Path>) {
        let result = match vault::text(path, self.sources, self.templates.keyring()) {
            Ok(file) => ini::read(file, self.sources, shared, self.graph),
            Err(mistake) => Err(mistake),
        };
        if let Err(mistake) = result {
            self.report(vec![mistake]);
        }
    }

    fn yaml(&mut self, path: &Path, shared: &Arc<Path>) {
        let (root, warnings) = match vault::load(path, self.sources, self.templates.keyring()) {
            Ok(read) => read,
            Err(mistakes) => return self.report(mistakes),
        };
        self.diagnostics.extend(warnings);
        let mistake = |message: String| Diagnostic::error(code::INVENTORY_SYNTAX, message).at(root.span);
        let Some(groups) = root.as_map() else {
            let found = if root.is_null() { "is empty" } else { "is not a mapping of groups" };
            return self.report(vec![mistake(format!("the inventory {} {found}", path.display()))]);
        };
        if let Some((span, node)) = groups.get("plugin") {
            if node.as_str().is_some_and(|name| constructed::NAMES.contains(&name)) {
                match constructed::read(groups, self.graph, self.templates) {
                    Ok(warnings) => self.diagnostics.extend(warnings),
                    Err(mistakes) => self.report(mistakes),
                }
                return;
            }
            let message = format!("the inventory {} needs a plugin", path.display());
            return self.report(vec![
                Diagnostic::error(code::INVENTORY_PLUGIN, message)
                    .label(*span, "such plugins are written in Python, and are not run")
                    .help("save what `ansible-inventory --list` prints as a `.json` file, or use a script"),
            ]);
        }
        if groups.contains_key("_meta") {
            if let Err(mistake) = script::populate(&root.to_value(), shared, self.graph) {
                self.report(vec![mistake]);
            }
            return;
        }
        self.diagnostics.extend(yaml::read(groups, shared, self.graph));
    }

    fn report(&mut self, mistakes: Vec<Diagnostic>) {
        for mut mistake in mistakes {
            if self.in_folder {
                mistake.severity = Severity::Warning;
                mistake = mistake.note("the rest of this inventory source is left out");
            }
            self.diagnostics.push(mistake);
        }
    }
}

/// Whether a file without an ending is a YAML mapping.
fn is_yaml(path: &Path, keyring: &Keyring) -> bool {
    // A look ahead: what is wrong with it is not for the user, and its text is not kept.
    let scratch = Sources::default();
    let Ok(file) = vault::text(path, &scratch, keyring) else { return true };
    let parsed = text::parse(file, &scratch);
    !parsed.has_errors() && parsed.documents.first().is_some_and(|root| root.as_map().is_some())
}
