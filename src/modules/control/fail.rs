//! `fail`: the arguments; the engine fails the task.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::Control;

/// Fail with a message. Mostly used with `when`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Why.
    #[serde(default = "requested")]
    pub msg: String,
}

fn requested() -> String {
    "Failed as requested from task".into()
}

impl Control for Args {
    const EXAMPLES: &'static str = "
- name: Stop on a system that can't work
  fail:
    msg: This needs at least 2 GB of memory
  when: ansible_facts.memtotal_mb < 2048
";
    const RETURNS: &'static str = "msg: The message.";
}
