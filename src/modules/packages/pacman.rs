//! `pacman`: packages of Arch. The work is that of `package`'s managers.

use schemars::JsonSchema;
use serde::Deserialize;

use super::package::manager::{self, Manager, State, Wanted};
use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Touch};

/// Install, upgrade and remove packages with pacman.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Packages.
    #[serde(default, alias = "package", alias = "pkg")]
    #[schemars(extend("x-aliases" = ["package", "pkg"]))]
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
    /// Options for pacman, split at spaces.
    #[serde(default)]
    extra_args: Option<String>,
    /// With `state: absent` remove what was installed as a dependency and is no longer needed.
    #[serde(default)]
    recurse: bool,
}

/// What must be done.
#[derive(Debug)]
pub struct Plan(manager::Plan);

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Install two packages with new lists
  pacman:
    name: [curl, git]
    update_cache: true

- name: Upgrade everything
  pacman:
    upgrade: true
";
    const RETURNS: &'static str = "
results: What comes and goes.
stdout: What pacman printed.
stderr: What pacman complained about.
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
        let options = self.extra_args.as_deref().unwrap_or_default().split_whitespace();
        let options: Vec<_> = options.map(str::to_owned).collect();
        Wanted {
            manager: Manager::Pacman,
            names: self.name.clone(),
            state: self.state,
            refresh: self.update_cache,
            upgrade: self.upgrade,
            autoremove: self.recurse,
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
        let host =
            |rc: i32, newer: &str| FakeHost::new().answer("pacman -Qu", rc, newer).answer("pacman", 0, "");
        assert!(!host(1, "").play::<Args>("upgrade: true").unwrap().changed);
        let mut old = host(0, "bash 5.1 -> 5.2\n");
        assert!(
            old.play::<Args>("{upgrade: true, update_cache: true, extra_args: --overwrite x}")
                .unwrap()
                .changed
        );
        assert_eq!(
            old.ran,
            ["pacman -Sy --noprogressbar", "pacman -Su --noconfirm --noprogressbar --overwrite x"]
        );
    }

    #[test]
    fn dependencies_go_with_a_package_if_wanted() {
        let mut host = FakeHost::new().answer("pacman -Q", 0, "a 1").answer("pacman", 0, "");
        host.play::<Args>("{name: a, state: absent, recurse: true}").unwrap();
        assert_eq!(host.ran, ["pacman -Rs --noconfirm --noprogressbar a"]);
    }
}
