//! Secrets in every place that could show them: a run full of canaries, in every form of output, shows none.
//!
//! One canary goes through `no_log` tasks, one is a password argument of a task without `no_log`, one becomes another user.

use std::path::Path;

use crate::support::run::Run;

const HIDDEN: &str = "canary-HIDDEN-7f3a";
const PASSWORD: &str = "canary-PASSWORD-91bc";
const BECOME: &str = "canary-BECOME-c20d";

const PLAY: &str = r#"
- hosts: all
  gather_facts: false
  ignore_unreachable: true
  vars:
    list: ["{{ hidden }}-1", "{{ hidden }}-2"]
  tasks:
    - name: fine
      shell: "echo {{ hidden }}; echo {{ hidden }} >&2"
      no_log: true
      register: said
      changed_when: hidden in said.stdout
    - name: in the environment
      command: printenv SECRET
      environment: {SECRET: "{{ hidden }}"}
      no_log: true
    - name: fails
      shell: "echo {{ hidden }}; exit 3"
      no_log: true
      ignore_errors: true
    - name: fails by its own condition
      shell: "echo {{ hidden }}"
      register: own
      failed_when: own.stdout is search(hidden)
      no_log: true
      ignore_errors: true
    - name: loops
      shell: "echo {{ item }}"
      loop: "{{ list }}"
      loop_control: {label: "{{ item }} labelled"}
      no_log: true
    - name: loops and fails
      shell: "echo {{ item }}; exit 1"
      loop: "{{ list }}"
      no_log: true
      ignore_errors: true
    - name: tries again
      shell: "echo {{ hidden }}; exit 1"
      retries: 1
      delay: 0
      until: again is succeeded
      register: again
      no_log: true
      ignore_errors: true
    - name: wrong choice
      file: {path: /tmp, state: "{{ hidden }}"}
      no_log: true
      ignore_errors: true
    - name: a filter that fails on it
      debug: {msg: "{{ hidden | from_json }}"}
      no_log: true
      ignore_errors: true
    - name: an assertion about it
      assert: {that: ["hidden == 'other'"], fail_msg: "{{ hidden }} is wrong"}
      no_log: true
      ignore_errors: true
    - name: kept as a fact
      set_fact: {kept: "{{ hidden }}"}
      no_log: true
    - name: a file of it
      copy: {content: "{{ hidden }}\n", dest: "{{ folder }}/{{ inventory_hostname }}", mode: "0600"}
      no_log: true
    - name: a line of it
      lineinfile: {path: "{{ folder }}/{{ inventory_hostname }}", line: "{{ hidden }} again"}
      no_log: true
      ignore_errors: true
    - name: in the background
      shell: "echo {{ hidden }}"
      async: 10
      poll: 1
      no_log: true
    - name: a password without no_log
      get_url: {url: "file:///etc/hostname", dest: "{{ folder }}/got", url_username: me, url_password: "{{ password }}", mode: "0600"}
      ignore_errors: true
    - name: a password in a wrong call
      user: {name: root, password: "{{ password }}", uid: "{{ 'none' }}"}
      ignore_errors: true
      check_mode: true
"#;

#[test]
fn no_output_in_any_form_shows_a_canary() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("play.yml"), PLAY).unwrap();
    let inventory =
        "h1 ansible_connection=local\ngone ansible_host=127.0.0.1 ansible_port=1 ansible_user=me\n";
    std::fs::write(folder.path().join("hosts"), inventory).unwrap();
    let vars = serde_json::json!({
        "hidden": HIDDEN, "password": PASSWORD, "ansible_become_password": BECOME,
        "ansible_password": BECOME, "folder": folder.path().join("out"),
    });
    std::fs::write(folder.path().join("vars.json"), vars.to_string()).unwrap();
    for form in ["human", "minimal", "json", "jsonl"] {
        for more in ["", "-vvvvv", "--diff", "--check --diff -vvv", "--junit report.xml", "--profile"] {
            let out = folder.path().join("out");
            let _ = std::fs::remove_dir_all(&out);
            std::fs::create_dir(&out).unwrap();
            let words = format!("play play.yml -i hosts -e @vars.json --output {form} {more}");
            let output = Run::new(folder.path()).words(&words).go();
            // It ran to the last task.
            assert!(output.stdout.contains("must be a whole number"), "{words}\n{}", output.text());
            let written = std::fs::read_to_string(folder.path().join("report.xml")).unwrap_or_default();
            for (name, text) in [("stdout", &output.stdout), ("stderr", &output.stderr), ("report", &written)]
            {
                for canary in [HIDDEN, PASSWORD, BECOME] {
                    assert!(
                        !text.contains(canary),
                        "{canary} in {name} of {words}\n{}",
                        around(text, canary)
                    );
                }
            }
        }
    }
    assert!(left_over(folder.path()).is_empty(), "{:?}", left_over(folder.path()));
}

fn around<'a>(text: &'a str, canary: &str) -> &'a str {
    text.lines().find(|line| line.contains(canary)).unwrap_or_default()
}

/// Files that hold a canary and are not the test's own.
fn left_over(folder: &Path) -> Vec<String> {
    let own = ["vars.json", "out"];
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let others = entries.filter(|entry| !own.contains(&&*entry.file_name().to_string_lossy()));
    let holds = |path: &Path| std::fs::read_to_string(path).is_ok_and(|text| text.contains("canary-"));
    others
        .map(|entry| entry.path())
        .filter(|path| holds(path))
        .map(|path| path.display().to_string())
        .collect()
}
