//! Tests of `group`.

use std::mem::take;

use super::Args;
use crate::modules::api::fake::FakeHost;
use crate::modules::api::{Ran, Value};

#[test]
fn a_group_is_made_once() {
    let make: Box<dyn Fn(&mut FakeHost)> = Box::new(|host| *host = take(host).group("app", 500));
    let mut host = FakeHost::new().answer_with("groupadd -g 500 -r -- app", Ran::default(), Some(make));
    let outcome = host.converge::<Args>("{name: app, gid: 500, system: true}");
    assert_eq!(outcome.fields["gid"], Value::from(500));
    assert_eq!(outcome.diff[0].after.to_string(), "{'state': 'present', 'gid': 500}");
}

#[test]
fn the_arguments_reach_the_shadow_tools() {
    for (args, line) in [
        ("name: new", Some("groupadd -- new")),
        ("{name: new, gid: 5, non_unique: true}", Some("groupadd -g 5 -o -- new")),
        ("{name: new, gid_min: 5, gid_max: 9}", Some("groupadd -K GID_MIN=5 -K GID_MAX=9 -- new")),
        ("{name: old, gid: 6}", Some("groupmod -g 6 -- old")),
        ("{name: old, gid: 5}", None),
        ("{name: old, system: true}", None),
        ("{name: '5', state: absent}", None),
        ("{name: old, state: absent, force: true}", Some("groupdel -f -- old")),
        ("{name: new, state: absent}", None),
    ] {
        let mut host = FakeHost::new().group("old", 5);
        for tool in ["groupadd", "groupmod", "groupdel"] {
            host = host.answer(tool, 0, "");
        }
        assert_eq!(host.check::<Args>(args).unwrap().changed, line.is_some(), "{args}");
        host.play::<Args>(args).unwrap();
        assert_eq!(host.ran.first().map(String::as_str), line, "{args}");
    }
}

#[test]
fn a_local_group_is_looked_up_in_the_file_alone() {
    let mut host =
        FakeHost::new().group("ldap", 9).file("/etc/group", "own:x:3:\n").answer("groupadd", 0, "");
    assert!(!host.play::<Args>("{name: own, local: true, gid: 3}").unwrap().changed);
    assert!(host.play::<Args>("{name: ldap, local: true}").unwrap().changed);
}

#[test]
fn names_that_could_harm_are_refused() {
    for name in ["-f", "a:b", "'a b'", "''"] {
        assert!(FakeHost::new().play::<Args>(&format!("name: {name}")).is_err(), "{name}");
    }
}
