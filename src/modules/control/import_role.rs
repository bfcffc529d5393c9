//! `import_role`: the arguments; the playbook's loader and the engine do the work.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::Control;

/// Bring the tasks of a role in before the run.
///
/// Tags, conditions and other keywords of this task count for every task of the role.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The role.
    #[serde(alias = "role")]
    #[schemars(extend("x-aliases" = ["role"]))]
    pub name: String,
    /// The file of the role's `tasks` to begin with.
    #[serde(default = "main")]
    pub tasks_from: String,
    /// The file of the role's `vars` to read.
    #[serde(default = "main")]
    pub vars_from: String,
    /// The file of the role's `defaults` to read.
    #[serde(default = "main")]
    pub defaults_from: String,
    /// The file of the role's `handlers` to read.
    #[serde(default = "main")]
    pub handlers_from: String,
    /// Leave the role's defaults and variables there for the rest of the play.
    #[serde(default = "yes")]
    pub public: bool,
    /// Run the role again even if it ran before with the same parameters.
    #[serde(default = "yes")]
    pub allow_duplicates: bool,
    /// Check the role's parameters against its `argument_specs` first.
    #[serde(default = "yes")]
    pub rolespec_validate: bool,
}

fn main() -> String {
    "main".into()
}

fn yes() -> bool {
    true
}

impl Control for Args {
    const EXAMPLES: &'static str = "
- name: The web server
  import_role:
    name: nginx
    tasks_from: install
";
}
