//! `include_vars`: the arguments; the engine reads the files.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::Control;

/// Read variables from files of the controller while the play runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The file as the task's free text.
    #[serde(rename = "_raw_params")]
    pub raw_params: Option<String>,
    /// The file; a relative one is looked for in the role's `vars` and beside the playbook.
    pub file: Option<String>,
    /// A folder: every file in it is read, in the order of their names.
    pub dir: Option<String>,
    /// Put the variables into a mapping of this name instead of setting them one by one.
    pub name: Option<String>,
    /// How many levels of folders below `dir` to go into; 0: all.
    #[serde(default)]
    pub depth: u32,
    /// Read only files in `dir` whose name this regular expression finds.
    pub files_matching: Option<String>,
    /// Names of files in `dir` to leave out.
    #[serde(default)]
    pub ignore_files: Vec<String>,
    /// Endings of files in `dir` to read.
    #[serde(default = "extensions")]
    pub extensions: Vec<String>,
    /// Leave files in `dir` with other endings out instead of failing.
    #[serde(default)]
    pub ignore_unknown_extensions: bool,
    /// What happens to a mapping that is there already; by default it is replaced.
    pub hash_behaviour: Option<Merge>,
}

/// What happens to a mapping that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Merge {
    /// The new one counts.
    Replace,
    /// The new one's keys are added to the old one's.
    Merge,
}

fn extensions() -> Vec<String> {
    ["json", "yaml", "yml"].map(str::to_owned).to_vec()
}

impl Control for Args {
    const EXAMPLES: &'static str = "
- name: What differs between systems
  include_vars: \"{{ ansible_facts.os_family }}.yml\"

- name: A whole folder under one name
  include_vars:
    dir: vars/services
    name: services
    extensions: [yml]
";
    const RETURNS: &'static str = "
ansible_facts: The variables.
ansible_included_var_files: The files that were read.
";
    const FREE_FORM: Option<&'static str> = Some("_raw_params");
}
