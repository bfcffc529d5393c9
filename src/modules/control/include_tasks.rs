//! `include_tasks`: the arguments; the playbook's loader and the engine do the work.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Control, Map};

/// Run the tasks of a file when the play comes to this task.
///
/// The file's name may come from a result or a loop. Tags and conditions of this task are those of the including alone;
/// `apply` gives keywords to the tasks in the file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The file, relative to the one that this task is in; also the task's free text.
    pub file: String,
    /// Keywords for every task in the file.
    #[schemars(with = "Option<std::collections::BTreeMap<String, crate::value::Value>>")]
    pub apply: Option<Map>,
}

impl Control for Args {
    const EXAMPLES: &'static str = "
- name: What differs between systems
  include_tasks: \"setup-{{ ansible_facts.os_family }}.yml\"

- name: With a tag for all of them
  include_tasks:
    file: install.yml
    apply:
      tags: [install]
";
    const FREE_FORM: Option<&'static str> = Some("file");
}
