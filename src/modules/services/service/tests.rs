//! Tests of `service`.

use super::Args;
use crate::modules::api::fake::FakeHost;

fn init() -> FakeHost {
    FakeHost::new()
        .file("/proc/1/comm", "init\n")
        .file("/etc/init.d/app", "#!/bin/sh\n")
        .answer("service app status", 0, "app is running.\n")
        .answer("service app", 0, "")
        .answer("update-rc.d", 0, "")
}

#[test]
fn with_systemd_it_is_systemd() {
    let mut host = FakeHost::new()
        .file("/proc/1/comm", "systemd\n")
        .answer("systemctl show -- app", 0, "LoadState=loaded\nActiveState=inactive\n")
        .answer("systemctl daemon-reload", 0, "")
        .answer("systemctl start", 0, "");
    assert!(host.play::<Args>("{name: app, state: started, daemon_reload: true}").unwrap().changed);
    assert_eq!(host.ran, ["systemctl daemon-reload", "systemctl start -- app"]);
}

#[test]
fn init_scripts_are_asked_and_called() {
    for (args, lines) in [
        ("state: started", vec![]),
        ("state: stopped", vec!["service app stop"]),
        ("state: restarted", vec!["service app restart"]),
        ("state: restarted, sleep: 0", vec!["service app stop", "service app start"]),
        ("state: reloaded, arguments: -x 1", vec!["service app reload -x 1"]),
        ("enabled: true", vec!["update-rc.d app defaults"]),
        ("enabled: false", vec![]),
    ] {
        let mut host = init();
        let args = format!("{{name: app, {args}}}");
        assert_eq!(host.check::<Args>(&args).unwrap().changed, !lines.is_empty(), "{args}");
        host.play::<Args>(&args).unwrap();
        assert_eq!(host.ran, lines, "{args}");
    }
}

#[test]
fn links_of_runlevels_say_whether_it_is_enabled() {
    let on = || init().link("/etc/rc2.d/S01app", "../init.d/app");
    assert!(!on().play::<Args>("{name: app, enabled: true}").unwrap().changed);
    let mut host = on();
    host.play::<Args>("{name: app, enabled: false}").unwrap();
    assert_eq!(host.ran, ["update-rc.d app disable"]);
    let mut host = init().link("/etc/rc2.d/K01app", "../init.d/app").link("/etc/rc3.d/S01other-app", "x");
    host.play::<Args>("{name: app, enabled: true}").unwrap();
    assert_eq!(host.ran, ["update-rc.d app enable"]);
}

#[test]
fn a_pattern_finds_the_process() {
    let host = || init().file("/proc/77/cmdline", "/usr/bin/appd\0--serve\0");
    assert!(!host().play::<Args>("{name: app, state: started, pattern: appd --serve}").unwrap().changed);
    assert!(host().play::<Args>("{name: app, state: started, pattern: otherd}").unwrap().changed);
}

#[test]
fn openrc_has_tools_of_its_own() {
    let mut host = FakeHost::new()
        .file("/proc/1/comm", "init\n")
        .file("/sbin/openrc", "")
        .file("/etc/init.d/app", "")
        .answer("rc-service app status", 3, " * status: stopped\n")
        .answer("rc-service app start", 0, "")
        .answer("rc-update", 0, "");
    host.play::<Args>("{name: app, state: started, enabled: true, runlevel: boot}").unwrap();
    assert_eq!(host.ran, ["rc-update add app boot", "rc-service app start"]);
}

#[test]
fn a_missing_service_is_a_failure() {
    let fail = init().play::<Args>("{name: nosuch, state: started}").unwrap_err();
    assert_eq!(fail.msg, "Could not find the requested service nosuch: host");
    for name in ["-x", "../x", "''"] {
        assert!(init().play::<Args>(&format!("{{name: {name}, state: started}}")).is_err());
    }
}
