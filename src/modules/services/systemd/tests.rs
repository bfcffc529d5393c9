//! Tests of `systemd`.

use super::Args;
use crate::modules::api::Value;
use crate::modules::api::fake::FakeHost;

fn host(active: &str, enabled: bool) -> FakeHost {
    let shown = format!("Id=app.service\nLoadState=loaded\nActiveState={active}\n");
    let (rc, word) = if enabled { (0, "enabled\n") } else { (1, "disabled\n") };
    let mut host = FakeHost::new().answer("systemctl show -- app", 0, &shown);
    host = host.answer("systemctl is-enabled -- app", rc, word);
    for verb in ["start", "stop", "restart", "reload", "enable", "disable", "mask", "unmask", "daemon-reload"]
    {
        host = host.answer(&format!("systemctl {verb}"), 0, "");
    }
    host
}

#[test]
fn states_and_links_lead_to_the_right_verbs() {
    for (active, enabled, more, lines) in [
        ("active", true, "state: started, enabled: true", vec![]),
        ("inactive", true, "state: started", vec!["start -- app"]),
        ("failed", true, "state: started", vec!["start -- app"]),
        ("activating", true, "state: started", vec![]),
        ("active", true, "state: stopped", vec!["stop -- app"]),
        ("deactivating", true, "state: stopped", vec!["stop -- app"]),
        ("inactive", true, "state: stopped", vec![]),
        ("active", true, "state: restarted", vec!["restart -- app"]),
        ("active", true, "state: reloaded", vec!["reload -- app"]),
        ("inactive", true, "state: reloaded", vec!["start -- app"]),
        ("inactive", false, "state: started, enabled: true", vec!["enable -- app", "start -- app"]),
        ("active", true, "enabled: false, force: true", vec!["disable --force -- app"]),
        ("active", true, "masked: true", vec!["mask -- app"]),
        ("active", true, "masked: false", vec![]),
    ] {
        let args = format!("{{name: app, {more}}}");
        let mut host = host(active, enabled);
        assert_eq!(host.check::<Args>(&args).unwrap().changed, !lines.is_empty(), "{more}");
        let outcome = host.play::<Args>(&args).unwrap();
        let lines: Vec<_> = lines.iter().map(|line| format!("systemctl {line}")).collect();
        assert_eq!((outcome.changed, &host.ran), (!lines.is_empty(), &lines), "{active} {more}");
        assert_eq!(outcome.fields["status"].get("ActiveState"), Some(&Value::from(active)));
    }
}

#[test]
fn the_result_says_what_changes() {
    let outcome =
        host("inactive", false).check::<Args>("{name: app, state: started, enabled: true}").unwrap();
    assert_eq!(outcome.diff[0].before.to_string(), "{'enabled': 'false', 'state': 'stopped'}");
    assert_eq!(outcome.diff[0].after.to_string(), "{'enabled': 'true', 'state': 'started'}");
    assert_eq!(
        (outcome.fields["state"].as_str(), outcome.fields["enabled"].as_bool()),
        (Some("started"), Some(true))
    );
}

#[test]
fn reading_the_unit_files_again_comes_first_and_is_no_change() {
    let mut host = host("active", true);
    let outcome = host.play::<Args>("{name: app, state: restarted, daemon_reload: true}").unwrap();
    assert_eq!(host.ran, ["systemctl daemon-reload", "systemctl restart -- app"]);
    assert!(outcome.changed);
    host.ran.clear();
    assert!(!host.play::<Args>("daemon_reload: true").unwrap().changed);
    assert_eq!(host.ran, ["systemctl daemon-reload"]);
    assert!(!host.check::<Args>("daemon_reload: true").unwrap().changed);
}

#[test]
fn a_unit_that_comes_with_the_reload_is_found_after_it() {
    let mut host = FakeHost::new()
        .answer("systemctl show -- app", 0, "LoadState=not-found\nActiveState=inactive\n")
        .answer("systemctl show -- app", 0, "LoadState=loaded\nActiveState=inactive\n")
        .answer("systemctl daemon-reload", 0, "")
        .answer("systemctl start", 0, "");
    assert!(host.play::<Args>("{name: app, state: started, daemon_reload: true}").unwrap().changed);
}

#[test]
fn a_missing_unit_is_a_failure_unless_it_is_to_be_masked() {
    let mut host = FakeHost::new().answer("systemctl show", 0, "LoadState=not-found\nActiveState=inactive\n");
    let fail = host.play::<Args>("{name: nosuch, state: stopped}").unwrap_err();
    assert_eq!(fail.msg, "Could not find the requested service nosuch: host");
    assert!(host.check::<Args>("{name: nosuch, masked: true}").unwrap().changed);
}

#[test]
fn in_a_chroot_units_are_enabled_but_not_started() {
    let mut host = FakeHost::new()
        .answer("systemctl show", 0, "Running in chroot, ignoring command 'show'\n")
        .answer("systemctl is-enabled", 1, "disabled\n")
        .answer("systemctl enable", 0, "");
    let outcome = host.play::<Args>("{name: app, state: started, enabled: true}").unwrap();
    assert_eq!(host.ran, ["systemctl enable -- app"]);
    assert_eq!((outcome.changed, outcome.warnings.len()), (true, 1));
}

#[test]
fn templates_and_scopes() {
    let mut host = FakeHost::new()
        .answer("systemctl is-enabled -- getty@", 1, "disabled")
        .answer("systemctl --user show -- a@b", 0, "LoadState=loaded\nActiveState=inactive\n")
        .answer("systemctl --user --no-block start -- a@b", 0, "")
        .answer("systemctl --user --no-block show -- a@b", 0, "LoadState=loaded\nActiveState=inactive\n");
    assert!(host.check::<Args>("{name: getty@, enabled: true}").unwrap().changed);
    assert!(host.check::<Args>("{name: getty@, state: started}").is_err());
    host.play::<Args>("{name: a@b, scope: user, state: started, no_block: true}").unwrap();
    assert_eq!(host.ran, ["systemctl --user --no-block start -- a@b"]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    for args in
        ["{}", "state: started", "{name: 'a*', state: started}", "{daemon_reload: true, enabled: true}"]
    {
        assert!(FakeHost::new().play::<Args>(args).is_err(), "{args}");
    }
}

#[test]
fn a_unit_that_can_not_be_started_says_why() {
    let ran =
        crate::modules::api::Ran { rc: 1, stderr: b"Job for app failed.".to_vec(), ..Default::default() };
    let mut host = FakeHost::new()
        .answer("systemctl show", 0, "LoadState=loaded\nActiveState=inactive\n")
        .answer_with("systemctl start", ran, None);
    let fail = host.play::<Args>("{name: app, state: started}").unwrap_err();
    assert_eq!(fail.msg, "Unable to start service app: Job for app failed.");
}
