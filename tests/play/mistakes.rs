//! Mistakes are found before anything runs, all at once, each at its place.

use crate::support::run::Run;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

const TEN: &str = r#"- hosts: all
  gather_facts: false
  roles:
    - no_such_role
  tasks:
    - name: unknown module
      coppy: {src: a, dest: b}
    - name: unknown argument
      file: {path: /srv/x, stat: directory}
    - name: unknown keyword
      ping:
      wen: true
    - name: unknown handler
      ping:
      notify: no such handler
    - name: wrong type
      ping:
      tags: {a: b}
    - name: bad template
      debug: {msg: "{{ 1 + }}"}
    - name: unknown filter
      debug: {msg: "{{ 'x' | uper }}"}
    - name: missing file
      import_tasks: nowhere.yml
    - name: wrong choice
      file: {path: /srv/x, state: directroy}
    - name: missing argument
      file: {state: directory}
"#;

#[test]
fn all_static_mistakes_are_shown_at_once_and_nothing_runs() {
    let folder = folder(&[("ten.yml", TEN), ("hosts", "nowhere.invalid\n")]);
    let output = Run::new(folder.path()).args(["play", "ten.yml", "-i", "hosts"]).go();
    assert_eq!(output.stdout, "", "a play started");
    assert_eq!(output.code, 4);
    insta::assert_snapshot!(output.text());
}

#[test]
fn check_says_the_same_as_json() {
    let folder = folder(&[("ten.yml", TEN)]);
    let output = Run::new(folder.path()).args(["check", "ten.yml", "--output", "json"]).go();
    assert_eq!(output.code, 1);
    let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let lines: Vec<u64> =
        document["diagnostics"].as_array().unwrap().iter().map(|it| it["line"].as_u64().unwrap()).collect();
    for line in [4, 7, 9, 12, 15, 18, 20, 22, 24, 26, 28] {
        assert!(lines.contains(&line), "no mistake in line {line}: {lines:?}");
    }
}

#[test]
fn an_undefined_variable_fails_its_task_at_the_place_of_the_name() {
    let play = "- hosts: localhost\n  gather_facts: false\n  vars: {user_name: x}\n  tasks:\n    - debug:\n        msg: \"hi {{ usr_name }}\"\n";
    let folder = folder(&[("play.yml", play)]);
    let output = Run::new(folder.path()).args(["play", "play.yml"]).go();
    assert_eq!(output.code, 2);
    insta::assert_snapshot!(output.text());
}

#[test]
fn a_correct_playbook_passes() {
    let folder = folder(&[("play.yml", "- hosts: all\n  tasks:\n    - ping:\n"), ("hosts", "web1\n")]);
    let output = Run::new(folder.path()).args(["check", "play.yml", "-i", "hosts"]).go();
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
}

#[test]
fn a_retry_file_holds_the_hosts_that_did_not_get_through() {
    let play = "- hosts: all\n  gather_facts: false\n  tasks:\n    - fail: {msg: no}\n      when: inventory_hostname != 'b'\n    - debug:\n";
    let hosts = "[all:vars]\nansible_connection=local\n[web]\nc\nb\na\n";
    let folder =
        folder(&[("play.v1.yml", play), ("hosts", hosts), ("ok.yml", "- hosts: b\n  gather_facts: false\n")]);
    let run =
        |words: &str| Run::new(folder.path()).env("ANSIBLE_RETRY_FILES_ENABLED", "yes").words(words).go();
    let path = folder.path().join("play.v1.retry");
    assert_eq!(run("play ok.yml -i hosts").code, 0);
    assert_eq!(Run::new(folder.path()).words("play play.v1.yml -i hosts").go().code, 2);
    assert!(!path.exists() && !folder.path().join("ok.retry").exists());
    let output = run("play play.v1.yml -i hosts");
    assert!(output.stderr.contains("--limit @"), "{}", output.stderr);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a\nc\n");
    let again = run("play play.v1.yml -i hosts --limit @play.v1.retry");
    assert!(again.stdout.contains("fatal: [a]") && !again.stdout.contains("[b]"), "{}", again.stdout);
}
