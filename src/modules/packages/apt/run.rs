//! apt-get's command lines, run with patience for its locks, and what its output tells.

use std::time::{Duration, Instant};

use super::Args;
use crate::modules::api::{Cmd, Fail, Ran, Touch};

/// Between two tries to get a lock.
const PAUSE: Duration = Duration::from_secs(2);

impl Args {
    /// `apt-get` with this module's options, ready for a verb.
    pub(super) fn apt_get(&self) -> Cmd {
        let mut cmd = Cmd::new(["apt-get", "-y"])
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("DEBIAN_PRIORITY", "critical")
            .env("APT_LISTCHANGES_FRONTEND", "none")
            .env("LANG", "C")
            .env("LC_ALL", "C");
        for option in self.dpkg_options.iter().filter(|option| !option.is_empty()) {
            cmd = cmd.args(["-o".to_owned(), format!("Dpkg::Options::=--{option}")]);
        }
        if let Some(release) = &self.default_release {
            cmd = cmd.args(["-t", release]);
        }
        match self.install_recommends {
            Some(true) => cmd = cmd.args(["-o", "APT::Install-Recommends=yes"]),
            Some(false) => cmd = cmd.args(["-o", "APT::Install-Recommends=no"]),
            None => {}
        }
        let flags = [
            (self.force, "--allow-downgrades"),
            (self.force, "--allow-remove-essential"),
            (self.force || self.allow_change_held_packages, "--allow-change-held-packages"),
            (self.force || self.allow_unauthenticated, "--allow-unauthenticated"),
            (self.allow_downgrade && !self.force, "--allow-downgrades"),
            (self.only_upgrade, "--only-upgrade"),
            (self.fail_on_autoremove, "--no-remove"),
            (self.autoremove, "--auto-remove"),
            (self.purge, "--purge"),
        ];
        cmd.args(flags.iter().filter(|(wanted, _)| *wanted).map(|(_, flag)| *flag))
    }

    /// Runs apt-get; while another process holds a lock, tries again until `lock_timeout` is over.
    pub(super) fn run(&self, host: &mut dyn Touch, cmd: &Cmd) -> Result<Ran, Fail> {
        let limit = Duration::from_secs(self.lock_timeout);
        let since = Instant::now();
        loop {
            let ran = host.run(cmd)?;
            if ran.ok() {
                return Ok(ran);
            }
            if !is_locked(&ran.err()) || since.elapsed() + PAUSE > limit {
                return Err(failure(cmd, &ran));
            }
            std::thread::sleep(PAUSE);
        }
    }
}

fn is_locked(complaint: &str) -> bool {
    complaint.contains("Could not get lock") || complaint.contains("Unable to acquire the dpkg frontend lock")
}

/// Says in the first line what matters, and returns everything.
pub(super) fn failure(cmd: &Cmd, ran: &Ran) -> Fail {
    let complaint = ran.err();
    let msg =
        complaint.lines().find_map(|line| line.strip_prefix("E: Unable to locate package ")).map_or_else(
            || format!("'{}' failed: {}", cmd.display(), errors(&complaint)),
            |name| format!("No package matching '{name}' is available"),
        );
    Fail::new(msg).with("rc", ran.rc).with("stdout", ran.out()).with("stderr", complaint)
}

/// The lines of apt's errors, or everything if none is marked as one.
fn errors(complaint: &str) -> String {
    let marked: Vec<_> = complaint.lines().filter_map(|line| line.strip_prefix("E: ")).collect();
    if marked.is_empty() { complaint.trim().to_owned() } else { marked.join("; ") }
}

/// Whether the summary line of apt-get says that something was or would be done.
pub(super) fn changes(output: &str) -> bool {
    let summary =
        output.lines().find(|line| line.contains(" upgraded, ") && line.contains(" newly installed, "));
    match summary {
        Some(line) => {
            // `1 upgraded, 2 newly installed, 3 to remove and 4 not upgraded.` (also `5 downgraded, 6 reinstalled`)
            let counted = line.split(" not upgraded").next().unwrap_or_default();
            let counted = counted.rsplit_once(" and ").map_or(counted, |(done, _)| done);
            counted.split(", ").any(|part| part.split(' ').next().is_some_and(|number| number != "0"))
        }
        None => true,
    }
}

/// What a simulation would do: its lines `Inst …` and `Remv …`, as those of a diff.
pub(super) fn simulated(output: &str) -> Vec<String> {
    output
        .lines()
        .filter_map(|line| {
            if let Some(rest) = line.strip_prefix("Inst ") {
                Some(format!("+ {rest}"))
            } else if let Some(rest) = line.strip_prefix("Remv ").or_else(|| line.strip_prefix("Purg ")) {
                Some(format!("- {rest}"))
            } else {
                line.strip_prefix("Del ").map(|rest| format!("- {rest}"))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_tells_whether_something_was_done() {
        for (text, changed) in [
            ("0 upgraded, 0 newly installed, 0 to remove and 128 not upgraded.", false),
            ("0 upgraded, 1 newly installed, 0 to remove and 128 not upgraded.", true),
            ("0 upgraded, 0 newly installed, 2 to remove and 0 not upgraded.", true),
            ("0 upgraded, 0 newly installed, 1 downgraded, 0 to remove and 0 not upgraded.", true),
            ("0 upgraded, 0 newly installed, 1 reinstalled, 0 to remove and 0 not upgraded.", true),
            ("something else", true),
        ] {
            assert_eq!(changes(text), changed, "{text}");
        }
    }

    #[test]
    fn a_missing_package_and_other_errors_are_said_plainly() {
        let cmd = Cmd::new(["apt-get", "install", "x"]);
        let fail =
            |stderr: &str| failure(&cmd, &Ran { rc: 100, stderr: stderr.into(), ..Ran::default() }).msg;
        assert_eq!(fail("E: Unable to locate package x\n"), "No package matching 'x' is available");
        assert_eq!(fail("W: w\nE: a\nE: b\n"), "'apt-get install x' failed: a; b");
    }

    #[test]
    fn locks_are_known_by_their_words() {
        assert!(is_locked(
            "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1 (apt)"
        ));
        assert!(!is_locked("E: Unable to locate package x"));
    }
}
