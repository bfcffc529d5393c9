//! What the firmware says of the machine (SMBIOS, through sysfs): `system_vendor`, `product_*`, `bios_*` …

use crate::facts::source::{Source, put};
use crate::modules::api::Map;

/// The kernel's file and the fact's name.
const FIELDS: [(&str, &str); 18] = [
    ("bios_date", "bios_date"),
    ("bios_vendor", "bios_vendor"),
    ("bios_version", "bios_version"),
    ("board_asset_tag", "board_asset_tag"),
    ("board_name", "board_name"),
    ("board_serial", "board_serial"),
    ("board_vendor", "board_vendor"),
    ("board_version", "board_version"),
    ("chassis_asset_tag", "chassis_asset_tag"),
    ("chassis_serial", "chassis_serial"),
    ("chassis_vendor", "chassis_vendor"),
    ("chassis_version", "chassis_version"),
    ("chassis_type", "form_factor"),
    ("product_name", "product_name"),
    ("product_serial", "product_serial"),
    ("product_uuid", "product_uuid"),
    ("product_version", "product_version"),
    ("sys_vendor", "system_vendor"),
];

/// The kinds of chassis in the order of their SMBIOS numbers.
const CHASSIS: [&str; 37] = [
    "Unknown",
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All In One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system",
    "CompactPCI",
    "AdvancedTCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
];

pub(super) fn gather(source: &Source, facts: &mut Map) {
    for (file, name) in FIELDS {
        let value = source.line(format!("/sys/devices/virtual/dmi/id/{file}"));
        let value = match value {
            Some(number) if file == "chassis_type" => number
                .parse::<usize>()
                .ok()
                .and_then(|number| CHASSIS.get(number))
                .map_or_else(|| "Unknown".to_owned(), |name| (*name).to_owned()),
            other => other.unwrap_or_else(|| "NA".into()),
        };
        put(facts, name, value);
    }
}
