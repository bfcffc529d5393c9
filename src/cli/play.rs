//! `regatta play`: checks everything, then runs playbooks.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::common::{ConnectOptions, Exit, InventoryOptions, RunOptions};
use super::setup::Session;
use super::terminal;
use crate::playbook::{Playbook, listing};

/// Options of `regatta play` and `ansible-playbook`.
#[derive(Clone, Debug, Args)]
pub(super) struct PlayArgs {
    /// Playbooks to run, one after another
    #[arg(required = true, value_name = "PLAYBOOK")]
    playbooks: Vec<PathBuf>,
    /// Only tasks with one of these tags
    #[arg(short = 't', long = "tags", value_name = "TAGS", action = ArgAction::Append)]
    tags: Vec<String>,
    /// No tasks with one of these tags
    #[arg(long = "skip-tags", value_name = "TAGS", action = ArgAction::Append)]
    skip_tags: Vec<String>,
    /// Only print the tasks that would run
    #[arg(long = "list-tasks")]
    list_tasks: bool,
    /// Only print the tags
    #[arg(long = "list-tags")]
    list_tags: bool,
    /// Only check the playbooks
    #[arg(long = "syntax-check")]
    syntax_check: bool,
    /// Begin at the task of this name
    #[arg(long = "start-at-task", value_name = "NAME")]
    start_at_task: Option<String>,
    /// Ask before each task
    #[arg(long = "step")]
    step: bool,
    /// Run handlers even on hosts that failed
    #[arg(long = "force-handlers")]
    force_handlers: bool,
    #[command(flatten)]
    inventory: InventoryOptions,
    #[command(flatten)]
    connect: ConnectOptions,
    #[command(flatten)]
    run: RunOptions,
}

/// Runs the command.
pub(super) fn main(args: &PlayArgs) -> Exit {
    let mut session = match Session::open(&args.inventory, &args.connect, &args.run, &args.playbooks) {
        Ok(session) => session,
        Err(exit) => return exit,
    };
    let words = |lists: &[String]| -> Vec<crate::value::Str> {
        lists
            .iter()
            .flat_map(|list| list.split(','))
            .map(|tag| tag.trim().into())
            .filter(|tag: &crate::value::Str| !tag.is_empty())
            .collect()
    };
    if !args.tags.is_empty() {
        session.options.tags = words(&args.tags);
    }
    if !args.skip_tags.is_empty() {
        session.options.skip_tags = words(&args.skip_tags);
    }
    let mut fixed = session.options.fixed_vars.clone();
    super::setup::selection_vars(&mut fixed, &session.options);
    session.options.fixed_vars = fixed;
    session.options.start_at_task.clone_from(&args.start_at_task);
    session.options.step = args.step;
    session.options.force_handlers |= args.force_handlers;
    let playbooks = match session.load(&args.playbooks) {
        Ok(playbooks) => playbooks,
        Err(exit) => return exit,
    };
    if args.list_tasks || args.list_tags || args.syntax_check || args.inventory.list_hosts {
        return list(args, &session, &playbooks);
    }
    session.run(&playbooks)
}

/// `--list-hosts`, `--list-tasks`, `--list-tags`, `--syntax-check`.
fn list(args: &PlayArgs, session: &Session, playbooks: &[Playbook]) -> Exit {
    let wanted =
        listing::Wanted { hosts: args.inventory.list_hosts, tasks: args.list_tasks, tags: args.list_tags };
    for playbook in playbooks {
        let hosts = |pattern: &str| session.hosts(pattern);
        let selected = |tags: &[crate::value::Str]| {
            crate::engine::selected(tags, &session.options.tags, &session.options.skip_tags)
        };
        terminal::print(&listing::text(playbook, wanted, &hosts, &selected));
    }
    Exit::Ok
}
