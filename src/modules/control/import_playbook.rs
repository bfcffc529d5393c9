//! `import_playbook`: the arguments; the playbook's loader brings the plays in.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::Control;

/// Bring the plays of another playbook in. Stands beside plays, not among tasks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The playbook, relative to this one; also the free text.
    pub file: String,
}

impl Control for Args {
    const EXAMPLES: &'static str = "
- name: The database servers
  import_playbook: databases.yml
  vars:
    port: 5432
";
    const FREE_FORM: Option<&'static str> = Some("file");
}
