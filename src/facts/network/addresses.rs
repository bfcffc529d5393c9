//! The addresses of interfaces: what `ip` says, or without it what `/proc/net` lets one conclude.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::facts::source::{Source, put};
use crate::modules::api::{Map, Value};

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub interface: String,
    /// The interface, or its old-style alias (`eth0:1`).
    pub label: String,
    pub ip: IpAddr,
    pub prefix: u8,
    pub broadcast: Option<Ipv4Addr>,
    /// `global`, `link`, `host`.
    pub scope: String,
}

impl Address {
    pub fn version(&self) -> u8 {
        if self.ip.is_ipv4() { 4 } else { 6 }
    }

    /// Its network as `10.0.0.0/8`.
    pub fn network_text(&self) -> String {
        match self.ip {
            IpAddr::V4(ip) => format!("{}/{}", network(ip, self.prefix), self.prefix),
            IpAddr::V6(ip) => format!("{ip}/{}", self.prefix),
        }
    }

    /// Adds its facts: address, prefix and what belongs to its version.
    pub fn describe(&self, map: &mut Map) {
        put(map, "address", self.ip.to_string());
        match self.ip {
            IpAddr::V4(ip) => {
                put(map, "broadcast", self.broadcast.map(|it| it.to_string()).unwrap_or_default());
                put(map, "netmask", Ipv4Addr::from(mask(self.prefix)).to_string());
                put(map, "network", network(ip, self.prefix).to_string());
                put(map, "prefix", self.prefix.to_string());
            }
            IpAddr::V6(_) => {
                put(map, "prefix", self.prefix.to_string());
                put(map, "scope", self.scope.as_str());
            }
        }
    }
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0)
}

fn network(ip: Ipv4Addr, prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(ip) & mask(prefix))
}

pub(super) fn read(source: &Source) -> Vec<Address> {
    if let Some(text) = source.output(&["ip", "-o", "addr", "show"]) {
        return text.lines().filter_map(line).collect();
    }
    let read = |file: &str| source.text(format!("/proc/net/{file}")).unwrap_or_default();
    let mut found = v4_from_tables(&read("fib_trie"), &read("route"));
    found.extend(v6_from_table(&read("if_inet6")));
    found
}

/// Adds `ipv4`, `ipv4_secondaries` and `ipv6` of one interface.
pub(super) fn describe(addresses: &[Address], interface: &str, link: &mut Map) {
    let own = || addresses.iter().filter(|it| it.interface == interface);
    let one = |address: &Address| {
        let mut map = Map::new();
        address.describe(&mut map);
        Value::map(map)
    };
    let mut v4 = own().filter(|it| it.version() == 4);
    if let Some(first) = v4.next() {
        put(link, "ipv4", one(first));
        let more: Vec<_> = v4.map(one).collect();
        if !more.is_empty() {
            put(link, "ipv4_secondaries", more);
        }
    }
    let v6: Vec<_> = own().filter(|it| it.version() == 6).map(one).collect();
    if !v6.is_empty() {
        put(link, "ipv6", v6);
    }
}

/// A line of `ip -o addr`: `4: eth0    inet 192.0.2.2/24 brd 192.0.2.255 scope global eth0\  valid_lft …`.
fn line(text: &str) -> Option<Address> {
    let text = text.split('\\').next()?;
    let mut words = text.split_whitespace().skip(1);
    let interface = words.next()?.trim_end_matches(':').split('@').next()?.to_owned();
    let family = words.next()?;
    if family != "inet" && family != "inet6" {
        return None;
    }
    let (ip, mut prefix) = split_prefix(words.next()?);
    let ip: IpAddr = ip.parse().ok()?;
    let mut address =
        Address { label: interface.clone(), interface, ip, prefix: 0, broadcast: None, scope: String::new() };
    let mut last = None;
    while let Some(word) = words.next() {
        match word {
            "peer" => prefix = split_prefix(words.next()?).1,
            "brd" => address.broadcast = words.next()?.parse().ok(),
            "scope" => words.next()?.clone_into(&mut address.scope),
            other => last = Some(other),
        }
    }
    if let Some(label) = last.filter(|it| it.split(':').next() == Some(address.interface.as_str())) {
        label.clone_into(&mut address.label);
    }
    address.prefix = prefix.unwrap_or(if ip.is_ipv4() { 32 } else { 128 });
    Some(address)
}

fn split_prefix(text: &str) -> (&str, Option<u8>) {
    match text.split_once('/') {
        Some((ip, prefix)) => (ip, prefix.parse().ok()),
        None => (text, None),
    }
}

/// Local addresses from the routing trie, laid on interfaces by the networks of the main table. An address whose
/// network has no route of its own stays unknown: the price of a host without `ip`.
fn v4_from_tables(trie: &str, route: &str) -> Vec<Address> {
    let mut local: Vec<Ipv4Addr> = Vec::new();
    let mut broadcasts: Vec<Ipv4Addr> = Vec::new();
    let mut current = None;
    for line in trie.lines() {
        let line = line.trim();
        if let Some(ip) = line.strip_prefix("|-- ") {
            current = ip.parse().ok();
        } else if let Some(ip) = current {
            if line.starts_with("/32 host LOCAL") && !local.contains(&ip) {
                local.push(ip);
            } else if line.starts_with("/32 link BROADCAST") && !broadcasts.contains(&ip) {
                broadcasts.push(ip);
            }
        }
    }
    let networks: Vec<_> = route.lines().skip(1).filter_map(connected).collect();
    local
        .into_iter()
        .filter_map(|ip| {
            let (interface, prefix) = if ip.is_loopback() {
                ("lo".to_owned(), 8)
            } else {
                let of = networks.iter().filter(|(_, net, prefix)| network(ip, *prefix) == *net);
                let (interface, _, prefix) = of.max_by_key(|(_, _, prefix)| *prefix)?;
                (interface.clone(), *prefix)
            };
            let last = Ipv4Addr::from(u32::from(ip) | !mask(prefix));
            Some(Address {
                label: interface.clone(),
                interface,
                ip: IpAddr::V4(ip),
                prefix,
                broadcast: broadcasts.contains(&last).then_some(last).filter(|_| !ip.is_loopback()),
                scope: if ip.is_loopback() { "host".into() } else { "global".into() },
            })
        })
        .collect()
}

/// Interface, network and prefix of a line of `/proc/net/route` that has no gateway.
fn connected(line: &str) -> Option<(String, Ipv4Addr, u8)> {
    let words: Vec<_> = line.split_whitespace().collect();
    let [interface, target, gateway, _, _, _, _, mask, ..] = words[..] else { return None };
    let hex = |word: &str| u32::from_str_radix(word, 16).ok().map(u32::swap_bytes);
    if hex(gateway)? != 0 || hex(mask)? == 0 {
        return None;
    }
    Some((interface.to_owned(), Ipv4Addr::from(hex(target)?), u8::try_from(hex(mask)?.count_ones()).ok()?))
}

/// Lines of `/proc/net/if_inet6`: address, index, prefix, scope, flags, interface.
fn v6_from_table(text: &str) -> Vec<Address> {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines
        .filter_map(|words| {
            let [ip, _, prefix, scope, _, interface] = words[..] else { return None };
            Some(Address {
                interface: interface.to_owned(),
                label: interface.to_owned(),
                ip: IpAddr::V6(Ipv6Addr::from(u128::from_str_radix(ip, 16).ok()?)),
                prefix: u8::from_str_radix(prefix, 16).ok()?,
                broadcast: None,
                scope: match scope {
                    "10" => "host",
                    "20" => "link",
                    "40" => "site",
                    _ => "global",
                }
                .to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_ip_are_read() {
        let short = |text: &str| {
            line(text).map(|it| {
                let broadcast = it.broadcast.map(|it| it.to_string()).unwrap_or_default();
                format!("{} {} {}/{} {broadcast} {}", it.interface, it.label, it.ip, it.prefix, it.scope)
            })
        };
        for (text, expected) in [
            (
                "4: eth0    inet 192.0.2.2/24 brd 192.0.2.255 scope global eth0\\       valid_lft forever",
                Some("eth0 eth0 192.0.2.2/24 192.0.2.255 global"),
            ),
            (
                "2: eth0    inet 10.0.0.3/8 scope global secondary dynamic eth0:1\\  valid_lft 5sec",
                Some("eth0 eth0:1 10.0.0.3/8  global"),
            ),
            (
                "7: tun0    inet 10.8.0.1 peer 10.8.0.2/32 scope global tun0",
                Some("tun0 tun0 10.8.0.1/32  global"),
            ),
            ("1: lo    inet6 ::1/128 scope host \\  valid_lft", Some("lo lo ::1/128  host")),
            ("4: eth0    inet6 fe80::1/64 scope link nodad \\  x", Some("eth0 eth0 fe80::1/64  link")),
            ("4: eth0: <BROADCAST> mtu 1500", None),
            ("garbage", None),
        ] {
            assert_eq!(short(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn without_ip_the_routing_tables_tell() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 127.0.0.1\n        /32 host LOCAL\n     |-- 192.0.2.2\n        \
            /32 host LOCAL\n     |-- 192.0.2.255\n        /32 link BROADCAST\n     |-- 198.51.100.7\n        \
            /32 host LOCAL\nLocal:\n     |-- 192.0.2.2\n        /32 host LOCAL\n";
        let route = "Iface\tDestination\tGateway\n\
            eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
            eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
        let found: Vec<_> = v4_from_tables(trie, route)
            .iter()
            .map(|it| format!("{} {}/{} {:?}", it.interface, it.ip, it.prefix, it.broadcast))
            .collect();
        assert_eq!(found, ["lo 127.0.0.1/8 None", "eth0 192.0.2.2/24 Some(192.0.2.255)"]);
        let six = v6_from_table("fe8000000000000000fc00fffe000001 04 40 20 80     eth0\nbroken\n");
        assert_eq!(
            (six.len(), six[0].ip.to_string(), six[0].prefix, six[0].scope.as_str()),
            (1, "fe80::fc:ff:fe00:1".to_owned(), 64, "link")
        );
    }

    #[test]
    fn networks_and_masks_of_every_prefix() {
        for (prefix, text, net) in [
            (0, "0.0.0.0", "0.0.0.0"),
            (8, "255.0.0.0", "10.0.0.0"),
            (31, "255.255.255.254", "10.1.2.2"),
            (32, "255.255.255.255", "10.1.2.3"),
        ] {
            assert_eq!(Ipv4Addr::from(mask(prefix)).to_string(), text);
            assert_eq!(network(Ipv4Addr::new(10, 1, 2, 3), prefix).to_string(), net);
        }
    }
}
