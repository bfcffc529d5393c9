//! `ufw`: rules, policies and logging of the firewall ufw, and whether it is on.
//!
//! What is set is read from ufw's own files; whether a rule is new is asked of `ufw --dry-run`.

mod words;

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Cmd, Diff, Fail, Look, Module, Outcome, Touch};
use crate::modules::programs::program;
use words::{Direction, Logging, Policy, Protocol, Relative, Rule, State};

/// Manage the firewall ufw: its rules, its policies, whether it is on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Whether the firewall is on. One of state, default, rule and logging is required.
    #[serde(default)]
    state: Option<State>,
    /// What happens to packets that no rule is for.
    #[serde(default, alias = "policy")]
    #[schemars(extend("x-aliases" = ["policy"]))]
    default: Option<Policy>,
    /// Which way packets go that a rule (`in`, `out`) or a policy (`incoming`, `outgoing`, `routed`) is for.
    #[serde(default)]
    direction: Option<Direction>,
    /// Whether, and how much of, what is refused is logged.
    #[serde(default)]
    logging: Option<Logging>,
    /// Make this rule number so many. Not for deleting.
    #[serde(default)]
    insert: Option<i64>,
    /// What `insert` counts from.
    #[serde(default)]
    insert_relative_to: Relative,
    /// What a rule does.
    #[serde(default)]
    rule: Option<Rule>,
    /// Log new connections that the rule is for.
    #[serde(default)]
    log: bool,
    /// Where packets come from.
    #[serde(default = "any", alias = "from", alias = "src")]
    #[schemars(extend("x-aliases" = ["from", "src"]))]
    from_ip: String,
    /// The port that they come from.
    #[serde(default)]
    from_port: Option<String>,
    /// Where packets go to.
    #[serde(default = "any", alias = "dest", alias = "to")]
    #[schemars(extend("x-aliases" = ["dest", "to"]))]
    to_ip: String,
    /// The port that they go to: a number, a range (`6000:6010`), a list, a service's name.
    #[serde(default, alias = "port")]
    #[schemars(extend("x-aliases" = ["port"]))]
    to_port: Option<String>,
    /// The protocol.
    #[serde(default, alias = "protocol")]
    #[schemars(extend("x-aliases" = ["protocol"]))]
    proto: Option<Protocol>,
    /// An application's profile in `/etc/ufw/applications.d` instead of ports.
    #[serde(default, alias = "app")]
    #[schemars(extend("x-aliases" = ["app"]))]
    name: Option<String>,
    /// Delete the rule.
    #[serde(default)]
    delete: bool,
    /// The interface, with `direction`.
    #[serde(default, alias = "if")]
    #[schemars(extend("x-aliases" = ["if"]))]
    interface: Option<String>,
    /// The interface that packets come in on.
    #[serde(default, alias = "if_in")]
    #[schemars(extend("x-aliases" = ["if_in"]))]
    interface_in: Option<String>,
    /// The interface that packets go out on.
    #[serde(default, alias = "if_out")]
    #[schemars(extend("x-aliases" = ["if_out"]))]
    interface_out: Option<String>,
    /// The rule is for packets that are routed.
    #[serde(default)]
    route: bool,
    /// A comment in the rule.
    #[serde(default)]
    comment: Option<String>,
}

fn any() -> String {
    "any".into()
}

/// The commands that make it so, without the program.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    commands: Vec<Vec<String>>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Nothing comes in
  ufw:
    default: deny
    direction: incoming

- name: But SSH, not too often
  ufw:
    rule: limit
    port: ssh
    proto: tcp

- name: And metrics from one network
  ufw:
    rule: allow
    src: 10.0.0.0/8
    port: '9100'
    proto: tcp
    comment: metrics

- name: On
  ufw:
    state: enabled
";
    const RETURNS: &'static str = "
commands: The commands that were run, or would be.
msg: What ufw says of its state afterwards.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        self.valid()?;
        let ready = host.which("ufw").is_some();
        let mut commands = Vec::new();
        // Without ufw all of it is still to be done: a task before this one may install it.
        if let Some(state) = self.state.filter(|state| !ready || state_differs(host, *state).unwrap_or(true))
        {
            let word = match state {
                State::Enabled => "enable",
                State::Disabled => "disable",
                State::Reloaded => "reload",
                State::Reset => "reset",
            };
            commands.push(words(&["-f", word]));
        }
        if let Some(policy) = self.default {
            let direction = self.direction.map_or("incoming", Direction::word);
            if !ready || policy_of(host, direction)?.as_deref() != Some(policy.word()) {
                commands.push(words(&["default", policy.word(), direction]));
            }
        }
        if let Some(rule) = self.rule {
            let rule = self.rule(host, rule, ready)?;
            if !ready || is_news(host, &rule)? {
                commands.push(rule);
            }
        }
        if let Some(logging) = self.logging {
            let now = setting(host, "/etc/ufw/ufw.conf", "LOGLEVEL")?.unwrap_or_default();
            let so = if logging == Logging::On {
                !matches!(now.as_str(), "" | "off")
            } else {
                now == logging.word()
            };
            if !ready || !so {
                commands.push(words(&["logging", logging.word()]));
            }
        }
        Ok((!commands.is_empty()).then_some(Plan { commands }))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        describe(host, Outcome::unchanged(), &[])
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        describe(host, Outcome::changed(), &plan.commands)
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let lines = plan.commands.iter().map(|words| format!("+ ufw {}\n", words.join(" ")));
        vec![Diff { prepared: Some(lines.collect()), ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        for words in &plan.commands {
            let cmd = program(host.as_look(), "ufw", "ufw")?.args(words);
            host.run(&cmd)?.success(&format!("ufw {}", words.join(" ")))?;
        }
        describe(host.as_look(), Outcome::changed(), &plan.commands)
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A line `NAME=value` of a shell's settings.
fn setting(host: &dyn Look, path: &str, name: &str) -> Result<Option<String>, Fail> {
    let text = host.read(Path::new(path))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let value = |line: &str| -> Option<String> {
        let value = line.trim().strip_prefix(name)?.strip_prefix('=')?;
        Some(value.trim_matches(['"', '\'', ' ']).to_owned())
    };
    Ok(text.lines().filter_map(value).next_back())
}

/// The policy for a direction, in the words of ufw's command line.
fn policy_of(host: &dyn Look, direction: &str) -> Result<Option<String>, Fail> {
    let name = match direction {
        "outgoing" => "DEFAULT_OUTPUT_POLICY",
        "routed" => "DEFAULT_FORWARD_POLICY",
        _ => "DEFAULT_INPUT_POLICY",
    };
    let value = setting(host, "/etc/default/ufw", name)?;
    Ok(value.map(|value| match value.as_str() {
        "ACCEPT" => "allow".to_owned(),
        "DROP" => "deny".to_owned(),
        other => other.to_lowercase(),
    }))
}

/// Whether a rule would change anything: ufw says of each half (IPv4, IPv6) that there is nothing to do.
fn is_news(host: &dyn Look, rule: &[String]) -> Result<bool, Fail> {
    let cmd = program(host, "ufw", "ufw")?.arg("--dry-run").args(rule);
    let ran = host.query(&cmd)?;
    // There may be as many rules once the tasks before this one have run; if not, the run itself says so.
    if !ran.ok() && ran.err().contains("Invalid position") {
        return Ok(true);
    }
    let out = ran.success(&format!("ufw {}", rule.join(" ")))?.out();
    let mut lines = out.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    let idle = |line: &str| line.starts_with("Skipping") || line.starts_with("Could not delete non-existent");
    Ok(lines.peek().is_none() || !lines.all(idle))
}

fn describe(host: &dyn Look, outcome: Outcome, commands: &[Vec<String>]) -> Result<Outcome, Fail> {
    let lines: Vec<String> = commands.iter().map(|words| format!("ufw {}", words.join(" "))).collect();
    let outcome = outcome.with("commands", lines);
    if host.which("ufw").is_none() {
        return Ok(outcome);
    }
    let status = host.query(&Cmd::new(["ufw", "status", "verbose"]))?.success("asking ufw for its state")?;
    Ok(outcome.with("msg", status.out().trim_end()))
}

impl Args {
    fn valid(&self) -> Result<(), Fail> {
        let asked =
            [self.state.is_some(), self.default.is_some(), self.rule.is_some(), self.logging.is_some()];
        let direction = self.direction.map(Direction::word);
        let exclusive = [self.name.is_some(), self.proto.is_some(), self.logging.is_some()];
        let error = if !asked.contains(&true) {
            "one of state, default, rule, logging is required"
        } else if exclusive.iter().filter(|it| **it).count() > 1 {
            "name, proto and logging exclude each other"
        } else if self.direction.is_some() && (self.interface_in.is_some() || self.interface_out.is_some()) {
            "direction excludes interface_in and interface_out"
        } else if self.interface.is_some() && self.direction.is_none() {
            "interface needs direction"
        } else if self.default.is_some() && matches!(direction, Some("in" | "out")) {
            "for default, direction is incoming, outgoing or routed"
        } else if self.rule.is_some() && !matches!(direction, None | Some("in" | "out")) {
            "for a rule, direction is in or out"
        } else if self.rule.is_some()
            && !self.route
            && self.interface_in.is_some()
            && self.interface_out.is_some()
        {
            "only rules with route: true can have both interface_in and interface_out"
        } else {
            return Ok(());
        };
        Err(Fail::new(error))
    }

    /// The rule in ufw's long form.
    fn rule(&self, host: &dyn Look, rule: Rule, ready: bool) -> Result<Vec<String>, Fail> {
        let mut line = Vec::new();
        let mut put = |given: &[&str]| line.extend(words(given));
        if self.route {
            put(&["route"]);
        }
        if self.delete {
            put(&["delete"]);
        } else if let Some(number) = self.number(host, ready)? {
            put(&["insert", &number.to_string()]);
        }
        put(&[rule.word()]);
        if let Some(direction) = self.direction {
            put(&[direction.word()]);
        }
        for (front, name) in [
            (&["on"][..], &self.interface),
            (&["in", "on"], &self.interface_in),
            (&["out", "on"], &self.interface_out),
        ] {
            if let Some(name) = name {
                put(front);
                put(&[name]);
            }
        }
        if self.log {
            put(&["log"]);
        }
        put(&["from", &self.from_ip]);
        if let Some(port) = &self.from_port {
            put(&["port", port]);
        }
        put(&["to", &self.to_ip]);
        if let Some(port) = &self.to_port {
            put(&["port", port]);
        }
        if let Some(proto) = self.proto {
            put(&["proto", proto.word()]);
        }
        if let Some(name) = &self.name {
            put(&["app", name]);
        }
        if let Some(comment) = &self.comment {
            put(&["comment", comment]);
        }
        Ok(line)
    }

    /// The number that a rule is inserted as; none: it is appended.
    fn number(&self, host: &dyn Look, ready: bool) -> Result<Option<i64>, Fail> {
        let Some(insert) = self.insert else { return Ok(None) };
        if self.insert_relative_to == Relative::Zero || !ready {
            return Ok(Some(insert));
        }
        let status =
            host.query(&Cmd::new(["ufw", "status", "numbered"]))?.success("asking ufw for its rules")?.out();
        let numbered = |line: &str| -> Option<(i64, bool)> {
            let (number, rest) = line.trim().strip_prefix('[')?.split_once(']')?;
            Some((number.trim().parse().ok()?, rest.contains("(v6)")))
        };
        let rules: Vec<(i64, bool)> = status.lines().filter_map(numbered).collect();
        let last = rules.iter().map(|(number, _)| *number).max().unwrap_or(0);
        let last_v4 = rules.iter().filter(|(_, six)| !six).map(|(number, _)| *number).max();
        let has_v6 = rules.iter().any(|(_, six)| *six);
        let from = match self.insert_relative_to {
            Relative::Zero => 0,
            Relative::FirstIpv4 => 1,
            Relative::LastIpv4 => last_v4.unwrap_or(1),
            Relative::FirstIpv6 => last_v4.map_or(1, |number| number + 1),
            Relative::LastIpv6 => {
                if has_v6 {
                    last
                } else {
                    last + 1
                }
            }
        };
        let number = insert.saturating_add(from);
        // ufw refuses a number after the last one.
        Ok((number <= last).then_some(number))
    }
}

fn state_differs(host: &dyn Look, state: State) -> Result<bool, Fail> {
    let status = host.query(&Cmd::new(["ufw", "status"]))?.success("asking ufw for its state")?;
    let on = status.out().lines().any(|line| line.trim() == "Status: active");
    Ok(match state {
        State::Enabled => !on,
        State::Disabled => on,
        State::Reloaded | State::Reset => true,
    })
}

#[cfg(all(test, feature = "controller"))]
mod tests;
