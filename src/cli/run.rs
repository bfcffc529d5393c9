//! `regatta run`: one module on the hosts of a pattern, without a playbook.

use clap::Args;
use serde_json::json;

use super::common::{ConnectOptions, Exit, InventoryOptions, OutputFormat, RunOptions};
use super::setup::Session;
use super::terminal;

/// Options of `regatta run` and `ansible`.
#[derive(Clone, Debug, Args)]
pub(super) struct RunArgs {
    /// Hosts and groups
    #[arg(value_name = "PATTERN")]
    pattern: String,
    /// The module
    #[arg(short = 'm', long = "module-name", value_name = "MODULE", default_value = "command")]
    module: String,
    /// Its arguments: key=value, JSON, or a command
    #[arg(short = 'a', long = "args", value_name = "ARGS", default_value = "", allow_hyphen_values = true)]
    args: String,
    /// Run in the background for at most so many seconds
    #[arg(short = 'B', long = "background", value_name = "SECONDS")]
    background: Option<u64>,
    /// Look for the result of a background run every so many seconds; 0: never
    #[arg(short = 'P', long = "poll", value_name = "SECONDS", default_value_t = 15)]
    poll: u64,
    /// Print each result on one line
    #[arg(short = 'o', long = "one-line")]
    one_line: bool,
    #[command(flatten)]
    inventory: InventoryOptions,
    #[command(flatten)]
    connect: ConnectOptions,
    #[command(flatten)]
    run: RunOptions,
}

/// Runs the command.
pub(super) fn main(args: &RunArgs) -> Exit {
    let mut options = args.run.clone();
    let wanted = if args.one_line { OutputFormat::Oneline } else { OutputFormat::Minimal };
    options.output = Some(options.output.unwrap_or(wanted));
    let session = match Session::open(&args.inventory, &args.connect, &options, &[]) {
        Ok(session) => session,
        Err(exit) => return exit,
    };
    if args.inventory.list_hosts {
        let hosts = session.hosts(&args.pattern);
        let lines: String = hosts.iter().map(|host| format!("    {host}\n")).collect();
        terminal::print(&format!("  hosts ({}):\n{lines}", hosts.len()));
        return Exit::Ok;
    }
    let arguments = serde_json::from_str::<serde_json::Value>(&args.args)
        .ok()
        .filter(serde_json::Value::is_object)
        .unwrap_or_else(|| json!(args.args));
    let mut task = json!({ args.module.as_str(): arguments });
    if let (Some(task), Some(seconds)) = (task.as_object_mut(), args.background) {
        task.insert("async".into(), json!(seconds));
        task.insert("poll".into(), json!(args.poll));
    }
    // JSON is YAML, so the loader reads it with all its checks; messages show this text.
    let play =
        json!([{ "name": "Ansible Ad-Hoc", "hosts": args.pattern, "gather_facts": false, "tasks": [task] }]);
    let text = serde_json::to_string_pretty(&play).unwrap_or_default();
    match session.load_text("<command line>", &text) {
        Ok(playbook) if session.hosts(&args.pattern).is_empty() => {
            drop(playbook);
            session.warn("no host matches the pattern");
            Exit::Ok
        }
        Ok(playbook) => session.run(&[playbook]),
        Err(exit) => exit,
    }
}
