//! The kernel, the machine and the names of a host.

use std::time::Duration;

use super::source::{Source, put};
use crate::modules::api::Map;

/// Asking the resolver for the full name may go to the network: never longer than this.
const NAME_LIMIT: Duration = Duration::from_secs(2);

pub(super) fn gather(source: &Source, facts: &mut Map) {
    let kernel = |name: &str| source.line(format!("/proc/sys/kernel/{name}"));
    put(facts, "system", kernel("ostype").unwrap_or_else(|| "Linux".into()));
    put(facts, "kernel", kernel("osrelease").unwrap_or_default());
    put(facts, "kernel_version", kernel("version").unwrap_or_default());

    let machine = machine(source);
    put(facts, "machine", machine.as_str());
    put(facts, "architecture", architecture(&machine));
    let bits = userspace_bits(source, &machine);
    put(facts, "userspace_bits", if bits == 64 { "64" } else { "32" });
    put(facts, "userspace_architecture", userspace(&machine, bits));

    let nodename = kernel("hostname").unwrap_or_else(|| "localhost".into());
    let fqdn = full_name(source, &nodename);
    put(facts, "nodename", nodename.as_str());
    put(facts, "hostname", nodename.split('.').next().unwrap_or_default());
    put(facts, "domain", fqdn.split_once('.').map_or("", |(_, domain)| domain));
    put(facts, "fqdn", fqdn);
    let id = ["/var/lib/dbus/machine-id", "/etc/machine-id"].iter().find_map(|path| source.line(path));
    if let Some(id) = id {
        put(facts, "machine_id", id);
    }
}

fn machine(source: &Source) -> String {
    source
        .line("/proc/sys/kernel/arch")
        .or_else(|| source.output(&["uname", "-m"]).map(|text| text.trim().to_owned()))
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// All 32-bit x86 machines are one architecture.
fn architecture(machine: &str) -> &str {
    if is_x86_32(machine) { "i386" } else { machine }
}

fn is_x86_32(machine: &str) -> bool {
    matches!(machine.as_bytes(), [b'i', b'3'..=b'6', b'8', b'6'])
}

/// The class of the shell's ELF header says what programs are here; a 64-bit kernel may run 32-bit programs only.
fn userspace_bits(source: &Source, machine: &str) -> u32 {
    let header = source.host.read("/bin/sh".as_ref()).ok().flatten();
    match header.as_deref() {
        Some([0x7f, b'E', b'L', b'F', 1, ..]) => 32,
        Some([0x7f, b'E', b'L', b'F', 2, ..]) => 64,
        _ if machine.contains("64") || machine == "s390x" => 64,
        _ => 32,
    }
}

fn userspace(machine: &str, bits: u32) -> &str {
    match (machine, bits) {
        ("x86_64", 32) => "i386",
        ("aarch64", 32) => "arm",
        (machine, _) => architecture(machine),
    }
}

/// The first name with a dot that `/etc/hosts` or the resolver knows for this host, else the bare name.
fn full_name(source: &Source, nodename: &str) -> String {
    let hosts = source.text("/etc/hosts").unwrap_or_default();
    if let Some(name) = from_hosts(&hosts, nodename) {
        return name;
    }
    if nodename.contains('.') {
        return nodename.to_owned();
    }
    let asked = source.output_within(&["hostname", "-f"], NAME_LIMIT).unwrap_or_default();
    let asked = asked.trim();
    if asked.contains('.') { asked.to_owned() } else { nodename.to_owned() }
}

fn from_hosts(hosts: &str, nodename: &str) -> Option<String> {
    let lines = hosts.lines().map(|line| line.split('#').next().unwrap_or_default());
    lines
        .map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>())
        .filter(|names| names.contains(&nodename))
        .find_map(|names| names.iter().find(|name| name.contains('.')).map(|name| (*name).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_name_is_the_first_with_a_dot() {
        let hosts = "127.0.0.1 localhost\n# 10.0.0.1 web.old web\n127.0.1.1 web.example.org web # me\n";
        assert_eq!(from_hosts(hosts, "web").as_deref(), Some("web.example.org"));
        assert_eq!(from_hosts(hosts, "localhost"), None);
        assert_eq!(from_hosts(hosts, "web.old"), None);
    }

    #[test]
    fn thirty_two_bit_machines_are_one_architecture() {
        for (machine, bits, architecture_is, userspace_is) in [
            ("x86_64", 64, "x86_64", "x86_64"),
            ("x86_64", 32, "x86_64", "i386"),
            ("i686", 32, "i386", "i386"),
            ("aarch64", 64, "aarch64", "aarch64"),
            ("armv7l", 32, "armv7l", "armv7l"),
        ] {
            assert_eq!(architecture(machine), architecture_is);
            assert_eq!(userspace(machine, bits), userspace_is);
        }
    }
}
