//! Texts that would be commands of a shell, options or other paths, as arguments of modules that run programs. The files
//! that are changed are those of a private /etc. (tests/worker does the same for every argument of every module in check mode.)

use super::village::privately;
use crate::support::files::Files;

/// Tasks with the text as `EVIL`.
const TASKS: &str = "
- command: {argv: [printf, '%s', EVIL]}
- shell: printf %s {{ evil | quote }}
- script: EVIL
- script: s.sh {{ evil | quote }}
- file: {path: '{{ here }}/{{ name }}', state: touch, owner: EVIL}
- file: {path: '{{ here }}/{{ name }}', state: touch, mode: EVIL}
- file: {path: '{{ here }}/{{ name }}', state: touch, attributes: EVIL}
- copy: {content: EVIL, dest: '{{ here }}/copy', group: EVIL}
- copy: {content: EVIL, dest: '{{ here }}/copy', selevel: EVIL}
- copy: {content: EVIL, dest: '{{ here }}/copy', validate: 'grep -q x {{ evil | quote }} %s'}
- lineinfile: {path: '{{ here }}/lines', create: true, line: EVIL, insertafter: EVIL}
- find: {paths: EVIL, patterns: EVIL}
- unarchive: {src: '{{ here }}/a.tar', dest: '{{ here }}', remote_src: true, extra_opts: [EVIL], include: [EVIL]}
- unarchive: {src: '{{ here }}/a.tar', dest: '{{ here }}', remote_src: true, owner: EVIL, exclude: [EVIL]}
- user: {name: EVIL}
- user: {name: eve, comment: EVIL, create_home: false}
- user: {name: eva, home: EVIL, create_home: false}
- user: {name: eva, shell: EVIL, create_home: false}
- user: {name: evi, groups: [EVIL], create_home: false}
- user: {name: evo, create_home: false, home: '{{ here }}/home/evo', skeleton: EVIL}
- user: {name: bob, generate_ssh_key: true, ssh_key_comment: EVIL, ssh_key_type: ed25519, ssh_key_passphrase: EVIL}
- user: {name: bob, generate_ssh_key: true, ssh_key_file: EVIL, ssh_key_type: ed25519}
- user: {name: bob, password: EVIL}
- group: {name: EVIL}
- cron: {name: EVIL, job: 'true', cron_file: evil, user: root}
- cron: {name: x, job: 'true', cron_file: EVIL, user: root}
- cron: {name: x, job: 'true', cron_file: evil, user: EVIL}
- cron: {name: EVIL, env: true, job: EVIL, cron_file: evil, user: root}
- hostname: {name: EVIL}
- timezone: {name: EVIL}
- locale_gen: {name: EVIL}
- sysctl: {name: EVIL, value: '1', sysctl_file: '{{ here }}/sysctl', reload: false}
- sysctl: {name: vm.swappiness, value: EVIL, sysctl_file: '{{ here }}/sysctl', reload: false}
- mount: {src: EVIL, path: /mnt/none, fstype: EVIL, opts: EVIL, state: present}
- mount: {src: EVIL, path: '{{ here }}/mnt', fstype: EVIL, opts: EVIL, state: mounted}
- mount: {src: tmpfs, path: EVIL, fstype: tmpfs, state: present}
- modprobe: {name: EVIL, params: EVIL}
- service: {name: EVIL, state: started}
- service: {name: cron, pattern: EVIL, arguments: EVIL, state: stopped}
- systemd: {name: EVIL, state: started}
- apt: {name: EVIL}
- apt: {name: [EVIL], default_release: EVIL, state: absent}
- package: {name: EVIL}
- pip: {name: EVIL}
- pip: {name: x, virtualenv: '{{ here }}/venv', virtualenv_command: /no/such/program, extra_args: EVIL}
- git: {repo: EVIL, dest: '{{ here }}/git'}
- git: {repo: '{{ here }}/repo', dest: '{{ here }}/git1', version: EVIL}
- git: {repo: '{{ here }}/repo', dest: '{{ here }}/git2', refspec: EVIL}
- git: {repo: '{{ here }}/repo', dest: '{{ here }}/git3', remote: EVIL}
- git: {repo: 'ssh://h.invalid/x', dest: '{{ here }}/git4', key_file: EVIL}
- git: {repo: '{{ here }}/repo', dest: EVIL}
- git: {repo: '{{ here }}/repo', dest: '{{ here }}/git5', reference: EVIL, archive: '{{ here }}/out.zip', archive_prefix: EVIL}
- known_hosts: {name: EVIL, key: EVIL, path: '{{ here }}/known'}
- authorized_key: {user: bob, key: EVIL}
- authorized_key: {user: bob, key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILagOJFgwaMNhBWQINinKOXmqS4Gh5NgxgriXwdOoINJ', comment: EVIL}
- alternatives: {name: EVIL, path: /bin/true, link: '{{ here }}/alt'}
- alternatives: {name: evil, path: EVIL, link: EVIL}
- getent: {database: EVIL}
- getent: {database: passwd, key: EVIL, service: EVIL}
- debconf: {name: EVIL, question: EVIL, value: EVIL, vtype: string}
- dpkg_selections: {name: EVIL, selection: hold}
- iptables: {chain: EVIL, comment: EVIL}
- ufw: {rule: allow, port: EVIL, comment: EVIL}
- pam_limits: {domain: EVIL, limit_type: soft, limit_item: nofile, value: '1'}
- tempfile: {path: '{{ here }}', prefix: EVIL, suffix: EVIL}
- assemble: {src: '{{ here }}', dest: '{{ here }}/assembled', remote_src: true, delimiter: EVIL}
- ini_file: {path: '{{ here }}/ini', section: EVIL, option: EVIL, value: EVIL}
- async_status: {jid: EVIL}
- ping: {}
  become: true
  become_user: EVIL
- ping: {}
  become: true
  become_user: bob
  become_method: su
  become_flags: EVIL
- command: printenv E
  environment: {E: EVIL}
- raw: printf %s {{ evil | quote }}
- raw: 'true'
  become: true
  become_user: EVIL
- raw: 'true'
  environment: {E: EVIL}
- raw: 'true'
  environment: \"{{ {evil: 'x'} }}\"
- command: printenv
  environment: \"{{ {evil: 'x'} }}\"
- raw: 'true'
  become: true
  become_method: su
  become_user: '-c{{ evil }}'
";

#[test]
fn no_text_becomes_a_command_of_a_shell() {
    let files =
        Files::new(&[("files/s.sh*", "#!/bin/sh\nprintf %s \"$1\"\n"), ("repo/x", "x\n"), ("a/x", "x\n")]);
    let here = files.path().display().to_string();
    let evil = format!("x$(touch {here}/pwn);touch {here}/pwn;'\"\n`touch {here}/pwn`|touch {here}/pwn&\\");
    let play = format!(
        "- hosts: h1\n  gather_facts: false\n  vars: {{here: '{here}', name: \"{{{{ evil | replace('/', '_') }}}}\"}}\n  tasks:\n"
    );
    let tasks = TASKS.replace("EVIL", "'{{ evil }}'").replace('\n', "\n  ");
    let tasks = tasks.replace("\n  - ", "\n  - ignore_errors: true\n    ignore_unreachable: true\n    ");
    files.write("site.yml", &(play + &tasks + "\n"));
    files.write("vars.json", &serde_json::json!({"evil": evil}).to_string());
    let prepare = "useradd -m -d $here/home/bob -s /bin/sh bob 2>/dev/null\n\
                   (cd repo; git init -q; git add x; git -c user.name=n -c user.email=e commit -qm x); tar cf a.tar a";
    let words = "play site.yml -i h1, -c local -e @vars.json";
    let Some((code, text)) = privately(&files, prepare, words) else { return };
    assert_eq!(code, 0, "{text}");
    assert!(!files.has("pwn"), "{text}");
    let count = TASKS.lines().filter(|line| line.starts_with("- ")).count();
    assert_eq!(text.matches("TASK [").count(), count, "{text}");
    assert!(!text.contains("unknown argument"), "{text}");
}
