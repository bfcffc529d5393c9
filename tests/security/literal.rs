//! What hosts, files and scripts say is never a template, wherever it goes: all ways in times all ways on.

use super::PAYLOAD;
use crate::support::files::Files;

/// Where what a host says comes from: tasks that get it, and expressions for it.
const SOURCES: &str = r#"
- hosts: h1
  gather_facts: false
  vars: {folder: "{{ playbook_dir }}"}
  tasks:
  - {command: cat evil, args: {chdir: "{{ folder }}"}, register: out}
  - {liar: {}, register: lied}
  - {find: {paths: "{{ folder }}/names"}, register: found}
  - {slurp: {src: "{{ folder }}/evil"}, register: slurped}
  - {stat: {path: "{{ folder }}/link"}, register: link}
  - {command: cat evil, args: {chdir: "{{ folder }}"}, loop: [1, 2], register: looped}
  - {set_fact: {nested: {deep: ["{{ out.stdout }}"]}}}
  - include_tasks: sinks.yml
    loop:
    - "{{ out.stdout }}"
    - "{{ out['stdout_lines'][0] }}"
    - "{{ evil_fact }}"
    - "{{ ansible_facts.evil_fact }}"
    - "{{ lied.text }}"
    - "{{ hostvars['h1'].evil_fact }}"
    - "{{ hostvars['h2'].from_script }}"
    - "{{ cached }}"
    - "{{ found.files[0].path | basename }}"
    - "{{ slurped.content | b64decode }}"
    - "{{ link.stat.lnk_source | basename }}"
    - "{{ looped.results[1].stdout }}"
    - "{{ nested.deep[0] }}"
    - "{{ lookup('file', folder ~ '/evil.json') | from_json }}"
    - "{{ ('[' ~ (out.stdout | to_json) ~ ']') | from_yaml | first }}"
    - "{{ lookup('file', folder ~ '/evil') }}"
    - "{{ lookup('pipe', 'cat ' ~ folder ~ '/evil') }}"
    - "{{ lookup('env', 'EVIL') }}"
    - "{{ lookup('lines', 'cat ' ~ folder ~ '/evil') }}"
    - "{{ lookup('ini', 'k', file=folder ~ '/evil.ini') }}"
    - "{{ lookup('csvfile', 'k file=' ~ folder ~ '/evil.csv delimiter=;') }}"
    loop_control: {loop_var: evil, label: ""}
"#;

/// Expressions that hand a text on as it is.
const SAME: &[&str] = &[
    "evil",
    "kept",
    "vars['evil']",
    "hostvars[inventory_hostname].kept",
    "lookup('vars', 'evil')",
    "query('vars', 'kept')[0]",
    "twice",
    "evil ~ ''",
    "evil | trim('x')",
    "[evil] | join",
    "evil | default('x')",
    "nope | default(evil)",
    "evil | regex_replace('^', '')",
    "evil | replace('xyz', '')",
    "({} | combine({'a': evil})).a",
    "dict(a=evil).a",
    "(evil | to_json | from_json)",
    "(evil | to_yaml | from_yaml)",
    "'%s' % evil",
    "'{}'.format(evil)",
    "(evil | b64encode | b64decode)",
    "(true | ternary(evil, ''))",
    "(['evil'] | map('extract', {'evil': evil}) | first)",
    "([evil] | flatten | unique | sort | first)",
    "({evil: 1} | dict2items | first).key",
    "(evil | string)",
    "evil[:]",
    "(evil | split('zzz') | first)",
    "(evil | list | join)",
    "(evil | urlencode | urldecode)",
    "lookup('template', 't.j2')",
    "written",
    "copied",
    "echoed",
    "shelled",
    "environed",
    "hostvars[made].x",
];

/// Tasks that make something of it; each may fail, none may run it.
const SINKS: &str = r##"
- set_fact: {kept: "{{ evil }}", glued: "a{{ evil }}b", "key_{{ evil | length }}": "{{ evil }}"}
- {set_fact: {twice: "{{ kept }}"}}
- {assert: {that: ["glued == 'a' ~ evil ~ 'b'", "vars['key_' ~ (evil | length)] == evil"]}}
- {debug: {msg: ["{{ evil }}", {k: "{{ evil }}"}]}}
- {debug: {var: evil}}
- {debug: {var: "{{ evil }}"}}
- {debug: {msg: "{{ b }}"}, vars: {a: "{{ evil }}", b: "{{ a }}"}}
- {debug: "{{ {'msg': evil} }}"}
- {debug: {}, args: "{{ {'msg': evil} }}"}
- {debug: {}, module_defaults: {debug: {msg: "{{ evil }}"}}}
- {name: "named {{ evil }}", debug: {msg: "{{ item }}"}, loop: ["{{ evil }}"], loop_control: {label: "{{ evil }}"}}
- {debug: {msg: "{{ item }}"}, with_items: "{{ [evil] }}"}
- {debug: {msg: "{{ item }}"}, with_items: "{{ evil }}"}
- {debug: {msg: "{{ item }}"}, with_dict: {a: "{{ evil }}"}}
- {debug: {msg: "{{ item }}"}, with_together: [["{{ evil }}"], [1]]}
- {debug: {msg: "{{ item }}"}, with_nested: [["{{ evil }}"], [1]]}
- {debug: {msg: "{{ item }}"}, with_fileglob: ["{{ evil }}"]}
- {debug: {msg: "{{ item }}"}, with_first_found: ["{{ evil }}"]}
- {debug: {msg: "{{ item }}"}, with_lines: ["cat evil"]}
- {debug: {}, loop: "{{ evil }}"}
- {debug: {}, loop: [1], loop_control: {pause: "{{ evil }}"}}
- {debug: {}, when: evil}
- {debug: {}, when: "{{ evil }}"}
- {debug: {}, when: ["evil is defined", "{{ evil }} is defined"]}
- {debug: {}, failed_when: "{{ evil }}"}
- {debug: {}, changed_when: evil}
- {command: "true", until: "{{ evil }}", retries: 1, delay: 0}
- {assert: {that: "{{ evil }}", fail_msg: "{{ evil }}"}}
- {assert: {that: [false], msg: "{{ evil }}"}}
- {assert: {that: [true], success_msg: "{{ evil }}"}}
- {fail: {msg: "{{ evil }}"}}
- {command: {argv: [printf, "%s", "{{ evil }}"]}, register: echo}
- {shell: "printf %s {{ evil | quote }}", register: shell}
- {command: printenv E, environment: {E: "{{ evil }}"}, register: environ}
- {copy: {content: "{{ evil }}", dest: "{{ folder }}/copy"}}
- {template: {src: t.j2, dest: "{{ folder }}/out"}}
- set_fact:
    echoed: "{{ echo.stdout }}"
    shelled: "{{ shell.stdout }}"
    environed: "{{ environ.stdout }}"
    written: "{{ lookup('file', folder ~ '/out', rstrip=false) }}"
    copied: "{{ lookup('file', folder ~ '/copy', rstrip=false) }}"
    made: "new-{{ evil | hash('md5') }}"
- {add_host: {name: "{{ made }}", groups: "g {{ evil }}", x: "{{ evil }}"}}
- {add_host: {name: "{{ evil }}", x: "{{ evil }}"}}
- {group_by: {key: "{{ evil }}", parents: "{{ evil }}"}}
- {set_stats: {data: {x: "{{ evil }}", "{{ evil }}": 1}}}
- {lineinfile: {path: "{{ folder }}/lines", line: "{{ evil }}", create: true}}
- {blockinfile: {path: "{{ folder }}/lines", block: "{{ evil }}", marker: "# {mark} {{ evil }}"}}
- {replace: {path: "{{ folder }}/lines", regexp: x, replace: "{{ evil }}"}}
- {template: {src: "{{ evil }}", dest: "{{ folder }}/no"}}
- {copy: {src: "{{ evil }}", dest: "{{ folder }}/no"}}
- {script: "{{ evil }}"}
- {fetch: {src: "{{ evil }}", dest: "{{ folder }}/fetched"}}
- {unarchive: {src: "{{ evil }}", dest: "{{ folder }}"}}
- {assemble: {src: "{{ evil }}", dest: "{{ folder }}/no"}}
- {include_vars: "{{ evil }}"}
- {stat: {path: "{{ evil }}"}}
- {uri: {url: "{{ evil }}"}}
- {get_url: {url: "{{ evil }}", dest: "{{ folder }}/no"}}
- {pause: {seconds: 0, prompt: "{{ evil }}"}}
- {debug: {msg: "{{ lookup(evil, 'x') }}"}}
- {debug: {msg: "{{ lookup('vars', evil) }}"}}
- {debug: {msg: "{{ lookup('file', evil) }}"}}
- {debug: {msg: "{{ lookup('template', evil) }}"}}
- {debug: {msg: "{{ 'x' is match(evil) }}{{ ['x'] | map(evil) | list }}"}}
- {debug: {verbosity: "{{ evil }}"}}
- {debug: {}, no_log: "{{ evil }}"}
- {debug: {}, check_mode: "{{ evil }}"}
- {command: "true", async: "{{ evil }}"}
- {command: "true", timeout: "{{ evil }}"}
- {ping: {}, delegate_to: "{{ evil }}"}
- {ping: {}, become: true, become_user: "{{ evil }}"}
- {ping: {}, become: true, become_method: "{{ evil }}"}
- {ping: {}, become: true, become_exe: "{{ evil }}"}
- {ping: {}, vars: {ansible_connection: "{{ evil }}"}}
- {ping: {}, vars: {ansible_connection: ssh, ansible_host: "{{ evil }}"}}
- {ping: {}, vars: {ansible_connection: ssh, ansible_host: h.invalid, ansible_port: "{{ evil }}"}}
- {ping: {}, vars: {ansible_connection: ssh, ansible_host: h.invalid, ansible_ssh_common_args: "{{ evil }}"}}
"##;

/// Plays that it ends, as `hostvars.h1.evil`.
const ENDINGS: &[&str] = &[
    "{hosts: h1, gather_facts: false, tasks: [{ping: {}, changed_when: true, notify: 'EVIL'}]}",
    "{hosts: h1, gather_facts: false, tasks: [{ping: {}, changed_when: true, notify: 'EVIL'}], handlers: [{name: 'EVIL', ping: {}}]}",
    "{hosts: h1, gather_facts: false, tasks: [{ping: {}, changed_when: true, notify: topic}], handlers: [{name: 'EVIL', listen: topic, ping: {}}]}",
    "{hosts: h1, gather_facts: false, tasks: [{include_tasks: 'EVIL'}]}",
    "{hosts: h1, gather_facts: false, tasks: [{include_role: {name: 'EVIL'}}]}",
    "{hosts: h1, gather_facts: false, tasks: [{include_role: {name: r, tasks_from: 'EVIL'}}]}",
    "{hosts: h1, gather_facts: false, tasks: [{action: 'EVIL'}]}",
    "{hosts: h1, gather_facts: false, vars_files: ['EVIL']}",
    "{hosts: h1, gather_facts: false, vars_files: [['EVIL', /dev/null]]}",
    "{hosts: h1, gather_facts: false, name: 'EVIL', serial: 'EVIL', tasks: [{ping: {}}]}",
    "{hosts: h1, gather_facts: false, environment: {A: 'EVIL'}, roles: [{role: r, x: 'EVIL'}]}",
    "{hosts: h1, gather_facts: false, vars_prompt: [{name: q, prompt: 'EVIL', default: 'EVIL'}], tasks: [{debug: {msg: '{{ q }}'}}]}",
    "{hosts: h1, gather_facts: false, remote_user: 'EVIL', become: true, become_user: 'EVIL', tasks: [{ping: {}}]}",
    "{hosts: h1, gather_facts: true, gather_subset: ['EVIL'], tasks: [{ping: {}}]}",
    "{hosts: 'EVIL', gather_facts: false, tasks: [{ping: {}}]}",
];

/// A host's answers and everything else that a playbook may read from, all saying the payload.
fn folder() -> Files {
    let json = serde_json::Value::from(PAYLOAD);
    let lie = format!(
        "#!/bin/sh\ncat > /dev/null\ncat <<'END'\n{{\"ansible_facts\": {{\"evil_fact\": {json}}}, \"text\": {json}}}\nEND\n"
    );
    let script = format!(
        "#!/bin/sh\ncat <<'END'\n{{\"all\": {{\"hosts\": [\"h1\", \"h2\"], \"vars\": {{\"ansible_connection\": \"local\"}}}}, \
         \"_meta\": {{\"hostvars\": {{\"h2\": {{\"from_script\": {json}}}}}}}}}\nEND\n"
    );
    let more = "{% set x = lookup('pipe', 'touch pwn') %}";
    let files = Files::new(&[
        ("library/liar*", &lie),
        ("hosts*", &script),
        ("evil", PAYLOAD),
        ("evil.json", &serde_json::Value::from(format!("\n{PAYLOAD}\n{more}")).to_string()),
        ("evil.ini", &format!("[global]\nk = {PAYLOAD}\n")),
        ("evil.csv", &format!("k;{PAYLOAD}\n")),
        ("facts/h1", &format!("{{\"cached\": {json}}}")),
        ("templates/t.j2", "{{ evil }}"),
        ("roles/r/tasks/main.yml", "- debug: {msg: '{{ x }}'}\n"),
        ("ansible.cfg", "[defaults]\nfact_caching = jsonfile\nfact_caching_connection = facts\n"),
    ]);
    files.write(&format!("names/{PAYLOAD}"), "");
    std::os::unix::fs::symlink(PAYLOAD, files.path().join("link")).unwrap();
    files
}

/// Runs a playbook on these hosts and holds that nothing was run that a host wanted.
fn play(files: &Files, name: &str) -> crate::support::run::Output {
    let run = crate::support::run::Run::new(files.path()).env("EVIL", PAYLOAD);
    let output = run.words(&format!("play {name} -i hosts")).go();
    assert!(!files.has("pwn"), "it was run:\n{}", output.text());
    output
}

#[test]
fn what_is_said_by_hosts_stays_text_in_every_place() {
    let files = folder();
    let mut sinks = String::from("- {assert: {that: [\"'touch pwn' in evil\"]}}\n");
    let tasks = SINKS.split("\n- ").map(str::trim).filter(|task| !task.is_empty());
    for task in tasks {
        let more = "ignore_errors: true, ignore_unreachable: true";
        sinks += &match task.strip_suffix('}').filter(|task| task.starts_with('{')) {
            Some(flow) => format!("- {flow}, {more}}}\n"),
            None => format!("- {task}\n"),
        };
    }
    for same in SAME {
        let condition = serde_json::Value::from(format!("({same}) == evil"));
        let expression = serde_json::Value::from(*same);
        sinks += &format!("- {{assert: {{that: [{condition}], fail_msg: {expression}}}}}\n");
    }
    sinks += "- {debug: {msg: the end of one}}\n";
    files.write("sinks.yml", &sinks);
    files.write("site.yml", SOURCES);
    let output = play(&files, "site.yml");
    let text = output.text();
    assert_eq!(output.code, 0, "{}", text.split("fatal:").last().unwrap());
    let sources = SOURCES.lines().filter(|line| line.starts_with("    - ")).count();
    assert_eq!(text.matches("the end of one").count(), sources, "{text}");
    // None of the tasks failed for being written wrong.
    assert!(!text.contains("unknown argument"), "{text}");
}

#[test]
fn what_is_said_by_hosts_ends_a_play_but_does_not_run() {
    let files = folder();
    let first = "- hosts: h1\n  gather_facts: false\n  tasks:\n  - command: cat {{ playbook_dir }}/evil\n    register: o\n\
                 \x20 - set_fact: {evil: \"{{ o.stdout }}\"}\n";
    let wanted = "{{ hostvars.h1.evil }}";
    for ending in ENDINGS {
        files.write("site.yml", &format!("{first}- {}\n", ending.replace("EVIL", wanted)));
        let text = play(&files, "site.yml").text();
        assert!(text.contains("TASK [set_fact]"), "it did not come so far: {ending}\n{text}");
    }
}

#[test]
fn the_payload_would_run_if_it_were_the_users_own() {
    let files = folder();
    let task = "- hosts: h1\n  gather_facts: false\n  tasks:\n";
    files.write("site.yml", &format!("{task}  - debug:\n      msg: {}\n", serde_json::Value::from(PAYLOAD)));
    let output = files.run("play site.yml -i hosts");
    assert!(files.has("pwn"), "{}", output.text());
}
