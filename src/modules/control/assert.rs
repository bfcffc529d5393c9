//! `assert`: the arguments; the engine evaluates the conditions.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Control, Value};

/// Fail unless all conditions hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// A condition or a list of conditions, as in `when`.
    pub that: Value,
    /// What to say if one does not hold; text or a list of lines.
    #[serde(alias = "msg")]
    #[schemars(extend("x-aliases" = ["msg"]))]
    pub fail_msg: Option<Value>,
    /// What to say if all hold; text or a list of lines.
    pub success_msg: Option<Value>,
    /// Say less.
    #[serde(default)]
    pub quiet: bool,
}

impl Control for Args {
    const EXAMPLES: &'static str = "
- name: Only what we support
  assert:
    that:
      - ansible_facts.os_family == 'Debian'
      - port | int > 1024
    fail_msg: This host can't run the application
";
    const RETURNS: &'static str = "
msg: The message.
assertion: The condition that does not hold.
evaluated_to: False, if one does not hold.
";
}
