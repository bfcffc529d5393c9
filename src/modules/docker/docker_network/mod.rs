//! `docker_network`: a network of an engine and who is in it. How it is compared and made is in `form`.

mod form;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::engine::{Engine, Kind, plain_name};
use super::pairs::Pairs;
use crate::modules::api::{Diff, Fail, Look, Map, Module, Outcome, Touch, Value};

/// Manage a network of a Docker engine.
///
/// A network can't be changed while it is there: one that differs is made anew, with the containers that were in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The network's name.
    #[serde(alias = "network_name")]
    #[schemars(extend("x-aliases" = ["network_name"]))]
    name: String,
    /// The containers in it. Others are disconnected unless `appends` is on. Not given: all stay that are in it (Ansible
    /// disconnects them).
    #[serde(default, alias = "containers")]
    #[schemars(extend("x-aliases" = ["containers"]))]
    connected: Option<Vec<String>>,
    /// Leave containers in it that are not in `connected`.
    #[serde(default, alias = "incremental")]
    #[schemars(extend("x-aliases" = ["incremental"]))]
    appends: bool,
    /// Its driver.
    #[serde(default = "bridge")]
    driver: String,
    /// Options of the driver.
    #[serde(default)]
    driver_options: Pairs,
    /// Make it anew, or remove it, with containers in it.
    #[serde(default)]
    force: bool,
    /// Whether it has IPv4 addresses.
    #[serde(default)]
    enable_ipv4: Option<bool>,
    /// Whether it has IPv6 addresses.
    #[serde(default)]
    enable_ipv6: Option<bool>,
    /// The driver that gives out addresses.
    #[serde(default)]
    ipam_driver: Option<String>,
    /// Options of that driver.
    #[serde(default)]
    ipam_driver_options: Option<Pairs>,
    /// Its ranges of addresses.
    #[serde(default)]
    ipam_config: Option<Vec<Range>>,
    /// Whether nothing leads out of it.
    #[serde(default)]
    internal: Option<bool>,
    /// Whether containers may enter it by hand (swarm).
    #[serde(default)]
    attachable: Option<bool>,
    /// Whether it is the swarm's network for published ports.
    #[serde(default)]
    ingress: Option<bool>,
    /// Where it is known.
    #[serde(default)]
    scope: Option<Scope>,
    /// Whether it only holds settings for others.
    #[serde(default)]
    config_only: Option<bool>,
    /// The network that holds its settings.
    #[serde(default)]
    config_from: Option<String>,
    /// Labels.
    #[serde(default)]
    labels: Pairs,
    /// Whether it is there.
    #[serde(default)]
    state: State,
    /// Which engine.
    #[serde(rename = "@engine")]
    #[schemars(flatten)]
    engine: Engine,
}

/// A range of addresses.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Range {
    /// The range, as `192.0.2.0/24`.
    #[serde(default)]
    subnet: Option<String>,
    /// The part of it that addresses are given out from.
    #[serde(default)]
    iprange: Option<String>,
    /// The way out.
    #[serde(default)]
    gateway: Option<String>,
    /// Addresses that are given to nobody else, by name.
    #[serde(default)]
    aux_addresses: Option<Pairs>,
}

/// Where a network is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Scope {
    /// In one engine.
    Local,
    /// In several, through another store.
    Global,
    /// In a swarm.
    Swarm,
}

/// Whether a network is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

fn bridge() -> String {
    "bridge".into()
}

/// What must be done.
#[derive(Debug, Default)]
pub struct Plan {
    remove: bool,
    create: bool,
    /// Containers that leave; before the network goes, or because they are not wanted.
    leave: Vec<String>,
    enter: Vec<String>,
    /// What differs: name, before, after.
    differences: Vec<(String, String, String)>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: A network for the application
  docker_network:
    name: backend
    ipam_config:
      - subnet: 172.28.5.0/24
        gateway: 172.28.5.1
    driver_options:
      com.docker.network.driver.mtu: \"1400\"

- name: Let one more container in
  docker_network:
    name: backend
    connected: [app]
    appends: true

- name: No longer
  docker_network:
    name: backend
    state: absent
    force: true
";
    const RETURNS: &'static str = "
network: What `docker network inspect` says of it.
actions: What was done, in words.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        plain_name(Kind::Network, &self.name)?;
        let now = self.engine.inspect(host, Kind::Network, &self.name)?;
        let mut plan = Plan::default();
        let exists = |before: bool, after: bool| ("exists".into(), before.to_string(), after.to_string());
        match (self.state, &now) {
            (State::Absent, None) => return Ok(None),
            (State::Absent, Some(now)) => {
                plan.remove = true;
                plan.differences.push(exists(true, false));
                if self.force {
                    plan.leave = members(now);
                }
                return Ok(Some(plan));
            }
            (State::Present, None) => {
                plan.create = true;
                plan.differences.push(exists(false, true));
            }
            (State::Present, Some(now)) => {
                plan.differences = self.differences(now)?;
                if !plan.differences.is_empty() || self.force {
                    (plan.remove, plan.create) = (true, true);
                }
            }
        }
        self.membership(now.as_ref(), &mut plan);
        Ok((plan.create || !plan.leave.is_empty() || !plan.enter.is_empty()).then_some(plan))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(host, Outcome::unchanged(), None)
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(host, Outcome::changed(), Some(plan))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let side = |pick: fn(&(String, String, String)) -> &String| -> Value {
            plan.differences.iter().map(|it| format!("{}: {}\n", it.0, pick(it))).collect::<String>().into()
        };
        vec![Diff { before: side(|it| &it.1), after: side(|it| &it.2), ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let name = self.name.as_str();
        let what = format!("changing the network {name}");
        for container in &plan.leave {
            self.engine.tell(host, ["network", "disconnect", "--force", name, container], &what)?;
        }
        if plan.remove {
            self.engine.tell(host, ["network", "rm", name], &format!("removing the network {name}"))?;
        }
        if plan.create {
            self.engine.tell(host, self.words()?, &format!("making the network {name}"))?;
        }
        for container in &plan.enter {
            self.engine.tell(host, ["network", "connect", name, container], &what)?;
        }
        self.describe(host.as_look(), Outcome::changed(), Some(&plan))
    }
}

impl Args {
    /// Who leaves and who enters.
    fn membership(&self, now: Option<&Json>, plan: &mut Plan) {
        let inside = now.map(members).unwrap_or_default();
        let ids = now.map(member_ids).unwrap_or_default();
        // A container may be named or given by its id.
        let is_inside = |wanted: &String| {
            inside.contains(wanted)
                || wanted.len() >= 12 && ids.iter().any(|id| id.starts_with(wanted.as_str()))
        };
        let wanted = self.connected.clone().unwrap_or_default();
        if plan.remove {
            // Made anew: those that were in it come back.
            plan.leave = inside.clone();
            let back = inside.iter().filter(|_| self.connected.is_none() || self.appends);
            plan.enter = wanted.iter().chain(back).cloned().collect::<BTreeSet<_>>().into_iter().collect();
            return;
        }
        plan.enter = wanted.iter().filter(|it| !is_inside(it)).cloned().collect();
        if self.connected.is_some() && !self.appends {
            let stay = |name: &String, id: &String| {
                wanted.iter().any(|it| it == name || it.len() >= 12 && id.starts_with(it.as_str()))
            };
            let gone = inside.iter().zip(&ids).filter(|(name, id)| !stay(name, id));
            plan.leave = gone.map(|(name, _)| name.clone()).collect();
        }
        if !plan.enter.is_empty() || !plan.leave.is_empty() {
            let after = inside.iter().filter(|it| !plan.leave.contains(it)).chain(&plan.enter).cloned();
            let after: Vec<String> = after.collect();
            plan.differences.push(("connected".into(), inside.join(", "), after.join(", ")));
        }
    }

    fn describe(&self, host: &dyn Look, outcome: Outcome, plan: Option<&Plan>) -> Result<Outcome, Fail> {
        let name = &self.name;
        let mut actions = Vec::new();
        if let Some(plan) = plan {
            actions.extend(plan.leave.iter().map(|it| format!("Disconnected container {it}")));
            if plan.remove {
                actions.push(format!("Removed network {name}"));
            }
            if plan.create {
                actions.push(format!("Created network {name} with driver {}", self.driver));
            }
            actions.extend(plan.enter.iter().map(|it| format!("Connected container {it}")));
        }
        let now = self.engine.inspect(host, Kind::Network, name)?;
        let now = now.map_or_else(|| Value::map(Map::new()), Value::from);
        Ok(outcome.with("network", now).with("actions", actions))
    }
}

/// The names of the containers in a network, in the order of their ids.
fn members(network: &Json) -> Vec<String> {
    let all = network["Containers"].as_object().into_iter().flatten();
    let mut all: Vec<(&String, &Json)> = all.collect();
    all.sort_by_key(|(id, _)| *id);
    all.into_iter().map(|(id, json)| json["Name"].as_str().unwrap_or(id).to_owned()).collect()
}

fn member_ids(network: &Json) -> Vec<String> {
    let mut all: Vec<String> =
        network["Containers"].as_object().into_iter().flatten().map(|(id, _)| id.clone()).collect();
    all.sort();
    all
}

#[cfg(test)]
mod tests;
