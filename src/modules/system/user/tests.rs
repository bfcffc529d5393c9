//! Tests of `user`.

use std::mem::take;

use super::Args;
use crate::modules::api::fake::FakeHost;
use crate::modules::api::{Ran, Value};

/// A host without further users.
fn host() -> FakeHost {
    FakeHost::new()
        .file("/etc/shadow", "root:*:1::::::\n")
        .file("/etc/group", "root:x:0:\nsudo:x:27:\ndocker:x:999:\n")
        .group("sudo", 27)
        .group("docker", 999)
        .program("setpriv")
}

/// A host with one user, `ann`, who is in sudo.
fn with_ann() -> FakeHost {
    host()
        .user("ann", 1000, "/home/ann")
        .group("ann", 1000)
        .dir("/home/ann")
        .file("/etc/shadow", "root:*:1::::::\nann:$6$old$hash:20000:0:99999:7:::\n")
        .file("/etc/group", "root:x:0:\nsudo:x:27:ann\ndocker:x:999:\nann:x:1000:\n")
}

/// The command works, and changes what the function says.
fn effect(host: FakeHost, line: &str, change: fn(FakeHost) -> FakeHost) -> FakeHost {
    host.answer_with(line, Ran::default(), Some(Box::new(move |host| *host = change(take(host)))))
}

#[test]
fn an_account_is_created_once() {
    let mut host = effect(host(), "useradd", |host| host.user("ann", 1000, "/home/ann").dir("/home/ann"));
    let outcome = host.converge::<Args>("{name: ann, uid: 1000, shell: /bin/sh, system: true}");
    assert_eq!(host.ran, ["useradd -u 1000 -s /bin/sh -m -r -- ann"]);
    assert_eq!(outcome.fields["uid"], Value::from(1000));
    assert_eq!(outcome.fields["home"], Value::from("/home/ann"));
    assert_eq!(outcome.diff[0].after.to_string(), "{'state': 'present', 'name': 'ann'}");
}

#[test]
fn the_arguments_of_a_new_account_reach_useradd() {
    let cases = [
        ("create_home: false", "useradd -M -- ann"),
        ("groups: [sudo, docker], non_unique: true, uid: 7", "useradd -u 7 -o -G sudo,docker -m -- ann"),
        ("group: sudo, skeleton: /k, umask: '077'", "useradd -g sudo -m -k /k -K UMASK=077 -- ann"),
        ("comment: A B, expires: 86400", "useradd -c A B -e 1970-01-02 -m -- ann"),
        ("uid_min: 500, uid_max: 600", "useradd -m -K UID_MIN=500 -K UID_MAX=600 -- ann"),
    ];
    for (more, line) in cases {
        let mut host = effect(host(), "useradd", |host| host.user("ann", 1000, "/home/ann"));
        host.play::<Args>(&format!("{{name: ann, {more}}}")).unwrap();
        assert_eq!(host.ran, [line], "{more}");
    }
}

#[test]
fn a_group_of_the_same_name_keeps_useradd_from_making_one() {
    let mut host = effect(host().group("ann", 5), "useradd", |host| host.user("ann", 1000, "/home/ann"));
    host.play::<Args>("name: ann").unwrap();
    assert_eq!(host.ran, ["useradd -N -m -- ann"]);
}

#[test]
fn only_what_differs_is_changed() {
    let cases = [
        ("uid: 1000, group: ann, shell: /bin/sh, home: /home/ann", vec![]),
        ("uid: 1001", vec!["usermod -u 1001 -- ann"]),
        ("group: sudo", vec!["usermod -g 27 -- ann"]),
        ("groups: sudo", vec![]),
        ("groups: sudo, append: true", vec![]),
        ("groups: docker", vec!["usermod -G docker -- ann"]),
        ("groups: docker, append: true", vec!["usermod -a -G docker -- ann"]),
        ("groups: []", vec!["usermod -G  -- ann"]),
        ("groups: [], append: true", vec![]),
        ("comment: Ann, shell: /bin/bash", vec!["usermod -c Ann -s /bin/bash -- ann"]),
        ("home: /srv/ann, move_home: true", vec!["usermod -d /srv/ann -m -- ann"]),
        ("expires: 172800", vec!["usermod -e 1970-01-03 -- ann"]),
        ("expires: -1", vec![]),
        ("password_lock: true", vec!["usermod -L -- ann"]),
        ("password_lock: false", vec![]),
        ("password_expire_max: 99999, password_expire_warn: 7", vec![]),
        ("password_expire_max: 90, password_expire_min: 1", vec!["chage -M 90 -m 1 -- ann"]),
        ("password_expire_account_disable: -1", vec![]),
    ];
    for (more, lines) in cases {
        let args = format!("{{name: ann, {more}}}");
        let mut host = with_ann().answer("usermod", 0, "").answer("chage", 0, "");
        assert_eq!(host.check::<Args>(&args).unwrap().changed, !lines.is_empty(), "{more}");
        let outcome = host.play::<Args>(&args).unwrap();
        assert_eq!(
            (outcome.changed, &host.ran),
            (!lines.is_empty(), &lines.iter().map(|it| (*it).to_owned()).collect()),
            "{more}"
        );
    }
}

#[test]
fn a_password_goes_through_a_pipe_and_is_never_shown() {
    let mut host = with_ann().answer("chpasswd -e", 0, "");
    let outcome = host.play::<Args>("{name: ann, password: $6$new$hash}").unwrap();
    assert_eq!((outcome.changed, host.ran.clone()), (true, vec!["chpasswd -e".to_owned()]));
    assert_eq!(host.stdin, b"ann:$6$new$hash\n");
    assert_eq!(outcome.fields["password"], Value::from("NOT_LOGGING_PASSWORD"));
    assert!(!format!("{outcome:?}").contains("new$hash"));
    // The same password, or one that is not to be updated, is left alone.
    for args in ["password: $6$old$hash", "password: $6$new$hash, update_password: on_create"] {
        assert!(!with_ann().play::<Args>(&format!("{{name: ann, {args}}}")).unwrap().changed, "{args}");
    }
}

#[test]
fn a_password_that_is_no_hash_gets_a_warning() {
    let mut host = with_ann().answer("chpasswd", 0, "");
    assert_eq!(host.play::<Args>("{name: ann, password: secret}").unwrap().warnings.len(), 1);
    for open in ["'*'", "'!'", "$6$s$h"] {
        let args = format!("{{name: ann, password: {open}}}");
        assert!(host.play::<Args>(&args).unwrap().warnings.is_empty(), "{open}");
    }
}

#[test]
fn a_home_that_is_missing_is_made() {
    let mut host = FakeHost::new()
        .user("bob", 7, "/srv/deep/bob")
        .dir("/etc/skel")
        .file("/etc/login.defs", "# x\nUMASK 027\n")
        .answer("cp -R -- /etc/skel/. /srv/deep/bob", 0, "")
        .answer("chown -R -h 7:7 -- /srv/deep/bob", 0, "");
    host.converge::<Args>("name: bob");
    assert_eq!(host.mode("/srv/deep/bob"), 0o750);
    assert_eq!(host.mode("/srv/deep"), 0o755);
}

#[test]
fn a_key_is_made_as_the_user_and_its_passphrase_stays_in_the_pipe() {
    let mut host = with_ann().answer("setpriv --reuid 1000 --regid 1000 --init-groups -- mkdir", 0, "");
    host = effect(host, "setpriv --reuid 1000 --regid 1000 --init-groups -- ssh-keygen", |host| {
        host.file("/home/ann/.ssh/id_ed25519", "private")
            .file("/home/ann/.ssh/id_ed25519.pub", "ssh-ed25519 AAAA c\n")
    });
    host = host.answer("ssh-keygen -l", 0, "256 SHA256:x c (ED25519)\n");
    let outcome = host.converge::<Args>(
        "{name: ann, generate_ssh_key: true, ssh_key_type: ed25519, ssh_key_comment: c, ssh_key_passphrase: pass phrase}",
    );
    assert_eq!(host.stdin, b"pass phrase\npass phrase\n");
    assert!(host.ran.iter().all(|line| !line.contains("pass phrase")), "{:?}", host.ran);
    assert_eq!(outcome.fields["ssh_public_key"], Value::from("ssh-ed25519 AAAA c"));
    assert_eq!(outcome.fields["ssh_key_file"], Value::from("/home/ann/.ssh/id_ed25519"));
}

#[test]
fn the_public_half_is_not_read_through_a_link() {
    let mut host =
        with_ann().file("/home/ann/.ssh/id_rsa", "private").link("/home/ann/.ssh/id_rsa.pub", "/etc/shadow");
    let outcome = host.play::<Args>("{name: ann, generate_ssh_key: true}").unwrap();
    assert!(!outcome.fields.contains_key("ssh_public_key"));
}

#[test]
fn an_account_is_removed_once() {
    let line = "ann:x:1000:1000::/home/ann:/bin/sh\n";
    let host = FakeHost::new().file("/etc/passwd", format!("root:x:0:0::/root:/bin/sh\n{line}"));
    let mut host =
        effect(host, "userdel -f -r -- ann", |host| host.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n"));
    host.converge::<Args>("{name: ann, state: absent, remove: true, force: true, local: true}");
    // The home was not there to be removed: that is no failure.
    let mut host = with_ann().answer("userdel -- ann", 12, "");
    assert!(host.play::<Args>("{name: ann, state: absent}").unwrap().changed);
}

#[test]
fn names_that_could_harm_are_refused() {
    for name in ["-r", "a:b", "'a b'", "''", "'a/b'"] {
        assert!(host().play::<Args>(&format!("name: {name}")).is_err(), "{name}");
    }
    let fail = host().play::<Args>("{name: ann, groups: [nobodys]}").unwrap_err();
    assert_eq!(fail.msg, "Group nobodys does not exist");
}
