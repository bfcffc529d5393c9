//! `package_facts`: all installed packages of a host, as facts.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Cmd, Fail, Look, Map, Module, Outcome, Str, Support, Touch, Value};

/// Put all installed packages of the host into the fact `packages`.
///
/// A name leads to a list, because a package can be installed in several versions or architectures:
/// `packages['bash'][0].version`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Whom to ask: `auto`, or any of `apt`, `rpm`, `apk` and `pacman`; the managers of the `rpm` family stand for it.
    #[serde(default = "auto")]
    manager: Vec<String>,
    /// Whether to ask the first that is there or all.
    #[serde(default)]
    strategy: Strategy,
}

/// How many managers are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Strategy {
    /// The first that is there.
    #[default]
    First,
    /// All that are there.
    All,
}

fn auto() -> Vec<String> {
    vec!["auto".into()]
}

/// A way to ask: its name, the question, and what a line of the answer says.
struct Source {
    name: &'static str,
    question: &'static [&'static str],
    line: fn(&str) -> Option<(&str, Value)>,
}

const SOURCES: [Source; 4] = [
    Source {
        name: "apt",
        question: &[
            "dpkg-query",
            "-W",
            "-f",
            "${db:Status-Abbrev}\\t${Package}\\t${Version}\\t${Architecture}\\t${Section}\\t${Origin}\\n",
        ],
        line: apt,
    },
    Source {
        name: "rpm",
        question: &["rpm", "-qa", "--qf", "%{NAME}\\t%{VERSION}\\t%{RELEASE}\\t%{EPOCH}\\t%{ARCH}\\n"],
        line: rpm,
    },
    Source { name: "apk", question: &["apk", "info", "-v"], line: apk },
    Source { name: "pacman", question: &["pacman", "-Q"], line: pacman },
];

impl Module for Args {
    const SUPPORT: Support = Support::NO_DIFF;
    const EXAMPLES: &'static str = "
- name: Which packages are installed?
  package_facts:
    manager: auto
";
    const RETURNS: &'static str = "ansible_facts: packages, a mapping from a package's name to a list of its \
        installed versions, each with name, version, arch and source.";
    type Plan = ();

    fn plan(&self, _host: &dyn Look) -> Result<Option<()>, Fail> {
        Ok(None)
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let mut packages = Map::new();
        let mut asked = 0;
        for source in self.sources()? {
            let there = source.question.first().is_some_and(|program| host.which(program).is_some());
            if !there || (asked > 0 && self.strategy == Strategy::First) {
                continue;
            }
            asked += 1;
            let cmd = Cmd::new(source.question.iter().copied()).env("LC_ALL", "C");
            let text = host.query(&cmd)?.success(&format!("asking {} for its packages", source.name))?.out();
            for (name, package) in text.lines().filter_map(source.line) {
                let all = packages.get(name).and_then(Value::as_list).unwrap_or_default();
                let all = [all, &[package]].concat();
                packages.insert(Str::from(name), Value::list(all));
            }
        }
        if asked == 0 {
            return Err(Fail::new(
                "Could not detect a supported package manager: neither dpkg, rpm, apk nor pacman is there",
            ));
        }
        let mut outcome = Outcome::unchanged();
        outcome.facts.insert("packages".into(), packages.into());
        Ok(outcome)
    }

    fn apply(&self, (): (), host: &mut dyn Touch) -> Result<Outcome, Fail> {
        self.unchanged(host.as_look())
    }
}

impl Args {
    fn sources(&self) -> Result<Vec<&'static Source>, Fail> {
        let mut chosen: Vec<&'static Source> = Vec::new();
        for name in &self.manager {
            let name = match name.as_str() {
                "dnf" | "dnf5" | "yum" | "zypper" => "rpm",
                "dpkg" => "apt",
                name => name,
            };
            match SOURCES.iter().find(|it| it.name == name) {
                Some(source) => chosen.push(source),
                None if name == "auto" => chosen.extend(SOURCES.iter()),
                None => {
                    return Err(Fail::new(format!(
                        "manager must be auto, apt, rpm, apk or pacman, not {name}"
                    )));
                }
            }
        }
        Ok(chosen)
    }
}

fn apt(line: &str) -> Option<(&str, Value)> {
    let fields: Vec<_> = line.split('\t').collect();
    let [status, name, version, arch, section, origin] = fields[..] else { return None };
    let installed = status.as_bytes().get(1) == Some(&b'i');
    let fields = [
        ("name", name),
        ("version", version),
        ("arch", arch),
        ("category", section),
        ("origin", origin),
        ("source", "apt"),
    ];
    installed.then(|| (name, Value::from_pairs(fields)))
}

fn rpm(line: &str) -> Option<(&str, Value)> {
    let fields: Vec<_> = line.split('\t').collect();
    let [name, version, release, epoch, arch] = fields[..] else { return None };
    let number = epoch.parse::<i64>().ok();
    let fields = [
        ("name", Value::from(name)),
        ("version", version.into()),
        ("release", release.into()),
        ("epoch", number.into()),
        ("arch", if arch == "(none)" { Value::Null } else { arch.into() }),
        ("source", "rpm".into()),
    ];
    Some((name, Value::from_pairs(fields)))
}

/// `py3-yaml-6.0.1-r0`.
fn apk(line: &str) -> Option<(&str, Value)> {
    let (front, release) = line.trim().rsplit_once('-')?;
    let (name, version) = front.rsplit_once('-')?;
    let fields = [("name", name), ("version", version), ("release", release), ("source", "apk")];
    Some((name, Value::from_pairs(fields)))
}

/// `bash 5.2.21-1`.
fn pacman(line: &str) -> Option<(&str, Value)> {
    let (name, version) = line.split_once(' ')?;
    let (version, release) = version.rsplit_once('-').unwrap_or((version, ""));
    let fields = [("name", name), ("version", version), ("release", release), ("source", "pacman")];
    Some((name, Value::from_pairs(fields)))
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn each_manager_is_understood() {
        for (program, text, name, expected) in [
            (
                "dpkg-query",
                "ii \tbash\t5.2-2\tamd64\tshells\tDebian\nrc \tgone\t1\tall\tx\t\n",
                "bash",
                "[{'name': 'bash', 'version': '5.2-2', 'arch': 'amd64', 'category': 'shells', 'origin': 'Debian', 'source': 'apt'}]",
            ),
            (
                "rpm",
                "bash\t5.1\t9.el9\t(none)\tx86_64\nbash\t5.0\t1.el9\t2\tx86_64\n",
                "bash",
                "[{'name': 'bash', 'version': '5.1', 'release': '9.el9', 'epoch': None, 'arch': 'x86_64', 'source': 'rpm'}, \
                 {'name': 'bash', 'version': '5.0', 'release': '1.el9', 'epoch': 2, 'arch': 'x86_64', 'source': 'rpm'}]",
            ),
            (
                "apk",
                "WARNING: x\npy3-yaml-6.0.1-r0\n",
                "py3-yaml",
                "[{'name': 'py3-yaml', 'version': '6.0.1', 'release': 'r0', 'source': 'apk'}]",
            ),
            (
                "pacman",
                "bash 5.2.21-1\n",
                "bash",
                "[{'name': 'bash', 'version': '5.2.21', 'release': '1', 'source': 'pacman'}]",
            ),
        ] {
            let mut host = FakeHost::new().answer(program, 0, text);
            let found = host.play::<Args>("{}").unwrap().facts["packages"].clone();
            assert_eq!(found.get(name).unwrap().to_string(), expected);
            assert_eq!(found.as_map().unwrap().len(), 1, "{found}");
        }
    }

    #[test]
    fn managers_can_be_chosen() {
        let host = || FakeHost::new().answer("dpkg-query", 0, "").answer("pacman", 0, "a 1-1\n");
        let count = |args: &str| host().play::<Args>(args).unwrap().facts["packages"].as_map().unwrap().len();
        assert_eq!((count("{}"), count("strategy: all"), count("manager: [pacman]")), (0, 1, 1));
        assert!(host().play::<Args>("manager: brew").is_err());
        assert!(host().play::<Args>("manager: yum").is_err());
    }
}
