//! `include_tasks` and `include_role`: what to include is decided per host, the strategy then includes it.

use std::sync::Arc;

use crate::engine::args;
use crate::engine::call::Prepared;
use crate::engine::keywords::Keywords;
use crate::engine::result::{Included, Inclusion, Once};
use crate::engine::task::HostTask;
use crate::outcome::Outcome;
use crate::playbook::Action;
use crate::template::{Binding, TemplateError};
use crate::value::{Map, Str, Value};
use crate::vars::TaskScope;

/// Renders the include's arguments; the loop's variables become variables of what is included.
pub(in crate::engine) fn include(task: &HostTask, scope: &TaskScope) -> Result<Prepared, TemplateError> {
    let keywords = Keywords::new(&task.shared, scope);
    let mut arguments = Map::new();
    for (name, (_, node)) in task.task.args.named.iter().filter(|(name, _)| &***name != "apply") {
        arguments.insert(name.clone(), task.shared.templates.render(node, &keywords.scope)?);
    }
    arguments.retain(|_, value| !matches!(value, Value::Omit));
    let mut once = Once::of(Outcome::unchanged());
    let what = match &task.task.action {
        Action::IncludeRole => {
            let Some(name) = args::text(&arguments, "name").or_else(|| args::text(&arguments, "role")) else {
                return Err(super::at_action(task, "include_role: missing required argument `name`"));
            };
            once.fields.insert("include_role".into(), Value::Str(name));
            Included::Role(arguments)
        }
        _ => {
            let Some(file) = ["file", "_raw_params"].into_iter().find_map(|key| args::text(&arguments, key))
            else {
                return Err(super::at_action(task, "include_tasks: no file is given"));
            };
            once.fields.insert("include".into(), Value::Str(file));
            Included::Tasks(arguments)
        }
    };
    let mut params = scope.params.clone();
    let locals: Vec<(Str, Value)> = scope
        .locals
        .iter()
        .filter_map(|(name, binding)| match binding {
            Binding::Data(value) => Some((name.clone(), value.clone())),
            Binding::Source(_) | Binding::Lazy(_) => None,
        })
        .collect();
    if !locals.is_empty() {
        Arc::make_mut(&mut params)
            .extend(locals.iter().map(|(name, value)| (name.clone(), Binding::Data(value.clone()))));
    }
    let label = task.label_of(scope);
    once.inclusion =
        Some(Inclusion { what, params, identity: Value::map(locals.into_iter().collect()), label });
    Ok(Prepared::Done(Box::new(once)))
}
