//! Roles: where they are, what their files say, what they depend on.

mod entry;
mod files;
mod search;
mod spec;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diag::{Diagnostic, Span, code};
use crate::value::Str;
use crate::yaml::NodeMap;

use super::keywords;
use super::reader::{Reader, Scene};
use super::{Block, Common, Item, Role};

/// The files to take instead of `main`.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    pub tasks: Option<Str>,
    pub vars: Option<Str>,
    pub defaults: Option<Str>,
    pub handlers: Option<Str>,
}

/// How a role is used in one place. Its keywords are in the [`Common`] that goes with it.
#[derive(Clone, Debug)]
pub(super) struct Use {
    /// The name as written, rendered.
    pub name: Str,
    /// Where it stands.
    pub span: Span,
    /// Parameters.
    pub params: NodeMap,
    /// Files other than `main`.
    pub files: Files,
    /// What makes this use differ from others besides name, parameters and files: its own `when`, `tags` and `vars`.
    pub own: String,
    /// What the place says about running it again; none: what its meta says.
    pub allow_duplicates: Option<bool>,
    /// The whole play sees its variables.
    pub public: bool,
}

/// A role with all that it brings.
pub(super) struct Loaded {
    /// The role with its own tasks and handlers.
    pub role: Arc<Role>,
    /// Blocks to run: its dependencies', then its own.
    pub blocks: Vec<Item>,
    /// Handlers: its dependencies', then its own.
    pub handlers: Vec<Item>,
    /// The roles of these that the whole play sees.
    pub public: Vec<Arc<Role>>,
    /// The role's dependencies with theirs in front, and the role.
    pub all: Vec<Arc<Role>>,
}

impl Reader<'_> {
    /// Reads a role. `common`: what its tasks inherit, the keywords of the place among it.
    pub(super) fn role(&mut self, using: &Use, common: &Arc<Common>, scene: &Scene) -> Option<Loaded> {
        let found = match search::find(using, common, scene, self.loader) {
            Ok(found) => found,
            Err(missing) => {
                self.diagnostics.push(*missing);
                return None;
            }
        };
        let step = (found.path.clone(), using.files.tasks.clone());
        if scene.roles.contains(&step) {
            self.diagnostics.push(circle(scene, &found.path, using));
            return None;
        }
        self.loader.add_library(found.path.join("library"));
        let meta = self.meta_of(&found.path);
        let allow_duplicates = using.allow_duplicates.unwrap_or_else(|| {
            meta.as_ref()
                .and_then(|meta| keywords::literal_bool(meta.get("allow_duplicates")?))
                .unwrap_or(false)
        });
        let mut identity = self.identity(using, found, scene, allow_duplicates)?;
        let common = with_collections(common, meta.as_ref(), identity.collection.as_ref());

        let mut inside = scene.clone();
        inside.roles.push(step);
        inside.dir = identity.path.join("meta");
        inside.role = Some(Arc::new(identity.clone()));
        let entries = meta.as_ref().and_then(|meta| meta.get("dependencies"));
        let depends: Vec<Loaded> = entries
            .map(|entries| self.role_entries(entries, &common, &inside))
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(entry, common)| self.role(&Use { public: using.public, ..entry }, &common, &inside))
            .collect();
        identity.dependencies = depends.iter().map(|loaded| loaded.role.clone()).collect();
        identity.argument_specs = self.argument_specs(&identity.path, meta.as_ref());

        inside.role = Some(Arc::new(identity.clone()));
        Some(self.filled(identity, using, &common, &inside, depends))
    }

    fn identity(
        &mut self,
        using: &Use,
        found: search::Found,
        scene: &Scene,
        allow_duplicates: bool,
    ) -> Option<Role> {
        let errors = self.diagnostics.len();
        let mut vars =
            |kind: &str, from: &Option<Str>| Arc::new(self.role_vars(&found.path, kind, from, using.span));
        let (defaults, own_vars) = (vars("defaults", &using.files.defaults), vars("vars", &using.files.vars));
        if self.diagnostics[errors..].iter().any(|it| it.code == code::MISSING_FILE) {
            return None;
        }
        let outer = scene.role.as_deref();
        let chain = |role: &Role, path: bool| -> (Vec<Str>, Vec<PathBuf>) {
            let (mut names, mut paths) = (role.parents.clone(), role.parent_paths.clone());
            names.push(role.name.clone());
            if path {
                paths.push(role.path.clone());
            }
            (names, paths)
        };
        let (parents, parent_paths) = outer.map(|role| chain(role, true)).unwrap_or_default();
        let parent_vars = outer.map_or_else(Vec::new, |role| {
            let mut all = role.parent_vars.clone();
            all.push((role.defaults.clone(), role.vars.clone()));
            all
        });
        Some(Role {
            uuid: uuid(using, &found.path),
            name: found.name,
            path: found.path,
            collection: found.collection,
            span: using.span,
            defaults,
            vars: own_vars,
            // A role sees the parameters of those that led to it.
            params: match outer {
                Some(outer) => super::inherit::over(&outer.params, using.params.clone()),
                None => Arc::new(using.params.clone()),
            },
            dependencies: Vec::new(),
            parents,
            parent_paths,
            parent_vars,
            allow_duplicates,
            public: using.public,
            argument_specs: None,
            tasks: Vec::new(),
            handlers: Vec::new(),
        })
    }

    /// The role with its tasks and handlers, behind its dependencies.
    fn filled(
        &mut self,
        identity: Role,
        using: &Use,
        common: &Arc<Common>,
        scene: &Scene,
        depends: Vec<Loaded>,
    ) -> Loaded {
        let mut handlers_scene = Scene { handlers: true, ..scene.clone() };
        let tasks_file = self.role_list(&identity.path, "tasks", &using.files.tasks, using.span);
        let handlers_file = self.role_list(&identity.path, "handlers", &using.files.handlers, using.span);
        let mut read = |file: Option<PathBuf>, scene: &mut Scene| -> Vec<Item> {
            let Some(path) = file else { return Vec::new() };
            scene.dir = path.parent().unwrap_or(Path::new("/")).to_path_buf();
            scene.files = vec![path.clone()];
            self.file_of_tasks(&path, scene, common)
        };
        let mut tasks = read(tasks_file, &mut scene.clone());
        let handlers = read(handlers_file, &mut handlers_scene);
        if let Some(check) = spec::validation(&identity, using, common, scene, self.loader) {
            tasks.insert(0, Item::Task(Arc::new(check)));
        }
        let role = Arc::new(Role { tasks: tasks.clone(), handlers: handlers.clone(), ..identity });
        let block = Block {
            span: using.span,
            common: common.clone(),
            body: tasks,
            rescue: Vec::new(),
            always: Vec::new(),
            role: Some(role.clone()),
        };
        let mut loaded = Loaded {
            role: role.clone(),
            blocks: Vec::new(),
            handlers: Vec::new(),
            public: Vec::new(),
            all: Vec::new(),
        };
        for one in depends {
            loaded.blocks.extend(one.blocks);
            loaded.handlers.extend(one.handlers);
            loaded.public.extend(one.public);
            loaded.all.extend(one.all);
        }
        loaded.blocks.push(Item::Block(Arc::new(block)));
        loaded.handlers.extend(handlers);
        loaded.public.extend(using.public.then(|| role.clone()));
        loaded.all.push(role);
        loaded
    }
}

/// The collections that the role's own meta names win; a role of a collection looks into that first.
fn with_collections(
    common: &Arc<Common>,
    meta: Option<&crate::yaml::Node>,
    own: Option<&Str>,
) -> Arc<Common> {
    let named: Vec<Str> = meta
        .and_then(|meta| meta.get("collections"))
        .map(super::inherit::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|node| node.as_str().map(Into::into))
        .collect();
    let mut all: Vec<Str> = own.into_iter().cloned().chain(named).collect();
    if all.is_empty() {
        return common.clone();
    }
    all.extend(common.collections.iter().filter(|name| !all.contains(name)).cloned().collect::<Vec<_>>());
    Arc::new(Common { collections: all, ..Common::clone(common) })
}

fn circle(scene: &Scene, path: &Path, using: &Use) -> Diagnostic {
    let start = scene.roles.iter().position(|(known, _)| known == path).unwrap_or(0);
    let names: Vec<String> = scene.roles[start..]
        .iter()
        .map(|(path, _)| path.as_path())
        .chain([path])
        .map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    let wrong = format!("the role `{}` leads back to itself", using.name);
    Diagnostic::error(code::IMPORT_CYCLE, wrong).at(using.span).note(names.join(" → "))
}

fn uuid(using: &Use, path: &Path) -> Str {
    let params: Vec<String> =
        using.params.iter().map(|(name, (_, node))| format!("{name}={}", node.to_value())).collect();
    let key = format!("{}\0{:?}\0{}\0{}", path.display(), using.files, params.join("\0"), using.own);
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, key.as_bytes()).to_string().into()
}
