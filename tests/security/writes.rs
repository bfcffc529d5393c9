//! Files while they are written: private from the first moment, checked before they count.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::files::Files;

/// Which files in a folder anybody but their user may read, looked at again and again.
fn watch(folder: &Path) -> (Arc<AtomicBool>, std::thread::JoinHandle<(usize, Vec<String>)>) {
    let stop = Arc::new(AtomicBool::new(false));
    let (told, folder) = (Arc::clone(&stop), folder.to_owned());
    let thread = std::thread::spawn(move || {
        let (mut seen, mut open) = (0, Vec::new());
        while !told.load(Ordering::Relaxed) {
            for entry in std::fs::read_dir(&folder).unwrap().flatten() {
                let Ok(about) = entry.metadata() else { continue };
                seen += 1;
                if about.permissions().mode() & 0o077 != 0 {
                    open.push(format!("{} {:o}", entry.path().display(), about.permissions().mode()));
                }
            }
        }
        (seen, open)
    });
    (stop, thread)
}

#[test]
fn a_new_secret_file_is_not_open_to_others_for_a_moment() {
    let play = "
- hosts: h1
  gather_facts: false
  module_defaults:
    copy: &all {mode: '0600'}
    template: *all
    get_url: *all
    lineinfile: {mode: '0600', create: true}
    blockinfile: {mode: '0600', create: true}
    ini_file: {mode: '0600'}
    assemble: {mode: '0600'}
    file: *all
  vars: {out: '{{ playbook_dir }}/out'}
  tasks:
  - {copy: {content: '{{ \"x\" * 100000 }}', dest: '{{ out }}/copy{{ item }}', backup: true}, loop: '{{ range(40) }}'}
  - {copy: {content: '{{ \"y\" * 100000 }}', dest: '{{ out }}/copy{{ item }}', backup: true}, loop: '{{ range(20) }}'}
  - {copy: {src: big, dest: '{{ out }}/'}}
  - {template: {src: t.j2, dest: '{{ out }}/template{{ item }}'}, loop: '{{ range(20) }}'}
  - {lineinfile: {path: '{{ out }}/line{{ item % 5 }}', line: 'x{{ item }}'}, loop: '{{ range(20) }}'}
  - {blockinfile: {path: '{{ out }}/block{{ item }}', block: x}, loop: '{{ range(10) }}'}
  - {ini_file: {path: '{{ out }}/ini{{ item }}', section: a, option: b, value: c}, loop: '{{ range(10) }}'}
  - {get_url: {url: 'file:///etc/passwd', dest: '{{ out }}/got{{ item }}'}, loop: '{{ range(10) }}'}
  - {assemble: {src: pieces, dest: '{{ out }}/assembled{{ item }}', remote_src: false}, loop: '{{ range(10) }}'}
  - {file: {path: '{{ out }}/touched{{ item }}', state: touch}, loop: '{{ range(10) }}'}
";
    let files = Files::new(&[
        ("site.yml", play),
        ("files/big", &"z".repeat(3_000_000)),
        ("files/pieces/a", "a"),
        ("templates/t.j2", "secret"),
        ("out/.first", ""),
    ]);
    let out = files.path().join("out");
    std::fs::remove_file(out.join(".first")).unwrap();
    let (stop, watching) = watch(&out);
    let output = files.play("site.yml --limit h1");
    stop.store(true, Ordering::Relaxed);
    let (seen, open) = watching.join().unwrap();
    assert_eq!(output.code, 0, "{}", output.text());
    assert!(seen > 1000, "it looked only at {seen}");
    assert!(open.is_empty(), "{:?}", &open[..open.len().min(10)]);
}

#[test]
fn what_does_not_validate_does_not_land_whatever_writes_it() {
    let visudo = "validate: /usr/sbin/visudo -csf %s, mode: '0440'";
    let old = "root ALL=(ALL) ALL\n";
    for (module, arguments) in [
        ("copy", "content: 'WORDS', dest: PATH"),
        ("template", "src: t.j2, dest: PATH"),
        ("lineinfile", "path: PATH, line: 'WORDS'"),
        ("blockinfile", "path: PATH, block: 'WORDS'"),
        ("replace", "path: PATH, regexp: '^root.*', replace: 'WORDS'"),
        ("assemble", "src: pieces, dest: PATH, remote_src: false"),
    ] {
        for (words, lands) in [("bob ALL=(ALL NOBODY", false), ("bob ALL=(ALL) ALL", true)] {
            let arguments =
                arguments.replace("PATH", "'{{ playbook_dir }}/out/sudoers'").replace("WORDS", words);
            let task = format!("{module}: {{{arguments}, {visudo}}}");
            let files = Files::new(&[
                ("site.yml", &format!("- hosts: h1\n  gather_facts: false\n  tasks:\n  - {task}\n")),
                ("templates/t.j2", &format!("{words}\n")),
                ("files/pieces/a", &format!("{words}\n")),
                ("out/sudoers", old),
            ]);
            let output = files.play("site.yml");
            assert_eq!(output.code, if lands { 0 } else { 2 }, "{task}\n{}", output.text());
            let now = files.read("out/sudoers");
            assert_eq!(now.contains("bob"), lands, "{task}: {now}");
            assert_eq!(now == old, !lands, "{task}");
            assert!(lands || output.text().contains("failed to validate"), "{}", output.text());
            let left = std::fs::read_dir(files.path().join("out")).unwrap().count();
            assert_eq!(left, 1, "{task} leaves something behind");
        }
    }
}
