//! The hosts of a play that run together, and what every strategy does with them: start a task, take its results,
//! include what they ask for, keep the limits.

mod apply;
mod flow;
mod meta;

pub(super) use flow::Step;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::cursor::{Cursor, Select};
use super::handlers::Handlers;
use super::keywords::Keywords;
use super::options::Gathering;
use super::result::TaskResult;
use super::shared::Shared;
use super::state::State;
use super::tags;
use super::task::HostTask;
use crate::diag::Diagnostic;
use crate::event::{Event, TaskStart};
use crate::playbook::{Action, Item, Play, Task};
use crate::template::Scope;
use crate::value::{Str, Value};
use crate::vars::{Bindings, PlayVars, TaskLayers, TaskScope};

/// How a host stands in the play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Still has tasks.
    Active,
    /// Done, or ended by `meta`.
    Done,
    /// A task failed and nothing rescued it.
    Failed,
    /// Can't be reached.
    Unreachable,
}

/// A host in a play.
pub(super) struct HostRun {
    pub(super) name: Str,
    pub(super) cursor: Cursor,
    pub(super) standing: Standing,
    /// Handlers to run, as places in the play's list.
    pub(super) notified: BTreeSet<usize>,
    /// `--start-at-task` has not been reached.
    pub(super) awaiting_start: bool,
}

/// Some of a play's hosts, run together.
pub(super) struct Batch<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) state: &'a mut State,
    pub(super) play: Arc<Play>,
    pub(super) vars: Arc<PlayVars>,
    pub(super) hosts: Vec<HostRun>,
    pub(super) handlers: Handlers,
    /// `max_fail_percentage`.
    pub(super) max_fail: Option<f64>,
    /// `force_handlers`.
    pub(super) force: bool,
    /// `meta: end_play`: no further batch.
    pub(super) play_ended: bool,
    /// A mistake that ends the whole run.
    pub(super) fatal: Option<Diagnostic>,
    /// Whether a task's tags select it, by task.
    selected: RefCell<HashMap<u32, bool>>,
    /// `--step` was answered with "continue".
    pub(super) step_all: bool,
    /// Layers of tasks that ran, by task: the same for all hosts.
    layers: HashMap<u32, Arc<TaskLayers>>,
}

/// A running set of host tasks.
pub(super) type Flight = JoinSet<(usize, TaskResult)>;

impl<'a> Batch<'a> {
    pub(super) fn new(
        shared: &'a Arc<Shared>,
        state: &'a mut State,
        play: Arc<Play>,
        vars: Arc<PlayVars>,
        names: Vec<Str>,
        items: &Arc<Vec<Item>>,
    ) -> Batch<'a> {
        let awaiting_start = state.awaiting_start;
        let hosts = names.into_iter().map(|name| HostRun {
            name,
            cursor: Cursor::new(items.clone()),
            standing: Standing::Active,
            notified: BTreeSet::new(),
            awaiting_start,
        });
        let hosts = hosts.collect();
        let mut batch = Batch {
            shared,
            state,
            play,
            vars,
            hosts,
            handlers: Handlers::default(),
            max_fail: None,
            force: false,
            play_ended: false,
            fatal: None,
            selected: RefCell::default(),
            step_all: false,
            layers: HashMap::new(),
        };
        let handlers = batch.play.handlers.clone();
        batch.add_handlers(&handlers);
        batch
    }

    /// Adds handlers, their names and topics rendered without a host.
    pub(super) fn add_handlers(&mut self, items: &[Item]) {
        let scope = TaskScope::new(&self.shared.run_vars, &self.vars, &self.state.moment, None);
        let (templates, vars) = (self.shared.templates.clone(), self.vars.clone());
        let render = |task: &Task, node: &crate::yaml::Node| {
            let layers = Arc::new(TaskLayers::of(&Arc::new(task.clone()), &vars));
            let scope: Arc<dyn Scope> = Arc::new(scope.clone().with_task(&layers, &Arc::default()));
            match templates.render(node, &scope) {
                Ok(Value::List(items)) => items.iter().map(|item| Str::from(item.to_string())).collect(),
                Ok(other) => vec![Str::from(other.to_string())],
                // A name that needs a host's variables can't be notified by its value, only as written.
                Err(_) => node.as_str().map(|text| vec![Str::from(text)]).unwrap_or_default(),
            }
        };
        self.handlers.add(items, &render);
    }

    /// The next task of a host, if it has one.
    pub(super) fn next(&mut self, index: usize) -> Option<(Arc<Task>, Arc<Bindings>)> {
        let host = self.hosts.get_mut(index).filter(|host| host.standing == Standing::Active)?;
        let selector = Selector {
            shared: self.shared,
            selected: &self.selected,
            notified: &host.notified,
            awaiting_start: Cell::new(host.awaiting_start),
            has_facts: self.shared.options.gathering == Gathering::Smart
                && self.state.moment.hosts.get(&host.name).is_some_and(|data| data.knows_itself()),
            scope: TaskScope::new(&self.shared.run_vars, &self.vars, &self.state.moment, None),
        };
        let found = host.cursor.settle(&selector);
        host.awaiting_start = selector.awaiting_start.get();
        self.state.awaiting_start &= host.awaiting_start;
        if found.is_none() {
            host.standing = if host.cursor.failed { Standing::Failed } else { Standing::Done };
        }
        found
    }

    /// Where the next task of a host stands.
    pub(super) fn position(&self, index: usize) -> super::cursor::Position {
        self.hosts.get(index).map(|host| host.cursor.position()).unwrap_or_default()
    }

    /// Consumes the next task of a host.
    pub(super) fn take(&mut self, index: usize) {
        if let Some(host) = self.hosts.get_mut(index)
            && let Some(handler) = host.cursor.take()
        {
            host.notified.remove(&handler);
        }
    }

    /// The scope of a host at a task.
    pub(super) fn scope(&mut self, index: usize, task: &Arc<Task>, params: &Arc<Bindings>) -> TaskScope {
        let vars = &self.vars;
        let layers =
            self.layers.entry(task.id).or_insert_with(|| Arc::new(TaskLayers::of(task, vars))).clone();
        let name = self.hosts.get(index).map(|host| &host.name);
        TaskScope::new(&self.shared.run_vars, &self.vars, &self.state.moment, name).with_task(&layers, params)
    }

    /// Announces a task. Its name is rendered with the first host's variables where that works.
    pub(super) fn announce(
        &mut self,
        task: &Arc<Task>,
        first: usize,
        params: &Arc<Bindings>,
    ) -> Arc<TaskStart> {
        let scope = self.scope(first, task, params);
        let keywords = Keywords::new(self.shared, &scope);
        let written = task.common.name.as_ref();
        let name = match keywords.text(written) {
            Ok(Some(name)) => name,
            _ => {
                written.and_then(|node| node.as_str()).map_or_else(|| unnamed(task, &keywords), str::to_owned)
            }
        };
        let name = match &task.role {
            // `include_role : name` says enough.
            Some(_) if written.is_none() && matches!(task.action, Action::IncludeRole) => Str::from(name),
            Some(role) => Str::from(format!("{} : {name}", role.name)),
            None => Str::from(name),
        };
        let check = keywords.flag(task.common.check_mode.as_ref(), self.shared.options.check);
        let start = Arc::new(TaskStart {
            id: task.id,
            name,
            action: task.action_name.clone(),
            span: task.span,
            handler: task.handler,
            check: check.unwrap_or(self.shared.options.check),
        });
        self.state.tell(&Event::TaskStart((*start).clone()));
        start
    }

    /// A host's part of a task, ready to run.
    pub(super) fn host_task(
        &mut self,
        index: usize,
        task: &Arc<Task>,
        params: &Arc<Bindings>,
        start: &Arc<TaskStart>,
    ) -> HostTask {
        self.state.chains += 1;
        HostTask {
            shared: self.shared.clone(),
            task: task.clone(),
            start: start.clone(),
            scope: self.scope(index, task, params),
            host: self.hosts.get(index).map(|host| host.name.clone()).unwrap_or_else(|| Str::from("")),
            check: false,
            diff: false,
            no_log: false,
            chain: self.state.chains,
        }
    }

    /// Sends a host off; at most `forks` (and `throttle`) at the same time.
    pub(super) fn launch(
        &self,
        flight: &mut Flight,
        index: usize,
        task: HostTask,
        throttle: Option<&Arc<Semaphore>>,
    ) {
        let (forks, throttle) = (self.shared.forks.clone(), throttle.cloned());
        flight.spawn(async move {
            let _narrow = match &throttle {
                Some(throttle) => throttle.acquire().await.ok(),
                None => None,
            };
            let _permit = forks.acquire().await.ok();
            (index, task.run().await)
        });
    }

    /// The next result; events that come meanwhile are passed on. None when all are done or the user stops at once.
    pub(super) async fn landed(&mut self, flight: &mut Flight) -> Option<(usize, TaskResult)> {
        let mut stop = self.shared.stop.clone();
        loop {
            tokio::select! {
                biased;
                Some(event) = self.state.reports.recv() => self.state.sink.event(&event),
                // A second interrupt: running calls are dropped, which cancels them on their hosts.
                Ok(_) = stop.wait_for(|level| *level >= 2) => return None,
                joined = flight.join_next() => match joined? {
                    Ok(landed) => return Some(landed),
                    // A task that was cut off has no result; one that panicked says so when the run ends.
                    Err(error) if error.is_panic() => {
                        self.fatal = Some(Diagnostic::error(crate::diag::code::INTERNAL, "a task of the engine panicked"));
                    }
                    Err(_) => {}
                },
            }
        }
    }
}

/// What a task without a name is called: its module, for a role to include with the role's name.
fn unnamed(task: &Task, keywords: &Keywords<'_>) -> String {
    let role = ["name", "role"].into_iter().find_map(|key| task.args.named.get(key));
    match (&task.action, role.map(|(_, node)| keywords.text(Some(node)))) {
        (Action::IncludeRole, Some(Ok(Some(role)))) => format!("{} : {role}", task.action_name),
        _ => task.action_name.to_string(),
    }
}

/// What selects tasks for one host.
struct Selector<'a> {
    shared: &'a Arc<Shared>,
    selected: &'a RefCell<HashMap<u32, bool>>,
    notified: &'a BTreeSet<usize>,
    awaiting_start: Cell<bool>,
    /// The host's facts are known, so that they need not be gathered.
    has_facts: bool,
    scope: TaskScope,
}

impl Selector<'_> {
    fn by_tags(&self, task: &Task) -> bool {
        if let Some(known) = self.selected.borrow().get(&task.id) {
            return *known;
        }
        let tags = tags_of(self.shared, &self.scope, task);
        let options = &self.shared.options;
        let selected = tags::selected(&tags, &options.tags, &options.skip_tags);
        self.selected.borrow_mut().insert(task.id, selected);
        selected
    }
}

impl Select for Selector<'_> {
    fn selects(&self, task: &Task) -> bool {
        if task.implicit && matches!(task.action, Action::Meta(_)) {
            return true;
        }
        if self.has_facts && task.implicit && matches!(task.action, Action::Module(_)) {
            return false;
        }
        if self.awaiting_start.get() && !task.implicit {
            let wanted = self.shared.options.start_at_task.as_deref().unwrap_or_default();
            let name = task.common.name.as_ref().and_then(|node| node.as_str()).unwrap_or(&task.action_name);
            let in_role = task.role.as_ref().map(|role| format!("{} : {name}", role.name));
            let pattern = glob::Pattern::new(wanted).ok();
            let matches =
                |name: &str| name == wanted || pattern.as_ref().is_some_and(|pattern| pattern.matches(name));
            if !matches(name) && !in_role.as_deref().is_some_and(matches) {
                return false;
            }
            self.awaiting_start.set(false);
        }
        self.by_tags(task)
    }

    fn notified(&self, handler: usize) -> bool {
        self.notified.contains(&handler)
    }
}

/// A task's tags, templates rendered where the play's variables are enough.
pub(super) fn tags_of(shared: &Shared, scope: &TaskScope, task: &Task) -> Vec<Str> {
    let as_scope: Arc<dyn Scope> = Arc::new(scope.clone());
    let mut tags = Vec::new();
    for node in &task.common.tags {
        let rendered = if node.has_template() { shared.templates.render(node, &as_scope).ok() } else { None };
        let value = rendered.unwrap_or_else(|| node.to_value());
        let texts: Vec<String> = match &value {
            Value::List(items) => items.iter().map(ToString::to_string).collect(),
            other => vec![other.to_string()],
        };
        tags.extend(texts.iter().flat_map(|text| text.split(',')).map(|tag| Str::from(tag.trim())));
    }
    tags.retain(|tag| !tag.is_empty());
    tags
}
