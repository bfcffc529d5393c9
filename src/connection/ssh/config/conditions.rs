//! `Host` and `Match` lines: whether what follows holds for the host.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::super::pattern;
use super::super::tokens::Tokens;
use super::{Line, Reader};
use crate::connection::ConnectError;

/// How long a command of `Match exec` may take.
const EXEC_LIMIT: Duration = Duration::from_secs(10);

impl Reader<'_> {
    pub(super) fn host_line(&self, line: &Line) -> bool {
        pattern::list_matches(line.words.iter().map(String::as_str), &self.host)
    }

    /// All conditions of the line have to hold.
    pub(super) fn match_line(&mut self, line: &Line, origin: &str) -> Result<bool, ConnectError> {
        let mut holds = true;
        // `exec="command"` comes as one word too.
        let words = line.words.iter().flat_map(|word| match word.split_once('=') {
            Some((name, value)) if is_criterion(name) => vec![name, value],
            _ => vec![word.as_str()],
        });
        let mut words = words.collect::<Vec<_>>().into_iter();
        while let Some(word) = words.next() {
            let (negated, name) = match word.strip_prefix('!') {
                Some(name) => (true, name.to_ascii_lowercase()),
                None => (false, word.to_ascii_lowercase()),
            };
            let met = match name.as_str() {
                "all" => true,
                "canonical" => self.last,
                "final" => {
                    self.wants_last = true;
                    self.last
                }
                name if is_criterion(name) => {
                    let Some(value) = words.next() else {
                        return Err(ConnectError::Config(format!("{origin}: `Match {name}` has no value")));
                    };
                    // What does not matter any more is not run.
                    if name == "exec" && !holds { false } else { self.criterion(name, value, origin)? }
                }
                other => {
                    return Err(ConnectError::Config(format!(
                        "{origin}: unknown condition `{other}` of Match"
                    )));
                }
            };
            holds &= met != negated;
        }
        Ok(holds)
    }

    fn criterion(&self, name: &str, value: &str, origin: &str) -> Result<bool, ConnectError> {
        let user = &self.context.environment.user;
        let list = |text: &str| pattern::list_matches(value.split(','), text);
        Ok(match name {
            "host" => list(&self.host_name()?),
            "originalhost" => list(self.original),
            "user" => list(self.found.text("user").unwrap_or(user)),
            "localuser" => list(user),
            "exec" => {
                let host = self.host_name()?;
                let port = self.found.text("port").unwrap_or("22");
                let remote = self.found.text("user").unwrap_or(user);
                let home = self.context.environment.home.to_string_lossy();
                let tokens = [
                    ('h', host.as_str()),
                    ('n', self.original),
                    ('p', port),
                    ('r', remote),
                    ('u', user),
                    ('d', &home),
                    ('l', &super::super::tokens::local_host()),
                ];
                let command = Tokens::of(&tokens).quoted().expand(value, origin)?;
                let mut run = Command::new("/bin/sh");
                run.arg("-c").arg(command).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                run.spawn().is_ok_and(|child| succeeds(child, EXEC_LIMIT))
            }
            // Interactive sessions, tags and networks: nothing of ours is any of these.
            _ => false,
        })
    }
}

/// Whether a program ends well, and in time.
fn succeeds(mut child: Child, limit: Duration) -> bool {
    let start = Instant::now();
    while start.elapsed() < limit {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(_) => break,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}

/// The conditions that take a value.
fn is_criterion(name: &str) -> bool {
    matches!(
        name.trim_start_matches('!').to_ascii_lowercase().as_str(),
        "host"
            | "originalhost"
            | "user"
            | "localuser"
            | "exec"
            | "localnetwork"
            | "tagged"
            | "version"
            | "sessiontype"
            | "command"
    )
}
