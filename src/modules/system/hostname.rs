//! `hostname`: a host's name.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::facts::service_manager;
use crate::modules::api::{Cmd, Diff, Fail, Look, Module, Outcome, Touch, Value, Write};

/// Set the host's name, now and for the next start.
///
/// `/etc/hosts` is left alone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The name.
    name: String,
    /// Accepted and without effect: the way to set it is found out.
    #[serde(default, rename = "use")]
    #[expect(dead_code, reason = "documented as without effect")]
    strategy: Option<String>,
}

/// What the name is now.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// In `/etc/hostname`.
    permanent: String,
    /// In the kernel.
    current: String,
}

const FILE: &str = "/etc/hostname";

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: The host's name
  hostname:
    name: web01
";
    const RETURNS: &'static str = "
name: The name.
ansible_facts: ansible_hostname, ansible_nodename, ansible_fqdn and ansible_domain.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        let fits = (1..=64).contains(&self.name.len()) && self.name.chars().all(plain);
        if !fits || self.name.starts_with(['-', '.']) || self.name.ends_with('-') {
            return Err(Fail::new(format!(
                "{:?} is no name for a host: it has at most 64 letters, digits, dashes and dots",
                self.name
            )));
        }
        let read = |path: &str| -> Result<String, Fail> {
            let text = host.read(Path::new(path))?.unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
            Ok(line.unwrap_or_default().to_owned())
        };
        let plan = Plan { permanent: read(FILE)?, current: read("/proc/sys/kernel/hostname")? };
        Ok((plan.permanent != self.name || plan.current != self.name).then_some(plan))
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::unchanged()))
    }

    fn predicted(&self, _plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::changed()))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let before = if plan.permanent == self.name { &plan.current } else { &plan.permanent };
        let (before, after) = (format!("hostname = {before}\n"), format!("hostname = {}\n", self.name));
        vec![Diff { before: before.into(), after: after.into(), ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        if service_manager(host.as_look()) == "systemd" && host.which("hostnamectl").is_some() {
            let cmd = Cmd::new(["hostnamectl", "set-hostname", &self.name]);
            host.run(&cmd)?.success("setting the host's name")?;
        } else {
            if plan.permanent != self.name {
                let how = Write { mode: Some(0o644), ..Write::default() };
                host.write(Path::new(FILE), format!("{}\n", self.name).as_bytes(), &how)?;
            }
            if plan.current != self.name {
                host.run(&Cmd::new(["hostname", &self.name]))?.success("setting the host's name")?;
            }
        }
        Ok(self.describe(Outcome::changed()))
    }
}

impl Args {
    fn describe(&self, outcome: Outcome) -> Outcome {
        let (short, domain) = self.name.split_once('.').unwrap_or((&self.name, ""));
        let mut outcome = outcome.with("name", self.name.as_str());
        for (fact, value) in
            [("hostname", short), ("nodename", &self.name), ("fqdn", &self.name), ("domain", domain)]
        {
            outcome.facts.insert(format!("ansible_{fact}").into(), Value::from(value));
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::FakeHost;

    fn host() -> FakeHost {
        FakeHost::new()
            .file("/etc/hostname", "# x\nold\n")
            .file("/proc/sys/kernel/hostname", "old\n")
            .answer_with(
                "hostname web.example.org",
                Ran::default(),
                Some(Box::new(|host| {
                    *host = std::mem::take(host).file("/proc/sys/kernel/hostname", "web.example.org\n");
                })),
            )
    }

    #[test]
    fn the_name_is_set_in_the_file_and_in_the_kernel() {
        let mut host = host();
        let outcome = host.converge::<Args>("name: web.example.org");
        assert_eq!(host.text("/etc/hostname"), "web.example.org\n");
        assert_eq!(outcome.facts["ansible_hostname"].as_str(), Some("web"));
        assert_eq!(outcome.facts["ansible_domain"].as_str(), Some("example.org"));
        assert_eq!(outcome.diff[0].before.as_str(), Some("hostname = old\n"));
    }

    #[test]
    fn with_systemd_its_own_program_does_it() {
        let mut host = host().file("/proc/1/comm", "systemd\n").answer("hostnamectl set-hostname web", 0, "");
        host.play::<Args>("name: web").unwrap();
        assert_eq!(host.ran, ["hostnamectl set-hostname web"]);
    }

    #[test]
    fn names_that_are_none_are_refused() {
        for name in ["''", "-x", "'a b'", "a_b", "'.a'", "a-"] {
            assert!(host().play::<Args>(&format!("name: {name}")).is_err(), "{name}");
        }
    }
}
