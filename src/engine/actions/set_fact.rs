//! `set_fact`: variables for the host from now on.

use crate::engine::args;
use crate::engine::result::{Effect, Once};
use crate::engine::task::HostTask;
use crate::outcome::Outcome;
use crate::template::TemplateError;
use crate::value::{Map, Value};

/// Every argument but `cacheable` is a variable.
pub(super) fn run(task: &HostTask, args: &Map) -> Result<Once, TemplateError> {
    let cacheable = args::flag(args, "cacheable", false);
    let facts: Map =
        args.iter().filter(|(name, _)| &***name != "cacheable").map(|(k, v)| (k.clone(), truth(v))).collect();
    if facts.is_empty() {
        return Err(super::at_action(task, "set_fact: no variable is given"));
    }
    if let Some(name) = facts.keys().find(|name| !is_identifier(name)) {
        let message = format!(
            "`{name}` can't be the name of a variable: letters, digits and underscores, no digit first"
        );
        return Err(super::at_argument(task, name, message));
    }
    let mut once = Once::of(Outcome::unchanged());
    once.fields.insert("ansible_facts".into(), Value::map(facts.clone()));
    once.effects.push(Effect::Set(facts, cacheable));
    Ok(once)
}

/// Words for truth become booleans, as in ansible-core 2.18: else `flag: "no"` would hold in a condition.
fn truth(value: &Value) -> Value {
    let word = value.as_str().map(str::to_ascii_lowercase);
    match word.as_deref() {
        Some("yes" | "true") => Value::Bool(true),
        Some("no" | "false") => Value::Bool(false),
        _ => value.clone(),
    }
}

/// Whether a text can be the name of a variable.
fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}
