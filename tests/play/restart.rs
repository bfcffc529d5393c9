//! `reboot` and `wait_for_connection` on a host that really loses its connections: its sshd is killed.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::run::{Output, Run};
use crate::support::sshd::{Home, Sshd, user};

/// What stands for a restart: another id, and the end of the session's sshd with all that it carries.
const RESTART: &str = "#!/bin/sh
echo \"$1\" > DIR/boot
p=$PPID
while ! grep -q sshd /proc/$p/comm; do p=$(sed 's/.*) . \\([0-9]*\\) .*/\\1/' /proc/$p/stat); done
kill -9 $p
sleep 10
";

fn play(folder: &Path, tasks: &str) -> Output {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    std::fs::write(folder.join("boot"), "first\n").unwrap();
    let script = folder.join("restart");
    std::fs::write(&script, RESTART.replace("DIR", folder.to_str().unwrap())).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let inventory = format!(
        "box ansible_host=127.0.0.1 ansible_port={} ansible_user={} ansible_ssh_private_key_file={} \
         ansible_ssh_common_args='-o UserKnownHostsFile={}'\n",
        sshd.port,
        user(),
        home.ssh("id_ed25519").display(),
        home.ssh("known_hosts").display()
    );
    std::fs::write(folder.join("hosts"), inventory).unwrap();
    let tasks = tasks.replace("DIR", folder.to_str().unwrap());
    std::fs::write(
        folder.join("play.yml"),
        format!("- hosts: box\n  gather_facts: false\n  tasks:\n{tasks}"),
    )
    .unwrap();
    Run::new(folder).words("play play.yml -i hosts").go()
}

#[test]
fn a_host_that_restarts_is_waited_for_and_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let output = play(
        folder.path(),
        "
    - command: cat DIR/boot
      register: before
    - reboot:
        reboot_command: DIR/restart second
        boot_time_command: cat DIR/boot
        test_command: grep -q second DIR/boot
      register: restarted
    - wait_for_connection:
        timeout: 20
    - command: cat DIR/boot
      register: after
    - debug:
        msg: '{{ before.stdout }} {{ after.stdout }} {{ restarted.rebooted }} {{ restarted.elapsed < 30 }}'
",
    );
    assert!(output.stdout.contains("first second True True"), "{}", output.text());
    assert_eq!(output.code, 0);
}

#[test]
fn a_host_that_does_not_restart_fails_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let output = play(
        folder.path(),
        "
    - reboot: {reboot_command: DIR/restart first, boot_time_command: cat DIR/boot, reboot_timeout: 2}
      ignore_errors: true
    - reboot: {reboot_command: nosuch-command -r, boot_time_command: cat DIR/boot}
      ignore_errors: true
    - reboot: {reboot_command: /bin/false, boot_time_command: cat DIR/boot}
      ignore_errors: true
    - reboot: {boot_time_command: cat DIR/nosuch}
      ignore_errors: true
    - reboot:
      check_mode: true
    - wait_for_connection: {timeout: 2, connect_timeout: 1, sleep: 1}
      vars: {ansible_port: 1}
",
    );
    let text = output.text();
    for piece in [
        "Timed out waiting for last boot time check (timeout=2): the last try said: boot time has not changed",
        "Unable to find command \"nosuch-command\" in search paths: /sbin, /bin",
        "Reboot command failed. Error was: ', '",
        "failed to get host boot time info, rc: 1",
        "timed out waiting for ping module test: could not connect to",
        "changed=1 ",
    ] {
        assert!(text.contains(piece), "{piece}\n{text}");
    }
    assert_eq!(output.code, 2);
}

#[test]
fn this_machine_is_not_restarted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("play.yml"),
        "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - reboot:\n",
    )
    .unwrap();
    let output = Run::new(folder.path()).words("play play.yml -c local").go();
    assert!(output.text().contains("would reboot the control node"), "{}", output.text());
}
