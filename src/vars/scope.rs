//! The scope of one host at one task: layers, asked from the strongest to the weakest.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Bindings, HostData, Moment, PlayVars, RunVars, hostvars, magic};
use crate::playbook::{Role, Task};
use crate::template::{Binding, LazyMap, Scope};
use crate::value::Str;
use crate::yaml::NodeMap;

/// What a role brings into the scope of its tasks. Strongest first in each list.
#[derive(Debug)]
pub struct RoleLayers {
    /// The role.
    pub role: Arc<Role>,
    defaults: Vec<Arc<NodeMap>>,
    vars: Vec<Arc<NodeMap>>,
}

impl RoleLayers {
    /// The layers of a role: its own, those of the roles that led to it, those of its dependencies.
    #[must_use]
    pub fn of(role: &Arc<Role>) -> RoleLayers {
        let (mut defaults, mut vars) = (vec![role.defaults.clone()], vec![role.vars.clone()]);
        for (parent_defaults, parent_vars) in role.parent_vars.iter().rev() {
            defaults.push(parent_defaults.clone());
            vars.push(parent_vars.clone());
        }
        for dependency in role.dependencies.iter().rev() {
            collect_dependency(dependency, &mut defaults, &mut vars);
        }
        RoleLayers { role: role.clone(), defaults, vars }
    }
}

fn collect_dependency(role: &Role, defaults: &mut Vec<Arc<NodeMap>>, vars: &mut Vec<Arc<NodeMap>>) {
    defaults.push(role.defaults.clone());
    vars.push(role.vars.clone());
    for dependency in role.dependencies.iter().rev() {
        collect_dependency(dependency, defaults, vars);
    }
}

/// What a task brings: the same for every host it runs on.
#[derive(Debug)]
pub struct TaskLayers {
    /// The task.
    pub task: Arc<Task>,
    /// Its role's.
    pub role: Option<RoleLayers>,
    /// Where its relative paths are searched.
    pub search_path: Vec<PathBuf>,
    /// Whether it runs in check mode (`ansible_check_mode` is the run's, not this).
    pub check: bool,
}

impl TaskLayers {
    /// The layers of a task in a play.
    #[must_use]
    pub fn of(task: &Arc<Task>, play: &PlayVars) -> TaskLayers {
        let mut search_path = Vec::new();
        let mut add = |dir: &Path| {
            if !search_path.iter().any(|known: &PathBuf| known == dir) {
                search_path.push(dir.to_path_buf());
            }
        };
        if let Some(role) = &task.role {
            add(&role.path);
            role.parent_paths.iter().rev().for_each(|path| add(path));
        }
        add(&task.dir);
        add(&play.dir);
        add(&play.playbook_dir);
        TaskLayers {
            task: task.clone(),
            role: task.role.as_ref().map(RoleLayers::of),
            search_path,
            check: false,
        }
    }
}

/// The variables of one host at one task. Cheap to clone.
#[derive(Clone)]
pub struct TaskScope {
    /// The run's.
    pub run: Arc<RunVars>,
    /// The play's.
    pub play: Arc<PlayVars>,
    /// The moment's.
    pub moment: Arc<Moment>,
    /// The task's; none for what stands outside tasks (`hosts`, a play's name).
    pub task: Option<Arc<TaskLayers>>,
    /// Variables of the includes that led here.
    pub params: Arc<Bindings>,
    /// The loop's variables and others of the moment: strongest of all.
    pub locals: Arc<Bindings>,
    /// The host; none before one is chosen.
    pub host: Option<Str>,
    pub(super) data: Arc<HostData>,
    pub(super) layers: crate::inventory::Layers,
}

impl TaskScope {
    /// The scope of a host; without a host only the run's and the play's variables.
    #[must_use]
    pub fn new(
        run: &Arc<RunVars>,
        play: &Arc<PlayVars>,
        moment: &Arc<Moment>,
        host: Option<&Str>,
    ) -> TaskScope {
        TaskScope {
            run: run.clone(),
            play: play.clone(),
            moment: moment.clone(),
            task: None,
            params: Arc::default(),
            locals: Arc::default(),
            host: host.cloned(),
            data: host.and_then(|host| moment.hosts.get(host).cloned()).unwrap_or_default(),
            layers: host.map(|host| moment.inventory.layers(host)).unwrap_or_default(),
        }
    }

    /// For a task.
    #[must_use]
    pub fn with_task(mut self, task: &Arc<TaskLayers>, params: &Arc<Bindings>) -> TaskScope {
        self.task = Some(task.clone());
        self.params = params.clone();
        self
    }

    /// With more variables of the moment.
    #[must_use]
    pub fn with_locals(mut self, more: impl IntoIterator<Item = (Str, Binding)>) -> TaskScope {
        Arc::make_mut(&mut self.locals).extend(more);
        self
    }

    /// With something more known of the host, for this scope only.
    #[must_use]
    pub fn with_data(mut self, change: impl FnOnce(&mut HostData)) -> TaskScope {
        change(Arc::make_mut(&mut self.data));
        self
    }

    /// The scope of another host in the same play: what `hostvars[host]` is rendered in.
    #[must_use]
    pub fn of_host(&self, host: &Str) -> TaskScope {
        TaskScope::new(
            &self.run,
            &Arc::new(PlayVars { dir: self.play.dir.clone(), ..PlayVars::default() }),
            &self.moment,
            Some(host),
        )
    }

    fn role_defaults(&self, name: &str) -> Option<Binding> {
        let own = self.task.as_ref().and_then(|task| task.role.as_ref());
        own.and_then(|role| first(&role.defaults, name))
            .or_else(|| self.play.public_defaults.iter().rev().find_map(|layer| source(layer, name)))
    }

    fn role_vars(&self, name: &str) -> Option<Binding> {
        let own = self.task.as_ref().and_then(|task| task.role.as_ref());
        own.and_then(|role| first(&role.vars, name))
            .or_else(|| self.play.public_vars.iter().rev().find_map(|layer| source(layer, name)))
    }

    /// Precedence levels 17 to 12, strongest first.
    fn task_and_play(&self, name: &str) -> Option<Binding> {
        let task = self.task.as_ref();
        task.and_then(|task| source(&task.task.common.vars, name))
            .or_else(|| self.role_vars(name))
            .or_else(|| self.data.vars_files.get(name).cloned())
            .or_else(|| self.play.prompted.get(name).cloned().map(Binding::Data))
            .or_else(|| source(&self.play.vars, name))
    }

    fn inventory(&self, name: &str) -> Option<Binding> {
        self.layers.iter().rev().find_map(|layer| layer.vars.get(name).cloned())
    }
}

fn source(layer: &NodeMap, name: &str) -> Option<Binding> {
    layer.get(name).map(|(_, node)| Binding::Source(node.clone()))
}

fn first(layers: &[Arc<NodeMap>], name: &str) -> Option<Binding> {
    layers.iter().find_map(|layer| source(layer, name))
}

impl Scope for TaskScope {
    fn lookup(&self, name: &str) -> Option<Binding> {
        if let Some(found) = self.locals.get(name) {
            return Some(found.clone());
        }
        if let Some(found) = magic::lookup(self, name) {
            return Some(found);
        }
        let role_params = || {
            let role = self.task.as_ref()?.role.as_ref()?;
            source(&role.role.params, name)
        };
        self.run
            .extra
            .get(name)
            .or_else(|| self.params.get(name))
            .cloned()
            .or_else(|| source(&self.task.as_ref()?.task.common.params, name))
            .or_else(role_params)
            .or_else(|| self.data.set.get(name).cloned().map(Binding::Data))
            .or_else(|| self.data.included.get(name).cloned())
            .or_else(|| self.task_and_play(name))
            .or_else(|| self.data.facts.get(name).cloned().map(Binding::Data))
            .or_else(|| self.inventory(name))
            .or_else(|| self.role_defaults(name))
    }

    fn names(&self) -> Vec<Str> {
        let mut names: Vec<Str> = magic::NAMES.iter().map(|name| Str::from(*name)).collect();
        names.extend(self.run.fixed.keys().cloned());
        for layer in [&self.locals, &self.params, &self.data.included, &self.data.vars_files] {
            names.extend(layer.keys().cloned());
        }
        names.extend(self.run.extra.keys().cloned());
        for layer in [&self.data.set, &self.data.facts] {
            names.extend(layer.keys().cloned());
        }
        names.extend(self.play.prompted.keys().cloned());
        names.extend(self.play.vars.keys().cloned());
        for layer in self.play.public_defaults.iter().chain(&self.play.public_vars) {
            names.extend(layer.keys().cloned());
        }
        if let Some(task) = &self.task {
            names.extend(task.task.common.vars.keys().chain(task.task.common.params.keys()).cloned());
            if let Some(role) = &task.role {
                names.extend(role.role.params.keys().cloned());
                for layer in role.defaults.iter().chain(&role.vars) {
                    names.extend(layer.keys().cloned());
                }
            }
        }
        for layer in self.layers.iter() {
            names.extend(layer.vars.keys().cloned());
        }
        names.sort();
        names.dedup();
        names
    }

    fn search_path(&self) -> &[PathBuf] {
        self.task.as_ref().map_or_else(|| std::slice::from_ref(&self.play.dir), |task| &task.search_path)
    }

    fn playbook_dir(&self) -> &Path {
        &self.play.playbook_dir
    }
}

impl fmt::Debug for TaskScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskScope({:?})", self.host)
    }
}

/// `vars`: all variables of a scope as one mapping.
#[derive(Debug)]
pub(super) struct AllVars(pub(super) TaskScope);

impl LazyMap for AllVars {
    fn get(&self, key: &str) -> Option<Binding> {
        self.0.lookup(key)
    }

    fn keys(&self) -> Vec<Str> {
        // `hostvars` and `vars` themselves are left out: whoever walks over `vars` must not walk over every host.
        self.0.names().into_iter().filter(|name| !matches!(&**name, "hostvars" | "vars")).collect()
    }
}

/// `hostvars` for a scope.
pub(super) fn all_hosts(scope: &TaskScope) -> Binding {
    Binding::Lazy(Arc::new(hostvars::HostVars(scope.clone())))
}
