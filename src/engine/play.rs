//! One play: its hosts in batches, its sections in order.

use std::sync::Arc;

use super::batch::{Batch, Standing};
use super::keywords::{Keywords, as_bool};
use super::options::Gathering;
use super::prompt;
use super::shared::Shared;
use super::state::State;
use super::strategy::{self, Strategy};
use super::vars_files;
use crate::diag::{Diagnostic, Severity, code};
use crate::event::Event;
use crate::modules;
use crate::playbook::{Action, Args, Common, Item, Play, Task};
use crate::template::TemplateError;
use crate::value::{Str, Value};
use crate::vars::{PlayVars, TaskScope};
use crate::yaml::{Kind, Node, NodeMap};

/// How a play ended.
pub(super) enum Ended {
    /// The next play may follow.
    GoOn,
    /// No host is left: no play follows.
    AllOut,
    /// A mistake ends the run.
    Fatal(Box<Diagnostic>),
}

/// Runs a play.
pub(super) async fn run(shared: &Arc<Shared>, state: &mut State, play: &Arc<Play>, vars: PlayVars) -> Ended {
    match PlayRun::new(shared, state, play, vars) {
        Ok(Some(run)) => run.go().await,
        Ok(None) => Ended::GoOn,
        Err(error) => Ended::Fatal(error.diagnostic),
    }
}

struct PlayRun<'a> {
    shared: &'a Arc<Shared>,
    state: &'a mut State,
    play: &'a Arc<Play>,
    vars: Arc<PlayVars>,
    hosts: Vec<Str>,
}

impl<'a> PlayRun<'a> {
    /// Finds the play's hosts and announces it. None: no host matches.
    fn new(
        shared: &'a Arc<Shared>,
        state: &'a mut State,
        play: &'a Arc<Play>,
        mut vars: PlayVars,
    ) -> Result<Option<PlayRun<'a>>, TemplateError> {
        let scope = TaskScope::new(&shared.run_vars, &Arc::new(vars.clone()), &state.moment, None);
        let keywords = Keywords::new(shared, &scope);
        let pattern = match keywords.value(Some(&play.hosts))? {
            Value::List(items) => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            other => other.to_string(),
        };
        let name = keywords.text(play.common.name.as_ref()).ok().flatten().unwrap_or_else(|| pattern.clone());
        vars.name = Some(Str::from(name.as_str()));
        let at_pattern = |problem: Diagnostic| TemplateError::new(problem.at(play.hosts.span));
        let selection = state.moment.inventory.select(&pattern).map_err(at_pattern)?;
        let mut hosts: Vec<Str> = selection.hosts.into_iter().collect();
        for warning in selection.warnings {
            state.tell(&Event::Message(warning.at(play.hosts.span)));
        }
        if let Some(limit) = &shared.options.limit {
            let limited = state.moment.inventory.limit(limit).map_err(at_pattern)?.hosts;
            hosts.retain(|host| limited.contains(host));
        }
        variables_of(state, &hosts)?;
        order(&mut hosts, keywords.text(play.order.as_ref())?.as_deref());
        // In batches each one is announced.
        if hosts.is_empty() || play.serial.is_empty() {
            state.tell(&Event::PlayStart { name: Str::from(name), hosts: hosts.clone() });
        }
        if hosts.iter().all(|host| state.out.contains(host)) {
            return Ok(None);
        }
        vars.prompted = prompt::ask(shared, play, &keywords)?;
        let moment = Arc::make_mut(&mut state.moment);
        let alive = hosts.iter().filter(|host| !state.out.contains(*host));
        moment.play_hosts = alive.cloned().map(Value::Str).collect();
        moment.play_hosts_all = hosts.iter().cloned().map(Value::Str).collect();
        Ok(Some(PlayRun { shared, state, play, vars: Arc::new(vars), hosts }))
    }

    async fn go(self) -> Ended {
        let scope = TaskScope::new(&self.shared.run_vars, &self.vars, &self.state.moment, self.hosts.first());
        let keywords = Keywords::new(self.shared, &scope);
        let plan = (|| {
            let strategy = self.strategy(&keywords)?;
            let sizes = batches(&keywords, &self.play.serial, self.hosts.len())?;
            let max_fail = keywords.seconds(self.play.max_fail_percentage.as_ref())?;
            let force =
                keywords.flag(self.play.force_handlers.as_ref(), self.shared.options.force_handlers)?;
            let gather = self.gathers(&keywords)?;
            Ok::<_, TemplateError>((strategy, sizes, max_fail, force, gather))
        })();
        let (strategy, sizes, max_fail, force, gather) = match plan {
            Ok(plan) => plan,
            Err(error) => return Ended::Fatal(error.diagnostic),
        };
        let items = Arc::new(self.items(gather));
        let mut rest = self.hosts.as_slice();
        for size in sizes {
            let (now, later) = rest.split_at(size.min(rest.len()));
            rest = later;
            let (before, wanted) = (self.state.out.len(), now.len());
            let now: Vec<Str> = now.iter().filter(|host| !self.state.out.contains(*host)).cloned().collect();
            if now.is_empty() {
                continue;
            }
            if !self.play.serial.is_empty() {
                let name = self.vars.name.clone().unwrap_or_else(|| Str::from(""));
                self.state.tell(&Event::PlayStart { name, hosts: now.clone() });
            }
            Arc::make_mut(&mut self.state.moment).play_batch = now.iter().cloned().map(Value::Str).collect();
            if let Err(error) =
                vars_files::load(self.shared, self.state, self.play, &self.vars, &now, !gather)
            {
                return Ended::Fatal(error.diagnostic);
            }
            let (play, vars) = (self.play.clone(), self.vars.clone());
            let mut batch = Batch::new(self.shared, self.state, play, vars, now, &items);
            batch.max_fail = max_fail;
            batch.force = force;
            strategy.run(&mut batch).await;
            if force {
                forced_handlers(&mut batch, strategy).await;
            }
            if let Some(problem) = batch.fatal.take() {
                return Ended::Fatal(Box::new(problem));
            }
            let all_out = batch
                .hosts
                .iter()
                .all(|host| matches!(host.standing, Standing::Failed | Standing::Unreachable));
            let play_ended = batch.play_ended;
            if all_out {
                self.state.tell(&Event::NoHostsLeft);
            }
            // A batch that lost all its hosts ends the run; one that began without some of them does not.
            if all_out && self.state.out.len() - before.min(self.state.out.len()) == wanted {
                return Ended::AllOut;
            }
            if play_ended || self.shared.stopping() {
                break;
            }
        }
        Ended::GoOn
    }

    fn strategy(&self, keywords: &Keywords<'_>) -> Result<Strategy, TemplateError> {
        let own = keywords.text(self.play.strategy.as_ref())?;
        let Some(name) = own.or_else(|| self.shared.options.strategy.clone()) else {
            return Ok(Strategy::Linear);
        };
        Strategy::named(&name).ok_or_else(|| {
            let span = self.play.strategy.as_ref().map_or(self.play.span, |node| node.span);
            let diagnostic =
                Diagnostic::error(code::UNKNOWN_STRATEGY, format!("there is no strategy `{name}`")).at(span);
            TemplateError::new(diagnostic.suggest(&name, strategy::NAMES.iter().copied()))
        })
    }

    /// Whether facts are gathered before the first task.
    fn gathers(&self, keywords: &Keywords<'_>) -> Result<bool, TemplateError> {
        if self.play.gather_facts.is_some() {
            let value = keywords.value(self.play.gather_facts.as_ref())?;
            return Ok(as_bool(&value).unwrap_or(false));
        }
        // With `smart` each host that is known already leaves the task out.
        Ok(self.shared.options.gathering != Gathering::Explicit)
    }

    /// Everything that a host goes through, handlers' flushes among it.
    fn items(&self, gather: bool) -> Vec<Item> {
        let mut items = Vec::new();
        if gather {
            items.push(self.implicit("Gathering Facts", "setup", Action::IncludeTasks, self.gather_args()));
            // `vars_files` whose names depend on facts are read once these are known.
        }
        for section in [&self.play.pre_tasks, &self.play.tasks, &self.play.post_tasks] {
            if !section.is_empty() {
                items.extend(section.iter().cloned());
                let flush = Action::Meta("flush_handlers".into());
                items.push(self.implicit("Flush handlers", "meta", flush, Args::default()));
            }
        }
        items
    }

    fn gather_args(&self) -> Args {
        let mut named = NodeMap::new();
        let node = |text: &str| Node::new(Kind::Str(Str::from(text)), self.play.span);
        let subset = self.shared.options.gather_subset.as_deref().map(node);
        let path = self.shared.options.fact_path.as_deref().map(node);
        let given = [
            ("gather_subset", self.play.gather_subset.clone().or(subset)),
            ("gather_timeout", self.play.gather_timeout.clone()),
            ("fact_path", self.play.fact_path.clone().or(path)),
        ];
        for (name, value) in given {
            if let Some(value) = value {
                named.insert(Str::from(name), (value.span, value));
            }
        }
        Args { named: Arc::new(named), whole: None }
    }

    /// A task that nobody wrote.
    fn implicit(&self, name: &str, module: &str, action: Action, args: Args) -> Item {
        let action = match modules::find(module) {
            Some(entry) if module == "setup" => Action::Module(entry),
            _ => action,
        };
        let span = self.play.span;
        let node = |text: &str| Node::new(Kind::Str(Str::from(text)), span);
        let mut common = (*self.play.common).clone();
        common.name = Some(node(name));
        common.tags.push(node("always"));
        common.when = Vec::new();
        // Facts are about the host, whatever the check mode.
        let common = Arc::new(Common { vars: Arc::default(), delegate_to: None, run_once: None, ..common });
        let name = if module == "setup" { "gather_facts" } else { module };
        let blank = Task::blank(self.shared.loader.id(), span, common, action, name);
        Item::Task(Arc::new(Task { dir: self.play.dir.clone(), args, implicit: true, ..blank }))
    }
}

/// `force_handlers`: hosts that failed run the handlers they were told to.
async fn forced_handlers(batch: &mut Batch<'_>, strategy: Strategy) {
    let items = batch.handlers.items();
    let mut forced = Vec::new();
    for (index, host) in batch.hosts.iter_mut().enumerate() {
        if host.standing == Standing::Failed && !host.notified.is_empty() {
            host.standing = Standing::Active;
            host.cursor.failed = false;
            host.cursor.end();
            host.cursor.push_handlers(items.clone());
            forced.push(index);
        }
    }
    if forced.is_empty() {
        return;
    }
    strategy.run(batch).await;
    for index in forced {
        if let Some(host) = batch.hosts.get_mut(index).filter(|host| host.standing == Standing::Done) {
            host.standing = Standing::Failed;
        }
    }
}

/// Reads the hosts' variables; a file that can't be read would leave variables out, so that it ends the run.
fn variables_of(state: &mut State, hosts: &[Str]) -> Result<(), TemplateError> {
    let problems = state.moment.inventory.prepare(hosts);
    let (mut mistakes, warnings): (Vec<Diagnostic>, Vec<Diagnostic>) =
        problems.into_iter().partition(|problem| problem.severity == Severity::Error);
    let last = mistakes.pop();
    for problem in warnings.into_iter().chain(mistakes) {
        state.tell(&Event::Message(problem));
    }
    last.map_or(Ok(()), |mistake| Err(TemplateError::new(mistake)))
}

fn order(hosts: &mut [Str], order: Option<&str>) {
    match order {
        Some("reverse_inventory") => hosts.reverse(),
        Some("sorted") => hosts.sort(),
        Some("reverse_sorted") => hosts.sort_by(|a, b| b.cmp(a)),
        Some("shuffle") => {
            use rand::seq::SliceRandom;
            hosts.shuffle(&mut rand::rng());
        }
        _ => {}
    }
}

/// The sizes of the batches: numbers and percentages of all hosts, the last one repeated until all are covered.
fn batches(keywords: &Keywords<'_>, serial: &[Node], total: usize) -> Result<Vec<usize>, TemplateError> {
    let mut sizes = Vec::new();
    for node in serial {
        let value = keywords.value(Some(node))?;
        let entries = match value {
            Value::List(items) => items.to_vec(),
            other => vec![other],
        };
        for entry in entries {
            sizes.push(batch_size(node, &entry, total)?);
        }
    }
    let Some(mut last) = sizes.last().copied() else { return Ok(vec![total]) };
    if last == 0 {
        last = total;
    }
    let mut all = Vec::new();
    let mut covered = 0;
    let mut given = sizes.into_iter();
    while covered < total {
        let size = match given.next() {
            Some(0) => total,
            Some(size) => size,
            None => last,
        };
        all.push(size);
        covered += size;
    }
    Ok(all)
}

fn batch_size(node: &Node, value: &Value, total: usize) -> Result<usize, TemplateError> {
    let text = value.to_string();
    let wrong = || {
        let message = format!("`serial` takes numbers and percentages, not `{text}`");
        TemplateError::new(Diagnostic::error(code::BAD_KEYWORD, message).at(node.span))
    };
    if let Some(percent) = text.trim().strip_suffix('%') {
        let percent: f64 = percent.trim().parse().map_err(|_| wrong())?;
        // Truncated as floating-point division does it, never less than one host.
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of hosts, not negative"
        )]
        let size = (percent / 100.0 * total as f64).max(0.0) as usize;
        return Ok(size.max(1));
    }
    text.trim().parse::<i64>().map_err(|_| wrong()).map(|size| usize::try_from(size).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{FileId, Span};

    #[test]
    fn percentages_are_truncated_and_never_zero() {
        let node = Node::new(Kind::Null, Span { file: FileId(0), start: 0, end: 0 });
        let size = |text: &str, total| batch_size(&node, &Value::from(text), total).unwrap();
        assert_eq!(size("50%", 4), 2);
        assert_eq!(size("30%", 10), 3);
        assert_eq!(size("1%", 10), 1);
        assert_eq!(size("3", 10), 3);
        assert!(batch_size(&node, &Value::from("x"), 1).is_err());
    }
}
