//! `seport`: which type of SELinux a port has.

use schemars::JsonSchema;
use serde::Deserialize;

use super::seboolean::is_enabled;
use crate::modules::api::{Cmd, Diff, Fail, Look, Module, Outcome, Touch};

/// Give ports a type of SELinux.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The ports: numbers, or ranges of them (`10000-10100`).
    ports: Vec<String>,
    /// Their protocol.
    proto: Proto,
    /// The type (`http_port_t`).
    setype: String,
    /// Whether they have it.
    #[serde(default)]
    state: State,
    /// Let the kernel know at once.
    #[serde(default = "yes")]
    reload: bool,
    /// Do it even where SELinux is off.
    #[serde(default)]
    ignore_selinux_state: bool,
    /// Look only at what was changed on this host.
    #[serde(default)]
    local: bool,
}

/// A protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Proto {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
    /// DCCP.
    Dccp,
}

/// Whether ports have a type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// They have it.
    #[default]
    Present,
    /// They do not.
    Absent,
}

fn yes() -> bool {
    true
}

/// The words of `semanage port` for each port that is not right.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    steps: Vec<(&'static str, String)>,
}

/// A line of `semanage port -l`.
struct Line {
    setype: String,
    ports: Vec<(u32, u32)>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: The web server may listen on another port
  seport:
    ports: 8888
    proto: tcp
    setype: http_port_t

- name: No longer
  seport:
    ports: [8888, 9000-9010]
    proto: tcp
    setype: http_port_t
    state: absent
";
    const RETURNS: &'static str = "
ports: The ports.
proto: Their protocol.
setype: The type.
state: Whether they have it.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if self.setype.is_empty() || self.setype.starts_with('-') {
            return Err(Fail::new(format!("{:?} is no type of SELinux", self.setype)));
        }
        if !self.ignore_selinux_state && !is_enabled(host)? {
            return Err(Fail::new("SELinux is disabled on this host."));
        }
        if host.which("semanage").is_none() {
            return Err(Fail::new("there is no semanage on the host: install policycoreutils-python-utils"));
        }
        let (all, own) = (self.list(host, self.local)?, self.list(host, true)?);
        let mut steps = Vec::new();
        for text in &self.ports {
            let range = range(text)
                .ok_or_else(|| Fail::new(format!("ports: {text:?} is no port and no range of ports")))?;
            let has = |line: &&Line| line.ports.contains(&range);
            let covers =
                |line: &&Line| line.ports.iter().any(|(first, last)| *first <= range.0 && range.1 <= *last);
            let step = match self.state {
                State::Present if all.iter().filter(covers).any(|line| line.setype == self.setype) => None,
                State::Present => Some(if all.iter().any(|line| has(&line)) { "-m" } else { "-a" }),
                State::Absent => {
                    own.iter().filter(has).any(|line| line.setype == self.setype).then_some("-d")
                }
            };
            steps.extend(step.map(|step| (step, written(range))));
        }
        Ok((!steps.is_empty()).then_some(Plan { steps }))
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::unchanged()))
    }

    fn predicted(&self, _plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::changed()))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let line = |(step, port): &(&str, String)| {
            let sign = if *step == "-d" { "-" } else { "+" };
            format!("{sign}{port} {} {}\n", self.proto(), self.setype)
        };
        let prepared = Some(plan.steps.iter().map(line).collect());
        vec![Diff { prepared, ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        for (step, port) in plan.steps {
            let mut cmd = Cmd::new(["semanage", "port", step]);
            if !self.reload {
                cmd = cmd.arg("-N");
            }
            if step != "-d" {
                cmd = cmd.args(["-t", &self.setype]);
            }
            host.run(&cmd.args(["-p", self.proto(), &port]))?.success("semanage port")?;
        }
        Ok(self.describe(Outcome::changed()))
    }
}

impl Args {
    fn proto(&self) -> &'static str {
        match self.proto {
            Proto::Tcp => "tcp",
            Proto::Udp => "udp",
            Proto::Sctp => "sctp",
            Proto::Dccp => "dccp",
        }
    }

    fn list(&self, host: &dyn Look, own: bool) -> Result<Vec<Line>, Fail> {
        let mut cmd = Cmd::new(["semanage", "port", "-l", "-n"]);
        if own {
            cmd = cmd.arg("-C");
        }
        let text = host.query(&cmd)?.success("semanage port")?.out();
        // http_port_t                    tcp      80, 81, 443, 8008-8010
        let lines = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let (setype, proto) = (words.next()?, words.next()?);
            let ports = words.filter_map(|word| range(word.trim_end_matches(','))).collect();
            (proto == self.proto()).then(|| Line { setype: setype.to_owned(), ports })
        });
        Ok(lines.collect())
    }

    fn describe(&self, outcome: Outcome) -> Outcome {
        outcome
            .with("ports", self.ports.clone())
            .with("proto", self.proto())
            .with("setype", self.setype.as_str())
            .with("state", if self.state == State::Present { "present" } else { "absent" })
    }
}

/// First and last port.
fn range(text: &str) -> Option<(u32, u32)> {
    let (first, last) = text.trim().split_once('-').unwrap_or((text.trim(), text.trim()));
    let port = |text: &str| text.trim().parse::<u16>().ok().map(u32::from);
    Some((port(first)?, port(last)?)).filter(|(first, last)| first <= last)
}

fn written((first, last): (u32, u32)) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    const ALL: &str =
        "http_port_t    tcp   8888, 80, 9000-9010\nhttp_port_t   udp   1\nssh_port_t    tcp   22\n";
    const OWN: &str = "http_port_t    tcp   8888\n";

    fn host() -> FakeHost {
        FakeHost::new()
            .answer("getenforce", 0, "Enforcing\n")
            .answer("semanage port -l -n", 0, ALL)
            .answer("semanage port -l -n -C", 0, OWN)
            .answer("semanage port", 0, "")
    }

    #[test]
    fn ports_get_and_lose_their_type() {
        for (args, ran) in [
            ("ports: 81", vec!["semanage port -a -t http_port_t -p tcp 81"]),
            (
                "ports: '22, 80, 9005, 1000-1010', reload: false",
                vec![
                    "semanage port -m -N -t http_port_t -p tcp 22",
                    "semanage port -a -N -t http_port_t -p tcp 1000-1010",
                ],
            ),
            ("ports: [80, 9000-9010]", vec![]),
            ("ports: 8888, state: absent", vec!["semanage port -d -p tcp 8888"]),
            ("ports: [80, 22, 5], state: absent", vec![]),
            ("ports: 80, local: true", vec!["semanage port -a -t http_port_t -p tcp 80"]),
        ] {
            let mut host = host();
            let args = format!("{{proto: tcp, setype: http_port_t, {args}}}");
            assert_eq!(host.check::<Args>(&args).unwrap().changed, !ran.is_empty(), "{args}");
            assert_eq!(host.play::<Args>(&args).unwrap().changed, !ran.is_empty());
            assert_eq!(host.ran, ran, "{args}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (args, msg) in [
            ("ports: abc, setype: t", "is no port"),
            ("ports: 9-8, setype: t", "is no port"),
            ("ports: 70000, setype: t", "is no port"),
            ("ports: 1, setype: -x", "is no type"),
        ] {
            let fail = host().play::<Args>(&format!("{{proto: tcp, {args}}}")).unwrap_err();
            assert!(fail.msg.contains(msg), "{args}: {}", fail.msg);
        }
        let mut off = FakeHost::new().answer("getenforce", 0, "Disabled\n");
        assert!(off.play::<Args>("{proto: tcp, ports: 1, setype: t}").unwrap_err().msg.contains("disabled"));
    }
}
