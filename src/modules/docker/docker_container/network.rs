//! How a container is reached: ports, names, networks.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::isolation::shared;
use super::property::{Around, Comparison, Comparisons, Side, each, plain};
use crate::modules::api::Fail;
use crate::modules::docker::pairs::Pairs;

/// How the container is reached.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Ports of the host that lead to the container: `8080:80`, `127.0.0.1:53:53/udp`, `80` (any port of the host),
    /// `7000-7005:7000-7005`; `all` for every exposed one.
    #[serde(default, alias = "ports")]
    #[schemars(extend("x-aliases" = ["ports"]))]
    published_ports: Option<Vec<String>>,
    /// Ports that it listens on: `80`, `53/udp`, `7000-7005`.
    #[serde(default, alias = "exposed", alias = "expose")]
    #[schemars(extend("x-aliases" = ["exposed", "expose"]))]
    exposed_ports: Option<Vec<String>>,
    /// Let some port of the host lead to every exposed one.
    #[serde(default)]
    publish_all_ports: Option<bool>,
    /// The host's address for published ports that name none.
    #[serde(default)]
    default_host_ip: Option<String>,
    /// The network: `bridge`, `host`, `none`, `container:NAME` or a network's name.
    #[serde(default)]
    network_mode: Option<String>,
    /// The networks that it is in. Others that it is in too are left with `comparisons: {networks: strict}`.
    #[serde(default)]
    networks: Option<Vec<Membership>>,
    /// Leave other networks: the same as `comparisons: {networks: strict}`.
    #[serde(default)]
    purge_networks: bool,
    /// The first of `networks` is the network it starts in, as with the docker client.
    #[serde(default = "yes")]
    networks_cli_compatible: bool,
    /// Servers for names.
    #[serde(default)]
    dns_servers: Option<Vec<String>>,
    /// Options for asking for names.
    #[serde(default)]
    dns_opts: Option<Vec<String>>,
    /// Domains in which names are looked up.
    #[serde(default)]
    dns_search_domains: Option<Vec<String>>,
    /// Names for its `/etc/hosts`, each with its address.
    #[serde(default)]
    etc_hosts: Option<Pairs>,
    /// Other containers it knows by name: `NAME[:ALIAS]`.
    #[serde(default)]
    links: Option<Vec<String>>,
    /// Its hardware address.
    #[serde(default)]
    mac_address: Option<String>,
}

/// Being in a network.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// The network.
    name: String,
    /// The container's address there.
    #[serde(default)]
    ipv4_address: Option<String>,
    /// The container's IPv6 address there.
    #[serde(default)]
    ipv6_address: Option<String>,
    /// Other containers it knows by name there: `NAME[:ALIAS]`.
    #[serde(default)]
    links: Vec<String>,
    /// More names of the container there.
    #[serde(default)]
    aliases: Vec<String>,
    /// Its hardware address there.
    #[serde(default)]
    mac_address: Option<String>,
}

fn yes() -> bool {
    true
}

/// A network to enter or leave.
#[derive(Clone, Debug)]
pub enum NetworkChange {
    /// Enter; `again`: leave first, to enter with other settings.
    Connect {
        /// How.
        membership: Membership,
        /// Leave first.
        again: bool,
    },
    /// Leave.
    Disconnect(String),
}

impl Network {
    /// The properties that are given, networks not among them.
    ///
    /// # Errors
    /// Wrong values.
    pub fn collect(&self, around: &mut Around<'_>) -> Result<(), Fail> {
        self.ports(around)?;
        if let Some(mode) = self.mode() {
            // The engine keeps `default` where the task said nothing or `bridge`.
            let mode = mode.clone();
            shared(around, "network_mode", Some(&mode), "/HostConfig/NetworkMode", "--network")?;
            let simple = |side: &Side| match side {
                Side::One(text) if text == "default" => Side::One("bridge".into()),
                other => other.clone(),
            };
            let given = self.network_mode.is_some();
            if let Some(last) = around.properties.last_mut().filter(|last| last.name == "network_mode") {
                (last.wanted, last.actual) = (simple(&last.wanted), simple(&last.actual));
                // Which of its networks it was made in matters only where the task says so.
                if !given {
                    last.wanted = last.actual.clone();
                }
            }
        }
        around.list("dns_servers", self.dns_servers.as_ref(), "/HostConfig/Dns", "--dns");
        around.set(
            "dns_opts",
            self.dns_opts.as_ref(),
            "/HostConfig/DnsOptions",
            "--dns-option",
            str::to_owned,
        );
        let search = self.dns_search_domains.as_ref();
        around.list("dns_search_domains", search, "/HostConfig/DnsSearch", "--dns-search");
        if let Some(hosts) = &self.etc_hosts {
            let hosts = hosts.texts("etc_hosts")?;
            let lines: Vec<String> = hosts.iter().map(|(name, at)| format!("{name}:{at}")).collect();
            around.set("etc_hosts", Some(&lines), "/HostConfig/ExtraHosts", "--add-host", str::to_owned);
        }
        around.set("links", self.links.as_ref(), "/HostConfig/Links", "--link", link);
        around.one("mac_address", self.mac_address.clone(), "/Config/MacAddress", "--mac-address");
        self.first_words(around);
        Ok(())
    }

    /// The network that the container is made in.
    fn mode(&self) -> Option<&String> {
        self.network_mode.as_ref().or_else(|| self.first().map(|first| &first.name))
    }

    fn first(&self) -> Option<&Membership> {
        let first = self.networks.as_ref()?.first()?;
        let wanted =
            self.networks_cli_compatible && self.network_mode.as_ref().is_none_or(|mode| *mode == first.name);
        wanted.then_some(first)
    }

    /// How it is in the network that it is made in.
    fn first_words(&self, around: &mut Around<'_>) {
        let words: Vec<String> = self.first().map(|it| it.words("--network-alias")).unwrap_or_default();
        if let Some(mode) = around.properties.iter_mut().find(|it| it.name == "network_mode") {
            mode.create.extend(words);
        }
    }

    fn ports(&self, around: &mut Around<'_>) -> Result<(), Fail> {
        let all = self.published_ports.as_ref().is_some_and(|it| it.iter().any(|it| it == "all"));
        if self.publish_all_ports.is_some() || all {
            let wanted = Some(self.publish_all_ports.unwrap_or(all));
            around.flag("publish_all_ports", wanted, "/HostConfig/PublishAllPorts", "--publish-all");
        }
        let mut exposed: BTreeSet<String> = BTreeSet::new();
        if let Some(given) = &self.published_ports {
            let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            let mut words = Vec::new();
            for text in given.iter().filter(|text| *text != "all") {
                let port = Port::new(text, self.default_host_ip.as_deref())?;
                words.extend(["--publish".to_owned(), port.word()]);
                for (inside, outside) in port.bindings() {
                    exposed.insert(inside.clone());
                    wanted.entry(inside).or_default().insert(outside);
                }
            }
            let mut actual: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for (inside, list) in around.at("/HostConfig/PortBindings").as_object().into_iter().flatten() {
                for json in list.as_array().into_iter().flatten() {
                    let outside = outside(&plain(&json["HostIp"]), &plain(&json["HostPort"]));
                    actual.entry(inside.clone()).or_default().insert(outside);
                }
            }
            around.special("published_ports", joined(wanted), joined(actual), words);
        }
        if let Some(given) = &self.exposed_ports {
            let mut wanted = BTreeSet::new();
            for text in given {
                let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
                for port in
                    range(ports).ok_or_else(|| Fail::new(format!("exposed_ports: {text:?} is no port")))?
                {
                    wanted.insert(format!("{port}/{protocol}"));
                }
            }
            let words: Vec<String> = wanted.iter().cloned().collect();
            wanted.extend(exposed);
            let of_image = around.of_image("/ExposedPorts").as_object();
            wanted.extend(of_image.into_iter().flatten().map(|(name, _)| name.clone()));
            let actual = around.at("/Config/ExposedPorts").as_object().into_iter().flatten();
            let actual = actual.map(|(name, _)| name.clone()).collect();
            around.special("exposed_ports", Side::Set(wanted), Side::Set(actual), each("--expose", &words));
        }
        Ok(())
    }

    /// The networks that the container must enter and leave.
    pub fn changes(&self, around: &Around<'_>, comparisons: &Comparisons) -> Vec<NetworkChange> {
        let Some(wanted) = &self.networks else { return Vec::new() };
        let how = comparisons.given("networks");
        if how == Some(Comparison::Ignore) {
            return Vec::new();
        }
        let there = around.at("/NetworkSettings/Networks").as_object().cloned().unwrap_or_default();
        let fresh = around.container.is_null();
        let mut changes = Vec::new();
        for membership in wanted {
            // A container that is yet to be made is made in the first one.
            if fresh && self.mode() == Some(&membership.name) {
                continue;
            }
            let now = there.get(&membership.name);
            if now.is_none_or(|now| !membership.is(now)) {
                changes.push(NetworkChange::Connect { membership: membership.clone(), again: now.is_some() });
            }
        }
        if self.purge_networks || how == Some(Comparison::Strict) {
            let extra = there.keys().filter(|name| !wanted.iter().any(|it| it.name == **name));
            changes.extend(extra.map(|name| NetworkChange::Disconnect(name.clone())));
        }
        changes
    }
}

impl Membership {
    fn is(&self, now: &serde_json::Value) -> bool {
        let same = |wanted: &Option<String>, pointers: [&str; 2]| {
            wanted.as_ref().is_none_or(|wanted| {
                pointers.iter().any(|at| now.pointer(at).is_some_and(|json| plain(json) == *wanted))
            })
        };
        let texts =
            |name: &str| -> Vec<String> { now[name].as_array().into_iter().flatten().map(plain).collect() };
        let (aliases, links) = (texts("Aliases"), texts("Links"));
        let links: Vec<String> = links.iter().map(|it| link(it)).collect();
        same(&self.ipv4_address, ["/IPAMConfig/IPv4Address", "/IPAddress"])
            && same(&self.ipv6_address, ["/IPAMConfig/IPv6Address", "/GlobalIPv6Address"])
            && same(&self.mac_address, ["/MacAddress", "/MacAddress"])
            && self.aliases.iter().all(|it| aliases.contains(it))
            && self.links.iter().all(|it| links.contains(&link(it)))
    }

    fn words(&self, alias: &str) -> Vec<String> {
        let mut words = each(alias, &self.aliases);
        words.extend(each("--link", &self.links));
        for (option, value) in [("--ip", &self.ipv4_address), ("--ip6", &self.ipv6_address)] {
            words.extend(value.iter().flat_map(|value| [option.to_owned(), value.clone()]));
        }
        // `docker network connect` has no option for it, `docker create` has.
        let mac = self.mac_address.iter().filter(|_| alias == "--network-alias");
        words.extend(mac.flat_map(|value| ["--mac-address".to_owned(), value.clone()]));
        words
    }
}

impl NetworkChange {
    /// The commands for it, without the container's name at the end.
    pub fn commands(&self, container: &str) -> Vec<Vec<String>> {
        let leave = |name: &String| ["network", "disconnect", name, container].map(str::to_owned).to_vec();
        match self {
            NetworkChange::Disconnect(name) => vec![leave(name)],
            NetworkChange::Connect { membership, again } => {
                let mut enter = vec!["network".to_owned(), "connect".to_owned()];
                enter.extend(membership.words("--alias"));
                enter.extend([membership.name.clone(), container.to_owned()]);
                if *again { vec![leave(&membership.name), enter] } else { vec![enter] }
            }
        }
    }

    /// Before and after, for people.
    pub fn shown(&self) -> (String, String) {
        match self {
            NetworkChange::Disconnect(name) => (format!("in {name}"), format!("not in {name}")),
            NetworkChange::Connect { membership, again } => {
                let name = &membership.name;
                let before =
                    if *again { format!("in {name} with other settings") } else { format!("not in {name}") };
                (before, format!("in {name} {}", membership.words("--alias").join(" ")).trim_end().to_owned())
            }
        }
    }
}

/// `/other:/this/alias`, as the engine keeps it, as the task writes it.
fn link(text: &str) -> String {
    let text = text.trim_start_matches('/');
    let (name, alias) = text.split_once(':').unwrap_or((text, text));
    format!("{name}:{}", alias.rsplit('/').next().unwrap_or(alias))
}

fn joined(all: BTreeMap<String, BTreeSet<String>>) -> Side {
    let all = all.into_iter();
    Side::Dict(
        all.map(|(inside, outside)| (inside, outside.into_iter().collect::<Vec<_>>().join(","))).collect(),
    )
}

/// A host's end in one form: any address is no address, any port no port.
fn outside(ip: &str, port: &str) -> String {
    let ip = if ip == "0.0.0.0" || ip == "::" { "" } else { ip };
    let port = if port == "0" { "" } else { port };
    format!("{ip}:{port}")
}

/// A published port as written.
struct Port<'a> {
    ip: Option<&'a str>,
    host: Vec<u16>,
    inside: Vec<u16>,
    protocol: &'a str,
    host_text: &'a str,
    inside_text: &'a str,
}

impl<'a> Port<'a> {
    fn new(text: &'a str, default_ip: Option<&'a str>) -> Result<Port<'a>, Fail> {
        let wrong = || Fail::new(format!("published_ports: {text:?} is not [[IP:]PORT:]PORT[/PROTOCOL]"));
        let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let (rest, inside_text) = ports.rsplit_once(':').map_or((None, ports), |(a, b)| (Some(a), b));
        let (ip, host_text) = match rest {
            None => (None, ""),
            Some(rest) => match rest.rsplit_once(':') {
                Some((ip, host)) => (Some(ip.trim_start_matches('[').trim_end_matches(']')), host),
                None => (None, rest),
            },
        };
        let inside = range(inside_text).ok_or_else(wrong)?;
        let host = if host_text.is_empty() { Vec::new() } else { range(host_text).ok_or_else(wrong)? };
        // Several ports of the host for one of the container: the engine takes a free one.
        if host.len() != inside.len() && !host.is_empty() && inside.len() != 1 {
            return Err(Fail::new(format!("published_ports: {text:?}: the ranges are of different length")));
        }
        Ok(Port { ip: ip.or(default_ip), host, inside, protocol, host_text, inside_text })
    }

    fn word(&self) -> String {
        let ip = match self.ip {
            Some(ip) if ip.contains(':') => format!("[{ip}]:"),
            Some(ip) => format!("{ip}:"),
            None => String::new(),
        };
        let host = if ip.is_empty() && self.host_text.is_empty() {
            String::new()
        } else {
            format!("{}:", self.host_text)
        };
        format!("{ip}{host}{}/{}", self.inside_text, self.protocol)
    }

    /// Each port of the container with the host's end.
    fn bindings(&self) -> Vec<(String, String)> {
        let ip = self.ip.unwrap_or_default();
        let inside = self.inside.iter().enumerate().map(|(number, inside)| {
            let port = match (self.host.len(), self.inside.len()) {
                (0, _) => String::new(),
                (hosts, 1) if hosts > 1 => self.host_text.to_owned(),
                _ => self.host.get(number).map(u16::to_string).unwrap_or_default(),
            };
            (format!("{inside}/{}", self.protocol), outside(ip, &port))
        });
        inside.collect()
    }
}

/// `80` or `7000-7005`.
fn range(text: &str) -> Option<Vec<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then(|| (first..=last).collect())
}
