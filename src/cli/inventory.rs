//! `regatta inventory`: hosts, groups and variables as `ansible-inventory` prints them.

use std::sync::Arc;

use clap::Args;

use super::common::{ConnectOptions, Exit, InventoryOptions, RunOptions};
use super::setup::Session;
use super::terminal;
use crate::inventory::render;
use crate::template::{Binding, Scope};
use crate::value::{Map, Str, Value};
use crate::vars::{Bindings, Moment, PlayVars, RunVars, TaskScope};

/// Options of `regatta inventory` and `ansible-inventory`.
#[derive(Clone, Debug, Args)]
#[group(id = "what", multiple = true)]
pub(super) struct InventoryArgs {
    /// The group that --graph starts with
    #[arg(value_name = "GROUP")]
    group: Option<String>,
    /// All hosts, groups and variables as JSON
    #[arg(long, conflicts_with_all = ["graph", "host"])]
    list: bool,
    /// The groups as a tree
    #[arg(long, conflicts_with = "host")]
    graph: bool,
    /// The variables of one host
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// With --graph: variables too
    #[arg(long)]
    vars: bool,
    /// YAML instead of JSON
    #[arg(short = 'y', long)]
    yaml: bool,
    #[command(flatten)]
    inventory: InventoryOptions,
}

/// Runs the command.
pub(super) fn main(args: &InventoryArgs) -> Exit {
    let session =
        match Session::open(&args.inventory, &ConnectOptions::default(), &RunOptions::default(), &[]) {
            Ok(session) => session,
            Err(exit) => return exit,
        };
    let inventory = session.inventory();
    let run = Arc::new(RunVars { extra: Bindings::new(), fixed: Map::new() });
    let (play, moment) = (Arc::new(PlayVars::default()), Arc::new(Moment::new(Arc::new(inventory.clone()))));
    let vars = |host: &str| {
        let host = Str::from(host);
        host_vars(&session, TaskScope::new(&run, &play, &moment, Some(&host)), &host)
    };
    let text = if let Some(host) = &args.host {
        if !inventory.contains(host) {
            session.warn(&format!("there is no host `{host}` in the inventory"));
            return Exit::Error;
        }
        render::host(&vars(host), args.yaml)
    } else if args.graph {
        let group = args.group.as_deref().unwrap_or("all");
        match render::graph(inventory, group, args.vars, &vars) {
            Some(text) => text,
            None => {
                session.warn(&format!("there is no group `{group}`"));
                return Exit::Error;
            }
        }
    } else if args.list || args.yaml {
        let limit = session.options.limit.as_deref().map(|limit| session.hosts(limit));
        if args.yaml {
            render::yaml(inventory, limit.as_deref(), &vars)
        } else {
            render::list(inventory, limit.as_deref(), &vars)
        }
    } else {
        session.warn("say what to show: --list, --graph or --host");
        return Exit::Usage;
    };
    terminal::print(&text);
    Exit::Ok
}

/// A host's variables; those that can't be rendered without a play are shown as they are written.
fn host_vars(session: &Session, scope: TaskScope, host: &Str) -> Map {
    let scope: Arc<dyn Scope> = Arc::new(scope);
    let mut shown = Map::new();
    for layer in session.inventory().layers(host).iter() {
        for (name, binding) in &layer.vars {
            let value = match binding {
                Binding::Source(node) => {
                    session.templates().render(node, &scope).unwrap_or_else(|_| node.to_value())
                }
                Binding::Data(value) => value.clone(),
                Binding::Lazy(_) => Value::Null,
            };
            shown.insert(name.clone(), value);
        }
    }
    shown
}
