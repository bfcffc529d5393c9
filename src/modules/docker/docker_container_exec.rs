//! `docker_container_exec`: a command in a running container.

use schemars::JsonSchema;
use serde::Deserialize;

use super::engine::{Engine, Kind, plain_name};
use super::pairs::{Pairs, with_variables};
use crate::modules::api::{Cmd, Fail, Look, Module, Outcome, Support, Touch, split_words};

/// Run a command in a running container.
///
/// No shell sees the command. As with `command`, it is not known whether it changes something: use `changed_when`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The container.
    container: String,
    /// The command as a list of words.
    #[serde(default)]
    argv: Option<Vec<String>>,
    /// The command as a text, split into words as a shell would.
    #[serde(default)]
    command: Option<String>,
    /// The folder in the container to run it in.
    #[serde(default)]
    chdir: Option<String>,
    /// Do not wait for its end.
    #[serde(default)]
    detach: bool,
    /// The user in the container, maybe with `:group`.
    #[serde(default)]
    user: Option<String>,
    /// What it reads.
    #[serde(default)]
    stdin: Option<String>,
    /// End that with a new line.
    #[serde(default = "yes")]
    stdin_add_newline: bool,
    /// Take empty lines from the end of what it printed.
    #[serde(default = "yes")]
    strip_empty_ends: bool,
    /// Give it a terminal.
    #[serde(default)]
    tty: bool,
    /// Variables of its environment. Their values do not stand in the process list.
    #[serde(default)]
    env: Pairs,
    /// Which engine.
    #[serde(rename = "@engine")]
    #[schemars(flatten)]
    engine: Engine,
}

fn yes() -> bool {
    true
}

impl Module for Args {
    const SUPPORT: Support = Support::IMPERATIVE;
    const EXAMPLES: &'static str = "
- name: Ask the application for its version
  docker_container_exec:
    container: app
    argv: [cat, /srv/version]
  register: version
  changed_when: false

- name: Give the database its scheme
  docker_container_exec:
    container: database
    command: psql --quiet app
    stdin: \"{{ scheme }}\"
    user: postgres
";
    const RETURNS: &'static str = "
stdout: What it printed.
stdout_lines: The same as a list of lines.
stderr: What it printed on standard error.
stderr_lines: The same as a list of lines.
rc: Its exit code.
";
    type Plan = Cmd;

    fn plan(&self, host: &dyn Look) -> Result<Option<Cmd>, Fail> {
        plain_name(Kind::Container, &self.container)?;
        let words = match (&self.argv, &self.command) {
            (Some(_), Some(_)) => return Err(Fail::new("parameters are mutually exclusive: argv|command")),
            (Some(argv), None) if !argv.is_empty() => argv.clone(),
            (None, Some(text)) => {
                let words = split_words(text).filter(|words| !words.is_empty());
                words.ok_or_else(|| Fail::new("command: it is empty or a quote is not closed"))?
            }
            _ => return Err(Fail::new("one of the following is required: argv, command")),
        };
        if self.detach && self.stdin.is_some() {
            return Err(Fail::new("If detach=true, stdin cannot be provided."));
        }
        let mut cmd = self.engine.cmd(host, ["exec"])?;
        for (given, option) in
            [(self.detach, "--detach"), (self.tty, "--tty"), (self.stdin.is_some(), "--interactive")]
        {
            if given {
                cmd = cmd.arg(option);
            }
        }
        for (value, option) in [(&self.user, "--user"), (&self.chdir, "--workdir")] {
            if let Some(value) = value {
                cmd = cmd.args([option, value]);
            }
        }
        cmd = with_variables(cmd, "--env", &self.env.texts("env")?);
        cmd = cmd.arg(self.container.as_str()).args(words);
        if let Some(text) = &self.stdin {
            cmd = cmd.stdin(if self.stdin_add_newline { format!("{text}\n") } else { text.clone() });
        }
        Ok(Some(cmd))
    }

    fn predicted(&self, _plan: &Cmd, _host: &dyn Look) -> Result<Outcome, Fail> {
        let outcome = Outcome { skipped: true, ..Outcome::default() };
        Ok(outcome
            .with("rc", 0)
            .with("stdout", "")
            .with("msg", "Command would have run if not in check mode"))
    }

    fn apply(&self, plan: Cmd, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let ran = host.run(&plan)?;
        let own = ["cannot connect to the docker daemon", "no such container", "is not running"];
        let error = ran.err().to_lowercase();
        if ran.rc == 1 && error.starts_with("error") && own.iter().any(|text| error.contains(text)) {
            return Err(Fail::new(ran.err().trim()).with("rc", ran.rc));
        }
        if self.detach {
            let id = ran.out().trim().to_owned();
            return Ok(Outcome::changed().with("exec_id", id));
        }
        let mut outcome = ran.fields(Outcome::changed());
        if !self.strip_empty_ends {
            outcome = outcome.with("stdout", ran.out()).with("stderr", ran.err());
        }
        if !ran.ok() {
            outcome.failed = true;
            outcome = outcome.with("msg", "non-zero return code");
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn words_go_to_the_container() {
        for (args, line) in [
            ("argv: [echo, 'a b', '|']", "docker exec app echo a b |"),
            ("command: 'echo \"a b\"'", "docker exec app echo a b"),
            ("argv: [x], user: u, chdir: /d, tty: true", "docker exec --tty --user u --workdir /d app x"),
            ("argv: [x], env: {TOKEN: s3cret}", "docker exec --env TOKEN app x"),
            ("argv: [x], stdin: hi", "docker exec --interactive app x"),
        ] {
            let mut host = FakeHost::new().answer("docker exec", 0, "out\n\n");
            let outcome = host.play::<Args>(&format!("{{container: app, {args}}}")).unwrap();
            assert!(outcome.changed && !outcome.failed);
            assert_eq!((host.ran[0].as_str(), outcome.fields["stdout"].as_str()), (line, Some("out")));
            assert_eq!(host.stdin, if args.contains("stdin") { b"hi\n".to_vec() } else { Vec::new() });
        }
    }

    #[test]
    fn bad_ends_are_told_apart() {
        let mut bad = FakeHost::new().answer("docker exec", 3, "x");
        let outcome = bad.play::<Args>("{container: app, argv: [x]}").unwrap();
        assert!(outcome.failed && outcome.fields["rc"].as_int() == Some(3));
        let ran = Ran { rc: 1, stderr: b"Error: No such container: app".to_vec(), ..Ran::default() };
        let mut gone = FakeHost::new().answer_with("docker exec", ran, None);
        assert!(gone.play::<Args>("{container: app, argv: [x]}").is_err());
        for args in ["argv: [a], command: b", "argv: []", "command: ''", "argv: [a], detach: true, stdin: x"]
        {
            assert!(
                FakeHost::new()
                    .program("docker")
                    .play::<Args>(&format!("{{container: app, {args}}}"))
                    .is_err(),
                "{args}"
            );
        }
    }

    #[test]
    fn check_mode_runs_nothing() {
        let mut host = FakeHost::new().program("docker");
        assert!(host.check::<Args>("{container: app, argv: [x]}").unwrap().skipped);
    }
}
