//! `validate_argument_spec`: the arguments; the engine compares what is given with what is specified.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Control, Value};

/// Check arguments against a specification.
///
/// Plays do this by themselves for roles that have a `meta/argument_specs.yml`, before the role's first task.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The options by name, each with `type`, `required`, `choices`, `elements`, `options` and so on.
    pub argument_spec: Value,
    /// What is given, by name; it wins over variables of the same names.
    pub provided_arguments: Option<Value>,
    /// What the arguments are for; returned as it is.
    pub validate_args_context: Option<Value>,
}

impl Control for Args {
    const EXAMPLES: &'static str = "
- name: The service needs a port
  validate_argument_spec:
    argument_spec:
      port:
        type: int
        required: true
      protocol:
        choices: [tcp, udp]
    provided_arguments:
      port: 8080
";
    const RETURNS: &'static str = "
argument_errors: What is wrong, one text for each mistake.
argument_spec_data: The specification, if something is wrong.
validate_args_context: As given.
msg: What is wrong, or that nothing is.
";
}
