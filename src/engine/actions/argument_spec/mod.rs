//! `validate_argument_spec`: arguments of a role, or given ones, against a specification.
//!
//! The task that does it for roles is made when the role is loaded; here it runs, and points at what is wrong.

mod check;
mod convert;

use std::sync::Arc;

use super::at_argument;
use crate::diag::{Diagnostic, code};
use crate::engine::args;
use crate::engine::keywords::Keywords;
use crate::engine::result::Once;
use crate::engine::task::HostTask;
use crate::outcome::Outcome;
use crate::template::{Scope, TemplateError};
use crate::value::{Map, Str, Value};
use crate::vars::TaskScope;
use crate::yaml::{Kind, Node};
use check::Problem;

/// Checks, and fails with everything that is wrong.
pub(super) fn run(task: &HostTask, scope: &TaskScope) -> Result<Once, TemplateError> {
    let keywords = Keywords::new(&task.shared, scope);
    let Value::Map(spec) = keywords.value(args::node(task, "argument_spec"))? else {
        return Err(at_argument(task, "argument_spec", "the specification must be a mapping"));
    };
    let mut given = of_variables(task, scope, &keywords, &spec)?;
    match keywords.value(args::node(task, "provided_arguments"))? {
        Value::Map(map) => given.extend(map.iter().map(|(name, value)| (name.clone(), value.clone()))),
        Value::Null | Value::Omit => {}
        _ => return Err(at_argument(task, "provided_arguments", "this must be a mapping")),
    }
    given.retain(|_, value| !matches!(value, Value::Omit));
    let context = keywords.value(args::node(task, "validate_args_context"))?;
    let problems = check::check(&spec, &given);
    let mut once = if problems.is_empty() {
        let mut once = Once::of(Outcome::unchanged());
        once.fields.insert("msg".into(), Value::from("The arg spec validation passed"));
        once
    } else {
        failure(task, &problems, &spec)
    };
    if !matches!(context, Value::Null) {
        once.fields.insert("validate_args_context".into(), context);
    }
    Ok(once)
}

/// The variables that have the names of options.
fn of_variables(
    task: &HostTask,
    scope: &TaskScope,
    keywords: &Keywords<'_>,
    spec: &Map,
) -> Result<Map, TemplateError> {
    let span = args::node(task, "argument_spec").map_or(task.task.action_span, |node| node.span);
    let mut given = Map::new();
    for (name, option) in spec {
        let names = std::iter::once(name.clone()).chain(check::aliases(option));
        for name in names.filter(|name| scope.lookup(name).is_some()) {
            let node = Node::new(Kind::Str(name.clone()), span);
            let value = task.shared.templates.expression(&node, &keywords.scope)?;
            given.insert(name, value);
        }
    }
    Ok(given)
}

fn failure(task: &HostTask, problems: &[Problem], spec: &Arc<Map>) -> Once {
    let texts: Vec<&str> = problems.iter().map(|problem| problem.text.as_str()).collect();
    let message = format!("Validation of arguments failed:\n{}", texts.join("\n"));
    let mut once = Once::fail(message);
    once.fields.insert("argument_errors".into(), texts.iter().map(|text| Value::from(*text)).collect());
    once.fields.insert("argument_spec_data".into(), Value::Map(spec.clone()));
    let mut diagnostic = Diagnostic::error(code::RUN_FAILED, "the arguments do not fit their specification");
    for problem in problems {
        diagnostic = point_at(task, problem, diagnostic);
    }
    once.diagnostic = Some(diagnostic);
    once
}

/// Labels the argument that is wrong where it is written, else what its specification says.
fn point_at(task: &HostTask, problem: &Problem, diagnostic: Diagnostic) -> Diagnostic {
    let find = |argument: &str, options: bool| {
        let mut node = args::node(task, argument)?;
        for (depth, name) in problem.path.iter().enumerate() {
            if depth > 0 && options {
                node = node.get("options")?;
            }
            node = match node.get(name) {
                Some(inner) => inner,
                None if depth > 0 => return Some(node),
                None => return None,
            };
        }
        (!problem.path.is_empty()).then_some(node)
    };
    let place = find("provided_arguments", false).or_else(|| find("argument_spec", true));
    match place {
        Some(node) => diagnostic.label(node.span, problem.text.clone()),
        None => diagnostic.note(problem.text.clone()),
    }
}

/// A name for a nested option as messages say it.
fn within(context: &[Str]) -> String {
    if context.is_empty() { String::new() } else { format!(" found in {}", context.join(" -> ")) }
}
