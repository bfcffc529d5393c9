//! `wait_for_connection`: the arguments; the engine waits.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::Control;

/// Wait until the host can be reached and used.
///
/// Each try makes a new connection, starts the worker and runs `ping` there. Skipped in check mode.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Seconds that one try to connect may take.
    #[serde(default = "five")]
    pub connect_timeout: u64,
    /// Seconds to wait before the first try.
    #[serde(default)]
    pub delay: u64,
    /// Seconds between two tries.
    #[serde(default = "one")]
    pub sleep: u64,
    /// Seconds to wait at the most.
    #[serde(default = "ten_minutes")]
    pub timeout: u64,
}

fn five() -> u64 {
    5
}

fn one() -> u64 {
    1
}

fn ten_minutes() -> u64 {
    600
}

impl Control for Args {
    const EXAMPLES: &'static str = "
- name: Wait until the new machine is up
  wait_for_connection:

- name: Give it a minute first
  wait_for_connection:
    delay: 60
    timeout: 300
";
    const RETURNS: &'static str = "
elapsed: How many seconds it took.
";
}
