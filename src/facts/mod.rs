//! Facts: what a host is. Gathered natively in the worker, through a [`Look`], from `/proc`, `/sys` and a few commands.
//!
//! Names and shapes are those of Ansible's `setup`, prefix `ansible_` included. Nothing here changes a host or fails
//! because something is missing: a fact that can't be had is left out or says `NA`, as there. Called by the module
//! `setup`; `service` and `package` ask [`service_manager`] and [`package_manager`].

mod boot;
mod distribution;
mod glob;
mod hardware;
mod local;
mod managers;
mod network;
mod platform;
mod python;
mod security;
mod session;
mod source;
mod subset;
mod virtualization;

use std::time::Duration;

use crate::modules::api::{Fail, Look, Map, Str, Value};
use source::Source;

pub use distribution::{Distribution, distribution};
pub(crate) use glob::glob;
pub use managers::{package_manager, service_manager};

/// What to gather.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Names of subsets (`all`, `min`, `network`, `!hardware` …); empty means `all`.
    pub subsets: &'a [String],
    /// Shell patterns of fact names; empty means all.
    pub filter: &'a [String],
    /// The folder of local facts (`*.fact`).
    pub fact_path: &'a str,
    /// The longest that one command may take.
    pub timeout: Duration,
}

/// What was gathered.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// The facts, by their full names.
    pub facts: Map,
    /// What the user should know of (a local fact that can't be read).
    pub warnings: Vec<String>,
}

/// Gathers facts.
///
/// # Errors
/// A subset that does not exist.
pub fn gather(host: &dyn Look, request: &Request) -> Result<Gathered, Fail> {
    let collectors = subset::resolve(request.subsets)?;
    let source = Source::new(host, request.timeout);
    let mut found = Gathered::default();
    for collector in collectors {
        let mut facts = Map::new();
        match collector.gather {
            subset::Gather::Plain(gather) => gather(&source, &mut facts),
            subset::Gather::Local => {
                let (local, warnings) = local::gather(&source, request.fact_path);
                facts.insert("local".into(), local);
                found.warnings.extend(warnings);
            }
        }
        for (name, value) in facts {
            found.facts.insert(Str::from(format!("ansible_{name}")), value);
        }
    }
    if request.filter.is_empty() {
        let asked =
            if request.subsets.is_empty() { vec!["all".to_owned()] } else { request.subsets.to_vec() };
        found.facts.insert("gather_subset".into(), Value::from(asked));
        found.facts.insert("module_setup".into(), Value::from(true));
    } else {
        found.facts.retain(|name, _| request.filter.iter().any(|pattern| matches(pattern, name)));
    }
    Ok(found)
}

/// Whether a fact's full name fits a pattern, which may leave the prefix out.
fn matches(pattern: &str, name: &str) -> bool {
    glob(pattern, name) || name.strip_prefix("ansible_").is_some_and(|short| glob(pattern, short))
}

#[cfg(test)]
mod tests;
