//! `file` on a host in memory.

use super::*;
use crate::modules::api::fake::FakeHost;

fn host() -> FakeHost {
    FakeHost::new()
        .user("app", 1000, "/home/app")
        .group("app", 1000)
        .file("/etc/x", "text")
        .dir("/srv/full")
        .file("/srv/full/a", "1")
        .link("/srv/link", "/etc/x")
}

fn field(outcome: &Outcome, name: &str) -> String {
    outcome.fields.get(name).map(ToString::to_string).unwrap_or_default()
}

#[test]
fn folders_are_made_with_their_parents() {
    let mut host = host();
    let outcome =
        host.converge::<Args>("{path: /srv/a/b/, state: directory, mode: '0750', owner: app, group: app}");
    assert_eq!((host.mode("/srv/a"), host.mode("/srv/a/b")), (0o750, 0o750));
    let stat = host.stat(Path::new("/srv/a"), false).unwrap().unwrap();
    assert_eq!((stat.uid, stat.gid), (1000, 1000));
    assert_eq!(
        [field(&outcome, "owner"), field(&outcome, "mode"), field(&outcome, "state")],
        ["app", "0750", "directory"]
    );
    let diff = &outcome.diff[0];
    assert_eq!(diff.before.to_string(), "{'path': '/srv/a/b/', 'state': 'absent'}");
    assert_eq!(diff.after.to_string(), "{'path': '/srv/a/b/', 'state': 'directory'}");
}

#[test]
fn attributes_change_and_show_in_the_diff() {
    let mut host = host();
    let outcome = host.converge::<Args>("{path: /etc/x, owner: app, mode: u+x}");
    assert_eq!(host.mode("/etc/x"), 0o744);
    let diff = &outcome.diff[0];
    assert_eq!(diff.before.to_string(), "{'path': '/etc/x', 'owner': 0, 'mode': '0644'}");
    assert_eq!(diff.after.to_string(), "{'path': '/etc/x', 'owner': 1000, 'mode': '0744'}");
}

#[test]
fn a_link_is_followed_unless_told_otherwise() {
    let mut host = host();
    host.converge::<Args>("{path: /srv/link, state: file, owner: app}");
    let owner = |host: &FakeHost, path| host.stat(Path::new(path), false).unwrap().unwrap().uid;
    assert_eq!((owner(&host, "/etc/x"), owner(&host, "/srv/link")), (1000, 0));
    host.converge::<Args>("{path: /srv/link, state: link, src: /etc/x, follow: false, owner: app}");
    assert_eq!(owner(&host, "/srv/link"), 1000);
}

#[test]
fn removing_takes_trees_and_links_but_not_targets() {
    let mut host = host();
    let outcome = host.converge::<Args>("{path: /srv/full, state: absent}");
    assert!(!host.has("/srv/full/a"));
    assert!(outcome.diff[0].before.to_string().contains("'files': ['/srv/full/a']"));
    host.converge::<Args>("{path: /srv/link, state: absent}");
    assert!(host.has("/etc/x") && !host.has("/srv/link"));
}

#[test]
fn touch_always_changes_unless_times_are_preserved() {
    let mut host = host();
    let touch = "{path: /etc/new, state: touch, mode: '0600'}";
    assert!(host.check::<Args>(touch).unwrap().changed);
    assert_eq!(field(&host.play::<Args>(touch).unwrap(), "dest"), "/etc/new");
    assert_eq!(host.mode("/etc/new"), 0o600);
    assert!(host.play::<Args>(touch).unwrap().changed);
    host.converge::<Args>(
        "{path: /etc/newer, state: touch, modification_time: preserve, access_time: preserve}",
    );
    host.converge::<Args>("{path: /etc/x, modification_time: '202001010000.00'}");
    assert_eq!(host.stat(Path::new("/etc/x"), true).unwrap().unwrap().mtime, 1_577_836_800.0);
}

#[test]
fn links_are_made_and_moved() {
    let mut host = host();
    let outcome = host.converge::<Args>("{src: /etc/x, dest: /srv/new, state: link}");
    assert_eq!([field(&outcome, "src"), field(&outcome, "dest")], ["/etc/x", "/srv/new"]);
    host.converge::<Args>("{src: full, dest: /srv/new, state: link}");
    assert_eq!(host.read_link(Path::new("/srv/new")).unwrap(), Path::new("full"));
    host.converge::<Args>("{src: ../none, dest: /srv/new, state: link, force: true}");
    host.converge::<Args>("{src: /etc/x, dest: /srv/hard, state: hard}");
    assert_eq!(host.stat(Path::new("/etc/x"), false).unwrap().unwrap().nlink, 2);
    host.converge::<Args>("{path: /etc/x, mode: '0600'}");
}

#[test]
fn what_is_in_the_way_is_refused() {
    for (args, message) in [
        ("{path: /none, state: file}", "file (/none) is absent, cannot continue"),
        ("{path: /srv/full, state: file}", "file (/srv/full) is directory, cannot continue"),
        ("{path: /etc/x, state: directory}", "/etc/x already exists as a file"),
        ("{path: /etc/x/y, state: directory}", "There was an issue creating /etc/x/y: /etc/x is no folder"),
        (
            "{path: /srv/l, src: /none, state: link}",
            "src file does not exist, use \"force=yes\" if you really want to create the link: /none",
        ),
        (
            "{path: /srv/full, src: a, state: link}",
            "refusing to convert from directory to symlink for /srv/full",
        ),
        (
            "{path: /srv/full, src: a, state: link, force: true}",
            "the directory /srv/full is not empty, refusing to convert it",
        ),
        ("{path: /etc/x, src: /srv, state: link}", "refusing to convert from file to symlink for /etc/x"),
        ("{path: /srv/l, state: link}", "src is required for creating new symlinks"),
        ("{path: /etc/x, recurse: true, state: file}", "recurse option requires state to be 'directory'"),
        ("{path: /etc/x, src: /y, state: touch}", "src option requires state to be 'link' or 'hard'"),
        ("{path: /srv/h, src: /none, state: hard}", "src does not exist"),
        ("{path: /srv/full/a, src: /etc/x, state: hard}", "Cannot link, file exists at destination"),
        ("{path: /etc/x, owner: nobody-here}", "chown failed: there is no user nobody-here"),
        ("{path: /srv/new, state: directory, group: none}", "chgrp failed: there is no group none"),
    ] {
        let mut host = host();
        assert_eq!(host.play::<Args>(args).unwrap_err().msg, message, "{args}");
        assert_eq!(host.touches, 0, "{args}");
    }
}

#[test]
fn a_file_or_an_empty_folder_gives_way_to_a_link_by_force() {
    let mut host = host().dir("/srv/empty");
    host.converge::<Args>("{path: /srv/empty, src: full, state: link, force: true}");
    host.converge::<Args>("{path: /srv/full/a, src: /etc/x, state: link, force: true}");
    assert_eq!(host.text("/srv/full/a"), "text");
}

#[test]
fn recursion_sets_everything_and_ends_in_a_loop_of_links() {
    let mut host = host().dir("/srv/full/sub").link("/srv/full/sub/up", "..").link("/srv/full/out", "/etc/x");
    host.converge::<Args>("{path: /srv/full, state: directory, recurse: true, mode: 'u=rwX,go='}");
    assert_eq!(
        ["/srv/full", "/srv/full/a", "/srv/full/sub", "/etc/x"].map(|path| host.mode(path)),
        [0o700, 0o600, 0o700, 0o600]
    );
    let mut host = host.with("/etc/x", 0o644, 0, 0);
    host.converge::<Args>("{path: /srv/full, state: directory, recurse: true, follow: false, mode: '0755'}");
    assert_eq!((host.mode("/srv/full/a"), host.mode("/etc/x")), (0o755, 0o644));
}

#[test]
fn a_dangling_link_gets_no_attributes_but_a_warning() {
    let mut host = host();
    let outcome =
        host.play::<Args>("{src: /none, dest: /srv/l, state: link, force: true, owner: app}").unwrap();
    assert_eq!(outcome.warnings.len(), 1);
}

#[test]
fn the_home_and_variables_are_expanded() {
    let mut host = host().variable("APP", "srv/full");
    host.converge::<Args>("{path: '~/x', state: touch, modification_time: preserve, access_time: preserve}");
    host.converge::<Args>("{path: '~app/d', state: directory}");
    host.converge::<Args>("{path: '/$APP/${APP}/d', state: directory}");
    assert!(host.has("/root/x") && host.has("/home/app/d") && host.has("/srv/full/srv/full/d"));
}
