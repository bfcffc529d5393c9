//! `debug`, `assert` and `fail`: look, say, and perhaps fail.

use crate::diag::{Diagnostic, code};
use crate::engine::args;
use crate::engine::keywords::Keywords;
use crate::engine::result::Once;
use crate::engine::task::HostTask;
use crate::modules::api::Entry;
use crate::outcome::Outcome;
use crate::template::TemplateError;
use crate::value::{Map, Str, Value};
use crate::vars::TaskScope;
use crate::yaml::Node;

/// Shows a message or a variable.
pub(super) fn debug(
    task: &HostTask,
    scope: &TaskScope,
    entry: &'static Entry,
) -> Result<Once, TemplateError> {
    let keywords = Keywords::new(&task.shared, scope);
    let threshold = keywords.number(args::node(task, "verbosity"))?.unwrap_or(0);
    if threshold > u64::from(task.shared.options.verbosity) {
        let mut once = Once::of(Outcome { skipped: true, ..Outcome::default() });
        once.fields.insert("skipped_reason".into(), Value::from("Verbosity threshold not met."));
        return Ok(once);
    }
    let mut once = Once::of(Outcome::unchanged());
    once.verbose_always = true;
    if let Some(var) = args::node(task, "var") {
        let (name, value) = variable(task, &keywords, var)?;
        once.fields.insert(name, value);
        return Ok(once);
    }
    let args = args::render(task, scope, Some(entry))?;
    let msg = args.get("msg").cloned().unwrap_or_else(|| Value::from("Hello world!"));
    once.fields.insert("msg".into(), msg);
    Ok(once)
}

fn variable(task: &HostTask, keywords: &Keywords<'_>, var: &Node) -> Result<(Str, Value), TemplateError> {
    let name = Str::from(var.to_value().to_string());
    let found = if var.has_template() {
        task.shared.templates.render(var, &keywords.scope)
    } else {
        task.shared.templates.expression(var, &keywords.scope)
    };
    match found {
        Ok(value) => Ok((name, value)),
        Err(error) if error.undefined.is_some() => Ok((name, Value::from("VARIABLE IS NOT DEFINED!"))),
        Err(error) => Err(error),
    }
}

/// Fails unless all conditions hold.
pub(super) fn assert(task: &HostTask, scope: &TaskScope) -> Result<Once, TemplateError> {
    let keywords = Keywords::new(&task.shared, scope);
    let Some(that) = args::node(task, "that") else {
        return Err(super::at_action(task, "assert: missing required argument `that`"));
    };
    let quiet = keywords.flag(args::node(task, "quiet"), false)?;
    let conditions = that.as_seq().unwrap_or(std::slice::from_ref(that));
    for condition in conditions {
        if task.shared.templates.condition(condition, &keywords.scope)? {
            continue;
        }
        let msg = args::node(task, "fail_msg").or_else(|| args::node(task, "msg"));
        let msg = match keywords.value(msg)? {
            Value::Null => Value::from("Assertion failed"),
            other => other,
        };
        let text = msg.to_string();
        let mut once = Once::fail(text.clone());
        once.fields.insert("msg".into(), msg);
        once.fields.insert("evaluated_to".into(), Value::Bool(false));
        once.fields.insert("assertion".into(), condition.to_value());
        let diagnostic =
            Diagnostic::error(code::RUN_FAILED, text).label(condition.span, "this does not hold");
        once.diagnostic = Some(diagnostic);
        return Ok(once);
    }
    let mut once = Once::of(Outcome::unchanged());
    let msg = match keywords.value(args::node(task, "success_msg"))? {
        Value::Null => Value::from("All assertions passed"),
        other => other,
    };
    once.fields.insert("msg".into(), msg);
    once.verbose_always = !quiet;
    Ok(once)
}

/// Fails.
pub(super) fn fail(args: &Map) -> Once {
    Once::fail(args::text(args, "msg").unwrap_or_else(|| "Failed as requested from task".into()).to_string())
}
