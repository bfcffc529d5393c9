//! `command`: runs a program without a shell.

pub(in crate::modules::commands) mod run;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Cmd, Fail, Look, Module, Outcome, Support, Touch, Value, expand, split_words};
use run::{Conditions, Streams};

/// Run a program.
///
/// No shell sees the command: `|`, `>`, `&&` and `*` are arguments like any other. `$NAME` and `~` are expanded unless
/// `expand_argument_vars` is off. Use `shell` where a shell is needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The command line, split into words as a shell would.
    cmd: Option<String>,
    /// The command line as the task's free text.
    #[serde(rename = "_raw_params")]
    raw_params: Option<String>,
    /// The command as a list of words, instead of `cmd`.
    argv: Option<Vec<String>>,
    /// Expand `$NAME` and `~` in the words.
    #[serde(default = "yes")]
    expand_argument_vars: bool,
    /// When and where.
    #[serde(rename = "@conditions")]
    #[schemars(flatten)]
    conditions: Conditions,
    /// Input and output.
    #[serde(rename = "@streams")]
    #[schemars(flatten)]
    streams: Streams,
}

fn yes() -> bool {
    true
}

/// What `command` and `shell` return.
pub(super) const RETURNS: &str = "
cmd: The command that was run.
rc: Its exit code.
stdout: What it printed.
stdout_lines: The same as a list of lines.
stderr: What it printed on standard error.
stderr_lines: The same as a list of lines.
start: When it began, in UTC.
end: When it ended, in UTC.
delta: How long it took.
msg: Why it was not run, or that its exit code is not zero.
";

impl Module for Args {
    const SUPPORT: Support = Support::IMPERATIVE;
    const EXAMPLES: &'static str = "
- name: Which kernel?
  command: uname -r
  register: kernel
  changed_when: false

- name: Make the database once
  command: /usr/bin/make_database.sh db_user db_name
  args:
    chdir: /srv
    creates: /srv/database

- name: Words with spaces in them
  command:
    argv:
      - /usr/bin/tool
      - --title
      - An example
";
    const RETURNS: &'static str = RETURNS;
    const FREE_FORM: Option<&'static str> = Some("_raw_params");
    type Plan = Cmd;

    fn plan(&self, host: &dyn Look) -> Result<Option<Cmd>, Fail> {
        let cmd = self.cmd(host)?;
        let folder = self.conditions.folder(host).map_err(|fail| self.with_cmd(&fail))?;
        let needless = self.conditions.needless(host)?.is_some();
        Ok((!needless).then(|| run::within(cmd, folder)))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let shown = shown(&self.words()?);
        Ok(self
            .conditions
            .needless(host)?
            .map_or_else(Outcome::unchanged, |needless| needless.outcome(shown)))
    }

    fn predicted(&self, _plan: &Cmd, _host: &dyn Look) -> Result<Outcome, Fail> {
        let conditional = self.conditions.creates.is_some() || self.conditions.removes.is_some();
        Ok(run::would_run(shown(&self.words()?), conditional))
    }

    fn apply(&self, plan: Cmd, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        run::run(host, plan, &self.streams, shown(&self.words()?))
    }
}

fn shown(words: &[String]) -> Value {
    Value::from(words.to_vec())
}

impl Args {
    fn words(&self) -> Result<Vec<String>, Fail> {
        let text = self.cmd.as_ref().or(self.raw_params.as_ref()).filter(|text| !text.trim().is_empty());
        match (text, &self.argv) {
            (Some(_), Some(_)) => {
                Err(run::refuse("only command or argv can be given, not both", Value::Null))
            }
            (None, Some(argv)) if !argv.is_empty() => Ok(argv.clone()),
            (None, _) => Err(run::refuse("no command given", Value::Null)),
            (Some(text), None) => split_words(text).ok_or_else(|| {
                run::refuse("a quote in the command is not closed", Value::from(text.as_str()))
            }),
        }
    }

    fn cmd(&self, host: &dyn Look) -> Result<Cmd, Fail> {
        let words = self.words()?;
        let expanded = words
            .iter()
            .map(|word| if self.expand_argument_vars { expand(word, host) } else { word.clone() });
        Ok(Cmd::new(expanded))
    }

    fn with_cmd(&self, fail: &Fail) -> Fail {
        let shown = self.words().map_or(Value::Null, |words| shown(&words));
        run::refuse(&fail.msg, shown).with("rc", Value::Null)
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    fn text(outcome: &Outcome) -> String {
        Value::map(outcome.fields.clone()).to_string()
    }

    #[test]
    fn runs_words_and_returns_what_they_print() {
        let mut host = FakeHost::new().answer("echo", 0, "a\nb\n\n");
        let outcome = host.play::<Args>("_raw_params: 'echo $HOME ~ \"a b\" | cat'").unwrap();
        assert_eq!(host.ran, ["echo /root /root a b | cat"]);
        assert!(outcome.changed && !outcome.failed);
        assert_eq!(
            text(&outcome),
            "{'rc': 0, 'stdout': 'a\\nb', 'stderr': '', 'stdout_lines': ['a', 'b'], 'stderr_lines': [], \
             'cmd': ['echo', '$HOME', '~', 'a b', '|', 'cat'], 'start': '2026-01-01 00:00:00.000000', \
             'end': '2026-01-01 00:00:00.000000', 'delta': '0:00:00', 'msg': ''}"
        );
        host.play::<Args>("{argv: [echo, $HOME, 5], expand_argument_vars: false, stdin: x}").unwrap();
        assert_eq!(host.ran[1], "echo $HOME 5");
        assert_eq!(host.stdin, b"x\n");
        host.play::<Args>("{cmd: echo, stdin: x, stdin_add_newline: false, strip_empty_ends: false}")
            .unwrap();
        assert_eq!(host.stdin, b"x");
    }

    #[test]
    fn a_bad_exit_code_fails_the_task() {
        let mut host = FakeHost::new().answer("false", 1, "");
        let outcome = host.play::<Args>("cmd: 'false'").unwrap();
        assert!(outcome.failed && outcome.changed);
        assert_eq!(outcome.fields["msg"].to_string(), "non-zero return code");
    }

    #[test]
    fn conditions_decide_with_patterns_and_from_the_folder() {
        let mut host = FakeHost::new().answer("make", 0, "").file("/srv/done.1", "");
        for (args, runs) in [
            ("{cmd: make, creates: /srv/done.1}", false),
            ("{cmd: make, creates: /srv/done.*}", false),
            ("{cmd: make, creates: done.1, chdir: /srv}", false),
            ("{cmd: make, creates: done.1}", true),
            ("{cmd: make, removes: /srv/none}", false),
            ("{cmd: make, removes: /srv/done.?}", true),
        ] {
            assert_eq!(host.play::<Args>(args).unwrap().changed, runs, "{args}");
        }
        let outcome = host.play::<Args>("{cmd: make, creates: /srv/done.1}").unwrap();
        assert_eq!(outcome.fields["stdout"].to_string(), "skipped, since /srv/done.1 exists");
        assert_eq!(outcome.fields["msg"].to_string(), "Did not run command since '/srv/done.1' exists");
        assert_eq!(outcome.fields["rc"].as_int(), Some(0));
        assert!(!outcome.skipped);
    }

    #[test]
    fn check_mode_skips_unless_a_condition_tells() {
        let mut host = FakeHost::new();
        let outcome = host.check::<Args>("cmd: make").unwrap();
        assert!(outcome.skipped && !outcome.changed);
        assert_eq!(
            text(&outcome),
            "{'rc': 0, 'stdout': '', 'stderr': '', 'stdout_lines': [], 'stderr_lines': [], 'start': None, \
             'end': None, 'delta': None, 'cmd': ['make'], 'msg': 'Command would have run if not in check mode'}"
        );
        let outcome = host.check::<Args>("{cmd: make, creates: /none}").unwrap();
        assert!(outcome.changed && !outcome.skipped);
    }

    #[test]
    fn what_can_not_run_says_so() {
        for (args, message) in [
            ("{}", "no command given"),
            ("{cmd: a, argv: [b]}", "only command or argv can be given, not both"),
            ("{cmd: 'a \"b'}", "a quote in the command is not closed"),
            (
                "{cmd: a, chdir: /none}",
                "Unable to change directory before execution: [Errno 2] No such file or directory: '/none'",
            ),
        ] {
            let fail = FakeHost::new().play::<Args>(args).unwrap_err();
            assert_eq!(fail.msg, message);
            assert_eq!(fail.fields["stdout"].to_string(), "");
        }
    }
}
