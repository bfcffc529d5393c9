//! Interfaces without their addresses, from `/sys/class/net`.

use crate::facts::source::{Source, put};
use crate::modules::api::{Map, Value};

/// The interface's flag for receiving everything, from `linux/if.h`.
const PROMISCUOUS: i64 = 0x100;

pub(super) fn describe(source: &Source, name: &str) -> Map {
    let folder = format!("/sys/class/net/{name}");
    let read = |file: &str| source.line(format!("{folder}/{file}"));
    let mut link = Map::new();
    put(&mut link, "device", name);
    if let Some(address) = read("address").filter(|it| it != "00:00:00:00:00:00") {
        put(&mut link, "macaddress", address);
    }
    if let Some(mtu) = source.number(format!("{folder}/mtu")) {
        put(&mut link, "mtu", mtu);
    }
    if let Some(state) = read("operstate") {
        put(&mut link, "active", state != "down");
    }
    if let Some(module) = source.link_name(format!("{folder}/device/driver/module")) {
        put(&mut link, "module", module);
    }
    let kind = match read("type").as_deref() {
        Some("1") => Some("ether"),
        Some("32") => Some("infiniband"),
        Some("512") => Some("ppp"),
        Some("772") => Some("loopback"),
        Some("65534") => Some("tunnel"),
        _ => None,
    };
    if let Some(kind) = kind {
        put(&mut link, "type", kind);
    }
    bridge(source, &folder, &mut link);
    bond(source, &folder, &mut link);
    if let Some(device) = source.link_name(format!("{folder}/device")) {
        put(&mut link, "pciid", device);
    }
    if let Some(speed) = source.number(format!("{folder}/speed")) {
        put(&mut link, "speed", speed);
    }
    let flags = read("flags").and_then(|text| i64::from_str_radix(text.trim_start_matches("0x"), 16).ok());
    if let Some(flags) = flags {
        put(&mut link, "promisc", flags & PROMISCUOUS != 0);
    }
    link
}

fn bridge(source: &Source, folder: &str, link: &mut Map) {
    if !source.exists(format!("{folder}/bridge")) {
        return;
    }
    put(link, "type", "bridge");
    put(link, "interfaces", source.names(format!("{folder}/brif")));
    if let Some(id) = source.line(format!("{folder}/bridge/bridge_id")) {
        put(link, "id", id);
    }
    if let Some(state) = source.line(format!("{folder}/bridge/stp_state")) {
        put(link, "stp", state == "1");
    }
}

fn bond(source: &Source, folder: &str, link: &mut Map) {
    let first = |file: &str| {
        let line = source.line(format!("{folder}/bonding/{file}"))?;
        line.split_whitespace().next().map(str::to_owned)
    };
    let Some(mode) = first("mode") else { return };
    put(link, "type", "bonding");
    let slaves = source.line(format!("{folder}/bonding/slaves")).unwrap_or_default();
    put(link, "slaves", slaves.split_whitespace().collect::<Vec<_>>());
    put(link, "mode", mode);
    for (name, file) in [("miimon", "miimon"), ("lacp_rate", "lacp_rate"), ("primary", "primary")] {
        if let Some(value) = first(file) {
            put(link, name, Value::from(value));
        }
    }
    if let Some(all) = first("all_slaves_active") {
        put(link, "all_slaves_active", all == "1");
    }
}
