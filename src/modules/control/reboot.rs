//! `reboot`: the arguments; the engine does the work, for it is what must outlive the connection.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Control, Support};

/// Restart the host, and wait until it is back.
///
/// The connection is made anew afterwards. Becomes who the task becomes. Refuses to restart this machine over a local
/// connection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Seconds until the restart. Most systems count in minutes: less than 60 is at once.
    #[serde(default, alias = "pre_reboot_delay_sec")]
    #[schemars(extend("x-aliases" = ["pre_reboot_delay_sec"]))]
    pub pre_reboot_delay: i64,
    /// Seconds to wait after the restart began before the host is looked for.
    #[serde(default, alias = "post_reboot_delay_sec")]
    #[schemars(extend("x-aliases" = ["post_reboot_delay_sec"]))]
    pub post_reboot_delay: i64,
    /// Seconds that the host may take to come back, and as many again for the test command.
    #[serde(default = "ten_minutes", alias = "reboot_timeout_sec")]
    #[schemars(extend("x-aliases" = ["reboot_timeout_sec"]))]
    pub reboot_timeout: u64,
    /// Seconds that one try to connect may take; by default those of the connection.
    #[serde(alias = "connect_timeout_sec")]
    #[schemars(extend("x-aliases" = ["connect_timeout_sec"]))]
    pub connect_timeout: Option<u64>,
    /// A command that must succeed before the host counts as back.
    #[serde(default = "whoami")]
    pub test_command: String,
    /// A command that prints something else after each start.
    #[serde(default = "boot_id")]
    pub boot_time_command: String,
    /// What the host's users are told.
    #[serde(default = "message")]
    pub msg: String,
    /// Where the command that restarts is looked for.
    #[serde(default = "folders")]
    pub search_paths: Vec<String>,
    /// The command that restarts, with its arguments; by default `shutdown -r`, on Alpine `reboot`.
    pub reboot_command: Option<String>,
}

fn ten_minutes() -> u64 {
    600
}

fn whoami() -> String {
    "whoami".into()
}

fn boot_id() -> String {
    "cat /proc/sys/kernel/random/boot_id".into()
}

fn message() -> String {
    "Reboot initiated by Ansible".into()
}

fn folders() -> Vec<String> {
    ["/sbin", "/bin", "/usr/sbin", "/usr/bin", "/usr/local/sbin"].map(str::to_owned).into()
}

impl Control for Args {
    const SUPPORT: Support = Support::IMPERATIVE;
    const EXAMPLES: &'static str = "
- name: Restart, and wait until the host is back
  reboot:

- name: Restart a slow host
  reboot:
    reboot_timeout: 3600
    msg: A new kernel was installed

- name: Give it time to settle
  reboot:
    post_reboot_delay: 30
    test_command: systemctl is-active docker
";
    const RETURNS: &'static str = "
rebooted: Whether it was restarted.
elapsed: How many seconds it took.
";
}
