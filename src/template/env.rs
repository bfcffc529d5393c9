//! minijinja, set up as Ansible sets up Jinja2: filters, tests, functions, methods, how values print.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, Output, State, UndefinedBehavior};

use super::files::Files;
use super::{filters, functions, is_tests, methods, native, undefined};

/// The syntax of templates in YAML.
pub(super) fn inline_syntax() -> SyntaxConfig {
    static SYNTAX: LazyLock<SyntaxConfig> = LazyLock::new(|| {
        // The builder only fails for delimiters that clash, and none are set.
        SyntaxConfig::builder().trim_blocks(true).build().unwrap_or_default()
    });
    SYNTAX.clone()
}

/// An environment for templates with a syntax. Its templates come from `files`.
pub(super) fn environment(syntax: SyntaxConfig, files: &Files) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_syntax(syntax);
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_formatter(write);
    // Error messages name variables by our own means: minijinja's would evaluate what was not asked for.
    env.set_debug(false);
    env.set_unknown_method_callback(methods::call);
    filters::register(&mut env);
    is_tests::register(&mut env);
    functions::register(&mut env);
    undefined::register(&mut env);
    files.install(&mut env);
    env
}

fn write(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.kind() == ValueKind::String {
        return Ok(out.write_str(value.as_str().unwrap_or_default())?);
    }
    Ok(out.write_str(&native::print(value)?)?)
}
