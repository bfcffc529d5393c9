//! `systemd`: units of systemd. The work is in `unit`, which `service` uses too.

pub(in crate::modules) mod unit;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Touch};
use unit::{Scope, State, Wanted};

/// Control units of systemd: services, timers, sockets and others.
///
/// Reading the unit files again (`daemon_reload`) does not count as a change. In a chroot units can be enabled and
/// masked, but not started.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The unit; without an ending it is a service.
    #[serde(default, alias = "service", alias = "unit")]
    #[schemars(extend("x-aliases" = ["service", "unit"]))]
    name: Option<String>,
    /// What the unit is to do.
    #[serde(default)]
    state: Option<State>,
    /// Whether it starts with the host.
    #[serde(default)]
    enabled: Option<bool>,
    /// Whether it is masked, so that nothing can start it.
    #[serde(default)]
    masked: Option<bool>,
    /// Read all unit files again before anything else.
    #[serde(default, alias = "daemon-reload")]
    #[schemars(extend("x-aliases" = ["daemon-reload"]))]
    daemon_reload: bool,
    /// Start systemd itself again before anything else.
    #[serde(default, alias = "daemon-reexec")]
    #[schemars(extend("x-aliases" = ["daemon-reexec"]))]
    daemon_reexec: bool,
    /// Which systemd.
    #[serde(default)]
    scope: Scope,
    /// Do not wait until the unit has started or stopped.
    #[serde(default)]
    no_block: bool,
    /// Replace links that are in the way.
    #[serde(default)]
    force: bool,
}

/// What must be done.
#[derive(Debug)]
pub struct Plan(unit::Plan);

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Start nginx now and with the host
  systemd:
    name: nginx
    state: started
    enabled: true

- name: Restart a service whose unit file is new
  systemd:
    name: app
    state: restarted
    daemon_reload: true

- name: Keep a service from ever being started
  systemd:
    name: apt-daily.timer
    masked: true
";
    const RETURNS: &'static str = "
name: The unit.
state: started or stopped, if a state was asked for.
enabled: Whether it starts with the host, if that was asked for.
status: What `systemctl show` said of the unit before.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if self.name.is_none() && !self.daemon_reload && !self.daemon_reexec {
            return Err(Fail::new("name, daemon_reload or daemon_reexec is required"));
        }
        self.wanted().plan(host).map(|plan| Some(Plan(plan)))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.wanted().predicted(&plan.0))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        plan.0.diff()
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        self.wanted().apply(plan.0, host)
    }
}

impl Args {
    fn wanted(&self) -> Wanted {
        Wanted {
            name: self.name.clone(),
            state: self.state,
            enabled: self.enabled,
            masked: self.masked,
            daemon_reload: self.daemon_reload,
            daemon_reexec: self.daemon_reexec,
            scope: self.scope,
            no_block: self.no_block,
            force: self.force,
        }
    }
}

#[cfg(test)]
mod tests;
