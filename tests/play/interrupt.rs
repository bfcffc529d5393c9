//! Runs that are cut off: by Ctrl-C once, by Ctrl-C twice, and by kill -9 of everything.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

struct Cut {
    folder: tempfile::TempDir,
}

impl Cut {
    fn new(tasks: &str) -> Cut {
        let folder = tempfile::tempdir().unwrap();
        let play = format!("- hosts: localhost\n  gather_facts: false\n  tasks:\n{tasks}");
        std::fs::write(folder.path().join("play.yml"), play).unwrap();
        Cut { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&self) -> Child {
        Command::new(env!("CARGO_BIN_EXE_regatta"))
            .args(["play", "play.yml", "-i", "localhost,", "-c", "local"])
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn wait_for(&self, name: &str) {
        assert!(eventually(20, || self.path(name).exists()), "{name} never came");
    }
}

fn eventually(seconds: u64, met: impl Fn() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        if met() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    met()
}

fn send(id: u32, signal: Signal) {
    let _ = kill_process(Pid::from_raw(i32::try_from(id).unwrap()).unwrap(), signal);
}

fn ended(mut child: Child) -> Output {
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(20), "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

/// A process and all it started.
fn family(id: u32) -> Vec<u32> {
    let mut all = vec![id];
    for task in std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten() {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        all.extend(children.split_whitespace().flat_map(|child| family(child.parse().unwrap())));
    }
    all
}

#[test]
fn one_ctrl_c_lets_the_running_task_finish_and_starts_no_other() {
    let cut = Cut::new(
        "    - shell: touch started && sleep 1 && touch finished\n    - file: {path: next, state: touch}\n",
    );
    let child = cut.start();
    cut.wait_for("started");
    send(child.id(), Signal::INT);
    let output = ended(child);
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(99), "{complaints}");
    assert!(cut.path("finished").exists() && !cut.path("next").exists());
    assert!(complaints.contains("Stopping after the running tasks"), "{complaints}");
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("changed: [localhost]") && shown.contains("PLAY RECAP"), "{shown}");
}

#[test]
fn two_ctrl_c_end_it_at_once_and_leave_no_process_behind() {
    let cut = Cut::new("    - shell: echo $$ > id && mv id started && sleep 60\n");
    let child = cut.start();
    cut.wait_for("started");
    let id: u32 = std::fs::read_to_string(cut.path("started")).unwrap().trim().parse().unwrap();
    let start = Instant::now();
    send(child.id(), Signal::INT);
    std::thread::sleep(Duration::from_millis(200));
    send(child.id(), Signal::INT);
    let output = ended(child);
    assert_eq!(output.status.code(), Some(99), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(start.elapsed() < Duration::from_secs(10));
    // What has ended but was not yet asked for its end counts as gone.
    let state = || std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let gone = || state().lines().all(|line| !line.starts_with("State:") || line.contains('Z'));
    assert!(eventually(10, gone), "the task's command still runs");
}

#[test]
fn whenever_it_is_killed_a_file_is_the_old_or_the_new_one() {
    const SIZE: usize = 400_000;
    let cut = Cut::new(
        "    - copy: {content: \"{{ item * 400000 }}\", dest: ./target, mode: '0600'}\n      loop: [a, b, a, b, a, b, a, b]\n",
    );
    let whole = |path: &Path| {
        let Ok(text) = std::fs::read(path) else { return true };
        text.len() == SIZE && text.iter().all(|byte| *byte == text[0])
    };
    for round in 0..20 {
        let child = cut.start();
        std::thread::sleep(Duration::from_millis(20 + 11 * round));
        for id in family(child.id()).into_iter().rev() {
            send(id, Signal::KILL);
        }
        ended(child);
        assert!(whole(&cut.path("target")), "torn in round {round}");
    }
    let output = ended(cut.start());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(whole(&cut.path("target")));
}
