//! `package`: packages of whatever manages them here. With apt it is `apt`; `manager` knows the others.

pub(in crate::modules) mod manager;

use schemars::JsonSchema;
use serde::Deserialize;

use super::apt;
use crate::facts::package_manager;
use crate::modules::api::{Diff, Fail, Look, Map, Module, Others, Outcome, Touch, decode};
use manager::{Manager, State, Wanted};

/// Install, upgrade and remove packages with the host's own package manager.
///
/// Names are not translated: what is called `httpd` on one distribution may be `apache2` on another. Further arguments
/// are those of the manager's own module (`update_cache`, `install_recommends` …).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The packages.
    #[serde(alias = "pkg")]
    #[schemars(extend("x-aliases" = ["pkg"]))]
    name: Vec<String>,
    /// What is wanted.
    #[serde(default)]
    state: State,
    /// The package manager: `auto`, `apt`, `dnf`, `dnf5`, `yum`, `zypper`, `apk` or `pacman`.
    #[serde(default = "auto", rename = "use")]
    manager: String,
    /// Arguments of the manager's own module.
    #[serde(rename = "@others")]
    #[schemars(skip)]
    others: Others,
}

fn auto() -> String {
    "auto".into()
}

/// What must be done.
#[derive(Debug)]
pub enum Plan {
    /// By apt.
    Apt(apt::Plan),
    /// By another manager.
    #[expect(private_interfaces, reason = "nobody but this module looks inside")]
    Other(manager::Plan),
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Install ntp, whatever the distribution
  package:
    name: ntp
    state: present

- name: Remove two packages
  package:
    name: [telnet, rsh]
    state: absent
";
    const RETURNS: &'static str = "
stdout: What the manager printed.
stderr: What the manager complained about.
";
    const OPEN: bool = true;
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        match self.chosen(host)? {
            Chosen::Apt(apt) => Ok(apt.plan(host)?.map(Plan::Apt)),
            Chosen::Other(wanted) => Ok(wanted.plan(host)?.map(Plan::Other)),
        }
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        match self.chosen(host)? {
            Chosen::Apt(apt) => apt.unchanged(host),
            Chosen::Other(_) => Ok(Wanted::nothing()),
        }
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        match (self.chosen(host)?, plan) {
            (Chosen::Apt(apt), Plan::Apt(plan)) => apt.predicted(plan, host),
            (_, Plan::Other(plan)) => Ok(Wanted::predicted(plan)),
            (Chosen::Other(_), Plan::Apt(_)) => {
                Err(Fail::new("the host's package manager changed meanwhile"))
            }
        }
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        match plan {
            Plan::Apt(plan) => plan.diff(),
            Plan::Other(plan) => plan.diff(),
        }
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        match (self.chosen(host.as_look())?, plan) {
            (Chosen::Apt(apt), Plan::Apt(plan)) => apt.apply(plan, host),
            (Chosen::Other(wanted), Plan::Other(plan)) => wanted.apply(plan, host),
            _ => Err(Fail::new("the host's package manager changed meanwhile")),
        }
    }
}

/// The manager and what it is to do.
enum Chosen {
    Apt(Box<apt::Args>),
    Other(Wanted),
}

impl Args {
    fn chosen(&self, host: &dyn Look) -> Result<Chosen, Fail> {
        let name = if self.manager == "auto" { package_manager(host) } else { self.manager.as_str() };
        let name = name.strip_prefix("ansible.builtin.").unwrap_or(name);
        if name == "apt" {
            let mut args: Map = self.others.0.clone();
            let state = match self.state {
                State::Present => "present",
                State::Latest => "latest",
                State::Absent => "absent",
            };
            args.insert("name".into(), self.name.clone().into());
            args.insert("state".into(), state.into());
            return Ok(Chosen::Apt(Box::new(decode(&args)?)));
        }
        let Some(manager) = Manager::named(name) else {
            return Err(Fail::new(format!(
                "Could not find a matching action for the \"{name}\" package manager."
            )));
        };
        let mut args = self.others.0.clone();
        args.insert("name".into(), self.name.clone().into());
        if let Manager::Dnf(_) = manager {
            let dnf: super::dnf::Args = decode(&args)?;
            return Ok(Chosen::Other(Wanted { state: self.state, ..dnf.wanted(manager) }));
        }
        let truth = |name: &str| -> Result<bool, Fail> {
            match self.others.0.get(name) {
                Some(value) => Ok(crate::modules::api::decode_value(value)?),
                None => Ok(false),
            }
        };
        if let Some(other) = self.others.0.keys().find(|key| !["update_cache"].contains(&&***key)) {
            return Err(Fail::new(format!("with {name}, `package` does not know the argument {other}")));
        }
        let update: bool = truth("update_cache")?;
        Ok(Chosen::Other(Wanted {
            manager,
            names: self.name.clone(),
            state: self.state,
            refresh: update,
            upgrade: false,
            autoremove: false,
            options: Vec::new(),
        }))
    }
}

#[cfg(test)]
mod tests;
