//! `regatta doc` and `regatta explain`: what the code knows of itself.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};

use super::common::Exit;
use super::terminal;
use crate::diag::{closest, explain as explain_code};
use crate::docs;
use crate::modules;
use crate::template;

/// What there is a list of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum What {
    /// Modules
    #[default]
    Module,
    /// Filters of templates
    Filter,
    /// Tests of templates
    Test,
    /// Lookups
    Lookup,
}

/// Options of `regatta doc`.
#[derive(Clone, Debug, Args)]
pub(super) struct DocArgs {
    /// Modules; none: a list of all
    #[arg(value_name = "MODULE")]
    names: Vec<String>,
    /// What to list; modules alone have documentation of their own
    #[arg(
        short = 't',
        long = "type",
        value_name = "TYPE",
        default_value = "module",
        conflicts_with = "names"
    )]
    what: What,
    /// List the modules with a line each
    #[arg(short = 'l', long)]
    list: bool,
    /// The arguments as a JSON schema
    #[arg(long)]
    json: bool,
}

/// Prints documentation.
pub(super) fn main(args: &DocArgs) -> Exit {
    if args.names.is_empty() || args.list {
        terminal::print(&match args.what {
            What::Module => docs::list(),
            What::Filter => lines(template::filter_names()),
            What::Test => lines(template::test_names()),
            What::Lookup => lines(template::lookups::ALL.iter().map(|lookup| lookup.name)),
        });
        return Exit::Ok;
    }
    for name in &args.names {
        let Some(entry) = modules::find(name) else {
            let hint = closest(name, modules::ALL.iter().map(|entry| entry.name));
            let hint = hint.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default();
            terminal::complain(&format!("there is no module `{name}`{hint}\n"));
            return Exit::Error;
        };
        if args.json {
            let schema = serde_json::to_string_pretty(&(entry.manual.schema)()).unwrap_or_default();
            terminal::print(&(schema + "\n"));
        } else {
            terminal::print(&docs::page(entry));
        }
    }
    Exit::Ok
}

fn lines(names: impl Iterator<Item = &'static str>) -> String {
    let names: BTreeSet<&str> = names.collect();
    names.into_iter().map(|name| format!("{name}\n")).collect()
}

/// Options of `regatta explain`.
#[derive(Clone, Debug, Args)]
pub(super) struct ExplainArgs {
    /// A code such as R102; none: a list of all
    code: Option<String>,
}

/// Explains a message.
pub(super) fn explain(args: &ExplainArgs) -> Exit {
    let Some(code) = &args.code else {
        let lines: String =
            crate::diag::CODES.iter().map(|(code, summary, _)| format!("{code}  {summary}\n")).collect();
        terminal::print(&lines);
        return Exit::Ok;
    };
    match explain_code(code) {
        Some((summary, text)) => {
            terminal::print(&format!("{}: {summary}\n\n{text}\n", code.to_uppercase()));
            Exit::Ok
        }
        None => {
            terminal::complain(&format!("there is no message with the code `{code}`\n"));
            Exit::Error
        }
    }
}
