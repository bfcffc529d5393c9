//! Tests of `unarchive` with real archives, tar and unzip.

use super::Args;
use crate::modules::api::fake::OnDisk;
use crate::modules::api::{Outcome, Value};

/// A folder `app` with a file, a program, a link and a folder, as archives of many kinds, and an empty folder `out`.
fn host() -> OnDisk {
    let host = OnDisk::new();
    host.sh(
        "mkdir -p app/sub out; echo one > app/one; echo two > app/sub/two; chmod 750 app/sub/two; ln -s one app/link
         tar -cf a.tar app; tar -czf a.tgz app; tar -cjf a.bz2 app; tar --force-local -cJf 'a b:c.xz' app; zip -qry a.zip app",
    );
    host
}

fn files(outcome: &Outcome) -> Vec<String> {
    let mut files: Vec<String> =
        outcome.fields["files"].as_list().unwrap().iter().map(ToString::to_string).collect();
    files.sort();
    files
}

#[test]
fn every_kind_is_unpacked_once() {
    for (name, handler) in [
        ("a.tar", "TarArchive"),
        ("a.tgz", "TgzArchive"),
        ("a.bz2", "TarBzipArchive"),
        ("a b:c.xz", "TarXzArchive"),
        ("a.zip", "ZipArchive"),
    ] {
        let host = host();
        let args = format!("{{src: 'DIR/{name}', dest: DIR/out, remote_src: true, list_files: true}}");
        let outcome = host.converge::<Args>(&args);
        assert_eq!(outcome.fields["handler"], Value::from(handler), "{name}");
        assert_eq!(files(&outcome), ["app/", "app/link", "app/one", "app/sub/", "app/sub/two"], "{name}");
        assert_eq!(outcome.fields["state"], Value::from("directory"));
        host.sh("diff -r app out/app; test -L out/app/link; test -x out/app/sub/two");
        host.sh("echo changed > out/app/one");
        host.converge::<Args>(&args);
        host.sh("rm out/app/link; chmod 700 out/app/sub/two");
        host.converge::<Args>(&args);
    }
}

#[test]
fn archives_of_the_controller_are_looked_at_before_they_come() {
    for name in ["a.tgz", "a.zip"] {
        let mut host = host();
        host.offer("", name);
        let outcome = host.converge::<Args>("{src: files/a, dest: DIR/out}");
        assert_eq!(outcome.fields["src"], Value::from("files/a"));
        host.sh("diff -r app out/app");
        let foreseen =
            host.check::<Args>("{src: files/a, dest: DIR/out, copy: true, list_files: true}").unwrap();
        assert_eq!(files(&foreseen).len(), 5, "{name}");
    }
}

#[test]
fn the_difference_is_shown() {
    let host = host();
    let outcome = host.check::<Args>("{src: DIR/a.tgz, dest: DIR/out, remote_src: true}").unwrap();
    let shown = outcome.diff[0].prepared.clone().unwrap();
    assert!(shown.contains("app/one: Warning: Cannot stat: No such file or directory\n"), "{shown}");
}

#[test]
fn parts_are_taken_and_left_out() {
    for name in ["a.tgz", "a.zip"] {
        let host = host();
        let base = format!("src: DIR/{name}, dest: DIR/out, remote_src: true");
        host.converge::<Args>(&format!("{{{base}, include: [app/one]}}"));
        assert_eq!(host.sh("cd out; find . -type f"), "./app/one");
        let other = base.replace("DIR/out", "DIR/app/sub");
        host.converge::<Args>(&format!("{{{other}, exclude: ['*two', app/link]}}"));
        host.sh("test -f app/sub/app/one; test ! -e app/sub/app/sub/two; test ! -e app/sub/app/link");
        let both = host.play::<Args>(&format!("{{{base}, include: [a], exclude: [b]}}")).unwrap_err();
        assert!(both.msg.contains("include|exclude"));
    }
    let fail = host()
        .play::<Args>("{src: DIR/a.tgz, dest: DIR/out, remote_src: true, include: [nosuch]}")
        .unwrap_err();
    assert!(fail.msg.contains("nosuch: Not found in archive"), "{}", fail.msg);
}

#[test]
fn options_go_to_the_program() {
    let host = host();
    host.converge::<Args>(
        "{src: DIR/a.tgz, dest: DIR/out, remote_src: true, extra_opts: [--strip-components=1]}",
    );
    assert_eq!(host.sh("ls out"), "link\none\nsub");
    host.sh("rm -r out; mkdir out");
    let flat = "{src: DIR/a.zip, dest: DIR/out, remote_src: true, extra_opts: [-j]}";
    host.converge::<Args>(flat);
    assert_eq!(host.sh("ls out"), "link\none\ntwo");
}

#[test]
fn owners_and_permissions_are_set_on_all_of_it() {
    for name in ["a.tgz", "a.zip"] {
        let host = host();
        let args = format!("{{src: DIR/{name}, dest: DIR/out, remote_src: true, mode: 'u=rwX,g=rX,o='}}");
        host.converge::<Args>(&args);
        assert_eq!(host.sh("stat -c %a out/app out/app/one out/app/sub/two"), "750\n640\n750", "{name}");
        host.sh("chmod 777 out/app");
        host.converge::<Args>(&args);
        if host.sh("id -u") == "0" {
            let args = args.replace("mode: 'u=rwX,g=rX,o='", "owner: '12', group: '34'");
            host.converge::<Args>(&args);
            assert_eq!(host.sh("stat -c %u:%g out/app/link out/app"), "12:34\n12:34");
        }
    }
}

#[test]
fn newer_files_may_be_kept() {
    for name in ["a.tgz", "a.zip"] {
        let host = host();
        let args = format!("{{src: DIR/{name}, dest: DIR/out, remote_src: true, keep_newer: true}}");
        host.converge::<Args>(&args);
        host.sh("echo mine > out/app/one; touch -d '+1 hour' out/app/one");
        host.settled::<Args>(&args);
        host.sh("touch -d '2001-01-01' out/app/one");
        host.converge::<Args>(&args);
        assert_eq!(host.sh("cat out/app/one"), "one", "{name}");
    }
}

#[test]
fn what_is_there_already_makes_it_needless() {
    let host = host();
    let outcome =
        host.play::<Args>("{src: DIR/nosuch, dest: DIR/nosuch, creates: DIR/app/one, copy: no}").unwrap();
    assert!(outcome.skipped && !outcome.changed);
    assert!(outcome.fields["msg"].to_string().ends_with("/app/one exists"));
}

#[test]
fn a_download_is_unpacked() {
    use std::io::{BufRead, BufReader, Write};
    let host = host();
    let bytes = std::fs::read(host.path("a.tgz")).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/a.tgz", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let found = lines.next().unwrap().unwrap().contains("a.tgz");
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            let (status, body) = if found { ("200 OK", &bytes[..]) } else { ("404 Not Found", &[][..]) };
            let head =
                format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).unwrap();
        }
    });
    host.converge::<Args>(&format!("{{src: '{url}', dest: DIR/out, remote_src: true}}"));
    let missing = url.replace("a.tgz", "b.tgz");
    let fail =
        host.play::<Args>(&format!("{{src: '{missing}', dest: DIR/out, remote_src: true}}")).unwrap_err();
    assert!(fail.msg.starts_with("Failure downloading http://127.0.0.1:"), "{}", fail.msg);
}

#[test]
fn what_can_not_be_unpacked_is_said() {
    let host = host();
    host.sh("echo text > text; : > empty; head -c 300 a.zip > half.zip");
    for (args, msg) in [
        ("src: DIR/nosuch, dest: DIR/out", "does not exist"),
        ("src: DIR/out, dest: DIR/out", "is no file"),
        ("src: DIR/empty, dest: DIR/out", "the file is 0 bytes"),
        ("src: DIR/a.tgz, dest: DIR/nosuch", "must be an existing dir"),
        ("src: DIR/text, dest: DIR/out", "does not look like a tar archive"),
        ("src: DIR/half.zip, dest: DIR/out", "can't be read"),
        ("src: DIR/a.tgz, dest: DIR/out, copy: false", "copy|remote_src"),
    ] {
        let fail = host.play::<Args>(&format!("{{{args}, remote_src: true}}")).unwrap_err();
        assert!(fail.msg.contains(msg), "{args}: {}", fail.msg);
    }
}
