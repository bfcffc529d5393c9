//! The command line: what was typed, and which command does it. Ends with Ansible's exit codes.

mod check;
mod common;
mod completions;
mod doc;
mod extra_vars;
mod galaxy;
mod inventory;
mod play;
mod plugins;
mod run;
pub mod settings;
mod setup;
mod signals;
mod templates;
mod terminal;
mod vault;

use std::ffi::OsString;
use std::path::Path;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use common::Exit;

/// Runs Ansible playbooks over SSH with a small static worker instead of Python.
#[derive(Debug, Parser)]
#[command(name = "regatta", version, about, max_term_width = 100, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run playbooks
    Play(play::PlayArgs),
    /// Run one module on the hosts of a pattern
    Run(run::RunArgs),
    /// Find the mistakes of playbooks without connecting anywhere
    Check(check::CheckArgs),
    /// Show hosts, groups and variables
    Inventory(inventory::InventoryArgs),
    /// Install roles and collections
    Galaxy(galaxy::GalaxyArgs),
    /// Encrypt and decrypt files and values
    Vault(vault::VaultArgs),
    /// Show the documentation of modules
    Doc(doc::DocArgs),
    /// Explain a message by its code
    Explain(doc::ExplainArgs),
    /// Print the completions of a shell
    Completions(completions::CompletionsArgs),
}

/// Runs the command line. Never panics on what a user typed.
#[must_use]
pub fn main(argv: Vec<OsString>) -> Exit {
    let called = argv
        .first()
        .map(Path::new)
        .and_then(Path::file_name)
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    match called.as_str() {
        "ansible-playbook" => as_command::<play::PlayArgs>("ansible-playbook", argv)
            .map_or_else(usage, |args| play::main(&args)),
        "ansible" => as_command::<run::RunArgs>("ansible", argv).map_or_else(usage, |args| run::main(&args)),
        "ansible-inventory" => as_command::<inventory::InventoryArgs>("ansible-inventory", argv)
            .map_or_else(usage, |args| inventory::main(&args)),
        "ansible-galaxy" => as_command::<galaxy::GalaxyArgs>("ansible-galaxy", argv)
            .map_or_else(usage, |args| galaxy::main(&args)),
        "ansible-vault" => as_command::<vault::VaultArgs>("ansible-vault", argv)
            .map_or_else(usage, |args| vault::main(&args)),
        "ansible-doc" => {
            as_command::<doc::DocArgs>("ansible-doc", argv).map_or_else(usage, |args| doc::main(&args))
        }
        _ => Cli::try_parse_from(argv).map_or_else(usage, |cli| dispatch(cli.command)),
    }
}

fn dispatch(command: Command) -> Exit {
    match command {
        Command::Play(args) => play::main(&args),
        Command::Run(args) => run::main(&args),
        Command::Check(args) => check::main(&args),
        Command::Inventory(args) => inventory::main(&args),
        Command::Galaxy(args) => galaxy::main(&args),
        Command::Vault(args) => vault::main(&args),
        Command::Doc(args) => doc::main(&args),
        Command::Explain(args) => doc::explain(&args),
        Command::Completions(args) => completions::main(&args),
    }
}

/// The tree of commands, for completions and manual pages.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

/// Reads the options of one of Ansible's own commands.
fn as_command<A: Args + FromArgMatches>(name: &'static str, argv: Vec<OsString>) -> Result<A, clap::Error> {
    let command = A::augment_args(clap::Command::new(name).version(env!("CARGO_PKG_VERSION")));
    A::from_arg_matches(&command.try_get_matches_from(argv)?)
}

/// Help and version end with 0, a mistake in the options with 2 as Ansible does.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_or_else wants")]
fn usage(error: clap::Error) -> Exit {
    // Nothing more can be done when even this can't be printed.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Ok }
}
