//! `dnf`: packages of Fedora, RHEL and their relatives, with dnf, dnf5 or yum, whichever the host has.

use schemars::JsonSchema;
use serde::Deserialize;

use super::package::manager::{self, Manager, State, Wanted};
use crate::facts::package_manager;
use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Touch};

/// Install, upgrade and remove packages with dnf or yum.
///
/// Signatures are checked unless `disable_gpg_check` says otherwise.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an argument of its own")]
pub struct Args {
    /// Packages: names, with a version (`nginx-1.20`), groups (`@development`), package files, URLs, or `*` for all.
    #[serde(default, alias = "pkg")]
    #[schemars(extend("x-aliases" = ["pkg"]))]
    name: Vec<String>,
    /// What is wanted.
    #[serde(default)]
    state: Option<State>,
    /// Repositories to use besides those that are enabled.
    #[serde(default)]
    enablerepo: Vec<String>,
    /// Repositories not to use.
    #[serde(default)]
    disablerepo: Vec<String>,
    /// Packages not to touch.
    #[serde(default)]
    exclude: Vec<String>,
    /// Which exclusions of the configuration to ignore: `all`, `main` or a repository.
    #[serde(default)]
    disable_excludes: Option<String>,
    /// Another configuration file.
    #[serde(default)]
    conf_file: Option<String>,
    /// Accept packages whose signature can't be verified.
    #[serde(default)]
    disable_gpg_check: bool,
    /// Plugins to turn on.
    #[serde(default)]
    enable_plugin: Vec<String>,
    /// Plugins to turn off.
    #[serde(default, alias = "disable_plugins")]
    #[schemars(extend("x-aliases" = ["disable_plugins"]))]
    disable_plugin: Vec<String>,
    /// Install under this folder instead of `/`.
    #[serde(default)]
    installroot: Option<String>,
    /// Another release's repositories.
    #[serde(default)]
    releasever: Option<String>,
    /// Fetch the lists of packages first.
    #[serde(default, alias = "expire-cache")]
    #[schemars(extend("x-aliases" = ["expire-cache"]))]
    update_cache: bool,
    /// With `state: latest`: only what closes security holes.
    #[serde(default)]
    security: bool,
    /// With `state: latest`: only what repairs faults.
    #[serde(default)]
    bugfix: bool,
    /// Allow an older version than the installed one.
    #[serde(default)]
    allow_downgrade: bool,
    /// Allow removing packages that are in the way.
    #[serde(default)]
    allowerasing: bool,
    /// Take an older version if the newest can't be installed.
    #[serde(default)]
    nobest: bool,
    /// Leave out packages that can't be installed.
    #[serde(default)]
    skip_broken: bool,
    /// Install what packages recommend.
    #[serde(default = "yes")]
    install_weak_deps: bool,
    /// Only download.
    #[serde(default)]
    download_only: bool,
    /// Use only what is in the cache.
    #[serde(default)]
    cacheonly: bool,
    /// Check the certificates of repositories.
    #[serde(default = "yes", alias = "validate_certs")]
    #[schemars(extend("x-aliases" = ["validate_certs"]))]
    sslverify: bool,
    /// Remove what was installed as a dependency and is no longer needed.
    #[serde(default)]
    autoremove: bool,
    /// Accepted and without effect: dnf itself waits for its lock.
    #[serde(default)]
    #[expect(dead_code, reason = "documented as without effect")]
    lock_timeout: Option<i64>,
    /// Which program: `auto`, `dnf`, `dnf4`, `dnf5` or `yum`.
    #[serde(default = "auto")]
    use_backend: String,
}

fn yes() -> bool {
    true
}

fn auto() -> String {
    "auto".into()
}

/// What must be done.
#[derive(Debug)]
pub struct Plan(manager::Plan);

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Install nginx
  dnf:
    name: nginx
    state: present

- name: Upgrade everything
  dnf:
    name: '*'
    state: latest

- name: Install from another repository
  dnf:
    name: htop
    enablerepo: epel
";
    const RETURNS: &'static str = "
results: What comes and goes.
msg: What there was to do.
rc: The program's exit code.
stdout: What the program printed.
stderr: What the program complained about.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        Ok(self.on(host)?.plan(host)?.map(Plan))
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
        self.on(host.as_look())?.apply(plan.0, host)
    }
}

impl Args {
    fn on(&self, host: &dyn Look) -> Result<Wanted, Fail> {
        let asked = self.use_backend.as_str();
        if !["auto", "dnf", "dnf4", "dnf5", "yum", "yum4"].contains(&asked) {
            return Err(Fail::new(format!("use_backend is auto, dnf, dnf4, dnf5 or yum, not {asked}")));
        }
        let name = if asked == "auto" { package_manager(host) } else { asked };
        let manager = Manager::named(name).filter(|it| matches!(it, Manager::Dnf(_)));
        let there = |program: &str| host.which(program).is_some();
        let manager = match manager {
            Some(manager) => manager,
            None if there("dnf") => Manager::Dnf("dnf"),
            None if there("dnf5") => Manager::Dnf("dnf5"),
            None if there("yum") => Manager::Dnf("yum"),
            None => return Err(Fail::new("there is neither dnf nor yum on this host")),
        };
        Ok(self.wanted(manager))
    }

    /// What this asks of a manager.
    pub(in crate::modules) fn wanted(&self, manager: Manager) -> Wanted {
        let mut options: Vec<String> = Vec::new();
        let lists = [
            ("enablerepo", &self.enablerepo),
            ("disablerepo", &self.disablerepo),
            ("exclude", &self.exclude),
            ("enableplugin", &self.enable_plugin),
            ("disableplugin", &self.disable_plugin),
        ];
        for (name, values) in lists {
            options.extend(values.iter().map(|value| format!("--{name}={value}")));
        }
        let texts = [
            ("disableexcludes", &self.disable_excludes),
            ("config", &self.conf_file),
            ("installroot", &self.installroot),
            ("releasever", &self.releasever),
        ];
        for (name, value) in texts {
            options.extend(value.iter().map(|value| format!("--{name}={value}")));
        }
        let flags = [
            (self.disable_gpg_check, "--nogpgcheck"),
            (self.security, "--security"),
            (self.bugfix, "--bugfix"),
            (self.allowerasing || self.allow_downgrade, "--allowerasing"),
            (self.nobest, "--nobest"),
            (self.skip_broken, "--skip-broken"),
            (!self.install_weak_deps, "--setopt=install_weak_deps=False"),
            (self.download_only, "--downloadonly"),
            (self.cacheonly, "--cacheonly"),
            (!self.sslverify, "--setopt=sslverify=False"),
        ];
        options.extend(flags.iter().filter(|(wanted, _)| *wanted).map(|(_, flag)| (*flag).to_owned()));
        // yum of old has no such option and needs none: it never refuses a downgrade that way.
        if manager == Manager::Dnf("yum") {
            options.retain(|option| option != "--allowerasing" && option != "--nobest");
        }
        let state = self.state.unwrap_or(State::Present);
        Wanted {
            manager,
            names: self.name.clone(),
            state,
            refresh: self.update_cache,
            upgrade: false,
            autoremove: self.autoremove,
            options,
        }
    }
}

#[cfg(test)]
mod tests;
