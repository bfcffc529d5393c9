//! Facts that nothing here gathers, and who does elsewhere: `regatta check` reports them where they are read.

/// Facts by how their names begin, or whole names, and what they belong to.
const FOREIGN: &[(&str, &str)] = &[
    ("ec2_*", "`amazon.aws.ec2_metadata_facts` gathers it, a module that Regatta does not have"),
    ("facter*", "it comes from Facter, which Regatta does not call"),
    ("ohai*", "it comes from Ohai, which Regatta does not call"),
    ("net_*", "it belongs to network devices"),
    ("ip_addresses", WINDOWS),
    ("netbios_name", WINDOWS),
    ("os_installation_type", WINDOWS),
    ("os_product_type", WINDOWS),
    ("owner_contact", WINDOWS),
    ("owner_name", WINDOWS),
    ("powershell_version", WINDOWS),
    ("reboot_pending", WINDOWS),
    ("system_description", WINDOWS),
    ("win_rm_certificate_expires", WINDOWS),
    ("windows_domain*", WINDOWS),
];

const WINDOWS: &str = "it belongs to Windows hosts";

/// Why a fact is never there, by its name without `ansible_`.
pub(super) fn reason(name: &str) -> Option<&'static str> {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    };
    FOREIGN.iter().find(|(pattern, _)| fits(pattern)).map(|(_, reason)| *reason)
}
