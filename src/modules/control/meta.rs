//! `meta`: the argument; the engine does what it says.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::Control;

/// Influence how the play goes on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// What to do, as the task's free text.
    #[serde(rename = "_raw_params")]
    pub action: Action,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Run the handlers that were notified so far.
    FlushHandlers,
    /// Read the inventory again.
    RefreshInventory,
    /// Nothing.
    Noop,
    /// Forget the facts of the hosts.
    ClearFacts,
    /// Take failed and unreachable hosts back into the play.
    ClearHostErrors,
    /// End the play without failing.
    EndPlay,
    /// End the play for this host without failing.
    EndHost,
    /// End this batch of hosts; the next batch goes on.
    EndBatch,
    /// End the role that the task is in for this host.
    EndRole,
    /// Close the connection; the next task opens a new one.
    ResetConnection,
}

impl Control for Args {
    const EXAMPLES: &'static str = "
- name: Run the handlers now
  meta: flush_handlers

- name: Nothing to do on an old system
  meta: end_host
  when: ansible_facts.distribution_major_version | int < 10
";
    const FREE_FORM: Option<&'static str> = Some("_raw_params");
}
