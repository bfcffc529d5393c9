//! `set_fact`: the arguments; the engine sets the variables.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Control, Others};

/// Set variables of the host for the rest of the run.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Args {
    /// Keep them in the fact cache for later runs too.
    #[serde(default)]
    pub cacheable: bool,
    /// The variables.
    #[serde(rename = "@others")]
    #[schemars(skip)]
    pub variables: Others,
}

impl Control for Args {
    const EXAMPLES: &'static str = "
- name: Two variables
  set_fact:
    application_port: 8080
    application_paths:
      - /srv/app
      - /var/lib/app
";
    const RETURNS: &'static str = "ansible_facts: The variables.";
    const OPEN: bool = true;
}
