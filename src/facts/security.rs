//! AppArmor, SELinux, FIPS, capabilities and the host's own SSH keys.

use super::source::{Source, assignments, put};
use crate::modules::api::{Map, Value};

pub(super) fn apparmor(source: &Source, facts: &mut Map) {
    let there = source.exists("/sys/kernel/security/apparmor");
    put(facts, "apparmor", Value::from_pairs([("status", if there { "enabled" } else { "disabled" })]));
}

/// `selinux_python_present` is always true: nothing here needs SELinux's Python library.
pub(super) fn selinux(source: &Source, facts: &mut Map) {
    put(facts, "selinux_python_present", true);
    let Some(enforce) = source.line("/sys/fs/selinux/enforce") else {
        put(facts, "selinux", Value::from_pairs([("status", "disabled")]));
        return;
    };
    let config = assignments(&source.text("/etc/selinux/config").unwrap_or_default());
    let configured = |name: &str| {
        let value = config.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        value.unwrap_or_else(|| "unknown".into())
    };
    let mode = if enforce == "1" { "enforcing" } else { "permissive" };
    let fields = [
        ("status", Value::from("enabled")),
        ("policyvers", source.number("/sys/fs/selinux/policyvers").map_or("unknown".into(), Value::from)),
        ("config_mode", configured("SELINUX").into()),
        ("mode", mode.into()),
        ("type", configured("SELINUXTYPE").into()),
    ];
    put(facts, "selinux", Value::from_pairs(fields));
}

pub(super) fn fips(source: &Source, facts: &mut Map) {
    put(facts, "fips", source.line("/proc/sys/crypto/fips_enabled").as_deref() == Some("1"));
}

/// In the order of their numbers in `capabilities(7)`.
const CAPABILITIES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// The effective capabilities of this process; `False` and none if it has them all.
pub(super) fn capabilities(source: &Source, facts: &mut Map) {
    let status = source.text("/proc/self/status").unwrap_or_default();
    let set = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let Some(set) = set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()) else {
        put(facts, "system_capabilities_enforced", "NA");
        put(facts, "system_capabilities", Vec::<Value>::new());
        return;
    };
    let last = source.number("/proc/sys/kernel/cap_last_cap").unwrap_or(40);
    let every = u64::MAX >> (63 - last.clamp(0, 63));
    let held: Vec<_> = CAPABILITIES
        .iter()
        .enumerate()
        .filter(|(bit, _)| set & (1 << bit) != 0)
        .map(|(_, name)| format!("cap_{name}"))
        .collect();
    let free = set & every == every;
    put(facts, "system_capabilities_enforced", if free { "False" } else { "True" });
    put(facts, "system_capabilities", if free { Vec::new() } else { held });
}

pub(super) fn host_keys(source: &Source, facts: &mut Map) {
    for algorithm in ["dsa", "rsa", "ecdsa", "ed25519"] {
        let line = ["/etc/ssh", "/etc/openssh", "/etc"]
            .iter()
            .find_map(|folder| source.line(format!("{folder}/ssh_host_{algorithm}_key.pub")));
        let Some(line) = line else { continue };
        let mut words = line.split_whitespace();
        if let (Some(kind), Some(key)) = (words.next(), words.next()) {
            put(facts, &format!("ssh_host_key_{algorithm}_public"), key);
            put(facts, &format!("ssh_host_key_{algorithm}_public_keytype"), kind);
        }
    }
}
