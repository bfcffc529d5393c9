//! `virtualization_type`, `_role` and `_tech_*`: in what this system runs, and what it could run.

use super::source::{Source, put};
use crate::modules::api::Map;

/// What was found: the first of the guests, else of the hosts, gives the type.
#[derive(Default)]
struct Found {
    guests: Vec<&'static str>,
    hosts: Vec<&'static str>,
}

impl Found {
    fn guest(&mut self, name: &'static str) {
        if !self.guests.contains(&name) {
            self.guests.push(name);
        }
    }

    fn host(&mut self, name: &'static str) {
        if !self.hosts.contains(&name) {
            self.hosts.push(name);
        }
    }
}

pub(super) fn gather(source: &Source, facts: &mut Map) {
    let mut found = Found::default();
    containers(source, &mut found);
    machine(source, &mut found);
    hypervisor(source, &mut found);
    let (kind, role) = match (found.guests.first(), found.hosts.first()) {
        (Some(guest), _) => (*guest, "guest"),
        (None, Some(host)) => (*host, "host"),
        (None, None) => ("NA", "NA"),
    };
    put(facts, "virtualization_type", kind);
    put(facts, "virtualization_role", role);
    put(facts, "virtualization_tech_guest", found.guests);
    put(facts, "virtualization_tech_host", found.hosts);
}

fn containers(source: &Source, found: &mut Found) {
    let cgroup = source.text("/proc/1/cgroup").unwrap_or_default();
    if cgroup.contains("/docker/")
        || cgroup.contains("/docker-")
        || source.exists("/.dockerenv")
        || source.exists("/.dockerinit")
    {
        found.guest("docker");
        found.guest("container");
    }
    if cgroup.contains("/lxc/") || cgroup.contains("/machine.slice/machine-lxc") {
        found.guest("lxc");
        found.guest("container");
    }
    if cgroup.contains("/kubepods") || cgroup.contains("/system.slice/containerd.service") {
        found.guest("containerd");
        found.guest("container");
    }
    if source.exists("/run/.containerenv") {
        found.guest("podman");
        found.guest("container");
    }
    let environment = source.text("/proc/1/environ").unwrap_or_default();
    for pair in environment.split('\0') {
        match pair.strip_prefix("container=") {
            Some("lxc") => found.guest("lxc"),
            Some("podman") => found.guest("podman"),
            Some("systemd-nspawn") => found.guest("systemd-nspawn"),
            Some("docker") => found.guest("docker"),
            Some("") | None => continue,
            Some(_) => {}
        }
        found.guest("container");
    }
    if source.exists("/proc/vz") && !source.exists("/proc/lve") {
        if source.exists("/proc/bc") { found.host("openvz") } else { found.guest("openvz") }
    }
    if source.exists("/proc/xen") {
        let capabilities = source.text("/proc/xen/capabilities").unwrap_or_default();
        if capabilities.contains("control_d") { found.host("xen") } else { found.guest("xen") }
    }
}

/// What the firmware's names give away.
fn machine(source: &Source, found: &mut Found) {
    let read = |file: &str| source.line(format!("/sys/devices/virtual/dmi/id/{file}")).unwrap_or_default();
    let (product, vendor) = (read("product_name"), read("sys_vendor"));
    let (bios, family) = (read("bios_vendor"), read("product_family"));
    match product.as_str() {
        "KVM" | "KVM Server" | "Bochs" | "AHV" => found.guest("kvm"),
        "RHEV Hypervisor" => found.guest("RHEV"),
        "oVirt Node" => found.guest("oVirt"),
        "OpenStack Nova" | "OpenStack Compute" => found.guest("openstack"),
        "VMware Virtual Platform" | "VMware7,1" | "VMware20,1" => found.guest("VMware"),
        "VirtualBox" => found.guest("virtualbox"),
        "HVM domU" => found.guest("xen"),
        "Parallels Virtual Platform" => found.guest("parallels"),
        _ => {}
    }
    if ["RHV", "RHEL"].contains(&family.as_str()) && vendor == "Red Hat" {
        found.guest("RHEV");
    }
    match bios.as_str() {
        "Xen" => found.guest("xen"),
        "innotek GmbH" => found.guest("virtualbox"),
        "Amazon EC2" | "DigitalOcean" | "Hetzner" => found.guest("kvm"),
        _ => {}
    }
    match vendor.as_str() {
        "Microsoft Corporation" if product == "Virtual Machine" => found.guest("VirtualPC"),
        "Parallels Software International Inc." => found.guest("parallels"),
        "QEMU" | "Amazon EC2" | "DigitalOcean" | "Google" | "Hetzner" | "Nutanix" | "Scaleway"
        | "Alibaba Cloud" | "oVirt" => found.guest("kvm"),
        "KubeVirt" => found.guest("KubeVirt"),
        "VMware, Inc." => found.guest("VMware"),
        "OpenStack Foundation" => found.guest("openstack"),
        _ => {}
    }
}

/// What the processor and the kernel's modules say.
fn hypervisor(source: &Source, found: &mut Found) {
    let cpu = source.text("/proc/cpuinfo").unwrap_or_default();
    if found.guests.is_empty() {
        if cpu.contains("QEMU Virtual CPU") {
            found.guest("kvm");
        } else if cpu.contains("User Mode Linux") {
            found.guest("uml");
        } else if cpu.contains("PowerVM Lx86") {
            found.guest("powervm_lx86");
        }
    }
    let modules = source.text("/proc/modules").unwrap_or_default();
    let loaded = |name: &str| modules.lines().any(|line| line.split(' ').next() == Some(name));
    if source.exists("/dev/kvm") || loaded("kvm_intel") || loaded("kvm_amd") {
        found.host("kvm");
    }
    if loaded("vboxdrv") {
        found.host("virtualbox");
    }
    if loaded("virtio") && found.guests.is_empty() {
        found.guest("kvm");
    }
}
