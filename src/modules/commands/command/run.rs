//! What `command`, `shell` and `script` share: when to run, how, and what the result says.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Cmd, Fail, FileKind, HostPath, Look, Outcome, Ran, Touch, Value, glob, timestamp};

/// The conditions, and the folder to run in.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Conditions {
    /// Change to this folder before the command runs.
    pub chdir: Option<HostPath>,
    /// Don't run if this path, or one that fits this pattern, is there.
    pub creates: Option<HostPath>,
    /// Run only if this path, or one that fits this pattern, is there.
    pub removes: Option<HostPath>,
}

/// What goes in and comes out.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Streams {
    /// What the command reads on its standard input.
    pub stdin: Option<String>,
    /// End `stdin` with a newline.
    #[serde(default = "yes")]
    pub stdin_add_newline: bool,
    /// Take the newlines at the end of `stdout` and `stderr` away.
    #[serde(default = "yes")]
    pub strip_empty_ends: bool,
}

fn yes() -> bool {
    true
}

/// Why a command need not run: a path and whether it is there.
pub struct Needless {
    pub path: String,
    pub there: bool,
}

impl Conditions {
    /// The folder to run in; an error if it is none.
    ///
    /// # Errors
    /// A path without a folder.
    pub fn folder(&self, host: &dyn Look) -> Result<Option<PathBuf>, Fail> {
        let Some(dir) = self.chdir.as_ref().map(|dir| dir.on(host)) else { return Ok(None) };
        match host.stat(&dir, true)? {
            Some(stat) if stat.kind == FileKind::Directory => Ok(Some(dir)),
            found => {
                let why = if found.is_some() {
                    "[Errno 20] Not a directory"
                } else {
                    "[Errno 2] No such file or directory"
                };
                Err(Fail::new(format!(
                    "Unable to change directory before execution: {why}: '{}'",
                    dir.display()
                )))
            }
        }
    }

    /// Why the command need not run, if so. Paths count from the folder to run in.
    ///
    /// # Errors
    /// A path that can't be read.
    pub fn needless(&self, host: &dyn Look) -> Result<Option<Needless>, Fail> {
        let folder = self.folder(host)?.unwrap_or_default();
        for (path, wanted) in [(&self.creates, false), (&self.removes, true)] {
            let Some(path) = path.as_ref().map(|path| path.on(host)) else { continue };
            let there = !glob(host, &folder.join(&path))?.is_empty();
            if there != wanted {
                return Ok(Some(Needless { path: path.to_string_lossy().into_owned(), there }));
            }
        }
        Ok(None)
    }
}

impl Needless {
    /// The result of a command that was not run.
    pub fn outcome(&self, cmd: Value) -> Outcome {
        let what = if self.there { "exists" } else { "does not exist" };
        let outcome = finish(Outcome::unchanged(), &Ran::default(), true).with("cmd", cmd);
        let text = format!("skipped, since {} {what}", self.path);
        not_timed(outcome)
            .with("stdout", text.as_str())
            .with("stdout_lines", Value::list(vec![Value::from(text)]))
            .with("msg", format!("Did not run command since '{}' {what}", self.path))
    }
}

/// The result in check mode. Without a condition nobody can say whether the command changes anything.
pub fn would_run(cmd: Value, conditional: bool) -> Outcome {
    let mut outcome = finish(Outcome::changed(), &Ran::default(), true);
    if !conditional {
        outcome.skipped = true;
        outcome.changed = false;
    }
    not_timed(outcome).with("cmd", cmd).with("msg", "Command would have run if not in check mode")
}

/// Runs it and says how it went. `shown`: what the result calls the command.
///
/// # Errors
/// A command that could not be started.
pub fn run(host: &mut dyn Touch, mut cmd: Cmd, streams: &Streams, shown: Value) -> Result<Outcome, Fail> {
    cmd.stdin = streams.stdin.as_ref().map(|text| {
        let newline = if streams.stdin_add_newline { "\n" } else { "" };
        format!("{text}{newline}").into_bytes()
    });
    let start = host.now();
    let ran = host.run(&cmd).map_err(|fail| {
        let empty = finish(Outcome::unchanged(), &Ran::default(), true).fields;
        let mut fields = empty;
        fields.extend(fail.fields);
        Fail { msg: fail.msg, fields }.with("cmd", shown.clone())
    })?;
    let end = host.now();
    let outcome = Outcome { failed: ran.rc != 0, ..Outcome::changed() };
    Ok(finish(outcome, &ran, streams.strip_empty_ends)
        .with("cmd", shown)
        .with("start", timestamp(start))
        .with("end", timestamp(end))
        .with("delta", delta(start, end))
        .with("msg", if ran.rc == 0 { "" } else { "non-zero return code" }))
}

/// rc, stdout, stderr and their lines.
pub fn finish(outcome: Outcome, ran: &Ran, strip: bool) -> Outcome {
    if strip {
        return ran.fields(outcome);
    }
    let (out, err) = (ran.out(), ran.err());
    let (out, err) = (out.as_str(), err.as_str());
    ran.fields(outcome)
        .with("stdout", out)
        .with("stderr", err)
        .with("stdout_lines", lines(out))
        .with("stderr_lines", lines(err))
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn not_timed(outcome: Outcome) -> Outcome {
    outcome.with("start", Value::Null).with("end", Value::Null).with("delta", Value::Null)
}

/// The time between, as Python writes it: `0:00:01.500000`, `1 day, 2:00:00`.
fn delta(start: SystemTime, end: SystemTime) -> String {
    let passed = end.duration_since(start).unwrap_or_default();
    let (days, seconds) = (passed.as_secs() / 86_400, passed.as_secs() % 86_400);
    let days = match days {
        0 => String::new(),
        1 => "1 day, ".into(),
        days => format!("{days} days, "),
    };
    let micros = match passed.subsec_micros() {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    format!("{days}{}:{:02}:{:02}{micros}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A failure with the fields that playbooks look for in a command's result.
pub fn refuse(message: &str, cmd: Value) -> Fail {
    let fields = not_timed(finish(Outcome::unchanged(), &Ran::default(), true)).fields;
    Fail { msg: message.into(), fields }.with("rc", 256).with("cmd", cmd)
}

/// A command in a folder.
pub fn within(cmd: Cmd, folder: Option<PathBuf>) -> Cmd {
    Cmd { cwd: folder, ..cmd }
}

/// The shell that runs a text.
pub fn shell(executable: Option<&Path>, text: &str) -> Cmd {
    let shell = executable.unwrap_or(Path::new("/bin/sh"));
    Cmd::new([shell.as_os_str()]).arg("-c").arg(text)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn times_passed_read_as_python_writes_them() {
        for (micros, text) in [
            (0, "0:00:00"),
            (3_710, "0:00:00.003710"),
            (3_661_500_000, "1:01:01.500000"),
            (90_000_000_000, "1 day, 1:00:00"),
            (180_000_000_000, "2 days, 2:00:00"),
        ] {
            assert_eq!(delta(UNIX_EPOCH, UNIX_EPOCH + Duration::from_micros(micros)), text);
        }
    }
}
