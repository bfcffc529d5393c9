//! Which distribution a host runs: `distribution*`, `os_family` and `lsb`.

use super::source::{Source, assignments, put};
use crate::modules::api::{Look, Map};

/// A distribution by the names that playbooks compare with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    /// `Debian`, `Ubuntu`, `RedHat`, `Rocky` …
    pub name: String,
    /// `12.11`, `22.04`, `9.4`; `NA` if it has none.
    pub version: String,
    /// The code name (`bookworm`); `NA` if it has none.
    pub release: String,
    /// `Debian`, `RedHat`, `Suse` …; its own name if it belongs to none.
    pub family: String,
    minor: Option<String>,
    file: Option<(String, &'static str)>,
}

impl Distribution {
    /// The part of the version before the first dot.
    #[must_use]
    pub fn major(&self) -> &str {
        self.version.split('.').next().unwrap_or_default()
    }
}

/// The distribution of a host.
#[must_use]
pub fn distribution(host: &dyn Look) -> Distribution {
    read(&Source::new(host, std::time::Duration::from_secs(10)))
}

pub(super) fn gather(source: &Source, facts: &mut Map) {
    let found = read(source);
    put(facts, "distribution", found.name.as_str());
    put(facts, "distribution_version", found.version.as_str());
    put(facts, "distribution_major_version", found.major());
    if let Some(minor) = &found.minor {
        put(facts, "distribution_minor_version", minor.as_str());
    }
    put(facts, "distribution_release", found.release.as_str());
    put(facts, "os_family", found.family.as_str());
    if let Some((path, variety)) = found.file {
        put(facts, "distribution_file_path", path);
        put(facts, "distribution_file_variety", variety);
        put(facts, "distribution_file_parsed", true);
    }
}

/// `lsb` as `lsb_release -a` says it, without running it: what it prints comes from these files.
pub(super) fn lsb(source: &Source, facts: &mut Map) {
    let release = os_release(source);
    let own = source.text("/etc/lsb-release").unwrap_or_default();
    let own = assignments(&own);
    let pick = |lsb: &str, os: &str| {
        let in_lsb = own.iter().find(|(key, _)| key == lsb).map(|(_, value)| value.clone());
        in_lsb.or_else(|| release.get(os).map(str::to_owned)).filter(|value| !value.is_empty())
    };
    let mut lsb = Map::new();
    let id = own.iter().find(|(key, _)| key == "DISTRIB_ID").map(|(_, value)| value.clone());
    let number = pick("DISTRIB_RELEASE", "VERSION_ID");
    let fields = [
        ("codename", pick("DISTRIB_CODENAME", "VERSION_CODENAME")),
        ("description", pick("DISTRIB_DESCRIPTION", "PRETTY_NAME")),
        ("id", id.or_else(|| release.get("ID").map(|_| read(source).name))),
        ("major_release", number.as_ref().map(|it| it.split('.').next().unwrap_or_default().to_owned())),
        ("release", number),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            put(&mut lsb, name, value);
        }
    }
    put(facts, "lsb", lsb);
}

/// The pairs of os-release.
struct OsRelease {
    path: &'static str,
    pairs: Vec<(String, String)>,
}

impl OsRelease {
    fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

fn os_release(source: &Source) -> OsRelease {
    for path in ["/etc/os-release", "/usr/lib/os-release"] {
        if let Some(text) = source.text(path) {
            return OsRelease { path, pairs: assignments(&text) };
        }
    }
    OsRelease { path: "/etc/os-release", pairs: Vec::new() }
}

fn read(source: &Source) -> Distribution {
    let release = os_release(source);
    let mut found = source
        .text("/etc/oracle-release")
        .map(|text| ("/etc/oracle-release", text))
        .or_else(|| source.text("/etc/redhat-release").map(|text| ("/etc/redhat-release", text)))
        .and_then(|(path, text)| red_hat(path, text.trim(), &release))
        .unwrap_or_else(|| from_os_release(source, &release));
    for text in [&mut found.name, &mut found.version, &mut found.release] {
        if text.is_empty() {
            "NA".clone_into(text);
        }
    }
    found.family = family(&found.name).to_owned();
    found
}

/// `CentOS Linux release 7.9.2009 (Core)`; the files of all relatives have this form.
fn red_hat(path: &'static str, text: &str, os: &OsRelease) -> Option<Distribution> {
    let (title, rest) = text.split_once(" release ")?;
    let first = title.split_whitespace().next()?;
    let mut words = rest.split_whitespace();
    let number = words.next()?;
    let code = rest.split_once('(').and_then(|(_, code)| code.split_once(')')).map_or("", |(code, _)| code);
    let name = match first {
        "Red" => "RedHat",
        "Oracle" => "OracleLinux",
        "Scientific" => "Scientific",
        "Virtuozzo" => "Virtuozzo",
        "Miracle" | "MIRACLE" => "MIRACLE",
        "Amazon" => return None,
        other => other,
    };
    let version: Vec<_> = number.split('.').take(2).collect();
    let mut version = version.join(".");
    // Rebuilds that name only the major version in their title tell the rest in os-release.
    if let Some(longer) = os.get("VERSION_ID").filter(|it| it.starts_with(&format!("{version}."))) {
        longer.clone_into(&mut version);
    }
    let release = if title.ends_with("Stream") { "Stream" } else { code };
    let release = if name == "Fedora" { "" } else { release };
    let variety = if path.contains("oracle") { "OracleLinux" } else { "RedHat" };
    Some(Distribution {
        name: name.to_owned(),
        version,
        release: release.to_owned(),
        file: Some((path.to_owned(), variety)),
        ..Distribution::default()
    })
}

fn from_os_release(source: &Source, os: &OsRelease) -> Distribution {
    let id = os.get("ID").unwrap_or_default();
    let title = os.get("NAME").unwrap_or_default();
    let (name, variety) = named(id, title);
    let mut found = Distribution {
        name: name.to_owned(),
        version: os.get("VERSION_ID").or(os.get("BUILD_ID")).unwrap_or_default().to_owned(),
        release: os.get("VERSION_CODENAME").unwrap_or_default().to_owned(),
        file: variety.map(|variety| (os.path.to_owned(), variety)),
        ..Distribution::default()
    };
    if found.release.is_empty() {
        let version = os.get("VERSION").unwrap_or_default();
        found.release = version
            .split_once('(')
            .and_then(|(_, code)| code.split_once(')'))
            .map_or("", |(code, _)| code)
            .to_lowercase();
    }
    match name {
        // os-release has the major version only; the point release is in a file of its own.
        "Debian" => {
            if let Some(full) =
                source.line("/etc/debian_version").filter(|it| it.starts_with(char::is_numeric))
            {
                found.minor = full.split_once('.').map(|(_, minor)| minor.to_owned());
                found.version = full;
            }
        }
        "Alpine" => {
            if let Some(full) = source.line("/etc/alpine-release") {
                found.version = full;
                found.file = Some(("/etc/alpine-release".into(), "Alpine"));
            }
        }
        name if family(name) == "Suse" => {
            let minor = found.version.split_once('.').map(|(_, minor)| minor.to_owned());
            found.release = minor.unwrap_or_default();
        }
        _ => {}
    }
    found
}

/// The name in playbooks and the variety of file, from `ID` and `NAME`.
fn named<'a>(id: &str, title: &'a str) -> (&'a str, Option<&'static str>) {
    match id {
        "debian" | "raspbian" => ("Debian", Some("Debian")),
        "ubuntu" => ("Ubuntu", Some("Debian")),
        "alpine" => ("Alpine", Some("Alpine")),
        "arch" | "archarm" => ("Archlinux", Some("Archlinux")),
        "amzn" => ("Amazon", Some("Amazon")),
        "sles" | "sled" if title.contains("SAP") => ("SLES_SAP", Some("SUSE")),
        "sles" => ("SLES", Some("SUSE")),
        "sled" => ("SLED", Some("SUSE")),
        "sles_sap" => ("SLES_SAP", Some("SUSE")),
        "sl-micro" => ("SL-Micro", Some("SUSE")),
        "opensuse-leap" => ("openSUSE Leap", Some("SUSE")),
        "opensuse-tumbleweed" => ("openSUSE Tumbleweed", Some("SUSE")),
        "opensuse" => ("openSUSE", Some("SUSE")),
        "rhel" => ("RedHat", Some("RedHat")),
        "ol" => ("OracleLinux", Some("OracleLinux")),
        "centos" => ("CentOS", Some("CentOS")),
        "rocky" => ("Rocky", Some("RedHat")),
        "almalinux" => ("AlmaLinux", Some("RedHat")),
        "fedora" => ("Fedora", Some("RedHat")),
        "gentoo" => ("Gentoo", None),
        "linuxmint" => ("Linux Mint", Some("Debian")),
        "kali" => ("Kali", Some("Debian")),
        "devuan" => ("Devuan", Some("Debian")),
        "pop" => ("Pop!_OS", Some("Debian")),
        "neon" => ("KDE neon", Some("Debian")),
        "flatcar" => ("Flatcar", Some("Flatcar")),
        "slackware" => ("Slackware", Some("Slackware")),
        "mariner" => ("Mariner", None),
        "nixos" => ("NixOS", None),
        "void" => ("Void", None),
        "openEuler" => ("openEuler", None),
        "manjaro" => ("Manjaro", Some("Archlinux")),
        "clear-linux-os" => ("Clear Linux OS", Some("ClearLinux")),
        _ => (title, None),
    }
}

fn family(name: &str) -> &str {
    match name {
        "RedHat"
        | "RHEL"
        | "Fedora"
        | "CentOS"
        | "Scientific"
        | "SLC"
        | "Ascendos"
        | "CloudLinux"
        | "PSBM"
        | "OracleLinux"
        | "OVS"
        | "OEL"
        | "Amazon"
        | "Amzn"
        | "Virtuozzo"
        | "XenServer"
        | "Alibaba"
        | "Alinux"
        | "EulerOS"
        | "openEuler"
        | "AlmaLinux"
        | "Rocky"
        | "TencentOS"
        | "EuroLinux"
        | "MIRACLE"
        | "Kylin Linux Advanced Server" => "RedHat",
        "Debian"
        | "Ubuntu"
        | "Raspbian"
        | "Neon"
        | "KDE neon"
        | "Linux Mint"
        | "SteamOS"
        | "Devuan"
        | "Kali"
        | "Cumulus Linux"
        | "Pop!_OS"
        | "Parrot"
        | "Pardus GNU/Linux"
        | "Uos"
        | "Deepin"
        | "OSMC"
        | "Linux Mint Debian Edition" => "Debian",
        "SuSE"
        | "SLES"
        | "SLED"
        | "openSUSE"
        | "openSUSE Tumbleweed"
        | "SLES_SAP"
        | "SUSE_LINUX"
        | "openSUSE Leap"
        | "ALP-Dolomite"
        | "SL-Micro"
        | "openSUSE MicroOS" => "Suse",
        "Archlinux" | "Antergos" | "Manjaro" => "Archlinux",
        "Mandrake" | "Mandriva" => "Mandrake",
        "Gentoo" | "Funtoo" => "Gentoo",
        "Clear Linux OS" | "Clear Linux Mix" => "ClearLinux",
        "ALT Linux" | "Altlinux" => "Altlinux",
        other => other,
    }
}
