//! The hosts and groups there are, and the variables that belong to them.
//!
//! [`Inventory::load`] reads the sources, [`Inventory::hosts`] answers patterns, [`Inventory::layers`] gives the
//! variables of a host in order of precedence. Which layers come above them is `vars`' matter; nothing is rendered.

mod constructed;
mod dirs;
mod graph;
mod ini;
mod pattern;
mod range;
pub mod render;
mod script;
mod source;
mod words;
mod yaml;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::{IndexMap, IndexSet};

pub use graph::{Group, Host, VarLayer};
pub use pattern::Selection;

use crate::diag::{Diagnostic, Sources, code};
use crate::template::{Binding, Engine, Settings};
use crate::value::{Str, Value};
use dirs::{Kind, VarDir};
use graph::Graph;

/// The variables of a host, those that win last.
pub type Layers = Arc<[Arc<VarLayer>]>;

/// The inventory of a run. Cloning it is cheap enough for changes while running, but not for each task.
pub struct Inventory {
    graph: Graph,
    /// What was given with `-i`, in order.
    sources: Vec<String>,
    registry: Arc<Sources>,
    templates: Arc<Engine>,
    inventory_dirs: Vec<Arc<VarDir>>,
    playbook_dirs: Vec<Arc<VarDir>>,
    cache: Mutex<Cache>,
}

/// What was found out already; emptied when hosts, groups or folders are added.
#[derive(Default)]
struct Cache {
    /// By the groups that hold a host directly: most hosts share theirs with others.
    groups: HashMap<Vec<Str>, Vec<Arc<VarLayer>>>,
    hosts: HashMap<Str, Layers>,
    /// What was wrong with files of variables, until somebody asks.
    problems: Vec<Diagnostic>,
}

impl Inventory {
    /// Reads all sources, in order. What can't be read is reported, and the rest is there nevertheless.
    #[must_use]
    pub fn load(sources: &[String], registry: &Arc<Sources>) -> (Inventory, Vec<Diagnostic>) {
        let templates = Engine::new(registry.clone(), Settings::default());
        Inventory::load_with(sources, registry, &templates)
    }

    /// As [`Inventory::load`], with templates for what is made of other sources, and the passwords of encrypted files.
    #[must_use]
    pub fn load_with(
        sources: &[String],
        registry: &Arc<Sources>,
        templates: &Arc<Engine>,
    ) -> (Inventory, Vec<Diagnostic>) {
        let mut graph = Graph::new();
        let mut loader = source::Loader {
            sources: registry,
            templates,
            graph: &mut graph,
            diagnostics: Vec::new(),
            in_folder: false,
        };
        for source in sources {
            loader.load(source);
        }
        let mut diagnostics = loader.diagnostics;
        graph.settle();
        if sources.is_empty() {
            let message = "there is no inventory; the only host is localhost, which is not in `all`";
            diagnostics.push(Diagnostic::warning(code::NO_INVENTORY, message).help("give one with `-i`"));
        }
        for name in graph.groups.keys().filter(|name| graph.hosts.contains_key(*name)) {
            let message = format!("there are a group and a host with the name `{name}`");
            diagnostics.push(Diagnostic::warning(code::INVENTORY_NAME, message));
        }
        let mut inventory = Inventory {
            graph,
            sources: sources.to_vec(),
            registry: registry.clone(),
            templates: templates.clone(),
            inventory_dirs: Vec::new(),
            playbook_dirs: Vec::new(),
            cache: Mutex::default(),
        };
        for source in sources.iter().map(Path::new).filter(|source| source.exists()) {
            let folder = if source.is_dir() { source } else { source.parent().unwrap_or(Path::new("")) };
            let dir = inventory.var_dir(folder);
            if !inventory.inventory_dirs.iter().any(|known| known.path == dir.path) {
                inventory.inventory_dirs.push(dir);
            }
        }
        (inventory, diagnostics)
    }

    /// The folder with `group_vars` and `host_vars`; one that is known is not read twice.
    fn var_dir(&self, folder: &Path) -> Arc<VarDir> {
        let path = std::path::absolute(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
        let path = path.unwrap_or_else(|_| folder.to_owned());
        let known = self.inventory_dirs.iter().chain(&self.playbook_dirs).find(|dir| dir.path == path);
        known.cloned().unwrap_or_else(|| Arc::new(VarDir::new(path)))
    }

    /// Adds the folder of a playbook: its `group_vars` and `host_vars` count too.
    pub fn add_playbook_dir(&mut self, folder: &Path) {
        let dir = self.var_dir(folder);
        if !self.playbook_dirs.iter().any(|known| known.path == dir.path) {
            self.playbook_dirs.push(dir);
            self.forget();
        }
    }

    /// Reads all sources and files of variables again. Hosts that were added while running are gone.
    #[must_use]
    pub fn reload(&self) -> (Inventory, Vec<Diagnostic>) {
        let (mut fresh, diagnostics) = Inventory::load_with(&self.sources, &self.registry, &self.templates);
        for dir in &self.playbook_dirs {
            fresh.add_playbook_dir(&dir.path);
        }
        (fresh, diagnostics)
    }

    fn forget(&mut self) {
        let cache = self.cache.get_mut().unwrap_or_else(PoisonError::into_inner);
        cache.groups.clear();
        cache.hosts.clear();
    }

    /// What was given with `-i`.
    #[must_use]
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// A host of the inventory; `None` for the implicit localhost.
    #[must_use]
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.graph.hosts.get(name)
    }

    /// Whether the inventory has a host of that name; the implicit localhost does not count.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.graph.hosts.contains_key(name)
    }

    /// Whether the host exists only because it is this machine.
    #[must_use]
    pub fn is_implicit(&self, name: &str) -> bool {
        pattern::LOCALHOST.contains(&name) && !self.contains(name)
    }

    /// The file that named a host first; none for hosts of a list and those that were added while running.
    #[must_use]
    pub fn source_of(&self, host: &str) -> Option<&Path> {
        self.graph.hosts.get(host)?.source.as_deref()
    }

    /// All hosts, in the order of the sources.
    #[must_use]
    pub fn all_hosts(&self) -> &IndexMap<Str, Host> {
        &self.graph.hosts
    }

    /// The names of all hosts, in the order of the sources.
    #[must_use]
    pub fn host_names(&self) -> Vec<Str> {
        self.graph.hosts.keys().cloned().collect()
    }

    /// All groups, `all` and `ungrouped` first.
    #[must_use]
    pub fn groups(&self) -> &IndexMap<Str, Group> {
        &self.graph.groups
    }

    /// The names of all groups, `all` and `ungrouped` first.
    #[must_use]
    pub fn all_group_names(&self) -> Vec<Str> {
        self.graph.groups.keys().cloned().collect()
    }

    /// The hosts in a group and in those below it; none for a group that does not exist.
    #[must_use]
    pub fn group_hosts(&self, group: &str) -> Vec<Str> {
        self.graph.hosts_in(group).into_iter().collect()
    }

    /// The groups of a host without `all`, in the order in which their variables win.
    #[must_use]
    pub fn groups_of(&self, host: &str) -> Vec<&Group> {
        self.graph.hosts.get(host).map(|host| self.graph.groups_above(&host.groups)).unwrap_or_default()
    }

    /// `group_names`: the groups of a host without `all`, by name.
    #[must_use]
    pub fn group_names(&self, host: &str) -> Vec<Str> {
        let mut names: Vec<Str> = self.groups_of(host).iter().map(|group| group.name.clone()).collect();
        names.sort();
        names
    }

    /// The hosts that a pattern chooses. Error: the pattern is not valid.
    pub fn hosts(&self, pattern: &str) -> Result<Vec<Str>, Diagnostic> {
        self.select(pattern).map(|selection| selection.hosts.into_iter().collect())
    }

    /// As [`Inventory::hosts`], with warnings about the parts of the pattern that match nothing.
    pub fn select(&self, pattern: &str) -> Result<Selection, Diagnostic> {
        pattern::select(pattern, &self.graph)
    }

    /// The hosts that `--limit` leaves: a pattern, in which `@file` stands for the lines of a file.
    ///
    /// Error: the pattern is not valid, or the file can't be read.
    pub fn limit(&self, pattern: &str) -> Result<Selection, Diagnostic> {
        let mut terms = Vec::new();
        for term in pattern::split(pattern) {
            let Some(path) = term.strip_prefix('@') else {
                terms.push(term);
                continue;
            };
            let text = std::fs::read_to_string(path).map_err(|error| {
                Diagnostic::error(
                    code::FILE_UNREADABLE,
                    format!("can't read the limit's file {path}: {error}"),
                )
            })?;
            terms.extend(text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()));
        }
        pattern::select_terms(&terms, &self.graph)
    }

    /// Adds a host while running, or changes one: it joins the groups, and the variables win over its former ones.
    pub fn add_host(&mut self, name: &str, groups: &[Str], vars: IndexMap<Str, Binding>) {
        let name = Str::from(name);
        if groups.is_empty() && !self.contains(&name) {
            self.graph.add_host(&name, "ungrouped", None);
        }
        for group in groups {
            self.graph.add_host(&name, group, None);
        }
        if let Some(host) = self.graph.hosts.get_mut(&name).filter(|_| !vars.is_empty()) {
            Arc::make_mut(&mut host.vars).vars.extend(vars);
        }
        self.graph.settle();
        self.forget();
    }

    /// Puts a host into a group, and that into others, while running. A group that would contain itself is left out.
    pub fn group_by(&mut self, host: &str, group: &str, parents: &[Str]) {
        self.graph.add_host(&host.into(), group, None);
        for parent in parents {
            self.graph.add_child(parent, group);
        }
        self.graph.settle();
        self.forget();
    }

    /// Reads the variables of these hosts. What is wrong with them, once: mistakes mean that variables are missing.
    #[must_use]
    pub fn prepare(&self, hosts: &[Str]) -> Vec<Diagnostic> {
        for host in hosts {
            self.layers(host);
        }
        std::mem::take(&mut self.cache().problems)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The variables of a host from the inventory and the folders beside it and the playbook, lowest first.
    ///
    /// Files that can't be read are left out; [`Inventory::prepare`] tells of them.
    pub fn layers(&self, host: &str) -> Layers {
        let mut cache = self.cache();
        if let Some(layers) = cache.hosts.get(host) {
            return layers.clone();
        }
        let Cache { groups, hosts, problems } = &mut *cache;
        let known = self.graph.hosts.get(host);
        let none = IndexSet::new();
        let direct = known.map_or(&none, |host| &host.groups);
        let key: Vec<Str> = direct.iter().cloned().collect();
        let mut layers = groups.entry(key).or_insert_with(|| self.group_layers(direct, problems)).clone();
        layers.push(known.map_or_else(implicit, |host| host.vars.clone()));
        let name = Str::from(host);
        for dir in self.inventory_dirs.iter().chain(&self.playbook_dirs) {
            layers.extend(dir.load(Kind::Host, &name, &self.registry, self.templates.keyring(), problems));
        }
        layers.retain(|layer| !layer.vars.is_empty());
        hosts.entry(name).or_insert(layers.into()).clone()
    }

    /// The layers that all hosts with the same groups share.
    fn group_layers(&self, direct: &IndexSet<Str>, problems: &mut Vec<Diagnostic>) -> Vec<Arc<VarLayer>> {
        let all: Vec<&Group> = self.graph.groups.get("all").into_iter().collect();
        let groups = self.graph.groups_above(direct);
        let mut layers: Vec<Arc<VarLayer>> =
            all.iter().chain(&groups).map(|group| group.vars.clone()).collect();
        for groups in [all, groups] {
            for dir in self.inventory_dirs.iter().chain(&self.playbook_dirs) {
                for group in &groups {
                    layers.extend(dir.load(
                        Kind::Group,
                        &group.name,
                        &self.registry,
                        self.templates.keyring(),
                        problems,
                    ));
                }
            }
        }
        layers
    }

    /// The variables that a group itself brings, lowest first: for `regatta inventory --graph --vars`.
    #[must_use]
    pub fn layers_of_group(&self, group: &str) -> Vec<Arc<VarLayer>> {
        let Some(group) = self.graph.groups.get(group) else { return Vec::new() };
        let mut layers = vec![group.vars.clone()];
        let problems = &mut self.cache().problems;
        for dir in self.inventory_dirs.iter().chain(&self.playbook_dirs) {
            layers.extend(dir.load(
                Kind::Group,
                &group.name,
                &self.registry,
                self.templates.keyring(),
                problems,
            ));
        }
        layers
    }
}

impl Clone for Inventory {
    fn clone(&self) -> Inventory {
        Inventory {
            graph: self.graph.clone(),
            sources: self.sources.clone(),
            registry: self.registry.clone(),
            templates: self.templates.clone(),
            inventory_dirs: self.inventory_dirs.clone(),
            playbook_dirs: self.playbook_dirs.clone(),
            cache: Mutex::default(),
        }
    }
}

impl fmt::Debug for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inventory")
            .field("sources", &self.sources)
            .field("hosts", &self.graph.hosts.len())
            .field("groups", &self.graph.groups.len())
            .finish_non_exhaustive()
    }
}

/// The variables of the localhost that no inventory names.
fn implicit() -> Arc<VarLayer> {
    let vars = IndexMap::from([("ansible_connection".into(), Binding::Data(Value::from("local")))]);
    Arc::new(VarLayer { origin: "implicit localhost".into(), vars })
}
