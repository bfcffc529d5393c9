//! `raw`: the arguments only; the engine runs the text over the connection, without a worker.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Control, HostPath, Support};

/// Run a command line over the connection as it is, without the worker.
///
/// For hosts where the worker can't run yet, and for devices. Nothing is checked and nothing is returned but the output.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The command line as the task's free text.
    #[serde(rename = "_raw_params")]
    pub raw_params: Option<String>,
    /// The shell to run it with; by default the user's login shell.
    pub executable: Option<HostPath>,
}

impl Control for Args {
    const SUPPORT: Support = Support { check: false, diff: false, idempotent: false };
    const EXAMPLES: &'static str = "
- name: Is it up?
  raw: uptime

- name: With another shell
  raw: cat < /tmp/*txt
  args:
    executable: /bin/bash
";
    const RETURNS: &'static str = "
rc: The exit code.
stdout: What it printed, newlines at the end included.
stdout_lines: The same as a list of lines.
stderr: What it printed on standard error.
stderr_lines: The same as a list of lines.
";
    const FREE_FORM: Option<&'static str> = Some("_raw_params");
}
