//! A host that lies: about how to reach it, about what happened, to whoever looks at the terminal.

use crate::support::files::Files;

/// A module that says what a file of the test holds.
const LIAR: &str = "#!/bin/sh\ncat > /dev/null\ncat FOLDER/lies\n";

fn folder(lies: &serde_json::Value, playbook: &str) -> Files {
    let files = Files::new(&[("site.yml", playbook), ("lies", &lies.to_string())]);
    let here = files.path().display().to_string();
    files.write("library/liar*", &LIAR.replace("FOLDER", &here));
    files.write("evil*", &format!("#!/bin/sh\ntouch {here}/pwn\nexec \"$@\"\n"));
    files
}

#[test]
fn facts_decide_nothing_about_the_way_to_a_host() {
    let playbook = "
- hosts: h1
  gather_facts: false
  tasks:
  - liar:
  - assert:
      that: \"lookup('vars', item, default='') != ansible_facts.mark and item[8:] not in ansible_facts\"
    loop: \"{{ names }}\"
  - assert:
      that:
      - inventory_hostname == 'h1' and 'h2' in groups.all and hostvars.h2 is mapping
      - playbook_dir != ansible_facts.mark and omit is defined and not ansible_check_mode
  - {command: id -un, register: who}
  - {ping: {}, delegate_to: h2}
- hosts: h1
  gather_facts: false
  tasks:
  - {command: id -un, register: again}
  - {assert: {that: [who.stdout == again.stdout, again is changed]}}
  - {command: id -un, become: true, become_user: '{{ who.stdout }}', register: other}
  - {assert: {that: who.stdout == other.stdout}}
";
    let ways = "connection=ssh host=127.0.0.1 port=1 user=nobody password=x ssh_common_args=-oProxyCommand=EVIL \
                ssh_args=-oProxyCommand=EVIL ssh_extra_args=-F/dev/null private_key_file=EVIL timeout=1 \
                ssh_host_key_checking=no host_key_checking=no become=yes become_user=nobody become_method=su \
                become_exe=EVIL become_flags=-x become_pass=x sudo_exe=EVIL su_exe=EVIL doas_exe=EVIL sudo_flags=-x \
                python_interpreter=EVIL bash_interpreter=EVIL shell_executable=EVIL shell_type=csh remote_tmp=/nowhere \
                check_mode=yes diff_mode=yes";
    let magic = "inventory_hostname groups group_names hostvars vars omit playbook_dir inventory_dir role_path environment \
                 play_hosts ansible_play_hosts ansible_play_batch ansible_version ansible_facts ansible_search_path";
    let mut facts = serde_json::Map::new();
    facts.insert("mark".into(), "evil".into());
    let mut names = Vec::new();
    let folder_of_evil = |files: &Files| files.path().join("evil").display().to_string();
    let files = folder(&serde_json::Value::Null, playbook);
    for (name, value) in ways.split_whitespace().filter_map(|word| word.split_once('=')) {
        let name = format!("ansible_{name}");
        facts.insert(name.clone(), value.replace("EVIL", &folder_of_evil(&files)).into());
        names.push(name);
    }
    facts.extend(magic.split_whitespace().map(|name| (name.to_owned(), "evil".into())));
    files.write("lies", &serde_json::json!({"ansible_facts": facts}).to_string());
    let vars = serde_json::json!({"names": names});
    files.write("vars.json", &vars.to_string());
    let mark = serde_json::json!({"mark": "evil"});
    assert!(mark.is_object());
    // The same from a cache of facts that was written before.
    for cached in [false, true] {
        let cache = if cached { "fact_caching = jsonfile\nfact_caching_connection = facts\n" } else { "" };
        files.write("ansible.cfg", &format!("[defaults]\n{cache}"));
        files.write("facts/h1", &serde_json::Value::from(facts.clone()).to_string());
        let output = files.play("site.yml -e @vars.json");
        assert_eq!(output.code, 0, "{}", output.text());
        assert!(!files.has("pwn"), "{}", output.text());
    }
}

#[test]
fn results_have_no_effects_but_their_own() {
    let lies = serde_json::json!({
        "changed": false, "add_host": {"host_name": "h9", "groups": ["all"]}, "add_group": "evil",
        "include": "evil.yml", "include_args": {}, "include_role": "r", "results": [{"include": "evil.yml"}],
        "ansible_included_var_files": ["evil.yml"], "ansible_stats": {"data": {"x": 1}, "aggregate": true},
        "_ansible_delegated_vars": {"ansible_host": "evil"}, "_ansible_notify": ["evil"], "notify": ["evil"],
        "dest": "../../evil", "src": "../../evil", "checksum": "../..", "_ansible_no_log": false, "failed": false,
    });
    let playbook = "
- hosts: h1
  gather_facts: false
  tasks:
  - {liar: {}, register: said}
  - {debug: {msg: '{{ groups }} {{ said.dest }}'}}
  handlers:
  - {name: evil, command: touch pwn}
- hosts: all
  gather_facts: false
  tasks:
  - {debug: {msg: 'here is {{ inventory_hostname }}'}}
";
    let files = folder(&lies, playbook);
    files.write("evil.yml", "- command: touch pwn\n");
    let output = files.play("site.yml -v");
    let text = output.text();
    assert_eq!(output.code, 0, "{text}");
    assert!(text.contains("here is h2") && !text.contains("here is h9"), "{text}");
    assert!(!files.has("pwn") && !text.contains("evil]"), "{text}");
}

#[test]
fn nothing_that_a_host_says_acts_on_the_terminal() {
    let escape = "\u{1b}]0;evil\u{7}\u{1b}[2J\u{9b}31m\rok: [h1]\u{8}";
    let lies = serde_json::json!({
        "changed": true, "msg": escape, "stdout": escape, "stderr": escape, "list": [escape],
        "ansible_facts": {"evil": escape}, "warnings": [escape],
        "diff": {"before": escape, "after": format!("{escape}\n{escape}"), "before_header": escape, "after_header": escape},
    });
    let playbook = "
- hosts: h1
  gather_facts: false
  tasks:
  - {liar: {}, register: said}
  - {debug: {var: said}}
  - {debug: {msg: '{{ said.msg }}'}}
  - {name: 'named {{ evil }}', debug: {msg: x}, loop: ['{{ evil }}'], loop_control: {label: '{{ evil }}'}}
  - {command: printf '\\033[2J\\007'}
  - {fail: {msg: '{{ evil }}'}, ignore_errors: true}
  - {assert: {that: false, fail_msg: '{{ evil }}'}, ignore_errors: true}
  - {debug: {msg: '{{ evil | from_json }}'}, ignore_errors: true}
  - {ping: {}, delegate_to: '{{ evil }}', ignore_errors: true, ignore_unreachable: true}
  - {copy: {content: '{{ evil }}', dest: '{{ playbook_dir }}/out', mode: '0600'}}
  - {add_host: {name: 'x{{ evil }}', ansible_connection: local}}
- hosts: all
  gather_facts: false
  tasks: [{ping: {}}]
";
    let files = folder(&lies, playbook);
    for form in ["human", "minimal", "json", "jsonl"] {
        for more in ["", "-vvvv --diff"] {
            let output = files.play(&format!("site.yml --output {form} {more}"));
            let shown = format!("{}{}", output.stdout, output.stderr);
            let acts = |line: &&str| line.chars().any(|c| c.is_control() && c != '\t');
            let bad: Vec<&str> = shown.split('\n').filter(acts).collect();
            assert!(bad.is_empty(), "{form} {more}: {bad:#?}");
            assert!(shown.contains("evil"), "{shown}");
        }
    }
}
