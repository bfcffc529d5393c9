//! `import_tasks`: the arguments; the playbook's loader and the engine do the work.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::Control;

/// Bring the tasks of a file in before the run.
///
/// Tags, conditions and other keywords of this task count for every task in the file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The file, relative to the one that this task is in; also the task's free text.
    pub file: String,
}

impl Control for Args {
    const EXAMPLES: &'static str = "
- name: The installation
  import_tasks: install.yml
";
    const FREE_FORM: Option<&'static str> = Some("file");
}
