//! Features of the language that need more than one file: vaults, roles' arguments, caches, content that users bring.
//! Each runs the program as a user would, against this machine.

use crate::support::files::Files;
use crate::support::run::Output;

fn good(output: &Output) -> String {
    let text = output.text();
    assert_eq!(output.code, 0, "{text}");
    text
}

#[test]
fn vaults_open_wherever_files_are_read_and_a_wrong_password_stops_before_any_host() {
    let play = "- hosts: h1\n  gather_facts: false\n  vars_files: secret.yml\n  roles: [r]\n";
    let files = Files::new(&[
        ("site.yml", play),
        ("word", "correct horse\n"),
        ("wrong", "battery\n"),
        ("secret.yml", "one: 1st\n"),
        ("group_vars/all.yml", "two: 2nd\n"),
        (
            "roles/r/tasks/main.yml",
            "- debug: msg=\"{{ one }} {{ two }} {{ three }} {{ lookup('file', 'f') }}\"\n\
             - copy: {src: f, dest: \"{{ playbook_dir }}/out/f\", mode: '0600'}\n\
             - template: {src: t, dest: \"{{ playbook_dir }}/out/t\", mode: '0600'}\n\
             - script: s.sh\n  register: ran\n- debug: var=ran.stdout\n",
        ),
        ("roles/r/defaults/main.yml", "three: 3rd\n"),
        ("roles/r/files/f", "hunter2\n"),
        ("roles/r/files/s.sh*", "#!/bin/sh\necho from the script\n"),
        ("roles/r/templates/t", "{{ two }} of hunter3\n"),
        ("out/.keep", ""),
    ]);
    let all = "secret.yml group_vars/all.yml roles/r/tasks/main.yml roles/r/defaults/main.yml roles/r/files/f \
               roles/r/files/s.sh roles/r/templates/t";
    good(&files.run(&format!("vault encrypt --vault-id a@word {all}")));
    assert!(files.read("secret.yml").starts_with("$ANSIBLE_VAULT;1.2;AES256;a\n"));
    let text = good(&files.play("site.yml --vault-id a@word"));
    assert!(text.contains("1st 2nd 3rd hunter2") && text.contains("from the script"), "{text}");
    assert_eq!((files.read("out/f"), files.read("out/t")), ("hunter2\n".into(), "2nd of hunter3\n".into()));

    for (options, said) in [("--vault-id a@wrong", "password for `a`"), ("", "no vault password")] {
        let output = files.play(&format!("site.yml {options}"));
        assert_ne!(output.code, 0);
        assert!(!output.stdout.contains("PLAY ["), "{}", output.stdout);
        assert!(output.stderr.contains("vault id `a`") && output.stderr.contains(said), "{}", output.stderr);
    }
    good(&files.run(&format!("vault rekey --vault-id a@word --new-vault-password-file wrong {all}")));
    good(&files.run(&format!("vault decrypt --vault-password-file wrong {all}")));
    assert_eq!(files.read("roles/r/files/f"), "hunter2\n");
}

#[test]
fn a_role_says_what_is_wrong_with_its_arguments_at_their_place() {
    let spec = "argument_specs:\n  main:\n    short_description: The main\n    options:\n      number: {type: int, \
                required: true}\n      kind: {choices: [a, b]}\n";
    let files = Files::new(&[
        ("good.yml", "- hosts: h1\n  gather_facts: false\n  roles: [{role: r, number: '80'}]\n"),
        ("bad.yml", "- hosts: h1\n  gather_facts: false\n  roles:\n  - {role: r, number: many, kind: c}\n"),
        ("roles/r/meta/argument_specs.yml", spec),
        ("roles/r/tasks/main.yml", "- debug: msg=inside\n"),
    ]);
    let text = good(&files.play("good.yml -t nothing"));
    assert!(text.contains("TASK [r : Validating arguments against arg spec 'main' - The main]"), "{text}");
    let output = files.play("bad.yml");
    let text = output.text();
    assert_eq!(output.code, 2, "{text}");
    for said in ["to int: 'many'", "value of kind must be one of: a, b, got: c", "bad.yml:4:"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("inside"));
}

#[test]
fn facts_are_kept_failed_hosts_are_noted_and_everything_is_logged() {
    let files = Files::new(&[
        (
            "ansible.cfg",
            "[defaults]\ngathering = smart\nfact_caching = jsonfile\nfact_caching_connection = facts\n\
             retry_files_enabled = true\nlog_path = log\nshow_custom_stats = true\n",
        ),
        (
            "site.yml",
            "- hosts: all\n  tasks:\n  - set_fact: {kept: 1, cacheable: true}\n    when: kept is not defined\n\
             \x20 - set_stats: {data: {n: 1}}\n  - set_stats: {data: {h: x}, per_host: true}\n\
             \x20 - fail:\n    when: inventory_hostname == 'h2' and fixed is not defined\n",
        ),
    ]);
    let output = files.play("site.yml");
    let text = output.text();
    assert_eq!(output.code, 2, "{text}");
    assert!(text.contains("TASK [Gathering Facts]") && text.contains("RUN: { \"n\": 2}"), "{text}");
    assert!(text.contains("\th1: { \"h\": \"x\"}"), "{text}");
    assert_eq!(files.read("site.retry"), "h2\n");
    assert!(files.read("facts/h1").contains("\"kept\": 1"));
    let text = good(&files.play("site.yml --limit @site.retry -e fixed=1"));
    assert!(!text.contains("h1") && !text.contains("Gathering Facts"), "{text}");
    assert!(text.contains("skipping: [h2]"), "{text}");
    let text = good(&files.play("site.yml --flush-cache -e fixed=1"));
    assert!(text.contains("Gathering Facts"), "{text}");
    let log = files.read("log");
    assert!(log.lines().any(|line| line.contains("INFO| TASK [Gathering Facts]")), "{log}");
}

#[test]
fn users_bring_modules_filters_collections_and_playbooks() {
    let module = "#!/bin/sh\nin=$(cat)\ncase $in in *'\"name\":\"x\"'*) echo '{\"changed\": true, \"msg\": \"own\"}';; \
                  *) echo broken;; esac\n";
    let files = Files::new(&[
        (
            "site.yml",
            "- hosts: h1\n  gather_facts: false\n  tasks:\n  - mine: {name: x}\n    register: a\n\
             \x20 - ns.col.theirs: {name: x}\n    register: b\n  - mine: {name: y}\n    register: c\n    ignore_errors: true\n\
             \x20 - include_role: {name: ns.col.r}\n\
             \x20 - debug: msg=\"{{ a.msg }} {{ b.changed }} {{ c.failed }} {{ 'a' | shout(times=2) }} {{ (3 | numbers)[1] }}\"\n\
             - import_playbook: ns.col.more\n",
        ),
        ("library/mine*", module),
        ("collections/ansible_collections/ns/col/plugins/modules/theirs.sh*", module),
        ("collections/ansible_collections/ns/col/roles/r/tasks/main.yml", "- debug: msg=collected\n"),
        (
            "collections/ansible_collections/ns/col/playbooks/more.yml",
            "- hosts: h1\n  gather_facts: false\n  tasks: [{debug: msg=more}]\n",
        ),
        (
            "filter_plugins/own.j2",
            "{% macro shout(text, times=1) %}{{ text | upper * times }}!{% endmacro %}\n\
             {% macro numbers(n) %}[{% for i in range(n) %}{{ i * 2 }}{{ ',' if not loop.last }}{% endfor %}]{% endmacro %}\n",
        ),
        (
            "filter_plugins/old.py",
            "class FilterModule(object):\n    def filters(self):\n        return {'whisper': None}\n",
        ),
        ("callback_plugins/mine.py", ""),
        ("bad.yml", "- hosts: h1\n  tasks: [{debug: \"msg={{ 'a' | whisper }}\"}]\n"),
    ]);
    let output = files.play("site.yml");
    let text = good(&output);
    assert!(
        text.contains("own True True AA! 2") && text.contains("collected") && text.contains("more"),
        "{text}"
    );
    assert!(output.stderr.contains("callback_plugins/mine.py is a plugin in Python"), "{}", output.stderr);
    let check = files.play("site.yml --check");
    assert!(check.stdout.contains("skipping: [h1]"), "{}", check.stdout);
    let output = files.play("bad.yml");
    assert_eq!(output.code, 4);
    assert!(output.stderr.contains("old.py is a plugin in Python"), "{}", output.stderr);
}

#[test]
fn galaxy_installs_from_git_archives_and_folders() {
    let files = Files::new(&[
        ("one/meta/main.yml", "dependencies: []\n"),
        ("one/tasks/main.yml", "- debug: msg=one\n"),
        ("two/tasks/main.yml", "- debug: msg=two\n"),
        ("col/galaxy.yml", "namespace: ns\nname: col\nversion: 1.0.0\n"),
        ("col/roles/r/tasks/main.yml", "- debug: msg=three\n"),
        (
            "requirements.yml",
            "roles:\n- {src: one, scm: git, name: uno, version: v1}\n- {src: two.tar.gz}\ncollections:\n- {name: col, type: dir}\n",
        ),
        ("site.yml", "- hosts: h1\n  gather_facts: false\n  roles: [uno, two, ns.col.r]\n"),
        ("ansible.cfg", "[defaults]\nroles_path = installed\ncollections_path = installed\n"),
    ]);
    let git = "git init -q && git add . && git -c user.name=n -c user.email=e commit -qm x && git tag v1 && echo broken > tasks/main.yml";
    let shell = |folder: &str, line: &str| {
        let status = std::process::Command::new("sh")
            .args(["-c", line])
            .current_dir(files.path().join(folder))
            .status();
        assert!(status.unwrap().success(), "{line}");
    };
    shell("one", git);
    shell(".", "tar czf two.tar.gz two && rm -r two");
    let text = good(&files.run("galaxy install -r requirements.yml"));
    assert!(
        text.contains("- uno (v1) was installed successfully") && text.contains("ns.col:1.0.0"),
        "{text}"
    );
    let text = good(&files.play("site.yml"));
    for said in ["one", "two", "three"] {
        assert!(text.contains(&format!("\"msg\": \"{said}\"")), "{text}");
    }
    let text = good(&files.run("galaxy install -r requirements.yml"));
    assert_eq!(text.matches("already installed, skipping").count(), 3, "{text}");
    assert!(good(&files.run("galaxy role list")).contains("- uno, v1"));
    assert!(good(&files.run("galaxy collection list")).contains("1.0.0"));
    good(&files.run("galaxy role remove uno"));
    assert!(!files.path().join("installed/uno").exists());
    let output = files.run("galaxy role install geerlingguy.docker");
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("no server is asked"), "{}", output.stderr);
}
