//! Paths that others choose stay where they belong: fetched files, archives, content from galaxy, users' homes.

use std::process::Command;

use super::village::privately;
use crate::support::files::Files;

#[test]
fn what_is_fetched_lands_below_its_folder_whatever_its_path_is() {
    let play = "
- hosts: h1
  gather_facts: false
  vars: {here: '{{ playbook_dir }}'}
  tasks:
  - {fetch: {src: '{{ here }}/sub/../../../../../../../{{ here }}/secret', dest: got}}
  - {fetch: {src: sub/../secret, dest: got}}
  - {fetch: {src: '{{ here }}/sub/../secret', dest: flat/, flat: true}}
  - {fetch: {src: '{{ here }}/..', dest: flat/, flat: true}, ignore_errors: true}
  - {fetch: {src: /, dest: flat/, flat: true}, ignore_errors: true}
  - {fetch: {src: '', dest: flat/, flat: true}, ignore_errors: true}
  - {fetch: {src: '{{ here }}', dest: flat/, flat: true}, ignore_errors: true}
  - {slurp: {src: '{{ here }}'}, ignore_errors: true}
";
    let files = Files::new(&[("in/site.yml", play), ("in/secret", "x"), ("in/sub/x", "")]);
    let output = crate::support::run::Run::new(&files.path().join("in"));
    let output = output.words("play site.yml -i h1, -c local").go();
    assert_eq!(output.code, 0, "{}", output.text());
    assert!(files.has("in/flat/secret") && files.has("in/got/h1/sub/secret"), "{}", output.text());
    let mut outside: Vec<_> =
        std::fs::read_dir(files.path()).unwrap().flatten().map(|it| it.file_name()).collect();
    outside.retain(|name| name != "in");
    assert!(outside.is_empty(), "{outside:?}");
}

/// An archive as an attacker makes it: names, kinds and where links lead.
fn archive(path: &std::path::Path, entries: &[(&str, tar::EntryType, &str)]) {
    let mut builder = tar::Builder::new(std::fs::File::create(path).unwrap());
    for (name, kind, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o4777);
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        let data = if *kind == tar::EntryType::Regular { content.as_bytes() } else { b"" };
        if data.is_empty() {
            header.as_gnu_mut().unwrap().linkname[..content.len()].copy_from_slice(content.as_bytes());
        }
        header.set_size(data.len() as u64);
        header.set_cksum();
        builder.append(&header, data).unwrap();
    }
    builder.finish().unwrap();
}

#[test]
fn archives_that_lead_out_of_their_folder_leave_nothing_there() {
    use tar::EntryType::{Link, Regular, Symlink};
    let files = Files::new(&[("into/.keep", ""), ("victim/file", "mine"), ("target", "mine")]);
    let outside = files.path().display().to_string();
    let absolute = format!("{outside}/victim/absolute");
    let victim = format!("{outside}/victim");
    let target = format!("{outside}/target");
    let cases: [&[(&str, tar::EntryType, &str)]; 6] = [
        &[("../victim/up", Regular, "evil")],
        &[("a/../../victim/up", Regular, "evil")],
        &[(&absolute, Regular, "evil")],
        &[("l", Symlink, &victim), ("l/through", Regular, "evil")],
        &[("m", Symlink, ".."), ("m/victim/through", Regular, "evil")],
        &[("h", Link, &target), ("h", Regular, "evil")],
    ];
    let play = "- hosts: h1\n  gather_facts: false\n  tasks:\n  - unarchive: {src: bad.tar, dest: '{{ playbook_dir }}/into'}\n";
    files.write("site.yml", play);
    for (number, entries) in cases.iter().enumerate() {
        archive(&files.path().join("bad.tar"), entries);
        let text = files.play("site.yml").text();
        let names: Vec<_> = std::fs::read_dir(&victim).unwrap().flatten().map(|it| it.file_name()).collect();
        assert_eq!(names, ["file"], "case {number}: {text}");
        assert_eq!(
            (files.read("victim/file"), files.read("target")),
            ("mine".into(), "mine".into()),
            "{number}"
        );
        std::fs::remove_dir_all(files.path().join("into")).unwrap();
        std::fs::create_dir(files.path().join("into")).unwrap();
    }
}

#[test]
fn content_from_git_is_not_written_through_and_its_words_are_no_options() {
    let files = Files::new(&[
        ("role/tasks/main.yml", "[]\n"),
        ("noted/tasks/main.yml", "[]\n"),
        ("col/galaxy.yml", "namespace: ns\nname: col\nversion: 1.0.0\n"),
        ("victim/.keep", ""),
    ]);
    let victim = files.path().join("victim").display().to_string();
    let shell = |line: &str| {
        let done = Command::new("sh").args(["-c", line]).current_dir(files.path()).status().unwrap();
        assert!(done.success(), "{line}");
    };
    shell(&format!("ln -s {victim} role/meta; mkdir noted/meta"));
    shell(&format!(
        "ln -s {victim}/note noted/meta/.galaxy_install_info; ln -s {victim}/manifest col/MANIFEST.json"
    ));
    for name in ["role", "noted", "col"] {
        shell(&format!(
            "cd {name} && git init -q && git add . && git -c user.name=n -c user.email=e commit -qm x"
        ));
    }
    for (kind, name) in [("role", "role"), ("role", "noted"), ("collection", "col")] {
        let address = format!("git+file://{}/{name}", files.path().display());
        let text = files.run(&format!("galaxy {kind} install {address} -p got")).text();
        let names: Vec<_> = std::fs::read_dir(&victim).unwrap().flatten().map(|it| it.file_name()).collect();
        assert_eq!(names, [".keep"], "{name}: {text}");
    }
    assert!(files.read("got/noted/meta/.galaxy_install_info").contains("install_date"));
    for words in [
        "-- --upload-pack=x",
        "git+file:///x,--orphan",
        "'git+ext::sh -c touch% pwn'",
        "git+ssh://-oProxyCommand=x/y",
    ] {
        let output = files.run(&format!("galaxy role install -p got {words}"));
        assert_ne!(output.code, 0, "{words}: {}", output.text());
    }
    let (address, text) = ("http://me:s3cret@127.0.0.1:1/x", "me:********@127.0.0.1:1");
    for address in [format!("{address}.git"), format!("{address}.tar.gz")] {
        let output = files.run(&format!("galaxy role install -p got {address}"));
        let said = output.text();
        assert!(output.code == 1 && said.contains(text) && !said.contains("s3cret"), "{said}");
    }
    let requirement = "- {src: 'file:///x', scm: git, version: --upload-pack=touch pwn}\n";
    for text in [
        requirement,
        "- {src: 'ext::sh -c touch% pwn', scm: git}\n",
        "- {src: x, scm: git, name: ../../up}\n",
    ] {
        files.write("requirements.yml", text);
        assert_ne!(files.run("galaxy install -r requirements.yml -p got").code, 0, "{text}");
    }
    assert!(!files.has("pwn") && !files.has("got/pwn") && !files.has("../up"));
}

#[test]
fn git_takes_no_word_for_an_option_and_runs_no_program_of_an_addresss_choice() {
    let tasks = [
        ("repo: '--upload-pack=touch pwn', dest: x", "repo"),
        ("repo: file:///x, dest: x, version: '--upload-pack=touch pwn'", "version"),
        ("repo: file:///x, dest: x, remote: -x", "remote"),
        ("repo: 'ext::sh -c touch% pwn', dest: x", "ext"),
        ("repo: 'ssh://-oProxyCommand=touch pwn/x', dest: x", "hostname"),
        ("repo: '{{ playbook_dir }}/repo', dest: x, refspec: '--upload-pack=touch pwn'", "refspec"),
        ("repo: '{{ playbook_dir }}/repo', dest: x, reference: '--upload-pack=touch pwn'", ""),
    ];
    let files = Files::new(&[("repo/x", "x")]);
    let git = "cd repo && git init -q && git add x && git -c user.name=n -c user.email=e commit -qm x";
    assert!(Command::new("sh").args(["-c", git]).current_dir(files.path()).status().unwrap().success());
    for (arguments, said) in tasks {
        let task = format!("git: {{{arguments}}}").replace("dest: x", "dest: '{{ playbook_dir }}/x'");
        files.write("site.yml", &format!("- hosts: h1\n  gather_facts: false\n  tasks:\n  - {task}\n"));
        let output = files.play("site.yml");
        let text = output.text();
        assert!(!files.has("pwn") && !files.has("x/pwn"), "{text}");
        assert!(said.is_empty() || (output.code == 2 && text.contains(said)), "{arguments}: {text}");
        let _ = std::fs::remove_dir_all(files.path().join("x"));
    }
}

#[test]
fn nothing_of_roots_is_written_or_read_through_a_users_links() {
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILagOJFgwaMNhBWQINinKOXmqS4Gh5NgxgriXwdOoINJ";
    let play = format!(
        "- hosts: h1\n  gather_facts: false\n  tasks:\n  \
         - {{user: {{name: bob, generate_ssh_key: true, ssh_key_type: ed25519}}, ignore_errors: true, register: a}}\n  \
         - {{user: {{name: bob, generate_ssh_key: true, ssh_key_type: ed25519, force: true}}, ignore_errors: true}}\n  \
         - {{authorized_key: {{user: bob, key: '{KEY}'}}, ignore_errors: true}}\n  \
         - {{authorized_key: {{user: bob, key: '{KEY}', state: absent}}, ignore_errors: true}}\n  \
         - {{debug: {{var: a}}}}\n"
    );
    for links in [
        "ln -s $here/victim home/bob/.ssh",
        "mkdir home/bob/.ssh; ln -s $here/victim/secret home/bob/.ssh/id_ed25519.pub; touch home/bob/.ssh/id_ed25519; \
         ln -s $here/victim/secret home/bob/.ssh/authorized_keys",
        "mkdir home/bob/.ssh; for name in id_ed25519 id_ed25519.pub authorized_keys; do \
         ln -s $here/victim/new-$name home/bob/.ssh/$name; done",
    ] {
        let files = Files::new(&[("site.yml", &play), ("victim/secret", "secret-of-root")]);
        let prepare = format!(
            "useradd -m -d $here/home/bob -s /bin/sh bob 2>/dev/null; chmod 700 victim; {links}; chown -hR bob: home/bob"
        );
        let Some((_, text)) = privately(&files, &prepare, "play site.yml -i h1, -c local -vvv --diff") else {
            return;
        };
        assert!(text.contains("PLAY RECAP") && text.contains("ok=5"), "{text}");
        let names: Vec<_> = std::fs::read_dir(files.path().join("victim"))
            .unwrap()
            .flatten()
            .map(|it| it.file_name())
            .collect();
        assert_eq!(names, ["secret"], "{links}: {text}");
        assert_eq!(files.read("victim/secret"), "secret-of-root", "{links}: {text}");
        assert!(!text.contains("secret-of-root"), "{links}: {text}");
    }
}
