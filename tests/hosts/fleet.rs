//! The main job on hosts as fresh as cloud VMs: Debian containers with systemd, sshd and no Python, from `scripts/fleet`.
//!
//! They need root on Debian, to install and start a Docker engine; `scripts/test` says whether it can be had
//! (`REGATTA_HOSTS`). Elsewhere these tests are listed as ignored, with that reason.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use crate::run::Run;
use crate::say;

/// There is one fleet at a time.
static ONE: Mutex<()> = Mutex::new(());

/// Hosts that are up until this is dropped.
pub struct Fleet {
    folder: PathBuf,
    kubernetes: bool,
    _alone: MutexGuard<'static, ()>,
}

/// A failure is told at once, too: the summary may be half an hour away.
fn tell_failures() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |failure| {
            say(&failure.to_string());
            usual(failure);
        }));
    });
}

impl Fleet {
    fn up(count: usize) -> Fleet {
        Fleet::start(count, false)
    }

    /// Hosts that find the programs of Kubernetes, `REGATTA_K8S`.
    pub fn with_kubernetes(count: usize) -> Fleet {
        Fleet::start(count, true)
    }

    fn start(count: usize, kubernetes: bool) -> Fleet {
        tell_failures();
        let alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        // The engine's data folder outlives the run: the next one finds its image there.
        let folder = std::env::var_os("FLEET").map_or_else(|| "/var/tmp/regatta-fleet".into(), PathBuf::from);
        let fleet = Fleet { folder, kubernetes, _alone: alone };
        let up = fleet.script().args(["up", &count.to_string()]).output().expect("scripts/fleet runs");
        assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
        fleet
    }

    fn script(&self) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/fleet"));
        command.env("FLEET", &self.folder);
        if !self.kubernetes {
            command.env_remove("REGATTA_K8S");
        }
        command
    }

    /// Where it keeps everything.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its inventory.
    pub fn inventory(&self) -> String {
        self.folder.join("hosts.ini").display().to_string()
    }

    /// What a command prints on a host.
    pub fn on(&self, host: &str, command: &str) -> String {
        self.docker(&["exec", host, "sh", "-c", command])
    }

    /// What its engine's client prints.
    pub fn docker(&self, words: &[&str]) -> String {
        let socket = format!("unix://{}/docker.sock", self.folder.display());
        let mut docker = Command::new("docker");
        let output = docker.env("DOCKER_HOST", socket).args(words).output().expect("docker runs");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let down = self.script().arg("down").status();
        assert!(std::thread::panicking() || down.is_ok_and(|it| it.success()), "the fleet does not go down");
    }
}

#[test]
#[cfg_attr(not(regatta_hosts), ignore = "needs a Docker engine of its own: scripts/test as root on Debian")]
fn docker_is_predicted_then_installed_and_the_second_run_changes_nothing() {
    let fleet = Fleet::up(2);
    assert_eq!(fleet.on("h1", "command -v python3 || echo none"), "none");
    let inventory = fleet.inventory();
    let play = |more: &[&str]| {
        let given = ["play", "playbooks/docker.yml", "-i", &inventory];
        let vars = ["-e", r#"{"docker_users": ["admin"], "docker_daemon": {"log-driver": "json-file"}}"#];
        Run::new(Path::new(env!("CARGO_MANIFEST_DIR"))).patience(600).args(given).args(vars).args(more).go()
    };
    let recap = |stdout: &str, host: &str| {
        let line = stdout.lines().rev().find(|line| line.trim_start().starts_with(host)).unwrap_or_default();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };

    let predicted = play(&["--check", "--diff"]);
    assert_eq!(predicted.code, 0, "{}{}", predicted.stdout, predicted.stderr);
    for host in ["h1", "h2"] {
        assert!(!recap(&predicted.stdout, host).contains(&"changed=0".to_owned()), "{}", predicted.stdout);
        assert_eq!(fleet.on(host, "ls -d /etc/docker 2>/dev/null || command -v docker || echo none"), "none");
    }

    let made = play(&[]);
    assert_eq!(made.code, 0, "{}{}", made.stdout, made.stderr);
    for host in ["h1", "h2"] {
        let version = fleet.on(host, "su admin -c \"docker version --format '{{.Server.Version}}'\"");
        assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{host}: {version}");
        assert_eq!(fleet.on(host, "docker info --format '{{.LoggingDriver}}'"), "json-file");
    }

    let again = play(&["--diff"]);
    assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
    for host in ["h1", "h2"] {
        assert!(recap(&again.stdout, host).contains(&"changed=0".to_owned()), "{}", again.stdout);
    }
}
