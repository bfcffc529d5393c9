//! One step of several hosts together, what it includes, and the limits that end a play early.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::{Batch, Flight, Standing};
use crate::diag::Diagnostic;
use crate::engine::keywords::Keywords;
use crate::engine::result::{Included, Inclusion, Once, Shown, TaskResult, shown};
use crate::event::{Event, TaskStart};
use crate::playbook::{Action, Item, RoleRequest, Task};
use crate::value::{Map, Str, Value};
use crate::vars::Bindings;
use crate::yaml::NodeMap;

/// A task and the hosts that run it now.
pub(in crate::engine) struct Step {
    pub(in crate::engine) task: Arc<Task>,
    /// Places in the batch's list of hosts, with the variables of the includes around the task.
    pub(in crate::engine) hosts: Vec<(usize, Arc<Bindings>)>,
}

impl Batch<'_> {
    /// Runs a task on its hosts and lets the results take effect.
    pub(in crate::engine) async fn step(&mut self, step: Step) {
        let Step { task, hosts } = step;
        let Some((first, params)) = hosts.first().cloned() else { return };
        if let Action::Meta(word) = &task.action {
            return self.meta(word, &task, &hosts).await;
        }
        let start = self.announce(&task, first, &params);
        if self.shared.options.step && !self.step_all && !self.confirmed(&start) {
            return;
        }
        let scope = self.scope(first, &task, &params);
        let keywords = Keywords::new(self.shared, &scope);
        let (once, asked) = match keywords.flag(task.common.run_once.as_ref(), false) {
            Ok(asked) => (asked || bypasses_hosts(&task), asked),
            Err(error) => {
                let result = TaskResult::of(Once::failed(*error.diagnostic));
                hosts.iter().for_each(|(index, _)| self.apply(*index, &task, &start, &result));
                return;
            }
        };
        let throttle = keywords.number(task.common.throttle.as_ref()).ok().flatten().filter(|n| *n > 0);
        let throttle =
            throttle.map(|n| Arc::new(Semaphore::new(usize::try_from(n).unwrap_or(usize::MAX >> 4))));
        let runners = if once { vec![(first, params)] } else { hosts.clone() };
        let results = self.fly(&task, &runners, &start, throttle.as_ref()).await;
        self.limits(&task, &results, once, &hosts);
        if asked {
            self.share(&task, &results, &hosts);
        }
        self.include(&task, &start, results);
        for warning in self.shared.templates.take_warnings() {
            self.state.tell(&Event::Message(warning));
        }
    }

    async fn fly(
        &mut self,
        task: &Arc<Task>,
        hosts: &[(usize, Arc<Bindings>)],
        start: &Arc<TaskStart>,
        throttle: Option<&Arc<Semaphore>>,
    ) -> Vec<(usize, TaskResult)> {
        let mut flight = Flight::new();
        for (index, params) in hosts {
            let work = self.host_task(*index, task, params, start);
            self.launch(&mut flight, *index, work, throttle);
        }
        let mut results = Vec::with_capacity(hosts.len());
        while let Some((index, result)) = self.landed(&mut flight).await {
            self.apply(index, task, start, &result);
            results.push((index, result));
        }
        // Includes are grouped in the order of the hosts, not of their answers.
        results.sort_by_key(|(index, _)| *index);
        results
    }

    /// `--step`: asks before each task.
    fn confirmed(&mut self, start: &TaskStart) -> bool {
        let question = format!("Perform task: TASK: {} (N)o/(y)es/(c)ontinue: ", start.name);
        match self
            .shared
            .prompt
            .ask(&question, false)
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
            .as_str()
        {
            "y" | "yes" => true,
            "c" | "continue" => {
                self.step_all = true;
                true
            }
            _ => false,
        }
    }

    /// A `run_once` result belongs to every host of the batch. What it includes is for the first host alone.
    fn share(&mut self, task: &Task, results: &[(usize, TaskResult)], hosts: &[(usize, Arc<Bindings>)]) {
        let Some((first, result)) = results.first().cloned() else { return };
        for (index, _) in hosts.iter().filter(|(index, _)| *index != first) {
            let Some(name) = self.hosts.get(*index).map(|host| host.name.clone()) else { continue };
            self.remember(&name, task, &result);
        }
    }

    /// `any_errors_fatal`, a failed `run_once`, `max_fail_percentage`.
    fn limits(
        &mut self,
        task: &Task,
        results: &[(usize, TaskResult)],
        once: bool,
        hosts: &[(usize, Arc<Bindings>)],
    ) {
        let bad =
            |result: &TaskResult| (result.once.is_failed() || result.once.unreachable) && !result.ignored();
        let fatal = results.iter().any(|(_, result)| bad(result) && (result.any_errors_fatal || once));
        if fatal {
            let failed: Vec<usize> =
                results.iter().filter(|(_, result)| bad(result)).map(|(index, _)| *index).collect();
            // Rescued after `run_once`: only the host that ran it goes on.
            let alone = once && failed.iter().any(|index| !self.is_out(*index));
            let others = if once {
                hosts.iter().map(|(index, _)| *index).collect()
            } else {
                (0..self.hosts.len()).collect::<Vec<_>>()
            };
            for index in others.into_iter().filter(|index| !failed.contains(index)) {
                if self
                    .hosts
                    .get(index)
                    .is_some_and(|host| host.standing == Standing::Active && !host.cursor.doomed())
                {
                    if alone {
                        self.drop_host(index, Standing::Failed);
                    } else {
                        self.fail(index, task, None);
                    }
                }
            }
        }
        if let Some(limit) = self.max_fail {
            let failed = self.hosts.iter().filter(|host| host.standing == Standing::Failed).count();
            #[expect(clippy::cast_precision_loss, reason = "counts of hosts")]
            let share = failed as f64 * 100.0 / self.hosts.len().max(1) as f64;
            if share > limit {
                for index in 0..self.hosts.len() {
                    if self.hosts.get(index).is_some_and(|host| host.standing == Standing::Active) {
                        self.drop_host(index, Standing::Failed);
                    }
                }
            }
        }
    }

    fn is_out(&self, index: usize) -> bool {
        self.hosts.get(index).is_none_or(|host| self.state.out.contains(&host.name))
    }

    /// Includes what the results ask for: hosts that include the same with the same loop variables do it together.
    pub(in crate::engine) fn include(
        &mut self,
        task: &Arc<Task>,
        start: &Arc<TaskStart>,
        results: Vec<(usize, TaskResult)>,
    ) {
        let mut groups: Vec<(Inclusion, Vec<usize>)> = Vec::new();
        for (index, result) in results {
            // Hosts mostly include the same in the same order: the search begins at the same place, which keeps long loops
            // fast, and what the host itself added is not searched.
            let before = groups.len();
            for (turn, inclusion) in result.inclusions.into_iter().enumerate() {
                let same = |group: &(Inclusion, Vec<usize>)| {
                    group.0.identity == inclusion.identity
                        && arguments(&group.0) == arguments(&inclusion)
                        && !group.1.contains(&index)
                };
                let at = (turn.min(before)..before).chain(0..turn.min(before));
                match at.filter_map(|at| Some((at, groups.get(at)?))).find(|(_, group)| same(group)) {
                    Some((at, _)) => groups.get_mut(at).into_iter().for_each(|group| group.1.push(index)),
                    None => groups.push((inclusion, vec![index])),
                }
            }
        }
        let mut loaded = Vec::new();
        for (inclusion, hosts) in groups {
            match self.load(task, &inclusion) {
                Ok((file, items)) => loaded.push((inclusion, hosts, file, Arc::new(items))),
                Err(problem) => self.include_failed(task, start, &hosts, problem),
            }
        }
        // Pushed last to first, so that the first one is on top.
        for (rank, (inclusion, hosts, _, items)) in loaded.iter().enumerate().rev() {
            for index in hosts {
                if let Some(host) =
                    self.hosts.get_mut(*index).filter(|host| host.standing == Standing::Active)
                {
                    host.cursor.push(
                        items.clone(),
                        u32::try_from(rank).unwrap_or(u32::MAX),
                        inclusion.params.clone(),
                    );
                }
            }
        }
        for (inclusion, hosts, file, _) in loaded {
            let names: Vec<Str> =
                hosts.iter().filter_map(|index| self.hosts.get(*index)).map(|h| h.name.clone()).collect();
            for name in &names {
                self.state.tally(name).ok += 1;
            }
            self.state.tell(&Event::Included { file, hosts: names, label: inclusion.label });
        }
    }

    fn load(&mut self, task: &Arc<Task>, inclusion: &Inclusion) -> Result<(Str, Vec<Item>), Vec<Diagnostic>> {
        let text = |args: &Map, name: &str| crate::engine::args::text(args, name);
        match &inclusion.what {
            Included::Tasks(args) => {
                let name =
                    text(args, "file").or_else(|| text(args, "_raw_params")).unwrap_or_else(|| Str::from(""));
                let path =
                    self.shared.loader.find_tasks_file(&name, task).map_err(|problem| vec![problem])?;
                let items = self.shared.loader.include_tasks(&path, task, &NodeMap::new(), task.handler)?;
                Ok((Str::from(path.to_string_lossy().into_owned()), items))
            }
            Included::Role(args) => {
                let flag = |name: &str| crate::engine::args::flag(args, name, false);
                let name = text(args, "name").or_else(|| text(args, "role")).unwrap_or_else(|| Str::from(""));
                let request = RoleRequest {
                    name,
                    tasks_from: text(args, "tasks_from"),
                    vars_from: text(args, "vars_from"),
                    defaults_from: text(args, "defaults_from"),
                    handlers_from: text(args, "handlers_from"),
                    params: NodeMap::new(),
                    allow_duplicates: Some(crate::engine::args::flag(args, "allow_duplicates", true)),
                    public: flag("public"),
                };
                let role = self.shared.loader.include_role(&request, task, &self.play.dir)?;
                self.add_handlers(&role.handlers);
                if role.public {
                    let vars = Arc::make_mut(&mut self.vars);
                    vars.public_defaults.push(role.defaults.clone());
                    vars.public_vars.push(role.vars.clone());
                }
                Ok((role.name.clone(), role.tasks.clone()))
            }
        }
    }

    /// What can't be included fails the hosts that wanted it; `ignore_errors` does not help.
    fn include_failed(
        &mut self,
        task: &Arc<Task>,
        start: &Arc<TaskStart>,
        hosts: &[usize],
        mut problems: Vec<Diagnostic>,
    ) {
        let first = if problems.is_empty() {
            Diagnostic::error(crate::diag::code::MISSING_FILE, "the file can't be included")
                .at(task.action_span)
        } else {
            problems.remove(0)
        };
        let mut once = Once::failed(first);
        once.fields.insert("include".into(), Value::Str(task.action_name.clone()));
        let result = TaskResult::of(once);
        for index in hosts {
            let Some(name) = self.hosts.get(*index).map(|host| host.name.clone()) else { continue };
            let how = Shown { ignored: false, looped: false, took: result.took, label: None };
            self.state.tell(&Event::Result(Box::new(shown(&result.once, &name, start, how))));
            // Ansible counts it as failed even where a rescue takes over.
            self.state.tally(&name).failed += 1;
            self.fail(*index, task, None);
        }
        for problem in problems {
            self.state.tell(&Event::Message(problem));
        }
    }
}

/// Modules that act once for all hosts.
fn bypasses_hosts(task: &Task) -> bool {
    matches!(&task.action, Action::Module(entry) if matches!(entry.name, "pause" | "add_host"))
}

fn arguments(inclusion: &Inclusion) -> &Map {
    match &inclusion.what {
        Included::Tasks(args) | Included::Role(args) => args,
    }
}
