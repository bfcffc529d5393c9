//! Facts of hosts in memory.

use super::*;
use crate::modules::api::fake::FakeHost;

fn facts(host: &FakeHost, subsets: &[&str]) -> Map {
    let subsets: Vec<_> = subsets.iter().map(|it| (*it).to_owned()).collect();
    let request = Request {
        subsets: &subsets,
        filter: &[],
        fact_path: "/etc/ansible/facts.d",
        timeout: Duration::from_secs(1),
    };
    gather(host, &request).unwrap().facts
}

#[test]
fn distributions_are_named_as_playbooks_expect() {
    let debian = "NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n";
    let ubuntu = "NAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\nVERSION_CODENAME=jammy\nID=ubuntu\nID_LIKE=debian\n";
    let rocky = "NAME=\"Rocky Linux\"\nVERSION_ID=\"9.4\"\nID=\"rocky\"\n";
    let alpine = "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.20.1\n";
    let amazon = "NAME=\"Amazon Linux\"\nVERSION=\"2023\"\nID=\"amzn\"\nVERSION_ID=\"2023\"\n";
    let leap = "NAME=\"openSUSE Leap\"\nVERSION=\"15.5\"\nID=\"opensuse-leap\"\nVERSION_ID=\"15.5\"\n";
    let arch = "NAME=\"Arch Linux\"\nID=arch\nBUILD_ID=rolling\n";
    let mint = "NAME=\"Linux Mint\"\nVERSION_ID=\"21.3\"\nVERSION_CODENAME=virginia\nID=linuxmint\n";
    let other = "NAME=\"Own OS\"\nID=own\nVERSION_ID=1\n";
    for (os, extra, expected) in [
        (debian, Some(("/etc/debian_version", "12.11\n")), "Debian 12.11 12 bookworm Debian"),
        (debian, Some(("/etc/debian_version", "trixie/sid\n")), "Debian 12 12 bookworm Debian"),
        (ubuntu, Some(("/etc/debian_version", "bookworm/sid\n")), "Ubuntu 22.04 22 jammy Debian"),
        (
            rocky,
            Some(("/etc/redhat-release", "Rocky Linux release 9.4 (Blue Onyx)\n")),
            "Rocky 9.4 9 Blue Onyx RedHat",
        ),
        (
            "ID=\"centos\"\n",
            Some(("/etc/redhat-release", "CentOS Linux release 7.9.2009 (Core)\n")),
            "CentOS 7.9 7 Core RedHat",
        ),
        (
            "ID=centos\n",
            Some(("/etc/redhat-release", "CentOS Stream release 9\n")),
            "CentOS 9 9 Stream RedHat",
        ),
        (
            "ID=rhel\n",
            Some(("/etc/redhat-release", "Red Hat Enterprise Linux release 8.6 (Ootpa)\n")),
            "RedHat 8.6 8 Ootpa RedHat",
        ),
        (
            "ID=fedora\n",
            Some(("/etc/redhat-release", "Fedora release 41 (Forty One)\n")),
            "Fedora 41 41 NA RedHat",
        ),
        (alpine, Some(("/etc/alpine-release", "3.20.1\n")), "Alpine 3.20.1 3 NA Alpine"),
        (
            amazon,
            Some(("/etc/redhat-release", "Amazon Linux release 2023 (Amazon Linux)\n")),
            "Amazon 2023 2023 NA RedHat",
        ),
        (leap, None, "openSUSE Leap 15.5 15 5 Suse"),
        (arch, None, "Archlinux rolling rolling NA Archlinux"),
        (mint, None, "Linux Mint 21.3 21 virginia Debian"),
        (other, None, "Own OS 1 1 NA Own OS"),
        ("", None, "NA NA NA NA NA"),
    ] {
        let mut host = FakeHost::new().file("/etc/os-release", os);
        if let Some((path, text)) = extra {
            host = host.file(path, text);
        }
        let found = distribution(&host);
        let said =
            [found.name.as_str(), &found.version, found.major(), &found.release, &found.family].join(" ");
        assert_eq!(said, expected);
    }
}

#[test]
fn the_first_process_and_the_folders_tell_the_service_manager() {
    let with = |comm: &str| FakeHost::new().file("/proc/1/comm", comm);
    for (host, expected) in [
        (with("systemd\n"), "systemd"),
        (with("init\n").dir("/run/systemd/system"), "systemd"),
        (with("init\n").file("/sbin/openrc", ""), "openrc"),
        (with("init\n").dir("/etc/init.d"), "sysvinit"),
        (with("bash\n"), "service"),
        (with("runit\n"), "runit"),
        (with("tini\n"), "tini"),
    ] {
        assert_eq!(service_manager(&host), expected);
    }
}

#[test]
fn the_family_decides_between_package_managers() {
    let host = |os: &str, programs: &[&str]| {
        let host = FakeHost::new().file("/etc/os-release", os);
        programs.iter().fold(host, |host, path| host.file(path, ""))
    };
    let rhel = "NAME=\"Rocky Linux\"\nID=rocky\nVERSION_ID=9.1\n";
    for (host, expected) in [
        (host("ID=debian\n", &["/usr/bin/apt-get", "/usr/bin/dnf"]), "apt"),
        (host(rhel, &["/usr/bin/yum", "/usr/bin/dnf"]), "dnf"),
        (host("ID=centos\nNAME=x\nVERSION_ID=7\n", &["/usr/bin/yum", "/usr/bin/dnf"]), "yum"),
        (host("ID=fedora\nVERSION_ID=42\n", &["/usr/bin/dnf5", "/usr/bin/dnf"]), "dnf5"),
        (host("ID=alpine\n", &["/sbin/apk"]), "apk"),
        (host("ID=own\nNAME=Own\n", &["/usr/bin/pacman"]), "pacman"),
        (host("", &[]), "unknown"),
    ] {
        assert_eq!(package_manager(&host), expected);
    }
}

#[test]
fn containers_and_machines_are_recognized() {
    let dmi = |product: &str, vendor: &str| {
        FakeHost::new()
            .file("/sys/devices/virtual/dmi/id/product_name", product)
            .file("/sys/devices/virtual/dmi/id/sys_vendor", vendor)
    };
    for (host, expected) in [
        (FakeHost::new().file("/.dockerenv", ""), "docker guest ['docker', 'container'] []"),
        (
            FakeHost::new().file("/proc/1/environ", "A=b\0container=lxc\0").file("/dev/kvm", ""),
            "lxc guest ['lxc', 'container'] ['kvm']",
        ),
        (dmi("KVM\n", "Red Hat\n"), "kvm guest ['kvm'] []"),
        (dmi("t3.micro\n", "Amazon EC2\n"), "kvm guest ['kvm'] []"),
        (dmi("VirtualBox\n", "innotek GmbH\n"), "virtualbox guest ['virtualbox'] []"),
        (dmi("VMware7,1\n", "VMware, Inc.\n"), "VMware guest ['VMware'] []"),
        (FakeHost::new().file("/proc/modules", "kvm_intel 1 0\n"), "kvm host [] ['kvm']"),
        (FakeHost::new(), "NA NA [] []"),
    ] {
        let facts = facts(&host, &["!all", "!min", "virtual"]);
        let said = ["type", "role", "tech_guest", "tech_host"]
            .map(|name| facts[format!("ansible_virtualization_{name}").as_str()].to_string());
        assert_eq!(said.join(" "), expected);
    }
}

#[test]
fn a_network_is_put_together() {
    let host = FakeHost::new()
        .file("/sys/class/net/eth0/address", "02:00:00:00:00:01\n")
        .file("/sys/class/net/eth0/mtu", "1500\n")
        .file("/sys/class/net/eth0/operstate", "up\n")
        .file("/sys/class/net/eth0/type", "1\n")
        .file("/sys/class/net/eth0/flags", "0x1103\n")
        .file("/sys/class/net/br-lan/address", "02:00:00:00:00:02\n")
        .file("/sys/class/net/br-lan/bridge/bridge_id", "8000.0\n")
        .dir("/sys/class/net/br-lan/brif/eth1")
        .answer(
            "ip -o addr show",
            0,
            "1: lo    inet 127.0.0.1/8 scope host lo\\ x\n2: eth0    inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0\\ x\n\
             2: eth0    inet 10.0.0.6/24 scope global secondary eth0:1\\ x\n2: eth0    inet6 fd00::5/64 scope global \\ x\n",
        )
        .answer("ip -4 route get", 0, "8.8.8.8 via 10.0.0.1 dev eth0 src 10.0.0.5 uid 0\n")
        .answer("ip -6 route get", 2, "");
    let facts = facts(&host, &["!all", "!min", "network"]);
    let default = &facts["ansible_default_ipv4"];
    for (name, value) in [
        ("address", "10.0.0.5"),
        ("alias", "eth0"),
        ("broadcast", "10.0.0.255"),
        ("gateway", "10.0.0.1"),
        ("interface", "eth0"),
        ("macaddress", "02:00:00:00:00:01"),
        ("netmask", "255.255.255.0"),
        ("network", "10.0.0.0"),
        ("prefix", "24"),
        ("type", "ether"),
    ] {
        assert_eq!(default.get(name), Some(&Value::from(value)), "{name}");
    }
    assert_eq!(default.get("mtu"), Some(&Value::from(1500)));
    assert_eq!(facts["ansible_all_ipv4_addresses"].to_string(), "['10.0.0.5', '10.0.0.6']");
    assert_eq!(facts["ansible_default_ipv6"].to_string(), "{}");
    let eth0 = &facts["ansible_eth0"];
    assert_eq!(eth0.get("promisc"), Some(&Value::from(true)));
    assert_eq!(eth0.get("ipv4_secondaries").and_then(Value::as_list).map(<[Value]>::len), Some(1));
    assert_eq!(
        facts["ansible_br_lan"].get("interfaces").map(ToString::to_string).as_deref(),
        Some("['eth1']")
    );
}

#[test]
fn local_facts_come_from_files_and_programs() {
    let host = FakeHost::new()
        .file("/etc/ansible/facts.d/a.fact", "[s]\nK=v\n")
        .file("/etc/ansible/facts.d/b.fact", "")
        .with("/etc/ansible/facts.d/b.fact", 0o755, 0, 0)
        .file("/etc/ansible/facts.d/c.fact", "nonsense")
        .file("/etc/ansible/facts.d/readme", "x")
        .answer("/etc/ansible/facts.d/b.fact", 0, "{\"x\": 1}");
    let subsets = ["!all", "!min", "local"].map(str::to_owned);
    let timeout = Duration::from_secs(1);
    let request = Request { subsets: &subsets, filter: &[], fact_path: "/etc/ansible/facts.d", timeout };
    let found = gather(&host, &request).unwrap();
    let local = &found.facts["ansible_local"];
    assert_eq!(local.get("a").map(ToString::to_string).as_deref(), Some("{'s': {'k': 'v'}}"));
    assert_eq!(local.get("b").map(ToString::to_string).as_deref(), Some("{'x': 1}"));
    assert_eq!((local.as_map().map(Map::len), found.warnings.len()), (Some(3), 1));
}

#[test]
fn a_host_that_has_nothing_still_gives_facts() {
    let found = facts(&FakeHost::new(), &[]);
    for name in [
        "distribution",
        "system",
        "processor_vcpus",
        "virtualization_type",
        "interfaces",
        "mounts",
        "user_id",
    ] {
        assert!(found.contains_key(format!("ansible_{name}").as_str()), "{name}");
    }
    assert_eq!(found["module_setup"], Value::from(true));
    assert_eq!(found["gather_subset"].to_string(), "['all']");
}

#[test]
fn a_filter_leaves_only_what_fits() {
    let host = FakeHost::new();
    let request = Request {
        subsets: &[],
        filter: &["ansible_user_*".to_owned(), "kernel".to_owned()],
        fact_path: "/none",
        timeout: Duration::from_secs(1),
    };
    let names: Vec<_> = gather(&host, &request).unwrap().facts.into_iter().map(|(name, _)| name).collect();
    assert!(names.iter().all(|name| name.starts_with("ansible_user_") || &**name == "ansible_kernel"));
    assert!(names.iter().any(|name| &**name == "ansible_kernel"));
}

#[test]
fn filters_are_shell_patterns_with_or_without_the_prefix() {
    for (pattern, name, fits) in [
        ("ansible_distribution*", "ansible_distribution_version", true),
        ("distribution", "ansible_distribution", true),
        ("distribution", "ansible_distribution_version", false),
        ("eth[0-2]", "ansible_eth1", true),
        ("eth[!0-2]", "ansible_eth1", false),
        ("*_mb", "ansible_memtotal_mb", true),
        ("mem?otal*", "ansible_memtotal_mb", true),
        ("[", "ansible_[", true),
        ("module_setup", "module_setup", true),
    ] {
        assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
    }
}
