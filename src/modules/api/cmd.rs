//! A command line as an argument vector, never a shell string.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::{Fail, Outcome};

/// What to run and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cmd {
    /// The program and its arguments.
    pub argv: Vec<OsString>,
    /// Added to the environment (after the task's own `environment`).
    pub env: Vec<(String, String)>,
    /// What it reads.
    pub stdin: Option<Vec<u8>>,
    /// Where it runs.
    pub cwd: Option<PathBuf>,
    /// How long at the most; then it and all it started are killed.
    pub timeout: Option<Duration>,
    /// Leave its output out of live lines (it may hold a secret).
    pub quiet: bool,
    /// File mode creation mask.
    pub umask: Option<u32>,
}

impl Cmd {
    /// A command from its words.
    pub fn new<S: Into<OsString>>(argv: impl IntoIterator<Item = S>) -> Cmd {
        Cmd { argv: argv.into_iter().map(Into::into).collect(), ..Cmd::default() }
    }

    /// With one more argument.
    #[must_use]
    pub fn arg(mut self, word: impl Into<OsString>) -> Cmd {
        self.argv.push(word.into());
        self
    }

    /// With more arguments.
    #[must_use]
    pub fn args<S: Into<OsString>>(mut self, words: impl IntoIterator<Item = S>) -> Cmd {
        self.argv.extend(words.into_iter().map(Into::into));
        self
    }

    /// With one more variable in its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Cmd {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Reading this.
    #[must_use]
    pub fn stdin(mut self, data: impl Into<Vec<u8>>) -> Cmd {
        self.stdin = Some(data.into());
        self
    }

    /// The words, joined for messages.
    #[must_use]
    pub fn display(&self) -> String {
        let words: Vec<_> = self.argv.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }
}

/// How a command ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// Exit code; -n for signal n.
    pub rc: i32,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it complained about.
    pub stderr: Vec<u8>,
    /// Whether it ran into its time limit.
    pub timed_out: bool,
}

impl Ran {
    /// Whether it ended with 0.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.rc == 0 && !self.timed_out
    }

    /// Its output as text.
    #[must_use]
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Its complaints as text.
    #[must_use]
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Itself if it ended with 0, else a failure that says what was to be done and carries rc and output.
    ///
    /// # Errors
    /// A command that did not end with 0.
    pub fn success(self, what: &str) -> Result<Ran, Fail> {
        if self.ok() {
            return Ok(self);
        }
        let text = if self.stderr.iter().all(u8::is_ascii_whitespace) { self.out() } else { self.err() };
        let why = if self.timed_out { "it ran out of time".to_owned() } else { text.trim().to_owned() };
        Err(Fail::new(format!("{what} failed: {why}"))
            .with("rc", self.rc)
            .with("stdout", self.out())
            .with("stderr", self.err()))
    }

    /// The fields that `command` and its like return: rc, stdout, stderr and their lines, without trailing newlines.
    #[must_use]
    pub fn fields(&self, outcome: Outcome) -> Outcome {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (out, err) = (self.out(), self.err());
        let (out, err) = (out.trim_end_matches(['\r', '\n']), err.trim_end_matches(['\r', '\n']));
        outcome
            .with("rc", self.rc)
            .with("stdout", out)
            .with("stderr", err)
            .with("stdout_lines", lines(out))
            .with("stderr_lines", lines(err))
    }
}
