//! `pip`: Python packages. `version` compares versions, `tool` finds the pip and makes virtual environments.

mod tool;
mod version;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{
    Cmd, Fail, HostPath, Look, Module, Outcome, Ran, Support, Touch, Value, split_words,
};
use tool::Tool;
use version::satisfies;

/// Install and remove Python packages.
///
/// What pip says is installed already is not installed again. For requirements files, addresses and `state: latest` pip
/// itself is asked in check mode (`--dry-run`); one older than 22.2 can't say, and counts as a change.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The packages: names, with conditions on the version (`flask>=2,<3`), or addresses (`git+https://…`).
    #[serde(default)]
    name: Vec<String>,
    /// The version of the one package that is named.
    version: Option<String>,
    /// A requirements file of the host.
    requirements: Option<String>,
    /// How it is to be.
    #[serde(default)]
    state: State,
    /// A virtual environment to install into; made if it is not there.
    virtualenv: Option<HostPath>,
    /// The command that makes it. If the default one is not installed, `python3 -m venv` does it.
    #[serde(default = "virtualenv")]
    virtualenv_command: String,
    /// The Python of the virtual environment.
    virtualenv_python: Option<String>,
    /// The virtual environment sees the packages of the system.
    #[serde(default)]
    virtualenv_site_packages: bool,
    /// The pip to use: a path, or a name as `pip3.11`. Not together with `virtualenv`.
    executable: Option<HostPath>,
    /// More arguments for pip, as one text.
    extra_args: Option<String>,
    /// Install so that the sources can be edited.
    #[serde(default)]
    editable: bool,
    /// Where pip runs; `requirements` counts from there.
    chdir: Option<HostPath>,
    /// File mode creation mask, as octal text.
    umask: Option<String>,
    /// Install even where the system's package manager manages Python.
    #[serde(default)]
    break_system_packages: bool,
}

/// How packages are to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// Not there.
    Absent,
    /// Installed anew each time.
    Forcereinstall,
    /// There, in the newest version.
    Latest,
    /// There.
    #[default]
    Present,
}

fn virtualenv() -> String {
    tool::VIRTUALENV.into()
}

/// What must be done.
#[derive(Debug)]
pub struct Plan {
    /// The virtual environment is still to be made.
    makes: bool,
    /// pip's own words; none: nothing but the virtual environment.
    words: Vec<String>,
    /// Whether it is certain that pip changes something.
    certain: bool,
}

impl Module for Args {
    const SUPPORT: Support = Support::NO_DIFF;
    const EXAMPLES: &'static str = "
- name: A library in a virtual environment
  pip:
    name:
      - flask>=2,<3
      - gunicorn
    virtualenv: /opt/app/venv

- name: What an application asks for
  pip:
    requirements: requirements.txt
    chdir: /opt/app
    virtualenv: /opt/app/venv
    virtualenv_command: python3 -m venv
";
    const RETURNS: &'static str = "
cmd: What was run.
name: The packages.
version: The version that was asked for.
requirements: The requirements file.
virtualenv: The virtual environment.
state: How it is to be.
stdout: What pip printed.
stderr: What pip complained about.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let packages = self.packages()?;
        let tool = Tool::of(self, host)?;
        let makes = tool.is_missing(host)?;
        if makes && self.state == State::Absent {
            return Ok(None);
        }
        if packages.is_empty() && self.requirements.is_none() {
            return Ok(makes.then_some(Plan { makes, words: Vec::new(), certain: true }));
        }
        let simple = self.requirements.is_none()
            && matches!(self.state, State::Present | State::Absent)
            && packages.iter().all(|package| split(package).is_some());
        if !simple || makes {
            let certain = makes || self.state == State::Forcereinstall;
            return Ok(Some(Plan { makes, words: self.words(&packages)?, certain }));
        }
        let installed = self.installed(&tool, host)?;
        let wrong: Vec<String> = packages
            .iter()
            .filter(|package| {
                let (name, conditions) = split(package).unwrap_or_default();
                let version =
                    installed.iter().find(|(own, _)| *own == normal(name)).map(|(_, version)| version);
                match self.state {
                    State::Absent => version.is_some(),
                    _ => version.is_none_or(|version| satisfies(version, conditions) != Some(true)),
                }
            })
            .cloned()
            .collect();
        if wrong.is_empty() {
            return Ok(None);
        }
        let words = self.words(if self.state == State::Absent { &wrong } else { &packages })?;
        Ok(Some(Plan { makes, words, certain: true }))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::unchanged(), host))
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        let tool = Tool::of(self, host)?;
        let mut outcome = self.describe(Outcome::changed(), host);
        if !plan.certain {
            let mut words = plan.words.clone();
            words.insert(1, "--dry-run".into());
            let ran = host.query(&self.command(&tool, &words, host)?)?;
            outcome.changed = !ran.ok() || ran.out().contains("Would install");
        }
        let cmd = self.command(&tool, &plan.words, host)?;
        Ok(outcome.with("cmd", words_of(&cmd)))
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let tool = Tool::of(self, host.as_look())?;
        let mut outcome = self.describe(Outcome::unchanged(), host.as_look());
        if plan.makes {
            tool.make(self, host)?;
            outcome.changed = true;
        }
        if plan.words.is_empty() {
            return Ok(outcome);
        }
        let watched = self.state != State::Absent && !plan.certain;
        let before = if watched { self.installed(&tool, host.as_look())? } else { Vec::new() };
        let cmd = self.command(&tool, &plan.words, host.as_look())?;
        let ran = host.run(&cmd)?;
        let ran = failed(&cmd, ran)?;
        outcome.changed |= match self.state {
            State::Absent => ran.out().contains("Successfully uninstalled"),
            _ if watched => {
                let after = self.installed(&tool, host.as_look())?;
                before != after || (self.is_plain() && ran.out().contains("Successfully installed"))
            }
            _ => ran.out().contains("Successfully installed"),
        };
        Ok(outcome.with("cmd", words_of(&cmd)).with("stdout", ran.out()).with("stderr", ran.err()))
    }
}

impl Args {
    /// The packages as pip takes them, conditions that a comma tore apart put together again.
    fn packages(&self) -> Result<Vec<String>, Fail> {
        if self.virtualenv.is_some() && self.executable.is_some() {
            return Err(Fail::new("parameters are mutually exclusive: executable|virtualenv"));
        }
        if self.name.is_empty() && self.requirements.is_none() && self.virtualenv.is_none() {
            return Err(Fail::new("one of the following is required: name, requirements, virtualenv"));
        }
        if !self.name.is_empty() && self.requirements.is_some() {
            return Err(Fail::new("parameters are mutually exclusive: name|requirements"));
        }
        let mut packages: Vec<String> = Vec::new();
        for part in self.name.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
            match packages.last_mut().filter(|_| part.starts_with(['<', '>', '=', '!', '~'])) {
                Some(last) => *last = format!("{last},{part}"),
                None if part.starts_with('-') => {
                    return Err(Fail::new(format!("{part:?} is no package: arguments go into extra_args")));
                }
                None => packages.push(part.to_owned()),
            }
        }
        let Some(version) = &self.version else { return Ok(packages) };
        match packages.as_mut_slice() {
            [package] if split(package).is_some_and(|(_, conditions)| conditions.is_empty()) => {
                let exact = !version.starts_with(['<', '>', '=', '!', '~']);
                *package = format!("{package}{}{version}", if exact { "==" } else { "" });
                Ok(packages)
            }
            [_] => Err(Fail::new(
                "The 'version' argument conflicts with any version specifier provided along with a package name.",
            )),
            _ => Err(Fail::new(
                "'version' argument is ambiguous when installing multiple package distributions. Please specify \
                 version restrictions next to each package in 'name' argument.",
            )),
        }
    }

    fn words(&self, packages: &[String]) -> Result<Vec<String>, Fail> {
        let mut words: Vec<String> = match self.state {
            State::Absent => vec!["uninstall".into(), "-y".into()],
            State::Present => vec!["install".into()],
            State::Latest => vec!["install".into(), "-U".into()],
            State::Forcereinstall => vec!["install".into(), "-U".into(), "--force-reinstall".into()],
        };
        if let Some(text) = &self.extra_args {
            let more = split_words(text);
            words.extend(more.ok_or_else(|| Fail::new(format!("extra_args has an open quote: {text}")))?);
        }
        if self.editable && self.state != State::Absent && !words.iter().any(|word| word == "-e") {
            words.push("-e".into());
        }
        words.extend(packages.iter().cloned());
        if let Some(file) = &self.requirements {
            words.extend(["-r".to_owned(), file.clone()]);
        }
        Ok(words)
    }

    fn command(&self, tool: &Tool, words: &[String], host: &dyn Look) -> Result<Cmd, Fail> {
        let mut cmd = tool.command(host).args(words.iter().cloned());
        if self.break_system_packages {
            cmd = cmd.env("PIP_BREAK_SYSTEM_PACKAGES", "1");
        }
        cmd.cwd = self.chdir.as_ref().map(|path| path.on(host));
        cmd.umask = match &self.umask {
            None => None,
            Some(text) => {
                let wrong = |_| Fail::new(format!("umask must be an octal integer, but is {text:?}"));
                Some(u32::from_str_radix(text.trim_start_matches("0o"), 8).map_err(wrong)?)
            }
        };
        Ok(cmd)
    }

    /// Names as pip compares them, and versions.
    fn installed(&self, tool: &Tool, host: &dyn Look) -> Result<Vec<(String, String)>, Fail> {
        let words = ["list", "--format=freeze", "--disable-pip-version-check"].map(str::to_owned);
        let cmd = self.command(tool, &words, host)?;
        let ran = failed(&cmd, host.query(&cmd)?)?;
        let pairs = ran.out();
        Ok(pairs
            .lines()
            .filter_map(|line| line.split_once("=="))
            .map(|(name, version)| (normal(name), version.trim().to_owned()))
            .collect())
    }

    /// Whether all that is wanted is named without an address, so that pip's words can be believed.
    fn is_plain(&self) -> bool {
        self.requirements.is_none()
            && self.name.iter().all(|name| !name.contains("://") && !name.contains('/'))
    }

    fn describe(&self, outcome: Outcome, host: &dyn Look) -> Outcome {
        let state = match self.state {
            State::Absent => "absent",
            State::Forcereinstall => "forcereinstall",
            State::Latest => "latest",
            State::Present => "present",
        };
        let venv = self.virtualenv.as_ref().map(|path| path.on(host).to_string_lossy().into_owned());
        outcome
            .with("name", self.name.clone())
            .with("version", self.version.clone())
            .with("requirements", self.requirements.clone())
            .with("virtualenv", venv)
            .with("state", state)
    }
}

/// The failure that Ansible's users know.
fn failed(cmd: &Cmd, ran: Ran) -> Result<Ran, Fail> {
    ran.success("pip").map_err(|fail| fail.with("cmd", words_of(cmd)))
}

fn words_of(cmd: &Cmd) -> Value {
    cmd.argv.iter().map(|word| Value::from(word.to_string_lossy().into_owned())).collect()
}

/// Name and conditions; `None` for what pip itself must look at: addresses, paths, extras, markers.
fn split(package: &str) -> Option<(&str, &str)> {
    let end = package.find(['<', '>', '=', '!', '~']).unwrap_or(package.len());
    let (name, conditions) = package.split_at(end);
    let name = name.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let fits = !name.is_empty() && name.chars().all(plain) && !name.starts_with('.');
    (fits && satisfies("1", conditions).is_some()).then_some((name, conditions))
}

/// A name as names are compared: lower case, one dash for any separators.
fn normal(name: &str) -> String {
    let mut out = String::new();
    for c in name.trim().chars() {
        let c = if matches!(c, '-' | '_' | '.') { '-' } else { c.to_ascii_lowercase() };
        if c != '-' || !out.ends_with('-') {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests;
