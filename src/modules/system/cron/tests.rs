//! Tests of `cron`.

use super::Args;
use crate::modules::api::fake::{Effect, FakeHost};
use crate::modules::api::{Look, Ran};

const TAB: &str = "PATH=/bin\n#Ansible: old\n1 * * * * x\n";

/// `crontab -` keeps what it reads, `crontab -l` lists that.
fn keeps(line: &'static str) -> Option<Effect> {
    Some(Box::new(move |host| {
        let text = String::from_utf8_lossy(&host.stdin).into_owned();
        // The answer that was given last is the one that stays.
        *host = std::mem::take(host).answer(line, 0, &text);
    }))
}

fn host() -> FakeHost {
    let none = Ran { rc: 1, stderr: "no crontab for bob\n".into(), ..Ran::default() };
    FakeHost::new()
        .user("bob", 1000, "/home/bob")
        .answer("crontab -l", 0, TAB)
        .answer_with("crontab -", Ran::default(), keeps("crontab -l"))
        .answer_with("crontab -u bob -l", none, None)
        .answer_with("crontab -u bob -", Ran::default(), keeps("crontab -u bob -l"))
}

#[test]
fn jobs_and_variables_of_crontabs() {
    for (args, after) in [
        (
            "name: new, minute: 5, dom: 1, dow: 1-5, job: y z",
            format!("{TAB}#Ansible: new\n5 * 1 * 1-5 y z\n"),
        ),
        ("name: old, special_time: daily, job: y", TAB.replace("1 * * * *", "@daily").replace('x', "y")),
        ("name: old, minute: 1, job: x, disabled: true", TAB.replace("1 * *", "#1 * *")),
        ("name: old, state: absent", "PATH=/bin\n".into()),
        ("name: A, value: b c, env: true", format!("A=\"b c\"\n{TAB}")),
        ("name: A, job: b, env: true, insertafter: PATH", TAB.replace("/bin\n", "/bin\nA=\"b\"\n")),
        ("name: PATH, env: true, state: absent", TAB.replace("PATH=/bin\n", "")),
        // root is who runs it.
        ("name: old, user: root, job: q", TAB.replace("1 * * * * x", "* * * * * q")),
    ] {
        let mut host = host();
        let outcome = host.converge::<Args>(&format!("{{{args}}}"));
        assert_eq!(String::from_utf8_lossy(&host.stdin), after, "{args}");
        assert_eq!(host.ran, ["crontab -"], "{args}");
        assert_eq!(outcome.diff[0].after.as_str(), Some(after.as_str()), "{args}");
    }
}

#[test]
fn another_users_crontab_begins_with_its_first_job() {
    let mut host = host();
    let outcome = host.converge::<Args>("{name: one, user: bob, job: x, special_time: reboot}");
    assert_eq!(host.stdin, b"#Ansible: one\n@reboot x\n");
    assert_eq!(outcome.fields["jobs"].to_string(), "['one']");
    assert!(!host.play::<Args>("{name: two, user: bob, state: absent}").unwrap().changed);
}

#[test]
fn files_come_and_go_with_their_jobs() {
    let mut host = host().dir("/etc/cron.d");
    let args = "name: up, user: www, job: x, cron_file: app, hour: 4";
    host.converge::<Args>(&format!("{{{args}}}"));
    assert_eq!(host.text("/etc/cron.d/app"), "#Ansible: up\n* 4 * * * www x\n");
    assert_eq!(host.mode("/etc/cron.d/app"), 0o644);
    let outcome = host.converge::<Args>(&format!("{{{args}, minute: 1, backup: true}}"));
    let backup = outcome.fields["backup_file"].to_string();
    assert_eq!(host.text(&backup), "#Ansible: up\n* 4 * * * www x\n");
    host.converge::<Args>("{name: up, cron_file: /etc/cron.d/app, state: absent}");
    assert!(!host.has("/etc/cron.d/app"));
    assert!(host.ran.is_empty());
}

#[test]
fn a_file_with_other_lines_stays() {
    let mut host = host().file("/etc/cron.d/app", "# mine\n#Ansible: up\n@daily www x");
    host.converge::<Args>("{name: up, cron_file: app, state: absent}");
    assert_eq!(host.text("/etc/cron.d/app"), "# mine\n");
}

#[test]
fn the_old_crontab_is_kept_on_request() {
    let mut host = host();
    let outcome = host.play::<Args>("{name: new, job: y, backup: true}").unwrap();
    let path = outcome.fields["backup_file"].to_string();
    assert_eq!((host.text(&path).as_str(), host.mode(&path)), (TAB, 0o600));
}

#[test]
fn a_host_without_cron_fails_when_it_matters() {
    assert!(FakeHost::new().check::<Args>("{name: a, job: b}").unwrap().changed);
    let fail = FakeHost::new().play::<Args>("{name: a, job: b}").unwrap_err();
    assert!(fail.msg.contains("install cron"), "{}", fail.msg);
    let refused = Ran { rc: 1, stderr: "crontab: user `eve' unknown\n".into(), ..Ran::default() };
    let mut host = host().answer_with("crontab -u eve", refused, None);
    assert!(host.play::<Args>("{name: a, job: b, user: eve}").unwrap_err().msg.contains("unknown"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for args in [
        "name: a",
        "{name: a, job: b, special_time: daily, hour: 1}",
        "{name: a, job: b, cron_file: x}",
        "{name: a, job: \"b\\nc\"}",
        "{name: a b, job: b, env: true}",
        "{name: a, job: b, insertafter: c}",
        "{name: a, job: b, minute: '1 2'}",
        "{name: A, job: b, env: true, insertbefore: NONE}",
    ] {
        assert!(host().play::<Args>(args).is_err(), "{args}");
    }
    assert_eq!(host().list("/tmp".as_ref()).unwrap().len(), 0);
}
