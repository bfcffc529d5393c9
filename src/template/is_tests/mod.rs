//! The tests (`is …`): one table a family, registered under their short and their full names.
//!
//! `defined` and `undefined` are the engine's own. What a file is, is asked of the controller's file system.

mod compare;
mod files;
mod kinds;
mod results;
pub(crate) mod versions;

#[cfg(test)]
mod tests;

use minijinja::value::{Rest, ValueOrKwargs};
use minijinja::{Environment, State};

use super::filters::{Args, Outcome, python};

/// A test: its name, its signature (as a filter's), the function, what it asks.
pub struct Test {
    /// The short name.
    pub name: &'static str,
    /// `value, other=`: the first is what stands before `is`.
    pub signature: &'static str,
    call: fn(&mut State<'_, '_>, &Args) -> Outcome<bool>,
    /// One line for the documentation.
    pub doc: &'static str,
}

const fn test(
    name: &'static str,
    signature: &'static str,
    call: fn(&mut State<'_, '_>, &Args) -> Outcome<bool>,
    doc: &'static str,
) -> Test {
    Test { name, signature, call, doc }
}

/// All tests, by collection and family.
pub const FAMILIES: &[(&str, &[Test])] = &[
    ("ansible.builtin", kinds::TESTS),
    ("ansible.builtin", compare::TESTS),
    ("ansible.builtin", results::TESTS),
    ("ansible.builtin", versions::TESTS),
    ("ansible.builtin", files::TESTS),
];

/// Adds all tests to an environment, each as `name` and as `collection.name`.
pub fn register(env: &mut Environment<'_>) {
    for (collection, tests) in FAMILIES {
        for test in *tests {
            let call = |state: &mut State<'_, '_>, values: Rest<ValueOrKwargs>| -> Outcome<bool> {
                let args = Args::bind(test.name, test.signature, values.into_values())?;
                python::watched(|| (test.call)(state, &args))
            };
            env.add_test(test.name, call);
            env.add_test(format!("{collection}.{}", test.name), call);
        }
    }
}
