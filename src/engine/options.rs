//! What a run is told: everything that the command line, the environment and `ansible.cfg` decided.

use std::path::PathBuf;
use std::time::Duration;

use crate::connection::HostKeyCheck;
use crate::secret::Secret;
use crate::value::{Map, Str};
use crate::vars::{Bindings, FactCache};

/// When facts are gathered for plays that do not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gathering {
    /// In every play.
    #[default]
    Implicit,
    /// Only in plays that ask for it.
    Explicit,
    /// Once a host and run.
    Smart,
}

/// The options of a run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `-C`: predict, change nothing.
    pub check: bool,
    /// `-D`: show before and after.
    pub diff: bool,
    /// `-f`: hosts at the same time.
    pub forks: usize,
    /// `-v`, counted.
    pub verbosity: u8,
    /// `-t`; empty: all.
    pub tags: Vec<Str>,
    /// `--skip-tags`.
    pub skip_tags: Vec<Str>,
    /// `-l`.
    pub limit: Option<String>,
    /// `--start-at-task`.
    pub start_at_task: Option<String>,
    /// `--step`.
    pub step: bool,
    /// `-e`, in order.
    pub extra_vars: Bindings,
    /// Magic variables that the command line knows: `ansible_inventory_sources`, `ansible_config_file` …
    pub fixed_vars: Map,
    /// `-u`, `remote_user`.
    pub remote_user: Option<String>,
    /// `--private-key`.
    pub private_key: Option<PathBuf>,
    /// `-c`.
    pub connection: Option<String>,
    /// `-b`.
    pub become_: bool,
    /// `--become-method`.
    pub become_method: Option<String>,
    /// `--become-user`.
    pub become_user: Option<String>,
    /// `become_exe` of the settings.
    pub become_exe: Option<String>,
    /// `become_flags` of the settings.
    pub become_flags: Option<String>,
    /// What `-k` asked for.
    pub ssh_password: Option<Secret>,
    /// What `-K` asked for.
    pub become_password: Option<Secret>,
    /// `-T`: to connect and log in.
    pub timeout: Duration,
    /// How often to try again to connect.
    pub connection_retries: u32,
    /// `host_key_checking`, if said.
    pub host_keys: Option<HostKeyCheck>,
    /// `--ssh-common-args` and `--ssh-extra-args`, split.
    pub ssh_args: Vec<String>,
    /// `gathering`.
    pub gathering: Gathering,
    /// Where facts are kept from run to run.
    pub fact_cache: Option<FactCache>,
    /// `--flush-cache`: forget them first.
    pub flush_cache: bool,
    /// `fact_path` of the settings.
    pub fact_path: Option<String>,
    /// The strategy of plays that name none.
    pub strategy: Option<String>,
    /// `gather_subset` of the settings.
    pub gather_subset: Option<String>,
    /// `--force-handlers`.
    pub force_handlers: bool,
    /// `any_errors_fatal` of the settings.
    pub any_errors_fatal: bool,
    /// Hide every task's result (`no_log` of the settings).
    pub no_log: bool,
    /// Show lines of running commands as they come.
    pub live: bool,
}

/// Asks the user. The engine itself never touches a terminal.
pub trait Prompt: Send + Sync {
    /// A line from the user; none when there is nobody to ask. `hidden`: do not show what is typed.
    fn ask(&self, text: &str, hidden: bool) -> Option<String>;
    /// Waits until the user presses Enter (true) or the time is over or an abort is asked for (false).
    fn pause(&self, text: &str, limit: Option<Duration>) -> bool;
}
