//! `service_facts`: all services of a host and their states, as facts.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Cmd, Fail, Look, Map, Module, Outcome, Str, Support, Touch, Value};

/// Put all services of the host into the fact `services`.
///
/// Names of systemd's units have their ending: `services['ssh.service'].state`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {}

impl Module for Args {
    const SUPPORT: Support = Support::NO_DIFF;
    const EXAMPLES: &'static str = "
- name: Which services are there?
  service_facts:
";
    const RETURNS: &'static str =
        "ansible_facts: services, a mapping from a service's name to its name, state, status and source.";
    type Plan = ();

    fn plan(&self, _host: &dyn Look) -> Result<Option<()>, Fail> {
        Ok(None)
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let mut services = Map::new();
        init_scripts(host, &mut services)?;
        openrc(host, &mut services)?;
        systemd(host, &mut services)?;
        let mut outcome = Outcome::unchanged();
        outcome.facts.insert("services".into(), services.into());
        Ok(outcome)
    }

    fn apply(&self, (): (), host: &mut dyn Touch) -> Result<Outcome, Fail> {
        self.unchanged(host.as_look())
    }
}

fn ask(host: &dyn Look, words: &[&str]) -> Result<String, Fail> {
    let program = words.first().copied().unwrap_or_default();
    if host.which(program).is_none() {
        return Ok(String::new());
    }
    Ok(host.query(&Cmd::new(words.iter().copied()).env("LC_ALL", "C"))?.out())
}

fn put(services: &mut Map, name: &str, state: &str, status: Option<&str>, source: &str) {
    let mut fields = vec![("name", name), ("source", source), ("state", state)];
    fields.extend(status.map(|status| ("status", status)));
    services.insert(Str::from(name), Value::from_pairs(fields));
}

fn systemd(host: &dyn Look, services: &mut Map) -> Result<(), Fail> {
    if host.stat("/run/systemd/system".as_ref(), true)?.is_none() {
        return Ok(());
    }
    let front = ["systemctl", "--no-pager", "--no-legend", "--plain", "--all", "--type", "service"];
    let units = ask(host, &[&front[..], &["list-units"]].concat())?;
    let files = ask(host, &[&front[..], &["list-unit-files"]].concat())?;
    for line in units.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let [name, load, active, sub, ..] = words[..] else { continue };
        let state = if sub == "running" { "running" } else { "stopped" };
        let status = match (load, active) {
            ("not-found" | "masked", _) => load,
            (_, "failed") => active,
            _ => "unknown",
        };
        put(services, name, state, Some(status), "systemd");
    }
    for line in files.lines() {
        let mut words = line.split_whitespace();
        let (Some(name), Some(status)) = (words.next(), words.next()) else { continue };
        let known =
            services.get(name).filter(|it| it.get("source").and_then(Value::as_str) == Some("systemd"));
        match known {
            // A unit that nothing has loaded does nothing; of a template only instances can run.
            None => {
                let state = if name.contains("@.") { "unknown" } else { "inactive" };
                put(services, name, state, Some(status), "systemd");
            }
            Some(known) if known.get("status").and_then(Value::as_str) == Some("unknown") => {
                let state = known.get("state").and_then(Value::as_str).unwrap_or("unknown").to_owned();
                put(services, name, &state, Some(status), "systemd");
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// ` [ + ]  ssh`: the plus is a running service, the minus a stopped one.
fn init_scripts(host: &dyn Look, services: &mut Map) -> Result<(), Fail> {
    if host.stat("/etc/init.d".as_ref(), true)?.is_none() || host.which("rc-status").is_some() {
        return Ok(());
    }
    for line in ask(host, &["service", "--status-all"])?.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let ["[", sign, "]", name] = words[..] else { continue };
        let state = if sign == "+" { "running" } else { "stopped" };
        put(services, name, state, None, "sysv");
    }
    Ok(())
}

/// ` sshd     [  started  ]`.
fn openrc(host: &dyn Look, services: &mut Map) -> Result<(), Fail> {
    for line in ask(host, &["rc-status", "--nocolor", "--all"])?.lines() {
        let Some((name, state)) = line.split_once('[') else { continue };
        let state = state.split_whitespace().next().unwrap_or_default();
        let state = if state == "started" { "running" } else { state };
        put(services, name.trim(), state, None, "openrc");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::Map;
    use crate::modules::api::fake::FakeHost;

    fn services(host: FakeHost) -> Map {
        let mut host = host;
        host.play::<Args>("{}").unwrap().facts["services"].clone().into_map()
    }

    #[test]
    fn units_and_their_files_make_services() {
        let front = "systemctl --no-pager --no-legend --plain --all --type service";
        let found = services(
            FakeHost::new()
                .dir("/run/systemd/system")
                .answer(
                    &format!("{front} list-units"),
                    0,
                    "ssh.service loaded active running OpenSSH\nold.service not-found inactive dead old\n\
                     bad.service loaded failed failed Bad\nonce.service loaded active exited Once\n",
                )
                .answer(
                    &format!("{front} list-unit-files"),
                    0,
                    "ssh.service enabled enabled\nbad.service enabled enabled\nidle.service disabled enabled\ngetty@.service enabled enabled\n",
                ),
        );
        for (name, expected) in [
            ("ssh.service", "running enabled"),
            ("old.service", "stopped not-found"),
            ("bad.service", "stopped failed"),
            ("once.service", "stopped unknown"),
            ("idle.service", "inactive disabled"),
            ("getty@.service", "unknown enabled"),
        ] {
            let get = |field: &str| found[name].get(field).unwrap().to_string();
            assert_eq!(format!("{} {}", get("state"), get("status")), expected, "{name}");
        }
    }

    #[test]
    fn scripts_make_services() {
        let found = services(FakeHost::new().dir("/etc/init.d").answer(
            "service --status-all",
            0,
            " [ + ]  ssh\n [ - ]  x11\n [ ? ]  odd\n",
        ));
        assert_eq!(found["ssh"].to_string(), "{'name': 'ssh', 'source': 'sysv', 'state': 'running'}");
        assert_eq!(found.len(), 3);
        let found = services(FakeHost::new().answer(
            "rc-status",
            0,
            "Runlevel: default\n sshd   [  started  ]\n cron [ stopped ]\n",
        ));
        assert_eq!(found["sshd"].get("state").unwrap().as_str(), Some("running"));
        assert_eq!(found["cron"].get("state").unwrap().as_str(), Some("stopped"));
    }
}
