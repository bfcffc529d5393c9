//! `debug`: the arguments; the engine shows the message or the variable.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Control, Value};

/// Show a message or a variable.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// What to show; text, or any value.
    #[schemars(extend("default" = "Hello world!"))]
    pub msg: Option<Value>,
    /// The variable or expression to show, without `{{ }}`. Not together with `msg`.
    pub var: Option<Value>,
    /// Show it only with this many `-v`.
    #[serde(default)]
    pub verbosity: u64,
}

impl Control for Args {
    const EXAMPLES: &'static str = "
- name: A message
  debug:
    msg: The system has the address {{ ansible_default_ipv4.address }}

- name: A variable
  debug:
    var: result
    verbosity: 2
";
    const RETURNS: &'static str =
        "msg: The message. With `var` a field of that name holds the value instead.";
}
