//! What `ipaddr` can be asked of an address or network.

use minijinja::value::{Value, ValueKind};

use super::address::Net;
use crate::template::filters::python;
use crate::template::filters::{Args, Outcome};

const NONE: Outcome<Option<Value>> = Ok(None);

/// The answer; null where the address is not of the kind that is asked for, false where there is none.
pub(super) fn answer(args: &Args, net: &Net, query: &Value) -> Outcome {
    let text = python::text(query);
    if let Ok(index) = text.parse::<i128>() {
        return Ok(at(net, index).map_or(Value::from(false), Value::from));
    }
    if query.kind() == ValueKind::Bool || text.is_empty() {
        return Ok(net.text().into());
    }
    if let Some(other) = Net::parse(&text) {
        return Ok(other.has(net).then(|| net.text()).into());
    }
    let found = match kind(net, &text) {
        Some(true) => Some(net.text().into()),
        Some(false) => None,
        None => match part(net, &text) {
            Some(found) => Some(found),
            None => usable(args, net, &text)?,
        },
    };
    Ok(found.unwrap_or(Value::from(())))
}

/// The address at a place of the network, with its prefix; negative places count from the end.
fn at(net: &Net, index: i128) -> Option<String> {
    if net.span() == 0 {
        return Some(net.text());
    }
    place(net, index).map(|address| Net { address, ..*net }.cidr())
}

/// The address at a place of the network.
pub(super) fn place(net: &Net, index: i128) -> Option<u128> {
    let distance = index.unsigned_abs() - u128::from(index < 0);
    (distance <= net.span()).then(|| if index < 0 { net.last() - distance } else { net.first() + distance })
}

fn inside(net: &Net, networks: &[&str]) -> bool {
    networks
        .iter()
        .filter_map(|it| Net::parse(it))
        .any(|it| it.six == net.six && it.first() <= net.address && net.address <= it.last())
}

/// The networks that the registry keeps for private and special use.
const SPECIAL: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::/127",
    "::ffff:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "fc00::/7",
    "fe80::/10",
];

/// Whether it is of a kind; none if the word names no kind.
fn kind(net: &Net, query: &str) -> Option<bool> {
    let multicast = inside(net, &["224.0.0.0/4", "ff00::/8"]);
    Some(match query {
        "private" => !multicast && inside(net, SPECIAL),
        "public" => !multicast && !inside(net, SPECIAL),
        "loopback" | "lo" => inside(net, &["127.0.0.0/8", "::1/128"]),
        "multicast" => multicast,
        "unicast" => !multicast,
        "link-local" => inside(net, &["169.254.0.0/16", "fe80::/10"]),
        _ => return None,
    })
}

/// Whether it is a host inside a network of more than two, not the network itself.
fn is_host(net: &Net) -> bool {
    net.span() <= 1 || net.address != net.first()
}

fn part(net: &Net, query: &str) -> Option<Value> {
    let network = net.span() > 0 && net.address == net.first();
    let or_null = |holds: bool, text: String| holds.then_some(text).into();
    let four = |text: String| if net.six { Value::from(false) } else { text.into() };
    Some(match query {
        "bool" => true.into(),
        "address" | "ip" => or_null(is_host(net) || net.six, net.host()),
        "gateway" | "router" | "hostnet" | "host/prefix" | "address/prefix" => {
            let edge = !is_host(net) || (!net.six && net.span() > 1 && net.address == net.last());
            if edge { false.into() } else { net.cidr().into() }
        }
        "ip/prefix" => or_null(net.span() > 0 && is_host(net), net.cidr()),
        "ip_netmask" => {
            or_null(net.span() > 0 && is_host(net), format!("{} {}", net.host(), net.show(netmask(net))))
        }
        "host" => or_null(is_host(net), net.cidr()),
        "net" => or_null(network, net.network().cidr()),
        "network" | "network_id" => net.show(net.first()).into(),
        "network/prefix" | "subnet" => net.network().cidr().into(),
        "netmask" => net.show(netmask(net)).into(),
        "hostmask" | "wildcard" => net.show(net.host_mask()).into(),
        "network_netmask" => format!("{} {}", net.show(net.first()), net.show(netmask(net))).into(),
        "network_wildcard" => format!("{} {}", net.show(net.first()), net.show(net.host_mask())).into(),
        "prefix" => net.prefix.into(),
        "broadcast" => or_null(net.span() > 1, net.show(net.last())),
        "size" => {
            net.span().checked_add(1).map_or_else(|| "340282366920938463463374607431768211456".into(), small)
        }
        "int" if net.written => format!("{}/{}", net.address, net.prefix).into(),
        "int" => small(net.address),
        "type" => if network { "network" } else { "address" }.into(),
        "version" => if net.six { 6 } else { 4 }.into(),
        "cidr" => net.cidr().into(),
        "wrap" => net.wrapped().into(),
        "ipv4" => four(net.text()),
        "ipv6" if net.six => net.text().into(),
        "ipv6" => format!("::ffff:{}/{}", net.host(), net.prefix + 96).into(),
        "revdns" => reverse(net).into(),
        "6to4" if net.six || !is_host(net) || (net.span() == 1 && network) => false.into(),
        "6to4" => format!("2002:{:04x}:{:04x}::1/48", net.address >> 16, net.address & 0xffff).into(),
        _ => return None,
    })
}

fn small(number: u128) -> Value {
    i64::try_from(number).map_or_else(|_| Value::from(number), Value::from)
}

fn netmask(net: &Net) -> u128 {
    let all = if net.six { u128::MAX } else { u128::from(u32::MAX) };
    all & !net.host_mask()
}

/// The first and the last address that hosts can have; none for a single address.
pub(super) fn hosts(net: &Net) -> Option<(u128, u128)> {
    match net.span() {
        0 => None,
        1 => Some((net.first(), net.last())),
        _ => Some((net.first() + 1, net.last() - 1)),
    }
}

/// What is asked of the addresses that hosts can have.
fn usable(args: &Args, net: &Net, query: &str) -> Outcome<Option<Value>> {
    let show = |address: u128| Some(Value::from(net.show(address)));
    match query {
        "peer" => {
            return match net.span() {
                1 => Ok(show(net.address ^ 1)),
                3 if net.address != net.first() && net.address != net.last() => Ok(show(net.address ^ 3)),
                _ => Err(args.fail("not a point-to-point network")),
            };
        }
        "size_usable" => {
            return Ok(Some(hosts(net).map_or(0.into(), |(first, last)| small(last - first + 1))));
        }
        "range_usable" | "first_usable" | "last_usable" | "next_usable" | "previous_usable" => {}
        other => return Err(args.fail(format!("unknown query '{other}'"))),
    }
    if !net.written {
        return Err(args.fail("not a network address"));
    }
    let Some((first, last)) = hosts(net) else { return NONE };
    let within = |address: Option<u128>| address.filter(|it| (first..=last).contains(it)).and_then(show);
    Ok(match query {
        "range_usable" => Some(format!("{}-{}", net.show(first), net.show(last)).into()),
        "first_usable" => show(first),
        "last_usable" => show(last),
        "next_usable" => within(net.address.checked_add(1)),
        _ => within(net.address.checked_sub(1)),
    })
}

fn reverse(net: &Net) -> String {
    if !net.six {
        let parts: Vec<String> = (0..4).map(|at| ((net.address >> (8 * at)) & 255).to_string()).collect();
        return format!("{}.in-addr.arpa.", parts.join("."));
    }
    let digits: Vec<String> = (0..32).map(|at| format!("{:x}", (net.address >> (4 * at)) & 15)).collect();
    format!("{}.ip6.arpa.", digits.join("."))
}
