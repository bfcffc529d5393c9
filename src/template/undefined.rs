//! Ansible's rule for undefined values: access below them is allowed, use is not.
//!
//! minijinja runs in its strict mode, which refuses both. `rewrite` turns the access into `__get` where an undefined
//! result is allowed; here are it and the filters and tests that take undefined values.

use minijinja::value::{Kwargs, Rest, Value};
use minijinja::{Environment, Error, ErrorKind, State};

/// Adds the filters, tests and functions to an environment.
pub(super) fn register(env: &mut Environment<'_>) {
    env.add_filter("__get", get);
    for name in ["default", "d", "ansible.builtin.default", "ansible.builtin.d"] {
        env.add_filter(name, default);
    }
    for name in ["mandatory", "ansible.builtin.mandatory"] {
        env.add_filter(name, mandatory);
    }
    for prefix in ["", "ansible.builtin."] {
        env.add_test(format!("{prefix}defined"), |value: &Value| !value.is_undefined());
        env.add_test(format!("{prefix}undefined"), |value: &Value| value.is_undefined());
    }
    env.add_function("undef", undef);
}

/// `a.b` or `a[b]` where the result may be undefined.
fn get(value: &Value, key: &Value) -> Value {
    if value.is_undefined() { Value::UNDEFINED } else { value.get_item(key).unwrap_or(Value::UNDEFINED) }
}

#[expect(clippy::needless_pass_by_value, reason = "the template engine passes arguments so")]
fn default(value: &Value, args: Rest<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    // Not `Option<Value>`: an undefined fallback is one too.
    let fallback = match args.first() {
        Some(fallback) => fallback.clone(),
        None if kwargs.has("default_value") => kwargs.get("default_value")?,
        None => Value::from(""),
    };
    let boolean = match args.get(1) {
        Some(boolean) => boolean.is_true(),
        None => kwargs.get::<Option<bool>>("boolean")?.unwrap_or(false),
    };
    kwargs.assert_all_used()?;
    Ok(if value.is_undefined() || (boolean && !value.is_true()) { fallback } else { value.clone() })
}

#[expect(clippy::needless_pass_by_value, reason = "the template engine passes arguments so")]
fn mandatory(value: &Value, message: Option<String>, kwargs: Kwargs) -> Result<Value, Error> {
    if !value.is_undefined() {
        return Ok(value.clone());
    }
    let message = message.or(kwargs.get::<Option<String>>("msg")?);
    Err(match message {
        Some(message) => Error::new(ErrorKind::InvalidOperation, message),
        None => Error::from(ErrorKind::UndefinedError),
    })
}

/// `undef(hint)`: a variable with this value counts as undefined.
#[expect(clippy::needless_pass_by_value, reason = "the template engine passes arguments so")]
fn undef(_: &State<'_, '_>, hint: Option<String>, kwargs: Kwargs) -> Result<Value, Error> {
    let hint = hint.or(kwargs.get::<Option<String>>("hint")?);
    Err(match hint {
        Some(hint) => Error::new(ErrorKind::UndefinedError, hint),
        None => Error::new(ErrorKind::UndefinedError, "this variable must be set"),
    })
}
