//! Facts: what a host is. Gathered natively in the worker, through a [`Look`], from `/proc`, `/sys` and a few commands.
//!
//! Names and shapes are those of Ansible's `setup`, prefix `ansible_` included. Nothing here changes a host or fails
//! because something is missing: a fact that can't be had is left out or says `NA`, as there. Called by the module
//! `setup`; `service` and `package` ask [`service_manager`] and [`package_manager`].

mod boot;
mod distribution;
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
    glob(pattern.as_bytes(), name.as_bytes())
        || name.strip_prefix("ansible_").is_some_and(|short| glob(pattern.as_bytes(), short.as_bytes()))
}

/// Shell patterns: `*`, `?` and `[a-z]`, `[!a-z]`.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skip| glob(rest, &text[skip..])),
        Some((b'?', rest)) => !text.is_empty() && glob(rest, &text[1..]),
        Some((b'[', rest)) => match (class(rest), text.split_first()) {
            (Some((set, rest)), Some((first, text))) => set.holds(*first) && glob(rest, text),
            (Some(_), None) => false,
            (None, _) => text.first() == Some(&b'[') && glob(rest, &text[1..]),
        },
        Some((literal, rest)) => text.first() == Some(literal) && glob(rest, &text[1..]),
    }
}

/// The inside of `[…]`.
struct Class<'a> {
    negated: bool,
    members: &'a [u8],
}

impl Class<'_> {
    fn holds(&self, byte: u8) -> bool {
        let mut rest = self.members;
        let mut found = false;
        while let Some((&first, after)) = rest.split_first() {
            rest = match after {
                [b'-', last, after @ ..] => {
                    found |= (first..=*last).contains(&byte);
                    after
                }
                _ => {
                    found |= first == byte;
                    after
                }
            };
        }
        found != self.negated
    }
}

/// Takes `[…]` apart after its opening bracket; `None` without a closing one.
fn class(rest: &[u8]) -> Option<(Class<'_>, &[u8])> {
    let (negated, inside) = match rest.split_first() {
        Some((b'!', inside)) => (true, inside),
        _ => (false, rest),
    };
    // A closing bracket right at the beginning stands for itself.
    let end = inside.iter().skip(1).position(|byte| *byte == b']')? + 1;
    Some((Class { negated, members: &inside[..end] }, &inside[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_shell_patterns_with_or_without_the_prefix() {
        for (pattern, name, fits) in [
            ("ansible_distribution*", "ansible_distribution_version", true),
            ("distribution", "ansible_distribution", true),
            ("distribution", "ansible_distribution_version", false),
            ("eth[0-2]", "ansible_eth1", true),
            ("eth[!0-2]", "ansible_eth1", false),
            ("*_mb", "ansible_memtotal_mb", true),
            ("mem?otal*", "ansible_memtotal_mb", true),
            ("[", "ansible_[", true),
            ("module_setup", "module_setup", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
