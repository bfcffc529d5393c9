//! Package managers other than apt, as far as they are alike: what is installed, what could be newer, and the command
//! lines that change it. Used by `package`, `dnf`, `zypper`, `apk` and `pacman`.

use crate::modules::api::{Cmd, Diff, Fail, Look, Outcome, Ran, Touch};
use schemars::JsonSchema;
use serde::Deserialize;

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::modules) enum Manager {
    /// `dnf`, `dnf5` or `yum`, by the name of the program.
    Dnf(&'static str),
    /// `zypper` of SUSE.
    Zypper,
    /// `apk` of Alpine.
    Apk,
    /// `pacman` of Arch.
    Pacman,
}

/// What is wanted of packages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::modules) enum State {
    /// Installed, in whatever version.
    #[default]
    #[serde(alias = "installed")]
    Present,
    /// Installed in the newest version.
    Latest,
    /// Not installed.
    #[serde(alias = "removed")]
    Absent,
}

/// What is wanted.
#[derive(Clone, Debug)]
pub(in crate::modules) struct Wanted {
    pub manager: Manager,
    pub names: Vec<String>,
    pub state: State,
    /// Fetch the lists of packages first.
    pub refresh: bool,
    /// Upgrade everything that is installed.
    pub upgrade: bool,
    /// Remove what nothing needs any more.
    pub autoremove: bool,
    /// Options for every call that installs or removes.
    pub options: Vec<String>,
}

/// What must be done.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::modules) struct Plan {
    refresh: bool,
    steps: Vec<Vec<String>>,
    lines: Vec<String>,
}

impl Wanted {
    /// # Errors
    /// A name that could be taken for an option; a manager that does not answer.
    pub fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if let Some(name) = self.names.iter().find(|name| name.starts_with('-') || name.contains('\n')) {
            return Err(Fail::new(format!("{name:?} is no name of a package")));
        }
        // With new lists something else may be the newest: that is only known after the refresh.
        let (steps, lines) = self.steps(host)?;
        Ok((self.refresh || !steps.is_empty()).then_some(Plan { refresh: self.refresh, steps, lines }))
    }

    /// # Errors
    /// What the manager says.
    pub fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let mut steps = plan.steps;
        if plan.refresh {
            self.run(host, &self.manager.refresh())?;
            steps = self.steps(host.as_look())?.0;
        }
        let mut outcome = Outcome::unchanged();
        let (mut stdout, mut stderr) = (String::new(), String::new());
        for step in &steps {
            let ran = self.run(host, step)?;
            outcome.changed |= !says_nothing_to_do(&ran.out());
            stdout.push_str(&ran.out());
            stderr.push_str(&ran.err());
        }
        let results: Vec<_> = plan.lines.clone();
        let msg = if outcome.changed { "" } else { "Nothing to do" };
        outcome = outcome.with("msg", msg).with("rc", 0).with("results", results);
        Ok(outcome.with("stdout", stdout).with("stderr", stderr))
    }

    /// The result for check mode.
    pub fn predicted(plan: &Plan) -> Outcome {
        let outcome = Outcome { changed: !plan.steps.is_empty(), ..Outcome::unchanged() };
        outcome.with("results", plan.lines.clone()).with("rc", 0).with("msg", "")
    }

    /// The result when nothing must be done.
    pub fn nothing() -> Outcome {
        let outcome = Outcome::unchanged().with("msg", "Nothing to do").with("rc", 0);
        outcome.with("results", Vec::<String>::new())
    }

    fn run(&self, host: &mut dyn Touch, words: &[String]) -> Result<Ran, Fail> {
        let cmd = Cmd::new(words.iter()).env("LC_ALL", "C").env("LANG", "C");
        let ran = host.run(&cmd)?;
        // zypper's codes from 100 on say what else there is to do, not that something failed.
        if self.manager == Manager::Zypper && (100..=103).contains(&ran.rc) {
            return Ok(ran);
        }
        ran.success(&format!("'{}'", cmd.display()))
    }

    fn steps(&self, host: &dyn Look) -> Result<(Vec<Vec<String>>, Vec<String>), Fail> {
        let mut steps = Vec::new();
        let mut lines = Vec::new();
        let names: Vec<_> = self.names.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
        if self.upgrade || (self.state == State::Latest && names.contains(&"*")) {
            let newer = self.newer(host, &[])?;
            lines.extend(newer.iter().map(|name| format!("+ {name}")));
            if !newer.is_empty() {
                steps.push(self.manager.call(self.manager.upgrade(), &self.options, &[]));
            }
            return Ok((steps, lines));
        }
        let mut chosen = Vec::new();
        for name in &names {
            let installed = self.manager.installed(host, name)?;
            if installed == (self.state == State::Absent) {
                chosen.push(*name);
            }
        }
        if self.state == State::Latest {
            let there: Vec<_> = names.iter().copied().filter(|name| !chosen.contains(name)).collect();
            let newer = if there.is_empty() { Vec::new() } else { self.newer(host, &there)? };
            chosen.extend(there.into_iter().filter(|name| newer.iter().any(|it| it == bare(name))));
        }
        let sign = if self.state == State::Absent { '-' } else { '+' };
        lines.extend(chosen.iter().map(|name| format!("{sign} {name}")));
        if !chosen.is_empty() {
            let verb = match self.state {
                State::Absent => self.manager.remove(self.autoremove),
                State::Latest => self.manager.install(true),
                State::Present => self.manager.install(false),
            };
            steps.push(self.manager.call(verb, &self.options, &chosen));
        } else if self.autoremove && names.is_empty() && matches!(self.manager, Manager::Dnf(_)) {
            steps.push(self.manager.call(vec!["autoremove"], &self.options, &[]));
        }
        Ok((steps, lines))
    }

    /// Names of installed packages that a newer version exists of.
    fn newer(&self, host: &dyn Look, names: &[&str]) -> Result<Vec<String>, Fail> {
        let manager = self.manager;
        let words: Vec<&str> = match manager {
            Manager::Dnf(program) => vec![program, "-q", "check-update"],
            Manager::Zypper => vec!["zypper", "--non-interactive", "--quiet", "list-updates"],
            Manager::Apk => vec!["apk", "version", "-l", "<"],
            Manager::Pacman => vec!["pacman", "-Qu"],
        };
        let mut cmd = Cmd::new(words).env("LC_ALL", "C");
        if let Manager::Dnf(_) = manager {
            cmd = cmd.args(self.options.iter()).args(names.iter().copied());
        }
        let ran = host.query(&cmd)?;
        // dnf: 100 means that there are some. pacman: 1 means that there are none.
        let fine = match manager {
            Manager::Dnf(_) => ran.rc == 0 || ran.rc == 100,
            Manager::Pacman => ran.rc <= 1,
            Manager::Zypper | Manager::Apk => ran.rc == 0,
        };
        if !fine {
            ran.clone().success(&format!("'{}'", cmd.display()))?;
        }
        Ok(ran.out().lines().filter_map(|line| manager.newer_name(line)).collect())
    }
}

impl Manager {
    /// The manager that facts name so; `None` for one that is not known here.
    pub fn named(name: &str) -> Option<Manager> {
        Some(match name {
            "dnf" | "dnf4" => Manager::Dnf("dnf"),
            "dnf5" => Manager::Dnf("dnf5"),
            "yum" | "yum4" => Manager::Dnf("yum"),
            "zypper" => Manager::Zypper,
            "apk" => Manager::Apk,
            "pacman" => Manager::Pacman,
            _ => return None,
        })
    }

    fn program(self) -> &'static str {
        match self {
            Manager::Dnf(program) => program,
            Manager::Zypper => "zypper",
            Manager::Apk => "apk",
            Manager::Pacman => "pacman",
        }
    }

    fn call(self, verb: Vec<&str>, options: &[String], names: &[&str]) -> Vec<String> {
        let front: &[&str] = match self {
            Manager::Dnf(_) => &["-y"],
            Manager::Zypper => &["--non-interactive"],
            Manager::Apk | Manager::Pacman => &[],
        };
        let mut words: Vec<String> = vec![self.program().to_owned()];
        words.extend(front.iter().map(|word| (*word).to_owned()));
        words.extend(verb.into_iter().map(str::to_owned));
        words.extend(options.iter().cloned());
        words.extend(names.iter().map(|name| (*name).to_owned()));
        words
    }

    fn install(self, newest: bool) -> Vec<&'static str> {
        match (self, newest) {
            (Manager::Dnf(_), _) => vec!["install"],
            (Manager::Zypper, _) => vec!["install", "--auto-agree-with-licenses"],
            (Manager::Apk, true) => vec!["add", "--upgrade"],
            (Manager::Apk, false) => vec!["add"],
            (Manager::Pacman, true) => vec!["-S", "--noconfirm", "--noprogressbar"],
            (Manager::Pacman, false) => vec!["-S", "--noconfirm", "--noprogressbar", "--needed"],
        }
    }

    fn remove(self, unneeded: bool) -> Vec<&'static str> {
        match self {
            Manager::Dnf(_) if unneeded => vec!["remove", "--setopt=clean_requirements_on_remove=True"],
            Manager::Dnf(_) => vec!["remove", "--setopt=clean_requirements_on_remove=False"],
            Manager::Zypper if unneeded => vec!["remove", "--clean-deps"],
            Manager::Zypper => vec!["remove"],
            Manager::Apk => vec!["del"],
            Manager::Pacman if unneeded => vec!["-Rs", "--noconfirm", "--noprogressbar"],
            Manager::Pacman => vec!["-R", "--noconfirm", "--noprogressbar"],
        }
    }

    fn upgrade(self) -> Vec<&'static str> {
        match self {
            Manager::Dnf(_) | Manager::Apk => vec!["upgrade"],
            Manager::Zypper => vec!["update", "--auto-agree-with-licenses"],
            Manager::Pacman => vec!["-Su", "--noconfirm", "--noprogressbar"],
        }
    }

    fn refresh(self) -> Vec<String> {
        let words: &[&str] = match self {
            Manager::Dnf(_) => &["-y", "makecache"],
            Manager::Zypper => &["--non-interactive", "refresh"],
            Manager::Apk => &["update"],
            Manager::Pacman => &["-Sy", "--noprogressbar"],
        };
        [self.program()].iter().chain(words).map(|word| (*word).to_owned()).collect()
    }

    /// Whether a package, or one that provides the name, is installed.
    fn installed(self, host: &dyn Look, name: &str) -> Result<bool, Fail> {
        let asks: &[&[&str]] = match self {
            // Groups, modules, files to come from the network: only dnf itself can tell.
            Manager::Dnf(_) | Manager::Zypper if name.starts_with('@') || name.contains("://") => {
                return Ok(false);
            }
            Manager::Dnf(_) | Manager::Zypper if name.ends_with(".rpm") => return rpm_file(host, name),
            Manager::Dnf(_) | Manager::Zypper if name.contains(['*', '?']) => &[&["rpm", "-qa"]],
            Manager::Dnf(_) | Manager::Zypper => &[&["rpm", "-q"], &["rpm", "-q", "--whatprovides"]],
            Manager::Apk => &[&["apk", "info", "-e"]],
            Manager::Pacman => &[&["pacman", "-Q"]],
        };
        for words in asks {
            let ran = host.query(&Cmd::new(words.iter().copied()).arg(name).env("LC_ALL", "C"))?;
            if ran.ok() && !ran.out().trim().is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The package's name in a line that lists something newer.
    fn newer_name(self, line: &str) -> Option<String> {
        match self {
            // `bash.x86_64    5.1.8-9.el9   baseos`; after `Obsoleting Packages` lines are indented or told apart.
            Manager::Dnf(_) => {
                let words: Vec<_> = line.split_whitespace().collect();
                let [name, _, _] = words[..] else { return None };
                (!line.starts_with(' '))
                    .then(|| name.rsplit_once('.').map(|(name, _)| name.to_owned()))
                    .flatten()
            }
            // `v | repo | bash | 4.4 | 5.1 | x86_64`.
            Manager::Zypper => {
                let cells: Vec<_> = line.split('|').map(str::trim).collect();
                (cells.len() >= 6 && cells[0] == "v").then(|| cells[2].to_owned())
            }
            // `bash-5.2.15-r5 < 5.2.21-r0`.
            Manager::Apk => {
                let package = line.split_once(" < ").or_else(|| line.split_once('<'))?.0.trim();
                let (front, _) = package.rsplit_once('-')?;
                Some(front.rsplit_once('-')?.0.to_owned())
            }
            Manager::Pacman => line.split_whitespace().next().map(str::to_owned),
        }
    }
}

/// Whether the package in a file is installed.
fn rpm_file(host: &dyn Look, file: &str) -> Result<bool, Fail> {
    let ran = host.query(&Cmd::new(["rpm", "-qp", "--nosignature", file]).env("LC_ALL", "C"))?;
    let name = ran.success(&format!("reading the package file {file}"))?.out();
    Ok(host.query(&Cmd::new(["rpm", "-q", name.trim()]))?.ok())
}

/// A name without a version that was asked for.
fn bare(name: &str) -> &str {
    name.split(['=', '<', '>', '~']).next().unwrap_or(name)
}

fn says_nothing_to_do(output: &str) -> bool {
    ["Nothing to do", "there is nothing to do"].iter().any(|words| output.contains(words))
}

impl Plan {
    /// One line for each package that comes or goes.
    pub fn diff(&self) -> Vec<Diff> {
        let text: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        if text.is_empty() { Vec::new() } else { vec![Diff { prepared: Some(text), ..Diff::default() }] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_newer_packages_are_read() {
        for (manager, line, name) in [
            (Manager::Dnf("dnf"), "bash.x86_64     5.1.8-9.el9     baseos", Some("bash")),
            (Manager::Dnf("dnf"), "Obsoleting Packages", None),
            (Manager::Dnf("dnf"), "    old.noarch 1 @System", None),
            (Manager::Dnf("dnf"), "python3.11.x86_64  3.11.9 appstream", Some("python3.11")),
            (Manager::Zypper, "v | repo-oss | bash | 4.4-1 | 5.1-2 | x86_64", Some("bash")),
            (Manager::Zypper, "S | Repository | Name | Current | Available | Arch", None),
            (Manager::Apk, "py3-yaml-6.0-r1 < 6.0.1-r0", Some("py3-yaml")),
            (Manager::Apk, "Installed:   Available:", None),
            (Manager::Pacman, "bash 5.2.15-1 -> 5.2.21-1", Some("bash")),
        ] {
            assert_eq!(manager.newer_name(line).as_deref(), name, "{line}");
        }
    }
}
