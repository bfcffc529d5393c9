//! `memory_mb` and its short forms, from `/proc/meminfo`.

use crate::facts::source::{Source, put};
use crate::modules::api::{Map, Value};

pub(super) fn gather(source: &Source, facts: &mut Map) {
    let text = source.text("/proc/meminfo").unwrap_or_default();
    if text.is_empty() {
        return;
    }
    let megabytes = |name: &str| -> i64 {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kilobytes = value.and_then(|value| value.split_whitespace().next()?.parse::<i64>().ok());
        kilobytes.unwrap_or_default() / 1024
    };
    let (total, free) = (megabytes("MemTotal"), megabytes("MemFree"));
    let (swap, swap_free) = (megabytes("SwapTotal"), megabytes("SwapFree"));
    let without_cache = free + megabytes("Cached") + megabytes("Buffers");
    put(facts, "memtotal_mb", total);
    put(facts, "memfree_mb", free);
    put(facts, "swaptotal_mb", swap);
    put(facts, "swapfree_mb", swap_free);
    let real = [("total", total), ("used", total - free), ("free", free)];
    let nocache = [("free", without_cache), ("used", total - without_cache)];
    let swap = [
        ("total", swap),
        ("free", swap_free),
        ("used", swap - swap_free),
        ("cached", megabytes("SwapCached")),
    ];
    let memory = [
        ("real", Value::from_pairs(real)),
        ("nocache", Value::from_pairs(nocache)),
        ("swap", Value::from_pairs(swap)),
    ];
    put(facts, "memory_mb", Value::from_pairs(memory));
}
