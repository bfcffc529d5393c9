//! `seboolean`: a switch of the SELinux policy.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Cmd, Diff, Fail, Look, Module, Outcome, Touch};

/// Switch a boolean of SELinux on or off.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Its name.
    name: String,
    /// Whether it is on.
    state: bool,
    /// After the next start too.
    #[serde(default)]
    persistent: bool,
    /// Do it even where SELinux is off, as while an image is built.
    #[serde(default)]
    ignore_selinux_state: bool,
}

/// What it is now.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    before: bool,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: The web server may make connections
  seboolean:
    name: httpd_can_network_connect
    state: true
    persistent: true
";
    const RETURNS: &'static str = "
name: The boolean.
state: Whether it is on.
persistent: Whether after the next start too.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if self.name.is_empty() || self.name.starts_with('-') {
            return Err(Fail::new(format!("{:?} is no name of a boolean", self.name)));
        }
        let enabled = is_enabled(host)?;
        if !enabled && !self.ignore_selinux_state {
            return Err(Fail::new("SELinux is disabled on this host."));
        }
        let now = if enabled { Some(self.current(host)?) } else { None };
        let kept = if self.persistent || !enabled { self.kept(host)? } else { None };
        let right = [now, kept].into_iter().flatten().all(|state| state == self.state);
        if right && (now.is_some() || kept.is_some()) {
            return Ok(None);
        }
        let wrong = [now, kept].into_iter().flatten().find(|state| *state != self.state);
        Ok(Some(Plan { before: wrong.unwrap_or(!self.state) }))
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::unchanged()))
    }

    fn predicted(&self, _plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::changed()))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let side = |state: bool| format!("{} --> {}\n", self.name, word(state)).into();
        vec![Diff { before: side(plan.before), after: side(self.state), ..Diff::default() }]
    }

    fn apply(&self, _plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let mut cmd = Cmd::new(["setsebool"]);
        if self.persistent {
            cmd = cmd.arg("-P");
        }
        host.run(&cmd.args([&*self.name, word(self.state)]))?.success("setsebool")?;
        Ok(self.describe(Outcome::changed()))
    }
}

fn word(state: bool) -> &'static str {
    if state { "on" } else { "off" }
}

/// Whether SELinux is on.
///
/// # Errors
/// No command to ask with.
pub(in crate::modules::system) fn is_enabled(host: &dyn Look) -> Result<bool, Fail> {
    if host.which("getenforce").is_none() {
        return Err(Fail::new("SELinux' tools are not on the host: there is no getenforce"));
    }
    Ok(host.query(&Cmd::new(["getenforce"]))?.out().trim() != "Disabled")
}

impl Args {
    fn current(&self, host: &dyn Look) -> Result<bool, Fail> {
        let ran = host.query(&Cmd::new(["getsebool", &self.name]))?;
        let ran = ran.success(&format!("SELinux boolean {} does not exist: getsebool", self.name))?;
        Ok(ran.out().split("-->").nth(1).is_some_and(|state| state.split_whitespace().next() == Some("on")))
    }

    /// What it is after the next start; none where nobody can say.
    fn kept(&self, host: &dyn Look) -> Result<Option<bool>, Fail> {
        if host.which("semanage").is_none() {
            return Ok(None);
        }
        let list =
            host.query(&Cmd::new(["semanage", "boolean", "-l", "-n"]))?.success("semanage boolean")?.out();
        // name   (off  ,   on)  What it is for
        Ok(list.lines().find_map(|line| {
            let (name, rest) = line.split_once('(')?;
            let (states, _) = rest.split_once(')')?;
            let kept = states.split(',').nth(1)?.trim();
            (name.trim() == self.name).then_some(kept == "on")
        }))
    }

    fn describe(&self, outcome: Outcome) -> Outcome {
        outcome.with("name", self.name.as_str()).with("state", self.state).with("persistent", self.persistent)
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    fn list(now: &str, kept: &str) -> String {
        format!(
            "other_x                        (on   ,   on)  Other\nx                              ({now}  ,  {kept})  What\n"
        )
    }

    #[test]
    fn it_is_switched_where_it_is_not_right() {
        for (now, kept, more, ran) in [
            ("off", "off", "", Some("setsebool x on")),
            ("off", "on", ", persistent: true", Some("setsebool -P x on")),
            ("on", "off", ", persistent: true", Some("setsebool -P x on")),
            ("on", "off", "", None),
            ("on", "on", ", persistent: true", None),
        ] {
            let mut host = FakeHost::new()
                .answer("getenforce", 0, "Enforcing\n")
                .answer("getsebool x", 0, &format!("x --> {now}\n"))
                .answer("semanage boolean -l -n", 0, &list(now, kept))
                .answer("setsebool", 0, "");
            let args = format!("{{name: x, state: yes{more}}}");
            assert_eq!(host.check::<Args>(&args).unwrap().changed, ran.is_some());
            assert_eq!(host.play::<Args>(&args).unwrap().changed, ran.is_some(), "{now} {kept} {more}");
            assert_eq!(host.ran, Vec::from_iter(ran));
        }
    }

    #[test]
    fn without_selinux_it_is_refused_unless_told_otherwise() {
        let host = || FakeHost::new().answer("getenforce", 0, "Disabled\n").answer("setsebool", 0, "");
        let fail = host().play::<Args>("{name: x, state: no}").unwrap_err();
        assert_eq!(fail.msg, "SELinux is disabled on this host.");
        let args = "{name: x, state: no, persistent: true, ignore_selinux_state: true}";
        let mut on = host().answer("semanage boolean -l -n", 0, &list("on", "on"));
        assert!(on.play::<Args>(args).unwrap().changed);
        let mut off = host().answer("semanage boolean -l -n", 0, &list("on", "off"));
        assert!(!off.play::<Args>(args).unwrap().changed);
        assert!(
            FakeHost::new().play::<Args>("{name: x, state: no}").unwrap_err().msg.contains("no getenforce")
        );
        let mut unknown = FakeHost::new().answer("getenforce", 0, "Enforcing").answer("getsebool x", 1, "");
        assert!(unknown.play::<Args>("{name: x, state: no}").unwrap_err().msg.contains("does not exist"));
    }
}
