//! `setup`: gathers facts about the host. The gathering itself is `crate::facts`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::facts::{Request, gather};
use crate::modules::api::{Fail, Look, Module, Outcome, Support, Touch};

/// Gather facts about the host.
///
/// Plays do this by themselves unless `gather_facts` is off. Everything is read natively: no Python is needed on the
/// host, and the facts `python` and `python_version` are there only if the host has one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Which groups of facts: `all`, `min`, `hardware`, `network`, `virtual`, `distribution` and so on; with a leading
    /// `!` a group is left out. `min` comes along unless it is excluded by `!min`.
    #[serde(default = "all")]
    gather_subset: Vec<String>,
    /// The longest, in seconds, that one command or one fact script may take.
    #[serde(default = "ten")]
    gather_timeout: u64,
    /// Return only facts whose name fits one of these shell patterns, given with or without `ansible_`.
    #[serde(default)]
    filter: Vec<String>,
    /// The folder of local facts: each `NAME.fact` in it, a program or a file in JSON or INI, becomes
    /// `ansible_local.NAME`.
    #[serde(default = "facts_d")]
    fact_path: String,
}

fn all() -> Vec<String> {
    vec!["all".into()]
}

fn ten() -> u64 {
    10
}

fn facts_d() -> String {
    "/etc/ansible/facts.d".into()
}

impl Module for Args {
    const SUPPORT: Support = Support::NO_DIFF;
    const EXAMPLES: &'static str = "
- name: Gather everything
  setup:

- name: Only what is cheap, and the network
  setup:
    gather_subset: [min, network]

- name: Only the facts about memory
  setup:
    filter: ansible_mem*
";
    const RETURNS: &'static str = "ansible_facts: The facts, each under its name with the prefix `ansible_`.";
    type Plan = ();

    fn plan(&self, _host: &dyn Look) -> Result<Option<()>, Fail> {
        Ok(None)
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let found = gather(
            host,
            &Request {
                subsets: &self.gather_subset,
                filter: &self.filter,
                fact_path: &self.fact_path,
                timeout: Duration::from_secs(self.gather_timeout.max(1)),
            },
        )?;
        Ok(Outcome { facts: found.facts, warnings: found.warnings, ..Outcome::unchanged() })
    }

    fn apply(&self, (): (), host: &mut dyn Touch) -> Result<Outcome, Fail> {
        self.unchanged(host.as_look())
    }
}
