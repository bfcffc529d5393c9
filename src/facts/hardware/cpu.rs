//! `processor*` and `flags`, from `/proc/cpuinfo` and the set of processors this process may use.

use crate::facts::source::{Source, put};
use crate::modules::api::{Map, Value};

pub(super) fn gather(source: &Source, facts: &mut Map) {
    let found = parse(&source.text("/proc/cpuinfo").unwrap_or_default());
    let status = source.text("/proc/self/status").unwrap_or_default();
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    put(facts, "processor", found.list);
    put(facts, "processor_count", found.sockets);
    put(facts, "processor_cores", found.cores);
    put(facts, "processor_threads_per_core", found.threads);
    put(facts, "processor_vcpus", found.sockets * found.cores * found.threads);
    put(facts, "processor_nproc", allowed.map_or(found.processors, range_length));
    if !found.flags.is_empty() {
        put(facts, "flags", found.flags);
    }
}

/// What `/proc/cpuinfo` says.
#[derive(Default)]
struct Processors {
    /// For each processor its number, vendor and model.
    list: Vec<Value>,
    flags: Vec<String>,
    processors: usize,
    sockets: usize,
    cores: usize,
    threads: usize,
}

fn parse(text: &str) -> Processors {
    let mut found = Processors::default();
    let mut sockets: Vec<String> = Vec::new();
    let (mut cores, mut siblings) = (None, None);
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let (key, value) = (key.trim(), value.trim());
        match key {
            "processor" | "vendor_id" | "model name" | "Processor" | "cpu" | "Vendor" | "vendor" => {
                found.list.push(value.into());
                if key == "processor" {
                    found.processors += 1;
                }
            }
            // s390x: one line for each, and one with the number of all.
            "# processors" => found.processors = value.parse().unwrap_or(found.processors),
            "physical id" if !sockets.iter().any(|it| it == value) => sockets.push(value.to_owned()),
            "cpu cores" => cores = value.parse::<usize>().ok().or(cores),
            "siblings" => siblings = value.parse::<usize>().ok().or(siblings),
            "flags" | "Features" | "features" if found.flags.is_empty() => {
                found.flags = value.split_whitespace().map(str::to_owned).collect();
            }
            _ => {}
        }
    }
    if sockets.is_empty() {
        // No topology (ARM, some virtual machines): every processor counts as one of its own.
        (found.sockets, found.cores, found.threads) = (found.processors.max(1), 1, 1);
    } else {
        found.sockets = sockets.len();
        found.cores = cores.unwrap_or(1).max(1);
        found.threads = (siblings.unwrap_or(found.cores) / found.cores).max(1);
    }
    found
}

/// How many numbers `0-3,8,10-11` names.
fn range_length(text: &str) -> usize {
    text.trim()
        .split(',')
        .filter_map(|part| match part.split_once('-') {
            Some((first, last)) => {
                Some(last.parse::<usize>().ok()?.checked_sub(first.parse().ok()?)?.saturating_add(1))
            }
            None => part.parse::<usize>().ok().map(|_| 1),
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_cores_and_threads_come_from_the_topology() {
        let one = |number: u32, socket: u32| {
            format!(
                "processor\t: {number}\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon\nphysical id\t: {socket}\n\
                 siblings\t: 4\ncpu cores\t: 2\nflags\t\t: fpu vme\n\n"
            )
        };
        let text: String = (0..8).map(|it| one(it, it / 4)).collect();
        let found = parse(&text);
        assert_eq!((found.sockets, found.cores, found.threads, found.processors), (2, 2, 2, 8));
        assert_eq!(found.list[..3], [Value::from("0"), "GenuineIntel".into(), "Xeon".into()]);
        assert_eq!(found.flags, ["fpu", "vme"]);
    }

    #[test]
    fn without_a_topology_processors_are_counted() {
        let found = parse("processor\t: 0\nBogoMIPS\t: 50\nFeatures\t: fp asimd\n\nprocessor\t: 1\n");
        assert_eq!((found.sockets, found.cores, found.threads), (2, 1, 1));
        assert_eq!(found.flags, ["fp", "asimd"]);
        assert_eq!(parse("").sockets, 1);
    }

    #[test]
    fn ranges_are_counted() {
        for (text, length) in [("0-3", 4), ("0", 1), ("0-1,4,6-7\n", 5), ("", 0), ("3-1", 0)] {
            assert_eq!(range_length(text), length, "{text}");
        }
    }
}
