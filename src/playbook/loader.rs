//! What the command line and the engine call: playbooks before a run, includes during it.
//!
//! Shared by all hosts: files are parsed once, and an include of the same file by the same task is built once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::diag::{Diagnostic, Severity, Sources, code};
use crate::value::Str;
use crate::vault::{self, Keyring};
use crate::yaml::{self, Document, Node, NodeMap};

use super::reader::{Reader, Scene};
use super::role::{Files, Use};
use super::{Item, Playbook, Role, Task, paths};

/// Where roles, collections and modules are looked for, besides the folders beside the playbook.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Folders of roles (`roles_path`).
    pub roles_path: Vec<PathBuf>,
    /// Folders that hold `ansible_collections` (`collections_path`).
    pub collections_path: Vec<PathBuf>,
    /// Folders of modules (`library`).
    pub library: Vec<PathBuf>,
}

impl LoadOptions {
    /// What Ansible looks in where no setting says otherwise.
    #[must_use]
    pub fn standard(home: &Path) -> LoadOptions {
        LoadOptions {
            roles_path: vec![
                home.join(".ansible/roles"),
                "/usr/share/ansible/roles".into(),
                "/etc/ansible/roles".into(),
            ],
            collections_path: vec![
                home.join(".ansible/collections"),
                "/usr/share/ansible/collections".into(),
            ],
            library: vec![home.join(".ansible/plugins/modules"), "/usr/share/ansible/plugins/modules".into()],
        }
    }
}

/// Renders names that must be known when files are read: of imports and roles.
pub trait Names: Send + Sync {
    /// The text of a template. `vars` are those in reach where it stands; extra variables are the implementer's.
    ///
    /// # Errors
    /// What keeps the text from being known.
    fn text(&self, node: &Node, vars: &NodeMap) -> Result<Str, Diagnostic>;
}

/// What `include_role` asks for, rendered.
#[derive(Clone, Debug, Default)]
pub struct RoleRequest {
    /// The role.
    pub name: Str,
    /// The file of tasks instead of `main`.
    pub tasks_from: Option<Str>,
    /// The file of vars instead of `main`.
    pub vars_from: Option<Str>,
    /// The file of defaults instead of `main`.
    pub defaults_from: Option<Str>,
    /// The file of handlers instead of `main`.
    pub handlers_from: Option<Str>,
    /// Parameters besides the include's own `vars`.
    pub params: NodeMap,
    /// `allow_duplicates`, true if nothing is said.
    pub allow_duplicates: Option<bool>,
    /// `public`.
    pub public: bool,
}

/// Reads playbooks and what they include.
pub struct Loader {
    pub(super) sources: Arc<Sources>,
    pub(super) options: LoadOptions,
    pub(super) names: Arc<dyn Names>,
    keyring: Arc<Keyring>,
    next_id: AtomicU32,
    // Locks and not a single owner: hosts include files at the same time. Held for a look or an insertion only.
    files: Mutex<HashMap<PathBuf, Arc<Document>>>,
    included: Mutex<HashMap<(PathBuf, u32), Vec<Item>>>,
    roles: Mutex<HashMap<(String, u32), Arc<Role>>>,
    /// Folders of the playbooks read so far, the last first.
    playbook_dirs: Mutex<Vec<PathBuf>>,
    /// `library/` folders of roles read so far: Ansible knows a role's modules everywhere after it.
    libraries: Mutex<Vec<PathBuf>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Loader {
    /// A loader that has read nothing.
    #[must_use]
    pub fn new(sources: Arc<Sources>, options: LoadOptions, names: Arc<dyn Names>) -> Arc<Loader> {
        Loader::new_with(sources, options, names, Arc::default())
    }

    /// As [`Loader::new`], with the passwords of encrypted files.
    #[must_use]
    pub fn new_with(
        sources: Arc<Sources>,
        options: LoadOptions,
        names: Arc<dyn Names>,
        keyring: Arc<Keyring>,
    ) -> Arc<Loader> {
        Arc::new(Loader {
            sources,
            options,
            names,
            keyring,
            next_id: AtomicU32::new(1),
            files: Mutex::default(),
            included: Mutex::default(),
            roles: Mutex::default(),
            playbook_dirs: Mutex::default(),
            libraries: Mutex::default(),
        })
    }

    /// Reads a playbook and all that it imports. Gives every mistake of all files; a playbook with an
    /// error among them is only as complete as it could be read, and must not be run.
    pub fn playbook(&self, path: &Path) -> (Option<Playbook>, Vec<Diagnostic>) {
        let in_collection = path
            .to_str()
            .filter(|name| !name.contains('/') && !path.exists())
            .and_then(|name| paths::playbook(name, Path::new("."), &self.options.collections_path));
        let path = paths::absolute(in_collection.as_deref().unwrap_or(path));
        let dir = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        locked(&self.playbook_dirs).insert(0, dir);
        let mut reader = Reader::new(self);
        let plays = reader.playbook(&path);
        let diagnostics = reader.finish();
        // With mistakes in it too, as far as it could be read: whoever checks it finds the others as well.
        ((!plays.is_empty()).then_some(Playbook { path, plays }), diagnostics)
    }

    /// A playbook that is no file: what the command line said. Relative names in it mean the current folder.
    pub fn text(&self, name: &str, text: &str) -> (Option<Playbook>, Vec<Diagnostic>) {
        let path = paths::absolute(Path::new(name));
        let parsed = yaml::parse_text(name, text, &self.sources);
        let failed = parsed.diagnostics.iter().any(|it| it.severity == Severity::Error);
        let read = match parsed.documents.into_iter().next() {
            Some(node) if !failed => Ok((node, parsed.diagnostics)),
            _ => Err(parsed.diagnostics),
        };
        locked(&self.files).insert(path.clone(), Arc::new(read));
        self.playbook(&path)
    }

    pub(super) fn has_read(&self, path: &Path) -> bool {
        locked(&self.files).contains_key(path)
    }

    /// The content of a file for an `include_tasks`, with what it inherits from there and from `apply`. The
    /// include's `vars`, and those given here, become parameters (`Common::params`).
    ///
    /// # Errors
    /// Every mistake in the file and in what it imports.
    pub fn include_tasks(
        &self,
        path: &Path,
        include: &Task,
        vars: &NodeMap,
        handlers: bool,
    ) -> Result<Vec<Item>, Vec<Diagnostic>> {
        let key = (path.to_path_buf(), include.id);
        if vars.is_empty()
            && let Some(items) = locked(&self.included).get(&key)
        {
            return Ok(items.clone());
        }
        let mut reader = Reader::new(self);
        let scene = Scene::of_include(self, include, path, handlers);
        let common = reader.include_common(include, vars);
        let items = reader.file_of_tasks(path, &scene, &common);
        checked(reader, items).inspect(|items| {
            if vars.is_empty() {
                locked(&self.included).insert(key, items.clone());
            }
        })
    }

    /// A role for an `include_role`. `Role::tasks` of what is returned is all there is to run: a block for each
    /// dependency, then one for the role itself; `Role::handlers` has the handlers of all of them.
    ///
    /// # Errors
    /// Every mistake in the role, or that it can't be found.
    pub fn include_role(
        &self,
        request: &RoleRequest,
        include: &Task,
        play_dir: &Path,
    ) -> Result<Arc<Role>, Vec<Diagnostic>> {
        let key = (format!("{} {request:?}", play_dir.display()), include.id);
        if let Some(role) = locked(&self.roles).get(&key) {
            return Ok(role.clone());
        }
        let mut reader = Reader::new(self);
        let scene = Scene {
            play_dir: play_dir.to_path_buf(),
            ..Scene::of_include(self, include, &include.dir, false)
        };
        let common = reader.include_common(include, &request.params);
        let using = Use {
            name: request.name.clone(),
            span: include.span,
            params: NodeMap::new(),
            files: Files {
                tasks: request.tasks_from.clone(),
                vars: request.vars_from.clone(),
                defaults: request.defaults_from.clone(),
                handlers: request.handlers_from.clone(),
            },
            own: "include_role".into(),
            allow_duplicates: Some(request.allow_duplicates.unwrap_or(true)),
            public: request.public,
        };
        let loaded = reader.role(&using, &common, &scene);
        let role = loaded.map(|loaded| {
            let mut role = Role::clone(&loaded.role);
            role.tasks = loaded.blocks;
            role.handlers = loaded.handlers;
            Arc::new(role)
        });
        let role = checked(reader, role)?.ok_or_else(|| {
            let wrong = format!("the role `{}` can't be used", request.name);
            vec![Diagnostic::error(code::MISSING_ROLE, wrong).at(include.span)]
        })?;
        locked(&self.roles).insert(key, role.clone());
        Ok(role)
    }

    /// The file that an `include_tasks` names, rendered: beside the including file, in the role's `tasks/`, in the
    /// roles that led there, and beside the playbook.
    ///
    /// # Errors
    /// A message with the folders that were searched.
    pub fn find_tasks_file(&self, name: &str, include: &Task) -> Result<PathBuf, Diagnostic> {
        let scene = Scene::of_include(self, include, &include.dir.join("x"), include.handler);
        let place = include.args.named.get("file").map_or(include.span, |(_, node)| node.span);
        scene.find_tasks(name, place)
    }

    /// A number for a task that nobody wrote.
    pub(crate) fn id(&self) -> u32 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn read(&self, path: &Path) -> Arc<Document> {
        if let Some(parsed) = locked(&self.files).get(path) {
            return parsed.clone();
        }
        let parsed = Arc::new(vault::load(path, &self.sources, &self.keyring));
        locked(&self.files).entry(path.to_path_buf()).or_insert(parsed).clone()
    }

    pub(super) fn playbook_dir(&self) -> Option<PathBuf> {
        locked(&self.playbook_dirs).first().cloned()
    }

    pub(super) fn add_library(&self, dir: PathBuf) {
        let mut libraries = locked(&self.libraries);
        if !libraries.contains(&dir) {
            libraries.push(dir);
        }
    }

    pub(super) fn libraries(&self) -> Vec<PathBuf> {
        locked(&self.libraries).clone()
    }
}

/// What was read, unless there was a mistake. Warnings are dropped here: a run has no place for them.
fn checked<T>(reader: Reader<'_>, read: T) -> Result<T, Vec<Diagnostic>> {
    let diagnostics = reader.finish();
    if diagnostics.iter().any(|it| it.severity == Severity::Error) {
        return Err(diagnostics);
    }
    Ok(read)
}
