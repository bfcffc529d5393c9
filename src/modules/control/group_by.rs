//! `group_by`: the arguments; the engine makes the groups.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::Control;

/// Put hosts into groups by something they differ in, for the plays that follow.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The name of the group; a template gives every host its own. Spaces become dashes.
    pub key: String,
    /// The groups that the new group belongs to.
    #[serde(default = "all")]
    pub parents: Vec<String>,
}

fn all() -> Vec<String> {
    vec!["all".into()]
}

impl Control for Args {
    const EXAMPLES: &'static str = "
- name: One group for each system
  group_by:
    key: os_{{ ansible_facts.distribution }}
    parents: systems
";
    const RETURNS: &'static str = "
add_group: The name of the group.
parent_groups: The groups that it belongs to.
";
}
