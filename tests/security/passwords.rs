//! Passwords and secrets on their way: taken as they are typed, in no process list, in no file that others can read.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::village::{Village, privately};
use crate::support::files::Files;
use crate::support::run::Run;
use crate::support::watch::{ALL, Watch};

/// A password that is also a template, a shell's command and more.
const PASSWORD: &str = "{{ 7*7 }} $(touch pwn) '\"\\ %s ä";

/// A secret in a vault.
const CANARY: &str = "canary-NOBODY-51e8";

/// What becomes of the vault's secret: all of it as bob, who is neither who logs in nor root.
const PLAY: &str = r#"
- hosts: box
  gather_facts: false
  become: true
  become_user: bob
  vars_files: secret.yml
  tasks:
  - {command: id -un, register: who}
  - {assert: {that: who.stdout == 'bob'}}
  - {command: cat, args: {stdin: "{{ canary }}"}, register: read}
  - {assert: {that: canary in read.stdout}}
  - {copy: {content: "{{ canary }}", dest: ~/copied, mode: "0600"}}
  - {copy: {src: big, dest: ~/big, mode: "0600"}}
  - {template: {src: t.j2, dest: ~/templated, mode: "0600"}}
  - {lineinfile: {path: ~/lines, line: "{{ canary }}", create: true, mode: "0600"}}
  - {script: s.sh, register: ran}
  - {assert: {that: canary in ran.stdout}}
  - {wait: {secret: "{{ canary }}"}, register: waited}
  - {assert: {that: waited.length > 10}}
"#;

/// A module that runs until it is told to end, so that there is time to look at its files.
const WAIT: &str = "#!/bin/sh\nread -r all\ntouch ~/waiting\ni=0\nwhile [ ! -e ~/go ] && [ $i -lt 400 ]; do sleep 0.05; \
                    i=$((i+1)); done\necho \"{\\\"length\\\": ${#all}}\"\n";

fn files(village: &Village) -> Files {
    let files = Files::new(&[
        ("site.yml", PLAY),
        ("secret.yml", &format!("canary: {CANARY}\n")),
        ("templates/t.j2", "{{ canary }}\n"),
        ("files/s.sh", &format!("#!/bin/sh\necho {CANARY}\n")),
        ("files/big", &CANARY.repeat(100_000)),
        ("library/wait*", WAIT),
        ("word", PASSWORD),
        ("hosts", &village.inventory()),
    ]);
    // What the test itself writes is nobody's business.
    std::fs::set_permissions(files.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let output = files.run("vault encrypt --vault-password-file word secret.yml");
    assert_eq!(output.code, 0, "{}", output.text());
    files
}

#[test]
fn passwords_are_taken_as_typed_and_nobody_sees_them_or_what_they_open() {
    let Some(village) = Village::start(PASSWORD) else { return };
    let files = files(&village);
    let bob = village.house("bob");
    let open = village.temporary().join("open");
    std::fs::write(&open, CANARY).unwrap();
    assert_eq!(village.readable("mallory", CANARY), ["tmp/open"], "the search finds what is open");
    std::fs::remove_file(open).unwrap();

    let folder = files.path().to_owned();
    let running = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&running);
    let watch = Watch::start(ALL, &[PASSWORD, CANARY]);
    let play = std::thread::spawn(move || {
        let run = Run::new(&folder).words("play site.yml -i hosts -k -K --ask-vault-pass -vvvv");
        // For the login, for the other user, for the vault.
        let output = run.stdin(&format!("{PASSWORD}\n").repeat(3)).go();
        told.store(false, Ordering::Relaxed);
        output
    });
    let mut looked_while_waiting = false;
    while running.load(Ordering::Relaxed) {
        let waiting = bob.join("waiting").exists();
        for other in ["mallory", "alice"] {
            assert_eq!(village.readable(other, CANARY), Vec::<String>::new(), "{other}");
        }
        if waiting && !looked_while_waiting {
            looked_while_waiting = true;
            std::fs::write(bob.join("go"), "").unwrap();
        }
    }
    let output = play.join().unwrap();
    let (seen, text) = (watch.stop(), output.text());
    assert_eq!(output.code, 0, "{text}\n{}", village.log());
    assert!(seen.is_empty(), "{}", seen[0].chars().take(2000).collect::<String>());
    assert!(looked_while_waiting, "{text}");
    assert!(!text.contains(PASSWORD) && !files.has("pwn"), "{text}");
    // Nothing but what the tasks made is left.
    let mut left = village.readable("root", CANARY);
    left.sort();
    assert_eq!(left, ["big", "copied", "lines", "templated"].map(|name| format!("homes/bob/{name}")));
}

#[test]
fn variables_of_a_vault_are_not_shown_by_reading_them() {
    let play = "
- hosts: h1
  gather_facts: false
  vars_files: [secret.yml]
  tasks:
  - include_vars: secret.yml
  - {include_vars: {dir: more, name: all}}
  - {include_vars: bad.yml, ignore_errors: true}
  - {debug: {msg: '{{ canary | length }}'}}
";
    let canary = format!("canary: {CANARY}\n");
    let files = Files::new(&[
        ("site.yml", play),
        ("secret.yml", &canary),
        ("more/one.yml", &canary),
        ("bad.yml", &format!("{canary}x: [{CANARY}\n")),
        ("word", "x"),
    ]);
    let words = "vault encrypt --vault-password-file word secret.yml more/one.yml bad.yml";
    assert_eq!(files.run(words).code, 0);
    for more in ["", "-vvvvv --diff", "--output json", "--output jsonl -vvv", "--check"] {
        let output = files.play(&format!("site.yml --vault-password-file word {more}"));
        let text = output.text();
        assert_eq!(output.code, 0, "{more}: {text}");
        assert!(!text.contains(CANARY), "{more}: {text}");
    }
}

#[test]
fn a_play_needs_no_folder_that_others_can_write_to() {
    let play = "
- hosts: h1
  tasks:
  - {command: id -un}
  - {copy: {content: x, dest: '{{ playbook_dir }}/copy'}}
  - {template: {src: t.j2, dest: '{{ playbook_dir }}/template'}}
  - {lineinfile: {path: '{{ playbook_dir }}/copy', line: y}}
  - {fetch: {src: '{{ playbook_dir }}/copy', dest: got}}
  - {command: id -un, become: true, become_method: su}
  - {shell: sleep 0.1, async: 10, poll: 0, register: job}
  - {async_status: {jid: '{{ job.ansible_job_id }}'}, register: over, until: over is finished, retries: 99, delay: 0.1}
  - {raw: id -un}
";
    let files = Files::new(&[("site.yml", play), ("templates/t.j2", "x")]);
    let closed = "mount --bind $here $here; mount --rbind /tmp /tmp; mount -o remount,bind,ro /tmp\n\
                  for place in /var/tmp /dev/shm; do mount -t tmpfs -o ro none $place; done";
    let Some((code, text)) = privately(&files, closed, "play site.yml -i h1, -c local") else { return };
    assert_eq!(code, 0, "{text}");
}

#[test]
fn answers_to_a_playbooks_questions_are_taken_as_typed() {
    let play = "
- hosts: h1
  gather_facts: false
  vars_prompt:
  - {name: one, prompt: One}
  - {name: two, prompt: Two, private: false, confirm: true}
  - {name: hash, prompt: Three, encrypt: md5_crypt, salt: abc}
  - {name: salted, prompt: Four, encrypt: md5_crypt, salt_size: 4}
  tasks:
  - {copy: {content: '{{ one }}', dest: '{{ playbook_dir }}/one'}}
  - {copy: {content: '{{ two }}', dest: '{{ playbook_dir }}/two'}}
  - {copy: {content: '{{ hash }} {{ salted }}', dest: '{{ playbook_dir }}/hashes'}}
";
    let files = Files::new(&[("site.yml", play)]);
    let typed = format!("{PASSWORD}\n").repeat(5);
    let run = Run::new(files.path()).words("play site.yml -i h1, -c local").stdin(&typed);
    let output = run.go();
    assert_eq!(output.code, 0, "{}", output.text());
    assert_eq!((files.read("one"), files.read("two")), (PASSWORD.to_owned(), PASSWORD.to_owned()));
    let hashes = files.read("hashes");
    for hash in hashes.split(' ') {
        let crypt = "print crypt($ARGV[0], $ARGV[1])";
        let perl = std::process::Command::new("perl").args(["-e", crypt, PASSWORD, hash]).output();
        assert_eq!(String::from_utf8(perl.unwrap().stdout).unwrap(), hash);
    }
    assert!(hashes.starts_with("$1$abc$"), "{hashes}");
    assert_eq!(hashes.split('$').rev().nth(1).map(str::len), Some(4), "{hashes}");
    for (entry, why) in [("encrypt: rot13", "rot13"), ("encrypt: sha512_crypt, salt: 'ä'", "salt")] {
        files.write("bad.yml", &format!("- hosts: h1\n  vars_prompt:\n  - {{name: x, {entry}}}\n"));
        let output = Run::new(files.path()).words("play bad.yml -i h1, -c local").stdin(&typed).go();
        let text = output.text();
        assert!(output.code != 0 && text.contains(why) && text.contains("bad.yml:3:"), "{text}");
        assert!(!text.contains("7*7"), "{text}");
    }
}

#[test]
fn a_vault_is_edited_where_nobody_else_can_look() {
    let files = Files::new(&[
        ("secret.yml", CANARY),
        ("word", PASSWORD),
        (
            "editor*",
            "#!/bin/sh\nstat -c '%a %n' \"$1\" \"$(dirname \"$1\")\" > modes; cp \"$1\" \"$1~\"; echo more >> \"$1\"\n",
        ),
        ("failing*", "#!/bin/sh\necho \"$1\" > modes; cp \"$1\" \"$1~\"; exit 1\n"),
    ]);
    let run = |words: &str, editor: &str| {
        let words = format!("vault {words} --vault-password-file word --skip-tty-check secret.yml");
        Run::new(files.path()).env("EDITOR", editor).words(&words).go()
    };
    let words = "vault encrypt --vault-password-file word secret.yml";
    assert_eq!(files.run(words).code, 0);
    let output = run("edit", "./editor");
    assert_eq!(output.code, 0, "{}", output.text());
    let modes = files.read("modes");
    let mut lines = modes.lines();
    let file = lines.next().unwrap().strip_prefix("600 ").expect(&modes);
    assert!(lines.next().unwrap().starts_with("700 "), "{modes}");
    assert!(!std::path::Path::new(file).parent().unwrap().exists(), "{file}");
    assert_ne!(run("edit", "./failing").code, 0);
    let file = files.read("modes");
    assert!(!std::path::Path::new(file.trim()).parent().unwrap().exists(), "{file}");
    let shown = files.run("vault view --vault-password-file word secret.yml");
    assert_eq!(shown.stdout, format!("{CANARY}more\n"));
    assert!(files.read("secret.yml").starts_with("$ANSIBLE_VAULT;1.1;AES256\n"));
}
