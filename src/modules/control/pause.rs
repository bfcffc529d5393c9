//! `pause`: the arguments; the engine waits.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::Control;

/// Wait for a time, or for the user.
///
/// Without a time it waits for the enter key. It pauses all hosts at once.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// How many minutes to wait.
    pub minutes: Option<f64>,
    /// How many seconds to wait.
    pub seconds: Option<f64>,
    /// What to ask; the answer is returned.
    pub prompt: Option<String>,
    /// Show what is typed.
    #[serde(default = "yes")]
    pub echo: bool,
}

fn yes() -> bool {
    true
}

impl Control for Args {
    const EXAMPLES: &'static str = "
- name: Let the cache warm up
  pause:
    minutes: 5

- name: Ask for the password of the certificate
  pause:
    prompt: Password of the certificate
    echo: false
  register: certificate
  no_log: true
";
    const RETURNS: &'static str = "
user_input: What was typed.
start: When it began.
stop: When it ended.
delta: How many seconds it took.
stdout: What it did, in words.
";
}
