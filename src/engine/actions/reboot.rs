//! `reboot`: ask the host who it is, restart it, connect until it is another, and try it. Works without a worker.

use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::time::timeout;

use super::raw;
use super::retry::{self, Ended, Tries};
use crate::connection::{ConnectError, RawOutput, Target, Transport};
use crate::engine::call::{self, Prepared};
use crate::engine::result::Once;
use crate::engine::task::HostTask;
use crate::modules::api::decode;
use crate::modules::control::reboot::Args;
use crate::outcome::Outcome;
use crate::template::TemplateError;
use crate::value::{Map, Str};
use crate::vars::TaskScope;

/// The restart of one host.
struct Restart {
    args: Args,
    tries: Tries,
    at: super::Reach,
    environment: Vec<(String, String)>,
    delegate: Option<Str>,
}

/// Why it did not work.
enum Trouble {
    /// The host said no: a failure, and whether it restarted all the same.
    Failed(String, bool),
    /// It could not even be asked.
    Unreachable(ConnectError),
}

/// The restart, to be awaited.
pub(super) fn run(task: &HostTask, scope: &TaskScope, args: &Map) -> Result<Prepared, TemplateError> {
    let args: Args = decode(args).map_err(|error| super::at_action(task, format!("reboot: {error}")))?;
    let remote = call::remote(task, scope, "reboot")?;
    raw::check(&remote.at, &remote.environment).map_err(|why| super::at_action(task, why))?;
    if remote.at.target.transport == Transport::Local {
        let msg = "Running reboot with local connection would reboot the control node.";
        let outcome = Outcome { failed: true, ..Outcome::unchanged() }.with("msg", msg);
        return Ok(Prepared::Done(Box::new(Once::of(outcome.with("elapsed", 0).with("rebooted", false)))));
    }
    if task.check {
        let outcome = Outcome::changed().with("elapsed", 0).with("rebooted", true);
        return Ok(Prepared::Done(Box::new(Once::of(outcome))));
    }
    let restart = Restart {
        tries: Tries::new(task),
        at: remote.at,
        environment: remote.environment,
        delegate: remote.delegate,
        args,
    };
    Ok(Prepared::Local(restart.run()))
}

impl Restart {
    fn run(self) -> BoxFuture<'static, Once> {
        async move {
            let started = Instant::now();
            let done = self.restart().await;
            let outcome = match done {
                Ok(()) => Outcome::changed().with("rebooted", true),
                Err(Trouble::Failed(msg, rebooted)) => Outcome { failed: true, ..Outcome::unchanged() }
                    .with("msg", msg)
                    .with("rebooted", rebooted),
                Err(Trouble::Unreachable(error)) => {
                    return Once { delegate: self.delegate, ..Once::unreachable(error.to_string()) };
                }
            };
            let outcome = outcome.with("elapsed", started.elapsed().as_secs());
            Once { delegate: self.delegate, ..Once::of(outcome) }
        }
        .boxed()
    }

    async fn restart(&self) -> Result<(), Trouble> {
        let args = &self.args;
        let before =
            self.ask(&self.at.target, &args.boot_time_command).await.map_err(Trouble::Unreachable)?;
        if before.rc != 0 {
            let said = words(&before);
            return Err(Trouble::Failed(format!("reboot: failed to get host boot time info, {said}"), false));
        }
        let before = text(&before.stdout);
        let command = self.command().await?;
        let limit = Duration::from_secs(args.reboot_timeout);
        match timeout(limit, self.ask(&self.at.target, &command)).await {
            Ok(Ok(output)) if output.rc != 0 => {
                let (out, err) = (text(&output.stdout), text(&output.stderr));
                return Err(Trouble::Failed(
                    format!("Reboot command failed. Error was: '{out}, {err}'"),
                    false,
                ));
            }
            // The host may be gone before it has answered.
            Ok(Ok(_) | Err(ConnectError::Lost { .. })) | Err(_) => {}
            Ok(Err(error)) => return Err(Trouble::Unreachable(error)),
        }
        self.tries.connector.reset(&self.at.target).await;
        tokio::time::sleep(Duration::from_secs(args.post_reboot_delay.try_into().unwrap_or(0))).await;
        self.wait(&before).await
    }

    /// The command that restarts this host.
    async fn command(&self) -> Result<String, Trouble> {
        let given = self.args.reboot_command.as_deref().map(str::trim).filter(|text| !text.is_empty());
        if let Some(command) = given.filter(|text| text.starts_with('/')) {
            return Ok(command.to_owned());
        }
        let (name, rest) = match given {
            Some(command) => {
                let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
                (Some(name), rest.to_owned())
            }
            None => (None, String::new()),
        };
        let output = self.ask(&self.at.target, &search(&self.args.search_paths, name)).await;
        let output = text(&output.map_err(Trouble::Unreachable)?.stdout);
        let (system, found) = output.split_once(' ').unwrap_or((&output, ""));
        if found.is_empty() {
            let name = name.unwrap_or(if system == "alpine" { "reboot" } else { "shutdown" });
            let paths = self.args.search_paths.join(", ");
            let msg = format!("Unable to find command \"{name}\" in search paths: {paths}");
            return Err(Trouble::Failed(msg, false));
        }
        let minutes = self.args.pre_reboot_delay.max(0) / 60;
        let message = raw::quote(&self.args.msg);
        let found = raw::quote(found);
        Ok(match (given, system) {
            (Some(_), _) => format!("{found} {rest}"),
            (None, "alpine") => found,
            (None, "void") => format!("{found} -r +{minutes} {message}"),
            (None, _) => format!("{found} -r {minutes} {message}"),
        })
    }

    /// Connects until the host has started anew and passes its test.
    async fn wait(&self, before: &str) -> Result<(), Trouble> {
        let limit = Duration::from_secs(self.args.reboot_timeout);
        let probe = match self.args.connect_timeout {
            Some(seconds) => {
                Target { timeout: Duration::from_secs(seconds.max(1)), retries: 0, ..self.at.target.clone() }
            }
            None => Target { retries: 0, ..self.at.target.clone() },
        };
        let ended = self.tries.until(limit, retry::growing, || self.another(&probe, before)).await;
        let mut result = self.judge(ended, "last boot time check");
        if result.is_ok() {
            let ended = self.tries.until(limit, retry::growing, || self.passes(&probe)).await;
            result = self.judge(ended, "post-reboot test command");
        }
        if probe != self.at.target {
            self.tries.connector.reset(&probe).await;
        }
        result
    }

    /// Whether the host has started since.
    async fn another(&self, probe: &Target, before: &str) -> Result<(), String> {
        let output = self.once(probe, &self.args.boot_time_command).await?;
        if output.rc != 0 {
            return Err(words(&output));
        }
        match text(&output.stdout) {
            now if now.is_empty() || now == before => Err("boot time has not changed".into()),
            _ => Ok(()),
        }
    }

    /// Whether the host passes its test.
    async fn passes(&self, probe: &Target) -> Result<(), String> {
        let output = self.once(probe, &self.args.test_command).await?;
        if output.rc == 0 { Ok(()) } else { Err(format!("Test command failed: {}", words(&output))) }
    }

    fn judge(&self, ended: Ended, what: &str) -> Result<(), Trouble> {
        let seconds = self.args.reboot_timeout;
        match ended {
            Ended::Well => Ok(()),
            Ended::Late(last) => Err(Trouble::Failed(
                format!("Timed out waiting for {what} (timeout={seconds}): the last try said: {last}"),
                true,
            )),
            Ended::Stopped => Err(Trouble::Failed(format!("stopped while waiting for {what}"), true)),
        }
    }

    /// One try on a host that may not be there; a link that fails is given up.
    async fn once(&self, probe: &Target, command: &str) -> Result<RawOutput, String> {
        // Connecting has its own limit; a host that goes down may take a command and never answer.
        let limit = probe.timeout + Duration::from_secs(30);
        let why = match timeout(limit, self.ask(probe, command)).await {
            Ok(Ok(output)) => return Ok(output),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the host took the command and does not answer".to_owned(),
        };
        self.tries.connector.reset(probe).await;
        Err(why)
    }

    async fn ask(&self, target: &Target, command: &str) -> Result<RawOutput, ConnectError> {
        let at = super::Reach { target: target.clone(), identity: self.at.identity.clone() };
        let (command, stdin, pty) = raw::command_line(&at, command, &self.environment);
        self.tries.connector.raw(target, &command, stdin, pty).await
    }
}

/// A line of shell that prints the kind of system and where the command is.
fn search(folders: &[String], name: Option<&str>) -> String {
    let folders: Vec<String> = folders.iter().map(|folder| raw::quote(folder)).collect();
    let name = name.map(raw::quote).unwrap_or_default();
    format!(
        "s=linux; n={name}; w=shutdown; [ -f /etc/alpine-release ] && s=alpine && w=reboot; \
         grep -qs '^ID=.*void' /etc/os-release && s=void; n=${{n:-$w}}; \
         for d in {}; do [ -x \"$d/$n\" ] && echo \"$s $d/$n\" && exit 0; done; echo \"$s\"",
        folders.join(" ")
    )
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

fn words(output: &RawOutput) -> String {
    format!("rc: {}, stdout: {}, stderr: {}", output.rc, text(&output.stdout), text(&output.stderr))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::search;

    #[test]
    fn the_command_is_found_in_the_folders_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("a b");
        std::fs::create_dir(&dir).unwrap();
        let tool = dir.join("restart");
        std::fs::write(&tool, "#!/bin/sh\n").unwrap();
        let run = |folders: &[String], name| {
            let output = Command::new("/bin/sh").arg("-c").arg(search(folders, name)).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let folders = ["/nosuch".to_owned(), dir.to_str().unwrap().to_owned()];
        assert_eq!(run(&folders, Some("restart")), "linux", "a file that can't be run does not count");
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(run(&folders, Some("restart")), format!("linux {}", tool.display()));
        assert_eq!(run(&folders[..1], Some("restart")), "linux");
        assert_eq!(run(&folders, None), "linux");
    }
}
