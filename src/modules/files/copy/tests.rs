//! `copy` on a host in memory.

use std::path::Path;

use super::*;
use crate::modules::api::fake::FakeHost;
use crate::modules::api::{BlobKind, Value};

fn field(outcome: &Outcome, name: &str) -> String {
    outcome.fields.get(name).map(ToString::to_string).unwrap_or_default()
}

fn host() -> FakeHost {
    FakeHost::new().user("app", 1000, "/home/app").group("app", 1000).file("/etc/x", "old\n")
}

#[test]
fn a_text_is_written_and_shown() {
    let mut host = host();
    let outcome = host.converge::<Args>("{content: \"new\\n\", dest: /etc/x, backup: true}");
    assert_eq!(host.text("/etc/x"), "new\n");
    assert_eq!(host.text("/etc/x.1.2026-01-01@00:00:00~"), "old\n");
    assert_eq!(field(&outcome, "backup_file"), "/etc/x.1.2026-01-01@00:00:00~");
    assert_eq!(field(&outcome, "checksum").len(), 40);
    assert_eq!(field(&outcome, "md5sum").len(), 32);
    assert_eq!(
        ["dest", "owner", "mode", "state", "size", "src"].map(|name| field(&outcome, name)),
        ["/etc/x", "root", "0644", "file", "4", ""]
    );
    let diff = &outcome.diff[0];
    assert_eq!((diff.before.to_string(), diff.after.to_string()), ("old\n".into(), "new\n".into()));
}

#[test]
fn a_new_file_has_its_attributes_from_the_start() {
    let mut host = host();
    host.converge::<Args>("{content: secret, dest: /etc/new, mode: '0600', owner: app, group: app}");
    let stat = host.stat(Path::new("/etc/new"), false).unwrap().unwrap();
    assert_eq!((stat.mode, stat.uid, stat.gid), (0o600, 1000, 1000));
    host.converge::<Args>("{content: secret, dest: /etc/new, mode: 'u=rw,g=r'}");
    assert_eq!(host.mode("/etc/new"), 0o640);
}

#[test]
fn a_file_of_the_controller_goes_into_a_folder() {
    let mut host = host().blob("", 0o755, "#!/bin/sh\n");
    let outcome =
        host.converge::<Args>("{src: files/run.sh, dest: /opt, _original_basename: run.sh, mode: preserve}");
    assert_eq!((host.text("/opt/run.sh").as_str(), host.mode("/opt/run.sh")), ("#!/bin/sh\n", 0o755));
    assert_eq!(outcome.diff[0].after.to_string(), "#!/bin/sh\n");
    assert_eq!(outcome.diff[0].after_header, "files/run.sh");
    host.converge::<Args>(
        "{src: run.sh, dest: /opt/a/b/, _original_basename: run.sh, directory_mode: '0700'}",
    );
    assert_eq!((host.mode("/opt/a"), host.mode("/opt/a/b/run.sh")), (0o700, 0o644));
}

#[test]
fn a_missing_folder_fails_the_run_but_not_the_check() {
    let mut host = host().blob("", 0o644, "x");
    let args = "{src: x, dest: /none/x, _original_basename: x}";
    assert!(host.check::<Args>(args).unwrap().changed);
    let fail = host.play::<Args>(args).unwrap_err();
    assert_eq!(fail.msg, "Destination directory /none does not exist");
}

#[test]
fn without_force_only_missing_files_are_written() {
    let mut host = host();
    assert!(!host.play::<Args>("{content: new, dest: /etc/x, force: false, mode: '0600'}").unwrap().changed);
    assert_eq!((host.text("/etc/x").as_str(), host.mode("/etc/x")), ("old\n", 0o644));
    host.converge::<Args>("{content: new, dest: /etc/y, force: false}");
}

#[test]
fn a_link_is_replaced_or_followed() {
    let mut host = host().link("/etc/l", "x");
    host.converge::<Args>("{content: new, dest: /etc/l, follow: true}");
    assert_eq!(host.text("/etc/x"), "new");
    host.converge::<Args>("{content: own, dest: /etc/l}");
    assert_eq!((host.text("/etc/x").as_str(), host.text("/etc/l").as_str()), ("new", "own"));
}

#[test]
fn what_does_not_validate_stays_out() {
    let mut host = host().answer("visudo -cf /new", 1, "bad");
    let args = "{content: new, dest: /etc/x, validate: 'visudo -cf %s'}";
    assert_eq!(host.play::<Args>(args).unwrap_err().msg, "failed to validate");
    assert_eq!(host.text("/etc/x"), "old\n");
    let fail = host.play::<Args>("{content: new, dest: /etc/x, validate: visudo}").unwrap_err();
    assert_eq!(fail.msg, "validate must contain %s: visudo");
}

#[test]
fn a_folder_of_the_controller_goes_over_as_a_whole() {
    let tree = |first: &str| {
        let name = |rest: &str| if first.is_empty() { rest.to_owned() } else { format!("{first}/{rest}") };
        host()
            .blob_of(first, 0o755, BlobKind::Directory)
            .blob(&name("a"), 0o600, "1")
            .blob_of(&name("sub"), 0o700, BlobKind::Directory)
            .blob(&name("sub/b"), 0o644, "2")
            .blob_of(&name("l"), 0o777, BlobKind::Symlink("a".into()))
    };
    let mut host = tree("");
    let outcome = host
        .converge::<Args>("{src: dir/, dest: /srv/new, mode: preserve, directory_mode: '0750', owner: app}");
    assert_eq!((host.text("/srv/new/sub/b").as_str(), host.text("/srv/new/l").as_str()), ("2", "1"));
    assert_eq!((host.mode("/srv/new/a"), host.mode("/srv/new/sub")), (0o600, 0o750));
    assert_eq!(field(&outcome, "dest"), "/srv/new");
    let mut host = tree("dir");
    host.converge::<Args>("{src: dir, dest: /srv}");
    assert_eq!(host.text("/srv/dir/a"), "1");
    assert_eq!(host.mode("/srv"), 0o755);
}

#[test]
fn names_that_lead_out_are_refused() {
    for name in ["../x", "/etc/x", "a/../../x"] {
        let mut host = host().blob(name, 0o644, "bad").blob("b", 0o644, "x");
        assert!(host.play::<Args>("{src: d, dest: /srv/d}").is_err());
        assert_eq!(host.text("/etc/x"), "old\n");
    }
}

#[test]
fn files_and_folders_of_the_host_are_copied() {
    let mut host = host().file("/srv/d/a", "1").file("/srv/d/s/b", "2").link("/srv/d/l", "a");
    host.converge::<Args>("{src: /etc/x, dest: /opt/, remote_src: true, mode: '0600'}");
    assert_eq!((host.text("/opt/x").as_str(), host.mode("/opt/x")), ("old\n", 0o600));
    host.converge::<Args>("{src: /srv/d, dest: /opt, remote_src: true}");
    assert_eq!((host.text("/opt/d/s/b").as_str(), host.text("/opt/d/l").as_str()), ("2", "1"));
    host.converge::<Args>("{src: /srv/d/, dest: /opt/e, remote_src: true, local_follow: false}");
    assert_eq!(host.read_link(Path::new("/opt/e/l")).unwrap(), Path::new("a"));
}

#[test]
fn mistakes_are_found_before_anything_is_touched() {
    for (args, message) in [
        ("{dest: /etc/x}", "src (or content) is required"),
        ("{dest: /etc, content: x}", "can not use content with a dir as dest"),
        ("{dest: /etc/y/, content: x}", "can not use content with a dir as dest"),
        ("{dest: /etc/y, src: /none, remote_src: true}", "Source /none not found"),
        ("{dest: /etc/y, content: x, owner: none}", "chown failed: there is no user none"),
        (
            "{dest: /etc/y, content: x, checksum: abc}",
            "Copied file does not match the expected checksum. Transfer failed.",
        ),
    ] {
        let mut host = host();
        assert_eq!(host.play::<Args>(args).unwrap_err().msg, message, "{args}");
        assert_eq!(host.touches, 0);
    }
}

#[test]
fn large_and_binary_contents_are_only_mentioned() {
    let mut host = host().blob("", 0o644, &"x".repeat(200_000)).file("/etc/b", b"a\0b");
    let outcome = host.check::<Args>("{src: big, dest: /etc/x}").unwrap();
    assert!(outcome.diff[0].prepared.as_ref().unwrap().starts_with("diff skipped: source file size"));
    let outcome =
        FakeHost::new().file("/etc/b", b"a\0b").check::<Args>("{content: x, dest: /etc/b}").unwrap();
    assert!(outcome.diff[0].prepared.as_ref().unwrap().contains("destination file appears to be binary"));
    assert_eq!(outcome.diff[0].before, Value::Null);
}
