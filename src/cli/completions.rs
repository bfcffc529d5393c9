//! `regatta completions`: what a shell needs to complete our options.

use clap::Args;
use clap_complete::Shell;

use super::common::Exit;

/// Options of `regatta completions`.
#[derive(Clone, Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Prints the completions.
pub(super) fn main(args: &CompletionsArgs) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "regatta", &mut text);
    super::terminal::print(&String::from_utf8_lossy(&text));
    Exit::Ok
}
