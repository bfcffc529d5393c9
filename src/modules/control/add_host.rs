//! `add_host`: the arguments; the engine adds to the inventory.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Control, Others};

/// Add a host to the inventory of this run, for the plays that follow.
///
/// Runs once, whatever the number of hosts in the play.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Args {
    /// The host, perhaps with `:port`.
    #[serde(alias = "hostname", alias = "host")]
    #[schemars(extend("x-aliases" = ["hostname", "host"]))]
    pub name: String,
    /// The groups it belongs to.
    #[serde(default, alias = "groupname", alias = "group")]
    #[schemars(extend("x-aliases" = ["groupname", "group"]))]
    pub groups: Vec<String>,
    /// Its variables.
    #[serde(rename = "@others")]
    #[schemars(skip)]
    pub variables: Others,
}

impl Control for Args {
    const EXAMPLES: &'static str = "
- name: The machine that was just made
  add_host:
    name: \"{{ machine.address }}\"
    groups: new
    ansible_user: admin
";
    const RETURNS: &'static str = "add_host: The host, its groups and its variables.";
    const OPEN: bool = true;
}
