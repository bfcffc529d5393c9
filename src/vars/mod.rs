//! Which value wins: the variables of one host at one task, in Ansible's order of precedence.
//!
//! Nothing is merged ahead of time: a [`TaskScope`] is a handful of shared layers, asked from the strongest to the
//! weakest when a template uses a name. `template` sees it through its trait `Scope`.

mod cache;
mod facts;
mod hostvars;
mod magic;
mod scope;

use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;

pub use cache::FactCache;
pub use facts::HostData;
pub use magic::absolute;
pub use scope::{RoleLayers, TaskLayers, TaskScope};

use crate::inventory::Inventory;
use crate::template::Binding;
use crate::value::{Map, Str, Value};
use crate::yaml::NodeMap;

/// Variables with what they stand for.
pub type Bindings = IndexMap<Str, Binding>;

/// What is the same for the whole run.
#[derive(Debug)]
pub struct RunVars {
    /// `-e`; win over all but magic variables.
    pub extra: Bindings,
    /// Magic variables that never change: `ansible_version`, `ansible_forks`, `ansible_run_tags` …
    pub fixed: Map,
}

/// What is the same for a play.
#[derive(Clone, Debug, Default)]
pub struct PlayVars {
    /// Its name.
    pub name: Option<Str>,
    /// Its folder, then the folder of the first playbook.
    pub dir: PathBuf,
    /// `playbook_dir`.
    pub playbook_dir: PathBuf,
    /// `vars`.
    pub vars: Arc<NodeMap>,
    /// Answers to `vars_prompt`: never templated.
    pub prompted: Map,
    /// Defaults of the roles that the whole play sees, in order of loading: the last wins.
    pub public_defaults: Vec<Arc<NodeMap>>,
    /// Vars of those roles.
    pub public_vars: Vec<Arc<NodeMap>>,
    /// `ansible_play_role_names` and its like.
    pub role_names: RoleNames,
}

/// Names of a play's roles, in the order in which they run.
#[derive(Clone, Debug, Default)]
pub struct RoleNames {
    /// Those that the play names itself.
    pub of_play: Vec<Str>,
    /// Those that they depend on.
    pub dependent: Vec<Str>,
}

/// What changes while a play runs, for all hosts; one copy is shared by everything that looks at the same moment.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Hosts and groups.
    pub inventory: Arc<Inventory>,
    /// `groups`, made from the inventory.
    pub groups: Value,
    /// What is known of each host.
    pub hosts: IndexMap<Str, Arc<HostData>>,
    /// `ansible_play_hosts_all`.
    pub play_hosts_all: Value,
    /// `ansible_play_hosts`: those still alive.
    pub play_hosts: Value,
    /// `ansible_play_batch`.
    pub play_batch: Value,
}
