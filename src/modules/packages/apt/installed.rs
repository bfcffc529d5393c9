//! What dpkg has installed and what apt offers.

use std::collections::BTreeMap;

use super::spec::Spec;
use crate::modules::api::{Cmd, Fail, Look};

/// A package that dpkg knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Package {
    pub name: String,
    pub architecture: String,
    pub version: String,
    /// Unpacked and configured, not only remembered for its configuration files.
    pub installed: bool,
    /// Names that it stands for.
    pub provides: Vec<String>,
}

/// All that dpkg knows.
pub(super) struct Installed {
    packages: Vec<Package>,
}

/// What `apt-cache policy` says of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Offer {
    /// The version that would be installed now.
    pub candidate: Option<String>,
    /// All versions, newest first.
    pub versions: Vec<String>,
}

const FORMAT: &str = "${Package}\\t${Architecture}\\t${db:Status-Abbrev}\\t${Version}\\t${Provides}\\n";

impl Installed {
    pub fn read(host: &dyn Look) -> Result<Installed, Fail> {
        let cmd = Cmd::new(["dpkg-query", "-W", "-f", FORMAT]).env("LC_ALL", "C");
        let text = host.query(&cmd)?.success("asking dpkg for the installed packages")?.out();
        Ok(Installed { packages: text.lines().filter_map(package).collect() })
    }

    /// The installed packages that a specification names.
    pub fn of(&self, spec: &Spec) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|it| it.installed && spec.names(it))
    }

    /// Whether anything of it is left on the host, its configuration files included.
    pub fn remains(&self, spec: &Spec) -> bool {
        self.packages.iter().any(|it| spec.names(it))
    }

    /// Whether an installed package stands for a name that no package really has.
    pub fn provided(&self, host: &dyn Look, name: &str) -> Result<bool, Fail> {
        let stands = |it: &Package| it.installed && it.provides.iter().any(|other| other == name);
        if !self.packages.iter().any(stands) {
            return Ok(false);
        }
        let offer = policy(host, &[name])?.remove(name).unwrap_or_default();
        Ok(offer.candidate.is_none())
    }
}

fn package(line: &str) -> Option<Package> {
    let fields: Vec<_> = line.split('\t').collect();
    let [name, architecture, status, version, provides] = fields[..] else { return None };
    let provides = provides.split(',').filter_map(|it| it.split_whitespace().next());
    Some(Package {
        name: name.to_owned(),
        architecture: architecture.to_owned(),
        version: version.to_owned(),
        installed: status.as_bytes().get(1) == Some(&b'i'),
        provides: provides.map(str::to_owned).collect(),
    })
}

/// What apt offers for names; a name that it has never heard of is not in the answer.
pub(super) fn policy(host: &dyn Look, names: &[&str]) -> Result<BTreeMap<String, Offer>, Fail> {
    let cmd = Cmd::new(["apt-cache", "policy", "--"]).args(names.iter().copied()).env("LC_ALL", "C");
    let text = host.query(&cmd)?.success("asking apt for the available versions")?.out();
    Ok(offers(&text))
}

fn offers(text: &str) -> BTreeMap<String, Offer> {
    let mut offers: BTreeMap<String, Offer> = BTreeMap::new();
    let mut current: Option<&mut Offer> = None;
    for line in text.lines() {
        if let Some(name) = line.strip_suffix(':').filter(|it| !it.starts_with(' ')) {
            current = Some(offers.entry(name.to_owned()).or_default());
            continue;
        }
        let Some(offer) = &mut current else { continue };
        if let Some(candidate) = line.trim().strip_prefix("Candidate: ") {
            offer.candidate = (candidate != "(none)").then(|| candidate.to_owned());
            continue;
        }
        // Versions are indented by five columns, where `***` may mark the installed one; their sources by more.
        let version = line.strip_prefix("     ").or_else(|| line.strip_prefix(" *** "));
        if let Some(version) = version.filter(|it| !it.starts_with(' ')).and_then(|it| it.split(' ').next()) {
            offer.versions.push(version.to_owned());
        }
    }
    offers
}

/// The names of all packages that apt knows and that fit a pattern.
pub(super) fn known(host: &dyn Look, spec: &Spec) -> Result<Vec<String>, Fail> {
    let cmd = Cmd::new(["apt-cache", "pkgnames"]).env("LC_ALL", "C");
    let text = host.query(&cmd)?.success("asking apt for the names of all packages")?.out();
    let mut names: Vec<_> =
        text.lines().filter(|name| super::spec::fits(&spec.name, name)).map(str::to_owned).collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dpkgs_lines_tell_state_and_provides() {
        let found = package("exim4\tamd64\tii \t4.96-15\tdefault-mta, mail-transport-agent (= 1)").unwrap();
        assert!(found.installed);
        assert_eq!(found.provides, ["default-mta", "mail-transport-agent"]);
        assert!(package("hold\tall\thi \t1\t").unwrap().installed);
        assert!(!package("old\tall\trc \t1\t").unwrap().installed);
        assert_eq!(package("broken"), None);
    }

    #[test]
    fn policies_tell_candidates_and_all_versions() {
        let text = "sl:\n  Installed: (none)\n  Candidate: 5.02-1\n  Version table:\n     5.02-1 500\n        \
            500 http://deb.debian.org bookworm/main amd64 Packages\nbash:\n  Installed: 5.2-b8\n  Candidate: 5.2-b13\n  \
            Version table:\n     5.2-b13 500\n        500 http://x\n *** 5.2-b8 100\n        100 /var/lib/dpkg/status\n\
            mta:\n  Installed: (none)\n  Candidate: (none)\n  Version table:\n";
        let found = offers(text);
        assert_eq!(found["sl"].versions, ["5.02-1"]);
        assert_eq!(found["bash"].versions, ["5.2-b13", "5.2-b8"]);
        assert_eq!(found["bash"].candidate.as_deref(), Some("5.2-b13"));
        assert_eq!(found["mta"], Offer::default());
    }
}
