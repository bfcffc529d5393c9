//! Tests of `authorized_key`.

use super::Args;
use crate::modules::api::fake::FakeHost;
use crate::modules::api::{Look, Ran};

const A: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILagOJFgwaMNhBWQINinKOXmqS4Gh5NgxgriXwdOoINJ";
const B: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBBBBJFgwaMNhBWQINinKOXmqS4Gh5NgxgriXwdOoINJ";
const FILE: &str = "/root/.ssh/authorized_keys";

#[test]
fn keys_come_change_and_go() {
    for (before, args, after) in [
        (String::new(), format!("key: {A} me"), format!("{A} me\n")),
        (format!("# mine\n{B} b"), format!("key: {A}"), format!("# mine\n{B} b\n{A}\n")),
        (format!("{A} me\n{B}\n"), format!("key: {A} you"), format!("{A} you\n{B}\n")),
        (
            format!("{A} me\n"),
            format!("key: {A}, key_options: 'no-pty,from=\"a,b\"'"),
            format!("no-pty,from=\"a,b\" {A} me\n"),
        ),
        (format!("no-pty {A} me\n"), format!("key: {A}"), format!("{A} me\n")),
        (format!("{A}\n"), format!("key: {A}, comment: x y"), format!("{A} x y\n")),
        // Once is enough, and without options it would be worth more.
        (
            format!("no-pty {A}\n{B}\n{A}\n"),
            format!("key: {A}, key_options: no-pty"),
            format!("no-pty {A}\n{B}\n"),
        ),
        (
            format!("# c\n{A} a\nstrange\n{B} b\n"),
            format!("key: {B}, exclusive: true"),
            format!("# c\n{B} b\n"),
        ),
        (format!("no-pty {A} a\n{B} b\n"), format!("key: {A}, state: absent"), format!("{B} b\n")),
        (format!("{A}\n"), format!("key: \"# two\\n{A}\\n\\n{B} b\\n\""), format!("{A}\n{B} b\n")),
    ] {
        let mut host = FakeHost::new().dir("/root/.ssh").file(FILE, before);
        let outcome = host.converge::<Args>(&format!("{{user: root, {args}}}"));
        assert_eq!(host.text(FILE), after, "{args}");
        assert_eq!(host.mode(FILE), 0o600);
        assert_eq!(outcome.fields["keyfile"].as_str(), Some(FILE));
        assert_eq!(outcome.diff.len(), 1);
    }
}

#[test]
fn the_folder_is_made_and_belongs_to_the_user() {
    let mut host = FakeHost::new();
    host.converge::<Args>(&format!("{{user: root, key: {A}}}"));
    assert_eq!(host.mode("/root/.ssh"), 0o700);
    let mut host = FakeHost::new().user("bob", 1000, "/home/bob");
    host.converge::<Args>(&format!("{{user: bob, key: {A}, path: /etc/ssh/keys/bob, manage_dir: false}}"));
    let stat = |path: &str| host.stat(path.as_ref(), false).unwrap().unwrap();
    assert_eq!((stat("/etc/ssh/keys").uid, host.mode("/etc/ssh/keys")), (0, 0o755));
    assert_eq!((stat("/etc/ssh/keys/bob").uid, host.mode("/etc/ssh/keys/bob")), (1000, 0o600));
}

#[test]
fn in_another_users_home_the_user_does_it() {
    const AS: &str = "setpriv --reuid 1000 --regid 1000 --init-groups --";
    let host = || FakeHost::new().user("bob", 1000, "/home/bob").answer("setpriv", 0, "");
    let mut fresh = host();
    fresh.play::<Args>(&format!("{{user: bob, key: {A}}}")).unwrap();
    let file = "/home/bob/.ssh/authorized_keys";
    assert_eq!(
        fresh.ran,
        [
            format!("{AS} mkdir -m 700 -p -- /home/bob/.ssh"),
            format!("{AS} rm -f -- {file}.regatta"),
            format!("{AS} tee -- {file}.regatta"),
            format!("{AS} mv -f -T -- {file}.regatta {file}"),
        ]
    );
    assert!(!fresh.has("/home/bob/.ssh"), "root wrote it");

    // A link to a secret: bob can't read it, so nobody does.
    let refused = Ran { rc: 1, stderr: "cat: Permission denied".into(), ..Ran::default() };
    let mut evil = host()
        .file("/etc/shadow", "secret")
        .dir("/home/bob/.ssh")
        .link(file, "/etc/shadow")
        .answer_with(&format!("{AS} cat"), refused, None);
    let fail = evil.play::<Args>(&format!("{{user: bob, key: {A}}}")).unwrap_err();
    assert!(fail.msg.contains("Permission denied"), "{}", fail.msg);

    let mut there = host().file(file, "").answer(&format!("{AS} cat -- {file}"), 0, &format!("{A} me\n"));
    assert!(!there.play::<Args>(&format!("{{user: bob, key: {A}}}")).unwrap().changed);
    let mut other = there.with("/home/bob/.ssh", 0o755, 0, 0);
    other.play::<Args>(&format!("{{user: bob, key: {A}, state: absent}}")).unwrap();
    assert_eq!(other.ran[0], format!("{AS} chmod 700 -- /home/bob/.ssh"));
}

#[test]
fn links_are_replaced_or_followed() {
    let host = || FakeHost::new().dir("/root/.ssh").file("/srv/keys", "").link(FILE, "/srv/keys");
    let mut replaced = host();
    replaced.converge::<Args>(&format!("{{user: root, key: {A}}}"));
    assert_eq!(replaced.text("/srv/keys"), "");
    let mut followed = host();
    followed.converge::<Args>(&format!("{{user: root, key: {A}, follow: true}}"));
    assert_eq!(followed.text("/srv/keys"), format!("{A}\n"));
}

#[test]
fn keys_may_be_behind_a_url() {
    let mut host = FakeHost::new().file("/srv/keys", format!("{A}\n{B}\n"));
    host.converge::<Args>("{user: root, key: 'file:///srv/keys'}");
    assert_eq!(host.text(FILE), format!("{A}\n{B}\n"));
}

#[test]
fn a_user_who_is_not_there_matters_only_in_a_real_run() {
    let args = format!("{{user: eve, key: {A}}}");
    assert!(FakeHost::new().check::<Args>(&args).unwrap().changed);
    assert_eq!(FakeHost::new().play::<Args>(&args).unwrap_err().msg, "there is no user eve");
    assert!(
        !FakeHost::new().play::<Args>(&format!("{{user: eve, key: {A}, state: absent}}")).unwrap().changed
    );
}

#[test]
fn what_is_no_key_is_refused() {
    for key in ["x", "''", "'# only'", "ssh-rsa"] {
        assert!(FakeHost::new().play::<Args>(&format!("{{user: root, key: {key}}}")).is_err(), "{key}");
    }
    let args = format!("{{user: root, key: {A}, comment: \"a\\nb\"}}");
    assert!(FakeHost::new().play::<Args>(&args).is_err());
}
