//! `iptables`: rules, policies and chains of the kernel's packet filter. They last until the next start.

mod rule;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Cmd, Diff, Fail, Look, Module, Outcome, Touch, Value};
use crate::modules::programs::program;
use rule::Rule;

/// Manage rules of the packet filter, as the kernel has them now.
///
/// Nothing is kept for the next start; `iptables-save` and what the distribution loads at start are for that.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The table.
    #[serde(default)]
    table: Table,
    /// The chain. Required but with `flush`.
    #[serde(default)]
    chain: Option<String>,
    /// Whether the rule is there.
    #[serde(default)]
    state: State,
    /// Where a new rule goes.
    #[serde(default)]
    action: Action,
    /// With `action: insert`: which number the new rule gets.
    #[serde(default)]
    rule_num: Option<String>,
    /// Which protocol it is about.
    #[serde(default)]
    ip_version: Version,
    /// Make the chain if it is not there; with `state: absent` and no rule, remove it.
    #[serde(default)]
    chain_management: bool,
    /// Remove all rules of the chain, or of the table. Everything else is ignored.
    #[serde(default)]
    flush: bool,
    /// What happens to packets that no rule of a built-in chain is for. Rules are ignored.
    #[serde(default)]
    policy: Option<Policy>,
    /// Accepted and without effect: names are never looked up.
    #[serde(default)]
    #[expect(dead_code, reason = "documented as without effect")]
    numeric: bool,
    /// How many seconds to wait for others who change rules at the same time.
    #[serde(default)]
    wait: Option<String>,
    #[serde(rename = "@rule")]
    #[schemars(flatten)]
    rule: Rule,
}

/// A table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Table {
    /// What is let through.
    #[default]
    Filter,
    /// Other addresses and ports.
    Nat,
    /// Other changes of packets.
    Mangle,
    /// What connection tracking leaves alone.
    Raw,
    /// For mandatory access control.
    Security,
}

/// Whether the rule is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

/// Where a new rule goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Action {
    /// To the end.
    #[default]
    Append,
    /// To the beginning, or to `rule_num`.
    Insert,
}

/// A version of the internet protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Version {
    /// IPv4.
    #[default]
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// What happens to packets that no rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Policy {
    /// They are let through.
    Accept,
    /// They are dropped.
    Drop,
    /// A program gets them.
    Queue,
    /// They go back to the chain before.
    Return,
}

/// The commands that make it so, without the program and the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    commands: Vec<Vec<String>>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Answers may come in
  iptables:
    chain: INPUT
    ctstate: [ESTABLISHED, RELATED]
    jump: ACCEPT

- name: Port 80 is served on 8080
  iptables:
    table: nat
    chain: PREROUTING
    in_interface: eth0
    protocol: tcp
    match: tcp
    destination_port: '80'
    jump: REDIRECT
    to_ports: '8080'
    comment: the web server

- name: Nothing else
  iptables:
    chain: INPUT
    policy: DROP
";
    const RETURNS: &'static str = "
table: The table.
chain: The chain.
state: present or absent.
ip_version: ipv4 or ipv6.
flush: Whether rules were to be removed.
chain_management: Whether the chain was to be made or removed.
rule: The rule as arguments.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let rule = self.valid()?;
        let (_, name) = self.program();
        if host.which(name).is_none() {
            // A task before this one may install it.
            let front = if self.state == State::Present { "-A" } else { "-D" };
            return Ok(Some(Plan { commands: vec![self.about(&[front], &rule)] }));
        }
        let commands = if self.flush {
            self.flushing(host)?
        } else if let Some(policy) = self.policy {
            self.policy(host, policy)?
        } else if rule.is_empty() {
            self.chain_alone(host)?
        } else {
            self.ruling(host, &rule)?
        };
        Ok((!commands.is_empty()).then_some(Plan { commands }))
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(Outcome::unchanged())
    }

    fn predicted(&self, _plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(Outcome::changed())
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let lines =
            plan.commands.iter().map(|words| format!("+ {} {}\n", self.front().join(" "), words.join(" ")));
        vec![Diff { prepared: Some(lines.collect()), ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        for words in &plan.commands {
            let cmd = self.cmd(host.as_look())?.args(words);
            host.run(&cmd)?.success(&format!("{} {}", self.front().join(" "), words.join(" ")))?;
        }
        self.describe(Outcome::changed())
    }
}

impl Args {
    /// The rule's arguments, if all that is asked for fits together.
    fn valid(&self) -> Result<Vec<String>, Fail> {
        let rule = self.rule.words(if self.ip_version == Version::Ipv4 {
            "--icmp-type"
        } else {
            "--icmpv6-type"
        })?;
        let error = if self.flush && self.policy.is_some() {
            "flush and policy exclude each other"
        } else if self.chain.is_none() && !self.flush {
            "either chain or flush is required"
        } else if self.chain.as_deref().is_some_and(|chain| chain.is_empty() || chain.starts_with(['-', '!']))
        {
            "chain is no name of a chain"
        } else if self.wait.as_deref().is_some_and(|wait| wait.parse::<u32>().is_err()) {
            "wait is a number of seconds"
        } else if self.rule_num.as_deref().is_some_and(|number| number.parse::<u32>().is_err()) {
            "rule_num is a number"
        } else {
            return Ok(rule);
        };
        Err(Fail::new(error))
    }

    fn chain(&self) -> &str {
        self.chain.as_deref().unwrap_or_default()
    }

    /// The package and its program.
    fn program(&self) -> (&'static str, &'static str) {
        ("iptables", if self.ip_version == Version::Ipv4 { "iptables" } else { "ip6tables" })
    }

    fn table(&self) -> &'static str {
        match self.table {
            Table::Filter => "filter",
            Table::Nat => "nat",
            Table::Mangle => "mangle",
            Table::Raw => "raw",
            Table::Security => "security",
        }
    }

    fn front(&self) -> [&'static str; 3] {
        [self.program().1, "-t", self.table()]
    }

    fn cmd(&self, host: &dyn Look) -> Result<Cmd, Fail> {
        let (package, name) = self.program();
        Ok(program(host, name, package)?.args(["-t", self.table()]))
    }

    /// A command about the chain: an action, the chain, arguments.
    fn about(&self, action: &[&str], arguments: &[String]) -> Vec<String> {
        let (first, more) = action.split_first().unwrap_or((&"", &[]));
        let mut words = vec![(*first).to_owned(), self.chain().to_owned()];
        words.extend(more.iter().map(|word| (*word).to_owned()));
        if let Some(wait) = &self.wait {
            words.extend(["-w".to_owned(), wait.clone()]);
        }
        words.extend(arguments.iter().cloned());
        words
    }

    /// The chain's (or the table's) policy and rules, a line each; none if there is no such chain.
    fn list(&self, host: &dyn Look) -> Result<Option<String>, Fail> {
        // The whole table: asked for a chain that is not there, some versions say that it is there but not theirs.
        let list = host.query(&self.cmd(host)?.arg("-S"))?.success("listing the rules")?.out();
        let Some(chain) = &self.chain else { return Ok(Some(list)) };
        let own = |line: &&str| line.split(' ').nth(1) == Some(chain);
        let lines: Vec<&str> = list.lines().filter(own).collect();
        Ok((!lines.is_empty()).then(|| lines.join("\n")))
    }

    fn flushing(&self, host: &dyn Look) -> Result<Vec<Vec<String>>, Fail> {
        let Some(list) = self.list(host)? else {
            return Err(Fail::new(format!(
                "there is no chain {} in the table {}",
                self.chain(),
                self.table()
            )));
        };
        let full = list.lines().any(|line| line.starts_with("-A"));
        let mut words = self.about(&["-F"], &[]);
        words.retain(|word| !word.is_empty());
        Ok(if full { vec![words] } else { Vec::new() })
    }

    fn policy(&self, host: &dyn Look, policy: Policy) -> Result<Vec<Vec<String>>, Fail> {
        let wanted = match policy {
            Policy::Accept => "ACCEPT",
            Policy::Drop => "DROP",
            Policy::Queue => "QUEUE",
            Policy::Return => "RETURN",
        };
        let list = self.list(host)?.unwrap_or_default();
        let now = list
            .lines()
            .find_map(|line| line.strip_prefix("-P ")?.strip_prefix(self.chain())?.split_whitespace().next());
        match now {
            None => Err(Fail::new(format!(
                "{} is no built-in chain of the table {}: it has no policy",
                self.chain(),
                self.table()
            ))),
            Some(now) if now == wanted => Ok(Vec::new()),
            Some(_) => Ok(vec![self.about(&["-P", wanted], &[])]),
        }
    }

    fn chain_alone(&self, host: &dyn Look) -> Result<Vec<Vec<String>>, Fail> {
        let there = self.list(host)?.is_some();
        match (self.state, there) {
            (State::Present, true) | (State::Absent, false) => Ok(Vec::new()),
            _ if !self.chain_management => Err(Fail::new(format!(
                "nothing says what the rule is, and the chain {} is made and removed only with chain_management",
                self.chain()
            ))),
            (State::Present, false) => Ok(vec![self.about(&["-N"], &[])]),
            (State::Absent, true) => Ok(vec![self.about(&["-X"], &[])]),
        }
    }

    fn ruling(&self, host: &dyn Look, rule: &[String]) -> Result<Vec<Vec<String>>, Fail> {
        if self.chain_management && self.list(host)?.is_none() {
            return Ok(match self.state {
                State::Absent => Vec::new(),
                State::Present => vec![self.about(&["-N"], &[]), self.about(&["-A"], rule)],
            });
        }
        let cmd = self.cmd(host)?.args(self.about(&["-C"], rule));
        let ran = host.query(&cmd)?;
        // 1 is for a rule or chain that is not there, and also for what the kernel refuses: then adding it says why.
        if !ran.ok() && ran.rc != 1 {
            ran.success("looking for the rule")?;
            return Ok(Vec::new());
        }
        Ok(match (self.state, ran.ok(), self.action) {
            (State::Present, true, _) | (State::Absent, false, _) => Vec::new(),
            (State::Absent, true, _) => vec![self.about(&["-D"], rule)],
            (State::Present, false, Action::Append) => vec![self.about(&["-A"], rule)],
            (State::Present, false, Action::Insert) => {
                let number: Vec<&str> = ["-I"].into_iter().chain(self.rule_num.as_deref()).collect();
                vec![self.about(&number, rule)]
            }
        })
    }

    fn describe(&self, outcome: Outcome) -> Result<Outcome, Fail> {
        let state = if self.state == State::Present { "present" } else { "absent" };
        let version = if self.ip_version == Version::Ipv4 { "ipv4" } else { "ipv6" };
        Ok(outcome
            .with("table", self.table())
            .with("chain", self.chain.as_deref().map_or(Value::Null, Value::from))
            .with("state", state)
            .with("ip_version", version)
            .with("flush", self.flush)
            .with("chain_management", self.chain_management)
            .with("rule", self.valid()?.join(" ")))
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests;
