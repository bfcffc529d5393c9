//! Where packets to the internet would go: asked from `ip`, else read from the kernel's main routing tables.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::facts::source::Source;

/// A way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub interface: String,
    pub gateway: Option<IpAddr>,
    /// The address that packets on this way carry, if known.
    pub source: Option<IpAddr>,
}

/// The question is answered by the routing tables; nothing is sent.
pub(super) fn default_v4(source: &Source) -> Option<Route> {
    match source.output(&["ip", "-4", "route", "get", "8.8.8.8"]) {
        Some(text) => answer(&text),
        None => from_v4_table(&source.text("/proc/net/route")?),
    }
}

pub(super) fn default_v6(source: &Source) -> Option<Route> {
    match source.output(&["ip", "-6", "route", "get", "2404:6800:400a:800::1012"]) {
        Some(text) => answer(&text),
        None => from_v6_table(&source.text("/proc/net/ipv6_route")?),
    }
}

/// `8.8.8.8 via 192.0.2.1 dev eth0 src 192.0.2.2 uid 0`.
fn answer(text: &str) -> Option<Route> {
    let words: Vec<_> = text.lines().next()?.split_whitespace().collect();
    let after = |name: &str| words.windows(2).find(|pair| pair[0] == name).map(|pair| pair[1]);
    let interface = after("dev").filter(|name| *name != "lo")?;
    // A gateway of the other family is written `via inet6 fe80::1`.
    let via = after("via").filter(|word| !word.starts_with("inet")).or(after("inet6"));
    Some(Route {
        interface: interface.to_owned(),
        gateway: via.and_then(|ip| ip.parse().ok()),
        source: after("src").and_then(|ip| ip.parse().ok()),
    })
}

/// The default route of the lowest metric in `/proc/net/route`.
fn from_v4_table(text: &str) -> Option<Route> {
    let lines = text.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let routes = lines.filter_map(|words| {
        let [interface, target, gateway, _, _, _, metric, mask, ..] = words[..] else { return None };
        let gateway = u32::from_str_radix(gateway, 16).ok()?.swap_bytes();
        (target == "00000000" && mask == "00000000").then(|| {
            let route = Route {
                interface: interface.to_owned(),
                gateway: (gateway != 0).then(|| IpAddr::V4(Ipv4Addr::from(gateway))),
                source: None,
            };
            (metric.parse::<u32>().unwrap_or(u32::MAX), route)
        })
    });
    routes.min_by_key(|(metric, _)| *metric).map(|(_, route)| route)
}

/// The default route of the lowest metric in `/proc/net/ipv6_route`.
fn from_v6_table(text: &str) -> Option<Route> {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let routes = lines.filter_map(|words| {
        let [target, prefix, _, _, gateway, metric, _, _, _, interface] = words[..] else { return None };
        if prefix != "00" || !target.trim_start_matches('0').is_empty() || interface == "lo" {
            return None;
        }
        let gateway = u128::from_str_radix(gateway, 16).ok()?;
        let route = Route {
            interface: interface.to_owned(),
            gateway: (gateway != 0).then(|| IpAddr::V6(Ipv6Addr::from(gateway))),
            source: None,
        };
        Some((u32::from_str_radix(metric, 16).unwrap_or(u32::MAX), route))
    });
    routes.min_by_key(|(metric, _)| *metric).map(|(_, route)| route)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(route: Option<Route>) -> String {
        route.map_or("none".into(), |it| {
            let text = |ip: Option<IpAddr>| ip.map_or("-".into(), |ip| ip.to_string());
            format!("{} {} {}", it.interface, text(it.gateway), text(it.source))
        })
    }

    #[test]
    fn the_answer_of_ip_is_read() {
        for (text, expected) in [
            ("8.8.8.8 via 192.0.2.1 dev eth0 src 192.0.2.2 uid 0 \n    cache \n", "eth0 192.0.2.1 192.0.2.2"),
            ("8.8.8.8 dev wg0 src 10.0.0.9 \n", "wg0 - 10.0.0.9"),
            ("8.8.8.8 via inet6 fe80::1 dev eth0 src 10.0.0.9", "eth0 fe80::1 10.0.0.9"),
            ("2404:: from :: via fd00::1 dev eth0 src fd00::2 metric 1024", "eth0 fd00::1 fd00::2"),
            ("unreachable 2404:: dev lo", "none"),
            ("", "none"),
        ] {
            assert_eq!(short(answer(text)), expected, "{text}");
        }
    }

    #[test]
    fn without_ip_the_tables_name_the_default_route_of_the_lowest_metric() {
        let four = "Iface\nwlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n\
            eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
        assert_eq!(short(from_v4_table(four)), "eth0 192.0.2.1 -");
        let zero = "0".repeat(32);
        let six = format!(
            "{zero} 00 {zero} 00 fd000000000000000000000000000001 00000400 00000003 00000000 00000003     eth0\n\
             {zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200       lo\n"
        );
        assert_eq!(short(from_v6_table(&six)), "eth0 fd00::1 -");
    }
}
