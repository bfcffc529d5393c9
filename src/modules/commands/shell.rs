//! `shell`: gives a text to a shell.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::command::RETURNS;
use super::command::run::{self, Conditions, Streams};
use crate::modules::api::{Cmd, Fail, HostPath, Look, Module, Outcome, Support, Touch, Value};

/// Run a command line in a shell.
///
/// Values from variables go through the filter `quote`, else the shell reads them as its own language.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The command line.
    cmd: Option<String>,
    /// The command line as the task's free text.
    #[serde(rename = "_raw_params")]
    raw_params: Option<String>,
    /// The shell, by its full path. By default `/bin/sh`.
    executable: Option<HostPath>,
    /// When and where.
    #[serde(rename = "@conditions")]
    #[schemars(flatten)]
    conditions: Conditions,
    /// Input and output.
    #[serde(rename = "@streams")]
    #[schemars(flatten)]
    streams: Streams,
}

impl Module for Args {
    const SUPPORT: Support = Support::IMPERATIVE;
    const EXAMPLES: &'static str = "
- name: Two commands and a pipe
  shell: dmesg | tail -n 5 > /tmp/dmesg.txt
  args:
    creates: /tmp/dmesg.txt

- name: What only bash knows
  shell:
    cmd: diff <(sort /etc/a) <(sort /etc/b)
    executable: /bin/bash
";
    const RETURNS: &'static str = RETURNS;
    const FREE_FORM: Option<&'static str> = Some("_raw_params");
    type Plan = Option<PathBuf>;

    fn plan(&self, host: &dyn Look) -> Result<Option<Option<PathBuf>>, Fail> {
        let text = self.text()?;
        let folder = self.conditions.folder(host);
        let folder = folder.map_err(|fail| run::refuse(&fail.msg, text.into()).with("rc", Value::Null))?;
        let needless = self.conditions.needless(host)?.is_some();
        Ok((!needless).then_some(folder))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let shown = Value::from(self.text()?);
        Ok(self
            .conditions
            .needless(host)?
            .map_or_else(Outcome::unchanged, |needless| needless.outcome(shown)))
    }

    fn predicted(&self, _plan: &Option<PathBuf>, _host: &dyn Look) -> Result<Outcome, Fail> {
        let conditional = self.conditions.creates.is_some() || self.conditions.removes.is_some();
        Ok(run::would_run(self.text()?.into(), conditional))
    }

    fn apply(&self, folder: Option<PathBuf>, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let text = self.text()?;
        let shell = self.executable.as_ref().map(|shell| shell.on(host.as_look()));
        let cmd: Cmd = run::within(run::shell(shell.as_deref(), text), folder);
        run::run(host, cmd, &self.streams, text.into())
    }
}

impl Args {
    fn text(&self) -> Result<&str, Fail> {
        let text = self.cmd.as_deref().or(self.raw_params.as_deref());
        text.filter(|text| !text.trim().is_empty())
            .ok_or_else(|| run::refuse("no command given", Value::Null))
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn the_shell_gets_the_text_as_it_is() {
        let mut host = FakeHost::new().answer("/bin/sh", 0, "x\n").answer("/bin/bash", 3, "");
        let outcome = host.play::<Args>("_raw_params: 'echo \"$HOME\" | cat; exit'").unwrap();
        assert_eq!(host.ran, ["/bin/sh -c echo \"$HOME\" | cat; exit"]);
        assert_eq!(outcome.fields["cmd"].to_string(), "echo \"$HOME\" | cat; exit");
        let outcome = host.play::<Args>("{cmd: exit 3, executable: /bin/bash}").unwrap();
        assert!(outcome.failed);
        assert_eq!(outcome.fields["rc"].as_int(), Some(3));
    }

    #[test]
    fn check_mode_runs_nothing() {
        let mut host = FakeHost::new().file("/x", "");
        assert!(host.check::<Args>("cmd: make").unwrap().skipped);
        assert!(host.check::<Args>("{cmd: make, creates: /y}").unwrap().changed);
        assert!(!host.check::<Args>("{cmd: make, creates: /x}").unwrap().changed);
        assert_eq!(host.check::<Args>("{}").unwrap_err().fields["rc"].as_int(), Some(256));
    }
}
