//! `regatta run`: one module, no playbook.

use std::path::Path;

use crate::support::run::{Output, Run};

fn run(folder: &Path, words: &str) -> Output {
    Run::new(folder).args(["run", "web", "-i", "hosts.ini", "-c", "local"]).words(words).go()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hosts.ini"), "[web]\na\n[db]\nb\n").unwrap();
    folder
}

#[test]
fn results_look_as_those_of_ansible() {
    let folder = folder();
    for (words, code, wanted) in [
        ("-m ping", 0, "a | SUCCESS => {\n    \"changed\": false,\n    \"ping\": \"pong\"\n}\n"),
        ("-m ping -o", 0, "a | SUCCESS => {\"changed\": false, \"ping\": \"pong\"}\n"),
        ("-m shell -a 'echo 1; echo 2; echo 3 >&2'", 0, "a | CHANGED | rc=0 >>\n1\n2\n3\n"),
        ("-a 'printf 1\\\\n2' -o", 0, "a | CHANGED | rc=0 | (stdout) 1\\n2\n"),
        ("-m shell -a 'echo 1; exit 3'", 2, "a | FAILED | rc=3 >>\n1\nnon-zero return code\n"),
        (
            "-m debug -a 'msg=\"{{ 1 + 1 }}\"'",
            0,
            "a | SUCCESS => {\n    \"changed\": false,\n    \"msg\": 2\n}\n",
        ),
        ("-m debug -a '{\"msg\": [1]}' -o", 0, "a | SUCCESS => {\"changed\": false, \"msg\": [1]}\n"),
        ("--list-hosts", 0, "  hosts (1):\n    a\n"),
    ] {
        let output = run(folder.path(), words);
        assert_eq!((output.code, &*output.stdout), (code, wanted), "{words}: {}", output.stderr);
    }
    let failed = run(folder.path(), "-m shell -a 'echo 1; exit 3' -o");
    assert_eq!(failed.stdout.lines().count(), 1, "{}", failed.stdout);
    assert!(failed.stdout.starts_with("a | FAILED! => {"), "{}", failed.stdout);
}

#[test]
fn nothing_runs_without_a_module_or_with_half_an_inventory() {
    let folder = folder();
    let unknown = run(folder.path(), "-m pong");
    assert_eq!((unknown.code, &*unknown.stdout), (4, ""));
    assert!(unknown.stderr.contains("did you mean `ping`?"), "{}", unknown.stderr);

    std::fs::write(folder.path().join("broken.yml"), "web: {hosts: {c: \n").unwrap();
    for (source, message) in [("nowhere.ini", "does not exist"), ("broken.yml", "--> ")] {
        let output = run(folder.path(), &format!("-m ping -i {source}"));
        assert_eq!((output.code, &*output.stdout), (1, ""), "{}", output.stderr);
        assert!(output.stderr.contains(message), "{}", output.stderr);
        let more = Run::new(folder.path()).env("ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED", "false");
        let tolerant =
            more.args(["run", "web", "-i", "hosts.ini", "-i", source, "-c", "local", "-m", "ping"]).go();
        assert_eq!(tolerant.code, 0, "{}", tolerant.stderr);
    }
}
