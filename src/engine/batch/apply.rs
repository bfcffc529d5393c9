//! What a result does to the state: output, tally, variables, handlers, blocks.

use std::sync::Arc;

use super::{Batch, Standing};
use crate::diag::{Diagnostic, code};
use crate::engine::cursor::Fallout;
use crate::engine::keywords::Keywords;
use crate::engine::result::{Effect, TaskResult};
use crate::event::{Event, Status, TaskStart};
use crate::playbook::Task;
use crate::template::Binding;
use crate::value::{Map, Str, Value};
use crate::vars::TaskScope;

impl Batch<'_> {
    /// Takes a host's result: shows it, counts it, and lets it take effect.
    pub(in crate::engine) fn apply(
        &mut self,
        index: usize,
        task: &Arc<Task>,
        start: &Arc<TaskStart>,
        result: &TaskResult,
    ) {
        let Some(name) = self.hosts.get(index).map(|host| host.name.clone()) else { return };
        // Included files are announced once for all their hosts, not per host.
        if result.inclusions.is_empty() {
            self.state.tell(&Event::Result(Box::new(result.event(&name, start))));
        }
        if let Some(host) = self.hosts.get_mut(index).filter(|_| !result.once.is_skipped()) {
            host.cursor.ran();
        }
        self.time(start, result);
        self.remember(&name, task, result);
        self.notify(index, result);
        match result.once.status() {
            Status::Ok | Status::Changed if !result.inclusions.is_empty() => {}
            Status::Ok => self.state.tally(&name).ok += 1,
            Status::Changed => {
                let tally = self.state.tally(&name);
                tally.ok += 1;
                tally.changed += 1;
            }
            Status::Skipped => self.state.tally(&name).skipped += 1,
            Status::Failed if result.ignore_errors => {
                let tally = self.state.tally(&name);
                tally.ok += 1;
                tally.ignored += 1;
                tally.changed += u32::from(result.once.is_changed());
            }
            Status::Failed => self.fail(index, task, Some(result)),
            Status::Unreachable => {
                let tally = self.state.tally(&name);
                if result.ignore_unreachable {
                    tally.ok += 1;
                    tally.ignored += 1;
                } else {
                    tally.unreachable += 1;
                    self.drop_host(index, Standing::Unreachable);
                }
            }
        }
    }

    fn time(&mut self, start: &Arc<TaskStart>, result: &TaskResult) {
        match self.state.times.last_mut() {
            Some((last, took)) if last.id == start.id => *took = (*took).max(result.took),
            _ => self.state.times.push((start.clone(), result.took)),
        }
    }

    /// A task failed on a host: the nearest rescue takes over, or the host is out.
    pub(in crate::engine) fn fail(&mut self, index: usize, task: &Task, result: Option<&TaskResult>) {
        let Some(host) = self.hosts.get_mut(index) else { return };
        let name = host.name.clone();
        let fallout = host.cursor.fail();
        let out = host.cursor.failed;
        if let Some(result) = result {
            match fallout {
                Fallout::Rescued => {
                    self.state.tally(&name).rescued += 1;
                    let data = self.state.data(&name);
                    data.set("ansible_failed_task".into(), describe(task));
                    data.set("ansible_failed_result".into(), Value::map(result.once.fields.clone()));
                }
                Fallout::Failed => self.state.tally(&name).failed += 1,
            }
        }
        // A handler that fails keeps its host from the later ones.
        if out
            && task.handler
            && let Some(host) = self.hosts.get_mut(index)
        {
            host.notified.clear();
        }
        if out {
            self.drop_host(index, Standing::Failed);
        } else if fallout == Fallout::Failed {
            // Always parts still run; the host is out of everything else already.
            self.state.out.insert(name);
            self.tell_moment();
        }
    }

    /// A host leaves the play and all later ones.
    pub(in crate::engine) fn drop_host(&mut self, index: usize, standing: Standing) {
        let Some(host) = self.hosts.get_mut(index) else { return };
        host.standing = standing;
        if standing != Standing::Failed {
            host.cursor.end();
        }
        let name = host.name.clone();
        if standing == Standing::Unreachable {
            self.state.unreachable.insert(name.clone());
        }
        self.state.out.insert(name);
        self.tell_moment();
    }

    /// `register`, facts and the other effects.
    pub(in crate::engine) fn remember(&mut self, name: &Str, task: &Task, result: &TaskResult) {
        if let Some(register) = &task.register {
            self.state.data(name).set(register.clone(), Value::map(result.once.fields.clone()));
        }
        for (delegate, effect) in &result.effects {
            let target = delegate.as_ref().filter(|_| result.delegate_facts).unwrap_or(name);
            match effect {
                Effect::Facts(facts) => {
                    self.state.data(target).add_facts(facts);
                    self.keep_facts(target);
                }
                Effect::Set(facts, cacheable) => {
                    let data = self.state.data(target);
                    facts.iter().for_each(|(key, value)| data.set(key.clone(), value.clone()));
                    if *cacheable {
                        data.add_facts(facts);
                        self.keep_facts(target);
                    }
                }
                Effect::IncludeVars(vars) => {
                    let data = self.state.data(target);
                    let included = Arc::make_mut(&mut data.included);
                    included.extend(vars.iter().map(|(key, value)| (key.clone(), value.clone())));
                }
                Effect::AddHost { name, groups, vars } => self.add_host(name, groups, vars),
                Effect::GroupBy { group, parents } => {
                    let host = name.clone();
                    self.state.change_inventory(|inventory| inventory.group_by(&host, group, parents));
                    self.see_new_hosts();
                }
                Effect::Stats { data, aggregate, per_host } => {
                    self.state.add_stats(per_host.then_some(name), data.clone(), *aggregate);
                }
            }
        }
    }

    fn keep_facts(&mut self, host: &Str) {
        if let Some(cache) = &self.shared.options.fact_cache {
            self.state.keep_facts(host, cache);
        }
    }

    fn add_host(&mut self, name: &Str, groups: &[Str], vars: &Map) {
        let vars = vars.iter().map(|(key, value)| (key.clone(), Binding::Data(value.clone()))).collect();
        self.state.change_inventory(|inventory| inventory.add_host(name, groups, vars));
        self.see_new_hosts();
    }

    /// New hosts that the play's pattern matches are told about, though none of its tasks runs on them.
    fn see_new_hosts(&mut self) {
        let scope = TaskScope::new(&self.shared.run_vars, &self.vars, &self.state.moment, None);
        let Ok(pattern) = Keywords::new(self.shared, &scope).text(Some(&self.play.hosts)) else { return };
        let Ok(found) = self.state.moment.inventory.select(&pattern.unwrap_or_default()) else { return };
        let moment = Arc::make_mut(&mut self.state.moment);
        for names in [&mut moment.play_hosts, &mut moment.play_hosts_all] {
            let known = names.as_list().unwrap_or_default();
            let new = found.hosts.iter().filter(|host| !known.iter().any(|it| it.as_str() == Some(host)));
            let new: Vec<Value> = new
                .filter(|host| self.state.out.iter().all(|out| out != *host))
                .cloned()
                .map(Value::Str)
                .collect();
            *names = known.iter().cloned().chain(new).collect();
        }
    }

    /// Marks the handlers that a changed task names. An unknown one ends the run, as in Ansible.
    fn notify(&mut self, index: usize, result: &TaskResult) {
        for (name, span) in &result.notify {
            let found = self.handlers.find(name);
            if found.is_empty() {
                let message = format!("no handler is called `{name}` or listens to it");
                let diagnostic = Diagnostic::error(code::UNKNOWN_HANDLER, message).at(*span);
                self.fatal = Some(diagnostic.suggest(name, self.handlers.names()));
                return;
            }
            if let Some(host) = self.hosts.get_mut(index) {
                host.notified.extend(found);
            }
        }
    }

    /// Keeps `ansible_play_hosts` and its like up to date.
    pub(in crate::engine) fn tell_moment(&mut self) {
        let out = &self.state.out;
        let alive = |names: &Value| -> Value {
            let names = names.as_list().unwrap_or_default().iter();
            names.filter(|name| !name.as_str().is_some_and(|name| out.contains(name))).cloned().collect()
        };
        let play_hosts = alive(&self.state.moment.play_hosts);
        let batch = alive(&self.state.moment.play_batch);
        let moment = Arc::make_mut(&mut self.state.moment);
        moment.play_hosts = play_hosts;
        moment.play_batch = batch;
    }
}

/// What `ansible_failed_task` says.
fn describe(task: &Task) -> Value {
    let name = task.common.name.as_ref().and_then(|node| node.as_str()).unwrap_or_default();
    let args = task.args.named.iter().map(|(key, (_, node))| (key.clone(), node.to_value())).collect::<Map>();
    Value::from_pairs([
        ("name", Value::from(name)),
        ("action", Value::Str(task.action_name.clone())),
        ("args", Value::map(args)),
        ("register", Value::from(task.register.clone())),
    ])
}
