//! `timezone`: the host's time zone, and whether its hardware clock runs in UTC.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::facts::service_manager;
use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Touch, Value, Write};
use crate::modules::programs::program;

/// Set the host's time zone.
///
/// `/etc/localtime` becomes a link to the zone; `/etc/timezone` names it too where there is such a file. Programs that run
/// keep the old zone until they are started again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The zone, as `Europe/Berlin`. This or `hwclock` is required.
    #[serde(default)]
    name: Option<String>,
    /// What the hardware clock shows. Not in containers.
    #[serde(default, alias = "rtc")]
    #[schemars(extend("x-aliases" = ["rtc"]))]
    hwclock: Option<Clock>,
}

/// What a hardware clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
enum Clock {
    /// UTC.
    #[serde(rename = "UTC")]
    Utc,
    /// The time of the zone.
    #[serde(rename = "local")]
    Local,
}

impl Clock {
    fn word(self) -> &'static str {
        if self == Clock::Utc { "UTC" } else { "local" }
    }
}

const LOCALTIME: &str = "/etc/localtime";
const TIMEZONE: &str = "/etc/timezone";
const ZONES: &str = "/usr/share/zoneinfo";

/// What must change, with what it is now.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// The zone now; empty if unknown.
    zone: String,
    link: bool,
    named: bool,
    clock: Option<Clock>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Where we are
  timezone:
    name: Europe/Berlin

- name: As it should be
  timezone:
    name: UTC
    hwclock: UTC
";
    const RETURNS: &'static str = "
msg: What was done.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if self.name.is_none() && self.hwclock.is_none() {
            return Err(Fail::new("name or hwclock is required"));
        }
        let zone = zone(host)?;
        let mut plan = Plan { zone, link: false, named: false, clock: None };
        if let Some(name) = &self.name {
            let fits = |c: char| c.is_ascii_alphanumeric() || "_+-/".contains(c);
            if name.is_empty() || name.starts_with(['/', '-']) || !name.chars().all(fits) {
                return Err(Fail::new(format!("{name:?} is no name of a time zone")));
            }
            plan.link = linked(host)?.as_deref() != Some(name);
            plan.named = named(host)?.is_some_and(|it| it != *name);
        }
        if let Some(wanted) = self.hwclock {
            let text = host.read(Path::new("/etc/adjtime"))?.unwrap_or_default();
            let local =
                String::from_utf8_lossy(&text).lines().nth(2).is_some_and(|line| line.trim() == "LOCAL");
            plan.clock = Some(wanted).filter(|wanted| local != (*wanted == Clock::Local));
        }
        Ok((plan.link || plan.named || plan.clock.is_some()).then_some(plan))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let side = |zone: &str, clock: Option<Clock>| {
            let zone = self.name.as_ref().map(|_| ("name", Value::from(zone)));
            let clock = clock.map(|clock| ("hwclock", clock.word().into()));
            Value::from_pairs(zone.into_iter().chain(clock))
        };
        let other = plan.clock.map(|clock| if clock == Clock::Utc { Clock::Local } else { Clock::Utc });
        let (before, after) =
            (side(&plan.zone, other), side(self.name.as_deref().unwrap_or_default(), plan.clock));
        vec![Diff { before, after, ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let mut done = Vec::new();
        if let Some(name) = self.name.as_ref().filter(|_| plan.link || plan.named) {
            let file = Path::new(ZONES).join(name);
            if host.stat(&file, true)?.is_none_or(|stat| stat.kind != crate::modules::api::FileKind::File) {
                return Err(Fail::new(format!(
                    "there is no time zone {name} in {ZONES}: is it written so, and is the package tzdata installed?"
                )));
            }
            if plan.link {
                host.symlink(&file, Path::new(LOCALTIME), true)?;
            }
            if plan.named {
                host.write(Path::new(TIMEZONE), format!("{name}\n").as_bytes(), &Write::default())?;
            }
            done.push(format!("the time zone is {name}"));
        }
        if let Some(clock) = plan.clock {
            let cmd = if service_manager(host.as_look()) == "systemd" && host.which("timedatectl").is_some() {
                let local = if clock == Clock::Local { "1" } else { "0" };
                program(host.as_look(), "timedatectl", "systemd")?.args(["set-local-rtc", local])
            } else {
                let option = if clock == Clock::Local { "--localtime" } else { "--utc" };
                program(host.as_look(), "hwclock", "util-linux-extra (or util-linux)")?
                    .args(["--systohc", option])
            };
            host.run(&cmd)?.success("setting the hardware clock")?;
            done.push(format!("the hardware clock shows {}", clock.word()));
        }
        Ok(Outcome::changed().with("msg", done.join(", ")))
    }
}

/// The zone that `/etc/localtime` leads to.
fn linked(host: &dyn Look) -> Result<Option<String>, Fail> {
    let path = Path::new(LOCALTIME);
    let link =
        host.stat(path, false)?.is_some_and(|stat| stat.kind == crate::modules::api::FileKind::Symlink);
    if !link {
        return Ok(None);
    }
    let target = host.read_link(path)?.to_string_lossy().into_owned();
    Ok(target.split_once("zoneinfo/").map(|(_, name)| name.to_owned()))
}

/// The zone in `/etc/timezone`; none if there is no such file.
fn named(host: &dyn Look) -> Result<Option<String>, Fail> {
    let text = host.read(Path::new(TIMEZONE))?;
    Ok(text.map(|text| String::from_utf8_lossy(&text).trim().to_owned()))
}

fn zone(host: &dyn Look) -> Result<String, Fail> {
    Ok(linked(host)?.or(named(host)?).unwrap_or_default())
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;
    use crate::modules::api::{Look, Ran};

    fn host() -> FakeHost {
        FakeHost::new()
            .file("/usr/share/zoneinfo/Europe/Berlin", "TZif")
            .file("/usr/share/zoneinfo/Etc/UTC", "TZif")
            .link("/etc/localtime", "../usr/share/zoneinfo/Etc/UTC")
    }

    #[test]
    fn the_zone_is_set_in_both_places() {
        let mut debian = host().file("/etc/timezone", "Etc/UTC\n");
        let outcome = debian.converge::<Args>("name: Europe/Berlin");
        let target = debian.read_link("/etc/localtime".as_ref()).unwrap();
        assert_eq!(target.to_str(), Some("/usr/share/zoneinfo/Europe/Berlin"));
        assert_eq!(debian.text("/etc/timezone"), "Europe/Berlin\n");
        assert_eq!(outcome.diff[0].before.to_string(), "{'name': 'Etc/UTC'}");
        let mut other = host();
        other.converge::<Args>("name: Europe/Berlin");
        assert!(!other.has("/etc/timezone"));
        assert!(!host().play::<Args>("name: Etc/UTC").unwrap().changed);
        // A file that names another zone is put right.
        host().file("/etc/timezone", "Europe/Paris\n").converge::<Args>("name: Etc/UTC");
    }

    #[test]
    fn the_hardware_clock_is_set() {
        let local = |host: FakeHost, line: &str| {
            host.answer_with(
                line,
                Ran::default(),
                Some(Box::new(|host| {
                    *host = std::mem::take(host).file("/etc/adjtime", "0.0 0 0\n0\nLOCAL\n");
                })),
            )
        };
        let mut plain = local(host(), "hwclock --systohc --localtime");
        plain.converge::<Args>("rtc: local");
        let mut systemd = local(host().file("/proc/1/comm", "systemd\n"), "timedatectl set-local-rtc 1");
        systemd.converge::<Args>("hwclock: local");
        assert!(!host().play::<Args>("hwclock: UTC").unwrap().changed);
        assert!(host().play::<Args>("hwclock: local").unwrap_err().msg.contains("hwclock"));
    }

    #[test]
    fn zones_that_are_none_are_refused() {
        for args in
            ["{}", "name: ../x", "name: ''", "name: /etc/passwd", "name: Mars/Olympus", "name: Europe"]
        {
            assert!(host().play::<Args>(args).is_err(), "{args}");
        }
        assert!(host().check::<Args>("name: Mars/Olympus").unwrap().changed);
    }
}
