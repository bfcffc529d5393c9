//! `service`: services of whatever manages them here. With systemd it is `systemd`; `scripts` knows the others.

mod scripts;

use schemars::JsonSchema;
use serde::Deserialize;

use super::systemd::unit::{self, Scope, State, Wanted};
use crate::facts::service_manager;
use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Touch};
use scripts::Script;

/// Control services, whatever manages them: systemd, OpenRC or init scripts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The service.
    name: String,
    /// What the service is to do.
    #[serde(default)]
    state: Option<State>,
    /// Whether it starts with the host.
    #[serde(default)]
    enabled: Option<bool>,
    /// Seconds to wait between stopping and starting in a restart (not with systemd).
    #[serde(default)]
    sleep: Option<u64>,
    /// If the service can't tell whether it runs: it runs if a process has this in its command line (not with
    /// systemd).
    #[serde(default)]
    pattern: Option<String>,
    /// The runlevel to enable it in (OpenRC only).
    #[serde(default = "default_runlevel")]
    runlevel: String,
    /// More words for the init script (not with systemd).
    #[serde(default, alias = "args")]
    #[schemars(extend("x-aliases" = ["args"]))]
    arguments: Option<String>,
    /// What manages the service: `auto`, `systemd`, `openrc`, `sysvinit` or `service`.
    #[serde(default = "auto", rename = "use")]
    manager: String,
    /// With systemd: whether it is masked.
    #[serde(default)]
    masked: Option<bool>,
    /// With systemd: read all unit files again before anything else.
    #[serde(default, alias = "daemon-reload")]
    #[schemars(extend("x-aliases" = ["daemon-reload"]))]
    daemon_reload: bool,
    /// With systemd: start systemd itself again before anything else.
    #[serde(default, alias = "daemon-reexec")]
    #[schemars(extend("x-aliases" = ["daemon-reexec"]))]
    daemon_reexec: bool,
    /// With systemd: which one.
    #[serde(default)]
    scope: Scope,
    /// With systemd: do not wait until the service has started or stopped.
    #[serde(default)]
    no_block: bool,
    /// With systemd: replace links that are in the way.
    #[serde(default)]
    force: bool,
}

fn default_runlevel() -> String {
    "default".into()
}

fn auto() -> String {
    "auto".into()
}

/// What must be done.
#[derive(Debug)]
pub enum Plan {
    /// By systemd.
    #[expect(private_interfaces, reason = "nobody but this module looks inside")]
    Unit(unit::Plan),
    /// By anything else.
    #[expect(private_interfaces, reason = "nobody but this module looks inside")]
    Script(scripts::Plan),
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Start a service now and with the host
  service:
    name: ssh
    state: started
    enabled: true

- name: Let a service read its configuration again
  service:
    name: nginx
    state: reloaded
";
    const RETURNS: &'static str = "
name: The service.
state: started or stopped, if a state was asked for.
enabled: Whether it starts with the host, if that was asked for.
status: With systemd, what `systemctl show` said of the service before.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if self.name.is_empty() || self.name.starts_with('-') || self.name.contains(['/', '\n']) {
            return Err(Fail::new(format!("{:?} is no name for a service", self.name)));
        }
        let manager = if self.manager == "auto" { detect(host) } else { self.manager.clone() };
        match manager.as_str() {
            "systemd" => self.unit().plan(host).map(|plan| Some(Plan::Unit(plan))),
            "openrc" => self.script(Script::OpenRc).plan(host).map(|plan| plan.map(Plan::Script)),
            "sysvinit" | "service" => self.script(Script::Init).plan(host).map(|plan| plan.map(Plan::Script)),
            other => Err(Fail::new(format!("services managed by {other} are not supported"))),
        }
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::unchanged()))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(match plan {
            Plan::Unit(plan) => self.unit().predicted(plan),
            Plan::Script(_) => self.describe(Outcome::changed()),
        })
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        match plan {
            Plan::Unit(plan) => plan.diff(),
            Plan::Script(plan) => plan.diff(),
        }
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        match plan {
            Plan::Unit(plan) => self.unit().apply(plan, host),
            Plan::Script(plan) => {
                plan.apply(&self.name, host)?;
                Ok(self.describe(Outcome::changed()))
            }
        }
    }
}

/// What manages services; where the first process gives no hint (a container), what there are tools for.
fn detect(host: &dyn Look) -> String {
    let found = service_manager(host);
    if ["systemd", "openrc", "sysvinit"].contains(&found.as_str()) {
        return found;
    }
    let there = |program: &str| host.which(program).is_some();
    if there("rc-service") {
        "openrc".into()
    } else if there("service") || there("update-rc.d") || there("chkconfig") {
        "service".into()
    } else if there("systemctl") {
        "systemd".into()
    } else {
        found
    }
}

impl Args {
    fn unit(&self) -> Wanted {
        Wanted {
            name: Some(self.name.clone()),
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

    fn script(&self, script: Script) -> scripts::Wanted<'_> {
        scripts::Wanted {
            script,
            name: &self.name,
            state: self.state,
            enabled: self.enabled,
            sleep: self.sleep,
            pattern: self.pattern.as_deref(),
            runlevel: &self.runlevel,
            arguments: self.arguments.as_deref().unwrap_or_default(),
        }
    }

    fn describe(&self, outcome: Outcome) -> Outcome {
        let mut outcome = outcome.with("name", self.name.as_str());
        if let Some(state) = self.state {
            outcome = outcome.with("state", if state == State::Stopped { "stopped" } else { "started" });
        }
        if let Some(enabled) = self.enabled {
            outcome = outcome.with("enabled", enabled);
        }
        outcome
    }
}

#[cfg(test)]
mod tests;
