//! The controller half of `unarchive`: the archive, when it is here.

use std::sync::Arc;

use super::files::{self, Sources};
use crate::engine::args;
use crate::engine::call::{Prepared, Remote};
use crate::engine::task::HostTask;
use crate::outcome::Blob;
use crate::template::TemplateError;
use crate::vars::TaskScope;

/// Offers the archive unless it is on the host.
pub(super) async fn run(
    task: &HostTask,
    scope: &TaskScope,
    mut remote: Remote,
) -> Result<Prepared, TemplateError> {
    let remote_src = args::flag(&remote.args, "remote_src", !args::flag(&remote.args, "copy", true));
    let Some(src) = args::text(&remote.args, "src").filter(|_| !remote_src) else {
        return Ok(Prepared::Remote(Box::new(remote)));
    };
    let path = files::find(task, scope, "files", &src)?;
    let keyring = files::keyring(task, &remote.args);
    let opened = tokio::task::spawn_blocking(move || files::open(&path, keyring.as_deref())).await;
    let file = match opened {
        Ok(opened) => opened.map_err(|why| super::at_argument(task, "src", why))?,
        Err(_) => return Err(super::at_argument(task, "src", "reading the archive was interrupted")),
    };
    remote.blobs = vec![Blob { name: String::new(), kind: file.kind(), mode: 0o600 }];
    remote.files = Arc::new(Sources::of(vec![file]));
    Ok(Prepared::Remote(Box::new(remote)))
}
