//! The controller half of `uri`: the file that is sent as the body, and those of a form.

use std::sync::Arc;

use super::files::{self, SourceFile, Sources};
use crate::engine::args;
use crate::engine::call::{Prepared, Remote};
use crate::engine::task::HostTask;
use crate::outcome::Blob;
use crate::template::TemplateError;
use crate::value::Value;
use crate::vars::TaskScope;

/// Offers the files, each under the name of its field; `src` has none.
pub(super) fn run(task: &HostTask, scope: &TaskScope, mut remote: Remote) -> Result<Prepared, TemplateError> {
    if args::flag(&remote.args, "remote_src", false) {
        return Ok(Prepared::Remote(Box::new(remote)));
    }
    let mut wanted: Vec<(String, String)> = Vec::new();
    if let Some(src) = args::text(&remote.args, "src") {
        wanted.push((String::new(), src.to_string()));
    }
    let multipart = args::text(&remote.args, "body_format").is_some_and(|it| &*it == "form-multipart");
    if let (true, Some(Value::Map(fields))) = (multipart, remote.args.get("body")) {
        let given = |field: &Value, name: &str| field.get(name).is_some_and(|it| *it != Value::Null);
        let files = fields.iter().filter(|(_, field)| given(field, "filename") && !given(field, "content"));
        wanted.extend(files.map(|(name, field)| {
            (name.to_string(), field.get("filename").map(ToString::to_string).unwrap_or_default())
        }));
    }
    let mut sources = Vec::new();
    for (name, path) in wanted {
        let path = files::find(task, scope, "files", &path)?;
        let file = SourceFile::open(&path).map_err(|why| super::at_action(task, why))?;
        remote.blobs.push(Blob { name, kind: file.kind(), mode: 0o600 });
        sources.push(file);
    }
    remote.files = Arc::new(Sources::of(sources));
    Ok(Prepared::Remote(Box::new(remote)))
}
