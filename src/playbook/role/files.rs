//! The files of a role: `main` with one of several endings, or a folder of them for variables.

use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Span, code};
use crate::playbook::keywords;
use crate::playbook::reader::Reader;
use crate::value::Str;
use crate::yaml::{Node, NodeMap};

const ENDINGS: [&str; 3] = [".yml", ".yaml", ".json"];

/// The file or folder of a role: `main`, or the one asked for.
fn find(dir: &Path, from: Option<&str>) -> Option<PathBuf> {
    let name = from.unwrap_or("main");
    let with_endings = ENDINGS.map(|ending| dir.join(format!("{name}{ending}")));
    let bare = dir.join(name);
    // A file that is asked for may be named with its ending; `main` without one comes last.
    let mut all: Vec<PathBuf> = with_endings.into();
    if from.is_some() {
        all.insert(0, bare);
    } else {
        all.push(bare);
    }
    all.into_iter().find(|path| path.exists())
}

/// The files in a folder and below, by name.
fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if path.is_dir() {
            walk(&path, found);
        } else if ENDINGS.iter().any(|ending| name.ends_with(ending)) || !name.contains('.') {
            found.push(path);
        }
    }
}

impl Reader<'_> {
    fn role_file(&mut self, role: &Path, kind: &str, from: &Option<Str>, place: Span) -> Option<PathBuf> {
        let dir = role.join(kind);
        let found = find(&dir, from.as_deref());
        if let (None, Some(name)) = (&found, from) {
            let wrong = format!("the role has no file `{name}` in {}", dir.display());
            self.diagnostics.push(Diagnostic::error(code::MISSING_FILE, wrong).at(place));
        }
        found
    }

    /// The file of tasks or handlers.
    pub(super) fn role_list(
        &mut self,
        role: &Path,
        kind: &str,
        from: &Option<Str>,
        place: Span,
    ) -> Option<PathBuf> {
        self.role_file(role, kind, from, place).filter(|path| path.is_file())
    }

    /// The variables of a file, or of all files of a folder; later ones win.
    pub(super) fn role_vars(&mut self, role: &Path, kind: &str, from: &Option<Str>, place: Span) -> NodeMap {
        let mut files = Vec::new();
        match self.role_file(role, kind, from, place) {
            Some(path) if path.is_dir() => walk(&path, &mut files),
            Some(path) => files.push(path),
            None => {}
        }
        let mut all = NodeMap::new();
        for path in files {
            let Some(node) = self.file(&path) else { continue };
            match node.as_map() {
                Some(map) => all.extend(map.iter().map(|(key, value)| (key.clone(), value.clone()))),
                None if node.is_null() => {}
                None => self.not_a_mapping(&node),
            }
        }
        all
    }

    /// `meta/main.yml`.
    pub(super) fn meta_of(&mut self, role: &Path) -> Option<Node> {
        let path = find(&role.join("meta"), None).filter(|path| path.is_file())?;
        let node = self.file(&path)?;
        if node.as_map().is_none() && !node.is_null() {
            self.not_a_mapping(&node);
        }
        Some(node)
    }

    /// `meta/argument_specs.yml`, or what `meta/main.yml` says about arguments.
    pub(super) fn argument_specs(&mut self, role: &Path, meta: Option<&Node>) -> Option<Node> {
        let path = ENDINGS.map(|ending| role.join(format!("meta/argument_specs{ending}")));
        let own = path.iter().find(|path| path.is_file()).and_then(|path| self.file(path));
        own.as_ref().or(meta)?.get("argument_specs").filter(|specs| specs.as_map().is_some()).cloned()
    }

    fn not_a_mapping(&mut self, node: &Node) {
        let wrong = format!("a mapping must stand here, not {}", keywords::describe(node));
        self.diagnostics.push(Diagnostic::error(code::NOT_A_PLAYBOOK, wrong).at(node.span));
    }
}
