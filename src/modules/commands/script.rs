//! `script`: runs a script of the controller. This is the host's half: it gets the script as the call's only blob,
//! with an empty name, and the arguments as the user wrote them (the script's own path is their first word).

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::command::run::{self, Conditions};
use crate::modules::api::{Fail, Look, Module, Outcome, Support, Touch, Write, next_word};

/// Run a script of the controller on the host.
///
/// The script is copied into a private folder, run there and removed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Path of the script on the controller, and its arguments.
    pub cmd: Option<String>,
    /// The same as the task's free text.
    #[serde(rename = "_raw_params")]
    pub raw_params: Option<String>,
    /// What runs the script, with options if need be; by default its first line (`#!`) says it.
    pub executable: Option<String>,
    /// Decrypt the script if it is a vault.
    #[serde(default = "yes")]
    pub decrypt: bool,
    /// When and where.
    #[serde(rename = "@conditions")]
    #[schemars(flatten)]
    pub conditions: Conditions,
}

fn yes() -> bool {
    true
}

impl Module for Args {
    const SUPPORT: Support = Support::IMPERATIVE;
    const EXAMPLES: &'static str = "
- name: A script with arguments
  script: /some/local/script.sh --some-argument 1234

- name: Once, with an interpreter
  script:
    cmd: /some/local/script.py --first
    executable: python3
    creates: /srv/done
";
    const RETURNS: &'static str = "
rc: The exit code.
stdout: What the script printed.
stdout_lines: The same as a list of lines.
stderr: What it printed on standard error.
stderr_lines: The same as a list of lines.
";
    const FREE_FORM: Option<&'static str> = Some("_raw_params");
    type Plan = Option<PathBuf>;

    fn plan(&self, host: &dyn Look) -> Result<Option<Option<PathBuf>>, Fail> {
        self.arguments()?;
        let folder = self.conditions.folder(host)?;
        let needless = self.conditions.needless(host)?.is_some();
        Ok((!needless).then_some(folder))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let Some(needless) = self.conditions.needless(host)? else { return Ok(Outcome::unchanged()) };
        let path = &needless.path;
        let why = if needless.there {
            format!("{path} exists, matching creates option")
        } else {
            format!("{path} does not exist, matching removes option")
        };
        Ok(Outcome { skipped: true, ..Outcome::unchanged() }.with("msg", why))
    }

    fn predicted(&self, _plan: &Option<PathBuf>, _host: &dyn Look) -> Result<Outcome, Fail> {
        if self.conditions.creates.is_some() || self.conditions.removes.is_some() {
            return Ok(Outcome::changed());
        }
        let skipped = Outcome { skipped: true, ..Outcome::unchanged() };
        Ok(skipped.with("msg", "Check mode is not supported for this task."))
    }

    fn apply(&self, folder: Option<PathBuf>, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        if host.blobs().len() != 1 {
            return Err(Fail::new("script: the controller did not send the script"));
        }
        let script = host.temp_dir()?.join("script");
        host.receive(0, &script, &Write { mode: Some(0o700), ..Write::default() })?;
        let executable = self.executable.as_ref().map(|text| format!("{text} ")).unwrap_or_default();
        let line = format!("{executable}'{}'{}", script.display(), self.arguments()?);
        let ran = host.run(&run::within(run::shell(None, &line), folder))?;
        let outcome = Outcome { failed: ran.rc != 0, ..Outcome::changed() };
        let outcome = run::finish(outcome, &ran, false);
        Ok(if ran.rc == 0 { outcome } else { outcome.with("msg", "non-zero return code") })
    }
}

impl Args {
    /// What comes after the script's own path, for the shell to read.
    fn arguments(&self) -> Result<&str, Fail> {
        let text = self.cmd.as_deref().or(self.raw_params.as_deref()).unwrap_or_default();
        match next_word(text) {
            Some(Some((_, rest))) => Ok(rest),
            Some(None) => Err(Fail::new("no script given")),
            None => Err(Fail::new("a quote in the command is not closed")),
        }
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn the_script_is_run_in_a_private_place_with_its_arguments() {
        let mut host = FakeHost::new().blob("", 0o644, "#!/bin/sh\n").answer("/bin/sh", 0, "x\n");
        let outcome = host.play::<Args>("_raw_params: '\"files/my script.sh\" -a \"b c\"'").unwrap();
        assert_eq!(host.ran, ["/bin/sh -c '/tmp/regatta-1/script' -a \"b c\""]);
        assert_eq!((host.mode("/tmp/regatta-1"), host.mode("/tmp/regatta-1/script")), (0o700, 0o700));
        assert_eq!(outcome.fields["stdout"].to_string(), "x\n");
        host.play::<Args>("{cmd: a.py 1, executable: python3}").unwrap();
        assert_eq!(host.ran[1], "/bin/sh -c python3 '/tmp/regatta-2/script' 1");
    }

    #[test]
    fn conditions_skip_it() {
        let mut host = FakeHost::new().file("/x", "").blob("", 0o644, "");
        let outcome = host.play::<Args>("{cmd: a.sh, creates: /x}").unwrap();
        assert!(outcome.skipped);
        assert_eq!(outcome.fields["msg"].to_string(), "/x exists, matching creates option");
        assert!(host.check::<Args>("{cmd: a.sh, creates: /y}").unwrap().changed);
        assert!(host.check::<Args>("cmd: a.sh").unwrap().skipped);
    }
}
