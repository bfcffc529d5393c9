//! `set_stats`: the arguments; the engine keeps the values for the recap.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Control, Map};

/// Keep values for the end of the run, where outputs show them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The values by their names.
    #[schemars(with = "std::collections::BTreeMap<String, crate::value::Value>")]
    pub data: Map,
    /// Keep them for each host instead of for the run.
    #[serde(default)]
    pub per_host: bool,
    /// Add to a value that is there already (numbers, texts, lists, mappings) instead of replacing it.
    #[serde(default = "yes")]
    pub aggregate: bool,
}

fn yes() -> bool {
    true
}

impl Control for Args {
    const EXAMPLES: &'static str = "
- name: How many packages were upgraded
  set_stats:
    data:
      upgraded: 12
    per_host: true
";
    const RETURNS: &'static str = "ansible_stats: The values, and how they are kept.";
}
