//! The filters: one table a family, registered under their short and their full names.
//!
//! They work on the engine's values and know neither variables nor hosts. `default`, `mandatory` and everything else
//! that treats undefined values specially is the engine's own.

mod args;
mod comment;
mod community;
mod crypto;
mod dates;
pub(crate) mod encode;
mod json;
mod keys;
mod markup;
mod net;
mod numbers;
mod path;
pub mod python;
mod random;
pub(crate) mod regex;
mod sequences;
mod shape;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod text;
mod truth;
mod vault;
mod yaml;

use minijinja::value::{Rest, Value, ValueOrKwargs};
use minijinja::{Environment, State};

pub(crate) use args::Args;
pub(in crate::template) use crypto::hashed;
pub(in crate::template) use dates::{date, date_minus};

/// A finished value as JSON, written as Python writes it.
#[must_use]
pub fn json_text(data: &crate::value::Value) -> String {
    // Data has nothing that JSON can't say but bytes that are no text.
    json::text(&super::object::from_data(data)).unwrap_or_else(|_| serde_json::Value::from(data).to_string())
}

pub(crate) use python::Outcome;

/// A filter: its name, its signature (see `args`), the function, what it does.
pub struct Filter {
    /// The short name.
    pub name: &'static str,
    /// `value, pattern, replacement=`: the first is what stands before the bar.
    pub signature: &'static str,
    call: fn(&mut State<'_, '_>, &Args) -> Outcome,
    /// One line for the documentation.
    pub doc: &'static str,
}

const fn filter(
    name: &'static str,
    signature: &'static str,
    call: fn(&mut State<'_, '_>, &Args) -> Outcome,
    doc: &'static str,
) -> Filter {
    Filter { name, signature, call, doc }
}

/// All filters, by collection and family.
pub const FAMILIES: &[(&str, &[Filter])] = &[
    ("ansible.builtin", truth::FILTERS),
    ("ansible.builtin", text::FILTERS),
    ("ansible.builtin", sequences::FILTERS),
    ("ansible.builtin", shape::FILTERS),
    ("ansible.builtin", numbers::FILTERS),
    ("ansible.builtin", json::FILTERS),
    ("ansible.builtin", encode::FILTERS),
    ("ansible.builtin", yaml::FILTERS),
    ("ansible.builtin", path::FILTERS),
    ("ansible.builtin", regex::FILTERS),
    ("ansible.builtin", comment::FILTERS),
    ("ansible.builtin", random::FILTERS),
    ("ansible.builtin", markup::FILTERS),
    ("ansible.builtin", dates::FILTERS),
    ("ansible.builtin", crypto::FILTERS),
    ("ansible.builtin", vault::FILTERS),
    ("ansible.utils", net::FILTERS),
    ("ansible.netcommon", net::FILTERS),
    ("community.general", community::FILTERS),
    ("community.general", keys::FILTERS),
];

/// Adds all filters to an environment, each as `name` and as `collection.name`.
pub fn register(env: &mut Environment<'_>) {
    for (collection, filters) in FAMILIES {
        for filter in *filters {
            let call = |state: &mut State<'_, '_>, values: Rest<ValueOrKwargs>| -> Outcome {
                let args = Args::bind(filter.name, filter.signature, values.into_values())?;
                python::watched(|| (filter.call)(state, &args))
            };
            env.add_filter(filter.name, call);
            env.add_filter(format!("{collection}.{}", filter.name), call);
        }
    }
}

/// A filter's own name and value for those that call another by name, as `map` does.
pub(crate) fn apply(state: &mut State<'_, '_>, name: &str, args: &[Value]) -> Outcome {
    state.apply_filter(name, args)
}
