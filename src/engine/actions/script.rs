//! `script`: a file of the controller, run on the host. Where no worker can run, through the login shell.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::files::{self, Sources};
use super::raw;
use crate::connection::BlobSource;
use crate::engine::args;
use crate::engine::call::{Prepared, Remote};
use crate::engine::result::Once;
use crate::engine::task::HostTask;
use crate::outcome::{Blob, Outcome};
use crate::template::TemplateError;
use crate::value::Str;
use crate::vars::TaskScope;

/// Offers the script; its words after the first are arguments.
pub(super) async fn run(
    task: &HostTask,
    scope: &TaskScope,
    mut remote: Remote,
) -> Result<Prepared, TemplateError> {
    let line = ["_raw_params", "cmd"].into_iter().find_map(|name| args::text(&remote.args, name));
    let Some(line) = line else { return Err(super::at_action(task, "script: no script is given")) };
    let words = shlex::split(&line).unwrap_or_default();
    let Some(name) = words.first() else { return Err(super::at_action(task, "script: no script is given")) };
    let path = files::find(task, scope, "files", name)?;
    let keyring = files::keyring(task, &remote.args);
    let file = files::open(&path, keyring.as_deref()).map_err(|why| super::at_action(task, why))?;
    remote.blobs = vec![Blob { name: String::new(), kind: file.kind(), mode: 0o700 }];
    remote.files = Arc::new(Sources::of(vec![file]));
    Ok(Prepared::Remote(Box::new(remote)))
}

/// The same without a worker: the script goes in on standard input.
pub(super) fn plain(task: &HostTask, remote: &Remote) -> BoxFuture<'static, Once> {
    if let Err(why) = raw::check(&remote.at, &remote.environment) {
        return std::future::ready(Once::fail(why)).boxed();
    }
    let line = ["_raw_params", "cmd"].into_iter().find_map(|name| args::text(&remote.args, name));
    let line = line.unwrap_or_else(|| Str::from(""));
    let arguments: Vec<String> =
        shlex::split(&line).unwrap_or_default().iter().skip(1).map(|word| raw::quote(word)).collect();
    let runner = args::text(&remote.args, "executable")
        .map(|shell| format!("{} ", raw::quote(&shell)))
        .unwrap_or_default();
    let folder = args::text(&remote.args, "chdir")
        .map(|dir| format!("cd {} && ", raw::quote(&dir)))
        .unwrap_or_default();
    // Created with mode 0600 by mktemp; removed whatever the script does.
    let script = format!(
        "t=$(mktemp) && cat >\"$t\" && chmod 700 \"$t\" && ({folder}{runner}\"$t\" {}); r=$?; rm -f \"$t\"; exit $r",
        arguments.join(" ")
    );
    let (command, stdin, pty) = raw::command_line(&remote.at, &script, &remote.environment);
    let mut input = stdin.unwrap_or_default();
    let (connector, target, files, check) =
        (task.shared.connector.clone(), remote.at.target.clone(), remote.files.clone(), task.check);
    async move {
        if check {
            return Once::of(Outcome { skipped: true, ..Outcome::default() });
        }
        if let Err(error) = append(&files, &mut input) {
            return Once::fail(format!("can't read the script: {error}"));
        }
        let command = format!("/bin/sh -c {}", raw::quote(&command));
        match connector.raw(&target, &command, Some(input), pty).await {
            Ok(output) => raw::finished(&output),
            Err(error) => Once::unreachable(error.to_string()),
        }
    }
    .boxed()
}

fn append(files: &Arc<dyn BlobSource>, input: &mut Vec<u8>) -> std::io::Result<()> {
    files.open(0)?.read_to_end(input).map(drop)
}
