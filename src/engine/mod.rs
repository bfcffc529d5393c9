//! Runs playbooks: plays, batches, tasks, handlers. Says what happens as events and never prints.

mod actions;
mod args;
mod batch;
mod call;
mod cursor;
mod handlers;
mod keywords;
mod options;
mod play;
mod prompt;
mod reach;
mod result;
mod shared;
mod state;
mod strategy;
mod tags;
mod task;
mod vars_files;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use indexmap::IndexMap;
use tokio::sync::{Semaphore, mpsc, watch};

pub use options::{Gathering, Options, Prompt};
pub use tags::selected;

use crate::connection::Connector;
use crate::diag::{Diagnostic, Sources, code};
use crate::event::{Event, Recap, Sink};
use crate::inventory::Inventory;
use crate::playbook::{Loader, Playbook};
use crate::template;
use crate::value::{Str, Value};
use crate::vars::{Moment, PlayVars, RoleNames, RunVars};
use play::Ended;
use shared::Shared;
use state::State;

/// Everything that a run needs.
pub struct Run {
    /// What was asked for.
    pub options: Options,
    /// The texts behind spans.
    pub sources: Arc<Sources>,
    /// Renders templates.
    pub templates: Arc<template::Engine>,
    /// Loads what is included while the run goes on.
    pub loader: Arc<Loader>,
    /// Reaches hosts.
    pub connector: Arc<Connector>,
    /// Asks the user.
    pub prompt: Arc<dyn Prompt>,
    /// Takes the events.
    pub sink: Box<dyn Sink>,
    /// How the user wants it to stop: 0 not, 1 after the running tasks, 2 at once.
    pub stop: watch::Receiver<u8>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Summary {
    /// What every host did.
    pub recap: Recap,
    /// Hosts that failed.
    pub failed: Vec<Str>,
    /// Hosts that could not be reached.
    pub unreachable: Vec<Str>,
    /// The mistake that ended it early.
    pub fatal: Option<Diagnostic>,
    /// The user stopped it.
    pub interrupted: bool,
}

/// Runs playbooks one after another over an inventory.
pub async fn run(run: Run, inventory: Inventory, playbooks: &[Playbook]) -> Summary {
    let started = Instant::now();
    let (reports, receiver) = mpsc::unbounded_channel();
    let forks = run.options.forks.max(1);
    let extra = run.options.extra_vars.clone();
    let run_vars = Arc::new(RunVars { extra, fixed: run.options.fixed_vars.clone() });
    let mut state = State {
        moment: Arc::new(Moment::new(Arc::new(inventory))),
        tallies: IndexMap::new(),
        out: HashSet::new(),
        unreachable: HashSet::new(),
        stats: crate::value::Map::new(),
        host_stats: IndexMap::new(),
        times: Vec::new(),
        sink: run.sink,
        reports: receiver,
        chains: 0,
        awaiting_start: run.options.start_at_task.is_some(),
    };
    let shared = Arc::new(Shared {
        options: run.options,
        sources: run.sources,
        templates: run.templates,
        loader: run.loader,
        connector: run.connector,
        prompt: run.prompt,
        run_vars,
        forks: Arc::new(Semaphore::new(forks)),
        stop: run.stop,
        reports,
    });
    state.recall_facts(&shared.options);
    let fatal = plays(&shared, &mut state, playbooks).await;
    if let Some(problem) = &fatal {
        state.tell(&Event::Message(problem.clone()));
    }
    if let (true, Some(name)) = (state.awaiting_start, &shared.options.start_at_task) {
        let message = format!("no task is called `{name}`, so that none was run");
        state.tell(&Event::Message(Diagnostic::warning(code::START_NOT_FOUND, message)));
    }
    let recap = state.recap(started.elapsed());
    state.tell(&Event::Recap(recap.clone()));
    shared.connector.close_all().await;
    let mut unreachable: Vec<Str> = state.unreachable.iter().cloned().collect();
    let mut failed: Vec<Str> =
        state.out.iter().filter(|host| !state.unreachable.contains(*host)).cloned().collect();
    unreachable.sort();
    failed.sort();
    Summary { recap, failed, unreachable, fatal, interrupted: shared.stopping() }
}

async fn plays(shared: &Arc<Shared>, state: &mut State, playbooks: &[Playbook]) -> Option<Diagnostic> {
    for playbook in playbooks {
        for play in &playbook.plays {
            if shared.stopping() {
                return None;
            }
            Arc::make_mut(&mut state.moment).play_batch = Value::Null;
            // A role that another one led to is a dependency.
            let (named, dependent): (Vec<_>, Vec<_>) =
                play.roles.iter().partition(|role| role.parents.is_empty());
            let names = |roles: Vec<&Arc<crate::playbook::Role>>| -> Vec<Str> {
                roles.into_iter().map(|role| role.name.clone()).collect()
            };
            let role_names = RoleNames { of_play: names(named), dependent: names(dependent) };
            let vars = PlayVars {
                name: None,
                dir: play.dir.clone(),
                // A play of an imported playbook stands in that playbook's folder.
                playbook_dir: std::path::absolute(&play.dir).unwrap_or_else(|_| play.dir.clone()),
                vars: play.common.vars.clone(),
                prompted: crate::value::Map::new(),
                public_defaults: play.public_roles.iter().map(|role| role.defaults.clone()).collect(),
                public_vars: play.public_roles.iter().map(|role| role.vars.clone()).collect(),
                role_names,
            };
            match play::run(shared, state, play, vars).await {
                Ended::GoOn => {}
                Ended::AllOut => return None,
                Ended::Fatal(problem) => return Some(*problem),
            }
        }
    }
    None
}
