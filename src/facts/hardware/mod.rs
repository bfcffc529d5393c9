//! The subset `hardware`: processors, memory, firmware, mounts, block devices, volumes, time since boot.

mod cpu;
mod devices;
mod firmware;
mod lvm;
mod memory;
mod mounts;

use super::source::{Source, put};
use crate::modules::api::Map;

pub(super) fn gather(source: &Source, facts: &mut Map) {
    cpu::gather(source, facts);
    memory::gather(source, facts);
    firmware::gather(source, facts);
    let links = devices::Links::read(source);
    put(facts, "device_links", links.to_value());
    put(facts, "devices", devices::gather(source, &links));
    put(facts, "mounts", mounts::gather(source, &links));
    put(facts, "lvm", lvm::gather(source));
    let uptime = source.line("/proc/uptime").unwrap_or_default();
    if let Some(seconds) = uptime.split('.').next().and_then(|text| text.parse::<i64>().ok()) {
        put(facts, "uptime_seconds", seconds);
    }
}

/// A number of bytes as people say it: `256.00 GB`.
fn human(bytes: u64) -> String {
    let mut limit = 1u64 << 60;
    for unit in ["EB", "PB", "TB", "GB", "MB", "KB"] {
        if bytes >= limit {
            #[expect(clippy::cast_precision_loss, reason = "two digits are printed")]
            return format!("{:.2} {unit}", bytes as f64 / limit as f64);
        }
        limit >>= 10;
    }
    format!("{bytes}.00 Bytes")
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn sizes_are_said_in_powers_of_1024() {
        for (bytes, text) in [
            (0, "0.00 Bytes"),
            (1023, "1023.00 Bytes"),
            (1024, "1.00 KB"),
            (274_877_906_944, "256.00 GB"),
            (1_610_612_736, "1.50 GB"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
