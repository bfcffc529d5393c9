//! `apt`: packages of Debian and its relatives. One apt-get call installs all that is missing.
//!
//! `spec` reads what the user writes, `installed` what dpkg and apt say, `run` makes apt-get's command lines.

mod deb;
mod installed;
mod planning;
mod run;
mod spec;

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Cmd, Diff, Fail, Look, Module, Outcome, Touch, Write};
use installed::Installed;
use run::{changes, failure, simulated};
use spec::Spec;

/// Install, upgrade and remove packages with apt.
///
/// Nothing but `apt-get`, `apt-cache` and dpkg is needed on the host. A name that another installed package provides
/// counts as installed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an argument of its own")]
pub struct Args {
    /// Packages: `nginx`, with a version `nginx=1.22*` or `nginx>=1.18`, or a pattern `php8.2-*`.
    #[serde(default, alias = "pkg", alias = "package")]
    #[schemars(extend("x-aliases" = ["pkg", "package"]))]
    name: Vec<String>,
    /// What is wanted.
    #[serde(default)]
    state: State,
    /// Update the package lists first. On by itself when `cache_valid_time` is given.
    #[serde(default, alias = "update-cache")]
    #[schemars(extend("x-aliases" = ["update-cache"]))]
    update_cache: Option<bool>,
    /// Update the package lists only if they are older than so many seconds.
    #[serde(default)]
    cache_valid_time: u64,
    /// How often to try again if the update fails.
    #[serde(default = "five")]
    update_cache_retries: u32,
    /// The longest pause, in seconds, between two tries; the pauses double from one second on.
    #[serde(default = "twelve")]
    update_cache_retry_max_delay: u64,
    /// Upgrade all packages.
    #[serde(default)]
    upgrade: Upgrade,
    /// A package file on the host, or its URL.
    #[serde(default)]
    deb: Option<String>,
    /// With `state: absent` remove configuration files too.
    #[serde(default)]
    purge: bool,
    /// Remove packages that were only installed as dependencies and are no longer needed.
    #[serde(default)]
    autoremove: bool,
    /// Remove downloaded package files that can no longer be downloaded.
    #[serde(default)]
    autoclean: bool,
    /// Remove all downloaded package files.
    #[serde(default)]
    clean: bool,
    /// The release to install from (`bookworm-backports`).
    #[serde(default, alias = "default-release")]
    #[schemars(extend("x-aliases" = ["default-release"]))]
    default_release: Option<String>,
    /// Install what packages recommend. Without it the host's own setting counts.
    #[serde(default, alias = "install-recommends")]
    #[schemars(extend("x-aliases" = ["install-recommends"]))]
    install_recommends: Option<bool>,
    /// Allow everything that apt-get refuses: downgrades, removal of essential packages, unauthenticated packages.
    #[serde(default)]
    force: bool,
    /// Accept packages whose origin can't be verified.
    #[serde(default, alias = "allow-unauthenticated")]
    #[schemars(extend("x-aliases" = ["allow-unauthenticated"]))]
    allow_unauthenticated: bool,
    /// Allow an older version than the installed one.
    #[serde(default, alias = "allow-downgrade", alias = "allow_downgrades", alias = "allow-downgrades")]
    #[schemars(extend("x-aliases" = ["allow-downgrade", "allow_downgrades", "allow-downgrades"]))]
    allow_downgrade: bool,
    /// Allow changes of packages that are on hold.
    #[serde(default)]
    allow_change_held_packages: bool,
    /// Options for dpkg without their dashes.
    #[serde(default = "keep_old_configuration")]
    dpkg_options: Vec<String>,
    /// Upgrade packages that are installed, but install no others.
    #[serde(default)]
    only_upgrade: bool,
    /// Fail rather than remove any package.
    #[serde(default)]
    fail_on_autoremove: bool,
    /// While packages are installed, let `/usr/sbin/policy-rc.d` exit with this number; 101 keeps services from being
    /// started.
    #[serde(default)]
    policy_rc_d: Option<u8>,
    /// How many seconds to wait for another process that is changing packages.
    #[serde(default = "sixty")]
    lock_timeout: u64,
    /// Accepted and without effect: apt-get is always what runs.
    #[serde(default)]
    #[expect(dead_code, reason = "documented as without effect")]
    force_apt_get: bool,
}

/// What is wanted of packages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// Installed, in whatever version.
    #[default]
    #[serde(alias = "installed")]
    Present,
    /// Installed in the newest version.
    Latest,
    /// Not installed.
    #[serde(alias = "removed")]
    Absent,
    /// Installed is what is needed to build them.
    BuildDep,
    /// Installed, and broken dependencies repaired.
    Fixed,
}

/// How to upgrade everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Upgrade {
    /// Not at all.
    #[default]
    No,
    /// Without removing packages.
    Yes,
    /// Without removing packages.
    Safe,
    /// Removing packages where that is needed.
    Full,
    /// Removing packages where that is needed.
    Dist,
}

fn five() -> u32 {
    5
}

fn twelve() -> u64 {
    12
}

fn sixty() -> u64 {
    60
}

fn keep_old_configuration() -> Vec<String> {
    vec!["force-confdef".into(), "force-confold".into()]
}

/// What to do, in this order.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// Update the package lists; the rest is then decided again.
    refresh: bool,
    steps: Vec<Step>,
    /// One line for each thing that comes (`+`) or goes (`-`), as far as it is known.
    lines: Vec<String>,
}

impl Plan {
    /// One line for each package that comes or goes.
    pub(super) fn diff(&self) -> Vec<Diff> {
        let text: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        if text.is_empty() { Vec::new() } else { vec![Diff { prepared: Some(text), ..Diff::default() }] }
    }
}

/// One call of apt-get.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// The verb and its words.
    Call(Vec<String>),
    /// The package file, which may have to be downloaded.
    File(String),
}

impl Step {
    fn call(words: &[&str], names: Vec<String>) -> Step {
        Step::Call(words.iter().map(|word| (*word).to_owned()).chain(names).collect())
    }
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Install nginx, with package lists that are at most an hour old
  apt:
    name: nginx
    update_cache: true
    cache_valid_time: 3600

- name: Install several packages, one in a given version
  apt:
    name: [curl, git=1:2.39*]

- name: Remove a package and its configuration
  apt:
    name: telnet
    state: absent
    purge: true

- name: Upgrade everything
  apt:
    upgrade: dist

- name: Install a package file
  apt:
    deb: /tmp/tool_1.0_amd64.deb
";
    const RETURNS: &'static str = "
cache_updated: Whether the package lists were updated.
cache_update_time: When they were last updated, in seconds since 1970.
stdout: What apt-get printed.
stderr: What apt-get complained about.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if self.upgrade != Upgrade::No && (!self.name.is_empty() || self.deb.is_some()) {
            return Err(Fail::new("upgrade can't be combined with name or deb"));
        }
        if self.deb.is_some() && !self.name.is_empty() {
            return Err(Fail::new("deb can't be combined with name"));
        }
        let refresh = self.refresh_is_due(host)?;
        // Names that only new package lists know must not fail here.
        let (steps, lines) = match self.steps(host) {
            Err(_) if refresh => (Vec::new(), Vec::new()),
            other => other?,
        };
        Ok((refresh || !steps.is_empty()).then_some(Plan { refresh, steps, lines }))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(with_cache(Outcome::unchanged(), host, false))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        plan.diff()
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        let mut outcome = Outcome { changed: plan.refresh && self.only_refreshes(), ..Outcome::unchanged() };
        let mut output = String::new();
        for step in &plan.steps {
            match step {
                Step::Call(words) => {
                    let cmd = self.apt_get().arg("--simulate").args(words.iter());
                    let ran = host.query(&cmd)?;
                    if !ran.ok() {
                        return Err(failure(&cmd, &ran));
                    }
                    outcome.changed |= changes(&ran.out());
                    output.push_str(&ran.out());
                }
                Step::File(_) => outcome.changed = true,
            }
        }
        Ok(with_cache(outcome.with("stdout", output).with("stderr", ""), host, plan.refresh))
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let mut refreshed = false;
        let mut steps = plan.steps;
        if plan.refresh {
            let before = cache_time(host.as_look());
            self.refresh(host)?;
            refreshed = cache_time(host.as_look()) != before;
            steps = self.steps(host.as_look())?.0;
        }
        let mut outcome = Outcome { changed: refreshed && self.only_refreshes(), ..Outcome::default() };
        let (mut stdout, mut stderr) = (String::new(), String::new());
        let kept = self.policy_rc_d.map(|code| hold_services(host, code)).transpose()?;
        let done: Result<(), Fail> = steps.iter().try_for_each(|step| {
            let ran = match step {
                Step::Call(words) => Some(self.run(host, &self.apt_get().args(words.iter()))?),
                Step::File(file) => self.install_file(host, file)?,
            };
            if let Some(ran) = ran {
                outcome.changed |= changes(&ran.out());
                stdout.push_str(&ran.out());
                stderr.push_str(&ran.err());
            }
            Ok(())
        });
        if let Some(kept) = kept {
            release_services(host, kept)?;
        }
        done?;
        Ok(with_cache(outcome.with("stdout", stdout).with("stderr", stderr), host.as_look(), refreshed))
    }
}

/// When the package lists were last updated, in seconds since 1970.
fn cache_time(host: &dyn Look) -> Option<u64> {
    let time = |path: &str| {
        let stat = host.stat(Path::new(path), true).ok().flatten()?;
        Duration::try_from_secs_f64(stat.mtime).ok().map(|it| it.as_secs())
    };
    time("/var/lib/apt/periodic/update-success-stamp").or_else(|| time("/var/lib/apt/lists"))
}

fn with_cache(outcome: Outcome, host: &dyn Look, updated: bool) -> Outcome {
    let time = cache_time(host).unwrap_or(0);
    outcome.with("cache_updated", updated).with("cache_update_time", time)
}

fn has_downloads(host: &dyn Look) -> bool {
    let names = |path: &str| host.list(Path::new(path)).unwrap_or_default();
    names("/var/cache/apt/archives").iter().any(|name| name.to_string_lossy().ends_with(".deb"))
        || !names("/var/cache/apt/archives/partial").is_empty()
}

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Puts a policy in place that exits with `code`; returns what stood there.
fn hold_services(host: &mut dyn Touch, code: u8) -> Result<Option<(Vec<u8>, u32)>, Fail> {
    let path = Path::new(POLICY);
    let mode = host.stat(path, true)?.map_or(0o755, |stat| stat.mode);
    let kept = host.read(path)?.map(|contents| (contents, mode));
    let how = Write { mode: Some(0o755), ..Write::default() };
    host.write(path, format!("#!/bin/sh\nexit {code}\n").as_bytes(), &how)?;
    host.chmod(path, 0o755)?;
    Ok(kept)
}

fn release_services(host: &mut dyn Touch, kept: Option<(Vec<u8>, u32)>) -> Result<(), Fail> {
    let path = Path::new(POLICY);
    match kept {
        Some((contents, mode)) => {
            host.write(path, &contents, &Write { mode: Some(mode), ..Write::default() })?;
            host.chmod(path, mode)
        }
        None => host.remove_file(path),
    }
}

#[cfg(test)]
mod tests;
