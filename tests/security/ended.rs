//! Runs that are cut off at any moment, run beside each other, or end badly: nothing stays behind, and the code says how it was.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::files::Files;
use crate::support::sshd::{Home, Sshd, user};

/// The processes with this in their environment, those that have ended aside.
fn with_mark(mark: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let marked = processes.filter(|it| {
        std::fs::read(it.path().join("environ")).is_ok_and(|all| String::from_utf8_lossy(&all).contains(mark))
    });
    let name = |it: std::fs::DirEntry| std::fs::read_to_string(it.path().join("cmdline")).unwrap_or_default();
    marked.map(name).filter(|line| !line.is_empty()).map(|line| line.replace('\0', " ")).collect()
}

#[test]
fn an_interrupt_at_any_moment_leaves_no_process_and_no_half_file() {
    let play = "
- hosts: h1:h2
  gather_facts: false
  tasks:
  - {shell: 'sleep 0.05; echo {{ item }}', loop: [1, 2, 3, 4]}
  - {copy: {content: '{{ 100000 * \"x\" }}', dest: '{{ playbook_dir }}/out/{{ inventory_hostname }}', mode: '0600'}}
  - {shell: 'sleep 30 & sleep 30', async: 60, poll: 1}
";
    let other =
        play.replace("  tasks:", "  become: true\n  become_user: root\n  become_method: su\n  tasks:");
    let files = Files::new(&[("plain.yml", play), ("other.yml", &other), ("out/.keep", "")]);
    let root = rustix::process::geteuid().is_root();
    for round in 0..20_u64 {
        let mark = format!("REGATTA_MARK=round-{round}-of-{}", std::process::id());
        let (name, value) = mark.split_once('=').unwrap();
        let play = if root && round % 5 == 4 { "other.yml" } else { "plain.yml" };
        let mut child = Command::new(env!("CARGO_BIN_EXE_regatta"))
            .args(["play", play, "-i", "h1,h2,", "-c", "local"])
            .current_dir(files.path())
            .env("HOME", files.path())
            .env(name, value)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        // Moments of the whole run, in no order.
        std::thread::sleep(Duration::from_millis((round * 37) % 400));
        eventually(&format!("round {round} ends"), || {
            // Two that come at once may count as one.
            let _ = kill_process(id, Signal::INT);
            std::thread::sleep(Duration::from_millis(round % 20));
            child.try_wait().unwrap().is_some()
        });
        eventually(&format!("nothing is left of round {round}"), || with_mark(&mark).is_empty());
        for entry in std::fs::read_dir(files.path().join("out")).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            let whole = std::fs::read(entry.path()).unwrap().len();
            assert!(
                name == ".keep" || (!name.starts_with('.') && whole == 100_000),
                "{name} after round {round}"
            );
        }
    }
}

#[test]
fn an_interrupt_ends_what_runs_behind_ssh_too() {
    let (sshd, files) = (Sshd::start(), Files::new(&[]));
    let home = Home::of(&sshd);
    files.write(
        "hosts",
        &format!(
            "box ansible_host=127.0.0.1 ansible_port={} ansible_user={} ansible_ssh_private_key_file={} \
             ansible_ssh_common_args='-o UserKnownHostsFile={}'\n",
            sshd.port,
            user(),
            home.ssh("id_ed25519").display(),
            home.ssh("known_hosts").display()
        ),
    );
    // A length of sleep that nobody else has.
    let length = format!("471{}.5", std::process::id());
    let task =
        format!("shell: sleep {length} & echo $$ > {}/started; sleep {length}", files.path().display());
    files.write("site.yml", &format!("- hosts: box\n  gather_facts: false\n  tasks:\n  - {task}\n"));
    for round in 0..3 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_regatta"))
            .args(["play", "site.yml", "-i", "hosts"])
            .current_dir(files.path())
            .env("HOME", files.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        eventually("it starts", || files.has("started"));
        eventually("it ends", || {
            let _ = kill_process(id, Signal::INT);
            std::thread::sleep(Duration::from_millis(20));
            child.try_wait().unwrap().is_some()
        });
        eventually(&format!("nothing is left of round {round}"), || {
            let processes = std::fs::read_dir("/proc").unwrap().flatten();
            let lines = processes.filter_map(|it| std::fs::read_to_string(it.path().join("cmdline")).ok());
            lines.filter(|line| line.contains(&length)).count() == 0
        });
        std::fs::remove_file(files.path().join("started")).unwrap();
    }
}

/// Waits until something holds.
#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}: never");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn two_runs_on_one_host_at_once_both_end_well() {
    let play = "
- hosts: h1
  gather_facts: false
  vars: {out: '{{ playbook_dir }}/out'}
  tasks:
  - {copy: {content: '{{ word * 50000 }}', dest: '{{ out }}/copy', mode: '0600'}, loop: '{{ range(15) }}'}
  - {lineinfile: {path: '{{ out }}/{{ word }}', line: 'line {{ item }}', create: true, mode: '0600'}, loop: '{{ range(15) }}'}
  - {file: {path: '{{ out }}/link', src: '{{ word }}', state: link, force: true}, loop: '{{ range(15) }}'}
";
    let files = Files::new(&[("site.yml", play), ("out/.keep", "")]);
    let start = |word: &str| {
        Command::new(env!("CARGO_BIN_EXE_regatta"))
            .args(["play", "site.yml", "-i", "h1,", "-c", "local", "-e", &format!("word={word}")])
            .current_dir(files.path())
            .env("HOME", files.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let both = [start("a"), start("b")];
    for child in both {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let copy = files.read("out/copy");
    assert!(copy.len() == 50_000 && copy.bytes().all(|byte| byte == copy.as_bytes()[0]));
    for word in ["a", "b"] {
        assert_eq!(files.read(&format!("out/{word}")).lines().count(), 15);
    }
    let left = std::fs::read_dir(files.path().join("out")).unwrap().flatten().count();
    assert_eq!(left, 5, "a temporary file is left");
}

#[test]
fn the_exit_code_says_how_it_ended() {
    let task = |task: &str| format!("- hosts: all\n  gather_facts: false\n  tasks:\n  - {task}\n");
    let rescued = "block: [{fail: {}}]\n    rescue: [{debug: {}}]";
    for (playbook, hosts, options, code) in [
        (task("ping:"), "h1,", "", 0),
        (task("fail:"), "h1,", "", 2),
        (task("{fail: {}, ignore_errors: true}"), "h1,", "", 0),
        (task(rescued), "h1,", "", 0),
        (
            task("{ping: {}, vars: {ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 1}}"),
            "h1,",
            "",
            4,
        ),
        (
            task(
                "{ping: {}, ignore_unreachable: true, vars: {ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 1}}",
            ),
            "h1,",
            "",
            0,
        ),
        (task("{fail: {}, when: inventory_hostname == 'h2'}"), "h1,h2,", "", 2),
        (task("{ping: {}, vars: {ansible_connection: chroot}}"), "h1,", "", 2),
        (task("{ping: {}, vars: {ansible_connection: jail}}"), "h1,", "", 2),
        (task("{nosuch_module: {}}"), "h1,", "", 4),
        ("- hosts: [\n".to_owned(), "h1,", "", 4),
        (task("ping:"), "h1,", "--nosuch-option", 2),
    ] {
        let files = Files::new(&[("site.yml", &playbook)]);
        let output = files.run(&format!("play site.yml -i {hosts} -c local {options}"));
        assert_eq!(output.code, code, "{playbook}\n{}", output.text());
    }
}
