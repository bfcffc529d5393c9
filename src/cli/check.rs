//! `regatta check`: all mistakes that can be seen without a connection, for people, editors and CI.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::common::{ConnectOptions, Exit, InventoryOptions, OutputFormat, RunOptions};
use super::setup::Session;
use super::terminal;
use crate::diag::{Severity, to_json};
use crate::playbook::Reach;

/// Options of `regatta check`.
#[derive(Clone, Debug, Args)]
pub(super) struct CheckArgs {
    /// Playbooks to check
    #[arg(required = true, value_name = "PLAYBOOK")]
    playbooks: Vec<PathBuf>,
    #[command(flatten)]
    inventory: InventoryOptions,
    /// Messages for people, or as JSON
    #[arg(long = "output", value_name = "FORMAT")]
    output: Option<OutputFormat>,
    /// When to use colors
    #[arg(long = "color", value_name = "WHEN")]
    color: Option<clap::ColorChoice>,
}

/// Runs the command: 0 without mistakes, 1 with some.
pub(super) fn main(args: &CheckArgs) -> Exit {
    let run = RunOptions { color: args.color, ..RunOptions::default() };
    let session = match Session::open(&args.inventory, &ConnectOptions::default(), &run, &args.playbooks) {
        Ok(session) => session,
        Err(exit) => return exit,
    };
    let (_, problems) = session.examine(&args.playbooks, Reach::Possible);
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    if matches!(args.output, Some(OutputFormat::Json | OutputFormat::Jsonl)) {
        let list: Vec<_> = problems.iter().map(|problem| to_json(problem, &session.sources)).collect();
        let document = json!({ "diagnostics": list, "errors": errors });
        terminal::print(&(serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"));
    } else {
        session.show(&problems);
        let word = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let warnings = word(problems.len() - errors, "warning");
        terminal::print(&format!(
            "{}, {warnings} in {}\n",
            word(errors, "error"),
            word(args.playbooks.len(), "playbook")
        ));
    }
    if errors > 0 { Exit::Error } else { Exit::Ok }
}
