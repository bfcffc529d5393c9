//! One reading: lists of tasks and blocks, and what was found on the way.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diag::{Diagnostic, Span, code};
use crate::value::Str;
use crate::yaml::{Node, NodeMap};

use super::inherit::{inherit, over};
use super::keywords::{self, Place};
use super::loader::Loader;
use super::{Block, Common, Item, Role, Task, paths};

/// Gathers what a reading finds besides its result.
pub(super) struct Reader<'a> {
    pub loader: &'a Loader,
    pub diagnostics: Vec<Diagnostic>,
    /// Handlers of roles that tasks import: they stand after the play's.
    pub handlers: Vec<Item>,
    /// Roles that the whole play sees.
    pub public_roles: Vec<Arc<Role>>,
}

/// Where a list of tasks is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Scene {
    /// The folder of the play's playbook.
    pub play_dir: PathBuf,
    /// The folder of the file.
    pub dir: PathBuf,
    /// The role's identity.
    pub role: Option<Arc<Role>>,
    /// The list is one of handlers.
    pub handlers: bool,
    /// The play's variables, for names that are templates.
    pub play_vars: Arc<NodeMap>,
    /// The files of tasks that led here.
    pub files: Vec<PathBuf>,
    /// The roles that led here, each with the file of tasks asked for.
    pub roles: Vec<(PathBuf, Option<Str>)>,
}

impl Scene {
    /// The scene of what an include reads.
    pub(super) fn of_include(loader: &Loader, include: &Task, path: &Path, handlers: bool) -> Scene {
        Scene {
            play_dir: loader.playbook_dir().unwrap_or_else(|| include.dir.clone()),
            dir: path.parent().unwrap_or(Path::new("/")).to_path_buf(),
            role: include.role.clone(),
            handlers: handlers || include.handler,
            play_vars: Arc::default(),
            files: vec![path.to_path_buf()],
            roles: Vec::new(),
        }
    }

    /// The variables that a name here can use, of the parts that are known when files are read.
    pub(super) fn variables(&self, common: &Common) -> NodeMap {
        let mut all = NodeMap::new();
        let mut add = |vars: &NodeMap| all.extend(vars.iter().map(|(k, v)| (k.clone(), v.clone())));
        if let Some(role) = &self.role {
            role.parent_vars.iter().for_each(|(defaults, _)| add(defaults));
            add(&role.defaults);
        }
        add(&self.play_vars);
        if let Some(role) = &self.role {
            role.parent_vars.iter().for_each(|(_, vars)| add(vars));
            add(&role.vars);
        }
        add(&common.vars);
        if let Some(role) = &self.role {
            add(&role.params);
        }
        add(&common.params);
        all
    }

    /// The file of tasks of this name, for a statement in a file of this scene.
    pub(super) fn find_tasks(&self, name: &str, place: Span) -> Result<PathBuf, Diagnostic> {
        // Handlers may include what stands among the tasks.
        let kinds: &[&str] = if self.handlers { &["handlers", "tasks"] } else { &["tasks"] };
        let of = |base: &Path| kinds.iter().map(|kind| base.join(kind)).collect::<Vec<_>>();
        let mut dirs = vec![self.dir.clone()];
        if let Some(role) = &self.role {
            dirs.extend(of(&role.path));
            dirs.push(role.path.clone());
            dirs.extend(role.parent_paths.iter().rev().flat_map(|path| of(path)));
        }
        dirs.extend(of(&self.play_dir));
        dirs.push(self.play_dir.clone());
        let mut seen = Vec::new();
        dirs.retain(|dir| {
            !seen.contains(dir) && {
                seen.push(dir.clone());
                true
            }
        });
        paths::find(&dirs, name).filter(|path| path.is_file()).ok_or_else(|| {
            let found = Diagnostic::error(code::MISSING_FILE, format!("there is no file of tasks `{name}`"))
                .at(place);
            let searched = format!("looked in {}", paths::list(&dirs));
            let names: Vec<String> = dirs.iter().flat_map(|dir| files_in(dir)).collect();
            found.note(searched).suggest(name, names.iter().map(String::as_str))
        })
    }
}

fn files_in(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.ends_with(".yml") || name.ends_with(".yaml"));
    names.sort();
    names
}

impl<'a> Reader<'a> {
    pub(super) fn new(loader: &'a Loader) -> Reader<'a> {
        Reader { loader, diagnostics: Vec::new(), handlers: Vec::new(), public_roles: Vec::new() }
    }

    /// The messages, each once: a file that is used in several places is read in each of them.
    pub(super) fn finish(self) -> Vec<Diagnostic> {
        let mut unique: Vec<Diagnostic> = Vec::new();
        for diagnostic in self.diagnostics {
            if !unique.contains(&diagnostic) {
                unique.push(diagnostic);
            }
        }
        unique
    }

    /// The content of a file; none if it can't be read, which is noted.
    pub(super) fn file(&mut self, path: &Path) -> Option<Node> {
        match &*self.loader.read(path) {
            Ok((node, warnings)) => {
                self.diagnostics.extend(warnings.iter().cloned());
                Some(node.clone())
            }
            Err(errors) => {
                self.diagnostics.extend(errors.iter().cloned());
                None
            }
        }
    }

    /// The text of a name, rendered if it is a template.
    pub(super) fn name(&mut self, node: &Node, scene: &Scene, common: &Common) -> Option<Str> {
        if node.has_template() {
            let rendered = self.loader.names.text(node, &scene.variables(common));
            return rendered.map_err(|wrong| self.diagnostics.push(wrong)).ok();
        }
        match node.to_value() {
            crate::value::Value::Str(text) => Some(text),
            value @ (crate::value::Value::Int(_) | crate::value::Value::Float(_)) => {
                Some(value.to_string().into())
            }
            _ => {
                let wrong = format!("a name must stand here, not {}", keywords::describe(node));
                self.diagnostics.push(Diagnostic::error(code::BAD_KEYWORD, wrong).at(node.span));
                None
            }
        }
    }

    /// The tasks of a file.
    pub(super) fn file_of_tasks(&mut self, path: &Path, scene: &Scene, outer: &Arc<Common>) -> Vec<Item> {
        let Some(node) = self.file(path) else { return Vec::new() };
        self.tasks(&node, scene, outer)
    }

    /// A list of tasks and blocks.
    pub(super) fn tasks(&mut self, list: &Node, scene: &Scene, outer: &Arc<Common>) -> Vec<Item> {
        if list.is_null() {
            return Vec::new();
        }
        let Some(items) = list.as_seq() else {
            let wrong = format!("a list of tasks must stand here, not {}", keywords::describe(list));
            self.diagnostics.push(
                Diagnostic::error(code::NOT_A_PLAYBOOK, wrong)
                    .at(list.span)
                    .help("start each task with `- `"),
            );
            return Vec::new();
        };
        items.iter().flat_map(|item| self.item(item, scene, outer)).collect()
    }

    fn item(&mut self, item: &Node, scene: &Scene, outer: &Arc<Common>) -> Vec<Item> {
        let Some(map) = item.as_map() else {
            let wrong = format!("a task must be a mapping, not {}", keywords::describe(item));
            self.diagnostics.push(Diagnostic::error(code::NOT_A_PLAYBOOK, wrong).at(item.span));
            return Vec::new();
        };
        if ["block", "rescue", "always"].iter().any(|key| map.contains_key(*key)) {
            return self.block(map, item.span, scene, outer);
        }
        let play = ["tasks", "roles", "pre_tasks", "post_tasks"].iter().any(|key| map.contains_key(*key));
        if let Some((span, _)) = map.get("hosts").filter(|_| play) {
            let wrong = Diagnostic::error(code::NOT_A_PLAYBOOK, "a play stands where a task is expected");
            let help =
                "plays stand at the top level of a playbook; use `import_playbook` there to bring them in";
            self.diagnostics.push(wrong.at(*span).help(help));
            return Vec::new();
        }
        self.task(map, item.span, scene, outer)
    }

    fn block(&mut self, map: &NodeMap, span: Span, scene: &Scene, outer: &Arc<Common>) -> Vec<Item> {
        keywords::check(map, Place::Block, &[], &mut self.diagnostics);
        let common = Arc::new(inherit(map, outer, &mut self.diagnostics));
        let inner = Arc::new(Common { name: None, ..Common::clone(&common) });
        let mut list = |key: &str| match map.get(key) {
            Some((_, node)) => self.tasks(node, scene, &inner),
            None => Vec::new(),
        };
        let (body, rescue, always) = (list("block"), list("rescue"), list("always"));
        if !map.contains_key("block") {
            let (key, at) = ["rescue", "always"]
                .into_iter()
                .find_map(|key| map.get(key).map(|(at, _)| (key, *at)))
                .unwrap_or(("rescue", span));
            let wrong = Diagnostic::error(code::BAD_BLOCK, format!("`{key}` stands without a `block`"));
            self.diagnostics.push(wrong.at(at));
        }
        if scene.handlers {
            // Ansible flattens a block of handlers: only its keywords count.
            return body;
        }
        vec![Item::Block(Arc::new(Block { span, common, body, rescue, always, role: None }))]
    }

    /// What the content of an include inherits: what is around the include, its `vars` as parameters, and `apply`.
    pub(super) fn include_common(&mut self, include: &Task, more: &NodeMap) -> Arc<Common> {
        let mut common = Common { name: None, ..Common::clone(&include.outer) };
        let own =
            include.common.vars.iter().filter(|(name, var)| include.outer.vars.get(*name) != Some(*var));
        let params: NodeMap = own.chain(more).map(|(name, var)| (name.clone(), var.clone())).collect();
        common.params = over(&common.params, params);
        if let Some((_, apply)) = include.args.named.get("apply").filter(|(_, apply)| !apply.is_null()) {
            match apply.as_map() {
                Some(map) => {
                    keywords::check(map, Place::Block, &[], &mut self.diagnostics);
                    common = Common { name: None, ..inherit(map, &common, &mut self.diagnostics) };
                }
                None => self.diagnostics.push(
                    Diagnostic::error(code::BAD_ARGUMENT, "`apply` must be a mapping of keywords")
                        .at(apply.span),
                ),
            }
        }
        Arc::new(common)
    }
}
