//! The controller half of the Kubernetes modules: `template` becomes the text of `resource_definition`, and where the host
//! is this machine, `src` is found as other files of a play are.

use std::sync::Arc;

use super::files;
use crate::connection::Transport;
use crate::engine::args;
use crate::engine::call::{Prepared, Remote};
use crate::engine::task::HostTask;
use crate::template::{Scope, TemplateError};
use crate::value::{Map, Value};
use crate::vars::TaskScope;

/// Renders the templates, one document after the other.
pub(super) fn run(task: &HostTask, scope: &TaskScope, mut remote: Remote) -> Result<Prepared, TemplateError> {
    if let Some(src) = args::text(&remote.args, "src")
        && remote.at.target.transport == Transport::Local
        && !src.contains("://")
    {
        let path = files::find(task, scope, "files", &src)?;
        remote.args.insert("src".into(), Value::from(path.to_string_lossy().into_owned()));
    }
    let Some(given) = remote.args.shift_remove("template").filter(|it| !matches!(it, Value::Null)) else {
        return Ok(Prepared::Remote(Box::new(remote)));
    };
    let other = ["src", "resource_definition", "definition", "inline"];
    if let Some(name) = other.into_iter().find(|name| args::text(&remote.args, name).is_some()) {
        let message = format!("parameters are mutually exclusive: template|{name}");
        return Err(super::at_argument(task, "template", message));
    }
    let one = std::slice::from_ref(&given);
    let each = given.as_list().unwrap_or(one).iter();
    let texts = each.map(|one| render(task, scope, one)).collect::<Result<Vec<_>, _>>()?;
    remote.args.insert("resource_definition".into(), Value::from(texts.join("\n---\n")));
    Ok(Prepared::Remote(Box::new(remote)))
}

/// One template: its path, or a mapping of its path and how it is rendered.
fn render(task: &HostTask, scope: &TaskScope, given: &Value) -> Result<String, TemplateError> {
    let wrong = |message: &str| super::at_argument(task, "template", message);
    let options = match given {
        Value::Map(map) => (**map).clone(),
        Value::Str(_) => Map::from_iter([("path".into(), given.clone())]),
        _ => return Err(wrong("a template is a path, or a mapping with `path`")),
    };
    let path = args::text(&options, "path").ok_or_else(|| wrong("a template needs its `path`"))?;
    let path = files::find(task, scope, "templates", &path)?;
    let as_scope: Arc<dyn Scope> = Arc::new(scope.clone());
    task.shared.templates.template(&path, &files::file_options(task, &options)?, &as_scope)
}
