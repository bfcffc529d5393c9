//! `apk`: packages of Alpine. The work is that of `package`'s managers.

use schemars::JsonSchema;
use serde::Deserialize;

use super::package::manager::{self, Manager, State, Wanted};
use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Touch};

/// Install, upgrade and remove packages with apk.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Packages, perhaps with a version (`curl=8.5.0-r0`).
    #[serde(default)]
    name: Vec<String>,
    /// What is wanted.
    #[serde(default)]
    state: State,
    /// Fetch the lists of packages first.
    #[serde(default)]
    update_cache: bool,
    /// Upgrade everything that is installed.
    #[serde(default)]
    upgrade: bool,
    /// Repositories to use instead of those of the host.
    #[serde(default)]
    repository: Vec<String>,
    /// Do not use apk's own cache.
    #[serde(default)]
    no_cache: bool,
}

/// What must be done.
#[derive(Debug)]
pub struct Plan(manager::Plan);

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Install two packages with new lists
  apk:
    name: [curl, git]
    update_cache: true

- name: Upgrade everything
  apk:
    upgrade: true
";
    const RETURNS: &'static str = "
results: What comes and goes.
stdout: What apk printed.
stderr: What apk complained about.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if self.name.is_empty() && !self.upgrade && !self.update_cache {
            return Err(Fail::new("one of name, upgrade and update_cache is required"));
        }
        Ok(self.wanted().plan(host)?.map(Plan))
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(Wanted::nothing())
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(Wanted::predicted(&plan.0))
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
        let mut options: Vec<String> =
            self.repository.iter().map(|it| format!("--repository={it}")).collect();
        if self.no_cache {
            options.push("--no-cache".into());
        }
        Wanted {
            manager: Manager::Apk,
            names: self.name.clone(),
            state: self.state,
            refresh: self.update_cache,
            upgrade: self.upgrade,
            autoremove: false,
            options,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn everything_is_upgraded_only_if_something_is_newer() {
        let host = |newer: &str| FakeHost::new().answer("apk version -l <", 0, newer).answer("apk", 0, "");
        assert!(!host("Installed:   Available:\n").play::<Args>("upgrade: true").unwrap().changed);
        let mut old = host("curl-8.1-r0 < 8.2-r0\n");
        assert!(old.play::<Args>("{upgrade: true, update_cache: true, no_cache: true}").unwrap().changed);
        assert_eq!(old.ran, ["apk update", "apk upgrade --no-cache"]);
        assert!(old.play::<Args>("{}").is_err());
    }
}
