//! Subsets: which facts are asked for, and the table of all collectors.

use super::source::Source;
use super::{
    boot, distribution, hardware, managers, network, platform, python, security, session, virtualization,
};
use crate::modules::api::{Fail, Map};

/// How a collector works.
#[derive(Clone, Copy)]
pub(super) enum Gather {
    /// Reads the host and adds facts under their short names.
    Plain(fn(&Source, &mut Map)),
    /// The user's own facts, which need a folder and may warn.
    Local,
}

/// Gathers one group of facts.
pub(super) struct Collector {
    /// The subset's name.
    pub name: &'static str,
    /// Facts of it that stand for the whole group.
    ids: &'static [&'static str],
    /// Whether it belongs to `min`.
    minimal: bool,
    /// Other collectors whose facts come along with it.
    needs: &'static [&'static str],
    /// What it does.
    pub gather: Gather,
}

const fn minimal(
    name: &'static str,
    ids: &'static [&'static str],
    gather: fn(&Source, &mut Map),
) -> Collector {
    Collector { name, ids, minimal: true, needs: &[], gather: Gather::Plain(gather) }
}

const fn further(
    name: &'static str,
    ids: &'static [&'static str],
    needs: &'static [&'static str],
    gather: fn(&Source, &mut Map),
) -> Collector {
    Collector { name, ids, minimal: false, needs, gather: Gather::Plain(gather) }
}

static COLLECTORS: &[Collector] = &[
    minimal("apparmor", &[], security::apparmor),
    minimal("caps", &["system_capabilities", "system_capabilities_enforced"], security::capabilities),
    minimal("cmdline", &[], boot::command_line),
    minimal("date_time", &[], session::date_time),
    minimal(
        "distribution",
        &["distribution_version", "distribution_release", "distribution_major_version", "os_family"],
        distribution::gather,
    ),
    minimal("dns", &[], network::dns),
    minimal("env", &[], session::environment),
    minimal("fips", &[], security::fips),
    Collector { name: "local", ids: &[], minimal: true, needs: &[], gather: Gather::Local },
    minimal("lsb", &[], distribution::lsb),
    minimal("pkg_mgr", &[], managers::package),
    minimal(
        "platform",
        &["system", "kernel", "kernel_version", "machine", "architecture", "machine_id"],
        platform::gather,
    ),
    minimal("python", &["python_version"], python::gather),
    minimal("selinux", &[], security::selinux),
    minimal("service_mgr", &[], managers::service),
    minimal(
        "ssh_pub_keys",
        &[
            "ssh_host_pub_keys",
            "ssh_host_key_dsa_public",
            "ssh_host_key_rsa_public",
            "ssh_host_key_ecdsa_public",
            "ssh_host_key_ed25519_public",
        ],
        security::host_keys,
    ),
    minimal("systemd", &[], managers::systemd),
    minimal(
        "user",
        &[
            "user_id",
            "user_uid",
            "user_gid",
            "user_gecos",
            "user_dir",
            "user_shell",
            "real_user_id",
            "effective_user_id",
            "effective_group_ids",
        ],
        session::user,
    ),
    further("chroot", &["is_chroot"], &[], boot::chroot),
    further(
        "hardware",
        &["processor", "processor_cores", "processor_count", "mounts", "devices"],
        &["platform"],
        hardware::gather,
    ),
    further("fibre_channel_wwn", &[], &[], network::fibre_channel),
    further("iscsi", &[], &[], network::iscsi),
    further("loadavg", &[], &[], boot::load_average),
    further(
        "network",
        &["interfaces", "default_ipv4", "default_ipv6", "all_ipv4_addresses", "all_ipv6_addresses"],
        &["distribution", "platform"],
        network::gather,
    ),
    further("nvme", &[], &[], network::nvme),
    further(
        "virtual",
        &[
            "virtualization_type",
            "virtualization_role",
            "virtualization_tech_guest",
            "virtualization_tech_host",
        ],
        &[],
        virtualization::gather,
    ),
];

/// Programs of their own whose facts Ansible would add; there is nothing to gather for them here.
const ELSEWHERE: [&str; 2] = ["facter", "ohai"];

/// The collectors that a list of subsets asks for, in the table's order.
///
/// # Errors
/// A subset that does not exist.
pub(super) fn resolve(asked: &[String]) -> Result<Vec<&'static Collector>, Fail> {
    let (mut all, mut min) = (None, None);
    let mut named = Vec::new();
    for name in asked {
        let (name, wanted) = match name.strip_prefix('!') {
            Some(name) => (name, false),
            None => (name.as_str(), true),
        };
        match name {
            "all" => all = Some(wanted),
            "min" => min = Some(wanted),
            name => match COLLECTORS.iter().find(|it| it.name == name || it.ids.contains(&name)) {
                Some(collector) => named.push((collector.name, wanted)),
                None if ELSEWHERE.contains(&name) => {}
                None => return Err(unknown(name)),
            },
        }
    }
    // Nothing but exclusions: all the rest is wanted.
    let all = all.unwrap_or(asked.iter().all(|name| name.starts_with('!')));
    let min = min.unwrap_or(true);
    let chosen = |it: &Collector| {
        // A collector's own name wins over `all` and `min`, its exclusion over everything.
        let own: Vec<bool> = named.iter().filter(|(name, _)| *name == it.name).map(|it| it.1).collect();
        if own.is_empty() { if it.minimal { min } else { all } } else { own.iter().all(|wanted| *wanted) }
    };
    let direct: Vec<_> = COLLECTORS.iter().filter(|it| chosen(it)).collect();
    let needed = |it: &Collector| direct.iter().any(|other| other.needs.contains(&it.name));
    Ok(COLLECTORS.iter().filter(|it| chosen(it) || needed(it)).collect())
}

fn unknown(name: &str) -> Fail {
    let mut known: Vec<_> = COLLECTORS.iter().flat_map(|it| [&[it.name], it.ids].concat()).collect();
    known.extend(["all", "min"]);
    known.sort_unstable();
    Fail::new(format!("there is no subset of facts {name:?}; gather_subset takes: {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(asked: &[&str]) -> Vec<&'static str> {
        let asked: Vec<_> = asked.iter().map(|it| (*it).to_owned()).collect();
        resolve(&asked).unwrap().iter().map(|it| it.name).collect()
    }

    #[test]
    fn subsets_add_and_exclude_as_in_setup() {
        assert_eq!(names(&[]).len(), COLLECTORS.len());
        assert_eq!(names(&["all"]).len(), COLLECTORS.len());
        assert_eq!(names(&["!all", "!min"]), [""; 0]);
        assert!(names(&["!all"]).iter().all(|it| COLLECTORS.iter().any(|c| c.minimal && c.name == *it)));
        assert_eq!(names(&["min"]), names(&["!all"]));
        assert_eq!(names(&["!all", "!min", "virtual"]), ["virtual"]);
        assert_eq!(names(&["!all", "!min", "mounts"]), ["platform", "hardware"]);
        assert_eq!(names(&["!min", "network"]), ["distribution", "platform", "network"]);
        assert!(names(&["network"]).contains(&"env"));
        assert!(!names(&["network"]).contains(&"hardware"));
        assert!(!names(&["!hardware"]).contains(&"hardware"));
        assert!(names(&["!hardware"]).contains(&"network"));
        assert!(names(&["all", "!facter", "!ohai"]).contains(&"network"));
        assert_eq!(names(&["!facter"]).len(), COLLECTORS.len());
    }

    #[test]
    fn an_unknown_subset_is_named() {
        let fail = resolve(&["bogus".to_owned()]).err().unwrap();
        assert!(fail.msg.contains("\"bogus\"") && fail.msg.contains("virtualization_role"), "{}", fail.msg);
    }
}
