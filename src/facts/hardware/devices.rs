//! `devices` and `device_links`: block devices, their partitions and names, from `/sys/block` and `/dev/disk`.

use std::collections::BTreeMap;

use super::human;
use crate::facts::source::Source;
use crate::modules::api::{Map, Str, Value};

/// The names that udev gives to devices.
pub(super) struct Links {
    /// By kind (`ids`, `uuids`, `labels`, `masters`) and device.
    kinds: BTreeMap<&'static str, BTreeMap<String, Vec<String>>>,
}

impl Links {
    pub fn read(source: &Source) -> Links {
        let mut kinds = BTreeMap::new();
        for (kind, folder) in [("ids", "by-id"), ("labels", "by-label"), ("uuids", "by-uuid")] {
            let mut devices: BTreeMap<String, Vec<String>> = BTreeMap::new();
            let folder = format!("/dev/disk/{folder}");
            for name in source.names(&folder) {
                if let Some(device) = source.link_name(format!("{folder}/{name}")) {
                    devices.entry(device).or_default().push(name.replace("\\x20", " "));
                }
            }
            kinds.insert(kind, devices);
        }
        let mut masters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for device in source.names("/sys/block") {
            for slave in source.names(format!("/sys/block/{device}/slaves")) {
                masters.entry(slave).or_default().push(device.clone());
            }
        }
        kinds.insert("masters", masters);
        Links { kinds }
    }

    /// The names of one kind of a device, given as `sda1` or `/dev/sda1`.
    pub fn of(&self, kind: &str, device: &str) -> &[String] {
        let name = device.strip_prefix("/dev/").unwrap_or(device);
        self.kinds.get(kind).and_then(|devices| devices.get(name)).map_or(&[], Vec::as_slice)
    }

    pub fn to_value(&self) -> Value {
        Value::from_pairs(self.kinds.iter().map(|(kind, devices)| {
            let devices = devices.iter().map(|(name, links)| (name.as_str(), Value::from(links.clone())));
            (*kind, Value::from_pairs(devices))
        }))
    }

    fn all(&self, device: &str) -> Value {
        Value::from_pairs(self.kinds.keys().map(|kind| (*kind, Value::from(self.of(kind, device).to_vec()))))
    }
}

pub(super) fn gather(source: &Source, links: &Links) -> Value {
    let names = source.names("/sys/block");
    Value::from_pairs(names.into_iter().map(|name| {
        let device = device(source, &name, links);
        (Str::from(name.replace('!', "/")), device)
    }))
}

fn device(source: &Source, name: &str, links: &Links) -> Value {
    let folder = format!("/sys/block/{name}");
    let read = |file: &str| source.line(format!("{folder}/{file}"));
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| map.insert(Str::from(key), value);
    // Always 1 there too, whatever the device is.
    put("virtual", 1.into());
    put("links", links.all(name));
    for (key, file) in [
        ("vendor", "device/vendor"),
        ("model", "device/model"),
        ("sas_address", "device/sas_address"),
        ("sas_device_handle", "device/sas_device_handle"),
    ] {
        put(key, read(file).into());
    }
    for (key, file) in [("serial", "device/serial"), ("wwn", "device/wwid")] {
        if let Some(value) = read(file) {
            put(key, value.into());
        }
    }
    put("removable", read("removable").into());
    put("support_discard", read("queue/discard_granularity").into());
    put("rotational", read("queue/rotational").into());
    put("scheduler_mode", scheduler(&read("queue/scheduler").unwrap_or_default()).into());
    put("partitions", partitions(source, &folder, name, links));
    extent(source, &folder, read("queue/logical_block_size"), &mut put);
    put("host", "".into());
    put("holders", source.names(format!("{folder}/holders")).into());
    Value::map(map)
}

/// `sectors`, `sectorsize` and `size`. The kernel counts in units of 512 bytes whatever the device does.
fn extent(
    source: &Source,
    folder: &str,
    sector: Option<String>,
    put: &mut impl FnMut(&str, Value) -> Option<Value>,
) {
    let units = source.number(format!("{folder}/size")).unwrap_or(0);
    let sector = sector.unwrap_or_else(|| "512".into());
    let bytes = u64::try_from(units).unwrap_or(0).saturating_mul(512);
    put("sectors", units.into());
    put("sectorsize", sector.into());
    put("size", human(bytes).into());
}

/// The chosen one stands in brackets: `none [mq-deadline]`.
fn scheduler(text: &str) -> &str {
    text.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(name, _)| name)
}

fn partitions(source: &Source, folder: &str, name: &str, links: &Links) -> Value {
    let parts = source.names(folder).into_iter().filter(|part| part.starts_with(name));
    Value::from_pairs(parts.map(|part| {
        let folder = format!("{folder}/{part}");
        let mut map = Map::new();
        let mut put = |key: &str, value: Value| map.insert(Str::from(key), value);
        put("links", links.all(&part));
        put("start", source.line(format!("{folder}/start")).into());
        extent(source, &folder, None, &mut put);
        put("uuid", links.of("uuids", &part).first().cloned().into());
        put("holders", source.names(format!("{folder}/holders")).into());
        (Str::from(part), Value::map(map))
    }))
}

#[cfg(test)]
mod tests {
    use super::scheduler;

    #[test]
    fn the_scheduler_in_brackets_is_the_chosen_one() {
        assert_eq!(scheduler("none [mq-deadline] kyber"), "mq-deadline");
        assert_eq!(scheduler("none"), "");
    }
}
