//! From a task to a call and back: arguments, the controller half, the host half.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::mpsc;

use super::actions;
use super::args;
use super::keywords::Keywords;
use super::reach::{self, Reach};
use super::result::Once;
use super::task::HostTask;
use crate::connection::{BlobSource, CallError, NoFiles, Worker};
use crate::diag::{Diagnostic, code};
use crate::event::Event;
use crate::modules;
use crate::modules::api::{Entry, Execution};
use crate::outcome::{Blob, Outcome};
use crate::playbook::Action;
use crate::proto::{Call, Reply, TIMED_OUT};
use crate::template::TemplateError;
use crate::value::{Map, Str, Value};
use crate::vars::TaskScope;

/// A turn of a task that was looked at and is ready to go.
pub(super) enum Prepared {
    /// Nothing has to be sent: skipped, failed, or done on the controller.
    Done(Box<Once>),
    /// To be done on the controller, and takes time.
    Local(BoxFuture<'static, Once>),
    /// To be run by a worker.
    Remote(Box<Remote>),
}

/// What is sent to a worker.
pub(super) struct Remote {
    pub(super) module: Str,
    pub(super) args: Map,
    pub(super) blobs: Vec<Blob>,
    pub(super) files: Arc<dyn BlobSource>,
    /// Where fetched contents go.
    pub(super) sink: Option<actions::Fetched>,
    pub(super) at: Reach,
    pub(super) delegate: Option<Str>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) timeout: Option<u64>,
    pub(super) detach: Option<u64>,
    /// `async` with a `poll`: here nothing but a time limit, with a result as if it had been looked for.
    pub(super) polled: bool,
}

/// A turn that is under way.
pub(super) enum Running {
    Done(Box<Once>),
    Local(BoxFuture<'static, Once>),
    Waiting { reply: BoxFuture<'static, Result<Reply, CallError>>, remote: Box<Remote> },
}

/// Finds out what a task does in this scope, renders its arguments and does the controller's part of it.
pub(super) async fn prepare(task: &HostTask, scope: &TaskScope) -> Result<Prepared, TemplateError> {
    let action = resolve(task, scope)?;
    match action {
        Action::Module(entry) if entry.execution == Execution::Controller => {
            actions::controller(task, scope, entry).await
        }
        Action::Module(entry) => {
            let mut remote = remote(task, scope, entry.name)?;
            remote.args = args::render(task, scope, Some(entry))?;
            actions::attach(task, scope, entry, remote).await
        }
        Action::Custom(path) => {
            let mut remote = remote(task, scope, modules::custom::NAME)?;
            remote.args = args::render(task, scope, None)?;
            actions::custom(task, &path, remote)
        }
        Action::IncludeTasks | Action::IncludeRole => actions::include(task, scope),
        // A strategy handles these before any host runs.
        Action::Meta(_) | Action::Templated(_) => {
            Ok(Prepared::Done(Box::new(Once::of(Outcome::unchanged()))))
        }
    }
}

/// The task's action, its name rendered if it is a template.
fn resolve(task: &HostTask, scope: &TaskScope) -> Result<Action, TemplateError> {
    let Action::Templated(node) = &task.task.action else { return Ok(task.task.action.clone()) };
    let name = Keywords::new(&task.shared, scope).text(Some(node))?.unwrap_or_default();
    match modules::find(&name) {
        Some(entry) => Ok(Action::Module(entry)),
        None => {
            let known = modules::ALL.iter().map(|entry| entry.name);
            let diagnostic = Diagnostic::error(code::UNKNOWN_MODULE, format!("there is no module `{name}`"));
            Err(TemplateError::new(diagnostic.at(node.span).suggest(&name, known)))
        }
    }
}

/// A call without arguments yet: where it goes and under which limits.
pub(super) fn remote(task: &HostTask, scope: &TaskScope, module: &str) -> Result<Remote, TemplateError> {
    let keywords = Keywords::new(&task.shared, scope);
    let common = &task.task.common;
    let delegate = keywords.text(common.delegate_to.as_ref())?.map(Str::from);
    let at = match &delegate {
        None => reach::reach(&keywords, common, &task.host)?,
        Some(host) => {
            let delegated = scope.of_host(host);
            reach::reach(&Keywords::new(&task.shared, &delegated), common, host)?
        }
    };
    let async_ = keywords.number(task.task.async_.as_ref())?.filter(|seconds| *seconds > 0);
    let poll = keywords.number(task.task.poll.as_ref())?;
    let detach = async_.filter(|_| poll == Some(0) && !task.check);
    let timeout = keywords.number(common.timeout.as_ref())?.filter(|seconds| *seconds > 0);
    Ok(Remote {
        module: module.into(),
        args: Map::new(),
        blobs: Vec::new(),
        files: Arc::new(NoFiles),
        sink: None,
        at,
        delegate,
        environment: keywords.environment(&common.environment)?,
        timeout: timeout.or(if detach.is_none() { async_ } else { None }),
        detach,
        polled: async_.is_some() && detach.is_none() && !task.check,
    })
}

impl Prepared {
    /// Sends what must be sent. Calls of one task on one host keep their order.
    pub(super) async fn send(self, task: &HostTask) -> Running {
        match self {
            Prepared::Done(once) => Running::Done(once),
            Prepared::Local(work) => Running::Local(work),
            Prepared::Remote(remote) => {
                let worker = match task.shared.connector.worker(&remote.at.target).await {
                    Ok(worker) => worker,
                    Err(error) => {
                        if let Some(fallback) = actions::without_worker(task, &remote, &error) {
                            return Running::Local(fallback);
                        }
                        return Running::Done(Box::new(unreachable(&remote, &error.to_string())));
                    }
                };
                let reply = call(task, &worker, &remote);
                Running::Waiting { reply, remote }
            }
        }
    }
}

fn call(
    task: &HostTask,
    worker: &Arc<Worker>,
    remote: &Remote,
) -> BoxFuture<'static, Result<Reply, CallError>> {
    let call = message(task, remote);
    let lines = call.live.then(|| lines_of(task));
    let sink = remote.sink.as_ref().and_then(actions::Fetched::sink);
    worker.call(call, remote.files.clone(), lines, sink).boxed()
}

/// The call as it is sent.
pub(super) fn message(task: &HostTask, remote: &Remote) -> Call {
    Call {
        id: 0,
        chain: task.chain,
        only_if_previous_ok: false,
        module: remote.module.clone(),
        args: remote.args.clone(),
        check: task.check,
        diff: task.diff,
        identity: remote.at.identity.clone(),
        environment: remote.environment.clone(),
        timeout: remote.timeout,
        blobs: remote.blobs.clone(),
        live: task.shared.options.live && !task.no_log,
        detach: remote.detach,
    }
}

/// A channel whose lines become events of this host.
fn lines_of(task: &HostTask) -> mpsc::UnboundedSender<(bool, String)> {
    let (sender, mut receiver) = mpsc::unbounded_channel::<(bool, String)>();
    let (reports, host) = (task.shared.reports.clone(), task.host.clone());
    tokio::spawn(async move {
        while let Some((stderr, text)) = receiver.recv().await {
            let _ = reports.send(Event::Line { host: host.clone(), text: Str::from(text), stderr });
        }
    });
    sender
}

fn unreachable(remote: &Remote, why: &str) -> Once {
    let mut once = Once::unreachable(why);
    once.delegate = remote.delegate.clone();
    once
}

impl Running {
    /// The result of the turn.
    pub(super) async fn wait(self, task: &HostTask) -> Once {
        match self {
            Running::Done(once) => *once,
            Running::Local(work) => work.await,
            Running::Waiting { reply, remote } => {
                let mut once = match reply.await {
                    Ok(reply) => answered(reply, &remote),
                    Err(error) => lost(&error),
                };
                once.delegate = remote.delegate.clone();
                // It was waited for: what asks whether the job is over gets its answer.
                if task.task.async_.is_some() && remote.detach.is_none() && !once.unreachable {
                    once.fields.insert("started".into(), 1.into());
                    once.fields.insert("finished".into(), 1.into());
                }
                actions::place(task, &mut once);
                once
            }
        }
    }
}

fn answered(reply: Reply, remote: &Remote) -> Once {
    match reply {
        Reply::Ran(outcome) => {
            let outcome = match &remote.sink {
                Some(fetched) if !outcome.failed => fetched.finish(outcome),
                _ => outcome,
            };
            let mut once = Once::of(outcome);
            if remote.polled {
                over(&mut once);
            }
            once
        }
        Reply::Died(why) if why.starts_with(TIMED_OUT) => out_of_time(remote),
        Reply::NotRun => Once::fail("not run, because the call before it failed"),
        Reply::IdentityFailed(why) | Reply::Died(why) => Once::fail(why),
    }
}

/// What the result of a background task has that was waited for.
fn over(once: &mut Once) {
    once.fields.insert("started".into(), Value::from(1));
    once.fields.insert("finished".into(), Value::from(1));
}

/// The task took longer than `async` or `timeout` allow.
fn out_of_time(remote: &Remote) -> Once {
    let seconds = remote.timeout.unwrap_or_default();
    if remote.polled {
        let mut once = Once::fail("Timeout exceeded");
        over(&mut once);
        return once;
    }
    let mut once = Once::fail(format!(
        "The {} action failed to execute in the expected time frame ({seconds}) and was terminated",
        remote.module
    ));
    once.fields.insert("timedout".into(), Value::from_pairs([("period", Value::from(seconds))]));
    once
}

/// The worker is gone. If the link went with it, the host is unreachable; if only the worker died, the task failed.
fn lost(error: &CallError) -> Once {
    match error {
        CallError::Lost(why) => Once::unreachable(why.to_string()),
        CallError::WorkerDied(_) | CallError::TooLarge(_) | CallError::Store(_) => {
            Once::fail(error.to_string())
        }
    }
}

/// Checks arguments against the module before anything is sent; the message points at the argument's own place.
pub(super) fn validate(task: &HostTask, entry: &Entry, args: &Map) -> Result<(), TemplateError> {
    let Err(error) = (entry.manual.validate)(args) else { return Ok(()) };
    let place = args::place_of(task, &error);
    let mut diagnostic =
        Diagnostic::error(code::BAD_ARGUMENT, format!("{}: {}", entry.name, error.sentence())).at(place);
    diagnostic.help = error.help.clone();
    Err(TemplateError::new(diagnostic))
}
