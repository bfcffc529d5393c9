//! `group`: groups of users.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Cmd, Diff, Fail, Look, Module, Outcome, Touch, Value};

/// Manage groups.
///
/// Works with the shadow tools `groupadd`, `groupmod` and `groupdel`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The group's name.
    name: String,
    /// Its number.
    #[serde(default)]
    gid: Option<u32>,
    /// Whether the group is there.
    #[serde(default)]
    state: State,
    /// Make a new group one of the system's, with a low number.
    #[serde(default)]
    system: bool,
    /// With `state: absent` remove the group even if it is a user's primary group.
    #[serde(default)]
    force: bool,
    /// Look only at `/etc/group`, not at what else (LDAP, …) the host knows groups from.
    #[serde(default)]
    local: bool,
    /// Allow a `gid` that another group has.
    #[serde(default)]
    non_unique: bool,
    /// The least number that a new group may get by itself.
    #[serde(default)]
    gid_min: Option<u32>,
    /// The greatest number that a new group may get by itself.
    #[serde(default)]
    gid_max: Option<u32>,
}

/// Whether a group is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

/// What must change.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    argv: Vec<String>,
    /// Its number now; none if there is no such group.
    gid: Option<u32>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: A group with a number of its own
  group:
    name: deploy
    gid: 2000

- name: No such group
  group:
    name: old
    state: absent
";
    const RETURNS: &'static str = "
name: The group's name.
state: present or absent.
gid: Its number.
system: Whether a system group was asked for.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if self.name.is_empty()
            || self.name.starts_with('-')
            || self.name.contains([':', '\n', '/', ' ', ','])
        {
            return Err(Fail::new(format!("{:?} is no name for a group", self.name)));
        }
        let gid = self.current(host)?;
        let mut argv: Vec<String> = Vec::new();
        let mut put = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
        match (self.state, gid) {
            (State::Absent, None) => return Ok(None),
            (State::Absent, Some(_)) => {
                put(&["groupdel"]);
                if self.force {
                    put(&["-f"]);
                }
            }
            (State::Present, Some(gid)) if self.gid.is_none_or(|wanted| wanted == gid) => return Ok(None),
            (State::Present, exists) => {
                put(&[if exists.is_some() { "groupmod" } else { "groupadd" }]);
                if let Some(gid) = self.gid {
                    put(&["-g", &gid.to_string()]);
                    if self.non_unique {
                        put(&["-o"]);
                    }
                }
                if exists.is_none() {
                    for (name, limit) in [("GID_MIN", self.gid_min), ("GID_MAX", self.gid_max)] {
                        if let Some(limit) = limit {
                            put(&["-K", &format!("{name}={limit}")]);
                        }
                    }
                    if self.system {
                        put(&["-r"]);
                    }
                }
            }
        }
        put(&["--", &self.name]);
        Ok(Some(Plan { argv, gid }))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(host, Outcome::unchanged())
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let side = |present: bool, gid: Option<u32>| {
            let state = if present { "present" } else { "absent" };
            let gid = gid.filter(|_| present).map(|gid| ("gid", Value::from(gid)));
            Value::from_pairs([("state", Value::from(state))].into_iter().chain(gid))
        };
        let before = side(plan.gid.is_some(), plan.gid);
        let after = side(self.state == State::Present, self.gid);
        vec![Diff { before, after, ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let cmd = Cmd::new(plan.argv).env("LC_ALL", "C");
        host.run(&cmd)?.success(&format!("changing the group {}", self.name))?;
        self.describe(host.as_look(), Outcome::changed())
    }
}

impl Args {
    /// The group's number, if it exists.
    fn current(&self, host: &dyn Look) -> Result<Option<u32>, Fail> {
        if !self.local {
            // A name of digits finds the group of that number: that is another group.
            return Ok(host.group(&self.name)?.filter(|it| it.name == self.name).map(|it| it.gid));
        }
        let text = host.read("/etc/group".as_ref())?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let own = lines.find(|fields| fields.first() == Some(&self.name.as_str()));
        Ok(own.and_then(|fields| fields.get(2)?.parse().ok()))
    }

    fn describe(&self, host: &dyn Look, outcome: Outcome) -> Result<Outcome, Fail> {
        let state = if self.state == State::Present { "present" } else { "absent" };
        let outcome = outcome.with("name", self.name.as_str()).with("state", state);
        if self.state == State::Absent {
            return Ok(outcome);
        }
        let gid = self.current(host)?;
        Ok(outcome.with("system", self.system).with("gid", gid))
    }
}

#[cfg(test)]
mod tests;
