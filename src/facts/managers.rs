//! Which programs manage services and packages here: `service_mgr`, `systemd`, `pkg_mgr`.

use std::time::Duration;

use super::distribution::{self, Distribution};
use super::source::{Source, put};
use crate::modules::api::{Look, Map, Value};

const LIMIT: Duration = Duration::from_secs(10);

/// What starts and stops services: `systemd`, `openrc`, `sysvinit`, `upstart`, `runit`, `service` …
#[must_use]
pub fn service_manager(host: &dyn Look) -> String {
    service_name(&Source::new(host, LIMIT))
}

/// What installs packages: `apt`, `dnf`, `dnf5`, `yum`, `zypper`, `apk`, `pacman` …, or `unknown`.
#[must_use]
pub fn package_manager(host: &dyn Look) -> &'static str {
    let source = Source::new(host, LIMIT);
    package_name(&source, &distribution::distribution(host))
}

pub(super) fn service(source: &Source, facts: &mut Map) {
    put(facts, "service_mgr", service_name(source));
}

pub(super) fn package(source: &Source, facts: &mut Map) {
    put(facts, "pkg_mgr", package_name(source, &distribution::distribution(source.host)));
}

/// `systemd --version`'s number and build options.
pub(super) fn systemd(source: &Source, facts: &mut Map) {
    if service_name(source) != "systemd" {
        return;
    }
    let Some(text) = source.output(&["systemctl", "--version"]) else { return };
    let mut lines = text.lines();
    let version = lines.next().and_then(|line| line.split_whitespace().nth(1)).unwrap_or_default();
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    if let Ok(version) = digits.parse::<i64>() {
        let features = lines.next().unwrap_or_default().trim();
        put(
            facts,
            "systemd",
            Value::from_pairs([("version", Value::from(version)), ("features", features.into())]),
        );
    }
}

fn service_name(source: &Source) -> String {
    let first = source.line("/proc/1/comm").unwrap_or_default();
    match first.as_str() {
        "runit-init" | "runit" => return "runit".into(),
        "svscan" | "svscan-boot" => return "svc".into(),
        "openrc-init" => return "openrc".into(),
        "procd" => return "openwrt_init".into(),
        // These say nothing: a shell in a container, or the name that all of them go by.
        "" | "init" => {}
        name if name.ends_with("sh") => {}
        name => return name.to_owned(),
    }
    if ["/run/systemd/system", "/dev/.run/systemd", "/dev/.systemd"].iter().any(|path| source.exists(path)) {
        "systemd"
    } else if source.exists("/sbin/initctl") && source.exists("/etc/init") {
        "upstart"
    } else if source.exists("/sbin/openrc") {
        "openrc"
    } else if source.link_name("/sbin/init").as_deref() == Some("systemd") {
        "systemd"
    } else if source.exists("/etc/init.d") {
        "sysvinit"
    } else {
        "service"
    }
    .to_owned()
}

/// Program and name, in the order in which a host that has several is decided.
const PROGRAMS: [(&str, &str); 17] = [
    ("/run/ostree-booted", "atomic_container"),
    ("/usr/bin/dnf5", "dnf5"),
    ("/usr/bin/dnf", "dnf"),
    ("/usr/bin/yum", "yum"),
    ("/usr/bin/apt-get", "apt"),
    ("/usr/bin/zypper", "zypper"),
    ("/usr/sbin/urpmi", "urpmi"),
    ("/usr/bin/pacman", "pacman"),
    ("/sbin/apk", "apk"),
    ("/usr/bin/apk", "apk"),
    ("/bin/opkg", "opkg"),
    ("/usr/bin/emerge", "portage"),
    ("/usr/bin/swupd", "swupd"),
    ("/usr/bin/xbps-install", "xbps"),
    ("/usr/bin/eopkg", "eopkg"),
    ("/usr/sbin/swlist", "swdepot"),
    ("/usr/sbin/slackpkg", "slackpkg"),
];

fn package_name(source: &Source, distribution: &Distribution) -> &'static str {
    let found: Vec<_> =
        PROGRAMS.iter().filter(|(path, _)| source.exists(path)).map(|(_, name)| *name).collect();
    // The family decides where a foreign package manager is installed beside its own.
    let own: &[&'static str] = match distribution.family.as_str() {
        "Debian" | "Altlinux" => &["apt"],
        "RedHat" => match distribution.major().parse::<u32>() {
            Ok(number) if distribution.name == "Fedora" && number < 41 => &["dnf", "yum"],
            Ok(number) if distribution.name == "Fedora" && number >= 41 => &["dnf5", "dnf"],
            Ok(number) if distribution.name == "Amazon" && number < 2022 => &["yum", "dnf"],
            Ok(number) if number < 8 => &["yum", "dnf"],
            _ => &["dnf", "dnf5", "yum"],
        },
        "Suse" => &["zypper"],
        "Archlinux" => &["pacman"],
        "Alpine" => &["apk"],
        _ => &[],
    };
    let own = own.iter().find(|name| found.contains(name)).copied();
    own.or(found.first().copied()).unwrap_or("unknown")
}
