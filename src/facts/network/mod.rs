//! The subset `network`: interfaces, their addresses and the default routes; and small facts near it (`dns` …).

mod addresses;
mod links;
mod routes;

use std::net::IpAddr;

use super::source::{Source, put};
use crate::modules::api::{Map, Value};
use addresses::Address;

pub(super) fn gather(source: &Source, facts: &mut Map) {
    let addresses = addresses::read(source);
    let names: Vec<_> = source
        .names("/sys/class/net")
        .into_iter()
        .filter(|name| source.exists(format!("/sys/class/net/{name}/address")))
        .collect();
    put(facts, "interfaces", names.clone());
    let mut links = Map::new();
    for name in &names {
        let mut link = links::describe(source, name);
        addresses::describe(&addresses, name, &mut link);
        links.insert(name.as_str().into(), Value::map(link));
    }
    let of = |name: &str, version: u8| {
        let own = addresses.iter().find(|it| it.interface == name && it.version() == version);
        own.map(|it| it.ip)
    };
    let v4 = routes::default_v4(source);
    let v4 = v4.map(|route| (route.source.or_else(|| of(&route.interface, 4)), route));
    put(facts, "default_ipv4", default(v4, &addresses, &links));
    let v6 = routes::default_v6(source);
    let v6 = v6.map(|route| (route.source.or_else(|| of(&route.interface, 6)), route));
    put(facts, "default_ipv6", default(v6, &addresses, &links));
    let all = |version: u8| -> Vec<String> {
        let own = addresses.iter().filter(|it| it.version() == version && !it.ip.is_loopback());
        own.map(|it| it.ip.to_string()).collect()
    };
    put(facts, "all_ipv4_addresses", all(4));
    put(facts, "all_ipv6_addresses", all(6));
    put(facts, "locally_reachable_ips", reachable(&addresses));
    for (name, link) in links {
        put(facts, &name.replace(['-', '.', ':', '!'], "_"), link);
    }
}

/// `default_ipv4` and `default_ipv6`: the address that packets to the internet would carry.
fn default(route: Option<(Option<IpAddr>, routes::Route)>, addresses: &[Address], links: &Map) -> Value {
    let Some((source, route)) = route else { return Value::map(Map::new()) };
    let mut map = Map::new();
    if let Some(gateway) = route.gateway {
        put(&mut map, "gateway", gateway.to_string());
    }
    put(&mut map, "interface", route.interface.as_str());
    if let Some(ip) = source {
        put(&mut map, "address", ip.to_string());
        if let Some(address) = addresses.iter().find(|it| it.ip == ip) {
            address.describe(&mut map);
            if address.version() == 4 {
                put(&mut map, "alias", address.label.as_str());
            }
        }
    }
    for name in ["macaddress", "mtu", "type"] {
        if let Some(value) = links.get(route.interface.as_str()).and_then(|link| link.get(name)) {
            put(&mut map, name, value.clone());
        }
    }
    Value::map(map)
}

/// Every address that reaches this host itself.
fn reachable(addresses: &[Address]) -> Value {
    let of = |version: u8| -> Vec<String> {
        let own = addresses.iter().filter(|it| it.version() == version);
        let mut all: Vec<_> = own
            .flat_map(|it| {
                let whole = (it.ip.is_loopback() && version == 4).then(|| it.network_text());
                whole.into_iter().chain([it.ip.to_string()])
            })
            .collect();
        all.sort();
        all.dedup();
        all
    };
    Value::from_pairs([("ipv4", of(4)), ("ipv6", of(6))])
}

/// What `/etc/resolv.conf` says.
pub(super) fn dns(source: &Source, facts: &mut Map) {
    let text = source.text("/etc/resolv.conf").unwrap_or_default();
    put(facts, "dns", resolver(&text));
}

fn resolver(text: &str) -> Map {
    let mut map = Map::new();
    for line in text.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let Some((first, rest)) = words.split_first().filter(|(first, _)| !first.starts_with(['#', ';']))
        else {
            continue;
        };
        match *first {
            "nameserver" => {
                let mut all = map.get("nameservers").and_then(Value::as_list).unwrap_or_default().to_vec();
                all.extend(rest.iter().map(|word| Value::from(*word)));
                put(&mut map, "nameservers", all);
            }
            "domain" => {
                if let Some(domain) = rest.first() {
                    put(&mut map, "domain", *domain);
                }
            }
            "search" | "sortlist" => put(&mut map, first, rest.to_vec()),
            "options" => {
                let options = rest.iter().map(|word| match word.split_once(':') {
                    Some((name, value)) => (name, Value::from(value)),
                    None => (*word, Value::from(true)),
                });
                put(&mut map, "options", Value::from_pairs(options));
            }
            _ => {}
        }
    }
    map
}

pub(super) fn iscsi(source: &Source, facts: &mut Map) {
    let text = source.text("/etc/iscsi/initiatorname.iscsi").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("InitiatorName="));
    put(facts, "iscsi_iqn", name.unwrap_or_default().trim());
}

pub(super) fn nvme(source: &Source, facts: &mut Map) {
    put(facts, "hostnqn", source.line("/etc/nvme/hostnqn").unwrap_or_default());
}

pub(super) fn fibre_channel(source: &Source, facts: &mut Map) {
    let hosts = source.names("/sys/class/fc_host");
    let ports = hosts.iter().filter_map(|host| source.line(format!("/sys/class/fc_host/{host}/port_name")));
    let ports: Vec<_> = ports.map(|port| port.trim_start_matches("0x").to_owned()).collect();
    put(facts, "fibre_channel_wwn", ports);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resolvers_file_becomes_a_mapping() {
        let text =
            "# c\nnameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch a.org b.org\noptions ndots:5 rotate\n";
        let expected = "{'nameservers': ['10.0.0.1', '10.0.0.2'], 'search': ['a.org', 'b.org'], \
            'options': {'ndots': '5', 'rotate': True}}";
        assert_eq!(Value::from(resolver(text)).to_string(), expected);
    }
}
