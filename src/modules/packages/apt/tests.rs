//! Tests of `apt`.

use super::Args;
use crate::modules::api::fake::FakeHost;
use crate::modules::api::{Ran, Value};

const INSTALLED: &str = "curl\tamd64\tii \t7.88-1\t\nexim4\tall\tii \t4.96\tmail-transport-agent\n\
    old\tamd64\trc \t1\t\nheld\tamd64\thi \t1.0-1\t\n";
const FRONT: &str = "apt-get -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold";
const DONE: &str = "0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.\n";
const NOTHING: &str = "0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n";

fn host() -> FakeHost {
    FakeHost::new()
        .dir("/var/lib/apt/lists")
        .answer("dpkg-query", 0, INSTALLED)
        .answer("apt-cache policy -- mail-transport-agent", 0, "mail-transport-agent:\n  Candidate: (none)\n")
        .answer(FRONT, 0, DONE)
}

/// What a run calls, without the words that all calls begin with.
fn calls(args: &str) -> Vec<String> {
    let mut host = host();
    let foreseen = host.check::<Args>(args).unwrap().changed;
    let outcome = host.play::<Args>(args).unwrap();
    assert_eq!(foreseen, outcome.changed, "{args}");
    host.ran.iter().map(|line| line.strip_prefix(FRONT).unwrap_or(line).trim().to_owned()).collect()
}

#[test]
fn one_call_installs_all_that_is_missing() {
    let mut host = FakeHost::new().dir("/var/lib/apt/lists").answer("dpkg-query", 0, INSTALLED);
    host = host.answer(&format!("{FRONT} --simulate"), 0, DONE);
    host = host.answer(&format!("{FRONT} install -- nginx git"), 0, DONE);
    let outcome = host.play::<Args>("{name: [nginx, curl, git]}").unwrap();
    assert!(outcome.changed);
    assert_eq!(outcome.diff[0].prepared.as_deref(), Some("+ nginx\n+ git\n"));
    assert_eq!(outcome.fields["stdout"], Value::from(DONE));
}

#[test]
fn states_and_options_reach_apt_get() {
    for (args, lines) in [
        ("name: curl", vec![]),
        ("pkg: curl,held", vec![]),
        ("name: []", vec![]),
        ("name: mail-transport-agent", vec![]),
        ("name: curl=7.88*", vec![]),
        ("name: nginx", vec!["install -- nginx"]),
        (
            "{name: nginx, state: installed, install_recommends: false}",
            vec!["-o APT::Install-Recommends=no install -- nginx"],
        ),
        ("{name: nginx, default_release: sid}", vec!["-t sid install -- nginx"]),
        ("{name: nginx, allow_downgrades: true}", vec!["--allow-downgrades install -- nginx"]),
        ("{name: nginx, only_upgrade: true}", vec![]),
        ("{name: nginx, autoremove: true}", vec!["--auto-remove install -- nginx"]),
        ("{name: [curl, nginx], state: absent}", vec!["remove -- curl"]),
        ("{name: old, state: absent}", vec![]),
        ("{name: old, state: absent, purge: true}", vec!["--purge remove -- old"]),
        ("{name: 'c*', state: removed}", vec!["remove -- curl"]),
        ("{upgrade: true}", vec!["upgrade --with-new-pkgs"]),
        ("{upgrade: dist}", vec!["dist-upgrade"]),
        ("{name: '*', state: latest}", vec!["upgrade --with-new-pkgs"]),
        ("{autoremove: true}", vec!["--auto-remove autoremove"]),
        ("{name: nginx, state: build-dep}", vec!["build-dep -- nginx"]),
        ("{name: curl, state: fixed}", vec!["install --fix-broken --"]),
    ] {
        assert_eq!(calls(args), lines, "{args}");
    }
}

#[test]
fn a_version_is_chosen_among_those_that_can_be_had() {
    let host = || {
        host()
            .answer(
                "apt-cache policy -- curl",
                0,
                "curl:\n  Version table:\n     8.5-1 500\n *** 7.88-1 100\n",
            )
            .answer("dpkg --compare-versions 7.88-1 ge 8", 1, "")
            .answer("dpkg --compare-versions 8.5-1 ge 8", 0, "")
    };
    for (spec, word) in [("curl=8.5*", "curl=8.5-1"), ("curl>=8", "curl=8.5-1")] {
        let mut host = host();
        host.play::<Args>(&format!("name: '{spec}'")).unwrap();
        assert!(host.ran[0].ends_with(&format!("install -- {word}")), "{:?}", host.ran);
    }
    assert_eq!(
        host().play::<Args>("name: curl=9").unwrap_err().msg,
        "no available version of curl fits curl=9"
    );
}

#[test]
fn the_latest_is_what_a_simulation_would_bring() {
    let host = |output: &str| host().answer(&format!("{FRONT} --simulate install -- curl"), 0, output);
    let mut new = host(&format!("Inst curl [7.88-1] (8.5-1 Debian)\n{DONE}"));
    assert!(new.play::<Args>("{name: curl, state: latest}").unwrap().changed);
    assert!(new.ran[0].ends_with("install -- curl"));
    assert!(!host(NOTHING).play::<Args>("{name: curl, state: latest}").unwrap().changed);
}

#[test]
fn package_lists_are_updated_when_they_are_old() {
    let update = "apt-get -y -o APT::Update::Error-Mode=any update";
    let host = || host().answer(update, 0, "");
    // The lists of this host are as old as its clock: new.
    for (args, updates, changed) in [
        ("{update_cache: true}", true, true),
        ("{update_cache: true, cache_valid_time: 60}", false, false),
        ("{cache_valid_time: 60, name: curl}", false, false),
        ("{update_cache: true, name: curl}", true, false),
        ("{update_cache: false, name: curl}", false, false),
    ] {
        let mut host = host();
        assert_eq!(host.check::<Args>(args).unwrap().changed, changed, "{args}");
        host.play::<Args>(args).unwrap();
        assert_eq!(host.ran.iter().any(|line| line == update), updates, "{args}");
    }
}

#[test]
fn failures_say_what_apt_said() {
    let ran = Ran { rc: 100, stderr: b"E: Unable to locate package nosuch\n".to_vec(), ..Ran::default() };
    let mut host = host().answer_with(&format!("{FRONT} install -- nosuch"), ran.clone(), None);
    let fail = host.play::<Args>("name: nosuch").unwrap_err();
    assert_eq!(fail.msg, "No package matching 'nosuch' is available");
    assert_eq!(fail.fields["rc"], Value::from(100));
    let mut host = host.answer_with(&format!("{FRONT} --simulate install -- nosuch"), ran, None);
    assert!(host.check::<Args>("name: nosuch").is_err());
    for args in ["name: --purge", "{name: a, upgrade: full}", "{name: a, deb: /a.deb}", "name: a b;c"] {
        assert!(host.play::<Args>(args).is_err(), "{args}");
    }
}

#[test]
fn a_lock_that_is_held_fails_with_its_holder_when_time_is_over() {
    let said =
        "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (unattended-upgr)\n";
    let ran = Ran { rc: 100, stderr: said.into(), ..Ran::default() };
    let mut host = host().answer_with(&format!("{FRONT} install"), ran, None);
    let fail = host.play::<Args>("{name: nginx, lock_timeout: 0}").unwrap_err();
    assert!(fail.msg.contains("held by process 7 (unattended-upgr)"), "{}", fail.msg);
}

#[test]
fn services_are_held_back_only_while_packages_are_installed() {
    let mut host = host().file("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n").answer_with(
        &format!("{FRONT} install"),
        Ran { stdout: DONE.into(), ..Ran::default() },
        Some(Box::new(|host| assert_eq!(host.text("/usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n"))),
    );
    host.play::<Args>("{name: nginx, policy_rc_d: 101}").unwrap();
    assert_eq!(host.text("/usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 0\n");
}

#[test]
fn a_package_file_is_installed_if_it_is_not() {
    let host = |version: &str| {
        host().file("/tmp/x.deb", "").answer("dpkg-deb -W", 0, &format!("curl\t{version}\tamd64\n"))
    };
    assert!(!host("7.88-1").play::<Args>("deb: /tmp/x.deb").unwrap().changed);
    let mut other = host("9");
    assert!(other.check::<Args>("deb: /tmp/x.deb").unwrap().changed);
    assert!(other.play::<Args>("deb: /tmp/x.deb").unwrap().changed);
    assert!(other.ran[0].ends_with("install -- /tmp/x.deb"));
    assert!(host("9").play::<Args>("deb: /tmp/nosuch.deb").is_err());
}

#[test]
fn downloads_are_cleaned_only_if_there_are_any() {
    assert_eq!(calls("clean: true"), [""; 0]);
    let mut host = host().file("/var/cache/apt/archives/a.deb", "");
    assert!(host.play::<Args>("clean: true").unwrap().changed);
    assert!(host.ran[0].ends_with("clean"));
}
