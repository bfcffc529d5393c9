//! `env`: variables of the controller's environment.

use crate::value::Value;

use super::{Call, Outcome};

pub(super) fn env(call: &Call<'_>) -> Outcome {
    let fallback = call.options.get("default").cloned().unwrap_or_else(|| Value::from(""));
    let value = |name: String| match std::env::var_os(&name) {
        Some(value) => Value::from(value.to_string_lossy().into_owned()),
        None => fallback.clone(),
    };
    // Only the first word names the variable, as Ansible has it.
    Ok(call
        .words()
        .map(|term| value(term.split_whitespace().next().unwrap_or_default().to_owned()))
        .collect())
}
