//! Magic variables: what the run itself says. Nothing can override them.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::scope::{AllVars, all_hosts};
use super::{Moment, TaskScope};
use crate::template::Binding;
use crate::value::{Map, Str, Value};

/// The names that [`lookup`] knows besides the run's fixed ones.
pub(super) const NAMES: &[&str] = &[
    "ansible_collection_name",
    "ansible_dependent_role_names",
    "ansible_facts",
    "ansible_parent_role_names",
    "ansible_parent_role_paths",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_name",
    "ansible_play_role_names",
    "ansible_role_name",
    "ansible_role_names",
    "ansible_search_path",
    "environment",
    "group_names",
    "groups",
    "hostvars",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "omit",
    "play_hosts",
    "playbook_dir",
    "role_name",
    "role_names",
    "role_path",
    "role_uuid",
    "vars",
];

/// What a magic name stands for in a scope.
pub(super) fn lookup(scope: &TaskScope, name: &str) -> Option<Binding> {
    let value = match name {
        "hostvars" => return Some(all_hosts(scope)),
        "vars" => return Some(Binding::Lazy(Arc::new(AllVars(scope.clone())))),
        "omit" => Value::Omit,
        "groups" => scope.moment.groups.clone(),
        "inventory_hostname" => Value::Str(scope.host.clone()?),
        "inventory_hostname_short" => Value::from(scope.host.as_ref()?.split('.').next().unwrap_or_default()),
        "group_names" => group_names(&scope.moment, scope.host.as_ref()?),
        "inventory_file" => path(&absolute(scope.moment.inventory.source_of(scope.host.as_ref()?)?)),
        "inventory_dir" => path(absolute(scope.moment.inventory.source_of(scope.host.as_ref()?)?).parent()?),
        "playbook_dir" => path(&scope.play.playbook_dir),
        "ansible_play_name" => Value::Str(scope.play.name.clone()?),
        "ansible_play_hosts" | "play_hosts" => scope.moment.play_hosts.clone(),
        "ansible_play_hosts_all" => scope.moment.play_hosts_all.clone(),
        "ansible_play_batch" => scope.moment.play_batch.clone(),
        "ansible_play_role_names" | "role_names" => texts(&scope.play.role_names.of_play),
        "ansible_dependent_role_names" => unique(&scope.play.role_names.dependent, &[]),
        "ansible_role_names" => unique(&scope.play.role_names.dependent, &scope.play.role_names.of_play),
        "ansible_facts" => facts(scope)?,
        "environment" => {
            scope.task.as_ref()?.task.common.environment.iter().map(crate::yaml::Node::to_value).collect()
        }
        "ansible_search_path" => scope.task.as_ref()?.search_path.iter().map(|dir| path(dir)).collect(),
        _ if name.starts_with("role_") || name.starts_with("ansible_") => {
            return of_role(scope, name).or_else(|| scope.run.fixed.get(name).cloned()).map(Binding::Data);
        }
        _ => return None,
    };
    Some(Binding::Data(value))
}

fn texts(names: &[Str]) -> Value {
    names.iter().cloned().map(Value::Str).collect()
}

/// The names of both lists, each once.
fn unique(first: &[Str], second: &[Str]) -> Value {
    let all: indexmap::IndexSet<&Str> = first.iter().chain(second).collect();
    all.into_iter().cloned().map(Value::Str).collect()
}

fn facts(scope: &TaskScope) -> Option<Value> {
    scope.host.as_ref()?;
    Some(Value::Map(scope.data.ansible_facts.clone()))
}

fn of_role(scope: &TaskScope, name: &str) -> Option<Value> {
    let role = || scope.task.as_ref()?.task.role.as_ref();
    Some(match name {
        "role_name" | "ansible_role_name" => Value::Str(match (name, &role()?.collection) {
            ("ansible_role_name", Some(collection)) => Str::from(format!("{collection}.{}", role()?.name)),
            _ => role()?.name.clone(),
        }),
        "role_path" => path(&role()?.path),
        "role_uuid" => Value::Str(role()?.uuid.clone()),
        "ansible_collection_name" => Value::Str(role()?.collection.clone()?),
        // Nearest first, as ansible-core gives them.
        "ansible_parent_role_names" => role()?.parents.iter().rev().cloned().map(Value::Str).collect(),
        "ansible_parent_role_paths" => role()?.parent_paths.iter().rev().map(|dir| path(dir)).collect(),
        _ => return None,
    })
}

/// A path from the root, without `.` and `..`; links stay.
#[must_use]
pub fn absolute(path: &Path) -> PathBuf {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut plain = PathBuf::new();
    for part in full.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

fn path(path: &Path) -> Value {
    Value::from(path.to_string_lossy().into_owned())
}

/// The groups of a host without `all`, sorted.
fn group_names(moment: &Moment, host: &str) -> Value {
    let mut names = moment.inventory.group_names(host);
    names.retain(|name| &**name != "all");
    names.sort();
    names.into_iter().map(Value::Str).collect()
}

/// `groups`: every group's hosts, parents' with those of their children.
#[must_use]
pub(super) fn groups(inventory: &crate::inventory::Inventory) -> Value {
    let hosts_of = |group: &Str| inventory.group_hosts(group).into_iter().map(Value::Str).collect::<Value>();
    Value::map(
        inventory
            .all_group_names()
            .into_iter()
            .map(|group| (group.clone(), hosts_of(&group)))
            .collect::<Map>(),
    )
}

impl Moment {
    /// The moment before the first play.
    #[must_use]
    pub fn new(inventory: Arc<crate::inventory::Inventory>) -> Moment {
        Moment {
            groups: groups(&inventory),
            inventory,
            hosts: indexmap::IndexMap::new(),
            play_hosts_all: Value::Null,
            play_hosts: Value::Null,
            play_batch: Value::Null,
        }
    }

    /// Takes a changed inventory.
    pub fn set_inventory(&mut self, inventory: Arc<crate::inventory::Inventory>) {
        self.groups = groups(&inventory);
        self.inventory = inventory;
    }
}
