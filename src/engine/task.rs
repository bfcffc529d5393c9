//! One task on one host: conditions, loop, call, retries, and what comes of it. Knows nothing of other hosts.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::call::{Prepared, Running};
use super::keywords::Keywords;
use super::result::{Effect, Once, Shown, TaskResult, shown};
use super::shared::Shared;
use crate::event::{Event, TaskStart};
use crate::playbook::{Action, Task};
use crate::template::{Binding, TemplateError};
use crate::value::{Map, Str, Value};
use crate::vars::TaskScope;

/// How many items of a loop are sent before the first result is there.
const AHEAD: usize = 32;

/// A task about to run on a host.
pub(super) struct HostTask {
    pub(super) shared: Arc<Shared>,
    pub(super) task: Arc<Task>,
    pub(super) start: Arc<TaskStart>,
    pub(super) scope: TaskScope,
    pub(super) host: Str,
    /// Whether the task runs in check mode.
    pub(super) check: bool,
    /// Whether differences are shown.
    pub(super) diff: bool,
    pub(super) no_log: bool,
    /// Names the calls that keep their order.
    pub(super) chain: u64,
}

/// One item of a loop, or the whole task without one.
struct Turn {
    scope: TaskScope,
    label: Option<Str>,
    /// The loop's variables, for the result.
    tags: Vec<(Str, Value)>,
}

impl HostTask {
    /// Runs the task. Never fails: what goes wrong is the result.
    pub(super) async fn run(mut self) -> TaskResult {
        let started = Instant::now();
        if self.shared.options.live {
            self.shared.report(Event::HostStart { host: self.host.clone() });
        }
        let mut result = match self.flags() {
            Ok(()) => self.go().await.unwrap_or_else(|error| TaskResult::of(Once::failed(*error.diagnostic))),
            Err(error) => TaskResult::of(Once::failed(*error.diagnostic)),
        };
        result.once.no_log |= self.no_log;
        result.took = started.elapsed();
        if let Err(error) = self.consequences(&mut result) {
            let no_log = result.once.no_log;
            result.once = Once::failed(*error.diagnostic);
            result.once.no_log = no_log;
        }
        result
    }

    fn flags(&mut self) -> Result<(), TemplateError> {
        let keywords = Keywords::new(&self.shared, &self.scope);
        let common = &self.task.common;
        // What can't be decided yet (it depends on the item) is hidden rather than shown.
        self.no_log =
            keywords.flag(common.no_log.as_ref(), false).unwrap_or(true) || self.shared.options.no_log;
        self.check = keywords.flag(common.check_mode.as_ref(), self.shared.options.check)?;
        self.diff = keywords.flag(common.diff.as_ref(), self.shared.options.diff)?;
        Ok(())
    }

    async fn go(&self) -> Result<TaskResult, TemplateError> {
        let Some(items) = self.items()? else {
            let turn = Turn { scope: self.scope.clone(), label: None, tags: Vec::new() };
            return Ok(TaskResult::of(self.turn(turn).await));
        };
        let items = match items {
            Ok(items) => items,
            Err(skipped) => return Ok(TaskResult::of(skipped)),
        };
        let sequential = self.task.until.is_some()
            || self.task.retries.is_some()
            || self.task.loop_control.pause.is_some()
            || !self.task.loop_control.break_when.is_empty()
            || self.feeds_itself();
        let turns = self.turns(&items)?;
        let all = if sequential { self.one_by_one(turns).await? } else { self.ahead(turns).await };
        Ok(whole(all))
    }

    /// Whether an item sees what the items before it set (`x: "{{ x + [item] }}"`).
    fn feeds_itself(&self) -> bool {
        matches!(&self.task.action, Action::Module(entry) if matches!(entry.name, "set_fact" | "include_vars"))
    }

    /// The loop's items; none without a loop. A loop over something undefined is skipped when the condition does not
    /// hold anyway.
    fn items(&self) -> Result<Option<Result<Vec<Value>, Once>>, TemplateError> {
        let Some(repeat) = &self.task.repeat else { return Ok(None) };
        let keywords = Keywords::new(&self.shared, &self.scope);
        let found = match &repeat.lookup {
            Some(lookup) => self.shared.templates.loop_items(lookup, &repeat.over, &keywords.scope),
            None => {
                self.shared.templates.render(&repeat.over, &keywords.scope).and_then(|value| match value {
                    Value::List(items) => Ok(items.to_vec()),
                    Value::Null if self.task.repeat.is_some() && repeat.over.is_null() => Ok(Vec::new()),
                    other => Err(not_a_list(repeat, &other)),
                })
            }
        };
        match found {
            Ok(items) => Ok(Some(Ok(items))),
            Err(error) if error.undefined.is_some() => match keywords.all(&self.task.common.when) {
                Ok(Err(condition)) => Ok(Some(Err(Once::skipped(condition)))),
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    fn turns(&self, items: &[Value]) -> Result<Vec<Turn>, TemplateError> {
        let control = &self.task.loop_control;
        let keywords = Keywords::new(&self.shared, &self.scope);
        let variable = match &control.loop_var {
            Some(name) if name.contains("{{") => Str::from("item"),
            Some(name) => name.clone(),
            None => Str::from("item"),
        };
        let extended = keywords.flag(control.extended.as_ref(), false)?;
        let all_items = keywords.flag(control.extended_allitems.as_ref(), true)?;
        let mut turns = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let mut tags = vec![
                (variable.clone(), item.clone()),
                ("ansible_loop_var".into(), Value::Str(variable.clone())),
            ];
            if let Some(name) = &control.index_var {
                tags.push((name.clone(), Value::from(index)));
                tags.push(("ansible_index_var".into(), Value::Str(name.clone())));
            }
            if extended {
                tags.push(("ansible_loop".into(), extended_loop(items, index, all_items)));
            }
            let locals = tags.iter().map(|(name, value)| (name.clone(), Binding::Data(value.clone())));
            let scope = self.scope.clone().with_locals(locals);
            turns.push(Turn { scope, label: None, tags });
        }
        Ok(turns)
    }

    /// Items that must wait for each other: retries, pauses, `break_when`.
    async fn one_by_one(&self, turns: Vec<Turn>) -> Result<Vec<Once>, TemplateError> {
        let control = &self.task.loop_control;
        let pause = Keywords::new(&self.shared, &self.scope).seconds(control.pause.as_ref())?;
        let mut all: Vec<Once> = Vec::with_capacity(turns.len());
        for (index, mut turn) in turns.into_iter().enumerate() {
            for before in all.iter().filter(|_| self.feeds_itself()) {
                turn.scope = before.effects.iter().fold(turn.scope, with_effect);
            }
            if let (Some(seconds), true) = (pause, index > 0) {
                tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
            }
            let (scope, tags) = (turn.scope.clone(), turn.tags.clone());
            let started = Instant::now();
            let mut once = self.turn(turn).await;
            self.tell_item(&mut once, &scope, tags, started);
            let scope = with_result(&self.task, scope, &once);
            all.push(once);
            if !control.break_when.is_empty()
                && Keywords::new(&self.shared, &scope).all(&control.break_when)?.is_ok()
            {
                break;
            }
        }
        Ok(all)
    }

    /// Items that do not wait: sent ahead, answered in order.
    async fn ahead(&self, turns: Vec<Turn>) -> Vec<Once> {
        let mut all = Vec::with_capacity(turns.len());
        let mut waiting: VecDeque<(Turn, Running, Instant)> = VecDeque::new();
        let mut turns = turns.into_iter();
        loop {
            while waiting.len() < AHEAD {
                let Some(turn) = turns.next() else { break };
                let started = Instant::now();
                let running = self.begin(&turn.scope).await;
                waiting.push_back((turn, running, started));
            }
            let Some((turn, running, started)) = waiting.pop_front() else { return all };
            let mut once = self.finish(&turn.scope, running).await;
            self.tell_item(&mut once, &turn.scope, turn.tags, started);
            all.push(once);
        }
    }

    /// Adds the loop's variables to an item's result and reports it.
    fn tell_item(&self, once: &mut Once, scope: &TaskScope, tags: Vec<(Str, Value)>, started: Instant) {
        let label = Some(self.label(scope, &tags).unwrap_or_else(|error| {
            *once = Once::failed(*error.diagnostic);
            Str::from(tags.first().map(|(_, value)| value.to_string()).unwrap_or_default())
        }));
        once.no_log |= self.no_log;
        let ignored = once.is_failed() && self.ignores_errors(scope);
        let how = Shown { ignored, looped: false, took: started.elapsed(), label };
        // `debug` shows what it was asked for and nothing of the loop.
        if once.verbose_always {
            self.report_item(once, how);
            once.fields.extend(tags);
        } else {
            once.fields.extend(tags);
            self.report_item(once, how);
        }
    }

    /// Included files are reported by those who include them.
    fn report_item(&self, once: &Once, how: Shown) {
        if once.inclusion.is_none() {
            self.shared.report(Event::Item(Box::new(shown(once, &self.host, &self.start, how))));
        }
    }

    fn ignores_errors(&self, scope: &TaskScope) -> bool {
        Keywords::new(&self.shared, scope)
            .flag(self.task.common.ignore_errors.as_ref(), false)
            .unwrap_or(false)
    }

    /// The label of the loop's item that a scope belongs to; none outside of loops.
    pub(super) fn label_of(&self, scope: &TaskScope) -> Option<Str> {
        self.task.repeat.as_ref()?;
        let variable = self.task.loop_control.loop_var.clone().unwrap_or_else(|| "item".into());
        match scope.locals.get(&variable) {
            Some(Binding::Data(item)) => self.label(scope, &[(variable, item.clone())]).ok(),
            _ => None,
        }
    }

    fn label(&self, scope: &TaskScope, tags: &[(Str, Value)]) -> Result<Str, TemplateError> {
        match &self.task.loop_control.label {
            None => Ok(Str::from(tags.first().map(|(_, value)| value.to_string()).unwrap_or_default())),
            Some(node) => {
                Keywords::new(&self.shared, scope).value(Some(node)).map(|value| Str::from(value.to_string()))
            }
        }
    }

    /// One turn with its retries.
    async fn turn(&self, turn: Turn) -> Once {
        let keywords = Keywords::new(&self.shared, &turn.scope);
        let retries = match keywords.number(self.task.retries.as_ref()) {
            Ok(retries) => retries,
            Err(error) => return Once::failed(*error.diagnostic),
        };
        if self.task.until.is_none() && retries.is_none() {
            let running = self.begin(&turn.scope).await;
            return self.finish(&turn.scope, running).await;
        }
        match self.until(&turn, retries.unwrap_or(3), &keywords).await {
            Ok(once) => once,
            Err(error) => Once::failed(*error.diagnostic),
        }
    }

    async fn until(&self, turn: &Turn, retries: u64, keywords: &Keywords<'_>) -> Result<Once, TemplateError> {
        let delay = keywords.seconds(self.task.delay.as_ref())?.unwrap_or(5.0);
        let mut attempt = 0;
        loop {
            attempt += 1;
            let started = Instant::now();
            let running = self.begin(&turn.scope).await;
            let mut once = self.finish(&turn.scope, running).await;
            if once.unreachable || once.is_skipped() {
                return Ok(once);
            }
            once.fields.insert("attempts".into(), Value::from(attempt.min(retries.max(1))));
            let scope = with_result(&self.task, turn.scope.clone(), &once);
            let done = match &self.task.until {
                Some(conditions) => Keywords::new(&self.shared, &scope).all(conditions)?.is_ok(),
                None => !once.is_failed(),
            };
            if done {
                return Ok(once);
            }
            if attempt > retries {
                once.fields.insert("failed".into(), Value::Bool(true));
                return Ok(once);
            }
            once.fields.insert("retries".into(), Value::from(retries + 1));
            let how =
                Shown { ignored: false, looped: false, took: started.elapsed(), label: turn.label.clone() };
            let mut seen = once;
            seen.no_log |= self.no_log;
            let result = Box::new(shown(&seen, &self.host, &self.start, how));
            self.shared.report(Event::Retry { result, left: retries + 1 - attempt });
            tokio::time::sleep(Duration::from_secs_f64(delay)).await;
        }
    }

    /// Decides whether to run, prepares and sends.
    async fn begin(&self, scope: &TaskScope) -> Running {
        match self.prepare(scope).await {
            Ok(prepared) => prepared.send(self).await,
            Err(error) => Running::Done(Box::new(Once::failed(*error.diagnostic))),
        }
    }

    async fn prepare(&self, scope: &TaskScope) -> Result<Prepared, TemplateError> {
        let keywords = Keywords::new(&self.shared, scope);
        if let Err(condition) = keywords.all(&self.task.common.when)? {
            return Ok(Prepared::Done(Box::new(Once::skipped(condition))));
        }
        // Also tasks that never leave the controller need the host they are delegated to.
        keywords.text(self.task.common.delegate_to.as_ref())?;
        super::call::prepare(self, scope).await
    }

    /// Waits for the answer, then `changed_when` and `failed_when`.
    async fn finish(&self, scope: &TaskScope, running: Running) -> Once {
        let mut once = running.wait(self).await;
        if once.delegate.is_none() && self.task.common.delegate_to.is_some() {
            let keywords = Keywords::new(&self.shared, scope);
            once.delegate =
                keywords.text(self.task.common.delegate_to.as_ref()).ok().flatten().map(Str::from);
        }
        if once.unreachable || once.is_skipped() && !once.fields.contains_key("rc") {
            return once;
        }
        match self.judge(scope, once).and_then(|once| self.notifies(scope, once)) {
            Ok(once) => once,
            Err(failure) => {
                let (mut once, error) = *failure;
                once.fields.insert("failed".into(), Value::Bool(true));
                once.fields.insert("msg".into(), Value::from(error.diagnostic.message.as_str()));
                once.diagnostic = Some(*error.diagnostic);
                once
            }
        }
    }

    fn judge(&self, scope: &TaskScope, mut once: Once) -> Result<Once, Box<(Once, TemplateError)>> {
        if let Some(conditions) = &self.task.changed_when {
            let scope = with_result(&self.task, scope.clone(), &once);
            match Keywords::new(&self.shared, &scope).all(conditions) {
                Ok(verdict) => once.fields.insert("changed".into(), Value::Bool(verdict.is_ok())),
                Err(error) => return Err(Box::new((once, error))),
            };
        }
        if let Some(conditions) = &self.task.failed_when {
            let scope = with_result(&self.task, scope.clone(), &once);
            match Keywords::new(&self.shared, &scope).all(conditions) {
                Ok(verdict) => {
                    let failed = verdict.is_ok() && !conditions.is_empty();
                    once.fields.insert("failed".into(), Value::Bool(failed));
                    once.fields.insert("failed_when_result".into(), Value::Bool(failed));
                }
                Err(error) => return Err(Box::new((once, error))),
            }
        }
        Ok(once)
    }

    /// Adds the handlers to tell, their names rendered for this item.
    fn notifies(&self, scope: &TaskScope, mut once: Once) -> Result<Once, Box<(Once, TemplateError)>> {
        let keywords = Keywords::new(&self.shared, scope);
        for node in &self.task.notify {
            let names = match self.shared.templates.render(node, &keywords.scope) {
                Ok(Value::List(items)) => items.to_vec(),
                Ok(Value::Null | Value::Omit) => Vec::new(),
                Ok(other) => vec![other],
                Err(error) => return Err(Box::new((once, error))),
            };
            once.notify.extend(names.into_iter().map(|name| (Str::from(name.to_string()), node.span)));
        }
        Ok(once)
    }

    /// What the strategy must know: handlers, and how failures count.
    fn consequences(&self, result: &mut TaskResult) -> Result<(), TemplateError> {
        let keywords = Keywords::new(&self.shared, &self.scope);
        let common = &self.task.common;
        if !matches!(result.once.status(), crate::event::Status::Ok | crate::event::Status::Skipped) {
            result.ignore_errors = keywords.flag(common.ignore_errors.as_ref(), false)?;
            result.ignore_unreachable = keywords.flag(common.ignore_unreachable.as_ref(), false)?;
            result.any_errors_fatal =
                keywords.flag(common.any_errors_fatal.as_ref(), self.shared.options.any_errors_fatal)?;
        }
        result.delegate_facts = keywords.flag(common.delegate_facts.as_ref(), false)?;
        if !result.once.is_changed() || result.once.is_failed() {
            result.notify.clear();
        }
        Ok(())
    }
}

/// The scope with the result under the name of `register`, for conditions about it.
pub(super) fn with_result(task: &Task, scope: TaskScope, once: &Once) -> TaskScope {
    match &task.register {
        Some(name) => scope.with_locals([(name.clone(), Binding::Data(Value::map(once.fields.clone())))]),
        None => scope,
    }
}

/// The scope once an effect of an earlier item is seen.
fn with_effect(scope: TaskScope, effect: &Effect) -> TaskScope {
    match effect {
        Effect::Set(facts, _) => scope.with_data(|data| Arc::make_mut(&mut data.set).extend(facts.clone())),
        Effect::IncludeVars(vars) => {
            scope.with_data(|data| Arc::make_mut(&mut data.included).extend(vars.clone()))
        }
        _ => scope,
    }
}

/// The result of a loop from those of its items.
fn whole(all: Vec<Once>) -> TaskResult {
    let mut fields = Map::new();
    let skipped = all.iter().all(Once::is_skipped);
    let failed = all.iter().any(Once::is_failed);
    let changed = all.iter().any(Once::is_changed);
    let unreachable = all.iter().any(|once| once.unreachable);
    let msg = match (all.is_empty(), skipped, failed) {
        (true, ..) => None,
        (_, true, _) => Some("All items skipped"),
        (.., true) => Some("One or more items failed"),
        _ => Some("All items completed"),
    };
    if all.is_empty() {
        fields.insert("skipped_reason".into(), Value::from("No items in the list"));
    }
    fields.insert("changed".into(), Value::Bool(changed));
    if failed {
        fields.insert("failed".into(), Value::Bool(true));
    }
    fields.insert("skipped".into(), Value::Bool(skipped));
    if unreachable {
        fields.insert("unreachable".into(), Value::Bool(true));
    }
    if let Some(msg) = msg {
        fields.insert("msg".into(), Value::from(msg));
    }
    let mut result = TaskResult::of(Once { unreachable, ..Once::default() });
    result.looped = !all.is_empty();
    result.effects = all.iter().flat_map(Once::for_delegate).collect();
    result.notify = all.iter().flat_map(|once| once.notify.clone()).collect();
    result.inclusions = all.iter().filter_map(|once| once.inclusion.clone()).collect();
    result.once.no_log = all.iter().any(|once| once.no_log);
    result.once.delegate = all.iter().find_map(|once| once.delegate.clone());
    result.once.diagnostic = all.iter().find_map(|once| once.diagnostic.clone());
    fields.insert("results".into(), all.into_iter().map(|once| Value::map(once.fields)).collect());
    result.once.fields = fields;
    result
}

fn extended_loop(items: &[Value], index: usize, all_items: bool) -> Value {
    let length = items.len();
    let mut map = Map::new();
    if all_items {
        map.insert("allitems".into(), Value::list(items.to_vec()));
    }
    map.insert("index".into(), Value::from(index + 1));
    map.insert("index0".into(), Value::from(index));
    map.insert("first".into(), Value::Bool(index == 0));
    map.insert("last".into(), Value::Bool(index + 1 == length));
    map.insert("length".into(), Value::from(length));
    map.insert("revindex".into(), Value::from(length - index));
    map.insert("revindex0".into(), Value::from(length - index - 1));
    if let Some(item) = items.get(index + 1) {
        map.insert("nextitem".into(), item.clone());
    }
    if let Some(item) = index.checked_sub(1).and_then(|before| items.get(before)) {
        map.insert("previtem".into(), item.clone());
    }
    Value::map(map)
}

fn not_a_list(repeat: &crate::playbook::Loop, value: &Value) -> TemplateError {
    use crate::diag::{Diagnostic, code};
    let diagnostic = Diagnostic::error(code::LOOP_NOT_A_LIST, "`loop` needs a list")
        .label(repeat.over.span, format!("this is a {}", value.type_name()))
        .help("for a mapping use `dict2items`, for a single item write a list of one");
    TemplateError::new(diagnostic)
}
