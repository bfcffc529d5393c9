//! Services without systemd: OpenRC's tools, and init scripts with what links them into runlevels.

use std::path::Path;
use std::time::Duration;

use crate::modules::api::{Cmd, Diff, Fail, Look, Touch, Value};
use crate::modules::services::systemd::unit::State;

/// Whose scripts they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    /// `rc-service` and `rc-update`.
    OpenRc,
    /// `service` or the script itself; `update-rc.d` or `chkconfig`.
    Init,
}

/// What is wanted of a service.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub script: Script,
    pub name: &'a str,
    pub state: Option<State>,
    pub enabled: Option<bool>,
    pub sleep: Option<u64>,
    pub pattern: Option<&'a str>,
    pub runlevel: &'a str,
    pub arguments: &'a str,
}

/// Commands in order, some with a pause after them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    steps: Vec<(Cmd, Duration)>,
    changes: Vec<Change>,
}

/// What changes, before and after.
type Change = (&'static str, String, String);

impl Plan {
    pub fn apply(self, name: &str, host: &mut dyn Touch) -> Result<(), Fail> {
        for (cmd, pause) in self.steps {
            host.run(&cmd)?.success(&format!("{} of the service {name}", cmd.display()))?;
            std::thread::sleep(pause);
        }
        Ok(())
    }

    pub fn diff(&self) -> Vec<Diff> {
        let side = |of: fn(&Change) -> &String| {
            Value::from_pairs(self.changes.iter().map(|it| (it.0, of(it).as_str())))
        };
        vec![Diff { before: side(|it| &it.1), after: side(|it| &it.2), ..Diff::default() }]
    }
}

impl Wanted<'_> {
    /// # Errors
    /// No such service, or nothing that could enable it.
    pub fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if host.stat(&Path::new("/etc/init.d").join(self.name), true)?.is_none() {
            return Err(Fail::new(format!("Could not find the requested service {}: host", self.name)));
        }
        let mut plan = Plan::default();
        if let Some(wanted) = self.enabled {
            let enabled = self.is_enabled(host)?;
            if enabled != wanted {
                plan.steps.push((self.enabling(host, wanted)?, Duration::ZERO));
                plan.changes.push(("enabled", enabled.to_string(), wanted.to_string()));
            }
        }
        if let Some(state) = self.state {
            let running = self.is_running(host)?;
            let verbs: &[&str] = match state {
                State::Started if running => &[],
                State::Stopped if !running => &[],
                State::Reloaded if running => &["reload"],
                State::Started | State::Reloaded => &["start"],
                State::Stopped => &["stop"],
                State::Restarted if self.sleep.is_some() => &["stop", "start"],
                State::Restarted => &["restart"],
            };
            for verb in verbs {
                let pause = if *verb == "stop" && verbs.len() > 1 { self.sleep.unwrap_or(0) } else { 0 };
                plan.steps.push((self.call(host, verb), Duration::from_secs(pause)));
            }
            if !verbs.is_empty() {
                let before = if running { "started" } else { "stopped" };
                plan.changes.push(("state", before.to_owned(), state.name().to_owned()));
            }
        }
        Ok((!plan.steps.is_empty()).then_some(plan))
    }

    fn call(&self, host: &dyn Look, verb: &str) -> Cmd {
        let cmd = match self.script {
            Script::OpenRc => Cmd::new(["rc-service", self.name, verb]),
            Script::Init if host.which("service").is_some() => Cmd::new(["service", self.name, verb]),
            Script::Init => Cmd::new([format!("/etc/init.d/{}", self.name).as_str(), verb]),
        };
        cmd.args(self.arguments.split_whitespace()).env("LC_ALL", "C")
    }

    fn is_running(&self, host: &dyn Look) -> Result<bool, Fail> {
        if let Some(pattern) = self.pattern {
            return Ok(has_process(host, pattern));
        }
        let ran = host.query(&self.call(host, "status"))?;
        // The exit codes of LSB, which not all scripts keep: then the words decide.
        let said = format!("{}{}", ran.out(), ran.err()).to_lowercase();
        Ok(match ran.rc {
            0 => !["not running", "is stopped", "status: stopped", "is dead"]
                .iter()
                .any(|it| said.contains(it)),
            1..=4 | 32 => false,
            _ => said.contains("running") && !said.contains("not running"),
        })
    }

    fn is_enabled(&self, host: &dyn Look) -> Result<bool, Fail> {
        if self.script == Script::OpenRc {
            let link = Path::new("/etc/runlevels").join(self.runlevel).join(self.name);
            return Ok(host.stat(&link, false)?.is_some());
        }
        // Enabled: a link that starts it in one of the levels a host runs in.
        let started = |level: u8| {
            ["/etc", "/etc/rc.d"].iter().any(|base| {
                let names = host.list(Path::new(&format!("{base}/rc{level}.d"))).unwrap_or_default();
                names.iter().any(|link| {
                    let link = link.to_string_lossy();
                    let number = link.strip_prefix('S').and_then(|rest| rest.strip_suffix(self.name));
                    number.is_some_and(|it| it.len() == 2 && it.bytes().all(|b| b.is_ascii_digit()))
                })
            })
        };
        Ok((2..=5).any(started))
    }

    fn enabling(&self, host: &dyn Look, wanted: bool) -> Result<Cmd, Fail> {
        if self.script == Script::OpenRc {
            let verb = if wanted { "add" } else { "del" };
            return Ok(Cmd::new(["rc-update", verb, self.name, self.runlevel]));
        }
        if host.which("update-rc.d").is_some() {
            // `defaults` makes links where there are none, `enable` turns those that stop into those that start.
            let linked = ["/etc/rc2.d", "/etc/rc3.d", "/etc/rc0.d"].iter().any(|folder| {
                let names = host.list(Path::new(folder)).unwrap_or_default();
                names.iter().any(|link| link.to_string_lossy().get(3..) == Some(self.name))
            });
            let verb = match (wanted, linked) {
                (false, _) => "disable",
                (true, true) => "enable",
                (true, false) => "defaults",
            };
            return Ok(Cmd::new(["update-rc.d", self.name, verb]).env("LC_ALL", "C"));
        }
        if host.which("chkconfig").is_some() {
            return Ok(Cmd::new(["chkconfig", self.name, if wanted { "on" } else { "off" }]));
        }
        Err(Fail::new(format!(
            "the service {} can't be enabled or disabled: there is neither update-rc.d nor chkconfig",
            self.name
        )))
    }
}

/// Whether a process has a text in its command line.
fn has_process(host: &dyn Look, pattern: &str) -> bool {
    let names = host.list(Path::new("/proc")).unwrap_or_default();
    let own = std::process::id().to_string();
    names
        .iter()
        .filter_map(|name| name.to_str())
        .filter(|name| name.bytes().all(|b| b.is_ascii_digit()) && *name != own)
        .filter_map(|pid| host.read(Path::new(&format!("/proc/{pid}/cmdline"))).ok().flatten())
        .any(|line| String::from_utf8_lossy(&line).replace('\0', " ").contains(pattern))
}
