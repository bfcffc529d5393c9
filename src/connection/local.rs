//! This machine as a host: commands are children of the controller.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt;
use futures::future::BoxFuture;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use super::{ConnectError, Connection, Pipe};

/// Starts commands on this machine.
pub struct Local {
    shell: Vec<OsString>,
    environment: Vec<(OsString, Option<OsString>)>,
    closed: AtomicBool,
}

impl Default for Local {
    fn default() -> Local {
        Local {
            shell: vec!["/bin/sh".into(), "-c".into()],
            environment: Vec::new(),
            closed: AtomicBool::new(false),
        }
    }
}

impl Local {
    /// The machine through `/bin/sh` and with the controller's environment.
    #[must_use]
    pub fn new() -> Local {
        Local::default()
    }

    /// With another shell: its words up to where the command goes.
    #[must_use]
    pub fn with_shell<S: Into<OsString>>(mut self, words: impl IntoIterator<Item = S>) -> Local {
        self.shell = words.into_iter().map(Into::into).collect();
        self
    }

    /// With another value for a variable of the environment; none removes it.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: Option<&str>) -> Local {
        self.environment.push((name.into(), value.map(Into::into)));
        self
    }

    fn start(&self, command: &str) -> io::Result<Pipe> {
        let (program, words) = self.shell.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut child = Command::new(program);
        child.args(words).arg(command).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, value) in &self.environment {
            match value {
                Some(value) => child.env(name, value),
                None => child.env_remove(name),
            };
        }
        // A group of its own: the terminal's Ctrl-C is for the controller, which decides what it means.
        let mut child = child.process_group(0).spawn()?;
        let missing = || io::Error::other("a pipe of the child is missing");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let exit = wait(Leader(child)).boxed();
        Ok(Pipe { stdin: Box::new(stdin), stdout: Box::new(stdout), stderr: Box::new(stderr), exit })
    }
}

impl Connection for Local {
    /// Through a pipe always: a command of the controller's own gets no terminal.
    fn exec<'a>(&'a self, command: &'a str, _pty: bool) -> BoxFuture<'a, Result<Pipe, ConnectError>> {
        let started = self.start(command).map_err(|error| {
            let shell = self.shell.first().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
            ConnectError::Connect {
                address: "localhost".into(),
                reason: format!("can't run {shell}: {error}"),
            }
        });
        std::future::ready(started).boxed()
    }

    fn is_open(&self) -> bool {
        !self.closed.load(Ordering::Relaxed)
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.closed.store(true, Ordering::Relaxed);
        std::future::ready(()).boxed()
    }
}

/// A child whose group is asked to end when nobody waits for it any more.
struct Leader(Child);

impl Drop for Leader {
    fn drop(&mut self) {
        // Gone children have no id, so no other process can be meant.
        let id = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(id) = id {
            // It may have ended just now.
            let _ = kill_process_group(id, Signal::TERM);
        }
    }
}

async fn wait(mut child: Leader) -> Option<i32> {
    let status = child.0.wait().await.ok()?;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal))
}
