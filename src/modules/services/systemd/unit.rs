//! Units as systemctl shows and changes them; shared by `systemd` and `service`.

use crate::modules::api::{Cmd, Diff, Fail, Look, Map, Outcome, Str, Touch, Value};
use schemars::JsonSchema;
use serde::Deserialize;

/// Which systemd is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::modules) enum Scope {
    /// The host's own.
    #[default]
    System,
    /// That of the user who runs the task.
    User,
    /// Settings for the ones of all users.
    Global,
}

/// What a service is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::modules) enum State {
    /// Be running.
    #[serde(alias = "running")]
    Started,
    /// Not be running.
    Stopped,
    /// Be stopped and started again, in any case.
    Restarted,
    /// Read its configuration again; be started if it is not running.
    Reloaded,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Started => "started",
            State::Stopped => "stopped",
            State::Restarted => "restarted",
            State::Reloaded => "reloaded",
        }
    }
}

/// What is wanted of a unit.
#[derive(Clone, Debug, Default)]
pub(in crate::modules) struct Wanted {
    pub name: Option<String>,
    pub state: Option<State>,
    pub enabled: Option<bool>,
    pub masked: Option<bool>,
    pub daemon_reload: bool,
    pub daemon_reexec: bool,
    pub scope: Scope,
    pub no_block: bool,
    pub force: bool,
}

/// What must be done, and what was seen.
#[derive(Debug, Default)]
pub(in crate::modules) struct Plan {
    steps: Vec<Step>,
    status: Map,
    warnings: Vec<String>,
}

/// One call of systemctl.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    verb: &'static str,
    /// What it is about, before and after.
    change: (&'static str, String, String),
}

/// What `systemctl show` says, or that nobody is there to say it.
enum Seen {
    Status(Map),
    /// In a chroot or an image that is being built, systemctl only moves links.
    Offline,
}

impl Wanted {
    /// Looks at the unit. Without a name only the daemon itself is told something.
    ///
    /// # Errors
    /// No such unit, no systemd.
    pub fn plan(&self, host: &dyn Look) -> Result<Plan, Fail> {
        if self.name.is_none() && (self.state.is_some() || self.enabled.is_some() || self.masked.is_some()) {
            return Err(Fail::new("name is required when state, enabled or masked is given"));
        }
        match self.steps(host) {
            // What is not there yet may be there once the unit files are read again.
            Err(_) if self.daemon_reload || self.daemon_reexec => Ok(Plan::default()),
            other => other,
        }
    }

    /// Does what the plan says; reads the unit files again first, if that is wanted, and then looks once more.
    ///
    /// # Errors
    /// What systemctl says.
    pub fn apply(&self, mut plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        for (wanted, verb) in [(self.daemon_reexec, "daemon-reexec"), (self.daemon_reload, "daemon-reload")] {
            if !wanted {
                continue;
            }
            let ran = host.run(&self.systemctl(&[verb]))?;
            if !ran.ok() && !is_offline(&format!("{}{}", ran.out(), ran.err())) {
                return Err(Fail::new(format!("failure {} during {verb}: {}", ran.rc, ran.err().trim()))
                    .with("rc", ran.rc));
            }
        }
        if self.daemon_reexec || self.daemon_reload {
            plan = self.steps(host.as_look())?;
        }
        for step in &plan.steps {
            let name = self.name.as_deref().unwrap_or_default();
            let mut words = vec![step.verb];
            if self.force && ["enable", "disable", "mask", "unmask"].contains(&step.verb) {
                words.push("--force");
            }
            words.extend(["--", name]);
            host.run(&self.systemctl(&words))?
                .success(&format!("Unable to {} service {name}: systemctl", step.verb))
                .map_err(|fail| Fail { msg: fail.msg.replace(": systemctl failed", ""), ..fail })?;
        }
        let changed = !plan.steps.is_empty();
        Ok(self.outcome(&plan, changed))
    }

    /// The result for check mode.
    pub fn predicted(&self, plan: &Plan) -> Outcome {
        self.outcome(plan, !plan.steps.is_empty())
    }

    fn outcome(&self, plan: &Plan, changed: bool) -> Outcome {
        let mut outcome = Outcome { changed, warnings: plan.warnings.clone(), ..Outcome::default() };
        outcome = outcome.with("name", self.name.clone()).with("status", plan.status.clone());
        if let Some(state) = self.state {
            let state = if state == State::Stopped { "stopped" } else { "started" };
            outcome = outcome.with("state", state);
        }
        if let Some(enabled) = self.enabled {
            outcome = outcome.with("enabled", enabled);
        }
        outcome
    }

    fn systemctl(&self, words: &[&str]) -> Cmd {
        let mut cmd = Cmd::new(["systemctl"]).env("LC_ALL", "C").env("LANG", "C");
        match self.scope {
            Scope::System => {}
            Scope::User => cmd = cmd.arg("--user"),
            Scope::Global => cmd = cmd.arg("--global"),
        }
        if self.no_block {
            cmd = cmd.arg("--no-block");
        }
        cmd.args(words.iter().copied())
    }

    fn steps(&self, host: &dyn Look) -> Result<Plan, Fail> {
        let mut plan = Plan::default();
        let Some(name) = &self.name else { return Ok(plan) };
        if let Some(c) = name.chars().find(|c| "*?[".contains(*c)) {
            return Err(Fail::new(format!("patterns are not taken here, but the name {name} has a {c:?}")));
        }
        // A template (`getty@`) is no unit that runs: it can be enabled and masked only.
        let bare = name.strip_suffix(".service").unwrap_or(name);
        let template = bare.ends_with('@');
        if template && self.state.is_some() {
            return Err(Fail::new(format!("{name} is a template: name an instance of it, as in {bare}NAME")));
        }
        let seen =
            if template || self.scope == Scope::Global { Seen::Offline } else { self.show(host, name)? };
        match &seen {
            Seen::Status(status) => plan.status = status.clone(),
            Seen::Offline if self.state.is_some() => plan.warnings.push(
                "Target is a chroot or systemd is offline: services can be enabled and masked, but not started \
                 or stopped."
                    .to_owned(),
            ),
            Seen::Offline => {}
        }
        let load = plan.status.get("LoadState").and_then(Value::as_str).unwrap_or_default().to_owned();
        let missing =
            matches!(load.as_str(), "not-found" | "bad-setting" | "error") && self.masked != Some(true);
        if missing {
            return Err(missing_unit(name, &load, &plan.status));
        }
        self.mask_step(host, name, &load, &mut plan)?;
        self.enable_step(host, name, &mut plan)?;
        if let Seen::Status(status) = seen {
            self.state_step(&status, &mut plan);
        }
        Ok(plan)
    }

    fn mask_step(&self, host: &dyn Look, name: &str, load: &str, plan: &mut Plan) -> Result<(), Fail> {
        let Some(wanted) = self.masked else { return Ok(()) };
        let masked = load == "masked" || (load.is_empty() && self.is_enabled(host, name)?.1 == "masked");
        if masked != wanted {
            let verb = if wanted { "mask" } else { "unmask" };
            plan.steps.push(Step { verb, change: ("masked", masked.to_string(), wanted.to_string()) });
        }
        Ok(())
    }

    fn enable_step(&self, host: &dyn Look, name: &str, plan: &mut Plan) -> Result<(), Fail> {
        let Some(wanted) = self.enabled else { return Ok(()) };
        let (ok, word) = self.is_enabled(host, name)?;
        // `indirect`: only what it pulls in is enabled. `alias`: enabled under another name.
        let enabled = ok && word != "indirect";
        if enabled != wanted {
            let verb = if wanted { "enable" } else { "disable" };
            plan.steps.push(Step { verb, change: ("enabled", enabled.to_string(), wanted.to_string()) });
        }
        Ok(())
    }

    fn state_step(&self, status: &Map, plan: &mut Plan) {
        let Some(state) = self.state else { return };
        let active = status.get("ActiveState").and_then(Value::as_str).unwrap_or_default();
        let running = matches!(active, "active" | "activating" | "reloading" | "refreshing");
        let verb = match state {
            State::Started if running => return,
            State::Stopped if !running && active != "deactivating" => return,
            State::Reloaded if running => "reload",
            State::Started | State::Reloaded => "start",
            State::Stopped => "stop",
            State::Restarted => "restart",
        };
        let before = if running { "started" } else { "stopped" };
        plan.steps.push(Step { verb, change: ("state", before.to_owned(), state.name().to_owned()) });
    }

    /// Whether `systemctl is-enabled` says yes, and its word.
    fn is_enabled(&self, host: &dyn Look, name: &str) -> Result<(bool, String), Fail> {
        let ran = host.query(&self.systemctl(&["is-enabled", "--", name]))?;
        Ok((ran.ok(), ran.out().trim().to_owned()))
    }

    fn show(&self, host: &dyn Look, name: &str) -> Result<Seen, Fail> {
        let ran = host.query(&self.systemctl(&["show", "--", name]))?;
        let text = ran.out();
        if ran.ok() && text.contains('=') {
            return Ok(Seen::Status(properties(&text)));
        }
        let said = format!("{text}{}", ran.err());
        if is_offline(&said) {
            return Ok(Seen::Offline);
        }
        Err(Fail::new(format!("Service is in unknown state: systemctl says of {name}: {}", said.trim()))
            .with("rc", ran.rc)
            .with("stderr", ran.err()))
    }
}

/// Whether systemctl says that no systemd is there to talk to.
fn is_offline(said: &str) -> bool {
    let said = said.to_lowercase();
    ["ignoring command", "ignoring request", "not been booted with systemd", "running in chroot"]
        .iter()
        .any(|words| said.contains(words))
}

fn missing_unit(name: &str, load: &str, status: &Map) -> Fail {
    let why = status.get("LoadError").and_then(Value::as_str).unwrap_or_default();
    if load == "not-found" {
        return Fail::new(format!("Could not find the requested service {name}: host"));
    }
    Fail::new(format!("Error loading unit file '{name}': {load} {why}"))
}

/// The lines `Key=value`; a value may go on over several lines.
fn properties(text: &str) -> Map {
    let mut map = Map::new();
    let mut last: Option<Str> = None;
    for line in text.lines() {
        let key = line.split_once('=').filter(|(key, _)| {
            key.starts_with(|c: char| c.is_ascii_uppercase())
                && key.chars().all(|c| c.is_ascii_alphanumeric())
        });
        match (key, &last) {
            (Some((key, value)), _) => {
                let key = Str::from(key);
                last = Some(Str::clone(&key));
                // A key that comes again (`ExecStart`) adds a line.
                let value = match map.get(&key).and_then(Value::as_str) {
                    Some(before) => format!("{before}\n{value}"),
                    None => value.to_owned(),
                };
                map.insert(key, value.into());
            }
            (None, Some(key)) => {
                let before = map.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
                map.insert(Str::clone(key), format!("{before}\n{line}").into());
            }
            (None, None) => {}
        }
    }
    map
}

impl Plan {
    /// Before and after of what changes.
    pub fn diff(&self) -> Vec<Diff> {
        if self.steps.is_empty() {
            return Vec::new();
        }
        let before = Value::from_pairs(self.steps.iter().map(|it| (it.change.0, it.change.1.as_str())));
        let after = Value::from_pairs(self.steps.iter().map(|it| (it.change.0, it.change.2.as_str())));
        vec![Diff { before, after, ..Diff::default() }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_may_have_several_lines() {
        let text = "Id=a.service\nExecStart={ path=/a ; argv[]=/a x=1 }\nDescription=A\nsecond line\nExecStart={ b }\n";
        let found = properties(text);
        assert_eq!(found["Description"].as_str(), Some("A\nsecond line"));
        assert_eq!(found["ExecStart"].as_str(), Some("{ path=/a ; argv[]=/a x=1 }\n{ b }"));
    }

    #[test]
    fn systemctl_without_systemd_is_known_by_its_words() {
        for said in [
            "Running in chroot, ignoring command 'show'\n",
            "System has not been booted with systemd as init system (PID 1). Can't operate.",
        ] {
            assert!(is_offline(said), "{said}");
        }
        assert!(!is_offline("Failed to get properties: Access denied"));
    }
}
