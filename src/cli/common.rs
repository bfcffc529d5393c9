//! Options that several commands share, and how commands end.

use std::path::PathBuf;
use std::process::{ExitCode, Termination};

use clap::{ArgAction, Args, ValueEnum};

use super::vault::VaultOptions;
use crate::connection::HostKeyCheck;
use crate::output::Format;

/// How a command ended, as exit codes of Ansible's commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Ok,
    /// Something could not be done at all: a missing playbook, a limit that matches nothing.
    Error,
    /// A host failed.
    Failed,
    /// The options are wrong.
    Usage,
    /// A host could not be reached.
    Unreachable,
    /// The playbook can't be understood.
    Parse,
    /// The user stopped the run.
    Interrupted,
    /// A mistake in the program.
    Bug,
}

impl Exit {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::Error => 1,
            Exit::Failed | Exit::Usage => 2,
            Exit::Unreachable | Exit::Parse => 4,
            Exit::Interrupted => 99,
            Exit::Bug => 250,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

/// Where the hosts come from.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct InventoryOptions {
    /// Inventory file, folder, script, or a list of hosts with a comma in it
    #[arg(short = 'i', long = "inventory", visible_alias = "inventory-file", value_name = "SOURCE", action = ArgAction::Append)]
    pub(super) inventory: Vec<String>,
    /// Only hosts that match this pattern too
    #[arg(short = 'l', long = "limit", value_name = "PATTERN")]
    pub(super) limit: Option<String>,
    /// Variables: key=value, JSON, YAML or @file
    #[arg(short = 'e', long = "extra-vars", value_name = "VARS", action = ArgAction::Append)]
    pub(super) extra_vars: Vec<String>,
    /// Only print the hosts that match
    #[arg(long = "list-hosts")]
    pub(super) list_hosts: bool,
    /// Forget cached facts first
    #[arg(long = "flush-cache")]
    pub(super) flush_cache: bool,
    #[command(flatten)]
    pub(super) vault: VaultOptions,
}

/// How hosts are reached, and as whom tasks run.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct ConnectOptions {
    /// Log in as this user
    #[arg(short = 'u', long = "user", value_name = "USER")]
    pub(super) user: Option<String>,
    /// Log in with this key file
    #[arg(long = "private-key", visible_alias = "key-file", value_name = "FILE")]
    pub(super) private_key: Option<PathBuf>,
    /// Ask for the password to log in with
    #[arg(short = 'k', long = "ask-pass")]
    pub(super) ask_pass: bool,
    /// Read the password to log in with from a file
    #[arg(
        long = "connection-password-file",
        visible_alias = "conn-pass-file",
        value_name = "FILE",
        conflicts_with = "ask_pass"
    )]
    pub(super) password_file: Option<PathBuf>,
    /// How to connect: ssh or local
    #[arg(short = 'c', long = "connection", value_name = "KIND")]
    pub(super) connection: Option<String>,
    /// Seconds to connect and log in
    #[arg(short = 'T', long = "timeout", value_name = "SECONDS")]
    pub(super) timeout: Option<u64>,
    /// What to do with host keys
    #[arg(long = "host-key-check", value_name = "HOW")]
    pub(super) host_key_check: Option<HostKeys>,
    /// Options for ssh (-o Name=value, -J host …)
    #[arg(long = "ssh-common-args", value_name = "ARGS", allow_hyphen_values = true)]
    pub(super) ssh_common_args: Option<String>,
    /// More options for ssh
    #[arg(long = "ssh-extra-args", value_name = "ARGS", allow_hyphen_values = true)]
    pub(super) ssh_extra_args: Option<String>,
    /// Run tasks as another user
    #[arg(short = 'b', long = "become")]
    pub(super) become_: bool,
    /// How to become that user: sudo, su or doas
    #[arg(long = "become-method", value_name = "METHOD")]
    pub(super) become_method: Option<String>,
    /// The user to become
    #[arg(long = "become-user", value_name = "USER")]
    pub(super) become_user: Option<String>,
    /// Ask for the password to become that user
    #[arg(short = 'K', long = "ask-become-pass")]
    pub(super) ask_become_pass: bool,
    /// Read the password to become that user from a file
    #[arg(
        long = "become-password-file",
        visible_alias = "become-pass-file",
        value_name = "FILE",
        conflicts_with = "ask_become_pass"
    )]
    pub(super) become_password_file: Option<PathBuf>,
}

/// How tasks run and what is shown.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Run")]
pub(super) struct RunOptions {
    /// Hosts at the same time
    #[arg(short = 'f', long = "forks", value_name = "NUMBER")]
    pub(super) forks: Option<usize>,
    /// Predict what would change and change nothing
    #[arg(short = 'C', long = "check")]
    pub(super) check: bool,
    /// Show before and after of what changes
    #[arg(short = 'D', long = "diff")]
    pub(super) diff: bool,
    /// Show more; more often for even more
    #[arg(short = 'v', long = "verbose", action = ArgAction::Count)]
    pub(super) verbose: u8,
    /// How to show what happens
    #[arg(long = "output", value_name = "FORMAT")]
    pub(super) output: Option<OutputFormat>,
    /// When to use colors
    #[arg(long = "color", value_name = "WHEN")]
    pub(super) color: Option<clap::ColorChoice>,
    /// Show the time that each task took
    #[arg(long = "profile")]
    pub(super) profile: bool,
    /// Write a JUnit report to this file
    #[arg(long = "junit", value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
}

/// `--host-key-check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum HostKeys {
    /// Only keys that known_hosts has
    Strict,
    /// Add unknown keys, refuse changed ones
    AcceptNew,
    /// Take any key
    Off,
}

impl From<HostKeys> for HostKeyCheck {
    fn from(keys: HostKeys) -> HostKeyCheck {
        match keys {
            HostKeys::Strict => HostKeyCheck::Strict,
            HostKeys::AcceptNew => HostKeyCheck::AcceptNew,
            HostKeys::Off => HostKeyCheck::Off,
        }
    }
}

/// `--output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    /// For people
    Human,
    /// A result's own text, nothing around it
    Minimal,
    /// One line a result
    Oneline,
    /// One JSON document at the end
    Json,
    /// One JSON object a line, as things happen
    Jsonl,
}

impl From<OutputFormat> for Format {
    fn from(format: OutputFormat) -> Format {
        match format {
            OutputFormat::Human => Format::Human,
            OutputFormat::Minimal => Format::Minimal,
            OutputFormat::Oneline => Format::Oneline,
            OutputFormat::Json => Format::Json,
            OutputFormat::Jsonl => Format::Jsonl,
        }
    }
}

/// A new folder that only this user can look into, removed when it is dropped.
pub(super) fn private_folder(inside: &std::path::Path) -> std::io::Result<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".regatta-").permissions(std::fs::Permissions::from_mode(0o700)).tempdir_in(inside)
}
