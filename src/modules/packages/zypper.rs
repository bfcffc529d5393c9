//! `zypper`: packages of SUSE. The work is that of `package`'s managers.

use schemars::JsonSchema;
use serde::Deserialize;

use super::package::manager::{self, Manager, State, Wanted};
use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Touch};

/// Install, upgrade and remove packages with zypper.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Packages, perhaps with a version (`nginx=1.20`), package files or URLs; `*` for all.
    #[serde(default, alias = "pkg")]
    #[schemars(extend("x-aliases" = ["pkg"]))]
    name: Vec<String>,
    /// What is wanted.
    #[serde(default)]
    state: State,
    /// Fetch the lists of packages first.
    #[serde(default, alias = "refresh")]
    #[schemars(extend("x-aliases" = ["refresh"]))]
    update_cache: bool,
    /// Upgrade everything that is installed.
    #[serde(default)]
    upgrade: bool,
    /// Accept packages whose signature can't be verified.
    #[serde(default)]
    disable_gpg_check: bool,
    /// Install only what is required, not what is recommended.
    #[serde(default = "yes")]
    disable_recommends: bool,
    /// Allow an older version than the installed one.
    #[serde(default)]
    oldpackage: bool,
    /// With `state: absent` remove what was installed as a dependency and is no longer needed.
    #[serde(default)]
    clean_deps: bool,
}

fn yes() -> bool {
    true
}

/// What must be done.
#[derive(Debug)]
pub struct Plan(manager::Plan);

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Install two packages with new lists
  zypper:
    name: [curl, git]
    update_cache: true

- name: Upgrade everything
  zypper:
    upgrade: true
";
    const RETURNS: &'static str = "
results: What comes and goes.
stdout: What zypper printed.
stderr: What zypper complained about.
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
        let installs = self.state != State::Absent;
        let flags = [
            (self.disable_gpg_check && installs, "--no-gpg-checks"),
            (self.disable_recommends && installs && !self.upgrade, "--no-recommends"),
            (self.oldpackage && installs, "--oldpackage"),
        ];
        let options =
            flags.iter().filter(|(wanted, _)| *wanted).map(|(_, flag)| (*flag).to_owned()).collect();
        Wanted {
            manager: Manager::Zypper,
            names: self.name.clone(),
            state: self.state,
            refresh: self.update_cache,
            upgrade: self.upgrade,
            autoremove: self.clean_deps,
            options,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn options_reach_zypper() {
        for (args, line) in [
            ("name: a", "zypper --non-interactive install --auto-agree-with-licenses --no-recommends a"),
            (
                "{name: a, disable_recommends: false, oldpackage: true}",
                "zypper --non-interactive install --auto-agree-with-licenses --oldpackage a",
            ),
            ("{name: b, state: absent, clean_deps: true}", "zypper --non-interactive remove --clean-deps b"),
            (
                "{name: b, state: latest}",
                "zypper --non-interactive install --auto-agree-with-licenses --no-recommends b",
            ),
        ] {
            let mut host = FakeHost::new()
                .answer("rpm -q b", 0, "b-1\n")
                .answer("rpm -q", 1, "")
                .answer("zypper --non-interactive --quiet list-updates", 0, "v | r | b | 1 | 2 | x86_64\n")
                .answer("zypper", 0, "");
            host.play::<Args>(args).unwrap();
            assert_eq!(host.ran, [line], "{args}");
        }
    }
}
