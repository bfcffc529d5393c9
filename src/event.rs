//! What the engine says happened. Outputs render it; the engine itself never prints.

use std::sync::Arc;
use std::time::Duration;

use crate::diag::{Diagnostic, Span};
use crate::value::{Map, Str, Value};

/// Something that happened, in the order a user should see it.
#[derive(Clone, Debug)]
pub enum Event {
    /// A message about the user's files, or a warning from a module.
    Message(Diagnostic),
    /// A play starts. Empty `hosts`: no host matched.
    PlayStart {
        /// Its name, or its hosts pattern.
        name: Str,
        /// The hosts it runs on, in order.
        hosts: Vec<Str>,
    },
    /// A task starts, for one or more hosts.
    TaskStart(TaskStart),
    /// A host began to work on a task; for the live status line.
    HostStart {
        /// The host.
        host: Str,
    },
    /// A running command printed a line.
    Line {
        /// The host.
        host: Str,
        /// The line.
        text: Str,
        /// Whether on standard error.
        stderr: bool,
    },
    /// One item of a loop is done on a host.
    Item(Box<HostResult>),
    /// A try of an `until` loop did not succeed yet.
    Retry {
        /// The result of that try.
        result: Box<HostResult>,
        /// How many tries are left.
        left: u64,
    },
    /// A task is done on a host. After a loop: the whole of it.
    Result(Box<HostResult>),
    /// A file was included for hosts.
    Included {
        /// The file or role.
        file: Str,
        /// The hosts.
        hosts: Vec<Str>,
        /// The label of the loop item, if it was in a loop.
        label: Option<Str>,
    },
    /// All hosts have failed; the play ends early.
    NoHostsLeft,
    /// The run is over.
    Recap(Recap),
}

/// A task, as outputs name it.
#[derive(Clone, Debug)]
pub struct TaskStart {
    /// Names the task in the run.
    pub id: u32,
    /// Its name with templates filled in where that is possible, `role : name` inside a role, or the module.
    pub name: Str,
    /// Its module, as written.
    pub action: Str,
    /// Where it stands.
    pub span: Span,
    /// Whether it runs as a handler.
    pub handler: bool,
    /// Whether it runs in check mode.
    pub check: bool,
}

/// How a task went on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing had to change.
    Ok,
    /// Something was changed.
    Changed,
    /// Not run.
    Skipped,
    /// It failed.
    Failed,
    /// The host could not be reached.
    Unreachable,
}

/// A task's result on a host, or one item's.
#[derive(Clone, Debug)]
pub struct HostResult {
    /// The host.
    pub host: Str,
    /// The host it was delegated to.
    pub delegate: Option<Str>,
    /// The task.
    pub task: Arc<TaskStart>,
    /// How it went.
    pub status: Status,
    /// Whether a failure is ignored (`ignore_errors`, `ignore_unreachable`).
    pub ignored: bool,
    /// The result as registered. Under `no_log` only what may be shown.
    pub fields: Arc<Map>,
    /// The item's label, for an item.
    pub label: Option<Str>,
    /// For the result of a whole loop: it had items, and they were shown one by one.
    pub looped: bool,
    /// Before and after.
    pub diff: Vec<crate::outcome::Diff>,
    /// Show the result's fields even without `-v` (`debug` does).
    pub verbose_always: bool,
    /// Hide everything but the status.
    pub no_log: bool,
    /// How long it took.
    pub took: Duration,
    /// Where and why, for a failure: the place of the template or argument that caused it.
    pub diagnostic: Option<Diagnostic>,
}

/// What a host did in the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tasks that went well, changed ones among them.
    pub ok: u32,
    /// Tasks that changed something.
    pub changed: u32,
    /// Failures to reach the host.
    pub unreachable: u32,
    /// Failed tasks.
    pub failed: u32,
    /// Skipped tasks.
    pub skipped: u32,
    /// Failures that a rescue took care of.
    pub rescued: u32,
    /// Failures that were ignored.
    pub ignored: u32,
}

/// The end of a run.
#[derive(Clone, Debug, Default)]
pub struct Recap {
    /// Every host that took part, sorted by name.
    pub hosts: Vec<(Str, Tally)>,
    /// `set_stats`, the run's own values.
    pub stats: Map,
    /// `set_stats` with `per_host`: the values of each host, sorted by name.
    pub host_stats: Vec<(Str, Map)>,
    /// Time per task: name, place, time, in the order they ran.
    pub times: Vec<(Arc<TaskStart>, Duration)>,
    /// The whole run.
    pub took: Duration,
}

/// Takes events. Called from one task, in order.
pub trait Sink: Send {
    /// One event.
    fn event(&mut self, event: &Event);
}

/// Kept for outputs that show a value: the registered result of a task as one value.
impl HostResult {
    /// The result's fields as one value.
    #[must_use]
    pub fn value(&self) -> Value {
        Value::Map(self.fields.clone())
    }
}
