//! What the controller does for a task: all of it (`debug`, `set_fact`), or the half that needs its files (`copy`).

mod argument_spec;
mod assemble;
mod checks;
mod fetch;
mod files;
mod hosts;
mod include_vars;
mod includes;
mod kubernetes;
mod pause;
mod raw;
mod reboot;
mod retry;
mod script;
mod set_fact;
mod stats;
mod unarchive;
mod uri;
mod wait_for_connection;

use std::path::Path;
use std::sync::Arc;

use futures::future::BoxFuture;

pub(super) use fetch::Fetched;
pub(super) use includes::include;

use super::args;
use super::call::{Prepared, Remote};
use super::reach::Reach;
use super::result::Once;
use super::task::HostTask;
use crate::connection::ConnectError;
use crate::diag::{Diagnostic, code};
use crate::modules::api::Entry;
use crate::outcome::{Blob, BlobKind};
use crate::playbook::Action;
use crate::template::TemplateError;
use crate::value::Map;
use crate::vars::TaskScope;

/// A module that runs on the controller alone.
pub(super) async fn controller(
    task: &HostTask,
    scope: &TaskScope,
    entry: &'static Entry,
) -> Result<Prepared, TemplateError> {
    let once = match entry.name {
        // These look at their arguments as written: expressions and conditions, not finished text.
        "debug" => checks::debug(task, scope, entry)?,
        "assert" => checks::assert(task, scope)?,
        "validate_argument_spec" => argument_spec::run(task, scope)?,
        _ => {
            let args = args::render(task, scope, Some(entry))?;
            match entry.name {
                "fail" => checks::fail(&args),
                "set_fact" => set_fact::run(task, &args)?,
                "include_vars" => include_vars::run(task, scope, &args)?,
                "add_host" => hosts::add_host(task, &args),
                "group_by" => hosts::group_by(task, &args),
                "set_stats" => stats::run(task, scope, &args)?,
                "pause" => return Ok(Prepared::Local(pause::run(task, &args)?)),
                "raw" => return raw::run(task, scope, &args),
                "reboot" => return reboot::run(task, scope, &args),
                "wait_for_connection" => return wait_for_connection::run(task, scope, &args),
                other => return Err(missing(task, other)),
            }
        }
    };
    Ok(Prepared::Done(Box::new(once)))
}

/// The controller half of a module that also runs on the host.
pub(super) async fn attach(
    task: &HostTask,
    scope: &TaskScope,
    entry: &'static Entry,
    remote: Remote,
) -> Result<Prepared, TemplateError> {
    match entry.name {
        "assemble" => assemble::run(task, scope, remote),
        "copy" => files::copy(task, scope, remote).await,
        "template" => files::template(task, scope, remote).await,
        "fetch" => fetch::run(task, scope, remote),
        "script" => script::run(task, scope, remote).await,
        "k8s" | "k8s_apply" | "k8s_scale" => kubernetes::run(task, scope, remote),
        "unarchive" => unarchive::run(task, scope, remote).await,
        "uri" => uri::run(task, scope, remote),
        _ => Ok(Prepared::Remote(Box::new(remote))),
    }
}

/// A user's own module: pushed as it is, run with its arguments as JSON.
pub(super) fn custom(task: &HostTask, path: &Path, mut remote: Remote) -> Result<Prepared, TemplateError> {
    let file = files::SourceFile::open(path).map_err(|why| at_action(task, why))?;
    remote.blobs = vec![Blob { name: String::new(), kind: file.kind(), mode: 0o700 }];
    remote.files = Arc::new(files::Sources::of(vec![file]));
    Ok(Prepared::Remote(Box::new(remote)))
}

/// What still works on a host where no worker can run.
pub(super) fn without_worker(
    task: &HostTask,
    remote: &Remote,
    error: &ConnectError,
) -> Option<BoxFuture<'static, Once>> {
    let is_script = matches!(&task.task.action, Action::Module(entry) if entry.name == "script");
    (is_script && matches!(error, ConnectError::Worker(_))).then(|| script::plain(task, remote))
}

/// What the controller does with a result before anybody sees it.
pub(super) fn place(task: &HostTask, once: &mut Once) {
    // A failure that comes from an argument's value is shown at the argument.
    if once.is_failed() && once.diagnostic.is_none() {
        let msg = once.fields.get("msg").map(ToString::to_string).unwrap_or_default();
        once.diagnostic = Some(Diagnostic::error(code::RUN_FAILED, msg).at(task.task.action_span));
    }
}

fn missing(task: &HostTask, name: &str) -> TemplateError {
    at_action(task, format!("`{name}` can't be run as a task"))
}

/// An error at the task's module.
fn at_action(task: &HostTask, message: impl Into<String>) -> TemplateError {
    let diagnostic = Diagnostic::error(code::RUN_FAILED, message).at(task.task.action_span);
    TemplateError::new(diagnostic)
}

/// An error at an argument, or at the module if the argument is not written there.
fn at_argument(task: &HostTask, name: &str, message: impl Into<String>) -> TemplateError {
    let span = args::node(task, name).map_or(task.task.action_span, |node| node.span);
    TemplateError::new(Diagnostic::error(code::BAD_ARGUMENT, message).at(span))
}

/// The kind of a blob for some bytes.
fn contents(bytes: &[u8]) -> BlobKind {
    use sha1::Digest;
    let sha1 = sha1::Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    BlobKind::File { size: bytes.len() as u64, sha1 }
}

/// An argument as a list of texts: a list, or text with commas.
fn words(args: &Map, name: &str) -> Vec<String> {
    use crate::value::Value;
    match args.get(name) {
        None | Some(Value::Null | Value::Omit) => Vec::new(),
        Some(Value::List(items)) => items.iter().map(ToString::to_string).collect(),
        Some(other) => other
            .to_string()
            .split(',')
            .map(|word| word.trim().to_owned())
            .filter(|w| !w.is_empty())
            .collect(),
    }
}
