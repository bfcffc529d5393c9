//! How a task went on a host, and what follows from it.

use std::sync::Arc;
use std::time::Duration;

use crate::diag::{Diagnostic, Span};
use crate::event::{HostResult, Status, TaskStart};
use crate::outcome::{Diff, Outcome};
use crate::value::{Map, Str, Value};
use crate::vars::Bindings;

/// What a task changes in the run besides its registered result. The strategy applies it.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    /// Facts that a module found.
    Facts(Map),
    /// `set_fact`; the flag: also as facts.
    Set(Map, bool),
    /// `include_vars`.
    IncludeVars(Bindings),
    /// `add_host`.
    AddHost { name: Str, groups: Vec<Str>, vars: Map },
    /// `group_by`.
    GroupBy { group: Str, parents: Vec<Str> },
    /// `set_stats`.
    Stats { data: Map, aggregate: bool, per_host: bool },
}

/// A file or role to include for the host.
#[derive(Clone, Debug)]
pub(super) struct Inclusion {
    /// The file, or the role's arguments.
    pub(super) what: Included,
    /// The include's variables and the loop's.
    pub(super) params: Arc<Bindings>,
    /// What the loop's variables are worth: hosts with equal ones are included together.
    pub(super) identity: Value,
    /// The item's label.
    pub(super) label: Option<Str>,
}

/// What is included.
#[derive(Clone, Debug)]
pub(super) enum Included {
    /// Arguments of `include_tasks`.
    Tasks(Map),
    /// Arguments of `include_role`.
    Role(Map),
}

/// How one run of a module went: a task's, or an item's.
#[derive(Clone, Debug, Default)]
pub(super) struct Once {
    /// What is registered.
    pub(super) fields: Map,
    pub(super) unreachable: bool,
    pub(super) diff: Vec<Diff>,
    pub(super) effects: Vec<Effect>,
    pub(super) inclusion: Option<Inclusion>,
    pub(super) delegate: Option<Str>,
    /// Names of handlers, rendered with the item's variables.
    pub(super) notify: Vec<(Str, Span)>,
    pub(super) diagnostic: Option<Diagnostic>,
    pub(super) verbose_always: bool,
    pub(super) no_log: bool,
}

impl Once {
    /// A failure at a place in the user's files.
    pub(super) fn failed(diagnostic: Diagnostic) -> Once {
        let mut once = Once::fail(diagnostic.message.clone());
        once.diagnostic = Some(diagnostic);
        once
    }

    /// A failure with a message.
    pub(super) fn fail(msg: impl Into<String>) -> Once {
        let mut fields = Map::new();
        fields.insert("changed".into(), Value::Bool(false));
        fields.insert("failed".into(), Value::Bool(true));
        fields.insert("msg".into(), Value::from(msg.into()));
        Once { fields, ..Once::default() }
    }

    /// The host can't be reached.
    pub(super) fn unreachable(msg: impl Into<String>) -> Once {
        let mut fields = Map::new();
        fields.insert("changed".into(), Value::Bool(false));
        fields.insert("unreachable".into(), Value::Bool(true));
        fields.insert("msg".into(), Value::from(msg.into()));
        Once { fields, unreachable: true, ..Once::default() }
    }

    /// Skipped by a condition.
    pub(super) fn skipped(condition: Value) -> Once {
        let mut fields = Map::new();
        fields.insert("changed".into(), Value::Bool(false));
        fields.insert("skipped".into(), Value::Bool(true));
        fields.insert("skip_reason".into(), Value::from("Conditional result was False"));
        fields.insert("false_condition".into(), condition);
        Once { fields, ..Once::default() }
    }

    /// From what a module returned.
    pub(super) fn of(outcome: Outcome) -> Once {
        let mut fields = outcome.fields;
        // A module that returns secrets says so itself.
        let no_log = fields.shift_remove("_ansible_no_log").is_some_and(|flag| flag.truthy());
        fields.insert("changed".into(), Value::Bool(outcome.changed));
        if outcome.failed || !outcome.skipped {
            fields.insert("failed".into(), Value::Bool(outcome.failed));
        }
        if outcome.skipped {
            fields.insert("skipped".into(), Value::Bool(true));
        }
        if !outcome.warnings.is_empty() {
            fields.insert("warnings".into(), Value::from(outcome.warnings));
        }
        if !outcome.diff.is_empty() {
            fields.insert("diff".into(), outcome.diff.iter().map(diff_value).collect());
        }
        let mut effects = Vec::new();
        if !outcome.facts.is_empty() {
            fields.insert("ansible_facts".into(), Value::map(outcome.facts.clone()));
            effects.push(Effect::Facts(outcome.facts));
        }
        Once { fields, diff: outcome.diff, effects, no_log, ..Once::default() }
    }

    /// Its effects with the host that it was delegated to.
    pub(super) fn for_delegate(&self) -> Vec<(Option<Str>, Effect)> {
        self.effects.iter().map(|effect| (self.delegate.clone(), effect.clone())).collect()
    }

    fn flag(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(Value::truthy)
    }

    pub(super) fn is_failed(&self) -> bool {
        self.flag("failed")
    }

    pub(super) fn is_changed(&self) -> bool {
        self.flag("changed")
    }

    pub(super) fn is_skipped(&self) -> bool {
        self.flag("skipped")
    }

    pub(super) fn status(&self) -> Status {
        if self.unreachable {
            Status::Unreachable
        } else if self.is_failed() {
            Status::Failed
        } else if self.is_skipped() {
            Status::Skipped
        } else if self.is_changed() {
            Status::Changed
        } else {
            Status::Ok
        }
    }
}

fn diff_value(diff: &Diff) -> Value {
    if let Some(prepared) = &diff.prepared {
        return Value::from_pairs([("prepared", prepared.as_str())]);
    }
    Value::from_pairs([
        ("before_header", Value::from(diff.before_header.as_str())),
        ("after_header", Value::from(diff.after_header.as_str())),
        ("before", diff.before.clone()),
        ("after", diff.after.clone()),
    ])
}

/// How a task went on a host.
#[derive(Clone, Debug)]
pub(super) struct TaskResult {
    pub(super) once: Once,
    /// Effects of all items, with the host that each item was delegated to.
    pub(super) effects: Vec<(Option<Str>, Effect)>,
    /// Files and roles to include, in order.
    pub(super) inclusions: Vec<Inclusion>,
    /// Rendered names of handlers, if something changed.
    pub(super) notify: Vec<(Str, Span)>,
    /// The task had a loop.
    pub(super) looped: bool,
    pub(super) ignore_errors: bool,
    pub(super) ignore_unreachable: bool,
    pub(super) any_errors_fatal: bool,
    pub(super) delegate_facts: bool,
    pub(super) took: Duration,
}

impl TaskResult {
    pub(super) fn of(once: Once) -> TaskResult {
        TaskResult {
            effects: once.for_delegate(),
            inclusions: once.inclusion.clone().into_iter().collect(),
            notify: once.notify.clone(),
            once,
            looped: false,
            ignore_errors: false,
            ignore_unreachable: false,
            any_errors_fatal: false,
            delegate_facts: false,
            took: Duration::ZERO,
        }
    }

    pub(super) fn ignored(&self) -> bool {
        match self.once.status() {
            Status::Failed => self.ignore_errors,
            Status::Unreachable => self.ignore_unreachable,
            _ => false,
        }
    }

    /// As outputs see it.
    pub(super) fn event(&self, host: &Str, start: &Arc<TaskStart>) -> HostResult {
        shown(
            &self.once,
            host,
            start,
            Shown { ignored: self.ignored(), looped: self.looped, took: self.took, label: None },
        )
    }
}

/// What an event says besides the result itself.
pub(super) struct Shown {
    pub(super) ignored: bool,
    pub(super) looped: bool,
    pub(super) took: Duration,
    pub(super) label: Option<Str>,
}

/// A result as outputs see it: nothing but the status under `no_log`.
pub(super) fn shown(once: &Once, host: &Str, start: &Arc<TaskStart>, how: Shown) -> HostResult {
    let hidden = once.no_log;
    let fields = if hidden { censored(once) } else { once.fields.clone() };
    HostResult {
        host: host.clone(),
        delegate: once.delegate.clone().filter(|delegate| delegate != host),
        task: start.clone(),
        status: once.status(),
        ignored: how.ignored,
        fields: Arc::new(fields),
        label: if hidden && how.label.is_some() {
            Some("(censored due to no_log)".into())
        } else {
            how.label
        },
        looped: how.looped,
        diff: if hidden { Vec::new() } else { once.diff.clone() },
        verbose_always: once.verbose_always && !hidden,
        no_log: hidden,
        took: how.took,
        diagnostic: if hidden { None } else { once.diagnostic.clone() },
    }
}

/// What may be shown of a result under `no_log`.
fn censored(once: &Once) -> Map {
    const TEXT: &str =
        "the output has been hidden due to the fact that 'no_log: true' was specified for this result";
    let mut fields = Map::new();
    // Why there is no connection comes from the connection, which knows nothing of the task.
    let reason = if once.fields.contains_key("unreachable") { "msg" } else { "" };
    for name in ["changed", "failed", "skipped", "unreachable", "attempts", "retries", reason] {
        if let Some(value) = once.fields.get(name) {
            fields.insert(name.into(), value.clone());
        }
    }
    fields.insert("censored".into(), Value::from(TEXT));
    fields
}
