//! A rule as arguments of `iptables`.
//!
//! `iptables -C` finds a rule only if its matches stand in the same order, so the order here is part of what is written
//! to hosts: another order would add every rule a second time.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::Fail;

/// What a rule matches and what it does.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The protocol: `tcp`, `udp`, `icmp`, `all`, a number. `!` in front inverts it, as with addresses and interfaces.
    protocol: Option<String>,
    /// Where packets come from: an address, a network, a name.
    source: Option<String>,
    /// Where packets go to.
    destination: Option<String>,
    /// Extensions to match with (`conntrack`, `comment` …). Those that other arguments need come by themselves.
    #[serde(default, rename = "match")]
    matches: Vec<String>,
    /// Which TCP flags to look at, and which of them must be set.
    tcp_flags: Option<TcpFlags>,
    /// What is done: `ACCEPT`, `DROP`, another chain and so on.
    jump: Option<String>,
    /// With `jump: TEE`: who gets a copy.
    gateway: Option<String>,
    /// With `jump: LOG`: what log lines begin with.
    log_prefix: Option<String>,
    /// With `jump: LOG`: how important it is, a number from 0 to 7 or a name (`warning`).
    log_level: Option<LogLevel>,
    /// With `jump: DNAT`: the new destination.
    to_destination: Option<String>,
    /// Destination ports or ranges, several of them.
    #[serde(default)]
    destination_ports: Vec<String>,
    /// With `jump: SNAT`: the new source.
    to_source: Option<String>,
    /// Go on in this chain and don't come back.
    goto: Option<String>,
    /// The interface that packets come in on.
    in_interface: Option<String>,
    /// The interface that packets go out on.
    out_interface: Option<String>,
    /// Anything: only second and further fragments. `!`: all but them.
    fragment: Option<String>,
    /// Packet and byte counters to begin with.
    set_counters: Option<String>,
    /// The source port or a range, `first:last`.
    source_port: Option<String>,
    /// The destination port or a range, `first:last`.
    destination_port: Option<String>,
    /// With `jump: REDIRECT` or `MASQUERADE`: the new ports.
    to_ports: Option<String>,
    /// Mark packets with this DSCP value.
    set_dscp_mark: Option<String>,
    /// Mark packets with the DSCP value of this class.
    set_dscp_mark_class: Option<String>,
    /// Packets that begin a TCP connection, or all others.
    #[serde(default)]
    syn: Syn,
    /// States of connections: `NEW`, `ESTABLISHED`, `RELATED` …
    #[serde(default)]
    ctstate: Vec<String>,
    /// A range of source addresses.
    src_range: Option<String>,
    /// A range of destination addresses.
    dst_range: Option<String>,
    /// A set of addresses that `ipset` keeps.
    match_set: Option<String>,
    /// Which of a packet's addresses are looked up in `match_set`.
    match_set_flags: Option<SetFlags>,
    /// At most so many, `5/minute`.
    limit: Option<String>,
    /// How many at first, before `limit` counts.
    limit_burst: Option<String>,
    /// Packets of this user.
    uid_owner: Option<String>,
    /// Packets of this group.
    gid_owner: Option<String>,
    /// What those who are rejected are told. Means `jump: REJECT`.
    reject_with: Option<String>,
    /// The ICMP type.
    icmp_type: Option<String>,
    /// A comment in the rule.
    comment: Option<String>,
}

/// TCP flags.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TcpFlags {
    /// Those to look at.
    #[serde(default)]
    flags: Vec<String>,
    /// Those of them that must be set.
    #[serde(default)]
    flags_set: Vec<String>,
}

/// Whether a packet begins a TCP connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Syn {
    /// Either.
    #[default]
    Ignore,
    /// It does.
    Match,
    /// It does not.
    Negate,
}

/// Which addresses are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
enum SetFlags {
    /// The source.
    #[serde(rename = "src")]
    Src,
    /// The destination.
    #[serde(rename = "dst")]
    Dst,
    /// Source, then destination.
    #[serde(rename = "src,dst")]
    SrcDst,
    /// Destination, then source.
    #[serde(rename = "dst,src")]
    DstSrc,
    /// The destination twice.
    #[serde(rename = "dst,dst")]
    DstDst,
    /// The source twice.
    #[serde(rename = "src,src")]
    SrcSrc,
}

impl SetFlags {
    fn word(self) -> &'static str {
        match self {
            SetFlags::Src => "src",
            SetFlags::Dst => "dst",
            SetFlags::SrcDst => "src,dst",
            SetFlags::DstSrc => "dst,src",
            SetFlags::DstDst => "dst,dst",
            SetFlags::SrcSrc => "src,src",
        }
    }
}

/// syslog's levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum LogLevel {
    /// Emergency.
    #[serde(rename = "0")]
    Zero,
    /// Alert.
    #[serde(rename = "1")]
    One,
    /// Critical.
    #[serde(rename = "2")]
    Two,
    /// Error.
    #[serde(rename = "3")]
    Three,
    /// Warning.
    #[serde(rename = "4")]
    Four,
    /// Notice.
    #[serde(rename = "5")]
    Five,
    /// Information.
    #[serde(rename = "6")]
    Six,
    /// Debugging.
    #[serde(rename = "7")]
    Seven,
    /// Emergency.
    Emerg,
    /// Alert.
    Alert,
    /// Critical.
    Crit,
    /// Error.
    Error,
    /// Warning.
    Warning,
    /// Notice.
    Notice,
    /// Information.
    Info,
    /// Debugging.
    Debug,
}

impl LogLevel {
    fn word(self) -> &'static str {
        match self {
            LogLevel::Zero => "0",
            LogLevel::One => "1",
            LogLevel::Two => "2",
            LogLevel::Three => "3",
            LogLevel::Four => "4",
            LogLevel::Five => "5",
            LogLevel::Six => "6",
            LogLevel::Seven => "7",
            LogLevel::Emerg => "emerg",
            LogLevel::Alert => "alert",
            LogLevel::Crit => "crit",
            LogLevel::Error => "error",
            LogLevel::Warning => "warning",
            LogLevel::Notice => "notice",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
        }
    }
}

/// Arguments as they come.
#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    fn put(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(|word| (*word).to_owned()));
    }

    /// A flag and its value; `!` in front of the value goes in front of the flag.
    fn flag(&mut self, flag: &str, value: Option<&String>) {
        let Some(value) = value else { return };
        match value.strip_prefix('!') {
            Some(rest) => self.put(&["!", flag, rest.trim_start()]),
            None => self.put(&[flag, value]),
        }
    }

    fn list(&mut self, flag: &str, values: &[String]) {
        if !values.is_empty() {
            self.put(&[flag, &values.join(",")]);
        }
    }

    fn matching(&mut self, wanted: bool, extension: &str) {
        if wanted {
            self.put(&["-m", extension]);
        }
    }
}

impl Rule {
    /// Its arguments; none if it says nothing. `icmp`: the flag for ICMP types.
    pub(super) fn words(&self, icmp: &str) -> Result<Vec<String>, Fail> {
        self.valid()?;
        let mut words = Words::default();
        words.flag("-p", self.protocol.as_ref());
        words.flag("-s", self.source.as_ref());
        words.flag("-d", self.destination.as_ref());
        self.matches.iter().for_each(|it| words.flag("-m", Some(it)));
        if let Some(TcpFlags { flags, flags_set }) = &self.tcp_flags {
            words.put(&["--tcp-flags", &flags.join(","), &flags_set.join(",")]);
        }
        self.target(&mut words);
        words.matching(!self.destination_ports.is_empty(), "multiport");
        words.list("--dports", &self.destination_ports);
        words.flag("--to-source", self.to_source.as_ref());
        words.flag("-g", self.goto.as_ref());
        words.flag("-i", self.in_interface.as_ref());
        words.flag("-o", self.out_interface.as_ref());
        match self.fragment.as_deref() {
            None | Some("") => {}
            Some("!") => words.put(&["!", "-f"]),
            Some(_) => words.put(&["-f"]),
        }
        words.flag("-c", self.set_counters.as_ref());
        words.flag("--source-port", self.source_port.as_ref());
        words.flag("--destination-port", self.destination_port.as_ref());
        words.flag("--to-ports", self.to_ports.as_ref());
        words.flag("--set-dscp", self.set_dscp_mark.as_ref());
        words.flag("--set-dscp-class", self.set_dscp_mark_class.as_ref());
        match self.syn {
            Syn::Ignore => {}
            Syn::Match => words.put(&["--syn"]),
            Syn::Negate => words.put(&["!", "--syn"]),
        }
        self.extensions(&mut words);
        words.flag("--reject-with", self.reject_with.as_ref());
        words.flag(icmp, self.icmp_type.as_ref());
        words.matching(self.comment.is_some(), "comment");
        // A comment may begin with an exclamation mark.
        if let Some(comment) = &self.comment {
            words.put(&["--comment", comment]);
        }
        Ok(words.0)
    }

    /// What is done, before the arguments that belong to it.
    fn target(&self, words: &mut Words) {
        let dscp = self.set_dscp_mark.is_some() || self.set_dscp_mark_class.is_some();
        let jump = match &self.jump {
            Some(jump) => Some(jump.as_str()),
            None if self.log_prefix.is_some() || self.log_level.is_some() => Some("LOG"),
            None if self.reject_with.is_some() => Some("REJECT"),
            None if dscp => Some("DSCP"),
            None => None,
        };
        if let Some(jump) = jump {
            words.put(&["-j", jump]);
        }
        words.flag("--gateway", self.gateway.as_ref());
        // A prefix may begin with an exclamation mark.
        if let Some(prefix) = &self.log_prefix {
            words.put(&["--log-prefix", prefix]);
        }
        if let Some(level) = self.log_level {
            words.put(&["--log-level", level.word()]);
        }
        words.flag("--to-destination", self.to_destination.as_ref());
    }

    /// Extensions that are loaded with their arguments, unless they stand in `match`.
    fn extensions(&self, words: &mut Words) {
        let given = |name: &str| self.matches.iter().any(|it| it == name);
        if given("state") && !given("conntrack") {
            words.list("--state", &self.ctstate);
        } else {
            words.matching(!self.ctstate.is_empty() && !given("conntrack"), "conntrack");
            words.list("--ctstate", &self.ctstate);
        }
        let ranges = self.src_range.is_some() || self.dst_range.is_some();
        words.matching(ranges && !given("iprange"), "iprange");
        words.flag("--src-range", self.src_range.as_ref());
        words.flag("--dst-range", self.dst_range.as_ref());
        if let Some(flags) = self.match_set_flags {
            words.matching(!given("set"), "set");
            words.flag("--match-set", self.match_set.as_ref());
            words.put(&[flags.word()]);
        }
        words.matching(self.limit.is_some() || self.limit_burst.is_some(), "limit");
        words.flag("--limit", self.limit.as_ref());
        words.flag("--limit-burst", self.limit_burst.as_ref());
        words.matching(self.uid_owner.is_some(), "owner");
        words.flag("--uid-owner", self.uid_owner.as_ref());
        words.matching(self.gid_owner.is_some(), "owner");
        words.flag("--gid-owner", self.gid_owner.as_ref());
    }

    fn valid(&self) -> Result<(), Fail> {
        let jump = self.jump.as_deref().unwrap_or_default();
        let logs = self.log_prefix.is_some() || self.log_level.is_some();
        let error = if logs && !matches!(jump, "" | "LOG") {
            "log_prefix and log_level are for jump: LOG"
        } else if jump.eq_ignore_ascii_case("tee") != self.gateway.is_some() {
            "gateway and jump: TEE need each other"
        } else if self.set_dscp_mark.is_some() && self.set_dscp_mark_class.is_some() {
            "set_dscp_mark and set_dscp_mark_class exclude each other"
        } else if self.match_set.is_some() != self.match_set_flags.is_some() {
            "match_set and match_set_flags need each other"
        } else if self.tcp_flags.as_ref().is_some_and(|it| it.flags.is_empty() || it.flags_set.is_empty()) {
            "tcp_flags needs both flags and flags_set"
        } else if self.jump.is_some() && self.goto.is_some() {
            "jump and goto exclude each other"
        } else {
            return Ok(());
        };
        Err(Fail::new(error))
    }
}

#[cfg(all(test, feature = "controller"))]
#[expect(clippy::unwrap_used, reason = "tests alone")]
mod tests {
    use super::*;
    use crate::modules::api::{Value, decode};

    fn words(yaml: &str) -> Result<String, String> {
        let args = serde_yaml::from_str::<Value>(yaml).unwrap().into_map();
        let rule: Rule = decode(&args).map_err(|error| error.to_string())?;
        rule.words("--icmp-type").map(|words| words.join(" ")).map_err(|fail| fail.msg)
    }

    #[test]
    fn arguments_become_those_of_iptables() {
        for (yaml, line) in [
            ("{}", ""),
            ("{source: 8.8.8.8, jump: DROP}", "-s 8.8.8.8 -j DROP"),
            (
                "{in_interface: eth0, protocol: tcp, match: tcp, destination_port: 80, jump: REDIRECT, to_ports: 8600, comment: web}",
                "-p tcp -m tcp -j REDIRECT -i eth0 --destination-port 80 --to-ports 8600 -m comment --comment web",
            ),
            (
                "{ctstate: 'ESTABLISHED,RELATED', jump: ACCEPT}",
                "-j ACCEPT -m conntrack --ctstate ESTABLISHED,RELATED",
            ),
            ("{match: state, ctstate: NEW, jump: ACCEPT}", "-m state -j ACCEPT --state NEW"),
            ("{match: [conntrack], ctstate: [NEW], jump: ACCEPT}", "-m conntrack -j ACCEPT --ctstate NEW"),
            ("{source: '!10.0.0.0/8', in_interface: '! lo', jump: DROP}", "! -s 10.0.0.0/8 -j DROP ! -i lo"),
            ("{log_prefix: 'x: ', log_level: 4}", "-j LOG --log-prefix x:  --log-level 4"),
            (
                "{protocol: tcp, reject_with: tcp-reset, syn: negate}",
                "-p tcp -j REJECT ! --syn --reject-with tcp-reset",
            ),
            (
                "{protocol: tcp, tcp_flags: {flags: ALL, flags_set: 'ACK,RST'}, destination_ports: [80, '8000:8100']}",
                "-p tcp --tcp-flags ALL ACK,RST -m multiport --dports 80,8000:8100",
            ),
            (
                "{match_set: admins, match_set_flags: 'src,dst', src_range: 1.1.1.1-1.1.1.9, limit: 2/s, limit_burst: 5, uid_owner: '!root', jump: ACCEPT}",
                "-j ACCEPT -m iprange --src-range 1.1.1.1-1.1.1.9 -m set --match-set admins src,dst \
                 -m limit --limit 2/s --limit-burst 5 -m owner ! --uid-owner root",
            ),
            ("{set_dscp_mark: 8}", "-j DSCP --set-dscp 8"),
            (
                "{protocol: icmp, icmp_type: echo-request, jump: TEE, gateway: 10.0.0.1}",
                "-p icmp -j TEE --gateway 10.0.0.1 --icmp-type echo-request",
            ),
        ] {
            assert_eq!(words(yaml).as_deref(), Ok(line), "{yaml}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for yaml in [
            "{log_prefix: x, jump: DROP}",
            "{jump: TEE}",
            "{gateway: x}",
            "{match_set: x}",
            "{tcp_flags: {flags: ALL}}",
            "{set_dscp_mark: 1, set_dscp_mark_class: CS1}",
            "{jump: a, goto: b}",
            "{syn: maybe}",
        ] {
            assert!(words(yaml).is_err(), "{yaml}");
        }
    }
}
